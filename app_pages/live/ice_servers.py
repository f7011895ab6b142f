"""The STUN and TURN servers that help browser and server find each other, as configured.

A problem is told without any value of the configuration, and without the words of an exception,
which may quote one.
"""

from __future__ import annotations

import base64
import json
import logging
import re
from collections.abc import Callable
from http.client import HTTPException
from typing import Any, NamedTuple
from urllib import request
from urllib.error import HTTPError, URLError
from urllib.parse import quote, urlencode, urlsplit

import streamlit as st

from app_pages.shared.settings import setting
from fer.registry.tokens import is_token

SERVERS = "FER_ICE_SERVERS"
PUBLIC_STUN = "stun:stun.l.google.com:19302"

_LOG = logging.getLogger(__name__)
_LOCAL = ("localhost", "127.0.0.1", "::1")
_ADDRESS = re.compile(r"(stun|turn)s?:([\w.-]+|\[[\da-fA-F:.]+\])(:\d+)?(\?transport=(udp|tcp))?")
_KEYS = {"urls", "username", "credential"}
_FORM = (
    f'expected is a JSON list such as [{{"urls": "{PUBLIC_STUN}"}}], TURN servers with username and'
    " credential too"
)
_TIMEOUT = 10.0  # seconds, in which the page waits
_REUSE_SECONDS = 3600  # for which an answer is used
_LIFETIME = 2 * _REUSE_SECONDS  # of credentials: the last visitor has an hour left

IceServers = list[dict[str, Any]]


def find_ice_servers(page_url: str) -> tuple[IceServers, str]:
    """The servers for a page at this address, and what is wrong with the configuration, or "".

    `FER_ICE_SERVERS` comes first, then Cloudflare's or Twilio's credentials, each from the
    environment, into which Streamlit puts `.streamlit/secrets.toml` when it starts, so that the
    secrets win. Without any, the page on localhost needs none and others get Google's public STUN
    server.
    """
    default = [] if is_local(page_url) else [{"urls": PUBLIC_STUN}]
    if text := setting(SERVERS):
        try:
            return parse_servers(text), ""
        except ValueError as error:
            return default, f"{SERVERS} cannot be used: {error}."
    for provider, (names, _, _) in _PROVIDERS.items():
        credentials = [setting(name) for name in names]
        if all(credentials):
            servers, problem = _provided(provider, *credentials)
            return servers or default, problem
        if any(credentials):
            return default, f"{names[0]} and {names[1]} belong together; only one of them is set."
    return default, ""


@st.cache_data(ttl=_REUSE_SECONDS, show_spinner=False)  # not again at every rerun
def tell_operator(problem: str) -> None:
    """Write a problem of the configuration to the log; visitors have no use for it."""
    _LOG.warning("TURN servers: %s", problem)


def is_local(page_url: str) -> bool:
    """Whether the page is on the visitor's own machine: it needs neither https nor ICE servers."""
    host = urlsplit(page_url).hostname or ""
    return host in _LOCAL or host.endswith(".localhost")


def camera_allowed(page_url: str) -> bool:
    """Whether browsers give a page at this address the camera: over https, or on localhost."""
    return urlsplit(page_url).scheme == "https" or is_local(page_url)


def parse_servers(text: str) -> IceServers:
    """Servers from their JSON.

    Raises:
        ValueError: It says what was received and what was expected, without quoting anything.
    """
    try:
        servers = json.loads(text)
    except (ValueError, RecursionError):
        raise ValueError(f"received what is no JSON; {_FORM}") from None  # its error holds the text
    if not isinstance(servers, list):
        raise ValueError(f"received JSON without a list around it; {_FORM}")
    for number, server in enumerate(servers, start=1):
        if not _sound(server):
            raise ValueError(f"received a list whose entry {number} describes no server; {_FORM}")
    return servers


def _sound(server: object) -> bool:
    if not isinstance(server, dict) or not set(server) <= _KEYS:
        return False
    urls = server.get("urls")
    addresses = [urls] if isinstance(urls, str) else urls
    if not isinstance(addresses, list) or not addresses or not all(map(_is_address, addresses)):
        return False
    login = [server[key] for key in ("username", "credential") if key in server]
    needs_login = any(address.startswith("turn") for address in addresses)
    return all(isinstance(text, str) for text in login) and (len(login) == 2 or not needs_login)


def _is_address(url: object) -> bool:
    return isinstance(url, str) and _ADDRESS.fullmatch(url) is not None


def _cloudflare(key_id: str, token: str) -> request.Request:
    key = quote(key_id, safe="")
    url = f"https://rtc.live.cloudflare.com/v1/turn/keys/{key}/credentials/generate-ice-servers"
    question = request.Request(url, json.dumps({"ttl": _LIFETIME}).encode())
    question.add_header("Content-Type", "application/json")
    question.add_unredirected_header("Authorization", f"Bearer {token}")
    return question


def _twilio(sid: str, token: str) -> request.Request:
    url = f"https://api.twilio.com/2010-04-01/Accounts/{quote(sid, safe='')}/Tokens.json"
    question = request.Request(url, urlencode({"Ttl": _LIFETIME}).encode())
    login = base64.b64encode(f"{sid}:{token}".encode()).decode()
    question.add_unredirected_header("Authorization", f"Basic {login}")
    return question


class _Provider(NamedTuple):
    """Who lends TURN servers; `field` of its answer holds them."""

    settings: tuple[str, str]
    request_of: Callable[[str, str], request.Request]
    field: str


_PROVIDERS = {
    "Cloudflare": _Provider(
        ("CLOUDFLARE_TURN_KEY_ID", "CLOUDFLARE_TURN_KEY_API_TOKEN"), _cloudflare, "iceServers"
    ),
    "Twilio": _Provider(("TWILIO_ACCOUNT_SID", "TWILIO_AUTH_TOKEN"), _twilio, "ice_servers"),
}


@st.cache_data(ttl=60, show_spinner="Asking for TURN servers")  # a failure lasts for a minute
def _provided(provider: str, first: str, second: str) -> tuple[IceServers, str]:
    """The provider's servers, and why there are none, or ""."""
    names = _PROVIDERS[provider].settings
    for name, value in zip(names, (first, second), strict=True):
        if not is_token(value):
            return [], f"{name} holds a character that no credential has; copy it anew."
    try:
        return _ask(provider, first, second), ""
    except HTTPError as error:
        error.close()
        reason = f"it answered {error.code}"
    except (OSError, HTTPException) as error:
        cause = error.reason if isinstance(error, URLError) else error
        reason = f"it is out of reach ({type(cause).__name__})"
    except (ValueError, TypeError, KeyError):
        reason = "its answer holds none that can be used"
    return [], f"{provider} gave none, {reason}; check {names[0]}, {names[1]} and the connection."


@st.cache_data(ttl=_REUSE_SECONDS, show_spinner=False)
def _ask(provider: str, first: str, second: str) -> IceServers:
    """The provider's servers.

    Raises OSError, HTTPException, ValueError, TypeError or KeyError, any of which may quote a
    secret.
    """
    _, request_of, field = _PROVIDERS[provider]
    question = request_of(first, second)
    question.add_header("User-Agent", "fer-studio")  # Cloudflare refuses urllib's own
    with request.urlopen(question, timeout=_TIMEOUT) as answer:
        servers = json.load(answer)[field]
    known = [{key: server[key] for key in _KEYS & set(server)} for server in servers]
    return parse_servers(json.dumps(known))
