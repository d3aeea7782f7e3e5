/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reading the witness's command line. Owns no memory; all messages about options are made here.
 */
#include "ctl/witness_options.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

enum option_id {
    OPTION_INTERFACE = 256,
    OPTION_VIP,
    OPTION_VIP_FILE,
    OPTION_HOST,
    OPTION_SOURCE,
    OPTION_INTERVAL,
    OPTION_LISTEN,
    OPTION_ASK,
    OPTION_RETRY,
    OPTION_DURATION,
    OPTION_PRIORITY,
    OPTION_JSON,
    OPTION_EVENTS,
    OPTION_HELP,
};

static const struct option option_table[] = {
    {"interface", required_argument, NULL, OPTION_INTERFACE},
    {"vip", required_argument, NULL, OPTION_VIP},
    {"vip-file", required_argument, NULL, OPTION_VIP_FILE},
    {"host", required_argument, NULL, OPTION_HOST},
    {"source", required_argument, NULL, OPTION_SOURCE},
    {"interval-ms", required_argument, NULL, OPTION_INTERVAL},
    {"listen-every", required_argument, NULL, OPTION_LISTEN},
    {"ask-every", required_argument, NULL, OPTION_ASK},
    {"retry-ms", required_argument, NULL, OPTION_RETRY},
    {"duration", required_argument, NULL, OPTION_DURATION},
    {"priority", required_argument, NULL, OPTION_PRIORITY},
    {"json", no_argument, NULL, OPTION_JSON},
    {"events", no_argument, NULL, OPTION_EVENTS},
    {"help", no_argument, NULL, OPTION_HELP},
    {NULL, 0, NULL, 0},
};

static const char help_text[] =
    "Usage: %s --interface IF --vip ADDRESS[,ADDRESS]... [OPTION]...\n"
    "Watches virtual addresses from a host of the LAN: gaps, double answers, stale caches, moves.\n"
    "\n"
    "  --interface IF         the addresses and hosts that follow are on IF; may be given again\n"
    "  --vip ADDRESS[,...]    addresses to watch\n"
    "  --vip-file FILE        more of them, separated by white space; a prefix length is ignored\n"
    "  --host NAME=MAC        a host that may hold them; without any, hosts are learnt from their claims\n"
    "  --source ADDRESS       address to ask from (default: the interface's first)\n"
    "  --interval-ms N        time between two rounds of one address (default 5, or more when there are many)\n"
    "  --listen-every N       ask every host itself in each Nth round (default 1, or 4 when there are many)\n"
    "  --ask-every N          ARP request or neighbour solicitation in each Nth round (default 4 times that)\n"
    "  --retry-ms N           the client asks anew who has an address after N ms without answer (default 1000)\n"
    "  --duration SECONDS     end after that time (default: on SIGINT or SIGTERM)\n"
    "  --priority N           real-time priority, where allowed; 0: none (default 20)\n"
    "  --json                 the results as one JSON object at the end\n"
    "  --events               a line of JSON for each event as it happens\n"
    "A line \"mark NAME\" on standard input, or SIGUSR1, begins a new measuring window; \"show\" prints who answers "
    "now.\n";

static int complain(const char *what, const char *word)
{
    fprintf(stderr, "witness: %s: %s\n", what, word);
    return EX_USAGE;
}

/* A number of [low, high] that fills the whole word. */
static int read_number(const char *name, const char *word, long low, long high, long *out)
{
    char *end;

    errno = 0;
    *out = strtol(word, &end, 10);
    if (errno == 0 && end != word && *end == '\0' && *out >= low && *out <= high)
        return EX_OK;
    fprintf(stderr, "witness: --%s: \"%s\" is not a number from %ld to %ld\n", name, word, low, high);
    return EX_USAGE;
}

static int read_interface(struct witness_options *o, const char *word)
{
    if (o->port_count == WITNESS_PORTS_MAX || word[0] == '\0' || strlen(word) >= sizeof(o->ports[0].name))
        return complain("too many interfaces, or not the name of one", word);
    memcpy(o->ports[o->port_count++].name, word, strlen(word) + 1);
    return EX_OK;
}

static int add_vip(struct witness_options *o, char *word)
{
    struct witness_target target = {.port = o->port_count - 1};
    char *slash = strchr(word, '/');

    if (slash)
        *slash = '\0';
    if (!addr_parse(word, &target.address))
        return complain("not an address", word);
    if (addr_is_multicast(&target.address))
        return complain("a multicast address has no owner", word);
    for (unsigned i = 0; i < o->vip_count; i++) {
        if (o->vips[i].port == target.port && addr_equal(&o->vips[i].address, &target.address))
            return complain("the address is given twice", word);
    }
    if (o->vip_count == WITNESS_VIPS_MAX)
        return complain("too many addresses, at", word);
    o->vips[o->vip_count++] = target;
    return EX_OK;
}

static int read_vips(struct witness_options *o, char *words)
{
    char *rest = NULL;
    int code = o->port_count ? EX_OK : complain("--interface must come before the addresses on it", words);

    for (char *word = strtok_r(words, ", \t\r\n", &rest); word && code == EX_OK;
         word = strtok_r(NULL, ", \t\r\n", &rest))
        code = add_vip(o, word);
    return code;
}

static int read_vip_file(struct witness_options *o, const char *path)
{
    FILE *file = fopen(path, "re");
    char *line = NULL;
    size_t room = 0;
    int code = EX_OK;

    if (!file) {
        fprintf(stderr, "witness: --vip-file: %s: %s\n", path, strerror(errno));
        return EX_NOINPUT;
    }
    while (code == EX_OK && getline(&line, &room, file) >= 0) {
        line[strcspn(line, "#")] = '\0';
        code = read_vips(o, line);
    }
    free(line);
    fclose(file);
    return code;
}

