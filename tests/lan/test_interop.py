# SPDX-License-Identifier: GPL-2.0-or-later
"""Our instances and pools beside other implementations on the same virtual routers: the matrix of interop.py, each cell a test. The
table is kept in build/check/interop.txt."""
import os
import shutil
import threading

import pytest

import frr
import interop
import rig

pytestmark = [
    pytest.mark.skipif(os.geteuid() != 0, reason="network namespaces need root"),
    pytest.mark.skipif(not rig.find_program("evenkeeld"), reason="evenkeeld is not built"),
    pytest.mark.skipif(not shutil.which("keepalived") or not frr.installed(), reason="keepalived and frr are the peers"),
]

CELLS = {name: interop.matrix(name) for name in ("keepalived", "frr", "evenkeel")}
ALL = [cell for cells in CELLS.values() for cell in cells]


@pytest.fixture(scope="module")
def played():
    """All fields at the same time; every cell then knows what held. Unicast has hosts of its own: a keepalived that is killed
    leaves its macvlans, which then answer for the host's own address with their MACs."""
    unicast = [c for c in CELLS["keepalived"] if c.transport == "unicast"]
    multicast = [c for c in CELLS["keepalived"] if c.transport == "multicast"]
    fields = [interop.Field(multicast + CELLS["evenkeel"], interop.keepalived_peer),
              interop.Field(unicast, interop.keepalived_peer), interop.Field(CELLS["frr"], interop.frr_peer)]
    errors = []

    def play(one):
        try:
            one.play()
        except Exception as error:  # pylint: disable=broad-except; it is raised again below
            errors.append(error)

    threads = [threading.Thread(target=play, args=(one,)) for one in fields]
    try:
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        for one in fields:
            one.close()
    interop.write_table(ALL)
    print(interop.table(ALL))
    if errors:
        raise errors[0]


@pytest.mark.parametrize("cell", ALL, ids=[c.name() for c in ALL])
def test_cell__every_event__one_speaker_and_the_right_one(played, cell):
    assert [what for what, held in cell.passed.items() if not held] == []
    assert set(cell.passed) == set(interop.PHASES) | {"checksum"}
