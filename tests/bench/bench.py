#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""`make bench`: the scenarios on our daemon and on Debian's keepalived in the same run, side by side.

    bench.py [--sizes 6,240] [--scenarios crash_silent,hang] [--systems evenkeel,keepalived] [--repeat N]
             [--family 4|6] [--advert SECONDS] [--json FILE] [--list]
    bench.py --lease ...     every fault in every mode, 20 times: lease.py, whose options follow
    bench.py --filter ...    what the filter costs a packet: filter.py, whose options follow

Every figure is the worst address's, in ms, the worst of all repetitions. A machine of two cores is part of what is
measured: steps in which the witness itself stalled are marked with *.
"""
import argparse
import json
import os
import signal
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "lan"))

import cluster  # noqa: E402
import rig  # noqa: E402
import scenarios  # noqa: E402
import stage  # noqa: E402
import watcher  # noqa: E402

OTHERS = {"--lease": "lease.py", "--filter": "filter.py"}
QUIET_S = 10
REST_S = 7  # keepalived's second announcements come after 5 s
WATCHDOG_S = 1800


def pool_options(count):
    """Defaults as far as a run can wait for them: 80 planned moves one by one would take minutes."""
    return ["rebalance_moves all"] if count > 12 else []


def measure_cost(place):
    """CPU in % of a core, PSS in MiB, per host. The witness is stopped meanwhile, since daemons hear its questions."""
    with place.step("cost", "nothing happens") as step:
        rig.pause([place.watch.child.pid])
        time.sleep(REST_S)
        before = {n: rig.usage(place.cluster.pids(n))[0] for n in place.names}
        began = time.monotonic()
        time.sleep(QUIET_S)
        seconds = time.monotonic() - began
        after = {n: rig.usage(place.cluster.pids(n)) for n in place.names}
        rig.resume([place.watch.child.pid])
    step.extra["cpu_percent"] = max(round(100 * (after[n][0] - before[n]) / seconds, 2) for n in place.names)
    step.extra["pss_mib"] = max(round(after[n][1] / 2**20, 2) for n in place.names)


def run_one(make_cluster, vips, chosen, note, lans=1, cost=True):
    """All chosen scenarios on one lab. After one that fails (a wait that is never over) a new lab takes the rest."""
    steps, failures = [], []
    todo = [s for s in chosen if s is not scenarios.cold_start]
    first = True
    while first or todo:
        with rig.Lab(hosts=3, lans=lans, watchdog_s=WATCHDOG_S) as lab:
            system = make_cluster(lab)
            with watcher.Watcher(lab, vips) as watch:
                place = stage.Stage(lab, system, watch, note)
                try:
                    name = "cold_start"
                    scenarios.cold_start(place)
                    if first and cost:
                        measure_cost(place)
                    first = False
                    while todo:
                        name = todo[0].__name__
                        scenario = todo.pop(0)
                        scenario(place)
                        place.restore()
                except rig.RigError as error:
                    failures.append(dict(scenario=name, error=str(error)))
                    sys.stderr.write(f"  {system.name}: {name}: {error}\n")
                    if name == "cold_start":
                        todo = []
                    first = False
                steps += place.steps
    return steps, failures


def run_own_labs(count, family, names, note):
    """S8 and S9 need a configuration of their own: a pinned address, units over two interfaces. Ours only, IPv4 lines."""
    steps, failures = [], []
    first, second = cluster.addresses(count, family), cluster.addresses(count // 2, lan=1)
    pairs = list(zip(cluster.addresses(count // 2), second))
    lines = [f"{{ {a}/24 {b}/24 dev eth1 }}" for a, b in pairs]
    labs = [("pin", [scenarios.pin], first, 1,
             lambda lab: cluster.EvenkeelCluster(lab, scenarios.pinned_lines(lab, first), *pool_options(count))),
            ("groups", [lambda place: scenarios.groups(place, pairs)], [[a for a, _ in pairs], second], 2,
             lambda lab: cluster.EvenkeelCluster(lab, lines, *pool_options(count)))]
    for name, todo, watched, lans, make in labs:
        if family == 4 and (not names or name in names.split(",")):
            done, failed = run_one(make, watched, todo, note, lans, cost=False)
            steps += [s for s in done if s.scenario != "S1"]
            failures += failed
    return steps, failures


def worst_of(runs):
    """One row per step in order of appearance, with the worst figures of all repetitions."""
    rows = {}
    for step in (s for run in runs for s in run):
        if step.window.result is None:
            continue
        d = step.as_dict()
        row = rows.setdefault((d["scenario"], d["what"]), dict(gap_ms=0, dual_ms=0, stale_ms=0, moves=0, stalled=False,
                                                              broken=[]))
        for key in ("gap_ms", "dual_ms", "stale_ms", "moves"):
            row[key] = max(row[key], d[key])
        row["stalled"] |= step.window.stalled
        row["broken"] += step.broken
        for key in ("cpu_percent", "pss_mib", "settled_s"):
            if key in d:
                row[key] = max(row.get(key, 0), d[key])
    return rows


def cell(row):
    if row is None:
        return f"{'-':>9}{'-':>9}{'-':>6}"
    mark = "*" if row["stalled"] else ""
    return f"{row['gap_ms']:8.0f}{mark or ' '}{row['dual_ms']:9.0f}{row['moves']:6}"


def print_table(count, family, results, advert_s):
    systems = list(results)
    print(f"\n3 hosts, {count} IPv{family} addresses (ms, worst address; * the witness stalled)")
    heads = {"evenkeel": "evenkeel", "keepalived": f"keepalived, {advert_s:g} s"}
    print(f"{'':5}{'':34}" + "".join(f" | {heads[s]:^24}" for s in systems))
    print(f"{'':5}{'':34}" + "".join(f" | {'gap':>8} {'dual':>9}{'moves':>6}" for _ in systems))
    keys = []
    for s in systems:
        keys += [k for k in results[s]["rows"] if k not in keys and k[0] != "cost"]
    for key in keys:
        print(f"{key[0]:5}{key[1]:34}" + "".join(f" | {cell(results[s]['rows'].get(key))}" for s in systems))
    for label, key, form in (("CPU per host, % of a core", "cpu_percent", "{:.2f}"),
                             ("PSS per host, MiB", "pss_mib", "{:.1f}")):
        values = [results[s]["rows"].get(("cost", "nothing happens"), {}).get(key) for s in systems]
        print(f"{'':5}{label:34}" + "".join(f" | {form.format(v) if v is not None else '-':>24}" for v in values))
    for s in systems:
        for (scenario, what), row in results[s]["rows"].items():
            for text in row["broken"]:
                print(f"  {s}: {scenario} {what}: did not hold: {text}")
        for failure in results[s]["failures"]:
            print(f"  {s}: {failure['scenario']}: {failure['error']}")


def arguments():
    parser = argparse.ArgumentParser(description="The scenarios on evenkeel and keepalived, side by side")
    parser.add_argument("--sizes", default="6,240")
    parser.add_argument("--systems", default="evenkeel,keepalived")
    parser.add_argument("--scenarios", default="")
    parser.add_argument("--repeat", type=int, default=1)
    parser.add_argument("--family", type=int, choices=(4, 6), default=4)
    parser.add_argument("--advert", type=float, default=1.0, help="keepalived's advertisement interval")
    parser.add_argument("--json", default="")
    parser.add_argument("--list", action="store_true")
    return parser.parse_args()


def choose(names, system):
    known = scenarios.COMMON + (scenarios.OURS if system == "evenkeel" else [])
    if not names:
        return known
    return [s for s in known if s.__name__ in names.split(",")]


def note(step):
    sys.stderr.write(f"  {step.scenario:5}{step.what:34} gap {step.window.gap_ms:8.1f}  dual {step.window.dual_ms:8.1f}"
                     f"  moves {step.window.moves:4}{'  *' if step.window.stalled else ''}\n")
    for text in step.broken:
        sys.stderr.write(f"       did not hold: {text}\n")


def make_evenkeel(vips, count):
    return lambda lab: cluster.EvenkeelCluster(lab, vips, *pool_options(count))


def make_keepalived(vips, advert_s):
    return lambda lab: cluster.KeepalivedCluster(lab, vips, advert_s)


def other_benchmark(words):
    program = os.path.join(os.path.dirname(os.path.abspath(__file__)), OTHERS[words[0]])
    os.execv(sys.executable, [sys.executable, program] + words[1:])


def main():
    if sys.argv[1:2] and sys.argv[1] in OTHERS:
        other_benchmark(sys.argv[1:])
    options = arguments()
    if options.list:
        print("\n".join([s.__name__ for s in scenarios.COMMON + scenarios.OURS] + ["pin", "groups", *OTHERS]))
        return 0
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    out = dict(schema="evenkeel-bench/1", time=time.time(), family=options.family, runs=[])
    ours_good = True
    for count in (int(n) for n in options.sizes.split(",")):
        vips = cluster.addresses(count, options.family)
        results = {}
        for system in options.systems.split(","):
            sys.stderr.write(f"{system}, {count} addresses\n")
            make = make_evenkeel(vips, count) if system == "evenkeel" else make_keepalived(vips, options.advert)
            runs, failures = [], []
            for _ in range(options.repeat):
                chosen = choose(options.scenarios, system)
                steps, failed = run_one(make, vips, chosen, note) if chosen else ([], [])
                if system == "evenkeel":
                    more, failed_more = run_own_labs(count, options.family, options.scenarios, note)
                    steps, failed = steps + more, failed + failed_more
                runs.append(steps)
                failures += failed
            results[system] = dict(rows=worst_of(runs), failures=failures)
            broken = failures or any(r["broken"] for r in results[system]["rows"].values())
            ours_good &= system != "evenkeel" or not broken
            out["runs"].append(dict(system=system, count=count, failures=failures,
                                    steps=[s.as_dict() for run in runs for s in run if s.window.result]))
        print_table(count, options.family, results, options.advert)
    if options.json:
        with open(options.json, "w", encoding="utf-8") as f:
            json.dump(out, f, indent=1)
        print(f"\nall figures: {options.json}")
    return 0 if ours_good else 1


if __name__ == "__main__":
    sys.exit(main())
