"""The project's labels: edit, undo and redo; saved after each action. Knows no browser.

    store = LabelStore(folder / "labels.csv")
    item = store.add("take-01", 1200, 2100, "circle", "anna")
    store.move(item.id, 1180, 2100)
    store.split(item.id, 1600)
    store.undo()                        # takes the split back, in the file as well

Each action writes the whole file (dataset/labels.py) before it returns, so a kill costs at
most the last action. Spans of one recording never overlap: a span that is drawn or dragged
over a neighbour ends where the neighbour begins. Faults are BeckonErrors and change nothing.
Any thread may call the methods; all pages and tabs share one store.
"""
from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from host_tools.dataset import Span
from host_tools.dataset.labels import LabelsTable, Row, read_labels_file, write_labels_file
from host_tools.errors import BeckonError, Sentence

LEAST_MS = 20.0  # a shorter span is a slip of the hand
_HISTORY = 2000  # actions that can be undone


@dataclass(frozen=True)
class Item:
    """A labelled span. It keeps its id through moves, renames, undo and redo."""

    id: int
    recording: str
    start_ms: float
    end_ms: float
    label: str
    subject: str = ""
    other: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Step:
    """What one action changed: the items of these recordings, before and after; and the files
    that it moved, (from, to)."""

    name: str
    before: dict[str, tuple[Item, ...]]
    after: dict[str, tuple[Item, ...]]
    moves: tuple[tuple[Path, Path], ...] = ()


