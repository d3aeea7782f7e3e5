/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * keepalived.data: its sections and labels, with our values (see dump.h). Left out is what does not exist here: file
 * descriptors of sockets that are not shared, IPVS, mail, scheduling.
 */
#include <inttypes.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "daemon/track.h"
#include "dump.h"

#define SECTION(out, name) fprintf(out, "------< %s >------\n", name)

static const char *truth(bool value)
{
    return value ? "true" : "false";
}

static const char *enabled(bool value)
{
    return value ? "enabled" : "disabled";
}

/* Seconds with the fraction that they have. */
static void put_seconds(FILE *out, const char *label, int64_t us)
{
    if (us % US_PER_S == 0)
        fprintf(out, "%s = %" PRId64 "\n", label, us / US_PER_S);
    else
        fprintf(out, "%s = %" PRId64 ".%06" PRId64 "\n", label, us / US_PER_S, us % US_PER_S);
}

/* "1795667442.037002 (Thu Nov 26 04:30:42.037002 2026)" */
static void put_time(FILE *out, const char *label, int64_t wall_us)
{
    time_t seconds = (time_t)(wall_us / US_PER_S);
    unsigned us = (unsigned)(wall_us % US_PER_S);
    char day[32] = "", year[8] = "";
    struct tm tm;

    if (localtime_r(&seconds, &tm) != NULL) {
        strftime(day, sizeof(day), "%a %b %e %H:%M:%S", &tm);
        strftime(year, sizeof(year), "%Y", &tm);
    }
    fprintf(out, "   %s = %lld.%06u (%s.%06u %s)\n", label, (long long)seconds, us, day, us, year);
}

/* --- global_defs --- */

static void put_garp(const struct compat_garp *garp, const char *indent, FILE *out)
{
    char label[64];

    snprintf(label, sizeof(label), "%sGratuitous ARP delay", indent);
    put_seconds(out, label, garp->delay_us);
    fprintf(out, "%sGratuitous ARP repeat = %d\n", indent, garp->repeat);
    snprintf(label, sizeof(label), "%sGratuitous ARP refresh%s", indent, indent[1] == '\0' ? " timer" : "");
    put_seconds(out, label, garp->refresh_us);
    fprintf(out, "%sGratuitous ARP refresh repeat = %d\n", indent, garp->refresh_repeat);
    snprintf(label, sizeof(label), "%sGratuitous ARP lower priority delay", indent);
    put_seconds(out, label, garp->lower_delay_us);
    fprintf(out, "%sGratuitous ARP lower priority repeat = %d\n", indent, garp->lower_repeat);
}

static void put_global(const struct compat_global *global, FILE *out)
{
    char host[256] = "", text[ADDR_TEXT_MAX];

    gethostname(host, sizeof(host) - 1);
    SECTION(out, "Global definitions");
    fprintf(out, " Router ID = %s\n", global->router_id != NULL ? global->router_id : host);
    fprintf(out, " Dynamic interfaces = %s\n", truth(global->dynamic_interfaces));
    fprintf(out, " Default interface = %s\n", global->default_interface);
    fprintf(out, " FIFO write vrrp states on reload = %s\n", truth(global->fifo_states_on_reload));
    fprintf(out, " VRRP notify priority changes = %s\n", truth(global->priority_changes != 0));
    fprintf(out, " VRRP IPv4 mcast group = %s\n", addr_format(&global->multicast4, text));
    fprintf(out, " VRRP IPv6 mcast group = %s\n", addr_format(&global->multicast6, text));
    put_garp(&global->garp, " ", out);
    fprintf(out, " Num adverts before down = %d\n", global->down_adverts);
    fprintf(out, " Send advert after receive lower priority advert = %s\n", truth(global->lower_prio_no_advert == 0));
    fprintf(out, " Send advert after receive higher priority advert = %s\n",
            truth(global->higher_prio_send_advert != 0));
    fprintf(out, " Gratuitous ARP interval = %.6f\n", (double)global->arp_us / US_PER_S);
    fprintf(out, " Gratuitous NA interval = %.6f\n", (double)global->na_us / US_PER_S);
    fprintf(out, " VRRP default protocol version = %d\n", global->version);
    fprintf(out, " VRRP check unicast_src = %s\n", truth(global->check_unicast_source != 0));
    fprintf(out, " VRRP skip check advert addresses = %s\n", truth(global->skip_check_addresses != 0));
    fprintf(out, " VRRP strict mode = %s\n", truth(global->strict != 0));
    fprintf(out, " Script security %s\n", enabled(global->script_security));
}

