"""``make portraits``: what it brings, what it refuses, and what it says without a network."""

import hashlib
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from litefake.errors import DataMissing
from tools import portraits

ROOT = Path(__file__).resolve().parent.parent
FILES = {"us-house/ann-lee.jpg": b"one", "us-house/bo-ray.jpg": b"two", "us-senate/cy.jpg": b"six"}
SUMS = {name: hashlib.sha256(content).hexdigest() for name, content in FILES.items()}


@pytest.fixture
def source(tmp_path):
    """The two repositories as unpacked archives, with more in them than is wanted."""
    for name, content in FILES.items():
        repository, file = name.split("/")
        images = tmp_path / "source" / f"{repository}-1a2b" / repository / "images"
        for size in ("512x512", "64x64"):
            (images / "headshots" / size).mkdir(parents=True, exist_ok=True)
            (images / "headshots" / size / file).write_bytes(content)
        (images / "headshots" / "512x512" / "README.md").write_text("about")
    return tmp_path / "source"


def files_in(folder):
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def git(folder, *arguments):
    name = ["-c", "user.name=a", "-c", "user.email=a@b.c"]
    done = subprocess.run(
        ["git", "-C", str(folder), *name, *arguments], check=True, capture_output=True, text=True
    )
    return done.stdout.strip()


def test_the_committed_list_names_536_people_once():
    sums = portraits.read_checksums()
    assert Counter(name.split("/")[0] for name in sums) == {"us-house": 436, "us-senate": 100}
    assert all(len(digest) == 64 for digest in sums.values())
    assert portraits.choose(sums) == (sums, {})


def test_one_portrait_is_kept_of_a_person_or_a_content_seen_twice():
    sums = {"us-senate/ann.jpg": "2", "us-house/ann.jpg": "1", "us-house/bo.jpg": "3",
            "us-senate/bob.jpg": "3"}  # fmt: skip
    kept, twice = portraits.choose(sums)
    assert kept == {"us-house/ann.jpg": "1", "us-house/bo.jpg": "3"}
    assert twice == {
        "us-senate/ann.jpg": "us-house/ann.jpg",
        "us-senate/bob.jpg": "us-house/bo.jpg",
    }


def test_only_the_portraits_are_brought(source, tmp_path):
    assert not portraits.is_complete(SUMS, tmp_path / "to")
    portraits.bring(SUMS, source, tmp_path / "to")
    assert files_in(tmp_path / "to") == set(SUMS)
    assert portraits.is_complete(SUMS, tmp_path / "to")


def test_a_changed_portrait_is_named_and_nothing_is_written(source, tmp_path):
    changed = next(source.rglob("512x512/bo-ray.jpg"))
    changed.write_bytes(b"other")
    with pytest.raises(DataMissing, match=r"bo-ray\.jpg: differs from its checksum"):
        portraits.bring(SUMS, source, tmp_path / "to")
    assert not (tmp_path / "to").exists()
    changed.unlink()
    with pytest.raises(DataMissing, match=r"bo-ray\.jpg: not found"):
        portraits.bring(SUMS, source, tmp_path / "to")


def test_a_portrait_that_is_here_is_checked_too(source, tmp_path):
    portraits.bring(SUMS, source, tmp_path / "to")
    (tmp_path / "to/us-senate/cy.jpg").write_bytes(b"seven")
    with pytest.raises(DataMissing, match=r"cy\.jpg: differs from its checksum"):
        portraits.is_complete(SUMS, tmp_path / "to")
    (tmp_path / "to/us-senate/cy.jpg").unlink()
    assert not portraits.is_complete(SUMS, tmp_path / "to")


def test_a_folder_without_the_repositories_is_one_line(tmp_path):
    with pytest.raises(DataMissing, match="nowhere: no such folder"):
        portraits.bring(SUMS, tmp_path / "nowhere", tmp_path / "to")
    with pytest.raises(DataMissing, match="no us-house/images/headshots/512x512 in it"):
        portraits.bring({"us-house/a.jpg": "1"}, tmp_path, tmp_path / "to")


def test_the_download_takes_the_pinned_commit_and_the_portraits_alone(
    source, tmp_path, monkeypatch
):
    commits = {}
    for name in portraits.COMMITS:
        remote = source / f"{name}-1a2b"
        git(remote, "init", "--quiet")
        git(remote, "config", "uploadpack.allowFilter", "true")
        git(remote, "config", "uploadpack.allowAnySHA1InWant", "true")
        git(remote, "add", ".")
        git(remote, "commit", "--quiet", "-m", "pinned")
        commits[name] = git(remote, "rev-parse", "HEAD")
        for path in remote.rglob("*.jpg"):
            path.write_bytes(b"newer")
        git(remote, "commit", "--quiet", "-am", "newer")
        (source / f"{name}.git").symlink_to(remote)
    monkeypatch.setattr(portraits, "COMMITS", commits)
    portraits.download(tmp_path / "got", source.as_uri())
    found = {path.parent.name for path in (tmp_path / "got").rglob("*.jpg")}
    assert found == {"512x512"}
    portraits.bring(SUMS, tmp_path / "got", tmp_path / "to")
    assert portraits.is_complete(SUMS, tmp_path / "to")


def test_without_a_network_one_line_says_where_the_files_go(tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "tools.portraits", "--to", str(tmp_path / "to")],
        cwd=ROOT,
        # No protocol is allowed, so git fails as it does without a network.
        env={"PYTHONPATH": "src:.", "PATH": "/usr/bin:/bin", "GIT_ALLOW_PROTOCOL": "none"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert len(done.stderr.splitlines()) == 1
    for said in (
        *portraits.COMMITS.values(),
        "--from FOLDER",
        "data/portraits/us-house/<name>.jpg",
    ):
        assert said in done.stderr
    assert not (tmp_path / "to").exists()
