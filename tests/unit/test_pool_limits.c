/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Limits and hostility: full tables, forged packets, several pools on one wire, other configurations (doc/design.md
 * 2.5a), the bound on effects, random events. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/prng.h"
#include "core_rig.h"

#define SECOND ((int64_t)US_PER_S)

/* --- tables --- */

static void test_limits__more_members_than_fit__told_once_and_room_is_made_when_one_dies(void **state)
{
    (void)state;
    struct rig *rig = rig_alone(4);
    for (unsigned i = 0; i < 66; i++) {
        rig_hear(rig, 100 + i, RIG_MEMBER, 100);
    }
    rig_run(rig, 0);
    assert_int_equal(rig_pool(rig).member_count, PLAN_MEMBERS_MAX);
    assert_int_equal(rig_counters(rig).members_full, 66 - (PLAN_MEMBERS_MAX - 1));
    assert_int_equal(rig_notes(rig, NOTE_MEMBERS_FULL), 1);
    rig_run(rig, SECOND); /* all of them were forged */
    rig_peer(rig, 20, 100);
    rig_run(rig, 30 * SECOND);
    assert_int_equal(rig_notes(rig, NOTE_MEMBER_JOINED), PLAN_MEMBERS_MAX);
    assert_in_range(rig_load(rig), 3, 4); /* it takes nothing, so what we release to it comes back */
    rig_free(rig);
}

static void test_limits__254_units__one_vrid_is_left_for_members(void **state)
{
    (void)state;
    struct rig *rig = rig_alone(254);
    assert_int_equal(rig_pool(rig).member_vrid, 255);
    rig_free(rig);
}

static void test_limits__all_other_vrids_in_use__rather_a_strangers_than_a_units(void **state)
{
    (void)state;
    struct rig *rig = rig_alone(4);
    struct addr vip = rig_address(99);
    for (unsigned vrid = 1; vrid <= 255; vrid++) {
        struct advert advert = rig_advert(rig, 240, RIG_MEMBER, 100);
        advert.vrid = (uint8_t)vrid;
        advert.addresses = &vip;
        if (vrid < RIG_FIRST_VRID || vrid >= RIG_FIRST_VRID + 4) {
            rig_hear_advert(rig, &advert);
        }
    }
    unsigned vrid = rig_pool(rig).member_vrid;
    assert_true(vrid != 0 && (vrid < RIG_FIRST_VRID || vrid >= RIG_FIRST_VRID + 4));
    rig_free(rig);
}

static void test_limits__no_pool_at_all__leaves_at_once(void **state)
{
    (void)state;
    struct rig *rig = rig_new(0, 0);
    rig->pools[0].member_interval_us = RIG_MEMBER_US; /* of the peer that is heard */
    rig_start(rig, 100 * SECOND);
    rig_hear(rig, 20, RIG_MEMBER, 100);
    rig_event(rig, (struct event){.kind = EVENT_LEAVE});
    rig_run(rig, 0);
    assert_int_equal(rig_count(rig, EFFECT_LEFT), 1);
    rig_free(rig);
}

static void test_limits__our_own_address_as_source__counted_and_believed_by_nobody(void **state)
{
    (void)state;
    struct rig *rig = rig_alone(2);
    rig_hear(rig, RIG_SELF, 0, 255);
    rig_hear(rig, RIG_SELF, 0, 0);
    rig_hear(rig, RIG_SELF, RIG_MEMBER, 0);
    assert_int_equal(rig_counters(rig).looped, 3);
    assert_int_equal(rig_load(rig), 2);
    assert_int_equal(rig_count(rig, EFFECT_SEND), 0); /* an echo must not storm */
    assert_int_equal(rig_pool(rig).member_count, 1);
    rig_free(rig);
}

/* --- two pools on one wire share one membership --- */

static unsigned rig_pool_sends(const struct rig *rig, unsigned pool, int priority)
{
    unsigned count = 0;
    for (unsigned i = 0; i < rig->logged; i++) {
        const struct effect *effect = &rig->log[i];
        count += effect->kind == EFFECT_SEND && effect->pool == pool && effect->unit == EFFECT_NO_UNIT &&
                 effect->priority == priority;
    }
    return count;
}

static struct rig *rig_two_pools(void)
{
    struct rig *rig = rig_new(2, 2);
    rig_start(rig, 100 * SECOND);
    rig_run(rig, 5 * SECOND);
    rig_mark(rig);
    return rig;
}

