/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The witness at work: its interfaces, hosts and the watch, and the ticks that send. Joins witness_port, witness_frame
 * and witness_watch; the loop and signals are witness.c's.
 */
#ifndef EVENKEEL_CTL_WITNESS_PROBE_H
#define EVENKEEL_CTL_WITNESS_PROBE_H

#include "ctl/witness_options.h"
#include "ctl/witness_port.h"

struct witness_probe {
    struct witness_options *options; /* its host table grows when hosts are learnt */
    struct witness_watch watch;
    struct witness_port ports[WITNESS_PORTS_MAX];
    unsigned port_open; /* how many are */
    struct mono started;
    uint32_t nonce;
    unsigned slices, slice; /* the addresses are spread over so many ticks; the next one */
    int64_t tick_us;
};

/* Opens everything and begins the first window, "start". EX_OK, or an exit code after one message on standard error. */
int witness_probe_open(struct witness_probe *probe, struct witness_options *options, witness_event_sink *sink,
                       void *context);
void witness_probe_close(struct witness_probe *probe);

/* Sends the questions of one slice of the addresses, then the next slice is due. */
void witness_probe_tick(struct witness_probe *probe);
/* Takes in everything that has arrived. */
void witness_probe_receive(struct witness_probe *probe);

/* Frames that the kernel dropped for want of room so far. */
uint64_t witness_probe_dropped(struct witness_probe *probe);

#endif
