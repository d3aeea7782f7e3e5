/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One instance by itself: what depends on several of its lines, and the values to run by. What keepalived changes with
 * a word in its log is changed with a warning; what makes an instance unusable is an error. Called by compat_resolve.c.
 */
#include <stdio.h>
#include <string.h>

#include "base/mono.h"
#include "compat_words.h"

#define ADVERT_V3_MAX_US (40950 * US_PER_MS)
#define ADVERT_V3_STEP_US (10 * US_PER_MS)

static bool given(const struct instance_words *instance, enum instance_row row)
{
    return instance->given[row].file != NULL;
}

static struct place place_of(const struct instance_words *instance, enum instance_row row)
{
    return given(instance, row) ? instance->given[row] : instance->model.place;
}

static void check_mandatory(struct compat_words *words, const struct instance_words *instance)
{
    const struct compat_instance *model = &instance->model;

    if (model->vrid == 0)
        report_error(words->run->report, place_of(instance, INSTANCE_VRID),
                     "vrrp_instance %s has no virtual_router_id; expected 1..255", model->name);
    if (model->interface == NULL && (!model->unicast || addr_is_none(&model->source)))
        report_error(words->run->report, place_of(instance, INSTANCE_INTERFACE),
                     "vrrp_instance %s has no interface; expected interface IF%s", model->name,
                     model->unicast ? " or unicast_src_ip" : "");
}

static void check_priority(struct compat_words *words, struct instance_words *instance)
{
    struct compat_instance *model = &instance->model;

    if (model->priority == 0 && !given(instance, INSTANCE_PRIORITY) && model->initial_state == COMPAT_MASTER) {
        COMPAT_WARN(words->run, model->place,
                    "vrrp_instance %s has state MASTER and no priority; it is taken for the "
                    "addresses' owner, priority 255",
                    model->name);
        model->priority = 255;
    }
    if (model->priority == 0)
        model->priority = 100;
    if (model->priority != 255)
        return;
    if (given(instance, INSTANCE_STATE) && model->initial_state == COMPAT_BACKUP)
        COMPAT_WARN(words->run, place_of(instance, INSTANCE_STATE),
                    "state BACKUP has no effect with priority 255: the owner starts as MASTER");
    model->initial_state = COMPAT_MASTER;
}

static void check_version(struct compat_words *words, struct instance_words *instance)
{
    struct compat_instance *model = &instance->model;

    if (model->version == 0)
        model->version = words->model.global.version;
    else if (model->version == 2 && model->family == FAMILY_IPV6)
        COMPAT_WARN(words->run, place_of(instance, INSTANCE_VERSION), "version 2 has no IPv6; version 3 is used");
    if (model->family == FAMILY_IPV6)
        model->version = 3;
}

static void check_advert(struct compat_words *words, struct instance_words *instance)
{
    struct compat_instance *model = &instance->model;
    int64_t asked = model->advert_us;
    char from[32], to[32];

    if (model->version == 2)
        model->advert_us = (asked + US_PER_S - 1) / US_PER_S * US_PER_S;
    else if (asked > ADVERT_V3_MAX_US)
        model->advert_us = ADVERT_V3_MAX_US;
    else
        model->advert_us = (asked + ADVERT_V3_STEP_US / 2) / ADVERT_V3_STEP_US * ADVERT_V3_STEP_US;
    if (model->advert_us != asked)
        COMPAT_WARN(words->run, place_of(instance, INSTANCE_ADVERT_INT),
                    "advert_int %s cannot be sent in version %d; "
                    "%s is used",
                    keyword_seconds(asked, from), model->version, keyword_seconds(model->advert_us, to));
}

static void check_preemption(struct compat_words *words, struct instance_words *instance)
{
    struct compat_instance *model = &instance->model;

    if (!model->preempt && model->initial_state == COMPAT_MASTER) {
        COMPAT_WARN(words->run, place_of(instance, INSTANCE_NOPREEMPT),
                    "nopreempt has no effect with %s; use state BACKUP "
                    "on all hosts",
                    model->priority == 255 ? "priority 255" : "state MASTER");
        model->preempt = true;
    }
    if (model->preempt_delay_us == 0)
        return;
    if (model->preempt && model->initial_state == COMPAT_BACKUP)
        return;
    COMPAT_WARN(words->run, place_of(instance, INSTANCE_PREEMPT_DELAY), "preempt_delay has no effect with %s",
                model->preempt ? "state MASTER" : "nopreempt");
    model->preempt_delay_us = 0;
}

