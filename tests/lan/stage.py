# SPDX-License-Identifier: GPL-2.0-or-later
"""What scenarios stand on: a lab with a cluster and a witness, steps that are measured, facts that are asserted.

A step is one thing that happens (a crash, a return) in a measuring window of its own. Facts are recorded, not raised,
so that a benchmark goes on and a test can show all of them. """
import contextlib
import time

import rig


TIGHT_MS = 150  # bounds below are of releases and restarts, not of silences


class Step:
    def __init__(self, scenario, what):
        self.scenario, self.what = scenario, what
        self.window = None
        self.facts = []  # (text, bool)
        self.extra = {}

    def fact(self, text, holds):
        self.facts.append((text, bool(holds)))

    @property
    def broken(self):
        return [text for text, holds in self.facts if not holds]

    def as_dict(self):
        w = self.window
        return dict(scenario=self.scenario, what=self.what, gap_ms=w.gap_ms, gap_vip=w.gap_vip, dual_ms=w.dual_ms,
                    stale_ms=w.stale_ms, moves=w.moves, stalls=w.result["stalls"], dropped=w.result["dropped"],
                    facts=[dict(text=t, holds=h) for t, h in self.facts], **self.extra)


def spread(owners, hosts=None):
    loads = [len(v) for h, v in owners.items() if hosts is None or h in hosts]
    return max(loads) - min(loads)


class Stage:
    def __init__(self, lab, cluster, watch, report=None):
        self.lab, self.cluster, self.watch = lab, cluster, watch
        self.steps = []
        self.report = report
        self.stopped = set()

    @property
    def names(self):
        return [h.name for h in self.lab.hosts]

    @property
    def vips(self):
        return self.watch.all_vips

    @contextlib.contextmanager
    def step(self, scenario, what, dual_bound_ms=0, gap_bound_ms=None):
        """Measures the block. For our own daemon the promise on doubles and the bound on the gap become facts."""
        step = Step(scenario, what)
        tight = gap_bound_ms is not None and gap_bound_ms < TIGHT_MS
        measure = self.watch.measure_undisturbed if tight else self.watch.measure
        with measure(f"{scenario} {what}") as step.window:
            yield step
        self.steps.append(step)
        if self.cluster.ours:
            step.fact(f"dual {step.window.dual_ms:.1f} ms <= {dual_bound_ms:.0f}", step.window.dual_ms <= dual_bound_ms)
        if self.cluster.ours and gap_bound_ms is not None and not step.window.stalled:
            bound = gap_bound_ms + self.watch.interval_ms  # a gap is known to one interval
            step.fact(f"gap {step.window.gap_ms:.1f} ms <= {bound:.0f}", step.window.gap_ms <= bound)
        if self.report:
            self.report(step)

    def expect(self, step, text, holds):
        """A fact that only our own daemon has to stand up to."""
        if self.cluster.ours:
            step.fact(text, holds)

    # Waiting. `hosts` are those that should share the addresses.

    def wait(self, condition, deadline_s, what):
        return rig.wait_until(condition, deadline_s, what, 0.05 if len(self.vips) < 100 else 0.25)

    def wait_served(self, hosts, deadline_s=30):
        """Every address answered by exactly one of `hosts`."""
        def good():
            return all(len(h) == 1 and h <= set(hosts) for h in self.watch.state().values())
        self.wait(good, deadline_s, f"every address served by one of {', '.join(hosts)}")

    def settled(self, hosts):
        owners = self.watch.owners()
        served = sum(len(v) for v in owners.values()) == len(self.vips)
        idle = all(not owners[h] for h in self.names if h not in hosts)
        return served and idle and spread(owners, hosts) <= 1

    def wait_settled(self, hosts=None, deadline_s=60, still_s=0.6):
        """Served and even, and nothing has moved for a while. The penalty for units that move again and again, which
        one scenario after the other earns them, is waived by `keelctl rebalance`."""
        hosts = hosts or self.names
        last = {"owners": None, "since": 0.0}
        waive_at = time.monotonic() + 5

        def good():
            owners = self.watch.owners()
            if owners != last["owners"]:
                last.update(owners=owners, since=time.monotonic())
            nonlocal waive_at
            if self.cluster.ours and time.monotonic() >= waive_at and not self.settled(hosts):
                waive_at = time.monotonic() + 5
                for name in hosts:
                    self.cluster.hosts[name].keelctl("rebalance")
            return self.settled(hosts) and time.monotonic() - last["since"] >= still_s

        self.wait(good, deadline_s, f"served, even and still over {', '.join(hosts)}")
        return last["owners"]

    def linger(self, seconds):
        """For what must not happen: a second move, a late double."""
        rig.linger(seconds)

    def restore(self, deadline_s=90):
        """Everything whole again: no fault, all hosts running and sharing."""
        self.lab.heal()
        for node in self.lab.hosts:
            for lan in range(self.lab.lans):
                self.lab.link_up(node, lan)
        for name in self.names:
            if not self.cluster.running(name):
                self.cluster.start(name)
        return self.wait_settled(deadline_s=deadline_s)
