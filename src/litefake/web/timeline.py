"""The score over a clip as a picture with one choice a face: mouse, touch and arrow keys."""

from html import escape
from itertools import groupby
from typing import Any

from litefake.web.elements import image, percent, place

HEIGHT = 200  # px


def timeline(report: dict[str, Any], pictures: dict[str, Any]) -> str:
    """A line a person, the threshold, and a point a face that shows the face when chosen.

    The points are radio buttons, so that a keyboard and a screen reader know them. Without a
    script: the chosen one shows the figure behind it (``style.css``).
    """
    rows, points = report["timeline"], pictures["points"]
    if not rows:
        return ""
    start, span = _extent(rows)
    worst = max(points, key=lambda point: point["probability"])
    choices = "".join(
        _choice(point, (_when(point) - start) / span, point is worst) for point in points
    )
    unit = "frame" if rows[0]["seconds"] is None else "s"
    first, last = f"{start:.1f} {unit}", f"{start + span:.1f} {unit}"
    return (
        "<h2>Score over the clip</h2>"
        '<fieldset class="lf-time"><legend>Choose a point to see that face: the higher, the more '
        "it looks fake; squares are called fake, discs real, rings neither.</legend>"
        f'<div class="lf-plot">{_lines(report, start, span)}{choices}'
        '<span class="lf-top" aria-hidden="true">100 %</span>'
        '<span class="lf-bottom" aria-hidden="true">0 %</span>'
        f'<span class="lf-from" aria-hidden="true">{first}</span>'
        f'<span class="lf-to" aria-hidden="true">{last}</span></div></fieldset>'
    )


def _when(row: dict[str, Any]) -> float:
    return float(row["frame"] if row["seconds"] is None else row["seconds"])


def _extent(rows: list[dict[str, Any]]) -> tuple[float, float]:
    times = [_when(row) for row in rows]
    return min(times), (max(times) - min(times)) or 1.0


def _lines(report: dict[str, Any], start: float, span: float) -> str:
    def x_y(row: dict[str, Any]) -> str:
        x, y = 1000 * (_when(row) - start) / span, HEIGHT * (1 - row["probability"])
        return f"{x:.1f},{y:.1f}"

    ordered = sorted(report["timeline"], key=lambda row: row["track"])
    lines = "".join(
        f'<polyline points="{" ".join(map(x_y, track))}"/>'
        for _, track in groupby(ordered, key=lambda row: row["track"])
    )
    level = HEIGHT * (1 - report["threshold"])
    return (
        f'<svg viewBox="0 0 1000 {HEIGHT}" preserveAspectRatio="none" aria-hidden="true">'
        f'<line x1="0" x2="1000" y1="{level:.1f}" y2="{level:.1f}"/>{lines}</svg>'
    )


def _choice(point: dict[str, Any], left: float, chosen: bool) -> str:
    text = f"{place(point)}, person {point['track'] + 1:.0f}: {percent(point['probability'])} fake"
    style = f"left:{100 * left:.2f}%;top:{HEIGHT * (1 - point['probability']):.1f}px"
    return (
        f'<input type="radio" name="lf-face" class="lf-{point["answer"]}" style="{style}" '
        f'aria-label="{escape(text)}"{" checked" if chosen else ""}>'
        f"<figure>{image(point['image'], f'Face {text}')}"
        f"<figcaption>{escape(text)}</figcaption></figure>"
    )
