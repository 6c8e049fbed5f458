"""The office's own certificate authority, and the certificate of the server in the office's network.

Tablets keep sheets without signal, photograph and record in a secure context only, which on a network
without internet needs a certificate that they trust. The authority is made on the server and may sign
for the given names and addresses alone (name constraints, RFC 5280 4.2.1.10; what may not be signed at
all is excluded as the CA/Browser Forum's Baseline Requirements 7.1.5 do), so that a stolen key opens
no other site to whoever reads along. The server's certificate lasts 397 days at most (Apple, support
article HT211025) and is renewed under the same authority, so nothing is installed anew on the tablets.

Files in one directory, keys with mode 0600, outside database and backups. Knows no clock: the caller
says what time it is.
"""

from __future__ import annotations

import ipaddress
import os
import plistlib
import re
import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from app.domain.types import Conflict, DomainError, Text

AUTHORITY, AUTHORITY_KEY = "office.crt", "office.key"
SERVER, SERVER_KEY = "server.crt", "server.key"
AUTHORITY_DAYS = 3652
SERVER_DAYS = 397
WARN_DAYS = 30
BACKDATED = timedelta(days=1)  # for a tablet whose clock is a little slow

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
_LABEL = re.compile(r"(?!-)[a-z0-9-]{1,63}(?<!-)", re.ASCII)
NONE = Text(
    "没有办公室证书。请先运行 mingjian cert make 主机名或地址。",
    "There is no office certificate. Run mingjian cert make NAME-OR-ADDRESS first.",
)


@dataclass(frozen=True, slots=True)
class Certificates:
    """What stands in the two certificates. Times are aware, in UTC."""

    office: str
    names: tuple[str, ...]  # host names and addresses that the server answers to
    fingerprint: str  # of the authority: SHA-256 over its DER bytes, "AB:CD:…"
    authority_until: datetime
    server_from: datetime
    server_until: datetime

    def days_left(self, now: datetime) -> int:
        """Whole days until the server's certificate ends; negative when it has ended."""
        return (self.server_until - now) // timedelta(days=1)

    def covers(self, name: str) -> bool:
        """Is the server's certificate made for this host name or address?"""
        return _tidy(name) in self.names


def _tidy(name: str) -> str:
    """A host name in lower case, or an address in its shortest form; DomainError for anything else."""
    text = name.strip().strip("[]").rstrip(".").lower()
    try:
        return str(ipaddress.ip_address(text))
    except ValueError:
        pass
    numeric = text.replace(".", "").isdigit()  # 192.168.1.300 is no name
    if len(text) > 253 or numeric or not all(map(_LABEL.fullmatch, text.split("."))):
        raise DomainError(
            Text(
                f"“{name}”不是主机名或 IP 地址（不带 https:// 和端口，不用通配符）。未作任何改动。",
                f"“{name}” is no host name or IP address (without https:// and port, no wildcard). "
                "Nothing was changed.",
            )
        )
    return text


def _address(name: str) -> Address | None:
    try:
        return ipaddress.ip_address(name)
    except ValueError:
        return None


