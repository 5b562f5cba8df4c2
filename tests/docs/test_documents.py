"""Documents are kept true: links lead somewhere, commands exist, every part has its paragraph."""

from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path

import pytest
import typer.main

from medveil import recipe
from medveil.cli.main import app
from medveil.core import catalog, errors

ROOT = Path(__file__).parents[2]
PAGES = [
    ROOT / "README.md",
    ROOT / "CONTRIBUTING.md",
    ROOT / "SECURITY.md",
    *sorted((ROOT / "docs").rglob("*.md")),
]


@pytest.mark.parametrize("page", PAGES, ids=lambda p: str(p.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+)", page.read_text(encoding="utf-8")):
        if not target.startswith("http"):
            assert (page.parent / target).exists(), target


@pytest.mark.parametrize("page", PAGES, ids=lambda p: str(p.relative_to(ROOT)))
def test_every_command_on_a_page_exists_with_its_options(page: Path) -> None:
    group = typer.main.get_command(app)
    lines = re.findall(r"^    medveil ([\w-]+)(.*)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    assert len(lines) >= 4 or page.name != "README.md"
    for verb, rest in lines:
        command = group.commands[verb]
        words = rest.split()
        if hasattr(command, "commands") and words and words[0] in command.commands:
            command = command.commands[words[0]]
        options = {name for p in command.params for name in p.opts}
        assert set(re.findall(r"--\w[\w-]*", rest.partition("  ")[0])) <= options, verb


def test_readme_promises_the_two_commands_of_the_makefile() -> None:
    readme, makefile = (ROOT / "README.md").read_text(), (ROOT / "Makefile").read_text()
    for target in ("demo", "test"):
        assert f"make {target}" in readme
        assert re.search(rf"^{target}:", makefile, re.MULTILINE)


def test_every_part_and_setting_has_its_paragraph() -> None:
    page = (ROOT / "docs" / "reference" / "parts.md").read_text(encoding="utf-8")
    for part in catalog.parts():
        assert f"### {part.name}" in page
        section = page.split(f"### {part.name}")[1].split("\n### ")[0]
        for setting in (f.name for f in fields(part.load())):
            assert f"`{setting}`" in section, f"{part.name}.{setting}"


def test_every_exit_code_has_its_row() -> None:
    page = (ROOT / "docs" / "reference" / "exit-codes.md").read_text(encoding="utf-8")
    classes = [c for c in vars(errors).values() if isinstance(c, type) and issubclass(c, errors.MedveilError)]
    for code in {0, 1, 130, *(c.exit_code for c in classes)}:
        assert f"| {code} |" in page


def test_the_recipe_of_the_documents_is_read(tmp_path: Path) -> None:
    page = (ROOT / "docs" / "reference" / "recipe.md").read_text(encoding="utf-8")
    (tmp_path / "recipe.toml").write_text(page.split("```toml\n")[1].split("```")[0])
    read = recipe.read(tmp_path / "recipe.toml")
    assert read.protect[0].forehead is True
    assert len(read.attack) == 2


def test_no_page_promises_what_nobody_can() -> None:
    for page in [*PAGES, ROOT / "CHANGELOG.md"]:
        text = page.read_text(encoding="utf-8").lower()
        assert not re.search(
            r"\b(guarantees? anonymity|fully anonymous|gdpr[- ]compliant|hipaa[- ]compliant)\b", text
        ), page
