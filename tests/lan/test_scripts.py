# SPDX-License-Identifier: GPL-2.0-or-later
"""Commands that the daemon runs, on the running daemon: checks that move a pool's units (S13), notify commands and FIFOs (S12),
what they are given, and that nothing of them is left when a part of the daemon is killed."""
import os
import re
import signal
import stat
import time

import pytest

import cluster
import packets
import rig
import tester

pytestmark = [
    pytest.mark.skipif(os.geteuid() != 0, reason="network namespaces need root"),
    pytest.mark.skipif(not rig.find_program("evenkeeld"), reason="evenkeeld is not built"),
]

VIPS = cluster.addresses(3)
NOBODY = 65534
CALL = re.compile(r"UNIT web/([0-9.]+) (\w+) (\d+)")


class Host:
    """One host of a lab with the commands that its daemon runs. They write what they do into files of its folder."""

    def __init__(self, node):
        self.node, self.dir = node, os.path.join(node.dir, "scripts")
        self.daemon = None
        os.mkdir(self.dir)
        os.chmod(self.dir, 0o755)
        self.file("calls", "", 0o666)

    def path(self, name):
        return os.path.join(self.dir, name)

    def file(self, name, text, mode=0o644):
        with open(self.path(name), "w", encoding="ascii") as f:
            f.write(text)
        os.chmod(self.path(name), mode)
        return self.path(name)

    def script(self, name, *lines):
        return self.file(name, "#!/bin/sh\n" + "\n".join(lines) + "\n", 0o755)

    def start(self, *options, blocks=""):
        """A pool with these lines, and blocks of the file beside it."""
        self.daemon = cluster.Evenkeel(self.node, blocks + cluster.pool_text(VIPS, *options))
        self.daemon.start()
        return self.daemon

    def lines(self, name="calls"):
        with open(self.path(name), encoding="ascii", errors="replace") as f:
            return f.read().splitlines()

    def calls(self):
        """(address, state) of each call of a notify command that wrote its arguments down."""
        return [CALL.match(line).groups()[:2] for line in self.lines() if CALL.match(line)]

    def holds(self):
        return set(VIPS) & self.node.addresses()

    def share(self):
        members = self.daemon.ask("status")["pools"][0]["members"]
        return next(m["share"] for m in members if m["self"])

    def wait_members(self, count):
        rig.wait_until(lambda: self.daemon.ready() and len(self.daemon.ask("status")["pools"][0]["members"]) == count, 10,
                       f"{count} members")

    def wait_log(self, text, deadline_s=10):
        rig.wait_until(lambda: text in self.node.read_log("evenkeeld.log"), deadline_s,
                       f"{text!r} in the log: {self.node.read_log('evenkeeld.log')[-2000:]}")

    def wait_holds(self, vips, deadline_s=15):
        rig.wait_until(lambda: self.holds() == set(vips), deadline_s, f"{self.node.name} to hold {sorted(vips)}")


def check(name, command, *options):
    return "\n".join([f"vrrp_script {name} {{", f'    script "{command}"', *(f"    {o}" for o in options), "}"]) + "\n"


def calls_to(path):
    return f'echo "$@" >>{path}'


def facts_of(pid):
    with open(f"/proc/{pid}/status", encoding="ascii") as f:
        return {key: value.strip() for key, _, value in (line.partition(":") for line in f)}


def alive(pid):
    try:
        return facts_of(pid)["State"][0] != "Z"
    except OSError:
        return False


# --- S12: notify commands ---


def test_notify__that_sleeps_and_one_that_fails__delay_nothing_but_their_own_unit():
    with rig.Lab(hosts=2, watchdog_s=120) as lab:
        one, two = (Host(node) for node in lab.hosts)
        slow = VIPS[0]
        script = one.script("notify", calls_to(one.path("calls")), f'[ "$2" = web/{slow} ] && exec sleep 60', "exit 1")
        talker = tester.Tester(lab.witness)
        lab.cleanups.append(talker.close)
        one.start("rebalance off", f"notify {script}")
        one.wait_holds(VIPS)
        rig.wait_until(lambda: len(one.calls()) == 3, 10, "a call for each unit")
        mark = len(talker.record)
        two.start("rebalance off")
        two.wait_members(2)
        for vip in VIPS[:2]:
            assert two.daemon.keelctl("take", vip).returncode == 0
        two.wait_holds(VIPS[:2])
        rig.wait_until(lambda: (VIPS[1], "BACKUP") in one.calls(), 10, "the quick unit's second call")
        one.wait_log("exit code 1")
        rig.linger(1)  # nothing more may come, whatever it would be
        calls = one.calls()
        assert sorted(calls) == sorted([(vip, "MASTER") for vip in VIPS] + [(VIPS[1], "BACKUP")]), \
            "once each, and the slow unit's next call waits"
        times = [a.time for a in talker.record[mark:] if isinstance(a, packets.Advert) and a.source == one.node.ports[0]["ipv4"]
                 and a.vrid not in range(51, 54)]
        assert times and max(b - a for a, b in zip(times, times[1:])) < 5, "nothing waits for the sleeper"
        one.daemon.terminate()
        one.wait_holds([])
        one.daemon.terminate()  # a second time: do not wait for the sleeper
        assert one.daemon.child.wait(5) == 0
        assert one.calls()[len(calls):] == [(VIPS[2], "STOP")], "units that it did not hold are not stopped"


