"""Run an exported network (ONNX) without torch: images in, logits out."""

import functools
import importlib.util
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from litefake import cam, onnx_files
from litefake.card import Card
from litefake.errors import ModelUnreadable
from litefake.onnx_files import INPUT, Origin

Engine = Literal["onnxruntime", "openvino"]
FloatImages = NDArray[np.float32]
Runner = Callable[[FloatImages], NDArray[np.float32]]
NAMES = {"onnxruntime": "ONNX Runtime", "openvino": "OpenVINO"}


class Exported:
    """An ONNX file as a network: images N x 3 x S x S, float32, to logits N x 1.

    Several threads may call it at once.
    """

    def __init__(self, content: bytes, origin: Origin, engine: Engine, threads: int) -> None:
        self.origin, self.engine = origin, engine
        self._content, self._threads = content, threads
        self._runner = self._start(content)

    def __call__(self, images: FloatImages) -> NDArray[np.float32]:
        """Logits, N x 1, of normalised images, N x 3 x S x S."""
        return self._runner(np.ascontiguousarray(images))

    @property
    def parameters(self) -> int:
        """Number of trainable values of its source."""
        return self.origin.parameters

    def describe(self) -> str:
        """What computes it, in words."""
        return f"{NAMES[self.engine]}, {self.origin.precision}"

    def heat(self, images: FloatImages) -> NDArray[np.float32] | None:
        """What in each image spoke for fake: maps N x S x S in [0, 1] (``cam``).

        None when the network does not end as class activation maps need it.
        """
        if self._evidence is None:
            return None
        evidence = self._evidence(np.ascontiguousarray(images))
        return cam.heat(evidence[:, 0], images.shape[-1])

    @functools.cached_property
    def _evidence(self) -> Runner | None:
        # A network of its own, made when first wanted: the logits stay those of the file alone.
        content = cam.evidence_model(self._content)
        return None if content is None else self._start(content)

    def _start(self, content: bytes) -> Runner:
        start = {"onnxruntime": _onnxruntime, "openvino": run_openvino}[self.engine]
        return start(content, self._threads)


def load(path: Path | str, threads: int, engine: Engine | None = None) -> tuple[Exported, Card]:
    """The network of an ONNX file and its card.

    It runs on ``threads`` threads in ``engine``; None chooses OpenVINO where it is installed,
    which is the faster one (docs/decisions/int8.md), else ONNX Runtime. Raises ModelUnreadable.
    """
    content, card, origin = onnx_files.read(path)
    chosen = engine or _fastest()
    try:
        network = Exported(content, origin, chosen, threads)
        answer = network(np.zeros((1, 3, card.image_size, card.image_size), np.float32))
    except Exception as error:  # the engines raise a dozen unrelated kinds
        reason = " ".join(str(error).split())[:200]
        raise ModelUnreadable(f"{path}: {NAMES[chosen]} cannot run it ({reason})") from None
    if answer.shape != (1, 1) or not np.isfinite(answer).all():
        raise ModelUnreadable(f"{path}: gives no number for a face; export it again")
    return network, card


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


def run_openvino(content: bytes, threads: int) -> Runner:
    """What OpenVINO makes of an ONNX file with one input and one output."""
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
