"""What an ESP32's Wi-Fi takes, for simulated boards that are to be as slow as real ones."""

from dataclasses import asdict, dataclass


@dataclass(frozen=True)
class RadioDelays:
    """None of these was measured by us.

    associate_ms : from connect() to an address. Others report 0.1 s for the scan and 0.6 to 0.7 s
        for joining with WPA2 (esp32.com, topic 8942); a second for DHCP is an assumption.
    handshake_ms : of TLS, at 160 MHz: 1.18 to 1.28 s (micropython-esp32, issue 131). That it takes
        twice as long at 80 MHz is an assumption.
    beacon_us : 100 time units of 1,024 us, what access points are set to as a rule. DTIM is
        taken as 1; in PM_POWERSAVE an ESP32 hears each third one.
    awake_ms : after it has sent or received, ESP-IDF's ESP_WIFI_SLP_DEFAULT_MIN_ACTIVE_TIME.
    """

    associate_ms: int = 1800
    handshake_ms: int = 1220
    beacon_us: int = 102_400
    awake_ms: int = 50

    def as_dict(self) -> dict[str, int]:
        return asdict(self)
