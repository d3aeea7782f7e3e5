# SPDX-License-Identifier: GPL-2.0-or-later
"""Bad options, bad files, a second daemon, bad requests: one clear line, the right exit code, and nothing changes, neither
on the host nor in a daemon that runs there."""
import grp
import json
import os
import re
import socket
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

USAGE, CONFIG, CANNOT_CREATE, TEMPORARY, NO_PERMISSION = 64, 78, 73, 75, 77
NOBODY = 65534
REQUEST_MAX = 65536
VIPS = ["192.0.2.51", "192.0.2.52", "192.0.2.53"]
GOOD = cluster.pool_text(VIPS, "advert_int 0.25")


class Place:
    """h1 runs a daemon; h2 runs none: what must leave a host untouched is tried there."""

    def __init__(self, lab):
        self.lab = lab
        self.running, self.idle = lab.hosts
        self.tester = tester.Tester(lab.witness)
        self.daemon = cluster.Evenkeel(self.running, GOOD).start()
        rig.wait_until(lambda: self.daemon.ready() and len(self.daemon.held()) == len(VIPS), 15, "all units held", 0.05)

    def picture(self, node):
        """Addresses, links and rules: everything of a host that we could touch."""
        rules = re.sub(r" expires \w+|packets \d+ bytes \d+", "", node.run("nft", "list", "ruleset").stdout)
        return (node.run("ip", "-o", "addr").stdout, node.run("ip", "-o", "link").stdout, node.run("ip", "-o", "maddr").stdout,
                rules, node.run("bridge", "fdb").stdout)

    def identity(self):
        status = self.daemon.ask("status")
        units = [(u["vrid"], u["state"], u["holder"], u["priority"], u["pinned_here"], u["level_done"]) for u in
                 status["pools"][0]["units"]]
        return status["daemon"]["config_hash"], units, status["pools"][0]["drained"], self.daemon.pids()

    def assert_speaks(self):
        mark = self.tester.mark()
        for vip in VIPS:
            self.tester.wait_advert(mark, 3, vrid=int(packets.packed(vip)[-1]), priority=253)
        self.tester.wait_advert(mark, 3, is_member=True)


@pytest.fixture(scope="module")
def place():
    with rig.Lab(hosts=2, watchdog_s=120) as lab:
        built = Place(lab)
        try:
            yield built
            assert built.daemon.stop() == 0
        finally:
            built.tester.close()


@pytest.fixture
def unchanged(place):
    """The daemon is the same before and after, and goes on speaking."""
    before, picture = place.identity(), place.picture(place.running)
    yield place
    assert place.identity() == before
    assert place.picture(place.running) == picture
    place.assert_speaks()


def start(node, *options):
    return node.run(rig.find_program("evenkeeld"), *options, check=False, timeout=20, env={**os.environ, "LC_ALL": "C"})


def one_line(text):
    return len(text.strip().splitlines()) == 1


# Options


@pytest.mark.parametrize("options", [
    ["--nonsense"], ["-y"], ["-f"], ["--run-dir"], ["-n", "extra"], ["--log-level", "loud"], ["--log-level", ""],
    ["--log-format", "xml"], ["-f", ""], ["--run-dir", ""], ["--foreground=yes"], ["-t", "file", "extra"], ["--", "-n"], ["--log"],
], ids=" ".join)
def test_options__bad__usage_and_nothing_touched(place, options):
    before = place.picture(place.idle)
    run_dir = os.path.join(place.idle.dir, "options")
    config = os.path.join(place.idle.dir, "good.conf")
    with open(config, "w", encoding="ascii") as out:
        out.write(GOOD)
    done = start(place.idle, "-f", config, "--run-dir", run_dir, *options)
    assert done.returncode == USAGE
    assert done.stdout == "" and done.stderr.startswith("evenkeeld: ") and one_line(done.stderr)
    assert not os.path.exists(run_dir)
    assert place.picture(place.idle) == before


# Files: (text, what the line must name)


