# SPDX-License-Identifier: GPL-2.0-or-later
"""Instances that have nothing to speak from, or nobody to speak to: an owner whose only address is the one that it owns, a link
without carrier that does not count, unicast peers that no route leads to. Each goes on serving."""
import os

import pytest

import rig
from test_scripts_instances import Router, instance

pytestmark = [
    pytest.mark.skipif(os.geteuid() != 0, reason="network namespaces need root"),
    pytest.mark.skipif(not rig.find_program("evenkeeld"), reason="evenkeeld is not built"),
]

LEASES_S = 2.0  # four leases of 2.5 intervals of 0.2 s


@pytest.fixture
def lab():
    with rig.Lab(hosts=2, watchdog_s=60) as built:
        yield built


def seen(router):
    """The state of the only instance, and how often it has become Active."""
    if not router.daemon.ready():
        return None, 0
    [status], [counters] = (router.daemon.ask(word)["instances"] for word in ("status", "counters"))
    return status["state"], counters["became_active"]


def test_owner__its_only_address__is_its_source_and_keeps_its_routes(lab):
    one, two = (Router(node) for node in lab.hosts)
    own = next(a for a in one.node.addresses() if a.startswith("192.0.2."))
    one.node.run("ip", "route", "add", "default", "via", "192.0.2.250")
    one.run(instance("V1", int(own.split(".")[-1]), 255))
    two.run(instance("V1", int(own.split(".")[-1]), 100))
    rig.wait_until(lambda: seen(one)[0] == "Active" and seen(two)[0] == "Backup", 10, "the owner to have it")
    rig.linger(LEASES_S)
    assert seen(one) == ("Active", 1) and seen(two) == ("Backup", 0)
    assert "default via 192.0.2.250" in one.node.run("ip", "route").stdout
    two.node.run("ping", "-c", "1", "-W", "2", own)


def test_link__no_carrier_and_not_tracked__goes_on(lab):
    one = Router(lab.hosts[0])
    one.run(instance("V1", 51, 100, "dont_track_primary"))
    rig.wait_until(lambda: seen(one)[0] == "Active", 10, "it to be Active")
    lab.link_down(one.node)
    rig.linger(LEASES_S)
    assert seen(one) == ("Active", 1) and one.has(51)
    lab.link_up(one.node)
    rig.wait_until(lambda: seen(one) == ("Active", 1), 5, "it to be Active still")
    lab.hosts[1].run("ping", "-c", "1", "-W", "2", "192.0.2.51")


def test_unicast__no_route_to_any_peer__goes_on(lab):
    one = Router(lab.hosts[0])
    one.run(instance("V1", 51, 100, "unicast_peer { 198.51.100.7 }"))
    rig.wait_until(lambda: seen(one)[0] == "Active", 10, "it to be Active")
    rig.linger(LEASES_S)
    assert seen(one) == ("Active", 1) and one.has(51)
    lab.hosts[1].run("ping", "-c", "1", "-W", "2", "192.0.2.51")
