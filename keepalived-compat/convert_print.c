/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The pools that do what the hosts' instances did, and comments for what they cannot say. Called by convert.c.
 */
#include <string.h>

#include "base/mono.h"
#include "config/keyword.h"
#include "convert_work.h"

static const char *const family_names[] = {"IPv4", "IPv6"};

static unsigned family_index(const struct compat_instance *instance)
{
    return instance->family == FAMILY_IPV6;
}

/* --- who held what --- */

struct shares {
    unsigned bundles, hosts; /* of the pool */
    unsigned preferred[CONVERT_HOSTS_MAX];
    unsigned undecided;
    unsigned least, most; /* of preferred, over the pool's hosts */
    bool all_hosts;       /* every bundle is on every host of the pool */
};

static struct shares shares_count(const struct convert *convert, unsigned pool)
{
    struct shares shares = {.least = UINT32_MAX, .all_hosts = true};
    bool takes_part[CONVERT_HOSTS_MAX] = {false};

    EACH_OF_POOL(convert, r, pool)
    for (unsigned h = 0; h < convert->host_count; h++)
        takes_part[h] |= convert->routers[r].on[h] != NULL;
    for (unsigned h = 0; h < convert->host_count; h++)
        shares.hosts += takes_part[h];
    EACH_OF_POOL(convert, r, pool)
    {
        const struct convert_bundle *bundle = &convert->bundles[r];

        if (convert->routers[r].bundle != r)
            continue;
        shares.bundles++;
        shares.all_hosts = shares.all_hosts && bundle->hosts == shares.hosts;
        if (bundle->preferred >= 0)
            shares.preferred[bundle->preferred]++;
        else
            shares.undecided++;
    }
    for (unsigned h = 0; h < convert->host_count; h++) {
        if (!takes_part[h])
            continue;
        shares.least = shares.preferred[h] < shares.least ? shares.preferred[h] : shares.least;
        shares.most = shares.preferred[h] > shares.most ? shares.preferred[h] : shares.most;
    }
    return shares;
}

/* Whether the balance that was made by hand is the one the pool makes. */
static bool shares_even(const struct shares *shares)
{
    return shares->most - shares->least <= 1 && (shares->bundles > 1 || shares->undecided == 1);
}

static bool addresses_known(const struct convert *convert, unsigned pool, unsigned family)
{
    EACH_OF_POOL(convert, r, pool)
    for (unsigned h = 0; h < convert->host_count; h++)
        if (convert->routers[r].on[h] != NULL && addr_is_none(&convert->hosts[h].address[family]))
            return false;
    return true;
}

static bool all_nopreempt(const struct convert *convert, unsigned pool)
{
    struct convert_cursor cursor = {.convert = convert, .pool = pool};
    const struct compat_instance *instance;

    while ((instance = convert_next(&cursor)) != NULL)
        if (instance->preempt)
            return false;
    return true;
}

static void print_shares(const struct convert *convert, const struct shares *shares, FILE *out)
{
    const char *separator = "";

    for (unsigned h = 0; h < convert->host_count; h++)
        if (shares->preferred[h] > 0) {
            fprintf(out, "%s%s %u", separator, convert->hosts[h].name, shares->preferred[h]);
            separator = ", ";
        }
    fputs("\n", out);
}

