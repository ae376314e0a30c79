"""The survey of a container: packets as planted, picture types as decoded, encoders' names, content credentials."""

from __future__ import annotations

import datetime
import hashlib
import json
import os
import socket
import threading
from fractions import Fraction

import av
import numpy as np
import pytest
import synth

from forensics import credentials, survey
from forensics.analysis import evidence
from forensics.clip import identify, opened
from forensics.errors import MediaError, ParameterError
from forensics.method import describe
from forensics.text import for_terminal

MOVING = [np.roll(synth.gradient(96, 64), 3 * k, 1) for k in range(60)]


def surveyed(path, folder, trusted=""):
    folder.mkdir(exist_ok=True)
    with opened(path) as fd:
        clip = identify(path, fd)
        facts = survey.make(fd, folder, trusted)
    return survey.load(folder, facts, clip.picture, clip.sound)


def rows(found):
    return {(about, what): for_terminal(said, 2000) for about, what, said in survey.stated(found)}


@pytest.fixture(scope="module")
def film(tmp_path_factory):
    return synth.write(
        tmp_path_factory.mktemp("film") / "film.mp4",
        synth.evenly(MOVING, 25.0, time_base=Fraction(1, 12800), options={"g": "20", "bf": "2", "sc_threshold": "0"}),
        synth.Sound(synth.tone(2.4)),
        tags={"title": "<script>x</script>"},
    )


@pytest.fixture(scope="module")
def found(film, tmp_path_factory):
    return surveyed(film, tmp_path_factory.mktemp("survey"))


# -- packets ---------------------------------------------------------------------------------------------------------


def test_every_packet_is_there_with_its_time_and_size(film, found):
    packets = found.of(found.picture)
    np.testing.assert_allclose(np.sort(packets["t_s"]), np.arange(60) / 25, atol=1e-6)
    assert 0 < packets["size"].sum() + found.of(found.sound)["size"].sum() < film.stat().st_size
    assert len(found.of(found.sound)["t_s"]) >= 2.4 * 48000 / 1024
    assert len(found.of(None)["t_s"]) == 0


def test_key_pictures_stand_where_the_encoder_was_told_to_put_them(found):
    assert np.flatnonzero(found.of(0)["key"]).tolist() == [0, 20, 40]
    assert rows(found)["stream 0 (video)", "Key pictures"] == "3 of 60; 20 pictures apart"


def decoded_types(path):
    with av.open(str(path)) as container:
        return ["?IPBP"[int(frame.pict_type)] for frame in container.decode(video=0)]


@pytest.mark.parametrize(
    ("name", "codec", "options"),
    [
        ("a.mp4", "libx264", {"g": "12", "bf": "3"}),
        ("b.mkv", "libx264", {"g": "12", "bf": "2"}),
        ("c.ts", "libx264", {"g": "12", "bf": "2"}),
        ("d.avi", "mpeg4", {"g": "12"}),
        ("e.mp4", "mpeg4", {"g": "12", "bf": "2"}),
        ("f.mpg", "mpeg2video", {"g": "12", "bf": "2"}),
        ("g.mpg", "mpeg1video", {"g": "12"}),
    ],
)
def test_types_of_pictures_are_those_that_the_decoder_finds(name, codec, options, tmp_path):
    kind = {"codec": codec, "options": options, "time_base": Fraction(1, 25)}
    path = synth.write(tmp_path / name, synth.evenly(MOVING[:40], 25.0, **kind))
    packets = surveyed(path, tmp_path / "survey").of(0)
    t_s = np.where(np.isfinite(packets["t_s"]), packets["t_s"], np.inf)
    order = np.argsort(t_s, kind="stable") if name != "d.avi" else np.arange(len(t_s))
    assert [chr(k) for k in packets["picture"][order]] == decoded_types(path)


def test_codecs_without_a_cheap_type_are_left_out(tmp_path):
    found = surveyed(synth.write(tmp_path / "a.avi", synth.evenly(MOVING[:8], codec="ffv1")), tmp_path / "survey")
    assert not found.of(0)["picture"].any() and ("stream 0 (video)", "Types of pictures") not in rows(found)


@pytest.mark.parametrize("data", [b"", b"\0" * 3, b"\0\0\0\x05\x65", b"\0\0\0\x01\x65" + bytes(20), b"\xff" * 30])
@pytest.mark.parametrize("codec", ["h264", "mpeg4", "mpeg1video", "mpeg2video", "hevc"])
def test_a_packet_of_nonsense_has_no_type(codec, data):
    for length in (0, 1, 2, 3, 4):
        assert survey.picture_type(codec, data, length) in b"\0IPB"


