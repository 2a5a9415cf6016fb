import pytest
import torch

from litefake import dual, models, reproducibility, training, two_in_one
from litefake.apprentice import PARTS, Apprentice, TwoInOneParams
from litefake.batches import Batch
from litefake.checkpoints import Run
from litefake.distillation import Distillation, DistillParams
from litefake.errors import ParamsInvalid
from litefake.homogenization import rotate
from litefake.reproducibility import Reproducibility
from litefake.shards import Shards
from litefake.two_branch import last_block
from litefake.two_in_one import feature_loss, with_gradient
from tests.conftest import SIZE, new_model

KD = DistillParams(alpha=0.25, temperature=2.0)
DUAL = dual.DualParams(dropout=0.2, epoch_factor=1.0, false_alarms=1.0)


def params(variant, channels=16):
    return TwoInOneParams(variant=variant, weight=0.5, rotated_channels=channels, rotation_rate=0.1)


@pytest.fixture(scope="module")
def teacher(crop):
    return dual.start(*new_model(crop, "efficientnet_b0"), DUAL, seed=0)


def apprentice(crop, variant):
    model, card = new_model(crop)
    model.classifier.dropout = 0.0
    return Apprentice(model, params(variant), seed=0), card


def objective_of(teacher, card, variant):
    model, own = teacher
    return two_in_one.objective(model, (own, card), KD, params(variant))


def batch(count=6):
    images = torch.randn(count, 3, SIZE, SIZE, generator=torch.Generator().manual_seed(0))
    return Batch(images, (torch.arange(count) % 2).float())


def gradients(model):
    return torch.cat([parameter.grad.flatten() for parameter in model.student.parameters()])


def turn(model):
    for number, rotation in enumerate(model.rotations):
        generator = torch.Generator().manual_seed(number)
        torch.nn.init.normal_(rotation.weight, std=0.2, generator=generator)


def test_the_feature_loss_is_the_distance_of_directions_at_every_place():
    given, wanted = torch.zeros(1, 2, 1, 2), torch.zeros(1, 2, 1, 2)
    given[0, :, 0, 0], wanted[0, :, 0, 0] = torch.tensor([3.0, 0.0]), torch.tensor([0.0, 7.0])
    given[0, :, 0, 1], wanted[0, :, 0, 1] = torch.tensor([2.0, 0.0]), torch.tensor([-1.0, 0.0])
    assert feature_loss(given, wanted).item() == pytest.approx((2 + 4) / 2)
    assert feature_loss(given, 5 * given).item() == pytest.approx(0, abs=1e-6)


def test_a_gradient_is_sent_without_changing_the_value():
    tensor, gradient = torch.randn(3, requires_grad=True), torch.randn(3)
    value = with_gradient(tensor, gradient)
    value.backward()
    assert value == 0
    assert torch.equal(tensor.grad, gradient)


@pytest.mark.parametrize("variant", PARTS)
def test_every_variant_has_its_terms_and_trains_what_it_has(crop, teacher, variant):
    model, card = apprentice(crop, variant)
    parts = PARTS[variant]
    terms = objective_of(teacher, card, variant)(model.train(), batch())
    terms["loss"].backward()
    assert all(torch.isfinite(term) for term in terms.values())
    assert all(parameter.grad is not None for parameter in model.parameters())
    assert {name for name in terms if name.startswith("loss_")} == {
        f"loss_{name}" for name in parts.branches
    }
    assert ("cosine_after" in terms) == (len(parts.branches) == 2)
    assert ("moved_spatial" in terms) == parts.rotation
    assert len(model.rotations) == 2 * parts.rotation
    assert all(p.grad is None for p in teacher[0].parameters())


def test_none_is_the_plain_objective_and_logits_the_plain_distillation(crop, teacher):
    dual_model, dual_card = teacher
    model, card = apprentice(crop, "logits")
    model.eval()
    plain = Distillation(dual_model, dual_card, card, KD)(model.student, batch())
    ours = objective_of(teacher, card, "logits")(model, batch())
    assert set(ours) == set(plain)
    for name, value in plain.items():
        assert ours[name].item() == pytest.approx(value.item(), rel=1e-4, abs=1e-6)
    hard = objective_of(teacher, card, "none")(model, batch())
    assert hard["loss"].item() == pytest.approx(plain["hard"].item(), rel=1e-4)


