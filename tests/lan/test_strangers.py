# SPDX-License-Identifier: GPL-2.0-or-later
"""Debian's keepalived as a stranger on one VRID of a pool of three hosts: as owner, as a stronger and as a weaker router;
it comes, is stopped, is killed. RFC 9568's election decides between it and us, in either direction; the rest of the pool
stays even and is not touched; the status names it. Versions 2 and 3, IPv4 and IPv6; its version 3 over IPv4 has the pseudo
header in the checksum, to which `checksum auto` must adapt."""
import os
import shutil

import pytest

import cluster
import keepalived
import packets
import rig
import tester

pytestmark = [
    pytest.mark.skipif(os.geteuid() != 0, reason="network namespaces need root"),
    pytest.mark.skipif(not rig.find_program("evenkeeld"), reason="evenkeeld is not built"),
    pytest.mark.skipif(not shutil.which("keepalived"), reason="keepalived is not installed"),
]

VIPS = 6
CONTESTED = 51  # VRID, and last byte of the address
LATE_S = 5
CLOCK_S = 0.005


class Scene:
    """h1 to h3 run the pool, h4 is the stranger's, the witness listens and asks."""

    def __init__(self, lab, version, family):
        self.lab, self.version, self.family = lab, version, family
        self.interval_s = 1 if version == 2 else 0.25
        self.vips = [f"192.0.2.{CONTESTED + i}" if family == 4 else f"2001:db8::{CONTESTED + i:x}" for i in range(VIPS)]
        self.tester = tester.Tester(lab.witness)
        text = cluster.pool_text(self.vips, f"version {version}", f"advert_int {self.interval_s}")
        self.ours = [cluster.Evenkeel(host, text) for host in lab.hosts[:3]]
        self.own = {d.node.ports[0]["ipv4" if family == 4 else "link_local"]: d for d in self.ours}
        self.outside = lab.hosts[3]
        self.stranger = self.outside.ports[0]["ipv4" if family == 4 else "link_local"]
        self.keepalived = None
        for daemon in self.ours:
            daemon.start()
        self.wait_settled()

    def units(self, daemon):
        return {u["vrid"]: u for u in daemon.ask("status")["pools"][0]["units"]}

    def holders(self):
        """{vrid: holder} when all of ours that run agree on it, else None."""
        views = [{v: u["holder"] for v, u in self.units(d).items()} for d in self.ours if d.ready()]
        return views[0] if views and all(v == views[0] for v in views) else None

    def loads(self, holders):
        return sorted(sum(1 for h in holders.values() if h == address) for address in self.own)

    def wait_settled(self, deadline_s=25):
        """Everything is held by us, evenly, and all agree. Returns the holders."""
        def settled():
            holders = self.holders()
            return holders and set(holders.values()) <= set(self.own) and self.loads(holders) == [2, 2, 2] and holders

        return rig.wait_until(settled, deadline_s, "two units on each of ours", 0.1)

    def wait_holder(self, holder, deadline_s):
        """All of ours say that the contested unit is `holder`'s."""
        return rig.wait_until(lambda: (self.holders() or {}).get(CONTESTED) == holder, deadline_s,
                              f"VRID {CONTESTED} to be seen as {holder}'s", 0.05)

    def wait_ours(self, deadline_s):
        return rig.wait_until(lambda: (self.holders() or {}).get(CONTESTED) in self.own, deadline_s,
                              f"VRID {CONTESTED} to be ours", 0.05)

    def others(self):
        """What must not change: who holds the other units, and how often each of ours came to do so."""
        counted = [{u["vrid"]: u["became_active"] for u in d.ask("counters")["pools"][0]["units"]} for d in self.ours]
        return {v: (holder, [c[v] for c in counted]) for v, holder in (self.holders() or {}).items() if v != CONTESTED}

    def begin(self, priority):
        lists = [packets.unit_link_local(CONTESTED), self.vips[0]] if self.family == 6 else [self.vips[0]]
        extra = ["native_ipv6"] if self.family == 6 else []
        text = keepalived.instance(1, self.vips[0], CONTESTED, priority, version=self.version, advert_s=self.interval_s,
                                   extra=extra)
        if self.family == 6:  # the same list as ours
            text = text.replace("    virtual_ipaddress {\n", f"    virtual_ipaddress {{\n        {lists[0]}/64 dev eth0\n")
        if priority == 255:
            text = text.replace("state BACKUP", "state MASTER")
        self.keepalived = keepalived.Keepalived(self.outside, text).start()

    def end(self):
        if self.keepalived and self.keepalived.pids():
            self.keepalived.kill()
        self.outside.forget()

    def answering(self):
        """The MAC addresses that answer for the contested address."""
        mark = self.tester.mark()
        for _ in range(3):
            self.tester.send(self.tester.question(self.vips[0]))
            rig.pace(0.03)
        rig.linger(0.05)
        return {c.source_mac for c in self.tester.answers(mark, self.vips[0])}

    def wait_answering(self, mac):
        rig.wait_until(lambda: self.answering() == {mac}, LATE_S, f"{mac} alone to answer, not {self.answering()}")

    def our_mac(self):
        return self.own[self.holders()[CONTESTED]].node.ports[0]["mac"]

    def speakers(self, seconds):
        """Who advertises the contested VRID for a while: {source: its last advertisement}."""
        mark = self.tester.mark()
        rig.linger(seconds)
        return {a.source: a for a in self.tester.adverts(mark, vrid=CONTESTED)}

    def assert_named(self):
        for daemon in self.ours:
            status = daemon.ask("status")
            unit = next(u for u in status["pools"][0]["units"] if u["vrid"] == CONTESTED)
            assert (unit["holder"], unit["holder_kind"], unit["state"]) == (self.stranger, "stranger", "Backup")
            named = [a for a in status["attention"] if a["code"] == "stranger" and CONTESTED in a["vrids"]]
            assert named and self.stranger in named[0]["text"]


