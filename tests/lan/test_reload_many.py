# SPDX-License-Identifier: GPL-2.0-or-later
"""S11 over and over: hundreds of reloads leave nothing behind, and whatever else happens meanwhile is not lost."""
import json
import os
import signal
import socket

import pytest

import cluster
import rig

pytestmark = [
    pytest.mark.skipif(os.geteuid() != 0, reason="network namespaces need root"),
    pytest.mark.skipif(not rig.find_program("evenkeeld"), reason="evenkeeld is not built"),
]

COUNT = 200
WARM = 48  # reloads, after which whatever is allocated once has been


def file_of(turn, folder):
    """A file of everything that a configuration can bring; each turn has other parts of it."""
    odd = turn % 2
    vips = cluster.addresses(6)
    groups = "".join(f"""vrrp_instance I{n} {{
    interface eth0
    virtual_router_id {200 + n}
    priority {100 + turn % 3}
    version 3
    advert_int 0.1
    mcast_dst_ip 224.0.1.{n + turn % 4}
    use_vmac
    virtual_ipaddress {{
        198.51.100.{n}/32 dev eth{odd}
    }}
    virtual_routes {{
        203.0.113.{n + turn % 4}/32 via 192.0.2.254 dev eth0
    }}
    track_file {{
        number weight {1 + odd}
    }}
    track_process {{
        helper weight {1 + odd}
    }}
}}
""" for n in range(1, 4 - odd))
    return f"""global_defs {{
    script_user root
    vrrp_notify_fifo {folder}/fifo{odd}
    vrrp_notify_fifo_script {folder}/reader
}}
track_file number {{
    file {folder}/number
}}
vrrp_track_process helper {{
    process keel-{odd}
}}
vrrp_script check {{
    script /bin/true
    interval 0.05
}}
{groups}""" + cluster.pool_text(vips[:5] if odd else vips, "track_script { check weight 0 }", f"garp_master_repeat {1 + turn % 5}",
                                name="renamed" if turn % 4 > 1 else "web", interface="eth0")


def kind_of(descriptor):
    try:
        return os.readlink(descriptor).split(":")[0]
    except OSError:
        return "closed meanwhile"


class Host:
    def __init__(self, node):
        self.node, self.turn = node, 0
        with open(os.path.join(node.dir, "reader"), "w", encoding="ascii") as script:
            script.write('#!/bin/sh\nexec cat "$1" >/dev/null\n')
        os.chmod(script.name, 0o755)
        with open(os.path.join(node.dir, "number"), "w", encoding="ascii") as number:
            number.write("3\n")
        self.daemon = cluster.Evenkeel(node, file_of(0, node.dir))

    def write(self):
        self.turn += 1
        self.daemon.write(file_of(self.turn, self.node.dir))

    def hang_up(self):
        os.kill(self.daemon.guard(), signal.SIGHUP)

    def connect(self):
        client = socket.socket(socket.AF_UNIX)
        client.connect(os.path.join(self.daemon.run_dir, "control.sock"))
        self.stream = client.makefile("rw", encoding="ascii")
        client.close()

    def ask(self, command):
        """keelctl takes longer to start than a reload."""
        self.stream.write(json.dumps({"command": command}) + "\n")
        self.stream.flush()
        return json.loads(self.stream.readline())

    def result(self, number):
        answer = self.ask("reload-result")
        return answer if answer["number"] >= number and answer["state"] != "running" else None

    def reload(self, state="done"):
        self.write()
        number = self.ask("reload")["number"]
        answer = rig.wait_until(lambda: self.result(number), 10, f"reload {self.turn}", 0.001)
        assert (answer["number"], answer["state"]) == (number, state), answer

    def figures(self):
        """By process: descriptors by kind, threads, kilobytes."""
        found = {}
        for name, pid in zip(("guard", "worker"), self.daemon.pids()):
            folder = f"/proc/{pid}"
            kinds = sorted(kind_of(f"{folder}/fd/{fd}") for fd in os.listdir(f"{folder}/fd"))
            with open(f"{folder}/status", encoding="ascii") as lines:
                status = dict(line.split(":", 1) for line in lines)
            resident = int(status["VmRSS"].split()[0])
            if int(status["VmSize"].split()[0]) > 1 << 30:
                resident = 0  # a sanitizer keeps what was freed
            found[name] = kinds, len(os.listdir(f"{folder}/task")), resident
        return found

    def shown(self):
        groups = self.node.run("ip", "maddress", "show", "dev", "eth0").stdout.split()
        tables = self.node.run("nft", "list", "tables").stdout.split()
        return (sorted(w for w in groups if w.startswith("224.0.1.")), sorted(w for w in tables if w.startswith("evenkeel_")),
                sorted(os.listdir(self.node.dir)))


