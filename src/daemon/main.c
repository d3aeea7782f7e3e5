/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * evenkeeld: options, the configuration's first reading, the lock, the background; then guard.c runs the daemon.
 * Nothing of the host is touched before the configuration was found good. Exit codes are those of sysexits.h.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "daemon/detach.h"
#include "daemon/dialect.h"
#include "daemon/guard.h"
#include "daemon/log.h"
#include "daemon/options.h"
#include "daemon/ready.h"
#include "daemon/rundir.h"
#include "platform/privilege.h"

#include "config.h"

#define LOCK_WAIT_MS 6000 /* a worker whose guard was killed may need so long to leave */

static int check_only(const struct options *options)
{
    struct config_request request = {.path = options->config_path, .config_id = options->config_id};
    struct config *config = daemon_dialect.read(request, config_print_finding, stderr);

    if (config == NULL)
        return EX_CONFIG;
    printf("%s: good, %u pools, %u instances, hash %016" PRIx64 "\n", request.path, config->core.pool_count,
           settings_instance_count(&config->core), config->hash);
    config_free(config);
    return 0;
}

/*
 * The path as it is found from any directory; NULL when memory ran out. A path that cannot be resolved stays as it
 * is.
 */
static char *absolute(const char *path)
{
    char *directory;
    char *result = NULL;

    if (path[0] == '/')
        return strdup(path);
    directory = getcwd(NULL, 0);
    if (directory == NULL)
        return strdup(path);
    if (asprintf(&result, "%s/%s", directory, path) < 0)
        result = NULL;
    free(directory);
    return result;
}

static int explain_lock(const char *run_dir, int error, pid_t holder)
{
    if (error != -EWOULDBLOCK) {
        fprintf(stderr, "evenkeeld: run directory %s: %s\n", run_dir, strerror(-error));
        return EX_CANTCREAT;
    }
    if (holder > 0)
        fprintf(stderr, "evenkeeld: another daemon (process %ld) runs with the run directory %s\n", (long)holder,
                run_dir);
    else
        fprintf(stderr, "evenkeeld: another daemon runs with the run directory %s\n", run_dir);
    return EX_TEMPFAIL;
}

/* For whoever asks for one at a place of their own (-p); the run directory's is rundir.h's. */
static void write_pid_file(const char *path)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0644);

    if (fd < 0 || dprintf(fd, "%ld\n", (long)getpid()) < 0)
        log_warning("%s: the process id could not be written: %s", path, strerror(errno));
    if (fd >= 0)
        close(fd);
}

struct background {
    int fd; /* -1: in the foreground */
    const struct options *options;
    enum log_target log_target;
};

/*
 * Once the daemon is up in the background, nothing of it may hold on to the descriptors of whoever started it: a
 * caller that waits for the end of our standard error would wait for ever. A log that found no syslog has nowhere to
 * go then.
 */
static void let_go(void *context)
{
    struct background *background = context;

    if (background->fd < 0)
        return;
    close(background->fd);
    background->fd = -1;
    if (background->log_target == LOG_TARGET_STDERR)
        log_close();
    detach_silence();
    if (background->log_target == LOG_TARGET_STDERR)
        log_open(background->options->log_level, background->options->log_format, false);
}

static void daemon_up(void *context)
{
    struct background *background = context;

    if (background->fd >= 0 && background->log_target == LOG_TARGET_STDERR)
        log_warning("there is no syslog: nothing is logged from here on (-n logs to standard error)");
    if (background->fd >= 0)
        detach_up(background->fd);
    let_go(background);
}

/* With the configuration read and the lock taken: into the background if asked for, and on. */
static int run(const struct options *options, const struct config_request *request, struct config *config,
               struct rundir *rundir)
{
    struct background background = {.fd = -1, .options = options};
    struct ready ready = ready_open();
    struct guard_start start = {
        .dialect = &daemon_dialect,
        .request = *request,
        .config = config,
        .rundir = rundir,
        .ready = &ready,
        .up = daemon_up,
        .worker_up = let_go,
        .context = &background,
    };

    if (!options->foreground) {
        background.fd = detach_begin();
        if (background.fd < 0) {
            fprintf(stderr, "evenkeeld: going into the background: %s\n", strerror(-background.fd));
            config_free(config);
            return EX_OSERR;
        }
    }
    background.log_target = log_open(options->log_level, options->log_format, options->foreground);
    int error = rundir_write_pid(rundir);

    if (error < 0)
        log_warning("%s: the process id could not be written: %s", RUNDIR_PID_FILE, strerror(-error));
    if (options->pid_file != NULL)
        write_pid_file(options->pid_file);
    int code = guard_run(&start);

    if (options->pid_file != NULL)
        unlink(options->pid_file);
    ready_close(&ready);
    log_close();
    return code;
}

static int lock_and_run(const struct options *options, const struct config_request *request, const char *run_dir,
                        struct config *config)
{
    char missing[PRIVILEGE_TEXT_MAX];
    struct rundir *rundir = NULL;
    pid_t holder = 0;

    if (privilege_missing(false, missing) > 0) {
        fprintf(stderr, "evenkeeld: this process does not have %s, which it needs\n", missing);
        config_free(config);
        return EX_NOPERM;
    }
    int error = rundir_open(run_dir, LOCK_WAIT_MS, &rundir, &holder);

    if (error < 0) {
        config_free(config);
        return explain_lock(run_dir, error, holder);
    }
    int code = run(options, request, config, rundir);

    rundir_close(rundir);
    return code;
}

static int start(struct options *options)
{
    char *path = absolute(options->config_path);
    char *run_dir = absolute(options->run_dir);
    char *pid_file = options->pid_file != NULL ? absolute(options->pid_file) : NULL;
    int code = EX_CONFIG;

    options->pid_file = pid_file;
    struct config_request request = {.path = path, .config_id = options->config_id};
    struct config *config =
        path != NULL && run_dir != NULL ? daemon_dialect.read(request, config_print_finding, stderr) : NULL;

    if (config != NULL)
        code = lock_and_run(options, &request, run_dir, config);
    free(pid_file);
    free(run_dir);
    free(path);
    return code;
}

static void print_told(const struct options *options)
{
    char text[64];

    for (unsigned i = 0; i < options->told_count; i++)
        fprintf(stderr, "evenkeeld: %s has no effect: %s\n", options_other_text(options->told[i], text),
                options->told[i]->why);
}

int main(int argc, char *argv[])
{
    struct options options;
    char error[OPTIONS_ERROR_MAX];

    /* One arena: the second thread and the guard's few allocations are not worth 64 MiB of address space and its
     * pages. */
    mallopt(M_ARENA_MAX, 1);
    if (!options_parse(argc, argv, EVENKEEL_CONF, EVENKEEL_RUN_DIR, daemon_dialect.options, &options, error)) {
        fprintf(stderr, "evenkeeld: %s (see evenkeeld --help)\n", error);
        return EX_USAGE;
    }
    switch (options.action) {
    case OPTIONS_HELP:
        fputs(options_help(), stdout);
        return 0;
    case OPTIONS_VERSION:
        puts("evenkeeld " PACKAGE_VERSION);
        return 0;
    case OPTIONS_CHECK:
        return check_only(&options);
    case OPTIONS_RUN:
        break;
    }
    print_told(&options);
    return start(&options);
}
