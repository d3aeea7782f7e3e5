# SPDX-License-Identifier: GPL-2.0-or-later
"""The scenarios, written once for the tests, the benchmark and the demo.

Each takes a Stage whose cluster is settled (but for cold_start), does one thing after the other in measured steps,
records facts, and leaves the cluster settled again. The numbers S1 to S16 are those of doc/development.md. """
import os
import time

import rig
from stage import spread


def others(stage, *names):
    return [n for n in stage.names if n not in names]


def node(stage, name):
    return stage.lab.host[name]


def check_orphans(stage, step, before, *gone):
    """Only the addresses of those who left have moved, each once, and they landed evenly."""
    orphans = {v for g in gone for v in before[g]}
    moved = step.window.moved()
    stage.expect(step, f"only orphans moved ({len(moved)} of {len(orphans)})", set(moved) <= orphans)
    stage.expect(step, "no second move", all(len(m) == 1 for m in moved.values()))
    owners = {}
    for vip, result in step.window.vips.items():
        owners.setdefault(result["owner"], []).append(vip)
    loads = [len(owners.get(n, [])) for n in others(stage, *gone)]
    stage.expect(step, f"survivors even {loads}", max(loads) - min(loads) <= 1 and sum(loads) == len(stage.vips))


def cold_start(stage):
    """S1"""
    began = time.monotonic()
    with stage.step("S1", "cold start") as step:
        for name in stage.names:
            stage.cluster.start(name)
        stage.wait_settled(still_s=0.3)
        step.extra["settled_s"] = round(time.monotonic() - began, 2)
    owners = stage.watch.owners()
    stage.expect(step, f"even { {h: len(v) for h, v in owners.items()} }", spread(owners) <= 1)


def crash_silent(stage, victim=None):
    """S2, and the healing of it (S6: the isolated one)"""
    victim = victim or stage.names[0]
    before = stage.wait_settled()
    with stage.step("S2", f"{victim} cut silently", gap_bound_ms=stage.cluster.crash_bound_ms()) as step:
        stage.lab.cut(node(stage, victim))
        stage.wait_served(others(stage, victim))
        stage.linger(1)
    check_orphans(stage, step, before, victim)
    with stage.step("S6", f"{victim} heard again", dual_bound_ms=member_bound(stage)) as step:
        stage.lab.heal()
        stage.linger(1)
        stage.wait_settled()
    step.fact("clients right within 1 s", step.window.stale_ms <= 1000 or not stage.cluster.ours)


def member_bound(stage):
    """One member interval, seen as finely as the witness listens; and a machine of two cores takes its time."""
    return stage.cluster.member_interval_ms + 3 * stage.watch.listen_ms + 40 if stage.cluster.ours else 0


def crash_carrier(stage, victim=None):
    """S2"""
    victim = victim or stage.names[1]
    before = stage.wait_settled()
    with stage.step("S2", f"{victim}'s cable pulled", gap_bound_ms=stage.cluster.crash_bound_ms()) as step:
        stage.lab.link_down(node(stage, victim))
        stage.wait_served(others(stage, victim))
        stage.linger(1)
    check_orphans(stage, step, before, victim)
    with stage.step("S6", f"{victim}'s cable back", dual_bound_ms=member_bound(stage)):
        stage.lab.link_up(node(stage, victim))
        stage.linger(1)
        stage.wait_settled()


def graceful_stop(stage, victim=None):
    """S3 by SIGTERM, S7 by the return"""
    victim = victim or stage.names[2]
    before = stage.wait_settled()
    bound = 10 if len(stage.vips) <= 12 else 30
    with stage.step("S3", f"{victim} stopped in order", gap_bound_ms=bound) as step:
        code = stage.cluster.stop(victim)
        stage.wait_served(others(stage, victim))
        stage.linger(0.5)
    left = node(stage, victim).addresses() & set(stage.vips)
    stage.expect(step, f"exit code {code} is 0", code == 0)
    stage.expect(step, f"no address left ({len(left)})", not left)
    check_orphans(stage, step, before, victim)
    join(stage, victim)


