"""The store's answers, asked once for all tabs.

    question = feed.question("devices", view, ask=lambda connection: ...)
    answer = await feed.newer(question, 0)             # the first one
    answer = await feed.newer(question, answer.version)  # as soon as it is another one

Each second one look finds out whether anything was written (store/pulse.py). Only then are the
questions asked for which somebody waits, each once, however many tabs show its answer. At most
_MOST of them in one look, those first that have waited longest: many tabs with filters of their
own are a little late, and cost no more.
"""

import asyncio
import time
import traceback
from collections.abc import Callable, Hashable
from typing import Any, NamedTuple

from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError

from host_tools.dashboard.reading import read
from host_tools.store.database import reason
from host_tools.store.pulse import Pulse

LOOK_S = 1.0
_MOST = 8  # questions in one look
_ANYWAY_S = 5.0  # asked again, as its time goes on though nothing is written
_PATIENCE_S = 15.0  # a tab shows what it knows again: "silent for 40 s"
_FORGET_S = 60.0  # after nobody has asked for it


class Answer(NamedTuple):
    """version: 0 before the first one. fault: why the store does not answer, "" if it does."""

    version: int
    value: Any
    fault: str


class Question:
    """One for all who ask the same. every_s: not more often than this."""

    def __init__(self, ask: Callable[[Any], Any], every_s: float):
        self.ask, self.every_s = ask, every_s
        self.answer = Answer(0, None, "")
        self.asked_s = self.wanted_s = float("-inf")
        self.pulse: object = None
        self.waiting = 0
        self.changed = asyncio.Event()
        self.lock = asyncio.Lock()


class Feed:
    """One per process, in its event loop."""

    def __init__(self, engine: Engine):
        self._engine = engine
        self._pulse = Pulse(engine)
        self._beat: object = None
        self._questions: dict[Hashable, Question] = {}
        self._task: asyncio.Task | None = None

    def question(self, *key: Hashable, ask: Callable[[Any], Any],
                 every_s: float = LOOK_S) -> Question:  # fmt: skip
        """key: equal for what has the same answer. ask: takes a connection; runs in a thread."""
        found = self._questions.setdefault(key, Question(ask, every_s))
        found.wanted_s = time.monotonic()
        return found

    async def newer(self, question: Question, version: int,
                    patience_s: float = _PATIENCE_S) -> Answer:  # fmt: skip
        """An answer with another version, or the present one when patience ends."""
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._run())
        question.wanted_s = time.monotonic()
        if not question.waiting and time.monotonic() - question.asked_s > 2 * question.every_s:
            await self.ask(question)  # nobody has kept it up
        question.waiting += 1
        try:
            if question.answer.version == version:
                await asyncio.wait_for(question.changed.wait(), patience_s)
        except TimeoutError:
            pass
        finally:
            question.waiting -= 1
            question.wanted_s = time.monotonic()
        return question.answer

    async def ask(self, question: Question) -> Answer:
        """Ask now. Who comes meanwhile gets the same answer."""
        asked_s = question.asked_s
        async with question.lock:
            if question.asked_s == asked_s:
                await self._ask(question)
        return question.answer

    async def look(self) -> None:
        """What is done each second."""
        now_s = time.monotonic()
        for key, question in list(self._questions.items()):
            if not question.waiting and now_s - question.wanted_s > _FORGET_S:
                del self._questions[key]
        if not any(q.waiting for q in self._questions.values()):
            return
        try:
            self._beat = await asyncio.to_thread(self._pulse.read)
        except DBAPIError:
            self._beat = None  # each question says why
        due = [q for q in self._questions.values() if q.waiting and self._is_due(q, now_s)]
        for question in sorted(due, key=lambda q: q.asked_s)[:_MOST]:
            await self.ask(question)

    def _is_due(self, question: Question, now_s: float) -> bool:
        age_s = now_s - question.asked_s
        if self._beat is None or question.answer.fault:
            return True
        if question.pulse == self._beat:
            return age_s >= max(_ANYWAY_S, question.every_s)
        return age_s >= 0.9 * question.every_s

    async def _ask(self, question: Question) -> None:
        pulse, before = self._beat, question.answer
        value, fault = before.value, ""
        try:
            value = await read(self._engine, question.ask)
        except DBAPIError as error:
            fault, pulse = reason(error), None
        question.asked_s, question.pulse = time.monotonic(), pulse
        if not before.version or (value, fault) != before[1:]:
            question.answer = Answer(before.version + 1, value, fault)
            question.changed.set()
            question.changed = asyncio.Event()

    async def _run(self) -> None:
        try:
            while self._questions:
                await asyncio.sleep(LOOK_S)
                await self.look()
        except Exception:  # a bug; the next tab that asks begins again
            traceback.print_exc()
        finally:
            self._pulse.close()
