"""Nothing but a phone: its page in a real browser, `beckon run`, a real broker, the store.

Chromium's emulated sensors start it. Then the page gets the movement of a recording, with stamps
of an even rate: a busy computer must not look like a phone that loses samples. The certificate's
warning is waved through, as a person does with "Proceed".
"""

import json
import re
import subprocess
import sys
import threading
import time

import numpy as np
import pytest

pytest.importorskip("nicegui", reason="the extra studio is not installed")

from host_tools.collect.intake import judge
from host_tools.dataset.folder import read_dataset
from host_tools.errors import BeckonError
from host_tools.mqtt.schemas import fault_of
from host_tools.mqtt.subscriber import Subscriber
from host_tools.paths import DATA, REPOSITORY
from host_tools.store.messages import Diag, Event, State
from host_tools.testing.servers import Mosquitto
from tests.test_phone_page import Phone
from tests.waiting import until

SECONDS = 16.0
GESTURES = ["y", "circle", "circle", "y"]  # of these seconds, as `beckon run --from` FILE says


@pytest.fixture(scope="module")
def anyones_browser():
    from host_tools.testing.browser import chromium
    from host_tools.toolchain.browser import browser_command

    try:
        browser_command()
    except BeckonError as error:
        pytest.skip(f"no browser: {error}")
    with chromium("--ignore-certificate-errors") as found:
        yield found


class Run:
    """The command, and what it says."""

    def __init__(self, *options):
        self.said = []
        self.process = subprocess.Popen(
            [sys.executable, "-m", "host_tools", "run", "--from", "phone", "--yes",
             "--phone-address", "127.0.0.1", *options], cwd=REPOSITORY, text=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)  # fmt: skip
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self):
        for line in self.process.stdout:
            self.said.append(line.strip())

    def find(self, pattern):
        return next((m for m in (re.search(pattern, line) for line in self.said) if m), None)

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()


# The sensors' own events end here; then those of the recording come, with stamps of an even rate.
BEFORE = """() => window.addEventListener('devicemotion', (e) => {
  if (e.isTrusted && window.played) e.stopImmediatePropagation();
}, true)"""
PLAY = """([rows, rate]) => {
  window.played = true;
  const start = performance.now();
  let sent = 0;
  setInterval(() => {
    for (; sent < rows.length && start + 1000 * sent / rate <= performance.now(); sent++) {
      const [x, y, z, alpha, beta, gamma] = rows[sent];
      const event = new DeviceMotionEvent('devicemotion', {
        accelerationIncludingGravity: {x, y, z}, rotationRate: {alpha, beta, gamma},
        interval: 1000 / rate});
      Object.defineProperty(event, 'timeStamp', {value: start + 1000 * sent / rate});
      window.dispatchEvent(event);
    }
  }, 10);
}"""
RATE_HZ = 60


def rows_of(recording):
    """As a phone's browser gives them: 60 per second, rounded to 0.1."""
    t_s = np.arange(0, SECONDS, 1 / RATE_HZ)
    taken_s = np.arange(len(recording.samples)) / recording.rate_hz
    return np.column_stack([np.interp(t_s, taken_s, column)
                            for column in recording.samples.T]).round(1).tolist()  # fmt: skip


def test_a_phone_alone_is_a_device_on_the_broker(anyones_browser, tmp_path):
    (recording,) = read_dataset(DATA / "demo").recordings
    heard = []
    with (Mosquitto(tmp_path) as broker,
          Subscriber(broker.address, "pocket") as watcher,
          Run("--name", "pocket", "--broker", f"mqtt://127.0.0.1:{broker.port}") as run):

        def of(kind):
            while message := watcher.receive(0.01):
                heard.append(message)
            return [m.payload for m in heard if m.kind == kind]

        address = until(lambda: run.find(r"open it there: (https://\S+)"), lambda: run.said)[1]
        phone = Phone(anyones_browser)
        try:
            phone.page.goto(address)
            phone.page.evaluate(BEFORE)
            phone.start()
            until(lambda: run.find(r"\d samples per second"), lambda: run.said)
            phone.page.evaluate(PLAY, [rows_of(recording), RATE_HZ])
            until(lambda: len(of("event")) >= len(GESTURES), lambda: (run.said, of("event")))
            phone.page.get_by_text("Sending").wait_for()
            assert phone.faults == []
        finally:
            phone.context.close()
        run.process.terminate()
        run.process.wait(30)
        until(lambda: of("status")[-1:] == ["offline"])
    assert [e["event_type"] for e in of("event")] == GESTURES
    assert [e["seq"] for e in of("event")] == list(range(len(GESTURES)))
    assert of("state")[-1]["source"] == "phone" and of("status")[0] == "online"
    assert of("diag")[-1]["events_delivered"] == len(GESTURES)
    for message in heard:  # what a collector stores
        assert fault_of(message.kind, message.payload) == ""
    kinds = {"event": Event, "state": State, "diag": Diag}
    for kind, made in kinds.items():
        value = judge(f"beckon/pocket/{kind}", json.dumps(of(kind)[-1]).encode(), False,
                      time.time_ns() // 10**6)
        assert isinstance(value, made), value
