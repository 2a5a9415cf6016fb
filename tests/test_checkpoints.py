import cv2
import pytest
import torch

from litefake.checkpoints import Run
from litefake.errors import DataMissing


def open_run(folder, recipe, inputs=(), seed=0):
    return Run("tiny", seed, {"recipe": recipe}, [str(path) for path in inputs], folder)


def kill(run, state):
    """Leave ``run`` as a killed process would: with its states, without its lock."""
    with pytest.raises(KeyboardInterrupt), run:
        run.save("fit", state)
        raise KeyboardInterrupt


def test_states_survive_a_kill_and_go_after_success(tmp_path, recipe):
    kill(open_run(tmp_path, recipe), {"epoch": 3, "weights": torch.arange(3)})
    with open_run(tmp_path, recipe) as run:
        state = run.load("fit")
        assert state["epoch"] == 3
        assert torch.equal(state["weights"], torch.arange(3))
        assert run.load("other") is None
    with open_run(tmp_path, recipe) as run:
        assert run.load("fit") is None


@pytest.mark.parametrize("what", ["seed", "params", "file", "crop", "another crop", "opencv"])
def test_states_of_other_inputs_are_thrown_away(tmp_path, recipe, what, capsys, monkeypatch):
    table = tmp_path / "split.csv"
    table.write_text("a")
    crop = tmp_path / "faces" / "youtube" / "0.png"
    crop.parent.mkdir(parents=True)
    crop.write_bytes(b"made")
    kill(open_run(tmp_path, recipe, [table, tmp_path / "faces"]), {"epoch": 3})
    if what == "opencv":
        monkeypatch.setattr(cv2, "__version__", "another")
    if what == "file":
        table.write_text("b")
    if what == "crop":
        crop.write_bytes(b"made otherwise")
    if what == "another crop":
        (crop.parent / "1.png").write_bytes(b"made")
    other = recipe.model_copy(update={"lr": 5.0}) if what == "params" else recipe
    with open_run(tmp_path, other, [table, tmp_path / "faces"], seed=int(what == "seed")) as run:
        assert run.load("fit") is None
    assert "belongs to other inputs; starting over" in capsys.readouterr().out


def test_a_missing_input_names_the_stage_to_run(tmp_path, recipe):
    with pytest.raises(DataMissing, match=r"absent\.csv: not found; run `dvc repro tiny`"):
        open_run(tmp_path, recipe, [tmp_path / "absent.csv"])
