"""Cut the power at random moments while events go to the spool.

Each life of the board is a MicroPython process of its own with the real spool on
a real littlefs; only the flash chip under it is a stand-in (on_board/flash.py). It
stops in the middle of a random write or erase, which stays done in part.
"""

import os
import random
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from host_tools.errors import BeckonError
from host_tools.paths import FIRMWARE
from host_tools.toolchain import micropython_command

_ON_BOARD = Path(__file__).resolve().parent / "on_board"
_TIMEOUT_S = 30


@dataclass
class PowerCuts:
    """What came of it.

    lost: records that append() had returned for, that were not taken, and are gone.
    unreadable: power-ons at which file system or spool could not be read.
    strange: records that nobody wrote, out of order or twice. repeated: records taken
    before the cut that came again, which is allowed.
    """

    count: int = 0
    appended: int = 0
    lost: int = 0
    unreadable: int = 0
    strange: int = 0
    repeated: int = 0


def cut_power(count: int, seed: int) -> PowerCuts:
    """Live `count` lives, all on the same flash. Raises BeckonError if one goes wrong."""
    rng = random.Random(seed)
    result = PowerCuts()
    with tempfile.TemporaryDirectory(prefix="beckon-flash-") as folder:
        image = Path(folder) / "flash.bin"
        number = 0
        waiting: list[int] = []  # safe, and not taken
        in_doubt: list[int] = []  # the step under way when the power went
        for life in range(count + 1):
            lines = _live(image, rng.randrange(1 << 30), number)
            found = _found(lines)
            if found is None:
                result.unreadable += 1
                image.unlink(missing_ok=True)
                waiting, in_doubt = [], []
                continue
            if life:
                result.lost += len(set(waiting) - set(found))
                result.repeated += len(set(found) - set(waiting) - set(in_doubt))
                if found != sorted(set(found)) or any(not 0 <= n < number for n in found):
                    result.strange += 1
            if life == count:
                break
            result.count += 1
            waiting = found
            in_doubt = []
            for step in _steps(lines):
                number = max(number, step.number + 1)
                if step.word == "pop":
                    waiting.remove(step.number)
                if not step.done:
                    in_doubt = [step.number]
                elif step.word == "append":
                    waiting.append(step.number)
                    result.appended += 1
    return result


@dataclass
class _Step:
    word: str
    number: int
    done: bool = False


def _steps(lines: list[str]) -> list[_Step]:
    steps: list[_Step] = []
    for line in lines:
        word, *rest = line.split()
        if word in ("append", "pop"):
            steps.append(_Step(word, int(rest[0])))
        elif word == "done":
            steps[-1].done = True
    return steps


def _found(lines: list[str]) -> list[int] | None:
    """What waited at power-on; None if it could not be read."""
    for line in lines:
        if line.startswith("found"):
            return [int(word) for word in line.split()[1:]]
    return None


def _live(image: Path, seed: int, number: int) -> list[str]:
    done = subprocess.run(
        [*micropython_command(), "-X", "heapsize=2M", str(_ON_BOARD / "life.py"), str(image),
         str(seed), str(number)],
        env={**os.environ, "MICROPYPATH": f"{FIRMWARE}:{_ON_BOARD}:.frozen"},
        stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=_TIMEOUT_S,
    )
    if done.returncode and "OSError" not in done.stdout + done.stderr:
        said = (done.stderr or done.stdout).strip()[-500:]
        raise BeckonError(f"the board in the power-cut bench fails: {said}")
    return done.stdout.splitlines()
