"""The results of a study as rows for a CSV and as Markdown beside what was published."""

from collections.abc import Callable, Mapping
from typing import Any

import pandas as pd

from tools.study.declaration import COMMON_MIX, Published, Study, Variant

TITLES = {
    "accuracy": "accuracy",
    "balanced_accuracy": "balanced",
    "auc": "AUC",
    "video_auc": "video AUC",
    "val_auc": "validation AUC",
    "val_loss": "validation loss",
    "parameters": "parameters",
    "nonzero": "not zero",
    "macs_m": "MACs (M)",
    "size_mb": "size (MB)",
    "cpu_ms": "CPU (ms)",
    "speedup": "speed-up",
    "epochs": "epochs",
    "best_epoch": "best epoch",
    "train_seconds": "training (s)",
}
ROUNDING = 2e-6  # of two figures in runs.csv
# Of these the spread over seeds is shown, and compared.
SCORES = ("accuracy", "balanced_accuracy", "auc", "video_auc", "val_auc", "val_loss")
# Of these only what the last run has measured: another may be of another machine.
TIMES = ("cpu_ms", "speedup", "train_seconds")
SHOWN: dict[str, Callable[[float], str]] = {
    "accuracy": lambda value: f"{100 * value:.1f} %",
    "balanced_accuracy": lambda value: f"{100 * value:.1f} %",
    "parameters": lambda value: f"{value:,.0f}",
    "nonzero": lambda value: f"{value:,.0f}",
    "macs_m": lambda value: f"{value:.1f}",
    "size_mb": lambda value: f"{value:.2f}",
    "cpu_ms": lambda value: f"{value:.2f}",
    "speedup": lambda value: f"{value:.2f}",
    "epochs": lambda value: f"{value:.0f}",
    "best_epoch": lambda value: f"{value:.0f}",
    "train_seconds": lambda value: f"{value:.0f}",
}


def flat(figures: Mapping[str, Any]) -> dict[str, Any]:
    """The figures of one run as a row: scalars, the AUC's interval, each method's figures."""
    row = {key: one for key, one in figures.items() if not isinstance(one, dict | list)}
    low, high = (figures.get("intervals_95") or {}).get("auc") or (None, None)
    row |= {"auc_low": low, "auc_high": high}
    for name, one in figures.get("methods", {}).items():
        row |= {f"{key}:{name}": one[key] for key in ("faces", "accuracy", "auc")}
    return row


def with_speed(rows: pd.DataFrame) -> pd.DataFrame:
    """``rows`` with ``speedup``: how many times faster than the first network that was timed."""
    times = rows.get("cpu_ms", pd.Series(dtype=float)).dropna()
    if times.empty:
        return rows
    first = rows.loc[times.index[0], "variant"]
    return rows.assign(speedup=rows.loc[rows["variant"] == first, "cpu_ms"].mean() / rows["cpu_ms"])


def markdown(study: Study, rows: pd.DataFrame, known: Mapping[str, Published]) -> str:
    """The table, what to know beneath it, and the table of methods."""
    parts = [_main(study, rows, known)]
    if study.methods != "none":
        parts.append(_methods(study, rows, known))
    return "\n\n".join(parts) + "\n"


def _main(study: Study, rows: pd.DataFrame, known: Mapping[str, Published]) -> str:
    wanted = {column: _published(study, column, known) for column in study.columns}
    theirs = {column: cells for column, cells in wanted.items() if any(cells)}
    titles = ["", *(TITLES[column] for column in study.columns)]
    titles += [f"published {TITLES[column]}" for column in theirs]
    lines = [titles, ["---"] * len(titles)]
    for place, variant in enumerate(study.variants):
        ours = of(rows, variant)
        reference = of(rows, reference_of(study, variant))
        cells = [_cell(column, ours, reference) for column in study.columns]
        lines.append([variant.name, *cells, *(column[place] for column in theirs.values())])
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def of(rows: pd.DataFrame, variant: Variant) -> pd.DataFrame:
    """The rows of one variant, a seed each."""
    return rows[rows["variant"] == variant.name]


def latest(rows: pd.DataFrame) -> pd.DataFrame:
    """Those of ``rows`` that are of the last run, not kept from one before."""
    return rows[~rows["kept"].astype(bool)] if "kept" in rows else rows


def reference_of(study: Study, variant: Variant) -> Variant:
    """What a variant is compared with: the first one of its group."""
    return next(other for other in study.variants if other.group == variant.group)


def within_spread(values: pd.Series, others: pd.Series) -> bool:
    """Whether two means differ by less than the larger standard deviation over seeds.

    Shares of few faces tie with it exactly; what rounding in runs.csv leaves must not decide then.
    """
    spread = max(values.std(), others.std())
    return bool(abs(values.mean() - others.mean()) < spread - ROUNDING)


def _cell(column: str, ours: pd.DataFrame, reference: pd.DataFrame) -> str:
    shown_rows = latest(ours) if column in TIMES else ours
    values = shown_rows[column].dropna() if column in ours else pd.Series(dtype=float)
    if values.empty:
        return "n/a"
    shown = SHOWN.get(column, "{:.3f}".format)
    text = shown(values.mean())
    if column in SCORES and len(values) > 1:
        text += f" ± {shown(values.std())}"
        if ours.index[0] != reference.index[0] and within_spread(values, reference[column]):
            text += " ≈"
    return text


def _published(study: Study, column: str, known: Mapping[str, Published]) -> list[str]:
    """What was printed in a column, a cell a variant; empty where nothing was."""
    found = [known[one.published] if one.published else None for one in study.variants]
    if column == "accuracy":
        return [_accuracy(row) if row else "" for row in found]
    if column == "speedup":
        times = [row.cpu_s if row else None for row in found]
        first = times[0]  # ours are compared with the first row, so nothing else will do
        return [f"{first / time:.2f}" if first and time else "" for time in times]
    if column in ("parameters", "size_mb"):
        values = [getattr(row, column) if row else None for row in found]
        return [SHOWN[column](value) if value else "" for value in values]
    return [""] * len(found)


def _accuracy(row: Published) -> str:
    if row.reals == COMMON_MIX:
        return f"{row.accuracy:.2f} %"
    return f"{row.accuracy:.2f} % ({row.accuracy_at(COMMON_MIX):.2f} % at 40 : 60)"


def _methods(study: Study, rows: pd.DataFrame, known: Mapping[str, Published]) -> str:
    """One figure a method, in percent; published ones after a stroke, unseen ones in bold."""
    prefix = f"{study.methods}:"
    found = [name for name in rows if name.startswith(prefix) and rows[name].notna().any()]
    methods = sorted(name.removeprefix(prefix) for name in found)
    lines = [[f"{TITLES[study.methods]} (%) on", *methods], ["---"] * (len(methods) + 1)]
    for variant in study.variants:
        theirs = known[variant.published].methods if variant.published else {}
        cells = []
        for method in methods:
            mean = of(rows, variant)[f"{prefix}{method}"].mean()
            text = "" if pd.isna(mean) else f"{100 * mean:.1f}"
            text = f"**{text}**" if method == variant.unseen else text
            if study.methods == "accuracy" and method in theirs:
                text += f" / {theirs[method]:.1f}"
            cells.append(text)
        lines.append([variant.name, *cells])
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
