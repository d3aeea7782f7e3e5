/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One pool against doc/design.md 2.1 to 2.4: membership, who takes what and when, strangers, stalls, leaving. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core_rig.h"

#define SECOND ((int64_t)US_PER_S)
#define SKEW_FIRST_US (7 * RIG_MEMBER_US / 256) /* of rank 0, however quiet */

/* We and one member, which holds the even units; everything is settled. */
static struct rig *rig_pair(unsigned unit_count)
{
    struct rig *rig = rig_new(1, unit_count);
    rig_start(rig, 100 * SECOND);
    rig_peer(rig, 20, 100);
    for (unsigned u = 0; u < unit_count; u += 2) {
        rig_peer_takes(rig, 20, u, 253);
    }
    rig_run(rig, 20 * SECOND);
    assert_int_equal(rig_load(rig), unit_count / 2);
    rig_mark(rig);
    return rig;
}

static struct member_view rig_member(const struct rig *rig, unsigned last_byte)
{
    struct member_view view;
    struct addr address = rig_address(last_byte);
    for (unsigned i = 0; i < rig_pool(rig).member_count; i++) {
        core_view_member(rig->core, 0, i, (struct mono){rig->now_us}, &view);
        if (addr_equal(&view.address, &address)) {
            return view;
        }
    }
    fail_msg("no member with last byte %u", last_byte);
    return view;
}

/* --- 2.1: members --- */

static void test_pool__alone__takes_all_after_the_listening_time(void **state)
{
    (void)state;
    struct rig *rig = rig_new(1, 4);
    rig_start(rig, 100 * SECOND);
    rig_run(rig, 3 * SECOND);
    assert_int_equal(rig_load(rig), 0);
    rig_run(rig, 30 * US_PER_MS);
    assert_int_equal(rig_load(rig), 4);
    rig_free(rig);
}

/* Many fields could take 0 for "never"; a clock that has just begun must make no difference. */
static void test_pool__clock_at_zero__nothing_is_different(void **state)
{
    static const int64_t starts_us[] = {100 * SECOND, 0, 1, 2};
    unsigned sends[4], loads[4];
    (void)state;
    for (unsigned i = 0; i < 4; i++) {
        struct rig *rig = rig_new(1, 4);
        rig_start(rig, starts_us[i]);
        rig_peer(rig, 20, 100);
        rig_run(rig, 3 * SECOND + 10 * US_PER_MS);
        rig_peer_takes(rig, 20, 1, 240);
        rig_run(rig, 5 * SECOND);
        loads[i] = rig_load(rig);
        sends[i] = rig_count(rig, EFFECT_SEND);
        assert_int_equal(rig_notes(rig, NOTE_MEMBER_JOINED), 1);
        assert_int_equal(rig_notes(rig, NOTE_STALLED), 0);
        assert_int_equal(loads[i], loads[0]);
        assert_int_equal(sends[i], sends[0]);
        rig_free(rig);
    }
}

static void test_pool__member_heard__counted_told_and_planned_with(void **state)
{
    (void)state;
    struct rig *rig = rig_pair(4);
    assert_int_equal(rig_pool(rig).member_count, 2);
    assert_int_equal(rig_member(rig, 20).state, MEMBER_ACTIVE);
    assert_int_equal(rig_member(rig, 20).load, 2);
    rig_find_peer(rig, 20)->share = 1;
    rig_run(rig, RIG_MEMBER_US);
    assert_int_equal(rig_member(rig, 20).state, MEMBER_RESERVE);
    assert_int_equal(rig_notes(rig, NOTE_MEMBER_RESERVE), 1);
    rig_free(rig);
}

static void test_pool__advert_of_another_router__is_no_member(void **state)
{
    (void)state;
    struct rig *rig = rig_alone(2);
    struct advert advert = rig_advert(rig, 30, RIG_MEMBER, 100);
    struct addr other = rig_address(77);
    advert.addresses = &other;
    rig_hear_advert(rig, &advert);
    assert_int_equal(rig_pool(rig).member_count, 1);
    assert_int_equal(rig_counters(rig).foreign_vrid, 1);
    rig_free(rig);
}