static bool read_mac(const char *word, uint8_t mac[6])
{
    unsigned b[6];
    char more;

    if (sscanf(word, "%2x:%2x:%2x:%2x:%2x:%2x%c", &b[0], &b[1], &b[2], &b[3], &b[4], &b[5], &more) != 6)
        return false;
    for (unsigned i = 0; i < 6; i++)
        mac[i] = (uint8_t)b[i];
    return true;
}

static struct witness_host *find_host(struct witness_options *o, const char *name, size_t length)
{
    for (unsigned i = 0; i < o->host_count; i++) {
        if (strlen(o->hosts[i].name) == length && memcmp(o->hosts[i].name, name, length) == 0)
            return &o->hosts[i];
    }
    if (o->host_count == WITNESS_HOSTS_MAX || length == 0 || length >= WITNESS_NAME)
        return NULL;
    memcpy(o->hosts[o->host_count].name, name, length);
    return &o->hosts[o->host_count++];
}

static int read_host(struct witness_options *o, const char *word)
{
    const char *equals = strchr(word, '=');
    uint8_t mac[6];

    if (o->port_count == 0)
        return complain("--interface must come before the hosts on it", word);
    if (!equals || !read_mac(equals + 1, mac))
        return complain("--host wants NAME=MAC", word);
    struct witness_host *host = find_host(o, word, (size_t)(equals - word));

    if (!host)
        return complain("too many hosts, or a name too long", word);
    host->known[o->port_count - 1] = true;
    memcpy(host->mac[o->port_count - 1], mac, sizeof(mac));
    o->ports[o->port_count - 1].hosts_given = true;
    return EX_OK;
}

static int read_source(struct witness_options *o, const char *word)
{
    struct addr source;

    if (o->port_count == 0)
        return complain("--interface must come before --source", word);
    if (!addr_parse(word, &source) || addr_is_multicast(&source))
        return complain("--source: not an address", word);
    if (source.family == FAMILY_IPV4)
        o->ports[o->port_count - 1].source_ipv4 = source;
    else
        o->ports[o->port_count - 1].source_ipv6 = source;
    return EX_OK;
}

static int read_numbers(struct witness_options *o, int id, const char *name, const char *word)
{
    long n = 0;
    int code;

    if (id == OPTION_INTERVAL) {
        code = read_number(name, word, 1, 10000, &n);
        o->interval_us = n * US_PER_MS;
    } else if (id == OPTION_LISTEN || id == OPTION_ASK) {
        code = read_number(name, word, 1, 1000, &n);
        *(id == OPTION_LISTEN ? &o->listen_every : &o->ask_every) = (unsigned)n;
    } else if (id == OPTION_RETRY) {
        code = read_number(name, word, 10, 3600000, &n);
        o->retry_us = n * US_PER_MS;
    } else if (id == OPTION_DURATION) {
        code = read_number(name, word, 1, 1000000, &n);
        o->duration_us = n * US_PER_S;
    } else {
        code = read_number(name, word, 0, 99, &n);
        o->priority = (int)n;
    }
    return code;
}

static int read_option(struct witness_options *o, int id, const char *name, char *word)
{
    switch (id) {
    case OPTION_INTERFACE:
        return read_interface(o, word);
    case OPTION_VIP:
        return read_vips(o, word);
    case OPTION_VIP_FILE:
        return read_vip_file(o, word);
    case OPTION_HOST:
        return read_host(o, word);
    case OPTION_SOURCE:
        return read_source(o, word);
    case OPTION_JSON:
        o->json = true;
        return EX_OK;
    case OPTION_EVENTS:
        o->events = true;
        return EX_OK;
    case '?':
        return EX_USAGE;
    default: /* not an enum: what getopt_long returned */
        return read_numbers(o, id, name, word);
    }
}

/* Questions per second that leave two small cores most of their time: some 20,000. */
static void choose_pace(struct witness_options *o)
{
    const unsigned hosts = o->host_count ? o->host_count : 3;
    const bool many = o->vip_count * (hosts + 1) > 96;

    if (o->listen_every == 0)
        o->listen_every = many ? 4 : 1;
    if (o->ask_every == 0)
        o->ask_every = o->listen_every * 4;
    if (o->interval_us == 0) {
        const unsigned per_round = o->vip_count * (4 * o->listen_every + 4 * hosts + 1) / (4 * o->listen_every);
        const int64_t ms = per_round / 20;

        o->interval_us = (ms < 5 ? 5 : ms) * US_PER_MS;
    }
}

int witness_options_read(int argc, char **argv, struct witness_options *options, bool *done)
{
    int index = 0;
    int code = EX_OK;

    *options = (struct witness_options){.retry_us = 1 * US_PER_S, .priority = 20};
    *done = false;
    for (int id; code == EX_OK && (id = getopt_long(argc, argv, "", option_table, &index)) != -1;) {
        if (id == OPTION_HELP) {
            printf(help_text, argv[0]);
            *done = true;
            return EX_OK;
        }
        code = read_option(options, id, option_table[index].name, optarg);
    }
    if (code != EX_OK)
        return code;
    if (optind < argc)
        return complain("unexpected argument", argv[optind]);
    if (options->vip_count == 0)
        return complain("nothing to watch", "give --interface and --vip (--help tells more)");
    choose_pace(options);
    return EX_OK;
}
