# SPDX-License-Identifier: GPL-2.0-or-later
"""The virtual router from outside (RFC 9568 6.4, RFC 3768 6.4): elections, timers, neighbours, order of leaving. What is sent and
what is refused: test_conformance_wire.py. Times that must not be undercut are exact; those that must not be exceeded are generous,
since the machine may be busy."""
import os
import statistics
import time

import pytest

import dut
import packets
import rig
from dut import CLOCK_S, DOWN_S, INTERVAL_S, LATE_S, OWN, SKEW_S, STRONGER

pytestmark = [
    pytest.mark.skipif(os.geteuid() != 0, reason="network namespaces need root"),
    pytest.mark.skipif(not rig.find_program("evenkeeld"), reason="evenkeeld is not built"),
]

COALESCED_S = 0.006  # an advertisement may go so much early, together with another


DUTS = dict(v3=dict(vrids=range(51, 61)), v2=dict(vrids=range(71, 74), version=2), v6=dict(vrids=range(81, 86), family=6),
            vmac=dict(vrids=[101, 102], use_vmac=True), vmac6=dict(vrids=[111, 112], use_vmac=True, family=6))
NAMES = list(DUTS)


@pytest.fixture(scope="module")
def place():
    with dut.place(dut.Dut, **DUTS) as built:
        yield built


# Start, and what an Active does by itself


@pytest.mark.parametrize("name", NAMES)
def test_start__silence__backup_until_the_down_interval_is_over(place, name):
    one = getattr(place, name)
    down_s = 3 * one.interval_s
    for router in one.routers:
        first = router.adverts(0)[0]
        assert place.started[one] + down_s - CLOCK_S <= first.time < place.started[one] + down_s + 1 + LATE_S
        claims = place.tester.claims(0, address=router.address)
        assert claims and min(c.time for c in claims) >= first.time, "announced only after the advertisement"


@pytest.mark.parametrize("name", ["v3", "v6", "vmac"])
def test_active__undisturbed__keeps_its_period(place, name):
    router = getattr(place, name).next_router()
    times = [a.time for a in place.tester.adverts_during(7 * INTERVAL_S, vrid=router.vrid, source=router.dut.source)]
    gaps = [b - a for a, b in zip(times, times[1:])]
    assert 5 <= len(times) <= 9
    assert INTERVAL_S * 0.9 < statistics.median(gaps) < INTERVAL_S * 1.1


def test_member__own_router__speaks_once_an_interval(place):
    own = place.tester.adverts_during(6 * INTERVAL_S, source=place.v3.source, is_member=True)
    assert 4 <= len(own) <= 8
    assert {(a.vrid, a.priority, a.version, a.interval) for a in own} == {(1, 100, 3, int(INTERVAL_S * 100))}


@pytest.mark.parametrize("name", NAMES)
def test_takeover__any__advertisement_then_announcement(place, name):
    router = getattr(place, name).next_router()
    with router.kept_backup():
        mark = place.tester.mark()
    first = router.wait_advert(mark)
    claim = place.tester.wait_claim(mark, address=router.address)
    assert claim.time >= first.time
    assert claim.mac == claim.source_mac == router.mac
    if claim.kind == "advert":
        assert (claim.destination, claim.destination_mac) == ("ff02::1", "33:33:00:00:00:01")
        assert claim.source == router.address and "O" in claim.flags and "S" not in claim.flags
    else:
        assert (claim.kind, claim.target, claim.destination_mac) == ("request", router.address, "ff:ff:ff:ff:ff:ff")
    if router.dut.family == 6:  # the router's link-local address is announced like every other one
        assert place.tester.wait_claim(mark, address=router.addresses[0])


# Backup


@pytest.mark.parametrize("name, form", [("v3", "plain"), ("v3", "pseudo"), ("v2", "plain"), ("v6", "pseudo")])
def test_backup__stronger_router_heard__stays_and_then_answers_in_its_form(place, name, form):
    one = getattr(place, name)
    router = one.next_router()
    with router.kept_backup(form=form) as feed:
        mark = place.tester.mark()
        rig.linger(3.3 * one.interval_s + 0.3)
        assert not router.adverts(mark)
        assert router.status()["holder"] == one.stranger
        mark = place.tester.mark()
    first = router.wait_advert(mark)
    assert first.time >= feed.last + 3 * one.interval_s - CLOCK_S
    assert first.checksum_form() == form


def test_backup__silence__active_after_the_down_interval(place):
    router = place.v3.next_router()
    with router.kept_backup() as feed:
        mark = place.tester.mark()
    first = router.wait_advert(mark)
    assert feed.last + DOWN_S - CLOCK_S <= first.time < feed.last + DOWN_S + SKEW_S + LATE_S
    assert first.priority == OWN


