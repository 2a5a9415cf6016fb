"""What a study varies, which figures it shows, and what was published beside it."""

from pathlib import Path
from typing import Any, Literal, Self, get_args

from pydantic import Field, model_validator

from litefake import params
from litefake.errors import ParamsInvalid
from litefake.params import Section
from tools import pipeline
from tools.pipeline import ROOT

FOLDER = ROOT / "studies"
PUBLISHED = "published"  # the file there that declares no study
REAL = "youtube"
DATA = ("demo", "dataset", "frames", "split", "pairs")  # what decides which faces are judged
COMMON_MIX = 0.4  # share of reals in all but two published tables

Column = Literal[
    "accuracy",
    "balanced_accuracy",
    "auc",
    "video_auc",
    "val_auc",
    "val_loss",
    "parameters",
    "nonzero",
    "macs_m",
    "size_mb",
    "cpu_ms",
    "speedup",
    "epochs",
    "best_epoch",
    "train_seconds",
]


class Published(Section):
    """A row of the publication; accuracies in percent, ``reals`` is their share in its test."""

    accuracy: float = Field(gt=0, le=100)
    reals: float = Field(default=COMMON_MIX, gt=0, lt=1)
    parameters: int | None = None
    size_mb: float | None = None
    cpu_s: float | None = None
    methods: dict[str, float] = Field(default={})

    @model_validator(mode="after")
    def _methods_where_the_mix_differs(self) -> Self:
        if self.reals != COMMON_MIX and not self.methods:
            raise ValueError("a row of another mix needs its figures per method")
        return self

    def accuracy_at(self, reals: float) -> float:
        """The accuracy that the row has on a test with this share of reals."""
        if reals == self.reals:
            return self.accuracy
        fakes = [value for name, value in self.methods.items() if name != REAL]
        return reals * self.methods[REAL] + (1 - reals) * sum(fakes) / len(fakes)


class Variant(Section):
    """One row of a study.

    ``model`` names a file models/MODEL.safetensors, and so the stage that is studied.
    ``set`` overrides params.yaml for all stages, ``set_last`` for the studied one alone: those
    before it run as if it were not there. Keys are dotted; ``{times: f}`` stands for f times
    the value in params.yaml, ``{without: x}`` for a list without x. ``judged_on`` are the
    overrides of the data that it is judged on, when they are not those it was trained on.
    ``unseen`` names the method that it was not trained on. ``may_fail``: a training that ends
    without a network is a result.
    """

    name: str
    model: str
    set: dict[str, Any] = Field(default={})
    set_last: dict[str, Any] = Field(default={})
    judged_on: dict[str, Any] | None = None
    group: str = ""
    x: float = 0
    unseen: str = ""
    published: str | None = None
    may_fail: bool = False

    @property
    def own_faces(self) -> bool:
        """Whether it may be judged on other faces than those of params.yaml."""
        return self.judged_on is not None or any(key.split(".")[0] in DATA for key in self.set)


class Plot(Section):
    """``curves``: validation loss by epoch. ``line``: accuracy by ``x``, a line a group.
    ``points``: ``y`` by ``x``, a column. ``methods``: a bar a method and row.
    """

    kind: Literal["curves", "line", "points", "methods"]
    x: str = ""
    y: Literal["accuracy", "auc"] = "accuracy"


class Study(Section):
    """A table of the publication, or a new one: its rows, columns and picture.

    ``profile``: a name in profiles/, whose parameters the study starts from instead of
    params.yaml's. ``set``: overrides for every row.
    ``falls_off``: the drop of accuracy, in points, against the first row of a group that a
    line is said to have fallen off at, when it does not rise again. ``against``: the variant
    whose AUC all others are compared with, pair by pair; empty for none.
    """

    title: str
    claim: str
    profile: str = ""
    set: dict[str, Any] = Field(default={})
    seeds: list[int] = Field(default=[], max_length=10)
    columns: list[Column] = Field(min_length=1)
    methods: Literal["none", "accuracy", "auc"] = "none"
    plot: Plot
    falls_off: float | None = None
    against: str = ""
    variants: list[Variant] = Field(min_length=2)

    @model_validator(mode="after")
    def _rows_are_told_apart(self) -> Self:
        names = [variant.name for variant in self.variants]
        if len(set(names)) < len(names):
            raise ValueError("two variants have one name")
        if self.against and self.against not in names:
            raise ValueError(f"against: {self.against} is no variant")
        if self.against and any(variant.own_faces for variant in self.variants):
            raise ValueError("against: variants are judged on different faces")
        return self

    @model_validator(mode="after")
    def _the_plot_has_its_figures(self) -> Self:
        if self.plot.kind == "points" and self.plot.x not in get_args(Column):
            raise ValueError(f"plot.x: {self.plot.x} is no column")
        if self.plot.kind == "methods" and self.methods == "none":
            raise ValueError("plot: shows methods, of which the study has no figure")
        return self


def names() -> list[str]:
    """The declared studies."""
    return sorted(path.stem for path in FOLDER.glob("*.yaml") if path.stem != PUBLISHED)


def load(name: str) -> Study:
    """The study ``name``. Raises ParamsInvalid when there is none, or its file is wrong."""
    if name not in names():
        raise ParamsInvalid(f"{FOLDER / name}.yaml: no such study; there are {', '.join(names())}")
    path = FOLDER / f"{name}.yaml"
    study = params.validate(name, _declared(path), Study, path)
    known = published()
    for variant in study.variants:
        if variant.published is not None and variant.published not in known:
            raise ParamsInvalid(f"{path}, {variant.name}: {variant.published} was not published")
    return study


def _declared(path: Path) -> dict[str, Any]:
    """What a study's file says; with ``like: NAME``, the rest is as in the study NAME."""
    ours = params.read(path)
    if "like" not in ours:
        return ours
    return params.read(FOLDER / f"{ours.pop('like')}.yaml") | ours


def params_of(study: Study) -> Path:
    """The file with the parameters that ``study`` starts from. Raises ParamsInvalid."""
    if not study.profile:
        return ROOT / params.PARAMS_FILE
    path = ROOT / "profiles" / f"{study.profile}.yaml"
    if not path.is_file():
        raise ParamsInvalid(f"{path}: not found; a study names it as its profile")
    return path


def published() -> dict[str, Published]:
    """The rows of the publication. Raises ParamsInvalid."""
    path = FOLDER / f"{PUBLISHED}.yaml"
    return {
        name: params.validate(name, row, Published, path) for name, row in params.read(path).items()
    }


def stage_of(model: str) -> str:
    """The stage of dvc.yaml that makes models/MODEL.safetensors. Raises ParamsInvalid."""
    path = f"models/{model}.safetensors"
    try:
        return pipeline.producers()[path]
    except KeyError:
        raise ParamsInvalid(f"{ROOT / 'dvc.yaml'}: no stage makes {path}") from None
