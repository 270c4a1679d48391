"""The engine of this computer as a device on a real broker: what a board would say, and no loss."""

import json
import subprocess
import sys
import time

import pytest

from host_tools.cli.app import main
from host_tools.dataset.folder import read_dataset
from host_tools.errors import BeckonError
from host_tools.hosted import device as device_module
from host_tools.hosted import naming
from host_tools.hosted.device import HostDevice
from host_tools.hosted.runner import Runner
from host_tools.model.golden import read_model
from host_tools.mqtt.connection import Connection
from host_tools.mqtt.events import Arrivals
from host_tools.mqtt.remote_device import RemoteDevice
from host_tools.mqtt.schemas import fault_of
from host_tools.mqtt.subscriber import Subscriber
from host_tools.paths import DATA, DEFAULT_MODEL, FIRMWARE
from host_tools.recording.blocks import Finished
from host_tools.recording.replay_source import ReplaySource
from host_tools.testing.servers import Mosquitto
from tests.waiting import until

(RECORDING,) = (DATA / "demo" / "recordings").glob("*.csv*")


@pytest.fixture(scope="module")
def mosquitto(tmp_path_factory):
    folder = tmp_path_factory.mktemp("mosquitto")
    (folder / "acl").write_text("topic deny beckon/mute/event\ntopic readwrite #\n")
    with Mosquitto(folder, [f"acl_file {folder / 'acl'}"]) as found:
        yield found


@pytest.fixture(scope="module")
def model():
    return read_model(DEFAULT_MODEL)


class Listener:
    """What a subscriber hears of one device."""

    def __init__(self, address, name):
        self.messages = []
        self._subscriber = Subscriber(address, name, timeout_s=20)

    def __enter__(self):
        self._subscriber.__enter__()
        return self

    def __exit__(self, *exception):
        self._subscriber.__exit__()

    def of(self, kind):
        while message := self._subscriber.receive(0.01):
            self.messages.append(message)
        return [m.payload for m in self.messages if m.kind == kind]


def post(device, *labels):
    for label in labels:
        device.post(label, 90, 95, 1000, time.monotonic())


def test_a_recording_becomes_what_a_board_would_say(mosquitto, model):
    with Listener(mosquitto.address, "phone-1") as heard:
        with HostDevice(mosquitto.address, "phone-1", model, "phone") as device:
            with ReplaySource(RECORDING, 0) as source:
                runner = Runner(model, source)
                found = []
                while True:
                    try:
                        events, samples, lost = runner.step(1)
                    except Finished:
                        break
                    device.heard(samples, lost)
                    for event, captured_s in events:
                        found.append(event)
                        device.post(event.label, event.confidence, event.label_confidence,
                                    event.t_ms, captured_s)
            with RemoteDevice(mosquitto.address, "phone-1", 20) as asker:
                assert asker.request("diag")["diag"]["samples"] == runner.samples
                with pytest.raises(BeckonError, match="no such command on a computer"):
                    asker.request("restart")
        assert device.unsent == 0
        until(lambda: heard.of("status")[-1:] == ["offline"])
        events = heard.of("event")
        for kind in ("event", "state", "diag", "status"):
            assert heard.of(kind) and [fault_of(kind, p) for p in heard.of(kind)] == (
                [""] * len(heard.of(kind))), kind
        assert [(e["event_type"], e["seq"], e["t_ms"]) for e in events] == [
            (e.label, i, round(e.t_ms)) for i, e in enumerate(found)]
        assert len(events) == 9 and {e["boot"] for e in events} == {device.boot}
        assert all(e["time"] and 0 <= e["latency_ms"] < 600_000 for e in events)
        assert heard.of("status") == ["online", "offline"]
        state = heard.of("state")[0]
        assert state["boot"] == device.boot and state["model"] == events[0]["model"]
        assert (state["labels"], state["source"]) == (list(model.labels), "phone")
        diag = heard.of("diag")[-1]
        assert (diag["events_posted"], diag["events_delivered"]) == (9, 9)


def test_an_outage_costs_no_event_and_no_order(tmp_path, model):
    with Mosquitto(tmp_path) as broker, Listener(broker.address, "phone-2") as heard:
        with HostDevice(broker.address, "phone-2", model, "phone") as device:
            post(device, "a", "b")
            until(lambda: len(heard.of("event")) == 2)
            broker.stop()
            until(lambda: not device.view().up)
            post(device, "c", "d", "e")
            assert "events wait here" in device.view().fault
            broker.start()
            until(lambda: device.view().delivered == 5)
            assert device.view().drops == 1 and not device.view().fault
            until(lambda: len(heard.of("event")) >= 5)
        arrivals = Arrivals()
        taken = [(arrivals.take(m), m.payload["event_type"]) for m in heard.messages
                 if m.kind == "event"]
        assert [label for a, label in taken if not a.repeat] == list("abcde")
        assert not any(a.missing for a, _ in taken)


def test_the_queue_is_bounded_and_counts(tmp_path, model, monkeypatch):
    monkeypatch.setattr(device_module, "QUEUE", 3)
    with Mosquitto(tmp_path) as broker:
        with HostDevice(broker.address, "phone-3", model, "phone") as device:
            broker.stop(kill=True)
            until(lambda: not device.view().up)
            post(device, *"abcde")
            view = device.view()
            assert (view.posted, view.queued, view.dropped) == (5, 3, 2)
            assert device.close(1.0) == 3 and device.unsent == 3


