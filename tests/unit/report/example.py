"""Made-up findings, shaped like real ones: the numbers are invented, nobody was measured."""

from __future__ import annotations

from statistics import NormalDist
from typing import Any

import numpy as np

from medveil.core.estimate import Estimate
from medveil.core.findings import AttackFindings, Condition, Curves, Findings

NOTE = "bootstrap over subjects, 1000 rounds"


def curves(auc: float, seed: int, people: int = 11) -> Curves:
    """Curves of Gaussian scores whose separation gives about this AUC."""
    rng = np.random.default_rng(seed)
    d = NormalDist().inv_cdf(min(auc, 0.999)) * 2**0.5
    mated = np.sort(rng.normal(d, 1, people))
    non_mated = np.sort(rng.normal(0, 1, people * (people - 1)))
    thresholds = np.concatenate([[np.inf], np.unique(np.concatenate([mated, non_mated]))[::-1]])
    fpr = np.array([(non_mated >= t).mean() for t in thresholds])
    tpr = np.array([(mated >= t).mean() for t in thresholds])
    spread = 0.06 + 0.5 * np.sqrt(tpr * (1 - tpr) / people) * 2
    bins = np.linspace(min(non_mated[0], mated[0]), max(non_mated[-1], mated[-1]), 15)
    ranks = np.array([1 + (rng.normal(0, 1, people - 1) > s).sum() for s in mated])
    cmc = np.array([(ranks <= k).mean() for k in range(1, people + 1)])
    width = 1.96 * np.sqrt(cmc * (1 - cmc) / people) + 0.03
    return Curves(
        fpr=fpr.tolist(),
        tpr=tpr.tolist(),
        tpr_low=np.clip(tpr - spread, 0, 1).tolist(),
        tpr_high=np.clip(tpr + spread, 0, 1).tolist(),
        cmc=cmc.tolist(),
        cmc_low=np.clip(cmc - width, 0, 1).tolist(),
        cmc_high=np.clip(cmc + width, 0, 1).tolist(),
        bins=bins.tolist(),
        mated=np.histogram(mated, bins, density=True)[0].tolist(),
        non_mated=np.histogram(non_mated, bins, density=True)[0].tolist(),
        gallery_sizes=[2.0, 5.0, float(people)],
        rank1_by_size=np.interp([2, 5, people], [2, people], [auc, cmc[0]]).tolist(),
        rank1_low=(np.interp([2, 5, people], [2, people], [auc, cmc[0]]) * 0.8).tolist(),
        rank1_high=(np.interp([2, 5, people], [2, people], [auc, cmc[0]]) ** 0.8).tolist(),
    )


def condition(label: str, auc: tuple[float, float, float], *, p: float, seed: int = 0) -> Condition:
    """One condition of 11 people with one photograph each; the other metrics follow the AUC roughly."""
    a, low, high = auc
    eer = [NormalDist().cdf(-NormalDist().inv_cdf(min(x, 0.999)) / 2**0.5) for x in (high, a, low)]
    rank = [round(11 * max(0.0, 2 * x - 1) ** 1.3 + 1) / 11 for x in (low, a, high)]
    return Condition(
        label=label,
        estimates={
            "auc": Estimate("auc", a, low, high, 0.95, 11, "", "lower", 0.5, p, NOTE),
            "eer": Estimate("eer", eer[1], eer[0], eer[2], 0.95, 11, "", "higher", 0.5, None, NOTE),
            "linkability": Estimate(
                "linkability",
                min(1.0, 0.12 + 1.6 * max(0.0, a - 0.5)),
                max(0.0, 0.04 + 1.6 * max(0.0, low - 0.5)),
                min(1.0, 0.21 + 1.6 * max(0.0, high - 0.5)),
                0.95,
                11,
                "",
                "lower",
                0.13 if label == "original" else 0.12,
                p,
                NOTE,
            ),
            "rank_1": Estimate(
                "rank_1",
                min(1.0, rank[1]),
                rank[0],
                min(1.0, rank[2]),
                0.95,
                11,
                "",
                "lower",
                1 / 11,
                p,
                NOTE,
            ),
        },
        curves=curves(a, seed),
        persons=11,
        mated=11,
        non_mated=110,
        notes={"gallery": 11.0},
    )


def attack(
    name: str,
    original: tuple[float, float, float],
    release: tuple[float, float, float],
    verdict: Any,
    reason: str,
    smallest: float | None = 0.66,
) -> AttackFindings:
    embedding = name.endswith("embedding")
    return AttackFindings(
        attack=name,
        summary="Renders the skin of each scan and compares it with the photographs by a face recogniser."
        if embedding
        else "Compares the proportions of faces: distances between landmarks on scan and photograph.",
        settings={"size_px": 224, "views": 3, "centre_domains": True}
        if embedding
        else {"landmarks": 68, "shrinkage": 0.1, "centre_domains": True},
        conditions={
            "original": condition("original", original, p=0.001 if original[1] > 0.5 else 0.21, seed=1),
            "release": condition("release", release, p=0.001 if release[1] > 0.5 else 0.42, seed=2),
            "null": condition("null", (0.50, 0.40, 0.60), p=0.51, seed=3),
        },
        verdict=verdict,
        reason=reason,
        smallest_auc=smallest,
    )


