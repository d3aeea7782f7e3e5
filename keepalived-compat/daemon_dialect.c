/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * keepalived's language for the daemon: how a file that may hold it is read. The daemon's own sources know this table
 * only (daemon/dialect.h).
 */
#include "daemon/dialect.h"

#include <getopt.h>
#include <string.h>
#include <unistd.h>

#include "compat.h"
#include "dump.h"

static struct config *dialect_read(struct config_request request, config_report *report, void *context)
{
    /* A text was printed from a file that was held against this host already. That asks for users and files, which may
     * take long, and is nothing for the worker's loop, which reads it at a reload. */
    if (request.text == NULL)
        request.flags |= COMPAT_CHECK_HOST;
    return compat_read(request, report, context);
}

static void dialect_dump(enum daemon_dump dump, const struct daemon_view *view, FILE *out)
{
    switch (dump) {
    case DAEMON_DUMP_DATA:
        dump_data(view, out);
        return;
    case DAEMON_DUMP_STATS:
        dump_stats(view, out);
        return;
    case DAEMON_DUMP_JSON:
        dump_json(view, out);
        return;
    case DAEMON_DUMP_COUNT:
        return;
    }
}

/* The config id, as data_use_instance wants it in the name; its own text must not lead elsewhere. */
static void name_with_id(const char *config_id, const char *kind, char *file, size_t size)
{
    char host[256] = "";

    if (config_id == NULL) {
        gethostname(host, sizeof(host) - 1);
        host[strcspn(host, ".")] = '\0';
        config_id = host;
    }
    int length = snprintf(file, size, "keepalived_%s.%s", config_id, kind);

    for (int i = 0; i < length && (size_t)i < size; i++)
        if (file[i] == '/')
            file[i] = '_';
}

static void dialect_dump_file(enum daemon_dump dump, const struct config *config, const char *config_id, char *file,
                              size_t size)
{
    const struct compat_global *global = &compat_model(config)->global;
    const char *kind = daemon_dump_name(dump);

    if (dump == DAEMON_DUMP_DATA && global->state_dump_file != NULL)
        snprintf(file, size, "%s", global->state_dump_file);
    else if (global->data_use_instance)
        name_with_id(config_id, kind, file, size);
    else
        snprintf(file, size, "keepalived.%s", kind);
}

#define ONE_PROCESS "there is one process id, that of -p"
#define NO_CORE "the service manager says what becomes of a core dump"

/* As unit files, /etc/default/keepalived and container images have them. */
static const struct options_other dialect_options[] = {
    {"use-file", 0, 'f', required_argument, false, NULL},
    {"dont-fork", 0, 'n', no_argument, false, NULL},
    {"config-test", 0, 't', no_argument, false, NULL},
    {"vrrp", 'P', 0, no_argument, false, NULL},
    {"no_bfd", 'B', 0, no_argument, false, NULL},
    {"all", 0, 0, no_argument, false, NULL},
    {"log-console", 'l', 0, no_argument, false, NULL},
    {"log-detail", 'D', 0, no_argument, false, NULL},
    {"release-vips", 'X', 0, no_argument, false, NULL},
    {"dont-release-ipvs", 'I', 0, no_argument, false, NULL},
    {"log-facility", 'S', 0, required_argument, false, "the facility is daemon"},
    {"no-syslog", 'G', 0, no_argument, false, "with -n there is no syslog, without it there is nothing else"},
    {"log-file", 'g', 0, optional_argument, false, "messages go to standard error (-n) or syslog"},
    {"flush-log-file", 0, 0, no_argument, false, "messages go to standard error (-n) or syslog"},
    {"dump-conf", 'd', 0, no_argument, false, "keelctl check --print shows the effective values"},
    {"dont-release-vrrp", 'V', 0, no_argument, false, "the addresses are given up at the end, in any case"},
    {"dont-respawn", 'R', 0, no_argument, false, "the guard starts its worker again"},
    {"umask", 'u', 0, required_argument, false, "each file has the mode that it needs"},
    {"address-monitoring", 'a', 0, no_argument, false, "--log-level debug tells more"},
    {"vrrp_pid", 'r', 0, required_argument, false, ONE_PROCESS},
    {"checkers_pid", 'c', 0, required_argument, false, ONE_PROCESS},
    {"bfd_pid", 'b', 0, required_argument, false, ONE_PROCESS},
    {"snmp", 'x', 0, no_argument, false, "evenkeel-snmp serves the objects"},
    {"snmp-agent-socket", 'A', 0, required_argument, false, "evenkeel-snmp serves the objects"},
    {"core-dump", 'm', 0, no_argument, false, NO_CORE},
    {"core-dump-pattern", 'M', 0, optional_argument, false, NO_CORE},
    {"no-mem-check", 0, 0, no_argument, false, NULL},
    {"all-config", 'e', 0, no_argument, false, "an include that is not there is a warning; see include_check"},
    {"check", 'C', 0, no_argument, true,
     "there are no checkers of real servers here, keepalived must go on running them"},
    {"namespace", 's', 0, required_argument, true, "start it in that network namespace: ip netns exec NAME evenkeeld"},
    {"genhash", 'T', 0, no_argument, true, "there are no checkers of real servers here"},
    {"signum", 0, 0, required_argument, true,
     "SIGHUP reloads, SIGTERM stops, SIGUSR1 writes data, SIGUSR2 stats, SIGRTMIN+2 JSON"},
    {0},
};

const struct daemon_dialect daemon_dialect = {
    .read = dialect_read, .dump = dialect_dump, .dump_file = dialect_dump_file, .options = dialect_options};
