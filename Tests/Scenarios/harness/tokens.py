"""An issuer of JSON Web Tokens: keys and signatures by the openssl command and hmac, and a server for its key set."""

import base64
import hashlib
import hmac
import itertools
import json
import subprocess
import time

from .backends import Backend

SECRET = "a-secret-of-thirty-two-bytes-or-more"
count = itertools.count()


def encoded(data):
    if isinstance(data, (dict, list)):
        data = json.dumps(data)
    data = data.encode() if isinstance(data, str) else data
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def claims(**more):
    """Alice's for a minute; a claim of None is left out."""
    now = time.time()
    every = {"sub": "alice", "exp": int(now) + 60, "nonce": next(count), **more}
    return {name: value for name, value in every.items() if value is not None}


def hs256(secret=SECRET, header=None, **more):
    text = f"{encoded({'alg': 'HS256', 'typ': 'JWT', **(header or {})})}.{encoded(claims(**more))}"
    key = secret if isinstance(secret, bytes) else secret.encode()
    return f"{text}.{encoded(hmac.new(key, text.encode(), hashlib.sha256).digest())}"


def run(*command, given=None):
    return subprocess.run(command, input=given, check=True, capture_output=True, timeout=30).stdout


class Key:
    """A key pair of one issuer, RSA or P-256, with the id that tokens name it by."""

    def __init__(self, directory, id, algorithm="ES256"):
        self.id, self.algorithm = id, algorithm
        self.private = directory / f"{id}-{next(count)}.key"
        kind = ("RSA", "-pkeyopt", "rsa_keygen_bits:2048") if algorithm == "RS256" else ("EC", "-pkeyopt", "ec_paramgen_curve:P-256")
        run("openssl", "genpkey", "-algorithm", *kind, "-out", str(self.private))
        self.public = self.private.with_suffix(".pem")
        run("openssl", "pkey", "-in", str(self.private), "-pubout", "-out", str(self.public))

    def token(self, header=None, **more):
        text = f"{encoded({'alg': self.algorithm, 'kid': self.id, **(header or {})})}.{encoded(claims(**more))}"
        signature = run("openssl", "dgst", "-sha256", "-sign", str(self.private), given=text.encode())
        return f"{text}.{encoded(signature if self.algorithm == 'RS256' else plain(signature))}"

    def member(self, **more):
        """The public key as a set has it."""
        der = run("openssl", "pkey", "-in", str(self.private), "-pubout", "-outform", "DER")
        if self.algorithm == "ES256":
            # The point is the end of it: a byte, and two numbers of 32.
            return {"kty": "EC", "crv": "P-256", "kid": self.id, "x": encoded(der[-64:-32]), "y": encoded(der[-32:]), **more}
        modulus = run("openssl", "rsa", "-in", str(self.private), "-noout", "-modulus").decode().strip().partition("=")[2]
        return {"kty": "RSA", "kid": self.id, "use": "sig", "n": encoded(bytes.fromhex(modulus)), "e": "AQAB", **more}


def plain(der):
    """An ECDSA signature as tokens have it (RFC 7518, 3.4), from the DER that openssl writes: two numbers of 32 bytes."""
    at, numbers = 2, []
    for _ in range(2):
        length = der[at + 1]
        numbers.append(int.from_bytes(der[at + 2 : at + 2 + length], "big").to_bytes(32, "big"))
        at += 2 + length
    return b"".join(numbers)


class KeyServer(Backend):
    """Serves a set of keys, which a test may change. `body` takes its place when it is there, and `holding` keeps it back."""

    def __init__(self, *keys, **rest):
        self.keys = list(keys)
        self.status = 200
        self.body = None
        self.holding = False
        super().__init__(**rest)

    def answer(self, connection, request):
        with self.changed:
            self.changed.wait_for(lambda: not self.holding or self.over.is_set())
        body = self.body if self.body is not None else json.dumps({"keys": [key.member() for key in self.keys]}).encode()
        return connection.send(b"HTTP/1.1 %d X\r\ncontent-length: %d\r\n\r\n" % (self.status, len(body)) + body)

    def release(self):
        with self.changed:
            self.holding = False
            self.changed.notify_all()
