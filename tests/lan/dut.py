# SPDX-License-Identifier: GPL-2.0-or-later
"""The device under test: our daemon alone on its host, every unit of its pool, or every vrrp_instance, a virtual router that a
Tester talks to.

The hosts of one Lab are kept apart by the switch and only the witness hears them all, so that each is a router of its own and one
start serves many tests. A unit's VRID is the last byte of its address; the ranges of a lab's hosts must not overlap.
"""
import contextlib
import time

import cluster
import packets
import rig
import tester

INTERVAL_S = 0.25  # of units (version 3) and members: then the RFC's times and the pool's are the same
DOWN_S = 3 * INTERVAL_S
STRONGER = 254
OWN = 253  # what a lone host's unit advertises
SKEW_S = (256 - OWN) / 256 * INTERVAL_S
ADVERT_INT = f"advert_int {INTERVAL_S}"
CLOCK_S = 0.005  # between our own time stamps and the kernel's
LATE_S = 3  # how late a loaded machine may be; what must not come early has no tolerance


def vip(family, vrid):
    return f"192.0.2.{vrid}" if family == 4 else f"2001:db8::{vrid:x}"


def isolated_lab(hosts, watchdog_s=240):
    lab = rig.Lab(hosts=hosts, watchdog_s=watchdog_s)
    lab.partition(*[[host] for host in lab.hosts])
    for family in ("iptables", "ip6tables", "arptables"):  # else a bridge with br_netfilter eats malformed packets before us
        lab.switch.run("sysctl", "-qw", f"net.bridge.bridge-nf-call-{family}=0", check=False)
    return lab


class Router:
    """One unit as a virtual router, seen from outside."""

    def __init__(self, dut, vrid):
        self.dut, self.vrid, self.tester = dut, vrid, dut.tester
        self.address = vip(dut.family, vrid)
        self.addresses = [self.address] if dut.family == 4 else [packets.unit_link_local(vrid), self.address]
        self.mac = packets.virtual_mac(dut.family, vrid) if dut.use_vmac else dut.port["mac"]

    def frame(self, priority, source=None, **fields):
        """An advertisement of a stranger for this router, right but for what `fields` say."""
        fields.setdefault("version", self.dut.version)
        fields.setdefault("interval", 1 if fields["version"] == 2 else int(INTERVAL_S * 100))
        fields.setdefault("addresses", self.addresses)
        return packets.advert_frame(source or self.dut.stranger, fields.pop("vrid", self.vrid), priority, **fields)

    def adverts(self, mark, **wanted):
        return self.tester.adverts(mark, vrid=self.vrid, source=self.dut.source, **wanted)

    def wait_advert(self, mark, deadline_s=tester.WAIT_S, **wanted):
        return self.tester.wait_advert(mark, deadline_s, vrid=self.vrid, source=self.dut.source, **wanted)

    def status(self):
        return next(u for u in self.dut.pool_status()["units"] if u["vrid"] == self.vrid)

    def state(self):
        return self.status()["state"]

    def counters(self):
        return next(u for u in self.dut.pool_counters()["units"] if u["vrid"] == self.vrid)

    def became_active(self):
        """How often. One more than before: it was Backup meanwhile, however short."""
        return self.counters()["became_active"]

    def wait_active(self, deadline_s=10):
        def serving():
            unit = self.status()
            return unit["state"] == "Active" and unit["level_done"] == "answering"

        rig.wait_until(serving, deadline_s, f"VRID {self.vrid} Active")
        return self

    def wait_backup(self, deadline_s=5):
        rig.wait_until(lambda: self.status()["state"] == "Backup" and self.status()["level_done"] == "absent", deadline_s,
                       f"VRID {self.vrid} Backup")
        return self

    @contextlib.contextmanager
    def kept_backup(self, priority=STRONGER, source=None, **fields):
        """A stronger stranger speaks while the block runs."""
        with self.tester.feeding(self.frame(priority, source, **fields)) as feed:
            self.wait_backup()
            yield feed


