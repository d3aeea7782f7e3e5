# SPDX-License-Identifier: GPL-2.0-or-later
"""evenkeel-snmp on a live LAN, under Debian's snmpd: what snmpwalk sees is what `keelctl snmp` prints, object by object and
character by character, numeric and with names; notifications arrive; whoever goes away and comes back is found again."""
import json
import os
import re
import time

import pytest

import cluster
import rig
import snmp_peers

pytestmark = [
    pytest.mark.skipif(os.geteuid() != 0, reason="network namespaces need root"),
    pytest.mark.skipif(not rig.find_program("evenkeeld"), reason="evenkeeld is not built"),
    pytest.mark.skipif(not rig.find_program("evenkeel-snmp"), reason="evenkeel-snmp is not built (libsnmp-dev)"),
    pytest.mark.skipif(not snmp_peers.installed(), reason="snmpd, snmptrapd or snmp is not installed"),
]

TEXT = (cluster.pool_text(cluster.addresses(4) + ["{ 192.0.2.60/24 192.0.2.61/24 2001:db8:0::60/64 }"],
                          "members { alpha 192.0.2.1 }")
        + cluster.pool_text(["192.0.2.71", "192.0.2.72"], "version 2", "member_router_id 9", name="old")
        + cluster.pool_text(cluster.addresses(3, 6), name="six")
        + "".join(f"""vrrp_instance {name} {{
    interface eth0
    virtual_router_id {vrid}
    priority 150
    {lines}
    virtual_ipaddress {{
        {addresses}
    }}
}}
""" for name, vrid, lines, addresses in [
    ("THREE", 81, "version 3\n    advert_int 0.2\n    nopreempt", "192.0.2.81/24\n        192.0.2.181/24"),
    ("TWO", 82, "version 2\n    advert_int 1\n    authentication {\n        auth_type PASS\n        auth_pass hush7\n    }",
     "192.0.2.82/24"),
    ("SIX", 83, "version 3\n    advert_int 0.2", "fe80::83/64\n        2001:db8:0::83/64"),
    ("AWAY", 84, "version 3\n    track_interface {\n        lo9\n    }", "192.0.2.84/24")]))
NUMBER = re.compile(r"(Counter32|Counter64|Gauge32|Timeticks): \(?(\d+)")
STAMPS = re.compile(r"(DiscontinuityTime|ekMemberSince|ekUnitSince|ekUnitLastChange|VirtualRouterUpTime)\b")
NEW_MASTER, PROTO_ERROR, TRAP_NEW_MASTER = ".1.3.6.1.2.1.207.0.1", ".1.3.6.1.2.1.207.0.2", ".1.3.6.1.2.1.68.0.1"
OWN = ".1.3.6.1.4.1.8072.9999.9999.112.0."
# From the witness, for the group: IPv4 with TTL 254 and a version 3 advertisement. The checks of the header come first.
BAD_TTL = """
import socket
port = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
port.bind(("eth0", 0))
port.send(bytes.fromhex("01005e000012" "024b000000fe" "0800" "45000020" "00000000" "fe70195d"
                        "c00002fe" "e0000012" "31336401" "00640000" "c0000233") + bytes(14))
"""
# From the witness, for THREE: a version 3 advertisement whose checksum is wrong. For TWO: version 2 with another password.
BAD_CHECKSUM = BAD_TTL.replace('"fe70195d"', '"ff70185d"').replace('"31336401"', '"31516401"').replace('"c0000233"', '"c0000251"')
BAD_PASSWORD = """
import socket
def summed(data):
    total = sum(int.from_bytes(data[i:i + 2], "big") for i in range(0, len(data), 2))
    total = (total & 0xffff) + (total >> 16)
    return 0xffff - ((total & 0xffff) + (total >> 16))
packet = bytearray.fromhex("2152c80101010000" "c0000252") + b"wrong\\0\\0\\0"
packet[6:8] = summed(packet).to_bytes(2, "big")
ip = bytearray.fromhex("45000028" "00000000" "ff700000" "c00002fe" "e0000012")
ip[10:12] = summed(ip).to_bytes(2, "big")
port = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
port.bind(("eth0", 0))
port.send(bytes.fromhex("01005e000012" "024b000000fe" "0800") + ip + packet + bytes(6))
"""


