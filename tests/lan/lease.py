# SPDX-License-Identifier: GPL-2.0-or-later
"""What may happen to a daemon, and what must hold then: never two answers, and no longer a gap than promised.

Written once for test_lease.py, which does each once, and bench/lease.py, which repeats them over all ways to run a
pool or instances. The victim is always the host that holds most; it is brought back, and the pool need not be even
before the next fault, so that a repetition takes seconds. Instances go home by the RFC's preemption, often within the
fault's own window. Numbers S4 and S5 are those of doc/development.md.
"""
import signal

import cluster
import rig
import stage
import watcher

STOPPED_S = 5  # twenty member intervals; the lease has ended after two and a half
OPTIONS = ["rebalance_moves all", "rebalance_interval 0.25"]
WORKER_GAP_MS = 50


class Cell:
    """One way to run a pool: so many addresses, of that family, in that mode, with or without virtual MAC."""

    def __init__(self, count=6, family=4, mode="add", vmac=False):
        self.count, self.family, self.mode, self.vmac = count, family, mode, vmac

    def __str__(self):
        return f"{self.count:3} IPv{self.family} {self.mode:8} {'virtual' if self.vmac else 'real':7}"

    def options(self):
        return OPTIONS + [f"address_mode {self.mode}"] + (["use_vmac"] if self.vmac else [])

    def cluster(self, lab, vips):
        return cluster.EvenkeelCluster(lab, vips, *self.options())


class InstanceCell:
    """As many instances, with priorities rotated over the hosts. `kind` is a word of KINDS."""

    KINDS = {"v3": {}, "v2": dict(version=2), "vmac": dict(options=["use_vmac"]), "unicast": dict(unicast=True),
             "group": dict(group=True), "on": dict(options=["arp_filter on"])}

    def __init__(self, count=6, family=4, kind="v3"):
        self.count, self.family, self.kind = count, family, kind

    def __str__(self):
        return f"{self.count:3} IPv{self.family} {f'instances {self.kind}':17}"

    def cluster(self, lab, vips):
        return cluster.InstanceCluster(lab, vips, **self.KINDS[self.kind])


# Faults: each gets the daemon (cluster.Evenkeel) and the lab, and returns what ends it or None.

def kill_worker(daemon, _lab):
    daemon.kill_worker()


def abort_worker(daemon, _lab):
    """As a CHECK() that fails."""
    rig.signal_all(daemon.workers(), signal.SIGABRT)


def kill_guard(daemon, _lab):
    daemon.kill_guard()


def kill_both(daemon, _lab):
    daemon.kill()


def abort_both(daemon, _lab):
    rig.signal_all(daemon.pids(), signal.SIGABRT)
    daemon.child.wait(5)


def oom_worker(daemon, lab):
    lab.out_of_memory(daemon.workers())


def oom_both(daemon, lab):
    lab.out_of_memory(daemon.pids())
    daemon.child.wait(5)


def stop_both(daemon, _lab):
    daemon.pause()
    return daemon.resume


def freeze(daemon, lab):
    return lab.freeze(daemon.pids())


FAULTS = {f.__name__: f for f in (kill_worker, abort_worker, oom_worker, kill_guard, kill_both, abort_both, oom_both,
                                  stop_both, freeze)}


def bound_ms(fault, system):
    """The longest gap that is allowed. What cleans up after a worker needs milliseconds, and then the next one waits for
    its skew; a lease has to end."""
    mild = ("kill_worker", "abort_worker", "oom_worker", "kill_guard")
    return WORKER_GAP_MS + system.skew_ms if fault in mild else system.crash_bound_ms()


class Field:
    """A lab with a running pool or instances. `with Field(cell) as field: field.suffer("kill_both")`."""

    def __init__(self, cell, watchdog_s=600):
        self.cell = cell
        self.lab = rig.Lab(hosts=3, watchdog_s=watchdog_s)
        try:
            vips = cluster.addresses(cell.count, cell.family)
            self.system = cell.cluster(self.lab, vips)
            self.watch = watcher.Watcher(self.lab, vips)
            self.place = stage.Stage(self.lab, self.system, self.watch)
            for name in self.place.names:
                self.system.start(name)
            self.whole()
        except BaseException:
            self.lab.close()
            raise

    def __enter__(self):
        return self

    def __exit__(self, *problem):
        self.watch.stop()
        self.lab.__exit__(*problem)

    def whole(self):
        """Every daemon runs and knows all others, every address is served by one host: instances by their first."""
        for name in self.place.names:
            if not self.system.running(name):
                rig.wait_until(lambda n=name: not self.lab.host[n].pids(), 10, f"an old worker of {name} has left")
                self.system.start(name)
        for name in self.place.names:
            self.place.wait(lambda n=name: self.system.knows_all(n), 30, f"{name} knows all others")
        self.place.wait_served(self.place.names)

    def victim(self):
        owners = self.watch.owners()
        return max(owners, key=lambda name: len(owners[name]))

    def suffer(self, fault):
        """The step: its window covers the fault, its end, and a second after."""
        victim = self.victim()
        what = f"{fault} of {victim}"
        with self.place.step("S5" if fault in ("stop_both", "freeze") else "S4", what,
                             gap_bound_ms=bound_ms(fault, self.system)) as step:
            undo = FAULTS[fault](self.system.hosts[victim], self.lab)
            if undo:
                self.place.linger(STOPPED_S)
                undo()
            self.place.linger(max(1.5, self.system.crash_bound_ms() / 1000 + 0.6))
        self.whole()
        return step
