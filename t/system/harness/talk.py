"""Dialogues: t/talk/*.talk, written as in an RFC.

    # comment
    set NAME VALUE          a main.cf setting of the server (before the talk)
    mail COUNT              so many messages are in alice's mailbox before it
    to PORT [as NAME]       connect to that service: smtp (default), ...
    as NAME                 from here on that connection, of several
    C: EHLO client.test     what the client sends, with CRLF
    C< raw \\x00 bytes       the same without CRLF, with Python's escapes
    S: 250 2.1.0 Ok         the reply line; `*` stands for any text
    S* 250                  a whole reply of one or more lines with that code,
                            whatever they say
    S> 7 OK                 whatever lines, up to one that begins so
    tls                     from here on in TLS, whoever the server is
    close                   the server has closed the connection

A line that begins with neither is an error.
"""
import fnmatch
import re

from .connection import Connection, connected
from .instance import Posta
from .mail_client import PORTS as MAILBOXES

PORTS = {'smtp': 25, 'submission': 587, 'smtps': 465, **MAILBOXES}


class Failed(Exception):
    pass


class Conversation(Connection):
    def __init__(self, posta, name='smtp'):
        super().__init__(connected(posta.base + PORTS[name]))
        self.seen = []

    def send(self, data):
        self.seen.append(f'C: {data!r}')
        super().send(data)

    def line(self):
        try:
            line = self.readline().decode('utf-8', 'surrogateescape')
        except TimeoutError:
            line = ''
        self.seen.append(f'S: {line!r}')
        return line

    def fail(self, path, number, what):
        raise Failed(f'{path.name}:{number}: {what}\n' + '\n'.join(self.seen))


def _matches(got, want):
    escaped = re.sub(r'([\[\]?])', r'[\1]', want)
    return fnmatch.fnmatchcase(got, escaped)


def _reply(talk, path, number, code):
    while True:
        line = talk.line()
        if not line.startswith(code):
            talk.fail(path, number, f'wanted a {code} reply, got {line!r}')
        if line[len(code):len(code) + 1] != '-':
            return


def _up_to(talk, path, number, last):
    while line := talk.line():
        if line.startswith(last):
            return
    talk.fail(path, number, f'wanted {last!r}, got the end')


def _step(talk, path, number, line):
    kind, rest = line[:2], line[3:]
    if kind == 'C:':
        talk.send(rest.encode() + b'\r\n')
    elif kind == 'C<':
        talk.send(rest.encode().decode('unicode_escape').encode('latin-1'))
    elif kind == 'S:':
        got = talk.line()
        if not got.endswith('\r\n') or not _matches(got[:-2], rest):
            talk.fail(path, number, f'wanted {rest!r}, got {got!r}')
    elif kind == 'S*':
        _reply(talk, path, number, rest.strip())
    elif kind == 'S>':
        _up_to(talk, path, number, rest)
    elif line == 'tls':
        talk.encrypt()
    elif line == 'close':
        if got := talk.line():
            talk.fail(path, number, f'wanted the end, got {got!r}')
    else:
        talk.fail(path, number, f'what is {line!r}?')


def _fill(posta, count):
    for i in range(count):
        posta.send('bob@example.test', 'alice@example.test',
                   'From: Bob <bob@example.test>\r\nTo: alice@example.test\r\n'
                   f'Subject: number {i}\r\n\r\nText {i}\r\n')
        posta.wait_maildir('alice', i + 1)


def _connect(posta, talks, line):
    """"to PORT as NAME", or "as NAME": the name, whose connection is there."""
    words = line.split()
    name = words[-1] if 'as' in words else ''
    if words[0] == 'to':
        talks[name] = Conversation(posta, words[1])
    return name


def _play(posta, path, steps):
    talks, name = {}, ''
    try:
        for number, line in steps:
            if line.startswith('mail '):
                _fill(posta, int(line.split()[1]))
            elif line.startswith(('to ', 'as ')):
                name = _connect(posta, talks, line)
            else:
                if not talks:
                    talks[name] = Conversation(posta)
                _step(talks[name], path, number, line)
    finally:
        for talk in talks.values():
            talk.close()


def run(path):
    settings, steps = {}, []
    for number, line in enumerate(path.read_text().splitlines(), 1):
        if not line.strip() or line.startswith('#'):
            continue
        if line.startswith('set '):
            _, name, value = line.split(None, 2)
            settings[name] = value
        else:
            steps.append((number, line))
    with Posta(settings=settings) as posta:
        _play(posta, path, steps)
