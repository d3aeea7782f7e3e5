/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A reload (doc/design.md 2.11): a core with new settings goes on exactly where the one with the old settings stands,
 * so that what did not change notices nothing.
 *
 *   handover_match(old, new, ...)     what goes on as what; the caller may take pairs back (handover_forget)
 *   EVENT_RETIRE to the old core      for everything that has no successor: it is released in order
 *   core_is_retired(old)              until nothing of that is here any more
 *   core_take_over(new, old, ...)     the new core, fresh from core_init, has the state of the old one
 *
 * Pure, like all of the core: the daemon and the simulator call the same functions.
 */
#ifndef EVENKEEL_CORE_HANDOVER_H
#define EVENKEEL_CORE_HANDOVER_H

#include "core/core.h"

/*
 * Fills in pools and units; `map->old_link` is the caller's, since the core knows no names of links. A pool goes on as
 * the one of its name when link, family and version are the same: with another of these it is another pool. One that
 * was renamed is known by its VRIDs. Units of a pool go on by their VRID, instances by their name and all of these.
 */
void handover_match(const struct core_settings *old, const struct core_settings *new, struct handover *map);

/* The new unit is none of the old ones after all: what its VRID meant is another thing now. */
void handover_forget(struct handover *map, unsigned new_pool, unsigned new_unit);

/* Who goes on as this old pool or unit: a new index, or HANDOVER_NONE: it has to be retired. */
unsigned handover_pool_heir(const struct handover *map, const struct core_settings *new, unsigned old_pool);
unsigned handover_unit_heir(const struct handover *map, const struct core_settings *new, unsigned old_pool,
                            unsigned old_unit);

/* Everything that got EVENT_RETIRE is released, said so, and confirmed by the kernel to be gone. */
bool core_is_retired(const struct core *core);

/*
 * `to`, just made by core_init and never stepped, takes over from `from`, which must not be stepped any more: timers,
 * members, holders, the lease that was last granted. Effects come as from core_step. Then the shell gives it EVENT_LINK
 * for every link, which starts the pools that are new, orders anew what core_ask_again names, and ticks.
 */
void core_take_over(struct core *to, const struct core *from, const struct handover *map, struct mono now,
                    struct effects *effects);

/*
 * After core_take_over: an EFFECT_LEVEL or EFFECT_ARM for everything that the kernel was asked for and has not
 * confirmed. What was on its way under old indices may be thrown away then.
 */
void core_ask_again(const struct core *core, struct effects *effects);

#endif
