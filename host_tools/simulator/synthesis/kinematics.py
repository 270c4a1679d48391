"""What an accelerometer and a gyroscope feel that are moved along a trajectory."""

import numpy as np

from host_tools.simulator.synthesis.trajectory import STEP_S
from host_tools.units import GRAVITY


def attitude(position_m: np.ndarray, person, drift_rad: np.ndarray) -> np.ndarray:
    """(n, 3) roll, pitch, yaw in rad: the hold, the coupling to the place, slow drift."""
    hold = np.array([*person.hold_rad, 0.0])
    return hold + position_m @ person.coupling_rad_per_m.T + drift_rad


def sensed(position_m: np.ndarray, angles_rad: np.ndarray) -> np.ndarray:
    """(n, 6): specific force in m/s^2 and turn rate in deg/s in the board's own axes.

    Turns are applied as yaw about z, then pitch about y, then roll about x. The
    turn rate follows from the change of those angles (kinematic equation of
    Euler angles; any text on strapdown navigation).
    """
    acceleration = np.gradient(np.gradient(position_m, STEP_S, axis=0), STEP_S, axis=0)
    acceleration[:, 2] += GRAVITY
    roll, pitch, yaw = angles_rad.T
    sr, cr, sp, cp, sy, cy = (
        np.sin(roll),
        np.cos(roll),
        np.sin(pitch),
        np.cos(pitch),
        np.sin(yaw),
        np.cos(yaw),
    )
    x, y, z = acceleration.T
    level_x, level_y = cy * x + sy * y, cy * y - sy * x
    body_x, tilted_z = cp * level_x - sp * z, sp * level_x + cp * z
    body_y, body_z = cr * level_y + sr * tilted_z, cr * tilted_z - sr * level_y
    roll_rate, pitch_rate, yaw_rate = np.gradient(angles_rad, STEP_S, axis=0).T
    rate_x = roll_rate - sp * yaw_rate
    rate_y = cr * pitch_rate + sr * cp * yaw_rate
    rate_z = cr * cp * yaw_rate - sr * pitch_rate
    turn = np.degrees(np.stack([rate_x, rate_y, rate_z], axis=1))
    return np.concatenate([np.stack([body_x, body_y, body_z], axis=1), turn], axis=1)
