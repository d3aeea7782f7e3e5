# SPDX-License-Identifier: GPL-2.0-or-later
"""keelctl watch on a live LAN, seen through a terminal: the picture, keys, faults, and that the terminal is given back."""
import json
import os
import re
import select
import signal
import socket
import subprocess

import pytest

import cluster
import glass
import rig

pytestmark = [
    pytest.mark.skipif(os.geteuid() != 0, reason="network namespaces need root"),
    pytest.mark.skipif(not rig.find_program("evenkeeld"), reason="evenkeeld is not built"),
]

VIPS = 12


@pytest.fixture(scope="module", name="place")
def _place():
    with rig.Lab(hosts=3) as lab:
        system = cluster.EvenkeelCluster(lab, cluster.addresses(VIPS), "startup_delay 0", "rebalance_moves all")
        for name in system.hosts:
            system.start(name)
        rig.wait_until(lambda: all(d.ready() and len(d.held()) == VIPS // 3 for d in system.hosts.values()), 30,
                       "three hosts share the addresses", 0.2)
        yield system


def watch(place, *options, **environment):
    command = [rig.find_program("keelctl"), "--run-dir", place.hosts["h1"].run_dir, "watch", "--interval", "0.2", *options]
    return glass.Glass(command, **environment)


def test_watch__quiet_pool__picture_stands_still(place):
    with watch(place) as terminal:
        terminal.wait_for("3 members")
        assert re.search(r"^> 192\.0\.2\.1 +active +100 +4 █+ ", terminal.text(), re.MULTILINE)
        assert "LAST CHANGES" in terminal.text() and "q quit" in terminal.text()
        assert terminal.taken and terminal.hidden
        terminal.read(1)
        before = terminal.text().splitlines()
        sent = terminal.read(2)
        assert terminal.text().splitlines()[1:] == before[1:]
        assert sent < 10 * 40, "ten looks cost no more than the clock's digits"
        assert terminal.raw.count(b"\x1b[2J") == 1


def test_watch__keys__sort_filter_scroll_help(place):
    vips = cluster.addresses(VIPS)
    with watch(place) as terminal:
        terminal.wait_for("3 members")
        terminal.press("u")
        terminal.wait_for("192.0.2.1: 4 units")
        terminal.press("s")
        terminal.wait_for("by address")
        terminal.press("/" + vips[3])
        terminal.wait_for(f"only: {vips[3]}_")
        terminal.wait_for(lambda t: vips[2] + " " not in t.text())
        terminal.press("\r")
        terminal.wait_for(lambda t: "_" not in t.text().splitlines()[0])
        terminal.press("?")
        terminal.wait_for("stop the picture")
        terminal.press("\x1b")
        terminal.wait_for("LOAD/SHARE")
        terminal.press("p")
        terminal.wait_for("PAUSED")
        assert terminal.read(0.6) == 0
        terminal.press("pq")
        assert terminal.wait_end() == 0
        assert terminal.is_as_before()


def test_watch__member_dies__is_told_first_and_its_addresses_move(place):
    with watch(place) as terminal:
        terminal.wait_for("3 members")
        place.hosts["h3"].kill()
        terminal.wait_for("! web: member 192.0.2.3 is dead")
        terminal.wait_for("member_dead, ")
        lines = terminal.text().splitlines()
        assert lines[1].startswith("! web: member 192.0.2.3 is dead")
        assert any("192.0.2.3 -> " in line and "member_dead" in line and ", gap " in line for line in lines), terminal.text()
        place.start("h3")
        terminal.wait_for(lambda t: "is dead" not in t.text(), 20)


def test_watch__window_resized__fills_the_new_one(place):
    with watch(place) as terminal:
        terminal.wait_for("3 members")
        for width, height in ((120, 40), (50, 12), (20, 4), (80, 24)):
            terminal.resize(width, height)
            terminal.wait_for(lambda t, h=height: t.text().splitlines()[h - 1:h] != [] and "Tab" in t.text().splitlines()[h - 1])
        terminal.wait_for("3 members")


@pytest.mark.parametrize("end", glass.ENDS)
def test_watch__every_way_out__gives_the_terminal_back(place, end):
    with watch(place) as terminal:
        terminal.wait_for("3 members")
        assert not terminal.is_as_before()
        if end == "q":
            terminal.press("q")
        elif end == "Ctrl-C":
            terminal.press("\x03")
        else:
            terminal.tell(glass.ENDS[end])
        assert terminal.wait_end() == (0 if end == "q" else -glass.ENDS[end])
        assert terminal.is_as_before()


def test_watch__stopped_and_continued__gives_the_terminal_back_and_takes_it_again(place):
    with watch(place) as terminal:
        terminal.wait_for("3 members")
        terminal.press("\x1a")
        terminal.wait_stopped()
        terminal.read()
        assert terminal.is_as_before()
        terminal.tell(signal.SIGCONT)
        terminal.wait_for("3 members")
        assert terminal.taken


def fill_queue(daemon):
    """Connections that a stopped daemon does not take in, until there is no room for more."""
    clients = []
    while True:
        clients.append(socket.socket(socket.AF_UNIX))
        clients[-1].setblocking(False)
        try:
            clients[-1].connect(os.path.join(daemon.run_dir, "control.sock"))
        except BlockingIOError:
            return clients


def test_watch__daemon_hangs_or_goes__says_so_and_obeys_keys(place):
    daemon = place.hosts["h1"]
    with watch(place) as terminal:
        terminal.wait_for("3 members")
        rig.pause(daemon.pids())
        waiting = fill_queue(daemon)
        terminal.press("u")
        terminal.wait_for("by holder")  # nobody answers, and the key works
        terminal.wait_for("is it stopped?", 12)
        assert "192.0.2.51" in terminal.text()  # what was last known
        for shown in ("3 members", "by holder"):  # not even a connection is to be had, and keys work
            terminal.press("u")
            terminal.wait_for(shown, 3)
        for client in waiting:
            client.close()
        rig.resume(daemon.pids())
        terminal.wait_for(lambda t: "is it stopped?" not in t.text(), 12)
        daemon.stop()
        terminal.wait_for("no evenkeeld answers")
        daemon.start()
        terminal.wait_for(lambda t: "no evenkeeld" not in t.text(), 12)
        terminal.press("q")
        assert terminal.wait_end() == 0


@pytest.mark.parametrize("environment", [{"TERM": "dumb"}, {"TERM": ""}], ids=["dumb", "none"])
def test_watch__dumb_terminal__plain_status_again_and_again(place, environment):
    with watch(place, **environment) as terminal:
        terminal.wait_for(lambda t: t.raw.count(b"web on eth0") >= 3)
        assert b"\x1b" not in terminal.raw
        terminal.press("\x03")
        assert terminal.wait_end() == -signal.SIGINT


def test_watch__pipe_and_json__one_object_a_line(place):
    command = [rig.find_program("keelctl"), "--run-dir", place.hosts["h1"].run_dir, "--json", "watch", "--interval", "0.1"]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as child:
        for _ in range(3):
            assert select.select([child.stdout], [], [], 10)[0]
            assert json.loads(child.stdout.readline())["schema"] == "evenkeel/1"
        child.stdout.close()  # as `| head` does
        child.wait(5)
