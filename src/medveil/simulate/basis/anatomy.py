"""Anatomy: one person's vertices in the frame of a head, and the measures that the rest of a head is laid by.

Tissues, hair, pigments and the truth about face parts are placed by measures with the names of
`person.PARAMETERS`. A sculpted head is built from them; here they are taken from the finished skin, at the
landmarks. What has no counterpart on the mesh keeps the table's mean, and nothing is sculpted from it.

One thing is changed: the crown. Scans of faces see hair or a cap there, and in the one model tried it lies 109
mm over the eyes on average, too low for the template brain at the size at which simulated people have it. It
would be shrunk in nine of ten heads, by as much as the FACE's weights say, and rho = 0 would be no control any
more. So everybody's vault is raised by the same 14 mm, rising smoothly from the upper forehead.

Frame: head coordinates as in `person.py`: RAS+ mm, origin midway between the ear canals, z = 0 at the
height of the eyes.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from medveil.simulate.basis.layout import MIRROR
from medveil.simulate.basis.model import Model
from medveil.simulate.features.geometry import Curve, smoothed
from medveil.simulate.field import Vector
from medveil.simulate.person import PARAMETERS

Array = npt.NDArray[Any]

BROW_MM = 4.5
"""The landmarks of a brow lie on its upper edge, so far over its middle."""
LIP_MM = 4.5
"""How far lips stand out of the profile without lips."""
MIDLINE_MM = 3.0
RIM_MM = 1.1
"""How far the nearer quarter of a lid's rim lies in front of its eyeball; other eyeballs are moved back."""
VAULT_MM, VAULT_FROM_MM, VAULT_TO_MM = 14.0, 25.0, 95.0
"""By how much the crown is raised, and between which heights over the eyes the rise grows."""
OUT = np.array([-1.0, 1.0, 1.0])


