"""``validation.md``: arranges what ``validation.json`` holds."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from forensics.text import for_markdown
from forensics.validation.confounds import moving, untried
from forensics.validation.tables import AUTHENTIC


def text(estimate: Mapping[str, Any] | None, scale: float = 1.0, digits: int = 3) -> str:
    """An estimate in figures: ``0.970 [0.943, 0.992]``, a one-sided bound as ``≤`` or ``≥``."""
    if estimate is None:
        return "–"
    value, low, high = (
        None if estimate[k] is None else f"{scale * estimate[k]:.{digits}f}".replace("-", "−")
        for k in ("value", "low", "high")
    )
    if low is None and high is None:
        return f"{value} (no interval)"
    if low is None or high is None:
        return f"{value} ({'≤ ' + str(high) if low is None else '≥ ' + str(low)}, one-sided)"
    return f"{value} [{low}, {high}]"


def _table(header: Sequence[str], rows: Iterable[Sequence[object]]) -> list[str]:
    return ["| " + " | ".join(map(str, cells)) + " |" for cells in (header, ["---"] * len(header), *rows)]


def markdown(validation: Mapping[str, Any]) -> str:
    """``validation.md``: arranges what ``validation.json`` holds."""
    questions = list(dict.fromkeys(c["question"] for c in validation["comparisons"]))
    lines = [
        "# Scores on recordings of known history",
        "",
        *_about(validation),
        "",
        "## Authentic recordings with anything `unusual`",
        "",
        "Over units, so that copies and persons with many recordings narrow nothing: two-sided 95 % Clopper-Pearson; "
        "after none, the one-sided 95 % upper bound 1-0.05^(1/n).",
        "",
        *_alarm_lines(validation["false_alarms"]),
    ]
    for question in questions:
        lines += [
            "",
            f"## {question}",
            "",
            *_question_lines([c for c in validation["comparisons"] if c["question"] == question]),
        ]
    if "confounds" in validation:
        lines += ["", "## Copies of authentic recordings, encoded anew", "", *_confound_lines(validation)]
    told = pairs_told(validation)
    lines += ["", "## Strength of evidence, by pair of propositions", "", told, *_pair_lines(validation["pairs"])]
    if "tried" in validation:
        lines += ["", "## A calibration tried on these recordings", "", *_tried_lines(validation["tried"])]
    refused = [
        (for_markdown(r["file"]), for_markdown(r["label"]), r["refused"])
        for r in validation["recordings"]
        if r["refused"]
    ]
    lines += ["", "## Refused", "", *(_table(("file", "label", "code"), refused) if refused else ["None."])]
    return "\n".join(lines) + "\n"


def _about(validation: Mapping[str, Any]) -> list[str]:
    counts: dict[str, list[dict[str, Any]]] = {}
    for row in validation["recordings"]:
        counts.setdefault(row["label"], []).append(row)
    rows = [
        (
            for_markdown(label),
            len(members),
            len({m["unit"] for m in members}),
            sum(bool(m["weak"]) for m in members),
            sum(bool(m["refused"]) for m in members),
        )
        for label, members in sorted(counts.items())
    ]
    chosen = {s["name"]: s["value"] for s in validation["settings"]}
    return [
        *_table(("class", "recordings", "units (persons and groups)", "of weak label", "refused"), rows),
        "",
        "AUC: share of pairs in which the class's score is higher than the authentic one's, 0.5 = no difference; "
        "two-sided 95 % intervals over units, which do not hold the fits' own uncertainty; where all pairs agree, a "
        "one-sided 95 % bound. Facts alone: picture rate, height, bit rate and face height (of sound files: bit rate "
        "and sampling rate) in a logistic regression fitted without the recording's person and group, "
        f"{chosen['folds']} folds; under 0.5 it tells no more than at 0.5. Gain: what the score adds to the facts, on "
        "the same recordings and folds. A figure needs "
        f"{chosen['least_recordings']} recordings and {chosen['least_speakers']} units of both classes; otherwise the "
        "recordings stand one by one. Not assessable is counted and never scored. Weak labels are in no figure but "
        "those that name them. Results relate to these recordings only.",
    ]


def _alarm_lines(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """Every question over all, and any question in each condition; the rest stands in validation.json."""
    return _table(
        ("authentic recordings", "question", "marked / assessed", "units", "units with a mark, %"),
        [
            (
                _named(row),
                row["question"] or "any",
                f"{row['marked']}/{row['assessed']}",
                row["rate"]["n"] if row["rate"] else 0,
                text(row["rate"], 100, 1),
            )
            for row in rows
            if row["by"] == "all" or row["question"] is None
        ],
    )


def _named(row: Mapping[str, Any]) -> str:
    return f"{row['by']} {for_markdown(row['name'])}".strip()


def _question_lines(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    directions = sorted({d for row in rows for d in row["score_direction"]})
    if not directions:
        return ["No recording has a score: this question gives facts, or was not assessable."]
    lines = ["Score: " + "; ".join(d or "no direction given" for d in directions) + ".", ""]
    lines += _table(
        (
            *("class", "recordings", "scored (units)", "not assessable"),
            *("authentic scored (units)", "authentic not assessable"),
            *("AUC", "the class scores", "facts alone", "facts and score", "gain"),
        ),
        [
            (
                for_markdown(row["class"]),
                _named(row),
                *_scored(row["h1"]),
                *_scored(row[AUTHENTIC]),
                text(row["auc"]),
                _side(row["auc"]),
                *(text(row[figure]) for figure in ("facts_alone", "with_score", "gain")),
            )
            for row in rows
            if row["auc"] or row["by"] in ("all", "generator")
        ],
    )
    lines += ["", "Conditions and weak labels too few for a figure stand in validation.json."]
    apart: dict[str, tuple[str, Any]] = {}
    for row in rows:
        for clip in row["clips"]:
            apart.setdefault(clip["file"], (row["class"], clip))
    if apart:
        lines += ["", "One by one, where too few for a figure:", ""]
        lines += _table(
            ("class", "file", "score", "authentic ones of other units below"),
            [
                (
                    for_markdown(label),
                    for_markdown(file),
                    c["score"] if c["score"] is not None else "– " + ", ".join(c["reasons"]),
                    "" if c["score"] is None else f"{c['lower']}/{c['of']}",
                )
                for file, (label, c) in sorted(apart.items())
            ],
        )
    return lines


def _scored(side: Mapping[str, Any]) -> tuple[str, str]:
    refused = sum(side["refused"].values())
    return (
        f"{side['scored']} ({side['scored_units']})",
        f"{side['not_assessable']}/{side['recordings']}" + (f", refused {refused}" if refused else ""),
    )


def _side(auc: Mapping[str, Any] | None) -> str:
    """On which side the class scores, as far as the interval tells."""
    if auc is None:
        return ""
    low, high = (auc["low"] or 0.0), (1.0 if auc["high"] is None else auc["high"])
    return "higher" if low > 0.5 else "lower" if high < 0.5 else "not told apart"


# -- copies ----------------------------------------------------------------------------------------------------------


def confounds_told(validation: Mapping[str, Any]) -> str:
    """What stands over the tables of copies."""
    chosen = {s["name"]: s["value"] for s in validation["settings"]}
    return (
        "Authentic recordings of firm label in which one person is seen, one a unit, in the order of a hash of their "
        f"SHA-256; of one longer than {chosen['copied_s']:g} s its most spoken part. Each copy changes what its name "
        "says, is examined like any recording, and is compared with its own original over the same part. Up, down: of "
        "so many units with both scores, in how many the copy scores higher, lower; the others score alike and are not "
        "in the share up, two-sided 95 % Clopper-Pearson, 0.5 = no effect. Difference: copy less original, mean, in "
        "standard deviations of the authentic recordings' scores. AUC: share of pairs of a copy and an original in "
        "which the copy scores higher, 0.5 = not told apart. Intervals are bootstraps over units; one in twenty shows "
        "an effect by chance. Lost, new: answers that the original alone has, the copy alone. AUC and difference need "
        f"{chosen['least_recordings']} pairs and {chosen['least_speakers']} units."
    )


#: How far copies lie from their originals, beside a class from the authentic recordings.
BESIDE = {
    "as_far": "as far as {} lies from the authentic recordings (AUC {}): what is told of it can be the encoder's",
    "less_far": "less far than {} lies from the authentic recordings (AUC {})",
    "open": "and whether less far than {} lies from the authentic recordings (AUC {}) these recordings do not tell",
}


def meanings(confounds: Mapping[str, Any]) -> list[tuple[str, list[tuple[str, str, str]]]]:
    """What the figures carry: each score that moves, and of each class told apart the words before and behind it."""
    return [
        (
            f"{row['question']} moves with {row['what']} (AUC {text(row['auc'])})",
            [
                (before, c["class"], behind.format(text(c["auc"])))
                for c in row["classes"]
                if c["how"]
                for before, behind in [BESIDE[c["how"]].split("{}", 1)]
            ],
        )
        for row in moving(confounds)
    ]


def still(confounds: Mapping[str, Any]) -> str:
    """What is said where no AUC leaves out 0.5: small steps that mostly go one way are told of, and what is open."""
    known = list(dict.fromkeys(row["question"] for row in confounds["scores"]))
    if not (tried := [q for q in known if q not in untried(confounds, known)]):
        return "There are too few pairs to tell whether a score moves with a kind of copy."
    signs = [
        f"{row['question']} ({row['what']})"
        for row in confounds["scores"]
        if row["auc"] and row["share"] and not row["share"]["low"] <= 0.5 <= row["share"]["high"]
    ]
    said = [f"No interval of the AUC leaves out 0.5 ({', '.join(tried)})."]
    if signs:
        said.append(f"The share of copies that score higher does: {', '.join(signs)}: small steps, mostly one way.")
    if few := untried(confounds, known):
        said.append(f"Too few pairs to tell: {', '.join(few)}.")
    return " ".join(said)


def _confound_lines(validation: Mapping[str, Any]) -> list[str]:
    confounds = validation["confounds"]
    head = ("recordings", "refused", "with anything `unusual` / assessed", "units", "units with a mark, %")
    lines = [confounds_told(validation), "", *_table(head, copy_counts(confounds)), ""]
    for what, rows in of_kinds(confounds):
        lines += [f"### {what}", "", *_table(COPY_HEAD, [copy_row(row) for row in rows]), ""]
    said = meanings(confounds)
    for what, classes in said:
        beside = [f"{before}{for_markdown(name)}{behind}" for before, name, behind in classes]
        lines.append(f"- {'; '.join([what, *beside])}.")
    return lines if said else [*lines, still(confounds)]


def copy_counts(confounds: Mapping[str, Any]) -> list[tuple[object, ...]]:
    """Cells of the originals and of each kind of copy: what was refused, and in how many anything is unusual."""
    refused = Counter(r["refused"] for r in confounds["recordings"] if r["refused"])
    rows = [("as they were", refused, confounds["originals"])]
    rows += [(kind["what"], kind["refused"], kind["unusual"]) for kind in confounds["kinds"]]
    return [
        (
            what,
            ", ".join(f"{code} {n}" for code, n in refused.items()) or "none",
            f"{own['marked']}/{own['assessed']}",
            own["rate"]["n"] if own["rate"] else 0,
            text(own["rate"], 100, 1),
        )
        for what, refused, own in rows
    ]


def of_kinds(confounds: Mapping[str, Any]) -> list[tuple[str, list[Mapping[str, Any]]]]:
    """The scores in each kind of copy, by what was done."""
    return [
        (kind["what"], [row for row in confounds["scores"] if row["kind"] == kind["kind"]])
        for kind in confounds["kinds"]
    ]


COPY_HEAD = ("score", "up, down", "share up", "difference, sd", "AUC", "lost, new")


def copy_row(row: Mapping[str, Any]) -> tuple[object, ...]:
    """Cells of one score in one kind of copy."""
    return (
        row["question"],
        f"{row['higher']}, {row['lower']} of {row['units']}",
        text(row["share"], digits=2),
        text(row["difference"], digits=2),
        text(row["auc"], digits=2),
        f"{row['lost']}, {row['gained']}",
    )


# -- pairs of propositions -------------------------------------------------------------------------------------------

#: What stands over the table of pairs.
PAIRS_TOLD = (
    "Each pair's scores, together and alone, as likelihood ratios by logistic regression fitted without the "
    "recording's person and group. Cllr: 0 = always right and sure, 1 = as good as saying nothing; Cllr_min is the "
    "part that no recalibration mends. Facts alone: Cllr of container facts; gain: by how much the scores beside "
    "them lower it. Bounds: the lowest and highest LR that so many recordings carry (ELUB). Misleading: LR < 1 "
    "where H1 holds, LR > 1 where H2 holds; the rate is that of units, two-sided 95 % Clopper-Pearson. Intervals of "
    "Cllr are bootstraps over units and do not hold the fits' own uncertainty. A ratio is given where Cllr's upper "
    "end lies below 1 over all, in each condition, and with each condition and generator left out, wherever there "
    "are enough recordings, and where the scores add to container facts. Weak labels take no part. "
)
#: How they end without copies, and with them.
NO_COPIES_TOLD = (
    "Container facts are the only control of codecs here: copies encoded anew are none (--copies) unless the table "
    "holds them, as a condition of the same person."
)
COPIES_WITHHOLD = (
    "Where a score moves with copies encoded anew it is told; where as far as with the class, no ratio is given, "
    "whichever way it moves: which class was encoded how often is not known, and container facts do not hold it. None "
    "is given either where the copies are too few to tell."
)


def pairs_told(validation: Mapping[str, Any]) -> str:
    return PAIRS_TOLD + (COPIES_WITHHOLD if "confounds" in validation else NO_COPIES_TOLD)


def moving_lines(model: Mapping[str, Any]) -> list[str]:
    """Each score of a pair that moves with a kind of copy, beside how it tells the propositions."""
    return [
        f"{row['question']} moves with {row['what']}: AUC {text(row['auc'])} of copies against their originals, "
        + ("too few for its own." if row["own"] is None else f"{text(row['own'])} between the propositions.")
        for row in model["moves_with"]
    ]


def ratio_bounds(bounds: Sequence[float]) -> str:
    """Bounds of log10 LR as ratios: ``1/20 to 20``."""
    low, high = bounds
    return f"{'1/' if low < 0 else ''}{10**-low:.3g} to {10**high:.3g}"


def scores(model: Mapping[str, Any]) -> str:
    return " with ".join(model["questions"])


def _pair_lines(pairs: Sequence[Mapping[str, Any]]) -> list[str]:
    lines: list[str] = []
    for pair in pairs:
        lines += ["", f"### {pair['pair']}", "", f"H1: {pair['h1']} H2: {pair['h2']}", ""]
        if not pair["models"]:
            lines.append("No question gives a score on these propositions: no likelihood ratio.")
            continue
        lines += _table(
            (
                *(
                    "scores",
                    "H1 (units)",
                    "H2 (units)",
                    "Cllr",
                    "Cllr_min",
                    "facts alone",
                    "gain on facts",
                    "bounds of LR",
                ),
                *("misleading under H1", "rate, %", "misleading under H2", "rate, %", "LR"),
            ),
            [_model_row(model) for model in pair["models"]],
        )
        for model in pair["models"]:
            if moving := moving_lines(model):
                lines += ["", *(f"- {line}" for line in moving)]
            if model["why_not"]:
                lines += ["", f"No ratio from {scores(model)}:", ""]
                lines += [f"- {why}" for why in model["why_not"]]
        rows = [
            (
                scores(m),
                f"{row['by']} {for_markdown(row['name'])}",
                row["recordings"],
                text(row["seen"]),
                text(row["left_out"]),
            )
            for m in pair["models"]
            if m["figures"]
            for row in m["figures"]["parts"]
        ]
        if rows:
            lines += ["", *_table(("scores", "part", "recordings", "Cllr", "Cllr, left out of the fits"), rows)]
    return lines


def _tried_lines(tried: Mapping[str, Any]) -> list[str]:
    told = f"SHA-256 {for_markdown(tried['sha256'])}, {for_markdown(tried['stamp'])}."
    if tried["reasons"] or not tried["models"]:
        return [told, "", *(tried["reasons"] or ["It gives no ratio for any pair of propositions."])]
    rows = [
        (
            *(m["pair"], scores(m), m["weighed"]["h1"], m["weighed"]["h2"]),
            ", ".join(f"{why.replace('_', ' ')} {n}" for why, n in m["refused"].items() if n) or "none",
            text(m["cllr"], digits=2),
            *(
                "–"
                if m["misleading"] is None
                else f"{m['misleading'][side]['misleading']}/{m['misleading'][side]['recordings']}"
                for side in ("h1", "h2")
            ),
        )
        for m in tried["models"]
    ]
    head = (
        "pair",
        "scores",
        "H1 weighed",
        "H2 weighed",
        "refused",
        "Cllr",
        "misleading under H1",
        "misleading under H2",
    )
    return [told, "", *_table(head, rows)]


def _model_row(model: Mapping[str, Any]) -> tuple[object, ...]:
    counted = (scores(model), *(f"{model[side]['recordings']} ({model[side]['units']})" for side in ("h1", "h2")))
    figures = model["figures"]
    if figures is None:
        return (*counted, *["–"] * 9, "no")
    wrong = [figures["misleading"][side] for side in ("h1", "h2")]
    return (
        *counted,
        text(figures["cllr"], digits=2),
        f"{figures['cllr_min']:.2f}",
        text(figures["facts_alone"], digits=2),
        text(figures["gain"], digits=2),
        ratio_bounds(figures["bounds"]),
        *(cell for w in wrong for cell in (f"{w['misleading']}/{w['recordings']}", text(w["rate"], 100, 0))),
        "no" if model["why_not"] else "given",
    )
