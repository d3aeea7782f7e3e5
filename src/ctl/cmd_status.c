/* SPDX-License-Identifier: GPL-2.0-or-later */
/* keelctl status: one screen. How it looks stands in status_view.c. */
#include <stdio.h>
#include <sysexits.h>

#include "ctl/client.h"
#include "ctl/status_view.h"

int status_command(const struct ctl *ctl, int argc, char **argv)
{
    json_t *answer;
    int code = client_ask_all_pools(ctl, "status", &answer);

    (void)argc, (void)argv;
    if (code != EX_OK)
        return code;
    code = ctl->json ? client_print(answer) : status_show(stdout, ctl, answer);
    json_decref(answer);
    return code;
}
