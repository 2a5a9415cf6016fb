"""Time the way from a clip to its faces: the naive one and ours, stage by stage.

    make bench-preprocess            # two built-in clips, 720p H.264, a face in motion
    python -m tools.bench_preprocess --quick    # one of them, half as long
    python -m tools.bench_preprocess CLIP ...

Every clip is measured at two spacings of its keyframes: the encoder's default of 250 frames and
one a second. The naive way decodes all frames with OpenCV, writes each as JPEG, reads the wanted
ones back and runs Haar at full size (scale factor 1.1, 3 neighbours). Memory is measured over
many small clips. Writes metrics/bench/preprocess.json and .md.
"""

import argparse
import multiprocessing
import resource
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import pandas as pd

from litefake import detectors, extraction, params, reproducibility
from litefake.artifacts import write_json, write_text
from litefake.demo import DemoParams, filming, schedule
from litefake.demo.person import prepare
from litefake.faces import CropParams
from litefake.video import read_frames
from tools import fuzz_seeds
from tools.preprocess_ways import naive, one_pass, two_stages

OUT = Path("metrics/bench/preprocess")
HEIGHT, WIDTH, FPS = 720, 1280, 30
LENGTH, RENDERED = 300, 24  # frames of a built-in clip, and how many of them are rendered
KEYFRAMES = (250, FPS)
MANY = (100, 1000)  # clips, for the memory
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
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=FPS)
        stream.height, stream.width = frames[0].shape[:2]
        stream.pix_fmt = "yuv420p"
        stream.options = {"g": str(keyframes), "threads": "1"}
        for image in frames:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(image, format="rgb24")))
        container.mux(stream.encode(None))
    return path


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


def peak_memory(clips: int) -> float:
    """MB that a process has needed at most after it extracted so many small clips."""
    p = extraction.SamplingParams.model_validate(
        {"real": {"spread": 4}, "fake": {"spread": 4}, "seed": 0, "format": "png", "quality": 95}
    )
    for number in range(clips):
        clip = {"key": f"youtube/{number}", "method": "youtube", "path": "b_frames.mp4"}
        with tempfile.TemporaryDirectory() as folder:
            extraction.extract(clip, fuzz_seeds.FOLDER, Path(folder), "youtube", p)
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def memory() -> dict[str, float]:
    """The peak over each number of clips of MANY, each in a fresh process."""
    context = multiprocessing.get_context("spawn")
    with context.Pool(1, maxtasksperchild=1) as pool:
        return {str(clips): pool.apply(peak_memory, (clips,)) for clips in MANY}


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
    peaks = ", ".join(f"{mb:.0f} MB after {n} clips" for n, mb in results["memory_mb"].items())
    return "\n\n".join([*parts, f"Peak memory of a process: {peaks}."]) + "\n"


def main(given: list[Path], quick: bool) -> None:
    cv2.setNumThreads(1)
    base = params.section("faces", CropParams)
    results: dict[str, Any] = {"machine": reproducibility.machine(), "memory_mb": memory()}
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
