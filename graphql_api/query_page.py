"""The query page: GraphiQL from the installed npm packages, nothing from other hosts."""

from pathlib import Path
from typing import ClassVar

from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, PlainTextResponse, RedirectResponse, Response

_PAGE = Path(__file__).with_name("query_page_files")

# GraphiQL sets styles from scripts, hence inline style; everything else comes from this host alone.
CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; font-src 'self' data:; "
    "img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
MISSING = "The query page is not installed: run `npm ci` in graphql_api/graphiql, then load this page again."


class QueryPage:
    """The handlers of / and /graphiql and its files: names on a list, never paths of the client's."""

    MODULE_FILES: ClassVar[dict[str, tuple[str, str]]] = {
        "react.js": ("react/umd/react.production.min.js", "text/javascript"),
        "react-dom.js": ("react-dom/umd/react-dom.production.min.js", "text/javascript"),
        "graphiql.js": ("graphiql/graphiql.min.js", "text/javascript"),
        "graphiql.css": ("graphiql/graphiql.min.css", "text/css"),
    }
    OWN_FILES: ClassVar[dict[str, tuple[str, str]]] = {
        "page.js": ("page.js", "text/javascript"),
        "page.css": ("page.css", "text/css"),
    }

    def __init__(self, modules: Path) -> None:
        self._modules = modules

    async def redirect(self, _request: Request) -> Response:
        return RedirectResponse("/graphiql")

    async def page(self, _request: Request) -> Response:
        if not all((self._modules / path).is_file() for path, _ in self.MODULE_FILES.values()):
            return PlainTextResponse(MISSING, status_code=503)
        html = (_PAGE / "page.html").read_text(encoding="utf-8")
        return HTMLResponse(html, headers=_headers("no-cache"))

    async def asset(self, request: Request) -> Response:
        name = request.path_params["path"]
        if name in self.OWN_FILES:
            path, media = self.OWN_FILES[name]
            return FileResponse(_PAGE / path, media_type=media, headers=_headers("no-cache"))
        if name in self.MODULE_FILES:
            path, media = self.MODULE_FILES[name]
            if (self._modules / path).is_file():
                return FileResponse(self._modules / path, media_type=media, headers=_headers("public, max-age=86400"))
        return PlainTextResponse("There is no such file.", status_code=404)


def _headers(cache: str) -> dict[str, str]:
    return {
        "Cache-Control": cache,
        "Content-Security-Policy": CONTENT_SECURITY_POLICY,
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",
    }
