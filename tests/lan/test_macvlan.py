# SPDX-License-Identifier: GPL-2.0-or-later
"""Virtual MACs on a kernel without the egress hook (no_egress.c): macvlan interfaces (doc/design.md 7.2, 30). Two of our hosts,
then one and keepalived; versions 2 and 3, both families, instances and a pool. What the witness sees is asked of its kernel."""
import json
import os
import re
import time

import pytest

import cluster
import keepalived
import no_egress
import packets
import rig

pytestmark = [
    pytest.mark.skipif(os.geteuid() != 0, reason="network namespaces need root"),
    pytest.mark.skipif(not rig.find_program("evenkeeld"), reason="evenkeeld is not built"),
]

# name, version, VRID, addresses, the rest of the line use_vmac, the interface's name
INSTANCES = [
    ("four", 3, 51, ["192.0.2.51/24"], "", "vrrp.51"),
    ("six", 3, 51, ["fe80::51", "2001:db8::51/64"], "", "vrrp6.51"),
    ("named", 3, 52, ["192.0.2.52/24"], "web0", "web0"),
]
VIPS = {"192.0.2.51": (4, 51), "2001:db8::51": (6, 51), "192.0.2.52": (4, 52), "192.0.2.60": (4, 60)}
NAMES = {"vrrp.51", "vrrp6.51", "web0", "vrrp.60"}
SETTINGS = {"arp_ignore": ("1", "0"), "arp_announce": ("2", "0")}  # of the interface below: meanwhile, and before


def instance(name, version, vrid, addresses, vmac, priority, advert_s=None):
    """The stronger one waits for an interval only, not for three, where that is a second."""
    lines = [f"vrrp_instance {name} {{", f" state {'MASTER' if priority == 200 else 'BACKUP'}", " interface eth0",
             f" version {version}", f" virtual_router_id {vrid}",
             f" priority {priority}", f" advert_int {advert_s or (1 if version == 2 else 0.2)}", f" use_vmac {vmac}",
             " virtual_ipaddress {", *(f"  {a}" for a in addresses), " }", "}"]
    return "\n".join(lines) + "\n"


def text(priority, instances=None):
    own = instances if instances is not None else INSTANCES
    return "".join(instance(*i[:5], priority) for i in own) + cluster.pool_text(
        ["192.0.2.60 vrid 60"], "use_vmac", "address_mode resident", f"priority {priority}")


def macvlans(host):
    """{name: (MAC, mode, up, addresses)}"""
    out = {}
    for link in json.loads(host.run("ip", "-d", "-j", "addr", "show", "type", "macvlan").stdout or "[]"):
        if link:
            out[link["ifname"]] = (link["address"], link["linkinfo"]["info_data"]["mode"], "UP" in link["flags"],
                                   {a["local"] for a in link["addr_info"]})
    return out


def answering_mac(lab, vip):
    """The MAC with which the witness, asking anew, talks to it; None: nobody answers."""
    lab.witness.run("ip", "neigh", "flush", "dev", "eth0")
    if lab.witness.run("ping", "-c1", "-W1", vip, check=False).returncode != 0:
        return None
    known = json.loads(lab.witness.run("ip", "-j", "neigh", "show", vip, "dev", "eth0").stdout)
    return known[0].get("lladdr")


def replies(lab, vip):
    """How many answers two questions get, and from which MACs."""
    out = lab.witness.run("arping", "-b", "-c2", "-w2", "-I", "eth0", vip, check=False).stdout
    found = re.findall(r"\[([0-9A-F:]{17})\]", out)
    return len(found), {mac.lower() for mac in found}


def setting(host, name, interface="eth0", family=4):
    return host.run("cat", f"/proc/sys/net/ipv{family}/conf/{interface}/{name}").stdout.strip()


class Field:
    def __init__(self, lab, library):
        self.lab, self.library = lab, library
        self.daemons = [cluster.Evenkeel(h, text(p)) for h, p in zip(lab.hosts, (200, 100))]

    def start(self, number):
        self.daemons[number].start(preload=self.library)

    def serves(self, number, vips=VIPS):
        """All of them are on that host's macvlans and on no other interface, and the witness has the virtual MACs."""
        def whole():
            there = set().union(*(m[3] for m in macvlans(self.lab.hosts[number]).values()), set())
            return set(vips) <= there and all(answering_mac(self.lab, v) == packets.virtual_mac(*vips[v]) for v in vips)

        rig.wait_until(whole, 15, f"h{number + 1} serves: {self.lab.hosts[number].read_log('evenkeeld.log')}", 0.1)

    def attention(self, number, code):
        return [a["text"] for a in self.daemons[number].ctl("status")["attention"] if a["code"] == code]


