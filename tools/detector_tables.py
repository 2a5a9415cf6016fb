"""The rows of the comparison of detectors that docs/benchmarks.md shows."""

import json
from collections.abc import Iterable

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
    sets = json.loads(results)["sets"]
    names, last = ", ".join(sets), list(sets.values())[-1]
    lines = [
        f"| detector (Haar: scale factor / neighbours, 640 px) | found: {names} |"
        f" false a frame: {names} | CPU ms, {last['frame']} |",
        "| --- | --- | --- | --- |",
    ]
    for name, title in SHOWN.items():
        if name not in last["settings"]:  # MTCNN, without --mtcnn
            continue
        rows = [one["settings"][name] for one in sets.values()]
        found = ", ".join(f"{100 * row['found']:.4g} %" for row in rows)
        false = ", ".join(f"{row['false_a_frame']:.2g}" for row in rows)
        lines.append(f"| {title} | {found} | {false} | {rows[-1]['cpu_ms']:.1f} |")
    return "\n".join(lines)


def sizes(results: str) -> str:
    """Share of faces found by their size, a figure a set, and the time at 1280 x 720."""
    sets = json.loads(results)["sets"]
    heads = " | ".join(f"{side} px" for side in SIDES)
    lines = [
        f"| detector | {heads} | CPU ms, {' / '.join(sets)} |",
        "| --- " * (len(SIDES) + 2) + "|",
    ]
    for name, title in SHOWN.items():
        rows = [one["sizes"][name] for one in sets.values() if name in one["sizes"]]
        if rows:
            shares = [_side(row["found"][side] for row in rows) for side in SIDES]
            times = " / ".join(f"{row['cpu_ms']:.0f}" for row in rows)
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


def _side(shares: Iterable[float]) -> str:
    """Per cent of the faces of one size, a figure a set."""
    return " / ".join(f"{100 * share:.0f}" for share in shares)
