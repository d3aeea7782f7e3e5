/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The FIFOs of the configuration and the commands that read them. One whose definition a reload leaves as it was goes
 * on with its reader, so that no line is lost between the two. Part of guard_script.c.
 */
#ifndef EVENKEEL_DAEMON_GUARD_FIFO_H
#define EVENKEEL_DAEMON_GUARD_FIFO_H

#include "base/check.h"
#include "base/mono.h"
#include "config/config.h"
#include "daemon/fifo.h"
#include "daemon/runner.h"

#define GUARD_FIFOS ARRAY_LENGTH(((struct config_instances *)0)->fifos)

struct pollfd;

struct guard_fifo {
    const struct check_fifo *settings; /* of the configuration in force; NULL: there is none here */
    struct fifo *fifo;                 /* NULL: it could not be made */
    uint64_t reader;                   /* the runner's key, of every one that reads it; 0: it has none */
    struct mono reader_at;             /* when to start it; MONO_NEVER: it has none, or that runs */
};

struct guard_fifos {
    struct runner *runner;
    uint64_t readers; /* counts them */
    bool security;
    struct guard_fifo list[GUARD_FIFOS];
    /* Readers of pipes that are gone: they come to the end of the file, and are ended if they do not go. */
    struct {
        uint64_t reader;
        struct mono until;
    } leaving[GUARD_FIFOS];
};

/* The owners of all of the configuration's FIFOs; it may wait for a directory service. */
struct guard_fifo_owners {
    struct fifo_owner list[GUARD_FIFOS];
};
struct guard_fifo_owners guard_fifo_find_owners(const struct config *config);

void guard_fifos_init(struct guard_fifos *fifos, struct runner *runner);
/* From here on those of `config` (NULL: none), which must live until the next call; what fails is logged. */
void guard_fifos_change(struct guard_fifos *fifos, const struct config *config, const struct guard_fifo_owners *owners,
                        struct mono now);
/* In a child: closes the descriptors and nothing else. */
void guard_fifos_let_go(const struct guard_fifos *fifos);

/* A line for each of them. */
void guard_fifos_write(const struct guard_fifos *fifos, const char *line);
/* A RUNNER_READER with this key has ended. */
void guard_fifos_reader_ended(struct guard_fifos *fifos, uint64_t key, struct mono now);

/* Appends the descriptors to wait for; how many, at most GUARD_FIFOS. */
unsigned guard_fifos_poll(const struct guard_fifos *fifos, struct pollfd *fds);
/* After every wake-up. When it wants the next one at the latest. */
struct mono guard_fifos_turn(struct guard_fifos *fifos, struct mono now);

#endif
