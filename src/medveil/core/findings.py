"""Findings: everything a report shows, as values. Versioned JSON is its file format.

`measure` fills them, `report` renders them; a report computes nothing.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from medveil.core.errors import InputRefused
from medveil.core.estimate import Estimate
from medveil.core.inference import Inference
from medveil.core.table_risk import TableRisk
from medveil.core.verdict import Verdict

FORMAT = "medveil-findings"
VERSION = 1

__all__ = ["AttackFindings", "Condition", "Curves", "Findings", "Verdict"]


@dataclass(frozen=True)
class Curves:
    """Points of the pictures of one attack under one condition; lists of floats, ready for JSON.

    Args:
        fpr, tpr, tpr_low, tpr_high: ROC with a pointwise band over bootstrap rounds (or empty bands).
        cmc: rank-k rate for k = 1..len, with `cmc_low`, `cmc_high`.
        bins: edges of the score histogram; `mated`, `non_mated`: densities per bin.
        gallery_sizes, rank1_by_size, rank1_low, rank1_high: rank-1 in random galleries of so many people.
    """

    fpr: list[float]
    tpr: list[float]
    tpr_low: list[float]
    tpr_high: list[float]
    cmc: list[float]
    cmc_low: list[float]
    cmc_high: list[float]
    bins: list[float]
    mated: list[float]
    non_mated: list[float]
    gallery_sizes: list[float] = field(default_factory=list)
    rank1_by_size: list[float] = field(default_factory=list)
    rank1_low: list[float] = field(default_factory=list)
    rank1_high: list[float] = field(default_factory=list)


@dataclass(frozen=True)
class Condition:
    """One attack on one thing: `label` is original, release or null (or any label of a score table)."""

    label: str
    estimates: dict[str, Estimate]
    curves: Curves
    persons: int
    mated: int
    non_mated: int
    notes: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class AttackFindings:
    """What one attack achieved, and the verdict one may draw from it.

    Args:
        attack: public name; `summary`: one sentence what it does; `settings`: its fields.
        conditions: by label.
        verdict: one of the three, with `reason`, one sentence in plain words.
        smallest_auc: smallest AUC that this many subjects could have told from chance, None if not computed.
        threat: what this attacker holds, in one honest sentence; empty where unknown (a bare score table).
        p_value: p of "no better than chance" on the release, both statistics counted; None if untested.
        p_corrected: the same once all attacks of the run are counted (Holm); None before, or if untested.
    """

    attack: str
    summary: str
    settings: dict[str, Any]
    conditions: dict[str, Condition]
    verdict: Verdict
    reason: str
    smallest_auc: float | None = None
    threat: str = ""
    p_value: float | None = None
    p_corrected: float | None = None


@dataclass(frozen=True)
class Findings:
    """All that a report renders.

    Args:
        title: heading of the page; `answer`: the first sentence a worried person reads.
        verdict: over all attacks: leak if any leaks; too weak only if none was strong enough.
        threat: what the attackers hold, over all attacks; empty where unknown (a bare score table).
        simulated: True if the people do not exist; the page then says what follows from that.
        cohort: rows of the cohort table (label to value, e.g. subjects, images, contrasts).
        attacks: the findings of each attack; `strongest`: one sentence on the one that goes furthest.
        unmeasured: attack that was not run to the reason.
        tables: what the participants table gives away, `original` and `release`; empty if there is none.
        inferences: what could be guessed of people, attribute by attribute.
        names: what became of names and dates, and who can undo it; empty where nothing was released.
        steps: each protection in words; `step_settings`: public name to settings.
        images: one row an image: subject, name, state, reason, measured, proofs.
        fidelity: what protection changed in what was kept (metric name to Estimate).
        seeds: root seed; `versions`: package to version; `methods`: sentences for a paper;
        references: full references, by number.
    """

    title: str
    answer: str
    verdict: Verdict | Literal["not measured"]
    threat: str
    simulated: bool
    cohort: dict[str, str]
    attacks: list[AttackFindings]
    steps: list[str] = field(default_factory=list)
    step_settings: dict[str, dict[str, Any]] = field(default_factory=dict)
    images: list[dict[str, Any]] = field(default_factory=list)
    fidelity: dict[str, Estimate] = field(default_factory=dict)
    seed: int = 0
    versions: dict[str, str] = field(default_factory=dict)
    methods: list[str] = field(default_factory=list)
    references: list[str] = field(default_factory=list)
    unmeasured: dict[str, str] = field(default_factory=dict)
    strongest: str = ""
    tables: dict[str, TableRisk] = field(default_factory=dict)
    inferences: list[Inference] = field(default_factory=list)
    names: str = ""

    def to_json(self) -> dict[str, Any]:
        return {"format": FORMAT, "version": VERSION, **asdict(self)}

    @staticmethod
    def from_json(data: Any) -> Findings:
        """Rebuild findings from parsed JSON.

        Raises:
            InputRefused: not a findings document, an unknown version, or a missing field.
        """
        if not isinstance(data, dict) or data.get("format") != FORMAT:
            raise InputRefused(f"findings: expected a {FORMAT} document")
        if data.get("version") != VERSION:
            raise InputRefused(f"findings: expected version {VERSION}")
        fields = {k: v for k, v in data.items() if k not in ("format", "version")}
        try:
            fields["attacks"] = [_attack(a) for a in fields["attacks"]]
            fields["tables"] = {k: TableRisk.from_json(t) for k, t in fields.get("tables", {}).items()}
            fields["inferences"] = [Inference.from_json(i) for i in fields.get("inferences", [])]
            fields["fidelity"] = {k: Estimate(**v) for k, v in fields.get("fidelity", {}).items()}
            return Findings(**fields)
        except (TypeError, KeyError, AttributeError, ValueError) as error:
            raise InputRefused("findings: a field is missing or unknown") from error


def _attack(data: dict[str, Any]) -> AttackFindings:
    conditions = {
        label: Condition(
            **{
                **c,
                "estimates": {k: Estimate(**e) for k, e in c["estimates"].items()},
                "curves": Curves(**c["curves"]),
            }
        )
        for label, c in data["conditions"].items()
    }
    return AttackFindings(**{**data, "conditions": conditions})
