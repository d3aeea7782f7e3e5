# SPDX-License-Identifier: GPL-2.0-or-later
"""A whole run as tshark sees it: start, join, crash, drain, stop, in version 3 and IPv6 on one LAN and version 2 on another,
while a neighbour asks for every address all the time. Captured at the switch, port by port, so that it is known which host
said what, and only what has left the host. Nothing is malformed, no checksum is wrong, and no host claims an address that it
does not hold."""
import os
import shutil
import struct
import subprocess

import pytest

import cluster
import packets
import rig
import tester

pytestmark = [
    pytest.mark.skipif(os.geteuid() != 0, reason="network namespaces need root"),
    pytest.mark.skipif(not rig.find_program("evenkeeld"), reason="evenkeeld is not built"),
    pytest.mark.skipif(not shutil.which("tshark"), reason="tshark is not installed"),
]

CROSSING_S = 0.02  # two advertisements may cross on the wire; so long both senders are taken for holders
VIPS = {"three": [f"192.0.2.{51 + i}" for i in range(4)], "two": [f"198.51.100.{71 + i}" for i in range(3)],
        "six": [f"2001:db8::{91 + i:x}" for i in range(4)]}
TEXT = "".join([
    cluster.pool_text(VIPS["three"], "advert_int 0.25", "rebalance_moves all", name="three"),
    cluster.pool_text(VIPS["six"], "advert_int 0.25", "rebalance_moves all", name="six"),
    cluster.pool_text(VIPS["two"], "version 2", "rebalance_moves all", name="two", interface="eth1"),
])
VRID_OF = {address: int(packets.packed(address)[-1]) for group in VIPS.values() for address in group}


class Run:
    def __init__(self, lab):
        self.lab = lab
        self.taps = {(host.name, lan): tester.Tester(lab.switch, port=dict(host.ports[lan], interface=host.ports[lan]["port"]))
                     for host in lab.hosts for lan in range(2)}
        self.askers = [tester.Tester(lab.witness, lan) for lan in range(2)]
        self.daemons = [cluster.Evenkeel(host, TEXT) for host in lab.hosts]

    def close(self):
        for one in [*self.taps.values(), *self.askers]:
            one.close()

    def running(self):
        return [d for d in self.daemons if d.running()]

    def wait_served(self, spread=1, idle=(), deadline_s=25):
        """Every unit of every pool is held once, evenly over those that run and are not idle."""
        def served():
            statuses = {d: d.ready() for d in self.running()}
            if not all(statuses.values()):
                return False
            for at, name in enumerate(VIPS):
                loads = {d: sum(1 for u in next(p for p in s["pools"] if p["name"] == name)["units"] if u["holder_kind"] == "self")
                         for d, s in statuses.items()}
                busy = [loads[d] for d in loads if d not in idle]
                if sum(loads.values()) != len(VIPS[name]) or sum(busy) != len(VIPS[name]) or max(busy) - min(busy) > spread:
                    return False
            return True

        rig.wait_until(served, deadline_s, "every pool served and even", 0.1)

    def play(self):
        one, two, three = self.daemons
        one.start(), two.start()
        self.wait_served()
        three.start()  # a join
        self.wait_served()
        one.ctl("drain")
        self.wait_served(idle=[one])
        two.kill()  # a crash: guard and worker at once
        self.wait_served(spread=9)
        one.ctl("undrain")
        self.wait_served()
        two.start()
        self.wait_served()
        killed = three.workers()
        three.kill_worker()  # the guard cleans up and starts another
        rig.wait_until(lambda: three.workers() not in ([], killed), 10, "another worker")
        self.wait_served()
        for daemon in self.daemons:
            assert daemon.stop() == 0
        rig.linger(0.2)

    def record(self):
        """All that left the hosts, in order: (host, lan, Advert or Claim)."""
        found = [(item.time, host, lan, item) for (host, lan), tap in self.taps.items()
                 for item in tap.since(0, kind=(packets.Advert, packets.Claim))]
        return [entry[1:] for entry in sorted(found, key=lambda entry: entry[0])]


def write_pcap(path, frames):
    """(time, bytes) in classic pcap with nanoseconds."""
    with open(path, "wb") as out:
        out.write(struct.pack("=IHHiIII", 0xa1b23c4d, 2, 4, 0, 0, 65535, 1))
        for moment, frame in frames:
            out.write(struct.pack("=IIII", int(moment), int(moment % 1 * 1e9), len(frame), len(frame)) + frame)


@pytest.fixture(scope="module")
def run():
    with rig.Lab(hosts=3, lans=2, watchdog_s=150) as lab:
        built = Run(lab)
        try:
            questions = [[a.question(v) for name, lan in (("three", 0), ("six", 0), ("two", 1)) if lan == n for v in VIPS[name]]
                         for n, a in enumerate(built.askers)]
            with built.askers[0].feeding(*questions[0], every_s=0.1), built.askers[1].feeding(*questions[1], every_s=0.1):
                built.play()
            built.path = os.path.join(lab.dir, "run.pcap")
            write_pcap(built.path, [(i.time, i.frame) for _, _, i in built.record()])
            yield built
            assert [tap.lost() for tap in built.taps.values()] == [0] * len(built.taps), "the taps lost frames"
        finally:
            built.close()


