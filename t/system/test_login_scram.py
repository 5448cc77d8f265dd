"""SCRAM on the login stage of IMAP and POP3, bound to its TLS or not."""
import base64
import hashlib
import re

import pytest

from harness import Posta, run
from harness.auth_client import Scram
from harness.mail_client import MailClient, b64

ALICE = 'alice@example.test'
PLUS = ['SCRAM-SHA-1-PLUS', 'SCRAM-SHA-256-PLUS']
DIGESTS = {'SCRAM-SHA-1': 'sha1', 'SCRAM-SHA-256': 'sha256'}


@pytest.fixture(scope='module')
def posta():
    with Posta(start=False, settings={'auth_failure_delay': '0s'}) as p:
        users = p.dir / 'users'
        users.write_text(re.sub(rf'^{ALICE}:[^:]*', f'{ALICE}:{{PLAIN}}secret',
                                users.read_text(), flags=re.M))
        p.start()
        yield p


@pytest.mark.parametrize('mechanism', [*DIGESTS, *PLUS])
def test_gsasl(posta, mechanism):
    """GNU SASL with IMAP, bound by tls-exporter; with that at hand it takes no
    offer of less."""
    def log_in(password):
        done = run('gsasl', '--client', '--imap', '--connect',
                   f'127.0.0.1:{posta.base + 143}', '--starttls',
                   '--x509-ca-file=', '--mechanism', mechanism,
                   '--authentication-id', ALICE, '--authorization-id', '',
                   '--password', password, *(() if mechanism in PLUS
                                             else ('--no-cb',)),
                   input='', check=False)
        return done.stdout + done.stderr
    got = log_in('secret')
    assert ' OK [CAPABILITY IMAP4rev1' in got, got
    assert 'AUTHENTICATIONFAILED' in log_in('wrong')


def words(c):
    if c.name.startswith('imap'):
        return re.findall(r'AUTH=(\S+)', c.answers('CAPABILITY')[0])
    return next(w for w in c.ask('CAPA') if w.startswith('SASL')).split()[1:]


@pytest.mark.parametrize('name', ['imap', 'pop3'])
def test_offered_in_tls_only(posta, name):
    with MailClient(posta, name) as c:
        assert not [w for w in words(c) if w.endswith('-PLUS')]
        assert set(DIGESTS) <= set(words(c))
        got = c.say('AUTH SCRAM-SHA-256-PLUS' if name == 'pop3' else
                    't1 AUTHENTICATE SCRAM-SHA-256-PLUS')
        assert got.startswith(('-ERR', 't1 NO')), got
        c.start_tls()
        assert {*PLUS, *DIGESTS} <= set(words(c))


def exchange(c, mechanism, scram):
    """The last line, and the server's signature."""
    verb = 'AUTH' if c.name.startswith('pop3') else 't1 AUTHENTICATE'
    got = c.say(f'{verb} {mechanism} {b64(scram.first)}')
    if not got.startswith('+ '):
        return got, None
    final = scram.final(base64.b64decode(got[2:]).decode())
    got = c.say(b64(final))
    if not got.startswith('+ '):
        return got, None
    return c.say(''), base64.b64decode(got[2:]).decode()


def end_point(c):
    """RFC 5929 4: the certificate's hash."""
    return hashlib.sha256(c.socket.getpeercert(True)).digest()


@pytest.mark.parametrize('name', ['imaps', 'pop3s'])
@pytest.mark.parametrize('mechanism', PLUS)
def test_bound_to_the_certificate(posta, name, mechanism):
    digest = DIGESTS[mechanism.removesuffix('-PLUS')]
    with MailClient(posta, name) as c:
        binding = 'tls-server-end-point', bytes(32)
        got, _ = exchange(c, mechanism, Scram(ALICE, 'secret', digest, binding))
        assert re.match(r'-ERR \[AUTH\]|t1 NO \[AUTHENTICATIONFAILED\]', got), got
        binding = 'tls-server-end-point', end_point(c)
        scram = Scram(ALICE, 'secret', digest, binding)
        got, verifier = exchange(c, mechanism, scram)
        assert got.startswith(('+OK', 't1 OK')), got
        assert verifier == f'v={scram.verifier}'


def test_a_stripped_offer_is_noticed(posta):
    """A client that could bind and was offered nothing to bind with (y): who
    stands in between has taken the offer out."""
    with MailClient(posta, 'imaps') as c:
        scram = Scram(ALICE, 'secret', 'sha256')
        scram.gs2, scram.bound = 'y,,', b'y,,'
        scram.first = scram.gs2 + scram.bare
        got, _ = exchange(c, 'SCRAM-SHA-256', scram)
        assert got.startswith('t1 NO'), got
