# SPDX-License-Identifier: GPL-2.0-or-later
"""Least privilege, on the running daemon: what the worker is left with, with how little it can be started, what it says
when that is too little. User `evenkeel` exists only in the lab's host: its /etc/passwd is another one there."""
import json
import os
import re
import shutil
import signal
import subprocess

import pytest

import cluster
import rig

pytestmark = [
    pytest.mark.skipif(os.geteuid() != 0, reason="network namespaces need root"),
    pytest.mark.skipif(not rig.find_program("evenkeeld"), reason="evenkeeld is not built"),
]

UID = 64983  # of user and group evenkeel
NOBODY = 65534
VIPS = cluster.addresses(3)
BITS = {"net_admin": 12, "net_raw": 13, "sys_nice": 23}
NEEDED = ("net_admin", "net_raw")
EX_NOPERM = 77


def mask(*names):
    return sum(1 << BITS[name] for name in names)


def only(*names):
    """setpriv's arguments for root with these capabilities and no way to others, as in a container."""
    return ["setpriv", "--inh-caps=-all", "--bounding-set=-all" + "".join(f",+{name}" for name in names)]


def as_user(uid, *names):
    plus = "".join(f",+{name}" for name in names)
    return ["setpriv", f"--reuid={uid}", f"--regid={uid}", "--clear-groups", f"--inh-caps=-all{plus}",
            f"--ambient-caps=-all{plus}", f"--bounding-set=-all{plus}"]


class Host:
    """A lab's only host, with the programs where any user may run them, and with or without user evenkeel."""

    def __init__(self, lab, user=True):
        self.node = lab.hosts[0]
        self.bin = os.path.join(self.node.dir, "bin")
        self.run_dir = os.path.join(self.node.dir, "run")
        self.config = os.path.join(self.node.dir, "evenkeel.conf")
        os.mkdir(self.bin)
        for program in ("evenkeeld", "keelctl"):
            shutil.copy(rig.find_program(program), self.bin)
        with open(self.config, "w", encoding="ascii") as f:
            f.write(cluster.pool_text(VIPS))
        if user:
            self._add_user()
        self.child = None

    def _add_user(self):
        for name, line in (("passwd", f"evenkeel:x:{UID}:{UID}::/nonexistent:/usr/sbin/nologin\n"),
                           ("group", f"evenkeel:x:{UID}:\n")):
            path = os.path.join(self.node.dir, name)
            with open(f"/etc/{name}", encoding="utf-8") as old, open(path, "w", encoding="utf-8") as new:
                new.write("".join(l for l in old if not l.startswith("evenkeel:")) + line)
            self.node.run("mount", "--bind", path, f"/etc/{name}")

    def own_run_dir(self, uid):
        os.mkdir(self.run_dir)
        os.chown(self.run_dir, uid, uid)

    def command(self, *before):
        return [*before, os.path.join(self.bin, "evenkeeld"), "-n", "-f", self.config, "--run-dir", self.run_dir]

    def start(self, *before):
        self.child = self.node.spawn(*self.command(*before), log="evenkeeld.log")
        return self

    def keelctl(self, *words, before=()):
        return self.node.run(*before, os.path.join(self.bin, "keelctl"), "--run-dir", self.run_dir, *words, check=False)

    def status(self):
        done = self.keelctl("--json", "status")
        return json.loads(done.stdout) if done.returncode == 0 else None

    def serves(self):
        """It holds all addresses, and the kernel's lease is in force. The worker's process id."""
        def good():
            status = self.status()
            return status and all(u["state"] == "Active" and u["level_done"] == "answering"
                                  for u in status["pools"][0]["units"])

        rig.wait_until(good, 15, "it holds every address: " + self.log())
        assert "expires" in self.node.run("nft", "list", "set", "netdev", "evenkeel_web", "alive").stdout
        assert set(VIPS) <= self.node.addresses()
        return self.worker()

    def worker(self):
        with open(f"/proc/{self.child.pid}/task/{self.child.pid}/children", encoding="ascii") as f:
            return next((int(pid) for pid in f.read().split()), None)

    def log(self):
        return self.node.read_log("evenkeeld.log")

    def ends(self):
        self.child.send_signal(signal.SIGTERM)
        assert self.child.wait(15) == 0, self.log()
        assert not set(VIPS) & self.node.addresses()
        assert "evenkeel" not in self.node.run("nft", "list", "tables").stdout


