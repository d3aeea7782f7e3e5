/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The model's commands, and what can be checked: scripts, numbers in files, processes, and the lines that track them.
 * Part of compat.h, which says what holds for the whole model.
 */
#ifndef EVENKEEL_COMPAT_CHECKS_H
#define EVENKEEL_COMPAT_CHECKS_H

#include <stdint.h>
#include <sys/types.h>

#include "config/report.h"

#define COMPAT_WEIGHT_MAX 253       /* of scripts and interfaces */
#define COMPAT_VALUE_WEIGHT_MAX 254 /* of files and processes */

/* --- commands --- */

/* Whether a command may run. Known after COMPAT_CHECK_HOST only; to be asked again before each start of a check. */
enum compat_permit {
    COMPAT_UNKNOWN,  /* nobody has looked */
    COMPAT_RUNNABLE, /* uid and gid are set */
    COMPAT_MISSING,  /* no such file, or it cannot be executed */
    COMPAT_INSECURE, /* enable_script_security, and somebody else than root could replace it */
    COMPAT_NO_USER,  /* its user or group does not exist here */
};

/*
 * A command: an argument vector, never a shell. What is not COMPAT_RUNNABLE is not run and counts as failed where its
 * result matters (a check that cannot be run is a failed check); the reason is in `refusal`.
 */
struct compat_command {
    struct place place;
    unsigned argument_count; /* 0: no command was given */
    char **arguments;        /* arguments[argument_count] is NULL */
    const char *user;        /* script_user is applied; NULL: keepalived_script if this host knows it, else root */
    const char *group;       /* NULL: the user's own */
    uint8_t permit;          /* enum compat_permit */
    const char *path;        /* COMPAT_RUNNABLE: the file to execute, absolute; arguments[0] stays as written */
    uid_t uid;               /* COMPAT_RUNNABLE */
    gid_t gid;
    const char *refusal; /* a sentence, when it may not run; else NULL */
};

/* Who is told of state changes. A command with argument_count 0 is not called. */
struct compat_notify {
    struct compat_command master; /* no arguments are added to these */
    struct compat_command backup;
    struct compat_command fault;
    struct compat_command stop;     /* at shutdown; without it nothing but `any` is called */
    struct compat_command any;      /* gets INSTANCE|GROUP NAME STATE PRIORITY */
    struct compat_command rx_lower; /* instances: master heard a lower priority */
    int8_t priority_changes;        /* FIFO lines when the effective priority changes; 0 or 1 */
    int8_t call_deleted;            /* instances: DELETED instead of FAULT when removed by a reload; 0 or 1 */
};

struct compat_fifo {
    struct place place;
    const char *path; /* NULL: none */
    const char *user; /* owner of the FIFO; NULL: root */
    const char *group;
    struct compat_command script; /* its reader: gets the path as last argument; TERM at reload and stop */
};

/* --- trackers --- */

struct compat_weight {
    int16_t value;
    bool reverse;
    bool given;
};

/* A periodic check. */
struct compat_script {
    struct place place;
    const char *name;
    struct compat_command command; /* argument_count 0 (no script was given): it always fails */
    int64_t interval_us;           /* > 0; default 1 s */
    int64_t timeout_us;            /* > 0; default: interval; then TERM, KILL 2 s later; counts as a failure */
    struct compat_weight weight;   /* -253..253; default 0: failure is FAULT */
    int32_t rise, fall;            /* >= 1: consecutive results that change the state; default 1 */
    bool init_fail;                /* starts as failed; else a first success needs one run only */
};

/* A number in a file, times the weight, added to the priority. */
struct compat_file {
    struct place place;
    const char *name;
    const char *path;            /* NULL: none was given; counts as failed */
    struct compat_weight weight; /* -254..254; default 1; 0: a value other than 0 is FAULT */
    bool create;                 /* init_file: written at start when it does not exist */
    bool overwrite;              /* also when it exists */
    int64_t init_value;          /* what is written */
};

enum compat_match {
    COMPAT_MATCH_NONE,    /* the command's name alone */
    COMPAT_MATCH_EXACT,   /* all parameters */
    COMPAT_MATCH_INITIAL, /* the parameters begin with these */
    COMPAT_MATCH_PARTIAL, /* as before, and the last one may be the beginning of a word */
};

/* The presence of processes. */
struct compat_process {
    struct place place;
    const char *name;
    char **words; /* command and parameters; NULL at the end; NULL: none was given, counts as failed */
    unsigned word_count;
    uint8_t match; /* enum compat_match */
    bool full_command;
    struct compat_weight weight; /* -254..254; default 0: FAULT below the quorum */
    int32_t quorum;              /* 1..65535; default 1 */
    int32_t quorum_max;          /* 0..65535; 0: none */
    int64_t fork_delay_us;       /* 0..3600 s: so long a process must have lived before it counts */
    int64_t terminate_delay_us;  /* and so long it must have been gone */
};

enum compat_tracker_kind {
    COMPAT_TRACK_INTERFACE,
    COMPAT_TRACK_SCRIPT,
    COMPAT_TRACK_FILE,
    COMPAT_TRACK_PROCESS,
    COMPAT_TRACK_KINDS,
};

/*
 * What an instance or a group tracks. Exactly one of script, file and process is set for those kinds when `resolved`.
 * A tracker that is not resolved names something that the file does not define: it counts as failed for ever.
 * Effect on the priority (doc/keepalived.md): weight 0: FAULT while failed; > 0: added while good; < 0: subtracted
 * while failed; `reverse` turns the sense; a file's value times weight. A priority of 255 never changes.
 */
struct compat_tracker {
    struct place place;
    uint8_t kind;     /* enum compat_tracker_kind */
    const char *name; /* of the interface, or the block's */
    bool resolved;
    const struct compat_script *script;
    const struct compat_file *file;
    const struct compat_process *process;
    struct compat_weight weight; /* the line's own if `given`, else the block's */
    bool ignored;                /* weighted, of a group's member without sync_group_tracking_weight: has no effect */
};

#endif