BAD_FILES = {
    "empty": ("", "pool"),
    "unknown_keyword": (GOOD.replace("interface", "interfase"), "interface"),
    "unknown_block": ("vrrp_pol web {\n}\n" + GOOD, "vrrp_pool"),
    "no_interface": (GOOD.replace("    interface eth0\n", ""), "interface"),
    "no_addresses": ("vrrp_pool web {\n    interface eth0\n}\n", "virtual_ipaddress"),
    "not_an_address": (GOOD.replace("192.0.2.52/24", "192.0.2.521/24"), "192.0.2.521"),
    "prefix": (GOOD.replace("192.0.2.52/24", "192.0.2.52/33"), "33"),
    "twice_the_same": (GOOD.replace("192.0.2.52/24", "192.0.2.51/24"), "192.0.2.51"),
    "same_vrid": (GOOD.replace("192.0.2.52/24", "192.0.2.52/24 vrid 51"), "51"),
    "vrid_0": (GOOD.replace("192.0.2.52/24", "192.0.2.52/24 vrid 0"), "0"),
    "vrid_256": (GOOD.replace("192.0.2.52/24", "192.0.2.52/24 vrid 256"), "256"),
    "interval_0": (GOOD.replace("advert_int 0.25", "advert_int 0"), "advert_int"),
    "interval_unit": (GOOD.replace("advert_int 0.25", "advert_int 250ms"), "250ms"),
    "interval_too_long": (GOOD.replace("advert_int 0.25", "advert_int 41"), "41"),
    "version_4": (GOOD.replace("advert_int 0.25", "version 4"), "4"),
    "v2_fraction": (GOOD.replace("advert_int 0.25", "advert_int 0.25\n    version 2"), "0.25"),
    "v2_ipv6": (cluster.pool_text(["2001:db8::51"], "version 2"), "version"),
    "mixed_families": (GOOD.replace("192.0.2.52/24", "2001:db8::52/64"), "2001:db8::52"),
    "priority_255": (GOOD.replace("advert_int 0.25", "priority 255"), "255"),
    "unclosed": (GOOD.rstrip().rstrip("}"), "}"),
    "closed_twice": (GOOD + "}\n", "}"),
    "same_pool_twice": (GOOD + GOOD, "web"),
    "long_name": (GOOD.replace("web", "w" * 300), "w"),
    "missing_include": ("include /nowhere/at/all.conf\n" + GOOD, "/nowhere/at/all.conf"),
    "binary": ("\0\1\2\xff" * 100, ""),
    "long_line": ("# fine\nvrrp_pool " + "a" * 200000 + " {\n}\n", ""),
}


@pytest.mark.parametrize("case", BAD_FILES)
def test_file__bad__named_with_its_place_and_nothing_touched(place, case):
    text, word = BAD_FILES[case]
    path, run_dir = os.path.join(place.idle.dir, "bad.conf"), os.path.join(place.idle.dir, "files")
    with open(path, "w", encoding="latin-1") as out:
        out.write(text)
    before = place.picture(place.idle)
    done = start(place.idle, "-n", "-f", path, "--run-dir", run_dir)
    assert done.returncode == CONFIG, done.stderr
    assert re.match(rf"{re.escape(path)}(:\d+:\d+)?: error: ", done.stderr), done.stderr
    assert word in done.stderr and len(max(done.stderr.splitlines(), key=len)) < 700
    assert not os.path.exists(run_dir)
    assert place.picture(place.idle) == before
    checked = start(place.idle, "-t", "-f", path)
    assert (checked.returncode, checked.stderr) == (CONFIG, done.stderr)


@pytest.mark.parametrize("path", ["/nowhere/evenkeel.conf", "/", "/dev/null/x"])
def test_file__unreadable__said_and_nothing_touched(place, path):
    before = place.picture(place.idle)
    done = start(place.idle, "-n", "-f", path, "--run-dir", os.path.join(place.idle.dir, "files"))
    assert done.returncode == CONFIG and path in done.stderr and one_line(done.stderr)
    assert place.picture(place.idle) == before


