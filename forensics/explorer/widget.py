"""The widget: answers what the page asks, from the finished case and its viewing copy. The page holds no state."""

from __future__ import annotations

import base64
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from queue import SimpleQueue
from typing import Any

import anywidget
import numpy as np
import traitlets

from forensics import marking, naming, striking
from forensics.case import CaseFolder, disk_errors
from forensics.custody import Actor
from forensics.errors import CaseError, ForensicsError, ParameterError
from forensics.explorer import asking, measuring, signals
from forensics.explorer.frames import ViewingCopy, fault
from forensics.finished import FinishedCase
from forensics.report import phrases
from forensics.report.record import by_person
from forensics.text import for_html, for_json
from forensics.timeline import Audio, Interval

_HERE = Path(__file__).parent
#: Sampling rates that every browser plays (Web Audio API: at least these), Hz.
PLAYED_HZ = (8_000, 96_000)
#: Seconds that the first picture is waited for; and between two words on how far the copy is.
FIRST_S, WORD_S = 10.0, 1.0
#: Measurements and events listed of one finding: the report holds all.
MOST_EVENTS = 200

Answer = tuple[dict[str, Any], list[bytes]]


class Explorer(anywidget.AnyWidget):
    """One clip of a finished case in a notebook; ``explore`` opens it."""

    _esm = _HERE / "explorer.js"
    _css = _HERE / "explorer.css"
    #: What stands where no kernel answers: a stored notebook, a page.
    heading = traitlets.Unicode("").tag(sync=True)
    poster = traitlets.Bytes(b"").tag(sync=True)

    def __init__(self, case: FinishedCase, clip: Path, actor: Actor):
        self.case, self.actor = case, actor
        self.signals = signals.Signals(case)
        self.copy = ViewingCopy(case, clip, actor)
        self._selected: asking.Asked | None = None
        self._selections: SimpleQueue[asking.Asked | None] = SimpleQueue()
        until = time.monotonic() + (FIRST_S if self.copy.expected else 0.0)
        while self.copy.working and not self.copy.pictures and time.monotonic() < until:
            time.sleep(0.02)
        whole, pictures = self.signals.whole, self.copy.pictures
        super().__init__(
            heading=f"Explorer of item {case.run.opened['sha256'][:12]}: {whole.start_s:.3f} to {whole.end_s:.3f} s, "
            f"{self.copy.expected} pictures, persons: {', '.join(case.scene.persons) or 'none'}",
            poster=pictures.jpeg(0) if pictures else b"",
        )
        threading.Thread(target=self._measure_newest, daemon=True).start()
        self.on_msg(self._receive)
        if self.copy.working:
            threading.Thread(target=self._tell_progress, daemon=True).start()

    def _repr_mimebundle_(self, **kwargs: Any) -> Any:
        """As the widget, and as HTML and text for readers without one."""
        bundle, about = super()._repr_mimebundle_(**kwargs) or ({}, {})
        said = f"{self.heading}. It runs in JupyterLab and Notebook 7 with a kernel; this is its first picture."
        picture = base64.b64encode(self.poster).decode()
        shown = f'<img alt="First picture" style="max-width:100%" src="data:image/jpeg;base64,{picture}">'
        html = f"<figure>{shown if self.poster else ''}<figcaption>{for_html(said)}</figcaption></figure>"
        return {**bundle, "text/plain": said, "text/html": html}, about

    def close(self) -> None:
        """End it, a measurement that runs, and a viewing copy that is not whole."""
        if "_selections" in vars(self):  # else it was refused before
            self._select(None)
            self.copy.close()
        super().close()

    # -- messages ----------------------------------------------------------------------------------------------------

    def _receive(self, _: Any, message: Any, __: Any) -> None:
        number = message.get("id") if isinstance(message, Mapping) else None
        number = number if type(number) is int else None
        try:
            asked = asking.checked(message)
            if asked["kind"] == "measure":
                self._select(asked)
            else:
                self._answer(asked)
        except ForensicsError as error:
            self._refuse(number, error)

    def _answer(self, asked: asking.Asked) -> None:
        try:
            with disk_errors():
                answer, buffers = self.answer(asked)
        except ForensicsError as error:
            self._refuse(asked["id"], error)
        except Exception as error:  # the page must not wait for ever
            self._refuse(asked["id"], fault(error))
        else:
            self.send({"kind": asked["kind"], "id": asked["id"], **answer}, buffers)

    def _refuse(self, number: int | None, error: ForensicsError) -> None:
        self.send({"kind": "refused", "id": number, "code": error.code, "sentence": for_json(_said(error), 1000)})

    def _tell_progress(self) -> None:
        """While the copy is made or checked, how far it is; at the end, that it is whole."""
        while self.copy.working:
            self.copy.wait(WORD_S)
            self.send({"kind": "progress", "id": None, **self._progress()})

    def _progress(self) -> dict[str, Any]:
        made = len(self.copy.pictures or ())
        whole = not self.copy.working
        about = {"fault": self.copy.fault, "changed": self.copy.changed}
        return {"made": made, "of": self.copy.expected, "whole": whole, **about}

    def answer(self, asked: asking.Asked) -> Answer:
        """The answer to a checked message, and its buffers. Raises what the case and the media refuse."""
        return {
            "start": self._start,
            "picture": self._picture,
            "sound": self._sound,
            "lanes": self._lanes,
            "measure": self._measure,
            "mark": self._mark,
            "unmark": self._unmark,
            "name": self._name,
            "strike": self._strike,
            "restore": self._restore,
        }[asked["kind"]](asked)

    # -- looking -----------------------------------------------------------------------------------------------------

    def _start(self, _: asking.Asked) -> Answer:
        """What does not change while one looks, the pictures' times and the spectrogram's palette among it."""
        from matplotlib import colormaps

        scene, whole = self.case.scene, self.signals.whole
        t_s = np.asarray(scene.observation.pictures.get("t_s", ()), np.float64)
        audio = scene.observation.audio
        palette = (255 * colormaps["cividis"](np.arange(256))[:, :3]).astype(np.uint8)
        about = {
            "heading": self.heading,
            "from": whole.start_s,
            "to": whole.end_s,
            "sound": None if audio is None else [audio.interval.start_s, audio.interval.end_s],
            "persons": [*scene.persons],
            "tracks": [naming.described(t, t in scene.brief) | {"named": t.named} for t in self.signals.tracks],
            "findings": self._findings(),
            **self._progress(),
            **self._acts(),
        }
        return about, [t_s.tobytes(), palette.tobytes()]

    def _findings(self) -> list[dict[str, Any]]:
        """Each finding in words, with its instants to go to."""
        return [
            {
                "question": phrases.question(finding["question"]),
                "person": finding["person"] or "",
                "said": " ".join(why for why, _ in phrases.reasons(finding)) or phrases.sentence(finding),
                "events": [
                    {"from": e["start_s"], "to": e["end_s"], "label": e["what"], "unusual": e["unusual"]}
                    for e in finding["events"][:MOST_EVENTS]
                ],
            }
            for finding in by_person(self.case.record)
        ]

    def _picture(self, asked: asking.Asked) -> Answer:
        row, pictures = asked["row"], self.copy.pictures
        if row >= self.copy.expected:
            raise ParameterError(f"there are {self.copy.expected} pictures", row)
        if pictures is None or row >= len(pictures):
            return {"row": row, "missing": True, **self._progress()}, []
        number, pts, t_s = pictures.row(row)
        width, height = self.case.scene.observation.size or (1, 1)
        faces, points = [], [np.zeros((0, 2), np.float32)]
        for track in self.signals.tracks:
            k = int(np.searchsorted(track.frame, number))
            if k < len(track.frame) and track.frame[k] == number:
                faces.append({"track": track.name, "named": track.named or ""})
                points.append((track.landmarks[k][:, :2] / (width, height)).astype(np.float32))
        times = {"pts": pts, "t_s": t_s, "timecode": phrases.timecode(t_s)}
        about = {"row": row, "number": number, **times, "faces": faces}
        return about, [pictures.jpeg(row), np.concatenate(points).tobytes()]

    def _sound(self, asked: asking.Asked) -> Answer:
        audio = self.case.scene.observation.audio
        if audio is None:
            raise ParameterError("a recording with sound is listened to", "none")
        samples, start_s, rate_hz = played(audio, Interval(asked["from"], asked["to"]), asked["speed"])
        return {"from": start_s, "rate_hz": rate_hz}, [samples.tobytes()]

    def _lanes(self, asked: asking.Asked) -> Answer:
        interval, buffers = Interval(asked["from"], asked["to"]), list[bytes]()

        def held(content: np.ndarray) -> int:
            buffers.append(np.ascontiguousarray(content).tobytes())
            return len(buffers) - 1

        def sent(lane: signals.Lane) -> signals.Lane:
            changes: signals.Lane = {}
            if "parts" in lane:  # float32 holds the ms of a part, not of hours: times from its beginning on
                at = (interval.start_s, 0)
                changes["parts"] = [p | {"points": held((p["points"] - at).astype(np.float32))} for p in lane["parts"]]
            if "levels" in lane:
                bands, columns = lane["levels"].shape
                changes |= {"levels": held(lane["levels"]), "bands": bands, "columns": columns}
            return lane | changes

        made = signals.lanes(self.signals, interval, asked["person"], self.copy.phonemes)
        return {"from": interval.start_s, "to": interval.end_s, "lanes": [sent(lane) for lane in made]}, buffers

    def _select(self, asked: asking.Asked | None) -> None:
        self._selected = asked
        self._selections.put(asked)

    def _measure_newest(self) -> None:
        """Selections one at a time: a newer one ends what is measured, and those between are refused at once."""
        while asked := self._selections.get():
            self._answer(asked)

    def _measure(self, asked: asking.Asked) -> Answer:
        def go_on(*_: Any) -> None:
            if self._selected is not asked:
                raise CaseError("E_SELECTED_ANEW", "Another selection took the place of this one.", "")

        go_on()
        found = measuring.measured(self.case, Interval(asked["from"], asked["to"]), go_on)
        return {"from": asked["from"], "to": asked["to"], "rows": measuring.rows(found)}, []

    # -- acts: those of forensics mark, name, strike -----------------------------------------------------------------

    def _acts(self) -> dict[str, Any]:
        """Marks, names and strike-outs as they stand in the case now."""
        state = CaseFolder(self.case.folder).state()
        marks = [{"number": n, **mark} for n, mark in marking.given(state).items()]
        phonemes = (state.get("alignment") or {}).get("phonemes", [])
        return {
            "marks": [{k: m[k] for k in ("number", "start_s", "end_s", "comment", "actor")} for m in marks],
            "names": naming.names_in(state),
            "aligned": list(phonemes),
            "struck": striking.struck_in(state),
        }

    def _opened(self) -> CaseFolder:
        return CaseFolder(self.case.folder, actor=self.actor)

    def _done(self, sentence: str) -> Answer:
        return {"sentence": sentence, **self._acts()}, []

    def _mark(self, asked: asking.Asked) -> Answer:
        with self._opened() as case:
            number = marking.give(case, asked["from"], asked["to"], asked["text"])
        return self._done(f"Mark {number} is in the case and its log; the next report prints it.")

    def _unmark(self, asked: asking.Asked) -> Answer:
        with self._opened() as case:
            marking.take_back(case, asked["number"], asked["text"])
        return self._done(f"Mark {asked['number']} is taken back; the log keeps both acts.")

    def _name(self, asked: asking.Asked) -> Answer:
        with self._opened() as case:
            naming.give(case, [f"{asked['track']}={asked['text']}"])
        return self._done(f"{asked['track']} is named in the case and its log; the next report applies it.")

    def _strike(self, asked: asking.Asked) -> Answer:
        return self._struck(asked, restore=False)

    def _restore(self, asked: asking.Asked) -> Answer:
        return self._struck(asked, restore=True)

    def _struck(self, asked: asking.Asked, restore: bool) -> Answer:
        with self._opened() as case:
            striking.give(case, [asked["number"]], asked["text"], restore)
        done = "counts again" if restore else "is struck out"
        return self._done(f"Phoneme {asked['number']} {done} in the case and its log; the next report applies it.")


def played(audio: Audio, interval: Interval, speed: float = 1.0) -> tuple[np.ndarray, float, int]:
    """The mean of all channels inside ``interval`` as int16, the time of its first sample in s, and its rate in Hz.

    At normal speed the samples are the file's own where a browser plays their rate; of higher rates means of
    neighbours, of lower ones each twice or more. Slower they are as many times more, by ``slowing.slowed``.
    """
    samples, start_s = audio.mono(interval)
    rate = audio.rate_hz
    if (several := -(-rate // PLAYED_HZ[1])) > 1:
        samples, rate = samples[: len(samples) // several * several].reshape(-1, several).mean(1), rate // several
    if (times := -(-PLAYED_HZ[0] // rate)) > 1:
        samples, rate = np.repeat(samples, times), rate * times
    if speed < 1:
        from forensics.explorer.slowing import slowed  # wanted by few

        samples = slowed(samples, rate, speed)
    return (32767 * np.clip(samples, -1, 1)).astype(np.int16), start_s, rate


def _said(error: ForensicsError) -> str:
    """In words; the commands' options mean nothing on a page."""
    return error.sentence if "--" in error.next_step else f"{error.sentence} {error.next_step}".rstrip()
