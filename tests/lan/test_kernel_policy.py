# SPDX-License-Identifier: GPL-2.0-or-later
"""What instances bring besides plain addresses: options of addresses, routes, rules, and the static ones of each. With
test_kernel.py's LAN; what the probe has of them stands in kernel_probe_net.c.
"""

import re

import pytest

import rig
from test_kernel import PROBE, lan, run, wait_until  # noqa: F401
from test_kernel_set import start

WORDS = ("ipv4=2", "ipv6=1", "net")
REFUSED = "10.206.0.0/16"  # by the kernel: its gateway cannot be reached
STATIC = ("10.210.0.0/16 via 10.66.0.2 dev ve0 scope global", "10.211.0.0/16 dev ve9 scope link")
ROUTES = (
    "10.200.0.0/16 via 10.66.0.2 dev ve0 table 1000 scope global src 10.66.1.1 metric 7 mtu lock 1300 advmss 1200",
    "default via 10.66.0.2 dev ve0 scope global metric 50",
    "blackhole 10.201.0.0/24 scope global",
    "10.202.0.0/16 table 300 scope global nexthop via 10.66.0.2 dev ve0 weight 3 nexthop via 10.66.0.3 dev ve0 weight 1",
    "10.203.0.0/16 via 172.31.0.1 dev ve0 scope global onlink",
    "10.204.0.0/16 via inet6 fe80::1 dev ve0 scope global",
    "10.205.0.0/16 dev ve0 scope link",
    "prohibit 10.207.0.0/16 scope global",
    "throw 10.208.0.0/16 table 1000 scope global",
    "2001:db8:1::/48 via fd66::2 dev ve0 scope global metric 5 pref medium",
    "unreachable 2001:db8:2::/48 dev lo scope global metric 1024 pref medium",
    "2001:db8:3::/48 table 100000 scope global metric 1024 pref medium nexthop via fd66::2 dev ve0 weight 3 "
    "nexthop via fd99::2 dev ve9 weight 1",
)
STATIC_RULE = "500: from 10.66.5.0/24 lookup 1000"
RULES = (
    "100: from 10.66.1.1 lookup 1000",
    "101: from 10.66.0.0/16 to 10.200.0.0/16 tos 0x10 fwmark 0x10/0xff iif ve0 oif ve9 uidrange 0-99 ipproto tcp "
    "sport 1000-2000 dport 80 lookup main suppress_prefixlength 0",
    "102: not from 10.9.0.0/16 goto 32766",
    "32765: from 2001:db8::/32 blackhole",
)


def routes(lan):
    """Those that are marked as ours, in iproute2's words."""
    found = []
    for family in ("-4", "-6"):
        text = lan.on_host("ip", family, "-d", "route", "show", "table", "all", "proto", "18", check=False)
        for line in re.sub(r"\s*\n\s+nexthop", " nexthop", text).splitlines():
            found.append(" ".join(re.sub(r"unicast |table main ", "", line).split()))
    return sorted(found)


def rules(lan):
    text = lan.on_host("ip", "-4", "rule") + lan.on_host("ip", "-6", "rule")
    return sorted(" ".join(line.replace("proto keepalived", "").split()) for line in text.splitlines()
                  if "proto keepalived" in line)


def has_said(probe, text):
    """Reports of one pass come in no order that counts."""
    if not any(line.startswith(text) for line in probe.seen):
        probe.expect(re.escape(text))


@pytest.fixture
def net(lan):
    """The LAN, with the link that only static things are on."""
    lan.wire("ve9", 99)
    return lan


def everything(lan):
    return routes(lan) == sorted(STATIC + ROUTES) and rules(lan) == sorted(RULES + (STATIC_RULE,))


def only_static(lan):
    return routes(lan) == sorted(STATIC) and rules(lan) == [STATIC_RULE]


def test_routes_and_rules__of_every_kind__are_there_while_the_unit_is_ready(net):
    probe = start(net, *WORDS, filter="on")
    assert wait_until(lambda: only_static(net)), (routes(net), rules(net))
    probe.want(0, 2, "ready")
    assert wait_until(lambda: everything(net)), (routes(net), rules(net))
    probe.want(0, 2, "answering")
    has_said(probe, f"policy ENETUNREACH probe:7: the route to {REFUSED}")
    assert net.answers_ping()
    probe.want(0, 2, "absent")
    assert wait_until(lambda: only_static(net)), (routes(net), rules(net))
    assert probe.close() == 0
    assert routes(net) == [] and rules(net) == []


def test_addresses__with_options__are_as_the_file_says(net):
    probe = start(net, *WORDS, filter="on")
    own = net.addresses()
    probe.want(0, 2, "answering")
    listing = net.on_host("ip", "-o", "addr")
    assert "inet 10.66.1.1/16 brd 10.66.255.255 scope global secondary ve0:vip" in listing
    assert re.search(r"inet 10.66.1.2 peer 10.66.9.9/16 scope global (secondary )?noprefixroute ve0", listing)
    assert re.search(r"inet6 fd66::1:3/64 scope global nodad home mngtmpaddr", listing)
    assert "inet 10.66.7.7/32 scope link ve0" in listing and "fd99::7/64" in listing
    net.on_host("ip", "addr", "del", "10.66.1.2", "peer", "10.66.9.9/16", "dev", "ve0")
    probe.expect("restored 1")
    probe.want(0, 2, "absent")
    assert wait_until(lambda: net.addresses() == own)
    assert probe.close() == 0
    assert "10.66.7.7/32" not in net.addresses() and "fd99::7/64" not in net.addresses("ve9")


