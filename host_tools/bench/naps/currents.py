"""Currents of board and sensor at 3.3 V, each with its source, and days on a battery from them.

Nothing here was measured by us. "Data sheet" is the ESP32 Series Datasheet, tables of current
consumption; PS the MPU-6500's PS-MPU-6500A-01 rev 1.3, table 3; "IDF" ESP-IDF's documents.
"""
from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Figure:
    """kind: "data sheet", "vendor's measurement", or "assumption"."""

    value: float
    unit: str
    kind: str
    source: str


FIGURES = {
    "radio_on_ma": Figure(129, "mA", "vendor's measurement",
                          "IDF, example wifi/power_save: no power save"),
    "modem_sleep_80mhz_ma": Figure(31, "mA", "data sheet",
                                   "modem-sleep at 80 MHz, 20 to 31 mA, the upper end; IDF's "
                                   "low-power guide measured 28.8 mA at DTIM 3"),
    "boot_ma": Figure(44, "mA", "data sheet",
                      "processor at 160 MHz without radio, 27 to 44 mA, the upper end"),
    "light_sleep_ma": Figure(0.8, "mA", "data sheet", "light-sleep"),
    "deep_sleep_ma": Figure(0.010, "mA", "data sheet",
                            "deep-sleep, RTC timer and RTC memory; without what a pull-up or the "
                            "RTC's own input may add"),
    "sensor_on_ma": Figure(3.4, "mA", "data sheet", "PS: six axes"),
    "sensor_accel_ma": Figure(0.45, "mA", "data sheet", "PS: accelerometer alone, low noise"),
    "sensor_low_power_ma": Figure(0.01865, "mA", "data sheet",
                                  "PS: low-power accelerometer, 31 Hz"),
    "transmit_ma": Figure(240, "mA", "data sheet", "802.11b, 1 Mbit/s, 19.5 dBm"),
    "transmit_s": Figure(0.05, "s", "assumption", "for each event, with its repeats"),
    "connect_s": Figure(2.0, "s", "assumption", "Wi-Fi, DHCP and MQTT on a known network"),
    "goodbye_s": Figure(1.0, "s", "assumption",
                        "to deliver and to say asleep; the simulated board takes 0.3 s"),
    "main_s": Figure(1.0, "s", "assumption",
                     "from waking to main.py; others measured 0.27 s to the program of an Arduino "
                     "sketch (blog.voneicken.com/2018/lp-wifi-esp32-2), MicroPython's own start "
                     "and its file system come on top"),
    "boot_s": Figure(3.0, "s", "assumption",
                     "imports took 2.7 s on MicroPython's ESP32 port in an emulator"),
}  # fmt: skip


@dataclass(frozen=True)
class Profile:
    """uses: spells of movement a day, moving_s: length of each, events: gestures a day."""

    name: str
    what: str
    uses: int
    moving_s: float
    events: int


PROFILES = (
    Profile("remote", "20 gestures a day, each after a rest", 20, 5.0, 20),
    Profile("classroom", "one hour of continuous use", 1, 3600.0, 300),
    Profile("wearable", "worn for 16 hours, always moved", 1, 57600.0, 100),
)
LOSSY = "wake_on_motion, wake_gesture=0"
MODES = ("always_on", "modem_sleep", "wake_on_motion", LOSSY)


@dataclass(frozen=True)
class Settings:
    """The board's own, in seconds, and how long it takes from there to sleep."""

    light_sleep_s: float = 20.0
    deep_sleep_s: float = 300.0
    contact_s: float = 3600.0
    goodbye_s: float = FIGURES["goodbye_s"].value


DAY_S = 86400.0


def charge_mah(mode: str, profile: Profile, settings: Settings, extra_ma: float = 0.0) -> float:
    """What a day takes. extra_ma: what hangs on the battery beside chip and sensor.

    Hours times milliamperes of each phase: awake, connecting, asleep, booting.
    """
    f = {name: figure.value for name, figure in FIGURES.items()}
    sent_mas = profile.events * f["transmit_s"] * f["transmit_ma"]
    if mode == "always_on":
        mas = DAY_S * (f["radio_on_ma"] + f["sensor_on_ma"]) + sent_mas
    elif mode == "modem_sleep":
        mas = DAY_S * (f["modem_sleep_80mhz_ma"] + f["sensor_on_ma"]) + sent_mas
    else:
        mas = sent_mas + _sleeping_mas(profile, settings, f, mode == LOSSY)
    return (mas + DAY_S * extra_ma) / 3600


def lost_gestures(mode: str, profile: Profile, settings: Settings) -> int:
    """How many of profile.events end a deep sleep and are not recognised, as measured by `waking`:
    all of them or none."""
    return profile.uses if mode == LOSSY and _spans_s(profile, settings)[2] else 0


def _spans_s(profile: Profile, settings: Settings) -> tuple[float, float, float]:
    """Seconds of a day awake, in light sleep and in deep sleep."""
    awake_s = profile.uses * (profile.moving_s + settings.light_sleep_s + settings.goodbye_s)
    awake_s = min(DAY_S, awake_s)
    rest_s = (DAY_S - awake_s) / profile.uses
    light_s = min(rest_s, settings.deep_sleep_s) * profile.uses
    return awake_s, light_s, max(0.0, DAY_S - awake_s - light_s)


def _sleeping_mas(profile: Profile, settings: Settings, f: dict[str, float], lossy: bool) -> float:
    awake_s, light_s, deep_s = _spans_s(profile, settings)
    sensor_ma = f["sensor_low_power_ma"] if lossy else f["sensor_accel_ma"]
    contacts = deep_s / settings.contact_s
    boots = contacts + (profile.uses if deep_s else 0)
    contact_s = f["connect_s"] + settings.goodbye_s
    boots_s = boots * f["boot_s"]
    connecting_s = (profile.uses + contacts) * f["connect_s"]
    return (
        awake_s * (f["modem_sleep_80mhz_ma"] + f["sensor_on_ma"])
        + contacts * contact_s * (f["modem_sleep_80mhz_ma"] + f["sensor_on_ma"])
        + connecting_s * (f["radio_on_ma"] - f["modem_sleep_80mhz_ma"])
        + light_s * (f["light_sleep_ma"] + f["sensor_accel_ma"])
        + boots_s * (f["boot_ma"] + f["sensor_on_ma"])
        + deep_s * (f["deep_sleep_ma"] + sensor_ma)
    )


def computed(settings: Settings, battery_mah: float, extra_ma: float) -> dict[str, dict]:
    """profile -> mode -> average current and days on the battery."""
    table: dict[str, dict] = {}
    for profile in PROFILES:
        table[profile.name] = {}
        for mode in MODES:
            mah = charge_mah(mode, profile, settings, extra_ma)
            table[profile.name][mode] = {
                "ma": round(mah / 24, 3), "days": round(battery_mah / mah, 2), "computed": True,
                "gestures": profile.events,
                "lost_gestures": lost_gestures(mode, profile, settings),
            }  # fmt: skip
    return table
