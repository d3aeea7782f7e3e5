/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One run of a command under its keeper: what comes of it, what it is given, and that nothing of it is left. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/check.h"
#include "platform/script.h"

#define PATIENCE_MS 20000

static char directory[] = "/tmp/evenkeel-script-XXXXXX";

static int set_up(void **state)
{
    (void)state;
    return mkdtemp(directory) != NULL ? chmod(directory, 0777) : -1;
}

static int tear_down(void **state)
{
    char command[64];

    (void)state;
    snprintf(command, sizeof(command), "rm -r %s", directory);
    return system(command);
}

static char *in_directory(const char *name, char path[static 64])
{
    snprintf(path, 64, "%s/%s", directory, name);
    return path;
}

/* Runs it to its end. */
static struct script_result finish(struct script *script)
{
    struct script_result result = {.outcome = SCRIPT_OUTCOME_COUNT}, last;
    int got;

    for (;;) {
        struct pollfd fd = {.fd = script->fd, .events = POLLIN};

        assert_int_equal(poll(&fd, 1, PATIENCE_MS), 1);
        got = script_read(script, &last);
        if (result.outcome == SCRIPT_OUTCOME_COUNT && got >= 0)
            result = last;
        if (got == 0)
            break;
    }
    while (!script_reap(script))
        usleep(1000);
    return result;
}

static struct script begin(const char *shell, const struct script_start *how)
{
    static char sh[] = "/bin/sh", c[] = "-c";
    char *arguments[] = {sh, c, (char *)(uintptr_t)shell, NULL};
    struct check_command command = {.argument_count = 3, .arguments = arguments, .user = how->command->user};
    struct script_start start = *how;
    struct script script;

    start.command = &command;
    start.arguments = arguments;
    assert_int_equal(script_start(&start, &script), 0);
    return script;
}

static struct script_result run(const char *shell, int64_t timeout_us)
{
    const struct check_command self = {.user = geteuid() == 0 ? "root" : NULL};
    struct script script = begin(shell, &(struct script_start){.command = &self, .timeout_us = timeout_us});

    return finish(&script);
}

static struct script_result run_file(char *name, const char *user, bool security)
{
    char *arguments[] = {name, NULL};
    struct check_command command = {.argument_count = 1, .arguments = arguments, .user = user};
    struct script_start start = {.command = &command, .arguments = arguments, .security = security};
    struct script script;

    assert_int_equal(script_start(&start, &script), 0);
    return finish(&script);
}

static void assert_result(struct script_result result, enum script_outcome outcome, int value)
{
    assert_int_equal(result.outcome, outcome);
    assert_int_equal(result.value, value);
}

static void write_file(const char *path, const char *text, mode_t mode)
{
    FILE *file = fopen(path, "we");

    assert_non_null(file);
    fputs(text, file);
    fclose(file);
    assert_int_equal(chmod(path, mode), 0);
}

static bool read_number(const char *path, long *number)
{
    FILE *file = fopen(path, "re");
    bool good = file != NULL && fscanf(file, "%ld", number) == 1;

    if (file != NULL)
        fclose(file);
    return good;
}

/* Not gone, and no zombie that nobody reaps. */
static bool is_alive(long pid)
{
    char path[64];
    char what = 'Z';

    snprintf(path, sizeof(path), "/proc/%ld/stat", pid);
    FILE *file = fopen(path, "re");

    if (file != NULL && fscanf(file, "%*d (%*[^)]) %c", &what) != 1)
        what = 'Z';
    if (file != NULL)
        fclose(file);
    return what != 'Z';
}

static void await_end(long pid, unsigned patience_ms)
{
    for (unsigned i = 0; i < patience_ms && is_alive(pid); i++)
        usleep(1000);
}

static void test_script__exit_codes_and_signals__are_told(void **state)
{
    (void)state;
    assert_result(run("exit 0", 0), SCRIPT_EXITED, 0);
    assert_result(run("exit 37", 0), SCRIPT_EXITED, 37);
    assert_result(run("kill -9 $$", 0), SCRIPT_SIGNALLED, SIGKILL);
}

static void test_script__over_its_time__is_told_at_once_and_its_whole_group_ends(void **state)
{
    char path[64], shell[160];
    long child = 0;

    (void)state;
    snprintf(shell, sizeof(shell), "trap '' TERM; sleep 100 & echo $! >%s; sleep 100; sleep 100",
             in_directory("grandchild", path));
    assert_result(run(shell, 300000), SCRIPT_TIMED_OUT, 0);
    assert_true(read_number(path, &child));
    await_end(child, PATIENCE_MS);
    assert_false(is_alive(child));
}

