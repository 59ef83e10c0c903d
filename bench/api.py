"""HTTP and JSON over a daemon's Unix socket.

SPDX-License-Identifier: MIT

One connection, for one thread at a time; it is opened anew when the daemon has closed it. docs/protocol.md says what
may be asked.
"""
import hashlib
import http.client
import json
import socket


class Refusal(Exception):
    """The daemon answered with an error; status is HTTP's."""

    def __init__(self, status, detail):
        super().__init__("%d: %s" % (status, detail))
        self.status = status


class UnixConnection(http.client.HTTPConnection):
    def __init__(self, path):
        super().__init__("pared", timeout=120)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.path)


class Api:
    def __init__(self, path):
        self.connection = UnixConnection(path)

    def send(self, method, target, body=None):
        """Status and body. A connection that idled may be closed already: then once more on a new one."""
        kind = {} if isinstance(body, bytes) else {"Content-Type": "application/json"}
        for attempt in (1, 2):
            try:
                self.connection.request(method, target, body, kind)
                answer = self.connection.getresponse()
                return answer.status, answer.read()
            except (http.client.RemoteDisconnected, BrokenPipeError, ConnectionResetError):
                self.connection.close()
                if attempt == 2:
                    raise

    def ask(self, method, target, document=None):
        """The answer's document; None where there is none."""
        status, body = self.send(method, target, None if document is None else json.dumps(document))
        answer = json.loads(body) if body else None
        if status >= 400:
            raise Refusal(status, (answer or {}).get("detail", "no detail"))
        return answer

    def get(self, target):
        return self.ask("GET", target)

    def post(self, target, document=None):
        return self.ask("POST", target, {} if document is None else document)

    def upload(self, path):
        """What a job document says in the place of the file's name."""
        with open(path, "rb") as f:
            return "sha256:" + self.store(f.read())

    def store(self, content):
        """The digest of bytes that the daemon has from now on."""
        digest = hashlib.sha256(content).hexdigest()
        if self.send("HEAD", "/v1/blobs/" + digest)[0] != 200:
            status, body = self.send("PUT", "/v1/blobs/" + digest, content)
            if status >= 400:
                raise Refusal(status, body.decode())
        return digest