static void check_late_backup(struct compat_words *words, struct compat_instance *model)
{
    if (model->late_backup == 0 || !model->preempt)
        return;
    COMPAT_WARN(words->run, model->place, "vrrp_instance %s: timer_expired_backup has no effect without nopreempt",
                model->name);
    model->late_backup = 0;
}

static void check_password(struct compat_words *words, struct instance_words *instance)
{
    static const char kind[] = "a long password";
    struct compat_instance *model = &instance->model;
    const struct word *password = &instance->password;
    size_t length = strlen(password->text), whole;
    bool ascii = true;

    for (size_t i = 0; i < length; i++)
        ascii = ascii && (unsigned char)password->text[i] < 0x80;
    if (length > sizeof(model->password)) {
        report_kind(words->run->report, password->place, kind,
                    "auth_pass has %zu %s; the first %zu are used, as on all hosts", length,
                    ascii ? "characters" : "bytes", sizeof(model->password));
        length = sizeof(model->password);
    }
    memcpy(model->password, password->text, length);
    for (whole = length; ((unsigned char)password->text[whole] & 0xc0) == 0x80;)
        whole++;
    model->password_text = arena_text(words->run->arena, password->text, whole);
}

static void check_authentication(struct compat_words *words, struct instance_words *instance)
{
    struct compat_instance *model = &instance->model;
    struct place place = place_of(instance, INSTANCE_AUTHENTICATION);
    bool password = instance->password.text != NULL;

    if (model->authentication == COMPAT_AUTH_NONE && !password)
        return;
    if (model->version == 3) {
        COMPAT_WARN(words->run, place, "authentication does not exist in version 3; vrrp_instance %s runs without it",
                    model->name);
        model->authentication = COMPAT_AUTH_NONE;
    } else if (model->authentication == COMPAT_AUTH_AH) {
        COMPAT_WARN(words->run, place,
                    "auth_type AH is not ours; vrrp_instance %s runs without authentication, and hosts that use it do "
                    "not hear this one",
                    model->name);
        model->authentication = COMPAT_AUTH_NONE;
    } else if (!password) {
        COMPAT_WARN(words->run, place, "auth_type PASS needs auth_pass; vrrp_instance %s runs without authentication",
                    model->name);
        model->authentication = COMPAT_AUTH_NONE;
    } else if (model->authentication == COMPAT_AUTH_NONE) {
        /* As keepalived does: with a password here and none there, neither would hear the other. */
        COMPAT_WARN(words->run, place,
                    "auth_pass without auth_type PASS has no effect, as on keepalived's hosts; vrrp_instance %s runs "
                    "without authentication",
                    model->name);
    } else
        check_password(words, instance);
}

static void check_vmac(struct compat_instance *model)
{
    struct compat_vmac *vmac = &model->vmac;

    if (!vmac->mac_given)
        memcpy(vmac->mac, (const uint8_t[6]){0, 0, 0x5e, 0, model->family == FAMILY_IPV6 ? 2 : 1, (uint8_t)model->vrid},
               sizeof(vmac->mac));
    if (vmac->on && model->unicast)
        vmac->xmit_base = true;
}

static void check_empty(struct compat_words *words, const struct instance_words *instance)
{
    const struct compat_instance *model = &instance->model;

    if (instance->addresses.count > 0)
        return;
    if (model->no_addresses)
        return;
    if (model->version == 3 || model->strict)
        report_error(words->run->report, model->place,
                     "vrrp_instance %s has no address to advertise, which %s needs; add virtual_ipaddress { "
                     "ADDRESS/LENGTH }, or no_virtual_ipaddress",
                     model->name, model->strict ? "strict mode" : "version 3");
    else
        COMPAT_WARN(words->run, model->place,
                    instance->excluded.count > 0
                        ? "vrrp_instance %s advertises no address; it moves those of virtual_ipaddress_excluded"
                        : "vrrp_instance %s has no address; it takes part in the election and answers for nothing",
                    model->name);
}

void compat_check_instance(struct compat_words *words, struct instance_words *instance)
{
    struct compat_instance *model = &instance->model;

    compat_check_family(words, instance);
    check_version(words, instance);
    compat_check_addresses(words, instance);
    check_mandatory(words, instance);
    check_priority(words, instance);
    check_advert(words, instance);
    check_preemption(words, instance);
    check_late_backup(words, model);
    check_authentication(words, instance);
    if (model->strict)
        compat_check_strict(words, instance);
    check_vmac(model);
    check_empty(words, instance);
    if (model->track_source && addr_is_none(&model->source)) {
        COMPAT_WARN(words->run, model->place, "vrrp_instance %s: track_src_ip has no effect without a source address",
                    model->name);
        model->track_source = false;
    }
}
