"""Where the ICE servers come from, which pages get the camera.

And what happens when a provider fails; offline.
"""

from __future__ import annotations

import base64
import json
import urllib.request
from collections.abc import Iterator
from http.client import BadStatusLine
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import ClassVar
from urllib.error import URLError

import pytest
import streamlit as st
from streamlit import config
from streamlit.runtime.secrets import Secrets

from app_pages.live import ice_servers
from app_pages.live.ice_servers import (
    PUBLIC_STUN,
    camera_allowed,
    find_ice_servers,
    is_local,
    parse_servers,
)
from tests.support.providers import answering

LOCAL, ELSEWHERE = "http://localhost:8501/live", "https://example.org/live"
STUN = [{"urls": "stun:stun.example.org:3478"}]
TURN = [
    {
        "urls": ["turn:turn.example.org", "turns:turn.example.org:443"],
        "username": "me",
        "credential": "secret",
    }
]
GOOGLE = [{"urls": PUBLIC_STUN}]
CLOUDFLARE = ("CLOUDFLARE_TURN_KEY_ID", "CLOUDFLARE_TURN_KEY_API_TOKEN")
TWILIO = ("TWILIO_ACCOUNT_SID", "TWILIO_AUTH_TOKEN")


@pytest.fixture(autouse=True)
def untouched(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """No settings, no secrets, no network, and nothing remembered."""
    for name in (ice_servers.SERVERS, *CLOUDFLARE, *TWILIO, "HF_TOKEN"):
        # not delenv: what Streamlit then puts there is taken away again
        monkeypatch.setenv(name, "")
    monkeypatch.setattr(st, "secrets", Secrets())
    monkeypatch.setattr(
        urllib.request, "urlopen", lambda *_, **__: pytest.fail("the network was asked")
    )
    files = config.get_option("secrets.files")
    config.set_option("secrets.files", [str(tmp_path / "secrets.toml")])
    forget()
    yield
    config.set_option("secrets.files", files)
    forget()


def forget() -> None:
    """Remember no answer of a provider, and no problem that was told."""
    for remembering in (ice_servers._provided, ice_servers._ask, ice_servers.tell_operator):
        remembering.clear()


class Providers(BaseHTTPRequestHandler):
    """Cloudflare and Twilio, both with one answer; what they were asked is noted."""

    status, body, promised = 201, "", None
    asked: ClassVar[list[tuple[str, str | None, str]]] = []

    def do_POST(self) -> None:
        sent = self.rfile.read(int(self.headers["Content-Length"])).decode()
        self.asked.append((self.path, self.headers["Authorization"], sent))
        self.send_response(self.status)
        self.send_header("Content-Length", str(self.promised or len(self.body)))
        self.end_headers()
        self.wfile.write(self.body.encode())

    def log_message(self, *_: object) -> None: ...


@pytest.fixture
def providers(monkeypatch: pytest.MonkeyPatch) -> Iterator[type[Providers]]:
    """A server on this machine in place of both providers, which answers with one STUN server."""
    monkeypatch.setattr(Providers, "asked", [])
    # Twilio names each one twice
    answer = {"iceServers": STUN, "ice_servers": [{**STUN[0], "url": "stun:old"}]}
    monkeypatch.setattr(Providers, "body", json.dumps(answer))
    with answering(Providers, monkeypatch):
        yield Providers


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
    ("url", "expected"),
    [(LOCAL, []), (ELSEWHERE, GOOGLE), ("http://10.0.0.1", GOOGLE), ("", GOOGLE)],
)
def test_nothing_configured(url: str, expected: list) -> None:
    assert find_ice_servers(url) == (expected, "")


@pytest.mark.parametrize("url", [LOCAL, ELSEWHERE])
@pytest.mark.parametrize("servers", [[], STUN, TURN, STUN + TURN])
def test_the_environment_is_taken_as_it_is(
    monkeypatch: pytest.MonkeyPatch, url: str, servers: list
) -> None:
    monkeypatch.setenv(ice_servers.SERVERS, json.dumps(servers))
    assert find_ice_servers(url) == (servers, "")


