"""What the settings `radio`, `radio_buttons`, `radio_keys`, `radio_peers`, `radio_key` say. Pure.

radio          bthome gatt
radio_buttons  wave=press, shake=2:double_press     gesture = [button:]event of BTHome
radio_keys     wave=right, shake=ctrl+z             gesture = key, see hid_keys.py
radio_peers    24:0a:c4:00:00:01, 24:0a:c4:00:00:02
"""

import binascii

BLUETOOTH = ("bthome", "gatt", "hid")
ROLES = BLUETOOTH + ("espnow", "gateway")

# The number of each is its code in BTHome's object 0x3A.
BUTTON_EVENTS = (
    "none",
    "press",
    "double_press",
    "triple_press",
    "long_press",
    "long_double_press",
    "long_triple_press",
)


# A packet of BTHome has 31 bytes. Its id takes 2, a button 2, the counter and the check of an
# encrypted one 4 each.
def most_buttons(key):
    """How many buttons there can be. key: setting radio_key."""
    return 6 if key else 10


def roles(text):
    """The list of roles in `radio`. Raises ValueError."""
    found = text.replace(",", " ").split()
    for role in found:
        if role not in ROLES:
            raise ValueError("radio %r is unknown; there are %s" % (role, ", ".join(ROLES)))
    if "espnow" in found and "gateway" in found:
        raise ValueError("radio: a board is either espnow or gateway, not both")
    if "gateway" in found and len(found) > 1:
        raise ValueError(
            "radio: a gateway listens all the time, and Bluetooth lets Wi-Fi sleep; leave one out"
        )
    return found


def pairs(name, text):
    """[(gesture, value)] of the table called name. Raises ValueError."""
    found = []
    for piece in text.split(","):
        if not piece.strip():
            continue
        label, equals, value = piece.partition("=")
        label = label.strip()
        value = value.strip()
        if not (equals and label and value):
            raise ValueError("%s: %r is not gesture=value" % (name, piece.strip()))
        if any(label == other for other, _ in found):
            raise ValueError("%s names %r twice" % (name, label))
        found.append((label, value))
    return found


def buttons(text, most):
    """{gesture: (button from 0, code)} of `radio_buttons`, with buttons 1 to most.

    A gesture without a number gets the next button. Raises ValueError.
    """
    found = {}
    free = 1
    for label, value in pairs("radio_buttons", text):
        number, colon, event = value.partition(":")
        if not colon:
            number, event = str(free), value
        if event not in BUTTON_EVENTS[1:]:
            raise ValueError(
                "radio_buttons: %s=%s is not an event of a button; there are %s"
                % (label, value, ", ".join(BUTTON_EVENTS[1:]))
            )
        if not number.isdigit() or not 1 <= int(number) <= most:
            raise ValueError(
                "radio_buttons: %s=%s: a packet has room for buttons 1 to %d" % (label, value, most)
            )
        free = max(free, int(number) + 1)
        found[label] = int(number) - 1, BUTTON_EVENTS.index(event)
    return found


def key_of(text):
    """The 16 bytes of `radio_key`. Raises ValueError."""
    try:
        key = binascii.unhexlify(text)
    except ValueError:
        key = b""
    if len(key) != 16:
        raise ValueError("radio_key must be 32 hexadecimal digits")
    return key


def peers(text):
    """The addresses in `radio_peers`, a list of 6 bytes each. Raises ValueError."""
    found = []
    for piece in text.replace(",", " ").split():
        parts = piece.split(":")
        try:
            if len(parts) != 6 or any(len(part) != 2 for part in parts):
                raise ValueError
            mac = bytes(int(part, 16) for part in parts)
        except ValueError:
            raise ValueError("radio_peers: %r is not an address like 24:0a:c4:00:00:01" % piece)
        if mac[0] & 1:
            raise ValueError("radio_peers: %s is not the address of one board" % piece)
        found.append(mac)
    if len(found) > 6:
        raise ValueError("radio_peers: ESP-NOW encrypts for 6 boards, not %d" % len(found))
    return found
