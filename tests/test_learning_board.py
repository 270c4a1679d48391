"""A gesture learned on the whole simulated board, from its sensor to the broker and back."""

import json
import threading

import pytest

from host_tools.cli.app import main
from host_tools.dataset import read_dataset
from host_tools.errors import BeckonError
from host_tools.model.golden import read_model
from host_tools.mqtt.address import BrokerAddress
from host_tools.mqtt.learning import read_file
from host_tools.mqtt.remote_device import RemoteDevice
from host_tools.mqtt.schemas import fault_of
from host_tools.paths import DEFAULT_MODEL
from host_tools.simulator.pretend.hand import Hand
from host_tools.simulator.sensor.chip import SimulatedMPU6500
from host_tools.simulator.unix_board import SimulatedBoard
from tests.link.host import Mosquitto, Subscriber
from tests.waiting import TIMEOUT_S, until

DEVICE = "glove"
KEY = "k3y"


class Moves:
    """A hand that goes on making a gesture until it is told to rest."""

    def __init__(self, hand, name):
        self._hand, self._name = hand, name
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def _run(self):
        hand = self._hand
        while not self._stop.is_set():
            start_s = hand.now_s
            hand.perform(self._name)
            until(lambda: hand.now_s > start_s + 3.5 or self._stop.is_set())

    def __enter__(self):
        self._thread.start()

    def __exit__(self, *args):
        self._stop.set()
        self._thread.join(TIMEOUT_S)


@pytest.fixture(scope="module")
def rig(tmp_path_factory):
    folder = tmp_path_factory.mktemp("learn")
    (folder / "secrets.json").write_text(json.dumps({"update_key": KEY}))
    hand = Hand(3)
    with Mosquitto(folder) as mosquitto:
        broker = BrokerAddress("127.0.0.1", mosquitto.port)
        settings = {"device": DEVICE, "update_key": KEY, "take_button_pin": 0,
                    "learn_label": "shake"}  # fmt: skip
        sensor = {(0, 0x68): SimulatedMPU6500(hand)}
        with RemoteDevice(broker, DEVICE, TIMEOUT_S) as device, \
                SimulatedBoard(DEFAULT_MODEL, broker, sensor, speed=5,
                               settings=settings) as board:  # fmt: skip
            device.await_board(TIMEOUT_S)
            yield device, board, hand, broker, folder


def state_with(device, phase):
    until(lambda: (device.state.get("learning") or {}).get("phase") == phase, f"phase {phase}")
    assert not fault_of("state", device.state)
    return device.state


def learned_and_confirmed(board):
    """The trial of the model is over; the board's clock runs ahead."""
    until(lambda: not (board.flash / "model.mlp.try").exists(), "the end of the trial")


