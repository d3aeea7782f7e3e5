#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Fifty ordinary clients of a lab: each has an interface, an address and a neighbour table of the kernel's own, and asks
every VIP for an echo, again and again. (One namespace holds them all; entries of a neighbour table belong to an
interface, so that each client has its own.)

Used as a module by tests; run by them inside the namespace as a program: it prints {"client vip": longest gap in ms}
when its input ends.
"""
import contextlib
import ipaddress
import json
import os
import select
import socket
import struct
import subprocess
import sys
import time

ECHO_S = 0.2
SETTINGS = ("all/arp_ignore=1", "all/arp_announce=2", "all/rp_filter=0")


def address_of(number, family):
    return f"192.0.2.{100 + number}" if family == 4 else f"2001:db8::1:{number:x}"


class Clients:
    """`with Clients(lab, vips, 4) as clients: ...; clients.gaps_ms()`"""

    def __init__(self, lab, vips, family=4, count=50):
        self.node, self.family, self.count = lab.witness, family, count
        self.vips = [str(ipaddress.ip_address(vip)) for vip in vips]
        lines = []
        for n in range(1, count + 1):
            lines += [f"link add c{n} link eth0 address 02:4b:00:01:00:{n:02x} type macvlan mode bridge",
                      f"addr add {address_of(n, family)}/{24 if family == 4 else 64} dev c{n}"
                      + (" nodad" if family == 6 else ""), f"link set c{n} up"]
        for setting in SETTINGS:
            name, value = setting.split("=")
            self.node.run("sh", "-c", f"echo {value} >/proc/sys/net/ipv4/conf/{name}")
        self.node.run("ip", "-batch", "-", input="\n".join(lines) + "\n")
        self.child = self.node.spawn(sys.executable, os.path.abspath(__file__), str(family), str(count),
                                     *self.vips, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def __enter__(self):
        return self

    def __exit__(self, *problem):
        with contextlib.suppress(OSError):
            self.child.kill()
        self.child.wait()

    def caches(self):
        """{(client's interface, vip): MAC or None} as the kernel has it now."""
        out = self.node.run("ip", f"-{self.family}", "-j", "neigh", "show").stdout
        found = {(e["dev"], e["dst"]): e.get("lladdr") for e in json.loads(out)}
        return {(f"c{n}", vip): found.get((f"c{n}", vip)) for n in range(1, self.count + 1) for vip in self.vips}

    def gaps_ms(self):
        """Ends the clients. {(client, vip): longest time without an answer}; None: never answered."""
        text, _ = self.child.communicate(timeout=20)
        return {tuple(key.split(" ")): gap for key, gap in json.loads(text).items()}


def open_client(number, family):
    kind = socket.AF_INET if family == 4 else socket.AF_INET6
    protocol = socket.IPPROTO_ICMP if family == 4 else socket.IPPROTO_ICMPV6
    s = socket.socket(kind, socket.SOCK_RAW, protocol)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, f"c{number}".encode())
    s.bind((address_of(number, family), 0))
    s.setblocking(False)
    return s


def echo_request(number, family):
    """An echo request. The kernel adds ICMPv6's checksum; IPv4's is ours."""
    packet = struct.pack("!BBHHH", 8 if family == 4 else 128, 0, 0, 0x4b00 | number, 0)
    if family == 6:
        return packet
    total = sum(struct.unpack("!4H", packet))
    return packet[:2] + struct.pack("!H", ~((total & 0xffff) + (total >> 16)) & 0xffff) + packet[4:]


def is_answer(packet, number, family):
    body = packet[(packet[0] & 15) * 4:] if family == 4 else packet
    return len(body) >= 8 and body[0] == (0 if family == 4 else 129) and body[4:6] == struct.pack("!H", 0x4b00 | number)


def main(family, count, vips):
    sockets = {n: open_client(n, family) for n in range(1, count + 1)}
    numbers = {s.fileno(): n for n, s in sockets.items()}
    requests = {n: echo_request(n, family) for n in sockets}
    last = {(n, vip): None for n in sockets for vip in vips}
    gaps = dict.fromkeys(last)
    poll = select.poll()
    poll.register(sys.stdin, select.POLLIN)
    for fd in numbers:
        poll.register(fd, select.POLLIN)
    due = time.monotonic()
    while True:
        now = time.monotonic()
        if now >= due:
            due += ECHO_S
            for n, s in sockets.items():
                for vip in vips:
                    with contextlib.suppress(OSError):  # no neighbour, for a moment
                        s.sendto(requests[n], (vip, 0))
        for fd, _ in poll.poll(max(0, (due - time.monotonic()) * 1000)):
            if fd == sys.stdin.fileno():
                if not sys.stdin.readline():
                    return finish(gaps, last)
                continue
            take(sockets[numbers[fd]], numbers[fd], family, last, gaps)


def take(client, number, family, last, gaps):
    with contextlib.suppress(BlockingIOError):
        while True:
            packet, source = client.recvfrom(256)
            key = (number, source[0])
            if key not in last or not is_answer(packet, number, family):
                continue
            now = time.monotonic()
            if last[key] is not None:
                gaps[key] = max(gaps[key] or 0, (now - last[key]) * 1000)
            last[key] = now


def finish(gaps, last):
    now = time.monotonic()
    for key, when in last.items():
        if when is not None:
            gaps[key] = max(gaps[key] or 0, (now - when) * 1000)
    print(json.dumps({f"c{n} {vip}": gap for (n, vip), gap in gaps.items()}))


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3:])
