"""Canary: plant made-up identifiers, let any de-identifier work on them, and look what comes out.

    make ──> DIR: files with markers            key file, outside DIR: what was planted where
                │                                  │
                └── any command {in} {out} ──> OUT ┴──> score: leak table, actions, exit code

A cleaner is believed for what its output proves. An output that is missing proves nothing, a date has to move
with its subject, a UID has to change everywhere alike: those count too.
"""

from __future__ import annotations

import json
import os
import secrets
import shutil
import subprocess
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from medveil.core.errors import InputRefused, OutputFailed, UsageError
from medveil.core.image import Image
from medveil.core.seeds import Seeds
from medveil.io.aside import PREFIX, failed, write_aside
from medveil.io.dicom_facts import Facts, facts_of
from medveil.io.nifti import looks_like_dicom, open_nifti
from medveil.io.residual import name_of, places, search_file
from medveil.io.search import Needle, Needles
from medveil.io.unpacking import Unpacker
from medveil.measure.leak.key import HINT, key_from_json, key_to_json
from medveil.measure.leak.marker import Marker
from medveil.measure.leak.matching import cases
from medveil.measure.leak.midi import Judged, judge
from medveil.measure.leak.planted import PlantedFile, plant
from medveil.measure.leak.table import LeakTable, leak_table


@dataclass(frozen=True)
class Scored:
    """What a score found.

    Args:
        table: markers by class.
        judged: the actions on the DICOM images, each with its verdict.
        not_searched: outputs that could not be searched to the end.
        printed: markers that the command wrote to its standard output or error; None where none was run.
        exit_code: of the command; None where none was run.
    """

    table: LeakTable
    judged: tuple[Judged, ...]
    not_searched: int
    printed: int | None = None
    exit_code: int | None = None

    @property
    def is_clean(self) -> bool:
        """No leak, nothing missing, everything searched, no action failed in a way that gives something away."""
        table = self.table
        return not (
            table.leaked or table.missing_files or self.not_searched or any(j.unsafe for j in self.judged)
        )

    def to_json(self) -> dict[str, Any]:
        kinds = Counter((j.action.kind, j.passed) for j in self.judged)
        reasons = Counter((j.action.kind, j.reason) for j in self.judged if not j.passed)
        return {
            **self.table.to_json(),
            "clean": self.is_clean,
            "actions": {k: {"passed": kinds[k, True], "asked": kinds[k, True] + kinds[k, False]}
                        for k in sorted({k for k, _ in kinds})},
            "failed_actions": [{"kind": k, "reason": r, "count": n} for (k, r), n in sorted(reasons.items())],
            "not_searched": self.not_searched, "printed": self.printed, "command_exit": self.exit_code,
        }  # fmt: skip

    def lines(self) -> list[str]:
        """What a person reads."""
        data = self.to_json()
        out = self.table.lines()
        out += [f"action {k}: {v['passed']} of {v['asked']}" for k, v in data["actions"].items()]
        out += [f"failed: {f['kind']}: {f['reason']} ({f['count']})" for f in data["failed_actions"]]
        if self.not_searched:
            out.append(f"{self.not_searched} outputs could not be searched to the end")
        if self.exit_code is not None:
            out.append(f"the command ended with {self.exit_code} and printed {self.printed} of the markers")
        out.append("nothing planted came out" if self.is_clean else "not clean: see above")
        return out


def make(to: Path, key: Path | None = None, *, formats: Collection[str], seed: int = 0) -> dict[str, int]:
    """Write the planted files to a new folder, and their key beside it.

    Args:
        to: a folder that is not there yet.
        key: the key file; by default `canaries.json` beside the folder. Never inside it.
        formats: some of dicom, nifti, bids.
        seed: of the values and the simulated head.

    Returns:
        How many files and markers there are.

    Raises:
        UsageError: a format that is not known, a key inside the folder.
        OutputFailed: the folder or the key is there already, or cannot be written.
    """
    key = to.parent / "canaries.json" if key is None else key
    if key.resolve().is_relative_to(to.resolve()):
        raise UsageError(
            "key: lies inside the planted folder", hint="a de-identifier would read it; put it elsewhere"
        )
    if to.exists() or to.is_symlink() or key.exists():
        raise OutputFailed(
            "output: the folder or its key is there already", hint="name another, or remove it"
        )
    seeds = Seeds(seed)
    planted = plant(formats, seeds, lambda: _head(seeds))
    aside = to.parent / f"{PREFIX}{secrets.token_hex(8)}"
    try:
        for file in planted.files:
            path = aside / file.place
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(file.content)
        with write_aside(key, "key") as out:
            out.write(json.dumps(key_to_json(planted), indent=1).encode())
        os.replace(aside, to)
    except OSError as error:
        raise failed("output", error) from None
    finally:
        shutil.rmtree(aside, ignore_errors=True)
    return {"files": len(planted.files), "markers": len(planted.markers)}


