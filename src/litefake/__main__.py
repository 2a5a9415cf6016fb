"""``python -m litefake``: the command line without installing the package."""

from litefake import cli

if __name__ == "__main__":
    cli.main()
