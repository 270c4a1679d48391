"""Our Home Assistant blueprint and our Node-RED flow in the real programs, over a real mosquitto.

Each program is installed once, into .cache/soak/, from its usual registry: a few minutes.
"""

import json
import os
import shutil
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
import yaml

from host_tools.mqtt.broker import free_port
from host_tools.mqtt.connection import Connection, Topic
from host_tools.paths import REPOSITORY
from host_tools.testing.servers import Mosquitto
from tests.waiting import until

pytestmark = pytest.mark.soak  # installs what is large

DEPLOY = REPOSITORY / "deploy"
SCRATCH = REPOSITORY / ".cache" / "soak"
# The newest that each Python takes. The blueprint's words need 2024.10.
HOME_ASSISTANT = {"3.13": "2025.3.4", "3.12": "2025.1.4"}
START_S = 200.0

CIRCLE = {"event_type": "circle", "confidence": 93, "label_confidence": 98, "seq": 1, "boot": 65540,
          "t_ms": 25750, "time": None, "latency_ms": 4, "model": "70"}  # fmt: skip
# (device, payload, whether it acts)
SENT = (
    ("wand", CIRCLE, True),
    ("wand", {**CIRCLE, "seq": 2, "event_type": "shake"}, False),
    ("wand", {**CIRCLE, "seq": 3, "confidence": 59}, False),
    ("wand", {**CIRCLE, "seq": 4, "latency_ms": 5001}, False),
    ("wand", "circle", False),
    ("wand", b"\xff{", False),
    ("lamp", {**CIRCLE, "seq": 5, "confidence": 60, "latency_ms": None}, True),
    ("wand", {**CIRCLE, "seq": 6, "latency_ms": 5000}, True),
)  # fmt: skip


def installed(name, install):
    """The folder of a program, installed now if that was not done before."""
    folder = SCRATCH / name
    done = folder / "installed"
    if not done.exists():
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        install(folder)
        done.touch()
    return folder


class Program:
    """A process with its output in a file, ended by its own id."""

    def __init__(self, command, folder, **environment):
        self.log = folder / "output.txt"
        self._file = open(self.log, "wb")
        self._process = subprocess.Popen(
            command, cwd=folder, stdin=subprocess.DEVNULL, stdout=self._file,
            stderr=subprocess.STDOUT, env={**os.environ, **environment})  # fmt: skip

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self._process.terminate()
        try:
            self._process.wait(30)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._file.close()

    def said(self):
        return self.log.read_text(errors="replace")[-3000:]

    def lives(self):
        assert self._process.poll() is None, self.said()


class House:
    """Somebody who sends gestures and hears what is done."""

    def __init__(self, broker, topics):
        self.heard = []
        self._new = threading.Event()
        self._connection = Connection(broker.address, "house", [Topic(t) for t in topics],
                                      self._take)  # fmt: skip

    def _take(self, topic, payload, retained):
        self.heard.append((topic, payload.decode()))

    def __enter__(self):
        self._connection.__enter__()
        return self

    def __exit__(self, *exception):
        self._connection.__exit__(*exception)

    def send(self, device, payload):
        body = payload if isinstance(payload, bytes) else (
            payload if isinstance(payload, str) else json.dumps(payload)).encode()
        self._connection.publish(f"beckon/{device}/event", body, wait_s=20)

    def wait_for(self, program, device, payload, topic):
        """Send it again and again until the program acts for the first time."""
        end_s, seq = time.monotonic() + START_S, 1000
        while not any(t == topic for t, _ in self.heard):
            program.lives()
            assert time.monotonic() < end_s, program.said()
            seq += 1
            self.send(device, {**payload, "seq": seq})
            time.sleep(1.0)


def check(house, topic, acted):
    """Send all; the last one acts, so what came before is over then."""
    for device, payload, _ in SENT:
        house.send(device, payload)
    expected = [acted(device) for device, _, acts in SENT if acts]
    until(lambda: len([1 for t, _ in house.heard if t == topic]) >= len(expected),
          lambda: str(house.heard))
    time.sleep(1.0)  # for one too many
    assert [p for t, p in house.heard if t == topic] == expected


def pythons():
    """(command, "3.13") of the Pythons here that Home Assistant takes."""
    for minor in HOME_ASSISTANT:
        found = shutil.which(f"python{minor}")
        # Python's version manager has them in a folder of its own
        for path in ([found] if found else []) + [
            str(p) for p in sorted(Path.home().glob(f".pyenv/versions/{minor}.*/bin/python"))
        ]:
            done = subprocess.run([path, "-c", "import venv, ensurepip, sys; "
                                   "print('%d.%d' % sys.version_info[:2])"],
                                  capture_output=True, text=True)  # fmt: skip
            if done.stdout.strip() == minor:
                yield path, minor


