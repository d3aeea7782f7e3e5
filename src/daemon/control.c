/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Clients of the control socket. Each is a bufferevent in one of three states: it asks (we read), it waits its turn (a
 * whole line is there, we do not read on), it takes its answer (we write as the socket drains). One timer per client is
 * armed anew at every such step, so that neither an idle nor a slow client keeps its place for more than
 * CONTROL_IDLE_S.
 *
 * Answers are built by one pump for all clients: one request in a turn of the loop, and after each a pause of
 * PUMP_REST times what it took. However many clients ask however fast, they get at most a fifth of a core, and packets
 * come first. So do timers: an answer that might not be ready before the protocol's next deadline waits until that has
 * been dealt with (but no longer than PUMP_WAIT_MAX_US, or a pool whose deadlines are dense would never answer). What
 * was just answered is sent again without being built (answer_cache.h).
 */
#include "daemon/control.h"

#include <errno.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/listener.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <unistd.h>

#include "daemon/answer_cache.h"
#include "daemon/control_socket.h"
#include "daemon/history.h"
#include "daemon/peer.h"
#include "daemon/request_json.h"
#include "platform/clock.h"

#define PUMP_REST 4
#define PUMP_REST_MAX_US 100000 /* the clock also runs while the host sleeps */
#define PUMP_WAIT_MAX_US 50000
#define COST_MAX_US 10000
#define PUMP_AFTER_US 200       /* from a deadline until it has been dealt with */
#define WRITE_MAX (1024 * 1024) /* bytes in one turn: a whole answer in most cases, the socket takes what it can */
#define PRIVILEGED_RESERVE 8    /* places that only those who may command get: readers cannot shut them out */
#define ACCEPT_RETRY_S 1

struct client {
    LIST_ENTRY(client) all;
    TAILQ_ENTRY(client) queue; /* while `waiting` */
    struct control *control;
    struct bufferevent *stream;
    struct event *timer;
    bool waiting; /* a whole request is in the input, the pump will answer it */
    bool closing; /* nothing more is read; closed once the answer is out */
};

struct control {
    struct event_base *base;
    struct control_callbacks callbacks;
    struct control_socket socket;
    struct evconnlistener *listener;
    struct event *accept_retry, *pump;
    LIST_HEAD(, client) clients;
    TAILQ_HEAD(, client) queue;
    unsigned client_count;
    struct control_counters counters;
    struct answer_cache cache;
    int64_t cost_us;        /* that an answer may have: the most of late, slowly forgotten */
    struct mono pump_since; /* the first in the queue could have been answered since then */
};

static const struct timeval idle_time = {.tv_sec = CONTROL_IDLE_S};

static void client_free(struct client *client)
{
    struct control *control = client->control;

    if (client->waiting)
        TAILQ_REMOVE(&control->queue, client, queue);
    LIST_REMOVE(client, all);
    control->client_count--;
    event_free(client->timer);
    bufferevent_free(client->stream);
    free(client);
}

static void client_drop(struct client *client)
{
    client->control->counters.dropped_clients++;
    client_free(client);
}

static void pump_start(struct control *control, int64_t delay_us)
{
    struct timeval delay = {.tv_sec = delay_us / US_PER_S, .tv_usec = delay_us % US_PER_S};

    if (!TAILQ_EMPTY(&control->queue) && !evtimer_pending(control->pump, NULL))
        evtimer_add(control->pump, &delay);
}

/* A whole line has arrived: queue it, and read no more before it is answered. */
static void client_check_input(struct client *client)
{
    struct evbuffer *input = bufferevent_get_input(client->stream);
    struct evbuffer_ptr end = evbuffer_search_eol(input, NULL, NULL, EVBUFFER_EOL_LF);

    if (client->waiting || client->closing || evbuffer_get_length(bufferevent_get_output(client->stream)) > 0)
        return;
    if (end.pos < 0 && evbuffer_get_length(input) <= CONTROL_REQUEST_MAX)
        return;
    client->waiting = true;
    TAILQ_INSERT_TAIL(&client->control->queue, client, queue);
    bufferevent_disable(client->stream, EV_READ);
    evtimer_add(client->timer, &idle_time);
    pump_start(client->control, 0);
}

static void text_sent(const void *data, size_t length, void *context)
{
    (void)data, (void)length;
    answer_text_leave(context);
}

/* NULL, for want of memory, drops the client. Takes over one use of `text`. */
static void client_send(struct client *client, struct answer_text *text)
{
    if (text == NULL) {
        client_drop(client);
        return;
    }
    if (evbuffer_add_reference(bufferevent_get_output(client->stream), text->data, text->length, text_sent, text) !=
        0) {
        answer_text_leave(text);
        client_drop(client);
        return;
    }
    evtimer_add(client->timer, &idle_time);
}

