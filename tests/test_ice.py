"""Where the ICE servers come from, which pages get the camera, and what happens when a provider fails; offline."""

from __future__ import annotations

import json
import threading
import urllib.request
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import streamlit as st
from streamlit import config
from streamlit.runtime.secrets import Secrets
from streamlit_webrtc import credentials

from app_pages import ice
from app_pages.ice import PUBLIC_STUN, camera_allowed, ice_servers, is_local, parse_servers

LOCAL, ELSEWHERE = "http://localhost:8501/live", "https://example.org/live"
STUN = [{"urls": "stun:stun.example.org:3478"}]
TURN = [{"urls": ["turn:turn.example.org", "turns:turn.example.org:443"], "username": "me", "credential": "secret"}]
GOOGLE = [{"urls": PUBLIC_STUN}]
CLOUDFLARE = ("CLOUDFLARE_TURN_KEY_ID", "CLOUDFLARE_TURN_KEY_API_TOKEN")
TWILIO = ("TWILIO_ACCOUNT_SID", "TWILIO_AUTH_TOKEN")


class TwilioError(Exception):
    """As Twilio's client raises: not a child of any standard error but Exception."""


@pytest.fixture(autouse=True)
def untouched(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """No settings, no secrets, no network, and nothing remembered."""
    for name in (ice.SERVERS, *CLOUDFLARE, *TWILIO, "HF_TOKEN"):
        monkeypatch.setenv(name, "")  # not delenv: what Streamlit then puts there is taken away again
    monkeypatch.setattr(st, "secrets", Secrets())
    monkeypatch.setattr(urllib.request, "urlopen", lambda *_, **__: pytest.fail("the network was asked"))
    files = config.get_option("secrets.files")
    config.set_option("secrets.files", [str(tmp_path / "secrets.toml")])
    ice._provided.clear()
    credentials.get_cloudflare_ice_servers.clear()
    yield
    config.set_option("secrets.files", files)
    ice._provided.clear()
    credentials.get_cloudflare_ice_servers.clear()


def answering(monkeypatch: pytest.MonkeyPatch, provider: str, answer: object) -> list[tuple[str, str]]:
    """Let a provider answer, or raise; what it was asked with is noted."""
    asked: list[tuple[str, str]] = []

    def answered(first: str, second: str) -> object:
        asked.append((first, second))
        if isinstance(answer, BaseException):
            raise answer
        return answer

    monkeypatch.setitem(ice._PROVIDERS, provider, (ice._PROVIDERS[provider][0], answered))
    return asked


# Pages


@pytest.mark.parametrize(
    ("url", "local", "allowed"),
    [
        ("", False, False),
        ("http://localhost", True, True),
        ("http://localhost:8501/live?x=1#y", True, True),
        ("HTTP://LOCALHOST:8501", True, True),
        ("https://localhost:8501", True, True),
        ("http://127.0.0.1:8501/", True, True),
        ("http://[::1]:8501/live", True, True),
        ("http://studio.localhost:8501", True, True),
        ("https://example.org", False, True),
        ("HTTPS://example.org", False, True),
        ("https://[2001:db8::1]/live", False, True),
        ("http://example.org", False, False),
        ("http://192.168.1.7:8501/live", False, False),
        ("http://0.0.0.0:8501", False, False),
        ("http://[2001:db8::1]:8501", False, False),
        ("http://localhost.example.org", False, False),
        ("http://notlocalhost", False, False),
        ("http://localhost@example.org", False, False),
        ("http://example.org/?next=https://localhost", False, False),
        ("file:///app/live", False, False),
        ("localhost:8501", False, False),
    ],
)
def test_which_pages_get_the_camera(url: str, local: bool, allowed: bool) -> None:
    assert (is_local(url), camera_allowed(url)) == (local, allowed)


# Sources


@pytest.mark.parametrize(
    ("url", "expected"), [(LOCAL, []), (ELSEWHERE, GOOGLE), ("http://10.0.0.1", GOOGLE), ("", GOOGLE)]
)
def test_nothing_configured(url: str, expected: list) -> None:
    assert ice_servers(url) == (expected, "")


@pytest.mark.parametrize("url", [LOCAL, ELSEWHERE])
@pytest.mark.parametrize("servers", [[], STUN, TURN, STUN + TURN])
def test_the_environment_is_taken_as_it_is(monkeypatch: pytest.MonkeyPatch, url: str, servers: list) -> None:
    monkeypatch.setenv(ice.SERVERS, json.dumps(servers))
    assert ice_servers(url) == (servers, "")


def test_servers_come_first_then_cloudflare_then_twilio(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = answering(monkeypatch, "Cloudflare", STUN), answering(monkeypatch, "Twilio", TURN)
    for name in TWILIO:
        monkeypatch.setenv(name, "t")
    assert ice_servers(ELSEWHERE) == (TURN, "")
    for name in CLOUDFLARE:
        monkeypatch.setenv(name, "c")
    assert ice_servers(ELSEWHERE) == (STUN, "")
    assert asked == ([("c", "c")], [("t", "t")])
    monkeypatch.setenv(ice.SERVERS, "[]")
    assert ice_servers(ELSEWHERE) == ([], "")
    assert [len(times) for times in asked] == [1, 1]


@pytest.mark.parametrize(
    ("toml", "expected"),
    [
        (f"FER_ICE_SERVERS = '{json.dumps(TURN)}'", TURN),
        ("CLOUDFLARE_TURN_KEY_ID = 'id'\nCLOUDFLARE_TURN_KEY_API_TOKEN = 'token'", STUN),
        ("OTHER = 'x'\n[FER]\nx = 1", GOOGLE),
        ("not = = toml", GOOGLE),
        (None, GOOGLE),
    ],
)
def test_secrets(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, toml: str | None, expected: list) -> None:
    monkeypatch.setenv("OTHER", "")
    asked = answering(monkeypatch, "Cloudflare", STUN)
    if toml is not None:
        (tmp_path / "secrets.toml").write_text(toml)
    assert ice_servers(ELSEWHERE) == (expected, "")
    assert asked == ([("id", "token")] if expected == STUN else [])


def test_the_environment_comes_before_the_secrets(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "secrets.toml").write_text("FER_ICE_SERVERS = 'no JSON'")
    monkeypatch.setenv(ice.SERVERS, json.dumps(STUN))
    assert ice_servers(LOCAL) == (STUN, "")


@pytest.mark.parametrize("names", [CLOUDFLARE, TWILIO])
@pytest.mark.parametrize("half", [0, 1])
@pytest.mark.parametrize(("url", "expected"), [(LOCAL, []), (ELSEWHERE, GOOGLE)])
def test_half_of_the_credentials(
    monkeypatch: pytest.MonkeyPatch, names: tuple[str, str], half: int, url: str, expected: list
) -> None:
    monkeypatch.setenv(names[half], "secret-value")
    servers, problem = ice_servers(url)
    assert servers == expected
    assert all(name in problem for name in names)
    assert "secret-value" not in problem


def test_half_in_the_environment_and_half_in_the_secrets(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    asked = answering(monkeypatch, "Twilio", TURN)
    monkeypatch.setenv(TWILIO[0], "sid")
    (tmp_path / "secrets.toml").write_text(f"{TWILIO[1]} = 'token'")
    assert ice_servers(LOCAL) == (TURN, "")
    assert asked == [("sid", "token")]


# What is written wrongly


@pytest.mark.parametrize(
    "text",
    [
        "x", "{", "'[]'", "null", "1", '"stun:a"', "{}", '{"urls": "stun:a"}', "[1]", "[null]", "[[]]", "[{}]",
        '["stun:a"]', '[{"urls": 1}]', '[{"urls": []}]', '[{"urls": ""}]', '[{"urls": [1]}]', '[{"urls": {"a": 1}}]',
        '[{"url": "stun:a"}]', '[{"urls": "http://a"}]', '[{"urls": "javascript:alert(1)"}]', '[{"urls": "a"}]',
        '[{"urls": ["stun:a", "b"]}]', '[{"urls": "stun:a", "extra": 1}]', '[{"urls": "stun:a"}, 7]',
        '[{"urls": "turn:a", "username": 1, "credential": "x"}]',
        '[{"urls": "turn:a", "username": "x", "credential": null}]', "\ud800", "[" * 10,
    ],
)  # fmt: skip
@pytest.mark.parametrize(("url", "expected"), [(LOCAL, []), (ELSEWHERE, GOOGLE)])
def test_wrong_servers_are_named_and_not_used(
    monkeypatch: pytest.MonkeyPatch, text: str, url: str, expected: list
) -> None:
    monkeypatch.setattr(ice, "setting", lambda name: text if name == ice.SERVERS else "")
    servers, problem = ice_servers(url)
    assert servers == expected
    assert problem.startswith("FER_ICE_SERVERS cannot be used: received ")
    assert "a JSON list is expected" in problem
    assert len(problem) < 400


def test_a_long_setting_is_cut_in_the_message() -> None:
    with pytest.raises(ValueError, match="a JSON list is expected") as caught:
        parse_servers("x" * 10_000)
    assert len(str(caught.value)) < 400


@pytest.mark.parametrize(
    "text",
    [
        '[{"urls": "turn:turn.example.org"}]',
        '[{"urls": "turns:turn.example.org", "username": "me"}]',
        '[{"urls": ["stun:a.example.org", "turn:b.example.org"], "credential": "secret"}]',
    ],
)
def test_turn_without_credentials_is_refused(text: str) -> None:
    """A browser refuses the whole connection over such a server, with an InvalidAccessError."""
    with pytest.raises(ValueError, match="username and credential"):
        parse_servers(text)


@pytest.mark.parametrize("url", ["stun:", "turn:", "stun://stun.example.org", "stun:a:b:c", "stun: a"])
def test_addresses_without_a_host_are_refused(url: str) -> None:
    """Browsers and the server throw on these at START."""
    with pytest.raises(ValueError, match="a JSON list is expected"):
        parse_servers(json.dumps([{"urls": url, "username": "me", "credential": "secret"}]))


# Providers


@pytest.mark.parametrize(("provider", "names"), [("Cloudflare", CLOUDFLARE), ("Twilio", TWILIO)])
@pytest.mark.parametrize(
    ("error", "words"),
    [
        (ValueError("refused"), "refused"),
        (TimeoutError("timed out"), "timed out"),
        (ConnectionRefusedError("no answer"), "no answer"),
        (ImportError("no twilio"), "pip install twilio"),
    ],
)
def test_a_provider_that_fails(
    monkeypatch: pytest.MonkeyPatch, provider: str, names: tuple[str, str], error: Exception, words: str
) -> None:
    asked = answering(monkeypatch, provider, error)
    for name in names:
        monkeypatch.setenv(name, "key")
    for _ in range(2):
        servers, problem = ice_servers(ELSEWHERE)
        assert servers == GOOGLE
        assert words in problem
    assert len(asked) == 1  # not again at once
    assert ice_servers(LOCAL)[0] == []


def test_twilio_refusing_its_credentials_is_a_message(monkeypatch: pytest.MonkeyPatch) -> None:
    answering(monkeypatch, "Twilio", TwilioError("HTTP 401 error: Authenticate"))
    for name in TWILIO:
        monkeypatch.setenv(name, "wrong")
    servers, problem = ice_servers(ELSEWHERE)
    assert servers == GOOGLE
    assert "Authenticate" in problem


@pytest.mark.parametrize("answer", [[], ()])
def test_a_provider_without_servers(monkeypatch: pytest.MonkeyPatch, answer: object) -> None:
    answering(monkeypatch, "Cloudflare", answer)
    for name in CLOUDFLARE:
        monkeypatch.setenv(name, "key")
    assert ice_servers(ELSEWHERE) == (GOOGLE, "")


@pytest.mark.parametrize(
    ("status", "body", "servers", "words"),
    [
        (201, json.dumps({"iceServers": TURN}), TURN, ""),
        (200, json.dumps({"iceServers": []}), GOOGLE, ""),
        (403, "{}", GOOGLE, "Cloudflare gave no TURN servers"),
        (500, "", GOOGLE, "Cloudflare gave no TURN servers"),
        (201, "<html>", GOOGLE, "Cloudflare gave no TURN servers"),
        (201, "{}", GOOGLE, "does not contain iceServers"),
        (201, "7", GOOGLE, "Cloudflare gave no TURN servers"),
        (201, '{"iceServers": null}', GOOGLE, "Cloudflare gave no TURN servers"),
        (201, "cut short", GOOGLE, "Cloudflare gave no TURN servers"),
    ],
)
def test_cloudflares_answers(
    monkeypatch: pytest.MonkeyPatch, status: int, body: str, servers: list, words: str
) -> None:  # fmt: skip
    """The library's own client against a server on this machine."""
    requests: list[tuple[str, str | None]] = []

    class Cloudflare(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            requests.append((self.path, self.headers["Authorization"]))
            self.send_response(status)
            self.send_header("Content-Length", str(len(body) + 10 * (body == "cut short")))
            self.end_headers()
            self.wfile.write(body.encode())

        def log_message(self, *_: object) -> None: ...

    for name, value in zip(CLOUDFLARE, ("a/b", "token"), strict=True):
        monkeypatch.setenv(name, value)
    with ThreadingHTTPServer(("127.0.0.1", 0), Cloudflare) as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        monkeypatch.setattr(urllib.request, "urlopen", _to(f"http://127.0.0.1:{server.server_port}"))
        found, problem = ice_servers(ELSEWHERE)
        server.shutdown()
    assert requests == [("/v1/turn/keys/a%2Fb/credentials/generate-ice-servers", "Bearer token")]
    assert found == servers
    assert words in problem
    assert "token" not in problem


def _to(address: str):
    """An opener that sends every request to `address` instead."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))

    def urlopen(request: urllib.request.Request, timeout: float) -> object:
        url = address + urlsplit(request.full_url).path
        return opener.open(urllib.request.Request(url, request.data, dict(request.headers)), timeout=timeout)

    return urlopen


def test_a_token_of_the_hub_is_never_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_secret")
    assert ice_servers(LOCAL) == ([], "")
    assert ice_servers(ELSEWHERE) == (GOOGLE, "")
