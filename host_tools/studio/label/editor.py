"""One tab's work on one recording: selection, cursor, brush, proposals. Knows no browser.

    editor = LabelEditor(store)
    editor.open("take-01", 0, 60_000)
    editor.offer(propose(recording))
    editor.choose("circle")      # the selected proposal becomes a span; the next is selected

This class decides what a key or a drag means; LabelStore saves and undoes. Faults are
BeckonErrors. Proposals have negative ids and exist in this tab only.
"""
from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass, replace

from host_tools.dataset import Span
from host_tools.dataset.proposals import Proposal
from host_tools.errors import BeckonError
from host_tools.studio.frame.label_store import LEAST_MS, Item, LabelStore


@dataclass(frozen=True)
class Mark:
    """A span or a proposal as the page shows it."""

    id: int
    start_ms: float
    end_ms: float
    label: str
    subject: str = ""
    confidence: int | None = None

    @property
    def proposed(self) -> bool:
        return self.id < 0


class LabelEditor:
    """brush: the label of the next new span, None until there is one."""

    def __init__(self, store: LabelStore):
        self.store = store
        self.recording = ""
        self.selected: int | None = None
        self.cursor_ms: float | None = None
        self.opened_ms: float | None = None  # where a span was begun with begin_here()
        self.subject = ""
        self.brush: str | None = next(iter(store.labels), None)
        self._proposals: tuple[Mark, ...] = ()
        self._next_id = -1
        self._marks: tuple[tuple[int, str, tuple[Mark, ...]], list[Mark]] | None = None
        self._extent = (0.0, 0.0)

    def open(self, recording: str, start_ms: float, end_ms: float) -> None:
        """Go to a recording, without proposals, cursor or selection."""
        self.recording = recording
        self._extent = (start_ms, end_ms)
        self.store.set_limits(recording, start_ms, end_ms)
        self.selected = self.cursor_ms = self.opened_ms = None
        self._proposals = ()
        spans = self.store.spans(recording)
        if spans:
            self.subject = spans[0].subject

    # looking

    def marks(self) -> list[Mark]:
        """Spans and proposals, by time. Drops proposals that a span covers meanwhile."""
        held = self._marks
        if (held is None or held[0][:2] != (self.store.version, self.recording)
                or held[0][2] is not self._proposals):
            spans = [Mark(i.id, i.start_ms, i.end_ms, i.label, i.subject)
                     for i in self.store.spans(self.recording)]
            self._proposals = tuple(p for p in self._proposals if _clear(p, spans))
            marks = sorted([*spans, *self._proposals], key=lambda m: m.start_ms)
            held = ((self.store.version, self.recording, self._proposals), marks)
            self._marks = held
        return held[1]

    @property
    def proposals(self) -> int:
        return sum(m.proposed for m in self.marks())

    def chosen(self) -> Mark | None:
        """The selected mark, unless it is gone."""
        return next((m for m in self.marks() if m.id == self.selected), None)

    def select(self, id: int | None) -> Mark | None:
        self.selected = id
        return self.chosen()

    def step(self, by: int, proposals_only: bool = False) -> Mark | None:
        """Select the next (by 1) or previous (by -1) mark after the selection or the cursor."""
        marks = [m for m in self.marks() if m.proposed or not proposals_only]
        chosen = self.chosen()
        here = chosen.start_ms if chosen else self.cursor_ms
        if here is None:
            here = float("-inf") if by > 0 else float("inf")
        if by > 0:
            found = next((m for m in marks if m.start_ms > here), None)
        else:
            found = next((m for m in reversed(marks) if m.start_ms < here), None)
        if found is not None:
            self.selected = found.id
            self.cursor_ms = found.start_ms
        return found

    # proposals

    def offer(self, proposals: Iterable[Proposal]) -> int:
        """Show proposals in place of those before; returns how many have room.

        The first is selected.
        """
        fresh = []
        for p in proposals:
            fresh.append(Mark(self._next_id, p.start_ms, p.end_ms, p.label, "", p.confidence))
            self._next_id -= 1
        self._proposals = tuple(fresh)
        offered = [m for m in self.marks() if m.proposed]
        if offered:
            self.selected = offered[0].id
            self.cursor_ms = offered[0].start_ms
        return len(offered)

    def accept(self) -> Item:
        """Make the selected proposal a span, with its label or the brush's; on to the next."""
        mark = self._chosen()
        if not mark.proposed:
            raise BeckonError("this span is labelled already: press N for the next")
        return self._accept(mark, mark.label or self._brush())

    def _accept(self, mark: Mark, label: str) -> Item:
        item = self.store.add(self.recording, mark.start_ms, mark.end_ms, label, self.subject)
        self._forget(mark)
        self.selected = item.id
        self.brush = label
        # Stay on the last one, so that it can be corrected still
        self.step(1, proposals_only=True)
        return item

    def accept_all(self) -> int:
        """Make spans of all proposals that have a label, in one action; returns how many."""
        ready = [m for m in self.marks() if m.proposed and m.label]
        if not ready:
            raise BeckonError("no proposal has a label yet: give each a label with its number")
        items = self.store.add_many(
            self.recording, [Span(m.start_ms, m.end_ms, m.label, self.subject) for m in ready]
        )
        gone = {m.id for m in ready}
        self._proposals = tuple(p for p in self._proposals if p.id not in gone)
        return len(items)

    def _forget(self, mark: Mark) -> None:
        self._proposals = tuple(p for p in self._proposals if p.id != mark.id)

    # labels

    def choose(self, label: str) -> Item | None:
        """Use a label for the selected span or proposal, else for the next new span."""
        label = self.store.know_label(label)
        mark = self.chosen()
        self.brush = label
        if mark is None:
            return None
        if mark.proposed:
            return self._accept(mark, label)
        return self.store.rename(mark.id, label)

    def set_subject(self, subject: str, for_all: bool = True) -> int:
        """Who moved: for all spans of the recording and for new ones, or for the selected one
        alone. Returns for how many spans it changed."""
        mark = self.chosen()
        if not for_all and mark is not None and not mark.proposed:
            self.store.set_subject(mark.id, subject)
            return 1
        self.subject = " ".join(subject.split())
        return self.store.set_subjects(self.recording, subject)

    def _brush(self) -> str:
        if self.brush is None:
            raise BeckonError("there is no label yet: press L to make one")
        return self.brush

    # shapes

    def create(self, start_ms: float, end_ms: float) -> Item:
        """Add a span that was drawn, labelled with the brush, and select it."""
        item = self.store.add(self.recording, start_ms, end_ms, self._brush(), self.subject)
        self.selected = item.id
        return item

    def reshape(self, id: int, start_ms: float, end_ms: float) -> None:
        """Give a span or a proposal other ends, and select it."""
        self.selected = id
        if id >= 0:
            self.store.move(id, start_ms, end_ms)
            return
        low, high = self._extent
        start, end = max(low, min(start_ms, end_ms)), min(high, max(start_ms, end_ms))
        if end - start < LEAST_MS:
            raise BeckonError("a span needs at least {least_ms:.0f} ms", least_ms=LEAST_MS)
        self._proposals = tuple(
            replace(p, start_ms=round(start, 1), end_ms=round(end, 1)) if p.id == id else p
            for p in self._proposals
        )

    def begin_here(self) -> None:
        """Let the selected mark, or else a new span, begin at the cursor."""
        at = self._cursor()
        mark = self.chosen()
        if mark is None:
            self.opened_ms = at
            return
        if at >= mark.end_ms - LEAST_MS:
            raise BeckonError("the start must lie before the end: press Esc to deselect it")
        self.reshape(mark.id, at, mark.end_ms)

    def end_here(self) -> None:
        """Let the selected mark, or else the span of begin_here(), end at the cursor."""
        at = self._cursor()
        mark = self.chosen()
        if mark is not None:
            if at <= mark.start_ms + LEAST_MS:
                raise BeckonError("the end must lie after the start: press Esc to deselect it")
            self.reshape(mark.id, mark.start_ms, at)
            return
        if self.opened_ms is None:
            raise BeckonError("press I where the span begins, then O where it ends")
        if at <= self.opened_ms + LEAST_MS:
            raise BeckonError("the end must lie after the start: move the cursor to the right")
        self.create(self.opened_ms, at)
        self.opened_ms = None

    def split(self) -> None:
        """Split the span at the cursor; the second part is selected."""
        mark = self._span_at_cursor()
        first, second = self.store.split(mark.id, self._cursor())
        self.selected = second.id

    def merge(self) -> None:
        """Make one span of the selected one and the next."""
        mark = self._chosen()
        if mark.proposed:
            raise BeckonError("this is a proposal: press Enter to accept it before you merge it")
        self.store.merge(mark.id)

    def delete(self) -> None:
        """Remove the selected span, or reject the selected proposal; on to the next proposal."""
        mark = self._chosen()
        if not mark.proposed:
            self.store.delete(mark.id)
            self.selected = None
            self.cursor_ms = mark.start_ms
            return
        following = self.step(1, proposals_only=True)
        self._forget(mark)
        if following is None:
            self.selected = None

    def whole_idle(self, label: str) -> Item:
        """Label the whole recording as no gesture, with one span."""
        if self.store.spans(self.recording):
            raise BeckonError(
                "there are spans already: everything outside them counts as no gesture anyway"
            )
        self._proposals = ()
        return self.store.add(self.recording, *self._extent, label, self.subject)

    def _chosen(self) -> Mark:
        mark = self.chosen()
        if mark is None:
            raise BeckonError("no span is selected: click one, or press N for the next")
        return mark

    def _span_at_cursor(self) -> Mark:
        at = self._cursor()
        marks = [m for m in self.marks() if not m.proposed and m.start_ms < at < m.end_ms]
        if not marks:
            raise BeckonError("the cursor is not in a span: click where you want to split one")
        return marks[0]

    def _cursor(self) -> float:
        if self.cursor_ms is None:
            raise BeckonError(
                "there is no cursor yet: click into the signal, or press an arrow key"
            )
        return self.cursor_ms


def _clear(proposal: Mark, spans: list[Mark]) -> bool:
    """Whether no span touches the proposal. spans: by time, without overlaps."""
    after = bisect_right(spans, proposal.start_ms, key=lambda s: s.start_ms)
    return (after == 0 or spans[after - 1].end_ms <= proposal.start_ms) and (
        after == len(spans) or spans[after].start_ms >= proposal.end_ms
    )
