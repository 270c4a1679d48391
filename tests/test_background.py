"""The generator of everyday movement: what it learns, what it makes, its file, its use."""

from dataclasses import replace

import numpy as np
import pytest

from host_tools.augment.background import RATE_HZ, UNIT, Background
from host_tools.augment.background_fit import _ORDER, _model, _stable, fit
from host_tools.augment.energy import energy
from host_tools.cli.app import main
from host_tools.dataset import Dataset, Recording, Span, with_negatives
from host_tools.dataset.convert import write_folder
from host_tools.errors import BeckonError
from host_tools.paths import BACKGROUND, DEMO
from host_tools.training.recipe import choose
from host_tools.training.stream_batches import StreamBank, uses_background
from host_tools.units import GRAVITY


def life(seed, seconds=60.0, size=1.0):
    """A hand that swings about x at about 1.5 Hz, gravity and gyroscope agreeing."""
    rng = np.random.default_rng(seed)
    n = int(seconds * RATE_HZ)
    t = np.arange(n) / RATE_HZ
    angle = 0.4 * size * np.sin(2 * np.pi * 1.5 * t + np.cumsum(rng.normal(0, 0.5, n)))
    x = rng.normal(0, 0.05, (6, n))
    x[1] += GRAVITY * np.sin(angle)
    x[2] += GRAVITY * np.cos(angle)
    x[3] += np.degrees(np.gradient(angle)) * RATE_HZ
    return x.astype(np.float32)


@pytest.fixture(scope="module")
def learned():
    hours = [life(k, size=0.3 + 0.1 * (k % 8)) for k in range(160)]
    return fit(hours, ["swing", "stroll"] * 80, "made up", np.random.default_rng(1))


def clips(background, seconds=600.0, seed=3, rate_hz=RATE_HZ, **more):
    return background.clips(seconds, np.random.default_rng(seed), rate_hz, **more)


def test_clips_move_as_what_was_learned_from(learned):
    made = np.concatenate([energy(x, RATE_HZ) for x in clips(learned)])
    real = np.concatenate([energy(life(k, size=0.3 + 0.1 * (k % 8)), RATE_HZ) for k in range(16)])
    assert np.median(made) == pytest.approx(np.median(real), rel=0.5)
    spectrum = np.zeros(126)
    for x in clips(learned):
        turning = np.linalg.norm(np.fft.rfft(x[3:, :250], axis=1), axis=0)
        spectrum += turning[:126]
    assert np.argmax(spectrum) / 10 == pytest.approx(1.5, abs=0.3)  # Hz


def test_gravity_stays_and_agrees_with_the_gyroscope(learned):
    """Where a swing turns, gravity turns: dg/dt = -w x g."""
    agree = []
    for x in clips(learned, 300.0):
        assert np.linalg.norm(x[:3].mean(axis=1)) == pytest.approx(GRAVITY, rel=0.15)
        change = np.gradient(x[:3], axis=1) * RATE_HZ
        turned = -np.cross(np.radians(x[3:].T), x[:3].T).T
        agree.append(np.corrcoef(change.ravel(), turned.ravel())[0, 1])
    assert np.mean(agree) > 0.7


def test_clips_follow_the_seed_the_rate_and_the_axes(learned):
    a, b = clips(learned, 60.0), clips(learned, 60.0)
    assert all(np.array_equal(x, y) for x, y in zip(a, b, strict=True))
    assert not np.array_equal(a[0], clips(learned, 60.0, seed=4)[0])
    fast = clips(learned, 60.0, rate_hz=50.0)
    assert fast[0].shape[1] == pytest.approx(2 * a[0].shape[1], abs=2)
    assert np.allclose(fast[0][:, ::2][:, :100], a[0][:, :100], atol=1e-4)
    assert clips(learned, 60.0, axes=3)[0].shape[0] == 3
    free = np.concatenate(clips(learned, 120.0, gravity=False), axis=1)
    assert np.abs(free[:3].mean(axis=1)).max() < 0.2


def test_a_model_says_what_drives_the_axes():
    """A known autoregression comes out of its own samples again."""
    rng = np.random.default_rng(2)
    n = 4000
    x = np.zeros((6, n))
    for t in range(2, n):
        x[:, t] = 1.2 * x[:, t - 1] - 0.5 * x[:, t - 2] + 0.3 * rng.standard_normal(6)
    mean, coefficients, drive, envelope = _model(x + 1)
    assert np.allclose(mean, 1, atol=0.1)
    expected = np.zeros((6, 6 * _ORDER))
    expected[:, :6], expected[:, 6:12] = 1.2 * np.eye(6), -0.5 * np.eye(6)
    assert np.allclose(coefficients, expected, atol=0.08)
    assert np.allclose(drive @ drive.T, 0.09 * np.eye(6), atol=0.02)
    assert (envelope**2).mean() == pytest.approx(1, rel=1e-6)


def test_a_model_that_would_grow_is_made_to_die_out():
    growing = np.zeros((6, 6 * _ORDER))
    growing[:, :6] = 1.1 * np.eye(6)
    assert np.abs(np.diag(_stable(growing)[:, :6])).max() < 1
    dying = growing / 2
    assert np.array_equal(_stable(dying), dying)


def test_the_file_gives_back_what_was_saved(learned, tmp_path):
    path = tmp_path / "life.npz"
    size = learned.save(path)
    assert size == path.stat().st_size < 300_000
    again = Background.load(path)
    assert again.source == "made up"
    assert np.allclose(again.coefficients, learned.coefficients, rtol=2e-3, atol=1e-3)
    for x in clips(again):
        assert np.isfinite(x).all() and np.abs(x / UNIT[:, None]).max() < 50