static void count(struct control_counters *counters, enum request_outcome outcome)
{
    counters->requests++;
    switch (outcome) {
    case REQUEST_DONE:
    case REQUEST_LASTING:
    case REQUEST_CHANGED:
        return;
    case REQUEST_DENIED:
        counters->denied++;
        return;
    case REQUEST_REFUSED:
    case REQUEST_GARBAGE:
        counters->refused++;
        return;
    }
}

static void refuse_long(struct client *client)
{
    static const char too_long[] =
        "{\"error\":{\"code\":\"bad_request\",\"text\":\"a request longer than 65536 bytes\"}}\n";

    client->closing = true;
    count(&client->control->counters, REQUEST_GARBAGE);
    client_send(client, answer_text_new(strdup(too_long), sizeof(too_long) - 1));
}

/* The clock also runs while this process does not, so one long answer is not believed for ever. */
static void note_cost(struct control *control, int64_t took_us)
{
    control->cost_us -= control->cost_us / 8;
    if (took_us > control->cost_us)
        control->cost_us = took_us < COST_MAX_US ? took_us : COST_MAX_US;
}

/* Has the answer built, and remembers it. */
static struct answer_text *build_answer(struct client *client, const char *line, size_t length, uint64_t newest)
{
    struct control *control = client->control;
    bool may_change = peer_may_change(bufferevent_getfd(client->stream), CONTROL_GROUP);
    char *data;
    size_t data_length;
    struct mono before = clock_now();
    enum request_outcome outcome = request_answer(&control->callbacks, line, length, may_change, &data, &data_length);
    struct mono after = clock_now();
    struct answer_text *text = answer_text_new(data, data_length);

    note_cost(control, mono_diff_us(after, before));
    count(&control->counters, outcome);
    client->closing = outcome == REQUEST_GARBAGE;
    if (outcome == REQUEST_CHANGED)
        answer_cache_clear(&control->cache);
    else if (outcome == REQUEST_LASTING && text != NULL)
        answer_cache_put(&control->cache, line, length, after, newest, text);
    return text;
}

static void client_answer(struct client *client)
{
    struct control *control = client->control;
    struct evbuffer *input = bufferevent_get_input(client->stream);
    struct evbuffer_ptr end = evbuffer_search_eol(input, NULL, NULL, EVBUFFER_EOL_LF);
    size_t length;

    if (end.pos < 0 || end.pos > CONTROL_REQUEST_MAX) {
        refuse_long(client);
        return;
    }
    char *line = evbuffer_readln(input, &length, EVBUFFER_EOL_LF);

    if (line == NULL) {
        client_drop(client);
        return;
    }
    uint64_t newest = history_newest(control->callbacks.view(control->callbacks.context)->history);
    struct answer_text *text = answer_cache_find(&control->cache, line, length, clock_now(), newest);

    if (text != NULL)
        count(&control->counters, REQUEST_LASTING);
    else
        text = build_answer(client, line, length, newest);
    free(line);
    client_send(client, text);
}

/* How long an answer has to wait for the protocol; 0: there is time for it now. */
static int64_t wait_for_protocol_us(const struct control *control, struct mono now)
{
    const struct control_callbacks *callbacks = &control->callbacks;

    if (callbacks->spare_us == NULL || mono_diff_us(now, control->pump_since) >= PUMP_WAIT_MAX_US)
        return 0;
    int64_t spare_us = callbacks->spare_us(callbacks->context);

    if (spare_us > control->cost_us)
        return 0;
    return (spare_us > 0 ? spare_us : 0) + PUMP_AFTER_US;
}

static void pump_run(evutil_socket_t fd, short what, void *context)
{
    struct control *control = context;
    struct client *client = TAILQ_FIRST(&control->queue);
    struct mono before = clock_now();

    (void)fd, (void)what;
    if (client == NULL)
        return;
    if (mono_is_never(control->pump_since))
        control->pump_since = before;
    int64_t wait_us = wait_for_protocol_us(control, before);

    if (wait_us > 0) {
        pump_start(control, wait_us);
        return;
    }
    control->pump_since = MONO_NEVER;
    TAILQ_REMOVE(&control->queue, client, queue);
    client->waiting = false;
    client_answer(client);
    int64_t rest_us = PUMP_REST * mono_diff_us(clock_now(), before);

    pump_start(control, rest_us < PUMP_REST_MAX_US ? rest_us : PUMP_REST_MAX_US);
}

static void on_readable(struct bufferevent *stream, void *context)
{
    (void)stream;
    client_check_input(context);
}

/* The answer is out: the next request, which may already be there. */
static void on_drained(struct bufferevent *stream, void *context)
{
    struct client *client = context;

    if (client->closing) {
        client_free(client);
        return;
    }
    evtimer_add(client->timer, &idle_time);
    bufferevent_enable(stream, EV_READ);
    client_check_input(client);
}

