"""A plain HTTP client that shows exactly what was answered, and raw sockets for what no client would send."""
import base64
import http.client
import json
import socket
import ssl
import urllib.parse


class Reply:
    def __init__(self, response, body):
        self.status, self.headers, self.body = response.status, response.headers, body

    def json(self):
        return json.loads(self.body)

    def code(self):
        """The code of an OCI error."""
        return self.json()["errors"][0]["code"]

    def __repr__(self):
        return f"{self.status} {dict(self.headers)} {self.body[:500]!r}"


class Web:
    def __init__(self, url, user=None, password=None, token=None, ca=None, certificate=None):
        self.parts = urllib.parse.urlsplit(url)
        self.ca, self.certificate = ca, certificate  # our own: (file, key file)
        self.authorization = None
        if token:
            self.authorization = f"Bearer {token}"
        elif user:
            self.authorization = "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()

    def connection(self, timeout=300):
        if self.parts.scheme == "https":
            context = ssl.create_default_context(cafile=self.ca)
            if self.certificate:
                context.load_cert_chain(*self.certificate)
            return http.client.HTTPSConnection(self.parts.hostname, self.parts.port, timeout=timeout,
                                               context=context)
        return http.client.HTTPConnection(self.parts.hostname, self.parts.port, timeout=timeout)

    def request(self, method, target, body=None, headers=None):
        """`target` is a path, or the absolute URL of a Location header."""
        if "://" in target:
            parts = urllib.parse.urlsplit(target)
            target = parts.path + ("?" + parts.query if parts.query else "")
        fields = dict(headers or {})
        if self.authorization and "Authorization" not in fields:
            fields["Authorization"] = self.authorization
        connection = self.connection()
        try:
            chunked = body is not None and not isinstance(body, (bytes, bytearray))
            connection.request(method, target, body, fields, encode_chunked=chunked)
            response = connection.getresponse()
            return Reply(response, response.read())
        finally:
            connection.close()

    def get(self, target, headers=None):
        return self.request("GET", target, None, headers)

    def head(self, target, headers=None):
        return self.request("HEAD", target, None, headers)

    def post(self, target, body=b"", headers=None):
        return self.request("POST", target, body, headers)

    def put(self, target, body=b"", headers=None):
        return self.request("PUT", target, body, headers)

    def patch(self, target, body=b"", headers=None):
        return self.request("PATCH", target, body, headers)

    def delete(self, target, headers=None):
        return self.request("DELETE", target, None, headers)

    def raw(self):
        return socket.create_connection((self.parts.hostname, self.parts.port), timeout=300)
