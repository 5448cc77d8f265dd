"""Clients of mailboxes that say exactly what a test wants them to say."""
import base64
import re
import socket
import ssl

PORTS = {'imap': 143, 'imaps': 993, 'pop3': 110, 'pop3s': 995}


def trusting():
    """A TLS context for an instance's own certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def b64(text):
    return base64.b64encode(text.encode()).decode()


def plain(user, password):
    return b64(f'\0{user}\0{password}')


class MailClient:
    """Lines to and from a port of an instance: 'imap', 'imaps', 'pop3',
    'pop3s'. All lines are text without their CRLF."""

    def __init__(self, posta, name, timeout=60, small=False):
        self.name = name
        self.socket = socket.socket()
        if small:  # a window that is full at once
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        self.socket.settimeout(timeout)
        self.socket.connect(('127.0.0.1', posta.base + PORTS[name]))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if name.endswith('s'):
            self.encrypt()
        self.file = self.socket.makefile('rb')
        self.greeting = self.line()

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.close()

    def close(self):
        self.file.close()
        self.socket.close()

    def encrypt(self):
        self.socket = trusting().wrap_socket(self.socket)

    def start_tls(self):
        got = self.say('STLS' if self.name == 'pop3' else 'tls STARTTLS')
        assert re.match(r'(\+|tls )OK', got), got
        self.shake_hands()

    def shake_hands(self):
        self.file.close()
        self.encrypt()
        self.file = self.socket.makefile('rb')

    def send(self, data):
        self.socket.sendall(data.encode() if isinstance(data, str) else data)

    def line(self):
        """The next line; '' at the end."""
        return self.file.readline().decode('latin-1').rstrip('\r\n')

    def say(self, line):
        """A line, and the next line that comes."""
        self.send(line + '\r\n')
        return self.line()

    def ends(self):
        """The connection is closed; what still came."""
        try:
            return self.file.read().decode('latin-1')
        except OSError:
            return ''

    # ---- POP3

    def many(self):
        """The lines up to a dot, unstuffed."""
        got = []
        while (line := self.line()) != '.':
            assert line != '' or not self.file.closed
            got.append(line[1:] if line.startswith('.') else line)
        return got

    def ask(self, line):
        """The lines that follow +OK."""
        got = self.say(line)
        assert got.startswith('+OK'), (line, got)
        return self.many()

    def log_in(self, user, password='secret'):
        """In whichever protocol; the last line."""
        if self.name.startswith('pop3'):
            assert self.say(f'USER {user}').startswith('+OK')
            return self.say(f'PASS {password}')
        return self.tagged(f'LOGIN {user} {password}')

    # ---- IMAP

    def tagged(self, command, tag='t1'):
        """The tagged answer."""
        return self.answers(command, tag)[-1]

    def answers(self, command, tag='t1'):
        """All lines of an answer, the tagged one last."""
        self.send(f'{tag} {command}\r\n')
        got = []
        while not got or not got[-1].startswith(f'{tag} '):
            got.append(self.line())
            assert got[-1] != '', (command, got)
        return got
