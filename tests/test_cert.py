"""The office's authority: real TLS handshakes over loopback, and everything that must be refused."""

from __future__ import annotations

import hashlib
import plistlib
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner
from cryptography import x509
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from cryptography.x509.oid import ExtendedKeyUsageOID

from app import certificates
from app import keys as key_files
from app.cli.cert import cert_group
from app.domain.types import Conflict, DomainError
from tests.places import bytes_under

NOW = datetime.now(UTC)


@contextmanager
def answering(directory: Path) -> Iterator[int]:
    """The port of a TLS server with the certificate in `directory`."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(directory / "server.crt", directory / "server.key")
    listening = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            try:
                plain, _ = listening.accept()
            except OSError:
                return
            try:
                with context.wrap_socket(plain, server_side=True) as wrapped:
                    wrapped.sendall(b"here")
            except OSError:
                plain.close()

    threading.Thread(target=serve, daemon=True).start()
    yield listening.getsockname()[1]
    listening.shutdown(socket.SHUT_RDWR)
    listening.close()


def greet(port: int, host: str, authority: Path) -> bytes:
    """What the server says to a client that trusts `authority` alone; ssl.SSLError when it does not."""
    context = ssl.create_default_context(cafile=authority)
    context.verify_flags |= ssl.VERIFY_X509_STRICT  # the default of later Pythons
    with socket.create_connection(("127.0.0.1", port), timeout=5) as plain:
        with context.wrap_socket(plain, server_hostname=host) as wrapped:
            return wrapped.recv(4)


@pytest.mark.parametrize(
    ("names", "good", "bad"),
    [
        (["localhost"], ["localhost"], ["127.0.0.1", "other.lan", "x.localhost"]),
        (["127.0.0.1"], ["127.0.0.1"], ["localhost", "127.0.0.2"]),
        (["Localhost", "127.0.0.1", "::1"], ["localhost", "127.0.0.1", "::1"], ["other.lan"]),
    ],
)
def test_a_client_with_the_authority_reaches_the_named_hosts_alone(
    tmp_path: Path, names: list[str], good: list[str], bad: list[str]
) -> None:
    certificates.make(tmp_path / "a", names, NOW)
    certificates.make(tmp_path / "b", names, NOW)  # another office
    with answering(tmp_path / "a") as port:
        for host in good:
            assert greet(port, host, tmp_path / "a" / "office.crt") == b"here"
            with pytest.raises(ssl.SSLCertVerificationError):
                greet(port, host, tmp_path / "b" / "office.crt")
        for host in bad:
            with pytest.raises(ssl.SSLCertVerificationError, match="mismatch"):
                greet(port, host, tmp_path / "a" / "office.crt")


@pytest.mark.parametrize(
    ("names", "stolen", "why"),
    [
        (["localhost"], "bank.example", "permitted subtree"),
        (["localhost"], "192.0.2.1", "excluded subtree"),
        (["localhost", "127.0.0.1"], "192.0.2.1", "permitted subtree"),
        (["127.0.0.1"], "bank.example", "excluded subtree"),
        (["127.0.0.1"], "2001:db8::1", "excluded subtree|permitted subtree"),
    ],
)
def test_a_stolen_key_of_the_authority_signs_for_no_other_site(
    tmp_path: Path, names: list[str], stolen: str, why: str
) -> None:
    certificates.make(tmp_path, names, NOW)
    authority = x509.load_pem_x509_certificate((tmp_path / "office.crt").read_bytes())
    key = load_pem_private_key((tmp_path / "office.key").read_bytes(), None)
    certificates._issue(tmp_path, authority, key, (stolen,), NOW)  # type: ignore[arg-type]
    with answering(tmp_path) as port:
        with pytest.raises(ssl.SSLCertVerificationError, match=why):
            greet(port, stolen, tmp_path / "office.crt")


def test_what_stands_in_the_certificates_is_what_ipados_asks_for(tmp_path: Path) -> None:
    known = certificates.make(tmp_path, ["review.lan", "192.168.1.10"], NOW, office="测试县局")
    assert known.names == ("review.lan", "192.168.1.10") and "测试县局" in known.office
    assert known.server_until - known.server_from == timedelta(days=397)
    assert known.server_from < NOW < known.server_until < known.authority_until
    assert known.days_left(NOW) in (395, 396) and known.days_left(known.server_until) == 0
    assert known.days_left(known.server_until + timedelta(hours=1)) == -1
    assert known.covers("REVIEW.lan.") and not known.covers("evil.lan")
    server = x509.load_pem_x509_certificate((tmp_path / "server.crt").read_bytes())
    usage = server.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert list(usage) == [ExtendedKeyUsageOID.SERVER_AUTH]
    assert server.public_key().curve.name == "secp256r1"  # type: ignore[union-attr]
    assert server.signature_hash_algorithm and server.signature_hash_algorithm.name == "sha256"
    for path in tmp_path.iterdir():
        assert path.stat().st_mode & 0o777 == 0o600, path
    assert sorted(p.name for p in tmp_path.iterdir()) == [
        "office.crt", "office.key", "server.crt", "server.key",
    ]  # fmt: skip


def test_renewing_keeps_the_authority_so_that_tablets_notice_nothing(tmp_path: Path) -> None:
    first = certificates.make(tmp_path, ["localhost"], NOW - timedelta(days=390))
    before = bytes_under(tmp_path)
    assert first.days_left(NOW) < certificates.WARN_DAYS
    again = certificates.renew(tmp_path, NOW)
    after = bytes_under(tmp_path)
    assert again.fingerprint == first.fingerprint and again.names == first.names
    assert again.days_left(NOW) > 390
    changed = {name for name in after if after[name] != before[name]}
    assert changed == {"server.crt", "server.key"}
    with answering(tmp_path) as port:
        assert greet(port, "localhost", tmp_path / "office.crt") == b"here"


def test_a_server_certificate_never_outlives_its_authority(tmp_path: Path) -> None:
    certificates.make(tmp_path, ["localhost"], NOW - timedelta(days=3600))
    known = certificates.renew(tmp_path, NOW)
    assert known.server_until == known.authority_until < NOW + timedelta(days=60)
    before = bytes_under(tmp_path)
    with pytest.raises(Conflict, match="can sign no more"):
        certificates.renew(tmp_path, NOW + timedelta(days=60))
    assert bytes_under(tmp_path) == before


def test_a_second_authority_is_made_only_when_it_is_said(tmp_path: Path) -> None:
    first = certificates.make(tmp_path, ["localhost"], NOW)
    before = bytes_under(tmp_path)
    with pytest.raises(Conflict, match="--new-authority"):
        certificates.make(tmp_path, ["localhost"], NOW)
    assert bytes_under(tmp_path) == before
    assert (
        certificates.make(tmp_path, ["b.lan"], NOW, replace=True).fingerprint != first.fingerprint
    )


@pytest.mark.parametrize(
    "name",
    [
        "https://review.lan",
        "review.lan:8443",
        "*.lan",
        "192.168.1.300",
        "",
        "-a.lan",
        "评审.lan",
        "a b",
    ],
)
def test_what_is_no_name_is_refused_before_anything_is_made(tmp_path: Path, name: str) -> None:
    with pytest.raises(DomainError, match="no host name"):
        certificates.make(tmp_path / "tls", ["good.lan", name], NOW)
    assert not (tmp_path / "tls").exists()


def test_what_a_tablet_may_fetch_is_the_authority_and_never_a_key(tmp_path: Path) -> None:
    known = certificates.make(tmp_path, ["review.lan"], NOW)
    found = certificates.downloads(tmp_path)
    assert set(found) == {"office.crt", "office.pem", "office.mobileconfig"}
    digest = hashlib.sha256(found["office.crt"][0]).hexdigest().upper()
    assert digest == known.fingerprint.replace(":", "")
    assert digest == "".join(certificates.grouped(known.fingerprint)).replace(" ", "")
    profile = plistlib.loads(found["office.mobileconfig"][0])
    (payload,) = profile["PayloadContent"]
    assert payload["PayloadType"] == "com.apple.security.root"
    assert payload["PayloadContent"] == found["office.crt"][0]
    assert profile["PayloadUUID"] != payload["PayloadUUID"]
    for content, _ in found.values():
        assert b"PRIVATE" not in content
    assert found == certificates.downloads(tmp_path)  # the same profile, not a new one each time


def test_damaged_files_are_named(tmp_path: Path) -> None:
    assert certificates.last(tmp_path) is None
    with pytest.raises(DomainError, match="cert make"):
        certificates.read(tmp_path)
    certificates.make(tmp_path, ["review.lan"], NOW)
    (tmp_path / "office.key").write_bytes(b"x")
    with pytest.raises(DomainError, match=r"office\.key"):
        certificates.renew(tmp_path, NOW)
    (tmp_path / "server.crt").unlink()
    with pytest.raises(DomainError, match=r"server\.crt"):
        certificates.read(tmp_path)
    assert certificates.last(tmp_path) is None


def test_the_command_makes_shows_and_renews(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("DATABASE_URL", raising=False)
    home = ["--home", str(tmp_path)]
    run = CliRunner().invoke
    no_keys = run(cert_group, ["make", *home, "review.lan"])
    assert isinstance(no_keys.exception, DomainError) and not (tmp_path / "tls").exists()
    key_files.create(tmp_path / "keys")
    said = run(cert_group, ["make", *home, "review.lan", "192.168.1.10"])
    assert said.exit_code == 0, said.output
    known = certificates.read(tmp_path / "tls")
    for line in certificates.grouped(known.fingerprint):
        assert f"  {line}\n" in said.output
    assert "mingjian serve --lan --public-url https://review.lan:8443" in said.output
    assert "review.lan, 192.168.1.10" in run(cert_group, ["show", *home]).stdout
    certificates.make(tmp_path / "tls", ["review.lan"], NOW - timedelta(days=380), replace=True)
    soon = run(cert_group, ["show", *home])
    assert "ends soon" in soon.stderr and "即将到期" in soon.stderr
    renewed = run(cert_group, ["renew", *home])
    assert "the authority is the same" in renewed.stdout and renewed.stderr == ""
