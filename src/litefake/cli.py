"""The ``litefake`` command."""

from pathlib import Path
from typing import Annotated

import typer

from litefake import errors, preflight

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="Lightweight deepfake detection that anyone can reproduce.",
)


@app.callback()
def _commands() -> None:
    """Keep ``check`` a command of its own: typer drops the name of an only command."""


@app.command()
def check(
    params: Annotated[Path, typer.Option(help="the params file to check")] = Path("params.yaml"),
    manifest: Annotated[Path, typer.Option(help="the listing of the last run")] = Path(
        "data/manifest.csv"
    ),
) -> None:
    """Check every section of params.yaml and the data set before anything runs."""
    for line in preflight.check(params, manifest):
        typer.echo(line)


def main() -> None:
    """The installed command: a LitefakeError becomes one line and exit code 2."""
    errors.run(app)
