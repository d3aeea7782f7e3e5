# SPDX-License-Identifier: GPL-2.0-or-later
"""A stranger with a raw socket on a LAN of the Lab: it sends any frame, records all that arrive with the kernel's time, and waits
for facts in the record.

Owns one packet socket in a node's namespace and the thread that reads it. What the bytes mean is packets.py's.
"""
import contextlib
import ctypes
import mmap
import os
import select
import socket
import struct
import threading
import time

import packets
import rig

ETH_P_ALL = 3
CLONE_NEWNET = 0x40000000
SO_TIMESTAMPNS = 35
SO_RCVBUFFORCE = 33
SOL_PACKET, PACKET_STATISTICS, PACKET_IGNORE_OUTGOING = 263, 6, 23
RECEIVE_BUFFER = 16 << 20
WAIT_S = 10


def socket_inside(node, *arguments):
    """A socket that belongs to the node's namespace; this thread is back in its own when it returns."""
    libc = ctypes.CDLL(None, use_errno=True)
    with open("/proc/thread-self/ns/net", "rb") as own, open(f"/proc/{node.holder.pid}/ns/net", "rb") as other:
        if libc.setns(other.fileno(), CLONE_NEWNET) != 0:
            raise OSError(ctypes.get_errno(), "setns")
        try:
            return socket.socket(*arguments)
        finally:
            if libc.setns(own.fileno(), CLONE_NEWNET) != 0:
                os.abort()  # nothing may go on in the wrong namespace


class Mark(int):
    """A place in the record, and its time."""
    at = 0.0


class Feed:
    """Sends frames every so often until its end, in a process of its own: nothing that a test does holds it up."""

    def __init__(self, out, frames, every_s):
        self.shared = mmap.mmap(-1, 8)
        over, self.alive = os.pipe()
        self.pid = os.fork()
        if self.pid == 0:
            status = 1
            try:
                os.close(self.alive)
                self._send(out, frames, every_s, over)
                status = 0
            finally:
                os._exit(status)
        os.close(over)

    def _send(self, out, frames, every_s, over):
        rig.be_punctual()
        while True:
            self.shared[:] = struct.pack("d", time.time())
            for frame in frames:
                out.send(frame)
            if select.select([over], [], [], every_s)[0]:
                return

    def end(self):
        os.close(self.alive)
        if os.waitpid(self.pid, 0)[1] != 0:
            raise rig.RigError("frames could not be sent")

    @property
    def last(self):
        """When the latest round began."""
        return struct.unpack("d", self.shared[:])[0]


