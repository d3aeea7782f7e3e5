/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The pieces that all answers are made of, and the answers themselves: each `*_answer` is one row of the command table
 * in request_json.c. Only the *_json.c files use this header (and jansson).
 */
#ifndef EVENKEEL_DAEMON_FIELDS_JSON_H
#define EVENKEEL_DAEMON_FIELDS_JSON_H

#include <jansson.h>

#include "daemon/control.h"
#include "daemon/request_json.h"
#include "daemon/track.h"

#define SCHEMA_NAME "evenkeel/1"

#define ADDRESS_CACHE 64   /* a power of two; as many members as a pool can have */
#define SECOND_TEXT_MAX 64 /* "2026-01-31T12:34:56", with room for any year that fits an int */

/*
 * Members' addresses and times of the same second come hundreds of times in one answer, and making their text costs
 * more than all the rest: they are made once.
 */
struct text_cache {
    struct addr address[ADDRESS_CACHE]; /* by last byte */
    json_t *address_text[ADDRESS_CACHE];
    int64_t second; /* that `second_text` shows; valid when `second_length` is not 0 */
    size_t second_length;
    char second_text[SECOND_TEXT_MAX];
};

/* One answer being built. `failed` is sticky: some piece found no memory, and the whole must not be sent. */
struct answer {
    const struct control_callbacks *callbacks;
    const struct daemon_view *view;
    json_t *request; /* the object asked with */
    json_t *root;    /* what will be sent */
    bool failed;
    struct text_cache cache;
};

/* Gives back what the answer holds but for root and request. */
void answer_end(struct answer *a);

json_t *new_object(struct answer *a);
json_t *new_array(struct answer *a);
/* These take over `value`; NULL marks the answer as failed. */
void put_new(struct answer *a, json_t *object, const char *key, json_t *value);
void append_new(struct answer *a, json_t *array, json_t *value);
/* One line of an explanation: what it is about, a stable code, a clause for people. */
__attribute__((format(printf, 5, 6))) void append_fact(struct answer *a, json_t *facts, const char *topic,
                                                       const char *code, const char *format, ...);

/* A string, or null for NULL. Bytes that are not UTF-8 become '?'. */
json_t *text_value(struct answer *a, const char *text);
void put_text(struct answer *a, json_t *object, const char *key, const char *text);
void put_int(struct answer *a, json_t *object, const char *key, int64_t value);
void put_bool(struct answer *a, json_t *object, const char *key, bool value);
/* Microseconds as milliseconds with a fraction; null when negative. */
void put_ms(struct answer *a, json_t *object, const char *key, int64_t us);
/* null for ADDR_NONE. */
void put_address(struct answer *a, json_t *object, const char *key, const struct addr *address);
/* `key` the address, `name_key` its name in the pool or null. */
void put_member(struct answer *a, json_t *object, const char *key, const char *name_key, unsigned pool,
                const struct addr *address);
/* Wall-clock microseconds as RFC 3339 in UTC with milliseconds. */
void put_wall(struct answer *a, json_t *object, const char *key, int64_t wall_us);
/* The same from the monotonic clock; null for MONO_NEVER. */
void put_time(struct answer *a, json_t *object, const char *key, struct mono t);