def facts(pid):
    with open(f"/proc/{pid}/status", encoding="ascii") as f:
        return {key: value.strip() for key, _, value in (line.partition(":") for line in f)}


def capabilities(pid, kind):
    return int(facts(pid)[kind], 16)


def descriptors(pid):
    """What the process has open, by what it is: sockets and pipes name their inode."""
    found = set()
    for fd in os.listdir(f"/proc/{pid}/fd"):
        found.add(os.readlink(f"/proc/{pid}/fd/{fd}"))
    return found


@pytest.fixture(name="lab")
def make_lab():
    with rig.Lab(hosts=1, watchdog_s=120) as lab:
        yield lab


def test_privilege__root_with_user__worker_is_that_user_with_two_or_three_capabilities(lab):
    host = Host(lab).start()
    worker = host.serves()
    known = facts(worker)
    assert set(known["Uid"].split()) == {str(UID)} and set(known["Gid"].split()) == {str(UID)}
    assert known["Groups"].split() in ([], [str(UID)]), "nothing of root's groups is left"
    nice = "real-time priority" not in host.log()
    keeps = mask(*NEEDED, *(["sys_nice"] if nice else []))
    assert capabilities(worker, "CapEff") == capabilities(worker, "CapPrm") == keeps
    for kind in ("CapBnd", "CapAmb", "CapInh"):
        assert capabilities(worker, kind) & ~keeps == 0, kind
    assert capabilities(worker, "CapBnd") == capabilities(worker, "CapAmb") == 0
    assert known["NoNewPrivs"] == "1"
    if nice:  # the loop comes first; what it waits for is urgent too
        priority = {}
        for thread in os.listdir(f"/proc/{worker}/task"):
            with open(f"/proc/{worker}/task/{thread}/comm", encoding="utf-8") as name:
                priority[name.read().strip()] = os.sched_getparam(int(thread)).sched_priority
        assert priority.pop("history") == 0, "writing to a disk is not urgent"
        assert set(priority.values()) == {9, 10}
    host.ends()


def test_privilege__worker__has_none_of_the_guards_descriptors(lab):
    host = Host(lab).start()
    worker = host.serves()
    common = {d for d in descriptors(worker) & descriptors(host.child.pid) if re.match(r"(socket|pipe):", d)}
    assert not common, common
    files = {d for d in descriptors(worker) if d.startswith("/")}
    allowed = {"/dev/null", os.path.join(host.node.dir, "evenkeeld.log")}
    left = {f for f in files - allowed if not f.startswith(host.run_dir + "/")}
    assert not left, left
    host.ends()


def test_privilege__readers_and_writers__by_user_and_group(lab):
    host = Host(lab).start()
    host.serves()
    stranger = as_user(NOBODY)
    member = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", f"--groups={UID}", "--bounding-set=-all"]
    assert host.keelctl("status", before=stranger).returncode == 0
    assert host.keelctl("counters", before=stranger).returncode == 0
    refused = host.keelctl("rebalance", before=stranger)
    assert refused.returncode == EX_NOPERM and refused.stderr.strip(), refused
    allowed = host.keelctl("rebalance", before=member)
    assert allowed.returncode == 0, allowed
    host.ends()


def test_privilege__container_with_just_two__works(lab):
    host = Host(lab, user=False).start(*only(*NEEDED))
    worker = host.serves()
    assert capabilities(worker, "CapEff") == mask(*NEEDED)
    os.kill(worker, signal.SIGKILL)
    rig.wait_until(lambda: host.worker() not in (None, worker), 10, "the guard starts another")
    host.serves()
    host.ends()


def test_privilege__container_with_user_but_without_setuid__stays_and_says_so(lab):
    host = Host(lab).start(*only(*NEEDED))
    worker = host.serves()
    assert facts(worker)["Uid"].split()[1] == "0" and capabilities(worker, "CapEff") == mask(*NEEDED)
    assert "stays root" in host.log() or "CAP_SETUID is missing" in host.log()
    host.ends()