def spoilt(background, path, what):
    if what == "short":
        background.save(path)
        path.write_bytes(path.read_bytes()[:1000])
    elif what == "shapes":
        replace(background, mean=background.mean[:-1]).save(path)
    elif what == "nan":
        replace(background, drive=background.drive * np.nan).save(path)
    elif what == "text":
        path.write_text("hello")


@pytest.mark.parametrize("what", ["short", "shapes", "nan", "text", "missing"])
def test_files_that_are_wrong_are_refused(learned, tmp_path, what):
    path = tmp_path / "bad.npz"
    spoilt(learned, path, what)
    with pytest.raises(BeckonError, match="bad.npz"):
        Background.load(path)


def test_too_little_is_refused():
    with pytest.raises(BeckonError, match="are needed"):
        fit([life(1)], ["swing"], "made up", np.random.default_rng(1))
    still = np.zeros((6, 250_000), np.float32)
    still[2] = GRAVITY
    with pytest.raises(BeckonError, match="0 pieces"):
        fit([still], ["table"], "made up", np.random.default_rng(1))


def test_the_file_that_ships():
    assert BACKGROUND.stat().st_size < 300_000
    shipped = Background.load(BACKGROUND)
    assert "CC BY 4.0" in shipped.source
    level = np.concatenate([energy(x, RATE_HZ) for x in clips(shipped, 1800.0)])
    rests, moves, strong = np.mean(level < 1), np.mean(level > 1), np.mean(level > 10)
    assert rests > 0.1 and moves > 0.5 and 0.02 < strong < 0.3


def folder_of(recordings, folder):
    write_folder(Dataset("life", recordings), folder)


def test_the_command(tmp_path, capsys):
    recordings = [
        Recording(f"r{k}", np.ascontiguousarray(life(k, 120.0).T), RATE_HZ,
                  (Span(0, 119_900, "swing", "p"),), native_hz=RATE_HZ)
        for k in range(80)
    ]
    folder_of(recordings, tmp_path / "life")
    out = tmp_path / "a.npz"
    line = ["data", "background", str(tmp_path / "life"), "--out"]
    assert main([*line, str(out)]) == 0
    assert f"{out}: {out.stat().st_size} bytes" in capsys.readouterr().out
    assert main([*line, str(tmp_path / "b.npz")]) == 0
    assert (tmp_path / "b.npz").read_bytes() == out.read_bytes()
    assert main(["data", "background", str(DEMO), "--out", str(tmp_path / "c.npz")]) == 1
    assert "are needed" in capsys.readouterr().err
    assert not (tmp_path / "c.npz").exists()


# --- in training ------------------------------------------------------------


def takes(each=3):
    rng = np.random.default_rng(4)
    out = []
    for label, axis in (("lift", 2), ("push", 0)):
        for k in range(each):
            x = rng.normal(0, 0.03, (150, 6)).astype(np.float32)
            x[:, 2] += GRAVITY
            x[50:80, axis] += (8 * np.sin(2 * np.pi * np.arange(30) / 30)).astype(np.float32)
            span = Span(500, 2500, label, "p")
            out.append(Recording(f"{label}{k}", x, 50.0, (span,), native_hz=50.0))
    return Dataset("takes", out)


def everyday(seconds):
    x = np.ascontiguousarray(life(9, seconds).T)
    return Dataset("everyday", [Recording("e", x, RATE_HZ, (), native_hz=RATE_HZ)])


def bank_of(data, **more):
    return StreamBank(data, choose(data, 50, steps=20, draws=40, **more))


def test_training_uses_it_where_little_was_recorded():
    data = takes()
    assert uses_background(data, choose(data, 50))
    bank = bank_of(data)
    assert bank.recorded_idle_s == 0 and bank.material.clips
    assert not bank_of(data, background=False).material.clips


def test_what_was_recorded_takes_its_place():
    data = with_negatives(takes(), everyday(700))
    assert not uses_background(data, choose(data, 50))
    bank = bank_of(data)
    assert sum(x.shape[1] for x in bank.material.clips) / bank.rate_hz == pytest.approx(700, abs=1)


def test_few_minutes_are_added_to():
    data = with_negatives(takes(), everyday(120))
    assert uses_background(data, choose(data, 50))
    bank = bank_of(data)
    assert bank.recorded_idle_s == pytest.approx(120, abs=1)
    assert sum(x.shape[1] for x in bank.material.clips) / bank.rate_hz > 130


def test_without_gravity_or_gyroscope_too():
    data = takes()
    level = [0, 0, GRAVITY, 0, 0, 0]
    free = Dataset("free", [replace(r, samples=r.samples - np.float32(level))
                            for r in data.recordings])
    bank = bank_of(free)
    assert abs(np.concatenate(bank.material.clips, axis=1)[:3].mean()) < 0.1
    assert all(len(x) == 3 for x in bank_of(data, axes=3).material.clips)


def test_a_file_that_unpacks_to_a_huge_one_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr("host_tools.augment.background._MOST_BYTES", 1 << 20)
    path = tmp_path / "trap.npz"
    np.savez_compressed(path, weights=np.zeros(1 << 18))
    with pytest.raises(BeckonError, match="unpacks to more than 1 MB"):
        Background.load(path)
