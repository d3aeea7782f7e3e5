/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * keelctl: the operator's tool. This file owns the command line: options, the table of commands, help. What a command
 * does stands in cmd_*.c.
 */
#include <getopt.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "base/check.h"
#include "config/suggest.h"
#include "ctl/ctl.h"
#include "ctl/reply.h"
#include "ctl/witness.h"

enum option_code {
    OPTION_RUN_DIR = 256,
    OPTION_JSON,
    OPTION_HELP,
    OPTION_VERSION,
    OPTION_COLOR,
    OPTION_COLUMNS,
    OPTION_NO_HEADINGS,
    OPTION_POOL,
    OPTION_WITH,
    OPTION_WITHOUT,
    OPTION_NOW,
    OPTION_NO_WAIT,
    OPTION_TIMEOUT,
    OPTION_FOLLOW,
    OPTION_LIMIT,
    OPTION_INTERVAL,
    OPTION_TIMELINE,
    OPTION_SVG,
    OPTION_ALL,
    OPTION_PRINT,
    OPTION_RUNNING,
    OPTION_NAMES,
    OPTION_STRICT,
    OPTION_CONFIG_ID,
};

static const struct option long_options[] = {
    {"run-dir", required_argument, NULL, OPTION_RUN_DIR},
    {"json", no_argument, NULL, OPTION_JSON},
    {"help", no_argument, NULL, OPTION_HELP},
    {"version", no_argument, NULL, OPTION_VERSION},
    {"color", required_argument, NULL, OPTION_COLOR},
    {"columns", required_argument, NULL, OPTION_COLUMNS},
    {"no-headings", no_argument, NULL, OPTION_NO_HEADINGS},
    {"pool", required_argument, NULL, OPTION_POOL},
    {"with", required_argument, NULL, OPTION_WITH},
    {"without", required_argument, NULL, OPTION_WITHOUT},
    {"now", no_argument, NULL, OPTION_NOW},
    {"no-wait", no_argument, NULL, OPTION_NO_WAIT},
    {"timeout", required_argument, NULL, OPTION_TIMEOUT},
    {"follow", no_argument, NULL, OPTION_FOLLOW},
    {"limit", required_argument, NULL, OPTION_LIMIT},
    {"timeline", no_argument, NULL, OPTION_TIMELINE},
    {"svg", required_argument, NULL, OPTION_SVG},
    {"interval", required_argument, NULL, OPTION_INTERVAL},
    {"all", no_argument, NULL, OPTION_ALL},
    {"print", no_argument, NULL, OPTION_PRINT},
    {"running", no_argument, NULL, OPTION_RUNNING},
    {"names", no_argument, NULL, OPTION_NAMES},
    {"strict", no_argument, NULL, OPTION_STRICT},
    {"config-id", required_argument, NULL, OPTION_CONFIG_ID},
    {0},
};

static const struct {
    enum option_code code;
    const char *form, *help;
} option_help[] = {
    {OPTION_RUN_DIR, "--run-dir DIR", "where the daemon's control socket is"},
    {OPTION_JSON, "--json", "the daemon's answer as JSON (doc/control.md)"},
    {OPTION_COLOR, "--color WHEN",
     "colours: auto (the default: on a terminal, unless NO_COLOR is set), always or never"},
    {OPTION_POOL, "--pool NAME", "only this pool"},
    {OPTION_COLUMNS, "--columns A,B", "these columns, in this order"},
    {OPTION_NO_HEADINGS, "--no-headings", "no line with the columns' names"},
    {OPTION_WITH, "--with MEMBER[=SHARE]", "as if this member were there too (share 100), or had this share"},
    {OPTION_WITHOUT, "--without MEMBER", "as if this member were gone"},
    {OPTION_NOW, "--now", "all at once, not a few units at a time"},
    {OPTION_NO_WAIT, "--no-wait", "do not wait until it is done"},
    {OPTION_TIMEOUT, "--timeout SECONDS", "how long to wait until it is done"},
    {OPTION_FOLLOW, "--follow", "go on as new ones come"},
    {OPTION_LIMIT, "--limit N", "at most the newest N (1 to 250)"},
    {OPTION_INTERVAL, "--interval SECONDS", "how long between two looks (0.1 to 3600; 1 if not given)"},
    {OPTION_TIMELINE, "--timeline", "a line for each unit: who had it when, and faults"},
    {OPTION_SVG, "--svg FILE", "the same as a picture; '-' is standard output"},
    {OPTION_ALL, "--all", "also those that are zero, or did not change"},
    {OPTION_PRINT, "--print", "the configuration in canonical form, which reads back to the same"},
    {OPTION_RUNNING, "--running", "also compare with the running daemon's"},
    {OPTION_STRICT, "--strict", "take every warning for an error"},
    {OPTION_CONFIG_ID, "--config-id ID", "read the lines that are marked @ID; this host's name by default"},
    {OPTION_NAMES, "--names", "names of objects and values, as with the MIB files at hand"},
};

