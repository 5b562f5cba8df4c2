"""Verdict: the three things one may conclude from an attack, and no fourth."""

from __future__ import annotations

from typing import Literal

Verdict = Literal["leak", "no evidence of a leak", "attack too weak"]
