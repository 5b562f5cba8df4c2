"""Methods: sentences to paste into a paper, with numbered references."""

from __future__ import annotations

from typing import Any

from medveil.core.findings import Findings
from medveil.report.panels.base import Panel


def context(findings: Findings) -> dict[str, Any] | None:
    if not findings.methods and not findings.references:
        return None
    return {"methods": findings.methods, "references": list(enumerate(findings.references, 1))}


PANEL = Panel("methods", "Methods, to paste", "Methods", context)
