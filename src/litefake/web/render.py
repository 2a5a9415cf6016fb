"""A judged clip as HTML: pure functions of its report and pictures. All text is escaped."""

import base64
import json
from collections.abc import Iterable
from html import escape
from typing import Any

from litefake.web.elements import image, percent, place
from litefake.web.limits import Limits
from litefake.web.timeline import timeline

MEANING = {
    "fake": "At least one face in this clip looks manipulated to the detector.",
    "real": "No face in this clip looks manipulated enough to the detector. That is no proof.",
    "undecided": "This clip does not give the detector enough to decide.",
}
HEAT = (
    "Bright spots are what speaks for fake (class activation map); no spot means that nothing does."
)
NO_HEAT = "This model is not built so that a heat map could be drawn."
CAVEAT = (
    "The detector compares faces with the manipulations that its model was trained on. Methods "
    "that it has never seen, strong compression, small, turned or covered faces can mislead it "
    "in both directions. Take its answer as a hint, never as proof about a person."
)


def verdict(report: dict[str, Any]) -> str:
    """The answer as one big word, its probability, what it means and why."""
    answer = str(report["verdict"])
    lines = [f'<h2 class="lf-word lf-{answer}">{escape(answer.upper())}</h2>']
    if report["probability"] is not None:
        low, high = report["interval"]
        lines.append(
            f"<p><strong>{percent(report['probability'])}</strong> probability that the most "
            f"suspicious face is fake (90 % interval {percent(low)} to {percent(high)}); "
            f"from {percent(report['threshold'])} on it is called fake.</p>"
        )
    lines.append(f"<p>{MEANING[answer]}</p>")
    lines.append(f'<p class="lf-note">Why: {escape(report["reason"])}.</p>')
    return "".join(lines)


def details(report: dict[str, Any], pictures: dict[str, Any]) -> str:
    """Everything below the verdict: timeline, suspicious faces, numbers, download, limits."""
    return "".join(
        [
            timeline(report, pictures),
            suspects(pictures["suspects"]),
            numbers(report),
            download(report),
            "<h2>What this cannot tell</h2>",
            f"<p>{CAVEAT} This model was trained on: {escape(report['model']['trained_on'])}.</p>",
        ]
    )


def suspects(faces: list[dict[str, Any]]) -> str:
    """The most suspicious faces, each beside its heat map."""
    if not faces:
        return ""
    items = "".join(f"<li>{_suspect(face)}</li>" for face in faces)
    heated = any(face["heat"] for face in faces)
    said = HEAT if heated else NO_HEAT
    return f'<h2>The most suspicious faces</h2><p>{said}</p><ul class="lf-faces">{items}</ul>'


def _suspect(face: dict[str, Any]) -> str:
    where = place(face)
    images = image(face["image"], f"Face {where}")
    if face["heat"]:
        images += image(face["heat"], f"Heat map of the face {where}")
    caption = f"{where}: {percent(face['probability'])}"
    return f"<figure>{images}<figcaption>{caption}</figcaption></figure>"


def numbers(report: dict[str, Any]) -> str:
    """The figures of the report as a table."""
    model = report["model"]
    rows = [
        ("Clip", report["file"]),
        ("Frames looked at, of all", f"{report['frames']} of {report['frames_decoded']}"),
        ("Faces judged", report["faces"]),
        ("Frames without a face", report["frames_without_face"]),
        ("People followed", len(report["tracks"])),
    ]
    if report["fake_rate"] is not None:
        rows.append(("Faces called fake", percent(report["fake_rate"])))
    if len(report["tracks"]) > 1:
        rows += [
            (f"Person {track['track'] + 1:.0f}", f"{percent(track['probability'])} fake")
            for track in report["tracks"]
        ]
    damage = f"{report['bad_packets']} broken packets, {report['damaged_frames']} damaged frames"
    rows += [
        ("Damage", damage + (", cut short" if report["truncated"] else "")),
        ("Time to judge", f"{report['seconds']:.1f} s"),
        ("Model", f"{model['file']}, {model['architecture']}, {model['parameters']:,} parameters"),
    ]
    return f"<h2>Numbers</h2><table>{_rows(rows)}</table>"


def _rows(rows: Iterable[tuple[str, Any]]) -> str:
    return "".join(
        f'<tr><th scope="row">{escape(name)}</th><td>{escape(str(value))}</td></tr>'
        for name, value in rows
    )


def download(report: dict[str, Any]) -> str:
    """A link that saves the report; it holds the file itself, so none lies on the server."""
    text = json.dumps(report, indent=2, ensure_ascii=False) + "\n"
    data = base64.b64encode(text.encode()).decode("ascii")
    return (
        '<p><a class="lf-button" download="report.json" '
        f'href="data:application/json;base64,{data}">Download the report (JSON)</a></p>'
    )


def progress(share: float, doing: str) -> str:
    """How far a job is."""
    return (
        f'<p>{escape(doing)} ...</p><progress max="1" value="{share:.2f}" '
        f'aria-label="Progress">{percent(share)}</progress>'
    )


def no_video(reason: str) -> str:
    """Why a judged clip is shown without its marked copy."""
    return f'<p class="lf-note">There is no marked copy of this clip: {escape(reason)}.</p>'


def message(text: str) -> str:
    """Why a clip is not judged."""
    line = f"{text[:1].upper()}{text[1:]}."
    return f'<h2 class="lf-word lf-refused">Not judged</h2><p>{escape(line)}</p>'


def limits(bounds: Limits) -> str:
    """What may be uploaded."""
    return (
        f'<p class="lf-note">Up to {bounds.max_megabytes} MB, {bounds.max_video_seconds:g} s and '
        f"{bounds.max_side} pixels a side. The clip stays on this machine and is removed once "
        f"it is judged; the marked copy after {bounds.keep_minutes:g} minutes.</p>"
    )
