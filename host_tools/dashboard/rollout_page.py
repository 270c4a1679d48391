"""The page of roll-outs: make one, see how each device does, pause, go on, abort."""

import time
from collections import Counter
from typing import Any

from nicegui import run, ui
from sqlalchemy import Engine

from host_tools.dashboard.reading import CELL, fill, moment, read, storing
from host_tools.dashboard.stored import stored
from host_tools.dashboard.tab import Tab
from host_tools.errors import BeckonError
from host_tools.mqtt.remote_device import MODEL_BYTES_MAX
from host_tools.rollout import people
from host_tools.rollout.pace import PacedFigures
from host_tools.rollout.plan import STAGES, Wanted, start
from host_tools.rollout.rules import Rules
from host_tools.rollout.steps import FAILED
from host_tools.store import queries, rollouts
from host_tools.store.rollout_figures import Figures
from host_tools.studio.frame.language import later, number, said, tr

_LOOK_S = 2.0
_SHOWN = 200  # devices of one roll-out
_PAST = 10  # roll-outs
_ORDER = (*FAILED, "unreachable", "trial", "sending", "waiting", "updated", "already")
_WORDS = {"waiting": later("waiting"), "sending": later("being sent"),
          "trial": later("watched"), "updated": later("updated"),
          "already": later("had it already"), "refused": later("refused it"),
          "missing": later("not back"), "rolled_back": later("took the old one back"),
          "broken": later("in safe mode"), "unreachable": later("did not answer")}  # fmt: skip
_CONDITIONS = {"running": later("running"), "paused": later("paused"),
               "stopped": later("stopped"), "done": later("done"),
               "aborted": later("aborted")}  # fmt: skip
_ICONS = {"running": "play_circle", "paused": "pause_circle", "stopped": "report",
          "done": "check_circle", "aborted": "cancel"}  # fmt: skip
_RULES = (
    ("failed_percent", later("Devices that may fail, %")),
    ("restarted_percent", later("Devices that may restart unasked, %")),
    ("lost_percent", later("Samples lost more than before, points")),
    ("false_alarm_percent", later("False alarms more than before, points")),
    ("back_s", later("Back within, s")),
    ("watch_s", later("Watched before the next stage, s")),
)


