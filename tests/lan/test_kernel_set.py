# SPDX-License-Identifier: GPL-2.0-or-later
"""Sets of instances in the kernel: addresses, the filter with a lease for each, virtual MACs. As test_kernel.py, and
with its LAN; the probe's words for sets are in kernel_probe_set.c.
"""

import re
import time

import pytest

import rig
from test_kernel import PROBE, TABLE, VIP, a_measurement, assert_cheap, captured, figure, lan, wait_until  # noqa: F401

KEYS = ("a_name_that~0", "VI_1", "VI_2", "VI_3")  # of the first units' leases
LEASE_MS = 600  # with an advertisement every 100 ms, since this may be a busy machine


def alive(lan):
    """The units that are alive."""
    return re.findall(r'"([^"]+)"(?: timeout \S+)? expires', lan.nft("list", "set", *TABLE, "alive"))


def start(lan, *words, filter="lease", lease_ms=LEASE_MS, links=1):
    probe = lan.probe(f"filter={filter}", f"set={lease_ms}", *words)
    for link in range(links):
        probe.expect(rf"link {link} .*ipv6=fe80")
    return probe


@pytest.fixture
def two_links(lan):
    lan.wire("ve1", 67)
    return lan


@pytest.mark.parametrize("mode", ["on", "off", "lease"])
def test_levels__of_instances__are_carried_out_in_every_mode(lan, mode):
    probe = start(lan, "ipv4=2", "ipv6=1", filter=mode, lease_ms=5000)
    own = lan.addresses()
    probe.want(0, 2, "ready")
    assert {f"{VIP}/16", "10.66.1.2/16", "fd66::1:3/64"} <= set(lan.addresses())
    assert lan.answers_arp() == (mode == "off")
    probe.want(0, 2, "answering")
    assert lan.answers_ping() and lan.answers_ping("10.66.1.2") and lan.answers_ping("fd66::1:3")
    probe.want(0, 0, "absent")
    assert not lan.answers_arp() and lan.answers_arp("10.66.1.2")
    probe.want(1, 2, "absent")
    assert wait_until(lambda: lan.addresses() == own)
    assert probe.close() == 0
    assert lan.nft("list", "ruleset") == ""


def test_lease__of_each_instance__lives_by_its_own_advertisement_and_ends_without(lan):
    probe = start(lan, "ipv4=2", "ipv6=1")
    probe.say("ubeat 0 2 100")
    probe.want(0, 2, "answering")
    assert sorted(alive(lan)) == sorted(KEYS[:3])
    end = time.monotonic() + 1
    while time.monotonic() < end:
        assert lan.answers_ping() and lan.answers_ping("fd66::1:3")
    probe.say("ubeat 0 0 100")
    assert wait_until(lambda: alive(lan) == [KEYS[0]], 2)
    assert lan.answers_ping() and not lan.answers_arp("10.66.1.2") and not lan.answers_ping("fd66::1:3")
    assert "10.66.1.2/16" in lan.addresses(), "only the filter has closed"
    probe.say("ubeat 0 2 100")
    rig.linger(0.4)
    assert alive(lan) == [KEYS[0]], "late ones bring nothing back"
    probe.want(1, 2, "ready")
    probe.want(1, 2, "answering")
    assert lan.answers_ping("10.66.1.2") and lan.answers_ping("fd66::1:3")


@pytest.mark.parametrize("words", [("version=2",), ("ttl=64",), ("version=3", "leases=3")])
def test_lease__whatever_the_advertisements_are_like__is_renewed(lan, words):
    probe = start(lan, "ipv4=3", *words)
    capture = lan.capture("proto 112")
    probe.say("ubeat 0 2 100")
    probe.want(0, 2, "answering")
    rig.linger(2 * LEASE_MS / 1000)
    assert sorted(alive(lan)) == sorted(KEYS[:3]) and lan.answers_ping()
    # The frames that are only to renew the leases of unicast instances do not leave.
    assert ("VRRP" in captured(capture)) == ("ttl=64" not in words)
    probe.say("ubeat 0 0 0")
    assert wait_until(lambda: alive(lan) == [], 4)


def test_lease__release_with_priority_0__does_not_renew(lan):
    probe = start(lan, "ipv4=1")
    probe.want(0, 0, "answering")
    end = time.monotonic() + 2 * LEASE_MS / 1000
    while time.monotonic() < end:
        probe.say("uadvert 0 0")
        rig.pace(0.05)
    assert alive(lan) == []


def test_lease__is_over_when_the_unit_would_open__waits_for_the_next_advertisement(lan):
    probe = start(lan, "ipv4=1", lease_ms=700)
    probe.want(0, 0, "ready")
    probe.say("ubeat 0 0 1500")
    rig.pace(0.9)
    probe.say("want 0 0 answering")
    rig.linger(0.2)
    assert alive(lan) == []
    assert float(probe.expect(r"done 1 (\S+) 0")[1]) > 300
    assert alive(lan) == [KEYS[0]]


