"""A gesture learned on the whole simulated board, from its sensor to the broker and back."""

import json

import pytest

from host_tools.cli.app import main
from host_tools.dataset import read_dataset
from host_tools.errors import BeckonError
from host_tools.model.golden import read_model
from host_tools.mqtt.address import BrokerAddress
from host_tools.mqtt.learning import learn, read_file
from host_tools.mqtt.remote_device import RemoteDevice
from host_tools.mqtt.schemas import fault_of
from host_tools.paths import DEFAULT_MODEL
from host_tools.simulator.pretend.hand import Hand
from host_tools.simulator.sensor.chip import SimulatedMPU6500
from host_tools.simulator.sensor.faults import Fault
from host_tools.simulator.unix_board import SimulatedBoard
from tests.link.host import Mosquitto, Subscriber
from tests.moving_hand import Moves
from tests.waiting import TIMEOUT_S, until

DEVICE = "glove"
KEY = "k3y"


@pytest.fixture(scope="module")
def rig(tmp_path_factory):
    folder = tmp_path_factory.mktemp("learn")
    (folder / "secrets.json").write_text(json.dumps({"update_key": KEY}))
    hand = Hand(3)
    with Mosquitto(folder) as mosquitto:
        broker = BrokerAddress("127.0.0.1", mosquitto.port)
        settings = {"device": DEVICE, "update_key": KEY, "take_button_pin": 0,
                    "learn_label": "nod"}  # fmt: skip
        sensor = SimulatedMPU6500(hand)
        with RemoteDevice(broker, DEVICE, TIMEOUT_S) as device, \
                SimulatedBoard(DEFAULT_MODEL, broker, {(0, 0x68): sensor}, speed=5,
                               settings=settings) as board:  # fmt: skip
            device.await_board(TIMEOUT_S)
            yield device, board, hand, broker, folder, sensor


def state_with(device, phase):
    until(lambda: (device.state.get("learning") or {}).get("phase") == phase,
          lambda: f"phase {phase}: {device.state.get('learning')}")
    assert not fault_of("state", device.state)
    return device.state


def learned_and_confirmed(board):
    """The trial of the model is over; the board's clock runs ahead."""
    until(lambda: not (board.flash / "model.mlp.try").exists(), "the end of the trial")


