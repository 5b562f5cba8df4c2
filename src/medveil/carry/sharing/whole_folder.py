"""A whole folder: every image becomes a code, in a new folder; what is refused is listed, and the run goes on.

    IN/**                 images, of any name
    OUT/<code id>.mvc     named by 16 signs of its id, which say nothing; with --keep-names after its file
    OUT/<code id>.mvc.keys/
    OUT-internal/which.tsv    which code is of which file, and what was refused why: stays in the house

Names of files are often names of people, and their order is that of a list that others have, so codes are not
numbered either, and are made in random order: times of files tell nothing.
"""

from __future__ import annotations

import hashlib
import json
import os
import secrets
import shutil
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from medveil import __version__
from medveil.carry.sharing.leaking import PLAIN, MeasuredLeak
from medveil.carry.sharing.scheme import Plan, Scheme
from medveil.carry.sharing.stored import SUFFIX, keys_of, lay
from medveil.carry.talk import Talk
from medveil.core.errors import InputRefused, MedveilError, OutputFailed, UsageError
from medveil.io.aside import failed
from medveil.io.films import read_shared
from medveil.io.folder import Staging, sha256
from medveil.io.names import stem
from medveil.io.tables import write_tsv
from medveil.io.walk import Skipped, walk

WHICH = "which.tsv"
NO_IMAGES = (
    ".csv", ".tsv", ".txt", ".json", ".xml", ".html", ".md", ".pdf", ".doc", ".docx", ".xls", ".xlsx", ".log",
    ".bval", ".bvec",
)  # fmt: skip


@dataclass(frozen=True)
class EncodedFolder:
    """What encoding a folder came to, in counts.

    Args:
        images: codes that were written.
        bytes: of all codes.
        refused: why images were not encoded, to how many.
        left_out: why files were not looked at, to how many.
        grants: who got what, in words.
        naive_db: of obfuscated codes the range of PSNR that anybody gets without a key.
    """

    images: int
    bytes: int
    refused: dict[str, int]
    left_out: dict[str, int]
    grants: tuple[str, ...]
    naive_db: tuple[float, float] | None = None

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    def lines(self) -> list[str]:
        """What a person reads."""
        out = [f"{self.images} codes, {self.bytes / 1e6:.1f} MB", *self.grants]
        if self.naive_db is not None:
            low, high = self.naive_db
            out += [
                PLAIN,
                f"decoding all that is published, without any key, gives {low:.1f} to {high:.1f} dB",
            ]
        for what, counts in (
            ("images that were refused", self.refused),
            ("files that were left out", self.left_out),
        ):
            if counts:
                out += [f"{what}:", *(f"  {n:5} x {reason}" for reason, n in counts.items())]
        return [
            *out,
            f"which code is of which file: {WHICH} in the folder TO-internal, which stays in the house",
        ]


@dataclass(frozen=True, repr=False)
class Done:
    """What became of one image.

    Args:
        place: of the image below the input.
        files: that were written below the output; none where it was refused.
        reason: why it was refused.
    """

    place: PurePosixPath
    files: tuple[PurePosixPath, ...] = ()
    reason: str = ""
    leak: MeasuredLeak | None = None


def encode_folder(plan: Plan, talk: Talk) -> EncodedFolder:
    """Encode every image in a folder. A run that was killed goes on where it was.

    Raises:
        UsageError: the output, or its list, exists, or overlaps the input.
        InputRefused: no image, or not one of them could be encoded.
        OutputFailed: permissions, disk full.
    """
    scheme = Scheme.of(plan)
    skipped: list[Skipped] = []
    places = list(walk(plan.source, skipped))
    skipped += [Skipped(p, "not an image, by its name") for p in places if p.suffix.lower() in NO_IMAGES]
    places = [p for p in places if p.suffix.lower() not in NO_IMAGES]
    if not places:
        raise InputRefused("folder: holds no image")
    internal = plan.target.with_name(f"{plan.target.name}-internal")
    if (internal / WHICH).exists() and not plan.force:
        raise UsageError(
            f"output: {WHICH} of an earlier run exists in TO-internal, and says which code is whose",
            hint="name a new output folder, or replace both with --force",
        )
    with Staging(plan.target, inputs=[plan.source], force=plan.force) as staging:
        done = _all(plan, scheme, places, staging, talk)
        written = [one for one in done if one.files]
        reasons = Counter(one.reason for one in done if one.reason)
        if not written:
            why = "; ".join(f"{n} x {reason}" for reason, n in reasons.most_common())
            raise InputRefused(f"folder: no image could be encoded: {why}")
        staging.prune({file for one in written for file in one.files})
        size = sum((staging.folder / file).stat().st_size for file in {one.files[0] for one in written})
        _write_list(internal, done)
        try:
            staging.finish()
        except BaseException:
            (internal / WHICH).unlink(missing_ok=True)
            raise
    seen = [one.leak.naive_db for one in written if one.leak and one.leak.naive_db is not None]
    return EncodedFolder(
        len({one.files[0] for one in written}),
        size,
        dict(reasons.most_common()),
        dict(Counter(s.reason for s in skipped).most_common()),
        tuple(scheme.grants()),
        (min(seen), max(seen)) if seen else None,
    )


