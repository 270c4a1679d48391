"""What can be asked of this board over MQTT.

Loaded with the first command that comes, and the code of each verb with its first use.
"""

from commands.dispatcher import Commands
from ops.lazy import forget
from ops.rollback import Trial


class Remote:
    """app: what main.py wires."""

    def __init__(self, app):
        self._app = app
        self.commands = commands = Commands(app.link, app.settings.device)
        self._update = None
        self._stream = None
        app.parts.append(commands)
        commands.add("calibrate", self._calibrate)
        commands.add("diag", self._diag)
        commands.add("discovery", self._discovery)
        commands.add("get", self._get)
        commands.add("model", self._model)
        commands.add("restart", self._restart)
        commands.add("self_test", self._self_test)
        commands.add("set", self._set)
        commands.add("stream", self._raw)

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
        from commands.settings_store import SettingsStore

        return SettingsStore(self._app.settings, Trial("config.json"), self._app.apply_settings)

    async def _model(self, arguments):
        if not self._update:
            from commands.model_update import ModelUpdate

            settings = self._app.settings
            trial = Trial(settings.model)
            self._update = ModelUpdate(
                settings.device, settings.update_key, trial, _load, self._app.restart
            )
        return await self._update.command(arguments)

    async def _calibrate(self, arguments):
        self._need_sensor()
        from commands.sensor import calibrate

        return await calibrate(self._app)

    async def _self_test(self, arguments):
        self._need_sensor()
        from commands.sensor import self_test

        return await self_test(self._app)

    async def _raw(self, arguments):
        self._need_sensor()
        if not self._stream:
            from commands.raw_stream import RawStream

            self._stream = RawStream(self._app)
        return await self._stream.command(arguments)

    async def _discovery(self, arguments):
        """{"on": true} announces the board to Home Assistant, false takes it back."""
        on = arguments.get("on")
        if not isinstance(on, bool):
            raise ValueError("on must be true or false")
        from events.discovery import announce, remove

        self._store().change({"ha_discovery": int(on)})
        await (announce if on else remove)(self._app)

    def _need_sensor(self):
        if not self._app.engine:
            raise ValueError("not in safe mode: %s" % self._app.safe)


def _load(path):
    from microMLP_engine import Engine

    try:
        return Engine.load(path)
    finally:
        forget("microMLP_loader")
