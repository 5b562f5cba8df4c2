"""Truth: who is who. Only `measure` and `pipeline` may hold it; no attack can import it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, repr=False)
class Truth:
    """Maps labels of a release and labels of a gallery to persons; an unnamed label stands for itself."""

    probe_person: Mapping[str, str] = field(default_factory=dict)
    gallery_person: Mapping[str, str] = field(default_factory=dict)

    def probe(self, subject: str) -> str:
        return self.probe_person.get(subject, subject)

    def gallery(self, subject: str) -> str:
        return self.gallery_person.get(subject, subject)

    def __repr__(self) -> str:
        return "Truth(...)"
