"""Burned-in text: planted words are found and gone, clean slices stay clean, and nothing is said twice."""

from __future__ import annotations

import stat
from pathlib import Path

import numpy as np
import pytest

from medveil.core.errors import InputRefused, MissingPackage, UsageError
from medveil.protect.text.blank import blank
from medveil.protect.text.boxes import Box, as_frames, covered, joined
from medveil.protect.text.burned_in import BurnedIn
from medveil.protect.text.flags import HeaderFacts, flags, risk
from medveil.protect.text.glyphs import flat_values, glyph_boxes
from medveil.protect.text.ocr import ocr_boxes
from medveil.protect.text.runs import text_runs
from medveil.protect.text.static import static_boxes
from medveil.protect.text.strings import string_boxes, words
from medveil.simulate.overlays import burn, lettering


def noise(n: int = 8, shape: tuple[int, int] = (160, 220), seed: int = 0, **_: object) -> np.ndarray:
    """Frames of a bright disc in dark air, with noise of each frame's own; int16."""
    draw = np.random.default_rng(seed)
    rows, columns = np.indices(shape)
    disc = ((rows - 80) ** 2 + (columns - 110) ** 2 < 60**2) * 300.0
    field = np.hypot(disc + draw.normal(0, 20, (n, *shape)), draw.normal(0, 20, (n, *shape)))
    return np.rint(field).astype(np.int16)


def planted(
    frames: np.ndarray,
    text: str = "DOE JANE",
    size_px: int = 16,
    value: float = 600,
    at: tuple[int, int] = (4, 4),
) -> tuple[np.ndarray, Box]:
    ink = lettering(text, size_px)
    return burn(frames, ink, top=at[0], left=at[1], value=value), Box(*at, *ink.shape)


# -- boxes ------------------------------------------------------------------------------------------------


def test_half_a_box_is_covered_by_its_left_half() -> None:
    assert covered(Box(0, 0, 4, 8), [Box(0, 0, 4, 4)]) == 0.5
    assert covered(Box(0, 0, 4, 8), [Box(0, 0, 4, 4), Box(0, 2, 4, 4)]) == 0.75
    assert covered(Box(0, 0, 4, 8), [Box(40, 40, 4, 4)]) == 0.0


def test_boxes_in_a_row_join_and_a_scatter_does_not_grow() -> None:
    row = [Box(10, 0, 10, 20), Box(10, 20, 10, 20)]
    assert joined(row) == (Box(10, 0, 10, 40),)
    scatter = [Box(0, 0, 10, 10), Box(8, 8, 10, 10)]
    assert joined(scatter) == tuple(scatter)
    assert joined([Box(0, 0, 9, 9, "static"), Box(0, 0, 9, 9, "glyphs")]) == (
        Box(0, 0, 9, 9, "glyphs"),
        Box(0, 0, 9, 9, "static"),
    )
    assert joined(row[::-1]) == joined(row)


@pytest.mark.parametrize(
    "frames", [np.zeros((4, 4)), np.zeros((0, 4, 4)), np.zeros((2, 4, 4, 4)), np.zeros((2, 4, 4), complex)]
)
def test_frames_of_another_kind_are_refused(frames: np.ndarray) -> None:
    with pytest.raises(InputRefused, match="burned-in text"):
        as_frames(frames)


# -- flags ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("facts", "level", "flag"),
    [
        (HeaderFacts(modality="MR", burned_in="YES"), "announced", "burned-in annotation declared"),
        (HeaderFacts(modality="us"), "likely", "modality whose consoles write into pixels"),
        (HeaderFacts(modality="MR", photometric="RGB"), "likely", "colour in a grey modality"),
        (HeaderFacts(sop_class="1.2.840.10008.5.1.4.1.1.7.4"), "likely", "secondary capture"),
        (HeaderFacts(conversion_type="WSD"), "likely", "captured by conversion"),
        (
            HeaderFacts(image_type=("DERIVED", "PRIMARY", "SCREEN SAVE")),
            "likely",
            "image type of a screen or report",
        ),
        (HeaderFacts(image_type=("DERIVED", "SECONDARY")), "likely", "secondary image"),
        (HeaderFacts(modality="CT", geometry=False), "likely", "no geometry"),
    ],
)
def test_each_sign_in_the_header_is_flagged(facts: HeaderFacts, level: str, flag: str) -> None:
    assert risk(facts) == level
    assert flag in flags(facts)


