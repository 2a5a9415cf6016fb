"""Compare the face detectors: what they find, what they imagine, what they cost.

    make bench-detectors                       # built-in frames
    python -m tools.bench_detectors --yunet FILE --mtcnn --clips data/ffpp_faces/*.mp4

Writes metrics/bench/detectors.json and .md. Frames: rendered ones of the test people (their
face is the mesh's), and one frame of ten of every clip given (its face is where the settings
agree: the median of their biggest boxes; so a clip must show one face throughout).
"""

import argparse
import statistics
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import openvino
import pandas as pd
import torch

from litefake import errors, params, reproducibility
from litefake.artifacts import write_json, write_text
from litefake.faces import Box, CropParams
from tools.detector_frames import Shown, at_size, clip_frames, demo_frames
from tools.detector_scores import Setting, agreed, ask, score, settings, smallest

OUT = Path("metrics/bench/detectors")
EVERY = 10  # frames of a clip
SIDES = (20, 30, 40, 60, 80, 120, 160, 240, 320)  # px of Haar's square in 1280 x 720
SIZED = 10  # frames shown at every size, spread over a set


def judge(
    rows: list[Setting], images: list[np.ndarray], truth: Mapping[int, Box] | None
) -> tuple[dict[str, Any], list[Shown]]:
    """Scores of every setting, and the frames with the squares that the settings agree on.

    These squares are the faces, too, where no ``truth`` is given.
    """
    answers = [ask(row, images) for row in rows]
    squares = {
        number: square
        for number in range(len(images))
        if (square := agreed(answers, number)) is not None
    }
    table = {
        row.name: score(answer.boxes, squares if truth is None else truth)
        | {"cpu_ms": answer.milliseconds}
        for row, answer in zip(rows, answers, strict=True)
    }
    counts = {"frames": len(images), "agreed": len(squares)}
    shown = [Shown(images[number], square) for number, square in squares.items()]
    return counts | {"settings": table}, shown


def judge_sizes(rows: list[Setting], shown: list[Shown]) -> dict[str, Any]:
    """Share found by side of the face, the smallest side found for good, and the cost at 720p."""
    chosen = shown[:: max(1, len(shown) // SIZED)][:SIZED]
    found: dict[str, dict[int, float]] = {row.name: {} for row in rows if row.sized}
    times: dict[str, list[float]] = {name: [] for name in found}
    for side in SIDES:
        sized = [at_size(one, side) for one in chosen]
        for row in rows:
            if row.sized:
                answer = ask(row, [one.image for one in sized])
                values = score(answer.boxes, {n: one.face for n, one in enumerate(sized)})
                found[row.name][side] = values["found"]
                times[row.name].append(answer.milliseconds)
    return {
        name: {
            "smallest": smallest(shares),
            "found": {str(side): share for side, share in shares.items()},
            "cpu_ms": statistics.median(times[name]),
        }
        for name, shares in found.items()
    }


def run(rows: list[Setting], clips: list[Path]) -> dict[str, Any]:
    """The whole comparison, as written to detectors.json."""
    rendered = demo_frames()
    meshes = {number: one.face for number, one in enumerate(rendered)}
    sets: dict[str, tuple[list[np.ndarray], dict[int, Box] | None]] = {
        "demo": ([one.image for one in rendered], meshes)
    }
    if clips:
        sets["clips"] = ([image for clip in clips for image in clip_frames(clip, EVERY)], None)
    results: dict[str, Any] = {
        "machine": reproducibility.machine()
        | {"threads": 1, "opencv": cv2.__version__, "openvino": openvino.__version__},
        "sets": {},
    }
    for name, (images, truth) in sets.items():
        judged, shown = judge(rows, images, truth)
        height, width = images[0].shape[:2]
        sizes = judge_sizes(rows, shown)
        results["sets"][name] = judged | {"frame": f"{width} x {height}", "sizes": sizes}
        print(f"{name}: done", flush=True)
    return results


def markdown(results: dict[str, Any]) -> str:
    """Two tables a set: quality and time of every setting, and the sizes of face."""
    parts = []
    for name, one in results["sets"].items():
        table = pd.DataFrame(one["settings"]).T
        lines = [
            f"| {name}: {one['frames']} frames, {one['frame']} | found | false a frame | CPU ms |",
            "| --- | --- | --- | --- |",
        ]
        for setting, row in table.iterrows():
            values = f"{100 * row['found']:.1f} % | {row['false_a_frame']:.3f}"
            lines.append(f"| {setting} | {values} | {row['cpu_ms']:.1f} |")
        head = " | ".join(str(side) for side in SIDES)
        lines += ["", f"| {name}: found (%) at a side of | {head} | from | CPU ms, 720p |"]
        lines.append("| --- " * (len(SIDES) + 3) + "|")
        for setting, row in one["sizes"].items():
            shares = " | ".join(f"{100 * share:.0f}" for share in row["found"].values())
            smallest = f"{row['smallest']} px" if row["smallest"] else "none"
            lines.append(f"| {setting} | {shares} | {smallest} | {row['cpu_ms']:.1f} |")
        parts.append("\n".join(lines))
    machine = results["machine"]
    parts.append(
        f"{machine['cpu']}, 1 thread, processor time, OpenCV {machine['opencv']},"
        f" OpenVINO {machine['openvino'].split('-')[0]}."
    )
    return "\n\n".join(parts) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clips", type=Path, nargs="*", default=[])
    parser.add_argument("--yunet", default="", help="a YuNet model file")
    parser.add_argument("--mtcnn", action="store_true", help="MTCNN too, of facenet-pytorch")
    chosen = parser.parse_args()
    cv2.setNumThreads(1)
    torch.set_num_threads(1)
    rows = settings(params.section("faces", CropParams), chosen.yunet, chosen.mtcnn)
    results = run(rows, chosen.clips)
    write_json(OUT.with_suffix(".json"), results)
    write_text(OUT.with_suffix(".md"), markdown(results))
    print(markdown(results))


if __name__ == "__main__":
    errors.run(main)
