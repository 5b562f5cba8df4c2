"""Score tables of any size: a small one comes into memory, a large one becomes a matrix on disk.

    rows ──up to half a million──> memory ──> PairClaims
         ──more──────────────────> a file of numbers ──> one matrix for each attack and condition ──> ScoreMatrix

The files hold numbers only, no label and no name, and lie in a folder the caller deletes.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from medveil.core.claims import PairClaims
from medveil.core.errors import InputRefused
from medveil.io.aside import failed
from medveil.io.score_matrix import ScoreMatrix, open_matrices, persons_of
from medveil.io.score_rows import RECORD, Names, Records, claims_of, score_rows, twice

LARGE = 500_000  # pairs: beyond that, counting replaces sorting
_SPARSEST = 20  # cells of a matrix for each score it holds, at most
_FILLED = 1 << 20


def open_scores(path: Path, aside: Path, *, large: int = LARGE) -> list[PairClaims | ScoreMatrix]:
    """The scores of a table, of a `.npy` file or of a folder of matrices, by attack and condition.

    Args:
        path: CSV or TSV as `tables.read_scores` takes it, or what `score_matrix.open_matrices` takes.
        aside: an empty folder for temporary files; needs 28 bytes for each row of a large table, and 8 more for
            each pair of a probe and a gallery image.
        large: tables and matrices of more pairs than this stay on disk.

    Raises:
        InputRefused: see there; a large table with few scores for its images.
        OutputFailed: the temporary files could not be written.
    """
    if path.is_dir() or path.suffix == ".npy":
        return [m if m.pairs > large else m.claims() for m in open_matrices(path)]
    names, held, total = Names(), [np.empty(0, RECORD)], 0
    rows = score_rows(path, names)
    for chunk in rows:
        held.append(chunk)
        total += len(chunk)
        if total > large:
            break
    else:
        return list(claims_of(np.concatenate(held), names))
    spilled = aside / "rows"
    try:
        with open(spilled, "xb") as file:
            for chunk in held:
                file.write(chunk.tobytes())
            held.clear()
            for chunk in rows:
                file.write(chunk.tobytes())
        matrices = _matrices(spilled, aside, names)
        spilled.unlink()
    except OSError as error:
        raise failed("temporary scores", error) from None
    return list(matrices)


def _matrices(spilled: Path, aside: Path, names: Names) -> list[ScoreMatrix]:
    sides, rows = _present(spilled, names)
    probes, gallery = names.probes.columns(), names.gallery.columns()
    found = []
    for group, (attack, condition) in enumerate(names.groups.seen):
        p, q = (np.flatnonzero(s[group]) for s in sides)
        if len(p) * len(q) > _SPARSEST * rows[group]:
            raise InputRefused(
                f"score table: of so many pairs of images, fewer than 1 in {_SPARSEST} has a score",
                hint="compare every probe with every gallery image, or leave images out",
            )
        place = aside / f"{group}.npy"
        _fill(place, spilled, group, p, q)
        array = np.load(place, mmap_mode="r")
        labels = probes[0][p], probes[1][p], gallery[0][q], gallery[1][q]
        numbers = persons_of(labels[0], labels[2])
        found.append(
            ScoreMatrix(
                place, int(array.offset), array.dtype, *labels, *numbers, attack, condition, gaps=True
            )
        )
    return found


def _present(spilled: Path, names: Names) -> tuple[tuple[np.ndarray, np.ndarray], list[int]]:
    """Which probes and which gallery images each group has, (groups, images), and its number of rows."""
    groups = len(names.groups.seen)
    sides = tuple(np.zeros((groups, len(n.seen)), dtype=np.bool_) for n in (names.probes, names.gallery))
    rows = np.zeros(groups, dtype=np.int64)
    for chunk in _chunks(spilled):
        sides[0][chunk["group"], chunk["probe"]] = True
        sides[1][chunk["group"], chunk["gallery"]] = True
        rows += np.bincount(chunk["group"], minlength=groups)
    return (sides[0], sides[1]), rows.tolist()


def _fill(place: Path, spilled: Path, group: int, p: np.ndarray, q: np.ndarray) -> None:
    """Write the scores of a group as a matrix, not-a-number where there is none."""
    shape = (len(p), len(q))
    with open(place, "xb") as file:
        header = {"descr": "<f8", "fortran_order": False, "shape": shape}
        np.lib.format.write_array_header_1_0(file, header)
        gap = np.full(len(q), np.nan).tobytes()
        many = max(1, _FILLED // len(q))  # written, not mapped: a full disk is an error then, and not a crash
        for start in range(0, len(p), many):
            file.write(gap * min(many, len(p) - start))
        file.flush()
        os.fsync(file.fileno())
    row, column = np.full(int(p.max()) + 1, -1), np.full(int(q.max()) + 1, -1)
    row[p], column[q] = np.arange(len(p)), np.arange(len(q))
    flat = np.load(place, mmap_mode="r+").reshape(-1)
    for chunk in _chunks(spilled):
        mine = chunk[chunk["group"] == group]
        at = row[mine["probe"]] * len(q) + column[mine["gallery"]]
        order = np.argsort(at, kind="stable")
        again = np.flatnonzero(~np.isnan(flat[at]))
        within = order[1:][at[order][1:] == at[order][:-1]]
        if len(again) or len(within):
            raise twice(int(mine["line"][np.concatenate([again, within])].min()))
        flat[at] = mine["score"]


def _chunks(spilled: Path) -> Iterator[Records]:
    with open(spilled, "rb") as file:
        while len(chunk := np.fromfile(file, dtype=RECORD, count=_FILLED)):
            yield chunk
