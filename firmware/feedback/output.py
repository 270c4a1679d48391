"""An LED, a buzzer or a motor at a pin, which answers each event by a pattern.

post() and play() never wait: patterns wait in a bounded queue, and one task plays them. What
the queue has no room for is dropped and counted.
"""

import asyncio

import machine
from micropython import const

from ops.lazy import forget

_WAITING = const(4)  # patterns
_BETWEEN_MS = const(150)
_TONE_HZ = const(2700)  # where small piezo buzzers are loudest
_HALF = const(32768)


def add(board):
    """Let the board answer its events at settings.feedback_pin."""
    board.feedback = output = Output(board.settings)
    forget("options.together", "feedback.patterns", "feedback.rule_list")
    board.publisher.outputs.append(output)
    board.runs.append(output.run)
    board.parts.append(output)


class Output:
    """settings: feedback_pin, feedback.

    fault: why the pin cannot be an output, or empty. The board goes on without it.
    """

    def __init__(self, settings):
        from feedback.patterns import parse

        kind, self._active, self._patterns = parse(settings.feedback)
        self._queue = [None] * _WAITING  # patterns, a ring
        self._head = self._count = 0
        self._wake = asyncio.Event()
        self._pin = self._pwm = None
        self.busy = False  # something is played, or waits
        self.fault = ""
        self.played = self.dropped = 0
        try:
            self._pin = machine.Pin(
                settings.feedback_pin, machine.Pin.OUT, value=1 - self._active
            )
            if kind == "buzzer" and hasattr(machine, "PWM"):
                self._pwm = machine.PWM(self._pin, freq=_TONE_HZ, duty_u16=self._duty(False))
        except ValueError as fault:
            self.fault = "feedback_pin %d: %s" % (settings.feedback_pin, fault)
            print("beckon:", self.fault)

    def post(self, label, confidence, seq):
        """Play the event's pattern when its turn comes; whether there was room."""
        patterns = self._patterns
        return self.play(patterns[label] if label in patterns else patterns[""])

    def play(self, pattern):
        """Queue a pattern, a tuple of ms, on and off in turn; whether there was room."""
        if not pattern or self.fault:
            return not self.fault
        if self._count == _WAITING:
            self.dropped += 1
            return False
        self._queue[(self._head + self._count) % _WAITING] = pattern
        self._count += 1
        self.busy = True
        self._wake.set()
        return True

    async def command(self, arguments):
        """{"pattern": "60/60/60"} or {"label": "circle"}; neither plays the pattern of all
        others. Raises ValueError."""
        if self.fault:
            raise ValueError(self.fault)
        pattern = arguments.get("pattern")
        label = arguments.get("label", "")
        if not isinstance(label, str) or not isinstance(pattern, (str, type(None))):
            raise ValueError("pattern and label must be texts")
        if pattern is not None:
            from feedback.patterns import times

            pattern = times(pattern)
            forget("feedback.patterns")
        if not (self.post(label, 100, 0) if pattern is None else self.play(pattern)):
            raise ValueError("too many patterns wait; ask again later")

    async def run(self):
        """Play what is queued, forever."""
        while True:
            await self._wake.wait()
            self._wake.clear()
            while self._count:
                pattern = self._queue[self._head]
                self._head = (self._head + 1) % _WAITING
                self._count -= 1
                await self._play(pattern)
                await asyncio.sleep_ms(_BETWEEN_MS)
            self.busy = False

    def counters(self, into):
        into["feedback_played"] = self.played
        into["feedback_dropped"] = self.dropped
        into["feedback_fault"] = int(bool(self.fault))

    async def _play(self, pattern):
        on = True
        try:
            for ms in pattern:
                self._set(on)
                await asyncio.sleep_ms(ms)
                on = not on
        finally:
            self._set(False)  # a motor must not run on when the program is stopped
        self.played += 1

    def _set(self, on):
        if self._pwm:
            self._pwm.duty_u16(self._duty(on))
        else:
            self._pin.value(self._active if on else 1 - self._active)

    def _duty(self, on):
        """Of the tone; at rest the pin stays at the level that is off."""
        return _HALF if on else 0 if self._active else 65535
