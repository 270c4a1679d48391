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


def file(gate=0, hop=1, centre=0, seed=77, labels=("none", "tap"), golden=None, decimation=2,
         version=1, activity=b"", decision=b"", unknown=()):
    """The bytes of a model; activity, decision and unknown (tag, bytes) in version 2 only."""
    axes = b"".join(pack("<ihBB", o, 3, 2, a) for o, a in zip(OFFSETS, (1, 5)))
    layer = pack("<HHHHHBBHHBxxx", 4, 2, 1, 0, 1, 0, 1, 0, 0, 0)
    if golden is None:
        golden = worked(decimated(list(noise(seed, WINDOW * 2))))
    bias = [b - 32768 * sum(row) for b, row in zip(BIASES, WEIGHTS)]
    text = b"".join(bytes([len(x)]) + x.encode() for x in labels)
    weights = b"".join(bytes([w + 128 for w in row] + [128] * 12) for row in WEIGHTS)
    description = pack("<HBBHBBHHBBBB", 100, 4, 2, 500, 1 << 1 | 1 << 5, decimation, WINDOW, hop,
                       1, 0, 0, 0)
    counting = bytes((70, 2, 3, 4, 5, 6, 0, 0))
    scaling = pack("<HBBHHHHHHBBH", 16000, 10, centre, 0, 0, 0, 0, gate, gate, 0, 0, seed)
    parts = [description, counting, scaling, axes, b"", layer, pack("<ii", *golden),
             pack("<ii", *bias), b"", text, b"", activity, decision]
    if version == 1:
        parts.insert(3, pack("<HH", len(text), 0))
        body = b"".join(parts)
        body += bytes(-len(body) % 4) + weights
    else:
        found = [(tag, part) for tag, part in enumerate(parts, 1) if part]
        body = sections(found + list(unknown) + [(255, weights)])
    return whole(version, 68 if version == 1 else 20, body)


def sections(found):
    body = b""
    for tag, part in found:
        body += pack("<HH", tag, len(part)) + part + bytes(-len(part) % 4)
    return body


def whole(version, head, body):
    data = bytearray(pack("<4sHHIII", b"BMLP", version, head, 0, 20 + len(body), 1000) + body)
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
    for data in (file(), file(gate=GATED), with_activity(), with_activity(300, 1)):
        engine = Engine(data)
        frame = array("h", [1000, -2000, 30000, 4, 5, -32768])
        micropython.heap_lock()
        try:
            for _ in range(20):
                if engine.push(frame):
                    engine.infer()
                    engine.confidence  # noqa: B018
                    engine.shares  # noqa: B018
                    engine.activity  # noqa: B018
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
    assert "20 to 20000" in refused(b"") and "20 to 20000" in refused(bytes(32001))
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


def test_both_versions_say_the_same():
    frames = list(noise(5, 40))
    said = []
    for data in (file(), file(version=2), file(version=2, unknown=((99, b"later"), (254, b"")))):
        engine = Engine(data)
        assert engine.debounce == (70, 2, 3, 4, 5, 6, 0, 0) and engine.decision is None
        assert engine.labels == ("none", "tap") and engine.model_id == "%08x" % crc32(
            bytes(data[12:]))
        told = []
        for frame in frames:
            if engine.push(array("h", frame)):
                told.append((engine.infer(), engine.confidence, list(engine.scores)))
                assert engine.activity == 0
        said.append(told)
    assert said[0] == said[1] == said[2] and len(said[0]) == 19


def test_shares_of_every_label():
    engine = Engine(file())
    assert list(engine.shares) == [0, 0]
    for seed in range(1, 60, 7):
        feed(engine, list(noise(seed, 4)))
        best = engine.infer()
        shares = list(engine.shares)
        assert shares[best] == max(shares) == engine.confidence and 99 <= sum(shares) <= 101
    gated = Engine(file(gate=GATED))
    feed(gated, [[50, 100, 20, -7, 4, 3]] * 4)
    gated.infer()
    assert list(gated.shares) == [100, 0]
    gated.reset()
    assert gated.infer() == 0 and list(gated.shares) == [0, 0]


# Of ay, and of gz: d * 100 >> 6 and y * 50 >> 4; ay is compared with the frame before.
MEASURE = (100, 50, 6, 4, 1)
DECISION = pack("<5BH3B", 6, 70, 1, 2, 16, 300, 50, 7, 10)


def root(s):
    """The square root, rounded down; slow."""
    r = int(s ** 0.5) + 2
    while r * r > s:
        r -= 1
    return r


