"""The Train page's streams: events over the signal, why each came, and how to correct it."""
from __future__ import annotations

from collections import Counter

from nicegui import run, ui

from host_tools.dataset import IDLE_LABEL
from host_tools.errors import BeckonError
from host_tools.evaluation.matching import DUPLICATE, FALSE, HIT
from host_tools.studio.frame.language import later, number, tr, tr_n
from host_tools.studio.frame.project import Project
from host_tools.studio.frame.theme import IDLE_COLOUR, label_colour
from host_tools.studio.frame.widgets import Area, choice, mark, warn
from host_tools.studio.signal.signal_view import Curve, Flag, SignalView, SpanMark
from host_tools.studio.train.session import MISSED, Happening, TrainSession

_AROUND_MS = (3000.0, 2500.0)
_LISTED = 300
_WORDS = {HIT: later("right"), FALSE: later("false"), DUPLICATE: later("twice"),
          MISSED: later("missed")}


class StreamsPanel:
    """The signal of one recording with its events and misses; and the list of them."""

    def __init__(self, project: Project, trainer: TrainSession):
        self._project, self._trainer = project, trainer
        self._form = {"wrong": True}
        self._recording = ""
        self._selected: Happening | None = None
        self._handled: dict[tuple[str, float, str], str] = {}
        self._shown: list[Happening] = []
        self._results = self._version = -1
        self._about = 0

    def build_signal(self) -> None:
        """The card with the signal."""
        with ui.element("div").classes("bk-card bk-stack") as self._card:
            with ui.element("div").classes("bk-between"):
                self._pick = ui.select([], label=tr("Recording")).props(
                    "outlined dense options-dense")
                self._pick.style("min-width: 15rem")
                self._pick.on_value_change(lambda e: self._open(e.value))
                self._note = ui.label().classes("bk-quiet bk-small")
            self._why = Area("bk-stack")
            self._signal = SignalView(height="min(58vh, 34rem)")
            self._signal.on_flag(self._clicked)

    def build_list(self) -> None:
        """The card with the events and misses."""
        with ui.element("div").classes("bk-card bk-stack") as self._list_card:
            choice({True: tr("Mistakes"), False: tr("All events")}, self._form, "wrong",
                   self._relist)
            self._list = Area("bk-happenings")

    def refresh(self) -> None:
        trainer = self._trainer
        there = trainer.evaluation is not None
        self._card.set_visibility(there)
        self._list_card.set_visibility(there)
        if not there or trainer.version == self._version:
            return
        self._version = trainer.version
        if trainer.results != self._results:
            self._results = trainer.results
            self._handled.clear()
            self._selected = None
            self._begin()
        self._relist()
        if self._selected is not None:  # with other settings the event may be gone
            same = [h for h in trainer.happenings(self._selected.recording)
                    if (h.kind, h.label) == (self._selected.kind, self._selected.label)
                    and abs(h.t_ms - self._selected.t_ms) < 500]
            self._select(same[0] if same else None, look=False)
        self._flags()

    def _begin(self) -> None:
        """Offer the recordings of a new evaluation; open the first that has a mistake."""
        found = self._trainer.evaluation
        assert found
        wrong: Counter[str] = Counter()
        for s in found.streams:
            wrong[s.recording.name] += s.wrong
        names = {name: tr("{name} ({n} wrong)", name=name, n=n) if n else name
                 for name, n in wrong.items()}
        first = max(wrong, key=lambda name: wrong[name])
        self._recording = ""
        self._pick.set_options(names, value=first)
        self._open(first)

    def _open(self, name: str) -> None:
        if not name or name == self._recording:
            return
        self._recording = name
        streams = self._trainer.streams(name)
        if not streams:
            return
        labels = self._labels()
        self._signal.show_recording(name)
        self._signal.set_curves([])
        self._signal.set_spans([
            SpanMark(i, s.start_ms, s.end_ms, s.label, label_colour(labels, s.label))
            for i, s in enumerate(s for _, part in streams for s in part.recording.spans)
        ])
        self._flags()

    def _labels(self) -> list[str]:
        found = self._trainer.evaluation
        return list(found.model.labels) if found else []

    def _flags(self) -> None:
        if not self._recording:
            return
        self._on_signal = self._trainer.happenings(self._recording)
        self._signal.set_flags([
            Flag(h.t_ms, f"{h.label} {h.confidence} %" if h.kind != MISSED else h.label,
                 {HIT: "hit", FALSE: "false", DUPLICATE: "duplicate", MISSED: "missed"}[h.kind])
            for h in self._on_signal
        ])
        self._signal.set_threshold(float(self._trainer.settings.threshold_percent))
        wrong = sum(h.wrong for h in self._on_signal)
        self._note.set_text(tr("{right} right, {wrong} wrong",
                               right=len(self._on_signal) - wrong, wrong=wrong))

    def _clicked(self, index: int) -> None:
        if 0 <= index < len(self._on_signal):
            self._select(self._on_signal[index])

    # the list

    def _relist(self) -> None:
        wrong = self._form["wrong"]
        self._shown = self._trainer.happenings(wrong=wrong)
        self._list.show((self._version, wrong, self._selected, tuple(self._handled)),
                        self._build_list)

    def _build_list(self) -> None:
        self._list.key("ArrowDown", tr("next and previous event"), lambda: self._step(1),
                       group="step", repeat=True)
        self._list.key("ArrowUp", "", lambda: self._step(-1), group="step", repeat=True)
        if not self._shown:
            heard = self._trainer.tuned_tally.truth
            ui.label(tr("No mistakes here. New people and everyday movement are the harder test.")
                     if heard else tr("No gesture was judged, so there is nothing to tell.")
                     ).classes("bk-quiet")
        for h in self._shown[:_LISTED]:
            self._item(h)
        if len(self._shown) > _LISTED:
            ui.label(tr_n("and {n} more", "and {n} more",
                          len(self._shown) - _LISTED)).classes("bk-quiet")

    def _item(self, h: Happening) -> None:
        with ui.element("button").classes("bk-happening").props(
                f'aria-selected="{"true" if h == self._selected else "false"}"') as item:
            mark(h.kind)
            ui.label(f"{tr(_WORDS[h.kind])}: {h.label}")
            ui.label(f"{number(h.t_ms / 1000, '.1f')} s")
            done = self._handled.get(_place(h))
            sure = tr(", {percent} % sure", percent=h.confidence) if h.kind != MISSED else ""
            ui.label(done or f"{h.recording}{sure}").classes(
                "bk-under bk-small " + ("bk-good" if done else "bk-quiet"))
        item.on("click", lambda: self._select(h))

    def _step(self, by: int) -> None:
        if not self._shown:
            return
        if self._selected in self._shown:
            at = self._shown.index(self._selected) + by
        else:
            at = 0 if by > 0 else len(self._shown) - 1
        self._select(self._shown[min(len(self._shown) - 1, max(0, at))])

    # one of them

    def _select(self, h: Happening | None, look: bool = True) -> None:
        self._selected = h
        self._about += 1
        if h is None:
            self._signal.set_curves([])
            self._why.show(None, lambda: None)
            self._relist()
            return
        if h.recording != self._recording:
            self._pick.set_value(h.recording)
        if look:
            self._signal.look_at(h.t_ms - _AROUND_MS[0], h.t_ms + _AROUND_MS[1])
            self._signal.set_cursor(h.t_ms)
            ui.run_javascript(
                f"document.getElementById('c{self._card.id}').scrollIntoView({{block: 'start'}})")
        self._relist()
        ui.timer(0, lambda: self._explain(h, self._about), once=True)

    async def _explain(self, h: Happening, number: int) -> None:
        found = await run.io_bound(lambda: (self._trainer.shares(h), self._trainer.why(h)))
        if found is None or number != self._about:
            return  # another one was chosen meanwhile
        around, why = found
        labels = self._labels()
        self._signal.set_curves([
            Curve(label, label_colour(labels, label) if label != labels[self._idle()]
                  else IDLE_COLOUR, around.t_ms, around.percent[:, k])
            for k, label in enumerate(labels)
        ])
        self._why.show((h, why, self._handled.get(_place(h))), lambda: self._build_why(h, why))

    def _idle(self) -> int:
        found = self._trainer.evaluation
        return found.model.idle if found else 0

    def _build_why(self, h: Happening, why: str) -> None:
        with ui.element("div").classes("bk-row").style("flex-wrap: nowrap"):
            mark(h.kind)
            ui.label(why[:1].upper() + why[1:] + ".").style("font-weight: 600")
        done = self._handled.get(_place(h))
        with ui.element("div").classes("bk-row"):
            if done:
                learns = done == tr("Added as a negative")
                ui.label(done + (tr("; the next training learns from it.") if learns else
                                 ".")).classes("bk-good")
                self._why.button(tr("Undo"), "undo", self._undo, "mod+z")
                if not learns:
                    self._why.button(tr("Judge again"), "refresh", self._again, "g",
                                     kind="primary")
            elif h.kind != HIT:
                self._actions(h)

    def _actions(self, h: Happening) -> None:
        labels = [label for k, label in enumerate(self._labels()) if k != self._idle()]
        if h.kind == MISSED:
            self._why.button(tr("Remove this label"), "label_off", lambda: self._unlabel(h),
                             "Delete")
        ui.label(tr("It was")).classes("bk-quiet")
        for n, label in enumerate(labels[:9], 1):
            if h.kind == MISSED and label == h.label:
                continue
            self._why.button(label, None, lambda label=label: self._relabel(h, label), str(n),
                             hint=tr("it was {label}", label=label))
        if h.kind != MISSED:
            self._why.button(tr("No gesture"), "block",
                             lambda: self._relabel(h, IDLE_LABEL), "n",
                             hint=tr("add as a negative"))

    def _there(self, h: Happening):
        """The labelled span around it, as labels.csv is now."""
        start, end = self._trainer.span_of(h)
        t_ms = h.t_ms if h.kind != MISSED else (start + end) / 2
        items = self._project.labels.spans(h.recording)
        return next((i for i in items if i.start_ms <= t_ms <= i.end_ms), None)

    def _relabel(self, h: Happening, label: str) -> None:
        labels = self._project.labels
        try:
            there = self._there(h)
            if there is not None:
                labels.rename(there.id, label)
                done = tr("Labelled {label}, was {old}", label=label, old=there.label)
            else:
                labels.add(h.recording, *self._trainer.span_of(h), label, h.subject)
                done = tr("Labelled {label}", label=label) if label != IDLE_LABEL \
                    else tr("Added as a negative")
        except BeckonError as error:
            warn(error)
            return
        self._mark_handled(h, done)

    def _unlabel(self, h: Happening) -> None:
        there = self._there(h)
        if there is None:
            return
        try:
            self._project.labels.delete(there.id)
        except BeckonError as error:
            warn(error)
            return
        self._mark_handled(h, tr("Removed the label {label}", label=there.label))

    def _mark_handled(self, h: Happening, done: str) -> None:
        self._handled[_place(h)] = done
        self._marks()
        self._select(h, look=False)

    def _undo(self) -> None:
        try:
            self._project.labels.undo()
        except BeckonError as error:
            warn(error)
            return
        if self._handled:
            self._handled.popitem()
        self._marks()
        self._select(self._selected, look=False)

    def _marks(self) -> None:
        """The spans as labels.csv has them now."""
        labels = self._labels()
        self._signal.set_spans([
            SpanMark(i.id, i.start_ms, i.end_ms, i.label, label_colour(labels, i.label))
            for i in self._project.labels.spans(self._recording)
        ])

    def _again(self) -> None:
        try:
            self._trainer.judge_again()
        except BeckonError as error:
            warn(error)


def _place(h: Happening) -> tuple[str, float, str]:
    return h.recording, h.t_ms, h.kind
