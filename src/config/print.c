/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The model as a file: every value, also the defaults, in one fixed order, with VRIDs and groups spelled out. The same
 * model always gives the same text, and the text gives the same model; the configuration's hash rests on both. Called
 * by config.c and keelctl.
 */
#include <inttypes.h>

#include "config/config.h"
#include "config/keyword.h"
#include "config/pool_watch.h"

static void print_seconds(FILE *out, const char *keyword, int64_t us)
{
    char text[32];

    fprintf(out, "    %s %s\n", keyword, keyword_seconds(us, text));
}

static const char *print_on(bool on)
{
    return on ? "on" : "off";
}

static const char *print_checksum(enum wire_checksum checksum)
{
    switch (checksum) {
    case WIRE_CHECKSUM_AUTO:
        return "auto";
    case WIRE_CHECKSUM_PLAIN:
        return "plain";
    case WIRE_CHECKSUM_PSEUDO:
        return "pseudo";
    }
    return "";
}

static void print_addresses(FILE *out, const char *keyword, const struct addr *list, unsigned count)
{
    char text[ADDR_TEXT_MAX];

    if (count > 0)
        fputs(keyword, out);
    for (unsigned i = 0; i < count; i++)
        fprintf(out, " %s", addr_format(&list[i], text));
}

static void print_unit(const struct config *config, const struct pool_settings *pool, const struct unit_settings *unit,
                       const struct config_unit *more, FILE *out)
{
    bool group = more->vip_count > 1;
    char text[ADDR_TEXT_MAX];

    fputs(group ? "        {" : "       ", out);
    for (unsigned i = 0; i < more->vip_count; i++) {
        const struct config_vip *vip = &more->vips[i];

        fprintf(out, " %s/%u", addr_format(&vip->address, text), vip->prefix_length);
        if (vip->link != pool->link)
            fprintf(out, " dev \"%s\"", config->links[vip->link]);
    }
    fprintf(out, "%s vrid %u", group ? " }" : "", unit->vrid);
    print_addresses(out, " prefer", unit->prefer, unit->prefer_count);
    print_addresses(out, " members", unit->eligible, unit->eligible_count);
    fputc('\n', out);
}

static void print_protocol(const struct config *config, const struct pool_settings *pool, FILE *out)
{
    fprintf(out, "    interface \"%s\"\n    version %u\n", config->links[pool->link], pool->version);
    print_seconds(out, "advert_int", pool->advert_interval_us);
    fprintf(out, "    checksum %s\n", print_checksum((enum wire_checksum)pool->checksum));
    print_seconds(out, "member_advert_int", pool->member_interval_us);
    if (pool->member_vrid != 0)
        fprintf(out, "    member_router_id %u\n", pool->member_vrid);
    fprintf(out, "    priority %u\n", pool->share);
    print_seconds(out, "startup_delay", pool->startup_delay_us);
    fprintf(out, "    strict_members %s\n    rebalance %s\n", print_on(pool->strict_members),
            print_on(pool->rebalance));
    if (pool->rebalance_moves == UINT16_MAX)
        fputs("    rebalance_moves all\n", out);
    else
        fprintf(out, "    rebalance_moves %u\n", pool->rebalance_moves);
    print_seconds(out, "rebalance_interval", pool->rebalance_interval_us);
}

static void print_host(const struct pool_settings *pool, const struct config_pool *more, FILE *out)
{
    fprintf(out, "    arp_filter %s\n    address_mode %s\n", filter_mode_name(more->filter_mode),
            more->address_mode == ADDRESS_RESIDENT ? "resident" : "add");
    fprintf(out, "    use_vmac %s\n    vmac_xmit_base %s\n", print_on(more->use_vmac), print_on(more->vmac_xmit_base));
    fprintf(out, "    garp_master_repeat %u\n", more->garp_repeat);
    print_seconds(out, "garp_master_delay", more->garp_delay_us);
    print_seconds(out, "garp_master_refresh", more->garp_refresh_us);
    print_seconds(out, "garp_interval", more->garp_interval_us);
    if (!pool->isolation_check)
        fputs("    isolation_targets none\n", out);
    else if (more->target_count > 0) {
        print_addresses(out, "    isolation_targets", more->targets, more->target_count);
        fputc('\n', out);
    }
    fprintf(out, "    on_isolation %s\n", pool->drop_when_isolated ? "drop" : "hold");
}

static void print_pool(const struct config *config, const struct pool_settings *pool, const struct config_pool *more,
                       const struct config_watch *watch, FILE *out)
{
    char text[ADDR_TEXT_MAX];

    fprintf(out, "vrrp_pool %s {\n", pool->name);
    print_protocol(config, pool, out);
    print_host(pool, more, out);
    if (watch != NULL)
        pool_watch_print(watch, out);
    if (pool->name_count > 0) {
        fputs("    members {\n", out);
        for (unsigned i = 0; i < pool->name_count; i++)
            fprintf(out, "        \"%s\" %s\n", pool->names[i].name, addr_format(&pool->names[i].address, text));
        fputs("    }\n", out);
    }
    fputs("    virtual_ipaddress {\n", out);
    for (unsigned i = 0; i < pool->unit_count; i++)
        print_unit(config, pool, &pool->units[i], &more->units[i], out);
    fputs("    }\n}\n", out);
}

void config_print(const struct config *config, FILE *out)
{
    for (unsigned i = 0; i < config->core.pool_count; i++)
        print_pool(config, &config->core.pools[i], &config->pools[i],
                   config->watches != NULL ? &config->watches[i] : NULL, out);
    if (config->extension != NULL)
        config->extension->print(config->model, out);
}
