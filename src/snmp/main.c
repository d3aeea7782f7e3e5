/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * evenkeel-snmp: serves the daemon's state to snmpd by AgentX, and sends notifications. This file owns the command
 * line, the loop, and what is known of the daemon: a snapshot that is taken when somebody asks, at most once a second,
 * and where in the stream of events we are.
 */
#include <jansson.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>

#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "client/control.h"
#include "client/exchange.h"
#include "client/identity.h"
#include "client/options.h"
#include "snmp/agent.h"

#define AGENTX_SOCKET "/var/agentx/master"
#define REFRESH_MS 1000
#define EVENTS_MS 500
#define ERRORS_MS 5000 /* how often counters are compared for vrrpv3ProtoError */
#define LINE_MAX_LENGTH 512
#define START_TOLERANCE_CS 10 /* two clocks are compared by two reads: less than this is no change */

static volatile sig_atomic_t stop_wanted;

struct service {
    struct control_client control;
    struct snapshot *snapshot, *compared;
    struct snmp_model *model;
    int64_t start_cs; /* snmp_model.start_cs */
    bool start_known;
    int64_t fetch_next_ms, events_next_ms, errors_next_ms;
    bool reachable;   /* the last question was answered */
    bool said;        /* that it is, or is not */
    bool following;   /* `after` is known */
    json_int_t after; /* the last event seen */
    bool notifications;
    struct snmp_notice notices[SNMP_PROTO_NOTICES_MAX];
    char line[LINE_MAX_LENGTH]; /* the last one that was logged */
};

static void on_signal(int number)
{
    (void)number;
    stop_wanted = 1;
}

/* net-snmp's words. What it says again and again, while snmpd is away, is said once. */
static void pass_on(void *context, int priority, const char *line)
{
    struct service *service = context;
    size_t length = strcspn(line, "\n");

    (void)priority;
    if (strncmp(service->line, line, length) == 0 && service->line[length] == '\0')
        return;
    snprintf(service->line, sizeof(service->line), "%.*s", (int)length, line);
    fprintf(stderr, "evenkeel-snmp: %s\n", service->line);
}

static void note_reachable(struct service *service, bool reachable)
{
    if (service->said && service->reachable == reachable)
        return;
    service->said = true;
    service->reachable = reachable;
    if (reachable)
        fprintf(stderr, "evenkeel-snmp: evenkeeld answers\n");
    else
        fprintf(stderr, "evenkeel-snmp: evenkeeld does not answer, nothing is served until it does: %s\n",
                service->control.error);
}

static void forget(struct service *service)
{
    snmp_model_free(service->model);
    snapshot_free(service->snapshot);
    service->model = NULL;
    service->snapshot = NULL;
}

static void build(struct service *service, const json_t *answer)
{
    service->snapshot = snapshot_from_json(answer);
    if (service->snapshot == NULL)
        return;
    int64_t start_cs = agent_uptime_cs() - service->snapshot->global.uptime_cs;

    /* Stamps must not flicker, so a start that is the same but for the reading stays the same. */
    if (!service->start_known || llabs(start_cs - service->start_cs) > START_TOLERANCE_CS)
        service->start_cs = start_cs;
    service->start_known = true;
    service->model = snmp_model_new(service->snapshot, service->start_cs);
}

/* Fetches a new snapshot unless the last try is less than a second ago. */
static const struct snmp_model *get_model(void *context)
{
    struct service *service = context;

    if (exchange_now_ms() < service->fetch_next_ms)
        return service->model;
    json_t *answer = control_client_ask_all(&service->control, "snmp");

    note_reachable(service, answer != NULL);
    forget(service);
    if (answer != NULL)
        build(service, answer);
    json_decref(answer);
    service->fetch_next_ms = exchange_now_ms() + REFRESH_MS;
    return service->model;
}

static void send_entries(struct service *service, const json_t *entries)
{
    struct snmp_notice *notice = &service->notices[0];
    const json_t *entry;
    size_t i;

    if (json_array_size(entries) == 0)
        return;
    service->fetch_next_ms = 0; /* what the events are about may be newer than the snapshot */
    if (get_model(service) == NULL)
        return;
    json_array_foreach(entries, i, entry)
    {
        if (snmp_notice_from_event(entry, service->snapshot, notice))
            agent_notify(notice);
    }
}

