"""Location: a head that was found, and how sure that is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from medveil.locate.grid import Matrix

Path = Literal["mr", "ct", "pet"]
Way = Literal["searched", "masked", "carried", "given"]
State = Literal["whole", "skull-stripped"]


@dataclass(frozen=True, eq=False, repr=False)
class Location:
    """A head that was found.

    Args:
        affine: (4, 4) MNI mm to the image's RAS+ mm.
        confidence: the signals by name, see `confidence`.
        modality: the path that found it: `mr` (also PET) or `ct`.
        field_of_view: `brain_in_view` (share of the brain), `crown_cut_cm2` (section of the head at the upper
            edge), `head_l` (litres of head in view).
        attempts: how many rounds of starts were needed.
        way: `searched` in the image itself; `masked`, by a given mask of the brain; `carried` over from
            another image of the session; `given` as an affine.
        state: `whole`, or `skull-stripped` where the image shows a brain and nothing else.
    """

    affine: Matrix
    confidence: Mapping[str, float]
    modality: Path
    field_of_view: Mapping[str, float]
    attempts: int = 1
    way: Way = "searched"
    state: State = "whole"

    def __repr__(self) -> str:
        said = ", ".join(f"{k}={v:.3g}" for k, v in self.confidence.items())
        return f"Location({self.modality}, {self.way}, {self.state}, {said})"
