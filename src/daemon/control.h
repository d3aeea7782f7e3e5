/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The control socket: a Unix stream socket where any local user may read and root, the daemon's own user and group
 * `evenkeel` may command (doc/control.md). One JSON object per line in, one per line out. It owns the socket file, its
 * clients and their limits; what is said is made by request_json.h. It never blocks the loop: everything is
 * non-blocking, a client gets its next answer only after it has read the last one.
 */
#ifndef EVENKEEL_DAEMON_CONTROL_H
#define EVENKEEL_DAEMON_CONTROL_H

#include "daemon/dialect.h"

struct event_base;
struct control;

#define CONTROL_SOCKET_NAME "control.sock"
#define CONTROL_GROUP "evenkeel"
#define CONTROL_REQUEST_MAX (64 * 1024) /* bytes of one request line */
#define CONTROL_CLIENTS_MAX 32
#define CONTROL_IDLE_S 10 /* nothing asked or nothing read for so long: dropped */

/* How the control socket reaches the rest of the daemon. All are called from the loop, during a request. */
struct control_callbacks {
    void *context;
    /* The present view, with `now` and `wall_us` just read. Never NULL; valid until the loop goes on. */
    const struct daemon_view *(*view)(void *context);
    /*
     * Steps the core with one of EVENT_DRAIN..EVENT_REBALANCE (now filled in), applies the effects, and remembers what
     * has to survive a restart. 0 and *result, or a negative errno when it could not be remembered (the step was made).
     */
    int (*command)(void *context, const struct event *event, enum core_result *result);
    /* Has the configuration file read again; what comes of it is in the view's `reload`. 0 or a negative errno. */
    int (*reload)(void *context);
    /* A picture of the daemon, to be freed; NULL: no memory. */
    char *(*dump)(void *context, enum daemon_dump dump);
    /* Microseconds until the protocol has something to do; 0 or less: now. NULL: it never has. */
    int64_t (*spare_us)(void *context);
};

/* Counted for `keelctl counters`; the main loop may put them into daemon_view.counters. */
struct control_counters {
    uint64_t requests, refused, denied, dropped_clients, rejected_clients;
};

/*
 * Makes RUN_DIR/control.sock (mode 0666) and serves it from `base`. A socket file nobody listens on is replaced.
 * 0, -EADDRINUSE when another daemon answers there, or another negative errno. `callbacks` is copied. The process must
 * ignore SIGPIPE: clients go away when they like.
 */
int control_open(struct event_base *base, const char *run_dir, const struct control_callbacks *callbacks,
                 struct control **out);
void control_get_counters(const struct control *control, struct control_counters *out);
/* Drops all clients, removes the socket file if it is still ours. NULL is allowed. */
void control_close(struct control *control);

#endif
