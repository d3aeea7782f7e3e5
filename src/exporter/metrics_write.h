/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How the rows of metrics.c find their samples in the daemon's answers. Each is a `write` of struct metrics_row. */
#ifndef EVENKEEL_EXPORTER_METRICS_WRITE_H
#define EVENKEEL_EXPORTER_METRICS_WRITE_H

#include "exporter/metrics.h"

#define METRICS_WRITER(name)                                                                                           \
    void name(struct openmetrics *text, const struct metrics_row *row, const struct metrics_input *in)

/* of the exporter itself */
METRICS_WRITER(write_up);
METRICS_WRITER(write_exporter);
METRICS_WRITER(write_answer_time);
METRICS_WRITER(write_requests);
METRICS_WRITER(write_requests_refused);
METRICS_WRITER(write_connections_dropped);
METRICS_WRITER(write_connections_unread);
METRICS_WRITER(write_daemon_failures);
/* of the daemon: `key` in status.daemon, as the label of an info metric or as a number; in counters.daemon */
METRICS_WRITER(write_daemon_info);
METRICS_WRITER(write_daemon_number);
METRICS_WRITER(write_daemon_counter);
METRICS_WRITER(write_attention);
/* per interface: `key` in counters.links[] */
METRICS_WRITER(write_link_counter);
METRICS_WRITER(write_refused);
/* per pool: `key` in status.pools[], in counters.pools[].counters, or summed over counters.pools[].units[] */
METRICS_WRITER(write_pool_info);
METRICS_WRITER(write_pool_number);
METRICS_WRITER(write_pool_flag);
METRICS_WRITER(write_isolation);
METRICS_WRITER(write_filter);
METRICS_WRITER(write_pool_counter);
METRICS_WRITER(write_unit_sum);
METRICS_WRITER(write_differing);
METRICS_WRITER(write_conflicts);
METRICS_WRITER(write_owner_changes);
METRICS_WRITER(write_owner_gaps);
/* per pool and word: how many units have that word in `key` */
METRICS_WRITER(write_holders);
METRICS_WRITER(write_router_states);
METRICS_WRITER(write_conditions);
/* per unit: `key` in counters.pools[].units[] */
METRICS_WRITER(write_answering);
METRICS_WRITER(write_unit_counter);
/* per member: `key` in status.pools[].members[] */
METRICS_WRITER(write_member_state);
METRICS_WRITER(write_member_number);
METRICS_WRITER(write_fair_share);
/* per instance: `key` in status.instances[], in counters.instances[] */
METRICS_WRITER(write_instance_info);
METRICS_WRITER(write_instance_state);
METRICS_WRITER(write_instance_number);
METRICS_WRITER(write_instance_answering);
METRICS_WRITER(write_instance_holder);
METRICS_WRITER(write_instance_faults);
METRICS_WRITER(write_instance_conflicts);
METRICS_WRITER(write_instance_counter);
METRICS_WRITER(write_instance_refused);
METRICS_WRITER(write_instance_differing);
METRICS_WRITER(write_group_state);
/* per script, file, process and interface that is tracked: `key` in counters.trackers[] */
METRICS_WRITER(write_tracker_state);
METRICS_WRITER(write_tracker_result);
METRICS_WRITER(write_tracker_number);
METRICS_WRITER(write_tracker_value);

#endif