def images(n: int = 12, refused: int = 1) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    for i in range(n):
        gone = i >= n - refused
        rows.append(
            {
                "subject": f"sub-{i + 1:02d}",
                "name": f"anat/sub-{i + 1:02d}_{'FLAIR' if i % 4 == 3 else 'T1w'}.nii.gz",
                "state": "refused" if gone else "protected",
                "reason": "no head found" if gone else "",
                "measured": {}
                if gone
                else {"removed_ml": 311.4 + 7.3 * i, "confidence": 0.99 - 0.004 * (i % 12)},
                "proofs": {}
                if gone
                else {
                    "brain_voxels_unchanged": True,
                    "kept_voxels_identical": True,
                    "header_as_declared": True,
                },
            }
        )
    return rows


def findings(case: str = "no evidence of a leak", **changes: Any) -> Findings:
    """Findings of one of the four cases: each of the three verdicts, or `not measured`."""
    strong, weak, chance = (0.97, 0.93, 0.99), (0.70, 0.57, 0.82), (0.52, 0.41, 0.63)
    works, same = "It works on the originals", "on the release it does no better than guessing."
    if case == "no evidence of a leak":
        attacks = [
            attack("reidentify.embedding", strong, chance, case, f"{works}; {same}", 0.63),
            attack("reidentify.geo", weak, (0.49, 0.38, 0.61), case, f"{works}, barely; {same}", 0.66),
        ]
        answer = "Before protection, these 11 people could be recognised. In the release, we found no sign that they still can."
    elif case == "leak":
        attacks = [
            attack(
                "reidentify.embedding",
                strong,
                (0.81, 0.70, 0.90),
                case,
                "It still recognises people in the release.",
            ),
            attack(
                "reidentify.geo",
                weak,
                (0.55, 0.43, 0.67),
                "no evidence of a leak",
                f"{works}; {same}",
            ),
        ]
        answer = "People in this release can still be recognised from photographs."
    elif case == "attack too weak":
        attacks = [
            attack(
                "reidentify.embedding",
                (0.56, 0.44, 0.68),
                chance,
                case,
                "It fails on the originals already, so its failure on the release means nothing.",
                None,
            )
        ]
        answer = "We can't tell: the attack does not recognise these people even in the originals."
    else:
        attacks = []
        answer = "The images were protected; whether people can still be recognised was not measured."
    values: dict[str, Any] = {
        "title": "Release of study MV-12",
        "answer": answer,
        "verdict": case,
        "threat": "The attacker knows the protection method, holds the released images and 3 photographs of each "
        "of 11 candidates, and images of 24 other people to calibrate with; every person in the release "
        "is among the candidates. They hold no keys."
        if attacks
        else "",
        "simulated": bool(attacks),
        "cohort": {"subjects": "12", "images": "12", "contrasts": "T1w 9, FLAIR 3", "photographs": "33"},
        "attacks": attacks,
        "steps": [
            "Remove every voxel outside the brain and in front of the ears, to 5 mm from the brain.",
            "Keep only the header fields that geometry needs; names, dates and notes go.",
        ],
        "step_settings": {
            "deface.erase": {"margin_mm": 5.0, "fill": "zero", "keep_ears": False},
            "header.keep": {"fields": ["dim", "pixdim", "sform"]},
        },
        "images": images(),
        "fidelity": {
            "brain_voxels_changed": Estimate("brain_voxels_changed", 0.0, 0.0, 0.0, 0.95, 11, "", "lower"),
            "brain_volume_change_ml": Estimate(
                "brain_volume_change_ml",
                0.31,
                0.12,
                0.55,
                0.95,
                11,
                "mL",
                "lower",
                note="volume inside the brain mask",
            ),
            "psnr": Estimate(
                "psnr", None, unit="dB", n=11, better="higher", note="no voxel inside the brain differs"
            ),
        },
        "seed": 20261121,
        "versions": {"medveil": "0.1.0", "numpy": "2.4.6", "python": "3.11.9", "matplotlib": "3.11.2"},
        "methods": [
            "Faces were removed with medveil 0.1.0 (deface.erase, margin 5 mm); voxels of the brain were left as they were.",
            "Re-identification was attempted with two attacks [1, 2] on the originals, on the release and on unrelated people. "
            "We report the area under the ROC curve, the equal error rate, linkability [3] and the rank-1 rate, with 95 % "
            "intervals from a bootstrap over subjects.",
        ]
        if attacks
        else ["Faces were removed with medveil 0.1.0 (deface.erase, margin 5 mm)."],
        "references": [
            "Schwarz CG et al. Identification of MRI research participants from face photographs. NEJM 2019.",
            "Boutet A, Frindel C, Maouche M. Towards an evolution in the characterization of the risk of "
            "re-identification of medical images. IEEE BigData 2023.",
            "Gomez-Barrero M et al. General framework to evaluate unlinkability in biometric template protection "
            "systems. IEEE TIFS 2018.",
        ],
    }
    return Findings(**{**values, **changes})


CASES = ("leak", "no evidence of a leak", "attack too weak", "not measured")
