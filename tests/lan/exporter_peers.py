# SPDX-License-Identifier: GPL-2.0-or-later
"""evenkeel-exporter on a Lab's host, and who reads it there: an HTTP client, Debian's Prometheus, and headless Chromium driven
through chromedriver's own HTTP protocol. Everything listens on the host's own loopback, inside its namespace.

FakeDaemon stands for a daemon that answers whatever a test wants.
"""
import base64
import http.client
import json
import os
import socket
import threading

import rig
import tester

PORT, PROMETHEUS_PORT, DRIVER_PORT = 9568, 9090, 9515
CHROMEDRIVER, CHROMIUM = "/usr/bin/chromedriver", "/usr/bin/chromium"
PROMETHEUS, PROMTOOL = "/usr/bin/prometheus", "/usr/bin/promtool"
OPENMETRICS = "application/openmetrics-text"


def has_browser():
    return os.access(CHROMEDRIVER, os.X_OK) and os.access(CHROMIUM, os.X_OK)


class Inside(http.client.HTTPConnection):
    """To a port of the node's loopback, or to a Unix socket."""

    def __init__(self, node, port=PORT, path=None, timeout=10):
        super().__init__("127.0.0.1", port, timeout=timeout)
        self.node, self.path = node, path

    def connect(self):
        if self.path:
            self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        else:
            self.sock = tester.socket_inside(self.node, socket.AF_INET, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.path or ("127.0.0.1", self.port))


class Answer:
    def __init__(self, response):
        self.status, self.headers, self.body = response.status, response.headers, response.read().decode()
        self.type = (self.headers.get("Content-Type") or "").split(";")[0]


class Exporter:
    def __init__(self, node, run_dir, *options):
        self.node, self.run_dir, self.options, self.child = node, run_dir, options, None

    def start(self):
        self.child = self.node.spawn(rig.find_program("evenkeel-exporter"), "--run-dir", self.run_dir, *self.options,
                                     log="exporter.log")
        rig.wait_until(self.listens, 10, "evenkeel-exporter listening")
        return self

    def listens(self):
        try:
            return self.ask("/nothing").status == 404
        except ConnectionError:
            return False

    def ask(self, path, method="GET", headers=None, body=None, unix=None):
        connection = Inside(self.node, path=unix)
        try:
            connection.request(method, path, body=body, headers=headers or {})
            return Answer(connection.getresponse())
        finally:
            connection.close()

    def status(self):
        return json.loads(self.ask("/status.json").body)

    def metrics(self, accept=OPENMETRICS):
        answer = self.ask("/metrics", headers={"Accept": accept})
        assert answer.status == 200
        return answer.body

    def samples(self):
        """{(sample's name, its labels as a frozenset of pairs): value}, read by the reference parser of OpenMetrics."""
        from prometheus_client.openmetrics import parser
        return {(s.name, frozenset(s.labels.items())): s.value
                for family in parser.text_string_to_metric_families(self.metrics()) for s in family.samples}

    def value(self, name, **labels):
        """Sum over all samples with these labels; None when there are none."""
        found = [v for (n, l), v in self.samples().items() if n == name and set(labels.items()) <= l]
        return sum(found) if found else None

    def stop(self):
        self.child.terminate()
        return self.child.wait(5)


class Prometheus:
    """Scrapes every second, evaluates the rules of conf/prometheus, answers queries."""

    def __init__(self, node, rules, rewrite=None):
        self.node, self.dir = node, os.path.join(node.dir, "prometheus")
        os.makedirs(self.dir)
        with open(rules, encoding="utf-8") as f:
            text = f.read()
        self._write("rules.yml", rewrite(text) if rewrite else text)
        self._write("prometheus.yml", "global: {scrape_interval: 1s, evaluation_interval: 1s, scrape_timeout: 1s}\n"
                    "rule_files: [rules.yml]\nscrape_configs:\n  - job_name: evenkeel\n    static_configs:\n"
                    f"      - targets: ['127.0.0.1:{PORT}']\n")

    def _write(self, name, text):
        with open(os.path.join(self.dir, name), "w", encoding="utf-8") as f:
            f.write(text)

    def start(self):
        self.child = self.node.spawn(PROMETHEUS, f"--config.file={self.dir}/prometheus.yml", f"--storage.tsdb.path={self.dir}/data",
                                     f"--web.listen-address=127.0.0.1:{PROMETHEUS_PORT}", log="prometheus.log")
        rig.wait_until(lambda: self.query("evenkeel_up"), 60, "a first scrape", 0.3)
        return self

    def _get(self, path):
        connection = Inside(self.node, PROMETHEUS_PORT)
        try:
            connection.request("GET", path)
            response = connection.getresponse()
            if response.status == http.client.SERVICE_UNAVAILABLE:
                raise http.client.HTTPException("it listens, and is not ready yet")
            answer = json.loads(response.read())
        finally:
            connection.close()
        if answer["status"] != "success":
            raise rig.RigError(answer["error"])
        return answer["data"]

    def query(self, text):
        """The samples of an instant query; None while there is nobody to ask."""
        from urllib.parse import quote
        try:
            return self._get("/api/v1/query?query=" + quote(text))["result"]
        except (OSError, http.client.HTTPException):
            return None

    def target(self):
        return self._get("/api/v1/targets")["activeTargets"][0]

    def firing(self):
        return {a["labels"]["alertname"] for a in self._get("/api/v1/alerts")["alerts"] if a["state"] == "firing"}


