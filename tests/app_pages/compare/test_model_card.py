"""A model card as HTML: it loads nothing, and nothing in it is markup of its own."""

from __future__ import annotations

from html.parser import HTMLParser

import pytest

from app_pages.compare.model_card import model_card_html
from fer import load_version
from fer.versions.folder import CARD
from tests.support.pages import choose, open_page, open_section

URL = "http://spy.example/x.png"
ALLOWED = {
    *(
        "a",
        "blockquote",
        "br",
        "code",
        "div",
        "em",
        "h3",
        "h4",
        "h5",
        "h6",
        "hr",
        "li",
        "ol",
        "p",
        "pre",
        "strong",
    ),
    *("table", "tbody", "td", "th", "thead", "tr", "ul"),
}

# The section "Images" of the CommonMark specification, with this address in place of the
# specification's.
SPECIFICATION = [
    (f'![foo]({URL} "title")', "foo"),
    (f'![foo *bar*]\n\n[foo *bar*]: {URL} "train & tracks"', "foo bar"),
    (f"![foo ![bar]({URL})]({URL})", "foo bar"),
    (f"![foo [bar]({URL})]({URL})", "foo bar"),
    (f'![foo *bar*][]\n\n[foo *bar*]: {URL} "train & tracks"', "foo bar"),
    (f'![foo *bar*][foobar]\n\n[FOOBAR]: {URL} "train & tracks"', "foo bar"),
    (f"![foo]({URL})", "foo"),
    (f'My ![foo bar]({URL}  "title"   )', "My foo bar"),
    (f"![foo](<{URL}>)", "foo"),
    (f"![]({URL})", ""),
    (f"![foo][bar]\n\n[bar]: {URL}", "foo"),
    (f"![foo][bar]\n\n[BAR]: {URL}", "foo"),
    (f'![foo][]\n\n[foo]: {URL} "title"', "foo"),
    (f'![*foo* bar][]\n\n[*foo* bar]: {URL} "title"', "foo bar"),
    (f'![Foo][]\n\n[foo]: {URL} "title"', "Foo"),
    (f'![foo] \n[]\n\n[foo]: {URL} "title"', "foo\n[]"),
    (f'![foo]\n\n[foo]: {URL} "title"', "foo"),
    (f'![*foo* bar]\n\n[*foo* bar]: {URL} "title"', "foo bar"),
    (f'![[foo]]\n\n[[foo]]: {URL} "title"', f'![[foo]]\n[[foo]]: {URL} "title"'),
    (f'![Foo]\n\n[foo]: {URL} "title"', "Foo"),
    (f'!\\[foo]\n\n[foo]: {URL} "title"', "![foo]"),
    (f'\\![foo]\n\n[foo]: {URL} "title"', "!foo"),
]
OTHERS = [
    (f"!![foo]({URL})", "!foo"),
    (f"!!![foo]({URL})", "!!foo"),
    (f"!![foo][ref]\n\n[ref]: {URL}", "!foo"),
    (f"!!![foo][ref]\n\n[ref]: {URL}", "!!foo"),
    (f"!\\![foo]({URL})", "!!foo"),
    (f"\\\\![foo]({URL})", "\\foo"),
    (f"[![foo]({URL})]({URL})", "foo"),
    (f"[ ![foo]({URL}) bar ]({URL})", "foo bar"),
    (f"**![foo]({URL})**", "foo"),
    (f"> - ![foo]({URL})", "foo"),
    (f"# ![foo]({URL})", "foo"),
    (f"| ![foo]({URL}) | b |\n| --- | --- |\n| !![bar]({URL}) | c |", "foo\nb\n!bar\nc"),
    (f"a[^1]\n\n[^1]: {URL}\n", "a^1"),
    (f"a[^1]\n\n[^1]: ![foo]({URL})\n", "a^1"),
    (f'<img src="{URL}">', ""),
    (f'a <img src="{URL}"> b', "a  b"),
    (f'a <img src="{URL}" onerror="alert(1)"/> b', "a  b"),
    (f'![<img src="{URL}">]({URL})', f'<img src="{URL}">'),
    (f'<div style="background:url({URL})">\n\nfoo\n\n</div>', "foo"),
    (f"<style>@import '{URL}';</style>", ""),
    (f'<svg><image href="{URL}"/></svg>', ""),
    (f"<script>fetch('{URL}')</script>", ""),
    (f"`![foo]({URL})`", f"![foo]({URL})"),
    (f"```{URL}\n![foo]({URL})\n```", f"![foo]({URL})"),
    (f"    <img src={URL}>", f"<img src={URL}>"),
    (f"&lt;img src={URL}&gt;", f"<img src={URL}>"),
    (f"!&#91;foo]({URL})", f"![foo]({URL})"),
    (f"$\\includegraphics{{{URL}}}$", f"$\\includegraphics{{{URL}}}$"),
    (
        f"$$\\htmlStyle{{background:url({URL})}}{{x}}$$",
        f"$$\\htmlStyle{{background:url({URL})}}{{x}}$$",
    ),
    (
        ":material/home: :smile: :red[foo] :streamlit:",
        ":material/home: :smile: :red[foo] :streamlit:",
    ),
    (f"---\nthumbnail: {URL}\n---\nfoo", "foo"),
    ("[foo](javascript:alert(1))", "[foo](javascript:alert(1))"),
    ("[foo](JavaScript&colon;alert(1))", "[foo](JavaScript:alert(1))"),
    ("[foo](../../etc/passwd)", "foo"),
    ("[foo](//spy.example)", "foo"),
    ("[foo](mailto:me@spy.example)", "foo"),
    ("<ftp://spy.example>", "ftp://spy.example"),
    (f'[foo]({URL} "title")', "foo"),
    (f"<{URL}>", URL),
    ("", ""),
]


