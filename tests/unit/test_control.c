/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The control socket: a real one in a directory of its own, served by a child process over a rig; well-behaved clients
 * and others. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "daemon/answer_cache.h"
#include "daemon_rig.h"

#define WAIT_MS 5000
#define NOBODY 65534

static struct {
    char directory[64];
    char path[100];
    pid_t server;
    bool busy; /* the server's protocol always has something to do */
} place;

static int64_t no_time(void *context)
{
    (void)context;
    return 0;
}

/* Serves until it is killed; the parent's tests never outlive it by more than the alarm. */
static void serve(void)
{
    static struct rig rig;
    struct event_base *base = event_base_new();
    struct control *control;

    signal(SIGPIPE, SIG_IGN);
    alarm(60);
    rig_open(&rig, 240, 12);
    rig_run(&rig, 10 * (int64_t)US_PER_S);
    rig.callbacks.spare_us = place.busy ? no_time : NULL;
    if (control_open(base, place.directory, &rig.callbacks, &control) != 0)
        _exit(1);
    event_base_dispatch(base);
    _exit(0);
}

static int try_connect(void)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    snprintf(address.sun_path, sizeof(address.sun_path), "%s", place.path);
    if (connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0)
        return fd;
    close(fd);
    return -1;
}

static int client(void)
{
    for (unsigned waited = 0; waited < WAIT_MS; waited += 10) {
        int fd = try_connect();

        if (fd >= 0)
            return fd;
        usleep(10000);
    }
    fail_msg("nobody answers on %s", place.path);
    return -1;
}

static void say(int fd, const char *text)
{
    assert_int_equal(send(fd, text, strlen(text), MSG_NOSIGNAL), (ssize_t)strlen(text));
}

/* Reads until `lines` newlines or the end; the text, to be freed. *ended: the other side closed. */
static char *hear(int fd, unsigned lines, bool *ended)
{
    size_t length = 0, capacity = 1 << 20;
    char *text = malloc(capacity);
    struct pollfd poller = {.fd = fd, .events = POLLIN};

    *ended = false;
    while (lines > 0 && length + 65536 < capacity && poll(&poller, 1, WAIT_MS) == 1) {
        ssize_t count = read(fd, text + length, 65536);

        if (count <= 0) {
            *ended = true;
            break;
        }
        for (ssize_t i = 0; i < count; i++)
            lines -= text[length + (size_t)i] == '\n';
        length += (size_t)count;
    }
    text[length] = '\0';
    return text;
}

static void assert_hears(int fd, const char *part)
{
    bool ended;
    char *text = hear(fd, 1, &ended);

    if (strstr(text, part) == NULL)
        fail_msg("'%.200s' has no '%s'", text, part);
    free(text);
}

static void assert_closed(int fd)
{
    bool ended;
    char *text = hear(fd, 1, &ended);

    assert_true(ended);
    free(text);
}

static int setup(void **state)
{
    (void)state;
    snprintf(place.directory, sizeof(place.directory), "/tmp/evenkeel-control-XXXXXX");
    if (mkdtemp(place.directory) == NULL || chmod(place.directory, 0755) != 0)
        return -1;
    snprintf(place.path, sizeof(place.path), "%s/" CONTROL_SOCKET_NAME, place.directory);
    place.server = fork();
    if (place.server == 0)
        serve();
    close(client());
    return 0;
}

static int setup_busy(void **state)
{
    place.busy = true;
    int result = setup(state);

    place.busy = false;
    return result;
}

static int teardown(void **state)
{
    (void)state;
    kill(place.server, SIGKILL);
    waitpid(place.server, NULL, 0);
    unlink(place.path);
    return rmdir(place.directory);
}

static void test_control__many_requests_at_once__answered_in_order(void **state)
{
    int fd = client();
    bool ended;

    (void)state;
    for (unsigned i = 1; i <= 9; i++) {
        char request[64];

        snprintf(request, sizeof(request), "{\"command\":\"explain\",\"unit\":%u}\n", i);
        say(fd, request);
    }
    char *text = hear(fd, 9, &ended), *line = text;

    for (unsigned i = 1; i <= 9; i++) {
        char expected[32];

        snprintf(expected, sizeof(expected), "\"10.20.0.%u\"", i);
        char *next = strchr(line, '\n');

        assert_non_null(next);
        *next = '\0';
        assert_non_null(strstr(line, expected));
        line = next + 1;
    }
    free(text);
    close(fd);
}

static void test_control__request_in_pieces__answered(void **state)
{
    int fd = client();

    (void)state;
    say(fd, "{\"command\":");
    usleep(20000);
    say(fd, "\"members\"}\n");
    assert_hears(fd, "\"alpha\"");
    close(fd);
}

static void test_control__sender_shut_down__still_gets_answer(void **state)
{
    int fd = client();

    (void)state;
    say(fd, "{\"command\":\"status\"}\n");
    shutdown(fd, SHUT_WR);
    assert_hears(fd, "\"groups\":[]}");
    assert_closed(fd);
    close(fd);
}

