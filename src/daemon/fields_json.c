/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Fields of answers: jansson values from the project's own types, with one sticky error for want of memory. It decides
 * how addresses, times and durations look everywhere in the control protocol (doc/control.md).
 */
#include "daemon/fields_json.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "daemon/note.h"

#define ERROR_TEXT_MAX 512
#define FACT_TEXT_MAX 1024

static json_t *checked(struct answer *a, json_t *value)
{
    if (value == NULL)
        a->failed = true;
    return value;
}

json_t *new_object(struct answer *a)
{
    return checked(a, json_object());
}

json_t *new_array(struct answer *a)
{
    return checked(a, json_array());
}

void put_new(struct answer *a, json_t *object, const char *key, json_t *value)
{
    /* Keys are ours and plain ASCII; jansson frees the value when it cannot be stored. */
    if (json_object_set_new_nocheck(object, key, value) != 0)
        a->failed = true;
}

void append_new(struct answer *a, json_t *array, json_t *value)
{
    if (json_array_append_new(array, value) != 0)
        a->failed = true;
}

void append_fact(struct answer *a, json_t *facts, const char *topic, const char *code, const char *format, ...)
{
    char text[FACT_TEXT_MAX];
    va_list arguments;
    json_t *fact = new_object(a);

    va_start(arguments, format);
    vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    put_text(a, fact, "topic", topic);
    put_text(a, fact, "code", code);
    put_text(a, fact, "text", text);
    append_new(a, facts, fact);
}

static json_t *sanitized(const char *text)
{
    char copy[ERROR_TEXT_MAX];
    size_t length = 0;

    for (; text[length] != '\0' && length < sizeof(copy); length++)
        copy[length] = (unsigned char)text[length] < 0x80 ? text[length] : '?';
    return json_stringn(copy, length);
}

json_t *text_value(struct answer *a, const char *text)
{
    if (text == NULL)
        return json_null();
    json_t *value = json_string(text);

    return checked(a, value != NULL ? value : sanitized(text));
}

void put_text(struct answer *a, json_t *object, const char *key, const char *text)
{
    put_new(a, object, key, text_value(a, text));
}

void put_int(struct answer *a, json_t *object, const char *key, int64_t value)
{
    put_new(a, object, key, json_integer(value));
}

void put_bool(struct answer *a, json_t *object, const char *key, bool value)
{
    put_new(a, object, key, json_boolean(value));
}

void put_ms(struct answer *a, json_t *object, const char *key, int64_t us)
{
    put_new(a, object, key, us < 0 ? json_null() : json_real((double)us / US_PER_MS));
}

void put_address(struct answer *a, json_t *object, const char *key, const struct addr *address)
{
    unsigned slot = addr_last_byte(address) % ADDRESS_CACHE;
    json_t **text = &a->cache.address_text[slot];
    char buffer[ADDR_TEXT_MAX];

    if (addr_is_none(address)) {
        put_new(a, object, key, json_null());
        return;
    }
    if (*text == NULL || !addr_equal(&a->cache.address[slot], address)) {
        json_decref(*text);
        *text = text_value(a, addr_format(address, buffer));
        a->cache.address[slot] = *address;
    }
    put_new(a, object, key, json_incref(*text));
}

void answer_end(struct answer *a)
{
    for (unsigned i = 0; i < ADDRESS_CACHE; i++)
        json_decref(a->cache.address_text[i]);
}

static const char *name_of(const struct daemon_view *view, unsigned pool, const struct addr *address)
{
    const struct pool_settings *settings = &view->config->core.pools[pool];

    for (unsigned i = 0; i < settings->name_count; i++) {
        if (addr_equal(&settings->names[i].address, address))
            return settings->names[i].name;
    }
    return NULL;
}

void put_member(struct answer *a, json_t *object, const char *key, const char *name_key, unsigned pool,
                const struct addr *address)
{
    put_address(a, object, key, address);
    put_text(a, object, name_key, name_of(a->view, pool, address));
}

static void cache_second(struct text_cache *cache, int64_t second)
{
    time_t seconds = second;
    struct tm tm;

    cache->second_length = gmtime_r(&seconds, &tm) != NULL
                               ? strftime(cache->second_text, sizeof(cache->second_text), "%Y-%m-%dT%H:%M:%S", &tm)
                               : 0;
    cache->second = second;
}

