/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The control socket from keelctl's side: one request, one answer. It owns the connection and explains its failures. */
#ifndef EVENKEEL_CTL_CLIENT_H
#define EVENKEEL_CTL_CLIENT_H

#include "ctl/ctl.h"
#include "ctl/reply.h"

/* A request for `command`, with the pool that --pool names. The caller adds fields and hands it to client_ask. */
json_t *client_request(const struct ctl *ctl, const char *command);

/*
 * Sends `request` (taken over) and reads the answer. EX_OK and *answer, which the caller releases with json_decref;
 * otherwise the cause was said on standard error, *answer is NULL and the exit code comes back: 64 the daemon knows no
 * such unit, pool or member; 69 no daemon answers; 75 it refused; 76 its answer makes no sense; 77 no permission. With
 * --json an error of the daemon is printed as it came, too.
 */
int client_ask(const struct ctl *ctl, json_t *request, json_t **answer);

/* The same for status and list, which a daemon with very many units answers pool by pool: they are put together here.
 */
int client_ask_all_pools(const struct ctl *ctl, const char *command, json_t **answer);

#define CLIENT_PROBLEM_MAX 512

/* How long keelctl waits for an answer, from the attempt to connect on. */
#define CLIENT_PATIENCE_S 5

/*
 * For those who do not wait: a connected socket that does not block, to be closed, or a negative errno and `problem`, a
 * sentence; -EAGAIN: the daemon takes in nobody now.
 */
int client_connect(const struct ctl *ctl, char problem[static CLIENT_PROBLEM_MAX]);

/* Prints an answer for --json. Returns EX_OK or EX_IOERR. */
int client_print(const json_t *answer);

#endif
