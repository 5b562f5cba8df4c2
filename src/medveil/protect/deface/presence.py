"""Presence: is there still a face in an image, whatever its name or its papers say?

    image ──locate──> brain ──the place behind every intact face's skin──> share of it that is tissue

Looked at is the volume of the face, not its looks: a face that was replaced by another one counts as there.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from medveil.core.image import Image
from medveil.core.release import NOTHING
from medveil.locate.head import locate
from medveil.protect.deface.method import FACE_IS_GONE_SHARE, IN_VIEW_SHARE
from medveil.protect.deface.site import Site
from medveil.protect.deface.stock import BODY_OF_FACE, take_stock

MARGIN_MM = 5.0  # as the methods keep it by default: tissue this near to the brain is nobody's face


@dataclass(frozen=True)
class Presence:
    """How much of a face is in an image.

    Args:
        tissue: share of the place behind an intact face's skin that holds tissue, of what lies in view.
        in_view: the largest share of any part of the face inside the field of view.
    """

    tissue: float
    in_view: float

    @property
    def is_there(self) -> bool:
        """Whether a face, or another in its place, is in view; see `method.FACE_IS_GONE_SHARE`."""
        return self.in_view >= IN_VIEW_SHARE and self.tissue >= FACE_IS_GONE_SHARE


def face_left(image: Image) -> Presence:
    """Look for a face in an image.

    Raises:
        Refusal: the head was not found with confidence, so nothing can be said; see `locate`.
    """
    found = locate(image)
    site = Site(image, found, MARGIN_MM, NOTHING)
    nothing = np.zeros(site.shape, dtype=bool)
    stock = take_stock(site, nothing, site.brain, BODY_OF_FACE)
    return Presence(stock["face_tissue"], max(stock[f"in_view_{part}"] for part in BODY_OF_FACE))
