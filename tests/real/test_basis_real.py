"""A real statistical head model: its people look like people, differ, and fit their brains."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
import pytest

from medveil.core.seeds import Seeds
from medveil.simulate.basis.model import FaceBasis, read_basis
from medveil.simulate.basis.person import BasisPerson, draw_basis_person
from medveil.simulate.brain import brain_affine
from medveil.simulate.face_parts import FacePart, face_parts
from medveil.simulate.head import BOXES, Expression, build_head
from medveil.simulate.photograph import sit
from medveil.simulate.scan import Scan, head_for, scan
from medveil.simulate.scanner import Scanner

pytestmark = pytest.mark.real

SEEDS, MANY, FEW = Seeds(41), 60, 3
SCANNER = Scanner()


@pytest.fixture(scope="module")
def basis(real_data: Path) -> FaceBasis:
    path = real_data / "faces" / "ict_facekit_60.npz"
    if not path.is_file():
        pytest.skip("the real head model is not here")
    return read_basis(path)


@pytest.fixture(scope="module")
def people(basis: FaceBasis) -> list[BasisPerson]:
    return [draw_basis_person(SEEDS, i, basis) for i in range(MANY)]


@cache
def seen(person: BasisPerson) -> Scan:
    return scan(person, SEEDS, scanner=SCANNER, head=head_for(person, SCANNER))


def test_the_model_has_the_openings_and_the_ears_it_is_known_for(basis: FaceBasis) -> None:
    surface, layout = basis.model.surface, basis.model.layout
    assert [len(rim) for rim in surface.eye_holes] == [42, 42]
    mean = basis.model.mean
    ears = mean[surface.ears]
    assert (ears[:, 0] > 0).sum() == (ears[:, 0] < 0).sum()  # the mean is symmetrical
    widest = int(np.argmax(np.where(mean[: layout.skin, 2] > 0, mean[: layout.skin, 0], 0)))
    assert widest in surface.ears
    assert not set(layout.landmarks) & set(surface.ears.tolist())


def test_measures_are_those_of_adults(people: list[BasisPerson]) -> None:
    """Means of mm that any anthropometry would give, within a few mm; none far off in anybody."""
    wanted = {"ipd": (62, 4), "mouth_w": (25.5, 2.5), "nose_l": (42, 5), "low_h": (46, 5), "fiss_w": (27, 3)}
    for name, (mean, off) in wanted.items():
        values = np.array([p.shape[name] for p in people])
        assert values.mean() == pytest.approx(mean, abs=off), name
        assert np.abs(values / mean - 1).max() < 0.45, name
    for p in people:
        at = p.levels_mm()
        assert at["tip_z"] > at["sub_z"] > at["sto_z"] > at["chin_z"] > at["ment_z"]
        assert p.box(*(np.array(c, float) for c in BOXES["scan"]))[0][2] == BOXES["scan"][0][2]


def test_brains_are_seldom_shrunk_to_fit(people: list[BasisPerson]) -> None:
    shrunk = np.array([np.diag(brain_affine(p))[:3] / p.brain_scale for p in people])
    assert (shrunk <= 1 + 1e-9).all()
    assert (shrunk.min(axis=1) < 0.97).mean() < 0.1
    assert shrunk.min() > 0.85


def test_lids_are_where_the_mesh_has_its_rims(people: list[BasisPerson]) -> None:
    for person in people[:10]:
        geometry = person.geometry(1.0, Expression())
        for index, rim in enumerate(person.anatomy.rims):
            over, under, q = geometry.lid_edges(rim, index)
            off = np.minimum(np.abs(over), np.abs(under))
            assert off[q > 0.3].max() < 0.5
            assert (
                person.anatomy.eye_radius_mm < np.linalg.norm(rim - person.eye_centres_mm()[index], axis=1)
            ).mean() > 0.75


def test_landmarks_lie_on_the_skin(people: list[BasisPerson]) -> None:
    for person in people[:FEW]:
        head = build_head(person, 2.0)
        for name in ("nasion", "nose_tip", "subnasale", "mouth_left", "mouth_right"):
            voxel = np.rint((person.landmarks_mm()[name] - head.origin_mm) / 2.0).astype(int)
            assert abs(head.phi[tuple(voxel)]) < 3.2, name
        lips = person.anatomy.landmarks[[62, 66]].mean(axis=0) - [0.0, 2.5, 0.0]
        voxel = np.rint((lips - head.origin_mm) / 2.0).astype(int)
        assert head.phi[tuple(voxel)] < 0, "the gap between the lips is shut"


def test_scans_hold_a_brain_in_its_skull_and_every_part_of_a_face(people: list[BasisPerson]) -> None:
    for person in people[:FEW]:
        one = seen(person)
        assert 0.85 < one.brain_mask.sum() * 8e-6 < 1.7
        parts = face_parts(head_for(person, SCANNER), one)
        area = np.bincount(parts.ravel(), minlength=7)[1:] * 4.0
        assert (area > 1000).all()
        assert not parts[one.brain_mask].any()
        assert set(np.unique(parts)) == {0, *FacePart}


@pytest.mark.slow
def test_a_detector_finds_a_face_in_renders_and_photographs_and_people_differ(
    people: list[BasisPerson],
) -> None:
    from medveil.attack.reidentify.observe import Photograph, Renders

    scans = [Renders(2)(seen(person).image) for person in people[:FEW]]
    photos = [Photograph()(sit(person, SEEDS).shot(0, size_px=(200, 300))) for person in people[:FEW]]
    assert np.mean([o.detected.mean() for o in scans]) >= 0.9
    assert np.mean([o.detected.mean() for o in photos]) >= 0.9
    render, photo = (np.array([o.embedding.mean(axis=0) for o in side]) for side in (scans, photos))
    apart = np.linalg.norm(render[:, None] - photo[None], axis=-1)
    mated = np.eye(FEW, dtype=bool)
    assert apart[mated].mean() + 0.05 < apart[~mated].mean()
