"""Frames over ESP-NOW between a board without Wi-Fi and its gateway. Pure.

    sender                                   gateway
    HELLO    8 random bytes, name       ─→
                                        ←─   WELCOME  the same 8, and 8 of its own
    EVENT    counter, event             ─→
                                        ←─   ACK      counter

Each frame ends with 16 bytes of an HMAC-SHA256 with the key that both know. That of EVENT and
ACK is over the 16 random bytes of this meeting, too. So what was recorded on the way works
neither after a restart of either side, nor a second time: the counter must grow.
Numbers are little-endian.
"""

import struct

from commands.hmac_sha256 import equal, hmac_sha256
from micropython import const

HELLO = 1
WELCOME = 2
EVENT = 3
ACK = 4

NONCE_BYTES = 8

_HEAD = b"BK\x01"  # and the version
_TAG = const(16)
_MOST = const(250)  # bytes of one frame
_EVENT = "<BBQIQI"
_NAME_BYTES = const(32)
_TEXT_BYTES = const(64)


def seal(key, kind, body, session=b""):
    """A frame. key: bytes. session: the random bytes of both sides, for EVENT and ACK."""
    frame = _HEAD + bytes((kind,)) + body
    return frame + hmac_sha256(key, session + frame)[:_TAG]


def kind_of(frame):
    """What a frame is, 0 if it is none of ours."""
    if len(frame) < 4 + _TAG or len(frame) > _MOST or frame[:3] != _HEAD:
        return 0
    return frame[3]


def opened(key, frame, session=b""):
    """The body of a frame with kind_of(). Raises ValueError if it has another key or session."""
    rest = len(frame) - _TAG
    if not equal(frame[rest:], hmac_sha256(key, session + frame[:rest])[:_TAG]):
        raise ValueError("wrong HMAC")
    return frame[4:rest]


def event_body(counter, device, event, age_ms):
    """event: Event. age_ms: since its last sample was taken."""
    return (
        struct.pack("<I", counter)
        + struct.pack(
            _EVENT,
            event.confidence,
            event.label_confidence,
            event.boot,
            event.seq,
            event.t_ms,
            min(age_ms, 0xFFFFFFFF),
        )
        + _text(device, _NAME_BYTES)
        + _text(event.label, _TEXT_BYTES)
        + _text(event.model, _TEXT_BYTES)
    )


def read_event(body, event):
    """Fill event from an EVENT's body; (device, age_ms). Raises ValueError."""
    at = 4 + struct.calcsize(_EVENT)
    if len(body) < at:
        raise ValueError("too short")
    (
        event.confidence,
        event.label_confidence,
        event.boot,
        event.seq,
        event.t_ms,
        age_ms,
    ) = struct.unpack(_EVENT, body[4:at])
    texts = []
    for _ in range(3):
        if at >= len(body) or at + 1 + body[at] > len(body):
            raise ValueError("too short")
        texts.append(str(body[at + 1 : at + 1 + body[at]], "utf-8"))
        at += 1 + body[at]
    if at != len(body):
        raise ValueError("too long")
    device, event.label, event.model = texts
    if not (
        is_name(device) and event.label and max(event.confidence, event.label_confidence) <= 100
    ):
        raise ValueError("not an event")
    return device, age_ms


def counter_of(body):
    """The counter that EVENT and ACK begin with. Raises ValueError."""
    if len(body) < 4:
        raise ValueError("too short")
    return struct.unpack("<I", body[:4])[0]


def is_name(device):
    """Whether it may stand in a topic."""
    if not 0 < len(device) <= _NAME_BYTES:
        return False
    for letter in device:
        if not ("a" <= letter <= "z" or "A" <= letter <= "Z" or "0" <= letter <= "9"):
            if letter not in "_-":
                return False
    return True


def keys(secret):
    """(key of the HMAC, PMK, LMK) from the secret: bytes; the last two are ESP-NOW's."""
    return (
        hmac_sha256(secret, b"beckon-radio-hmac"),
        hmac_sha256(secret, b"beckon-radio-pmk")[:16],
        hmac_sha256(secret, b"beckon-radio-lmk")[:16],
    )


def _text(text, most):
    """One byte of length, and UTF-8 that is cut between characters."""
    data = text.encode()
    while len(data) > most:
        text = text[:-1]
        data = text.encode()
    return bytes((len(data),)) + data
