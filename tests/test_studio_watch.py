"""Studio's watching and deploying without a browser: boards, strangers, faults."""

import csv
import json
import threading

import pytest
from paho.mqtt import client as mqtt

from host_tools.device.deploy import Report, Survey
from host_tools.device.settings import write_settings
from host_tools.errors import BeckonError
from host_tools.model.golden import read_model
from host_tools.mqtt.address import BrokerAddress
from host_tools.mqtt.broker import embedded_broker, free_port
from host_tools.paths import DEFAULT_MODEL
from host_tools.studio.frame.durations import duration
from host_tools.studio.watch import deploy as deploy_module
from host_tools.studio.watch.deploy import Deployer
from host_tools.studio.watch.device_health import BAD, GOOD, WARN, signs
from host_tools.studio.watch.session import Device, WatchSession
from tests.waiting import TIMEOUT_S, until


@pytest.fixture(scope="module")
def broker():
    with embedded_broker() as address:
        yield address


@pytest.fixture
def watcher(broker):
    watcher = WatchSession()
    watcher.open(broker)
    until(lambda: watcher.state == "on")
    yield watcher
    watcher.close()
    assert not watcher.running


@pytest.fixture
def stranger(broker):
    client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2)
    client.connect(broker.host, broker.port)
    client.loop_start()

    def say(topic, payload, retain=False):
        data = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
        client.publish(f"beckon/{topic}", data, qos=1, retain=retain).wait_for_publish(5)

    yield say
    client.disconnect()
    client.loop_stop()


def test_a_board_from_its_birth_to_its_goodbye(watcher, stranger, tmp_path):
    """Its words are those of docs/mqtt.md; test_studio_watch_page.py has a real one."""
    stranger("wand/status", b"online")
    stranger("wand/state", {"labels": ["none", "circle", "x"], "model": "709cb702", "crash": ""})
    for seq in range(3):
        stranger("wand/event", {"event_type": "circle" if seq else "x", "confidence": 93,
                                "seq": seq, "boot": 1 + seq // 2, "latency_ms": 4,
                                "model": "709cb702"})
    stranger("wand/diag", {"samples": 4000, "samples_lost": 0, "rssi_dbm": -55})
    stranger("wand/status", b"offline")
    until(lambda: [c.online for c in watcher.changes()] == [True, False])
    assert watcher.counts == {"circle": 2, "x": 1} and watcher.total == 3
    (device,) = watcher.devices().values()
    assert device.labels == ["none", "circle", "x"] and device.boots == 2
    told = {s.name: s for s in signs(device, device.text("model"))}
    assert (told["Link"].level, told["Samples lost"].level) == (BAD, GOOD)
    assert told["Model"].advice == "the project's newest" and told["Wi-Fi"].value == "−55 dBm"
    assert {s.name: s for s in signs(device, "12345678")}["Model"].level == WARN
    assert watcher.save(tmp_path / "runs" / "one.csv") == 3
    rows = list(csv.DictReader((tmp_path / "runs" / "one.csv").open()))
    assert [r["event_type"] for r in rows] == ["x", "circle", "circle"]
    assert all(r["confidence"] == "93" and r["received"].endswith("Z") for r in rows)
    watcher.forget()
    assert not watcher.events() and not watcher.devices() and watcher.total == 0
    with pytest.raises(BeckonError, match="nothing to save"):
        watcher.save(tmp_path / "runs" / "two.csv")


def test_a_spreadsheet_runs_nothing_that_a_stranger_wrote(watcher, stranger, tmp_path):
    formulas = ["=HYPERLINK(1)", "+1", "-1", "@SUM(1)", "circle"]
    for seq, label in enumerate(formulas):
        stranger("=1/event", {"event_type": label, "confidence": 93, "seq": seq, "boot": 1,
                              "model": "=2"})  # fmt: skip
    until(lambda: watcher.total == len(formulas))
    watcher.save(tmp_path / "seen.csv")
    rows = list(csv.DictReader((tmp_path / "seen.csv").open()))
    assert [r["event_type"] for r in rows] == [f"'{text}" for text in formulas[:4]] + ["circle"]
    assert {(r["device"], r["model"]) for r in rows} == {("'=1", "'=2")}


def test_what_strangers_say_is_taken_with_care(watcher, stranger):
    stranger("evil/event", b"\xff\xfe{")
    stranger("evil/event", [1, 2])
    stranger("evil/state", {"labels": [1, "a\x1b[31m", {}], "model": 7, "crash": ["x"]})
    stranger("evil/diag", {"samples_lost": "many", "heap_free": True, "rssi_dbm": None})
    stranger("evil/status", {"a": 1})
    stranger("evil/raw", b"12345")
    for n in range(70):
        stranger(f"d{n}/event", {"event_type": "<b>x</b>\n", "seq": n, "boot": 1})
        stranger(f"d{n}/event", {"event_type": "<b>x</b>\n", "seq": n, "boot": 1})  # a repeat
    stranger("evil/event", {"event_type": {"a": 1}, "confidence": "no", "latency_ms": True,
                            "seq": 5})
    until(lambda: any(e.device == "evil" for e in watcher.events()))
    devices = watcher.devices()
    assert len(devices) == 64 and watcher.total == 64
    evil = devices["evil"]
    assert evil.labels == ["?", "a?[31m", "?"] and evil.count("samples_lost") is None
    assert evil.online is False and {s.name for s in signs(evil)} == {"Link"}
    last = watcher.events()[-1]
    assert (last.label, last.confidence, last.latency_ms, last.seq) == ("?", None, None, 5)
    assert watcher.events()[0].label == "<b>x</b>?"


