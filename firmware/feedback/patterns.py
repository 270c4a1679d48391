"""The settings of the feedback pin: its pattern for each gesture. Pure.

    80                       80 ms for every gesture
    80, circle=60/60/60      and for circle 60 ms on, 60 off, 60 on

The times are milliseconds, on and off in turn; 0 alone stays dark.
"""

KINDS = ("led", "buzzer", "motor")
_MOST_TIMES = 15
_MOST_MS = 5000  # of all together


def times(text):
    """The times of one pattern, a tuple of ms. Raises ValueError, one line."""
    found = []
    for part in text.strip().split("/"):
        if not part.isdigit() or len(part) > 4:
            raise ValueError("%r is not a pattern; write ms, such as 80 or 60/60/60" % text)
        found.append(int(part))
    if found == [0]:
        return ()
    if min(found) < 10 or len(found) > _MOST_TIMES or sum(found) > _MOST_MS:
        raise ValueError(
            "the pattern %s must have 1 to %d times from 10 ms, %d ms together at most"
            % (text.strip(), _MOST_TIMES, _MOST_MS)
        )
    return tuple(found)


def parse(text):
    """{label: times} of the setting feedback_patterns; "" stands for all other labels.

    Raises ValueError, one line.
    """
    found = {"": (80,)}
    for part in text.split(","):
        if part.strip():
            label, equals, pattern = part.rpartition("=")
            if equals and not label.strip():
                raise ValueError("feedback_patterns: %r names no gesture" % part.strip())
            try:
                found[label.strip()] = times(pattern)
            except ValueError as fault:
                raise ValueError("feedback_patterns: %s" % fault)
    return found
