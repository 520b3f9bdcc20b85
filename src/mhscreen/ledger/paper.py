"""Paper: one self-contained page of HTML to print, in which every text is escaped."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

__all__ = ["Html", "blank", "both", "boxes", "page", "section", "table", "tag"]

_STYLE = """
@page { size: A4; margin: 16mm 15mm; }
body { font: 10.5pt/1.55 "Noto Serif CJK SC", "Songti SC", SimSun, serif; color: #000;
  max-width: 180mm; margin: 0 auto; }
h1 { font-size: 16pt; text-align: center; margin: 4pt 0; }
h2 { font-size: 11.5pt; margin: 10pt 0 3pt; }
p { margin: 3pt 0; }
small, .en { font-size: 8.5pt; color: #333; }
table { border-collapse: collapse; width: 100%; margin: 3pt 0; }
td, th { border: 0.6pt solid #000; padding: 3pt 5pt; text-align: left; vertical-align: top; }
th { font-weight: normal; background: #f2f2f2; }
.blank { display: inline-block; min-width: 34mm; border-bottom: 0.6pt solid #000; }
.room { height: 15mm; }
.draft { border: 2pt solid #000; padding: 4pt 8pt; text-align: center; font-size: 12pt; }
.copy { break-after: page; }
.copy:last-child { break-after: auto; }
footer { margin-top: 8pt; border-top: 0.6pt solid #000; padding-top: 3pt; }
"""


class Html(str):
    """Markup: what is not of this type is text, and is escaped."""

    __slots__ = ()


def tag(name: str, *inside: str, kind: str = "") -> Html:
    """Return an element; texts inside are escaped.

    Examples
    --------
    >>> print(tag("p", "a < b", tag("b", "&"), kind="x"))
    <p class="x">a &lt; b<b>&amp;</b></p>
    """
    texts = "".join(one if isinstance(one, Html) else escape(one) for one in inside)
    marks = f' class="{escape(kind)}"' if kind else ""
    return Html(f"<{name}{marks}>{texts}</{name}>")


def both(zh: str, en: str) -> Html:
    """Return the same words in Chinese and, smaller, in English."""
    return Html(f"{escape(zh)} {tag('span', en, kind='en')}")


def blank(zh: str, en: str, text: str | None = None) -> Html:
    """Return a field: its name, and what stands in it or a line to write on."""
    field = tag("span", text or "\N{NO-BREAK SPACE}", kind="" if text else "blank")
    return tag("p", both(f"{zh}：", en), " ", field)


def boxes(options: Iterable[tuple[str, str]]) -> Html:
    """Return options to tick."""
    return tag("p", *(Html(f"□ {both(zh, en)} &emsp;") for zh, en in options))


def table(rows: Sequence[Sequence[str]], heading: Sequence[str] = ()) -> Html:
    """Return a table; an empty cell is room to write in."""
    lines = [tag("tr", *(tag("th", one) for one in heading))] if heading else []
    lines += [tag("tr", *(tag("td", cell) for cell in row)) for row in rows]
    return tag("table", *lines)


def section(zh: str, en: str, *inside: str) -> Html:
    """Return a part of a page with its heading."""
    return Html(tag("h2", both(zh, en)) + "".join(map(_as_text, inside)))


def page(title: tuple[str, str], *copies: Sequence[str]) -> str:
    """Return a whole document: each copy begins on a new sheet.

    Parameters
    ----------
    title : tuple of str
        In Chinese and in English.
    copies : sequence of sequence of str
        What stands on each; no copy needs anything from outside the page.
    """
    zh, en = title
    head = tag("h1", zh), tag("p", tag("small", en))
    sheets = (
        tag("section", *head, *(Html(_as_text(one)) for one in copy), kind="copy")
        for copy in copies
    )
    return (
        '<!doctype html>\n<html lang="zh-CN"><head><meta charset="utf-8">'
        f"<title>{escape(zh)} {escape(en)}</title><style>{_STYLE}</style></head>\n"
        f"<body>{''.join(sheets)}</body></html>\n"
    )


def _as_text(part: str) -> str:
    return part if isinstance(part, Html) else tag("p", part)
