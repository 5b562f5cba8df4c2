"""Embedding: recognise the person in a head scan from photographs, by dlib's face embeddings.

The attack of Schwarz et al. 2019 and 2021 with tools that anybody can install; how embeddings are compared stands in
`by_embedding`.

What was tried and did not earn a setting is listed in benchmarks/reidentification/README.md.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from medveil.attack.reidentify.by_embedding import ByEmbedding
from medveil.attack.reidentify.eyes import Eye, Resnet, checked_face
from medveil.attack.reidentify.portrait import FaceShown


@dataclass(frozen=True)
class Embedding(ByEmbedding):
    """Compare renders of a scan with photographs by 128-d face embeddings (dlib ResNet).

    Args:
        views, centring, normalise: see `ByEmbedding`.
        face: raw: the face as it is. bald: only what lies between brows and chin, on renders and photographs alike,
            so that no hair is compared with none.
        harmonise: make renders and photographs grey and equalise their local contrast.
    """

    face: FaceShown = "raw"
    harmonise: bool = False

    name: ClassVar[str] = "reidentify.embedding"
    summary: ClassVar[str] = "compares renders of the head with photographs by a face recogniser"

    def __post_init__(self) -> None:
        super().__post_init__()
        checked_face(self.name, self.face)

    def eye(self) -> Eye:
        """dlib's network on the face as the settings show it."""
        return Resnet(face=self.face, harmonise=self.harmonise)

    def describe(self) -> str:
        """In words, what the attack will do."""
        shown = "" if self.face == "raw" else ", brows to chin only,"
        grey = " grey, with equalised contrast," if self.harmonise else ""
        return (
            f"render each head from {self.views} sides, and compare its face embeddings (dlib ResNet, averaged)"
            f"{shown}{grey} with those of each candidate's photographs {self.comparison()}"
        )
