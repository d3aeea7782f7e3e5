# SPDX-License-Identifier: GPL-2.0-or-later
"""vrrp_instance as the virtual router of the RFCs: the tests of test_conformance.py and test_conformance_wire.py that speak of any
virtual router, on hosts that run instances, and what is an instance's own (an owner, no preemption, an own interval, leaving)."""
import os
import time

import pytest

import dut
import packets
import rig
from dut import CLOCK_S, DOWN_S, INTERVAL_S, LATE_S, STRONGER
from test_conformance import first_after, silent_when_stopped
# Collected here once more, with the `place` of this file.
from test_conformance import (  # noqa: F401
    test_active__a_thousand_weak_ones__assertions_limited_and_period_kept, test_active__equal_priority__higher_address_wins,
    test_active__own_advertisement_replayed__no_answer_and_counted,
    test_active__priority_zero_heard__advertises_at_once_and_starts_its_period_anew,
    test_active__stronger_once_then_silence__backup_and_back, test_active__undisturbed__keeps_its_period,
    test_active__weaker_stranger__asserts_at_once_and_keeps_its_schedule, test_backup__equal_priority__stays,
    test_backup__interval_zero_once__not_active_early, test_backup__priority_zero__active_after_the_skew_time,
    test_backup__silence__active_after_the_down_interval, test_backup__weaker_stranger__preempted_after_the_down_interval,
    test_client__empty_cache__served_and_never_misled, test_questions__active__one_answer_each_with_the_right_mac,
    test_questions__backup__no_answer, test_start__silence__backup_until_the_down_interval_is_over,
    test_takeover__any__advertisement_then_announcement, test_takeover__rival_claims_the_address__not_disturbed)
from test_conformance_wire import (  # noqa: F401
    test_address_list__differs__believed_counted_and_shown, test_address_list__other_order__is_the_same,
    test_carp__any__counted_apart, test_refused__active__counted_once_and_nothing_changes,
    test_refused__backup__does_not_hold_the_timer, test_sent__unit__scapy_reads_the_same,
    test_tolerated__stronger__believed)

pytestmark = [
    pytest.mark.skipif(os.geteuid() != 0, reason="network namespaces need root"),
    pytest.mark.skipif(not rig.find_program("evenkeeld"), reason="evenkeeld is not built"),
]

NAMES = ["v3", "v2", "v6", "vmac", "vmac6"]
FREE_VRID = 233  # of no instance
DIALECT = "v3_checksum_as_v2"  # keepalived's word for the plain checksum of IPv4


DUTS = dict(
    v3=dict(vrids=range(51, 76), options=[DIALECT]), v2=dict(vrids=range(91, 101), version=2),
    v6=dict(vrids=range(111, 121), family=6), vmac=dict(vrids=[101, 102], options=[DIALECT], use_vmac=True),
    vmac6=dict(vrids=[131, 132], use_vmac=True, family=6), vmac2=dict(vrids=[141], version=2, use_vmac=True),
    owner=dict(vrids=[151], priority=255), lazy=dict(vrids=[161], options=["nopreempt"], priority=100))


@pytest.fixture(scope="module")
def place():
    with dut.place(dut.InstanceDut, **DUTS) as built:
        yield built


# Sent


GOLDEN = {  # VRID, priority 253, one address; written down by hand
    "vmac": ("3165fd01 00190f1a c0000265", 101, "01:00:5e:00:00:12", "00:00:5e:00:01:65", "224.0.0.18"),
    "vmac2": ("218dfd01 00011ee2 c000028d 0000000000000000", 141, "01:00:5e:00:00:12", "00:00:5e:00:01:8d", "224.0.0.18"),
    "vmac6": ("3183fd02 00190000 fe80000000000000 02005efffe000283 20010db800000000 0000000000000083", 131,
              "33:33:00:00:00:12", "00:00:5e:00:02:83", "ff02::12"),
}


@pytest.mark.parametrize("name", GOLDEN)
def test_sent__use_vmac__golden_bytes(place, name):
    one = getattr(place, name)
    text, vrid, destination_mac, source_mac, destination = GOLDEN[name]
    golden = bytes.fromhex(text)
    heard = place.tester.wait_advert(place.tester.mark(), vrid=vrid, source=one.source)
    assert (heard.destination_mac, heard.source_mac) == (destination_mac, source_mac)
    assert (heard.destination, heard.ttl, heard.source) == (destination, 255, one.source)
    if name == "vmac6":  # its checksum covers the host's own link-local address
        golden = packets.sealed(golden, one.source, destination, "pseudo")
    assert heard.message == golden


@pytest.mark.parametrize("name, form", [("v3", "plain"), ("owner", "pseudo"), ("v2", "plain"), ("v6", "pseudo")])
def test_sent__no_vmac__the_interfaces_own_mac_and_the_files_checksum(place, name, form):
    one = getattr(place, name)
    heard = place.tester.wait_advert(place.tester.mark(), source=one.source)
    assert heard.source_mac == one.port["mac"] and heard.checksum_form() == form


