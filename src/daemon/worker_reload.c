/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The worker's part of a reload (doc/design.md 2.11). The guard has read the file and hands over what it says. All
 * that can fail comes first, beside the running daemon; then what the new file has no place for is released in order,
 * while all else goes on; then the kernel's thread stops between two passes; and then, between two turns of the loop,
 * the new parts take the place of the old ones and nobody outside sees more of it than a few words about changed
 * intervals. Called by worker.c and worker_turn.c.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/check.h"
#include "core/handover.h"
#include "daemon/channel.h"
#include "daemon/log.h"
#include "daemon/rest.h"
#include "daemon/worker.h"
#include "platform/clock.h"

#define TEXT_MAX (16 * 1024 * 1024)

/* All that depends on the configuration, made for the next one. */
struct worker_next {
    struct config *config;
    struct handover map;
    struct guard_page *page;
    void *storage;
    struct core *core;
    struct effects effects;
    struct thirdparty *thirdparty;
    struct vip_index *vips;
    struct audit *audit;
    struct tracking_next *tracking; /* NULL once it is in use */
    struct worker_pool pools[SETTINGS_POOLS_MAX];
    struct kernel_next *kernel; /* NULL once the kernel's thread has it */
    char *report;               /* what is different */
    struct mono began, released;
    bool pausing;
};

/* --- the result, as the control socket shows it --- */

static void set_result(struct worker *worker, enum daemon_reload_state state, char *text)
{
    struct daemon_reload *result = &worker->view.reload;

    free(worker->reload_text);
    worker->reload_text = text;
    result->state = (uint8_t)state;
    result->text = text;
    result->number += state != DAEMON_RELOAD_RUNNING;
}

int worker_reload_ask(void *context)
{
    struct worker *worker = context;
    int error = channel_send(worker->channel, CHANNEL_RELOAD_ASKED);

    if (error == 0)
        set_result(worker, DAEMON_RELOAD_RUNNING, NULL); /* the guard answers */
    return error;
}

/* The guard waits for that word, and may itself have been stopped until the channel was full of other ones. */
static void say_over(struct worker *worker, enum channel_message message)
{
    worker->owed = channel_send(worker->channel, message) == -EAGAIN ? message : CHANNEL_MESSAGE_COUNT;
}

/* --- before the point of no return --- */

/* The whole file, to be freed; NULL: it cannot be read. */
static char *read_text(int file, size_t *length)
{
    struct stat status;
    char *text = NULL;

    *length = 0;
    if (fstat(file, &status) == 0 && status.st_size >= 0 && status.st_size <= TEXT_MAX)
        text = malloc((size_t)status.st_size + 1);
    while (text != NULL && *length < (size_t)status.st_size) {
        ssize_t got = pread(file, text + *length, (size_t)status.st_size - *length, (off_t)*length);

        if (got <= 0) {
            free(text);
            return NULL;
        }
        *length += (size_t)got;
    }
    if (text != NULL)
        text[*length] = '\0';
    return text;
}

static bool has_vip(const struct config *old, const struct config *new, const struct config_unit *unit,
                    const struct config_vip *vip)
{
    for (unsigned i = 0; i < unit->vip_count; i++)
        if (addr_equal(&unit->vips[i].address, &vip->address) &&
            strcmp(old->links[unit->vips[i].link], new->links[vip->link]) == 0)
            return true;
    return false;
}

/* Does another old unit have it? */
static bool is_elsewhere(const struct config *old, const struct config *new, const struct config_unit *except,
                         const struct config_vip *vip)
{
    for (unsigned p = 0; p < settings_all_count(&old->core); p++) {
        for (unsigned u = 0; u < old->core.pools[p].unit_count; u++) {
            const struct config_unit *unit = &old->pools[p].units[u];

            if (unit != except && has_vip(old, new, unit, vip))
                return true;
        }
    }
    return false;
}

/*
 * A unit is still itself while it keeps an address and gets none that was another unit's: hosts that have not read the
 * new file yet hold that one under its old VRID, and hear nothing on this one.
 */
static bool is_same_unit(const struct config *old, const struct config *new, const struct config_unit *before,
                         const struct config_unit *now)
{
    unsigned kept = 0;

    for (unsigned i = 0; i < now->vip_count; i++) {
        bool has = has_vip(old, new, before, &now->vips[i]);

        kept += has;
        if (!has && is_elsewhere(old, new, before, &now->vips[i]))
            return false;
    }
    return kept > 0 || now->router != NULL; /* an instance is its name, and may have no address */
}

