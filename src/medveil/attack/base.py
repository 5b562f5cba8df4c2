"""Base: what every attack is. An attack receives a release and a threat, and returns claims; nothing else.

It is handed neither truth nor keys, and the layers of the package keep it from importing them.
"""

from __future__ import annotations

from typing import ClassVar, Literal, Protocol, runtime_checkable

from medveil.attack.observer import Observer
from medveil.core.claims import Guesses, PairClaims
from medveil.core.cohort import Cohort
from medveil.core.threat import Threat

Known = Literal["photographs", "scans", "table"]


@runtime_checkable
class PairAttack(Protocol):
    """An attack that claims, for each probe image and each candidate, how likely they are one person.

    A frozen dataclass whose fields are its settings; `name` is the path of its file.
    """

    name: ClassVar[str]
    summary: ClassVar[str]
    needs: ClassVar[Known]
    """What the attacker must hold of the candidates, in `threat.gallery`."""
    learns: ClassVar[bool]
    """Whether it needs other people to learn from, in `threat.background`."""

    def run(self, probes: Cohort, threat: Threat, *, condition: str, observer: Observer) -> PairClaims:
        """One score for every pair of a probe image and a gallery person, all finite, none left out.

        Args:
            probes: what the attacker found: the originals, a release, or a null.
            threat: what they know.
            condition: label of what is attacked (original, release, null, ...), copied into the claims.
            observer: looks at images; shared by attacks so that no image is looked at twice.
        """
        ...

    def describe(self) -> str:
        """In words, what the attack will do."""
        ...


@runtime_checkable
class GuessAttack(Protocol):
    """An attack that guesses a property of each probe: a sex, an age, whether it was in a training set.

    A frozen dataclass whose fields are its settings; `name` is the path of its file.
    """

    name: ClassVar[str]
    summary: ClassVar[str]

    def run(self, probes: Cohort, threat: Threat, *, condition: str, observer: Observer) -> Guesses:
        """One guess for every probe image.

        Args:
            probes: what the attacker found; their participants table must not be read.
            threat: `threat.background` are other people, with a participants table to learn from.
            condition: label of what is attacked, copied into the guesses.
            observer: looks at images; shared by attacks so that no image is looked at twice.
        """
        ...

    def describe(self) -> str:
        """In words, what the attack will do."""
        ...
