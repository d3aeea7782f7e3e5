# SPDX-License-Identifier: GPL-2.0-or-later
"""The bytes: what is sent, to the last one; what is refused, each refusal in exactly one counter and without any effect; what is
tolerated on purpose; 200 virtual routers at once. The state machine is test_conformance.py's."""
import collections
import os
import struct
import time

import pytest

import dut
import packets
import rig
import tester
from dut import CLOCK_S, DOWN_S, INTERVAL_S, LATE_S, STRONGER

pytestmark = [
    pytest.mark.skipif(os.geteuid() != 0, reason="network namespaces need root"),
    pytest.mark.skipif(not rig.find_program("evenkeeld"), reason="evenkeeld is not built"),
]

MANY = 200
FUZZ_VRID = 233  # nobody's: what passes all checks lands in unknown_vrid, too


@pytest.fixture(scope="module")
def place():
    with dut.place(dut.Dut, v3=dict(vrids=range(51, 76)), v2=dict(vrids=range(91, 101), version=2),
                   v6=dict(vrids=range(111, 121), family=6)) as built:
        yield built


# Sent


GOLDEN = {  # VRID, priority 253, one address; written down by hand
    "v3": ("3133fd01 00190f7e c0000233", 51, "01:00:5e:00:00:12", "00:00:5e:00:01:33", "224.0.0.18"),
    "v2": ("215bfd01 00011f46 c000025b 0000000000000000", 91, "01:00:5e:00:00:12", "00:00:5e:00:01:5b", "224.0.0.18"),
    "v6": ("316ffd02 00190000 fe80000000000000 02005efffe00026f 20010db800000000 000000000000006f", 111,
           "33:33:00:00:00:12", "00:00:5e:00:02:6f", "ff02::12"),
}


@pytest.mark.parametrize("name", GOLDEN)
def test_sent__unit__golden_bytes(place, name):
    one = getattr(place, name)
    text, vrid, destination_mac, source_mac, destination = GOLDEN[name]
    golden = bytes.fromhex(text)
    mark = place.tester.mark()
    heard = place.tester.wait_advert(mark, vrid=vrid, source=one.source)
    assert (heard.destination_mac, heard.source_mac) == (destination_mac, source_mac)
    assert (heard.destination, heard.ttl, heard.source) == (destination, 255, one.source)
    if name == "v6":  # its checksum covers the host's own link-local address
        golden = packets.sealed(golden, one.source, destination, "pseudo")
        assert heard.checksum_form() == "pseudo"
    assert heard.message == golden


@pytest.mark.parametrize("name", GOLDEN)
def test_sent__unit__scapy_reads_the_same(place, name):
    from scapy.layers.l2 import Ether
    from scapy.layers.vrrp import VRRP, VRRPv3
    one = getattr(place, name)
    heard = place.tester.wait_advert(place.tester.mark(), source=one.source, is_member=False)
    seen = Ether(heard.frame)
    layer = seen[VRRP if name == "v2" else VRRPv3]
    assert (layer.version, layer.type, layer.vrid, layer.priority) == (2 if name == "v2" else 3, 1, heard.vrid, 253)
    assert layer.ipcount == len(heard.addresses) and list(layer.addrlist) == heard.addresses
    if name == "v2":
        assert (layer.authtype, layer.adv, layer.auth1, layer.auth2) == (0, 1, 0, 0)
    else:
        assert (layer.res, layer.adv) == (0, INTERVAL_S * 100)
    if name != "v6":
        again = Ether(heard.frame)
        del again["IP"].chksum
        assert bytes(again)[24:26] == heard.frame[24:26], "the IP header's checksum"


@pytest.mark.parametrize("name", GOLDEN)
def test_sent__member__ordinary_version_3_router(place, name):
    one = getattr(place, name)
    heard = place.tester.wait_advert(place.tester.mark(), source=one.source, is_member=True)
    family = one.family
    assert heard.message[:6] == struct.pack("!BBBBH", 0x31, heard.vrid, 100, 1, int(INTERVAL_S * 100))
    assert heard.source_mac == packets.virtual_mac(family, heard.vrid) and heard.ttl == 255
    assert heard.destination_mac == packets.GROUP_MAC[family] and heard.vrid == int(one.source[-1])
    assert heard.checksum_form() == ("plain" if family == 4 else "pseudo")