static void match(const struct config *old, const struct config *new, struct handover *map)
{
    for (unsigned i = 0; i < new->core.link_count; i++) {
        map->old_link[i] = HANDOVER_NONE;
        for (unsigned k = 0; k < old->core.link_count; k++)
            if (strcmp(old->links[k], new->links[i]) == 0)
                map->old_link[i] = (uint16_t)k;
    }
    handover_match(&old->core, &new->core, map);
    for (unsigned p = 0; p < settings_all_count(&new->core); p++) {
        for (unsigned u = 0; u < new->core.pools[p].unit_count; u++) {
            unsigned pool = map->old_pool[p], unit = map->old_unit[p][u];

            if (unit != HANDOVER_NONE &&
                !is_same_unit(old, new, &old->pools[pool].units[unit], &new->pools[p].units[u]))
                handover_forget(map, p, u);
        }
    }
}

void worker_reload_free(struct worker_next *next)
{
    if (next == NULL)
        return;
    kernel_unprepare(next->kernel);
    for (unsigned p = 0; p < SETTINGS_POOLS_MAX; p++)
        worker_free_pool(&next->pools[p]);
    tracking_unprepare(next->tracking);
    audit_free(next->audit);
    vip_index_free(next->vips);
    thirdparty_free(next->thirdparty);
    free(next->effects.list);
    free(next->storage);
    guard_page_close(next->page);
    config_free(next->config);
    free(next->report);
    free(next);
}

static int make_parts(struct worker *worker, struct worker_next *next, int page_file)
{
    const struct core_settings *settings = &next->config->core;

    match(worker->config, next->config, &next->map);
    next->storage = malloc(core_storage_size(settings));
    next->effects.capacity = effects_capacity(settings);
    next->effects.list = calloc(next->effects.capacity, sizeof(next->effects.list[0]));
    next->thirdparty = thirdparty_new(settings->link_count);
    next->vips = vip_index_new(next->config);
    next->audit = audit_new(next->config, next->began);
    if (next->storage == NULL || next->effects.list == NULL || next->thirdparty == NULL || next->vips == NULL ||
        next->audit == NULL)
        return -ENOMEM;
    next->core = core_init(next->storage, settings, next->began);
    for (unsigned p = 0; p < settings_all_count(settings); p++)
        if (worker_make_pool(next->config, p, &next->pools[p]) < 0)
            return -ENOMEM;
    int error = guard_page_map(settings, page_file, &next->page);

    if (error == 0)
        error = tracking_prepare(worker->tracking, next->config, &next->tracking);
    return error == 0 ? kernel_prepare(next->config, &next->map, &next->kernel) : error;
}

static struct config *read_config(const struct worker *worker, const char *text, size_t length)
{
    const struct config_request request = {
        .path = "reload", .text = text, .length = length, .config_id = worker->config_id};

    return worker->dialect->read(request, config_ignore_finding, NULL);
}

/* This host's own address on that link; as at a start, it cannot be a pool's (kernel_find_own). */
static bool is_own_address(const struct worker *worker, const char *link, const struct addr *address)
{
    for (unsigned i = 0; i < worker->config->core.link_count; i++)
        if (strcmp(worker->config->links[i], link) == 0 && addr_equal(&worker->links[i].state.primary_ipv4, address))
            return true;
    return false;
}

static bool takes_own_address(const struct worker *worker, const struct config *config)
{
    char text[ADDR_TEXT_MAX];

    for (unsigned p = 0; p < config->core.pool_count; p++) {
        for (unsigned u = 0; u < config->core.pools[p].unit_count; u++) {
            const struct config_unit *unit = &config->pools[p].units[u];

            for (unsigned v = 0; v < unit->vip_count; v++) {
                const char *link = config->links[unit->vips[v].link];

                if (!is_own_address(worker, link, &unit->vips[v].address))
                    continue;
                log_error("reload: %s is this host's own address on %s: it cannot be a pool's",
                          addr_format(&unit->vips[v].address, text), link);
                return true;
            }
        }
    }
    return false;
}

static int prepare(struct worker *worker, const int *files, struct worker_next *next)
{
    size_t length, report_length;
    char *text = read_text(files[0], &length);

    next->report = read_text(files[2], &report_length);
    if (text != NULL)
        next->config = read_config(worker, text, length);
    free(text);
    if (next->report == NULL || next->config == NULL)
        return -EINVAL;
    if (takes_own_address(worker, next->config))
        return -EADDRINUSE;
    return make_parts(worker, next, files[1]);
}

