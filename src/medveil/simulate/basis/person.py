"""A person from a face basis: weights instead of the table of a sculpted head, everything else as there.

    identity weights w ~ N(0, 1) ──┬──> skin = mean + modes (spread * w + confounder * (sex + age))
                                   └──> brain = rho * A w + sqrt(1 - rho^2) * e

What sex and age mean. The modes of a face basis carry no labels, so nobody can say which of them is age. Sex
and age are drawn as for sculpted people and do four things. They decide pigments, hair, wrinkles and beard;
they scale brain and ventricles; sex and age move the brain and, if `confounder` is not 0, the FACE as well: by
the smallest change of weights that moves some measures at the landmarks (jaw, chin, nose, mouth, lips, brows,
distance of the eyes, width of the vault) about as much as `person.PARAMETERS` says. So a face tells something
of sex and age, as it must for a confounder, but it is not how the model's own men and women differ.

Identity is w alone: two people differ by it, and rho ties the brain to it and to nothing else.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from types import MappingProxyType

import numpy as np

from medveil.core.errors import UsageError
from medveil.core.seeds import Seeds
from medveil.simulate.basis.anatomy import Anatomy
from medveil.simulate.basis.model import FaceBasis, Model
from medveil.simulate.basis.sculpt import BasisGeometry, sculpt
from medveil.simulate.features.geometry import Expression
from medveil.simulate.field import Field, Grid, Vector
from medveil.simulate.person import (
    BRAIN_LATENTS,
    BRAIN_SCALE,
    PARAMETERS,
    Z_LIMIT,
    Person,
)

SPREAD = 1.0
"""Factor on the weights: 1 is the model's own population."""
ROOM_MM = 8.0
"""Least distance from the skin to the edge of its grid, but for the neck."""
LOWER = np.array([1.0, 1.0, 0.95])
"""Brains are a little lower than those of sculpted people, so that few are shrunk to fit (see `anatomy.py`)."""
RIDGE_MM = 1.0
"""How exactly sex and age must move the measures: a miss of so many mm counts as one unit of weight."""


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class BasisPerson(Person):
    """Somebody whose skin is a face basis at some weights.

    `shape` is measured from the skin, `z` holds the own identity weights (K,), before spread, sex and age.

    Args:
        basis: the face basis.
        weights: (K,) with spread, sex and age, from which the skin follows.
        is_mirrored: sides swapped.
    """

    basis: FaceBasis
    weights: Vector
    is_mirrored: bool = False

    @cached_property
    def anatomy(self) -> Anatomy:
        """The person's skin and what was measured on it."""
        found = Anatomy.of(self.basis.model, self.weights)
        return found.mirrored() if self.is_mirrored else found

    def __getstate__(self) -> dict[str, object]:
        """Without the meshes: another process works them out from the weights."""
        state = {k: v for k, v in self.__dict__.items() if k != "anatomy"}
        return state | {"shape": dict(self.shape)}

    def __setstate__(self, state: dict[str, object]) -> None:
        self.__dict__.update(state)

    def mirrored(self) -> BasisPerson:
        """The same person as a mirror shows them."""
        return replace(self, is_mirrored=not self.is_mirrored)

    def levels_mm(self) -> dict[str, float]:
        """Heights (z, mm) of nose tip, nose base, mouth line, chin and lower edge of the chin."""
        return dict(self.anatomy.levels)

    def nose_tip_y(self) -> float:
        """How far forward (y, mm) the ball of the nose's tip has its centre."""
        return float(self.anatomy.landmarks[30, 1]) - self.shape["tip_r"]

    def eye_centres_mm(self) -> list[Vector]:
        """Centres of the eyeballs, the person's left (-x) first."""
        return [eye.copy() for eye in self.anatomy.eyes]

    def landmarks_mm(self) -> dict[str, Vector]:
        """Where the well-known points of the face lie, (3,) mm each; `eye_*` are centres of the eyeballs."""
        mark, (left, right) = self.anatomy.landmarks, self.eye_centres_mm()
        at = self.levels_mm()
        return {
            "nasion": mark[27].copy(),
            "nose_tip": mark[30].copy(),
            "subnasale": mark[33].copy(),
            "stomion": mark[[62, 66]].mean(axis=0),
            "menton": np.array([mark[8, 0], mark[8, 1] - 8.0, at["ment_z"]]),
            "eye_left": left,
            "eye_right": right,
            "mouth_left": mark[54].copy(),
            "mouth_right": mark[48].copy(),
        }

    def geometry(self, eyes_open: float, expression: Expression) -> BasisGeometry:
        """The person with an expression, in the measures that others read."""
        return BasisGeometry(self, eyes_open, expression, anatomy=self.anatomy)

    def box(self, lo: Vector, hi: Vector) -> tuple[Vector, Vector]:
        """The corners of a grid, mm, moved out where this head with its hair would reach beyond them."""
        skin = self.anatomy.skin
        head = skin[skin[:, 2] > -90.0]
        low, high = np.minimum(lo, head.min(axis=0) - ROOM_MM), np.maximum(hi, head.max(axis=0) + ROOM_MM)
        low[2] = lo[2]  # the neck is cut where the grid ends
        return low, high

    def sculpt(self, field: Field, geometry: BasisGeometry) -> Grid:
        """Fill a field with the head; returns the field without the ears."""
        return sculpt(field, geometry, self.basis.model.surface, mirrored=self.is_mirrored)

    def __repr__(self) -> str:
        return f"BasisPerson(index={self.index}, {len(self.z)} weights)"