def test_notify__worker_killed__each_change_is_told_once():
    with rig.Lab(hosts=1, watchdog_s=60) as lab:
        host = Host(lab.hosts[0])
        host.start(f"notify {host.script('notify', calls_to(host.path('calls')))}")
        host.wait_holds(VIPS)
        rig.wait_until(lambda: len(host.calls()) == 3, 10, "a call for each unit")
        host.daemon.kill_worker()
        rig.wait_until(lambda: len(host.calls()) == 9, 10, "lost and taken again, each once")
        rig.linger(0.5)
        for vip in VIPS:
            assert [state for address, state in host.calls() if address == vip] == ["MASTER", "BACKUP", "MASTER"]
        assert host.daemon.stop() == 0
        assert sorted(host.calls()[9:]) == [(vip, "STOP") for vip in sorted(VIPS)], "and at the end before the daemon is gone"


# --- what a command is given ---


def test_child__of_the_daemon__is_its_user_and_has_nothing_of_ours():
    with rig.Lab(hosts=1, watchdog_s=60) as lab:
        host = Host(lab.hosts[0])
        os.chmod(host.dir, 0o777)
        script = host.script("look", f"exec >{host.path('seen.new')} 2>&1", "cat /proc/self/status",
                             "echo Nice: $(cut -d' ' -f19 /proc/$$/stat)",
                             "echo Session: $(cut -d' ' -f6 /proc/$$/stat) $$", "echo Policy: $(cut -d' ' -f41 /proc/$$/stat)",
                             "echo Oom: $(cat /proc/$$/oom_score_adj)", f"ls /proc/$$/fd >{host.path('fds')}", "echo Cwd: $(pwd)",
                             "echo Mask: $(umask)", "env -i /usr/bin/env true; tr '\\0' ' ' </proc/$$/environ",
                             f"mv {host.path('seen.new')} {host.path('seen')}; exec sleep 1")
        host.start("track_script { look }", blocks=check("look", script, "user nobody", "interval 30", "timeout 20"))
        rig.wait_until(lambda: os.path.exists(host.path("seen")), 10, "the check to have run")
        text = "\n".join(host.lines("seen"))
        seen = dict(line.split(":", 1) for line in text.splitlines() if ":" in line)
        seen = {key: value.split() for key, value in seen.items()}
        assert set(seen["Uid"]) == set(seen["Gid"]) == {str(NOBODY)} and seen["Groups"] == [str(NOBODY)]
        for kind in ("CapInh", "CapPrm", "CapEff", "CapAmb", "SigBlk", "SigIgn"):
            assert int(seen[kind][0], 16) == 0, kind
        assert seen["NoNewPrivs"] == ["0"], "sudo and setuid programs work as for the user himself"
        assert seen["Nice"] == seen["Policy"] == seen["Oom"] == ["0"]
        assert seen["Session"][0] == seen["Session"][1], "a session of its own"
        assert {fd for fd in host.lines("fds") if len(fd) == 1} == {"0", "1", "2"}, "from 10 on they are the shell's own"
        assert seen["Cwd"] == ["/"] and seen["Mask"] == ["0022"]
        environment = {word.split("=")[0] for word in text.splitlines()[-1].split() if "=" in word}
        assert environment <= {"PATH", "HOME", "USER", "LOGNAME", "SHELL"}
        assert host.daemon.stop() == 0


# --- S12: results of checks ---


