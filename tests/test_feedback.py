"""The feedback pin on MicroPython, with a stand-in `machine`; settings; rules on a simulated
board."""

import json
import os
import subprocess
from importlib import import_module

import numpy as np
import pytest

from host_tools.bench.rules_parts.hand import ACCEL_G, RATE_HZ, made
from host_tools.dataset.resample import resample
from host_tools.device import settings as settings_module
from host_tools.device.settings import check_together, read_settings, write_settings
from host_tools.errors import BeckonError
from host_tools.evaluation.live import LiveBoard
from host_tools.model.golden import read_model
from host_tools.mqtt.broker import embedded_broker
from host_tools.paths import DEFAULT_MODEL, FIRMWARE
from host_tools.simulator.simulate import simulate
from host_tools.toolchain import micropython_command
from host_tools.units import GRAVITY

MACHINE = """
log = []
class Pin:
    OUT = 3
    def __init__(self, number, mode, value=None):
        if number == 34:
            raise ValueError("Pin(34) can only be input")
        self.value(value)
    def value(self, level):
        log.append(level)
"""
PWM = """
class PWM:
    def __init__(self, pin, freq, duty_u16):
        log.append("%d Hz" % freq)
        self.duty_u16(duty_u16)
    def duty_u16(self, duty):
        log.append(duty)
"""
SCRIPT = """
import asyncio, json, machine
from feedback.output import Output
class Settings:
    feedback_pin = %(pin)d
    feedback = %(kind)r + ", low" * (not %(active)d) + ", 20, circle=10/10/10, quiet=0"
output = Output(Settings)
async def ask(**arguments):
    try:
        return await output.command(arguments)
    except ValueError as fault:
        return str(fault)
async def main():
    task = asyncio.create_task(output.run())
    said = []
    %(steps)s
    while output.busy:
        await asyncio.sleep_ms(5)
    counters = {}
    output.counters(counters)
    print(json.dumps({"log": machine.log, "said": said, "counters": counters}))
asyncio.run(main())
"""


def played(tmp_path, steps, pin=4, kind="led", active=1, pwm=False):
    (tmp_path / "machine.py").write_text(MACHINE + PWM * pwm)
    path = tmp_path / "main.py"
    path.write_text(SCRIPT % {"steps": steps, "pin": pin, "kind": kind, "active": active})
    done = subprocess.run(
        [*micropython_command(), str(path)], capture_output=True, text=True, timeout=120,
        env={**os.environ, "MICROPYPATH": f"{tmp_path}:{FIRMWARE}:.frozen"})
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def test_each_event_is_answered_by_its_pattern(tmp_path):
    steps = 'output.post("circle", 90, 0); output.post("x", 90, 1); output.post("quiet", 90, 2)'
    found = played(tmp_path, steps)
    assert found["log"] == [0, 1, 0, 1, 0, 1, 0]  # rest, circle, x
    assert found["counters"] == {"feedback_played": 2, "feedback_dropped": 0, "feedback_fault": 0}
    assert played(tmp_path, steps, active=0)["log"] == [1, 0, 1, 0, 1, 0, 1]


def test_the_queue_is_bounded_and_counts(tmp_path):
    found = played(tmp_path, "said += [output.post('x', 90, n) for n in range(7)]")
    assert found["said"] == [True] * 4 + [False] * 3
    assert found["counters"]["feedback_dropped"] == 3 and found["counters"]["feedback_played"] == 4


def test_a_buzzer_has_a_tone_where_there_is_pwm(tmp_path):
    steps = "output.post('x', 90, 0)"
    with_pwm = played(tmp_path, steps, kind="buzzer", pwm=True)["log"]
    assert with_pwm == [0, "2700 Hz", 0, 32768, 0]
    assert played(tmp_path, steps, kind="buzzer", active=0, pwm=True)["log"][2:] == [
        65535, 32768, 65535]
    assert played(tmp_path, steps, kind="buzzer")["log"] == [0, 1, 0]
    assert played(tmp_path, steps, kind="motor", pwm=True)["log"] == [0, 1, 0]


def test_the_command_plays_and_refuses_in_one_line(tmp_path):
    found = played(tmp_path, """
    for arguments in ({}, {"label": "circle"}, {"pattern": "30"}, {"pattern": "5"},
                      {"pattern": "a"}, {"pattern": 7}, {"pattern": "5000/5000"},
                      {"pattern": "30"}, {"pattern": "30"}):
        said.append(await ask(**arguments))""")
    said = found["said"]
    assert said[:3] == [None] * 3
    assert said[3].startswith("the pattern 5 must have 1 to 15 times from 10 ms")
    assert said[4].startswith("'a' is not a pattern") and said[5] == (
        "pattern and label must be texts")
    assert "5000 ms together at most" in said[6]
    assert said[7] is None and said[8] == "too many patterns wait; ask again later"
    broken = played(tmp_path, "said += [await ask(), output.post('x', 1, 1)]", pin=34)
    assert broken["said"] == ["feedback_pin 34: Pin(34) can only be input", False]
    assert broken["counters"]["feedback_fault"] == 1


