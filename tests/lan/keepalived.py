# SPDX-License-Identifier: GPL-2.0-or-later
"""Debian's keepalived on a host of the Lab: for comparisons (all addresses on all hosts, priorities rotated by hand)
and as a stranger on chosen VRIDs."""
import os

import rig


def instance(number, vip, vrid, priority, version=2, advert_s=1, interface="eth0", extra=()):
    prefix = "" if ":" not in vip else "        native_ipv6\n"
    lines = [f"vrrp_instance v{number} {{", f"    version {version}", "    state BACKUP", f"    interface {interface}",
             f"    virtual_router_id {vrid}", f"    priority {priority}", f"    advert_int {advert_s}",
             *(f"    {line}" for line in extra), "    virtual_ipaddress {",
             f"        {vip}/{64 if ':' in vip else 24} dev {interface}", "    }", "}"]
    return "\n".join(line for line in lines if line != prefix) + "\n"


def rotated(host_index, host_count, vips, **options):
    """A configuration for one of several hosts, each the first for every nth address, and next in turn."""
    text = "global_defs {\n    router_id rig\n}\n"
    for i, vip in enumerate(vips):
        place = (host_index - i) % host_count
        text += instance(i, vip, i + 1, 250 - 20 * place, **options)
    return text


class Keepalived:
    def __init__(self, node, text, name="keepalived"):
        self.node = node
        self.name = name
        self.path = os.path.join(node.dir, f"{name}.conf")
        with open(self.path, "w", encoding="ascii") as f:
            f.write(text)
        self.child = None

    def start(self):
        base = os.path.join(self.node.dir, self.name)
        for pid_file in (base + ".pid", base + ".vrrp.pid"):
            if os.path.exists(pid_file):  # a zombie still, which keepalived takes for running
                os.unlink(pid_file)
        self.child = self.node.spawn("keepalived", "-n", "-l", "-D", "-P", "-f", self.path, "-p", base + ".pid",
                                     "-r", base + ".vrrp.pid", log=f"{self.name}.log")
        return self

    def pids(self):
        """The parent, and its child that does VRRP."""
        if not self.child or self.child.poll() is not None:
            return []
        with open(f"/proc/{self.child.pid}/task/{self.child.pid}/children", encoding="ascii") as f:
            return [self.child.pid] + [int(p) for p in f.read().split()]

    def terminate(self):
        """SIGTERM, at once."""
        self.child.terminate()

    def wait(self, deadline_s=15):
        return self.child.wait(deadline_s)

    def pause(self):
        rig.pause(self.pids())

    def resume(self):
        rig.resume(self.pids())

    def kill(self):
        rig.kill(self.pids())
        self.child.wait(5)