@pytest.fixture(scope="module", params=[(3, 4), (2, 4), (3, 6)], ids=["v3", "v2", "v3-ipv6"])
def scene(request):
    with rig.Lab(hosts=4, watchdog_s=200) as lab:
        built = Scene(lab, *request.param)
        try:
            yield built
        finally:
            built.end()
            built.tester.close()


@pytest.fixture
def place(scene):
    scene.wait_settled()
    try:
        yield scene
    finally:
        scene.end()


def assert_stronger_comes(place, priority):
    before = place.others()
    place.begin(priority)
    place.wait_holder(place.stranger, 4 * place.interval_s + LATE_S)
    rig.wait_until(lambda: all(any(a["code"] == "stranger" for a in d.ask("status")["attention"]) for d in place.ours), LATE_S,
                   "the stranger to be reported", 0.1)
    place.assert_named()
    place.wait_answering(place.outside.ports[0]["mac"])
    heard = place.speakers(2.5 * place.interval_s)
    assert set(heard) == {place.stranger}
    assert heard[place.stranger].checksum_form() == ("plain" if place.version == 2 else "pseudo")
    assert place.others() == before
    return before


def test_stranger__stronger__holds_the_unit_until_it_is_stopped(place):
    before = assert_stronger_comes(place, 254)
    mark = place.tester.mark()
    place.keepalived.terminate()
    goodbye = place.tester.wait_advert(mark, vrid=CONTESTED, source=place.stranger, priority=0)
    first = place.tester.wait(lambda: [a for a in place.tester.adverts(mark, vrid=CONTESTED) if a.source in place.own][:1], 10,
                              "one of ours to take over")[0]
    assert first.time < goodbye.time + 2 * place.interval_s, "by skew time, not by the down interval"
    place.wait_ours(LATE_S)
    place.keepalived.wait()
    place.wait_answering(place.our_mac())
    assert place.others() == before and place.loads(place.wait_settled()) == [2, 2, 2]


def test_stranger__owner_killed__taken_over_after_the_down_interval(place):
    before = assert_stronger_comes(place, 255)
    place.keepalived.kill()
    place.outside.forget()  # else its host answers for ever
    mark = place.tester.mark()
    last = place.tester.adverts(0, vrid=CONTESTED, source=place.stranger)[-1]
    first = place.tester.wait(lambda: [a for a in place.tester.adverts(mark, vrid=CONTESTED) if a.source in place.own][:1], 10,
                              "one of ours to take over")[0]
    assert last.time + 3 * place.interval_s - CLOCK_S <= first.time < last.time + 4 * place.interval_s + LATE_S
    place.wait_ours(LATE_S)
    place.wait_answering(place.our_mac())
    assert place.others() == before and place.loads(place.wait_settled()) == [2, 2, 2]


@pytest.mark.parametrize("how", ["stopped", "killed"])
def test_stranger__weaker__changes_nothing(place, how):
    if (place.version, how) == (2, "killed"):
        pytest.skip("nothing of it depends on the version, and this one is slow")
    before, holder, mac = place.others(), place.holders()[CONTESTED], place.our_mac()
    place.begin(50)
    rig.linger(4 * place.interval_s + 0.5)  # it has heard us, or refused what it heard and been taught
    assert place.holders()[CONTESTED] == holder
    heard = place.speakers(2.5 * place.interval_s)
    assert set(heard) == {holder} and heard[holder].priority == 253
    if (place.version, place.family) == (3, 4):
        assert heard[holder].checksum_form() == "pseudo", "the form that the stranger understands"
    place.wait_answering(mac)
    if how == "stopped":
        place.keepalived.terminate()
        place.keepalived.wait()
    else:
        place.keepalived.kill()
    rig.linger(place.interval_s)
    assert place.holders()[CONTESTED] == holder and place.others() == before


def test_stranger__weaker_and_we_leave_and_return__elected_both_ways(place):
    place.begin(50)
    rig.pace(4 * place.interval_s + 0.5)
    mark = place.tester.mark()
    for daemon in place.ours:
        daemon.terminate()
    for daemon in place.ours:
        assert daemon.child.wait(15) == 0
    place.tester.wait_advert(mark, vrid=CONTESTED, source=place.stranger, priority=50)
    place.wait_answering(place.outside.ports[0]["mac"])
    mark = place.tester.mark()
    for daemon in place.ours:
        daemon.start()
    taken = place.tester.wait(lambda: [a for a in place.tester.adverts(mark, vrid=CONTESTED) if a.source in place.own][:1], 15,
                              "one of ours to preempt it")[0]
    assert taken.priority > 50
    place.wait_settled()
    place.wait_answering(place.our_mac())
    assert not set(place.speakers(3 * place.interval_s)) - set(place.own)
