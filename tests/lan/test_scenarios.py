# SPDX-License-Identifier: GPL-2.0-or-later
"""The scenarios on our own daemon: facts, and gaps only against bounds the scenario itself names. Figures are
bench.py's."""
import os

import pytest

import cluster
import rig
import scenarios
import stage
import watcher

pytestmark = [
    pytest.mark.skipif(os.geteuid() != 0, reason="network namespaces need root"),
    pytest.mark.skipif(not rig.find_program("evenkeeld"), reason="evenkeeld is not built"),
]

WATCHDOG_S = 600


def run(todo, vips, *options, hosts=3, lans=1, watched=None, text=None):
    """Cold start, then the scenarios one after the other, whole again between them; every fact must hold."""
    with rig.Lab(hosts=hosts, lans=lans, watchdog_s=WATCHDOG_S) as lab:
        lines = vips(lab) if callable(vips) else vips
        system = cluster.EvenkeelCluster(lab, lines, *options, text=text)
        with watcher.Watcher(lab, watched or lines) as watch:
            place = stage.Stage(lab, system, watch)
            scenarios.cold_start(place)
            for scenario in todo:
                scenario(place)
                place.restore()
        broken = [f"{s.scenario} {s.what}: {text}" for s in place.steps for text in s.broken]
        assert not broken, "\n".join(broken)
        return place


# What is done one after the other on one LAN. IPv6 differs in packets and caches, not in the algorithm: two groups do.
GROUPS = {
    "crash": [scenarios.crash_silent, scenarios.crash_carrier],
    "orderly": [scenarios.graceful_stop, scenarios.drain],
    "partition": [scenarios.partition],
    "one_way": [scenarios.deaf, scenarios.mute, scenarios.one_way_pair],
    "hang": [scenarios.hang],
}


@pytest.mark.parametrize("group, family", [(g, 4) for g in GROUPS] + [("crash", 6), ("orderly", 6)])
def test_scenarios__six_addresses__hold(group, family):
    run(GROUPS[group], cluster.addresses(6, family))


@pytest.mark.parametrize("scenario", [scenarios.deleted_by_hand, scenarios.flushed_filter], ids=lambda s: s.__name__)
def test_health__changed_from_outside__restored(scenario):
    run([scenario], cluster.addresses(6))


def many(family, *options):
    todo = [scenarios.crash_silent, scenarios.graceful_stop, scenarios.hang]
    run(todo, cluster.addresses(240, family), "rebalance_moves all", *options)


def test_scenarios__240_addresses__hold():
    many(4)


def test_load__240_addresses_both_cores_busy__nothing_moves():
    """For a sixth of the benchmark's time."""
    run([lambda place: scenarios.busy(place, 10)], cluster.addresses(240), "rebalance_moves all")


def test_scenarios__240_ipv6_addresses_resident__hold():
    many(6, "address_mode resident")


def test_scenarios__240_ipv6_addresses_added__hold():
    many(6)


def test_partition__three_against_two__larger_side_keeps():
    run([scenarios.partition], cluster.addresses(10), hosts=5)


def test_join__all_moves_at_once__fair_share():
    run([scenarios.graceful_stop], cluster.addresses(9), "rebalance_moves all")


def test_pin__home_killed_and_back__address_at_home():
    vips = cluster.addresses(6)
    run([scenarios.pin], lambda lab: scenarios.pinned_lines(lab, vips), watched=vips)


def test_groups__either_interface_lost__never_split():
    first, second = cluster.addresses(6, lan=0), cluster.addresses(6, lan=1)
    pairs = list(zip(first, second))
    lines = [f"{{ {a}/24 {b}/24 dev eth1 }}" for a, b in pairs]
    run([lambda place: scenarios.groups(place, pairs)], lines, lans=2, watched=[first, second])


@pytest.mark.parametrize("option", ["address_mode resident", "use_vmac", "arp_filter on"])
def test_modes__crash_stop_and_hang__hold(option):
    todo = [scenarios.crash_silent, scenarios.graceful_stop]
    if option != "arp_filter on":  # without the lease a hung daemon's host goes on answering
        todo.append(scenarios.hang)
    run(todo, cluster.addresses(6), option)