static void test_pool__our_member_vrid_used_by_others__the_higher_address_keeps_it(void **state)
{
    (void)state;
    struct rig *rig = rig_alone(2);
    assert_int_equal(rig_pool(rig).member_vrid, RIG_SELF);
    struct advert advert = rig_advert(rig, 5, RIG_MEMBER, 100);
    advert.vrid = RIG_SELF;
    rig_hear_advert(rig, &advert);
    assert_int_equal(rig_pool(rig).member_vrid, RIG_SELF);
    advert = rig_advert(rig, 30, RIG_MEMBER, 100);
    advert.vrid = RIG_SELF;
    rig_hear_advert(rig, &advert);
    assert_int_equal(rig_pool(rig).member_vrid, RIG_SELF + 1);
    struct addr vip = rig_address(99);
    advert = rig_advert(rig, 5, RIG_MEMBER, 100);
    advert.vrid = RIG_SELF + 1;
    advert.addresses = &vip;
    rig_hear_advert(rig, &advert); /* a stranger's router, whatever its address */
    assert_int_equal(rig_pool(rig).member_vrid, RIG_SELF + 2);
    rig_free(rig);
}

static void test_pool__strict_members__others_are_ignored_but_their_vrid_is_avoided(void **state)
{
    (void)state;
    struct rig *rig = rig_new(1, 2);
    struct member_name names[1] = {{.name = "twenty"}};
    names[0].address = rig_address(20);
    rig->pools[0].strict_members = true;
    rig->pools[0].names = names;
    rig->pools[0].name_count = 1;
    rig_start(rig, 100 * SECOND);
    rig_run(rig, 5 * SECOND);
    rig_hear(rig, 30, RIG_MEMBER, 100);
    rig_hear(rig, 30, 0, 255);
    assert_int_equal(rig_counters(rig).not_member, 2);
    assert_int_equal(rig_pool(rig).member_count, 1);
    assert_int_equal(rig_load(rig), 2);
    struct advert advert = rig_advert(rig, 30, RIG_MEMBER, 100);
    advert.vrid = RIG_SELF;
    rig_hear_advert(rig, &advert);
    assert_int_not_equal(rig_pool(rig).member_vrid, RIG_SELF);
    rig_hear(rig, 20, RIG_MEMBER, 100);
    assert_int_equal(rig_pool(rig).member_count, 2);
    rig_free(rig);
}

static void test_pool__any_advert_of_a_member__proves_that_it_lives(void **state)
{
    (void)state;
    struct rig *rig = rig_pair(2);
    rig_find_peer(rig, 20)->share = 0; /* its member adverts are lost, its unit's are not */
    rig->peers[0].unit_next_us[0] = rig->now_us;
    for (unsigned i = 0; i < 8; i++) {
        rig_hear(rig, 20, 0, 253);
        rig_run(rig, RIG_MEMBER_US);
    }
    assert_int_equal(rig_member(rig, 20).state, MEMBER_ACTIVE);
    assert_int_equal(rig_load(rig), 1);
    rig_free(rig);
}

/* --- 2.4: priorities, a to i --- */

static void test_pool__member_active_with_lower_priority__is_not_preempted(void **state)
{
    (void)state;
    struct rig *rig = rig_pair(2);
    rig_peer_takes(rig, 20, 0, 2);
    rig_run(rig, 10 * SECOND);
    assert_false(rig_holds(rig, 0));
    rig_free(rig);
}

static void test_pool__member_dies__its_units_are_taken_after_skew_and_speak_more_quietly(void **state)
{
    (void)state;
    struct rig *rig = rig_pair(4);
    memset(rig_find_peer(rig, 20), 0, sizeof(struct rig_peer));
    rig_run(rig, 3 * RIG_MEMBER_US + SKEW_FIRST_US + US_PER_MS);
    assert_int_equal(rig_load(rig), 4);
    assert_int_equal(rig_notes(rig, NOTE_MEMBER_DEAD), 1);
    assert_int_equal(rig_pool(rig).lost_count, 1);
    assert_int_equal(rig_unit(rig, 0).priority, 252);
    assert_int_equal(rig_unit(rig, 0).last_reason, REASON_MEMBER_DEAD);
    rig_free(rig);
}