@dataclass(frozen=True, eq=False, repr=False)
class Anatomy:
    """A person's skin with what is known of it.

    Args:
        skin: (S, 3) mm, head frame.
        earless: (S, 3) mm, the same with the ears pressed flat.
        landmarks: (68, 3) mm.
        eyes: (2, 3) mm, centres of the eyeballs, the person's left (-x) first; eye_radius_mm: their radius.
        rims: the rims of the lids, (R, 3) mm each, left first.
        canal_z_mm: height of the ear canals.
    """

    skin: Array
    earless: Array
    landmarks: Array
    eyes: Array
    eye_radius_mm: float
    rims: tuple[Array, Array]
    canal_z_mm: float

    @classmethod
    def of(cls, model: Model, weights: Vector) -> Anatomy:
        """The person with these weights (K,)."""
        layout, vertices = model.layout, model.vertices(weights)
        balls = [_ball(vertices[a:b]) for a, b in layout.eyeballs]
        canals = vertices[list(layout.canals)].mean(axis=0)
        origin = np.array([canals[0], canals[1], np.mean([centre[2] for centre, _ in balls])])
        skin = _raised(vertices[: layout.skin] - origin)
        left, right = model.surface.eye_holes
        radius = float(np.mean([radius for _, radius in balls]))
        eyes = [
            _behind(centre - origin, radius, skin[rim])
            for (centre, _), rim in zip(balls, (left, right), strict=True)
        ]
        return cls(
            skin=skin,
            earless=model.surface.without_ears(skin),
            landmarks=skin[list(layout.landmarks)],
            eyes=np.array(eyes),
            eye_radius_mm=radius,
            rims=(skin[left], skin[right]),
            canal_z_mm=float(canals[2] - origin[2]),
        )

    def mirrored(self) -> Anatomy:
        """As a mirror shows it: sides swapped; the order of the skin's vertices stays."""
        left, right = self.rims
        return replace(
            self,
            skin=self.skin * OUT,
            earless=self.earless * OUT,
            landmarks=self.landmarks[MIRROR] * OUT,
            eyes=self.eyes[::-1] * OUT,
            rims=(right * OUT, left * OUT),
        )

    def half_width(self, low_mm: float, high_mm: float, *, behind_mm: float = np.inf) -> float:
        """Half of the skin's width, without ears, between two heights, mm."""
        x, y, z = self.earless.T
        here = x[(z > low_mm) & (z < high_mm) & (y < behind_mm)]
        return float(np.ptp(here)) / 2 if len(here) else 0.0

    @cached_property
    def midline(self) -> Curve:
        """y in mm of the foremost skin at a height z, nose and lips included."""
        middle = float(self.landmarks[[8, 27, 30, 33]][:, 0].mean())
        line = self.skin[(np.abs(self.skin[:, 0] - middle) < MIDLINE_MM) & (self.skin[:, 1] > 0)]
        heights = np.arange(line[:, 2].min(), line[:, 2].max(), 2.0)
        bins = np.digitize(line[:, 2], heights)
        found = np.unique(bins)
        y = np.array([line[bins == k, 1].max() for k in found])
        z = np.array([line[bins == k, 2].mean() for k in found])

        def curve(at: npt.ArrayLike) -> npt.NDArray[np.float64]:
            out: npt.NDArray[np.float64] = np.interp(np.asarray(at, np.float64), z, y)
            return out

        return curve

    @cached_property
    def levels(self) -> dict[str, float]:
        """Heights (z, mm) of nose tip, nose base, mouth line, chin and lower edge of the chin."""
        mark = self.landmarks
        chin = self.earless[(np.abs(self.earless[:, 0]) < 12) & (self.earless[:, 1] > mark[8, 1] - 16)]
        chin = chin[chin[:, 2] > mark[8, 2] - 15]
        ment = float(chin[:, 2].min())
        return {
            "tip_z": float(mark[30, 2]),
            "sub_z": float(mark[33, 2]),
            "sto_z": float(mark[[62, 66], 2].mean()),
            "chin_z": ment + 12.0,
            "ment_z": ment,
        }

    @cached_property
    def shape(self) -> dict[str, float]:
        """A value for each of `PARAMETERS`, measured where the mesh shows it."""
        out = {name: p.mean for name, p in PARAMETERS.items()}
        out.update(self._vault())
        out.update(self._features())
        out.update(self._jaw())
        return out

    def _vault(self) -> dict[str, float]:
        """The cranium, fitted so that front, back, top and sides come out where they are."""
        _, y, z = self.earless.T
        vault = z > 30
        front = float(y[vault & (z < 75)].max())
        back = float(y[z > -20].min())
        length = front - 2.0
        centre = PARAMETERS["cr_zc"].mean
        return {
            "cr_w": self.half_width(20, 80),
            "cr_l": length,
            "cr_zc": centre,
            "cr_h": float(z.max()) - centre,
            "occ": max(-98.0 - back, 0.0) if back < 2.0 - length else -98.0 - (2.0 - length),
        }

    def _features(self) -> dict[str, float]:
        """Eyes, brows, nose and mouth, from the landmarks."""
        m, at = self.landmarks, self.levels
        corners = np.array([[m[42], m[45]], [m[39], m[36]]])  # inner and outer, left eye then right
        slit = corners[:, 1] - corners[:, 0]
        lids = m[[37, 38, 43, 44], 2] - m[[41, 40, 47, 46], 2]
        mouth_z = float(m[[48, 54], 2].mean())
        return {
            "ipd": float(self.eyes[1, 0] - self.eyes[0, 0]),
            "eye_y": float(self.eyes[:, 1].mean()),
            "fiss_w": float(np.linalg.norm(slit[:, [0, 2]], axis=1).mean()),
            "fiss_h": float(lids.mean()),
            "cant": float(np.degrees(np.arctan2(slit[:, 2], np.abs(slit[:, 0]))).mean()),
            "brow_z": float(m[17:27, 2].mean()) - BROW_MM,
            "sell_y": float(m[27, 1]),
            "sell_z": float(m[27, 2]),
            "nose_l": float(m[27, 2]) - at["sub_z"] - 8.0,
            "nose_p": float(m[30, 1] - m[33, 1]) + 4.5,
            "ala_w": float(m[31, 0] - m[35, 0]) / 2 + 4.5,
            "phil_l": at["sub_z"] - float(m[51, 2]),
            "mouth_w": float(m[48, 0] - m[54, 0]) / 2,
            "lipU": max(float(m[51, 2]) - at["sto_z"], 2.0),
            "lipL": max(at["sto_z"] - float(m[57, 2]), 2.0),
            "corner": (mouth_z - at["sto_z"]) / 1.2,
        }

    def _jaw(self) -> dict[str, float]:
        """Jaw, middle of the face, neck; the ears' place is that of the canals, the origin."""
        m, at = self.landmarks, self.levels
        low_h = at["sto_z"] - at["ment_z"]
        gonion_z = at["ment_z"] + 0.88 * low_h
        mid_w = self.half_width(-26, -6)
        x, y, z = self.earless.T
        neck = (z > -140) & (z < -126)
        y0, y1 = (float(y[neck].min()), float(y[neck].max())) if neck.any() else (-66.0, 38.0)
        return {
            "low_h": low_h,
            "chin_p": float(m[8, 1]) - 87.0,
            "chin_w": float(m[7, 0] - m[9, 0]) / 2 + 3.0,
            "jaw_low": float(m[5, 0] - m[11, 0]) / 2 - 2.0,
            "jaw_w": self.half_width(gonion_z, gonion_z + 12) - 4.0,
            "gon_z": gonion_z,
            "mid_w": mid_w - 1.5,
            "zyg_x": 0.7 * mid_w,
            "ear_y": -3.0,
            "ear_z": self.canal_z_mm,
            "neck_r": max(float(np.ptp(x[neck])) / 2 if neck.any() else 52.0, 45.0),
            "neck_y": (y0 + y1) / 2,
        }

    @cached_property
    def profile(self) -> Curve:
        """y in mm of the mid-line without nose and lips at a height z."""
        m, at, line = self.landmarks, self.levels, self.midline
        lips = float(m[[51, 57], 1].mean()) - LIP_MM
        brow = self.shape["brow_z"]
        knots = [(z, float(line(z))) for z in (at["ment_z"] - 22, at["ment_z"] + 2, at["chin_z"])]
        knots += [(at["sto_z"] - 16, min(float(line(at["sto_z"] - 16)), lips + 2)), (at["sto_z"], lips)]
        knots += [(at["sub_z"], float(m[33, 1]) - 2.0), (at["tip_z"], float(m[33, 1]) - 4.5)]
        knots += [(m[27, 2] - 15, float(m[27, 1]) - 4.0), (float(m[27, 2]), float(m[27, 1]) - 1.5)]
        knots += [(z, float(line(z))) for z in (brow, 38.0, 70.0)]
        return smoothed([float(k[0]) for k in knots], [float(k[1]) for k in knots])


