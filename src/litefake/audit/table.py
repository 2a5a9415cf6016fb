"""The audit in figures, and as lines for the terminal."""

from collections.abc import Iterator
from typing import Any

import pandas as pd

from litefake.audit.run import Audit, Part
from litefake.outputs import plain

NAMED = 5  # folders in a line
PROBED = ["width", "height", "fps", "frames", "codec", "profile", "pixel_format", "settings"]


def summary(part: Part) -> dict[str, Any]:
    """Figures of each method, and how well each property tells it from the real class."""
    lost = {loss.method: loss for loss in part.losses}
    methods = {}
    for method, clips in part.clips.groupby("method", sort=True):
        readable = clips[clips["error"] == ""]
        loss = lost.get(str(method))
        methods[str(method)] = {
            "files": len(clips),
            "unreadable": len(clips) - len(readable),
            "splits": _counts(clips["given_split"].replace("", "none")),
            "sizes": _counts(readable["width"].astype(str) + "x" + readable["height"].astype(str)),
            "frame_rates": _counts(readable["fps"].astype(str)),
            "frames": _range(readable["frames"]),
            "keyframe_interval": _range(readable["keyframe_interval"]),
            "faces_looked_for": loss.frames if loss else None,
            "faces_lost": loss.lost if loss else None,
        }
    tells: dict[str, dict[str, float]] = {}
    for tell in part.tells:
        tells.setdefault(tell.method, {})[tell.property] = tell.balanced_accuracy
    return {"methods": methods, "balanced_accuracy_of_one_property": tells}


def as_dict(audit: Audit) -> dict[str, Any]:
    """All of it, for JSON."""
    return {
        "root": str(audit.root),
        "layout": audit.layout,
        "parts": {part.name or "all": summary(part) for part in audit.parts},
        "not_looked_at": audit.leftovers,
        "findings": [finding.as_dict() for finding in audit.findings],
    }


def lines(audit: Audit) -> Iterator[str]:
    """A table of the methods, then one line a finding."""
    yield from map(plain, _lines(audit))


def _lines(audit: Audit) -> Iterator[str]:
    total = sum(len(part.clips) for part in audit.parts)
    yield f"{audit.root}: layout {audit.layout}, {total} files"
    for part in audit.parts:
        yield ""
        yield from _table(part)
    yield ""
    if audit.leftovers:
        yield f"not looked at, since the layout does not read them: {_named(audit.leftovers)}"
    for finding in audit.findings:
        yield f"FOUND {finding.kind}: {finding.text}"
    if audit.layout != "portraits" and any(not part.tells for part in audit.parts):
        yield "tells: not measured, for fewer than six clips a class prove nothing"
    yield f"findings: {len(audit.findings)}" if audit.findings else "nothing found"


def rows(audit: Audit) -> pd.DataFrame:
    """One row a file: where it belongs and what it says of itself."""
    columns = ["key", "method", "person", "source_person", "given_split", "path", "error"]
    columns += [*PROBED, "keyframe_interval", "content"]
    parts = [part.clips[columns].assign(part=part.name) for part in audit.parts]
    return pd.concat(parts, ignore_index=True)


def _table(part: Part) -> Iterator[str]:
    shown = []
    for method, figures in summary(part)["methods"].items():
        looked, lost = figures["faces_looked_for"], figures["faces_lost"]
        shown.append(
            {
                part.name or "method": method,
                "files": figures["files"],
                "unreadable": figures["unreadable"],
                "sizes": _spread(figures["sizes"]),
                "frame rates": _spread(figures["frame_rates"]),
                "frames": "-".join(str(end) for end in figures["frames"]),
                "keyframe every": "-".join(str(end) for end in figures["keyframe_interval"]),
                "faces lost": f"{lost} of {looked}" if looked else "",
            }
        )
    yield from pd.DataFrame(shown).to_string(index=False).splitlines()


def _named(folders: dict[str, int]) -> str:
    """How many files there are, and in which folders."""
    first = [f"{folder} ({count})" for folder, count in folders.items()][:NAMED]
    more = f"; and {len(folders) - NAMED} more folders" if len(folders) > NAMED else ""
    return f"{sum(folders.values())} files in {'; '.join(first)}{more}"


def _counts(values: "pd.Series[str]") -> dict[str, int]:
    return {str(value): int(count) for value, count in values.value_counts().items()}


def _range(values: "pd.Series[int]") -> list[int]:
    return sorted({int(values.min()), int(values.max())}) if len(values) else []


def _spread(counts: dict[str, int]) -> str:
    """The commonest value, and how many others there are."""
    if not counts:
        return ""
    first = next(iter(counts))
    return first if len(counts) == 1 else f"{first} and {len(counts) - 1} more"
