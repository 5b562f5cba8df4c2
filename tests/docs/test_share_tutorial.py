"""The tutorial of `medveil share` is run as it stands: every command, its exit code, and what it is said to print."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import typer.main

from medveil.cli.main import app

DOCS = Path(__file__).parents[2] / "docs"
TUTORIAL = DOCS / "tutorials" / "share.md"
HOW_TO = DOCS / "how-to" / "share-with-chosen-people.md"


@dataclass
class Step:
    """One command of a page."""

    words: list[str]
    code: int
    printed: list[str] = field(default_factory=list)


def steps(page: Path) -> Iterator[Step]:
    """The commands of a page, each with the lines that stand below it."""
    step: Step | None = None
    for line in page.read_text(encoding="utf-8").splitlines():
        if line.startswith(("    medveil ", "    rm ")):
            if step:
                yield step
            code = re.search(r"# exit code (\d+)$", line)
            step = Step(shlex.split(line, comments=True), int(code[1]) if code else 0)
        elif line.startswith("    ") and step:
            step.printed.append(line.strip())
    if step:
        yield step


def test_the_tutorial_runs_as_it_stands(
    medveil: Callable, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    found = list(steps(TUTORIAL))
    assert len(found) >= 12
    for step in found:
        if step.words[0] == "rm":
            Path(step.words[1]).unlink()
            continue
        ran = medveil(*step.words[1:])
        assert ran.code == step.code, (step.words, ran.err)
        for line in step.printed:
            assert line in ran.out + ran.err, step.words
    source = Path("hospital/dicom/visit-1/image-2.dcm").read_bytes()
    assert Path("again.dcm").read_bytes() == source
    assert Path("bob.png").read_bytes().startswith(b"\x89PNG")
    assert not [p for p in ("stolen.png", "more.png", "late.png") if Path(p).exists()]
    assert sorted(p.name for p in Path("server").iterdir()) == ["film.mvc", "film.mvc.keys"]


def test_from_keys_to_picture_takes_fewer_than_ten_commands() -> None:
    words = [step.words for step in steps(TUTORIAL)]
    first_picture = next(n for n, w in enumerate(words, start=1) if w[:3] == ["medveil", "share", "open"])
    assert first_picture < 10


@pytest.mark.parametrize("page", [TUTORIAL, HOW_TO], ids=lambda p: p.stem)
def test_every_command_and_option_of_the_pages_exists(page: Path) -> None:
    group = typer.main.get_command(app)
    found = [step.words for step in steps(page) if step.words[0] == "medveil"]
    assert len(found) >= 6
    for words in found:
        command = group
        for word in words[1:]:
            if not hasattr(command, "commands"):
                break
            command = command.commands[word]
        options = {name for p in command.params for name in p.opts}
        assert {word for word in words if word.startswith("--")} <= options, words
