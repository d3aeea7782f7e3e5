/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See file_rig.h. Linked into the tests that run a file with instances. */
#include "file_rig.h"

#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "compat.h"
#include "core/wire.h"

#define WALL_US 1767225600000000 /* 2026-01-01T00:00:00Z */
#define START_US (100 * (int64_t)US_PER_S)

static void complain(void *context, enum config_severity severity, const char *file, unsigned line, unsigned column,
                     const char *text)
{
    (void)context;
    if (severity == CONFIG_ERROR)
        fprintf(stderr, "%s:%u:%u: %s\n", file, line, column, text);
}

static void step(struct file_rig *rig, const struct event *event)
{
    unsigned first = rig->effects.count;

    core_step((struct core *)rig->view.core, event, &rig->effects);
    unsigned end = rig->effects.count;

    for (unsigned i = first; i < end; i++) {
        const struct effect effect = rig->effects.list[i];
        struct event done = {.pool = effect.pool, .unit = effect.unit, .sequence = effect.sequence, .now = rig->now};
        struct note note;

        if (effect.kind == EFFECT_NOTE) {
            note_from_effect(rig->config, &effect, &note);
            history_add(rig->history, &note, rig->now, WALL_US + rig->now.us - START_US);
        }
        done.kind = effect.kind == EFFECT_LEVEL ? EVENT_LEVEL_DONE : EVENT_SENT;
        if (effect.kind == EFFECT_LEVEL || (effect.kind == EFFECT_SEND && effect.priority > 0))
            step(rig, &done);
    }
    rig->effects.count = first;
}

static void tick(struct file_rig *rig)
{
    step(rig, &(struct event){.kind = EVENT_TICK, .now = rig->now});
}

void file_rig_run(struct file_rig *rig, int64_t us)
{
    struct mono end = mono_add(rig->now, us);

    while (mono_due(end, core_deadline(rig->view.core))) {
        rig->now = mono_max(rig->now, core_deadline(rig->view.core));
        tick(rig);
    }
    rig->now = end;
}

void file_rig_hear(struct file_rig *rig, unsigned unit, const char *source, uint8_t priority, bool password)
{
    const struct unit_settings *settings = &rig->config->core.pools[rig->config->core.pool_count].units[unit];
    uint8_t packet[WIRE_PACKET_MAX];
    struct advert advert = {
        .destination = wire_group((enum family)settings->family),
        .version = settings->version,
        .vrid = settings->vrid,
        .priority = priority,
        .checksum = settings->version == 2 ? WIRE_CHECKSUM_PLAIN : WIRE_CHECKSUM_PSEUDO,
        .auth_type = settings->instance->auth_type,
        .interval_us = (uint32_t)settings->advert_interval_us,
        .address_count = settings->address_count,
        .addresses = settings->addresses,
    };
    struct event event = {
        .kind = EVENT_PACKET, .link = settings->link, .now = rig->now, .received = rig->now, .packet = packet};

    CHECK(addr_parse(source, &advert.source));
    if (password)
        memcpy(advert.auth, settings->instance->auth, sizeof(advert.auth));
    event.packet_length = wire_encode(&advert, packet, sizeof(packet));
    CHECK(event.packet_length > 0);
    step(rig, &event);
    tick(rig);
}

/* --- what control.h asks for --- */

static const struct daemon_view *get_view(void *context)
{
    struct file_rig *rig = context;

    rig->view.now = rig->now;
    rig->view.wall_us = WALL_US + rig->now.us - START_US;
    return &rig->view;
}

static int take_command(void *context, const struct event *event, enum core_result *result)
{
    struct file_rig *rig = context;

    *result = core_step((struct core *)rig->view.core, event, &rig->effects);
    return 0;
}

static char *make_dump(void *context, enum daemon_dump dump)
{
    (void)context;
    return strdup(daemon_dump_name(dump));
}