def test_sent__checksum_auto__the_form_last_heard_on_that_vrid(place):
    first, second = place.v3.next_router(), place.v3.next_router()
    for form, other in (("pseudo", "plain"), ("plain", "plain")):
        mark = place.tester.mark()
        place.tester.send(first.frame(50, form=form))
        first.wait_advert(mark)
        mark = place.tester.mark()
        assert first.wait_advert(mark).checksum_form() == form
        assert second.wait_advert(mark).checksum_form() == other


# Refused. (dut, where it must be counted, what is wrong.) Each would be an owner's (255) claim if it were believed.


WIRE = {
    "ttl_254": ("v3", "bad_ttl", dict(ttl=254)),
    "ttl_1": ("v3", "bad_ttl", dict(ttl=1)),
    "checksum": ("v3", "bad_checksum", dict(error=1)),
    "checksum_pseudo": ("v3", "bad_checksum", dict(error=1, form="pseudo")),
    "type_2": ("v3", "bad_type", dict(kind=2)),
    "version_4": ("v3", "bad_version", dict(version=4)),
    "version_1": ("v3", "bad_version", dict(version=1)),
    "version_0": ("v3", "bad_version", dict(version=0)),
    "count_3_of_1": ("v3", "too_short", dict(count=3)),
    "seven_bytes": ("v3", "too_short", dict(cut=7)),
    "empty": ("v3", "too_short", dict(cut=0)),
    "count_0": ("v3", "no_addresses", dict(addresses=[])),
    "count_0_of_1": ("v3", "no_addresses", dict(count=0, seal=8)),
    "interval_0": ("v3", "bad_interval", dict(interval=0)),
    "interval_0_reserved": ("v3", "bad_interval", dict(interval=0, reserve=15)),
    "unicast": ("v3", "bad_destination", dict(destination="192.0.2.1")),
    "other_group": ("v3", "bad_destination", dict(destination="224.0.0.19")),
    "fragment": ("v3", "bad_ip_length", dict(fragment=0x2000)),
    "offset": ("v3", "bad_ip_length", dict(fragment=1)),
    "longer_than_frame": ("v3", "bad_ip_length", dict(total=200)),
    "from_nobody": ("v3", "bad_source", dict(source="0.0.0.0")),
    "from_a_group": ("v3", "bad_source", dict(source="224.0.0.18")),
    "from_broadcast": ("v3", "bad_source", dict(source="255.255.255.255")),
    "vrid_0": ("v3", "bad_vrid", dict(vrid=0)),
    "v2_checksum": ("v2", "bad_checksum", dict(error=1)),
    "v2_checksum_pseudo": ("v2", "bad_checksum", dict(form="pseudo")),
    "v2_without_its_trailer": ("v2", "too_short", dict(cut=12)),
    "v2_interval_0": ("v2", "bad_interval", dict(interval=0)),
    "v2_count_0": ("v2", "no_addresses", dict(addresses=[])),
    "hop_limit_254": ("v6", "bad_ttl", dict(ttl=254)),
    "v6_checksum": ("v6", "bad_checksum", dict(error=1)),
    "v6_checksum_plain": ("v6", "bad_checksum", dict(form="plain")),
    "v6_version_2": ("v6", "bad_version", dict(version=2, interval=1)),
    "v6_global_source": ("v6", "bad_source", dict(source="2001:db8::fe")),
    "v6_one_address_missing": ("v6", "too_short", dict(cut=24)),
    "v6_longer_than_frame": ("v6", "bad_ip_length", dict(total=200)),
    "v6_to_all_nodes": ("v6", "bad_destination", dict(destination="ff02::1")),
}
ROUTER = {  # these pass the codec; the virtual router refuses them
    "v2_to_v3": ("v3", "version_mismatch", dict(version=2, interval=1)),
    "v3_to_v2": ("v2", "version_mismatch", dict(version=3, interval=100)),
    "v2_interval_2": ("v2", "interval_differs", dict(interval=2)),
    "v2_password": ("v2", "auth_mismatch", dict(auth_type=1, auth=b"secret\0\0")),
}


