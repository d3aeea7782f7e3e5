/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The commands that change something: each becomes one event of the core (per pool), and the answer says what became of
 * it. Permission was checked by request_json.c.
 */
#include "daemon/fields_json.h"
#include "daemon/note.h"

static const char *result_code(enum core_result result)
{
    switch (result) {
    case CORE_OK:
        return "ok";
    case CORE_ALREADY:
        return "already";
    case CORE_NO_OTHER_MEMBER:
        return "no_other_member";
    case CORE_PINNED_ELSEWHERE:
        return "pinned_elsewhere";
    case CORE_NOT_ELIGIBLE:
        return "not_eligible";
    case CORE_NOT_HELD:
        return "not_held";
    case CORE_NOT_READY:
        return "not_ready";
    case CORE_RESULT_COUNT:
        break;
    }
    return "internal";
}

/* Steps the core. False, with the error set, when what was asked could not be remembered for a restart. */
static bool step(struct answer *a, struct event *event, enum core_result *result)
{
    *result = CORE_OK;
    event->now = a->view->now;
    int error = a->callbacks->command(a->callbacks->context, event, result);

    if (error == 0)
        return true;
    set_error(a, "not_saved", "done, but it could not be saved for the next start of the daemon: errno %d", -error);
    return false;
}

static enum request_outcome unit_command(struct answer *a, enum event_kind kind)
{
    unsigned pool, unit;
    enum core_result result;
    struct event event = {.kind = (uint8_t)kind};

    if (!find_unit(a, &pool, &unit))
        return REQUEST_REFUSED;
    if (pool >= a->view->config->core.pool_count) {
        set_error(a, "not_possible", "instance %s is no unit of a pool: its priority decides",
                  a->view->config->core.pools[pool].units[unit].instance->name);
        return REQUEST_REFUSED;
    }
    event.pool = (uint8_t)pool;
    event.unit = (uint16_t)unit;
    if (!step(a, &event, &result))
        return REQUEST_REFUSED;
    struct addr address = note_unit_address(a->view->config, pool, unit);

    if (result != CORE_OK && result != CORE_ALREADY) {
        char text[ADDR_TEXT_MAX];

        set_error(a, result_code(result), "unit %u (%s): %s", a->view->config->core.pools[pool].units[unit].vrid,
                  addr_format(&address, text), core_result_text(result));
        return REQUEST_REFUSED;
    }
    put_text(a, a->root, "pool", a->view->config->core.pools[pool].name);
    put_int(a, a->root, "vrid", a->view->config->core.pools[pool].units[unit].vrid);
    put_address(a, a->root, "address", &address);
    put_text(a, a->root, "result", result_code(result));
    put_text(a, a->root, "text", core_result_text(result));
    return REQUEST_DONE;
}

static enum request_outcome pool_command(struct answer *a, enum event_kind kind)
{
    json_t *flag = json_object_get(a->request, "now"), *pools;
    struct event event = {.kind = (uint8_t)kind, .now_flag = json_is_true(flag)};
    unsigned first, end;

    if (flag != NULL && !json_is_boolean(flag)) {
        set_error(a, "bad_request", "\"now\" must be true or false");
        return REQUEST_REFUSED;
    }
    if (!find_pools(a, &first, &end))
        return REQUEST_REFUSED;
    pools = new_array(a);
    for (unsigned p = first; p < end; p++) {
        json_t *object = new_object(a);
        enum core_result result;

        event.pool = (uint8_t)p;
        if (!step(a, &event, &result)) {
            json_decref(object);
            json_decref(pools);
            return REQUEST_REFUSED;
        }
        put_text(a, object, "name", a->view->config->core.pools[p].name);
        put_text(a, object, "result", result_code(result));
        put_text(a, object, "text", core_result_text(result));
        append_new(a, pools, object);
    }
    put_new(a, a->root, "pools", pools);
    return REQUEST_DONE;
}

enum request_outcome take_answer(struct answer *a)
{
    return unit_command(a, EVENT_TAKE);
}

enum request_outcome release_answer(struct answer *a)
{
    return unit_command(a, EVENT_RELEASE);
}

enum request_outcome drain_answer(struct answer *a)
{
    return pool_command(a, EVENT_DRAIN);
}

enum request_outcome undrain_answer(struct answer *a)
{
    return pool_command(a, EVENT_UNDRAIN);
}

enum request_outcome rebalance_answer(struct answer *a)
{
    return pool_command(a, EVENT_REBALANCE);
}
