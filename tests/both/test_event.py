"""Events as records and as JSON, on both interpreters."""

import json

from events.event import Event
from events.event_log import pack, unpack


def event(label="circle", model="m-1"):
    made = Event()
    made.boot = 2**31 * 65536 - 1  # the largest that boot_number makes
    made.seq = 2**32 - 1
    made.t_ms = 2**40
    made.captured_ms = 2**40 + 5
    made.unix_ms = 1709210096789
    made.confidence = 93
    made.label_confidence = 98
    made.sent = True
    made.label = label
    made.model = model
    return made


class Clock:
    def t_ms(self, index):
        return 10 * index

    def age_ms(self, index):
        return 500 - index


def test_an_event_that_is_filled_again_keeps_nothing_of_before():
    again = event()
    again.fill(7, 3, "m-2", "x", 60, 0, Clock(), 40, 10_000)
    fresh = Event()
    fresh.fill(7, 3, "m-2", "x", 60, 0, Clock(), 40, 10_000)
    again.unix_ms = 0  # set where it is kept
    assert again.__dict__ == fresh.__dict__
    assert (fresh.t_ms, fresh.captured_ms, fresh.boot, fresh.seq) == (400, 9540, 7, 3)
    assert (fresh.label, fresh.model, fresh.confidence, fresh.label_confidence, fresh.sent) == (
        "x", "m-2", 60, 0, False)  # fmt: skip


LABELS = ("circle", "", 'say "hi"\\', "tab\t\n\r\x01\x7f", "\u00e9\u20ac\u2028", "{}[],:")


def test_a_record_gives_the_event_back():
    for label in LABELS:
        before, after = event(label), Event()
        unpack(pack(before), after)
        for name in ("boot", "seq", "t_ms", "captured_ms", "unix_ms", "confidence", "sent",
                     "label_confidence", "label", "model"):
            assert getattr(after, name) == getattr(before, name), name


def test_what_was_captured_before_the_first_millisecond_is_kept():
    before, after = event(), Event()
    before.captured_ms = -3
    unpack(pack(before), after)
    assert after.captured_ms == -3


def test_a_record_of_older_firmware_has_no_confidence_of_the_label():
    before, after = event(), Event()
    for sent in (False, True):
        before.label_confidence, before.sent = 0, sent  # the very bytes that it wrote
        after.label_confidence = 98
        unpack(pack(before), after)
        assert after.label_confidence == 0 and after.sent is sent
        assert json.loads(after.payload(1, 0))["label_confidence"] is None


def test_a_record_fits_the_spool():
    assert len(pack(event("x" * 999, "y" * 999))) <= 512


def test_what_is_no_record_is_refused():
    good = pack(event())
    for wrong in (b"", b"x", good[:38], good[:39] + b"\xff\xfe" * 9):
        try:
            unpack(wrong, Event())
            raise AssertionError(wrong)
        except ValueError:
            pass


def test_the_payload_is_json_of_integers_for_any_label():
    for label in LABELS:
        told = json.loads(event(label).payload(12, 1709210096789))
        assert told == {
            "event_type": label, "confidence": 93, "label_confidence": 98, "seq": 2**32 - 1,
            "boot": 2**31 * 65536 - 1, "t_ms": 2**40, "time": "2024-02-29T12:34:56.789Z",
            "latency_ms": 12, "model": "m-1",
        }


def test_what_is_not_known_is_null():
    told = json.loads(event().payload(None, 0))
    assert told["time"] is None and told["latency_ms"] is None
