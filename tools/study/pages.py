"""What ``docs/studies.md`` shows of a study."""

import io
from collections.abc import Callable

import pandas as pd

from tools import pipeline
from tools.study import declaration

Read = Callable[[str], str]


def results(read: Read, name: str) -> str:
    """Claim, table and plot of study ``name``, and whether its models are those of dvc.lock."""
    study = declaration.load(name)
    head = f"Published: {study.claim}\n"
    folder = f"metrics/studies/{name}"
    try:
        table = read(f"{folder}/table.md").strip()
        rows = read(f"{folder}/runs.csv")
    except FileNotFoundError:
        return f"{head}\nNot run yet: `make study NAME={name}`."
    pictures = [f"![{study.title}](../{folder}/plot.png)"]
    if "cosine_before" in read(f"{folder}/curves.csv").splitlines()[0]:
        pictures.append(f"![Gradients of two branches](../{folder}/gradients.png)")
    return "\n".join([head, table, _age(rows, read("dvc.lock")), *pictures])


def _age(runs: str, lock: str) -> str:
    """Whether the rows that change nothing are the models of the pipeline's last run."""
    current = set(pipeline.locked(lock).values())
    rows = pd.read_csv(io.StringIO(runs))
    unchanged = set(rows.loc[rows["unchanged"], "md5"])
    if not unchanged:
        return ""
    if unchanged <= current:
        return "* The rows that change nothing in params.yaml are the models in dvc.lock.\n"
    return "* **Of an earlier run**: a row that changes nothing is no model in dvc.lock.\n"
