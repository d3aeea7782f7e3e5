/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reading the configuration again while the daemon runs, and saying what came of it. It changes nothing. */
#ifndef EVENKEEL_DAEMON_RELOAD_H
#define EVENKEEL_DAEMON_RELOAD_H

#include "daemon/dialect.h"

/* True when both say the same, in whatever order of lines. */
bool reload_same(const struct config *a, const struct config *b);

/* What the request names, when it is good and differs from `current`, else NULL. Logs which, and every finding. */
struct config *reload_config(const struct daemon_dialect *dialect, const struct config_request *request,
                             const struct config *current);

#endif
