"""The comparison of finished models: figures of each, one table of all."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, NamedTuple, Self

import pandas as pd
from pydantic import Field, model_validator
from sklearn.metrics import accuracy_score, roc_auc_score
from torch import nn

from litefake import dataset, footprint, metrics, runtime
from litefake.aggregation import by_video
from litefake.card import Card
from litefake.latency import LatencyParams, cpu_milliseconds
from litefake.params import Section
from litefake.reproducibility import machine
from litefake.scoring import score_table
from litefake.seeds import seed_of

Model = Literal[
    "b0",
    "dual",
    "lite0",
    "kd_lite0",
    "kd_two_in_one",
    "prune_kd",
    "kd_lite0_int8",
    "prune_kd_int8",
]
COLUMNS = {
    "model": "model",
    "prune_ratio": "prune ratio",
    "accuracy": "accuracy",
    "balanced_accuracy": "balanced",
    "auc": "AUC",
    "video_auc": "video AUC",
    "parameters": "parameters",
    "macs_m": "MACs (M)",
    "size_mb": "size (MB)",
    "cpu_ms": "CPU (ms)",
    "speedup": "speed-up",
}
NO_PEOPLE = "the data set names no people and no clips"


class BenchmarkParams(Section):
    """Section ``benchmark``: which models are compared, and how the test split is measured."""

    models: list[Model] = Field(min_length=1)  # rows of the table, in their order
    bootstrap_samples: int = Field(ge=10)
    bootstrap_seed: int = Field(ge=0)
    latency: LatencyParams

    @model_validator(mode="after")
    def _b0_and_each_once(self) -> Self:
        if "b0" not in self.models:
            raise ValueError("models lacks b0, which the others are compared with")
        if len(set(self.models)) < len(self.models):
            raise ValueError("models names one twice")
        return self


def path_of(model: Model) -> str:
    """Where the pipeline leaves ``model``."""
    return f"models/{model}.{'onnx' if 'int8' in model else 'safetensors'}"


class Finished(NamedTuple):
    """A finished model: its file, network and card, and the scores of its test faces."""

    path: Path
    model: nn.Module
    card: Card
    scores: pd.DataFrame
    prune_ratio: float


def score(path: str, folder: str, table: str, prune_ratio: float) -> Finished:
    """Load the model of ``path`` and let it score the test split. Raises ModelUnreadable."""
    model, card = runtime.load(path)
    scores = score_table(model, card, dataset.read_split(folder, table, "test", card))
    return Finished(Path(path), model, card, scores, prune_ratio)


def measure_latency(finished: Mapping[str, Finished], params: LatencyParams) -> dict[str, Any]:
    """Milliseconds of every model in one run, and the machine that they belong to."""
    sizes = {one.card.image_size for one in finished.values()}
    # An exported network has its threads from when it was loaded.
    networks = {
        name: runtime.load(one.path, params.threads)[0]
        if isinstance(one.model, runtime.ExportedModule)
        else one.model
        for name, one in finished.items()
    }
    return {
        "milliseconds": cpu_milliseconds(networks, max(sizes), params),
        "image_size": max(sizes),
        "batch": 1,
        "runtime": _runtimes(networks),
        "machine": machine() | {"threads": params.threads},
    }


def _runtimes(networks: Mapping[str, nn.Module]) -> str:
    """What computed which row, in words: the first row's runtime, then those that differ."""
    said = {name: runtime.describe(network) for name, network in networks.items()}
    usual = next(iter(said.values()))
    others = [f"{name}: {words}" for name, words in said.items() if words != usual]
    return f"{usual} ({'; '.join(others)})" if others else usual


def figures(finished: Finished, params: BenchmarkParams) -> dict[str, Any]:
    """Accuracy and footprint of one model; the same keys for every model."""
    scores, threshold = finished.scores, finished.card.threshold
    named = bool((scores["person"] != "").all())
    frames = metrics.summarise(scores, threshold)
    clips = metrics.summarise(by_video(scores), threshold) if named else None
    several = "dataset" in scores
    return {
        **frames,
        **{f"video_{name}": clips[name] if clips else None for name in frames},
        "intervals_95": _intervals(scores, threshold, params),
        "intervals_null_because": None if named else NO_PEOPLE,
        "methods": metrics.per_method(scores, threshold),
        **({"per_dataset": metrics.per_dataset(scores, threshold)} if several else {}),
        "threshold": threshold,
        "temperature": finished.card.temperature,
        "bias": finished.card.bias,
        "prune_ratio": finished.prune_ratio,
        "parameters": runtime.parameters(finished.model),
        "macs_m": runtime.macs(finished.model, finished.card.image_size) / 1e6,
        "size_mb": footprint.size_mb(finished.path),
        "majority_baseline": float(max(scores["label"].mean(), 1 - scores["label"].mean())),
        "faces": len(scores),
        "videos": scores["key"].nunique() if named else None,
        "identities": scores["person"].nunique() if named else None,
    }