def test_the_naive_variant_is_the_sum_that_autograd_would_take(crop, teacher):
    """The gradient that is sent by hand equals the one of the written-out loss."""
    dual_model, dual_card = teacher
    model, card = apprentice(crop, "both")
    model.eval()
    objective_of(teacher, card, "both")(model, batch())["loss"].backward()
    ours = gradients(model)

    other, _ = apprentice(crop, "both")
    other.eval()
    student, images = other.student, batch().images
    plain = Distillation(dual_model, dual_card, card, KD)(student, batch())["loss"]
    with torch.no_grad():
        wanted = dual_model.maps(images)
    written = [feature_loss(last_block(student, images), one) for one in wanted]
    (plain + 0.5 * sum(written)).backward()
    assert torch.allclose(ours, gradients(other), rtol=1e-3, atol=1e-5)


def test_the_value_of_the_loss_is_the_one_in_the_docstring(crop, teacher):
    model, card = apprentice(crop, "rotation")
    turn(model)
    terms = objective_of(teacher, card, "rotation")(model.train(), batch())
    kd = KD.alpha * terms["divergence"] + (1 - KD.alpha) * terms["hard"]
    features = terms["loss_spatial"] + terms["loss_frequency"]
    # The divergence leaves out the teacher's entropy, which the loss has: a constant.
    entropy = terms["loss"] - kd - 0.5 * features
    again = objective_of(teacher, card, "logits")(model.train(), batch())
    assert entropy.item() == pytest.approx(
        (again["loss"] - KD.alpha * again["divergence"] - (1 - KD.alpha) * again["hard"]).item(),
        abs=1e-4,
    )


def test_scaling_makes_norms_equal_and_rotation_changes_the_angle(crop, teacher):
    found = {}
    for variant in ("projectors", "scale", "rotation"):
        model, card = apprentice(crop, variant)
        turn(model)
        found[variant] = objective_of(teacher, card, variant)(model.train(), batch())
    naive, scaled, rotated = (found[name] for name in ("projectors", "scale", "rotation"))
    assert naive["norm_after_spatial"] == naive["norm_before_spatial"]
    for terms in (scaled, rotated):
        assert terms["norm_after_spatial"].item() == pytest.approx(
            terms["norm_after_frequency"].item(), rel=1e-4
        )
        assert terms["norm_before_spatial"] != terms["norm_before_frequency"]
    assert scaled["cosine_after"].item() == pytest.approx(scaled["cosine_before"].item(), abs=1e-6)
    # Few channels are turned here, so little changes.
    assert abs(rotated["cosine_after"] - rotated["cosine_before"]) > 2e-5
    assert rotated["moved_spatial"] > 0.1


def test_projectors_see_turned_features_and_the_student_gets_the_gradient_turned_back(
    crop, teacher
):
    model, card = apprentice(crop, "rotation")
    turn(model)
    seen = []
    model.projectors[0].register_forward_pre_hook(lambda _module, given: seen.append(given[0]))
    objective_of(teacher, card, "rotation")(model.eval(), batch())
    with torch.no_grad():
        features = last_block(model.student, batch().images)
        expected = rotate(model.rotations[0](), features)
        wanted = teacher[0].maps(batch().images)[0]
    assert torch.allclose(seen[0], expected, atol=1e-4)
    features.requires_grad_()
    turned = rotate(model.rotations[0]().detach(), features)
    feature_loss(model.projectors[0](turned), wanted).backward()
    lesson = two_in_one._lesson(model, 0, features.detach(), wanted)
    assert torch.allclose(lesson.gradient, features.grad, rtol=1e-3, atol=1e-7)
    # Turned forward instead of back it would be another.
    forward = rotate(model.rotations[0]().detach(), lesson.behind)
    assert not torch.allclose(forward, features.grad, rtol=1e-1, atol=1e-7)


def test_the_first_norms_are_kept_for_ever(crop, teacher):
    model, card = apprentice(crop, "scale")
    objective = objective_of(teacher, card, "scale")
    terms = objective(model.train(), batch())
    first = model.initial_norms.clone()
    assert first.tolist() == pytest.approx(
        [terms["norm_before_spatial"].item(), terms["norm_before_frequency"].item()]
    )
    objective(model, batch(4))
    assert torch.equal(model.initial_norms, first)


