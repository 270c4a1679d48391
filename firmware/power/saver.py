"""Spends less of a battery, as the setting `power` says. Loaded if it is not `always_on`.

modem_sleep: the processor is slower, and the radio sleeps between beacons. Events go out at once,
counters every few minutes.
wake_on_motion: the same while the board is moved. Once it has been still for light_sleep_s the
board sleeps lightly until the sensor feels a motion; after deep_sleep_s more it sleeps deeply, and
each contact_s it tells that it is there.

docs/battery.md has the figures. The trial of a file, a command, or a part that is paused keeps
the board awake.
"""

import asyncio
import sys
import time
from array import array
from time import ticks_diff, ticks_ms, ticks_us

import machine
import network
from micropython import const

from link.mqtt_link import LinkDown
from ops.lazy import forget
from ops.uptime import uptime_ms
from power.sleep_record import SleepRecord
from power.stillness import Stillness
from recognition.recognizer import EMPTY, NO_EVENT

_FREQ_HZ = const(80_000_000)  # the least that Wi-Fi works with
_KEEPALIVE_S = const(300)  # the counters are sent more often, so that no ping is needed
_DIAG_MS = const(120_000)  # three minutes count as silence
_LOOK_MS = const(100)
_CHECK_MS = const(30_000)  # without a sensor INT cannot be checked: say so
_GOODBYE_MS = const(12_000)
_CONTACT_MS = const(60_000)  # the most that a timer's wake-up lasts
_STAY_MS = const(10_000)  # after a command
_WATCHDOG_MS = const(10_000)  # as ops/health.py has it
_CHUNK_MS = const(480_000)  # ticks_us() wraps after 17 minutes
_ACCEL_MG = const(60)  # less than this is still
_GYRO_DPS = const(10)
_LIGHT_MG = const(24)  # from one sample to the next; noise is a seventh of it
_DEEP_MG = const(120)  # without a filter, noise is an eighth of it
_ODR_HZ = 31.25  # of the accelerometer in deep sleep

ASLEEP = b"asleep"


