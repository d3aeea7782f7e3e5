# SPDX-License-Identifier: GPL-2.0-or-later
"""keepalived's file run by evenkeeld on two hosts: groups, an interface that is tracked, unicast, a multicast group of its own, a
pool beside them; what is shown, and the files that signals write. One VRID as the RFCs have it: test_conformance_instances.py;
beside other daemons: test_interop.py."""
import os
import signal
import stat

import pytest

import cluster
import rig
import tester

pytestmark = [
    pytest.mark.skipif(os.geteuid() != 0, reason="network namespaces need root"),
    pytest.mark.skipif(not rig.find_program("evenkeeld"), reason="evenkeeld is not built"),
]

ALL = ["GROUPED", "TRACKING", "UNICAST", "ELSEWHERE", "OLD", "EMPTY"]

FILE = """global_defs {{
    router_id {name}
    vrrp_version 3
}}
vrrp_sync_group BOTH {{
    group {{
        GROUPED
        TRACKING
    }}
}}
vrrp_instance GROUPED {{
    interface eth0
    virtual_router_id 51
    priority {priority}
    advert_int 0.1
    virtual_ipaddress {{
        192.0.2.51/24
    }}
}}
vrrp_instance TRACKING {{
    interface eth0
    virtual_router_id 52
    priority {priority}
    advert_int 0.1
    track_interface {{
        up0
    }}
    virtual_ipaddress {{
        192.0.2.52/24
    }}
    virtual_routes {{
        198.51.100.0/24 via 192.0.2.254 dev eth0
    }}
}}
vrrp_instance UNICAST {{
    virtual_router_id 53
    priority {priority}
    advert_int 0.1
    unicast_src_ip {own}
    unicast_peer {{
        {other}
    }}
    virtual_ipaddress {{
        192.0.2.53/24 dev eth0
    }}
}}
vrrp_instance ELSEWHERE {{
    interface eth0
    virtual_router_id 54
    priority {priority}
    advert_int 0.1
    mcast_dst_ip 239.1.2.3
    virtual_ipaddress {{
        192.0.2.54/24
    }}
}}
vrrp_instance OLD {{
    interface eth0
    version 2
    virtual_router_id 55
    priority {priority}
    advert_int 1
    authentication {{
        auth_type PASS
        auth_pass hush7
    }}
    virtual_ipaddress {{
        192.0.2.55/24
    }}
}}
vrrp_instance EMPTY {{
    interface eth0
    virtual_router_id 56
    priority {priority}
    advert_int 0.1
    no_virtual_ipaddress
    virtual_routes {{
        203.0.113.0/24 via 192.0.2.254 dev eth0
    }}
}}
"""
PRIORITY = {0: 200, 1: 100}


class Pair:
    def __init__(self, lab):
        self.lab, self.daemons = lab, []
        for i, node in enumerate(lab.hosts):
            node.run("ip", "link", "add", "up0", "type", "veth", "peer", "name", "up1")
            node.run("ip", "link", "set", "up1", "up")
            node.run("ip", "link", "set", "up0", "up")
            text = FILE.format(name=node.name, priority=PRIORITY[i], own=node.ports[0]["ipv4"],
                               other=lab.hosts[1 - i].ports[0]["ipv4"])
            self.daemons.append(cluster.Evenkeel(node, text + cluster.pool_text(["192.0.2.61", "192.0.2.62"])))
        self.first, self.second = self.daemons
        for daemon in self.daemons:
            daemon.start()
        self.settled()

    def states(self, daemon):
        answer = daemon.ready()
        return {i["name"]: i["state"] for i in answer["instances"]} if answer else {}

    def wait_states(self, daemon, expected, deadline_s=15):
        rig.wait_until(lambda: {k: v for k, v in self.states(daemon).items() if k in expected} == expected, deadline_s,
                       f"{expected}, not {self.states(daemon)}")

    def settled(self):
        self.wait_states(self.first, dict.fromkeys(ALL, "Active"))
        self.wait_states(self.second, dict.fromkeys(ALL, "Backup"))


@pytest.fixture(scope="module")
def pair():
    with rig.Lab(hosts=2, watchdog_s=240) as lab:
        yield Pair(lab)


def instance(daemon, name):
    return next(i for i in daemon.ask("status")["instances"] if i["name"] == name)


def counters(daemon, name):
    return next(i for i in daemon.ask("counters")["instances"] if i["name"] == name)


def test_status__both_hosts__who_holds_what(pair):
    own = pair.first.node.ports[0]["ipv4"]
    for name in ALL:
        assert instance(pair.first, name)["holder_kind"] == "self"
        seen = instance(pair.second, name)
        assert (seen["holder"], seen["holder_priority"]) == (own, 200)
    addresses = pair.first.node.addresses()
    assert {f"192.0.2.{n}" for n in range(51, 56)} <= addresses
    assert not {f"192.0.2.{n}" for n in range(51, 56)} & pair.second.node.addresses()
    routes = pair.first.node.run("ip", "route").stdout
    assert "198.51.100.0/24" in routes and "203.0.113.0/24" in routes
    assert "203.0.113.0/24" not in pair.second.node.run("ip", "route").stdout, "who has no address has an owner, too"
    assert instance(pair.first, "UNICAST")["interface"] == "eth0", "found by its source address"
    assert [u["holder_kind"] for u in pair.second.ask("status")["pools"][0]["units"]].count("member") <= 1, "the pool is shared"


