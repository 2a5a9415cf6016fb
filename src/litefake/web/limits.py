"""What one upload may cost, and the answers to those that want more."""

from pydantic import Field

from litefake.errors import LitefakeError
from litefake.params import Section


class Limits(Section):
    """The limits of a running service, as ``GET /api/limits`` tells them."""

    max_megabytes: int = Field(default=100, ge=1, le=2000)  # of an uploaded file
    max_video_seconds: float = Field(default=120.0, gt=0)  # from the first frame to the last
    max_side: int = Field(default=4096, ge=16, le=8192)  # px, of a frame
    workers: int = Field(default=1, ge=1, le=64)  # clips judged at the same time
    queue: int = Field(default=8, ge=0, le=1000)  # clips that may wait for a worker
    job_seconds: float = Field(default=60.0, gt=0)  # for one clip, waiting not counted
    upload_seconds: float = Field(default=120.0, gt=0)  # for the sending of one file
    memory_megabytes: int = Field(default=4096, ge=1024)  # of a worker
    store_megabytes: int = Field(default=2000, ge=1)  # of uploads and results kept for the page
    keep_minutes: float = Field(default=30.0, gt=0)  # how long the page's videos are kept

    @property
    def max_bytes(self) -> int:
        """The largest file that is taken."""
        return self.max_megabytes * 10**6

    @property
    def capacity(self) -> int:
        """How many clips may be inside, judged and waiting."""
        return self.workers + self.queue


class Refused(LitefakeError):
    """A clip that is not judged; ``status`` is what HTTP calls the reason."""

    status = 422


class Malformed(Refused):
    """A request that cannot be read, or that is not meant for this service."""

    status = 400


class Foreign(Refused):
    """A request that another page has the browser send."""

    status = 403


class NotFound(Refused):
    """Something that the service does not offer."""

    status = 404


class TooSlowUpload(Refused):
    """A file that did not arrive in time."""

    status = 408


class TooLarge(Refused):
    """A file with too many bytes."""

    status = 413


class NotAVideo(Refused):
    """A file that cannot be opened as a video, whatever its name says."""

    status = 415


class BeyondLimits(Refused):
    """A video that is too long or too large, or that cannot be decoded."""


class Busy(Refused):
    """Too many clips are waiting."""

    status = 429


class Failed(Refused):
    """A failure that is not the clip's: the model cannot be loaded, or answers with no number."""

    status = 500


class NoWorker(Refused):
    """No process can be had that would judge the clip."""

    status = 503


class TooSlow(Refused):
    """A clip that took longer than one may."""

    status = 504


def refusal(status: int, message: str) -> Refused:
    """The refusal of this status: how a worker's answer becomes an exception again."""
    kinds = {kind.status: kind for kind in Refused.__subclasses__()}
    return kinds.get(status, Refused)(message)
