"""An evaluation as JSON with a stable, versioned schema, and as text for a terminal.

docs/evaluate.md describes every key; SCHEMA changes when one of them does.
"""

from pathlib import Path
from typing import Any

import pandas as pd

from litefake import scoreboard
from litefake.evaluation import Outcome
from litefake.layouts.rows import read_people
from litefake.manifest import DatasetParams
from litefake.outputs import plain
from litefake.report import Judge
from litefake.scoreboard import Resampling
from litefake.verdict import EVEN

SCHEMA = "litefake-evaluation-1"
UNITS = {
    "person": "whole people are resampled",
    "original": "a clip is resampled with all that were made from it; who is seen in two of these "
    "is not known, so the intervals may be too narrow",
    "frame": "single pictures are resampled, since nobody is named: pictures of one person are "
    "alike, so the intervals are too narrow",
}
NAMED = 5  # lost files that the text names; the JSON names all


def as_dict(
    outcome: Outcome, judge: Judge, data: DatasetParams, part: str, resampling: Resampling
) -> dict[str, Any]:
    """The evaluation of SCHEMA. Probabilities are of *fake*, intervals of 95 %."""
    threshold = judge.card.threshold
    frames = outcome.frame_scores()
    found = scoreboard.figures(frames, threshold, resampling, _people_known(data, frames))
    return {
        "schema": SCHEMA,
        "data": {
            "root": data.root,
            "layout": data.layout,
            "compression": data.compression if data.layout == "ffpp" else None,
            "part": part,
        },
        "model": judge.describe(),
        "threshold": threshold,
        "counts": outcome.counts(),
        "intervals": resampling._asdict() | {"unit": found.pop("unit")},
        **found,
        "answers": scoreboard.answers(outcome.answers),
    }


def _people_known(data: DatasetParams, frames: pd.DataFrame) -> bool:
    """Whether ``person`` names people, not just the clips that others were made from."""
    if data.layout == "folder":
        people = read_people(Path(data.root) / "people.json").values()
        return set(frames["person"]) <= {clip.person for clip in people}
    return data.layout != "dfdc"


def text(evaluation: dict[str, Any]) -> str:
    """The figures as tables, with what they are and what was lost on the way."""
    model, data = evaluation["model"], evaluation["data"]
    head = [
        f"model  {model['file']}: {model['architecture']}, {model['image_size']} px, "
        f"{model['runtime']}; trained on {plain(model['trained_on'])}",
        f"data   {plain(data['root'])} (layout {data['layout']}), part: {data['part']}",
    ]
    tables = [_table("frame", evaluation["frames"])]
    if evaluation["videos"]:
        tables += [_table("video", evaluation["videos"]), _answers(evaluation["answers"])]
    return "\n\n".join(["\n".join(head), *tables, _meaning(evaluation), _lost(evaluation)])


def _table(kind: str, group: dict[str, Any]) -> str:
    lines = {"all": group["all"], **group["methods"]}
    rows = {
        name: {
            "real": one["real"],
            "fake": one["fake"],
            "AUC": _number(one["auc"]),
            "[95 %]": _span(one["auc_interval"], 1),
            "AP": _number(one["ap"]),
            "EER %": _number(one["eer"], 100),
            "accuracy %": _number(one["accuracy"], 100),
            "detected %": _number(one["detected"], 100),
            " [95 %]": _span(one["detected_interval"], 100),
            "called real %": _number(one["missed"], 100),
        }
        for name, one in lines.items()
    }
    alarms = [
        f"false alarms on {name}: {_number(one['rate'], 100)} % of {one['count']} "
        f"{_span(one['interval'], 100)}".rstrip()
        + f"; called real: {_number(one['called_real'], 100)} %"
        for name, one in (("reals", group["reals"]), ("null controls", group["controls"]))
        if one["count"]
    ]
    table = pd.DataFrame.from_dict(rows, orient="index").to_string()
    return "\n".join([f"by {kind}", table, *alarms])


def _number(value: float | None, times: int = 1) -> str:
    """Three digits of a share, or one after the point of a percentage."""
    if value is None:
        return "n/a"
    return f"{value * times:.{3 if times == 1 else 1}f}"


def _span(interval: list[float] | None, times: int) -> str:
    return "" if interval is None else "[{}, {}]".format(*(_number(end, times) for end in interval))


def _answers(answers: dict[str, dict[str, int]]) -> str:
    rows = {f"{name} clips": counts for name, counts in answers.items()}
    table = pd.DataFrame.from_dict(rows, orient="index").to_string()
    return f"what litefake detect answers\n{table}"


def _meaning(evaluation: dict[str, Any]) -> str:
    intervals = UNITS[evaluation["intervals"]["unit"]]
    drawn = f" Intervals: {intervals}." if evaluation["intervals"]["samples"] else ""
    videos = "; a video's score is the mean over its frames" if evaluation["videos"] else ""
    return (
        f"A frame's score is that of its biggest face{videos}. AUC, AP and EER of a method are "
        "against all reals and need no threshold; AP and accuracy depend on the mix of real and "
        f"fake. Detected: fakes at or above the model's threshold {evaluation['threshold']:.3f}, "
        "which was fixed before and not fitted here. Called real: below it and not above "
        f"{EVEN:g}; between the two a verdict is undecided.{drawn}"
    )


def _lost(evaluation: dict[str, Any]) -> str:
    counts = evaluation["counts"]
    lines = [
        f"{counts['files']} files, {counts['frames']} frames, {counts['faces']} faces scored; "
        f"not used: {counts['files_left_out']} files of other parts, "
        f"{counts['frames_without_face']} frames without a face, "
        f"{counts['faces_not_biggest']} faces beside a bigger one, "
        f"{len(counts['unreadable'])} unreadable files"
    ]
    if others := counts["files_passed_over"]:
        kinds = ", ".join(f"{count} {suffix}" for suffix, count in others.items())
        lines.append(plain(f"passed over for their names or where they lie: {kinds}"))
    named = {
        "unreadable": list(counts["unreadable"].values()),
        "without any face": counts["files_without_face"],
        "truncated, used as far as it goes": counts["truncated"],
        "damaged, used but for what is broken": counts["damaged"],
    }
    for problem, files in named.items():
        lines += [plain(f"{problem}: {file}") for file in files[:NAMED]]
        if len(files) > NAMED:
            lines.append(f"{problem}: {len(files) - NAMED} more, named in --json")
    return "\n".join(lines)
