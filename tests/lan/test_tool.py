# SPDX-License-Identifier: GPL-2.0-or-later
"""keelctl beside the daemon: differences between files are named, history outlives the daemon and can be drawn, journald gets
fields, tables have columns and colours as asked, and the shell completes what the running daemon knows."""
import json
import os
import re
import signal
import subprocess
import xml.etree.ElementTree as tree

import pytest

import cluster
import glass
import rig
import shells

pytestmark = [
    pytest.mark.skipif(os.geteuid() != 0, reason="network namespaces need root"),
    pytest.mark.skipif(not rig.find_program("evenkeeld"), reason="evenkeeld is not built"),
]

NAMES = "members {\n alpha 192.0.2.1\n beta 192.0.2.2\n }"
VIPS = cluster.addresses(9)
JOURNAL = """
import os, socket, sys
os.makedirs("/run/systemd/journal")
journal = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
journal.bind("/run/systemd/journal/socket")
print("ready", flush=True)
while True:
    sys.stdout.buffer.write(journal.recv(65536) + b"\\n")
    sys.stdout.flush()
"""


def settled(system):
    def even():
        loads = [len(d.held()) for d in system.hosts.values() if d.ready()]
        return len(loads) == len(system.hosts) and sum(loads) == len(VIPS) and max(loads) - min(loads) <= 1
    rig.wait_until(even, 30, "both hosts share the addresses", 0.2)


@pytest.fixture(scope="module", name="place")
def _place():
    with rig.Lab(hosts=2) as lab:
        system = cluster.EvenkeelCluster(lab, VIPS, "startup_delay 0", "rebalance_moves all", NAMES)
        for name in system.hosts:
            system.start(name)
        settled(system)
        yield system


# Differences between hosts


def attention_of(daemon, code):
    return [a["text"] for a in daemon.ctl("status")["attention"] if a["code"] == code]


def test_status__vip_missing_in_one_file__named_with_its_member():
    with rig.Lab(hosts=2) as lab:
        system = cluster.EvenkeelCluster(lab, VIPS, "startup_delay 0", NAMES)
        first, second = system.hosts.values()
        grouped = VIPS[:-2] + [f"{{ {VIPS[-2]}/24 192.0.2.99/24 }}"]  # one has another address too, one is missing
        second.write(cluster.pool_text(grouped, "startup_delay 0", NAMES))
        for daemon in (first, second):
            daemon.start()
        first.ready() or rig.wait_until(first.ready, 10, "the daemon answers")
        rig.wait_until(lambda: second.ready() and attention_of(second, "unknown_unit"), 20, "the missing one is told", 0.2)
        assert attention_of(second, "unknown_unit") == [
            f"web: 1 unit that members advertise is not in this host's configuration: {VIPS[-1]} (VRID 59) by alpha (192.0.2.1)"]
        differs = {f"web: one unit is advertised with another list of addresses than this host has: {VIPS[-2]} by {who}"
                   for who in ("alpha (192.0.2.1) without 192.0.2.99", "beta (192.0.2.2) with 192.0.2.99 besides")}
        rig.wait_until(lambda: set(attention_of(first, "address_list") + attention_of(second, "address_list")) & differs,
                       20, "the other list is told by whoever hears it", 0.2)


# History


def entries(daemon):
    return daemon.ctl("events", "--limit", "250")["entries"]


@pytest.mark.parametrize("end", ["kill -9 of the worker", "kill -9 of all", "in order", "reload"])
def test_history__daemon_ends__is_there_afterwards(place, end):
    daemon = place.hosts["h2"]
    settled(place)
    before = entries(daemon)
    if end == "kill -9 of the worker":
        daemon.kill_worker()
    elif end == "reload":
        former = daemon.ctl("status")["daemon"]["config_hash"]
        daemon.write(place.text.replace("startup_delay 0", "startup_delay 0\n    garp_master_delay 4"))
        os.kill(daemon.guard(), signal.SIGHUP)
        rig.wait_until(lambda: (s := daemon.ready()) and s["daemon"]["config_hash"] != former, 15, "the new file is in force")
    elif end == "kill -9 of all":
        daemon.kill()
        daemon.start()
    else:
        daemon.stop()
        daemon.start()
    rig.wait_until(daemon.ready, 15, "the daemon answers again")
    after = {e["sequence"]: e for e in entries(daemon)}
    kept = [e for e in before if e["sequence"] in after]
    assert len(kept) > 20 and all(after[e["sequence"]] == e for e in kept)
    log = daemon.node.read_log("evenkeeld.log")
    assert "history.ring" not in log, "nothing was wrong with the file"
    size = os.path.getsize(os.path.join(daemon.run_dir, "history.ring"))
    assert size == 64 + 1024 * 160


