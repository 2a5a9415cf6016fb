"""The FF++ subset of face crops: what the packaged model's chain and one trained there give."""

import io
import json

import pandas as pd

from tools.robustness_tables import Read, heading
from tools.study import declaration

PARTS = ("test", "train")  # that the packaged model was measured on
CHAIN = ("b0", "lite0", "kd_lite0", "prune_kd", "prune_kd_int8")  # of the packaged model's run
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
