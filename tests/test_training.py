import math

import pytest
import torch

from litefake import reproducibility, training
from litefake.checkpoints import Run
from litefake.distillation import hard_loss
from litefake.errors import TrainingFailed
from litefake.recipe import learning_rate
from litefake.reproducibility import Reproducibility
from litefake.transforms import Augmentation
from tests.conftest import new_model


def weights(model):
    return {name: value.clone() for name, value in model.state_dict().items()}


def equal(left, right):
    return all(torch.equal(left[name], right[name]) for name in left)


class Killed(Exception):
    pass


def killer(after):
    """The plain objective, until ``after`` batches have been seen."""
    seen = 0

    def objective(model, batch):
        nonlocal seen
        seen += 1
        if seen > after:
            raise Killed
        return hard_loss(model, batch)

    return objective


def test_a_tiny_network_learns(network, faces, recipe, run):
    model, _ = network
    longer = recipe.model_copy(update={"epochs": 10, "lr": 1e-3})
    fit = training.fit(model, faces, [longer], hard_loss, run)
    assert fit.val_loss < math.log(2) * 0.9
    assert fit.rows[fit.best_epoch - 1]["val_auc"] > 0.9
    assert fit.curve["epoch"].tolist() == list(range(1, len(fit.rows) + 1))


def test_the_network_keeps_the_weights_of_the_best_epoch(network, faces, recipe, run):
    model, _ = network
    fit = training.fit(model, faces, [recipe.model_copy(update={"epochs": 4})], hard_loss, run)
    assert fit.val_loss == min(row["val_loss"] for row in fit.rows)
    assert training.validate(model, faces.val)["val_loss"] == pytest.approx(fit.val_loss, abs=1e-6)


@pytest.mark.parametrize("batches", [1, 5, 8])
def test_killed_and_resumed_equals_uninterrupted(crop, faces, recipe, tmp_path, batches):
    """Three batches an epoch: killed in the first epoch, in the second, in the second phase."""
    phases = [recipe, recipe.model_copy(update={"epochs": 1, "lr": 2e-4})]

    def start(folder):
        return Run("tiny", 0, {"recipe": recipe}, [], tmp_path / folder)

    whole, _ = new_model(crop)
    with start("whole") as run:
        expected = training.fit(whole, faces, phases, hard_loss, run)

    first, _ = new_model(crop)
    with pytest.raises(Killed), start("killed") as run:
        training.fit(first, faces, phases, killer(batches), run)
    second, _ = new_model(crop)
    with start("killed") as run:
        fit = training.fit(second, faces, phases, hard_loss, run)

    assert equal(weights(whole), weights(second))
    assert fit.best_epoch == expected.best_epoch
    assert fit.rows == expected.rows


def test_resume_is_exact_in_the_shipped_setting_too(crop, faces, recipe, tmp_path):
    """SGD with momentum, a schedule, averaged weights, augmentation, two threads."""
    reproducibility.setup(Reproducibility(seed=0, threads=2))
    changes = {"optimizer": "sgd", "lr": 0.01, "schedule": "cosine", "warmup_epochs": 0.5}
    changes["averaging"] = 0.9
    phases = [recipe.model_copy(update=changes), recipe.model_copy(update={"epochs": 1})]
    limits = {"flip": 0.5, "rotation": 10.0, "brightness": 0.2, "contrast": 0.2, "saturation": 0.2}
    augmented = faces._replace(augmentation=Augmentation(**limits))

    def start(folder):
        return Run("tiny", 0, {"recipe": recipe}, [], tmp_path / folder)

    try:
        whole, _ = new_model(crop)
        with start("whole") as run:
            training.fit(whole, augmented, phases, hard_loss, run)
        first, _ = new_model(crop)
        # Two threads call the objective, so six calls an epoch.
        with pytest.raises(Killed), start("killed") as run:
            training.fit(first, augmented, phases, killer(8), run)
        second, _ = new_model(crop)
        with start("killed") as run:
            training.fit(second, augmented, phases, hard_loss, run)
    finally:
        reproducibility.setup(Reproducibility(seed=0, threads=1))
    assert equal(weights(whole), weights(second))


def test_a_finished_fit_returns_at_once(crop, faces, recipe, run):
    model, _ = new_model(crop)
    done = training.fit(model, faces, [recipe], hard_loss, run)
    again, _ = new_model(crop)
    fit = training.fit(again, faces, [recipe], killer(0), run)
    assert fit.rows == done.rows
    assert equal(weights(model), weights(again))


