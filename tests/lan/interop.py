# SPDX-License-Identifier: GPL-2.0-or-later
"""The interop matrix: virtual routers that our daemon and another implementation have in common, and what is done to them.

A cell is one virtual router: who the peer is, what it is on our side (an instance or a pool's unit), version, family, transport,
whose MAC it speaks with, and who has the higher priority. All cells of a peer live on two hosts of one Lab at the same time, so
that each event (a crash, an orderly leave, an arrival) happens to all of them at once, and the whole matrix takes as long as one
cell. What is recorded are facts: who speaks after the event and then keeps speaking alone, and how who left said so.
"""
import os
import time
from dataclasses import dataclass, field

import cluster
import frr
import keepalived
import packets
import rig
import tester

OURS, PEERS = "ours", "peer's"
DEADLINE_S = 20   # for a take-over; version 2 needs 3.7 s, a busy machine more
HOLD_S = 1.1      # and then nobody else speaks for so long
ADVERT_S = {2: (1, 1), 3: (0.2, 0.3)}  # ours, the peer's: version 3 learns the other's

PHASES = {  # what happens, and who speaks afterwards: by "ours has the higher priority"
    "peer alone": (PEERS, PEERS),
    "we arrive": (OURS, PEERS),
    "peer crashes": (OURS, OURS),
    "peer arrives": (OURS, PEERS),
    "we leave": (PEERS, PEERS),
    "we return": (OURS, PEERS),
    "we crash": (PEERS, PEERS),
    "we come back": (OURS, PEERS),
    "peer leaves": (OURS, OURS),
}


@dataclass(eq=False)
class Cell:
    peer: str
    kind: str  # on our side: "instance" or "pool"
    version: int
    family: int
    transport: str
    mac: str
    higher: bool
    vrid: int
    form: str = "pseudo"  # of checksums of version 3 over IPv4
    passed: dict = field(default_factory=dict)  # phase or fact: did it hold?

    def row(self):
        return (self.peer, self.kind, f"v{self.version}", f"IPv{self.family}", self.transport, f"{self.mac} MAC",
                self.form if (self.version, self.family) == (3, 4) else "-")

    def name(self):
        return "-".join(self.row()).replace(" MAC", "") + ("-higher" if self.higher else "-lower")

    def vip(self):
        return f"192.0.2.{self.vrid}" if self.family == 4 else f"2001:db8::{self.vrid:x}"

    def addresses(self):
        return [self.vip()] if self.family == 4 else [packets.unit_link_local(self.vrid), self.vip()]

    def priority(self, side):
        """A pool's unit speaks with 253 where its host is alone."""
        low, high = (100, 200) if self.kind == "instance" else (100, 254)
        return high if self.higher == (side == OURS) else low

    def host_address(self, port):
        return port["ipv4" if self.family == 4 else "link_local"]


def matrix(peer):
    """The cells of one peer, each with a VRID of its own."""
    vrid = 10
    out = []

    def add(*words, form="pseudo"):
        nonlocal vrid
        for higher in (True, False):
            out.append(Cell(peer, *words, higher, vrid, form))
            vrid += 1

    for kind in ("instance", "pool"):
        for version, family in ((2, 4), (3, 4), (3, 6)):
            for mac in ("real", "virtual"):
                if peer != "evenkeel":
                    add(kind, version, family, "multicast", mac)
                elif (version, family, mac) == (3, 4, "real"):
                    add(kind, version, family, "multicast", mac, form="plain")
    if peer == "keepalived":
        for version, family in ((2, 4), (3, 4), (3, 6)):
            add("instance", version, family, "unicast", "real")
    if peer == "evenkeel":  # VRIDs beside those of the peer with which it shares a host
        for cell in out:
            cell.vrid += 100
    return out


# Configurations


