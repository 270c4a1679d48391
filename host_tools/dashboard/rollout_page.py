"""The page of roll-outs: make one, see how each device does, pause, go on, abort."""

import time
from collections import Counter
from typing import Any

from nicegui import run, ui
from sqlalchemy import Engine

from host_tools.dashboard.reading import fill, moment, read
from host_tools.errors import BeckonError
from host_tools.mqtt.remote_device import MODEL_BYTES_MAX
from host_tools.rollout import people
from host_tools.rollout.pace import PacedFigures
from host_tools.rollout.plan import STAGES, Wanted, start
from host_tools.rollout.rules import Rules
from host_tools.rollout.steps import FAILED
from host_tools.store import queries, rollouts
from host_tools.store.rollout_figures import Figures

_LOOK_S = 2.0
_SHOWN = 200  # devices of one roll-out
_PAST = 10  # roll-outs
_ORDER = (*FAILED, "unreachable", "trial", "sending", "waiting", "updated", "already")
_WORDS = {"waiting": "waiting", "sending": "being sent", "trial": "watched", "updated": "updated",
          "already": "had it already", "refused": "refused it", "missing": "not back",
          "rolled_back": "took the old one back", "broken": "in safe mode",
          "unreachable": "did not answer"}  # fmt: skip
_ICONS = {"running": "play_circle", "paused": "pause_circle", "stopped": "report",
          "done": "check_circle", "aborted": "cancel"}  # fmt: skip
_RULES = (
    ("failed_percent", "Devices that may fail, %"),
    ("restarted_percent", "Devices that may restart unasked, %"),
    ("lost_percent", "Samples lost more than before, points"),
    ("false_alarm_percent", "False alarms more than before, points"),
    ("back_s", "Back within, s"),
    ("watch_s", "Watched before the next stage, s"),
)


async def page(engine: Engine, person: str) -> None:
    """All of it; what changes is looked at every two seconds."""
    models, known = await read(engine, lambda c: (queries.models(c), rollouts.model_files(c)))
    present = [name for name, _ in models if name]
    at_work = ui.element("div").classes("bk-stack")
    _form(engine, person, present, known)
    past = ui.element("div").classes("bk-stack")
    seen: list[Any] = []
    paced = PacedFigures()

    async def look() -> None:
        found = await read(engine, _look, paced)
        if seen and seen[0] == found:
            return
        seen[:] = [found]
        now, before = found
        fill(at_work, lambda: _at_work(engine, person, now))
        fill(past, lambda: _past(before))

    await look()
    ui.timer(_LOOK_S, look, immediate=False)


def _look(connection: Any, paced: PacedFigures) -> tuple[list[Any], list[Any]]:
    now: list[Any] = []
    past: list[Any] = []
    for one in rollouts.rollouts(connection, 50):
        if one.condition in rollouts.UNFINISHED:
            targets = rollouts.targets(connection, one.id)
            now_ms = time.time_ns() // 10**6
            alive = one.runner_ms > now_ms - rollouts.LEASE_MS
            rules = Rules.of(one.rules)
            before, after = paced.of(connection, one.id, int(3.6e6 * rules.baseline_h), now_ms)
            rows = [(t.device, t.step, t.old_model, t.detail) for t in targets]
            # Without what changes each time, so that the page rests when nothing happens.
            now.append((one._replace(runner_ms=0), rows, alive, before, after._replace(hours=0.0)))
        elif len(past) < _PAST:
            past.append((one._replace(runner_ms=0), rollouts.step_counts(connection, one.id)))
    return now, past


def _at_work(engine: Engine, person: str, now: list[Any]) -> None:
    for one in now:
        _one(engine, person, *one)


