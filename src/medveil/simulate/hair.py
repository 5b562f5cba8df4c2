"""Hair: what grows on a simulated head, seen by cameras and by no scanner.

    Person ──draw_hair──> Hair ──grow(head)──> signed distance of the head with its hair

Hair is a layer on the head without its ears: the skin moved outwards by a thickness, wherever a point lies
above the hairline. The ears are united with it afterwards; a layer on the ears would stand behind them like
boxes. Style follows sex and age: women wear it longer, men lose it, both go grey.

Frame: RAS+ mm of `medveil.simulate.head`: z = 0 at the eyes, +y towards the nose.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from medveil.simulate.field import ellipsoid, smooth_min
from medveil.simulate.grain import logistic
from medveil.simulate.head import Head
from medveil.simulate.person import Person

Array = npt.NDArray[Any]
Style = Literal["shaved", "horseshoe", "cropped", "short", "parted", "quiff", "curly", "bob", "long", "tied"]
Beard = Literal["none", "stubble", "moustache", "goatee", "full"]

# Shares of the styles, and of the colours: round numbers chosen by hand, not a survey.
WOMEN: dict[Style, float] = {
    "long": 0.30, "bob": 0.22, "tied": 0.18, "parted": 0.10, "short": 0.10, "curly": 0.08, "cropped": 0.02,
}  # fmt: skip
MEN: dict[Style, float] = {
    "short": 0.30, "cropped": 0.25, "parted": 0.18, "quiff": 0.12, "curly": 0.08, "long": 0.05, "bob": 0.02,
}  # fmt: skip
BEARDS: dict[Beard, float] = {"none": 0.42, "stubble": 0.28, "full": 0.12, "goatee": 0.09, "moustache": 0.09}
COLOURS = (  # as displayed, 0..1: black, dark brown, brown, auburn, fair
    (0.09, 0.075, 0.07), (0.20, 0.14, 0.10), (0.34, 0.24, 0.16), (0.42, 0.22, 0.12), (0.66, 0.52, 0.34),
)  # fmt: skip
COLOUR_SHARES = (0.28, 0.30, 0.22, 0.07, 0.13)
GREY = (0.60, 0.59, 0.575)

# Thickness of the layer in mm, from..to, and how much of it lies on the sides (1: as on the top).
THICKNESS: dict[Style, tuple[float, float, float]] = {
    "shaved": (0.0, 0.0, 1.0), "horseshoe": (2.0, 5.0, 1.0), "cropped": (1.5, 4.0, 0.8),
    "short": (5.0, 12.0, 0.45), "parted": (7.0, 13.0, 0.4), "quiff": (6.0, 11.0, 0.3),
    "curly": (11.0, 17.0, 0.75), "bob": (6.0, 11.0, 0.8), "long": (5.0, 10.0, 0.8), "tied": (3.0, 5.0, 0.9),
}  # fmt: skip


@dataclass(frozen=True)
class Hair:
    """The hair of one person; lengths in mm, colours as displayed, 0..1.

    Args:
        style, beard: names above; women have no beard.
        colour: hair of the head, grey already mixed in; `brow_colour` and `beard_colour` go grey later.
        thickness_mm: of the layer on the top; `side`: share of it on the sides.
        front_mm: height of the front hairline over the eyes; `side_mm`, `nape_mm`: of sideburn and nape.
        recession_mm: how far the hairline has drawn back over the temples; `peak_mm`: a widow's peak.
        parting_mm: x of the parting; `fringe_mm`: height of a fringe's edge, None without one.
        length_mm: z where loose hair ends.
        beard_density: 0..1; `beard_mm`: thickness of a full beard.
        phase: nine angles that make its waves its own.
    """

    style: Style
    colour: tuple[float, float, float]
    brow_colour: tuple[float, float, float]
    beard_colour: tuple[float, float, float]
    thickness_mm: float
    side: float
    front_mm: float
    side_mm: float
    nape_mm: float
    recession_mm: float
    peak_mm: float
    parting_mm: float
    fringe_mm: float | None
    length_mm: float
    beard: Beard
    beard_density: float
    beard_mm: float
    phase: tuple[float, ...]

    @property
    def is_loose(self) -> bool:
        """Whether hair falls past the ears."""
        return self.style in ("long", "bob")


def _pick(rng: np.random.Generator, shares: dict[Any, float]) -> Any:
    names = list(shares)
    weights = np.array([shares[n] for n in names])
    return names[int(rng.choice(len(names), p=weights / weights.sum()))]


def _mixed(colour: Array, grey: float) -> tuple[float, float, float]:
    r, g, b = (1 - grey) * colour + grey * np.array(GREY)
    return float(r), float(g), float(b)


def draw_hair(rng: np.random.Generator, person: Person) -> Hair:
    """A person's hair, as likely for their sex and age; the same draws are made for everybody."""
    man = person.sex > 0
    age = person.age_years
    style: Style = _pick(rng, MEN if man else WOMEN)
    bare = rng.random()
    losing = 0.04 + 0.45 * float(np.clip((age - 35) / 40, 0, 1))
    if man and bare < losing:
        style = "horseshoe" if bare < 0.7 * losing else "shaved"
    natural = np.array(COLOURS[int(rng.choice(len(COLOURS), p=COLOUR_SHARES))]) * rng.uniform(0.8, 1.25)
    grey = float(logistic(np.array((age - 52 + rng.normal(0, 7)) / 5)))
    dyed = rng.random() < 0.45
    if dyed and not man:
        grey *= 0.1
    low, high, side = THICKNESS[style]
    beard: Beard = _pick(rng, BEARDS)
    fringe = 26 + rng.normal(0, 4) if rng.random() < 0.25 else None
    if style in ("shaved", "horseshoe", "cropped", "quiff", "tied", "curly"):
        fringe = None
    recession = rng.gamma(2.0, 2.5) + (0.22 * max(age - 25, 0) if man else 0.03 * max(age - 40, 0))
    return Hair(
        style=style,
        colour=_mixed(natural, grey),
        brow_colour=_mixed(natural, 0.6 * grey),
        beard_colour=_mixed(natural, min(1.0, 1.15 * grey)),
        thickness_mm=float(rng.uniform(low, high) * (1 - 0.25 * np.clip((age - 50) / 30, 0, 1))),
        side=side,
        front_mm=float(rng.normal(65, 4.5)),
        side_mm=float(rng.normal(-4, 7) + (0 if man else 8)),
        nape_mm=float(rng.normal(0, 6)),
        recession_mm=float(min(recession * (1.0 if man else 0.4), 16.0)),
        peak_mm=float(max(rng.normal(1, 3), 0)),
        parting_mm=float(rng.choice([-1.0, 1.0]) * rng.uniform(8, 38)),
        fringe_mm=fringe,
        length_mm=float(rng.uniform(-100, -55) if style == "bob" else rng.uniform(-175, -120)),
        beard=beard if man else "none",
        beard_density=float(rng.uniform(0.35, 0.9)),
        beard_mm=float(rng.uniform(2.0, 6.0)),
        phase=tuple(float(a) for a in rng.uniform(0, 2 * np.pi, 9)),
    )


