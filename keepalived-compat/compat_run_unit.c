/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One instance as the core and the daemon are told of it. Values are copied under the names of core/settings.h and
 * config/instances.h; what is derived here says why. Called by compat_run.c.
 */
#include <string.h>

#include "compat_words.h"

/*
 * The kernel's lease ends before others may take over, which they do after down_adverts intervals and Skew_Time: half
 * an interval earlier at least, and never later than a pool's would. It also is the time after which a host that slept
 * is no owner any more; one interval is the least that a waking host can be late by, hence not below one and a half
 * (where compat_run_mode has turned the lease off).
 */
static int64_t lease_us(const struct compat_instance *instance)
{
    int64_t halves = 2 * (int64_t)instance->down_adverts - 1;

    if (halves > 5)
        halves = 5;
    if (halves < 3)
        halves = 3;
    return instance->advert_us * halves / 2;
}

static void copy_name(char out[static SETTINGS_NAME_MAX], const char *name)
{
    memcpy(out, name, strnlen(name, SETTINGS_NAME_MAX - 1));
}

static void copy_peers(const struct compat_instance *instance, struct arena *arena, struct instance_settings *out)
{
    out->peers = arena_array(arena, instance->peer_count, sizeof(*out->peers));
    out->peer_count = (uint8_t)instance->peer_count;
    for (unsigned i = 0; i < instance->peer_count; i++)
        out->peers[i] = (struct peer_settings){.address = instance->peers[i].address,
                                               .min_ttl = (uint8_t)instance->peers[i].min_ttl,
                                               .max_ttl = (uint8_t)instance->peers[i].max_ttl};
}

struct instance_settings compat_run_instance(const struct compat_config *model, const struct compat_instance *instance,
                                             struct arena *arena)
{
    bool owner = instance->priority == VRRP_PRIORITY_OWNER;
    struct instance_settings out = {
        .priority = (uint8_t)instance->priority,
        .starts_active = instance->initial_state == COMPAT_MASTER && !owner,
        .preempt = instance->preempt || owner,
        .down_adverts = (uint8_t)instance->down_adverts,
        .group = instance->group != NULL ? (uint16_t)(instance->group - model->groups) : INSTANCE_NO_GROUP,
        .preempt_delay_us = instance->preempt_delay_us,
        .lease_us = lease_us(instance),
        .late_us = instance->advert_us * instance->late_backup / 256,
        .auth_type = instance->authentication == COMPAT_AUTH_PASS ? 1 : 0,
        .track_link = instance->track_primary,
        /* Nobody hears a unicast packet from an address that is not here: two hosts with one file would both be Active.
         */
        .track_source = instance->track_source || (instance->unicast && !addr_is_none(&instance->source)),
        .lower_no_advert = instance->lower_prio_no_advert != 0,
        .higher_advert = instance->higher_prio_send_advert != 0,
        .owner_ignores = instance->owner_ignore_adverts != 0,
        .check_unicast_source = instance->check_unicast_source != 0,
        .skip_check_addresses = instance->skip_check_addresses != 0,
        .unicast = instance->unicast,
        .fault_without_peer = instance->unicast_fault_no_peer,
        .unicast_ttl = (uint8_t)instance->unicast_ttl,
        .group_address = instance->multicast,
        .source = instance->source,
    };

    copy_name(out.name, instance->name);
    memcpy(out.auth, instance->password, sizeof(out.auth));
    copy_peers(instance, arena, &out);
    return out;
}

static struct config_garp make_garp(const struct compat_garp *garp)
{
    return (struct config_garp){.repeat = garp->repeat,
                                .delay_us = garp->delay_us,
                                .refresh_us = garp->refresh_us,
                                .refresh_repeat = garp->refresh_repeat,
                                .lower_repeat = garp->lower_repeat,
                                .lower_delay_us = garp->lower_delay_us};
}

/*
 * Without use_vmac advertisements leave with the interface's own MAC, as keepalived's do: whoever left it out has often
 * done so because the network takes no other.
 */
struct config_router compat_run_router(const struct compat_instance *instance)
{
    struct config_router out = {
        .accept = instance->accept || instance->priority == VRRP_PRIORITY_OWNER,
        .use_vmac = instance->vmac.on,
        .vmac_xmit_base = !instance->vmac.on || instance->vmac.xmit_base,
        .vmac_others = instance->vmac.addresses,
        .vmac_name = instance->vmac.name,
        .promote_secondaries = instance->promote_secondaries,
        .lease_us = lease_us(instance),
        .garp = make_garp(&instance->garp),
        .route_count = instance->route_count,
        .routes = instance->routes,
        .rule_count = instance->rule_count,
        .rules = instance->rules,
        .tracker_count = instance->tracker_count,
        .trackers = instance->trackers,
        .notify = &instance->notify,
    };

    memcpy(out.vmac, instance->vmac.mac, sizeof(out.vmac));
    return out;
}
