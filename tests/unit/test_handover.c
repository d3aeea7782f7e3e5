/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A core with other settings goes on where the old one stands. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/handover.h"
#include "core_rig.h"

#define ALL (-1)

static void name_pools(struct rig *rig, const char *first, const char *second)
{
    strcpy(rig->pools[0].name, first);
    strcpy(rig->pools[1].name, second);
}

static struct handover match(const struct rig *old, const struct rig *new)
{
    struct handover map = {.old_link = {0, 1}};

    handover_match(&old->settings, &new->settings, &map);
    return map;
}

static void retire(struct rig *rig, unsigned pool, int unit)
{
    struct event event = {
        .kind = EVENT_RETIRE, .pool = (uint8_t)pool, .unit = unit == ALL ? EFFECT_NO_UNIT : (uint16_t)unit};

    rig_event(rig, event);
    rig_event(rig, (struct event){.kind = EVENT_TICK});
}

static void take_over(const struct rig *old, struct rig *new, const struct handover *map)
{
    rig_fill_units(new);
    new->now_us = old->now_us;
    new->storage = malloc(core_storage_size(&new->settings));
    new->effects.capacity = effects_capacity(&new->settings);
    new->effects.list = calloc(new->effects.capacity, sizeof(struct effect));
    assert_true(new->storage != NULL &&new->effects.list != NULL);
    new->core = core_init(new->storage, &new->settings, (struct mono){new->now_us});
    core_take_over(new->core, old->core, map, (struct mono){new->now_us}, &new->effects);
}

/* What has no successor goes, then the new rig takes the place of the old one, which is freed. */
static struct rig *hand_over(struct rig *old, struct rig *new)
{
    struct handover map = match(old, new);

    for (unsigned p = 0; p < old->settings.pool_count; p++) {
        bool goes = handover_pool_heir(&map, &new->settings, p) == HANDOVER_NONE;

        if (goes)
            retire(old, p, ALL);
        for (unsigned u = 0; !goes && u < old->pools[p].unit_count; u++)
            if (handover_unit_heir(&map, &new->settings, p, u) == HANDOVER_NONE)
                retire(old, p, (int)u);
    }
    assert_true(core_is_retired(old->core));
    take_over(old, new, &map);
    core_ask_again(new->core, &new->effects);
    core_check(new->core);
    memcpy(new->peers, old->peers, sizeof(new->peers));
    new->peer_count = old->peer_count;
    rig_free(old);
    rig_link(new, 0, true, RIG_SELF);
    rig_event(new, (struct event){.kind = EVENT_TICK});
    return new;
}

static void test_handover__same_settings__nothing_is_said_or_done(void **state)
{
    struct rig *rig = rig_alone(6);
    struct mono deadline = core_deadline(rig->core);

    (void)state;
    rig = hand_over(rig, rig_new(1, 6));
    assert_int_equal(rig->logged, 0);
    assert_int_equal(rig_load(rig), 6);
    assert_true(core_deadline(rig->core).us == deadline.us);
    rig_run(rig, 5 * (int64_t)US_PER_S);
    assert_int_equal(rig_load(rig), 6);
    assert_int_equal(rig_count(rig, EFFECT_LEVEL), 0);
    rig_free(rig);
}

static void test_handover__unit_removed_and_one_added__the_others_stay(void **state)
{
    struct rig *rig = rig_alone(4);
    struct rig *next = rig_new(1, 4);

    (void)state;
    rig->units[0][1].vrid = 49; /* units are ordered by VRID elsewhere; here only their places matter */
    rig = hand_over(rig, next);
    assert_int_equal(rig_load(rig), 3);
    assert_false(rig_holds(rig, 1));
    rig_run(rig, 2 * (int64_t)US_PER_S); /* not before a whole silence */
    assert_false(rig_holds(rig, 1));
    rig_run(rig, 2 * (int64_t)US_PER_S);
    assert_true(rig_holds(rig, 1));
    assert_int_equal(rig_count(rig, EFFECT_LEVEL), 2);
    rig_free(rig);
}

