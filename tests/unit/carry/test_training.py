"""Training: a folder of films in, a model with its card out."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Picture

from medveil.core.errors import InputRefused, UsageError
from medveil.io.film_folder import find_films

pytest.importorskip("torch", reason="networks need the extra `learn`")

from medveil.carry.training import TrainingPlan, part_of, train
from medveil.share.codec.primis import Primis

PEOPLE = 24


@pytest.fixture(scope="module")
def films(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two films each of people who don't exist, a folder a person; their names are made up."""
    folder = tmp_path_factory.mktemp("films")
    y, x = np.mgrid[:72, :80] / 24
    for person in range(PEOPLE):
        draw = np.random.default_rng(person)
        (folder / f"Quillfeather{person}").mkdir()
        for shot in range(2):
            waves = sum(np.sin(draw.normal() * x + draw.normal() * y + draw.normal()) for _ in range(4))
            grey = 128 + 25 * np.asarray(waves) + draw.normal(0, 2, x.shape)
            picture = Picture.fromarray(grey.clip(0, 255).astype(np.uint8))
            picture.save(folder / f"Quillfeather{person}" / f"{shot}.png")
    return folder


def plan(films: Path, target: Path, **changes: object) -> TrainingPlan:
    return replace(
        TrainingPlan(films, target, steps=4, every=2, batch=2, side=64, nonzeros=4, accelerator="cpu"),
        **changes,  # type: ignore[arg-type]
    )


def test_a_model_comes_out_that_opens_what_it_codes(films: Path, tmp_path: Path) -> None:
    target = tmp_path / "small.safetensors"
    trained = train(plan(films, target))
    assert sorted(p.name for p in tmp_path.iterdir()) == ["small.png", "small.safetensors"]
    assert trained.history.steps == [2, 4]
    card = trained.card
    assert sum(card["people"].values()) == PEOPLE
    assert sum(card["films"].values()) == 2 * PEOPLE
    assert card["held_out"]["psnr"]["n"] == card["people"]["test"]
    assert 15 < card["held_out"]["psnr"]["value"] < 60
    codec = Primis(str(target))
    assert codec.card == card
    from medveil.io.films import read_shared

    image = read_shared(next(films.glob("*/0.png"))).image
    back = codec.decode(codec.encode(image))
    assert np.abs(back.data.astype(float) - image.data).mean() < 20
    for file in tmp_path.iterdir():
        assert b"Quillfeather" not in file.read_bytes()


def test_nobody_is_on_two_sides(films: Path) -> None:
    sides = {}
    for film in find_films(films):
        assert sides.setdefault(film.group, part_of(film.group)) == part_of(film.group)
    assert set(sides.values()) == {"train", "validate", "test"}


def test_the_same_training_gives_the_same_model_and_a_stopped_one_goes_on(
    films: Path, tmp_path: Path
) -> None:
    from medveil.carry import training

    whole, again = tmp_path / "a" / "net.safetensors", tmp_path / "b" / "net.safetensors"
    train(plan(films, whole))

    def stop(*_: object) -> dict[str, object]:
        raise KeyboardInterrupt

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(training, "figures", stop)
        with pytest.raises(KeyboardInterrupt):
            train(plan(films, again))
    assert [p.name for p in again.parent.iterdir()] == ["net.safetensors.state"]
    train(plan(films, again))
    assert whole.read_bytes() == again.read_bytes()


def test_a_table_says_whose_films_they_are(films: Path, tmp_path: Path) -> None:
    table = films / "films.csv"
    files = sorted(films.glob("*/*.png"))
    rows = [
        f"{f.relative_to(films).as_posix()},person-{n // 4},CC BY 4.0,Somebody 2020"
        for n, f in enumerate(files)
    ]
    table.write_text("file,group,licence,attribution\n" + "\n".join(rows) + "\n")
    try:
        found = find_films(films, table)
    finally:
        table.unlink()
    assert len({f.group for f in found}) == PEOPLE // 2
    assert {(f.licence, f.attribution) for f in found} == {("CC BY 4.0", "Somebody 2020")}


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("name,group\na.png,1\n", "lacks a column"),
        ("file,group\n../a.png,1\n", "row 2 of the table"),
        ("file,group\n/etc/a.png,1\n", "row 2 of the table"),
        ("file,group\na.png,\n", "row 2 of the table"),
        ("file,group\n", "none found"),
        ("", "none found"),
        ("file,group\nmissing.png,1\n" + "\n".join(f"missing{n}.png,{n}" for n in range(60)), "film 1:"),
    ],
)
def test_tables_that_cannot_be_used(tmp_path: Path, content: str, said: str) -> None:
    table = tmp_path / "films.csv"
    table.write_text(content)
    with pytest.raises(InputRefused, match=said):
        train(plan(tmp_path, tmp_path / "net.safetensors", table=table))
    assert [p.name for p in tmp_path.iterdir()] == ["films.csv"]


def test_folders_that_cannot_be_used(films: Path, tmp_path: Path) -> None:
    with pytest.raises(InputRefused, match="not there"):
        train(plan(tmp_path / "missing", tmp_path / "net.safetensors"))
    with pytest.raises(InputRefused, match="none found"):
        train(plan(tmp_path, tmp_path / "net.safetensors"))
    with pytest.raises(InputRefused, match="too few people"):
        train(plan(films / "Quillfeather1", tmp_path / "net.safetensors"))
    with pytest.raises(UsageError, match="at least 128 x 128"):
        train(plan(films, tmp_path / "net.safetensors", side=128))
    (tmp_path / "net.safetensors").write_text("here already")
    with pytest.raises(UsageError, match="exists already"):
        train(plan(films, tmp_path / "net.safetensors"))
    assert [p.name for p in tmp_path.iterdir()] == ["net.safetensors"]