def test_the_saved_student_is_a_plain_lite0_without_projectors(crop, teacher, tmp_path):
    model, card = apprentice(crop, "rotation")
    models.save(model.student, card, tmp_path / "student.safetensors")
    loaded, _ = models.load(tmp_path / "student.safetensors")
    plain, _ = new_model(crop)
    assert loaded.state_dict().keys() == plain.state_dict().keys()
    with torch.inference_mode():
        images = batch().images
        assert torch.equal(loaded(images), model.eval()(images))


def test_killed_and_resumed_equals_uninterrupted(crop, faces, recipe, teacher, tmp_path):
    """Student, projectors, rotations and the first norms: all of it is in the checkpoint.

    Two threads call the objective in three batches an epoch.
    """
    phases = [
        recipe.model_copy(update={"epochs": 1, "optimizer": "sgd", "averaging": 0.9}),
        recipe.model_copy(update={"epochs": 1}),
    ]

    def start(folder):
        return Run("tiny", 0, {"recipe": recipe}, [], tmp_path / folder)

    class Killed(Exception):
        pass

    def killer(objective, after):
        calls = []

        def call(model, batch):
            calls.append(1)
            if len(calls) > after:
                raise Killed
            return objective(model, batch)

        return call

    reproducibility.setup(Reproducibility(seed=0, threads=2))
    try:
        whole, card = apprentice(crop, "rotation")
        objective = objective_of(teacher, card, "rotation")
        with start("whole") as run:
            expected = training.fit(whole, faces, phases, objective, run)
        first, _ = apprentice(crop, "rotation")
        with pytest.raises(Killed), start("killed") as run:
            training.fit(first, faces, phases, killer(objective, 8), run)
        second, _ = apprentice(crop, "rotation")
        with start("killed") as run:
            fit = training.fit(second, faces, phases, objective, run)
    finally:
        reproducibility.setup(Reproducibility(seed=0, threads=1))
    assert fit.rows == expected.rows
    left, right = whole.state_dict(), second.state_dict()
    assert all(torch.equal(left[name], right[name]) for name in left)
    assert left["rotations.0.weight"].abs().max() > 0


def test_rotations_learn_at_their_own_rate(crop, faces, recipe, teacher, run):
    """Adam's first step moves every weight by its rate, whatever its gradient."""
    model, card = apprentice(crop, "rotation")
    one = recipe.model_copy(update={"epochs": 1, "batch_size": 24, "lr": 1e-3})
    before = model.projectors[0][0].weight.detach().clone()
    training.fit(model, faces, [one], objective_of(teacher, card, "rotation"), run)
    assert (model.projectors[0][0].weight - before).abs().median().item() == pytest.approx(
        1e-3, rel=0.01
    )
    rotation = model.rotations[0].weight
    assert rotation[rotation != 0].abs().median().item() == pytest.approx(1e-4, rel=0.01)


def test_threads_add_up_to_the_batch(crop, teacher):
    """In eval mode a batch in two parts costs what it costs in one; norms are a part's own."""
    model, card = apprentice(crop, "projectors")
    objective = objective_of(teacher, card, "projectors")
    model.eval()
    whole = objective(model, batch())
    whole["loss"].backward()
    expected = gradients(model)
    model.zero_grad()
    reproducibility.setup(Reproducibility(seed=0, threads=2))
    try:
        with Shards.of(model) as shards:
            shards.train(False)
            terms = shards.backward(objective, batch())
    finally:
        reproducibility.setup(Reproducibility(seed=0, threads=1))
    assert terms["loss"] == pytest.approx(whole["loss"].item(), rel=1e-4)
    assert torch.allclose(gradients(model), expected, rtol=1e-3, atol=1e-5)


def test_a_short_training_lowers_the_loss(crop, faces, recipe, teacher, run):
    model, card = apprentice(crop, "rotation")
    three = recipe.model_copy(update={"epochs": 3})
    fit = training.fit(model, faces, [three], objective_of(teacher, card, "rotation"), run)
    first, last = fit.rows[0], fit.rows[-1]
    for term in ("loss", "hard", "loss_spatial", "loss_frequency"):
        assert last[term] < first[term], term
    assert last["moved_spatial"] > first["moved_spatial"] > 0


def test_a_student_with_other_maps_than_the_branches_is_one_line(crop):
    model, _ = new_model(crop, "efficientnet_b2", "xavier")
    with pytest.raises(ParamsInvalid, match="maps of 320 channels, and this one has 352"):
        Apprentice(model, params("both"), seed=0)
    Apprentice(model, params("logits"), seed=0)