/* Whatever has no successor, pool by pool: in one pool after the other, so that the last of a wire says goodbye. */
static unsigned retire(struct worker *worker, const struct worker_next *next, struct mono now)
{
    const struct core_settings *old = &worker->config->core, *new = &next->config->core;
    unsigned count = 0;

    for (unsigned p = 0; p < settings_all_count(old); p++) {
        struct event event = {.kind = EVENT_RETIRE, .pool = (uint8_t)p, .unit = EFFECT_NO_UNIT, .now = now};

        if (handover_pool_heir(&next->map, new, p) == HANDOVER_NONE) {
            apply_step(worker, &event);
            count += old->pools[p].unit_count;
            continue;
        }
        for (unsigned u = 0; u < old->pools[p].unit_count; u++) {
            event.unit = (uint16_t)u;
            if (handover_unit_heir(&next->map, new, p, u) != HANDOVER_NONE)
                continue;
            apply_step(worker, &event);
            count++;
        }
    }
    return count;
}

static void refuse(struct worker *worker, int error)
{
    log_error("reload: going on unchanged: %s", strerror(-error));
    set_result(worker, DAEMON_RELOAD_FAILED, strdup(strerror(-error)));
    say_over(worker, CHANNEL_RELOAD_KEPT);
}

static void begin(struct worker *worker, const int *files, unsigned count)
{
    struct worker_next *next = calloc(1, sizeof(*next));
    struct mono now = clock_now();
    int error = next == NULL ? -ENOMEM : count != CHANNEL_FILES_MAX ? -EINVAL : worker->leaving ? -EBUSY : 0;

    if (error == 0) {
        next->began = now;
        error = prepare(worker, files, next);
    }
    if (error < 0) {
        worker_reload_free(next);
        refuse(worker, error);
        return;
    }
    set_result(worker, DAEMON_RELOAD_RUNNING, NULL);
    worker->next = next;
    unsigned retired = retire(worker, next, now);

    log_info("reload: prepared in %.3f ms; %u units are released", (double)mono_diff_us(clock_now(), now) / US_PER_MS,
             retired);
}

void worker_reload_take(struct worker *worker, enum channel_message message, const int *files, unsigned count)
{
    size_t length;

    if (message == CHANNEL_RELOAD && worker->next == NULL)
        begin(worker, files, count);
    else if (message == CHANNEL_RELOAD_READING)
        set_result(worker, DAEMON_RELOAD_RUNNING, NULL);
    else if (message == CHANNEL_RELOAD_SAME)
        set_result(worker, DAEMON_RELOAD_UNCHANGED, NULL);
    else if (message == CHANNEL_RELOAD_BAD)
        set_result(worker, DAEMON_RELOAD_REFUSED, count > 0 ? read_text(files[0], &length) : NULL);
}

/* --- the change-over --- */

static bool wants_vmac(const struct config_pool *pool, unsigned unit)
{
    const struct config_router *router = pool->units[unit].router;

    return router != NULL ? router->use_vmac : pool->use_vmac;
}

static void take_over_pool(struct worker *worker, struct worker_next *next, unsigned p, struct mono now)
{
    const struct pool_settings *settings = &next->config->core.pools[p];
    struct worker_pool *to = &next->pools[p];
    struct worker_pool *from = &worker->pools[next->map.old_pool[p]];

    to->vmac = from->vmac;
    to->changes = from->changes;
    memcpy(to->filter_text, from->filter_text, sizeof(to->filter_text));
    for (unsigned u = 0; u < settings->unit_count; u++) {
        unsigned old = next->map.old_unit[p][u];

        if (old == HANDOVER_NONE)
            continue;
        to->units[u] = from->units[old];
        to->conflicts[u] = from->conflicts[old];
        if (wants_vmac(&next->config->pools[p], u))
            to->own_macs[u] = from->own_macs[old];
        announce_take_over(to->announce, u, from->announce, old, to->units[u].level == LEVEL_ANSWERING, now);
    }
}

#define SWAP(a, b)                                                                                                     \
    do {                                                                                                               \
        __typeof__(a) other_ = (a);                                                                                    \
        (a) = (b);                                                                                                     \
        (b) = other_;                                                                                                  \
    } while (0)