def test_file__bad_at_reload__refused_and_the_old_one_goes_on(unchanged):
    place = unchanged
    place.daemon.write(BAD_FILES["not_an_address"][0])
    try:
        place.daemon.child.send_signal(1)
        rig.wait_until(lambda: "192.0.2.521" in place.running.read_log("evenkeeld.log"), 5, "the refusal in the log")
        rig.linger(0.3)
        assert place.daemon.running()
    finally:
        place.daemon.write(GOOD)


# A second daemon, and a run directory that cannot be


def test_second_daemon__same_run_dir__refused_and_the_first_goes_on(unchanged):
    place = unchanged
    done = start(place.running, "-n", "-f", place.daemon.config, "--run-dir", place.daemon.run_dir)
    assert done.returncode == TEMPORARY
    assert str(place.daemon.guard()) in done.stderr and place.daemon.run_dir in done.stderr and one_line(done.stderr)


def test_run_dir__cannot_be_made__said_and_nothing_touched(place):
    before = place.picture(place.idle)
    done = start(place.idle, "-n", "-f", place.daemon.config, "--run-dir", "/proc/nowhere/run")
    assert done.returncode == CANNOT_CREATE and "/proc/nowhere" in done.stderr and one_line(done.stderr)
    assert place.picture(place.idle) == before


def test_lock__a_link_in_its_place__refused_and_not_followed(place):
    """The run directory is the worker's; its user could put one there."""
    run_dir, target = os.path.join(place.idle.dir, "linked"), os.path.join(place.idle.dir, "precious")
    os.mkdir(run_dir)
    with open(target, "w", encoding="ascii") as out:
        out.write("keep me\n")
    os.symlink(target, os.path.join(run_dir, "evenkeeld.pid"))
    done = start(place.idle, "-n", "-f", place.daemon.config, "--run-dir", run_dir)
    assert done.returncode == CANNOT_CREATE and run_dir in done.stderr and one_line(done.stderr)
    with open(target, encoding="ascii") as text:
        assert text.read() == "keep me\n"


def test_start__unprivileged__said_and_nothing_touched(place):
    before = place.picture(place.idle)
    done = place.idle.run("setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups", rig.find_program("evenkeeld"),
                          "-n", "-f", place.daemon.config, "--run-dir", "/tmp/nowhere-of-nobody", check=False)
    assert done.returncode == NO_PERMISSION and "CAP_NET_ADMIN" in done.stderr and one_line(done.stderr)
    assert place.picture(place.idle) == before


# Requests


def as_user(place, user):
    """A connection to the control socket; the peer's credentials are those of this moment."""
    client = socket.socket(socket.AF_UNIX)
    client.settimeout(10)
    path = os.path.join(place.daemon.run_dir, "control.sock")
    groups = os.getgroups()
    if user:
        os.setgroups([])
        os.setegid(user)
        os.seteuid(user)
    try:
        client.connect(path)
    finally:
        if user:
            os.seteuid(0)
            os.setegid(0)
            os.setgroups(groups)
    return client


def answers(client, raw):
    """All answers to raw bytes, until the daemon closes or, after our own end, has said everything."""
    try:
        client.sendall(raw)
        client.shutdown(socket.SHUT_WR)
    except (BrokenPipeError, ConnectionResetError, OSError):
        pass  # it has heard enough
    received = b""
    try:
        while piece := client.recv(65536):
            received += piece
    except ConnectionResetError:
        pass
    client.close()
    return [json.loads(line) for line in received.decode("utf-8").splitlines()]


def request(**fields):
    return json.dumps(fields).encode() + b"\n"


