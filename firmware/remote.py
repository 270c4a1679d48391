"""What can be asked of this board over MQTT.

Loaded with the first command that comes, and the code of each verb with its first use.
"""

from commands import Commands
from trial import Trial


class Remote:
    """app: what main.py wires."""

    def __init__(self, app):
        self._app = app
        self.commands = commands = Commands(app.link, app.settings.device)
        self._update = None
        app.parts.append(commands)
        commands.add("diag", self._diag)
        commands.add("get", self._get)
        commands.add("model", self._model)
        commands.add("restart", self._restart)
        commands.add("set", self._set)

    async def run(self):
        await self.commands.run()

    async def _diag(self, arguments):
        return {"diag": self._app.publisher.diag()}

    async def _restart(self, arguments):
        return {"after": self._app.restart}

    async def _get(self, arguments):
        return await self._store().get(arguments)

    async def _set(self, arguments):
        return await self._store().set(arguments)

    def _store(self):
        from settings_store import SettingsStore

        return SettingsStore(self._app.settings, Trial("config.json"))

    async def _model(self, arguments):
        if not self._update:
            from model_update import ModelUpdate

            settings = self._app.settings
            trial = Trial(settings.model)
            self._update = ModelUpdate(
                settings.device, settings.update_key, trial, _load, self._app.restart
            )
        return await self._update.command(arguments)


def _load(path):
    from microMLP import Engine

    return Engine.load(path)
