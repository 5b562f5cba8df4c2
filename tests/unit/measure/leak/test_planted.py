"""The planted set: valid files, every marker in its file, classes counted as the published table counts them."""

from __future__ import annotations

import io
import warnings
from collections import Counter

import nibabel as nib
import numpy as np
import pydicom
import pytest
from PIL import Image as Picture

from medveil.core.errors import UsageError
from medveil.core.image import Image
from medveil.core.seeds import Seeds
from medveil.io.search import Needle, Needles
from medveil.io.unpacking import Unpacker
from medveil.measure.leak.dicom_places import COUNTS
from medveil.measure.leak.matching import cases, match
from medveil.measure.leak.midi import judge
from medveil.measure.leak.planted import FORMATS, Planted, plant


def volume() -> Image:
    return Image(np.arange(8 * 9 * 10, dtype=np.int16).reshape(8, 9, 10), np.diag([2.0, 2, 2, 1]))


@pytest.fixture(scope="module")
def planted() -> Planted:
    return plant(FORMATS, Seeds(4), volume)


def test_the_first_file_holds_166_markers_by_class(planted: Planted) -> None:
    first = planted.files[0].place
    counts = Counter(m.group for m in planted.markers if m.file == first)
    del counts["file names"]
    assert counts == COUNTS
    assert counts.total() == 166
    assert len(planted.markers) - 166 >= 60


def test_every_marker_is_in_its_file_or_its_name(planted: Planted) -> None:
    needles = Needles(Needle(raw, n, e) for n, m in enumerate(planted.markers) for raw, e in m.spellings())
    for file in planted.files:
        search = Unpacker(needles)
        search.feed(file.content)
        search.close()
        met = search.found.plain | search.found.packed | needles.found_in(file.place.encode())
        absent = [m.place for n, m in enumerate(planted.markers) if m.file == file.place and n not in met]
        assert not absent
        assert not search.found.incomplete


def test_no_two_markers_are_the_same(planted: Planted) -> None:
    values = Counter(m.value for m in planted.markers)
    assert [v for v, n in values.items() if n > 1] == []


def test_the_same_seed_gives_the_same_files_and_another_none_of_the_markers(planted: Planted) -> None:
    again, other = plant(FORMATS, Seeds(4), volume), plant(FORMATS, Seeds(5), volume)
    assert [f.content for f in again.files] == [f.content for f in planted.files]
    common = {m.value for m in planted.markers} & {m.value for m in other.markers}
    assert common == {"094Y"}


def test_every_dicom_file_opens_and_its_pixels_decode(planted: Planted) -> None:
    images = [f for f in planted.files if f.facts]
    assert len(images) == 10
    for file in images:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            assert pydicom.dcmread(io.BytesIO(file.content)).pixel_array.shape == (64, 64)
    assert len({f.facts.digest for f in images if f.facts}) == 10


def test_volumes_and_pictures_open(planted: Planted) -> None:
    volumes = [f for f in planted.files if f.place.endswith(".nii.gz")]
    assert len({f.shape for f in volumes}) == 2
    for file in volumes:
        import gzip

        image = nib.Nifti1Image.from_bytes(gzip.GzipFile(fileobj=io.BytesIO(file.content)).read(352 + 10**6))
        assert image.shape == file.shape
        np.testing.assert_array_equal(np.asarray(image.dataobj), volume().data[..., 10 - file.shape[2] :])
    for file in planted.files:
        if file.place.endswith((".png", ".jpg")):
            assert Picture.open(io.BytesIO(file.content)).size == (8, 8)


def test_an_untouched_copy_fails_and_a_missing_one_too(planted: Planted) -> None:
    facts = [f.facts for f in planted.files if f.facts]
    untouched = judge(cases(facts, facts[::-1]))
    assert {j.action.kind for j in untouched if not j.passed} == {
        "text_removed",
        "date_shifted",
        "uid_changed",
    }
    assert not any(j.passed for j in judge(cases(facts, [])))
    assert match(facts, facts[1:]) == [None, *facts[1:]]


@pytest.mark.parametrize("formats", [[], ["dcm"], ["dicom", "minc"]])
def test_unknown_formats_are_refused(formats: list[str]) -> None:
    with pytest.raises(UsageError, match="formats"):
        plant(formats, Seeds(1), volume)
