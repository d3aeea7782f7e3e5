/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A file's words on their way to the model (compat.h): lists that still grow, and what is needed to judge them. The
 * steps: the keyword tables fill the lists, compat_resolve.c puts them into the model and binds names, compat_check*.c
 * make every value effective, compat_host.c looks at this host. Included by keepalived-compat's own files only.
 */
#ifndef EVENKEEL_COMPAT_WORDS_H
#define EVENKEEL_COMPAT_WORDS_H

#include "compat.h"
#include "config/keyword.h"

/* Elements of one size, in the arena; they move when it grows. */
struct compat_list {
    unsigned count, capacity;
    void *items;
};

/* The new element, zeroed. */
void *compat_push(struct arena *arena, struct compat_list *list, size_t size);

/* Rows of vrrp_instance that the checks ask for; the table has more. */
enum instance_row {
    INSTANCE_STATE,
    INSTANCE_INTERFACE,
    INSTANCE_VRID,
    INSTANCE_PRIORITY,
    INSTANCE_ADVERT_INT,
    INSTANCE_VERSION,
    INSTANCE_ACCEPT,
    INSTANCE_NO_ACCEPT,
    INSTANCE_PREEMPT_DELAY,
    INSTANCE_AUTHENTICATION,
    INSTANCE_SOURCE_MULTICAST,
    INSTANCE_SOURCE_UNICAST,
    INSTANCE_UNICAST_PEER,
    INSTANCE_NOPREEMPT,
    INSTANCE_NATIVE_IPV6,
    INSTANCE_DOWN_ADVERTS,
    INSTANCE_ARP_FILTER,
    INSTANCE_NAMED_ROWS,
};

struct compat_words;
struct suggest;

struct instance_words {
    struct compat_instance model;
    struct place *given; /* by row of compat_instance_table */
    struct compat_list addresses, excluded, routes, rules, trackers, peers;
    struct word password;
    int8_t strict; /* 0, 1 or NET_UNSET */
    bool native_ipv6;
};

struct group_words {
    struct compat_group model;
    struct compat_list members; /* struct word */
    struct compat_list trackers;
};

/* A load under way; the model stands first, so that a pointer to one is a pointer to the other. */
struct compat_words {
    struct compat_config model;
    struct keyword_run *run;
    unsigned flags;
    struct compat_list instances;                              /* struct instance_words * */
    struct compat_list groups;                                 /* struct group_words * */
    struct compat_list scripts, files, processes, garp_groups; /* of the model's types */
    struct compat_list static_addresses, static_routes, static_rules;
    unsigned numbered_rules; /* rules without a preference so far */
    bool something;          /* the file holds a block of keepalived's */
};

/* --- tables --- */

extern const struct keyword_table compat_root_table;
extern const struct keyword_table compat_global_table;
extern const struct keyword_table compat_instance_table;

keyword_enter compat_enter_global;
keyword_enter compat_enter_instance;
keyword_enter compat_enter_group;
keyword_enter compat_enter_garp_group;
keyword_enter compat_enter_script;
keyword_enter compat_enter_file;
keyword_enter compat_enter_process;
/* Blocks of lines. row->offset is that of the struct compat_list in the target. */
keyword_enter compat_enter_addresses;
keyword_enter compat_enter_peers;
keyword_enter compat_enter_routes;
keyword_enter compat_enter_rules;
keyword_enter compat_enter_trackers; /* row->minimum: enum check_tracker_kind */

/*
 * The name of a named block; NULL after a finding. A second block of that name is read and left out: *taken.
 */
const struct word *compat_block_name(struct keyword_run *run, const struct keyword *row, const struct word *keyword,
                                     const struct word_list *words);
/* "X is defined twice". */
void compat_report_twice(struct keyword_run *run, const struct keyword *row, const struct word *name,
                         struct place first);

/*
 * Calls `line` for what is in a list block: for its words when it has no braces, then for its lines.
 */
typedef void compat_line(struct keyword_run *run, const struct keyword *row, const struct statement *line,
                         void *context);