def _one(engine: Engine, person: str, one: rollouts.Rollout, rows: list[tuple], alive: bool,
         before: Figures, after: Figures) -> None:  # fmt: skip
    """One that is not finished."""

    async def do(what: str) -> None:
        try:
            await run.io_bound(people.change, engine, one.id, what, person)
        except BeckonError as fault:
            ui.notify(str(fault), type="warning")

    def ask_abort() -> None:
        with ui.dialog() as dialog, ui.card():
            ui.label(f"Abort roll-out {one.id}?").classes("bk-title")
            ui.label("No other device gets the model. Those that have it keep it.")
            with ui.element("div").classes("bk-row"):
                async def abort() -> None:
                    dialog.close()
                    await do("abort")

                _button("Abort it", "cancel", abort)
                _button("Back", None, dialog.close, plain=True)
        dialog.open()

    with ui.element("section").classes("bk-card bk-stack"):
        with ui.element("div").classes("bk-between"):
            with ui.element("div").classes("bk-row"):
                ui.icon(_ICONS[one.condition]).classes(
                    f"bk-mark bk-{'bad' if one.condition == 'stopped' else 'good'}")
                ui.label(f"Roll-out {one.id}: model {one.model}, {one.condition}").classes(
                    "bk-title")
            with ui.element("div").classes("bk-row"):
                if one.condition == "running":
                    _button("Pause", "pause", lambda: do("pause"))
                else:
                    _button("Go on", "play_arrow", lambda: do("continue"))
                _button("Abort", "cancel", ask_abort, plain=True)
        if one.reason:
            ui.label(one.reason).classes("bk-message").props('role="status"')
        if not alive:
            ui.label("Nobody carries it out. Start `beckon rollout run --keys FILE`, or this "
                     "dashboard with --keys.").classes("bk-message")  # fmt: skip
        counts = Counter(step for _, step, _, _ in rows)
        done = sum(counts[step] for step in ("updated", "already"))
        ui.label(f"Stage {one.stage + 1} of {len(one.stages)}: up to "
                 f"{one.stages[min(one.stage, len(one.stages) - 1)]} of {len(rows)} devices. "
                 f"{done} have it.")  # fmt: skip
        with ui.element("div").classes("bk-bar").props(
                f'role="progressbar" aria-valuenow={done} aria-valuemax={len(rows)} '
                f'aria-label="devices that have the model"'):  # fmt: skip
            ui.element("div").style(f"width: {100 * done / max(1, len(rows)):.1f}%")
        with ui.element("div").classes("bd-legend"):
            for step in _ORDER:
                if counts[step]:
                    ui.label(f"{_WORDS[step]}: {counts[step]:,}").classes(
                        "bk-bad" if step in FAILED else "")
        if after.devices:
            ui.label(
                f"With the new model: {after.lost_percent:.2f} % of the samples lost (before "
                f"{before.lost_percent:.2f} %), {after.false_alarm_percent:.1f} % marked as false "
                f"alarms (before {before.false_alarm_percent:.1f} %), {after.restarts} of "
                f"{after.devices} devices restarted unasked").classes("bk-quiet")
        _devices(rows)


def _devices(rows: list[tuple]) -> None:
    order = {step: i for i, step in enumerate(_ORDER)}
    ranked = sorted(rows, key=lambda row: (order[row[1]], row[0]))[:_SHOWN]
    columns = [{"name": name, "label": label, "field": name, "align": "left"}
               for name, label in (("device", "Device"), ("step", "Model"), ("old", "Before"),
                                   ("detail", ""))]  # fmt: skip
    with ui.element("div").classes("bk-scroll bd-short"):
        table = ui.table(columns=columns, row_key="device", rows=[
            {"device": device, "step": _WORDS[step], "old": old or "–", "detail": detail}
            for device, step, old, detail in ranked]).classes("bd-table")  # fmt: skip
        table.props("flat hide-pagination dense").props(f":rows-per-page-options=[{_SHOWN}]")
    if len(rows) > len(ranked):
        ui.label(f"and {len(rows) - len(ranked):,} more; beckon rollout show has all").classes(
            "bk-quiet")


