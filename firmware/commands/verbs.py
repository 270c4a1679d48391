"""What can be asked of this board over MQTT.

Loaded with the first command that comes, and the code of each verb with its first use.
A verb gets the parts that it uses.
"""

from commands.dispatcher import Commands
from ops.files import CONFIG
from ops.lazy import forget
from ops.rollback import Rollback


class Verbs:
    """link, settings, publisher: of the board. sensing: Parts of the board, None in safe mode;
    safe says why. version: the firmware's.

    restart: awaited after the answer to what needs it. apply_settings: called when settings
    that act at once have changed.
    """

    def __init__(
        self, link, settings, publisher, sensing, safe, version, restart, apply_settings
    ):
        self._link = link
        self._settings = settings
        self._publisher = publisher
        self._sensing = sensing
        self._safe = safe
        self._version = version
        self._restart_board = restart
        self._apply_settings = apply_settings
        self._update = None
        self._stream = None
        self.commands = commands = Commands(link, settings.device)
        commands.add("calibrate", self._calibrate)
        commands.add("diag", self._diag)
        commands.add("discovery", self._discovery)
        commands.add("get", self._get)
        commands.add("model", self._model)
        commands.add("restart", self._restart)
        commands.add("self_test", self._self_test)
        commands.add("set", self._set)
        commands.add("stream", self._raw)

    async def _diag(self, arguments):
        return {"diag": self._publisher.diag()}

    async def _restart(self, arguments):
        return {"after": self._restart_board}

    async def _get(self, arguments):
        return await self._store().get(arguments)

    async def _set(self, arguments):
        return await self._store().set(arguments)

    def _store(self):
        from commands.settings_store import SettingsStore

        return SettingsStore(self._settings, Rollback(CONFIG), self._apply_settings)

    async def _model(self, arguments):
        if not self._update:
            from commands.model_update import ModelUpdate

            settings = self._settings
            self._update = ModelUpdate(
                settings.device,
                settings.update_key,
                Rollback(settings.model),
                _load,
                self._restart_board,
            )
        return await self._update.command(arguments)

    async def _calibrate(self, arguments):
        sensing = self._need_sensor()
        from commands.sensor import calibrate

        result = await calibrate(sensing.imu, sensing.sampling)
        result["after"] = self._restart_board
        return result

    async def _self_test(self, arguments):
        sensing = self._need_sensor()
        from commands.sensor import self_test

        return await self_test(sensing.imu, sensing.sampling)

    async def _raw(self, arguments):
        sensing = self._need_sensor()
        if not self._stream:
            from commands.raw_stream import RawStream

            self._stream = RawStream(
                self._link,
                self._settings.device,
                sensing.imu,
                sensing.ring,
                sensing.recognition,
                sensing.recognizer.reset,
            )
        return await self._stream.command(arguments)

    async def _discovery(self, arguments):
        """{"on": true} announces the board to Home Assistant, false takes it back."""
        on = arguments.get("on")
        if not isinstance(on, bool):
            raise ValueError("on must be true or false")
        from events.discovery import announce, remove

        self._store().change({"ha_discovery": int(on)})
        device = self._settings.device
        if on:
            engine = self._sensing.engine if self._sensing else None
            await announce(self._link, device, self._version, engine)
        else:
            await remove(self._link, device)

    def _need_sensor(self):
        """The sensing part. Raises ValueError in safe mode."""
        if not self._sensing:
            raise ValueError("not in safe mode: %s" % self._safe)
        return self._sensing


def _load(path):
    from microMLP_engine import Engine

    try:
        return Engine.load(path)
    finally:
        forget("microMLP_loader")
