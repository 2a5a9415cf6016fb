"""Time the way from a clip to its faces: the naive one and ours, stage by stage.

    make bench-preprocess            # two built-in clips, 720p H.264, a face in motion
    python -m tools.bench_preprocess --quick    # one of them, half as long
    python -m tools.bench_preprocess CLIP ...

Every clip is measured at two spacings of its keyframes: the encoder's default of 250 frames and
one a second. The naive way decodes all frames with OpenCV, writes each as JPEG, reads the wanted
ones back and runs Haar at full size (scale factor 1.1, 3 neighbours). Writes
metrics/bench/preprocess.json and .md. For the memory see tools/bench_memory.py.
"""

import argparse
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pandas as pd

from litefake import detectors, params, reproducibility
from litefake.artifacts import write_json, write_text
from litefake.demo import DemoParams, filming, schedule
from litefake.demo.person import prepare
from litefake.faces import CropParams
from litefake.video import read_frames
from tools import long_clips
from tools.long_clips import HEIGHT, WIDTH
from tools.long_clips import RATE as FPS
from tools.preprocess_ways import naive, one_pass, two_stages

OUT = Path("metrics/bench/preprocess")
LENGTH, RENDERED = 300, 24  # frames of a built-in clip, and how many of them are rendered
KEYFRAMES = (250, FPS)
STEPS = ("decode", "store", "read", "detect", "crop")


def built_in(people: int, length: int) -> Iterator[tuple[str, list[np.ndarray]]]:
    """Rendered people before a mirrored background, played to and fro."""
    p = params.section("demo", DemoParams)
    p = p.model_copy(update={"size": HEIGHT, "frames": RENDERED, "supersampling": 1.0})
    plan = schedule.plan(p.seed, p.split_sizes, 1, 0.0)
    for number in plan.pairs["test"][0][:people]:
        rng = schedule.random_stream(p.seed, schedule.Purpose.SENSOR, number, 0)
        take = filming.stage_take(number, 0, p)
        shown = filming.film(prepare(plan.people[number]), take, rng, p)
        side = (WIDTH - HEIGHT) // 2
        wide = [
            cv2.copyMakeBorder(one.frame, 0, 0, side, side, cv2.BORDER_REFLECT) for one in shown
        ]
        order = [*wide, *wide[::-1]]
        yield f"{number:03d}", [order[n % len(order)] for n in range(length)]


def encode(path: Path, frames: list[np.ndarray], keyframes: int) -> Path:
    """H.264 at the encoder's defaults but for ``keyframes``, the frames between two of them."""
    return long_clips.encode(path, frames, {"g": str(keyframes), "threads": "1"})


def measure(clips: list[Path], base: CropParams) -> dict[str, dict[str, float]]:
    """Means over ``clips`` of every way."""
    ways: dict[str, Any] = {"naive": (naive, base)}
    for detector in ("haar", "blazeface"):
        p = base.model_copy(update={"detector": detector, "detector_file": ""})
        detectors.detector(p).detect(np.zeros((HEIGHT, WIDTH, 3), np.uint8))
        ways[f"two stages, {detector}"] = (two_stages, p)
        ways[f"one pass, {detector}"] = (one_pass, p)
    table = {}
    for name, (way, p) in ways.items():
        rows = []
        for clip in clips:
            with tempfile.TemporaryDirectory() as folder:
                rows.append(way(clip, Path(folder), p))
        table[name] = {str(key): float(value) for key, value in pd.DataFrame(rows).mean().items()}
    return {name: row | _relations(row, table["naive"]) for name, row in table.items()}


def _relations(row: dict[str, float], naive_row: dict[str, float]) -> dict[str, Any]:
    """What follows from the seconds of a clip."""
    shares = {step: row[step] / row["cpu"] for step in STEPS if step in row}
    return {
        "times_naive": naive_row["cpu"] / row["cpu"],
        "share": shares,
        "limited_by": max(shares, key=lambda step: shares[step]),
        "cpu_minutes_per_1000_clips": row["cpu"] * 1000 / 60,
    }


def markdown(results: dict[str, Any]) -> str:
    """A table for each spacing of keyframes; seconds a clip."""
    columns = (*STEPS, "cpu", "wall", "times_naive", "cpu_minutes_per_1000_clips", "faces")
    parts = []
    for keyframes, table in results["keyframes"].items():
        title = f"| a keyframe every {keyframes} frames | "
        lines = [title + " | ".join(columns).replace("_", " ") + " | limited by |"]
        lines.append("| --- " * (len(columns) + 2) + "|")
        for name, row in table.items():
            values = " | ".join(f"{row[key]:.3g}" if key in row else "" for key in columns)
            lines.append(f"| {name} | {values} | {row['limited_by']} |")
        parts.append("\n".join(lines))
    return "\n\n".join(parts) + "\n"


def main(given: list[Path], quick: bool) -> None:
    cv2.setNumThreads(1)
    base = params.section("faces", CropParams)
    results: dict[str, Any] = {"machine": reproducibility.machine()}
    with tempfile.TemporaryDirectory() as name:
        sources = (
            ((clip.stem, [one.image for one in read_frames(clip, range(LENGTH))]) for clip in given)
            if given
            else built_in(1 if quick else 2, LENGTH // 2 if quick else LENGTH)
        )
        clips: dict[int, list[Path]] = {keyframes: [] for keyframes in KEYFRAMES}
        for title, frames in sources:
            for keyframes, ours in clips.items():
                ours.append(encode(Path(name) / f"{title}_{keyframes}.mp4", frames, keyframes))
        results["keyframes"] = {str(key): measure(ours, base) for key, ours in clips.items()}
    write_json(OUT.with_suffix(".json"), results)
    write_text(OUT.with_suffix(".md"), markdown(results))
    print(markdown(results))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("clips", nargs="*", type=Path)
    parser.add_argument("--quick", action="store_true")
    asked = parser.parse_args()
    main(asked.clips, asked.quick)
