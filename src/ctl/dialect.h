/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The languages that a configuration file may hold beside ours, and those that can be converted to it. The table is
 * defined where those languages are known, outside of src/, and linked to keelctl; nothing in here knows their words.
 */
#ifndef EVENKEEL_CTL_DIALECT_H
#define EVENKEEL_CTL_DIALECT_H

#include <stdio.h>

#include "config/config.h"

struct ctl_converter {
    const char *name; /* as typed: keelctl convert NAME FILE... */
    /* Reads the files of all hosts and writes one of ours. False after an error was reported. */
    bool (*convert)(unsigned count, char *const *files, FILE *out, config_report *report, void *context);
};

struct ctl_dialect {
    /*
     * As config_load; also holds the file against this host. `config_id`: of @id lines, NULL is the host's name;
     * `strict`: every warning is an error.
     */
    struct config *(*load)(const char *path, const char *config_id, bool strict, config_report *report, void *context);
    /* How many virtual routers it holds that are not units of a pool. */
    unsigned (*instance_count)(const struct config *config);
    const struct ctl_converter *converters; /* ends with a NULL name */
};

extern const struct ctl_dialect ctl_dialect;

#endif
