/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where in a configuration file something is said. */
#ifndef EVENKEEL_CONFIG_PLACE_H
#define EVENKEEL_CONFIG_PLACE_H

/* Where a word stands. `file` is NULL when there is no such place; line 0: the file as a whole. */
struct place {
    const char *file;
    unsigned line;
    unsigned column; /* bytes, from 1 */
};

#endif