#define FORM_WIDTH 25 /* of what a row of help is about */

/* Bits for the options a command takes beside --run-dir, --json and --help. */
#define TAKES(code) (1u << ((code)-OPTION_RUN_DIR))
#define TAKES_TABLE (TAKES(OPTION_COLUMNS) | TAKES(OPTION_NO_HEADINGS))
#define TAKES_WAIT (TAKES(OPTION_NO_WAIT) | TAKES(OPTION_TIMEOUT))
#define TAKES_ALWAYS (TAKES(OPTION_RUN_DIR) | TAKES(OPTION_JSON) | TAKES(OPTION_COLOR) | TAKES(OPTION_HELP))

struct command {
    const char *name, *arguments;
    int least, most; /* words */
    unsigned options;
    int (*run)(const struct ctl *ctl, int argc, char **argv);
    const char *help;
};

static const struct command commands[] = {
    {"status", "", 0, 0, TAKES(OPTION_POOL), status_command, "One screen: what needs attention, and who holds what."},
    {"watch", "", 0, 0, TAKES(OPTION_POOL) | TAKES(OPTION_INTERVAL), watch_command,
     "The same as a live picture, with keys for order and filter; h for help."},
    {"members", "", 0, 0, TAKES(OPTION_POOL) | TAKES_TABLE, members_command,
     "The hosts of each pool: state, share, load."},
    {"list", "", 0, 0, TAKES(OPTION_POOL) | TAKES_TABLE, list_command,
     "Every unit: its addresses, who holds it, who is next."},
    {"plan", "", 0, 0, TAKES(OPTION_POOL) | TAKES(OPTION_WITH) | TAKES(OPTION_WITHOUT) | TAKES_TABLE, plan_command,
     "What the planner would do now, or with members more or less."},
    {"explain", "VIP|VRID|NAME", 1, 1, TAKES(OPTION_POOL) | TAKES_TABLE, explain_command,
     "Why a unit or an instance is where it is, and what would move it."},
    {"take", "VIP|VRID", 1, 1, TAKES(OPTION_POOL) | TAKES_WAIT, take_command,
     "Pins a unit to this host: it moves here and stays."},
    {"release", "VIP|VRID", 1, 1, TAKES(OPTION_POOL) | TAKES_WAIT, release_command,
     "Gives a unit away, and unpins it."},
    {"drain", "", 0, 0, TAKES(OPTION_POOL) | TAKES(OPTION_NOW) | TAKES_WAIT, drain_command,
     "Gives everything away; this host then holds only what nobody else can, also after a restart."},
    {"undrain", "", 0, 0, TAKES(OPTION_POOL), undrain_command, "Ends a drain."},
    {"rebalance", "", 0, 0, TAKES(OPTION_POOL), rebalance_command,
     "Makes the moves that are due without waiting for intervals and penalties."},
    {"reload", "", 0, 0, TAKES_WAIT, reload_command,
     "Has the daemon read its file again; says what changed, or what is wrong with the file."},
    {"history", "[VIP|VRID|NAME]", 0, 1,
     TAKES(OPTION_POOL) | TAKES(OPTION_LIMIT) | TAKES(OPTION_TIMELINE) | TAKES(OPTION_SVG) | TAKES(OPTION_ALL) |
         TAKES_TABLE,
     history_command, "The last changes of ownership, and how long nobody answered."},
    {"events", "[VIP|VRID|NAME]", 0, 1, TAKES(OPTION_POOL) | TAKES(OPTION_LIMIT) | TAKES(OPTION_FOLLOW), events_command,
     "Everything that was noted lately, as sentences."},
    {"counters", "", 0, 0, TAKES(OPTION_POOL) | TAKES(OPTION_ALL) | TAKES_TABLE, counters_command,
     "Packets sent, received and refused, by reason; moves, contests, errors."},
    {"snmp", "[OID]", 0, 1, TAKES(OPTION_NAMES), snmp_command,
     "The objects of VRRPV3-MIB, VRRP-MIB and EVENKEEL-MIB, as snmpwalk prints them."},
    {"dump", "data|stats|json", 1, 1, 0, dump_command, "The daemon's state as keepalived's files show theirs."},
    {"dns", "[NAME]", 0, 1, TAKES(OPTION_POOL), dns_command,
     "The addresses as records of a zone file, under this name or each pool's."},
    {"check", "[FILE]", 0, 1,
     TAKES(OPTION_CONFIG_ID) | TAKES(OPTION_PRINT) | TAKES(OPTION_RUNNING) | TAKES(OPTION_STRICT), check_command,
     "Checks a configuration file; needs no daemon."},
    {"convert", "FROM FILE...", 2, 33, 0, convert_command,
     "Makes a configuration of other programs' files, one of each host."},
    {"witness", "OPTION...", 0, 0, 0, NULL, "Watches addresses from outside, from any host of the LAN."},
};