def test_history__file_damaged__one_line_and_the_daemon_runs(place):
    daemon = place.hosts["h2"]
    settled(place)
    daemon.stop()
    with open(os.path.join(daemon.run_dir, "history.ring"), "r+b") as f:
        f.truncate(1000)
    daemon.start()
    rig.wait_until(daemon.ready, 15, "the daemon answers again")
    lines = [l for l in daemon.node.read_log("evenkeeld.log").splitlines() if "history.ring" in l]
    assert len(lines) == 1 and "begun anew" in lines[0]


def test_output__disk_full_or_reader_gone__ends_and_says_so(place):
    tool, run_dir = rig.find_program("keelctl"), place.hosts["h1"].run_dir
    for words in ("status", "list", "events", "snmp", "counters", "history --svg -"):
        with open("/dev/full", "w", encoding="ascii") as full:
            assert subprocess.run([tool, "--run-dir", run_dir, *words.split()], stdout=full, stderr=subprocess.DEVNULL,
                                  timeout=10, check=False).returncode == 74, words
    with subprocess.Popen([tool, "--run-dir", run_dir, "events", "--follow"], stdout=subprocess.PIPE) as follower:
        follower.stdout.readline()
        follower.stdout.close()
        assert follower.wait(10) != 0


def test_events__followed__go_on_over_a_restart(place):
    daemon = place.hosts["h2"]
    settled(place)
    tool = rig.find_program("keelctl")
    follower = daemon.node.spawn(tool, "--run-dir", daemon.run_dir, "--json", "events", "--follow", "--limit", "1", log="follow")

    def texts():
        return [json.loads(line)["text"] for line in daemon.node.read_log("follow").splitlines() if line.startswith("{")]

    rig.wait_until(texts, 10, "the newest event")
    daemon.stop()
    rig.wait_until(lambda: "no evenkeeld answers" in daemon.node.read_log("follow"), 10, "that it is away")
    daemon.start()
    settled(place)
    given = daemon.held()[0]
    assert daemon.keelctl("release", given).returncode == 0
    rig.wait_until(lambda: any(f"({given}): owner beta" in t for t in texts()), 10, "an event of the new daemon")
    assert daemon.node.read_log("follow").count("no evenkeeld answers") == 1
    follower.kill()
    follower.wait()


def test_history__svg__one_file_that_any_reader_takes(place):
    daemon = place.hosts["h1"]
    settled(place)
    path = os.path.join(daemon.node.dir, "history.svg")
    assert daemon.keelctl("history", "--svg", path).returncode == 0
    root = tree.parse(path).getroot()
    space = "{http://www.w3.org/2000/svg}"
    titles = [t.text for t in root.iter(f"{space}title")]
    for vip in VIPS:
        assert any(t.startswith(vip + ": ") for t in titles), vip
    labels = {t.text for t in root.iter(f"{space}text")}
    assert {"alpha", "beta"} <= labels
    one = daemon.keelctl("history", VIPS[0], "--svg", "-").stdout
    assert tree.fromstring(one).find(f"{space}title").text == "Who had which address"
    assert not any(t.text.startswith(VIPS[1] + ": ") for t in tree.fromstring(one).iter(f"{space}title"))
    refused = daemon.keelctl("history", "--svg", "/nonexistent/x.svg")
    assert refused.returncode == 73 and "cannot be written" in refused.stderr


def test_history__timeline__a_line_for_each_address(place):
    settled(place)
    text = place.hosts["h1"].keelctl("history", "--timeline", "--all").stdout
    for vip in VIPS:
        assert re.search(rf"^{re.escape(vip)} +[AB! ]+$", text, re.MULTILINE), text
    assert "A alpha, 192.0.2.1\n" in text
    refused = place.hosts["h1"].keelctl("--json", "history", "--timeline")
    assert refused.returncode == 64 and "--json events" in refused.stderr


# The log


def test_log__under_journald__fields_of_each_change(place, monkeypatch):
    daemon = place.hosts["h2"]
    settled(place)
    daemon.stop()
    journal = daemon.node.spawn("/usr/bin/python3", "-c", JOURNAL, log="journal")
    rig.wait_until(lambda: "ready" in daemon.node.read_log("journal"), 10, "the journal listens")
    log = os.stat(os.path.join(daemon.node.dir, "evenkeeld.log"))
    monkeypatch.setenv("JOURNAL_STREAM", f"{log.st_dev}:{log.st_ino}")
    daemon.start()
    settled(place)
    given = daemon.held()[0]
    assert daemon.keelctl("release", given).returncode == 0

    def records_now():
        return [dict(line.split("=", 1) for line in record.splitlines() if "=" in line)
                for record in daemon.node.read_log("journal").split("\n\n")]

    def handed_over():
        return [r for r in records_now() if r.get("NOTE") == "unit_owner" and r["VIP"] == given
                and r.get("FROM") == "192.0.2.2" and r.get("TO") == "192.0.2.1"]

    rig.wait_until(handed_over, 10, "the journal has the change of owner")
    assert handed_over()[0]["REASON"] == "released" and 0 <= float(handed_over()[0]["GAP_MS"]) < 1000
    records = records_now()
    owners = [r for r in records if r.get("NOTE") == "unit_owner" and r.get("TO") == "192.0.2.2"]
    assert owners
    for record in owners:
        assert record["MESSAGE_ID"] == "06c1a3adc13b434692f079fe0cd48dd6"
        assert record["VIP"] in VIPS and record["VRID"] == record["VIP"].rsplit(".", 1)[1]
        assert record["POOL"] == "web" and record["PRIORITY"] == "5" and record["SYSLOG_IDENTIFIER"] == "evenkeeld"
        assert record["MESSAGE"].startswith(f"web: unit {record['VRID']} ({record['VIP']}): owner ")
    up = [r for r in records if "is up" in r.get("MESSAGE", "")]
    assert up and up[0]["CODE_FILE"].endswith("worker.c") and int(up[0]["CODE_LINE"]) > 0
    daemon.stop()
    journal.kill()
    monkeypatch.delenv("JOURNAL_STREAM")
    daemon.start()
    settled(place)