@pytest.mark.parametrize("name", ["v3", "v2", "v6"])
def test_backup__priority_zero__active_after_the_skew_time(place, name):
    router = getattr(place, name).next_router()
    with router.kept_backup():
        mark = place.tester.mark()
    said = time.time()
    place.tester.send(router.frame(0))
    first = router.wait_advert(mark)
    assert said <= first.time + CLOCK_S and first.time < said + DOWN_S - 0.1, "long before the down interval"


def test_backup__equal_priority__stays(place):
    router = place.v3.next_router()
    with router.kept_backup():
        pass
    with place.tester.feeding(router.frame(OWN, "100.64.0.1")):  # of a lower address: that decides between Actives only
        mark = place.tester.mark()
        rig.linger(DOWN_S * 2)
        assert not router.adverts(mark)


@pytest.mark.parametrize("name", ["v3", "v6"])
def test_backup__weaker_stranger__preempted_after_the_down_interval(place, name):
    router = getattr(place, name).next_router()
    with router.kept_backup() as feed:
        mark = place.tester.mark()
    last = feed.last
    with place.tester.feeding(router.frame(OWN - 1)):
        first = router.wait_advert(mark)
        assert last + DOWN_S - CLOCK_S <= first.time < last + DOWN_S + LATE_S
        router.wait_active()


@pytest.mark.parametrize("fields, silence_s", [(dict(interval=50), 1.5), (dict(interval=50, reserve=15), 1.5),
                                               (dict(interval=10), DOWN_S)])
def test_backup__interval_of_the_active__learned(place, fields, silence_s):
    """Three of its intervals; but no shorter than a member's silence, since the speaker may be one. Reserve is ignored."""
    router = place.v3.next_router()
    before, mark, said = router.became_active(), place.tester.mark(), time.time()
    place.tester.send(router.frame(STRONGER, **fields))
    first = first_after(router, mark, said)
    assert router.became_active() == before + 1
    assert said + silence_s - CLOCK_S <= first.time < said + silence_s + LATE_S
    assert first.interval == INTERVAL_S * 100


def first_after(router, mark, moment):
    """The first advertisement that was sent after ours at `moment` can have arrived."""
    return router.tester.wait(lambda: [a for a in router.adverts(mark) if a.time > moment + INTERVAL_S][:1], 10,
                              "an advertisement")[0]


def test_backup__interval_zero_once__not_active_early(place):
    router = place.v3.next_router()
    with router.kept_backup() as feed:
        mark = place.tester.mark()
    place.tester.send(router.frame(STRONGER, interval=0))
    assert router.wait_advert(mark).time >= feed.last + DOWN_S - CLOCK_S


# Active


def wait_adverts(router, count, mark=None):
    """So many advertisements since the mark, or since now."""
    mark = router.tester.mark() if mark is None else mark
    return router.tester.wait(lambda: (lambda heard: len(heard) >= count and heard)(router.adverts(mark)), 10,
                              f"{count} advertisements")


def between_two(router):
    """Half an interval after one of its advertisements, as long as this machine is not much later: those up to that one, and a
    mark."""
    for _ in range(10):
        before = wait_adverts(router, 2)
        rig.pace(router.dut.interval_s / 2)
        mark = router.tester.mark()
        if mark.at < before[-1].time + 0.8 * router.dut.interval_s:
            return before, mark
    raise rig.RigError("this machine is too late each time")


@pytest.mark.parametrize("name", ["v3", "v2", "v6"])
def test_active__priority_zero_heard__advertises_at_once_and_starts_its_period_anew(place, name):
    one = getattr(place, name)
    router = one.next_router()
    before, mark = between_two(router)
    place.tester.send(router.frame(0))
    answer = router.wait_advert(mark)
    following = place.tester.wait(lambda: router.adverts(mark)[1:2], 5, "the next one")[0]
    assert answer.time < before[-1].time + one.interval_s, "not only when it was due"
    assert following.time - answer.time >= one.interval_s - COALESCED_S


def phase_error_s(before, after, period_s):
    """How far two series of advertisements are from one schedule, by the best of both: a busy machine delays some."""
    return min(abs((a.time - b.time + period_s / 2) % period_s - period_s / 2) for a in after for b in before)


@pytest.mark.parametrize("name", ["v3", "v2", "v6"])
def test_active__weaker_stranger__asserts_at_once_and_keeps_its_schedule(place, name):
    one = getattr(place, name)
    router = one.next_router()
    before, mark = between_two(router)
    place.tester.send(router.frame(50))
    answer = router.wait_advert(mark)
    assert answer.time < before[-1].time + one.interval_s - COALESCED_S
    assert phase_error_s(before, wait_adverts(router, 3, mark)[1:], one.interval_s) < 0.03
    assert router.state() == "Active"


