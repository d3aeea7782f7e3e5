# SPDX-License-Identifier: GPL-2.0-or-later
"""`keelctl witness` as an operator uses it: the live table on a terminal, the object for programs. It knows no host here
and learns them."""
import json
import os
import pty
import re
import time

import pytest

import lease
import rig

pytestmark = [
    pytest.mark.skipif(os.geteuid() != 0, reason="network namespaces need root"),
    pytest.mark.skipif(not rig.find_program("evenkeeld"), reason="evenkeeld is not built"),
]


def read_terminal(fd, child, limit_s=15):
    text, end = b"", time.monotonic() + limit_s
    while time.monotonic() < end:
        try:
            more = os.read(fd, 65536)
        except OSError:  # the other side has closed it
            break
        if not more:
            break
        text += more
    child.wait(5)
    return text.decode()


def test_witness__terminal_and_json__table_is_live_and_double_answers_are_in_it():
    with lease.Field(lease.Cell(6, 4, "add", False)) as field:
        owners = field.place.wait_settled()
        name = field.place.names[0]
        vip, mac = owners[name][0], field.lab.host[name].ports[0]["mac"]
        node = field.lab.witness
        command = [rig.find_program("keelctl"), "witness", "--interface", "eth0", "--vip", ",".join(field.watch.all_vips)]
        terminal, other_end = pty.openpty()
        child = node.spawn(*command, "--duration", "4", stdin=other_end, stdout=other_end, stderr=other_end)
        os.close(other_end)
        text = read_terminal(terminal, child)
        os.close(terminal)
        assert child.returncode == 0
        assert len(re.findall(r"\x1b\[H", text)) >= 5, "it is renewed"
        last = text[text.rindex("address"):]
        assert re.search(rf"{re.escape(vip)} .* {mac}", last), last
        stranger = field.lab.hosts[1]
        rig.pause(field.system.hosts[stranger.name].pids())
        stranger.run("nft", "flush", "ruleset")
        stranger.run("ip", "addr", "add", f"{vip}/24", "dev", "eth0", check=False)
        done = node.run(*command, "--duration", "3", "--json", check=False)
        found = json.loads(done.stdout)
        result = found["windows"][0]["vips"][vip]
        macs = {mac, stranger.ports[0]["mac"]}
        assert found["schema"] == "evenkeel-witness/1"
        assert result["dual_ms"] > 100 and set(result["dual_hosts"]) == macs, result


def test_witness__nothing_to_watch__one_clear_line():
    with rig.Lab(hosts=1, watchdog_s=60) as lab:
        done = lab.witness.run(rig.find_program("keelctl"), "witness", check=False)
        assert done.returncode == 64 and len(done.stderr.strip().splitlines()) == 1, done
        done = lab.witness.run(rig.find_program("keelctl"), "witness", "--interface", "none0", "--vip", "192.0.2.51",
                               check=False)
        assert done.returncode != 0 and "none0" in done.stderr, done
