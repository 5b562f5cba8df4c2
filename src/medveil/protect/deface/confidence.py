"""Confidence: does the fitted brain lie on a brain? Signals by name, the rule, and refusals with a reason.

No single number tells a right fit from a wrong one: mutual information itself overlaps. What tells them
apart is how much is LOST when the pose is displaced (12 displaced poses: 25 degrees about each axis and
30 mm along each, both ways), the size of the brain that the fit implies, and whether skull and scalp are
where the vault of a head has them.

| signal        | what it is                                                                       |
|---------------|----------------------------------------------------------------------------------|
| inner_ratio   | information inside the brain over its median at the displaced poses (MR, PET)    |
| peak_ratio    | information of the last stage over the best of the displaced poses               |
| scale_max/min | singular values of the affine: the size of this brain in template brains         |
| in_head       | share of the brain's points (of those seen) that lie inside the head             |
| in_view       | share of the brain's points that lie inside the field of view                    |
| skin_mm       | median distance from the vault of the brain to the air: skull and scalp          |
| agree_mm      | distance between the two best fits (weak: two starts may agree on a wrong pose)  |
| cavity_l, closed | CT: volume of the skull's cavity; share of directions that end on bone        |
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from medveil.core.errors import Refusal
from medveil.core.release import Mask
from medveil.protect.deface.grid import Grid, Matrix, Vector
from medveil.protect.deface.register import CENTRE, Fit, Picture, apart_mm
from medveil.protect.deface.template import template

Rule = Mapping[str, tuple[float, float]]

# (smallest, largest) value of each signal that is believed.
SHAPE: Rule = {
    "scale_max": (0.0, 1.2),
    "scale_min": (0.7, 9.0),
    "scale_ratio": (1.0, 1.35),
    "in_head": (0.93, 1.0),
    "in_view": (0.85, 1.0),
    "skin_mm": (9.0, 99.0),
}
SOFT: Rule = {"inner_ratio": (2.0, np.inf), "peak_ratio": (1.55, np.inf), **SHAPE}
SKULL: Rule = {
    "information": (0.5, np.inf),
    "peak_ratio": (1.1, np.inf),
    "cavity_l": (0.8, 2.0),
    "closed": (0.8, 1.0),
    **SHAPE,
}


def signals(
    fitted: tuple[Fit, ...], picture: tuple[Picture, Picture], grid: Grid, head: Mask
) -> dict[str, float]:
    """All signals that both paths share, for the best of the fits.

    Args:
        fitted: best first.
        picture: (template, patient) of the last stage.
        grid, head: the patient before normalisation, for what lies in view and where the air begins.
    """
    best = fitted[0]
    fixed, moving = picture
    where = fixed.where if fixed.where is not None else np.ones(fixed.values.shape, dtype=bool)
    inner = template(fixed.mm).distance_mm <= -5.0
    whole = _Information(fixed, where, moving)
    core = _Information(fixed, where & inner, moving)
    poses = [best.affine @ d for d in displaced()]
    here, there = whole.at(best.affine), [whole.at(p) for p in poses]
    inside, outside = core.at(best.affine), [core.at(p) for p in poses]
    scales = np.linalg.svd(best.affine[:3, :3], compute_uv=False)
    return {
        "information": here,
        "peak_ratio": here / max(*there, 1e-3),
        "inner_ratio": inside / max(float(np.median(outside)), 1e-3),
        "scale_max": float(scales[0]),
        "scale_min": float(scales[-1]),
        "scale_ratio": float(scales[0] / scales[-1]),
        "agree_mm": apart_mm(best.affine, fitted[1].affine) if len(fitted) > 1 else 99.0,
        **anatomy(best.affine, grid, head),
    }


def anatomy(affine: Matrix, grid: Grid, head: Mask) -> dict[str, float]:
    """Whether the mapped brain is in view, inside the head, and as deep under the skin as brains are."""
    from scipy import ndimage as ndi

    t = template(4.0)
    seen = _share(grid.seen, grid, affine, t.points(t.brain))
    inside = _share(head & grid.seen, grid, affine, t.points(t.brain))
    # Beyond the field of view nobody knows whether there is air: only air that was seen counts.
    solid = np.pad(head | ~grid.seen, 1)
    depth = ndi.distance_transform_edt(solid)[1:-1, 1:-1, 1:-1] * grid.mm
    vault = t.brain & (t.distance_mm >= -4.0) & (t.axes[2] > 0)
    at = grid.indices(_moved(affine, t.points(vault)))
    skin = ndi.map_coordinates(depth, at.T, order=1, cval=0.0)
    return {"in_view": seen, "in_head": inside / max(seen, 1e-6), "skin_mm": float(np.median(skin))}


def judge(measured: Mapping[str, float], rule: Rule) -> tuple[str, ...]:
    """The names of the signals that are not believed."""
    return tuple(n for n, (low, high) in rule.items() if not low <= measured[n] <= high)


def refusal(measured: Mapping[str, float], failed: tuple[str, ...], rule: Rule) -> Refusal:
    """The named reason for not trusting a fit."""
    said = ", ".join(f"{name} is {measured[name]:.3g}, expected {_range(*rule[name])}" for name in failed)
    if failed == ("skin_mm",) and measured["skin_mm"] < 7.0:
        return Refusal("already skull-stripped", said, hint="there is no face in this image to remove")
    if set(failed) <= {"in_view", "in_head"}:
        return Refusal(
            "field of view cuts the brain", said, hint="too little of the brain to be sure where it is"
        )
    return Refusal(
        "registration not trusted",
        said,
        hint="check that the image shows a head and that its header gives the right orientation",
    )


def _range(low: float, high: float) -> str:
    if high >= 9.0 and high != 99.0:
        return f"at least {low:g}"
    return f"at most {high:g}" if low == 0.0 else f"{low:g} to {high:g}"


def displaced() -> list[Matrix]:
    """12 displacements in MNI mm: 25 degrees about each axis through the centre, 30 mm along each."""
    out = []
    for axis in range(3):
        for sign in (1, -1):
            turn, shift = np.eye(4), np.eye(4)
            c, s = np.cos(np.deg2rad(25)), sign * np.sin(np.deg2rad(25))
            i, j = (axis + 1) % 3, (axis + 2) % 3
            turn[i, i] = turn[j, j] = c
            turn[i, j], turn[j, i] = -s, s
            turn[:3, 3] = CENTRE - turn[:3, :3] @ CENTRE
            shift[axis, 3] = sign * 30.0
            out += [turn, shift]
    return out


class _Information:
    """Mutual information (nats) of template and patient over a set of template voxels, at any pose.

    The same estimate as Mattes': a cubic B-spline window over the patient's bins.
    """

    def __init__(self, fixed: Picture, where: Mask, moving: Picture, bins: int = 24) -> None:
        self.points = np.argwhere(where) * fixed.mm + fixed.origin
        values = fixed.values[where]
        span = max(float(np.ptp(values)), 1e-6)
        self.template_bin = np.minimum((values - values.min()) / span * bins, bins - 1).astype(int)
        self.patient, self.bins = moving, bins
        self.top = max(float(moving.values.max()), 1e-6)

    def at(self, affine: Matrix) -> float:
        from scipy import ndimage as ndi

        at = (_moved(affine, self.points) - self.patient.origin) / self.patient.mm
        values = ndi.map_coordinates(self.patient.values, at.T, order=1, cval=0.0)
        template_bin, place = self.template_bin, values / self.top * self.bins
        if self.patient.where is not None:
            seen = ndi.map_coordinates(self.patient.where.astype(np.uint8), at.T, order=0, cval=0) > 0
            template_bin, place = template_bin[seen], place[seen]
        if place.size < 500:
            return 0.0
        patient_bin = np.clip(place, 0, self.bins - 1).astype(int)
        joint = np.bincount(template_bin * self.bins + patient_bin, minlength=self.bins**2)
        joint = ndi.convolve1d(
            joint.reshape(self.bins, self.bins).astype(float), [1 / 6, 4 / 6, 1 / 6], axis=1, mode="nearest"
        )
        joint /= joint.sum()
        product = joint.sum(1, keepdims=True) * joint.sum(0, keepdims=True)
        some = joint > 0
        return float((joint[some] * np.log(joint[some] / product[some])).sum())


def _moved(affine: Matrix, points: Vector) -> Vector:
    return np.asarray(points @ affine[:3, :3].T + affine[:3, 3], dtype=np.float64)


def _share(mask: Mask, grid: Grid, affine: Matrix, points: Matrix) -> float:
    """Share of template points that fall on True."""
    from scipy import ndimage as ndi

    at = grid.indices(_moved(affine, points))
    return float(ndi.map_coordinates(mask.astype(np.uint8), at.T, order=0, cval=0).mean())
