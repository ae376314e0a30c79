"""Texts from outside: they refuse to become text by themselves, and each escaper leaves nothing that acts."""

from __future__ import annotations

import copy
import csv
import io
import json
import pickle
import re
from html.parser import HTMLParser

import jinja2
import matplotlib
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markupsafe import Markup

from forensics import plots, text
from forensics.text import Untrusted, joined, wrapped

#: What acts somewhere: markup, formulas, terminals, markdown, mathematics, directions, lone surrogates.
PIECES = (
    *("<script>alert(1)</script>", "</code>", "&lt;", '" onload="x', "'", "{{7*7}}", "{% raw %}", "![x](y)", "[a](b)"),
    *(
        "\x1b[2J",
        "\x1b]0;owned\x07",
        "\x9b31m",
        "\r\n",
        "\n",
        "\t",
        "\0",
        "\x7f",
        "\u202e",
        "\u2066",
        "\u200b",
        "\ufeff",
    ),
    *(
        "\n\n# Conclusion\n",
        "\n---\n",
        "\n| a | b |\n|---|---|\n",
        "|",
        "`",
        "```",
        "\\",
        "$x^2$",
        "$$",
        "_",
        "__",
        "*",
    ),
    *("=1+1", "+", "-", "@SUM(A1)", "＝1", " =1", '=HYPERLINK("http://localhost")', ";", ",", '"'),
    *("\ud800", "\udfff", "\u2028", "\u2029", "\ue000", "\U000e0041", "Grüße", "東京", "\U0001f600", "%s", "%n"),
)
nasty = st.lists(st.one_of(st.sampled_from(PIECES), st.text(max_size=5)), max_size=6).map("".join)
STEERING = re.compile("[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ud800-\udfff]")
ESCAPERS = (text.for_html, text.for_markdown, text.for_terminal, text.for_csv, text.for_chart, text.for_json)


# -- the type --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "leak",
    [
        str,
        print,
        list,
        copy.copy,
        copy.deepcopy,
        pickle.dumps,
        lambda t: f"{t}",
        lambda t: f"{t:>9}",
        "{}".format,
        lambda t: "%s" % t,  # noqa: UP031
        lambda t: t + "a",
        lambda t: "a" + t,
        lambda t: t + t,
        lambda t: 2 * t,
        lambda t: t % 1,
    ],
)
def test_it_refuses_to_become_text_and_names_the_escapers(leak, capsys):
    with pytest.raises(TypeError) as refused:
        leak(Untrusted("a tag"))
    assert all(escaper.__name__ in str(refused.value) for escaper in ESCAPERS)
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(
    "leak",
    [
        "".join,
        lambda t: "".join([t]),
        json.dumps,
        lambda t: json.dumps({"a": t}),
        lambda t: json.dumps({t: 1}),
        open,
        bytes,
        lambda t: io.StringIO().write(t),
        lambda t: jinja2.Environment().from_string("{{ t }}").render(t=t),
        lambda t: jinja2.Environment(autoescape=True).from_string("{{ 'a' ~ t }}").render(t=t),
        lambda t: csv.writer(io.StringIO()).writerow([t]),
        lambda t: re.sub("a", "b", t),
    ],
)
def test_libraries_cannot_take_it_for_text(leak):
    with pytest.raises(TypeError):
        leak(Untrusted("a tag"))


def test_it_is_compared_and_asked_by_content_and_does_not_change():
    tag = Untrusted("a tag")
    assert tag == "a tag" == tag and tag == Untrusted("a tag") and tag != "another" and tag != 1
    assert {tag: 1}["a tag"] == {"a tag": 1}[tag] == 1
    assert len(tag) == 5 and "tag" in tag and tag.isprintable() and not Untrusted("")
    with pytest.raises(TypeError):
        tag._text = "other"
    with pytest.raises(TypeError, match="found int"):
        Untrusted(5)


def test_shown_to_a_programmer_it_is_marked_and_spelled_out():
    assert repr(Untrusted("a\x1b\u202e")) == "Untrusted('a⟨U+001B⟩⟨U+202E⟩')"


def test_joining_keeps_it_from_outside():
    together = joined(["stream ", 1, " (", Untrusted("\x1b"), ")"])
    assert isinstance(together, Untrusted) and together == "stream 1 (\x1b)"
    assert isinstance(joined([]), Untrusted) and joined(["a", "b"], ", ") == "a, b"


def test_a_message_is_wrapped_but_for_our_own_words_and_names_of_fields():
    told = wrapped(
        {"kind": "video", "codec": "video\n", "n": 1, "tags": {"a": "b"}, "s": [["x"], None]}, {"video"}, {"tags"}
    )
    assert type(told["kind"]) is str and told["n"] == 1 and told["s"] == [["x"], None]
    inside = (told["codec"], *told["tags"], told["tags"]["a"], told["s"][0][0])
    assert all(type(part) is Untrusted for part in inside)
    assert {type(name) for name in told} == {str}


