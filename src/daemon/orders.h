/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What worker and guard say to each other about commands, over a socketpair of its own. The worker names what the
 * configuration has, by index, and states: never a path, an argument or a user. So all that a worker gone wrong can do
 * here is have the configuration's own commands run. Neither side ever waits for the other: what does not fit is kept,
 * up to a limit.
 */
#ifndef EVENKEEL_DAEMON_ORDERS_H
#define EVENKEEL_DAEMON_ORDERS_H

#include <stdbool.h>
#include <stdint.h>

enum order_kind {
    ORDER_CHECK,    /* worker: run script `index`; the result comes with the same `run` */
    ORDER_STATE,    /* worker: the subject is in `state` now, with `priority` */
    ORDER_WEAKER,   /* worker: the instance is Active and heard a lower priority */
    ORDER_PRIORITY, /* worker: the instance has another `priority` */
    ORDER_RESULT,   /* guard: of run `run` of script `index`: `outcome` and `value` (platform/script.h) */
    ORDER_KIND_COUNT,
};

enum order_subject {
    ORDER_INSTANCE, /* `pool` is the set, `index` the unit */
    ORDER_UNIT,     /* of a pool */
    ORDER_GROUP,    /* `index` */
    ORDER_SUBJECT_COUNT,
};

struct order {
    uint32_t connection; /* the worker's number, so that nothing reaches another one's; set by orders_add */
    uint8_t kind;        /* enum order_kind */
    uint8_t subject;     /* enum order_subject */
    uint8_t state;       /* enum instance_state */
    uint8_t priority;    /* 0: a group */
    uint16_t pool;
    uint16_t index;
    uint32_t run;
    int32_t value;
    uint8_t outcome; /* enum script_outcome */
};

#define ORDERS_BATCH 64 /* in one message */

/* One end. */
struct orders {
    int fd; /* -1: closed */
    uint32_t connection;
    struct order *queue; /* not sent yet */
    unsigned first, count;
    uint64_t dropped; /* because the queue was full */
};

/* Makes a pair of descriptors, non-blocking and closed on exec. 0 or a negative errno. */
int orders_pair(int *guard_end, int *worker_end);
/* `fd` becomes the end's. 0 or -ENOMEM. */
int orders_open(struct orders *orders, int fd, uint32_t connection);
/* Closes it and forgets what was not sent; also of one that was never opened but zeroed with fd -1. */
void orders_close(struct orders *orders);

/* To be sent by the next orders_flush. */
void orders_add(struct orders *orders, const struct order *order);
/* Sends what the other side takes now. True when nothing is left. */
bool orders_flush(struct orders *orders);
/*
 * Up to ORDERS_BATCH orders; their number, 0: the other side is gone, -EAGAIN: none wait. What is no order, or of
 * another connection, is left out and counted in *refused.
 */
int orders_receive(struct orders *orders, struct order batch[static ORDERS_BATCH], uint64_t *refused);
/* The next ones are of the connection that follows: a worker has gone on with another configuration already. */
bool orders_is_ahead(const struct orders *orders);

#endif
