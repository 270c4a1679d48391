"""Every augmentation with a picture of before and after, as one HTML page."""
from __future__ import annotations

from html import escape

import numpy as np

from host_tools.augment.examples import example
from host_tools.augment.kinds import BETWEEN, KINDS
from host_tools.plots.svg import COLOURS, Plot, axes_legend, page


def html_page(window: np.ndarray, rate_hz: float, title: str, seed: int = 1) -> str:
    """All kinds applied to one window, float32 (axes, length)."""
    body = [
        '<p class="note">Left: as recorded. Right: one draw of the augmentation, stronger than '
        "training uses it so that it can be seen, with the recorded movement in grey. "
        f"Acceleration in m/s&sup2;, time in seconds. {axes_legend()}</p>"
    ]
    for kind in KINDS:
        rng = np.random.default_rng(seed)
        after = example(kind, window, rate_hz, rng)
        low = float(min(window[:3].min(), after[:3].min()))
        high = float(max(window[:3].max(), after[:3].max()))
        row = []
        end_s = max(window.shape[1], after.shape[1]) / rate_hz  # one scale: slower must look so
        for x in (window, after):
            t = np.arange(x.shape[1]) / rate_hz
            plot = Plot((0, end_s), (low, high), width=440, height=150)
            for axis in range(3):
                if x is after and kind.stage != BETWEEN:
                    plot.line(np.arange(window.shape[1]) / rate_hz, window[axis], "#999", 0.8)
            for axis in range(3):
                plot.line(t, x[axis], COLOURS[axis], 1.3)
            row.append(plot.text("s"))
        body.append(
            f"<h2>{escape(kind.name)}</h2><p>{escape(kind.meaning)} "
            f'<span class="note">({escape(kind.setting)})</span></p>'
            f'<div style="display:flex">{"".join(row)}</div>'
        )
    return page(title, "".join(body))
