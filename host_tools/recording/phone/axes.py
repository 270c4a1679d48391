"""What phones report, brought to our axes, signs and units. Pure.

Ours are those of the board: m/s^2 with +9.8 on the axis that points up at rest, deg/s by the
right-hand rule. A phone's axes are those of its screen held upright: x to the right, y up, z
towards the viewer (W3C Device Orientation and Motion, "device coordinate system"; Android's
SensorEvent and Apple's Core Motion have the same axes). They differ in two ways:

* Acceleration. The W3C defines "proper acceleration", so z is +9.8 when the phone lies on its
  back, and Android reports that. iOS reports all three axes with the opposite sign.
* Turn rates. Of DeviceMotionEventRotationRate, alpha, beta and gamma are the rates about x, y
  and z, in deg/s (the same names mean other axes in DeviceOrientationEvent). Apps report rad/s.
  The signs agree.
"""

from __future__ import annotations

import numpy as np

from host_tools.errors import BeckonError
from host_tools.units import GRAVITY, GYRO_UNITS

RAD = GYRO_UNITS["rad/s"]
_STILL = 2.0  # m/s^2 from gravity: slow enough that the acceleration shows which way is up
_VOTES = 5
_SURE = 0.8  # mean cosine between the acceleration and up
_UPRIGHT = 0.75  # of gravity on z: the phone lies on its back


def up(beta_deg: float, gamma_deg: float) -> np.ndarray:
    """float64 (3,): the unit vector that points up, in the phone's axes.

    beta, gamma: of DeviceOrientationEvent, intrinsic angles Z-X'-Y''. This is the last row of
    the rotation matrix (W3C Device Orientation and Motion, "Device Orientation").
    """
    beta, gamma = np.radians([beta_deg, gamma_deg])
    return np.array([-np.cos(beta) * np.sin(gamma), np.sin(beta), np.cos(beta) * np.cos(gamma)])


class SignFinder:
    """Whether a browser's acceleration has our sign, by comparison with the phone's attitude.

    Both systems report the attitude alike, so this needs no list of browsers. `platform` ("ios"
    or another word) decides where the attitude is missing.
    """

    def __init__(self) -> None:
        self._cosines: list[float] = []

    def add(self, accel: np.ndarray, attitude: tuple[float, float] | None) -> None:
        """accel: (3,) as reported; attitude: (beta, gamma) in degrees at that moment."""
        size = float(np.linalg.norm(accel))
        if attitude is None or abs(size - GRAVITY) > _STILL or len(self._cosines) > 1000:
            return
        self._cosines.append(float(accel @ up(*attitude)) / size)

    def sign(self, platform: str) -> tuple[float, str]:
        """(factor for the acceleration, "attitude" or "platform": what it comes from)."""
        if len(self._cosines) >= _VOTES:
            mean = float(np.mean(self._cosines))
            if abs(mean) >= _SURE:
                return (1.0 if mean > 0 else -1.0), "attitude"
        return (-1.0 if platform == "ios" else 1.0), "platform"


def from_page(rows: np.ndarray, sign: float) -> np.ndarray:
    """Rows (n, 3 or 6) of a browser, x y z alpha beta gamma, in m/s^2 and deg/s of ours."""
    values = rows.astype(float)
    values[:, :3] *= sign
    return values


def from_android(rows: np.ndarray) -> np.ndarray:
    """Rows (n, 3 or 6) of Android's accelerometer (m/s^2, gravity up) and gyroscope (rad/s)."""
    values = rows.astype(float)
    values[:, 3:] *= RAD
    return values


def app_factor(accel: np.ndarray, app: str) -> tuple[float, str]:
    """(factor to ours, what to say or "") for the acceleration of an app.

    accel: (n, 3) as reported while the phone lies on its back. The app names neither its unit
    nor its sign: they depend on system, version and settings. Raises BeckonError if the phone
    does not lie so, or the acceleration comes without gravity.
    """
    middle = np.median(accel, axis=0)
    size = float(np.linalg.norm(middle))
    for factor in (1.0, GRAVITY):
        if 0.8 < size * factor / GRAVITY < 1.2:
            break
    else:
        raise BeckonError("the acceleration of {app} is {size:.3g} at rest, neither 9.8 m/s2 nor "
                          "1 g: choose its sensor with gravity, and hold the phone still", app=app,
                          size=size)
    if abs(middle[2]) < _UPRIGHT * size:
        raise BeckonError("lay the phone on its back while {app} is opened, so that Beckon sees "
                          "which way its axes point; then connect again", app=app)
    said = []
    if factor == GRAVITY:
        said.append("in g")
    if middle[2] < 0:
        said.append("with opposite signs, as on iOS")
        factor = -factor
    return factor, f"{app} sends the acceleration {' and '.join(said)}: converted" if said else ""