def test_what_the_broker_refuses_is_counted_and_said(mosquitto, model):
    with HostDevice(mosquitto.address, "mute", model, "phone") as device:
        post(device, "a", "b")
        until(lambda: device.view().refused == 2)  # a broker may end the connection after it, too
        until(lambda: "refuses events of mute" in device.view().fault)
        assert not device.view().queued


def test_two_devices_never_share_a_name(mosquitto, model, monkeypatch):
    with HostDevice(mosquitto.address, "phone-4", model, "phone") as device:
        with pytest.raises(BeckonError, match="phone-4 is online at .* choose another name"):
            HostDevice(mosquitto.address, "phone-4", model, "phone").__enter__()
        with Connection(mosquitto.address, "other") as other:
            other.publish("beckon/phone-4/status", b"offline", retain=True, wait_s=20)
            with Listener(mosquitto.address, "phone-4") as heard:
                until(lambda: heard.of("status")[-1:] == ["online"])  # it is, after all
                assert not device.view().fault
                other.publish("beckon/phone-4/state", b'{"boot": 7}', wait_s=20)
                until(lambda: "another device sends as phone-4" in device.view().fault)
    monkeypatch.setattr(naming, "_ANSWER_S", 0.3)
    with Connection(mosquitto.address, "other") as other:  # a board that a broker never missed
        other.publish("beckon/phone-5/status", b"online", retain=True, wait_s=20)
    with HostDevice(mosquitto.address, "phone-5", model, "phone") as device:
        assert device.warning.startswith("phone-5 is marked online")
    with pytest.raises(BeckonError, match="letters, digits"):
        HostDevice(mosquitto.address, "a/b", model, "phone")


def test_silence_shows_in_state(mosquitto, model, monkeypatch):
    monkeypatch.setattr(device_module, "_SILENT_S", 0.2)
    with Listener(mosquitto.address, "phone-6") as heard:
        with HostDevice(mosquitto.address, "phone-6", model, "phone") as device:
            until(lambda: heard.of("state")[-1:] and (
                heard.of("state")[-1]["sensor"] == "no samples from phone"))
            monkeypatch.setattr(device_module, "_SILENT_S", 1e9)
            device.heard(10)
            until(lambda: heard.of("state")[-1]["sensor"] == "ok")


def test_home_assistant_is_told_what_a_computer_can_do(mosquitto, model):
    came = []
    from host_tools.mqtt.connection import Topic

    with Connection(mosquitto.address, "ha", [Topic("homeassistant/#")],
                    lambda topic, payload, retained: came.append((topic, json.loads(payload)))):
        with HostDevice(mosquitto.address, "phone-7", model, "phone", home_assistant=True):
            until(lambda: came)
    topic, message = came[0]
    assert topic == "homeassistant/device/phone-7/config"
    parts = message["cmps"]
    gestures = [label for i, label in enumerate(model.labels) if i != model.idle]
    assert parts["gesture"]["evt_typ"] == gestures
    assert [p["stype"] for p in parts.values() if p["p"] == "device_automation"] == gestures
    assert not any("cmd_t" in part for part in parts.values())


def test_the_command_says_offline_however_it_ends(mosquitto):
    """In good order, and by the will when it is killed."""
    name = naming.default_name("host")
    command = [sys.executable, "-m", "host_tools", "run", "--from", str(RECORDING), "--json",
               "--broker", f"mqtt://127.0.0.1:{mosquitto.port}"]
    with Listener(mosquitto.address, name) as heard:
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                                   cwd=FIRMWARE.parent)
        until(lambda: heard.of("status") == ["online"])
        process.kill()
        process.wait()
        until(lambda: heard.of("status") == ["online", "offline"])
        done = subprocess.run([*command, "--speed", "0"], capture_output=True, text=True,
                              cwd=FIRMWARE.parent)
        assert done.returncode == 0, done.stderr
        shown = [json.loads(line) for line in done.stdout.splitlines()]
        assert "9 events" in done.stderr and "9 delivered" in done.stderr
        until(lambda: heard.of("status") == ["online", "offline"] * 2)
        events = heard.of("event")[-9:]
        assert [(e["event_type"], e["seq"]) for e in events] == [
            (e["event_type"], e["seq"]) for e in shown]
        assert len({e["boot"] for e in events}) == 1


@pytest.mark.parametrize("arguments, text", [
    (["--name", "a b"], "letters, digits"),
    (["--seconds", "0"], "above 0"),
    (["--no-broker", "--name", "x"], "goes without"),
    (["--from", "nothing.csv", "--no-broker"], "no such file"),
    (["--from", "broker", "--device", "desk", "--name", "desk"], "choose another name"),
])
def test_what_cannot_be_is_refused_in_one_line(arguments, text, capsys):
    assert main(["run", *arguments]) != 0
    said = capsys.readouterr().err.strip().splitlines()
    assert len(said) == 1 and text in said[0]


def test_the_default_name_is_this_computers_and_fits(model):
    name = naming.default_name("phone")
    assert name == naming.default_name("phone") and naming.check_name(name)
    assert name.startswith("phone-") and len(read_dataset(DATA / "demo").recordings) == 1
