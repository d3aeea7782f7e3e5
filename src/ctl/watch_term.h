/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The terminal while keelctl watch has it: raw keys, the alternate screen, no cursor. It is given back on every way
 * out: at the end, on every signal that ends or stops a process, and on a crash. (Nobody can do it on SIGKILL.)
 */
#ifndef EVENKEEL_CTL_WATCH_TERM_H
#define EVENKEEL_CTL_WATCH_TERM_H

#include <stdbool.h>
#include <stddef.h>

/* Standard input and output are a terminal that knows how to move its cursor. */
bool watch_term_is_usable(void);

/* Takes the terminal, and the signals from now on. A signalfd for watch_term_signal, or a negative errno. */
int watch_term_open(void);
void watch_term_close(void);

enum watch_term_event {
    WATCH_TERM_NOTHING,
    WATCH_TERM_RESIZED, /* or back from being stopped: everything has to be drawn again */
    WATCH_TERM_END,     /* a signal asks to end */
};

/* Deals with the signals that came; stops this process when that is wanted. *signal gets which one, on WATCH_TERM_END.
 */
enum watch_term_event watch_term_signal(int fd, int *signal);

/* Writes all of it, waiting for a slow line. False: the terminal is gone. */
bool watch_term_write(const char *bytes, size_t length);

#endif
