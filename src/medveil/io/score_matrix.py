"""Score matrices: the scores of many images against many, too many for a table.

    FOLDER/scores.npy     (P, G) float16, float32 or float64, in C order, no pickle; row p, column g
    FOLDER/probes.tsv     P lines below a header: subject, image (image may be left out)
    FOLDER/gallery.tsv    G lines, likewise

A folder of such folders holds conditions (`original`, `release`), or attacks that hold conditions. The scores stay on
disk and are read a few rows at a time. Errors name rows and columns, counted from 1, never a label or a score.
The full page: docs/reference/score-table.md.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from medveil.core.claims import PairClaims
from medveil.core.errors import InputRefused, OutputFailed
from medveil.io.aside import write_aside
from medveil.io.score_rows import refuse_other_case
from medveil.io.tables import read_tsv, write_tsv

SCORES, PROBES, GALLERY = "scores.npy", "probes.tsv", "gallery.tsv"
_HINT = "a score matrix is a folder with scores.npy, probes.tsv and gallery.tsv"
_KINDS = {np.dtype(k) for k in ("f2", "f4", "f8")}

Strings = npt.NDArray[np.str_]
Ints = npt.NDArray[np.int64]
Block = npt.NDArray[np.float32] | npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False, repr=False)
class ScoreMatrix:
    """Scores on disk, and who is on either side.

    Args:
        path, offset, kind: the file, where its numbers begin, and their type (as stored, with byte order).
        probe_subject, probe_image: (P,) labels; gallery_subject, gallery_image: (G,).
        probe, gallery: (P,) and (G,) person shown, one numbering for both sides, below `persons`.
        attack, condition: as in a score table.
        gaps: whether not-a-number stands for a pair that was not compared; else it is refused.
    """

    path: Path
    offset: int
    kind: np.dtype[np.floating]
    probe_subject: Strings
    probe_image: Strings
    gallery_subject: Strings
    gallery_image: Strings
    probe: Ints
    gallery: Ints
    persons: int
    attack: str = "external"
    condition: str = "release"
    gaps: bool = False

    def __repr__(self) -> str:
        return f"ScoreMatrix({len(self.probe)} x {len(self.gallery)} scores)"

    @property
    def pairs(self) -> int:
        return len(self.probe) * len(self.gallery)

    def rows(self, start: int, stop: int) -> Block:
        """Rows start to stop, (stop - start, G), float64 if stored so and float32 otherwise.

        Raises:
            InputRefused: a score is not finite (by row and column), or the file ends too early.
        """
        width = len(self.gallery)
        try:
            with open(self.path, "rb") as file:
                file.seek(self.offset + start * width * self.kind.itemsize)
                flat = np.fromfile(file, dtype=self.kind, count=(stop - start) * width)
        except OSError:
            raise InputRefused("score matrix: the system could not read it") from None
        if len(flat) != (stop - start) * width:
            raise InputRefused("score matrix: the file ends too early")
        kind: Any = np.float64 if self.kind.itemsize == 8 else np.float32
        block: Block = np.asarray(flat, dtype=kind).reshape(stop - start, width)
        good = ~np.isinf(block) if self.gaps else np.isfinite(block)
        if not good.all():
            row, column = np.argwhere(~good)[0]
            raise InputRefused(
                f"score matrix: row {start + row + 1}, column {column + 1}: expected a finite number"
            )
        return block

    def claims(self) -> PairClaims:
        """All pairs as a table in memory; for small matrices."""
        score = self.rows(0, len(self.probe)).astype(np.float64).ravel()
        p, g = np.divmod(np.flatnonzero(~np.isnan(score)), len(self.gallery))
        return PairClaims(
            self.probe_subject[p],
            self.probe_image[p],
            self.gallery_subject[g],
            self.gallery_image[g],
            score[~np.isnan(score)],
            self.attack,
            self.condition,
            {},
        )


def open_matrices(path: Path) -> list[ScoreMatrix]:
    """The score matrices of a folder, or the one whose `scores.npy` is given, in the order of their names.

    Raises:
        InputRefused: there is none; an array or a list of images is not what it should be.
    """
    if path.is_file():
        return [_open(path, "external", "release")]
    found = []
    for place in sorted(path.rglob(SCORES)) if path.is_dir() else []:
        parts = place.parent.relative_to(path).parts
        if len(parts) > 2:
            raise InputRefused(
                "score matrix: folders lie too deep", hint="expected ATTACK/CONDITION/scores.npy"
            )
        names = ("external", "release")[: 2 - len(parts)] + parts if len(parts) != 1 else ("external", *parts)
        found.append(_open(place, names[0], names[1]))
    if not found:
        raise InputRefused("score matrix: there is none", hint=_HINT)
    return found


def write_matrix(
    folder: Path,
    scores: npt.NDArray[np.floating] | Iterable[npt.NDArray[np.floating]],
    probes: Sequence[tuple[str, str]],
    gallery: Sequence[tuple[str, str]],
    *,
    kind: npt.DTypeLike = np.float32,
) -> None:
    """Write a score matrix, row by row if the scores come so.

    Args:
        folder: made if it is not there.
        scores: (P, G), or blocks of rows (B, G) that make up as many.
        probes, gallery: (subject, image) of each row and column.
        kind: float16, float32 or float64.

    Raises:
        OutputFailed: rows or columns do not fit the lists, a score is not finite, a label is missing or holds a tab or
            a line break; permissions, disk full.
    """
    dtype = np.dtype(kind).newbyteorder("<")
    if np.dtype(kind) not in _KINDS:
        raise OutputFailed("score matrix: expected float16, float32 or float64")
    for name, images in ((PROBES, probes), (GALLERY, gallery)):
        if not all(subject for subject, _ in images):
            raise OutputFailed(f"score matrix: {name} has an empty subject")
        rows = [{"subject": s, "image": i} for s, i in images]
        write_tsv(rows, folder / name, ("subject", "image"))
    header = {"descr": np.lib.format.dtype_to_descr(dtype), "fortran_order": False}
    with write_aside(folder / SCORES, "score matrix") as file:
        np.lib.format.write_array_header_1_0(file, header | {"shape": (len(probes), len(gallery))})
        written = 0
        for block in [scores] if isinstance(scores, np.ndarray) else scores:
            if block.ndim != 2 or block.shape[1] != len(gallery):
                raise OutputFailed("score matrix: a block of rows does not fit the gallery")
            stored = block.astype(dtype)
            if not np.isfinite(stored).all():
                raise OutputFailed("score matrix: a score is not finite, or too large for its type")
            file.write(stored.tobytes())
            written += len(block)
        if written != len(probes):
            raise OutputFailed("score matrix: there are not as many rows as probes")


def persons_of(probe_subject: Strings, gallery_subject: Strings) -> tuple[Ints, Ints, int]:
    """Number the labels of both sides: (P,), (G,) and how many persons there are.

    Raises:
        InputRefused: labels of the two sides that differ in upper and lower case only.
    """
    refuse_other_case(set(probe_subject.tolist()), set(gallery_subject.tolist()))
    names, index = np.unique(np.concatenate([probe_subject, gallery_subject]), return_inverse=True)
    n = len(probe_subject)
    return index[:n].astype(np.int64), index[n:].astype(np.int64), len(names)


def _open(place: Path, attack: str, condition: str) -> ScoreMatrix:
    try:
        array = np.lib.format.open_memmap(place, mode="r")  # refuses pickles
    except FileNotFoundError:
        raise InputRefused("score matrix: the file is not there") from None
    except OSError:
        raise InputRefused("score matrix: the system could not read it") from None
    except (ValueError, EOFError, TypeError, SyntaxError, MemoryError, OverflowError):
        raise InputRefused("score matrix: scores.npy is no whole array of numbers", hint=_HINT) from None
    if array.ndim != 2 or array.dtype.newbyteorder("=") not in _KINDS or not array.flags.c_contiguous:
        raise InputRefused(
            "score matrix: expected two dimensions of float16, float32 or float64, in C order",
            hint="numpy.save(path, numpy.ascontiguousarray(scores, dtype='float32'))",
        )
    if not array.size:
        raise InputRefused("score matrix: is empty")
    probes, gallery = (_images(place.parent / name, name) for name in (PROBES, GALLERY))
    for (subjects, _), size, name, what in (
        (probes, array.shape[0], PROBES, "rows"),
        (gallery, array.shape[1], GALLERY, "columns"),
    ):
        if len(subjects) != size:
            raise InputRefused(
                f"score matrix: {name} has {len(subjects)} lines, expected {size}, as many as {what}"
            )
    probe, candidate, persons = persons_of(probes[0], gallery[0])
    sides = *probes, *gallery, probe, candidate
    return ScoreMatrix(place, int(array.offset), array.dtype, *sides, persons, attack, condition)


def _images(place: Path, name: str) -> tuple[Strings, Strings]:
    if not place.is_file():
        raise InputRefused(f"score matrix: {name} is missing", hint=_HINT)
    rows = read_tsv(place)
    if rows and "subject" not in rows[0]:
        raise InputRefused(f"score matrix: {name} has no column subject", hint=_HINT)
    seen: dict[tuple[str, str], None] = {}
    for number, row in enumerate(rows, start=1):
        subject, image = ("" if row.get(c) == "n/a" else row.get(c, "") for c in ("subject", "image"))
        if not subject:
            raise InputRefused(f"score matrix: {name}, row {number}: the subject is empty")
        if "\0" in subject + image:
            raise InputRefused(f"score matrix: {name}, row {number}: holds a NUL byte")
        if (subject, image) in seen:
            raise InputRefused(
                f"score matrix: {name}, row {number}: this image was there before",
                hint="tell the images of a subject apart in the column image",
            )
        seen[subject, image] = None
    one, two = ([key[i] for key in seen] for i in (0, 1))
    return np.array(one, dtype=np.str_), np.array(two, dtype=np.str_)