static void test_retire__held_unit__said_after_it_is_gone_and_not_taken_again(void **state)
{
    struct rig *rig = rig_alone(3);

    (void)state;
    rig->manual_kernel = true;
    retire(rig, 0, 1);
    assert_int_equal(rig_sends(rig, 1, 0), 0);
    assert_false(core_is_retired(rig->core));
    rig_level_done(rig, 1, 0);
    assert_int_equal(rig_sends(rig, 1, 0), 1);
    assert_true(core_is_retired(rig->core));
    rig_run(rig, 20 * (int64_t)US_PER_S);
    assert_false(rig_holds(rig, 1));
    assert_int_equal(rig_load(rig), 2);
    rig_free(rig);
}

static void test_retire__one_pool_of_two_on_a_wire__the_host_stays_a_member(void **state)
{
    struct rig *rig = rig_new(2, 3);
    struct rig *next = rig_new(1, 3);

    (void)state;
    name_pools(rig, "web", "mail");
    name_pools(next, "web", "");
    rig_start(rig, 100 * (int64_t)US_PER_S);
    rig_run(rig, 5 * (int64_t)US_PER_S);
    rig_mark(rig);
    retire(rig, 1, ALL);
    assert_int_equal(rig_sends(rig, RIG_MEMBER, 0), 0);
    rig = hand_over(rig, next);
    rig_run(rig, US_PER_S);
    assert_int_equal(rig_load(rig), 3);
    assert_int_equal(rig_sends(rig, RIG_MEMBER, 0), 0);
    assert_true(rig_sends(rig, RIG_MEMBER, 100) >= 3);
    rig_free(rig);
}

static void test_retire__last_pool_of_a_wire__goodbye_before_the_units_words(void **state)
{
    struct rig *rig = rig_alone(3);

    (void)state;
    retire(rig, 0, ALL);
    rig_event(rig, (struct event){.kind = EVENT_TICK});
    assert_int_equal(rig_sends(rig, RIG_MEMBER, 0), 1);
    assert_int_equal(rig_sends(rig, 0, 0), 1);
    assert_true(rig_position(rig, EFFECT_SEND, RIG_MEMBER, 0) < rig_position(rig, EFFECT_SEND, 0, 0));
    assert_true(core_is_retired(rig->core));
    assert_int_equal(rig_count(rig, EFFECT_LEFT), 0);
    rig_free(rig);
}

static void test_handover__pool_added_on_a_wire_that_runs__speaks_without_goodbye(void **state)
{
    struct rig *rig = rig_alone(3);
    struct rig *next = rig_new(2, 3);

    (void)state;
    name_pools(rig, "web", "");
    name_pools(next, "web", "mail");
    rig = hand_over(rig, next);
    assert_int_equal(rig_sends(rig, RIG_MEMBER, 0), 0);
    rig_run(rig, 5 * (int64_t)US_PER_S);
    for (unsigned u = 0; u < 3; u++) {
        struct unit_view view;

        core_view_unit(rig->core, 1, u, &view);
        assert_int_equal(view.level_done, LEVEL_ANSWERING);
    }
    assert_int_equal(rig_load(rig), 3);
    assert_int_equal(rig_sends(rig, RIG_MEMBER, 0), 0);
    rig_free(rig);
}

static void test_match__renamed_pool__known_by_its_units(void **state)
{
    struct rig *old = rig_new(2, 3), *new = rig_new(2, 3);

    (void)state;
    name_pools(old, "web", "mail");
    name_pools(new, "web", "post");
    struct handover map = match(old, new);

    assert_int_equal(map.old_pool[0], 0);
    assert_int_equal(map.old_pool[1], 1);
    assert_int_equal(map.old_unit[1][2], 2);
    name_pools(new, "mail", "web"); /* swapped names: VRIDs decide nothing then */
    map = match(old, new);
    assert_int_equal(map.old_pool[0], 1);
    assert_int_equal(map.old_unit[0][0], HANDOVER_NONE);
    rig_free(old);
    rig_free(new);
}

