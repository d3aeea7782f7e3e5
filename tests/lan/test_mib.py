# SPDX-License-Identifier: GPL-2.0-or-later
"""doc/EVENKEEL-MIB.txt is a module that smilint finds nothing in, at level 6. What it imports comes from tests/mibs."""
import os
import shutil
import subprocess

import pytest

SOURCE_DIR = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
MIB = os.path.join(SOURCE_DIR, "doc", "EVENKEEL-MIB.txt")
pytestmark = pytest.mark.skipif(not shutil.which("smilint"), reason="smilint is not installed (smitools)")


def smilint(path, folder):
    """Its findings; the configuration is ours alone, so that no file of the host is read."""
    config = os.path.join(folder, "smi.conf")
    with open(config, "w", encoding="ascii") as f:
        f.write(f"path {os.path.join(SOURCE_DIR, 'tests', 'mibs')}\nlevel 0\n")
    done = subprocess.run(["smilint", "-c", config, "-m", "-s", "-l", "6", path], capture_output=True, text=True,
                          timeout=60, check=False)
    return (done.stdout + done.stderr).splitlines()


def test_mib__level_6__no_finding(tmp_path):
    assert smilint(MIB, str(tmp_path)) == []


@pytest.mark.parametrize("old,new,finding", [
    ("ekPoolReady OBJECT-TYPE\n    SYNTAX       TruthValue", "ekPoolReady OBJECT-TYPE\n    SYNTAX       TruthValues",
     "TruthValues"),
    ("::= { ekPoolEntry 7 }", "::= { ekPoolEntry 6 }", "ekPool"),
    ("ekLinkCarp }", "ekLinkCarps }", "ekLinkCarps"),
])
def test_mib__planted_error__found(tmp_path, old, new, finding):
    with open(MIB, encoding="ascii") as f:
        text = f.read()
    assert text.count(old) == 1
    broken = tmp_path / "EVENKEEL-MIB.txt"
    broken.write_text(text.replace(old, new), encoding="ascii")
    assert any(finding in line for line in smilint(str(broken), str(tmp_path)))
