"""Roll-outs: simulated devices, a real mosquitto, a collector, the store, a killed runner."""

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace

import pytest
from sqlalchemy import text

from host_tools.cli.app import main
from host_tools.errors import BeckonError
from host_tools.fleet.update import WAYS
from host_tools.paths import REPOSITORY
from host_tools.rollout import people, plan
from host_tools.rollout.keys import Keys, read_keys
from host_tools.rollout.plan import Wanted, numbers_of, start
from host_tools.rollout.rules import Rules, stop_reason
from host_tools.rollout.runner import Runner
from host_tools.rollout.steps import judge
from host_tools.store import rollouts
from host_tools.store.database import open_store
from host_tools.store.messages import Batch, Diag, Event, State
from host_tools.store.rollout_figures import Figures, figures
from host_tools.store.tables import DIAG_COUNTERS
from host_tools.store.verdicts import mark
from host_tools.store.writer import Writer
from tests import rollout_rig
from tests.rollout_rig import KEY, a_model, name
from tests.stores import KINDS, fresh_store
from tests.waiting import until

GOOD = 9
DEVICES = GOOD + len(WAYS) - 1  # one of each bad way behind the good ones
PATIENT = Rules(back_s=300, watch_s=1, lost_percent=100)  # of a busy computer


@pytest.fixture(scope="module")
def rig(tmp_path_factory):
    with rollout_rig.rig(tmp_path_factory.mktemp("rollout"), GOOD) as everything:
        yield everything


def found(engine, number):
    with engine.connect() as connection:
        return rollouts.rollout(connection, number), {
            t.device: t for t in rollouts.targets(connection, number)}  # fmt: skip


def carried_out(rig, number, keys=None, condition=None):
    """Run until the roll-out is `condition`, or over; (roll-out, targets, what was said)."""
    said = []
    runner = Runner(rig[1], rig[2], keys or Keys({"*": KEY}), say=said.append, look_s=0.05)
    end = time.monotonic() + 120
    runner.run(lambda: time.monotonic() > end or found(rig[1], number)[0].condition in (
        [condition] if condition else ["stopped", "done"]))  # fmt: skip
    return *found(rig[1], number), said


# -- pure -------------------------------------------------------------------------------------


@pytest.mark.parametrize("words, devices, numbers", [
    ("1, 10%, 100%", 30, [1, 3, 30]), ("1,10%,100%", 5, [1, 5]), ("100%", 1, [1]),
    ("2, 3, 50%", 8, [2, 3, 4]), ("0.1%", 10_000, [10]), ("99", 7, [7]),
])  # fmt: skip
def test_stages(words, devices, numbers):
    assert numbers_of(words, devices) == numbers


@pytest.mark.parametrize("words", ["", "0", "101%", "1.5", "-1", "all", "1,,2", "1e3%"])
def test_what_is_not_a_stage(words):
    with pytest.raises(BeckonError):
        numbers_of(words, 10)


CALM = Figures(10, 240.0, 1, 1_000_000, 1000, 1000, 10)


@pytest.mark.parametrize("tried, failed, after, word", [
    (10, {}, Figures(10, 1.0, 0, 36_000, 36, 50, 0), ""),
    (100, {"missing": 5}, Figures(10, 1.0), ""),
    (100, {"missing": 5, "refused": 1}, Figures(10, 1.0), "6 of 100 devices failed"),
    (1, {"rolled_back": 1}, Figures(), "1 rolled back"),
    (10, {}, Figures(10, 1.0, 1, 36_000, 36), ""),
    (10, {}, Figures(10, 1.0, 2, 36_000, 36), "2 of 10 devices restarted"),
    (10, {}, Figures(10, 1.0, 0, 9_891, 109), ""),
    (10, {}, Figures(10, 1.0, 0, 9_800, 200), "2.00 % of the samples"),
    (10, {}, Figures(10, 1.0, 0, 2, 200), ""),  # too few to say
    (10, {}, Figures(10, 1.0, 0, 36_000, 36, 40, 2), ""),
    (10, {}, Figures(10, 1.0, 0, 36_000, 36, 40, 3), "7.5 % of the gestures"),
])  # fmt: skip
def test_when_it_stops(tried, failed, after, word):
    reason = stop_reason(Rules(), tried, failed, CALM, after)
    assert (word in reason) if word else not reason


def a_target(step="trial", online=True, since_ms=1000, boot=0, **state):
    return rollouts.Target(1, "d", step, since_ms, 0, 0, False, "old", 7, boot, "", online, 2000,
                           {"boot": 8, "model": "new", "crash": "", **state}, 1500)  # fmt: skip


