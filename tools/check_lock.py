"""Check that dvc.lock, code, params.yaml, the committed metrics and the pages made of them agree.

``python -m tools.check_lock`` looks at the commit, so it needs no data: what Git does not
hold may be absent, everything else must be there and be what the lock file says.
"""

import json
import subprocess

from tools import pipeline
from tools.pipeline import ROOT
from tools.readme import PAGES, render


def main() -> None:
    problems = stale() + missing() + pages()
    for problem in problems:
        print(problem)
    if problems:
        raise SystemExit(f"lock check: {len(problems)} problem(s); run `make repro docs`, commit")
    print("lock check: dvc.lock, code, params, metrics and pages agree")


def stale() -> list[str]:
    """What ``dvc status`` reports, without files that Git ignores."""
    status = json.loads(output("dvc", "status", "--json"))
    found = []
    for stage, changes in status.items():
        for change in changes:
            # A change is {"changed deps": {path: state}}, or a bare word ("changed command").
            if isinstance(change, str):
                found.append(f"{stage}: {change}")
                continue
            for kind, paths in change.items():
                found += [
                    f"{stage}: {kind}: {path} is {state}"
                    for path, state in (paths or {"": ""}).items()
                    if not (path and absent_by_design(path))
                ]
    return found


def absent_by_design(path: str) -> bool:
    """Whether Git ignores ``path`` and it is not here."""
    ignored = subprocess.run(["git", "check-ignore", "-q", path], cwd=ROOT, check=False)
    return ignored.returncode == 0 and not (ROOT / path).exists()


def missing() -> list[str]:
    """Outputs under metrics/ that the lock names and the commit lacks."""
    committed = output("git", "ls-files", "metrics").splitlines()
    outs = pipeline.locked(output("git", "show", "HEAD:dvc.lock"))
    return [
        f"{path}: is in dvc.lock and not committed"
        for path in outs
        if path.startswith("metrics/")
        and not any(file == path or file.startswith(f"{path}/") for file in committed)
    ]


def pages() -> list[str]:
    """The pages whose generated parts are not those of the committed files."""
    return [f"{page}: outdated; run `make docs`" for page in PAGES if not current(page)]


def current(page: str) -> bool:
    text = committed(page)
    return render(text, committed) == text


def committed(name: str) -> str:
    """The text of a file in the last commit. Raises FileNotFoundError when it has none."""
    done = subprocess.run(["git", "show", f"HEAD:{name}"], cwd=ROOT, text=True, capture_output=True)
    if done.returncode != 0:
        raise FileNotFoundError(name)
    return done.stdout


def output(*command: str) -> str:
    done = subprocess.run(command, cwd=ROOT, text=True, capture_output=True, check=True)
    return done.stdout


if __name__ == "__main__":
    main()