async def page(engine: Engine, tab: Tab, person: str) -> None:
    """All of it; what changes is looked at every two seconds."""
    models, known = await read(engine, lambda c: (queries.models(c), rollouts.model_files(c)))
    present = [name for name, _ in models if name]
    at_work = ui.element("div").classes("bk-stack")
    _form(engine, person, present, known)
    past = ui.element("div").classes("bk-stack")
    paced = PacedFigures()  # of the first tab: one question serves all

    def show(found: tuple[list[Any], list[Any]]) -> None:
        now, before = found
        fill(at_work, lambda: _at_work(engine, person, now))
        fill(past, lambda: _past(before))

    await tab.follow(tab.feed.question("rollouts", ask=lambda c: _look(c, paced),
                                       every_s=_LOOK_S), show)  # fmt: skip


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
            with storing():
                await run.io_bound(people.change, engine, one.id, what, person)
        except BeckonError as fault:
            ui.notify(said(fault), type="warning")

    def ask_abort() -> None:
        with ui.dialog() as dialog, ui.card():
            ui.label(tr("Abort roll-out {id}?", id=one.id)).classes("bk-title")
            ui.label(tr("No other device gets the model. Those that have it keep it."))
            with ui.element("div").classes("bk-row"):
                async def abort() -> None:
                    dialog.close()
                    await do("abort")

                _button(tr("Abort it"), "cancel", abort)
                _button(tr("Back"), None, dialog.close, plain=True)
        dialog.open()

    with ui.element("section").classes("bk-card bk-stack"):
        with ui.element("div").classes("bk-between"):
            with ui.element("div").classes("bk-row"):
                ui.icon(_ICONS[one.condition]).classes(
                    f"bk-mark bk-{'bad' if one.condition == 'stopped' else 'good'}")
                ui.label(tr("Roll-out {id}: model {model}, {condition}", id=one.id, model=one.model,
                            condition=tr(_CONDITIONS[one.condition]))).classes(
                    "bk-title")  # fmt: skip
            with ui.element("div").classes("bk-row"):
                if one.condition == "running":
                    _button(tr("Pause"), "pause", lambda: do("pause"))
                else:
                    _button(tr("Go on"), "play_arrow", lambda: do("continue"))
                _button(tr("Abort"), "cancel", ask_abort, plain=True)
        if one.reason:
            ui.label(stored(one.reason)).classes("bk-message").props('role="status"')
        if not alive:
            ui.label(tr("Nobody carries it out. Start beckon rollout run --keys FILE, or this "
                        "dashboard with --keys.")).classes("bk-message")  # fmt: skip
        counts = Counter(step for _, step, _, _ in rows)
        done = sum(counts[step] for step in ("updated", "already"))
        ui.label(tr("Stage {stage} of {stages}: up to {most:,} of {all:,} devices. {done:,} have "
                    "it.", stage=one.stage + 1, stages=len(one.stages),
                    most=one.stages[min(one.stage, len(one.stages) - 1)], all=len(rows),
                    done=done))  # fmt: skip
        with ui.element("div").classes("bk-bar").props(
                f'role="progressbar" aria-valuenow={done} aria-valuemax={len(rows)} '
                f'aria-label="{tr("devices that have the model")}"'):  # fmt: skip
            ui.element("div").style(f"width: {100 * done / max(1, len(rows)):.1f}%")
        with ui.element("div").classes("bd-legend"):
            for step in _ORDER:
                if counts[step]:
                    ui.label(f"{tr(_WORDS[step])}: {number(counts[step])}").classes(
                        "bk-bad" if step in FAILED else "")
        if after.devices:
            ui.label(tr(
                "With the new model: {lost:.2f} % of the samples lost (before {lost_before:.2f} "
                "%), {alarms:.1f} % marked as false alarms (before {alarms_before:.1f} %), "
                "{restarts:,} of {devices:,} devices restarted unasked",
                lost=after.lost_percent, lost_before=before.lost_percent,
                alarms=after.false_alarm_percent, alarms_before=before.false_alarm_percent,
                restarts=after.restarts, devices=after.devices)).classes("bk-quiet")
        _devices(rows)


def _devices(rows: list[tuple]) -> None:
    order = {step: i for i, step in enumerate(_ORDER)}
    ranked = sorted(rows, key=lambda row: (order[row[1]], row[0]))[:_SHOWN]
    columns = [{"name": name, "label": label, "field": name, "align": "left"}
               for name, label in (("device", tr("Device")), ("step", tr("Model")),
                                   ("old", tr("Before")), ("detail", ""))]  # fmt: skip
    with ui.element("div").classes("bk-scroll bd-short"):
        table = ui.table(columns=columns, row_key="device", rows=[
            {"device": device, "step": tr(_WORDS[step]), "old": old or "–",
             "detail": stored(detail)}
            for device, step, old, detail in ranked]).classes("bd-table")  # fmt: skip
        table.add_slot("body-cell", CELL)
        table.props("flat hide-pagination dense").props(f":rows-per-page-options=[{_SHOWN}]")
    if len(rows) > len(ranked):
        ui.label(tr("and {n:,} more; beckon rollout show has all",
                    n=len(rows) - len(ranked))).classes("bk-quiet")  # fmt: skip


