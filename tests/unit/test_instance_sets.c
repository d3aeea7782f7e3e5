/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A pool and two sets of instances in one core: indices, families, a group over both sets, leaving. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "core/core.h"
#include "core/view.h"

#define SECOND ((int64_t)US_PER_S)
#define SET_A 1
#define SET_B 2
#define SELF 10 /* the last byte of this host's addresses, and the VRID of set A's instance */

struct fixture {
    struct core_settings settings;
    struct pool_settings pools[3];
    struct unit_settings units[3];
    struct instance_settings instances[2];
    struct addr addresses[3];
    void *storage;
    struct core *core;
    struct effects fx;
    unsigned sends[3];    /* per pool or set */
    uint16_t group_notes; /* bit: enum instance_state that the group went to */
    int hold_back;        /* the levels of this set are not confirmed; -1: none */
    struct effect held;
    bool left;
    int64_t now_us;
};

static struct addr address(unsigned family, unsigned last)
{
    if (family == FAMILY_IPV4) {
        return addr_from_bytes(FAMILY_IPV4, (const uint8_t[]){192, 0, 2, (uint8_t)last});
    }
    return addr_from_bytes(FAMILY_IPV6, (const uint8_t[16]){0xfe, 0x80, [15] = (uint8_t)last});
}

static void fill(struct fixture *f, unsigned p, unsigned link, unsigned family, unsigned vrid)
{
    f->addresses[p] = address(family, vrid + 100);
    f->units[p] = (struct unit_settings){
        .link = (uint8_t)link,
        .family = (uint8_t)family,
        .version = 3,
        .checksum = WIRE_CHECKSUM_PLAIN,
        .advert_interval_us = US_PER_S,
        .vrid = (uint8_t)vrid,
        .address_count = 1,
        .addresses = &f->addresses[p],
        .links = UINT32_C(1) << link,
    };
    f->pools[p] = (struct pool_settings){
        .link = (uint8_t)link,
        .family = (uint8_t)family,
        .version = 3,
        .checksum = WIRE_CHECKSUM_PLAIN,
        .share = 100,
        .unit_count = 1,
        .advert_interval_us = US_PER_S,
        .member_interval_us = 250 * US_PER_MS,
        .rebalance_interval_us = US_PER_S,
        .units = &f->units[p],
    };
    if (p > 0) {
        f->instances[p - 1] = (struct instance_settings){
            .priority = 100, .preempt = true, .down_adverts = 3, .lease_us = SECOND * 5 / 2, .track_link = true};
        f->units[p].instance = &f->instances[p - 1];
    }
}

static enum core_result step(struct fixture *f, struct event event);

static void obey(struct fixture *f, const struct effect *effect)
{
    struct event event = {.pool = effect->pool, .unit = effect->unit, .sequence = effect->sequence};
    uint8_t packet[WIRE_PACKET_MAX];

    if (effect->kind == EFFECT_LEVEL && effect->pool == f->hold_back) {
        f->held = *effect;
    } else if (effect->kind == EFFECT_LEVEL) {
        event.kind = EVENT_LEVEL_DONE;
        step(f, event);
    } else if (effect->kind == EFFECT_ARM) {
        event.kind = EVENT_ARMED;
        step(f, event);
    } else if (effect->kind == EFFECT_SEND) {
        assert_true(core_encode(f->core, effect, packet, sizeof(packet)) > 0);
        f->sends[effect->pool]++;
        event.kind = EVENT_SENT;
        step(f, event);
    } else if (effect->kind == EFFECT_NOTE && effect->note == NOTE_GROUP_STATE) {
        f->group_notes |= (uint16_t)(1u << effect->to_state);
    } else if (effect->kind == EFFECT_LEFT) {
        f->left = true;
    }
}

static enum core_result step(struct fixture *f, struct event event)
{
    struct effect list[64];

    event.now = (struct mono){f->now_us};
    f->fx.count = 0;
    enum core_result result = core_step(f->core, &event, &f->fx);
    core_check(f->core);
    unsigned count = f->fx.count;
    assert_true(count <= 64);
    for (unsigned i = 0; i < count; i++) {
        list[i] = f->fx.list[i];
    }
    for (unsigned i = 0; i < count; i++) {
        obey(f, &list[i]);
    }
    return result;
}

static void run(struct fixture *f, int64_t for_us)
{
    int64_t until_us = f->now_us + for_us;

    do {
        step(f, (struct event){.kind = EVENT_TICK});
        int64_t deadline_us = core_deadline(f->core).us;
        f->now_us = deadline_us > f->now_us ? deadline_us : f->now_us;
    } while (f->now_us <= until_us);
    f->now_us = until_us;
}

static void link_up(struct fixture *f, unsigned link)
{
    step(f, (struct event){.kind = EVENT_LINK,
                           .link = (uint8_t)link,
                           .up = true,
                           .primary_ipv4 = address(FAMILY_IPV4, SELF),
                           .primary_ipv6 = address(FAMILY_IPV6, SELF)});
}

