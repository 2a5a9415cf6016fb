import errno
import os
import signal
import subprocess
import sys
from functools import partial
from pathlib import Path

import pandas as pd
import pytest
import yaml
from typer.testing import CliRunner

from litefake import cli, errors, manifest, networks, outputs, params, preflight, shipped
from litefake.errors import DataMissing, LitefakeError, ModelUnreadable
from tests.clips import draw_face, write_clip
from tools.stage_code import ROOT

FACES = [("train", "youtube"), ("train", "Deepfakes"), ("test", "youtube"), ("test", "Deepfakes")]


def write_params(folder, **dataset):
    loaded = params.read(ROOT / "params.yaml")
    loaded["dataset"] |= dataset
    file = folder / "params.yaml"
    file.write_text(yaml.safe_dump(loaded))
    return file


def test_the_check_passes_on_the_committed_params(tmp_path):
    file = ROOT / "params.yaml"
    result = CliRunner().invoke(cli.app, ["check", "--params", str(file)])
    assert result.exit_code == 0
    assert "sections are valid" in result.output


def test_a_missing_data_set_is_one_line_and_exit_code_2(tmp_path, capsys):
    file = write_params(tmp_path, root=str(tmp_path / "nowhere"))
    with pytest.raises(SystemExit) as ended:
        errors.run(lambda: cli.app(["check", "--params", str(file)], standalone_mode=False))
    assert ended.value.code == 2
    message = capsys.readouterr().err
    assert message.startswith("error: ")
    assert "nowhere: no such folder; set dataset.root in params.yaml" in message
    assert len(message.splitlines()) == 1


def test_a_bug_keeps_its_traceback():
    with pytest.raises(ZeroDivisionError):
        errors.run(lambda: 1 / 0)


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (
            PermissionError(errno.EACCES, "Permission denied", "a/b"),
            "error: a/b: Permission denied; let",
        ),
        (
            OSError(errno.ENOSPC, "No space left on device"),
            "error: No space left on device; make room",
        ),
    ],
)
def test_what_the_machine_refuses_is_one_line(error, line, capsys):
    def main():
        raise error

    with pytest.raises(SystemExit) as caught:
        errors.run(main)
    assert caught.value.code == 2
    assert capsys.readouterr().err.startswith(line)


def test_a_file_that_our_own_code_forgot_is_a_bug():
    with pytest.raises(FileNotFoundError):
        errors.run(Path("/no/such/file").read_bytes)


def test_every_error_of_ours_is_a_litefake_error():
    classes = [value for value in vars(errors).values() if isinstance(value, type)]
    ours = [kind for kind in classes if issubclass(kind, Exception)]
    assert len(ours) > 6
    assert all(issubclass(kind, LitefakeError) for kind in ours)
    assert all(kind.__name__ in errors.__doc__ for kind in ours)


def make_crops(root, *places):
    """Ready crops, one in each of ``places``, (split, category)."""
    for number, (split, category) in enumerate(places):
        (root / split / category).mkdir(parents=True, exist_ok=True)
        (root / split / category / f"{number}.png").write_bytes(b"x")
    return root


def test_an_outdated_listing_is_removed_so_that_dvc_lists_anew(tmp_path):
    root = make_crops(tmp_path / "data set é", *FACES)
    file = write_params(tmp_path, root=str(root), layout="faces", methods=["Deepfakes"])
    listing = tmp_path / "manifest.csv"
    dataset = params.section("dataset", manifest.DatasetParams, file)
    manifest.list_videos(dataset).to_csv(listing, index=False)
    assert preflight.check(file, listing)[1] == f"{root}: 4 files found"
    assert listing.exists()
    (root / "train" / "youtube" / "new.png").write_bytes(b"x")
    assert "it is listed again" in preflight.check(file, listing)[-1]
    assert not listing.exists()


def test_the_check_names_a_method_that_is_missing(tmp_path):
    root = make_crops(tmp_path / "faces", *FACES)
    file = write_params(tmp_path, root=str(root), layout="faces", methods=["FaceSwap"])
    with pytest.raises(DataMissing, match="FaceSwap"):
        preflight.check(file, tmp_path / "manifest.csv")


