/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * rtnetlink by libnl: sockets, dumps, events and batches. The only file that knows libnl besides netlink_message.c,
 * which builds and reads single messages. Called by the kernel thread and by kernel_clean.c; never by the loop, since
 * the kernel answers under RTNL, which others can hold for seconds.
 *
 * Two sockets: one is subscribed to the groups, the other asks and changes. So a burst of events cannot push out the
 * acknowledgements of a batch, and the event socket's BPF filter does not touch dumps.
 */
#include "platform/netlink.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <netlink/errno.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>
#include <netlink/socket.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>

#include "base/check.h"
#include "platform/netlink_message.h"
#include "platform/netlink_policy.h"

#define RECEIVE_BYTES (1 << 20)
#define SEND_BYTES 131072
#define BATCH_MESSAGES 128 /* their acknowledgements must fit the receive buffer, where each counts for about 1 KiB */
#define BATCH_BYTES ((BATCH_MESSAGES + 1) * 128)
#define PROMOTE_BYTES 128 /* more than netlink_link_promote() needs */
#define DUMP_TRIES 5
#define WATCHED_PROTOCOLS 16 /* with more of them all routes are watched */

struct netlink {
    struct nl_sock *ask;
    struct nl_sock *watch;
};

/* libnl folds several errno values into one of its own; these are the ones that matter here. */
static int from_libnl(int error)
{
    switch (-error) {
    case NLE_NOMEM:
        return -ENOBUFS;
    case NLE_AGAIN:
        return -EAGAIN;
    case NLE_INTR:
        return -EINTR;
    case NLE_PERM:
        return -EPERM;
    case NLE_MSG_TRUNC:
        return -EMSGSIZE;
    default:
        return error < 0 ? -EIO : error;
    }
}

/*
 * A router with a full table changes thousands of routes a second, and each VIP brings two of its own; only default
 * routes matter, and those of our `protocols`, so the kernel drops the others before they wake anybody. Each
 * notification is a packet of its own: the first message's type, dst_len and protocol decide.
 */
static int watch_only(int fd, const uint8_t *protocols, unsigned count)
{
    const uint32_t type_at = offsetof(struct nlmsghdr, nlmsg_type);
    const uint32_t length_at = NLMSG_HDRLEN + offsetof(struct rtmsg, rtm_dst_len);
    const uint32_t protocol_at = NLMSG_HDRLEN + offsetof(struct rtmsg, rtm_protocol);
    const uint8_t accept = (uint8_t)(count + 7); /* the last instruction's index; a jump counts from the next one */
    bool big = __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__;
    struct sock_filter code[WATCHED_PROTOCOLS + 8] = {
        BPF_STMT(BPF_LD | BPF_H | BPF_ABS, type_at),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, big ? RTM_NEWROUTE : __builtin_bswap16(RTM_NEWROUTE), 1, 0),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, big ? RTM_DELROUTE : __builtin_bswap16(RTM_DELROUTE), 0,
                 (uint8_t)(accept - 3)),
        BPF_STMT(BPF_LD | BPF_B | BPF_ABS, length_at),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0, (uint8_t)(accept - 5), 0),
        BPF_STMT(BPF_LD | BPF_B | BPF_ABS, protocol_at),
    };
    struct sock_fprog program = {.len = (uint16_t)(accept + 1), .filter = code};

    CHECK(count <= WATCHED_PROTOCOLS);
    for (unsigned i = 0; i < count; i++)
        code[6 + i] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, protocols[i], (uint8_t)(count - i), 0);
    code[accept - 1] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, 0);
    code[accept] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, UINT32_MAX);
    return setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program)) == 0 ? 0 : -errno;
}

static int socket_open(struct nl_sock **out)
{
    struct nl_sock *sock = nl_socket_alloc();

    if (!sock)
        return -ENOMEM;
    int error = nl_connect(sock, NETLINK_ROUTE);

    if (error == 0)
        error = nl_socket_set_buffer_size(sock, RECEIVE_BYTES, SEND_BYTES);
    if (error < 0) {
        nl_socket_free(sock);
        return from_libnl(error);
    }
    /* libnl's call ends at the system's limit. Without CAP_NET_ADMIN that has to do; a resync mends what is then lost.
     * */
    const int bytes = RECEIVE_BYTES;

    (void)setsockopt(nl_socket_get_fd(sock), SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof(bytes));
    *out = sock;
    return 0;
}

