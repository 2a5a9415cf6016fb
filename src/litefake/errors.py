"""What can go wrong, drawn as one tree, and the one way out of a program.

LitefakeError                one line that names the file and the remedy
├── ParamsInvalid            a key, a type or a range in params.yaml
├── DataMissing              a folder, a class or a split that is not there
├── VideoUnreadable          a clip that cannot be decoded
├── NoFaceFound              an image or a clip without a face
├── ModelUnreadable          a weights file that is damaged, foreign or a pickle
├── TrainingFailed           a loss that is not a number, a network that collapsed
└── StageBusy                another process is running the same stage
"""

import errno
import sys
from collections.abc import Callable

# What the machine refuses, wherever it happens, and the remedy.
OUTSIDE = {
    errno.EACCES: "let this user read or write it, or name another place",
    errno.EROFS: "name a place that can be written",
    errno.ENOSPC: "make room and run it again; what is finished is kept",
    errno.ENAMETOOLONG: "shorten the name",
    errno.EISDIR: "name a file",
}


class LitefakeError(Exception):
    """A failure that the user can act on; its text is one line."""


class ParamsInvalid(LitefakeError):
    """A parameter is unknown, missing, of the wrong type or out of range."""


class DataMissing(LitefakeError):
    """A data set, a class of it or a split is absent or empty."""


class VideoUnreadable(LitefakeError):
    """A video cannot be opened or gives no frame."""


class NoFaceFound(LitefakeError):
    """No face was detected where one is needed."""


class ModelUnreadable(LitefakeError):
    """A model file is damaged, of another architecture, or not safetensors."""


class TrainingFailed(LitefakeError):
    """A loss or a network became unusable while training."""


class StageBusy(LitefakeError):
    """Another process holds the lock of this stage."""


def run(main: Callable[[], None]) -> None:
    """Call ``main``; turn a LitefakeError, or what OUTSIDE names, into one line and exit code 2.

    Everything else is a bug and keeps its traceback.
    """
    try:
        main()
    except LitefakeError as error:
        line = str(error)
    except OSError as error:
        if error.errno not in OUTSIDE:
            raise
        where = "" if error.filename is None else f"{error.filename}: "
        line = f"{where}{error.strerror}; {OUTSIDE[error.errno]}"
    else:
        return
    print(f"error: {' '.join(line.split())}", file=sys.stderr)
    raise SystemExit(2)
