/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Instances with other settings go on where they stand. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "core/handover.h"
#include "instance_rig.h"

/* Named V1, V2, ... */
static struct rig *make(unsigned count)
{
    struct rig *rig = rig_new(count, 3, FAMILY_IPV4);

    for (unsigned u = 0; u < count; u++)
        snprintf(rig->instances[u].name, sizeof(rig->instances[u].name), "V%u", rig->units[u].vrid);
    return rig;
}

static struct rig *make_active(unsigned count)
{
    struct rig *rig = make(count);

    rig_start(rig);
    rig_run(rig, 4 * RIG_DOWN_US);
    for (unsigned u = 0; u < count; u++)
        assert_int_equal(rig_state(rig, u), INSTANCE_ACTIVE);
    rig_mark(rig);
    return rig;
}

static struct rig *hand_over(struct rig *old, struct rig *new)
{
    struct handover map = {.old_link = {0}};

    handover_match(&old->settings, &new->settings, &map);
    for (unsigned u = 0; u < old->set.unit_count; u++)
        if (handover_unit_heir(&map, &new->settings, 0, u) == HANDOVER_NONE)
            rig_event(old, (struct event){.kind = EVENT_RETIRE, .unit = (uint16_t)u});
    rig_event(old, (struct event){.kind = EVENT_TICK});
    assert_true(core_is_retired(old->core));
    new->now_us = old->now_us;
    new->storage = malloc(core_storage_size(&new->settings));
    new->effects.capacity = effects_capacity(&new->settings);
    new->effects.list = calloc(new->effects.capacity, sizeof(struct effect));
    assert_true(new->storage != NULL &&new->effects.list != NULL);
    new->core = core_init(new->storage, &new->settings, (struct mono){new->now_us});
    core_take_over(new->core, old->core, &map, (struct mono){new->now_us}, &new->effects);
    core_ask_again(new->core, &new->effects);
    core_check(new->core);
    rig_free(old);
    rig_link(new, true, RIG_SELF);
    rig_event(new, (struct event){.kind = EVENT_TICK});
    return new;
}

static void test_instances__same_settings__nothing_happens(void **state)
{
    struct rig *rig = make_active(3);

    (void)state;
    rig = hand_over(rig, make(3));
    assert_int_equal(rig->logged, 0);
    rig_run(rig, 10 * RIG_DOWN_US);
    for (unsigned u = 0; u < 3; u++)
        assert_int_equal(rig_state(rig, u), INSTANCE_ACTIVE);
    assert_int_equal(rig_notes(rig, NOTE_INSTANCE_STATE), 0);
    assert_true(rig_counters(rig, 0).became_active == 1);
    rig_free(rig);
}

static void test_instances__one_gone_one_new__the_others_stay(void **state)
{
    struct rig *rig = make_active(3);
    struct rig *next = make(3);

    (void)state;
    snprintf(next->instances[1].name, sizeof(next->instances[1].name), "other");
    rig = hand_over(rig, next);
    assert_int_equal(rig_state(rig, 0), INSTANCE_ACTIVE);
    assert_int_equal(rig_state(rig, 1), INSTANCE_BACKUP);
    rig_run(rig, 2 * RIG_DOWN_US);
    assert_int_equal(rig_state(rig, 1), INSTANCE_ACTIVE);
    assert_int_equal(rig_notes(rig, NOTE_INSTANCE_STATE), 2);
    rig_free(rig);
}

static void test_instances__retired__says_so_after_it_is_gone(void **state)
{
    struct rig *rig = make_active(2);

    (void)state;
    rig->manual_kernel = true;
    rig_event(rig, (struct event){.kind = EVENT_RETIRE, .unit = 1});
    assert_int_equal(rig_sends(rig, 1, 0), 0);
    assert_false(core_is_retired(rig->core));
    rig_level_done(rig, 1, 0);
    assert_int_equal(rig_sends(rig, 1, 0), 1);
    assert_true(core_is_retired(rig->core));
    rig_run(rig, 10 * RIG_DOWN_US);
    assert_int_equal(rig_state(rig, 1), INSTANCE_STOPPED);
    assert_int_equal(rig_state(rig, 0), INSTANCE_ACTIVE);
    rig_free(rig);
}

