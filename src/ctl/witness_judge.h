/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The witness's judgement of one round of one address. Called by witness_watch for rounds in their order.
 *
 * When are two hosts one too many? An answer proves only that its host answered at some moment between the question's
 * departure and the answer's arrival, so a hand-over in between must not count. Round j is double when two hosts
 * answered it and
 *  - one of them was answering before j was asked and still answered a question asked after the other's answer was
 * here, or
 *  - both also answered the next round, asked after both answers were here, or
 *  - (listening only) both answers were here so soon after the question that no hand-over fits in between.
 * It then counts as long as the distance to the next round.
 */
#ifndef EVENKEEL_CTL_WITNESS_JUDGE_H
#define EVENKEEL_CTL_WITNESS_JUDGE_H

#include "ctl/witness_watch.h"

/* Faster than any take-over: release, packet, timer, address, filter. */
#define WITNESS_TIGHT_US 200

void witness_judge_round(struct witness_watch *watch, unsigned vip, const struct witness_round *round);

/* Closes at `end` whatever is open in the last window of `vip`. */
void witness_judge_end(struct witness_watch *watch, unsigned vip, struct mono end);

#endif