def test_patience_ends_a_phase_early_and_the_next_starts_from_the_best(crop, faces, recipe, run):
    model, _ = new_model(crop)
    hopeless = recipe.model_copy(update={"epochs": 9, "patience": 2, "optimizer": "sgd", "lr": 3.0})
    started = []

    def spy(model, batch):
        started.append(model.classifier.weight.detach().clone())
        return hard_loss(model, batch)

    fit = training.fit(model, faces, [hopeless, recipe], spy, run)
    losses = [row["val_loss"] for row in fit.rows if row["phase"] == 1]
    best = losses.index(min(losses))
    assert len(losses) == best + 3 < 9
    # Three batches an epoch: the epoch after the best one began with the best weights.
    after_best, phase_two = started[3 * (best + 1)], started[3 * len(losses)]
    assert torch.equal(after_best, phase_two)


def test_what_is_kept_is_the_moving_average_of_the_weights(crop, faces, recipe, tmp_path, run):
    model, _ = new_model(crop)
    seen = []

    def spy(model, batch):
        seen.append(watched(model))
        return hard_loss(model, batch)

    def watched(model):
        """A weight, and the statistics of a batch normalisation, which are averaged as it is."""
        parts = model.classifier.weight, model.bn1.running_mean
        return torch.cat([part.detach().flatten() for part in parts]).clone()

    # The second epoch learns nothing worth keeping, but shows what the first one left.
    first = recipe.model_copy(update={"epochs": 1, "averaging": 0.2})
    training.fit(model, faces, [first], spy, run)
    kept = watched(model)
    other, _ = new_model(crop)
    both = first.model_copy(update={"epochs": 2})
    with Run("tiny", 0, {}, [], tmp_path) as second:
        training.fit(other, faces, [both], spy, second)
    left = seen[-3:]  # of three batches an epoch, before a step: after the one before it
    average = seen[4]
    for count, value in enumerate((seen[5], left[0]), start=1):
        decay = min(0.2, (1 + count) / (10 + count))
        average = average + (1 - decay) * (value - average)
    torch.testing.assert_close(kept, average)
    assert not torch.allclose(kept, left[0])


def test_two_seeds_differ_and_one_seed_repeats(crop, faces, recipe, tmp_path):
    def trained(seed, folder):
        model, _ = new_model(crop)
        with Run("tiny", seed, {}, [], tmp_path / folder) as run:
            training.fit(model, faces, [recipe], hard_loss, run)
        return weights(model)

    first = trained(1, "a")
    assert equal(first, trained(1, "b"))
    assert not equal(first, trained(2, "c"))


def test_a_loss_that_is_no_number_is_an_error_with_its_epoch(network, faces, recipe, run):
    def broken(model, batch):
        return {"loss": hard_loss(model, batch)["loss"] * float("nan")}

    with pytest.raises(
        TrainingFailed, match="tiny: loss is nan in epoch 1; lower the learning rate"
    ):
        training.fit(network[0], faces, [recipe], broken, run)


def test_a_network_that_diverges_in_its_last_step_is_an_error_too(network, faces, recipe, run):
    once = recipe.model_copy(update={"batch_size": 1000, "optimizer": "sgd", "lr": 1e38})
    with pytest.raises(TrainingFailed, match="no finite number; lower the learning rate"):
        training.fit(network[0], faces, [once], hard_loss, run)


def test_the_rate_warms_up_then_falls_to_zero(recipe):
    phase = recipe.model_copy(
        update={"epochs": 10, "lr": 0.1, "schedule": "cosine", "warmup_epochs": 2.0}
    )
    rates = [learning_rate(phase, epoch / 10) for epoch in range(101)]
    assert 0 < rates[0] < 0.01
    assert rates[10] == pytest.approx(0.05)
    assert rates[20] == pytest.approx(0.1)
    assert rates[60] == pytest.approx(0.05)
    assert rates[100] == pytest.approx(0.0, abs=1e-12)
    assert rates[20:] == sorted(rates[20:], reverse=True)


def test_the_rate_that_the_optimizer_uses_changes_within_an_epoch(network, faces, recipe, run):
    """The classic mistake: a schedule that is stepped after training, so never."""
    seen = []

    def spy(model, batch):
        seen.append(learning_rate(phase, len(seen) / 3))
        return hard_loss(model, batch)

    phase = recipe.model_copy(update={"epochs": 2, "schedule": "cosine", "warmup_epochs": 0.0})
    fit = training.fit(network[0], faces, [phase], spy, run)
    assert [row["lr"] for row in fit.rows] == pytest.approx([seen[2], seen[5]])
    assert fit.rows[1]["lr"] < fit.rows[0]["lr"] < phase.lr


def test_a_longer_recipe_rounds_its_epochs_up(recipe):
    assert recipe.longer(1.5).epochs == 3
    assert recipe.longer(1.2).epochs == 3
    assert recipe.longer(1.0) == recipe
    assert recipe.model_copy(update={"epochs": 10}).longer(1.1).epochs == 11
