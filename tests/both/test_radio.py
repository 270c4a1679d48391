"""Encoders of the radios, on both interpreters: known bytes, and what random input must keep."""

import binascii
import os
import random
import time

if not hasattr(time, "ticks_diff"):  # CPython
    time.ticks_diff = lambda end, start: end - start

from events.event import Event
from options import hid_keys, tables
from radio import bthome, ccm, gatt, now_frame
from radio.beacon import Beacon
from radio.bonds import Bonds
from radio.counter import Counter
from radio.hid import Hid


def unhex(text):
    return binascii.unhexlify(text.replace(" ", ""))


def refused(function, *arguments):
    try:
        function(*arguments)
    except ValueError as error:
        return str(error)
    raise AssertionError("not refused: %r" % (arguments,))


# Tables.


def test_roles():
    assert tables.roles("bthome, gatt  hid") == ["bthome", "gatt", "hid"]
    assert tables.roles("") == []
    assert "'wifi'" in refused(tables.roles, "bthome wifi")
    refused(tables.roles, "espnow gateway")
    refused(tables.roles, "bthome gateway")


def test_buttons():
    found = tables.buttons("wave=press, shake = 1:double_press,circle=long_press,", 10)
    assert found == {"wave": (0, 1), "shake": (0, 2), "circle": (1, 4)}
    assert tables.buttons("", 10) == {}
    assert "'wave'" in refused(tables.buttons, "wave=press,wave=press", 10)
    for bad in ("wave", "=press", "wave=", "wave=hold", "wave=none", "wave=11:press",
                "wave=0:press", "wave=x:press", "wave=:press"):
        refused(tables.buttons, bad, 10)


def test_peers():
    assert tables.peers("24:0A:c4:00:00:01,24:0a:c4:00:00:02") == [
        b"\x24\x0a\xc4\x00\x00\x01", b"\x24\x0a\xc4\x00\x00\x02"]
    for bad in ("24:0a:c4:00:00", "24:0a:c4:00:00:0g", "ff:ff:ff:ff:ff:ff", "240ac4000001",
                " ".join("24:0a:c4:00:00:0%d" % i for i in range(7))):
        refused(tables.peers, bad)


def test_keys_are_32_digits():
    assert tables.key_of("00ff" * 8) == b"\x00\xff" * 8
    for bad in ("", "00ff", "0g" * 16, "0" * 31, "0" * 34):
        refused(tables.key_of, bad)


# BTHome.


def test_objects_stand_in_order_and_one_button_is_pressed():
    assert bthome.objects(7, 3, 1, 2) == unhex("0007 3a00 3a02 3a00")
    assert bthome.objects(300, 1, -1, 0) == unhex("002c 3a00")
    assert bthome.service_data(bthome.objects(7, 1, 0, 1)) == unhex("08 16 d2fc 44 0007 3a01")


def test_what_is_advertised_fits_or_is_refused():
    for count in range(tables.most_buttons("") + 1):
        one = bthome.service_data(bthome.objects(1, count, 0, 1))
        first, second = bthome.advertisement([one], "beckon-kitchen-by-the-window")
        assert first == b"\x02\x01\x06" + one and len(first) <= 31 and len(second) <= 31
        assert second == b"\x1d\x09beckon-kitchen-by-the-window"
    gatt_uuid = bthome.element(7, bytes(16))
    first, second = bthome.advertisement([one, b"\x03\x03\x12\x18", gatt_uuid], "abcdefghijkl")
    assert first == b"\x02\x01\x06" + one  # 31 bytes
    assert second == b"\x03\x03\x12\x18" + gatt_uuid + b"\x08\x08abcdefg"  # a cut name
    refused(bthome.advertisement, [one, gatt_uuid, gatt_uuid], "x")


def test_ccm_makes_its_blocks_as_rfc_3610_says():
    """With a made-up cipher; tests/test_radio_formats.py has vectors of the format."""
    calls = []

    def block(data):
        calls.append(data)
        return bytes((byte * 7 + 3) & 0xFF for byte in data)

    sealed, check = ccm.seal(block, bytes(range(13)), b"\x05" * 17)
    assert len(sealed) == 17 and len(check) == 4
    nonce = bytes(range(13))
    assert calls[0] == b"\x09" + nonce + b"\x00\x11"  # flags, nonce, length
    assert calls[3] == b"\x01" + nonce + b"\x00\x01" and calls[4] == b"\x01" + nonce + b"\x00\x02"
    assert calls[5] == b"\x01" + nonce + b"\x00\x00"
    key = bytes((byte * 7 + 3) & 0xFF for byte in calls[3])
    assert sealed[:16] == bytes(5 ^ byte for byte in key)


