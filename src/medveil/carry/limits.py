"""Limits a user sets on a release: `linkability>0.1` ends the run with exit code 1 if it is true."""

from __future__ import annotations

import re
from dataclasses import dataclass

from medveil.core.errors import UsageError
from medveil.core.findings import Findings


@dataclass(frozen=True)
class Limit:
    """One comparison of an estimate, under the condition `release`, with a number.

    >>> Limit.parse("linkability > 0.1")
    Limit(metric='linkability', sign='>', bound=0.1)
    """

    metric: str
    sign: str
    bound: float

    @staticmethod
    def parse(text: str) -> Limit:
        """Read `metric>number` or `metric<number`.

        Raises:
            UsageError: any other text.
        """
        match = re.fullmatch(r"\s*([a-z_0-9]+)\s*([<>])\s*([-+]?[0-9.]+(?:e[-+]?\d+)?)\s*", text)
        try:
            return Limit(match[1], match[2], float(match[3])) if match else _refuse()
        except ValueError:
            return _refuse()

    def broken_by(self, findings: Findings) -> bool:
        """True if the comparison holds for any attack on the release; a limit nobody measured is broken.

        Raises:
            UsageError: the findings hold attacks, but none of them measured this metric.
        """
        held = [
            c.estimates for a in findings.attacks for label, c in a.conditions.items() if label == "release"
        ]
        if held and all(self.metric not in e for e in held):
            raise UsageError(
                f"--fail-if: no estimate named {self.metric}", hint="known are " + ", ".join(sorted(held[0]))
            )
        values = [e[self.metric].value for e in held if self.metric in e]
        if not values or any(v is None for v in values):
            return True
        return any(v > self.bound if self.sign == ">" else v < self.bound for v in values if v is not None)


def _refuse() -> Limit:
    raise UsageError("--fail-if: expected metric>number or metric<number", hint="--fail-if 'linkability>0.1'")
