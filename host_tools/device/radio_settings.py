"""The settings of Bluetooth and ESP-NOW, checked as the board checks them, and against its memory.

Bytes of an ESP32 without SPIRAM. "Read" was seen on MicroPython's ESP32 port in an emulator,
"documented" is what others have published; nothing here was measured on a board:

    _FREE      read: the IDF's memory while the firmware runs with Wi-Fi and MQTT, in clear
    _BLUETOOTH documented: espressif/esp-idf issue 8136, an ESP32's NimBLE started once,
               224,892 -> 205,796 bytes free. (45 kB on an S3: h2zero/NimBLE-Arduino issue 1046)
    _TLS       documented: mbedTLS in MicroPython, 16 KiB in, 4 KiB out, and 15 KiB in the
               handshake. micropython issue 7038: ENOMEM with both on an ESP32
"""

from collections.abc import Collection, Mapping
from typing import Any

from host_tools.errors import BeckonError
from host_tools.toolchain import on_cpython

_FREE = 30_080
_BLUETOOTH = 19_096
_TLS = 35_840


def is_alone(settings: Mapping[str, Any]) -> bool:
    """Whether the board is meant to be without Wi-Fi."""
    return bool(settings["radio"]) and not settings["wifi_ssid"]


def check_radio(settings: Mapping[str, Any], labels: Collection[str] | None = None) -> None:
    """Raises BeckonError for what the board would refuse, or what does not fit into it.

    settings: all of them. labels: of the model's gestures, if they are known.
    """
    on_cpython.install()
    from radio import bthome, hid_keys, tables

    try:
        roles = tables.roles(settings["radio"])
        most = bthome.MOST_ENCRYPTED if settings["radio_key"] else bthome.MOST_BUTTONS
        named = [*tables.buttons(settings["radio_buttons"], most)]
        for label, key in tables.pairs("radio_keys", settings["radio_keys"]):
            hid_keys.key(key)
            named.append(label)
        peers = tables.peers(settings["radio_peers"])
        if settings["radio_key"]:
            tables.key_of(settings["radio_key"])
    except ValueError as error:
        raise BeckonError(str(error)) from None
    _check_partners(roles, peers, settings)
    _check_memory(roles, settings)
    for label in named:
        if labels is not None and label not in labels:
            raise BeckonError("radio_buttons or radio_keys name {label!r}, which the model does "
                              "not know; it has {labels}", label=label, labels=", ".join(labels))
    if labels is not None and "bthome" in roles and not settings["radio_buttons"]:
        if len(labels) > most:
            raise BeckonError("a packet of BTHome has room for {most} buttons, and the model has "
                              "{count} gestures; choose with radio_buttons", most=most,
                              count=len(labels))  # fmt: skip


# In the order of the questions: the setting, and what fits until it is answered.
_LATER = {
    "radio_buttons": "",
    "radio_keys": "wave=a",
    "radio_peers": "02:00:00:00:00:01",
    "radio_key": "00" * 16,
}


def check_answer(name: str, settings: Mapping[str, Any]) -> None:
    """Check settings as far as they are answered up to name. Raises BeckonError."""
    names = ["radio", *_LATER]
    later = names[names.index(name) + 1 :]
    check_radio({**settings, **{one: _LATER[one] for one in later}})


def _check_partners(roles: list[str], peers: list[bytes], settings: Mapping[str, Any]) -> None:
    if roles and settings["power"] == "wake_on_motion":
        raise BeckonError("a board that sleeps ends its radio; with radio set power to always_on")
    if "hid" in roles and not settings["radio_keys"]:
        raise BeckonError("hid needs radio_keys, such as wave=right")
    if "gateway" in roles and not settings["wifi_ssid"]:
        raise BeckonError("a gateway needs Wi-Fi; set wifi_ssid")
    if "espnow" in roles and settings["wifi_ssid"]:
        raise BeckonError("espnow is for a board without Wi-Fi; clear wifi_ssid, or leave it out")
    if "espnow" in roles and len(peers) != 1:
        raise BeckonError("espnow needs one address in radio_peers, that of its gateway, which "
                          "beckon doctor shows")  # fmt: skip
    if "gateway" in roles and not peers:
        raise BeckonError("a gateway needs the addresses of its senders in radio_peers")
    if ("espnow" in roles or "gateway" in roles) and not settings["radio_key"]:
        raise BeckonError("ESP-NOW needs radio_key, the same on both boards: 32 hexadecimal digits")


def _check_memory(roles: list[str], settings: Mapping[str, Any]) -> None:
    """Raises BeckonError for more than the board's memory holds."""
    bluetooth = any(role in ("bthome", "gatt", "hid") for role in roles)
    if bluetooth and settings["wifi_ssid"] and settings["tls_ca"]:
        raise BeckonError(
            "Bluetooth ({bluetooth:,} bytes, documented) and TLS ({tls:,}, documented) want "
            "{need:,} bytes beside Wi-Fi, and an ESP32 has {free:,} left; clear radio or tls_ca, "
            "or use a second board over ESP-NOW",
            bluetooth=_BLUETOOTH, tls=_TLS, need=_BLUETOOTH + _TLS, free=_FREE,
        )  # fmt: skip
