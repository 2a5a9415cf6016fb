"""Who sends a request: this service's own page and programs may, other pages may not."""

import re

from starlette.datastructures import Headers
from starlette.types import Scope

from litefake.web.limits import Foreign, Malformed

# Under another name, a page elsewhere has pointed that name here (DNS rebinding).
OURS = re.compile(r"(127\.0\.0\.1|localhost)(:\d+)?", re.IGNORECASE)


def check_sender(scope: Scope) -> None:
    """Let pass what is sent to our name and, if it changes anything, by our page or a program.

    Of a page the browser tells the origin; a program such as curl tells none. Raises Malformed
    and Foreign.
    """
    headers = Headers(scope=scope)
    host = headers.get("host", "")
    if not OURS.fullmatch(host):
        raise Malformed("ask for this service as 127.0.0.1 or localhost")
    if scope["method"] in ("GET", "HEAD"):
        return
    # What a proxy was asked for. No page can pretend it: the browser asks us before it sends
    # that header for a page elsewhere, and is refused.
    host = headers.get("x-forwarded-host", host).split(",")[0].strip()
    origin = headers.get("origin")
    elsewhere = origin is not None and origin.partition("://")[2] != host
    if elsewhere or headers.get("sec-fetch-site") == "cross-site":
        raise Foreign("only the page of this service and programs may send this")
