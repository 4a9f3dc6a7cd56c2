"""Credentials for the servers: Basic, a self-signed TLS certificate, tokens that docker-registry accepts."""
import base64
import hashlib
import json
import os
import subprocess
import time


def basic(user, password):
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


def openssl(*words, data=None):
    return subprocess.run(["openssl", *words], input=data, capture_output=True, check=True).stdout


def base64_url(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


class Pair:
    """A P-256 key with a certificate for localhost."""

    def __init__(self, folder, name="bench"):
        self.key, self.certificate = os.path.join(folder, name + ".key"), os.path.join(folder, name + ".crt")
        openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
                "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1",
                "-keyout", self.key, "-out", self.certificate)


def raw_signature(der):
    """An ECDSA signature as JOSE wants it: r and s, 32 bytes each."""
    at, parts = 2, []
    for _ in range(2):
        length = der[at + 1]
        parts.append(int.from_bytes(der[at + 2:at + 2 + length], "big").to_bytes(32, "big"))
        at += 2 + length
    return b"".join(parts)


class Signer(Pair):
    """Mints the tokens of docker-registry's token authentication."""

    def __init__(self, folder):
        super().__init__(folder, "token")
        public = openssl("pkey", "-in", self.key, "-pubout", "-outform", "DER")
        text = base64.b32encode(hashlib.sha256(public).digest()[:30]).decode()
        self.key_id = ":".join(text[i:i + 4] for i in range(0, len(text), 4))

    def token(self, repository, actions):
        now = int(time.time())
        header = {"typ": "JWT", "alg": "ES256", "kid": self.key_id}
        claims = {"iss": "bench", "sub": "bench", "aud": "bench", "exp": now + 3600, "nbf": now - 10, "iat": now,
                  "jti": os.urandom(8).hex(),
                  "access": [{"type": "repository", "name": repository, "actions": list(actions)}]}
        signed = ".".join(base64_url(json.dumps(part).encode()) for part in (header, claims))
        der = openssl("dgst", "-sha256", "-sign", self.key, data=signed.encode())
        return signed + "." + base64_url(raw_signature(der))
