"""Section ``dataset`` of params.yaml: which data sets are used, and which part of each."""

from typing import Annotated, Literal, Self

from pydantic import Field, field_validator, model_validator

from litefake.layouts import celebdf, dfdc
from litefake.layouts.rows import REAL
from litefake.params import Section

ONLY_METHOD = {"celebdf": celebdf.METHOD, "dfdc": dfdc.METHOD}

Layout = Literal["ffpp", "faces", "celebdf", "dfdc", "folder", "portraits"]
Compression = Literal["raw", "c23", "c40"]
MethodName = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]*$")]
DatasetName = Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_-]*$")]


class SourceParams(Section):
    """One data set: where it lies and which part of it is used.

    ``compression`` is of layout ffpp alone and may be a list; ``methods`` may be left out
    where the layout knows them.
    """

    root: str
    layout: Layout
    compression: Compression | list[Compression] | None = None
    methods: list[MethodName] | None = Field(default=None, min_length=1)
    name: DatasetName | None = None  # the layout's when there is none

    @field_validator("methods")
    @classmethod
    def _distinct_fakes(cls, methods: list[str] | None) -> list[str] | None:
        if methods is None:
            return None
        if REAL in methods:
            raise ValueError(f"{REAL} is the real class and always used; name only the fakes")
        if len(set(methods)) < len(methods):
            raise ValueError("a method is named twice")
        return methods

    @model_validator(mode="after")
    def _what_the_layout_needs(self) -> Self:
        if self.layout == "ffpp" and not self.compressions:
            raise ValueError("layout ffpp needs compression: raw, c23 or c40, or a list of them")
        if len(set(self.compressions)) < len(self.compressions):
            raise ValueError("a compression is named twice")
        if self.layout in ("ffpp", "faces") and self.methods is None:
            raise ValueError(f"layout {self.layout} needs methods")
        only = ONLY_METHOD.get(self.layout)
        if only and self.methods not in (None, [only]):
            raise ValueError(f"layout {self.layout} has the method {only} alone; remove methods")
        return self

    @property
    def compressions(self) -> list[Compression]:
        """All that are used, also when there is but one."""
        one = self.compression
        return one if isinstance(one, list) else [one] if one else []

    @property
    def label(self) -> str:
        """The name that tells this data set from others."""
        return self.name or self.layout

    @property
    def held_ready(self) -> bool:
        """Whether the data set holds images, so that no frame is to be extracted."""
        return self.layout in ("faces", "portraits")


class DatasetParams(SourceParams):
    """Section ``dataset``: the data set of the run, and further ones that are used with it."""

    also: list[SourceParams] = Field(default=[])

    @model_validator(mode="after")
    def _told_apart(self) -> Self:
        labels = [source.label for source in self.sources]
        if len(set(labels)) < len(labels):
            raise ValueError("two data sets have one name; give each of them a name of its own")
        if self.also and "portraits" in [source.layout for source in self.sources]:
            raise ValueError("layout portraits cannot be used together with other data sets")
        if len({source.held_ready for source in self.sources}) > 1:
            raise ValueError("data sets of videos and of ready crops cannot be used together")
        return self

    @property
    def sources(self) -> list[SourceParams]:
        """This data set and those in ``also``."""
        return [self, *self.also]