/* Says what the priorities meant; true when units must name their host to keep that. */
static bool print_meaning(const struct convert *convert, const struct shares *shares, bool known, bool stays, FILE *out)
{
    fprintf(out, "# %u unit%s on %u host%s.", shares->bundles, shares->bundles == 1 ? "" : "s", shares->hosts,
            shares->hosts == 1 ? "" : "s");
    if (shares->hosts == 1) {
        fputs(" The other hosts' files would tell who was to hold what.\n", out);
        return false;
    }
    if (shares->undecided == shares->bundles)
        fputs(" The priorities preferred nobody; the pool spreads the units evenly.\n", out);
    else {
        fputs(" Their priorities were set by hand: ", out);
        print_shares(convert, shares, out);
    }
    if (shares->undecided == shares->bundles)
        return false;
    if (shares_even(shares)) {
        fputs("# The pool keeps them spread as evenly by itself, also when a host is missing.\n", out);
        return false;
    }
    if (stays) {
        fputs("# All said nopreempt: they stay where they are, and what loses its host is spread evenly.\n", out);
        return false;
    }
    if (known) {
        fputs(shares->bundles == 1 ? "# It names that host (prefer), to return there whenever it lives.\n"
                                   : "# That is not an even spread, so each unit names its host (prefer); without that "
                                     "the pool balances.\n",
              out);
        return true;
    }
    fputs("# That is not an even spread, and the pool will make one. To keep it, name the hosts under members and add\n"
          "# \"prefer HOST\" to the units; the files do not say the hosts' addresses.\n",
          out);
    return false;
}

/* --- the pool's values --- */

static void print_interval(const struct convert *convert, unsigned pool, FILE *out)
{
    struct convert_cursor cursor = {.convert = convert, .pool = pool};
    const struct compat_instance *instance;
    int64_t least = INT64_MAX, most = 0;
    char text[32];

    while ((instance = convert_next(&cursor)) != NULL) {
        least = instance->advert_us < least ? instance->advert_us : least;
        most = instance->advert_us > most ? instance->advert_us : most;
    }
    fprintf(out, "    advert_int %s%s\n", keyword_seconds(least, text),
            least != most ? "  # the shortest; they differed" : "");
}

static void print_garp(const struct compat_instance *first, FILE *out)
{
    const struct compat_garp *garp = &first->garp;
    char text[32];

    if (garp->repeat != 5)
        fprintf(out, "    garp_master_repeat %d\n", garp->repeat < 100 ? garp->repeat : 100);
    if (garp->delay_us != 5 * US_PER_S)
        fprintf(out, "    garp_master_delay %s\n", keyword_seconds(garp->delay_us, text));
    if (garp->refresh_us != 0)
        fprintf(out, "    garp_master_refresh %s\n", keyword_seconds(garp->refresh_us, text));
}

static void print_members(const struct convert *convert, unsigned pool, unsigned family, FILE *out)
{
    char text[ADDR_TEXT_MAX];

    fputs("    members {\n", out);
    for (unsigned h = 0; h < convert->host_count; h++) {
        bool there = false;

        EACH_OF_POOL(convert, r, pool)
        there |= convert->routers[r].on[h] != NULL;
        if (there)
            fprintf(out, "        %s %s\n", convert->hosts[h].name,
                    addr_format(&convert->hosts[h].address[family], text));
    }
    fputs("    }\n", out);
}

/* --- units --- */

static void print_address(const struct net_address *address, const char *interface, FILE *out)
{
    char text[ADDR_TEXT_MAX];

    fprintf(out, " %s/%u", addr_format(&address->address, text), address->prefix_length);
    if (interface == NULL || strcmp(address->device, interface) != 0)
        fprintf(out, " dev %s", address->device);
}

static unsigned bundle_size(const struct convert *convert, unsigned bundle)
{
    unsigned size = 0;

    for (unsigned r = 0; r < convert->router_count; r++)
        if (convert->routers[r].bundle == bundle)
            size += convert->routers[r].first->address_count + convert->routers[r].first->excluded_count;
    return size;
}

static void print_bundle_addresses(const struct convert *convert, unsigned bundle, FILE *out)
{
    const char *interface = convert->routers[bundle].first->interface;

    for (unsigned r = 0; r < convert->router_count; r++) {
        const struct compat_instance *instance = convert->routers[r].first;

        if (convert->routers[r].bundle != bundle)
            continue;
        for (unsigned a = 0; a < instance->address_count; a++)
            print_address(&instance->addresses[a], interface, out);
        for (unsigned a = 0; a < instance->excluded_count; a++)
            print_address(&instance->excluded[a], interface, out);
    }
}

