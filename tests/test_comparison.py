import numpy as np
import pandas as pd
import pytest
import torch

from litefake import comparison, footprint, latency, models, plots
from litefake.comparison import BenchmarkParams, Finished
from litefake.latency import LatencyParams
from tests.conftest import new_model

LATENCY = LatencyParams(threads=1, warmup=1, repeats=3)
PARAMS = BenchmarkParams(models=["b0"], bootstrap_samples=20, bootstrap_seed=0, latency=LATENCY)


def scores(named=True):
    random = np.random.default_rng(0)
    labels = np.tile([0, 1], 24)
    people = np.repeat([f"{n:03}" for n in range(6)], 8)
    return pd.DataFrame(
        {
            "label": labels,
            "method": np.where(labels == 1, "FaceSwap", "youtube"),
            "control": (np.arange(48) % 8) == 0,
            "person": people if named else "",
            "key": np.where(labels == 1, "FaceSwap/", "youtube/") + people,
            "probability": np.clip(0.3 + 0.3 * labels + random.normal(0, 0.2, 48), 0, 1),
        }
    )


@pytest.fixture(scope="module")
def finished(crop, tmp_path_factory):
    folder = tmp_path_factory.mktemp("models")
    both = {}
    for name, architecture in (("b0", "efficientnet_b0"), ("lite0", "tf_efficientnet_lite0")):
        model, card = new_model(crop, architecture)
        models.save(model, card, folder / f"{name}.safetensors")
        both[name] = Finished(folder / f"{name}.safetensors", model, card, scores(), 0.0)
    return both


@pytest.fixture(scope="module")
def table_and_rows(finished):
    rows = {name: comparison.figures(one, PARAMS) for name, one in finished.items()}
    times = {"milliseconds": {"b0": 20.0, "lite0": 8.0}, "image_size": 32, "runtime": "eager"}
    times["machine"] = {"cpu": "a CPU", "threads": 1}
    return comparison.table(rows, times), rows, times


def test_every_model_has_the_same_figures(table_and_rows):
    _, rows, _ = table_and_rows
    assert set(rows["b0"]) == set(rows["lite0"])
    assert rows["b0"]["parameters"] == 4_008_829
    assert rows["lite0"]["faces"] == 48
    assert rows["lite0"]["videos"] == 12
    assert rows["lite0"]["identities"] == 6
    assert rows["lite0"]["majority_baseline"] == 0.5


def test_an_interval_holds_its_figure(table_and_rows):
    _, rows, _ = table_and_rows
    for name in ("accuracy", "auc", "video_auc"):
        low, high = rows["b0"]["intervals_95"][name]
        assert low <= rows["b0"][name] <= high


def test_without_people_there_is_no_video_figure_but_a_reason(finished):
    row = comparison.figures(finished["b0"]._replace(scores=scores(named=False)), PARAMS)
    assert row["video_auc"] is row["videos"] is row["identities"] is None
    assert set(row["intervals_95"].values()) == {None}
    assert "names no people" in row["intervals_null_because"]
    assert row["auc"] > 0.5


def test_the_table_has_the_promised_columns_and_speed_is_against_the_first(table_and_rows):
    table, _, _ = table_and_rows
    wanted = "model prune_ratio accuracy auc video_auc parameters macs_m size_mb cpu_ms speedup"
    assert set(wanted.split()) <= set(table.columns)
    assert table["speedup"].tolist() == [1.0, 2.5]


def test_the_markdown_says_what_guessing_scores_and_whose_time_it_is(table_and_rows):
    text = comparison.markdown(*table_and_rows)
    assert "| b0 | 0.00 |" in text
    assert "always answering the larger class scores 50.0 %" in text
    assert "12 clips and 6 people" in text
    assert "a CPU" in text
    assert "| accuracy (%) on | FaceSwap | control | youtube |" in text


def test_latency_takes_turns_and_leaves_the_thread_count():
    calls = []

    class Spy(torch.nn.Module):
        def __init__(self, name):
            super().__init__()
            self.name = name

        def forward(self, image):
            calls.append((self.name, tuple(image.shape), torch.get_num_threads()))
            return image

    # The session's one thread may have been changed by a test before this one.
    torch.set_num_threads(3)
    params = LatencyParams(threads=2, warmup=1, repeats=3)
    times = latency.cpu_milliseconds({"a": Spy("a"), "b": Spy("b")}, 32, params)
    assert calls == [(name, (1, 3, 32, 32), 2) for _ in range(4) for name in "ab"]
    assert set(times) == {"a", "b"}
    assert all(value > 0 for value in times.values())
    assert torch.get_num_threads() == 3


def test_plots_are_written_as_data_and_pictures(table_and_rows, tmp_path):
    table, _, _ = table_and_rows
    both = {"b0": scores(), "lite0": scores()}
    plots.write(tmp_path, table, both, {"b0": 0.5, "lite0": 0.4}, 0.5)
    pictures = {path.name for path in tmp_path.glob("*.png")}
    assert pictures == {"roc.png", "confusion.png", "reliability.png", "accuracy_latency.png"}
    for model in both:
        curve = pd.read_csv(tmp_path / "roc" / f"{model}.csv")
        assert curve["true_positive_rate"].is_monotonic_increasing
        assert curve["false_positive_rate"].iloc[[0, -1]].tolist() == [0, 1]
        assert len(pd.read_csv(tmp_path / "confusion" / f"{model}.csv")) == 48
        assert len(pd.read_csv(tmp_path / "latency" / f"{model}.csv")) == 1
    first = (tmp_path / "roc.png").read_bytes()
    plots.write(tmp_path, table, both, {"b0": 0.5, "lite0": 0.4}, 0.5)
    assert (tmp_path / "roc.png").read_bytes() == first


def test_macs_of_one_layer_are_counted_by_hand():
    layer = torch.nn.Sequential(torch.nn.Conv2d(3, 8, 3, stride=2, padding=1, groups=1))
    assert footprint.macs(layer, 16) == 8 * 8 * 8 * 27
    assert layer.training


def test_several_data_sets_have_a_table_of_their_own(finished):
    both = scores().assign(dataset=np.repeat(["celebdf", "ffpp"], 24))
    row = comparison.figures(finished["b0"]._replace(scores=both), PARAMS)
    assert set(row["per_dataset"]) == {"celebdf", "ffpp"}
    assert row["per_dataset"]["ffpp"]["faces"] == 24
    times = {"milliseconds": {"b0": 20.0}, "image_size": 32, "runtime": "eager"}
    times["machine"] = {"cpu": "a CPU", "threads": 1}
    text = comparison.markdown(comparison.table({"b0": row}, times), {"b0": row}, times)
    assert "| AUC (%) on | celebdf | ffpp |" in text
    assert "per_dataset" not in comparison.figures(finished["b0"], PARAMS)
