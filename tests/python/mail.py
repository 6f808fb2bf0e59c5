"""A mail server that keeps what it takes, and a reader of mail, neither of them ours.

    mail.py serve FOLDER plain|starttls|tls [PASSWORD]
                     on a free port of this machine; each mail becomes FOLDER/<number>.eml and .json.
                     With a password, only who logs in as `glasshour` with it may send.
    mail.py read FILE...
                     one JSON line for each: headers, text, html, attachments

The server is aiosmtpd, the reader Python's own email package.
"""

import asyncio
import base64
import datetime
import email
import email.policy
import ipaddress
import json
import ssl
import sys
from pathlib import Path

NAME = "localhost"


def certificates(folder):
    """An authority, and a certificate of this machine by it."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
    from cryptography.x509.oid import NameOID

    now = datetime.datetime.now(datetime.timezone.utc)

    def build(name, key, issuer, issuer_key, extensions):
        def called(text):
            return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])

        builder = (
            x509.CertificateBuilder()
            .subject_name(called(name))
            .issuer_name(called(issuer))
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(days=1))
            .not_valid_after(now + datetime.timedelta(days=1))
        )
        for extension in extensions:
            builder = builder.add_extension(extension, critical=True)
        return builder.sign(issuer_key, hashes.SHA256())

    root_key, key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    root = build("root", root_key, "root", root_key, [x509.BasicConstraints(True, 0)])
    names = [x509.DNSName(NAME), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
    leaf = build(
        NAME, key, "root", root_key,
        [x509.BasicConstraints(False, None), x509.SubjectAlternativeName(names)],
    )
    (folder / "ca.pem").write_bytes(root.public_bytes(Encoding.PEM))
    chain = leaf.public_bytes(Encoding.PEM) + key.private_bytes(
        Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()
    )
    (folder / "server.pem").write_bytes(chain)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "server.pem")
    return context


class Keep:
    def __init__(self, folder, encrypted):
        self.folder = folder
        self.encrypted = encrypted
        self.count = 0

    async def handle_DATA(self, server, session, envelope):
        self.count += 1
        name = f"{self.count:03}"
        # STARTTLS leaves a mark on the session; with TLS from the first byte there is nothing else.
        facts = {
            "from": envelope.mail_from,
            "to": envelope.rcpt_tos,
            "encrypted": self.encrypted or session.ssl is not None,
            "authenticated": session.authenticated,
        }
        (self.folder / f"{name}.json").write_text(json.dumps(facts))
        whole = self.folder / f"{name}.part"
        whole.write_bytes(envelope.content)
        whole.rename(self.folder / f"{name}.eml")
        return "250 taken"


def serve(folder, security, password=None):
    from aiosmtpd.smtp import SMTP, AuthResult

    folder = Path(folder)
    options, wrapped = {}, None
    if security != "plain":
        context = certificates(folder)
        if security == "starttls":
            options.update(tls_context=context, require_starttls=True)
        else:
            wrapped = context
    if password:

        def known(server, session, envelope, mechanism, data):
            good = (data.login, data.password) == (b"glasshour", password.encode())
            return AuthResult(success=good, handled=False)

        # aiosmtpd only counts STARTTLS as encryption, not TLS from the first byte.
        options.update(
            authenticator=known, auth_required=True, auth_require_tls=security == "starttls"
        )
    keep = Keep(folder, security == "tls")

    async def run():
        loop = asyncio.get_running_loop()
        server = await loop.create_server(
            lambda: SMTP(keep, hostname=NAME, **options), "127.0.0.1", 0, ssl=wrapped
        )
        print(f"listening on {server.sockets[0].getsockname()[1]}", flush=True)
        await server.serve_forever()

    asyncio.run(run())


def read(file):
    message = email.message_from_bytes(Path(file).read_bytes(), policy=email.policy.default)
    part = {
        kind: message.get_body((kind,)).get_content() for kind in ("plain", "html")
    }
    files = [
        {
            "name": one.get_filename(),
            "type": one.get_content_type(),
            "base64": base64.b64encode(one.get_content()).decode(),
        }
        for one in message.iter_attachments()
    ]
    defects = [str(defect) for one in message.walk() for defect in one.defects]
    return {
        "headers": {name.lower(): str(value) for name, value in message.items()},
        "text": part["plain"],
        "html": part["html"],
        "attachments": files,
        "defects": defects,
    }


def main(command, *arguments):
    if command == "serve":
        serve(*arguments)
    for file in arguments:
        print(json.dumps(read(file)))


main(*sys.argv[1:])