static void test_wire__one_pool_drained__both_say_reserve(void **state)
{
    (void)state;
    struct rig *rig = rig_two_pools();
    rig_event(rig, (struct event){.kind = EVENT_DRAIN, .pool = 1});
    rig_run(rig, SECOND);
    assert_true(rig_pool_sends(rig, 0, 1) >= 4 && rig_pool_sends(rig, 1, 1) >= 4);
    assert_int_equal(rig_pool_sends(rig, 0, 100) + rig_pool_sends(rig, 1, 100), 0);
    rig_free(rig);
}

/* The others know us by our address: a goodbye would make them take what the other pool still holds. */
static void test_wire__leaving__goodbye_and_the_end_only_when_both_are_empty(void **state)
{
    (void)state;
    struct rig *rig = rig_two_pools();
    rig->manual_kernel = true;
    rig_event(rig, (struct event){.kind = EVENT_LEAVE});
    rig_run(rig, 0);
    unsigned levels = rig->logged;
    assert_int_equal(rig_count(rig, EFFECT_LEVEL), 4);
    for (unsigned i = 0; i < levels; i++) {
        if (rig->log[i].kind != EFFECT_LEVEL) {
            continue;
        }
        struct event done = {.kind = EVENT_LEVEL_DONE, .pool = rig->log[i].pool, .unit = rig->log[i].unit};
        done.sequence = rig->log[i].sequence;
        assert_int_equal(rig_pool_sends(rig, 0, 0) + rig_pool_sends(rig, 1, 0), 0);
        assert_int_equal(rig_count(rig, EFFECT_LEFT), 0);
        rig_event(rig, done);
        rig_run(rig, 10 * US_PER_MS);
    }
    assert_int_equal(rig_pool_sends(rig, 0, 0), 1);
    assert_int_equal(rig_count(rig, EFFECT_LEFT), 1);
    rig_free(rig);
}

static void test_wire__stall_of_one__is_one_of_both(void **state)
{
    (void)state;
    struct rig *rig = rig_two_pools();
    rig_sleep(rig, RIG_MEMBER_US * 5 / 2);
    rig_event(rig, (struct event){.kind = EVENT_TICK});
    assert_true(rig_notes(rig, NOTE_STALLED) != 1);
    rig_run(rig, 2 * SECOND);
    assert_int_equal(rig_load(rig), 2);
    rig_free(rig);
}

/* --- the bound on effects --- */

static void test_effects__everything_in_one_step__fits(void **state)
{
    (void)state;
    struct rig *rig = rig_new(1, 240);
    rig->pools[0].isolation_check = true;
    rig->pools[0].drop_when_isolated = true;
    rig->pools[0].rebalance_moves = UINT16_MAX;
    rig_start(rig, 100 * SECOND);
    for (unsigned i = 0; i < 60; i++) {
        rig_peer(rig, 241 + i % 14, 100);
    }
    rig_run(rig, 5 * SECOND);
    rig_mark(rig);
    for (unsigned u = 0; u < 240; u++) {
        rig_hear(rig, 5, (int)u, 254);
    }
    rig->peer_count = 0;
    rig_run(rig, 10 * SECOND);
    rig_event(rig, (struct event){.kind = EVENT_DRAIN, .now_flag = true});
    rig_sleep(rig, SECOND);
    rig_run(rig, 5 * SECOND);
    rig_sleep(rig, SECOND);
    rig_link(rig, 0, true, 11);
    rig_run(rig, 5 * SECOND);
    rig_event(rig, (struct event){.kind = EVENT_LEAVE});
    rig_run(rig, 0);
    assert_int_equal(rig_count(rig, EFFECT_LEFT), 1);
    assert_in_range(rig->most_effects, 240, rig->effects.capacity);
    rig_free(rig);
}

/* --- anything at any time --- */

static void random_packet(struct rig *rig, struct prng *prng)
{
    static const uint8_t sources[] = {5, 20, 30, 40, RIG_SELF};
    static const uint8_t priorities[] = {0, 1, 2, 100, 237, 250, 252, 253, 254, 255};
    unsigned source = sources[prng_below(prng, 5)];
    bool member = prng_below(prng, 2) == 0;
    unsigned priority = priorities[prng_below(prng, 10)];
    int unit = member ? RIG_MEMBER : (int)prng_below(prng, rig->pools[0].unit_count);
    struct advert advert = rig_advert(rig, source, unit, priority);
    if (prng_below(prng, 20) == 0) {
        uint64_t unit_us = advert.version == 2 ? US_PER_S : US_PER_CS;
        advert.interval_us = (uint32_t)(unit_us * (1 + prng_below(prng, advert.version == 2 ? 255 : 4095)));
    }
    rig_hear_advert(rig, &advert);
}