def join(stage, name):
    """S7: `name` is not running; its fair share moves to it, nothing else."""
    share = len(stage.vips) // len(stage.names)
    with stage.step("S7", f"{name} joins", gap_bound_ms=10 if len(stage.vips) <= 12 else None) as step:
        stage.cluster.start(name)
        stage.linger(0.5)
        stage.wait_settled(deadline_s=60)
    moved = step.window.moved()
    stage.expect(step, f"its fair share moved ({len(moved)})", share <= len(moved) <= share + 1)
    stage.expect(step, "all to the newcomer", all(m[-1][1] == name and len(m) == 1 for m in moved.values()))


def drain(stage, victim=None):
    """S3 by keelctl drain; ours only"""
    victim = victim or stage.names[2]
    before = stage.wait_settled()
    bound = 10 if len(stage.vips) <= 12 else 30
    daemon = stage.cluster.hosts[victim]
    with stage.step("S3", f"{victim} drained", gap_bound_ms=bound) as step:
        daemon.ctl("drain", "--now")
        stage.wait_served(others(stage, victim))
        stage.linger(0.5)
    check_orphans(stage, step, before, victim)
    with stage.step("S3", f"{victim} undrained"):
        daemon.ctl("undrain")
        stage.wait_settled(deadline_s=60)


def kill_worker(stage, victim=None):
    """S4; ours only"""
    victim = victim or stage.names[0]
    stage.wait_settled()
    with stage.step("S4", f"worker of {victim} killed", gap_bound_ms=50):
        stage.cluster.hosts[victim].kill_worker()
        stage.linger(2)
    stage.wait_settled()


def kill_guard(stage, victim=None):
    """S4; ours only: the worker leaves in order"""
    victim = victim or stage.names[0]
    before = stage.wait_settled()
    with stage.step("S4", f"guard of {victim} killed", gap_bound_ms=50) as step:
        stage.cluster.hosts[victim].kill_guard()
        stage.wait_served(others(stage, victim))
        stage.linger(0.5)
    check_orphans(stage, step, before, victim)
    rig.kill(node(stage, victim).pids())
    join(stage, victim)


def kill_all(stage, victim=None):
    """S4: everything of one host killed at once, then started again"""
    victim = victim or stage.names[0]
    before = stage.wait_settled()
    with stage.step("S4", f"{victim} killed (SIGKILL)", gap_bound_ms=stage.cluster.crash_bound_ms()) as step:
        stage.cluster.kill(victim)
        if stage.cluster.ours:
            stage.wait_served(others(stage, victim))
            stage.linger(1)
        else:
            stage.linger(stage.cluster.advert_s * 4 + 1)
    if stage.cluster.ours:
        check_orphans(stage, step, before, victim)
    join(stage, victim)


def hang(stage, victim=None, seconds=5):
    """S5: a host hangs while another one crashes"""
    victim = victim or stage.names[0]
    other = others(stage, victim)[0]
    rest = others(stage, victim, other)
    before = stage.wait_settled()
    with stage.step("S5", f"{victim} hangs (SIGSTOP)", gap_bound_ms=stage.cluster.crash_bound_ms()) as step:
        stage.cluster.pause(victim)
        began = time.monotonic()
        if stage.cluster.ours:
            stage.wait_served(others(stage, victim))
        else:
            stage.linger(stage.cluster.advert_s * 4)
    if stage.cluster.ours:
        check_orphans(stage, step, before, victim)
        if rest:
            with stage.step("S5", f"{other} crashes meanwhile", gap_bound_ms=stage.cluster.crash_bound_ms()):
                stage.lab.cut(node(stage, other))
                stage.wait_served(rest)
            stage.linger(max(0, seconds - (time.monotonic() - began)))
    with stage.step("S5", f"{victim} wakes up"):
        stage.cluster.resume(victim)
        stage.linger(1)
        stage.wait_served(others(stage, other) if stage.cluster.ours and rest else stage.names)
    stage.restore()