static void test_script__asked_to_end__ends(void **state)
{
    const struct check_command self = {.user = geteuid() == 0 ? "root" : NULL};
    struct script script = begin("sleep 100", &(struct script_start){.command = &self});

    (void)state;
    script_end(&script);
    assert_result(finish(&script), SCRIPT_ENDED, 0);
}

static void test_script__cannot_be_run__says_why(void **state)
{
    char path[64], missing[] = "/nonexistent/program", text[SCRIPT_TEXT_MAX];
    struct script_result result;

    (void)state;
    assert_result(run_file(missing, "root", false), SCRIPT_REFUSED, CHECK_MISSING);
    assert_result(run_file(missing, "nobody-of-this-name", false), SCRIPT_REFUSED, CHECK_NO_USER);
    if (geteuid() != 0)
        return;
    write_file(in_directory("no-interpreter", path), "echo\n", 0755);
    result = run_file(path, "root", false);
    assert_result(result, SCRIPT_FAILED, ENOEXEC);
    script_result_text(&result, text);
    assert_non_null(strstr(text, "#!"));
    write_file(in_directory("plain", path), "#!/bin/sh\n", 0644);
    assert_result(run_file(path, "root", false), SCRIPT_REFUSED, CHECK_NO_PROGRAM);
}

static void test_script__replaceable_by_others__is_refused_when_asked_for(void **state)
{
    char path[64], link[] = "/bin/true";

    (void)state;
    if (geteuid() != 0)
        skip();
    write_file(in_directory("mine", path), "#!/bin/sh\nexit 0\n", 0755);
    assert_result(run_file(path, "root", false), SCRIPT_EXITED, 0);
    assert_result(run_file(path, "root", true), SCRIPT_REFUSED, CHECK_INSECURE); /* its folder is 0777 */
    assert_result(run_file(path, "nobody", true), SCRIPT_EXITED, 0);
    assert_result(run_file(link, "root", true), SCRIPT_EXITED, 0);
    /* What is replaced after it was looked at once: each start looks again. */
    assert_int_equal(chmod(path, 0644), 0);
    assert_result(run_file(path, "root", false), SCRIPT_REFUSED, CHECK_NO_PROGRAM);
}

/* Runs as nobody what writes into a file, and gives back what it wrote. */
static char *seen_by(const char *user, const char *shell)
{
    const struct check_command command = {.user = user};
    static char text[4096];
    char path[64], all[512];

    in_directory("seen", path);
    unlink(path);
    snprintf(all, sizeof(all), "exec >%s 2>&1; %s", path, shell);
    struct script script = begin(all, &(struct script_start){.command = &command, .timeout_us = 10000000});

    assert_result(finish(&script), SCRIPT_EXITED, 0);
    FILE *file = fopen(path, "re");

    assert_non_null(file);
    text[fread(text, 1, sizeof(text) - 1, file)] = '\0';
    fclose(file);
    return text;
}