/* --- instances --- */

static void put_flags(const struct compat_instance *model, FILE *out)
{
    const struct {
        bool on;
        const char *text;
    } flags[] = {
        {model->unicast, "Using unicast"},
        {!model->track_primary, "Ignoring primary interface state"},
        {model->strict, "Strict mode"},
        {!model->preempt, "No preempt"},
    };
    bool any = false;

    for (unsigned i = 0; i < sizeof(flags) / sizeof(flags[0]); i++)
        any = any || flags[i].on;
    fprintf(out, "   Flags:%s\n", any ? "" : " none");
    for (unsigned i = 0; i < sizeof(flags) / sizeof(flags[0]); i++)
        if (flags[i].on)
            fprintf(out, "     %s\n", flags[i].text);
}

static void put_faults(const struct dump_instance *i, FILE *out)
{
    unsigned faults = i->view.faults;

    fprintf(out, "   Number of config faults = %d\n", (faults & INSTANCE_FAULT_PEERS) != 0);
    fprintf(out, "   Number of tracker faults = %d\n", (faults & INSTANCE_FAULT_TRACKED) != 0);
    if ((faults & INSTANCE_FAULT_LINK) != 0)
        fputs("   Flags of interface faults = i/f down\n", out);
    if ((faults & INSTANCE_FAULT_SOURCE) != 0)
        fputs("   Flags of interface faults = no source IP address\n", out);
}

static void put_state(const struct daemon_view *view, const struct dump_instance *i, FILE *out)
{
    const struct compat_instance *model = i->model;
    char text[ADDR_TEXT_MAX];

    fprintf(out, " VRRP Instance = %s\n   VRRP Version = %d\n", model->name, model->version);
    if (model->group != NULL)
        fprintf(out, "   Sync group = %s\n", model->group->name);
    if (model->family == FAMILY_IPV6)
        fputs("   Using Native IPv6\n", out);
    fprintf(out, "   State = %s\n", dump_state_word(i->view.state));
    if (i->view.state == INSTANCE_BACKUP) {
        fprintf(out, "   Master router = %s\n", addr_format(&i->view.holder, text));
        fprintf(out, "   Master priority = %u\n", i->view.holder_priority);
        fprintf(out, "   Master advert interval = %" PRId64 " milli-sec\n", i->view.holder_interval_us / US_PER_MS);
    }
    put_flags(model, out);
    fprintf(out, "   Wantstate = %s\n", dump_state_word(i->view.want));
    put_faults(i, out);
    put_time(out, "Last transition", dump_wall_us(view, i->view.since));
    if (!mono_is_never(i->view.down_deadline))
        put_time(out, "Read timeout", dump_wall_us(view, i->view.down_deadline));
    /* Skew_Time is a part of the learnt interval; of a second in version 2. */
    int64_t interval_us = i->view.holder_interval_us > 0 ? i->view.holder_interval_us : model->advert_us;
    int64_t skew_us = (256 - i->view.priority) * (model->version == 2 ? (int64_t)US_PER_S : interval_us) / 256;

    fprintf(out, "   Master down timer = %" PRId64 " usecs\n", model->down_adverts * interval_us + skew_us);
}

static void put_transport(const struct dump_instance *i, FILE *out)
{
    const struct compat_instance *model = i->model;
    const uint8_t *mac = model->vmac.mac;
    char text[ADDR_TEXT_MAX];

    if (model->vmac.on)
        fprintf(out, "   Use VMAC, i/f name %s, is_up = true, xmit_base = %s, MAC = %02x:%02x:%02x:%02x:%02x:%02x\n",
                model->vmac.name, truth(model->vmac.xmit_base), mac[0], mac[1], mac[2], mac[3], mac[4], mac[5]);
    if (model->interface != NULL)
        fprintf(out, "   Interface = %s\n", model->interface);
    if (!addr_is_none(&i->view.primary))
        fprintf(out, "   Using src_ip = %s%s\n", addr_format(&i->view.primary, text),
                addr_is_none(&model->source) ? "" : " (from configuration)");
    if (!model->unicast)
        fprintf(out, "   Multicast address %s\n", addr_format(&model->multicast, text));
}

static void put_interval(const struct compat_instance *model, FILE *out)
{
    if (model->version == 2)
        fprintf(out, "   Advert interval = %" PRId64 " sec\n", model->advert_us / US_PER_S);
    else
        fprintf(out, "   Advert interval = %" PRId64 " milli-sec\n", model->advert_us / US_PER_MS);
}