def _past(before: list[Any]) -> None:
    if not before:
        return
    with ui.element("section").classes("bk-card bk-stack"):
        ui.label(tr("Finished")).classes("bk-title")
        for one, counts in before:
            steps = ", ".join(f"{number(counts[step])} {tr(_WORDS[step])}"
                              for step in _ORDER if step in counts)  # fmt: skip
            with ui.element("div").classes("bk-row"):
                ui.icon(_ICONS[one.condition]).classes(
                    f"bk-mark bk-{'good' if one.condition == 'done' else 'quiet'}")
                ui.label(tr("{id}: model {model}, {condition}, {time} by {person}; {steps}",
                            id=one.id, model=one.model, condition=tr(_CONDITIONS[one.condition]),
                            time=moment(one.at_ms), person=one.person, steps=steps)
                         ).classes("bk-grow")  # fmt: skip


def _form(engine: Engine, person: str, present: list[str], known: list[str]) -> None:
    """A new one."""
    content: dict[str, bytes] = {}
    with ui.element("section").classes("bk-card bk-stack"):
        ui.label(tr("New roll-out")).classes("bk-title")
        ui.label(tr("The model goes to the first devices, is watched there, and then goes to more. "
                    "It stops when devices do not come back or do worse than before.")
                 ).classes("bk-quiet")  # fmt: skip
        with ui.element("div").classes("bd-filters"):
            again = ui.select({"": tr("a file"), **{name: name for name in known}}, value="",
                              label=tr("Model"))  # fmt: skip
            again.props("outlined dense").classes("bk-field")
            upload = ui.upload(label=tr("Model file (.mlp)"), auto_upload=True, max_files=1,
                               max_file_size=4 * MODEL_BYTES_MAX).classes("bd-upload")
            upload.props('accept=".mlp" flat bordered')
            upload.bind_visibility_from(again, "value", backward=lambda value: not value)
        with ui.element("div").classes("bd-filters"):
            devices = _field(tr("Devices, by name"), "", tr("all"))
            share = _field(tr("How many of them"), "100%", tr("3 or 20%"))
            running = ui.select({"": tr("any"), **{name: name for name in present}}, value="",
                                label=tr("That run model"))  # fmt: skip
            running.props("outlined dense").classes("bk-field")
            stages = _field(tr("Stages"), STAGES, STAGES)
        with ui.expansion(tr("When it stops")).classes("bk-wide") as more:
            more.props("dense")
            defaults = Rules()
            with ui.element("div").classes("bd-filters"):
                numbers = {name: ui.number(tr(words), value=getattr(defaults, name), min=0)
                           .props("outlined dense").classes("bk-field bd-rule")
                           for name, words in _RULES}  # fmt: skip
        fault = ui.label("").classes("bk-message").props('role="alert"')
        fault.set_visibility(False)

        async def take(event: Any) -> None:
            content["file"] = await event.file.read()

        upload.on_upload(take)
        upload.on_rejected(lambda: say(tr("This is not a model file: it is too large, or its name "
                                          "does not end in .mlp")))  # fmt: skip

        def say(words: str) -> None:
            fault.set_text(words)
            fault.set_visibility(bool(words))

        async def begin() -> None:
            data = content.get("file")
            if again.value:
                data = await run.io_bound(rollouts.model_file, engine, again.value)
            if data is None:
                say(tr("Choose a model file first."))
                return
            names = [name.strip() for name in (devices.value or "").split(",") if name.strip()]
            try:
                rules = Rules.of({name: number.value for name, number in numbers.items()})
                wanted = Wanted(data, names, share.value or "100%", running.value or "",
                                stages.value or STAGES, rules, person or "local")  # fmt: skip
                with storing():
                    await run.io_bound(start, engine, wanted)
            except BeckonError as error:
                say(said(error))
                return
            say("")
            content.clear()
            upload.reset()

        _button(tr("Start the roll-out"), "rocket_launch", begin)


def _field(label: str, value: str, hint: str) -> ui.input:
    field = ui.input(label, value=value, placeholder=hint)
    field.props("outlined dense").classes("bk-field")
    return field


def _button(text: str, icon: str | None, act: Any, plain: bool = False) -> None:
    button = ui.button(text, icon=icon, color=None, on_click=act).props("flat no-caps")
    button.classes(f"bk-button {'bk-plain' if plain else 'bk-primary'}")
