/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The command line of the witness: what to watch, from where, how often. Called by witness.c.
 */
#ifndef EVENKEEL_CTL_WITNESS_OPTIONS_H
#define EVENKEEL_CTL_WITNESS_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/addr.h"
#include "ctl/witness_watch.h"

#define WITNESS_PORTS_MAX 4
#define WITNESS_VIPS_MAX 1024
#define WITNESS_NAME 32

struct witness_host {
    char name[WITNESS_NAME];
    bool known[WITNESS_PORTS_MAX]; /* by interface: is its MAC known there? */
    uint8_t mac[WITNESS_PORTS_MAX][6];
};

struct witness_target {
    struct addr address;
    unsigned port;
};

struct witness_options {
    unsigned port_count;
    struct {
        char name[16];
        struct addr source_ipv4, source_ipv6; /* or none: the interface's first */
        bool hosts_given;                     /* else hosts are learnt from their ARP replies and advertisements */
    } ports[WITNESS_PORTS_MAX];
    unsigned vip_count;
    struct witness_target vips[WITNESS_VIPS_MAX];
    unsigned host_count;
    struct witness_host hosts[WITNESS_HOSTS_MAX];
    int64_t interval_us;
    unsigned listen_every, ask_every;
    int64_t retry_us;
    int64_t duration_us; /* 0: until a signal */
    bool json;           /* one object at the end */
    bool events;         /* a line of JSON per event */
    int priority;        /* of SCHED_FIFO; 0: none */
};

/*
 * Reads the command line. EX_OK; or an exit code of sysexits.h after one message on standard error. *done is set when
 * the command line asked only for help, which was printed.
 */
int witness_options_read(int argc, char **argv, struct witness_options *options, bool *done);

#endif
