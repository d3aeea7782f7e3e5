/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * keepalived's language for the daemon: how a file that may hold it is read. The daemon's own sources know this table
 * only (daemon/dialect.h).
 */
#include "daemon/dialect.h"

#include "compat.h"

static struct config *dialect_read(struct config_request request, config_report *report, void *context)
{
    request.flags |= COMPAT_CHECK_HOST;
    return compat_read(request, report, context);
}

const struct daemon_dialect daemon_dialect = {.read = dialect_read};
