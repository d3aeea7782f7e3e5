# SPDX-License-Identifier: GPL-2.0-or-later
"""Instances with a fixed priority and what belongs to them: notify commands and FIFO with the words that their scripts know,
groups, checks that hold, fault or weigh."""
import os

import pytest

import cluster
import rig
from test_scripts import Host, calls_to, check

pytestmark = [
    pytest.mark.skipif(os.geteuid() != 0, reason="network namespaces need root"),
    pytest.mark.skipif(not rig.find_program("evenkeeld"), reason="evenkeeld is not built"),
]


def instance(name, vrid, priority, *lines):
    return "\n".join([f"vrrp_instance {name} {{", "    interface eth0", f"    virtual_router_id {vrid}", f"    priority {priority}",
                      "    version 3", "    advert_int 0.2", *(f"    {line}" for line in lines),
                      f"    virtual_ipaddress {{ 192.0.2.{vrid}/24 }}", "}"]) + "\n"


def group(name, *lines, members=()):
    return f"vrrp_sync_group {name} {{\n    group {{ {' '.join(members)} }}\n" + "".join(f"    {line}\n" for line in lines) + "}\n"


class Router(Host):
    """A host whose file holds instances only."""

    def run(self, *blocks):
        self.daemon = cluster.Evenkeel(self.node, "global_defs {\n    script_user root\n}\n" + "".join(blocks))
        self.daemon.start()
        return self.daemon

    def wait_lines(self, expected, deadline_s=15):
        rig.wait_until(lambda: self.lines() == expected, deadline_s, f"the calls {expected}")

    def has(self, vrid):
        return f"192.0.2.{vrid}" in self.node.addresses()


def test_instance__states__arguments_and_order_as_scripts_know_them():
    with rig.Lab(hosts=2, watchdog_s=90) as lab:
        one, two = (Router(node) for node in lab.hosts)
        any_state = one.script("any", calls_to(one.path("calls")))
        states = ("master", "backup", "fault", "stop")
        own = {state: one.script(state, f'echo {state} "$#" >>{one.path("calls")}') for state in states}
        lines = [f"notify {any_state}"] + [f"notify_{state} {path}" for state, path in own.items()]
        one.run(instance("V1", 51, 100, *lines))
        expected = ["backup 0", "INSTANCE V1 BACKUP 100", "master 0", "INSTANCE V1 MASTER 100"]
        one.wait_lines(expected)
        two.run(instance("V1", 51, 150))
        expected += ["backup 0", "INSTANCE V1 BACKUP 100"]
        one.wait_lines(expected)
        rig.wait_until(lambda: two.has(51), 5, "the stronger one to have it")
        lab.link_down(one.node)
        expected += ["fault 0", "INSTANCE V1 FAULT 100"]
        one.wait_lines(expected)
        lab.link_up(one.node)
        expected += ["backup 0", "INSTANCE V1 BACKUP 100"]
        one.wait_lines(expected)
        assert one.daemon.stop() == 0
        assert one.lines() == expected + ["stop 0", "INSTANCE V1 STOP 100"]


def test_group__moves_as_one__and_is_told_as_one():
    with rig.Lab(hosts=1, watchdog_s=60) as lab:
        host = Router(lab.hosts[0])
        alive = host.file("alive", "")
        script = host.script("any", calls_to(host.path("calls")))
        host.run(check("alive", f"/bin/ls {alive}", "interval 0.2"),
                 instance("V1", 51, 100, "track_script { alive }"), instance("V2", 52, 100),
                 group("both", f"notify {script}", members=("V1", "V2")))
        host.wait_lines(["GROUP both BACKUP 0", "GROUP both MASTER 0"])
        assert host.has(51) and host.has(52)
        os.unlink(alive)
        rig.wait_until(lambda: not host.has(51) and not host.has(52), 10, "both to leave")
        rig.wait_until(lambda: host.lines()[-1] == "GROUP both FAULT 0", 5, "a word about it")
        host.file("alive", "")
        rig.wait_until(lambda: host.has(51) and host.has(52), 10, "both to be back")
        assert host.daemon.stop() == 0
        assert host.lines() == [f"GROUP both {state} 0" for state in ("BACKUP", "MASTER", "FAULT", "BACKUP", "MASTER", "STOP")]


def test_check__without_weight__nothing_starts_before_its_first_result():
    with rig.Lab(hosts=1, watchdog_s=60) as lab:
        host = Router(lab.hosts[0])
        slow = host.script("slow", f"while [ ! -e {host.path('go')} ]; do sleep 0.05; done")
        host.run(check("slow", slow, "interval 20", "timeout 20"),
                 instance("V1", 51, 100, "track_script { slow }", f"notify {host.script('any', calls_to(host.path('calls')))}"))
        rig.wait_until(host.daemon.ready, 10, "the daemon")
        rig.linger(1.5)
        assert not host.has(51) and host.lines() == []
        host.file("go", "")
        host.wait_lines(["INSTANCE V1 BACKUP 100", "INSTANCE V1 MASTER 100"], 5)


def test_priority__moved_by_a_file__is_in_the_fifo_and_moves_the_address():
    with rig.Lab(hosts=2, watchdog_s=60) as lab:
        one, two = (Router(node) for node in lab.hosts)
        weight = one.file("weight", "0")
        fifo = one.path("fifo")
        reader = one.script("reader", f"exec cat <$1 >>{one.path('read')}")
        one.run(f"global_defs {{\n    vrrp_notify_fifo {fifo}\n    vrrp_notify_fifo_script {reader}\n"
                "    vrrp_notify_priority_changes true\n}\n",
                f"track_file weight {{\n    file {weight}\n}}\n", instance("V1", 51, 150, "track_file { weight weight 1 }"))
        rig.wait_until(lambda: one.has(51), 10, "the address")
        two.run(instance("V1", 51, 120))
        rig.wait_until(two.daemon.ready, 10, "the daemon")
        one.file("weight", "-50")
        rig.wait_until(lambda: two.has(51) and not one.has(51), 10, "the other one to have it")
        rig.wait_until(lambda: 'INSTANCE "V1" BACKUP 100' in one.lines("read"), 5, "a line")
        assert one.lines("read") == ['INSTANCE "V1" BACKUP 150', 'INSTANCE "V1" MASTER 150', 'INSTANCE "V1" MASTER_PRIORITY 100',
                                     'INSTANCE "V1" BACKUP 100']
        assert one.daemon.stop() == 0
