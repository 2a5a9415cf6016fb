"""The command ``litefake audit``."""

from pathlib import Path

from litefake.artifacts import write_csv, write_json
from litefake.audit import run, table
from litefake.errors import DataMissing
from litefake.outputs import writing_to


def audit(
    root: Path,
    layout: str | None,
    json: Path | None,
    csv: Path | None,
    clips: int,
    params: Path | None,
) -> int:
    """Print the audit and write what is asked for; 1 when there are findings, else 0.

    Raises DataMissing or ParamsInvalid.
    """
    if not root.exists():
        raise DataMissing(f"{root}: no such folder; give the folder of a data set")
    if root.is_file():
        raise DataMissing(f"{root}: is a file; give the folder of a data set")
    found = run.audit(root, layout, run.Settings.read(params, clips))
    for line in table.lines(found):
        print(line)
    if json:
        with writing_to(json):
            write_json(json, table.as_dict(found))
    if csv:
        with writing_to(csv):
            write_csv(csv, table.rows(found))
    return 1 if found.findings else 0