def test_keelctl__instances__in_every_table(pair):
    shown = pair.first.keelctl("status").stdout
    assert "INSTANCE" in shown and all(name in shown for name in ALL) and "web" in shown
    assert "GROUPED" in pair.first.keelctl("list").stdout
    assert "holds it with priority 200" in pair.second.keelctl("explain", "UNICAST").stdout
    assert "instance OLD: Backup -> Active" in pair.first.keelctl("events", "OLD").stdout
    rows = pair.first.keelctl("snmp", "--names", "VRRPV3-MIB").stdout + pair.first.keelctl("snmp", "--names", "VRRP-MIB").stdout
    for vrid in (51, 52, 54, 55):
        assert f".{vrid}." in rows or f".{vrid} " in rows, rows
    refused = pair.first.keelctl("take", "OLD")
    assert refused.returncode != 0 and "OLD" in refused.stderr


@pytest.mark.parametrize("number, name, marks", [
    (signal.SIGUSR1, "keepalived.data", ["------< VRRP Topology >------", "VRRP Instance = UNICAST", "State = MASTER"]),
    (signal.SIGUSR2, "keepalived.stats", ["VRRP Instance: OLD", "Advertisements:"]),
    (signal.SIGRTMIN + 2, "keepalived.json", ['"iname": "GROUPED"', '"state": 2']),
])
def test_signal__any__writes_keepalived_s_file_in_the_run_directory(pair, number, name, marks):
    path = os.path.join(pair.first.run_dir, name)
    os.kill(pair.first.guard(), number)
    rig.wait_until(lambda: os.path.exists(path), 5, name)
    text = open(path, encoding="ascii").read()
    assert stat.S_IMODE(os.stat(path).st_mode) == 0o600
    assert all(mark in text or mark.replace(": ", ":") in text for mark in marks), text[:2000]
    assert "hush7" not in text
    assert not [n for n in os.listdir(pair.first.run_dir) if n.startswith(name + ".")]


def test_dump__by_keelctl__the_same_without_a_file(pair):
    assert "VRRP Instance = OLD" in pair.second.keelctl("dump", "data").stdout
    assert "State = BACKUP" in pair.second.keelctl("dump", "data").stdout
    assert "hush7" not in pair.second.keelctl("dump", "data").stdout


def test_group__tracked_interface_down__both_move_and_come_back(pair):
    pair.first.node.run("ip", "link", "set", "up0", "down")
    pair.wait_states(pair.first, {"GROUPED": "Fault", "TRACKING": "Fault", "UNICAST": "Active"})
    pair.wait_states(pair.second, {"GROUPED": "Active", "TRACKING": "Active", "UNICAST": "Backup"})
    attention = [a for a in pair.first.ask("status")["attention"] if a["code"] in ("fault", "tracker")]
    assert any("up0" in a["text"] for a in attention)
    assert "198.51.100.0/24" in pair.second.node.run("ip", "route").stdout
    assert "198.51.100.0/24" not in pair.first.node.run("ip", "route").stdout
    pair.first.node.run("ip", "link", "set", "up0", "up")
    pair.settled()


def test_worker_killed__all_kinds__the_guard_says_goodbye_for_them(pair):
    before = {name: counters(pair.second, name)["zero_received"] for name in ALL}
    rig.kill(pair.first.workers())
    rig.wait_until(lambda: all(counters(pair.second, n)["zero_received"] > before[n] for n in ALL), 5, "a goodbye of each")
    pair.settled()


def test_sigterm__first__second_takes_over_at_once(pair):
    talker = tester.Tester(pair.lab.witness)
    try:
        mark = talker.mark()
        assert pair.first.stop() == 0
        pair.wait_states(pair.second, dict.fromkeys(ALL, "Active"), 5)
        left = {a.vrid: a.time for a in talker.adverts(mark, source=pair.first.node.ports[0]["ipv4"], priority=0)}
        for vrid in (51, 52):
            taken = talker.wait_advert(mark, vrid=vrid, source=pair.second.node.ports[0]["ipv4"])
            assert taken.time < left[vrid] + 0.3, "after its skew, not after three intervals"
    finally:
        talker.close()
        pair.first.start()
        pair.settled()


def groups(node):
    return node.run("ip", "-4", "maddr", "show", "dev", "eth0").stdout


def test_reload__another_group__is_joined_by_both(pair):
    assert all("239.1.2.3" in groups(d.node) for d in pair.daemons)
    texts = [open(d.config, encoding="ascii").read() for d in pair.daemons]
    for daemon, text in zip(pair.daemons, texts):
        daemon.write(text.replace("mcast_dst_ip 239.1.2.3", "mcast_dst_ip 239.1.2.4"))
        os.kill(daemon.guard(), signal.SIGHUP)
    rig.wait_until(lambda: all("239.1.2.4" in groups(d.node) for d in pair.daemons), 10, "both to join")
    pair.settled()
    for daemon, text in zip(pair.daemons, texts):
        daemon.write(text)
        os.kill(daemon.guard(), signal.SIGHUP)
    pair.settled()


def check(node, text):
    path = os.path.join(node.dir, "checked.conf")
    with open(path, "w", encoding="ascii") as f:
        f.write(text)
    return node.run(rig.find_program("evenkeeld"), "-t", path, check=False)


def test_check__good_and_bad__exit_codes_and_places(pair):
    node = pair.first.node
    text = FILE.format(name="x", priority=100, own="192.0.2.1", other="192.0.2.2")
    assert check(node, text).returncode == 0
    warned = check(node, text.replace("advert_int 0.1", "advert_imt 0.1", 1))
    assert warned.returncode == 0 and ":15:5:" in warned.stdout + warned.stderr
    assert "advert_int" in warned.stdout + warned.stderr, "the nearest word"
    bad = check(node, text.replace("    virtual_router_id 51\n", ""))
    assert bad.returncode == os.EX_CONFIG and "GROUPED" in bad.stdout + bad.stderr
