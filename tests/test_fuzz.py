"""Damaged clips end in frames or in a typed error; ``make fuzz`` reads all of them."""

import faulthandler
import json
import os
import subprocess
import sys
import time

import numpy as np
import pytest

from tools import fuzz_seeds, fuzz_video
from tools.fuzz_mutations import MUTATIONS
from tools.stage_code import ROOT


def test_fifty_mutated_clips_neither_crash_nor_hang_nor_raise(tmp_path):
    out = tmp_path / "fuzz.json"
    every = fuzz_video.CASES // 50 - 1  # no multiple of seeds or mutations: all of both occur
    command = [sys.executable, "-m", "tools.fuzz_video", "--every", str(every), "--out", str(out)]
    done = subprocess.run(command, cwd=tmp_path, env=environment(), capture_output=True)
    assert done.returncode == 0, done.stderr[-2000:]
    report = json.loads(out.read_text())
    assert report["clips"] >= 50
    assert report["failures"] == []
    assert sum(report["outcomes"][name] for name in fuzz_video.GOOD) == report["clips"]
    assert set(report["by"]["seed"]) == set(fuzz_seeds.SEEDS)
    assert set(report["by"]["mutation"]) == {mutate.__name__ for mutate in MUTATIONS}


def environment() -> dict[str, str]:
    return os.environ | {"PYTHONPATH": f"{ROOT / 'src'}{os.pathsep}{ROOT}"}


def test_the_committed_report_is_of_all_cases():
    report = json.loads(fuzz_video.OUT.read_text())
    assert report["clips"] == fuzz_video.CASES >= 1000
    assert report["failures"] == []


@pytest.mark.parametrize("mutate", MUTATIONS, ids=lambda mutate: mutate.__name__)
def test_a_mutation_is_decided_by_its_seed(mutate):
    data = (fuzz_seeds.FOLDER / "plain.mp4").read_bytes()
    once, again = (bytes(mutate(bytearray(data), np.random.default_rng(7))) for _ in range(2))
    assert once == again != data


def test_every_seed_is_whole():
    for name in fuzz_seeds.SEEDS:
        assert fuzz_video.read(fuzz_seeds.FOLDER / name) == {"outcome": "read"}


def test_a_crash_and_a_hang_are_told_apart(tmp_path, monkeypatch):
    def crash(path):
        faulthandler.disable()  # pytest's: it would print a page about what is meant to happen
        os.abort()

    monkeypatch.setattr(fuzz_video, "read", crash)
    assert next(fuzz_video.run([0]))["outcome"] == "crash"
    monkeypatch.setattr(fuzz_video, "WALL_SECONDS", 0.2)
    monkeypatch.setattr(fuzz_video, "read", lambda path: time.sleep(60))
    assert next(fuzz_video.run([0]))["outcome"] == "hang"
