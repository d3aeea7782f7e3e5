# SPDX-License-Identifier: GPL-2.0-or-later
"""S11: a reload keeps what did not change. Judged from outside by the witness; what the daemon says is compared with it."""
import contextlib
import os
import signal
import time

import pytest

import cluster
import rig
import stage
import watcher

pytestmark = [
    pytest.mark.skipif(os.geteuid() != 0, reason="network namespaces need root"),
    pytest.mark.skipif(not rig.find_program("evenkeeld"), reason="evenkeeld is not built"),
]

WATCHDOG_S = 120


class Field:
    """Three hosts that share what `text` says, settled, and a witness of `watched`."""

    def __init__(self, lab, system, watch):
        self.lab, self.cluster, self.watch = lab, system, watch
        self.place = stage.Stage(lab, system, watch)

    def write(self, text):
        for daemon in self.cluster.hosts.values():
            daemon.write(text)

    def reload_all(self):
        """One after the other, with their answers."""
        return {name: daemon.ctl("reload") for name, daemon in self.cluster.hosts.items()}

    def owners(self):
        return {v: next(iter(h)) if len(h) == 1 else None for v, h in self.watch.state().items()}

    def wait_held(self, vips, deadline_s=15):
        """Each of `vips` answered by one host, the others by none."""
        def good():
            return all(len(h) == (v in vips) for v, h in self.watch.state().items())
        rig.wait_until(good, deadline_s, f"exactly {len(vips)} addresses served", 0.05)


@contextlib.contextmanager
def field(text, watched, first=None, lans=1):
    with rig.Lab(hosts=3, lans=lans, watchdog_s=WATCHDOG_S) as lab:
        system = cluster.EvenkeelCluster(lab, first or watched, text=text)
        with watcher.Watcher(lab, watched) as watch:
            for host in lab.hosts:
                system.start(host.name)
            it = Field(lab, system, watch)
            it.wait_held(set(first or system.vips))
            rig.wait_until(lambda: stage.spread(watch.owners()) <= 1, 15, "even", 0.05)
            yield it


def untouched(window, vips):
    """Gap 0 and no double: not one question of the witness was unanswered or answered twice."""
    assert window.dual_ms == 0, window.result
    moved = {v: m for v, m in window.moved().items() if v in vips}
    assert not moved, moved
    if not window.stalled:
        assert window.gap(vips) == 0, {v: window.vips[v]["gap_ms"] for v in vips}


@pytest.mark.parametrize("mode", ["add", "resident"])
def test_reload__one_added_one_removed_options_changed__the_rest_notices_nothing(mode):
    vips = cluster.addresses(7)
    before, after = vips[:6], vips[:5] + vips[6:]
    kept, options = vips[:5], [f"address_mode {mode}"]
    with field(cluster.pool_text(before, *options), vips, before) as f:
        f.write(cluster.pool_text(after, *options, "garp_master_repeat 5", "member_advert_int 0.2", "rebalance_interval 2"))
        with f.watch.measure_undisturbed("reload") as window:
            answers = f.reload_all()
            f.wait_held(set(after))
        untouched(window, kept)
        for answer in answers.values():
            assert answer["state"] == "done"
            lines = "\n".join(answer["lines"])
            assert "~ vrrp_pool web: member_advert_int 0.25 -> 0.2" in lines
            assert "~ vrrp_pool web: garp_master_repeat 3 -> 5" in lines
            assert f"- vrrp_pool web: virtual_ipaddress {vips[5]}/24" in lines
            assert f"+ vrrp_pool web: virtual_ipaddress {vips[6]}/24" in lines
        for host in f.lab.hosts:
            assert vips[5] not in host.addresses()


def nft_tables(host):
    words = host.run("nft", "list", "tables").stdout.split()
    return {w for w in words if w.startswith("evenkeel_")}


def test_reload__pools_renamed_removed_added_and_an_address_moved__the_rest_notices_nothing():
    vips = cluster.addresses(9)
    a, b, gone, new = vips[:4], vips[4:6], vips[6:8], vips[8:]
    before = cluster.pool_text(a, name="a") + cluster.pool_text(b, name="b") + cluster.pool_text(gone, name="gone")
    # a is renamed, its last address moves to b, one pool goes and one comes
    after = (cluster.pool_text(a[:3], name="renamed") + cluster.pool_text([a[3]] + b, name="b")
             + cluster.pool_text(new, name="new"))
    with field(before, vips, vips[:8]) as f:
        f.write(after)
        with f.watch.measure_undisturbed("pools") as window:
            answers = f.reload_all()
            f.wait_held(set(a + b + new))
        assert all(answer["state"] == "done" for answer in answers.values())
        untouched(window, a[:3] + b)
        for host in f.lab.hosts:
            rig.wait_until(lambda h=host: nft_tables(h) == {"evenkeel_renamed", "evenkeel_b", "evenkeel_new"}, 5,
                           f"{host.name}: the pools' tables and no other", 0.05)
            assert not set(gone) & host.addresses()
        # what another version cannot keep is released, pool by pool
        f.write(after.replace("vrrp_pool b {", "vrrp_pool b {\n    version 2"))
        with f.watch.measure_undisturbed("version") as window:
            f.reload_all()
            f.wait_held(set(a + b + new))
        untouched(window, a[:3] + new)
        f.cluster.hosts["h1"].stop()
        assert not set(vips) & f.lab.host["h1"].addresses() and not nft_tables(f.lab.host["h1"])


def log_of(host):
    return host.read_log("evenkeeld.log")


