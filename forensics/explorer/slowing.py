"""Sound made slower for the ear: FFmpeg's own filter, on samples that were decoded before."""

from __future__ import annotations

import math
from contextlib import suppress

import av
import numpy as np

#: How early the filter's sound is in the recording's time, s: 0 to 22 ms in two recordings at 8 to 48 kHz and both
#: speeds, by their envelopes; 8 is about the middle.
EARLY_S = 0.008
#: Silence behind a slowed excerpt, s: the filter holds back some pieces of 40 ms at its end.
FLUSHED_S = 0.25


def slowed(samples: np.ndarray, rate_hz: int, speed: float) -> np.ndarray:
    """Samples (n,) made longer, (n / speed,), their pitch kept, by FFmpeg's filter atempo (WSOLA). For the ear alone.

    Pieces of the wave are laid over each other anew, so that a click or the burst of p, t or k may be heard twice, and
    what is heard lies within some 15 ms of its time in the recording.
    """
    graph, layout, halves = av.filter.Graph(), {"format": "flt", "layout": "mono"}, round(-math.log2(speed))
    source = graph.add("abuffer", f"sample_rate={rate_hz}:sample_fmt=flt:channel_layout=mono:time_base=1/{rate_hz}")
    sink = graph.add("abuffersink")
    graph.link_nodes(source, *(graph.add("atempo", "0.5") for _ in range(halves)), sink)  # it takes no less at once
    graph.configure()
    lasting = np.pad(samples.astype(np.float32), (round(EARLY_S * rate_hz), round(FLUSHED_S * rate_hz)))
    frame = av.AudioFrame.from_ndarray(lasting[None], **layout)
    frame.sample_rate = rate_hz
    source.push(frame)
    source.push(None)
    made = []
    with suppress(av.EOFError):
        while True:
            heard = sink.pull()
            assert isinstance(heard, av.AudioFrame)
            made.append(heard.to_ndarray()[0])
    return np.concatenate(made)[: round(len(samples) / speed)]
