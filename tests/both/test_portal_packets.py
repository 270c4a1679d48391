"""What strangers send to the access point: requests, forms, DNS. On both interpreters."""

import random

from portal import dns_reply, http_request, mdns_packet

OWN = b"\xc0\xa8\x04\x01"


def refused(data):
    try:
        http_request.parse_head(data)
    except http_request.HttpError as error:
        return error.args[0]
    return 0


def garbled(data):
    data = bytearray(data)
    for _ in range(random.getrandbits(2) + 1):
        data[random.getrandbits(10) % len(data)] = random.getrandbits(8)
    return bytes(data)


HEAD = (
    b"POST /save?lang=de&x=a%20b+c HTTP/1.1\r\nHost: 192.168.4.1\r\nContent-Length: 12\r\n"
    b"Accept-Language: de-DE,de;q=0.9\r\nOrigin: http://192.168.4.1\r\nX: y"
)


def test_a_request_is_taken_apart():
    request = http_request.parse_head(HEAD)
    assert (request.method, request.path, request.length) == ("POST", "/save", 12)
    assert request.query == {"lang": "de", "x": "a b c"} and request.host == "192.168.4.1"
    assert request.origin == "http://192.168.4.1" and request.language.startswith("de-de")
    request = http_request.parse_head(b"GET / HTTP/1.1")
    assert request.length == -1 and request.host == "" and request.query == {}


