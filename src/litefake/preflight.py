"""Find a typo before the hours of training, not after them."""

from pathlib import Path
from typing import get_args

import pandas as pd

from litefake import (
    comparison,
    dual,
    extraction,
    manifest,
    models,
    official,
    params,
    pruning,
    splits,
    starting,
)
from litefake.aggregation import by_dataset
from litefake.apprentice import Apprentice, TwoInOneParams
from litefake.crop_store import StorageParams
from litefake.demo import DemoParams
from litefake.distillation import DistillParams
from litefake.errors import DataMissing, ParamsInvalid
from litefake.faces import CropParams
from litefake.layouts import ffpp
from litefake.layouts.rows import COLUMNS, remedy
from litefake.pairs import PairParams
from litefake.params import Section
from litefake.quantization import ExportParams
from litefake.recipe import Recipe
from litefake.reproducibility import Reproducibility
from litefake.transforms import Augmentation

SECTIONS: dict[str, type[Section]] = {
    "reproducibility": Reproducibility,
    "demo": DemoParams,
    "dataset": manifest.DatasetParams,
    "frames": extraction.SamplingParams,
    "faces": CropParams,
    "storage": StorageParams,
    "split": splits.SplitParams,
    "pairs": PairParams,
    "augment": Augmentation,
    "train": Recipe,
    "finetune": Recipe,
    "b0": starting.ModelParams,
    "lite0": starting.ModelParams,
    "kd": DistillParams,
    "dual": dual.DualParams,
    "two_in_one": TwoInOneParams,
    "prune": pruning.PruneParams,
    "export": ExportParams,
    "benchmark": comparison.BenchmarkParams,
}
PARTS = ("train", "test")
NETWORKS = [name for name, kind in SECTIONS.items() if kind is starting.ModelParams]


def check(file: Path, listing: Path | None) -> list[str]:
    """Validate every section of ``file``, then the data set against its last ``listing``, if any.

    A data set that is not the built-in one may have changed since it was listed. DVC would
    not see that, since it hashes the listing and not the folder; so an outdated listing is
    removed, and DVC makes it anew. Returns what there is to say, a line each. Raises
    ParamsInvalid, DataMissing or ModelUnreadable.
    """
    loaded = params.read(file)
    for name in loaded:
        if name not in SECTIONS:
            raise ParamsInvalid(f"{file}, {name}: is not a known section")
    for name, kind in SECTIONS.items():
        params.section(name, kind, file)
    _require_every_model(file)
    _require_one_chain(file)
    dataset = params.section("dataset", manifest.DatasetParams, file)
    manifest.require_outside(dataset)
    lines = [f"{file}: {len(SECTIONS)} sections are valid"]
    lines += [f"{name}: starts from {weights}" for name, weights in _starts(file)]
    params.value("dataset.also", file)  # training and DVC ask for it, hours later
    split = params.section("split", splits.SplitParams, file)
    splits.require_whole_pairs(split, dataset.layout == "portraits")
    if manifest.is_demo(dataset):
        _require_rendered(dataset)
        return lines
    now = manifest.list_videos(dataset)
    _require_lists(dataset, split, now)
    for name, found in by_dataset(now):
        lines.append(f"{name or dataset.root}: {len(found)} files found")
    if dataset.layout == "faces":
        lines.append("split.protocol is not used: layout faces brings its own train and test")
        lines += _unseen(dataset, now)
    if listing and listing.exists() and not _listed(listing).equals(now):
        listing.unlink()
        lines.append(f"{dataset.root}: changed since it was listed; it is listed again")
    return lines


def _listed(listing: Path) -> pd.DataFrame:
    """What ``listing`` holds. Raises DataMissing when it is none: no other file is removed."""
    try:
        table = manifest.read_table(listing)
    except (ValueError, OSError):  # pandas' own errors and those of decoding are ValueErrors
        table = pd.DataFrame()
    if not set(COLUMNS) <= set(table.columns):
        raise DataMissing(
            f"{listing}: is no listing of a data set; remove it, and it is made anew, or name "
            "the one that a run left"
        )
    return table


def _unseen(dataset: manifest.DatasetParams, now: pd.DataFrame) -> list[str]:
    """A line for every method that ready crops have in test alone.

    Raises DataMissing when they lack a part, or test lacks a method.
    """
    trained, tested = (set(now.loc[now["given_split"] == part, "method"]) for part in PARTS)
    for part, methods in zip(PARTS, (trained, tested), strict=True):
        if not methods:
            raise DataMissing(f"{dataset.root}/{part}: no such folder; training needs {part}")
    if untested := sorted(set(now["method"]) - tested):
        raise DataMissing(
            f"{dataset.root}/test/{untested[0]}: no such folder; {remedy(untested[0])}"
        )
    return [
        f"{method}: has no folder in train, so it is tested and never trained on"
        for method in sorted(set(now["method"]) - trained)
    ]


def _require_every_model(file: Path) -> None:
    """Raise ParamsInvalid when benchmark would leave out figures that dvc.yaml waits for."""
    compared = params.section("benchmark", comparison.BenchmarkParams, file).models
    left_out = [name for name in get_args(comparison.Model) if name not in compared]
    if left_out:
        raise ParamsInvalid(
            f"{file}, benchmark.models: lacks {', '.join(left_out)}, and `dvc repro` would fail "
            "at its end; name every model, or `python -m tools.run_profile NAME` for a file "
            "in profiles/"
        )


def _require_one_chain(file: Path) -> None:
    """Raise ParamsInvalid when sections that are valid each do not go together."""
    b0 = params.section("b0", starting.ModelParams, file)
    if b0.architecture != dual.BRANCH:
        raise ParamsInvalid(
            f"{file}, b0.architecture: {b0.architecture} can be trained alone (`dvc repro "
            f"train_b0`), but train_dual needs {dual.BRANCH}"
        )
    lite0 = params.section("lite0", starting.ModelParams, file)
    two_in_one = params.section("two_in_one", TwoInOneParams, file)
    student = models.blank(lite0.architecture, dropout=0.0, size=224)
    Apprentice(student, two_in_one, seed=0)  # it refuses maps of other channels
    machine = params.section("reproducibility", Reproducibility, file)
    pruning.check_processes(params.section("prune", pruning.PruneParams, file), machine)


def _require_rendered(dataset: manifest.DatasetParams) -> None:
    """Raise DataMissing when a method is wanted that the built-in data lack."""
    lacking = sorted(set(dataset.methods or []) - set(ffpp.METHODS))
    if lacking:
        raise DataMissing(
            f"{dataset.root}: the built-in data have no {lacking[0]}; dataset.methods in "
            f"params.yaml may name {', '.join(ffpp.METHODS)}"
        )


def _starts(file: Path) -> list[tuple[str, str]]:
    """The networks that start from a model file, and the file.

    Raises DataMissing or ModelUnreadable.
    """
    networks = [(name, params.section(name, starting.ModelParams, file)) for name in NETWORKS]
    starts = [(name, weights) for name, network in networks for weights in network.files]
    for _, weights in starts:
        models.load(weights)  # a damaged one shall not end the training of hours later
    return starts


def _require_lists(
    dataset: manifest.DatasetParams, split: splits.SplitParams, listing: pd.DataFrame
) -> None:
    """Raise DataMissing before hours of extraction when ``split`` will find no official list."""
    if dataset.layout != "faces" and split.protocol == "official":
        official.require_lists(listing)
