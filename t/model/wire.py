"""One connection, byte for byte, with a transcript; and responses as lists."""
import collections
import re
import select
import time
import zlib

from harness.connection import Closed, connected, trusting


class Differs(AssertionError):
    """What came back is not what the model says."""


class Transcript:
    """The last lines of a user's connections, in order."""

    def __init__(self, size=20000):
        self.began = time.monotonic()
        self.lines = collections.deque(maxlen=size)
        self.commands = self.count = 0

    def mark(self):
        return self.count

    def forget(self, mark):
        """What came since is of no interest."""
        while self.lines and self.count > mark:
            self.lines.pop()
            self.count -= 1

    def note(self, who, mark, data):
        text = data if isinstance(data, str) else data.decode('latin-1')
        if len(text) > 600:
            text = f'{text[:560]} ... {len(text)} bytes'
        self.count += 1
        self.lines.append(f'{time.monotonic() - self.began:10.4f} {who:>4} '
                          f'{mark} {text!r}')


class Wire:
    """Over TLS. Ends of connections of any kind are Closed."""

    def __init__(self, port, name, transcript):
        self.name, self.transcript = name, transcript
        self.data = b''
        self.number = 0
        self.inflate = self.deflate = None
        try:
            self.socket = trusting().wrap_socket(connected(port))
        except OSError as e:
            raise Closed(str(e)) from e

    def close(self):
        self.socket.close()

    def compress(self):
        """From here on (RFC 4978)."""
        self.inflate = zlib.decompressobj(-15)
        self.deflate = zlib.compressobj(6, zlib.DEFLATED, -15)

    def send(self, data):
        self.transcript.note(self.name, '>', data)
        if self.deflate:
            data = self.deflate.compress(data) + \
                self.deflate.flush(zlib.Z_SYNC_FLUSH)
        try:
            self.socket.sendall(data)
        except OSError as e:
            raise Closed(str(e)) from e

    def _more(self, seconds):
        """Read what there is; False when nothing came in time."""
        if not self.socket.pending() and \
                not select.select([self.socket], [], [], seconds)[0]:
            return False
        try:
            raw = self.socket.recv(65536)
        except OSError as e:
            raise Closed(str(e)) from e
        if not raw:
            raise Closed(self.data)
        self.data += self.inflate.decompress(raw) if self.inflate else raw
        return True

    def _whole(self):
        """How long the first response is, or 0: it has not come whole."""
        at = 0
        while (end := self.data.find(b'\r\n', at)) >= 0:
            literal = re.search(rb'\{(\d+)\}$', self.data[at:end])
            if not literal:
                return end + 2
            at = end + 2 + int(literal[1])
        return 0

    def response(self, seconds=120):
        """The next one without its CRLF; None when none came in time."""
        end = time.monotonic() + seconds
        while not (size := self._whole()):
            left = end - time.monotonic()
            if not self._more(max(left, 0)) and left <= 0:
                return None
        whole, self.data = self.data[:size - 2], self.data[size:]
        self.transcript.note(self.name, '<', whole)
        return whole

    def next_tag(self):
        self.number += 1
        return f'{self.name}.{self.number}'


# ---- responses

_SPECIAL = b' ()"{'


def parse(text):
    """A response as a list: atoms and strings are bytes, NIL is None, lists are
    lists. Text behind a response code is not for this."""
    out, at = _items(text, 0, False)
    if at != len(text):
        raise Differs(f'this is no response: {text!r}')
    return out


def _items(text, at, inside):
    out = []
    while at < len(text):
        c = text[at:at + 1]
        if c == b' ':
            at += 1
        elif c == b')' and inside:
            return out, at + 1
        elif c == b'(':
            item, at = _items(text, at + 1, True)
            out.append(item)
        else:
            item, at = _item(text, at)
            out.append(item)
    if inside:
        raise Differs(f'a list has no end: {text!r}')
    return out, at


def _item(text, at):
    literal = re.compile(rb'~?\{(\d+)\}\r\n').match(text, at)
    if literal:
        end = literal.end() + int(literal[1])
        return text[literal.end():end], end
    if text[at:at + 1] == b'"':
        string = re.compile(rb'"((?:[^"\\]|\\.)*)"').match(text, at)
        if not string:
            raise Differs(f'a string has no end: {text!r}')
        return re.sub(rb'\\(.)', rb'\1', string[1]), string.end()
    end = at
    while end < len(text) and text[end:end + 1] not in (b' ', b'(', b')'):
        if text[end:end + 1] == b'[':  # BODY[HEADER.FIELDS (X)]
            end = text.index(b']', end)
        end += 1
    atom = text[at:end]
    if not atom:
        raise Differs(f'what is at {at} of {text!r}?')
    return None if atom == b'NIL' else atom, end


def numbers(text):
    """A set "1:3,7" as a list."""
    out = []
    for part in text.decode().split(',') if text else []:
        first, _, last = part.partition(':')
        out += range(int(first), int(last or first) + 1)
    return out


def as_set(values):
    """The shortest text of a set of numbers."""
    values = sorted(set(values))
    parts, at = [], 0
    while at < len(values):
        end = at
        while end + 1 < len(values) and values[end + 1] == values[end] + 1:
            end += 1
        parts.append(str(values[at]) if at == end
                     else f'{values[at]}:{values[end]}')
        at = end + 1
    return ','.join(parts)