GARBAGE = {
    "binary": bytes(range(256)) + b"\n", "zeros": bytes(1000) + b"\n", "text": b"status\n", "number": b"12\n", "array": b"[]\n",
    "string": b'"status"\n', "null": b"null\n", "open": b'{"command":"status"\n', "two": b'{"command":"status"}{}\n',
    "nothing": b"\n", "no_command": b"{}\n", "command_number": b'{"command":7}\n', "command_array": b'{"command":["status"]}\n',
    "duplicate": b'{"command":"status","command":"drain"}\n', "bad_utf8": b'{"command":"\xff\xfe"}\n',
    "nul_inside": b'{"command":"sta\\u0000tus"}\n', "deep": b"[" * 20000 + b"]" * 20000 + b"\n",
    "huge": b'{"command":"' + b"a" * (REQUEST_MAX + 1000) + b'"}\n', "endless": b"x" * (1 << 20),
    "http": b"GET /status HTTP/1.1\r\nHost: localhost\r\n\r\n",
}
WRONG = {  # well-formed, but no: (request, error code)
    "unknown": (dict(command="reboot"), "unknown_command"),
    "empty": (dict(command=""), "unknown_command"),
    "case": (dict(command="Status"), "unknown_command"),
    "field": (dict(command="status", pol="web"), "bad_request"),
    "other_field": (dict(command="status", unit="192.0.2.51"), "bad_request"),
    "pool": (dict(command="status", pool="nosuch"), "unknown_pool"),
    "pool_number": (dict(command="status", pool=1), "bad_request"),
    "pool_object": (dict(command="drain", pool={}), "bad_request"),
    "pool_null": (dict(command="drain", pool=None), "bad_request"),
    "unit": (dict(command="take", unit="192.0.2.99"), "unknown_unit"),
    "unit_missing": (dict(command="take"), "bad_request"),
    "unit_object": (dict(command="take", unit={"vrid": 51}), "bad_request"),
    "unit_0": (dict(command="take", unit=0), "bad_request"),
    "unit_negative": (dict(command="release", unit=-1), "bad_request"),
    "unit_real": (dict(command="take", unit=51.0), "bad_request"),
    "unit_big": (dict(command="take", unit=51 + 256), "bad_request"),
    "unit_bigger": (dict(command="take", unit=2**40 + 51), "bad_request"),
    "unit_text": (dict(command="take", unit="51 "), "unknown_unit"),
    "unit_hex": (dict(command="take", unit="0x33"), "unknown_unit"),
    "unit_long": (dict(command="take", unit="5" * 5000), "unknown_unit"),
    "now": (dict(command="drain", now="yes"), "bad_request"),
    "now_number": (dict(command="drain", now=1), "bad_request"),
    "limit": (dict(command="events", limit=0), "bad_request"),
    "limit_big": (dict(command="events", limit=251), "bad_request"),
    "limit_negative": (dict(command="history", limit=-5), "bad_request"),
    "after": (dict(command="events", after="x"), "bad_request"),
    "after_negative": (dict(command="events", after=-1), "bad_request"),
    "hash": (dict(command="check-hash", hash="xyz"), "bad_request"),
    "hash_missing": (dict(command="check-hash"), "bad_request"),
    "with_share": ({"command": "plan", "with": [{"member": "192.0.2.9", "share": 255}]}, "bad_request"),
    "with_text": ({"command": "plan", "with": "192.0.2.9"}, "bad_request"),
    "with_many": ({"command": "plan", "with": [{"member": f"10.0.{i // 250}.{i % 250 + 1}"} for i in range(1000)]}, "bad_request"),
    "without": (dict(command="plan", without=["192.0.2.77"]), "unknown_member"),
    "without_number": (dict(command="plan", without=[1]), "bad_request"),
}
CHANGES = [dict(command="take", unit="192.0.2.51"), dict(command="release", unit=51), dict(command="drain"),
           dict(command="drain", now=True), dict(command="undrain"), dict(command="rebalance")]


@pytest.mark.parametrize("user", [0, NOBODY], ids=["root", "nobody"])
def test_request__garbage__one_error_and_closed(unchanged, user):
    for name, raw in GARBAGE.items():
        got = answers(as_user(unchanged, user), raw + request(command="members"))
        assert [a["error"]["code"] for a in got] == ["bad_request"], name
        assert len(json.dumps(got)) < 400, name