static void put_values(const struct daemon_view *view, const struct dump_instance *i, FILE *out)
{
    const struct compat_instance *model = i->model;

    put_garp(&model->garp, "   ", out);
    fprintf(out, "   Down timer adverts = %d\n", model->down_adverts);
    fprintf(out, "   Send advert after receive lower priority advert = %s\n", truth(model->lower_prio_no_advert == 0));
    fprintf(out, "   Send advert after receive higher priority advert = %s\n",
            truth(model->higher_prio_send_advert != 0));
    fprintf(out, "   Virtual Router ID = %d\n   Priority = %d\n", model->vrid, model->priority);
    fprintf(out, "   Effective priority = %u\n   Total priority = %d\n", i->view.priority, dump_total_priority(i));
    if (i->view.highest_other > 0)
        fprintf(out, "   Highest other priority = %u\n", i->view.highest_other);
    put_interval(model, out);
    if (!mono_is_never(i->view.last_sent))
        put_time(out, "Last advert sent", dump_wall_us(view, i->view.last_sent));
    fprintf(out, "   Accept = %s\n   Preempt = %s\n", enabled(model->accept), enabled(model->preempt));
    if (model->preempt_delay_us > 0)
        put_seconds(out, "   Preempt delay", model->preempt_delay_us);
    fprintf(out, "   Promote_secondaries = %s\n", enabled(model->promote_secondaries));
    if (model->authentication == COMPAT_AUTH_PASS)
        fputs("   Authentication type = SIMPLE_PASSWORD\n   Password = ********\n", out);
}

static void put_addresses(const struct dump_instance *i, FILE *out)
{
    const struct compat_instance *model = i->model;
    bool set = i->view.level_done > LEVEL_ABSENT;

    fprintf(out, "   Virtual IP (%u):\n", model->address_count);
    for (unsigned a = 0; a < model->address_count; a++) {
        fputs("     ", out);
        dump_address(out, &model->addresses[a], set);
        fputc('\n', out);
    }
    if (model->excluded_count > 0)
        fputs("   Virtual IP Excluded :\n", out);
    for (unsigned a = 0; a < model->excluded_count; a++) {
        fputs("     ", out);
        dump_address(out, &model->excluded[a], set);
        fputc('\n', out);
    }
}

static void put_peers(const struct compat_instance *model, FILE *out)
{
    char text[ADDR_TEXT_MAX];

    if (!model->unicast)
        return;
    fprintf(out, "   Check unicast src : %s\n   Unicast Peer :\n", model->check_unicast_source ? "yes" : "no");
    for (unsigned p = 0; p < model->peer_count; p++)
        fprintf(out, "     %s min_ttl %d max_ttl %d\n", addr_format(&model->peers[p].address, text),
                model->peers[p].min_ttl, model->peers[p].max_ttl);
}

static void put_tracked(const struct check_tracker *trackers, unsigned count, FILE *out)
{
    static const char *const headings[] = {
        [CHECK_TRACK_INTERFACE] = "Tracked interfaces",
        [CHECK_TRACK_SCRIPT] = "Tracked scripts",
        [CHECK_TRACK_FILE] = "Tracked files",
        [CHECK_TRACK_PROCESS] = "Tracked processes",
    };

    for (unsigned kind = 0; kind < CHECK_TRACK_KINDS; kind++) {
        bool first = true;

        for (unsigned t = 0; t < count; t++) {
            if (trackers[t].kind != kind)
                continue;
            if (first)
                fprintf(out, "   %s :\n", headings[kind]);
            first = false;
            fprintf(out, "     %s weight %d%s\n", trackers[t].name, trackers[t].weight.value,
                    trackers[t].weight.reverse ? " reverse" : "");
        }
    }
}

static void put_script_line(const char *label, const struct check_command *command, FILE *out)
{
    if (command->argument_count == 0)
        return;
    fprintf(out, "   %s = ", label);
    dump_command(out, command);
    fprintf(out, ", uid:gid %u:%u\n", command->uid, command->gid);
}

static void put_notify(const struct check_notify *notify, FILE *out)
{
    fputs("   Using smtp notification = no\n", out);
    fprintf(out, "   Notify deleted = %s\n", notify->call_deleted ? "Deleted" : "Fault");
    put_script_line("Backup state transition script", &notify->backup, out);
    put_script_line("Master state transition script", &notify->active, out);
    put_script_line("Fault state transition script", &notify->fault, out);
    put_script_line("Stop state transition script", &notify->stop, out);
    put_script_line("Generic state transition script", &notify->any, out);
    put_script_line("Master rx lower pri script", &notify->rx_lower, out);
    fprintf(out, "   Notify priority changes = %s\n", truth(notify->priority_changes != 0));
}

