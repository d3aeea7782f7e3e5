# SPDX-License-Identifier: GPL-2.0-or-later
"""A terminal for tests: runs a program on a pseudo terminal and shows what a person would see.

Knows only the control sequences that keelctl watch may use, and fails at any other.
"""
import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import termios
import time

SEQUENCE = re.compile(rb"\x1b\[(\??)([0-9;]*)([A-Za-z])")


class Glass:
    """`with Glass(["keelctl", "watch"]) as glass: glass.wait_for("2 members")`."""

    def __init__(self, command, width=80, height=24, **environment):
        self.width, self.height = width, height
        self.master, self.slave = pty.openpty()
        self._set_size()
        self.settings = termios.tcgetattr(self.slave)
        self.taken = self.hidden = False  # the alternate screen, the cursor
        self.pending, self.raw = b"", b""
        self._clear()
        env = {**os.environ, "TERM": "xterm", "LANG": "C.UTF-8", **environment}
        env.pop("LC_ALL", None)
        self.child = subprocess.Popen(command, stdin=self.slave, stdout=self.slave, stderr=self.slave, env=env,
                                      start_new_session=True, preexec_fn=self._lead)

    def _lead(self):
        for number in (signal.SIGINT, signal.SIGQUIT):  # ignored when the tests run in the background of a script
            signal.signal(number, signal.SIG_DFL)
        fcntl.ioctl(0, termios.TIOCSCTTY, 0)

    def __enter__(self):
        return self

    def __exit__(self, *problem):
        if self.child.poll() is None:
            self.child.kill()
        self.child.wait()
        os.close(self.master)
        os.close(self.slave)

    def _set_size(self):
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", self.height, self.width, 0, 0))

    def _clear(self):
        self.cells = [[" "] * self.width for _ in range(self.height)]
        self.row = self.column = 0

    def resize(self, width, height):
        self.width, self.height = width, height
        self._clear()
        self._set_size()  # the kernel tells the program

    def _obey(self, private, numbers, letter):
        if private:
            on = letter == b"h"
            if numbers == b"1049":
                self.taken = on
                self._clear()
            elif numbers == b"25":
                self.hidden = not on
            else:
                assert numbers == b"7", numbers
        elif letter == b"H":
            parts = [int(n or 1) for n in numbers.split(b";")] + [1]
            self.row, self.column = parts[0] - 1, parts[1] - 1
        elif letter == b"J":
            assert numbers == b"2"
            self.cells = [[" "] * self.width for _ in range(self.height)]
        elif letter == b"K":
            self.cells[self.row][self.column:] = [" "] * (self.width - self.column)
        else:
            assert letter == b"m", letter

    def _show(self, data):
        while data:
            if data[:1] == b"\x1b":
                match = SEQUENCE.match(data)
                if not match:
                    assert len(data) < 16, data[:16]
                    break
                self._obey(match[1], match[2], match[3])
                data = data[match.end():]
                continue
            size = 1 if data[0] < 0x80 else 2 if data[0] < 0xe0 else 3 if data[0] < 0xf0 else 4
            if len(data) < size:
                break
            character = data[:size].decode()
            if character == "\n":
                self.row, self.column = min(self.row + 1, self.height - 1), self.column
            elif character == "\r":
                self.column = 0
            elif self.row < self.height and self.column < self.width:
                self.cells[self.row][self.column] = character
                self.column += 1
            data = data[size:]
        self.pending = data

    def read(self, seconds=0.05):
        """Takes in what the program writes; how many bytes."""
        count, end = 0, time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0 and select.select([self.master], [], [], left)[0]:
            data = os.read(self.master, 65536)
            count += len(data)
            self.raw += data
            self._show(self.pending + data)
        return count

    def text(self):
        return "\n".join("".join(row).rstrip() for row in self.cells)

    def wait_for(self, condition, deadline_s=10):
        """A text, or a function of the glass."""
        end = time.monotonic() + deadline_s
        while True:
            self.read()
            if condition(self) if callable(condition) else condition in self.text():
                return
            assert time.monotonic() < end, f"not within {deadline_s} s: {condition}; the terminal shows\n{self.text()}"

    def press(self, keys):
        os.write(self.master, keys.encode())

    def tell(self, signum):
        os.kill(self.child.pid, signum)

    def wait_end(self, deadline_s=10):
        """The exit status; negative: the signal."""
        end = time.monotonic() + deadline_s
        while self.child.poll() is None:
            assert time.monotonic() < end, "the program goes on"
            self.read()
        self.read()
        return self.child.returncode

    def is_as_before(self):
        return not self.taken and not self.hidden and termios.tcgetattr(self.slave) == self.settings

    def wait_stopped(self):
        def stopped(_):
            with open(f"/proc/{self.child.pid}/stat", encoding="ascii") as f:
                return f.read().rsplit(")", 1)[1].split()[0] == "T"
        self.wait_for(stopped)


ENDS = {"q": None, "Ctrl-C": signal.SIGINT, "SIGTERM": signal.SIGTERM, "SIGHUP": signal.SIGHUP, "SIGQUIT": signal.SIGQUIT,
        "a crash": signal.SIGSEGV, "an abort": signal.SIGABRT}
