"""Content credentials (C2PA) in a file: the only importer of ``c2pa``, which the extra ``credentials`` installs.

Runs in the child. Nothing is fetched: neither a manifest that lies elsewhere nor a certificate's revocation. No list of
trusted signers is shipped; the examiner gives one (``forensics report --trust FILE``).
Reference: C2PA Technical Specification 2 (validation states and status codes).
Not to be trusted: absence says nothing, most software removes credentials. Where no time stamp of an authority is in
them, a certificate's validity is judged on the day of the examination.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import importlib.util
import re
import ssl
from pathlib import Path
from typing import Any, BinaryIO

from forensics.errors import ParameterError

NONE, MALFORMED, UNTRUSTED, VALID = "none", "malformed", "signer_untrusted", "valid"
NOT_EXAMINED = "not_examined"

#: Status codes told, and characters of a text.
MOST_CODES, LONGEST_TEXT = 20, 300
#: Largest list of trusted certificates, in bytes: all of a system's take a quarter of it.
LARGEST_LIST = 1 << 20
#: The certificates of a list, without the comments between them.
CERTIFICATES = re.compile(rb"-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----")
#: No request leaves: these two are the only ones that reading can make.
OFFLINE = {"remote_manifest_fetch": False, "ocsp_fetch": False}


def version() -> str | None:
    """Version of the extra; None where it is not installed."""
    return importlib.metadata.version("c2pa-python") if importlib.util.find_spec("c2pa") else None


def signers(path: Path) -> str:
    """The trusted certificates in the PEM file at ``path``. Raises ParameterError where they cannot be read."""
    try:
        with path.open("rb") as file:
            content = file.read(LARGEST_LIST + 1)
        if len(content) > LARGEST_LIST:
            raise ParameterError(f"a list of trusted signers has at most {LARGEST_LIST} bytes", path.name)
        pem = "".join(block.decode("ascii") + "\n" for block in CERTIFICATES.findall(content))
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(cadata=pem)
    except (OSError, ValueError) as error:  # ssl's own error is an OSError
        if isinstance(error, ParameterError):
            raise
        raise ParameterError("--trust names a file of certificates in PEM", path.name) from error
    return pem


def fingerprint(pem: str) -> str:
    """What stands for a list of trusted signers in reports."""
    return f"SHA-256 {hashlib.sha256(pem.encode()).hexdigest()}" if pem else "none"


def read(file: BinaryIO, held: bool | None, trusted_pem: str = "") -> dict[str, Any]:
    """State of the credentials in ``file``, with why, who signed and what made the claim, as the file states them.

    ``held``: whether an MP4 or MOV file has a box of credentials; None for other containers.
    """
    if version() is None:
        return _state(NOT_EXAMINED, "the extra “credentials” is not installed")
    if held is None:
        return _state(NOT_EXAMINED, "only MP4 and MOV files are examined for them")
    import c2pa

    settings: dict[str, Any] = {"verify": {"verify_after_reading": True, "verify_trust": True, **OFFLINE}}
    if trusted_pem:
        settings["trust"] = {"trust_anchors": trusted_pem}
    try:
        with (
            c2pa.Context.from_dict(settings) as context,
            c2pa.Reader("video/mp4", file, context=context) as reader,
        ):
            return _told(reader)
    except c2pa.C2paError.ManifestNotFound:
        return _state(NONE, "the file holds none, which says nothing")
    except c2pa.C2paError.RemoteManifest:
        return _state(NOT_EXAMINED, "the file names credentials at an address; nothing is fetched")
    except c2pa.C2paError as error:
        # Its reader also stops at damaged boxes of other kinds: then nothing can be said of credentials.
        return _state(MALFORMED if held else NOT_EXAMINED, str(error)[:LONGEST_TEXT])


def _told(reader: Any) -> dict[str, Any]:
    manifest = reader.get_active_manifest() or {}
    results = (reader.get_validation_results() or {}).get("activeManifest", {})
    failures = [str(f.get("code"))[:LONGEST_TEXT] for f in results.get("failure", [])][:MOST_CODES]
    state = {"Trusted": VALID, "Valid": UNTRUSTED}.get(str(reader.get_validation_state()), MALFORMED)
    signature = manifest.get("signature_info") or {}
    makers = manifest.get("claim_generator_info") or []
    return _state(state, ", ".join(failures) or "every check passed") | {
        "signer": _text(signature.get("common_name") or signature.get("issuer")),
        "issuer": _text(signature.get("issuer")),
        "signed": _text(signature.get("time")),
        "made_by": [_text(f"{m.get('name', '')} {m.get('version', '')}".strip()) for m in makers][:MOST_CODES],
    }


def _text(value: Any) -> str | None:
    return None if value is None else str(value)[:LONGEST_TEXT]


def _state(state: str, why: str) -> dict[str, Any]:
    return {"state": state, "why": why, "signer": None, "issuer": None, "signed": None, "made_by": []}
