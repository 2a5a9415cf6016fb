"""The models that were trained on an FF++ subset: their differences from B0, and their table."""

import json
import shutil

import pytest
from sklearn.metrics import roc_auc_score

from tests.commands import run_tool
from tests.test_paired import SETTINGS, scored
from tools import subset_chain, subset_tables
from tools.pipeline import ROOT

METHODS = ["Deepfakes", "FaceSwap"]


def scores(seed, skill):
    table = scored(seed, skill)
    names = [
        METHODS[place // 2 % 2] if label else "youtube"
        for place, label in enumerate(table["label"])
    ]
    return table.assign(method=names)


def auc(table, method):
    rows = table[(table["label"] == 0) | (table["method"] == method)]
    return roc_auc_score(rows["label"], rows["probability"])


def test_a_difference_of_one_method_is_of_its_fakes_and_all_reals():
    b0, lite0 = scores(0, 1.0), scores(1, 2.0)
    found = subset_chain.differences({"b0": b0, "lite0": lite0}, SETTINGS)
    assert list(found) == ["lite0"]
    assert list(found["lite0"]) == ["all", *METHODS]
    for method in METHODS:
        one = found["lite0"][method]
        assert one["difference"] == pytest.approx(auc(lite0, method) - auc(b0, method))
        assert one["low"] < one["difference"] < one["high"]


def test_the_table_has_a_row_a_model_and_b0_is_compared_with_nothing():
    frames = {
        "all": {"auc": 0.81, "auc_interval": [0.8, 0.82]},
        "methods": {"FaceSwap": {"auc": 0.7}},
    }
    apart = {"prune_kd": {}, "prune_kd_int8": {}}
    for one in apart.values():
        one["all"] = {"difference": -0.01, "low": -0.02, "high": 0.001}
    files = {
        "metrics/evaluate/ffpp_faces/differences.json": apart,
        "metrics/profiles/ffpp_faces/train_b0.json": {"val_auc": 0.9},
        "metrics/profiles/ffpp_faces/prune_kd.json": {"val_auc": 0.91},
        "metrics/profiles/ffpp_faces/export.json": {"prune_kd": {"int8": {"auc": 0.92}}},
    }
    for name in ("b0", *apart):
        files[f"metrics/evaluate/ffpp_faces/{name}.json"] = {"frames": frames}
        size = {"parameters": 1234567, "size_mb": 2.0}
        files[f"metrics/profiles/ffpp_faces/benchmark/{name}.json"] = size
    table = subset_tables.supervised(lambda name: json.dumps(files[name])).splitlines()
    assert len({line.count("|") for line in table}) == 1
    assert table[2] == "| b0 | 1,234,567 | 2.00 | 0.900 | 0.810 | 0.800 to 0.820 | 0.700 |  |  |"
    assert table[4].startswith("| prune_kd_int8 | 1,234,567 | 2.00 | 0.920 | ")
    assert table[4].endswith(" | -0.010 | -0.020 to +0.001 |")


def frames(auc, rate):
    return {
        "all": {"auc": auc, "auc_interval": [auc - 0.1, auc + 0.1], "detected": 0.5},
        "methods": {"FaceSwap": {"auc": auc - 0.2}},
        "reals": {"rate": rate},
    }


def test_seeds_stand_side_by_side_with_mean_and_deviation():
    def read(path):
        seed = next((seed for seed in (1, 2) if f"portraits_seed{seed}/" in path), 0)
        return json.dumps({"frames": frames([0.71, 0.73, 0.75][seed], [0.05, 0.06, 0.1][seed])})

    table = subset_tables.seeds(read).splitlines()
    assert len({line.count("|") for line in table}) == 1
    row = "0.710 | 0.730 | 0.750 | 0.730 ± 0.020 | 0.530 ± 0.020 | 7.0 ± 2.6 % |"
    assert table[2] == f"| test | b0 | {row}"
    assert table[-1] == f"| train | prune_kd_int8 | {row}"


def test_each_start_of_the_fine_tuning_has_its_own_rows():
    def read(path):
        if path.endswith(".training.json"):
            return json.dumps({"val_auc": 0.95})
        return json.dumps({"frames": frames(0.9 if "finetune_seed" in path else 0.8, 0.25)})

    table = subset_tables.finetuned(read).splitlines()
    assert len({line.count("|") for line in table}) == 1
    last = "0.950 | 0.800 | 0.700 to 0.900 | 0.600 | 50% | 25% |"
    assert table[2].startswith("| portraits | 1 | 0.950 | 0.900 |")
    assert table[-1] == f"| ImageNet | 1 | {last}"


def test_without_the_run_one_line_says_which_command_makes_it(tmp_path):
    (tmp_path / "profiles").mkdir()
    shutil.copy(ROOT / "profiles" / "ffpp_faces.yaml", tmp_path / "profiles")
    done = run_tool("subset_chain", cwd=tmp_path)
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert "run `make ffpp-faces`" in done.stderr