static void test_pool__member_leaves__its_units_are_taken_at_once_and_loudly(void **state)
{
    (void)state;
    struct rig *rig = rig_pair(4);
    memset(rig_find_peer(rig, 20), 0, sizeof(struct rig_peer));
    rig_hear(rig, 20, RIG_MEMBER, 0);
    rig_run(rig, SKEW_FIRST_US + US_PER_MS);
    assert_int_equal(rig_load(rig), 4);
    assert_int_equal(rig_pool(rig).lost_count, 0);
    assert_int_equal(rig_unit(rig, 0).priority, 253);
    rig_free(rig);
}

/* A partition heals: the smaller side must still be the quieter one when the first contests are decided. */
static void test_pool__member_back_from_the_dead__quiet_until_contests_are_over(void **state)
{
    (void)state;
    struct rig *rig = rig_pair(4);
    memset(rig_find_peer(rig, 20), 0, sizeof(struct rig_peer));
    rig_run(rig, 2 * SECOND);
    assert_int_equal(rig_unit(rig, 0).priority, 252);
    rig_peer(rig, 20, 100);
    rig_run(rig, 2 * RIG_MEMBER_US);
    assert_int_equal(rig_pool(rig).lost_count, 1);
    assert_int_equal(rig_unit(rig, 1).priority, 252);
    rig_run(rig, 4 * RIG_MEMBER_US);
    assert_int_equal(rig_pool(rig).lost_count, 0);
    assert_int_equal(rig_unit(rig, 1).priority, 253);
    rig_free(rig);
}

static void test_pool__weaker_claim__asserted_at_once_and_announced(void **state)
{
    (void)state;
    struct rig *rig = rig_pair(2);
    rig_hear(rig, 20, 1, 100);
    assert_int_equal(rig_sends(rig, 1, -1), 1);
    assert_int_equal(rig_count(rig, EFFECT_ANNOUNCE), 1);
    assert_int_equal(rig_notes(rig, NOTE_CONTEST), 1);
    assert_true(rig_unit(rig, 1).contested);
    rig_free(rig);
}

static void test_pool__newcomer__is_greeted_with_all_units(void **state)
{
    (void)state;
    struct rig *rig = rig_pair(6);
    rig_hear(rig, 30, RIG_MEMBER, 100);
    rig_run(rig, 0);
    assert_int_equal(rig_sends(rig, 1, -1), 1);
    assert_int_equal(rig_sends(rig, 3, -1), 1);
    assert_int_equal(rig_sends(rig, 5, -1), 1);
    rig_free(rig);
}

static void test_pool__packets_after_a_sleep__are_heard_before_anybody_is_judged(void **state)
{
    (void)state;
    struct rig *rig = rig_pair(2);
    rig_sleep(rig, 2 * RIG_MEMBER_US); /* shorter than our lease, and then some more until the tick */
    rig_hear(rig, 20, RIG_MEMBER, 100);
    rig_run(rig, 0);
    assert_int_equal(rig_notes(rig, NOTE_MEMBER_DEAD), 0);
    assert_int_equal(rig_notes(rig, NOTE_STALLED), 0);
    rig_free(rig);
}

static void test_pool__slept_longer_than_its_lease__transmits_nothing_before_it_listened(void **state)
{
    (void)state;
    struct rig *rig = rig_pair(4);
    rig->manual_kernel = true;
    rig_sleep(rig, 3 * RIG_MEMBER_US);
    rig_event(rig, (struct event){.kind = EVENT_TICK});
    assert_int_equal(rig_notes(rig, NOTE_STALLED), 1);
    assert_int_equal(rig_count(rig, EFFECT_SEND), 0);
    assert_int_equal(rig_unit(rig, 1).state, ROUTER_BACKUP);
    assert_int_equal(rig_notes(rig, NOTE_MEMBER_DEAD), 0);
    rig_free(rig);
}

