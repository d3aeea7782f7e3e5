# SPDX-License-Identifier: GPL-2.0-or-later
"""S10: fifty warm clients while the owner of their addresses dies; and no frame ever claims an address for a host that
does not hold it."""
import os

import pytest

import claims
import clients
import lease
import rig

pytestmark = [
    pytest.mark.skipif(os.geteuid() != 0, reason="network namespaces need root"),
    pytest.mark.skipif(not rig.find_program("evenkeeld"), reason="evenkeeld is not built"),
]

RIGHT_WITHIN_MS = 1000  # of the take-over
GRAIN_MS = 1000 * 2 * clients.ECHO_S


def provoke(host, vips, family):
    """All that makes a kernel with VIPs on its interface speak with them: programs that send from them, announcements."""
    there = host.lab.witness.ports[0]["ipv4" if family == 4 else "ipv6"]
    host.run("ip", f"-{family}", "neigh", "flush", "all")
    programs = [["ping", f"-{family}", "-c2", "-i0.2", "-W1", "-I", vip, there] for vip in vips]
    if family == 4:
        programs += [["arping", "-c2", "-w1", kind, "-I", "eth0", "-s", vip, vip] for kind in ("-U", "-A") for vip in vips]
    for child in [host.spawn(*program, log="provoked.txt") for program in programs]:
        child.wait(10)


CELLS = [(lease.Cell(6, family, mode, vmac), vmac) for family in (4, 6) for mode in ("add", "resident") for vmac in
         (False, True)] + [(lease.InstanceCell(6, 4, "v3"), False), (lease.InstanceCell(6, 6, "vmac"), True)]


@pytest.mark.parametrize("cell, vmac", CELLS, ids=lambda v: "-".join(str(v).split()))
def test_caches__owner_killed__clients_right_and_no_false_claim(cell, vmac):
    family = cell.family
    with lease.Field(cell) as field:
        place, lab = field.place, field.lab
        before = place.wait_settled()
        victim = max(before, key=lambda name: len(before[name]))
        with claims.Claims(lab, place.vips) as said, clients.Clients(lab, place.vips, family) as warm:
            rig.wait_until(lambda: all(warm.caches().values()), 10, "all caches are warm")
            place.linger(2)
            at_first = warm.caches()
            with place.step("S10", f"{victim} killed", gap_bound_ms=field.system.crash_bound_ms()):
                field.system.kill(victim)
                place.wait_served([n for n in place.names if n != victim])
                place.linger(RIGHT_WITHIN_MS / 1000)
                at_last = warm.caches()
                provoke(lab.host[victim], before[victim], family)
            gaps = warm.gaps_ms()
            count, wrong = said.judged()
        dead = lab.host[victim].ports[0]["mac"]
        bound = field.system.crash_bound_ms() + RIGHT_WITHIN_MS + GRAIN_MS
        late = {key: gap for key, gap in gaps.items() if gap is None or gap > bound}
        assert not late, f"{len(late)} of {len(gaps)} clients were not served in time: {dict(list(late.items())[:5])}"
        stale = {key: mac for key, mac in at_last.items() if key[1] in before[victim] and mac == dead}
        assert not stale, f"{len(stale)} caches point to the dead host: {list(stale)[:5]}"
        if vmac:
            changed = {key for key in at_first if at_first[key] != at_last[key]}
            assert not changed, f"{len(changed)} caches changed in spite of the virtual MAC: {sorted(changed)[:5]}"
        assert count > 0 and not wrong, f"{len(wrong)} of {count} claims were wrong:\n" + "\n".join(wrong[:10])
        broken = [f"{s.what}: {t}" for s in place.steps for t in s.broken]
        assert not broken, "\n".join(broken)
