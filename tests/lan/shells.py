# SPDX-License-Identifier: GPL-2.0-or-later
"""What each shell would offer for the last word of a keelctl command line. zsh completes only while somebody types, so it gets
a terminal."""
import os
import pty
import select
import shutil
import subprocess
import time

import rig

FOLDER = os.path.join(rig.SOURCE_DIR, "conf", "completion")
SHELLS = ("bash", "zsh", "fish")
BASH = ("source {folder}/keelctl.bash; COMP_WORDS=(\"$@\"); COMP_CWORD=$(($# - 1)); _keelctl; "
        "printf '%s\\n' \"${{COMPREPLY[@]}}\"")
FISH = "source {folder}/keelctl.fish; complete -C \"$argv[2]\""
# Every match goes to a file, past zsh's own drawing; the widget says when it is through.
ZSH = """
PS1= ; zstyle ':completion:*' completer _complete; unsetopt beep
fpath=({folder} $fpath); autoload -Uz compinit; compinit -u -D
compadd() {{
    case " ${{(j: :)@[1,(i)(-|--)]}}" in
    *' -'[a-zA-Z]#[OAD]\\ *) builtin compadd "$@"; return ;;
    esac
    local -a __matches
    builtin compadd -A __matches "$@"
    print -rl -- $__matches >>{out}
    builtin compadd "$@"
}}
setopt extended_glob
told() {{ zle complete-word; print -r -- END >>{out}; zle kill-whole-line }}
zle -N told; bindkey '^I' told; : >{out}; print -r -- READY >>{out}
"""


def has(shell):
    return shutil.which(shell) is not None


def environment():
    tool = os.path.dirname(rig.find_program("keelctl"))
    return {**os.environ, "PATH": f"{tool}:{os.environ['PATH']}", "TERM": "dumb", "LC_ALL": "C.UTF-8"}


def run(*command):
    return subprocess.run(command, capture_output=True, text=True, timeout=20, check=True, env=environment()).stdout


class Zsh:
    """One interactive zsh for all questions, since it takes a while to start."""

    def __init__(self, folder):
        self.out = os.path.join(folder, "matches")
        rc = os.path.join(folder, "setup.zsh")
        with open(rc, "w", encoding="ascii") as f:
            f.write(ZSH.format(folder=FOLDER, out=self.out))
        self.master, slave = pty.openpty()
        self.child = subprocess.Popen(["zsh", "-f", "-i", "-o", "no_prompt_sp"], stdin=slave, stdout=slave, stderr=slave,
                                      env=environment(), start_new_session=True)
        os.close(slave)
        self.type(f"source {rc}\n", "READY")

    def type(self, text, end):
        os.write(self.master, text.encode())
        deadline = time.monotonic() + 20
        while True:
            if select.select([self.master], [], [], 0.02)[0]:
                os.read(self.master, 65536)
            lines = []
            if os.path.exists(self.out):
                with open(self.out, encoding="utf-8") as f:
                    lines = f.read().split("\n")
            if end in lines:
                return set(lines) - {end, ""}
            assert time.monotonic() < deadline, f"zsh says nothing to {text!r}"

    def complete(self, line):
        open(self.out, "w", encoding="ascii").close()
        return self.type(line + "\t", "END")

    def close(self):
        self.child.kill()
        self.child.wait()
        os.close(self.master)


def complete(shell, zsh, run_dir, *words):
    words = ("keelctl", "--run-dir", run_dir, *words)
    if shell == "bash":
        return set(run("bash", "--norc", "-c", BASH.format(folder=FOLDER), "bash", *words).split())
    if shell == "zsh":
        return zsh.complete(" ".join(words))
    lines = run("fish", "--no-config", "-c", FISH.format(folder=FOLDER), "fish", " ".join(words)).splitlines()
    return {line.split("\t")[0] for line in lines}
