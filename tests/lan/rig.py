# SPDX-License-Identifier: GPL-2.0-or-later
"""A LAN in network namespaces: hosts, a switch, a witness, and the faults that happen to them.

Owns the namespaces, the wiring and every process started inside. Namespaces have no names: each is held by a process,
so nothing stays in /run/netns and labs cannot collide. A reaper process kills whatever lives in them when this
program dies, however it dies, or when the watchdog's time is over. Faults are made in the switch, so that a host's
own sockets see the truth: what it sends has left it, what it misses never came.

    with Lab(hosts=3) as lab:
        lab.hosts[0].run("ip", "addr")
        lab.cut(lab.hosts[0]); ...; lab.heal()
"""
import atexit
import contextlib
import fcntl
import os
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import time

PYTHON = "/usr/bin/python3"
OOM_LIMIT = 16 << 20
LOCK = os.path.join(tempfile.gettempdir(), "evenkeel-rig.lock")
CLEANUP_S = 0.15  # what the kernel has left to do after the last process of a namespace
SOURCE_DIR = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

SWITCH_RULES = """
table bridge faults {
    set blocked { type ifname . ifname; }
    chain forward { type filter hook forward priority 0; policy accept;
        iifname . oifname @blocked counter drop
    }
}
"""


class RigError(Exception):
    pass


def wait_until(condition, deadline_s, what, poll_s=0.02):
    """The condition's first true value; RigError naming `what` when the deadline passes."""
    end = time.monotonic() + deadline_s
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() >= end:
            raise RigError(f"not within {deadline_s} s: {what}")
        time.sleep(poll_s)


def linger(seconds):
    """Looks on for so long, for what must not happen: a second move, a late answer. What must happen is waited for."""
    time.sleep(seconds)


def pace(seconds):
    """Until the next of several things that a test does one after the other, or until a moment that it has chosen."""
    time.sleep(seconds)


@contextlib.contextmanager
def _locked(how):
    with open(LOCK, "ab") as f:
        fcntl.flock(f, how)
        yield


def undisturbed():
    """While the block runs no lab of this machine comes or goes. Either holds the kernel's one lock of all networks for some
    20 ms, which is too long for those who have a gap of 10 ms to keep."""
    return _locked(fcntl.LOCK_SH)


def disturbing():
    return _locked(fcntl.LOCK_EX)


def be_punctual():
    """This thread is not held up by those who have no claim to their time; what it starts is ordinary again. For those that
    have little to do, each time, and at their time: whoever computes for a second so takes it from the daemons. Without the
    right to it everything stays as it was."""
    with contextlib.suppress(PermissionError):
        os.sched_setscheduler(0, os.SCHED_RR | os.SCHED_RESET_ON_FORK, os.sched_param(1))


def build_dir():
    given = os.environ.get("EVENKEEL_BUILD")
    if given:
        return os.path.abspath(given)
    build = os.path.join(SOURCE_DIR, "build")
    return build if os.path.isdir(build) else SOURCE_DIR


def find_program(name):
    """The built program's path, or None."""
    base = build_dir()
    for folder in ("", "src", "src/daemon", "src/ctl", "tests/lan", "tests"):
        path = os.path.join(base, folder, name)
        if os.access(path, os.X_OK) and os.path.isfile(path):
            return path
    return None


def processes_in(inodes):
    """Pids of all processes whose network namespace is one of `inodes`."""
    found = []
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            try:
                if os.stat(f"/proc/{entry}/ns/net").st_ino in inodes:
                    found.append(int(entry))
            except OSError:
                continue
    return found


def comm(pid):
    """A process' name; "" when it is gone."""
    try:
        with open(f"/proc/{pid}/comm", encoding="utf-8", errors="replace") as f:
            return f.read().strip()
    except OSError:
        return ""


def signal_all(pids, signum):
    for pid in pids:
        try:
            os.kill(pid, signum)
        except ProcessLookupError:
            continue


def kill_namespaces(inodes, deadline_s=5):
    end = time.monotonic() + deadline_s
    while True:
        pids = [p for p in processes_in(inodes) if p != os.getpid()]
        if not pids or time.monotonic() > end:
            return
        signal_all(pids, signal.SIGKILL)
        time.sleep(0.02)