static void test_pool__leaving_alone__all_removed_then_goodbye_then_the_units(void **state)
{
    (void)state;
    struct rig *rig = rig_alone(2);
    rig_mark(rig);
    rig->manual_kernel = true;
    rig_event(rig, (struct event){.kind = EVENT_LEAVE});
    rig_run(rig, 0);
    rig_level_done(rig, 0, 0);
    rig_run(rig, 10 * US_PER_MS);
    assert_int_equal(rig_count(rig, EFFECT_LEFT), 0);
    assert_int_equal(rig_sends(rig, 0, 0), 0);
    rig_level_done(rig, 1, 0);
    rig_run(rig, 0);
    assert_true(rig_position(rig, EFFECT_SEND, RIG_MEMBER, 0) < rig_position(rig, EFFECT_SEND, 0, 0));
    assert_int_equal(rig_sends(rig, 1, 0), 1);
    assert_int_equal(rig_count(rig, EFFECT_LEFT), 1);
    rig_run(rig, SECOND);
    assert_int_equal(rig_count(rig, EFFECT_LEFT), 1);
    rig_free(rig);
}

static void test_pool__leaving__units_are_given_away_and_goodbye_comes_last(void **state)
{
    (void)state;
    struct rig *rig = rig_pair(4);
    rig->manual_kernel = true;
    rig_event(rig, (struct event){.kind = EVENT_LEAVE});
    rig_run(rig, 0);
    assert_true(rig_sends(rig, RIG_MEMBER, 1) >= 1);
    rig_level_done(rig, 1, 0);
    rig_run(rig, 0);
    assert_int_equal(rig_sends(rig, 1, 0), 1);
    rig_peer_takes(rig, 20, 1, 253);
    rig_level_done(rig, 3, 0);
    rig_run(rig, 10 * US_PER_MS);
    assert_int_equal(rig_sends(rig, 3, 0), 1);
    assert_int_equal(rig_sends(rig, RIG_MEMBER, 0), 0);
    rig_peer_takes(rig, 20, 3, 253);
    rig_run(rig, 10 * US_PER_MS);
    assert_int_equal(rig_sends(rig, RIG_MEMBER, 0), 1);
    assert_int_equal(rig_count(rig, EFFECT_LEFT), 1);
    rig_free(rig);
}

static void test_pool__leaving_and_nobody_takes_over__goodbye_all_the_same(void **state)
{
    (void)state;
    struct rig *rig = rig_pair(40);
    rig_event(rig, (struct event){.kind = EVENT_LEAVE});
    rig_run(rig, 700 * US_PER_MS);
    assert_int_equal(rig_count(rig, EFFECT_LEFT), 0);
    rig_run(rig, 310 * US_PER_MS);
    assert_int_equal(rig_sends(rig, RIG_MEMBER, 0), 1);
    assert_int_equal(rig_count(rig, EFFECT_LEFT), 1);
    rig_run(rig, SECOND);
    assert_int_equal(rig_count(rig, EFFECT_LEFT), 1);
    rig_free(rig);
}

/* In every phase of a unit, and with the link down. */
static void test_pool__leaving_in_any_phase__ends(void **state)
{
    (void)state;
    for (unsigned phase = 0; phase < 4; phase++) {
        struct rig *rig = rig_pair(2);
        rig->manual_kernel = true;
        if (phase == 1) { /* taking */
            rig_hear(rig, 20, RIG_MEMBER, 0);
            rig_peer(rig, 20, 0)->holds[0] = 0;
            rig_run(rig, SKEW_FIRST_US + US_PER_MS);
            assert_int_equal(rig_unit(rig, 0).level, LEVEL_READY);
        } else if (phase == 2) { /* releasing */
            rig_command(rig, EVENT_RELEASE, 1);
            assert_int_equal(rig_unit(rig, 1).level, LEVEL_ABSENT);
        } else if (phase == 3) {
            rig_link(rig, 0, false, 0);
        }
        rig_event(rig, (struct event){.kind = EVENT_LEAVE});
        rig_event(rig, (struct event){.kind = EVENT_LEAVE});
        rig_run(rig, 0);
        for (unsigned u = 0; u < 2; u++) {
            if (rig_unit(rig, u).level_done != LEVEL_ABSENT || phase == 1) {
                rig_level_done(rig, phase == 1 ? u : 1, 0);
            }
        }
        rig_run(rig, RIG_MEMBER_US); /* nobody wants what was given away */
        assert_int_equal(rig_count(rig, EFFECT_LEFT), 1);
        rig_free(rig);
    }
}

