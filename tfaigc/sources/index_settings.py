"""Reads which package indexes this machine is set to use."""

from __future__ import annotations

import ast
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

_MIN_TIMEOUT = 30.0
# Later ones win, as in pip.
_SECTIONS = ("global", "install", "download", ":env:")


@dataclass(frozen=True)
class IndexSettings:
    """Where packages come from.

    Attributes:
        index_urls: Package indexes, in order.
        find_links: Pages, directories or files with packages, in order.
        trusted_hosts: Hosts whose certificates are not checked.
        certificates: A file of certificate authorities, or None for the system's.
        client_certificate: A file with the client's certificate and key, or None.
        proxy: The proxy's address, or None for that of the environment.
        timeout: Seconds to wait for an answer.
    """

    index_urls: tuple[str, ...] = field(default_factory=lambda: (default_index(),))
    find_links: tuple[str, ...] = ()
    trusted_hosts: tuple[str, ...] = ()
    certificates: str | None = None
    client_certificate: str | None = None
    proxy: str | None = None
    timeout: float = _MIN_TIMEOUT


def read_settings() -> IndexSettings:
    """Reads pip's settings, files and environment both; where pip is absent, uv's environment.

    Returns:
        The settings.
    """
    for command in ([sys.executable, "-m", "pip"], [shutil.which("pip") or ""]):
        if not command[0]:
            continue
        listed = subprocess.run(
            [*command, "config", "list", "--disable-pip-version-check"],
            capture_output=True,
            text=True,
            check=False,
        )
        if listed.returncode == 0:
            return _from_options(parse_pip_config(listed.stdout))
    return _from_options(environment_options(os.environ))


def parse_pip_config(listing: str) -> dict[str, str]:
    r"""Reads what `pip config list` prints.

    Args:
        listing: Lines of `section.option='value'`.

    Returns:
        Options to values; where several sections set one, the strongest.

    Example:
        >>> parse_pip_config("global.proxy='http://a:1'\n:env:.proxy='http://b:2'")
        {'proxy': 'http://b:2'}
    """
    found: dict[str, dict[str, str]] = {section: {} for section in _SECTIONS}
    for line in listing.splitlines():
        key, _, quoted = line.partition("=")
        section, _, option = key.rpartition(".")
        if section in found:
            try:
                found[section][option.replace("_", "-")] = str(ast.literal_eval(quoted))
            except (SyntaxError, ValueError):
                continue  # Not a setting: pip may print notes too.
    merged: dict[str, str] = {}
    for section in _SECTIONS:
        merged.update(found[section])
    return merged


def environment_options(environment: Mapping[str, str]) -> dict[str, str]:
    """Reads the settings of machines that have no pip.

    Args:
        environment: The environment's variables.

    Returns:
        Options, named as pip names them, to values. pip's variables win over uv's.
    """
    options: dict[str, str] = {}
    for option, names in {
        "index-url": ("UV_INDEX_URL", "UV_DEFAULT_INDEX"),
        "extra-index-url": ("UV_EXTRA_INDEX_URL", "UV_INDEX"),
        "find-links": ("UV_FIND_LINKS",),
        "trusted-host": ("UV_INSECURE_HOST",),
        "no-index": ("UV_NO_INDEX",),
        "cert": ("SSL_CERT_FILE",),
    }.items():
        for name in (*names, f"PIP_{option.upper().replace('-', '_')}"):
            if environment.get(name):
                options[option] = environment[name]
    # uv allows "name=" before an index, and commas between find-links.
    for option in ("index-url", "extra-index-url"):
        if option in options:
            parts = (part.split("=", 1) for part in options[option].split())
            options[option] = " ".join(
                part[-1] if "://" not in part[0] else "=".join(part) for part in parts
            )
    if "find-links" in options:
        options["find-links"] = options["find-links"].replace(",", " ")
    for name in ("proxy", "client-cert", "timeout"):
        value = environment.get(f"PIP_{name.upper().replace('-', '_')}")
        if value:
            options[name] = value
    return options


def default_index() -> str:
    """Returns the index that package finders ask where no setting names one."""
    from unearth import PackageFinder

    return str(PackageFinder().sources[0]["url"])


def _from_options(options: Mapping[str, str]) -> IndexSettings:
    index_urls = [options.get("index-url") or default_index()]
    index_urls += options.get("extra-index-url", "").split()
    if options.get("no-index", "").lower() in ("1", "true", "yes", "on"):
        index_urls = []
    try:
        timeout = float(options.get("timeout") or options.get("default-timeout") or 0)
    except ValueError:
        timeout = 0.0
    return IndexSettings(
        index_urls=tuple(index_urls),
        find_links=tuple(_absolute(link) for link in options.get("find-links", "").split()),
        trusted_hosts=tuple(options.get("trusted-host", "").split()),
        certificates=options.get("cert"),
        client_certificate=options.get("client-cert"),
        proxy=options.get("proxy"),
        timeout=max(timeout, _MIN_TIMEOUT),
    )


def _absolute(link: str) -> str:
    return link if "://" in link else str(Path(link).expanduser().absolute())
