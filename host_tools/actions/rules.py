"""Which actions an event sets off. Pure: the time is an argument."""

from collections import OrderedDict
from collections.abc import Iterator
from datetime import UTC, datetime, time
from fnmatch import fnmatchcase

from host_tools.actions.settings import DAYS, Action, Actions
from host_tools.store.messages import Event

_REMEMBERED = 100_000  # devices whose last action counts forevery_s


class Rules:
    def __init__(self, actions: Actions):
        self._actions = actions
        self._last_ms: OrderedDict[tuple[str, str], int] = OrderedDict()

    def due(self, event: Event, now_ms: int) -> Iterator[Action]:
        """The actions that event sets off at now_ms (ms since 1970); each counts forevery_s."""
        for action in self._actions.actions:
            if self._fits(action, event, now_ms) and self._is_free(action, event, now_ms):
                yield action

    def _fits(self, action: Action, event: Event, now_ms: int) -> bool:
        if event.confidence < action.min_confidence:
            return False
        if not (_among(event.gesture, action.gestures) and _among(event.device, action.devices)):
            return False
        if age_ms(event, now_ms) > 1000 * action.max_age_s:
            return False
        moment = datetime.fromtimestamp(event.at_ms / 1000, UTC).astimezone(self._actions.zone)
        return _in_hours(action, moment)

    def _is_free(self, action: Action, event: Event, now_ms: int) -> bool:
        if not action.every_s:
            return True
        key = (action.name, event.device)
        last_ms = self._last_ms.get(key)
        if last_ms is not None and now_ms - last_ms < 1000 * action.every_s:
            return False
        self._last_ms[key] = now_ms
        self._last_ms.move_to_end(key)
        if len(self._last_ms) > _REMEMBERED:
            self._last_ms.popitem(last=False)
        return True


def age_ms(event: Event, now_ms: int) -> int:
    """By the device's own account until it sent, and by our clock since: no clock of a device
    needs to be right."""
    before = event.latency_ms if event.latency_ms is not None else event.received_ms - event.at_ms
    return max(0, before) + max(0, now_ms - event.received_ms)


def _among(text: str, patterns: tuple[str, ...]) -> bool:
    return not patterns or any(fnmatchcase(text, pattern) for pattern in patterns)


def _in_hours(action: Action, moment: datetime) -> bool:
    since, until = action.since or time.min, action.until
    clock, day = moment.time(), moment.weekday()
    if until is None:
        inside = clock >= since
    elif since <= until:
        inside = since <= clock < until
    else:  # over midnight: the early hours belong to the day before
        inside = clock >= since or clock < until
        day = (day - (clock < until)) % 7
    return inside and (not action.days or DAYS[day] in action.days)
