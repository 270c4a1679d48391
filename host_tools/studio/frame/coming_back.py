"""A page that was open when Studio ended goes on when it runs again. Knows no browser.

A new run of Studio has a new session key, so the old cookie opens nothing: whoever listened on
the port meanwhile may have been sent it. Page and server share a secret instead, which neither
sends to the other. Each proves that it knows it, the server first (HMAC-SHA-256, RFC 2104):

    GET /return?challenge=A  -> {"proof": HMAC(secret, "studio PORT A"), "challenge": B}
    GET /return?challenge=B&answer=HMAC(secret, "browser PORT B")  -> the cookie

The port is in it, so that who listens on another one cannot pass the answers on to Studio. The
secret is kept for the project, in a file that only its owner can read, with the port on which
Studio takes it up again. frame.js does the browser's part.
"""
from __future__ import annotations

import hmac
import json
import secrets
import threading
import time
from collections import deque
from pathlib import Path
from typing import Any

from host_tools.files import read_json_object, replace_file

_KEPT_S = 7 * 86400  # then there is a new secret; an open page of before needs the address
_PROJECTS = 20  # the last ones are kept
_CHALLENGES = 16  # that wait for their answer
_LONGEST = 128  # characters of what the other side sends


class ComingBack:
    """What one run of Studio knows. secret: for its pages. port: where it listens, or where the
    run before did; None if there was none."""

    def __init__(self, secret: str = "", port: int | None = None):
        self.secret = secret or secrets.token_hex(32)
        self.port = port
        self._challenges: deque[str] = deque(maxlen=_CHALLENGES)
        self._lock = threading.Lock()

    def prove(self, challenge: str) -> dict[str, str]:
        """The server's part: its proof, and a challenge for the browser."""
        mine = secrets.token_hex(16)
        with self._lock:
            self._challenges.append(mine)
        return {"proof": self._proof("studio", challenge[:_LONGEST]), "challenge": mine}

    def accept(self, challenge: str, answer: str) -> bool:
        """Whether the browser knows the secret. A challenge is good for one answer."""
        with self._lock:
            if challenge not in self._challenges:
                return False
            self._challenges.remove(challenge)
        return hmac.compare_digest(self._proof("browser", challenge).encode(), answer.encode())

    def _proof(self, who: str, challenge: str) -> str:
        return hmac.new(self.secret.encode(), f"{who} {self.port} {challenge}".encode(),
                        "sha256").hexdigest()


class KeptSecrets:
    """file: JSON of project folder -> secret, port and when the secret was made."""

    def __init__(self, file: Path):
        self._file = file

    def of(self, folder: Path) -> ComingBack:
        found: Any = self._read().get(str(folder))
        try:
            if 0 <= time.time() - found["since"] < _KEPT_S:
                return ComingBack(str(found["secret"]), int(found["port"]))
        except (KeyError, TypeError, ValueError):
            pass
        return ComingBack()

    def keep(self, folder: Path, known: ComingBack) -> None:
        """From now on of(folder) is known."""
        kept = self._read()
        old = kept.pop(str(folder), None)
        same = isinstance(old, dict) and old.get("secret") == known.secret
        since = old["since"] if isinstance(old, dict) and same else time.time()
        kept[str(folder)] = {"secret": known.secret, "port": known.port, "since": since}
        kept = dict(list(kept.items())[-_PROJECTS:])
        try:
            self._file.parent.mkdir(parents=True, exist_ok=True)
            replace_file(self._file, (json.dumps(kept, indent=2) + "\n").encode(), private=True)
        except OSError:
            pass  # a home that cannot be written to: open pages need the new address

    def _read(self) -> dict[str, Any]:
        return read_json_object(self._file)