static void random_command(struct rig *rig, struct prng *prng)
{
    static const enum event_kind kinds[] = {EVENT_DRAIN, EVENT_UNDRAIN,   EVENT_TAKE,     EVENT_RELEASE,
                                            EVENT_SHARE, EVENT_REBALANCE, EVENT_CONFLICT, EVENT_PROBE_IMPOSSIBLE,
                                            EVENT_HEARD};
    static const uint8_t shares[] = {0, 1, 2, 100, 254};
    struct event event = {.kind = (uint8_t)kinds[prng_below(prng, 9)]};
    event.pool = (uint8_t)prng_below(prng, rig->settings.pool_count);
    event.unit = (uint16_t)prng_below(prng, rig->pools[0].unit_count);
    event.share = shares[prng_below(prng, 5)];
    event.now_flag = prng_below(prng, 2) == 0;
    event.probe_answer = prng_below(prng, 2) == 0;
    event.received = (struct mono){rig->now_us};
    rig_event(rig, event);
}

static void random_step(struct rig *rig, struct prng *prng)
{
    uint64_t kind = prng_below(prng, 100);
    if (kind < 50) {
        random_packet(rig, prng);
    } else if (kind < 85) {
        rig_run(rig, (int64_t)prng_below(prng, 300 * US_PER_MS));
    } else if (kind < 93) {
        random_command(rig, prng);
    } else if (kind < 95) {
        rig_sleep(rig, (int64_t)prng_below(prng, 1200 * US_PER_MS));
    } else if (kind < 97) {
        rig_link(rig, (unsigned)prng_below(prng, 2), prng_below(prng, 4) != 0, prng_below(prng, 5) == 0 ? 0 : RIG_SELF);
    } else {
        rig->third_party = (uint8_t)prng_below(prng, 3);
        rig->kernel_error = prng_below(prng, 8) == 0 ? 12 : 0;
    }
}

/* Whatever happened: left alone, it holds everything again; told to leave, it leaves. */
static void test_random__any_events__invariants_hold_and_it_recovers(void **state)
{
    (void)state;
    for (unsigned seed = 1; seed <= 60; seed++) {
        struct prng prng = prng_seed(seed);
        struct rig *rig = rig_new(1 + seed % 2, 6);
        rig->pools[0].isolation_check = seed % 3 != 0;
        rig->pools[0].version = seed % 5 == 0 ? 2 : 3;
        rig->units[0][0].links = 3;
        rig_start(rig, (int64_t)prng_below(&prng, 2 * US_PER_S));
        for (unsigned i = 0; i < 1500; i++) {
            random_step(rig, &prng);
        }
        rig->third_party = THIRD_PARTY_ANSWERS;
        rig->kernel_error = 0;
        for (unsigned p = 0; p < rig->settings.pool_count; p++) {
            rig_event(rig, (struct event){.kind = EVENT_UNDRAIN, .pool = (uint8_t)p});
            rig_event(rig, (struct event){.kind = EVENT_SHARE, .pool = (uint8_t)p, .share = 100});
        }
        rig_link(rig, 1, true, RIG_SELF);
        rig_link(rig, 0, true, RIG_SELF);
        rig_run(rig, 130 * SECOND); /* a forged member's interval may be as long as 41 s */
        assert_int_equal(rig_load(rig), 6);
        rig_event(rig, (struct event){.kind = EVENT_LEAVE});
        rig_run(rig, 0);
        assert_int_equal(rig_count(rig, EFFECT_LEFT), 1);
        rig_free(rig);
    }
}

/* --- 2.5a --- */

