"""The ``litefake`` command."""

import io
import os
import sys
from collections.abc import Iterator
from functools import partial
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer
from tqdm import tqdm

from litefake import errors, shipped
from litefake.errors import LitefakeError
from litefake.outputs import (
    cleaned_up,
    kept,
    plain,
    require_apart,
    require_beside,
    require_clip,
    require_named,
    require_report,
    writing_to,
)
from litefake.parallel import killed, map_items
from litefake.shipped import FaceDetector
from litefake.web import command

if TYPE_CHECKING:
    import pandas as pd

    from litefake.report import Judge, Judgement

Clip = partial(typer.Option, callback=require_clip)  # for a clip that is written
Report = partial(typer.Option, callback=require_report)
Named = partial(typer.Argument, parser=require_named)
Split = Literal["train", "val", "test", "all"]
app = typer.Typer(
    add_completion=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="Lightweight deepfake detection that anyone can reproduce.",
)


def _say_version(wanted: bool) -> None:
    if wanted:
        typer.echo(metadata.version("litefake"))
        raise typer.Exit


@app.callback()
def _every_command(
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_say_version, is_eager=True, help="print the version and exit"
        ),
    ] = False,
) -> None:
    """Options of no command."""


@app.command()
def check(
    params: Annotated[Path, typer.Option(help="the params file to check")] = Path("params.yaml"),
    manifest: Annotated[
        Path | None,
        typer.Option(help="the listing of its last run; data/manifest.csv for params.yaml"),
    ] = None,
) -> None:
    """Check every section of params.yaml and the data set before anything runs."""
    from litefake import preflight  # each command imports what it alone needs: torch is slow

    if manifest is None and params == Path("params.yaml"):
        manifest = Path("data/manifest.csv")
    for line in preflight.check(params, manifest):
        typer.echo(line)


@app.command()
def detect(
    paths: Annotated[list[Path], Named(help="clips, images, or folders of them")],
    out: Annotated[Path | None, Clip(help="write the clip with its faces marked")] = None,
    json: Annotated[Path | None, Report(help="write the report (docs/report.md)")] = None,
    csv: Annotated[Path | None, Report(help="write a table, one row a file")] = None,
    model: Annotated[
        Path | None, typer.Option(help="model file, safetensors or ONNX; the packaged one if none")
    ] = None,
    every: Annotated[int, typer.Option(min=1, help="look at one frame in so many")] = 10,
    detector: Annotated[
        FaceDetector | None, typer.Option(help="what finds the faces; as in training if none")
    ] = None,
) -> None:
    """Judge whether the faces in a clip are manipulated: real, fake or undecided.

    Exit code 0 whatever the verdict, 2 when a file could not be judged.
    """
    from litefake import annotation, report
    from litefake.artifacts import write_json
    from litefake.layouts.rows import IMAGE_SUFFIXES

    files, others = report.files_of(paths)
    if len(files) > 1 and (out or json):
        raise LitefakeError("--out and --json are for one file; use --csv for several")
    if out and files[0].suffix.lower() in IMAGE_SUFFIXES:
        raise LitefakeError(f"{files[0]}: --out marks clips; --json says where the face is")
    require_apart([out, json, csv], files)
    if others:
        kinds = ", ".join(sorted({other.suffix for other in others} - {""}) or ["no suffix"])
        line = f"{len(others)} files are no clips or images by their names ({kinds})"
        typer.echo(plain(line), err=True)
    judge = report.Judge.load(model or shipped.MODEL).behind(detector)
    # A verdict is worth what the model has seen.
    typer.echo(plain(f"{judge.path.name} was trained on: {judge.card.trained_on}"), err=True)
    rows: list[dict[str, Any]] = []
    with kept(rows, partial(_write_table, csv, rows) if csv else None):
        for file, found in zip(files, _judged(files, judge, every, detector), strict=True):
            if isinstance(found, str):
                tqdm.write(plain(f"error: {found}"), file=sys.stderr)
                rows.append({"file": str(file), "error": found})
                continue
            tqdm.write(plain(f"{file}: {found.line()}"))
            rows.append({"file": str(file), **found.row()})
            if json:
                with writing_to(json):
                    write_json(json, found.as_dict(judge), digits=6)
            if out:
                with writing_to(out), cleaned_up():
                    annotation.annotate(file, out, found.looks.faces, judge.rule)
    if any("error" in row for row in rows):
        raise SystemExit(2)


def _judged(
    files: list[Path], judge: "Judge", every: int, detector: FaceDetector | None
) -> Iterator["Judgement | str"]:
    """What is said of every file, or why nothing is: several side by side, one with a bar."""
    from litefake import report

    if len(files) > 1:
        work = partial(report.judge_in_pool, model=judge.path, every=every, detector=detector)
        yield from map_items(work, files, "detect", "file", lost=killed)
        return
    # Without a terminal tqdm's None means no bar at all.
    with tqdm(desc=files[0].name, unit="frame", leave=False, disable=None) as bar:

        def show(done: int, total: int) -> None:
            bar.total = total
            bar.update(done - bar.n)

        found = report.judge_safely(files[0], judge, every, show)
    yield found