def reap(watchdog_s, inodes):
    """The reaper's whole life: until the rig closes the pipe (it may be dead) or the time is over."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    ready, _, _ = select.select([sys.stdin], [], [], watchdog_s)
    if not ready:
        sys.stderr.write(f"rig: the lab was taken down by its watchdog after {watchdog_s} s\n")
    kill_namespaces(inodes)


class Node:
    """One namespace: a host, the witness, or the switch. `lans` is filled by the Lab."""

    def __init__(self, name, lab):
        self.name = name
        self.lab = lab
        self.dir = os.path.join(lab.dir, name)
        os.mkdir(self.dir)
        os.chmod(self.dir, 0o755)
        self.ports = []  # per LAN: dict(interface, port, mac, ipv4, ipv6, link_local)
        self.children = []
        self.namespace = None  # set by settle()
        self.holder = subprocess.Popen(
            ["unshare", "-n", "-m", "--propagation", "private", "sleep", str(lab.watchdog_s + 60)],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)

    def settle(self):
        own = os.stat("/proc/self/ns/net").st_ino
        path = f"/proc/{self.holder.pid}"

        def ready():
            with open(f"{path}/comm", encoding="ascii") as comm:
                return comm.read().strip() == "sleep" and os.stat(f"{path}/ns/net").st_ino != own

        wait_until(ready, 10, f"namespace of {self.name}", 0.002)
        # Held open, by the reaper too: the number of a namespace that is gone is soon that of another lab's.
        self.namespace = os.open(f"{path}/ns/net", os.O_RDONLY)
        self.inode = os.fstat(self.namespace).st_ino

    def enter(self):
        return ["nsenter", "-t", str(self.holder.pid), "-n", "-m", "--"]

    def run(self, *command, check=True, **options):
        """Runs a command to its end inside; its output is captured as text. RigError with that output on failure."""
        options.setdefault("timeout", 30)
        done = subprocess.run(self.enter() + list(command), capture_output=True, text=True, check=False, **options)
        if check and done.returncode != 0:
            raise RigError(f"{self.name}: {' '.join(command)}: exit {done.returncode}: {done.stderr.strip()}")
        return done

    def spawn(self, *command, log=None, **options):
        """Starts a program inside; its output goes to the node's folder unless told otherwise."""
        if log:
            with open(os.path.join(self.dir, log), "ab") as out:
                options.setdefault("stdout", out)
                options.setdefault("stderr", out)
                options.setdefault("stdin", subprocess.DEVNULL)
                child = subprocess.Popen(self.enter() + list(command), start_new_session=True, **options)
        else:
            child = subprocess.Popen(self.enter() + list(command), start_new_session=True, **options)
        self.children.append(child)
        return child

    def pids(self):
        """All processes inside, but for the one that holds the namespace."""
        return [p for p in processes_in({self.inode}) if p != self.holder.pid]

    def forget(self):
        """As after a reboot: no rules, and no addresses but the node's own."""
        self.run("nft", "flush", "ruleset")
        for port in self.ports:
            own = {port["ipv4"], port["ipv6"], port["link_local"]}
            out = self.run("ip", "-o", "addr", "show", "dev", port["interface"]).stdout
            for line in out.splitlines():
                address = line.split()[3]
                if address.split("/")[0] not in own:
                    self.run("ip", "addr", "del", address, "dev", port["interface"])

    def addresses(self):
        """Every address on the node's interfaces, as text without prefix length."""
        out = self.run("ip", "-o", "addr", "show").stdout
        return {line.split()[3].split("/")[0] for line in out.splitlines() if len(line.split()) > 3}

    def read_log(self, log):
        try:
            with open(os.path.join(self.dir, log), encoding="utf-8", errors="replace") as f:
                return f.read()
        except OSError:
            return ""