def draw_basis_person(
    seeds: Seeds,
    index: int,
    basis: FaceBasis,
    *,
    spread: float = SPREAD,
    rho: float = 0.5,
    confounder: float = 1.0,
) -> BasisPerson:
    """Person number `index` of a seed. The settings change the person, never the draws behind them.

    Args:
        seeds: root of the randomness.
        index: which person.
        basis: from `read_basis`.
        spread: factor on the weights; 1 is the model's own population, less is harder.
        rho: tie between face and brain, 0 to 1, as in `draw_person`; A has 14 fixed orthonormal rows.
        confounder: how much age and sex move BOTH face and brain, see the module's docstring. With rho = 0
            and confounder = 0 brain and face are independent, but for the rare small head in which the brain
            had to be shrunk.
    """
    if not 0.0 <= rho <= 1.0:
        raise UsageError("rho: expected a number from 0 to 1")
    directions = _directions(basis)
    rng = seeds.stream("simulate/basis/person", index)
    sex = 1.0 if rng.random() < 0.5 else -1.0
    age_years = float(rng.uniform(20.0, 85.0))
    own_latent, own_size = rng.normal(size=BRAIN_LATENTS), rng.normal(size=3)
    z = np.clip(rng.normal(size=len(directions.sex)), -Z_LIMIT, Z_LIMIT)

    decades = confounder * (age_years - 45.0) / 10.0
    weights = spread * z + confounder * sex * directions.sex + decades * directions.decade
    apart = np.sqrt(1.0 - rho * rho)
    size_z = rho * (directions.size @ z) + apart * own_size
    shrink = 0.004 * decades + 0.002 * max(decades, 0.0) ** 2
    scale = BRAIN_SCALE * LOWER * (1.0 + 0.022 * np.clip(size_z, -Z_LIMIT, Z_LIMIT))
    person = BasisPerson(
        index=index,
        sex=sex,
        age_years=age_years,
        shape=MappingProxyType({}),
        z=z,
        asymmetry=np.zeros(12),
        brain=rho * (weights_to_brain(len(z)) @ z) + apart * own_latent,
        brain_scale=scale * (1.0 + 0.019 * confounder * sex - shrink),
        ventricles_mm=max(0.0, 0.9 * (decades + confounder)),
        basis=basis,
        weights=weights,
    )
    return replace(person, shape=MappingProxyType(person.anatomy.shape))


