# SPDX-License-Identifier: GPL-2.0-or-later
"""S14, mistakes that other hosts make: named in status, log and metric, and never two answers. A VIP that is missing in a file:
test_tool.py; a stranger on a VRID: test_strangers.py; bad files: test_bad_input.py."""
import os

import pytest

import lease
import rig

pytestmark = [
    pytest.mark.skipif(os.geteuid() != 0, reason="network namespaces need root"),
    pytest.mark.skipif(not rig.find_program("evenkeeld"), reason="evenkeeld is not built"),
]

SEEN_LASTS_S = 5
CELLS = {"pool": lease.Cell(6), "instances": lease.InstanceCell(6)}


def alarms(daemon):
    return [a["text"] for a in daemon.ask("status")["attention"] if a["severity"] == "alarm" and "own address" in a["text"]]


def readdress(node, address):
    port = node.ports[0]
    node.run("ip", "addr", "del", f"{port['ipv4']}/24", "dev", "eth0")
    node.run("ip", "addr", "add", f"{address}/24", "dev", "eth0")
    node.run("ip", "neigh", "flush", "dev", "eth0")


@pytest.mark.parametrize("kind", CELLS)
@pytest.mark.parametrize("newcomer", [0, 1], ids=["lower", "higher"])
def test_own_address__on_two_hosts__one_gives_way_and_both_say_so(kind, newcomer):
    with lease.Field(CELLS[kind]) as field:
        place = field.place
        copy, original = place.names[newcomer], place.names[1 - newcomer]
        daemons = field.system.hosts
        daemons[copy].stop()
        place.wait_served([n for n in place.names if n != copy])
        readdress(field.lab.host[copy], field.lab.host[original].ports[0]["ipv4"])
        with place.step("S14", f"{copy} starts with {original}'s address") as step:
            daemons[copy].start()
            rig.wait_until(lambda: daemons[copy].ready() and (alarms(daemons[copy]) or alarms(daemons[original])), 10,
                           "the copy is found")
            place.linger(3)
        assert not step.broken, step.broken
        told = {name: alarms(daemons[name]) for name in (copy, original)}
        away = [name for name, lines in told.items() if any("this host gives way" in line for line in lines)]
        assert len(away) == 1, told
        stays = original if away[0] == copy else copy
        assert field.lab.host[stays].ports[0]["mac"] in told[away[0]][0]
        assert daemons[away[0]].ask("counters")["daemon"]["duplicate_addresses"] > 0
        assert "speaks VRRP from this host's own address" in field.lab.host[away[0]].read_log("evenkeeld.log")
        place.wait_served([n for n in place.names if n != away[0]])
        with place.step("S14", f"{stays} ends"):
            daemons[stays].stop()
            place.linger(1)
        place.wait(lambda: not alarms(daemons[away[0]]), 3 * SEEN_LASTS_S, "the other takes part again")
        place.wait_served([n for n in place.names if n != stays])
        broken = [f"{s.what}: {text}" for s in place.steps for text in s.broken]
        assert not broken, "\n".join(broken)
