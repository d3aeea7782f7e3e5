/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the tests of vrrp_pool share: files with one thing in them, and findings as text. */
#ifndef EVENKEEL_TESTS_CONFIG_RIG_H
#define EVENKEEL_TESTS_CONFIG_RIG_H

#include <stdio.h>
#include <string.h>

#include "config/config.h"

#define FINDINGS_MAX 8192

static inline void collect(void *context, enum config_severity severity, const char *file, unsigned line,
                           unsigned column, const char *text)
{
    char *out = context;
    size_t used = strlen(out);

    snprintf(out + used, FINDINGS_MAX - used, "%s:%u:%u: %s%s\n", file, line, column,
             severity == CONFIG_WARNING ? "warning: " : "", text);
}

/* `lines` inside a pool that is complete otherwise: they begin in line 3. */
#define POOL(lines) "vrrp_pool web {\n interface eth0\n" lines "\n virtual_ipaddress {\n 192.0.2.50/24\n }\n}\n"
/* `lines` of addresses begin in line 4. */
#define VIPS(lines) "vrrp_pool web {\n interface eth0\n virtual_ipaddress {\n" lines "\n }\n}\n"

#endif
