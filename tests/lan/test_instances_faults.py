# SPDX-License-Identifier: GPL-2.0-or-later
"""Instances while others interfere and fail: addresses, tables and the interface deleted from outside, `arp_filter` in each of its
modes, a kernel without the egress hook, a host that hangs while another one crashes (SCENARIOS S5 and S13). What happens to
the daemon's own processes: test_lease.py."""
import os
import time

import pytest

import cluster
import lease
import no_egress
import rig

pytestmark = [
    pytest.mark.skipif(os.geteuid() != 0, reason="network namespaces need root"),
    pytest.mark.skipif(not rig.find_program("evenkeeld"), reason="evenkeeld is not built"),
]

RESTORED_S = 1
CHURN = 4000  # addresses that come and go, and neighbours


def broken(field):
    return [f"{s.scenario} {s.what}: {text}" for s in field.place.steps for text in s.broken]


def homes(field, name):
    """The addresses whose first host is `name`."""
    return [vip for n, vip in enumerate(field.system.vips) if field.system.home(n) == name]


def table(host):
    return next((w for w in host.run("nft", "list", "tables", "netdev").stdout.split() if w.startswith("evenkeel")), None)


def counter(daemon, name):
    return daemon.ask("counters")["daemon"][name]


@pytest.fixture(scope="module", name="field")
def _field():
    with lease.Field(lease.InstanceCell(6), watchdog_s=240) as field:
        yield field


def test_address__deleted_by_hand__back_and_nothing_moves(field):
    host, daemon = field.lab.hosts[0], field.system.hosts["h1"]
    vip, before = homes(field, "h1")[0], counter(daemon, "kernel_restored")
    with field.place.step("S13", f"{vip} deleted", gap_bound_ms=1000 * RESTORED_S) as step:
        host.run("ip", "addr", "del", f"{vip}/24", "dev", "eth0")
        rig.wait_until(lambda: vip in host.addresses(), RESTORED_S, "the address is back")
        field.place.linger(1)
    assert step.window.moves == 0 and not broken(field), broken(field)
    assert counter(daemon, "kernel_restored") > before


@pytest.mark.parametrize("how", [("flush", "ruleset"), ("delete", "table", "netdev")], ids=lambda how: how[0])
def test_table__removed__back_within_a_second_and_no_two_answers(field, how):
    host, daemon = field.lab.hosts[0], field.system.hosts["h1"]
    name, before = table(host), counter(daemon, "kernel_restored")
    assert name
    with field.place.step("S13", f"nft {how[0]}") as step:
        host.run("nft", *how, *([name] if how[0] == "delete" else []))
        rig.wait_until(lambda: table(host) == name, RESTORED_S, "the table is back")
        field.place.linger(1)
    assert step.window.moves == 0 and not broken(field), broken(field)
    assert counter(daemon, "kernel_restored") > before
    assert "somebody removed the filter's table" in host.read_log("evenkeeld.log")


def test_netlink__messages_lost_while_an_address_is_deleted__all_is_read_anew(field):
    """The worker sleeps while the kernel has more to tell than the socket's buffer holds, and a table of neighbours that is full
    of somebody's entries. (They are permanent: others are the whole machine's, not only the host's.)"""
    host, daemon = field.lab.hosts[0], field.system.hosts["h1"]
    vip = homes(field, "h1")[0]
    neighbours = "".join(f"neigh add 192.0.{2 + i // 250}.{i % 250 + 1} lladdr 02:00:00:00:00:01 nud permanent dev up0\n"
                         for i in range(CHURN))
    addresses = "".join(f"addr {verb} 10.99.{i // 250}.{i % 250 + 1}/32 dev up0\n" for verb in ("add", "del")
                        for i in range(CHURN))
    host.run("ip", "link", "add", "up0", "type", "veth", "peer", "name", "up1")
    host.run("ip", "link", "set", "up0", "up")
    with field.place.step("S13", "netlink's buffers overflow"):
        rig.pause(daemon.workers())
        host.run("ip", "addr", "del", f"{vip}/24", "dev", "eth0")
        host.run("ip", "-batch", "-", input=addresses + neighbours)
        rig.resume(daemon.workers())
        rig.wait_until(lambda: counter(daemon, "netlink_overruns") > 0, 5, "the loss was noticed")
        field.whole()
        field.place.linger(0.5)
    host.run("ip", "link", "del", "up0")
    assert vip in host.addresses()
    assert not broken(field), broken(field)


