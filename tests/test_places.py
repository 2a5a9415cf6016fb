"""Where a fake was made: the layer that says it, while training and no longer."""

import copy
import pickle

import numpy as np
import pytest
import torch

from litefake import places, reproducibility, training
from litefake.batches import Batch
from litefake.distillation import hard_loss
from litefake.places import Pointer, WithPlaces
from litefake.reproducibility import Reproducibility
from tests.conftest import new_model

SIZE = 32


class Told:
    """Faces of which it is known where they were changed."""

    def __init__(self, faces, weight=1.0):
        self.places, self._faces = weight, faces

    def __len__(self):
        return len(self._faces)

    def shuffled(self, *arguments):
        for batch in self._faces.shuffled(*arguments):
            upper = torch.zeros(len(batch.labels), SIZE, SIZE)
            upper[:, : SIZE // 2] = batch.labels[:, None, None]
            yield batch._replace(replaced=upper)

    def steps(self, *arguments):
        return self._faces.steps(*arguments)


def batch(labels=(0.0, 1.0)) -> Batch:
    images = torch.randn(len(labels), 3, SIZE, SIZE, generator=torch.Generator().manual_seed(0))
    replaced = torch.zeros(len(labels), SIZE, SIZE)
    replaced[:, :, : SIZE // 2] = torch.tensor(labels)[:, None, None]
    return Batch(images, torch.tensor(labels), None, replaced)


@pytest.fixture
def two():
    """Set a number of threads, for one test."""
    yield lambda threads: reproducibility.setup(Reproducibility(seed=0, threads=threads))
    reproducibility.setup(Reproducibility(seed=0, threads=1))


@pytest.fixture
def pointer(network):
    return Pointer(network[0].eval())


def test_the_loss_is_that_of_the_label_and_of_every_place(pointer):
    seen = batch()
    terms = WithPlaces(hard_loss, 3.0)(pointer, seen)
    plain = hard_loss(pointer.network, seen)
    said = pointer.places()
    assert said.shape == (2, SIZE // 16, SIZE // 16)
    wanted = torch.tensor([[[0.0, 0], [0, 0]], [[1.0, 0], [1, 0]]])
    chance = torch.sigmoid(said)
    expected = -(wanted * chance.log() + (1 - wanted) * (1 - chance).log()).mean()
    assert terms["places"].item() == pytest.approx(expected.item(), abs=1e-6)
    assert terms["loss"].item() == pytest.approx((plain["loss"] + 3 * expected).item(), abs=1e-5)


def test_the_first_guess_is_the_usual_share_everywhere(pointer):
    pointer(batch().images)
    assert torch.sigmoid(pointer.places()).detach().numpy() == pytest.approx(places.OFTEN, abs=1e-6)


def test_a_pointer_is_its_network_and_leaves_it_as_it_was(network):
    model, images = network[0].eval(), batch().images
    before, names = model(images), list(model.state_dict())
    pointer = Pointer(model)
    assert torch.equal(pointer(images), before)
    pointer.places()
    assert pointer.release() is model
    assert list(model.state_dict()) == names
    model(images)
    with pytest.raises(AssertionError, match="has seen no image"):
        pointer.places()


def test_copies_listen_to_their_own_network(pointer):
    for other in (copy.deepcopy(pointer), pickle.loads(pickle.dumps(pointer))):
        with torch.no_grad():
            other.layer.bias.fill_(2.0)
        other(batch().images)
        assert other.places().mean().item() == pytest.approx(2.0)
        with pytest.raises(AssertionError, match="has seen no image"):
            pointer.places()


def test_faces_that_know_nothing_are_trained_as_before(network, faces):
    assert places.taught(network[0], faces.train, hard_loss) == (network[0], hard_loss)


@pytest.mark.parametrize("threads", [1, 2])
def test_training_learns_places_and_drops_the_layer(two, crop, faces, recipe, run, threads):
    two(threads)
    model, _ = new_model(crop)
    names = list(model.state_dict())
    told = faces._replace(train=Told(faces.train))
    longer = recipe.model_copy(update={"epochs": 4, "lr": 1e-3})
    fit = training.fit(model, told, [longer], hard_loss, run)
    lost = fit.curve["places"].to_numpy()
    assert np.isfinite(lost).all()
    assert lost[-1] < lost[0]
    assert list(model.state_dict()) == names
    assert not any(layer._forward_hooks for layer in model.modules())
    assert training.validate(model, faces.val)["val_loss"] == pytest.approx(fit.val_loss, abs=1e-6)
