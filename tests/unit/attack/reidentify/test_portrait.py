"""Portraits: faces laid onto fixed places, with and without what surrounds them."""

from __future__ import annotations

import numpy as np
import pytest

from medveil.attack.reidentify.portrait import (
    CHIP_PX,
    EYES_AND_MOUTH,
    FIVE_112,
    aligned,
    eye_centres,
    five_points,
    inner_face,
    portrait,
    similarity,
)


def landmarks(
    scale: float = 100.0, turn_deg: float = 0.0, shift: tuple[float, float] = (50.0, 40.0)
) -> np.ndarray:
    """(68, 2) px of a plain face: jaw on half an ellipse, brows, nose, eyes, mouth."""
    t = np.linspace(np.pi, 0, 17)
    jaw = np.stack([0.5 + 0.5 * np.cos(t), 0.35 + 0.65 * np.sin(t)], axis=1)
    brows = np.stack(
        [np.r_[np.linspace(0.12, 0.42, 5), np.linspace(0.58, 0.88, 5)], np.full(10, 0.22)], axis=1
    )
    nose = np.stack(
        [np.r_[np.full(4, 0.5), np.linspace(0.42, 0.58, 5)], np.r_[np.linspace(0.3, 0.55, 4), [0.6] * 5]], 1
    )
    ring = np.linspace(0, 2 * np.pi, 7)[:-1]
    eyes = [np.stack([x - 0.07 * np.cos(ring), 0.32 - 0.03 * np.sin(ring)], axis=1) for x in (0.28, 0.72)]
    mouth = np.stack(
        [
            0.5 - 0.17 * np.cos(np.linspace(0, 2 * np.pi, 13)[:-1]),
            0.78 - 0.05 * np.sin(np.linspace(0, 2 * np.pi, 13)[:-1]),
        ],
        1,
    )
    inner = 0.5 + 0.5 * (mouth[[1, 2, 3, 4, 7, 8, 9, 10]] - 0.5)
    points = np.concatenate([jaw, brows, nose, *eyes, mouth, inner])
    assert points.shape == (68, 2)
    a = np.radians(turn_deg)
    return scale * points @ np.array([[np.cos(a), np.sin(a)], [-np.sin(a), np.cos(a)]]) + shift


def picture(points: np.ndarray, size: int = 240) -> np.ndarray:
    """A grey gradient with a white square on each eye and corner of the mouth."""
    out = np.repeat(np.linspace(40, 120, size).astype(np.uint8)[None, :, None], size, axis=0).repeat(
        3, axis=2
    )
    for x, y in np.rint(np.concatenate([eye_centres(points), points[[48, 54]]])).astype(int):
        out[max(y - 3, 0) : y + 4, max(x - 3, 0) : x + 4] = 255
    return out


def test_similarity_finds_the_turn_scale_and_shift_that_were_applied() -> None:
    """A square turned by 90 degrees, doubled and moved by (10, 20): the matrix is known by hand."""
    square = np.array([[0.0, 0], [1, 0], [1, 1], [0, 1]])
    turn, shift = similarity(square, 2 * square @ np.array([[0.0, 1], [-1, 0]]) + [10, 20])
    assert np.allclose(turn, [[0, -2], [2, 0]])
    assert np.allclose(shift, [10, 20])


def test_similarity_never_mirrors_and_takes_points_without_extent() -> None:
    square = np.array([[0.0, 0], [1, 0], [1, 1], [0, 1]])
    turn, _ = similarity(square, square * [-1, 1])
    assert np.linalg.det(turn) > 0
    turn, shift = similarity(np.zeros((4, 2)), square)
    assert np.allclose(turn, np.eye(2))
    assert np.allclose(shift, [0.5, 0.5])


