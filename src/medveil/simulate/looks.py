"""Looks: a person's pigments, drawn apart from the shape.

Scanners see none of this: a photograph shares the shape with the scan and nothing else. Colours are as
displayed, 0..1.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from medveil.simulate.person import Person

Array = npt.NDArray[Any]

SKINS = np.array(
    [(0.95, 0.78, 0.70), (0.90, 0.71, 0.60), (0.80, 0.59, 0.46), (0.62, 0.43, 0.32), (0.45, 0.30, 0.22)]
)
IRISES = np.array([(0.22, 0.13, 0.08), (0.36, 0.24, 0.12), (0.34, 0.40, 0.26), (0.36, 0.47, 0.58)])
IRIS_SHARES = (0.48, 0.20, 0.12, 0.20)


@dataclass(frozen=True, eq=False, repr=False)
class Looks:
    """What cameras see of a person's skin, eyes and brows.

    Args:
        skin, lip, iris, shirt: (3,) colours as displayed.
        lip_strength: 0..1, how far the lips differ from the skin.
        redness: of cheeks, nose and ears; `spots`: freckles and moles; `gloss`: oiliness; all about 0..1.
        brow_mm: half height of a brow; `brow_arch_mm`; `brow_lift_mm`; `brow_density` 0..1.
        lashes: darkness of the upper lash line, 0..1.
        wrinkles: 0 (smooth) .. 1 (deep); grows with age.
        neckline_mm: depth of a V-neck, 0 for a round collar.
        grains: (16, 3) offsets of this person's textures.
    """

    skin: Array
    lip: Array
    iris: Array
    shirt: Array
    lip_strength: float
    redness: float
    spots: float
    gloss: float
    brow_mm: float
    brow_arch_mm: float
    brow_lift_mm: float
    brow_density: float
    lashes: float
    wrinkles: float
    neckline_mm: float
    grains: Array


def draw_looks(rng: np.random.Generator, person: Person) -> Looks:
    """A person's pigments; the same draws are made for everybody."""
    man = person.sex > 0
    age = person.age_years
    tone = rng.uniform(0, 3.9)
    i = int(tone)
    skin = (SKINS[i] * (1 - tone + i) + SKINS[min(i + 1, 4)] * (tone - i)) * rng.uniform(0.96, 1.04)
    painted = rng.random()
    lip = skin * np.array([0.90, 0.64, 0.64])
    if not man and painted < 0.4:
        lip = lip * np.array([0.98, 0.72, 0.76])
    iris = IRISES[int(rng.choice(4, p=IRIS_SHARES))] if tone < 2.4 else IRISES[int(rng.random() < 0.2)]
    return Looks(
        skin=skin,
        lip=lip,
        iris=iris * rng.uniform(0.85, 1.15),
        shirt=rng.uniform(0.1, 0.85, 3) * rng.uniform(0.4, 1.0) + 0.04,
        lip_strength=float(rng.uniform(0.45, 0.85) * (1 - 0.3 * np.clip((age - 50) / 30, 0, 1))),
        redness=float(rng.uniform(0.3, 1.0)),
        spots=float(np.clip(rng.uniform(-0.3, 0.7) + 0.006 * (age - 40), 0, 1)),
        gloss=float(rng.uniform(0.3, 1.0)),
        brow_mm=float(rng.uniform(2.2, 4.2) + (0.5 if man else -0.4)),
        brow_arch_mm=float(rng.normal(2.6, 1.3) - (0.6 if man else -0.6)),
        brow_lift_mm=float(rng.normal(0, 1.2)),
        brow_density=float(rng.uniform(0.6, 0.95)),
        lashes=float(rng.uniform(0.35, 0.6) if man else rng.uniform(0.6, 0.95)),
        wrinkles=float(np.clip((age - 27) / 50, 0, 1.1) * rng.uniform(0.7, 1.2)),
        neckline_mm=float(max(0.0, rng.uniform(-50, 70))),
        grains=rng.uniform(size=(16, 3)),
    )
