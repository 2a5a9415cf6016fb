"""Generate what stands between ``<!-- generated: NAME -->`` and ``<!-- end -->`` in PAGES."""

import json
import re
from collections.abc import Callable
from functools import partial
from pathlib import Path

import networkx as nx

from tools import damage_tables, detector_tables, pipeline, robustness_tables, subset_tables
from tools.pipeline import ROOT
from tools.robustness_tables import BUILT_IN, PORTRAITS, STUDENT, Read
from tools.study import declaration, pages

PAGES = (
    "README.md",
    "docs/model-card.md",
    "docs/results.md",
    "docs/benchmarks.md",
    "docs/studies.md",
    "docs/decisions/crop-storage.md",
)
TABLE = "metrics/comparison.md"
PACKAGED = "metrics/profiles/portraits"  # results of the run that the packaged model is from
BENCHES = ("preprocess", "detect", "models", "storage")  # pages under metrics/bench
PART = re.compile(r"(<!-- generated: (\w+) -->\n)(.*?)(<!-- end -->)", re.DOTALL)


def main() -> None:
    for page in PAGES:
        path = ROOT / page
        path.write_text(render(path.read_text(encoding="utf-8")), encoding="utf-8")


def in_work_tree(name: str) -> str:
    """The text of a file of the repository as it is now."""
    return (ROOT / name).read_text(encoding="utf-8")


def render(text: str, read: Read = in_work_tree) -> str:
    """``text`` with every generated part made anew; ``read`` gives the results it is made of."""
    makers: dict[str, Callable[[], str]] = {
        "table": partial(table, read),
        "graph": graph,
        "stages": stages,
        "data": partial(data, read),
        "results": partial(results, read),
        "portraits": partial(portraits, read),
        "subset": partial(subset_tables.subset, read),
        "small_faces": partial(subset_tables.small_faces, read),
        "real": partial(subset_tables.real, read),
        "chain": partial(subset_tables.chain, read),
        "seeds": partial(subset_tables.seeds, read),
        "finetuned": partial(subset_tables.finetuned, read),
        "supervised": partial(subset_tables.supervised, read),
        "robustness": partial(robustness_tables.student, read, BUILT_IN),
        "robustness_portraits": partial(robustness_tables.student, read, PORTRAITS),
        "lost": partial(robustness_tables.lost, read, PORTRAITS),
        "compressions": partial(robustness_tables.compressions, read, PORTRAITS),
        "undecided": partial(undecided, read),
        "damage": lambda: damage_tables.damage(read(damage_tables.FUZZ), read(damage_tables.KILL)),
        "detectors": lambda: detector_tables.quality(read(detector_tables.DETECTORS)),
        "face_box": lambda: detector_tables.face_box(read(detector_tables.FACE_BOX)),
        "swap": lambda: detector_tables.swap(read(detector_tables.SWAP)),
        "detector_sizes": lambda: detector_tables.sizes(read(detector_tables.DETECTORS)),
        **{name: partial(bench, read, name) for name in BENCHES},
        **{f"study_{name}": partial(pages.results, read, name) for name in declaration.names()},
    }
    return PART.sub(lambda match: f"{match[1]}{makers[match[2]]()}\n{match[4]}", text)


def table(read: Read) -> str:
    """The comparison table that ``benchmark`` wrote."""
    return read(TABLE).strip()


def bench(read: Read, name: str) -> str:
    """The page that a benchmark wrote."""
    return read(f"metrics/bench/{name}.md").strip()


def portraits(read: Read) -> str:
    """The comparison table of the run that the packaged model is from."""
    return read(f"{PACKAGED}/comparison.md").strip()


def data(read: Read) -> str:
    """What the splits of the packaged model's run hold."""
    figures = json.loads(read(f"{PACKAGED}/split.json"))
    lines = ["| split | people | real halves | fake halves |", "| --- | --- | --- | --- |"]
    for split in ("train", "val", "test"):
        found = figures[split]
        row = (split, *(found[key] for key in ("identities", "real", "fake")))
        lines.append(f"| {' | '.join(str(value) for value in row)} |")
    return "\n".join(lines)


def results(read: Read) -> str:
    """The packaged model's figures on pairs of people it never saw."""
    found = json.loads(read(f"{PACKAGED}/benchmark/{STUDENT}.json"))
    low, high = found["intervals_95"]["auc"]
    return (
        f"AUC {found['auc']:.2f} (95 % interval {low:.2f} to {high:.2f} over people), balanced "
        f"accuracy {100 * found['balanced_accuracy']:.1f} % at the threshold "
        f"{found['threshold']:.3f}; {found['parameters']:,} parameters."
    )


def undecided(read: Read) -> str:
    """How many validation clips got no answer, and why."""
    found = json.loads(read("metrics/undecided.json"))
    return (
        f"{found['undecided']} of {found['clips']} validation clips "
        f"({100 * found['share']:.1f} %) end undecided: {found['doubtful']} too near the "
        f"threshold, {found['too_few_faces']} for want of faces. Of the others "
        f"{100 * found['accuracy_of_decided']:.1f} % are right."
    )


def stages() -> str:
    """One line a stage, with the description in dvc.yaml."""
    return "\n".join(
        f"1. **{name}**: {stage['desc']}." for name, stage in pipeline.stages().items()
    )


def graph() -> str:
    """The stages and what they hand on, as a mermaid graph.

    What a stage takes from one that another of its sources stands on is left out: of the faces
    that every training reads the graph says only that the split is made of them.
    """
    made = pipeline.producers()
    edges = {
        (producer, name): out
        for name, stage in pipeline.stages().items()
        for dep in stage["deps"]
        for out, producer in made.items()
        if dep == out or dep.startswith(f"{out}/")
    }
    shown = nx.transitive_reduction(nx.DiGraph(edges.keys())).edges
    lines = [
        f"  {source} -->|{Path(out).stem}| {stage}"
        for (source, stage), out in edges.items()
        if (source, stage) in shown
    ]
    return "\n".join(["```mermaid", "flowchart TD", *lines, "```"])


if __name__ == "__main__":
    main()
