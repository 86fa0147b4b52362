"""Certificates and papers as PDF: drawn from the signed statement, with its file inside, signed by the platform (PAdES).

Everything that is drawn stands in the statement; nothing is fetched. The signature of the PDF is that of the platform's
P-256 key, because readers of PDF know no SM2; the seal's SM2 signature travels in the attachment ``sealed.json``.
"""

import io
import json
from datetime import UTC, datetime, time, timedelta
from typing import Any

import segno
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID
from django.template.loader import render_to_string
from django.utils.safestring import SafeString, mark_safe
from weasyprint import HTML, Attachment
from weasyprint.urls import URLFetcher

from liangzhu.beams.trust.certificates.impression import impression
from liangzhu.beams.trust.certificates.models import PlatformCertificate
from liangzhu.beams.trust.certificates.stamping import address_of, written_code
from liangzhu.kernel import crypto, keys
from liangzhu.kernel.now import now
from liangzhu.kernel.pack import pack

keys.declare("paper", keys.P256, "签署版式文件")

ATTACHMENT = "sealed.json"
CERTIFICATE_YEARS = 20


def qr(text: str, *, scale: float = 1) -> SafeString:
    """A QR code (GB/T 18284) as SVG without size of its own; level M, quiet zone of four."""
    code = segno.make(text, error="m", micro=False)
    return mark_safe(code.svg_inline(scale=scale, omitsize=True, border=4, svgclass="qr", lineclass=None))


def draw(template: str, statement: dict[str, Any], file: dict[str, Any], check_code: str) -> bytes:
    """The PDF of a statement: PDF/A-3 with the file attached, signed."""
    seal = statement["seal"]
    html = render_to_string(
        f"certificates/papers/{template}.html",
        {
            "one": statement,
            "values": {one["key"]: one["value"] for one in statement.get("fields", ())},
            "seal": impression(seal["unit"], seal["use"], seal["number"], millimetres=42),
            "qr": qr(address_of(statement["id"])),
            "address": address_of(statement["id"]),
            "code": written_code(check_code),
            "district": pack().district,
        },
    )
    made = datetime.combine(datetime.fromisoformat(statement["issued_on"]).date(), time(), UTC)
    body = json.dumps(file, ensure_ascii=False, indent=1)
    attachment = Attachment(
        string=body,
        name=ATTACHMENT,
        description="印章签名和日志证明",
        created=made,
        modified=made,
        relationship="Data",
    )
    pdf = HTML(string=html, url_fetcher=_Nothing()).write_pdf(
        pdf_variant="pdf/a-3a", attachments=[attachment], pdf_identifier=crypto.sm3(html.encode())[:16]
    )
    return _sign(pdf, statement)


class _Nothing(URLFetcher):
    def fetch(self, url: str, headers: dict | None = None) -> None:
        """Refuse: what a person typed can name an address, never open it."""
        raise ValueError(f"a paper refers to nothing outside it: {url}")


def _sign(pdf: bytes, statement: dict[str, Any]) -> bytes:
    """The PDF with an invisible signature of the platform (PAdES, baseline B)."""
    # Two seconds to import, and only needed where a file is drawn.
    from asn1crypto import keys as asn1_keys
    from asn1crypto import x509 as asn1_x509
    from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
    from pyhanko.sign import fields, signers

    key = keys.current("paper")
    signer = signers.SimpleSigner(
        signing_cert=asn1_x509.Certificate.load(platform_certificate(key)),
        signing_key=asn1_keys.PrivateKeyInfo.load(
            _private(key).private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
        ),
        cert_registry=None,
    )
    about = signers.PdfSignatureMetadata(
        field_name="Platform",
        subfilter=fields.SigSeedSubFilter.PADES,
        md_algorithm="sha256",
        reason=f"{statement['issuer']['name']}出具",
    )
    out = signers.PdfSigner(about, signer=signer).sign_pdf(IncrementalPdfFileWriter(io.BytesIO(pdf)))
    return out.getvalue()


def _private(key: keys.Material) -> ec.EllipticCurvePrivateKey:
    return ec.derive_private_key(int.from_bytes(key.secret, "big"), ec.SECP256R1())


def platform_certificate(key: keys.Material) -> bytes:
    """The X.509 certificate (DER) of a version of the platform's key, signed by itself; made once and kept.

    Whoever wants readers of PDF to trust it without asking imports it, or has a certificate authority vouch for the key.
    """
    row = PlatformCertificate.objects.filter(version=key.version).first()
    if row is None:
        made = PlatformCertificate(version=key.version, der=_self_signed(key))
        # Whoever comes second keeps the first one's.
        PlatformCertificate.objects.bulk_create([made], ignore_conflicts=True)
        row = PlatformCertificate.objects.get(version=key.version)
    return bytes(row.der)


def _platform_name() -> str:
    return f"{pack().district['name']}政务服务平台"


def _self_signed(key: keys.Material) -> bytes:
    private = _private(key)
    name = x509.Name(
        [
            x509.NameAttribute(NameOID.COUNTRY_NAME, "CN"),
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, pack().district["name"]),
            x509.NameAttribute(NameOID.COMMON_NAME, _platform_name()),
        ]
    )
    usage = x509.KeyUsage(True, True, False, False, False, False, False, False, False)
    built = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(private.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now() - timedelta(days=1))
        .not_valid_after(now() + timedelta(days=365 * CERTIFICATE_YEARS))
        .add_extension(usage, critical=True)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .sign(private, hashes.SHA256())
    )
    return built.public_bytes(Encoding.DER)
