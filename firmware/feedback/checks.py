"""What the settings of this folder may be, beside their type and range. Pure.

Raises ValueError, one line, before anything of them is used: on the board when it starts and
before `set` stores them, on the computer in `beckon setup`.
"""

from feedback import patterns, rule_list


def check(settings):
    """settings: an object with one attribute per setting."""
    rule_list.parse(settings.rules)
    pin = settings.feedback_pin
    if pin < 0:
        return
    if settings.feedback_kind not in patterns.KINDS:
        raise ValueError("feedback_kind must be %s, not %r"
                         % (" or ".join(patterns.KINDS), settings.feedback_kind))  # fmt: skip
    patterns.parse(settings.feedback_patterns)
    for name in ("i2c_scl", "i2c_sda", "imu_int_pin", "take_button_pin"):
        if getattr(settings, name) == pin:
            raise ValueError("feedback_pin %d is %s already; name a free pin" % (pin, name))