class LabelStore:
    """The labels of one file. Raises BeckonError if the file is broken."""

    def __init__(self, path: Path):
        self.path = path
        self._limits: dict[str, tuple[float, float]] = {}
        self._listeners: list[Callable[[str], None]] = []
        self._lock = threading.RLock()
        self._next_id = 1
        self.version = 0  # grows with each change
        self._read()

    def _read(self) -> None:
        table = read_labels_file(self.path)
        self._other = table.other
        self._items: dict[str, tuple[Item, ...]] = {}
        for recording, rows in table.rows.items():
            items = [Item(self.new_id(), recording, r.start_ms, r.end_ms, r.label, r.subject,
                          r.other) for r in rows]
            self._items[recording] = tuple(sorted(items, key=lambda i: i.start_ms))
        self.version += 1
        self._undo: list[_Step] = []
        self._redo: list[_Step] = []
        self._names = sorted({i.label for i in self._all()})
        self._bytes = self._on_disk()

    def new_id(self) -> int:
        """An id for an Item that an action adds."""
        self._next_id += 1
        return self._next_id - 1

    def _all(self) -> Iterator[Item]:
        for items in self._items.values():
            yield from items

    # looking

    def spans(self, recording: str) -> tuple[Item, ...]:
        """The recording's items, by time."""
        return self._items.get(recording, ())

    def item(self, id: int) -> Item:
        """The item with this id. Raises BeckonError if there is none."""
        for item in self._all():
            if item.id == id:
                return item
        raise BeckonError("this span no longer exists: it was deleted or undone meanwhile")

    def as_spans(self, recording: str) -> tuple[Span, ...]:
        """The same as dataset.Recording.spans holds them."""
        return tuple(Span(i.start_ms, i.end_ms, i.label, i.subject) for i in self.spans(recording))

    @property
    def labels(self) -> list[str]:
        """Label names: those of the file in their order, then new ones as they came."""
        return list(self._names)

    @property
    def subjects(self) -> list[str]:
        return sorted({i.subject for i in self._all() if i.subject})

    def counts(self) -> Counter[str]:
        """How many spans have each label."""
        return Counter(i.label for i in self._all())

    def recordings(self) -> list[str]:
        """The recordings that have a span."""
        return [name for name, items in self._items.items() if items]

    # actions

    def know_label(self, label: str) -> str:
        """Add a label that no span has yet; returns its clean form. Raises BeckonError."""
        label = clean(label, Sentence("label"))
        if not label:
            raise BeckonError("a label needs a name")
        if label not in self._names:
            self._names.append(label)
        return label

    def set_limits(self, recording: str, start_ms: float, end_ms: float) -> None:
        """Where the recording begins and ends; spans that are drawn or moved stay inside."""
        self._limits[recording] = (max(0.0, start_ms), end_ms)

    def add(self, recording: str, start_ms: float, end_ms: float, label: str,
            subject: str = "") -> Item:
        """Add a span; it ends at its neighbours if it would overlap them."""
        with self.action("add", [recording]) as after:
            return self._put(after, recording, start_ms, end_ms, label, subject)

    def add_many(self, recording: str, spans: Iterable[Span]) -> list[Item]:
        """Add spans in one action, such as all proposals; leaves out those without room."""
        added = []
        with self.action("add several", [recording]) as after:
            for span in spans:
                try:
                    added.append(self._put(after, recording, span.start_ms, span.end_ms,
                                           span.label, span.subject))
                except _NoRoom:
                    continue
        return added

    def _put(self, after: dict[str, tuple[Item, ...]], recording: str, start_ms: float,
             end_ms: float, label: str, subject: str) -> Item:
        start, end = self._fit(after[recording], recording, start_ms, end_ms)
        item = Item(self.new_id(), recording, start, end, self.know_label(label),
                    clean(subject, Sentence("person")))
        after[recording] = (*after[recording], item)
        return item

    def move(self, id: int, start_ms: float, end_ms: float) -> Item:
        """Give a span other ends; it ends at its neighbours."""
        old = self.item(id)
        with self.action("move", [old.recording]) as after:
            others = tuple(i for i in after[old.recording] if i.id != id)
            start, end = self._fit(others, old.recording, start_ms, end_ms)
            new = replace(old, start_ms=start, end_ms=end)
            after[old.recording] = (*others, new)
            return new

    def rename(self, id: int, label: str) -> Item:
        return self._change("rename", id, label=self.know_label(label))

    def set_subject(self, id: int, subject: str) -> Item:
        return self._change("set the subject of", id, subject=clean(subject, Sentence("person")))

    def set_subjects(self, recording: str, subject: str) -> int:
        """Name who moved in all spans of a recording; returns in how many that is new."""
        subject = clean(subject, Sentence("person"))
        changed = sum(i.subject != subject for i in self.spans(recording))
        with self.action("set who moved in", [recording]) as after:
            after[recording] = tuple(replace(i, subject=subject) for i in after[recording])
        return changed

    def _change(self, name: str, id: int, **values: str) -> Item:
        old = self.item(id)
        new = replace(old, **values)  # type: ignore[arg-type]
        with self.action(name, [old.recording]) as after:
            after[old.recording] = tuple(new if i.id == id else i for i in after[old.recording])
        return new

    def rename_label(self, old: str, new: str) -> int:
        """Rename a label in all recordings, in one action; returns how many spans had it."""
        new = self.know_label(new)
        touched = sorted({i.recording for i in self._all() if i.label == old})
        count = 0
        with self.action("rename label", touched) as after:
            for recording in touched:
                count += sum(i.label == old for i in after[recording])
                after[recording] = tuple(
                    replace(i, label=new) if i.label == old else i for i in after[recording]
                )
        if old != new and old in self._names:
            self._names.remove(old)
        return count

    def split(self, id: int, at_ms: float) -> tuple[Item, Item]:
        """Make two spans of one; they touch at at_ms."""
        old = self.item(id)
        at_ms = round(at_ms, 1)
        if not old.start_ms + LEAST_MS <= at_ms <= old.end_ms - LEAST_MS:
            raise BeckonError("{at_ms:.2f} s is not inside the span: put the cursor where you "
                              "want to split it", at_ms=at_ms / 1000)
        first = replace(old, end_ms=at_ms)
        second = replace(old, id=self.new_id(), start_ms=at_ms)
        with self.action("split", [old.recording]) as after:
            others = [i for i in after[old.recording] if i.id != id]
            after[old.recording] = (*others, first, second)
        return first, second

    def merge(self, id: int) -> Item:
        """Make one span of this and the next one, with this one's label."""
        old = self.item(id)
        following = [i for i in self.spans(old.recording) if i.start_ms > old.start_ms]
        if not following:
            raise BeckonError("no span follows this one, so there is nothing to merge it with")
        new = replace(old, end_ms=following[0].end_ms)
        with self.action("merge", [old.recording]) as after:
            gone = {id, following[0].id}
            after[old.recording] = (*(i for i in after[old.recording] if i.id not in gone), new)
        return new

    def delete(self, id: int) -> None:
        old = self.item(id)
        with self.action("delete", [old.recording]) as after:
            after[old.recording] = tuple(i for i in after[old.recording] if i.id != id)

    # history

    @property
    def can_undo(self) -> str | None:
        """The name of the action that undo() takes back, None if there is none."""
        return self._undo[-1].name if self._undo else None

    @property
    def can_redo(self) -> str | None:
        return self._redo[-1].name if self._redo else None

    def undo(self) -> str | None:
        """Take the last action back; returns the recording that it concerned."""
        return self._travel(self._undo, self._redo, "before")

    def redo(self) -> str | None:
        """Do again what was undone last; returns the recording that it concerned."""
        return self._travel(self._redo, self._undo, "after")

    def _travel(self, source: list[_Step], target: list[_Step], side: str) -> str | None:
        with self._lock:
            if not source:
                return None
            step = source[-1]
            moves = step.moves if side == "after" else [(b, a) for a, b in reversed(step.moves)]
            with _moved(moves):
                self._save(getattr(step, side))
            target.append(source.pop())
        for recording in step.after:
            self._notify(recording)
        return next(iter(step.after), None)

    def reload(self) -> None:
        """Read the file again, after another program changed it. This clears the history."""
        with self._lock:
            self._read()
        self._notify("")

    def refresh(self) -> None:
        """Read the file again if another program changed the labels in it.

        A file that says the same in other bytes keeps the history. Raises BeckonError if the
        file is broken now.
        """
        found = self._on_disk()
        if found == self._bytes:
            return
        if read_labels_file(self.path) == self._table(self._items):
            self._bytes = found
        else:
            self.reload()

    def _on_disk(self) -> bytes | None:
        try:
            return self.path.read_bytes()
        except FileNotFoundError:
            return None

    # listeners

    def listen(self, callback: Callable[[str], None]) -> Callable[[], None]:
        """Call callback(recording) after each change ("": all). Returns how to end that."""
        self._listeners.append(callback)
        return lambda: self._listeners.remove(callback)

    def _notify(self, recording: str) -> None:
        for callback in list(self._listeners):
            callback(recording)

    # saving

    @contextmanager
    def action(self, name: str, recordings: list[str], moves: Iterable[tuple[Path, Path]] = ()
               ) -> Iterator[dict[str, tuple[Item, ...]]]:  # fmt: skip
        """Yield the items of the recordings, to be changed; save them; remember the step.

        moves: files to move along, (from, to); undo moves them back.
        """
        with self._lock:
            before = {r: self.spans(r) for r in recordings}
            after = dict(before)
            yield after
            after = {r: tuple(sorted(items, key=lambda i: i.start_ms))
                     for r, items in after.items()}
            moves = tuple(moves)
            if after == before and not moves:
                return
            with _moved(moves):
                self._save(after)
            self._undo.append(_Step(name, before, after, moves))
            del self._undo[:-_HISTORY]
            self._redo.clear()
        for recording in after:
            self._notify(recording)

    def _save(self, changed: dict[str, tuple[Item, ...]]) -> None:
        """Write the file with these changes first, then keep them in memory."""
        if self._on_disk() != self._bytes:
            raise ChangedOutside("{name} has been changed by another program: reload it, then go "
                                 "on", name=self.path.name)
        items = {**self._items, **changed}
        self._bytes = write_labels_file(self.path, self._table(items))
        self._items = items
        self.version += 1

    def _table(self, items: dict[str, tuple[Item, ...]]) -> LabelsTable:
        return LabelsTable(
            {name: [Row(i.start_ms, i.end_ms, i.label, i.subject, i.other) for i in group]
             for name, group in items.items() if group},
            self._other,
        )

    def _fit(self, others: Iterable[Item], recording: str, start_ms: float,
             end_ms: float) -> tuple[float, float]:
        """The ends, in order, inside the recording and clear of the others."""
        start, end = sorted((start_ms, end_ms))
        low, high = self._limits.get(recording, (0.0, float("inf")))
        middle = (start + end) / 2
        for other in others:
            if other.start_ms <= middle < other.end_ms:
                raise _NoRoom("there is a span {label!r} already: drag its edges, or delete it "
                              "first", label=other.label)
            if other.end_ms <= middle:
                low = max(low, other.end_ms)
            else:
                high = min(high, other.start_ms)
        start, end = round(max(start, low), 1), round(min(end, high), 1)
        if not end - start >= LEAST_MS:
            raise _NoRoom("a span needs at least {least_ms:.0f} ms of free room",
                          least_ms=LEAST_MS)
        return start, end


