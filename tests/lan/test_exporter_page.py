# SPDX-License-Identifier: GPL-2.0-or-later
"""evenkeel-exporter's page in headless Chromium on a live LAN: it shows the pool as the daemon has it, changes by itself when a
host crashes, fits a phone, can be read in light and dark, and runs nothing that comes with a name."""
import copy
import json
import os

import pytest

import cluster
import exporter_peers
import rig

pytestmark = [
    pytest.mark.skipif(os.geteuid() != 0, reason="network namespaces need root"),
    pytest.mark.skipif(not rig.find_program("evenkeeld"), reason="evenkeeld is not built"),
    pytest.mark.skipif(not exporter_peers.has_browser(), reason="chromium and chromium-driver are not installed"),
]

URL = f"http://127.0.0.1:{exporter_peers.PORT}/"
GAMMA = "gamma<u>&amp;'"  # as hostile as the configuration's grammar allows
MEMBERS = f"members {{ alpha 192.0.2.1\n beta 192.0.2.2\n {GAMMA} 192.0.2.3 }}"
INSTANCE = """vrrp_instance GATE {
    interface eth0
    version 3
    advert_int 0.2
    virtual_router_id 99
    priority 100
    virtual_ipaddress {
        192.0.2.99/24
    }
}
"""
TEXT = (INSTANCE + cluster.pool_text(cluster.addresses(9), MEMBERS, name="a")
        + cluster.pool_text(cluster.addresses(3, 6), name="six"))
LANES = """const pool = document.querySelectorAll('#pools > section')[arguments[0] || 0];
    return Array.from(pool.querySelectorAll('.lane'), (lane) => ({
    title: lane.querySelector('.who b').textContent, marks: lane.querySelector('.marks').innerText,
    units: Array.from(lane.querySelectorAll('.units button'), (b) => b.textContent)}))"""
# WCAG 2: how far a text stands out from what is behind it.
CONTRASTS = """
const channel = (c) => (c /= 255) <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
const light = ([r, g, b]) => 0.2126 * channel(r) + 0.7152 * channel(g) + 0.0722 * channel(b);
const numbers = (text) => (text.match(/[\\d.]+/g) || []).map(Number);
const ground = (node) => {
    for (; node; node = node.parentElement) {
        const c = numbers(getComputedStyle(node).backgroundColor);
        if (c.length === 3) return c;
    }
    return [255, 255, 255];
};
return Array.from(document.querySelectorAll('body *')).filter((n) => n.checkVisibility() &&
    Array.from(n.childNodes).some((c) => c.nodeType === 3 && c.textContent.trim())).map((n) => {
    const [a, b] = [light(numbers(getComputedStyle(n).color)), light(ground(n))].sort((x, y) => y - x);
    return [n.tagName + '.' + n.className, (a + 0.05) / (b + 0.05)];
})"""


class Site:
    def __init__(self, lab):
        self.lab, self.system = lab, cluster.EvenkeelCluster(lab, [], text=TEXT)
        for name in self.system.hosts:
            self.system.start(name)
        self.daemon = self.system.hosts["h1"]
        rig.wait_until(lambda: self.settled(3), 30, "every unit held", 0.2)
        self.exporter = exporter_peers.Exporter(lab.hosts[0], self.daemon.run_dir).start()
        self.browser = exporter_peers.Browser(lab.hosts[0])
        self.browser.viewport(1280, 900)
        self.browser.open(URL)

    def settled(self, members):
        status = self.daemon.ready()
        return status and sum(m["state"] == "active" for m in status["pools"][0]["members"]) == members and \
            all(u["holder_kind"] in ("self", "member") and not u["planned"] for p in status["pools"] for u in p["units"])

    def lanes_by_the_daemon(self):
        pool = self.daemon.ask("status")["pools"][0]
        return {m["name"]: sorted(u["addresses"][0].rsplit(".", 1)[1] for u in pool["units"] if u["holder"] == m["address"])
                for m in pool["members"]}

    def lanes(self):
        return {lane["title"]: sorted(lane["units"]) for lane in self.browser.run(LANES)}

    def wait_verdict(self, part, deadline_s=15):
        rig.wait_until(lambda: part in self.browser.text("#verdict"), deadline_s, f"the page to say {part!r}", 0.2)

    def width_problem(self):
        inner, width = self.browser.run("return [innerWidth, document.documentElement.scrollWidth]")
        return None if width <= inner else f"{width} wide in {inner}"


