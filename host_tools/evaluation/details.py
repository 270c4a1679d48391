"""What lies behind the figures of an evaluation: false alarms, Ward's categories, robustness."""
from __future__ import annotations

from dataclasses import dataclass

from host_tools.evaluation.alarms import FalseAlarm, false_alarms, in_numbers
from host_tools.evaluation.evaluate import Evaluation
from host_tools.evaluation.robustness import Robustness
from host_tools.evaluation.ward import Ward, ward


@dataclass(frozen=True)
class Details:
    """alarms: the surest first. robustness: None if it was not asked for."""

    alarms: list[FalseAlarm]
    ward: Ward
    robustness: Robustness | None = None

    @classmethod
    def of(cls, result: Evaluation, robustness: Robustness | None = None) -> Details:
        return cls(false_alarms(result), ward(result), robustness)

    def as_json(self) -> dict:
        """Keys beside those of Evaluation.as_json."""
        out = {
            "ward": self.ward.as_json(),
            "false_alarms": {
                **in_numbers(self.alarms), "surest": [a.as_json() for a in self.alarms],
            },
        }
        if self.robustness:
            out["robustness"] = self.robustness.as_json()
        return out
