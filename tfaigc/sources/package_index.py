"""Finds and fetches the archives of one release of a package."""

from __future__ import annotations

import logging
import ssl
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, cast

from tfaigc.errors import SourceError, suggestion
from tfaigc.sources.cache import temporary_path
from tfaigc.sources.download import RETRY_DELAYS, download
from tfaigc.sources.index_settings import IndexSettings
from tfaigc.sources.progress import Progress

if TYPE_CHECKING:
    from unearth import Package
    from unearth.fetchers import Fetcher, PyPIClient

_NEXT_MOVE = (
    "Check the network and the index settings ('pip config list'), or pass a local directory."
)


@dataclass(frozen=True)
class Release:
    """One version of a package, pinned to one file where a sha256 is given.

    Attributes:
        name: The package's name, normalized.
        version: Its version, normalized.
        sha256: Hexadecimal digest of the archive, or None.
    """

    name: str
    version: str
    sha256: str | None = None

    def __str__(self) -> str:
        return f"{self.name}=={self.version}"


@dataclass
class _Search:
    """What was found at all indexes together."""

    packages: list[Package] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)


def fetch_archives(
    release: Release, settings: IndexSettings, root: Path, progress: Progress
) -> Iterator[Path]:
    """Fetches a release's archives, one after the other, for as long as the caller asks.

    Args:
        release: The package and its version.
        settings: Where to look.
        root: The directory to keep archives in, as `root/SHA256/FILENAME`.
        progress: Shows how far a download is.

    Yields:
        Archives: first the wheel that fits this machine best, then the source distribution.

    Raises:
        SourceError: There is no such release, no index can be reached, or a download fails.
    """
    with _client(settings) as client:
        for package in _candidates(release, client, settings):
            link = package.link
            hashes = {name: values[0] for name, values in (link.hash_option or {}).items()}
            if release.sha256:
                hashes["sha256"] = release.sha256
            with temporary_path(root) as temporary:
                digest = download(
                    client,
                    link.url_without_fragment,
                    temporary,
                    name=link.filename,
                    hashes=hashes,
                    progress=progress,
                )
                path = root / digest / link.filename
                path.parent.mkdir(exist_ok=True)
                temporary.replace(path)
            yield path


@contextmanager
def _client(settings: IndexSettings) -> Iterator[PyPIClient]:
    from unearth.auth import MultiDomainBasicAuth
    from unearth.fetchers import PyPIClient

    try:
        context = ssl.create_default_context(cafile=settings.certificates)
        if settings.client_certificate:
            context.load_cert_chain(settings.client_certificate)
        opened = PyPIClient(
            trusted_hosts=settings.trusted_hosts,
            verify=context,
            timeout=settings.timeout,
            proxy=settings.proxy,
            follow_redirects=True,
        )
    except (OSError, ValueError) as error:
        raise SourceError(
            "The certificates and the proxy that pip is set to must be usable. Received: "
            f"{settings.certificates}, {settings.client_certificate}, proxy {settings.proxy} "
            f"({error}). Correct them ('pip config list')."
        ) from error
    with opened as client:
        client.auth = MultiDomainBasicAuth(prompting=False, index_urls=settings.index_urls)
        yield client


def _candidates(release: Release, client: PyPIClient, settings: IndexSettings) -> list[Package]:
    """Returns at most one wheel and one source distribution, in this order."""
    for delay in (*RETRY_DELAYS, None):
        search = _search(release.name, client, settings)
        matching = [package for package in search.packages if package.version == release.version]
        if matching:
            break
        if delay is None or not search.failures:
            raise _not_found(release, search, settings)
        time.sleep(delay)
    if release.sha256:
        stated = {
            package.link.filename: (package.link.hash_option or {}).get("sha256", [""])[0]
            for package in matching
        }
        pinned = [p for p in matching if stated[p.link.filename] in (release.sha256, "")]
        if not pinned:
            listing = ", ".join(f"{name} {digest}" for name, digest in stated.items())
            raise SourceError(
                f"A file of {release} must have the sha256 {release.sha256}. Received: {listing}. "
                "Check the pinned hash."
            )
        matching = sorted(pinned, key=lambda p: stated[p.link.filename] == "")
    wheels = [package for package in matching if package.link.is_wheel]
    others = [package for package in matching if not package.link.is_wheel]
    return wheels[:1] + others[:1]


def _search(name: str, client: PyPIClient, settings: IndexSettings) -> _Search:
    import httpx2
    from packaging.version import Version
    from unearth import Link, Package, PackageFinder

    search = _Search()
    places = [(url, True) for url in settings.index_urls]
    places += [(link, False) for link in settings.find_links if _reachable(link)]
    # One finder for each place, because a place that fails must not hide what others have.
    for url, is_index in places:
        finder = PackageFinder(
            cast("Fetcher", client),
            index_urls=[url] if is_index else [],
            find_links=[] if is_index else [url],
            trusted_hosts=settings.trusted_hosts,
            # Data is taken out of the archive and nothing is installed, so any platform's will do.
            ignore_compatibility=True,
            prefer_binary=[name],
        )
        try:
            with _collected_warnings(search.failures):
                found = list(finder.find_all_packages(name, allow_yanked=True))
        except (httpx2.HTTPError, httpx2.InvalidURL, OSError, ValueError) as error:
            search.failures.append(f"{Link(url).redacted}: {error}")
            continue
        for package in found:
            version = str(Version(package.version or "0"))
            search.packages.append(Package(package.name, version, package.link))
    return search


def _reachable(link: str) -> bool:
    """Says whether a place is worth asking: settings may name directories that are not there."""
    return "://" in link or Path(link).exists()


@contextmanager
def _collected_warnings(failures: list[str]) -> Iterator[None]:
    """Takes down what unearth warns of, which is the only way it tells of a page it cannot read."""

    def collect(record: logging.LogRecord) -> bool:
        message = record.getMessage()
        # That an index does not have the package is no failure.
        if record.levelno >= logging.WARNING and "Client Error(404)" not in message:
            failures.append(message)
        return False

    logger = logging.getLogger("unearth.collector")
    logger.addFilter(collect)
    try:
        yield
    finally:
        logger.removeFilter(collect)


def _not_found(release: Release, search: _Search, settings: IndexSettings) -> SourceError:
    from packaging.version import Version

    versions = sorted({str(package.version) for package in search.packages}, key=Version)
    trouble = f" Not all could be asked: {'; '.join(search.failures)}." if search.failures else ""
    if versions:
        return SourceError(
            f"The version of {release.name} must be one that is published. Received: "
            f"{release.version}.{suggestion(release.version, versions)} The latest are "
            f"{', '.join(versions[-5:])}.{trouble}"
        )
    if search.failures:
        return SourceError(
            f"A package index must be within reach to fetch {release}. Received: "
            f"{'; '.join(search.failures)}. {_NEXT_MOVE}"
        )
    return SourceError(
        f"A package must be on an index that this machine uses. Received: {release.name!r}, which "
        f"none of {len(settings.index_urls)} has. Check the spelling and the index settings ('pip "
        "config list')."
    )
