"""Data that tests share: a tiny split of drawn faces that a network can learn."""

import os
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import HealthCheck, settings

from litefake import dataset, onnx_export, starting
from litefake.checkpoints import Run
from litefake.dataset import TrainVal
from litefake.faces import CropParams
from litefake.recipe import Recipe

# How long an example takes says nothing of it: the machine may have other work.
SLOW = [HealthCheck.too_slow]
settings.register_profile("any_machine", deadline=None, suppress_health_check=SLOW)
settings.load_profile("any_machine")

SIZE = 32
CROP = {
    "scale_factor": 1.1,
    "min_neighbors": 5,
    "min_size": 0.2,
    "detection_width": 640,
    "margin": 0.3,
    "size": SIZE,
    "format": "png",
    "quality": 95,
}
RECIPE = {
    "epochs": 2,
    "patience": 5,
    "batch_size": 8,
    "optimizer": "adam",
    "lr": 1e-3,
    "weight_decay": 0.0,
    "momentum": 0.9,
    "schedule": "none",
    "warmup_epochs": 0.0,
    "averaging": 0.0,
}


def pytest_sessionfinish(session: pytest.Session) -> None:
    """In CI a skipped test is a failed one: the tool that it lacks must be installed."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if os.environ.get("CI") and reporter is not None and reporter.stats.get("skipped"):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The file that takes minutes goes first: last, it would keep one process waiting for it."""
    items.sort(key=lambda item: item.path.name != "test_profiles.py")


@pytest.fixture(autouse=True, scope="session")
def _one_thread() -> None:
    torch.set_num_threads(1)


@pytest.fixture(scope="session")
def crop() -> CropParams:
    return CropParams.model_validate(CROP)


@pytest.fixture
def recipe() -> Recipe:
    return Recipe.model_validate(RECIPE)


@pytest.fixture(scope="session")
def split_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """``faces/`` and ``split.csv``: 24 train, 12 val and 12 test faces; fakes are striped."""
    root = tmp_path_factory.mktemp("split")
    random = np.random.default_rng(0)
    rows = []
    for split, count in (("train", 24), ("val", 12), ("test", 12)):
        for number in range(count):
            fake = number % 2
            face = random.integers(60, 120, (SIZE, SIZE, 3), dtype=np.uint8)
            if fake:
                face[::4] += 100
            name = f"{split}_{number:02}.png"
            (root / "faces").mkdir(exist_ok=True)
            cv2.imwrite(str(root / "faces" / name), face)
            method = "Deepfakes" if fake else "youtube"
            person = f"{split}{number // 4}"
            rows.append(
                {
                    "key": f"{method}/{person}",
                    "method": method,
                    "target": person,
                    "source": "",
                    "person": person,
                    "source_person": "",
                    "control": False,
                    "path": name,
                    "label": fake,
                    "split": split,
                }
            )
    pd.DataFrame(rows).to_csv(root / "split.csv", index=False)
    return root


def new_model(
    crop: CropParams, architecture: str = "tf_efficientnet_lite0", weights: str = "packaged"
):
    params = starting.ModelParams.model_validate(
        {
            "architecture": architecture,
            "weights": weights,
            "dropout": 0.2,
            "epoch_factor": 1.0,
            "false_alarms": 1.0,
        }
    )
    return starting.create(params, crop, "drawn faces", seed=0)


@pytest.fixture
def network(crop: CropParams):
    """A Lite0 with ImageNet weights, and its card."""
    return new_model(crop)


@pytest.fixture(scope="session")
def student(crop: CropParams):
    """A Lite0 whose logits differ from face to face, and its card."""
    model, card = new_model(crop)
    with torch.no_grad():
        model.classifier.weight.mul_(300)
    return model.eval(), card


@pytest.fixture(scope="session")
def exported(student):
    """The student as ONNX; to export takes seconds, so it is done once."""
    return onnx_export.to_onnx(student[0], SIZE)


@pytest.fixture
def faces(split_folder: Path, network) -> TrainVal:
    card = network[1]
    return TrainVal(
        dataset.read_split(split_folder / "faces", split_folder / "split.csv", "train", card),
        dataset.read_split(split_folder / "faces", split_folder / "split.csv", "val", card),
        None,
    )


@pytest.fixture
def run(tmp_path: Path):
    with Run("tiny", 0, {}, [], tmp_path / "checkpoints") as opened:
        yield opened
