"""Keeping keys: making one, asking whether it is a release's, destroying it; and what a report says of that."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from medveil.carry.manifest import FORMAT, NAME
from medveil.carry.naming import Naming
from medveil.core.errors import InputRefused
from medveil.io.folder import MARKER
from medveil.io.keys import BEYOND_REACH, destroy_key, key_state, read_key, write_new_key

Found = Literal["kept", "another key", "not found"]
ELSEWHERE = (
    "crosswalk.tsv in the internal folder of each release (TO-internal): it says who became whom without any key",
    *BEYOND_REACH,
)
SAID: dict[str, str] = {
    "kept": "kept: the release was made with this key; while it is kept, there is a way back to its people",
    "another key": "another key: the release was made with a different one",
    "not found": "not found: no key file is here; that does not prove that there is no copy",
    "no key": "no key: the release was made without one, so there is nothing to link with or to destroy",
}


@dataclass(frozen=True)
class Kept:
    """A key file, and what it is to a release.

    Args:
        label: of the key in the file; empty if there is no file.
        release: label of the key that the release was made with; empty if without one, None if none was asked about.
        state: what the file is to the release; `no key` if that has none.
    """

    label: str
    release: str | None = None
    state: Found | Literal["no key"] | None = None

    def to_json(self) -> dict[str, Any]:
        return {k: v for k, v in asdict(self).items() if v is not None}

    def lines(self) -> list[str]:
        """What a person reads."""
        out = [f"key {self.label}"] if self.label else []
        out += [f"release made with key {self.release}"] if self.release else []
        return out + ([SAID[self.state]] if self.state else [])


@dataclass(frozen=True)
class Gone:
    """A key file that was destroyed.

    Args:
        label: of the key, or empty if the file was damaged.
        other_names: hard links to the same bytes, which are overwritten too; their names remain.
        beyond_reach: where the key, or what it tells, may still be.
    """

    label: str
    other_names: int
    beyond_reach: tuple[str, ...] = ELSEWHERE

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    def lines(self) -> list[str]:
        """What a person reads."""
        out = [f"key {self.label or '(damaged file)'}: overwritten and removed"]
        if self.other_names:
            out.append(f"{self.other_names} other names of the same file remain; they hold zeros now")
        return [*out, "beyond reach:", *(f"  - {place}" for place in self.beyond_reach)]


def new(path: Path) -> Kept:
    """A fresh key in a new file.

    Raises:
        UsageError: the path lies inside a release.
        OutputFailed: something is there already, or it cannot be written, or not be kept from others.
    """
    above = path.absolute().resolve().parents
    release = next((folder for folder in above if (folder / MARKER).is_file()), path)
    return Kept(write_new_key(path, outside=release).label)


def state(path: Path, release: Path | None = None) -> Kept:
    """What is in a key file, and whether it is the key of a release.

    Raises:
        InputRefused: not there (unless a release is given), or no readable key file; no manifest.
    """
    if release is None:
        return Kept(read_key(path).label)
    wanted = _label_of(release)
    found = key_state(path, wanted)
    label = "" if found == "not found" else read_key(path).label
    return Kept(label, wanted, found if wanted else "no key")


def destroy(path: Path) -> Gone:
    """Overwrite and remove a key file, whole or damaged.

    Raises:
        InputRefused: not there, or no key file.
        OutputFailed: it could not be overwritten or removed.
    """
    try:
        label = read_key(path).label
    except InputRefused:
        label = ""  # damaged, or open to others: it goes all the same
    return Gone(label, destroy_key(path).other_names)


def told(naming: Naming, layout: str) -> str:
    """What a report says of the way from a release back to its people.

    Args:
        layout: `Inventory.layout`.
    """
    if naming.key is None:
        stayed = "Labels of people stayed as they were" if layout == "bids" else "People were numbered"
        return f"{stayed}, and no date left: whoever has a list of the labels can link the release to its people."
    what = f"a key (label {naming.key.label})"
    who = "whoever has it and the original identifiers"
    if naming.stage == 2:
        what = f"a second key (label {naming.key.label}), on names that a first one had given"
        who = "whoever has both keys and the original identifiers"
    return (
        f"Names, UIDs and dates were changed by {what}. While anybody has it, the release is pseudonymous: {who} can "
        "link it to its people. Destroy the key and the internal crosswalk when nobody needs the way back."
    )


def _label_of(release: Path) -> str:
    hint = "a folder that `medveil release` wrote has one"
    try:
        data = json.loads((release / NAME).read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        raise InputRefused(f"release: holds no readable {NAME}", hint=hint) from None
    label = data.get("key", "") if isinstance(data, dict) and data.get("format") == FORMAT else None
    if not isinstance(label, str):
        raise InputRefused(f"{NAME}: is no {FORMAT} document", hint=hint)
    return label
