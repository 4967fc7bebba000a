"""The page at / and what it is made of."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from browser import CHROMIUM, browser
from starlette.testclient import TestClient

from tfaigc.serving.access import Access
from tfaigc.serving.core import Core
from tfaigc.serving.gate import Gate
from tfaigc.serving.keys import Keys
from tfaigc.serving.rest import rest_app
from tfaigc.serving.server import Settings, running
from tfaigc.serving.versions import models_in


def test_the_page_asks_nobody_else(client: TestClient) -> None:
    response = client.get("/")
    assert response.headers["content-type"].startswith("text/html")
    assert "default-src 'none'" in response.headers["content-security-policy"]
    assert not re.search(r"(src|href)=\"(https?:)?//", response.text)
    script = client.get("/page.js")
    assert script.headers["content-type"].startswith("text/javascript")
    assert "innerHTML" not in script.text


def test_models_are_described_for_the_page(client: TestClient) -> None:
    models = {model["name"]: model for model in client.get("/models.json").json()["models"]}
    assert set(models) == {"numbers", "strings", "examples", "scales"}
    assert [each["version"] for each in models["scales"]["versions"]] == ["2", "1"]
    calls = {each["name"]: each["call"] for each in models["examples"]["signatures"]}
    assert (calls["serving_default"], calls["regress"], calls["other"]) == (
        "classify",
        "regress",
        "predict",
    )
    [signature] = models["scales"]["signatures"]
    assert signature["inputs"] == [{"name": "x", "dtype": "float", "shape": "[?]"}]


def test_only_what_tells_nothing_is_open(core: Core, tmp_path: Path) -> None:
    (tmp_path / "tokens").write_text("secret")
    client = TestClient(Gate(rest_app(core), core, Access(keys=Keys(tmp_path / "tokens"))))
    statuses = [client.get(path).status_code for path in ("/", "/page.js", "/models.json")]
    assert statuses == [200, 200, 401]
    assert "scales" not in client.get("/").text + client.get("/page.js").text


SHOWN = """
    const until = async (found) => {
        for (let turn = 0; turn < 500; turn++) {
            if (found()) return found();
            await new Promise((next) => setTimeout(next, 20));
        }
        throw new Error("nothing came");
    };
    const section = (name) => [...document.querySelectorAll("section")]
        .find((each) => each.querySelector("h2").textContent === name);
    const answer = async (name, signature, ...values) => {
        const form = (await until(() => section(name))).querySelector("form");
        form.querySelector("select").value = signature;
        form.querySelector("select").dispatchEvent(new Event("change"));
        form.querySelectorAll("textarea").forEach((field, at) => { field.value = values[at]; });
        form.querySelector("button").click();
        const shown = form.querySelector(".answers");
        await until(() => shown.childElementCount);
        const cells = [...shown.querySelectorAll("td")].map((each) => each.textContent);
        return [cells, shown.querySelector("pre, .error").textContent];
    };
"""


@pytest.mark.skipif(CHROMIUM is None, reason="there is no headless Chromium")
def test_a_browser_shows_models_and_asks_them(models: Path, tmp_path: Path) -> None:
    with running(lambda: models_in(models), Settings(port=0)) as server, browser(tmp_path) as page:
        page.open(server.url)
        titles = "[...document.querySelectorAll('h2')].map((title) => title.textContent)"
        headings = page.run(f"{SHOWN} await until(() => section('strings')); return {titles};")
        assert headings == ["examples", "numbers", "scales", "strings"]
        asked = {
            ("strings", "serving_default", "größer\n<b>b</b>"): ["6", "größer", "8", "<b>b</b>"],
            ("scales", "serving_default", "[1, NaN]"): None,
            ("numbers", "pair", "[1, 2]", "[3, 4]"): ["3", "4", "8", "6"],
            ("numbers", "inverse", "[0, -1]"): ["0", "Infinity", "NaN", "-1"],
            ("numbers", "mean", "[1, 2]"): ["1.5"],
            ("examples", "serving_default", '[{"x": 1.5}]'): ['["up",1.5]', '["down",-1.5]'],
            ("examples", "regress", '[{"x": 1.5}, {}]'): ["3", "0"],
        }
        for question, cells in asked.items():
            found, told = page.run(f"{SHOWN} return answer(...{json.dumps(question)});")
            if cells is None:
                assert "JSON" in told
            else:
                assert found == cells
                assert json.loads(told)
        _, told = page.run(f"{SHOWN} return answer('numbers', 'positive', '[-1]');")
        assert "x must be positive" in told
        assert page.run("return document.querySelectorAll('b').length") == 0


@pytest.mark.skipif(CHROMIUM is None, reason="there is no headless Chromium")
def test_the_page_takes_a_token(models: Path, tmp_path: Path) -> None:
    (tmp_path / "tokens").write_text("secret")
    settings = Settings(port=0, access=Access(keys=Keys(tmp_path / "tokens")))
    with (
        running(lambda: models_in(models / "scales"), settings) as server,
        browser(tmp_path / "profile") as page,
    ):
        page.open(server.url)
        state = "document.getElementById('state').textContent"
        assert page.run(f"{SHOWN} await until(() => {state}.includes('token')); return {state};")
        assert page.run("return document.getElementById('access').open")
        page.run("document.getElementById('token').value = 'secret';"
                 "document.getElementById('open').click();")  # fmt: skip
        found, _ = page.run(f"{SHOWN} return answer('scales', 'serving_default', '[1]');")
        assert found == ["20"]