def test_privilege__started_as_the_user__works(lab):
    host = Host(lab)
    host.own_run_dir(UID)
    host.start(*as_user(UID, *NEEDED))
    worker = host.serves()
    assert set(facts(worker)["Uid"].split()) == {str(UID)}
    assert capabilities(worker, "CapEff") == mask(*NEEDED) and facts(worker)["NoNewPrivs"] == "1"
    os.kill(worker, signal.SIGKILL)
    rig.wait_until(lambda: host.worker() not in (None, worker), 10, "the guard starts another")
    host.serves()
    host.ends()


@pytest.mark.parametrize("given", [(), ("net_admin",), ("net_raw",)], ids=lambda g: "+".join(g) or "none")
def test_privilege__some_missing__says_which_and_touches_nothing(lab, given):
    host = Host(lab, user=False)
    before = host.node.addresses()
    done = host.node.run(*host.command(*only(*given)), check=False)
    assert done.returncode == EX_NOPERM, done
    for name in NEEDED:
        assert (f"CAP_{name.upper()}" in done.stderr) == (name not in given), done.stderr
    assert len(done.stderr.strip().splitlines()) == 1, "one clear line"
    assert host.node.addresses() == before and not os.path.exists(host.run_dir)


def test_privilege__user_namespace__works(lab):
    """Nobody's own namespaces: root inside, nothing outside."""
    host = Host(lab)
    host.own_run_dir(NOBODY)
    inside = ("ip link add eth0 type veth peer name peer && ip addr add 192.0.2.1/24 dev eth0 && ip link set peer up && "
              "ip link set eth0 up && ip link set lo up && exec \"$@\"")
    probe = host.node.run(*as_user(NOBODY), "unshare", "-Urn", "true", check=False)
    if probe.returncode != 0:
        pytest.skip("users may not make namespaces here: " + probe.stderr.strip())
    host.start(*as_user(NOBODY), "unshare", "-Urn", "sh", "-c", inside, "sh")

    def good():
        status = host.status()
        return status and all(u["level_done"] == "answering" for u in status["pools"][0]["units"]) and status

    status = rig.wait_until(good, 15, "it holds every address: " + host.log())
    assert not [a for a in status["attention"] if a["code"] == "filter"], status["attention"]
    enter = ["nsenter", "-t", str(host.child.pid), "-U", "-n"]
    listed = subprocess.run(enter + ["nft", "list", "table", "netdev", "evenkeel_web"], capture_output=True, text=True,
                            timeout=10, check=False)
    assert all(vip in listed.stdout for vip in VIPS) and "expires" in listed.stdout, listed
    host.child.send_signal(signal.SIGTERM)
    assert host.child.wait(15) == 0, host.log()


def service_capabilities():
    with open(os.path.join(rig.SOURCE_DIR, "conf", "evenkeel.service.in"), encoding="utf-8") as f:
        line = re.search(r"^CapabilityBoundingSet=(.*)$", f.read(), re.MULTILINE)
    return [name.removeprefix("CAP_").lower() for name in line[1].split()]


def test_privilege__root_of_the_service__starts_again_after_worker_or_all_were_killed(lab):
    """It may not write in a directory that is user evenkeel's (no CAP_DAC_OVERRIDE)."""
    host = Host(lab)
    with open(host.config, "w", encoding="ascii") as f:
        f.write(cluster.pool_text(VIPS, "advert_int 0.2", "member_advert_int 0.1"))
    limits = [*only(*service_capabilities()), "--no-new-privs"]
    worker = host.start(*limits).serves()
    assert os.stat(host.run_dir).st_uid == UID
    os.kill(worker, signal.SIGKILL)
    rig.wait_until(lambda: host.worker() not in (None, worker), 10, "the guard starts another")
    worker = host.serves()
    rig.kill([host.child.pid, worker])
    host.child.wait()
    assert set(facts(host.start(*limits).serves())["Uid"].split()) == {str(UID)}
    host.ends()
    os.unlink(os.path.join(host.run_dir, "evenkeeld.pid"))
    host.start(*limits).serves()
    host.ends()


