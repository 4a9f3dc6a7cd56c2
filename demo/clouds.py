"""Signed requests of both clouds with nothing but Python's standard library.

Alibaba Cloud: RPC style, signature V3 (ACS3-HMAC-SHA256). Huawei Cloud: SDK-HMAC-SHA256. The official SDKs send the
same; they are not needed to try the server.
"""
import datetime
import hashlib
import hmac
import json
import secrets
import urllib.error
import urllib.parse
import urllib.request


class Refused(Exception):
    def __init__(self, status, body):
        super().__init__(f"{status} {body[:1000].decode(errors='replace')}")
        self.status, self.body = status, body


def rfc3986(text):
    return urllib.parse.quote(str(text), safe="~")


def sha256(data):
    return hashlib.sha256(data).hexdigest()


def signature(secret, text):
    return hmac.new(secret.encode(), text.encode(), hashlib.sha256).hexdigest()


def canonical_query(params):
    return "&".join(f"{rfc3986(k)}={rfc3986(v)}" for k, v in sorted(params.items()))


def send(method, url, headers, body):
    request = urllib.request.Request(url, data=body, headers=headers, method=method)
    try:
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=120) as reply:
            return json.loads(reply.read() or b"null")
    except urllib.error.HTTPError as fault:
        raise Refused(fault.code, fault.read()) from None


def flatten(params):
    """{"Tag": ["a", "b"]} -> {"Tag.1": "a", "Tag.2": "b"}; nested objects continue the dotted path."""
    flat = {}
    for name, value in params.items():
        if isinstance(value, dict):
            flat.update({f"{name}.{k}": v for k, v in flatten(value).items()})
        elif isinstance(value, (list, tuple)):
            flat.update(flatten({f"{name}.{i}": item for i, item in enumerate(value, 1)}))
        elif value is not None:
            flat[name] = str(value).lower() if isinstance(value, bool) else str(value)
    return flat


class Alibaba:
    CR, SAS = "2018-12-01", "2018-12-03"

    def __init__(self, url, key, secret):
        self.url, self.key, self.secret = url, key, secret
        self.host = urllib.parse.urlsplit(url).netloc

    def call(self, version, action, **params):
        query = canonical_query(flatten(params))
        headers = {"host": self.host, "x-acs-action": action, "x-acs-version": version,
                   "x-acs-date": datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ"),
                   "x-acs-signature-nonce": secrets.token_hex(16), "x-acs-content-sha256": sha256(b"")}
        signed = ";".join(sorted(headers))
        block = "".join(f"{name}:{headers[name]}\n" for name in sorted(headers))
        request = f"POST\n/\n{query}\n{block}\n{signed}\n{sha256(b'')}"
        proof = signature(self.secret, f"ACS3-HMAC-SHA256\n{sha256(request.encode())}")
        headers["Authorization"] = f"ACS3-HMAC-SHA256 Credential={self.key},SignedHeaders={signed},Signature={proof}"
        headers["Accept"] = "application/json"
        return send("POST", f"{self.url}/" + (f"?{query}" if query else ""), headers, b"")

    def cr(self, action, **params):
        """Container Registry; a business failure is told with 200 and IsSuccess false."""
        answer = self.call(self.CR, action, **params)
        if answer.get("IsSuccess") is False:
            raise Refused(200, json.dumps(answer).encode())
        return answer

    def sas(self, action, **params):
        return self.call(self.SAS, action, **params)


class Huawei:
    def __init__(self, url, key, secret, project=""):
        self.url, self.key, self.secret, self.project = url, key, secret, project
        self.host = urllib.parse.urlsplit(url).netloc

    def call(self, method, path, query=None, body=None, **headers):
        """`path` is as it goes over the wire; {project} stands for the project id."""
        path = path.replace("{project}", self.project)
        params = canonical_query(flatten(query or {}))
        data = b"" if body is None else json.dumps(body).encode()
        fields = {"host": self.host, "content-type": "application/json",
                  "x-sdk-date": datetime.datetime.now(datetime.timezone.utc).strftime("%Y%m%dT%H%M%SZ")}
        if self.project:
            fields["x-project-id"] = self.project
        fields.update({name.replace("_", "-"): value for name, value in headers.items()})
        signed = ";".join(sorted(fields))
        block = "".join(f"{name}:{fields[name]}\n" for name in sorted(fields))
        uri = "/".join(rfc3986(urllib.parse.unquote(part)) for part in path.split("/")).rstrip("/") + "/"
        request = f"{method}\n{uri}\n{params}\n{block}\n{signed}\n{sha256(data)}"
        proof = signature(self.secret, f"SDK-HMAC-SHA256\n{fields['x-sdk-date']}\n{sha256(request.encode())}")
        fields["Authorization"] = f"SDK-HMAC-SHA256 Access={self.key}, SignedHeaders={signed}, Signature={proof}"
        return send(method, self.url + path + (f"?{params}" if params else ""), fields, data or None)
