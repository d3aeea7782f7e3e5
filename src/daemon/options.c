/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The command line (see options.h): one table for getopt_long and for the help. */
#include "daemon/options.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "base/check.h"

enum {
    OPTION_RUN_DIR = 256,
    OPTION_LOG_LEVEL,
    OPTION_LOG_FORMAT,
    OPTION_OTHER, /* and its index */
};

#define LETTERS "+:f:nti:p:hv"
#define OPTIONS_MAX 64

static const struct option long_options[] = {
    {"file", required_argument, NULL, 'f'},
    {"foreground", no_argument, NULL, 'n'},
    {"check", no_argument, NULL, 't'},
    {"config-id", required_argument, NULL, 'i'},
    {"pid", required_argument, NULL, 'p'},
    {"run-dir", required_argument, NULL, OPTION_RUN_DIR},
    {"log-level", required_argument, NULL, OPTION_LOG_LEVEL},
    {"log-format", required_argument, NULL, OPTION_LOG_FORMAT},
    {"help", no_argument, NULL, 'h'},
    {"version", no_argument, NULL, 'v'},
};

const char *options_help(void)
{
    return "Usage: evenkeeld [OPTION]...\n"
           "Keeps a pool of virtual IP addresses spread evenly over the hosts of a LAN, over plain VRRP.\n"
           "\n"
           "  -f, --file FILE        read the configuration from FILE\n"
           "  -n, --foreground       stay in the foreground, log to standard error\n"
           "  -t, --check [FILE]     check the configuration and exit: 0 good, 78 bad\n"
           "  -i, --config-id ID     read the lines that are marked @ID; this host's name by default\n"
           "  -p, --pid FILE         write the process id to FILE\n"
           "      --run-dir DIR      where the control socket and the lock are\n"
           "      --log-level LEVEL  error, warning, notice, info or debug\n"
           "      --log-format FORM  text or json\n"
           "  -h, --help             print this and exit\n"
           "  -v, --version          print the version and exit\n"
           "\n"
           "SIGHUP reads the configuration again; SIGTERM leaves in order. See evenkeeld(8).\n";
}

static bool fail(char error[static OPTIONS_ERROR_MAX], const char *what, const char *word)
{
    snprintf(error, OPTIONS_ERROR_MAX, "%s '%.100s'", what, word);
    return false;
}

static bool take_option(int code, const char *value, struct options *out, char error[static OPTIONS_ERROR_MAX])
{
    switch (code) {
    case 'f':
        out->config_path = value;
        break;
    case 'n':
        out->foreground = true;
        break;
    case 't':
        out->action = OPTIONS_CHECK;
        break;
    case 'i':
        out->config_id = value;
        break;
    case OPTION_RUN_DIR:
        out->run_dir = value;
        break;
    case OPTION_LOG_LEVEL:
        if (!log_level_parse(value, &out->log_level))
            return fail(error, "--log-level is error, warning, notice, info or debug, not", value);
        break;
    case OPTION_LOG_FORMAT:
        if (!log_format_parse(value, &out->log_format))
            return fail(error, "--log-format is text or json, not", value);
        break;
    case 'p':
        out->pid_file = value;
        break;
    case 'h':
        out->action = OPTIONS_HELP;
        break;
    case 'v':
        out->action = OPTIONS_VERSION;
        break;
    }
    return true;
}

const char *options_other_text(const struct options_other *other, char text[static 64])
{
    if (other->letter != 0)
        snprintf(text, 64, "-%c", other->letter);
    else
        snprintf(text, 64, "--%.48s", other->name);
    return text;
}

static bool take_other(const struct options_other *other, const char *value, struct options *out,
                       char error[static OPTIONS_ERROR_MAX])
{
    char text[64];

    if (other->as != 0)
        return take_option(other->as, value, out, error);
    if (other->refused) {
        snprintf(error, OPTIONS_ERROR_MAX, "%s: %s", options_other_text(other, text), other->why);
        return false;
    }
    if (other->why != NULL && out->told_count < OPTIONS_TOLD_MAX)
        out->told[out->told_count++] = other;
    return true;
}

/* getopt's tables. */
struct grammar {
    char letters[sizeof(LETTERS) + 3 * OPTIONS_MAX];
    struct option options[ARRAY_LENGTH(long_options) + OPTIONS_MAX + 1]; /* ends with zeros */
};

static bool is_ours(const char *name)
{
    for (size_t i = 0; i < ARRAY_LENGTH(long_options); i++)
        if (strcmp(long_options[i].name, name) == 0)
            return true;
    return false;
}

static void make_grammar(const struct options_other *others, struct grammar *grammar)
{
    static const char *const colons[] = {[no_argument] = "", [required_argument] = ":", [optional_argument] = "::"};
    char *letters = stpcpy(grammar->letters, LETTERS);
    struct option *next = mempcpy(grammar->options, long_options, sizeof(long_options));

    for (int i = 0; others != NULL && others[i].name != NULL; i++) {
        CHECK(i < OPTIONS_MAX);
        if (!is_ours(others[i].name))
            *next++ = (struct option){others[i].name, others[i].argument, NULL, OPTION_OTHER + i};
        if (others[i].letter != 0 && strchr(LETTERS, others[i].letter) == NULL)
            letters += sprintf(letters, "%c%s", others[i].letter, colons[others[i].argument]);
    }
}

/* The row of a letter. */
static const struct options_other *find_letter(const struct options_other *others, int letter)
{
    while (others->letter != letter)
        others++;
    return others;
}

/* getopt names an unknown short option in `optopt`; of a long one it only says that it stepped over it. */
static bool fail_option(int code, const char *word, char error[static OPTIONS_ERROR_MAX])
{
    char letter[3] = {'-', (char)optopt, '\0'};
    bool is_long = strncmp(word, "--", 2) == 0;

    return fail(error, code == ':' ? "a value is missing after" : "unknown option", is_long ? word : letter);
}

bool options_parse(int argc, char *const argv[], const char *default_config, const char *default_run_dir,
                   const struct options_other *others, struct options *out, char error[static OPTIONS_ERROR_MAX])
{
    struct grammar grammar = {0};
    bool good;
    int code;

    *out = (struct options){
        .action = OPTIONS_RUN,
        .config_path = default_config,
        .run_dir = default_run_dir,
        .log_level = LOG_LEVEL_INFO,
        .log_format = LOG_FORMAT_TEXT,
    };
    make_grammar(others, &grammar);
    optind = 0; /* glibc: start over */
    opterr = 0;
    while ((code = getopt_long(argc, argv, grammar.letters, grammar.options, NULL)) != -1) {
        if (code == '?' || code == ':')
            return fail_option(code, argv[optind - 1], error);
        if (code >= OPTION_OTHER)
            good = take_other(&others[code - OPTION_OTHER], optarg, out, error);
        else if (code < OPTION_RUN_DIR && strchr(LETTERS, code) == NULL)
            good = take_other(find_letter(others, code), optarg, out, error);
        else
            good = take_option(code, optarg, out, error);
        if (!good)
            return false;
    }
    if (out->action == OPTIONS_CHECK && optind < argc)
        out->config_path = argv[optind++];
    if (optind < argc)
        return fail(error, "unexpected argument", argv[optind]);
    if (out->config_path[0] == '\0' || out->run_dir[0] == '\0')
        return fail(error, "an empty path was given:", "");
    return true;
}