static void on_end(struct bufferevent *stream, short what, void *context)
{
    struct client *client = context;

    /* A peer that only shut down its sending side still wants its answer. */
    if ((what & BEV_EVENT_EOF) != 0 && evbuffer_get_length(bufferevent_get_output(stream)) > 0) {
        client->closing = true;
        return;
    }
    client_free(client);
}

static void on_idle(evutil_socket_t fd, short what, void *context)
{
    (void)fd, (void)what;
    client_drop(context);
}

static struct client *client_new(struct control *control, evutil_socket_t fd)
{
    struct client *client = calloc(1, sizeof(*client));

    if (client == NULL)
        return NULL;
    client->control = control;
    client->timer = evtimer_new(control->base, on_idle, client);
    client->stream = bufferevent_socket_new(control->base, fd, BEV_OPT_CLOSE_ON_FREE);
    if (client->timer == NULL || client->stream == NULL) {
        if (client->timer != NULL)
            event_free(client->timer);
        if (client->stream != NULL)
            bufferevent_free(client->stream); /* closes fd */
        else
            close(fd);
        free(client);
        return NULL;
    }
    LIST_INSERT_HEAD(&control->clients, client, all);
    control->client_count++;
    bufferevent_setcb(client->stream, on_readable, on_drained, on_end, client);
    bufferevent_set_max_single_write(client->stream, WRITE_MAX);
    bufferevent_setwatermark(client->stream, EV_READ, 0, CONTROL_REQUEST_MAX + 1);
    evtimer_add(client->timer, &idle_time);
    bufferevent_enable(client->stream, EV_READ | EV_WRITE);
    return client;
}

static void on_accept(struct evconnlistener *listener, evutil_socket_t fd, struct sockaddr *address, int length,
                      void *context)
{
    static const char busy[] = "{\"error\":{\"code\":\"busy\",\"text\":\"too many clients\"}}\n";
    struct control *control = context;

    (void)listener, (void)address, (void)length;
    if (control->client_count >= CONTROL_CLIENTS_MAX - PRIVILEGED_RESERVE &&
        (control->client_count >= CONTROL_CLIENTS_MAX || !peer_may_change(fd, CONTROL_GROUP))) {
        control->counters.rejected_clients++;
        (void)!send(fd, busy, sizeof(busy) - 1, MSG_NOSIGNAL | MSG_DONTWAIT);
        close(fd);
        return;
    }
    if (client_new(control, fd) == NULL)
        control->counters.rejected_clients++;
}

/* Out of descriptors, say: the listener would be readable for ever, so it rests for a while. */
static void on_accept_error(struct evconnlistener *listener, void *context)
{
    struct control *control = context;
    struct timeval retry = {.tv_sec = ACCEPT_RETRY_S};

    evconnlistener_disable(listener);
    evtimer_add(control->accept_retry, &retry);
}

static void on_accept_retry(evutil_socket_t fd, short what, void *context)
{
    struct control *control = context;

    (void)fd, (void)what;
    evconnlistener_enable(control->listener);
}

int control_open(struct event_base *base, const char *run_dir, const struct control_callbacks *callbacks,
                 struct control **out)
{
    struct control *control = calloc(1, sizeof(*control));
    int error;

    if (control == NULL)
        return -ENOMEM;
    control->base = base;
    control->callbacks = *callbacks;
    control->pump_since = MONO_NEVER;
    LIST_INIT(&control->clients);
    TAILQ_INIT(&control->queue);
    error = control_socket_open(run_dir, &control->socket);
    if (error != 0) {
        free(control);
        return error;
    }
    control->pump = evtimer_new(base, pump_run, control);
    control->accept_retry = evtimer_new(base, on_accept_retry, control);
    control->listener = evconnlistener_new(base, on_accept, control, LEV_OPT_CLOSE_ON_EXEC | LEV_OPT_CLOSE_ON_FREE, 0,
                                           control->socket.fd);
    if (control->pump == NULL || control->accept_retry == NULL || control->listener == NULL) {
        control_close(control);
        return -ENOMEM;
    }
    evconnlistener_set_error_cb(control->listener, on_accept_error);
    *out = control;
    return 0;
}

void control_get_counters(const struct control *control, struct control_counters *out)
{
    *out = control->counters;
}

void control_close(struct control *control)
{
    struct client *client;

    if (control == NULL)
        return;
    while ((client = LIST_FIRST(&control->clients)) != NULL)
        client_free(client);
    answer_cache_clear(&control->cache);
    control_socket_remove(&control->socket);
    if (control->listener != NULL)
        evconnlistener_free(control->listener);
    else
        close(control->socket.fd);
    if (control->accept_retry != NULL)
        event_free(control->accept_retry);
    if (control->pump != NULL)
        event_free(control->pump);
    free(control);
}