@pytest.fixture(scope="module", name="library")
def _library(tmp_path_factory):
    return no_egress.build(tmp_path_factory.mktemp("lib"))


@pytest.fixture(scope="module", name="field")
def _field(library):
    with rig.Lab(hosts=2, watchdog_s=240) as lab:
        field = Field(lab, library)
        field.start(0)
        field.start(1)
        field.serves(0)
        yield field


def test_macvlans__named_and_set_as_keepalived_does__and_status_says_so(field):
    for number, host in enumerate(field.lab.hosts):
        there = macvlans(host)
        assert set(there) == NAMES
        for name, (mac, mode, up, addresses) in there.items():
            vrid = int(name.split(".")[1]) if "." in name else 52
            assert (mac, mode, up) == (packets.virtual_mac(6 if "6." in name else 4, vrid), "private", True)
            # resident: on both; else on the one that is Active
            assert bool(addresses) == (number == 0 or name == "vrrp.60"), (name, addresses)
            assert setting(host, "arp_ignore", name) == "1" and setting(host, "addr_gen_mode", name, 6) == "1"
        assert not host.addresses() & set(VIPS) or number == 0 or host.addresses() & set(VIPS) == {"192.0.2.60"}
        for name, (meanwhile, _) in SETTINGS.items():
            assert setting(host, name) == meanwhile
        status = field.daemons[number].ctl("status")
        assert {i["virtual_mac"] for i in status["instances"]} == {"macvlan"} == {p["virtual_mac"] for p in status["pools"]}
        assert any("macvlan" in told for told in field.attention(number, "filter"))


def test_filter__below_the_macvlan__closes_what_is_not_held(field):
    """The pool's address is resident: on both hosts' macvlans, and answered by one of them only."""
    host = field.lab.hosts[1]
    assert "192.0.2.60" in macvlans(host)["vrrp.60"][3]
    assert replies(field.lab, "192.0.2.60") == (2, {packets.virtual_mac(4, 60)})
    assert replies(field.lab, "192.0.2.51") == (2, {packets.virtual_mac(4, 51)})
    # A frame to a virtual MAC that the switch sends everywhere is the Active's alone.
    field.lab.switch.run("bridge", "link", "set", "dev", "h1.0", "learning", "off")
    field.lab.switch.run("bridge", "fdb", "del", packets.virtual_mac(4, 60), "dev", "h1.0", "master", check=False)
    assert answering_mac(field.lab, "192.0.2.60") == packets.virtual_mac(4, 60)
    shown = host.run("nft", "list", "chain", "netdev", "evenkeel_web", "ingress_eth0").stdout
    dropped = re.search(r"@macvlans.*counter packets (\d+)", shown)
    field.lab.switch.run("bridge", "link", "set", "dev", "h1.0", "learning", "on")
    assert dropped and int(dropped[1]) > 0, shown


def test_macvlan__deleted_by_hand_or_with_its_interface__back_and_serving(field):
    host = field.lab.hosts[0]
    host.run("ip", "link", "del", "web0")
    rig.wait_until(lambda: "192.0.2.52" in macvlans(host).get("web0", [()] * 4)[3], 2, "the macvlan is back")
    assert answering_mac(field.lab, "192.0.2.52") == packets.virtual_mac(4, 52)
    field.lab.delete_interface(host)
    field.serves(1)
    field.lab.make_interface(host)
    field.serves(0, {v: VIPS[v] for v in VIPS if v != "192.0.2.60"})
    assert setting(host, "arp_ignore") == "1"


def test_reload__adds_renames_and_removes__the_others_stay(field):
    host, daemon = field.lab.hosts[0], field.daemons[0]
    before = host.run("ip", "-o", "link", "show", "dev", "vrrp.51").stdout.split(":")[0]
    changed = [INSTANCES[0], ("named", 3, 52, ["192.0.2.52/24"], "web1", "web1"), ("new", 3, 53, ["192.0.2.53/24"], "", "")]
    daemon.write(text(200, changed))
    assert daemon.keelctl("reload").returncode == 0
    field.serves(0, {"192.0.2.51": (4, 51), "192.0.2.52": (4, 52), "192.0.2.53": (4, 53)})
    assert set(macvlans(host)) == {"vrrp.51", "vrrp.53", "vrrp.60", "web1"}
    assert host.run("ip", "-o", "link", "show", "dev", "vrrp.51").stdout.split(":")[0] == before
    daemon.write(text(200))
    assert daemon.keelctl("reload").returncode == 0
    field.serves(0, {v: VIPS[v] for v in VIPS if v != "192.0.2.60"})
    assert set(macvlans(host)) == NAMES