@pytest.mark.parametrize(
    ("section", "changes", "line"),
    [
        ("b0", {"architecture": "efficientnet_b0_no_se"}, "train_dual needs efficientnet_b0"),
        (
            "lite0",
            {"architecture": "efficientnet_b2", "weights": "xavier"},
            "compares maps of 320 channels",
        ),
        ("prune", {"kind": "unstructured"}, "set reproducibility.devices to 1"),
        ("prune", {"max_pruning_ratio": 0.2}, "ratio 0.35 cannot be reached"),
        ("train", {"lr": float("inf")}, "must be a finite number"),
        ("dataset", {"methods": ["Foo"]}, "the built-in data have no Foo"),
        ("dataset", {"root": "data/videos/mine"}, "lies in data/videos, which the pipeline emp"),
        ("dataset", {"root": "data/faces", "layout": "faces"}, "lies in data/faces, which the"),
    ],
)
def test_the_check_names_sections_that_do_not_go_together(tmp_path, section, changes, line):
    loaded = params.read(ROOT / "params.yaml")
    loaded["reproducibility"]["devices"] = 2
    loaded[section] |= changes
    file = tmp_path / "params.yaml"
    file.write_text(yaml.safe_dump(loaded))
    with pytest.raises(LitefakeError, match=line):
        preflight.check(file, None)


def test_the_check_reads_the_model_that_training_starts_from(tmp_path):
    (tmp_path / "start.safetensors").write_bytes(b"garbage")
    loaded = params.read(ROOT / "params.yaml")
    loaded["b0"]["weights"] = str(tmp_path / "start.safetensors")
    (tmp_path / "params.yaml").write_text(yaml.safe_dump(loaded))
    with pytest.raises(ModelUnreadable, match="start.safetensors"):
        preflight.check(tmp_path / "params.yaml", None)


def test_the_listing_survives_a_round_trip(tmp_path):
    root = tmp_path / "faces"
    for split, category in FACES:
        (root / split / category).mkdir(parents=True)
        (root / split / category / "007.png").write_bytes(b"x")
    dataset = manifest.DatasetParams(
        root=str(root), layout="faces", compression="c23", methods=["Deepfakes"]
    )
    table = manifest.list_videos(dataset)
    table.to_csv(tmp_path / "m.csv", index=False)
    pd.testing.assert_frame_equal(manifest.read_table(tmp_path / "m.csv"), table)


HEAVY = {"torch", "timm", "torchvision", "pandas", "sklearn", "matplotlib", "gradio", "fastapi"}
SPY = """
import sys
from litefake import cli
try:
    cli.main()
except SystemExit as ended:
    assert not ended.code, ended.code
print("loaded:", *sorted({name.partition(".")[0] for name in sys.modules}))
"""


def loaded_by(*arguments):
    """The top-level modules that the command has imported when it ends."""
    done = subprocess.run(
        [sys.executable, "-c", SPY, *map(str, arguments)],
        env={"PYTHONPATH": str(ROOT / "src")},
        capture_output=True,
        text=True,
        check=True,
    )
    return set(done.stdout.splitlines()[-1].split()[1:])


def test_an_exported_model_judges_without_torch_and_pandas(tmp_path):
    """What takes ten seconds to start is not used; what is needed is there."""
    clip = write_clip(tmp_path / "clip.mp4", [draw_face()] * 12)
    arguments = (
        "--model",
        shipped.MODEL,
        "--json",
        tmp_path / "r.json",
        "--out",
        tmp_path / "o.mp4",
    )
    loaded = loaded_by("detect", clip, *arguments)
    assert not loaded & HEAVY
    assert {"cv2", "av", "numpy"} <= loaded


def test_asking_for_help_loads_no_library_of_numbers():
    assert not loaded_by("--help") & (HEAVY | {"numpy", "cv2", "av"})


@pytest.mark.parametrize("command", ["detect", "evaluate", "audit"])
@pytest.mark.parametrize("option", ["--json", "--csv"])
def test_what_cannot_be_written_is_said_before_the_work(command, option, tmp_path, capsys):
    for place, reason in ((tmp_path, "is a folder"), (Path("/sys/kernel/x/y"), "cannot be made")):
        with pytest.raises(SystemExit) as ended:
            errors.run(partial(cli.app, [command, str(tmp_path), option, str(place)]))
        said = capsys.readouterr().err
        assert (ended.value.code, said.count("\n")) == (2, 1)
        assert reason in said


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["a.png", "--out", "marked.txt"], "marked.txt: the marked copy is an MP4"),
        (["nowhere.mp4"], "nowhere.mp4: no such file"),
    ],
)
def test_what_detect_can_know_is_said_before_a_model_is_loaded(words, said, monkeypatch, capsys):
    monkeypatch.setattr("litefake.report.Judge.load", None)
    with pytest.raises(SystemExit) as ended:
        errors.run(partial(cli.app, ["detect", *words]))
    written = capsys.readouterr().err
    assert (ended.value.code, written.count("\n")) == (2, 1)
    assert said in written


