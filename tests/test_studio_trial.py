"""The Try page: its session, and in a real browser the very events of `beckon simulate`."""

import time

import numpy as np
import pytest

from host_tools.dataset.folder import read_dataset
from host_tools.device.settings import default_folder, write_settings
from host_tools.evaluation.emulator import Board
from host_tools.model.golden import read_model
from host_tools.mqtt.broker import embedded_broker
from host_tools.mqtt.subscriber import Subscriber
from host_tools.paths import DATA, DEFAULT_MODEL
from host_tools.recording.blocks import Block
from host_tools.simulator.simulate import simulate
from host_tools.studio.signal.live_feed import Feed
from host_tools.studio.trial import session as session_module
from host_tools.studio.trial.session import TrialSession
from host_tools.testing.servers import Mosquitto
from tests.studio_pictures import picture
from tests.test_same_events import SPEED, written
from tests.waiting import until

AXES = ("ax", "ay", "az", "gx", "gy", "gz")


def block(index, samples):
    return Block(index, samples, np.zeros(len(samples), bool))


def test_the_session_hears_events_and_stops_when_nobody_looks():
    (recording,) = read_dataset(DATA / "demo").recordings
    x = recording.samples.astype(float)
    feed = Feed("record", recording.rate_hz, AXES)
    trial = TrialSession()
    trial.use(read_model(DEFAULT_MODEL), "model.mlp")
    trial.hear(feed, 0, block(0, x[:500]))  # nobody looks
    assert not trial.view().running
    trial.watch()
    try:
        trial.hear(feed, 1000, block(0, x))
        until(lambda: trial.view().total == 9)
        view = trial.view()
        assert view.counts == {"circle": 3, "x": 3, "y": 3}
        assert view.events[0].t_ms > 10_000  # of the feed's clock
        assert max(view.peaks) > 80 and view.thresholds.keys() == {"circle", "x", "y"}
        trial.set_threshold("circle", 100)
        assert trial.view().changed
        trial.reset_thresholds()
        assert not trial.view().changed
    finally:
        trial.close()


def test_too_many_samples_cost_the_oldest_and_no_delay(monkeypatch):
    feed = Feed("record", 100.0, AXES)
    trial = TrialSession()
    trial.use(read_model(DEFAULT_MODEL), "model.mlp")
    trial.watch()
    push = session_module.LiveBoard.push

    def slowly(board, samples, lost=0):
        time.sleep(0.02)
        return push(board, samples, lost)

    monkeypatch.setattr(session_module.LiveBoard, "push", slowly)
    try:
        for i in range(400):
            trial.hear(feed, 10 * i, block(10 * i, np.zeros((10, 6))))
            assert trial._waiting <= 200
        until(lambda: trial._next == 4000)  # the newest are among those that are heard
        assert 2000 < trial.view().dropped <= 4000 - 200
    finally:
        trial.close()


def received(subscriber, n):
    """The next n events."""
    out = []
    while len(out) < n:
        message = subscriber.receive(60)
        assert message, f"{len(out)} of {n} events came"
        out.append(message.payload)
    return out


def test_what_is_sent_to_a_broker_goes_on_while_nobody_looks(tmp_path):
    (recording,) = read_dataset(DATA / "demo").recordings
    x = recording.samples.astype(float)
    trial = TrialSession()
    trial.use(read_model(DEFAULT_MODEL), "model.mlp")
    with Mosquitto(tmp_path) as broker, Subscriber(broker.address, "wand", ["event"]) as watcher:
        try:
            trial.sender.start(broker.address, "wand", "phone")
            events = []
            for name in ("first", "second"):
                trial.hear(Feed(name, recording.rate_hz, AXES), 0, block(0, x))
                events += received(watcher, 9)
            assert [e["seq"] for e in events] == list(range(18))
            assert [e["event_type"] for e in events[:9]] == [e["event_type"] for e in events[9:]]
            times = [e["t_ms"] for e in events]  # the second source's are behind the first's
            assert times == sorted(times) and times[9] > 36_000
            assert trial.sender.view().up
            assert trial.sender.stop() == 0 and trial.sender.view() is None
            trial.hear(Feed("third", recording.rate_hz, AXES), 0, block(0, x))
            assert trial._waiting == 0
        finally:
            trial.close()


