"""What the settings of this folder may be, beside their type and range. Pure.

Raises ValueError, one line, before anything of them is used: on the board when it starts and
before `set` stores them, on the computer in `beckon setup`.
"""

from feedback import patterns, rule_list


def check(settings, values):
    """settings: an object with one attribute per setting. values: of those that change."""

    def value(name):
        return values[name] if name in values else getattr(settings, name)

    rule_list.parse(value("rules"))
    pin = value("feedback_pin")
    if pin < 0:
        return
    patterns.parse(value("feedback"))
    for name in ("i2c_scl", "i2c_sda", "imu_int_pin", "take_button_pin"):
        if value(name) == pin:
            raise ValueError("feedback_pin %d is %s already; name a free pin" % (pin, name))