def test_checks__each_result__means_what_the_manual_says():
    with rig.Lab(hosts=1, watchdog_s=60) as lab:
        host = Host(lab.hosts[0])
        unsafe = host.script("unsafe", "exit 0")
        os.chmod(unsafe, 0o777)
        blocks = "global_defs {\n    enable_script_security\n    script_user root\n}\n" + "".join([
            check("good", host.script("good", "exit 0"), "weight 10", "interval 0.3"),
            check("failing", host.script("failing", "exit 3"), "weight -1", "interval 0.3"),
            check("missing", host.path("nowhere"), "weight -2", "interval 0.3"),
            check("unsafe", unsafe, "weight -4", "interval 0.3"),
            check("slow", host.script("slow", "sleep 100"), "weight -8", "interval 5", "timeout 0.5"),
            check("killed", host.script("killed", "kill -9 $$"), "weight -16", "interval 0.3"),
            check("shell", "exit 0 || true", "weight -32", "interval 0.3"),
        ])
        names = ("good", "failing", "missing", "unsafe", "slow", "killed", "shell")
        host.start("track_script {\n" + "\n".join(names) + "\n}", blocks=blocks)
        for text in ("script good: good (exit code 0)", "script failing: failed (exit code 3)",
                     "script missing: failed (cannot be run: ",
                     "script unsafe: failed (cannot be run: others than root could replace it",
                     "script slow: failed (timed out)", "script killed: failed (killed by signal 9 (Killed))",
                     "script shell: failed (cannot be run: "):
            host.wait_log(text)
        rig.wait_until(lambda: host.share() == 100 + 10 - 1 - 2 - 4 - 8 - 16 - 32, 10, "the sum of all weights")
        host.wait_holds(VIPS)
        assert host.daemon.stop() == 0
        commands = ("evenkeel-keeper", "slow", "sleep")
        rig.wait_until(lambda: not [p for p in lab.hosts[0].pids() if rig.comm(p) in commands], 5, "no check is left")


# --- S13: health ---


def test_health__service_stops__units_leave_within_the_checks_time():
    with rig.Lab(hosts=2, watchdog_s=120) as lab:
        one, two = (Host(node) for node in lab.hosts)
        service = one.file("service", "")
        blocks = check("service", f"/bin/ls {service}", "interval 0.25", "rise 2", "fall 2")
        one.start("track_script { service }", "rebalance_interval 0.2", blocks=blocks)
        one.wait_holds(VIPS)
        two.start("rebalance off")
        two.wait_members(2)
        began = time.monotonic()
        os.unlink(service)
        two.wait_holds(VIPS, 10)
        took = time.monotonic() - began
        assert one.holds() == set()
        one.wait_log("script service: failed (exit code 2)")
        assert [line["code"] for line in one.daemon.ask("status")["attention"]] == ["fault"], "and it says why it holds nothing"
        assert took < 8, f"two runs of a quarter of a second, and the release: {took:.2f} s"
        one.file("service", "")
        one.wait_log("script service: good (exit code 0)", 5)
        rig.wait_until(lambda: one.share() == 100, 5, "its share is back")


def test_health__file_process_interface__move_the_share():
    with rig.Lab(hosts=1, watchdog_s=60) as lab:
        host = Host(lab.hosts[0])
        host.node.run("ip", "link", "add", "up1", "type", "veth", "peer", "name", "up2")
        for name in ("up1", "up2"):
            host.node.run("ip", "link", "set", name, "up")
        number = host.path("number")
        blocks = (f"track_file number {{\n    file {number}\n    init_file 5\n}}\n"
                  "vrrp_track_process helper {\n    process keel-helper\n    weight -20\n}\n")
        host.start("track_file { number weight 2 }", "track_process { helper }", "track_interface { up1 weight -40 }",
                   blocks=blocks)
        rig.wait_until(host.daemon.ready, 10, "the daemon")

        def becomes(share, what):
            rig.wait_until(lambda: host.share() == share, 10, f"{share} after {what}, not {host.share()}")

        becomes(90, "init_file 5, and no helper")
        assert host.lines("number") == ["5"]
        helper = host.node.spawn("/bin/sh", "-c", f"cp /bin/sleep {host.path('keel-helper')}; exec {host.path('keel-helper')} 100")
        becomes(110, "the helper's start")
        host.file("number", "-4\n")
        becomes(92, "another number")
        host.node.run("ip", "link", "set", "up1", "down")
        becomes(52, "the interface is down")
        host.file("number", "12 apples\n")
        host.wait_log("file number: failed (it holds no number)")
        becomes(60, "no number counts as 0")
        helper.kill()
        helper.wait()
        becomes(40, "the helper's end")
        host.node.run("ip", "link", "set", "up1", "up")
        becomes(80, "the interface is up")
        os.unlink(number)
        host.wait_log("file number: good (there is no such file)")
        assert host.daemon.stop() == 0


# --- ends ---