static void bring_up_links(struct file_rig *rig)
{
    for (unsigned i = 0; i < rig->config->core.link_count; i++) {
        struct kernel_link *link = &rig->links[i];
        bool up = strncmp(rig->config->links[i], "down", 4) != 0;

        *link = (struct kernel_link){
            .present = true, .up = up, .ifindex = (int)i + 2, .mtu = 1500, .mac = {2, 0, 0, 0, 0, (uint8_t)i}};
        addr_parse("10.0.0.1", &link->primary_ipv4);
        addr_parse("fe80::1", &link->primary_ipv6);
        step(rig, &(struct event){.kind = EVENT_LINK,
                                  .link = (uint8_t)i,
                                  .up = up,
                                  .primary_ipv4 = link->primary_ipv4,
                                  .primary_ipv6 = link->primary_ipv6,
                                  .now = rig->now});
    }
}

void file_rig_open(struct file_rig *rig, const char *text)
{
    memset(rig, 0, sizeof(*rig));
    rig->now = (struct mono){START_US};
    rig->config =
        compat_read((struct config_request){.path = "f", .text = text, .length = strlen(text), .config_id = "host1"},
                    complain, NULL);
    CHECK(rig->config != NULL);
    rig->effects.capacity = 8 * effects_capacity(&rig->config->core);
    rig->effects.list = calloc(rig->effects.capacity, sizeof(rig->effects.list[0]));
    rig->storage = malloc(core_storage_size(&rig->config->core));
    rig->history = history_new(64);
    CHECK(rig->effects.list != NULL && rig->storage != NULL && rig->history != NULL);
    for (unsigned p = 0; p < SETTINGS_POOLS_MAX; p++) {
        rig->pools[p] = (struct daemon_pool_view){.filter_mode = FILTER_LEASE, .conflicts = rig->conflicts[p]};
        for (unsigned u = 0; u < PLAN_UNITS_MAX; u++)
            rig->conflicts[p][u].last = MONO_NEVER;
    }
    rig->view = (struct daemon_view){.version = "1.0.0",
                                     .started = rig->now,
                                     .config = rig->config,
                                     .core = core_init(rig->storage, &rig->config->core, rig->now),
                                     .links = rig->links,
                                     .pools = rig->pools,
                                     .history = rig->history};
    rig->callbacks =
        (struct control_callbacks){.context = rig, .view = get_view, .command = take_command, .dump = make_dump};
    bring_up_links(rig);
    tick(rig);
    get_view(rig);
}

void file_rig_close(struct file_rig *rig)
{
    history_free(rig->history);
    free(rig->storage);
    free(rig->effects.list);
    config_free(rig->config);
}

json_t *file_rig_ask(struct file_rig *rig, const char *request)
{
    char *text;
    size_t length;

    request_answer(&rig->callbacks, request, strlen(request), true, &text, &length);
    json_t *answer = json_loadb(text, length, 0, NULL);

    CHECK(answer != NULL && text[length - 1] == '\n');
    free(text);
    return answer;
}

const char file_rig_sample[] =
    "vrrp_sync_group G {\n group {\n A\n B\n }\n}\n"
    "vrrp_instance A {\n interface eth0\n virtual_router_id 1\n version 3\n priority 200\n advert_int 0.1\n"
    " virtual_ipaddress {\n 10.0.1.1/24\n }\n}\n"
    "vrrp_instance B {\n interface eth0\n virtual_router_id 2\n version 3\n priority 200\n advert_int 0.1\n"
    " virtual_ipaddress {\n fe80::2\n 2001:db8::2/64\n }\n}\n"
    "vrrp_instance C {\n interface eth0\n virtual_router_id 3\n priority 100\n"
    " authentication {\n auth_type PASS\n auth_pass secret\n }\n virtual_ipaddress {\n 10.0.3.1/24\n }\n}\n"
    "vrrp_instance D {\n interface down0\n virtual_router_id 4\n virtual_ipaddress {\n 10.0.4.1/24\n }\n}\n";
