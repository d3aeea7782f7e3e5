# SPDX-License-Identifier: GPL-2.0-or-later
"""Whatever becomes of worker and guard, no two hosts answer for an address (SCENARIOS S4 and S5). Each fault once, over
cells that together have every mode; the twenty repetitions over all of them are bench/lease.py's."""
import os

import pytest

import lease
import rig

pytestmark = [
    pytest.mark.skipif(os.geteuid() != 0, reason="network namespaces need root"),
    pytest.mark.skipif(not rig.find_program("evenkeeld"), reason="evenkeeld is not built"),
]

OOM = ("oom_worker", "oom_both")  # not in every cell: to everybody but the daemon they are kills
CELLS = [lease.Cell(6, 4, "add", False), lease.Cell(6, 6, "resident", True), lease.Cell(6, 4, "resident", False),
         lease.Cell(6, 6, "add", True)]


@pytest.mark.parametrize("cell", CELLS, ids=lambda c: "-".join(str(c).split()))
def test_lease__daemon_killed_stopped_aborted_frozen__never_two_answers(cell):
    with lease.Field(cell, watchdog_s=170) as field:
        for fault in lease.FAULTS:
            if fault not in OOM:
                field.suffer(fault)
    broken = [f"{s.what}: {text}" for s in field.place.steps for text in s.broken]
    assert not broken, "\n".join(broken)


@pytest.mark.parametrize("cell, faults", [
    (lease.InstanceCell(6, 4, "unicast"), ["kill_worker", "kill_both", "stop_both"]),
    (lease.InstanceCell(6, 6, "group"), ["kill_guard", "freeze"]),
    (lease.InstanceCell(240, 4, "vmac"), ["kill_worker", "stop_both"]),
], ids=lambda v: "-".join(str(v).split()) if isinstance(v, lease.InstanceCell) else "")
def test_lease__instances_killed_stopped_frozen__never_two_answers(cell, faults):
    with lease.Field(cell, watchdog_s=170) as field:
        for fault in faults:
            field.suffer(fault)
    broken = [f"{s.what}: {text}" for s in field.place.steps for text in s.broken]
    assert not broken, "\n".join(broken)


@pytest.mark.parametrize("family", [4, 6])
def test_lease__80_addresses_killed_and_stopped__never_two_answers(family):
    with lease.Field(lease.Cell(240, family, "add", False), watchdog_s=170) as field:
        for fault in ("kill_worker", "kill_both", "stop_both", *OOM):
            field.suffer(fault)
    broken = [f"{s.what}: {text}" for s in field.place.steps for text in s.broken]
    assert not broken, "\n".join(broken)
