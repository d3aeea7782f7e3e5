/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How keelctl complains; apart from main.c, so that tests can link what does. */
#include <stdarg.h>
#include <stdio.h>

#include "ctl/ctl.h"

void ctl_complain(const char *format, ...)
{
    va_list list;

    fflush(stdout);
    fputs("keelctl: ", stderr);
    va_start(list, format);
    vfprintf(stderr, format, list);
    va_end(list);
    fputc('\n', stderr);
}