class Site:
    """Hosts with their daemons, and SNMP on the first."""

    def __init__(self, lab, text):
        self.lab = lab
        self.system = cluster.EvenkeelCluster(lab, [], text=text)
        for name in self.system.hosts:
            self.system.start(name)
        self.daemon = self.system.hosts["h1"]
        rig.wait_until(self.settled, 30, "every unit held", 0.2)
        self.snmp = snmp_peers.Snmp(lab.hosts[0], self.daemon.run_dir).start()
        rig.wait_until(self.snmp.serves, 30, "snmpwalk answered", 0.3)

    def settled(self):
        status = self.daemon.ready()
        return status and all(m["state"] == "active" for p in status["pools"] for m in p["members"]) and \
            all(u["holder_kind"] in ("self", "member") and not u["planned"] for p in status["pools"] for u in p["units"]) and \
            all(i["state"] == "Fault" or i["holder_kind"] != "none" for i in status["instances"])

    def dump(self, names=False, oid=None):
        done = self.daemon.keelctl("snmp", *(["--names"] if names else []), *([oid] if oid else []))
        assert done.returncode == 0, done.stderr
        return done.stdout.splitlines()


@pytest.fixture(scope="module")
def site():
    with rig.Lab(hosts=2, watchdog_s=240) as lab:
        yield Site(lab, TEXT)


def split(lines):
    return [tuple(line.split(" = ", 1)) for line in lines]


def check_value(name, before, seen, after):
    """The walk was made between the two dumps."""
    if seen in (before, after):
        return None
    b, s, a = (NUMBER.match(v) for v in (before, seen, after))
    if not (b and s and a and b[1] == s[1] == a[1]):
        return f"{name}: keelctl {before!r} and {after!r}, snmpwalk {seen!r}"
    if "ekMemberAge" in name or ".112.1.4.1.10." in name or int(b[2]) <= int(s[2]) <= int(a[2]):
        return None
    return f"{name}: keelctl {before!r} and {after!r}, snmpwalk {seen!r}"


def agree(site, names, stamps):
    before = split(site.dump(names))
    rig.pace(1.1)  # the agent's answers are a second old at most
    walk = split(site.snmp.walk(names=names))
    after = split(site.dump(names))
    assert [n for n, _ in walk] == [n for n, _ in before]
    wrong, offsets = [], set()
    for (name, old), (_, seen), (_, new) in zip(before, walk, after):
        if name in stamps:  # sysUpTime against the daemon's own clock
            o, s = NUMBER.match(old), NUMBER.match(seen)
            assert o and s and s[1] == "Timeticks", f"{name}: {old!r}, {seen!r}"
            if int(s[2]) > 0:
                offsets.add(int(s[2]) - int(o[2]))
        elif (problem := check_value(name, old, seen, new)):
            wrong.append(problem)
    assert not wrong, "\n".join(wrong)
    assert len(offsets) <= 1, f"stamps disagree: {offsets}"
    return walk


def stamp_names(site):
    numeric, named = split(site.dump()), split(site.dump(names=True))
    pairs = [(n, m) for (n, _), (m, _) in zip(numeric, named) if STAMPS.search(m)]
    return {n for n, _ in pairs}, {m for _, m in pairs}


def test_walk__live_lan__agrees_with_keelctl_object_by_object(site):
    numeric, named = stamp_names(site)
    walk = agree(site, names=False, stamps=numeric)
    assert len(walk) > 800
    assert len(agree(site, names=True, stamps=named)) == len(walk)


def test_names__every_object_of_our_mib__served(site):
    with open(os.path.join(rig.SOURCE_DIR, "doc", "EVENKEEL-MIB.txt"), encoding="ascii") as f:
        blocks = re.findall(r"^(\w+) OBJECT-TYPE\n(.*?)^ +::=", f.read(), re.M | re.S)
    readable = {name for name, body in blocks if re.search(r"MAX-ACCESS +read-only", body)}
    served = {m[1] for line in site.dump(names=True) if (m := re.match(r"EVENKEEL-MIB::(\w+)", line))}
    assert readable == served


