# SPDX-License-Identifier: GPL-2.0-or-later
"""Ports (src/platform/packet.c) between two namespaces of our own: what one sends the other receives, nothing else is
received, the egress hook sees what we send, bursts are not lost. Works through packet_probe (packet_probe.c beside this
file), looked for in $EVENKEEL_BUILD/tests/lan, by default in the source tree. Needs root.
"""

import errno
import json
import os
import pathlib
import re
import subprocess
import sys
import time

import pytest

import rig

BUILD = pathlib.Path(os.environ.get("EVENKEEL_BUILD", pathlib.Path(__file__).resolve().parents[2] / "build"))
PROBE = str(BUILD / "tests" / "lan" / "packet_probe")
LIMIT_S = 30
ENETDOWN = 100
VRRP = bytes.fromhex("45c0002400000000ff70d0490a4d0001e0000012" "3101640200645599" "0a4d0032" "0a4d0033")
SEND_RAW = """
import socket, sys
port = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
port.bind(("port", 0))
for _ in range(int(sys.argv[2])):
    port.send(bytes.fromhex(sys.argv[1]))
"""


def run(*command):
    return subprocess.run(command, check=True, capture_output=True, text=True, timeout=LIMIT_S).stdout


class Side:
    """One end of the pair: a namespace with the link `port`."""

    def __init__(self, name):
        self.name = name

    def run(self, *command):
        return run("ip", "netns", "exec", self.name, *command)

    def send(self, kind, count, link="port"):
        return json.loads(self.run(PROBE, "send", link, str(count), kind))

    def start(self, *arguments):
        """Starts the probe and returns it when its port is open."""
        process = subprocess.Popen(
            ["ip", "netns", "exec", self.name, PROBE, *map(str, arguments)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert process.stdout.readline() == "ready\n"
        return process

    def receive(self, count, timeout_ms=500, pause_ms=0):
        return self.start("receive", "port", count, timeout_ms, pause_ms)

    def wait_carrier(self):
        rig.wait_until(lambda: "LOWER_UP" in self.run("ip", "link", "show", "port"), 5, f"carrier in {self.name}")

    def ruleset(self, rule):
        text = "table netdev probe {\nchain out {\ntype filter hook egress device port priority 0\n%s\n}\n}\n" % rule
        subprocess.run(["ip", "netns", "exec", self.name, "nft", "-f", "-"], input=text, text=True, check=True,
                       timeout=LIMIT_S)

    def counted_packets(self):
        listing = json.loads(self.run("nft", "-j", "list", "table", "netdev", "probe"))
        rules = [item["rule"] for item in listing["nftables"] if "rule" in item]
        return [part["counter"]["packets"] for rule in rules for part in rule["expr"] if "counter" in part]


def result(process):
    out, _ = process.communicate(timeout=LIMIT_S)
    assert process.returncode == 0
    return json.loads(out)


@pytest.fixture
def pair():
    names = ["ekpk%d%s" % (os.getpid(), end) for end in "ab"]
    made = []
    try:
        for name in names:
            run("ip", "netns", "add", name)
            made.append(name)
        run("ip", "-n", names[0], "link", "add", "port", "type", "veth", "peer", "name", "port", "netns", names[1])
        for name in names:
            run("ip", "-n", name, "link", "set", "port", "up")
        sides = Side(names[0]), Side(names[1])
        for side in sides:
            side.wait_carrier()
        yield sides
    finally:
        for name in made:
            subprocess.run(["ip", "netns", "del", name], check=False, timeout=LIMIT_S)


@pytest.mark.parametrize("kind, read_as", [
    ("vrrp", "vrrp"), ("vrrp6", "vrrp"), ("garp", "claim"), ("na", "claim"), ("arp-probe", "arp_request")])
def test_packet__each_kind__arrives_and_is_recognised(pair, kind, read_as):
    a, b = pair
    receiver = b.receive(3, timeout_ms=5000)
    assert a.send(kind, 3)["frames_out"] == 3
    got = result(receiver)
    assert (got["total"], got[read_as], got["kernel_drops"]) == (3, 3, 0)


def test_packet__solicitation__is_answered_to_us(pair):
    a, b = pair
    b.run("ip", "address", "add", "fe80::2/64", "dev", "port", "nodad")
    b.run("ip", "address", "add", "10.77.0.2/24", "dev", "port")
    a.run("ip", "address", "add", "10.77.0.1/24", "dev", "port")
    receiver = a.receive(2, timeout_ms=5000)
    a.send("ns-probe", 1)
    a.send("arp-probe", 1)
    got = result(receiver)
    assert (got["claim"], got["to_us"]) == (2, 2)


def test_packet__other_traffic__is_not_received(pair):
    a, b = pair
    for side, host in ((a, 1), (b, 2)):
        side.run("ip", "address", "add", "10.77.0.%d/24" % host, "dev", "port")
        side.run("ping", "-c1", "-W5", "10.77.0.%d" % (3 - host)) if side is b else None
    receiver = b.receive(1, timeout_ms=1500)
    a.run("ping", "-c10", "-i0.05", "10.77.0.2")
    got = result(receiver)
    assert got["vrrp"] == 0 and got["other"] == 0


def test_packet__own_frames__are_not_received(pair):
    a, _ = pair
    receiver = a.receive(1)
    assert a.send("garp", 20)["frames_out"] == 20
    assert result(receiver)["total"] == 0


@pytest.mark.parametrize("vlan, arrive", [(5, 0), (0, 4)])
def test_packet__vlan_tag__is_dropped_unless_it_is_only_a_priority(pair, vlan, arrive):
    a, b = pair
    receiver = b.receive(4)
    frame = bytes.fromhex("01005e000012" "020000000001" "8100" "%04x" "0800" % (0xe000 | vlan)) + VRRP
    a.run(sys.executable, "-c", SEND_RAW, frame.hex(), "4")
    got = result(receiver)
    assert (got["total"], got["vrrp"]) == (arrive, arrive)


def test_packet__egress_hook__sees_every_frame(pair):
    a, _ = pair
    a.ruleset("ip protocol 112 counter; arp operation request counter; icmpv6 type nd-neighbor-advert counter")
    a.send("vrrp", 5)
    a.send("garp", 7)
    a.send("na", 9)
    vrrp, arp, advert = a.counted_packets()
    assert (vrrp, arp) == (5, 7)
    assert advert >= 9  # the kernel may send one of its own


def test_packet__egress_drop__is_counted_and_stops_no_other_frame(pair):
    a, b = pair
    a.ruleset("arp operation request drop")
    receiver = b.receive(50, timeout_ms=5000)
    sent = a.send("vrrp-and-garp", 100)
    assert (sent["frames_out"], sent["send_errors"]) == (50, 50)
    assert result(receiver)["vrrp"] == 50


def test_packet__burst_of_1000__nothing_is_lost_while_the_reader_sleeps(pair):
    a, b = pair
    receiver = b.receive(1000, timeout_ms=5000, pause_ms=1000)
    sent = a.send("vrrp", 1000)
    assert (sent["frames_out"], sent["send_errors"]) == (1000, 0)
    got = result(receiver)
    assert (got["vrrp"], got["kernel_drops"], got["truncated"]) == (1000, 0, 0)


def test_packet__timestamps__are_of_arrival_not_of_reading(pair):
    a, b = pair
    receiver = b.receive(20, timeout_ms=5000, pause_ms=1000)
    ready = time.monotonic()
    a.send("vrrp", 20)
    sent_after_s = time.monotonic() - ready
    got = result(receiver)
    elapsed_s = time.monotonic() - ready
    assert got["age_min_us"] >= (1.0 - sent_after_s) * 1e6 - 50e3  # the pause began a little before we saw "ready"
    assert got["age_max_us"] <= elapsed_s * 1e6 + 50e3


def test_packet__link_down_and_up__is_told_once_and_the_port_goes_on(pair):
    a, b = pair
    receiver = b.receive(3, timeout_ms=8000)
    b.run("ip", "link", "set", "port", "down")
    assert a.send("vrrp", 2)["frames_out"] + 0 in (0, 2)  # carrier is gone: dropped here or there
    b.run("ip", "link", "set", "port", "up")
    a.run("ip", "link", "set", "port", "down")
    refused = a.send("vrrp", 300)
    assert (refused["frames_out"], refused["send_errors"]) == (0, 300)
    a.run("ip", "link", "set", "port", "up")
    a.wait_carrier(), b.wait_carrier()
    a.send("vrrp", 3)
    got = result(receiver)
    assert (got["error"], got["vrrp"]) == (ENETDOWN, 3)


def test_packet__groups__are_joined_and_left(pair):
    a, _ = pair
    holder = a.start("groups", "port")
    members = a.run("ip", "maddress", "show", "dev", "port")
    holder.communicate("", timeout=LIMIT_S)
    assert "224.0.0.18" in members and "ff02::12" in members
    members = a.run("ip", "maddress", "show", "dev", "port")
    assert "224.0.0.18" not in members and "ff02::12" not in members


@pytest.mark.parametrize("first", ["224.0.0.50", "ff02::50"])
def test_packet__more_groups_than_a_socket_takes__are_joined_and_left_when_told(pair, first):
    a, _ = pair

    def joined():
        return sum(word.startswith(first[:-2]) for word in a.run("ip", "maddress", "show", "dev", "port").split())

    before = joined()
    holder = a.start("groups", "port", first, "45")
    assert joined() == before + 46  # with the one of VRRP
    sockets = len(os.listdir(f"/proc/{holder.pid}/fd"))
    for kept in (44, 3, 0):
        holder.stdin.write(f"{kept}\n")
        holder.stdin.flush()
        assert holder.stdout.readline() == "ready\n"
        assert joined() == before + 1 + kept
    assert len(os.listdir(f"/proc/{holder.pid}/fd")) == sockets - (2 if "." in first else 0)
    holder.communicate("", timeout=LIMIT_S)
    assert joined() == before


@pytest.mark.parametrize("by", [(), ("any",)])
@pytest.mark.parametrize("addresses", [("10.77.0.1/24", "10.77.0.2/24"), ("2001:db8:77::1/64", "2001:db8:77::2/64")])
def test_packet_ip__unicast__passes_the_hook_and_arrives_and_nobody_complains(pair, by, addresses):
    a, b = pair
    family = "ip6" if ":" in addresses[0] else "ip"
    for side, address in zip(pair, addresses):
        side.run("ip", "address", "add", address, "dev", "port", *(("nodad",) if family == "ip6" else ()))
    a.run("ip", "address", "add", "fe80::1/64", "dev", "port", "nodad")  # the packet's source
    a.ruleset("meta l4proto 112 counter")
    receiver = b.receive(50, timeout_ms=1500)
    sent = a.run(PROBE, "unicast", "port", "5", addresses[1].split("/")[0], *by)
    assert json.loads(sent)["error"] == 0
    got = result(receiver)
    assert got["vrrp"] == 5 and got["to_us"] >= 5
    assert a.counted_packets() == [5]
    snmp = a.run("cat", "/proc/net/snmp") + a.run("cat", "/proc/net/snmp6")
    assert re.search(r"^Icmp6InParmProblems\s+0$", snmp, re.M)
    names, values = (line.split() for line in snmp.splitlines() if line.startswith("Icmp:"))
    assert dict(zip(names, values))["InDestUnreachs"] == "0"


def test_packet_ip__no_way__is_said(pair):
    a, _ = pair
    a.run("ip", "address", "add", "10.77.0.1/24", "dev", "port")
    assert json.loads(a.run(PROBE, "unicast", "port", "1", "192.0.2.1", "any"))["error"] == errno.ENETUNREACH
