/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * evenkeel-exporter: serves the daemon's state over HTTP as metrics and as a page. This file owns the command line and
 * what is where.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "base/check.h"
#include "client/identity.h"
#include "client/options.h"
#include "config.h"
#include "exporter/http.h"
#include "exporter/metrics.h"
#include "exporter/page.h"
#include "exporter/source.h"

#define LISTEN_DEFAULT "127.0.0.1:9568" /* RFC 9568 is VRRP; among the ports where exporters are looked for */

struct service {
    struct source source;
    struct http *http;
};

/* OpenMetrics, unless the client asks for the older text and not for it; browsers show that, too. */
static enum openmetrics_format choose_format(const char *accept)
{
    bool old = strstr(accept, "text/plain") != NULL || strstr(accept, "text/html") != NULL;

    return old && strstr(accept, "application/openmetrics-text") == NULL ? FORMAT_PROMETHEUS : FORMAT_OPENMETRICS;
}

static void get_metrics(struct service *service, const char *accept, struct http_answer *out)
{
    static const enum source_kind kinds[] = {SOURCE_STATUS, SOURCE_COUNTERS};
    enum openmetrics_format format = choose_format(accept);
    bool up = source_refresh(&service->source, kinds, ARRAY_LENGTH(kinds));
    struct http_stats http = http_get_stats(service->http);
    struct metrics_input input = {
        .status = up ? service->source.answers[SOURCE_STATUS] : NULL,
        .counters = up ? service->source.answers[SOURCE_COUNTERS] : NULL,
        .version = PACKAGE_VERSION,
        .stats = {.requests = http.requests,
                  .requests_refused = http.refused,
                  .connections_dropped = http.connections_dropped,
                  .connections_unread = http.connections_unread,
                  .daemon_failures = service->source.failures,
                  .answer_s = service->source.answer_s},
    };

    out->type = format == FORMAT_OPENMETRICS ? "application/openmetrics-text; version=1.0.0; charset=utf-8"
                                             : "text/plain; version=0.0.4; charset=utf-8";
    out->body = metrics_text(&input, format, &out->length);
}

static void get_status(struct service *service, struct http_answer *out)
{
    static const enum source_kind kinds[] = {SOURCE_STATUS, SOURCE_EVENTS};
    struct source *source = &service->source;
    bool up = source_refresh(source, kinds, ARRAY_LENGTH(kinds));

    out->status = up ? 200 : 503;
    out->type = "application/json";
    out->body = page_json(PACKAGE_VERSION, up ? source->answers[SOURCE_STATUS] : NULL,
                          up ? source->answers[SOURCE_EVENTS] : NULL, up ? NULL : source->error, &out->length);
}

static bool get(void *context, const char *path, const char *accept, const char *nonce, struct http_answer *out)
{
    struct service *service = context;

    if (strcmp(path, "/metrics") == 0) {
        get_metrics(service, accept, out);
    } else if (strcmp(path, "/status.json") == 0) {
        get_status(service, out);
    } else if (strcmp(path, "/") == 0) {
        out->type = "text/html; charset=utf-8";
        out->body = page_html(nonce, &out->length);
    } else {
        return false;
    }
    return true;
}

struct options {
    struct options_common common;
    const char *tcp, *path; /* NULL: not there */
};

/* True: go on; else *code is what to exit with. */
static bool read_options(int argc, char **argv, struct options *options, int *code)
{
    const struct options_row own[] = {
        {"listen", "ADDRESS:PORT", "(" LISTEN_DEFAULT "; none with --unix, unless given)", &options->tcp, NULL},
        {"unix", "PATH", "a Unix socket", &options->path, NULL},
    };
    const struct options_program program = {
        .name = "evenkeel-exporter",
        .about = "Serves evenkeeld's state over HTTP: /metrics (OpenMetrics), / (a page), /status.json.",
        .own = own,
        .own_count = ARRAY_LENGTH(own),
    };

    if (!options_read(&program, argc, argv, &options->common, code))
        return false;
    if (options->tcp == NULL && options->path == NULL)
        options->tcp = LISTEN_DEFAULT;
    return true;
}

static int complain(const char *text, int code)
{
    fprintf(stderr, "evenkeel-exporter: %s\n", text);
    return code;
}

/* Both sockets that may be wanted; those that are not have no fd. EX_OK or what to exit with. */
static int open_sockets(const struct options *options, struct listen_socket sockets[static 2])
{
    int error = 0;

    sockets[0].fd = sockets[1].fd = -1;
    if (options->tcp != NULL)
        error = listen_tcp(options->tcp, &sockets[0]);
    if (error != 0)
        return complain(sockets[0].text, error == -EINVAL ? EX_USAGE : EX_OSERR);
    if (options->path != NULL)
        error = listen_unix(options->path, &sockets[1]);
    return error != 0 ? complain(sockets[1].text, EX_OSERR) : EX_OK;
}

static int serve(struct service *service, const struct listen_socket sockets[static 2])
{
    int error = 0;

    for (unsigned i = 0; i < 2 && error == 0; i++) {
        if (sockets[i].fd < 0)
            continue;
        error = http_listen(service->http, &sockets[i]);
        fprintf(stderr, "evenkeel-exporter: listening on %s\n", sockets[i].text);
    }
    if (error == 0)
        error = http_run(service->http);
    return error == 0 ? EX_OK : complain(strerror(-error), EX_OSERR);
}

int main(int argc, char **argv)
{
    struct options options = {.tcp = NULL};
    struct listen_socket sockets[2];
    struct service service;
    char text[IDENTITY_TEXT_MAX];
    int code;

    if (!read_options(argc, argv, &options, &code))
        return code;
    signal(SIGPIPE, SIG_IGN);
    code = open_sockets(&options, sockets);
    if (code != EX_OK)
        return code;
    if (identity_drop(options.common.user, text) != 0)
        return complain(text, EX_NOPERM);
    service.http = http_open(get, &service);
    if (service.http == NULL)
        return complain("out of memory", EX_OSERR);
    source_init(&service.source, options.common.run_dir);
    code = serve(&service, sockets);
    http_close(service.http);
    source_close(&service.source);
    return code;
}
