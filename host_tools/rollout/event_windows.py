"""Ask devices for the samples of false alarms, and write them as recordings for training."""

import base64
import json
from concurrent.futures import Executor, Future
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from sqlalchemy import Engine

from host_tools.dataset.labels import Row, read_labels_file, write_labels_file
from host_tools.errors import BeckonError
from host_tools.files import replace_file
from host_tools.mqtt.address import BrokerAddress
from host_tools.mqtt.remote_device import NoAnswer, Refused, RemoteDevice
from host_tools.rollout.keys import Keys
from host_tools.store import windows
from host_tools.store.database import reading
from host_tools.units import GRAVITY

_AT_ONCE = 2  # devices that are asked
_TRIES = 5
_MOST_FRAMES = 8192
_AXES = 6
LABEL = "none"


class WindowFetcher:
    """executor: where devices are asked."""

    def __init__(self, engine: Engine, broker: BrokerAddress, keys: Keys, executor: Executor):
        self._engine = engine
        self._broker = broker
        self._keys = keys
        self._executor = executor
        self._futures: dict[int, Future] = {}  # by device

    def look(self) -> None:
        """Ask for what is wanted, of devices that are online."""
        for device_id, future in list(self._futures.items()):
            if future.done():
                del self._futures[device_id]
                future.result()  # a fault of ours is not swallowed
        if len(self._futures) >= _AT_ONCE:
            return
        with reading(self._engine).connect() as connection:
            every = windows.wanted(connection, 2 * _AT_ONCE)
        for one in every:
            # One at a time of each device: a nonce serves one command
            if len(self._futures) < _AT_ONCE and one.device_id not in self._futures:
                self._futures[one.device_id] = self._executor.submit(self._fetch, one)

    def _fetch(self, one: windows.Wanted) -> None:
        if json.loads(one.state).get("boot") != one.boot:
            windows.set_window(self._engine, one, condition="gone",
                               detail="the device has restarted since")  # fmt: skip
            return
        key = self._keys.of(one.device)
        if not key:
            windows.set_window(self._engine, one, condition="gone",
                               detail="no update key for this device")  # fmt: skip
            return
        try:
            with RemoteDevice(self._broker, one.device) as device:
                values = fetch(device, key, one.boot, one.seq)
        except Refused as fault:
            said = str(fault).removeprefix(f"{one.device} refuses window: ")
            windows.set_window(self._engine, one, condition="gone", detail=said)
        except NoAnswer as fault:
            over = one.tries + 1 >= _TRIES
            windows.set_window(self._engine, one, tries=one.tries + 1, detail=str(fault),
                               condition="gone" if over else "wanted")  # fmt: skip
        except BeckonError as fault:  # the broker, or an answer that cannot be
            windows.set_window(self._engine, one, tries=one.tries + 1, detail=str(fault)[:300])
        else:
            windows.set_window(self._engine, one, condition="kept", detail="", **values)


def fetch(device: RemoteDevice, key: str, boot: int, seq: int) -> dict[str, object]:
    """The columns of one event's samples. Raises BeckonError; Refused if it is not kept there."""
    data, total = b"", 1
    answer: dict[str, object] = {}
    while len(data) < total:
        answer = device.request_signed("window", key, f"{seq} {len(data)}", seq=seq, at=len(data))
        try:
            frames, part = answer["frames"], base64.b64decode(str(answer["data"]), validate=True)
            scales = [answer[name] for name in ("period_us", "accel_lsb_per_g",
                                                "gyro_lsb_per_10_dps")]  # fmt: skip
        except (KeyError, ValueError):
            raise BeckonError("{device} sends what is not a window",
                              device=device.device) from None  # fmt: skip
        if answer.get("boot") != boot:
            raise Refused("{device} refuses window: the device has restarted since",
                          device=device.device)  # fmt: skip
        if not all(isinstance(v, int) and 0 < v < 1 << 31 for v in (frames, *scales)) or (
            not part or int(str(frames)) > _MOST_FRAMES
        ):
            raise BeckonError("{device} sends what is not a window", device=device.device)
        total = 2 * _AXES * int(str(frames))
        data += part
    return {"period_us": answer["period_us"], "accel_lsb_per_g": answer["accel_lsb_per_g"],
            "gyro_lsb_per_10_dps": answer["gyro_lsb_per_10_dps"], "samples": data[:total]}


def export(engine: Engine, folder: Path) -> tuple[int, int]:
    """Write each kept window into folder as a recording labelled `none`; (new, there before).

    Raises BeckonError.
    """
    with reading(engine).connect() as connection:
        every = windows.kept(connection)
    new = 0
    try:
        (folder / "recordings").mkdir(parents=True, exist_ok=True)
        table = read_labels_file(folder / "labels.csv")
        for one in every:
            name = f"false-alarm-{one.device}-{one.boot}-{one.seq}"
            path = folder / "recordings" / f"{name}.csv"
            if path.exists():
                continue
            text, end_ms = recording(one)
            replace_file(path, text.encode())
            about = {"device": one.device, "gesture": one.gesture, "label": LABEL,
                     "utc_start": datetime.fromtimestamp(one.at_ms / 1000, UTC).isoformat(
                         timespec="milliseconds")}  # fmt: skip
            replace_file(path.with_suffix(".json"), (json.dumps(about, indent=2) + "\n").encode())
            table.rows[name] = [Row(0, end_ms, LABEL, one.device)]
            new += 1
        if new:
            write_labels_file(folder / "labels.csv", table)
    except OSError as fault:
        raise BeckonError("{folder}: cannot be written ({reason})", folder=folder,
                          reason=fault.strerror) from None  # fmt: skip
    return new, len(every) - new


def recording(one: windows.Window) -> tuple[str, float]:
    """The file's text, in m/s2 and deg/s, and where it ends, ms."""
    counts = np.frombuffer(one.samples, "<i2").reshape(-1, _AXES)
    accel = counts[:, :3] / one.accel_lsb_per_g * GRAVITY
    gyro = counts[:, 3:] * 10 / one.gyro_lsb_per_10_dps
    period_ms = one.period_us / 1000
    lines = ["t_ms,ax,ay,az,gx,gy,gz"]
    for i, (a, g) in enumerate(zip(accel, gyro, strict=True)):
        lines.append(f"{i * period_ms:.2f}," + ",".join(f"{v:.4f}" for v in a) + ","
                     + ",".join(f"{v:.3f}" for v in g))  # fmt: skip
    return "\n".join(lines) + "\n", round((len(counts) - 1) * period_ms, 2)
