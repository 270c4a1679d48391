"""What can be asked of this board over MQTT.

Loaded with the first command that comes, and the code of each verb with its first use.
A verb gets the parts that it uses.
"""

import gc

from micropython import const

from commands.dispatcher import Commands
from ops.files import CONFIG
from ops.lazy import forget
from ops.rollback import Rollback
from ops.uptime import uptime_ms

# What a publisher without the key can make the board write to flash, and how often it can
# make it restart.
_YOUNG_MS = const(20_000)  # this long after a start nobody restarts it without a signature
_CHANGE_MS = const(20_000)  # between two changes that flash keeps
_CHANGES_MS = const(100_000)  # five of them may come at once


class Verbs:
    """link, settings, publisher: of the board. sensing: Parts of the board, None in safe mode;
    safe says why. version: the firmware's.

    restart: awaited after the answer to what needs it. apply_settings: called when settings
    that act at once have changed. needs: returns what works now, see Rollback. failed: called
    with a line when a calibration has failed. learner: returns the Learner. feedback: Output,
    or None.
    """

    def __init__(
        self,
        link,
        settings,
        publisher,
        sensing,
        safe,
        version,
        restart,
        apply_settings,
        needs,
        failed,
        learner,
        feedback=None,
    ):
        self._link = link
        self._settings = settings
        self._publisher = publisher
        self._sensing = sensing
        self._safe = safe
        self._version = version
        self._restart_board = restart
        self._apply_settings = apply_settings
        self._needs = needs
        self._failed = failed
        self._learner = learner
        self._update = None
        self._stream = None
        self._signer = None
        self._changed_ms = 0  # when the flash has rested from all changes so far
        self.commands = commands = Commands(link, settings.device)
        commands.add("calibrate", self._calibrate)
        commands.add("diag", self._diag)
        commands.add("discovery", self._discovery)
        if feedback:
            commands.add("feedback", feedback.command)
        commands.add("get", self._get)
        commands.add("learn", self._learn)
        commands.add("model", self._model)
        commands.add("nonce", self._nonce)
        commands.add("restart", self._restart)
        commands.add("self_test", self._self_test)
        commands.add("set", self._set)
        commands.add("stream", self._raw)
        commands.add("window", self._window)

    async def _diag(self, arguments):
        return {"diag": self._publisher.diag()}

    async def _restart(self, arguments):
        self._may_restart("restart", arguments)
        return {"after": self._restart_board}

    async def _get(self, arguments):
        try:
            return await self._store().get(arguments)
        finally:
            _forget_store()

    async def _set(self, arguments):
        try:
            return await self._store().set(arguments)
        finally:
            _forget_store()

    async def _nonce(self, arguments):
        return {"nonce": self._signature().nonce()}

    def _signature(self):
        if not self._signer:
            from commands.signature import Signature

            self._signer = Signature(self._settings.device, self._settings.update_key)
        return self._signer

    def _may_restart(self, verb, arguments):
        """Raises ValueError if the board has only just started, or while a file is on trial:
        each restart counts against it. Not if the command is signed.
        """
        if "hmac" in arguments:
            self._signature().check(verb, "", arguments["hmac"])
            return
        left_ms = _YOUNG_MS - uptime_ms()
        if left_ms > 0:
            raise ValueError(
                "the board has just started; ask again in %d s, or sign it" % (left_ms // 1000 + 1)
            )
        for path in (CONFIG, self._settings.model):
            if Rollback(path).is_on():
                raise ValueError("%s is on trial; ask again later, or sign it" % path)

    def _limit(self):
        """Count a change without a signature. Raises ValueError if there are too many."""
        after_ms = max(self._changed_ms, uptime_ms()) + _CHANGE_MS
        left_ms = after_ms - uptime_ms() - _CHANGES_MS
        if left_ms > 0:
            raise ValueError("too many changes; ask again in %d s" % (left_ms // 1000 + 1))
        self._changed_ms = after_ms

    def _store(self):
        from commands.settings_store import SettingsStore

        return SettingsStore(
            self._settings,
            Rollback(CONFIG),
            self._signature(),
            self._apply_settings,
            self._needs,
            self._limit,
            self._sensing and self._sensing.engine,
        )

    async def _model(self, arguments):
        if not self._update:
            from commands.model_update import ModelUpdate

            self._update = ModelUpdate(
                self._signature(),
                Rollback(self._settings.model),
                self._needs,
                _load,
                self._restart_board,
            )
        return await self._update.command(arguments)

    async def _learn(self, arguments):
        self._need_sensor()
        return await self._learner().command(arguments, self._signature())

    async def _calibrate(self, arguments):
        sensing = self._need_sensor()
        self._may_restart("calibrate", arguments)
        from commands.sensor import calibrate

        try:
            result = await calibrate(sensing.imu, sensing.sampling)
        except (ValueError, OSError) as fault:
            self._failed("failed: %s" % fault)
            raise
        result["after"] = self._restart_board
        return result

    async def _self_test(self, arguments):
        sensing = self._need_sensor()
        from commands.sensor import self_test

        try:
            return await self_test(sensing.imu, sensing.sampling)
        finally:  # large, and hardly anybody asks twice
            forget("commands.sensor", "drivers.mpu_selftest", "drivers.fifo_sums")
            forget("sensing.calibration")
            gc.collect()

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

    async def _window(self, arguments):
        windows = self._need_sensor().windows
        if not windows:
            raise ValueError("keep_windows is 0")
        return windows.answer(arguments, self._signature())

    async def _discovery(self, arguments):
        """{"on": true} announces the board to Home Assistant, false takes it back."""
        on = arguments.get("on")
        if not isinstance(on, bool):
            raise ValueError("on must be true or false")
        from events.discovery import announce, remove

        if not self._publisher.house:
            forget("events.discovery")
        try:
            self._store().change({"ha_discovery": int(on)})
        finally:
            _forget_store()
        if on:
            engine = self._sensing.engine if self._sensing else None
            await announce(self._link, self._settings, self._version, engine)
        else:
            await remove(self._link, self._settings.device)

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


def _forget_store():
    """The table of all settings is one of the largest things that a module holds."""
    forget("commands.settings_store", "ops.config", "options.together", "options.tables")
    forget("options.hid_keys", "feedback.patterns", "feedback.rule_list")
