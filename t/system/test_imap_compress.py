"""COMPRESS=DEFLATE (RFC 4978), with Python's zlib on the other side."""
import os
import zlib

import pytest

from harness import Posta
from harness.raw_imap import RawImap


class Inflated:
    """The reading side, as a file."""

    def __init__(self, sock):
        self.socket, self.z, self.data = sock, zlib.decompressobj(-15), b''
        self.wire = 0

    def more(self):
        raw = self.socket.recv(65536)
        self.wire += len(raw)
        self.data += self.z.decompress(raw)
        return raw

    def readline(self):
        while b'\n' not in self.data and self.more():
            pass
        line, end, self.data = self.data.partition(b'\n')
        return line + end

    def read(self, count):
        while len(self.data) < count and self.more():
            pass
        out, self.data = self.data[:count], self.data[count:]
        return out

    def close(self):
        pass


class Compressed(RawImap):
    def compress(self):
        self.ok('COMPRESS DEFLATE')
        self.z = zlib.compressobj(9, zlib.DEFLATED, -15)
        self.file = Inflated(self.socket)
        plain = RawImap.send

        def send(data):
            data = data.encode() if isinstance(data, str) else data
            plain(self, self.z.compress(data) +
                  self.z.flush(zlib.Z_SYNC_FLUSH))
        self.send = send


@pytest.fixture(scope='module')
def posta():
    with Posta(users={'alice': 'secret', 'bob': 'secret'}) as p:
        yield p


@pytest.fixture
def client(posta):
    with Compressed(posta.base + 993, 'alice@example.test') as c:
        yield c


def test_dialogue(client):
    assert b'COMPRESS=DEFLATE' in client.ok('CAPABILITY')[0]
    client.no('COMPRESS GZIP')
    client.compress()
    client.ok('SELECT INBOX')
    client.no('COMPRESS DEFLATE', b'[COMPRESSIONACTIVE]')
    text = b'Subject: big\r\n\r\n' + b'words again and again\r\n' * 100000
    _, done = client.literals('APPEND INBOX ', text)
    assert done.startswith(b'OK'), done
    noise = b'Subject: noise\r\n\r\n' + os.urandom(300000).hex().encode()
    _, done = client.literals('APPEND INBOX ', noise)
    assert done.startswith(b'OK'), done
    before = client.file.wire
    got = client.ok('FETCH 1 BODY.PEEK[]')
    assert text in b''.join(got)
    assert client.file.wire - before < len(text) / 20
    assert noise in b''.join(client.ok('FETCH 2 BODY.PEEK[]'))
    for _ in range(100):
        client.ok('NOOP')


def test_broken(posta):
    """Nonsense ends that connection and nothing else."""
    with RawImap(posta.base + 993, 'bob@example.test') as other, \
            Compressed(posta.base + 993, 'bob@example.test') as c:
        other.ok('SELECT INBOX')
        c.compress()
        RawImap.send(c, b'\xff' * 1000)
        assert c.readline() == b''
        # a bomb: a line of a gigabyte that is a megabyte on the wire
        with Compressed(posta.base + 993, 'bob@example.test') as d:
            d.compress()
            z = zlib.compressobj(9, zlib.DEFLATED, -15)
            try:
                for _ in range(100):
                    RawImap.send(d, z.compress(b'x' * 10_000_000))
            except OSError:
                pass
        other.ok('NOOP')
