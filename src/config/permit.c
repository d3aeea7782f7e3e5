/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See permit.h. It owns nothing. Called by the extension's look at the host, pool_watch.c and platform/script.c. */
#include "config/permit.h"

#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PERMIT_DEFAULT_USER "keepalived_script" /* who scripts run as in others' installations, where it exists */

bool permit_find_user(const struct check_command *command, uid_t *uid, gid_t *gid)
{
    const struct passwd *user = getpwnam(command->user != NULL ? command->user : PERMIT_DEFAULT_USER);

    *uid = 0;
    *gid = 0;
    if (user == NULL && command->user != NULL)
        return false;
    if (user != NULL) {
        *uid = user->pw_uid;
        *gid = user->pw_gid;
    }
    if (command->group == NULL)
        return true;
    const struct group *group = getgrnam(command->group);

    if (group == NULL)
        return false;
    *gid = group->gr_gid;
    return true;
}

static bool permit_is_executable(const char *path)
{
    struct stat status;

    return stat(path, &status) == 0 && S_ISREG(status.st_mode) && (status.st_mode & 0111) != 0;
}

bool permit_find_file(const char *name, char path[static PATH_MAX])
{
    const char *start = PERMIT_PATH;
    char tried[PATH_MAX];

    if (strchr(name, '/') != NULL)
        return permit_is_executable(name) && realpath(name, path) != NULL;
    while (*start != '\0') {
        size_t length = strcspn(start, ":");

        if (snprintf(tried, sizeof(tried), "%.*s/%s", (int)length, start, name) < (int)sizeof(tried) &&
            permit_is_executable(tried) && realpath(tried, path) != NULL)
            return true;
        start += length + (start[length] == ':');
    }
    return false;
}

bool permit_is_replaceable(const char *path)
{
    char part[PATH_MAX];
    size_t length = strlen(path);
    struct stat status;

    if (length >= sizeof(part))
        return true;
    memcpy(part, path, length + 1);
    for (;;) {
        bool sticky_directory;

        if (stat(part, &status) != 0 || status.st_uid != 0)
            return true;
        sticky_directory = S_ISDIR(status.st_mode) && (status.st_mode & S_ISVTX) != 0;
        if (!sticky_directory &&
            ((status.st_mode & S_IWOTH) != 0 || (status.st_gid != 0 && (status.st_mode & S_IWGRP) != 0)))
            return true;
        if (strcmp(part, "/") == 0)
            return false;
        char *slash = strrchr(part, '/');

        slash[slash == part ? 1 : 0] = '\0';
    }
}

void permit_judge(const struct check_command *command, uid_t uid, gid_t gid, bool security, struct permit *out)
{
    *out = (struct permit){.verdict = CHECK_MISSING, .uid = uid, .gid = gid};
    if (command->argument_count == 0)
        return;
    if (!permit_find_file(command->arguments[0], out->path)) {
        if (strchr(command->arguments[0], '/') != NULL && access(command->arguments[0], F_OK) == 0)
            out->verdict = CHECK_NO_PROGRAM;
        return;
    }
    out->verdict = CHECK_RUNNABLE;
    /* Only what runs as root can be abused by whoever replaces it. */
    out->replaceable = uid == 0 && permit_is_replaceable(out->path);
    if (out->replaceable && security)
        out->verdict = CHECK_INSECURE;
}

void permit_look(const struct check_command *command, bool security, struct permit *out)
{
    uid_t uid;
    gid_t gid;

    if (permit_find_user(command, &uid, &gid))
        permit_judge(command, uid, gid, security, out);
    else
        *out = (struct permit){.verdict = CHECK_NO_USER};
}

const char *permit_refusal(const struct check_command *command, enum check_permit verdict)
{
    switch (verdict) {
    case CHECK_MISSING:
        return command->argument_count > 0 && strpbrk(command->arguments[0], "<>|&;()$`*") != NULL
                   ? "it is text for a shell, and none is used; write \"sh -c '...'\""
                   : "there is no such program on this host";
    case CHECK_NO_PROGRAM:
        return "it exists, but is no executable file";
    case CHECK_INSECURE:
        return "others than root could replace it, which enable_script_security forbids";
    case CHECK_NO_USER:
        return "its user or group does not exist on this host";
    case CHECK_UNKNOWN:
    case CHECK_RUNNABLE:
        return "it may run";
    }
    return "it may run";
}
