"""Time the way from a clip to its faces: the naive one and ours, stage by stage.

    make bench-preprocess            # two built-in clips, 720p H.264, a face in motion
    python -m tools.bench_preprocess CLIP ...

Every clip is measured at two spacings of its keyframes: the encoder's default of 250 frames and
one a second. The naive way decodes all frames with OpenCV, writes each as JPEG, reads the wanted
ones back and runs Haar at full size (scale factor 1.1, 3 neighbours). Writes
metrics/bench/preprocess.json and .md.
"""

import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import pandas as pd

from litefake import detectors, params, reproducibility
from litefake.artifacts import write_json, write_text
from litefake.demo import DemoParams, filming, schedule
from litefake.demo.person import prepare
from litefake.faces import CropParams
from litefake.video import read_frames
from tools.preprocess_ways import naive, one_pass, two_stages

OUT = Path("metrics/bench/preprocess")
HEIGHT, WIDTH, FPS = 720, 1280, 30
LENGTH, RENDERED = 300, 60  # frames of a built-in clip, and how many of them are rendered
KEYFRAMES = (250, FPS)


def built_in() -> Iterator[tuple[str, list[np.ndarray]]]:
    """Two rendered people before a mirrored background, played to and fro."""
    p = params.section("demo", DemoParams)
    p = p.model_copy(update={"size": HEIGHT, "frames": RENDERED, "supersampling": 1.0})
    plan = schedule.plan(p.seed, p.split_sizes, 1, 0.0)
    for number in plan.pairs["test"][0]:
        rng = schedule.random_stream(p.seed, schedule.Purpose.SENSOR, number, 0)
        take = filming.stage_take(number, 0, p)
        shown = filming.film(prepare(plan.people[number]), take, rng, p)
        side = (WIDTH - HEIGHT) // 2
        wide = [
            cv2.copyMakeBorder(one.frame, 0, 0, side, side, cv2.BORDER_REFLECT) for one in shown
        ]
        order = [*wide, *wide[::-1]]
        yield f"{number:03d}", [order[n % len(order)] for n in range(LENGTH)]


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
    return {
        name: row | {"times_naive": table["naive"]["cpu"] / row["cpu"]}
        for name, row in table.items()
    }


def markdown(results: dict[str, Any]) -> str:
    """A table for each spacing of keyframes; seconds a clip."""
    columns = ("decode", "store", "read", "detect", "crop", "cpu", "wall", "times_naive", "faces")
    parts = []
    for keyframes, table in results["keyframes"].items():
        lines = [f"| a keyframe every {keyframes} frames | " + " | ".join(columns) + " |"]
        lines.append("| --- " * (len(columns) + 1) + "|")
        for name, row in table.items():
            values = " | ".join(f"{row[key]:.3g}" if key in row else "" for key in columns)
            lines.append(f"| {name} | {values} |")
        parts.append("\n".join(lines))
    return "\n\n".join(parts) + "\n"


def main(given: list[Path]) -> None:
    cv2.setNumThreads(1)
    base = params.section("faces", CropParams)
    results: dict[str, Any] = {"machine": reproducibility.machine(), "keyframes": {}}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        sources = (
            ((clip.stem, [one.image for one in read_frames(clip, range(LENGTH))]) for clip in given)
            if given
            else built_in()
        )
        clips: dict[int, list[Path]] = {keyframes: [] for keyframes in KEYFRAMES}
        for title, frames in sources:
            for keyframes, ours in clips.items():
                ours.append(encode(folder / f"{title}_{keyframes}.mp4", frames, keyframes))
        for keyframes, ours in clips.items():
            results["keyframes"][str(keyframes)] = measure(ours, base)
    write_json(OUT.with_suffix(".json"), results)
    write_text(OUT.with_suffix(".md"), markdown(results))
    print(markdown(results))


if __name__ == "__main__":
    main([Path(name) for name in sys.argv[1:]])
