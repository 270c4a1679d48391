"""How many labels that are wrong on purpose come first in `beckon data errors`.

In each data set 3 % of the gestures get the label of another gesture, drawn at random. N of
them are wrong then. Counted is how many of those are among the first N suspects, and among
the first 2 N. Labels that were wrong before count as mistakes of the search.

example:
  beckon bench label-errors --dataset ../shared/data/cyberry_wand_mpu6050 --json
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from host_tools.wording import counted


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--dataset", nargs="+", default=["data/gestures"], metavar="DATASET")
    parser.add_argument("--share", type=float, default=0.03, help="part of the labels to swap")
    parser.add_argument("--draws", type=int, default=3, help="times, each with other labels")


def measure(args: argparse.Namespace, note: Callable[[str], None]) -> dict[str, Any]:
    from host_tools.dataset import read_dataset
    from host_tools.experiments.label_errors import label_errors

    runs = []
    for name in args.dataset:
        whole = read_dataset(name)
        for seed in range(1, args.draws + 1):
            data, wrong = swapped(whole, args.share, seed)
            began = time.perf_counter()

            def show(done: int, of: int, what: str = f"{whole.name}, draw {seed}") -> None:
                note(f"{what}: {100 * done // of} %")

            found = label_errors(data, show)
            hits = [(s.recording, s.start_ms) in wrong for s in found.suspects]
            n = len(wrong)
            last = max((i + 1 for i, hit in enumerate(hits) if hit), default=None)
            runs.append({
                "data": whole.name, "draw": seed, "takes": len(found.judged), "swapped": n,
                "among_first_n": sum(hits[:n]), "among_first_2n": sum(hits[: 2 * n]),
                "suspects": len(hits), "found": sum(hits), "last_at": last,
                "seconds": round(time.perf_counter() - began, 1),
            })
    return {"share": args.share, "runs": runs}


def swapped(data: Any, share: float, seed: int) -> tuple[Any, set[tuple[str, float]]]:
    """The data set with this part of its gestures' labels swapped, and which (recording, ms)."""
    import numpy as np

    from host_tools.dataset import Dataset, is_idle

    rng = np.random.default_rng(seed)
    spots = [(i, k) for i, r in enumerate(data.recordings) for k, s in enumerate(r.spans)
             if not is_idle(s.label)]
    labels = [label for label in data.labels if not is_idle(label)]
    chosen = rng.permutation(len(spots))[: max(1, round(share * len(spots)))]
    drawn = {spots[k] for k in chosen.tolist()}
    out, wrong = [], set()
    for i, r in enumerate(data.recordings):
        spans = list(r.spans)
        for k, s in enumerate(spans):
            if (i, k) in drawn:
                other = str(rng.choice([label for label in labels if label != s.label]))
                spans[k] = replace(s, label=other)
                wrong.add((r.name, s.start_ms))
        out.append(r.with_spans(spans))
    return Dataset(data.name, out), wrong


def summary(figures: dict[str, Any]) -> str:
    lines = [
        f"{r['data']}, draw {r['draw']}: {counted(r['takes'], 'take')}, {r['swapped']} swapped; "
        f"{r['among_first_n']} of them among the first {r['swapped']} suspects, "
        f"{r['among_first_2n']} among the first {2 * r['swapped']}; "
        f"{r['suspects']} suspects, {r['seconds']:g} s"
        for r in figures["runs"]
    ]
    return "\n".join(lines)
