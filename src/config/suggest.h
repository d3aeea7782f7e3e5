/* SPDX-License-Identifier: GPL-2.0-or-later */
/* "Did you mean": the known word that is nearest to an unknown one. */
#ifndef EVENKEEL_CONFIG_SUGGEST_H
#define EVENKEEL_CONFIG_SUGGEST_H

/* A search under way. Start with suggest_start, offer every candidate, then ask for `best`. */
struct suggest {
    const char *word;
    const char *best; /* NULL: none is near enough */
    unsigned distance;
};

/* `word` stays the caller's for as long as the search lasts. */
struct suggest suggest_start(const char *word);
/* Of candidates at the same distance the one offered first stays. */
void suggest_offer(struct suggest *suggest, const char *candidate);

#endif