def instance_text(cell, side, own_port, other_port, words=(), with_vmac=True):
    advert_s = ADVERT_S[cell.version][0 if side == OURS else 1]
    lines = [f"vrrp_instance c{cell.vrid} {{", f"    version {cell.version}", "    state BACKUP", "    interface eth0",
             f"    virtual_router_id {cell.vrid}", f"    priority {cell.priority(side)}", f"    advert_int {advert_s}",
             *(f"    {w}" for w in words)]
    if with_vmac and cell.mac == "virtual":
        lines.append("    use_vmac")
    if cell.transport == "unicast":
        lines += [f"    unicast_src_ip {cell.host_address(own_port)}", "    unicast_peer {",
                  f"        {cell.host_address(other_port)}", "    }"]
    lines += ["    virtual_ipaddress {"] + [f"        {a}/{24 if cell.family == 4 else 64} dev eth0" for a in cell.addresses()]
    return "\n".join(lines + ["    }", "}", ""])


def our_text(cells, own_port, other_port):
    text, pools = "", {}
    for cell in cells:
        if cell.kind == "pool":
            pools.setdefault((cell.version, cell.family, cell.mac, cell.form), []).append(cell)
        else:
            text += instance_text(cell, OURS, own_port, other_port, ["v3_checksum_as_v2"] if cell.form == "plain" else [])
    for number, ((version, _, mac, form), members) in enumerate(pools.items()):
        words = [f"version {version}", f"advert_int {ADVERT_S[version][0]}", "member_advert_int 0.2",
                 "use_vmac" if mac == "virtual" else "vmac_xmit_base", f"checksum {'plain' if form == 'plain' else 'auto'}"]
        text += cluster.pool_text([c.vip() for c in members], *words, name=f"p{number}")
    return text


# Peers: things with start, terminate, wait and kill


class Several:
    def __init__(self, *parts):
        self.parts = parts

    def start(self):
        for part in self.parts:
            part.start()

    def terminate(self):
        for part in self.parts:
            part.terminate()

    def wait(self):
        for part in self.parts:
            part.wait()

    def kill(self):
        for part in self.parts:
            part.kill()


class OurOwn(cluster.Evenkeel):
    def wait(self, deadline_s=15):
        return self.child.wait(deadline_s)


def keepalived_peer(node, cells, other_port):
    text = "global_defs {\n    router_id rig\n}\n"
    text += "".join(instance_text(c, PEERS, node.ports[0], other_port) for c in cells if c.peer == "keepalived")
    plain = [c for c in cells if c.peer == "evenkeel"]
    ours = "".join(instance_text(c, PEERS, node.ports[0], other_port, ["v3_checksum_as_v2"]) for c in plain)
    return Several(keepalived.Keepalived(node, text), *([OurOwn(node, ours)] if plain else []))


def frr_peer(node, cells, _other_port):
    routers = [frr.Router(c.vrid, c.family, c.version, c.priority(PEERS), c.vip(), ADVERT_S[c.version][1]) for c in cells]
    return frr.Frr(node, routers)