@pytest.mark.parametrize("name, source, stronger", [
    ("v3", None, True), ("v3", "203.0.113.9", True), ("v3", "100.64.0.1", False), ("v3", "192.0.1.255", False),
    ("v6", "fe80::ffff:0:0:1", True), ("v6", None, True), ("v6", "fe80::1", False), ("v2", None, True),
])
def test_active__equal_priority__higher_address_wins(place, name, source, stronger):
    """Compared byte by byte without sign."""
    router = getattr(place, name).next_router()
    before, mark = router.became_active(), place.tester.mark()
    with place.tester.feeding(router.frame(OWN, source)):
        if stronger:
            router.wait_backup()
            assert router.address not in router.dut.node.addresses()
        else:
            router.wait_advert(mark)
            assert router.state() == "Active" and router.became_active() == before
    assert not [a for a in router.adverts(mark) if a.priority == 0], "who yields says nothing"


def test_active__stronger_once_then_silence__backup_and_back(place):
    router = place.v3.next_router()
    before, mark, said = router.became_active(), place.tester.mark(), time.time()
    place.tester.send(router.frame(255, interval=40))
    first = first_after(router, mark, said)
    assert router.became_active() == before + 1
    assert said + 1.2 - CLOCK_S <= first.time < said + 1.2 + LATE_S


@pytest.mark.parametrize("name", ["v3", "v2", "v6"])
def test_active__own_advertisement_replayed__no_answer_and_counted(place, name):
    one = getattr(place, name)
    router = one.next_router()
    mark = place.tester.mark()
    own = router.wait_advert(mark)
    before, mark = one.received(), place.tester.mark()
    place.tester.send(*[own.frame] * 100)
    rig.wait_until(lambda: one.landed(before) == one.looped(router, 100), 5, "100 looped")
    rig.linger(2 * one.interval_s)
    elapsed_s = time.time() - own.time
    assert len(router.adverts(mark)) <= elapsed_s / one.interval_s + 1, "no storm"
    assert one.landed(before) == one.looped(router, 100)
    assert router.state() == "Active"


def test_active__a_thousand_weak_ones__assertions_limited_and_period_kept(place):
    router = place.v3.next_router()
    schedule = wait_adverts(router, 2)
    before, mark, begun = (router.counters()["asserted"], place.v3.held_back(router)), place.tester.mark(), time.time()
    for _ in range(100):
        place.tester.send(*[router.frame(50)] * 10)
        rig.pace(0.009)

    def answered():
        return router.counters()["asserted"] - before[0], place.v3.held_back(router) - before[1]

    rig.wait_until(lambda: sum(answered()) >= 1000, 5, "all 1000 to be counted")  # some are held back, then made up
    elapsed_s = time.time() - begun
    asserted, _ = answered()
    assert 3 <= asserted <= elapsed_s / 0.05 + 2
    assert len(router.adverts(mark)) <= asserted + elapsed_s / INTERVAL_S + 2
    assert phase_error_s(schedule, wait_adverts(router, 4), INTERVAL_S) < 0.03
    assert router.state() == "Active"


# Neighbours


@pytest.mark.parametrize("name", ["v3", "v6", "vmac", "vmac6"])
def test_questions__backup__no_answer(place, name):
    router = getattr(place, name).next_router()
    router.dut.node.run("ip", "neigh", "flush", "dev", "eth0")
    macs = [None, router.dut.port["mac"], packets.virtual_mac(router.dut.family, router.vrid)]
    with router.kept_backup():
        mark = place.tester.mark()
        for i in range(21):
            place.tester.send(place.tester.question(router.address, macs[i % 3]))
            rig.pace(0.01)
        rig.linger(0.1)
        assert not [c for c in place.tester.claims(mark, address=router.address)]


@pytest.mark.parametrize("name", ["v3", "v6", "vmac", "vmac6"])
def test_questions__active__one_answer_each_with_the_right_mac(place, name):
    router = getattr(place, name).next_router()
    mark = place.tester.mark()
    for i in range(20):
        place.tester.send(place.tester.question(router.address, router.mac if i % 2 else None))
        rig.pace(0.01)
    answers = place.tester.wait(lambda: len(place.tester.answers(mark, router.address)) >= 20
                                and place.tester.answers(mark, router.address), 5, "20 answers")
    rig.linger(0.1)
    answers = place.tester.answers(mark, router.address)
    assert len(answers) == 20
    assert {c.source_mac for c in answers} == {router.mac}
    if router.dut.family == 4:
        assert {c.mac for c in answers} == {router.mac}
    else:  # the option may be left out when the question was unicast (RFC 4861 4.4)
        assert {c.mac for c in answers if c.mac} == {router.mac} and len([c for c in answers if c.mac]) >= 10
        assert all("S" in c.flags for c in answers)


