/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See identity.h. Leaving uid 0 for good by setuid clears all capabilities (capabilities(7)). */
#include "client/identity.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#define FALLBACK_USER "nobody"

static int fail(const char *what, const char *user, int error, char text[static IDENTITY_TEXT_MAX])
{
    snprintf(text, IDENTITY_TEXT_MAX, "cannot become user %s: %s: %s", user, what, strerror(error));
    return -error;
}

static int become(const struct passwd *entry, char text[static IDENTITY_TEXT_MAX])
{
    if (entry->pw_uid == 0)
        return fail("that is root", entry->pw_name, EPERM, text);
    if (initgroups(entry->pw_name, entry->pw_gid) != 0)
        return fail("groups", entry->pw_name, errno, text);
    if (setresgid(entry->pw_gid, entry->pw_gid, entry->pw_gid) != 0)
        return fail("group", entry->pw_name, errno, text);
    if (setresuid(entry->pw_uid, entry->pw_uid, entry->pw_uid) != 0)
        return fail("user", entry->pw_name, errno, text);
    return setuid(0) == 0 ? fail("root could be regained", entry->pw_name, EPERM, text) : 0;
}

int identity_drop(const char *user, char text[static IDENTITY_TEXT_MAX])
{
    int error = 0;

    text[0] = '\0';
    if (geteuid() == 0) {
        const struct passwd *entry = getpwnam(user);

        if (entry == NULL)
            entry = getpwnam(FALLBACK_USER);
        error = entry != NULL ? become(entry, text) : fail("no such user", user, ENOENT, text);
    }
    if (error == 0 && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
        error = fail("no_new_privs", user, errno, text);
    return error;
}