def test_requests_that_cannot_be():
    for data, status in (
        (b"", 400),
        (b"GET /", 400),
        (b"GET / SPDY/3", 400),
        (b"GET / HTTP/1.1\r\nno colon", 400),
        (b"GET / HTTP/1.1\r\nHost: a\r\nHost: b", 400),
        (b"GET / HTTP/1.1\r\nContent-Length: -5", 400),
        (b"GET / HTTP/1.1\r\nContent-Length: 99999999", 400),
        (b"GET / HTTP/1.1\r\nContent-Length: 5\r\nContent-Length: 6", 400),
        (b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked", 411),
        (b"GET /\xff HTTP/1.1", 400),
        (b"GET /?a=%4 HTTP/1.1", 400),
        (b"GET /?a=%ff HTTP/1.1", 400),
    ):
        assert refused(data) == status, data


def test_a_form_is_taken_apart():
    fields = http_request.fields
    assert fields(b"") == {}
    assert fields(b"a=1&b=&c") == {"a": "1", "b": "", "c": ""}
    assert fields(b"a=M%C3%BCller+5%26%3d&key=%20%2B") == {"a": "M\u00fcller 5&=", "key": " +"}
    for data in (b"a=%", b"a=%g0", b"a=%+1", b"a=%80", b"&".join(b"x" for _ in range(25))):
        try:
            fields(data)
            raise AssertionError(data)
        except ValueError:
            pass


def test_mutilated_requests_raise_nothing_else():
    for end in range(len(HEAD)):
        refused(HEAD[:end])
    for _ in range(1000):
        refused(garbled(HEAD))
        try:
            http_request.fields(garbled(HEAD))
        except ValueError:
            pass


# RFC 1035, by hand: captive.apple.com, type A, class IN, recursion desired.
ASKED = b"\x12\x34\x01\0\0\1\0\0\0\0\0\0\7captive\5apple\3com\0\0\1\0\1"


def test_every_name_is_the_board():
    answer = dns_reply.reply(ASKED, OWN)
    assert answer[:12] == b"\x12\x34\x85\x80\0\1\0\1\0\0\0\0"
    assert answer[12 : len(ASKED)] == ASKED[12:]
    assert answer[len(ASKED) :] == b"\xc0\x0c\0\1\0\1\0\0\0\5\0\4" + OWN
    aaaa = ASKED[:-4] + b"\0\x1c\0\1"
    assert dns_reply.reply(aaaa, OWN) == b"\x12\x34\x85\x80\0\1\0\0\0\0\0\0" + aaaa[12:]
    # With EDNS, as phones ask: what is behind the question is left out.
    edns = ASKED[:11] + b"\1" + ASKED[12:] + b"\0\0\x29\x10\0\0\0\0\0\0\0"
    assert dns_reply.reply(edns, OWN) == answer


def test_what_is_no_question_gets_no_answer():
    long = b"".join(b"\x3f" + b"x" * 63 for _ in range(4))
    for data in (
        b"",
        ASKED[:16],
        ASKED[:2] + b"\x81" + ASKED[3:],  # an answer: two servers must not play ping-pong
        ASKED[:5] + b"\2" + ASKED[6:],
        ASKED[:12] + b"\xc0\x0c\0\1\0\1",
        ASKED[:12] + b"\x40" + b"x" * 64 + b"\0\0\1\0\1",  # a label may have 63 bytes
        ASKED[:12] + long + b"\0\0\1\0\1",
        ASKED + bytes(512),
    ):
        assert dns_reply.reply(data, OWN) is None, data
    for end in range(len(ASKED)):
        assert dns_reply.reply(ASKED[:end], OWN) is None
    for _ in range(1000):
        answer = dns_reply.reply(garbled(ASKED), OWN)
        assert answer is None or len(answer) <= len(ASKED) + 16


def record(owner, kind, data):
    return owner + bytes((0, kind, 0, 1, 0, 0, 0, 120, 0, len(data))) + data


# RFC 6763, 4.1: PTR to the instance, SRV with the place, TXT and A behind. The service's name
# begins at 12, "local" at 24; the instance's name follows.
HEADER = b"\x12\x34\x84\0\0\1\0\1\0\0\0\3"
QUESTION = b"\5_mqtt\4_tcp\5local\0\0\x0c\0\1"
PTR = record(b"\xc0\x0c", 12, b"\x09Mosquitto\xc0\x0c")
INSTANCE = bytes((0xC0, len(HEADER + QUESTION) + 12))
FOUND = (
    HEADER
    + QUESTION
    + PTR
    + record(INSTANCE, 33, b"\0\0\0\0\x07\x5b\x04home\xc0\x17")
    + record(INSTANCE, 16, b"\0")
    + record(b"\x04home\xc0\x17", 1, b"\x0a\0\0\5")
)


def test_a_broker_that_announces_itself_is_found():
    assert mdns_packet.question(mdns_packet.SERVICE, 12, 0x1234) == (
        b"\x12\x34\0\0\0\1\0\0\0\0\0\0" + QUESTION
    )
    assert mdns_packet.services(FOUND, 0x1234) == ({"Mosquitto": ("home.local", 1883)}, [])
    # A responder that leaves the place out is asked for it.
    short = HEADER[:11] + b"\0" + QUESTION + PTR
    name = (b"Mosquitto", b"_mqtt", b"_tcp", b"local")
    assert mdns_packet.services(short, 0x1234) == ({}, [name])
    assert mdns_packet.question(name, 33, 1)[12:22] == b"\x09Mosquitto"


def test_other_answers_find_nothing():
    assert mdns_packet.services(FOUND, 0x1235) is None
    assert mdns_packet.services(b"\x12\x34\0" + FOUND[3:], 0x1234) is None
    circle = HEADER + QUESTION + record(b"\xc0" + bytes((len(HEADER + QUESTION),)), 33, b"")
    assert mdns_packet.services(circle, 0x1234) is None
    other = HEADER[:11] + b"\0" + QUESTION + record(b"\4_ipp\xc0\x12", 12, b"\1x\xc0\x0c")
    assert mdns_packet.services(other, 0x1234) == ({}, [])


def test_mutilated_answers_raise_nothing():
    for end in range(len(FOUND)):
        said = mdns_packet.services(FOUND[:end], 0x1234)
        assert said is None or len(said[0]) <= 1
    for _ in range(1500):
        data = FOUND[:2] + garbled(FOUND[2:])
        said = mdns_packet.services(data, 0x1234)
        assert said is None or len(said[0]) <= 4
