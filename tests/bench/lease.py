#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""`bench.py --lease`: every fault of tests/lan/lease.py, many times, over every way to run a pool or instances.

    lease.py [--repeat N] [--sizes 6,240] [--families 4,6] [--modes add,resident] [--macs real,virtual]
             [--instances v3,v2,vmac,unicast,group] [--faults kill_worker,...] [--json FILE]

For each cell the worst time in which two hosts answered (0 is the promise) and the worst gap, in ms, of all
repetitions. Repetitions in which the witness itself stalled, or lost frames, are counted beside them, and the worst gap
without them is given too: a loaded machine can look like a gap, never like a double answer. Exits 1 when a double
answer was seen or a gap was too long.
"""
import argparse
import json
import os
import signal
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "lan"))

# This file has the module's name; the rig's folder comes first on the path, and this one goes.
sys.path = [p for p in sys.path if os.path.abspath(p) != os.path.dirname(os.path.abspath(__file__))]

import lease  # noqa: E402
import rig  # noqa: E402

RESTARTS_MAX = 3


def arguments():
    parser = argparse.ArgumentParser(prog="bench.py --lease", description="The lease under every fault, in every mode")
    parser.add_argument("--repeat", type=int, default=20)
    parser.add_argument("--sizes", default="6,240")
    parser.add_argument("--families", default="4,6")
    parser.add_argument("--modes", default="add,resident")
    parser.add_argument("--macs", default="real,virtual")
    parser.add_argument("--instances", default="v3,v2,vmac,unicast,group", help="kinds of instances; \"\" for pools alone")
    parser.add_argument("--faults", default=",".join(lease.FAULTS))
    parser.add_argument("--json", default="")
    return parser.parse_args()


def cells(options):
    """Version 2 of VRRP is IPv4 only."""
    sizes = [(int(count), int(family)) for count in options.sizes.split(",") for family in options.families.split(",")]
    pools = [lease.Cell(*size, mode, mac == "virtual") for size in sizes for mode in words(options.modes)
             for mac in words(options.macs)]
    return pools + [lease.InstanceCell(*size, kind) for size in sizes for kind in words(options.instances)
                    if (size[1], kind) != (6, "v2")]


def words(text):
    return [word for word in text.split(",") if word]


def run_cell(cell, faults, repeat, rows):
    """Repetition after repetition on one lab; a wait that is never over is a failure, and a new lab takes the rest."""
    todo = [fault for _ in range(repeat) for fault in faults]
    failures = []
    while todo and len(failures) <= RESTARTS_MAX:
        try:
            with lease.Field(cell, watchdog_s=60 + 40 * len(todo)) as field:
                while todo:
                    fault = todo.pop(0)
                    step = field.suffer(fault)
                    rows.append(dict(cell=str(cell), fault=fault, stalled=step.window.stalled, broken=step.broken,
                                     **{k: step.as_dict()[k] for k in ("what", "gap_ms", "gap_vip", "dual_ms",
                                                                       "stale_ms", "moves", "stalls", "dropped")}))
                    tell(cell, rows[-1])
        except rig.RigError as error:
            failures.append(str(error))
            sys.stderr.write(f"  {cell}: {error}\n")
    return failures


def tell(cell, row):
    sys.stderr.write(f"  {cell} {row['what']:24} dual {row['dual_ms']:6.1f} gap {row['gap_ms']:7.1f}"
                     f"{' *' if row['stalled'] else ''}{'  DID NOT HOLD' if row['broken'] else ''}\n")


def print_table(rows):
    print(f"{'':28}{'fault':14}{'runs':>5}{'stalled':>8}{'worst dual':>11}{'worst gap':>10}{'unstalled':>10}  (ms)")
    for cell in dict.fromkeys(r["cell"] for r in rows):
        for fault in dict.fromkeys(r["fault"] for r in rows):
            some = [r for r in rows if r["cell"] == cell and r["fault"] == fault]
            clean = [r["gap_ms"] for r in some if not r["stalled"]]
            if some:
                print(f"{cell:28}{fault:14}{len(some):5}{len(some) - len(clean):8}"
                      f"{max(r['dual_ms'] for r in some):11.1f}{max(r['gap_ms'] for r in some):10.1f}"
                      + (f"{max(clean):10.1f}" if clean else f"{'-':>10}"))


def main():
    options = arguments()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    rows, failures = [], []
    for cell in cells(options):
        failures += run_cell(cell, options.faults.split(","), options.repeat, rows)
        if options.json:
            with open(options.json, "w", encoding="utf-8") as f:
                json.dump(dict(schema="evenkeel-lease/1", time=time.time(), runs=rows, failures=failures), f, indent=1)
    print_table(rows)
    for row in rows:
        for text in row["broken"]:
            print(f"did not hold: {row['cell']} {row['what']}: {text}")
    for failure in failures:
        print(f"failed: {failure}")
    return 1 if failures or any(r["broken"] for r in rows) else 0


if __name__ == "__main__":
    sys.exit(main())
