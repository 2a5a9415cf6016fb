"""Count whose faces the portraits show: ``python -m tools.portrait_people FOLDER``.

``FOLDER`` holds the two repositories of ``tools.portraits``; their own tables say who is who.
Prints the table of docs/portraits.md.
"""

import itertools
import sys
from pathlib import Path

import pandas as pd

from litefake import errors
from litefake.errors import DataMissing
from tools.portraits import COMMITS, read_checksums

YEAR = 2021  # of the pinned commits; the portraits may be older
COLUMNS = ["name_slug", "gender", "ethnicity", "date_of_birth"]
AGES = [0, 40, 50, 60, 70, 200]


def people(source: Path) -> pd.DataFrame:
    """One row a portrait: repository, gender, ethnicity, age; NaN for somebody in no table."""
    named = [Path(name) for name in read_checksums()]
    portraits = pd.DataFrame(
        {"repository": [one.parent.name for one in named], "name_slug": [one.stem for one in named]}
    )
    tables = pd.concat([_table(source, name).assign(repository=name) for name in COMMITS])
    found = portraits.merge(tables, "left", ["repository", "name_slug"], validate="one_to_one")
    return found.assign(age=YEAR - pd.to_datetime(found["date_of_birth"]).dt.year)


def _table(source: Path, name: str) -> pd.DataFrame:
    paths = sorted(source.rglob(f"{name}/data/{name}.csv"))
    if not paths:
        raise DataMissing(f"{source}: no {name}/data/{name}.csv in it")
    return pd.read_csv(paths[0], usecols=COLUMNS)


def markdown(table: pd.DataFrame) -> str:
    """Counts by gender, ethnicity and age, one column a repository."""
    labels = [f"{low} to {high - 1}" for low, high in itertools.pairwise(AGES)]
    labels[0], labels[-1] = f"under {AGES[1]}", f"{AGES[-2]} and over"
    ages = pd.cut(table["age"], AGES, right=False, labels=labels)
    groups = {
        "gender": table["gender"],
        f"age in {YEAR}": ages.astype(object),
        "ethnicity, as the repositories name it": table["ethnicity"],
    }
    lines = ["| | " + " | ".join(COMMITS) + " |", "| --- |" + " --- |" * len(COMMITS)]
    lines.append(_line("portraits", table["repository"].value_counts()))
    for title, group in groups.items():
        counts = table.groupby([group.fillna("unknown"), "repository"]).size().unstack(fill_value=0)
        order = [*labels, "unknown"]
        if not title.startswith("age"):
            order = counts.sum(axis=1).sort_values().index[::-1]
        lines.append(f"| **{title}** |" + " |" * len(COMMITS))
        lines += [_line(str(name), counts.loc[name]) for name in order if name in counts.index]
    return "\n".join(lines)


def _line(name: str, counts: pd.Series) -> str:
    return f"| {name} | " + " | ".join(str(counts.get(one, 0)) for one in COMMITS) + " |"


def main() -> None:
    if len(sys.argv) != 2:
        raise DataMissing("name the folder that holds the repositories of tools.portraits")
    print(markdown(people(Path(sys.argv[1]))))


if __name__ == "__main__":
    errors.run(main)
