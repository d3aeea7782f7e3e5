/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A kernel without nftables' egress hook, for programs started with this library preloaded: it turns every request for
 * a base chain at egress into one for a hook that no kernel has, which the kernel then refuses as an old one would.
 * Built by test_instances_faults.py.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

/* NFTA_CHAIN_HOOK { NFTA_HOOK_HOOKNUM: NF_NETDEV_EGRESS, in network order }, but for the nest's length. */
static const unsigned char EGRESS[] = {0x04, 0x80, 0x08, 0x00, 0x01, 0x00, 0x00, 0x00, 0x00, 0x01};
enum { NO_SUCH_HOOK = 99 };

typedef ssize_t send_function(int, const void *, size_t, int, const struct sockaddr *, socklen_t);

ssize_t sendto(int fd, const void *bytes, size_t length, int flags, const struct sockaddr *address, socklen_t size)
{
    send_function *next = (send_function *)dlsym(RTLD_NEXT, "sendto");
    unsigned char *copy = address != NULL && address->sa_family == AF_NETLINK ? malloc(length) : NULL;

    if (copy == NULL)
        return next(fd, bytes, length, flags, address, size);
    unsigned char *at = memcpy(copy, bytes, length), *end = copy + length;

    while ((at = memmem(at, (size_t)(end - at), EGRESS, sizeof(EGRESS))) != NULL) {
        at += sizeof(EGRESS);
        at[-1] = NO_SUCH_HOOK;
    }
    ssize_t sent = next(fd, copy, length, flags, address, size);

    free(copy);
    return sent;
}
