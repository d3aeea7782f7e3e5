/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One request line in, one answer line out: parses the request, finds the command in a table, checks permission, and
 * has the answer built. Called by control.c; knows no socket. The commands and their fields: doc/control.md.
 */
#ifndef EVENKEEL_DAEMON_REQUEST_JSON_H
#define EVENKEEL_DAEMON_REQUEST_JSON_H

#include "daemon/control.h"

/* What became of a request, beside its answer. */
enum request_outcome {
    REQUEST_DONE,
    REQUEST_LASTING, /* shown, and the same answer may be given again for a moment */
    REQUEST_CHANGED, /* a change was begun: what was shown before is old */
    REQUEST_REFUSED, /* a well-formed request that cannot be served */
    REQUEST_DENIED,  /* a change without permission */
    REQUEST_GARBAGE, /* not a request at all: close the connection after the answer */
};

/*
 * Answers `line` (without its newline). *answer is a malloc'ed text that ends in a newline, *length bytes without the
 * NUL; NULL when memory ran out. `may_change`: the client has permission for commands that change something.
 */
enum request_outcome request_answer(const struct control_callbacks *callbacks, const char *line, size_t line_length,
                                    bool may_change, char **answer, size_t *length);

#endif
