"""The setting `feedback`: what is at the feedback pin, and its pattern for each gesture. Pure.

    buzzer                       80 ms for every gesture
    led, low, 50, circle=60/60/60
                                 an LED that is on at the level low: 50 ms for every gesture, and
                                 for circle 60 ms on, 60 off, 60 on

The times are milliseconds, on and off in turn; 0 alone stays dark.
"""

KINDS = ("led", "buzzer", "motor")
_MOST_TIMES = 15
_MOST_MS = 5000  # of all together


def times(text):
    """The times of one pattern, a tuple of ms. Raises ValueError, one line."""
    text = text.strip()
    found = []
    for part in text.split("/"):
        if not part.isdigit() or len(part) > 4:
            raise ValueError("%r is not a pattern; write ms, such as 80 or 60/60/60" % text)
        found.append(int(part))
    if found == [0]:
        return ()
    if min(found) < 10 or len(found) > _MOST_TIMES or sum(found) > _MOST_MS:
        raise ValueError(
            "the pattern %s must have 1 to %d times from 10 ms, %d ms together at most"
            % (text, _MOST_TIMES, _MOST_MS)
        )
    return tuple(found)


def parse(text):
    """(kind, level that is on, {label: times}) of the setting; "" stands for all other labels.

    Raises ValueError, one line.
    """
    kind, *parts = text.split(",")
    kind = kind.strip()
    if kind not in KINDS:
        raise ValueError("feedback must begin with %s, not %r" % (" or ".join(KINDS), kind))
    active = 1
    found = {"": (80,)}
    for part in parts:
        label, equals, pattern = part.rpartition("=")
        label = label.strip()
        if equals and not label:
            raise ValueError("feedback: %r names no gesture" % part.strip())
        if part.strip() == "low":
            active = 0
        else:
            try:
                found[label] = times(pattern)
            except ValueError as fault:
                raise ValueError("feedback: %s" % fault)
    return kind, active, found
