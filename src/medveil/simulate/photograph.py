"""Photograph: the same person as in the scan, with open eyes, hair and a face for the day.

    Person ──sit──> Portrait ──shot(n)──> Image (H, W, 3) uint8

What stays with a person (skin, hair, brows, iris) comes from one stream of the seed, what changes from day
to day (expression, gaze, head pose, light, lens, background, noise) from another, one for each shot. The
shape is that of the scan: nothing else ties the two together, which is what an attack has to find.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from medveil.core.errors import UsageError
from medveil.core.image import Image
from medveil.core.seeds import Seeds
from medveil.scene.camera import Camera, Material, Mesh, direction, render
from medveil.simulate.bust import Array, Bust, make_bust
from medveil.simulate.hair import Hair, draw_hair
from medveil.simulate.head import Expression, Head, build_head
from medveil.simulate.lens import backdrop, take
from medveil.simulate.light import Lighting, expose, shade
from medveil.simulate.looks import Looks, draw_looks
from medveil.simulate.person import Person
from medveil.simulate.pigment import dressed, paint
from medveil.simulate.wrinkles import wrinkled

FACE_SIZES_PX = (64, 300)
RENDER_PX = 480  # pictures are drawn at this size and scaled down: cheap, and edges come out smooth
FOCUS_MM = (0.0, 30.0, -18.0)
WIDTH_MM = 300.0


@dataclass(frozen=True)
class Day:
    """Everything that belongs to one shot and not to the person."""

    expression: Expression
    yaw_deg: float
    pitch_deg: float
    roll_deg: float
    width_mm: float
    view_angle_deg: float
    aim_mm: tuple[float, float, float]
    lighting: Lighting
    background: tuple[int, int, int]


def draw_day(rng: np.random.Generator, yaw_deg: float) -> Day:
    """One day's face, pose, light and lens; yaw is uniform within +-`yaw_deg`."""
    azimuth, elevation = rng.uniform(-55, 55), rng.uniform(8, 50)
    warm = rng.normal(0, 0.05)
    red, green, blue = np.clip(rng.uniform(60, 225) + rng.normal(0, 22, 3), 30, 245)
    return Day(
        expression=Expression(
            smile=float(rng.uniform(-0.2, 1.0)),
            brow_dz_mm=float(rng.normal(0, 0.7)),
            eye_opening=float(rng.uniform(0.85, 1.1)),
            gaze=(float(rng.normal(0, 0.10)), float(rng.normal(0, 0.05))),
        ),
        yaw_deg=float(rng.uniform(-yaw_deg, yaw_deg)),
        pitch_deg=float(rng.uniform(-8, 8)),
        roll_deg=float(rng.normal(0, 3)),
        width_mm=float(WIDTH_MM * rng.uniform(0.9, 1.12)),
        view_angle_deg=float(rng.uniform(14, 36)),
        aim_mm=(float(rng.normal(0, 6)), FOCUS_MM[1], FOCUS_MM[2] + float(rng.normal(0, 6))),
        lighting=Lighting(
            key_deg=(float(azimuth), float(elevation)),
            fill_deg=(float(-1.2 * azimuth), 8.0),
            key=float(rng.uniform(0.6, 1.0)),
            fill=float(rng.uniform(0.12, 0.45)),
            sky=float(rng.uniform(0.22, 0.50)),
            key_colour=(float(1 + warm), 1.0, float(1 - warm)),
            exposure=float(rng.uniform(0.8, 1.25)),
        ),
        background=(int(red), int(green), int(blue)),
    )