# Tables


def test_dns__all_addresses_as_records_of_a_zone(place):
    daemon = place.hosts["h1"]
    zone = daemon.keelctl("dns", "www.example.com.").stdout.splitlines()
    assert zone == [f"www.example.com. IN A    {vip}" for vip in VIPS]
    records = json.loads(daemon.keelctl("--json", "dns").stdout)["records"]
    assert len(records) == len(VIPS) and records[0] == dict(name="web", type="A", address=VIPS[0])


def test_table__columns__as_asked_and_wrong_ones_are_told(place):
    daemon = place.hosts["h1"]
    lines = daemon.keelctl("list", "--columns", "vrid,holder", "--no-headings").stdout.splitlines()
    assert len(lines) == len(VIPS) and lines[0].split()[0] == "51" and lines[0].split()[1] in ("alpha", "beta")
    wrong = daemon.keelctl("list", "--columns", "vrid,colour")
    assert wrong.returncode == 64 and "no column 'colour'" in wrong.stderr and "HOLDER-PRIORITY" in wrong.stderr


@pytest.mark.parametrize("when, environment, coloured", [
    ([], {}, True), ([], {"NO_COLOR": "1"}, False), ([], {"TERM": "dumb"}, False), (["--color", "never"], {}, False),
    (["--color=always"], {"NO_COLOR": "1"}, True), (["--color", "auto"], {}, True)])
def test_colour__on_a_terminal__as_asked(place, when, environment, coloured):
    command = [rig.find_program("keelctl"), "--run-dir", place.hosts["h1"].run_dir, *when, "status"]
    with glass.Glass(command, **environment) as terminal:
        assert terminal.wait_end() == 0
        assert (b"\x1b[" in terminal.raw) == coloured


def test_colour__elsewhere__only_when_asked(place):
    daemon = place.hosts["h1"]
    assert "\x1b" not in daemon.keelctl("status").stdout
    assert "\x1b" in daemon.keelctl("--color", "always", "status").stdout
    assert daemon.keelctl("--color", "maybe", "status").returncode == 64


# Completion


@pytest.fixture(scope="module", name="zsh")
def _zsh(tmp_path_factory):
    zsh = shells.Zsh(str(tmp_path_factory.mktemp("zsh"))) if shells.has("zsh") else None
    yield zsh
    if zsh:
        zsh.close()


@pytest.mark.parametrize("shell", shells.SHELLS)
def test_completion__commands_options_and_what_the_daemon_knows(place, zsh, shell):
    if not shells.has(shell):
        pytest.skip(f"{shell} is not installed")

    def offered(*words):
        return shells.complete(shell, zsh, place.hosts["h1"].run_dir, *words)

    commands = {line.split()[0] for line in place.hosts["h1"].keelctl("--help").stdout.splitlines() if re.match("  [a-z]", line)}
    assert len(commands) > 15 and offered("") == commands
    assert offered("wa") == {"watch"}
    assert offered("explain", "192.0.2.5") == set(VIPS)
    assert offered("take", VIPS[0]) == {VIPS[0]}
    assert offered("plan", "--without", "") == {"alpha", "beta", "192.0.2.1", "192.0.2.2"}
    assert offered("plan", "--without", "al") == {"alpha"}
    assert offered("status", "--pool", "") == {"web"}
    assert offered("dump", "") == {"data", "stats", "json"}
    assert offered("--color", "") == {"auto", "always", "never"}
    assert offered("watch", "--i") == {"--interval"}
    assert offered("check", "--str") == {"--strict"}
    assert offered("witness", "--vip-") == {"--vip-file"}
    assert {"--svg", "--timeline", "--limit"} <= offered("history", "--")
    assert {"VRID", "HOLDER", "NEXT"} <= offered("list", "--columns", "")
    assert {c.split(",")[-1] for c in offered("list", "--columns", "VRID,HOLDER-P")} == {"HOLDER-PRIORITY"}
    assert offered("explain", "203.0.113.") == set()
    assert shells.complete(shell, zsh, "/nonexistent", "explain", "") == set(), "no daemon"