def score(
    out: Path,
    key: Path,
    *,
    allowed: Collection[str] = (),
    command: Sequence[str] = (),
    source: Path | None = None,
) -> Scored:
    """Look for every marker in every byte of an output, packed ones and file names too.

    Args:
        out: folder to look through; with a command, a folder that it makes.
        key: the key file of the planted set.
        allowed: places or classes that the de-identifier declares to keep.
        command: what to run first; {in} and {out} stand for the planted folder and `out`. No shell sees it.
        source: the planted folder, for the command.

    Raises:
        UsageError: a command without {in}, {out} or a planted folder; one that can't be started.
        InputRefused: no readable key, no output.
        OutputFailed: a command was given and the output is there already.
    """
    markers, files = read_key(key)
    needles = Needles(Needle(raw, n, exact) for n, m in enumerate(markers) for raw, exact in m.spellings())
    exit_code = printed = None
    if command:
        exit_code, said = _run(command, source, out)
        printed = len(_met(said, needles))
        if not out.exists():  # nothing came out: every file is missing, and that is the finding
            out.mkdir(parents=True)
    met, incomplete = _search(out, needles)
    images, shapes = _outputs(out)
    planted = [(f.place, f.facts) for f in files if f.facts is not None]
    asked = cases([facts for _, facts in planted], images)
    missing = [place for (place, _), case in zip(planted, asked, strict=True) if case.after is None]
    missing += [f.place for f in files if f.shape and f.shape not in shapes]
    table = leak_table(markers, met, missing, allowed)
    return Scored(table, tuple(judge(asked)), incomplete, printed, exit_code)


def read_key(path: Path) -> tuple[list[Marker], list[PlantedFile]]:
    """Markers and files of a key file.

    Raises:
        InputRefused: it is not there, or is no such key.
    """
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        raise InputRefused("key: is not there, or is no JSON", hint=HINT) from None
    return key_from_json(data)


def _head(seeds: Seeds) -> Image:
    """A simulated head of 4 mm voxels: nobody's, and one that a defacer finds."""
    from medveil.simulate.person import draw_person
    from medveil.simulate.scan import Scanner, scan

    return scan(draw_person(seeds, 0), seeds, scanner=Scanner(spacing_mm=4.0)).image


def _run(command: Sequence[str], source: Path | None, out: Path) -> tuple[int, bytes]:
    text = " ".join(command)
    if source is None or "{in}" not in text or "{out}" not in text:
        raise UsageError(
            "command: needs {in} and {out}, and --from with the planted folder",
            hint="medveil canary score OUT --key KEY --from DIR -- tool {in} {out}",
        )
    if not source.is_dir():
        raise InputRefused("source: the planted folder is not there")
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise OutputFailed(
            "output: is there already", hint="name a new folder, or score it without a command"
        )
    words = [w.replace("{in}", str(source.resolve())).replace("{out}", str(out.resolve())) for w in command]
    try:
        ran = subprocess.run(words, capture_output=True, check=False, stdin=subprocess.DEVNULL)  # noqa: S603 - the user's own command, no shell
    except OSError:
        raise UsageError(
            "command: could not be started", hint="is the program installed and on PATH?"
        ) from None
    return ran.returncode, ran.stdout + b"\n" + ran.stderr


def _met(content: bytes, needles: Needles) -> set[int]:
    search = Unpacker(needles)
    search.feed(content)
    search.close()
    return search.found.plain | search.found.packed


def _search(out: Path, needles: Needles) -> tuple[set[int], int]:
    """Numbers of the markers in an output, and how many files could not be searched to the end."""
    met: set[int] = set()
    incomplete = 0
    for path in places(out):
        found = search_file(path, needles)
        met |= found.plain | found.packed | _met(name_of(path, out), needles)
        incomplete += found.incomplete
    return met, incomplete


def _outputs(out: Path) -> tuple[list[Facts], set[tuple[int, ...]]]:
    """Facts of every DICOM image, and shapes of all NIfTI volumes, in an output."""
    images: list[Facts] = []
    shapes: set[tuple[int, ...]] = set()
    for path in places(out):
        if not path.is_file() or path.is_symlink():
            continue
        if path.name.lower().endswith((".nii", ".nii.gz")):
            try:
                with open_nifti(path) as stream:
                    shapes.add(tuple(stream.facts.shape))
            except InputRefused:  # an output nobody can read is none
                continue
        with open(path, "rb") as file:
            if looks_like_dicom(file.read(140)):
                file.seek(0)
                if facts := facts_of(file):
                    images.append(facts)
    return images, shapes