@pytest.fixture(scope="module")
def site():
    with rig.Lab(hosts=3, watchdog_s=240) as lab:
        site = Site(lab)
        yield site
        site.browser.close()


def test_page__live_pool__every_member_with_its_units(site):
    site.wait_verdict("All is well: 12 of 12 units held, 1 instance")
    assert site.lanes() == site.lanes_by_the_daemon()
    assert set(site.lanes()) == {"alpha", "beta", GAMMA}
    assert "alpha · 192.0.2.1" in site.browser.text("header")
    assert site.daemon.ask("status")["daemon"]["config_hash"] in site.browser.text("footer")
    assert site.browser.run("return document.title") == "alpha · Evenkeel"


def test_page__ipv6_pool__units_by_their_own_addresses(site):
    assert sorted(u for lane in site.browser.run(LANES, 1) for u in lane["units"]) == ["33", "34", "35"]


def test_page__instance__who_has_it_and_what_this_host_is(site):
    seen = site.daemon.ask("status")["instances"][0]
    shown = site.browser.text("#routers")
    assert "GATE" in shown and "192.0.2.99" in shown and "VRID 99" in shown and seen["state"] in shown
    assert ("held by this host" if seen["holder_kind"] == "self" else f"held by {seen['holder']}, priority 100") in shown


def test_page__name_that_looks_like_markup__is_text(site):
    assert site.browser.run("return document.querySelectorAll('u').length") == 0
    assert GAMMA in site.browser.text("#entries")


def test_page__loaded__the_console_has_no_complaint(site):
    assert site.browser.complaints() == []


def test_page__script_put_into_it__does_not_run(site):
    site.browser.run("""const s = document.createElement('script'); s.textContent = 'window.hacked = 1';
                     document.body.append(s); s.remove();
                     document.body.setAttribute('onclick', 'window.hacked = 2'); document.body.click();
                     document.body.removeAttribute('onclick')""")
    assert site.browser.run("return window.hacked || 0") == 0
    assert len(site.browser.complaints()) == 2


@pytest.mark.parametrize("width", [320, 375, 768])
def test_page__narrow__nothing_to_scroll_sideways(site, width):
    site.browser.viewport(width, 700)
    site.browser.run("document.querySelector('.units button').click()")
    try:
        assert site.width_problem() is None
        small = site.browser.run("return Array.from(document.querySelectorAll('.units button'), (b) => b.offsetHeight)")
        assert min(small) >= (44 if width < 600 else 24)  # a thumb's size
    finally:
        site.browser.run("document.querySelector('.units [aria-expanded=true]').click()")
        site.browser.viewport(1280, 900)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_page__light_and_dark__every_text_can_be_read(site, scheme):
    site.browser.scheme(scheme)
    ground = site.browser.run("return getComputedStyle(document.body).backgroundColor")
    assert (ground == "rgb(15, 18, 22)") == (scheme == "dark")
    assert {what: round(ratio, 2) for what, ratio in site.browser.run(CONTRASTS) if ratio < 4.5} == {}


def test_page__for_all__landmarks_names_and_keys(site):
    missing = site.browser.run("""return Array.from(document.querySelectorAll('button, [role=img], section')).filter((n) =>
        !n.getAttribute('aria-label') && !n.getAttribute('aria-labelledby') && !n.textContent.trim()).length""")
    assert missing == 0
    assert site.browser.run("return ['header', 'main', 'footer', 'h1', '[role=status]', 'html[lang]'].filter("
                            "(s) => !document.querySelector(s))") == []
    assert site.browser.run("return document.querySelector('.units button').tabIndex") == 0


def test_unit__chosen__its_facts_stay_open_while_the_page_goes_on(site):
    vrid = site.browser.run("const b = document.querySelector('.units button'); b.focus(); b.click(); return b.textContent")
    before = site.browser.text("#live")
    rig.wait_until(lambda: site.browser.text("#live") not in ("", before), 10, "a turn of the page", 0.2)
    facts = site.browser.text(".detail")
    assert f"192.0.2.{vrid}" in facts and "Last change" in facts and "Next" in facts
    assert site.browser.run("return document.activeElement.textContent") == vrid
    site.browser.run("document.activeElement.click()")
    assert site.browser.run("return document.querySelector('.detail').offsetHeight") == 0