class Reader(HTMLParser):
    """What a browser finds in HTML: words, elements, and where its links lead."""

    def __init__(self) -> None:
        super().__init__()
        self.words: list[str] = []
        self.elements: set[str] = set()
        self.attributes: set[tuple[str, str | None]] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.add(tag)
        self.attributes |= set(attrs)

    def handle_data(self, data: str) -> None:
        self.words.append(data)


def read(page: str) -> Reader:
    reader = Reader()
    reader.feed(page)
    reader.close()
    return reader


@pytest.mark.parametrize(("card", "words"), [*SPECIFICATION, *OTHERS])
def test_a_card_loads_nothing_and_keeps_its_words(card: str, words: str) -> None:
    found = read(model_card_html(card))
    lines = "\n".join(line for line in "".join(found.words).splitlines() if line.strip())
    assert lines.strip() == words.strip()
    assert found.elements <= ALLOWED
    assert found.attributes <= {("class", "fer-model-card"), ("target", "_blank"), ("href", URL)}


@pytest.mark.parametrize(
    ("card", "markup"),
    [
        ("# a\n### b\n###### c", "<h3>a</h3>\n<h5>b</h5>\n<h6>c</h6>"),
        ("a | b\n:-- | --:\n1 | 2", '<td style="text-align:right">2</td>'),
        ("3. a\n4. b", '<ol start="3">'),
        ("*a* **b** `c`", "<em>a</em> <strong>b</strong> <code>c</code>"),
        (f"[a]({URL})", f'<a href="{URL}" target="_blank">a</a>'),
        ("```python\nx < 1\n```", "<pre><code>x &lt; 1\n</code></pre>"),
    ],
)
def test_what_a_card_may_use(card: str, markup: str) -> None:
    assert markup in model_card_html(card)


def test_a_real_card_keeps_its_headings_tables_and_code() -> None:
    found = read(model_card_html((load_version().folder / CARD).read_text()))
    assert {"h3", "h4", "table", "code"} <= found.elements
    assert "license" not in "".join(found.words[:3])


def test_a_long_card_is_cut() -> None:
    assert len(model_card_html("a" * 1_000_000)) < 200_000


@pytest.mark.usefixtures("models")
def test_card_is_shown_without_its_head_scripts_and_pictures() -> None:
    app = open_section(choose(open_page(), "v1.1.0", "v1.0.0"), "Card and history")
    (card,) = (
        element.proto.body
        for element in app.get("html")
        if 'class="fer-model-card"' in element.proto.body
    )
    assert card.startswith('<div class="fer-model-card"><h3>')
    assert "a picture of a spy" in card
    assert "spy.example" not in card
    assert "script" not in card