@pytest.mark.parametrize(
    ("scale", "turn", "shift"),
    [(100, 0, (50, 40)), (60, 25, (90, 60)), (160, -15, (10, 60)), (700, 5, (60, 20))],
)
def test_eyes_and_mouth_come_to_lie_where_they_must(
    scale: float, turn: float, shift: tuple[float, float]
) -> None:
    points = landmarks(scale, turn, shift)
    shot = picture(points, 900 if scale > 200 else 320)
    chip = portrait(shot, points)
    assert chip.pixels.shape == (CHIP_PX, CHIP_PX, 3)
    there = np.concatenate([eye_centres(chip.landmarks), chip.landmarks[[48, 54]]])
    assert (
        np.abs(there - EYES_AND_MOUTH * CHIP_PX).max() < 8
    )  # one similarity cannot meet four points exactly
    for x, y in np.rint(there).astype(int):
        assert chip.pixels[y - 2 : y + 3, x - 2 : x + 3].max() > 130  # the ground is below 121


def test_pixels_and_landmarks_move_together_to_half_a_pixel() -> None:
    """A sharp dot is found again, in the chip, where its landmark went."""
    points = landmarks(110, 12, (70, 40))
    shot = np.zeros((320, 320, 3), np.uint8)
    x, y = np.rint(points[30]).astype(int)
    shot[y - 4 : y + 5, x - 4 : x + 5] = 255
    chip = portrait(shot, points)
    rows, columns = np.nonzero(chip.pixels[..., 0] > 127)
    expected = chip.turn @ np.array([x, y]) + chip.shift
    assert np.abs([columns.mean() - expected[0], rows.mean() - expected[1]]).max() < 0.5


def test_bald_keeps_brows_to_chin_and_nothing_else() -> None:
    points = landmarks()
    shot = picture(points)
    raw, bald = portrait(shot, points), portrait(shot, points, face="bald")
    mask = inner_face(raw.landmarks, CHIP_PX)
    assert 0.15 < mask.mean() < 0.85
    assert np.array_equal(bald.pixels[mask], raw.pixels[mask])
    outside = np.unique(bald.pixels[~mask])
    assert len(outside) == 1
    assert abs(int(outside[0]) - raw.pixels[mask].mean()) <= 1
    other = shot.copy()
    other[:50] = (0, 255, 0)  # hair of another colour above the brows
    assert np.array_equal(portrait(other, points, face="bald").pixels, bald.pixels)


def test_harmonised_is_grey_and_forgets_brightness_and_colour() -> None:
    points = landmarks()
    shot = picture(points)
    even = portrait(shot, points, harmonise=True).pixels
    assert (even == even[..., :1]).all()
    dim = np.rint(0.5 * shot.astype(float) + 10).astype(np.uint8)
    assert np.abs(portrait(dim, points, harmonise=True).pixels.astype(int) - even).mean() < 4
    assert np.abs(portrait(dim, points).pixels.astype(int) - portrait(shot, points).pixels).mean() > 20


def test_landmarks_that_fall_together_or_lie_outside_still_give_a_chip() -> None:
    shot = picture(landmarks())
    for points in (np.zeros((68, 2)), np.full((68, 2), 1e4), np.repeat(np.arange(68.0)[:, None], 2, 1)):
        for face in ("raw", "bald"):
            chip = portrait(shot, points, face=face, harmonise=True)
            assert chip.pixels.shape == (CHIP_PX, CHIP_PX, 3)
    assert portrait(np.zeros((1, 1, 3), np.uint8), landmarks()).pixels.max() == 0


def test_the_five_points_are_laid_onto_the_arcface_template() -> None:
    points = landmarks()
    five = five_points(points)
    assert np.allclose(five[0], points[36:42].mean(axis=0))
    assert np.allclose(five[2:], points[[30, 48, 54]])
    chip = aligned(picture(points), points, five, FIVE_112, 112)
    assert chip.pixels.shape == (112, 112, 3)
    assert np.abs(five_points(chip.landmarks) - FIVE_112).max() < 8
