/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The plan answer: what the planner would do now, or with members more or less ("with", "without"). Asks the same
 * planner that the protocol acts on (core_view_plan); changes nothing.
 */
#include <string.h>

#include "daemon/fields_json.h"
#include "daemon/note.h"

#define CHANGES_MAX 32
#define SHARE_DEFAULT 100

struct changes {
    struct plan_change list[CHANGES_MAX];
    unsigned count;
};

static bool add_change(struct answer *a, unsigned pool, const char *text, bool remove, uint8_t share,
                       struct changes *out)
{
    struct addr member;

    if (!find_member(a, pool, text, &member))
        return false;
    if (out->count == CHANGES_MAX) {
        set_error(a, "bad_request", "more than %d members in \"with\" and \"without\"", CHANGES_MAX);
        return false;
    }
    out->list[out->count++] = (struct plan_change){.member = member, .remove = remove, .share = share};
    return true;
}

static bool is_alive(const struct daemon_view *view, unsigned pool, const struct addr *address)
{
    struct member_view m;

    return look_up_member(view, pool, address, &m) && (m.state == MEMBER_ACTIVE || m.state == MEMBER_RESERVE);
}

/* "without": ["10.0.0.2", "beta"] */
static bool read_without(struct answer *a, unsigned pool, struct changes *out)
{
    json_t *list = json_object_get(a->request, "without"), *item;
    size_t i;

    if (list != NULL && !json_is_array(list)) {
        set_error(a, "bad_request", "\"without\" must be an array of members (strings)");
        return false;
    }
    json_array_foreach(list, i, item)
    {
        if (!json_is_string(item)) {
            set_error(a, "bad_request", "\"without\" must be an array of members (strings)");
            return false;
        }
        if (!add_change(a, pool, json_string_value(item), true, 0, out))
            return false;
        if (!is_alive(a->view, pool, &out->list[out->count - 1].member)) {
            set_error(a, "unknown_member", "'%.64s' is no living member of pool %s", json_string_value(item),
                      a->view->config->core.pools[pool].name);
            return false;
        }
    }
    return true;
}

/* "with": [{"member": "10.0.0.4", "share": 100}] */
static bool read_with(struct answer *a, unsigned pool, struct changes *out)
{
    const struct pool_settings *settings = &a->view->config->core.pools[pool];
    json_t *list = json_object_get(a->request, "with"), *item;
    size_t i;

    if (list != NULL && !json_is_array(list)) {
        set_error(a, "bad_request", "\"with\" must be an array of {\"member\", \"share\"}");
        return false;
    }
    json_array_foreach(list, i, item)
    {
        json_t *member = json_object_get(item, "member"), *share_field = json_object_get(item, "share");
        json_int_t share = share_field == NULL ? SHARE_DEFAULT : json_integer_value(share_field);

        if (!json_is_string(member) || (share_field != NULL && !json_is_integer(share_field))) {
            set_error(a, "bad_request", "\"with\" must be an array of {\"member\", \"share\"}");
            return false;
        }
        if (share < 1 || share > 254) {
            set_error(a, "bad_request", "a share is a number from 1 (reserve) to 254");
            return false;
        }
        if (!add_change(a, pool, json_string_value(member), false, (uint8_t)share, out))
            return false;
        if (out->list[out->count - 1].member.family != settings->family) {
            set_error(a, "unknown_member", "'%.64s' is not of the address family that pool %s speaks",
                      json_string_value(member), settings->name);
            return false;
        }
    }
    return true;
}

/* The plan's own index -> address; none for PLAN_NONE. */
static struct addr plan_address(const struct plan_member *members, int index)
{
    return index < 0 ? ADDR_NONE : members[index].address;
}

static json_t *plan_members_array(struct answer *a, unsigned pool, const struct plan_member *members, unsigned count,
                                  const struct plan *plan)
{
    json_t *array = new_array(a);

    for (unsigned i = 0; i < count; i++) {
        json_t *object = new_object(a);

        put_member(a, object, "address", "name", pool, &members[i].address);
        put_int(a, object, "share", members[i].share);
        put_int(a, object, "load", plan->load[i]);
        put_int(a, object, "final_load", plan->final_load[i]);
        append_new(a, array, object);
    }
    return array;
}

static void put_unit_name(struct answer *a, json_t *object, unsigned pool, unsigned unit)
{
    struct addr address = note_unit_address(a->view->config, pool, unit);

    put_int(a, object, "vrid", a->view->config->core.pools[pool].units[unit].vrid);
    put_address(a, object, "address", &address);
}

static json_t *plan_moves_array(struct answer *a, unsigned pool, const struct plan_member *members,
                                const struct plan *plan)
{
    json_t *array = new_array(a);

    for (unsigned i = 0; i < plan->move_count; i++) {
        const struct plan_move *move = &plan->moves[i];
        struct addr from = plan_address(members, move->from), to = plan_address(members, move->to);
        json_t *object = new_object(a);

        put_unit_name(a, object, pool, move->unit);
        put_member(a, object, "from", "from_name", pool, &from);
        put_member(a, object, "to", "to_name", pool, &to);
        append_new(a, array, object);
    }
    return array;
}

static json_t *plan_units_array(struct answer *a, unsigned pool, const struct plan_member *members,
                                const struct plan *plan)
{
    json_t *array = new_array(a);

    for (unsigned i = 0; i < a->view->config->core.pools[pool].unit_count; i++) {
        struct addr placed = plan_address(members, plan->placed[i]), target = plan_address(members, plan->target[i]);
        struct unit_view u;
        json_t *object = new_object(a);

        core_view_unit(a->view->core, pool, i, &u);
        if (u.holder_kind == HOLDER_STRANGER) /* nothing is planned for it */
            placed = target = u.holder;
        put_unit_name(a, object, pool, i);
        put_member(a, object, "holder", "holder_name", pool, &u.holder);
        put_text(a, object, "holder_kind", holder_kind_name(u.holder_kind));
        put_member(a, object, "placed", "placed_name", pool, &placed);
        put_member(a, object, "target", "target_name", pool, &target);
        append_new(a, array, object);
    }
    return array;
}

static json_t *plan_object(struct answer *a, unsigned pool, const struct changes *changes)
{
    struct plan_member members[PLAN_MEMBERS_MAX];
    struct plan plan;
    unsigned count = core_view_plan(a->view->core, pool, a->view->now, changes->list, changes->count, members, &plan);
    json_t *object = new_object(a);

    put_text(a, object, "name", a->view->config->core.pools[pool].name);
    put_new(a, object, "members", plan_members_array(a, pool, members, count, &plan));
    put_new(a, object, "moves", plan_moves_array(a, pool, members, &plan));
    put_new(a, object, "units", plan_units_array(a, pool, members, &plan));
    return object;
}

enum request_outcome plan_answer(struct answer *a)
{
    unsigned first, end;
    json_t *pools;

    if (!find_pools(a, &first, &end))
        return REQUEST_REFUSED;
    if (end - first > 1 &&
        (json_object_get(a->request, "with") != NULL || json_object_get(a->request, "without") != NULL)) {
        set_error(a, "bad_request", "there are %u pools: name the \"pool\" to plan for", end - first);
        return REQUEST_REFUSED;
    }
    pools = new_array(a);
    for (unsigned p = first; p < end; p++) {
        struct changes changes = {.count = 0};

        if (!read_without(a, p, &changes) || !read_with(a, p, &changes)) {
            json_decref(pools);
            return REQUEST_REFUSED;
        }
        append_new(a, pools, plan_object(a, p, &changes));
    }
    put_new(a, a->root, "pools", pools);
    return REQUEST_DONE;
}
