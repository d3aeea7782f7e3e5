#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""`bench.py --filter`: what the filter costs a packet, time on its way from a socket on one host through the wire to
another host's stack.

    filter.py [--vips 100] [--instances 255] [--rounds 2000] [--batch 50] [--limit-ns 1000]

Two hosts of a lab, alike but for `arp_filter off` and `arp_filter lease`, hold as many addresses each, of a pool, then
of as many instances. A third one sends bursts to both, and each sends bursts from one of its VIPs, all in turn. Sending
over veth runs the receiver's stack in the same thread, so the time of a burst is the whole way of its packets. The
shortest burst of each kind counts, since everything else on the machine only makes bursts longer. Exits 1 when the
filter adds more than the limit.
"""
import argparse
import json
import os
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "lan"))

import cluster  # noqa: E402
import rig  # noqa: E402

# One process sends all kinds in turn, so that whatever else the machine does meets each of them.
SENDER = """
import ctypes, json, socket, sys, time
rounds, batch, kinds = int(sys.argv[1]), int(sys.argv[2]), json.loads(sys.argv[3])
sockets = []
for holder, source, target in kinds:
    with open(f"/proc/{holder}/ns/net") as place:
        if ctypes.CDLL(None).setns(place.fileno(), 0x40000000) != 0:
            sys.exit("setns")
    s = socket.socket(socket.AF_INET6 if ":" in target else socket.AF_INET, socket.SOCK_DGRAM)
    if source:
        s.bind((source, 0))
    s.connect((target, 9))
    sockets.append(s)
best = [1e9] * len(kinds)
for n in range(rounds):
    for k, s in enumerate(sockets):
        send = s.send
        began = time.perf_counter_ns()
        for _ in range(batch):
            try:
                send(b"x" * 64)
            except ConnectionRefusedError:
                pass
        best[k] = min(best[k], (time.perf_counter_ns() - began) / batch)
print(json.dumps(best))
"""


# Nothing answers, so that a burst is one way only.
QUIET = """table inet quiet {
    chain in { type filter hook input priority 0;
        udp dport 9 drop
    }
}
"""


def arguments():
    parser = argparse.ArgumentParser(prog="bench.py --filter", description="The filter's cost per packet")
    parser.add_argument("--vips", type=int, default=100, help="addresses of each of the two hosts")
    parser.add_argument("--instances", type=int, default=255, help="of each of the two hosts, 255 at most")
    parser.add_argument("--rounds", type=int, default=2000)
    parser.add_argument("--batch", type=int, default=50)
    parser.add_argument("--limit-ns", type=float, default=1000)
    return parser.parse_args()


def send(options, kinds):
    """ns per packet of each (node, source or None, target): the shortest burst's."""
    words = json.dumps([(node.holder.pid, source, target) for node, source, target in kinds])
    return json.loads(subprocess.run([sys.executable, "-c", SENDER, str(options.rounds), str(options.batch), words],
                                     check=True, capture_output=True, text=True, timeout=300).stdout)


def vips_of(index, count, family):
    """On a network of their own, which has room for them."""
    if family == 4:
        return [f"10.75.{1 + index}.{1 + i}" for i in range(count)]
    return [f"2001:db8:75::{1 + index}:{1 + i:x}" for i in range(count)]


def pool_text(vips, mode, index):
    return cluster.pool_text([f"{vip}/{length(vip)}" for vip in vips], f"arp_filter {mode}", name=f"p{index}")


def instances_text(vips, mode, _index):
    """Each host is alone with its VRIDs."""
    return "".join(f"vrrp_instance v{n} {{\n interface eth0\n virtual_router_id {n + 1}\n version 3\n priority 200\n"
                   f" arp_filter {mode}\n virtual_ipaddress {{\n  {vip}/{length(vip)}\n }}\n}}\n"
                   for n, vip in enumerate(vips))


def length(vip):
    return 64 if ":" in vip else 16


def held(daemon):
    status = daemon.ready()
    if not status:
        return 0
    return (sum(i["state"] == "Active" and i["level_done"] == "answering" for i in status["instances"])
            + sum(u["level_done"] == "answering" for p in status["pools"] for u in p["units"]))


def start(lab, count, family, make_text):
    """h1 without a filter, h2 with the lease; both hold all their own."""
    daemons = []
    there = "10.75.0.1/16" if family == 4 else "2001:db8:75::3:1/64"
    lab.witness.run("ip", "addr", "add", there, "dev", "eth0", *(["nodad"] if family == 6 else []))
    for index, mode in enumerate(("off", "lease")):
        host = lab.hosts[index]
        host.run("nft", "-f", "-", input=QUIET)
        daemons.append(cluster.Evenkeel(host, make_text(vips_of(index, count, family), mode, index)).start())
    for daemon in daemons:
        rig.wait_until(lambda d=daemon: held(d) >= count, 20, "all addresses are held")
    return daemons


def measure(options, count, family, make_text):
    with rig.Lab(hosts=2, watchdog_s=600) as lab:
        lab.partition([lab.hosts[0]], [lab.hosts[1]])
        start(lab, count, family, make_text)
        off, lease = (vips_of(i, count, family)[count // 2] for i in (0, 1))
        key = f"ipv{family}"
        own = [lab.hosts[i].ports[0][key] for i in (0, 1)]
        there = lab.witness.ports[0][key]
        lab.witness.run("nft", "-f", "-", input=QUIET)
        first, second = lab.hosts
        sent = send(options, [(lab.witness, None, off), (lab.witness, None, lease), (lab.witness, None, own[0]),
                              (lab.witness, None, own[1]), (first, off, there), (second, lease, there),
                              (first, own[0], there), (second, own[1], there)])
        names = ("in, to a VIP that is held", "in, to the host's own address", "out, from a VIP that is held",
                 "out, from the host's own")
        return [(name, sent[2 * n], sent[2 * n + 1]) for n, name in enumerate(names)]


def main():
    options = arguments()
    good = True
    for title, count, make_text in (("addresses of a pool", options.vips, pool_text),
                                    ("instances", options.instances, instances_text)):
        heading = f"{count} {title}, ns per packet"
        print(f"{heading:36}{'without':>10}{'lease':>10}{'added':>10}")
        for family in (4, 6) if count else ():
            for what, without, lease in measure(options, count, family, make_text):
                print(f"IPv{family} {what:31}{without:10.0f}{lease:10.0f}{lease - without:10.0f}", flush=True)
                good &= lease - without < options.limit_ns
    return 0 if good else 1


if __name__ == "__main__":
    try:
        sys.exit(main())
    except subprocess.TimeoutExpired as error:
        sys.exit(str(error))
