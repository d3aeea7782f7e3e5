/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A daemon without kernel and network, for tests of the control protocol: a real core, other members that are only
 * their advertisements, and virtual time. rig_view() and rig_command() are the callbacks that control.h asks for.
 */
#ifndef EVENKEEL_TESTS_DAEMON_RIG_H
#define EVENKEEL_TESTS_DAEMON_RIG_H

#include <jansson.h>

#include "daemon/changes.h"
#include "daemon/control.h"
#include "daemon/history.h"
#include "daemon/request_json.h"

#define RIG_MEMBERS_MAX 15 /* this host included */
#define RIG_UNITS_MAX 240
#define RIG_SELF 0

struct rig {
    struct config config;
    struct config_pool config_pool;
    struct pool_settings pool;
    struct unit_settings units[RIG_UNITS_MAX];
    struct config_unit config_units[RIG_UNITS_MAX];
    struct config_vip vips[RIG_UNITS_MAX];
    struct addr addresses[RIG_UNITS_MAX];
    struct member_name names[RIG_MEMBERS_MAX];
    char links[1][CONFIG_INTERFACE_MAX];
    struct kernel_link link;
    struct daemon_pool_view pool_view;
    struct daemon_conflict conflicts[RIG_UNITS_MAX];
    struct owner_changes changes;
    struct daemon_counter counter;
    struct daemon_view view;
    struct control_callbacks callbacks;
    void *storage;
    struct effects effects;
    struct history *history;
    struct mono now;
    struct mono next_member, next_unit; /* when the others advertise next */
    unsigned member_count;
    bool alive[RIG_MEMBERS_MAX];
    unsigned holder[RIG_UNITS_MAX]; /* which of the others advertises the unit; RIG_SELF: none of them */
    int64_t say_interval_us;        /* in what rig_say sends; 0: the unit's */
    int command_error;              /* what rig_command returns after the step */
    bool third_party;               /* there is somebody to be asked whether we hear; he never answers */
    unsigned reloads_asked;
};

/* Units 10.20.0.1.. on members 10.20.0.241.., spread in turn; this host is the first member, named "alpha". */
void rig_open(struct rig *rig, unsigned units, unsigned members);
void rig_close(struct rig *rig);
/* Lets virtual time pass: the others advertise, the core's effects are carried out at once. */
void rig_run(struct rig *rig, int64_t us);
struct addr rig_member(unsigned member);
/* One advertisement from a member's address (from one that is no member: a stranger's), at the unit's pace. */
void rig_say(struct rig *rig, unsigned member, uint8_t vrid, uint8_t priority, const struct addr *address);

/* One request through request_answer; the answer, to be given back. */
json_t *rig_ask(struct rig *rig, const char *request, bool may_change, enum request_outcome *outcome);

/* The rig of a program that needs one for each test: six units on three members, ten seconds old. For cmocka. */
extern struct rig the_rig;
int the_rig_setup(void **state);
int the_rig_teardown(void **state);

#endif
