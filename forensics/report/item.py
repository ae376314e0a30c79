"""The item: its integrity, file and streams, and what of it could be examined."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from forensics import custody, naming
from forensics.report import phrases
from forensics.report.blocks import (
    BREAK,
    Block,
    Said,
    bullets,
    heading,
    mono,
    note,
    outside,
    paragraph,
    strong,
    table,
    terms,
)
from forensics.report.html import MOST_STRETCHES, declared
from forensics.report.matter import (
    Matter,
    stretches,
    whom,
)

NO_PICTURE = "the file holds no picture"


def integrity(m: Matter) -> list[Block]:
    """Identity of the item, its hashes before and after, content credentials."""
    clip, after = m.clip, m.state.get("evidence_sha256_after")
    same = [
        "not recorded"
        if after is None
        else "equal to the hash before (SHA-256)"
        if after == clip["sha256"]
        else strong("DIFFERENT from the hash before: the results are void")
    ]
    rows = [
        ("File name, as found", outside(m.state.get("evidence_name"))),
        ("Size", f"{clip['size_bytes']:,} bytes"),
        ("Container", outside(clip["container"])),
        ("SHA-256", mono(clip["sha256"])),
        ("SHA-512", [mono(clip["sha512"][:64]), BREAK, mono(clip["sha512"][64:])]),
        ("Hash after the run", same),
        ("Content credentials", _credentials(clip)),
        ("Custody log", [f"{len(m.log)} entries when this report was made; hash of the last:", BREAK, mono(m.head)]),
        ("JSON twin", ["findings.json, SHA-256:", BREAK, mono(m.findings_sha256)]),
    ]
    return [
        *terms(rows),
        note(
            "The evidence was opened for reading only. The entries of this run stand in annex A with what such a log "
            "cannot show. The log's next entry tells the hashes of this report's own files."
        ),
        *_references(m),
    ]


def _references(m: Matter) -> list[Block]:
    """What the item was compared with, by its hashes; nothing where no references were given."""
    if not (given := m.record.get("references")):
        return []
    rows = [
        [
            one["name"],
            [mono(one["sha256"][:32]), BREAK, mono(one["sha256"][32:])],
            phrases.seconds(one["duration_s"]),
            phrases.stretch(*one["examined"]),
            mono(one["findings_sha256"][:12]),
        ]
        for one in given["recordings"]
    ]
    columns = [("Name", 0.6, False), ("SHA-256", 2.6, False), ("Length (s)", 0.9, True), ("Examined", 2.6, False)]
    return [
        heading(2, "References"),
        paragraph(phrases.references(given["relation"])),
        *table("Recordings that the item was compared with", [*columns, ("Findings, SHA-256", 1.3, False)], rows),
    ]


def _credentials(clip: Mapping[str, Any]) -> str:
    state = clip.get("content_credentials")
    return "not examined" if state is None else f"{state.replace('_', ' ')} (C2PA); absence says nothing"


def streams(m: Matter) -> list[Block]:
    """What the file declares beside what was decoded, and what it states of itself."""
    clip = m.clip
    rows = [[what, said or "not declared", found or "none"] for what, said, found in declared(clip)]
    losses = [
        [kind, phrases.loss(name), str(count)]
        for kind, counts in sorted(clip["losses"].items())
        for name, count in sorted(counts.items())
        if count
    ]
    tags = [
        [str(s["index"]), outside(s["kind"]), outside(s["codec"]), "yes" if s["examined"] else "no", *_tags(s["tags"])]
        for s in clip["streams"]
    ]
    stated = [[outside(f["about"]), f["what"], outside(f["said"])] for f in clip.get("stated") or []]
    return [
        *table(
            "What the file declares, and what was decoded",
            [("What", 2, False), ("Declared", 1, True), ("Decoded", 1, True)],
            rows,
        ),
        *terms(_timing(clip)),
        *(
            table(
                "What did not come out of the decoder as it should",
                [("Stream", 1, False), ("What", 5, False), ("Count", 1, True)],
                losses,
            )
            or [paragraph("All that the decoder gave was usable: no failure was counted.")]
        ),
        *table(
            "Streams in the file",
            [
                ("Stream", 0.7, True),
                ("Kind", 0.8, False),
                ("Codec", 1, False),
                ("Examined", 0.9, False),
                ("Tags", 4, False),
            ],
            [*tags, ["—", "container", "", "", *_tags(clip["tags"])]],
        ),
        *table(
            "Container facts, as stated by the file or as laid out in it",
            [("About", 1.3, False), ("What", 2, False), ("As stated", 4, False)],
            stated,
        ),
        note(
            "Codec names, tags and facts stated are the file's own words and may be untrue; every copy, platform and "
            "messenger may write them anew. Characters that would steer a reader's screen, or that this report's fonts "
            "do not hold, are spelled out as ⟨U+…⟩. Of several streams of a kind the first was examined, as players do."
        ),
    ]


def _tags(tags: Mapping[str, str]) -> list[list[Any]]:
    texts = [part for name, text in sorted(tags.items()) for part in (BREAK, outside(f"{name} = {text}"))]
    return [texts[1:] or ["none"]]


def _timing(clip: Mapping[str, Any]) -> list[tuple[str, Said]]:
    rows: list[tuple[str, Said]] = [("Pictures lost", _lost(clip))]
    if clip["frames_hidden"]:
        rows.append(("Pictures not shown", f"{clip['frames_hidden']}: stored, but by the edit list not played"))
    if step := clip["picture_step_ms"]:
        shortest, median, longest = (phrases.number(step[k], "ms") for k in ("shortest", "median", "longest"))
        uneven = clip["uneven_steps"]
        even = f"uneven: {uneven} steps differ by more than a fifth from the median" if uneven else "even"
        rows.append(("Between pictures", f"{median}\u00a0ms in the median, {shortest} to {longest}\u00a0ms; {even}"))
    cuts = "; ".join(phrases.instant(shot[0]) for shot in clip["shots"][1 : MOST_STRETCHES + 1])
    if len(clip["shots"]) - 1 > MOST_STRETCHES:
        cuts += f"; and {len(clip['shots']) - 1 - MOST_STRETCHES} more in findings.json"
    silent, unseen = "the file holds no sound", NO_PICTURE
    return [
        *rows,
        ("Cuts", unseen if clip["picture_stream"] is None else cuts or "no hard cut found"),
        ("Repeated pictures", _repeated(clip["repeated_pictures"])),
        ("Frozen picture", unseen if clip["picture_stream"] is None else stretches(clip["freezes"])),
        ("Gaps in the sound", silent if clip["sound_stream"] is None else stretches(clip["sound_gaps"])),
        ("Speech", silent if clip["speech"] is None else stretches(clip["speech"])),
    ]


def _repeated(count: int | None) -> str:
    return NO_PICTURE if count is None else f"{count} repeat the one before exactly" if count else "none"


def _lost(clip: Mapping[str, Any]) -> str:
    if clip["picture_stream"] is None:
        return NO_PICTURE
    if clip["excerpt"]:
        return "not counted: only a part of the recording was examined"
    if clip["frames_lost"] is None:
        return "not known: the file declares no number"
    return f"{clip['frames_lost']} of {clip['frames_declared']}"


def suitability(m: Matter) -> list[Block]:
    """Coverage by question, and everything not examined, failed or refused, with its reason."""
    rows = [
        [
            whom(f["person"]),
            phrases.question(f["question"]),
            phrases.percent(f["coverage"]),
            f["state"].replace("_", " "),
        ]
        for f in m.findings
    ]
    unassessed = [
        [
            whom(f["person"]),
            phrases.question(f["question"]),
            [part for why, _ in phrases.reasons(f) for part in (why, " ")],
            [part for _, what in phrases.reasons(f) for part in (what, " ")],
        ]
        for f in m.refused
    ]
    return [
        *table(
            "Coverage: the part of the examined time that bears on each question",
            [("About", 1.4, False), ("Question", 3, False), ("Coverage", 1, True), ("State", 1.2, False)],
            rows,
        ),
        *(
            table(
                "Questions that could not be assessed, and what would help",
                [("About", 1, False), ("Question", 1.6, False), ("Why", 2, False), ("What would help", 2, False)],
                unassessed,
            )
            or [paragraph("Every question asked could be assessed.")]
        ),
        heading(2, "Not examined, failed or refused"),
        *(bullets(_left_out(m)) or [paragraph("Nothing else was left out, failed or was refused.")]),
    ]


def _appearance(track: Mapping[str, Any]) -> str:
    return f"Appearance {track['name']}, {phrases.stretch(track['start_s'], track['end_s'])}"


def _left_out(m: Matter) -> list[Said]:
    clip = m.clip
    lines: list[Said] = []
    for stream in clip["streams"]:
        if not stream["examined"]:
            lines.append(
                [
                    f"Stream {stream['index']}, ",
                    outside(stream["kind"]),
                    " ",
                    outside(stream["codec"]),
                    ": not examined, as another of its kind was, or of a kind that no question asks about.",
                ]
            )
    for track in clip["brief"]:
        lines.append(f"{_appearance(track)}: too short to be examined.")
    for track in clip["set_aside"]:
        lines.append(f"{_appearance(track)}: set aside by the analyst as nobody.")
    if seen := clip["sightings"]:
        lines.append(
            f"Faces seen and not measured, being tiny, turned away, half hidden or too many: {seen['n']} times between "
            f"{phrases.seconds(seen['first_s'])} and {phrases.seconds(seen['last_s'])}\u00a0s, "
            f"{phrases.number(seen['smallest_px'], 'px')} to {phrases.number(seen['largest_px'], 'px')}\u00a0px wide."
        )
    if clip["excerpt"]:
        lines.append("Pictures outside the examined part were not measured; the sound was decoded whole.")
    if clip.get("stated") is None:
        lines.append("The container's structure: the process that reads it could not finish.")
    if names := naming.unapplied(m.state):
        lines.append(["Names given for other settings or another part, not applied: ", outside(", ".join(names)), "."])
    for entry in custody.of_last_run(m.log):
        if "refused" in entry["action"] or entry["action"] == "broke_off":
            lines.append([f"Log entry {entry['n']}: ", outside(entry["action"]), " ", outside(entry.get("code")), "."])
    return lines