class Lab:
    """`hosts` hosts and a witness on `lans` LANs (eth0, ...; 192.0.2.0/24, 198.51.100.0/24, 203.0.113.0/24
    and 2001:db8:n::/64; host i is .i, the witness .254)."""

    NETWORKS = ("192.0.2", "198.51.100", "203.0.113")

    def __init__(self, hosts=3, lans=1, watchdog_s=300, keep=False):
        self.watchdog_s = watchdog_s
        self.keep = keep or bool(os.environ.get("EVENKEEL_KEEP_LAB"))
        self.lans = lans
        self.dir = tempfile.mkdtemp(prefix=f"evenkeel-lab-{os.getpid()}-")
        os.chmod(self.dir, 0o755)
        self.nodes, self.cleanups, self.blocked, self.reaper = [], [], {}, None
        atexit.register(self.close)
        try:
            with disturbing():
                self._build(hosts)
        except BaseException:
            self.close()
            raise

    def __enter__(self):
        return self

    def __exit__(self, kind, value, trace):
        if kind is not None and not issubclass(kind, KeyboardInterrupt) and not self.keep:
            self.keep = True
            sys.stderr.write(f"rig: logs are kept in {self.dir}\n")
        self.close()

    def close(self):
        """Takes everything down; may be called again."""
        atexit.unregister(self.close)
        for cleanup in reversed(self.cleanups):
            try:
                cleanup()
            except OSError as error:
                sys.stderr.write(f"rig: {error}\n")
        self.cleanups = []
        with disturbing():
            kill_namespaces({n.inode for n in self._settled()})
            for node in self.nodes:
                for child in node.children + [node.holder]:
                    child.kill()
                    child.wait()
            if self.reaper:
                self.reaper.stdin.close()
                self.reaper.wait()
                self.reaper = None
            for node in self._settled():
                os.close(node.namespace)
            pace(CLEANUP_S if self.nodes else 0)
            self.nodes = []
        if not self.keep:
            shutil.rmtree(self.dir, ignore_errors=True)

    def _settled(self):
        return [node for node in self.nodes if node.namespace is not None]

    # Building

    def _node(self, name):
        node = Node(name, self)
        self.nodes.append(node)
        return node

    def _build(self, count):
        self.switch = self._node("switch")
        self.hosts = [self._node(f"h{i + 1}") for i in range(count)]
        self.witness = self._node("w")
        self.host = {h.name: h for h in self.hosts}
        for node in self.nodes:
            node.settle()
        self._start_reaper()
        for node in self.nodes:
            node.run("mount", "-t", "tmpfs", "tmpfs", "/run")
            node.run("sh", "-c", "for c in all default; do cd /proc/sys/net/ipv6/conf/$c; echo 0 >accept_dad; "
                     "echo 0 >dad_transmits; echo 0 >accept_ra; done")
        self._wire()
        self.switch.run("nft", "-f", "-", input=SWITCH_RULES)

    def _start_reaper(self):
        inodes = [str(n.inode) for n in self.nodes]
        self.reaper = subprocess.Popen([PYTHON, os.path.abspath(__file__), "--reap", str(self.watchdog_s)] + inodes,
                                       stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, start_new_session=True,
                                       pass_fds=[n.namespace for n in self.nodes])

    def _wire(self):
        switch, machines = ["link set lo up"], {n: ["link set lo up"] for n in self.hosts + [self.witness]}
        for lan in range(self.lans):
            switch += [f"link add name br{lan} type bridge mcast_snooping 0 stp_state 0 forward_delay 0",
                       f"link set br{lan} up"]
            for index, node in enumerate(machines):
                number = 254 if node is self.witness else index + 1
                node.ports.append(self._port(lan, node, number))
                switch += self._cable(node, lan)
                machines[node] += self._addresses(node, lan)
        self.switch.run("ip", "-batch", "-", input="\n".join(switch) + "\n")
        for node, lines in machines.items():
            node.run("ip", "-batch", "-", input="\n".join(lines) + "\n")

    def _port(self, lan, node, number):
        mac = f"02:4b:00:00:{lan:02x}:{number:02x}"
        return dict(interface=f"eth{lan}", port=f"{node.name}.{lan}", mac=mac,
                    ipv4=f"{self.NETWORKS[lan]}.{number}", ipv6=f"2001:db8:{lan}::{number:x}",
                    link_local=f"fe80::4b:ff:fe00:{lan << 8 | number:x}")

    @staticmethod
    def _cable(node, lan):
        port = node.ports[lan]
        return [f"link add name {port['port']} type veth peer name {port['interface']} address {port['mac']} "
                f"netns {node.holder.pid}",
                f"link set {port['port']} master br{lan}", f"link set {port['port']} up"]

    @staticmethod
    def _addresses(node, lan):
        port = node.ports[lan]
        return [f"link set {port['interface']} up", f"addr add {port['ipv4']}/24 dev {port['interface']}",
                f"addr add {port['ipv6']}/64 dev {port['interface']} nodad"]

    # Faults. Each kind is remembered by a key, the switch's set is always the union of them all.

    def _apply(self):
        pairs = sorted(set().union(*self.blocked.values())) if self.blocked else []
        text = "flush set bridge faults blocked\n"
        if pairs:
            text += "add element bridge faults blocked { " + ", ".join(f'"{a}" . "{b}"' for a, b in pairs) + " }\n"
        self.switch.run("nft", "-f", "-", input=text)

    def _pairs(self, senders, receivers, lan):
        lans = range(self.lans) if lan is None else [lan]
        return {(a.ports[n]["port"], b.ports[n]["port"])
                for n in lans for a in senders for b in receivers if a is not b}

    def _others(self, node):
        return [n for n in self.hosts + [self.witness] if n is not node]

    def _fault(self, key, pairs):
        self.blocked[key] = pairs
        self._apply()

    def cut(self, node, lan=None):
        """Silently: carrier stays, no frame passes either way."""
        self._fault(("cut", node.name, lan),
                    self._pairs([node], self._others(node), lan) | self._pairs(self._others(node), [node], lan))

    def deaf(self, node, lan=None):
        """The node hears nobody; it is heard."""
        self._fault(("deaf", node.name, lan), self._pairs(self._others(node), [node], lan))

    def mute(self, node, lan=None):
        """The node hears everybody; nobody hears it."""
        self._fault(("mute", node.name, lan), self._pairs([node], self._others(node), lan))

    def one_way(self, sender, receiver, lan=None):
        """What `sender` says does not reach `receiver`; everything else passes."""
        self._fault(("one way", sender.name, receiver.name, lan), self._pairs([sender], [receiver], lan))

    def partition(self, *islands, lan=None):
        """No frame passes between the islands. A node that is in none of them reaches all."""
        pairs = set()
        for a in islands:
            for b in islands:
                if a is not b:
                    pairs |= self._pairs(a, b, lan)
        self._fault(("partition", lan), pairs)

    def heal(self, node=None):
        """Ends the faults of one node, or all of them. Carrier is link_up's."""
        if node is None:
            self.blocked = {}
        else:
            self.blocked = {k: v for k, v in self.blocked.items() if node.name not in k}
        self._apply()

    def link_down(self, node, lan=0):
        """The cable is pulled: the host loses carrier."""
        self.switch.run("ip", "link", "set", node.ports[lan]["port"], "down")

    def link_up(self, node, lan=0):
        self.switch.run("ip", "link", "set", node.ports[lan]["port"], "up")

    def delete_interface(self, node, lan=0):
        node.run("ip", "link", "del", node.ports[lan]["interface"])

    def make_interface(self, node, lan=0):
        """Anew, with the same name, MAC and addresses; its index is another one."""
        self.switch.run("ip", "-batch", "-", input="\n".join(self._cable(node, lan)) + "\n")
        node.run("ip", "-batch", "-", input="\n".join(self._addresses(node, lan)) + "\n")

    # Control groups

    def freeze(self, pids):
        """Freezes processes by a cgroup of our own. Returns the function that thaws them."""
        group = Cgroup((("/sys/fs/cgroup", "cgroup.freeze"), ("/sys/fs/cgroup/unified", "cgroup.freeze"),
                        ("/sys/fs/cgroup/freezer", "freezer.state")))
        frozen, thawed = ("FROZEN", "THAWED") if group.file == "freezer.state" else ("1", "0")

        def thaw():
            group.write(group.file, thawed)
            group.remove()

        self.cleanups.append(thaw)
        for pid in pids:
            group.take(pid)
        group.write(group.file, frozen)
        return thaw

    def out_of_memory(self, pids, deadline_s=20):
        """Puts processes into a cgroup whose memory another program uses up, until the kernel's OOM killer has ended
        them. It takes them first: so it is told, since the daemon asks to be spared."""
        group = Cgroup((("/sys/fs/cgroup", "memory.max"), ("/sys/fs/cgroup/memory", "memory.limit_in_bytes")))
        self.cleanups.append(group.remove)
        group.write(group.file, str(OOM_LIMIT))
        for pid in pids:
            with open(f"/proc/{pid}/oom_score_adj", "w", encoding="ascii") as f:
                f.write("1000")
            group.take(pid)
        hog = subprocess.Popen(["sh", "-c", f"echo $$ >{group.path}/cgroup.procs && exec tail /dev/zero"],
                               stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
        try:
            wait_until(lambda: not any(is_alive(p) for p in pids), deadline_s, "the OOM killer has ended them", 0.002)
        finally:
            hog.kill()
            hog.wait()
            group.remove()


class Cgroup:
    """A control group of our own, in the first of the hierarchies `places` (folder, file) that has such a file."""

    def __init__(self, places):
        self.old = {}
        name = f"evenkeel-lab-{os.getpid()}-{time.monotonic_ns()}"
        for self.base, self.file in places:
            self.path = os.path.join(self.base, name)
            try:
                os.mkdir(self.path)
            except OSError:
                continue
            if os.path.exists(os.path.join(self.path, self.file)):
                return
            os.rmdir(self.path)
        raise RigError(f"no cgroup with {' or '.join(file for _, file in places)}")

    def write(self, name, text):
        if os.path.isdir(self.path):
            with open(os.path.join(self.path, name), "w", encoding="ascii") as f:
                f.write(text)

    def take(self, pid):
        with open(f"/proc/{pid}/cgroup", encoding="ascii") as f:
            lines = [line.strip().split(":", 2) for line in f]
        kind = os.path.basename(self.base)
        self.old[pid] = next((path for _, kinds, path in lines if kind in kinds.split(",")),
                             next((path for _, kinds, path in lines if not kinds), "/"))
        self.write("cgroup.procs", str(pid))

    def remove(self):
        """What still lives in it goes back to where it was. May be called again."""
        for pid, path in self.old.items():
            try:
                with open(os.path.join(self.base, path.lstrip("/"), "cgroup.procs"), "w", encoding="ascii") as f:
                    f.write(str(pid))
            except OSError:
                continue
        self.old = {}
        for _ in range(100):
            if not os.path.isdir(self.path):
                return
            try:
                os.rmdir(self.path)
            except OSError:
                time.sleep(0.01)


def is_alive(pid):
    """A zombie is not."""
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as f:
            return f.read().rsplit(")", 1)[1].split()[0] not in "ZX"
    except OSError:
        return False


def pause(pids):
    signal_all(pids, signal.SIGSTOP)


def resume(pids):
    signal_all(pids, signal.SIGCONT)


def kill_group(child):
    """A program that spawn() has started, and all that it started."""
    os.killpg(child.pid, signal.SIGKILL)
    child.wait()


def kill(pids):
    """At one stroke: first nobody can react, then all are gone."""
    pause(pids)
    signal_all(pids, signal.SIGKILL)


def usage(pids):
    """(CPU seconds used so far, PSS in bytes) of processes, those gone counting nothing."""
    ticks, pss = 0, 0
    for pid in pids:
        try:
            with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as f:
                fields = f.read().rsplit(")", 1)[1].split()
            with open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as f:
                pss += sum(int(line.split()[1]) * 1024 for line in f if line.startswith("Pss:"))
        except OSError:
            continue
        ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK"), pss


if __name__ == "__main__":
    if len(sys.argv) < 4 or sys.argv[1] != "--reap":
        sys.exit("rig.py is a module; it is run only by itself")
    reap(float(sys.argv[2]), {int(i) for i in sys.argv[3:]})
