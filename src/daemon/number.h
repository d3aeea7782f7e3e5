/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which daemon of its network namespace this one is: several may run there, each with a run directory of its own, with
 * pools of the same name, and all instances are in tables of one name. So the tables of the second, third ... are named
 * by its number. It is the first that no living daemon has, by a bound socket: abstract names belong to the network
 * namespace, as tables do, and go with the process. Whoever takes such a name without being a daemon has only made the
 * next number ours. Called by guard.c.
 */
#ifndef EVENKEEL_DAEMON_NUMBER_H
#define EVENKEEL_DAEMON_NUMBER_H

#include <stdbool.h>

#define NUMBER_MAX 64

/* From 1, with the descriptor that holds it in *claim; 1 and -1 when none can be had. */
unsigned number_claim(int *claim);
/* Whether no living daemon has it, as far as can be told; not for the caller's own. */
bool number_is_free(unsigned number);

#endif
