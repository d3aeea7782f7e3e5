# SPDX-License-Identifier: GPL-2.0-or-later
"""Who claimed which address, by every frame that left a host: captured at the switch's ports, so that a frame's origin
is certain whatever MAC it names. `with Claims(lab, vips) as claims: ...; claims.wrong()`"""
import contextlib
import ipaddress
import os
import signal
import struct

import rig

FILTER = "arp or ip proto 112 or ip6 proto 112 or icmp6"
PCAP_MAGIC = 0xa1b2c3d4


def frames(path):
    """(time, bytes) of each packet of a pcap file in this machine's byte order."""
    with open(path, "rb") as f:
        data = f.read()
    if struct.unpack_from("=I", data)[0] != PCAP_MAGIC:
        raise rig.RigError(f"{path}: not a capture of microseconds")
    at = 24
    while at + 16 <= len(data):
        seconds, micros, length, _ = struct.unpack_from("=IIII", data, at)
        yield seconds + micros / 1e6, data[at + 16:at + 16 + length]
        at += 16 + length


def text(raw):
    return str(ipaddress.ip_address(raw))


def read_vrrp(packet, wide):
    """("advert", addresses, priority) of a VRRP message behind its IP header."""
    size = 16 if wide else 4
    addresses = [text(packet[8 + i * size:8 + (i + 1) * size]) for i in range(packet[3])]
    return "advert", addresses, packet[2]


def read(frame):
    """What a frame says: ("advert", addresses, priority), ("claim", [address], what), or None."""
    kind = struct.unpack_from("!H", frame, 12)[0]
    if kind == 0x0806 and len(frame) >= 42:
        operation = struct.unpack_from("!H", frame, 20)[0]
        return "claim", [text(frame[28:32])], f"ARP {'request' if operation == 1 else 'reply'}"
    if kind == 0x0800 and frame[23] == 112:
        return read_vrrp(frame[14 + (frame[14] & 15) * 4:], False)
    if kind == 0x86dd and frame[20] == 112:
        return read_vrrp(frame[54:], True)
    if kind == 0x86dd and frame[20] == 58 and frame[54] == 136:
        return "claim", [text(frame[62:78])], "neighbour advertisement"
    if kind == 0x86dd and frame[20] == 58 and frame[54] == 135:
        return "claim", [text(frame[22:38])], "neighbour solicitation"
    return None


class Claims:
    def __init__(self, lab, vips):
        self.lab, self.children = lab, {}
        self.vips = {str(ipaddress.ip_address(vip)) for vip in vips}
        for host in lab.hosts:
            path = os.path.join(lab.switch.dir, f"{host.name}.pcap")
            self.children[host.name] = (path, lab.switch.spawn(
                "tcpdump", "-i", host.ports[0]["port"], "-Q", "in", "-w", path, "-U", "--immediate-mode", "-Z", "root",
                FILTER, log="tcpdump.txt"))
        rig.wait_until(lambda: all(os.path.exists(p) for p, _ in self.children.values()), 5, "captures run")

    def __enter__(self):
        return self

    def __exit__(self, *problem):
        for _, child in self.children.values():
            if child.poll() is None:
                child.send_signal(signal.SIGINT)
        for _, child in self.children.values():
            with contextlib.suppress(Exception):
                child.wait(5)

    def _said(self):
        """All that was said of the VIPs, in its order: (time, host, what)."""
        said = []
        for host, (path, _) in self.children.items():
            for when, frame in frames(path):
                what = read(frame)
                if what and self.vips & set(what[1]):
                    said.append((when, host, what))
        return sorted(said, key=lambda s: s[0])

    def judged(self):
        """(number of claims, those made by a host that was not the last to advertise the address)."""
        rig.pace(0.3)  # what has left is in the files then
        self.__exit__()
        holder, count, wrong = {}, 0, []
        for when, host, (kind, addresses, detail) in self._said():
            for vip in self.vips & set(addresses):
                if kind == "claim":
                    count += 1
                    if holder.get(vip, host) != host:
                        wrong.append(f"{when:.6f} {host}: {detail} for {vip}, held by {holder[vip]}")
                elif detail > 0:
                    holder[vip] = host
                elif holder.get(vip) == host:
                    holder[vip] = None
        return count, wrong