class Browser:
    """One session of headless Chromium."""

    def __init__(self, node):
        self.node, self.dir = node, os.path.join(node.dir, "browser")
        os.makedirs(self.dir)
        self.driver = node.spawn(CHROMEDRIVER, f"--port={DRIVER_PORT}", log="chromedriver.log",
                                 env={**os.environ, "HOME": self.dir, "TMPDIR": self.dir})
        rig.wait_until(self._ready, 30, "chromedriver answered", 0.1)
        self.session = self._call("POST", "/session", {"capabilities": {"alwaysMatch": {
            "browserName": "chrome",
            "goog:loggingPrefs": {"browser": "ALL"},
            "goog:chromeOptions": {"binary": CHROMIUM, "args": [
                "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--window-size=1280,900",
                f"--user-data-dir={self.dir}/profile"]}}}})["sessionId"]

    def _ready(self):
        try:
            return self._call("GET", "/status")["ready"]
        except (OSError, http.client.HTTPException):
            return False

    def _call(self, method, path, body=None):
        connection = Inside(self.node, DRIVER_PORT, timeout=60)
        try:
            connection.request(method, path, body=json.dumps(body) if body is not None else None)
            value = json.loads(connection.getresponse().read())["value"]
        finally:
            connection.close()
        if isinstance(value, dict) and "error" in value:
            raise rig.RigError(f"{value['error']}: {value['message']}")
        return value

    def _ask(self, method, path, body=None):
        return self._call(method, f"/session/{self.session}{path}", body)

    def open(self, url):
        self._ask("POST", "/url", {"url": url})

    def run(self, script, *arguments):
        """The value of a JavaScript function's body."""
        return self._ask("POST", "/execute/sync", {"script": script, "args": list(arguments)})

    def text(self, selector="body"):
        return self.run("const n = document.querySelector(arguments[0]); return n ? n.innerText : ''", selector)

    def command(self, name, **parameters):
        return self._ask("POST", "/goog/cdp/execute", {"cmd": name, "params": parameters})

    def viewport(self, width, height):
        self.command("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=2, mobile=width < 600)

    def scheme(self, name):
        self.command("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": name}])

    def complaints(self):
        """What the browser's console has since the last call: errors and violations of the content policy."""
        return [e["message"] for e in self._ask("POST", "/se/log", {"type": "browser"}) if e["level"] in ("SEVERE", "WARNING")]

    def screenshot(self, path):
        with open(path, "wb") as f:
            f.write(base64.b64decode(self._ask("GET", "/screenshot")))

    def close(self):
        self._ask("DELETE", "")
        self.driver.terminate()
        self.driver.wait(10)


class FakeDaemon:
    """A control socket. `reply` maps a request (an object) to the bytes that are sent back, or to several of them with `pause_s`
    in between; None: nothing, and the connection stays; b"": it is closed."""

    pause_s = 0.25

    def __init__(self, run_dir, reply):
        self.reply, self.requests, self.listener = reply, [], socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        os.makedirs(run_dir, exist_ok=True)
        os.chmod(run_dir, 0o755)
        self.path = os.path.join(run_dir, "control.sock")
        self.listener.bind(self.path)
        os.chmod(self.path, 0o666)
        self.listener.listen(16)
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection):
        with connection, connection.makefile("rb") as lines:
            for line in lines:
                request = json.loads(line)
                self.requests.append(request)
                data = self.reply(request)
                if data == b"":
                    return
                try:
                    for piece in [data] if isinstance(data, bytes) else data or []:
                        connection.sendall(piece)
                        rig.pace(0 if piece is data else self.pause_s)
                except OSError:
                    return

    def close(self):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        os.unlink(self.path)


def line(value):
    return json.dumps(value).encode() + b"\n"