def test_a_gesture_is_learned_seen_read_and_taken_back(rig, capsys):
    device, board, hand, broker, folder, _ = rig
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
    assert "now make shake 5 times" in said.err
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
        ({"step": "read", "file": "about", "model": "../../x", "offset": 0}, "id of a model"),
        ({"step": "start", "label": "None"}, "name for no gesture"),
        ({"step": "start", "label": "CIRCLE"}, "'CIRCLE' is known as 'circle'; use that name"),
        ({"step": "start", "label": "cir cle"}, "'cir cle' is known as 'circle'"),
        ({"step": "start", "label": " wave"}, "' wave' cannot be"),
        ({"step": "start", "label": ["wave"]}, "must be a text"),
        ({"step": "start", "label": "wave", "takes": True}, "takes must be 3 to 9"),
        ({"step": "?"}, "step must be"),
    ):
        with pytest.raises(BeckonError, match=reason):
            device.request("learn", **arguments)

    assert main(["learn", DEVICE, "--undo", *at, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["model"] == old.model_id
    learned_and_confirmed(board)
    assert (board.flash / "model.mlp").read_bytes() == DEFAULT_MODEL.read_bytes()
    assert not list((board.flash / "learned").iterdir())
    until(lambda: device.state["learning"] is None)
    with pytest.raises(BeckonError, match="nothing is there"):
        device.request("learn", step="undo")
    assert read_file(device, KEY, "samples") is None

    # Busy with a recording, and without a sensor
    device.request("stream", seconds=60)
    with pytest.raises(BeckonError, match="busy with another command that needs the sensor"):
        device.request("learn", step="start", label="wave")
    device.request("stream", seconds=0)


def test_twice_in_a_row_and_the_computer_gets_all_of_it(rig, capsys):
    """With the default heap: where too little is left the board restarts before it learns."""
    device, board, hand, broker, folder, _ = rig
    at = ["--broker", str(broker), "--settings", str(folder)]
    models = [device.state["model"]]
    for _ in range(2):  # the second time, more of it
        learned_and_confirmed(board)
        with Moves(hand, "shake"):
            assert main(["learn", DEVICE, "shake", *at, "--json"]) == 0
        models.append(json.loads(capsys.readouterr().out)["model"])
    learned_and_confirmed(board)
    out = folder / "all"
    assert main(["deploy", "--pull", DEVICE, *at, "--out", str(out), "--json"]) == 0
    pulled = json.loads(capsys.readouterr().out)
    assert pulled["model"] == models[-1] and pulled["unkept"] == []
    spans = [s.label for r in read_dataset(str(out)).recordings for s in r.spans]
    assert set(spans) == {"shake"} and len(spans) >= 6
    assert main(["learn", DEVICE, "--undo", *at, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["model"] == models[-2]
    until(lambda: device.state["model"] == models[-2])
    assert state_with(device, "in use")["learning"]["label"] == "shake"
    with pytest.raises(BeckonError, match="the model from before 'shake' is not kept any more"):
        device.request("learn", step="undo")


def test_a_known_gesture_by_another_name_is_refused(rig, capsys):
    device, board, hand, broker, folder, _ = rig
    learned_and_confirmed(board)
    before = (board.flash / "model.mlp").read_bytes()
    with Moves(hand, "circle"):
        status = main(["learn", DEVICE, "ring-ring", "--takes", "4", "--broker", str(broker),
                       "--settings", str(folder)])  # fmt: skip
    assert status == 1
    assert "ring-ring is too close to circle" in capsys.readouterr().err
    assert (board.flash / "model.mlp").read_bytes() == before
    assert not [p.name for p in board.flash.iterdir() if p.suffix in (".learn", ".try")]


def test_a_held_button_learns_what_the_settings_name(rig):
    device, board, hand, broker, folder, sensor = rig
    learned_and_confirmed(board)
    button = board._standins / "pin0"

    def held(seconds):
        start_s = hand.now_s
        button.touch()
        until(lambda: hand.now_s > start_s + seconds)
        button.unlink()
        until(lambda: hand.now_s > start_s + seconds + 0.5)

    held(1)
    held(6)  # too short and too long: for others
    assert (device.request("learn", step="status")["learning"] or {}).get("phase") != "repetitions"
    held(3)
    state_with(device, "repetitions")
    with pytest.raises(BeckonError, match="busy with learning 'nod'"):
        device.request("learn", step="start", label="wave")
    # What would take its sensor, its files or its power is refused, signed or not
    for verb, arguments in (("calibrate", {}), ("self_test", {}), ("stream", {"seconds": 9}),
                            ("restart", {}), ("restart", {"hmac": "00" * 32}),
                            ("set", {"settings": {"threshold_percent": 70}}),
                            ("model", {"step": "begin", "size": 9, "crc32": 1})):  # fmt: skip
        with pytest.raises(BeckonError, match="busy with learning 'nod'; stop that"):
            device.request(verb, **arguments)
    device.request_signed("learn", KEY, "stop", step="stop")
    assert state_with(device, "refused")["learning"]["reason"] == "stopped"
    device.request("set", settings={"threshold_percent": 81})
    assert "model.mlp.new" not in [p.name for p in board.flash.iterdir()]

    # Ctrl-C at the computer, and a wire that comes off
    def interrupt(learning):
        if learning["phase"] == "repetitions":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        learn(device, KEY, "wave", 5, interrupt)
    until(lambda: device.state["learning"]["reason"] == "stopped"
          and device.state["learning"]["label"] == "wave")  # fmt: skip
    held(3)
    state_with(device, "repetitions")
    sensor.inject(Fault("no_answer", int(1e6 * hand.now_s), int(1e6 * (hand.now_s + 20))))
    state = state_with(device, "refused")
    assert state["learning"]["reason"] == "no samples come from the sensor"
    until(lambda: device.state["sensor"] == "ok")
    # Recognition goes on
    windows = device.request("diag")["diag"]["windows"]
    until(lambda: device.request("diag")["diag"]["windows"] > windows)


def hold(board, hand, seconds):
    start_s = hand.now_s
    board.hold_button(0, True)
    until(lambda: hand.now_s > start_s + seconds, board.last_words)
    board.hold_button(0, False)


class Alone(SimulatedBoard):
    """Prints what its feedback pin plays."""

    def _fill_flash(self):
        super()._fill_flash()
        main = self.flash / "main.py"
        if "feedback_pin" in self._settings:
            main.write_text(SIGNS + main.read_text())

    def last_words(self):
        return list(self.output)[-5:]

    def signs(self):
        return [line[5:] for line in list(self.output) if line.startswith("sign ")]


SIGNS = """
from feedback import output
play = output.Output.play
def say(self, pattern):
    if pattern:
        print("sign", *pattern)
    return play(self, pattern)
output.Output.play = say
"""
NO_WIFI = {"wifi_ssid": "", "time_server": ""}
LEARNED = "80 120 80 120 600"
SENDER = {"radio": "espnow", "radio_key": "6d" * 16, "radio_peers": "02:00:00:00:00:01"}


@pytest.mark.parametrize("settings, air", [
    ({}, []), ({**NO_WIFI, "radio": "bthome"}, None), ({**NO_WIFI, **SENDER}, None),
], ids=["no network", "Bluetooth alone", "ESP-NOW alone"])  # fmt: skip
def test_a_button_teaches_a_board_that_has_no_link(settings, air):
    """Signs at the feedback pin say how far it is, and the trial needs no broker."""
    hand = Hand(3)
    settings = {"take_button_pin": 0, "learn_label": "nod", "feedback_pin": 4, **settings}
    with Alone(DEFAULT_MODEL, BrokerAddress("127.0.0.1", 1),
               {(0, 0x68): SimulatedMPU6500(hand)}, speed=10, heap_kib=224, settings=settings,
               air=air) as board:  # fmt: skip
        until(lambda: any(line.startswith("sensor:") for line in list(board.output)))
        trial = board.flash / "model.mlp.try"
        if settings.get("radio") == "bthome":  # held, and nobody makes a gesture
            hold(board, hand, 3)
            until(lambda: len(board.signs()) == 3, board.last_words)
            assert board.signs() == ["80", "400", "400 150 400 150 400"]
            board.output.clear()
        hold(board, hand, 3)
        with Moves(hand, "shake"):
            until(lambda: LEARNED in board.signs(), board.last_words)
            signs = board.signs()
            assert signs[:2] == ["80", "400"] and signs[2:-1].count("80") >= 3
            assert signs[-1] == LEARNED and trial.exists()
            until(lambda: not trial.exists(), board.last_words)
        assert read_model(board.flash / "model.mlp").labels[-1] == "nod"
        assert board.boots == 2 and not (board.flash / "crash.txt").exists()
