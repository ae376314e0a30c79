"""Questions an expert will be asked, by family of analyses, with what can be answered from how the software works.

No number stands here: those are in the findings. Answers that only the examiner knows say so.
"""

#: Asked of every report.
GENERAL = (
    (
        "Does this report say whether the recording was altered?",
        "No. It says what was measured, how surely, and under which hypotheses that would be expected. Whether the "
        "recording was altered is for the court, on all the evidence.",
    ),
    (
        "What is the error rate?",
        "The section on validation says what was measured on other recordings and what was not. For recordings made "
        "under this one's conditions no rate is claimed unless one is printed there.",
    ),
    (
        "Would another examiner get the same numbers?",
        "The same file, software, settings and names give the same findings, byte by byte, on the same kind of "
        "processor; the command is in the section on methods, and forensics replay compares.",
    ),
    (
        "Has the method been published and reviewed?",
        "Each method names its reference. The software's own combination of them has not been peer reviewed.",
    ),
    (
        "Could what you were told have influenced you?",
        "The measurements are made by fixed settings that are printed here. What the examiner was told, and when, is "
        "listed; which faces are one person, and which words were spoken, are the examiner's statements.",
    ),
    (
        "Who looked at the pictures and the sound themselves?",
        "Only the examiner can answer. The software draws no conclusion from what it shows.",
    ),
)
#: By analysis.
BY_ANALYSIS = {
    "lipsync": (
        (
            "Can sound and lips be apart without any alteration?",
            "Yes: by playing, editing, transmission, wireless microphones, and by the recorder itself.",
        ),
        (
            "Does good agreement of lips and sound speak against alteration?",
            "Not by itself. Software that fits lips to sound fits them well: good agreement is expected of it, too.",
        ),
        (
            "How were the sounds p, b and m found?",
            "By a recogniser of American English, or from the words the examiner told. Either can be wrong at a single "
            "instant; rates rest on many.",
        ),
        (
            "Was the method tried on people like the one shown?",
            "On whom it was tried stands on the model card. Skin tone, beard, age and language were not tested apart.",
        ),
    ),
    "blink": (
        (
            "Do people not blink in very different ways?",
            "Yes. What a person does, medicines, lenses and dry air change the rate several times over; the range used "
            "is that of the task the examiner named.",
        ),
        (
            "Does a usual blink rate speak for a recording without alteration?",
            "No. Software that changes the mouth alone leaves the eyes as they were recorded.",
        ),
        (
            "Were blinks missed?",
            "Some are: at low frame rates, with small or turned eyes. Stretches in which the eyes were not seen are "
            "not counted as time without blinks.",
        ),
    ),
    "lighting": (
        (
            "Can light on a face be read from one camera?",
            "Its direction can, within the ellipse drawn, where one light dominates. Several lamps, shadows and uneven "
            "skin lean it further than the ellipse says.",
        ),
        (
            "What else makes the light jump?",
            "A cut, a flash, a screen, a passing shadow, an exposure that the camera changes by itself.",
        ),
    ),
    "voice": (
        (
            "Can the software tell a synthetic voice?",
            "No inference rests on the score printed: with voices and generators unlike those it was fitted to, it "
            "fared little better than chance.",
        ),
        (
            "What else looks like a join in the sound?",
            "A click, a lip smack, a packet lost in transmission, a codec that begins anew.",
        ),
        (
            "Why is there no sound above some frequency?",
            "Codecs, telephones, microphones and editing programs all limit the band.",
        ),
    ),
    "evidence": (
        (
            "Can the dates and names in the file be trusted?",
            "Anyone can write them, and every copy or platform may write them anew. They are reported as stated.",
        ),
        (
            "Is this the original?",
            "That cannot be told from the file alone. Its fingerprint shows that it is the file that was received.",
        ),
    ),
}
