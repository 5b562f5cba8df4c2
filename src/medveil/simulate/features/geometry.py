"""What the parts of a head share: the person's measures with today's expression, and curves through them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.interpolate import PchipInterpolator
from scipy.ndimage import gaussian_filter1d

from medveil.simulate.field import Grid, Vector
from medveil.simulate.person import Person

Curve = Callable[[npt.ArrayLike], npt.NDArray[np.float64]]
"""A measure in mm as a function of the height z in mm."""

EYE_RADIUS_MM = 12.1
UPPER, LOWER = 0.46, 0.52
"""Share of the opening above and below the pupil. Above one half the whole iris shows: a stare."""
SIDES = (-1.0, 1.0)
"""x direction of the person's left and right; the position in this tuple indexes asymmetries."""


@dataclass(frozen=True)
class Expression:
    """What a face does on one day.

    Args:
        smile: 0 at rest, 1 a plain smile; -.2 to 1.
        brow_dz_mm: how far the brows are raised over their bone; seen in photographs only.
        eye_opening: factor on the opening of the lids.
        gaze: where the eyes look, radians to the person's right and up; seen in photographs only.
    """

    smile: float = 0.0
    brow_dz_mm: float = 0.0
    eye_opening: float = 1.0
    gaze: tuple[float, float] = (0.0, 0.0)


class LidEdges(NamedTuple):
    """Points against the lids of an eye: mm above the upper lid's edge, mm below the lower one's.

    q is 1 - (along / half length)^2 of the slit: 1 in its middle, 0 at its corners, negative beyond.
    """

    over_mm: npt.NDArray[np.floating]
    under_mm: npt.NDArray[np.floating]
    q: npt.NDArray[np.floating]


class LipProfile(NamedTuple):
    """The mouth at points (x, z) of the face seen from the front.

    t_upper and t_lower run from 0 at the mouth line to 1 at the border of the lip; line_z is the height of
    the mouth line; envelope is 1 in the middle and 0 at the corners; out_mm is how far the lips stand out.
    """

    t_upper: npt.NDArray[np.floating]
    t_lower: npt.NDArray[np.floating]
    line_z: npt.NDArray[np.floating]
    envelope: npt.NDArray[np.floating]
    out_mm: npt.NDArray[np.floating]


def smoothed(z: list[float], value: list[float], gap_mm: float = 3.0, sigma_mm: float = 5.0) -> Curve:
    """A monotone spline through knots, smoothed over `sigma_mm` and held constant beyond its ends.

    Knots are put in order and kept `gap_mm` apart: closer ones would make a shelf around the face. The
    Gaussian cures the faint horizontal lines that a merely once-differentiable spline leaves on the skin.
    """
    order = np.argsort(z)
    knots, values = np.asarray(z, float)[order], np.asarray(value, float)[order]
    for i in range(1, len(knots)):
        knots[i] = max(knots[i], knots[i - 1] + gap_mm)
    fine = np.arange(knots[0] - 20, knots[-1] + 20, 0.5)
    spline = PchipInterpolator(knots, values)(np.clip(fine, knots[0], knots[-1]))
    table = gaussian_filter1d(spline, sigma_mm / 0.5, mode="nearest")

    def curve(at: npt.ArrayLike) -> npt.NDArray[np.float64]:
        out: npt.NDArray[np.float64] = np.interp(np.asarray(at, np.float64), fine, table)
        return out

    return curve


