import json

import numpy as np
import pandas as pd
import pytest

from litefake import artifacts


def test_json_is_rounded_and_never_holds_nan(tmp_path):
    path = tmp_path / "deep" / "metrics.json"
    artifacts.write_json(
        path, {"a": np.float64(1 / 3), "b": [float("nan"), 2], "c": {"d": np.int64(4)}}
    )
    assert json.loads(path.read_text()) == {"a": 0.3333, "b": [None, 2], "c": {"d": 4}}
    assert path.read_text().endswith("}\n")


def test_csv_has_no_index_and_fixed_line_ends(tmp_path):
    path = tmp_path / "table.csv"
    artifacts.write_csv(path, pd.DataFrame({"x": [0.12345678], "name": ["a"]}))
    assert path.read_bytes() == b"x,name\n0.123457,a\n"


def test_a_failed_write_leaves_the_old_file_and_no_other(tmp_path):
    path = tmp_path / "result.txt"
    path.write_text("old")
    with pytest.raises(RuntimeError), artifacts.replacing(path) as temporary:
        temporary.write_text("half of the new")
        raise RuntimeError
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_the_digest_is_that_of_the_content(tmp_path):
    path = tmp_path / "empty"
    path.write_bytes(b"")
    assert artifacts.digest(path).startswith("e3b0c44298fc1c149afbf4c8996fb924")


def test_a_name_that_is_no_text_is_written_with_a_question_mark(tmp_path):
    artifacts.write_json(tmp_path / "a.json", {"file": "\udcff.mp4"})
    artifacts.write_csv(tmp_path / "a.csv", pd.DataFrame({"file": ["\udcff.mp4"]}))
    assert json.loads((tmp_path / "a.json").read_text(encoding="utf-8")) == {"file": "?.mp4"}
    assert (tmp_path / "a.csv").read_text(encoding="utf-8") == "file\n?.mp4\n"


def test_the_longest_name_that_a_folder_takes_is_written(tmp_path):
    name = "a" * 250 + ".json"
    artifacts.write_json(tmp_path / name, {})
    assert [path.name for path in tmp_path.iterdir()] == [name]
