"""Settings read and changed from afar; a change is on trial until the link is up again."""

import json
import os

from ops import config

# Never shown, never changed over the network.
_SECRET = ("wifi_key", "user", "password", "update_key")


# Act at once, and cannot cut the board off.
_AT_ONCE = ("threshold_percent", "ha_discovery")


class SettingsStore:
    """settings: what config.load() gave. rollback: of config.json.

    apply: called when settings that act at once have changed.
    """

    def __init__(self, settings, rollback, apply):
        self._settings = settings
        self._rollback = rollback
        self._apply = apply

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
        """The command `set`: {"settings": {"keepalive_s": 60}}.

        What acts only after a restart is on trial then, see rollback.py.
        """
        values = arguments.get("settings")
        if not isinstance(values, dict) or not values:
            raise ValueError("settings must be an object with names and values")
        for name, value in values.items():
            if name in _SECRET:
                raise ValueError("%s is a secret; set it with `beckon deploy`" % name)
            config.checked("set", name, value)
        return {"restart": self.change(values)}

    def change(self, values):
        """Store checked values; whether they need a restart. Raises OSError."""
        path = self._rollback.path
        try:
            with open(path) as file:
                stored = json.loads(file.read())
        except (OSError, ValueError):
            stored = {}
        stored.update(values)
        with open(path + ".new", "w") as file:
            file.write(json.dumps(stored))
        at_once = [name for name in values if name in _AT_ONCE]
        for name in at_once:
            setattr(self._settings, name, values[name])
        if len(at_once) == len(values):
            os.rename(path + ".new", path)
        else:
            self._rollback.replace(path + ".new")
        if at_once:
            self._apply()
        return len(at_once) < len(values)
