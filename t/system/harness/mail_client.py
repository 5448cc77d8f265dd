"""Clients of mailboxes that say exactly what a test wants them to say."""
import base64
import contextlib
import re
import socket

from .connection import Connection, trusting

__all__ = ['MailClient', 'PORTS', 'b64', 'plain', 'trusting']

PORTS = {'imap': 143, 'imaps': 993, 'pop3': 110, 'pop3s': 995}


def b64(text):
    return base64.b64encode(text.encode()).decode()


def plain(user, password):
    return b64(f'\0{user}\0{password}')


class MailClient(Connection):
    """Lines to and from a port of an instance: 'imap', 'imaps', 'pop3',
    'pop3s'. All lines are text without their CRLF."""

    def __init__(self, posta, name, timeout=120, small=False):
        self.name = name
        mine = socket.socket()
        if small:  # a window that is full at once
            mine.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        mine.settimeout(timeout)
        mine.connect(('127.0.0.1', posta.base + PORTS[name]))
        mine.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        super().__init__(mine)
        if name.endswith('s'):
            self.encrypt()
        self.greeting = self.line()

    def start_tls(self):
        got = self.say('STLS' if self.name == 'pop3' else 'tls STARTTLS')
        assert re.match(r'(\+|tls )OK', got), got
        self.encrypt()

    def line(self):
        """The next line; '' at the end."""
        return self.readline().decode('latin-1').rstrip('\r\n')

    def say(self, line):
        """A line, and the next line that comes."""
        self.send(line + '\r\n')
        return self.line()

    def ends(self):
        """The connection is closed; what still came."""
        got = b''
        with contextlib.suppress(OSError):
            while piece := self.file.read1():
                got += piece
        return got.decode('latin-1')

    # ---- POP3

    def many(self):
        """The lines up to a dot, unstuffed."""
        got = []
        while (line := self.readline()) != b'.\r\n':
            assert line.endswith(b'\r\n'), (got[-3:], line)
            line = line[:-2].decode('latin-1')
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