def make(
    directory: Path, names: list[str], now: datetime, *, office: str = "", replace: bool = False
) -> Certificates:
    """A new authority for `names`, and the first certificate of the server.

    Conflict when there is an authority already and `replace` is not said: every tablet would have to
    install the new one.
    """
    wanted = tuple(dict.fromkeys(map(_tidy, names)))
    if not wanted:
        raise DomainError(
            Text(
                "请写出平板用来打开系统的主机名或 IP 地址。未作任何改动。",
                "Name the host name or IP address by which tablets open the system. Nothing was "
                "changed.",
            )
        )
    if (directory / AUTHORITY).exists() and not replace:
        raise Conflict(
            Text(
                "已有办公室证书，未作任何改动。续期请运行 mingjian cert renew；"
                "确要另建（每台平板都要重新安装），请加 --new-authority。",
                "There is an office certificate, and nothing was changed. To renew the server's run "
                "mingjian cert renew; for a new authority, which every tablet must install again, "
                "add --new-authority.",
            )
        )
    key = ec.generate_private_key(ec.SECP256R1())
    title = f"Mingjian office CA {now:%Y-%m-%d}" + (f" {office.strip()}" if office.strip() else "")
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, title[:64])])
    public = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
    authority = (
        x509.CertificateBuilder(subject, subject, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - BACKDATED)
        .not_valid_after(now - BACKDATED + timedelta(days=AUTHORITY_DAYS))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(signs=True), critical=True)
        .add_extension(_constraints(wanted), critical=True)
        .add_extension(public, critical=False)
        .sign(key, hashes.SHA256())
    )
    directory.mkdir(parents=True, exist_ok=True, mode=0o700)
    _put(directory / AUTHORITY_KEY, _private(key))
    _put(directory / AUTHORITY, _pem(authority))
    _issue(directory, authority, key, wanted, now)
    return read(directory)


def renew(directory: Path, now: datetime) -> Certificates:
    """A new certificate of the server for the same names, under the same authority."""
    known = read(directory)
    authority = _load(directory / AUTHORITY)
    if authority.not_valid_after_utc <= now:
        raise Conflict(
            Text(
                "办公室证书本身已到期，不能再签发。未作任何改动；"
                "请用 mingjian cert make --new-authority 另建，并在每台平板上重新安装。",
                "The office's authority itself has ended and can sign no more. Nothing was changed; "
                "make another with mingjian cert make --new-authority and install it on every tablet.",
            )
        )
    try:
        key = serialization.load_pem_private_key((directory / AUTHORITY_KEY).read_bytes(), None)
    except (OSError, ValueError) as error:
        raise DomainError(_damaged(directory / AUTHORITY_KEY)) from error
    if (
        not isinstance(key, ec.EllipticCurvePrivateKey)
        or key.public_key() != authority.public_key()
    ):
        raise DomainError(_damaged(directory / AUTHORITY_KEY))
    _issue(directory, authority, key, known.names, now)
    return read(directory)


def _issue(
    directory: Path,
    authority: x509.Certificate,
    signer: ec.EllipticCurvePrivateKey,
    names: tuple[str, ...],
    now: datetime,
) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    begin = max(now - BACKDATED, authority.not_valid_before_utc)
    end = min(begin + timedelta(days=SERVER_DAYS), authority.not_valid_after_utc)
    general: list[x509.GeneralName] = []
    for name in names:
        address = _address(name)
        general.append(x509.IPAddress(address) if address else x509.DNSName(name))
    # No name of a host: some readers hold it against the constraints on host names (OpenSSL does).
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Mingjian server")])
    known = x509.SubjectKeyIdentifier.from_public_key(signer.public_key())
    made = (
        x509.CertificateBuilder(
            authority.subject, subject, key.public_key(), x509.random_serial_number()
        )
        .not_valid_before(begin)
        .not_valid_after(end)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(signs=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectAlternativeName(general), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(known), critical=False
        )
        .sign(signer, hashes.SHA256())
    )
    _put(directory / SERVER_KEY, _private(key))
    _put(directory / SERVER, _pem(made))


