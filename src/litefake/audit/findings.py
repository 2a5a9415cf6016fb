"""One thing that is wrong with a data set."""

from collections.abc import Sequence
from typing import Any, NamedTuple


class Finding(NamedTuple):
    """``kind`` is one word for programs, ``text`` a line for people, ``items`` what is meant.

    ``part`` is the compression that it was found in, empty when there is but one.
    """

    kind: str
    text: str
    items: Sequence[str] = ()
    part: str = ""

    def within(self, part: str) -> "Finding":
        """The same, found in ``part`` of the data set."""
        return self._replace(text=f"{part}: {self.text}", part=part)

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return self._asdict() | {"items": list(self.items)}