def test_member_crashes__page_shows_it_by_itself(site):
    site.browser.run("window.same = 1")
    site.system.hosts["h3"].kill()
    site.wait_verdict("warning")
    rig.wait_until(lambda: site.settled(2) and site.lanes() == site.lanes_by_the_daemon(), 15, "the lanes to follow", 0.3)
    assert site.lanes()[GAMMA] == []
    assert "dead" in next(lane["marks"] for lane in site.browser.run(LANES) if lane["title"] == GAMMA)
    assert f"member {GAMMA} (192.0.2.3) is dead" in site.browser.text("#lines")
    assert "not heard any more" in site.browser.text("#entries")
    assert site.browser.run("return window.same") == 1  # no reload
    site.system.hosts["h3"].start()
    site.wait_verdict("All is well", 40)
    assert site.browser.complaints() == []


def test_cable_is_pulled__page_says_that_it_does_not_know_the_owners(site):
    site.lab.link_down(site.lab.hosts[0])
    site.wait_verdict("3 alarms")
    assert "interface eth0 is down" in site.browser.text("#lines")
    lane = site.browser.run(LANES)[0]
    assert (lane["title"], len(lane["units"])) == ("Not known here", 9)
    assert "Nobody" not in site.browser.text("#pools")
    site.lab.link_up(site.lab.hosts[0])
    site.wait_verdict("All is well", 40)


def test_daemon_goes_away__page_says_so_and_shows_what_was(site):
    held = site.lanes()
    site.daemon.kill()
    site.wait_verdict("evenkeeld does not answer")
    assert "What is shown below was so at" in site.browser.text("#why")
    assert site.browser.text("#live") == "not live"
    assert sum(len(units) for units in site.lanes().values()) == sum(len(units) for units in held.values())
    assert "(1!)" in site.browser.run("return document.title")
    site.daemon.start()
    site.wait_verdict("All is well", 40)
    assert site.browser.text("#why") == ""


def test_exporter_goes_away__page_says_so(site):
    site.exporter.stop()
    site.wait_verdict("does not reach evenkeel-exporter")
    site.exporter.start()
    site.wait_verdict("All is well")


ROWS = """return Array.from(document.querySelectorAll(arguments[0]), (row) => ({name: row.querySelector('b').textContent,
    state: row.querySelector('.mark').textContent, text: row.innerText}))"""
INSTANCES = """vrrp_script gone {
    script "/usr/bin/no-such-thing"
    interval 1
    weight -50
}
vrrp_sync_group BOTH {
    group {
        FIRST
        SECOND
    }
}
""" + "".join(f"""vrrp_instance {name} {{
    interface {interface}
    virtual_router_id {vrid}
    version 3
    priority 150
    advert_int 0.2
    {extra}
    virtual_ipaddress {{
        {address}
    }}
}}
""" for name, interface, vrid, address, extra in [
    ("FIRST", "eth0", 91, "192.0.2.91/24", ""), ("SECOND", "eth0", 92, "fe80::92/64\n        2001:db8:0::92/64", ""),
    (GAMMA.replace("'", ""), "eth0", 93, "192.0.2.93/24", "track_script {\n        gone\n    }"),
    ("CUT", "eth9", 94, "192.0.2.94/24", "")])


def test_page__only_instances__those_in_trouble_first_then_all(site):
    """A host whose file has no pool, with a name that looks like markup, as keepalived's grammar allows."""
    node = site.lab.hosts[2]
    site.system.stop("h3")
    site.exporter.stop()
    node.run("ip", "link", "add", "eth9", "type", "veth", "peer", "name", "eth8")
    daemon = cluster.Evenkeel(node, INSTANCES).start()
    exporter = exporter_peers.Exporter(site.lab.hosts[0], daemon.run_dir).start()
    try:
        site.browser.open(URL)
        site.wait_verdict("1 alarm, 1 warning")
        site.browser.complaints()  # of the exporter's change
        rig.wait_until(lambda: site.browser.text("#instances-sub") == "3 Active · 1 Fault", 10, "all Active but one", 0.2)
        rows = site.browser.run(ROWS, "#routers > li")
        assert [r["name"] for r in rows] == ["CUT", GAMMA.replace("'", ""), "FIRST", "SECOND"]
        assert [r["state"] for r in rows] == ["Fault", "Active", "Active", "Active"]
        assert "interface eth9 is down" in rows[0]["text"] and "who holds it is not known here" in rows[0]["text"]
        assert "priority 100 (150 is configured)" in rows[1]["text"] and "there is no such program" in rows[1]["text"]
        assert "2001:db8::92" in rows[3]["text"] and "fe80" not in rows[3]["text"]
        assert [(r["name"], r["state"]) for r in site.browser.run(ROWS, "#group-list > li")] == [("BOTH", "Active")]
        assert "192.0.2.3" in site.browser.text("header")
        assert site.browser.run("return document.querySelectorAll('main u').length") == 0
        for width in (320, 1280):
            site.browser.viewport(width, 800)
            assert site.width_problem() is None
            if os.environ.get("EVENKEEL_SCREENSHOT"):
                site.browser.screenshot(os.environ["EVENKEEL_SCREENSHOT"] + f".instances-{width}.png")
        assert {what: round(ratio, 2) for what, ratio in site.browser.run(CONTRASTS) if ratio < 4.5} == {}
        assert site.browser.complaints() == []
    finally:
        exporter.stop()
        daemon.stop()
        site.system.start("h3")
        site.exporter.start()
        site.browser.open(URL)
    site.wait_verdict("All is well", 40)


