"""What all clients that say just what a test wants have in common."""
import socket
import ssl


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

    def closed(self):
        """The server has closed the connection (what it still says is lost)."""
        try:
            while self.file.readline():
                pass
        except (ConnectionResetError, ssl.SSLError):
            pass
        return True
