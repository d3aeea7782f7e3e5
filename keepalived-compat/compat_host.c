/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The file against this host: do its interfaces, users and scripts exist, and may the scripts run? Findings are
 * warnings; what may not run is marked so and counts as failed. Called at the end of a load with COMPAT_CHECK_HOST.
 */
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "compat_words.h"
#include "config/permit.h"

struct host {
    struct compat_words *words;
    bool security;
    /* The command before, whose user most have too: looking one up costs more than all the rest. */
    const struct check_command *last;
    bool last_known;
    const char *last_interface; /* the last one that exists */
    /* The source before, which most have too, and its interface; FAMILY_NONE: there was none. */
    struct addr source;
    const char *source_interface;
};

/* --- commands --- */

static bool same_text(const char *a, const char *b)
{
    return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

/* False when its user cannot be used. */
static bool host_user(struct host *host, struct check_command *command)
{
    const struct check_command *last = host->last;

    host->last = command;
    if (last != NULL && same_text(last->user, command->user) && same_text(last->group, command->group)) {
        command->uid = last->uid;
        command->gid = last->gid;
    } else
        host->last_known = permit_find_user(command, &command->uid, &command->gid);
    return host->last_known;
}

static void host_refuse(struct host *host, struct check_command *command, enum check_permit verdict, const char *what)
{
    char text[256], user[80] = "", quote[REPORT_QUOTE_MAX];

    if (verdict == CHECK_NO_USER)
        snprintf(user, sizeof(user), " (%.32s%s%.32s)", command->user != NULL ? command->user : "",
                 command->group != NULL ? ", " : "", command->group != NULL ? command->group : "");
    snprintf(text, sizeof(text), "%s %s cannot be run: %s%s", what, report_quote(command->arguments[0], quote),
             permit_refusal(command, verdict), user);
    command->permit = (uint8_t)verdict;
    command->refusal = arena_text(host->words->run->arena, text, strlen(text));
    COMPAT_WARN(host->words->run, command->place, "%s", text);
}

/* A script without its first line: the kernel refuses it, and a shell would have run it. */
static bool host_lacks_interpreter(const char *path)
{
    char start[4] = "";
    FILE *in = fopen(path, "re");

    if (in == NULL)
        return false; /* who runs it may be able to */
    size_t length = fread(start, 1, sizeof(start), in);

    fclose(in);
    return length < 2 || (memcmp(start, "#!", 2) != 0 && memcmp(start, "\177ELF", sizeof(start)) != 0);
}

static void host_command(struct host *host, struct check_command *command, const char *what)
{
    struct permit permit = {.verdict = CHECK_NO_USER};

    if (command->argument_count == 0)
        return;
    if (host_user(host, command))
        permit_judge(command, command->uid, command->gid, host->security, &permit);
    if (permit.verdict != CHECK_RUNNABLE) {
        host_refuse(host, command, (enum check_permit)permit.verdict, what);
        return;
    }
    if (permit.replaceable)
        COMPAT_WARN(host->words->run, command->place,
                    "%s %s runs as root and others than root could replace it; "
                    "enable_script_security would refuse it",
                    what, permit.path);
    if (host_lacks_interpreter(permit.path))
        COMPAT_WARN(host->words->run, command->place,
                    "%s %s does not begin with #! and an interpreter; it will fail, unless the kernel knows its format",
                    what, permit.path);
    command->permit = CHECK_RUNNABLE;
    command->path = arena_text(host->words->run->arena, permit.path, strlen(permit.path));
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
    report_kind(host->words->run->report, place, name,
                "interface %s of %s does not exist on this host; it counts as down until it does", name, what);
}

static void host_trackers(struct host *host, const struct check_tracker *trackers, unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        if (trackers[i].kind == CHECK_TRACK_INTERFACE)
            host_interface(host, trackers[i].name, trackers[i].place, "track_interface");
}

static struct addr address_of(const struct sockaddr *socket)
{
    const struct sockaddr_in *ipv4 = (const void *)socket;
    const struct sockaddr_in6 *ipv6 = (const void *)socket;

    if (socket != NULL && socket->sa_family == AF_INET)
        return addr_from_bytes(FAMILY_IPV4, (const uint8_t *)&ipv4->sin_addr);
    if (socket != NULL && socket->sa_family == AF_INET6)
        return addr_from_bytes(FAMILY_IPV6, ipv6->sin6_addr.s6_addr);
    return ADDR_NONE;
}

/* Addresses that name no interface were given the default one, for want of the instance's. */
static void follow_interface(const struct host *host, const struct compat_instance *instance,
                             struct net_address *addresses, unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        if (addresses[i].device == host->words->model.global.default_interface)
            addresses[i].device = instance->interface;
}

/* The interface that has the address; NULL: none has. */
static const char *interface_with(const struct host *host, const struct addr *wanted)
{
    const char *found = NULL;
    struct ifaddrs *list;

    if (getifaddrs(&list) != 0)
        return NULL;
    for (const struct ifaddrs *at = list; at != NULL && found == NULL; at = at->ifa_next) {
        struct addr address = address_of(at->ifa_addr);

        /* An address with a label has that for its interface's name here: eth0:1. */
        if (addr_equal(&address, wanted))
            found = arena_text(host->words->run->arena, at->ifa_name, strcspn(at->ifa_name, ":"));
    }
    freeifaddrs(list);
    return found;
}

/*
 * Unicast needs its source address on this host: a file that was copied from another one has the other's. Such an
 * instance may leave its interface out; then it is the one that has that address.
 */
static void host_source(struct host *host, struct compat_instance *instance)
{
    char text[ADDR_TEXT_MAX];

    if (!instance->unicast || addr_is_none(&instance->source))
        return;
    if (!addr_equal(&host->source, &instance->source)) {
        host->source = instance->source;
        host->source_interface = interface_with(host, &instance->source);
    }
    if (host->source_interface == NULL && host->words->model.global.dynamic_interfaces)
        return;
    if (host->source_interface == NULL) {
        COMPAT_WARN(host->words->run, instance->place,
                    "unicast_src_ip %s of %s is not on this host; the instance is in Fault until it is",
                    addr_format(&instance->source, text), instance->name);
        return;
    }
    if (instance->interface != NULL)
        return;
    instance->interface = host->source_interface;
    follow_interface(host, instance, instance->addresses, instance->address_count);
    follow_interface(host, instance, instance->excluded, instance->excluded_count);
}

static void host_instance(struct host *host, struct compat_instance *instance)
{
    host_source(host, instance);
    host_interface(host, instance->interface, instance->place, instance->name);
    host_trackers(host, instance->trackers, instance->tracker_count);
    for (unsigned i = 0; i < instance->address_count; i++)
        if (instance->interface == NULL || strcmp(instance->addresses[i].device, instance->interface) != 0)
            host_interface(host, instance->addresses[i].device, instance->addresses[i].place, instance->name);
    host_notify(host, &instance->notify);
}

void compat_check_host_command(struct compat_words *words, struct check_command *command, const char *what)
{
    struct host host = {.words = words, .security = words->model.global.script_security};

    host_command(&host, command, what);
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
