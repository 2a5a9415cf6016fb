"""What a verdict costs, against the naive way, in one run: ``make bench-detect``.

Writes metrics/bench/detect.json and .md. The clips are made from the built-in data (run
``make repro`` first): 1280 x 720, 30 frames a second, H.264, a keyframe every 250 frames or
every 30. CPU seconds are of one process without its start-up; the naive way decodes every
frame with OpenCV, writes it as JPEG, reads the wanted ones back, searches them with Haar at
full size (scale 1.1, 3 neighbours) and runs B0 in eager PyTorch on one face at a time.
"""

import multiprocessing
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch

from litefake import (
    annotation,
    detection,
    errors,
    models,
    report,
    reproducibility,
    shipped,
    transforms,
)
from litefake.artifacts import write_json, write_text
from litefake.detectors import CASCADE, detector
from litefake.errors import DataMissing
from litefake.faces import crop
from litefake.shipped import FaceDetector
from litefake.video import read_frames
from tools import int8_peak, long_clips
from tools.long_clips import HEIGHT, RATE, WIDTH

EVERY = 10
SECONDS = 10
LENGTHS = {"10 s": 10, "1 min": 60, "10 min": 600}
OUT = Path("metrics/bench")
TEACHER = Path("models/b0.safetensors")

DETECTORS: tuple[FaceDetector, ...] = ("haar", "blazeface", "blazeface_full")

Figures = dict[str, Any]

WATCH = """import resource, subprocess, sys
subprocess.run(sys.argv[1:], check=True, stdout=subprocess.DEVNULL)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)"""


def main() -> None:
    sources = sorted(Path("data/videos/original_sequences").rglob("*.mp4"))
    if not sources:
        raise DataMissing("data/videos: no clips; run `make repro` first")
    model = Path(sys.argv[1]) if len(sys.argv) > 1 else shipped.MODEL
    finder = report.Judge.load(model, threads=1).card.crop.detector
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        clip = long_clips.made(folder / "clip.mp4", sources[0], SECONDS, 250)
        dense = long_clips.made(folder / "dense.mp4", sources[0], SECONDS, RATE)
        results: Figures = {
            "machine": reproducibility.machine(),
            "model": model.name,
            "versus_naive": {
                "250": versus_naive(clip, model, folder / "frames"),
                "30": versus_naive(dense, model, folder / "frames"),
            },
            "own_detector": finder,
            "stages": {name: alone(stages, clip, model, name) for name in DETECTORS},
            "int8_peak": alone(int8_peak.share_of_peak, model),
            "annotated_copy": alone(annotated, clip, model, folder / "out.mp4"),
            "start_up_seconds": start_up(clip, model),
            "length": {},
        }
        for label, seconds in LENGTHS.items():
            long = long_clips.repeated(clip, folder / "long.mp4", seconds // SECONDS)
            results["length"][label] = alone(look, long, model) | {"peak_mb": peak(long, model)}
    write_json(OUT / "detect.json", results)
    write_text(OUT / "detect.md", markdown(results))
    print(markdown(results))


def versus_naive(clip: Path, model: Path, folder: Path) -> Figures:
    """Every way over the same frames of ``clip``, one after the other, twice."""
    found: dict[str, list[Figures]] = {}
    for _ in range(2):
        for name in DETECTORS:
            found.setdefault(name, []).append(alone(look, clip, model, name))
        found.setdefault("naive", []).append(alone(naively, clip, folder))
    best = {name: min(both, key=lambda one: one["cpu_seconds"]) for name, both in found.items()}
    naive = best.pop("naive")
    ratios = {name: naive["cpu_seconds"] / ours["cpu_seconds"] for name, ours in best.items()}
    return {"ours": best, "naive": naive, "ratio": ratios}


def look(clip: Path, model: Path, finder: FaceDetector | None = None) -> Figures:
    """The shipped way, as ``litefake detect`` does it, behind the detector ``finder``."""
    judge = report.Judge.load(model, threads=1).behind(finder)
    started = clocks()
    found = report.judge_file(clip, judge, EVERY)
    return {**since(started), "frames": len(found.looks.looked), "faces": len(found.looks.faces)}


def naively(clip: Path, folder: Path) -> Figures:
    """Every frame to JPEG, the wanted ones back, Haar at full size, B0 on one face at a time."""
    folder.mkdir(exist_ok=True)
    network, card = models.load(TEACHER)
    cascade = cv2.CascadeClassifier(str(Path(cv2.__file__).parent / "data" / CASCADE))
    started = clocks()
    capture, count = cv2.VideoCapture(str(clip)), 0
    while True:
        read, image = capture.read()
        if not read:
            break
        cv2.imwrite(str(folder / f"{count:06}.jpg"), image)
        count += 1
    faces = 0
    for number in range(0, count, EVERY):
        image = np.asarray(cv2.imread(str(folder / f"{number:06}.jpg")))
        found = cascade.detectMultiScale(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY), 1.1, 3)
        for x, y, width, height in sorted(map(tuple, found)):
            face = cv2.resize(image[y : y + height, x : x + width], (card.image_size,) * 2)
            batch = transforms.to_input(
                [np.ascontiguousarray(face[..., ::-1])], card.image_size, card.mean, card.std
            )
            with torch.inference_mode():
                network(batch)
            faces += 1
    return {**since(started), "frames": len(range(0, count, EVERY)), "faces": faces}


