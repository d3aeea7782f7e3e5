# SPDX-License-Identifier: GPL-2.0-or-later
"""`address_mode resident` beside the other programs of a host: every address is there from the start, and a program that
uses one which this host does not hold harms no other."""
import os
import time

import pytest

import lease
import rig

pytestmark = [
    pytest.mark.skipif(os.geteuid() != 0, reason="network namespaces need root"),
    pytest.mark.skipif(not rig.find_program("evenkeeld"), reason="evenkeeld is not built"),
]


def not_holding(field):
    """A host and an address that another one holds."""
    owners = field.place.wait_settled()
    name, other = field.place.names[:2]
    return field.lab.host[name], owners[other][0]


@pytest.mark.parametrize("family", [4, 6])
def test_resident__all_addresses__on_all_hosts_and_usable_at_once(family):
    with lease.Field(lease.Cell(6, family, "resident", False)) as field:
        for host in field.lab.hosts:
            assert set(field.watch.state()) <= host.addresses()
            flags = host.run("ip", "-o", "addr", "show", "dev", "eth0").stdout
            assert "tentative" not in flags and "dadfailed" not in flags


def test_resident__program_sends_from_what_is_held_elsewhere__others_are_not_held_up():
    with lease.Field(lease.Cell(6, 4, "resident", False)) as field:
        host, vip = not_holding(field)
        there = field.lab.hosts[2].ports[0]["ipv4"]
        assert host.run("cat", "/proc/sys/net/ipv4/conf/eth0/arp_announce").stdout.strip() == "2"
        host.run("ip", "neigh", "flush", "all")
        first = host.spawn("ping", "-c20", "-i0.2", "-I", vip, there, log="ping.txt")
        rig.pace(0.3)
        began = time.monotonic()
        done = host.run("ping", "-c1", "-W3", there, check=False)
        took = time.monotonic() - began
        first.kill()
        assert done.returncode == 0 and took < 1, f"{took:.1f} s: {done.stdout}"
        answered = host.read_log("ping.txt").count("bytes from")
        assert answered == 0, "nothing leaves from an address that is held elsewhere"
