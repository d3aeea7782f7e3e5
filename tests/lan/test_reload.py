# SPDX-License-Identifier: GPL-2.0-or-later
"""S11: a reload keeps what did not change. Judged from outside by the witness; what the daemon says is compared with it."""
import contextlib
import os
import signal
import subprocess
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
def field(text, watched, first=None):
    with rig.Lab(hosts=3, watchdog_s=WATCHDOG_S) as lab:
        system = cluster.EvenkeelCluster(lab, first or watched, text=text)
        with watcher.Watcher(lab, watched) as watch:
            for host in lab.hosts:
                system.start(host.name)
            it = Field(lab, system, watch)
            it.wait_held(set(first or watched))
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
        with f.watch.measure("reload") as window:
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
