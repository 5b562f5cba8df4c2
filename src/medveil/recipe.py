"""Recipe: which protections and attacks to run, with their settings, as a TOML file a person can read.

format = "medveil-recipe"
version = 1

[[protect]]
use = "deface.erase"
forehead = true

[[attack]]
use = "reidentify.embedding"
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

from medveil.attack.base import GuessAttack, PairAttack
from medveil.core import catalog
from medveil.core.errors import InputRefused, UsageError
from medveil.core.release import Step
from medveil.core.release import settings as settings_of

FORMAT, VERSION = "medveil-recipe", 1
ATTACKS = (
    "reidentify.embedding",
    "reidentify.geo",
    "link.brain",
    "link.head",
    "link.metadata",
    "link.table",
)
"""What is tried when nobody says otherwise; each needs photographs, other scans or a table, and is left out without."""


OF_FILES = ("header.dicom", "text.burned_in")
"""Protections of DICOM files as such; on DICOM they are never left out. The others work on the voxels of an image."""


@dataclass(frozen=True)
class Recipe:
    """The protections in their order, the attacks, and the seed of everything random in measuring."""

    protect: tuple[Any, ...]
    attack: tuple[Any, ...]
    seed: int = 0

    @property
    def steps(self) -> tuple[Step, ...]:
        """The protections that work on voxels."""
        return tuple(p for p in self.protect if isinstance(p, Step))

    def on(self, layout: str) -> Recipe:
        """What of it is done to a folder of this layout: DICOM gets its headers and text looked at in any case.

        Raises:
            UsageError: nothing of it works on such files.
        """
        if layout != "dicom":
            if not self.steps:
                raise UsageError(
                    f"recipe: {' and '.join(p.name for p in self.protect)} work on DICOM, and the input is none",
                    hint="add a step such as deface.erase",
                )
            return replace(self, protect=self.steps)
        there = {p.name for p in self.protect}
        return replace(
            self, protect=(*self.protect, *(part("protect", name) for name in OF_FILES if name not in there))
        )

    @property
    def pairs(self) -> tuple[PairAttack, ...]:
        """The attacks that compare probes with candidates."""
        return tuple(a for a in self.attack if hasattr(a, "needs"))

    @property
    def guesses(self) -> tuple[GuessAttack, ...]:
        """The attacks that guess a property.

        Raises:
            UsageError: an attack on codes is among the attacks.
        """
        for attack in self.attack:
            if attack.name.startswith("decode."):
                raise UsageError(
                    f"recipe: {attack.name} attacks codes, not a release", hint="medveil share audit tries it"
                )
        return tuple(a for a in self.attack if not hasattr(a, "needs"))


def default(seed: int = 0) -> Recipe:
    """What `medveil release` does when nobody says otherwise."""
    return Recipe(
        protect=(part("protect", "deface.erase"),),
        attack=tuple(part("attack", name) for name in ATTACKS),
        seed=seed,
    )


def part(stage: str, use: str, **settings: Any) -> Any:
    """The part `use` of a stage, its settings checked against their declared types.

    Raises:
        UsageError: unknown part, unknown setting, or a setting of the wrong type; never shows the value.
    """
    from pydantic import TypeAdapter, ValidationError

    cls = catalog.find(stage, use).load()
    known = [f.name for f in fields(cls)]
    for key in settings:
        if key not in known:
            raise UsageError(f"{use}: no setting {key}", hint="known are " + ", ".join(known))
    try:
        return TypeAdapter(cls).validate_python(settings)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        where = ".".join(str(p) for p in first["loc"])
        raise UsageError(f"{use}: setting {where}: {first['msg'].lower()}") from None


def read(path: Path) -> Recipe:
    """Read a recipe file.

    Raises:
        InputRefused: not TOML, not a recipe, or a version this medveil does not know.
        UsageError: a part or a setting that does not exist.
    """
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError):
        raise InputRefused(
            "recipe: cannot be read as TOML", hint="docs/reference/recipe.md shows one"
        ) from None
    if data.get("format") != FORMAT or data.get("version") != VERSION:
        raise InputRefused(
            f"recipe: expected format = {FORMAT!r} and version = {VERSION}",
            hint="docs/reference/recipe.md shows one",
        )
    unknown = set(data) - {"format", "version", "seed", "protect", "attack"}
    if unknown:
        raise InputRefused("recipe: unknown key " + ", ".join(sorted(unknown)))
    base = default()
    return Recipe(
        protect=_parts("protect", data["protect"]) if "protect" in data else base.protect,
        attack=_parts("attack", data["attack"]) if "attack" in data else base.attack,
        seed=_seed(data.get("seed", base.seed)),
    )


def write(recipe: Recipe) -> str:
    """The recipe as TOML: reading it back gives an equal recipe."""
    lines = [f'format = "{FORMAT}"', f"version = {VERSION}", f"seed = {recipe.seed}"]
    for stage, members in (("protect", recipe.protect), ("attack", recipe.attack)):
        for member in members:
            lines += ["", f"[[{stage}]]", f'use = "{member.name}"']
            lines += [
                f"{key} = {json.dumps(value)}"
                for key, value in settings_of(member).items()
                if value is not None
            ]
    return "\n".join(lines) + "\n"


def _parts(stage: str, rows: Any) -> tuple[Any, ...]:
    if not isinstance(rows, list) or not all(isinstance(r, dict) and "use" in r for r in rows):
        raise InputRefused(f"recipe: {stage} must be a list of tables, each with a key use")
    return tuple(part(stage, str(r["use"]), **{k: v for k, v in r.items() if k != "use"}) for r in rows)


def _seed(value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise InputRefused("recipe: seed must be a whole number, 0 or larger")
    return value


def with_attacks(recipe: Recipe, names: Sequence[str], columns: Sequence[str]) -> Recipe:
    """The recipe with more attacks: by name, and one that guesses each of these columns."""
    there = {a.name for a in recipe.attack}
    more = [part("attack", name) for name in dict.fromkeys(names) if name not in there]
    guesses = [part("attack", "infer.attributes", attribute=column) for column in dict.fromkeys(columns)]
    return Recipe(recipe.protect, (*recipe.attack, *more, *guesses), recipe.seed)


def with_settings(
    recipe: Recipe, steps: Sequence[str], settings: Sequence[str], *, seed: int | None = None
) -> Recipe:
    """The recipe with the steps named on a command line, and `part.setting=value` pairs applied.

    Values are read as TOML (`true`, `3.5`, `["eyes", "nose"]`); a bare word is taken as a string.
    """
    protect = tuple(part("protect", s) for s in steps) if steps else recipe.protect
    changed: dict[str, dict[str, Any]] = {}
    for item in settings:
        key, equals, text = item.partition("=")
        name, dot, field = key.rpartition(".")
        if not (equals and dot and name and field):
            raise UsageError("--set: expected part.setting=value", hint="--set deface.erase.forehead=true")
        changed.setdefault(name, {})[field] = _value(text)
    there = {p.name for p in protect}
    protect += tuple(part("protect", n) for n in OF_FILES if n in changed and n not in there)
    named = {m.name for m in (*protect, *recipe.attack)}
    for name in changed:
        if name not in named:
            raise UsageError(
                f"--set: {name} is not part of this run", hint="it runs " + ", ".join(sorted(named))
            )

    def apply(stage: str, member: Any) -> Any:
        new = changed.get(member.name)
        return part(stage, member.name, **{**settings_of(member), **new}) if new else member

    return Recipe(
        tuple(apply("protect", m) for m in protect),
        tuple(apply("attack", m) for m in recipe.attack),
        recipe.seed if seed is None else seed,
    )


def _value(text: str) -> Any:
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text
