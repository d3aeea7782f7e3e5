/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See notify.h. Subjects stand in one array: the units of all pools and sets in their order, then the groups. */
#include "daemon/notify.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/hash.h"
#include "daemon/note.h"

struct subject {
    uint8_t kind; /* enum order_subject */
    uint8_t told; /* enum instance_state; INSTANCE_INITIALIZE: nothing, or nothing that still holds */
    uint8_t priority;
    bool stays; /* the expected configuration has it, too */
    char name[NOTIFY_NAME_MAX];
    const struct check_notify *notify; /* NULL: nobody is told */
};

struct notify {
    const struct config *config, *next; /* NULL: no reload is under way */
    unsigned count, next_count;
    struct subject *subjects, *next_subjects;
};

/* --- subjects --- */

static unsigned group_count(const struct config *config)
{
    return config->instances != NULL ? config->instances->group_count : 0;
}

static unsigned unit_count(const struct config *config)
{
    unsigned count = 0;

    for (unsigned p = 0; p < settings_all_count(&config->core); p++)
        count += config->core.pools[p].unit_count;
    return count;
}

static void describe_unit(const struct config *config, unsigned pool, unsigned unit, struct subject *out)
{
    const struct config_router *router = config->pools[pool].units[unit].router;
    char address[ADDR_TEXT_MAX];

    if (router != NULL) {
        out->kind = ORDER_INSTANCE;
        out->notify = router->notify;
        snprintf(out->name, sizeof(out->name), "%s", config->core.pools[pool].units[unit].instance->name);
        return;
    }
    const struct addr name = note_unit_address(config, pool, unit);

    out->kind = ORDER_UNIT;
    out->notify = config->watches != NULL ? config->watches[pool].notify : NULL;
    addr_format(&name, address);
    snprintf(out->name, sizeof(out->name), "%s/%s", config->core.pools[pool].name, address);
}

static struct subject *describe(const struct config *config, unsigned *count)
{
    unsigned at = 0;

    *count = unit_count(config) + group_count(config);
    struct subject *subjects = calloc(*count + 1, sizeof(subjects[0]));

    if (subjects == NULL)
        return NULL;
    for (unsigned p = 0; p < settings_all_count(&config->core); p++)
        for (unsigned u = 0; u < config->core.pools[p].unit_count; u++)
            describe_unit(config, p, u, &subjects[at++]);
    for (unsigned g = 0; g < group_count(config); g++, at++) {
        subjects[at].kind = ORDER_GROUP;
        subjects[at].notify = config->instances->groups[g].notify;
        snprintf(subjects[at].name, sizeof(subjects[at].name), "%s", config->instances->groups[g].name);
    }
    return subjects;
}

/* *start: where to begin, behind the one that was found last, since both are in about the same order. */
static struct subject *find_named(struct subject *subjects, unsigned count, const struct subject *like, unsigned *start)
{
    for (unsigned i = 0; i < count; i++) {
        struct subject *subject = &subjects[(*start + i) % count];

        if (subject->kind != like->kind || strcmp(subject->name, like->name) != 0)
            continue;
        *start = (unsigned)(subject - subjects) + 1;
        return subject;
    }
    return NULL;
}

static struct subject *find(struct notify *notify, const struct order *order)
{
    unsigned at = 0;

    if (order->subject == ORDER_GROUP)
        return order->index < group_count(notify->config) ? &notify->subjects[unit_count(notify->config) + order->index]
                                                          : NULL;
    if (order->pool >= settings_all_count(&notify->config->core) ||
        order->index >= notify->config->core.pools[order->pool].unit_count)
        return NULL;
    for (unsigned p = 0; p < order->pool; p++)
        at += notify->config->core.pools[p].unit_count;
    struct subject *subject = &notify->subjects[at + order->index];

    return subject->kind == order->subject ? subject : NULL;
}

struct notify *notify_new(const struct config *config)
{
    struct notify *notify = calloc(1, sizeof(*notify));

    if (notify == NULL)
        return NULL;
    notify->config = config;
    notify->subjects = describe(config, &notify->count);
    if (notify->subjects != NULL)
        return notify;
    free(notify);
    return NULL;
}