def test_the_blueprint_acts_in_home_assistant(tmp_path):
    python, minor = next(pythons(), (None, None))
    if python is None:
        pytest.skip(f"Home Assistant needs Python {' or '.join(HOME_ASSISTANT)}")
    version = HOME_ASSISTANT[minor]

    def install(folder):
        subprocess.run([python, "-m", "venv", folder], check=True)
        subprocess.run([folder / "bin" / "python", "-m", "pip", "install", "-q",
                        f"homeassistant=={version}", "paho-mqtt==2.1.0"], check=True)  # fmt: skip

    program = installed(f"home-assistant-{version}", install)
    with Mosquitto(tmp_path) as broker:
        config = home_assistant_config(tmp_path / "config", broker.port)
        command = [program / "bin" / "python", "-m", "homeassistant", "-c", config, "--skip-pip"]
        with (House(broker, ["test/#"]) as house,
              Program(command, tmp_path) as assistant):  # fmt: skip
            house.wait_for(assistant, "wand", {**CIRCLE, "event_type": "ready"}, "test/ready")
            check(house, "test/circle", lambda device: f"{device} did circle")
            house.send("lamp", {**CIRCLE, "event_type": "push", "confidence": 10})
            house.send("wand", {**CIRCLE, "event_type": "push", "confidence": 10})
            until(lambda: ("test/push", "wand did push") in house.heard)
            assert [p for t, p in house.heard if t == "test/push"] == ["wand did push"]
    print(f"Home Assistant {version}, Python {minor}")


def home_assistant_config(folder, port):
    """A house with the integration MQTT and three automations of our blueprint.

    The web page is left out: a custom integration of its name stands for it.
    """
    page = folder / "custom_components" / "frontend"
    page.mkdir(parents=True)
    (page / "__init__.py").write_text("async def async_setup(house, config):\n    return True\n")
    (page / "manifest.json").write_text(json.dumps({
        "domain": "frontend", "name": "None", "version": "1", "codeowners": [], "dependencies": [],
        "documentation": "", "iot_class": "calculated", "requirements": []}))  # fmt: skip
    place = folder / "blueprints" / "automation" / "beckon"
    place.mkdir(parents=True)
    shutil.copy(DEPLOY / "home-assistant" / "beckon_gesture.yaml", place)

    def automation(gesture, **inputs):
        action = {"action": "mqtt.publish", "data": {
            "topic": f"test/{gesture}", "payload":
            "{{ trigger.topic.split('/')[1] }} did {{ trigger.payload_json.event_type }}"}}
        return {"alias": gesture, "use_blueprint": {
            "path": "beckon/beckon_gesture.yaml",
            "input": {"gesture": gesture, "actions": [action], **inputs}}}  # fmt: skip

    (folder / "configuration.yaml").write_text(yaml.safe_dump({
        "homeassistant": {"name": "Test", "time_zone": "UTC"},
        "http": {"server_host": "127.0.0.1", "server_port": free_port()},
        "automation": [automation("ready"), automation("circle"),
                       automation("push", device="wand", confidence=10)]}))  # fmt: skip
    store = folder / ".storage"
    store.mkdir()
    now = "2025-01-01T00:00:00+00:00"
    (store / "core.config_entries").write_text(json.dumps({
        "version": 1, "minor_version": 5, "key": "core.config_entries", "data": {"entries": [{
            "created_at": now, "modified_at": now, "data": {"broker": "127.0.0.1", "port": port},
            "disabled_by": None, "discovery_keys": {}, "domain": "mqtt", "entry_id": "mqtt1",
            "minor_version": 2, "options": {}, "pref_disable_new_entities": False,
            "pref_disable_polling": False, "source": "user", "subentries": [], "title": "mqtt",
            "unique_id": None, "version": 1}]}}))  # fmt: skip
    return folder


def test_the_flow_acts_in_node_red(tmp_path):
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        pytest.skip("node and npm are not installed")
    have = subprocess.run([node, "--version"], capture_output=True, text=True).stdout
    version = "5" if int(have.lstrip("v").partition(".")[0]) >= 23 else "4.1"

    def install(folder):
        subprocess.run([npm, "install", "--prefix", folder, "--no-audit", "--no-fund",
                        "--loglevel=error", f"node-red@{version}"], check=True)  # fmt: skip

    program = installed(f"node-red-{version}", install) / "node_modules" / "node-red"
    flow = json.loads((DEPLOY / "node-red" / "beckon_flow.json").read_text())
    with Mosquitto(tmp_path) as broker:
        for part in flow:
            if part["type"] == "mqtt-broker":
                part.update(broker="127.0.0.1", port=str(broker.port))
        (tmp_path / "flows.json").write_text(json.dumps(flow))
        (tmp_path / "settings.js").write_text(
            "module.exports = {uiHost: '127.0.0.1', uiPort: 0, httpAdminRoot: false, "
            "telemetry: {enabled: false}, flowFile: 'flows.json'};")
        command = [node, str(program / "red.js"), "-u", tmp_path, "-s", tmp_path / "settings.js"]
        with (House(broker, ["zigbee2mqtt/#"]) as house,
              Program(command, tmp_path) as red):  # fmt: skip
            house.wait_for(red, "ready", CIRCLE, "zigbee2mqtt/lamp/set")
            time.sleep(1.0)
            house.heard.clear()
            check(house, "zigbee2mqtt/lamp/set", lambda device: '{"state":"TOGGLE"}')
            house.heard.clear()
            house.send("wand", CIRCLE)  # the same again, as MQTT can deliver it
            house.send("wand", {**CIRCLE, "boot": 65541})
            until(lambda: house.heard)
            time.sleep(1.0)
            assert len(house.heard) == 1
    print(f"Node-RED {json.loads((program / 'package.json').read_text())['version']}, node "
          f"{have.strip()}", file=sys.stderr)  # fmt: skip