@pytest.mark.parametrize("user", [0, NOBODY], ids=["root", "nobody"])
def test_request__wrong__named_and_the_connection_goes_on(unchanged, user):
    for name, (fields, code) in WRONG.items():
        got = answers(as_user(unchanged, user), request(**fields) + request(command="members"))
        assert len(got) == 2 and "pools" in got[1], name
        denied = user and fields["command"] in ("take", "release", "drain") and got[0]["error"]["code"] == "denied"
        assert denied or got[0]["error"]["code"] == code, (name, got[0])
        assert len(got[0]["error"]["text"]) < 200


def test_request__change_by_a_stranger__denied(unchanged):
    for fields in CHANGES:
        got = answers(as_user(unchanged, NOBODY), request(**fields))
        assert [a["error"]["code"] for a in got] == ["denied"], fields
    assert answers(as_user(unchanged, NOBODY), request(command="status"))[0]["pools"]


@pytest.mark.parametrize("words, code", [
    (["nonsense"], USAGE), ([], USAGE), (["take"], USAGE), (["take", "192.0.2.99"], USAGE), (["explain", "what"], USAGE),
    (["status", "extra"], USAGE), (["--nonsense"], USAGE), (["members", "--pool", "nosuch"], USAGE),
    (["plan", "--without", "nobody"], USAGE), (["plan", "--with", "192.0.2.9=999"], USAGE), (["drain", "--timeout", "x"], USAGE),
    (["release", "192.0.2.51"], TEMPORARY),
], ids=lambda value: " ".join(value) or "no words" if isinstance(value, list) else None)
def test_keelctl__bad__one_line_and_its_code(unchanged, words, code):
    done = unchanged.daemon.keelctl(*words)
    assert done.returncode == code, done.stderr
    assert done.stdout == "" and done.stderr.startswith("keelctl: ")
    lines = done.stderr.splitlines()
    assert len(lines) == 1 or lines[1].startswith("Did you mean ")


def test_keelctl__nobody__may_look_but_not_touch(unchanged):
    place = unchanged
    user = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups", rig.find_program("keelctl"), "--run-dir",
            place.daemon.run_dir]
    assert place.running.run(*user, "status").returncode == 0
    done = place.running.run(*user, "drain", "--now", check=False)
    assert done.returncode == NO_PERMISSION and one_line(done.stderr)


def test_flood__of_requests_and_connections__adverts_go_on(unchanged):
    clients = [as_user(unchanged, NOBODY) for _ in range(60)]
    for client in clients:
        client.setblocking(False)
    mark, begun = unchanged.tester.mark(), time.monotonic()
    while time.monotonic() - begun < 2:
        for client in clients:
            try:
                client.send(request(command="status") * 50)
            except (BlockingIOError, BrokenPipeError, ConnectionResetError):
                continue
    heard = unchanged.tester.adverts(mark, is_member=True)
    assert len(heard) >= 4, "a member's voice every quarter of a second"
    assert not unchanged.tester.adverts(mark, priority=0)
    for client in clients:
        client.close()
    rig.wait_until(lambda: unchanged.daemon.ready(), 15, "the socket to be free again")
    assert unchanged.daemon.ask("counters")["pools"][0]["counters"]["stalls"] == 0


def test_requests__all_of_it__counted(place):
    before = place.daemon.ask("counters")["daemon"]
    answers(as_user(place, NOBODY), request(command="drain"))
    answers(as_user(place, NOBODY), b"garbage\n")
    answers(as_user(place, NOBODY), request(command="nonsense"))
    after = place.daemon.ask("counters")["daemon"]
    assert after["control_denied"] - before["control_denied"] == 1
    assert after["control_refused"] - before["control_refused"] == 2


def test_group_evenkeel__if_it_is_there__is_the_only_other_key():
    """Nothing here may pass because the tests' unprivileged user happens to be in the group."""
    try:
        members = grp.getgrnam("evenkeel").gr_mem
    except KeyError:
        return
    assert "nobody" not in members
