"""A person who does not exist: some eighty numbers, from which a head, a brain and a face follow.

Means and spreads are round numbers near ordinary adult anthropometry, chosen by hand; no photograph, mesh
or face model of anybody was used. A parameter's value is

    mean + spread * sd * z + confounder * (per_sex * sex + per_decade * (age - 45) / 10)

where z is this person's own draw. z is what identity is: two people differ by it, two scans of one person
do not. Age and sex are kept apart because a brain shows them too, and an attack that merely guesses age
from a brain must not pass for one that recognises somebody.

The brain's shape is tied to the face by one known number, rho (`draw_person`): rho = 0 is the control in
which a face says nothing about the brain.

Frame: head coordinates, RAS+ millimetres, origin midway between the ear canals, z = 0 at the height of the
eyes, +y to the nose, +x to the person's right.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from medveil.core.seeds import Seeds

Vector = npt.NDArray[np.float64]


class Parameter(NamedTuple):
    """How one measure of a head is spread: mean, spread, and what sex and ten years add to it."""

    mean: float
    sd: float
    per_sex: float = 0.0
    per_decade: float = 0.0
    floor: float = -np.inf


_P = Parameter

# Millimetres unless the name says otherwise. *_w are half widths, angles are degrees, *_sq are exponents.
PARAMETERS: Mapping[str, Parameter] = MappingProxyType(
    {
        # Cranium: half axes, height of the centre, slope and bulge of the forehead, occiput, brow ridge.
        "cr_w": _P(75, 3.2, 1.5),
        "cr_l": _P(97, 3.5, 1.5),
        "cr_h": _P(84, 4.0, 1.0),
        "cr_zc": _P(36, 2.5),
        "fore_slope": _P(0, 3.2, -1.2),
        "fore_w": _P(0, 2.5),
        "fore_bulge": _P(0, 1.3, -0.6),
        "occ": _P(0, 4.0),
        "glab": _P(0, 1.6, 0.9),
        "brow_r": _P(1.6, 1.1, 0.9),
        "brow_z": _P(15, 2.2, -1.2, -0.45),
        "temple": _P(1.5, 1.0, 0, 0.25, 0.0),
        # Eyes: distance of the pupils, depth, socket, opening, slant (degrees), crease, fullness, bag.
        "ipd": _P(63, 3.2, 1.0),
        "eye_y": _P(77.5, 1.9, -0.3, -0.2),
        "sock_d": _P(5.5, 1.6, 0.5, 0.15),
        "sock_h": _P(12.5, 1.4),
        "fiss_w": _P(29.5, 1.5, 0.3, -0.15, 24.0),
        "fiss_h": _P(9.6, 1.3, -0.3, -0.2, 6.0),
        "cant": _P(4, 3.0, -1.0, -0.5),
        "crease": _P(3.2, 1.1, -0.3, -0.1, 0.8),
        "lid_full": _P(0, 0.7, 0, 0.1),
        "bag": _P(0.5, 0.5, 0.1, 0.28, 0.0),
        # Nose: root (y, z), length and protrusion, bridge, hump, tip, wings, nostrils, columella.
        "sell_y": _P(93.5, 2.2, 0.5),
        "sell_z": _P(1, 2.6),
        "nose_l": _P(46, 3.4, 0.9, 0.6),
        "nose_p": _P(21, 2.5, 0.6, 0.2, 13.0),
        "bridge_w": _P(6.2, 1.1, 0.3, 0, 3.6),
        "dorsum": _P(0, 1.4, 0.5, 0.15),
        "tip_r": _P(8, 1.1, 0.3, 0.12, 5.4),
        "tip_up": _P(4, 2.6, -1.2, -0.8),
        "ala_w": _P(17, 1.9, 0.8, 0.3, 12.5),
        "ala_r": _P(6.3, 0.8, 0.2, 0, 4.4),
        "nost": _P(3.0, 0.6, 0.1, 0, 1.6),
        "col_dz": _P(2, 1.3),
        # Mouth: philtrum, half width, heights and fullness of the lips, cupid's bow, corners, muzzle.
        "phil_l": _P(15, 2.2, 0.5, 0.5, 11.0),
        "phil_d": _P(1.0, 0.45, 0, -0.1, 0.0),
        "mouth_w": _P(25, 2.2, 0.6),
        "lipU": _P(7.2, 1.6, -0.4, -0.45, 3.2),
        "lipL": _P(8.5, 1.7, -0.3, -0.4, 4.0),
        "lipU_p": _P(3.8, 1.1, -0.2, -0.25, 1.2),
        "lipL_p": _P(4.6, 1.2, -0.2, -0.2, 1.6),
        "bow": _P(1.4, 0.6, 0, -0.08, 0.0),
        "corner": _P(-0.5, 1.5, 0, -0.35),
        "muzzle": _P(0, 2.4, 0.2, -0.2),
        # Jaw: mouth line to chin, chin, fold under the lip, half widths at gonion and chin, squareness.
        "low_h": _P(42, 3.2, 1.6, -0.3),
        "chin_p": _P(-1.5, 2.6, 0.6),
        "chin_w": _P(18, 3.0, 1.2, 0, 10.0),
        "ml_d": _P(2.0, 0.9, 0, 0.1, 0.0),
        "jaw_w": _P(49, 3.8, 2.0),
        "jaw_low": _P(40, 3.0, 1.5, 0.4),
        "gon_z": _P(-78, 4.0, -1.5),
        "jaw_sq": _P(2.3, 0.25, 0.08, 0, 1.8),
        "cleft": _P(0, 0.4, 0.2, 0, 0.0),
        # Middle of the face: half width, cheekbone (forward, height, side), cheek, hollow, fold, depth.
        "mid_w": _P(66.5, 3.0, 1.0),
        "zyg_p": _P(3.5, 1.6, -0.1),
        "zyg_z": _P(-27, 2.8),
        "zyg_x": _P(47, 2.2, 0.4),
        "cheek": _P(0, 2.6, -0.5, -0.45),
        "hollow": _P(0, 1.4, 0.4, 0.35),
        "nlf": _P(0.6, 0.4, 0.1, 0.14, 0.0),
        "mid_y": _P(0, 2.0),
        "face_sq": _P(2.25, 0.16, 0.02, 0, 1.85),
        # Ears: half length and half width, how far they stand out and lean (degrees), place, rim, lobe.
        "ear_l": _P(28.5, 2.0, 1.0, 0.8),
        "ear_w": _P(16.2, 1.4, 0.4, 0.2),
        "ear_out": _P(22, 7.0, 1.0, 0, 5.0),
        "ear_tilt": _P(14, 5.0),
        "ear_z": _P(-9, 2.8),
        "ear_y": _P(-6, 2.5),
        "helix": _P(3.0, 0.5, 0, 0, 2.0),
        "lobe": _P(5.5, 1.4, 0.2, 0.3, 2.5),
        # Neck: radius, place, larynx.
        "neck_r": _P(52, 3.0, 4.0, 0.0, 45.0),
        "neck_y": _P(-14, 4.0),
        "adam": _P(0, 0.6, 1.2),
    }
)
NAMES: tuple[str, ...] = tuple(PARAMETERS)

# Big people are big in many measures at once: these nine share a draw.
SIZED = frozenset({"cr_w", "cr_l", "cr_h", "mid_w", "jaw_w", "nose_l", "low_h", "ipd", "mouth_w"})

Z_LIMIT = 2.5
"""Deviations are clipped here: beyond it, mixtures of independent measures stop looking like people."""

ASYMMETRY_SD_MM = 0.5
BRAIN_LATENTS = 14
BRAIN_SCALE = np.array([0.838, 0.908, 0.920])
"""Mean size of a brain against the MNI152 template, along x, y and z: about 1.3 litres."""


class Asymmetry(NamedTuple):
    """The twelve left-right differences by name; pairs are (left, right), mm outward, forward or up."""

    zygoma_x: tuple[float, float]
    eye_x: tuple[float, float]
    eye_y: tuple[float, float]
    eye_z: tuple[float, float]
    nose_x: float
    ear_z: tuple[float, float]
    mouth_x: float


@dataclass(frozen=True, eq=False, repr=False)
class Person:
    """Everything about somebody that does not change from one picture to the next.

    Args:
        index: which draw of the seed this is.
        sex: +1 male, -1 female.
        age_years: 20 to 85.
        shape: value of each of the parameters in `PARAMETERS`, mm.
        z: (73,) own deviations, in the order of `NAMES`, without spread, sex and age.
        asymmetry: (12,) mm, read through `sides`.
        brain: (14,) weights of the brain's displacement fields, see `brain.py`.
        brain_scale: (3,) size of the brain against the MNI152 template along x, y, z.
        ventricles_mm: how far the ventricles' walls are pushed apart.
    """

    index: int
    sex: float
    age_years: float
    shape: Mapping[str, float]
    z: Vector
    asymmetry: Vector
    brain: Vector
    brain_scale: Vector
    ventricles_mm: float = 0.0

    @property
    def sides(self) -> Asymmetry:
        """The left-right differences by name; index 0 is the person's left (-x), 1 the right (+x)."""
        a = [float(v) for v in self.asymmetry]
        return Asymmetry(
            (a[0], a[1]),
            (0.5 * a[2], 0.5 * a[3]),
            (0.5 * a[4], 0.5 * a[5]),
            (0.6 * a[6], 0.6 * a[7]),
            0.8 * a[8],
            (a[9], a[10]),
            0.6 * a[11],
        )

    def mirrored(self) -> Person:
        """The same person as a mirror shows them: sides swapped, sideways deviations negated."""
        a = self.asymmetry[[1, 0, 3, 2, 5, 4, 7, 6, 8, 10, 9, 11]] * np.where(
            np.isin(np.arange(12), (8, 11)), -1, 1
        )
        return replace(self, asymmetry=a)

    def levels_mm(self) -> dict[str, float]:
        """Heights (z, mm) of nose tip, nose base, mouth line, chin and lower edge of the chin."""
        p = self.shape
        root = p["sell_z"] - p["nose_l"]
        sub = root - 8.0
        sto = sub - p["phil_l"] - 0.75 * p["lipU"]
        ment = sto - p["low_h"]
        return {
            # A big tip sits higher, or it would hang over the upper lip.
            "tip_z": root + 3.5 + 0.35 * p["tip_up"] + 0.4 * (p["tip_r"] - 8.0),
            "sub_z": sub,
            "sto_z": sto,
            "chin_z": ment + 12.0,
            "ment_z": ment,
        }

    def nose_tip_y(self) -> float:
        """How far forward (y, mm) the centre of the nose's tip lies."""
        p = self.shape
        return 93.0 + 0.4 * p["muzzle"] + 0.6 * p["mid_y"] + p["nose_p"] - p["tip_r"]

    def eye_centres_mm(self) -> list[Vector]:
        """Centres of the eyeballs, the person's left (-x) first."""
        p, s = self.shape, self.sides
        return [
            np.array([side * (p["ipd"] / 2 + s.eye_x[i]), p["eye_y"] + s.eye_y[i], s.eye_z[i]])
            for i, side in enumerate((-1.0, 1.0))
        ]

    def landmarks_mm(self) -> dict[str, Vector]:
        """Where the well-known points of the face lie, (3,) mm each, within some 3 mm of the skin.

        `eye_*` are centres of the eyeballs, not points of the skin. Left and right are the person's own.
        """
        p, level = self.shape, self.levels_mm()
        left, right = self.eye_centres_mm()
        lip_y = 97.5 + p["muzzle"] + 0.5 * p["mid_y"]
        aside = np.array([self.sides.mouth_x, 0.0, 0.0])
        mouth_x, mouth_z = self.sides.mouth_x, level["sto_z"]
        # Slopes of nasion and corners were fitted to the finished surface of seventy heads.
        root_y = 46.9 + 0.59 * p["sell_y"] + 0.19 * p["glab"] - 0.22 * p["brow_z"] + 0.18 * p["sell_z"]
        squareness = 4.8 * p["jaw_sq"] + 3.3 * p["face_sq"] + 0.25 * p["jaw_w"]
        corner_y = lip_y - 24.5 - 0.65 * p["mouth_w"] + squareness + 0.23 * p["cheek"]
        corner = np.array([p["mouth_w"], corner_y, mouth_z + 1.2 * p["corner"]])
        return {
            "nasion": np.array([0.0, root_y, p["sell_z"]]),
            "nose_tip": np.array([self.sides.nose_x, self.nose_tip_y() + p["tip_r"] + 1.0, level["tip_z"]]),
            "subnasale": np.array([0.0, 97.5 + 0.8 * p["muzzle"] + p["mid_y"], level["sub_z"] - 2.5]),
            "stomion": np.array([mouth_x, lip_y + 0.6 * p["lipU_p"], mouth_z]),
            "menton": np.array([0.0, 87.0 + p["chin_p"], level["ment_z"]]),
            "eye_left": left,
            "eye_right": right,
            "mouth_left": corner * [-1, 1, 1] + aside,
            "mouth_right": corner + aside,
        }

    def __repr__(self) -> str:
        return f"Person(index={self.index}, {len(self.z)} shape scores)"


