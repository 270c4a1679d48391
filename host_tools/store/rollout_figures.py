"""How the devices of a roll-out did before and after, from what the collector stored.

A device's boot numbers grow, so they tell before from after whatever its clock says.
"""

from typing import NamedTuple

from sqlalchemy import Connection, text

_OF = "rd.rollout_id = :number AND rd.boot > 0 AND NOT rd.excused"
_BEFORE = "x.boot <= rd.old_boot"
_AFTER = "x.boot >= rd.boot"
_KNOWN = ("JOIN (SELECT device_id, min(at_ms) AS first_ms FROM state GROUP BY device_id) AS k "
          "ON k.device_id = rd.device_id ")  # fmt: skip


class Figures(NamedTuple):
    """Of all devices that are judged. hours: of devices. restarts: of devices (before: so many in
    these hours; after: devices that restarted at least once since they came back)."""

    devices: int = 0
    hours: float = 0.0
    restarts: int = 0
    samples: int = 0
    lost: int = 0
    events: int = 0
    false_alarms: int = 0

    @property
    def lost_percent(self) -> float:
        return 100 * self.lost / (self.samples + self.lost or 1)

    @property
    def false_alarm_percent(self) -> float:
        return 100 * self.false_alarms / (self.events or 1)


def figures(connection: Connection, number: int, baseline_ms: int,
            now_ms: int) -> tuple[Figures, Figures]:  # fmt: skip
    """(before, after) of those devices of roll-out `number` that came back with the new model and
    are not excused. before: in baseline_ms before the model was sent."""
    values = {"number": number, "baseline": baseline_ms}

    def one(sql: str) -> list[int]:
        row = connection.execute(text(sql), values).one()
        return [int(value or 0) for value in row]

    def sums(condition: str) -> list[int]:
        samples, lost = one(
            "SELECT sum(s), sum(l) FROM (SELECT max(x.samples) AS s, max(COALESCE(x.samples_lost, "
            "0) + COALESCE(x.ring_overwritten, 0)) AS l FROM rollout_device rd JOIN diag x ON "
            f"x.device_id = rd.device_id AND {condition} WHERE {_OF} "
            "GROUP BY x.device_id, x.boot) AS starts")  # fmt: skip
        return [samples, lost]

    devices, after_ms = one(
        "SELECT count(*), sum(:now - rd.since_ms) FROM rollout_device rd "
        f"WHERE {_OF}".replace(":now", str(int(now_ms))))  # fmt: skip
    if not devices:
        return Figures(), Figures()
    (restarted,) = one(
        "SELECT count(DISTINCT x.device_id) FROM rollout_device rd JOIN state x ON x.device_id = "
        f"rd.device_id AND x.boot > rd.boot WHERE {_OF}")  # fmt: skip
    (known_ms,) = one(
        "SELECT sum(CASE WHEN rd.since_ms - k.first_ms < :baseline THEN rd.since_ms - k.first_ms "
        f"ELSE :baseline END) FROM rollout_device rd {_KNOWN} WHERE {_OF}")  # fmt: skip
    (restarts,) = one(  # a device's first report is not a restart
        "SELECT count(*) FROM (SELECT x.device_id FROM rollout_device rd JOIN state x ON "
        f"x.device_id = rd.device_id AND {_BEFORE} {_KNOWN} WHERE {_OF} GROUP BY x.device_id, "
        "x.boot, rd.since_ms, k.first_ms HAVING min(x.at_ms) >= rd.since_ms - :baseline "
        "AND min(x.at_ms) > k.first_ms) AS starts")  # fmt: skip
    recent = " AND x.at_ms >= rd.since_ms - :baseline"
    events = "SELECT sum(x.events) FROM rollout_device rd JOIN boot x ON x.device_id = "
    alarms = ("SELECT count(*) FROM rollout_device rd JOIN verdict x ON x.device_id = "
              "rd.device_id AND x.false_alarm AND ")  # fmt: skip
    before = Figures(
        devices, known_ms / 3.6e6, restarts, *sums(_BEFORE + recent),
        *one(f"{events} rd.device_id AND {_BEFORE} AND x.last_ms >= rd.since_ms - :baseline "
             f"WHERE {_OF}"),
        *one(f"{alarms} {_BEFORE} JOIN boot b ON b.device_id = x.device_id AND b.boot = x.boot "
             f"AND b.last_ms >= rd.since_ms - :baseline WHERE {_OF}"),
    )  # fmt: skip
    after = Figures(
        devices, after_ms / 3.6e6, restarted, *sums(_AFTER),
        *one(f"{events} rd.device_id AND {_AFTER} WHERE {_OF}"),
        *one(f"{alarms} {_AFTER} WHERE {_OF}"),
    )  # fmt: skip
    return before, after