static void test_match__another_link_family_or_version__another_pool(void **state)
{
    struct rig *old = rig_new(1, 3), *new = rig_new(1, 3);

    (void)state;
    assert_int_equal(match(old, new).old_pool[0], 0);
    new->pools[0].version = 2;
    assert_int_equal(match(old, new).old_pool[0], HANDOVER_NONE);
    new->pools[0].version = 3;
    new->pools[0].link = 1;
    assert_int_equal(match(old, new).old_pool[0], HANDOVER_NONE);
    new->pools[0].link = 0;
    new->pools[0].family = FAMILY_IPV6;
    assert_int_equal(match(old, new).old_pool[0], HANDOVER_NONE);
    rig_free(old);
    rig_free(new);
}

/* The others count from what was said last: a longer lease begins with the first advertisement that says so. */
static void test_handover__longer_interval__the_lease_is_the_old_one_until_it_is_said(void **state)
{
    struct rig *rig = rig_alone(2);
    struct rig *next = rig_new(1, 2);
    struct handover map;
    struct event tick = {.kind = EVENT_TICK};

    (void)state;
    next->pools[0].member_interval_us = 1000 * (int64_t)US_PER_MS;
    map = match(rig, next);
    take_over(rig, next, &map);
    next->now_us += RIG_MEMBER_US * 5 / 2 + 1000; /* stopped here, before a word was said */
    rig_event(next, tick);
    assert_int_equal(rig_notes(next, NOTE_STALLED), 1);
    assert_int_equal(rig_load(next), 0);
    rig_free(rig);
    rig_free(next);
}

static void test_handover__shorter_interval__said_at_once(void **state)
{
    struct rig *rig = rig_alone(2);
    struct rig *next = rig_new(1, 2);

    (void)state;
    next->pools[0].member_interval_us = 100 * (int64_t)US_PER_MS;
    next->pools[0].advert_interval_us = 500 * (int64_t)US_PER_MS;
    rig = hand_over(rig, next);
    assert_int_equal(rig_sends(rig, RIG_MEMBER, 100), 1);
    assert_int_equal(rig_sends(rig, 0, -1), 1);
    rig_run(rig, 10 * (int64_t)US_PER_S);
    assert_int_equal(rig_notes(rig, NOTE_STALLED), 0);
    assert_int_equal(rig_load(rig), 2);
    rig_free(rig);
}

static void test_handover__level_under_way__asked_for_again(void **state)
{
    struct rig *rig = rig_new(1, 1);
    struct rig *next = rig_new(1, 1);

    (void)state;
    rig_start(rig, 100 * (int64_t)US_PER_S);
    rig->manual_kernel = true;
    rig_run(rig, 4 * (int64_t)US_PER_S);
    assert_int_equal(rig_unit(rig, 0).level, LEVEL_READY);
    struct handover map = match(rig, next);

    rig_mark(rig);
    take_over(rig, next, &map);
    assert_int_equal(next->effects.count, 0);
    core_ask_again(next->core, &next->effects);
    assert_int_equal(next->effects.count, 1);
    assert_int_equal(next->effects.list[0].kind, EFFECT_LEVEL);
    assert_int_equal(next->effects.list[0].level, LEVEL_READY);
    rig_free(rig);
    rig_free(next);
}

static void test_handover__share_and_pin_and_counters__kept(void **state)
{
    struct rig *rig = rig_alone(3);

    (void)state;
    assert_int_equal(rig_command(rig, EVENT_TAKE, 2), CORE_OK);
    rig_event(rig, (struct event){.kind = EVENT_SHARE, .share = 7});
    uint64_t sent = rig_counters(rig).member_adverts_sent;

    rig = hand_over(rig, rig_new(1, 3));
    assert_true(rig_unit(rig, 2).pinned_here);
    assert_int_equal(rig_pool(rig).share, 7);
    assert_true(rig_counters(rig).member_adverts_sent >= sent && sent > 0);
    rig_free(rig);
}

/* --- hosts that have another file still (elsewhere.c) --- */

