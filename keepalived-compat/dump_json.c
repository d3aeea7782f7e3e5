/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * keepalived.json (see dump.h): version 1 is an array with an object for each instance, version 2 an object with that
 * array as `vrrp` and the tracked processes. Types are keepalived's, mixed as they are there.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "dump.h"

/* Whether something stands before the next field. */
struct json {
    FILE *out;
    bool comma;
};

static void put_key(struct json *json, const char *key)
{
    fprintf(json->out, "%s\"%s\":", json->comma ? "," : "", key);
    json->comma = true;
}

static void put_string(FILE *out, const char *text, size_t length)
{
    fputc('"', out);
    for (size_t i = 0; i < length; i++) {
        unsigned char c = (unsigned char)text[i];

        if (c == '"' || c == '\\')
            fprintf(out, "\\%c", c);
        else if (c < 0x20 || c == 0x7f)
            fprintf(out, "\\u%04x", c);
        else if (c < 0x80)
            fputc(c, out);
        else
            fputc('?', out); /* a name of bytes that may be no UTF-8 */
    }
    fputc('"', out);
}

static void put_text(struct json *json, const char *key, const char *text)
{
    put_key(json, key);
    put_string(json->out, text, strlen(text));
}

static void put_number(struct json *json, const char *key, int64_t value)
{
    put_key(json, key);
    fprintf(json->out, "%" PRId64, value);
}

static void put_truth(struct json *json, const char *key, bool value)
{
    put_key(json, key);
    fputs(value ? "true" : "false", json->out);
}

/* Seconds, with a fraction where there is one. */
static void put_seconds(struct json *json, const char *key, int64_t us)
{
    put_key(json, key);
    if (us % US_PER_S == 0)
        fprintf(json->out, "%" PRId64, us / US_PER_S);
    else
        fprintf(json->out, "%" PRId64 ".%06" PRId64, us / US_PER_S, us % US_PER_S);
}

/* A text that something else writes. */
typedef void write_text(FILE *out, const void *context, bool flag);

static void put_written(FILE *out, write_text *write, const void *context, bool flag)
{
    char *text = NULL;
    size_t length = 0;
    FILE *memory = open_memstream(&text, &length);

    if (memory == NULL)
        return;
    write(memory, context, flag);
    if (fclose(memory) == 0)
        put_string(out, text, length);
    free(text);
}

static void write_command(FILE *out, const void *context, bool flag)
{
    (void)flag;
    dump_command(out, context);
}

static void write_address(FILE *out, const void *context, bool set)
{
    dump_address(out, context, set);
}

static void put_command(struct json *json, const char *key, const struct check_command *command)
{
    if (command->argument_count == 0)
        return;
    put_key(json, key);
    put_written(json->out, write_command, command, false);
}

static void put_addresses(struct json *json, const char *key, const struct net_address *addresses, unsigned count,
                          bool set)
{
    if (count == 0)
        return;
    put_key(json, key);
    fputc('[', json->out);
    for (unsigned i = 0; i < count; i++) {
        fputs(i > 0 ? "," : "", json->out);
        put_written(json->out, write_address, &addresses[i], set);
    }
    fputc(']', json->out);
}

static void put_tracked(struct json *json, const char *key, const struct compat_instance *model,
                        enum check_tracker_kind kind)
{
    bool any = false;

    for (unsigned i = 0; i < model->tracker_count; i++) {
        const struct check_tracker *tracker = &model->trackers[i];

        if (tracker->kind != kind)
            continue;
        if (!any)
            put_key(json, key);
        fputs(any ? "," : "[", json->out);
        any = true;
        put_string(json->out, tracker->name, strlen(tracker->name));
    }
    fputs(any ? "]" : "", json->out);
}

static void put_announcing(struct json *json, const struct compat_garp *garp)
{
    put_seconds(json, "garp_delay", garp->delay_us);
    put_seconds(json, "garp_refresh", garp->refresh_us);
    put_number(json, "garp_rep", garp->repeat);
    put_number(json, "garp_refresh_rep", garp->refresh_repeat);
    put_seconds(json, "garp_lower_prio_delay", garp->lower_delay_us);
    put_number(json, "garp_lower_prio_rep", garp->lower_repeat);
}

static void put_scripts(struct json *json, const struct check_notify *notify)
{
    put_command(json, "script_backup", &notify->backup);
    put_command(json, "script_master", &notify->active);
    put_command(json, "script_fault", &notify->fault);
    put_command(json, "script_stop", &notify->stop);
    put_command(json, "script", &notify->any);
    put_command(json, "script_master_rx_lower_pri", &notify->rx_lower);
}