@dataclass(frozen=True, eq=False, repr=False)
class Geometry:
    """A person with an expression, in the measures that the features read.

    Args:
        person: who.
        eyes_open: 0 shut (a scan) to 1 open (a photograph).
        expression: today's face.
    """

    person: Person
    eyes_open: float = 0.0
    expression: Expression = Expression()

    @cached_property
    def p(self) -> Mapping[str, float]:
        """The person's measures, mm, moved by the expression."""
        shape, e = dict(self.person.shape), self.expression
        shape["corner"] += 2.0 * e.smile
        shape["mouth_w"] *= 1.0 + 0.05 * e.smile
        shape["cheek"] += 0.8 * e.smile
        shape["nlf"] = max(0.0, shape["nlf"] + 0.25 * e.smile)
        return shape

    @cached_property
    def levels(self) -> dict[str, float]:
        """Heights of tip_z, sub_z, sto_z, chin_z, ment_z, mm."""
        return self.person.levels_mm()

    @cached_property
    def eyes(self) -> list[Vector]:
        """Centres of the eyeballs, left then right."""
        return self.person.eye_centres_mm()

    @property
    def eye_opening(self) -> float:
        """How far the lids are open, 0 shut."""
        return self.eyes_open * self.expression.eye_opening

    @property
    def eye_radius_mm(self) -> float:
        """Radius of an eyeball."""
        return EYE_RADIUS_MM

    def lid_edges(self, v: npt.NDArray[np.floating], index: int) -> LidEdges:
        """Where points (V, 3) mm lie against the lids of eye `index`, in its own axes, turned by its cant."""
        cant, centre = np.radians(self.p["cant"]), self.eyes[index]
        opening = self.eye_opening * self.p["fiss_h"]
        u, w = (v[:, 0] - centre[0]) * SIDES[index], v[:, 2] - centre[2]
        along = u * np.cos(cant) + w * np.sin(cant)
        across = -u * np.sin(cant) + w * np.cos(cant)
        q = 1 - (along / (self.p["fiss_w"] / 2)) ** 2
        over = across - UPPER * opening * np.sign(q) * np.abs(q) ** 0.8
        return LidEdges(over, -LOWER * opening * q - across, q)

    @property
    def nostril(self) -> tuple[float, float, float]:
        """Half distance of the nostrils, their y, and a z 7 mm above them, mm."""
        tip_z = self.levels["tip_z"]
        return 3.6 + 0.22 * self.p["ala_w"], float(self.profile(tip_z)) + 8, tip_z

    @cached_property
    def nose_tip(self) -> Vector:
        """Centre of the ball of the nose's tip."""
        return np.array([self.person.sides.nose_x, self.person.nose_tip_y(), self.levels["tip_z"]])

    @cached_property
    def ala_centre(self) -> tuple[float, float]:
        """(y, z) of the middle of the nose's wings."""
        return float(self.nose_tip[1]) - 9.0, self.levels["tip_z"] - 0.6 - 0.15 * self.p["tip_up"]

    def _dome(self, z: float) -> tuple[float, float]:
        """Half width and front (y) of the cranium at a height, mm; the forehead must not stand out of it."""
        p = self.p
        share = max(1.0 - ((z - p["cr_zc"]) / p["cr_h"]) ** 2, 0.0) ** 0.5
        return p["cr_w"] * share, 2.0 + p["cr_l"] * share

    @cached_property
    def profile(self) -> Curve:
        """Mid-line of the face from the side, without nose and lips: y in mm at a height z."""
        p, at = self.p, self.levels
        mid, muzzle = p["mid_y"], p["muzzle"]
        knots = [
            (at["ment_z"] - 22, 58.0),
            (at["ment_z"], 82 + p["chin_p"]),
            (at["chin_z"], 90.5 + p["chin_p"]),
            (at["sto_z"] - 16, 91.5 + 0.6 * muzzle + 0.5 * mid),
            (at["sto_z"], 97.5 + muzzle + 0.5 * mid),
            (at["sub_z"], 96 + 0.8 * muzzle + mid),
            (at["tip_z"], 93 + 0.4 * muzzle + mid),
            (p["sell_z"] - 15, 90 + 0.6 * mid),
            (p["sell_z"], p["sell_y"] - 1.5),
            (p["brow_z"], 97 + p["glab"]),
            (38.0, min(96 + p["fore_bulge"] + 0.3 * p["fore_slope"], self._dome(38.0)[1] + 9)),
            (70.0, min(80 + p["fore_slope"], self._dome(70.0)[1] + 4)),
        ]
        return smoothed([k[0] for k in knots], [k[1] for k in knots])

    @cached_property
    def half_width(self) -> Curve:
        """Half width of the face seen from the front, mm at a height z."""
        p, at = self.p, self.levels
        gonion = float(np.clip(p["gon_z"], at["chin_z"] + 12, -64))
        cheekbone = min(p["zyg_z"], -20.0)
        cheek = self.person.shape["cheek"]  # a smile lifts the cheek but does not widen the head
        knots = [
            (at["ment_z"] - 22, p["chin_w"] + 8),
            (at["ment_z"], p["chin_w"] + 17),
            (at["chin_z"], p["jaw_low"] + 2),
            (gonion, p["jaw_w"] + 2),
            ((gonion + cheekbone) / 2, 0.47 * p["jaw_w"] + 0.53 * p["mid_w"] + 1 + 0.4 * cheek),
            (cheekbone, p["mid_w"] + 0.4),
            (-6.0, p["mid_w"] + 1.5),
            (15.0, p["mid_w"] + 1 + 0.5 * p["fore_w"]),
            (40.0, min(67 + p["fore_w"], self._dome(40.0)[0])),
            (75.0, min(52 + p["fore_w"], self._dome(75.0)[0] - 3)),
        ]
        return smoothed([k[0] for k in knots], [k[1] for k in knots])

    @cached_property
    def section(self) -> Curve:
        """Exponent of the face's cross-section at a height z: 2 an ellipse, more is squarer."""
        p, at = self.p, self.levels
        knots = [at["ment_z"], at["chin_z"], min(-50.0, at["sto_z"] + 30), 20.0, 50.0]
        values = [2.2, p["jaw_sq"], p["face_sq"], p["face_sq"] + 0.25, 2.3]
        return smoothed(knots, values)

    @cached_property
    def middle(self) -> Curve:
        """y in mm of the widest place of the face's cross-section at a height z."""
        menton = self.levels["ment_z"]
        return smoothed([menton - 20, menton, self.p["gon_z"], 0.0], [25.0, 18.0, 8.0, 8.0])

    def lip(self, x: npt.NDArray[np.floating] | Grid, z: npt.NDArray[np.floating] | Grid) -> LipProfile:
        """The mouth at (x, z) mm; shapes broadcast. See `LipProfile`.

        The exponent .85 of the lips' section matters: a square root would put a cliff at the border of the
        lip, which aliases on the grid and darkens the skin around it.
        """
        p, x = self.p, x - self.person.sides.mouth_x
        s = np.clip(np.abs(x) / p["mouth_w"], 0, 1.2)
        envelope = np.maximum(1 - s * s, 0)
        line = self.levels["sto_z"] + 1.2 * p["corner"] * s * s - 0.5 * np.exp(-((x / 4) ** 2))
        peaks = 0.16 * np.exp(-(((np.abs(x) - 5) / 3) ** 2)) - 0.1 * np.exp(-((x / 2.6) ** 2))
        upper = p["lipU"] * envelope**0.75 * (1 + p["bow"] * peaks) + 0.01
        lower = p["lipL"] * envelope**0.8 + 0.01
        t_upper, t_lower = (z - line) / upper, (line - z) / lower
        swell = envelope**0.6

        def section(t: npt.NDArray[np.floating], middle: float, reach: float) -> npt.NDArray[np.floating]:
            arch = np.maximum(1 - np.clip((t - middle) / reach, -1, 1) ** 2, 0) ** 0.85
            out: npt.NDArray[np.floating] = np.where(t > 0, arch, 0)
            return out

        skirt = 0.9 * np.exp(-(((z - line) / 11) ** 2)) * envelope
        out_mm = p["lipU_p"] * swell * section(t_upper, 0.40, 0.86)
        out_mm = out_mm + p["lipL_p"] * swell * section(t_lower, 0.42, 0.90) + skirt
        return LipProfile(t_upper, t_lower, line, envelope, out_mm)
