/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * gen-keywords pool|address: prints the keywords of a vrrp_pool block, or of an address in it, as roff on standard
 * output. Run while the manual page is built; not installed.
 */
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "config/manual.h"
#include "config/pool_words.h"

int main(int argc, char **argv)
{
    const struct keyword_table *table = NULL;

    if (argc == 2 && strcmp(argv[1], "pool") == 0)
        table = &pool_keyword_pool;
    if (argc == 2 && strcmp(argv[1], "address") == 0)
        table = &pool_keyword_entry;
    if (table == NULL) {
        fputs("usage: gen-keywords pool|address\n", stderr);
        return EX_USAGE;
    }
    manual_print_table(table, stdout);
    return fflush(stdout) != 0 || ferror(stdout) ? EX_IOERR : EX_OK;
}
