import os
import subprocess
import sys
from pathlib import Path

import pytest

from litefake.errors import StageBusy
from litefake.locks import alone

SOURCE = Path(__file__).resolve().parent.parent / "src"


def test_a_second_process_is_told_which_one_holds_the_stage(tmp_path):
    code = (
        "import sys, time; from litefake.locks import alone; from pathlib import Path\n"
        f"with alone('tiny', Path({str(tmp_path)!r})):\n"
        "    print('held', flush=True); sys.stdin.read()\n"
    )
    environment = os.environ | {"PYTHONPATH": str(SOURCE)}
    with subprocess.Popen(
        [sys.executable, "-c", code],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=environment,
    ) as holder:
        assert holder.stdout.readline() == b"held\n"
        with pytest.raises(StageBusy, match=f"process {holder.pid} is running this stage"):
            alone("tiny", tmp_path).__enter__()
        holder.stdin.close()
    with alone("tiny", tmp_path):  # free again
        pass


def test_a_failed_stage_lets_go_of_its_lock(tmp_path):
    with pytest.raises(ValueError, match="inside"), alone("tiny", tmp_path):
        raise ValueError("inside")
    with alone("tiny", tmp_path):
        pass


def test_every_stage_runs_alone():
    scripts = sorted((SOURCE.parent / "stages").glob("[a-z]*.py"))
    assert len(scripts) >= 10
    for script in scripts:
        assert f'@alone("{script.stem}")\ndef main() -> None:' in script.read_text(encoding="utf-8")
