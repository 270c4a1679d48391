"""The Watch page in a real browser: a simulated board through a broker, and one deployed to."""

import json

import pytest
from paho.mqtt import client as mqtt

from host_tools.device.image import unix_arch, write_image
from host_tools.errors import BeckonError
from host_tools.model.golden import read_model
from host_tools.mqtt.broker import embedded_broker
from host_tools.paths import DEFAULT_MODEL, DEMO
from host_tools.simulator.simulate import simulate
from host_tools.testing.browser import open_tab
from tests.boards import sensor_board
from tests.forked_studio import ForkedStudio
from tests.studio_pictures import picture


@pytest.fixture(scope="module")
def tab(browser, tmp_path_factory):
    folder = tmp_path_factory.mktemp("studio") / "my-gestures"
    (folder / "models").mkdir(parents=True)
    (folder / "models" / "first.mlp").write_bytes(DEFAULT_MODEL.read_bytes())
    with ForkedStudio(folder) as studio, open_tab(browser, studio) as tab:
        tab.folder = folder
        yield tab
        assert tab.faults == [] and tab.strangers() == []


@pytest.fixture(scope="module")
def broker():
    with embedded_broker() as address:
        yield address


def played(broker):
    """The labels of the events that a simulated board sent; on a computer that is too busy it may
    lose samples, and then some of them."""
    sent = []
    recording = DEMO / "recordings" / "p101-1.csv.gz"
    try:
        simulate(recording, DEFAULT_MODEL, broker, speed=15,
                 on_event=lambda payload: sent.append(payload["event_type"]))
    except BeckonError as error:
        assert "use a lower --speed" in str(error)
    return sent


def test_events_of_a_simulated_board_arrive(tab, broker, request):
    page = tab.page
    tab.go("/watch")
    page.get_by_text("See your gestures arrive").wait_for()
    page.get_by_label("Address").fill("http://nothing")
    page.keyboard.press("Enter")
    page.get_by_text("is not a broker address").wait_for()
    page.get_by_label("Address").fill(str(broker))
    page.keyboard.press("Enter")
    page.get_by_text("Make a gesture. It appears here").wait_for()
    sent = played(broker)
    assert sent
    page.get_by_text(f"{len(sent)} events:").wait_for()
    picture(tab, request, "watch", "dark")
    model = read_model(DEFAULT_MODEL).model_id
    page.get_by_text("the project's newest").wait_for()
    assert page.locator(".bk-event").inner_text() == sent[-1]
    assert page.get_by_role("cell", name=model).count() == len(sent)
    assert page.locator(".bk-svg circle").count() == len(sent)
    health = page.locator(".bk-sign").filter(has_text="Samples lost")
    assert " of 3," in health.inner_text()
    page.locator(".bk-sign").filter(has_text="offline").wait_for()
    page.keyboard.press("s")
    page.get_by_text(f"{len(sent)} events in runs/").wait_for()
    (path,) = (tab.folder / "runs").iterdir()
    assert [row.split(",")[2] for row in path.read_text().splitlines()[1:]] == sent
    page.keyboard.press("Delete")
    page.get_by_text("Make a gesture. It appears here").wait_for()


def test_what_a_stranger_says_is_text(tab, broker):
    client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2)
    client.connect(broker.host, broker.port)
    client.loop_start()
    wild = "<img src=x onerror=alert(1)>"
    client.publish("beckon/" + wild + "/event", json.dumps({"event_type": wild, "seq": 1}), qos=1)
    tab.page.locator(".bk-event").filter(has_text=wild).wait_for()
    assert tab.page.locator("img[src='x']").count() == 0
    client.disconnect()
    client.loop_stop()
    tab.page.keyboard.press("x")
    tab.page.get_by_role("button", name="Watch Enter").wait_for()


def test_deploying_by_serial_line(tab, tmp_path):
    page = tab.page
    flash = tmp_path / "flash"
    write_image(flash, unix_arch())
    tab.go("/watch")
    page.get_by_text("first.mlp (the newest)").wait_for()
    newer = tab.folder / "models" / "second.mlp"
    newer.write_bytes(DEFAULT_MODEL.read_bytes())
    try:  # a model that comes while the page is open is the one to send
        page.get_by_text("second.mlp (the newest)").wait_for()
    finally:
        newer.unlink()
    page.get_by_text("first.mlp (the newest)").wait_for()
    page.get_by_label("Serial port").fill("/nowhere/tty")
    page.evaluate("document.activeElement.blur()")
    page.keyboard.press("d")
    page.get_by_text("/nowhere/tty is not there").wait_for()
    with sensor_board(flash) as board:
        page.get_by_label("Serial port").fill(board.port)
        page.evaluate("document.activeElement.blur()")
        page.keyboard.press("d")
        page.get_by_text("If this ends early").wait_for()
        page.get_by_text("If this ends early").wait_for(state="detached", timeout=150_000)
        assert page.locator(".bk-message").all_inner_texts() == []
        page.get_by_text("files copied").wait_for()
        page.get_by_text(f"Model {read_model(DEFAULT_MODEL).model_id}, first.mlp").wait_for()
        page.get_by_text("access point: beckon-000001 is open").wait_for()
        # The board has an access point now: what its label must say, and a code to scan.
        key = json.loads((flash / "secrets.json").read_text())["ap_key"]
        page.get_by_text(key, exact=True).wait_for()
        page.get_by_text("beckon-000001", exact=True).wait_for()
        page.get_by_role("img", name="QR code of the Wi-Fi and its password").wait_for()
        # The next deployment finds it there, and shows it when it is asked to.
        page.keyboard.press("d")
        page.get_by_text("0 files copied").wait_for()
        shown = page.get_by_text(key, exact=True)
        shown.wait_for(state="hidden")
        page.keyboard.press("b")
        shown.wait_for()
        page.keyboard.press("b")
        shown.wait_for(state="hidden")
    assert (flash / "model.mlp").read_bytes() == DEFAULT_MODEL.read_bytes()
