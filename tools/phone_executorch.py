"""A student as an ExecuTorch program that XNNPACK computes."""

import copy
from pathlib import Path

import torch
from executorch.backends.xnnpack.partition.xnnpack_partitioner import XnnpackPartitioner
from executorch.backends.xnnpack.quantizer.xnnpack_quantizer import (
    XNNPACKQuantizer,
    get_symmetric_quantization_config,
)
from executorch.exir import to_edge_transform_and_lower
from executorch.runtime import Runtime
from torch import nn
from torchao.quantization.pt2e.quantize_pt2e import convert_pt2e, prepare_pt2e

from litefake.dataset import Faces
from tools.phone import Logit, single

SUFFIX = ".pte"


def write(model: nn.Module, example: torch.Tensor, faces: Faces, plain: Path, small: Path) -> None:
    """See ``phone.PhoneRuntime``."""
    _compile(model, example, plain)
    _compile(_quantised(model, example, faces), example, small)


def _quantised(model: nn.Module, example: torch.Tensor, faces: Faces) -> nn.Module:
    """``model`` with 8-bit weights, per channel, and activations, as ``faces`` range them."""
    exported = torch.export.export(copy.deepcopy(model), (example,)).module()
    recipe = get_symmetric_quantization_config(is_per_channel=True)
    prepared = prepare_pt2e(exported, XNNPACKQuantizer().set_global(recipe))
    with torch.inference_mode():
        for image in single(faces):
            prepared(image)
    converted: nn.Module = convert_pt2e(prepared)
    return converted


def _compile(model: nn.Module, example: torch.Tensor, path: Path) -> None:
    """XNNPACK takes what it knows."""
    program = torch.export.export(model, (example,))
    lowered = to_edge_transform_and_lower(program, partitioner=[XnnpackPartitioner()])
    path.write_bytes(lowered.to_executorch().buffer)


def runner(path: Path) -> Logit:
    """See ``phone.PhoneRuntime``."""
    method = Runtime.get().load_program(path).load_method("forward")
    return lambda image: float(method.execute([image])[0])
