"""Radiomics: do texture features inside a mask stay what they are? Relative error and ICC of each, before and after.

Features are those of the IBSI, computed by MIRP: the 91 of them that have a counterpart among the 93 of PyRadiomics,
which the literature counts with (`FEATURES`). Of those 93, MCC is not in the IBSI's list, and TotalEnergy is Energy
times the size of a voxel, so its errors are those of Energy. GLDM is called NGLDM, 14 of its features are taken.

Grey levels: 32 bins from the smallest to the largest value inside the mask of each image, which is what the IBSI
advises where numbers have no unit. Pixels are taken as they are, in 2D slice by slice (matrices of all directions
merged); none of these features depends on the size of a pixel. Source: Zwanenburg et al., The Image Biomarker Standardization Initiative (Radiology 295, 2020).
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from medveil.core.errors import InputRefused, MissingPackage, UsageError
from medveil.core.estimate import Estimate
from medveil.core.seeds import Seeds
from medveil.measure.utility.agreement import CLASSES, IccClass, icc, icc_class, relative_error
from medveil.measure.utility.before_after import (
    BeforeAfter,
    Flags,
    Floats,
    Images,
    mean_of_people,
    with_people,
)

BINS = 32
# Family of MIRP: its features, in the order of the IBSI's reference manual.
FAMILIES: dict[str, tuple[str, ...]] = {
    "stat": (
        *("mean", "var", "skew", "kurt", "median", "min", "p10", "p90", "max", "iqr", "range", "mad", "rmad"),
        *("energy", "rms"),
    ),
    "ih": ("entropy", "uniformity"),
    "cm": (
        *(
            "joint_max",
            "joint_avg",
            "joint_var",
            "joint_entr",
            "diff_avg",
            "diff_var",
            "diff_entr",
            "sum_avg",
        ),
        *("sum_entr", "energy", "contrast", "inv_diff", "inv_diff_norm", "inv_diff_mom", "inv_diff_mom_norm"),
        *(
            "inv_var",
            "corr",
            "auto_corr",
            "clust_tend",
            "clust_shade",
            "clust_prom",
            "info_corr1",
            "info_corr2",
        ),
    ),
    "rlm": (
        *("sre", "lre", "lgre", "hgre", "srlge", "srhge", "lrlge", "lrhge", "glnu", "glnu_norm", "rlnu"),
        *("rlnu_norm", "r_perc", "gl_var", "rl_var", "rl_entr"),
    ),
    "szm": (
        *("sze", "lze", "lgze", "hgze", "szlge", "szhge", "lzlge", "lzhge", "glnu", "glnu_norm", "zsnu"),
        *("zsnu_norm", "z_perc", "gl_var", "zs_var", "zs_entr"),
    ),
    "ngt": ("coarseness", "contrast", "busyness", "complexity", "strength"),
    "ngl": (
        *("lde", "hde", "lgce", "hgce", "ldlge", "ldhge", "hdlge", "hdhge", "glnu", "dcnu", "dcnu_norm"),
        *("gl_var", "dc_var", "dc_entr"),
    ),
}
FEATURES = tuple(f"{family}_{name}" for family, names in FAMILIES.items() for name in names)
_ASKED = ["statistics", "intensity_histogram", "cm", "rlm", "szm", "ngtdm", "ngldm"]
_SUFFIX = re.compile(r"(_d1)?(_a0\.0)?(_(2d|2\.5d|3d)[a-z_]*)?(_fbn_n\d+)?$")


@dataclass(frozen=True)
class Agreement:
    """What became of one feature under one change.

    Args:
        feature: of `FEATURES`.
        re, are: signed and absolute relative error, %, mean over people.
        icc: ICC(2,1) over images.
    """

    feature: str
    re: Estimate
    are: Estimate
    icc: Estimate

    @property
    def grade(self) -> IccClass | None:
        """Class of the value, which is what papers report; None if the ICC is undefined."""
        return None if self.icc.value is None else icc_class(self.icc.value)

    @property
    def sure_grade(self) -> IccClass | None:
        """Class of the lower end of the interval: what can be relied on."""
        return None if self.icc.low is None else icc_class(self.icc.low)


@dataclass(frozen=True)
class Texture:
    """All features under all changes.

    Args:
        changes: name of a change to its features, in the order of `FEATURES`.
        images: how many, of `persons` people.
    """

    changes: Mapping[str, tuple[Agreement, ...]]
    images: int
    persons: int
    remark: str = ""

    def grades(self, change: str, *, sure: bool = False) -> dict[IccClass, int]:
        """How many features are of each class; by the lower end of their intervals if `sure`."""
        found = [a.sure_grade if sure else a.grade for a in self.changes[change]]
        return {c: found.count(c) for c in CLASSES}

    def to_json(self) -> dict[str, Any]:
        return {
            "images": self.images,
            "persons": self.persons,
            "remark": self.remark,
            "changes": {
                name: {a.feature: {k: getattr(a, k).to_json() for k in ("re", "are", "icc")} for a in found}
                for name, found in self.changes.items()
            },
        }


def texture(
    data: BeforeAfter,
    masks: Flags,
    *,
    seeds: Seeds,
    rounds: int = 1000,
    told: Callable[[str], None] | None = None,
) -> Texture:
    """RE, ARE and ICC of every feature and change, with intervals over people.

    Args:
        data: the images; nothing is learned, so only those that may be tested on are looked at.
        masks: shaped as the images; where to measure.
        told: is called with the condition before its features are computed.

    Raises:
        UsageError: masks that do not fit.
        InputRefused: an image whose values do not vary inside its mask.
        MissingPackage: MIRP is not installed.
    """
    if masks.shape != data.before.shape:
        raise UsageError("radiomics: expected for each image a mask of its shape")
    found: dict[str, Floats] = {}
    for name, images in data.conditions():
        if told:
            told(name)
        found[name] = np.array([features(images[i], masks[i]) for i in data.scored])
    first, *changes = found
    drawn = np.concatenate([np.ones((1, data.persons)), data.draws(seeds, rounds)])
    return Texture(
        {name: _agreements(found[first], found[name], data, drawn) for name in changes},
        len(data.scored),
        data.persons,
        data.remark,
    )


def features(image: Images, mask: Flags) -> Floats:
    """(91,) the features of `FEATURES` inside a mask.

    Args:
        image: (H, W) or (I, J, K).
        mask: of the same shape.

    Raises:
        InputRefused: fewer than two values inside the mask.
        MissingPackage: MIRP is not installed.
    """
    try:
        from mirp import extract_features
    except ImportError:
        raise MissingPackage("mirp", "radiomic features", "pip install 'medveil[radiomics]'") from None
    inside = image[mask]
    if len(inside) == 0 or inside.min() == inside.max():
        raise InputRefused("radiomics: the values inside a mask do not vary")
    flat = image.ndim == 2
    with _quiet():
        table = extract_features(
            image=image[None] if flat else image,
            mask=(mask[None] if flat else mask).astype(np.int16),
            by_slice=flat,
            base_feature_families=_ASKED,
            base_discretisation_method="fixed_bin_number",
            base_discretisation_n_bins=BINS,
        )[0]
    return picked(dict(table.iloc[0]))


@contextmanager
def _quiet() -> Iterator[None]:
    """MIRP sends its progress to stdout through the root logger, unless that has a handler already."""
    root, silent = logging.getLogger(), logging.NullHandler()
    root.addHandler(silent)
    try:
        yield
    finally:
        root.removeHandler(silent)


def picked(row: Mapping[str, Any]) -> Floats:
    """(91,) what is wanted of a row of MIRP, whose columns also name how a feature was computed.

    >>> _SUFFIX.sub("", "cm_inv_diff_norm_d1_2d_s_mrg_fbn_n32")
    'cm_inv_diff_norm'
    """
    named = {_SUFFIX.sub("", str(column)): value for column, value in row.items()}
    missing = [name for name in FEATURES if name not in named]
    if missing:
        raise UsageError(
            f"radiomics: this version of MIRP does not give {', '.join(missing)}",
            hint="pip install 'mirp>=2.7'",
        )
    return np.array([float(named[name]) for name in FEATURES])


def _agreements(before: Floats, after: Floats, data: BeforeAfter, drawn: Floats) -> tuple[Agreement, ...]:
    person = data.person
    errors = np.stack([relative_error(b, a) for b, a in zip(before.T, after.T, strict=True)], axis=1)
    re, are = (mean_of_people(e, person, drawn) for e in (errors, np.abs(errors)))
    out = []
    for k, name in enumerate(FEATURES):
        agreed = icc(before[:, k], after[:, k], drawn[:, person])
        out.append(
            Agreement(
                name,
                _estimate("re", re[:, k], "%", "mean over people of (after - before) / |before|", data),
                _estimate("are", are[:, k], "%", "mean over people of |after - before| / |before|", data),
                _estimate("icc", agreed, "", "ICC(2,1), absolute agreement of single measurements", data),
            )
        )
    return tuple(out)


def _estimate(
    name: str, rounds: npt.NDArray[np.float64], unit: str, note: str, data: BeforeAfter
) -> Estimate:
    """Row 0 is the value, the others are the rounds."""
    value = float(rounds[0]) if np.isfinite(rounds[0]) else None
    better: Any = {"are": "lower", "icc": "higher"}.get(name, "")
    return with_people(Estimate(name, value, unit=unit, better=better, note=note), rounds[1:], data.persons)
