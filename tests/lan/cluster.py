# SPDX-License-Identifier: GPL-2.0-or-later
"""The system under test on the hosts of a Lab: our daemon, or Debian's keepalived for comparison, with the same
verbs, so that a scenario is written once.

Owns configuration files and daemons; measuring is watcher.py's, faults are rig.py's.
"""
import json
import os
import signal
import socket

import keepalived
import rig


def addresses(count, family=4, lan=0):
    """`count` VIPs that collide with no host: for 240 of them .10 to .249, for few .51 on."""
    first = 51 if count <= 100 else 10
    if family == 4:
        return [f"{rig.Lab.NETWORKS[lan]}.{first + i}" for i in range(count)]
    return [f"2001:db8:{lan}::{first + i:x}" for i in range(count)]


def pool_text(vips, *options, name="web", interface="eth0"):
    """A pool's block. A VIP is an address, or a ready line (a braced unit, `ADDRESS/LENGTH vrid 7`, ...)."""
    lines = [f"vrrp_pool {name} {{", f"    interface {interface}"]
    lines += [f"    {option}" for option in options]
    lines.append("    virtual_ipaddress {")
    for vip in vips:
        bare = not set(vip) - set("0123456789abcdef.:")
        lines.append(f"        {vip}{('/64' if ':' in vip else '/24') if bare else ''}")
    return "\n".join(lines + ["    }", "}"]) + "\n"


class Evenkeel:
    """evenkeeld on one host."""

    def __init__(self, node, text):
        self.node = node
        self.run_dir = os.path.join(node.dir, "run")
        self.config = os.path.join(node.dir, "evenkeel.conf")
        self.child = None
        self.write(text)

    def write(self, text):
        with open(self.config, "w", encoding="ascii") as f:
            f.write(text)

    def start(self, *options, preload=None):
        daemon = rig.find_program("evenkeeld")
        if not daemon:
            raise rig.RigError("no evenkeeld: build it, or name its folder in EVENKEEL_BUILD")
        self.child = self.node.spawn(daemon, "-n", "-f", self.config, "--run-dir", self.run_dir, *options,
                                     log="evenkeeld.log",
                                     env={**os.environ, "LC_ALL": "C", **({"LD_PRELOAD": preload} if preload else {})})
        return self

    def running(self):
        return self.child is not None and self.child.poll() is None

    def guard(self):
        return self.child.pid

    def children(self):
        """Pid and name of all that the guard has started: the worker, and the keepers of commands."""
        with open(f"/proc/{self.child.pid}/task/{self.child.pid}/children", encoding="ascii") as f:
            pids = [int(p) for p in f.read().split()]
        return {pid: rig.comm(pid) for pid in pids}

    def workers(self):
        return [pid for pid, name in self.children().items() if name == "evenkeeld"]

    def pids(self):
        return [self.child.pid] + self.workers() if self.running() else []

    def ask(self, command, timeout=5):
        """The answer to a command of the control socket, without keelctl: for what is asked again and again."""
        with socket.socket(socket.AF_UNIX) as client:
            client.settimeout(timeout)
            client.connect(os.path.join(self.run_dir, "control.sock"))
            client.sendall(json.dumps({"command": command}).encode() + b"\n")
            with client.makefile("rb") as lines:
                answer = json.loads(lines.readline())
        if "error" in answer:
            raise rig.RigError(f"{self.node.name}: {command}: {answer['error']}")
        return answer

    def ctl(self, *words, check=True, timeout=30):
        """keelctl --json: its answer as an object."""
        done = self.keelctl("--json", *words, timeout=timeout)
        if check and done.returncode != 0:
            raise rig.RigError(f"{self.node.name}: keelctl {' '.join(words)}: exit {done.returncode}: "
                               f"{done.stderr.strip() or done.stdout.strip()}")
        return json.loads(done.stdout) if done.stdout.strip() else None

    def keelctl(self, *words, timeout=30):
        tool = rig.find_program("keelctl")
        if not tool:
            raise rig.RigError("no keelctl: build it, or name its folder in EVENKEEL_BUILD")
        return self.node.run(tool, "--run-dir", self.run_dir, *words, check=False, timeout=timeout)

    def ready(self):
        """The status, or None from a daemon that is not there, or not yet."""
        try:
            return self.ask("status")
        except (rig.RigError, ValueError, OSError):
            return None

    def held(self):
        """Addresses of the units that this host holds, by its own word."""
        return sorted(a for pool in self.ask("status")["pools"] for unit in pool["units"]
                      if unit["holder_kind"] == "self" for a in unit["addresses"])

    def terminate(self):
        self.child.send_signal(signal.SIGTERM)

    def stop(self, deadline_s=15):
        """SIGTERM and wait; the exit code."""
        self.terminate()
        return self.child.wait(deadline_s)

    def kill(self):
        pids = self.pids()
        rig.kill(pids)
        self.child.wait(5)

    def kill_worker(self):
        rig.signal_all(self.workers(), signal.SIGKILL)

    def kill_guard(self):
        os.kill(self.guard(), signal.SIGKILL)
        self.child.wait(5)

    def pause(self):
        rig.pause(self.pids())

    def resume(self):
        rig.resume(self.pids())