void put_wall(struct answer *a, json_t *object, const char *key, int64_t wall_us)
{
    struct text_cache *cache = &a->cache;
    unsigned ms = (unsigned)(wall_us % US_PER_S / US_PER_MS);
    char text[SECOND_TEXT_MAX + 8];

    if (wall_us < 0 || cache->second_length == 0 || cache->second != wall_us / US_PER_S)
        cache_second(cache, wall_us / US_PER_S);
    if (wall_us < 0 || cache->second_length == 0) {
        put_new(a, object, key, json_null());
        return;
    }
    const char fraction[] = {'.', (char)('0' + ms / 100), (char)('0' + ms / 10 % 10), (char)('0' + ms % 10), 'Z'};

    memcpy(text, cache->second_text, cache->second_length);
    memcpy(text + cache->second_length, fraction, sizeof(fraction));
    put_new(a, object, key, checked(a, json_stringn_nocheck(text, cache->second_length + sizeof(fraction))));
}

void put_time(struct answer *a, json_t *object, const char *key, struct mono t)
{
    if (mono_is_never(t))
        put_new(a, object, key, json_null());
    else
        put_wall(a, object, key, a->view->wall_us + mono_diff_us(t, a->view->now));
}

void set_error(struct answer *a, const char *code, const char *format, ...)
{
    char text[ERROR_TEXT_MAX];
    va_list list;

    va_start(list, format);
    vsnprintf(text, sizeof(text), format, list);
    va_end(list);
    json_t *error = new_object(a);

    put_text(a, error, "code", code);
    put_text(a, error, "text", text);
    json_object_clear(a->root);
    put_new(a, a->root, "error", error);
}

const char *member_text(const struct daemon_view *view, unsigned pool, const struct addr *address,
                        char text[static MEMBER_TEXT_MAX])
{
    char address_text[ADDR_TEXT_MAX];
    const char *name = name_of(view, pool, address);

    addr_format(address, address_text);
    if (addr_is_none(address))
        snprintf(text, MEMBER_TEXT_MAX, "nobody");
    else if (name != NULL)
        snprintf(text, MEMBER_TEXT_MAX, "%s (%s)", name, address_text);
    else
        snprintf(text, MEMBER_TEXT_MAX, "%s", address_text);
    return text;
}

const char *mac_text(const uint8_t mac[static 6], char text[static MAC_TEXT_MAX])
{
    snprintf(text, MAC_TEXT_MAX, "%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1], mac[2], mac[3], mac[4], mac[5]);
    return text;
}

bool rival_text(const struct daemon_view *view, uint8_t link, char text[static RIVAL_TEXT_MAX])
{
    const struct daemon_rival *r = view->rivals != NULL ? &view->rivals[link] : NULL;
    char address[ADDR_TEXT_MAX], mac[MAC_TEXT_MAX];

    if (r == NULL || r->until.us == 0 || mono_due(view->now, r->until))
        return false;
    snprintf(text, RIVAL_TEXT_MAX, "%s speaks from this host's own address %s too, and %s gives way",
             mac_text(r->mac, mac), addr_format(&view->links[link].primary_ipv4, address),
             r->yields ? "this host" : "it");
    return true;
}

bool filter_text(const struct daemon_view *view, unsigned pool, char text[static FILTER_TEXT_MAX])
{
    const struct daemon_pool_view *p = &view->pools[pool];
    uint8_t wanted = view->config->pools[pool].filter_mode;

    if (wanted == FILTER_AUTO)
        wanted = FILTER_LEASE;
    if (p->filter_mode == FILTER_AUTO || p->filter_mode == wanted)
        return false;
    snprintf(text, FILTER_TEXT_MAX, "arp_filter %s is in force here, not %s: %s", filter_mode_name(p->filter_mode),
             filter_mode_name(wanted),
             p->filter_text != NULL && *p->filter_text != '\0' ? p->filter_text : "the kernel does not offer it");
    return true;
}

const char *vmac_text(uint8_t vmac)
{
    switch ((enum kernel_vmac)vmac) {
    case KERNEL_VMAC_NONE:
        break;
    case KERNEL_VMAC_FILTER:
        return "nftables";
    case KERNEL_VMAC_MACVLAN:
        return "macvlan";
    }
    return NULL;
}