static void test_control__garbage__one_error_then_closed(void **state)
{
    int fd = client();

    (void)state;
    say(fd, "GET / HTTP/1.0\r\n{\"command\":\"status\"}\n");
    assert_hears(fd, "\"bad_request\"");
    assert_closed(fd);
    close(fd);
}

static void test_control__refused_request__connection_goes_on(void **state)
{
    int fd = client();

    (void)state;
    say(fd, "{\"command\":\"nonsense\"}\n");
    assert_hears(fd, "\"unknown_command\"");
    say(fd, "{\"command\":\"members\"}\n");
    assert_hears(fd, "\"alpha\"");
    close(fd);
}

static void test_control__endless_line__one_error_then_closed(void **state)
{
    int fd = client();
    char *text = malloc(CONTROL_REQUEST_MAX + 2);

    (void)state;
    memset(text, ' ', CONTROL_REQUEST_MAX + 1);
    text[CONTROL_REQUEST_MAX + 1] = '\0';
    say(fd, text);
    assert_hears(fd, "longer than");
    assert_closed(fd);
    free(text);
    close(fd);
}

static void test_control__client_that_reads_nothing__hinders_nobody(void **state)
{
    int lazy = client(), eager = client();

    (void)state;
    fcntl(lazy, F_SETFL, O_NONBLOCK);
    for (unsigned i = 0; i < 1000; i++)
        (void)!send(lazy, "{\"command\":\"status\"}\n", 21, MSG_NOSIGNAL);
    for (unsigned i = 0; i < 3; i++) {
        say(eager, "{\"command\":\"members\"}\n");
        assert_hears(eager, "\"alpha\"");
    }
    close(lazy);
    close(eager);
}

static void test_control__too_many_clients__told_so(void **state)
{
    int fds[CONTROL_CLIENTS_MAX];

    (void)state;
    for (unsigned i = 0; i < CONTROL_CLIENTS_MAX; i++) {
        fds[i] = client();
        if (i == 0 || geteuid() == 0) {
            say(fds[i], "{\"command\":\"check-hash\",\"hash\":\"0123456789abcdef\"}\n");
            assert_hears(fds[i], "match");
        }
    }
    int one_more = client();

    assert_hears(one_more, "\"busy\"");
    assert_closed(one_more);
    close(one_more);
    for (unsigned i = 0; i < CONTROL_CLIENTS_MAX; i++)
        close(fds[i]);
}

