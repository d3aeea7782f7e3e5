/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See options.h. */
#include "client/options.h"

#include <assert.h>
#include <getopt.h>
#include <stdio.h>
#include <sysexits.h>

#include "config.h"

#define COMMON 4
#define FORM_WIDTH 22

enum {
    ASKED_RUN_DIR,
    ASKED_USER,
    ASKED_HELP,
    ASKED_VERSION
}; /* what getopt says of the common ones; the program's own count from COMMON */
static_assert(ASKED_VERSION + 1 == COMMON, "the program's own come behind");

static void print_row(const char *name, const char *argument, const char *help)
{
    int width = printf("  --%s%s%s", name, argument != NULL ? " " : "", argument != NULL ? argument : "");

    printf("%*s %s\n", width < FORM_WIDTH + 2 ? FORM_WIDTH + 2 - width : 0, "", help);
}

static void print_help(const struct options_program *program)
{
    printf("Usage: %s [OPTION]...\n%s\n\n", program->name, program->about);
    for (unsigned i = 0; i < program->own_count; i++)
        print_row(program->own[i].name, program->own[i].argument, program->own[i].help);
    print_row("run-dir", "DIR", "where evenkeeld's control socket is (" EVENKEEL_RUN_DIR ")");
    print_row("user", "NAME", "when started as root: whom to become (" EVENKEEL_USER ", else nobody)");
    print_row("help", NULL, "this");
    print_row("version", NULL, "print the version");
}

static void take(const struct options_row *row, const char *argument)
{
    if (row->value != NULL)
        *row->value = argument;
    if (row->given != NULL)
        *row->given = true;
}

bool options_read(const struct options_program *program, int argc, char **argv, struct options_common *common,
                  int *code)
{
    struct option rows[COMMON + OPTIONS_OWN_MAX + 1] = {
        {"run-dir", required_argument, NULL, ASKED_RUN_DIR},
        {"user", required_argument, NULL, ASKED_USER},
        {"help", no_argument, NULL, ASKED_HELP},
        {"version", no_argument, NULL, ASKED_VERSION},
    };
    int option;

    assert(program->own_count <= OPTIONS_OWN_MAX);
    for (unsigned i = 0; i < program->own_count; i++)
        rows[COMMON + i] =
            (struct option){.name = program->own[i].name,
                            .has_arg = program->own[i].argument != NULL ? required_argument : no_argument,
                            .val = COMMON + (int)i};
    *common = (struct options_common){.run_dir = EVENKEEL_RUN_DIR, .user = EVENKEEL_USER};
    *code = EX_OK;
    while ((option = getopt_long(argc, argv, "", rows, NULL)) != -1) {
        switch (option) {
        case ASKED_RUN_DIR:
            common->run_dir = optarg;
            break;
        case ASKED_USER:
            common->user = optarg;
            break;
        case ASKED_HELP:
            print_help(program);
            return false;
        case ASKED_VERSION:
            printf("%s " PACKAGE_VERSION "\n", program->name);
            return false;
        case '?':
            *code = EX_USAGE;
            return false;
        default:
            take(&program->own[option - COMMON], optarg);
            break;
        }
    }
    if (optind == argc)
        return true;
    fprintf(stderr, "%s: '%s': no words are expected; see --help\n", program->name, argv[optind]);
    *code = EX_USAGE;
    return false;
}