@pytest.fixture
def host():
    with rig.Lab(hosts=1, lans=2, watchdog_s=120) as lab:
        made = Host(lab.hosts[0])
        made.daemon.start()
        rig.wait_until(made.daemon.ready, 10, "the daemon")
        made.connect()
        yield made
        made.stream.close()


def test_reload__hundreds__leave_nothing_behind(host):
    def calm():
        """Of each process the fewest of what it has, between two checks, when what the turn before had is gone."""
        looks = []
        for _ in range(50):
            looks.append(host.figures())
            rig.pace(0.01)
        return {process: min((look[process] for look in looks), key=lambda f: (len(f[0]), f[1])) for process in looks[0]}

    for _ in range(WARM):
        host.reload()
    before, shown = calm(), host.shown()
    for _ in range(COUNT - WARM):
        host.reload()
    after = calm()
    assert {p: f[:2] for p, f in after.items()} == {p: f[:2] for p, f in before.items()}
    for process, (_, _, kilobytes) in after.items():
        assert kilobytes < before[process][2] + 512, process  # a configuration takes 20
    assert host.shown() == shown
    assert shown[0] == [f"224.0.1.{n + host.turn % 4}" for n in range(1, 4 - host.turn % 2)]
    assert host.daemon.stop() == 0
    assert host.node.run("nft", "list", "ruleset").stdout == ""


def test_reload__storm_with_everything_else__the_last_file_counts(host):
    worker = host.daemon.workers()[0]
    for turn in range(60):
        host.write()
        host.hang_up()
        if turn % 7 == 0:
            os.kill(host.daemon.guard(), signal.SIGUSR1)
        if turn % 20 == 10:
            host.daemon.keelctl("drain", "--now") if turn % 40 == 10 else host.daemon.keelctl("undrain")
        if turn == 30:
            host.daemon.pause()
            host.write()
            host.hang_up()
            host.daemon.resume()
    number = host.ask("reload")["number"]  # the last file counts, and whatever is said of it comes
    rig.wait_until(lambda: host.result(number), 20, "all of them")
    assert host.shown()[0] == [f"224.0.1.{n + host.turn % 4}" for n in range(1, 4 - host.turn % 2)]
    assert host.daemon.workers()[0] == worker
    host.write()
    host.hang_up()
    assert host.daemon.stop() == 0  # in the midst of it
    assert host.node.run("nft", "list", "ruleset").stdout == ""
    assert not {f"198.51.100.{n}" for n in range(4)} & host.node.addresses()


def test_reload__worker_dies_right_after__the_tables_of_before_go(host):
    while host.shown()[1] != ["evenkeel_instances", "evenkeel_renamed"]:
        host.reload()
    # as it is left by a worker that dies before it comes to that
    host.node.run("nft", "add", "table", "netdev", "evenkeel_web")
    host.daemon.kill_worker()
    rig.wait_until(lambda: host.daemon.ready() and host.shown()[1] == ["evenkeel_instances", "evenkeel_renamed"], 10,
                   "the next worker, and no table but its own", 0.05)
