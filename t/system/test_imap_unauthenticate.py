"""UNAUTHENTICATE (RFC 8437): from one user's process back to the login stage,
and on to the next user's, in one TLS connection."""
import base64
import re
import zlib

import pytest

from harness import Posta, wait_until
from harness.auth_client import Scram
from harness.mail_client import MailClient, b64, plain
from harness.raw_imap import RawImap

USERS = ['anna', 'bert', 'carl']


def address(user):
    return f'{user}@example.test'


@pytest.fixture(scope='module')
def posta():
    with Posta(users={u: 'secret' for u in USERS}, start=False,
               settings={'auth_failure_delay': '0s'}) as p:
        users = p.dir / 'users'
        users.write_text(re.sub(r'^(anna@[^:]*):[^:]*', r'\1:{PLAIN}secret',
                                users.read_text(), flags=re.M))
        p.start()
        for user in USERS:
            with RawImap(p.base + 993, address(user)) as c:
                mail = f'Subject: {user}\r\n\r\n{user}\r\n'.encode()
                assert c.literals('APPEND INBOX ', mail)[1].startswith(b'OK')
        yield p


def subject(c):
    return c.ok('FETCH 1 BODY.PEEK[HEADER.FIELDS (SUBJECT)]')[0]


def test_one_user_after_the_other(posta):
    with RawImap(posta.base + 993) as c:
        for user in USERS * 3:
            c.ok(f'LOGIN {address(user)} secret')
            assert b' UNAUTHENTICATE' in c.ok('CAPABILITY')[0]
            c.ok('ENABLE QRESYNC UTF8=ACCEPT')
            c.ok('SELECT INBOX')
            assert user.encode() in subject(c)
            c.ok('SEARCH RETURN (SAVE) ALL')
            c.ok('STORE 1 +FLAGS.SILENT (\\Deleted)')
            assert c.ok('UNAUTHENTICATE') == []
            # as after the greeting
            words = c.ok('CAPABILITY')[0]
            assert b' AUTH=PLAIN' in words and b'STARTTLS' not in words
            assert b'UNAUTHENTICATE' not in words
            c.ok('NOOP')
            c.ok('ID NIL')
            c.no('SELECT INBOX', b'Log in first')
            c.no('UNAUTHENTICATE', b'BAD')
            c.no(f'LOGIN {address(user)} wrong', b'[AUTHENTICATIONFAILED]')
        # nothing that was enabled is left, and nothing was expunged
        c.ok(f'LOGIN {address("anna")} secret')
        assert not [x for x in c.ok('SELECT INBOX') if b'MODSEQ' in x and
                    b'VANISHED' in x]
        assert c.ok('FETCH 1 FLAGS') == [b'* 1 FETCH (FLAGS (\\Deleted))']
        assert c.ok('FETCH $ FLAGS') == []
        c.no('UID FETCH 1:* FLAGS (CHANGEDSINCE 1 VANISHED)', b'QRESYNC')
    wait_until(lambda: posta.posta('who').stdout.count('example.test') == 0,
               'all sessions are over')
    posta.wait_log('imap-login: Login: user=<carl@example.test>')


def test_pipelined(posta):
    """RFC 8437 3: in one round trip, and behind much that is not yet read."""
    big = b'Subject: big\r\n\r\n' + b'0123456789abcdef\r\n' * 200000
    with RawImap(posta.base + 993, address('anna')) as c:
        assert c.literals('APPEND INBOX ', big)[1].startswith(b'OK')
        c.ok('SELECT INBOX')
        c.send('a FETCH * BODY.PEEK[]\r\nb UNAUTHENTICATE\r\n'
               f'c AUTHENTICATE PLAIN {plain(address("bert"), "secret")}\r\n'
               'd SELECT INBOX\r\n')
        untagged, done = c.until('a')
        assert big in untagged[0] and done.startswith(b'OK')
        assert c.until('b')[1].startswith(b'OK')
        assert c.until('c')[1].startswith(b'OK [CAPABILITY')
        assert c.until('d')[1].startswith(b'OK')
        assert b'bert' in subject(c)
        c.ok('LOGOUT')
        assert c.closed()


@pytest.mark.parametrize('count', [3000, 9000, 100000])
def test_far_ahead(posta, count):
    """However much stands behind it, or behind a login: all is answered, and
    nobody beside it is cut off."""
    login = f'l LOGIN {address("bert")} secret\r\n'
    port = posta.base + 993
    for _ in range(4):
        with RawImap(port, address('anna')) as c, \
                RawImap(port, address('carl')) as beside:
            lines = list(c.exchange((
                'b UNAUTHENTICATE\r\n' + login + 'n NOOP\r\n' * count +
                'u UNAUTHENTICATE\r\n' + 'n NOOP\r\n' * count + login +
                'o LOGOUT\r\n').encode()))
            beside.ok('NOOP')
        tags = ''.join(line[:1].decode() for line in lines)
        assert tags == 'bl' + 'n' * count + 'u' + 'n' * count + 'l*o'


def test_starttls(posta):
    with MailClient(posta, 'imap') as c:
        c.start_tls()
        for user in USERS:
            assert c.log_in(address(user)).startswith('t1 OK')
            assert c.tagged('UNAUTHENTICATE').startswith('t1 OK')
        assert c.tagged('LOGOUT').startswith('t1 OK')


def test_compressed(posta):
    """The compression ends behind the OK (4.1)."""
    with RawImap(posta.base + 993) as c:
        for user in USERS:
            c.ok(f'LOGIN {address(user)} secret')
            c.ok('COMPRESS DEFLATE')
            deflate = zlib.compressobj(wbits=-15)
            inflate = zlib.decompressobj(wbits=-15)
            c.socket.sendall(deflate.compress(b'u UNAUTHENTICATE\r\n') +
                             deflate.flush(zlib.Z_FINISH if user == 'bert'
                                           else zlib.Z_SYNC_FLUSH))
            got = b''
            while not got.endswith(b'\r\n'):
                got += inflate.decompress(c.file.read1())
            assert got.startswith(b'u OK'), got
            c.ok('NOOP')


def test_not_in_the_clear(posta):
    """The login stage has given that connection away."""
    with MailClient(posta, 'imap') as c:
        scram = Scram(address('anna'), 'secret')
        got = c.say(f't1 AUTHENTICATE SCRAM-SHA-256 {b64(scram.first)}')
        assert got.startswith('+ '), got
        got = c.say(b64(scram.final(base64.b64decode(got[2:]).decode())))
        assert got.startswith('+ '), got
        assert c.say('').startswith('t1 OK')
        assert 'UNAUTHENTICATE' not in c.answers('CAPABILITY')[0]
        assert c.tagged('UNAUTHENTICATE').startswith('t1 BAD')


def test_ends(posta):
    """A client that goes away on the way, and one that is kicked."""
    for _ in range(20):
        with RawImap(posta.base + 993, address('anna')) as c:
            c.send('b UNAUTHENTICATE\r\n')
    with RawImap(posta.base + 993, address('anna')) as c:
        c.ok('UNAUTHENTICATE')
        posta.posta('kick', address('anna'), check=False)
        c.ok(f'LOGIN {address("bert")} secret')
        posta.posta('kick', address('bert'))
        assert c.response().startswith(b'* BYE')
        assert c.closed()
    wait_until(lambda: posta.posta('who').stdout.count('example.test') == 0,
               'all sessions are over')
