"""The program as people meet it: help, versions, wrong words, and one line for each."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

VERBS = ("demo", "inspect", "release", "protect", "attack", "measure", "report", "verify", "list", "canary")


def test_help_names_every_verb_and_the_exit_codes(medveil: Callable) -> None:
    ran = medveil("--help")
    assert ran.code == 0
    assert all(f"  {verb} " in ran.out for verb in VERBS)
    assert "70 a bug" in " ".join(ran.out.split())


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_explains_itself(medveil: Callable, verb: str) -> None:
    ran = medveil(verb, "--help")
    assert ran.code == 0
    assert len(ran.out) > 150


def test_help_loads_no_heavy_library() -> None:
    script = "import sys; sys.argv = ['medveil', '--help']\nfrom medveil.cli import main\n"
    script += "try: main.run()\nexcept SystemExit: pass\n"
    heavy = (
        "('torch', 'lightning_fabric', 'safetensors', 'vtk', 'vtkmodules', 'pyvista', 'SimpleITK', 'scipy', "
        "'sklearn', 'nibabel', 'matplotlib')"
    )
    script += f"print([m for m in {heavy} if m in sys.modules])"
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert ran.stdout.strip().endswith("[]")


def test_only_networks_need_the_extra_learn() -> None:
    """Every module but those of networks is imported where torch, Lightning Fabric and safetensors are not installed."""
    script = """
import importlib, pkgutil, sys
for absent in ("torch", "lightning_fabric", "safetensors"):
    sys.modules[absent] = None
import medveil
names = {m.name for m in pkgutil.walk_packages(medveil.__path__, "medveil.", onerror=print)}
for name in sorted(n for n in names if not {"nn", "nets"} & set(n.split(".")[:-1]) and not n.endswith((".nets", "__main__"))):
    try:
        importlib.import_module(name)
    except ImportError as missing:
        print(name, missing)
print("medveil.share.base" in sys.modules, len(names) > 100)
"""
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert ran.stdout.split("\n") == ["True True", ""]


def test_version(medveil: Callable) -> None:
    assert medveil("--version").out.startswith("medveil ")


@pytest.mark.parametrize(
    "words",
    [
        ("frobnicate",),
        ("release",),
        ("release", "somewhere"),
        ("demo", "--people", "2"),
        ("measure", "x.csv", "--rounds", "many"),
        ("list", "nothing"),
        ("attack", ".", "--to", "x.csv"),
        ("release", ".", "--to", "x", "--step", "deface.ersae"),
        ("release", ".", "--to", "x", "--set", "deface.erase.margin_mm"),
        ("release", ".", "--to", "x", "--set", "deface.erase.margin_mm=-3"),
        ("release", ".", "--to", "x", "--set", "deface.scramble.k=1"),
        ("release", ".", "--to", "x", "--fail-if", "linkability above .1"),
    ],
)
def test_usage_errors_end_with_2_and_no_traceback(medveil: Callable, words: tuple[str, ...]) -> None:
    ran = medveil(*words)
    assert ran.code == 2
    assert "Traceback" not in ran.err + ran.out
    assert ran.err.strip()


@pytest.mark.parametrize("verb", ["inspect", "release", "protect", "attack", "measure", "report", "verify"])
def test_missing_input_is_one_line(medveil: Callable, verb: str, tmp_path: Path) -> None:
    tail = [] if verb in ("inspect", "measure", "verify") else ["--to", str(tmp_path / "out")]
    tail += ["--photos", str(tmp_path)] if verb == "attack" else []
    ran = medveil(verb, tmp_path / "Canary^Jane", *tail)
    assert ran.code == (5 if verb == "verify" else 3)
    assert len(ran.err.strip().splitlines()) <= 2
    assert "Canary" not in ran.err + ran.out
    assert not (tmp_path / "out").exists()


def test_dry_run_says_what_would_be_done_and_does_nothing(
    medveil: Callable, ball: Path, tmp_path: Path
) -> None:
    ran = medveil(
        "release", ball, "--to", tmp_path / "out", "--dry-run", "--set", "deface.erase.forehead=true"
    )
    assert ran.code == 0
    assert "forehead" in ran.out
    assert "no photographs" in ran.out
    assert not (tmp_path / "out").exists()


def test_list_as_text_and_json_agree(medveil: Callable) -> None:
    rows = json.loads(medveil("list", "--json").out)
    text = medveil("list").out
    assert {r["name"] for r in rows} >= {"deface.erase", "reidentify.embedding", "reidentify.geo"}
    assert all(r["name"] in text and r["summary"] in text for r in rows)


def test_a_bug_is_told_without_its_values(medveil: Callable, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> None:
        raise ValueError("Canary^Jane")

    monkeypatch.setattr("medveil.carry.inspecting.inspect", broken)
    monkeypatch.delenv("MEDVEIL_DEBUG", raising=False)
    ran = medveil("inspect", ".")
    assert ran.code == 70
    assert "ValueError" in ran.err
    assert "Canary" not in ran.err + ran.out
