"""One simulated board without Wi-Fi: what it sends over Bluetooth LE, and what it bears."""

import json
import shutil

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESCCM

from firmware.options import hid_keys
from firmware.radio.gatt import read_value, uuid_text
from host_tools.device.settings import check_together
from host_tools.errors import BeckonError
from host_tools.mqtt.broker import embedded_broker
from host_tools.mqtt.remote_device import Refused, RemoteDevice
from host_tools.simulator.radio import from_hex
from host_tools.testing.radio_board import RadioBoard
from tests.link.host import Subscriber
from tests.waiting import until

SETTINGS = {
    "device": "desk",
    "radio": "bthome gatt hid",
    "radio_buttons": "circle=press, x=2:long_press",
    "radio_keys": "circle=right, x=ctrl+z",
}
REPORT = b"\x4d\x2a"


class OnTrial(RadioBoard):
    """Its settings and its model have just been replaced."""

    def _fill_flash(self):
        super()._fill_flash()
        for name in ("config.json", "model.mlp"):
            shutil.copyfile(self.flash / name, self.flash / f"{name}.old")
            (self.flash / f"{name}.try").write_text("0s")


@pytest.fixture(scope="module")
def board():
    with OnTrial(SETTINGS, speed=8) as board:
        until(lambda: board.central.all("adv"), board.last_words)
        until(lambda: board.says("sensor:"), board.last_words)
        yield board


def uuid(number):
    return bytes.fromhex(uuid_text(number).replace("-", ""))[::-1]


def advertised(board):
    """(packet id, buttons) of what was on the air, the same ones in a row once."""
    found = []
    for one in board.central.all("adv"):
        data = from_hex(one.rest[2])
        at = data.index(b"\xd2\xfc\x44") + 3
        assert data[at] == 0 and data[at + 2 : at + 6 : 2] == b"\x3a\x3a"
        entry = data[at + 1], tuple(data[at + 3 : at + 6 : 2])
        if not found or found[-1] != entry:
            found.append(entry)
    return found


def last_number(board):
    events = board.central.handle(uuid(1))
    return read_value(board.central.value(events))[2]


def post(board, label, confidence=80):
    """Post and wait until it is out; its number."""
    before = len(board.central.all("value"))
    board.post(label, confidence)
    until(lambda: len(board.central.all("value")) > before, board.last_words)
    return last_number(board)


def test_what_it_is_stands_on_the_serial_line(board):
    state = json.loads(board.says("state ")[6:])
    assert state["radio"] == "ok" and state["labels"][1:] == ["circle", "x", "y"]
    assert board.diag()["ble_faults"] == 0


def test_events_are_buttons_and_nothing_is_pressed_afterwards(board):
    board.central.look()
    packet_id, none = advertised(board)[-1]
    assert none == (0, 0)
    before = len(advertised(board))
    for label in ("circle", "x", "y"):  # the last one has no button
        board.post(label, 80)
    until(lambda: len(advertised(board)) >= before + 3, board.last_words)
    assert advertised(board)[before:] == [
        (packet_id + 1, (1, 0)), (packet_id + 2, (0, 4)), (packet_id + 2, (0, 0))]
    on_air = board.central.all("adv")[-4:]
    assert on_air[-1].rest[0] == "250000" and on_air[-2].rest[0] == "100000"
    assert on_air[-1].uptime_ms - on_air[-2].uptime_ms >= 1400
    assert from_hex(on_air[-1].rest[3]).endswith(b"\x05\x09desk")
    assert board.diag()["bthome_unmapped"] == 1