/* What the worker has from here on is the next one's; `next` keeps the old things, to be freed. */
static void exchange(struct worker *worker, struct worker_next *next)
{
    const struct config *old = worker->config;

    for (unsigned p = 0; p < SETTINGS_POOLS_MAX; p++)
        SWAP(worker->pools[p], next->pools[p]);
    for (unsigned p = 0; p < settings_all_count(&old->core); p++)
        worker_free_pool(&next->pools[p]);
    SWAP(worker->effects, next->effects);
    SWAP(worker->storage, next->storage);
    SWAP(worker->core, next->core);
    SWAP(worker->thirdparty, next->thirdparty);
    SWAP(worker->vips, next->vips);
    SWAP(worker->audit, next->audit);
    SWAP(worker->page, next->page);
    struct config *before = worker->reloaded; /* NULL: the one of the start, which is the guard's */

    worker->reloaded = next->config;
    worker->config = next->config;
    next->config = before;
    worker_set_patience(worker);
}

/* The views that are told by reports, which the kernel does not repeat for what has not changed. */
static void take_over_view(struct worker *worker, const struct worker_next *next)
{
    struct daemon_pool_view old[SETTINGS_POOLS_MAX];
    struct daemon_reload reload = worker->view.reload;

    memcpy(old, worker->pool_views, sizeof(old));
    worker_view_init(worker);
    worker->view.reload = reload;
    for (unsigned p = 0; p < settings_all_count(&worker->config->core); p++) {
        if (next->map.old_pool[p] == HANDOVER_NONE)
            continue;
        worker->pool_views[p].filter_mode = old[next->map.old_pool[p]].filter_mode;
        worker->pool_views[p].vmac = old[next->map.old_pool[p]].vmac;
        worker->pool_views[p].filter_text =
            worker->pools[p].filter_text[0] != '\0' ? worker->pools[p].filter_text : NULL;
    }
}

/* Goodbyes are kept for the guard in its new page before it is told to use that one. */
static void keep_goodbyes(struct worker *worker, const struct worker_next *next)
{
    for (unsigned p = 0; p < settings_all_count(&worker->config->core); p++) {
        unsigned old = next->map.old_pool[p];

        if (old == HANDOVER_NONE)
            continue;
        guard_page_take_over(worker->page, p, EFFECT_NO_UNIT, next->page, old, EFFECT_NO_UNIT);
        for (unsigned u = 0; u < worker->config->core.pools[p].unit_count; u++)
            if (next->map.old_unit[p][u] != HANDOVER_NONE)
                guard_page_take_over(worker->page, p, u, next->page, old, next->map.old_unit[p][u]);
    }
}

static uint32_t pools_that_go_on(const struct worker_next *next)
{
    uint32_t pools = 0;

    for (unsigned p = 0; p < SETTINGS_POOLS_MAX; p++)
        pools |= (uint32_t)(next->map.old_pool[p] != HANDOVER_NONE) << p;
    return pools;
}

static bool is_instance_tracked(const struct config *config, unsigned pool, unsigned unit)
{
    const struct config_router *router = config->pools[pool].units[unit].router;
    const struct instance_settings *settings = config->core.pools[pool].units[unit].instance;

    return (router != NULL && router->tracker_count > 0) ||
           (settings->track_source && !addr_is_none(&settings->source));
}

/* Whatever nothing is tracked for (any more) is as it is configured; for the rest the tracking tells it again. */
static void end_tracks(struct worker *worker, struct mono now)
{
    const struct config *config = worker->config;

    for (unsigned p = 0; p < settings_all_count(&config->core); p++) {
        struct event event = {
            .kind = EVENT_SHARE, .pool = (uint8_t)p, .share = config->core.pools[p].share, .now = now};

        if (p < config->core.pool_count && (config->watches == NULL || config->watches[p].tracker_count == 0))
            apply_step(worker, &event);
        event.kind = EVENT_TRACK;
        for (unsigned u = 0; p >= config->core.pool_count && u < config->core.pools[p].unit_count; u++) {
            event.unit = (uint16_t)u;
            if (!is_instance_tracked(config, p, u))
                apply_step(worker, &event);
        }
    }
    for (unsigned g = 0; config->instances != NULL && g < config->instances->group_count; g++) {
        struct event event = {.kind = EVENT_TRACK, .unit = EFFECT_NO_UNIT, .group = (uint16_t)g, .now = now};

        event.pool = config->core.pool_count;
        if (config->instances->groups[g].tracker_count == 0 && g < config->core.group_count)
            apply_step(worker, &event);
    }
}

