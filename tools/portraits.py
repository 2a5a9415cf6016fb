"""Bring the portraits that self-blending starts from: ``python -m tools.portraits``.

Two public repositories, MIT-licensed, at pinned commits; only their 512 px portraits, to
``data/portraits/<repository>/<person>.jpg``. Every file is checked against
``tools/portraits.sha256`` before it is written. docs/portraits.md says whose faces they are.
"""

import argparse
import hashlib
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from litefake import errors
from litefake.artifacts import replacing
from litefake.errors import DataMissing

FOLDER = Path("data/portraits")
CHECKSUMS = Path(__file__).with_suffix(".sha256")
OWNER = "https://github.com/CivilServiceUSA"
COMMITS = {
    "us-house": "abf6d4d9b5332603b35760462ba2cdaa25a6fb56",
    "us-senate": "9247c869e4d0af929096475cbb950d5f72666eba",
}
INSIDE = "images/headshots/512x512"
SECONDS = 600  # that one git command may take


class Chosen(NamedTuple):
    """Portraits by their path, ``us-house/ann-lee.jpg``, with their SHA-256.

    kept: those to bring, one a person.
    twice: those left out, each with the kept portrait whose person or content it repeats.
    """

    kept: dict[str, str]
    twice: dict[str, str]


def read_checksums(path: Path = CHECKSUMS) -> dict[str, str]:
    """Path -> SHA-256, from a list as ``sha256sum`` writes it."""
    lines = path.read_text(encoding="utf-8").splitlines()
    return {name: digest for digest, name in (line.split("  ", 1) for line in lines)}


def choose(checksums: Mapping[str, str]) -> Chosen:
    """The first portrait of every person: a name or a content seen before is a repetition."""
    chosen = Chosen({}, {})
    first: dict[str, str] = {}
    for name, digest in sorted(checksums.items()):
        before = first.get(digest) or first.get(Path(name).stem)
        if before:
            chosen.twice[name] = before
            continue
        chosen.kept[name] = digest
        first |= {digest: name, Path(name).stem: name}
    return chosen


def is_complete(checksums: Mapping[str, str], folder: Path) -> bool:
    """Whether ``folder`` holds every portrait. Raises DataMissing, naming it, if one differs."""
    present = [name for name in checksums if (folder / name).is_file()]
    for name in present:
        if _sha256((folder / name).read_bytes()) != checksums[name]:
            raise DataMissing(
                f"{folder / name}: differs from its checksum in {CHECKSUMS.name}; "
                "remove it and run `make portraits` again"
            )
    return len(present) == len(checksums)


def bring(checksums: Mapping[str, str], source: Path, folder: Path) -> None:
    """Copy the portraits from the repositories under ``source`` to ``folder``.

    Raises DataMissing, naming the file, when one is absent or is not the one of the list;
    nothing of it is written then.
    """
    found = {name: _repository(source, name) for name in {one.split("/")[0] for one in checksums}}
    contents = {}
    for name, digest in checksums.items():
        repository, file = name.split("/")
        path = found[repository] / file
        if not path.is_file():
            raise DataMissing(f"{path}: not found; get {_address(repository)} anew")
        contents[name] = path.read_bytes()
        if _sha256(contents[name]) != digest:
            raise DataMissing(
                f"{path}: differs from its checksum in {CHECKSUMS.name}; "
                f"get {_address(repository)} anew"
            )
    for name, content in contents.items():
        with replacing(folder / name) as temporary:
            temporary.write_bytes(content)


def download(folder: Path, owner: str = OWNER) -> None:
    """Fetch the pinned commits into ``folder/<repository>``, the portraits alone.

    Raises DataMissing when git is absent or fails, as it does without a network.
    """
    for name, commit in COMMITS.items():
        clone = folder / name
        clone.mkdir(parents=True)
        _git(clone, "init", "--quiet")
        _git(clone, "remote", "add", "origin", f"{owner}/{name}.git")
        _git(clone, "sparse-checkout", "set", "--no-cone", f"/{name}/{INSIDE}/")
        _git(clone, "fetch", "--quiet", "--depth=1", "--filter=blob:none", "origin", commit)
        _git(clone, "checkout", "--quiet", "FETCH_HEAD")


def _git(clone: Path, *arguments: str) -> None:
    try:
        # No prompt for a name and password: GitHub asks for them when a repository is gone.
        command = ["git", "-C", str(clone), "-c", "core.askPass=", *arguments]
        subprocess.run(
            command,
            check=True,
            capture_output=True,
            text=True,
            timeout=SECONDS,
            stdin=subprocess.DEVNULL,
        )
    except FileNotFoundError:
        raise DataMissing(_by_hand("git is not installed")) from None
    except subprocess.TimeoutExpired:
        raise DataMissing(_by_hand(f"git took more than {SECONDS} s")) from None
    except subprocess.CalledProcessError as error:
        said = (error.stderr.strip() or f"git ended with {error.returncode}").splitlines()[-1]
        raise DataMissing(_by_hand(said)) from None


def _by_hand(reason: str) -> str:
    addresses = " and ".join(_address(name) for name in COMMITS)
    return (
        f"the portraits cannot be downloaded ({reason}); get {addresses} elsewhere and run "
        f"`python -m tools.portraits --from FOLDER` on the folder that holds both, or put the "
        f"files of */{INSIDE}/ at {FOLDER}/us-house/<name>.jpg and {FOLDER}/us-senate/<name>.jpg"
    )


def _address(repository: str) -> str:
    return f"{OWNER}/{repository} at commit {COMMITS[repository]}"


def _repository(source: Path, name: str) -> Path:
    """Where the portraits of a repository lie below ``source``, a clone or an unpacked archive."""
    if not source.is_dir():
        raise DataMissing(f"{source}: no such folder")
    found = sorted(source.rglob(f"{name}/{INSIDE}"))
    if not found:
        raise DataMissing(f"{source}: no {name}/{INSIDE} in it; get {_address(name)}")
    return found[0]


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def main() -> None:
    """Bring what is missing, check what is there, say what there is."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--from", dest="source", type=Path, help="repositories already here")
    parser.add_argument("--to", dest="folder", type=Path, default=FOLDER)
    options = parser.parse_args()
    chosen = choose(read_checksums())
    if not is_complete(chosen.kept, options.folder):
        if options.source:
            bring(chosen.kept, options.source, options.folder)
        else:
            with tempfile.TemporaryDirectory() as temporary:
                download(Path(temporary))
                bring(chosen.kept, Path(temporary), options.folder)
    print(
        f"{options.folder}: {len(chosen.kept)} portraits, one a person, every checksum right; "
        f"{len(chosen.twice)} left out that show a person twice"
    )


if __name__ == "__main__":
    errors.run(main)