def freeze(stage, victim=None, seconds=5):
    """S5 by a cgroup's freezer, as containers and suspended machines are; ours only"""
    victim = victim or stage.names[0]
    before = stage.wait_settled()
    with stage.step("S5", f"{victim} frozen", gap_bound_ms=stage.cluster.crash_bound_ms()) as step:
        thaw = stage.lab.freeze(stage.cluster.pids(victim))
        stage.wait_served(others(stage, victim))
        stage.linger(seconds)
    check_orphans(stage, step, before, victim)
    with stage.step("S5", f"{victim} thawed"):
        thaw()
        stage.linger(1)
        stage.wait_settled()


def partition(stage, seconds=10):
    """S6: the last host alone (of 5: the last two); the witness is with the larger side"""
    count = 2 if len(stage.names) >= 5 else 1
    small = stage.names[-count:]
    large = others(stage, *small)
    before = stage.wait_settled()
    with stage.step("S6", f"{'+'.join(small)} split off", gap_bound_ms=stage.cluster.crash_bound_ms()) as step:
        stage.lab.partition([node(stage, n) for n in large] + [stage.lab.witness], [node(stage, n) for n in small])
        stage.wait_served(large)
        stage.linger(seconds)
    check_orphans(stage, step, before, *small)
    owners = stage.watch.owners()
    with stage.step("S6", "healed", dual_bound_ms=member_bound(stage)) as step:
        stage.lab.heal()
        stage.linger(1)
        stage.wait_settled()
    kept = sum(1 for n in large for v in owners[n] if step.window.vips[v]["moves"] == [])
    fair = len(stage.vips) - len(stage.vips) // len(stage.names) * count
    stage.expect(step, f"the larger side kept its own ({kept} of {len(stage.vips)})", kept >= fair - count)
    stage.expect(step, "clients right within 1 s", step.window.stale_ms <= 1000)


def deaf(stage, victim=None):
    """S6b"""
    one_way_host(stage, "deaf", stage.lab.deaf, victim or stage.names[0])


def mute(stage, victim=None):
    """S6b"""
    one_way_host(stage, "mute", stage.lab.mute, victim or stage.names[1])


def one_way_host(stage, kind, fault, victim):
    stage.wait_settled()
    bound = 3 * member_bound(stage) + stage.cluster.crash_bound_ms() if stage.cluster.ours else 0
    with stage.step("S6b", f"{victim} {kind}", dual_bound_ms=bound) as step:
        fault(node(stage, victim))
        stage.linger(6)
    state = stage.watch.state()
    stage.expect(step, "no address is answered by two", all(len(h) <= 1 for h in state.values()))
    if kind == "mute":
        stage.expect(step, "the mute host answers for nothing", all(victim not in h for h in state.values()))
    with stage.step("S6b", f"{victim} mended", dual_bound_ms=member_bound(stage)):
        stage.lab.heal()
        stage.linger(1)
        stage.wait_settled()


def one_way_pair(stage):
    """S6b: the first host does not hear the second"""
    a, b = stage.names[:2]
    stage.wait_settled()
    bound = 3 * member_bound(stage) + stage.cluster.crash_bound_ms() if stage.cluster.ours else 0
    with stage.step("S6b", f"{a} does not hear {b}", dual_bound_ms=bound) as step:
        stage.lab.one_way(node(stage, b), node(stage, a))
        stage.linger(6)
    stage.expect(step, "no address is answered by two", all(len(h) <= 1 for h in stage.watch.state().values()))
    with stage.step("S6b", "the pair mended", dual_bound_ms=member_bound(stage)):
        stage.lab.heal()
        stage.linger(1)
        stage.wait_settled()


