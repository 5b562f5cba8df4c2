"""Losses: what a shared model gets wrong about each image, and what models that never saw it get wrong.

    subject,image,loss,out_1,out_2,in_1,...
    sub-01,T1w,0.02,0.71,0.66,0.05          out_*: shadow models trained without this image; in_*: with it

The attacker needs no more of a model than this: the image, the label it should have, and the loss that it gives.
Shadow models are the attacker's own, trained like the target on other people's images.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from medveil.core.cohort import Cohort
from medveil.core.errors import InputRefused, UsageError
from medveil.core.image import Image
from medveil.io.tables import read_rows

Floats = npt.NDArray[np.float64]
Key = tuple[str, str]
COLUMNS = "subject, image, loss, and if there are shadow models out_1, out_2 ... and in_1, in_2 ..."


@dataclass(frozen=True, eq=False, repr=False)
class Losses:
    """Losses of N images.

    Args:
        keys: (subject, image) of each; loss: (N,) of the target model, finite.
        out: (N, K) of shadow models trained without the image; inside: (N, L) of those trained with it. A model that
            was trained with one image and without another leaves not-a-number where it has no say.

    Raises:
        InputRefused: shapes that do not fit, an image named twice, a loss that is not finite.
    """

    keys: tuple[Key, ...]
    loss: Floats
    out: Floats
    inside: Floats

    def __post_init__(self) -> None:
        n = len(self.keys)
        if len(self.loss) != n or self.out.shape[:1] != (n,) or self.inside.shape[:1] != (n,):
            raise InputRefused("losses: all columns must have one entry an image")
        if len(set(self.keys)) != n:
            raise InputRefused("losses: an image is named twice")
        if not np.isfinite(self.loss).all():
            raise InputRefused("losses: a loss is not finite")

    def of(self, keys: Iterable[Key]) -> Losses:
        """The rows of these images, in this order.

        Raises:
            UsageError: an image has no row.
        """
        wanted = tuple(keys)
        at = {key: i for i, key in enumerate(self.keys)}
        missing = sum(key not in at for key in wanted)
        if missing:
            raise UsageError(
                f"losses: {missing} of {len(wanted)} images have no row",
                hint="subject and image must be those of the cohort, as `medveil inspect` names them",
            )
        rows = [at[key] for key in wanted]
        return Losses(wanted, self.loss[rows], self.out[rows], self.inside[rows])

    def __repr__(self) -> str:
        return f"Losses({len(self.keys)} images, {self.out.shape[1]} out, {self.inside.shape[1]} in)"


def read_losses(path: Path) -> Losses:
    """Losses from a CSV (or tabs); a cell of a shadow model may be empty where it has no say.

    Raises:
        InputRefused: no such file, a column is missing, a cell is no number; by line number.
    """
    rows = read_rows(path)
    if not rows:
        raise InputRefused("losses: has no rows", hint=f"columns are {COLUMNS}")
    for column in ("subject", "image", "loss"):
        if column not in rows[0][1]:
            raise InputRefused(f"losses: column {column} is missing", hint=f"columns are {COLUMNS}")
    columns = list(rows[0][1])
    return Losses(
        keys=tuple((row["subject"], row["image"]) for _, row in rows),
        loss=_column(rows, "loss", may_be_empty=False),
        out=_columns(rows, [c for c in columns if re.fullmatch(r"(out|ref)_\d+", c)]),
        inside=_columns(rows, [c for c in columns if re.fullmatch(r"in_\d+", c)]),
    )


def losses_by(
    loss: Callable[[Image], float],
    cohort: Cohort,
    *,
    out: Iterable[Callable[[Image], float]] = (),
    inside: Iterable[Callable[[Image], float]] = (),
) -> Losses:
    """Losses of every image of a cohort, by asking the models themselves.

    Args:
        loss: the target model: an image to its loss there.
        out, inside: shadow models trained without, or with, the images of this cohort.
    """
    others, same = list(out), list(inside)
    rows = []
    for record in cohort:
        image = record.open()
        rows.append([float(model(image)) for model in (loss, *others, *same)])
    values = np.array(rows, dtype=np.float64).reshape(len(cohort), 1 + len(others) + len(same))
    keys = tuple((r.subject, r.name) for r in cohort)
    return Losses(keys, values[:, 0], values[:, 1 : 1 + len(others)], values[:, 1 + len(others) :])


def _columns(rows: list[tuple[int, dict[str, str]]], names: list[str]) -> Floats:
    if not names:
        return np.empty((len(rows), 0))
    return np.stack([_column(rows, name, may_be_empty=True) for name in names], axis=1)


def _column(
    rows: list[tuple[int, Mapping[str, str]]] | list[tuple[int, dict[str, str]]],
    name: str,
    *,
    may_be_empty: bool,
) -> Floats:
    out = np.full(len(rows), np.nan)
    for i, (line, row) in enumerate(rows):
        text = row.get(name, "")
        if may_be_empty and text in ("", "n/a"):
            continue
        try:
            out[i] = float(text)
        except ValueError:
            out[i] = np.nan
        if not np.isfinite(out[i]):
            raise InputRefused(f"losses: line {line}, column {name}: expected a finite number")
    return out