class Field:
    """Two hosts and a listener; everything that happens to the cells of one peer."""

    def __init__(self, cells, make_peer):
        self.cells = cells
        self.lab = rig.Lab(hosts=2, watchdog_s=240)
        self.nodes = dict(zip((OURS, PEERS), self.lab.hosts))
        ports = {side: node.ports[0] for side, node in self.nodes.items()}
        self.tester = tester.Tester(self.lab.witness)
        self.ours = OurOwn(self.nodes[OURS], our_text(cells, ports[OURS], ports[PEERS]))
        self.peer = make_peer(self.nodes[PEERS], cells, ports[OURS])
        self.sources = {address: side for side, port in ports.items() for address in (port["ipv4"], port["link_local"])}
        self.by_router = {(c.family, c.vrid): c for c in cells}
        self.heard, self.zeros, self.forms, self.read = {}, set(), {}, 0
        self.dead = None  # who crashed: what its host still has configured says nothing

    def close(self):
        self.tester.close()
        self.lab.close()

    def listen(self):
        """Takes in what was heard since the last time."""
        news = self.tester.since(self.read)
        self.read += len(news)
        for advert in news:
            cell = self.by_router.get((advert.family, advert.vrid)) if isinstance(advert, packets.Advert) else None
            if cell is None or advert.is_member:
                continue
            side = self.sources.get(advert.source, PEERS)  # FRR speaks from addresses of its own over IPv6
            if advert.priority == 0:
                self.zeros.add((cell, side))
                continue
            self.heard[cell, side] = advert.time
            if side == OURS:
                self.forms[cell] = advert.checksum_form()

    def speakers(self, cell, now, addresses):
        if cell.transport == "unicast":
            return {side for side in (OURS, PEERS) if side != self.dead and cell.vip() in addresses[side]}
        patience = {side: 1.6 * ADVERT_S[cell.version][0 if side == OURS else 1] + 0.1 for side in (OURS, PEERS)}
        return {side for side in (OURS, PEERS) if now - self.heard.get((cell, side), 0) < patience[side]}

    def wrong(self, expected):
        """Cells that somebody else speaks for, or nobody."""
        self.listen()
        now, addresses = time.time(), {side: node.addresses() for side, node in self.nodes.items()}
        return [c for c in self.cells if self.speakers(c, now, addresses) != {expected[c]}]

    def settle(self, phase):
        """Waits until every cell has its one speaker, and then sees that it stays so."""
        expected = {c: PHASES[phase][0 if c.higher else 1] for c in self.cells}
        end = time.monotonic() + DEADLINE_S
        while time.monotonic() < end:
            if not self.wrong(expected):
                rig.linger(HOLD_S)
                if not self.wrong(expected):
                    break
            rig.pace(0.1)
        bad = self.wrong(expected)
        for cell in self.cells:
            cell.passed[phase] = cell not in bad

    def goodbyes(self, phase, side):
        """Those that `side` spoke for were given back with priority 0, as far as that can be heard here."""
        self.listen()
        for cell in self.cells:
            if cell.higher == (side == OURS) and cell.transport == "multicast":
                cell.passed[phase] = cell.passed[phase] and (cell, side) in self.zeros

    def start_ours(self):
        self.ours.start()
        rig.wait_until(self.ours.ready, 10, "our daemon to answer")

    def play(self):
        self.peer.start()
        self.settle("peer alone")
        self.start_ours()
        self.settle("we arrive")
        self.peer.kill()
        self.dead = PEERS
        self.settle("peer crashes")
        self.peer.start()
        self.dead = None
        self.settle("peer arrives")
        self.zeros.clear()
        self.ours.terminate()
        self.ours.wait()
        self.settle("we leave")
        self.goodbyes("we leave", OURS)
        self.start_ours()
        self.settle("we return")
        self.ours.kill()
        self.dead = OURS
        self.settle("we crash")
        self.start_ours()
        self.dead = None
        self.settle("we come back")
        self.zeros.clear()
        self.peer.terminate()
        self.settle("peer leaves")
        self.goodbyes("peer leaves", PEERS)
        self.peer.wait()
        for cell in self.cells:
            cell.passed["checksum"] = cell.transport == "unicast" or (cell.version, cell.family) != (3, 4) or (
                self.forms.get(cell) == cell.form)


def table(cells):
    """Text: one line for each row of the matrix; a mark for us with the higher priority, and one for the lower."""
    columns = list(PHASES) + ["checksum"]
    rows = {}
    for cell in cells:
        rows.setdefault(cell.row(), {})[cell.higher] = cell
    head = f"{'peer':11}{'ours':10}{'':4}{'':6}{'transport':11}{'':13}{'checksum':9}"
    lines = ["", "Interop matrix: marks are for us with the higher priority, and with the lower one",
             head + "  ".join(f"{c:12}" for c in columns)]
    passed = total = 0
    for row, pair in rows.items():
        marks = []
        for column in columns:
            results = [pair[h].passed.get(column) for h in (True, False)]
            total += len(results)
            passed += sum(bool(r) for r in results)
            marks.append(" ".join("ok" if r else "--" for r in results))
        lines.append("".join(f"{text:{width}}" for text, width in zip(row, (11, 10, 4, 6, 11, 13, 9)))
                     + "  ".join(f"{m:12}" for m in marks))
    lines.append(f"{passed} of {total} cells passed")
    return "\n".join(lines) + "\n"


def write_table(cells):
    folder = os.path.join(rig.build_dir(), "check")
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, "interop.txt"), "w", encoding="utf-8") as f:
        f.write(table(cells))
