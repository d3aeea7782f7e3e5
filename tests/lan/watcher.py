# SPDX-License-Identifier: GPL-2.0-or-later
"""Drives the witness program in a Lab: starts it, names measuring windows, hands out their results.

The measuring itself is src/ctl/witness*.c's; see `keelctl witness --help`.
"""
import contextlib
import fcntl
import json
import os
import subprocess
import threading
import time

import rig


def witness_command():
    given = os.environ.get("EVENKEEL_WITNESS")
    if given:
        return [given]
    program = rig.find_program("witness")
    if program:
        return [program]
    tool = rig.find_program("keelctl")
    if tool:
        return [tool, "witness"]
    raise rig.RigError("no witness: build it, or name it in EVENKEEL_WITNESS")


class Window:
    """What one measuring window found; `result` is the witness's object, see witness_report.c."""

    result = None

    def __getattr__(self, name):
        """gap_ms, dual_ms, stale_ms, moves, gap_vip, ...: the worst address's."""
        if self.result is None:
            raise AttributeError(name)
        try:
            return self.result["worst"][name]
        except KeyError:
            raise AttributeError(name) from None

    @property
    def vips(self):
        return self.result["vips"]

    @property
    def stalled(self):
        """Did the witness itself stall, or lose frames, so that gaps of this window say little?"""
        return self.result["stalls"]["count"] > 0 or self.result["dropped"] > 0

    def gap(self, vips=None):
        """Longest gap in ms, of all or of some addresses, less the time the witness itself stalled."""
        chosen = self.vips if vips is None else {v: self.vips[v] for v in vips}
        return max((r["gap_ms"] - r["gap_stall_ms"] for r in chosen.values()), default=0.0)

    def moved(self):
        """Addresses that changed their owner, with all changes: {vip: [(from, to), ...]}."""
        return {v: [(m["from"], m["to"]) for m in r["moves"]] for v, r in self.vips.items() if r["moves"]}


class Watcher:
    """The witness of a lab, watching `vips`: a list for the first LAN, or a list of such lists."""

    def __init__(self, lab, vips, *options, interval_ms=None):
        self.lab = lab
        self.vips = vips if vips and isinstance(vips[0], (list, tuple)) else [vips]
        self.all_vips = [v for group in self.vips for v in group]
        self.lines = []
        self.news = threading.Condition()
        self.count = 0
        self.final = None
        command = witness_command() + self._arguments(interval_ms) + list(options)
        with open(os.path.join(lab.witness.dir, "witness.err"), "ab") as errors:
            self.child = lab.witness.spawn(*command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors,
                                           text=True, bufsize=1)
        with contextlib.suppress(OSError):  # room enough that a slow reader does not stop the witness
            fcntl.fcntl(self.child.stdout, fcntl.F_SETPIPE_SZ, 1 << 20)
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()
        start = self._wait_line(lambda n: n["event"] == "start", 10, "that it runs")
        self.interval_ms = start["interval_ms"]
        self.listen_ms = start["interval_ms"] * start["listen_every"]  # doubles are seen so finely

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.stop()

    def _arguments(self, interval_ms):
        arguments = ["--json", "--events"]
        if interval_ms:
            arguments += ["--interval-ms", str(interval_ms)]
        for lan, group in enumerate(self.vips):
            path = os.path.join(self.lab.witness.dir, f"vips{lan}")
            with open(path, "w", encoding="ascii") as f:
                f.write("\n".join(group) + "\n")
            arguments += ["--interface", self.lab.witness.ports[lan]["interface"], "--vip-file", path]
            for host in self.lab.hosts:
                arguments += ["--host", f"{host.name}={host.ports[lan]['mac']}"]
        return arguments

    def _read(self):
        rig.be_punctual()
        for text in self.child.stdout:
            line = json.loads(text)
            with self.news:
                if "windows" in line:
                    self.final = line
                else:
                    self.lines.append(line)
                self.news.notify_all()

    def _say(self, text):
        try:
            self.child.stdin.write(text + "\n")
            self.child.stdin.flush()
        except (BrokenPipeError, ValueError):
            raise rig.RigError("the witness has ended: " + self.lab.witness.read_log("witness.err")) from None

    def _wait_line(self, match, deadline_s, what):
        end = time.monotonic() + deadline_s
        with self.news:
            while True:
                for line in self.lines:
                    if match(line):
                        return line
                left = end - time.monotonic()
                if left <= 0 or self.child.poll() is not None:
                    raise rig.RigError(f"the witness did not tell {what}: "
                                       + self.lab.witness.read_log("witness.err"))
                self.news.wait(min(left, 0.5))

    @contextlib.contextmanager
    def measure(self, name):
        """A measuring window around the block; its results are in the Window once the block has ended."""
        self.count += 1
        name = f"{name}#{self.count}"
        window = Window()
        self._say(f"mark {name}")
        yield window
        window.result = self.end_window(name)

    @contextlib.contextmanager
    def measure_undisturbed(self, name):
        """For gaps of a few milliseconds."""
        with rig.undisturbed(), self.measure(name) as window:
            yield window

    def end_window(self, name):
        self._say(f"mark after {name}")
        line = self._wait_line(lambda n: n["event"] == "window" and n["window"]["name"] == name, 15, f"window {name}")
        return line["window"]

    def state(self):
        """{vip: set of hosts that answer now}, as of some 0.15 s ago."""
        with self.news:
            seen = len(self.lines)
        self._say("show")
        end = time.monotonic() + 10
        with self.news:
            while time.monotonic() < end and self.child.poll() is None:
                for line in self.lines[seen:]:
                    if line["event"] == "state":
                        return {v: set(s["answering"]) for v, s in line["vips"].items()}
                self.news.wait(0.5)
        raise rig.RigError("the witness does not answer: " + self.lab.witness.read_log("witness.err"))

    def served(self):
        """True when every address is answered by exactly one host."""
        return all(len(hosts) == 1 for hosts in self.state().values())

    def owners(self):
        """{host: sorted list of the addresses it alone answers for}, all hosts included."""
        out = {h.name: [] for h in self.lab.hosts}
        for vip, hosts in self.state().items():
            if len(hosts) == 1:
                out[next(iter(hosts))].append(vip)
        return out

    def events(self, kind):
        with self.news:
            return [line for line in self.lines if line["event"] == kind]

    def stop(self):
        """Ends the witness and returns its final object; may be called again."""
        if self.child.poll() is None:
            with contextlib.suppress(rig.RigError):
                self._say("quit")
            try:
                self.child.wait(10)
            except subprocess.TimeoutExpired:
                self.child.kill()
        self.reader.join(5)
        return self.final
