import pandas as pd
import pytest

from litefake import gradient_log

CURVE = pd.DataFrame(
    {
        "epoch": [1, 2],
        "loss": [0.7, 0.6],
        "norm_before_spatial": [1.0, 0.9],
        "norm_before_frequency": [2.0, 1.9],
        "norm_after_spatial": [1.5, 1.4],
        "norm_after_frequency": [1.5, 1.4],
        "cosine_before": [-0.2, -0.1],
        "cosine_after": [-0.1, 0.1],
        "moved_spatial": [0.01, 0.02],
        "moved_frequency": [0.01, 0.02],
        "val_loss": [0.7, 0.6],
    }
)


def test_the_log_holds_what_the_curve_says_of_gradients():
    assert set(gradient_log.table(CURVE)) == set(CURVE) - {"loss", "val_loss"}


@pytest.mark.parametrize("curve", [CURVE, CURVE[["epoch", "loss"]]], ids=["rotation", "none"])
def test_every_variant_can_be_drawn_and_equal_logs_are_equal_bytes(tmp_path, curve):
    log = gradient_log.table(curve)
    gradient_log.draw(tmp_path / "one.png", log)
    gradient_log.draw(tmp_path / "two.png", log)
    assert (tmp_path / "one.png").read_bytes() == (tmp_path / "two.png").read_bytes()
    assert (tmp_path / "one.png").read_bytes().startswith(b"\x89PNG")


def test_without_any_epoch_the_log_is_empty(tmp_path):
    gradient_log.write(tmp_path / "log.csv", tmp_path / "log.png", pd.DataFrame([]))
    assert (tmp_path / "log.csv").read_text() == "epoch\n"
