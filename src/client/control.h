/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The connection of a process that only reads - evenkeel-snmp, evenkeel-exporter - to the daemon's control socket
 * (doc/control.md). It is kept open between questions and made anew when it fails; every question is bounded in time,
 * since snmpd or an HTTP client waits meanwhile. It owns its socket and its buffer.
 */
#ifndef EVENKEEL_CLIENT_CONTROL_H
#define EVENKEEL_CLIENT_CONTROL_H

#include "client/exchange.h"

#define CONTROL_ERROR_MAX 160

struct json_t;

struct control_client {
    const char *run_dir;
    int fd;                        /* -1: not connected */
    struct exchange_line line;     /* the last answer */
    int failure;                   /* errno of the last failure */
    char error[CONTROL_ERROR_MAX]; /* why the last question had no answer */
};

void control_client_init(struct control_client *client, const char *run_dir);
void control_client_close(struct control_client *client);

/*
 * Asks one line of JSON (without newline), for at most 0.6 s whatever the daemon does. The answer, to be released, may
 * be an error object; NULL: see `error`.
 */
struct json_t *control_client_ask(struct control_client *client, const char *request);
/*
 * The good answer to a command without fields, to be released; put together pool by pool where the daemon says that all
 * of it is too much for one. NULL, also when the daemon refuses: see `error`.
 */
struct json_t *control_client_ask_all(struct control_client *client, const char *command);

#endif