def stages(clip: Path, model: Path, name: FaceDetector) -> Figures:
    """CPU seconds of each step of the shipped way, taken one after the other."""
    judge = report.Judge.load(model, threads=1).behind(name)
    finder, crop_rule = detector(judge.card.crop), judge.card.crop
    steps: Figures = {}
    started = clocks()
    frames = list(read_frames(clip, range(0, 10**9, EVERY)))
    steps["decode"] = since(started)["cpu_seconds"]
    started = clocks()
    boxes = [finder.detect(frame.image) for frame in frames]
    steps["detect"] = since(started)["cpu_seconds"]
    started = clocks()
    faces = [
        crop(frame.image, box, crop_rule)
        for frame, found in zip(frames, boxes, strict=True)
        for box in found
    ]
    steps["crop"] = since(started)["cpu_seconds"]
    started = clocks()
    detection.probabilities(faces, judge.model, judge.card)
    steps["classify"] = since(started)["cpu_seconds"]
    whole = sum(steps.values())
    return {
        "cpu_seconds": steps,
        "share": {name: value / whole for name, value in steps.items()},
    }


def annotated(clip: Path, model: Path, out: Path) -> Figures:
    """What ``--out`` adds."""
    judge = report.Judge.load(model, threads=1)
    looks = report.judge_file(clip, judge, EVERY).looks
    started = clocks()
    annotation.annotate(clip, out, looks.faces, judge.rule)
    return since(started)


def start_up(clip: Path, model: Path) -> float:
    """Wall seconds of the whole command less those of the judgement itself."""
    started = time.perf_counter()
    peak(clip, model)
    return time.perf_counter() - started - float(alone(look, clip, model)["wall_seconds"])


def peak(clip: Path, model: Path) -> float:
    """MB that the whole command needs at most: unlike this module, it does not load PyTorch."""
    command = [sys.executable, "-m", "litefake", "detect", str(clip), "--model", str(model)]
    # By way of a small process: a child's peak begins with the memory of who starts it.
    done = subprocess.run([sys.executable, "-c", WATCH, *command], check=True, capture_output=True)
    return int(done.stdout) / 1024


def alone(work: Callable[..., Figures], *arguments: Path | str) -> Figures:
    """The figures of ``work``, in a new process with one thread."""
    context = multiprocessing.get_context("spawn")
    with context.Pool(1, initializer=_one_thread) as pool:
        return pool.apply(work, arguments)


def _one_thread() -> None:
    torch.set_num_threads(1)
    cv2.setNumThreads(1)


def clocks() -> tuple[float, float]:
    return time.process_time(), time.perf_counter()


def since(started: tuple[float, float]) -> Figures:
    cpu, wall = (now - then for now, then in zip(clocks(), started, strict=True))
    return {"cpu_seconds": cpu, "wall_seconds": wall}


def markdown(results: Figures) -> str:
    """The figures as a page."""
    machine = results["machine"]
    lines = [
        f"A {SECONDS} s clip of {WIDTH} x {HEIGHT} at {RATE} frames a second, one frame in {EVERY} "
        f"looked at, {results['model']}, one thread of: {machine['cpu']}.",
        "",
        f"The model was trained behind {results['own_detector']}.",
        "",
        "| keyframe every | detector | ours, CPU s | naive, CPU s | ratio |",
        "| --- | --- | --- | --- | --- |",
    ]
    for key, found in results["versus_naive"].items():
        naive, ratio = found["naive"]["cpu_seconds"], found["ratio"]
        lines += [
            f"| {key} | {name} | {ours['cpu_seconds']:.2f} | {naive:.2f} | {ratio[name]:.1f} |"
            for name, ours in found["ours"].items()
        ]
    lines += ["", "| detector | step | CPU s | share |", "| --- | --- | --- | --- |"]
    lines += [
        f"| {name} | {step} | {seconds:.3f} | {100 * steps['share'][step]:.0f} % |"
        for name, steps in results["stages"].items()
        for step, seconds in steps["cpu_seconds"].items()
    ]
    lines += ["", int8_peak.in_words(results["int8_peak"])]
    lines += ["", "| length | CPU s | times faster than real time | peak MB |"]
    lines.append("| --- | --- | --- | --- |")
    for label, found in results["length"].items():
        speed = LENGTHS[label] / found["wall_seconds"]
        row = f"| {label} | {found['cpu_seconds']:.2f} | {speed:.0f} | {found['peak_mb']:.0f} |"
        lines.append(row)
    extra = results["annotated_copy"]["cpu_seconds"]
    lines += ["", f"`--out` adds {extra:.1f} CPU seconds to the 10 s clip; starting the command "
              f"takes {results['start_up_seconds']:.1f} s."]  # fmt: skip
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    errors.run(main)
