# SPDX-License-Identifier: GPL-2.0-or-later
"""What the lease costs: no system call of its own, since the kernel renews it when the advertisement leaves. Counted by
strace on a worker that holds its addresses while nothing happens."""
import os
import re
import shutil
import time

import pytest

import lease
import rig

pytestmark = [
    pytest.mark.skipif(os.geteuid() != 0, reason="network namespaces need root"),
    pytest.mark.skipif(not rig.find_program("evenkeeld"), reason="evenkeeld is not built"),
    pytest.mark.skipif(not shutil.which("strace"), reason="strace is not installed"),
]

SECONDS = 6
EVERYDAY = {"epoll_wait", "epoll_pwait", "epoll_pwait2", "timerfd_settime", "recvmmsg", "sendmmsg", "clock_gettime", "read"}
NETLINK = {"sendmsg", "sendto", "recvmsg", "recvfrom", "poll", "ppoll"}  # of the kernel's thread: only when something is to do


def count_calls(host, pid):
    """{name: number of calls} of all threads in SECONDS."""
    # strace stops the worker at each call: it must not be the one that is waited for.
    done = host.run("timeout", "-s", "INT", str(SECONDS), "chrt", "--rr", "20", "strace", "-f", "-c", "-p", str(pid), check=False)
    rows = re.findall(r"^ *[\d.]+ +[\d.]+ +\d+ +(\d+) +(?:\d+ +)?(\w+)$", done.stderr, re.MULTILINE)
    assert rows, done.stderr
    return {name: int(calls) for calls, name in rows if name != "total"}


def renewals(host):
    """Times that an element of `alive` was renewed: in a pool by the member, of instances by each."""
    table = re.search(r"evenkeel_\S+", host.run("nft", "list", "tables", "netdev").stdout)[0]
    rules = host.run("nft", "list", "table", "netdev", table).stdout
    return sum(int(n) for n in re.findall(r"update @alive .*counter packets (\d+)", rules)
               + re.findall(r"counter packets (\d+) .*update @alive", rules))


CELLS = [lease.Cell(6), lease.Cell(240), lease.InstanceCell(240)]


@pytest.mark.parametrize("cell", CELLS, ids=lambda c: "-".join(str(c).split()))
def test_lease__while_nothing_happens__no_system_call_for_it(cell):
    with lease.Field(cell) as field:
        owners = field.place.wait_settled()
        name = max(owners, key=lambda n: len(owners[n]))
        host, daemon = field.lab.host[name], field.system.hosts[name]
        rig.pause([field.watch.child.pid])  # its questions would wake the worker
        rig.pace(7)  # the last announcement is 5 s after a take-over
        before = renewals(host)
        began = time.monotonic()
        calls = count_calls(host, daemon.workers()[0])
        intervals = (time.monotonic() - began) * 1000 / field.system.member_interval_ms
        renewed = renewals(host) - before
        rig.resume([field.watch.child.pid])
        print(f"\n{cell}, {intervals:.0f} member intervals: {calls}, renewed {renewed} times")
        assert renewed >= intervals - 3, "the lease was renewed all the time"
        assert not set(calls) & NETLINK, calls
        assert set(calls) <= EVERYDAY, calls