def draw_person(
    seeds: Seeds, index: int, *, spread: float = 1.3, rho: float = 0.5, confounder: float = 1.0
) -> Person:
    """Person number `index` of a seed. The settings change the person, never the draws behind them.

    Args:
        seeds: root of the randomness.
        index: which person.
        spread: factor on all individual deviations; 1.3 is the default cohort, 1.0 a harder one.
        rho: tie between face and brain, 0 to 1. The brain's latent is rho * A z + sqrt(1 - rho^2) * e with
            A 14 fixed orthonormal rows and e a draw of its own; the brain's size follows that of the
            cranium in the same proportion.
        confounder: how much age and sex move BOTH face and brain. With rho = 0 and confounder = 0 brain
            and face are independent, but for the size of the brain, above all its height: it is shrunk where the skull
            leaves too little room, in 45 of 100 people (benchmarks/linkage).

    >>> somebody = draw_person(Seeds(7), 3)
    >>> len(somebody.z), somebody.brain.shape
    (73, (14,))
    """
    if not 0.0 <= rho <= 1.0:
        raise ValueError("rho: expected a number from 0 to 1")
    rng = seeds.stream("simulate/person", index)
    sex = 1.0 if rng.random() < 0.5 else -1.0
    age_years = float(rng.uniform(20.0, 85.0))
    size = rng.normal(0.0, 0.6)
    z = rng.normal(size=len(NAMES))
    sized = np.array([name in SIZED for name in NAMES])
    z = np.clip(np.where(sized, 0.85 * z + 0.5 * size, z), -Z_LIMIT, Z_LIMIT)
    asymmetry = rng.normal(0.0, ASYMMETRY_SD_MM, 12) * spread
    own_latent, own_size = rng.normal(size=BRAIN_LATENTS), rng.normal(size=3)

    decades = confounder * (age_years - 45.0) / 10.0
    shape = {}
    for (name, p), deviation in zip(PARAMETERS.items(), z, strict=True):
        value = p.mean + spread * p.sd * float(deviation)
        value += confounder * p.per_sex * sex + p.per_decade * decades
        shape[name] = max(value, p.floor)

    apart = np.sqrt(1.0 - rho * rho)
    size_z = rho * z[[NAMES.index(n) for n in ("cr_w", "cr_l", "cr_h")]] + apart * own_size
    shrink = 0.004 * decades + 0.002 * max(decades, 0.0) ** 2
    scale = BRAIN_SCALE * (1.0 + 0.022 * np.clip(size_z, -Z_LIMIT, Z_LIMIT))
    return Person(
        index=index,
        sex=sex,
        age_years=age_years,
        shape=MappingProxyType(shape),
        z=z,
        asymmetry=asymmetry,
        brain=rho * (face_to_brain() @ z) + apart * own_latent,
        brain_scale=scale * (1.0 + 0.019 * confounder * sex - shrink),
        ventricles_mm=max(0.0, 0.9 * (decades + confounder)),
    )


def face_to_brain() -> Vector:
    """The matrix A, (14, 73): orthonormal rows, the same for everybody and for every seed."""
    rng = np.random.Generator(np.random.PCG64(7))
    q, r = np.linalg.qr(rng.normal(size=(len(NAMES), BRAIN_LATENTS)))
    rows: Vector = (q * np.sign(np.diag(r))).T
    return rows