@pytest.mark.parametrize("command", ["detect", "evaluate", "audit"])
def test_a_report_replaces_no_clip_no_device_and_no_link(command, tmp_path, capsys):
    clip, pipe = tmp_path / "a.mp4", tmp_path / "pipe.json"
    clip.write_bytes(b"x")
    os.mkfifo(pipe)
    for place, reason in (
        (clip, "a.mp4: exists and is no report"),
        (pipe, "is no regular file"),
        (Path("/proc/x.json"), "/proc: not writable"),
    ):
        with pytest.raises(SystemExit) as ended:
            errors.run(partial(cli.app, [command, str(tmp_path), "--json", str(place)]))
        said = capsys.readouterr().err
        assert (ended.value.code, said.count("\n")) == (2, 1)
        assert reason in said
    assert clip.read_bytes() == b"x"


@pytest.mark.parametrize(
    ("require", "link", "target", "said"),
    [
        (outputs.require_report, "a.json", "a.mp4", "exists and is no report"),
        (outputs.require_clip, "a.mp4", "a.txt", "the marked copy is an MP4"),
    ],
)
def test_a_link_does_not_hide_what_would_be_replaced(tmp_path, require, link, target, said):
    (tmp_path / target).write_bytes(b"x")
    (tmp_path / link).symlink_to(tmp_path / target)
    with pytest.raises(LitefakeError, match=said):
        require(tmp_path / link)


def test_a_signal_that_ends_cleans_up_and_an_ignored_one_is_left_alone():
    """In a process of its own, which it ends."""
    code = """
import os, signal, time
from litefake import outputs
signal.signal(signal.SIGHUP, signal.SIG_IGN)  # as nohup does
with outputs.cleaned_up():
    try:
        os.kill(os.getpid(), signal.SIGHUP)
        print("still here", flush=True)
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(60)
    finally:
        print("cleaned up", flush=True)
"""
    environment = os.environ | {"PYTHONPATH": str(ROOT / "src")}
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 128 + signal.SIGTERM
    assert done.stdout.splitlines() == ["still here", "cleaned up"]


@pytest.mark.parametrize("option", ["--max-video-seconds", "--job-seconds"])
def test_no_limit_of_the_page_is_without_end(option):
    done = CliRunner().invoke(cli.app, ["web", option, "inf"], standalone_mode=False)
    assert "less than or equal to 86400" in done.exception.format_message()


def test_of_a_link_the_file_is_written(tmp_path):
    (tmp_path / "link.json").symlink_to(tmp_path / "there.json")
    assert outputs.require_writable(tmp_path / "link.json") == tmp_path / "there.json"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["link.json"]


def test_a_check_of_other_parameters_leaves_the_listing_of_the_last_run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for split, category in FACES:
        (tmp_path / "faces" / split / category).mkdir(parents=True)
        (tmp_path / "faces" / split / category / "a.png").write_bytes(b"x")
    file = write_params(tmp_path, root="faces", layout="faces", methods=["Deepfakes"])
    file.rename("other.yaml")
    Path("data").mkdir()
    Path("data/manifest.csv").write_bytes((ROOT / "params.yaml").read_bytes())
    done = CliRunner().invoke(cli.app, ["check", "--params", "other.yaml"])
    assert done.exit_code == 0
    assert "it is listed again" not in done.output
    assert Path("data/manifest.csv").exists()


def test_the_version_is_that_of_the_package():
    done = CliRunner().invoke(cli.app, ["--version"])
    assert (done.exit_code, done.output) == (0, "0.1.0\n")


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("x.mp4", "ends in .safetensors or .onnx"),
        ("typo.onnx", "no such file"),
        (".", "is no model"),
    ],
)
def test_what_is_no_model_file_is_told_apart(name, said, tmp_path):
    with pytest.raises(ModelUnreadable, match=said):
        networks.load(tmp_path / name)


def test_a_picture_cannot_be_marked(tmp_path, capsys):
    (tmp_path / "a.png").write_bytes(b"x")
    with pytest.raises(SystemExit):
        errors.run(
            partial(cli.app, ["detect", str(tmp_path / "a.png"), "--out", str(tmp_path / "o.mp4")])
        )
    assert "--out marks clips" in capsys.readouterr().err