def test_who_subscribes_gets_events_and_who_comes_back_what_it_missed(board):
    central = board.central
    event, info, resume = (central.handle(uuid(number)) for number in (1, 2, 3))
    about = json.loads(central.value(info))
    assert about["device"] == "desk" and about["labels"] == ["circle", "x", "y"]
    central.do("connect", 1, bytes(6))
    central.do("subscribe", 1, event)
    until(lambda: board.diag()["ble_connected"] == 1, board.last_words)
    first = post(board, "circle", 91)
    until(lambda: central.notified(event, 1), board.last_words)
    assert [read_value(one) for one in central.notified(event, 1)] == [("circle", 91, first)]
    central.do("disconnect", 1)
    for label in ("x", "y"):
        post(board, label)
    central.do("connect", 2, bytes(6))
    central.do("write", 2, resume, first.to_bytes(4, "little"))
    until(lambda: len(central.notified(event, 2)) == 2, board.last_words)
    missed = [read_value(one) for one in central.notified(event, 2)]
    assert missed == [("x", 80, first + 1), ("y", 80, first + 2)]
    central.do("disconnect", 2)


def test_a_full_stack_is_tried_again(board):
    central = board.central
    event, resume = central.handle(uuid(1)), central.handle(uuid(3))
    central.do("connect", 3, bytes(6))
    central.do("notify_faults", 5)
    central.do("write", 3, resume, (last_number(board) - 1).to_bytes(4, "little"))
    until(lambda: central.notified(event, 3), board.last_words)
    assert read_value(central.notified(event, 3)[0])[2] == last_number(board)
    central.do("disconnect", 3)


def test_keys_go_to_a_host_that_has_paired(board):
    central = board.central
    keys, media = central.handle(REPORT, 0), central.handle(REPORT, 1)
    dropped = board.diag()["hid_dropped"]
    central.do("connect", 4, bytes(6))
    board.post("circle", 80)  # not encrypted yet
    until(lambda: board.diag()["hid_dropped"] == dropped + 1, board.last_words)
    central.do("set_secret", 1, b"host", b"\x01\x02\x03")
    central.do("encrypt", 4)
    until(lambda: (board.flash / "bonds.txt").exists(), board.last_words)
    board.post("circle", 80)
    board.post("x", 80)
    until(lambda: len(central.notified(keys, 4)) == 4, board.last_words)
    right, undo = hid_keys.key("right")[1], hid_keys.key("ctrl+z")[1]
    assert central.notified(keys, 4) == [right, bytes(8), undo, bytes(8)]
    assert not central.notified(media)
    central.do("get_secret", 1, 0, b"host")
    central.do("get_secret", 1, 0, "none")
    central.do("get_secret", 1, 1, "none")
    until(lambda: len(central.all("secret")) == 3, board.last_words)
    assert [one.rest[0] for one in central.all("secret")] == ["010203", "010203", "none"]
    assert (board.flash / "bonds.txt").read_text() == "1 686f7374 010203\n"
    assert "bond=True,io=3,le_secure=True,mitm=False" in [
        one.rest[0] for one in central.all("config")]
    central.do("disconnect", 4)


def test_writes_too_large_or_to_nowhere_are_counted(board):
    central = board.central
    before = board.diag()
    resume = central.handle(uuid(3))
    central.do("connect", 5, bytes(6))
    for size in (0, 3, 5, 600):
        central.do("write", 5, resume, bytes(size))
    central.do("write", 5, central.handle(uuid(2)), b"hello")
    until(lambda: board.diag()["gatt_refused"] == before["gatt_refused"] + 4, board.last_words)
    for _ in range(50):  # more than wait between two turns of the loop
        central.do("write", 5, resume, bytes(7))
    until(lambda: board.diag()["ble_lost"] > before["ble_lost"] + 1, board.last_words)
    after = board.diag()
    lost = after["ble_lost"] - before["ble_lost"] - 1
    assert lost + after["gatt_refused"] == before["gatt_refused"] + 54
    central.do("disconnect", 5)