/* Runs `request` as somebody without rights, in a child; true when the answer has `part`. */
static bool stranger_hears(const char *request, const char *part)
{
    pid_t child = fork();
    int status;

    if (child == 0) {
        bool ended;

        if (setgroups(0, NULL) != 0 || setgid(NOBODY) != 0 || setuid(NOBODY) != 0)
            _exit(2);
        int fd = client();

        say(fd, request);
        _exit(strstr(hear(fd, 1, &ended), part) != NULL ? 0 : 1);
    }
    waitpid(child, &status, 0);
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static void test_control__stranger__may_read_but_not_change(void **state)
{
    (void)state;
    if (geteuid() != 0)
        skip();
    assert_true(stranger_hears("{\"command\":\"status\"}\n", "\"instances\""));
    assert_true(stranger_hears("{\"command\":\"drain\"}\n", "\"denied\""));
    assert_true(stranger_hears("{\"command\":\"take\",\"unit\":1}\n", "\"denied\""));
    int fd = client();

    say(fd, "{\"command\":\"drain\"}\n");
    assert_hears(fd, "\"result\":\"ok\"");
    close(fd);
}

static void test_control__asked_again__the_same_until_something_changes(void **state)
{
    int fd = client();
    bool ended;

    (void)state;
    say(fd, "{\"command\":\"status\"}\n");
    char *first = hear(fd, 1, &ended);

    say(fd, "{\"command\":\"status\"}\n");
    char *second = hear(fd, 1, &ended);

    assert_string_equal(first, second);
    say(fd, "{\"command\":\"drain\"}\n");
    assert_hears(fd, "\"result\":\"ok\"");
    say(fd, "{\"command\":\"status\"}\n");
    assert_hears(fd, "\"drained\":true");
    free(first);
    free(second);
    close(fd);
}

static void test_control__protocol_never_at_rest__answers_all_the_same(void **state)
{
    int fd = client();

    (void)state;
    say(fd, "{\"command\":\"members\"}\n");
    assert_hears(fd, "\"alpha\"");
    say(fd, "{\"command\":\"explain\",\"unit\":1}\n");
    assert_hears(fd, "\"ranking\"");
    close(fd);
}

static struct answer_text *text_of(const char *words)
{
    return answer_text_new(strdup(words), strlen(words));
}

static void put(struct answer_cache *cache, const char *request, int64_t at_us, uint64_t newest)
{
    struct answer_text *text = text_of(request);

    answer_cache_put(cache, request, strlen(request), (struct mono){at_us}, newest, text);
    answer_text_leave(text);
}

static bool finds(const struct answer_cache *cache, const char *request, int64_t at_us, uint64_t newest)
{
    struct answer_text *text = answer_cache_find(cache, request, strlen(request), (struct mono){at_us}, newest);
    bool found = text != NULL && strcmp(text->data, request) == 0;

    assert_true(found || text == NULL);
    answer_text_leave(text);
    return found;
}

static void test_answer_cache__fresh_and_nothing_noted__found(void **state)
{
    struct answer_cache cache = {0};

    (void)state;
    put(&cache, "status", 1000, 7);
    assert_true(finds(&cache, "status", 1000, 7));
    assert_true(finds(&cache, "status", 1000 + ANSWER_FRESH_US - 1, 7));
    assert_false(finds(&cache, "status", 1000 + ANSWER_FRESH_US, 7));
    assert_false(finds(&cache, "status", 1000, 8));
    assert_false(finds(&cache, "statu", 1000, 7));
    answer_cache_clear(&cache);
    assert_false(finds(&cache, "status", 1000, 7));
}

static void test_answer_cache__more_than_its_places__the_oldest_goes(void **state)
{
    static const char *const requests[] = {"a", "b", "c", "d", "e"};
    struct answer_cache cache = {0};
    char *long_request = calloc(1, ANSWER_REQUEST_MAX + 2);

    (void)state;
    for (unsigned i = 0; i <= ANSWER_CACHE_PLACES; i++)
        put(&cache, requests[i], i, 1);
    assert_false(finds(&cache, "a", 5, 1));
    for (unsigned i = 1; i <= ANSWER_CACHE_PLACES; i++)
        assert_true(finds(&cache, requests[i], 5, 1));
    memset(long_request, 'x', ANSWER_REQUEST_MAX + 1);
    put(&cache, long_request, 6, 1);
    assert_false(finds(&cache, long_request, 6, 1));
    struct answer_text *kept = answer_cache_find(&cache, "e", 1, (struct mono){5}, 1);

    answer_cache_clear(&cache);
    assert_string_equal(kept->data, "e"); /* a slow reader still has it */
    answer_text_leave(kept);
    free(long_request);
}

static void test_control_open__socket_in_use__refused(void **state)
{
    struct event_base *base = event_base_new();
    struct control_callbacks callbacks = {0};
    struct control *control;

    (void)state;
    assert_int_equal(control_open(base, place.directory, &callbacks, &control), -EADDRINUSE);
    event_base_free(base);
}

static void test_control_open__stale_socket__replaced_and_removed_at_close(void **state)
{
    struct event_base *base = event_base_new();
    struct control_callbacks callbacks = {0};
    struct control *control;
    struct stat status;

    (void)state;
    kill(place.server, SIGKILL);
    waitpid(place.server, NULL, 0);
    assert_int_equal(stat(place.path, &status), 0);
    assert_int_equal(control_open(base, place.directory, &callbacks, &control), 0);
    assert_int_equal(stat(place.path, &status), 0);
    assert_int_equal(status.st_mode & 0777, 0666);
    control_close(control);
    assert_int_equal(stat(place.path, &status), -1);
    event_base_free(base);
    place.server = fork(); /* for teardown */
    if (place.server == 0)
        serve();
}

static void test_control_open__other_file_there__left_alone(void **state)
{
    char directory[] = "/tmp/evenkeel-control-XXXXXX", path[128];
    struct event_base *base = event_base_new();
    struct control_callbacks callbacks = {0};
    struct control *control;
    struct stat status;

    (void)state;
    assert_non_null(mkdtemp(directory));
    snprintf(path, sizeof(path), "%s/" CONTROL_SOCKET_NAME, directory);
    close(open(path, O_CREAT | O_WRONLY, 0600));
    assert_int_equal(control_open(base, directory, &callbacks, &control), -EEXIST);
    assert_int_equal(stat(path, &status), 0);
    unlink(path);
    rmdir(directory);
    assert_int_equal(control_open(base, directory, &callbacks, &control), -ENOENT);
    event_base_free(base);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_control__many_requests_at_once__answered_in_order),
        TEST(test_control__request_in_pieces__answered),
        TEST(test_control__sender_shut_down__still_gets_answer),
        TEST(test_control__garbage__one_error_then_closed),
        TEST(test_control__refused_request__connection_goes_on),
        TEST(test_control__endless_line__one_error_then_closed),
        TEST(test_control__client_that_reads_nothing__hinders_nobody),
        TEST(test_control__too_many_clients__told_so),
        TEST(test_control__stranger__may_read_but_not_change),
        TEST(test_control__asked_again__the_same_until_something_changes),
        cmocka_unit_test_setup_teardown(test_control__protocol_never_at_rest__answers_all_the_same, setup_busy,
                                        teardown),
        cmocka_unit_test(test_answer_cache__fresh_and_nothing_noted__found),
        cmocka_unit_test(test_answer_cache__more_than_its_places__the_oldest_goes),
        TEST(test_control_open__socket_in_use__refused),
        TEST(test_control_open__stale_socket__replaced_and_removed_at_close),
        TEST(test_control_open__other_file_there__left_alone),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
