/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Commands that the daemon may run, and what can be checked: scripts, numbers in files, processes, and the lines that
 * track them. Values as a load leaves them: complete and resolved. Texts and arrays live as long as the configuration.
 */
#ifndef EVENKEEL_CONFIG_CHECKS_H
#define EVENKEEL_CONFIG_CHECKS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "config/place.h"

#define CHECK_WEIGHT_MAX 253       /* of scripts and interfaces */
#define CHECK_VALUE_WEIGHT_MAX 254 /* of files and processes */

/* --- commands --- */

/* Whether a command may run. Known after a load that looks at this host only; to be asked again before each start of a
 * check. */
enum check_permit {
    CHECK_UNKNOWN,    /* nobody has looked */
    CHECK_RUNNABLE,   /* uid and gid are set */
    CHECK_MISSING,    /* no such file */
    CHECK_NO_PROGRAM, /* the file is there, but cannot be executed */
    CHECK_INSECURE,   /* enable_script_security, and somebody else than root could replace it */
    CHECK_NO_USER,    /* its user or group does not exist here */
};

/*
 * A command: an argument vector, never a shell. What is not CHECK_RUNNABLE is not run and counts as failed where its
 * result matters (a check that cannot be run is a failed check); the reason is in `refusal`.
 */
struct check_command {
    struct place place;
    unsigned argument_count; /* 0: no command was given */
    char **arguments;        /* arguments[argument_count] is NULL */
    const char *user;        /* script_user is applied; NULL: keepalived_script if this host knows it, else root */
    const char *group;       /* NULL: the user's own */
    uint8_t permit;          /* enum check_permit */
    const char *path;        /* CHECK_RUNNABLE: the file to execute, absolute; arguments[0] stays as written */
    uid_t uid;               /* CHECK_RUNNABLE */
    gid_t gid;
    const char *refusal; /* a sentence, when it may not run; else NULL */
};

/* Who is told of state changes. A command with argument_count 0 is not called. */
struct check_notify {
    struct check_command active; /* no arguments are added to these */
    struct check_command backup;
    struct check_command fault;
    struct check_command stop;     /* at shutdown; without it nothing but `any` is called */
    struct check_command any;      /* gets INSTANCE|GROUP NAME STATE PRIORITY */
    struct check_command rx_lower; /* instances: Active, and a lower priority was heard */
    int8_t priority_changes;       /* FIFO lines when the effective priority changes; 0 or 1 */
    int8_t call_deleted;           /* instances: DELETED instead of FAULT when removed by a reload; 0 or 1 */
};

struct check_fifo {
    struct place place;
    const char *path; /* NULL: none */
    const char *user; /* owner of the FIFO; NULL: root */
    const char *group;
    struct check_command
        script; /* its reader: gets the path as last argument; TERM at stop, or when a reload changes this */
};

/* --- trackers --- */

struct check_weight {
    int16_t value;
    bool reverse;
    bool given;
};

/* A periodic check. */
struct check_script {
    struct place place;
    const char *name;
    struct check_command command; /* argument_count 0 (no script was given): it always fails */
    int64_t interval_us;          /* > 0; default 1 s */
    int64_t timeout_us;           /* > 0; default: interval; then TERM, KILL 2 s later; counts as a failure */
    struct check_weight weight;   /* -253..253; default 0: failure is FAULT */
    int32_t rise, fall;           /* >= 1: consecutive results that change the state; default 1 */
    bool init_fail;               /* starts as failed; else a first success needs one run only */
};

/* A number in a file, times the weight, added to the priority. */
struct check_file {
    struct place place;
    const char *name;
    const char *path;           /* NULL: none was given; counts as failed */
    struct check_weight weight; /* -254..254; default 1; 0: a value other than 0 is FAULT */
    bool create;                /* init_file: written at start when it does not exist */
    bool overwrite;             /* also when it exists */
    int64_t init_value;         /* what is written */
};

enum check_match {
    CHECK_MATCH_NONE,    /* the command's name alone */
    CHECK_MATCH_EXACT,   /* all parameters */
    CHECK_MATCH_INITIAL, /* the parameters begin with these */
    CHECK_MATCH_PARTIAL, /* as before, and the last one may be the beginning of a word */
};

/* The presence of processes. */
struct check_process {
    struct place place;
    const char *name;
    char **words; /* command and parameters; NULL at the end; NULL: none was given, counts as failed */
    unsigned word_count;
    uint8_t match; /* enum check_match */
    bool full_command;
    struct check_weight weight; /* -254..254; default 0: FAULT below the quorum */
    int32_t quorum;             /* 1..65535; default 1 */
    int32_t quorum_max;         /* 0..65535; 0: none */
    int64_t fork_delay_us;      /* 0..3600 s: so long a process must have lived before it counts */
    int64_t terminate_delay_us; /* and so long it must have been gone */
};

enum check_tracker_kind {
    CHECK_TRACK_INTERFACE,
    CHECK_TRACK_SCRIPT,
    CHECK_TRACK_FILE,
    CHECK_TRACK_PROCESS,
    CHECK_TRACK_KINDS,
};

/*
 * What an instance or a group tracks. Exactly one of script, file and process is set for those kinds when `resolved`.
 * A tracker that is not resolved names something that the file does not define: it counts as failed for ever.
 * Effect on the priority (doc/keepalived.md): weight 0: FAULT while failed; > 0: added while good; < 0: subtracted
 * while failed; `reverse` turns the sense; a file's value times weight. A priority of 255 never changes.
 */
struct check_tracker {
    struct place place;
    uint8_t kind;     /* enum check_tracker_kind */
    const char *name; /* of the interface, or the block's */
    bool resolved;
    const struct check_script *script;
    const struct check_file *file;
    const struct check_process *process;
    struct check_weight weight; /* the line's own if `given`, else the block's */
    bool ignored;               /* weighted, of a group's member without sync_group_tracking_weight: has no effect */
};

#endif