/* A member advertises, each second, `count` addresses from unit 0's on under the VRID; it has unit 1, too. */
static void rig_hear_for(struct rig *rig, unsigned vrid, unsigned priority, unsigned count, unsigned seconds)
{
    for (unsigned i = 0; i < seconds; i++) {
        struct advert advert = rig_advert(rig, 20, 0, priority);
        advert.vrid = (uint8_t)vrid;
        advert.addresses = rig->addresses[0];
        advert.address_count = (uint8_t)count;
        rig_hear_advert(rig, &advert);
        rig_run(rig, US_PER_S);
    }
}

static void test_elsewhere__address_under_another_vrid__is_left_there_while_it_is_heard(void **state)
{
    (void)state;
    struct rig *rig = rig_new(1, 1);
    rig_start(rig, 100 * US_PER_S);
    rig_peer(rig, 20, 100);
    rig_hear_for(rig, 200, 253, 1, 10);
    assert_false(rig_holds(rig, 0));
    rig_hear_for(rig, 200, 0, 1, 1);
    assert_true(rig_holds(rig, 0));
    rig_hear_for(rig, 200, 1, 1, 2); /* and the stronger of two keeps it */
    assert_true(rig_holds(rig, 0));
    rig_hear_for(rig, 200, 254, 1, 5);
    assert_false(rig_holds(rig, 0));
    rig_run(rig, 5 * US_PER_S); /* it fell silent, and its host lives */
    assert_true(rig_holds(rig, 0));
    rig_free(rig);
}

static void test_elsewhere__address_in_another_units_list__is_left_there_too(void **state)
{
    (void)state;
    struct rig *rig = rig_new(1, 2);
    rig_start(rig, 100 * US_PER_S);
    rig_peer(rig, 20, 100);
    rig_hear_for(rig, RIG_FIRST_VRID + 1, 253, 2, 10);
    assert_false(rig_holds(rig, 0));
    rig_peer(rig, 20, 0);
    rig_run(rig, 2 * US_PER_S); /* it died */
    assert_true(rig_holds(rig, 0) && rig_holds(rig, 1));
    rig_free(rig);
}

/* The last word under the other VRID is long ago: its unit is one like any other. */
static void test_elsewhere__who_once_had_it_there_dies__no_longer_gap_than_another(void **state)
{
    (void)state;
    struct rig *rig = rig_new(1, 1);
    rig_start(rig, 100 * US_PER_S);
    rig_peer(rig, 20, 100);
    rig_hear_for(rig, 200, 253, 1, 5);
    rig_peer_takes(rig, 20, 0, 253);
    rig_hear_for(rig, 200, 0, 1, 1);
    rig_run(rig, 20 * US_PER_S);
    assert_false(rig_holds(rig, 0));
    rig_peer(rig, 20, 0);
    rig_run(rig, 3 * RIG_MEMBER_US + RIG_MEMBER_US / 2);
    assert_true(rig_holds(rig, 0));
    rig_free(rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_elsewhere__who_once_had_it_there_dies__no_longer_gap_than_another),
        cmocka_unit_test(test_elsewhere__address_under_another_vrid__is_left_there_while_it_is_heard),
        cmocka_unit_test(test_elsewhere__address_in_another_units_list__is_left_there_too),
        cmocka_unit_test(test_handover__same_settings__nothing_is_said_or_done),
        cmocka_unit_test(test_handover__unit_removed_and_one_added__the_others_stay),
        cmocka_unit_test(test_retire__held_unit__said_after_it_is_gone_and_not_taken_again),
        cmocka_unit_test(test_retire__one_pool_of_two_on_a_wire__the_host_stays_a_member),
        cmocka_unit_test(test_retire__last_pool_of_a_wire__goodbye_before_the_units_words),
        cmocka_unit_test(test_handover__pool_added_on_a_wire_that_runs__speaks_without_goodbye),
        cmocka_unit_test(test_match__renamed_pool__known_by_its_units),
        cmocka_unit_test(test_match__another_link_family_or_version__another_pool),
        cmocka_unit_test(test_handover__longer_interval__the_lease_is_the_old_one_until_it_is_said),
        cmocka_unit_test(test_handover__shorter_interval__said_at_once),
        cmocka_unit_test(test_handover__level_under_way__asked_for_again),
        cmocka_unit_test(test_handover__share_and_pin_and_counters__kept),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
