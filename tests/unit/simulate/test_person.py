"""People are drawn the same every time, and the ties between face and brain are the ones asked for."""

from __future__ import annotations

import numpy as np
import pytest

from medveil.core.seeds import Seeds
from medveil.simulate.person import NAMES, PARAMETERS, Person, draw_person, face_to_brain

SEEDS = Seeds(11)


def everybody(count: int = 150, **settings: float) -> list[Person]:
    return [draw_person(SEEDS, i, **settings) for i in range(count)]


def correlation(a: list[float], b: list[float]) -> float:
    return float(np.corrcoef(a, b)[0, 1])


def test_the_same_seed_draws_the_same_person_to_the_last_bit() -> None:
    a, b = draw_person(SEEDS, 5), draw_person(SEEDS, 5)
    assert a.z.tobytes() == b.z.tobytes()
    assert a.brain.tobytes() == b.brain.tobytes()
    assert dict(a.shape) == dict(b.shape)


def test_another_index_or_another_seed_is_somebody_else() -> None:
    a = draw_person(SEEDS, 5)
    assert np.abs(a.z - draw_person(SEEDS, 6).z).max() > 0.5
    assert np.abs(a.z - draw_person(Seeds(12), 5).z).max() > 0.5


def test_settings_change_the_person_and_not_the_draws() -> None:
    a = draw_person(SEEDS, 5)
    b = draw_person(SEEDS, 5, spread=1.0, rho=0.0, confounder=0.0)
    assert a.z.tobytes() == b.z.tobytes()
    assert (a.sex, a.age_years) == (b.sex, b.age_years)
    assert np.allclose(a.asymmetry, 1.3 * b.asymmetry)


def test_a_person_has_the_promised_numbers() -> None:
    a = draw_person(SEEDS, 0)
    assert a.z.shape == (73,)
    assert a.asymmetry.shape == (12,)
    assert a.brain.shape == (14,)
    assert set(a.shape) == set(NAMES)
    assert a.sex in (-1.0, 1.0)
    assert 20 <= a.age_years <= 85


def test_the_average_of_many_is_the_average_of_the_table() -> None:
    people = everybody(300, spread=1.0, confounder=0.0)
    for name in ("ipd", "nose_l", "cr_w", "ear_z"):
        values = np.array([p.shape[name] for p in people])
        mean, sd = PARAMETERS[name].mean, PARAMETERS[name].sd
        assert abs(values.mean() - mean) < 0.25 * sd
        assert 0.7 * sd < values.std() < 1.2 * sd


def test_no_measure_falls_below_its_floor() -> None:
    for person in everybody(spread=1.6):
        assert all(person.shape[n] >= PARAMETERS[n].floor for n in NAMES)


def test_the_rows_that_tie_face_to_brain_are_orthonormal() -> None:
    a = face_to_brain()
    assert a.shape == (14, 73)
    assert np.allclose(a @ a.T, np.eye(14))


@pytest.mark.parametrize(("rho", "low", "high"), [(0.0, -0.1, 0.1), (0.5, 0.4, 0.6), (0.9, 0.85, 0.95)])
def test_rho_is_the_correlation_of_brain_and_face(rho: float, low: float, high: float) -> None:
    people = everybody(rho=rho)
    face = np.concatenate([face_to_brain() @ p.z for p in people])
    brain = np.concatenate([p.brain for p in people])
    assert low < np.corrcoef(face, brain)[0, 1] < high


def test_the_size_of_the_brain_follows_the_head_only_as_far_as_rho_says() -> None:
    def tie(rho: float) -> float:
        people = everybody(rho=rho, confounder=0.0)
        return correlation([p.shape["cr_w"] for p in people], [p.brain_scale[0] for p in people])

    assert abs(tie(0.0)) < 0.17  # two standard errors of 150 people
    assert tie(0.9) > 0.8


def test_age_and_sex_move_face_and_brain_together_only_with_the_confounder() -> None:
    for confounder, expected in ((1.0, True), (0.0, False)):
        people = everybody(confounder=confounder)
        age, sex = [p.age_years for p in people], [p.sex for p in people]
        ears = [p.shape["ear_l"] for p in people]
        brain = [float(p.brain_scale.mean()) for p in people]
        found = (
            correlation(age, ears) > 0.3,
            correlation(age, brain) < -0.3,
            correlation(sex, [p.shape["jaw_w"] for p in people]) > 0.25,
            correlation(sex, brain) > 0.25,
            max(p.ventricles_mm for p in people) > 1,
        )
        assert found == (expected,) * 5


def test_a_mirrored_person_has_swapped_sides_and_mirrors_back() -> None:
    a = draw_person(SEEDS, 3)
    m = a.mirrored()
    left, right = a.eye_centres_mm()
    mirrored_left, mirrored_right = m.eye_centres_mm()
    assert np.allclose(mirrored_left, right * [-1, 1, 1])
    assert np.allclose(mirrored_right, left * [-1, 1, 1])
    assert m.sides.nose_x == -a.sides.nose_x
    assert np.array_equal(m.mirrored().asymmetry, a.asymmetry)


def test_the_levels_of_the_face_are_in_order() -> None:
    for person in everybody():
        at = person.levels_mm()
        assert at["tip_z"] > at["sub_z"] > at["sto_z"] > at["chin_z"] > at["ment_z"]


def test_a_person_does_not_print_their_measures() -> None:
    assert repr(draw_person(SEEDS, 3)) == "Person(index=3, 73 shape scores)"


def test_rho_outside_its_range_is_refused() -> None:
    with pytest.raises(ValueError, match="rho"):
        draw_person(SEEDS, 0, rho=1.5)
