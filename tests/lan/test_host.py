# SPDX-License-Identifier: GPL-2.0-or-later
"""What others do to the host under the daemon, and what an earlier daemon left there: nothing answers that nobody owns.
"""
import os
import signal

import pytest

import cluster
import rig

pytestmark = [
    pytest.mark.skipif(os.geteuid() != 0, reason="network namespaces need root"),
    pytest.mark.skipif(not rig.find_program("evenkeeld"), reason="evenkeeld is not built"),
]

VIPS = cluster.addresses(2)
OTHER = "192.0.2.80"
QUICK = ("advert_int 0.2", "member_advert_int 0.1")


def instance_text(name, vrid, vip):
    return (f"vrrp_instance {name} {{\n    interface eth0\n    virtual_router_id {vrid}\n    priority 150\n    version 3\n"
            f"    advert_int 0.1\n    virtual_ipaddress {{\n        {vip}/24\n    }}\n}}\n")


def serves(daemon):
    def good():
        status = daemon.ready()
        routers = status and [u for p in status["pools"] for u in p["units"]] + status["instances"]
        return routers and all(r["state"] == "Active" and r["level_done"] == "answering" for r in routers)

    rig.wait_until(good, 15, "it serves: " + daemon.node.read_log("evenkeeld.log"))


def tables(node):
    return {line.split()[-1] for line in node.run("nft", "list", "tables").stdout.splitlines() if "netdev" in line}


@pytest.fixture(name="lab")
def make_lab():
    with rig.Lab(hosts=1, watchdog_s=120) as lab:
        yield lab


def answers(lab, vip):
    return lab.witness.run("arping", "-I", "eth0", "-c1", "-w1", vip, check=False).returncode == 0


@pytest.mark.parametrize("mode", ["lease", "off"])
def test_restart__after_a_kill_with_another_file__nothing_of_the_old_one_is_left(lab, mode):
    """With the lease, too: the new daemon's advertisements would renew what is left of the old table's. What the host
    has for itself by now stays: the kernel tells who has put an address."""
    node = lab.hosts[0]
    own = node.addresses()
    daemon = cluster.Evenkeel(node, cluster.pool_text(VIPS, *QUICK, f"arp_filter {mode}")).start()
    serves(daemon)
    assert os.stat(os.path.join(daemon.run_dir, "running.conf")).st_mode & 0o077 == 0
    daemon.kill()
    assert set(VIPS) <= node.addresses()
    node.run("ip", "addr", "del", VIPS[1] + "/24", "dev", "eth0")
    node.run("ip", "addr", "add", VIPS[1] + "/24", "dev", "eth0")
    daemon.write(cluster.pool_text([OTHER], *QUICK, f"arp_filter {mode}", name="other"))
    daemon.start()
    serves(daemon)
    assert node.addresses() == own | {OTHER, VIPS[1]}
    assert tables(node) == ({"evenkeel_other"} if mode == "lease" else set())
    assert answers(lab, OTHER) and answers(lab, VIPS[1]) and not answers(lab, VIPS[0])
    assert "an earlier daemon" in node.read_log("evenkeeld.log")
    assert daemon.stop() == 0 and node.addresses() == own | {VIPS[1]}
    assert "running.conf" not in os.listdir(daemon.run_dir)


def test_two_daemons__pools_and_instances_of_one_name__neither_touches_the_others_tables(lab):
    node = lab.hosts[0]
    texts = [cluster.pool_text([vip], *QUICK) + instance_text("one", vrid, other)
             for vip, vrid, other in ((VIPS[0], 201, "192.0.2.201"), (VIPS[1], 202, "192.0.2.202"))]
    first, second = (cluster.Evenkeel(node, "") for _ in texts)
    second.run_dir, second.config = second.run_dir + "2", second.config + "2"
    for daemon, text in zip((first, second), texts):
        daemon.write(text)
        daemon.start()
        serves(daemon)
    both = {"evenkeel_web", "evenkeel_instances", "evenkeel2_web", "evenkeel2_instances"}
    assert tables(node) == both
    assert all(answers(lab, vip) for vip in VIPS + ["192.0.2.201", "192.0.2.202"])
    assert all(daemon.ctl("counters")["daemon"]["kernel_restored"] == 0 for daemon in (first, second))
    assert first.stop() == 0
    assert tables(node) == {"evenkeel2_web", "evenkeel2_instances"}
    assert answers(lab, VIPS[1]) and not answers(lab, VIPS[0])
    second.kill()
    second.start()
    serves(second)
    assert tables(node) == {"evenkeel_web", "evenkeel_instances"}, "the number is free, and the old tables are gone"
    assert second.stop() == 0 and not tables(node)


def test_worker__hangs_alone__is_ended_and_another_serves(lab):
    node = lab.hosts[0]
    daemon = cluster.Evenkeel(node, cluster.pool_text(VIPS, *QUICK, "arp_filter off")).start()
    serves(daemon)
    worker, = daemon.workers()
    os.kill(worker, signal.SIGSTOP)
    rig.wait_until(lambda: worker not in daemon.workers(), 15, "the guard ends it")
    rig.wait_until(lambda: not set(VIPS) & node.addresses() or daemon.workers(), 5, "nothing answers, or the next one does")
    serves(daemon)
    assert "the worker hangs" in node.read_log("evenkeeld.log")
    assert daemon.stop() == 0


def test_own_address__in_a_pool__is_refused_at_start_and_reload_and_stays(lab):
    """The daemon's first act would be to cut the host off."""
    node = lab.hosts[0]
    own = node.ports[0]["ipv4"]
    daemon = cluster.Evenkeel(node, cluster.pool_text([own], *QUICK)).start()
    assert daemon.child.wait(10) == 78 and own in node.addresses()
    assert f"{own} is this host's own address" in node.read_log("evenkeeld.log")
    daemon.write(cluster.pool_text(VIPS, *QUICK))
    daemon.start()
    serves(daemon)
    daemon.write(cluster.pool_text(VIPS + [own], *QUICK))
    assert daemon.keelctl("reload").returncode != 0
    assert f"reload: {own} is this host's own address" in node.read_log("evenkeeld.log")
    serves(daemon)
    assert own in node.addresses() and daemon.stop() == 0


def test_mac_of_the_interface__changes__neighbours_learn_it(lab):
    node, witness = lab.hosts[0], lab.witness
    daemon = cluster.Evenkeel(node, cluster.pool_text([f"{{ {VIPS[0]}/24 2001:db8::51/64 }}"], *QUICK)).start()
    serves(daemon)
    addresses, mac = (VIPS[0], "2001:db8::51"), "02:4b:00:00:99:01"
    for address in addresses:
        witness.run("ping", "-c1", "-W2", address)
    node.run("ip", "link", "set", "eth0", "address", mac)
    for address in addresses:
        rig.wait_until(lambda a=address: mac in witness.run("ip", "neigh", "show", a).stdout, 2, f"{address} is at {mac}")
    assert daemon.stop() == 0