def _usage(*, signs: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs,
        key_cert_sign=signs,
        crl_sign=signs,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _constraints(names: tuple[str, ...]) -> x509.NameConstraints:
    """These names and addresses, and of each kind that is not among them none at all."""
    permitted: list[x509.GeneralName] = []
    excluded: list[x509.GeneralName] = []
    addresses = [found for name in names if (found := _address(name))]
    hosts = [name for name in names if _address(name) is None]
    permitted += [x509.DNSName(name) for name in hosts]
    permitted += [x509.IPAddress(ipaddress.ip_network(address)) for address in addresses]
    if not hosts:
        excluded.append(x509.DNSName(""))
    # One kind of general name holds both versions: excluding a whole version bars the other none.
    for version, everything in ((4, "0.0.0.0/0"), (6, "::/0")):
        if not any(address.version == version for address in addresses):
            excluded.append(x509.IPAddress(ipaddress.ip_network(everything)))
    return x509.NameConstraints(permitted or None, excluded or None)


def read(directory: Path) -> Certificates:
    """What the certificates say; DomainError when there are none or they are damaged."""
    if not (directory / AUTHORITY).exists():
        raise DomainError(NONE)
    authority, server = _load(directory / AUTHORITY), _load(directory / SERVER)
    try:
        names = server.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        office = authority.subject.get_attributes_for_oid(NameOID.COMMON_NAME)[0].value
    except (x509.ExtensionNotFound, IndexError) as error:
        raise DomainError(_damaged(directory / SERVER)) from error
    return Certificates(
        office=str(office),
        names=tuple(str(name.value) for name in names),
        fingerprint=authority.fingerprint(hashes.SHA256()).hex(":").upper(),
        authority_until=authority.not_valid_after_utc,
        server_from=server.not_valid_before_utc,
        server_until=server.not_valid_after_utc,
    )


def last(directory: Path) -> Certificates | None:
    """As `read`; None where there is nothing that can be read."""
    try:
        return read(directory)
    except DomainError:
        return None


def downloads(directory: Path) -> dict[str, tuple[bytes, str]]:
    """What a tablet may fetch: name -> (bytes, media type). Never a key. DomainError as `read`.

    `office.crt` is DER, so that the SHA-256 of the file is the fingerprint; `.mobileconfig` is what
    iPadOS installs (Apple, Configuration Profile Reference: com.apple.security.root).
    """
    known = read(directory)
    authority = _load(directory / AUTHORITY)
    der = authority.public_bytes(serialization.Encoding.DER)
    own = uuid.uuid5(uuid.NAMESPACE_OID, known.fingerprint)
    whole = uuid.uuid5(own, "profile")
    profile = {
        "PayloadType": "Configuration",
        "PayloadVersion": 1,
        "PayloadIdentifier": f"mingjian.office.{own}",
        "PayloadUUID": str(whole).upper(),
        "PayloadDisplayName": known.office,
        "PayloadDescription": "SHA-256 " + known.fingerprint,
        "PayloadContent": [
            {
                "PayloadType": "com.apple.security.root",
                "PayloadVersion": 1,
                "PayloadIdentifier": f"mingjian.office.{own}.root",
                "PayloadUUID": str(own).upper(),
                "PayloadDisplayName": known.office,
                "PayloadCertificateFileName": AUTHORITY,
                "PayloadContent": der,
            }
        ],
    }
    return {
        "office.crt": (der, "application/x-x509-ca-cert"),
        "office.pem": (_pem(authority), "application/x-pem-file"),
        "office.mobileconfig": (plistlib.dumps(profile), "application/x-apple-aspen-config"),
    }


def grouped(fingerprint: str) -> list[str]:
    """The fingerprint in four lines of eight pairs, for comparing by eye."""
    pairs = fingerprint.split(":")
    return [" ".join(pairs[start : start + 8]) for start in range(0, len(pairs), 8)]


def _load(path: Path) -> x509.Certificate:
    try:
        return x509.load_pem_x509_certificate(path.read_bytes())
    except (OSError, ValueError) as error:
        raise DomainError(_damaged(path)) from error


def _damaged(path: Path) -> Text:
    return Text(
        f"证书文件 {path} 缺失或损坏。未作任何改动；请放回副本，"
        "或用 mingjian cert make --new-authority 另建（每台平板要重新安装）。",
        f"Certificate file {path} is missing or damaged. Nothing was changed; put a copy back, or "
        "make a new authority with mingjian cert make --new-authority (every tablet installs it again).",
    )


def _private(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)


def _put(path: Path, content: bytes) -> None:
    """Whole or not at all, mode 0600 from the first byte, through to the disk."""
    part = path.with_name(path.name + ".part")
    part.unlink(missing_ok=True)
    handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    os.replace(part, path)
