"""One sitting: reads a source, keeps all of it, guides, and saves what is good at the end."""

import shutil
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from host_tools.errors import BeckonError
from host_tools.recording.blocks import Block, Finished
from host_tools.recording.guide import Guide, Phase
from host_tools.recording.writer import LabelledSpan, Segment, segments, write_recording

_READ_S = 0.1
_AHEAD_S = 0.8


@dataclass
class Session:
    """source: one of the sources (see blocks.py), entered. guide: None for free capture.

    Free capture: everything is one recording; label names all of it, or "" leaves it
    for later. repeated: the gesture of takes in a row, which are cut afterwards.
    """

    source: Any
    guide: Guide | None = None
    label: str = ""
    repeated: str = ""
    blocks: list[Block] = field(default_factory=list)
    fault: str = ""
    """Why it ended before its time, or ""."""
    correction: str = ""
    """What save() changed of the values, or ""."""
    row: tuple[list[LabelledSpan], list[tuple[int, int]]] | None = None
    """Free capture that was cut into takes: those to keep, and what is cut out of the recording."""
    _closed: bool = False

    def __post_init__(self) -> None:
        self.utc_start = datetime.now(UTC)
        self._heard_s = time.monotonic()
        self._announced = False
        self.source.tell_hand("guided" if self.guide
                              else f"row {self.repeated}" if self.repeated
                              else f"free {self.label}")

    @property
    def first(self) -> int:
        return self.blocks[0].index if self.blocks else 0

    @property
    def end(self) -> int:
        return self.blocks[-1].end if self.blocks else 0

    @property
    def samples(self) -> int:
        return sum(len(block.values) for block in self.blocks)

    @property
    def lost(self) -> int:
        return self.end - self.first - self.samples

    @property
    def clipped(self) -> int:
        """Samples at the end of the sensor's range."""
        return sum(int(block.clipped.sum()) for block in self.blocks)

    @property
    def seconds(self) -> float:
        return (self.end - self.first) / self.source.rate_hz

    def step(self) -> bool:
        """Read once; False when it is over: guided to its end, or the source is."""
        try:
            blocks = self.source.read(_READ_S)
        except Finished:
            return False
        except BeckonError as error:  # unplugged, or a board that no longer answers
            self.fault = str(error)
            return False
        if blocks and not self.blocks:
            self.utc_start = datetime.now(UTC)
        if blocks or self.source.held:
            self._heard_s = time.monotonic()
        elif time.monotonic() - self._heard_s > self.source.silence_s:
            self.fault = f"no samples for {self.source.silence_s:g} s; {self.source.silence_cure}"
            return False
        self._take(blocks)
        for _ in range(self.source.presses()):
            if self.guide:
                self.guide.press()
        return not (self.guide and self.guide.phase is Phase.DONE)

    def _take(self, blocks: list[Block]) -> None:
        for block in blocks:
            self.blocks.append(block)
            if self.guide:
                self.guide.feed(block)
                self._announce(self.guide)

    def _announce(self, guide: Guide) -> None:
        """Tell a hand that cannot see the screen what to do at GO, shortly before."""
        if guide.phase is not Phase.COUNTDOWN:
            self._announced = False
        elif guide.left_s <= _AHEAD_S and not self._announced:
            self._announced = True
            self.source.tell_hand(f"go {guide.left_s:.2f} {guide.label}")

    def parts(self) -> list[Segment]:
        """The recordings that there are to save."""
        if not self.blocks:
            return []
        if self.row is not None:
            kept, dropped = self.row
            return segments(self.end, kept, [*dropped, (0, self.first)])
        if not self.guide:
            whole = [LabelledSpan(self.first, self.end, self.label)] if self.label else []
            return [Segment(self.first, self.end, tuple(whole))]
        spans = [LabelledSpan(t.start, t.stop, t.label) for t in self.guide.good]
        # A take under way at the end is cut off: half a gesture is not rest.
        end = self.guide.pending_from(self.end)
        return segments(end, spans, [*self.guide.bad, (0, self.first)])

    def close(self) -> None:
        """Take what the source still holds; no more samples belong to this session."""
        if self._closed:
            return
        self._closed = True
        self.source.tell_hand("end")
        self._take(self.source.end())
        self.blocks, self.correction = self.source.corrected(self.blocks)

    def save(
        self, folder: Path, subject: str, on_retry: Callable[[str], bool] | None = None
    ) -> list[Path]:
        """Write all recordings; returns their paths.

        on_retry: asked with the reason when that fails, whether to try again. Raises
        BeckonError; what could not be written then lies in a temporary folder that the
        message names.
        """
        paths = []
        self.close()
        stamp = self.utc_start.strftime("%Y%m%d-%H%M%S")
        parts = self.parts()
        for number, part in enumerate(parts, 1):
            name = f"{subject.replace(' ', '_')}-{stamp}" + (f"-{number}" if len(parts) > 1 else "")
            while True:
                try:
                    paths.append(self._write(folder, name, part, subject))
                    break
                except BeckonError as error:
                    if on_retry and on_retry(str(error)):
                        continue
                    raise self._rescue(name, part, subject, error) from None
        return paths

    def _write(self, folder: Path, name: str, part: Segment, subject: str) -> Path:
        rate = self.source.measured_hz or self.source.rate_hz
        about = {**self.source.about(), "nominal_hz": self.source.rate_hz}
        return write_recording(folder, name, self.blocks, part, rate, about, subject,
                               self.utc_start)  # fmt: skip

    def _rescue(self, name: str, part: Segment, subject: str, error: BeckonError) -> BeckonError:
        rescue = Path(tempfile.mkdtemp(prefix="beckon-rescued-"))
        try:
            self._write(rescue, name, part, subject)
        except BeckonError:
            shutil.rmtree(rescue, ignore_errors=True)
            return error
        return BeckonError("{error}; what was recorded is in {rescue}", error=error, rescue=rescue)
