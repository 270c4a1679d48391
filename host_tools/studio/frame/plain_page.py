"""A page in plain HTML, for when there is no other: an address that leads nowhere, no way in."""
from __future__ import annotations

from html import escape

from host_tools.studio.frame.language import QUASAR, language
from host_tools.studio.frame.theme import THEMES

_STYLE = """
body { margin: 0; min-height: 100vh; display: grid; place-items: center; color-scheme: light dark;
  font: 18px/1.5 system-ui, "Segoe UI", Roboto, "Noto Sans", "DejaVu Sans", sans-serif; }
main { max-width: 34rem; padding: 2rem 1.5rem; }
h1 { font-size: 1.9rem; line-height: 1.2; margin: 0 0 .8rem; }
p { margin: 0 0 1.4rem; overflow-wrap: anywhere; }
a { display: inline-block; padding: .8rem 1.2rem .8rem 0; font-weight: 600; }
a:focus-visible { outline: 3px solid; outline-offset: 2px; }
"""
_COLOURS = "body {{ background: {paper}; color: {ink}; }} a {{ color: {accent}; }}"


def plain_page(title: str, text: str, links: tuple[tuple[str, str], ...] = ()) -> str:
    """HTML in the request's language. links: (address, words)."""
    style = _STYLE + _COLOURS.format(**THEMES["light"])
    dark = _COLOURS.format(**THEMES["dark"])
    listed = "".join(f'<a href="{escape(to)}">{escape(words)}</a> ' for to, words in links)
    return (
        f'<!doctype html><html lang="{QUASAR[language()]}"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)} · Beckon Studio</title><style>{style}"
        f"@media (prefers-color-scheme: dark) {{ {dark} }}</style></head>"
        f"<body><main><h1>{escape(title)}</h1><p>{escape(text)}</p>{listed}</main></body></html>"
    )
