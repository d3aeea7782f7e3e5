/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The core's own struct, for core.c, handover.c and view.c only. */
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

/* handover.c: EVENT_RETIRE. */
void core_retire(struct core *core, const struct event *event, struct effects *fx);

#endif
