"""A second reader and issuer of Glasshour licenses, written from license-format/FORMAT.md alone.

    license.py read SCHEMA FILE...      one JSON line for each: {"claims", "kid", "former"} or {"error", "by"}
    license.py sign CLAIMS SEED OUT     claims from a file, the key's 32 bytes in hexadecimal

The signature is made and checked by joserfc, the ranges by jsonschema, gzip by zlib; what stands here
is only what FORMAT.md asks for beyond these. `by` says which of them refused.
"""

import base64
import gzip
import json
import sys
import warnings
import zlib
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from joserfc import jws
from joserfc.errors import SecurityWarning
from joserfc.jwk import OKPKey
from jsonschema import Draft202012Validator

MAX_INFLATED = 65536
MAX_FILE = MAX_INFLATED + 1024
MAX_DEPTH = 128
TYP = "glasshour-license+json"
KEY_TYP = "glasshour-key+json"
MAX_ANNOUNCEMENTS = 16
MAX_ANNOUNCEMENT = 1024

# Keys of small order: OpenSSL takes them, section 2 does not.
WEAK_KEYS = {
    "0100000000000000000000000000000000000000000000000000000000000000",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "0000000000000000000000000000000000000000000000000000000000000080",
    "0000000000000000000000000000000000000000000000000000000000000000",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
}


class Refused(Exception):
    """The license is refused, and by what."""

    def __init__(self, by, why):
        super().__init__(why)
        self.by = by


def inflate(data):
    if len(data) > MAX_FILE:
        raise Refused("gzip", "the file is too large")
    member = zlib.decompressobj(wbits=31)
    try:
        text = member.decompress(data, MAX_INFLATED + 1)
    except zlib.error as error:
        raise Refused("gzip", str(error)) from error
    if len(text) > MAX_INFLATED:
        raise Refused("gzip", "inflates to too much")
    if not member.eof or member.unused_data:
        raise Refused("gzip", "not exactly one whole member")
    return text


def parse(data):
    """JSON without surprises: section 3."""

    def members(pairs):
        if len({name for name, _ in pairs}) != len(pairs):
            raise Refused("json", "a member stands twice")
        return dict(pairs)

    def depth(value):
        inside = value.values() if isinstance(value, dict) else value
        if not isinstance(value, (dict, list)):
            return 0
        return 1 + max(map(depth, inside), default=0)

    try:
        value = json.loads(data.decode("utf-8"), object_pairs_hook=members)
        if depth(value) > MAX_DEPTH:
            raise Refused("json", "nested too deep")
    except (ValueError, RecursionError) as error:
        raise Refused("json", str(error)) from error
    return value


def part(envelope, name):
    text = envelope[name]
    try:
        data = base64.b64decode(text + "=" * (-len(text) % 4), altchars="-_", validate=True)
    except ValueError as error:
        raise Refused("jws", f"{name}: {error}") from error
    if base64.urlsafe_b64encode(data).rstrip(b"=") != text.encode():
        raise Refused("jws", f"{name} is not canonical base64url")
    return data


def strings(value, names, what):
    """An object with exactly these members, of which all are texts where nothing else is said."""
    if not isinstance(value, dict) or set(value) != set(names):
        raise Refused("jws", f"{what} has other members than {sorted(names)}")
    if any(not isinstance(value[name], str) for name in names if name != "jwk"):
        raise Refused("jws", f"{what} holds something else than text")
    return value


def signer(envelope, typ, verify):
    """Sections 2 and 4: whose signature it is, by the thumbprint."""
    header = strings(
        parse(part(envelope, "protected")), ["alg", "typ", "kid", "jwk"], "the header"
    )
    if header["alg"] != "EdDSA" or header["typ"] != typ:
        raise Refused("jws", "another algorithm or type")
    key = public_key(header["jwk"])
    part(envelope, "signature")
    try:
        if key.thumbprint() != header["kid"]:
            raise Refused("jws", "kid and jwk do not fit")
        verify(key)
    except Refused:
        raise
    except Exception as error:  # each library error is a refusal, whatever its class
        raise Refused("jws", f"{type(error).__name__}: {error}") from error
    return header["kid"]


