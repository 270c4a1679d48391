"""The label of a board: name and password of its access point (docs/access-point.md)."""

import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TextIO

from host_tools.device.deploy import Survey
from host_tools.device.settings import SECRETS, as_json

# Without characters that look like others on paper: 31 of them, so 16 make 79 bits.
_LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"
_GROUPS = 4


@dataclass(frozen=True)
class Label:
    """ssid, key: of the access point. is_new: whether the board did not have this key before."""

    ssid: str
    key: str
    is_new: bool

    @property
    def uri(self) -> str:
        """What a phone's camera takes for a Wi-Fi network."""
        from segno.helpers import make_wifi_data

        uri: str = make_wifi_data(self.ssid, self.key, "WPA")
        return uri

    def write(self, out: TextIO) -> None:
        """As text; on a terminal with the QR code."""
        print(f"label: Wi-Fi {self.ssid}, password {self.key}", file=out)
        print(f"       {self.uri}", file=out)
        if out.isatty():
            import segno

            segno.make(self.uri, error="m").terminal(out, compact=True)


def new_key() -> str:
    """A password nobody can guess, in groups that can be typed."""
    groups = ("".join(secrets.choice(_LETTERS) for _ in range(4)) for _ in range(_GROUPS))
    return "-".join(groups)


def label_for(survey: Survey, files: Mapping[str, bytes]) -> tuple[Label | None, dict[str, bytes]]:
    """(the label, files that give the board its key).

    files: settings that are copied, maybe none. A key in them counts, then the board's own, so
    that a label stays true; a board without one gets a new one. A board whose secrets.json stays
    as it is gets none: then the label is None.
    """
    given = json.loads(files.get(SECRETS, b"{}"))
    key = given.get("ap_key") or survey.ap_key
    writes = bool(files) or (not key and SECRETS not in survey.files)
    if not survey.chip or not (key or writes):
        return None, {}
    key = key or new_key()
    label = Label(f"beckon-{survey.chip[-6:]}", key, key != survey.ap_key)
    return label, {SECRETS: as_json({**given, "ap_key": key})} if writes else {}