static void test_pool__released_by_us__no_candidate_until_claimed_or_nobody_wants_it(void **state)
{
    (void)state;
    struct rig *rig = rig_pair(2);
    assert_int_equal(rig_command(rig, EVENT_RELEASE, 1), CORE_OK);
    assert_int_equal(rig_sends(rig, 1, 0), 1);
    rig_run(rig, RIG_MEMBER_US - 1);
    assert_false(rig_holds(rig, 1));
    rig_run(rig, 100 * US_PER_MS); /* the other one does not take it: somebody must */
    assert_true(rig_holds(rig, 1));
    rig_free(rig);
}

static void test_pool__two_die_at_once__all_orphans_are_planned_together(void **state)
{
    (void)state;
    struct rig *rig = rig_new(1, 6);
    rig_start(rig, 100 * SECOND);
    for (unsigned n = 0; n < 2; n++) {
        rig_peer(rig, 20 + n, 100);
        rig_peer_takes(rig, 20 + n, 2 * n, 253);
        rig_peer_takes(rig, 20 + n, 2 * n + 1, 253);
    }
    rig_run(rig, 10 * SECOND);
    assert_int_equal(rig_load(rig), 2);
    memset(rig->peers, 0, sizeof(rig->peers));
    rig_run(rig, 4 * RIG_MEMBER_US + 10 * US_PER_MS);
    assert_int_equal(rig_load(rig), 6);
    rig_free(rig);
}

/* --- strangers: the RFC --- */

static void test_pool__stronger_stranger__we_yield_at_once(void **state)
{
    (void)state;
    struct rig *rig = rig_alone(2);
    rig_hear(rig, 40, 0, 255);
    assert_int_equal(rig_unit(rig, 0).state, ROUTER_BACKUP);
    assert_int_equal(rig_unit(rig, 0).holder_kind, HOLDER_STRANGER);
    assert_int_equal(rig_sends(rig, 0, -1), 0);
    assert_false(rig_unit(rig, 0).pinned);
    rig_run(rig, 3 * SECOND + SECOND / 50);
    assert_true(rig_holds(rig, 0)); /* it fell silent: 3 intervals and skew */
    rig_free(rig);
}

static void test_pool__weaker_stranger__is_preempted_within_the_active_down_interval(void **state)
{
    (void)state;
    struct rig *rig = rig_new(1, 1);
    rig_start(rig, 100 * SECOND);
    rig_peer(rig, 40, 0);
    rig_peer_takes(rig, 40, 0, 100);
    rig_run(rig, 3 * SECOND + SECOND / 10);
    assert_true(rig_holds(rig, 0));
    rig_free(rig);
}

static void test_pool__strangers_timers__are_the_rfcs_once_it_is_known_for_one(void **state)
{
    (void)state;
    struct rig *rig = rig_new(1, 1);
    rig->pools[0].advert_interval_us = 100 * US_PER_MS;
    rig_start(rig, 100 * SECOND);
    rig_peer(rig, 40, 0);
    rig_peer_takes(rig, 40, 0, 254);
    rig_run(rig, 5 * SECOND);
    assert_int_equal(rig_unit(rig, 0).holder_kind, HOLDER_STRANGER);
    assert_int_equal(rig_notes(rig, NOTE_STRANGER), 1);
    rig_hear(rig, 40, 0, 254);
    rig_find_peer(rig, 40)->holds[0] = 0;
    rig_run(rig, 300 * US_PER_MS + 3 * 100 * US_PER_MS / 256 + 5 * US_PER_MS);
    assert_true(rig_holds(rig, 0));
    rig_free(rig);
}

/* A keepalived with a low priority, or one forged packet, must not make us forget who holds the unit. */
static void test_pool__weaker_stranger_beside_a_living_owner__changes_nobodys_plan(void **state)
{
    (void)state;
    struct rig *rig = rig_pair(4);
    rig_hear(rig, 40, 0, 1);
    rig_hear(rig, 41, 2, 200);
    rig_run(rig, 0);
    assert_int_equal(rig_unit(rig, 0).holder_kind, HOLDER_MEMBER);
    assert_int_equal(rig_unit(rig, 2).holder_kind, HOLDER_MEMBER);
    assert_int_equal(rig_member(rig, 20).load, 2);
    rig_run(rig, 10 * SECOND);
    assert_int_equal(rig_counters(rig).moves, 0);
    rig_free(rig);
}