def public_key(jwk):
    jwk = strings(jwk, ["kty", "crv", "x"], "the key")
    if part(jwk, "x").hex() in WEAK_KEYS:
        raise Refused("jws", "a key of small order")
    try:
        key = OKPKey.import_key(jwk)
    except Exception as error:
        raise Refused("jws", f"{type(error).__name__}: {error}") from error
    if jwk["crv"] != "Ed25519":
        raise Refused("jws", "a key of another curve")
    return key


def announcement(text):
    """Section 9: the former key, the company and the key of one announcement."""
    parts = text.split(".")
    if len(parts) != 3 or len(text) > MAX_ANNOUNCEMENT:
        raise Refused("history", "not a compact signature of at most 1024 bytes")
    envelope = dict(zip(("protected", "payload", "signature"), parts))
    former = signer(
        envelope, KEY_TYP, lambda key: jws.deserialize_compact(text, key, algorithms=["EdDSA"])
    )
    payload = parse(part(envelope, "payload"))
    if not isinstance(payload, dict) or set(payload) != {
        "version", "company_id", "jwk", "issued_at",
    }:
        raise Refused("history", "other members than an announcement has")
    if payload["version"] != 1:
        raise Refused("history", "another version")
    datetime.fromisoformat(payload["issued_at"])
    return former, payload["company_id"], public_key(payload["jwk"]).thumbprint()


def succession(issuer, kid):
    """Section 9: the former keys that lead to the one that signed, oldest first."""
    history = issuer.get("key_history", [])
    if len(history) > MAX_ANNOUNCEMENTS:
        raise Refused("history", "more than 16 announcements")
    former, last = [], None
    for text in history:
        try:
            gone, company, key = announcement(text)
        except (Refused, ValueError, TypeError) as error:
            raise Refused("history", str(error)) from error
        if company != issuer["company_id"]:
            raise Refused("history", "of another company")
        if last not in (None, gone):
            raise Refused("history", "a step is missing")
        former.append(gone)
        if key in former:
            raise Refused("history", "leads back to a key that went")
        last = key
    if last not in (None, kid):
        raise Refused("history", "leads to another key than the signer's")
    return former


def read(data, schema):
    envelope = strings(parse(inflate(data)), ["payload", "protected", "signature"], "the envelope")
    kid = signer(envelope, TYP, lambda key: jws.deserialize_json(envelope, key, algorithms=["EdDSA"]))
    claims = parse(part(envelope, "payload"))
    for error in Draft202012Validator(schema).iter_errors(claims):
        raise Refused("schema", f"{error.json_path}: {error.message}")
    # What the schema cannot say (section 5).
    moments = [claims.get(name) for name in ("not_before", "expires_at")]
    if all(moments):
        start, end = (datetime.fromisoformat(moment) for moment in moments)
        if start >= end:
            raise Refused("rules", "expires_at is not after not_before")
    schedule = claims["profile"].get("schedule")
    if schedule:
        if schedule["from"] >= schedule["to"]:
            raise Refused("rules", "to is not after from")
        try:
            ZoneInfo(schedule["time_zone"])
        except (KeyError, ValueError) as error:
            raise Refused("rules", str(error)) from error
    former = succession(claims["issuer"], kid)
    return {"claims": claims, "kid": kid, "former": former}


def sign(claims, seed):
    """Section 8."""
    secret = Ed25519PrivateKey.from_private_bytes(seed)
    key = OKPKey.import_key(secret.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    public = key.as_dict(private=False)
    header = {
        "alg": "EdDSA",
        "typ": TYP,
        "kid": key.thumbprint(),
        "jwk": {name: public[name] for name in ("kty", "crv", "x")},
    }
    signed = jws.serialize_json({"protected": header}, claims, key, algorithms=["EdDSA"])
    return gzip.compress(json.dumps(signed).encode(), mtime=0)


def main(command, *arguments):
    # RFC 9864 has a newer name for EdDSA with Ed25519; version 1 keeps the one every library knows.
    warnings.simplefilter("ignore", SecurityWarning)
    if command == "sign":
        claims, seed, out = arguments
        Path(out).write_bytes(sign(Path(claims).read_bytes(), bytes.fromhex(seed)))
        return
    schema = json.loads(Path(arguments[0]).read_text())
    Draft202012Validator.check_schema(schema)
    for file in arguments[1:]:
        try:
            answer = read(Path(file).read_bytes(), schema)
        except Refused as refused:
            answer = {"error": str(refused), "by": refused.by}
        print(json.dumps({"file": Path(file).name, **answer}))


main(*sys.argv[1:])
