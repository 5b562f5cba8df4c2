"""Settings: what was done, with which settings, seed and versions, so that it can be done again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from medveil.core.findings import Findings
from medveil.report import words
from medveil.report.panels.base import Panel


def context(findings: Findings) -> dict[str, Any]:
    attacks = {a.attack: a.settings for a in findings.attacks}
    parts = sorted({**attacks, **findings.step_settings}.items())
    return {
        "steps": [words.sentence(step) for step in findings.steps],
        "parts": [(name, _rows(settings)) for name, settings in parts],
        "seed": findings.seed,
        "versions": [(k, findings.versions[k]) for k in words.in_order(findings.versions, ("medveil",))],
    }


def _rows(settings: Mapping[str, Any]) -> list[tuple[str, str]]:
    return [(str(k), words.setting(v)) for k, v in sorted(settings.items())]


PANEL = Panel("settings", "How it was made", "Settings", context)
