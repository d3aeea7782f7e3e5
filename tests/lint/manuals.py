#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Does every manual page have the options and commands that its program's --help has, and no others? Called by lint.sh in a
build folder; a program that was not built is passed over.

    manuals.py SOURCE_DIR
"""
import os
import re
import subprocess
import sys

PAGES = {"evenkeeld": "evenkeeld.8.in", "keelctl": "keelctl.8", "evenkeel-exporter": "evenkeel-exporter.8",
         "evenkeel-snmp": "evenkeel-snmp.8"}
OPTION = re.compile(r"(?<![\w-])(--[a-z][a-z-]*[a-z]|-[a-zA-Z])(?![\w-])")


def help_of(program, *words):
    return subprocess.run([f"./{program}", *words, "--help"], capture_output=True, text=True, check=True, timeout=20).stdout


def commands_of(text):
    return re.findall(r"^  ([a-z]+) ", text, re.MULTILINE)


def options_of(text):
    """Those that a line of --help is about: what stands before its explanation."""
    forms = [re.split(r"\s{2,}", line.strip())[0] for line in text.splitlines() if re.match(r"\s+-", line)]
    return {option for form in forms for option in OPTION.findall(form)}


def page_text(path):
    """The page without fonts, quotes and escapes; its macros stay."""
    with open(path, encoding="utf-8") as file:
        return re.sub(r"\\f.|\"", "", file.read().replace("\\-", "-"))


def compare(program, path):
    text = help_of(program)
    commands = commands_of(text) if program == "keelctl" else []
    wanted = options_of(text).union(*(options_of(help_of(program, command)) for command in commands))
    page = page_text(path)
    found = set(OPTION.findall(page))
    for option in sorted(wanted - found):
        yield f"{path}: {option} is in --help and not in the manual"
    for option in sorted(o for o in found - wanted if o.startswith("--")):
        yield f"{path}: {option} is in the manual and not in --help"
    for command in commands:
        if not re.search(rf"^\.TP\n\.B[A-Z]? {command}\b", page, re.MULTILINE):
            yield f"{path}: the command {command} is not in the manual"


def main():
    problems = [problem for program, page in PAGES.items() if os.access(program, os.X_OK)
                for problem in compare(program, os.path.join(sys.argv[1], "doc", page))]
    for problem in problems:
        print(problem)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
