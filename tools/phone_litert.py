"""A student as a LiteRT (TensorFlow Lite) file; its CPU kernels are XNNPACK's as well."""

from pathlib import Path

import litert_torch
import torch
from ai_edge_litert.interpreter import Interpreter
from ai_edge_quantizer import quantizer, recipe
from torch import nn

from litefake.dataset import Faces
from tools.phone import Logit, single

SUFFIX = ".tflite"
SIGNATURE = "serving_default"


def write(model: nn.Module, example: torch.Tensor, faces: Faces, plain: Path, small: Path) -> None:
    """See ``phone.PhoneRuntime``."""
    litert_torch.convert(model, (example,)).export(str(plain))
    shrink(faces, plain, small)


def shrink(faces: Faces, plain: Path, small: Path) -> None:
    """The 8-bit file of the fp32 one: weights per channel, activations as ``faces`` range them."""
    tool = quantizer.Quantizer(str(plain), recipe.static_wi8_ai8())
    name = next(iter(_interpreter(plain).get_signature_runner(SIGNATURE).get_input_details()))
    images = [{name: image.numpy()} for image in single(faces)]
    ranges = tool.calibrate({SIGNATURE: images}, num_threads=1)
    small.unlink(missing_ok=True)
    tool.quantize(ranges, serialize_to_path=small)


def runner(path: Path) -> Logit:
    """See ``phone.PhoneRuntime``."""
    interpreter = _interpreter(path)
    (given,), (answer,) = interpreter.get_input_details(), interpreter.get_output_details()

    def logit(image: torch.Tensor) -> float:
        interpreter.set_tensor(given["index"], image.numpy())
        interpreter.invoke()
        return float(interpreter.get_tensor(answer["index"])[0, 0])

    return logit


def _interpreter(path: Path) -> Interpreter:
    interpreter = Interpreter(str(path), num_threads=1)
    interpreter.allocate_tensors()
    return interpreter
