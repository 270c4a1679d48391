"""The engine on a small model that is built and computed here by hand, without NumPy."""

import micropython
from array import array
from binascii import crc32
from struct import pack, pack_into

from microMLP_engine import Engine, ModelError

WINDOW = 2
GATED = 4000  # a threshold that noise passes and rest does not


def noise(seed, frames):
    """Frames of the golden window, as docs/model-file.md describes them."""
    x = seed
    for i in range(frames):
        frame = []
        for _ in range(6):
            x ^= (x << 7) & 65535
            x ^= x >> 9
            x ^= (x << 8) & 65535
            frame.append((x - 32768) >> (i // 8 % 4))
        yield frame


# Axes ay and gz; y = sum over 2 raw frames - offset, times 3, >> 2. Scores:
# weights (2, 4) on ay(0) gz(0) ay(1) gz(1), and biases.
OFFSETS = (100, -7)
WEIGHTS = ((1, -2, 127, -127), (-3, 4, 0, 5))
BIASES = (1000, -1000000)


def clamp(v):
    return max(-32768, min(32767, v))


def decimated(raw):
    """Two axes of each pair of raw frames."""
    pairs = [[raw[i][k] + raw[i + 1][k] for k in (1, 5)] for i in range(0, len(raw) - 1, 2)]
    return [[clamp((v - o) * 3 >> 2) for v, o in zip(pair, OFFSETS)] for pair in pairs]


def worked(window):
    flat = window[0] + window[1]
    return [b + sum(w * x for w, x in zip(row, flat)) for row, b in zip(WEIGHTS, BIASES)]


def file(gate=0, hop=1, centre=0, seed=77, labels=("none", "tap"), golden=None, decimation=2):
    axes = b"".join(pack("<ihBB", o, 3, 2, a) for o, a in zip(OFFSETS, (1, 5)))
    layer = pack("<HHHHHBBHHBxxx", 4, 2, 1, 0, 1, 0, 1, 0, 0, 0)
    if golden is None:
        golden = worked(decimated(list(noise(seed, WINDOW * 2))))
    bias = [b - 32768 * sum(row) for b, row in zip(BIASES, WEIGHTS)]
    text = b"".join(bytes([len(x)]) + x.encode() for x in labels)
    text += bytes(-(68 + len(axes) + len(layer) + 16 + len(text)) % 4)
    weights = b"".join(bytes([w + 128 for w in row] + [128] * 12) for row in WEIGHTS)
    body = axes + layer + pack("<ii", *golden) + pack("<ii", *bias) + text + weights
    head = pack("<4sHHIIIHBBHBBHHBBBB", b"BMLP", 1, 68, 0, 68 + len(body), 600, 100, 4, 2, 500,
                1 << 1 | 1 << 5, decimation, WINDOW, hop, 1, 0, 0, 0)
    head += pack("<8sHBBHHHHHHBBHHH", bytes((70, 2, 3, 4, 5, 6, 0, 0)), 16000, 10, centre,
                 0, 0, 0, 0, gate, gate, 0, 0, seed, len(text.rstrip(b"\0")), 0)
    data = bytearray(head + body)
    pack_into("<I", data, 8, crc32(bytes(data[12:])))
    return data


def feed(engine, frames):
    """The results of push for each frame."""
    return [engine.push(array("h", frame)) for frame in frames]


def refused(data):
    try:
        Engine(data)
    except ModelError as e:
        return str(e)
    raise AssertionError("the model was taken")


def test_description():
    data = file()
    engine = Engine(data)
    assert (engine.rate_hz, engine.accel_g, engine.gyro_dps) == (100, 4, 500)
    assert engine.axes == 1 << 1 | 1 << 5
    assert (engine.decimation, engine.window, engine.hop) == (2, 2, 1)
    assert engine.labels == ("none", "tap") and engine.idle == 0
    assert engine.debounce == (70, 2, 3, 4, 5, 6, 0, 0)
    assert engine.model_id == "%08x" % crc32(bytes(data[12:]))
    assert engine.notes == ""


def test_scores_are_those_worked_by_hand():
    engine = Engine(file())
    frames = list(noise(5, 9))
    assert feed(engine, frames) == [False, False, False, True, False, True, False, True, False]
    assert engine.infer() == (1 if list(engine.scores)[1] > list(engine.scores)[0] else 0)
    assert list(engine.scores) == worked(decimated(frames)[2:4])


def test_extremes_of_int16():
    engine = Engine(file())
    for value in (-32768, 32767):
        frames = [[value] * 6] * 4
        assert feed(engine, frames)[3]
        engine.infer()
        assert list(engine.scores) == worked(decimated(frames))


def test_hop():
    engine = Engine(file(hop=2))
    due = feed(engine, list(noise(5, 16)))
    assert [i for i, yes in enumerate(due) if yes] == [3, 7, 11, 15]


def test_before_the_first_window_it_is_idle():
    engine = Engine(file())
    assert engine.infer() == 0 and engine.confidence == 0
    feed(engine, list(noise(1, 3)))
    assert engine.infer() == 0 and engine.confidence == 0 and list(engine.scores) == [0, 0]


def test_reset_forgets():
    engine = Engine(file())
    first = list(noise(9, 4))
    feed(engine, first)
    engine.infer()
    scores = list(engine.scores)
    feed(engine, list(noise(3, 5)))
    engine.reset()
    assert engine.infer() == 0 and engine.confidence == 0
    assert feed(engine, first) == [False, False, False, True]
    engine.infer()
    assert list(engine.scores) == scores


def test_a_still_window_is_idle_without_the_network():
    engine = Engine(file(gate=GATED))
    feed(engine, [[50, 100, 20, -7, 4, 3]] * 4)
    assert engine.infer() == 0 and engine.confidence == 100
    assert list(engine.scores) == [0, 0]
    frames = [[20000 * (i % 4 > 1)] * 6 for i in range(4)]
    feed(engine, frames)
    engine.infer()
    assert list(engine.scores) == worked(decimated(frames)) and engine.confidence < 101


def test_centre_takes_the_mean_off():
    mean = (1 << 1) | (1 << 5)
    frames = list(noise(77, 4))
    window = decimated(frames)
    means = [(window[0][k] + window[1][k]) // 2 for k in (0, 1)]
    centred = [[clamp(frame[k] - means[k]) for k in (0, 1)] for frame in window]
    engine = Engine(file(centre=mean, golden=worked(centred)))
    feed(engine, frames)
    engine.infer()
    assert list(engine.scores) == worked(centred)


def test_confidence_is_the_softmax():
    engine = Engine(file())
    seen = []
    for seed in range(1, 200, 7):
        feed(engine, list(noise(seed, 4)))
        best = engine.infer()
        a, b = engine.scores
        octaves = (abs(a - b) / 1024) * 16000 / 1024 / 256
        percent = 100 / (1 + 2 ** -min(octaves, 60))
        assert best == (1 if b > a else 0)
        assert abs(engine.confidence - percent) <= 1.5, (a, b, engine.confidence, percent)
        seen.append(engine.confidence)
    assert 50 <= min(seen) <= max(seen) <= 100


def test_nothing_is_allocated():
    for data in (file(), file(gate=GATED)):
        engine = Engine(data)
        frame = array("h", [1000, -2000, 30000, 4, 5, -32768])
        micropython.heap_lock()
        try:
            for _ in range(20):
                if engine.push(frame):
                    engine.infer()
                    engine.confidence  # noqa: B018
            engine.reset()
        finally:
            micropython.heap_unlock()


def test_a_frame_of_another_length_is_refused():
    engine = Engine(file())
    for bad in (array("h", [1] * 5), array("h", [1] * 7), b"", array("h", [])):
        try:
            engine.push(bad)
        except ValueError as e:
            assert "6" in str(e)
        else:
            raise AssertionError(bad)


def test_what_is_wrong_is_named():
    assert "20 to 20000" in refused(b"") and "20 to 20000" in refused(bytes(20001))
    data = file()
    assert "cut" in refused(data[:-1])
    for at, value, name in ((0, 65, "not a Beckon model"), (4, 9, "version 9"), (8, 1, "CRC-32"),
                            (100, 255, "CRC-32")):
        bad = bytearray(data)
        bad[at] = value
        assert name in refused(bad), name
    assert "golden" in refused(file(golden=(1, 2)))
    assert "label" in refused(file(labels=("same", "same")))
    assert "label" in refused(file(labels=("", "x")))
    assert "hop" in refused(file(hop=3)) and "hop" in refused(file(hop=0))
    assert "axes or decimation" in refused(file(decimation=65))


def test_a_refused_model_leaves_the_engine_in_use():
    engine = Engine(file())
    frames = list(noise(5, 4))
    refused(file(golden=(1, 2)))
    feed(engine, frames)
    engine.infer()
    assert list(engine.scores) == worked(decimated(frames))


def test_a_missing_file_is_an_oserror():
    try:
        Engine.load("no such file.mlp")
    except OSError:
        return
    raise AssertionError
