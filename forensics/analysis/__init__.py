"""One question family a file. Adding one: the file, its test, its notebook, and its name here."""

from forensics.analysis import blink, evidence, lighting, lipsync, voice

ANALYSES = (lipsync, blink, lighting, voice, evidence)
