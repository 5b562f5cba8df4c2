"""What was removed: the fate of every image, refused ones first, with the proofs."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from medveil.core.findings import Findings
from medveil.report import words
from medveil.report.panels import facts
from medveil.report.panels.base import Panel

SHOWN = 25  # rows that stand open on the page; more fold away
FEW = 3  # images that are named beside a remark


def context(findings: Findings) -> dict[str, Any] | None:
    if not findings.images:
        return None
    rows = sorted(findings.images, key=natural)
    refused = [r for r in rows if r.get("state") != "protected"]
    protected = [r for r in rows if r.get("state") == "protected"]
    columns = facts.columns(protected)
    proofs = sorted({k for r in protected for k in r.get("proofs") or {}})
    return {
        "total": words.counted(len(rows), "image"),
        "protected_count": len(protected),
        "refused_count": words.counted(len(refused), "image"),
        "refused": [_refused(r) for r in refused],
        "reasons": _reasons(refused),
        "fold_refused": len(refused) > SHOWN,
        "proofs": [_proof(k, protected) for k in proofs],
        "columns": columns,
        "detected": facts.detected(protected),
        "protected": [_protected(r, columns) for r in protected],
        "remarks": _remarks(protected),
        "fold": len(protected) > SHOWN,
    }


def _refused(row: Mapping[str, Any]) -> dict[str, str]:
    return {
        "subject": str(row.get("subject", "")),
        "name": str(row.get("name", "")),
        "reason": reason(row),
    }


def reason(row: Mapping[str, Any]) -> str:
    """Why an image is not in the release; a state other than refused is said as well."""
    state, why = str(row.get("state", "refused")), str(row.get("reason") or "no reason given")
    return why if state == "refused" else f"{state}: {why}"


def natural(row: Mapping[str, Any]) -> list[tuple[int, str]]:
    """Sorting key that puts sub-9 before sub-10."""
    text = f"{row.get('subject', '')} {row.get('name', '')}"
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in re.split(r"(\d+)", text)]


def _reasons(refused: list[dict[str, Any]]) -> list[tuple[str, int]]:
    counts: dict[str, int] = {}
    for row in refused:
        why = reason(row)
        counts[why] = counts.get(why, 0) + 1
    return sorted(counts.items(), key=lambda item: (-item[1], item[0]))


def _proof(key: str, protected: list[dict[str, Any]]) -> dict[str, Any]:
    """One proof over all protected images: held by all, or by how many."""
    given = [row["proofs"][key] for row in protected if key in (row.get("proofs") or {})]
    held = sum(1 for g in given if g is True)
    return {
        "name": words.phrase(key),
        "all": held == len(given),
        "held": held,
        "of": len(given),
    }


def _remarks(protected: list[dict[str, Any]]) -> list[tuple[str, str, str]]:
    """Each remark once, with the number of images it is about, and their names where they are few."""
    about: dict[str, list[str]] = {}
    for row in protected:
        for remark in row.get("remarks") or ():
            about.setdefault(str(remark), []).append(str(row.get("name", "")))
    return [
        (remark, words.counted(len(names), "image"), ", ".join(names) if len(names) <= FEW else "")
        for remark, names in sorted(about.items(), key=lambda item: (-len(item[1]), item[0]))
    ]


def _protected(row: Mapping[str, Any], columns: list[facts.Column]) -> dict[str, Any]:
    return {
        "subject": str(row.get("subject", "")),
        "name": str(row.get("name", "")),
        "measured": [c.cell(row.get("measured") or {}) for c in columns],
        **held(row),
    }


def held(row: Mapping[str, Any]) -> dict[str, Any]:
    """How many proofs of an image were checked, and the names of those that do not hold."""
    proofs = row.get("proofs") or {}
    broken = ", ".join(words.phrase(k) for k in sorted(proofs) if proofs[k] is not True)
    return {"checked": len(proofs), "broken": broken}


PANEL = Panel("images", "What was removed", "Images", context)
