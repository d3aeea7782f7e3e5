# SPDX-License-Identifier: GPL-2.0-or-later
"""The library that makes a kernel without nftables' egress hook (no_egress.c), for `Evenkeel.start(preload=...)`."""
import os
import subprocess


def build(folder):
    library = os.path.join(str(folder), "no_egress.so")
    source = os.path.join(os.path.dirname(os.path.abspath(__file__)), "no_egress.c")
    subprocess.run(["cc", "-shared", "-fPIC", "-O2", "-o", library, source, "-ldl"], check=True, timeout=30)
    return library
