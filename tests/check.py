#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Runs every test and says at the end "N passed, N failed". Called by ./bootstrap check.

    check.py [STEP...]      all steps, or the named ones (check.py --list)

Every step's whole output is in build/check/STEP.log; what failed is shown. A step that crashes counts as one failure.
Tests that cannot run here are counted as skipped, with the reason.
"""
import os
import re
import signal
import subprocess
import sys
import threading
import time

TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
BUILD = os.path.join(TOP, "build")
LOGS = os.path.join(BUILD, "check")
CLANG = os.path.join(TOP, "build-clang")
PYTEST = ["/usr/bin/python3", "-m", "pytest", "-q", "-rfEsx", "--durations=12", "-p", "no:cacheprovider", "--color=no"]
FUZZ_SECONDS = int(os.environ.get("EVENKEEL_FUZZ_SECONDS", "60"))
TELL_S = 60  # how often it is said what runs
# Lines of cmocka, pytest, the simulator, lints, compilers and sanitizers that say what failed.
TELLING = re.compile(r"^(FAILED|ERROR|FAIL)\b|^\[ *(FAILED|ERROR|LINE) *\]|^_+ \S+ _+$|^E {3,}[^ +]|^\S+:\d+: (?!in )\S"
                     r"|\berror: |runtime error|Sanitizer|^make.*\*\*\*|^Traceback|^\w*(Error|Exception): |^ended after")
TELLING_LINES, TAIL_LINES = 60, 15
FUZZ_TARGETS = ("wire", "frame", "config", "request", "compat")
# LAN tests that ask for facts and not for times: they can share the machine with programs that use it up.
FACTS = {
    "lan-parts": ["kernel", "kernel_links", "kernel_set", "kernel_policy", "packet"],
    "lan-wire": ["conformance", "conformance_wire", "wire", "bad_input", "privilege"],
    "lan-instances": ["conformance_instances", "instances", "instances_alone", "macvlan"],
    "lan-peers": ["strangers", "mistakes"],
    "lan-tools": ["schemas", "snmp", "mib", "audit", "watch", "tool"],
    "lan-scripts": ["scripts", "scripts_instances"],
    "lan-metrics": ["exporter", "exporter_page", "prometheus"],
    "interop": ["interop"],
}
# Those that are judged by their times mostly wait. Some labs beside each other use a fraction of a core, their daemons and the
# witness have a claim to it that nothing of ordinary priority takes from them, and while small gaps are measured no lab comes or
# goes (rig.undisturbed).
JUDGED = {
    "lan-scenarios": ["scenarios"],
    "lan-lease": ["lease", "caches"],
}
JUDGED_REST = "lan-faults"  # of the files that are in no list


def lan_files():
    names = os.listdir(os.path.join(TOP, "tests", "lan"))
    return [n[len("test_"):-len(".py")] for n in names if n.startswith("test_") and n.endswith(".py")]


def lan_tests(names):
    return PYTEST + [f"tests/lan/test_{name}.py" for name in names]


class Step:
    def __init__(self, name, purpose, command, limit_s, directory=TOP, environment=None):
        self.name, self.purpose, self.command, self.limit_s = name, purpose, command, limit_s
        self.directory, self.environment = directory, environment or {}
        self.log = os.path.join(LOGS, name + ".log")
        self.passed, self.failed, self.skipped, self.findings = 0, 1, 0, ["it did not run"]  # until it has


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


def read_lines(path):
    if not os.path.exists(path):
        return []
    with open(path, encoding="utf-8") as f:
        return f.read().splitlines()


def telling(lines):
    """The lines that say what failed, or the last ones when none is known to."""
    found = list(dict.fromkeys(re.sub("_{4,}", "___", line) for line in lines if TELLING.search(line)))
    return found[:TELLING_LINES] or lines[-TAIL_LINES:]


def end(process):
    """The whole session of a step."""
    os.killpg(process.pid, signal.SIGTERM)
    try:
        process.wait(timeout=10)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)


def run(step):
    os.makedirs(LOGS, exist_ok=True)
    started = time.monotonic()
    with open(step.log, "w", encoding="utf-8") as log:
        process = subprocess.Popen(step.command, cwd=step.directory, stdout=log, stderr=subprocess.STDOUT,
                                   stdin=subprocess.DEVNULL, start_new_session=True,
                                   env={**os.environ, "EVENKEEL_BUILD": BUILD, "COLUMNS": "200", **step.environment})
        try:
            status = process.wait(timeout=step.limit_s)
        except subprocess.TimeoutExpired:
            end(process)
            status = 124
            log.write(f"\nended after its limit of {step.limit_s} s\n")
    with open(step.log, encoding="utf-8", errors="replace") as log:
        text = log.read()
    step.passed, step.failed, step.skipped = count_results(text, status)
    lines = text.splitlines()
    report = [f"{'FAILED' if step.failed else 'ok':6} {step.name:14} {step.passed:5} passed, {step.failed} failed"
              + (f", {step.skipped} skipped" if step.skipped else "")
              + f"  ({time.monotonic() - started:.1f} s)  {step.purpose}"]
    report += ["       " + line for line in lines if line.startswith(("SKIPPED", "XFAIL"))]
    if step.failed:
        step.findings = telling(lines)
        report += ["   | " + line for line in lines[-60:]]
    if step.name == "interop":  # what it is run for
        report += read_lines(os.path.join(LOGS, "interop.txt"))
    print("\n".join(report), flush=True)


def programs():
    """Unit tests, lints and the simulator; they use up the cores."""
    configure_clang = (f"mkdir -p {CLANG} && cd {CLANG} && ( [ config.status -nt {TOP}/configure ] || {TOP}/configure -q"
                       " --enable-werror --enable-sanitizers CC=clang CFLAGS='-O1 -g' )"
                       " && make -s -j2 all && make -s -j2 check-programs")
    return [[Step("make-check", "unit tests, simulator over all profiles, planted bugs caught, lints",
                  ["bash", "-c", "make -s -j2 check-programs && make -s check-all"], 600, BUILD)],
            [Step("clang-asan", "clang, no warning, ASan and UBSan: unit tests and simulator",
                  ["bash", "-c", configure_clang + " && make -s check-sanitized"], 1200,
                  environment={"UBSAN_OPTIONS": "halt_on_error=1:print_stacktrace=1"})]]


# To all others: programs by their niceness, sessions by that of the group that the kernel may make of each.
GIVE_WAY = "{ echo 10 >/proc/self/autogroup; } 2>/dev/null; exec nice -n 10"


def fuzzers():
    """One after the other, each on one of the cores when nobody else wants it."""
    return [Step("fuzz-" + target, f"{FUZZ_SECONDS} s of fuzzing, ASan and UBSan",
                 ["bash", "-c", f"make -s -C {CLANG} fuzz_{target} && mkdir -p {CLANG}/corpus-{target} || exit; {GIVE_WAY}"
                  f" {CLANG}/fuzz_{target} -max_total_time={FUZZ_SECONDS} -timeout=5 -rss_limit_mb=2048 -print_final_stats=1"
                  f" {CLANG}/corpus-{target}"], FUZZ_SECONDS + 300) for target in FUZZ_TARGETS]


def lan_lanes(groups, purpose):
    return [[Step(name, f"{purpose}: " + ", ".join(files), lan_tests(files), 900)] for name, files in groups.items()]


def stages():
    """What runs when: stages one after the other, in each its lanes side by side, in each of those its steps in turn."""
    facts = lan_lanes(FACTS, "facts, whatever the time they take")
    # Needs no clock either, and mostly one of the cores.
    facts.append([Step("distcheck", "the release's archive builds and passes its tests elsewhere", ["make", "-s", "distcheck"],
                       900, BUILD, {"VERBOSE": "1"})])
    rest = sorted(set(lan_files()) - set(sum([*FACTS.values(), *JUDGED.values()], [])))
    judged = lan_lanes({**JUDGED, JUDGED_REST: rest}, "judged by the witness")
    judged[-1].append(Step("demo", "the main job", ["/usr/bin/python3", "tests/lan/demo.py"], 240))
    return [programs(), facts, judged + [fuzzers()]]


class Runner:
    """Runs stages, and tells what it is at while it waits."""

    def __init__(self):
        self.began, self.running = time.monotonic(), []

    def lane(self, steps):
        for step in steps:
            self.running.append(step.name)
            run(step)
            self.running.remove(step.name)

    def stage(self, lanes):
        threads = [threading.Thread(target=self.lane, args=(steps,)) for steps in lanes]
        for thread in threads:
            thread.start()
        told = time.monotonic()
        for thread in threads:
            while thread.is_alive():
                thread.join(1)
                if time.monotonic() >= told + TELL_S:
                    told = time.monotonic()
                    print(f"   {told - self.began:.0f} s: {', '.join(self.running)}", flush=True)


def main():
    chosen = sys.argv[1:]
    plan = stages()
    everything = [step for lanes in plan for steps in lanes for step in steps]
    if chosen == ["--list"]:
        for step in everything:
            print(f"{step.name:14} {step.purpose}")
        return 0
    unknown = set(chosen) - {s.name for s in everything}
    if unknown:
        print(f"check.py: no step {', '.join(sorted(unknown))}; see check.py --list", file=sys.stderr)
        return 64
    selected = [s for s in everything if not chosen or s.name in chosen]
    runner = Runner()
    for lanes in plan:
        runner.stage([[step for step in steps if step in selected] for steps in lanes])
    passed, failed, skipped = (sum(getattr(s, k) for s in selected) for k in ("passed", "failed", "skipped"))
    for step in selected:
        if step.failed:
            print(f"failed in {step.name} (all of it: {os.path.relpath(step.log, TOP)}):")
            print("\n".join("   | " + line for line in step.findings), flush=True)
    print(f"{passed} passed, {failed} failed" + (f", {skipped} skipped" if skipped else ""), flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
