"""An IMAP client that sends what a test wants, byte for byte, over TLS."""
import re

from .connection import Closed, Connection, connected
from .wait import wait_until

__all__ = ['Closed', 'RawImap', 'home', 'in_spite_of_a_kill', 'names']


def names(lines):
    """{name: attributes} of LIST or LSUB responses."""
    found = {}
    for line in lines:
        m = re.fullmatch(rb'\* (?:LIST|LSUB) \(([^)]*)\) "/" (".*?"|\S+)( .*)?',
                         line)
        if m:
            found[m[2].strip(b'"').decode()] = set(m[1].decode().split())
    return found


class RawImap(Connection):
    """One connection. Responses are bytes without the last CRLF, literals in
    them; `say` gives the untagged ones and the tagged one."""

    def __init__(self, port, user=None, password='secret', timeout=120,
                 clear=False):
        super().__init__(connected(port, timeout))
        if not clear:
            self.encrypt()
        self.number = 0
        self.greeting = self.response()
        if user:
            self.ok(f'LOGIN {user} {password}')

    def response(self):
        """The next one, whatever it is."""
        whole = b''
        while True:
            line = self.readline()
            if not line:
                raise Closed(whole)
            assert line.endswith(b'\r\n'), line
            literal = re.search(rb'\{(\d+)\}\r\n$', line)
            whole += line
            if not literal:
                return whole[:-2]
            whole += self.file.read(int(literal[1]))

    def until(self, tag):
        """Untagged responses up to the tagged one, and that without its tag."""
        untagged, tag = [], tag.encode() + b' '
        while not (line := self.response()).startswith(tag):
            untagged.append(line)
        return untagged, line[len(tag):]

    def begin(self, command):
        """Send a command; its tag."""
        self.number += 1
        tag = f'a{self.number}'
        if isinstance(command, str):
            command = command.encode()
        self.send(tag.encode() + b' ' + command + b'\r\n')
        return tag

    def say(self, command):
        return self.until(self.begin(command))

    def ok(self, command):
        """The untagged responses of a command that must not fail."""
        untagged, done = self.say(command)
        assert done.startswith(b'OK'), (command, untagged, done)
        return untagged

    def no(self, command, text=b''):
        """A command that must fail, with that text; the tagged response."""
        untagged, done = self.say(command)
        assert done.startswith((b'NO', b'BAD')) and text in done, \
            (command, untagged, done)
        return done

    def literals(self, *pieces):
        """A command whose pieces alternate with literals the server asks for:
        'APPEND x ', b'bytes', ' ', b'more'; the untagged responses and the
        tagged one, also where a literal is refused."""
        self.number += 1
        tag = f'a{self.number}'
        text = tag.encode() + b' '
        for i, piece in enumerate(pieces):
            if isinstance(piece, str):
                text += piece.encode()
                continue
            self.send(text + b'{%d}\r\n' % len(piece))
            line = self.response()
            while line.startswith(b'* '):
                line = self.response()
            if not line.startswith(b'+'):
                return [], line[len(tag) + 1:]
            self.send(piece)
            text = b''
        self.send(text + b'\r\n')
        return self.until(tag)


def home(posta, user):
    """The Maildir of a user, made by a first login. Nobody listens to it any
    more: who does may see a later file before an earlier one."""
    with RawImap(posta.base + 993, f'{user}@{posta.domain}') as c:
        c.ok('SELECT INBOX')
        c.ok('UNSELECT')
    return posta.dir / 'mail' / posta.domain / user / 'Maildir'


def in_spite_of_a_kill(log_in):
    """The client that log_in gives, also when the user's process has just been
    killed: until the broker knows, it may still give it a connection."""
    def tried():
        try:
            return log_in()
        except (Closed, OSError):
            return None
    return wait_until(tried, 'a login to another process')
