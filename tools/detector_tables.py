"""The rows of the comparison of detectors that docs/results.md shows."""

import json
from typing import Any

DETECTORS = "metrics/bench/detectors.json"
FACE_BOX = "metrics/bench/face_box.json"
SWAP = "metrics/bench/swap_detector.json"
# Its name in the results and here.
SHOWN = {
    "haar, naive": "haar 1.1 / 3, full size, faces from 5 % (naive)",
    "haar 1.1 / 5 / 640 px": "haar 1.1 / 5",
    "haar as in params.yaml": "**haar 1.2 / 5** (default), faces from a fifth of the frame",
    "haar, min_size 0.05": "the same, faces from 5 %",
    "haar 1.3 / 8 / 640 px": "haar 1.3 / 8",
    "blazeface": "blazeface (short range)",
    "blazeface_full": "blazeface_full",
    "mtcnn, min_size 0.2": "mtcnn, faces from a fifth of the frame",
    "mtcnn, faces from 20 px": "mtcnn, faces from 20 px",
}
SIDES = ("20", "40", "60", "80", "120", "160", "240")  # px


def quality(results: str) -> str:
    """Faces found, false ones and time of each detector; ``results`` is the text of DETECTORS."""
    demo, clips = _sets(results)
    lines = [
        "| detector (Haar: scale factor / neighbours, 640 px) | found: demo, clips | false a frame:"
        f" demo, clips | CPU ms, {clips['frame']} |",
        "| --- | --- | --- | --- |",
    ]
    for name, title in SHOWN.items():
        if name not in demo["settings"]:  # MTCNN, without --mtcnn
            continue
        one, other = demo["settings"][name], clips["settings"][name]
        found = f"{100 * one['found']:.4g} %, {100 * other['found']:.4g} %"
        false = f"{one['false_a_frame']:.2g}, {other['false_a_frame']:.2g}"
        lines.append(f"| {title} | {found} | {false} | {other['cpu_ms']:.1f} |")
    return "\n".join(lines)


def sizes(results: str) -> str:
    """Share of faces found by their size, demo / clips, and the time at 1280 x 720."""
    demo, clips = _sets(results)
    heads = " | ".join(f"{side} px" for side in SIDES)
    lines = [f"| detector | {heads} | CPU ms, demo / clips |", "| --- " * (len(SIDES) + 2) + "|"]
    for name, title in SHOWN.items():
        if name not in demo["sizes"]:
            continue
        one, other = demo["sizes"][name], clips["sizes"][name]
        shares = [
            f"{100 * one['found'][side]:.0f} / {100 * other['found'][side]:.0f}" for side in SIDES
        ]
        times = f"{one['cpu_ms']:.0f} / {other['cpu_ms']:.0f}"
        lines.append(f"| {title} | {' | '.join(shares)} | {times} |")
    return "\n".join(lines)


def face_box(results: str) -> str:
    """How far the common square is from Haar's; ``results`` is the text of FACE_BOX."""
    found = json.loads(results)
    used, points = found["in_use"], found["ranges"]
    lines = [
        f"ALONG {used['along']}, SIDES {used['sides']}, fitted on the rendered clips of"
        f" {found['fitted_on_people']} people; the others are only looked at.",
        "",
        "| points of | faces | x | y | side | overlap, median |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for name, clips in points.items():
        for clip, left in clips.items():
            shifts = [left[key] for key in ("x", "y", "side")]
            shown = [f"{one['median']:.3f} ({one['nine_in_ten']:.3f})" for one in shifts]
            overlap = f"{left['overlap_median']:.3f}"
            lines.append(f"| {name}: {clip} | {left['faces']} | {' | '.join(shown)} | {overlap} |")
    return "\n".join(lines)


def swap(results: str) -> str:
    """What a model answers behind each detector; ``results`` is the text of SWAP."""
    found = json.loads(results)
    own, *_ = found["detectors"]
    lines = [
        f"`{found['model']}`, trained behind `{own}`; one frame in {found['frames']} of each clip.",
        "",
        "| faces found by | faces | AUC | AUC of clips | score moved: median, nine in ten below |"
        " other answer | side of the square |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    for name, row in found["detectors"].items():
        moved = f"{row['moved_median']:.3f}, {row['moved_90']:.2f}"
        lines.append(
            f"| {name} | {row['faces']} | {row['auc']:.3f} | {row['clip_auc']:.3f} | {moved} |"
            f" {100 * row['other_answer']:.1f} % | {row['side_ratio']:.3f} |"
        )
    return "\n".join(lines)


def _sets(results: str) -> tuple[dict[str, Any], dict[str, Any]]:
    sets = json.loads(results)["sets"]
    return sets["demo"], sets["clips"]