void notify_free(struct notify *notify)
{
    if (notify == NULL)
        return;
    free(notify->subjects);
    free(notify->next_subjects);
    free(notify);
}

int notify_expect(struct notify *notify, const struct config *next)
{
    unsigned start = 0;

    free(notify->next_subjects);
    notify->next = NULL;
    notify->next_count = 0;
    notify->next_subjects = next != NULL ? describe(next, &notify->next_count) : NULL;
    if (next != NULL && notify->next_subjects == NULL)
        return -ENOMEM;
    notify->next = next;
    for (unsigned i = 0; i < notify->count; i++)
        notify->subjects[i].stays =
            find_named(notify->next_subjects, notify->next_count, &notify->subjects[i], &start) != NULL;
    return 0;
}

void notify_adopt(struct notify *notify)
{
    unsigned start = 0;

    CHECK(notify->next != NULL);
    for (unsigned i = 0; i < notify->next_count; i++) {
        struct subject *subject = &notify->next_subjects[i];
        const struct subject *old = find_named(notify->subjects, notify->count, subject, &start);

        if (old == NULL)
            continue;
        subject->told = old->told;
        subject->priority = old->priority;
    }
    free(notify->subjects);
    notify->subjects = notify->next_subjects;
    notify->count = notify->next_count;
    notify->config = notify->next;
    notify->next_subjects = NULL;
    notify->next = NULL;
}

/* --- news --- */

static const char *kind_word(const struct config_words *words, const struct subject *subject)
{
    switch ((enum order_subject)subject->kind) {
    case ORDER_INSTANCE:
        return words->instance;
    case ORDER_GROUP:
        return words->group;
    case ORDER_UNIT:
    case ORDER_SUBJECT_COUNT:
        break;
    }
    return words->unit;
}

/* Fills in everything but the calls. */
static void begin(const struct notify *notify, const struct subject *subject, const char *word, uint8_t priority,
                  struct notify_news *news)
{
    const char *kind = kind_word(config_words(notify->config), subject);
    uint64_t hash = hash_add(HASH_START, &subject->kind, sizeof(subject->kind));

    *news = (struct notify_news){.key = hash_finish(hash_add(hash, subject->name, strlen(subject->name)))};
    snprintf(news->priority, sizeof(news->priority), "%u", priority);
    news->extra[0] = kind;
    news->extra[1] = subject->name;
    news->extra[2] = word;
    news->extra[3] = news->priority;
    if (word == NULL)
        return;
    snprintf(news->what, sizeof(news->what), "%s %s %s", kind, subject->name, word);
    snprintf(news->line, sizeof(news->line), "%s \"%s\" %s %u\n", kind, subject->name, word, priority);
}

/* A command for one state gets no arguments, as its writer expects; of a pool it must be told which unit. */
static void add_call(const struct subject *subject, const struct check_command *command, bool generic,
                     struct notify_news *news)
{
    if (command == NULL || command->argument_count == 0)
        return;
    news->calls[news->call_count].command = command;
    news->calls[news->call_count++].extra_count = generic || subject->kind == ORDER_UNIT ? NOTIFY_ARGUMENTS : 0;
}

static const struct check_command *state_command(const struct check_notify *notify, enum instance_state state)
{
    switch (state) {
    case INSTANCE_BACKUP:
        return &notify->backup;
    case INSTANCE_ACTIVE:
        return &notify->active;
    case INSTANCE_FAULT:
        return &notify->fault;
    case INSTANCE_STOPPED:
        return &notify->stop;
    case INSTANCE_INITIALIZE:
    case INSTANCE_STATE_COUNT:
        break;
    }
    return NULL;
}

static bool is_told(const struct subject *subject, enum instance_state state)
{
    if (state == INSTANCE_INITIALIZE)
        return false;
    if (subject->kind == ORDER_UNIT)
        return (state == INSTANCE_ACTIVE) != (subject->told == INSTANCE_ACTIVE);
    return state != subject->told;
}

static void tell(const struct notify *notify, const struct subject *subject, enum instance_state state,
                 const char *word, struct notify_news *news)
{
    begin(notify, subject, word, subject->priority, news);
    if (subject->notify == NULL || word == NULL)
        return;
    add_call(subject, state_command(subject->notify, state), false, news);
    add_call(subject, &subject->notify->any, true, news);
}