def test_an_ordinary_slice_has_no_flag_and_no_takes_nothing_away() -> None:
    plain = HeaderFacts("MR", ("ORIGINAL", "PRIMARY", "M"), "1.2.840.10008.5.1.4.1.1.4", "NO", "MONOCHROME2")
    assert flags(plain) == ()
    assert risk(plain) == "no sign"
    assert risk(HeaderFacts(modality="US", burned_in="NO")) == "likely"
    assert not flags(HeaderFacts(sop_class="1.2.840.10008.5.1.4.1.1.77.1"))


def test_values_of_a_header_do_not_show() -> None:
    facts = HeaderFacts(modality="Canary^Jane", image_type=("A", "CAPTURE Canary^Jane"))
    assert "Canary" not in repr(facts) + repr(flags(facts))


# -- runs -------------------------------------------------------------------------------------------------


def test_four_bars_in_a_row_are_a_run_and_three_or_scattered_ones_are_not() -> None:
    mask = np.zeros((40, 60), dtype=bool)
    for left in (10, 16, 22, 28):
        mask[12:22, left : left + 3] = True
    (box,) = text_runs(mask, mask * 1.0, evidence="glyphs", letters=4)
    assert (box.top, box.left, box.bottom, box.right) == (8, 6, 26, 35)  # the ink and a margin of 4
    assert box.score == 4
    assert text_runs(mask, mask * 1.0, evidence="glyphs", letters=5) == []
    askew = np.zeros_like(mask)
    for n, left in enumerate((10, 16, 22, 28)):
        askew[4 + 6 * n : 14 + 6 * n, left : left + 3] = True
    assert text_runs(askew, askew * 1.0, evidence="glyphs", letters=4) == []


def test_marks_of_unlike_brightness_are_no_run_and_one_level_is_asked_for() -> None:
    mask = np.zeros((40, 60), dtype=bool)
    ink = np.zeros((40, 60))
    for n, left in enumerate((10, 16, 22, 28)):
        mask[12:22, left : left + 3] = True
        ink[12:22, left : left + 3] = 10.0 * n
    assert text_runs(mask, ink, evidence="glyphs", letters=4, ink_tolerance=20)
    assert not text_runs(mask, ink, evidence="glyphs", letters=4, ink_tolerance=5)
    assert text_runs(mask, ink, evidence="glyphs", letters=4, level_width=1, level_share=0.25)
    assert not text_runs(mask, ink, evidence="glyphs", letters=4, level_width=1, level_share=0.3)
    assert text_runs(mask, ink, evidence="glyphs", letters=3, level_width=1, level_share=0.3)


# -- the tests on planted words ---------------------------------------------------------------------------


@pytest.mark.parametrize("size_px", [8, 12, 16, 24, 32])
@pytest.mark.parametrize(("value", "at"), [(600, (4, 4)), (300, (70, 60)), (300, (4, 4))])
def test_words_on_all_frames_are_found_whatever_lies_under_them(size_px: int, value: int, at: tuple) -> None:
    frames, box = planted(noise(16), "DOE 1970", size_px, value, at)
    assert covered(box, static_boxes(frames)) > 0.8


def test_static_words_in_colour_and_floats_are_found() -> None:
    frames, box = planted(noise(16))
    assert covered(box, static_boxes(np.stack([frames] * 3, axis=-1))) > 0.8
    real = frames.astype(np.float32) / 7
    real[:, 100:110, :10] = np.nan
    assert covered(box, static_boxes(real)) > 0.8
    assert static_boxes(np.full((5, 40, 40), np.nan)) == ()


def test_black_words_on_masked_air_and_on_tissue_are_found() -> None:
    frames = noise(16) + np.int16(1)
    frames[:, :, :30] = 0  # masked air, the value of the ink
    frames, box = planted(frames, "DOE JANE", 24, 0, (70, 60))
    assert covered(box, static_boxes(frames)) > 0.8


def test_clean_frames_masked_air_and_padding_have_no_static_words() -> None:
    frames = noise(16)
    assert static_boxes(frames) == ()
    masked = frames.copy()
    masked[:, np.hypot(*(np.indices((160, 220)) - np.array([80, 110])[:, None, None])) > 70] = -2000
    assert static_boxes(masked) == ()
    masked[:, :6] = 0  # rows of padding with another value
    assert static_boxes(masked) == ()


def test_three_frames_or_one_frame_repeated_say_nothing() -> None:
    frames, _ = planted(noise(3))
    assert static_boxes(frames) == ()
    assert static_boxes(np.repeat(frames[:1], 8, axis=0)) == ()


@pytest.mark.parametrize("size_px", [12, 16, 24])
@pytest.mark.parametrize("polarity", ["bright", "dark"])
def test_a_word_on_a_single_frame_is_found(size_px: int, polarity: str) -> None:
    frames, box = planted(noise(1), "DOE JANE", size_px, 600)
    if polarity == "dark":
        frames = (1000 - frames).astype(np.int16)
    assert covered(box, glyph_boxes(frames)) > 0.8


