/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Between keyword.c and keyword_value.c. */
#ifndef EVENKEEL_CONFIG_KEYWORD_INTERNAL_H
#define EVENKEEL_CONFIG_KEYWORD_INTERNAL_H

#include "config/keyword.h"

/* The words that the row accepts, ending with a NULL name; NULL when it takes none. */
const struct keyword_choice *keyword_choices(const struct keyword *row);

#endif
