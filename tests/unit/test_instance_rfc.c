/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * RFC 9568 and RFC 3768 as an outsider would check them: what an instance sends and when, state by state. Timers are
 * exact here: the rig has no network and no slow kernel. What is refused is test_instance_hear.c's.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "instance_rig.h"

#define SECOND ((int64_t)US_PER_S)
#define MS ((int64_t)US_PER_MS)

static struct rig *started(unsigned version, enum family family, unsigned priority)
{
    struct rig *rig = rig_new(1, version, family);

    rig->instances[0].priority = (uint8_t)priority;
    rig_start(rig);
    return rig;
}

/* Backup of 10.77.0.2 with priority 200, which was heard this very moment. */
static struct rig *backup(unsigned version, enum family family)
{
    struct rig *rig = started(version, family, 100);

    rig_feed(rig, 2, 0, 200, 5 * rig->units[0].advert_interval_us);
    rig_hear(rig, 2, 0, 200);
    assert_int_equal(rig_state(rig, 0), INSTANCE_BACKUP);
    rig_mark(rig);
    return rig;
}

/* --- 1, 2: start --- */

static void start_alone(unsigned version, enum family family, int64_t down_us, int64_t interval_us)
{
    struct rig *rig = started(version, family, 100);

    rig_run(rig, down_us + 3 * interval_us);
    assert_int_equal(rig_sent_at(rig, 0, 0) - 100 * SECOND, down_us);
    assert_int_equal(rig_sent_at(rig, 0, 1) - 100 * SECOND, down_us + interval_us);
    assert_int_equal(rig_sent_at(rig, 0, 2) - 100 * SECOND, down_us + 2 * interval_us);
    rig_free(rig);
}

static void test_start__nobody_there__first_advertisement_after_the_down_interval(void **state)
{
    (void)state;
    start_alone(3, FAMILY_IPV4, RIG_DOWN_US, RIG_INTERVAL_US);
    start_alone(3, FAMILY_IPV6, RIG_DOWN_US, RIG_INTERVAL_US);
    start_alone(2, FAMILY_IPV4, 3609375, SECOND); /* skew: 156/256 of a second */
}

static void test_start__owner__active_at_once(void **state)
{
    (void)state;
    struct rig *rig = started(3, FAMILY_IPV4, 255);

    assert_int_equal(rig_sent_at(rig, 0, 0), 100 * SECOND);
    assert_int_equal(rig_packet(rig, 0, 0)->effect.priority, 255);
    rig_run(rig, 2 * MS);
    assert_int_equal(rig_count(rig, EFFECT_ANNOUNCE, 0), 1);
    rig_free(rig);
}

/* --- 3, 4, 5: what is sent --- */

static void test_send__version_3__golden_bytes(void **state)
{
    static const uint8_t golden[] = {0x31, 0x01, 0x64, 0x01, 0x00, 0x14};
    (void)state;
    struct rig *rig = started(3, FAMILY_IPV4, 100);

    rig_run(rig, SECOND);
    const uint8_t *packet = rig_packet(rig, 0, 0)->packet;
    assert_int_equal(rig_packet(rig, 0, 0)->length, 20 + 8 + 4);
    assert_int_equal(packet[8], 255);
    assert_int_equal(packet[9], 112);
    assert_memory_equal(packet + 12, ((const uint8_t[]){10, 77, 0, 1, 224, 0, 0, 18}), 8);
    assert_memory_equal(packet + 20, golden, sizeof(golden));
    assert_memory_equal(packet + 28, ((const uint8_t[]){10, 77, 0, 50}), 4);
    rig_free(rig);
}

static void test_send__version_2__seconds_and_authentication_data(void **state)
{
    static const uint8_t golden[] = {0x21, 0x01, 0x64, 0x01, 0x00, 0x01};
    static const uint8_t zero[8];
    (void)state;
    struct rig *rig = started(2, FAMILY_IPV4, 100);

    rig_run(rig, 4 * SECOND);
    const uint8_t *packet = rig_packet(rig, 0, 0)->packet;
    assert_int_equal(rig_packet(rig, 0, 0)->length, 20 + 8 + 4 + 8);
    assert_memory_equal(packet + 20, golden, sizeof(golden));
    assert_memory_equal(packet + 32, zero, sizeof(zero));
    rig_free(rig);
}