def test_no_broker_is_told_and_can_be_tried_again(broker):
    watcher = WatchSession()
    watcher.open(BrokerAddress("127.0.0.1", free_port()))
    until(lambda: watcher.state == "failed")
    assert "no broker answers" in watcher.fault
    watcher.close()
    watcher.open(broker)
    until(lambda: watcher.state == "on")
    with pytest.raises(BeckonError, match="stop that first"):
        watcher.open(broker)
    watcher.close()
    assert watcher.state == "off"


def test_a_broker_that_goes_away_is_lost():
    watcher = WatchSession()
    with embedded_broker() as broker:
        watcher.open(broker)
        until(lambda: watcher.state == "on")
    until(lambda: watcher.state == "lost")
    watcher.close()


def test_health_in_words():
    device = Device("wand", True, {"safe_mode": "crashed 3 times", "crash": "a\nValueError: b\n",
                                   "model": "abc", "model_taken_back": True},
                    {"samples_lost": 3, "samples": 4000, "events_dropped": 1, "heap_free": 4096,
                     "spool_waiting": 2, "events_queued": 1, "rssi_dbm": -80, "lag_ms_max": 900,
                     "samples_saturated": 7, "uptime_ms": 3_700_000, "link_drops": 4})
    told = {s.name: (s.value, s.level) for s in signs(device)}
    assert told == {
        "Link": ("online", GOOD), "Safe mode": ("crashed 3 times", BAD),
        "Last crash": ("ValueError: b", BAD), "Model": ("abc", WARN),
        "Samples lost": ("3 of 4,000", WARN), "Beyond range": ("7 samples", WARN),
        "Events dropped": ("1", BAD), "Events waiting": ("3", WARN), "Wi-Fi": ("−80 dBm", WARN),
        "Link lost": ("4 times", "plain"), "Loop late at most": ("900 ms", WARN),
        "Memory free": ("4 KiB", WARN), "Running for": ("1 h 1 min", "plain"),
    }
    assert [duration(s) for s in (5, 200, 100_000)] == ["5 s", "3 min 20 s", "1 d 3 h"]


# -- deploying --------------------------------------------------------------------------


@pytest.mark.parametrize("has_model, model, sent", [
    (False, None, True), (True, None, False), (True, DEFAULT_MODEL, True),
])
def test_what_goes_to_a_board_by_its_serial_line(has_model, model, sent, monkeypatch, tmp_path):
    """The deployment itself: tests/test_deploy.py, and tests/test_studio_watch_page.py."""
    gate, gone = threading.Event(), []

    def fake(port, make_files, make_extra, *, on_step):
        survey = Survey({"model.mlp": "x"} if has_model else {}, [], (1, 25, 0), "", "", 0, 0, 0, 0,
                        0, chip="24c60a12f0aa")
        gone.append((port, make_files, dict(make_extra(survey))))
        on_step("copying", 30, 120)
        gate.wait(TIMEOUT_S)
        return Report(port, "an ESP32", "1.25.0", copied=["a"], sign="linked to mqtt://x")

    monkeypatch.setattr(deploy_module, "deploy", fake)
    monkeypatch.setattr(deploy_module, "find_port", lambda port: port or "/dev/found")
    write_settings(tmp_path, {"wifi_ssid": "home"})
    deployer = Deployer()
    deployer.serial("", model, tmp_path)
    with pytest.raises(BeckonError, match="under way"):
        deployer.serial("", None)
    until(lambda: deployer.view.what == "copying")
    assert deployer.view.share == 0.25
    gate.set()
    deployer.wait(TIMEOUT_S)
    assert deployer.view.state == "done" and "1 file copied" in deployer.view.message
    newest = read_model(DEFAULT_MODEL).model_id
    assert deployer.view.model == (newest if sent else "")  # what the page says was sent
    assert (newest in deployer.view.message) == sent
    ((port, make_files, extra),) = gone
    assert port == "/dev/found" and make_files is deploy_module.firmware_files
    assert set(extra) == {"config.json", "secrets.json"} | ({"model.mlp"} if sent else set())
    label = deployer.view.label
    assert label.ssid == "beckon-12f0aa" and label.is_new
    assert json.loads(extra["secrets.json"])["ap_key"] == label.key


def test_what_cannot_be_deployed_is_told(tmp_path, broker):
    deployer = Deployer()
    with pytest.raises(BeckonError, match="is not there"):
        deployer.serial(str(tmp_path / "tty"), None)
    (tmp_path / "bad.mlp").write_bytes(b"BMLPrubbish")
    with pytest.raises(BeckonError, match="bad.mlp"):
        deployer.serial("", tmp_path / "bad.mlp")
    with pytest.raises(BeckonError, match="enter the device's name"):
        deployer.mqtt(broker, "", DEFAULT_MODEL)
    write_settings(tmp_path / "settings", {"update_key": ""})
    with pytest.raises(BeckonError, match="no update_key"):
        deployer.mqtt(broker, "wand", DEFAULT_MODEL, tmp_path / "settings")
    assert deployer.view.state == "idle"


def test_deploying_through_the_broker_to_nobody(tmp_path):
    write_settings(tmp_path, {"update_key": "0123456789abcdef0123456789abcdef"})
    deployer = Deployer()
    deployer.mqtt(BrokerAddress("127.0.0.1", free_port()), "wand", DEFAULT_MODEL, tmp_path)
    deployer.wait(TIMEOUT_S)
    assert deployer.view.state == "failed" and "no broker answers" in deployer.view.message
