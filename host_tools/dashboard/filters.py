"""The filters of a page, which are its address: ?period=week&device=wand&gesture=circle."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from urllib.parse import urlencode

from host_tools.store.queries import Filter
from host_tools.store.rollup import DAY_MS, HOUR_MS
from host_tools.studio.frame.language import later

PERIODS = {"hour": (later("last hour"), HOUR_MS), "day": (later("last day"), DAY_MS),
           "week": (later("last 7 days"), 7 * DAY_MS),
           "month": (later("last 30 days"), 30 * DAY_MS),
           "year": (later("last year"), 365 * DAY_MS)}  # fmt: skip
_DEFAULT = "day"
_LONGEST = 255


@dataclass(frozen=True)
class View:
    period: str = _DEFAULT
    device: str = ""
    gesture: str = ""

    @classmethod
    def of(cls, query: Mapping[str, str]) -> "View":
        """What makes no sense is left out."""
        period = query.get("period", _DEFAULT)
        return cls(period if period in PERIODS else _DEFAULT, query.get("device", "")[:_LONGEST],
                   query.get("gesture", "")[:_LONGEST])  # fmt: skip

    def query(self, **changes: str) -> str:
        """As part of an address: "" or ?name=value&..."""
        view = replace(self, **changes)
        values = {"period": "" if view.period == _DEFAULT else view.period,
                  "device": view.device, "gesture": view.gesture}  # fmt: skip
        text = urlencode({name: value for name, value in values.items() if value})
        return f"?{text}" if text else ""

    def filter(self, now_ms: int) -> Filter:
        return Filter(now_ms - PERIODS[self.period][1], now_ms + HOUR_MS, self.device,
                      self.gesture)  # fmt: skip
