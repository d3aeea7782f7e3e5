#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""`./bootstrap demo`: the main job, on three hosts in network namespaces with conf/evenkeel.conf, nine addresses and
a client.

Crashes a host, hangs one, stops one in order, brings them back; prints who answers for what as it changes, and for
each step the client's longest gap and the time in which two hosts answered for one address. Exits 0 only if what we
promise held.
"""
import os
import re
import signal
import sys
import threading
import time

import cluster
import rig
import stage
import watcher

WATCHDOG_S = 200
COLOURS = ("\033[36m", "\033[33m", "\033[35m")
PLAIN = "\033[0m"


def sample_text():
    with open(os.path.join(rig.SOURCE_DIR, "conf", "evenkeel.conf"), encoding="utf-8") as f:
        return f.read()


def sample_vips(text):
    """Of the sample's virtual_ipaddress block, without its comments."""
    bare = re.sub(r"[#!].*", "", text)
    return re.findall(r"(\d+\.\d+\.\d+\.\d+)/\d+", bare)


class Picture:
    """One line per change: each host with the addresses it answers for, by their last byte."""

    def __init__(self, watch, names, colours):
        self.watch, self.names, self.colours = watch, names, colours
        self.began = time.monotonic()
        self.last = None
        self.notes = {}
        self.over = threading.Event()
        self.lock = threading.Lock()
        self.thread = threading.Thread(target=self._follow, daemon=True)

    def say(self, text):
        with self.lock:
            print(text, flush=True)

    def _cell(self, index, name, state):
        held = sorted(v.rsplit(".", 1)[1] for v, hosts in state.items() if name in hosts)
        text = f"{name} {self.notes.get(name, '') or '[' + ' '.join(held) + ']'}"
        if self.notes.get(name) and held:
            text += f" [{' '.join(held)}]"
        text = f"{text:<26}"
        return f"{COLOURS[index % len(COLOURS)]}{text}{PLAIN}" if self.colours else text

    def show(self, state):
        nobody = sorted(v.rsplit(".", 1)[1] for v, hosts in state.items() if not hosts)
        line = "  ".join(self._cell(i, n, state) for i, n in enumerate(self.names))
        if nobody:
            line += f"  nobody [{' '.join(nobody)}]"
        self.say(f"  {time.monotonic() - self.began:5.1f} s  {line.rstrip()}")

    def _follow(self):
        while not self.over.wait(0.1):
            try:
                state = self.watch.state()
            except rig.RigError:
                return
            if state != self.last:
                self.last = state
                self.show(state)

    def start(self):
        self.thread.start()

    def stop(self):
        self.over.set()
        self.thread.join(5)


class Demo:
    def __init__(self, lab, system, watch, picture):
        self.place = stage.Stage(lab, system, watch)
        self.lab, self.system, self.picture = lab, system, picture
        self.rows = []
        self.good = True

    def step(self, text, act, hosts, note=None, gap_bound_ms=None):
        """Does something, waits until `hosts` share all addresses evenly, and prints what the client saw."""
        self.picture.say(f"\n{text}")
        self.picture.notes = note or {}
        with self.place.step("demo", text, gap_bound_ms=gap_bound_ms) as step:
            act()
            self.place.wait_settled(hosts, deadline_s=30, still_s=1)
        window = step.window
        self.rows.append((text, window))
        stalled = f" (the client itself stalled {window.result['stalls']['total_ms']:.0f} ms)" if window.stalled else ""
        self.picture.say(f"  client's longest gap {window.gap_ms:.0f} ms, two hosts answered {window.dual_ms:.0f} ms, "
                         f"{window.moves} moves{stalled}")
        for broken in step.broken:
            self.picture.say(f"  BROKEN: {broken}")
            self.good = False

    def run(self):
        a, b, c = self.place.names
        crash_ms = self.system.crash_bound_ms()
        everybody = [a, b, c]

        def start_all():
            for name in everybody:
                self.system.start(name)

        self.step("All hosts start", start_all, everybody)
        self.step(f"{a} crashes: its power is gone", lambda: self.power_off(a), [b, c], {a: "(off)"}, crash_ms)
        self.step(f"{a} is back", lambda: self.power_on(a), everybody)
        self.step(f"{b} hangs: its daemon is stopped in the middle (SIGSTOP)", lambda: self.system.pause(b), [a, c],
                  {b: "(hangs)"}, crash_ms)
        self.step(f"{b} wakes up", lambda: self.system.resume(b), everybody)
        self.step(f"{b} is killed (SIGKILL of every process)", lambda: self.system.kill(b), [a, c],
                  {b: "(killed)"}, crash_ms)
        self.step(f"{b} is started again", lambda: self.system.start(b), everybody)
        self.step(f"{c} is stopped in order (SIGTERM)", lambda: self.stop_in_order(c), [a, b], {c: "(stopped)"}, 20)
        self.step(f"{c} joins again", lambda: self.system.start(c), everybody)

    def power_off(self, name):
        """Nothing of the host is heard from one moment to the next; what it had in memory is gone."""
        self.lab.cut(self.lab.host[name])
        self.system.kill(name)
        self.lab.host[name].forget()

    def power_on(self, name):
        self.lab.heal()
        self.system.start(name)

    def stop_in_order(self, name):
        code = self.system.stop(name)
        left = self.lab.host[name].addresses() & set(self.system.vips)
        self.good &= code == 0 and not left
        if code != 0 or left:
            self.picture.say(f"  BROKEN: exit code {code}, addresses left: {sorted(left)}")

    def summary(self):
        print(f"\n{'':46}{'longest gap':>12}{'two answered':>14}{'moves':>7}")
        for text, window in self.rows:
            print(f"{text[:45]:46}{window.gap_ms:9.0f} ms{window.dual_ms:11.0f} ms{window.moves:7}")


class Interrupted(KeyboardInterrupt):
    """Its argument is the exit code."""


def interrupt(signum, _frame):
    raise Interrupted(128 + signum)


def check_host():
    if os.geteuid() != 0:
        sys.exit("demo: network namespaces need root")


def main():
    check_host()
    for signum in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(signum, interrupt)
    text = sample_text()
    vips = sample_vips(text)
    began = time.monotonic()
    print(f"Three hosts on a LAN in network namespaces, {len(vips)} addresses {vips[0]} to {vips[-1]},\n"
          "the same file on each; a client asks for each every 5 ms. Each line shows which host answers for which.")
    with rig.Lab(hosts=3, watchdog_s=WATCHDOG_S) as lab:
        system = cluster.EvenkeelCluster(lab, vips, text=text)
        with watcher.Watcher(lab, vips, interval_ms=5) as watch:
            picture = Picture(watch, [h.name for h in lab.hosts], sys.stdout.isatty())
            demo = Demo(lab, system, watch, picture)
            picture.start()
            try:
                demo.run()
            except rig.RigError as error:
                demo.good = False
                print(f"  BROKEN: {error}")
                lab.keep = True
            finally:
                picture.stop()
            if lab.keep:
                print(f"  logs: {lab.dir}")
    demo.summary()
    held = "Held: every address answered, by one host, evenly." if demo.good else "NOT HELD, see above."
    print(f"\n{held} ({time.monotonic() - began:.0f} s)")
    return 0 if demo.good else 1


if __name__ == "__main__":
    try:
        sys.exit(main())
    except Interrupted as stop:
        print("\nInterrupted; everything is taken down.")
        sys.exit(stop.args[0])
