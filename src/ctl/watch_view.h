/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One frame of keelctl watch: title, what needs attention, the page's body, the last changes, keys. Drawn from the
 * daemon's answers and what was chosen; keeps nothing. Called by cmd_watch.c.
 */
#ifndef EVENKEEL_CTL_WATCH_VIEW_H
#define EVENKEEL_CTL_WATCH_VIEW_H

#include "ctl/ctl.h"
#include "ctl/screen.h"
#include "ctl/watch_state.h"

struct watch_answers {
    const json_t *status, *history; /* NULL: none yet */
    const char *problem;            /* why there are no newer ones; "": all is well */
};

/* Draws into a frame that was begun. Sets the state's page_lines and body_lines, and `top` within them. */
void watch_draw(struct watch_state *state, const struct ctl *ctl, const struct watch_answers *answers,
                struct screen *screen);

#endif
