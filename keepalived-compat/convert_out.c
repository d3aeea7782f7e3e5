/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the converters share: a result is tried, and shown in any case. Called by convert.c and wackamole.c. */
#include "convert_out.h"

#include <stdlib.h>

static bool loads(const char *text, size_t length, config_report *report, void *context)
{
    struct config *config = config_load_text("converted", text, length, 0, report, context);
    bool good = config != NULL;

    config_free(config);
    return good;
}

bool convert_out(void (*print)(const void *work, FILE *out), const void *work, FILE *out, config_report *report,
                 void *context)
{
    char *text = NULL;
    size_t length = 0;
    FILE *memory = open_memstream(&text, &length);

    if (memory == NULL)
        abort();
    print(work, memory);
    if (fclose(memory) != 0)
        abort();
    bool good = loads(text, length, report, context);

    fwrite(text, 1, length, out);
    free(text);
    return good;
}
