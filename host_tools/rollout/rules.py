"""When a roll-out stops without being asked. Pure."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from typing import TYPE_CHECKING, Any

from host_tools.errors import BeckonError, Sentence

if TYPE_CHECKING:  # the command's --help needs no database
    from host_tools.store.rollout_figures import Figures

_FEWEST_SAMPLES = 500  # five seconds at 100 Hz: fewer say nothing about a share
_FEWEST_MARKS = 3  # false alarms: one person may err


@dataclass(frozen=True)
class Rules:
    """failed_percent: of the devices tried that refuse the model, do not come back, take the old
    one back or are in safe mode. restarted_percent: devices that restart without having been
    asked, beyond what they did before. lost_percent: points of lost samples (not read in time, or
    not recognised in time) more than before. false_alarm_percent: points of events that people
    mark as false, more than before. back_s: a device must be back within; watch_s: and is watched
    for, before the next stage. baseline_h: what counts as before.
    """

    failed_percent: float = 5.0
    restarted_percent: float = 10.0
    lost_percent: float = 1.0
    false_alarm_percent: float = 5.0
    back_s: int = 180
    watch_s: int = 180
    baseline_h: float = 24.0

    @classmethod
    def of(cls, values: dict[str, Any]) -> Rules:
        """From the store or a form. Raises BeckonError."""
        known = {field.name for field in fields(cls)}
        rules = cls(**{name: value for name, value in values.items() if name in known})
        for name, value in asdict(rules).items():
            most = 100 if name.endswith("_percent") else 7 * 86400
            if isinstance(value, bool) or not isinstance(value, (int, float)) or (
                not 0 <= value <= most
            ):
                raise BeckonError("{name} {value!r}: write a number from 0 to {most}", status=2,
                                  name=name, value=value, most=most)  # fmt: skip
        return rules


def stop_reason(rules: Rules, tried: int, failed: dict[str, int], before: Figures,
                after: Figures) -> str:  # fmt: skip
    """Why to stop, or "". tried: devices that are judged; failed: of them, by step."""
    count = sum(failed.values())
    if count and 100 * count > rules.failed_percent * tried:
        said = ", ".join(f"{n} {step.replace('_', ' ')}" for step, n in sorted(failed.items()) if n)
        return Sentence("{count} of {tried} devices failed ({steps}); the rule allows {most:g} %",
                        count=count, tried=tried, steps=said,
                        most=rules.failed_percent)  # fmt: skip
    usual = before.restarts / before.hours * after.hours if before.hours else 0.0
    allowed = usual + rules.restarted_percent / 100 * after.devices
    if after.restarts > allowed:
        return Sentence("{count} of {tried} devices restarted without having been asked; the rule "
                        "allows {most:.1f} (before it would have been {usual:.1f})",
                        count=after.restarts, tried=after.devices, most=allowed,
                        usual=usual)  # fmt: skip
    if after.samples + after.lost >= _FEWEST_SAMPLES and (
        after.lost_percent > before.lost_percent + rules.lost_percent
    ):
        return Sentence("{now:.2f} % of the samples are lost, {before:.2f} % before; the rule "
                        "allows {most:g} more", now=after.lost_percent, before=before.lost_percent,
                        most=rules.lost_percent)  # fmt: skip
    if after.false_alarms >= _FEWEST_MARKS and (
        after.false_alarm_percent > before.false_alarm_percent + rules.false_alarm_percent
    ):
        return Sentence("{now:.1f} % of the gestures are marked as false alarms, {before:.1f} % "
                        "before; the rule allows {most:g} more", now=after.false_alarm_percent,
                        before=before.false_alarm_percent,
                        most=rules.false_alarm_percent)  # fmt: skip
    return ""