# Beacon.


def pressed(beacon):
    """(packet id, codes of the buttons) of what is advertised."""
    data = beacon.element[5:]
    assert data[0] == 0
    return data[1], [data[i] for i in range(3, len(data), 2)]


def test_an_event_is_on_the_air_for_a_while_then_nothing_is_pressed():
    beacon = Beacon("", ("wave", "shake"))
    assert pressed(beacon) == (0, [0, 0]) and not beacon.step(0)
    beacon.post("shake", 80, 0)
    assert beacon.step(10) and pressed(beacon) == (1, [0, 1]) and beacon.is_urgent()
    assert not beacon.step(1500) and pressed(beacon) == (1, [0, 1])
    assert beacon.step(1510) and pressed(beacon) == (1, [0, 0]) and not beacon.is_urgent()
    assert not beacon.step(9999)
    beacon.post("nothing", 80, 1)
    assert not beacon.step(10000)


def test_a_crowd_of_events_goes_out_one_after_the_other_and_the_rest_is_counted():
    beacon = Beacon("a=press, b=1:double_press", ())
    for label in ("a", "b", "a", "b", "a", "b", "c"):
        beacon.post(label, 80, 0)
    heard = []
    now = 0
    while now < 6000:
        if beacon.step(now):
            heard.append((now, pressed(beacon)))
        now += 20
    assert heard == [(0, (1, [1])), (500, (2, [2])), (1000, (3, [1])), (1500, (4, [2])),
                     (3000, (4, [0]))]
    counted = {}
    beacon.counters(counted)
    assert counted == {"bthome_sent": 4, "bthome_dropped": 2, "bthome_unmapped": 1}


def test_packet_ids_come_round():
    beacon = Beacon("", ("a",))
    now = 0
    for i in range(600):
        beacon.post("a", 80, i)
        now += 2000
        assert beacon.step(now) and pressed(beacon) == ((i + 1) & 0xFF, [1])
        now += 2000
        assert beacon.step(now) and pressed(beacon) == ((i + 1) & 0xFF, [0])


# GATT.


def test_a_value_gives_the_event_back():
    for label in ("wave", "\u00e9\u20ac", "x" * 64):
        for seq in (0, 1, 255, 2**31, 2**32 - 2):
            assert gatt.read_value(gatt.value_of(label, 93, seq)) == (label, 93, seq)
    assert gatt.value_of("wave", 93, 258) == b"\x02\x01\x00\x00\x5dwave"
    long, _, _ = gatt.read_value(gatt.value_of("\u20ac" * 40, 1, 2))
    assert long == "\u20ac" * 21  # 63 bytes: no character is cut
    refused(gatt.read_value, b"\x00" * 5)


class FakeBle:
    def __init__(self):
        self.notified = []
        self.values = {}
        self.full = 0

    def gatts_write(self, handle, data, send_update=False):
        self.values[handle] = data

    def gatts_notify(self, connection, handle, data):
        if self.full:
            self.full -= 1
            raise OSError(12)
        self.notified.append((connection, gatt.read_value(data)[2]))


def served():
    service = gatt.Gatt((("device", "desk"), ("boot", 2**40), ("labels", ("wave", "shake"))))
    ble = FakeBle()
    service.bind(ble, (19, 22, 24))
    return service, ble


def test_who_comes_back_gets_what_it_missed_and_no_more():
    service, ble = served()
    assert ble.values[22] == b'{"device":"desk","boot":1099511627776,"labels":["wave", "shake"]}'
    for seq in range(5):
        service.post("wave", 80, seq)
    assert service.written(1, 24, b"\x01\x00\x00\x00") and not service.written(1, 25, b"")
    ble.full = 1
    for _ in range(10):
        service.step()
    assert ble.notified == [(1, 2), (1, 3), (1, 4)]
    service.written(2, 24, b"\xff\xff\xff\xff")
    service.step()
    service.left(2)
    service.step()
    assert ble.notified[3:] == [(2, 0)]


