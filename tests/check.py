#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Runs every test and says at the end "N passed, N failed". Called by ./bootstrap check.

    check.py [STEP...]      all steps, or the named ones (check.py --list)

Every step's whole output is in build/check/STEP.log; what failed is shown. A step that crashes counts as one failure.
Tests that cannot run here are counted as skipped, with the reason.
"""
import os
import re
import subprocess
import sys
import threading
import time

TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
BUILD = os.path.join(TOP, "build")
LOGS = os.path.join(BUILD, "check")
PYTEST = ["/usr/bin/python3", "-m", "pytest", "-q", "-rsx", "--durations=12", "-p", "no:cacheprovider", "--color=no"]
FUZZ_SECONDS = int(os.environ.get("EVENKEEL_FUZZ_SECONDS", "60"))
FUZZ_TARGETS = ("wire", "frame", "config", "request", "compat")
# LAN tests of parts; those that ask for facts and not for times, which can share the machine; all others have it alone.
PARTS = ["kernel", "kernel_set", "kernel_policy", "packet"]
FACTS = {
    "lan-wire": ["conformance", "conformance_wire", "wire", "bad_input", "privilege"],
    "lan-instances": ["conformance_instances", "instances", "instances_alone"],
    "lan-peers": ["strangers", "mistakes", "schemas", "snmp", "mib", "audit", "watch", "tool"],
    "lan-scripts": ["scripts", "scripts_instances"],
    "lan-metrics": ["exporter", "exporter_page", "prometheus"],
    "interop": ["interop"],
}


def lan_files():
    names = os.listdir(os.path.join(TOP, "tests", "lan"))
    return [n[len("test_"):-len(".py")] for n in names if n.startswith("test_") and n.endswith(".py")]


def lan_tests(names):
    return PYTEST + [f"tests/lan/test_{name}.py" for name in names]


class Step:
    def __init__(self, name, purpose, command, limit_s, directory=TOP, environment=None, together=None):
        self.name, self.purpose, self.command, self.limit_s = name, purpose, command, limit_s
        self.directory, self.environment, self.together = directory, environment or {}, together
        self.passed = self.failed = self.skipped = 0


def count_results(text, status):
    """Adds up what the runners print: cmocka, pytest, the simulator's and our own 'N passed, N failed'."""
    passed = failed = skipped = 0
    for line in text.splitlines():
        if match := re.match(r"\[  PASSED  \] (\d+) test", line):
            passed += int(match[1])
        elif match := re.match(r"\[  FAILED  \] \w+: (\d+) test|\[  FAILED  \] (\d+) test", line):
            failed += int(match[1] or match[2])
        elif re.match(r"^(=* ?)?(\d+ (passed|failed|skipped|error|errors|warnings?|deselected)(, )?)+", line.strip()):
            for number, word in re.findall(r"(\d+) (passed|failed|skipped|xfailed|error)", line):
                if word == "passed":
                    passed += int(number)
                elif word in ("skipped", "xfailed"):  # a known limit is no success
                    skipped += int(number)
                else:
                    failed += int(number)
    if passed + failed == 0:  # a lint, a build, a fuzzer: it is one test
        passed, failed = (1, 0) if status == 0 else (0, 1)
    elif status != 0 and failed == 0:
        failed = 1
    return passed, failed, skipped


def print_file(path):
    if os.path.exists(path):
        with open(path, encoding="utf-8") as f:
            print(f.read(), flush=True)


