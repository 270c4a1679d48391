"""The command `feedback`: play a pattern, or that of a gesture."""

from feedback.patterns import times


def feedback(output, arguments):
    """{"pattern": "60/60/60"} or {"label": "circle"}; nothing plays the pattern of all others.

    output: Output, or None. Raises ValueError.
    """
    if not output:
        raise ValueError("no feedback_pin is set")
    if output.fault:
        raise ValueError(output.fault)
    pattern = arguments.get("pattern")
    label = arguments.get("label", "")
    if not isinstance(label, str) or pattern is not None and not isinstance(pattern, str):
        raise ValueError("pattern and label must be texts")
    if pattern is None:
        played = output.post(label, 100, 0)
    else:
        played = output.play(times(pattern))
    if not played:
        raise ValueError("too many patterns wait; ask again later")