static void test_send__version_2_with_password__in_the_packet(void **state)
{
    (void)state;
    struct rig *rig = rig_new(1, 2, FAMILY_IPV4);

    rig->instances[0].auth_type = 1;
    memcpy(rig->instances[0].auth, "secret", 6);
    rig_start(rig);
    rig_run(rig, 4 * SECOND);
    const uint8_t *packet = rig_packet(rig, 0, 0)->packet;
    assert_int_equal(packet[24], 1);
    assert_memory_equal(packet + 32, "secret\0\0", 8);
    rig_free(rig);
}

static void test_send__ipv6__link_local_first(void **state)
{
    (void)state;
    struct rig *rig = started(3, FAMILY_IPV6, 100);

    rig_run(rig, SECOND);
    const uint8_t *packet = rig_packet(rig, 0, 0)->packet;
    assert_int_equal(packet[7], 255);
    assert_memory_equal(packet + 8, rig_address(FAMILY_IPV6, 1).bytes, 16);
    assert_memory_equal(packet + 24, wire_group(FAMILY_IPV6).bytes, 16);
    assert_memory_equal(packet + 48, rig_address(FAMILY_IPV6, 50).bytes, 16);
    rig_free(rig);
}

static void test_send__checksum_auto__the_form_last_heard(void **state)
{
    (void)state;
    struct rig *rig = started(3, FAMILY_IPV4, 100);
    struct advert advert = rig_advert(rig, 2, 0, 50);

    assert_int_equal(rig_view(rig, 0).checksum, WIRE_CHECKSUM_PLAIN);
    advert.checksum = WIRE_CHECKSUM_PSEUDO;
    rig_hear_advert(rig, &advert);
    assert_int_equal(rig_view(rig, 0).checksum, WIRE_CHECKSUM_PSEUDO);
    rig_free(rig);
}

/* --- 6: becoming Active --- */

static void test_take__order__addresses_advertisement_answer_announcement(void **state)
{
    (void)state;
    struct rig *rig = started(3, FAMILY_IPV4, 100);

    rig_run(rig, SECOND);
    unsigned ready = rig_position(rig, EFFECT_LEVEL, 0, LEVEL_READY), sent = rig_position(rig, EFFECT_SEND, 0, 100);
    unsigned open = rig_position(rig, EFFECT_LEVEL, 0, LEVEL_ANSWERING);
    unsigned announced = rig_position(rig, EFFECT_ANNOUNCE, 0, -1);
    assert_true(ready < sent && sent < open && open < announced && announced < RIG_LOG);
    rig_free(rig);
}

/* --- 22 to 26: Backup --- */

static void test_backup__slower_active__its_interval_is_learnt(void **state)
{
    (void)state;
    struct rig *rig = started(3, FAMILY_IPV4, 100);
    struct advert advert = rig_advert(rig, 2, 0, 200);

    advert.interval_us = 500 * US_PER_MS;
    rig_hear_advert(rig, &advert);
    assert_int_equal(rig_counters(rig, 0).interval_differs, 1);
    assert_int_equal(rig_notes(rig, NOTE_INTERVAL_DIFFERS), 1);
    assert_int_equal(rig_until_active(rig, 0, 3 * SECOND), 1500 * MS + 500 * MS * 156 / 256);
    rig_mark(rig);
    rig_run(rig, SECOND); /* our own period is ours */
    assert_int_equal(rig_sent_at(rig, 0, 1) - rig_sent_at(rig, 0, 0), RIG_INTERVAL_US);
    rig_free(rig);
}

static void test_backup__priority_0__active_after_skew(void **state)
{
    (void)state;
    struct rig *rig = backup(3, FAMILY_IPV4);

    rig_hear(rig, 2, 0, 0);
    assert_int_equal(rig_until_active(rig, 0, SECOND), RIG_SKEW_US);
    assert_int_equal(rig_counters(rig, 0).last_active_reason, REASON_RELEASED);
    assert_int_equal(rig_counters(rig, 0).zero_received, 1);
    rig_free(rig);
    rig = backup(2, FAMILY_IPV4);
    rig_hear(rig, 2, 0, 0);
    assert_int_equal(rig_until_active(rig, 0, SECOND), 156 * SECOND / 256);
    rig_free(rig);
}

static void test_backup__priority_0_of_a_third__the_active_still_counts(void **state)
{
    (void)state;
    struct rig *rig = backup(3, FAMILY_IPV4);

    rig_hear(rig, 3, 0, 0);
    assert_int_equal(rig_until_active(rig, 0, SECOND), RIG_DOWN_US);
    rig_free(rig);
}

