"""A phone in Studio and in `beckon record`: from the code to a saved recording."""

import http.client
import io
import json
import ssl
import threading
import time
from urllib.parse import urlsplit

import numpy as np
import pytest

pytest.importorskip("nicegui", reason="the extra studio is not installed")

from websockets.exceptions import WebSocketException
from websockets.sync.client import connect

from host_tools.cli import phone_options
from host_tools.cli.app import main
from host_tools.dataset.folder import read_dataset
from host_tools.errors import BeckonError
from host_tools.studio.record.sources import SourceChoice, make_source
from host_tools.testing.browser import Studio, open_tab
from tests.studio_pictures import picture


class Sender(threading.Thread):
    """A phone without a browser: five times as fast as a real one, until it is closed."""

    def __init__(self, address, rate_hz=60.0):
        super().__init__(daemon=True)
        self._address, self._rate_hz = urlsplit(address), rate_hz
        self._context = ssl.create_default_context()
        self._context.maximum_version = ssl.TLSVersion.TLSv1_2  # see test_phone_page.dial
        self._context.check_hostname = False
        self._context.verify_mode = ssl.CERT_NONE  # of a certificate made a moment ago

    def run(self):
        place = self._address.netloc
        first = http.client.HTTPSConnection(place, timeout=20, context=self._context)
        first.request("GET", f"/?{self._address.query}")
        cookie = first.getresponse().headers["set-cookie"].partition(";")[0]
        first.close()
        try:
            own = {"Cookie": cookie, "Origin": f"https://{place}"}
            with connect(f"wss://{place}/samples", ssl=self._context, proxy=None,
                         additional_headers=own) as socket:
                for i in range(3000):
                    socket.send(self._message(15 * i))
                    time.sleep(15 / self._rate_hz / 5)
        except (OSError, WebSocketException):
            pass  # the command has ended

    def _message(self, first):
        """As an iPhone without attitude: all accelerations the other way round."""
        swing = [np.sin((first + i) / 10) for i in range(15)]
        return json.dumps({"page": "p1", "system": "ios", "restarted": first == 0,
                           "attitude": None, "dropped": 0, "events": [
            [1000 * (first + i) / self._rate_hz, -3 * s, 0.1, -9.8, 90 * s, 2, 3]
            for i, s in enumerate(swing)]})


@pytest.fixture
def record(monkeypatch, tmp_path, capsys):
    def run(*options, **phone):
        monkeypatch.setattr(phone_options, "print_code",
                            lambda address: Sender(address, **phone).start())
        monkeypatch.setattr("host_tools.studio.phone.server.DEFAULT_PORT", 0)
        status = main(["record", "--from", "phone", "--free", "--labels", "none", "--seconds",
                       "4", "--out", str(tmp_path), "--json", "--phone-address", "127.0.0.1",
                       *options])
        said = capsys.readouterr()
        return status, json.loads(said.out) if said.out else {}, said.err

    return run


def test_a_phone_on_the_command_line(record, tmp_path):
    status, found, err = record("--yes")
    assert status == 0, err
    assert "open to the local network: https://127.0.0.1:" in err and "SHA-256" in err
    (recording,) = read_dataset(tmp_path).recordings
    assert recording.rate_hz == pytest.approx(60, rel=0.01) and found["lost"] == 0
    assert recording.samples[:, 2] == pytest.approx(9.8)
    assert np.corrcoef(recording.samples[:, 0], recording.samples[:, 3])[0, 1] > 0.999
    beside = json.loads(next((tmp_path / "recordings").glob("*.json")).read_text())
    assert beside["source"] == "phone" and beside["accel_sign"] == -1


def test_a_slow_phone_on_the_command_line(record):
    status, _, err = record("--yes", rate_hz=20.0)
    assert status == 1 and "20.0 samples per second, fewer than 45" in err


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.mark.parametrize("answer", ["", "n\n", "yes please\n"])
def test_without_a_yes_nothing_is_opened(record, monkeypatch, answer):
    def never(*_):
        raise AssertionError("a port was opened")

    monkeypatch.setattr("host_tools.studio.phone.server.PhoneServer.__init__", never)
    monkeypatch.setattr("sys.stdin", Terminal(answer))
    status, _, err = record()
    assert status == 1 and "Open it? [y/N]" in err and "not opened" in err
    assert "https://127.0.0.1" in err and "everyone in your local network" in err
    monkeypatch.setattr("sys.stdin", io.StringIO("y\n"))  # no terminal: nobody to ask
    status, _, err = record()
    assert status == 2 and "agree with --yes" in err
    with pytest.raises(BeckonError, match="--phone"):
        make_source(SourceChoice("phone"))


def test_a_phone_in_studio(browser, tmp_path, request):
    """The code, what it says of the phone, Connect, and a saved recording."""
    folder = tmp_path / "my-gestures"
    with Studio(folder, "--phone", "--yes", "--phone-address", "127.0.0.1") as studio, \
            open_tab(browser, studio) as tab:  # fmt: skip
        page = tab.page
        tab.go("/record")
        page.get_by_role("button", name="Phone").click()
        page.get_by_text("Scan this with the phone's camera").wait_for()
        picture(tab, request, "phone", "light")
        address = page.get_by_text("https://127.0.0.1:").inner_text()
        assert page.locator(".bk-svg svg path").count() == 2  # the code, and its light ground
        Sender(address).start()
        page.get_by_text("The phone sends 60 samples per second").wait_for()
        page.get_by_role("button", name="Connect").click()
        page.get_by_role("button", name="Freely").click()
        page.get_by_label("Label for the whole recording").fill("none")
        page.evaluate("document.activeElement.blur()")
        page.keyboard.press("Space")
        page.get_by_text("nothing lost").wait_for()
        page.wait_for_timeout(500)
        page.keyboard.press("s")
        page.get_by_text("Saved 1 recording").wait_for()
        assert tab.faults == [] and tab.strangers() == []
    (recording,) = read_dataset(folder).recordings
    assert recording.samples[:, 2] == pytest.approx(9.8)