@lru_cache(maxsize=4)
def weights_to_brain(modes: int) -> Vector:
    """The matrix A, (14, modes): orthonormal rows, the same for everybody and for every seed."""
    rng = np.random.Generator(np.random.PCG64(7))
    q, r = np.linalg.qr(rng.normal(size=(modes, BRAIN_LATENTS)))
    rows: Vector = (q * np.sign(np.diag(r))).T
    return rows


@dataclass(frozen=True, eq=False)
class _Directions:
    """What moves the weights of a basis: (K,) a unit of sex, (K,) a decade; (3, K) weights to the vault's size."""

    sex: Vector
    decade: Vector
    size: Vector


@lru_cache(maxsize=2)
def _directions(basis: FaceBasis) -> _Directions:
    model = basis.model
    names, rows = _measures(model)
    per_sex = np.array([PARAMETERS[name].per_sex for name in names])
    per_decade = np.array([PARAMETERS[name].per_decade for name in names])
    gram = rows @ rows.T + RIDGE_MM**2 * np.eye(len(rows))
    to_weights = rows.T @ np.linalg.inv(gram)
    vault = rows[[names.index(name) for name in ("cr_w", "cr_l", "cr_h")]]
    vault = vault / np.maximum(np.linalg.norm(vault, axis=1, keepdims=True), 1e-9)
    return _Directions(to_weights @ per_sex, to_weights @ per_decade, vault)


def _measures(model: Model) -> tuple[list[str], Vector]:
    """Measures that are linear in the vertices: their names, and (M, K) mm a unit of each weight.

    A measure is a sum of signed coordinates of single vertices: distances along one axis between landmarks.
    """
    marks = model.layout.landmarks
    skin = model.mean[: model.layout.skin]
    vault = np.flatnonzero(skin[:, 2] > skin[marks[27], 2] + 25)
    right, left, front, back, top = (
        int(vault[np.argmax(s * skin[vault, axis])]) for s, axis in ((1, 0), (-1, 0), (1, 1), (-1, 1), (1, 2))
    )
    x, y, z = 0, 1, 2
    terms: dict[str, list[tuple[float, int, int]]] = {
        "cr_w": [(0.5, right, x), (-0.5, left, x)],
        "cr_l": [(0.5, front, y), (-0.5, back, y)],
        "cr_h": [(1.0, top, z), (-1.0, marks[27], z)],
        "brow_z": [(0.5, marks[19], z), (0.5, marks[24], z), (-0.5, marks[36], z), (-0.5, marks[45], z)],
        "ipd": [(0.5, marks[36], x), (0.5, marks[39], x), (-0.5, marks[42], x), (-0.5, marks[45], x)],
        "fiss_h": [(0.5, marks[37], z), (-0.5, marks[41], z), (0.5, marks[44], z), (-0.5, marks[46], z)],
        "nose_l": [(1.0, marks[27], z), (-1.0, marks[33], z)],
        "nose_p": [(1.0, marks[30], y), (-1.0, marks[33], y)],
        "ala_w": [(0.5, marks[31], x), (-0.5, marks[35], x)],
        "phil_l": [(1.0, marks[33], z), (-1.0, marks[51], z)],
        "mouth_w": [(0.5, marks[48], x), (-0.5, marks[54], x)],
        "lipU": [(1.0, marks[51], z), (-1.0, marks[62], z)],
        "lipL": [(1.0, marks[66], z), (-1.0, marks[57], z)],
        "low_h": [(1.0, marks[66], z), (-1.0, marks[8], z)],
        "jaw_w": [(0.5, marks[4], x), (-0.5, marks[12], x)],
        "jaw_low": [(0.5, marks[5], x), (-0.5, marks[11], x)],
        "mid_w": [(0.5, marks[1], x), (-0.5, marks[15], x)],
    }
    rows = [sum(f * model.modes[:, v, a].astype(np.float64) for f, v, a in terms[name]) for name in terms]
    return list(terms), np.array(rows)
