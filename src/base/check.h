/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * CHECK(): an assertion that stays on in production.
 *
 * For "the program is wrong" only. Never for anything that a packet, a file, an operator or the kernel can cause: the
 * same packet would then kill every host of the LAN at once.
 */
#ifndef EVENKEEL_BASE_CHECK_H
#define EVENKEEL_BASE_CHECK_H

/* Prints "FILE:LINE: CHECK failed: TEXT" to standard error and aborts. */
_Noreturn void check_failed(const char *file, int line, const char *text);

#define CHECK(condition) ((condition) ? (void)0 : check_failed(__FILE__, __LINE__, #condition))

#define ARRAY_LENGTH(array) (sizeof(array) / sizeof((array)[0]))

#endif
