"""Log lines of logins and sessions: what clients do is done to Debian's Dovecot
and to Posta, and both say the same. What differs, and why, stands in
`alike`."""
import base64
import contextlib
import re
import socket
import ssl

import pytest

from harness import Dovecot, Posta, wait_until
from harness.fail2ban import banned

USER = 'anna@example.test'
TRASH = 'namespace inbox {\n inbox = yes\n separator = /\n mailbox Trash {\n' \
        ' special_use = \\Trash\n auto = create\n }\n}\n'


class Client:
    """One connection that says what it is told and reads one answer."""

    def __init__(self, port, tls=True, greeted=True):
        self.socket = socket.create_connection(('127.0.0.1', port), 120)
        if tls:
            self.socket = ssl._create_unverified_context().wrap_socket(
                self.socket)
        self.file = self.socket.makefile('rb')
        if greeted:
            self.file.readline()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.file.close()
        self.socket.close()

    def imap(self, *commands):
        for command in commands:
            self.socket.sendall(b'a ' + command.encode() + b'\r\n')
            while not re.match(rb'a |\+|$', self.file.readline()):
                pass

    def pop3(self, *commands, lines=False):
        for command in commands:
            self.socket.sendall(command.encode() + b'\r\n')
            line = self.file.readline()
            while lines and line not in (b'.\r\n', b''):
                line = self.file.readline()


def plain(password):
    return base64.b64encode(f'\0{USER}\0{password}'.encode()).decode()


LOGIN = f'LOGIN {USER} secret'
WRONG = f'LOGIN {USER} wrong'
TEXT = 'From: a@b\r\nSubject: one\r\n\r\ntext\r\n'


def imap(*commands):
    def run(ports):
        with Client(ports['imaps']) as c:
            c.imap(*commands)
    return run


def pop3(*commands):
    def run(ports):
        with Client(ports['pop3s']) as c:
            c.pop3(*commands)
    return run


def work(ports):
    with Client(ports['imaps']) as c:
        c.imap(LOGIN)
        for box in 'INBOX', 'INBOX', 'INBOX', 'Other':
            c.imap(f'CREATE {box}',
                   f'APPEND {box} {{{len(TEXT)}+}}\r\n{TEXT}')
        c.imap('SELECT INBOX', 'FETCH 1:2 BODY.PEEK[]',
               'FETCH 1:* BODY.PEEK[HEADER]', 'FETCH 3 ENVELOPE',
               'COPY 1:2 Trash', 'COPY 1 Other', 'STORE 1 +FLAGS (\\Deleted)',
               'EXPUNGE', 'MOVE 1 Trash', 'LOGOUT')


def too_long(ports):
    """Dovecot hears only the beginning."""
    with Client(ports['imaps']) as c, contextlib.suppress(OSError):
        c.imap('LOGIN ' + 70000 * 'x')


def fetch(ports):
    with Client(ports['pop3s']) as c:
        c.pop3(f'USER {USER}', 'PASS secret')
        c.pop3('RETR 1', 'TOP 1 0', lines=True)
        c.pop3('DELE 1', 'QUIT')


def handshake(data):
    def run(ports):
        for name in 'imaps', 'pop3s':
            with Client(ports[name], tls=False, greeted=False) as c:
                c.socket.sendall(data)
                if data:
                    with contextlib.suppress(ConnectionError):
                        c.file.read()
    return run


def distrust(ports):
    with pytest.raises(ssl.SSLError):
        ssl.create_default_context().wrap_socket(socket.create_connection(
            ('127.0.0.1', ports['imaps'])), server_hostname='localhost')


# What is done, and how many lines it makes.
EVENTS = {
    'login': (imap(LOGIN, 'LOGOUT'), 2),
    'login and away': (imap(LOGIN), 2),
    'authenticate': (imap('AUTHENTICATE PLAIN ' + plain('secret'),
                          'LOGOUT'), 2),
    'work': (work, 2),
    'wrong': (imap(WRONG, 'LOGOUT'), 2),
    'wrong and away': (imap(WRONG, WRONG), 3),
    'unknown': (imap('LOGIN nobody@example.test x', 'LOGOUT'), 2),
    'nothing': (imap(), 1),
    'logout': (imap('LOGOUT'), 1),
    'half a login': (imap('AUTHENTICATE PLAIN'), 1),
    'no mechanism': (imap('AUTHENTICATE FOO', 'LOGOUT'), 1),
    'too long': (too_long, 1),
    'pop3': (pop3(f'USER {USER}', 'PASS secret', 'QUIT'), 2),
    'pop3 and away': (pop3(f'USER {USER}', 'PASS secret'), 2),
    'pop3 work': (fetch, 2),
    'pop3 wrong': (pop3(f'USER {USER}', 'PASS wrong', 'QUIT'), 2),
    'pop3 nothing': (pop3(), 1),
    'pop3 quit': (pop3('QUIT'), 1),
    'pop3 half': (pop3(f'USER {USER}', 'QUIT'), 1),
    'no TLS': (handshake(b'a LOGIN x y\r\n'), 2),
    'TLS and away': (handshake(b''), 2),
    'distrust': (distrust, 1),
}


