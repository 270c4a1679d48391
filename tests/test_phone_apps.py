"""phyphox, Sensor Logger and SensorServer as sources, against servers that speak their formats.

The servers deliver a second of samples per request or at once, so nothing waits for real time.
"""

import contextlib
import json
import socket
import threading
import time
from http.server import BaseHTTPRequestHandler, HTTPServer
from urllib.parse import parse_qsl, urlsplit

import numpy as np
import pytest
import requests
from websockets.sync.server import serve

from host_tools.cli.app import main
from host_tools.dataset.folder import read_recording
from host_tools.errors import BeckonError
from host_tools.recording.phone import phyphox, sensor_logger, sensor_server, stamped_source
from host_tools.recording.phone.phyphox import PhyphoxSource, sensors
from host_tools.recording.phone.sensor_logger import SensorLoggerServer, SensorLoggerSource
from host_tools.recording.phone.sensor_server import SensorServerSource
from host_tools.units import GRAVITY

RATE = 100.0
SECONDS = 14


def moved(t):
    """(n, 6) in our units, signs and axes at times t: on its back for 4 s, then it swings."""
    swing = np.where(t > 4, np.sin(2 * np.pi * 1.5 * t), 0)
    return np.column_stack([4 * swing, 0.3 + 0 * t, GRAVITY + 0 * t, 0 * t, 120 * swing, 0 * t])


@pytest.fixture
def record(tmp_path, capsys):
    """record(source, option...) -> (status, JSON, stderr, the recording, what lies beside it)."""

    def run(source, *options):
        status = main(["record", "--from", source, "--free", "--labels", "none", "--seconds", "6",
                       "--out", str(tmp_path), "--json", *options])  # fmt: skip
        said = capsys.readouterr()
        found = json.loads(said.out) if said.out else {}
        recording = beside = None
        for path in (tmp_path / "recordings").glob("*.csv.gz"):
            recording, _ = read_recording(path)
            beside = json.loads(path.with_name(path.name[:-7] + ".json").read_text())
        return status, found, said.err, recording, beside

    return run


def assert_ours(recording, rate_hz=RATE):
    """The recording holds moved(), somewhere in the fourth second and after."""
    assert recording.rate_hz == pytest.approx(rate_hz, rel=0.01) and recording.axes == 6
    x = recording.samples
    assert np.median(x[:, 2]) == pytest.approx(GRAVITY, abs=0.02)
    assert np.median(x[:, 1]) == pytest.approx(0.3, abs=0.02)
    assert x[:, 4].max() == pytest.approx(120, abs=2) and x[:, 0].max() == pytest.approx(4, abs=0.1)
    assert np.corrcoef(x[:, 0], x[:, 4])[0, 1] > 0.99  # the streams belong to the same times


# --- phyphox

