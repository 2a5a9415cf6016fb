"""One loader for both kinds of file: the same answers, whoever computes them."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch

from litefake import comparison, detection, models, networks, onnx_files, report, runtime
from litefake.comparison import Finished
from litefake.errors import ModelUnreadable
from litefake.latency import LatencyParams
from litefake.onnx_files import Origin
from tests.clips import draw_face, write_clip
from tests.conftest import SIZE


@pytest.fixture(scope="module")
def files(student, exported, tmp_path_factory):
    """The same student as safetensors and as ONNX."""
    folder = tmp_path_factory.mktemp("runtime")
    model, card = student
    models.save(model, card, folder / "student.safetensors")
    origin = Origin(precision="fp32", source="0" * 64, parameters=3_372_289, macs=7)
    onnx_files.write(exported, card, origin, folder / "student.onnx")
    return folder


def images(count):
    return torch.randn(count, 3, SIZE, SIZE, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("engine", ["onnxruntime", "openvino"])
@pytest.mark.parametrize("count", [1, 5])
def test_both_kinds_answer_alike(files, engine, count):
    eager, card = runtime.load(files / "student.safetensors")
    exported, same = runtime.load(files / "student.onnx", threads=1, engine=engine)
    assert card == same
    with torch.inference_mode():
        wanted, found = eager(images(count)), exported(images(count))
    assert found.shape == (count, 1)
    assert wanted.abs().max() > 0.1
    assert torch.allclose(wanted, found, atol=1e-4)


def test_memory_order_does_not_matter(files):
    exported, _ = runtime.load(files / "student.onnx")
    last = images(2).contiguous(memory_format=torch.channels_last)
    assert torch.equal(exported(last), exported(images(2)))


@pytest.mark.parametrize("engine", ["onnxruntime", "openvino"])
def test_threads_do_not_disturb_each_other(files, engine):
    exported, _ = runtime.load(files / "student.onnx", threads=1, engine=engine)
    alone = [exported(one[None]) for one in images(16)]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(lambda one: exported(one[None]), images(16)))
    assert all(torch.equal(*pair) for pair in zip(alone, together, strict=True))


def test_an_answer_outlives_the_next_one(files):
    exported, _ = runtime.load(files / "student.onnx", engine="openvino")
    first = exported(images(2)[:1])
    kept = first.clone()
    exported(images(2)[1:])
    assert torch.equal(first, kept)


def test_openvino_is_used_where_it_is_installed(files, monkeypatch):
    assert networks.load(files / "student.onnx")[0].engine == "openvino"
    monkeypatch.setattr("importlib.util.find_spec", lambda _name: None)
    assert networks.load(files / "student.onnx")[0].engine == "onnxruntime"


def test_a_network_that_does_not_run_is_one_line(files, tmp_path):
    import onnx

    model = onnx.load_model(files / "student.onnx")
    del model.graph.initializer[0]
    (tmp_path / "torn.onnx").write_bytes(model.SerializeToString())
    for engine in ("onnxruntime", "openvino"):
        with pytest.raises(ModelUnreadable, match=r"torn\.onnx: .* cannot run it") as caught:
            runtime.load(tmp_path / "torn.onnx", engine=engine)
        assert len(str(caught.value).splitlines()) == 1


def test_a_clip_gets_the_same_report_from_both_kinds(files, tmp_path):
    clip = write_clip(tmp_path / "clip.mp4", [draw_face()] * 12)
    judges = [report.Judge.load(files / f"student.{kind}") for kind in ("safetensors", "onnx")]
    eager, exported = (report.judge_file(clip, one, 1).as_dict(one) for one in judges)
    assert exported["probability"] == pytest.approx(eager["probability"], abs=1e-4)
    assert exported["model"]["parameters"] == eager["model"]["parameters"] == 3_372_289
    assert eager["model"]["runtime"] == "PyTorch, eager, fp32"
    assert exported["model"]["runtime"] == "OpenVINO, fp32"
    looks = detection.look(clip, judges[1].model, judges[1].card, every=1, minimum_looks=1)
    assert ((looks.faces["probability"] >= 0) & (looks.faces["probability"] <= 1)).all()


def test_the_table_says_what_computed_which_row(files):
    finished = {
        kind: Finished(files / f"student.{kind}", *runtime.load(files / f"student.{kind}"), None, 0)
        for kind in ("safetensors", "onnx")
    }
    params = LatencyParams(threads=1, warmup=1, repeats=3)
    found = comparison.measure_latency(finished, params)
    assert found["runtime"] == "PyTorch, eager, fp32 (onnx: OpenVINO, fp32)"
    assert set(found["milliseconds"]) == {"safetensors", "onnx"}
    assert np.isfinite(list(found["milliseconds"].values())).all()
