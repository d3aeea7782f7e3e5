/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Two hosts with one address (see rival.h). Called by intake.c, link.c and background.c. */
#include "daemon/rival.h"

#include <string.h>

#include "platform/link_watch.h"

#define ASK_EVERY_US US_PER_S
#define ECHO_RECENT_US (3 * US_PER_S) /* an answer counts so long after an advertisement */
#define SEEN_LASTS_US (5 * US_PER_S)  /* after the last answer */

void rival_heard(struct rival *rival, struct mono now)
{
    rival->echoed = now;
    rival->asking = rival->asking || mono_due(now, rival->ask_next);
}

size_t rival_ask(struct rival *rival, const struct kernel_link *link, struct mono now, uint8_t frame[static FRAME_MAX])
{
    const struct addr nobody = ADDR_NONE;

    if (!rival->asking)
        return 0;
    rival->asking = false;
    rival->ask_next = mono_add(now, ASK_EVERY_US);
    return frame_probe(link->mac, &nobody, &link->primary_ipv4, frame, FRAME_MAX);
}

bool rival_answer(struct rival *rival, const struct kernel_link *link, const uint8_t mac[6], struct mono now)
{
    bool recent = rival->echoed.us != 0 && mono_diff_us(now, rival->echoed) < ECHO_RECENT_US;

    /* A host answers on each of its interfaces, and two of them may be on this LAN. */
    if (!recent || link_watch_is_own_mac(mac))
        return false;
    memcpy(rival->seen.mac, mac, sizeof(rival->seen.mac));
    rival->seen.until = mono_add(now, SEEN_LASTS_US);
    rival->seen.stronger = !rival->spoken || memcmp(mac, link->mac, sizeof(link->mac)) > 0;
    return true;
}

bool rival_changed(struct rival *rival, struct mono now, struct mono *next)
{
    bool seen = rival->seen.until.us != 0 && !mono_due(now, rival->seen.until);
    bool yields = seen && rival->seen.stronger;
    bool changed = yields != rival->seen.yields;

    rival->seen.yields = yields;
    rival->spoken = rival->spoken && !yields;
    if (seen)
        *next = mono_min(*next, rival->seen.until);
    return changed;
}