static void test_script__child__has_its_user_and_nothing_of_ours(void **state)
{
    const struct sched_param high = {.sched_priority = 5}, none = {.sched_priority = 0};
    const gid_t group = 4711;            /* somebody else's */
    int open_here = open("/", O_RDONLY); /* without O_CLOEXEC */
    const char *seen;
    sigset_t all, old;

    (void)state;
    if (geteuid() != 0)
        skip();
    sigfillset(&all);
    assert_int_equal(setgroups(1, &group), 0);
    sigprocmask(SIG_BLOCK, &all, &old);
    signal(SIGPIPE, SIG_IGN);
    sched_setscheduler(0, SCHED_RR | SCHED_RESET_ON_FORK, &high);
    setpriority(PRIO_PROCESS, 0, -5);
    umask(077);
    setenv("EVENKEEL_SECRET", "x", 1);
    seen = seen_by("nobody", "id -u; id -g; id -G; pwd; umask; grep -E '^(Cap|NoNew|Sig(Blk|Ign))' /proc/self/status; "
                             "cut -d' ' -f19,40,41 /proc/$$/stat; cat /proc/$$/oom_score_adj; ls /proc/$$/fd; env");
    sched_setscheduler(0, SCHED_OTHER, &none);
    setpriority(PRIO_PROCESS, 0, 0);
    sigprocmask(SIG_SETMASK, &old, NULL);
    assert_int_equal(setgroups(0, NULL), 0);
    signal(SIGPIPE, SIG_DFL);
    umask(022);
    close(open_here);
    assert_string_equal(strtok((char *)(uintptr_t)seen, "\n"), "65534");
    assert_string_equal(strtok(NULL, "\n"), "65534");
    assert_string_equal(strtok(NULL, "\n"), "65534");
    assert_string_equal(strtok(NULL, "\n"), "/");
    assert_string_equal(strtok(NULL, "\n"), "0022");
    assert_string_equal(strtok(NULL, "\n"), "SigBlk:\t0000000000000000");
    /* 32 and 33 are the C library's own; it changes neither, and who started us may have ignored all. */
    assert_int_equal(strtoull(strtok(NULL, "\n") + strlen("SigIgn:\t"), NULL, 16) & ~UINT64_C(0x180000000), 0);
    assert_string_equal(strtok(NULL, "\n"), "CapInh:\t0000000000000000");
    assert_string_equal(strtok(NULL, "\n"), "CapPrm:\t0000000000000000");
    assert_string_equal(strtok(NULL, "\n"), "CapEff:\t0000000000000000");
    assert_non_null(strtok(NULL, "\n")); /* the bounding set is the daemon's own */
    assert_string_equal(strtok(NULL, "\n"), "CapAmb:\t0000000000000000");
    assert_non_null(strstr(strtok(NULL, "\n"), "NoNewPrivs:\t"));
    assert_string_equal(strtok(NULL, "\n"), "0 0 0"); /* nice, real-time priority, policy */
    assert_string_equal(strtok(NULL, "\n"), "0");
    assert_string_equal(strtok(NULL, "\n"), "0");
    assert_string_equal(strtok(NULL, "\n"), "1");
    assert_string_equal(strtok(NULL, "\n"), "2");
    bool path = false, secret = false;

    for (const char *line = strtok(NULL, "\n"); line != NULL; line = strtok(NULL, "\n")) {
        path = path || strncmp(line, "PATH=/usr/local/sbin:", 21) == 0;
        secret = secret || strstr(line, "EVENKEEL_SECRET") != NULL;
        assert_true(strchr(line, '=') != NULL); /* no fourth descriptor */
    }
    assert_true(path);
    assert_false(secret);
}

/* Starts a sleep in a child of ours that is then killed, and says whether the sleep outlived it for a while. One that
 * follows ends long before its time limit. */
static bool outlives(bool follows)
{
    const struct check_command self = {.user = geteuid() == 0 ? "root" : NULL};
    char path[64], shell[320];
    long inner = 0;

    unlink(in_directory("inner", path));
    snprintf(shell, sizeof(shell), "echo $$ >%s.new; mv %s.new %s; sleep 100; exit", path, path, path);
    pid_t daemon = fork();

    if (daemon == 0) {
        begin(shell, &(struct script_start){
                         .command = &self, .follows = follows, .timeout_us = follows ? 100000000 : 4000000});
        pause();
    }
    for (int i = 0; i < PATIENCE_MS && !read_number(path, &inner); i++)
        usleep(1000);
    assert_true(inner > 0);
    kill(daemon, SIGKILL);
    assert_int_equal(waitpid(daemon, NULL, 0), daemon);
    await_end(inner, follows ? PATIENCE_MS : 500);
    bool alive = is_alive(inner);

    await_end(inner, PATIENCE_MS);
    assert_false(is_alive(inner)); /* its time limit holds without us, too */
    return alive;
}

static void test_script__daemon_killed__checks_end_and_others_come_to_their_end(void **state)
{
    (void)state;
    assert_false(outlives(true));
    assert_true(outlives(false));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_script__exit_codes_and_signals__are_told),
        cmocka_unit_test(test_script__over_its_time__is_told_at_once_and_its_whole_group_ends),
        cmocka_unit_test(test_script__asked_to_end__ends),
        cmocka_unit_test(test_script__cannot_be_run__says_why),
        cmocka_unit_test(test_script__replaceable_by_others__is_refused_when_asked_for),
        cmocka_unit_test(test_script__child__has_its_user_and_nothing_of_ours),
        cmocka_unit_test(test_script__daemon_killed__checks_end_and_others_come_to_their_end),
    };

    return cmocka_run_group_tests_name("script", tests, set_up, tear_down);
}