static void tell_removed(struct notify *notify, struct subject *subject, struct notify_news *news)
{
    const struct config_words *words = config_words(notify->config);
    bool deleted = subject->notify != NULL && subject->notify->call_deleted && words->deleted != NULL;
    bool was_told = subject->kind != ORDER_UNIT || subject->told == INSTANCE_ACTIVE;

    if (subject->stays) {
        if (subject->kind != ORDER_UNIT)
            subject->told = INSTANCE_INITIALIZE;
        return;
    }
    subject->told = INSTANCE_STOPPED;
    if (was_told)
        tell(notify, subject, INSTANCE_FAULT, deleted ? words->deleted : words->states[INSTANCE_FAULT], news);
    if (deleted && news->call_count > 0 && news->calls[0].command == &subject->notify->fault) {
        news->calls[0] = news->calls[1]; /* who asked for the other word has no use for this command */
        news->call_count--;
    }
}

static void take_state(struct notify *notify, struct subject *subject, const struct order *order,
                       struct notify_news *news)
{
    enum instance_state state = (enum instance_state)order->state;
    bool told = is_told(subject, state);

    subject->priority = order->priority;
    if (state == INSTANCE_STOPPED && notify->next != NULL) {
        tell_removed(notify, subject, news);
        return;
    }
    if (told)
        tell(notify, subject, state, config_words(notify->config)->states[state], news);
    subject->told = (uint8_t)state;
}

static void take_priority(struct notify *notify, struct subject *subject, const struct order *order,
                          struct notify_news *news)
{
    subject->priority = order->priority;
    if (subject->notify != NULL && subject->notify->priority_changes)
        begin(notify, subject, config_words(notify->config)->priorities[subject->told], order->priority, news);
}

static void take_weaker(const struct notify *notify, const struct subject *subject, struct notify_news *news)
{
    begin(notify, subject, config_words(notify->config)->rx_lower, subject->priority, news);
    if (subject->notify != NULL)
        add_call(subject, &subject->notify->rx_lower, false, news);
}

bool notify_take(struct notify *notify, const struct order *order, struct notify_news *news)
{
    struct subject *subject = find(notify, order);

    *news = (struct notify_news){0};
    if (subject == NULL || order->state >= INSTANCE_STATE_COUNT)
        return false;
    switch ((enum order_kind)order->kind) {
    case ORDER_STATE:
        take_state(notify, subject, order, news);
        return true;
    case ORDER_WEAKER:
        take_weaker(notify, subject, news);
        return true;
    case ORDER_PRIORITY:
        take_priority(notify, subject, order, news);
        return true;
    case ORDER_CHECK:
    case ORDER_RESULT:
    case ORDER_KIND_COUNT:
        break;
    }
    return false;
}

bool notify_removed_next(struct notify *notify, unsigned *cursor, struct notify_news *news)
{
    while (notify->next != NULL && *cursor < notify->count) {
        struct subject *subject = &notify->subjects[(*cursor)++];
        bool told = subject->told != INSTANCE_INITIALIZE && is_told(subject, INSTANCE_STOPPED);

        if (subject->stays || !told)
            continue;
        tell_removed(notify, subject, news);
        return true;
    }
    return false;
}

bool notify_stop_next(struct notify *notify, unsigned *cursor, struct notify_news *news)
{
    while (*cursor < notify->count) {
        struct subject *subject = &notify->subjects[(*cursor)++];
        bool told = subject->told != INSTANCE_INITIALIZE && is_told(subject, INSTANCE_STOPPED);

        if (!told)
            continue;
        tell(notify, subject, INSTANCE_STOPPED, config_words(notify->config)->states[INSTANCE_STOPPED], news);
        subject->told = INSTANCE_STOPPED;
        return true;
    }
    return false;
}

bool notify_line_next(const struct notify *notify, unsigned *cursor, struct notify_news *news)
{
    while (*cursor < notify->count) {
        const struct subject *subject = &notify->subjects[(*cursor)++];

        if (subject->told == INSTANCE_INITIALIZE)
            continue;
        begin(notify, subject, config_words(notify->config)->states[subject->told], subject->priority, news);
        return true;
    }
    return false;
}
