/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Strict mode (vrrp_strict, strict_mode): what it forbids is taken back, with a warning when the file asked for it.
 * Called by compat_check.c, last.
 */
#include <string.h>

#include "compat_words.h"

static void strict_warn(struct compat_words *words, const struct instance_words *instance, enum instance_row row,
                        const char *what)
{
    struct place place = instance->given[row].file != NULL ? instance->given[row] : instance->model.place;

    COMPAT_WARN(words->run, place, "vrrp_instance %s: strict mode %s", instance->model.name, what);
}

static void strict_state(struct compat_words *words, struct instance_words *instance)
{
    struct compat_instance *model = &instance->model;
    bool owner = model->priority == 255;

    if (model->initial_state == COMPAT_MASTER && !owner) {
        strict_warn(words, instance, INSTANCE_STATE, "starts as BACKUP unless priority is 255");
        model->initial_state = COMPAT_BACKUP;
    }
    if (model->authentication != COMPAT_AUTH_NONE) {
        strict_warn(words, instance, INSTANCE_AUTHENTICATION, "has no authentication; it is dropped");
        model->authentication = COMPAT_AUTH_NONE;
        memset(model->password, 0, sizeof(model->password));
    }
    if (model->preempt_delay_us > 0)
        strict_warn(words, instance, INSTANCE_PREEMPT_DELAY, "has no preempt_delay; it is dropped");
    model->preempt_delay_us = 0;
    if (!owner && model->accept)
        strict_warn(words, instance, INSTANCE_ACCEPT,
                    "drops packets to the addresses (no_accept) unless priority is 255");
    if (!owner)
        model->accept = false;
}

static void strict_values(struct compat_words *words, struct instance_words *instance)
{
    struct compat_instance *model = &instance->model;

    if (model->down_adverts != 3)
        strict_warn(words, instance, INSTANCE_DOWN_ADVERTS, "has down_timer_adverts 3");
    model->down_adverts = 3;
    model->garp.lower_repeat = model->garp.repeat;
    model->garp.lower_delay_us = model->garp.delay_us;
    model->higher_prio_send_advert = 0;
    model->lower_prio_no_advert = 1;
    if (model->priority == 255)
        model->owner_ignore_adverts = 1;
    model->vmac.mac_given = false;
    model->vmac.xmit_base = false;
}

void compat_check_strict(struct compat_words *words, struct instance_words *instance)
{
    strict_state(words, instance);
    strict_values(words, instance);
    if (instance->model.unicast)
        report_error(words->run->report,
                     instance->given[INSTANCE_UNICAST_PEER].file != NULL ? instance->given[INSTANCE_UNICAST_PEER]
                                                                         : instance->model.place,
                     "vrrp_instance %s: strict mode has no unicast; leave out vrrp_strict, or unicast_peer",
                     instance->model.name);
}