static int watch_open(struct netlink *netlink)
{
    int error = socket_open(&netlink->watch);

    if (error < 0)
        return error;

    nl_socket_disable_seq_check(netlink->watch);
    error = watch_only(nl_socket_get_fd(netlink->watch), NULL, 0);
    if (error < 0)
        return error;
    error = nl_socket_add_memberships(netlink->watch, RTNLGRP_LINK, RTNLGRP_IPV4_IFADDR, RTNLGRP_IPV6_IFADDR,
                                      RTNLGRP_IPV4_ROUTE, RTNLGRP_IPV6_ROUTE, 0);
    if (error < 0)
        return from_libnl(error);
    return from_libnl(nl_socket_set_nonblocking(netlink->watch));
}

static int ask_open(struct netlink *netlink)
{
    /* The kernel answers before sendmsg returns, so a wait means that an answer was lost. */
    const struct timeval patience = {.tv_sec = 5};
    int error = socket_open(&netlink->ask);

    if (error == 0 &&
        setsockopt(nl_socket_get_fd(netlink->ask), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)) != 0)
        error = -errno;
    return error;
}

int netlink_open(struct netlink **out)
{
    struct netlink *netlink = calloc(1, sizeof(*netlink));

    if (!netlink)
        return -ENOMEM;
    int error = ask_open(netlink);

    if (error == 0)
        error = watch_open(netlink);
    if (error < 0) {
        netlink_close(netlink);
        return error;
    }
    *out = netlink;
    return 0;
}

void netlink_close(struct netlink *netlink)
{
    if (!netlink)
        return;
    nl_socket_free(netlink->watch);
    nl_socket_free(netlink->ask);
    free(netlink);
}

int netlink_fd(const struct netlink *netlink)
{
    return nl_socket_get_fd(netlink->watch);
}

/* One datagram from the kernel: *data is the caller's to free. Its length, 0 for one from elsewhere, or a negative
 * errno. */
static int receive(struct nl_sock *sock, unsigned char **data)
{
    struct sockaddr_nl from = {0};
    int length;

    *data = NULL;
    do
        length = nl_recv(sock, &from, data, NULL);
    while (length == -NLE_INTR);
    if (length < 0)
        return from_libnl(length);
    if (from.nl_pid != 0) {
        /* Any process may send to a netlink socket; only the kernel has port 0. */
        free(*data);
        *data = NULL;
        return 0;
    }
    return length;
}

int netlink_watch_policy(struct netlink *netlink, const uint8_t *protocols, unsigned count)
{
    int fd = nl_socket_get_fd(netlink->watch);
    int error = count <= WATCHED_PROTOCOLS ? watch_only(fd, protocols, count) : 0;

    if (count > WATCHED_PROTOCOLS && setsockopt(fd, SOL_SOCKET, SO_DETACH_FILTER, &(int){0}, sizeof(int)) != 0)
        error = -errno;
    if (error < 0)
        return error;
    return from_libnl(nl_socket_add_memberships(netlink->watch, RTNLGRP_IPV4_RULE, RTNLGRP_IPV6_RULE, 0));
}

/* What we changed ourselves is known already. */
static bool is_foreign_policy(const struct netlink *netlink, const struct nlmsghdr *h)
{
    bool policy = h->nlmsg_type == RTM_NEWROUTE || h->nlmsg_type == RTM_DELROUTE || h->nlmsg_type == RTM_NEWRULE ||
                  h->nlmsg_type == RTM_DELRULE;

    return policy && h->nlmsg_pid != nl_socket_get_local_port(netlink->ask);
}

int netlink_read(struct netlink *netlink, netlink_sink *sink, void *context)
{
    for (;;) {
        unsigned char *data;
        int length = receive(netlink->watch, &data);

        if (length == -EAGAIN)
            return 0;
        if (length < 0)
            return length;
        for (struct nlmsghdr *h = (struct nlmsghdr *)(void *)data; length > 0 && nlmsg_ok(h, length);
             h = nlmsg_next(h, &length)) {
            netlink_message_read(h, sink, context);
            if (is_foreign_policy(netlink, h))
                sink(context, &(struct netlink_event){.kind = NETLINK_POLICY_CHANGED});
        }
        free(data);
    }
}

