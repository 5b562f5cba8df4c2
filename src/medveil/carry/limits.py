"""Limits: what a steward will not accept of a release; a limit that is broken ends the run with exit code 1.

    linkability>0.1            the value itself
    linkability.high>0.1       the upper end of its interval: what the data do not rule out
    linkability-chance>0.1     the value above that of a guesser, for metrics that small samples bias upwards
    auc.low-chance>0           an end of the interval above chance
    k<5                        the released table: somebody looks like fewer than four others

What was not measured, or came out undefined, breaks the limit: nobody can say that it holds.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from medveil.core.errors import UsageError
from medveil.core.estimate import Estimate
from medveil.core.findings import Findings
from medveil.measure.verdict import judged

_FORM = re.compile(
    r"\s*([a-z_0-9]+)(?:\.(low|high))?\s*(-\s*chance)?\s*([<>])\s*([-+]?[0-9.]+(?:[eE][-+]?\d+)?)\s*"
)


@dataclass(frozen=True)
class Limit:
    """One comparison of an estimate of the release with a number.

    Args:
        metric: key of the estimate.
        sign: `>` or `<`.
        bound: the number.
        end: `low` or `high` end of the interval, empty for the value.
        above_chance: whether the value of a guesser is taken off first.

    >>> str(Limit.parse("linkability.high - chance > 0.1"))
    'linkability.high-chance>0.1'
    """

    metric: str
    sign: str
    bound: float
    end: Literal["", "low", "high"] = ""
    above_chance: bool = False

    @staticmethod
    def parse(text: str) -> Limit:
        """Read `metric[.low|.high][-chance]>number`, or the same with `<`.

        Raises:
            UsageError: any other text, or a number that is not finite.
        """
        match = _FORM.fullmatch(text)
        try:
            bound = float(match[5]) if match else math.nan
        except ValueError:
            bound = math.nan
        if match is None or not math.isfinite(bound):
            raise UsageError(
                "--fail-if: expected metric>number or metric<number",
                hint="--fail-if 'linkability>0.1', 'linkability.high>0.1' or 'linkability-chance>0.1'",
            )
        end: Literal["", "low", "high"] = "low" if match[2] == "low" else "high" if match[2] else ""
        return Limit(match[1], match[4], bound, end, bool(match[3]))

    def __str__(self) -> str:
        end = f".{self.end}" if self.end else ""
        return f"{self.metric}{end}{'-chance' * self.above_chance}{self.sign}{self.bound:g}"

    def broken_by(self, findings: Findings) -> bool:
        """Whether the comparison holds for any attack on the release, or nobody can say.

        Raises:
            UsageError: the findings hold attacks, but none of them measured this metric.
        """
        return bool(self.reasons(findings))

    def reasons(self, findings: Findings) -> list[str]:
        """One line for each attack that breaks the limit; empty if it holds.

        Raises:
            UsageError: the findings hold attacks, but none of them measured this metric.
        """
        return self.among(_held(findings))

    def among(self, held: Mapping[str, Mapping[str, Estimate]]) -> list[str]:
        """The same of any estimates, by what measured them.

        Raises:
            UsageError: there are some, but none of this metric.
        """
        if held and all(self.metric not in e for e in held.values()):
            known = sorted({name for e in held.values() for name in e})
            raise UsageError(
                f"--fail-if: no estimate named {self.metric}", hint="known are " + ", ".join(known)
            )
        if not held:
            return [f"{self}: nothing was measured"]
        found = ((name, self._told(e[self.metric])) for name, e in held.items() if self.metric in e)
        return [f"{self}: {told} ({name})" for name, told in found if told]

    def _told(self, e: Estimate) -> str:
        """What breaks the limit, in words; empty if nothing does."""
        value = {"": e.value, "low": e.low, "high": e.high}[self.end]
        if value is None or not math.isfinite(value):
            return f"{self.metric} has no interval" if self.end and e.value is not None else "undefined"
        if self.above_chance:
            if e.chance is None or not math.isfinite(e.chance):
                return f"{self.metric} has no chance value"
            value -= e.chance
        over = value > self.bound if self.sign == ">" else value < self.bound
        return f"it is {value:.4g}" if over else ""


def _held(findings: Findings) -> dict[str, Mapping[str, Estimate]]:
    """All estimates that speak of the release: of each attack, of its table, and of what was guessed of people."""
    held: dict[str, Mapping[str, Estimate]] = {a.attack: judged(a).estimates for a in findings.attacks}
    if "release" in findings.tables:
        held["the table"] = findings.tables["release"].estimates
    for found in findings.inferences:
        for label, estimates in found.conditions.items():
            if label.startswith("release") or found.attribute == "member":
                held[f"{found.attack}, {found.attribute}, {label}"] = estimates
    return held


def broken(limits: Sequence[Limit], findings: Findings) -> list[str]:
    """One line for each limit and attack that breaks it.

    Raises:
        UsageError: a limit on a metric that no attack measured.
    """
    return [line for limit in limits for line in limit.reasons(findings)]
