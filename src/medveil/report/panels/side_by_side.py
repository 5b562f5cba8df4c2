"""Every image before and after, the ones that need eyes most first: internal edition only, it shows faces.

A steward with hundreds of scans scrolls this: refused images, with their reason; then the released ones from
the least sure to the surest, each as one card.
"""

from __future__ import annotations

import base64
import math
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from medveil.core.errors import UsageError
from medveil.core.findings import Findings
from medveil.report.panels import facts
from medveil.report.panels.base import Panel
from medveil.report.panels.images import held, natural, reason

JPEG = b"\xff\xd8\xff"
FRAMES = 9  # of a turning head, from the left profile to the right one
SIDES = (
    "left profile", "left, 68 degrees", "left, 45 degrees", "left, 22 degrees", "front",
    "right, 22 degrees", "right, 45 degrees", "right, 68 degrees", "right profile",
)  # fmt: skip


class Shown(Protocol):
    """What the pictures of one image have to bring along."""

    @property
    def subject(self) -> str: ...
    @property
    def name(self) -> str: ...
    @property
    def slices_before(self) -> bytes: ...
    @property
    def slices_after(self) -> bytes: ...
    @property
    def heads_before(self) -> bytes: ...
    @property
    def heads_after(self) -> bytes: ...


def arrange(findings: Findings, pictures: Sequence[Shown]) -> dict[str, Any]:
    """One card an image, in the order in which they should be looked at.

    Raises:
        UsageError: a picture that is no JPEG.
    """
    drawn = {(p.subject, p.name): _pictures(p) for p in pictures}
    rows = {(str(r.get("subject", "")), str(r.get("name", ""))): r for r in findings.images}
    shown = [row for key, row in rows.items() if key in drawn or row.get("state") != "protected"]
    shown += [{"subject": s, "name": n, "state": "protected"} for s, n in drawn if (s, n) not in rows]
    columns = facts.columns([r for r in shown if r.get("state") == "protected"])
    cards = [
        _card(row, drawn.get((str(row["subject"]), str(row["name"])), {}), columns)
        for row in sorted(shown, key=_urgency)
    ]
    return {
        "refused": [c for c in cards if c["refused"]],
        "released": [c for c in cards if not c["refused"]],
        "turning": any(c["heads_before"] for c in cards),
        "sides": SIDES,
    }


def _urgency(row: Mapping[str, Any]) -> tuple[Any, ...]:
    """Refused before released; then the least sure first, and those of which nothing is known before them."""
    confidence = (row.get("measured") or {}).get(facts.CONFIDENCE, -math.inf)
    refused = row.get("state") != "protected"
    return (not refused, 0.0 if refused else confidence, natural(row))


def _card(
    row: Mapping[str, Any], pictures: Mapping[str, str], columns: Sequence[facts.Column]
) -> dict[str, Any]:
    measured = row.get("measured") or {}
    refused = row.get("state") != "protected"
    return {
        "subject": str(row.get("subject", "")),
        "name": str(row.get("name", "")),
        "refused": reason(row) if refused else "",
        "facts": [(c.head, c.cell(measured)) for c in columns if c.key in measured],
        "remarks": [str(r) for r in row.get("remarks") or ()],
        **held(row),
        **{
            key: pictures.get(key, "")
            for key in ("slices_before", "slices_after", "heads_before", "heads_after")
        },
    }


def _pictures(picture: Shown) -> dict[str, str]:
    """The pictures of one image as data URIs, empty where there is none."""
    return {
        "slices_before": _uri(picture.slices_before),
        "slices_after": _uri(picture.slices_after),
        "heads_before": _uri(picture.heads_before),
        "heads_after": _uri(picture.heads_after),
    }


def _uri(picture: bytes) -> str:
    if not picture:
        return ""
    if not picture.startswith(JPEG):
        raise UsageError("report: a picture is not a JPEG")
    return "data:image/jpeg;base64," + base64.b64encode(picture).decode()


PANEL = Panel("pictures", "Every image before and after", "Pictures", lambda _: None)
