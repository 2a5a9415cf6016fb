"""The rows of the comparison of detectors that docs/results.md shows."""

import json
from typing import Any

DETECTORS = "metrics/bench/detectors.json"
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


def _sets(results: str) -> tuple[dict[str, Any], dict[str, Any]]:
    sets = json.loads(results)["sets"]
    return sets["demo"], sets["clips"]
