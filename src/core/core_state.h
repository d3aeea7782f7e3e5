/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The core's own struct, for core.c and view.c only. */
#ifndef EVENKEEL_CORE_CORE_STATE_H
#define EVENKEEL_CORE_CORE_STATE_H

#include <stddef.h>

#include "core/instance.h"
#include "core/pool.h"

struct core {
    const struct core_settings *settings;
    struct pool *pools;
    struct instances instances;
    struct link_counters *links;
    bool leaving, left;
};

#endif
