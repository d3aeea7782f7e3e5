/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The AgentX subagent: everything that evenkeel-snmp does with net-snmp, whose only user agent.c is. It blocks while
 * snmpd does, which is why it has a process of its own. One agent per process: net-snmp's state is global.
 */
#ifndef EVENKEEL_SNMP_AGENT_H
#define EVENKEEL_SNMP_AGENT_H

#include "snmp/notice.h"

struct agent_callbacks {
    void *context;
    /* What to answer from now; NULL: nothing is known, so no object exists. Valid until the next call. */
    const struct snmp_model *(*model)(void *context);
    /* A line for the log. */
    void (*log)(void *context, int priority, const char *line);
};

/*
 * Registers all modules with the snmpd that listens on `socket` ("/var/agentx/master", "tcp:localhost:705"); when it is
 * not there, or goes, that is tried again every few seconds, for ever. `callbacks` must live until agent_close. 0 or a
 * negative errno.
 */
int agent_open(const char *socket, const struct agent_callbacks *callbacks);
/* Answers requests for at most `timeout_ms`; returns earlier after a batch of them, or on a signal. */
void agent_wait(int timeout_ms);
/* snmpd's sysUpTime, in hundredths of a second, as far as it is known. */
int64_t agent_uptime_cs(void);
void agent_notify(const struct snmp_notice *notice);
/* Says goodbye to snmpd. `callbacks` as given to agent_open. */
void agent_close(const struct agent_callbacks *callbacks);

#endif