class Cluster:
    """A daemon on each host: `hosts` by their names."""

    def start(self, name):
        self.hosts[name].start()

    def kill(self, name):
        self.hosts[name].kill()

    def pause(self, name):
        self.hosts[name].pause()

    def resume(self, name):
        self.hosts[name].resume()

    def pids(self, name):
        return self.hosts[name].pids()


class EvenkeelCluster(Cluster):
    name = "evenkeel"
    ours = True
    member_interval_ms = 250
    share = 100
    skew_ms = 0  # a few milliseconds, which the bounds have room for

    def __init__(self, lab, vips, *options, text=None, **pool):
        self.lab = lab
        self.vips = vips
        self.text = text or pool_text(vips, *options, **pool)
        self.hosts = {h.name: Evenkeel(h, self.text) for h in lab.hosts}
        for option in options:
            if option.startswith("member_advert_int "):
                self.member_interval_ms = float(option.split()[1]) * 1000

    def crash_bound_ms(self):
        """3 x member interval + skew + 20 ms: SCENARIOS' bound for every address."""
        return self.member_interval_ms * (3 + (256 - self.share) / 256) + 20

    def knows_all(self, name):
        """The daemon counts every host of the lab as a living member."""
        status = self.hosts[name].ready()
        members = status["pools"][0]["members"] if status and status["pools"] else []
        return sum(m["state"] == "active" for m in members) == len(self.lab.hosts)

    def running(self, name):
        return self.hosts[name].running()

    def stop(self, name):
        return self.hosts[name].stop()


class InstanceCluster(EvenkeelCluster):
    """Instances on all hosts with rotated priorities: host i is the first for every nth address, and next in turn."""
    PRIORITIES = (250, 230, 210, 190, 170)

    def __init__(self, lab, vips, version=3, options=(), unicast=False, group=False):
        self.lab, self.vips = lab, vips
        self.advert_s = 0.25 if version == 3 else 1
        self.member_interval_ms = self.advert_s * 1000
        self.skew_ms = self.member_interval_ms * (256 - self.PRIORITIES[1]) / 256
        self.hosts = {}
        for i, node in enumerate(lab.hosts):
            words = [f"version {version}", f"advert_int {self.advert_s:g}", *options]
            if unicast:
                words += self._peers(node, 6 if ":" in vips[0] else 4)
            text = "global_defs {\n    router_id rig\n}\n" + (self._groups() if group else "")
            self.hosts[node.name] = Evenkeel(node, text + "".join(self._instance(i, n, words) for n in range(len(vips))))

    def _peers(self, node, family):
        key = f"ipv{family}"
        others = [other.ports[0][key] for other in self.lab.hosts if other is not node]
        return [f"unicast_src_ip {node.ports[0][key]}", "unicast_peer {", *(f"    {peer}" for peer in others), "}"]

    def _groups(self):
        """One for each host that is first."""
        turns = range(len(self.lab.hosts))
        return "".join(f"vrrp_sync_group g{turn} {{\n    group {{\n"
                       + "".join(f"        v{n}\n" for n in range(turn, len(self.vips), len(turns))) + "    }\n}\n"
                       for turn in turns)

    def _instance(self, host, number, words):
        vip = self.vips[number]
        lines = ["interface eth0", f"virtual_router_id {number + 1}",
                 f"priority {self.PRIORITIES[(host - number) % len(self.lab.hosts)]}", *words, "virtual_ipaddress {",
                 f"    {vip}/{64 if ':' in vip else 24}", "}"]
        return f"vrrp_instance v{number} {{\n" + "".join(f"    {line}\n" for line in lines) + "}\n"

    def crash_bound_ms(self):
        """RFC 9568: Active_Down_Interval of the next in turn, and 20 ms as for pools."""
        return 3 * self.member_interval_ms + self.skew_ms + 20

    def home(self, number):
        """The host that is first for the nth address."""
        return self.lab.hosts[number % len(self.lab.hosts)].name

    def knows_all(self, name):
        """Each instance is at home, as this daemon sees it."""
        status = self.hosts[name].ready()
        states = {i["name"]: i["state"] for i in status["instances"]} if status else {}
        return states == {f"v{n}": "Active" if self.home(n) == name else "Backup" for n in range(len(self.vips))}


class KeepalivedCluster(Cluster):
    """All addresses on all hosts, the priorities rotated by hand; version 3 when the interval is below a second."""
    name = "keepalived"
    ours = False

    def __init__(self, lab, vips, advert_s=1):
        self.lab = lab
        self.vips = vips
        self.advert_s = advert_s
        count = len(lab.hosts)
        self.hosts = {}
        for i, node in enumerate(lab.hosts):
            text = keepalived.rotated(i, count, vips, version=2 if advert_s >= 1 else 3, advert_s=advert_s)
            self.hosts[node.name] = keepalived.Keepalived(node, text)

    def crash_bound_ms(self):
        return 4 * self.advert_s * 1000

    def running(self, name):
        return bool(self.hosts[name].pids())

    def stop(self, name):
        self.hosts[name].terminate()
        return self.hosts[name].wait()