static void test_instances__priority_and_interval_changed__said_at_once(void **state)
{
    struct rig *rig = make_active(1);
    struct rig *next = make(1);

    (void)state;
    next->instances[0].priority = 77;
    next->units[0].advert_interval_us = 2 * RIG_INTERVAL_US;
    rig = hand_over(rig, next);
    assert_true(rig_sends(rig, 0, 77) >= 1);
    rig_mark(rig);
    rig_run(rig, 4 * RIG_INTERVAL_US);
    assert_int_equal(rig_sends(rig, 0, 77), 2);
    assert_int_equal(rig_state(rig, 0), INSTANCE_ACTIVE);
    rig_free(rig);
}

static void test_instances__backup__stays_backup_of_whom_it_heard(void **state)
{
    struct rig *rig = make(1);

    (void)state;
    rig_start(rig);
    rig_feed(rig, 9, 0, 200, 3 * RIG_DOWN_US);
    assert_int_equal(rig_state(rig, 0), INSTANCE_BACKUP);
    rig = hand_over(rig, make(1));
    rig_mark(rig);
    rig_feed(rig, 9, 0, 200, 5 * RIG_DOWN_US);
    assert_int_equal(rig_notes(rig, NOTE_INSTANCE_STATE), 0);
    rig_free(rig);
}

static void set_group(struct rig *rig, unsigned count)
{
    rig->settings.group_count = 1;
    for (unsigned u = 0; u < count; u++)
        rig->instances[u].group = 0;
}

static void test_instances__one_of_a_group_gone__the_group_stays_active(void **state)
{
    struct rig *rig = make(3);
    struct rig *next = make(2);

    (void)state;
    set_group(rig, 3);
    set_group(next, 2);
    rig_start(rig);
    rig_run(rig, 6 * RIG_DOWN_US);
    assert_int_equal(rig_group(rig, 0).state, INSTANCE_ACTIVE);
    rig_mark(rig);
    rig = hand_over(rig, next);
    rig_run(rig, 6 * RIG_DOWN_US);
    assert_int_equal(rig_group(rig, 0).state, INSTANCE_ACTIVE);
    assert_int_equal(rig_notes(rig, NOTE_INSTANCE_STATE), 0);
    assert_int_equal(rig_notes(rig, NOTE_GROUP_STATE), 0);
    rig_free(rig);
}

static void test_instances__weight_and_fault__kept(void **state)
{
    struct rig *rig = make_active(2);

    (void)state;
    rig_track(rig, 0, false, -30);
    rig_track(rig, 1, true, 0);
    rig_run(rig, RIG_INTERVAL_US);
    rig = hand_over(rig, make(2));
    assert_int_equal(rig_view(rig, 0).priority, 70);
    rig_run(rig, 5 * RIG_DOWN_US);
    assert_int_equal(rig_state(rig, 1), INSTANCE_FAULT);
    rig_free(rig);
}

static void test_match__another_vrid_under_the_name__another_instance(void **state)
{
    struct rig *old = make(2), *new = make(2);
    struct handover map = {.old_link = {0}};

    (void)state;
    new->units[1].vrid = 99;
    handover_match(&old->settings, &new->settings, &map);
    assert_int_equal(map.old_unit[0][0], 0);
    assert_int_equal(map.old_unit[0][1], HANDOVER_NONE);
    rig_free(old);
    rig_free(new);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_instances__same_settings__nothing_happens),
        cmocka_unit_test(test_instances__one_gone_one_new__the_others_stay),
        cmocka_unit_test(test_instances__retired__says_so_after_it_is_gone),
        cmocka_unit_test(test_instances__priority_and_interval_changed__said_at_once),
        cmocka_unit_test(test_instances__backup__stays_backup_of_whom_it_heard),
        cmocka_unit_test(test_instances__one_of_a_group_gone__the_group_stays_active),
        cmocka_unit_test(test_instances__weight_and_fault__kept),
        cmocka_unit_test(test_match__another_vrid_under_the_name__another_instance),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
