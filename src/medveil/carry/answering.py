"""Answering: the first sentence a worried person reads, from what each attacker achieved.

Who can recognise somebody depends on what they hold: photographs, another scan, a table of facts. A release
without faces may be closed to the first and wide open to the second, so the answer says to whom.
"""

from __future__ import annotations

from collections.abc import Sequence

from medveil.core.findings import AttackFindings
from medveil.core.listing import listed

NOT_MEASURED = (
    "The images were protected and every file was verified, but whether the people in them can be "
    "recognised was not measured."
)
HEADERS_ALONE = (
    "Headers were rebuilt and every file was verified. No face was removed, and whether the people in these images "
    "can be recognised was not measured."
)
TOO_WEAK = (
    "Nobody can say yet: the attacks were not shown to work on the original images, so their failure on the "
    "release means nothing."
)
HOLDERS = {
    "photographs": "whoever holds photographs of them",
    "scans": "whoever holds another scan of their heads",
    "table": "whoever knows the facts that the table tells of them",
}
WITH = {"photographs": "photographs", "scans": "another scan of the head", "table": "a table of facts"}


def answer(attacks: Sequence[AttackFindings], needs: Sequence[str], *, voxels: bool = True) -> str:
    """What one may say, given attacks judged together and what each attacker holds (`attack.base.Known`).

    Args:
        voxels: whether anything was done to what the images show.
    """
    if not attacks:
        return NOT_MEASURED if voxels else HEADERS_ALONE
    by_verdict: dict[str, list[str]] = {}
    for found, need in zip(attacks, needs, strict=True):
        by_verdict.setdefault(found.verdict, []).append(need)
    open_to = dict.fromkeys(by_verdict.get("leak", []))
    closed_to = [n for n in dict.fromkeys(by_verdict.get("no evidence of a leak", [])) if n not in open_to]
    if open_to:
        said = f"People in this release can be recognised by {listed([HOLDERS[n] for n in open_to])}."
        if closed_to:
            said += (
                f" With {listed([WITH[n] for n in closed_to], 'or')}, the attacks do no better than guessing."
            )
        return said
    if closed_to:
        return (
            "These people could be recognised in the original images. In the release, the same attacks do no "
            f"better than guessing, with {listed([WITH[n] for n in closed_to], 'or')} of the right people."
        )
    return TOO_WEAK