class Dut:
    """With units of a pool."""
    router = Router

    def __init__(self, lab, index, vrids, *options, family=4, version=3, use_vmac=False, pool="web", talker=None):
        self.node, self.tester, self.family, self.version = lab.hosts[index], talker, family, version
        self.port, self.use_vmac, self.pool = self.node.ports[0], use_vmac, pool
        self.source = self.port["ipv4" if family == 4 else "link_local"]
        self.stranger = talker.ipv4 if family == 4 else talker.link_local
        self.interval_s = INTERVAL_S if version == 3 else 1
        words = [f"version {version}", *([ADVERT_INT] if version == 3 else []), *options, *(["use_vmac"] if use_vmac else [])]
        self.routers = [self.router(self, v) for v in vrids]
        self.text = self.make_text(words)
        self.daemon = cluster.Evenkeel(self.node, self.text)
        self.turn = 0

    def make_text(self, words):
        return cluster.pool_text([r.address for r in self.routers], *words, name=self.pool)

    def start(self):
        self.daemon.start()
        return self

    def wait_ready(self, deadline_s=15):
        def ready():
            status = self.daemon.ready()
            units = [u for p in status["pools"] for u in p["units"]] + status["instances"] if status else []
            return units and all(u["level_done"] == "answering" for u in units)

        rig.wait_until(ready, deadline_s, f"{self.node.name} to serve all units", 0.1)
        return self

    def next_router(self):
        """Another router than the last time, Active."""
        self.turn += 1
        return self.routers[self.turn % len(self.routers)].wait_active()

    def units(self):
        return self.pool_status()["units"]

    def unit_counters(self):
        return self.pool_counters()["units"]

    def pool_status(self):
        return next(p for p in self.daemon.ask("status")["pools"] if p["name"] == self.pool)

    def pool_counters(self):
        return next(p for p in self.daemon.ask("counters")["pools"] if p["name"] == self.pool)

    # What a unit's counters are called: of a pool's, and below of an instance's.

    def looped(self, _router, count):
        return {"accepted": count, f"{self.pool}.looped": count}

    def held_back(self, _router):
        return self.pool_counters()["counters"]["assertions_held_back"]

    def refused(self, _router, counter, count, _fields):
        return {counter: count}

    def mismatched(self, router, counter, count, _fields):
        return {"accepted": count, f"{router.vrid}.adverts_received": count, f"{router.vrid}.{counter}": count}

    def received(self):
        """Every counter of what was received, by a flat name; what the daemon does by itself is left out."""
        answer = self.daemon.ask("counters")
        link = answer["links"][0]
        flat = {"accepted": link["accepted"], "unknown_vrid": link["unknown_vrid"], **link["refused"]}
        for pool in answer["pools"]:
            flat.update({f"{pool['name']}.{k}": v for k, v in pool["counters"].items() if not k.endswith("_sent")})
            for unit in pool["units"]:
                flat.update({f"{unit['vrid']}.{k}": v for k, v in unit.items()
                             if isinstance(v, int) and not k.endswith("_sent") and k not in ("vrid", "asserted", "became_active")})
        return flat

    def landed(self, before):
        """What grew since `before`, a result of received()."""
        return {k: v - before[k] for k, v in self.received().items() if v != before[k]}


class InstanceRouter(Router):
    """One vrrp_instance."""

    def status(self):
        return next(i for i in self.dut.daemon.ask("status")["instances"] if i["vrid"] == self.vrid)

    def counters(self):
        return next(i for i in self.dut.daemon.ask("counters")["instances"] if i["vrid"] == self.vrid)

    def text(self, words):
        length = 24 if self.dut.family == 4 else 64
        lines = [f"vrrp_instance r{self.vrid} {{", "    interface eth0", f"    virtual_router_id {self.vrid}",
                 f"    priority {self.dut.priority}", *(f"    {w}" for w in words), "    virtual_ipaddress {",
                 *(f"        {a}/{length}" for a in self.addresses), "    }", "}"]
        return "\n".join(lines) + "\n"


REFUSALS = {"bad_ttl": "ttl", "too_short": "length", "bad_version": "version", "bad_type": "type", "bad_checksum": "checksum",
            "no_addresses": "no_addresses", "bad_interval": "interval", "bad_source": "source", "version_mismatch": "version",
            "interval_differs": "interval", "auth_mismatch": "auth_mismatch"}


class InstanceDut(Dut):
    """With instances in keepalived's words."""
    router = InstanceRouter

    def __init__(self, *arguments, priority=OWN, **named):
        self.priority = priority
        super().__init__(*arguments, **named)

    def make_text(self, words):
        return "".join(r.text(words) for r in self.routers)

    def units(self):
        return self.daemon.ask("status")["instances"]

    def unit_counters(self):
        return self.daemon.ask("counters")["instances"]

    def looped(self, router, count):
        return {"accepted": count, f"{router.vrid}.looped": count}

    def held_back(self, router):
        return router.counters()["assertions_held_back"]

    def refused(self, router, counter, count, fields):
        told_whose = counter in REFUSALS and fields.get("cut") != 0  # of an empty message nobody knows that
        return {counter: count, **({f"{router.vrid}.{REFUSALS[counter]}": count} if told_whose else {})}

    def mismatched(self, router, counter, count, _fields):
        return {"accepted": count, f"{router.vrid}.{REFUSALS[counter]}": count}

    def received(self):
        flat = super().received()
        left_out = ("vrid", "asserted", "became_active", "released", "stalls", "assertions_held_back")
        for one in self.daemon.ask("counters")["instances"]:
            flat.update({f"{one['vrid']}.{k}": v for k, v in one.items()
                         if isinstance(v, int) and not k.endswith("_sent") and k not in left_out})
            flat.update({f"{one['vrid']}.{k}": v for k, v in one["refused"].items()})
        return flat


class Place:
    """An isolated lab with one device on each of its hosts, all of them started, and the tester that they hear. A device is an
    attribute by its name in `said`: {name: dict(vrids, options, and what else its kind takes)}."""

    def __init__(self, lab, talker, kind, said):
        self.lab, self.tester, self.started = lab, talker, {}
        self.duts = [kind(lab, index, words.pop("vrids"), *words.pop("options", ()), talker=talker, **words)
                     for index, words in enumerate(map(dict, said.values()))]
        vars(self).update(zip(said, self.duts))
        for one in self.duts:
            self.started[one] = time.time()
            one.start()
        for one in self.duts:
            one.wait_ready()


@contextlib.contextmanager
def place(kind, **said):
    with isolated_lab(len(said)) as lab:
        talker = tester.Tester(lab.witness)
        try:
            yield Place(lab, talker, kind, said)
            assert talker.lost() == 0, "the tester itself lost frames"
        finally:
            talker.close()
