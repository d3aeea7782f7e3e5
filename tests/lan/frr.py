# SPDX-License-Identifier: GPL-2.0-or-later
"""Debian's frr (zebra and vrrpd) on a host of the Lab, started by hand with directories of its own. FRR makes no interfaces: each
virtual router needs a macvlan with the virtual MAC, with the addresses on it."""
import os
import shutil

import packets
import rig

FOLDER = "/usr/lib/frr"
STARTED_S = 10


def installed():
    return all(os.access(os.path.join(FOLDER, program), os.X_OK) for program in ("zebra", "vrrpd"))


class Router:
    def __init__(self, vrid, family, version, priority, address, advert_s):
        self.vrid, self.family, self.version, self.priority = vrid, family, version, priority
        self.address, self.advert_s = address, advert_s
        self.device = f"vrrp{family}-{vrid}"
        self.link_local = f"fe80::f:{vrid:x}"  # what FRR sends from, over IPv6

    def commands(self, parent):
        """For ip -batch; the mode of making addresses is set before the device is up."""
        plain = [f"link add {self.device} link {parent} type macvlan mode bridge",
                 f"link set {self.device} address {packets.virtual_mac(self.family, self.vrid)}",
                 f"link set {self.device} addrgenmode none"]
        if self.family == 4:
            plain.append(f"addr add {self.address}/32 dev {self.device}")
        else:
            plain += [f"addr add {self.link_local}/64 dev {self.device} nodad",
                      f"addr add {self.address}/128 dev {self.device} nodad"]
        return plain + [f"link set {self.device} up"]

    def lines(self):
        words = [f"version {self.version}", f"priority {self.priority}",
                 f"advertisement-interval {int(self.advert_s * 1000)}", f"{'ip' if self.family == 4 else 'ipv6'} {self.address}"]
        return [f" vrrp {self.vrid} {w}" for w in words]


class Frr:
    def __init__(self, node, routers, interface="eth0"):
        self.node, self.routers, self.interface, self.child = node, routers, interface, None
        self.dir = os.path.join(node.dir, "frr")
        os.mkdir(self.dir)
        for name, text in (("zebra", "hostname rig\n"), ("vrrpd", "\n".join(
                [f"interface {interface}"] + [line for r in routers for line in r.lines()]) + "\n")):
            with open(os.path.join(self.dir, name + ".conf"), "w", encoding="ascii") as f:
                f.write(text)
        for entry in [self.dir] + [os.path.join(self.dir, n) for n in os.listdir(self.dir)]:
            shutil.chown(entry, "frr", "frr")
        node.run("ip", "-batch", "-", input="\n".join(c for r in routers for c in r.commands(interface)) + "\n")
        self.zebra = self._run("zebra")
        rig.wait_until(lambda: os.path.exists(os.path.join(self.dir, "z.api")), STARTED_S, "zebra's socket")

    def _run(self, program):
        base = os.path.join(self.dir, program)
        return self.node.spawn(os.path.join(FOLDER, program), "-f", base + ".conf", "-z", os.path.join(self.dir, "z.api"),
                               "-i", base + ".pid", "--vty_socket", self.dir, "-P", "0", log=f"{program}.log")

    def start(self):
        self.child = self._run("vrrpd")
        return self

    def terminate(self):
        """SIGTERM, at once."""
        self.child.terminate()

    def wait(self, deadline_s=15):
        return self.child.wait(deadline_s)

    def kill(self):
        self.child.kill()
        self.child.wait(5)