def test_interface__deleted_and_made_again__others_serve_and_it_returns(field):
    host, daemon = field.lab.hosts[0], field.system.hosts["h1"]
    with field.place.step("S13", "h1's interface deleted", gap_bound_ms=field.system.crash_bound_ms()):
        field.lab.delete_interface(host)
        field.place.wait_served(["h2", "h3"])
        rig.wait_until(lambda: all(i["state"] == "Fault" for i in daemon.ask("status")["instances"]), 5, "all are in Fault")
        field.place.linger(0.5)
    with field.place.step("S13", "made again"):
        field.lab.make_interface(host)
        field.whole()
        field.place.linger(0.5)
    assert not broken(field), broken(field)
    assert "egress_eth0" in host.run("nft", "list", "table", "netdev", table(host)).stdout


def test_hang__while_another_crashes__the_third_serves_and_nobody_answers_twice(field):
    place, lab = field.place, field.lab
    with place.step("S5", "h1 hangs", gap_bound_ms=field.system.crash_bound_ms()):
        field.system.pause("h1")
        began = time.monotonic()
        place.wait_served(["h2", "h3"])
    with place.step("S5", "h2 crashes meanwhile", gap_bound_ms=field.system.crash_bound_ms()):
        lab.cut(lab.hosts[1])
        place.wait_served(["h3"])
        place.linger(max(0, lease.STOPPED_S - (time.monotonic() - began)))
    with place.step("S5", "h1 wakes up"):
        field.system.resume("h1")
        place.linger(2)
        place.wait_served(["h1", "h3"])
    lab.heal()
    field.whole()
    assert not broken(field), broken(field)


@pytest.mark.parametrize("mode", ["on", "off", "auto"])
def test_arp_filter__each_mode__in_force_and_the_worker_may_die(mode):
    with rig.Lab(hosts=2, watchdog_s=60) as lab:
        system = cluster.InstanceCluster(lab, cluster.addresses(2), options=[f"arp_filter {mode}"])
        for name in system.hosts:
            system.start(name)
        rig.wait_until(lambda: all(system.knows_all(n) for n in system.hosts), 15, "each instance is at home")
        first = lab.hosts[0]
        assert (table(first) is None) == (mode == "off")
        if mode != "off":
            shown = first.run("nft", "list", "table", "netdev", table(first)).stdout
            assert ("set alive" in shown) == (mode == "auto")
        rig.kill(system.hosts["h1"].workers())
        rig.wait_until(lambda: system.knows_all("h2") and system.knows_all("h1"), 15, "at home again")
        assert system.stop("h1") == 0 and system.stop("h2") == 0
        assert table(first) is None and not set(system.vips) & first.addresses()


@pytest.fixture(scope="module", name="library")
def _library(tmp_path_factory):
    return no_egress.build(tmp_path_factory.mktemp("lib"))


@pytest.mark.parametrize("kind", ["pool", "instances"])
def test_kernel__without_the_egress_hook__does_what_it_can_and_says_so(library, kind):
    with rig.Lab(hosts=1, watchdog_s=60) as lab:
        host, vips = lab.hosts[0], cluster.addresses(2)
        if kind == "pool":
            text = cluster.pool_text(vips, "use_vmac")
        else:
            text = "".join(f"vrrp_instance v{n} {{\n interface eth0\n virtual_router_id {n + 1}\n use_vmac\n version 3\n"
                           f" advert_int 0.1\n virtual_ipaddress {{\n  {vip}/24\n }}\n}}\n" for n, vip in enumerate(vips))
        daemon = cluster.Evenkeel(host, text)
        daemon.start(preload=library)

        def serves():
            status = daemon.ready()
            units = status and (status["instances"] or status["pools"][0]["units"])
            return units and all(u["level_done"] == "answering" for u in units) and status

        status = rig.wait_until(serves, 15, "it serves: " + host.read_log("evenkeeld.log"))
        told = [a["text"] for a in status["attention"] if a["code"] == "filter"]
        assert told and "arp_filter on is in force" in told[0], status["attention"]
        assert "virtual MACs have macvlan interfaces" in told[0]
        shown = host.run("nft", "list", "table", "netdev", table(host)).stdout
        assert "hook ingress" in shown and "hook egress" not in shown and "set alive" not in shown
        assert lab.witness.run("arping", "-c1", "-w2", "-I", "eth0", vips[0], check=False).returncode == 0
        assert daemon.stop() == 0 and table(host) is None