class Phyphox:
    """The app's remote access. Each /get finds the measurement a second further on."""

    def __init__(self, rate_hz=RATE, sign=1.0, sources=("accelerometer", "gyroscope"), until_s=99):
        self.rate_hz, self.sign, self.sources, self.until_s = rate_hz, sign, sources, until_s
        self.now_s, self.measuring, self.commands = 0.0, False, []
        self.asked = []
        self.cleared_at = None
        self.lost = (0.0, 0.0)
        app = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                parts = urlsplit(self.path)
                query = dict(parse_qsl(parts.query, keep_blank_values=True))
                body = json.dumps(app.answer(parts.path, query)).encode()
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        self.http = HTTPServer(("127.0.0.1", 0), Handler)
        self.port = self.http.server_port
        self._thread = threading.Thread(target=self.http.serve_forever, args=(0.02,), daemon=True)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self.http.shutdown()
        self._thread.join(10)
        self.http.server_close()

    def config(self):
        short = {"accelerometer": "acc", "gyroscope": "gyr", "linear_acceleration": "lin"}
        return {"crc32": "44c5dc97", "title": "both", "buffers": [], "export": [], "inputs": [
            {"source": source, "outputs": [
                *({axis: short[source] + axis.upper()} for axis in "xyz"),
                {"t": f"{short[source]}_time"}]} for source in self.sources]}

    def columns(self):
        """Buffer -> values, as formatted by the app: eight digits."""
        t = np.arange(0, min(self.now_s, self.until_s), 1 / self.rate_hz)
        t = t[(t < self.lost[0]) | (t >= self.lost[1])]
        x = moved(t) * np.repeat([self.sign, np.pi / 180], 3)
        tg = t + 0.0015
        g = moved(tg) * np.pi / 180
        out = {"acc_time": t, "accX": x[:, 0], "accY": x[:, 1], "accZ": x[:, 2],
               "gyr_time": tg, "gyrX": g[:, 3], "gyrY": g[:, 4], "gyrZ": g[:, 5]}
        return {name: [float(f"{v:.7e}") for v in values] for name, values in out.items()}

    def answer(self, path, query):
        if path == "/config":
            return self.config()
        if path == "/control":
            self.commands.append(query["cmd"])
            self.measuring = query["cmd"] == "start"
            return {"result": True}
        assert path == "/get" and self.measuring
        self.now_s += 1
        if self.cleared_at and self.now_s > self.cleared_at:
            self.now_s, self.cleared_at = 0.5, None
        columns, buffers = self.columns(), {}
        for name, wanted in query.items():
            values = columns[name]
            if not wanted:
                buffers[name] = {"size": 0, "updateMode": "single",
                                 "buffer": values[-1:] or [None]}
                continue
            threshold, _, reference = wanted.partition("|")
            limit = float(threshold)
            kept = [v for v, r in zip(values, columns[reference or name], strict=True) if r > limit]
            buffers[name] = {"size": 0, "updateMode": "partial", "buffer": kept}
        return {"buffer": buffers, "status": {"session": "a1b2c3", "measuring": True,
                                              "timedRun": False, "countDown": 0}}


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_phyphox(record, sign):
    with Phyphox(sign=sign) as app:
        app.lost = (6.0, 6.2)
        status, found, err, recording, beside = record(f"phyphox://127.0.0.1:{app.port}")
    assert status == 0, err
    assert app.commands == ["start", "stop"]
    assert_ours(recording)
    assert ("opposite signs" in err) == (sign < 0)
    assert found["lost"] == 21 and len(recording.gaps) == 1
    assert beside["source"] == "phyphox" and beside["breaks"] == 0
    assert beside["unpaired"] == 2  # the first of all, and the first after the gap


def test_phyphox_without_gyroscope_and_with_cleared_data(record, monkeypatch):
    monkeypatch.setattr(phyphox, "_CHECK_POLLS", 2)
    with Phyphox(sources=("accelerometer",)) as app:
        app.cleared_at = 7
        status, found, err, recording, beside = record(f"phyphox://127.0.0.1:{app.port}")
    assert status == 0, err
    assert recording.axes == 3 and beside["breaks"] == 1 and len(recording.gaps) == 1


@pytest.mark.parametrize("options, said", [
    ({"sources": ("linear_acceleration", "gyroscope")}, "accelerometer with gravity"),
    ({"rate_hz": 10.0}, "10.0 samples per second, fewer than 45"),
    ({"until_s": 1.5}, "keep it awake"),
    ({"sign": 0.0}, "with gravity"),
])  # fmt: skip
def test_a_phyphox_that_cannot_be_recorded(record, monkeypatch, options, said):
    monkeypatch.setattr(stamped_source, "_OPEN_S", 1.5 if "until_s" in options else 20)
    with Phyphox(**options) as app:
        status, _, err, recording, _ = record(f"phyphox://127.0.0.1:{app.port}")
    assert status == 1 and said in err and recording is None
    assert len(err.strip().splitlines()[-1]) < 300


def test_a_phyphox_that_goes_away_ends_the_recording_and_keeps_it(record, monkeypatch):
    monkeypatch.setattr(phyphox, "_PATIENCE_S", 0.2)
    app = Phyphox()
    with app:
        real = PhyphoxSource._take

        def take(self, answer):
            if app.now_s > 6:
                app.http.socket.close()
            return real(self, answer)

        monkeypatch.setattr(PhyphoxSource, "_take", take)
        status, found, err, recording, _ = record(f"phyphox://127.0.0.1:{app.port}")
    assert status == 1 and "does not answer" in found["fault"] and recording is not None


def test_what_is_not_phyphox(record):
    status, _, err, *_ = record("phyphox://127.0.0.1:9")
    assert status == 1 and "allow remote access" in err
    for config in ({}, {"inputs": 3}, {"inputs": [1, {"source": "gyroscope"}]},
                   {"inputs": [{"source": "accelerometer", "outputs": [{"x": "a"}, 3]}]}):
        with pytest.raises(BeckonError, match="accelerometer"):
            sensors(config)


# --- SensorServer