static void test_backup__silence__active_after_the_down_interval(void **state)
{
    (void)state;
    struct rig *rig = backup(3, FAMILY_IPV4);

    assert_int_equal(rig_until_active(rig, 0, SECOND), RIG_DOWN_US);
    assert_int_equal(rig_counters(rig, 0).last_active_reason, REASON_TIMEOUT);
    rig_free(rig);
    rig = backup(3, FAMILY_IPV6);
    assert_int_equal(rig_until_active(rig, 0, SECOND), RIG_DOWN_US);
    rig_free(rig);
    rig = backup(2, FAMILY_IPV4);
    assert_int_equal(rig_until_active(rig, 0, 4 * SECOND), 3609375);
    rig_free(rig);
}

static void test_backup__equal_priority__stays_whatever_the_address(void **state)
{
    (void)state;
    struct rig *rig = started(3, FAMILY_IPV4, 100);

    rig_feed(rig, 2, 0, 100, 2 * SECOND);
    rig_link(rig, true, 9); /* a restart as 10.77.0.9, above its address */
    rig_feed(rig, 2, 0, 100, 2 * SECOND);
    assert_int_equal(rig_state(rig, 0), INSTANCE_BACKUP);
    rig_free(rig);
}

static void test_backup__weaker_active__preempted_or_not(void **state)
{
    (void)state;
    struct rig *rig = started(3, FAMILY_IPV4, 100);

    rig_feed(rig, 2, 0, 99, RIG_DOWN_US);
    assert_int_equal(rig_state(rig, 0), INSTANCE_ACTIVE);
    assert_int_equal(rig_sent_at(rig, 0, 0) - 100 * SECOND, RIG_DOWN_US);
    assert_int_equal(rig_counters(rig, 0).last_active_reason, REASON_PREEMPTED);
    rig_free(rig);

    rig = rig_new(1, 3, FAMILY_IPV4);
    rig->instances[0].preempt = false;
    rig_start(rig);
    struct advert advert = rig_advert(rig, 2, 0, 99);
    advert.interval_us = 300 * US_PER_MS;
    for (unsigned i = 0; i < 10; i++) {
        rig_hear_advert(rig, &advert);
        rig_run(rig, 300 * US_PER_MS);
    }
    assert_int_equal(rig_state(rig, 0), INSTANCE_BACKUP);
    rig_hear_advert(rig, &advert);
    assert_int_equal(rig_until_active(rig, 0, 2 * SECOND), 900 * MS + 300 * MS * 156 / 256);
    rig_free(rig);
}

/* --- a weaker Active that hangs --- */

static void test_preempt__weaker_fell_silent__waited_for_as_for_any_active(void **state)
{
    (void)state;
    struct rig *rig = rig_new(1, 3, FAMILY_IPV4);

    rig_start(rig);
    rig_run(rig, 300 * MS);
    rig_hear(rig, 2, 0, 50); /* its only word: it may hang since, and answer until its lease ends */
    assert_int_equal(rig_until_active(rig, 0, 2 * SECOND), RIG_DOWN_US);
    rig_free(rig);
}

/* A weaker one took what the Active, silent by then, had left; it may hang in its turn. */
static void test_preempt__weaker_beside_a_silent_active__waited_for_too(void **state)
{
    (void)state;
    struct rig *rig = rig_new(1, 3, FAMILY_IPV4);

    rig_start(rig);
    rig_hear(rig, 3, 0, 150);
    rig_run(rig, 300 * MS);
    rig_hear(rig, 2, 0, 50);
    assert_int_equal(rig_until_active(rig, 0, 2 * SECOND), RIG_DOWN_US);
    rig_free(rig);
}

static void test_preempt__weaker_beside_a_silent_active__released_by_it(void **state)
{
    (void)state;
    struct rig *rig = rig_new(1, 3, FAMILY_IPV4);

    rig_start(rig);
    rig_hear(rig, 3, 0, 150);
    rig_run(rig, 2 * RIG_INTERVAL_US);
    rig_hear(rig, 2, 0, 50);
    rig_run(rig, RIG_INTERVAL_US / 2);
    rig_hear(rig, 2, 0, 0);
    assert_int_equal(rig_until_active(rig, 0, 2 * SECOND), RIG_INTERVAL_US / 2 + RIG_SKEW_US);
    rig_free(rig);
}