def test_worker_killed__the_guard_cleans_and_the_next_one_makes_them_anew(field):
    host = field.lab.hosts[0]
    before = host.run("ip", "-o", "link", "show", "dev", "vrrp.51").stdout.split(":")[0]
    field.daemons[0].kill_worker()
    field.serves(0, {v: VIPS[v] for v in VIPS if v != "192.0.2.60"})
    assert host.run("ip", "-o", "link", "show", "dev", "vrrp.51").stdout.split(":")[0] != before


def test_all_killed__what_is_left_is_known_at_the_next_start(field):
    host, daemon = field.lab.hosts[0], field.daemons[0]
    daemon.kill()
    assert set(macvlans(host)) == NAMES and setting(host, "arp_ignore") == "1"
    host.run("ip", "addr", "add", "192.0.2.99/32", "dev", "vrrp.51")
    field.start(0)
    rig.wait_until(lambda: "192.0.2.99" not in host.addresses(), 10, "what was left is gone")
    field.serves(0, {v: VIPS[v] for v in VIPS if v != "192.0.2.60"})


def test_stop__all_is_gone_and_restored__and_the_other_takes_over(field):
    host = field.lab.hosts[0]
    assert field.daemons[0].stop() == 0
    assert not macvlans(host) and not host.addresses() & set(VIPS)
    for name, (_, before) in SETTINGS.items():
        assert setting(host, name) == before
    field.serves(1)


def test_foreign_interface_of_that_name__is_left_alone_and_told__until_it_is_gone(field):
    host = field.lab.hosts[0]
    host.run("ip", "link", "add", "web0", "type", "veth", "peer", "name", "other")
    field.start(0)
    field.serves(0, {"192.0.2.51": (4, 51)})
    rig.wait_until(lambda: answering_mac(field.lab, "192.0.2.52") == host.ports[0]["mac"], 5, "the interface's own MAC answers")
    told = field.attention(0, "vmac")
    assert len(told) == 1 and "named" in told[0] and "web0 on eth0: an interface of this name" in told[0], told
    shown = {i["name"]: i["virtual_mac"] for i in field.daemons[0].ctl("status")["instances"]}
    assert shown == {"four": "macvlan", "six": "macvlan", "named": "interface"}
    host.run("ip", "link", "del", "web0")
    field.serves(0, {"192.0.2.52": (4, 52)})
    rig.wait_until(lambda: not field.attention(0, "vmac"), 2, "nothing needs attention")
    assert "192.0.2.52" not in host.run("ip", "addr", "show", "dev", "eth0").stdout
    for daemon in field.daemons:
        assert daemon.stop() == 0


def test_keepalived__as_peer_with_its_own_macvlans__each_takes_over_from_the_other(library):
    with rig.Lab(hosts=2, watchdog_s=90) as lab:
        ours, other = lab.hosts
        field = Field(lab, library)
        daemon = field.daemons[0]
        instances = [("two", 2, *INSTANCES[0][2:]), *INSTANCES[1:]]
        daemon.write("".join(instance(*i[:5], 200) for i in instances))
        peer = keepalived.Keepalived(other, "".join(instance(*i[:5], 100) for i in instances)).start()
        vips = {v: VIPS[v] for v in VIPS if v != "192.0.2.60"}

        def peer_serves():
            return {"192.0.2.51", "2001:db8::51", "192.0.2.52"} <= other.addresses()

        rig.wait_until(peer_serves, 10, "keepalived serves")
        assert set(macvlans(other)) == NAMES - {"vrrp.60"}
        field.start(0)
        field.serves(0, vips)
        rig.wait_until(lambda: not other.addresses() & set(vips), 5, "keepalived is Backup")
        assert set(macvlans(ours)) == set(macvlans(other))
        assert daemon.stop() == 0
        rig.wait_until(peer_serves, 5, "keepalived took over")
        assert not macvlans(ours)
        peer.terminate()
        peer.wait()


def test_250__start_and_stop(library):
    with rig.Lab(hosts=1, watchdog_s=60) as lab:
        host = lab.hosts[0]
        daemon = cluster.Evenkeel(host, "".join(instance(f"v{n}", 3, n, [f"10.9.0.{n}/24"], "", 100, 0.1) for n in range(1, 251)))
        began = time.monotonic()
        daemon.start(preload=library)
        rig.wait_until(lambda: len([a for a in host.addresses() if a.startswith("10.9.0.")]) == 250, 20, "all are there")
        started = time.monotonic()
        assert daemon.stop() == 0
        print(f"250 macvlans: all Active after {1000 * (started - began):.0f} ms (of which some 360 are the RFC's timer), "
              f"stopped in {1000 * (time.monotonic() - started):.0f} ms")
        assert not macvlans(host)
        log = host.read_log("evenkeeld.log")
        assert "netlink messages" not in log and "own MAC" not in log, log
