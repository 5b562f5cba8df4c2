"""A file among the settings is told by its content, and its place stays here."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from medveil.carry.jobs import signature
from medveil.carry.told import told
from medveil.core.image import Image
from medveil.core.release import NOTHING, Given, Outcome
from medveil.io.given import NO_FILES


@dataclass(frozen=True)
class Step:
    template: str = ""
    how: str = "smooth"
    name = "deface.stand_in"
    summary = "a stand-in"

    def check(self) -> None:
        pass

    def apply(self, image: Image, given: Given = NOTHING) -> Outcome:
        return Outcome(image)

    def describe(self) -> str:
        return self.how


def test_a_file_is_told_by_its_hash_and_a_word_as_it_is(tmp_path: Path) -> None:
    file = tmp_path / "Qanary_face.nii.gz"
    file.write_bytes(b"a face")
    said = told(Step(template=str(file)))
    assert said.template.startswith("sha256:")
    assert said.how == "smooth"
    assert "Qanary" not in repr(said)
    assert told(Step()) == Step()


def test_another_content_is_another_signature(tmp_path: Path) -> None:
    file = tmp_path / "face.nii.gz"
    signed = set()
    for content in (b"one", b"two", b"one"):
        file.write_bytes(content)
        signed.add(signature((Step(template=str(file)),), "source", NO_FILES, ""))
    assert len(signed) == 2