static void put_values(struct json *json, const struct daemon_view *view, const struct dump_instance *i)
{
    const struct compat_instance *model = i->model;
    int64_t since_us = dump_wall_us(view, i->view.since);

    put_text(json, "iname", model->name);
    put_number(json, "dont_track_primary", !model->track_primary);
    put_number(json, "skip_check_adv_addr", model->skip_check_addresses);
    put_number(json, "strict_mode", model->strict);
    put_text(json, "vmac_ifname", model->vmac.on ? model->vmac.name : "");
    put_text(json, "ifp_ifname", model->interface != NULL ? model->interface : "");
    put_number(json, "master_priority", i->view.state == INSTANCE_BACKUP ? i->view.holder_priority : 0);
    put_key(json, "last_transition");
    fprintf(json->out, "%" PRId64 ".%06" PRId64, since_us / US_PER_S, since_us % US_PER_S);
    put_announcing(json, &model->garp);
    put_number(json, "lower_prio_no_advert", model->lower_prio_no_advert);
    put_number(json, "higher_prio_send_advert", model->higher_prio_send_advert);
    put_number(json, "vrid", model->vrid);
    put_number(json, "base_priority", i->view.base_priority);
    put_number(json, "effective_priority", i->view.priority);
    put_truth(json, "vipset", i->view.level_done > LEVEL_ABSENT);
    put_truth(json, "promote_secondaries", model->promote_secondaries);
    put_seconds(json, "adver_int", model->advert_us);
    put_seconds(json, "master_adver_int",
                i->view.holder_interval_us > 0 ? i->view.holder_interval_us : model->advert_us);
    put_number(json, "accept", model->accept);
    put_truth(json, "nopreempt", !model->preempt);
    put_seconds(json, "preempt_delay", model->preempt_delay_us);
    put_number(json, "state", dump_state_number(i->view.state));
    put_number(json, "wantstate", dump_state_number(i->view.want));
    put_number(json, "version", model->version);
    put_truth(json, "smtp_alert", false);
    put_truth(json, "notify_deleted", model->notify.call_deleted != 0);
}

static void put_data(struct json *json, const struct daemon_view *view, const struct dump_instance *i)
{
    const struct compat_instance *model = i->model;
    bool set = i->view.level_done > LEVEL_ABSENT;

    put_values(json, view, i);
    put_scripts(json, &model->notify);
    put_addresses(json, "vips", model->addresses, model->address_count, set);
    put_addresses(json, "evips", model->excluded, model->excluded_count, set);
    put_tracked(json, "track_ifp", model, CHECK_TRACK_INTERFACE);
    put_tracked(json, "track_script", model, CHECK_TRACK_SCRIPT);
    put_tracked(json, "track_process", model, CHECK_TRACK_PROCESS);
    put_number(json, "auth_type", model->authentication == COMPAT_AUTH_PASS);
    if (model->authentication == COMPAT_AUTH_PASS)
        put_text(json, "auth_data", "********");
}

static void put_count(struct json *json, const char *key, uint64_t value)
{
    put_number(json, key, (int64_t)value);
}

static void put_stats(struct json *json, const struct instance_counters *c)
{
    put_count(json, "advert_rcvd", c->adverts_received);
    put_count(json, "advert_sent", c->adverts_sent);
    put_count(json, "become_master", c->became_active);
    put_count(json, "release_master", c->released);
    put_count(json, "packet_len_err", c->refused[REFUSED_LENGTH]);
    put_count(json, "advert_interval_err", c->refused[REFUSED_INTERVAL] + c->interval_differs);
    put_count(json, "ip_ttl_err", c->refused[REFUSED_TTL]);
    put_count(json, "invalid_type_rcvd", c->refused[REFUSED_TYPE]);
    put_count(json, "addr_list_err", c->refused[REFUSED_NO_ADDRESSES] + c->address_list_differs);
    put_count(json, "invalid_authtype", c->refused[REFUSED_AUTH_INVALID]);
    put_count(json, "authtype_mismatch", c->refused[REFUSED_AUTH_MISMATCH]);
    put_count(json, "auth_failure", c->refused[REFUSED_AUTH_FAILURE]);
    put_count(json, "pri_zero_rcvd", c->zero_received);
    put_count(json, "pri_zero_sent", c->zero_sent);
}

static void put_instances(const struct daemon_view *view, const struct compat_config *model, FILE *out)
{
    struct dump_instance instance;
    bool any = false;

    fputc('[', out);
    for (unsigned i = 0; i < model->instance_count; i++) {
        struct json data = {.out = out}, stats = {.out = out};

        if (!dump_find(view, &model->instances[i], &instance))
            continue;
        fputs(any ? ",{\"data\":{" : "{\"data\":{", out);
        any = true;
        put_data(&data, view, &instance);
        fputs("},\"stats\":{", out);
        put_stats(&stats, &instance.counters);
        fputs("}}", out);
    }
    fputc(']', out);
}

static void put_processes(const struct compat_config *model, FILE *out)
{
    fputc('[', out);
    for (unsigned i = 0; i < model->process_count; i++) {
        const struct check_process *process = &model->processes[i];
        struct json json = {.out = out};

        fputs(i > 0 ? ",{" : "{", out);
        put_text(&json, "name", process->name);
        put_text(&json, "process", process->word_count > 0 ? process->words[0] : "");
        put_number(&json, "weight", process->weight.value);
        put_number(&json, "quorum", process->quorum);
        fputc('}', out);
    }
    fputc(']', out);
}

void dump_json(const struct daemon_view *view, FILE *out)
{
    const struct compat_config *model = compat_model(view->config);

    if (model->global.json_version == 2)
        fputs("{\"vrrp\":", out);
    put_instances(view, model, out);
    if (model->global.json_version == 2) {
        fputs(",\"track_process\":", out);
        put_processes(model, out);
        fputc('}', out);
    }
    fputc('\n', out);
}
