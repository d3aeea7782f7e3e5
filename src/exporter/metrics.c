/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The table of metrics. doc/metrics.md says the same for people; a test compares them. Called by main.c. */
#include "exporter/metrics.h"

#include <stdlib.h>

#include "base/check.h"
#include "exporter/metrics_write.h"

#define GAUGE(name, help) .metric = {name, METRIC_GAUGE, NULL, help}
#define SECONDS(name, help) .metric = {name, METRIC_GAUGE, "seconds", help}
#define COUNTER(name, help) .metric = {name, METRIC_COUNTER, NULL, help}
#define INFO(name, help) .metric = {name, METRIC_INFO, NULL, help}
#define STATES(name, help) .metric = {name, METRIC_STATESET, NULL, help}

/* A counter of counters.pools[].counters, of one of its units, of counters.daemon. */
#define POOL_COUNTER(name, field, help)                                                                                \
    {                                                                                                                  \
        COUNTER(name, help), .write = write_pool_counter, .key = field                                                 \
    }
#define UNIT_SUM(name, field, help)                                                                                    \
    {                                                                                                                  \
        COUNTER(name, help), .write = write_unit_sum, .key = field                                                     \
    }
#define INSTANCE_COUNTER(name, field, help)                                                                            \
    {                                                                                                                  \
        COUNTER(name, help), .write = write_instance_counter, .key = field                                             \
    }
#define TRACKER_COUNTER(name, field, help)                                                                             \
    {                                                                                                                  \
        COUNTER(name, help), .write = write_tracker_number, .key = field                                               \
    }
#define DAEMON_COUNTER(field, help)                                                                                    \
    {                                                                                                                  \
        COUNTER("evenkeel_" field, help), .write = write_daemon_counter, .key = field                                  \
    }

