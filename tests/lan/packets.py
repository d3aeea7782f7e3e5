# SPDX-License-Identifier: GPL-2.0-or-later
"""VRRP and its neighbours as bytes, written down a second time, from the RFCs and not from our codec: what the tests send, right
or wrong in one field at a time, and what they read from a capture.

Pure functions; the wire itself is tester.py's.
"""
import ipaddress
import struct
from dataclasses import dataclass, field

GROUP = {4: "224.0.0.18", 6: "ff02::12"}
GROUP_MAC = {4: "01:00:5e:00:00:12", 6: "33:33:00:00:00:12"}
VRRP = 112


def mac_bytes(text):
    return bytes.fromhex(text.replace(":", ""))


def mac_text(raw):
    return ":".join(f"{b:02x}" for b in raw)


def packed(address):
    return ipaddress.ip_address(address).packed


def family_of(address):
    return ipaddress.ip_address(address).version


def virtual_mac(family, vrid):
    return f"00:00:5e:00:{1 if family == 4 else 2:02x}:{vrid:02x}"


def unit_link_local(vrid):
    """The link-local address of an IPv6 unit that lists none: made from its virtual MAC."""
    return f"fe80::200:5eff:fe00:2{vrid:02x}"


def ones_sum(data):
    if len(data) % 2:
        data += b"\0"
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return total


def pseudo_header(source, destination, length):
    return packed(source) + packed(destination) + struct.pack("!IHBB", length, 0, 0, VRRP)


def message(vrid, priority, addresses, *, version=3, interval=25, kind=1, count=None, reserve=0, auth_type=0, auth=bytes(8)):
    """A VRRP message with checksum 0. `interval` in the version's own unit: hundredths of a second, or seconds."""
    head = struct.pack("!BBBB", version << 4 | kind, vrid, priority, len(addresses) if count is None else count)
    timing = struct.pack("!BB", auth_type, interval) if version == 2 else struct.pack("!H", reserve << 12 | interval)
    return head + timing + b"\0\0" + b"".join(packed(a) for a in addresses) + (auth if version == 2 else b"")


def sealed(raw, source, destination, form="plain", error=0, covered=None):
    """The message with its checksum: over itself alone ("plain") or with the pseudo header. `error` is added to it; `covered`
    bytes only are summed up, the rest trails behind."""
    covered = len(raw) if covered is None else covered
    head = pseudo_header(source, destination, covered) if form == "pseudo" else b""
    value = ~ones_sum(head + raw[:covered]) & 0xffff
    return raw[:6] + struct.pack("!H", (value + error) & 0xffff) + raw[8:]


