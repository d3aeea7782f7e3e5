/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The guard towards its worker, a hostile one too: what is run for an order, and what for none; init files; hooks;
 * FIFOs over reloads. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/guard_fifo.h"
#include "daemon/guard_files.h"
#include "daemon/guard_script.h"
#include "daemon/log.h"
#include "daemon/orders.h"
#include "platform/clock.h"
#include "platform/script.h"

#define PATIENCE 20000

static char folder[] = "/tmp/evenkeel-guard-XXXXXX";
static char sh[] = "/bin/sh", minus_c[] = "-c";
static char shell_text[3][160];
static char *arguments[3][4];
static struct check_command commands[3];
static struct check_script scripts[1];
static struct config_instances instances;
static struct config config;
static struct guard_script *guard;
static struct orders worker;

static char *in_folder(const char *name)
{
    static char path[4][64];
    static unsigned next;
    char *out = path[next++ % 4];

    snprintf(out, sizeof(path[0]), "%s/%s", folder, name);
    return out;
}

/* Command `index` appends a line to a file. */
static void make_command(unsigned index, const char *what)
{
    snprintf(shell_text[index], sizeof(shell_text[0]), "echo %s \"$@\" >>%s/ran", what, folder);
    arguments[index][0] = sh;
    arguments[index][1] = minus_c;
    arguments[index][2] = shell_text[index];
    commands[index] = (struct check_command){.argument_count = 3, .arguments = arguments[index], .user = "root"};
}

static int set_up(void **state)
{
    (void)state;
    strcpy(folder, "/tmp/evenkeel-guard-XXXXXX");
    if (mkdtemp(folder) == NULL)
        return -1;
    make_command(0, "check");
    make_command(1, "startup");
    make_command(2, "shutdown");
    scripts[0] = (struct check_script){
        .name = "s", .command = commands[0], .interval_us = US_PER_S, .timeout_us = 10 * US_PER_S};
    instances = (struct config_instances){.script_count = 1, .scripts = scripts};
    config = (struct config){.instances = &instances};
    return 0;
}

static int tear_down(void **state)
{
    char command[64];

    (void)state;
    guard_script_close(guard);
    guard = NULL;
    orders_close(&worker);
    snprintf(command, sizeof(command), "rm -r %s", folder);
    return system(command);
}

static void connect_worker(void)
{
    int end;

    assert_int_equal(guard_script_connect(guard, &end), 0);
    assert_int_equal(orders_open(&worker, end, guard_script_connection(guard)), 0);
}

/* A turn, and a moment for what runs. */
static void turn(void)
{
    struct pollfd fds[GUARD_SCRIPT_FDS_MAX];

    guard_script_turn(guard, clock_now());
    poll(fds, guard_script_poll(guard, fds, GUARD_SCRIPT_FDS_MAX), 1);
}

static char *ran(void)
{
    static char text[512];
    FILE *file = fopen(in_folder("ran"), "re");
    size_t length = file != NULL ? fread(text, 1, sizeof(text) - 1, file) : 0;

    text[length] = '\0';
    if (file != NULL)
        fclose(file);
    return text;
}

static struct order next_result(void)
{
    struct order batch[ORDERS_BATCH];
    uint64_t refused = 0;

    for (unsigned i = 0; i < PATIENCE; i++) {
        turn();
        if (orders_receive(&worker, batch, &refused) == 1)
            return batch[0];
    }
    fail_msg("no result");
    return batch[0];
}

static void test_guard__check_that_the_file_names__is_run_and_answered(void **state)
{
    (void)state;
    assert_int_equal(guard_script_open(&config, &guard), 0);
    connect_worker();
    orders_add(&worker, &(struct order){.kind = ORDER_CHECK, .index = 0, .run = 7});
    orders_flush(&worker);
    struct order result = next_result();

    assert_int_equal(result.kind, ORDER_RESULT);
    assert_int_equal(result.run, 7);
    assert_int_equal(result.outcome, SCRIPT_EXITED);
    assert_int_equal(result.value, 0);
    assert_string_equal(ran(), "check\n");
}

static void test_guard__hostile_worker__gets_nothing_run_but_that(void **state)
{
    const struct order hostile[] = {
        {.kind = ORDER_CHECK, .index = 1, .run = 1},
        {.kind = ORDER_CHECK, .index = UINT16_MAX, .run = 1},
        {.kind = ORDER_STATE, .subject = ORDER_INSTANCE, .pool = 200, .index = 200, .state = 200},
        {.kind = ORDER_STATE, .subject = ORDER_GROUP, .index = UINT16_MAX},
        {.kind = ORDER_STATE, .subject = 200, .pool = UINT16_MAX},
        {.kind = ORDER_WEAKER, .subject = ORDER_UNIT},
        {.kind = ORDER_RESULT, .index = 0},
        {.kind = 99},
    };
    const uint32_t stale = 0x12345678;
    uint8_t noise[1000];

    (void)state;
    assert_int_equal(guard_script_open(&config, &guard), 0);
    connect_worker();
    for (size_t i = 0; i < sizeof(hostile) / sizeof(hostile[0]); i++)
        orders_add(&worker, &hostile[i]);
    orders_flush(&worker);
    worker.connection = stale;
    orders_add(&worker, &(struct order){.kind = ORDER_CHECK, .index = 0});
    orders_flush(&worker);
    memset(noise, 0xff, sizeof(noise));
    assert_true(send(worker.fd, noise, sizeof(noise), 0) > 0);
    assert_true(send(worker.fd, noise, 1, 0) > 0);
    for (unsigned i = 0; i < 200; i++)
        turn();
    assert_string_equal(ran(), "");
    worker.connection = guard_script_connection(guard); /* and it goes on for one that behaves */
    orders_add(&worker, &(struct order){.kind = ORDER_CHECK, .index = 0, .run = 9});
    orders_flush(&worker);
    assert_int_equal(next_result().run, 9);
}

