"""Whatever is registered is judged here, with no line of its own: add a part and see."""

from __future__ import annotations

from dataclasses import fields, is_dataclass

import pytest

from medveil import recipe
from medveil.core import catalog
from medveil.core.errors import UsageError

ALL = [pytest.param(p, id=p.name) for p in catalog.parts()]


@pytest.mark.parametrize("part", ALL)
def test_public_name_is_the_path_of_the_file(part: catalog.Part) -> None:
    cls = part.load()
    assert cls.name == part.name
    module = cls.__module__
    assert module.split(f".{part.stage}.", 1)[1] == part.name


@pytest.mark.parametrize("part", ALL)
def test_part_is_a_frozen_dataclass_that_describes_itself(part: catalog.Part) -> None:
    cls = part.load()
    assert is_dataclass(cls)
    assert cls.__dataclass_params__.frozen
    member = cls()
    assert len(member.describe()) > 20
    assert len(cls.summary) > 20
    assert "\n" not in cls.summary


@pytest.mark.parametrize("part", ALL)
def test_settings_survive_a_recipe(part: catalog.Part, tmp_path) -> None:
    member = recipe.part(part.stage, part.name)
    steps = (member,) if part.stage == "protect" else ()
    attacks = (member,) if part.stage == "attack" else ()
    base = recipe.default()
    before = recipe.Recipe(steps or base.protect, attacks or base.attack, seed=3)
    (tmp_path / "recipe.toml").write_text(recipe.write(before), encoding="utf-8")
    assert recipe.read(tmp_path / "recipe.toml") == before


@pytest.mark.parametrize("part", ALL)
def test_unknown_and_wrong_settings_are_refused_without_the_value(part: catalog.Part) -> None:
    with pytest.raises(UsageError, match="no setting"):
        recipe.part(part.stage, part.name, no_such_setting=1)
    for field in fields(part.load()):
        with pytest.raises(UsageError) as caught:
            recipe.part(part.stage, part.name, **{field.name: {"Canary^Jane": ["x"]}})
        assert "Canary" not in str(caught.value)
        break


def test_unknown_part_names_the_known_ones() -> None:
    with pytest.raises(UsageError, match=r"deface\.erase"):
        recipe.part("protect", "deface.ersae")


def test_an_attack_on_codes_is_not_taken_for_one_on_a_release() -> None:
    with pytest.raises(UsageError, match="attacks codes"):
        _ = recipe.with_attacks(recipe.default(), ["decode.naive"], []).guesses
