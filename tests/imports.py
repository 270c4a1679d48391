"""Made recordings for the tests of import: a hand that moves, in any unit."""

import numpy as np

from host_tools.units import GRAVITY, accel_factor, gyro_factor

AXES = ("ax", "ay", "az", "gx", "gy", "gz")


def movement(n=120, rate_hz=50.0, seed=1, gravity=True):
    """(n, 6) in m/s^2 and deg/s: a sensor that turns about its axes, and shakes a little."""
    rng = np.random.default_rng(seed)
    t = np.arange(n) / rate_hz
    rates = 2.5 * np.sin(2 * np.pi * np.array([0.5, 0.8, 1.1]) * t[:, None]
                         + rng.uniform(0, 6, 3))  # rad/s
    down = np.empty((n, 3))
    u = np.array([0.1, 0.2, 0.97])
    for i, w in enumerate(rates):
        u = u - np.cross(w, u) / rate_hz
        u = u / np.linalg.norm(u)
        down[i] = u
    push = 2 * np.sin(2 * np.pi * 1.7 * t[:, None] + rng.uniform(0, 6, 3))
    return np.hstack([GRAVITY * gravity * down + push, np.degrees(rates)])


def in_units(x, accel="m/s2", gyro="dps"):
    return x / np.repeat([accel_factor(accel), gyro_factor(gyro)], 3)[: x.shape[1]]


def csv_text(x, header="t_ms,ax,ay,az,gx,gy,gz", step=20, start=0, form="{:.7g}"):
    """A header, and for each row a time and its values."""
    lines = [header]
    for i, row in enumerate(np.asarray(x).tolist()):
        lines.append(",".join([f"{start + i * step:.10g}", *(form.format(v) for v in row)]))
    return "\n".join(lines) + "\n"