static void test_preempt__weaker_opposed_by_the_active__has_yielded(void **state)
{
    (void)state;
    struct rig *rig = rig_new(1, 3, FAMILY_IPV4);

    rig_start(rig);
    rig_hear(rig, 3, 0, 150);
    rig_run(rig, 150 * MS);
    rig_hear(rig, 2, 0, 50);
    rig_run(rig, MS);
    rig_hear(rig, 3, 0, 150);
    assert_int_equal(rig_until_active(rig, 0, 2 * SECOND), RIG_DOWN_US);
    rig_free(rig);
}

static void test_preempt__packets_of_a_sleep__count_from_when_they_came(void **state)
{
    (void)state;
    struct rig *rig = rig_new(1, 3, FAMILY_IPV4);
    uint8_t packet[WIRE_PACKET_MAX];

    rig_start(rig);
    rig_run(rig, 600 * MS);
    int64_t received_us = rig->now_us;
    rig_sleep(rig, 300 * MS);
    struct advert advert = rig_advert(rig, 2, 0, 50);
    size_t length = wire_encode(&advert, packet, sizeof(packet));
    rig_event(rig, (struct event){
                       .kind = EVENT_PACKET, .packet = packet, .packet_length = length, .received = {received_us}});
    rig_event(rig, (struct event){.kind = EVENT_TICK});
    assert_int_equal(rig_view(rig, 0).want, INSTANCE_BACKUP);
    assert_int_equal(rig_until_active(rig, 0, 2 * SECOND), RIG_DOWN_US - 300 * MS);
    rig_free(rig);
}

static void test_preempt__weaker_falls_silent_while_taking__given_up(void **state)
{
    (void)state;
    struct rig *rig = rig_new(1, 3, FAMILY_IPV4);

    rig->manual_kernel = true;
    rig_start(rig);
    rig_feed(rig, 2, 0, 50, 4 * RIG_INTERVAL_US);
    assert_int_equal(rig_view(rig, 0).want, INSTANCE_ACTIVE);
    rig_sleep(rig, RIG_INTERVAL_US);
    rig_level_done(rig, 0, 0);
    rig_run(rig, 0);
    assert_int_equal(rig_sends(rig, 0, -1), 0);
    assert_int_equal(rig_view(rig, 0).want, INSTANCE_BACKUP);
    rig_free(rig);
}

static void test_preempt__weaker_releases_while_taking__taken(void **state)
{
    (void)state;
    struct rig *rig = rig_new(1, 3, FAMILY_IPV4);

    rig->manual_kernel = true;
    rig_start(rig);
    rig_feed(rig, 2, 0, 50, 4 * RIG_INTERVAL_US);
    rig_hear(rig, 2, 0, 0);
    rig_sleep(rig, RIG_INTERVAL_US);
    rig_level_done(rig, 0, 0);
    rig_run(rig, 0);
    assert_int_equal(rig_sends(rig, 0, 100), 1);
    rig_free(rig);
}

/* --- 27 to 33: Active --- */

static void test_active__priority_0__answered_and_timer_reset(void **state)
{
    (void)state;
    struct rig *rig = rig_alone(1);

    rig_run(rig, 70 * MS);
    rig_mark(rig);
    rig_hear(rig, 2, 0, 0);
    int64_t heard_us = rig->now_us;
    rig_run(rig, 2 * RIG_INTERVAL_US);
    assert_int_equal(rig_sent_at(rig, 0, 0), heard_us);
    assert_int_equal(rig_sent_at(rig, 0, 1), heard_us + RIG_INTERVAL_US);
    rig_free(rig);
}

static void test_active__weaker__answered_and_timer_kept(void **state)
{
    (void)state;
    struct rig *rig = rig_alone(1);

    rig_run(rig, RIG_INTERVAL_US);
    int64_t last_us = rig_sent_at(rig, 0, 0);
    rig_mark(rig);
    rig_hear(rig, 2, 0, 50);
    int64_t heard_us = rig->now_us;
    rig_run(rig, RIG_INTERVAL_US);
    assert_int_equal(rig_sent_at(rig, 0, 0), heard_us);
    assert_int_equal(rig_sent_at(rig, 0, 1), last_us + RIG_INTERVAL_US);
    assert_int_equal(rig_state(rig, 0), INSTANCE_ACTIVE);
    assert_int_equal(rig_notes(rig, NOTE_WEAKER), 1);
    assert_int_equal(rig_count(rig, EFFECT_ANNOUNCE, 0), 1);
    assert_int_equal(rig_counters(rig, 0).asserted, 1);
    rig_free(rig);
}

