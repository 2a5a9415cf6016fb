"""ONNX models are judged and measured with what requirements-detect.in names, and no more."""

import json
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import cv2
from packaging.requirements import Requirement

from tests.clips import draw_face, write_clip
from tools.pipeline import ROOT

SMALL = (ROOT / "requirements-detect.in").read_text(encoding="utf-8").split()
WHOLE = (ROOT / "requirements.in").read_text(encoding="utf-8").split()
HIDING = """
import json, sys
hidden = set(json.loads(sys.argv.pop(1)))
class Hide:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in hidden:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
sys.meta_path.insert(0, Hide())
from litefake import cli
cli.main()
"""


def run_without_the_rest(*words: str, cwd: Path) -> subprocess.CompletedProcess:
    """``litefake`` where nothing is installed but what the small install brings."""
    allowed = needed(SMALL) | {"litefake"}
    hidden = [
        name
        for name, homes in metadata.packages_distributions().items()
        if not {home.lower().replace("_", "-") for home in homes} & allowed
    ]
    assert {"torch", "timm", "dvc"} <= set(hidden)
    command = [sys.executable, "-c", HIDING, json.dumps(hidden), *words]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True)


def needed(names: list[str]) -> set[str]:
    """The distributions that come with ``names``, themselves included, as pip would bring them."""
    waiting, found = list(names), set()
    while waiting:
        name = Requirement(waiting.pop()).name.lower().replace("_", "-")
        if name in found:
            continue
        found.add(name)
        for line in metadata.requires(name) or []:
            wanted = Requirement(line)
            if wanted.marker is None or wanted.marker.evaluate({"extra": ""}):
                waiting.append(wanted.name)
    return found


def test_the_small_install_is_a_part_of_the_whole_one():
    assert set(SMALL) < set(WHOLE)
    brought = needed(SMALL)
    assert "torch" not in brought
    assert "dvc" not in brought


def test_detect_works_with_it_alone(tmp_path):
    """A copy, a report and a table too."""
    write_clip(tmp_path / "clip.mp4", [draw_face()] * 8)
    outputs = ["--out", "o.mp4", "--json", "o.json", "--csv", "o.csv"]
    done = run_without_the_rest("detect", "clip.mp4", *outputs, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert json.loads((tmp_path / "o.json").read_text(encoding="utf-8"))["faces"] == 8
    assert (tmp_path / "o.mp4").stat().st_size > 1000


def test_a_picture_is_judged_with_it_alone(tmp_path):
    cv2.imwrite(str(tmp_path / "face.png"), draw_face())
    done = run_without_the_rest("detect", "face.png", "--json", "o.json", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert json.loads((tmp_path / "o.json").read_text(encoding="utf-8"))["faces"] == 1


def test_evaluate_works_with_it_alone(tmp_path):
    for label in ("real", "fake"):
        (tmp_path / label).mkdir()
        write_clip(tmp_path / label / "clip.mp4", [draw_face()] * 8)
    done = run_without_the_rest("evaluate", ".", "--json", "e.json", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    found = json.loads((tmp_path / "e.json").read_text(encoding="utf-8"))
    assert found["frames"]["all"]["auc"] == 0.5  # one clip twice


def test_audit_works_with_it_alone(tmp_path):
    for label in ("real", "fake"):
        (tmp_path / label).mkdir()
        write_clip(tmp_path / label / "clip.mp4", [draw_face()] * 8)
    done = run_without_the_rest("audit", ".", "--json", "a.json", cwd=tmp_path)
    assert done.returncode == 1, done.stderr  # the two are the same clip
    assert (tmp_path / "a.json").is_file()


def test_what_is_not_installed_is_one_line(tmp_path):
    write_clip(tmp_path / "clip.mp4", [draw_face()] * 8)
    (tmp_path / "b0.safetensors").write_bytes(b"")
    words = ("clip.mp4", "--model", "b0.safetensors")
    done = run_without_the_rest("detect", *words, cwd=tmp_path)
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert done.stderr.startswith("error: ")
    assert "is not installed" in done.stderr
    assert "install litefake[all]" in done.stderr