# keepalived's file: everything that an instance may ask of the kernel, and commands.

INSTANCES = """global_defs {{
    router_id box
    vrrp_version 3
    script_user {script_user}
}}
vrrp_script check {{
    script "/bin/true"
    interval 1
    weight 5
}}
vrrp_track_process helper {{
    process sleep
    weight 1
}}
static_routes {{
    198.51.100.0/25 via 192.0.2.254 dev eth0
}}
vrrp_instance MULTI {{
    interface eth0
    virtual_router_id 51
    priority 150
    advert_int 0.1
    use_vmac
    promote_secondaries
    track_script {{
        check
    }}
    track_process {{
        helper
    }}
    virtual_ipaddress {{
        192.0.2.51/24
    }}
    virtual_routes {{
        198.51.100.128/25 via 192.0.2.254 dev eth0
    }}
    virtual_rules {{
        from 192.0.2.51 table 77 priority 77
    }}
}}
vrrp_instance UNI {{
    interface eth0
    virtual_router_id 52
    priority 150
    advert_int 0.1
    unicast_peer {{
        192.0.2.254
    }}
    virtual_ipaddress {{
        192.0.2.52/24
    }}
}}
"""


def instances_host(lab, user, script_user):
    host = Host(lab, user=user)
    with open(host.config, "w", encoding="ascii") as f:
        f.write(INSTANCES.format(script_user=script_user))
    return host


def instances_serve(host):
    def good():
        status = host.status()
        return status and all(i["state"] == "Active" and i["level_done"] == "answering" for i in status["instances"])

    rig.wait_until(good, 15, "both instances are Active: " + host.log())
    assert {"192.0.2.51", "192.0.2.52"} <= host.node.addresses()
    routes = host.node.run("ip", "route").stdout
    assert "198.51.100.0/25" in routes and "198.51.100.128/25" in routes
    assert "lookup 77" in host.node.run("ip", "rule").stdout
    assert host.node.run("cat", "/proc/sys/net/ipv4/conf/eth0/promote_secondaries").stdout.strip() == "1"
    alive = host.node.run("nft", "list", "set", "netdev", "evenkeel_instances", "alive").stdout
    assert alive.count("expires") == 2, alive
    return host.worker()


def base_priority_moved(host):
    status = host.status()
    return next(i["priority"] for i in status["instances"] if i["name"] == "MULTI")


@pytest.mark.parametrize("user", [True, False], ids=["user", "container"])
def test_privilege__keepalived_file__worker_has_no_more_than_with_a_pool(lab, user):
    host = instances_host(lab, user, "root" if not user else "nobody")
    host.start(*(() if user else only(*NEEDED)))
    worker = instances_serve(host)
    nice = "real-time priority" not in host.log()
    keeps = mask(*NEEDED, *(["sys_nice"] if user and nice else []))
    assert capabilities(worker, "CapEff") == capabilities(worker, "CapPrm") == keeps
    assert facts(worker)["NoNewPrivs"] == "1"
    rig.wait_until(lambda: base_priority_moved(host) >= 155, 5, "the check counts: " + host.log())
    os.kill(worker, signal.SIGKILL)
    rig.wait_until(lambda: host.worker() not in (None, worker), 10, "the guard starts another")
    instances_serve(host)
    host.child.send_signal(signal.SIGTERM)
    assert host.child.wait(15) == 0, host.log()
    assert "lookup 77" not in host.node.run("ip", "rule").stdout
    assert "198.51.100.128/25" not in host.node.run("ip", "route").stdout


def test_privilege__container_with_just_two__a_command_of_another_user_is_said_to_be_impossible(lab):
    host = instances_host(lab, False, "nobody").start(*only(*NEEDED))
    instances_serve(host)
    rig.wait_until(lambda: "script check" in host.log(), 5, "the check was tried")
    assert re.search(r"script check: failed \(cannot be run: .*(CAP_SETUID|SETUID|user)", host.log()), host.log()
    assert base_priority_moved(host) < 155
    host.child.send_signal(signal.SIGTERM)
    assert host.child.wait(15) == 0, host.log()