def alike(lines):
    """Without what differs from run to run, and what we say otherwise."""
    out = []
    for line in lines:
        for pattern, text in (
                (r'^.*?(?=(imap|pop3)(-login: |\()|auth: )', ''),
                (r'(: )Info: ', r'\1'),  # only in a log file of its own
                (r'session=<[^>]*>', 'session=<>'), (r'<\d+><[^>]*>', '<>'),
                (r'mpid=\d+', 'mpid=N'), (r'\d+ secs', 'N secs'),
                # What it was at just then; octets of other words.
                (r'(Connection closed) \(.*?\) in=', r'\1 in='),
                (r' in=\d+ out=\d+ ', ' in=N out=N '),
                # Its login process has just begun.
                ('disconnected before auth was ready, waited',
                 'no auth attempts in'),
                # OpenSSL's text says the number, too.
                (r': SSL alert number \d+', ''),
                # authd's own line has its source elsewhere.
                (r'auth: passwd-file\(([^,]*),([^,]*),<[^>]*>\): (.*)',
                 r'auth: login failed: \3, user=<\1>, source=passwd-file, '
                 r'rip=\2')):
            line = re.sub(pattern, text, line)
        # One line is enough.
        if 'Authenticate FOO failed' not in line:
            out.append(re.sub('user=<>, method=FOO', 'user=<>', line))
    return sorted(out)


def said(log, ports):
    """The lines of each event."""
    def lines():
        return [line for line in log().splitlines()
                if re.search(r'(imap|pop3)-login: |(imap|pop3)\(|auth: ', line)
                and 'secured' not in line]  # who asked whether it listens
    out = {}
    for name, (run, count) in EVENTS.items():
        before = len(lines())
        run(ports)
        wait_until(lambda: len(alike(lines()[before:])) >= count,
                   lambda: f'{name}: {lines()[before:]}')
        out[name] = alike(lines()[before:])
    return out


def test_as_dovecot_says_it():
    with Dovecot(users={USER: 'secret'}, more=TRASH) as peer:
        log = peer.top / 'log/dovecot'
        wanted = said(log.read_text, {
            'imaps': peer.imaps, 'pop3s': peer.pop3s})
        with Posta(users={'anna': 'secret'}, settings={
                'auth_failure_delay': '0s',
                'imap_default_folders': 'Trash=\\Trash'}) as posta:
            got = said(posta.log_text, {
                'imaps': posta.base + 993, 'pop3s': posta.base + 995})
            for name in EVENTS:
                assert got[name] == wanted[name], name
            # Without auth_verbose, which the peer has, and fail2ban would
            # count twice, and those who asked whether it listens.
            quiet = peer.top / 'quiet'
            quiet.write_text(re.sub('(?m)^.*( auth: |, secured, ).*\n', '',
                                    log.read_text()))
            for mode in '', '[mode=aggressive]':
                ours, _ = banned(posta.log, 'dovecot', mode)
                theirs, _ = banned(quiet, 'dovecot', mode)
                assert len(ours) == len(theirs) > 3, (ours, theirs)


def test_passwords_in_the_clear():
    """fail2ban counts who tries to."""
    with Posta(users={'anna': 'secret'}) as posta:
        for port, talk in ((143, lambda c: c.imap(LOGIN)),
                           (110, lambda c: c.pop3(f'USER {USER}'))):
            with Client(posta.base + port, tls=False) as c:
                talk(c)
        posta.wait_log(r'login: Disconnected: Connection closed \(tried to use '
                       r'disallowed plaintext auth\): user=<>, rip=127\.0\.0\.1'
                       r', lip=127\.0\.0\.1, session=<', 2)
        hosts, text = banned(posta.log, 'dovecot')
        assert hosts == ['127.0.0.1'] * 2, text
