"""IMAP4rev2 (RFC 9051), UIDONLY (RFC 9586), UTF8=ACCEPT (RFC 6855), BINARY
(RFC 3516), as raw dialogues."""
import re

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
        assert b'* STATUS "Gr\xc3\xb6\xc3\x9fe" (MESSAGES 0)' in \
            c.ok('STATUS "Größe" (MESSAGES)'.encode())
        c.ok('RENAME "Größe" "Grüße"'.encode())
        c.ok('SUBSCRIBE "Grüße"'.encode())
        assert '"Grüße"'.encode() in b''.join(c.ok('LSUB "" *'))
        c.ok('SELECT INBOX')
        c.ok('COPY 1 "Grüße"'.encode())
        c.ok('SELECT "Grüße"'.encode())
        c.no('SEARCH CHARSET UTF-8 ALL', b'BAD')
        c.no('SORT (DATE) US-ASCII ALL', b'BAD')
        c.no('THREAD REFS US-ASCII ALL', b'BAD')
        c.ok('SORT (DATE) UTF-8 ALL')
        assert c.ok('SEARCH SUBJECT "grün"'.encode()) == [b'* SEARCH']
        c.no(b'CREATE "a\xff"', b'BAD')
        for bad in '\x85', '\u2028', '\u2029', '\x7f':
            c.no(f'CREATE "a{bad}b"'.encode())
    with user() as c:
        assert b'Gr&APwA3w-e' in b''.join(c.ok('LIST "" *'))


GLOBAL = ('From: "Jürgen" <jürgen@exämple.test>\r\nSubject: Grüße\r\n\r\n'
          'Grün\r\n').encode()


def uid_of(done):
    return int(re.search(rb'APPENDUID \d+ (\d+)\]', done)[1])


def test_utf8_append(user):
    with user() as c:
        assert b' UTF8=ACCEPT' in c.ok('CAPABILITY')[0]
        c.no(b'APPEND INBOX {%d+}\r\n' % len(GLOBAL) + GLOBAL, b'NO [CANNOT]')
        c.no(b'APPEND INBOX ~{%d+}\r\n' % len(GLOBAL) + GLOBAL,
             b'NO [CANNOT]')
        c.no(b'APPEND INBOX UTF8 (~{%d+}\r\n' % len(GLOBAL) + GLOBAL + b')',
             b'NO [CANNOT]')
        c.no(b'APPEND INBOX CATENATE (TEXT {%d+}\r\n' % len(GLOBAL) +
             GLOBAL + b')', b'NO [CANNOT]')
        # the text may have what it likes
        text = b'Subject: x\r\n\r\n\xc3\xa4\r\n'
        _, done = c.say(b'APPEND INBOX {%d+}\r\n' % len(text) + text)
        assert done.startswith(b'OK')
    
    with user('UTF8=ACCEPT') as c:
        c.ok('SELECT INBOX')
        forms = [b'INBOX {%d+}\r\n' % len(GLOBAL) + GLOBAL,
                 b'INBOX (\\Seen) UTF8 (~{%d+}\r\n' % len(GLOBAL) + GLOBAL +
                 b')',
                 b'INBOX CATENATE (UTF8 (~{%d+}\r\n' % len(GLOBAL) + GLOBAL +
                 b') TEXT {2+}\r\n..)']
        for form in forms:
            _, done = c.say(b'APPEND ' + form)
            assert done.startswith(b'OK'), (form, done)
            uid = uid_of(done)
            got = c.ok(f'UID FETCH {uid} (BODY.PEEK[] ENVELOPE)')
            assert GLOBAL in got[-1] and '"Grüße"'.encode() in got[-1], got
        nul = GLOBAL + b'\0'
        c.no(b'APPEND INBOX UTF8 (~{%d+}\r\n' % len(nul) + nul + b')',
             b'NO [UNKNOWN-CTE]')
    with user() as c:
        # others read the bytes too, but in literals only
        c.ok('SELECT INBOX')
        line = c.ok(f'UID FETCH {uid} (ENVELOPE)')[0]
        assert b'{7}\r\nGr\xc3\xbc\xc3\x9fe' in line, line


def test_utf8_off():
    with Posta(users={'anna': 'secret'},
               settings={'imap_utf8_accept': 'no'}) as p:
        with RawImap(p.base + 993, 'anna@example.test') as c:
            assert b'UTF8=' not in c.ok('CAPABILITY')[0]
            assert c.ok('ENABLE UTF8=ACCEPT') == [b'* ENABLED']
            _, done = c.say(b'APPEND INBOX {%d+}\r\n' % len(GLOBAL) + GLOBAL)
            assert done.startswith(b'OK')


def test_binary(user):
    with user() as c:
        c.ok('SELECT INBOX')
        assert c.ok('FETCH 1 BINARY.PEEK[1]') == \
            [b'* 1 FETCH (BINARY[1] ~{4}\r\na\0b\n)']
        assert c.ok('FETCH 1 BINARY.SIZE[1]') == \
            [b'* 1 FETCH (BINARY.SIZE[1] 4)']


