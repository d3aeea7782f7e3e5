# SPDX-License-Identifier: GPL-2.0-or-later
"""Debian's snmpd, snmptrapd and snmpwalk on a Lab's host, on ports and paths of their own, and our evenkeel-snmp between them.

Nothing of the host's own SNMP configuration is read: every program gets its file, its socket and its persistent directory from
here. MIB files: tests/mibs has what the IETF's base modules say, doc/ ours, and keepalived's package the two VRRP modules.
"""
import os
import re

import rig

AGENT_PORT, TRAP_PORT = 1161, 1162
KEEPALIVED_MIBS = "/usr/share/snmp/mibs"
MIB_DIRS = ":".join([os.path.join(rig.SOURCE_DIR, "tests", "mibs"), os.path.join(rig.SOURCE_DIR, "doc"), KEEPALIVED_MIBS])
MODULES = "EVENKEEL-MIB:VRRPV3-MIB:VRRP-MIB"
ROOTS = (".1.3.6.1.2.1.68", ".1.3.6.1.2.1.207", ".1.3.6.1.4.1.8072.9999.9999.112")


def installed():
    return all(os.access(p, os.X_OK) for p in ("/usr/sbin/snmpd", "/usr/sbin/snmptrapd", "/usr/bin/snmpwalk"))


class Snmp:
    """snmpd with its AgentX socket, snmptrapd, and the subagent, on one host."""

    def __init__(self, node, run_dir):
        self.node, self.run_dir = node, run_dir
        self.dir = os.path.join(node.dir, "snmp")
        os.makedirs(os.path.join(self.dir, "persistent"))
        os.chmod(self.dir, 0o755)
        self.socket = os.path.join(self.dir, "agentx", "master")
        # net-snmp's programs rewrite files called like their configuration in this directory.
        persistent = os.path.join(self.dir, "persistent")
        self.environment = {**os.environ, "SNMP_PERSISTENT_DIR": persistent, "SNMPCONFPATH": self.dir, "MIBS": "",
                            "MIBDIRS": "", "LC_ALL": "C"}
        self.snmpd = self.trapd = self.agent = None
        self.write("snmpd.conf", f"agentAddress udp:127.0.0.1:{AGENT_PORT}\nmaster agentx\nagentXSocket {self.socket}\n"
                   f"agentXPerms 0777 0777\nrocommunity public\ntrap2sink 127.0.0.1:{TRAP_PORT} public\n")
        self.write("snmptrapd.conf", "disableAuthorization yes\n")

    def write(self, name, text):
        with open(os.path.join(self.dir, name), "w", encoding="ascii") as f:
            f.write(text)

    def spawn(self, *command, log):
        return self.node.spawn(*command, log=log, env=self.environment)

    def start_snmpd(self):
        self.snmpd = self.spawn("/usr/sbin/snmpd", "-f", "-Lo", "-C", "-c", os.path.join(self.dir, "snmpd.conf"), log="snmpd.log")

    def stop_snmpd(self):
        self.snmpd.terminate()
        self.snmpd.wait(10)

    def start_trapd(self):
        self.trapd = self.spawn("/usr/sbin/snmptrapd", "-f", "-Lo", "-On", "-C", "-c", os.path.join(self.dir, "snmptrapd.conf"),
                                f"udp:127.0.0.1:{TRAP_PORT}", log="snmptrapd.log")

    def start_agent(self, *options):
        program = rig.find_program("evenkeel-snmp")
        self.agent = self.spawn(program, "--run-dir", self.run_dir, "--agentx", self.socket, *options, log="agent.log")

    def start(self):
        self.start_snmpd()
        self.start_trapd()
        self.start_agent()
        return self

    def tool(self, name, *words, names=False):
        """snmpwalk, snmpget, ...: the lines of its output, long values joined to one line each."""
        options = ["-M", MIB_DIRS, "-m", MODULES] if names else ["-On"]
        environment = {k: v for k, v in self.environment.items() if not names or k not in ("MIBS", "MIBDIRS")}
        done = self.node.run("/usr/bin/" + name, "-v2c", "-c", "public", "-t", "3", "-r", "1", *options,
                             f"127.0.0.1:{AGENT_PORT}", *words, env=environment, check=False)
        return done.stdout.splitlines()

    def walk(self, root=None, names=False):
        return [line for r in ((root,) if root else ROOTS) for line in self.tool("snmpwalk", r, names=names)
                if "No Such Object" not in line and "No more variables" not in line]

    def serves(self):
        return any(ROOTS[1] in line and " = " in line for line in self.walk(ROOTS[1]))

    def traps(self):
        """One dict of OID -> value per notification received, in their order."""
        found = []
        for line in self.node.read_log("snmptrapd.log").splitlines():
            pairs = re.findall(r"(\.1\.3[.\d]+) = (.*?)(?=\t|$)", line)
            if pairs:
                found.append(dict(pairs))
        return found

    def trap_names(self):
        return [t.get(".1.3.6.1.6.3.1.1.4.1.0", "").replace("OID: ", "") for t in self.traps()]