def test_reload__broken_file__told_and_nothing_changes_then_mended():
    vips = cluster.addresses(3)
    good = cluster.pool_text(vips)
    with field(good, vips) as f:
        daemon, host = f.cluster.hosts["h1"], f.lab.host["h1"]
        with f.watch.measure_undisturbed("broken") as window:
            daemon.write(good.replace("interface", "intreface"))
            done = daemon.keelctl("reload")
            assert done.returncode == 78
            assert f"{daemon.config}:2:5: error: " in done.stderr and "interface" in done.stderr
            worker = daemon.workers()
            os.kill(daemon.guard(), signal.SIGHUP)
            rig.wait_until(lambda: log_of(host).count("is not usable, going on unchanged") == 2, 5, "both refusals", 0.02)
            daemon.write(good)
            assert "says what it said before" in daemon.keelctl("reload").stdout
            # many wishes at once: none is lost, the last file counts
            for repeat in range(2, 6):
                daemon.write(cluster.pool_text(vips, f"garp_master_repeat {repeat}"))
                os.kill(daemon.guard(), signal.SIGHUP)
            rig.wait_until(lambda: "garp_master_repeat" in log_of(host) and "-> 5" in log_of(host), 5, "the last one", 0.02)
            assert daemon.workers() == worker
        untouched(window, vips)


def test_reload__stopped_right_after_a_longer_interval__the_lease_has_not_grown():
    vips = cluster.addresses(6)
    with field(cluster.pool_text(vips, "member_advert_int 0.1"), vips) as f:
        daemon = f.cluster.hosts["h1"]
        daemon.write(cluster.pool_text(vips, "member_advert_int 0.5"))
        with f.watch.measure_undisturbed("stopped") as window:
            daemon.ctl("reload")
            daemon.pause()
            rig.wait_until(lambda: "h1" not in f.owners().values() and None not in f.owners().values(), 10,
                           "the others to serve everything", 0.05)
            daemon.resume()
            f.wait_held(set(vips))
        assert window.dual_ms == 0


def test_reload__filter_and_address_mode_there_and_back__no_gap():
    vips = cluster.addresses(6)
    with field(cluster.pool_text(vips), vips) as f:
        before = []
        for options in [["arp_filter on"], ["address_mode resident"], ["use_vmac"], [], ["arp_filter off"], []]:
            f.write(cluster.pool_text(vips, *options))
            with f.watch.measure_undisturbed(" ".join(options)) as window:
                f.reload_all()
                f.wait_held(set(vips))
            assert not window.moved() and window.dual_ms == 0
            if "use_vmac" not in options + before and not window.stalled:  # another MAC: neighbours have to learn it
                assert window.gap() == 0, options
            before = options
        tables = f.lab.hosts[0].run("nft", "list", "table", "netdev", "evenkeel_web").stdout
        assert "alive" in tables


def test_reload__pool_on_another_interface__released_and_started_there():
    first, second = cluster.addresses(3), cluster.addresses(3, lan=1)
    stays = cluster.pool_text(first, name="stays")
    before = stays + cluster.pool_text(["192.0.2.80", "192.0.2.81"], name="goes")
    after = stays + cluster.pool_text(second, name="goes", interface="eth1")
    with field(before, [first + ["192.0.2.80", "192.0.2.81"], second], first + ["192.0.2.80", "192.0.2.81"], lans=2) as f:
        f.write(after)
        with f.watch.measure_undisturbed("interface") as window:
            f.reload_all()
            f.wait_held(set(first + second))
        untouched(window, first)


def test_reload__worker_killed_meanwhile__the_next_one_has_the_new_file():
    vips = cluster.addresses(6)
    with field(cluster.pool_text(vips[:5]), vips, vips[:5]) as f:
        daemon = f.cluster.hosts["h1"]
        f.write(cluster.pool_text(vips))
        with f.watch.measure_undisturbed("killed") as window:
            os.kill(daemon.guard(), signal.SIGHUP)
            os.kill(daemon.workers()[0], signal.SIGKILL)  # the other child reads the file
            for name in ["h2", "h3"]:
                f.cluster.hosts[name].ctl("reload")
            f.wait_held(set(vips))
            rig.wait_until(daemon.ready, 10, "the next worker", 0.05)
        assert window.dual_ms == 0
        rig.wait_until(lambda: len(daemon.ask("status")["pools"][0]["units"]) == 6, 5, "the new file in force", 0.05)


def test_reload__told_to_stop_while_the_kernel_waits_for_the_change__leaves_in_order_at_once():
    # so many addresses go that the signal comes before they have
    vips = cluster.addresses(120, family=6)
    with rig.Lab(hosts=1, watchdog_s=WATCHDOG_S) as lab:
        node = lab.hosts[0]
        daemon = cluster.Evenkeel(node, cluster.pool_text(vips, "address_mode resident"))

        def present():
            with open(f"/proc/{node.holder.pid}/net/if_inet6", encoding="ascii") as lines:
                return sum(1 for _ in lines)

        before = present()
        daemon.start()
        rig.wait_until(lambda: daemon.ready() and len(daemon.held()) == 2 * len(vips), 20, "all addresses held")
        daemon.write(cluster.pool_text(vips[:1], "address_mode resident"))
        full = present()
        os.kill(daemon.guard(), signal.SIGHUP)
        rig.wait_until(lambda: present() < full, 10, "the first to go", 0)
        begin = time.monotonic()
        assert daemon.stop() == 0
        assert time.monotonic() - begin < 3
        assert "leaving in order took too long" not in log_of(node) and present() == before
