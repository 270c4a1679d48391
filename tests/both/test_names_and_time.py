"""Packets of name look-up and time, by hand from the RFCs, on both interpreters."""

import random
import struct

from link import dns_packet as dns
from link import sntp_packet as sntp
from ops import wall_clock


def hexed(text):
    return bytes(int(part, 16) for part in text.split())


QUERY = hexed(
    "12 34 01 00 00 01 00 00 00 00 00 00 "
    "07 65 78 61 6d 70 6c 65 03 63 6f 6d 00 00 01 00 01"  # example.com A IN
)
# The same name by pointer: first an alias, then the address.
ANSWER = (
    hexed("12 34 81 80 00 01 00 02 00 00 00 00 ")
    + QUERY[12:]
    + hexed("c0 0c 00 05 00 01 00 00 00 3c 00 06 03 77 77 77 c0 0c")
    + hexed("03 77 77 77 c0 0c 00 01 00 01 00 00 00 3c 00 04 5d b8 d8 22")
)


def test_a_query_is_as_in_rfc_1035():
    assert dns.query("example.com", 0x1234) == QUERY
    assert dns.query("example.com.", 0x1234) == QUERY


def test_what_cannot_be_a_name_is_refused():
    for host in ("", ".", "a..b", "x" * 64 + ".com"):
        try:
            dns.query(host, 1)
            raise AssertionError(host)
        except ValueError:
            pass


def test_the_address_is_found_behind_an_alias():
    assert dns.answer(ANSWER, 0x1234) == "93.184.216.34"


def test_other_answers_are_none():
    assert dns.answer(ANSWER, 0x1235) is None
    assert dns.answer(QUERY, 0x1234) is None  # a question
    assert dns.answer(b"\x12\x34\x81\x83" + ANSWER[4:], 0x1234) == ""  # no such name
    assert dns.answer(b"\x12\x34\x81\x80\0\x01\0\0\0\0\0\0" + QUERY[12:], 0x1234) == ""


def test_a_mutilated_answer_raises_nothing():
    for end in range(len(ANSWER)):
        assert dns.answer(ANSWER[:end], 0x1234) is None
    for _ in range(2000):
        data = bytearray(ANSWER)
        for _ in range(random.getrandbits(2) + 1):
            data[2 + random.getrandbits(8) % (len(data) - 2)] = random.getrandbits(8)
        found = dns.answer(bytes(data), 0x1234)
        assert found is None or found == "" or dns.is_number(found)


def test_numbers_are_told_from_names():
    assert dns.is_number("192.168.0.1") and dns.is_number("0.0.0.0")
    for host in ("localhost", "1.2.3", "1.2.3.256", "1.2.3.4.5", "a.b.c.d", "", "1..2.3", "::1"):
        assert not dns.is_number(host)


def time_packet(seconds, fraction, cookie=b"12345678", first=0x24, stratum=2):
    return bytes((first, stratum)) + bytes(22) + cookie + bytes(8) + struct.pack(
        ">II", seconds, fraction)


_2025 = 2208988800 + 1735689600  # RFC 868: 2,208,988,800 is 1970-01-01


def test_the_time_is_taken_from_the_transmit_field():
    assert sntp.reply(time_packet(_2025, 0), b"12345678") == 1735689600000
    assert sntp.reply(time_packet(_2025 + 9, 0x80000000), b"12345678") == 1735689609500
    assert sntp.reply(time_packet(5, 0), b"12345678") == (5 + 2**32 - 2208988800) * 1000  # 2036


def test_what_is_no_answer_is_not_taken():
    good = time_packet(_2025, 0)
    assert sntp.reply(good, b"12345679") is None
    assert sntp.reply(good[:47], b"12345678") is None
    assert sntp.reply(time_packet(_2025, 0, first=0x23), b"12345678") is None
    assert len(sntp.request(b"12345678")) == 48


def test_a_server_that_does_not_know_is_not_believed():
    wrong = [time_packet(_2025, 0, stratum=stratum) for stratum in (0, 16, 17, 255)]
    wrong.append(time_packet(_2025, 0, first=0xE4))
    # 1900, 1970, 2000, the last second of 2024, 2068, 2100, 2104
    for seconds in (0, 2208988800, 3155673600, _2025 - 1, 1006623104, 2016466304, 2147483647):
        wrong.append(time_packet(seconds, 0))
    for packet in wrong:
        try:
            sntp.reply(packet, b"12345678")
        except OSError:
            continue
        raise AssertionError("believed %r" % packet)


def test_iso():
    assert wall_clock.iso(0) is None
    assert wall_clock.iso(946684800007) == "2000-01-01T00:00:00.007Z"
    assert wall_clock.iso(1709210096789) == "2024-02-29T12:34:56.789Z"
    assert wall_clock.iso(4102444799999) == "2099-12-31T23:59:59.999Z"


def test_the_date_of_each_month_until_a_32_bit_clock_is_long_over():
    days = 0
    for year in range(1970, 2108):
        leap = year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
        lengths = (31, 28 + leap, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
        for i in range(12):
            first = wall_clock.fields(days * 86400000)
            assert first == (year, i + 1, 1, 0, 0, 0, (days + 3) % 7), first
            days += lengths[i]
            last = wall_clock.fields(days * 86400000 - 1)
            assert last == (year, i + 1, lengths[i], 23, 59, 59, (days + 2) % 7), last


def test_the_clock_is_attached_to_the_uptime():
    clock = wall_clock.WallClock()
    assert clock.unix_ms(5) == 0
    clock.set(946684800000, 1000)
    assert clock.unix_ms(1000) == 946684800000
    assert clock.unix_ms(0) == 946684799000