def test_a_clean_frame_has_no_glyphs() -> None:
    assert [len(glyph_boxes(noise(1, seed=s))) for s in range(6)] == [0] * 6
    assert glyph_boxes(np.zeros((1, 50, 50))) == ()
    assert glyph_boxes(np.full((1, 50, 50), np.nan)) == ()


def test_glyphs_of_one_frame_do_not_recur_and_a_counting_label_does() -> None:
    frames = noise(8)
    once = frames.copy()
    once[2:3], _ = planted(frames[2:3])
    assert glyph_boxes(once)
    assert glyph_boxes(once, recurring=0.5) == ()
    counted = np.concatenate([planted(frames[n : n + 1], f"IMAGE {n + 1} OF 8")[0] for n in range(8)])
    _, box = planted(frames, "IMAGE 1 OF 8")
    assert covered(box, glyph_boxes(counted, recurring=0.5)) > 0.8


def test_the_ink_s_stored_value_stands_out_of_the_histogram() -> None:
    frames, _ = planted(noise(1), size_px=24, value=317)  # a grey that tissue has as well
    assert 317 in flat_values(frames[0])
    assert flat_values(noise(1)[0]).size == 0


def test_grey_words_on_tissue_of_the_same_grey_are_found_by_their_repeating_value() -> None:
    ink = lettering("DOE JANE", 24, smooth=False)
    frames = burn(noise(1), ink, top=70, left=60, value=300)
    assert covered(Box(70, 60, *ink.shape), glyph_boxes(frames)) > 0.8


# -- header strings ---------------------------------------------------------------------------------------


def test_a_header_s_own_words_are_found_and_others_are_not() -> None:
    frames, box = planted(noise(1), "DOE JANE", 14, 450, (70, 60))
    sizes = (12, 13, 14, 15, 16)
    assert covered(box, string_boxes(frames[0], ["Roe^Max", "JANE"], sizes_px=sizes, fonts=("sans",))) > 0.4
    assert string_boxes(frames[0], ["KOWALSKI"], sizes_px=sizes, fonts=("sans",)) == ()
    assert string_boxes(noise(1)[0], ["JANE"], sizes_px=sizes, fonts=("sans",)) == ()


def test_large_words_are_found_in_the_reduced_image() -> None:
    frames, box = planted(noise(1), "JANE", 36, 450, (60, 50))
    (found,) = string_boxes(frames[0], ["JANE"], sizes_px=(32, 36, 40), fonts=("sans",))
    assert covered(box, [found]) > 0.9
    assert found.score > 0.8


def test_header_strings_are_written_as_consoles_write_them() -> None:
    assert words(["DOE^JANE", "19700131"])[:3] == ("DOE", "JANE", "1970-01-31")
    assert words(["", "  ", "A"]) == ()
    assert len(words([f"WORD{n}" for n in range(50)])) == 12


def test_no_size_no_font_and_unknown_fonts_are_refused() -> None:
    with pytest.raises(UsageError, match="at least one size"):
        string_boxes(noise(1)[0], ["JANE"], sizes_px=())
    with pytest.raises(UsageError, match="no such font"):
        lettering("JANE", 12, "comic")
    with pytest.raises(UsageError, match="no ink"):
        lettering(" ", 12)
    with pytest.raises(UsageError, match="size_px"):
        lettering("JANE", 2)
    with pytest.raises(UsageError, match="do not fit"):
        burn(noise(1), lettering("JANE", 40), top=150, left=0, value=1)


# -- blanking ---------------------------------------------------------------------------------------------


def test_a_box_becomes_the_darkest_value_around_it_on_every_frame_and_nothing_else_changes() -> None:
    frames = np.array([[[9, 9, 9, 9], [9, 50, 60, 3], [9, 9, 4, 9]], [[8] * 4, [8, 50, 60, 8], [8] * 4]])
    before = frames.copy()
    out = blank(frames, [Box(1, 1, 1, 2)])
    np.testing.assert_array_equal(out[0, 1], [9, 3, 3, 3])
    np.testing.assert_array_equal(out[1, 1], [8, 8, 8, 8])
    np.testing.assert_array_equal(frames, before)
    assert (out != before).sum() == 4


def test_blanked_pixels_hold_nothing_of_what_was_written() -> None:
    clean = noise(8)
    outs = []
    for text in ("DOE JANE", "ROE MAXI"):
        frames, _ = planted(clean, text)
        outs.append(blank(frames, [Box(0, 0, 30, 120)]))
    np.testing.assert_array_equal(outs[0], outs[1])
    np.testing.assert_array_equal(outs[0][:, 30:], clean[:, 30:])


