"""Load any finished model, safetensors or ONNX, as one thing: images in, logits out."""

import importlib.util
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from litefake import footprint, models, onnx_files, shipped
from litefake.errors import ModelUnreadable
from litefake.models import Card
from litefake.onnx_files import INPUT, Origin

Engine = Literal["onnxruntime", "openvino"]
Runner = Callable[[NDArray[np.float32]], NDArray[np.float32]]
NAMES = {"onnxruntime": "ONNX Runtime", "openvino": "OpenVINO"}
PACKAGED = shipped.MODEL


class Exported(nn.Module):
    """An ONNX file as a network: images N x 3 x S x S, float32, to logits N x 1.

    It cannot be trained and has no gradients; several threads may call it at once.
    """

    def __init__(self, runner: Runner, origin: Origin, engine: Engine) -> None:
        super().__init__()
        self.origin, self.engine = origin, engine
        self._runner = runner
        # Whoever scores asks a network where its parameters are; these are not torch's.
        self.nowhere = nn.Parameter(torch.empty(0), requires_grad=False)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Logits, N x 1, of normalised images, N x 3 x S x S."""
        return torch.from_numpy(self._runner(images.contiguous().numpy()))


def load(
    path: Path | str, threads: int | None = None, engine: Engine | None = None
) -> tuple[nn.Module, Card]:
    """The network of a file, in eval mode, and its card.

    An ONNX file runs on ``threads`` threads (None: as many as torch uses) in ``engine``; None
    chooses OpenVINO where it is installed, which is the faster one (docs/decisions/int8.md),
    else ONNX Runtime. Raises ModelUnreadable.
    """
    path = Path(path)
    if path.suffix != ".onnx":
        return models.load(path)
    content, card, origin = onnx_files.read(path)
    chosen = engine or _fastest()
    start = {"onnxruntime": _onnxruntime, "openvino": _openvino}[chosen]
    try:
        runner = start(content, threads or torch.get_num_threads())
        answer = runner(np.zeros((1, 3, card.image_size, card.image_size), np.float32))
    except Exception as error:  # the engines raise a dozen unrelated kinds
        reason = " ".join(str(error).split())[:200]
        raise ModelUnreadable(f"{path}: {NAMES[chosen]} cannot run it ({reason})") from None
    if answer.shape != (1, 1) or not np.isfinite(answer).all():
        raise ModelUnreadable(f"{path}: gives no number for a face; export it again")
    return Exported(runner, origin, chosen).eval(), card


def parameters(model: nn.Module) -> int:
    """Number of trainable values; of an exported network, those of its source."""
    return model.origin.parameters if isinstance(model, Exported) else footprint.parameters(model)


def macs(model: nn.Module, image_size: int) -> int:
    """Multiply-accumulates for one image; of an exported network, those of its source."""
    return model.origin.macs if isinstance(model, Exported) else footprint.macs(model, image_size)


def describe(model: nn.Module) -> str:
    """What computes it, in words."""
    if isinstance(model, Exported):
        return f"{NAMES[model.engine]}, {model.origin.precision}"
    return "PyTorch, eager, fp32"


def _fastest() -> Engine:
    return "openvino" if importlib.util.find_spec("openvino") else "onnxruntime"


def _onnxruntime(content: bytes, threads: int) -> Runner:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 4
    # A thread that waits by spinning takes the core from the one that decodes.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    session = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])

    def run(images: NDArray[np.float32]) -> NDArray[np.float32]:
        return np.asarray(session.run(None, {INPUT: images})[0], np.float32)

    return run


def _openvino(content: bytes, threads: int) -> Runner:
    import openvino

    core = openvino.Core()
    settings = {
        "INFERENCE_NUM_THREADS": threads,
        "NUM_STREAMS": 1,
        "PERFORMANCE_HINT": "LATENCY",
        # Its own choice is bfloat16 where the processor has it: other answers elsewhere.
        "INFERENCE_PRECISION_HINT": "f32",
        "ENABLE_CPU_PINNING": False,
    }
    compiled = core.compile_model(core.read_model(content), "CPU", settings)
    # A request serves one caller at a time.
    own = threading.local()

    def run(images: NDArray[np.float32]) -> NDArray[np.float32]:
        if not hasattr(own, "request"):
            own.request = compiled.create_infer_request()
        found = own.request.infer({0: images}, share_inputs=True)
        return np.array(found[0], np.float32)  # a copy: the request reuses its memory

    return run
