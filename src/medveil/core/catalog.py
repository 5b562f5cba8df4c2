"""Catalog: what medveil can do, found where it lies.

The path of a file is its public name: `protect/deface/erase.py` holds the step `deface.erase`. Other
packages add theirs through the entry-point groups `medveil.protect`, `medveil.share` and `medveil.attack`.
"""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from importlib.metadata import entry_points
from typing import Any

from medveil.core.errors import UsageError

# One line a part. Listed rather than scanned, so that `medveil list` imports nothing heavy.
BUILT_IN: dict[str, dict[str, str]] = {
    "protect": {
        "deface.erase": "medveil.protect.deface.erase:Erase",
        "deface.like_anonymi": "medveil.protect.deface.like_anonymi:LikeAnonymi",
        "deface.like_fsl_deface": "medveil.protect.deface.like_fsl_deface:LikeFslDeface",
        "deface.like_maskface": "medveil.protect.deface.like_maskface:LikeMaskface",
        "deface.like_mri_deface": "medveil.protect.deface.like_mri_deface:LikeMriDeface",
        "deface.like_pydeface": "medveil.protect.deface.like_pydeface:LikePydeface",
        "deface.replace": "medveil.protect.deface.replace:Replace",
        "deface.scramble": "medveil.protect.deface.scramble:Scramble",
        "deface.shear": "medveil.protect.deface.shear:Shear",
        "deface.strip": "medveil.protect.deface.strip:Strip",
        "header.dicom": "medveil.protect.header.dicom:Dicom",
        "text.burned_in": "medveil.protect.text.burned_in:BurnedIn",
    },
    "share": {
        "codec.jpeg2000": "medveil.share.codec.jpeg2000:Jpeg2000",
        "codec.primis": "medveil.share.codec.primis:Primis",
    },
    "attack": {
        "decode.by_frequency": "medveil.attack.decode.by_frequency:ByFrequency",
        "decode.by_magnitude": "medveil.attack.decode.by_magnitude:ByMagnitude",
        "decode.by_neighbours": "medveil.attack.decode.by_neighbours:ByNeighbours",
        "decode.by_value": "medveil.attack.decode.by_value:ByValue",
        "decode.classifier": "medveil.attack.decode.classifier:Classifier",
        "decode.consistency": "medveil.attack.decode.consistency:Consistency",
        "decode.deep_prior": "medveil.attack.decode.deep_prior:DeepPrior",
        "decode.mean_image": "medveil.attack.decode.mean_image:MeanImage",
        "decode.naive": "medveil.attack.decode.naive:Naive",
        "decode.random_support": "medveil.attack.decode.random_support:RandomSupport",
        "decode.regression": "medveil.attack.decode.regression:Regression",
        "decode.rendered": "medveil.attack.decode.rendered:Rendered",
        "decode.translate": "medveil.attack.decode.translate:Translate",
        "decode.two_releases": "medveil.attack.decode.two_releases:TwoReleases",
        "infer.attributes": "medveil.attack.infer.attributes:Attributes",
        "infer.membership": "medveil.attack.infer.membership:Membership",
        "link.brain": "medveil.attack.link.brain:Brain",
        "link.head": "medveil.attack.link.head:Head",
        "link.metadata": "medveil.attack.link.metadata:Metadata",
        "link.table": "medveil.attack.link.table:Table",
        "reidentify.deepface": "medveil.attack.reidentify.deepface:Deepface",
        "reidentify.embedding": "medveil.attack.reidentify.embedding:Embedding",
        "reidentify.external": "medveil.attack.reidentify.external:External",
        "reidentify.from_brain": "medveil.attack.reidentify.from_brain:FromBrain",
        "reidentify.geo": "medveil.attack.reidentify.geo:Geo",
        "reidentify.insightface": "medveil.attack.reidentify.insightface:Insightface",
        "reidentify.learned": "medveil.attack.reidentify.learned:Learned",
    },
}


@dataclass(frozen=True)
class Part:
    """A named part of medveil: its stage, its public name and where its class lives (`module:Class`)."""

    stage: str
    name: str
    target: str

    def load(self) -> Any:
        """The class itself; imports its module."""
        module, _, attribute = self.target.partition(":")
        return getattr(importlib.import_module(module), attribute)


def parts(stage: str | None = None) -> tuple[Part, ...]:
    """Everything registered, of one stage or of all, in the order of the names."""
    found: dict[tuple[str, str], Part] = {}
    for this, names in BUILT_IN.items():
        for name, target in names.items():
            found[this, name] = Part(this, name, target)
        for point in entry_points(group=f"medveil.{this}"):
            found.setdefault((this, point.name), Part(this, point.name, point.value))
    return tuple(p for key, p in sorted(found.items()) if stage in (None, key[0]))


def find(stage: str, name: str) -> Part:
    """The part of that name.

    Raises:
        UsageError: no such part; says which ones exist.
    """
    known = {p.name: p for p in parts(stage)}
    if name not in known:
        raise UsageError(f"{stage}: no part named {name!r}", hint="known are " + ", ".join(known))
    return known[name]
