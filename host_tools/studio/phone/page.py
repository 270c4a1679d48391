"""The page that a phone opens: one HTML text with its style and script inside."""

from __future__ import annotations

import base64
import hashlib
import json
from pathlib import Path

from host_tools.recording.phone.stamp_clock import LEAST_HZ
from host_tools.studio.frame.language import later, speaking, tr

_FOLDER = Path(__file__).parent
WORDS = {
    "title": later("This phone as sensor"),
    "intro": later("This page sends the phone's acceleration and turn rates to the computer "
                   "{computer}, and to nobody else."),
    "start": later("Start"),
    "stop": later("Stop"),
    "connecting": later("Connecting"),
    "sending": later("Sending"),
    "stopped": later("Stopped"),
    "away": later("No connection. Trying again."),
    "slow": later("Too slow: Beckon needs {least} samples per second. Turn off the low-power "
                  "mode, and close other apps and tabs."),
    "refused": later("The computer refuses what this page sends. Load the page again."),
    "used": later("This page is closed: there is a new code on the computer. Scan that one."),
    "replaced": later("Another tab of this phone sends now. This one has stopped."),
    "denied": later("The browser withholds the motion sensors. Allow motion and orientation for "
                    "this page in the browser's settings, then load the page again."),
    "none": later("No motion comes from this device. Open the page on a phone, in Chrome on "
                  "Android or Safari on an iPhone."),
    "awake": later("The screen stays on while this page is in front."),
    "asleep": later("This browser cannot keep the screen on: touch it now and then, or set a "
                    "longer screen timeout."),
    "rate": later("samples per second"),
    "sent": later("samples sent"),
    "gaps": later("gaps"),
    "acceleration": later("Acceleration, m/s²"),
    "turning": later("Turn rates, °/s"),
    "no_turning": later("This phone reports no turn rates."),
}


class Page:
    """computer: what the page calls this computer. socket: wss://HOST:PORT."""

    def __init__(self, computer: str, socket: str):
        self._computer = computer
        self._style = (_FOLDER / "phone_page.css").read_text(encoding="utf-8")
        self._script = (_FOLDER / "phone_page.js").read_text(encoding="utf-8")
        self._frame = (_FOLDER / "phone_page.html").read_text(encoding="utf-8")
        policy = (
            f"default-src 'none'; script-src {_hash(self._script)}; style-src "
            f"{_hash(self._style)}; connect-src 'self' {socket}; img-src data:; base-uri 'none'; "
            "form-action 'none'; frame-ancestors 'none'"
        )
        self.headers = [
            (b"content-type", b"text/html; charset=utf-8"),
            (b"content-security-policy", policy.encode()),
            (b"permissions-policy", b"accelerometer=(self), gyroscope=(self), magnetometer=(self), "
                                    b"screen-wake-lock=(self), camera=(), microphone=(), "
                                    b"geolocation=()"),
        ]  # fmt: skip

    def html(self, language: str) -> bytes:
        with speaking(language):
            words = {key: tr(text) for key, text in WORDS.items()}
        data = json.dumps({"words": words, "computer": self._computer, "language": language,
                           "least_hz": LEAST_HZ})
        text = self._frame
        for name, part in (("language", language), ("style", self._style),
                           ("script", self._script),
                           ("data", data.replace("<", "\\u003c"))):  # fmt: skip
            text = text.replace("{{" + name + "}}", part)
        return text.encode()


def _hash(text: str) -> str:
    digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
    return f"'sha256-{digest}'"