void compat_each_line(struct keyword_run *run, const struct keyword *row, const struct word *keyword,
                      const struct word_list *words, const struct statement *first, compat_line *line, void *context);

/* --- compat_take.c: custom arguments --- */

keyword_read compat_take_script;    /* struct check_command: the whole line is the command */
keyword_read compat_take_command;   /* struct check_command: COMMAND [USER [GROUP]] */
keyword_read compat_take_user;      /* two const char *, one after the other: USER [GROUP] */
keyword_read compat_take_weight;    /* struct check_weight; row->maximum is the largest */
keyword_read compat_take_address;   /* struct addr */
keyword_read compat_take_interface; /* const char * */
keyword_read compat_take_auth_type; /* uint8_t: one of the row's choices */
keyword_read compat_take_skip;      /* nothing: arguments of a keyword that has no effect, without a word */

/* compat_value.c: values of one word; false (NULL) after a finding. */
bool compat_read_address(struct keyword_run *run, const char *keyword, const struct word *word, struct addr *out);
/* ADDRESS[/LENGTH]; without a length that of a host. */
bool compat_read_prefix(struct keyword_run *run, const char *keyword, const struct word *word, struct addr *out,
                        uint8_t *length);
const char *compat_read_interface(struct keyword_run *run, const char *keyword, const struct word *word);
bool compat_read_integer(struct keyword_run *run, const char *keyword, const struct word *word, int64_t low,
                         int64_t high, int64_t *out);
/* A number, or a name of /etc/iproute2/FILE or of those that every kernel has. */
bool compat_read_named(struct keyword_run *run, const char *keyword, const struct word *word, const char *file,
                       const struct keyword_choice *known, int64_t high, int64_t *out);

/* --- the steps after parsing --- */

/* compat_resolve.c, for pools: see config_extension. */
bool compat_bind(struct compat_words *words, struct check_tracker *tracker, struct suggest *suggest);
void compat_complete_command(struct compat_words *words, struct check_command *command);

void compat_resolve(struct compat_words *words);

/* compat_vmac.c: devices that are virtual MACs of instances become these instances' interfaces. */
void compat_replace_vmacs(struct compat_words *words);
/* compat_check.c: one instance by itself; what makes it unusable is an error. */
void compat_check_instance(struct compat_words *words, struct instance_words *instance);
/* compat_strict.c: what strict mode changes; after everything else. */
void compat_check_strict(struct compat_words *words, struct instance_words *instance);
/* compat_check_addresses.c: its family, then its addresses, peers, source and group. */
void compat_check_family(struct compat_words *words, struct instance_words *instance);
void compat_check_addresses(struct compat_words *words, struct instance_words *instance);
void compat_check_static(struct compat_words *words);
/* compat_check_all.c: instances against each other and against the pools. */
void compat_check_all(struct compat_words *words, const struct config *config);
/* compat_host.c */
void compat_check_host(struct compat_words *words);
void compat_check_host_command(struct compat_words *words, struct check_command *command, const char *what);

/* --- what is run (compat_run.c) --- */

extern const struct keyword_choice compat_filter_choices[]; /* of arp_filter */

/* The filter that an instance gets: what it asks for, as far as its timers leave room for a lease. */
enum filter_mode compat_run_mode(const struct compat_instance *instance);
/* Whether the daemon has room for all of it beside the pools of `config`; what it has not is an error. */
void compat_run_check(struct compat_words *words, const struct config *config);
/* Adds the model to the configuration that is run. */
void compat_run_add(const struct compat_config *model, struct config *config);
/* compat_run_unit.c: an instance's part of the core's settings; its group's index is that in model->groups. */
struct instance_settings compat_run_instance(const struct compat_config *model, const struct compat_instance *instance,
                                             struct arena *arena);
struct config_router compat_run_router(const struct compat_instance *instance);

#define COMPAT_WARN(run, place, ...) report_warning((run)->report, place, __VA_ARGS__)

#endif