/* What happened before this process started is no news. */
static void start_following(struct service *service)
{
    json_t *answer = control_client_ask(&service->control, "{\"command\":\"events\",\"limit\":1}");

    if (answer != NULL && json_is_integer(json_object_get(answer, "newest"))) {
        service->after = json_integer_value(json_object_get(answer, "newest"));
        service->following = true;
    }
    note_reachable(service, answer != NULL);
    json_decref(answer);
}

static void follow_events(struct service *service)
{
    char request[96];

    if (!service->following) {
        start_following(service);
        return;
    }
    snprintf(request, sizeof(request), "{\"command\":\"events\",\"after\":%lld,\"limit\":250}",
             (long long)service->after);
    json_t *answer = control_client_ask(&service->control, request);

    note_reachable(service, answer != NULL);
    if (answer != NULL && json_object_get(answer, "error") == NULL) {
        /* A daemon that was started anew counts from 1 again: all that it has is news. */
        if (json_integer_value(json_object_get(answer, "newest")) < service->after) {
            service->after = 0;
        } else {
            send_entries(service, json_object_get(answer, "entries"));
            service->after = json_integer_value(json_object_get(answer, "last"));
        }
    }
    json_decref(answer);
}

static void compare_errors(struct service *service)
{
    json_t *answer = control_client_ask_all(&service->control, "snmp");
    struct snapshot *now = answer != NULL ? snapshot_from_json(answer) : NULL;

    json_decref(answer);
    if (now == NULL)
        return;
    unsigned count = service->compared != NULL ? snmp_notices_from_errors(service->compared, now, service->notices) : 0;

    for (unsigned i = 0; i < count; i++)
        agent_notify(&service->notices[i]);
    snapshot_free(service->compared);
    service->compared = now;
}

static void serve(struct service *service)
{
    while (!stop_wanted) {
        int64_t now = exchange_now_ms();

        if (service->notifications && now >= service->events_next_ms) {
            follow_events(service);
            service->events_next_ms = exchange_now_ms() + EVENTS_MS;
        }
        if (service->notifications && now >= service->errors_next_ms) {
            compare_errors(service);
            service->errors_next_ms = exchange_now_ms() + ERRORS_MS;
        }
        agent_wait(EVENTS_MS);
    }
}

struct options {
    struct options_common common;
    const char *socket;
    bool quiet; /* no notifications */
};

/* True: go on; else *code is what to exit with. */
static bool read_options(int argc, char **argv, struct options *options, int *code)
{
    const struct options_row own[] = {
        {"agentx", "SOCKET", "snmpd's AgentX socket (" AGENTX_SOCKET "; or tcp:localhost:705)", &options->socket, NULL},
        {"no-notifications", NULL, "only answer, send no notifications", NULL, &options->quiet},
    };
    const struct options_program program = {
        .name = "evenkeel-snmp",
        .about = "Serves evenkeeld's state to snmpd: VRRPV3-MIB, VRRP-MIB and EVENKEEL-MIB, and notifications.",
        .own = own,
        .own_count = sizeof(own) / sizeof(own[0]),
    };

    return options_read(&program, argc, argv, &options->common, code);
}

static void catch_signals(void)
{
    struct sigaction stop = {.sa_handler = on_signal}, ignore = {.sa_handler = SIG_IGN};

    sigaction(SIGTERM, &stop, NULL);
    sigaction(SIGINT, &stop, NULL);
    sigaction(SIGPIPE, &ignore, NULL);
}

int main(int argc, char **argv)
{
    struct options options = {.socket = AGENTX_SOCKET};
    char text[IDENTITY_TEXT_MAX];
    int code;

    if (!read_options(argc, argv, &options, &code))
        return code;
    if (identity_drop(options.common.user, text) != 0) {
        fprintf(stderr, "evenkeel-snmp: %s\n", text);
        return EX_NOPERM;
    }
    struct service *service = calloc(1, sizeof(*service));

    if (service == NULL)
        return EX_OSERR;
    struct agent_callbacks callbacks = {.context = service, .model = get_model, .log = pass_on};

    service->notifications = !options.quiet;
    control_client_init(&service->control, options.common.run_dir);
    catch_signals();
    int error = agent_open(options.socket, &callbacks);

    if (error == 0) {
        serve(service);
        agent_close(&callbacks);
    } else {
        fprintf(stderr, "evenkeel-snmp: the agent could not be made: %s\n", strerror(-error));
        code = EX_OSERR;
    }
    forget(service);
    snapshot_free(service->compared);
    control_client_close(&service->control);
    free(service);
    return code;
}