def test_lease__flushed_ruleset__gets_only_what_is_left(lan):
    probe = start(lan, "ipv4=2", lease_ms=3000)
    probe.say("uadvert 0 100")
    probe.say("ubeat 1 1 100")
    probe.want(0, 1, "answering")
    rig.pace(1)
    lan.nft("flush", "ruleset")
    probe.expect("restored -1", 1)
    left = dict(re.findall(r'"([^"]+)" .*?expires (\S+?)[, \n]', lan.nft("list", "set", *TABLE, "alive")))
    assert re.match(r"1s\d+ms", left[KEYS[0]]), left
    assert re.match(r"[23]s", left[KEYS[1]]), left
    rig.pace(2.2)
    lan.nft("flush", "ruleset")
    probe.expect("restored -1", 1)
    assert alive(lan) == [KEYS[1]] and not lan.answers_arp() and lan.answers_arp("10.66.1.2")


def test_lease__stopped_process__is_silent_for_all_and_stays_so(lan):
    probe = start(lan, "ipv4=1", "ipv6=1")
    probe.say("ubeat 0 1 100")
    probe.want(0, 1, "answering")
    probe.process.send_signal(19)
    assert wait_until(lambda: alive(lan) == [], 2)
    assert not lan.answers_arp() and not lan.answers_ping("fd66::1:2")
    probe.process.send_signal(18)
    rig.linger(0.3)
    assert alive(lan) == []


def test_links__units_on_two_of_them__are_told_apart(two_links):
    probe = start(two_links, "ipv4=2", "second=ve1", "spread", links=2)
    probe.say("ubeat 0 0 100")
    probe.want(0, 1, "answering")
    assert wait_until(lambda: alive(two_links) == [KEYS[0]], 2), "each link's advertisement renews its own"
    assert two_links.answers_arp() and not two_links.answers_arp("10.66.1.2", "ve1")
    probe.say("ubeat 0 1 100")
    probe.want(1, 1, "ready")
    probe.want(1, 1, "answering")
    rig.linger(0.4)
    assert sorted(alive(two_links)) == ["VI_1", KEYS[0]]


@pytest.mark.parametrize("mode", ["on", "lease"])
def test_links__one_link_local_address_on_both__is_judged_on_each(two_links, mode):
    lan = two_links
    probe = start(lan, "ipv4=0", "ipv6=2", "second=ve1", "spread", "local", filter=mode, lease_ms=5000, links=2)

    def answers(link):
        lan.on_peer("ip", "neigh", "flush", "all")
        return ", 0% packet loss" in lan.on_peer("ping", "-c1", "-W1", f"fe80::66%{link}", check=False)

    probe.want(0, 1, "ready")
    assert not answers("ve0") and not answers("ve1")
    probe.want(0, 0, "answering")
    assert answers("ve0") and not answers("ve1")
    probe.want(1, 1, "answering")
    assert answers("ve0") and answers("ve1")
    probe.want(0, 0, "absent")
    assert not answers("ve0") and answers("ve1")
    probe.kill()
    assert lan.on_host(PROBE, "ve0", "ipv4=0", "ipv6=2", "second=ve1", "spread", "local", "set=5000",
                       "clean").startswith("cleaned 1 ")
    assert not answers("ve1") and lan.nft("list", "ruleset") == ""


@pytest.mark.parametrize("mode", ["on", "lease"])
def test_no_accept__data_is_dropped__and_neighbours_are_answered(lan, mode):
    probe = start(lan, "ipv4=1", "ipv6=1", "noaccept", filter=mode, lease_ms=5000)
    probe.want(0, 1, "answering")
    assert lan.answers_arp() and not lan.answers_ping()
    assert not lan.answers_ping("fd66::1:2")
    assert re.search("fd66::1:2 .*lladdr", lan.on_peer("ip", "neigh")), "solicitations are answered"
    # ... those to the address itself, too: a neighbour that is asked again by unicast stays reachable.
    lan.on_peer("ip", "neigh", "change", "fd66::1:2", "dev", "ve0", "nud", "probe")
    assert wait_until(lambda: "REACHABLE" in lan.on_peer("ip", "neigh", "show", "fd66::1:2"), 3)


@pytest.mark.parametrize("word, macs", [("vmac", ("00:00:5e:00:01:01", "00:00:5e:00:02:02")),
                                        ("own_mac", ("02:00:00:00:00:00", "02:00:00:00:00:01"))])
