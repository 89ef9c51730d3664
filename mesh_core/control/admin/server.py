"""The admin endpoint: which page answers a request, and which requests none may."""

from __future__ import annotations

from mesh_core.control.admin.pages import PAGES
from mesh_core.control.http_server import Answer, HttpServer, Request, sent_by_a_web_page, text
from mesh_core.control.proxy import Proxy


class AdminServer(HttpServer):
    """Serves the admin pages of one proxy."""

    field = "admin.address"

    def __init__(self, proxy: Proxy) -> None:
        super().__init__()
        self._proxy = proxy

    async def _answer(self, request: Request) -> Answer:
        page = PAGES.get(request.path)
        if page is None:
            return text(f"no page {request.path}; / lists them\n", 404)
        allowed = (page.method, "HEAD") if page.method == "GET" else (page.method,)
        if request.method not in allowed:
            refusal = text(f"{request.path} is for {page.method} only\n", 405)
            return refusal._replace(headers=(("allow", ", ".join(allowed)),))
        if request.method == "POST" and sent_by_a_web_page(request):
            return text("refused: sent by a web page; use a command line\n", 403)
        return await page.answer(self._proxy, request.query)
