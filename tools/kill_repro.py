"""Kill ``dvc repro`` with -9 while it extracts frames and crops faces, and run it again.

``python -m tools.kill_repro --times 20`` (or ``make kill``) needs dvc and git, works in a scratch
clone at the tiny profile and writes metrics/kill.json. Every other time DVC alone is killed, so
that the stage it started outlives it. It fails unless after each kill

* the next complete run gives the same files, to the byte, as one that nobody disturbed,
* nothing else lies in data/ and metrics/, and no process is left in the clone.
"""

import argparse
import hashlib
import os
import random
import signal
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

from litefake.artifacts import write_json
from tools import reproduce

OUT = Path("metrics/kill.json")
STAGES = ("extract_frames", "crop_faces")
REPRO = ("repro", "--force", "--single-item", *STAGES)
SEED = 0
BUSY = ("is running this stage", "Unable to acquire lock", "is busy")
PATIENCE = 600  # seconds for what outlived a kill


def main(times: int, out: Path) -> None:
    rng = random.Random(SEED)
    with tempfile.TemporaryDirectory() as scratch:
        folder = reproduce.clone(Path(scratch).resolve() / "clone")
        reproduce.dvc(folder, "repro", "list_videos")
        started = time.monotonic()
        reproduce.dvc(folder, *REPRO)
        duration, expected = time.monotonic() - started, contents(folder)
        kills = []
        for number in range(times):
            moment = rng.uniform(0, duration)
            kills.append(kill(folder, moment, whole=number % 2 == 0) | finish(folder, expected))
            print(f"{number + 1} of {times}: {kills[-1]}", flush=True)
    failed = [one for one in kills if one["differing"] or one["left_running"]]
    report = {"kills": times, "failed": len(failed), "seconds_of_a_run": duration, "each": kills}
    write_json(out, report)
    if failed:
        raise SystemExit(f"{len(failed)} of {times} kills left something behind, see {out}")


def kill(folder: Path, moment: float, whole: bool) -> dict[str, Any]:
    """Start the stages and kill DVC after ``moment`` seconds, its children too if ``whole``."""
    environment = os.environ | {"DVC_NO_ANALYTICS": "1"}
    quiet = subprocess.DEVNULL
    process = subprocess.Popen(
        ("dvc", *REPRO),
        cwd=folder,
        env=environment,
        stdout=quiet,
        stderr=quiet,
        start_new_session=True,
    )
    try:
        process.wait(moment)
    except subprocess.TimeoutExpired:
        if whole:
            os.killpg(process.pid, signal.SIGKILL)
        process.kill()
    process.wait()
    outlived = len(running_in(folder))
    return {
        "after_seconds": moment,
        "killed": "all" if whole else "dvc",
        "died": process.returncode < 0,
        "outlived_dvc": outlived,
    }


def finish(folder: Path, expected: dict[str, str]) -> dict[str, Any]:
    """Run the stages to their end, waiting for what the kill left; how that differs."""
    end, told = time.monotonic() + PATIENCE, 0
    while True:
        done = subprocess.run(
            ("dvc", *REPRO), cwd=folder, capture_output=True, text=True, check=False
        )
        if done.returncode == 0:
            break
        said = done.stdout + done.stderr
        if time.monotonic() > end or not any(words in said for words in BUSY):
            raise SystemExit(f"dvc repro failed after a kill:\n{said[-3000:]}")
        told += 1
        time.sleep(1)
    found = contents(folder)
    names = expected.keys() | found.keys()
    return {
        "told_to_wait": told,
        "differing": sorted(name for name in names if expected.get(name) != found.get(name)),
        "left_running": running_in(folder),
    }


def contents(folder: Path) -> dict[str, str]:
    """Every file of data/ and metrics/, hidden ones too, with a digest."""
    files = [path for part in ("data", "metrics") for path in (folder / part).rglob("*")]
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in files
        if path.is_file()
    }


def running_in(folder: Path) -> list[int]:
    """The processes whose working directory is ``folder`` (Linux)."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            there = (entry / "cwd").readlink() == folder
        except OSError:  # ended meanwhile, or another user's
            continue
        if there and "Z" not in (entry / "stat").read_text(encoding="ascii").rsplit(")")[1][:3]:
            found.append(int(entry.name))
    return found


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--times", type=int, default=20)
    parser.add_argument("--out", type=Path, default=OUT)
    asked = parser.parse_args()
    main(asked.times, asked.out)