static const struct command *find_command(const char *name)
{
    struct suggest search = suggest_start(name);

    for (size_t i = 0; i < ARRAY_LENGTH(commands); i++) {
        if (strcmp(commands[i].name, name) == 0)
            return &commands[i];
        suggest_offer(&search, commands[i].name);
    }
    if (search.best != NULL)
        ctl_complain("there is no command '%s'; did you mean '%s'?", name, search.best);
    else
        ctl_complain("there is no command '%s'; 'keelctl --help' lists them", name);
    return NULL;
}

/* One row of help: what it is about in `form`, then what it means. On a terminal it is broken at words. */
static void print_row(const struct term *term, const char *form, const char *help)
{
    unsigned indent = (unsigned)printf("  %-*s ", FORM_WIDTH, form);

    term_wrap(stdout, help, term_room(term, indent), indent);
    putchar('\n');
}

static void print_option_help(const struct term *term, unsigned options)
{
    for (size_t i = 0; i < ARRAY_LENGTH(option_help); i++) {
        if ((options & TAKES(option_help[i].code)) != 0)
            print_row(term, option_help[i].form, option_help[i].help);
    }
}

static int print_help(const struct term *term)
{
    char form[FORM_WIDTH + 1];

    printf("Usage: keelctl [--run-dir DIR] [--json] [--color WHEN] COMMAND [OPTION|WORD]...\n"
           "Shows and steers the evenkeeld that runs on this host.\n\n");
    for (size_t i = 0; i < ARRAY_LENGTH(commands); i++) {
        snprintf(form, sizeof(form), "%-9s %s", commands[i].name, commands[i].arguments);
        print_row(term, form, commands[i].help);
    }
    printf("\n");
    print_option_help(term, TAKES_ALWAYS);
    print_row(term, "--help", "this, or with a COMMAND its options");
    print_row(term, "--version", "print the version");
    return EX_OK;
}

static int print_command_help(const struct term *term, const struct command *command)
{
    printf("Usage: keelctl %s [OPTION]...%s%s\n", command->name, *command->arguments == '\0' ? "" : " ",
           command->arguments);
    term_wrap(stdout, command->help, term_room(term, 0), 0);
    printf("\n\n");
    print_option_help(term, command->options | TAKES_ALWAYS);
    return EX_OK;
}

static bool read_number(const char *option, const char *text, int high, int *out)
{
    char *end;
    long value = strtol(text, &end, 10);

    if (*text == '\0' || *end != '\0' || value < 1 || value > high) {
        ctl_complain("--%s %s: a number from 1 to %d is wanted", option, text, high);
        return false;
    }
    *out = (int)value;
    return true;
}

/* Seconds, with a fraction, as milliseconds. */
static bool read_seconds(const char *option, const char *text, int *out_ms)
{
    char *end;
    double value = strtod(text, &end);

    if (*text == '\0' || *end != '\0' || !(value >= 0.1 && value <= 3600)) {
        ctl_complain("--%s %s: seconds are wanted, from 0.1 to 3600", option, text);
        return false;
    }
    *out_ms = (int)(value * 1000);
    return true;
}

static bool add_member(const char *option, const char *text, const char **list, unsigned *count)
{
    if (*count == CTL_MEMBERS_MAX) {
        ctl_complain("more than %d --%s", CTL_MEMBERS_MAX, option);
        return false;
    }
    list[(*count)++] = text;
    return true;
}

