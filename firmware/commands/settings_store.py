"""Settings read and changed from afar.

    {"settings": {"threshold_percent": 70}}           what OPEN holds, which acts at once
    {"settings": "{\"keepalive_s\": 60}", "hmac": ".."}  any other: as text, signed

The HMAC (signature.py) is over that text. What needs a restart is on trial then, see
rollback.py.
"""

import json
import os

from ops import config

# Never shown, never changed over the network.
_SECRET = ("wifi_key", "user", "password", "update_key", "ap_key", "radio_key")

# They act at once, and decide neither where the board connects, nor what it trusts, nor
# who it is.
OPEN = ("threshold_percent", "trigger_age_s")
_AT_ONCE = OPEN + ("ha_discovery",)


class SettingsStore:
    """settings: what config.load() gave. rollback: of config.json. signature: Signature.

    apply: called when settings that act at once have changed. needs: returns what works now,
    see Rollback. limit: called before flash is written for a command that is not signed; may
    raise ValueError. model: the Engine, or None.
    """

    def __init__(self, settings, rollback, signature, apply, needs, limit, model):
        self._settings = settings
        self._rollback = rollback
        self._signature = signature
        self._apply = apply
        self._needs = needs
        self._limit = limit
        self._model = model

    async def get(self, arguments):
        """The command `get`: all settings, or those in `names`."""
        names = arguments.get("names", sorted(config.SETTINGS))
        if not isinstance(names, list):
            raise ValueError("names must be a list")
        values = {}
        for name in names:
            if not isinstance(name, str) or name not in config.SETTINGS:
                raise ValueError("no setting is called %r" % name)
            if name not in _SECRET:
                values[name] = getattr(self._settings, name)
        return {"settings": values}

    async def set(self, arguments):
        """The command `set`, see above."""
        values = arguments.get("settings")
        signed = isinstance(values, str)
        if signed:
            self._signature.check("set", values, arguments.get("hmac"))
            try:
                values = json.loads(values if values.rstrip().endswith("}") else "?")
            except ValueError:
                raise ValueError("settings must be a JSON object as text")
        if not isinstance(values, dict) or not values:
            raise ValueError("settings must be an object with names and values")
        for name, value in values.items():
            if name in _SECRET:
                raise ValueError("%s is a secret; set it with `beckon deploy`" % name)
            config.checked("set", name, value)
            if not signed and name not in OPEN:
                raise ValueError("%s needs a signature with update_key" % name)
        if any(name not in _AT_ONCE for name in values):
            from options import together  # large

            together.check(self._settings, values, self._model)
        if self._settings.tls_ca and values.get("tls_ca") == "":
            raise ValueError("TLS cannot be switched off over MQTT; use `beckon deploy`")
        return {"restart": self.change(values, signed)}

    def change(self, values, signed=False):
        """Store checked values; whether they need a restart. Raises OSError, ValueError."""
        path = self._rollback.path
        try:
            with open(path) as file:
                stored = json.loads(file.read())
        except (OSError, ValueError):
            stored = {}
        before = dict(stored)
        stored.update(values)
        if stored == before:
            return False
        if not signed:
            self._limit()
        with open(path + ".new", "w") as file:
            file.write(json.dumps(stored))
        at_once = [name for name in values if name in _AT_ONCE]
        for name in at_once:
            setattr(self._settings, name, values[name])
        if len(at_once) == len(values):
            os.rename(path + ".new", path)
        else:
            self._rollback.replace(path + ".new", self._needs())
        if at_once:
            self._apply()
        return len(at_once) < len(values)
