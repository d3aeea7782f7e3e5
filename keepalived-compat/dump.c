/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the dumps share, and the stats file (see dump.h). */
#include "dump.h"

#include <inttypes.h>
#include <string.h>

bool dump_find(const struct daemon_view *view, const struct compat_instance *model, struct dump_instance *out)
{
    const struct core_settings *core = &view->config->core;

    for (unsigned p = core->pool_count; p < settings_all_count(core); p++) {
        for (unsigned u = 0; u < core->pools[p].unit_count; u++) {
            const struct unit_settings *unit = &core->pools[p].units[u];

            if (strcmp(unit->instance->name, model->name) != 0)
                continue;
            *out = (struct dump_instance){.model = model, .unit = unit};
            core_view_instance(view->core, p, u, &out->view);
            core_view_instance_counters(view->core, p, u, &out->counters);
            return true;
        }
    }
    return false;
}

int dump_state_number(uint8_t state)
{
    switch ((enum instance_state)state) {
    case INSTANCE_BACKUP:
        return 1;
    case INSTANCE_ACTIVE:
        return 2;
    case INSTANCE_FAULT:
        return 3;
    case INSTANCE_INITIALIZE:
    case INSTANCE_STOPPED:
    case INSTANCE_STATE_COUNT:
        break;
    }
    return 0;
}

const char *dump_state_word(uint8_t state)
{
    static const char *const words[] = {"INIT", "BACKUP", "MASTER", "FAULT"};

    return words[dump_state_number(state)];
}

static const char *scope_word(int32_t scope, char text[static 12])
{
    switch (scope) {
    case 0:
        return "global";
    case 200:
        return "site";
    case 253:
        return "link";
    case 254:
        return "host";
    case 255:
        return "nowhere";
    default:
        snprintf(text, 12, "%" PRId32, scope);
        return text;
    }
}

void dump_address(FILE *out, const struct net_address *address, bool set)
{
    char text[ADDR_TEXT_MAX], scope[12];
    unsigned whole = address->address.family == FAMILY_IPV6 ? 128 : 32;

    fputs(addr_format(&address->address, text), out);
    if (address->prefix_length != whole)
        fprintf(out, "/%u", address->prefix_length);
    if (!addr_is_none(&address->broadcast))
        fprintf(out, " brd %s", addr_format(&address->broadcast, text));
    fprintf(out, " dev %s scope %s", address->device, scope_word(address->scope, scope));
    if (address->label != NULL)
        fprintf(out, " label %s", address->label);
    if (!addr_is_none(&address->peer))
        fprintf(out, " peer %s", addr_format(&address->peer, text));
    fputs(address->no_track ? " no_track" : "", out);
    fputs(set ? " set" : "", out);
}

void dump_command(FILE *out, const struct check_command *command)
{
    for (unsigned i = 0; i < command->argument_count; i++)
        fprintf(out, "%s'%s'", i > 0 ? " " : "", command->arguments[i]);
}

int64_t dump_wall_us(const struct daemon_view *view, struct mono t)
{
    return mono_is_never(t) ? 0 : view->wall_us + mono_diff_us(t, view->now);
}

int dump_total_priority(const struct dump_instance *instance)
{
    return instance->view.base_priority + instance->view.weight;
}

/* --- keepalived.stats --- */

static void put_count(FILE *out, const char *label, uint64_t value)
{
    fprintf(out, "    %s: %" PRIu64 "\n", label, value);
}

static uint64_t refused(const struct instance_counters *c, enum instance_refusal why)
{
    return c->refused[why];
}

static void put_stats(const struct instance_counters *c, FILE *out)
{
    fputs("  Advertisements:\n", out);
    put_count(out, "Received", c->adverts_received);
    put_count(out, "Sent", c->adverts_sent);
    fprintf(out, "  Became master: %" PRIu64 "\n  Released master: %" PRIu64 "\n", c->became_active, c->released);
    fputs("  Packet Errors:\n", out);
    put_count(out, "Length", refused(c, REFUSED_LENGTH));
    put_count(out, "TTL", refused(c, REFUSED_TTL));
    put_count(out, "Invalid Type", refused(c, REFUSED_TYPE));
    put_count(out, "Advertisement Interval", refused(c, REFUSED_INTERVAL) + c->interval_differs);
    put_count(out, "Address List", refused(c, REFUSED_NO_ADDRESSES) + c->address_list_differs);
    fputs("  Authentication Errors:\n", out);
    put_count(out, "Invalid Type", refused(c, REFUSED_AUTH_INVALID));
    put_count(out, "Type Mismatch", refused(c, REFUSED_AUTH_MISMATCH));
    put_count(out, "Failure", refused(c, REFUSED_AUTH_FAILURE));
    fputs("  Priority Zero:\n", out);
    put_count(out, "Received", c->zero_received);
    put_count(out, "Sent", c->zero_sent);
}

void dump_stats(const struct daemon_view *view, FILE *out)
{
    const struct compat_config *model = compat_model(view->config);
    struct dump_instance instance;

    for (unsigned i = 0; i < model->instance_count; i++) {
        if (!dump_find(view, &model->instances[i], &instance))
            continue;
        fprintf(out, "VRRP Instance: %s\n", model->instances[i].name);
        put_stats(&instance.counters, out);
    }
}