static void print_bundle(const struct convert *convert, unsigned bundle, bool prefer, bool restricted, FILE *out)
{
    const struct convert_router *router = &convert->routers[bundle];
    unsigned size = bundle_size(convert, bundle);
    int preferred = convert->bundles[bundle].preferred;

    if (size == 0)
        return;
    fputs(size > 1 ? "        {" : "       ", out);
    print_bundle_addresses(convert, bundle, out);
    fprintf(out, "%s vrid %d", size > 1 ? " }" : "", router->first->vrid);
    if (prefer && preferred >= 0)
        fprintf(out, " prefer %s", convert->hosts[preferred].name);
    if (restricted) {
        fputs(" members", out);
        for (unsigned h = 0; h < convert->host_count; h++)
            if (router->on[h] != NULL)
                fprintf(out, " %s", convert->hosts[h].name);
    }
    fprintf(out, "  # %s\n", router->first->name);
}

/* --- the whole --- */

static void print_name(const struct compat_instance *first, FILE *out)
{
    fputs("vrrp_pool ", out);
    for (const char *c = first->interface != NULL ? first->interface : "unicast"; *c != '\0'; c++)
        fputc(strchr("_-.", *c) != NULL || (*c >= '0' && *c <= '9') || (*c >= 'a' && *c <= 'z') ||
                      (*c >= 'A' && *c <= 'Z')
                  ? *c
                  : '_',
              out);
    fprintf(out, "-%s-v%d {\n", first->family == FAMILY_IPV6 ? "ipv6" : "ipv4", first->version);
}

static void print_settings(const struct convert *convert, unsigned pool, bool stays, FILE *out)
{
    const struct compat_instance *first = convert->routers[pool].first;

    print_name(first, out);
    fprintf(out, "    interface %s\n", first->interface != NULL ? first->interface : "eth0  # the files name none");
    fprintf(out, "    version %d\n", first->version);
    print_interval(convert, pool, out);
    if (first->vmac.on)
        fputs(first->vmac.xmit_base ? "    use_vmac\n    vmac_xmit_base\n" : "    use_vmac\n", out);
    print_garp(first, out);
    if (stays)
        fputs("    rebalance off\n", out);
}

static void print_pool(const struct convert *convert, unsigned pool, FILE *out)
{
    const struct compat_instance *first = convert->routers[pool].first;
    unsigned family = family_index(first);
    struct shares shares = shares_count(convert, pool);
    bool known = addresses_known(convert, pool, family), stays = all_nopreempt(convert, pool);

    fprintf(out, "\n# %s on %s.\n", family_names[family], first->interface != NULL ? first->interface : "no interface");
    bool prefer = print_meaning(convert, &shares, known, stays, out);

    if (!shares.all_hosts)
        fprintf(out, "# Not every host has every unit%s\n",
                known ? ", which members says." : "; add \"members HOST...\" to those units.");
    convert_print_lost(convert, pool, out);
    convert_print_differences(convert, pool, out);
    print_settings(convert, pool, stays, out);
    if (known)
        print_members(convert, pool, family, out);
    fputs("    virtual_ipaddress {\n", out);
    EACH_OF_POOL(convert, r, pool)
    if (convert->routers[r].bundle == r)
        print_bundle(convert, r, prefer, known && convert->bundles[r].hosts < shares.hosts, out);
    fputs("    }\n}\n", out);
}

void convert_print(const void *work, FILE *out)
{
    const struct convert *convert = work;

    fputs("# Made by keelctl convert keepalived from\n", out);
    for (unsigned h = 0; h < convert->host_count; h++)
        fprintf(out, "#   %s: %s\n", convert->hosts[h].name, convert->hosts[h].file);
    fputs("# The same file goes to every host.\n", out);
    for (unsigned r = 0; r < convert->router_count; r++)
        if (convert->routers[r].bundle == r && convert->bundles[r].pool == r)
            print_pool(convert, r, out);
    convert_print_left_out(convert, out);
}
