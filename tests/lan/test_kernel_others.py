# SPDX-License-Identifier: GPL-2.0-or-later
"""What others do to addresses, table and interfaces under the kernel thread, and that it is put right. With the means
of test_kernel.py.
"""
import subprocess
import time

import rig
from test_kernel import TABLE, VIP, lan, wait_until  # noqa: F401


def test_removal_by_hand__of_a_wanted_address__is_undone_and_reported(lan):
    probe = lan.probe("ipv4=2", "ipv6=1", "filter=on")
    probe.want(0, 2, "answering")
    lan.on_host("ip", "addr", "del", f"{VIP}/16", "dev", "ve0")
    probe.expect("restored 0$", 1)
    assert f"{VIP}/16" in lan.addresses()
    lan.on_host("ip", "addr", "del", "fd66::1:3/64", "dev", "ve0")
    probe.expect("restored 2$", 1)
    assert "fd66::1:3/64" in lan.addresses() and lan.answers_ping("fd66::1:3")


def test_addition_by_hand__of_an_unwanted_vip__is_undone(lan):
    lan.probe("ipv4=2", "filter=on")
    lan.on_host("ip", "addr", "add", f"{VIP}/16", "dev", "ve0")
    assert not lan.answers_arp()
    assert wait_until(lambda: f"{VIP}/16" not in lan.addresses(), 1)


def test_wrong_prefix_length__left_by_somebody__is_put_right(lan):
    lan.on_host("ip", "addr", "add", "fd66::1:2/128", "dev", "ve0", "nodad")
    lan.on_host("ip", "addr", "add", f"{VIP}/32", "dev", "ve0")
    probe = lan.probe("ipv4=1", "ipv6=1", "filter=on")
    probe.want(0, 1, "answering")
    addresses = lan.addresses()
    assert f"{VIP}/16" in addresses and f"{VIP}/32" not in addresses
    assert "fd66::1:2/64" in addresses and "fd66::1:2/128" not in addresses


def test_primary_of_the_subnet_removed__without_promote_secondaries__nobody_elses_address_goes(lan):
    lan.on_host("sysctl", "-qw", "net.ipv4.conf.all.promote_secondaries=0", "net.ipv4.conf.ve0.promote_secondaries=0")
    lan.on_host("ip", "addr", "flush", "dev", "ve0", "scope", "global")
    probe = lan.probe("ipv4=3", "filter=on")
    probe.want(0, 2, "answering")
    lan.on_host("ip", "addr", "add", "10.66.0.1/16", "dev", "ve0")
    probe.expect(r"link 0 .*ipv4=10\.66\.0\.1 ")
    probe.want(0, 0, "absent")
    assert {"10.66.0.1/16", "10.66.1.2/16", "10.66.1.3/16"} <= set(lan.addresses())
    assert not any(line.startswith("restored") for line in probe.seen)
    assert lan.answers_arp("10.66.1.2")
    assert probe.close() == 0
    assert "10.66.0.1/16" in lan.addresses()


def test_foreign_removal_of_the_primary__that_takes_vips_along__brings_them_back(lan):
    lan.on_host("sysctl", "-qw", "net.ipv4.conf.all.promote_secondaries=0", "net.ipv4.conf.ve0.promote_secondaries=0")
    probe = lan.probe("ipv4=3", "filter=on")
    probe.want(0, 2, "answering")
    lan.on_host("sysctl", "-qw", "net.ipv4.conf.ve0.promote_secondaries=0")
    lan.on_host("ip", "addr", "del", "10.66.0.1/16", "dev", "ve0")
    probe.expect("restored 0", 1)
    assert wait_until(lambda: {f"{VIP}/16", "10.66.1.2/16", "10.66.1.3/16"} <= set(lan.addresses()), 1)


def test_flushed_ruleset__while_held__is_restored_within_a_second_and_others_stay_out_of_it(lan):
    probe = lan.probe("ipv4=2", "ipv6=1", "filter=lease", "member_ms=100")
    probe.arm()
    probe.say("beat 50")
    probe.want(0, 1, "answering")
    lan.nft("add", "table", "inet", "other")
    for command in (("flush", "ruleset"), ("delete", "table", *TABLE), ("flush", "set", *TABLE, "held"),
                    ("delete", "element", *TABLE, "vips", "{", VIP, "}"), ("flush", "chain", *TABLE, "in_arp")):
        started = time.monotonic()
        lan.nft(*command)
        probe.expect("restored -1", 1)
        assert sorted(lan.held()) == [VIP, "10.66.1.2"]
        assert time.monotonic() - started < 1
        assert lan.alive() and lan.answers_ping()
    lan.nft("add", "table", "inet", "other")
    lan.nft("add", "table", "netdev", "evenkeel_probe2")
    rig.linger(0.3)
    assert probe.process.poll() is None and not lan.answers_arp("10.66.1.3")
    assert probe.close() == 0
    assert "other" in lan.nft("list", "tables") and "evenkeel_probe2" in lan.nft("list", "tables")


def test_table__that_somebody_made_his_own__what_is_given_up_goes_and_nothing_comes_before_it_is_ours_again(lan):
    """Every transaction of ours is refused, as by a kernel out of memory."""
    probe = lan.probe("ipv4=1", "ipv6=1", "filter=on")
    own = lan.addresses()
    probe.want(0, 1, "answering")
    thief = subprocess.Popen(["ip", "netns", "exec", lan.host, "nft", "-i"], stdin=subprocess.PIPE,
                             stdout=subprocess.DEVNULL, text=True)
    lan.probes.append(thief)
    print(f"delete table {' '.join(TABLE)}; add table {' '.join(TABLE)} {{ flags owner; }}", file=thief.stdin, flush=True)
    assert wait_until(lambda: "owner" in lan.nft("list", "table", *TABLE, check=False))
    probe.want(0, 1, "absent")
    assert lan.addresses() == own
    probe.want(0, 1, "ready", errors=2)
    assert lan.addresses() == own
    thief.kill()
    assert wait_until(lambda: {f"{VIP}/16", "fd66::1:2/64"} <= set(lan.addresses()), 4)
    assert not lan.answers_ping() and not lan.answers_ping("fd66::1:2")
    probe.want(0, 1, "answering")
    assert lan.answers_ping() and lan.answers_ping("fd66::1:2")
    assert probe.close() == 0


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
