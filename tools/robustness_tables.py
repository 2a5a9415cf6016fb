"""The tables of the pages about pictures that were changed, from what ``make robustness`` wrote."""

import io
from collections.abc import Callable

import pandas as pd

STUDENT = "prune_kd_int8"  # the model that is packaged, and its like of the built-in data
BUILT_IN, PORTRAITS = "metrics/robustness.csv", "metrics/robustness_portraits.csv"
FEW_FACES = 50  # of which no AUC is told
COMPRESSIONS = (23, 30, 40)  # CRF of H.264, as FF++ names its own
Read = Callable[[str], str]  # from a path in the repository to its text


def student(read: Read, file: str) -> str:
    """AUC of the 8-bit student under each change, weakest to strongest."""
    rows = _rows(read, file)
    rows = rows[rows["model"] == STUDENT]
    clean = rows[rows["kind"] == "none"]["auc"].iloc[0]
    lines = [
        "| change | untouched | 1 | 2 | 3 | 4 | 5 |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    for kind, ours in rows[rows["kind"] != "none"].groupby("kind", sort=False):
        cells = [
            f"{one.auc:.3f} ({one.strength:g})" if one.faces >= FEW_FACES else "too few faces"
            for one in ours.itertuples()
        ]
        lines.append(f"| {kind} | {clean:.3f} | {' | '.join(cells)} |")
    return "\n".join(lines)


def heading(names: list[str]) -> list[str]:
    """The first two lines of a Markdown table with these columns."""
    return [f"| {' | '.join(names)} |", f"| {' | '.join(['---'] * len(names))} |"]


def lost(read: Read, file: str) -> str:
    """How much AUC each model loses to each change, the mean over its five strengths."""
    rows = _rows(read, file)
    rows = rows[rows["faces"] >= FEW_FACES]
    clean = rows[rows["kind"] == "none"].set_index("model")["auc"]
    kinds = [kind for kind in rows["kind"].unique() if kind != "none"]
    lines = heading(["model", "untouched", *kinds])
    means = rows.groupby(["model", "kind"])["auc"].mean()
    for model, untouched in clean.items():
        cells = [f"{means[model, kind] - untouched:+.3f}" for kind in kinds]
        lines.append(f"| {model} | {untouched:.3f} | {' | '.join(cells)} |")
    return "\n".join(lines)


def compressions(read: Read, file: str) -> str:
    """What the 8-bit student does at each of COMPRESSIONS with the faces still found."""
    rows = _rows(read, file)
    rows = rows[rows["model"] == STUDENT]
    lines = [
        "| H.264 | faces | not found | AUC | fakes found | real faces called fake |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    wanted = [("none", 0), *(("h264", crf) for crf in COMPRESSIONS)]
    for kind, strength in wanted:
        one = rows[(rows["kind"] == kind) & (rows["strength"] == strength)].iloc[0]
        name = f"CRF {strength}" if strength else "none"
        missed, found, alarms = (
            f"{100 * one[share]:.0f} %" for share in ("without_face", "found", "alarms")
        )
        lines.append(
            f"| {name} | {one['faces']} | {missed} | {one['auc']:.3f} | {found} | {alarms} |"
        )
    return "\n".join(lines)


def _rows(read: Read, file: str) -> pd.DataFrame:
    return pd.read_csv(io.StringIO(read(file)))