def test_get_and_getnext__single_objects__as_snmp_wants(site):
    first, second = split(site.dump(oid=".1.3.6.1.2.1.207.1.1.1.1.6"))[:2]
    assert site.snmp.tool("snmpget", first[0]) == [" = ".join(first)]
    assert site.snmp.tool("snmpgetnext", first[0]) == [" = ".join(second)]
    assert "No Such Instance" in site.snmp.tool("snmpget", first[0] + ".9")[0]
    assert "No Such Object" in site.snmp.tool("snmpget", ".1.3.6.1.2.1.207.1.9.0")[0]
    assert site.snmp.walk(first[0]) == [" = ".join(first)] == site.dump(oid=first[0])
    assert site.dump(oid="VRRPV3-MIB::vrrpv3OperationsStatus") == site.dump(oid=".1.3.6.1.2.1.207.1.1.1.1.6")
    assert "No Such Object" in site.dump(oid=".1.3.6.1.2.1.207.7")[0]
    bulk = site.snmp.tool("snmpbulkwalk", ".1.3.6.1.2.1.207.1.1.1.1.6")
    assert bulk == site.dump(oid=".1.3.6.1.2.1.207.1.1.1.1.6")


def test_set__refused_and_nothing_changed(site):
    oid = split(site.dump(oid="vrrpv3OperationsPriority"))[0][0]
    before = site.dump(oid=oid)
    site.snmp.tool("snmpset", oid, "u", "7")
    assert site.dump(oid=oid) == before


def test_json__same_objects__labels_and_names(site):
    answer = json.loads(site.daemon.keelctl("--json", "snmp", "ekPoolFilter").stdout)
    assert answer["schema"] == "evenkeel/1"
    assert [o["name"] for o in answer["objects"]] == [f'EVENKEEL-MIB::ekPoolFilter."{p}"' for p in ("old", "six", "web")]
    assert all(o["label"] in ("on", "lease") and o["syntax"] == "INTEGER" for o in answer["objects"])


def test_agent__started_as_root__unprivileged(site):
    with open(f"/proc/{site.snmp.agent.pid}/status", encoding="ascii") as f:
        status = dict(line.split(":\t", 1) for line in f.read().splitlines() if ":\t" in line)
    assert "0" not in status["Uid"].split() + status["Gid"].split()
    assert int(status["CapPrm"], 16) == int(status["CapEff"], 16) == 0
    assert status["NoNewPrivs"].strip() == "1"


def test_notifications__owner_leaves__standard_and_ours(site):
    start = len(site.snmp.traps())
    site.system.stop("h2")

    def arrived():
        names = site.snmp.trap_names()[start:]
        return {NEW_MASTER, TRAP_NEW_MASTER, OWN + "1", OWN + "2"} <= set(names)

    rig.wait_until(arrived, 10, "notifications", 0.2)
    for trap in site.snmp.traps()[start:]:
        kind = trap[".1.3.6.1.6.3.1.1.4.1.0"].replace("OID: ", "")
        if kind == NEW_MASTER:
            master = [v for k, v in trap.items() if k.startswith(".1.3.6.1.2.1.207.1.1.1.1.3.")]
            assert len(master) == 1 and master[0].startswith("Hex-STRING: ")
            assert [v for k, v in trap.items() if k.startswith(".1.3.6.1.2.1.207.1.2.5.1.2.")] == ["INTEGER: 1"]
        if kind == OWN + "1":
            assert any("owner" in v for k, v in trap.items() if k == ".1.3.6.1.4.1.8072.9999.9999.112.1.9.1.0")
    site.system.start("h2")
    rig.wait_until(site.settled, 60, "every unit held", 0.3)


def test_notifications__wrong_ttl__proto_error_and_counted(site):
    start = len(site.snmp.traps())
    before = site.dump(oid="ekLinkBadTtl")
    site.lab.witness.run(rig.PYTHON, "-c", BAD_TTL)
    rig.wait_until(lambda: PROTO_ERROR in site.snmp.trap_names()[start:], 15, "vrrpv3ProtoError", 0.3)
    assert site.dump(oid="ekLinkBadTtl") != before
    reasons = site.dump(oid="vrrpv3StatisticsProtoErrReason", names=True)
    of_instances = [line for line in reasons if re.search(r"\.8[1-4]\.ipv", line)]  # they count what has their VRID
    assert len(of_instances) == 3 and all(line.endswith("noError(0)") for line in of_instances)
    assert all(line.endswith("ipTtlError(1)") for line in set(reasons) - set(of_instances))


def instance(site, name):
    return next(i for i in site.daemon.ask("status")["instances"] if i["name"] == name)


