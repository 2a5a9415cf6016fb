"""``litefake detect``: what it looks at, what it says, and what it does with bad input."""

import contextlib
import io
import json
import os
import struct
import subprocess
import sys
import time
import zlib
from pathlib import Path

import av
import cv2
import numpy as np
import pandas as pd
import pytest
from PIL import Image

from litefake import (
    cli,
    cropping,
    detection,
    errors,
    extraction,
    models,
    outputs,
    report,
    scoring,
    verdict,
)
from litefake.dataset import Faces
from litefake.errors import LitefakeError, ModelUnreadable, VideoUnreadable
from litefake.extraction import SamplingParams
from tests.clips import draw_face, raw_clip, write_clip

SOURCE = Path(__file__).resolve().parent.parent / "src"
KEYS = {
    "schema", "file", "verdict", "reason", "fake_rate", "probability", "interval", "threshold",
    "frames", "frames_decoded", "faces", "frames_without_face", "bad_packets", "damaged_frames",
    "truncated",
    "tracks", "timeline", "model", "seconds",
}  # fmt: skip


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("detect")


@pytest.fixture(scope="module")
def clip(folder):
    """Forty frames of a face that moves, then ten of nothing."""
    frames = [np.roll(draw_face(), 2 * number, axis=1) for number in range(40)]
    return write_clip(folder / "clip.mp4", frames + [np.full_like(frames[0], 90)] * 10)


@pytest.fixture
def judge(network, tmp_path):
    model, card = network
    card = card.model_copy(update={"threshold": 0.4, "temperature": 0.02, "bias": 0.3})
    models.save(model, card, tmp_path / "model.safetensors")
    return report.Judge.load(tmp_path / "model.safetensors")


def command(*arguments):
    """Exit code, standard output and error of ``litefake detect``; here, for it starts slowly."""
    said, beside = io.StringIO(), io.StringIO()
    words, code = ["detect", *map(str, arguments)], 0
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(beside):
        try:
            errors.run(lambda: cli.app(words, standalone_mode=False))
        except SystemExit as ended:
            code = ended.code
    return code, said.getvalue(), beside.getvalue()


