"""Refusals: every one has a code, one plain sentence and what to do next."""


class ForensicsError(Exception):
    """A refusal an examiner can read: ``code`` (``E_…``), ``sentence``, ``next_step``."""

    def __init__(self, code: str, sentence: str, next_step: str):
        super().__init__(f"{code}: {sentence} {next_step}")
        self.code = code
        self.sentence = sentence
        self.next_step = next_step


class MediaError(ForensicsError):
    """The evidence cannot be read, or may not be."""


class CaseError(ForensicsError):
    """The case folder cannot be used as asked."""


class IntegrityError(ForensicsError):
    """The evidence changed while it was examined: the result is void."""


class ParameterError(ForensicsError, ValueError):
    """The caller's mistake: names the rule and the value found."""

    def __init__(self, rule: str, found: object):
        super().__init__("E_PARAMETER", f"{rule}, found {found!r}.", "Call again with a value that fits.")