def test_instances__rows_of_both_versions_and_families__states_as_the_daemon_has_them(site):
    states = {"Active": "master(3)", "Backup": "backup(2)", "Fault": "initialize(1)"}
    status3 = dict(split(site.dump(oid="vrrpv3OperationsStatus", names=True)))
    status2 = dict(split(site.dump(oid="vrrpOperState", names=True)))
    for name, vrid, table, family in [("THREE", 81, status3, "ipv4"), ("SIX", 83, status3, "ipv6"), ("AWAY", 84, status3, "ipv4"),
                                      ("TWO", 82, status2, None)]:
        row = [v for n, v in table.items() if f".{vrid}" in n and (family is None or n.endswith(f".{family}"))]
        assert row == ["INTEGER: " + states[instance(site, name)["state"]]], (name, table)
    assert instance(site, "AWAY")["state"] == "Fault"
    assert any(n.split(".")[2] == "81" and v == "INTEGER: false(2)"
               for n, v in split(site.dump(oid="vrrpv3OperationsPreemptMode", names=True)))
    assert any(v == "INTEGER: simpleTextPassword(2)" for _, v in split(site.dump(oid="vrrpOperAuthType", names=True)))
    assert "hush7" not in "\n".join(site.dump())


def test_notifications__instances__bad_packets_and_fault(site):
    start, traps = len(site.snmp.traps()), lambda: site.snmp.traps()[start:]
    site.lab.witness.run(rig.PYTHON, "-c", BAD_CHECKSUM)
    site.lab.witness.run(rig.PYTHON, "-c", BAD_PASSWORD)
    site.daemon.node.run("ip", "link", "add", "lo9", "type", "veth", "peer", "name", "lo8")
    site.daemon.node.run("ip", "link", "set", "lo8", "up")
    site.daemon.node.run("ip", "link", "set", "lo9", "up")
    auth = {".1.3.6.1.2.1.68.1.5.0": "IpAddress: 192.0.2.254", ".1.3.6.1.2.1.68.1.6.0": "INTEGER: 3"}
    rig.wait_until(lambda: any(auth.items() <= t.items() for t in traps()), 15, "vrrpTrapAuthFailure", 0.3)
    proto = re.compile(r"\.1\.3\.6\.1\.2\.1\.207\.1\.2\.5\.1\.6\.\d+\.81\.1$")
    rig.wait_until(lambda: any(proto.match(k) and v == "INTEGER: 3" for t in traps() for k, v in t.items()), 15,
                   "vrrpv3ProtoError of THREE", 0.3)
    rig.wait_until(lambda: any(t.get(OWN[:-2] + "1.9.2.0") == 'STRING: "AWAY"' for t in traps()), 15, "ekInstanceEvent", 0.3)
    rig.wait_until(lambda: any(".84.1" in k and ".207.1.1.1.1.3." in k for t in traps() for k in t), 15, "vrrpv3NewMaster", 0.3)
    assert "Counter32: 1" in [v for n, v in split(site.dump(oid="vrrpStatsAuthFailures", names=True))]
    agree(site, names=False, stamps=stamp_names(site)[0])


def test_snmpd__restarted__served_again(site):
    site.snmp.stop_snmpd()
    assert site.snmp.agent.poll() is None
    rig.pace(3)  # more than one vain try
    site.snmp.start_snmpd()
    rig.wait_until(site.snmp.serves, 20, "snmpwalk answered", 0.3)
    agree(site, names=False, stamps=stamp_names(site)[0])


def test_daemon__restarted__nothing_then_all_again(site):
    site.system.stop("h1")
    rig.wait_until(lambda: not site.snmp.serves(), 10, "no object", 0.3)
    assert site.snmp.agent.poll() is None
    site.system.start("h1")
    rig.wait_until(site.settled, 60, "every unit held", 0.3)
    rig.wait_until(site.snmp.serves, 20, "snmpwalk answered", 0.3)
    agree(site, names=False, stamps=stamp_names(site)[0])


def test_daemon__stopped__snmpd_answers_in_time(site):
    rig.pause(site.daemon.pids())
    try:
        rig.pace(1.2)
        started = time.monotonic()
        assert not site.snmp.serves()
        assert time.monotonic() - started < 5
    finally:
        rig.resume(site.daemon.pids())
    rig.wait_until(site.snmp.serves, 20, "snmpwalk answered", 0.3)


def test_agent__terminated__exits_0(site):
    site.snmp.agent.terminate()
    assert site.snmp.agent.wait(5) == 0
