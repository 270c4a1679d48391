"""BTHome version 2: what an advertisement holds of button events. Pure.

The format is at bthome.io/format; numbers of AD types are those of the Bluetooth Core
Specification Supplement.
"""

from micropython import const

_FLAGS = b"\x02\x01\x06"  # general discoverable, no classic Bluetooth
_SERVICE_DATA = const(0x16)
_UUID = b"\xd2\xfc"  # 0xFCD2, little-endian
_INFO = const(0x44)  # version 2; sends when something happens, not at intervals
_ENCRYPTED = const(0x01)
_PACKET_ID = const(0x00)
_BUTTON = const(0x3A)
_PDU = const(31)  # bytes of a legacy advertisement


def objects(packet_id, count, button, code):
    """The BTHome objects as bytes: the packet id, and `count` buttons of which the one numbered
    `button` (from 0) has the event `code`, and the others none.

    Objects stand in the order of their ids. A reader numbers buttons by their order.
    """
    data = bytearray(2 + 2 * count)
    data[0] = _PACKET_ID
    data[1] = packet_id & 0xFF
    for i in range(count):
        data[2 + 2 * i] = _BUTTON
        data[3 + 2 * i] = code if i == button else 0
    return bytes(data)


def service_data(data):
    """AD element with BTHome objects."""
    return bytes((len(data) + 4, _SERVICE_DATA)) + _UUID + bytes((_INFO,)) + data


def encrypted(data, address, counter, seal):
    """AD element with BTHome objects under the key that `seal` has.

    address: 6 bytes, as written. counter: 0 to 2**32 - 1, never twice with one key.
    seal: see ccm.seal, without its key.
    """
    info = bytes((_INFO | _ENCRYPTED,))
    tail = bytes((counter & 0xFF, counter >> 8 & 0xFF, counter >> 16 & 0xFF, counter >> 24))
    sealed, check = seal(address + _UUID + info + tail, data)
    body = _UUID + info + sealed + tail + check
    return bytes((len(body) + 1, _SERVICE_DATA)) + body


def element(kind, data):
    """One AD element."""
    return bytes((len(data) + 1, kind)) + data


def advertisement(elements, name):
    """(advertisement, scan response) with the flags, the AD elements and the name.

    The elements are put where room is, the first ones first. A name that does not fit whole
    is cut and marked so. Raises ValueError for more than two packets hold.
    """
    first = _FLAGS
    second = b""
    for one in elements:
        if len(first) + len(one) <= _PDU:
            first += one
        elif len(second) + len(one) <= _PDU:
            second += one
        else:
            raise ValueError("%d bytes too many to advertise" % len(one))
    name = name.encode()
    room = _PDU - len(second) - 2
    if room > 0:
        second += element(0x09 if len(name) <= room else 0x08, name[:room])
    return first, second
