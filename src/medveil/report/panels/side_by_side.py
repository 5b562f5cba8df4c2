"""Before and after, side by side: faces, so this panel stands in the internal edition only."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from typing import Any, Protocol

from medveil.core.errors import UsageError
from medveil.report.panels.base import Panel

PNG = b"\x89PNG\r\n\x1a\n"


class Shown(Protocol):
    """What a picture has to bring along."""

    @property
    def subject(self) -> str: ...
    @property
    def caption(self) -> str: ...
    @property
    def png(self) -> bytes: ...
    @property
    def group(self) -> str: ...


def arrange(pictures: Sequence[Shown]) -> dict[str, Any]:
    """Pictures by subject, then by group, each in the order given."""
    subjects: dict[str, dict[str, list[dict[str, str]]]] = {}
    for picture in pictures:
        if not picture.png.startswith(PNG):
            raise UsageError("report: a picture is not a PNG")
        subjects.setdefault(picture.subject, {}).setdefault(picture.group, []).append(
            {
                "caption": picture.caption,
                "data": "data:image/png;base64," + base64.b64encode(picture.png).decode(),
            }
        )
    return {
        "subjects": [
            {"subject": s, "groups": [{"name": g, "pictures": shown} for g, shown in groups.items()]}
            for s, groups in subjects.items()
        ]
    }


PANEL = Panel("pictures", "Before and after", "Pictures", lambda _: None)
