"""Truth: who is who. Only `measure` and `pipeline` may hold it; no attack can import it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, repr=False)
class Truth:
    """Maps labels of a release and labels of a gallery to persons; an unnamed label stands for itself.

    Args:
        probe_person, gallery_person: label to person.
        properties: label in the release to what is true of that person: attribute to value, as text.
    """

    probe_person: Mapping[str, str] = field(default_factory=dict)
    gallery_person: Mapping[str, str] = field(default_factory=dict)
    properties: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    def probe(self, subject: str) -> str:
        return self.probe_person.get(subject, subject)

    def gallery(self, subject: str) -> str:
        return self.gallery_person.get(subject, subject)

    def property_of(self, subject: str, attribute: str) -> str | None:
        """What is true of the person behind a label of the release; None where nobody knows."""
        value = self.properties.get(subject, {}).get(attribute, "")
        return value if value not in ("", "n/a") else None

    def __repr__(self) -> str:
        return "Truth(...)"
