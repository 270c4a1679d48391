"""The setting `rules`: which rule gestures there are, each with its threshold. Pure.

    tap, shake=2000, free_fall=350, both

A name alone takes the default. `both` reports a rule gesture at once, and the network's gesture
of the same movement, too.
"""

# In the order of their labels; rules.py knows them by number
NAMES = ("tap", "double_tap", "shake", "face_down", "free_fall")
# name: (default, least, most, unit)
RULES = {
    "tap": (900, 200, 16000, "mg"),
    "double_tap": (900, 200, 16000, "mg"),
    "shake": (800, 300, 16000, "mg"),
    "face_down": (15, 5, 60, "degrees"),
    "free_fall": (200, 50, 800, "mg"),
}
BOTH = "both"


def parse(text):
    """({name: threshold}, both) of the setting. Raises ValueError, one line."""
    found = {}
    both = False
    for part in text.split(","):
        name, equals, value = part.partition("=")
        name = name.strip()
        value = value.strip()
        if not name and not equals:
            continue
        if name == BOTH and not equals:
            both = True
            continue
        if name not in RULES:
            raise ValueError("rules: no rule is called %r; there are %s and %s"
                             % (name, ", ".join(sorted(RULES)), BOTH))  # fmt: skip
        default, least, most, unit = RULES[name]
        if not equals:
            found[name] = default
            continue
        if not value.isdigit() or len(value) > 6 or not least <= int(value) <= most:
            raise ValueError("rules: %s must be %d to %d %s, not %r"
                             % (name, least, most, unit, value))  # fmt: skip
        found[name] = int(value)
    if both and not found:
        raise ValueError("rules: %s needs a rule beside it" % BOTH)
    return found, both
