"""A request's body, which may be neither too large nor too slow."""

import asyncio

from starlette.types import Message, Receive, Scope

from litefake.web.limits import Refused, TooLarge, TooSlowUpload


class Body:
    """A request's body that ends with a Refused when it grows or lasts too long."""

    def __init__(self, receive: Receive, most: int, too_large: str, seconds: float) -> None:
        self._receive, self._most, self._too_large = receive, most, too_large
        self._deadline = asyncio.get_running_loop().time() + seconds
        self._seen, self._complete = 0, False
        self._peeked: list[Message] = []
        self.refused: Refused | None = None

    def check_header(self, scope: Scope) -> None:
        """Refuse at once what says that it is too large. Raises TooLarge."""
        length = dict(scope["headers"]).get(b"content-length", b"0")
        if length.isdigit() and int(length) > self._most:
            raise TooLarge(self._too_large)

    async def peek(self) -> bytes:
        """The whole body; ``receive`` gives it again."""
        while not self._complete:
            message = await self._next()
            self._peeked.append(message)
            if message["type"] == "http.disconnect":
                break
        return b"".join(message.get("body", b"") for message in self._peeked)

    async def receive(self) -> Message:
        """The next ASGI message. Raises TooLarge and TooSlowUpload."""
        return self._peeked.pop(0) if self._peeked else await self._next()

    async def _next(self) -> Message:
        if self._complete:  # only a disconnect is still to come, however late
            return await self._receive()
        try:
            async with asyncio.timeout_at(self._deadline):
                message = await self._receive()
        except TimeoutError:
            self.refused = TooSlowUpload("the file did not arrive in time")
            raise self.refused from None
        self._seen += len(message.get("body", b""))
        self._complete = not message.get("more_body", False)
        if self._seen > self._most:
            self.refused = TooLarge(self._too_large)
            raise self.refused
        return message
