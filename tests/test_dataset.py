import pandas as pd
import pytest
import torch

from litefake import dataset
from litefake.errors import DataMissing
from litefake.transforms import Augmentation

STRONG = Augmentation(flip=0.5, rotation=20.0, brightness=0.3, contrast=0.3, saturation=0.3)


def collect(batches):
    batches = list(batches)
    return torch.cat([batch.images for batch in batches]), torch.cat([b.labels for b in batches])


def test_in_order_gives_every_face_once_with_its_label(faces):
    images, labels = collect(faces.train.in_order(7))
    assert images.shape == (24, 3, 32, 32)
    assert labels.tolist() == faces.train.table["label"].tolist()


def test_an_epoch_depends_on_seed_and_number_alone(faces):
    first = collect(faces.train.shuffled(5, 1, 3, STRONG))
    list(faces.train.shuffled(5, 1, 4, STRONG))
    again = collect(faces.train.shuffled(5, 1, 3, STRONG))
    assert torch.equal(first[0], again[0])
    assert torch.equal(first[1], again[1])
    for other in (faces.train.shuffled(5, 1, 4, STRONG), faces.train.shuffled(5, 2, 3, STRONG)):
        assert not torch.equal(first[0], collect(other)[0])


def test_a_shuffled_epoch_is_a_permutation(faces):
    plain, _ = collect(faces.train.in_order(8))
    mixed, _ = collect(faces.train.shuffled(8, 0, 1, None))
    assert not torch.equal(plain, mixed)
    assert torch.equal(plain.flatten(1).sum(1).sort().values, mixed.flatten(1).sum(1).sort().values)


def test_a_last_batch_of_one_is_dropped_because_batchnorm_cannot_use_it(faces):
    assert [len(batch.labels) for batch in faces.train.shuffled(23, 0, 1, None)] == [23]
    assert [len(batch.labels) for batch in faces.train.shuffled(22, 0, 1, None)] == [22, 2]


def test_a_sample_is_bounded_and_repeatable(faces):
    assert len(collect(faces.train.sample(10, 4, 5))[1]) == 10
    assert len(collect(faces.train.sample(999, 4, 5))[1]) == 24
    assert torch.equal(*(collect(faces.train.sample(10, 4, 5))[0] for _ in range(2)))


def test_a_missing_crop_is_named(faces, tmp_path):
    gone = dataset.Faces(tmp_path, faces.train.table, 32, [0.5] * 3, [0.5] * 3)
    with pytest.raises(DataMissing, match=r"train_00\.png: face crop is gone or damaged"):
        next(gone.in_order(1))


def test_a_split_without_a_class_is_refused(split_folder, tmp_path, network):
    table = pd.read_csv(split_folder / "split.csv")
    only_real = tmp_path / "split.csv"
    table[table["label"] == 0].to_csv(only_real, index=False)
    with pytest.raises(DataMissing, match="split train has no fake face"):
        dataset.read_split(split_folder, only_real, "train", network[1])
    with pytest.raises(DataMissing, match="run `dvc repro split`"):
        dataset.read_split(split_folder, tmp_path / "absent.csv", "train", network[1])