@dataclass(frozen=True, eq=False, repr=False)
class Portrait:
    """A person in front of the camera; each shot is another day.

    Args:
        person, seeds: who, and of which world.
        hair, looks: what stays with the person.
        spacing_mm: grid of the head.
    """

    person: Person
    seeds: Seeds
    hair: Hair
    looks: Looks
    spacing_mm: float

    def shot(
        self, shot: int = 0, *, size_px: int | tuple[int, int] | None = None, yaw_deg: float = 25.0
    ) -> Image:
        """Photograph number `shot`; see `photograph` for the settings."""
        rng = self.seeds.stream("simulate/photograph", self.person.index, shot)
        day = draw_day(rng, yaw_deg)
        size = _size(rng, size_px)
        head = build_head(self.person, self.spacing_mm, eyes_open=1.0, box="photo", expression=day.expression)
        bust = make_bust(head, self.hair)
        colours = self._colours(head, bust, day)
        mesh = Mesh(bust.vertices, bust.faces, bust.normals, colours)
        camera = Camera(
            focus_mm=day.aim_mm,
            yaw_deg=day.yaw_deg,
            pitch_deg=day.pitch_deg,
            roll_deg=day.roll_deg,
            view_angle_deg=day.view_angle_deg,
            width_mm=day.width_mm,
            size_px=RENDER_PX,
        )
        plain = day.background
        picture = render(
            mesh,
            camera,
            (),
            material=Material(ambient=1.0, diffuse=0.0),
            background=(plain[0] / 255, plain[1] / 255, plain[2] / 255),
        )
        return Image(take(backdrop(picture, plain, rng), size, rng), np.eye(4), kind="photo")

    def _colours(self, head: Head, bust: Bust, day: Day) -> Array:
        """(V, 3) uint8: painted, lit and exposed."""
        n = bust.body
        body = paint(bust.vertices[:n], bust.above_skin_mm[:n], head, self.hair, self.looks)
        painted = dressed(body, bust.vertices[n:], self.looks)
        relief = wrinkled(bust.vertices, bust.normals, painted.skin, head, self.looks)
        light = shade(bust, painted, relief, day.lighting, direction(day.yaw_deg, day.pitch_deg))
        x, y, z = bust.vertices.T
        face = (painted.skin > 0.5) & (y > 55) & (np.abs(x) < 60) & (z > -95) & (z < 45)
        return np.asarray(np.rint(255 * expose(light, face, day.lighting.exposure)), dtype=np.uint8)


def _size(rng: np.random.Generator, size_px: int | tuple[int, int] | None) -> int:
    """The side of the picture; one number is drawn whatever is asked for, so that the rest stays the same."""
    if size_px is None:
        size_px = FACE_SIZES_PX
    low, high = (size_px, size_px) if isinstance(size_px, int) else size_px
    if not 16 <= low <= high <= RENDER_PX:
        raise UsageError(f"photograph: size_px is {size_px}, expected sizes within 16..{RENDER_PX}")
    return low + int(rng.random() * (high - low + 1))


def sit(person: Person, seeds: Seeds, spacing_mm: float = 1.5) -> Portrait:
    """Seat a person: draws what stays with them over all photographs."""
    return Portrait(
        person=person,
        seeds=seeds,
        hair=draw_hair(seeds.stream("simulate/hair", person.index), person),
        looks=draw_looks(seeds.stream("simulate/looks", person.index), person),
        spacing_mm=spacing_mm,
    )


def photograph(
    person: Person,
    seeds: Seeds,
    *,
    shot: int = 0,
    size_px: int | tuple[int, int] | None = None,
    spacing_mm: float = 1.5,
    yaw_deg: float = 25.0,
) -> Image:
    """One photograph of a simulated person.

    Args:
        person, seeds: who, and the root of the randomness.
        shot: which day; another number, another photograph.
        size_px: side of the square picture; a pair draws from low..high, None from 64..300.
        spacing_mm: grid of the head: 1.5 is near enough to 1 for a recogniser and costs a third.
        yaw_deg: the head turns by up to so much to either side.

    Returns:
        Image of kind photo, (size, size, 3) uint8, affine the identity.
    """
    return sit(person, seeds, spacing_mm).shot(shot, size_px=size_px, yaw_deg=yaw_deg)