def test_vmac__of_each_instance__is_what_its_frames_carry(lan, word, macs):
    probe = start(lan, "ipv4=1", "ipv6=1", word)
    probe.say("ubeat 0 1 100")
    probe.want(0, 1, "answering")
    capture = lan.capture("arp or icmp or icmp6")
    assert lan.answers_ping()
    neighbours = lan.on_peer("ip", "neigh")
    assert lan.answers_ping("fd66::1:2")
    neighbours += lan.on_peer("ip", "neigh")
    listing = lan.on_host("bridge", "fdb", "show", "dev", "ve0")
    seen = captured(capture)
    for address, mac in zip((VIP, "fd66::1:2"), macs):
        assert re.search(rf"{address} .*{mac}", neighbours)
        assert f"{mac} self permanent" in listing and f"{mac} > " in seen
    assert "bad icmp6 cksum" not in seen
    probe.say("ubeat 0 0 0")
    assert wait_until(lambda: alive(lan) == [], 2)
    assert not lan.answers_ping()
    probe.want(0, 1, "absent")
    assert not any(mac in lan.on_host("bridge", "fdb", "show", "dev", "ve0") for mac in macs)


def test_removal_by_hand__of_an_instances_address__is_undone(lan):
    probe = start(lan, "ipv4=1", "ipv6=1", filter="on")
    probe.want(0, 1, "answering")
    lan.on_host("ip", "addr", "del", f"{VIP}/16", "dev", "ve0")
    probe.expect("restored 0$", 1)
    assert f"{VIP}/16" in lan.addresses() and lan.answers_ping()


def test_open__an_earlier_runs_instances__are_removed(lan):
    first = start(lan, "ipv4=2", "ipv6=1", "vmac")
    own = lan.addresses()
    first.want(0, 2, "answering")
    first.kill()
    start(lan, "ipv4=2", "ipv6=1", "vmac")
    assert wait_until(lambda: lan.addresses() == own)
    assert alive(lan) == [] and not lan.answers_arp()


def test_source__of_the_file__is_what_renews(lan):
    probe = start(lan, "ipv4=1", "source=10.66.0.77")
    probe.say("ubeat 0 0 100")
    probe.want(0, 0, "answering")
    rig.linger(2 * LEASE_MS / 1000)
    assert alive(lan) == [KEYS[0]]


def test_primary_address__changes__and_the_lease_is_renewed_from_the_new_one(lan):
    probe = start(lan, "ipv4=1", lease_ms=1000)
    probe.say("ubeat 0 0 100")
    probe.want(0, 0, "answering")
    lan.on_host("ip", "addr", "del", "10.66.0.1/16", "dev", "ve0")
    lan.on_host("ip", "addr", "add", "10.66.0.99/16", "dev", "ve0")
    probe.expect("link 0 .*ipv4=10.66.0.99")
    rig.linger(1.5)
    assert alive(lan) == [KEYS[0]] and lan.answers_arp()


def test_promote_secondaries__is_set_where_the_file_says_so(lan):
    value = "/proc/sys/net/ipv4/conf/ve0/promote_secondaries"
    lan.on_host("sysctl", "-qw", "net.ipv4.conf.ve0.promote_secondaries=0")
    start(lan, "ipv4=1")
    assert lan.on_host("cat", value) == "0\n"
    start(lan, "ipv4=1", "promote")
    assert wait_until(lambda: lan.on_host("cat", value) == "1\n")


def test_filter_off__what_cannot_be_done_without_it__is_said(lan):
    probe = start(lan, "ipv4=1", "vmac", "noaccept", filter="off")
    assert "filter off: as configured; data to all addresses is accepted; virtual MACs have macvlan interfaces" in probe.seen


@a_measurement
def test_cost__of_the_filter_of_500_instances__per_packet(lan):
    def probe(mode):
        probe = start(lan, "ipv4=250", "ipv6=250", *(["vmac"] if mode == "lease" else []), filter=mode, lease_ms=60000)
        probe.want(0, 499, "answering")
        return probe

    assert_cheap(lan, probe)


def test_layouts__with_and_without_the_egress_hook__are_all_accepted(lan):
    count, refused = lan.on_host(PROBE, "ve0", "layouts").split()[-2:]
    assert int(count) == 360 and int(refused) == 0


def test_many__500_instances_with_virtual_macs__start_and_stop_in_under_a_second(lan):
    words = ("ipv4=250", "ipv6=250", "vmac")
    started = time.monotonic()
    probe = start(lan, *words, lease_ms=20000)
    probe.want(0, 499, "answering")
    took = time.monotonic() - started
    assert len(alive(lan)) == 500 and len(lan.addresses()) > 500
    assert lan.on_host("bridge", "fdb", "show", "dev", "ve0").count("self permanent") >= 500
    started = time.monotonic()
    assert probe.close() == 0
    stopped = time.monotonic() - started
    figure(f"500 instances with virtual MACs: start {took:.3f} s, stop {stopped:.3f} s")
    assert len(lan.addresses()) < 10 and lan.nft("list", "ruleset") == ""