static void test_active__equal_priority__the_higher_address_wins(void **state)
{
    (void)state;
    struct rig *rig = rig_new(1, 3, FAMILY_IPV4);

    rig_start(rig);
    rig_link(rig, true, 5);
    rig_run(rig, SECOND);
    rig_mark(rig);
    rig_hear(rig, 4, 0, 100);
    assert_int_equal(rig_sends(rig, 0, 100), 1);
    assert_int_equal(rig_state(rig, 0), INSTANCE_ACTIVE);
    rig_hear(rig, 6, 0, 100);
    assert_int_equal(rig_state(rig, 0), INSTANCE_BACKUP);
    assert_int_equal(rig_view(rig, 0).level, LEVEL_ABSENT);
    assert_int_equal(rig_sends(rig, 0, 0), 0);
    rig_free(rig);
}

static void test_active__equal_priority_ipv6__compared_as_unsigned_bytes(void **state)
{
    (void)state;
    struct rig *rig = started(3, FAMILY_IPV6, 100);
    struct advert advert = rig_advert(rig, 2, 0, 100);

    rig_run(rig, SECOND);
    assert_int_equal(rig_state(rig, 0), INSTANCE_ACTIVE);
    advert.source = addr_from_bytes(FAMILY_IPV6, (const uint8_t[16]){0xfe, 0x80, [8] = 0xff, [15] = 0});
    rig_hear_advert(rig, &advert);
    assert_int_equal(rig_state(rig, 0), INSTANCE_BACKUP);
    rig_free(rig);
}

static void test_active__stronger_then_silence__back_after_its_down_interval(void **state)
{
    (void)state;
    struct rig *rig = rig_alone(1);
    struct advert advert = rig_advert(rig, 2, 0, 150);

    advert.interval_us = 500 * US_PER_MS;
    rig_hear_advert(rig, &advert);
    assert_int_equal(rig_state(rig, 0), INSTANCE_BACKUP);
    assert_int_equal(rig_note(rig, NOTE_INSTANCE_STATE, 0)->reason, REASON_STRONGER);
    assert_int_equal(rig_until_active(rig, 0, 3 * SECOND), 1500 * MS + 500 * MS * 156 / 256);
    assert_int_equal(rig_counters(rig, 0).released, 1);
    assert_int_equal(rig_counters(rig, 0).became_active, 2);
    rig_free(rig);
}

static void test_active__own_packet_replayed__no_storm(void **state)
{
    (void)state;
    struct rig *rig = rig_alone(1);

    rig_run(rig, 50 * MS);
    rig_mark(rig);
    for (unsigned i = 0; i < 50; i++) {
        rig_hear(rig, RIG_SELF, 0, 100);
    }
    rig_run(rig, RIG_INTERVAL_US);
    assert_int_equal(rig_sends(rig, 0, -1), 1);
    assert_int_equal(rig_counters(rig, 0).refused[REFUSED_LOOPED], 50);
    rig_free(rig);
}

static void test_active__a_thousand_weaker__answers_are_limited(void **state)
{
    (void)state;
    struct rig *rig = rig_alone(1);

    for (unsigned i = 0; i < 1000; i++) {
        rig_hear(rig, 2, 0, 50);
        rig_run(rig, MS);
    }
    /* One each 50 ms, and the regular five. */
    assert_in_range(rig_sends(rig, 0, 100), 20, 26);
    assert_in_range(rig_counters(rig, 0).asserted, 20, 21);
    assert_in_range(rig_counters(rig, 0).assertions_held_back, 979, 999);
    rig_free(rig);
}

/* --- 21, two owners --- */

static void test_owners__two__elected_by_address(void **state)
{
    (void)state;
    struct rig *rig = started(3, FAMILY_IPV4, 255);

    rig_hear(rig, 2, 0, 255);
    assert_int_equal(rig_state(rig, 0), INSTANCE_BACKUP);
    rig_run(rig, SECOND);
    assert_int_equal(rig_state(rig, 0), INSTANCE_ACTIVE);
    rig_link(rig, true, 9);
    rig_run(rig, 2 * MS);
    rig_mark(rig);
    rig_hear(rig, 2, 0, 255);
    assert_int_equal(rig_state(rig, 0), INSTANCE_ACTIVE);
    assert_int_equal(rig_sends(rig, 0, 255), 1);
    rig_free(rig);
}