def test_what_nobody_took_is_counted_when_it_is_dropped():
    service, ble = served()
    for seq in range(20):
        service.post("wave", 80, seq)
    for bad in (b"", b"\x00" * 3, b"\x00" * 5, b"\x00" * 20):
        assert service.written(1, 24, bad)
    counted = {}
    service.counters(counted)
    assert counted == {"gatt_resent": 0, "gatt_dropped": 12, "gatt_refused": 4}
    service.written(1, 24, b"\xff\xff\xff\xff")
    for _ in range(20):
        service.step()
    assert [seq for _, seq in ble.notified] == list(range(12, 20))
    service.post("wave", 80, 20)
    service.counters(counted)
    assert counted["gatt_dropped"] == 12  # that one was sent


def test_info_is_cut_to_what_a_value_holds():
    service = gatt.Gatt((("device", "desk"), ("labels", ["x" * 60] * 10)))
    ble = FakeBle()
    service.bind(ble, (19, 22, 24))
    assert ble.values[22] == b'{"device":"desk"}'


# HID.


def test_keys_by_name():
    assert hid_keys.key("a") == (1, unhex("0000 04 0000000000"))
    assert hid_keys.key("Ctrl+Shift+Z") == (1, unhex("0300 1d 0000000000"))
    assert hid_keys.key("1")[1][2] == 0x1E and hid_keys.key("0")[1][2] == 0x27
    assert hid_keys.key("f12")[1][2] == 0x45 and hid_keys.key("gui+left")[1][:3] == b"\x08\x00\x50"
    assert hid_keys.key("volumeup") == (2, b"\xe9\x00")
    for bad in ("", "+", "f0", "f13", "shift", "super+a", "ctrl+play", "ab", "\u00e4"):
        refused(hid_keys.key, bad)
    for name in hid_keys.names().replace(" (with ctrl+, shift+, alt+, gui+)", "").split(", "):
        if " to " not in name:
            hid_keys.key(name)


def report_sizes(descriptor):
    """Report id -> bits of input, by a walk over the items (HID 1.11, 6.2.2.2)."""
    at = size = count = report = depth = 0
    sizes = {}
    while at < len(descriptor):
        head = descriptor[at]
        width = (0, 1, 2, 4)[head & 3]
        value = 0
        for i in range(width):
            value |= descriptor[at + 1 + i] << 8 * i
        kind = head & 0xFC
        if kind == 0x74:
            size = value
        elif kind == 0x94:
            count = value
        elif kind == 0x84:
            report = value
        elif kind == 0x80:
            sizes[report] = sizes.get(report, 0) + size * count
        elif kind == 0xA0:
            depth += 1
        elif kind == 0xC0:
            depth -= 1
        at += 1 + width
    assert at == len(descriptor) and depth == 0
    return sizes


def test_the_report_map_describes_the_reports():
    assert report_sizes(hid_keys.REPORT_MAP) == {1: 64, 2: 16}


class FakeHidBle(FakeBle):
    def gatts_notify(self, connection, handle, data):
        self.notified.append((connection, handle, bytes(data)))


def test_each_key_goes_down_and_up():
    hid = Hid("wave=right, shake=mute")
    ble = FakeHidBle()
    hid.bind(ble, ((17,), (20,), (23, 25, 27, 29, 30, 32, 33)))
    assert ble.values[30] == b"\x01\x01" and ble.values[33] == b"\x02\x01"
    hid.post("wave", 80, 0)  # nobody is there
    hid.encrypted(5)
    hid.encrypted(5)
    for label in ("wave", "shake", "circle"):
        hid.post(label, 80, 1)
    for now in range(1000, 2000, 20):
        hid.step(now)
    right = hid_keys.key("right")[1]
    assert ble.notified == [(5, 29, right), (5, 29, bytes(8)), (5, 32, b"\xe2\x00"),
                            (5, 32, b"\x00\x00")]
    for i in range(20):
        hid.post("wave", 80, i)
    hid.left(5)
    counted = {}
    hid.counters(counted)
    assert counted == {"hid_keys": 2, "hid_dropped": 13, "hid_unmapped": 1, "hid_faults": 0}


# ESP-NOW.


def event():
    made = Event()
    made.boot, made.seq, made.t_ms = 2**47 + 5, 2**32 - 1, 2**40
    made.confidence, made.label_confidence = 93, 0
    made.label, made.model = "\u00e9 wave", "m-1"
    return made


