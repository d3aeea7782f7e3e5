# SPDX-License-Identifier: GPL-2.0-or-later
"""The same as test_kernel.py where interfaces come late, go, change their names or their addresses."""

import rig
from test_kernel import VIP, lan, wait_until  # noqa: F401


def test_group__one_interface_missing__is_refused_with_its_reason_and_opens_when_it_comes(lan):
    probe = lan.probe("ipv4=2", "filter=on", "second=ve1")
    probe.want(0, 1, "answering", errors=1)
    assert lan.held() == ["10.66.1.2"], "a group is never held in part"
    lan.wire("ve1", 67)
    probe.expect("late 0 0")
    assert sorted(lan.held()) == [VIP, "10.66.1.2", "10.67.1.1"]
    assert lan.answers_arp("10.67.1.1", "ve1")


def test_interface_recreated__the_filter_is_on_it_again_and_addresses_too(lan):
    probe = lan.probe("ipv4=1", "ipv6=1", "filter=lease", "member_ms=100")
    probe.arm()
    probe.say("beat 50")
    probe.want(0, 1, "answering")
    lan.on_host("ip", "link", "del", "ve0")
    probe.expect("link 0 present=0")
    lan.wire("ve0", 66)
    probe.expect(r"link 0 present=1 up=1 .*ipv4=10\.66\.0\.1")
    probe.arm()
    assert wait_until(lambda: lan.answers_ping() and lan.answers_ping("fd66::1:2"), 3)
    rig.linger(0.4)
    assert lan.alive()
    probe.want(0, 0, "ready")
    assert not lan.answers_arp()
    assert probe.close() == 0
    assert "10.66.0.1/16" in lan.addresses()


def test_interface_renamed__nothing_answers_there_and_all_is_known_when_it_is_back(lan):
    """The filter stays with the name, and Linux lets an interface that is up be renamed."""
    probe = lan.probe("ipv4=1", "ipv6=1", "filter=lease", "member_ms=100")
    probe.arm()
    probe.say("beat 50")
    probe.want(0, 1, "answering")
    lan.on_host("ip", "link", "set", "ve0", "name", "other")
    probe.expect("link 0 present=0")
    assert wait_until(lambda: not {VIP + "/16", "fd66::1:2/64"} & set(lan.addresses("other")), 1)
    assert "10.66.0.1/16" in lan.addresses("other") and not lan.answers_arp()
    lan.on_host("ip", "link", "set", "other", "name", "ve0")
    probe.expect(r"link 0 present=1 up=1 .*ipv4=10\.66\.0\.1 ipv6=fe80")
    probe.arm()
    assert wait_until(lambda: lan.answers_ping() and lan.answers_ping("fd66::1:2"), 3)
    assert probe.close() == 0


def test_links__carrier_gateway_and_mtu__are_reported(lan):
    probe = lan.probe("ipv4=1", "filter=off")
    lan.on_host("ip", "route", "add", "default", "via", "10.66.0.2")
    probe.expect(r"link 0 .* gateway=10\.66\.0\.2")
    lan.on_peer("ip", "link", "set", "ve0", "down")
    probe.expect("link 0 present=1 up=0")
    lan.on_peer("ip", "link", "set", "ve0", "up")
    probe.expect("link 0 present=1 up=1")
    lan.on_host("ip", "link", "set", "ve0", "mtu", "1400")
    probe.expect("link 0 .* mtu=1400")
    lan.on_host("ip", "route", "del", "default")
    probe.expect("link 0 .* gateway=-")


def test_address_primary__vip_configured_first__is_not_taken_for_the_hosts_own(lan):
    lan.on_host("ip", "addr", "flush", "dev", "ve0", "scope", "global")
    probe = lan.probe("ipv4=1", "filter=on")
    probe.want(0, 0, "answering")
    rig.linger(0.2)
    lan.on_host("ip", "addr", "add", "10.66.0.1/16", "dev", "ve0")
    probe.expect(r"link 0 .* ipv4=10\.66\.0\.1 ")
    assert not any(f"ipv4={VIP} " in line for line in probe.seen)