def _all(
    plan: Plan, scheme: Scheme, places: Sequence[PurePosixPath], staging: Staging, talk: Talk
) -> list[Done]:
    """Encode what is not encoded yet, and note in the journal what is."""
    from joblib import Parallel, delayed

    names = _names(places) if plan.keep_names else {}
    same = Counter(names.values())
    done = [Done(p, reason="another image has the same name") for p in places if same[names.get(p, "")] > 1]
    marks = {p: _mark(plan, scheme, p) for p in places if same[names.get(p, "")] <= 1}
    before: dict[str, list[PurePosixPath]] = {}
    for place, line in staging.journal().items():
        before.setdefault(line.settings, []).append(place)
    todo: list[PurePosixPath] = []
    for place, mark in marks.items():
        files = sorted(before.get(mark, ()), key=lambda p: p.suffix != SUFFIX)
        if len(files) == 1 + len(scheme.persons) and files[0].suffix == SUFFIX:
            done.append(Done(place, tuple(files)))
        else:
            todo.append(place)
    secrets.SystemRandom().shuffle(todo)
    with talk.stage(f"encoding {len(todo)} images") as progress:
        results = Parallel(n_jobs=plan.jobs, return_as="generator_unordered", batch_size=1)(
            delayed(_one)(scheme, plan.source.absolute(), place, staging.folder, names.get(place))
            for place in todo
        )
        for n, one in enumerate(results, start=1):
            for file in one.files:
                staging.done(file, marks[one.place])
            done.append(one)
            progress(n, len(todo))
    return done


def _one(scheme: Scheme, source: Path, place: PurePosixPath, folder: Path, name: str | None) -> Done:
    """Encode one image below the output; whatever is wrong with it, the others go on."""
    code: Path | None = None
    try:
        made = scheme.make(read_shared(source / place))
        code = folder / (name or f"{made.code.code_id.hex()[:16]}{SUFFIX}")
        written = lay(code.parent, code.name, made.code.to_bytes(), made.keys)
        return Done(
            place, tuple(PurePosixPath(p.relative_to(folder).as_posix()) for p in written), leak=made.leak
        )
    except (OutputFailed, UsageError):
        raise
    except MedveilError as error:
        reason = error.message
    except MemoryError:
        reason = "not enough memory for this image"
    except Exception as error:  # noqa: BLE001 - one odd file must not end the run; its text may hold values
        reason = f"a bug in medveil ({type(error).__name__}); the image was left out"
    if code is not None:
        code.unlink(missing_ok=True)
        shutil.rmtree(keys_of(code), ignore_errors=True)
    return Done(place, reason=reason)


def _names(places: Sequence[PurePosixPath]) -> dict[PurePosixPath, str]:
    """Where the code of each image lies below the output, after its own name."""
    return {p: str(p.with_name(f"{stem(p) if stem(p) != p.name else p.stem}{SUFFIX}")) for p in places}


def _mark(plan: Plan, scheme: Scheme, place: PurePosixPath) -> str:
    """What a code hangs on: the image and all that was asked for. For the journal of a run that is not finished."""
    try:
        content = sha256(plan.source / place)
    except OSError:
        content = "unreadable"
    said = [
        __version__, str(place), content, scheme.codec_name, scheme.model, scheme.mode, scheme.public, scheme.decoys,
        scheme.tags, plan.keep_names, str(scheme.key), [(p.label, p.recipient.text, p.level) for p in scheme.persons],
    ]  # fmt: skip
    return hashlib.sha256(json.dumps(said).encode()).hexdigest()


def _write_list(internal: Path, done: Sequence[Done]) -> None:
    """Which code is of which file, readable by its owner only."""
    rows = [
        {"image": _cell(one.place), "code": str(one.files[0]) if one.files else "", "refused": one.reason}
        for one in sorted(done, key=lambda d: d.place)
    ]
    try:
        internal.mkdir(parents=True, exist_ok=True, mode=0o700)
        write_tsv(rows, internal / WHICH, ["image", "code", "refused"])
        os.chmod(internal / WHICH, 0o600)
    except OSError as error:
        raise failed("list of the images", error) from None


def _cell(place: PurePosixPath) -> str:
    return "".join(sign if sign.isprintable() else "?" for sign in str(place))