@pytest.mark.parametrize("target, now_ms, step", [
    (a_target(), 2000, "trial"),
    (a_target(), 20_000, "updated"),
    (a_target(boot=8), 2000, None),
    (a_target(since_ms=1600), 2000, None),  # nothing heard since
    (a_target(since_ms=1600), 7000, "missing"),
    (a_target(boot=8, model="old", crash="x\nMemoryError: y"), 2000, "rolled_back"),
    (a_target(model_taken_back=True), 2000, "rolled_back"),
    (a_target(safe_mode="why"), 2000, "broken"),
    (a_target("updated", online=False, boot=8), 4000, "trial"),
    (a_target("updated", online=False, boot=8), 8000, "missing"),
    (a_target("missing", boot=8), 20_000, "updated"),  # it turned up
    (a_target("refused"), 20_000, None),
])  # fmt: skip
def test_how_far_a_device_is(target, now_ms, step):
    change = judge(target, "new", 5000, 10_000, now_ms)
    assert (change.step if change else None) == step


def test_keys_are_private_and_never_shown(tmp_path):
    path = tmp_path / "keys.json"
    path.write_text(json.dumps({"a": "key of a", "*": "of others"}))
    os.chmod(path, 0o644)
    with pytest.raises(BeckonError, match="chmod 600"):
        read_keys(path)
    os.chmod(path, 0o600)
    keys = read_keys(path)
    assert (keys.of("a"), keys.of("b")) == ("key of a", "of others") and "key" not in repr(keys)
    for wrong in ('{"a": "secret', '{"a": 5, "b": "secret"}', '["secret"]', ""):
        path.write_text(wrong)
        with pytest.raises(BeckonError) as fault:
            read_keys(path)
        assert "secret" not in str(fault.value)


@pytest.mark.parametrize("kind", KINDS)
def test_figures_before_and_after(kind, tmp_path, postgres):
    """Two devices; the boots up to 100 are before, those from 200 on after."""
    if kind == "postgresql" and postgres is None:
        pytest.skip("PostgreSQL is not installed")
    now = 1_763_634_400_000
    with fresh_store(kind, tmp_path, postgres) as url:
        engine = open_store(url)
        batch = Batch()
        for device, starts in (("a", (90, 95, 100, 200)), ("b", (100, 200, 201, 202))):
            for i, boot in enumerate(starts):
                at_ms = now + 60_000 * (i - starts.index(200) + 1)
                batch.states.append(State(device, at_ms, boot, f"x{boot}", "{}"))
                counters = {"uptime_ms": 1, "samples": 900, "samples_lost": boot // 2,
                            "ring_overwritten": 0 if boot < 200 else 1}  # fmt: skip
                batch.diags.append(Diag(device, at_ms, boot, tuple(
                    counters.get(c) for c in DIAG_COUNTERS), "{}"))  # fmt: skip
                batch.events += [Event(device, boot, s, at_ms, at_ms, 0, 1, "circle", "m", 90, 90,
                                       True) for s in range(4)]  # fmt: skip
        Writer(engine).write(batch)
        mark(engine, "a", 100, 0, True, "x", now)
        for seq in range(2):
            mark(engine, "b", 201, seq, True, "x", now)
        number = rollouts.create(engine, "m2", ["a", "b"], [1, 2], {}, "x", now)
        with engine.connect() as c:
            ids = {t.device: t.device_id for t in rollouts.targets(c, number)}
        for device in ids.values():
            rollouts.set_target(engine, number, device, step="updated", since_ms=now, old_boot=100,
                                boot=200)  # fmt: skip
        with engine.connect() as c:
            before, after = figures(c, number, 3_600_000, now + 3_600_000)
        assert before == Figures(2, pytest.approx(2 / 60), 2, 4 * 900, 45 + 47 + 50 + 50, 16, 1)
        assert after == Figures(2, 2.0, 1, 4 * 900, 100 + 100 + 100 + 101 + 4, 16, 2)
        rollouts.excuse(engine, number)
        with engine.connect() as c:
            assert figures(c, number, 3_600_000, now) == (Figures(), Figures())
        engine.dispose()


# -- with devices -----------------------------------------------------------------------------


def test_in_stages_to_all_that_are_meant(rig):
    engine = rig[1]
    wanted = Wanted(a_model(0), [name(i) for i in range(6)], stages="1, 50%, 100%", rules=PATIENT)
    number = start(engine, wanted)
    with pytest.raises(BeckonError, match=f"part of roll-out {number}"):
        start(engine, replace(wanted, content=a_model(1)))
    rollout, targets, said = carried_out(rig, number)
    assert (rollout.condition, rollout.stage) == ("done", 2), said
    assert [t.step for t in targets.values()] == ["updated"] * 6
    assert all(t.state["model"] == rollout.model and t.boot > t.old_boot for t in targets.values())
    assert [line.rpartition(", ")[2] for line in said if "stage" in line] == ["3 devices",
                                                                              "6 devices"]
    begun = sorted(t.since_ms for t in targets.values())
    assert begun[1] > begun[0] + 1000 * PATIENT.watch_s  # the first was watched before
    again, targets, _ = carried_out(rig, start(engine, wanted))
    assert {t.step for t in targets.values()} == {"already"} and again.condition == "done"