def process(*arguments, start=("-m", "litefake")):
    """The same in a process of its own, as a user runs it."""
    done = subprocess.run(
        [sys.executable, *start, "detect", *map(str, arguments)],
        env={"PYTHONPATH": str(SOURCE), "PATH": "", "LITEFAKE_WORKERS": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout, done.stderr


def test_it_sees_the_faces_that_training_saw(clip, judge, tmp_path):
    """Bit for bit: the same frames, boxes, crops, and so the same probabilities."""
    looks = detection.look(clip, judge.model, judge.card, every=5, minimum_looks=1)
    sampling = SamplingParams.model_validate(
        {"real": {"every": 5}, "fake": {"every": 5}, "seed": 0, "format": "png", "quality": 95}
    )
    item = {"key": "a", "method": "youtube", "path": clip.name, "target": "a", "source": ""}
    extraction.extract(item, clip.parent, tmp_path / "frames", "youtube", sampling)
    names = sorted((tmp_path / "frames").rglob("*.png"))
    rows = [
        {"key": "a", "method": "x", "frame": number, "path": str(name.relative_to(tmp_path))}
        for number, name in zip(looks.looked, names, strict=True)
    ]
    crops = cropping.crop_clip(rows, tmp_path, tmp_path / "faces", judge.card.crop)
    table = pd.DataFrame(crops.rows).assign(label=0)
    card = judge.card
    faces = Faces(tmp_path / "faces", table, card.image_size, card.mean, card.std)
    trained = scoring.score_table(models.load(judge.path)[0], card, faces)
    assert len(trained) == len(looks.faces) == 8
    for name in ("frame", "x", "y", "side"):
        assert trained[name].tolist() == looks.faces[name].tolist()
    assert trained["probability"].tolist() == pytest.approx(looks.faces["probability"].tolist())


def test_the_report_has_its_documented_keys(clip, judge):
    found = report.judge_file(clip, judge, every=10)
    written = found.as_dict(judge)
    assert set(written) == KEYS
    assert (written["frames"], written["frames_decoded"]) == (9, 50)  # 50 // 8 = 6: every sixth
    assert written["faces"] == 7
    assert written["frames_without_face"] == 2
    assert [track["faces"] for track in written["tracks"]] == [7]
    assert written["model"]["parameters"] == 3_372_289
    assert written["model"]["trained_on"] == "drawn faces"
    assert written["schema"] == "litefake-report-1"
    text = (SOURCE.parent / "docs" / "report.md").read_text(encoding="utf-8")
    assert all(f"`{key}`" in text for key in KEYS)
    assert written["schema"] in text


def test_a_long_clip_is_looked_at_every_so_often_a_short_one_more_often(clip, judge):
    def looked(every, minimum):
        return detection.look(clip, judge.model, judge.card, every, minimum).looked

    assert looked(20, 1) == [0, 20, 40]
    assert looked(20, 10) == list(range(0, 50, 5))
    assert looked(20, 500) == list(range(50))


def test_a_clip_without_a_face_gets_no_score(folder, judge):
    blank = write_clip(folder / "blank.mp4", [np.full((240, 320, 3), 90, np.uint8)] * 12)
    written = report.judge_file(blank, judge, every=1).as_dict(judge)
    assert written["verdict"] == "undecided"
    assert written["probability"] is written["fake_rate"] is written["interval"] is None
    assert written["frames_without_face"] == written["frames"] == 12
    assert written["tracks"] == written["timeline"] == []


def test_two_people_are_scored_apart(folder, judge):
    pair = [np.hstack([draw_face(), draw_face()])] * 12
    found = report.judge_file(write_clip(folder / "pair.mp4", pair), judge, every=1)
    assert np.bincount(found.looks.faces["track"]).tolist() == [12, 12]


def test_a_still_image_is_judged_by_its_one_face(folder, judge):
    cv2.imwrite(str(folder / "face.png"), draw_face())
    found = report.judge_file(folder / "face.png", judge, every=10)
    assert found.verdict.answer in ("real", "fake")
    assert len(found.looks.faces) == 1
    (folder / "torn.png").write_bytes(b"\x89PNG")
    with pytest.raises(LitefakeError, match=r"torn\.png: cannot be read as an image"):
        report.judge_file(folder / "torn.png", judge, every=10)


def test_the_command_writes_report_and_clip(clip, judge, tmp_path):
    out, written = tmp_path / "out.mp4", tmp_path / "r.json"
    arguments = (clip, "--model", judge.path, "--out", out, "--json", written, "--every", 5)
    code, said, beside = process(*arguments)
    assert code == 0
    assert "was trained on: drawn faces" in beside
    assert said.startswith(f"{clip}: ")
    assert json.loads(written.read_text(encoding="utf-8"))["faces"] == 8
    assert out.stat().st_size > 1000


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [("text.mp4", b"hello", "cannot be opened"), ("empty.mp4", b"", "cannot be opened")],
)
def test_a_bad_clip_is_one_line_and_exit_code_2(judge, tmp_path, name, content, message):
    (tmp_path / name).write_bytes(content)
    code, said, beside = command(tmp_path / name, "--model", judge.path)
    assert (code, said) == (2, "")
    lines = [line for line in beside.splitlines() if line.startswith("error:")]
    assert len(lines) == 1
    assert name in lines[0]
    assert message in lines[0]


def test_a_missing_model_or_clip_is_one_line(clip, judge, tmp_path):
    code, _, beside = command(clip, "--model", tmp_path / "none.safetensors")
    assert code == 2
    assert beside.splitlines()[-1].startswith("error: ")
    code, _, beside = command(tmp_path / "none.mp4", "--model", judge.path)
    assert code == 2
    assert "none.mp4: no such file" in beside
    os.mkfifo(tmp_path / "pipe.mp4")
    code, _, beside = command(tmp_path / "pipe.mp4", "--model", judge.path)
    assert code == 2
    assert "pipe.mp4: is no regular file; save it as one" in beside


def test_an_error_cannot_move_the_cursor(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr("sys.argv", ["litefake", "detect", str(tmp_path / "a\x1b[31m\nREAL.mp4")])
    with pytest.raises(SystemExit):
        cli.main()
    said = capsys.readouterr().err
    assert said == f"error: {tmp_path}/a?[31m REAL.mp4: no such file\n"


def test_a_folder_is_judged_to_its_end_and_what_failed_is_named(clip, judge, tmp_path):
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.mp4").write_bytes(b"broken")
    (tmp_path / "in" / "b.mp4").write_bytes(clip.read_bytes())
    (tmp_path / "in" / "notes.txt").write_text("no clip")
    table = tmp_path / "table.csv"
    code, _, _ = command(tmp_path / "in", "--model", judge.path, "--csv", table)
    assert code == 2
    rows = pd.read_csv(table)
    assert [Path(name).name for name in rows["file"]] == ["a.mp4", "b.mp4"]
    (tmp_path / "in" / "a.mp4").unlink()
    command(tmp_path / "in", "--model", judge.path, "--csv", table)
    assert list(pd.read_csv(table)) == list(rows) == ["file", *report.ROW, "error"]
    assert "cannot be opened" in rows["error"][0]
    assert pd.isna(rows["verdict"][0])
    assert rows["verdict"][1] in ("real", "fake", "undecided")


def test_a_link_to_nothing_in_a_folder_is_named_and_not_passed_over(clip, judge, tmp_path):
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.mp4").symlink_to(tmp_path / "gone.mp4")
    (tmp_path / "in" / "b.mp4").write_bytes(clip.read_bytes())
    table = tmp_path / "table.csv"
    code, _, _ = command(tmp_path / "in", "--model", judge.path, "--csv", table)
    assert (code, len(pd.read_csv(table))) == (2, 2)
    assert "a.mp4: no such file" in pd.read_csv(table)["error"][0]


def test_a_clip_without_pictures_raises(tmp_path, judge):
    (tmp_path / "a.mp4").write_bytes(b"x")
    with pytest.raises(VideoUnreadable):
        detection.look(tmp_path / "a.mp4", judge.model, judge.card, 10, 1)


def test_planes_that_nothing_converts_end_one_file_and_not_the_folder(clip, judge, tmp_path):
    (tmp_path / "in").mkdir()
    raw_clip(tmp_path / "in" / "a.mkv", b"BGR\x04")
    (tmp_path / "in" / "b.mp4").write_bytes(clip.read_bytes())
    (tmp_path / "in" / "c.mp4").mkdir()  # a folder is no clip, whatever its name
    table = tmp_path / "table.csv"
    code, said, beside = command(tmp_path / "in", "--model", judge.path, "--csv", table)
    assert code == 2
    assert "Traceback" not in beside
    assert "b.mp4: " in said
    rows = pd.read_csv(table)
    assert [Path(name).name for name in rows["file"]] == ["a.mkv", "b.mp4"]
    assert pd.read_csv(table, dtype=str)["faces"][1].isdigit()  # not 8.0 beside an empty one
    assert "a.mkv: pixels of the kind bgr4 cannot be converted" in rows["error"][0]


def test_a_model_whose_answer_is_no_number_gives_no_verdict(judge):
    """Compared with a threshold, NaN would say "real"."""
    face = np.full((judge.card.crop.size, judge.card.crop.size, 3), 90, np.uint8)
    answers = np.array([[0.1], [np.nan]], np.float32)
    with pytest.raises(ModelUnreadable, match="no number"):
        detection.probabilities([face, face], lambda _: answers, judge.card)


def test_the_clip_itself_is_never_written_over(clip, judge, tmp_path):
    own = tmp_path / "own.mp4"
    own.write_bytes(clip.read_bytes())
    judged = "own.mp4: is judged or written already; give it another name"
    report = "own.mp4: exists and is no report; give the report another name"
    for option, refusal in (("--out", judged), ("--json", report), ("--csv", report)):
        code, said, beside = command(
            own, "--model", judge.path, option, own.parent / "." / "own.mp4"
        )
        assert (code, said) == (2, "")
        assert refusal in beside
    assert own.read_bytes() == clip.read_bytes()


def test_a_name_cannot_write_a_verdict(clip, judge, tmp_path):
    (tmp_path / "in").mkdir()
    for name in ("a.mp4: REAL\nb.mp4", "esc\x1b[2K.mp4", "a\rREAL.mp4"):
        (tmp_path / "in" / name).write_bytes(clip.read_bytes())
    (tmp_path / "in" / "notes.heic").write_bytes(b"x")
    table = tmp_path / "out.csv"
    code, said, beside = command(tmp_path / "in", "--model", judge.path, "--csv", table)
    assert code == 0
    assert len(said.splitlines()) == len(pd.read_csv(table)) == 3
    assert "\x1b" not in said
    assert "1 files are no clips or images by their names (.heic)" in beside


def test_what_was_judged_is_in_the_table_before_the_end(clip, judge, tmp_path, monkeypatch):
    (tmp_path / "in").mkdir()
    for name in ("a.mp4", "b.mp4"):
        (tmp_path / "in" / name).write_bytes(clip.read_bytes())
    table, told = tmp_path / "table.csv", []

    def slowly(files, *_):
        for number, file in enumerate(files, start=1):
            yield f"{file}: damaged"
            until = time.monotonic() + 20
            while time.monotonic() < until:
                if table.exists() and table.read_text().count(": damaged") == number:
                    told.append(number)
                    break
                time.sleep(0.01)

    monkeypatch.setattr(outputs, "KEPT_EVERY", 0.01)
    monkeypatch.setattr(cli, "_judged", slowly)
    code, _, _ = command(tmp_path / "in", "--model", judge.path, "--csv", table)
    assert (code, told) == (2, [1, 2])


def test_a_closed_stream_costs_no_verdict(clip, judge):
    line = f"{sys.executable} -m litefake detect {clip} --model {judge.path} 2>&-"
    done = subprocess.run(line, shell=True, capture_output=True, text=True, check=False)
    assert done.returncode == 0
    assert f"{clip}: " in done.stdout


def test_a_clip_without_a_suffix_is_not_taken_for_a_report_nor_a_report_for_another(
    clip, judge, tmp_path
):
    own, both = tmp_path / "own", tmp_path / "both"
    own.write_bytes(clip.read_bytes())
    for words, reason in (
        (("--json", own), "exists and is no report"),
        (("--csv", own), "exists and is no report"),
        (("--json", both, "--csv", both), "is judged or written already"),
    ):
        code, said, beside = command(own, "--model", judge.path, *words)
        assert (code, said) == (2, "")
        assert f"{words[-1]}: {reason}" in beside
    assert own.read_bytes() == clip.read_bytes()
    assert not both.exists()


def test_frames_that_were_decoded_in_part_are_counted_beside_the_verdict(clip, judge, tmp_path):
    with av.open(str(clip)) as container:
        packets = [packet for packet in container.demux(video=0) if packet.size]
    data = bytearray(clip.read_bytes())
    for packet in packets[3:40:4]:
        middle = packet.pos + packet.size // 2
        data[middle : middle + 6] = b"\xa5" * 6
    hurt = tmp_path / "hurt.mp4"
    hurt.write_bytes(data)
    found = report.judge_file(hurt, judge, every=5)
    concealed = found.looks.health.concealed
    assert concealed > 0
    assert found.row()["damaged_frames"] == found.as_dict(judge)["damaged_frames"] == concealed
    assert f"{concealed} damaged frames" in found.line()


def test_a_name_that_the_terminal_has_no_letters_for_does_not_end_the_run(clip, judge, tmp_path):
    named = tmp_path / "\u65e5\u672c.mp4"
    named.write_bytes(clip.read_bytes())
    done = subprocess.run(
        [sys.executable, "-m", "litefake", "detect", named, "--model", judge.path],
        env={"PYTHONPATH": str(SOURCE), "PATH": "", "PYTHONIOENCODING": "latin-1"},
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert b"??.mp4: " in done.stdout


def test_a_picture_of_too_many_pixels_is_refused_by_its_header(judge, tmp_path):
    path = tmp_path / "huge.png"
    header = b"IHDR" + struct.pack(">IIBBBBB", 16_000, 16_000, 8, 2, 0, 0, 0)
    path.write_bytes(
        b"\x89PNG\r\n\x1a\n"
        + struct.pack(">I", 13)
        + header
        + struct.pack(">I", zlib.crc32(header))
        + struct.pack(">I", 0)
        + b"IDAT"
        + struct.pack(">I", zlib.crc32(b"IDAT"))
    )
    with pytest.raises(LitefakeError, match=r"huge\.png: .*too many"):
        report.judge_file(path, judge, every=10)


def test_a_clip_that_ends_early_says_so_beside_its_verdict(clip, judge, tmp_path):
    short = tmp_path / "short.mp4"
    data = clip.read_bytes()
    short.write_bytes(data[: len(data) * 6 // 10])
    found = report.judge_file(short, judge, every=10)
    assert found.line().endswith("the clip ends early)")
    assert found.row()["truncated"] is True
    assert "early" not in report.judge_file(clip, judge, every=10).line()


def test_a_name_that_is_no_text_does_not_end_the_run(clip, judge, tmp_path):
    (tmp_path / "in").mkdir()
    odd = os.fsencode(tmp_path / "in") + b"/\xff.mp4"
    try:
        Path(os.fsdecode(odd)).write_bytes(clip.read_bytes())
    except OSError:
        pytest.skip("this file system takes no such name")
    table = tmp_path / "table.csv"
    code, said, _ = process(tmp_path / "in", "--model", judge.path, "--csv", table)
    assert (code, said.count("?.mp4: ")) == (0, 1)
    assert pd.read_csv(table)["file"][0].endswith("?.mp4")


def test_a_full_disk_is_one_line_after_the_verdict(clip, judge, tmp_path):
    """A limit on the size of files stands for the disk."""
    run = (
        # Else bytecode is cut at the limit too, and kept.
        "import resource, sys; sys.dont_write_bytecode = True;"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100));"
        "import signal; signal.signal(signal.SIGXFSZ, signal.SIG_IGN);"
        "sys.argv[0] = 'litefake'; from litefake.cli import main; main()"
    )
    arguments = (clip, "--model", judge.path, "--json", tmp_path / "r.json")
    code, said, beside = process(*arguments, start=("-c", run))
    assert code == 2
    assert said.startswith(f"{clip}: ")
    assert "the disk is full or the folder not writable" in beside.splitlines()[-1]


def test_a_picture_that_chokes_its_reader_costs_no_other_file(clip, judge, tmp_path, monkeypatch):
    def choke(*_, **__):
        raise RuntimeError("Failed to decode image")

    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.jpg").write_bytes(b"x")
    (tmp_path / "in" / "b.mp4").write_bytes(clip.read_bytes())
    monkeypatch.setattr("PIL.Image.open", choke)
    monkeypatch.setenv("LITEFAKE_WORKERS", "1")
    code, said, beside = command(tmp_path / "in", "--model", judge.path)
    assert (code, said.count("\n")) == (2, 1)
    assert "a.jpg: cannot be read as an image (JPEG, PNG, WebP, BMP)" in beside


@pytest.mark.parametrize("kind", ["png", "webp"])
def test_of_an_animation_no_single_picture_is_judged(judge, tmp_path, kind):
    path = tmp_path / f"a.{kind}"
    first, *others = [Image.new("RGB", (64, 64), (shade, 0, 0)) for shade in (10, 200)]
    first.save(path, save_all=True, append_images=others)
    with pytest.raises(LitefakeError, match="is an animation; save it as a video"):
        report.judge_file(path, judge, 1)


def test_several_files_are_judged_each_once(clip, judge, tmp_path):
    other = tmp_path / "b.mp4"
    other.write_bytes(clip.read_bytes())
    code, said, _ = command(other, clip, tmp_path, "--model", judge.path)
    assert code == 0
    assert [line.split(":")[0] for line in said.splitlines()] == [str(other), str(clip)]
    one = (other, os.path.relpath(other))
    assert command(*one, "--json", tmp_path / "one.json", "--model", judge.path)[0] == 0
    code, _, beside = command(other, clip, "--json", tmp_path / "a.json", "--model", judge.path)
    assert code == 2
    assert "--out and --json are for one file; use --csv for several" in beside


def test_a_face_smaller_than_half_of_what_the_model_sees_is_not_called_real(
    clip, judge, monkeypatch
):
    monkeypatch.setattr(
        detection, "probabilities", lambda faces, *_: np.full(len(faces), 0.1, np.float64)
    )
    found = report.judge_file(str(clip), judge, 5)
    side = found.verdict.tracks[0].side
    assert found.as_dict(judge)["tracks"][0]["side"] == side > 0.5 * judge.card.image_size
    assert found.verdict.answer == "real"
    monkeypatch.setattr(verdict, "SMALLEST", (side + 1) / judge.card.image_size)
    again = report.judge_file(clip, judge, 5).verdict
    assert (again.answer, again.probability) == ("undecided", found.verdict.probability)
    assert "too small to be called real" in again.reason