KEY, PMK, LMK = now_frame.keys(b"secret")
SESSION = bytes(range(16))


def test_an_event_crosses_whole():
    body = now_frame.event_body(7, "desk-2", event(), 1234)
    frame = now_frame.seal(KEY, now_frame.EVENT, body, SESSION)
    assert now_frame.kind_of(frame) == now_frame.EVENT and len(frame) <= 250
    opened = now_frame.opened(KEY, frame, SESSION)
    assert opened == body and now_frame.counter_of(body) == 7
    read = Event()
    assert now_frame.read_event(opened, read) == ("desk-2", 1234)
    for name in ("boot", "seq", "t_ms", "confidence", "label_confidence", "label", "model"):
        assert getattr(read, name) == getattr(event(), name), name


def test_the_largest_event_fits_a_frame():
    large = event()
    large.label = large.model = "\u20ac" * 50
    body = now_frame.event_body(1, "d" * 32, large, 2**40)
    frame = now_frame.seal(KEY, now_frame.EVENT, body, SESSION)
    assert len(frame) <= 250 and now_frame.kind_of(frame)
    read = Event()
    assert now_frame.read_event(body, read) == ("d" * 32, 2**32 - 1)
    assert read.label == read.model == "\u20ac" * 21


def test_a_frame_of_another_key_or_session_or_with_any_bit_changed_is_refused():
    frame = now_frame.seal(KEY, now_frame.EVENT, now_frame.event_body(1, "d", event(), 0), SESSION)
    refused(now_frame.opened, now_frame.keys(b"Secret")[0], frame, SESSION)
    refused(now_frame.opened, KEY, frame, SESSION[1:] + b"\x00")
    for at in range(len(frame)):
        changed = bytearray(frame)
        changed[at] ^= 1 << at % 8
        if now_frame.kind_of(changed):
            refused(now_frame.opened, KEY, bytes(changed), SESSION)
        else:
            assert at < 3
    assert len(PMK) == len(LMK) == 16 and len({KEY[:16], PMK, LMK}) == 3


def test_random_bodies_are_read_or_refused():
    random.seed(4)
    body = now_frame.event_body(1, "desk", event(), 5)
    for _ in range(400):
        changed = bytearray(body)
        for _ in range(random.getrandbits(3) + 1):
            changed[random.getrandbits(8) % len(changed)] = random.getrandbits(8)
        read = Event()
        try:
            device, age_ms = now_frame.read_event(bytes(changed[: random.getrandbits(7)]), read)
            assert now_frame.is_name(device) and read.label and read.confidence <= 100
        except ValueError:
            pass
    for name in ("", "a/b", "a+", "#", "x" * 33, "\u00e9"):
        assert not now_frame.is_name(name)
    assert now_frame.kind_of(b"") == now_frame.kind_of(b"BK\x02" + bytes(30)) == 0


# Files.


def clean(path):
    for name in (path, path + ".new"):
        try:
            os.remove(name)
        except OSError:
            pass


def test_bonds_come_back_and_are_bounded():
    path = "bonds-test-%d.txt" % random.getrandbits(30)
    bonds = Bonds(path)
    assert bonds.get(1, 0, None) is None and not bonds.changed
    bonds.put(1, b"host", b"\x00\xff")
    bonds.put(1, b"other", b"2")
    bonds.put(2, b"", b"3")
    bonds.put(1, b"host", b"4")
    assert bonds.changed
    bonds.save()
    again = Bonds(path)
    assert again.get(1, 0, b"host") == b"4" and again.get(1, 1, None) == b"4"
    assert again.get(2, 0, None) == b"3" and again.get(1, 2, None) is None
    assert again.put(1, b"host", None) and not again.put(1, b"host", None)
    for i in range(40):
        again.put(3, bytes((i,)), b"x")
    again.save()
    with open(path) as file:
        assert len(file.read().split("\n")) == 17
    with open(path, "w") as file:
        file.write("1 zz zz\n")
    assert Bonds(path).get(1, 0, None) is None
    clean(path)


def test_the_counter_never_repeats():
    path = "counter-test-%d.txt" % random.getrandbits(30)
    seen = []
    for _ in range(4):
        counter = Counter(path)
        seen += [counter.next() for _ in range(300)]
    assert seen == sorted(set(seen))
    with open(path, "w") as file:
        file.write("what?")
    assert Counter(path).next() >= 0
    clean(path)