def above_hairline(hair: Hair, x: Array, y: Array, z: Array) -> Array:
    """Height in mm over the hairline; any arrays that broadcast, mm.

    The hairline is a height over y seen from the side (nape, behind the ear, over it, sideburn, temple,
    front); over the brow it draws back at |x| = 42 mm and may come down in the middle.
    """
    from scipy.interpolate import PchipInterpolator

    front = hair.front_mm
    knots = np.array([-130, -95, -30, -12, 6, 14, 24, 40, 52, 70, 86, 120], dtype=float)
    heights = [-78 + hair.nape_mm, -70 + hair.nape_mm, -34, 10, 12, hair.side_mm, hair.side_mm + 8]
    heights += [36 + 0.4 * (front - 60), 47 + 0.7 * (front - 60), 58 + 0.9 * (front - 60), front, front + 6]
    line = PchipInterpolator(knots, np.array(heights))(np.clip(y, -130, 120)).astype(np.float32)
    before = logistic((y - 48) / 7)
    line = line + hair.recession_mm * np.exp(-(((np.abs(x) - 42) / 17) ** 2)) * before
    line = line - hair.peak_mm * np.exp(-((x / 10) ** 2)) * before
    if hair.style in ("parted", "bob", "long"):  # falls to both sides of the parting
        away = np.abs(x - 0.7 * hair.parting_mm)
        line = line + (5 - 17 * np.clip((away - 6) / 62, 0, 1)) * before
    line = line + 1.2 * np.sin(0.13 * x + hair.phase[0]) + 0.8 * np.sin(0.41 * x + hair.phase[1])
    return np.asarray(z - line, dtype=np.float32)


