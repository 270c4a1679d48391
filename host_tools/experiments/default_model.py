"""Train the model that ships: circle, x and y, from the public sets and data/gestures.

    python -m host_tools.experiments.default_model DATA [OUT]

Its decision is set by hand. `beckon train` would leave people out to find it, but one
person made all real gestures: without them the figures are those of synthetic hands.
"""
from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

from host_tools.dataset import read_datasets, with_negatives
from host_tools.model.decision import Decision
from host_tools.model.golden import write_model
from host_tools.paths import DATA, DEFAULT_MODEL
from host_tools.training.export import export
from host_tools.training.fit import Report, fit, fitted
from host_tools.training.keep import SPARE, with_examples
from host_tools.training.probes import refuse_restless
from host_tools.training.recipe import choose
from host_tools.training.stream_batches import StreamBank
from host_tools.training.train import digest

GESTURES = ("tkeyo_mpu6500_100hz", "tkeyo_mpu6500_20hz_windows:none")
EVERYDAY = ("wrist_daily_wisdm", "wrist_daily_wedafall", "wrist_walk_turn_sit_spsw")
FOREIGN = (  # gestures of other sets, without their circles
    "airletters_iphone:B,I,J,L,S,T,V,X,Z",
    "cyberry_wand_mpu6050:horn,letter_h,letter_phi,letter_r,letter_w,lightning,no_motion,"
    "right_angle,sharp_angle,triangle,up_and_down,wave",
    "grwd_forearm:p_shape,s_shape,swipe_down,swipe_left,swipe_right,swipe_up,twist_right,v_shape",
    "air_keyboard_mpu6050", "waves_flicks_mpu6050", "uhh_phone_streams",
)
DECISION = Decision(span=4, threshold_percent=80)
_CALIBRATION_WINDOWS = 1024
_SHOW_EVERY = 400  # steps


def main(folder: str, out: str = str(DEFAULT_MODEL)) -> int:
    gestures = read_datasets([*(f"{folder}/{name}" for name in GESTURES), str(DATA / "gestures")])
    negatives = read_datasets([f"{folder}/{name}" for name in (*EVERYDAY, *FOREIGN)])
    data = with_negatives(gestures, negatives)
    recipe = fitted(choose(data, 100))
    bank = StreamBank(data, recipe)
    net = fit(recipe, bank, _show)
    windows, _ = bank.draw(_CALIBRATION_WINDOWS, np.random.default_rng(recipe.seed))
    notes = f"seed {recipe.seed}, data {digest(data)}"
    model = export(net, recipe, windows, DECISION, notes=notes, spare=SPARE)
    refuse_restless(model, bank)
    model = with_examples(model, bank)
    print(f"{out}: {write_model(Path(out), model)} bytes, model {model.model_id}")
    return 0


def _show(report: Report) -> None:
    if report.step % _SHOW_EVERY == 0:
        print(f"{report.step} of {report.steps} steps", file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:3]))