def run(step):
    os.makedirs(LOGS, exist_ok=True)
    log_path = os.path.join(LOGS, step.name + ".log")
    started = time.monotonic()
    with open(log_path, "w", encoding="utf-8") as log:
        process = subprocess.Popen(step.command, cwd=step.directory, stdout=log, stderr=subprocess.STDOUT,
                                   stdin=subprocess.DEVNULL, env={**os.environ, "EVENKEEL_BUILD": BUILD, **step.environment},
                                   start_new_session=True)
        done = threading.Event()

        def tell():
            while not done.wait(20):
                print(f"   {step.name}: {time.monotonic() - started:.0f} s ...", flush=True)

        threading.Thread(target=tell, daemon=True).start()
        try:
            status = process.wait(timeout=step.limit_s)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, 15)
            try:
                process.wait(timeout=10)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, 9)
            status = 124
            log.write(f"\nended after its limit of {step.limit_s} s\n")
        done.set()
    with open(log_path, encoding="utf-8", errors="replace") as log:
        text = log.read()
    step.passed, step.failed, step.skipped = count_results(text, status)
    verdict = "ok" if step.failed == 0 else "FAILED"
    skipped = f", {step.skipped} skipped" if step.skipped else ""
    print(f"{verdict:6} {step.name:12} {step.passed:5} passed, {step.failed} failed{skipped}"
          f"  ({time.monotonic() - started:.1f} s)  {step.purpose}", flush=True)
    for line in text.splitlines():
        if line.startswith(("SKIPPED", "XFAIL")):
            print("       " + line, flush=True)
    if step.failed:
        print("\n".join("   | " + l for l in text.splitlines()[-60:]), flush=True)
    if step.name == "interop":  # what it is run for
        print_file(os.path.join(LOGS, "interop.txt"))


def steps():
    clang = os.path.join(TOP, "build-clang")
    configure_clang = (f"mkdir -p {clang} && cd {clang} && ( [ config.status -nt {TOP}/configure ] || {TOP}/configure -q"
                       " --enable-werror --enable-sanitizers CC=clang CFLAGS='-O1 -g' )"
                       " && make -s -j2 all && make -s -j2 check-programs")
    yield Step("make-check", "unit tests, simulator over all profiles, planted bugs caught, lints", ["make", "-s", "check-all"],
               600, BUILD)
    yield Step("clang-asan", "clang, no warning, ASan and UBSan: unit tests and simulator",
               ["bash", "-c", configure_clang + " && make -s check-sanitized"], 600,
               environment={"UBSAN_OPTIONS": "halt_on_error=1:print_stacktrace=1"})
    for target in FUZZ_TARGETS:
        yield Step("fuzz-" + target, f"{FUZZ_SECONDS} s of fuzzing, ASan and UBSan",
                   ["bash", "-c", f"make -s -C {clang} fuzz_{target} && mkdir -p {clang}/corpus-{target} && {clang}/fuzz_{target}"
                    f" -max_total_time={FUZZ_SECONDS} -timeout=5 -rss_limit_mb=2048 -print_final_stats=1 {clang}/corpus-{target}"],
                   FUZZ_SECONDS + 180, together="fuzz")
    yield Step("lan-parts", "kernel, filter and packets in network namespaces", lan_tests(PARTS), 300)
    for name, files in FACTS.items():
        yield Step(name, "facts, whatever the time they take: " + ", ".join(files), lan_tests(files), 600, together="facts")
    rest = sorted(set(lan_files()) - set(sum(FACTS.values(), PARTS)))
    yield Step("lan", "faults and caches, judged by the witness", lan_tests(rest), 1200)
    yield Step("demo", "the main job", ["/usr/bin/python3", "tests/lan/demo.py"], 240)
    # Needs no clock either, and mostly one of the cores.
    yield Step("distcheck", "the release's archive builds and passes its tests elsewhere", ["make", "-s", "distcheck"], 900, BUILD,
               together="facts")


def main():
    chosen = sys.argv[1:]
    everything = list(steps())
    if chosen == ["--list"]:
        for step in everything:
            print(f"{step.name:12} {step.purpose}")
        return 0
    unknown = set(chosen) - {s.name for s in everything}
    if unknown:
        print(f"check.py: no step {', '.join(sorted(unknown))}; see check.py --list", file=sys.stderr)
        return 64
    selected = [s for s in everything if not chosen or s.name in chosen]
    done = set()
    for step in selected:
        group = [s for s in selected if s is step or (step.together and s.together == step.together)]
        if step in done:
            continue
        threads = [threading.Thread(target=run, args=(s,)) for s in group]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        done.update(group)
    passed, failed, skipped = (sum(getattr(s, k) for s in selected) for k in ("passed", "failed", "skipped"))
    print(f"{passed} passed, {failed} failed" + (f", {skipped} skipped" if skipped else ""), flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