/* One option into *ctl. False after saying what is wrong. */
static bool take_option(struct ctl *ctl, enum option_code code, const char *value)
{
    switch (code) {
    case OPTION_RUN_DIR:
        ctl->run_dir = value;
        return true;
    case OPTION_JSON:
        ctl->json = true;
        return true;
    case OPTION_COLOR:
        if (term_choose_colour(&ctl->term, value))
            return true;
        ctl_complain("--color %s: 'auto', 'always' or 'never' is wanted", value);
        return false;
    case OPTION_COLUMNS:
        ctl->columns = value;
        return true;
    case OPTION_NO_HEADINGS:
        ctl->no_headings = true;
        return true;
    case OPTION_POOL:
        ctl->pool = value;
        return true;
    case OPTION_WITH:
        return add_member("with", value, ctl->with, &ctl->with_count);
    case OPTION_WITHOUT:
        return add_member("without", value, ctl->without, &ctl->without_count);
    case OPTION_NOW:
        ctl->now = true;
        return true;
    case OPTION_NO_WAIT:
        ctl->no_wait = true;
        return true;
    case OPTION_TIMEOUT:
        return read_number("timeout", value, 86400, &ctl->timeout_s);
    case OPTION_FOLLOW:
        ctl->follow = true;
        return true;
    case OPTION_LIMIT:
        return read_number("limit", value, 250, &ctl->limit);
    case OPTION_INTERVAL:
        return read_seconds("interval", value, &ctl->interval_ms);
    case OPTION_TIMELINE:
        ctl->timeline = true;
        return true;
    case OPTION_SVG:
        ctl->svg = value;
        return true;
    case OPTION_ALL:
        ctl->all = true;
        return true;
    case OPTION_PRINT:
        ctl->print = true;
        return true;
    case OPTION_RUNNING:
        ctl->running = true;
        return true;
    case OPTION_NAMES:
        ctl->names = true;
        return true;
    case OPTION_STRICT:
        ctl->strict = true;
        return true;
    case OPTION_CONFIG_ID:
        ctl->config_id = value;
        return true;
    case OPTION_HELP:
    case OPTION_VERSION:
        break;
    }
    return true;
}

/* Words go into JSON strings, which are UTF-8. */
static bool words_are_text(int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        json_t *text = json_string(argv[i]);

        if (text == NULL) {
            ctl_complain("word %d of the command line is not UTF-8", i);
            return false;
        }
        json_decref(text);
    }
    return true;
}

/* Options and words after the command's name. */
static int run_command(struct ctl *ctl, const struct command *command, int argc, char **argv)
{
    int code;

    optind = 0; /* glibc: start over */
    while ((code = getopt_long(argc, argv, "", long_options, NULL)) != -1) {
        if (code == '?')
            return EX_USAGE;
        if (code == OPTION_HELP)
            return print_command_help(&ctl->term, command);
        if ((TAKES((unsigned)code) & (command->options | TAKES_ALWAYS)) == 0) {
            ctl_complain("'%s' does not take that option; 'keelctl %s --help' lists its options", command->name,
                         command->name);
            return EX_USAGE;
        }
        if (!take_option(ctl, (enum option_code)code, optarg))
            return EX_USAGE;
    }
    int words = argc - optind;

    if (words < command->least || words > command->most) {
        ctl_complain("usage: keelctl %s%s%s", command->name, *command->arguments == '\0' ? "" : " ",
                     command->arguments);
        return EX_USAGE;
    }
    return command->run(ctl, words, argv + optind);
}

int main(int argc, char **argv)
{
    struct ctl ctl = {.run_dir = EVENKEEL_RUN_DIR};
    char program[] = "keelctl", witness_program[] = "keelctl witness"; /* what getopt complains as */
    int code;

    argv[0] = program;
    setlocale(LC_CTYPE, "");
    ctl.term = term_look();
    if (!words_are_text(argc, argv))
        return EX_USAGE;
    while ((code = getopt_long(argc, argv, "+", long_options, NULL)) != -1) {
        if (code == OPTION_HELP)
            return print_help(&ctl.term);
        if (code == OPTION_VERSION) {
            puts("keelctl " PACKAGE_VERSION);
            return EX_OK;
        }
        if (code == '?' || !take_option(&ctl, (enum option_code)code, optarg))
            return EX_USAGE;
    }
    if (optind == argc) {
        ctl_complain("which command? 'keelctl --help' lists them");
        return EX_USAGE;
    }
    const struct command *command = find_command(argv[optind]);

    if (command == NULL)
        return EX_USAGE;
    argc -= optind;
    argv += optind;
    argv[0] = command->run == NULL ? witness_program : program;
    code = command->run == NULL ? witness_main(argc, argv) : run_command(&ctl, command, argc, argv);
    if ((ferror(stdout) || fflush(stdout) != 0) && code == EX_OK)
        code = EX_IOERR;
    return code;
}
