"""The words that the analyst says are spoken: read, checked, and brought to the sound. A statement, not a measurement.

A text in UTF-8. A line is words; or a time range in seconds on the presentation clock and the words within it; or a
word with its phonemes, by the CMU dictionary's names (ARPAbet; stress is left out); or, behind ``#``, a remark:

    [12.4-17.9] Bob bought a map of Panama.
    panama = P AE N AH M AA

Either all words have time ranges or none has: then they are those of all speech that was examined.
Words are looked up in the CMU dictionary of American English; figures are to be spelled out. Nothing is guessed.
Reference: Huggins-Daines et al. 2006 (PocketSphinx); the CMU Pronouncing Dictionary.
Not to be trusted: where the words are not those spoken. That is seen (``least_score``) of whole sentences, not of one
word (tests/real/TRANSCRIPTS.md). In other languages: their words are not in the dictionary, and are refused.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import pairwise
from pathlib import Path

from forensics.errors import CaseError, ParameterError
from forensics.method import Method, setting
from forensics.speech import ARPABET, BILABIALS, Aligner, Alignment, Phoneme, phonemes
from forensics.text import HIDDEN, for_terminal, hidden, spelled
from forensics.timeline import Audio, Interval, intersection

METHOD = Method(
    "alignment of the analyst's words by CMU PocketSphinx, American English",
    "1",
    "Huggins-Daines et al. 2006; limits from right and wrong words (tests/real/TRANSCRIPTS.md)",
)

#: Largest transcript, in bytes: more than an hour of speech at 150 words a minute.
LARGEST = 1 << 16
#: Words of a transcript, and words that a refusal lists.
MOST_WORDS, MOST_LISTED = 12_000, 12
#: Longest word: the dictionary's longest has 34 letters.
LONGEST_WORD = 40
#: s of silence around a passage that the recogniser is given: speech begins before its detector is sure.
MARGIN_S = 0.1
#: s without a phoneme that part a passage: longer than the closure of a stop.
PAUSE_S = 0.3
#: s by which a phoneme heard without the words may lie beside one aligned: two pictures at 25/s.
NEAR_S = 0.08

_RANGE = re.compile(r"\[\s*(\d{1,6}(?:\.\d{1,6})?)\s*[-\u2013]\s*(\d{1,6}(?:\.\d{1,6})?)\s*\](.*)")
_SPELLING = re.compile(r"([^\s=]+)\s*=\s*(.*)")
#: What may stand round a word without being of it.
_AROUND = ".,;:!?\"()\u201c\u201d\u201e\u2018\u2019'\u2026\u2013\u2014-"
#: How a word may be written: letters, with apostrophes and points inside or behind.
_WORD = re.compile(r"[^\W\d_]+(?:['.][^\W\d_]+)*[.']?")


def _fingerprint(text: str) -> str:
    return f"SHA-256 {digest(text)}" if text else "none"


@dataclass(frozen=True)
class Settings:
    text: str = setting("", "1", "the analyst's words (--transcript); none: nothing is aligned", _fingerprint)
    least_score: float = setting(
        -27.0,
        "1",
        "of a passage's alignment: wrong sentences stay below, most right ones do not (TRANSCRIPTS.md)",
    )
    least_agreement: float = setting(
        0.2, "1", "share of phonemes also heard without the words: 27 % or more in right sentences (TRANSCRIPTS.md)"
    )
    longest_passage_s: float = setting(60.0, "s", "aligned at once: longer ones lose their place; give time ranges")


@dataclass(frozen=True)
class Passage:
    """Words of the transcript, lower case, and the time they are said to lie in; None: all that was examined."""

    words: tuple[str, ...]
    interval: Interval | None = None


@dataclass(frozen=True)
class Transcript:
    """What the text says: its passages, and words with their phonemes."""

    passages: tuple[Passage, ...]
    spelled: Mapping[str, tuple[str, ...]]


@dataclass(frozen=True)
class Placed:
    """A passage at its sound. ``reason``: why it cannot be used, a code of REASONS; "" where it can.

    ``score`` of the alignment and the share of its phonemes that are also heard without the words; None where there is
    no alignment.
    """

    words: tuple[str, ...]
    interval: Interval
    reason: str
    score: float | None = None
    agreement: float | None = None


@dataclass(frozen=True)
class Told:
    """The transcript at the sound: phonemes in order, those also heard without the words, and those struck out.

    ``confirmed`` (a place in ``phonemes`` each) of /p b m/: one of these three is heard there without the words, too.
    ``struck``: places in ``phonemes`` that the analyst struck out.
    """

    text: str
    passages: tuple[Placed, ...]
    phonemes: tuple[Phoneme, ...]
    confirmed: frozenset[int] = frozenset()
    struck: frozenset[int] = frozenset()

    @cached_property
    def reasons(self) -> tuple[str, ...]:
        """Reason codes of passages, each once."""
        return tuple(dict.fromkeys(p.reason for p in self.passages if p.reason))


def digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


# -- reading -----------------------------------------------------------------------------------------------------------


def read(path: Path) -> str:
    """The text of the file, as it is kept: composed (NFC), line feeds. Raises CaseError ``E_TRANSCRIPT``."""
    try:
        if not path.is_file():
            raise _refusal("The transcript is no file.", "Name a text file in UTF-8.")
        with path.open("rb") as file:
            content = file.read(LARGEST + 1)
    except OSError as error:
        raise _refusal("The transcript cannot be read.", "Name a text file in UTF-8.") from error
    if len(content) > LARGEST:
        raise _refusal(
            f"The transcript has more than {LARGEST} bytes.", "Give the words of a part, with --from and --to."
        )
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise _refusal("The transcript is not UTF-8.", "Save it as plain text in UTF-8.") from error
    return checked(text)


def checked(text: str) -> str:
    """The text as it is kept, if all of it can be used; raises CaseError that says what cannot."""
    text = unicodedata.normalize("NFC", text.replace("\r\n", "\n"))
    if len(text.encode(errors="replace")) > LARGEST:
        raise _refusal(
            f"The transcript has more than {LARGEST} bytes.", "Give the words of a part, with --from and --to."
        )
    for number, line in enumerate(text.split("\n"), 1):
        if (found := hidden(line.replace("\t", ""), HIDDEN)) is not None:
            raise _refusal(
                f"Line {number} of the transcript holds {spelled(found)}, a character that shows nothing.",
                "Take it out: all that counts is to be seen.",
            )
    _words_known(parsed(text))
    return text


def parsed(text: str) -> Transcript:
    """Passages and spellings of a text. Raises CaseError ``E_TRANSCRIPT`` with the line that cannot be read."""
    lines: list[str] = []
    passages: list[Passage] = []
    spelt: dict[str, tuple[str, ...]] = {}
    for number, line in enumerate(map(str.strip, text.split("\n")), 1):
        if not line or line.startswith("#"):
            continue
        if line.startswith("["):
            passages.append(_passage(line, number, passages[-1].interval if passages else None))
        elif "=" in line:
            spelt.update([_spelling(line, number)])
        else:
            lines.append(line)
    if lines and passages:
        raise _refusal("Some lines of the transcript have a time range and some have none.", "Give all one, or none.")
    if lines:
        passages = [Passage(tuple(_words(" ".join(lines))))]
    count = sum(len(passage.words) for passage in passages)
    if not passages or not all(passage.words for passage in passages):
        raise _refusal("The transcript, or one of its time ranges, has no words.", "Write what is spoken.")
    if count > MOST_WORDS:
        raise _refusal(f"The transcript has {count} words, more than {MOST_WORDS}.", "Give the words of a part.")
    return Transcript(tuple(passages), spelt)


def _passage(line: str, number: int, before: Interval | None) -> Passage:
    found = _RANGE.fullmatch(line)
    start_s, end_s = (float(found[1]), float(found[2])) if found else (0.0, 0.0)
    if not found or start_s >= end_s or (before and start_s < before.end_s):
        raise _refusal(
            f"The time range in line {number} of the transcript is unreadable, empty, or begins within the one before.",
            "Write [12.4-17.9] and the words, in order of time.",
        )
    return Passage(tuple(_words(found[3])), Interval(start_s, end_s))


def _spelling(line: str, number: int) -> tuple[str, tuple[str, ...]]:
    found = _SPELLING.fullmatch(line)
    names = tuple(name.rstrip("012") for name in found[2].upper().split()) if found else ()
    word = _plain(found[1]) if found else ""
    if not names or not _WORD.fullmatch(word) or len(word) > LONGEST_WORD or not ARPABET.issuperset(names):
        raise _refusal(
            f"Line {number} of the transcript does not give a word its phonemes.",
            "Write it as panama = P AE N AH M AA, with the names of the CMU dictionary.",
        )
    return word, names


def _words(text: str) -> list[str]:
    """Lower case; typographic apostrophes are plain ones; dashes part words. What stands round a word goes later."""
    return [plain for part in re.split(r"[\s\u2013\u2014]+", text) if (plain := _plain(part)).strip(_AROUND)]


def _plain(word: str) -> str:
    return word.replace("\u2019", "'").lower()


def _words_known(transcript: Transcript) -> tuple[Transcript, Aligner]:
    """The transcript with each word as the dictionary has it, and the aligner. Raises CaseError for unknown words."""
    aligner = Aligner(transcript.spelled)
    looked = {word: _looked_up(word, aligner) for passage in transcript.passages for word in passage.words}
    if unknown := [for_terminal(word, LONGEST_WORD) for word, parts in looked.items() if not parts]:
        more = f" and {len(unknown) - MOST_LISTED} more" if len(unknown) > MOST_LISTED else ""
        raise CaseError(
            "E_TRANSCRIPT_WORDS",
            f"The dictionary of American English does not know: {', '.join(unknown[:MOST_LISTED])}{more}.",
            "Spell out figures; give other words their phonemes in a line such as panama = P AE N AH M AA.",
        )
    passages = [replace(p, words=tuple(part for word in p.words for part in looked[word])) for p in transcript.passages]
    return replace(transcript, passages=tuple(passages)), aligner


def _looked_up(word: str, aligner: Aligner) -> list[str]:
    """The word as the dictionary has it: as it stands (``a.`` is the letter), bare, or in its parts; [] if unknown."""
    bare = word.strip(_AROUND)
    for parts in ([word], [word.strip(_AROUND.replace("'", ""))], [bare], bare.split("-")):
        if all(len(p) <= LONGEST_WORD and _WORD.fullmatch(p) and aligner.knows(p) for p in parts):
            return parts
    return []


def _refusal(sentence: str, next_step: str) -> CaseError:
    return CaseError("E_TRANSCRIPT", sentence, next_step)


# -- at the sound ------------------------------------------------------------------------------------------------------


def place(audio: Audio, speech: Sequence[Interval], examined: Interval, settings: Settings) -> Told:
    """The transcript's phonemes where they are heard, passage by passage; those that do not fit say why.

    ``speech``: where someone speaks; ``examined``: the examined time, beyond which nothing is aligned.
    """
    transcript, aligner = _words_known(parsed(settings.text))
    placed, found, heard = [], [], []
    for passage in transcript.passages:
        one, own, free = _at_sound(passage, audio, speech, examined, aligner, settings)
        placed.append(one)
        found += own
        heard += [p.interval for p in free if p.name in BILABIALS]
    confirmed = (k for k, p in enumerate(found) if p.name in BILABIALS and _near(p.interval, heard))
    return Told(settings.text, tuple(placed), tuple(found), frozenset(confirmed))


def _at_sound(
    passage: Passage, audio: Audio, speech: Sequence[Interval], examined: Interval, aligner: Aligner, settings: Settings
) -> tuple[Placed, list[Phoneme], list[Phoneme]]:
    """The passage placed, its phonemes, and those that are heard there without the words; both empty where refused."""
    spoken = intersection(speech, [examined])
    wanted = passage.interval or (Interval(spoken[0].start_s, spoken[-1].end_s) if spoken else examined)

    def refused(reason: str, *measured: float) -> tuple[Placed, list[Phoneme], list[Phoneme]]:
        return Placed(passage.words, wanted, reason, *measured), [], []

    heard_s = intersection(
        [Interval(wanted.start_s - MARGIN_S, wanted.end_s + MARGIN_S)], [examined & audio.interval or wanted]
    )
    if not heard_s or not intersection(spoken, heard_s):
        return refused("no_speech")
    (interval,) = heard_s
    if interval.start_s > wanted.start_s or interval.end_s < wanted.end_s:  # its words would be squeezed into a part
        return refused("transcript_does_not_fit")
    if interval.duration > settings.longest_passage_s:
        return refused("transcript_too_long")
    try:
        made = _by_pauses(aligner, audio, interval, passage.words)
    except ParameterError:
        return refused("transcript_does_not_fit")
    block, start_s = audio.mono(interval)
    free = phonemes(Audio(block[:, None], audio.rate_hz, start_s))
    by_name = {name: [p.interval for p in free if p.name == name] for name in ARPABET}
    agreement = sum(_near(p.interval, by_name[p.name]) for p in made.phonemes) / len(made.phonemes)
    if made.score < settings.least_score or agreement < settings.least_agreement:
        return refused("transcript_does_not_fit", made.score, agreement)
    return Placed(passage.words, wanted, "", made.score, agreement), list(made.phonemes), free


def _by_pauses(aligner: Aligner, audio: Audio, interval: Interval, words: Sequence[str]) -> Alignment:
    """Aligned as a whole, then each part between pauses anew: the recogniser takes silence for part of the voice's
    usual colour, and fits worse the more of it there is. Raises ParameterError."""
    whole = aligner.align(audio, interval, words)
    behind = [k + 1 for k, (a, b) in enumerate(pairwise(whole.spans)) if b.start_s - a.end_s >= PAUSE_S]
    if not behind:
        return whole
    parts = []
    for first, end in pairwise([0, *behind, len(words)]):
        said = Interval(whole.spans[first].start_s - MARGIN_S, whole.spans[end - 1].end_s + MARGIN_S)
        parts.append(aligner.align(audio, said & interval or said, words[first:end]))
    lengths = [sum(p.interval.duration for p in part.phonemes) for part in parts]
    return Alignment(
        tuple(p for part in parts for p in part.phonemes),
        sum(part.score * s for part, s in zip(parts, lengths, strict=True)) / sum(lengths),
        tuple(span for part in parts for span in part.spans),
    )


def _near(interval: Interval, others: Iterable[Interval]) -> bool:
    return any(interval.start_s < o.end_s + NEAR_S and o.start_s < interval.end_s + NEAR_S for o in others)
