"""``python -m litefake``: the command line without installing the package."""

from litefake import cli, errors

if __name__ == "__main__":
    errors.run(cli.app)
