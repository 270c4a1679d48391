"""Studio's small drawings: whole SVG, numbers in sight, and a stranger's text harmless."""

import math
import re
import xml.etree.ElementTree as ET

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from host_tools.studio.signal.charts import lanes, lines, loss_curve, spark


def places(text):
    """All coordinates of polylines and circles, (n, 2)."""
    root = ET.fromstring(text)
    found = []
    for e in root.iter():
        if e.tag == "polyline":
            found += [tuple(map(float, pair.split(","))) for pair in e.get("points").split()]
        elif e.tag == "circle":
            found.append((float(e.get("cx")), float(e.get("cy"))))
    width, height = (float(v) for v in root.get("viewBox").split()[2:])
    return np.array(found).reshape(-1, 2), width, height


loss = st.floats(1e-9, 1e3)


@given(st.lists(st.tuples(st.integers(0, 4000), loss, loss), max_size=60), st.integers(0, 4000))
def test_a_loss_curve_stays_inside_its_picture(losses, steps):
    steps = max([steps, *(step for step, _, _ in losses)])
    found, width, height = places(loss_curve(losses, steps))
    assert np.isfinite(found).all()
    assert (found >= 0).all() and (found[:, 0] <= width).all() and (found[:, 1] <= height).all()
    assert len(found) >= 2 * len(losses)


def test_a_falling_loss_falls_and_its_scale_is_written():
    text = loss_curve([(s, math.exp(-s / 500), math.exp(-s / 500)) for s in range(0, 2000, 50)],
                      4000)
    found, _, _ = places(text)
    line = found[40:80]
    assert (np.diff(line[:, 0]) > 0).all() and (np.diff(line[:, 1]) > 0).all()
    assert ">0.1<" in text and ">4,000<" in text
    narrow = loss_curve([(10, 0.98, 0.98), (20, 0.97, 0.97)], 100)
    assert len(re.findall("text-anchor=\"end\"", narrow)) >= 2


def test_lanes_show_who_came_when():
    wild = "<script>alert(1)</script>"
    text = lanes([(0, "x"), (30, wild), (90, "x")], [(10, False)], {"x": "red", wild: "blue"}, 60)
    found, width, _ = places(text)
    assert len(found) == 2  # the third is older than the picture
    assert found[0, 0] > found[1, 0] and found[0, 1] < found[1, 1]
    assert "<script" not in text and "&lt;script&gt;" in text
    assert "offline" in text and ">60 s ago<" in text


@pytest.mark.parametrize("text", [
    spark([0, 1, 0.5]), lines([("red", np.zeros(5))], 0, 0, 1.0, title='"><b>'),
    loss_curve([], 1), lanes([], [], {}, 600),
])
def test_nothing_to_show_is_still_a_picture(text):
    found, _, _ = places(text)
    assert np.isfinite(found).all()


def test_a_take_without_samples_has_no_curve():
    assert spark([]) == ""
