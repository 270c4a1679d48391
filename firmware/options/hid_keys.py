"""Keys by name, and the reports of a HID device with a keyboard and media keys. Pure.

Numbers are those of USB's "HID Usage Tables": page 0x07 for the keyboard, 0x0C for media keys.
"""

from micropython import const

KEYBOARD = 1  # ids of the two reports
MEDIA = 2
_A = const(0x04)
_ONE = const(0x1E)
_F1 = const(0x3A)

# The bit of each in the first byte of a keyboard report, left hand.
_MODIFIERS = ("ctrl", "shift", "alt", "gui")

_NAMED = {
    "enter": 0x28, "escape": 0x29, "backspace": 0x2A, "tab": 0x2B, "space": 0x2C,
    "insert": 0x49, "home": 0x4A, "pageup": 0x4B, "delete": 0x4C, "end": 0x4D,
    "pagedown": 0x4E, "right": 0x4F, "left": 0x50, "down": 0x51, "up": 0x52,
}  # fmt: skip

_MEDIA = {
    "play": 0xCD, "next": 0xB5, "previous": 0xB6, "stop": 0xB7, "mute": 0xE2,
    "volumeup": 0xE9, "volumedown": 0xEA, "brightnessup": 0x6F, "brightnessdown": 0x70,
}  # fmt: skip

# HID 1.11, 6.2.2: report 1 is a keyboard's (modifiers, a byte of 0, six keys), report 2 holds
# one usage of the consumer page.
REPORT_MAP = (
    b"\x05\x01\x09\x06\xa1\x01\x85\x01"
    b"\x05\x07\x19\xe0\x29\xe7\x15\x00\x25\x01\x75\x01\x95\x08\x81\x02"
    b"\x75\x08\x95\x01\x81\x01"
    b"\x19\x00\x29\x65\x15\x00\x25\x65\x75\x08\x95\x06\x81\x00\xc0"
    b"\x05\x0c\x09\x01\xa1\x01\x85\x02"
    b"\x19\x00\x2a\xff\x03\x15\x00\x26\xff\x03\x75\x10\x95\x01\x81\x00\xc0"
)


def key(name):
    """(report id, report) that presses the key. Raises ValueError.

    name: a letter, a digit, f1 to f12, or a name of a key, with ctrl+, shift+, alt+ or gui+
    before it; or a media key.
    """
    *held, last = name.lower().split("+")
    if last in _MEDIA and not held:
        usage = _MEDIA[last]
        return MEDIA, bytes((usage & 0xFF, usage >> 8))
    modifiers = 0
    for one in held:
        if one not in _MODIFIERS:
            raise ValueError("%r in key %r is not one of %s" % (one, name, ", ".join(_MODIFIERS)))
        modifiers |= 1 << _MODIFIERS.index(one)
    usage = _usage(last)
    if not usage:
        raise ValueError("no key is called %r; there are %s" % (name, names()))
    return KEYBOARD, bytes((modifiers, 0, usage)) + bytes(5)


def released(report):
    """The report with no key down, of a report's length."""
    return bytes(len(report))


def names():
    """All keys, for a message."""
    return "a to z, 0 to 9, f1 to f12, %s (with ctrl+, shift+, alt+, gui+), %s" % (
        ", ".join(sorted(_NAMED)),
        ", ".join(sorted(_MEDIA)),
    )


def _usage(name):
    """The usage of a key on page 0x07; 0 if there is none."""
    if len(name) == 1:
        if "a" <= name <= "z":
            return _A + ord(name) - 97
        if "0" <= name <= "9":
            return _ONE + (ord(name) - 49) % 10
    if name[:1] == "f" and name[1:].isdigit() and 1 <= int(name[1:]) <= 12:
        return _F1 + int(name[1:]) - 1
    return _NAMED.get(name, 0)
