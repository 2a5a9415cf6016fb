"""Run every variant of a study with every seed, and keep what each one made."""

import json
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pandas as pd

from litefake.errors import DataMissing, ParamsInvalid
from tools.study import declaration, overrides
from tools.study.declaration import Study, Variant
from tools.study.overrides import Params
from tools.study.workspace import StageFailed, Workspace

SEED = "reproducibility.seed"
DATA = (*declaration.DATA, "faces")  # what decides the judged crops


@dataclass(frozen=True)
class Run:
    """A variant with one seed, as planned or as it was trained.

    params, judged: what params.yaml says for its training and for the data that it is judged on;
    ``unchanged``: the first is what it is for ``make repro``.
    path: its network; None when there is none, for the reason in ``failed``.
    md5: of the network. metrics: what its stage wrote. curve: one row an epoch.
    """

    variant: Variant
    seed: int
    params: Params
    judged: Params
    unchanged: bool
    path: Path | None = None
    failed: str = ""
    md5: str = ""
    metrics: dict[str, Any] | None = None
    curve: pd.DataFrame | None = None

    @property
    def elsewhere(self) -> bool:
        """Whether it needs another data set than the one in params.yaml."""
        return "dataset.root" in self.variant.set | (self.variant.judged_on or {})


def plan(study: Study, base: Params, source: Path, only: Sequence[int] = ()) -> list[Run]:
    """Every variant with every seed, or with ``only`` some of them.

    Raises ParamsInvalid, so that nothing starts in vain.
    """
    declared = study.seeds or [base["reproducibility"]["seed"]]
    if foreign := sorted(set(only) - set(declared)):
        raise ParamsInvalid(f"{source}: seed {foreign[0]} is not one of its seeds {declared}")
    start = overrides.apply(base, study.set, source)
    return [
        _planned(variant, seed, start, source, not study.profile and start == base)
        for seed in declared
        if seed in only or not only
        for variant in study.variants
    ]


def _planned(variant: Variant, seed: int, base: Params, source: Path, usual: bool) -> Run:
    ours = overrides.apply(base, variant.set | {SEED: seed}, source)
    overrides.apply(ours, variant.set_last, source)
    own = {key: value for key, value in variant.set.items() if key.split(".")[0] in DATA}
    data = own if variant.judged_on is None else variant.judged_on
    unchanged = usual and ours == base and not variant.set_last
    return Run(variant, seed, ours, overrides.apply(base, data, source), unchanged)


def train(planned: list[Run], workspace: Workspace, stash: Path, source: Path) -> Iterator[Run]:
    """Every run after its stage has ended; its network is copied to ``stash``.

    A training that may fail, or lacks a data set that is not everybody's, is given as failed.
    Raises StageFailed or DataMissing for the others.
    """
    shutil.rmtree(stash, ignore_errors=True)
    stash.mkdir(parents=True)
    for number, run in enumerate(planned):
        print(f"study: {number + 1} of {len(planned)}: {run.variant.name}, seed {run.seed}")
        stage = declaration.stage_of(run.variant.model)
        try:
            _run_stage(run, stage, workspace, source)
        except StageFailed as error:
            # A full disk, or a stage before the studied one, is no result of the variant.
            blamed = str(error).split(":")[0]
            if not (run.variant.may_fail and blamed in (stage, stage.removesuffix("_kd"))):
                raise
            yield replace(run, failed=str(error))
        except DataMissing as error:
            if not run.elsewhere:
                raise
            yield replace(run, failed=f"not run: {error}")
        else:
            yield _collected(run, stage, workspace, stash / f"{number}.safetensors")


def _run_stage(run: Run, stage: str, workspace: Workspace, source: Path) -> None:
    if run.variant.set_last:
        workspace.repro(run.params, *workspace.needed_by(stage, run.params))
        last = overrides.apply(run.params, run.variant.set_last, source)
        workspace.repro(last, stage, alone=True)
    else:
        workspace.repro(run.params, stage)


def _collected(run: Run, stage: str, workspace: Workspace, path: Path) -> Run:
    model, metrics = f"models/{run.variant.model}.safetensors", workspace.folder / "metrics"
    shutil.copyfile(workspace.folder / model, path)
    return replace(
        run,
        path=path,
        md5=workspace.hash_of(model),
        metrics=json.loads((metrics / f"{stage}.json").read_text(encoding="utf-8")),
        curve=pd.read_csv(metrics / "curves" / f"{stage}.csv"),
    )


def curves(runs: list[Run]) -> pd.DataFrame:
    """The epochs of every run, with its variant and seed."""
    none = pd.DataFrame(columns=["variant", "seed", "epoch", "val_loss"])
    parts = [
        run.curve.assign(variant=run.variant.name, seed=run.seed)
        for run in runs
        if run.curve is not None
    ]
    table = pd.concat(parts or [none])
    first = ["variant", "seed"]
    return table[[*first, *(name for name in table if name not in first)]]
