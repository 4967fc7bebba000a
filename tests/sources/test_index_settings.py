"""Which indexes a machine is set to use."""

from __future__ import annotations

from pathlib import Path

import pytest

from tfaigc.sources import index_settings
from tfaigc.sources.index_settings import (
    IndexSettings,
    default_index,
    environment_options,
    parse_pip_config,
    read_settings,
)


def test_pip_config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = tmp_path / "pip.conf"
    config.write_text(
        "[global]\nindex-url = https://a.example/simple\ntimeout = 90\n"
        "extra-index-url =\n    https://b.example/simple\n    file:///c/simple\n"
        "[install]\ntrusted-host = d.example e.example:8080\n"
    )
    for name in ("PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL", "PIP_DEFAULT_TIMEOUT", "PIP_TIMEOUT"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PIP_CONFIG_FILE", str(config))
    monkeypatch.setenv("PIP_FIND_LINKS", "/wheels")
    monkeypatch.setenv("PIP_CERT", "/ca.pem")
    settings = read_settings()
    assert settings.index_urls[0] == "https://a.example/simple"
    assert {"https://b.example/simple", "file:///c/simple"} <= set(settings.index_urls)
    assert settings.find_links == ("/wheels",)
    assert settings.trusted_hosts == ("d.example", "e.example:8080")
    assert (settings.certificates, settings.timeout) == ("/ca.pem", 90)


def test_stronger_sections_win() -> None:
    listing = (
        ":env:.cert='/env.pem'\nglobal.cert='/global.pem'\nglobal.proxy='http://a:1'\n"
        "install.proxy='http://b:1'\nwheel.proxy='http://c:1'\nsome notice\n"
    )
    assert parse_pip_config(listing) == {"cert": "/env.pem", "proxy": "http://b:1"}


def test_machine_without_pip(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(index_settings.sys, "executable", "/bin/false")
    monkeypatch.setattr(index_settings.shutil, "which", lambda name: None)
    monkeypatch.setattr(index_settings.os, "environ", {"UV_INDEX_URL": "https://a.example/simple"})
    assert read_settings().index_urls == ("https://a.example/simple",)


def test_uv_environment() -> None:
    options = environment_options(
        {
            "UV_DEFAULT_INDEX": "https://a.example/simple",
            "UV_INDEX": "mine=https://b.example/simple?x=1 https://c.example/simple?y=2",
            "UV_FIND_LINKS": "/w,/v",
            "PIP_PROXY": "http://p:1",
        }
    )
    assert options == {
        "index-url": "https://a.example/simple",
        "extra-index-url": "https://b.example/simple?x=1 https://c.example/simple?y=2",
        "find-links": "/w /v",
        "proxy": "http://p:1",
    }


def test_defaults_and_no_index() -> None:
    assert index_settings._from_options({}) == IndexSettings()
    assert IndexSettings().index_urls == (default_index(),)
    assert index_settings._from_options({"no-index": "1", "timeout": "soon"}).index_urls == ()