class Saver:
    """board: the Parts, with settings and wifi; the rest is looked for in run()."""

    def __init__(self, board):
        settings = board.settings
        self._board = board
        self._sleeps = settings.power == "wake_on_motion"
        self.problem = ""
        """Why the board does not sleep though it should, or empty."""
        self._asleep = False
        self._faults = 0
        self._stay_ms = ticks_ms()
        self._row = array("h", bytes(12))
        self._awake = asyncio.Event()
        self._link_ended = asyncio.Event()
        self.record = SleepRecord()
        try:
            machine.freq(_FREQ_HZ)
        except ValueError:
            pass  # a chip without that clock
        if not hasattr(board.link, "client"):  # Bluetooth or ESP-NOW alone
            self._sleeps = False
            print("beckon: always on, a board without Wi-Fi does not sleep")
            return
        self._attach(board, settings)
        self._deep_boot = machine.reset_cause() == machine.DEEPSLEEP_RESET
        self._by_timer = self._deep_boot and machine.wake_reason() == machine.TIMER_WAKE
        if self._sleeps:
            self._recall()
        early = sys.modules.get("power.early")
        self._early = early and early.taken
        if self._early:
            if board.sensing:
                self._go_on(self._catch_up)
            else:
                self._early.finish()

    def _attach(self, board, settings):
        """Take the place of what link and publisher are asked for."""
        settings.keepalive_s = max(settings.keepalive_s, _KEEPALIVE_S)
        self._link = link = board.link
        link.client.keepalive = settings.keepalive_s
        self._run_link = link.run
        link.run = self._keep_linked
        publisher = board.publisher
        publisher.diag_ms = _DIAG_MS
        self._describe = publisher.describe
        publisher.describe = self._state
        board.wifi.pm = network.WLAN.PM_POWERSAVE  # WIFI_PS_MAX_MODEM: each third beacon
        board.parts.append(self)

    def counters(self, into):
        if self._sleeps:
            record = self.record
            into["sleeps_light"] = record.light
            into["sleeps_deep"] = record.deep
            into["wakes_motion"] = record.by_motion
            into["wakes_timer"] = record.by_timer
            into["asleep_s"] = record.slept_s
            into["rtc_faults"] = self._faults

    def _state(self):
        """In place of Publisher.describe()."""
        state = self._describe()
        settings = self._board.settings
        state["power"] = settings.power
        if self._sleeps:
            state["power_problem"] = self.problem
            state["asleep"] = self._asleep
            state["next_contact_s"] = self._next_contact_s() if self._asleep else None
        return state

    def stay(self):
        """Somebody is talking to the board: do not sleep for a while."""
        self._stay_ms = ticks_ms()

    async def _keep_linked(self):
        """In place of Link.run(): begins again after each sleep."""
        if self._sleeps:
            asyncio.create_task(self._watch())
        while True:
            await self._run_link()
            self._link_ended.set()
            await self._awake.wait()
            self._awake.clear()
            self._link.closing = False

    async def _watch(self):
        """For ever. What goes wrong leaves the board always on, and says so."""
        board = self._board
        if self.record.events:
            asyncio.create_task(self._send(self.record.events))
        self.problem = await self._prepare()
        if self.problem:
            print("beckon: always on,", self.problem)
            board.publisher.state_changed()
            return
        if self._by_timer:
            await self._contact()
        while True:
            await self._until_still()
            await self._sleep()

    # -- at the start ------------------------------------------------------------------

    def _recall(self):
        """What RTC memory still knows of before the deep sleep, and why the board woke."""
        memory = machine.RTC().memory
        data = memory()
        try:
            if data or self._deep_boot:
                self.record.unpack(data)
        except ValueError:
            self._faults += 1
            self.record = SleepRecord()
        record = self.record
        if data and not record.events:  # else once they have arrived
            memory(b"")
        if self._by_timer:
            record.by_timer += 1
        elif self._deep_boot:
            record.by_motion += 1
        if self._deep_boot and record.rtc_us:
            slept_ms = record.slept_ms(time.time_ns() // 1000, self._board.settings.contact_s)
            if slept_ms < 0:
                self._faults += 1
                return
            record.slept_s += slept_ms // 1000
            if record.unix_ms:  # the RTC ran on; a time server will correct it
                self._board.wall.set(record.unix_ms + slept_ms, uptime_ms())

    async def _prepare(self):
        """Check what sleeping needs; the reason why it cannot be, or an empty text."""
        board = self._board
        sensing = board.sensing
        if not sensing:
            return "there is no sensing part"
        if board.settings.radio:
            return "Bluetooth and ESP-NOW do not outlast a sleep"
        number = board.settings.imu_int_pin
        if number < 0:
            return "imu_int_pin names no pin"
        import esp32

        from power import motion

        pin = motion.input_pin(number)
        try:
            if hasattr(esp32, "wake_on_ext0"):
                esp32.wake_on_ext0(pin, esp32.WAKEUP_ANY_HIGH)
            else:  # a chip without it, as the C3
                esp32.wake_on_gpio((pin,), esp32.WAKEUP_ANY_HIGH)
        except (AttributeError, ValueError):
            return "GPIO %d cannot wake this chip" % number
        until = ticks_ms()
        while not sensing.recognizer.windows:
            if ticks_diff(ticks_ms(), until) > _CHECK_MS:
                return "no samples, so INT cannot be checked"
            await asyncio.sleep_ms(_LOOK_MS)
        if not motion.can_watch(sensing.imu):
            return "%s watches for motion in another way" % sensing.imu
        try:
            for wait_ms in motion.follows(sensing.imu, pin):
                await asyncio.sleep_ms(wait_ms)
        except OSError as fault:
            return "INT could not be checked: %s" % fault
        if not sensing.imu.int_works:
            return "GPIO %d does not follow the sensor's INT; check the wire" % number
        return ""

    async def _contact(self):
        """A timer woke it: say that it is there, and sleep on unless it is moved."""
        publisher = self._board.publisher
        began = ticks_ms()
        still = self._stillness()
        while ticks_diff(ticks_ms(), began) < _CONTACT_MS:
            await asyncio.sleep_ms(_LOOK_MS)
            if not self._look(still):
                return
            if publisher.is_known() and not self._is_busy():
                break
        if self._is_busy() or self._on_trial():
            return
        if await self._say_goodbye(still):
            self._sleep_deeply()

    async def _send(self, events):
        """What only RTC memory had kept, with the boot and number that it had."""
        wall = self._board.wall
        topic = b"beckon/%s/event" % self._board.settings.device.encode()
        while events:
            await self._link.ready.wait()
            event = events[0]
            now_ms = wall.unix_ms(uptime_ms())
            known = now_ms and event.unix_ms
            payload = event.payload(now_ms - event.unix_ms if known else None, event.unix_ms)
            try:
                await self._link.publish(topic, payload, repeat=event.sent)
            except LinkDown:
                continue
            events.pop(0)
        machine.RTC().memory(b"")

    # -- awake -------------------------------------------------------------------------

    def _stillness(self):
        imu = self._board.sensing.imu
        still = Stillness(
            _ACCEL_MG * imu.accel_lsb_per_g // 1000,
            _GYRO_DPS * imu.gyro_lsb_per_10_dps // 10,
        )
        self._look(still)
        return still

    def _look(self, still):
        """How many ms it has been still; 0 if it moves, or the sensor cannot be asked."""
        try:
            self._board.sensing.imu.read_into(self._row)
            return still.update(self._row, ticks_ms())
        except OSError:
            still.moved(ticks_ms())
            return 0

    async def _until_still(self):
        sensing = self._board.sensing
        still = self._stillness()
        sleep_ms = 1000 * self._board.settings.light_sleep_s
        events = -1
        while True:
            await asyncio.sleep_ms(_LOOK_MS)
            if sensing.recognizer.events != events or self._is_busy():
                events = sensing.recognizer.events
                still.moved(ticks_ms())
            if self._look(still) >= sleep_ms:
                if not self._on_trial() and await self._say_goodbye(still):
                    return
                still.moved(ticks_ms())

    def _is_busy(self):
        sensing = self._board.sensing
        return (
            sensing.sampling.paused
            or sensing.recognition.paused
            or ticks_diff(ticks_ms(), self._stay_ms) < _STAY_MS
            or sensing.sampler.problem()
            or (self._board.feedback and self._board.feedback.busy)  # else a motor would run on
        )

    def _on_trial(self):
        """A file on trial must prove itself first; a sleep would look like a crash."""
        board = self._board
        for rollback in (board.settings_rollback, board.model_rollback):
            if rollback and not rollback.reverted and rollback.is_on():
                return True
        if board.crash:
            from ops.crash_log import CrashLog

            CrashLog().healthy()
        return False

    async def _say_goodbye(self, still):
        """Deliver what is there, say `asleep`, end the link. False if it was moved meanwhile."""
        board = self._board
        recognizer = board.sensing.recognizer
        before_ms = self._look(still)
        events = recognizer.events
        self._asleep = True
        board.publisher.state_changed()
        await asyncio.sleep_ms(_LOOK_MS)  # so that it goes out before the goodbye
        await board.publisher.close(_GOODBYE_MS, ASLEEP)
        await self._link_ended.wait()  # the link keeps its own time-outs
        self._link_ended.clear()
        calm = self._look(still) >= before_ms and recognizer.events == events
        if calm and not self._is_busy():
            return True
        self._wake_up()
        return False

    def _wake_up(self):
        self._asleep = False
        board = self._board
        board.publisher.house = board.discovery
        board.publisher.state_changed()
        self._awake.set()

    # -- asleep ------------------------------------------------------------------------

    async def _sleep(self):
        """Light sleep until it is moved; else deep sleep, which does not return."""
        from power import motion

        board = self._board
        sensing = board.sensing
        sensing.recognition.pause()
        sensing.sampling.pause()
        network.WLAN(network.WLAN.IF_STA).active(False)
        await asyncio.sleep_ms(_LOOK_MS)  # their tasks take note
        board.health.relax()
        imu = sensing.imu
        left_ms = 1000 * board.settings.deep_sleep_s
        moved = False
        began = uptime_ms()
        try:
            motion.watch(imu, _LIGHT_MG)
            while left_ms > 0 and not moved:
                chunk_ms = min(left_ms, _CHUNK_MS)
                before = ticks_ms()
                machine.lightsleep(chunk_ms)
                slept_ms = ticks_diff(ticks_ms(), before)
                sensing.sampler.clock.pass_time(ticks_us())
                left_ms -= max(slept_ms, 1)
                moved = motion.moved(imu)
        except OSError:
            moved = True  # the sampler will find out what the bus has
        self.record.light += 1
        self.record.slept_s += (uptime_ms() - began) // 1000
        if not moved:
            self._sleep_deeply()
        self.record.by_motion += 1
        self._go_on(self._adopt)
        sensing.sampling.resume()
        sensing.recognition.resume()
        machine.WDT(timeout=_WATCHDOG_MS)
        for part in board.health.parts:
            part.since = ticks_ms()
        board.lag.slept = True
        self._wake_up()

    def _go_on(self, start_fifo):
        """Let the sampler go on with what the FIFO holds: the beginning of the motion."""
        imu = self._board.sensing.imu
        imu.bring_up = tuple  # nothing to do, and nothing to wait for
        imu.start_fifo = start_fifo

    def _again(self):
        """The sensing part, whose sensor is started as usual the next time."""
        sensing = self._board.sensing
        del sensing.imu.start_fifo
        del sensing.imu.bring_up
        return sensing

    def _adopt(self):
        """In place of imu.start_fifo(), once. Raises OSError."""
        from power.motion import adopt, resume

        sensing = self._again()
        resume(sensing.imu)
        adopt(sensing.imu, sensing.sampler)

    def _catch_up(self):
        """In place of imu.start_fifo(), once after a deep sleep. Raises OSError."""
        from power import early, motion

        sensing = self._again()
        early.taken.finish()
        early.taken = None
        sensing.imu.identify()
        motion.catch_up(sensing.imu, sensing.sampler, self._early, self._recognise)
        self._board.lag.slept = True
        self._early = None
        forget("power.early")

    def _recognise(self):
        """As the task in recognition/task.py."""
        sensing = self._board.sensing
        recognizer = sensing.recognizer
        event = NO_EVENT
        while event != EMPTY:
            event = recognizer.step(sensing.ring)
            if event >= 0:
                self._board.publisher.post(
                    sensing.engine.labels[event],
                    recognizer.confidence,
                    recognizer.index,
                    recognizer.label_confidence,
                )

    def _sleep_deeply(self):
        """Does not return: the next thing is a boot."""
        board = self._board
        record = self.record
        note = b""
        try:
            note = self._watch_deeply()
        except OSError:
            pass  # the timer will wake it
        record.deep += 1
        record.events += board.publisher.queued()
        for event in record.events:
            if event.boot == board.publisher.boot:
                event.unix_ms = board.wall.unix_ms(event.captured_ms)
        record.rtc_us = time.time_ns() // 1000
        record.unix_ms = board.wall.unix_ms(uptime_ms())
        machine.RTC().memory(note + record.pack(len(note)))
        machine.deepsleep(1000 * board.settings.contact_s)

    def _watch_deeply(self):
        """Let the sensor wake the board; what early.py must know, as bytes. Raises OSError."""
        imu = self._board.sensing.imu
        settings = self._board.settings
        if settings.wake_gesture:
            from power import early, motion

            return early.note(settings, motion.record(imu, _LIGHT_MG), imu.period_us // 1000)
        from drivers.mpu_modes import wake_on_motion

        wake_on_motion(imu, _DEEP_MG, _ODR_HZ)
        return b""

    def _next_contact_s(self):
        settings = self._board.settings
        return settings.deep_sleep_s + settings.contact_s
