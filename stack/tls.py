"""The development certificate authority, kept with the data so that a client has to be told about it only once."""

from __future__ import annotations

import os
import ssl
from dataclasses import dataclass
from pathlib import Path

import certifi
import trustme

NAMES = ("localhost", "127.0.0.1", "::1")


@dataclass(frozen=True)
class Certificates:
    """The files of one development CA and of the server certificate it signed."""

    folder: Path

    @property
    def ca_file(self) -> Path:
        """The CA's certificate alone (`NODE_EXTRA_CA_CERTS`)."""
        return self.folder / "ca.pem"

    @property
    def bundle_file(self) -> Path:
        """The CA and the public ones (`REQUESTS_CA_BUNDLE`, `SSL_CERT_FILE`), so that other calls still work."""
        return self.folder / "bundle.pem"

    @property
    def cert_file(self) -> Path:
        """The chain a server shows for the names of this machine."""
        return self.folder / "server.pem"

    @property
    def key_file(self) -> Path:
        """The private key of that server."""
        return self.folder / "server-key.pem"

    def client_environment(self) -> dict[str, str]:
        """What makes Python, Go and Node clients trust the stack."""
        bundle = str(self.bundle_file)
        return {
            "REQUESTS_CA_BUNDLE": bundle,
            "SSL_CERT_FILE": bundle,
            "NODE_EXTRA_CA_CERTS": str(self.ca_file),
        }

    def server_context(self) -> ssl.SSLContext:
        """A context that serves with the certificate."""
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(self.cert_file, self.key_file)
        return context


def ensure_certificates(data_dir: Path) -> Certificates:
    """The certificates kept in `data_dir`, made where they are missing; the public part of the bundle is made anew."""
    made = Certificates(data_dir / "tls")
    made.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    ca_key = made.folder / "ca-key.pem"
    if ca_key.exists() and made.ca_file.exists():
        authority = trustme.CA.from_pem(made.ca_file.read_bytes(), ca_key.read_bytes())
        fresh = False
    else:
        authority = trustme.CA(organization_name="Sojourn development")
        _write(made.ca_file, authority.cert_pem.bytes())
        _write(ca_key, authority.private_key_pem.bytes())
        fresh = True
    if fresh or not (made.cert_file.exists() and made.key_file.exists()):
        issued = authority.issue_cert(*NAMES)
        _write(made.key_file, issued.private_key_pem.bytes())
        _write(made.cert_file, b"".join(part.bytes() for part in issued.cert_chain_pems))
    _write(made.bundle_file, authority.cert_pem.bytes() + _trusted_already(made.bundle_file))
    return made


def _trusted_already(bundle: Path) -> bytes:
    """The public authorities, and those that this machine's owner added in `SSL_CERT_FILE`."""
    public = Path(certifi.where()).read_bytes()
    added = os.environ.get("SSL_CERT_FILE")
    if added and Path(added) != bundle and Path(added).is_file():
        public += b"\n" + Path(added).read_bytes()
    return public


def _write(file: Path, content: bytes) -> None:
    """Readable by its owner alone, and never half there."""
    draft = file.with_name(f".{file.name}.{os.getpid()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as output:
        output.write(content)
    draft.replace(file)