/* What becomes of a dump's messages: one of both is there. */
struct dump_sink {
    netlink_sink *events;
    netlink_policy_sink *policies;
    void *context;
};

static void dump_message(struct nlmsghdr *h, const struct dump_sink *sink)
{
    struct netlink_policy policy = {0};

    if (sink->events)
        netlink_message_read(h, sink->events, sink->context);
    else if (netlink_route_read(h, &policy) || netlink_rule_read(h, &policy))
        sink->policies(sink->context, &policy);
}

/* What a dump's datagram says: 1 more follows, 0 done, negative errno. *interrupted when the kernel saw changes
 * meanwhile. */
static int dump_datagram(unsigned char *data, int length, uint32_t sequence, bool *interrupted,
                         const struct dump_sink *sink)
{
    for (struct nlmsghdr *h = (struct nlmsghdr *)(void *)data; nlmsg_ok(h, length); h = nlmsg_next(h, &length)) {
        if (h->nlmsg_seq != sequence)
            continue;
        if (h->nlmsg_flags & NLM_F_DUMP_INTR)
            *interrupted = true;
        if (h->nlmsg_type == NLMSG_DONE)
            return 0;
        if (h->nlmsg_type == NLMSG_ERROR)
            return netlink_message_error(h);
        dump_message(h, sink);
    }
    return 1;
}

static int dump_once(struct netlink *netlink, struct nl_msg *request, bool *interrupted, const struct dump_sink *sink)
{
    nl_complete_msg(netlink->ask, request);
    uint32_t sequence = nlmsg_hdr(request)->nlmsg_seq;
    int error = nl_sendto(netlink->ask, nlmsg_hdr(request), nlmsg_hdr(request)->nlmsg_len);

    if (error < 0)
        return from_libnl(error);
    for (;;) {
        unsigned char *data;
        int length = receive(netlink->ask, &data);

        if (length < 0)
            return length;
        int more = length == 0 ? 1 : dump_datagram(data, length, sequence, interrupted, sink);

        free(data);
        if (more <= 0)
            return more;
    }
}

static int dump(struct netlink *netlink, enum netlink_request kind, uint8_t protocol, const struct dump_sink *sink)
{
    for (int i = 0; i < DUMP_TRIES; i++) {
        bool interrupted = false;
        struct nl_msg *request = netlink_message_request(kind, protocol);

        if (!request)
            return -ENOMEM;
        int error = dump_once(netlink, request, &interrupted, sink);

        nlmsg_free(request);
        if (error < 0 || !interrupted)
            return error;
    }
    return -EAGAIN;
}

int netlink_dump(struct netlink *netlink, netlink_sink *sink, void *context)
{
    const struct dump_sink to = {.events = sink, .context = context};
    int error = dump(netlink, NETLINK_GET_LINKS, 0, &to);

    if (error == 0)
        error = dump(netlink, NETLINK_GET_ADDRESSES, 0, &to);
    return error;
}

/* A kernel without IPv6 has no such tables. */
static int without_family(int error)
{
    return error == -EAFNOSUPPORT || error == -EOPNOTSUPP ? 0 : error;
}

int netlink_dump_gateways(struct netlink *netlink, netlink_sink *sink, void *context)
{
    const struct dump_sink to = {.events = sink, .context = context};
    int error = dump(netlink, NETLINK_GET_ROUTES_IPV4, 0, &to);

    if (error == 0)
        error = dump(netlink, NETLINK_GET_ROUTES_IPV6, 0, &to);
    return without_family(error);
}

/* Only then does the kernel look at what a request for a dump asks for. */
static void ask_strictly(const struct netlink *netlink, bool strictly)
{
    const int on = strictly;

    (void)setsockopt(nl_socket_get_fd(netlink->ask), SOL_NETLINK, NETLINK_GET_STRICT_CHK, &on, sizeof(on));
}

int netlink_dump_routes(struct netlink *netlink, uint8_t protocol, netlink_policy_sink *sink, void *context)
{
    const struct dump_sink to = {.policies = sink, .context = context};

    ask_strictly(netlink, true);
    int error = dump(netlink, NETLINK_GET_PROTOCOL_IPV4, protocol, &to);

    if (error == 0)
        error = without_family(dump(netlink, NETLINK_GET_PROTOCOL_IPV6, protocol, &to));
    ask_strictly(netlink, false);
    return error;
}

