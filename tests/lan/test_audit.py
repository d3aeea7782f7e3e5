# SPDX-License-Identifier: GPL-2.0-or-later
"""The audit on the wire: somebody else who answers for what a host holds is found, however silent he is, and named."""
import os
import time

import pytest

import cluster
import lease
import rig

pytestmark = [
    pytest.mark.skipif(os.geteuid() != 0, reason="network namespaces need root"),
    pytest.mark.skipif(not rig.find_program("evenkeeld"), reason="evenkeeld is not built"),
]

ROUND_S = 32  # every held address is asked for once in half a minute


def unit_of(daemon, vip):
    units = daemon.ask("status")["pools"][0]["units"]
    return next(u for u in units if vip in u["addresses"])


def conflicts_of(daemon):
    return daemon.ask("counters")["daemon"]["address_conflicts"]


def lines_of(daemon):
    return [a["text"] for a in daemon.ask("status")["attention"] if a["code"] == "conflict"]


def events_of(daemon):
    return [e for e in daemon.ctl("events")["entries"] if e["kind"] == "conflict"]


def contests_of(daemon):
    return daemon.ask("counters")["pools"][0]["counters"]["contests"]


def settled(field):
    """A host, its daemon, and an address that it holds and is not about to give away."""
    owners = field.place.wait_settled()
    owner = max(owners, key=lambda name: len(owners[name]))
    return owner, field.system.hosts[owner], owners[owner][0]


@pytest.mark.parametrize("family", [4, 6])
@pytest.mark.parametrize("vmac", [False, True], ids=["real", "virtual"])
def test_audit__silent_second_owner__is_found_and_named(family, vmac):
    with lease.Field(lease.Cell(6, family, "add", vmac)) as field:
        owner, daemon, vip = settled(field)
        assert conflicts_of(daemon) == 0 and not lines_of(daemon) and not events_of(daemon)
        contests = contests_of(daemon)
        stranger = field.lab.witness.ports[0]
        length = 64 if family == 6 else 24
        field.lab.witness.run("ip", "addr", "add", f"{vip}/{length}", "dev", "eth0",
                              *(["nodad"] if family == 6 else []))
        rig.wait_until(lambda: conflicts_of(daemon) > 0, ROUND_S, "the audit has found the second owner")
        assert unit_of(daemon, vip)["conflict"]["mac"] == stranger["mac"]
        assert any(vip in line and stranger["mac"] in line for line in lines_of(daemon)), lines_of(daemon)
        assert any(stranger["mac"] in e["text"] and e["warning"] for e in events_of(daemon)), events_of(daemon)
        assert contests_of(daemon) > contests, "the contest rule was triggered"
        text = daemon.keelctl("status").stdout
        assert stranger["mac"] in text and vip in text, text
        assert stranger["mac"] in field.lab.host[owner].read_log("evenkeeld.log")


def test_audit__nobody_else__no_alarm_and_few_frames():
    """Failovers and all: what the audit asks in a minute is counted by the switch; no conflict is seen."""
    with lease.Field(lease.Cell(6, 4, "add", True)) as field:
        watch = field.lab.switch.spawn("tcpdump", "-lnei", "br0", "arp and ether src host 02:4b:00:00:00:01",
                                       log="arp.txt")
        began = time.monotonic()
        for fault in ("kill_worker", "stop_both", "kill_both"):
            field.suffer(fault)
        field.place.linger(max(0, 20 - (time.monotonic() - began)))
        watch.terminate()
        asked = [line for line in field.lab.switch.read_log("arp.txt").splitlines() if "Request who-has" in line]
        seconds = time.monotonic() - began
        daemons = [d for d in field.system.hosts.values()]
        assert all(conflicts_of(d) == 0 and not events_of(d) for d in daemons)
        assert len(asked) <= 2 * seconds, f"{len(asked)} questions in {seconds:.0f} s"


def test_audit__filter_off_on_one_host__its_answers_are_seen():
    """A host that answers for what it does not hold: resident addresses, and somebody flushed its filter for good."""
    with lease.Field(lease.Cell(6, 4, "resident", False)) as field:
        owner, daemon, vip = settled(field)
        other = next(n for n in field.place.names if n != owner)
        assert vip in field.lab.host[other].addresses()
        assert not field.watch.state()[vip] - {owner}, "the filter keeps it from answering"
        rig.pause(field.system.hosts[other].pids())
        field.lab.host[other].run("nft", "flush", "ruleset")
        rig.wait_until(lambda: conflicts_of(daemon) > 0, ROUND_S, "the audit has found the second owner")
        seen = {u["conflict"]["mac"] for u in daemon.ask("status")["pools"][0]["units"] if u["conflict"]}
        assert seen == {field.lab.host[other].ports[0]["mac"]}


SEND = """import socket, sys
port = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
port.bind(("eth0", 0))
port.send(bytes.fromhex(sys.argv[1]))
"""


def announce(node, vip, mac, frame_mac):
    """A gratuitous ARP reply that says `mac` has the address, in a frame that says to come from `frame_mac`."""
    mac, frame_mac = (m.replace(":", "") for m in (mac, frame_mac))
    address = bytes(int(part) for part in vip.split(".")).hex()
    node.run(rig.PYTHON, "-c", SEND,
             f"ffffffffffff{frame_mac}08060001080006040002{mac}{address}ffffffffffff{address}" + "00" * 18)


def test_audit__forged_frame_source__does_not_hide_a_claim_and_our_own_mac_is_none():
    with rig.Lab(hosts=1, watchdog_s=60) as lab:
        node = lab.hosts[0]
        vip, own, foreign = cluster.addresses(1)[0], node.ports[0]["mac"], "02:99:00:00:00:01"
        daemon = cluster.Evenkeel(node, cluster.pool_text([vip], "advert_int 0.2", "member_advert_int 0.1")).start()
        rig.wait_until(lambda: daemon.ready() and unit_of(daemon, vip)["level_done"] == "answering", 10, "it serves")
        for frame_mac in (own, foreign):
            announce(lab.witness, vip, own, frame_mac)
        announce(lab.witness, vip, foreign, own)
        rig.wait_until(lambda: conflicts_of(daemon) > 0, 2, "the claim is seen")
        assert conflicts_of(daemon) == 1 and unit_of(daemon, vip)["conflict"]["mac"] == foreign
        assert daemon.stop() == 0