COLUMNS = ["_ws.malformed", "_ws.short", "_ws.expert.severity", "_ws.expert.message", "ip.checksum.status",
           "icmpv6.checksum.status", "vrrp.checksum.status", "vrrp.virt_rtr_id", "ip.ttl", "ip.dst", "ipv6.hlim", "ipv6.src",
           "ipv6.dst", "eth.dst", "eth.src", "ip.dsfield", "ipv6.tclass"]
WARNING = 0x00600000


def tshark(run, plain=True):
    """Every frame as tshark decodes it: {column: text}. `plain`: version 3's checksum over IPv4 has no pseudo header."""
    command = ["tshark", "-n", "-r", run.path, "-o", f"vrrp.v3_checksum_as_in_v2:{str(plain).upper()}", "-o",
               "ip.check_checksum:TRUE", "-T", "fields", *(part for column in COLUMNS for part in ("-e", column))]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60, env={**os.environ, "LC_ALL": "C"})
    return [dict(zip(COLUMNS, line.split("\t"))) for line in done.stdout.splitlines()]


@pytest.fixture(scope="module")
def decoded(run):
    return tshark(run)


def bad_checksums(rows):
    return [r for r in rows for kind in ("ip", "icmpv6", "vrrp") if r[f"{kind}.checksum.status"] not in ("", "1")]


def test_capture__whole_run__holds_what_it_should(run):
    kinds = {(a.version, a.family) for _, _, a in run.record() if isinstance(a, packets.Advert)}
    assert kinds == {(2, 4), (3, 4), (3, 6)}
    for address, vrid in VRID_OF.items():
        said = [a for _, _, a in run.record() if isinstance(a, packets.Advert) and address in a.addresses]
        assert said and any(a.priority == 0 for a in said), f"{address} was held and released"
        assert {a.vrid for a in said} == {vrid}
        assert [c for _, _, c in run.record() if isinstance(c, packets.Claim) and c.address == address]


def test_tshark__whole_run__nothing_malformed_and_no_wrong_checksum(run, decoded):
    spoken = [r for r in decoded if r["vrrp.virt_rtr_id"]]
    assert len(spoken) > 100 and all(r["vrrp.checksum.status"] == "1" for r in spoken)
    assert not bad_checksums(decoded)
    assert not [r for r in decoded if r["_ws.malformed"] or r["_ws.short"]]
    severe = [r for r in spoken if any(int(s) >= WARNING for s in r["_ws.expert.severity"].split(",") if s)]
    assert not severe, severe[0]
    assert bad_checksums(tshark(run, plain=False)), "tshark would have seen it"


def test_tshark__every_advertisement__lifetime_and_addresses_of_the_rfc(run, decoded):
    for family, layer, ttl, kind in ((4, "ip", "ip.ttl", "ip.dsfield"), (6, "ipv6", "ipv6.hlim", "ipv6.tclass")):
        rows = [r for r in decoded if r["vrrp.virt_rtr_id"] and r[f"{layer}.dst"]]
        assert rows
        for r in rows:
            mac = packets.virtual_mac(family, int(r["vrrp.virt_rtr_id"]))
            assert (r[ttl], int(r[kind], 16), r[f"{layer}.dst"]) == ("255", 0xc0, packets.GROUP[family])
            assert (r["eth.dst"], r["eth.src"]) == (packets.GROUP_MAC[family], mac)
    sources = {r["ipv6.src"] for r in decoded if r["vrrp.virt_rtr_id"] and r["ipv6.src"]}
    assert sources == {h.ports[0]["link_local"] for h in run.lab.hosts}


def test_claims__whole_run__only_by_who_holds_the_address(run):
    """A host holds a unit from its first advertisement until its priority 0, or until somebody else's advertisement."""
    holders, seen, wrong = {}, 0, []
    for host, lan, item in run.record():
        if isinstance(item, packets.Advert):
            unit = (lan, item.family, item.vrid)
            if item.is_member:
                continue
            if item.priority == 0:
                holders.setdefault(unit, {}).pop(host, None)
            else:
                kept = {h: t for h, t in holders.get(unit, {}).items() if item.time - t < CROSSING_S}
                holders[unit] = {**kept, host: item.time}
        elif item.address in VRID_OF:
            seen += 1
            unit = (lan, packets.family_of(item.address), VRID_OF[item.address])
            if host not in holders.get(unit, {}):
                wrong.append((host, item, holders.get(unit)))
    assert seen > 100
    assert not wrong, f"{len(wrong)} of {seen} claims, the first: {wrong[0]}"


def test_adverts__whole_run__priority_zero_only_from_who_had_spoken(run):
    """And after it, nothing until the next take-over of that host."""
    spoken = set()
    for host, lan, item in run.record():
        if not isinstance(item, packets.Advert) or item.is_member:
            continue
        unit = (host, lan, item.family, item.vrid)
        if item.priority == 0:
            assert unit in spoken, f"{host} released VRID {item.vrid}, which it never advertised"
            spoken.discard(unit)
        else:
            spoken.add(unit)
