/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The command line (see options.h): one table for getopt_long and for the help. */
#include "daemon/options.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>

enum {
    OPTION_RUN_DIR = 256,
    OPTION_LOG_LEVEL,
    OPTION_LOG_FORMAT,
    OPTION_HELP,
    OPTION_VERSION,
};

static const struct option long_options[] = {
    {"file", required_argument, NULL, 'f'},
    {"foreground", no_argument, NULL, 'n'},
    {"check", no_argument, NULL, 't'},
    {"config-id", required_argument, NULL, 'i'},
    {"run-dir", required_argument, NULL, OPTION_RUN_DIR},
    {"log-level", required_argument, NULL, OPTION_LOG_LEVEL},
    {"log-format", required_argument, NULL, OPTION_LOG_FORMAT},
    {"help", no_argument, NULL, OPTION_HELP},
    {"version", no_argument, NULL, OPTION_VERSION},
    {0},
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
           "      --run-dir DIR      where the control socket and the lock are\n"
           "      --log-level LEVEL  error, warning, notice, info or debug\n"
           "      --log-format FORM  text or json\n"
           "      --help             print this and exit\n"
           "      --version          print the version and exit\n"
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
    case OPTION_HELP:
        out->action = OPTIONS_HELP;
        break;
    case OPTION_VERSION:
        out->action = OPTIONS_VERSION;
        break;
    }
    return true;
}

/* getopt names an unknown short option in `optopt`; of a long one it only says that it stepped over it. */
static bool fail_option(int code, const char *word, char error[static OPTIONS_ERROR_MAX])
{
    char letter[3] = {'-', (char)optopt, '\0'};
    bool is_long = strncmp(word, "--", 2) == 0;

    return fail(error, code == ':' ? "a value is missing after" : "unknown option", is_long ? word : letter);
}

bool options_parse(int argc, char *const argv[], const char *default_config, const char *default_run_dir,
                   struct options *out, char error[static OPTIONS_ERROR_MAX])
{
    int code;

    *out = (struct options){
        .action = OPTIONS_RUN,
        .config_path = default_config,
        .run_dir = default_run_dir,
        .log_level = LOG_LEVEL_INFO,
        .log_format = LOG_FORMAT_TEXT,
    };
    optind = 0; /* glibc: start over */
    opterr = 0;
    while ((code = getopt_long(argc, argv, "+:f:nti:", long_options, NULL)) != -1) {
        if (code == '?' || code == ':')
            return fail_option(code, argv[optind - 1], error);
        if (!take_option(code, optarg, out, error))
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