@contextlib.contextmanager
def sensor_server_app(rate_hz=RATE, gyro=True, breaks_s=(), junk=True):
    """The app: every connection goes on where the one before ended; breaks_s: where one ends."""
    state = {"at": 0, "breaks": list(breaks_s), "paths": []}
    t = np.arange(0, SECONDS, 1 / rate_hz)
    x = moved(t) * np.repeat([1, np.pi / 180], 3)

    def event(kind, i, values, shift_ns):
        return json.dumps({"accuracy": 3, "timestamp": 3925657519043709 + shift_ns
                           + round(1e9 * t[i]), "type": kind, "values": [float(v) for v in values]})

    def handle(connection):
        state["paths"].append(connection.request.path)
        if junk:
            for text in ("", "[]", '{"type": 3}', '{"type":"android.sensor.gyroscope"}',
                         '{"type":"android.sensor.light","timestamp":1,"values":[3]}'):
                connection.send(text)
        while state["at"] < len(t):
            i = state["at"]
            if state["breaks"] and t[i] >= state["breaks"][0]:
                state["breaks"].pop(0)
                state["at"] += 50  # nobody listens meanwhile
                return
            connection.send(event("android.sensor.accelerometer", i, x[i, :3], 0))
            if gyro:
                connection.send(event("android.sensor.gyroscope", i, x[i, 3:], 900_000))
            state["at"] += 1
            if state["at"] % 20 == 0:
                time.sleep(0.01)  # at once, more would come than the source may keep
        try:
            connection.recv()
        except Exception:
            pass

    server = serve(handle, "127.0.0.1", 0)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield server.socket.getsockname()[1], state
    finally:
        server.shutdown()
        thread.join(10)


def test_sensor_server_and_a_connection_that_breaks(record):
    with sensor_server_app(breaks_s=(5.0,)) as (port, state):
        status, found, err, recording, beside = record(f"sensorserver://127.0.0.1:{port}")
    assert status == 0, err
    assert len(state["paths"]) == 2 and state["paths"][0] == (
        "/sensors/connect?types=%5B%22android.sensor.accelerometer%22%2C"
        "%22android.sensor.gyroscope%22%5D")
    assert_ours(recording)
    assert found["lost"] == pytest.approx(50, abs=2) and len(recording.gaps) == 1
    assert beside["messages_refused"] == 10 and beside["breaks"] == 0


def test_sensor_server_without_gyroscope(record):
    with sensor_server_app(gyro=False) as (port, _):
        status, _, err, recording, _ = record(f"sensorserver://127.0.0.1:{port}")
    assert status == 0 and recording.axes == 3, err


def test_sensor_server_too_slow_or_absent(record):
    with sensor_server_app(rate_hz=10, gyro=False) as (port, _):
        status, _, err, *_ = record(f"sensorserver://127.0.0.1:{port}")
    assert status == 1 and "10.0 samples per second" in err
    status, _, err, *_ = record("sensorserver://127.0.0.1:9")
    assert status == 1 and "press Start in SensorServer" in err


def test_a_sensor_server_that_stays_away(monkeypatch):
    monkeypatch.setattr(sensor_server, "_PATIENCE_S", 0.1)
    with sensor_server_app() as (port, _):
        source = SensorServerSource(f"ws://127.0.0.1:{port}")
        with source:
            source._url = source._url.replace(str(port), "9")
            source._socket.close()
            with pytest.raises(BeckonError, match="does not answer"):
                while True:
                    source.read(1)


# --- Sensor Logger

