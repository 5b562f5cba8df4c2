"""Pictures of a ball: centred, lit from the named side, the same every time, and silent."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from medveil.core.errors import UsageError
from medveil.scene.camera import Camera, Light, Material, Mesh, render

FRONT = (Light(0, 0, 0.9),)


def ball(radius_mm: float = 60.0, centre: tuple[float, float, float] = (0, 0, 0), n: int = 60) -> Mesh:
    theta, phi = np.meshgrid(np.linspace(0, np.pi, n), np.linspace(0, 2 * np.pi, n), indexing="ij")
    unit = np.stack([np.sin(theta) * np.cos(phi), np.sin(theta) * np.sin(phi), np.cos(theta)], -1)
    i = np.arange(n * n).reshape(n, n)
    a, b, c, d = i[:-1, :-1], i[1:, :-1], i[1:, 1:], i[:-1, 1:]
    faces = np.concatenate([np.stack([a, b, c], -1).reshape(-1, 3), np.stack([a, c, d], -1).reshape(-1, 3)])
    unit = unit.reshape(-1, 3)
    return Mesh(unit * radius_mm + np.array(centre), faces, unit)


def brightness(picture: np.ndarray) -> np.ndarray:
    return picture.astype(float).sum(axis=2)


def test_a_ball_is_round_and_in_the_middle() -> None:
    seen = brightness(render(ball(), Camera((0, 0, 0)), FRONT)) > 0
    rows, columns = np.nonzero(seen)
    assert abs(rows.mean() - 199.5) < 0.6
    assert abs(columns.mean() - 199.5) < 0.6
    assert abs(np.ptp(rows) + 1 - 120 / 250 * 400) < 4  # perspective shows a little more than the diameter


@pytest.mark.parametrize(
    ("light", "brighter", "darker"),
    [
        # The person's right (+x, azimuth 90) is on the left of a picture taken from the front.
        (Light(60, 0, 0.9), np.s_[:, :200], np.s_[:, 200:]),
        (Light(-60, 0, 0.9), np.s_[:, 200:], np.s_[:, :200]),
        (Light(0, 60, 0.9), np.s_[:200], np.s_[200:]),
    ],
)
def test_light_comes_from_the_named_side(light: Light, brighter: slice, darker: slice) -> None:
    picture = brightness(render(ball(), Camera((0, 0, 0)), (light,)))
    assert picture[brighter].sum() > 1.5 * picture[darker].sum()


def test_same_input_same_bytes_whatever_was_drawn_before() -> None:
    mesh, camera = ball(), Camera((0, 0, 0), yaw_deg=10)
    first = render(mesh, camera, FRONT)
    render(ball(30.0), Camera((0, 0, 0), yaw_deg=-40), (Light(70, 10, 0.4),), background=(0, 0, 1))
    assert np.array_equal(render(mesh, camera, FRONT), first)
    assert np.array_equal(render(ball(), camera, FRONT), first)


def test_each_picture_is_drawn_anew() -> None:
    """Reading a window that was not rendered again returns the previous picture: a known trap."""
    mesh = ball()
    one = render(mesh, Camera((0, 0, 0)), (Light(50, 0, 0.9),))
    other_light = render(mesh, Camera((0, 0, 0)), (Light(-50, 0, 0.9),))
    other_place = render(mesh, Camera((20, 0, 0)), (Light(50, 0, 0.9),))
    assert not np.array_equal(one, other_light)
    assert not np.array_equal(one, other_place)


def test_the_winding_of_triangles_does_not_matter_with_normals() -> None:
    mesh = ball()
    inside_out = Mesh(mesh.vertices, mesh.faces[:, ::-1], mesh.normals)
    bare = Mesh(mesh.vertices, mesh.faces)
    picture = render(mesh, Camera((0, 0, 0)), FRONT)
    assert np.array_equal(render(inside_out, Camera((0, 0, 0)), FRONT), picture)
    assert np.abs(render(bare, Camera((0, 0, 0)), FRONT).astype(int) - picture).max() <= 3


def test_vertex_colours_are_shown() -> None:
    mesh = ball()
    red = np.broadcast_to(np.uint8([200, 30, 10]), mesh.vertices.shape)
    picture = render(
        Mesh(mesh.vertices, mesh.faces, mesh.normals, red),
        Camera((0, 0, 0)),
        (Light(0, 0, 1.0),),
        material=Material(ambient=0.0, diffuse=1.0),
    )
    assert np.abs(picture[200, 200].astype(int) - [200, 30, 10]).max() <= 2


def test_project_says_where_a_point_is_drawn() -> None:
    camera = Camera((5, -3, 10), yaw_deg=25, pitch_deg=-12, roll_deg=17, view_angle_deg=35, size_px=300)
    point = np.array([[40.0, 30.0, -20.0]])
    seen = brightness(render(ball(3.0, tuple(point[0])), camera, FRONT)) > 0
    rows, columns = np.nonzero(seen)
    assert np.allclose(camera.project(point)[0], [columns.mean() + 0.5, rows.mean() + 0.5], atol=0.7)
    assert np.allclose(camera.project(np.array([camera.focus_mm]))[0], 150)


def test_an_empty_mesh_gives_the_background() -> None:
    nothing = Mesh(np.zeros((0, 3)), np.zeros((0, 3), dtype=int))
    picture = render(nothing, Camera((0, 0, 0), size_px=64), FRONT, background=(0, 0, 1))
    assert picture.shape == (64, 64, 3)
    assert (picture == [0, 0, 255]).all()


def test_a_mesh_with_a_missing_vertex_is_refused() -> None:
    with pytest.raises(UsageError, match="does not exist"):
        Mesh(np.zeros((2, 3)), np.array([[0, 1, 2]]))
    with pytest.raises(UsageError, match="normals"):
        Mesh(np.zeros((3, 3)), np.array([[0, 1, 2]]), normals=np.zeros((2, 3)))


def test_rendering_without_a_screen_prints_nothing() -> None:
    """The library looks for an X server and complains on the file descriptor itself; the user must not see it."""
    code = (
        "import numpy as np\n"
        "from medveil.scene.camera import Camera, Light, Mesh, render\n"
        "mesh = Mesh(np.eye(3) * 50, np.array([[0, 1, 2]]))\n"
        "print(render(mesh, Camera((0, 0, 0), size_px=64), (Light(0, 0, 1.0),)).max() > 0)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env={"DISPLAY": ""})
    assert done.stdout.strip() == "True"
    assert done.stderr == ""


def test_a_camera_that_cannot_exist_is_refused() -> None:
    for wrong in ({"pitch_deg": 90.0}, {"view_angle_deg": 0.0}, {"width_mm": -1.0}, {"size_px": 0}):
        with pytest.raises(UsageError, match="camera"):
            Camera((0, 0, 0), **wrong)  # type: ignore[arg-type]
