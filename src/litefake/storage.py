"""Failures to write, in one line."""

import contextlib
import errno
from collections.abc import Iterator

from litefake.errors import LitefakeError

OF_WRITING = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EACCES, errno.EPERM}


@contextlib.contextmanager
def writing() -> Iterator[None]:
    """As a context or a decorator: a full disk or a folder without permission is one line.

    Raises LitefakeError.
    """
    try:
        yield
    except OSError as error:
        if error.errno not in OF_WRITING:
            raise
        raise LitefakeError(
            f"{error}; the disk is full or the folder not writable: free space or change its"
            " permissions, then run again"
        ) from None
