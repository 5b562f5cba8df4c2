"""Settings as a release may tell them: a file by its content, never by its place on somebody's machine."""

from __future__ import annotations

from dataclasses import fields, is_dataclass, replace
from pathlib import Path
from typing import Any

from medveil.io.folder import sha256
from medveil.recipe import Recipe


def told(part: Any) -> Any:
    """A step or an attack with every file among its settings replaced by `sha256:<hash of its content>`.

    Of the settings that hold free text, those count that name a file. So a result that depends on a file is
    made again when the file changes, and a manifest names what was used and not where it lay.
    """
    if not is_dataclass(part) or isinstance(part, type):
        return part
    texts = {f.name: getattr(part, f.name) for f in fields(part) if f.type in (str, "str")}
    files = {name: Path(text) for name, text in texts.items() if text and Path(text).is_file()}
    return replace(part, **{name: f"sha256:{sha256(path)}" for name, path in files.items()})


def told_recipe(recipe: Recipe) -> Recipe:
    """The same of all parts of a recipe."""
    return replace(
        recipe,
        protect=tuple(told(step) for step in recipe.protect),
        attack=tuple(told(attack) for attack in recipe.attack),
    )
