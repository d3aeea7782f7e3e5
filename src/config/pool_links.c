/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The interfaces of a file: names -> indices that do not depend on the order of lines. Called by pool_build.c first.
 */
#include <stdlib.h>
#include <string.h>

#include "config/pool_build.h"

struct link_list {
    struct build *build;
    unsigned capacity;
};

/* What the kernel accepts as a name (dev_valid_name), short of characters that no file could hold. */
static bool pool_link_valid(const char *name)
{
    return name[0] != '\0' && strlen(name) < CONFIG_INTERFACE_MAX && strpbrk(name, "/: \t\n\v\f\r") == NULL &&
           strcmp(name, ".") != 0 && strcmp(name, "..") != 0;
}

bool pool_links_find(const struct build *build, const char *name, uint8_t *link)
{
    for (unsigned i = 0; i < build->link_count; i++)
        if (strcmp(build->links[i], name) == 0) {
            *link = (uint8_t)i;
            return true;
        }
    return false;
}

static void pool_links_add(struct build *build, const struct word *word)
{
    uint8_t link;
    char quote[REPORT_QUOTE_MAX];

    if (word->text == NULL || pool_links_find(build, word->text, &link))
        return;
    if (!pool_link_valid(word->text)) {
        report_error(build->report, word->place, "%s is no interface name (1 to %d characters, no / or :)",
                     report_quote(word->text, quote), CONFIG_INTERFACE_MAX - 1);
        return;
    }
    if (build->link_count == SETTINGS_LINKS_MAX) {
        report_error(build->report, word->place, "interface %s is one too many; at most %d can be used",
                     report_quote(word->text, quote), SETTINGS_LINKS_MAX);
        return;
    }
    memcpy(build->links[build->link_count++], word->text, strlen(word->text) + 1);
}

static int pool_links_compare(const void *a, const void *b)
{
    return strcmp(a, b);
}

void pool_links_collect(struct build *build, const struct file_words *file)
{
    build->links = arena_array(build->arena, SETTINGS_LINKS_MAX, sizeof(*build->links));
    for (const struct pool_words *pool = file->pools; pool != NULL; pool = pool->next) {
        pool_links_add(build, &pool->interface);
        for (const struct unit_words *unit = pool->units; unit != NULL; unit = unit->next)
            for (const struct vip_words *vip = unit->vips; vip != NULL; vip = vip->next)
                pool_links_add(build, &vip->device);
    }
    qsort(build->links, build->link_count, sizeof(*build->links), pool_links_compare);
}