int netlink_dump_rules(struct netlink *netlink, netlink_policy_sink *sink, void *context)
{
    const struct dump_sink to = {.policies = sink, .context = context};
    int error = dump(netlink, NETLINK_GET_RULES_IPV4, 0, &to);

    if (error == 0)
        error = dump(netlink, NETLINK_GET_RULES_IPV6, 0, &to);
    /* A kernel without policy routing has no rules. */
    return without_family(error);
}

struct batch {
    unsigned char *data;
    size_t used;
    unsigned wanted;         /* acknowledgements still to come */
    uint32_t first_sequence; /* older ones belong to a batch that was given up */
    struct netlink_change *changes;
    unsigned count;
};

/* Appends and frees a message. Its sequence number, or 0 when there was no memory for it. */
static uint32_t batch_append(struct netlink *netlink, struct batch *batch, struct nl_msg *message)
{
    if (!message)
        return 0;
    nl_complete_msg(netlink->ask, message);
    struct nlmsghdr *h = nlmsg_hdr(message);
    uint32_t sequence = h->nlmsg_seq;
    size_t length = NLMSG_ALIGN(h->nlmsg_len);

    if (length > BATCH_BYTES - batch->used) {
        nlmsg_free(message);
        return 0;
    }
    memcpy(batch->data + batch->used, h, h->nlmsg_len);
    if (batch->wanted++ == 0)
        batch->first_sequence = sequence;
    batch->used += length;
    nlmsg_free(message);
    return sequence;
}

static void batch_acknowledge(struct batch *batch, struct nlmsghdr *h)
{
    if ((int32_t)(h->nlmsg_seq - batch->first_sequence) < 0)
        return;
    batch->wanted -= batch->wanted > 0;
    for (unsigned i = 0; i < batch->count; i++)
        if (batch->changes[i].sequence == h->nlmsg_seq)
            batch->changes[i].error = netlink_message_verdict(&batch->changes[i], -netlink_message_error(h));
}

static int batch_send(struct netlink *netlink, struct batch *batch)
{
    int error = nl_sendto(netlink->ask, batch->data, batch->used);

    if (error < 0)
        return from_libnl(error);
    while (batch->wanted > 0) {
        unsigned char *data;
        int length = receive(netlink->ask, &data);

        if (length < 0)
            return length;
        for (struct nlmsghdr *h = (struct nlmsghdr *)(void *)data; length > 0 && nlmsg_ok(h, length);
             h = nlmsg_next(h, &length))
            if (h->nlmsg_type == NLMSG_ERROR)
                batch_acknowledge(batch, h);
        free(data);
    }
    return 0;
}

/* The messages of up to BATCH_MESSAGES changes; returns how many of them fitted. */
static unsigned batch_fill(struct netlink *netlink, struct batch *batch, struct netlink_change *changes, unsigned count)
{
    int promoted = 0;

    batch->used = 0;
    batch->wanted = 0;
    batch->changes = changes;
    for (batch->count = 0; batch->count < count && batch->wanted + 1 < BATCH_MESSAGES; batch->count++) {
        struct netlink_change *change = &changes[batch->count];
        struct nl_msg *message = netlink_message_change(change);

        /* A route with many next hops is long. */
        if (message && batch->count > 0 && nlmsg_hdr(message)->nlmsg_len > BATCH_BYTES - PROMOTE_BYTES - batch->used) {
            nlmsg_free(message);
            break;
        }
        if (change->kind == NETLINK_REMOVE_ADDRESS && change->address.family == FAMILY_IPV4 &&
            change->ifindex != promoted) {
            promoted = change->ifindex;
            batch_append(netlink, batch, netlink_link_promote(change->ifindex));
        }
        change->error = ENOMEM;
        change->sequence = batch_append(netlink, batch, message);
    }
    return batch->count;
}

int netlink_apply(struct netlink *netlink, struct netlink_change *changes, unsigned count)
{
    struct batch batch = {.data = malloc(BATCH_BYTES)};
    int error = batch.data ? 0 : -ENOMEM;

    while (error == 0 && count > 0) {
        unsigned done = batch_fill(netlink, &batch, changes, count);

        error = batch_send(netlink, &batch);
        changes += done;
        count -= done;
    }
    free(batch.data);
    return error;
}
