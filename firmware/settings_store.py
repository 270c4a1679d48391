"""Settings read and changed from afar; a change is on trial until the link is up again."""

import json

import config

# Never told, never changed over the network.
_SECRET = ("wifi_key", "user", "password", "update_key")


class SettingsStore:
    """settings: what config.load() gave. trial: Trial of config.json.

    changed: called with the names that a change holds, as some act at once.
    """

    def __init__(self, settings, trial, changed=None):
        self._settings = settings
        self._trial = trial
        self._changed = changed

    async def get(self, arguments):
        """The command `get`: all settings, or those in `names`."""
        names = arguments.get("names", sorted(config.SETTINGS))
        if not isinstance(names, list):
            raise ValueError("names must be a list")
        told = {}
        for name in names:
            if not isinstance(name, str) or name not in config.SETTINGS:
                raise ValueError("no setting is called %r" % name)
            if name not in _SECRET:
                told[name] = getattr(self._settings, name)
        return {"settings": told}

    async def set(self, arguments):
        """The command `set`: {"settings": {"keepalive_s": 60}}; acts after a restart."""
        values = arguments.get("settings")
        if not isinstance(values, dict) or not values:
            raise ValueError("settings must be an object with names and values")
        for name, value in values.items():
            if name in _SECRET:
                raise ValueError("%s is a secret; set it with `beckon deploy`" % name)
            config.checked("set", name, value)
        path = self._trial.path
        try:
            with open(path) as file:
                stored = json.loads(file.read())
        except (OSError, ValueError):
            stored = {}
        stored.update(values)
        with open(path + ".new", "w") as file:
            file.write(json.dumps(stored))
        self._trial.replace(path + ".new")
        if self._changed:
            self._changed(values)
        return {"restart": True}