def levels(frames):
    """Activity of decimated frames (ay, gz), by hand."""
    found, before = [], 0
    for t, (ay, gz) in enumerate(frames):
        change = max(-8191, min(8191, (ay - frames[t - 1][0]) * 100 >> 6)) if t else 0
        turn = max(-8191, min(8191, gz * 50 >> 4))
        now = root(change * change + turn * turn) >> 2
        found.append(now + before >> 1)
        before = now
    return found


def with_activity(wake_at=0, awake_frames=0, golden=None, **rest):
    if golden is None:
        golden = levels(decimated(list(noise(77, WINDOW * 2))))[-1]
    activity = pack("<HHBBBBHH", *MEASURE, awake_frames, wake_at, golden)
    return file(version=2, activity=activity, **rest)


def test_activity_is_that_worked_by_hand():
    engine = Engine(with_activity(decision=DECISION))
    assert engine.decision == (6, 70, 1, 2, 16, 300, 50, 7, 10, b"")
    raw = [[v >> shift for v in frame] for shift in (0, 6, 12, 3) for frame in noise(9, 10)]
    expected = levels(decimated(raw))
    for _ in range(2):  # and again after a gap
        got = []
        for frame in raw:
            if engine.push(array("h", frame)):
                got.append(engine.activity)
        assert got == expected[WINDOW - 1:]
        engine.reset()
        assert engine.activity == 0
    assert max(expected) > 1000 and min(expected) < 50


def test_activity_of_a_window_is_the_greatest_of_its_hop():
    engine = Engine(with_activity(hop=2))
    raw = list(noise(9, 40))
    expected = levels(decimated(raw))
    got = [engine.activity for frame in raw if engine.push(array("h", frame))]
    assert got == [max(expected[t - 1], expected[t]) for t in range(1, 20, 2)]


def test_the_network_sleeps_while_the_hand_rests():
    engine = Engine(with_activity(wake_at=300, awake_frames=3))
    rest = [[0, 50, 0, 0, 0, -3]] * 2
    wave = [[0, 3000, 0, 0, 0, 0]] * 2
    frames = rest * 4 + wave + rest * 6
    assert [e >= 300 for e in levels(decimated(frames))] == [False] * 4 + [True] * 3 + [False] * 4
    ran = []
    for frame in frames:
        if engine.push(array("h", frame)):
            label = engine.infer()
            ran.append(list(engine.scores) != [0, 0])
            if not ran[-1]:
                assert label == 0 and engine.confidence == 100
                assert list(engine.shares) == [100, 0]
    assert ran == [False] * 3 + [True] * 5 + [False] * 2, ran


def test_sections_that_are_wrong_are_named():
    assert "activity of the golden window" in refused(with_activity(golden=7))
    assert "version 3" in refused(whole(3, 20, b""))
    good = file(version=2, activity=pack("<HHBBBBHH", *MEASURE, 0, 0, 0), decision=DECISION)
    found, at = [], 20
    while at < len(good):
        tag, length = good[at] | good[at + 1] << 8, good[at + 2] | good[at + 3] << 8
        found.append((tag, bytes(good[at + 4:at + 4 + length])))
        at += 4 + length + (-length & 3)
    assert whole(2, 20, sections(found)) == good

    def without(tag, *more):
        others = sorted([x for x in found if x[0] != tag] + list(more))
        return refused(whole(2, 20, sections(others)))

    assert "section 3 has 0 bytes" in without(3)
    assert "sizes do not add up" in without(255)
    assert "labels are cut" in without(10)
    for tag, part in found:
        for other in (part[:-1], part + b"1234", b""):
            without(tag, (tag, other))
    twice = sections(found[:4] + found[3:])
    assert "section 4 after 4" in refused(whole(2, 20, twice))
    assert "after" in refused(whole(2, 20, sections(found + [(256, b"")])))
    cut = bytearray(good)
    cut[20 + 2:20 + 4] = pack("<H", 60000)
    pack_into("<I", cut, 8, crc32(bytes(cut[12:])))
    assert "section 1 is cut" in refused(cut)
    for at, value in ((0, 0), (0, 65), (1, 0), (1, 101), (2, 2), (4, 65), (7, 0), (8, 0)):
        bad = bytearray(DECISION)
        bad[at] = value
        assert "decision" in without(13, (13, bytes(bad))), at
    assert "decision" in without(13, (13, DECISION + bytes((0, 50))))
    assert "section 13" in without(13, (13, DECISION + bytes((5, 50, 4))))
    for at, value in ((1, 64), (3, 64), (4, 32), (5, 32), (6, 0), (6, 9)):
        bad = bytearray(pack("<HHBBBBHH", *MEASURE, 0, 0, 0))
        bad[at] = value
        assert "activity" in without(12, (12, bytes(bad))), at


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
