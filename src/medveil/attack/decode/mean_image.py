"""decode.mean_image: a floor. The mean of other people's pictures, which looks at no code at all.

    pictures of other people ──cut to the shape, resized──> mean        without any: mid grey

What an attack reaches below this, it did not read in the code: films of one kind are alike.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from medveil.attack.decode.base import CodeThreat, Picture
from medveil.core.claims import Decoded
from medveil.core.sparse import PublicCode


@dataclass(frozen=True)
class MeanImage:
    """The mean picture of other people, for everybody."""

    name: ClassVar[str] = "decode.mean_image"
    summary: ClassVar[str] = "a floor: the mean of other people's pictures, looks at no code"
    learns: ClassVar[bool] = False

    def run(self, codes: Sequence[PublicCode], threat: CodeThreat, *, condition: str) -> list[Decoded]:
        """One claim for each code: of the same size, the same picture."""
        means: dict[tuple[int, int], Picture] = {}
        for code in codes:
            size = code.height, code.width
            if size not in means:
                means[size] = _mean([p.picture for p in threat.pairs], *size)
        notes = {"people": float(len({p.group for p in threat.pairs}))}
        return [Decoded(None, means[c.height, c.width], self.name, condition, notes) for c in codes]

    def describe(self) -> str:
        """In words, what the attack will do."""
        return "take the mean picture of other people for everybody; mid grey where there are none"


def _mean(pictures: Sequence[Picture], height: int, width: int) -> Picture:
    if not pictures:
        return np.full((height, width), 0.5, np.float32)
    total = np.zeros((height, width))
    for picture in pictures:
        total += fitted(picture, height, width)
    return (total / len(pictures)).clip(0, 1).astype(np.float32)


def fitted(picture: Picture, height: int, width: int) -> Picture:
    """The middle of a picture, cut to the shape that is asked for, then resized."""
    from skimage.transform import resize

    rows, cols = picture.shape
    keep_rows, keep_cols = min(rows, round(cols * height / width)), min(cols, round(rows * width / height))
    top, left = (rows - keep_rows) // 2, (cols - keep_cols) // 2
    cut = picture[top : top + max(keep_rows, 1), left : left + max(keep_cols, 1)]
    return np.asarray(resize(cut, (height, width), anti_aliasing=True), dtype=np.float32)
