"""What stands in fields arrives as it was sent: cookies, redirects, compressed content, and what a request carries."""

from collections.abc import Callable

import httpx
import pytest

from tests.support.real_http.clients import CLIENTS, Request, exchange, get
from tests.support.real_http.content import COOKIES, GZIPPED, LOCATION, pattern
from tests.support.real_http.servers import SERVERS
from tests.support.waiting import LIMIT_S

each_server = pytest.mark.parametrize("server", SERVERS)
each_client = pytest.mark.parametrize("client", CLIENTS)


@each_server
def test_compressed_content_is_untouched(server: str, through: Callable) -> None:
    answer = get(through(server).url + "/gzip", {"Accept-Encoding": "gzip"})
    assert (answer.all("content-encoding"), answer.body) == (["gzip"], GZIPPED)


@each_server
def test_cookies_stay_apart_and_in_order(server: str, through: Callable) -> None:
    answer = get(through(server).url + "/cookies")
    assert answer.all("set-cookie") == list(COOKIES)


@each_client
def test_a_redirect_is_passed_on(client: str, through: Callable) -> None:
    (answer,) = exchange(client, Request("GET", through("node").url + "/redirect"))
    assert (answer.status, answer.all("location")) == (302, [LOCATION])


@each_client
def test_cookies_and_credentials_go_to_the_server(client: str, through: Callable) -> None:
    sent = {"Cookie": 'a=1; b="two, with a comma"', "Authorization": "Basic dTpw", "Accept-Encoding": "br;q=0.5"}
    told = exchange(client, Request("GET", through("node").url + "/describe", sent))[0].json()
    assert {name: told["headers"][name.lower()] for name in sent} == sent


def test_a_session_follows_redirects_keeps_cookies_and_decompresses(through: Callable) -> None:
    url = through("aiohttp").url
    with httpx.Client(timeout=LIMIT_S, verify=False, trust_env=False, follow_redirects=True) as client:
        client.get(url + "/cookies")
        told = client.get(url + "/redirect").json()
        assert told["target"] == LOCATION
        assert "a=1" in told["headers"]["cookie"]
        assert client.get(url + "/gzip").content == pattern(10_000)