static void test_pool__take_from_a_stranger__outbids_it(void **state)
{
    (void)state;
    struct rig *rig = rig_new(1, 1);
    rig_start(rig, 100 * SECOND);
    rig_peer(rig, 40, 0);
    rig_peer_takes(rig, 40, 0, 253);
    rig_find_peer(rig, 40)->last_byte = 5;
    rig_run(rig, 10 * SECOND);
    rig_find_peer(rig, 5)->holds[0] = 254; /* as strong as a pin, of a lower address */
    rig_run(rig, 5 * SECOND);
    assert_int_equal(rig_unit(rig, 0).holder_kind, HOLDER_STRANGER);
    assert_int_equal(rig_command(rig, EVENT_TAKE, 0), CORE_OK);
    rig_find_peer(rig, 5)->holds[0] = 253;
    rig_run(rig, 5 * SECOND);
    assert_int_equal(rig_unit(rig, 0).priority, 254);
    assert_true(rig_holds(rig, 0));
    rig_free(rig);
}

static void test_pool__priority_0_of_somebody_else__is_not_the_owners_word(void **state)
{
    (void)state;
    struct rig *rig = rig_pair(2);
    rig_hear(rig, 40, 0, 0);
    rig_run(rig, RIG_MEMBER_US);
    assert_false(rig_holds(rig, 0));
    assert_int_equal(rig_unit(rig, 0).holder_kind, HOLDER_MEMBER);
    rig_hear(rig, 40, 1, 0); /* ours: answered */
    assert_true(rig_sends(rig, 1, -1) >= 1);
    rig_free(rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pool__alone__takes_all_after_the_listening_time),
        cmocka_unit_test(test_pool__clock_at_zero__nothing_is_different),
        cmocka_unit_test(test_pool__member_heard__counted_told_and_planned_with),
        cmocka_unit_test(test_pool__advert_of_another_router__is_no_member),
        cmocka_unit_test(test_pool__our_member_vrid_used_by_others__the_higher_address_keeps_it),
        cmocka_unit_test(test_pool__strict_members__others_are_ignored_but_their_vrid_is_avoided),
        cmocka_unit_test(test_pool__any_advert_of_a_member__proves_that_it_lives),
        cmocka_unit_test(test_pool__member_active_with_lower_priority__is_not_preempted),
        cmocka_unit_test(test_pool__member_dies__its_units_are_taken_after_skew_and_speak_more_quietly),
        cmocka_unit_test(test_pool__member_leaves__its_units_are_taken_at_once_and_loudly),
        cmocka_unit_test(test_pool__member_back_from_the_dead__quiet_until_contests_are_over),
        cmocka_unit_test(test_pool__weaker_claim__asserted_at_once_and_announced),
        cmocka_unit_test(test_pool__newcomer__is_greeted_with_all_units),
        cmocka_unit_test(test_pool__packets_after_a_sleep__are_heard_before_anybody_is_judged),
        cmocka_unit_test(test_pool__slept_longer_than_its_lease__transmits_nothing_before_it_listened),
        cmocka_unit_test(test_pool__leaving_alone__all_removed_then_goodbye_then_the_units),
        cmocka_unit_test(test_pool__leaving__units_are_given_away_and_goodbye_comes_last),
        cmocka_unit_test(test_pool__leaving_and_nobody_takes_over__goodbye_all_the_same),
        cmocka_unit_test(test_pool__leaving_in_any_phase__ends),
        cmocka_unit_test(test_pool__released_by_us__no_candidate_until_claimed_or_nobody_wants_it),
        cmocka_unit_test(test_pool__two_die_at_once__all_orphans_are_planned_together),
        cmocka_unit_test(test_pool__stronger_stranger__we_yield_at_once),
        cmocka_unit_test(test_pool__weaker_stranger__is_preempted_within_the_active_down_interval),
        cmocka_unit_test(test_pool__strangers_timers__are_the_rfcs_once_it_is_known_for_one),
        cmocka_unit_test(test_pool__weaker_stranger_beside_a_living_owner__changes_nobodys_plan),
        cmocka_unit_test(test_pool__take_from_a_stranger__outbids_it),
        cmocka_unit_test(test_pool__priority_0_of_somebody_else__is_not_the_owners_word),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
