"""A made-up face basis for tests: an egg on a neck with eyes, nose, mouth and ears, and smooth random modes."""

from __future__ import annotations

from pathlib import Path

import numpy as np

ROWS, COLUMNS = 72, 96
EYE_CM, BALL_CM = np.array([3.1, 0.0, 8.2]), 1.4
EAR_CM = np.array([7.3, -2.5, 0.0])

# The 68 landmarks, (left, up) in cm over the middle of the eyes; the right half, then the middle line.
_JAW = [(-7.3, 0), (-7.2, -2), (-7, -4), (-6.5, -6), (-5.6, -8), (-4.4, -9.5), (-3, -10.5), (-1.5, -11)]
_BROW = [(-5.5, 1.6), (-4.6, 2.2), (-3.6, 2.4), (-2.4, 2.3), (-1.2, 2.0)]
_EYE = [(-4.5, 0), (-3.7, 0.5), (-2.6, 0.5), (-1.8, 0), (-2.6, -0.5), (-3.7, -0.5)]


def _mirrored(points: list[tuple[float, float]]) -> list[tuple[float, float]]:
    return [(-x, y) for x, y in reversed(points)]


def landmarks_cm() -> np.ndarray:
    """(68, 2) left and up."""
    eye = _EYE
    other = [(-x, y) for x, y in (eye[3], eye[2], eye[1], eye[0], eye[5], eye[4])]
    nose = [(0, 0.1), (0, -1), (0, -2), (0, -3.2)]
    nose += [(-1.2, -4.4), (-0.6, -4.5), (0, -4.6), (0.6, -4.5), (1.2, -4.4)]
    outer = [(-2.5, -7), (-1.7, -6.4), (-0.7, -6.2), (0, -6.3), (0.7, -6.2), (1.7, -6.4), (2.5, -7)]
    lower = [(1.7, -7.6), (0.8, -7.9), (0, -8), (-0.8, -7.9), (-1.7, -7.6)]
    inner = [(-2.2, -7), (-1, -6.9), (0, -6.9), (1, -6.9), (2.2, -7), (1, -7.1), (0, -7.1), (-1, -7.1)]
    jaw = [*_JAW, (0, -11.2), *_mirrored(_JAW)]
    return np.array([*jaw, *_BROW, *_mirrored(_BROW), *nose, *eye, *other, *outer, *lower, *inner])


def skin_cm() -> tuple[np.ndarray, np.ndarray]:
    """Vertices (S, 3) and triangles of the skin: no triangles over the eyes, none under the neck."""
    down = np.linspace(0.02, 1, ROWS)[:, None]
    turn = np.linspace(0, 2 * np.pi, COLUMNS, endpoint=False)[None]
    angle = np.minimum(down * 1.25, 1) * 0.82 * np.pi
    height = np.where(down < 0.8, 11 * np.cos(angle), 11 * np.cos(0.82 * np.pi) - 40 * (down - 0.8))
    ring = np.where(down < 0.8, np.sin(angle), np.sin(0.82 * np.pi))
    ring = np.where(down < 0.8, ring, np.maximum(ring, 0.5))
    x = 7.4 * ring * np.sin(turn)
    z = 9.6 * ring * np.cos(turn)
    y = np.broadcast_to(height, x.shape)
    front = np.cos(turn) > 0
    z = z + front * 2.4 * np.exp(-((x / 0.9) ** 2) - ((y + 3.2) / 1.3) ** 2)  # a nose
    z = z + front * 0.8 * np.exp(-((x / 2.4) ** 2) - ((y + 7.0) / 0.7) ** 2)  # lips
    z = z + front * 3.0 * np.exp(-((x / 4.0) ** 2) - ((y + 9.0) / 2.4) ** 2)  # a chin
    for side in (1, -1):
        bump = np.exp(-(((y - EAR_CM[1] - 0.1) / 2.2) ** 2) - ((z + 1.0) / 1.3) ** 2)
        x = x + side * 1.6 * bump * (side * np.sin(turn) > 0.5)
    vertices = np.concatenate([np.stack([x, y, z], -1).reshape(-1, 3), [[0.0, 11.05, 0.0]]])
    i, j = np.meshgrid(np.arange(ROWS - 1), np.arange(COLUMNS), indexing="ij")
    a, b = i * COLUMNS + j, i * COLUMNS + (j + 1) % COLUMNS
    faces = np.concatenate([np.stack([a, a + COLUMNS, b], -1), np.stack([b, a + COLUMNS, b + COLUMNS], -1)])
    faces = faces.reshape(-1, 3)
    top = len(vertices) - 1
    faces = np.concatenate([faces, [[top, k, (k + 1) % COLUMNS] for k in range(COLUMNS)]])
    middle = vertices[faces].mean(axis=1)
    open_ = np.zeros(len(faces), bool)
    for side in (1, -1):
        off = (middle - EYE_CM * [side, 1, 1]) / [1.5, 0.55, 1]
        open_ |= (off[:, 0] ** 2 + off[:, 1] ** 2 < 1) & (middle[:, 2] > 3)
    faces = faces[~open_]
    used, faces = np.unique(faces, return_inverse=True)
    return vertices[used], faces.reshape(-1, 3)


def arrays(modes: int = 16, seed: int = 1) -> dict[str, np.ndarray]:
    """The arrays of a file, with the layout that it needs to bring along."""
    skin, faces = skin_cm()
    rng = np.random.default_rng(seed)
    ball = rng.normal(size=(60, 3))
    ball *= BALL_CM / np.linalg.norm(ball, axis=1, keepdims=True)
    front = skin[:, 2] > 0
    depth = [
        float(skin[front & (np.hypot(skin[:, 0] - s * 3.1, skin[:, 1]) < 1.9), 2].max()) for s in (1, -1)
    ]
    balls = [
        ball + np.array([s * EYE_CM[0], 0, d - 0.35 - BALL_CM]) for s, d in zip((1, -1), depth, strict=True)
    ]
    vertices = np.concatenate([skin, *balls])
    marks = []
    for left, up in landmarks_cm():
        far = np.hypot(skin[:, 0] - left, skin[:, 1] - up) + 100 * ~front
        marks.append(int(np.argmin(far)))
    canals = [int(np.argmin(np.linalg.norm(skin - EAR_CM * [s, 1, 1], axis=1))) for s in (1, -1)]
    shapes = np.zeros((modes, len(vertices), 3))
    for k in range(modes):
        for _ in range(4):
            centre, wide = rng.uniform(-1, 1, 3) * [6, 10, 8], rng.uniform(4, 8)
            near = np.exp(-((vertices - centre) ** 2).sum(axis=1) / (2 * wide**2))
            shapes[k] += near[:, None] * rng.normal(0, 0.12, 3)
    n = len(skin)
    return {
        "vertices": vertices.astype(np.float32),
        "triangles": faces.astype(np.int32),
        "identity_modes": shapes.astype(np.float16),
        "skin_vertices": np.array(n),
        "landmarks": np.array(marks),
        "ear_canals": np.array(canals),
        "eyeballs": np.array([[n, n + 60], [n + 60, n + 120]]),
    }


def write(path: Path, **changes: np.ndarray | None) -> Path:
    """Write a basis with some arrays replaced, or left out where None."""
    content = {**arrays(), **changes}
    np.savez(path, **{k: v for k, v in content.items() if v is not None})
    return path
