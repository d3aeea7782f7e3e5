/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A daemon without kernel and network that runs a file with instances: a real configuration, a real core, virtual time.
 * The callbacks that control.h asks for are in `callbacks`.
 */
#ifndef EVENKEEL_TESTS_FILE_RIG_H
#define EVENKEEL_TESTS_FILE_RIG_H

#include <jansson.h>

#include "daemon/control.h"
#include "daemon/history.h"
#include "daemon/note.h"
#include "daemon/request_json.h"

struct file_rig {
    struct config *config;
    struct daemon_view view;
    struct control_callbacks callbacks;
    struct kernel_link links[SETTINGS_LINKS_MAX];
    struct daemon_pool_view pools[SETTINGS_POOLS_MAX];
    struct daemon_conflict conflicts[SETTINGS_POOLS_MAX][PLAN_UNITS_MAX];
    struct effects effects;
    struct history *history;
    void *storage;
    struct mono now;
};

/* Loads the text; every link is up, with 10.0.0.1 and fe80::1, but those that are called "down...". */
void file_rig_open(struct file_rig *rig, const char *text);
void file_rig_close(struct file_rig *rig);
/* Lets virtual time pass; levels are reached at once. */
void file_rig_run(struct file_rig *rig, int64_t us);
/* An advertisement from `source` for unit `unit` of the first set, right but for its priority and password. */
void file_rig_hear(struct file_rig *rig, unsigned unit, const char *source, uint8_t priority, bool password);

/* One request; the answer, to be given back. */
json_t *file_rig_ask(struct file_rig *rig, const char *request);

/* A file: A and B in the group G, C with a password and weaker, D on a link that is down. */
extern const char file_rig_sample[];

#endif