@pytest.mark.parametrize("command", ["detect", "audit", "evaluate"])
def test_an_unset_variable_of_the_shell_is_not_the_working_folder(command, capsys):
    with pytest.raises(SystemExit) as ended:
        errors.run(lambda: cli.app([command, ""], standalone_mode=False))
    assert ended.value.code == 2
    assert "no path is given" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("nope", "No such command 'nope'; see `"),
        ("detect", "Missing argument 'paths'; see `"),
        ("detect x.mp4 --nope 3", "No such option: --nope"),
        ("detect x.mp4 --every 0", "'--every': Input should be greater than or equal to 1; see"),
        ("evaluate x --split all-of-it", "is not one of 'train', 'val', 'test', 'all'; see"),
        ("audit x --json", "requires an argument; see `"),
    ],
)
def test_a_wrong_word_on_the_command_line_is_one_line_that_names_the_help(
    words, said, monkeypatch, capsys
):
    monkeypatch.setattr(sys, "argv", ["litefake", *words.split()])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert ended.value.code == 2
    out, err = capsys.readouterr()
    assert err.startswith("error: ")
    assert err.count("\n") == 1
    assert not out
    assert said in err
    assert err.endswith(" --help`\n")


def test_no_word_at_all_is_a_call_for_help(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["litefake"])
    cli.main()
    assert "COMMAND [ARGS]" in capsys.readouterr().out


@pytest.mark.parametrize("content", [b"a,b\n1,2\n", b"", b'path\n"torn', b"\xff\xfe\x00", "folder"])
def test_no_file_is_removed_that_is_no_listing(tmp_path, content):
    root = make_crops(tmp_path / "set", *FACES)
    file = write_params(tmp_path, root=str(root), layout="faces", methods=["Deepfakes"])
    listing = tmp_path / "results.csv"
    if content == "folder":
        listing.mkdir()
    else:
        listing.write_bytes(content)
    with pytest.raises(DataMissing, match="is no listing of a data set; remove it"):
        preflight.check(file, listing)
    assert listing.is_dir() or listing.read_bytes() == content


def test_the_check_names_a_method_that_is_only_tested(tmp_path):
    root = make_crops(tmp_path / "set", *FACES, ("test", "New"))
    file = write_params(tmp_path, root=str(root), layout="faces", methods=["Deepfakes", "New"])
    assert preflight.check(file, None)[-1] == (
        "New: has no folder in train, so it is tested and never trained on"
    )


def test_a_link_to_itself_is_one_line(tmp_path):
    loop = tmp_path / "loop.json"
    loop.symlink_to(loop)
    with pytest.raises(LitefakeError, match=r"loop\.json: is a link to itself"):
        outputs.require_writable(loop)
    with pytest.raises(LitefakeError, match="is judged or written already"):
        outputs.require_apart([loop], [loop])


def test_no_report_takes_the_name_of_a_list_of_the_data_set(tmp_path):
    with pytest.raises(LitefakeError, match="is what a list of the data set is called"):
        outputs.require_beside([tmp_path / "people.json"], tmp_path)
    outputs.require_beside([tmp_path / "out.json"], tmp_path)
    outputs.require_beside([tmp_path / "people.json"], tmp_path / "set")


def test_crops_to_train_on_need_both_parts(tmp_path):
    root = make_crops(tmp_path / "set", ("test", "youtube"), ("test", "A"))
    file = write_params(tmp_path, root=str(root), layout="faces", methods=["A"])
    with pytest.raises(DataMissing, match="train: no such folder; training needs train"):
        preflight.check(file, None)
    make_crops(root, *(("train", category) for category in ("youtube", "A", "B")))
    file = write_params(tmp_path, root=str(root), layout="faces", methods=["A", "B"])
    with pytest.raises(DataMissing, match="test/B: no such folder"):
        preflight.check(file, None)


def test_short_help():
    assert CliRunner().invoke(cli.app, ["detect", "-h"]).exit_code == 0


@pytest.mark.parametrize("said", [(errno.ENOSPC, "No space left on device"), None])
def test_a_full_disk_names_the_file_that_was_to_be_written(tmp_path, said):
    path = tmp_path / "out.json"
    with pytest.raises(LitefakeError) as raised, outputs.writing_to(path):
        raise OSError(*(said or (errno.EACCES, "Permission denied", str(path))))
    assert str(raised.value).count(str(path)) == 1
    assert "free space or change its permissions" in str(raised.value)
