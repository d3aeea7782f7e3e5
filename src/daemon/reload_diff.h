/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a reload changes, for people: two configurations in canonical form (config_print), compared. Pure. */
#ifndef EVENKEEL_DAEMON_RELOAD_DIFF_H
#define EVENKEEL_DAEMON_RELOAD_DIFF_H

#include <stdbool.h>
#include <stdio.h>

/*
 * One line for each difference:
 *
 *   + vrrp_pool web: virtual_ipaddress 192.0.2.60/24 vrid 60       there is one more
 *   - vrrp_pool old (3 lines)                                      a whole block is gone
 *   ~ vrrp_pool web: advert_int 1 -> 2                             changed
 *
 * Knows no keyword: a line belongs to the blocks around it and is known by its first word. False: no memory; then what
 * was written is incomplete.
 */
bool reload_diff(const char *old_text, const char *new_text, FILE *out);

#endif
