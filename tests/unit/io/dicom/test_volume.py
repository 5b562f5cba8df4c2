"""A series becomes one volume on one grid, whatever its files are called, or is refused; and goes back."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from medveil.core.errors import InputRefused, OutputFailed
from medveil.io.dicom.folder import inspect_dicom
from medveil.io.dicom.volume import read_series, read_volume, restored, stored

from .phantom import AXIAL, COLUMNS, NUCLEAR, ROWS, SAGITTAL, classic, enhanced, file, item, number

# Axial: i runs to the left (-x of RAS) by 1.5 mm, j to the back (-y) by 3 mm, k to the head by 2 mm.
AXIAL_AFFINE = [[-1.5, 0, 0, 10], [0, -3, 0, 20], [0, 0, 2, -30], [0, 0, 0, 1]]


def expected(slices: int = 6, times: int = 1) -> np.ndarray:
    whole = np.array([[number(k, t).T for k in range(slices)] for t in range(times)])  # (T, K, I, J)
    whole = np.moveaxis(whole, (0, 1), (3, 2))
    return whole[..., 0] if times == 1 else whole


def test_axial_slices_stand_where_the_standard_puts_them() -> None:
    image = read_volume(classic()).image
    assert image.affine.tolist() == AXIAL_AFFINE
    assert image.data.shape == (COLUMNS, ROWS, 6)
    assert image.data.dtype == np.uint16
    assert np.array_equal(image.data, expected())


def test_sagittal_slices_that_run_to_the_right_are_turned_to_run_along_their_normal() -> None:
    # Rows run to the back (y), columns to the feet (-z): the normal is (0,1,0) x (0,0,-1) = (-1,0,0), to the right.
    # The files run to the left, so the last of them is the first slice.
    volume = read_volume(classic(orientation=SAGITTAL, first=(-4, 0, 50), step=(2, 0, 0), slices=5))
    assert volume.image.affine.tolist() == [[0, 0, 2, -4], [-1.5, 0, 0, 0], [0, -3, 0, 50], [0, 0, 0, 1]]
    assert [f[0] for f in volume.where] == [(4, 0), (3, 0), (2, 0), (1, 0), (0, 0)]
    assert np.array_equal(volume.image.data[:, :, 0], number(4).T)


def test_oblique_slices() -> None:
    c, s = np.cos(np.pi / 6), np.sin(np.pi / 6)  # turned by 30 degrees about the left-right axis
    image = read_volume(
        classic(orientation=(1, 0, 0, 0, c, s), first=(0, 0, 0), step=(0, -2 * s, 2 * c))
    ).image
    by_hand = [[-1.5, 0, 0, 0], [0, -3 * c, 2 * s, 0], [0, 3 * s, 2 * c, 0], [0, 0, 0, 1]]
    assert np.abs(image.affine - by_hand).max() < 1e-6


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_every_pixel_stands_where_its_own_header_says(seed: int) -> None:
    draw = np.random.default_rng(seed)
    turn, _ = np.linalg.qr(draw.normal(size=(3, 3)))
    row, column = turn[0], turn[1]
    step = np.cross(row, column) * draw.choice([-1, 1]) * draw.uniform(0.5, 6) + 0.2 * column
    said = [float(f"{v:.10f}") for v in (*row, *column)]
    files = classic(
        orientation=said, first=draw.uniform(-200, 200, 3), step=step, slices=int(draw.integers(3, 9))
    )
    volume = read_volume([files[n] for n in draw.permutation(len(files))])
    i, j = np.meshgrid(range(COLUMNS), range(ROWS), indexing="ij")
    seen = []
    for data in files:
        at = np.array(data.ImagePositionPatient, float)[:, None]
        dr, dc = data.PixelSpacing
        lps = at + np.outer(row, i.ravel() * dc) + np.outer(column, j.ravel() * dr)
        voxel = np.linalg.inv(volume.image.affine) @ [*(-lps[:2]), lps[2], np.ones(lps.shape[1])]
        index = np.rint(voxel[:3]).astype(int)
        assert np.abs(voxel[:3] - index).max() < 1e-4
        assert np.array_equal(volume.image.data[tuple(index)], data.pixel_array[j.ravel(), i.ravel()])
        seen.append(index[2, 0])
    assert sorted(seen) == list(range(len(files)))


def test_a_tilted_gantry_shears_the_affine() -> None:
    image = read_volume(classic(step=(0, 0.5, 2))).image
    assert image.affine.tolist() == [[-1.5, 0, 0, 10], [0, -3, -0.5, 20], [0, 0, 2, -30], [0, 0, 0, 1]]


def test_the_order_of_files_says_nothing() -> None:
    files = classic(times=3)
    shuffled = random.Random(4).sample(files, len(files))  # noqa: S311 - no secret
    a, b = read_volume(files).image, read_volume(shuffled).image
    assert a.data.shape == (COLUMNS, ROWS, 6, 3)
    assert np.array_equal(a.data, expected(times=3))
    assert np.array_equal(a.data, b.data)
    assert np.array_equal(a.affine, b.affine)


def test_volumes_are_sorted_by_time_then_acquisition_then_echo_before_instance() -> None:
    for said in ("TemporalPositionIdentifier", "AcquisitionNumber", "EchoTime", "DiffusionBValue"):
        files = classic(times=2)
        for n, data in enumerate(files):
            setattr(data, said, 10 if n < 6 else 5)  # the later half comes first
        assert np.array_equal(read_volume(files).image.data[..., 0], expected(times=2)[..., 1]), said


def test_one_scaling_stays_beside_the_stored_numbers() -> None:
    image = read_volume(classic(RescaleSlope=2.5, RescaleIntercept=-1024)).image
    assert (image.slope, image.intercept, image.data.dtype) == (2.5, -1024, np.uint16)


def test_a_scaling_for_each_slice_makes_real_values() -> None:
    files = classic()
    for k, data in enumerate(files):
        data.RescaleSlope, data.RescaleIntercept = k + 0.5, -k
    volume = read_volume(files)
    assert (volume.image.data.dtype, volume.image.slope) == (np.float32, 1.0)
    assert volume.image.data[3, 2, 4] == (400 + 20 + 3) * 4.5 - 4
    assert volume.scaling[4] == ((4.5, -4.0),)


def test_signed_and_unsigned_files_of_one_series_meet_in_real_values() -> None:
    files = classic(RescaleSlope=2, RescaleIntercept=1)
    files[2].PixelRepresentation = 1
    image = read_volume(files).image
    assert image.data.dtype == np.float32
    assert np.array_equal(image.data, expected() * 2.0 + 1)


def test_an_enhanced_file_is_read_by_its_groups() -> None:
    order = [(k, t) for k in (3, 0, 2, 1) for t in (1, 0)]
    volume = read_volume([enhanced(order)])
    assert volume.image.affine.tolist() == AXIAL_AFFINE
    assert np.array_equal(volume.image.data, expected(4, 2))
    assert volume.where == (tuple(order),)


def test_an_enhanced_file_with_a_scaling_for_each_frame() -> None:
    volume = read_volume([enhanced([(0, 0), (1, 0), (2, 0)], slopes=[1, 2, 3])])
    assert volume.image.data[1, 1, 2] == 211 * 3 - 7
    assert volume.scaling == (((1.0, -7.0), (2.0, -7.0), (3.0, -7.0)),)


def test_slices_of_a_gamma_camera_are_stacked_by_the_sign_of_their_spacing() -> None:
    detector = item(ImagePositionPatient=[-10, -20, -30], ImageOrientationPatient=list(AXIAL))
    data = file(
        np.array([number(k) for k in range(4)]), 1, sop_class=NUCLEAR, DetectorInformationSequence=[detector],
        PixelSpacing=[3, 1.5], SpacingBetweenSlices=-2, SliceVector=[1, 2, 3, 4], FrameIncrementPointer=0x00540080,
    )  # fmt: skip
    volume = read_volume([data])
    assert volume.image.affine.tolist() == [[-1.5, 0, 0, 10], [0, -3, 0, 20], [0, 0, 2, -36], [0, 0, 0, 1]]
    assert volume.where == (((3, 0), (2, 0), (1, 0), (0, 0)),)


def test_files_on_disk_are_read(tmp_path: Path) -> None:
    paths = []
    for n, data in enumerate(classic()):
        paths.append(tmp_path / f"{n}.dcm")
        data.save_as(paths[-1], enforce_file_format=False)
    assert np.array_equal(read_series(paths[::-1]).data, expected())


def drop(files: list[Any], n: int) -> list[Any]:
    return files[:n] + files[n + 1 :]


def edited(n: int = 2, **said: Any) -> list[Any]:
    files = classic()
    for keyword, value in said.items():
        setattr(files[n], keyword, value)
    return files


def without(keyword: str) -> list[Any]:
    files = classic()
    del files[3][keyword]
    return files


def twice() -> list[Any]:
    files = classic()
    again = classic()[2]
    again.SOPInstanceUID = "1.2.3.4.99"  # the same slice under another name
    return [*files, again]


def other_size() -> list[Any]:
    wide = file(np.zeros((ROWS, COLUMNS + 1), np.uint16), 3, ImageOrientationPatient=list(AXIAL), PixelSpacing=[3, 1.5],
                ImagePositionPatient=[-10, -20, -26])  # fmt: skip
    return [*drop(classic(), 2), wide]


def localiser() -> list[Any]:
    planes = (AXIAL, SAGITTAL, (1, 0, 0, 0, 0, -1))
    return [classic(orientation=o)[n] for n, o in enumerate(planes)]


@pytest.mark.parametrize(
    ("files", "why"),
    [
        (drop(classic(), 2), "missing or unevenly"),
        (edited(ImagePositionPatient=[-10, -20, -25.9]), "missing or unevenly"),
        (edited(ImagePositionPatient=[-10, -19.9, -26]), "missing or unevenly"),
        (drop(classic(times=2), 3), "not every place has the same number"),
        (classic()[:2], "fewer than 3"),
        (localiser(), "several orientations"),
        (other_size(), "several sizes"),
        (edited(PixelSpacing=[3, 1.6]), "several pixel sizes"),
        (edited(FrameOfReferenceUID="1.2.6"), "several frames of reference"),
        (edited(SeriesInstanceUID="1.2.9"), "one series"),
        (edited(ImageType=["ORIGINAL", "PRIMARY", "M", "MOSAIC"]), "mosaic"),
        (edited(SamplesPerPixel=3), "in colour"),
        (edited(PhotometricInterpretation="PALETTE COLOR"), "in colour"),
        (edited(PhotometricInterpretation="MONOCHROME1"), "MONOCHROME2"),
        (edited(SOPClassUID="1.2.840.10008.5.1.4.1.1.66.4"), "drawn regions"),
        (edited(ModalityLUTSequence=[item(LUTData=b"")]), "lookup table"),
        (edited(RescaleSlope=0), "RescaleSlope"),
        (classic(orientation=(1, 0, 0, 1, 0, 0)), "perpendicular"),
        (twice(), "same slice twice"),
        ([*classic(), classic()[1]], "same image twice"),
        (without("ImagePositionPatient"), "ImagePositionPatient is missing"),
        (without("PixelData"), "pixels: are missing"),
        (edited(PixelData=b"\0\0"), "could not be decoded"),
        ([file(np.zeros((4, 3, 3), np.uint8), 1)], "where each of them lies"),
    ],
)  # fmt: skip
def test_what_is_no_whole_volume_is_refused_by_name(files: list[Any], why: str) -> None:
    with pytest.raises(InputRefused, match=why) as refused:
        read_volume(files)
    assert "\n" not in str(refused.value)
    assert "Canarini" not in str(refused.value)


def test_unaltered_voxels_come_back_bit_for_bit_and_altered_ones_alone_change() -> None:
    files = classic(times=2)
    volume, frames = read_volume(files), [stored(f) for f in files]
    data = volume.image.data.copy()
    data[1, 2, 3, 1] = 7
    new = restored(volume, volume.image.with_data(data), frames)
    assert [np.argwhere(a != b).tolist() for a, b in zip(new, frames, strict=True) if (a != b).any()] == [
        [[0, 2, 1]]
    ]
    assert new[6 + 3][0, 2, 1] == 7
    assert all(a.dtype == b.dtype for a, b in zip(new, frames, strict=True))


def test_real_values_go_back_through_the_scaling_of_their_frame() -> None:
    files = classic()
    for k, data in enumerate(files):
        data.RescaleSlope, data.RescaleIntercept, data.BitsStored = k + 0.5, -k, 12
    volume, frames = read_volume(files), [stored(f) for f in files]
    data = volume.image.data.copy()
    data[0, 0, 4] = 100.0  # (100 + 4) / 4.5 = 23.1
    data[1, 0, 4] = -1e9  # below what can be stored
    data[2, 0, 4] = 1e9  # above 12 bits
    new = restored(volume, volume.image.with_data(data), frames)
    assert new[4][0, 0].tolist() == [23, 0, 4095, *frames[4][0, 0, 3:]]
    assert all(np.array_equal(new[n], frames[n]) for n in (0, 1, 2, 3, 5))


def test_frames_of_an_enhanced_file_come_back_in_its_own_order() -> None:
    data = enhanced([(2, 0), (0, 0), (1, 0)])
    volume, frames = read_volume([data]), [stored(data)]
    altered = volume.image.data.copy()
    altered[:, :, 0] = 9
    (new,) = restored(volume, volume.image.with_data(altered), frames)
    assert (new[1] == 9).all()
    assert np.array_equal(new[[0, 2]], frames[0][[0, 2]])


def test_an_image_on_another_grid_is_not_taken_back() -> None:
    files = classic()
    volume = read_volume(files)
    with pytest.raises(OutputFailed, match="grid"):
        restored(volume, volume.image.with_data(volume.image.data[1:]), [stored(f) for f in files])


def test_nothing_of_a_person_is_shown() -> None:
    assert "Canarini" not in repr(read_volume(classic()))


@pytest.mark.parametrize("kind", ["classic", "enhanced"])
def test_damaged_files_are_refused_and_nothing_worse(kind: str, tmp_path: Path) -> None:
    draw = np.random.default_rng(5)
    files = classic(slices=3) if kind == "classic" else [enhanced([(k, 0) for k in range(3)])]
    paths = [tmp_path / f"{n}.dcm" for n in range(len(files))]
    for data, path in zip(files, paths, strict=True):
        data.save_as(path, enforce_file_format=True)
    whole = paths[0].read_bytes()
    for n in range(150):
        broken = bytearray(whole[: draw.integers(1, len(whole))] if n % 3 == 0 else whole)
        for at in draw.integers(0, len(broken), 3):
            broken[at] = draw.integers(256)
        paths[0].write_bytes(bytes(broken))
        inspect_dicom(tmp_path) if kind == "classic" else None
        try:
            read_series(paths)
        except InputRefused as refused:
            assert "\n" not in str(refused)  # noqa: PT017 - either outcome is right
