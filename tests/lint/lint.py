#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The rules of the house, held by machine. Each rule gives its reason in its message; exit 1 when one is broken.

    lint.py [--core-archive LIBCORE.A [--base-archive LIBBASE.A]]

With the archives it also checks that the core calls nothing but base and a handful of memory functions: no clock, no
socket, no allocation, no global that can be written.
"""
import argparse
import os
import re
import subprocess
import sys

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

# folder -> folders whose headers it may include ("daemon" sees everything below it; tests see all)
MAY_INCLUDE = {
    "src/base": {"base"},
    "src/core": {"base", "core"},
    "src/config": {"base", "core", "config"},
    "src/platform": {"base", "core", "config", "platform"},
    "src/daemon": {"base", "core", "config", "platform", "daemon"},
    "src/ctl": {"base", "client", "core", "config", "ctl", "snmp"},
    "src/client": {"client"},  # whoever asks the daemon: it knows the control socket's protocol and nothing of the daemon
    "src/snmp": {"base", "client", "snmp"},
    "src/exporter": {"base", "client", "exporter"},
    "keepalived-compat": {"base", "core", "config", "ctl", "daemon"},
}
# Headers of the core that platform may know: what a level is, how settings look. Not the protocol.
PLATFORM_CORE = {"core/effect.h", "core/settings.h"}
# The C library's own headers that the pure folders may use.
PURE_HEADERS = {"stdbool.h", "stddef.h", "stdint.h", "string.h", "limits.h", "stdio.h", "stdlib.h", "arpa/inet.h",
                "assert.h", "sys/socket.h"}
CORE_HEADERS = {"assert.h", "stdbool.h", "stddef.h", "stdint.h", "string.h", "limits.h"}
# One library, one place: header prefix -> files that may include it.
LIBRARY_HOMES = {
    r"netlink/|libnl": r"src/platform/netlink\w*\.[ch]$",
    r"libnftnl/|libmnl/": r"src/platform/filter\w*\.[ch]$",
    r"cap-ng\.h": r"src/platform/privilege\.c$",
    r"event2/": r"src/(daemon/(loop|control|control_socket)|exporter/http)\.[ch]$",
    r"jansson\.h": r"src/(daemon/(\w*json|state)\.[ch]|ctl/\w+\.[ch]|client/control\.c|snmp/(snapshot\w*json|notice|main)\.[ch]"
                   r"|exporter/(metrics_\w+|page|source)\.[ch])$",
    r"net-snmp/": r"src/snmp/agent\.c$",
    r"libsmartcols": r"src/ctl/table\.[ch]$",
}
CORE_SYMBOLS = {"memcpy", "memmove", "memset", "memcmp", "__stack_chk_fail", "_GLOBAL_OFFSET_TABLE_"}
KEEPALIVED_WORDS = re.compile(r"\b(MASTER|vrrp_instance|vrrp_sync_group|vrrp_script|nopreempt|virtual_server)\b")
MAX_LINES = 600
MAX_WIDTH_C = 120
MAX_WIDTH = {".py": 132, ".js": 132, ".css": 132, ".html": 132}

problems = []


def problem(path, line, text):
    problems.append(f"{os.path.relpath(path, TOP)}:{line}: {text}")


def tracked(*suffixes):
    out = subprocess.run(["git", "-C", TOP, "ls-files", "-co", "--exclude-standard"], capture_output=True, text=True)
    names = out.stdout.splitlines() if out.returncode == 0 else walk()
    return [os.path.join(TOP, n) for n in names if n.endswith(suffixes) and os.path.exists(os.path.join(TOP, n))]


def walk():
    for root, dirs, files in os.walk(TOP):
        dirs[:] = [d for d in dirs if not d.startswith((".", "_", "build"))]
        for name in files:
            yield os.path.relpath(os.path.join(root, name), TOP)


def check_includes(path, folder, number, line):
    relative = os.path.relpath(path, TOP)
    quoted = re.match(r'\s*#\s*include\s+"([^"]+)"', line)
    angled = re.match(r"\s*#\s*include\s+<([^>]+)>", line)
    if quoted and folder in MAY_INCLUDE and "/" in quoted[1]:
        if quoted[1].split("/")[0] not in MAY_INCLUDE[folder] and quoted[1] != "platform/clock.h":
            problem(path, number, f"{folder} must not know {quoted[1]}: dependencies point one way")
        if folder == "src/platform" and quoted[1].startswith("core/") and quoted[1] not in PLATFORM_CORE:
            problem(path, number, f"platform and core meet only in daemon: {quoted[1]}")
    if not angled:
        return
    if folder == "src/core" and angled[1] not in CORE_HEADERS:
        problem(path, number, f"the core is pure: <{angled[1]}>")
    if folder == "src/base" and angled[1] not in PURE_HEADERS:
        problem(path, number, f"base is pure: <{angled[1]}>")
    for prefix, home in LIBRARY_HOMES.items():
        if relative.startswith("src/") and re.match(prefix, angled[1]) and not re.match(home, relative):
            problem(path, number, f"<{angled[1]}> belongs behind one file ({home})")


def check_file(path):
    relative = os.path.relpath(path, TOP)
    folder = os.path.dirname(relative)
    with open(path, encoding="utf-8") as file:
        lines = file.read().split("\n")
    if len(lines) > MAX_LINES:
        problem(path, len(lines), f"{len(lines)} lines: a file this long holds two things (limit {MAX_LINES})")
    if not any("SPDX-License-Identifier: GPL-2.0-or-later" in l for l in lines[:3]):
        problem(path, 1, "no SPDX line")
    for number, line in enumerate(lines, 1):
        limit = MAX_WIDTH.get(os.path.splitext(path)[1], MAX_WIDTH_C)
        if len(line) > limit:
            problem(path, number, f"{len(line)} columns (limit {limit})")
        if line != line.rstrip():
            problem(path, number, "white space at the end of the line")
        if re.search(r"\b(TODO|FIXME|XXX)\b", line) and "lint.py" not in relative:
            problem(path, number, "unfinished work is an issue, not a comment")
        if relative.startswith("tests/lan/") and relative != "tests/lan/rig.py" and "time.sleep(" in line:
            problem(path, number, "wait for a condition; if it is none, rig.linger() or rig.pace() says what it is")
        if relative.endswith((".c", ".h")):
            check_includes(path, folder, number, line)
            if re.match(r"\s*default:", line) and relative.startswith("src/core"):
                problem(path, number, "no default: in a switch over our own enum; let the compiler keep the list")
            if "\t" in line:
                problem(path, number, "a tab")
            if relative.startswith(("src/core", "src/base", "src/platform", "src/daemon")) and KEEPALIVED_WORDS.search(line):
                problem(path, number, "keepalived's words live in keepalived-compat only")


def check_core_symbols(core, base):
    def symbols(archive, *flags):
        out = subprocess.run([os.environ.get("NM", "nm"), *flags, archive], capture_output=True, text=True, check=True).stdout
        return [l.split() for l in out.splitlines() if l and not l.endswith(":")]

    defined = {s[-1] for a in filter(None, (core, base)) for s in symbols(a, "--defined-only")}
    for entry in symbols(core, "-u"):
        name = entry[-1]
        if name not in defined and name not in CORE_SYMBOLS and not name.startswith(("__asan", "__ubsan")):
            problem(core, 0, f"the core calls {name}: it may know no clock, socket, allocation or library")
    sysv = subprocess.run([os.environ.get("NM", "nm"), "-f", "sysv", "--defined-only", core], capture_output=True, text=True,
                          check=True).stdout
    for line in sysv.splitlines():  # tables of pointers are relocated once (.data.rel.ro) and read-only from then on
        columns = [c.strip() for c in line.split("|")]
        if len(columns) == 7 and re.match(r"\.(data|bss)(?!\.rel\.ro)|\*COM\*", columns[6]) and "san" not in columns[0]:
            problem(core, 0, f"the core has a global that can be written: {columns[0]}")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--core-archive")
    parser.add_argument("--base-archive")
    options = parser.parse_args()
    files = tracked(".c", ".h", ".py", ".sh", ".js", ".css", ".html", "bootstrap")
    for path in files:
        check_file(path)
    if options.core_archive:
        check_core_symbols(options.core_archive, options.base_archive)
    for text in problems:
        print(text)
    print(f"lint: {len(files)} files, {len(problems)} findings")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