def _past(before: list[Any]) -> None:
    if not before:
        return
    with ui.element("section").classes("bk-card bk-stack"):
        ui.label("Finished").classes("bk-title")
        for one, counts in before:
            said = ", ".join(f"{counts[step]:,} {_WORDS[step]}"
                             for step in _ORDER if step in counts)  # fmt: skip
            with ui.element("div").classes("bk-row"):
                ui.icon(_ICONS[one.condition]).classes(
                    f"bk-mark bk-{'good' if one.condition == 'done' else 'quiet'}")
                ui.label(f"{one.id}: model {one.model}, {one.condition}, {moment(one.at_ms)} by "
                         f"{one.person}; {said}").classes("bk-grow")  # fmt: skip


def _form(engine: Engine, person: str, present: list[str], known: list[str]) -> None:
    """A new one."""
    content: dict[str, bytes] = {}
    with ui.element("section").classes("bk-card bk-stack"):
        ui.label("New roll-out").classes("bk-title")
        ui.label("The model goes to the first devices, is watched there, and then goes to more. It "
                 "stops when devices do not come back or do worse than before."
                 ).classes("bk-quiet")  # fmt: skip
        with ui.element("div").classes("bd-filters"):
            again = ui.select({"": "a file", **{name: name for name in known}}, value="",
                              label="Model")  # fmt: skip
            again.props("outlined dense").classes("bk-field")
            upload = ui.upload(label="Model file (.mlp)", auto_upload=True, max_files=1,
                               max_file_size=4 * MODEL_BYTES_MAX).classes("bd-upload")
            upload.props('accept=".mlp" flat bordered')
            upload.bind_visibility_from(again, "value", backward=lambda value: not value)
        with ui.element("div").classes("bd-filters"):
            devices = _field("Devices, by name", "", "all")
            share = _field("How many of them", "100%", "3 or 20%")
            running = ui.select({"": "any", **{name: name for name in present}}, value="",
                                label="That run model").props("outlined dense").classes("bk-field")
            stages = _field("Stages", STAGES, STAGES)
        with ui.expansion("When it stops").classes("bk-wide") as more:
            more.props("dense")
            defaults = Rules()
            with ui.element("div").classes("bd-filters"):
                numbers = {name: ui.number(words, value=getattr(defaults, name), min=0)
                           .props("outlined dense").classes("bk-field bd-rule")
                           for name, words in _RULES}  # fmt: skip
        fault = ui.label("").classes("bk-message").props('role="alert"')
        fault.set_visibility(False)

        async def take(event: Any) -> None:
            content["file"] = await event.file.read()

        upload.on_upload(take)
        upload.on_rejected(lambda: say("This is not a model file: it is too large, or its name "
                                       "does not end in .mlp"))  # fmt: skip

        def say(words: str) -> None:
            fault.set_text(words)
            fault.set_visibility(bool(words))

        async def begin() -> None:
            data = content.get("file")
            if again.value:
                data = await run.io_bound(rollouts.model_file, engine, again.value)
            if data is None:
                say("Choose a model file first.")
                return
            names = [name.strip() for name in (devices.value or "").split(",") if name.strip()]
            try:
                rules = Rules.of({name: number.value for name, number in numbers.items()})
                wanted = Wanted(data, names, share.value or "100%", running.value or "",
                                stages.value or STAGES, rules, person or "local")  # fmt: skip
                await run.io_bound(start, engine, wanted)
            except BeckonError as error:
                say(str(error))
                return
            say("")
            content.clear()
            upload.reset()

        _button("Start the roll-out", "rocket_launch", begin)


def _field(label: str, value: str, hint: str) -> ui.input:
    field = ui.input(label, value=value, placeholder=hint)
    field.props("outlined dense").classes("bk-field")
    return field


def _button(text: str, icon: str | None, act: Any, plain: bool = False) -> None:
    button = ui.button(text, icon=icon, color=None, on_click=act).props("flat no-caps")
    button.classes(f"bk-button {'bk-plain' if plain else 'bk-primary'}")
