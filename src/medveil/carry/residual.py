"""Residual: what is left of a face, as numbers, for one image before and after protection.

    head before ─┬─ same three views ─ recogniser ─> was a face detected, how far apart are the descriptors
    head after  ─┘
    skin of the face before ──────> surface after ─> how far that skin moved

The numbers may be released and are computed from the original face, so they have few digits.

A measurement, not a proof: no single image tells whether somebody can be recognised. The attacks, which
compare many people, do that.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from medveil.attack.reidentify.recogniser import Face, recogniser
from medveil.attack.reidentify.render import pictures
from medveil.attack.reidentify.surface import Head
from medveil.scene.distance import distances_mm

VIEWS = 3  # frontal, and 15 degrees to either side
MOVED_MM = 2.0  # less may be noise, or a smoother surface of the same skin
MOST_POINTS = 4000

# The skin of a face, seen from the point between and behind the eyes at which every render looks: how far it
# reaches to the sides, down and up, and how far in front of that point it begins.
ASIDE_MM, DOWN_MM, UP_MM, FORWARD_MM = 65.0, 90.0, 20.0, 40.0


def residual(before: Head, after: Head) -> dict[str, float]:
    """How much of the face of one head is left in the same head after protection.

    Args:
        before, after: the surfaces of the two images, in the same RAS+ mm.

    Returns:
        `face_detected_before`, `face_detected_after`: 1 if the detector fires in one of three views, else 0.
        `descriptor_distance`: Euclidean distance of dlib's 128-d descriptors of equal views, mean of three; 0
        is the same picture, and two photographs closer than 0.6 are one person's by dlib's own rule.
        `skin_moved_mm`, `skin_moved_share`: mean distance from the skin of the face before to the surface
        after, and share of that skin further away than 2 mm; missing where there is no such skin before, or
        no surface after. Nothing at all where there was no surface before.
    """
    if before.is_empty:
        return {}
    seen, left = faces(before), faces(Head(after.mesh, before.focus_mm))
    apart = [float(np.linalg.norm(a.embedding - b.embedding)) for a, b in zip(seen, left, strict=True)]
    out = {
        "face_detected_before": float(any(f.detected for f in seen)),
        "face_detected_after": float(any(f.detected for f in left)),
        "descriptor_distance": round(float(np.mean(apart)), 2),
    }
    skin = face_skin(before)
    if len(skin) and not after.is_empty:
        moved = distances_mm(skin, after.mesh)
        out["skin_moved_mm"] = round(float(moved.mean()), 1)
        out["skin_moved_share"] = round(float((moved > MOVED_MM).mean()), 2)
    return out


def faces(head: Head) -> list[Face]:
    """What the recogniser says of a head, view by view."""
    return [recogniser().look(picture, known) for picture, known in pictures(head, VIEWS)]


def face_skin(head: Head) -> npt.NDArray[np.float32]:
    """(N, 3) points, RAS+ mm, on the front of a head from chin to brow; at most 4000, evenly picked."""
    x, y, z = (head.mesh.vertices - np.asarray(head.focus_mm, np.float32)).T
    front = (np.abs(x) < ASIDE_MM) & (y > FORWARD_MM) & (z > -DOWN_MM) & (z < UP_MM)
    skin = head.mesh.vertices[front]
    return np.asarray(skin[:: max(1, -(-len(skin) // MOST_POINTS))])