def test_a_packet_that_is_the_one_before_again_is_told(tmp_path):
    still = synth.Pictures(
        [MOVING[0]] * 3 + MOVING[1:4],
        np.arange(6) / 25,
        codec="mjpeg",
        pixels="yuvj420p",
        options={"qmin": "4", "qmax": "4"},
    )
    found = surveyed(synth.write(tmp_path / "still.mkv", still), tmp_path / "survey")
    assert found.of(0)["same"].tolist() == [False, True, True, False, False, False]
    assert rows(found)["stream 0 (video)", "Packets with the bytes of the one before"] == "2"


def test_encoders_are_named_as_they_name_themselves(found):
    said = rows(found)["stream 0 (video)", "Names that encoders wrote"]
    assert said.startswith("x264 - core") and "keyint=20" in said


def test_the_rows_tell_layout_tracks_and_edits(found):
    said = rows(found)
    assert said["file", "Boxes in order"] == "ftyp, free, mdat, moov"
    assert said["file", "Created (UTC, as stated)"] == "not stated"
    assert said["stream 0 (video)", "Codec, profile, level"].startswith("h264, High, level ")
    assert said["track 1 (vide)", "Edit list"].endswith(" s from 0.080 s")  # two pictures of delay by B


def test_other_containers_say_that_their_layout_is_not_examined(tmp_path):
    found = surveyed(synth.write(tmp_path / "a.mkv", synth.evenly(MOVING[:8])), tmp_path / "survey")
    assert rows(found)["file", "Layout"] == "not examined in this kind of container"
    assert found.facts["credentials"]["state"] == credentials.NOT_EXAMINED


def test_pictures_outside_the_edit_list_are_hidden(film, tmp_path):
    """Trimming on a phone leaves them in the file."""
    data, cut = film.read_bytes(), tmp_path / "cut.mp4"
    start = (12800 + 1024).to_bytes(4, "big")  # of 12800 a second; 1024 are the encoder's own two pictures
    cut.write_bytes(synth.patched(synth.patched(data, b"elst", 12, start), b"elst", 8, (1400).to_bytes(4, "big")))
    packets = surveyed(cut, tmp_path / "survey").of(0)
    assert packets["hidden"].sum() == 5 and len(packets["t_s"]) <= 60  # from the key picture before: 20 to 24


def test_the_survey_s_key_knows_what_it_rests_on():
    one = survey.key("a" * 64, "", {"av": "1"})
    assert one != survey.key("a" * 64, "PEM", {"av": "1"}) and one != survey.key("b" * 64, "", {"av": "1"})


# -- content credentials ---------------------------------------------------------------------------------------------

c2pa = pytest.importorskip("c2pa", reason="the extra “credentials” is not installed")


def certificate(subject, issuer, key, signing, of_authority):
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes
    from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

    def name(text):
        return x509.Name(
            [x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Made up"), x509.NameAttribute(NameOID.COMMON_NAME, text)]
        )

    now, no = (
        datetime.datetime.now(datetime.UTC),
        dict.fromkeys(
            (
                "content_commitment",
                "key_encipherment",
                "data_encipherment",
                "key_agreement",
                "encipher_only",
                "decipher_only",
            ),
            False,
        ),
    )
    made = (
        x509.CertificateBuilder()
        .subject_name(name(subject))
        .issuer_name(name(issuer))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=2))
        .add_extension(x509.BasicConstraints(of_authority, None), True)
        .add_extension(
            x509.KeyUsage(digital_signature=not of_authority, key_cert_sign=of_authority, crl_sign=of_authority, **no),
            True,
        )
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signing.public_key()), False)
    )
    if not of_authority:
        made = made.add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.EMAIL_PROTECTION]), False)
    return made.sign(signing, hashes.SHA256())


class Signer:
    """A signer whose root nobody knows but who is given it."""

    def __init__(self):
        from cryptography.hazmat.primitives import serialization
        from cryptography.hazmat.primitives.asymmetric import ec

        root, own = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
        pems = [
            certificate(*names, key, root, top).public_bytes(serialization.Encoding.PEM)
            for *names, key, top in (("A person", "Root", own, False), ("Root", "Root", root, True))
        ]
        self.root = pems[1].decode()
        secret = own.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        self._info = c2pa.C2paSignerInfo(b"es256", b"".join(pems), secret, None)

    def sign(self, source, target, remote=None):
        claim = {"claim_generator_info": [{"name": "a maker", "version": "7"}], "format": "video/mp4", "assertions": []}
        with (
            source.open("rb") as given,
            target.open("w+b") as made,
            c2pa.Signer.from_info(self._info) as signer,
            c2pa.Builder(json.dumps(claim)) as builder,
        ):
            builder.set_intent(c2pa.C2paBuilderIntent.CREATE, c2pa.C2paDigitalSourceType.DIGITAL_CAPTURE)
            if remote:
                builder.set_no_embed()
                builder.set_remote_url(remote)
            builder.sign(signer, "video/mp4", given, made)
        return target


