# SPDX-License-Identifier: GPL-2.0-or-later
"""evenkeel-exporter on a live LAN: its metrics are what the daemon says, read by OpenMetrics' reference parser and by promtool;
limits and refusals of the HTTP server; a daemon that goes away, hangs, comes back, or answers nonsense."""
import contextlib
import os
import socket
import subprocess
import time

import pytest

import cluster
import exporter_peers
import rig
import tester

pytest.importorskip("prometheus_client", reason="python3-prometheus-client is not installed")
pytestmark = [
    pytest.mark.skipif(os.geteuid() != 0, reason="network namespaces need root"),
    pytest.mark.skipif(not rig.find_program("evenkeeld"), reason="evenkeeld is not built"),
]

TEXT = (cluster.pool_text(cluster.addresses(6) + ["{ 192.0.2.70/24 2001:db8:0::70/64 }"], "members { alpha 192.0.2.1 }")
        + cluster.pool_text(cluster.addresses(2, 6), name="six"))


class Site:
    """Hosts with their daemons, and the exporter on the first."""

    def __init__(self, lab):
        self.lab, self.system = lab, cluster.EvenkeelCluster(lab, [], text=TEXT)
        for name in self.system.hosts:
            self.system.start(name)
        self.daemon = self.system.hosts["h1"]
        rig.wait_until(self.settled, 30, "every unit held", 0.2)
        self.unix = os.path.join(lab.hosts[0].dir, "exporter.sock")
        self.exporter = exporter_peers.Exporter(lab.hosts[0], self.daemon.run_dir, "--listen",
                                                f"127.0.0.1:{exporter_peers.PORT}", "--unix", self.unix).start()

    def settled(self):
        status = self.daemon.ready()
        return status and all(len(p["members"]) == len(self.lab.hosts) for p in status["pools"]) and \
            all(m["state"] == "active" for p in status["pools"] for m in p["members"]) and \
            all(u["holder_kind"] in ("self", "member") and not u["planned"] for p in status["pools"] for u in p["units"])


@pytest.fixture(scope="module")
def site():
    with rig.Lab(hosts=2, watchdog_s=240) as lab:
        yield Site(lab)


def labelled(**labels):
    return frozenset(labels.items())


def test_metrics__live_lan__what_the_daemon_says(site):
    rig.pace(1.1)  # answers are a second old at most
    samples, status, counters = site.exporter.samples(), site.daemon.ask("status"), site.daemon.ask("counters")
    assert samples["evenkeel_up", labelled()] == 1
    assert samples["evenkeel_configuration_info", labelled(hash=status["daemon"]["config_hash"])] == 1
    for pool in status["pools"]:
        name = pool["name"]
        for holder in ("self", "member", "stranger", "none"):
            count = sum(u["holder_kind"] == holder for u in pool["units"])
            assert samples["evenkeel_units", labelled(pool=name, holder=holder)] == count
        for member in pool["members"]:
            who = dict(pool=name, member=member["name"] or member["address"], address=member["address"])
            assert samples["evenkeel_member_load", labelled(**who)] == member["load"]
            assert samples["evenkeel_member_fair_share", labelled(**who)] == len(pool["units"]) / 2
            assert samples["evenkeel_member_state", labelled(**who, evenkeel_member_state=member["state"])] == 1
        mode = pool["filter"]["in_force"]
        assert samples["evenkeel_filter", labelled(pool=name, evenkeel_filter=mode)] == 1
    for pool, own in zip(status["pools"], counters["pools"]):
        assert sum(own["owner_changes"].values()) >= len(own["units"])
        for cause, count in own["owner_changes"].items():
            assert samples["evenkeel_owner_changes_total", labelled(pool=pool["name"], cause=cause)] == count
        assert samples["evenkeel_owner_gap_seconds_count", labelled(pool=pool["name"])] == sum(own["owner_gaps"]["counts"])
        for unit, counted in zip(pool["units"], own["units"]):
            where = labelled(pool=pool["name"], vrid=str(unit["vrid"]), address=counted["address"])
            assert samples["evenkeel_unit_answering", where] == (unit["level_done"] == "answering")
            assert samples["evenkeel_unit_became_active_total", where] == counted["became_active"]
    reasons = {dict(l)["reason"] for n, l in samples if n == "evenkeel_packets_refused_total"}
    assert reasons == set(counters["links"][0]["refused"])


