/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The model of a configuration: what the file says, complete and checked. config_load() is the only way in;
 * config_free() gives all of its memory back. Everything that the core needs stands in `core` (core/settings.h); the
 * rest is for the daemon and the platform.
 */
#ifndef EVENKEEL_CONFIG_CONFIG_H
#define EVENKEEL_CONFIG_CONFIG_H

#include <stdio.h>

#include "config/instances.h"
#include "config/xalloc.h"
#include "core/settings.h"

#define CONFIG_INTERFACE_MAX 16 /* IFNAMSIZ */

enum filter_mode {
    FILTER_AUTO, /* lease where the kernel has it, else on */
    FILTER_OFF,
    FILTER_ON,    /* answer only for what is held */
    FILTER_LEASE, /* and only while the own member advertisement leaves in time */
};

enum address_mode {
    ADDRESS_ADD,      /* an address is on the interface while it is held */
    ADDRESS_RESIDENT, /* all addresses on all hosts; the filter decides */
};

struct config_vip {
    struct addr address;
    uint8_t prefix_length;
    uint8_t link;                      /* index into config.links */
    const struct net_address *options; /* of an instance: label, scope, peer and so on; NULL in a pool */
};

struct config_unit {
    unsigned vip_count;
    struct config_vip *vips;            /* all of the unit, over all links and families, advertised or not */
    unsigned line;                      /* where the file defines it */
    const struct config_router *router; /* of an instance; NULL in a pool */
};

struct config_pool {
    uint8_t filter_mode;  /* enum filter_mode */
    uint8_t address_mode; /* enum address_mode */
    bool use_vmac;        /* answer and send with the virtual MAC */
    bool
        vmac_xmit_base; /* advertisements leave with the interface's own MAC (default: the virtual MAC, RFC 9568 7.2) */
    unsigned garp_repeat;     /* rounds of announcements at take-over, >= 1 */
    int64_t garp_delay_us;    /* one more round after so long; 0: none */
    int64_t garp_refresh_us;  /* one more round every so long; 0: never */
    int64_t garp_interval_us; /* shortest time between two frames of later rounds */
    unsigned target_count;    /* isolation_targets */
    struct addr *targets;
    struct config_unit *units; /* in step with core.pools[].units */
    unsigned line;
};

struct config_extension;

struct config {
    struct core_settings core;                /* pool_count 0 only beside an extension's model */
    struct config_pool *pools;                /* in step with core.pools: pools, then sets */
    const struct config_watch *watches;       /* in step with core.pools; NULL: nothing is watched */
    const struct config_instances *instances; /* NULL: there are none, nor anything that belongs to them */
    char (*links)[CONFIG_INTERFACE_MAX]; /* interface names; core.link_count of them; sorted, so that no index depends
                                            on order */
    uint64_t hash; /* of everything that must be equal on all hosts, whatever the order of lines */
    const struct config_extension *extension; /* NULL: none was asked for */
    void *model;                              /* the extension's, in `arena` */
    struct arena arena;
};

/*
 * What an interface for a virtual MAC is called, as keepalived does it: vrrp.VRID, or where that is taken already for
 * attempts 1, 2...: with IPv6 vrrp6.VRID, vrrp1.VRID, ..., with IPv4 vrrp1.VRID, vrrp2.VRID, ...
 */
void config_virtual_name(char name[static CONFIG_INTERFACE_MAX], enum family family, uint8_t vrid, uint16_t attempt);

/* Error sink: one call per finding; `column` counts bytes from 1; line 0: about the file as a whole. */
enum config_severity {
    CONFIG_WARNING,
    CONFIG_ERROR,
};
typedef void config_report(void *context, enum config_severity severity, const char *file, unsigned line,
                           unsigned column, const char *text);

/* The sink of programs: "FILE:LINE:COLUMN: error: TEXT" to the stdio stream that `context` is. */
void config_print_finding(void *context, enum config_severity severity, const char *file, unsigned line,
                          unsigned column, const char *text);

