# SPDX-License-Identifier: GPL-2.0-or-later
"""Every command's JSON, of a daemon with a pool, instances and a group, against the schemas of doc/, by a validator that is not
ours (the unit tests' own knows only the part of JSON Schema that the schemas use)."""
import json
import os

import pytest

import cluster
import keepalived
import rig

jsonschema = pytest.importorskip("jsonschema")

pytestmark = [
    pytest.mark.skipif(os.geteuid() != 0, reason="network namespaces need root"),
    pytest.mark.skipif(not rig.find_program("evenkeeld"), reason="evenkeeld is not built"),
]

VIPS = cluster.addresses(4)
INSTANCES = """
vrrp_track_file switch {
    file %s/switch
}
""" + keepalived.instance(1, "192.0.2.201", 201, 150, version=3, extra=["track_file {", "switch weight 0", "}"]) + \
    keepalived.instance(2, "192.0.2.202", 202, 150, version=3) + "vrrp_sync_group G {\n group {\n v1\n v2\n }\n}\n"
DOC = os.path.join(rig.SOURCE_DIR, "doc")
FILES = ("control.schema.json", "status.schema.json", "keelctl.schema.json")


def load(name):
    with open(os.path.join(DOC, name), encoding="utf-8") as f:
        return json.load(f)


SCHEMAS = {name: load(name) for name in FILES}


def check(answer, file, definition=None):
    schema = {"$ref": f"{file}#" + (f"/$defs/{definition}" if definition else "")}
    resolver = jsonschema.RefResolver("", schema, store=SCHEMAS)
    jsonschema.Draft202012Validator(schema, resolver=resolver).validate(answer)


@pytest.fixture(scope="module", name="place")
def _place():
    with rig.Lab(hosts=3, watchdog_s=120) as lab:
        system = cluster.EvenkeelCluster(lab, VIPS, "startup_delay 0", "rebalance_moves all")
        daemons = list(system.hosts.values())[:2]
        for daemon in daemons:
            daemon.write(system.text + INSTANCES % daemon.node.dir)
            daemon.start()
        stranger = keepalived.Keepalived(lab.hosts[2], keepalived.instance(9, VIPS[0], 51, 254, version=3)).start()
        rig.wait_until(lambda: all((s := d.ready()) and any(a["code"] == "stranger" for a in s["attention"]) and
                                   len(s["pools"][0]["members"]) == 2 for d in daemons), 30,
                       "two members and a stranger", 0.2)
        yield system
        stranger.kill()


@pytest.mark.parametrize("file", FILES)
def test_schema__itself__valid(file):
    jsonschema.Draft202012Validator.check_schema(SCHEMAS[file])


@pytest.mark.parametrize("trouble", [False, True], ids=["well", "in fault and drained"])
def test_json__every_command__valid(place, trouble):
    daemon = place.hosts["h1"]
    if trouble:
        with open(os.path.join(daemon.node.dir, "switch"), "w", encoding="ascii") as f:
            f.write("1\n")
        rig.wait_until(lambda: [i["state"] for i in daemon.ctl("status")["instances"]] == ["Fault", "Fault"], 10,
                       "both in Fault", 0.1)
        check(daemon.ctl("drain", "--no-wait"), "control.schema.json", "drain")
    check(daemon.ctl("status"), "status.schema.json")
    for command in ("members", "list", "plan", "counters", "history", "events", "rebalance"):
        check(daemon.ctl(command), "control.schema.json", command)
    for unit in VIPS + ["v1", "v2"]:
        check(daemon.ctl("explain", unit), "control.schema.json", "explain")
    check(daemon.ctl("plan", "--without", "192.0.2.2", "--with", "192.0.2.9=50"), "control.schema.json", "plan")
    check(daemon.ctl("dump", "json"), "control.schema.json", "dump")
    for command in ("snmp", "dns"):
        check(daemon.ctl(command), "keelctl.schema.json", command)
    check(daemon.ctl("check", daemon.config), "keelctl.schema.json", "check")
    check(daemon.ctl("explain", "203.0.113.1", check=False), "control.schema.json", "error")
    if trouble:
        check(daemon.ctl("undrain"), "control.schema.json", "undrain")


def test_json__bad_file__findings_are_valid(place):
    daemon = place.hosts["h1"]
    path = os.path.join(daemon.node.dir, "bad.conf")
    with open(path, "w", encoding="ascii") as f:
        f.write("vrrp_pool web {\n    interfaze eth0\n}\n")
    answer = daemon.ctl("check", path, check=False)
    check(answer, "keelctl.schema.json", "check")
    assert not answer["ok"] and answer["findings"]


def test_json__witness__valid(place):
    node = place.lab.witness
    done = node.run(rig.find_program("keelctl"), "witness", "--interface", "eth0", "--vip", ",".join(VIPS), "--duration", "1",
                    "--json")
    check(json.loads(done.stdout), "keelctl.schema.json", "witness")