def test_daemon_counters__every_one__is_a_metric(site):
    counters, samples = site.daemon.ask("counters"), {name for name, _ in site.exporter.samples()}
    missing = {f"evenkeel_{name}_total" for name in counters["daemon"]} - samples
    assert missing == {"evenkeel_loop_late_max_us_total", "evenkeel_address_conflicts_total"}  # in seconds; per pool
    assert {"evenkeel_loop_late_max_seconds", "evenkeel_conflicts_total"} <= samples


def test_formats__by_accept__both_valid(site):
    plain = site.exporter.ask("/metrics", headers={"Accept": "text/plain"})
    assert plain.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
    open_type = "application/openmetrics-text; version=1.0.0; charset=utf-8"
    assert site.exporter.ask("/metrics").headers["Content-Type"] == open_type
    assert site.exporter.ask("/metrics", headers={"Accept": "*/*"}).body.endswith("\n# EOF\n")
    both = "application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5"
    assert site.exporter.ask("/metrics", headers={"Accept": both}).headers["Content-Type"] == open_type
    if not os.access(exporter_peers.PROMTOOL, os.X_OK):
        pytest.skip("promtool is not installed (prometheus)")
    done = subprocess.run([exporter_peers.PROMTOOL, "check", "metrics"], input=plain.body, capture_output=True, text=True,
                          check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_process__started_as_root__keeps_no_rights(site):
    with open(f"/proc/{site.exporter.child.pid}/status", encoding="ascii") as f:
        fields = dict(line.split(":\t", 1) for line in f.read().splitlines())
    assert "0" not in fields["Uid"].split()
    assert int(fields["CapEff"], 16) == 0 and int(fields["CapPrm"], 16) == 0
    assert fields["NoNewPrivs"] == "1"


def test_http__what_is_no_reading_of_a_page__refused_and_counted(site):
    ask, before = site.exporter.ask, site.exporter.value("evenkeel_exporter_requests_refused_total")
    assert ask("/", "DELETE").status == 405
    assert ask("/", "POST").headers["Allow"] == "GET, HEAD"
    assert ask("/../../etc/passwd").status == 404
    assert ask("/metrics", headers={"Host": "evil.example"}).status == 421
    assert site.exporter.value("evenkeel_exporter_requests_refused_total") == before + 4
    assert ask("/", "POST", body="x" * 100).status == 413
    assert ask("/", headers={"X": "x" * 20000}).status in (400, 413)
    head, get = ask("/", "HEAD"), ask("/")
    assert (head.status, head.body) == (200, "")
    assert head.headers["Content-Length"] == get.headers["Content-Length"] == str(len(get.body.encode()))


def test_http__every_answer__forbids_keeping_and_foreign_content(site):
    for path in ("/", "/metrics", "/status.json", "/nothing"):
        headers = site.exporter.ask(path).headers
        assert headers["Cache-Control"] == "no-store"
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Content-Security-Policy"].startswith("default-src 'none'")
        assert "unsafe" not in headers["Content-Security-Policy"]
    policies = {site.exporter.ask("/").headers["Content-Security-Policy"] for _ in range(3)}
    assert len(policies) == 3  # a nonce is used once


def test_unix_socket__any_name__served(site):
    assert site.exporter.ask("/status.json", unix=site.unix, headers={"Host": "evenkeel"}).status == 200


def open_connection(site):
    connection = tester.socket_inside(site.lab.hosts[0], socket.AF_INET, socket.SOCK_STREAM)
    connection.settimeout(5)
    connection.connect(("127.0.0.1", exporter_peers.PORT))
    return connection


def test_http__more_connections_than_allowed__the_oldest_make_room(site):
    before = site.exporter.value("evenkeel_exporter_connections_dropped_total")
    idle = [open_connection(site) for _ in range(100)]
    try:
        assert site.exporter.value("evenkeel_exporter_connections_dropped_total") - before >= 36
        assert idle[0].recv(1) == b""
        assert len(os.listdir(f"/proc/{site.exporter.child.pid}/fd")) < 64 + 20
    finally:
        for connection in idle:
            connection.close()


def test_http__request_that_drips_in__cut_off(site):
    connection, started = open_connection(site), time.monotonic()
    with pytest.raises(OSError):
        for byte in b"GET / HTTP/1.1\r\n" + b"X: y\r\n" * 1000:
            connection.send(bytes([byte]))
            connection.settimeout(0.3)
            try:
                if connection.recv(1) == b"":
                    raise ConnectionResetError
            except TimeoutError:
                assert time.monotonic() - started < 30
    assert time.monotonic() - started > 5  # it is not the pause between bytes that ended it


NO_REQUESTS = {
    "10,000 header lines": b"GET / HTTP/1.1\r\n" + b"X: y\r\n" * 10000 + b"\r\n",
    "a header without end": b"GET / HTTP/1.1\r\nX: " + b"a" * 30000,
    "bytes": bytes(range(128, 256)) * 30,
    "HTTP/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "a body in pieces": b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nffffffff\r\n" + b"a" * 1000,
    "a negative length": b"POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
    "half a request": b"GET /metr",
}


def rest_of(connection):
    text = b""
    try:
        while piece := connection.recv(65536):
            text += piece
    except ConnectionResetError:
        pass
    return text


def test_http__what_is_no_request__dropped_and_counted_while_others_are_served(site):
    before = site.exporter.value("evenkeel_exporter_connections_unread_total")
    for name, data in NO_REQUESTS.items():
        with open_connection(site) as connection:
            with contextlib.suppress(OSError):
                connection.sendall(data)
                connection.shutdown(socket.SHUT_WR)
            text = rest_of(connection)
            assert text == b"" or text.startswith(b"HTTP/1.1 4"), (name, text[:80])
        assert site.exporter.ask("/").status == 200
    rig.wait_until(lambda: site.exporter.value("evenkeel_exporter_connections_unread_total") == before + len(NO_REQUESTS), 5,
                   "each is counted once", 0.3)


def test_http__more_behind_the_request__one_answer_and_closed(site):
    for more in (b"GET / HTTP/1.1\r\n\r\n" * 500, bytes(range(128, 256)) * 30):
        with open_connection(site) as connection:
            connection.sendall(b"GET /status.json HTTP/1.1\r\nHost: localhost\r\n\r\n" + more)
            assert rest_of(connection).count(b"HTTP/1.1 ") == 1


def test_exporter__started_anew__gaps_are_still_known(site):
    name = "evenkeel_owner_gap_seconds_count"
    before = site.exporter.value(name, pool="web")
    assert site.exporter.stop() == 0
    site.exporter.start()
    assert site.exporter.value(name, pool="web") == before


def test_member_crashes__changes_counted_by_their_cause(site):
    value, h2 = site.exporter.value, site.system.hosts["h2"]
    cause = dict(pool="web", cause="member_dead")
    before, gaps = value("evenkeel_owner_changes_total", **cause), value("evenkeel_owner_gap_seconds_count", pool="web")
    lost = value("evenkeel_units", pool="web", holder="member")
    assert lost > 0
    h2.kill()
    rig.wait_until(lambda: value("evenkeel_units", pool="web", holder="self") == 7, 15, "all units on h1", 0.3)
    assert value("evenkeel_owner_changes_total", **cause) == before + lost
    assert value("evenkeel_owner_gap_seconds_count", pool="web") == gaps + lost
    assert value("evenkeel_attention", pool="web", code="member_dead") == 1
    assert value("evenkeel_member_fair_share", pool="web", member="192.0.2.2") == 0
    h2.start()
    rig.wait_until(site.settled, 40, "every unit held again", 0.3)


def in_time(site, deadline_s=5):
    started = time.monotonic()
    value = site.exporter.value("evenkeel_up")
    assert time.monotonic() - started < deadline_s
    return value


def test_daemon__hangs__said_in_time_and_found_again(site):
    pids = site.daemon.pids()
    rig.pause(pids)
    try:
        rig.wait_until(lambda: in_time(site) == 0, 5, "evenkeel_up 0", 0.2)
        assert site.exporter.value("evenkeel_units") is None
        answer = site.exporter.ask("/status.json")
        assert answer.status == 503 and "in time" in site.exporter.status()["error"]
    finally:
        rig.resume(pids)
    rig.wait_until(lambda: in_time(site) == 1, 10, "evenkeel_up 1", 0.2)


def test_daemon__killed_and_started__said_and_found_again(site):
    site.daemon.kill()
    rig.wait_until(lambda: in_time(site) == 0, 5, "evenkeel_up 0", 0.2)
    assert site.exporter.status()["up"] is False
    site.daemon.start()
    rig.wait_until(lambda: in_time(site) == 1, 15, "evenkeel_up 1", 0.2)
    log = site.lab.hosts[0].read_log("exporter.log")
    assert log.count("does not answer") < 10  # said when it changes


def test_exporter__called_wrongly_or_port_taken__says_so(site):
    def run(*words):
        return site.lab.hosts[0].run(rig.find_program("evenkeel-exporter"), *words, check=False, timeout=5)

    done = run("--listen", "localhost:9568")
    assert done.returncode == 64 and "ADDRESS:PORT" in done.stderr
    assert run("nonsense").returncode == 64
    done = run("--listen", f"127.0.0.1:{exporter_peers.PORT}")
    assert done.returncode == 71 and "Address already in use" in done.stderr
    done = run("--unix", site.unix)
    assert done.returncode == 71 and "Address already in use" in done.stderr
    assert site.exporter.ask("/", unix=site.unix).status == 200  # the socket in use was left alone


def test_exporter__terminated__exits_0(site):
    assert site.exporter.stop() == 0


# A daemon that is none.

STATUS = {"schema": "evenkeel/1", "time": "2026-01-01T00:00:00.000Z", "daemon": {"version": "1", "config_hash": "00"},
          "attention": [], "pools": [], "instances": []}


@pytest.fixture
def fake(site):
    """A FakeDaemon with an exporter of its own; what it answers is set by the test."""
    if site.exporter.child.poll() is None:
        site.exporter.stop()
    run_dir = os.path.join(site.lab.hosts[1].dir, "fake")
    daemon = exporter_peers.FakeDaemon(run_dir, lambda request: exporter_peers.line(STATUS))
    daemon.exporter = exporter_peers.Exporter(site.lab.hosts[0], run_dir).start()
    yield daemon
    assert daemon.exporter.stop() == 0
    daemon.close()


def test_scrapes__many_at_once__one_question_of_each_kind_a_second(fake):
    started = time.monotonic()
    for _ in range(40):
        assert fake.exporter.value("evenkeel_up") == 1
    seconds = time.monotonic() - started
    for command in ("status", "counters"):
        assert 1 <= sum(r["command"] == command for r in fake.requests) <= seconds + 1
    assert len(fake.requests) <= 2 * (seconds + 1)


@pytest.mark.parametrize("data", [
    b"", b"nonsense\n", b"[]\n", b"null\n", b"{}\n", b'{"error":{"code":"busy","text":"too many clients"}}\n',
    b'{"error":7}\n', b'{"pools":3,"daemon":{}}\n', b"\xff\xfe\n", b"[" * 5000 + b"\n", b'{"pools":[' + b" " * 100000,
    None, b"x" * (17 << 20), [b" "] * 60], ids=lambda d: "nothing" if d is None else repr(d[:24]))
def test_daemon__answers_nonsense__up_is_0_and_the_reason_told(fake, data):
    fake.reply = lambda request: data
    started = time.monotonic()
    answer = fake.exporter.ask("/status.json")
    assert answer.status == 503 and fake.exporter.status()["error"]
    assert fake.exporter.value("evenkeel_up") == 0
    assert time.monotonic() - started < 10
    fake.reply = lambda request: exporter_peers.line({**STATUS, "entries": []})
    rig.wait_until(lambda: fake.exporter.value("evenkeel_up") == 1, 10, "the daemon found again", 0.2)


def test_daemon__too_large_for_one_answer__asked_pool_by_pool(fake):
    def reply(request):
        if "pool" not in request and request["command"] == "status":
            return exporter_peers.line({"error": {"code": "too_large", "text": "", "pools": ["a", "b"]}})
        pool = {"name": request.get("pool", "x"), "members": [], "units": [{"vrid": 1, "holder_kind": "none"}]}
        return exporter_peers.line({**STATUS, "pools": [pool], "entries": [],
                                    "attention": [{"pool": pool["name"], "code": "unowned", "severity": "alarm", "text": ""}]})

    fake.reply = reply
    assert fake.exporter.value("evenkeel_units", holder="none") == 2
    assert fake.exporter.value("evenkeel_attention", code="unowned") == 2