def _raised(skin: Array) -> Array:
    """The skin (S, 3) with a higher crown."""
    share = np.clip((skin[:, 2] - VAULT_FROM_MM) / (VAULT_TO_MM - VAULT_FROM_MM), 0, 1)
    out = skin.copy()
    out[:, 2] += VAULT_MM * share**2 * (3 - 2 * share)
    return out


def _behind(centre: Array, radius_mm: float, rim: Array) -> Array:
    """An eyeball's centre, moved back until its lids lie before it; some weights bring the two too near."""
    off = rim - centre
    for _ in range(8):
        missing = radius_mm + RIM_MM - float(np.percentile(np.linalg.norm(off, axis=1), 25))
        if missing < 0.02:
            break
        off = off + np.array([0.0, min(missing, 1.0), 0.0])
    out: Array = rim[0] - off[0]
    return out


def _ball(points: Array) -> tuple[Array, float]:
    """Centre and radius of an eyeball: a sphere through the rear half of its white (the cornea bulges)."""
    rear = points[points[:, 1] <= np.median(points[:, 1])]
    unknowns, *_ = np.linalg.lstsq(np.c_[2 * rear, np.ones(len(rear))], (rear**2).sum(axis=1), rcond=None)
    centre = unknowns[:3]
    return centre, float(np.sqrt(max(unknowns[3] + centre @ centre, 1.0)))
