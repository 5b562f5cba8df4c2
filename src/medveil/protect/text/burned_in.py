"""Burned-in text: all witnesses heard on one file or series, and what to do with it.

    header facts ──flags──────────────────────────┐
    4 frames or more ──static──┐                  │
    every kind ──glyphs────────┼─> boxes ──> text │ none seen │ unknown
    header's words ──string────┘                  │
    tesseract, on request ──ocr───────────────────┘

`text` is blanked or the file held back; `unknown` is for a person to look at. `none seen` is no proof: it says
that text of `smallest_px` and more, drawn as in the benchmark, was found in at least nine cases of ten.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from medveil.core.errors import UsageError
from medveil.protect.text.blank import blank
from medveil.protect.text.boxes import Box, Seen, as_frames
from medveil.protect.text.flags import HeaderFacts, flags, risk
from medveil.protect.text.glyphs import glyph_boxes
from medveil.protect.text.static import FEWEST_FRAMES, static_boxes
from medveil.protect.text.strings import string_boxes

RECURRING = 0.5  # of the frames of a series: where else single frames look like text, it is anatomy
# Frames at least, and font size from which on nine in ten words were found, places and inks taken together; of single
# frames and shorter series nothing of the kind can be said (benchmarks/metadata/text.md).
MEASURED: tuple[tuple[int, int], ...] = ((16, 12), (8, 14))


@dataclass(frozen=True, kw_only=True)
class BurnedIn:
    """Find burned-in text in stored pixel values, and blank it.

    Args:
        smallest_px: font size down to which an answer is wanted; below what was measured it is `unknown`.
        most_frames: single frames that glyphs and header strings are looked for in, spread over the series.
        match_strings: also look for the header's own words; seconds to minutes a frame, and weak
            (benchmarks/metadata/text.md): it tells that a text names somebody, and finds few texts that nothing else finds.
        ocr: also ask the tesseract program.

    Raises:
        UsageError: a setting out of its range.
    """

    name: ClassVar[str] = "text.burned_in"
    summary: ClassVar[str] = (
        "find text that is burned into the pixels, blank it, and say what could not be seen"
    )

    smallest_px: int = 12
    most_frames: int = 8
    match_strings: bool = False
    ocr: bool = False

    def __post_init__(self) -> None:
        if not 6 <= self.smallest_px <= 40:
            raise UsageError(
                f"{self.name}: smallest_px must lie between 6 and 40, the sizes that were measured"
            )
        if self.most_frames < 1:
            raise UsageError(f"{self.name}: most_frames must be at least 1")

    def check(self) -> None:
        """There is no file among the settings."""

    def describe(self) -> str:
        more = (", the words of the header" if self.match_strings else "") + (", ocr" if self.ocr else "")
        return (
            f"look for burned-in text of {self.smallest_px} px and more by pixels that stand still, rows of "
            f"glyphs{more}, and blank the same boxes on all frames"
        )

    def look(
        self, frames: npt.NDArray[Any], facts: HeaderFacts | None = None, strings: Iterable[str] = ()
    ) -> Seen:
        """What the tests say.

        Args:
            frames: (N, H, W) or (N, H, W, 3), stored values of one file or of one series on one grid.
            facts: of the header; a photograph has none.
            strings: the header's identifying values, which are looked for and never kept.

        Raises:
            InputRefused: frames of another shape. MissingPackage: ocr without tesseract.
        """
        frames = as_frames(frames)
        facts = facts or HeaderFacts()
        stack = len(frames) >= FEWEST_FRAMES
        boxes: list[Box] = [
            *static_boxes(frames),
            *glyph_boxes(frames, most_frames=self.most_frames, recurring=RECURRING * stack),
        ]
        strings = tuple(strings)
        middle = frames[len(frames) // 2]
        if self.match_strings and strings:
            boxes += string_boxes(middle, strings)
        if self.ocr:
            from medveil.protect.text.ocr import ocr_boxes

            boxes += ocr_boxes(middle)
        reasons = list(flags(facts))
        if boxes:
            return Seen("text", tuple(sorted(boxes)), tuple(reasons))
        compared = stack and not facts.lossy and any((frame != frames[0]).any() for frame in frames[1:])
        measured = next((px for n, px in MEASURED if compared and len(frames) >= n), None)
        if not compared:
            reasons.append("no stack of lossless frames to compare")
        if measured is None or measured > self.smallest_px:
            reasons.append("text of this size was not measured to be found")
        unknown = risk(facts) != "no sign" or measured is None or measured > self.smallest_px
        return Seen("unknown" if unknown else "none seen", (), tuple(reasons), measured)

    def blank(self, frames: npt.NDArray[Any], seen: Seen) -> npt.NDArray[Any]:
        """The frames with every box blanked on each of them; a copy, bit-identical elsewhere."""
        return blank(np.asarray(frames), seen.boxes)
