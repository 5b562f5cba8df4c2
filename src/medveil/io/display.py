"""How a picture is to be shown: the few facts beside its numbers that say nothing of a person.

They stand in the open part of a code, so there is no room in them for anything else: one of two words, and numbers
of six digits.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args

from medveil.core.errors import InputRefused

Photometric = Literal["MONOCHROME1", "MONOCHROME2"]
_DIGITS = 6
_KEYS = ("bits", "photometric", "spacing_mm", "window")


@dataclass(frozen=True)
class Display:
    """What a viewer must know to show stored numbers.

    Args:
        photometric: MONOCHROME1 where the lowest number is white, as some film scanners store it.
        bits: how many bits of a stored number are used, 1 to 64; 0 for real numbers.
        window: centre and width of the real values to show (PS3.3 C.11.2.1.2), None where the file asks for none.
        spacing_mm: between rows and between columns; None where the file does not say.
    """

    photometric: Photometric = "MONOCHROME2"
    bits: int = 8
    window: tuple[float, float] | None = None
    spacing_mm: tuple[float, float] | None = None

    def said(self) -> dict[str, Any]:
        """As plain JSON, for the public header of a code; `Display.of` is the way back."""
        said: dict[str, Any] = {"photometric": self.photometric, "bits": self.bits}
        if self.window is not None:
            said["window"] = list(self.window)
        if self.spacing_mm is not None:
            said["spacing_mm"] = list(self.spacing_mm)
        return said

    @classmethod
    def of(cls, said: Mapping[str, Any]) -> Display:
        """What `said` says.

        Raises:
            InputRefused: another key, or a value that is none of these.
        """
        bits = said.get("bits")
        if set(said) - set(_KEYS) or said.get("photometric") not in get_args(Photometric):
            raise InputRefused("display: expected photometric, bits, window and spacing_mm, nothing else")
        if type(bits) is not int or not 0 <= bits <= 64:
            raise InputRefused("display: bits is no number from 0 to 64")
        return cls(said["photometric"], bits, _pair(said, "window"), _pair(said, "spacing_mm"))


def rounded(values: Any, *, positive: tuple[bool, bool]) -> tuple[float, float] | None:
    """Two numbers of six digits, or None where there are not two finite ones, positive where they must be."""
    try:
        first, second = (float(f"{float(v):.{_DIGITS}g}") for v in values)
    except (TypeError, ValueError):
        return None
    sound = all(math.isfinite(v) and (v > 0 or not p) for v, p in zip((first, second), positive, strict=True))
    return (first, second) if sound else None


def _pair(said: Mapping[str, Any], key: str) -> tuple[float, float] | None:
    if key not in said:
        return None
    pair = rounded(said[key], positive=(key != "window", True))
    if pair is None or list(pair) != list(said[key]):
        raise InputRefused(f"display: {key} is no pair of numbers of {_DIGITS} digits")
    return pair
