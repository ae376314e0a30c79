"""The lint of our own words: what a report of this kind never says.

It reads our text only. What the evidence says (file name, tags) stands in elements of the class ``evidence``
and may say anything. Its limit: it knows phrases, not meanings; a careful reader is still needed.
"""

from __future__ import annotations

import re
from html.parser import HTMLParser

#: Why a phrase is forbidden, and the phrases. None may hit "95 % interval", "uncertain", "likelihood ratio".
FORBIDDEN = {
    "a verdict": (
        r"\b(?:deep-?)?fak(?:e|es|ed|ery|ing)\b",
        r"\bgenuine(?:ly|ness)?\b",
        # In the plural it may be said of a data set: "authentic dev clips".
        r"\b(?:in|un)?authentic(?:ity|ally)?\b"
        r"(?! (?:[\w-]+ )?(?:clips|recordings|samples|videos|voices|speakers)\b)",
        r"\b(?:forged|forger(?:y|ies)|counterfeit|doctored|bogus)\b",
        r"\b(?:looks?|appears?|seems?|deemed|judged) (?:to be )?(?:not )?real\b",
    ),
    "says identity; say what agrees, and how closely": (r"(?<!template )(?<!block )\bmatch(?:es|ed|ing)?\b",),
    "claims certainty": (
        r"\b(?:dis)?prov(?:e|es|ed|en|ing)\b|\bproofs?\b",
        r"\bcertain(?:ly|ty)?\b",
        r"\b(?:definite|conclusive|unequivocal|undoubted)(?:ly)?\b|\b(?:undeniabl|indisputabl)[ey]\b",
        r"\b(?:infallible|error-free|foolproof|fail-?safe)\b|\b100 ?% (?:accurate|reliable|sure)\b",
        r"\b(?:no|without|beyond)(?: a| any| all| reasonable)* doubt\b",
        r"\bclearly (?:shows?|demonstrates?|establish(?:es)?)\b|\bobvious(?:ly)?\b",
    ),
    "a belief as a number or in words": (
        r"%\s*(?:confident|sure|certain|probab\w*|likel(?:y|ihood)|chance|real|synthetic|manipulated)",
        r"%\s*confidence\b(?! (?:interval|limit|bound|level))",
        r"\b(?:very|highly|most|more|quite) (?:un)?likely\b|\b(?:im)?probably\b",
        r"\bsuspicious(?:ly)?\b",
    ),
    "no error rate is zero": (
        r"\bzero (?:rate of )?errors?\b",
        r"\berror rates? (?:of|is) (?:0|zero)\b(?!\.)|\b0(?:\.0+)? ?% errors?\b",
    ),
    "about guilt, mind or character": (
        r"\b(?:guilty|innocent of|liar|lied|deceptive)\b|\b(?:is|was|are|were) lying\b",
        r"\b(?:deceiv|nervous|dishonest)\w*\b",
    ),
}
#: Said of the recording only in a sentence that denies, asks or states a hypothesis: "… is not evidence that
#: the recording is unaltered".
VERDICT = (
    r"\b(?:recording|video|clip|film|file|footage|sound|voice|speech|face|picture|image|item|evidence|it)"
    r" (?:is|are|was|were|has been|have been|must be|must have been) (?:not )?"
    r"(?:altered|unaltered|manipulated|tampered|edited|synthetic|generated|replaced|real|original|untouched)\b"
)
_PATTERNS = [(re.compile(p, re.IGNORECASE), why) for why, several in FORBIDDEN.items() for p in several]
_VERDICT = re.compile(VERDICT, re.IGNORECASE)
_DENIED = re.compile(
    r"\b(?:not|nor|never|neither|cannot|whether|if|probability|hypothesis|H[12])\b[^.]*$", re.IGNORECASE
)
_AROUND = 40  # characters shown each side of a hit
#: Elements without content, and elements that do not end a sentence.
VOID = frozenset({"br", "col", "hr", "img", "input", "link", "meta", "source", "wbr"})
INLINE = frozenset({"a", "abbr", "b", "bdi", "code", "em", "i", "small", "span", "strong", "sub", "sup", "wbr"})


class _OwnText(HTMLParser):
    """Collects what a reader or a screen reader gets, without styles and without the evidence's own words."""

    def __init__(self) -> None:
        super().__init__()
        self.parts: list[str] = []
        self._hidden = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        if self._hidden or tag in ("style", "script") or "evidence" in (values.get("class") or "").split():
            self._hidden += tag not in VOID
            return
        self.parts += [f" {values[name]}. " for name in ("alt", "title", "aria-label") if values.get(name)]
        self._break(tag)

    def handle_endtag(self, tag: str) -> None:
        if self._hidden:
            self._hidden -= 1
        self._break(tag)

    def handle_data(self, data: str) -> None:
        if not self._hidden:
            self.parts.append(data)

    def _break(self, tag: str) -> None:
        """A block ends a sentence: its words do not run into the next block's."""
        if tag not in INLINE:
            self.parts.append("\n.\n")


def own_text(html: str) -> str:
    """Our text in ``html``, white space made plain."""
    reader = _OwnText()
    reader.feed(html)
    reader.close()
    return re.sub(r"\s+", " ", "".join(reader.parts)).strip()


def check(html: str) -> list[str]:
    """Each forbidden phrase in our text, with its reason and surroundings; empty where there is none."""
    text = own_text(html)
    hits = [(hit, why) for pattern, why in _PATTERNS for hit in pattern.finditer(text)]
    hits += [(hit, "a verdict") for hit in _VERDICT.finditer(text) if not _DENIED.search(text[: hit.start()])]
    return [f"“{hit.group()}” ({why}): …{_surroundings(text, hit)}…" for hit, why in hits]


def _surroundings(text: str, hit: re.Match[str]) -> str:
    return text[max(0, hit.start() - _AROUND) : hit.end() + _AROUND]
