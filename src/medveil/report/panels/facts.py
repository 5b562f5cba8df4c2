"""Facts: what was measured on each image, as columns of words; two panels show them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from medveil.report import words

CONFIDENCE = "confidence"
SEEN = ("face_detected_before", "face_detected_after")
RESIDUAL = ("descriptor_distance", "skin_moved_mm", "skin_moved_share")
FIRST = ("removed_ml", CONFIDENCE, SEEN[0], *RESIDUAL)
HEADS = {
    SEEN[0]: "face detected",
    "skin_moved_share": f"moved more than 2{words.THIN}mm",
}
DIGITS = {"descriptor_distance": 2, "skin_moved_mm": 1}


@dataclass(frozen=True)
class Column:
    """One measurement over all images: its heading, and so many decimals for all, so that it reads downwards."""

    key: str
    head: str
    digits: int | None

    def cell(self, measured: Mapping[str, Any]) -> str:
        """What one image has in this column."""
        if self.key not in measured:
            return words.NONE
        if self.key == SEEN[0]:
            return " \N{RIGHTWARDS ARROW} ".join(_yes(measured.get(key)) for key in SEEN)
        if self.key == "skin_moved_share":
            return f"{100 * measured[self.key]:.0f}{words.THIN}%"
        return words.number(measured[self.key], self.digits)


def columns(rows: Sequence[Mapping[str, Any]]) -> list[Column]:
    """The columns that these rows of the findings need, in reading order."""
    taken = [row.get("measured") or {} for row in rows]
    keys = words.in_order({k for m in taken for k in m if k != SEEN[1]}, FIRST)
    return [
        Column(k, HEADS.get(k, words.phrase(k)), DIGITS.get(k, _digits([m[k] for m in taken if k in m])))
        for k in keys
    ]


def detected(rows: Sequence[Mapping[str, Any]]) -> dict[str, int] | None:
    """In how many images the face detector fired, before and after; None where nobody looked."""
    looked = [m for row in rows if SEEN[0] in (m := row.get("measured") or {}) and SEEN[1] in m]
    if not looked:
        return None
    before, after = (sum(1 for m in looked if m[key]) for key in SEEN)
    return {"of": len(looked), "before": before, "after": after}


def _yes(flag: float | None) -> str:
    return words.NONE if flag is None else "yes" if flag else "no"


def _digits(column: Sequence[float]) -> int | None:
    largest = max(abs(x) for x in column)
    return None if all(x == int(x) for x in column) else 0 if largest >= 100 else 2 if largest > 1 else 3
