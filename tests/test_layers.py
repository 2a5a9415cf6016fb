"""The layers hold: a module imports only from rows below its own; closures stay apart."""

import ast
import re
from pathlib import Path

import pytest

from tools.stage_code import imported_files

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "src" / "litefake"
LAYERS = [
    ["errors"],
    ["ahead", "cluster", "process_pool", "seeds", "storage"],
    [
        "params",
        "artifacts",
        "parallel",
        "images",
        "orientation",
        "locks",
        "shipped",
        "outputs",
        "inputs",
        "scaling",
        "gops",
        "cam",
    ],
    [
        "frequency",
        "homogenization",
        "gradient_log",
        "face_warp",
        "regions",
        "rerendering",
        "blend_params",
    ],
    [
        "reproducibility",
        "recipe",
        "sightings",
        "tflite",
        "group_reader",
        "layouts",
        "staging",
        "crop_store",
    ],
    [
        "devices",
        "progress",
        "manifest",
        "video",
        "faces",
        "transforms",
        "aggregation",
        "calibration",
    ],
    [
        "two_branch",
        "landmarks",
        "card",
        "face_mesh",
        "selfblending",
        "degradation",
        "official",
        "metrics",
        "batches",
    ],
    ["blazeface", "pairs", "architectures"],
    ["detectors", "face_readers"],
    ["discovery"],
    [
        "apprentice",
        "extraction",
        "cropping",
        "splits",
        "models",
        "footprint",
        "latency",
        "checkpoints",
    ],
    ["starting", "dataset", "onnx_files", "saliency", "portraits"],
    ["exported"],
    ["scoring", "distillation", "dual", "tracking", "verdict", "robustness", "runtime"],
    ["networks", "shards", "marks", "quantization", "two_in_one", "places"],
    ["detection", "annotation"],
    ["training", "importance", "plots", "report", "onnx_export"],
    ["pruning", "comparison", "setting", "evaluation", "scoreboard"],
    ["evaluation_report"],
    ["preflight", "audit"],
    ["web"],
    ["cli"],
    ["__main__"],
]
LEVEL = {name: level for level, names in enumerate(LAYERS) for name in names}
PACKAGES = {"audit", "layouts", "pruning", "web"}  # layers that are folders
STAGES = sorted(path.stem for path in (ROOT / "stages").glob("[a-z]*.py"))
TRAINING = ["train_b0", "train_lite0", "kd_lite0", "train_dual", "kd_two_in_one", "prune_kd"]


def imports_of(path: Path) -> set[str]:
    """Modules of litefake that ``path`` imports, by their first name: ``demo``, ``faces``."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module == "litefake":
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith("litefake."):
            found.add(node.module.split(".")[1])
        elif isinstance(node, ast.Import):
            names = [alias.name for alias in node.names if alias.name.startswith("litefake.")]
            found |= {name.split(".")[1] for name in names}
    return found


def closure(stage: str) -> set[str]:
    return {Path(file).stem for file in imported_files(ROOT / "stages" / f"{stage}.py")}


def test_every_module_has_a_layer():
    found = {path.stem for path in PACKAGE.glob("*.py")} - {"__init__"}
    assert found | PACKAGES == set(LEVEL)


@pytest.mark.parametrize("name", sorted(LEVEL))
def test_a_module_imports_only_from_below(name):
    folder = PACKAGE / name
    files = folder.glob("*.py") if name in PACKAGES else [PACKAGE / f"{name}.py"]
    for file in files:
        others = imports_of(file) - {"demo"} - ({name} & PACKAGES)
        assert [other for other in others if LEVEL[other] >= LEVEL[name]] == [], file.name


def test_the_demo_stands_on_the_lowest_layers_and_carries_none():
    for path in (PACKAGE / "demo").glob("*.py"):
        assert all(LEVEL[name] <= 2 for name in imports_of(path) - {"demo"}), path.name
    modules = LEVEL.keys() - PACKAGES
    users = [name for name in modules if "demo" in imports_of(PACKAGE / f"{name}.py")]
    assert users == ["preflight"]


@pytest.mark.parametrize("stage", TRAINING)
def test_training_never_reaches_what_judges_it(stage):
    assert not closure(stage) & {"aggregation", "metrics", "latency", "comparison", "plots"}


@pytest.mark.parametrize("stage", STAGES)
def test_no_stage_reaches_the_command_line(stage):
    files = imported_files(ROOT / "stages" / f"{stage}.py")
    assert not closure(stage) & {"cli", "preflight", "__main__"}
    assert not [file for file in files if "/web/" in file]


def test_the_server_opens_no_clip_and_only_the_page_needs_gradio():
    for file in (PACKAGE / "web").glob("*.py"):
        text = file.read_text(encoding="utf-8")
        if file.stem not in ("worker", "job", "pictures"):  # what runs in a process of its own
            assert imports_of(file) <= {"web", "errors", "outputs", "params", "shipped"}, file.name
            assert not re.search(r"^\s*(import|from) (torch|cv2|av)\b", text, re.M), file.name
        assert ("import gradio" in text) == (file.stem in ("page", "parts")), file.name


def test_the_demo_is_reached_by_its_own_stage_alone():
    reaching = [
        stage
        for stage in STAGES
        if any("/demo/" in file for file in imported_files(ROOT / "stages" / f"{stage}.py"))
    ]
    assert reaching == ["make_demo"]


def opened(call: ast.Call) -> set[str]:
    """The splits that a call of ``read_split`` names, or how it names one that is not written."""
    given = [*call.args[2:3], *(one.value for one in call.keywords if one.arg == "split")]
    return {one.value if isinstance(one, ast.Constant) else ast.unparse(one) for one in given}


def test_the_test_split_is_opened_by_the_benchmark_alone():
    openers = {
        path.stem
        for path in [*PACKAGE.rglob("*.py"), *(ROOT / "stages").glob("*.py")]
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call)
        and "read_split" in ast.unparse(node.func)
        and not opened(node) <= {"train", "val"}
    }
    assert openers == {"comparison"}
    reaching = [stage for stage in STAGES if "comparison" in closure(stage)]
    assert reaching == ["benchmark"]
