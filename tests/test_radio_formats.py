"""What the radios send, read by the published parser of BTHome and by the published AES-CCM."""

import importlib.util
import logging

import pytest
from bleak.backends.device import BLEDevice
from bthome_ble import BTHomeBluetoothDeviceData
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESCCM
from habluetooth import BluetoothServiceInfoBleak
from hypothesis import given
from hypothesis import strategies as st

from firmware.options.tables import BUTTON_EVENTS, most_buttons
from firmware.radio import bthome, ccm
from host_tools.simulator.unix_board import STANDINS

ADDRESS = "54:48:E6:8F:80:A5"
SERVICE = "0000fcd2-0000-1000-8000-00805f9b34fb"
KEY = "231d39c1d7cc1ab1aee224cd096db932"


def heard(advertisement, time_s=0.0):
    """What Home Assistant's Bluetooth hands to a parser, from the bytes on the air."""
    found, at, name = {}, 0, None
    while at < len(advertisement):
        size, kind = advertisement[at], advertisement[at + 1]
        data = advertisement[at + 2 : at + 1 + size]
        assert len(data) == size - 1, "an AD element is cut"
        if kind == 0x16:
            found[f"0000{data[1]:02x}{data[0]:02x}-0000-1000-8000-00805f9b34fb"] = data[2:]
        if kind == 0x09:
            name = data.decode()
        at += 1 + size
    return BluetoothServiceInfoBleak(
        name=name, address=ADDRESS, rssi=-60, manufacturer_data={}, service_data=found,
        service_uuids=[], source="", device=BLEDevice(ADDRESS, name, {}), advertisement=None,
        connectable=False, time=time_s, tx_power=None)  # fmt: skip


def events(parser, element, time_s=0.0):
    """Button -> event that the parser reads out of one advertisement and its scan response."""
    info = heard(b"".join(bthome.advertisement([element], "desk")), time_s)
    update = parser.update(info)
    return {key.key: event.event_type for key, event in update.events.items()}


def block(key):
    return Cipher(algorithms.AES(key), modes.ECB()).encryptor().update


@pytest.mark.parametrize("code", range(1, len(BUTTON_EVENTS)))
def test_the_parser_reads_each_event(code):
    parser = BTHomeBluetoothDeviceData()
    element = bthome.service_data(bthome.objects(1, 1, 0, code))
    assert events(parser, element) == {"button": BUTTON_EVENTS[code]}
    assert parser.sleepy_device and parser.get_device_name().startswith("desk")
    info = heard(b"".join(bthome.advertisement([element], "desk")))
    assert BTHomeBluetoothDeviceData().supported(info)  # Home Assistant offers to add it


@given(count=st.integers(2, most_buttons("")), data=st.data())
def test_the_parser_finds_the_button_that_was_pressed(count, data):
    button = data.draw(st.integers(0, count - 1))
    code = data.draw(st.integers(1, 6))
    element = bthome.service_data(bthome.objects(9, count, button, code))
    found = events(BTHomeBluetoothDeviceData(), element)
    assert found == {f"button_{button + 1}": BUTTON_EVENTS[code]}


def test_the_parser_takes_each_packet_id_once():
    parser = BTHomeBluetoothDeviceData()
    first = bthome.service_data(bthome.objects(255, 2, 1, 1))
    assert events(parser, first) == {"button_2": "press"}
    assert events(parser, first) == {}
    calm = bthome.service_data(bthome.objects(255, 2, -1, 0))
    assert events(parser, calm) == events(parser, calm, 60.0) == {}  # after 4 s it is taken again
    second = bthome.service_data(bthome.objects(256, 2, 1, 1))  # 0: the number comes round
    assert events(parser, second, 61.0) == {"button_2": "press"}


def test_the_example_of_the_format_is_encrypted_as_published():
    """bthome.io/encryption: temperature and humidity, counter 00112233."""
    element = bthome.encrypted(
        bytes.fromhex("02ca0903bf13"),
        bytes.fromhex("5448E68F80A5"),
        0x33221100,
        lambda nonce, data: ccm.seal(block(bytes.fromhex(KEY)), bytes_41(nonce), data),
    )
    assert element[5:].hex() == "a47266c95f73" "00112233" "78237214"


def bytes_41(nonce):
    """The example's device sends at intervals; the byte is part of the nonce."""
    return nonce[:8] + b"\x41" + nonce[9:]


@given(
    st.binary(min_size=16, max_size=16), st.binary(min_size=13, max_size=13), st.binary(max_size=70)
)
def test_ccm_is_the_published_one(key, nonce, data):
    sealed, check = ccm.seal(block(key), nonce, data)
    assert sealed + check == AESCCM(key, tag_length=4).encrypt(nonce, data, None)


def test_the_parser_decrypts_with_the_key_and_with_no_other():
    def sealed(packet_id, counter):
        return bthome.encrypted(
            bthome.objects(packet_id, most_buttons("key"), 5, 2),
            bytes.fromhex(ADDRESS.replace(":", "")),
            counter,
            lambda nonce, data: ccm.seal(block(bytes.fromhex(KEY)), nonce, data),
        )

    parser = BTHomeBluetoothDeviceData(bindkey=bytes.fromhex(KEY))
    assert events(parser, sealed(1, 2**32 - 1 - 5000)) == {"button_6": "double_press"}
    assert events(parser, sealed(2, 2**32 - 5000)) == {"button_6": "double_press"}
    assert parser.bindkey_verified
    assert events(parser, sealed(3, 2**31)) == {}  # recorded before
    other = BTHomeBluetoothDeviceData(bindkey=bytes(16))
    logging.getLogger("bthome_ble").setLevel(logging.CRITICAL)
    assert events(other, sealed(1, 5)) == {} and not other.bindkey_verified


@given(st.binary(min_size=16, max_size=16), st.binary(min_size=16, max_size=16))
def test_the_stand_in_for_cryptolib_is_aes(key, data):
    spec = importlib.util.spec_from_file_location("cryptolib", STANDINS / "cryptolib.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert module.aes(key, 1).encrypt(data) == block(key)(data)