static void test_guard__startup_and_shutdown__run_once_each_around_the_worker(void **state)
{
    sigset_t children;

    (void)state;
    instances.startup = (struct config_hook){.command = &commands[1], .timeout_us = 10 * US_PER_S};
    instances.shutdown = (struct config_hook){.command = &commands[2], .timeout_us = 10 * US_PER_S};
    assert_int_equal(guard_script_open(&config, &guard), 0);
    assert_false(guard_script_is_ready(guard));
    for (unsigned i = 0; i < PATIENCE && !guard_script_is_ready(guard); i++)
        turn();
    assert_true(guard_script_is_ready(guard));
    assert_string_equal(ran(), "startup\n");
    sigemptyset(&children);
    sigaddset(&children, SIGCHLD);
    sigprocmask(SIG_BLOCK, &children, NULL);
    int signals = signalfd(-1, &children, SFD_NONBLOCK | SFD_CLOEXEC);

    guard_script_finish(guard, signals);
    close(signals);
    assert_string_equal(ran(), "startup\nshutdown\n");
}

static void write_file(const char *path, const char *text)
{
    FILE *file = fopen(path, "we");

    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

static void expect_file(const char *path, const char *expected)
{
    char text[64] = "";
    FILE *file = fopen(path, "re");

    assert_non_null(file);
    text[fread(text, 1, sizeof(text) - 1, file)] = '\0';
    fclose(file);
    assert_string_equal(text, expected);
}

static void test_guard__init_file__is_written_and_nothing_else_is_touched(void **state)
{
    struct check_file file = {.name = "f", .path = in_folder("number"), .create = true, .init_value = -5};

    (void)state;
    instances.files = &file;
    instances.file_count = 1;
    guard_files_init(&instances, true);
    expect_file(file.path, "-5\n");
    write_file(file.path, "7\n");
    guard_files_init(&instances, true);
    expect_file(file.path, "7\n");
    file.overwrite = true;
    guard_files_init(&instances, false); /* only at the start */
    expect_file(file.path, "7\n");
    guard_files_init(&instances, true);
    expect_file(file.path, "-5\n");

    char *other = in_folder("other");

    write_file(other, "mine\n");
    unlink(file.path);
    assert_int_equal(symlink(other, file.path), 0);
    guard_files_init(&instances, true);
    expect_file(other, "mine\n");
    unlink(file.path);
    assert_int_equal(link(other, file.path), 0);
    guard_files_init(&instances, true);
    expect_file(other, "mine\n");
}

/* --- reloads --- */

static bool memory_is_short;
void *__real_calloc(size_t count, size_t size);
void *__wrap_calloc(size_t count, size_t size);

void *__wrap_calloc(size_t count, size_t size)
{
    return memory_is_short ? NULL : __real_calloc(count, size);
}

static struct config_group group = {.name = "g"};
static const struct config_words words = {.group = "G",
                                          .states = {[INSTANCE_BACKUP] = "back", [INSTANCE_ACTIVE] = "act"}};
static const struct config_extension extension = {.words = &words};

static void tell_group(enum instance_state state)
{
    orders_add(&worker, &(struct order){.kind = ORDER_STATE, .subject = ORDER_GROUP, .state = (uint8_t)state});
    assert_true(orders_flush(&worker));
    guard_script_turn(guard, clock_now());
}

static void wait_for_text(const char *expected)
{
    for (unsigned i = 0; i < PATIENCE && strcmp(ran(), expected) != 0; i++)
        turn();
    assert_string_equal(ran(), expected);
}

static void wait_for_part(const char *expected)
{
    for (unsigned i = 0; i < PATIENCE && strstr(ran(), expected) == NULL; i++)
        turn();
    assert_non_null(strstr(ran(), expected));
}

/* A FIFO and a reader that has it open, and takes its time. */
static struct check_fifo make_fifo(char *path, char *argument[4], const char *name)
{
    snprintf(path, 64, "%s/fifo", folder);
    snprintf(shell_text[1], sizeof(shell_text[0]), "exec <\"$0\"; echo %s >>%s/ran; sleep 0.3; exec cat >>%s/ran", name,
             folder, folder);
    argument[0] = sh;
    argument[1] = minus_c;
    argument[2] = shell_text[1];
    return (struct check_fifo){.path = path, .script = {.argument_count = 3, .arguments = argument, .user = "root"}};
}

static void adopt(const struct config *next)
{
    const struct guard_fifo_owners owners = guard_fifo_find_owners(next);

    assert_int_equal(guard_script_expect(guard, next), 0);
    guard_script_adopt(guard, next, &owners);
    worker.connection++;
}

static void open_with_fifo(struct check_fifo *fifo)
{
    instances.group_count = 1;
    instances.groups = &group;
    instances.fifo_count = 1;
    instances.fifos[0] = fifo;
    config = (struct config){.core = {.group_count = 1}, .instances = &instances, .extension = &extension};
    assert_int_equal(guard_script_open(&config, &guard), 0);
    connect_worker();
}

static void test_reload__fifo_stays_as_it_was__so_does_its_reader_and_no_line_is_lost(void **state)
{
    char path[64], *argument[4] = {NULL};
    struct check_fifo fifo = make_fifo(path, argument, "up"), again = fifo;
    struct config_instances next_instances;
    struct config next;

    (void)state;
    open_with_fifo(&fifo);
    wait_for_text("up\n");
    next_instances = instances;
    next_instances.fifos[0] = &again;
    next = config;
    next.instances = &next_instances;
    tell_group(INSTANCE_BACKUP);
    adopt(&next);
    tell_group(INSTANCE_ACTIVE);
    wait_for_text("up\nG \"g\" back 0\nG \"g\" act 0\n");
    unlink(path); /* somebody took it away: a reload makes it again */
    adopt(&config);
    wait_for_text("up\nG \"g\" back 0\nG \"g\" act 0\nup\n");
    assert_int_equal(access(path, F_OK), 0);
}

static void test_reload__fifo_of_another_reader__the_one_before_reads_to_the_end(void **state)
{
    char path[64], *argument[4] = {NULL}, *other_argument[4] = {NULL}, other_text[160];
    struct check_fifo fifo = make_fifo(path, argument, "first"), other;
    struct config_instances next_instances;
    struct config next;

    (void)state;
    open_with_fifo(&fifo);
    wait_for_text("first\n");
    other = make_fifo(path, other_argument, "second");
    strcpy(other_text, shell_text[1]);
    other_argument[2] = other_text;
    make_fifo(path, argument, "first");
    next_instances = instances;
    next_instances.fifos[0] = &other;
    next = config;
    next.instances = &next_instances;
    tell_group(INSTANCE_BACKUP);
    adopt(&next);
    wait_for_part("second\n");
    wait_for_part("G \"g\" back 0\n");
    tell_group(INSTANCE_ACTIVE);
    wait_for_part("G \"g\" act 0\n");
    next_instances.fifo_count = 0;
    adopt(&next);
    assert_int_equal(access(path, F_OK), -1);
}

static void test_reload__memory_runs_out__it_is_refused_and_all_goes_on(void **state)
{
    char path[64], *argument[4] = {NULL};
    struct check_fifo fifo = make_fifo(path, argument, "up");

    (void)state;
    open_with_fifo(&fifo);
    wait_for_text("up\n");
    memory_is_short = true;
    int error = guard_script_expect(guard, &config);

    memory_is_short = false;
    assert_int_equal(error, -ENOMEM);
    tell_group(INSTANCE_BACKUP);
    wait_for_text("up\nG \"g\" back 0\n");
    const struct guard_fifo_owners owners = guard_fifo_find_owners(&config);

    assert_int_equal(guard_script_expect(guard, &config), 0);
    memory_is_short = true; /* from here on none is needed for what was told */
    guard_script_adopt(guard, &config, &owners);
    memory_is_short = false;
    worker.connection++;
    tell_group(INSTANCE_ACTIVE);
    wait_for_text("up\nG \"g\" back 0\nG \"g\" act 0\n");
}

static struct mono no_time(void)
{
    return (struct mono){0};
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_guard__check_that_the_file_names__is_run_and_answered, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_guard__hostile_worker__gets_nothing_run_but_that, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_guard__startup_and_shutdown__run_once_each_around_the_worker, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(test_guard__init_file__is_written_and_nothing_else_is_touched, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(test_reload__fifo_stays_as_it_was__so_does_its_reader_and_no_line_is_lost,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_reload__fifo_of_another_reader__the_one_before_reads_to_the_end, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(test_reload__memory_runs_out__it_is_refused_and_all_goes_on, set_up, tear_down),
    };
    int null = open("/dev/null", O_WRONLY | O_CLOEXEC);

    log_open_with(&(struct log_settings){
        .level = LOG_LEVEL_ERROR, .target = LOG_TARGET_STDERR, .identifier = "test", .fd = null, .clock = no_time});
    worker.fd = -1;
    return cmocka_run_group_tests_name("guard_script", tests, NULL, NULL);
}