def test_servers_come_first_then_cloudflare_then_twilio(
    monkeypatch: pytest.MonkeyPatch, providers: type[Providers]
) -> None:
    for name in TWILIO:
        monkeypatch.setenv(name, "t")
    assert find_ice_servers(ELSEWHERE) == (STUN, "")
    for name in CLOUDFLARE:
        monkeypatch.setenv(name, "c")
    assert find_ice_servers(ELSEWHERE) == (STUN, "")
    login = base64.b64encode(b"t:t").decode()
    assert providers.asked == [
        ("/2010-04-01/Accounts/t/Tokens.json", f"Basic {login}", "Ttl=7200"),
        ("/v1/turn/keys/c/credentials/generate-ice-servers", "Bearer c", '{"ttl": 7200}'),
    ]
    monkeypatch.setenv(ice_servers.SERVERS, "[]")
    assert find_ice_servers(ELSEWHERE) == ([], "")
    assert len(providers.asked) == 2


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
def test_secrets(
    monkeypatch: pytest.MonkeyPatch,
    providers: type[Providers],
    tmp_path: Path,
    toml: str | None,
    expected: list,
) -> None:
    monkeypatch.setenv("OTHER", "")
    if toml is not None:
        (tmp_path / "secrets.toml").write_text(toml)
    assert find_ice_servers(ELSEWHERE) == (expected, "")
    assert len(providers.asked) == (expected == STUN)


def test_the_environment_comes_before_the_secrets(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "secrets.toml").write_text("FER_ICE_SERVERS = 'no JSON'")
    monkeypatch.setenv(ice_servers.SERVERS, json.dumps(STUN))
    assert find_ice_servers(LOCAL) == (STUN, "")


@pytest.mark.parametrize("names", [CLOUDFLARE, TWILIO])
@pytest.mark.parametrize("half", [0, 1])
@pytest.mark.parametrize(("url", "expected"), [(LOCAL, []), (ELSEWHERE, GOOGLE)])
def test_half_of_the_credentials(
    monkeypatch: pytest.MonkeyPatch, names: tuple[str, str], half: int, url: str, expected: list
) -> None:
    monkeypatch.setenv(names[half], "secret-value")
    servers, problem = find_ice_servers(url)
    assert servers == expected
    assert all(name in problem for name in names)
    assert "secret-value" not in problem


