/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Third parties on each link: whom to ask when the other members vanish, to learn whether this host still hears and is
 * heard (doc/design.md 2.8). They are, in this order: the configuration's isolation_targets, the link's gateways, and
 * neighbours heard lately. It keeps the neighbours and the questions asked, builds the probes, and recognises their
 * answers. What an answer means is the core's business; who is a member or a VIP is the caller's.
 *
 * Silence proves something only where somebody would speak. A neighbour that was heard minutes ago may be gone, and
 * then the last host of a LAN would take itself for deaf. So third parties are asked in the background too, and
 * nobody's silence counts who was not heard in the THIRDPARTY_FRESH_US before this host last heard anything at all.
 * (Before that and not before now: else a deaf host would have proof against it for that time only.) isolation_targets
 * always count: who configures them says that they answer.
 */
#ifndef EVENKEEL_DAEMON_THIRDPARTY_H
#define EVENKEEL_DAEMON_THIRDPARTY_H

#include "platform/frame.h"
#include "platform/kernel.h"

#define THIRDPARTY_NEIGHBOURS_MAX 8                    /* per link, the most recent */
#define THIRDPARTY_EXPIRY_US ((int64_t)600 * US_PER_S) /* after this a neighbour is not asked any more */
#define THIRDPARTY_FRESH_US ((int64_t)30 * US_PER_S)   /* after this its silence proves nothing */
#define THIRDPARTY_REFRESH_US ((int64_t)10 * US_PER_S) /* between two questions in the background */
#define THIRDPARTY_PROBES_MAX 4                        /* targets per thirdparty_probe */
#define THIRDPARTY_ANSWER_US ((int64_t)3 * US_PER_S)   /* an answer must arrive within this */

struct thirdparty;

enum thirdparty_verdict {
    THIRDPARTY_HEARD,  /* somebody spoke: this host is not deaf */
    THIRDPARTY_ANSWER, /* somebody answered our question: nor is it mute */
};

/* NULL: out of memory. */
struct thirdparty *thirdparty_new(unsigned link_count);
void thirdparty_free(struct thirdparty *thirdparty); /* NULL is allowed */

/* The link's state as the kernel last reported it: own addresses and MAC for probes, gateways as targets. A link that
 * is gone, or is another interface now, forgets its neighbours. */
void thirdparty_set_link(struct thirdparty *thirdparty, unsigned link, const struct kernel_link *state);

/* A reload: `link` is what `old_link` was. */
void thirdparty_take_over(struct thirdparty *thirdparty, unsigned link, const struct thirdparty *from,
                          unsigned old_link);

/*
 * An ARP or neighbour frame from somebody else (not an echo of our own). `outsider`: its sender address is neither a
 * member's nor a VIP; only outsiders are remembered as neighbours.
 */
enum thirdparty_verdict thirdparty_take(struct thirdparty *thirdparty, unsigned link, const struct frame_view *view,
                                        bool outsider, struct mono received);

/* Any other frame from somebody else: a VRRP packet of another router. */
void thirdparty_heard(struct thirdparty *thirdparty, unsigned link, struct mono received);

/* Takes one finished frame; it is valid only during the call. */
typedef void thirdparty_emit(void *context, const uint8_t *frame, size_t length);

/*
 * Asks up to THIRDPARTY_PROBES_MAX third parties on the link. While nobody answers, the next call asks the next ones,
 * so that a few dead targets hide nobody. Returns how many were asked; 0: there is nobody whose silence would prove
 * anything, or this host has no address to ask from. (Those who might answer are asked in that case, too.)
 */
unsigned thirdparty_probe(struct thirdparty *thirdparty, unsigned link, const struct addr *targets,
                          unsigned target_count, struct mono now, thirdparty_emit *emit, void *context);

/*
 * The question in the background, every THIRDPARTY_REFRESH_US: one frame to who answered the last one, else to the next
 * third party. True when somebody was asked.
 */
bool thirdparty_refresh(struct thirdparty *thirdparty, unsigned link, const struct addr *targets, unsigned target_count,
                        struct mono now, thirdparty_emit *emit, void *context);

#endif