const struct metrics_row metrics_rows[] = {
    {GAUGE("evenkeel_up", "1: the daemon of this host answers; else there is nothing here but the exporter itself."),
     .write = write_up, .always = true},
    {INFO("evenkeel_exporter", "The exporter's version."), .write = write_exporter, .always = true},
    {SECONDS("evenkeel_exporter_answer_seconds", "How long the daemon took to answer."), .write = write_answer_time},
    {COUNTER("evenkeel_exporter_requests", "HTTP requests answered."), .write = write_requests, .always = true},
    {COUNTER("evenkeel_exporter_requests_refused", "HTTP requests refused: not GET or HEAD, not found, another host."),
     .write = write_requests_refused, .always = true},
    {COUNTER("evenkeel_exporter_connections_dropped", "HTTP connections closed: too many at once, or too slow."),
     .write = write_connections_dropped, .always = true},
    {COUNTER("evenkeel_exporter_connections_unread",
             "HTTP connections that ended before a request could be read: garbage, too long, too slow, or given up."),
     .write = write_connections_unread, .always = true},
    {COUNTER("evenkeel_exporter_daemon_failures", "Questions that the daemon did not answer, or not well."),
     .write = write_daemon_failures, .always = true},

    {INFO("evenkeel_daemon", "The daemon's version."), .write = write_daemon_info, .key = "version"},
    {INFO("evenkeel_configuration", "The hash of the configuration: equal on hosts whose files mean the same."),
     .write = write_daemon_info, .key = "config_hash"},
    {SECONDS("evenkeel_uptime_seconds", "Since the start of the daemon."), .write = write_daemon_number,
     .key = "uptime_s"},
    {GAUGE("evenkeel_attention", "Lines of keelctl status that need a person, by what they are about."),
     .write = write_attention},

    {INFO("evenkeel_pool", "The pool on this host, as configured; address: this host's identity in it."),
     .write = write_pool_info},
    {GAUGE("evenkeel_pool_ready", "1: the pool's interface is up and has an address."), .write = write_pool_flag,
     .key = "ready"},
    {GAUGE("evenkeel_pool_drained", "1: this host is drained."), .write = write_pool_flag, .key = "drained"},
    {GAUGE("evenkeel_pool_leaving", "1: this host is leaving."), .write = write_pool_flag, .key = "leaving"},
    {GAUGE("evenkeel_pool_rebalance", "1: units are moved for evenness, as configured."), .write = write_pool_flag,
     .key = "rebalance"},
    {STATES("evenkeel_pool_isolation", "Whether this host hears the others (deaf: it does not) and is heard (mute)."),
     .write = write_isolation},
    {GAUGE("evenkeel_pool_share", "This host's share as advertised; 1: a reserve."), .write = write_pool_number,
     .key = "share"},
    {GAUGE("evenkeel_pool_members_lost", "Members lost without goodbye and not yet forgotten."),
     .write = write_pool_number, .key = "lost"},
    {STATES("evenkeel_filter", "The arp_filter in force; all 0: not known yet."), .write = write_filter},

    {GAUGE("evenkeel_units", "Units by who holds them: this host, another member, a stranger, nobody."),
     .write = write_holders},
    {GAUGE("evenkeel_routers", "Units by the state of this host's virtual router."), .write = write_router_states},
    {GAUGE("evenkeel_units_in_condition", "Units that something is to be said of; a unit may have several conditions."),
     .write = write_conditions},
    {GAUGE("evenkeel_unit_answering", "1: this host answers for the unit."), .write = write_answering},
    {COUNTER("evenkeel_unit_became_active", "How often this host took the unit."), .write = write_unit_counter,
     .key = "became_active"},

    {STATES("evenkeel_member_state", "Members, as this host sees them."), .write = write_member_state},
    {SECONDS("evenkeel_member_age_seconds", "Since the member was last heard; 0 for this host."),
     .write = write_member_number, .key = "age_ms", .divisor = 1000},
    {GAUGE("evenkeel_member_share", "The share of the load that the member asks for."), .write = write_member_number,
     .key = "share"},
    {GAUGE("evenkeel_member_load", "Units that the member holds, as seen here."), .write = write_member_number,
     .key = "load"},
    {GAUGE("evenkeel_member_fair_share", "Units that would be the member's by its share of what all members hold."),
     .write = write_fair_share},

    {COUNTER("evenkeel_owner_changes", "Changes of ownership as this host saw them, by cause."),
     .write = write_owner_changes},
    {.metric = {"evenkeel_owner_gap_seconds", METRIC_HISTOGRAM, "seconds",
                "How long units had no owner at a change, as this host saw it."},
     .write = write_owner_gaps},
    POOL_COUNTER("evenkeel_moves", "moves", "Planned moves that this host began."),
    POOL_COUNTER("evenkeel_contests", "contests", "Times that a second router claimed a unit or answered for it."),
    {COUNTER("evenkeel_conflicts", "Answers of somebody else (ARP, neighbour advertisements) for units held here."),
     .write = write_conflicts},
    POOL_COUNTER("evenkeel_stalls", "stalls", "Times that this host slept longer than its lease and gave all up."),
    POOL_COUNTER("evenkeel_one_way", "one_way", "One-way faults found between this host and another."),
    POOL_COUNTER("evenkeel_deaf", "deaf", "Times that this host found that it hears nobody."),
    POOL_COUNTER("evenkeel_mute", "mute", "Times that this host found that nobody hears it."),
    POOL_COUNTER("evenkeel_members_refused", "members_full", "Packets of would-be members for whom there is no room."),

    {COUNTER("evenkeel_packets_accepted", "VRRP packets that were well made."), .write = write_link_counter,
     .key = "accepted"},
    {COUNTER("evenkeel_packets_refused", "VRRP packets refused, by reason."), .write = write_refused},
    {COUNTER("evenkeel_packets_unknown_vrid", "VRRP packets well made, but of no pool's business."),
     .write = write_link_counter, .key = "unknown_vrid"},
    POOL_COUNTER("evenkeel_packets_looped", "looped", "Own packets that came back."),
    POOL_COUNTER("evenkeel_packets_foreign_vrid", "foreign_vrid", "Packets of virtual routers that are none of ours."),
    POOL_COUNTER("evenkeel_packets_not_member", "not_member", "Packets from who may not be a member."),
    {COUNTER("evenkeel_adverts_differing", "Advertisements of our units that differ from ours, by what differs."),
     .write = write_differing},
    POOL_COUNTER("evenkeel_member_adverts_sent", "member_adverts_sent", "Member advertisements sent."),
    POOL_COUNTER("evenkeel_member_adverts_received", "member_adverts_received", "Member advertisements received."),
    UNIT_SUM("evenkeel_unit_adverts_sent", "adverts_sent", "Advertisements of units sent."),
    UNIT_SUM("evenkeel_unit_adverts_received", "adverts_received", "Advertisements of units received."),
    UNIT_SUM("evenkeel_unit_zero_sent", "zero_sent", "Releases of units sent (priority 0)."),
    UNIT_SUM("evenkeel_unit_zero_received", "zero_received", "Releases of units received (priority 0)."),
    UNIT_SUM("evenkeel_assertions", "asserted", "Assertions against weaker claims."),
    POOL_COUNTER("evenkeel_assertions_held_back", "assertions_held_back", "Assertions held back, so that none storm."),

    {INFO("evenkeel_instance", "The instance on this host, as configured; address: what it speaks from."),
     .write = write_instance_info},
    {STATES("evenkeel_instance_state", "The state of this host's virtual router."), .write = write_instance_state},
    {GAUGE("evenkeel_instance_answering", "1: this host answers for the instance's addresses; address: the first."),
     .write = write_instance_answering},
    {GAUGE("evenkeel_instance_priority", "The priority in force."), .write = write_instance_number, .key = "priority"},
    {GAUGE("evenkeel_instance_base_priority", "The priority as configured, before what is tracked."),
     .write = write_instance_number, .key = "base_priority"},
    {INFO("evenkeel_instance_holder", "Who is Active: this host (self), another, or nobody known (none)."),
     .write = write_instance_holder},
    {GAUGE("evenkeel_instance_holder_priority", "The priority that the Active router advertises; 0: there is none."),
     .write = write_instance_number, .key = "holder_priority"},
    {GAUGE("evenkeel_instance_fault", "1: the instance has a fault of that kind."), .write = write_instance_faults},
    INSTANCE_COUNTER("evenkeel_instance_became_active", "became_active", "How often this host became Active."),
    INSTANCE_COUNTER("evenkeel_instance_released", "released", "How often this host ceased to be Active."),
    INSTANCE_COUNTER("evenkeel_instance_adverts_sent", "adverts_sent", "Advertisements sent."),
    INSTANCE_COUNTER("evenkeel_instance_adverts_received", "adverts_received", "Advertisements accepted."),
    INSTANCE_COUNTER("evenkeel_instance_zero_sent", "zero_sent", "Releases sent (priority 0)."),
    INSTANCE_COUNTER("evenkeel_instance_zero_received", "zero_received", "Releases received (priority 0)."),
    INSTANCE_COUNTER("evenkeel_instance_assertions", "asserted", "Assertions against weaker claims: there were two."),
    INSTANCE_COUNTER("evenkeel_instance_assertions_held_back", "assertions_held_back",
                     "Assertions held back, so that none storm."),
    INSTANCE_COUNTER("evenkeel_instance_stalls", "stalls", "Times that this host slept longer than its lease."),
    {COUNTER("evenkeel_instance_refused", "Advertisements for the instance's VRID refused, by reason."),
     .write = write_instance_refused},
    {COUNTER("evenkeel_instance_adverts_differing", "Advertisements that differ from ours, by what differs."),
     .write = write_instance_differing},
    {COUNTER("evenkeel_instance_conflicts", "Answers of somebody else for addresses that this host holds."),
     .write = write_instance_conflicts},
    {STATES("evenkeel_group_state", "The state of the sync group on this host."), .write = write_group_state},

    {STATES("evenkeel_tracker_state", "What is tracked, and how it stands."), .write = write_tracker_state},
    {STATES("evenkeel_tracker_result", "How the script's last run ended; all 0: none has."),
     .write = write_tracker_result},
    {SECONDS("evenkeel_tracker_duration_seconds", "How long the script's last run took."),
     .write = write_tracker_number, .key = "last_took_ms", .divisor = 1000},
    {GAUGE("evenkeel_tracker_value", "The number in the file; how many processes match."), .write = write_tracker_value,
     .key = "value"},
    TRACKER_COUNTER("evenkeel_tracker_runs", "runs", "Runs of the script that ended."),
    TRACKER_COUNTER("evenkeel_tracker_failures", "failures", "Failures of the script, for whatever reason."),
    TRACKER_COUNTER("evenkeel_tracker_timeouts", "timeouts", "Runs that were ended for taking too long."),
    TRACKER_COUNTER("evenkeel_tracker_not_run", "not_run", "Times that the script could not be run at all."),
    TRACKER_COUNTER("evenkeel_tracker_skipped", "skipped", "Runs left out: the one before still ran."),

    DAEMON_COUNTER("frames_in", "Frames received."),
    DAEMON_COUNTER("frames_out", "Frames sent."),
    DAEMON_COUNTER("frames_ignored", "Frames that are neither VRRP nor ARP or ND that can be read."),
    DAEMON_COUNTER("frames_stale", "Frames thrown away: the daemon was stopped between deciding and sending."),
    DAEMON_COUNTER("frames_truncated", "Frames longer than the buffer."),
    DAEMON_COUNTER("send_errors", "Frames that the kernel refused to send."),
    DAEMON_COUNTER("sends_without_link", "Advertisements that had no interface to leave by."),
    DAEMON_COUNTER("unicast_sent", "Advertisements sent to unicast peers."),
    DAEMON_COUNTER("unicast_refused", "Advertisements to unicast peers that the kernel refused."),
    DAEMON_COUNTER("receive_drops", "Frames dropped by the kernel: the daemon did not read them in time."),
    DAEMON_COUNTER("duplicate_addresses", "Answers of another host that speaks from this host's own address."),
    DAEMON_COUNTER("kernel_failures", "Levels of units that the kernel refused."),
    DAEMON_COUNTER("kernel_restored", "Addresses or tables put back after somebody removed them."),
    DAEMON_COUNTER("netlink_overruns", "Times that the kernel's news came too fast and all was read anew."),
    DAEMON_COUNTER("history_write_failures", "Entries of the history that could not be written to its file."),
    DAEMON_COUNTER("loop_turns", "Turns of the daemon's loop."),
    DAEMON_COUNTER("loop_late", "Wake-ups of the loop that came late."),
    {SECONDS("evenkeel_loop_late_max_seconds", "The latest wake-up since the start of the daemon."),
     .write = write_daemon_counter, .key = "loop_late_max_us", .divisor = 1e6},
    DAEMON_COUNTER("log_written", "Lines logged."),
    DAEMON_COUNTER("log_held_back", "Lines not logged: too many of their kind."),
    DAEMON_COUNTER("log_dropped", "Lines lost: who takes them was too slow."),
    DAEMON_COUNTER("checks_run", "Runs of checks that ended."),
    DAEMON_COUNTER("checks_failed", "Failures of checks, for whatever reason."),
    DAEMON_COUNTER("checks_timed_out", "Runs of checks that were ended for taking too long."),
    DAEMON_COUNTER("checks_not_run", "Checks that could not be run at all."),
    DAEMON_COUNTER("checks_skipped", "Runs of checks left out: the one before still ran."),
    DAEMON_COUNTER("orders_dropped", "States that commands were not told: the guard was too slow."),
    DAEMON_COUNTER("control_requests", "Requests on the control socket."),
    DAEMON_COUNTER("control_refused", "Of these refused."),
    DAEMON_COUNTER("control_denied", "Of these denied for want of permission."),
    DAEMON_COUNTER("control_dropped_clients", "Clients of the control socket dropped for being slow."),
    DAEMON_COUNTER("control_rejected_clients", "Clients of the control socket rejected: too many."),
};
const unsigned metrics_row_count = ARRAY_LENGTH(metrics_rows);

char *metrics_text(const struct metrics_input *in, enum openmetrics_format format, size_t *length)
{
    struct openmetrics text;

    if (!openmetrics_open(&text, format))
        return NULL;
    for (unsigned i = 0; i < metrics_row_count; i++) {
        const struct metrics_row *row = &metrics_rows[i];

        openmetrics_begin(&text, &row->metric);
        if (row->always || in->status != NULL)
            row->write(&text, row, in);
    }
    return openmetrics_close(&text, length);
}