# Elections


def test_owner__start__active_at_once_and_yields_to_nobody(place):
    router, started = place.owner.routers[0], place.started[place.owner]
    first = router.adverts(0)[0]
    assert first.priority == 255 and first.time < started + DOWN_S + LATE_S
    with place.tester.feeding(router.frame(STRONGER), every_s=0.05):
        rig.linger(DOWN_S)
        assert router.state() == "Active"


@pytest.mark.parametrize("form", ["plain", "pseudo"])
def test_backup__stronger_router_heard__stays_whatever_the_checksum(place, form):
    router = place.v3.next_router()
    with router.kept_backup(form=form) as feed:
        mark = place.tester.mark()
        rig.linger(3.3 * INTERVAL_S + 0.3)
        assert not router.adverts(mark) and router.status()["holder"] == place.v3.stranger
    first = router.wait_advert(mark)
    assert first.time >= feed.last + DOWN_S - CLOCK_S and first.checksum_form() == "plain"


def test_backup__nopreempt__weaker_one_stays_until_it_is_silent(place):
    router = place.lazy.routers[0].wait_active()
    with router.kept_backup():
        pass
    with place.tester.feeding(router.frame(50, interval=50)) as feed:
        mark = place.tester.mark()
        rig.linger(DOWN_S * 2)
        assert not router.adverts(mark) and router.status()["holder_priority"] == 50
    first = router.wait_advert(mark)
    assert feed.last + 3 * 0.5 - CLOCK_S <= first.time, "three of its intervals"
    assert first.interval == INTERVAL_S * 100


@pytest.mark.parametrize("fields, silence_s", [(dict(interval=50), 1.5), (dict(interval=50, reserve=15), 1.5),
                                               (dict(interval=10), 0.3)])
def test_backup__interval_of_the_active__learned(place, fields, silence_s):
    router = place.v3.next_router()
    before, mark, said = router.became_active(), place.tester.mark(), time.time()
    place.tester.send(router.frame(STRONGER, **fields))
    first = first_after(router, mark, said)
    assert router.became_active() == before + 1
    assert said + silence_s - CLOCK_S <= first.time < said + silence_s + LATE_S
    assert first.interval == INTERVAL_S * 100, "its own stays"


def test_unknown_vrid__any__counted_and_nothing_else(place):
    router = place.v3.next_router()
    before = place.v3.received()
    place.tester.send(*[router.frame(255, vrid=FREE_VRID)] * 5)
    expected = {"accepted": 5, "unknown_vrid": 5}
    rig.wait_until(lambda: place.v3.landed(before) == expected, 3, "five of them counted")
    assert router.state() == "Active"


# Leaving, and being frozen


@pytest.mark.parametrize("name", ["v3", "v6"])
def test_sigstop__active__silent_within_the_lease_and_listens_before_it_speaks(place, name):
    one = getattr(place, name)
    router = one.next_router()
    mark = silent_when_stopped(router)
    first = router.wait_advert(mark, positive=True)
    assert first.time >= mark.at + DOWN_S - CLOCK_S, "it waits for others as at a start"
    assert place.tester.wait_claim(mark, address=router.address).time >= first.time
    one.wait_ready()


@pytest.mark.parametrize("name", NAMES)
def test_sigterm__active__all_say_goodbye_and_nothing_is_left(place, name):
    one = getattr(place, name)
    one.wait_ready()
    mark, before = place.tester.mark(), one.node.addresses()
    vrids, own = {r.vrid for r in one.routers}, {a for r in one.routers for a in r.addresses}
    try:
        assert one.daemon.stop() == 0
        addresses = one.node.addresses()
        assert not addresses & own and addresses <= before
        spoken = place.tester.wait(lambda: (lambda z: {a.vrid for a in z} == vrids and z)(
            place.tester.adverts(mark, source=one.source, priority=0)), 5, "priority 0 for all")
        rig.linger(0.2)
        last = max(a.time for a in spoken)
        assert all(a.priority == 0 for a in place.tester.adverts(mark, source=one.source) if a.time > last)
        assert not [c for c in place.tester.claims(mark) if c.time > last and c.address in own]
        assert one.node.run("nft", "list", "ruleset").stdout == ""
    finally:
        one.start().wait_ready()


@pytest.mark.parametrize("name", ["v3", "v6"])
def test_worker_killed__active__its_guard_says_goodbye(place, name):
    one = getattr(place, name)
    one.wait_ready()
    mark, vrids = place.tester.mark(), {r.vrid for r in one.routers}
    rig.kill(one.daemon.workers())
    place.tester.wait(lambda: {a.vrid for a in place.tester.adverts(mark, source=one.source, priority=0)} == vrids, 5,
                      "priority 0 for all")
    one.wait_ready()