def test_removal_by_hand__of_a_route_a_rule_and_a_static_address__is_undone_and_reported(net):
    probe = start(net, *WORDS, filter="on")
    probe.want(0, 2, "answering")
    has_said(probe, "policy ENETUNREACH")
    for command, said in ((("route", "del", "10.200.0.0/16", "table", "1000"), "probe:0: the route to 10.200.0.0/16"),
                          (("-6", "route", "del", "2001:db8:3::/48", "table", "100000"),
                           "probe:12: the route to 2001:db8:3::/48"),
                          (("route", "del", "10.210.0.0/16"), "probe:50: the route to 10.210.0.0/16"),
                          (("rule", "del", "pref", "101"), "probe:100: the rule to 10.200.0.0/16"),
                          (("-6", "rule", "del", "pref", "32765"), "probe:100: the rule"),
                          (("addr", "del", "10.66.7.7/32", "dev", "ve0"), "-:0: the address 10.66.7.7")):
        net.on_host("ip", *command)
        probe.expect(f"policy 0 {said}", 2)
    assert everything(net) and "10.66.7.7/32" in net.addresses()


def test_links__go_down_and_come_back__and_the_routes_with_them(net):
    probe = start(net, *WORDS, filter="on")
    probe.want(0, 2, "answering")
    assert wait_until(lambda: everything(net))
    net.on_host("ip", "link", "set", "ve0", "down")
    # (That with another next hop stays, as the kernel sees it: half dead.)
    assert wait_until(lambda: not any("dev ve0" in route for route in routes(net) if "ve9" not in route))
    net.on_host("ip", "link", "set", "ve0", "up")
    assert wait_until(lambda: everything(net), 6), (routes(net), rules(net))
    net.on_host("ip", "link", "del", "ve9")
    assert wait_until(lambda: any("2001:db8:3::/48 via fd66::2 dev ve0" in route for route in routes(net))), routes(net)
    has_said(probe, "policy ENODEV probe:51: the route to 10.211.0.0/16")
    net.wire("ve9", 99)
    assert wait_until(lambda: everything(net) and "fd99::7/64" in net.addresses("ve9"), 6), (routes(net), rules(net))


def test_others__routes_rules_and_addresses_like_ours__are_left_alone(net):
    net.on_host("ip", "addr", "add", "10.66.7.7/32", "dev", "ve0")
    net.on_host("ip", "route", "add", "10.205.0.0/16", "via", "10.66.0.9")
    net.on_host("ip", "route", "add", "10.220.0.0/16", "via", "10.66.0.2", "proto", "18")
    net.on_host("ip", "rule", "add", "from", "10.66.5.0/24", "lookup", "1000", "pref", "501")
    probe = start(net, *WORDS, filter="on")
    probe.want(0, 2, "answering")
    has_said(probe, "policy EEXIST probe:6: the route to 10.205.0.0/16")
    probe.want(0, 2, "absent")
    assert probe.close() == 0
    assert "10.66.7.7/32" in net.addresses()
    assert routes(net) == ["10.220.0.0/16 via 10.66.0.2 dev ve0 scope global"]
    assert "10.205.0.0/16 via 10.66.0.9" in net.on_host("ip", "route")
    assert "501:\tfrom 10.66.5.0/24" in net.on_host("ip", "rule")


@pytest.mark.parametrize("who", ["next run", "guard"])
def test_left_overs__of_a_killed_run__are_removed(net, who):
    probe = start(net, *WORDS, filter="on")
    own = net.addresses()
    probe.want(0, 2, "answering")
    assert wait_until(lambda: everything(net))
    probe.kill()
    assert everything(net)
    if who == "next run":
        start(net, *WORDS, filter="on")
        assert wait_until(lambda: only_static(net) and net.addresses() == own), (routes(net), rules(net))
        return
    assert net.on_host(PROBE, "ve0", *WORDS, "set=300", "clean").startswith("cleaned 5 ")
    assert routes(net) == [] and rules(net) == [] and "10.66.7.7/32" not in net.addresses()


def test_retries__of_what_the_kernel_refuses__are_no_storm(net):
    probe = start(net, *WORDS, filter="on")
    probe.want(0, 2, "answering")
    has_said(probe, "policy ENETUNREACH")
    net.on_host("ip", "addr", "add", "192.0.2.9/24", "dev", "ve9")
    probe.expect(f"policy 0 probe:7: the route to {REFUSED}", 4)
    rig.linger(1)
    assert sum(REFUSED in line for line in probe.seen) == 2, "a failure is said once"
    assert int(run("ps", "-o", "cputimes=", "-p", str(probe.process.pid))) < 1