@pytest.fixture(scope="module")
def signer():
    return Signer()


@pytest.fixture(scope="module")
def signed(film, signer, tmp_path_factory):
    return signer.sign(film, tmp_path_factory.mktemp("signed") / "signed.mp4")


def state_of(path, folder, trusted=""):
    return surveyed(path, folder, trusted).facts["credentials"]


def test_a_file_without_credentials_has_none_which_says_nothing(found):
    assert found.facts["credentials"]["state"] == credentials.NONE
    assert "says nothing" in rows(found)["file", "Content credentials"]


def test_credentials_of_an_unknown_signer_are_intact_but_not_trusted(signed, tmp_path):
    told = state_of(signed, tmp_path / "survey")
    assert told["state"] == credentials.UNTRUSTED and "signingCredential.untrusted" in told["why"]
    assert (told["signer"], told["issuer"], told["made_by"]) == ("A person", "Made up", ["a maker 7"])


def test_credentials_of_a_signer_whom_the_examiner_trusts_are_valid(signed, signer, tmp_path):
    assert state_of(signed, tmp_path / "survey", signer.root)["state"] == credentials.VALID
    assert state_of(signed, tmp_path / "other", Signer().root)["state"] == credentials.UNTRUSTED


def test_a_file_of_trusted_signers_is_read_and_named_by_its_hash(signed, signer, tmp_path):
    pem = tmp_path / "trusted.pem"
    pem.write_text("# Főtanúsítvány\n" + signer.root + Signer().root)
    given = credentials.signers(pem)
    assert state_of(signed, tmp_path / "survey", given)["state"] == credentials.VALID and given.isascii()
    shown = {row["name"]: row["value"] for row in describe(evidence.Settings(trusted_signers=given))}
    assert shown["trusted_signers"] == f"SHA-256 {hashlib.sha256(given.encode()).hexdigest()}"


@pytest.mark.parametrize(
    "content", [b"", b"\xff\xfe", b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", b" " * 2_000_000]
)
def test_what_is_no_list_of_signers_is_refused(content, tmp_path):
    (tmp_path / "list.pem").write_bytes(content)
    with pytest.raises(ParameterError, match=r"list\.pem"):
        credentials.signers(tmp_path / "list.pem")


def test_a_list_of_signers_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(ParameterError, match="--trust"):
        credentials.signers(tmp_path / "none.pem")


@pytest.mark.parametrize("mark", [b"mdat", b"jumb"])
def test_credentials_that_do_not_fit_or_cannot_be_read_are_malformed(signed, signer, mark, tmp_path):
    """One bit of the pictures, or of the credentials themselves."""
    data, spoiled = bytearray(signed.read_bytes()), tmp_path / "spoiled.mp4"
    data[data.index(mark) + 60] ^= 1
    spoiled.write_bytes(data)
    assert state_of(spoiled, tmp_path / "survey", signer.root)["state"] == credentials.MALFORMED


def test_a_damaged_file_without_credentials_is_not_called_malformed(film, tmp_path):
    short = tmp_path / "short.mp4"
    short.write_bytes(film.read_bytes() + b"\0\0\0\x09moo")
    assert state_of(short, tmp_path / "survey")["state"] in (credentials.NONE, credentials.NOT_EXAMINED)


def test_nothing_is_fetched(film, signer, tmp_path):
    """Credentials that lie elsewhere are named and not asked for, with and without the sandbox."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        asked = []
        threading.Thread(target=lambda: asked.append(server.accept()), daemon=True).start()
        url = f"http://127.0.0.1:{server.getsockname()[1]}/manifest.c2pa"
        path = signer.sign(film, tmp_path / "remote.mp4", url)
        told = [state_of(path, tmp_path / "survey")]
        with path.open("rb") as file:
            told.append(credentials.read(file, False))
        assert [t["state"] for t in told] == [credentials.NOT_EXAMINED] * 2
        assert not asked


def test_without_the_extra_nothing_is_examined(monkeypatch, film):
    monkeypatch.setattr(credentials.importlib.util, "find_spec", lambda name: None)
    with film.open("rb") as file:
        told = credentials.read(file, True)
    assert told["state"] == credentials.NOT_EXAMINED and "not installed" in told["why"]


def test_a_survey_that_dies_is_a_refusal(tmp_path):
    path = tmp_path / "x.mp4"
    path.write_bytes(os.urandom(5000))
    with path.open("rb") as file, pytest.raises(MediaError):
        survey.make(file.fileno(), tmp_path, "")
