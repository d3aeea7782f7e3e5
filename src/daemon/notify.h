/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Who is told of what, in which words: from states to commands and lines. It remembers for every instance, group and
 * unit of a pool what its commands were told last, over restarts of the worker and reloads, so that each change is told
 * once and none twice. Pure; part of the guard.
 *
 * Instances and groups are told every state but Initialize. A unit of a pool is told when this host becomes its owner
 * and when it stops being so. Told are the commands of the state, then `any`, then the FIFOs.
 */
#ifndef EVENKEEL_DAEMON_NOTIFY_H
#define EVENKEEL_DAEMON_NOTIFY_H

#include "config/config.h"
#include "daemon/orders.h"

#define NOTIFY_NAME_MAX (SETTINGS_NAME_MAX + ADDR_TEXT_MAX)
#define NOTIFY_LINE_MAX 256 /* below PIPE_BUF: lines of two writers do not mix */
#define NOTIFY_CALLS_MAX 2
#define NOTIFY_ARGUMENTS 4

/* What follows from one order. It is valid until the next call, and while the configuration is. */
struct notify_news {
    uint64_t key; /* of the subject, the same after a reload */
    char what[NOTIFY_NAME_MAX + 48];
    unsigned call_count;
    struct {
        const struct check_command *command;
        unsigned extra_count; /* NOTIFY_ARGUMENTS, or 0 */
    } calls[NOTIFY_CALLS_MAX];
    const char *extra[NOTIFY_ARGUMENTS]; /* KIND NAME STATE PRIORITY */
    char priority[4];
    char line[NOTIFY_LINE_MAX]; /* for the FIFOs, with its newline; "": none */
};

struct notify;

/* NULL: no memory. `config` stays the caller's and must live until another one is adopted, or notify_free. */
struct notify *notify_new(const struct config *config);
void notify_free(struct notify *notify);
/*
 * A reload is under way, with this configuration (NULL: no more): what stops now is removed, which is a fault to
 * whoever counts on it, or starts again at once. Then nothing is told, and its next state is news whatever it is. 0, or
 * -ENOMEM: then no reload is under way.
 */
int notify_expect(struct notify *notify, const struct config *next);
/*
 * Just before the other configuration: those that it does not have, and that nobody ended yet (their pool has another
 * name, say), one per call; *cursor starts as 0. False when there are no more.
 */
bool notify_removed_next(struct notify *notify, unsigned *cursor, struct notify_news *news);
/* The expected configuration is in force: what was told of subjects that it has, too, is kept. */
void notify_adopt(struct notify *notify);

/* An order of the worker's: ORDER_STATE, ORDER_WEAKER, ORDER_PRIORITY. False: there is no such subject. */
bool notify_take(struct notify *notify, const struct order *order, struct notify_news *news);
/*
 * The daemon ends: those that were not told so yet, one per call; *cursor starts as 0. A worker that died could not say
 * it. False when there are no more.
 */
bool notify_stop_next(struct notify *notify, unsigned *cursor, struct notify_news *news);
/* The FIFO line of the state that was told last, one subject per call; *cursor starts as 0. */
bool notify_line_next(const struct notify *notify, unsigned *cursor, struct notify_news *news);

#endif