static void test_differences__address_list__accepted_counted_told_once(void **state)
{
    (void)state;
    struct rig *rig = rig_new(1, 1);
    rig_start(rig, 100 * SECOND);
    rig_peer(rig, 20, 100);
    struct addr other = rig_address(200);
    struct advert advert = rig_advert(rig, 20, 0, 253);
    advert.addresses = &other;
    for (unsigned i = 0; i < 10; i++) {
        rig_hear_advert(rig, &advert);
        rig_run(rig, SECOND);
    }
    assert_int_equal(rig_notes(rig, NOTE_ADDRESS_LIST), 1);
    assert_true(rig_unit(rig, 0).address_list_differs);
    struct unit_view unit = rig_unit(rig, 0);
    assert_true(addr_equal(&unit.address_list_extra, &other));
    assert_true(addr_equal(&unit.address_list_missing, &rig->addresses[0][0]));
    assert_int_equal(rig_load(rig), 0);
    rig_hear(rig, 20, 0, 253);
    assert_false(rig_unit(rig, 0).address_list_differs);
    rig_free(rig);
}

static void test_differences__unit_that_only_a_member_has__is_seen_until_it_goes(void **state)
{
    (void)state;
    struct rig *rig = rig_new(1, 1);
    struct unknown_view unknown[PLAN_UNITS_MAX];
    rig_start(rig, 100 * SECOND);
    rig_peer(rig, 20, 100);
    rig_run(rig, SECOND);
    struct addr other = rig_address(200);
    struct advert advert = rig_advert(rig, 20, 0, 253);
    advert.vrid = 200;
    advert.addresses = &other;
    rig_hear_advert(rig, &advert);
    assert_int_equal(core_view_unknown(rig->core, 0, (struct mono){rig->now_us}, unknown), 1);
    assert_int_equal(unknown[0].vrid, 200);
    assert_true(addr_equal(&unknown[0].address, &other));
    assert_true(addr_equal(&unknown[0].member, &advert.source));
    advert.priority = 0;
    rig_hear_advert(rig, &advert);
    assert_int_equal(core_view_unknown(rig->core, 0, (struct mono){rig->now_us}, unknown), 0);
    advert.priority = 253;
    rig_hear_advert(rig, &advert);
    rig_run(rig, 5 * SECOND);
    assert_int_equal(core_view_unknown(rig->core, 0, (struct mono){rig->now_us}, unknown), 0);
    rig_free(rig);
}

static void test_differences__version_2_pool__discards_other_intervals_versions_and_authentication(void **state)
{
    (void)state;
    struct rig *rig = rig_new(1, 1);
    struct unit_counters counters;
    rig->pools[0].version = 2;
    rig_start(rig, 100 * SECOND);
    for (unsigned i = 0; i < 8; i++) {
        struct advert advert = rig_advert(rig, 40, 0, 254);
        advert.interval_us = 2 * US_PER_S;
        rig_hear_advert(rig, &advert);
        advert = rig_advert(rig, 40, 0, 254);
        advert.version = 3;
        rig_hear_advert(rig, &advert);
        advert = rig_advert(rig, 40, 0, 254);
        advert.auth_type = 1;
        rig_hear_advert(rig, &advert);
        rig_run(rig, SECOND / 2);
    }
    core_view_unit_counters(rig->core, 0, 0, &counters);
    assert_int_equal(counters.interval_differs, 8);
    assert_int_equal(counters.version_mismatch, 8);
    assert_int_equal(counters.auth_mismatch, 8);
    assert_int_equal(rig_notes(rig, NOTE_INTERVAL_DIFFERS), 1);
    assert_int_equal(rig_load(rig), 1);
    rig_free(rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_limits__more_members_than_fit__told_once_and_room_is_made_when_one_dies),
        cmocka_unit_test(test_limits__254_units__one_vrid_is_left_for_members),
        cmocka_unit_test(test_limits__all_other_vrids_in_use__rather_a_strangers_than_a_units),
        cmocka_unit_test(test_limits__no_pool_at_all__leaves_at_once),
        cmocka_unit_test(test_limits__our_own_address_as_source__counted_and_believed_by_nobody),
        cmocka_unit_test(test_wire__one_pool_drained__both_say_reserve),
        cmocka_unit_test(test_wire__leaving__goodbye_and_the_end_only_when_both_are_empty),
        cmocka_unit_test(test_wire__stall_of_one__is_one_of_both),
        cmocka_unit_test(test_effects__everything_in_one_step__fits),
        cmocka_unit_test(test_random__any_events__invariants_hold_and_it_recovers),
        cmocka_unit_test(test_differences__address_list__accepted_counted_told_once),
        cmocka_unit_test(test_differences__unit_that_only_a_member_has__is_seen_until_it_goes),
        cmocka_unit_test(test_differences__version_2_pool__discards_other_intervals_versions_and_authentication),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