def _write_table(path: Path, rows: list[dict[str, Any]]) -> None:
    import pandas as pd

    from litefake import report
    from litefake.artifacts import rounded, write_csv

    # As objects: a row without a count, of a clip that failed, makes no other count 20.0.
    columns = ["file", *report.ROW, "error"]  # the same whether or not a file failed
    table = pd.DataFrame(rounded(rows, digits=6), columns=columns, dtype=object)
    # A name may hold the one end of a line that is written without quotes.
    table = table.replace("\r", "?", regex=True)
    with writing_to(path):
        write_csv(path, table)


@app.command()
def audit(
    root: Annotated[Path, Named(help="the root of a data set")],
    layout: Annotated[str | None, typer.Option(help="found by its folders if not given")] = None,
    json: Annotated[Path | None, Report(help="write the findings and all figures")] = None,
    csv: Annotated[Path | None, Report(help="write a table, one row a file")] = None,
    clips: Annotated[
        int, typer.Option(min=0, help="in how many clips of each method to look for faces")
    ] = 20,
    params: Annotated[
        Path | None, typer.Option(help="which frames, which detector; params.yaml if it is there")
    ] = None,
) -> None:
    """Look for leaks and tells in a data set; exit code 1 when there are any."""
    from litefake.audit import command

    require_beside([json, csv], root)
    raise SystemExit(command.audit(root, layout, json, csv, clips, params))


@app.command()
def evaluate(
    root: Annotated[Path, Named(help="the folder of a data set (docs/evaluate.md)")],
    model: Annotated[
        Path | None, typer.Option(help="model file, safetensors or ONNX; the packaged one if none")
    ] = None,
    split: Annotated[
        Split | None, typer.Option(help="part of the data set; test where it names parts, else all")
    ] = None,
    layout: Annotated[str | None, typer.Option(help="how it lies; found out if none")] = None,
    compression: Annotated[str | None, typer.Option(help="FaceForensics++: raw, c23, c40")] = None,
    method: Annotated[list[str] | None, typer.Option(help="only this one; repeatable")] = None,
    every: Annotated[int, typer.Option(min=1, help="look at one frame of a clip in so many")] = 10,
    bootstrap: Annotated[int, typer.Option(min=0, help="draws for the intervals; 0: none")] = 1000,
    json: Annotated[Path | None, Report(help="write every figure")] = None,
    csv: Annotated[Path | None, Report(help="write the scores, one row a face")] = None,
) -> None:
    """Measure a model on a whole data set: AUC by frame, video and method, false alarms.

    Exit code 2 when a file could not be read; the figures are of the others.
    """
    from litefake import discovery, evaluation, evaluation_report, manifest, report
    from litefake.artifacts import write_json
    from litefake.scoreboard import Resampling

    require_beside([json, csv], root)
    data = discovery.describe(root, layout, compression, method or [])
    listing = manifest.list_videos(data)
    rows, part = evaluation.part_of(listing, split)
    judge = report.Judge.load(model or shipped.MODEL)
    left_out = len(listing) - len(rows)
    passed_over = discovery.passed_over(data, listing["path"])  # before a report lies among them
    keep = partial(_write_faces, csv) if csv else None
    outcome = evaluation.evaluate(rows, root, data.layout, judge, every, left_out, keep)
    outcome.passed_over = passed_over
    figures = evaluation_report.as_dict(outcome, judge, data, part, Resampling(bootstrap))
    typer.echo(evaluation_report.text(figures))
    if json:
        with writing_to(json):
            write_json(json, figures, digits=6)
    if outcome.unreadable:
        raise SystemExit(2)


def _write_faces(path: Path, faces: "pd.DataFrame") -> None:
    from litefake.artifacts import write_csv

    with writing_to(path):
        write_csv(path, faces)


app.command()(command.web)


def main() -> None:
    """The command: a LitefakeError becomes one line and exit code 2."""
    # Whoever closes them (2>&-) has Python leave nothing in their place.
    sys.stdout = sys.stdout or Path(os.devnull).open("w")  # noqa: SIM115
    sys.stderr = sys.stderr or Path(os.devnull).open("w")  # noqa: SIM115
    for stream in (sys.stdout, sys.stderr):
        # A file's name may have letters that the terminal has not, or bytes that are none.
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")
    errors.run(_run)


def _run() -> None:
    try:
        # By itself typer draws a box of several lines about a wrong option.
        code = app(sys.argv[1:] or ["--help"], standalone_mode=False)
    except typer.TyperException as error:
        context = getattr(error, "ctx", None)
        command = context.command_path if context else "litefake"
        said = error.format_message().rstrip(".")
        raise LitefakeError(f"{said}; see `{command} --help`") from None
    except LitefakeError as error:  # it may name a file, and a name may hold anything
        raise LitefakeError(plain(" ".join(str(error).split()))) from None
    except ModuleNotFoundError as error:
        if (error.name or "litefake").split(".")[0] == "litefake":
            raise
        raise LitefakeError(
            f"{error.name} is not installed, and this needs it (`audit`, and `detect` and "
            "`evaluate` on ONNX models, do not); install litefake[all], or run `make setup`"
        ) from None
    if code:
        raise SystemExit(code)