@pytest.mark.usefixtures("providers")
def test_half_in_the_environment_and_half_in_the_secrets(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv(TWILIO[0], "sid")
    (tmp_path / "secrets.toml").write_text(f"{TWILIO[1]} = 'token'")
    assert find_ice_servers(LOCAL) == (STUN, "")


@pytest.mark.parametrize("around", ["{}\n", "\r\n{}\r\n", "  {}\t"])
def test_line_breaks_and_spaces_around_a_setting_are_dropped(
    monkeypatch: pytest.MonkeyPatch, providers: type[Providers], around: str
) -> None:
    for name in CLOUDFLARE:
        monkeypatch.setenv(name, around.format("key"))
    assert find_ice_servers(ELSEWHERE) == (STUN, "")
    assert [authorization for _, authorization, _ in providers.asked] == ["Bearer key"]


# What is written wrongly


@pytest.mark.parametrize(
    "text",
    [
        "x",
        "{",
        "'[]'",
        "null",
        "1",
        '"stun:a"',
        "{}",
        '{"urls": "stun:a"}',
        "[1]",
        "[null]",
        "[[]]",
        "[{}]",
        '["stun:a"]',
        '[{"urls": 1}]',
        '[{"urls": []}]',
        '[{"urls": ""}]',
        '[{"urls": [1]}]',
        '[{"urls": {"a": 1}}]',
        '[{"url": "stun:a"}]',
        '[{"urls": "http://a"}]',
        '[{"urls": "javascript:alert(1)"}]',
        '[{"urls": "a"}]',
        '[{"urls": ["stun:a", "b"]}]',
        '[{"urls": "stun:a", "extra": 1}]',
        '[{"urls": "stun:a"}, 7]',
        '[{"urls": "turn:a", "username": 1, "credential": "x"}]',
        '[{"urls": "turn:a", "username": "x", "credential": null}]',
        "\ud800",
        "[" * 10,
    ],
)
@pytest.mark.parametrize(("url", "expected"), [(LOCAL, []), (ELSEWHERE, GOOGLE)])
def test_wrong_servers_are_named_and_not_used(
    monkeypatch: pytest.MonkeyPatch, text: str, url: str, expected: list
) -> None:
    monkeypatch.setattr(
        ice_servers, "setting", lambda name: text if name == ice_servers.SERVERS else ""
    )
    servers, problem = find_ice_servers(url)
    assert servers == expected
    assert problem.startswith("FER_ICE_SERVERS cannot be used: received ")
    assert "expected is a JSON list" in problem


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('{"urls": "stun:a"}', "JSON without a list around it"),
        ('[{"urls": "stun:a"},]', "what is no JSON"),
        ("[" * 100_000, "what is no JSON"),
        ('[{"urls": "stun:a"}, {"urls": "a"}]', "a list whose entry 2 describes no server"),
    ],
)
def test_a_wrong_setting_is_described_without_its_text(text: str, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        parse_servers(text)


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


@pytest.mark.parametrize(
    "url", ["stun:", "turn:", "stun://stun.example.org", "stun:a:b:c", "stun: a"]
)
def test_addresses_without_a_host_are_refused(url: str) -> None:
    """Browsers and the server throw on these at START."""
    with pytest.raises(ValueError, match="expected is a JSON list"):
        parse_servers(json.dumps([{"urls": url, "username": "me", "credential": "secret"}]))


# Providers


@pytest.mark.parametrize(("provider", "names"), [("Cloudflare", CLOUDFLARE), ("Twilio", TWILIO)])
@pytest.mark.parametrize(
    ("error", "words"),
    [
        (TimeoutError("timed out"), "out of reach (TimeoutError)"),
        (URLError(ConnectionRefusedError("no answer")), "out of reach (ConnectionRefusedError)"),
        (BadStatusLine("x"), "out of reach (BadStatusLine)"),
    ],
)
def test_a_provider_out_of_reach(
    monkeypatch: pytest.MonkeyPatch,
    provider: str,
    names: tuple[str, str],
    error: Exception,
    words: str,
) -> None:
    asked = []

    def urlopen(*_: object, **__: object) -> None:
        asked.append(1)
        raise error

    monkeypatch.setattr(urllib.request, "urlopen", urlopen)
    for name in names:
        monkeypatch.setenv(name, "key")
    for _ in range(2):
        servers, problem = find_ice_servers(ELSEWHERE)
        assert servers == GOOGLE
        assert problem.startswith(
            f"{provider} gave none, it is {words}; check {names[0]}, {names[1]}"
        )
    assert len(asked) == 1  # not again at once
    assert find_ice_servers(LOCAL)[0] == []


@pytest.mark.parametrize("names", [CLOUDFLARE, TWILIO])
@pytest.mark.parametrize(
    ("answer", "servers", "words"),
    [
        ((201, json.dumps({"iceServers": TURN, "ice_servers": TURN})), TURN, ""),
        ((200, json.dumps({"iceServers": [], "ice_servers": []})), GOOGLE, ""),
        ((401, "{}"), GOOGLE, "it answered 401"),
        ((500, ""), GOOGLE, "it answered 500"),
        ((201, "<html>"), GOOGLE, "holds none that can be used"),
        ((201, "{}"), GOOGLE, "holds none that can be used"),
        ((201, "7"), GOOGLE, "holds none that can be used"),
        ((201, '{"iceServers": null, "ice_servers": 7}'), GOOGLE, "holds none that can be used"),
        (
            (201, '{"iceServers": [{"urls": "a"}], "ice_servers": [7]}'),
            GOOGLE,
            "holds none that can be used",
        ),
        ((201, "cut short"), GOOGLE, "out of reach (IncompleteRead)"),
    ],
)
def test_answers_of_the_providers(
    monkeypatch: pytest.MonkeyPatch,
    providers: type[Providers],
    names: tuple[str, str],
    answer: tuple[int, str],
    servers: list,
    words: str,
) -> None:
    status, body = answer
    monkeypatch.setattr(providers, "status", status)
    monkeypatch.setattr(providers, "body", body)
    monkeypatch.setattr(providers, "promised", len(body) + 10 if body == "cut short" else None)
    for name in names:
        monkeypatch.setenv(name, "a/b")
    found, problem = find_ice_servers(ELSEWHERE)
    assert [path.count("a%2Fb") for path, _, _ in providers.asked] == [1]
    assert found == servers
    assert words in problem
    assert bool(words) == bool(problem)


def test_a_login_is_not_sent_on_to_where_a_provider_redirects() -> None:
    for provider in ice_servers._PROVIDERS.values():
        question = provider.request_of("key", "token")
        moved = urllib.request.HTTPRedirectHandler().redirect_request(
            question, None, 302, "Found", {}, "http://elsewhere.example"
        )
        assert question.has_header("Authorization")
        assert not moved.has_header("Authorization")


def test_a_problem_is_told_once(caplog: pytest.LogCaptureFixture) -> None:
    for _ in range(3):
        ice_servers.tell_operator("one")
    ice_servers.tell_operator("another")
    assert [record.getMessage() for record in caplog.records] == [
        "TURN servers: one",
        "TURN servers: another",
    ]
    assert {record.levelname for record in caplog.records} == {"WARNING"}


def test_a_token_of_the_hub_is_never_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_secret")
    assert find_ice_servers(LOCAL) == ([], "")
    assert find_ice_servers(ELSEWHERE) == (GOOGLE, "")
