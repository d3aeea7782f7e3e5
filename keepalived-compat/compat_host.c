/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The file against this host: do its interfaces, users and scripts exist, and may the scripts run? Findings are
 * warnings; what may not run is marked so and counts as failed. Called at the end of a load with COMPAT_CHECK_HOST.
 */
#include <grp.h>
#include <limits.h>
#include <net/if.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "compat_words.h"

#define HOST_PATH "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
#define HOST_SCRIPT_USER "keepalived_script" /* keepalived's own default */

struct host {
    struct compat_words *words;
    bool security;
    /* The command before, whose user most have too: looking one up costs more than all the rest. */
    const struct check_command *last;
    const char *last_fault;
    const char *last_interface; /* the last one that exists */
};

/* --- users --- */

static const char *host_user_look(struct check_command *command)
{
    const struct passwd *user = getpwnam(command->user != NULL ? command->user : HOST_SCRIPT_USER);

    command->uid = 0;
    command->gid = 0;
    if (user == NULL && command->user != NULL)
        return "its user does not exist on this host";
    if (user != NULL) {
        command->uid = user->pw_uid;
        command->gid = user->pw_gid;
    }
    if (command->group == NULL)
        return NULL;
    const struct group *group = getgrnam(command->group);

    if (group == NULL)
        return "its group does not exist on this host";
    command->gid = group->gr_gid;
    return NULL;
}

static bool same_text(const char *a, const char *b)
{
    return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

/* Why its user cannot be used, or NULL. */
static const char *host_user(struct host *host, struct check_command *command)
{
    const struct check_command *last = host->last;

    host->last = command;
    if (last != NULL && same_text(last->user, command->user) && same_text(last->group, command->group)) {
        command->uid = last->uid;
        command->gid = last->gid;
    } else
        host->last_fault = host_user_look(command);
    return host->last_fault;
}

/* --- files --- */

static bool host_executable(const char *path)
{
    struct stat status;

    return stat(path, &status) == 0 && S_ISREG(status.st_mode) && (status.st_mode & 0111) != 0;
}

/* The file that arguments[0] means, by PATH when it has no slash; false when there is none. */
static bool host_find(const char *name, char path[static PATH_MAX])
{
    const char *start = HOST_PATH;
    char tried[PATH_MAX];

    if (strchr(name, '/') != NULL)
        return host_executable(name) && realpath(name, path) != NULL;
    while (*start != '\0') {
        size_t length = strcspn(start, ":");

        if (snprintf(tried, sizeof(tried), "%.*s/%s", (int)length, start, name) < (int)sizeof(tried) &&
            host_executable(tried) && realpath(tried, path) != NULL)
            return true;
        start += length + (start[length] == ':');
    }
    return false;
}

/* Whether somebody else than root could replace the file: any part of its path that others own or may write to. */
static bool host_insecure(const char *path)
{
    char part[PATH_MAX];
    size_t length = strlen(path);
    struct stat status;

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

/* --- commands --- */

static void host_refuse(struct host *host, struct check_command *command, enum check_permit permit, const char *what,
                        const char *why)
{
    char text[256], quote[REPORT_QUOTE_MAX];

    snprintf(text, sizeof(text), "%s %s cannot be run: %s", what, report_quote(command->arguments[0], quote), why);
    command->permit = (uint8_t)permit;
    command->refusal = arena_text(host->words->run->arena, text, strlen(text));
    COMPAT_WARN(host->words->run, command->place, "%s", text);
}

static void host_command(struct host *host, struct check_command *command, const char *what)
{
    char path[PATH_MAX];

    if (command->argument_count == 0)
        return;
    const char *why = host_user(host, command);

    if (why != NULL) {
        host_refuse(host, command, CHECK_NO_USER, what, why);
        return;
    }
    if (!host_find(command->arguments[0], path)) {
        host_refuse(host, command, CHECK_MISSING, what,
                    strpbrk(command->arguments[0], "<>|&;()$`*") != NULL
                        ? "it is text for a shell, and none is used; write \"sh -c '...'\""
                        : "there is no such program on this host");
        return;
    }
    /* Only what runs as root can be abused by whoever replaces it. */
    if (command->uid == 0 && host_insecure(path)) {
        if (host->security) {
            host_refuse(host, command, CHECK_INSECURE, what,
                        "others than root could replace it, which enable_script_security forbids");
            return;
        }
        COMPAT_WARN(host->words->run, command->place,
                    "%s %s runs as root and others than root could replace it; "
                    "enable_script_security would refuse it",
                    what, path);
    }
    command->permit = CHECK_RUNNABLE;
    command->path = arena_text(host->words->run->arena, path, strlen(path));
}

static void host_notify(struct host *host, struct check_notify *notify)
{
    host_command(host, &notify->active, "notify_master");
    host_command(host, &notify->backup, "notify_backup");
    host_command(host, &notify->fault, "notify_fault");
    host_command(host, &notify->stop, "notify_stop");
    host_command(host, &notify->any, "notify");
    host_command(host, &notify->rx_lower, "notify_master_rx_lower_pri");
}

/* --- interfaces --- */

static void host_interface(struct host *host, const char *name, struct place place, const char *what)
{
    if (name == NULL || host->words->model.global.dynamic_interfaces || same_text(name, host->last_interface))
        return;
    if (if_nametoindex(name) != 0) {
        host->last_interface = name;
        return;
    }
    COMPAT_WARN(host->words->run, place,
                "interface %s of %s does not exist on this host; it counts as down until it does", name, what);
}

static void host_trackers(struct host *host, const struct check_tracker *trackers, unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        if (trackers[i].kind == CHECK_TRACK_INTERFACE)
            host_interface(host, trackers[i].name, trackers[i].place, "track_interface");
}

static void host_instance(struct host *host, struct compat_instance *instance)
{
    host_interface(host, instance->interface, instance->place, instance->name);
    host_trackers(host, instance->trackers, instance->tracker_count);
    for (unsigned i = 0; i < instance->address_count; i++)
        if (instance->interface == NULL || strcmp(instance->addresses[i].device, instance->interface) != 0)
            host_interface(host, instance->addresses[i].device, instance->addresses[i].place, instance->name);
    host_notify(host, &instance->notify);
}

void compat_check_host(struct compat_words *words)
{
    struct compat_config *model = &words->model;
    struct host host = {.words = words, .security = model->global.script_security};

    host_command(&host, &model->global.startup, "startup_script");
    host_command(&host, &model->global.shutdown, "shutdown_script");
    host_command(&host, &model->global.fifo.script, "notify_fifo_script");
    host_command(&host, &model->global.vrrp_fifo.script, "vrrp_notify_fifo_script");
    for (unsigned i = 0; i < model->script_count; i++)
        host_command(&host, &model->scripts[i].command, "script");
    for (unsigned i = 0; i < model->instance_count; i++)
        host_instance(&host, &model->instances[i]);
    for (unsigned i = 0; i < model->group_count; i++) {
        host_trackers(&host, model->groups[i].trackers, model->groups[i].tracker_count);
        host_notify(&host, &model->groups[i].notify);
    }
}