# What no daemon of ours would say.

HOSTILE = "<img src=x onerror=window.hacked=1>\"'><script>window.hacked=1</script>"


def poisoned(value):
    """Every text of an answer, but for times and words that the page compares, with something hostile at its end."""
    if isinstance(value, dict):
        keep = ("time", "since", "severity", "state", "holder_kind", "kind", "schema")
        return {k: v if k in keep else poisoned(v) for k, v in value.items()}
    if isinstance(value, list):
        return [poisoned(v) for v in value]
    return value + HOSTILE if isinstance(value, str) else value


def large(status, members=12, units=240):
    del status["pools"][1]
    pool = status["pools"][0]
    member, unit = pool["members"][1], pool["units"][0]
    pool["members"] = [{**member, "address": f"10.0.0.{m + 1}", "name": f"host-with-a-long-name-{m}.example.net", "self": m == 0,
                        "state": "dead" if m == 3 else "active", "load": 0 if m == 3 else units // (members - 1)}
                       for m in range(members)]
    pool["units"] = [{**unit, "vrid": u + 1, "addresses": [f"10.0.1.{u + 1}"], "holder_kind": "none" if u < 3 else "member",
                      "holder": None if u < 3 else f"10.0.0.{1 + u % members}", "contested": u == 9, "pinned": u == 10}
                     for u in range(units)]
    status["attention"] = [{"code": "unowned", "severity": "alarm", "pool": "a", "text": "a: 3 units have no owner"}]
    return status


@pytest.fixture
def fake(site):
    """A daemon that says what the test makes of the real one's answers."""
    site.exporter.stop()
    answers = {"status": site.daemon.ask("status"), "events": site.daemon.ctl("events"), "counters": site.daemon.ask("counters")}
    run_dir = os.path.join(site.lab.hosts[1].dir, "fake")
    daemon = exporter_peers.FakeDaemon(run_dir, lambda request: exporter_peers.line(daemon.answers[request["command"]]))
    daemon.answers = copy.deepcopy(answers)
    daemon.exporter = exporter_peers.Exporter(site.lab.hosts[0], run_dir).start()
    yield daemon
    daemon.exporter.stop()
    daemon.close()


def test_page__hostile_texts__shown_and_never_run(site, fake):
    fake.answers = poisoned(fake.answers)
    fake.answers["status"]["attention"] = [{"code": HOSTILE, "severity": "alarm", "pool": HOSTILE, "text": HOSTILE}]
    site.browser.open(URL)
    site.browser.complaints()
    site.wait_verdict("1 alarm")
    site.browser.run("document.querySelector('.units button').click()")
    assert HOSTILE in site.browser.text("#lines") and HOSTILE in site.browser.text(".detail")
    assert site.browser.run("return document.querySelectorAll('img, main script, [onerror]').length") == 0
    assert site.browser.run("return window.hacked || 0") == 0
    assert site.browser.complaints() == []
    assert fake.exporter.samples()  # and the metrics are well formed all the same


def test_page__240_units_on_12_hosts__fits_in_width_and_alarms_come_first(site, fake):
    fake.answers["status"] = large(fake.answers["status"])
    site.browser.open(URL)
    site.wait_verdict("1 alarm")
    lanes = site.browser.run(LANES)
    assert len(lanes) == 13 and lanes[0] == {"title": "Nobody", "marks": "has no owner", "units": ["1", "2", "3"]}
    assert sum(len(lane["units"]) for lane in lanes) == 240
    for width in (320, 1280):
        site.browser.viewport(width, 800)
        assert site.width_problem() is None
    if os.environ.get("EVENKEEL_SCREENSHOT"):
        site.browser.screenshot(os.environ["EVENKEEL_SCREENSHOT"])
    assert json.loads(fake.exporter.ask("/status.json").body)["up"]