@pytest.mark.parametrize("values, said", [
    ({"feedback_pin": 21}, "feedback_pin 21 is i2c_sda already; name a free pin"),
    ({"feedback_pin": 4, "imu_int_pin": 4}, "feedback_pin 4 is imu_int_pin already"),
    ({"feedback_pin": 0, "take_button_pin": 0}, "feedback_pin 0 is take_button_pin already"),
    ({"feedback_pin": 4, "feedback": "horn"}, "feedback must begin with led or buzzer or motor"),
    ({"feedback_pin": 4, "feedback": "led,x=1"}, "feedback: the pattern 1 must"),
    ({"feedback_pin": 4, "feedback": "led,=20"}, "names no gesture"),
    ({"rules": "tip"}, "rules: no rule is called 'tip'"),
    ({"rules": "shake=9"}, "rules: shake must be 300 to 16000 mg, not '9'"),
])
def test_setup_refuses_what_cannot_be_in_one_line(values, said, tmp_path):
    with pytest.raises(BeckonError) as refusal:
        write_settings(tmp_path, values)
    assert said in str(refusal.value) and "\n" not in str(refusal.value)
    assert not (tmp_path / "config.json").exists()
    check_together({"feedback_pin": 4, "rules": "tap,shake=2000"})
    # The board says the same when it starts
    (tmp_path / "config.json").write_text(json.dumps(values))
    stored = settings_module._config().load((str(tmp_path / "config.json"),))
    with pytest.raises(ValueError, match=r"^\S.*"):
        import_module("options.together").check(stored, {})
    assert read_settings(tmp_path)  # beckon setup can mend it


def test_the_simulated_board_reports_rules_as_the_host_does(tmp_path):
    """The firmware, and LiveBoard on the same samples. The network takes the shake for a gesture
    of its own, which goes first; face down is left to the rule."""
    rng = np.random.default_rng(3)
    model = read_model(DEFAULT_MODEL)
    fe = model.front_end
    raw = np.concatenate([made(name, rng).raw for name in ("shake", "face_down")])
    accel = raw[:, :3] * (ACCEL_G * GRAVITY / 32768)
    limit = 0.99 * fe.accel_g * GRAVITY
    samples = np.hstack([np.clip(accel, -limit, limit), np.zeros_like(accel)])
    samples = resample(samples, RATE_HZ, fe.rate_hz)
    path = tmp_path / "rules.csv"
    rows = "\n".join(",".join([str(round(i * 1000 / fe.rate_hz)), *(f"{v:.4f}" for v in row)])
                     for i, row in enumerate(samples))
    path.write_text("t_ms,ax,ay,az,gx,gy,gz\n" + rows + "\n")
    text = "shake, face_down"
    host = LiveBoard(model, fe.rate_hz, 6, text).push(samples)
    with embedded_broker() as broker:
        outcome = simulate(path, DEFAULT_MODEL, broker, speed=10,
                           settings={"rules": text, "feedback_pin": 4})
    events = outcome.events
    assert [e.label for e in host] == [e["event_type"] for e in events]
    assert (events[-1]["event_type"], events[-1]["confidence"]) == ("face_down", 100)
    assert "shake" not in [e["event_type"] for e in events]
    for mine, theirs in zip(host, events, strict=True):
        assert abs(mine.t_ms - theirs["t_ms"]) < 25
    assert outcome.counters["feedback_played"] == len(events)
    assert outcome.counters["rules_yielded"] == 1
    both = LiveBoard(model, fe.rate_hz, 6, text + ", both").push(samples)
    assert "shake" in [e.label for e in both] and len(both) == len(host) + 1


def test_a_rules_name_cannot_be_learned(tmp_path):
    """The model has no row of weights for it."""
    path = tmp_path / "main.py"
    path.write_text("""
from learning.starting import _check_known
class Part: pass
engine = Part()
engine.labels, engine.idle, engine.shares = ["none", "x", "tap"], 0, bytearray(2)
try:
    _check_known(engine, "tap")
except ValueError as fault:
    print(fault)
""")
    done = subprocess.run(
        [*micropython_command(), str(path)], capture_output=True, text=True, timeout=120,
        env={**os.environ, "MICROPYPATH": f"{tmp_path}:{FIRMWARE}:{FIRMWARE}/lib:.frozen"})
    assert done.stdout == "'tap' is a rule's name; choose another\n", done.stdout + done.stderr