def test_binary_append(user):
    content = bytes(range(256)) * 50 + b'\r\n--no\n\r'
    mail = (b'Subject: raw\r\nMIME-Version: 1.0\r\nContent-Type: '
            b'multipart/mixed; boundary=b\r\nContent-Transfer-Encoding: '
            b'binary\r\n\r\n--b\r\nContent-Type: '
            b'application/octet-stream\r\nContent-Transfer-Encoding: '
            b'binary\r\n\r\n' + content + b'\r\n--b\r\n\r\nx\r\n--b--\r\n')
    with user() as c:
        c.ok('SELECT INBOX')
        _, done = c.say(b'APPEND INBOX ~{%d+}\r\n' % len(mail) + mail)
        assert done.startswith(b'OK'), done
        uid = uid_of(done)
        got = c.ok(f'UID FETCH {uid} (BINARY.PEEK[1] BINARY.SIZE[1])')[-1]
        assert b'BINARY[1] ~{%d}\r\n' % len(content) + content in got
        assert b'BINARY.SIZE[1] %d' % len(content) in got
        got = c.ok(f'UID FETCH {uid} BODYSTRUCTURE')[-1]
        assert b'"base64"' in got and b'binary' not in got, got
        _, done = c.say(b'REPLACE 1 INBOX ~{%d+}\r\n' % len(mail) + mail)
        assert done.startswith(b'OK'), done
        # NUL that belongs to no binary part would be lost
        bad = b'Subject: x\r\n\r\na\0b\r\n'
        c.no(b'APPEND INBOX ~{%d+}\r\n' % len(bad) + bad, b'NO [UNKNOWN-CTE]')
        c.no(b'APPEND INBOX {%d+}\r\n' % len(bad) + bad, b'BAD')
        c.no(b'APPEND INBOX CATENATE (TEXT ~{%d+}\r\n' % len(mail) + mail +
             b')', b'NO [UNKNOWN-CTE]')
        c.ok('NOOP')


def test_preview(user):
    html = (b'Subject: h\r\nMIME-Version: 1.0\r\nContent-Type: text/html; '
            b'charset=iso-8859-1\r\nContent-Transfer-Encoding: '
            b'quoted-printable\r\n\r\n<html><head><title>no</title></head>'
            b'<p>Gr=FC=DFe &amp; <b>mehr</b></p></html>\r\n')
    none = (b'Subject: i\r\nMIME-Version: 1.0\r\nContent-Type: image/png\r\n'
            b'Content-Transfer-Encoding: base64\r\n\r\nAAAA\r\n')
    long = b'Subject: l\r\n\r\n' + b'word ' * 100 + b'\r\n'
    with user() as c:
        assert b' PREVIEW' in c.ok('CAPABILITY')[0]
        for mail in html, none, long:
            assert c.say(b'APPEND INBOX {%d+}\r\n' % len(mail) + mail
                         )[1].startswith(b'OK')
        c.ok('SELECT INBOX')
        assert c.ok('FETCH 4:6 (PREVIEW (LAZY))') == \
            [b'* %d FETCH (PREVIEW NIL)' % i for i in (4, 5, 6)]
        lines = c.ok('FETCH 4:6 (PREVIEW)')
        assert lines[0] == b'* 4 FETCH (PREVIEW {14}\r\n' + \
            'Grüße & mehr'.encode() + b')'
        assert lines[1] == b'* 5 FETCH (PREVIEW "")'
        assert lines[2] == b'* 6 FETCH (PREVIEW "' + \
            b'word ' * 40 + b'")'
        # now they are kept, in the index
        assert c.ok('FETCH 4:6 (PREVIEW (LAZY))') == lines
        c.no('FETCH 4 (PREVIEW (SOON))', b'BAD')
    with user('UTF8=ACCEPT') as c:
        c.ok('SELECT INBOX')
        assert c.ok('FETCH 4 PREVIEW') == \
            ['* 4 FETCH (PREVIEW "Grüße & mehr")'.encode()]


def test_append_limit(user):
    with user() as c:
        assert b' APPENDLIMIT=104857600 ' in c.ok('CAPABILITY')[0] + b' '
        assert c.ok('STATUS INBOX (APPENDLIMIT)') == \
            [b'* STATUS INBOX (APPENDLIMIT 104857600)']
        assert b'* STATUS INBOX (APPENDLIMIT 104857600)' in \
            c.ok('LIST "" % RETURN (STATUS (APPENDLIMIT))')
        c.no('APPEND INBOX {104857601}', b'NO [TOOBIG]')
    with Posta(users={'anna': 'secret'},
               settings={'imap_append_size_limit': '0'}) as p:
        with RawImap(p.base + 993, 'anna@example.test') as c:
            assert c.ok('CAPABILITY')[0].count(b' APPENDLIMIT ') == 1
            assert c.ok('STATUS INBOX (APPENDLIMIT)') == \
                [b'* STATUS INBOX (APPENDLIMIT NIL)']