def scalp(hair: Hair, x: Array, y: Array, z: Array) -> Array:
    """0..1: whether hair grows there; any arrays that broadcast, mm."""
    return _grows(hair, above_hairline(hair, x, y, z), y, z)


def _grows(hair: Hair, above: Array, y: Array, z: Array) -> Array:
    grows = logistic(above / 2.2)
    if hair.style == "horseshoe":  # bare above a line that falls towards the back of the head
        crown = 52 + 0.12 * (y + 60)
        grows = grows * logistic((crown - z) / 5) * logistic((30 - y) / 8)
    return np.asarray(grows, dtype=np.float32)


def _waves(hair: Hair, x: Array, y: Array, z: Array) -> Array:
    """Locks: three products of sines, about -2..2."""
    pace = 1.7 if hair.style == "curly" else 1.0
    total = np.zeros((1, 1, 1), dtype=np.float32)
    for k, w in enumerate((0.11, 0.19, 0.31)):
        a, b, c = hair.phase[3 * k : 3 * k + 3]
        w *= pace
        total = total + np.sin(1.1 * w * x + a) * np.sin(w * y + b) * np.sin(0.7 * w * z + c)
    return total.astype(np.float32)


def beard_region(hair: Hair, head: Head, x: Array, y: Array, z: Array) -> Array:
    """0..1: where the beard grows, lips left free; any arrays that broadcast, mm."""
    at = head.levels
    above, below, mouth, inside, _ = head.lip(x, z)
    lips = np.clip((1.12 - np.maximum(above, below)) / 0.15, 0, 1) * np.clip(6 * inside, 0, 1)
    cheek = at["sto_z"] - 4 + 0.030 * np.clip(np.abs(x) - 20, 0, 50) ** 2  # its upper edge, up to the ears
    half = head.geometry.p["mouth_w"] + 4
    low = logistic((z - at["ment_z"] + 14) / 5) * logistic((y - 12) / 8)
    moustache = logistic((at["sub_z"] - 1 - z) / 1.5) * logistic((z - mouth + 3) / 2)
    moustache = moustache * logistic((half - np.abs(x)) / 2.5)
    chin = logistic((22 + 0.06 * (z - at["ment_z"]) - np.abs(x)) / 3) * logistic((mouth + 2 - z) / 3)
    jaw = logistic((cheek - z) / 3)
    grows = {"moustache": moustache, "goatee": np.maximum(moustache, chin * jaw)}.get(
        hair.beard, np.maximum(moustache, jaw)
    )
    return np.asarray(grows * low * (1 - lips), dtype=np.float32)