@pytest.mark.parametrize("name", ["v3", "v6", "vmac", "vmac6"])
def test_client__empty_cache__served_and_never_misled(place, name):
    router = getattr(place, name).next_router()
    for node in (router.dut.node, place.lab.witness):
        node.run("ip", "neigh", "flush", "dev", "eth0")
    mark = place.tester.mark()
    place.lab.witness.run("ping", "-c", "3", "-i", "0.1", "-W", "2", router.address)
    claimed = place.tester.claims(mark, address=router.address)
    assert claimed and {c.mac for c in claimed} == {router.mac}
    replies = place.tester.since(mark, lambda f: len(f) > 54 and packets.packed(router.address) in f[22:38], bytes)
    assert replies and {packets.mac_text(f[6:12]) for f in replies} == {router.mac}, "its traffic too"


def test_takeover__rival_claims_the_address__not_disturbed(place):
    from scapy.layers.inet6 import ICMPv6ND_NA, ICMPv6NDOptDstLLAddr, IPv6
    from scapy.layers.l2 import Ether
    router = place.v6.next_router()
    claim = bytes(Ether(src=place.tester.mac, dst="33:33:00:00:00:01") / IPv6(src=router.address, dst="ff02::1", hlim=255)
                  / ICMPv6ND_NA(R=0, S=0, O=1, tgt=router.address) / ICMPv6NDOptDstLLAddr(lladdr=place.tester.mac))
    with place.tester.feeding(claim, every_s=0.02):
        with router.kept_backup():
            pass
        router.wait_active()
        conflict = rig.wait_until(lambda: router.status()["conflict"], 5, "the rival to be seen")
        listing = place.v6.node.run("ip", "-6", "-o", "addr", "show", "dev", "eth0").stdout
    line = next(text for text in listing.splitlines() if f" {router.address}/" in text)
    assert "tentative" not in line and "dadfailed" not in line
    assert conflict["mac"] == place.tester.mac


# Leaving, and being frozen


def silent_when_stopped(router):
    """Stops the daemon for longer than its lease, when it must not answer. A mark, and the moment, where it goes on."""
    talker, daemon = router.tester, router.dut.daemon
    rig.pause(daemon.pids())
    try:
        rig.pace(2.5 * INTERVAL_S + 0.05)
        mark = talker.mark()
        for _ in range(10):
            talker.send(talker.question(router.address), talker.question(router.address, router.mac))
            rig.pace(0.02)
        rig.linger(0.1)
        assert not talker.claims(mark, address=router.address)
    finally:
        mark = talker.mark()
        rig.resume(daemon.pids())
    return mark


def test_sigstop__active__silent_within_the_lease_and_listens_before_it_speaks(place):
    one = place.v3
    router = one.next_router()
    mark = silent_when_stopped(router)
    first = router.wait_advert(mark)
    said = [a for a in place.tester.adverts(mark, source=one.source) if a.time < first.time]
    assert first.time >= mark.at + DOWN_S - CLOCK_S, "it waits for others as at a start"
    assert said and said[0].priority == 0 and said[0].is_member
    assert place.tester.wait_claim(mark, address=router.address).time >= first.time
    one.wait_ready()


@pytest.mark.parametrize("name", ["v3", "v2", "v6", "vmac"])
def test_sigterm__active__member_says_goodbye_then_units_and_nothing_is_left(place, name):
    one = getattr(place, name)
    one.wait_ready()
    mark = place.tester.mark()
    before = one.node.addresses()
    try:
        assert one.daemon.stop() == 0
        addresses = one.node.addresses()
        assert not addresses & {a for r in one.routers for a in r.addresses}
        assert addresses <= before
        vrids = {r.vrid for r in one.routers}
        spoken = place.tester.wait(lambda: (lambda z: len(z) > len(vrids) and z)(
            place.tester.adverts(mark, source=one.source, priority=0)), 5, "priority 0 for all")
        assert spoken[0].is_member
        assert [a.vrid for a in spoken[1:]] == sorted(vrids)
        rig.linger(0.2)
        later = [a for a in place.tester.adverts(mark, source=one.source) if a.time > spoken[0].time]
        assert all(a.priority == 0 for a in later), "no word afterwards"
        assert not [c for c in place.tester.claims(mark) if c.time > spoken[0].time and c.address in
                    {a for r in one.routers for a in r.addresses}]
        assert one.node.run("nft", "list", "ruleset").stdout == ""
    finally:
        one.start().wait_ready()