@pytest.mark.parametrize("way, reason", [
    ("refuse", "1 refused"), ("vanish", "1 missing"), ("roll_back", "1 rolled back"),
    ("restart", "restarted without"), ("lose", "of the samples are lost"),
])  # fmt: skip
def test_it_stops_for(rig, way, reason):
    device = name(GOOD + WAYS.index(way) - 1)
    quick = way == "vanish"  # any other must have time to come back
    rules = Rules(back_s=2 if quick else 300, watch_s=300, lost_percent=1,
                  restarted_percent=10 if way == "restart" else 100)  # fmt: skip
    number = start(rig[1], Wanted(a_model(2), [device, name(0)], stages="1, 2", rules=rules))
    rollout, targets, said = carried_out(rig, number)
    assert rollout.condition == "stopped" and reason in rollout.reason
    assert targets[name(0)].step == "waiting"
    assert reason in said[-1]
    people.change(rig[1], number, "abort", "anna")
    assert found(rig[1], number)[0].condition == "aborted"


def test_a_person_pauses_goes_on_and_excuses(rig):
    engine = rig[1]
    refuses = name(GOOD)
    number = start(engine, Wanted(a_model(3), [refuses, name(1)], stages="1, 2", rules=PATIENT))
    people.change(engine, number, "pause")
    runner = Runner(engine, rig[2], Keys({"*": KEY}))
    for _ in range(5):
        runner.look()
    assert {t.step for t in found(engine, number)[1].values()} == {"waiting"}
    people.change(engine, number, "continue")
    rollouts.release(engine, runner.name)
    assert carried_out(rig, number)[0].condition == "stopped"
    people.change(engine, number, "continue")
    rollout, targets, _ = carried_out(rig, number)
    assert rollout.condition == "done"
    assert (targets[refuses].step, targets[name(1)].step) == ("refused", "updated")
    for what in ("pause", "continue", "abort"):
        with pytest.raises(BeckonError, match="is done"):
            people.change(engine, number, what)


def test_a_wrong_key_is_refused_and_a_missing_one_not_tried(rig):
    wanted = Wanted(a_model(4), [name(2), name(3)], stages="2", rules=PATIENT)
    number = start(rig[1], wanted)
    rollout, targets, _ = carried_out(rig, number, Keys({name(2): "not the key"}))
    assert rollout.condition == "stopped"
    assert "HMAC is wrong" in targets[name(2)].detail
    people.change(rig[1], number, "continue")
    rollout, targets, _ = carried_out(rig, number, Keys({name(2): "not the key"}))
    assert "no update key" in targets[name(3)].detail


def test_another_runner_goes_on_after_a_crash(rig, tmp_path, monkeypatch, capsys):
    """`beckon rollout run` is killed while devices are under way; the next is this process."""
    store, engine, broker = rig
    keys = tmp_path / "keys.json"
    keys.write_text(json.dumps({"*": KEY}))
    keys.chmod(0o600)
    model = tmp_path / "new.mlp"
    model.write_bytes(a_model(5))
    devices = ",".join(name(i) for i in range(GOOD))
    assert main(["rollout", "start", str(model), "--store", store, "--devices", devices, "--stages",
                 "8, 100%", "--watch-s", "1", "--back-s", "300"]) == 0  # fmt: skip
    number = int(capsys.readouterr().out)
    command = [sys.executable, "-m", "host_tools", "rollout", "run", "--store", store, "--keys",
               str(keys), "--broker", f"mqtt://127.0.0.1:{broker.port}"]  # fmt: skip
    log = open(tmp_path / "log", "wb")
    process = subprocess.Popen(command, cwd=REPOSITORY, stderr=log, stdout=log)
    until(lambda: any(t.step in ("sending", "trial") for t in found(engine, number)[1].values()))
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert found(engine, number)[0].runner
    monkeypatch.setattr(rollouts, "LEASE_MS", 100)
    rollout, targets, said = carried_out(rig, number)
    assert rollout.condition == "done", said
    assert [t.step for t in targets.values()] == ["updated"] * GOOD
    assert main(["rollout", "show", str(number), "--store", store, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["condition"] == "done"
    log.close()
    assert KEY not in (tmp_path / "log").read_text()


def test_no_key_is_in_the_store(rig):
    with rig[1].connect() as connection:
        names = [row[0] for row in connection.execute(text(
            "SELECT name FROM sqlite_master WHERE type = 'table'"))]  # fmt: skip
        for table in names:
            assert KEY not in repr(connection.execute(text(f"SELECT * FROM {table}")).all())


def test_a_roll_out_that_cannot_be_is_not_made(rig):
    engine = rig[1]
    for wanted, word in (
        (Wanted(b"not a model" * 9), "model"),
        (Wanted(a_model(6), ["nobody"]), "nobody"),
        (Wanted(a_model(6), running="00000000"), "not one device"),
    ):
        with pytest.raises(BeckonError, match=word):
            start(engine, wanted)
    by_lot = start(engine, Wanted(a_model(6), share="20%"), seed=1)
    targets = found(engine, by_lot)[1]
    assert len(targets) == plan.numbers_of("20%", DEVICES)[0]
    people.change(engine, by_lot, "abort")