static void test_owner__told_to_ignore__refuses_all(void **state)
{
    (void)state;
    struct rig *rig = rig_new(1, 3, FAMILY_IPV4);

    rig->instances[0].priority = 255;
    rig->instances[0].owner_ignores = true;
    rig_start(rig);
    rig_hear(rig, 2, 0, 255);
    assert_int_equal(rig_state(rig, 0), INSTANCE_ACTIVE);
    assert_int_equal(rig_counters(rig, 0).refused[REFUSED_OWNER], 1);
    rig_free(rig);
}

/* --- 34, 41 --- */

static void test_leave__active__nothing_here_then_priority_0(void **state)
{
    (void)state;
    struct rig *rig = rig_alone(1);

    rig_leave(rig);
    assert_true(rig_position(rig, EFFECT_LEVEL, 0, LEVEL_ABSENT) < rig_position(rig, EFFECT_SEND, 0, 0));
    assert_int_equal(rig_sends(rig, 0, 0), 1);
    assert_int_equal(rig_state(rig, 0), INSTANCE_STOPPED);
    assert_true(rig->left);
    rig_free(rig);
}

static void test_priority__raised_while_backup__the_timer_follows(void **state)
{
    (void)state;
    struct rig *rig = rig_new(1, 3, FAMILY_IPV4);

    rig->instances[0].priority = 50;
    rig_start(rig);
    rig_feed(rig, 2, 0, 100, 4 * RIG_INTERVAL_US);
    rig_hear(rig, 2, 0, 100);
    int64_t heard_us = rig->now_us;
    rig_track(rig, 0, false, 150);
    assert_int_equal(rig_notes(rig, NOTE_PRIORITY), 1);
    for (unsigned i = 0; i < 5; i++) { /* it goes on, weaker now */
        rig_hear(rig, 2, 0, 100);
        rig_run(rig, RIG_INTERVAL_US);
    }
    assert_int_equal(rig_sent_at(rig, 0, 0), heard_us + 3 * RIG_INTERVAL_US + RIG_INTERVAL_US * 56 / 256);
    rig_free(rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_start__nobody_there__first_advertisement_after_the_down_interval),
        cmocka_unit_test(test_start__owner__active_at_once),
        cmocka_unit_test(test_send__version_3__golden_bytes),
        cmocka_unit_test(test_send__version_2__seconds_and_authentication_data),
        cmocka_unit_test(test_send__version_2_with_password__in_the_packet),
        cmocka_unit_test(test_send__ipv6__link_local_first),
        cmocka_unit_test(test_send__checksum_auto__the_form_last_heard),
        cmocka_unit_test(test_take__order__addresses_advertisement_answer_announcement),
        cmocka_unit_test(test_backup__slower_active__its_interval_is_learnt),
        cmocka_unit_test(test_backup__priority_0__active_after_skew),
        cmocka_unit_test(test_backup__priority_0_of_a_third__the_active_still_counts),
        cmocka_unit_test(test_backup__silence__active_after_the_down_interval),
        cmocka_unit_test(test_backup__equal_priority__stays_whatever_the_address),
        cmocka_unit_test(test_backup__weaker_active__preempted_or_not),
        cmocka_unit_test(test_preempt__weaker_fell_silent__waited_for_as_for_any_active),
        cmocka_unit_test(test_preempt__weaker_beside_a_silent_active__waited_for_too),
        cmocka_unit_test(test_preempt__weaker_beside_a_silent_active__released_by_it),
        cmocka_unit_test(test_preempt__weaker_opposed_by_the_active__has_yielded),
        cmocka_unit_test(test_preempt__packets_of_a_sleep__count_from_when_they_came),
        cmocka_unit_test(test_preempt__weaker_falls_silent_while_taking__given_up),
        cmocka_unit_test(test_preempt__weaker_releases_while_taking__taken),
        cmocka_unit_test(test_active__priority_0__answered_and_timer_reset),
        cmocka_unit_test(test_active__weaker__answered_and_timer_kept),
        cmocka_unit_test(test_active__equal_priority__the_higher_address_wins),
        cmocka_unit_test(test_active__equal_priority_ipv6__compared_as_unsigned_bytes),
        cmocka_unit_test(test_active__stronger_then_silence__back_after_its_down_interval),
        cmocka_unit_test(test_active__own_packet_replayed__no_storm),
        cmocka_unit_test(test_active__a_thousand_weaker__answers_are_limited),
        cmocka_unit_test(test_owners__two__elected_by_address),
        cmocka_unit_test(test_owner__told_to_ignore__refuses_all),
        cmocka_unit_test(test_leave__active__nothing_here_then_priority_0),
        cmocka_unit_test(test_priority__raised_while_backup__the_timer_follows),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