def ip_packet(payload, source, destination, *, ttl=255, protocol=VRRP, options=b"", total=None, fragment=0):
    if family_of(source) == 6:
        length = len(payload) if total is None else total
        return struct.pack("!IHBB", 6 << 28 | 0xc0 << 20, length, protocol, ttl) + packed(source) + packed(destination) + payload
    size = 20 + len(options)
    length = size + len(payload) if total is None else total
    head = struct.pack("!BBHHHBBH", 0x40 | size // 4, 0xc0, length, 0, fragment, ttl, protocol, 0)
    head += packed(source) + packed(destination) + options
    return head[:10] + struct.pack("!H", ~ones_sum(head) & 0xffff) + head[12:] + payload


def ethernet(packet, source_mac, destination_mac):
    kind = 0x0800 if packet[:1] and packet[0] >> 4 != 6 else 0x86dd
    return mac_bytes(destination_mac) + mac_bytes(source_mac) + struct.pack("!H", kind) + packet


def advert_frame(source, vrid, priority, addresses, *, form=None, error=0, tail=b"", ttl=255, destination=None, options=b"",
                 total=None, fragment=0, cut=None, protocol=VRRP, **fields):
    """A whole frame, from the virtual MAC. `cut`: only so many bytes of the message; `tail`: bytes behind it."""
    family = family_of(source)
    destination = destination or GROUP[family]
    form = form or ("pseudo" if family == 6 else "plain")
    raw = sealed(message(vrid, priority, addresses, **fields), source, destination, form, error)
    raw = (raw if cut is None else raw[:cut]) + tail
    packet = ip_packet(raw, source, destination, ttl=ttl, options=options, total=total, fragment=fragment, protocol=protocol)
    return ethernet(packet, virtual_mac(family, vrid), GROUP_MAC[family])


@dataclass
class Advert:
    """An advertisement from the wire; `time` is the kernel's, in seconds."""
    time: float
    frame: bytes = field(repr=False)
    destination_mac: str
    source_mac: str
    family: int
    source: str
    destination: str
    ttl: int
    message: bytes = field(repr=False)

    def __post_init__(self):
        self.version, self.kind = self.message[0] >> 4, self.message[0] & 15
        self.vrid, self.priority, self.count = self.message[1:4]
        self.interval = self.message[5] if self.version == 2 else (self.message[4] & 15) << 8 | self.message[5]
        size = 4 if self.family == 4 else 16
        self.addresses = [str(ipaddress.ip_address(self.message[8 + i * size:8 + (i + 1) * size])) for i in range(self.count)]
        self.is_member = self.version == 3 and self.addresses == [self.source]

    def checksum_form(self):
        if self.family == 4 and ones_sum(self.message) == 0xffff:
            return "plain"
        whole = pseudo_header(self.source, self.destination, len(self.message)) + self.message
        return "pseudo" if ones_sum(whole) == 0xffff else "wrong"


def read_advert(time, frame):
    """The Advert in a frame, or None when it holds none."""
    kind, packet = frame[12:14], frame[14:]
    if kind == b"\x08\x00" and len(packet) >= 28 and packet[9] == VRRP:
        size, family = (packet[0] & 15) * 4, 4
        payload = packet[size:struct.unpack("!H", packet[2:4])[0]]
        source, destination, ttl = packet[12:16], packet[16:20], packet[8]
    elif kind == b"\x86\xdd" and len(packet) >= 48 and packet[6] == VRRP:
        family, payload = 6, packet[40:40 + struct.unpack("!H", packet[4:6])[0]]
        source, destination, ttl = packet[8:24], packet[24:40], packet[7]
    else:
        return None
    return Advert(time, frame, mac_text(frame[:6]), mac_text(frame[6:12]), family, str(ipaddress.ip_address(source)),
                  str(ipaddress.ip_address(destination)), ttl, payload)


@dataclass
class Claim:
    """A frame that says "address is at mac": any ARP (`kind` request or reply) by its sender fields, or a neighbour advertisement
    (`kind` advert). `target` is ARP's; `flags` is the neighbour advertisement's R, S and O as text."""
    time: float
    frame: bytes = field(repr=False)
    destination_mac: str
    source_mac: str
    kind: str
    address: str
    mac: str
    target: str = ""
    target_mac: str = ""
    flags: str = ""
    source: str = ""
    destination: str = ""


def read_arp(time, frame):
    operation = struct.unpack("!H", frame[20:22])[0]
    if frame[14:20] != bytes.fromhex("000108000604") or operation not in (1, 2):
        return None
    return Claim(time, frame, mac_text(frame[:6]), mac_text(frame[6:12]), "request" if operation == 1 else "reply",
                 str(ipaddress.ip_address(frame[28:32])), mac_text(frame[22:28]),
                 target=str(ipaddress.ip_address(frame[38:42])), target_mac=mac_text(frame[32:38]))


def read_neighbour_advert(time, frame):
    body = frame[54:]
    if frame[20] != 58 or len(body) < 24 or body[0] != 136:
        return None
    flags = "".join(letter for letter, bit in (("R", 0x80), ("S", 0x40), ("O", 0x20)) if body[4] & bit)
    mac = mac_text(body[26:32]) if len(body) >= 32 and body[24:26] == b"\x02\x01" else ""
    return Claim(time, frame, mac_text(frame[:6]), mac_text(frame[6:12]), "advert", str(ipaddress.ip_address(body[8:24])), mac,
                 flags=flags, source=str(ipaddress.ip_address(frame[22:38])),
                 destination=str(ipaddress.ip_address(frame[38:54])))


def read_claim(time, frame):
    """The Claim in a frame, or None."""
    if len(frame) >= 42 and frame[12:14] == b"\x08\x06":
        return read_arp(time, frame)
    if len(frame) >= 78 and frame[12:14] == b"\x86\xdd":
        return read_neighbour_advert(time, frame)
    return None
