"""What all clients that say just what a test wants have in common."""
import contextlib
import select
import socket
import ssl


WAIT = (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError)
ENDS = (ConnectionError, ssl.SSLEOFError)


class Closed(Exception):
    """The server has ended the connection."""


def trusting():
    """A TLS context that asks nobody whose certificate it is."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def connected(port, timeout=120, host='127.0.0.1', source=None):
    """A socket; `source`: the address that it comes from."""
    bind = (source, 0) if source else None
    out = socket.create_connection((host, port), timeout, bind)
    out.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return out


def connected_to(path, timeout=120):
    """A socket to one of the file system."""
    out = socket.socket(socket.AF_UNIX)
    out.settimeout(timeout)
    out.connect(str(path))
    return out


class Connection:
    """A socket and a file that reads from it; `with` closes both."""

    def __init__(self, connected_socket):
        self.socket = connected_socket
        self.file = self.socket.makefile('rb')

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.close()

    def close(self):
        self.file.close()
        self.socket.close()

    def encrypt(self, context=None):
        """TLS from here on; what came before and was not read is dropped."""
        self.file.close()
        self.socket = (context or trusting()).wrap_socket(self.socket)
        self.file = self.socket.makefile('rb')

    def send(self, data):
        self.socket.sendall(data.encode() if isinstance(data, str) else data)

    def push(self, data):
        """Send as much as there is room for on the way to the server; the
        bytes that had none."""
        before = self.socket.gettimeout()
        self.socket.setblocking(False)
        try:
            while data:
                data = data[self.socket.send(data[:65536]):]
        except WAIT:
            pass
        self.socket.settimeout(before)
        return data

    def exchange(self, data):
        """The lines that come while data is sent and after it, to the end of
        the connection. One thread does both: what Python has of OpenSSL cannot
        be used by two at a time."""
        data, line = memoryview(data), b''
        timeout = self.socket.gettimeout()
        while True:
            data = self.push(data)
            ready = select.select([self.socket], [self.socket] if data else [],
                                  [], timeout)
            assert any(ready), 'the server does nothing'
            for got in self._there():
                *lines, line = (line + got).split(b'\n')
                yield from lines
                if not got:
                    return

    def _there(self):
        """What can be read now; at the end, an empty piece."""
        timeout = self.socket.gettimeout()
        pieces = []
        self.socket.setblocking(False)
        try:
            while not pieces or pieces[-1]:
                pieces.append(self.socket.recv(65536))
        except WAIT:
            pass
        self.socket.settimeout(timeout)
        return pieces

    def readline(self):
        """The next line, with its end; b'' where the connection ends, with a
        reset too: that comes to who sends something to a server that leaves."""
        try:
            return self.file.readline()
        except ENDS:
            return b''

    def closed(self):
        """The server has closed the connection (what it still says is lost)."""
        with contextlib.suppress(ssl.SSLError):
            while self.readline():
                pass
        return True
