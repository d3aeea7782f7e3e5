/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Removing what a worker left in the kernel, without a thread: the same work as that of kernel.c, with nobody who
 * orders or listens. It owns the work for as long as that takes. Called by the guard.
 */
#include <errno.h>
#include <stdlib.h>

#include "platform/kernel.h"
#include "platform/kernel_work.h"

static bool no_report(void *context, const struct kernel_report *report)
{
    (void)context;
    (void)report;
    return true;
}

static void no_told(void *context)
{
    (void)context;
}

struct kernel_rest {
    struct work work;
    atomic_llong never_spoke[SETTINGS_POOLS_MAX];
};

static int open_rest(const struct config *config, unsigned number, struct kernel_rest **out)
{
    const struct work_listener nobody = {no_report, no_told, NULL};
    struct kernel_rest *rest = calloc(1, sizeof(*rest));
    int error = rest ? work_init(&rest->work, config, number, rest->never_spoke, NULL, nobody) : -ENOMEM;

    *out = NULL;
    if (error < 0) {
        free(rest);
        return error;
    }
    *out = rest;
    return 0;
}

int kernel_clean_begin(const struct config *config, unsigned number, struct kernel_rest **out)
{
    int error = open_rest(config, number, out);

    return error < 0 ? error : work_close(&(*out)->work);
}

int kernel_clean_remove(struct kernel_rest *rest)
{
    int error = work_leave(&rest->work);

    return error < 0 ? error : (int)rest->work.removed_count;
}

void kernel_clean_end(struct kernel_rest *rest)
{
    if (!rest)
        return;
    work_free(&rest->work);
    free(rest);
}

int kernel_clean_marked(const struct config *config, unsigned number)
{
    struct kernel_rest *rest;
    int removed = open_rest(config, number, &rest);

    if (removed < 0)
        return removed;
    rest->work.state.only_ours = true;
    removed = kernel_clean_remove(rest);
    kernel_clean_end(rest);
    return removed;
}

int kernel_find_own(const struct config *config, struct addr *address, const char **link)
{
    struct kernel_rest *rest;
    int error = open_rest(config, 1, &rest);

    if (error < 0)
        return error;
    work_read_news(&rest->work);
    const struct state_vip *own = state_find_own(&rest->work.state, config);

    if (own) {
        *address = own->address;
        *link = config->links[own->link];
    }
    kernel_clean_end(rest);
    return own != NULL;
}
