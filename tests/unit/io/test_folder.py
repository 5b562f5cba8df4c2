"""Output folders: never over the input, never half done, taken up where they were."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path, PurePosixPath

import pytest

from medveil.core.errors import MedveilError, OutputFailed, UsageError
from medveil.io.folder import JOURNAL, MARKER, Staging, sha256, write_aside

A, B = PurePosixPath("sub-01/a.nii"), PurePosixPath("sub-02/b.nii")


def put(staging: Staging, place: PurePosixPath, text: str = "content", settings: str = "s1") -> None:
    with write_aside(staging.folder / place) as file:
        file.write(text.encode())
    staging.done(place, settings)


def test_the_target_appears_only_when_all_is_done(tmp_path: Path) -> None:
    target = tmp_path / "deep" / "out"
    with Staging(target, inputs=[]) as staging:
        put(staging, A)
        assert not target.exists()
        staging.finish()
    assert (target / A).read_text() == "content"
    assert not staging.folder.exists()
    assert sorted(p.name for p in target.iterdir()) == [MARKER, "sub-01"]


def test_a_broken_run_is_taken_up_again(tmp_path: Path) -> None:
    target = tmp_path / "out"
    with pytest.raises(RuntimeError), Staging(target, inputs=[]) as staging:  # noqa: PT012 - dies in the middle
        put(staging, A)
        (staging.folder / "half").write_text("no line vouches for this")
        raise RuntimeError
    assert not target.exists()
    with Staging(target, inputs=[]) as staging:
        assert set(staging.journal()) == {A}
        assert staging.journal()[A].sha256 == sha256(staging.folder / A)
        assert not (staging.folder / "half").exists()
        put(staging, B)
        staging.finish(keep=[A, B])
    assert (target / A).exists()
    assert (target / B).exists()


def test_a_killed_process_leaves_nothing_that_looks_finished(tmp_path: Path) -> None:
    code = (
        "import os, sys; from pathlib import Path; from medveil.io.folder import Staging\n"
        "s = Staging(Path(sys.argv[1]), inputs=[]).__enter__()\n"
        "from pathlib import PurePosixPath as P\n"
        "(s.folder / 'a').write_text('x'); s.done(P('a'), 's'); (s.folder / 'b').write_text('y')\n"
        "os.kill(os.getpid(), 9)"
    )
    run = subprocess.run([sys.executable, "-c", code, str(tmp_path / "out")], check=False, timeout=120)
    assert run.returncode == -9
    assert [p.name for p in tmp_path.iterdir()] == ["out.partial"]
    with Staging(tmp_path / "out", inputs=[]) as staging:
        assert [str(p) for p in staging.journal()] == ["a"]
        assert not (staging.folder / "b").exists()


def test_a_torn_or_foreign_line_vouches_for_nothing(tmp_path: Path) -> None:
    with Staging(tmp_path / "out", inputs=[]) as staging:
        put(staging, A)
        put(staging, B)
    path = tmp_path / "out.partial" / JOURNAL
    path.write_bytes(
        path.read_bytes()[:-20] + b"\xff\n[]\n" + b'{"place": "../x", "sha256": "", "settings": ""}\n'
    )
    with Staging(tmp_path / "out", inputs=[]) as staging:
        assert set(staging.journal()) == {A}
        assert not (staging.folder / B).exists()
        staging.finish(keep=[A])


def test_changed_files_and_other_settings_are_not_taken_over(tmp_path: Path) -> None:
    with Staging(tmp_path / "out", inputs=[]) as staging:
        put(staging, A, settings="s1")
        put(staging, B, settings="s2")
    (tmp_path / "out.partial" / A).write_text("changed since")
    with Staging(tmp_path / "out", inputs=[]) as staging:
        assert set(staging.journal("s2")) == {B}
        assert not (staging.folder / A).exists()


def test_what_an_earlier_run_left_must_be_accounted_for(tmp_path: Path) -> None:
    with Staging(tmp_path / "out", inputs=[]) as staging:
        put(staging, A)
        put(staging, B)
    with Staging(tmp_path / "out", inputs=[]) as staging:
        with pytest.raises(UsageError, match="prune"):
            staging.finish()
        staging.prune(keep=[A])  # the person in B has withdrawn
        staging.finish()
    assert [p.name for p in (tmp_path / "out").rglob("*.nii")] == ["a.nii"]
    assert not (tmp_path / "out" / "sub-02").exists()


def test_a_run_that_finished_nothing_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError), Staging(tmp_path / "out", inputs=[]):
        raise RuntimeError
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("target", "source"),
    [("in", "in"), ("in/out", "in"), ("in/a/../out", "in"), (".", "in"), ("link", "in"), ("link/out", "in")],
)
def test_input_and_output_may_not_overlap(tmp_path: Path, target: str, source: str) -> None:
    (tmp_path / "in" / "a").mkdir(parents=True)
    (tmp_path / "link").symlink_to(tmp_path / "in")
    with pytest.raises(UsageError, match="input"):
        Staging(tmp_path / target, inputs=[tmp_path / source], force=True)


def test_the_partial_folder_may_not_be_the_input_either(tmp_path: Path) -> None:
    (tmp_path / "out.partial").mkdir()
    with pytest.raises(UsageError, match="input"):
        Staging(tmp_path / "out", inputs=[tmp_path / "out.partial"])


def test_an_output_beside_a_single_input_file_is_fine(tmp_path: Path) -> None:
    (tmp_path / "a.nii").write_text("x")
    Staging(tmp_path / "out", inputs=[tmp_path / "a.nii"])
    with pytest.raises(UsageError, match="input itself"):
        Staging(tmp_path / "a.nii", inputs=[tmp_path / "a.nii"])


def test_existing_output_is_refused_and_force_replaces_only_our_own(tmp_path: Path) -> None:
    target = tmp_path / "out"
    with Staging(target, inputs=[]) as staging:
        put(staging, A, "old")
        staging.finish()
    with pytest.raises(UsageError, match="exists already"):
        Staging(target, inputs=[])
    with Staging(target, inputs=[], force=True) as staging:
        put(staging, B, "new")
        assert (target / A).exists()  # the old one stays until the new one is whole
        staging.finish()
    assert not (target / A).exists()
    assert (target / B).exists()
    assert [p.name for p in tmp_path.iterdir()] == ["out"]

    precious = tmp_path / "precious"
    precious.mkdir()
    (precious / "thesis.tex").write_text("years of work")
    with pytest.raises(UsageError, match="only folders that medveil wrote"):
        Staging(precious, inputs=[], force=True)
    (tmp_path / "file").write_text("x")
    with pytest.raises(UsageError, match="not a folder"):
        Staging(tmp_path / "file", inputs=[], force=True)


def test_a_target_that_appears_meanwhile_is_left_alone(tmp_path: Path) -> None:
    with Staging(tmp_path / "out", inputs=[]) as staging:
        put(staging, A)
        (tmp_path / "out").mkdir()
        (tmp_path / "out" / "precious").write_text("x")
        with pytest.raises(UsageError, match="exists already"):
            staging.finish()
    assert (tmp_path / "out" / "precious").exists()


def test_a_foreign_partial_folder_is_left_alone(tmp_path: Path) -> None:
    foreign = tmp_path / "out.partial" / "something.txt"
    foreign.parent.mkdir()
    foreign.write_text("not ours")
    with pytest.raises(UsageError, match="in the way"), Staging(tmp_path / "out", inputs=[], force=True):
        pass
    assert foreign.read_text() == "not ours"


@pytest.mark.skipif(sys.platform == "win32", reason="Windows keeps open files from being renamed by itself")
def test_two_runs_never_write_one_output(tmp_path: Path) -> None:
    with Staging(tmp_path / "out", inputs=[]) as first:
        put(first, A)
        with pytest.raises(OutputFailed, match="another run"), Staging(tmp_path / "out", inputs=[]):
            pass
        assert (first.folder / A).exists()
        first.finish()


@pytest.mark.parametrize("number", [28, 13, 30])
def test_system_failures_are_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    def fail(*_: object, **__: object) -> None:
        raise OSError(number, os.strerror(number), str(tmp_path))

    with Staging(tmp_path / "out", inputs=[]) as staging:
        put(staging, A)
        monkeypatch.setattr(os, "rename", fail)
        with pytest.raises(OutputFailed) as caught:
            staging.finish()
    assert str(tmp_path) not in str(caught.value)
    assert not (tmp_path / "out").exists()
    monkeypatch.setattr(Path, "mkdir", fail)
    with pytest.raises(OutputFailed), Staging(tmp_path / "other", inputs=[]):
        pass


def test_a_failed_exchange_brings_the_old_output_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = tmp_path / "out"
    with Staging(target, inputs=[]) as staging:
        put(staging, A, "old")
        staging.finish()
    real = os.rename

    def fail_once(a: Path, b: Path) -> None:
        if str(a).endswith(".partial"):
            raise OSError(28, "no space")
        real(a, b)

    with Staging(target, inputs=[], force=True) as staging:
        put(staging, A, "new")
        monkeypatch.setattr(os, "rename", fail_once)
        with pytest.raises(OutputFailed):
            staging.finish()
    assert (target / A).read_text() == "old"


def test_calls_out_of_order_are_refused(tmp_path: Path) -> None:
    staging = Staging(tmp_path / "out", inputs=[])
    for call in (staging.finish, lambda: staging.done(A, "s")):
        with pytest.raises(MedveilError, match="outside its with block"):
            call()


def test_an_interrupt_while_writing_leaves_no_trace(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt), write_aside(tmp_path / "a") as file:  # noqa: PT012 - dies in the middle
        file.write(b"half")
        raise KeyboardInterrupt
    assert list(tmp_path.iterdir()) == []


def test_written_files_have_ordinary_permissions(tmp_path: Path) -> None:
    (tmp_path / "plain").write_text("x")
    with write_aside(tmp_path / "aside") as file:
        file.write(b"x")
    assert (tmp_path / "aside").stat().st_mode == (tmp_path / "plain").stat().st_mode


def test_repr_shows_counts_only(tmp_path: Path) -> None:
    with Staging(tmp_path / "canary", inputs=[]) as staging:
        put(staging, A)
        assert repr(staging) == "Staging(1 finished)"
        assert repr(staging.journal()[A]) == "Finished(...)"