def _intervals(
    scores: pd.DataFrame, threshold: float, params: BenchmarkParams
) -> dict[str, list[float] | None]:
    samples, seed = params.bootstrap_samples, seed_of(params.bootstrap_seed, "bootstrap")

    def accuracy(labels: Any, probability: Any) -> float:
        return float(accuracy_score(labels, probability >= threshold))

    def auc(labels: Any, probability: Any) -> float:
        return float(roc_auc_score(labels, probability))

    named = bool((scores["person"] != "").all())
    clips = by_video(scores) if named else None
    return {
        "accuracy": metrics.bootstrap_interval(scores, accuracy, samples, seed),
        "auc": metrics.bootstrap_interval(scores, auc, samples, seed),
        "video_auc": None
        if clips is None
        else metrics.bootstrap_interval(clips, auc, samples, seed),
    }


def table(rows: Mapping[str, Mapping[str, Any]], latency: Mapping[str, Any]) -> pd.DataFrame:
    """One row a model in the columns of ``COLUMNS``; speed-up is against the first model."""
    milliseconds = latency["milliseconds"]
    base = next(iter(milliseconds.values()))
    times = {
        name: {"model": name, "cpu_ms": value, "speedup": base / value}
        for name, value in milliseconds.items()
    }
    return pd.DataFrame([{**rows[name], **times[name]} for name in rows])[list(COLUMNS)]


def markdown(
    comparison: pd.DataFrame, rows: Mapping[str, Mapping[str, Any]], latency: Mapping[str, Any]
) -> str:
    """The comparison and the accuracy per method as Markdown, with what to know beneath."""
    shown = pd.DataFrame(
        {
            title: comparison[name].map(lambda value, name=name: _shown(name, value))
            for name, title in COLUMNS.items()
        }
    )
    parts = [_part(rows, "methods", "accuracy", "accuracy (%) on")]
    first = next(iter(rows.values()))
    counts = f"{first['faces']} test faces"
    if first["videos"] is not None:
        counts += f" of {first['videos']} clips and {first['identities']} people"
    where = latency["machine"]
    notes = (
        f"{counts}; always answering the larger class scores "
        f"{100 * first['majority_baseline']:.1f} %. Threshold from validation. CPU time: one "
        f"face of {latency['image_size']} px, {latency['runtime']}, {where['threads']} thread(s), "
        f"{where['cpu']}; compare the speed-ups."
    )
    if "per_dataset" in first:
        parts.append(_part(rows, "per_dataset", "auc", "AUC (%) on"))
    return "\n\n".join([_table(shown), notes, *map(_table, parts)]) + "\n"


def _part(
    rows: Mapping[str, Mapping[str, Any]], group: str, figure: str, title: str
) -> pd.DataFrame:
    """One ``figure`` of every model (rows) on every part of ``group``, in percent."""
    part = pd.DataFrame(
        {
            model: {name: figures[figure] for name, figures in row[group].items()}
            for model, row in rows.items()
        }
    ).T
    part = part.map(lambda value: "" if pd.isna(value) else f"{100 * value:.1f}")
    part.insert(0, title, part.index)
    return part


def _shown(name: str, value: Any) -> str:
    if isinstance(value, str):
        return value
    if value is None or pd.isna(value):
        return "n/a"
    if name in ("accuracy", "balanced_accuracy"):
        return f"{100 * value:.1f} %"
    formats = {"prune_ratio": ".2f", "parameters": ",.0f", "macs_m": ".1f", "speedup": ".2f"}
    return f"{value:{formats.get(name, '.3f' if 'auc' in name else '.2f')}}"


def _table(shown: pd.DataFrame) -> str:
    lines = ["| " + " | ".join(map(str, shown.columns)) + " |"]
    lines.append("|" + " --- |" * len(shown.columns))
    lines += ["| " + " | ".join(map(str, row)) + " |" for row in shown.itertuples(index=False)]
    return "\n".join(lines)
