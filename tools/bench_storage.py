"""Time what DVC needs for many crops, kept as files and in tar shards.

    python -m tools.bench_storage --crops 20000

Makes a scratch DVC repository with one stage, whose output is a folder of small random PNG
crops, and measures the first ``dvc repro``, ``dvc status`` and a ``dvc repro`` that has nothing
to do; then how long reading crops in random order takes. Writes metrics/bench/storage.json and .md.
"""

import argparse
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import yaml

from litefake import crop_store, images, reproducibility
from litefake.artifacts import write_csv, write_json, write_text
from litefake.crop_store import StorageParams

OUT = Path("metrics/bench/storage")
SIDE, PER_CLIP, READS = 32, 12, 1000  # px, crops, crops


def make(folder: Path, crops: int, storage: StorageParams) -> None:
    """Fill ``folder`` with random crops in the layout of the pipeline."""
    rng = np.random.default_rng(0)
    names = [f"youtube/{n // PER_CLIP:06d}/{n % PER_CLIP:06d}.png" for n in range(crops)]
    for name in names:
        images.write(folder / name, rng.integers(0, 256, (SIDE, SIDE, 3), np.uint8))
    table = pd.DataFrame({"key": [str(Path(name).parent) for name in names], "path": names})
    crop_store.keep(folder, table, storage)
    write_csv(folder / "index.csv", table)


def measure(crops: int, storage: StorageParams) -> dict[str, Any]:
    """Seconds of every command, in a repository of its own."""
    with tempfile.TemporaryDirectory() as name:
        repository = Path(name)
        _dvc(repository, "init", "--no-scm")
        command = f"cd {Path.cwd()} && {sys.executable} -m tools.bench_storage"
        command += f" --make {repository / 'faces'} --crops {crops} --storage {storage.faces}"
        stage = {"cmd": command, "outs": ["faces"]}
        (repository / "dvc.yaml").write_text(yaml.safe_dump({"stages": {"crop": stage}}))
        seconds = {
            "first_repro": _dvc(repository, "repro"),
            "status": _dvc(repository, "status"),
            "repro_with_nothing_to_do": _dvc(repository, "repro"),
        }
        faces = repository / "faces"
        files = sum(path.is_file() for path in faces.rglob("*"))
        return {"files": files, **seconds, "read_1000": _reading(faces, crops)}


def _dvc(repository: Path, *arguments: str) -> float:
    """The seconds that ``dvc`` took."""
    started = time.perf_counter()
    command = [sys.executable, "-m", "dvc", *arguments, "-q"]
    subprocess.run(command, cwd=repository, check=True)
    return time.perf_counter() - started


def _reading(folder: Path, crops: int) -> float:
    names = pd.read_csv(folder / "index.csv")["path"]
    chosen = np.random.default_rng(1).integers(0, crops, READS)
    started = time.perf_counter()
    for number in chosen:
        assert crop_store.read(folder, names[number]) is not None
    return time.perf_counter() - started


def markdown(results: dict[str, Any]) -> str:
    """A row for each way; seconds of the clock."""
    columns = ("files", "first_repro", "status", "repro_with_nothing_to_do", "read_1000")
    lines = [f"| {results['crops']} crops as | " + " | ".join(columns).replace("_", " ") + " |"]
    lines.append("| --- " * (len(columns) + 1) + "|")
    for name, row in results["storage"].items():
        lines.append(f"| {name} | " + " | ".join(f"{row[key]:.5g}" for key in columns) + " |")
    return "\n".join(lines) + "\n"


def main(crops: int) -> None:
    ways = {name: StorageParams(faces=name) for name in ("files", "shards")}
    results = {
        "machine": reproducibility.machine(),
        "crops": crops,
        "storage": {name: measure(crops, p) for name, p in ways.items()},
    }
    write_json(OUT.with_suffix(".json"), results)
    write_text(OUT.with_suffix(".md"), markdown(results))
    print(markdown(results))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--crops", type=int, default=20_000)
    parser.add_argument("--make", type=Path, help="only fill this folder (what the stage does)")
    parser.add_argument("--storage", choices=["files", "shards"], default="files")
    asked = parser.parse_args()
    if asked.make:
        make(asked.make, asked.crops, StorageParams(faces=asked.storage))
    else:
        main(asked.crops)
