"""Takes single files out of ZIP and tar archives that nobody vouches for."""

from __future__ import annotations

import gzip
import lzma
import os
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from types import TracebackType
from typing import IO, TYPE_CHECKING

from tfaigc.errors import SourceError, suggestion
from tfaigc.sources.cache import require_space, temporary_path

if TYPE_CHECKING:
    from typing_extensions import Self

# What weights and texts compress to is far from a hundredth; an archive that swells further, beyond
# a size that does no harm, is meant to fill the disk.
MAX_RATIO = 100
HARMLESS_BYTES = 1 << 30
MAX_MEMBERS = 200_000
_CHUNK_BYTES = 1 << 20
_DAMAGES = (
    gzip.BadGzipFile,
    tarfile.TarError,
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    EOFError,
    NotImplementedError,
    RuntimeError,
    UnicodeDecodeError,
)


class UnknownPathError(SourceError):
    """An archive has no such path."""


@dataclass(frozen=True)
class Member:
    """One entry of an archive.

    Attributes:
        name: As the archive spells it.
        size: Bytes when extracted.
        kind: "file", "directory" or "other" (links, devices).
        entry: The archive library's own object.
    """

    name: str
    size: int
    kind: str
    entry: zipfile.ZipInfo | tarfile.TarInfo


class Archive:
    """A ZIP or tar archive, by its content, opened for reading.

    Args:
        path: The file.

    Raises:
        SourceError: It is no archive, or has entries that point out of it.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._archive: zipfile.ZipFile | tarfile.TarFile
        with _damages(path):
            if zipfile.is_zipfile(path):
                self._archive = zipfile.ZipFile(path)
                entries = map(_zip_member, self._archive.infolist())
            else:
                self._archive = tarfile.open(path)  # noqa: SIM115 - closed by close()
                entries = map(_tar_member, self._archive)
            self.members = _checked(path, entries)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._archive.close()

    def select(self, wanted: str) -> dict[str, Member]:
        """Finds a file, or all files below a directory.

        Args:
            wanted: A path in the archive. Where all entries lie in one top directory, as in source
                distributions, it may be left out.

        Returns:
            Paths, each beginning with `wanted`, to members.

        Raises:
            SourceError: Nothing is there, or links are among it.
        """
        tops = {member.name.split("/", 1)[0] for member in self.members}
        prefixes = [""] + [f"{top}/" for top in tops if len(tops) == 1]
        for prefix in prefixes:
            found = {
                member.name.removeprefix(prefix): member
                for member in self.members
                if member.kind != "directory"
                and (member.name == prefix + wanted or member.name.startswith(f"{prefix}{wanted}/"))
            }
            if found:
                self._require_plain_files(found)
                return found
        paths = {
            member.name.removeprefix(prefix) for member in self.members for prefix in prefixes[-1:]
        }
        raise UnknownPathError(
            f"The path must name a file or directory in {self.path.name}. Received: {wanted!r}."
            f"{_near_path(wanted, paths)}"
        )

    def extract(self, member: Member, destination: Path) -> None:
        """Writes one member to a file, atomically.

        Args:
            member: One that `select` gave.
            destination: The file; its directory is made.

        Raises:
            SourceError: The archive is damaged or the disk is full.
        """
        with temporary_path(destination.parent) as temporary, _damages(self.path):
            require_space(destination.parent, member.size)
            with self._open(member) as source, temporary.open("wb") as target:
                left = member.size
                while chunk := source.read(min(_CHUNK_BYTES, left + 1)):
                    left -= len(chunk)
                    if left < 0:
                        break
                    target.write(chunk)
            if left:
                raise zipfile.BadZipFile(f"{member.name} has not the size that it states")
            os.replace(temporary, destination)

    def _open(self, member: Member) -> IO[bytes]:
        if isinstance(self._archive, zipfile.ZipFile):
            assert isinstance(member.entry, zipfile.ZipInfo)
            return self._archive.open(member.entry)
        assert isinstance(member.entry, tarfile.TarInfo)
        stream = self._archive.extractfile(member.entry)
        assert stream is not None  # Members that are plain files have content.
        return stream

    def _require_plain_files(self, found: dict[str, Member]) -> None:
        for member in found.values():
            if member.kind != "file":
                raise SourceError(
                    f"What is taken from {self.path.name} must be plain files. Received: a link or "
                    f"device, {member.name!r}. Name single files instead."
                )


def _zip_member(info: zipfile.ZipInfo) -> Member:
    mode = info.external_attr >> 16
    kind = "directory" if info.is_dir() else "file"
    if stat.S_IFMT(mode) not in (0, stat.S_IFREG, stat.S_IFDIR):
        kind = "other"
    return Member(info.filename.rstrip("/"), info.file_size, kind, info)


def _tar_member(info: tarfile.TarInfo) -> Member:
    kind = "file" if info.isreg() else "directory" if info.isdir() else "other"
    return Member(info.name.removeprefix("./").rstrip("/"), info.size, kind, info)


def _checked(path: Path, members: Iterator[Member]) -> list[Member]:
    checked: list[Member] = []
    room = max(HARMLESS_BYTES, MAX_RATIO * path.stat().st_size)
    for member in members:
        parts = PurePosixPath(member.name).parts
        if member.name.startswith("/") or ".." in parts or "\\" in member.name:
            raise SourceError(
                f"{path.name} must only have entries that lie inside it. Received: "
                f"{member.name!r}. Nothing was extracted. Do not use this package."
            )
        room -= member.size
        if room < 0 or len(checked) == MAX_MEMBERS:
            raise SourceError(
                f"{path.name} must have at most {MAX_MEMBERS} entries and hold at most {MAX_RATIO} "
                "times its own size. Received: more. Do not use this package; if you trust it, "
                "unpack it yourself and point to the directory."
            )
        checked.append(member)
    return checked


@contextmanager
def _damages(path: Path) -> Iterator[None]:
    try:
        yield
    except _DAMAGES as error:
        raise SourceError(
            f"{path.name} must be a whole ZIP or tar archive. Received: {error}. Remove {path} and "
            "try again."
        ) from error


def _near_path(wanted: str, paths: set[str]) -> str:
    directories = {str(parent) for path in paths for parent in PurePosixPath(path).parents} - {"."}
    same_name = sorted(path for path in paths if PurePosixPath(path).name == wanted.split("/")[-1])
    if same_name:
        return f" Did you mean {same_name[0]!r}?"
    hint = suggestion(wanted, paths | directories)
    if hint:
        return hint
    top = sorted({path.split("/", 1)[0] for path in paths})
    return f" At its top are: {', '.join(top[:10])}."