/* Makes the whole answer {"error":{"code":...,"text":...}}. `text` as printf. */
void set_error(struct answer *a, const char *code, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* "alpha (10.0.0.2)" or "10.0.0.2" or "nobody" in `text`, which is returned. */
#define MEMBER_TEXT_MAX (SETTINGS_NAME_MAX + ADDR_TEXT_MAX + 4)
const char *member_text(const struct daemon_view *view, unsigned pool, const struct addr *address,
                        char text[static MEMBER_TEXT_MAX]);

/* What is to be said of another host that speaks from this host's own address on that link; false: there is none. */
#define RIVAL_TEXT_MAX 192
bool rival_text(const struct daemon_view *view, uint8_t link, char text[static RIVAL_TEXT_MAX]);

const char *vmac_text(uint8_t vmac); /* of an enum kernel_vmac; NULL: there are none, or it is not known yet */

/* "02:00:5e:..." */
#define MAC_TEXT_MAX 18
const char *mac_text(const uint8_t mac[static 6], char text[static MAC_TEXT_MAX]);

/* What is to be said when less of the filter is in force than the configuration asks for; false: that is not so. */
#define FILTER_TEXT_MAX 384
bool filter_text(const struct daemon_view *view, unsigned pool, char text[static FILTER_TEXT_MAX]);

/*
 * What a request names (target_json.c). Each sets the error and returns false when the field is there but names
 * nothing. find_pools: the pool of field "pool", or all: [*first, *end); find_all: the same with sets of instances,
 * whose indices follow the pools'. find_unit: field "unit", an address, a VRID
 * or an instance's name; without "pool" also in the sets of instances, whose indices follow the pools'.
 * find_member: text that is a configured name or an address.
 */
bool find_pools(struct answer *a, unsigned *first, unsigned *end);
bool find_all(struct answer *a, unsigned *first, unsigned *end);
bool find_unit(struct answer *a, unsigned *pool, unsigned *unit);
bool find_member(struct answer *a, unsigned pool, const char *text, struct addr *out);

/* The member with that address; false: there is none. */
bool look_up_member(const struct daemon_view *view, unsigned pool, const struct addr *address, struct member_view *out);

/* Building blocks of several answers. */
/* What every answer says of a member. */
void put_member_facts(struct answer *a, json_t *object, unsigned pool, const struct member_view *m);
json_t *member_object(struct answer *a, unsigned pool, unsigned member);
json_t *unit_object(struct answer *a, unsigned pool, unsigned unit);
json_t *vips_array(struct answer *a, unsigned pool, unsigned unit); /* addresses with prefix and interface */
json_t *addresses_array(struct answer *a, unsigned pool, unsigned unit);
/* Somebody else's last answer for a unit or an instance: NULL, when there was none; whether it still needs attention.
 */
const struct daemon_conflict *conflict_of(const struct answer *a, unsigned pool, unsigned unit);
bool conflict_is_recent(const struct answer *a, const struct daemon_conflict *conflict);
json_t *conflict_object(struct answer *a, unsigned pool, unsigned unit);
/* Instances (`set` counts on from the pools): those of the sets in [first, end); why one is in Fault, as sentences. */
json_t *instance_object(struct answer *a, unsigned set, unsigned unit);
json_t *instances_array(struct answer *a, unsigned first, unsigned end, bool with_vips);
json_t *groups_array(struct answer *a);
json_t *instance_faults(struct answer *a, unsigned set, unsigned unit, const struct instance_view *i);
json_t *trackers_array(struct answer *a, enum track_target_kind kind, unsigned pool, unsigned unit);
/* How long ago, for sentences: "3.2 s", "15 min". */
#define AGO_TEXT_MAX 32
const char *ago_text(struct answer *a, struct mono then, char text[static AGO_TEXT_MAX]);
/* A refusal as a clause that follows "because ": "its password is another one". */
const char *refusal_text(enum instance_refusal refusal);
/* Every source once, with how its runs went: `trackers` of the counters answer. */
json_t *tracker_counters_array(struct answer *a);
/* How tracker `index` of a target stands, as a clause; false: there are no more. */
struct tracker_finding {
    bool failed;
    bool fault; /* and makes the target fail */
    char text[SETTINGS_NAME_MAX + TRACK_TEXT_MAX + 64];
};
bool tracker_text(struct answer *a, enum track_target_kind kind, unsigned pool, unsigned unit, unsigned index,
                  struct tracker_finding *out);
json_t *attention_array(struct answer *a, unsigned first, unsigned end);
void group_attention(struct answer *a, json_t *warnings);
void instance_attention(struct answer *a, unsigned set, json_t *alarms, json_t *warnings);
const char *family_text(uint8_t family); /* enum family: "ipv4" */
const char *level_name(uint8_t level);   /* enum unit_level: "answering" */
/* All counters of one unit (`zeros`: also those that are 0), pool or link as fields of `object`. */
void put_unit_counters(struct answer *a, json_t *object, unsigned pool, unsigned unit, bool zeros);
void put_instance_counters(struct answer *a, json_t *object, unsigned set, unsigned unit, bool zeros);
void put_pool_counters(struct answer *a, json_t *object, unsigned pool);
void put_link_counters(struct answer *a, json_t *object, unsigned link);
/* False, with an error, when the pools together would keep the loop too long. */
bool fits_one_answer(struct answer *a, unsigned first, unsigned end);

/* Fill a->root, or set the error. They return what is to be counted. */
enum request_outcome status_answer(struct answer *a);
enum request_outcome members_answer(struct answer *a);
enum request_outcome list_answer(struct answer *a);
enum request_outcome plan_answer(struct answer *a);
enum request_outcome explain_answer(struct answer *a);
enum request_outcome explain_instance(struct answer *a, unsigned set, unsigned unit);
enum request_outcome counters_answer(struct answer *a);
enum request_outcome snmp_answer(struct answer *a);
enum request_outcome history_answer(struct answer *a);
enum request_outcome events_answer(struct answer *a);
enum request_outcome dump_answer(struct answer *a);
enum request_outcome check_hash_answer(struct answer *a);
enum request_outcome take_answer(struct answer *a);
enum request_outcome release_answer(struct answer *a);
enum request_outcome drain_answer(struct answer *a);
enum request_outcome undrain_answer(struct answer *a);
enum request_outcome rebalance_answer(struct answer *a);
enum request_outcome reload_answer(struct answer *a);
enum request_outcome reload_result_answer(struct answer *a);

#endif