def pin(stage):
    """S8: the pool's first VIP prefers the first host (see pinned_text); ours only"""
    vip, home = stage.vips[0], stage.names[0]
    stage.wait_settled()
    for _ in range(2):
        with stage.step("S8", f"home of a pinned address killed") as step:
            stage.cluster.kill(home)
            stage.wait_served(others(stage, home))
            stage.linger(0.5)
        with stage.step("S8", f"it returns") as step:
            stage.cluster.start(home)
            stage.wait(lambda: stage.watch.state()[vip] == {home}, 20, f"{vip} back on {home}")
            stage.wait_settled()
        stage.expect(step, "the pinned address is at home", stage.watch.state()[vip] == {home})


def pinned_lines(lab, vips):
    """The pool's lines for `pin`: the first VIP prefers the first host, then the second."""
    prefer = " ".join(h.ports[0]["ipv4"] for h in lab.hosts[:1])
    return [f"{vips[0]}/24 prefer {prefer}"] + list(vips[1:])


def groups(stage, pairs):
    """S9: units over two interfaces, `pairs` of (address on eth0, address on eth1); ours only"""
    whole = dict(pairs)

    def split(window):
        return [a for a, b in whole.items() if window.vips[a]["owner"] != window.vips[b]["owner"]]

    stage.wait_settled()
    for lan in (0, 1):
        victim = stage.names[lan]
        with stage.step("S9", f"{victim} loses eth{lan}", gap_bound_ms=2 * stage.cluster.crash_bound_ms()) as step:
            stage.lab.link_down(node(stage, victim), lan)
            stage.wait_served(others(stage, victim))
            stage.linger(0.5)
        stage.expect(step, "no unit is split", not split(step.window))
        with stage.step("S9", f"{victim} has eth{lan} again") as step:
            stage.lab.link_up(node(stage, victim), lan)
            stage.linger(1)
            stage.wait_settled()
        stage.expect(step, "no unit is split", not split(step.window))


def deleted_by_hand(stage, victim=None):
    """S13: an address deleted by hand comes back within a second; ours only"""
    victim = victim or stage.names[0]
    before = stage.wait_settled()
    vip = before[victim][0]
    with stage.step("S13", f"{vip} deleted by hand", gap_bound_ms=1000) as step:
        length = 64 if ":" in vip else 24
        node(stage, victim).run("ip", "addr", "del", f"{vip}/{length}", "dev", "eth0")
        stage.linger(1.5)
    stage.expect(step, "it is back", stage.watch.state()[vip] == {victim})


def flushed_filter(stage, victim=None):
    """S13: the ruleset flushed from outside is restored within a second; ours only"""
    victim = victim or stage.names[0]
    stage.wait_settled()
    host = node(stage, victim)
    with stage.step("S13", f"ruleset of {victim} flushed") as step:
        host.run("nft", "flush", "ruleset")
        stage.wait(lambda: "evenkeel" in host.run("nft", "list", "tables").stdout, 2, "the table is back")
        stage.linger(0.5)
    stage.expect(step, "nothing moved", step.window.moves == 0)


def busy(stage, seconds=60):
    """S16: both cores have other work to do; nobody is taken for dead"""
    stage.wait_settled()
    with stage.step("S16", f"both cores busy for {seconds} s") as step:
        work = [stage.lab.witness.spawn("timeout", str(seconds + 60), "sh", "-c", "while :; do :; done")
                for _ in range(2 * os.cpu_count())]
        stage.linger(seconds)
        for child in work:
            rig.kill_group(child)
    stage.expect(step, f"nothing moved ({step.window.moves})", step.window.moves == 0)


# For both systems; then what only we have.
COMMON = [cold_start, crash_silent, crash_carrier, graceful_stop, partition, deaf, mute, one_way_pair, hang, kill_all,
          busy]
OURS = [drain, kill_worker, kill_guard, freeze, deleted_by_hand, flushed_filter]
