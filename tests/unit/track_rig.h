/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the tests of tracking share: a configuration of one pool, one set of two instances and a group, which a test
 * gives trackers; and what was told last of the first instance. Included by each of them, after cmocka.
 */
#ifndef EVENKEEL_TESTS_TRACK_RIG_H
#define EVENKEEL_TESTS_TRACK_RIG_H

#include "base/check.h"
#include "daemon/track.h"

#define S US_PER_S
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

static char *words[] = {(char *)(uintptr_t) "x", NULL};

/* A configuration with one set of two instances, a group and a pool; tests fill in who tracks what. */
static struct check_script scripts[2];
static struct check_file files[1];
static struct check_process processes[1];
static struct config_instances instances;
static struct config_group group;
static struct config_router routers[2];
static struct config_unit units[2];
static struct config_pool pools[2];
static struct instance_settings instance_settings[2];
static struct unit_settings unit_settings[2];
static struct pool_settings settings[2];
static struct config_watch watches[2];
static struct config config;
static struct track *track;
static struct mono now;

static int set_up(void **state)
{
    (void)state;
    now = (struct mono){100 * S};
    for (unsigned i = 0; i < 2; i++)
        scripts[i] = (struct check_script){.name = i == 0 ? "a" : "b",
                                           .interval_us = S,
                                           .timeout_us = S,
                                           .rise = 1,
                                           .fall = 1,
                                           .command = {.argument_count = 1, .arguments = words}};
    files[0] = (struct check_file){.name = "f", .path = "/f"};
    processes[0] = (struct check_process){.name = "p", .words = words, .word_count = 1, .quorum = 2, .quorum_max = 3};
    instances = (struct config_instances){.group_count = 1,
                                          .groups = &group,
                                          .script_count = 2,
                                          .scripts = scripts,
                                          .file_count = 1,
                                          .files = files,
                                          .process_count = 1,
                                          .processes = processes};
    group = (struct config_group){.name = "g"};
    for (unsigned i = 0; i < 2; i++) {
        routers[i] = (struct config_router){0};
        units[i] = (struct config_unit){.router = &routers[i]};
        watches[i] = (struct config_watch){0};
    }
    settings[0] = (struct pool_settings){.share = 100};
    settings[1] = (struct pool_settings){.unit_count = 2, .units = unit_settings};
    for (unsigned i = 0; i < 2; i++) {
        instance_settings[i] = (struct instance_settings){0};
        unit_settings[i] = (struct unit_settings){.instance = &instance_settings[i]};
    }
    pools[1].units = units;
    config = (struct config){.core = {.pool_count = 1, .set_count = 1, .pools = settings},
                             .pools = pools,
                             .watches = watches,
                             .instances = &instances};
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    track_free(track);
    track = NULL;
    return 0;
}

static struct check_tracker tracks(enum check_tracker_kind kind, int weight, bool reverse)
{
    return (struct check_tracker){
        .kind = (uint8_t)kind,
        .name = kind == CHECK_TRACK_INTERFACE ? "eth9" : "x",
        .resolved = true,
        .script = kind == CHECK_TRACK_SCRIPT ? &scripts[0] : NULL,
        .file = kind == CHECK_TRACK_FILE ? &files[0] : NULL,
        .process = kind == CHECK_TRACK_PROCESS ? &processes[0] : NULL,
        .weight = {.value = (int16_t)weight, .reverse = reverse},
    };
}

static void start(const struct check_tracker *trackers, unsigned count)
{
    routers[0].trackers = trackers;
    routers[0].tracker_count = count;
    track_free(track);
    track = track_new(&config, now);
    assert_non_null(track);
}

/* The newest word about instance 0; what is told twice without a change is a fault. */
static struct track_change last;

static bool take(void)
{
    struct track_change change;
    bool any = false;

    while (track_next_change(track, now, &change)) {
        if (change.kind != TRACK_INSTANCE || change.unit != 0)
            continue;
        last = change;
        any = true;
    }
    return any;
}

static void expect(bool hold, bool fault, int weight)
{
    assert_int_equal(last.hold, hold);
    assert_int_equal(last.fault, fault);
    assert_int_equal(last.weight, weight);
}

static struct track_run run_of(unsigned script)
{
    struct track_run run;

    while (track_next_run(track, now, &run))
        if (run.script == script)
            return run;
    fail_msg("script %u is not due", script);
    return run;
}

static void finish(unsigned script, enum track_outcome outcome)
{
    track_script_done(track, script, run_of(script).run, outcome, "said", now);
    now.us += S;
}

static struct track_view view_of(unsigned source)
{
    struct track_view view;

    track_view(track, source, &view);
    return view;
}

#endif
