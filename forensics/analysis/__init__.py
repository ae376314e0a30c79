"""One question family a file. Adding one: the file, its test, its notebook, and its name here."""

from forensics.analysis import blink, lighting, lipsync, voice

ANALYSES = (lipsync, blink, lighting, voice)