def pushes(names, t, sign=1.0, unit=1.0):
    """Batches of half a second, as the app pushes them: each sensor in one run."""
    x = moved(t) * np.repeat([sign * unit, np.pi / 180], 3)
    gravity = np.tile([0, 0, sign * GRAVITY], (len(t), 1))
    of = {"totalacceleration": x[:, :3], "accelerometeruncalibrated": x[:, :3],
          "accelerometer": x[:, :3] - gravity, "gravity": gravity, "gyroscope": x[:, 3:]}
    for number, part in enumerate(np.array_split(np.arange(len(t)), max(1, len(t) // 50))):
        yield {"messageId": number, "sessionId": "s", "deviceId": "d", "payload": [
            {"name": name, "time": 1698501144401773000 + round(1e9 * t[i]) + 1000 * place,
             "accuracy": 3, "values": dict(zip("xyz", map(float, of[name][i]), strict=True))}
            for place, name in enumerate(names) for i in part]
            + [{"name": "battery", "time": 1, "values": {"batteryLevel": 0.5}}, 3, {"name": []}]}


@contextlib.contextmanager
def pushing(monkeypatch, *args, **options):
    """Whatever server starts gets the pushes, from a thread."""
    real, threads, t = SensorLoggerServer.start, [], np.arange(0, SECONDS, 1 / RATE)

    def start(self):
        real(self)

        def push():
            requests.post(self.url, json={"test": 1}, timeout=10)  # as the app's test button
            for body in pushes(*args, t, **options):
                try:
                    requests.post(self.url, json=body, timeout=10)
                except requests.RequestException:
                    return  # the recording has ended

        threads.append(threading.Thread(target=push, daemon=True))
        threads[-1].start()

    monkeypatch.setattr(SensorLoggerServer, "start", start)
    yield
    for thread in threads:
        thread.join(20)


@pytest.mark.parametrize("names, sign, unit", [
    (("totalacceleration", "accelerometer", "gravity", "gyroscope"), 1, 1),  # Android
    (("gravity", "gyroscope", "accelerometer"), -1, 1),  # iOS
    (("accelerometeruncalibrated", "gyroscope"), -1, 1 / GRAVITY),
])  # fmt: skip
def test_sensor_logger(record, monkeypatch, names, sign, unit):
    options = ("--yes", "--phone-address", "127.0.0.1")
    with pushing(monkeypatch, names, sign=sign, unit=unit):
        status, found, err, recording, beside = record("sensorlogger://:0", *options)
    assert status == 0, err
    assert_ours(recording)
    assert found["lost"] == 0 and beside["pushes_refused"] == 1 and beside["breaks"] == 0
    assert ("opposite signs" in err) == (sign < 0) and ("in g" in err) == (unit != 1)


def test_sensor_logger_without_gravity_is_refused(record, monkeypatch):
    with pushing(monkeypatch, ("accelerometer", "gyroscope")):
        status, _, err, *_ = record("sensorlogger://:0", "--yes", "--phone-address", "127.0.0.1")
    assert status == 1 and "switch on Accelerometer, Gravity and Gyroscope" in err


def test_no_port_is_opened_without_consent(record, monkeypatch):
    monkeypatch.setattr("sys.stdin", open("/dev/null"))
    status, _, err, *_ = record("sensorlogger", "--phone-address", "127.0.0.1")
    assert status == 2 and "agree with --yes" in err
    status, _, err, *_ = record("sensorlogger", "--yes", "--phone-address", "8.8.8.8")
    assert status == 2 and "private network" in err
    status, _, err, *_ = record("sensorlogger", "--yes", "--phone-address", "kitchen")
    assert status == 2 and "not an IPv4 address" in err
    status, _, err, *_ = record("sensorlogger://:x", "--yes", "--phone-address", "127.0.0.1")
    assert status == 2 and "sensorlogger://:PORT" in err


def test_the_push_server_answers_nothing_else():
    server = SensorLoggerServer("127.0.0.1")
    got = []
    server.on_payload = got.append
    server.start()
    try:
        root = server.url.rsplit("/", 1)[0]
        for method, url in (("GET", server.url), ("PUT", server.url), ("GET", root),
                            ("POST", root), ("POST", root + "/x" * 3), ("OPTIONS", server.url)):
            answer = requests.request(method, url, timeout=10, data=b"{}")
            assert (answer.status_code, answer.content) == (404, b""), (method, url)
        for body in (b"", b"{", b"[]", b'{"payload": 3}', b"[" * 100000):
            assert requests.post(server.url, data=body, timeout=10).status_code == 400
        assert requests.post(server.url, data=b" " * (2 << 20), timeout=10).status_code == 413
        assert requests.post(server.url, json={"payload": []}, timeout=10).status_code == 200
        assert got == [[]] and server.refused == 5
        address = ("127.0.0.1", int(root.rsplit(":", 1)[1]))
        with contextlib.ExitStack() as held:  # as many as it takes, and none of them asks
            for _ in range(sensor_logger._CONNECTIONS):
                held.enter_context(socket.create_connection(address, 10))
            with pytest.raises(requests.ConnectionError):
                requests.post(server.url, json={"payload": []}, timeout=10)
    finally:
        server.close()


def test_a_logger_waits_for_the_app_but_not_forever(monkeypatch):
    monkeypatch.setattr(stamped_source, "_OPEN_S", 0.1)
    monkeypatch.setattr(SensorLoggerSource, "wait_s", 0.1)
    with pytest.raises(BeckonError, match="enable HTTP push"):
        SensorLoggerSource(SensorLoggerServer("127.0.0.1")).__enter__()
