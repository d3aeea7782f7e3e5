# SPDX-License-Identifier: GPL-2.0-or-later
"""conf/prometheus and conf/grafana: the alert rules by promtool, and rules and dashboard against a real Prometheus that scrapes a
real pool, where every query must find what it asks for."""
import json
import os
import re
import subprocess

import pytest

import cluster
import exporter_peers
import rig

pytestmark = pytest.mark.skipif(not os.access(exporter_peers.PROMTOOL, os.X_OK), reason="prometheus is not installed")
needs_lan = pytest.mark.skipif(os.geteuid() != 0 or not rig.find_program("evenkeeld"), reason="needs root and evenkeeld")

RULES = os.path.join(rig.SOURCE_DIR, "conf", "prometheus", "evenkeel.rules.yml")
RULE_TESTS = os.path.join(rig.SOURCE_DIR, "tests", "prometheus", "rules_test.yml")
DASHBOARD = os.path.join(rig.SOURCE_DIR, "conf", "grafana", "evenkeel.json")
METRICS_DOC = os.path.join(rig.SOURCE_DIR, "doc", "metrics.md")
NAME = re.compile(r"\bevenkeel_[a-z_]+")


def read(path):
    with open(path, encoding="utf-8") as f:
        return f.read()


def promtool(*words):
    return subprocess.run([exporter_peers.PROMTOOL, *words], capture_output=True, text=True, check=False, timeout=60)


def queries():
    """(panel, query) for every query of the dashboard, with Grafana's variables as Grafana would fill them in for "All"."""
    found = []
    for panel in json.loads(read(DASHBOARD))["panels"]:
        for target in panel["targets"]:
            text = target["expr"].replace("$job", ".+").replace("$pool", ".+").replace("$__rate_interval", "1m")
            assert "$" not in text
            found.append((panel["title"], text))
    return found


def test_rules__promtool__valid_and_each_fires_when_it_should():
    checked, tested = promtool("check", "rules", RULES), promtool("test", "rules", RULE_TESTS)
    assert checked.returncode == 0, checked.stdout + checked.stderr
    assert tested.returncode == 0, tested.stdout + tested.stderr


def test_rules__every_alert__is_in_the_unit_tests():
    alerts, tests = set(re.findall(r"alert: (\w+)", read(RULES))), read(RULE_TESTS)
    assert len(alerts) >= 8
    assert {a for a in alerts if a not in tests} == set()


def documented():
    """The samples' names of every metric that doc/metrics.md has (test_exporter holds that it has all, and no other)."""
    suffixes = {"counter": ["_total"], "info": ["_info"], "histogram": ["_bucket", "_sum", "_count"]}
    rows = re.findall(r"^\| `(evenkeel_\w+)` \| (\w+)", read(METRICS_DOC), re.M)
    return {name + suffix for name, kind in rows for suffix in suffixes.get(kind, [""])}


def test_rules_and_dashboard__every_metric__exists():
    in_rules = {n for e in re.findall(r"expr: (.*?)\n\s+(?:for|labels):", read(RULES), re.S) for n in NAME.findall(e)}
    in_dashboard = {n for _, text in queries() for n in NAME.findall(text)}
    assert len(in_rules) > 8 and len(in_dashboard) > 15
    labels = {"evenkeel_member_state", "evenkeel_filter"}
    assert (in_rules | in_dashboard) - documented() - labels == set()


def test_dashboard__panels__whole_and_beside_each_other():
    dashboard = json.loads(read(DASHBOARD))
    cells = [(x, y) for p in dashboard["panels"] for g in [p["gridPos"]]
             for x in range(g["x"], g["x"] + g["w"]) for y in range(g["y"], g["y"] + g["h"])]
    assert len(cells) == len(set(cells)) and max(x for x, _ in cells) < 24
    assert len({p["id"] for p in dashboard["panels"]}) == len(dashboard["panels"])
    assert {p["datasource"]["uid"] for p in dashboard["panels"]} == {"${datasource}"}


INSTANCES = """vrrp_script true {
    script "/bin/true"
    interval 1
    weight 1
}
vrrp_track_file number {
    file /proc/sys/net/ipv4/tcp_sack
    weight 1
}
vrrp_sync_group ALONE {
    group {
        V1
    }
}
vrrp_instance V1 {
    interface eth0
    virtual_router_id 91
    version 3
    advert_int 0.2
    track_script {
        true
    }
    track_file {
        number
    }
    virtual_ipaddress {
        192.0.2.91/24
    }
}
"""


class Site:
    def __init__(self, lab):
        self.system = cluster.EvenkeelCluster(lab, [], text=INSTANCES + cluster.pool_text(cluster.addresses(5)))
        for name in self.system.hosts:
            self.system.start(name)
        self.daemon = self.system.hosts["h1"]
        rig.wait_until(self.settled, 30, "every unit held", 0.2)
        self.exporter = exporter_peers.Exporter(lab.hosts[0], self.daemon.run_dir).start()
        at_once = lambda text: re.sub(r"for: \w+", "for: 0s", text)
        self.prometheus = exporter_peers.Prometheus(lab.hosts[0], RULES, at_once).start()

    def settled(self):
        status = self.daemon.ready()
        return status and len(status["pools"][0]["members"]) == 2 and \
            all(u["holder_kind"] in ("self", "member") for u in status["pools"][0]["units"])


@pytest.fixture(scope="module")
def site():
    with rig.Lab(hosts=2, watchdog_s=240) as lab:
        yield Site(lab)


@needs_lan
def test_prometheus__scrapes__without_error(site):
    target = site.prometheus.target()
    assert target["health"] == "up" and target["lastError"] == ""
    names = {s["metric"]["__name__"] for s in site.prometheus.query('{__name__=~"evenkeel_.+"}')}
    assert documented() - names == set()


@needs_lan
def test_dashboard__every_query__finds_something(site):
    """A query that is none raises; those that only show what is wrong ("> 0") may find nothing."""
    def empty():
        return [(title, text) for title, text in queries() if site.prometheus.query(text) == [] and not text.endswith("> 0")]

    rig.wait_until(lambda: not empty(), 20, f"data for every panel: {empty()}", 0.5)  # a rate needs two scrapes


@needs_lan
def test_alerts__hosts_fail__those_alerts_and_no_others(site):
    lasting = lambda: site.prometheus.firing() - {"EvenkeelNobodyAnswers", "EvenkeelInstanceNobodyAnswers"}  # one is scraped
    rig.wait_until(lambda: lasting() == set(), 20, "no alert", 0.5)
    site.system.hosts["h2"].kill()
    rig.wait_until(lambda: lasting() == {"EvenkeelMemberDead"}, 30, "EvenkeelMemberDead and no other", 0.5)
    site.daemon.kill()
    rig.wait_until(lambda: "EvenkeelDaemonDown" in lasting(), 30, "EvenkeelDaemonDown", 0.5)
    assert site.prometheus.target()["health"] == "up"