/* The sink of who has read the text before, or does not care. */
void config_ignore_finding(void *context, enum config_severity severity, const char *file, unsigned line,
                           unsigned column, const char *text);

/* An enum filter_mode as files write it: "auto", "off", "on", "lease". */
const char *filter_mode_name(uint8_t mode);

/*
 * Reads and checks `path`. NULL after at least one CONFIG_ERROR was reported; nothing is then kept. Every error is
 * found and reported in one run where that is possible (at most 20). The returned configuration is the caller's.
 */
struct config *config_load(const char *path, config_report *report, void *context);
enum config_flags {
    CONFIG_UNTRUSTED = 1, /* no include, no ${_ENV}, small limits: nothing outside `text` is read */
    CONFIG_STRICT = 2,    /* every warning is an error */
    CONFIG_EXTENSION = 4, /* this bit and those above it are the extension's own */
};
/* The same for text in memory, as if it stood in a file called `name`. */
struct config *config_load_text(const char *name, const char *text, size_t length, unsigned flags,
                                config_report *report, void *context);
void config_free(struct config *config);

/* One load in full. */
struct config_request {
    const char *path;                         /* the file; of `text` the name it has in messages */
    const char *text;                         /* NULL: the file is read */
    size_t length;                            /* of text */
    unsigned flags;                           /* enum config_flags, and the extension's */
    const char *config_id;                    /* of @id lines; NULL: the host's name up to its first dot */
    const struct config_extension *extension; /* NULL: pools only */
};
struct config *config_read(const struct config_request *request, config_report *report, void *context);

struct keyword_run;
struct keyword_table;
struct suggest;

/*
 * A second language in the same files: the blocks whose keywords are in `root` are the extension's, and end up in a
 * model of its own beside the pools. It is implemented outside of src/, which knows none of its words.
 *
 * Its keywords are parsed by the same engine in a tolerant run (keyword.h). A file that holds no pool is read
 * tolerantly as a whole; in one that does, braces, quotes and definitions are as strict as a pool's.
 */
struct config_extension {
    const struct keyword_table *root; /* the target of its rows is the model */
    const struct config_words *words; /* what commands are told; NULL: our own words */
    const char *expected;             /* what a file must hold to be of use: "BLOCK NAME { ... }" */
    /* An empty model in run->arena, which lives as long as the configuration. */
    void *(*start)(struct keyword_run *run, unsigned flags);
    /*
     * After the whole file was parsed: checks and completes the model; `config` holds the pools (core, pools, links),
     * or none where they have errors. False: the model holds nothing to run.
     */
    bool (*finish)(void *model, struct keyword_run *run, const struct config *config);
    /*
     * The file is good: adds to the configuration what shall be run (sets after the pools, links after the pools'
     * links, instances, watches). Arrays that core.pools, pools and links are replaced by are malloc()ed like the old
     * ones, and so are those of units that config_free gives back; everything else is in config->arena.
     */
    void (*add)(void *model, struct config *config);
    /*
     * After `finish`, of pools: a tracker that names one of the extension's blocks is bound to it, with the block's
     * weight unless it has its own; else its names are offered to `suggest`.
     */
    bool (*bind)(void *model, struct check_tracker *tracker, struct suggest *suggest);
    /* After `finish`: a command of a pool's gets its defaults, and is held against this host as the extension's own. */
    void (*command)(void *model, struct keyword_run *run, struct check_command *command, const char *what);
    /* The model in the form that config_print promises. */
    void (*print)(const void *model, FILE *out);
};

/* The words for commands and FIFOs: the extension's, else ours. */
const struct config_words *config_words(const struct config *config);

/* Writes the configuration in canonical form: a file that config_load reads back to the same model and hash. */
void config_print(const struct config *config, FILE *out);

#endif
