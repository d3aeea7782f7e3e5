/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a wackamole.conf says (wackamole.conf(5) of Wackamole 2.1), as it says it. Included by wackamole*.c. */
#ifndef EVENKEEL_COMPAT_WACKAMOLE_FILE_H
#define EVENKEEL_COMPAT_WACKAMOLE_FILE_H

#include "base/addr.h"
#include "config/report.h"

/* interface:a.b.c.d/length, and "nN" after it, which told where ARP could be sent to. */
struct wack_address {
    struct place place;
    const char *interface; /* NULL: none was given */
    struct addr address;
    unsigned length; /* 0..32 */
};

struct wack_addresses {
    unsigned count;
    struct wack_address *list;
};

/* What moves together: one address, or those in braces. */
struct wack_unit {
    struct wack_addresses addresses; /* at least one */
};

/* Something that has no counterpart here, with the word that says so. */
struct wack_lost {
    struct place place;
    const char *word;
    const char *instead; /* what does the job now, or why nothing has to */
};

struct wack_file {
    const char *path;
    const char *group; /* NULL: not given */
    int moves;         /* AcquisitionsPerRound; 0: none, -1: all; default 1 */
    int interval_s;    /* of a balancing round; default 4 */
    int mature_s;      /* default 5 */
    unsigned unit_count;
    struct wack_unit *units;
    struct wack_addresses preferred; /* each stands for all addresses of its network */
    unsigned lost_count;
    struct wack_lost *lost;
};

/* Reads `path` into *file; all of it lives in `report`'s arena. */
void wack_file_read(struct wack_file *file, const char *path, struct report *report);

#endif
