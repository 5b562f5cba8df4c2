"""Metadata: link two copies of a scan by what lies beside the picture, or by the stored numbers themselves.

    released image          candidate's image        how many images say so     evidence
    DeviceSerialNumber 17   DeviceSerialNumber 17          20 of 40               1 bit
    qoffset_x  -93.2184     qoffset_x  -93.2184             2 of 40               4.3 bit
    voxels.sketch           27 of 32 drawers equal          2 of 40               8,400 bit: one acquisition

No face is needed and none is looked at, so this attack comes first: where it works, all others are beside the point. Each
trace that both images have, and agree in, counts by its surprisal, -log2 of the share of all images that say the
same; what everybody has counts nothing. Traces that part the images in exactly the same way (the maker, the model and the
field strength of one scanner) are counted once. Equal stored numbers outweigh everything else.

What it shows of a release by medveil is mostly that the kept voxels are the source's own, bit by bit: whoever holds
another copy of the same scan can tell, and no header cleaning helps.

Source: surprisal of identifying facts as in Eckersley, PETS 2010 (browser fingerprints).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np
import numpy.typing as npt

from medveil.attack.base import Known
from medveil.core.claims import PairClaims
from medveil.core.cohort import Cohort, Record
from medveil.core.errors import InputRefused, UsageError
from medveil.core.threat import Threat

if TYPE_CHECKING:
    from medveil.attack.observer import Observer

Floats = npt.NDArray[np.float64]
Traces = Mapping[str, str]

SAME_VOXELS_BITS = 10_000.0
"""Evidence of equal stored numbers: finite, and more than all that can lie beside them."""
_SKETCH = "voxels.sketch."
_WHOLE = ("voxels.exact", "voxels.values")
_FEWEST_DRAWERS = 3  # one or two equal drawers may be chance where numbers are few, as in an 8-bit image


@dataclass(frozen=True)
class Metadata:
    """Compare headers, sidecars, names, times and stored numbers of two sets of images.

    Args:
        voxels: also compare the stored numbers (equal, rearranged, or equal in part).
    """

    voxels: bool = True

    name: ClassVar[str] = "link.metadata"
    summary: ClassVar[str] = (
        "links copies of one scan by header fields, sidecars, names, times and stored numbers"
    )
    needs: ClassVar[Known] = "scans"
    learns: ClassVar[bool] = False

    def run(self, probes: Cohort, threat: Threat, *, condition: str, observer: Observer) -> PairClaims:
        """One score in bits for each probe image and candidate: that of the candidate's best image; 0 says nothing.

        Raises:
            UsageError: no probes, no candidates, or a side of which nobody gathered traces.
        """
        if not len(probes) or not len(threat.gallery):
            raise UsageError("attack: expected at least one probe image and one candidate")
        for cohort, whose in ((probes, "the released images"), (threat.gallery, "the candidates")):
            if all(r.traces is None for r in cohort):
                raise UsageError(
                    f"link.metadata: nobody gathered the traces of {whose}",
                    hint="it compares scans with scans; io.traces.with_traces gathers them",
                )
        a, unread_a = _gathered(probes.records)
        b, unread_b = _gathered(threat.gallery.records)
        people = np.array(threat.gallery.subjects)
        owner = np.array([r.subject for r in threat.gallery])
        by_image = evidence(a, b, voxels=self.voxels)
        score = _per_person(sum(by_image.values(), np.zeros((len(a), len(b)))), owner, people)
        by_kind = {kind: _per_person(bits, owner, people) for kind, bits in by_image.items()}
        n, g = score.shape
        images = np.array([f"best of {int((owner == p).sum())}" for p in people])
        return PairClaims(
            probe_subject=np.repeat(np.array([r.subject for r in probes]), g),
            probe_image=np.repeat(np.array([r.name for r in probes]), g),
            gallery_subject=np.tile(people, n),
            gallery_image=np.tile(images, n),
            score=score.reshape(n * g),
            attack=self.name,
            condition=condition,
            notes={
                "probes_unreadable": float(unread_a),
                "gallery_unreadable": float(unread_b),
                "links": float(_pointing(score)),
                **{f"links_by_{kind}": float(_pointing(bits)) for kind, bits in by_kind.items()},
            },
        )

    def describe(self) -> str:
        """In words, what the attack will do."""
        numbers = ", and the stored numbers (equal, rearranged, or equal in part)" if self.voxels else ""
        return (
            "compare what lies beside the pictures: header fields, sidecar values, file names, dates, serial numbers"
            f"{numbers}; what few images say counts for more than what many say"
        )


def evidence(a: Sequence[Traces], b: Sequence[Traces], *, voxels: bool = True) -> dict[str, Floats]:
    """(A, B) bits for each kind of trace that occurs on both sides.

    Args:
        a, b: traces of the images of either side.
        voxels: whether stored numbers count.
    """
    n, total = len(a), len(a) + len(b)
    names = sorted(set().union(*a) & set().union(*b))
    out: dict[str, Floats] = {}
    drawers = np.zeros((n, len(b)))
    weight = np.zeros((n, len(b)))
    seen = set()
    for name in names:
        kind = name.partition(".")[0]
        if kind == "voxels" and not voxels:
            continue
        code = _codes([t.get(name) for t in (*a, *b)])
        same = (code[:n, None] == code[None, n:]) & (code[:n, None] >= 0)
        count = np.bincount(code[code >= 0], minlength=code.max() + 1)
        surprisal = -np.log2(count[code[:n]] / total)[:, None]  # of the probe's value, where it has one
        if name.startswith(_SKETCH):
            # A drawer in which everybody has the same (a face pasted onto all) is worth nothing.
            drawers += same
            weight += np.where(same, surprisal / np.log2(total / 2) if total > 2 else 1.0, 0.0)
        elif name in _WHOLE:
            bits = out.setdefault("same_voxels", np.zeros((n, len(b))))
            np.maximum(bits, np.where(same, SAME_VOXELS_BITS, 0.0), out=bits)
        elif (kind, code.tobytes()) not in seen:
            seen.add((kind, code.tobytes()))
            out.setdefault(kind, np.zeros((n, len(b))))
            out[kind] += np.where(same, surprisal, 0.0)
    if weight.any():
        filled = sum(name.startswith(_SKETCH) for name in names)
        enough = drawers >= _FEWEST_DRAWERS
        out["kept_voxels"] = np.where(enough, SAME_VOXELS_BITS * np.minimum(weight / filled, 1.0), 0.0)
    return out


def _codes(values: Sequence[str | None]) -> npt.NDArray[np.int64]:
    """Whole numbers in the order of first appearance, -1 where there is no value."""
    known: dict[str, int] = {}
    return np.array([-1 if v is None else known.setdefault(v, len(known)) for v in values], dtype=np.int64)


def _gathered(records: Sequence[Record]) -> tuple[list[Traces], int]:
    """Traces of each image, and how many images could not be read; those have none."""
    out: list[Traces] = []
    unread = 0
    for record in records:
        try:
            out.append(record.traces() if record.traces is not None else {})
        except InputRefused:
            out.append({})
            unread += 1
    return out, unread


def _per_person(bits: Floats, owner: npt.NDArray[np.str_], people: npt.NDArray[np.str_]) -> Floats:
    """(A, G): the best image of each candidate."""
    return np.stack([bits[:, owner == person].max(axis=1) for person in people], axis=1)


def _pointing(bits: Floats) -> int:
    """How many probe images point to exactly one candidate."""
    best = bits.max(axis=1, keepdims=True)
    return int(((best[:, 0] > 0) & ((bits == best).sum(axis=1) == 1)).sum())