/* Still `worker`'s configuration is the old one. */
static uint32_t renamed_pools(const struct worker *worker, const struct worker_next *next)
{
    uint32_t renamed = 0;

    for (unsigned p = 0; p < next->config->core.pool_count; p++)
        if (next->map.old_pool[p] != HANDOVER_NONE &&
            strcmp(next->config->core.pools[p].name, worker->config->core.pools[next->map.old_pool[p]].name) != 0)
            renamed |= UINT32_C(1) << p;
    return renamed;
}

static void change_over(struct worker *worker, struct worker_next *next, struct mono now)
{
    struct event tick = {.kind = EVENT_TICK, .now = now};
    uint32_t renamed = renamed_pools(worker, next);

    next->effects.count = 0;
    core_take_over(next->core, worker->core, &next->map, now, &next->effects);
    core_ask_again(next->core, &next->effects);
    for (unsigned p = 0; p < settings_all_count(&next->config->core); p++)
        if (next->map.old_pool[p] != HANDOVER_NONE)
            take_over_pool(worker, next, p, now);
    for (unsigned i = 0; i < next->config->core.link_count; i++)
        if (next->map.old_link[i] != HANDOVER_NONE)
            thirdparty_take_over(next->thirdparty, i, worker->thirdparty, next->map.old_link[i]);
    link_take_over(worker, &next->map, next->config->core.link_count);
    exchange(worker, next);
    orders_flush(&worker->orders); /* the last about what was */
    tracking_go_on(worker->tracking, next->tracking, pools_that_go_on(next));
    next->tracking = NULL;
    take_over_view(worker, next);
    keep_goodbyes(worker, next);
    say_over(worker, CHANNEL_RELOADED);
    kernel_go_on(worker->kernel);
    apply_effects(worker, now);
    end_tracks(worker, now);
    worker->tracking_next = tracking_run(worker->tracking, now);
    for (unsigned p = 0; p < worker->config->core.pool_count; p++)
        worker_view_restore_pool(worker, p, next->map.old_pool[p] == HANDOVER_NONE, now);
    for (unsigned p = 0; p < worker->config->core.pool_count; p++)
        if (renamed >> p & 1)
            tell_renamed(worker, p);
    link_tell_all(worker, now);
    apply_step(worker, &tick);
    apply_flush(worker, now);
}

static char *result_text(const struct worker_next *next, struct mono now)
{
    char *text = NULL;

    if (asprintf(&text, "%sreleased after %.3f ms, changed over in %.3f ms\n", next->report,
                 (double)mono_diff_us(next->released, next->began) / US_PER_MS,
                 (double)mono_diff_us(clock_now(), now) / US_PER_MS) < 0)
        return NULL;
    return text;
}

/* Whoever leaves needs the kernel's thread, and nothing of the next configuration. */
static void call_off(struct worker *worker)
{
    if (worker->next->pausing)
        kernel_resume(worker->kernel);
    worker_reload_free(worker->next);
    worker->next = NULL;
    log_warning("reload: called off, since this host leaves");
    set_result(worker, DAEMON_RELOAD_FAILED, strdup("this host leaves"));
    say_over(worker, CHANNEL_RELOAD_KEPT);
}

void worker_reload_turn(struct worker *worker)
{
    struct worker_next *next = worker->next;
    struct mono now = clock_now();

    if (worker->owed != CHANNEL_MESSAGE_COUNT)
        say_over(worker, worker->owed);
    if (next != NULL && worker->leaving)
        call_off(worker);
    if (worker->next == NULL)
        return;
    if (!next->pausing && core_is_retired(worker->core)) {
        next->pausing = true;
        next->released = now;
        kernel_pause(worker->kernel, next->kernel);
        next->kernel = NULL;
    }
    if (!worker->kernel_paused)
        return;
    worker->kernel_paused = false;
    worker->next = NULL;
    change_over(worker, next, now);
    log_notice("reload: what is not in the file any more was released after %.3f ms; changed over in %.3f ms",
               (double)mono_diff_us(next->released, next->began) / US_PER_MS,
               (double)mono_diff_us(clock_now(), now) / US_PER_MS);
    set_result(worker, DAEMON_RELOAD_DONE, result_text(next, now));
    rest_note(worker->run_dir, worker->config, worker->number);
    worker_reload_free(next);
}