static void put_instance(const struct daemon_view *view, const struct dump_instance *i, FILE *out)
{
    put_state(view, i, out);
    put_transport(i, out);
    put_values(view, i, out);
    put_addresses(i, out);
    put_peers(i->model, out);
    put_tracked(i->model->trackers, i->model->tracker_count, out);
    put_notify(&i->model->notify, out);
}

/* --- groups, checks, interfaces --- */

static void put_group(const struct daemon_view *view, const struct compat_group *group, unsigned index, FILE *out)
{
    struct group_view g;

    core_view_group(view->core, index, &g);
    fprintf(out, " VRRP Sync Group = %s, %s\n   VRRP member instances :\n", group->name, dump_state_word(g.state));
    for (unsigned m = 0; m < group->member_count; m++)
        fprintf(out, "     %s\n", group->members[m]->name);
    put_tracked(group->trackers, group->tracker_count, out);
    put_notify(&group->notify, out);
}

static void put_interfaces(const struct daemon_view *view, FILE *out)
{
    char ipv4[ADDR_TEXT_MAX], ipv6[ADDR_TEXT_MAX];

    SECTION(out, "Interfaces");
    for (unsigned i = 0; i < view->config->core.link_count; i++) {
        const struct kernel_link *link = &view->links[i];
        const uint8_t *mac = link->mac;

        fprintf(out, " Name = %s\n   index = %d\n", view->config->links[i], link->ifindex);
        fprintf(out, "   IPv4 address = %s\n",
                addr_is_none(&link->primary_ipv4) ? "(none)" : addr_format(&link->primary_ipv4, ipv4));
        fprintf(out, "   IPv6 address = %s\n",
                addr_is_none(&link->primary_ipv6) ? "(none)" : addr_format(&link->primary_ipv6, ipv6));
        fprintf(out, "   MAC = %02x:%02x:%02x:%02x:%02x:%02x\n", mac[0], mac[1], mac[2], mac[3], mac[4], mac[5]);
        fprintf(out, "   State = %s\n   MTU = %u\n",
                !link->present ? "deleted"
                : link->up     ? "UP, RUNNING"
                               : "DOWN",
                link->mtu);
    }
}

/* GOOD or BAD, as its last results make it. */
static void put_result(const struct daemon_view *view, const struct check_script *script, FILE *out)
{
    struct track_view source;

    for (unsigned s = 0; view->track != NULL && s < track_source_count(view->track); s++) {
        track_view(view->track, s, &source);
        if (source.kind != CHECK_TRACK_SCRIPT || strcmp(source.name, script->name) != 0)
            continue;
        fprintf(out, "   Status = %s\n   Init state = %s\n   State = %s\n", source.state == TRACK_GOOD ? "GOOD" : "BAD",
                source.state == TRACK_WAITING ? "init" : "done", source.running ? "running" : "idle");
        return;
    }
}

static void put_check(const struct daemon_view *view, const struct check_script *script, FILE *out)
{
    fprintf(out, " VRRP Script = %s\n   Command = ", script->name);
    dump_command(out, &script->command);
    fputc('\n', out);
    put_seconds(out, "   Interval", script->interval_us);
    put_seconds(out, "   Timeout", script->timeout_us);
    fprintf(out, "   Weight = %d%s\n   Rise = %d\n   Fall = %d\n", script->weight.value,
            script->weight.reverse ? " reverse" : "", script->rise, script->fall);
    fprintf(out, "   Insecure = %s\n", script->command.permit == CHECK_INSECURE ? "yes" : "no");
    put_result(view, script, out);
    fprintf(out, "   Script uid:gid = %u:%u\n", script->command.uid, script->command.gid);
}

void dump_data(const struct daemon_view *view, FILE *out)
{
    const struct compat_config *model = compat_model(view->config);
    struct dump_instance instance;

    put_global(&model->global, out);
    SECTION(out, "VRRP Topology");
    for (unsigned i = 0; i < model->instance_count; i++)
        if (dump_find(view, &model->instances[i], &instance))
            put_instance(view, &instance, out);
    if (model->group_count > 0)
        SECTION(out, "VRRP Sync groups");
    for (unsigned g = 0; g < model->group_count; g++)
        put_group(view, &model->groups[g], g, out);
    if (model->script_count > 0)
        SECTION(out, "VRRP Scripts");
    for (unsigned s = 0; s < model->script_count; s++)
        put_check(view, &model->scripts[s], out);
    put_interfaces(view, out);
}
