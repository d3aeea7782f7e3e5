/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The failing half of CHECK(). Called by the macro only. */
#include "base/check.h"

#include <stdio.h>
#include <stdlib.h>

_Noreturn void check_failed(const char *file, int line, const char *text)
{
    fprintf(stderr, "%s:%d: CHECK failed: %s\n", file, line, text);
    abort();
}
