"""One thing that is wrong with a data set."""

from collections.abc import Sequence
from typing import Any, NamedTuple


class Finding(NamedTuple):
    """``kind`` is one word for programs, ``text`` a line for people, ``items`` what is meant."""

    kind: str
    text: str
    items: Sequence[str] = ()

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {"kind": self.kind, "text": self.text, "items": list(self.items)}
