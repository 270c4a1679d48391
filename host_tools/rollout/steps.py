"""How far a device of a roll-out is, judged by what it says of itself. Pure.

    waiting -> sending -> trial -> updated

and out of these: already (it has the model), refused, missing (not back in time), rolled_back (its
old model is in use), broken (safe mode), unreachable (online, but never answers).
"""

from typing import NamedTuple

from host_tools.errors import Sentence
from host_tools.store.rollouts import Target

FAILED = ("refused", "missing", "rolled_back", "broken")
OVER = ("updated", "already", "unreachable", *FAILED)
_WATCHED = ("trial", "updated", "missing")


class Change(NamedTuple):
    step: str
    detail: str = ""
    boot: int = 0  # 0: as it was


def judge(target: Target, model: str, back_ms: int, watch_ms: int, now_ms: int) -> Change | None:
    """What has become of a device that was given the model, or None: nothing new.

    A device that is updated is watched on, and one that is missing may turn up.
    """
    if target.step not in _WATCHED:
        return None
    change = _now(target, model, back_ms, watch_ms, now_ms)
    if change.step == target.step and change.boot in (0, target.boot):
        return None
    return change


def _now(target: Target, model: str, back_ms: int, watch_ms: int, now_ms: int) -> Change:
    state = target.state
    boot = state.get("boot", 0)
    if target.state_ms < target.since_ms or boot == target.old_boot:
        if now_ms - target.since_ms > back_ms:
            return Change("missing", Sentence("not back within {seconds} s",
                                              seconds=back_ms // 1000))  # fmt: skip
        return Change(target.step)
    if state.get("safe_mode"):
        return Change("broken", Sentence("in safe mode: {why}", why=state["safe_mode"]))
    if state.get("model_taken_back") or state.get("model") != model:
        return Change("rolled_back", _last_line(state.get("crash")) or Sentence(
            "it could not be loaded"))
    boot = target.boot or boot  # the first one
    if target.online is False and now_ms - target.online_ms > back_ms:
        return Change("missing", Sentence("came back with the model, and is offline since"))
    if now_ms - target.since_ms < watch_ms:
        return Change("trial", boot=boot)
    return Change("updated", boot=boot)


def _last_line(crash: object) -> str:
    lines = str(crash or "").strip().splitlines()
    return lines[-1] if lines else ""