def test_the_switch_on_the_page_sends_events(studio_tab, tmp_path, request):
    pytest.importorskip("nicegui", reason="the extra studio is not installed")
    (recording,) = (DATA / "demo" / "recordings").glob("*.csv*")
    tab = studio_tab(tmp_path / "mine", "/trial")
    page = tab.page
    switch = page.get_by_role("switch", name="Send events to a broker")
    switch.wait_for()
    page.get_by_text("Beckon's own model").wait_for()
    page.get_by_role("textbox", name="Broker").fill("127.0.0.1:1")
    page.get_by_role("textbox", name="Device name").fill("wand")
    switch.click()
    page.get_by_text("no broker answers at mqtt://127.0.0.1:1").wait_for()
    with Mosquitto(tmp_path) as broker, Subscriber(broker.address, "wand", ["event"]) as watcher:
        page.get_by_role("textbox", name="Broker").fill(f"127.0.0.1:{broker.port}")
        switch.click()
        page.get_by_text("wand is online").wait_for()
        page.keyboard.press("Space")  # the focus is still there
        page.get_by_role("textbox", name="Device name").wait_for()
        page.keyboard.press("Space")
        page.get_by_text("wand is online").wait_for()
        page.get_by_role("button", name="File").click()
        page.get_by_label("Recording (.csv or .csv.gz)").fill(str(recording))
        page.get_by_label("Speed").click()
        page.get_by_role("option", name="20 times").click()
        page.get_by_role("button", name="Connect").click()
        assert [e["seq"] for e in received(watcher, 9)] == list(range(9))
        page.get_by_text("9 events sent").wait_for()
        switch.click()
        page.get_by_role("textbox", name="Device name").wait_for()


def test_the_rules_of_the_settings_are_tried_too(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    write_settings(default_folder(), {"rules": "face_down, shake"})
    trial = TrialSession()
    trial.use(read_model(DEFAULT_MODEL), "model.mlp")
    trial.watch()
    feed = Feed("record", 100.0, AXES)
    turned = np.zeros((400, 6))
    turned[:, 2] = np.repeat([9.81, -9.81], 200)
    try:
        for i in range(0, 400, 100):
            trial.hear(feed, i, block(i, turned[i:i + 100]))
            until(lambda i=i: trial._next == i + 100)
        until(lambda: trial.view().total)
        assert trial.view().rules == ("shake", "face_down")
        assert trial.view().counts == {"face_down": 1}
    finally:
        trial.close()
    (default_folder() / "config.json").write_text("{")  # setup mends it; the trial goes on
    trial.use(read_model(DEFAULT_MODEL), "model.mlp")
    assert trial.view().rules == ()


def rows_of(page):
    return [tuple(tr.locator("td").all_inner_texts())
            for tr in page.locator(".bk-heard tr").all()][::-1]


def test_the_page_shows_what_simulate_says(studio_tab, tmp_path, request):
    pytest.importorskip("nicegui", reason="the extra studio is not installed")
    model = read_model(DEFAULT_MODEL)
    (demo,) = read_dataset(DATA / "demo").recordings
    path, _ = written(tmp_path, [Board(model).raw(demo)], model, seed=1)
    with embedded_broker() as broker:
        outcome = simulate(path, DEFAULT_MODEL, broker, speed=SPEED)
    simulated = [(e["event_type"], f"{e['t_ms'] / 1000:.2f} s", f"{e['confidence']} %")
                 for e in outcome.events]
    assert len(simulated) == 9
    folder = tmp_path / "mine"
    tab = studio_tab(folder, "/trial")
    page = tab.page
    page.get_by_text("Try it before you deploy it").wait_for()
    page.get_by_text("Beckon's own model").wait_for()
    page.get_by_role("button", name="File").click()
    page.get_by_label("Recording (.csv or .csv.gz)").fill(str(path))
    if not request.config.getoption("--update-pictures"):
        page.get_by_label("Speed").click()
        page.get_by_role("option", name="20 times").click()
    page.get_by_role("button", name="Connect").click()
    if request.config.getoption("--update-pictures"):
        page.get_by_text("2 events").wait_for()
        page.wait_for_timeout(300)
        picture(tab, request, "try")
    page.get_by_text("9 events").wait_for()
    assert rows_of(page) == simulated
    # A threshold by the keyboard, into a file of its own, and again from there
    slider = page.get_by_role("slider", name="Threshold of circle")
    slider.wait_for()
    slider.focus()
    page.keyboard.press("End")
    page.get_by_text("You changed thresholds").wait_for()
    page.evaluate("document.activeElement.blur()")
    page.keyboard.press("s")
    page.get_by_text("models/model.mlp: ").wait_for()
    saved = read_model(folder / "models" / "model.mlp")
    known = dict(zip(saved.labels, saved.decision.thresholds, strict=True))
    assert known["circle"] == 100 and known["x"] == model.decision.threshold_percent
    page.get_by_role("button", name="Deploy").wait_for()
    tab.go("/trial")
    page.get_by_text("model.mlp").first.wait_for()
