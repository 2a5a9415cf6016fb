"""Find the Chromium that the browser tests drive, or install one: ``python -m tools.browser``."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from litefake import errors
from litefake.errors import DataMissing

NAMES = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome"]


def find() -> str | None:
    """The path of a Chromium: one on PATH, else the one that playwright downloaded."""
    from playwright.sync_api import sync_playwright

    for name in NAMES:
        found = shutil.which(name)
        if found:
            return found
    with sync_playwright() as driver:
        own = driver.chromium.executable_path
    return own if Path(own).exists() else None


def install() -> None:
    """Install one: Debian's package for root, else playwright's download."""
    commands = [[sys.executable, "-m", "playwright", "install", "chromium"]]
    if os.geteuid() == 0 and shutil.which("apt-get"):
        package = ["apt-get", "install", "-qq", "-y", "--no-install-recommends", "chromium"]
        commands = [["apt-get", "update", "-qq"], package]
    for command in commands:
        subprocess.run(command, check=False, stdout=subprocess.DEVNULL)


def main() -> None:
    if find() is None:
        install()
    found = find()
    if found is None:
        raise DataMissing(
            "no Chromium for the browser tests; install the package chromium or google-chrome, "
            "or run `playwright install --with-deps chromium`"
        )
    print(found)


if __name__ == "__main__":
    errors.run(main)