def forged(router, fields):
    fields = dict(fields)
    cut = fields.pop("seal", None)
    if cut is None:
        return router.frame(255, **fields)
    raw = packets.message(router.vrid, 255, router.addresses, interval=25, count=fields["count"])
    raw = packets.sealed(raw, router.dut.stranger, "224.0.0.18", covered=cut)
    packet = packets.ip_packet(raw, router.dut.stranger, "224.0.0.18")
    return packets.ethernet(packet, packets.virtual_mac(4, router.vrid), packets.GROUP_MAC[4])


@pytest.mark.parametrize("case", [*WIRE, *ROUTER])
def test_refused__active__counted_once_and_nothing_changes(place, case):
    name, counter, fields = {**WIRE, **ROUTER}[case]
    one = getattr(place, name)
    router = one.next_router()
    before, changed = one.received(), router.status()["since"]
    place.tester.send(*[forged(router, fields)] * 5)
    expected = (one.mismatched if case in ROUTER else one.refused)(router, counter, 5, fields)
    rig.wait_until(lambda: one.landed(before) == expected, 3, f"{expected}, not {one.landed(before)}")
    unit = router.status()
    assert (unit["state"], unit["since"], unit["holder_kind"]) == ("Active", changed, "self")


def test_refused__backup__does_not_hold_the_timer(place):
    """All of them at once, each on a virtual router of its own: every one becomes Active at its time."""
    cases = {}
    for case, (name, _, fields) in {**WIRE, **ROUTER}.items():
        if "vrid" not in fields:  # that one is nobody's
            cases.setdefault(name, []).append((case, fields))
    rounds = max(-(-len(c) // len(getattr(place, name).routers)) for name, c in cases.items())
    assert rounds == 1, "more routers are needed"
    pairs = [(case, router, forged(router, fields)) for name, found in cases.items()
             for (case, fields), router in zip(found, getattr(place, name).routers)]
    for name in cases:
        getattr(place, name).wait_ready()
    with place.tester.feeding(*[router.frame(STRONGER) for _, router, _ in pairs], every_s=0.1) as valid:
        for _, router, _ in pairs:
            router.wait_backup()
    mark = place.tester.mark()
    with place.tester.feeding(*[frame for _, _, frame in pairs], every_s=0.1):
        for case, router, _ in pairs:
            first = router.wait_advert(mark)
            down_s = 3 * router.dut.interval_s
            assert valid.last + down_s - CLOCK_S <= first.time < valid.last + down_s + 1 + LATE_S, case


def test_unknown_vrid__any__counted_and_nothing_else(place):
    router = place.v3.next_router()
    before = place.v3.received()
    place.tester.send(*[router.frame(255, vrid=FUZZ_VRID)] * 5)
    expected = {"accepted": 5, "unknown_vrid": 5, "web.foreign_vrid": 5}
    rig.wait_until(lambda: place.v3.landed(before) == expected, 3, "five of them counted")
    assert router.state() == "Active"


def test_flood__as_fast_as_can_be__own_period_is_kept(place):
    """What is queued when a turn begins is read, and then the turn goes on."""
    router = place.v3.next_router()
    frames, begun = [router.frame(255, vrid=FUZZ_VRID)] * 64, time.monotonic()
    mark = place.tester.mark()
    while time.monotonic() < begun + 8 * INTERVAL_S:
        place.tester.send(*frames)
    seen = [advert.time for advert in router.adverts(mark)]
    assert len(seen) >= 7, seen
    assert max(b - a for a, b in zip(seen, seen[1:])) < 2 * INTERVAL_S
    assert router.state() == "Active"


def test_carp__any__counted_apart(place):
    before = place.v3.received()
    body = b"\x21" + bytes([place.v3.routers[0].vrid, 0, 7, 2, 1, 0, 0]) + bytes(28)
    packet = packets.ip_packet(body, place.v3.stranger, "224.0.0.18")
    place.tester.send(packets.ethernet(packet, "00:00:5e:00:01:33", packets.GROUP_MAC[4]))
    rig.wait_until(lambda: place.v3.landed(before) == {"carp": 1}, 3, "one CARP packet counted")


# Tolerated. Each is a stronger router's claim, and the router yields to it.


TOLERATED = {
    "v3_tail_28": ("v3", dict(tail=bytes(range(28)))),
    "v3_tail_8": ("v3", dict(tail=bytes(8))),
    "v3_options": ("v3", dict(options=b"\x94\x04\0\0")),
    "v3_reserved_nibble": ("v3", dict(reserve=15)),
    "v3_pseudo_header": ("v3", dict(form="pseudo")),
    "v2_tail_8": ("v2", dict(tail=b"\xff" * 8)),
    "v2_auth_data": ("v2", dict(auth=b"\1\2\3\4\5\6\7\x08")),
    "v6_tail_28": ("v6", dict(tail=bytes(range(28)))),
    "v6_reserved_nibble": ("v6", dict(reserve=15)),
}


@pytest.mark.parametrize("case", TOLERATED)
def test_tolerated__stronger__believed(place, case):
    name, fields = TOLERATED[case]
    one = getattr(place, name)
    router = one.next_router()
    before = one.received()
    place.tester.send(router.frame(255, **fields))
    router.wait_backup()
    assert one.landed(before) == {"accepted": 1, f"{router.vrid}.adverts_received": 1}
    place.tester.send(router.frame(0))


LISTS = {
    "other": ("v3", ["203.0.113.99"]),
    "more": ("v3", ["192.0.2.51", "192.0.2.52", "192.0.2.53"]),
    "v2_other": ("v2", ["203.0.113.99"]),
    "v6_without_link_local": ("v6", ["2001:db8::6f"]),
    "v6_other": ("v6", ["fe80::1", "2001:db8::99"]),
}


@pytest.mark.parametrize("priority", [STRONGER, 255])
@pytest.mark.parametrize("case", LISTS)
def test_address_list__differs__believed_counted_and_shown(place, case, priority):
    name, addresses = LISTS[case]
    one = getattr(place, name)
    router = one.next_router()
    before = one.received()
    place.tester.send(router.frame(priority, addresses=addresses))
    router.wait_backup()
    vrid = router.vrid
    assert one.landed(before) == {"accepted": 1, f"{vrid}.adverts_received": 1, f"{vrid}.address_list_differs": 1}
    assert router.status()["address_list_differs"]
    assert not {"203.0.113.99", "2001:db8::99"} & one.node.addresses(), "a claim configures nothing"
    place.tester.send(router.frame(0))


def test_address_list__other_order__is_the_same(place):
    router = place.v6.next_router()
    before = place.v6.received()
    place.tester.send(router.frame(255, addresses=router.addresses[::-1]))
    router.wait_backup()
    assert place.v6.landed(before) == {"accepted": 1, f"{router.vrid}.adverts_received": 1}
    place.tester.send(router.frame(0))


# Anything


def fuzz_frames(source, length):
    """Messages of one length with every first byte; every second one with a right checksum, plain or not."""
    for first in range(256):
        head = bytes([first, FUZZ_VRID, 255, (length - 8) // 4 & 255, 0, 25, 0, 0])
        raw = (head + bytes(i * 7 & 255 for i in range(80)))[:length]
        if length >= 8 and first % 4:
            raw = packets.sealed(raw, source, packets.GROUP[packets.family_of(source)], "plain" if first % 4 == 1 else "pseudo")
        packet = packets.ip_packet(raw, source, packets.GROUP[packets.family_of(source)])
        yield packets.ethernet(packet, "00:00:5e:00:01:01", packets.GROUP_MAC[packets.family_of(source)])


def flooded(one, before, sent, seen_by_link):
    """Everything that was sent is in exactly one of the link's counters, and nothing was lost."""
    def link_total():
        landed = one.landed(before)
        return sum(v for k, v in landed.items() if "." not in k and k != "unknown_vrid")

    rig.wait_until(lambda: link_total() >= sent, 10, f"{sent} packets counted, not {link_total()}")
    assert link_total() == sent
    daemon = one.daemon.ask("counters")["daemon"]
    assert daemon["receive_drops"] == seen_by_link["receive_drops"], "the daemon's socket lost some"


@pytest.mark.parametrize("name", ["v3", "v6"])
def test_fuzz__every_length_and_first_byte__one_counter_each_and_no_harm(place, name):
    one = getattr(place, name)
    one.wait_ready()
    workers, held, log = one.daemon.workers(), one.daemon.held(), one.daemon.ask("counters")["daemon"]
    before, sent, mark = one.received(), 0, place.tester.mark()
    for length in range(0, 81, 1 if name == "v3" else 3):
        for frame in fuzz_frames(one.stranger, length):
            place.tester.send(frame)
            sent += 1
        rig.pace(0.005)
    flooded(one, before, sent, log)
    assert one.daemon.workers() == workers and one.daemon.held() == held
    assert not [a for a in place.tester.adverts(mark, source=one.source) if a.priority == 0]


@pytest.mark.parametrize("name", ["v3", "v6"])
def test_fuzz__frame_cut_anywhere_or_one_byte_changed__one_counter_each_and_no_harm(place, name):
    one = getattr(place, name)
    one.wait_ready()
    workers, log = one.daemon.workers(), one.daemon.ask("counters")["daemon"]
    whole = one.routers[0].frame(1, vrid=FUZZ_VRID)
    protocol_at = 14 + (9 if one.family == 4 else 6)
    frames = [whole[:n] for n in range(protocol_at + 1, len(whole))]
    for at in range(14, len(whole)):
        if at != protocol_at:
            frames += [whole[:at] + bytes([whole[at] ^ bit]) + whole[at + 1:] for bit in (1, 0x10, 0x80, 0xff)]
    before = one.received()
    place.tester.send(*frames)
    flooded(one, before, len(frames), log)
    assert one.daemon.workers() == workers
    one.wait_ready()


# Many


@pytest.mark.parametrize("kind", [dut.Dut, dut.InstanceDut], ids=["units", "instances"])
def test_200_routers__all_fed_at_once__no_false_transition_and_then_all_serve(kind):
    with dut.isolated_lab(1) as lab:
        talker = tester.Tester(lab.witness)
        one = kind(lab, 0, range(20, 20 + MANY), talker=talker).start()
        try:
            frames = [r.frame(STRONGER) for r in one.routers]
            with talker.feeding(*frames, every_s=0.1) as feed:
                rig.wait_until(one.daemon.ready, 10, "the daemon's socket")
                rig.linger(4)
                units = one.units()
                assert {u["state"] for u in units} == {"Backup"} and {u["holder"] for u in units} == {talker.ipv4}
                assert {u["became_active"] for u in one.unit_counters()} == {0}
                mark = talker.mark()
            heard = talker.wait(lambda: (lambda a: len({x.vrid for x in a}) == MANY and a)(
                talker.adverts(mark, source=one.source, is_member=False)), 10, "all 200 to speak")
            assert min(a.time for a in heard) >= feed.last + DOWN_S - CLOCK_S
            one.wait_ready()
            counts = collections.Counter(a.vrid for a in talker.adverts_during(8 * INTERVAL_S, source=one.source, is_member=False))
            assert len(counts) == MANY and min(counts.values()) >= 6 and max(counts.values()) <= 10
            drops = one.daemon.ask("counters")["daemon"]
            assert (drops["receive_drops"], drops["send_errors"], talker.lost()) == (0, 0, 0)
        finally:
            talker.close()
