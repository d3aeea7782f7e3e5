/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Dropping privileges (see privilege.h). It owns nothing that lasts: libcap-ng's state is set anew by each function.
 * Called by the worker at its start, and by main for the early check.
 */
#include "platform/privilege.h"

#include <cap-ng.h>
#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "base/check.h"

struct needed {
    unsigned capability;
    const char *name;
    bool nice;
};

static const struct needed NEEDED[] = {
    {CAP_NET_ADMIN, "CAP_NET_ADMIN", false},
    {CAP_NET_RAW, "CAP_NET_RAW", false},
    {CAP_SYS_NICE, "CAP_SYS_NICE", true},
};

int privilege_find_user(const char *user, uid_t *uid, gid_t *gid)
{
    errno = 0;
    const struct passwd *entry = getpwnam(user);

    if (!entry)
        return errno == 0 ? -ENOENT : -errno;
    *uid = entry->pw_uid;
    *gid = entry->pw_gid;
    return 0;
}

static bool is_permitted(unsigned capability)
{
    return capng_have_capability(CAPNG_PERMITTED, capability) == 1;
}

unsigned privilege_missing(bool nice, char text[static PRIVILEGE_TEXT_MAX])
{
    unsigned count = 0;
    size_t length = 0;

    text[0] = '\0';
    capng_get_caps_process();
    for (unsigned i = 0; i < ARRAY_LENGTH(NEEDED); i++) {
        if ((NEEDED[i].nice && !nice) || is_permitted(NEEDED[i].capability))
            continue;
        length += (size_t)snprintf(text + length, PRIVILEGE_TEXT_MAX - length, "%s%s", count++ > 0 ? ", " : "",
                                   NEEDED[i].name);
    }
    return count;
}

/* Selects what is to be kept. `nice` only where it is there: asking for it in vain would make the kernel refuse
 * everything. */
static void select_capabilities(bool nice)
{
    capng_clear(CAPNG_SELECT_BOTH);
    for (unsigned i = 0; i < ARRAY_LENGTH(NEEDED); i++)
        if (!NEEDED[i].nice || nice)
            capng_update(CAPNG_ADD, CAPNG_EFFECTIVE | CAPNG_PERMITTED, NEEDED[i].capability);
}

/* capng_change_id(3), RETURN VALUE. */
static const char *failed_step(int result)
{
    switch (result) {
    case -2:
    case -7:
        return "keeping capabilities over the change of user";
    case -3:
        return "setting capabilities";
    case -4:
        return "changing the group";
    case -5:
    case -10:
        return "setting supplementary groups";
    case -6:
        return "changing the user";
    case -8:
        return "clearing the bounding set";
    default:
        return "dropping capabilities";
    }
}

/* True when this user namespace knows the id (user_namespaces(7)), and where that cannot be told. */
static bool is_mapped(const char *map_path, unsigned id)
{
    FILE *map = fopen(map_path, "re");
    unsigned inside, outside, count;
    bool found = false;

    if (!map)
        return true;
    while (!found && fscanf(map, "%u %u %u", &inside, &outside, &count) == 3)
        found = id >= inside && id - inside < count;
    fclose(map);
    return found;
}

static bool groups_are_denied(void)
{
    char word[8] = "";
    FILE *file = fopen("/proc/self/setgroups", "re");

    if (!file)
        return false;
    bool read = fscanf(file, "%7s", word) == 1;

    fclose(file);
    return read && strcmp(word, "deny") == 0;
}

const char *privilege_obstacle(uid_t uid, gid_t gid)
{
    capng_get_caps_process();
    if (!is_permitted(CAP_SETUID))
        return "CAP_SETUID is missing";
    if (!is_permitted(CAP_SETGID))
        return "CAP_SETGID is missing";
    if (!is_mapped("/proc/self/uid_map", uid) || !is_mapped("/proc/self/gid_map", gid))
        return "this user namespace does not map it";
    return groups_are_denied() ? "this user namespace denies setgroups" : NULL;
}

static int change_user(const char *user, uid_t uid, gid_t gid, bool can_bound, char text[static PRIVILEGE_TEXT_MAX])
{
    unsigned flags = CAPNG_INIT_SUPP_GRP | CAPNG_CLEAR_AMBIENT | (can_bound ? CAPNG_CLEAR_BOUNDING : 0);

    errno = 0;
    int result = capng_change_id((int)uid, (int)gid, (capng_flags_t)flags);

    if (result == 0)
        return 0;
    int error = errno != 0 ? errno : EPERM;

    snprintf(text, PRIVILEGE_TEXT_MAX, "cannot become user %s (uid %ld): %s: %s", user, (long)uid, failed_step(result),
             strerror(error));
    return -error;
}

static int stay(bool can_bound, char text[static PRIVILEGE_TEXT_MAX])
{
    errno = 0;
    if (capng_apply(can_bound ? CAPNG_SELECT_BOTH : CAPNG_SELECT_CAPS) == 0)
        return 0;
    int error = errno != 0 ? errno : EPERM;

    snprintf(text, PRIVILEGE_TEXT_MAX, "setting capabilities: %s", strerror(error));
    return -error;
}

static int find_user(const char *user, uid_t *uid, gid_t *gid, char text[static PRIVILEGE_TEXT_MAX])
{
    int error = privilege_find_user(user, uid, gid);

    if (error == -ENOENT)
        snprintf(text, PRIVILEGE_TEXT_MAX, "there is no user %s", user);
    else if (error < 0)
        snprintf(text, PRIVILEGE_TEXT_MAX, "user %s cannot be looked up: %s", user, strerror(-error));
    return error;
}

int privilege_drop(const char *user, bool nice, char text[static PRIVILEGE_TEXT_MAX])
{
    char missing[PRIVILEGE_TEXT_MAX];
    uid_t uid = geteuid();
    gid_t gid = getegid();

    text[0] = '\0';
    if (privilege_missing(false, missing) > 0) {
        snprintf(text, PRIVILEGE_TEXT_MAX, "missing: %.200s", missing);
        return -EPERM;
    }
    int error = user ? find_user(user, &uid, &gid, text) : 0;

    if (error < 0)
        return error;
    bool can_bound = is_permitted(CAP_SETPCAP);

    select_capabilities(nice && is_permitted(CAP_SYS_NICE));
    error = user ? change_user(user, uid, gid, can_bound, text) : stay(can_bound, text);
    if (error < 0)
        return error;
    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ? -errno : 0;
}

int privilege_shed(void)
{
    /* Ambient ones go with the inheritable; saying both works on kernels that know no ambient set, too. */
    if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) < 0 && errno != EINVAL)
        return -errno;
    if (capng_get_caps_process() < 0)
        return -EPERM;
    for (unsigned capability = 0; capability <= CAP_LAST_CAP; capability++)
        capng_update(CAPNG_DROP, CAPNG_INHERITABLE, capability);
    return capng_apply(CAPNG_SELECT_CAPS) < 0 ? -EPERM : 0;
}

int privilege_follow_parent(pid_t parent, int signal)
{
    if (prctl(PR_SET_PDEATHSIG, signal) < 0)
        return -errno;
    /* It may have ended between the fork and the call above; the signal is then never sent. */
    return getppid() == parent ? 0 : -ESRCH;
}