static struct fixture *fixture_new(bool grouped)
{
    struct fixture *f = calloc(1, sizeof(*f));

    assert_non_null(f);
    fill(f, 0, 0, FAMILY_IPV4, 51);
    fill(f, SET_A, 0, FAMILY_IPV4, SELF);
    fill(f, SET_B, 1, FAMILY_IPV6, 20);
    f->instances[0].group = f->instances[1].group = grouped ? 0 : INSTANCE_NO_GROUP;
    f->settings = (struct core_settings){
        .pool_count = 1, .set_count = 2, .link_count = 2, .group_count = grouped, .pools = f->pools};
    f->now_us = 100 * SECOND;
    f->hold_back = -1;
    f->storage = malloc(core_storage_size(&f->settings));
    f->fx.capacity = effects_capacity(&f->settings);
    f->fx.list = calloc(f->fx.capacity, sizeof(*f->fx.list));
    assert_true(f->storage != NULL && f->fx.list != NULL);
    f->core = core_init(f->storage, &f->settings, (struct mono){f->now_us});
    link_up(f, 0);
    return f;
}

static void fixture_free(struct fixture *f)
{
    free(f->storage);
    free(f->fx.list);
    free(f);
}

static enum instance_state state_of(const struct fixture *f, unsigned set)
{
    struct instance_view view;

    core_view_instance(f->core, set, 0, &view);
    return (enum instance_state)view.state;
}

static void test_sets__beside_a_pool__all_serve(void **state)
{
    (void)state;
    struct fixture *f = fixture_new(false);
    struct pool_view pool;

    link_up(f, 1);
    run(f, 10 * SECOND);
    assert_true(f->sends[0] > 0 && f->sends[SET_A] > 0 && f->sends[SET_B] > 0);
    assert_int_equal(state_of(f, SET_A), INSTANCE_ACTIVE);
    assert_int_equal(state_of(f, SET_B), INSTANCE_ACTIVE);
    core_view_pool(f->core, 0, &pool);
    assert_int_not_equal(pool.member_vrid, SELF); /* that VRID is the instance's */
    assert_int_equal(step(f, (struct event){.kind = EVENT_DRAIN, .pool = SET_A}), CORE_NOT_READY);
    assert_int_equal(step(f, (struct event){.kind = EVENT_TAKE, .pool = SET_B}), CORE_NOT_READY);
    fixture_free(f);
}

static void test_sets__link_not_known__neither_well_nor_in_fault(void **state)
{
    (void)state;
    struct fixture *f = fixture_new(false);

    run(f, 10 * SECOND);
    assert_int_equal(state_of(f, SET_A), INSTANCE_ACTIVE);
    assert_int_equal(state_of(f, SET_B), INSTANCE_INITIALIZE);
    step(f, (struct event){.kind = EVENT_LINK, .link = 1});
    assert_int_equal(state_of(f, SET_B), INSTANCE_FAULT);
    fixture_free(f);
}

static void test_sets__group_over_two__one(void **state)
{
    (void)state;
    struct fixture *f = fixture_new(true);

    run(f, 10 * SECOND);
    assert_int_equal(state_of(f, SET_A), INSTANCE_BACKUP); /* the other one has no link yet */
    link_up(f, 1);
    run(f, 5 * SECOND);
    assert_int_equal(state_of(f, SET_A), INSTANCE_ACTIVE);
    assert_int_equal(state_of(f, SET_B), INSTANCE_ACTIVE);
    step(f, (struct event){.kind = EVENT_LINK, .link = 1});
    run(f, 0);
    assert_int_equal(state_of(f, SET_A), INSTANCE_FAULT);
    assert_int_equal(state_of(f, SET_B), INSTANCE_FAULT);
    assert_int_equal(f->group_notes, 1u << INSTANCE_BACKUP | 1u << INSTANCE_ACTIVE | 1u << INSTANCE_FAULT);
    fixture_free(f);
}

static void test_sets__leaving__waits_for_the_last_one(void **state)
{
    (void)state;
    struct fixture *f = fixture_new(false);

    link_up(f, 1);
    run(f, 10 * SECOND);
    f->hold_back = SET_B;
    step(f, (struct event){.kind = EVENT_LEAVE});
    run(f, SECOND);
    assert_int_equal(state_of(f, SET_A), INSTANCE_STOPPED);
    assert_int_equal(state_of(f, SET_B), INSTANCE_ACTIVE);
    assert_false(f->left);
    step(f, (struct event){.kind = EVENT_LEVEL_DONE, .pool = SET_B, .sequence = f->held.sequence});
    run(f, 0);
    assert_int_equal(state_of(f, SET_B), INSTANCE_STOPPED);
    assert_true(f->left);
    fixture_free(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sets__beside_a_pool__all_serve),
        cmocka_unit_test(test_sets__link_not_known__neither_well_nor_in_fault),
        cmocka_unit_test(test_sets__group_over_two__one),
        cmocka_unit_test(test_sets__leaving__waits_for_the_last_one),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