@pytest.mark.parametrize("part", ["worker", "guard"])
def test_check__part_of_the_daemon_killed__is_ended(part):
    with rig.Lab(hosts=1, watchdog_s=60) as lab:
        host = Host(lab.hosts[0])
        script = host.script("long", f"echo $$ >>{host.path('calls')}", "sleep 100", "exit 0")
        host.start("track_script { long weight 1 }", blocks=check("long", script, "interval 60", "timeout 60"))
        pid = int(rig.wait_until(lambda: host.lines(), 10, "the check to run")[0])
        inner = [p for p in lab.hosts[0].pids() if rig.comm(p) == "sleep"]
        if part == "worker":
            host.daemon.kill_worker()
        else:
            host.daemon.kill_guard()
        rig.wait_until(lambda: not alive(pid) and not any(alive(p) for p in inner), 5, "the check and what it started to end")
        if part == "worker":
            rig.wait_until(lambda: len(host.lines()) == 2, 10, "the new worker's own check")


def test_fifo__lines_and_reader__from_start_to_stop():
    with rig.Lab(hosts=1, watchdog_s=60) as lab:
        host = Host(lab.hosts[0])
        fifo = host.path("fifo")
        reader = host.script("reader", f"exec >>{host.path('read')}", "echo reader $1",
                             'while read line; do echo "$line"; done <"$1"', "echo end")
        up = host.script("up", f"exec >>{host.path('calls')}", "sleep 0.5", "echo up")
        down = host.script("down", f"exec >>{host.path('calls')}", "ip -o addr show", "echo down")
        blocks = (f"global_defs {{\n    script_user root\n    vrrp_notify_fifo {fifo}\n    vrrp_notify_fifo_script {reader}\n"
                  f"    startup_script {up}\n    shutdown_script {down}\n}}\n")
        host.start(blocks=blocks)
        host.wait_holds(VIPS)
        assert host.lines()[0] == "up", "before the first advertisement"
        mode = os.stat(fifo).st_mode
        assert stat.S_ISFIFO(mode) and stat.S_IMODE(mode) == 0o600
        want = {f'UNIT "web/{vip}" MASTER 253' for vip in VIPS}
        rig.wait_until(lambda: os.path.exists(host.path("read")) and want <= set(host.lines("read")), 10, "a line for each unit")
        assert host.lines("read")[0] == f"reader {fifo}"
        assert host.daemon.stop() == 0
        read = host.lines("read")
        assert {f'UNIT "web/{vip}" STOP 253' for vip in VIPS} <= set(read) and read[-1] == "end", read
        assert host.lines()[-1] == "down" and not any(vip in line for line in host.lines() for vip in VIPS), \
            "the shutdown command finds no address"
        assert not os.path.exists(fifo)


def test_reload__other_commands__are_the_new_files():
    with rig.Lab(hosts=1, watchdog_s=60) as lab:
        host = Host(lab.hosts[0])
        old = host.script("old", f'echo old "$@" >>{host.path("calls")}')
        new = host.script("new", f'echo new "$@" >>{host.path("calls")}')
        host.start(f"notify {old}")
        rig.wait_until(lambda: len(host.lines()) == 3, 10, "a call for each unit")
        host.daemon.write(cluster.pool_text(VIPS[:2], f"notify {new}"))
        host.daemon.child.send_signal(signal.SIGHUP)
        host.wait_holds(VIPS[:2])
        rig.wait_until(lambda: f"old UNIT web/{VIPS[2]} FAULT 253" in host.lines(), 10, "what is removed is a fault")
        assert host.daemon.stop() == 0
        stops = [line for line in host.lines() if " STOP " in line]
        assert sorted(stops) == sorted(f"new UNIT web/{vip} STOP 253" for vip in VIPS[:2])


def test_reload__pool_with_another_name__is_told_under_it():
    with rig.Lab(hosts=1, watchdog_s=60) as lab:
        host = Host(lab.hosts[0])
        note = host.script("note", f'echo "$@" >>{host.path("calls")}')
        host.start(f"notify {note}")
        rig.wait_until(lambda: len(host.lines()) == 3, 10, "a call for each unit")
        host.daemon.write(cluster.pool_text(VIPS[:3], f"notify {note}", name="shop"))
        assert host.daemon.ctl("reload")["state"] == "done"
        ends = {f"UNIT web/{vip} FAULT 253" for vip in VIPS[:3]}
        begins = {f"UNIT shop/{vip} MASTER 253" for vip in VIPS[:3]}
        rig.wait_until(lambda: ends | begins <= set(host.lines()), 10, "both names")
        assert len(host.lines()) == 9
