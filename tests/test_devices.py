"""Several processes train as one does; precision; too few devices."""

import numpy as np
import pytest
import torch

from litefake import dataset, devices, reproducibility, training
from litefake.batches import Batch
from litefake.checkpoints import Run
from litefake.distillation import Distillation, DistillParams, hard_loss
from litefake.errors import DataMissing, ParamsInvalid, TrainingFailed
from litefake.reproducibility import Reproducibility
from litefake.shards import Shards
from tests.conftest import new_model


@pytest.fixture
def use(monkeypatch):
    """Set the run up with other values of ``reproducibility``; on the CPU."""
    monkeypatch.setenv("LITEFAKE_DEVICE", "cpu")
    yield lambda **values: reproducibility.setup(Reproducibility(**{"seed": 0, **values}))
    reproducibility.setup(Reproducibility(seed=0, threads=1))


def test_two_processes_train_as_two_threads_do(use, crop, faces, recipe, tmp_path):
    """Equal to the bit: both add the same two parts, and a sum of two has one rounding."""
    phase = recipe.model_copy(update={"optimizer": "sgd", "lr": 0.01, "averaging": 0.5})

    def trained(**values):
        use(**values)
        (model, card), (teacher, teacher_card) = new_model(crop), new_model(crop)
        objective = Distillation(
            teacher, teacher_card, card, DistillParams(alpha=0.25, temperature=2.0)
        )
        with Run("tiny", 0, {}, [], tmp_path / str(values)) as run:
            fit = training.fit(model, faces, [phase], objective, run)
            assert {path.name for path in run.folder.iterdir()} == {"fit.pt", "fingerprint"}
        return model, fit

    one, expected = trained(threads=2)
    two, fit = trained(threads=1, devices=2)
    assert [row["loss"] for row in fit.rows] == [row["loss"] for row in expected.rows]
    assert [row["val_loss"] for row in fit.rows] == pytest.approx(
        [row["val_loss"] for row in expected.rows], abs=1e-6
    )
    assert all(map(torch.equal, one.state_dict().values(), two.state_dict().values()))
    assert fit.images == expected.images
    assert (fit.summary()["devices"], fit.summary()["threads"]) == (2, 1)


def test_an_error_in_a_process_is_the_same_error_here(use, network, faces, recipe, run, tmp_path):
    use(threads=1, devices=2)
    empty = dataset.Faces(tmp_path / "gone", faces.train.table, 32, [0.5] * 3, [0.5] * 3)
    with pytest.raises(DataMissing, match="gone/train_.*: face crop is gone or damaged"):
        training.fit(network[0], faces._replace(train=empty), [recipe], hard_loss, run)


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("world", [2, 3])
def test_the_parts_of_all_processes_are_the_batches_of_one(use, faces, threads, world):
    use(threads=threads)
    whole = list(faces.train.shuffled(13, 0, 1, None))
    shares = [list(faces.train.shuffled(13, 0, 1, None, rank, world)) for rank in range(world)]
    for number, parts in enumerate(zip(*shares, strict=True)):
        assert torch.equal(torch.cat([part.images for part in parts]), whole[number].images)
        assert torch.equal(torch.cat([part.labels for part in parts]), whole[number].labels)
        assert {part.whole for part in parts} == {len(whole[number].labels)}
        # Cut among its threads, a part is cut where one process would have cut the batch.
        sizes = [len(cut) for part in parts for cut in part.labels.tensor_split(threads)]
        cuts = np.array_split(np.arange(parts[0].whole), threads * world)
        assert sizes == [len(cut) for cut in cuts]


def test_batches_too_small_for_all_processes_are_refused(use, faces):
    use(threads=2)
    with pytest.raises(TrainingFailed, match="no batch holds 16 faces, two a thread of 4"):
        faces.train.shuffled(8, 0, 1, None, 0, 4)


def test_more_threads_than_a_batch_has_pairs_of_faces_are_refused(use, faces):
    use(threads=5)
    assert [len(batch.labels) for batch in faces.train.shuffled(10, 0, 1, None)] == [10, 10]
    with pytest.raises(TrainingFailed, match=r"no batch holds 10 faces.*reproducibility\.threads"):
        faces.train.shuffled(8, 0, 1, None)


def test_half_precision_computes_roughly_the_same(use, crop):
    images = torch.randn(8, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    batch = Batch(images, (torch.arange(8) % 2).float())

    def gradients(precision):
        use(threads=2, precision=precision)
        model, _ = new_model(crop)
        torch.nn.init.normal_(model.classifier.weight, generator=torch.Generator().manual_seed(1))
        with Shards.of(model, devices._fabric(1, precision)) as shards:
            shards.train(False)
            loss = shards.backward(hard_loss, batch)["loss"]
        assert all(value.grad.dtype == torch.float32 for value in model.parameters())
        return loss, model.classifier.weight.grad

    (loss, exact), (rough_loss, rough) = gradients("32-true"), gradients("bf16-mixed")
    assert loss != rough_loss == pytest.approx(loss, rel=0.1)
    assert torch.nn.functional.cosine_similarity(exact, rough) > 0.9


def test_more_gpus_than_there_are_is_one_clear_line(use, monkeypatch):
    use(threads=1, devices=3)
    monkeypatch.setenv("LITEFAKE_DEVICE", "cuda")
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    with pytest.raises(ParamsInvalid, match="reproducibility.devices: 3 GPUs wanted, 2 found"):
        devices.launch(print)