def test_twenty_who_connect_at_once_leave_it_as_it_was(board):
    central = board.central
    refused = len(central.all("refused"))
    before = board.diag()["ble_connects"]
    for connection in range(100, 120):
        central.do("connect", connection, bytes(6))
    until(lambda: len(central.all("refused")) > refused, board.last_words)
    until(lambda: board.diag()["ble_connected"] >= 1, board.last_words)
    number = post(board, "circle")
    for connection in range(120, 140):  # now one after the other, so that some get in
        central.do("connect", connection, bytes(6))
        board.diag()
    full = board.diag()
    assert full["ble_connected"] <= 4 and full["ble_connects"] > before
    assert central.all("adv")[-1].rest[1] == "0"  # others may listen, but not connect
    for connection in range(100, 140):
        central.do("disconnect", connection)
    until(lambda: board.diag()["ble_connected"] == 0, board.last_words)
    until(lambda: central.all("adv")[-1].rest[1] == "1", board.last_words)
    assert post(board, "x") == number + 1
    assert board.diag()["ble_faults"] == 0


def test_the_rest_of_the_board_has_gone_on(board):
    """And what was on trial has passed: settings as the radio works, the model after a minute."""
    until(lambda: not (board.flash / "config.json.try").exists(), board.last_words)
    until(lambda: not (board.flash / "model.mlp.try").exists(), board.last_words, 120)
    assert board.boots == 1 and board.returncode is None
    diag = board.diag()
    assert diag["windows"] > 100 and diag["samples_lost"] == 0
    assert not (board.flash / "spool").exists()  # events without a link wear no flash


def test_beside_wifi_events_go_both_ways_and_wifi_sleeps_between_beacons():
    """The stand-in ends the board, as the IDF does, if Wi-Fi never sleeps beside Bluetooth. And
    what is encrypted can be read with the key; and what cannot be beside it cannot be set."""
    key = "231d39c1d7cc1ab1aee224cd096db932"
    settings = {"device": "desk", "radio": "bthome", "radio_key": key, "update_key": "k" * 32}
    with (embedded_broker() as broker, Subscriber(broker.port) as events,
          RadioBoard(settings, broker, speed=4) as board):  # fmt: skip
        events.wait(lambda messages: any(b'"radio"' in payload for _, payload, _ in messages))
        until(lambda: board.says("sensor:"), board.last_words)
        board.post("circle", 91)
        events.wait(lambda messages: any(topic == "beckon/desk/event" for topic, *_ in messages))
        until(lambda: len(board.central.all("adv")) == 3, board.last_words)
        sealed = [from_hex(one.rest[2]) for one in board.central.all("adv")]
        assert all(one[3:8] == b"\x14\x16\xd2\xfc\x45" for one in sealed), sealed
        address = bytes.fromhex("240ac4000003")
        counters = []
        for one, packet_id, pressed in zip(sealed, (0, 1, 1), (0, 1, 0), strict=True):
            counter = one[-8:-4]
            plain = AESCCM(bytes.fromhex(key), tag_length=4).decrypt(
                address + b"\xd2\xfc\x45" + counter, one[8:-8] + one[-4:], None)  # fmt: skip
            assert plain == bytes((0, packet_id, 0x3A, pressed, 0x3A, 0, 0x3A, 0))
            counters.append(int.from_bytes(counter, "little"))
        assert counters == [counters[0] + i for i in range(3)]
        sleeps = {"power": "wake_on_motion", "imu_int_pin": 34}
        with pytest.raises(BeckonError) as here:
            check_together({**settings, **sleeps})
        with RemoteDevice(broker, "desk") as desk, pytest.raises(Refused) as there:
            desk.change_settings("k" * 32, **sleeps)
        assert str(there.value) == f"desk refuses set: {here.value}"
        assert not (board.flash / "config.json.try").exists()
        assert board.boots == 1


def test_a_radio_that_cannot_be_is_told_and_the_rest_goes_on():
    with RadioBoard({"radio": "espnow", "radio_key": "no key"}, speed=4) as board:
        until(lambda: board.says("state "), board.last_words)
        assert json.loads(board.says("state ")[6:])["radio"] == (
            "radio_key must be 32 hexadecimal digits")
        until(lambda: board.says("sensor:"), board.last_words)
