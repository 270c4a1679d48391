"""What a person does with a roll-out: pause, continue, abort."""

from sqlalchemy import Engine

from host_tools.errors import BeckonError, Sentence
from host_tools.store import rollouts
from host_tools.store.database import reading

_CHANGES = {  # from which conditions, to which
    "pause": (("running",), "paused"),
    "continue": (("paused", "stopped"), "running"),
    "abort": (rollouts.UNFINISHED, "aborted"),
}
DONE = {"pause": "is paused", "continue": "goes on", "abort": "is aborted"}


def change(engine: Engine, number: int, what: str, person: str = "") -> None:
    """Raises BeckonError if that is not possible now. After a stop by a rule, what led to it
    does not count any more."""
    before, condition = _CHANGES[what]
    with reading(engine).connect() as connection:
        one = rollouts.rollout(connection, number)
    if one is None:
        raise BeckonError("there is no roll-out {number}; beckon rollout list has all",
                          number=number)  # fmt: skip
    if one.condition == "stopped" and what == "continue":
        rollouts.excuse(engine, number)
    reason = Sentence("by {person}", person=person) if person else ""
    if not rollouts.change(engine, number, before, condition, reason):
        raise BeckonError("roll-out {number} is {condition}: there is nothing to {what}",
                          number=number, condition=one.condition, what=what)  # fmt: skip
