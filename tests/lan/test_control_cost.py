# SPDX-License-Identifier: GPL-2.0-or-later
"""What readers of the control socket cost a daemon with 240 addresses: its advertisements stay punctual, its processor
time stays small, and readers that misbehave are dropped while the others notice nothing.

Two hosts run side by side, one is read and one is not, so that what the machine does to both is told apart from what the
readers do to one. EVENKEEL_READ_SECONDS=60 is the whole promise.
"""
import json
import multiprocessing
import os
import socket
import time

import pytest

import cluster
import rig
import tester

pytestmark = [
    pytest.mark.skipif(os.geteuid() != 0, reason="network namespaces need root"),
    pytest.mark.skipif(not rig.find_program("evenkeeld"), reason="evenkeeld is not built"),
]

SECONDS = float(os.environ.get("EVENKEEL_READ_SECONDS", "10"))
WINDOWS = 3
PER_SECOND = 100
ALLOWED_DELAY_MS = 2
ALLOWED_SHARE = 0.05  # of a core
REQUEST = b'{"command":"status"}\n'
TICK_S = 1 / os.sysconf("SC_CLK_TCK")


def connect(daemon):
    client = socket.socket(socket.AF_UNIX)
    client.settimeout(10)
    client.connect(os.path.join(daemon.run_dir, "control.sock"))
    return client


def answer(client):
    text = b""
    while not text.endswith(b"\n"):
        piece = client.recv(1 << 18)
        assert piece, "the daemon has closed the connection"
        text += piece
    return text


def read_steadily(daemon, seconds, results):
    """The reader's process: PER_SECOND requests a second; how many were answered, and the slowest in seconds."""
    with connect(daemon) as client:
        begin, done, slowest = time.monotonic(), 0, 0
        while (now := time.monotonic()) < begin + seconds:
            rig.pace(max(0, begin + done / PER_SECOND - now))
            asked = time.monotonic()
            client.sendall(REQUEST)
            text = answer(client)
            slowest = max(slowest, time.monotonic() - asked)
            done += 1
        results.put((done, slowest, len(json.loads(text)["pools"][0]["units"])))


class Reader:
    def __init__(self, daemon, seconds):
        self.seconds = seconds
        self.results = multiprocessing.Queue()
        self.process = multiprocessing.Process(target=read_steadily, args=(daemon, seconds, self.results), daemon=True)
        self.process.start()

    def result(self):
        found = self.results.get(timeout=self.seconds + 30)
        self.process.join()
        return found


def used_s(pid):
    """Processor time of all the process's threads."""
    with open(f"/proc/{pid}/stat", encoding="ascii") as f:
        fields = f.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) * TICK_S


def delays_ms(adverts):
    """By how much advertisements came later than their interval after the one before: for each moment in which some left
    (one late moment makes all of them late, and is one fault), the most."""
    last, moments = {}, {}
    for advert in adverts:
        if advert.vrid in last:
            moment = round(advert.time * 1000)
            late = max(0, (advert.time - last[advert.vrid]) * 1000 - advert.interval * 10)
            moments[moment] = max(late, moments.get(moment, 0))
        last[advert.vrid] = advert.time
    return sorted(moments.values())


def usual_most(delays):
    """The most but for two, and two in a hundred: a busy machine stops everybody now and then."""
    return delays[-1 - 2 - len(delays) // 50]


class Field:
    """Two hosts that share 240 addresses evenly, and somebody who listens."""

    def __init__(self):
        self.lab = rig.Lab(hosts=2)
        try:
            vips = cluster.addresses(240)
            self.system = cluster.EvenkeelCluster(self.lab, vips, "rebalance_moves all", "startup_delay 0")
            self.read, self.still = [self.system.hosts[h.name].start() for h in self.lab.hosts]
            rig.wait_until(lambda: all(d.ready() for d in (self.read, self.still)), 10, "both daemons answer")
            rig.wait_until(lambda: all(len(d.held()) == 120 for d in (self.read, self.still)), 60, "120 addresses each", 0.3)
            self.ear = tester.Tester(self.lab.witness)
        except BaseException:
            self.lab.close()
            raise

    def __enter__(self):
        return self

    def __exit__(self, *problem):
        self.ear.close()
        self.lab.__exit__(*problem)

    def adverts(self, daemon, mark):
        return self.ear.adverts(mark, source=daemon.node.ports[0]["ipv4"])


def look(field, seconds):
    """One window of steady reading: what it cost, and whether the advertisements were as punctual as the other host's."""
    daemons = (field.read, field.still)
    workers = [d.workers()[0] for d in daemons]
    mark, used, began = field.ear.mark(), [used_s(w) for w in workers], time.monotonic()
    done, slowest, units = Reader(field.read, seconds).result()
    lasted = time.monotonic() - began
    shares = [(used_s(w) - u) / lasted for w, u in zip(workers, used)]
    late = [delays_ms(field.adverts(d, mark)) for d in daemons]
    text = ", ".join(f"{name}: {share:.1%} of a core, {len(values)} moments with advertisements, later than due by "
                     f"{usual_most(values):.2f} ms, most {values[-1]:.2f}"
                     for name, share, values in zip(("read", "still"), shares, late))
    print(f"\n{done} answers in {lasted:.1f} s, the slowest {slowest * 1000:.1f} ms; {text}")
    assert units == 240
    assert done >= 0.9 * PER_SECOND * seconds
    assert min(len(values) for values in late) > 5 * seconds
    assert shares[0] - shares[1] <= ALLOWED_SHARE
    return usual_most(late[0]) <= usual_most(late[1]) + ALLOWED_DELAY_MS


def punctual(field, seconds):
    """What readers cause is there in every window; a busy machine can spoil one."""
    return any(look(field, seconds) for _ in range(WINDOWS))


def test_control__status_read_100_times_a_second__adverts_punctual_and_cheap():
    with Field() as field:
        assert punctual(field, SECONDS)


def test_control__readers_that_misbehave__are_dropped_and_nobody_else_notices():
    with Field() as field:
        before = field.read.ask("counters")["daemon"]
        lazy, garbage, idle = (connect(field.read) for _ in range(3))
        lazy.setblocking(False)
        lazy.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        try:
            while True:
                lazy.send(REQUEST * 100)
        except BlockingIOError:
            pass
        garbage.sendall(os.urandom(64).replace(b"\n", b".") + b"\n" + os.urandom(200))
        assert punctual(field, 5)
        assert b"bad_request" in answer(garbage)
        rig.wait_until(lambda: field.read.ask("counters")["daemon"]["control_dropped_clients"]
                       >= before["control_dropped_clients"] + 2, 15, "the idle one and the one that reads nothing are dropped", 0.5)
        for client in (lazy, garbage, idle):
            client.close()
        assert len(field.read.held()) == len(field.still.held()) == 120
