"""The FF++ subset of face crops: what the packaged model's chain and one trained there give."""

import io
import json
from collections.abc import Sequence

import numpy as np
import pandas as pd

from tools.robustness_tables import Read, heading
from tools.study import declaration

PARTS = ("test", "train")  # that the packaged model was measured on
CHAIN = ("b0", "lite0", "kd_lite0", "prune_kd", "prune_kd_int8")  # of the packaged model's run
SEEDS = (1, 2)  # of the same chain, beside the packaged model's seed 0
FINETUNED = (1,)  # the seeds of them that were trained on
TRAINED = "metrics/profiles/ffpp_faces"  # results of the run that was trained on the subset
JUDGED = "metrics/evaluate/ffpp_faces"  # and its models on the test part


def subset(read: Read) -> str:
    """What ``litefake evaluate`` found of the packaged model on the FF++ subset of crops."""
    lines = [
        "| part | fakes | real, fake faces | AUC | 95 % interval | called fake | called real |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    alarms = []
    for part in PARTS:
        frames = json.loads(read(f"metrics/evaluate/ffpp_subset_{part}.json"))["frames"]
        for name, one in {"all": frames["all"], **frames["methods"]}.items():
            low, high = one["auc_interval"]
            counts = f"{one['real']}, {one['fake']}"
            lines.append(
                f"| {part} | {name} | {counts} | {one['auc']:.3f} | {low:.3f} to {high:.3f} | "
                f"{100 * one['detected']:.0f} % | {100 * one['missed']:.0f} % |"
            )
        fake, right = frames["reals"]["rate"], frames["reals"]["called_real"]
        alarms.append(f"{100 * fake:.1f} % are called fake, {100 * right:.0f} % real ({part})")
    return "\n".join(
        [*lines, "", f"Of the real faces {'; '.join(alarms)}. What is left is undecided."]
    )


def chain(read: Read) -> str:
    """AUC of every model of the packaged model's run on the test part of the subset."""
    lines: list[str] = []
    for name in CHAIN:
        frames = json.loads(read(f"metrics/evaluate/portraits/{name}.json"))["frames"]
        if not lines:
            lines = heading(["model", "all", *frames["methods"], "fakes found", "false alarms"])
        scores = [one["auc"] for one in (frames["all"], *frames["methods"].values())]
        shares = [frames["all"]["detected"], frames["reals"]["rate"]]
        cells = [name, *(f"{score:.3f}" for score in scores), *(f"{s:.1%}" for s in shares)]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def seeds(read: Read) -> str:
    """The packaged model's chain with three seeds, on the subset: AUC and false alarms."""
    runs = ("portraits", *(f"portraits_seed{seed}" for seed in SEEDS))
    files = {("test", name): [f"{run}/{name}.json" for run in runs] for name in CHAIN}
    others = [f"{run}/train.json" for run in runs[1:]]
    files["train", CHAIN[-1]] = ["ffpp_subset_train.json", *others]
    lines: list[str] = []
    for (part, name), paths in files.items():
        found = [json.loads(read(f"metrics/evaluate/{path}"))["frames"] for path in paths]
        methods = list(found[0]["methods"])
        if not lines:
            titles = [f"seed {seed}" for seed in (0, *SEEDS)]
            lines = heading(["part", "model", *titles, "mean", *methods, "false alarms"])
        scores = [one["all"]["auc"] for one in found]
        cells = [part, name, *(f"{score:.3f}" for score in scores), _spread(scores)]
        cells += [_spread([one["methods"][method]["auc"] for one in found]) for method in methods]
        rates = [100 * one["reals"]["rate"] for one in found]
        lines.append(f"| {' | '.join([*cells, _spread(rates, 1) + ' %'])} |")
    return "\n".join(lines)


def finetuned(read: Read) -> str:
    """Lite0 trained on the subset, from the portraits' network and from ImageNet weights."""
    lines: list[str] = []
    for start, words in {"finetune": "portraits", "imagenet": "ImageNet"}.items():
        for seed in FINETUNED:
            run = f"metrics/evaluate/finetune/{start}_seed{seed}"
            frames = json.loads(read(f"{run}.json"))["frames"]
            trained = json.loads(read(f"{run}.training.json"))["val_auc"]
            if not lines:
                titles = ["start", "seed", "validation AUC", "test AUC", "95 %", *frames["methods"]]
                lines = heading([*titles, "fakes found", "false alarms"])
            low, high = frames["all"]["auc_interval"]
            cells = [words, f"{seed}", f"{trained:.3f}", f"{frames['all']['auc']:.3f}"]
            cells += [f"{low:.3f} to {high:.3f}"]
            cells += [f"{one['auc']:.3f}" for one in frames["methods"].values()]
            cells += [f"{frames['all']['detected']:.0%}", f"{frames['reals']['rate']:.0%}"]
            lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def _spread(values: Sequence[float], digits: int = 3) -> str:
    """Mean and standard deviation of one value a seed."""
    return f"{np.mean(values):.{digits}f} ± {np.std(values, ddof=1):.{digits}f}"


def small_faces(read: Read) -> str:
    """What ``tools.small_faces`` found of the packaged model on shrunk crops."""
    lines = heading(["px", "AUC", "fakes called fake", "real", "real faces called fake", "real"])
    for row in pd.read_csv(io.StringIO(read("metrics/evaluate/small_faces.csv"))).itertuples():
        shares = (
            row.fakes_called_fake,
            row.fakes_called_real,
            row.reals_called_fake,
            row.reals_called_real,
        )
        cells = [f"{row.side}", f"{row.auc:.3f}", *(f"{100 * share:.0f} %" for share in shares)]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def real(read: Read) -> str:
    """The packaged model on real deepfakes, in a sentence."""
    frames = json.loads(read("metrics/evaluate/ffpp_subset_test.json"))["frames"]
    methods = ", ".join(f"{name} {one['auc']:.2f}" for name, one in frames["methods"].items())
    counts = f"{frames['all']['real']} real and {frames['all']['fake']} fake faces"
    found, missed = frames["all"]["detected"], frames["all"]["missed"]
    alarms, cleared = frames["reals"]["rate"], frames["reals"]["called_real"]
    return (
        f"AUC on the {counts} of the test part: {methods}; {frames['all']['auc']:.2f} over all. "
        f"A single fake face is called fake in {100 * found:.0f} % of the cases, real in "
        f"{100 * missed:.0f} %, undecided in the rest; a real one fake in {100 * alarms:.0f} %, "
        f"real in {100 * cleared:.0f} %."
    )


def supervised(read: Read) -> str:
    """Every model of the run that was trained on the subset, on its test part, beside B0."""
    apart = json.loads(read(f"{JUDGED}/differences.json"))
    lines: list[str] = []
    for name in ("b0", *apart):
        size = json.loads(read(f"{TRAINED}/benchmark/{name}.json"))
        frames = json.loads(read(f"{JUDGED}/{name}.json"))["frames"]
        if not lines:
            names = ["model", "parameters", "size (MB)", "validation AUC", "test AUC", "95 %"]
            lines = heading([*names, *frames["methods"], "against b0", "95 %"])
        low, high = frames["all"]["auc_interval"]
        scores = [one["auc"] for one in frames["methods"].values()]
        cells = [name, f"{size['parameters']:,}", f"{size['size_mb']:.2f}"]
        cells += [f"{_validation(read, name):.3f}", f"{frames['all']['auc']:.3f}"]
        cells += [f"{low:.3f} to {high:.3f}", *(f"{score:.3f}" for score in scores)]
        if name in apart:
            found = apart[name]["all"]
            cells += [f"{found['difference']:+.3f}", f"{found['low']:+.3f} to {found['high']:+.3f}"]
        else:
            cells += ["", ""]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def _validation(read: Read, name: str) -> float:
    """The AUC on validation faces, as the stage that made the model measured it."""
    if name.endswith("_int8"):
        exported = json.loads(read(f"{TRAINED}/export.json"))
        return float(exported[name.removesuffix("_int8")]["int8"]["auc"])
    stage = declaration.stage_of(name)
    return float(json.loads(read(f"{TRAINED}/{stage}.json"))["val_auc"])
