"""Sending the trial's events to a broker, as a board would. Knows no browser."""
from __future__ import annotations

import threading

from host_tools.errors import BeckonError
from host_tools.evaluation.live import LiveEvent
from host_tools.hosted.device import HostDevice, HostView
from host_tools.model.format import Model
from host_tools.mqtt.address import BrokerAddress


class EventSender:
    """Off until start(). Methods may be called from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._device: HostDevice | None = None
        self._model: Model | None = None
        self._source = ""
        self._rules: tuple[str, ...] = ()
        self.broker: BrokerAddress | None = None
        self.warning = ""
        """What was found when it started, or what a stop left unsent, or ""."""

    @property
    def running(self) -> bool:
        return self._device is not None

    def start(self, broker: BrokerAddress, name: str, source: str,
              home_assistant: bool = False) -> None:
        """Go online as the device `name`. source: what the samples come from.

        Raises BeckonError if there is no model yet, the broker is not there or refuses, or the
        name is taken.
        """
        self.stop()
        if self._model is None:
            raise BeckonError("choose a model first")
        device = HostDevice(broker, name, self._model, source, rules=self._rules,
                            home_assistant=home_assistant)
        device.__enter__()
        with self._lock:
            self._device, self._source, self.broker = device, source, broker
            self.warning = device.warning

    def stop(self) -> int:
        """Go offline; returns how many events the broker did not get."""
        with self._lock:
            device, self._device = self._device, None
        return device.close() if device else 0

    def use(self, model: Model, rules: tuple[str, ...] = ()) -> None:
        """Events are of this model from now on. rules: labels of the rule gestures beside it."""
        with self._lock:
            self._model, self._rules, device = model, rules, self._device
        if device:
            device.use(model, self._source, rules)

    def heard(self, samples: int, lost: int) -> None:
        device = self._device
        if device:
            device.heard(samples, lost)

    def post(self, event: LiveEvent, t_ms: float, captured_s: float) -> None:
        """Send an event; never waits. t_ms, captured_s: as HostDevice.post() takes them."""
        device = self._device
        if device:
            device.post(event.label, event.confidence, event.label_confidence, t_ms, captured_s)

    def view(self) -> HostView | None:
        """None while it is off."""
        device = self._device
        return device.view() if device else None
