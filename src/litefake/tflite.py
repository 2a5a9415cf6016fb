"""The packaged .tflite networks, run by OpenVINO on one thread."""

import threading
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

ASSETS = Path(__file__).with_name("assets")


class Tflite:
    """A network of the folder ``assets``, for one caller at a time."""

    def __init__(self, name: str) -> None:
        # Takes half a second, which a run without these networks need not spend.
        import openvino

        settings = {
            "NUM_STREAMS": 1,
            "INFERENCE_NUM_THREADS": 1,
            "INFERENCE_PRECISION_HINT": "f32",  # some CPUs would take bf16 and give other answers
            "ENABLE_CPU_PINNING": False,  # or all worker processes meet on the first core
        }
        self._network = openvino.Core().compile_model(ASSETS / name, "CPU", settings)
        self._turn = threading.Lock()  # a compiled model serves one caller at a time

    def __call__(self, images: NDArray[np.floating]) -> list[NDArray[Any]]:
        """Every answer for ``images``, in the network's order, without the axis of the batch."""
        with self._turn:
            return [output[0].copy() for output in self._network([images]).values()]
