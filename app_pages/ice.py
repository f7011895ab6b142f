"""Which STUN and TURN servers help browser and server find each other: as configured, never a guess."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import streamlit as st
from streamlit_webrtc import get_cloudflare_ice_servers, get_twilio_ice_servers

from app_pages.settings import setting

SERVERS = "FER_ICE_SERVERS"
PUBLIC_STUN = "stun:stun.l.google.com:19302"

_PROVIDERS: dict[str, tuple[tuple[str, str], Callable[[str, str], Any]]] = {
    "Cloudflare": (("CLOUDFLARE_TURN_KEY_ID", "CLOUDFLARE_TURN_KEY_API_TOKEN"), get_cloudflare_ice_servers),
    "Twilio": (("TWILIO_ACCOUNT_SID", "TWILIO_AUTH_TOKEN"), get_twilio_ice_servers),
}
_LOCAL = ("localhost", "127.0.0.1", "::1")
_ADDRESS = re.compile(r"(stun|turn)s?:([\w.-]+|\[[\da-fA-F:.]+\])(:\d+)?(\?transport=(udp|tcp))?")
_FORM = f'a JSON list is expected, such as [{{"urls": "{PUBLIC_STUN}"}}], TURN servers with username and credential too'

IceServers = list[dict[str, Any]]


def ice_servers(page_url: str) -> tuple[IceServers, str]:
    """The servers for a page at this address, and what is wrong with the configuration, or "".

    `FER_ICE_SERVERS` comes first, then Cloudflare's or Twilio's credentials, each from the environment, into which
    Streamlit puts `.streamlit/secrets.toml` when it starts, so that the secrets win. Without any, the page on
    localhost needs none and others get Google's public STUN server.
    """
    default = [] if is_local(page_url) else [{"urls": PUBLIC_STUN}]
    if text := setting(SERVERS):
        try:
            return parse_servers(text), ""
        except ValueError as error:
            return default, f"{SERVERS} cannot be used: {error}."
    for provider, (names, _) in _PROVIDERS.items():
        first, second = map(setting, names)
        if first and second:
            servers, problem = _provided(provider, first, second)
            return servers or default, problem
        if first or second:
            return default, f"{names[0]} and {names[1]} belong together; only one of them is set."
    return default, ""


def is_local(page_url: str) -> bool:
    """Whether the page is on the visitor's own machine, where the browser needs neither https nor ICE servers."""
    host = urlsplit(page_url).hostname or ""
    return host in _LOCAL or host.endswith(".localhost")


def camera_allowed(page_url: str) -> bool:
    """Whether browsers give a page at this address the camera at all: they want https, or localhost."""
    return urlsplit(page_url).scheme == "https" or is_local(page_url)


def parse_servers(text: str) -> IceServers:
    """Servers from their JSON. Raises ValueError saying what was received and what was expected."""
    try:
        servers = json.loads(text)
    except ValueError as error:
        raise ValueError(f"received {text[:60]!r}, which is no JSON ({error}); {_FORM}") from error
    if not isinstance(servers, list) or not all(map(_sound, servers)):
        raise ValueError(f"received {text[:60]!r}; {_FORM}")
    return servers


def _sound(server: object) -> bool:
    if not isinstance(server, dict) or not set(server) <= {"urls", "username", "credential"}:
        return False
    urls = server.get("urls")
    addresses = [urls] if isinstance(urls, str) else urls
    if not isinstance(addresses, list) or not addresses:
        return False
    named = all(isinstance(server.get(key, ""), str) for key in ("username", "credential"))
    sound = named and all(isinstance(url, str) and _ADDRESS.fullmatch(url) for url in addresses)
    return sound and ({"username", "credential"} <= set(server) or not any(url.startswith("turn") for url in addresses))


@st.cache_data(ttl=60, show_spinner="Asking for TURN servers")  # the library remembers an answer for an hour
def _provided(provider: str, first: str, second: str) -> tuple[IceServers, str]:
    try:
        return list(_PROVIDERS[provider][1](first, second)), ""
    except ImportError:
        return [], "Twilio's credentials need its client: `pip install twilio`."
    except Exception as error:  # noqa: BLE001 - Twilio's and HTTP's own errors share no other base
        return [], f"{provider} gave no TURN servers ({error}); check its credentials."
