/* SPDX-License-Identifier: GPL-2.0-or-later */
/* keelctl convert: a configuration of ours from other programs' files. Needs no daemon. */
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "config/suggest.h"
#include "ctl/ctl.h"
#include "ctl/dialect.h"

int convert_command(const struct ctl *ctl, int argc, char **argv)
{
    struct suggest suggest = suggest_start(argv[0]);

    (void)ctl;
    for (const struct ctl_converter *c = ctl_dialect.converters; c->name != NULL; c++) {
        suggest_offer(&suggest, c->name);
        if (strcmp(c->name, argv[0]) == 0)
            return c->convert((unsigned)argc - 1, argv + 1, stdout, config_print_finding, stderr) ? EX_OK : EX_CONFIG;
    }
    if (suggest.best != NULL)
        ctl_complain("'%s' cannot be converted; did you mean '%s'?", argv[0], suggest.best);
    else
        ctl_complain("'%s' cannot be converted", argv[0]);
    return EX_USAGE;
}
