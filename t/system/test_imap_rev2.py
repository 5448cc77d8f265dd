"""IMAP4rev2 (RFC 9051), UIDONLY (RFC 9586), UTF8=ACCEPT (RFC 6855), BINARY
(RFC 3516), as raw dialogues."""
import pytest

from harness import Posta
from harness.raw_imap import RawImap

MAIL = (b'From: a@x.test\r\nSubject: one\r\nMIME-Version: 1.0\r\n'
        b'Content-Type: text/plain\r\nContent-Transfer-Encoding: base64\r\n'
        b'\r\nYQBiCg==\r\n')


@pytest.fixture(scope='module')
def posta():
    users = {f'u{i}': 'secret' for i in range(10)}
    with Posta(users=users) as p:
        p.fresh = iter(users)
        yield p


@pytest.fixture
def user(posta):
    """How to connect as a user with three messages."""
    name = next(posta.fresh)

    def connect(enable=''):
        c = RawImap(posta.base + 993, f'{name}@example.test')
        if enable:
            assert c.ok(f'ENABLE {enable}')[-1] == \
                b'* ENABLED ' + enable.encode()
        return c
    with connect() as c:
        for _ in range(3):
            _, done = c.literals('APPEND INBOX ', MAIL)
            assert done.startswith(b'OK')
    return connect


def begins(lines, text):
    return [x for x in lines if x.startswith(text)]


def test_rev2(user):
    with user('IMAP4rev2') as c:
        lines = c.ok('SELECT INBOX')
        assert begins(lines, b'* LIST (') and \
            not [x for x in lines if b'RECENT' in x or b'UNSEEN' in x]
        assert c.ok('SEARCH ALL') == \
            [b'* ESEARCH (TAG "a%d") ALL 1:3' % c.number]
        assert c.ok('UID SEARCH SUBJECT none') == \
            [b'* ESEARCH (TAG "a%d") UID' % c.number]
        assert begins(c.ok('FETCH 1 FLAGS'), b'* 1 FETCH (FLAGS ())')
        assert c.ok('SELECT INBOX')[0].startswith(b'* OK [CLOSED]')
    with user() as c:
        c.ok('SELECT INBOX')
        assert c.ok('SEARCH ALL') == [b'* SEARCH 1 2 3']


def test_uidonly(user):
    with user('UIDONLY') as c, user() as d:
        assert not [x for x in c.ok('SELECT INBOX') if b'[UNSEEN' in x]
        d.ok('SELECT INBOX')
        for command in ('FETCH 1 FLAGS', 'STORE 1 FLAGS ()', 'COPY 1 INBOX',
                        'MOVE 1 INBOX', 'SEARCH ALL', 'SORT (DATE) UTF-8 ALL',
                        'THREAD REFS UTF-8 ALL', 'UID SEARCH 1:*'):
            assert c.no(command).startswith(b'BAD [UIDREQUIRED]'), command
        assert c.ok('UID FETCH 2 (FLAGS)') == [b'* 2 UIDFETCH (FLAGS (\\Recent))']
        assert begins(c.ok('UID STORE 2 +FLAGS (\\Seen)'),
                      b'* 2 UIDFETCH (FLAGS (\\Seen')
        assert c.ok('UID SEARCH SEEN') == [b'* SEARCH 2']
        d.ok('STORE 1 +FLAGS.SILENT (\\Deleted)')
        d.ok('EXPUNGE')
        lines = c.ok('UID FETCH 3 (FLAGS)')
        assert b'* VANISHED 1' in lines, lines
        c.ok('ENABLE QRESYNC')
        c.no('SELECT INBOX (QRESYNC (1 1 1:3 (1 1)))', b'UIDREQUIRED')


def test_utf8(user):
    with user('UTF8=ACCEPT') as c:
        c.ok('CREATE "Größe"'.encode())
        assert '"Größe"'.encode() in b''.join(c.ok('LIST "" *'))
        c.ok('SELECT "Größe"'.encode())
        c.no('SEARCH CHARSET UTF-8 ALL', b'BAD')
        assert c.ok('SEARCH SUBJECT "grün"'.encode()) == [b'* SEARCH']
    with user() as c:
        assert b'Gr&APYA3w-e' in b''.join(c.ok('LIST "" *'))


def test_binary(user):
    with user() as c:
        c.ok('SELECT INBOX')
        assert c.ok('FETCH 1 BINARY.PEEK[1]') == \
            [b'* 1 FETCH (BINARY[1] ~{4}\r\na\0b\n)']
        assert c.ok('FETCH 1 BINARY.SIZE[1]') == \
            [b'* 1 FETCH (BINARY.SIZE[1] 4)']
        mail = (b'Subject: raw\r\nMIME-Version: 1.0\r\nContent-Type: '
                b'application/octet-stream\r\nContent-Transfer-Encoding: '
                b'binary\r\n\r\na\0b')
        # a Maildir has lines: what is not encoded cannot be kept as it is
        c.no(b'APPEND INBOX ~{%d+}\r\n' % len(mail) + mail,
             b'NO [UNKNOWN-CTE]')