# -- the escapers ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("escaper", ESCAPERS)
@settings(deadline=None)
@given(nasty)
def test_no_escaper_lets_through_what_steers(escaper, said):
    shown = str(escaper(Untrusted(said)))
    shown.encode("utf-8")
    assert not STEERING.search(shown)
    assert shown == str(escaper(said))  # a text of ours that quotes one is treated alike


@pytest.mark.parametrize("escaper", ESCAPERS)
def test_every_escaper_cuts_and_leaves_usual_words_alone(escaper):
    assert len(escaper(Untrusted("a" * 100_000), longest=50)) < 70 and len(escaper(Untrusted("a" * 100_000))) < 33_000
    for words in ("Grüße, 東京 \U0001f600", "Lavf60.16.100", "x264 - core 164"):
        assert str(escaper(Untrusted(words))).strip("`") == words


class Page(HTMLParser):
    """Tags, attributes and texts as a browser would read them."""

    def __init__(self, source: str):
        super().__init__()
        self.tags, self.attributes, self.shown = [], [], ""
        self.feed(source)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += attrs

    def handle_endtag(self, tag):
        self.tags.append("/" + tag)

    def handle_data(self, data):
        self.shown += data


@settings(deadline=None)
@given(nasty)
@example("</p><script>")
def test_in_html_it_is_neither_tag_nor_attribute(said):
    tag = Untrusted(said)
    template = jinja2.Environment(autoescape=True).from_string('<p title="{{ t }}">{{ t }}={{ t }}</p>')
    for source in (
        template.render(t=tag),
        str(Markup('<p title="{}">{}={}</p>').format(tag, tag, tag)),
        str(Markup('<p title="') + tag + Markup('">') + tag + "=" + tag + Markup("</p>")),
    ):
        page = Page(source)
        assert page.tags == ["p", "/p"]
        assert page.attributes == [("title", text.visible(said))]
        assert page.shown == text.visible(said) + "=" + text.visible(said)


def test_markup_from_outside_is_not_safe_because_it_says_so():
    assert text.for_html(Untrusted(Markup("<b>"))) == text.for_html(Markup("<b>")) == "&lt;b&gt;"


@settings(deadline=None)
@given(nasty)
@example("a` <b># x `c")
def test_in_markdown_it_is_code_and_nothing_else_alone_and_in_a_table(said):
    shown = text.for_markdown(Untrusted(said))
    if not said:
        assert shown == ""
        return
    parser = MarkdownIt("gfm-like", {"linkify": False})
    kinds = [part.type for token in parser.parse(shown) for part in (token, *(token.children or ()))]
    assert kinds == ["paragraph_open", "inline", "code_inline", "paragraph_close"]
    table = parser.parse(f"| a | b |\n| --- | --- |\n| {shown} | {shown} |\n")
    cells = [table[k + 1].children for k, token in enumerate(table) if token.type == "td_open"]
    assert [[part.type for part in cell] for cell in cells] == [["code_inline"]] * 2
    assert cells[0][0].content.strip() == shown[1:-1].strip()


@settings(deadline=None)
@given(nasty)
def test_in_a_terminal_it_stays_in_its_line(said):
    shown = text.for_terminal(Untrusted(said))
    assert "\x1b" not in shown and len(shown.splitlines()) <= 1 and (shown.isprintable() or not said.isprintable())


@settings(deadline=None)
@given(nasty)
@example("\t=1+1")
@example(" =1+1")
@example('=1,"2"\n-3')
def test_in_a_table_it_is_one_cell_and_no_formula(said):
    for table in (plots.csv({"name": [Untrusted(said), "x"]}), plots.csv({"name": [said, "x"]})):
        rows = list(csv.reader(io.StringIO(table, newline="")))
        assert len(rows) == 3 and all(len(row) <= 1 for row in rows)
        cell = "".join(rows[1])
        assert not cell.lstrip().startswith(("=", "+", "-", "@", "\t", "\r", "＝", "＋", "－", "＠"))
        assert cell in (text.visible(said, 10**6), "'" + text.visible(said, 10**6))


@settings(deadline=None)
@given(nasty)
@example("$x$")
@example("_x")
def test_in_a_chart_it_is_no_mathematics_and_stays_in_the_legend(said):
    shown = text.for_chart(Untrusted(said))
    assert not matplotlib.cbook.is_math_text(shown) and not shown.startswith("_")


@settings(deadline=None)
@given(nasty)
def test_in_json_it_comes_back_as_utf8(said):
    shown = text.for_json(Untrusted(said))
    assert json.loads(json.dumps(shown, ensure_ascii=False).encode("utf-8")) == shown