def test_colour_and_whole_frames_can_be_blanked() -> None:
    colour = np.stack([noise(2), noise(2) + 5, noise(2) + 9], axis=-1)
    out = blank(colour, [Box(10, 10, 20, 20)])
    assert len(np.unique(out[0, 10:30, 10:30].reshape(-1, 3), axis=0)) == 1
    assert not blank(colour, [Box(0, 0, 160, 220)]).any()


@pytest.mark.parametrize("box", [Box(-1, 0, 5, 5), Box(0, 0, 0, 5), Box(158, 0, 5, 5), Box(0, 218, 5, 5)])
def test_a_box_that_is_not_in_the_frame_is_refused(box: Box) -> None:
    with pytest.raises(UsageError, match="blank"):
        blank(noise(1), [box])


# -- the verdict ------------------------------------------------------------------------------------------


def test_text_is_seen_blanked_and_not_seen_again() -> None:
    frames, box = planted(noise(16))
    step = BurnedIn(match_strings=False)
    seen = step.look(frames)
    assert seen.verdict == "text"
    assert covered(box, seen.boxes) > 0.8
    after = step.look(step.blank(frames, seen))
    assert after.verdict == "none seen"
    assert after.smallest_px is not None


def test_clean_frames_are_unknown_where_the_tests_cannot_speak() -> None:
    frames, step = noise(16), BurnedIn()
    assert step.look(frames).verdict == "none seen"
    assert step.look(frames, HeaderFacts(modality="MR", burned_in="YES")).verdict == "unknown"
    assert step.look(frames, HeaderFacts(modality="MR", lossy=True)).verdict == "unknown"
    assert BurnedIn(smallest_px=6).look(frames).verdict == "unknown"
    assert step.look(frames[:8]).verdict == "unknown"
    assert BurnedIn(smallest_px=14).look(frames[:8]).verdict == "none seen"
    assert BurnedIn(smallest_px=40).look(frames[:7]).verdict == "unknown"
    alone = step.look(frames[:1])
    assert alone.verdict == "unknown"
    assert "no stack of lossless frames to compare" in alone.reasons
    assert step.look(np.repeat(frames[:1], 8, axis=0)).verdict == "unknown"


def test_looking_changes_nothing_and_says_nothing_that_was_written() -> None:
    frames, _ = planted(noise(8))
    before = frames.copy()
    seen = BurnedIn().look(frames, None, ["DOE^JANE"])
    np.testing.assert_array_equal(frames, before)
    assert "JANE" not in repr(seen)
    assert BurnedIn().look(frames, None, ["DOE^JANE"]) == seen


@pytest.mark.parametrize("setting", [{"smallest_px": 5}, {"smallest_px": 41}, {"most_frames": 0}])
def test_settings_out_of_range_are_refused(setting: dict) -> None:
    with pytest.raises(UsageError, match=r"text\.burned_in"):
        BurnedIn(**setting)
    assert len(BurnedIn().describe()) > 20


# -- ocr --------------------------------------------------------------------------------------------------


def test_without_tesseract_the_error_names_it_and_the_line_that_installs_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("PATH", "")
    with pytest.raises(MissingPackage, match=r"tesseract.*apt-get install tesseract-ocr"):
        ocr_boxes(noise(1)[0])


def fake(folder: Path, script: str, monkeypatch: pytest.MonkeyPatch) -> None:
    program = folder / "tesseract"
    program.write_text("#!/bin/sh\ncat > /dev/null\n" + script, encoding="utf-8")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")


def test_words_that_tesseract_is_sure_of_become_boxes_on_the_frame(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = [
        "left\ttop\twidth\theight\tconf\ttext",
        "30\t60\t90\t30\t96\tJANE",
        "0\t0\t9\t9\t12\tJANE",
        "0\t0\t9\t9\t99\tA",
    ]
    fake(tmp_path, "".join(f"printf '{row}\\n'\n" for row in rows), monkeypatch)
    (box,) = ocr_boxes(noise(1)[0])
    assert box == Box(18, 8, 15, 35, "ocr", 96.0)  # a third of the place, with a margin


@pytest.mark.parametrize("script", ["exit 3\n", "printf 'conf\\nabc\\n'\n"])
def test_a_reader_that_fails_is_an_error_and_no_clean_frame(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str
) -> None:
    fake(tmp_path, script, monkeypatch)
    with pytest.raises(InputRefused, match="tesseract"):
        ocr_boxes(noise(1)[0])
