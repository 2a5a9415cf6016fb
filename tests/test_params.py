from pathlib import Path

import pytest
import yaml

from litefake import params, preflight, reproducibility
from litefake.errors import LitefakeError, ParamsInvalid
from litefake.pruning import PruneParams
from litefake.recipe import Recipe
from tests.conftest import RECIPE

ROOT = Path(__file__).resolve().parent.parent
PROFILES = sorted((ROOT / "profiles").glob("*.yaml"))


def write(path: Path, recipe: dict) -> Path:
    file = path / "params.yaml"
    file.write_text(yaml.safe_dump({"train": recipe}), encoding="utf-8")
    return file


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"learning": 1}, "train.learning: is not a known key, got"),
        ({"epochs": "ten"}, "train.epochs: must be a valid integer, got 'ten'"),
        ({"epochs": 2.0}, "train.epochs: must be a valid integer, got 2.0"),
        ({"epochs": True}, "train.epochs: must be a valid integer, got True"),
        ({"epochs": -1}, "train.epochs: must be greater than or equal to 0, got -1"),
        ({"lr": "3e-4"}, "write 3.0e-4, not 3e-4"),
        ({"optimizer": "lion"}, "train.optimizer: must be 'sgd', 'adam' or 'adamw', got 'lion'"),
        ({"patience": None}, "train.patience: must be a valid integer, got None"),
    ],
)
def test_a_bad_value_is_one_line_that_names_it(tmp_path, change, expected):
    file = write(tmp_path, RECIPE | change)
    with pytest.raises(ParamsInvalid) as caught:
        params.section("train", Recipe, file)
    assert str(caught.value).startswith(f"{file}, ")
    assert expected.removesuffix(", got") in str(caught.value)
    assert "\n" not in str(caught.value)


def test_values_that_do_not_go_together_are_one_line_without_the_whole_section(tmp_path):
    loaded = params.read(ROOT / "params.yaml")
    loaded["prune"]["max_pruning_ratio"] = 0.2
    file = tmp_path / "params.yaml"
    file.write_text(yaml.safe_dump(loaded), encoding="utf-8")
    with pytest.raises(ParamsInvalid) as caught:
        params.section("prune", PruneParams, file)
    assert str(caught.value).startswith(f"{file}, prune: ratio 0.35 cannot be reached")
    assert str(caught.value).endswith("losing more than 0.2")


def test_a_missing_key_and_a_missing_section_are_named(tmp_path):
    without = {key: value for key, value in RECIPE.items() if key != "lr"}
    file = write(tmp_path, without)
    with pytest.raises(ParamsInvalid, match="train.lr: is missing"):
        params.section("train", Recipe, file)
    with pytest.raises(ParamsInvalid, match="finetune: section is missing"):
        params.section("finetune", Recipe, file)


@pytest.mark.parametrize("text", ["- a list\n", "a: [1\n", ""])
def test_a_file_that_is_no_mapping_is_refused(tmp_path, text):
    file = tmp_path / "params.yaml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(ParamsInvalid, match=r"params\.yaml"):
        params.read(file)


def test_a_key_given_twice_is_refused(tmp_path):
    file = tmp_path / "params.yaml"
    file.write_text("train: {lr: 1.0}\nb0: {}\ntrain: {lr: 2.0}\n", encoding="utf-8")
    with pytest.raises(ParamsInvalid, match="train is given twice, again in line 3"):
        params.read(file)


def test_an_absent_file_says_where_to_run(tmp_path):
    with pytest.raises(ParamsInvalid, match="run from the repository's root"):
        params.read(tmp_path / "params.yaml")


@pytest.mark.parametrize("file", [ROOT / "params.yaml", *PROFILES], ids=lambda file: file.name)
def test_every_profile_is_valid_and_has_the_same_keys(file):
    def keys(values, prefix=""):
        for key, value in values.items():
            yield prefix + key
            # A sampling rule is one of three keys, so it may differ.
            if isinstance(value, dict) and prefix + key not in ("frames.real", "frames.fake"):
                yield from keys(value, f"{prefix}{key}.")

    loaded = params.read(file)
    assert set(loaded) == set(preflight.SECTIONS)
    assert set(keys(loaded)) == set(keys(params.read(ROOT / "params.yaml")))
    for name, kind in preflight.SECTIONS.items():
        params.section(name, kind, file)


def test_the_check_finds_a_typo_in_any_section_and_an_unknown_section(tmp_path):
    good = params.read(ROOT / "params.yaml")
    file = tmp_path / "params.yaml"
    for bad, expected in (
        (good | {"prune": good["prune"] | {"ratoi": 0.3}}, "prune.ratoi: is not a known key"),
        (good | {"prunes": {}}, "prunes: is not a known section"),
        (
            good | {"prune": good["prune"] | {"ratio": 1.4}},
            "prune.ratio: must be less than 1, got 1.4",
        ),
        (
            good | {"benchmark": good["benchmark"] | {"models": ["b0", "lite0"]}},
            "benchmark.models: lacks dual, .*tools.run_profile NAME",
        ),
        (
            good | {"dataset": {k: v for k, v in good["dataset"].items() if k != "also"}},
            r"dataset\.also: is missing",
        ),
    ):
        file.write_text(yaml.safe_dump(bad), encoding="utf-8")
        with pytest.raises(LitefakeError, match=expected):
            preflight.check(file, tmp_path / "manifest.csv")


def test_a_text_is_a_text(tmp_path):
    file = tmp_path / "params.yaml"
    file.write_text("dataset: {root: null, name: a}\n", encoding="utf-8")
    assert params.text("dataset.name", file) == "a"
    with pytest.raises(ParamsInvalid, match=r"dataset\.root: must be a text, got None"):
        params.text("dataset.root", file)


@pytest.mark.parametrize("name", ["gpu", ""])
def test_a_device_that_torch_does_not_know_is_one_line(monkeypatch, name):
    monkeypatch.setenv("LITEFAKE_DEVICE", name)
    with pytest.raises(ParamsInvalid, match=f"LITEFAKE_DEVICE={name}: no device of torch"):
        reproducibility.device()