def test_a_gesture_is_learned_seen_read_and_taken_back(rig, capsys):
    device, board, hand, broker, folder = rig
    at = ["--broker", str(broker), "--settings", str(folder)]
    with Moves(hand, "shake"):
        assert main(["learn", DEVICE, "shake", *at, "--json"]) == 0
        said = capsys.readouterr()
        with Subscriber(broker.port) as listener:
            until(lambda: len(listener.payloads("/event")) >= 2, "two events")
            events = [json.loads(p)["event_type"] for p in listener.payloads("/event")]
    assert set(events) == {"shake"}
    told = json.loads(said.out)
    assert (told["phase"], told["good"], told["label"]) == ("in use", 5, "shake")
    assert "1 of 5" in said.err and "4 of 5" in said.err
    old = read_model(DEFAULT_MODEL)
    state = state_with(device, "in use")
    assert state["labels"] == [*old.labels, "shake"] and state["model"] == told["model"]

    # The computer gets all of it
    out = folder / "mine"
    assert main(["deploy", "--pull", DEVICE, *at, "--out", str(out), "--json"]) == 0
    pulled = json.loads(capsys.readouterr().out)
    model = read_model(pulled["path"])  # its golden window is right, and so are its examples
    assert model.model_id == told["model"] and model.labels[-1] == "shake"
    assert (model.kept.labels == len(old.labels)).sum() == 15
    data = read_dataset(str(out))
    spans = [s for r in data.recordings for s in r.spans]
    assert [s.label for s in spans] == ["shake"] * 5
    assert all(300 < s.end_ms - s.start_ms < 1500 for s in spans)
    (recording, *_) = data.recordings
    assert recording.rate_hz == pytest.approx(100, abs=0.1)
    beside = json.loads(next((out / "recordings").glob("*.json")).read_text())
    assert beside["source"] == "learned on the board, by command"

    # Refused while the last one is on trial, and to who has no key
    learned_and_confirmed(board)
    for arguments, reason in (
        ({"step": "start", "label": "wave", "takes": 5}, "hmac must be hexadecimal"),
        ({"step": "undo"}, "hmac must be hexadecimal"),
        ({"step": "undo", "hmac": "00" * 32}, "HMAC is wrong"),
        ({"step": "stop", "hmac": "00" * 32}, "HMAC is wrong"),
        ({"step": "start", "label": "a/b"}, "holds '/'"),
        ({"step": "start", "label": "x" * 33}, "1 to 32 bytes"),
        ({"step": "start", "label": old.labels[old.idle]}, "name for no gesture"),
        ({"step": "start", "label": "wave", "takes": 2}, "takes must be 3 to 9"),
        ({"step": "read", "file": "secrets.json", "offset": 0}, "file must be"),
        ({"step": "read", "file": "samples", "offset": 0}, "hmac must be hexadecimal"),
        ({"step": "?"}, "step must be"),
    ):
        with pytest.raises(BeckonError, match=reason):
            device.request("learn", **arguments)

    assert main(["learn", DEVICE, "--undo", *at, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["model"] == old.model_id
    learned_and_confirmed(board)
    assert (board.flash / "model.mlp").read_bytes() == DEFAULT_MODEL.read_bytes()
    assert not (board.flash / "learned.raw").exists()
    assert device.state["learning"] is None
    with pytest.raises(BeckonError, match="nothing is there"):
        device.request("learn", step="undo")
    with pytest.raises(BeckonError, match="kept none"):
        read_file(device, KEY, "samples")


def test_a_known_gesture_by_another_name_is_refused(rig, capsys):
    device, board, hand, broker, folder = rig
    before = (board.flash / "model.mlp").read_bytes()
    with Moves(hand, "circle"):
        status = main(["learn", DEVICE, "ring-ring", "--takes", "4", "--broker", str(broker),
                       "--settings", str(folder)])  # fmt: skip
    assert status == 1
    assert "'ring-ring' is too close to 'circle'" in capsys.readouterr().err
    assert (board.flash / "model.mlp").read_bytes() == before
    assert not [p.name for p in board.flash.iterdir() if p.suffix in (".learn", ".try")]


def test_a_held_button_learns_what_the_settings_name(rig):
    device, board, hand, broker, folder = rig
    button = board._standins / "pin0"

    def held(seconds):
        start_s = hand.now_s
        button.touch()
        until(lambda: hand.now_s > start_s + seconds)
        button.unlink()

    held(1)
    held(6)  # too short and too long: for others
    device.request("learn", step="status")
    assert device.request("learn", step="status")["learning"]["label"] != "shake"
    held(3)
    state_with(device, "repetitions")
    with pytest.raises(BeckonError, match="busy with learning 'shake'"):
        device.request("learn", step="start", label="wave")
    device.request_signed("learn", KEY, "stop", step="stop")
    assert state_with(device, "refused")["learning"]["reason"] == "stopped"
    # Recognition goes on
    windows = device.request("diag")["diag"]["windows"]
    until(lambda: device.request("diag")["diag"]["windows"] > windows)
