/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The agent's connection to the daemon's control socket (doc/control.md). It is kept open between questions and made
 * anew when it fails; every wait is bounded, since snmpd waits for the agent meanwhile. It owns its socket and its
 * buffer.
 */
#ifndef EVENKEEL_SNMP_CONTROL_H
#define EVENKEEL_SNMP_CONTROL_H

#include <stddef.h>

#define CONTROL_ERROR_MAX 160

struct json_t;

struct control_client {
    const char *run_dir;
    int fd; /* -1: not connected */
    char *data;
    size_t length, capacity;
    char error[CONTROL_ERROR_MAX]; /* why the last question had no answer */
};

void control_client_init(struct control_client *client, const char *run_dir);
void control_client_close(struct control_client *client);

/* Asks one line of JSON (without newline). The answer, to be released, may be an error object; NULL: see `error`. */
struct json_t *control_client_ask(struct control_client *client, const char *request);
/* The `snmp` answer; pool by pool where the daemon says that all of it is too much for one. NULL: see `error`. */
struct json_t *control_client_snapshot(struct control_client *client);

#endif