class Tester:
    """On `node`, LAN `lan` (or a port of one's own, a dict as in Node.ports). `record` holds everything heard: Advert, Claim, or
    plain bytes; a position in it is a moment."""

    def __init__(self, node, lan=0, port=None):
        self.node, self.port = node, port or node.ports[lan]
        self.mac, self.ipv4, self.link_local = self.port["mac"], self.port["ipv4"], self.port["link_local"]
        self.record, self.news, self.ended = [], threading.Condition(), False
        self.socket = socket_inside(node, socket.AF_PACKET, socket.SOCK_RAW, 0)
        self.socket.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, RECEIVE_BUFFER)
        self.socket.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
        self.socket.setsockopt(SOL_PACKET, PACKET_IGNORE_OUTGOING, 1)
        self.socket.bind((self.port["interface"], ETH_P_ALL))
        self.socket.settimeout(0.2)
        self.thread = threading.Thread(target=self._read, daemon=True)
        self.thread.start()

    def close(self):
        self.ended = True
        self.thread.join()
        self.socket.close()

    def _read(self):
        rig.be_punctual()
        while not self.ended:
            try:
                frame, extra, _, _ = self.socket.recvmsg(2048, 64)
            except TimeoutError:
                continue
            stamps = [data for level, kind, data in extra if kind == SO_TIMESTAMPNS]
            seconds, nanoseconds = struct.unpack("qq", stamps[0][:16]) if stamps else (time.time(), 0)
            moment = seconds + nanoseconds / 1e9
            item = packets.read_advert(moment, frame) or packets.read_claim(moment, frame) or frame
            with self.news:
                self.record.append(item)
                self.news.notify_all()

    def lost(self):
        """Frames that the record misses."""
        return struct.unpack("II", self.socket.getsockopt(SOL_PACKET, PACKET_STATISTICS, 8))[1]

    # Sending

    def send(self, *frames):
        for frame in frames:
            self.socket.send(frame)

    @contextlib.contextmanager
    def feeding(self, *frames, every_s=0.08):
        """Sends the frames again and again while the block runs. `.last` of what it yields is the time of the latest round."""
        feed = Feed(self.socket, frames, every_s)
        try:
            yield feed
        finally:
            feed.end()

    # The record

    def mark(self):
        """From here on: what came before by the kernel's time does not count, even when it is recorded later."""
        with self.news:
            mark = Mark(len(self.record))
            mark.at = time.time()
            return mark

    def since(self, mark, match=lambda item: True, kind=object):
        at = getattr(mark, "at", 0)
        with self.news:
            return [item for item in self.record[mark:]
                    if isinstance(item, kind) and getattr(item, "time", at) >= at and match(item)]

    def adverts(self, mark=0, **wanted):
        """Adverts since `mark` whose attributes have the wanted values."""
        return self.since(mark, lambda a: all(getattr(a, k) == v for k, v in wanted.items()), packets.Advert)

    def adverts_during(self, seconds, **wanted):
        """Those of the next so many seconds, however late this machine is to look."""
        mark = self.mark()
        rig.linger(seconds)
        return [a for a in self.adverts(mark, **wanted) if a.time < mark.at + seconds]

    def claims(self, mark=0, **wanted):
        return self.since(mark, lambda c: all(getattr(c, k) == v for k, v in wanted.items()), packets.Claim)

    def wait(self, find, deadline_s, what):
        """The first true value of `find()`, asked anew as frames arrive."""
        end = time.monotonic() + deadline_s
        while True:
            value = find()
            if value:
                return value
            left = end - time.monotonic()
            if left <= 0:
                raise rig.RigError(f"not within {deadline_s} s: {what}")
            with self.news:
                self.news.wait(min(left, 0.05))

    def wait_advert(self, mark, deadline_s=WAIT_S, positive=False, **wanted):
        """The first advert since `mark` with these attributes; `positive`: not one of priority 0."""
        def find():
            return [a for a in self.adverts(mark, **wanted) if a.priority > 0 or not positive][:1]

        return self.wait(find, deadline_s, f"an advertisement with {wanted}")[0]

    def wait_claim(self, mark, deadline_s=WAIT_S, **wanted):
        return self.wait(lambda: self.claims(mark, **wanted)[:1], deadline_s, f"a claim with {wanted}")[0]

    # Asking, as any neighbour does

    def arp_question(self, address, target_mac="ff:ff:ff:ff:ff:ff"):
        body = bytes.fromhex("00010800060400 01".replace(" ", "")) + packets.mac_bytes(self.mac) + packets.packed(self.ipv4)
        body += bytes(6) + packets.packed(address)
        return packets.mac_bytes(target_mac) + packets.mac_bytes(self.mac) + b"\x08\x06" + body

    def solicitation(self, address, target_mac=None):
        """Multicast to the solicited-node group, or unicast to `target_mac`."""
        target = packets.packed(address)
        group = bytes.fromhex("ff0200000000000000000001ff") + target[13:]
        destination = target if target_mac else group
        mac = packets.mac_bytes(target_mac) if target_mac else b"\x33\x33" + group[12:]
        source = packets.packed(self.link_local)
        body = b"\x87\0\0\0" + bytes(4) + target + b"\x01\x01" + packets.mac_bytes(self.mac)
        pseudo = source + destination + struct.pack("!II", len(body), 58)
        body = body[:2] + struct.pack("!H", ~packets.ones_sum(pseudo + body) & 0xffff) + body[4:]
        head = struct.pack("!IHBB", 6 << 28, len(body), 58, 255) + source + destination
        return mac + packets.mac_bytes(self.mac) + b"\x86\xdd" + head + body

    def question(self, address, target_mac=None):
        if packets.family_of(address) == 6:
            return self.solicitation(address, target_mac)
        return self.arp_question(address, *([target_mac] if target_mac else []))

    def answers(self, mark, address):
        """Claims since `mark` that answer a question for `address` with the asker as their destination."""
        kind = "advert" if packets.family_of(address) == 6 else "reply"
        return self.claims(mark, address=address, kind=kind, destination_mac=self.mac)