def grow(head: Head, hair: Hair) -> Array:
    """The head with its hair, as a signed distance on the head's own grid.

    Args:
        head: built in the box for photographs.

    Returns:
        (I, J, K) float32 mm, negative inside.
    """
    x, y, z = (
        head.axes[0][:, None, None],
        head.axes[1][None, :, None],
        head.axes[2][None, None, :],
    )
    rough = x[::2], y[:, ::2], z[:, :, ::2]  # enough for what is smooth, at an eighth of the cost
    phi = head.phi.copy()
    waves = _on_full_grid(_waves(hair, *rough), phi.shape)
    if hair.style != "shaved":
        above = above_hairline(hair, x, y, z)
        layer = _grows(hair, above, y, z) * _layer(hair, waves, above, x, y, z)
        phi = np.minimum(phi, head.phi_without_ears - layer)
    if hair.is_loose:
        phi = smooth_min(phi, _on_full_grid(_falling(hair, head, *rough), phi.shape), 6)
    if hair.style == "tied":
        phi = smooth_min(phi, ellipsoid((0, -112, 20), (24, 22, 26)).distance(x, y, z), 5)
    if hair.fringe_mm is not None:
        slope = 0.25 * float(np.sign(hair.parting_mm)) * x
        lock = head.phi_without_ears - np.float32(0.55 * hair.thickness_mm + 2) - waves
        cut = np.maximum(hair.fringe_mm + slope + 3 * waves - z, 62 - y)
        phi = smooth_min(phi, np.maximum(lock, cut), 3)
    if hair.beard == "full":
        level, ahead = head.axes[2], head.axes[1] > 0
        jaw = (level < head.levels["sub_z"] + 60) & (level > head.levels["ment_z"] - 30)
        box = np.ix_(np.ones(len(head.axes[0]), bool), ahead, jaw)
        grown = beard_region(hair, head, x, y[:, ahead], z[:, :, jaw])
        phi[box] -= grown * (hair.beard_mm * (1 + 0.12 * waves[box]))
    return np.asarray(phi, dtype=np.float32)


def _on_full_grid(rough: Array, shape: tuple[int, ...]) -> Array:
    """Double the sampling along each axis by linear interpolation, cut to `shape`."""
    for axis, n in enumerate(shape):
        a = np.moveaxis(rough, axis, 0)
        fine = np.empty((2 * len(a), *a.shape[1:]), dtype=np.float32)
        fine[::2] = a
        fine[1:-1:2] = 0.5 * (a[:-1] + a[1:])
        fine[-1] = a[-1]
        rough = np.moveaxis(fine[:n], 0, axis)
    return np.ascontiguousarray(rough)


def _falling(hair: Hair, head: Head, x: Array, y: Array, z: Array) -> Array:
    """Loose hair: a shell round the head, open in front, ending at `length_mm`; signed distance, mm."""
    w = head.geometry.p["cr_w"]
    waves = _waves(hair, x, y, z)
    hanging = np.where(z < -10, -10 + 0.5 * (z + 10), z)
    shell = ellipsoid((0, -32, 0), (w + 15, 78, 128)).distance(x, y, hanging)
    # The opening for the face widens no more below it, or hair would close under the chin.
    opening = np.where(z < -30, -30 + 0.25 * (z + 30), z)
    face = ellipsoid((0, 64, -30), (w - 3, 92, 112)).distance(x, y, opening)
    shell = np.maximum(np.maximum(shell, -face), hair.length_mm + 7 * waves - z)
    return np.asarray(shell - np.float32(0.8) * waves, dtype=np.float32)


def _layer(hair: Hair, waves: Array, above: Array, x: Array, y: Array, z: Array) -> Array:
    """Thickness of the hair over the skin, mm."""
    thick = hair.thickness_mm * (hair.side + (1 - hair.side) * logistic((z - 30) / 13))
    if hair.style in ("parted", "bob", "long"):  # lies away from the parting, which is a groove
        over = float(np.sign(hair.parting_mm))
        thick = thick * (1 - 0.25 * over * np.tanh((x - hair.parting_mm) / 25))
        thick = thick * (1 - 0.7 * np.exp(-(((x - hair.parting_mm) / 4) ** 2)) * logistic((z - 60) / 6))
    if hair.style == "quiff":
        thick = thick + 9 * np.exp(-(((y - 66) / 26) ** 2)) * logistic((z - 66) / 6)
    # Brushed back, hair lies flat where it starts and rises from there; else it would end in a ledge.
    missing = 1 - np.clip(above / 24, 0, 1)
    thick = thick * (1 - missing * missing * (0.85 * logistic((y - 30) / 10)))
    locks = {"curly": 2.4, "cropped": 0.3, "horseshoe": 0.3, "tied": 0.4}.get(hair.style, 1.1)
    return np.asarray(np.maximum(thick + np.float32(locks) * waves, 0), dtype=np.float32)
