"""Photographs: same seed same bytes, another shot another day, and a face that a detector believes."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from medveil.core.errors import UsageError
from medveil.core.seeds import Seeds
from medveil.simulate.bust import make_bust, refine
from medveil.simulate.grain import grain
from medveil.simulate.hair import MEN, THICKNESS, WOMEN, draw_hair, grow, scalp
from medveil.simulate.head import Head, build_head
from medveil.simulate.lens import take
from medveil.simulate.looks import draw_looks
from medveil.simulate.person import Person, draw_person
from medveil.simulate.photograph import photograph, sit
from medveil.simulate.pigment import paint

SEEDS = Seeds(7)
COARSE_MM = 3.0


@pytest.fixture(scope="module")
def somebody() -> Person:
    return draw_person(SEEDS, 0)


@pytest.fixture(scope="module")
def coarse_head(somebody: Person) -> Head:
    return build_head(somebody, COARSE_MM, eyes_open=1.0, box="photo")


def test_the_same_seed_gives_the_same_bytes(somebody: Person) -> None:
    one, two = (photograph(somebody, SEEDS, spacing_mm=COARSE_MM, size_px=120) for _ in range(2))
    assert np.array_equal(one.data, two.data)


def test_another_shot_is_another_picture_of_another_day(somebody: Person) -> None:
    portrait = sit(somebody, SEEDS, COARSE_MM)
    one, two = (portrait.shot(n, size_px=120).data.astype(int) for n in (0, 1))
    assert np.abs(one - two).mean() > 5


def test_a_photograph_is_rgb_of_the_size_asked_for(somebody: Person) -> None:
    image = photograph(somebody, SEEDS, spacing_mm=COARSE_MM, size_px=150)
    assert image.kind == "photo"
    assert image.data.dtype == np.uint8
    assert image.data.shape == (150, 150, 3)
    assert np.array_equal(image.affine, np.eye(4))
    assert image.data.std() > 10


def test_without_a_size_the_picture_has_64_to_300_pixels(somebody: Person) -> None:
    portrait = sit(somebody, SEEDS, 4.0)
    sizes = {portrait.shot(n).data.shape[0] for n in range(3)}
    assert len(sizes) > 1
    assert min(sizes) >= 64
    assert max(sizes) <= 300


@pytest.mark.parametrize("size", [0, 5000, (300, 200)])
def test_a_size_that_no_camera_has_is_refused(somebody: Person, size: int | tuple[int, int]) -> None:
    with pytest.raises(UsageError, match="size_px"):
        photograph(somebody, SEEDS, spacing_mm=4.0, size_px=size)


def test_what_stays_with_a_person_does_not_depend_on_the_shot(somebody: Person) -> None:
    one, two = sit(somebody, SEEDS), sit(somebody, SEEDS)
    assert one.hair == two.hair
    assert np.array_equal(one.looks.skin, two.looks.skin)
    other = sit(draw_person(SEEDS, 1), SEEDS)
    assert not np.array_equal(one.looks.skin, other.looks.skin)


def test_beards_grow_on_men_only_and_baldness_with_age() -> None:
    people = [draw_person(SEEDS, i) for i in range(300)]
    hair = [draw_hair(SEEDS.stream("simulate/hair", p.index), p) for p in people]
    assert all(h.beard == "none" for p, h in zip(people, hair, strict=True) if p.sex < 0)
    assert Counter(h.beard for p, h in zip(people, hair, strict=True) if p.sex > 0)["full"] > 0
    bald = [p for p, h in zip(people, hair, strict=True) if h.style in ("shaved", "horseshoe")]
    assert bald
    assert all(p.sex > 0 for p in bald)
    assert np.mean([p.age_years for p in bald]) > np.mean([p.age_years for p in people])


def test_old_people_are_greyer_and_more_wrinkled() -> None:
    looks, age, saturation = [], [], []
    for i in range(200):
        p = draw_person(SEEDS, i)
        looks.append(draw_looks(SEEDS.stream("simulate/looks", i), p))
        colour = draw_hair(SEEDS.stream("simulate/hair", i), p).beard_colour
        saturation.append((max(colour) - min(colour)) / max(colour))
        age.append(p.age_years)
    old = np.array(age) > 65
    young = np.array(age) < 35
    wrinkles = np.array([k.wrinkles for k in looks])
    assert wrinkles[old].min() > wrinkles[young].max() - 0.1
    assert np.mean(np.array(saturation)[old]) < 0.5 * np.mean(np.array(saturation)[young])


@pytest.mark.parametrize("style", sorted({*MEN, *WOMEN, "shaved", "horseshoe"}))
def test_every_style_only_adds_to_the_head_and_leaves_eyes_and_nose_free(
    coarse_head: Head, style: str
) -> None:
    hair = draw_hair(SEEDS.stream("simulate/hair", 0), coarse_head.person)
    low, high, side = THICKNESS[style]  # type: ignore[index]
    hair = replace(hair, style=style, thickness_mm=(low + high) / 2, side=side, fringe_mm=None, beard="none")  # type: ignore[arg-type]
    phi = grow(coarse_head, hair)
    assert phi.dtype == np.float32
    assert (phi <= coarse_head.phi + 1e-3).all()
    x, y, z = coarse_head.axes
    face = np.ix_(np.abs(x) < 45, y > 75, (z > -90) & (z < 15))
    assert np.abs(phi[face] - coarse_head.phi[face]).max() < 0.5


def test_hair_grows_over_the_crown_and_not_on_the_nose(somebody: Person) -> None:
    hair = replace(draw_hair(SEEDS.stream("simulate/hair", 0), somebody), style="short")
    x, y, z = np.array([0.0, 0.0]), np.array([-20.0, 115.0]), np.array([110.0, -40.0])
    assert scalp(hair, x, y, z) == pytest.approx([1.0, 0.0], abs=1e-3)


def test_refining_splits_triangles_without_moving_the_surface() -> None:
    corners = np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0], [1, 1, 0]], dtype=float)
    up = np.tile([0.0, 0.0, 1.0], (4, 1))
    faces = np.array([[0, 1, 2], [1, 3, 2]])
    v, n, f = refine(corners, up, faces, np.array([True, True, True, False]))
    assert len(v) == 7
    assert len(f) == 5
    area = np.linalg.norm(np.cross(v[f[:, 1]] - v[f[:, 0]], v[f[:, 2]] - v[f[:, 0]]), axis=1).sum() / 2
    assert area == pytest.approx(1.0)
    assert np.allclose(n, [0, 0, 1])


def test_normals_of_the_bust_point_outwards(coarse_head: Head) -> None:
    hair = draw_hair(SEEDS.stream("simulate/hair", 0), coarse_head.person)
    bust = make_bust(coarse_head, hair)
    body = slice(0, bust.body, 7)
    out = bust.solid(bust.vertices[body] + 2 * bust.normals[body])
    assert (out > bust.solid(bust.vertices[body] - 2 * bust.normals[body])).mean() > 0.97


def test_paint_stays_within_what_a_surface_can_reflect(coarse_head: Head) -> None:
    person = coarse_head.person
    hair = draw_hair(SEEDS.stream("simulate/hair", 0), person)
    looks = draw_looks(SEEDS.stream("simulate/looks", 0), person)
    bust = make_bust(coarse_head, hair)
    n = bust.body
    painted = paint(bust.vertices[:n], bust.above_skin_mm[:n], coarse_head, hair, looks)
    assert painted.albedo.shape == (n, 3)
    assert np.isfinite(painted.albedo).all()
    assert painted.albedo.min() >= 0
    assert painted.albedo.max() <= 1
    assert painted.eye.sum() > 20


def test_grain_tiles_and_has_unit_spread() -> None:
    points = SEEDS.stream("test/grain").uniform(0, 500, (20000, 3))
    texture = grain(points, 2.0, np.zeros(3))
    assert abs(float(texture.mean())) < 0.05
    assert 0.5 < float(texture.std()) < 1.1
    assert np.allclose(grain(points + 192.0, 2.0, np.zeros(3)), texture, atol=1e-3)


def test_the_lens_leaves_a_picture_recognisable() -> None:
    ramp = np.repeat(np.linspace(20, 230, 400)[None, :, None], 400, axis=0).repeat(3, axis=2)
    seen = take(ramp.astype(np.uint8), 100, SEEDS.stream("test/lens"))
    assert seen.shape == (100, 100, 3)
    assert np.corrcoef(seen.mean(axis=(0, 2)), np.linspace(0, 1, 100))[0, 1] > 0.98


def test_a_face_detector_fires_on_the_photographs() -> None:
    dlib = pytest.importorskip("dlib", reason="the face detector is not installed")
    detector = dlib.get_frontal_face_detector()
    pictures = [photograph(draw_person(SEEDS, i), SEEDS, size_px=240).data for i in range(3)]
    assert sum(len(detector(np.ascontiguousarray(p), 0)) > 0 for p in pictures) >= 2
