"""``litefake evaluate``: what it scores, what it counts, and what it writes."""

import json
import re
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from litefake import (
    cli,
    detection,
    discovery,
    errors,
    evaluation,
    evaluation_report,
    images,
    manifest,
    models,
    report,
)
from litefake.errors import DataMissing, LitefakeError, ParamsInvalid
from litefake.manifest import DatasetParams
from litefake.scoreboard import Resampling
from tests.clips import draw_face, write_clip
from tests.conftest import SIZE

ROOT = Path(__file__).resolve().parent.parent
REALS = "original_sequences/youtube/c23/videos"
FAKES = "manipulated_sequences/Deepfakes/c23/videos"


@pytest.fixture(autouse=True, scope="module")
def _one_process():
    """To start a process takes seconds, to judge these clips does not."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LITEFAKE_WORKERS", "1")
        yield


@pytest.fixture(scope="module")
def judge(student, tmp_path_factory):
    model, card = student
    file = tmp_path_factory.mktemp("model") / "student.safetensors"
    models.save(model, card, file)
    return report.Judge.load(file)


@pytest.fixture(scope="module")
def clips(tmp_path_factory):
    """FaceForensics++ in small: two reals, one of them without a face, a fake, a broken file."""
    root = tmp_path_factory.mktemp("clips")
    face = draw_face()
    moving = [np.roll(face, number, axis=1) for number in range(20)]
    # Two faces in every frame, the left one bigger.
    two = [np.hstack([draw_face(240, 200, 140), draw_face(240, 200, 100)])] * 20
    empty = [np.full_like(face, 90)] * 10
    write_clip(root / REALS / "000.mp4", moving + empty)
    write_clip(root / REALS / "001.mp4", empty)
    write_clip(root / FAKES / "000_001.mp4", two)
    (root / FAKES / "001_000.mp4").write_bytes(b"no video")
    return root


@pytest.fixture(scope="module")
def crops(tmp_path_factory):
    """Ready crops that are no squares, one of them damaged, in parts."""
    root = tmp_path_factory.mktemp("crops")
    random = np.random.default_rng(0)
    for split in ("train", "test"):
        for method in ("youtube", "A", "B"):
            for number in range(3):
                crop = random.integers(0, 256, (40, 50, 3), dtype=np.uint8)
                images.write(root / split / method / f"{number}.png", crop)
    (root / "test/A/2.png").write_bytes(b"no image")
    return root


def outcome_of(root, judge, split=None, **options):
    data = discovery.describe(root)
    rows, _ = evaluation.part_of(manifest.list_videos(data), split)
    return evaluation.evaluate(rows, root, data.layout, judge, **{"every": 5, **options})


@pytest.fixture(scope="module")
def seen(clips, judge):
    return outcome_of(clips, judge)


def command(*arguments):
    return CliRunner().invoke(cli.app, ["evaluate", *map(str, arguments)])


def test_a_clip_is_scored_as_detect_scores_it(seen, clips, judge):
    path = f"{FAKES}/000_001.mp4"
    alone = report.judge_file(clips / path, judge, every=5)
    ours = seen.faces[seen.faces["path"] == path].reset_index(drop=True)
    theirs = pd.DataFrame(alone.looks.faces)
    pd.testing.assert_frame_equal(ours[evaluation.FACE], theirs[evaluation.FACE])
    assert set(ours["label"]) == {1}
    answers = seen.answers.set_index("path")["answer"]
    assert answers[path] == alone.verdict.answer


def test_a_frame_has_one_score_that_of_its_biggest_face(seen):
    two = seen.faces[seen.faces["label"] == 1]
    assert set(two.groupby("frame").size()) == {2}
    for _, rows in two.groupby("frame"):
        assert rows.loc[rows["biggest"], "side"].item() == rows["side"].max()
    scores = seen.frame_scores()
    assert not scores.duplicated(["key", "frame"]).any()
    assert len(scores) == len(seen.faces.drop_duplicates(["key", "frame"]))


def test_everything_that_was_not_scored_is_counted_and_named(seen):
    counts = seen.counts()
    assert counts["files"] == 4
    assert list(counts["unreadable"]) == [f"{FAKES}/001_000.mp4"]
    assert counts["files_without_face"] == [f"{REALS}/001.mp4"]
    assert counts["frames"] - counts["frames_without_face"] == len(seen.frame_scores())
    assert counts["frames_without_face"] > len(range(0, 10, 5))
    assert counts["faces"] - counts["faces_not_biggest"] == len(seen.frame_scores())
    assert counts["faces_not_biggest"] > 0
    assert set(seen.answers["answer"]) >= {"undecided"}  # the clip without a face


def test_ready_crops_are_scored_whole_at_the_models_size(crops, judge):
    seen = outcome_of(crops, judge, "test")
    assert list(seen.unreadable) == ["test/A/2.png"]
    assert len(seen.faces) == 8
    row = seen.faces[seen.faces["path"] == "test/B/1.png"].iloc[0]
    assert row["side"] == 50
    padded = np.pad(images.read(crops / "test/B/1.png"), ((5, 5), (0, 0), (0, 0)), "edge")
    wanted = detection.probabilities([evaluation.cut(padded, evaluation.whole(padded), SIZE)],
                                     judge.model, judge.card)  # fmt: skip
    assert row["probability"] == pytest.approx(wanted[0], abs=1e-4)  # another batch


def test_the_test_part_is_taken_unless_another_is_named(crops, clips):
    listing = manifest.list_videos(discovery.describe(crops))
    rows, part = evaluation.part_of(listing, None)
    assert (len(rows), part) == (9, "test")
    assert set(rows["given_split"]) == {"test"}
    assert len(evaluation.part_of(listing, "all")[0]) == 18
    with pytest.raises(DataMissing, match="no part val; there is test, train"):
        evaluation.part_of(listing, "val")
    without = manifest.list_videos(discovery.describe(clips))
    assert evaluation.part_of(without, None)[1] == "all"
    with pytest.raises(DataMissing, match="names no parts .*; use --split all"):
        evaluation.part_of(without, "test")


def test_a_crop_that_would_be_too_large_a_square_is_named_and_the_others_are_scored(
    crops, judge, tmp_path
):
    shutil.copytree(crops, tmp_path / "crops")
    images.write(tmp_path / "crops/test/B/0.png", np.zeros((1, 20_000, 3), np.uint8))
    outcome = outcome_of(tmp_path / "crops", judge)
    assert outcome.unreadable["test/B/0.png"].endswith("test/B/0.png: a side of more than 8192 px")
    assert len(outcome.faces) == 7


def test_when_nothing_can_be_scored_the_reason_is_said(tmp_path, judge):
    for split in ("train", "test"):
        for method in ("youtube", "A"):
            (tmp_path / split / method).mkdir(parents=True)
            (tmp_path / split / method / "1.png").write_bytes(b"no image")
    with pytest.raises(DataMissing, match=r"nothing could be scored: .*1\.png: cannot be read"):
        outcome_of(tmp_path, judge)


def test_the_command_writes_json_csv_and_a_table(crops, judge, tmp_path):
    out, faces = tmp_path / "out.json", tmp_path / "faces.csv"
    done = command(crops, "--model", judge.path, "--json", out, "--csv", faces, "--bootstrap", 20)
    assert done.exit_code == 2, done.output  # one file is unreadable, and the figures are there
    figures = json.loads(out.read_text())
    assert list(pd.read_csv(faces)) == [*evaluation.CLIP, *evaluation.FACE, "biggest"]
    assert figures["schema"] == evaluation_report.SCHEMA
    assert figures["data"]["part"] == "test"
    assert figures["counts"]["files_left_out"] == 9
    assert figures["frames"]["all"]["real"] == 3
    assert figures["frames"]["all"]["fake"] == 5
    assert list(figures["frames"]["methods"]) == ["A", "B"]
    assert figures["videos"] is None
    assert figures["answers"] is None
    assert figures["threshold"] == judge.card.threshold
    assert len(pd.read_csv(faces)) == 8
    for said in ("by frame", "false alarms on reals", "too narrow", "1 unreadable files",
                 "9 files of other parts", "A/2.png: cannot be read as an image"):  # fmt: skip
        assert said in done.output
    assert "by video" not in done.output


def test_the_text_of_clips_tells_videos_and_answers(seen, judge, clips):
    data = discovery.describe(clips)
    figures = evaluation_report.as_dict(seen, judge, data, "all", Resampling(20))
    text = evaluation_report.text(figures)
    for said in ("by video", "what litefake detect answers", "whole people are resampled",
                 "without any face: original_sequences"):  # fmt: skip
        assert said in text
    assert figures["videos"]["all"]["real"] == 1  # the other gave no face, and is named
    assert sum(figures["answers"]["real"].values()) == 2


def test_portraits_alone_give_a_false_alarm_rate(tmp_path, judge):
    images.write(tmp_path / "faces" / "ann.png", draw_face())
    images.write(tmp_path / "faces" / "bo.png", draw_face(side=100))
    out = tmp_path / "out.json"
    root = tmp_path / "faces"
    done = command(root, "--layout", "portraits", "--model", judge.path, "--json", out)
    assert done.exit_code == 0, done.output
    figures = json.loads(out.read_text())
    assert figures["data"]["layout"] == "portraits"
    assert figures["frames"]["reals"]["count"] == 2
    assert figures["frames"]["all"]["auc"] is None
    assert "n/a" in done.output


def test_missing_data_is_one_line_and_exit_code_2(tmp_path, capsys):
    arguments = ["evaluate", str(tmp_path / "nowhere")]
    with pytest.raises(SystemExit) as ended:
        errors.run(lambda: cli.app(arguments, standalone_mode=False))
    assert ended.value.code == 2
    message = capsys.readouterr().err
    assert message.startswith("error: ")
    assert "nowhere: no such folder" in message
    assert len(message.splitlines()) == 1


def test_every_key_of_the_json_is_documented(seen, judge, clips):
    page = (ROOT / "docs" / "evaluate.md").read_text(encoding="utf-8")
    documented = set(re.findall(r"`([a-z0-9_]+)`", page))
    data = discovery.describe(clips)
    figures = evaluation_report.as_dict(seen, judge, data, "all", Resampling(5))

    def keys(value, inside=""):
        if isinstance(value, dict):
            for key, item in value.items():
                if inside not in ("methods", "unreadable"):  # names of the data set
                    yield key
                yield from keys(item, key)

    assert set(keys(figures)) <= documented
    assert evaluation_report.SCHEMA in page


def test_an_evaluation_replaces_neither_itself_nor_a_list_of_the_data_set(crops, judge, tmp_path):
    both = tmp_path / "both.txt"
    twice = command(crops, "--model", judge.path, "--json", both, "--csv", both)
    assert isinstance(twice.exception, LitefakeError)
    assert "both.txt: is judged or written already" in str(twice.exception)
    (crops / "people.json").write_text("{}")
    lists = command(crops, "--model", judge.path, "--json", crops / "people.json")
    assert "people.json: exists in the data set; give the report another" in str(lists.exception)
    assert (crops / "people.json").read_text() == "{}"


def test_files_of_no_row_are_counted_by_their_kind(crops, judge, tmp_path):
    root = tmp_path / "set"
    shutil.copytree(crops, root)
    (root / "test" / "A" / "deeper").mkdir()
    (root / "test" / "A" / "deeper" / "3.png").write_bytes(b"")
    for name in ("readme", "notes.txt", "test/B/4.gif", "test/B/5.gif"):
        (root / name).write_text("")
    (root / "people.json").write_text("{}")
    out, faces = root / "out.json", root / "faces.csv"
    done = command(root, "--model", judge.path, "--json", out, "--csv", faces)
    counted = json.loads(out.read_text())["counts"]["files_passed_over"]
    assert counted == {".gif": 2, ".png": 1, ".txt": 1, "no suffix": 1}
    assert "where they lie: 2 .gif, 1 .png, 1 .txt, 1 no suffix" in done.output


def test_a_stopped_evaluation_leaves_the_faces_of_the_files_that_were_done(
    crops, judge, tmp_path, monkeypatch
):
    faces, score = tmp_path / "faces.csv", detection.probabilities
    seen = []

    def stop_at_the_third(*arguments):
        seen.append(arguments)
        if len(seen) == 3:
            raise KeyboardInterrupt
        return score(*arguments)

    monkeypatch.setattr(detection, "BATCH", 2)
    monkeypatch.setattr(detection, "probabilities", stop_at_the_third)
    done = command(crops, "--model", judge.path, "--csv", faces)
    assert done.exit_code == 130
    assert len(pd.read_csv(faces)) == 3  # two and two files, one of them damaged


def test_a_compression_where_there_is_none_is_refused(crops, judge):
    done = command(crops, "--model", judge.path, "--compression", "c23")
    assert "--compression is of layout ffpp alone" in str(done.exception)


def test_a_data_set_may_be_measured_wherever_it_lies(crops, monkeypatch, tmp_path):
    """The folders that the pipeline empties concern the pipeline alone."""
    monkeypatch.chdir(tmp_path)
    shutil.copytree(crops, "data/videos/mine")
    data = discovery.describe(Path("data/videos/mine"))
    assert len(manifest.list_videos(data)) > 0
    with pytest.raises(ParamsInvalid, match="data/videos/mine lies in data/videos, which the pi"):
        manifest.require_outside(data)


def test_a_bomb_among_crops_is_never_decoded(crops, judge, tmp_path, monkeypatch):
    root = tmp_path / "set"
    shutil.copytree(crops, root)
    images.write(root / "test/B/1.png", np.zeros((300, 300, 3), np.uint8))
    decoded, read = [], images.read
    monkeypatch.setattr(images, "read", lambda path: decoded.append(path.name) or read(path))
    monkeypatch.setattr(detection, "MAX_PIXELS", 300 * 300 - 1)
    outcome = outcome_of(root, judge)
    assert "300x300 pixels are too many" in outcome.unreadable["test/B/1.png"]
    assert (outcome.frames, len(decoded)) == (7, 7)


def test_a_folder_says_that_its_people_are_not_known(tmp_path):
    data = DatasetParams(root=str(tmp_path), layout="folder", methods=["fake"])
    faces = pd.DataFrame({"person": ["a", "b"]})
    assert not evaluation_report._people_known(data, faces)
    named = {name: {"person": person} for name, person in (("1", "a"), ("2", "b"))}
    (tmp_path / "people.json").write_text(json.dumps(named))
    assert evaluation_report._people_known(data, faces)
    assert not evaluation_report._people_known(data, faces.assign(person=["a", "3"]))
    assert not evaluation_report._people_known(data.model_copy(update={"layout": "dfdc"}), faces)