class ChangedOutside(BeckonError):
    """Another program has written the file since we read it; reload() helps."""


class _NoRoom(BeckonError):
    pass


@contextmanager
def _moved(moves: Iterable[tuple[Path, Path]]) -> Iterator[None]:
    """Move files for the block; back again if one cannot be moved or the block fails."""
    done: list[tuple[Path, Path]] = []
    try:
        for old, new in moves:
            if new.exists():
                raise BeckonError("{new} is there already: {old} cannot take its place",
                                  new=new.name, old=old.name)
            try:
                new.parent.mkdir(parents=True, exist_ok=True)
                old.rename(new)
            except OSError as error:
                raise BeckonError("{old} cannot be moved ({reason}); nothing has changed",
                                  old=old.name, reason=error.strerror) from None
            done.append((old, new))
        yield
    except BeckonError:
        for old, new in reversed(done):
            new.rename(old)
        raise


def clean(text: str, what: str) -> str:
    """Text that fits into a CSV line and onto a screen. Raises BeckonError."""
    text = " ".join(text.split())
    if len(text) > 60:
        raise BeckonError("the {what} has {count} characters; use at most 60", what=what,
                          count=len(text))
    if not text.isprintable():
        raise BeckonError("the {what} {text!r} has characters that cannot be displayed", what=what,
                          text=text)
    return text
