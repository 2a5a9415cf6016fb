"""The words and pictures that every part of the page uses."""

import base64
from html import escape
from typing import Any


def percent(value: float) -> str:
    """A probability as the page writes it: ``83 %``."""
    return f"{100 * value:.0f} %"


def place(face: dict[str, Any]) -> str:
    """Where in the clip a face was seen."""
    if face["seconds"] is None:
        return f"in frame {face['frame']:.0f}"
    return f"at {face['seconds']:.1f} s"


def image(data: str, text: str) -> str:
    """A JPEG in base64 as an element, with ``text`` for those who do not see it."""
    # Encoded anew: nothing in it can end the attribute.
    safe = base64.b64encode(base64.b64decode(data)).decode("ascii")
    return f'<img src="data:image/jpeg;base64,{safe}" alt="{escape(text)}">'
