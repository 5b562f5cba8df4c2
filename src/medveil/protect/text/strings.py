"""Header strings: the words of this very header, looked for in this very image.

    "DOE^JANE" ──written as consoles do──> DOE, JANE ──drawn in 5 fonts, 6 to 40 px──> template
    image ──normalised cross-correlation (FFT)──> peak  >  0.65 and well over the mirrored template's peak

A hit adds what the other tests cannot know: that the text is an identifier. The mirrored template has the same
strokes and spells nothing; its best match in the same image is what chance gives, and a hit must beat it. A font that is not among
the five shifts letters against each other and lowers the peak, and so does tissue under faint letters: measured, it finds
fewer words than the other tests do, and no grey ones on tissue. No hit is no proof.

Normalised cross-correlation: Lewis 1995, "Fast Normalized Cross-Correlation". Large letters are looked for in
an image reduced by 2.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from medveil.core.errors import UsageError
from medveil.protect.text.boxes import Box, as_frames, joined
from medveil.simulate.overlays import FONTS, lettering

SIZES_PX: tuple[int, ...] = (*range(6, 17), 18, 20, 22, 24, 26, 28, 32, 36, 40)
_PEAK = 0.65
_OVER_MIRRORED = 0.15
_SHORTEST = 4  # signs: shorter words match by chance
_MOST_WORDS = 12
_REDUCED_FROM_PX = 20

Plane = npt.NDArray[np.float32]


def words(strings: Iterable[str]) -> tuple[str, ...]:
    """The header's strings as a console would write them: parts of names, dates in usual orders; at most 12.

    >>> words(["DOE^JANE", "19700131", "A1"])
    ('DOE', 'JANE', '1970-01-31', '01/31/1970', '31.01.1970', '01.31.1970', '19700131')
    """
    found: dict[str, None] = {}
    for string in strings:
        plain = unicodedata.normalize("NFC", string).strip()
        if re.fullmatch(r"\d{8}", plain):
            y, m, d = plain[:4], plain[4:6], plain[6:]
            found |= dict.fromkeys((f"{y}-{m}-{d}", f"{m}/{d}/{y}", f"{d}.{m}.{y}", f"{m}.{d}.{y}", plain))
        else:
            found |= dict.fromkeys(part for part in re.split(r"[\^=\\\s,]+", plain) if len(part) >= 3)
    return tuple(found)[:_MOST_WORDS]


def string_boxes(
    frame: npt.NDArray[Any],
    strings: Iterable[str],
    *,
    sizes_px: Sequence[int] = SIZES_PX,
    fonts: Sequence[str] = tuple(FONTS),
) -> tuple[Box, ...]:
    """Boxes around words of the header that are found in one frame; the score is the peak correlation.

    Args:
        frame: (H, W) or (H, W, 3).
        strings: values of the header, names with ^ and dates as YYYYMMDD; words under four signs are passed over.
        sizes_px, fonts: what the words are drawn in; `simulate.overlays.FONTS`.

    Raises:
        UsageError: no size or no font to look for.
    """
    if not sizes_px or not fonts:
        raise UsageError("header strings: expected at least one size and one font")
    as_frames(frame[None])
    plane = np.nan_to_num(frame.astype(np.float32))
    plane = plane.max(axis=-1) if plane.ndim == 3 else plane
    low, high = np.percentile(plane, [0.1, 99.9])
    plane = np.clip(plane, low, max(high, low + 1e-6))
    looked_for = [w for w in words(strings) if len(w) >= _SHORTEST]
    boxes = []
    for factor in (1, 2):
        sizes = [s for s in sizes_px if _factor(s) == factor]
        if not sizes or not looked_for or min(plane.shape) < 8 * factor:
            continue
        search = _Search(_reduced(plane, factor))
        for font in fonts:
            for size in sizes:
                for word in looked_for:
                    boxes += _hits(search, _reduced(lettering(word, size, font), factor), factor, plane.shape)
    return joined(boxes)


def _hits(search: _Search, ink: Plane, factor: int, shape: tuple[int, ...]) -> list[Box]:
    h, w = ink.shape
    if h >= search.shape[0] or w >= search.shape[1] or h < 3 or float(ink.std()) == 0.0:
        return []
    match, mirrored = np.abs(search.match(ink)), np.abs(search.match(ink[:, ::-1]))
    least = max(_PEAK, float(mirrored.max()) + _OVER_MIRRORED)
    if float(match.max()) < least:
        return []
    found = []
    for top, left in np.argwhere(match >= least)[:64]:
        box = Box(
            int(top) * factor, int(left) * factor, h * factor, w * factor, "string", float(match[top, left])
        )
        found.append(box.grown(max(2, h * factor // 5), (shape[0], shape[1])))
    return found


class _Search:
    """One image, transformed once, in which many templates are looked for."""

    def __init__(self, image: Plane) -> None:
        from scipy import fft

        self.shape = image.shape
        centred = image.astype(np.float64) - float(image.mean())
        self._padded = tuple(fft.next_fast_len(n, real=True) for n in image.shape)
        self._spectrum = fft.rfft2(centred.astype(np.float32), self._padded)
        self._sum = np.pad(centred.cumsum(0).cumsum(1), ((1, 0), (1, 0)))
        self._squares = np.pad((centred**2).cumsum(0).cumsum(1), ((1, 0), (1, 0)))
        self._least = 1e-4 * float((centred**2).mean()) + 1e-12

    def match(self, ink: Plane) -> npt.NDArray[Any]:
        """Correlation of the template with every window, (H - h + 1, W - w + 1), -1 to 1; 0 where all is flat."""
        from scipy import fft

        h, w = ink.shape
        template = ink - ink.mean()
        product = fft.irfft2(self._spectrum * np.conj(fft.rfft2(template, self._padded)), self._padded)
        product = product[: self.shape[0] - h + 1, : self.shape[1] - w + 1]
        area = h * w
        variance = _windows(self._squares, h, w) / area - (_windows(self._sum, h, w) / area) ** 2
        scale = np.sqrt(np.maximum(variance, self._least) * area * float((template**2).sum()))
        return np.where(variance > self._least, product / scale, 0.0)


def _windows(total: npt.NDArray[np.float64], h: int, w: int) -> npt.NDArray[np.float64]:
    return total[h:, w:] - total[:-h, w:] - total[h:, :-w] + total[:-h, :-w]


def _factor(size_px: int) -> int:
    return 1 if size_px < _REDUCED_FROM_PX else 2


def _reduced(plane: Plane, factor: int) -> Plane:
    """Mean over blocks of factor x factor; edges that do not fill a block are padded with their own value."""
    if factor == 1:
        return plane
    h, w = (-plane.shape[0]) % factor, (-plane.shape[1]) % factor
    padded = np.pad(plane, ((0, h), (0, w)), mode="edge")
    blocks = padded.reshape(padded.shape[0] // factor, factor, padded.shape[1] // factor, factor)
    return np.asarray(blocks.mean(axis=(1, 3)), dtype=np.float32)
