"""Ports 587 and 465 as `posta init` leaves them: real clients, every mechanism,
every TLS mode, and what is refused there."""
import re
import socket
from concurrent.futures import ThreadPoolExecutor

import pytest

from harness import Authority, Posta, run, wait_until
from harness.auth_server import b64
from harness.process import memory
from harness.raw_smtp import RawSmtp

PASSWORD = 'corRect-h0rse'
LOGIN = 'alice@example.test'
MECHANISMS = ['PLAIN', 'LOGIN', 'CRAM-MD5', 'SCRAM-SHA-1', 'SCRAM-SHA-256',
              'SCRAM-SHA-1-PLUS', 'SCRAM-SHA-256-PLUS']


def check_log(posta):
    text = posta.log_text()
    for secret in (PASSWORD, b64(PASSWORD), b64(f'\0{LOGIN}\0{PASSWORD}')):
        assert secret not in text
        assert secret[:12] not in text


@pytest.fixture(scope='module')
def posta():
    """With a password in the clear, which CRAM-MD5 needs."""
    with Posta(users={'alice': PASSWORD, 'bob': 'x'}, start=False, settings={
            'smtpd_error_sleep_time': '0s', 'default_transport': 'discard',
            'smtpd_client_connection_count_limit': '0',
            'local_header_rewrite_clients': '', 'auth_failure_delay': '0s', 'smtpd_tls_loglevel': '1',
            'auth_mechanisms': ' '.join(MECHANISMS)}) as posta:
        users = posta.dir / 'users'
        text = users.read_text()
        users.write_text(re.sub(rf'^{LOGIN}:[^:]*', f'{LOGIN}:{{PLAIN}}'
                                f'{PASSWORD}', text, flags=re.M))
        posta.start()
        yield posta
        check_log(posta)


def submission(posta, port=587, hello='EHLO [127.0.0.1]'):
    """Encrypted, and greeted."""
    c = RawSmtp(posta.base + port, tls=port == 465)
    if port == 587:
        c.say(hello)
        assert c.say('STARTTLS') == '220 2.0.0 Ready to start TLS'
        c.encrypt()
    c.say(hello)
    return c


def settled(posta):
    """How many messages bob has, once none is on its way."""
    posta.wait_empty()
    return len(posta.maildir('bob'))


def log_in(c, user=LOGIN, password=PASSWORD):
    return c.say('AUTH PLAIN ' + b64(f'\0{user}\0{password}'))


OK = '235 2.7.0 Authentication successful'


def test_init_leaves_a_server_that_refuses_cleartext_logins():
    with Posta() as posta:
        done = posta.posta('check')
        assert done.stdout + done.stderr == ''
        with RawSmtp(posta.port) as c:
            c.send('EHLO c.test\r\n')
            assert not [line for line in c.reply() if 'AUTH' in line]
            assert log_in(c, password='secret').startswith('503 5.5.1 ')
        with RawSmtp(posta.base + 587) as c:
            c.send('EHLO c.test\r\n')
            words = [line[4:] for line in c.reply()]
            assert 'STARTTLS' in words
            assert not [w for w in words if w.startswith('AUTH')]
            assert log_in(c, password='secret').startswith('530 5.7.0 ')
            assert c.say('MAIL FROM:<a@b.test>').startswith('530 5.7.0 ')
        for port in 587, 465:
            with submission(posta, port) as c:
                assert log_in(c, password='secret') == OK
        with socket.create_connection(('127.0.0.1', posta.base + 465)) as s:
            s.sendall(b'EHLO c.test\r\nAUTH PLAIN x\r\n')
            s.settimeout(60)
            assert b'250' not in s.recv(1000)
        # No AUTH in the clear, but after STARTTLS on 25 neither.
        with RawSmtp(posta.port) as c:
            c.say('EHLO c.test')
            c.say('STARTTLS')
            c.encrypt()
            c.send('EHLO c.test\r\n')
            assert not [line for line in c.reply() if 'AUTH' in line]


def swaks(posta, port, mechanism, password=PASSWORD, tls=None):
    if tls is None:
        tls = ['--tls-on-connect'] if port == 465 else ['--tls']
    return run('swaks', '--server', f'127.0.0.1:{posta.base + port}', *tls,
               '--from', LOGIN, '--to', 'bob@example.test', '--auth', mechanism,
               '--auth-user', LOGIN, '--auth-password', password, check=False)


@pytest.mark.parametrize('port', [587, 465])
@pytest.mark.parametrize('mechanism', ['PLAIN', 'LOGIN', 'CRAM-MD5'])
def test_swaks(posta, port, mechanism):
    before = settled(posta)
    done = swaks(posta, port, mechanism)
    assert done.returncode == 0, done.stdout
    text = posta.wait_maildir('bob', before + 1)[-1].decode()
    assert ' with ESMTPSA id ' in text
    assert swaks(posta, port, mechanism, 'wrong').returncode == 28
    tag = 'submission' if port == 587 else 'smtps'
    posta.wait_log(rf'postfix/{tag}/smtpd\[\d+\]: \w+: client=localhost'
                   rf'\[127.0.0.1\], sasl_method={mechanism}, '
                   rf'sasl_username={LOGIN}$')
    posta.wait_log(rf'postfix/{tag}/smtpd\[\d+\]: warning: localhost'
                   rf'\[127.0.0.1\]: SASL {mechanism} authentication failed: ')


@pytest.mark.parametrize('mode', ['--tls-optional', '--tls-optional-strict'])
@pytest.mark.parametrize('version', ['tlsv1_2', 'tlsv1_3'])
def test_swaks_takes_tls_where_it_may(posta, mode, version):
    done = swaks(posta, 587, 'PLAIN', tls=[mode, '--tls-protocol', version])
    assert done.returncode == 0, done.stdout
    assert re.search(rf'^=== TLS started with cipher {version}'.replace('_', '.'),
                     done.stdout, re.M | re.I), done.stdout


@pytest.mark.parametrize('mechanism', ['PLAIN', 'LOGIN', 'CRAM-MD5'])
@pytest.mark.parametrize('tls', [[], ['--tls', '--tls-protocol', 'tlsv1'],
                                 ['--tls-on-connect']])
def test_swaks_without_the_tls_that_is_asked(posta, mechanism, tls):
    """No TLS, an old one, or TLS where it has not begun: no login, and swaks
    says so (28: no AUTH is offered, 29: TLS failed)."""
    done = swaks(posta, 587, mechanism, tls=tls)
    assert done.returncode == (29 if tls else 28), done.stdout
    assert PASSWORD not in done.stdout


@pytest.mark.parametrize('port', [587, 465])
@pytest.mark.parametrize('mechanism', ['PLAIN', 'LOGIN', 'CRAM-MD5',
                                       'SCRAM-SHA-1', 'SCRAM-SHA-256'])
def test_curl(posta, tmp_path, port, mechanism):
    """curl takes SCRAM only where it was built with it; then it says so."""
    before = settled(posta)
    message = tmp_path / 'message'
    message.write_text(f'From: {LOGIN}\nSubject: by curl\n\nhello\n')
    url = f'smtp://127.0.0.1:{posta.base + port}' if port == 587 else \
        f'smtps://127.0.0.1:{posta.base + port}'
    features = run('curl', '--version').stdout
    if mechanism.startswith('SCRAM') and 'gsasl' not in features.lower():
        mechanism = 'PLAIN'
    done = run('curl', '-sS', '-k', '--ssl-reqd', url, '--mail-from', LOGIN,
               '--mail-rcpt', 'bob@example.test', '-T', message, '-u',
               f'{LOGIN}:{PASSWORD}', '--login-options', f'AUTH={mechanism}',
               check=False)
    assert done.returncode == 0, done.stderr
    text = posta.wait_maildir('bob', before + 1)[-1].decode()
    assert 'Subject: by curl' in text
    done = run('curl', '-sS', '-k', '--ssl-reqd', url, '--mail-from', LOGIN,
               '--mail-rcpt', 'bob@example.test', '-T', message, '-u',
               f'{LOGIN}:wrong', check=False)
    assert done.returncode == 67, done.stderr


@pytest.mark.parametrize('mechanism', MECHANISMS)
def test_gsasl(posta, mechanism):
    """GNU SASL knows them all, with channel binding to the TLS session; with
    it at hand it takes no offer of less."""
    def log_in(password):
        return run('gsasl', '--client', '--smtp', '--connect',
                   f'127.0.0.1:{posta.base + 587}', '--starttls',
                   '--x509-ca-file=', '--mechanism', mechanism,
                   '--authentication-id', LOGIN, '--authorization-id', '',
                   '--password', password, *(() if mechanism.endswith('-PLUS')
                                             else ('--no-cb',)),
                   input='', check=False)
    done = log_in(PASSWORD)
    assert OK in done.stdout + done.stderr, done.stdout + done.stderr
    done = log_in('wrong')
    assert OK not in done.stdout + done.stderr


def test_external(tmp_path):
    """The CN of a certificate that our authority has signed is the login."""
    authority = Authority(tmp_path)
    pairs = {'trusted': authority.sign(LOGIN), 'alien':
             authority.self_signed(LOGIN), 'none': ()}
    authority.ca.chmod(0o644)
    tmp_path.chmod(0o755)
    with Posta(settings={'smtpd_tls_ask_ccert': 'yes', 'smtpd_tls_CAfile':
                         authority.ca, 'auth_mechanisms': 'EXTERNAL PLAIN',
                         'smtpd_sasl_mechanism_filter': 'external, plain',
                         'auth_failure_delay': '0s'}) as posta:
        for name, pair in pairs.items():
            with RawSmtp(posta.base + 587) as c:
                c.say('EHLO c.test')
                c.say('STARTTLS')
                c.encrypt(*pair)
                c.send('EHLO c.test\r\n')
                words = [line[4:] for line in c.reply()]
                offered = 'AUTH EXTERNAL PLAIN' in words
                assert offered == (name == 'trusted'), words
                reply = c.say('AUTH EXTERNAL =')
                assert (reply == OK) == offered, reply
                if name == 'trusted':
                    assert c.say(f'MAIL FROM:<{LOGIN}>')[:3] == '250'
                    assert c.say('RCPT TO:<bob@example.test>')[:3] == '250'
        posta.wait_log(r'SASL EXTERNAL authentication failed: Invalid '
                       'authentication mechanism')


def test_what_a_client_forgets_is_added_and_bcc_goes(posta):
    before = settled(posta)
    with submission(posta) as c:
        assert log_in(c) == OK
        for line in (f'MAIL FROM:<{LOGIN}>', 'RCPT TO:<bob@example.test>',
                     'DATA'):
            assert c.say(line)[0] in '23'
        assert c.say('To: bob\r\nBcc: x@y.test\r\nResent-Bcc: z@y.test\r\n'
                     '\r\nhello\r\n.')[:3] == '250'
    text = posta.wait_maildir('bob', before + 1)[-1].decode()
    assert re.search(r'^Date: \w{3}, ', text, re.M)
    assert re.search(r'^Message-Id: <.*@mail.example.test>$', text, re.M)
    assert re.search(rf'^From: {LOGIN}$', text, re.M)
    assert re.search(r'^To: bob@example.test$', text, re.M)
    assert 'Bcc' not in text
    with RawSmtp(posta.port) as c:    # not on port 25
        c.start(sender='x@y.test', rcpt='bob@example.test')
        assert c.say('Subject: bare\r\n\r\n.')[:3] == '250'
    text = posta.wait_maildir('bob', before + 2)[-1].decode()
    assert not re.search(r'^(Date|Message-Id|From): ', text, re.M)


ALIASES = [('alice@example.test', '250'), ('alice+list@example.test', '250'),
           ('postmaster@example.test', '250'), ('abuse@example.test', '250'),
           ('bob@example.test', '553'), ('alice@elsewhere.test', '553'),
           ('', '250')]


@pytest.mark.parametrize('sender,want', ALIASES)
def test_a_login_owns_its_address_and_its_aliases(posta, sender, want):
    with submission(posta) as c:
        log_in(c)
        c.say(f'MAIL FROM:<{sender}>')
        assert c.say('RCPT TO:<x@elsewhere.test>')[:3] == want
        if want != '250' or not sender:
            return
        c.say('DATA')
        assert c.say(f'From: {sender}\r\n\r\n.')[:3] == '250'
        c.say(f'MAIL FROM:<{sender}>')
        c.say('RCPT TO:<x@elsewhere.test>')
        c.say('DATA')
        assert c.say('From: bob@example.test\r\n\r\n.')[:9] == '550 5.7.1'


def test_logins_end_with_the_session_that_they_were_made_in(posta):
    with submission(posta, 465) as c:
        assert log_in(c) == OK
        assert c.say('STARTTLS')[0] == '5'
    with submission(posta, 465) as c:
        c.say(f'MAIL FROM:<{LOGIN}>')
        assert c.say('RCPT TO:<x@elsewhere.test>') == \
            '554 5.7.1 <localhost[127.0.0.1]>: Client host rejected: ' \
            'Access denied'


def test_the_client_can_be_hidden():
    with Posta(settings={'smtpd_hide_client_session': 'yes'}) as posta:
        with submission(posta, hello='EHLO my-laptop') as c:
            log_in(c, password='secret')
            for line in (f'MAIL FROM:<{LOGIN}>', 'RCPT TO:<bob@example.test>',
                         'DATA'):
                c.say(line)
            assert c.say('Subject: x\r\n\r\n.')[:3] == '250'
        text = posta.wait_maildir('bob', 1)[0].decode()
        assert 'my-laptop' not in text and '127.0.0.1' not in text
        assert re.search(r'^Received: by mail.example.test \(', text, re.M)


def test_many_at_once(posta):
    """Logins from all sides, right and wrong, on both ports."""
    def one(n):
        right = n % 3 != 0
        with submission(posta, (587, 465)[n % 2]) as c:
            return right == (log_in(c, password=PASSWORD if right else 'no')
                             == OK)
    with ThreadPoolExecutor(30) as pool:
        assert all(pool.map(one, range(300)))


def test_a_crash_of_authd_is_a_passing_trouble():
    with Posta(may_die=True) as posta:
        with submission(posta) as c:
            assert log_in(c, password='secret') == OK
            for pid in posta.pids('authd'):
                posta.kill(pid)
        def again():
            with submission(posta) as c:
                reply = log_in(c, password='secret')
                assert reply[:3] in ('235', '454'), reply
                return reply == OK
        wait_until(again, 'logins to work again')


@pytest.mark.parametrize('mechanism', ['PLAIN', 'LOGIN'])
def test_no_password_stays_in_memory(mechanism):
    """Of a process that a stranger may yet take over. (pytest itself knows it,
    so only the worker is looked at.)"""
    password = 'Tr0ubadour-and-a-Horse'
    shapes = [password.encode(), b64(password).encode(),
              b64(f'\0{LOGIN}\0{password}').encode()]
    with Posta(users={'alice': password}) as posta:
        with submission(posta) as c:
            if mechanism == 'PLAIN':
                assert log_in(c, password=password) == OK
            else:
                c.talk('AUTH LOGIN', b64(LOGIN))
                assert c.say(b64(password)) == OK
            assert c.say('NOOP')[:3] == '250'
            workers = [pid for pid in posta.pids('smtpd')
                       if any(LOGIN.encode() in m for m in memory(pid))]
            assert workers
            for pid in workers:
                for m in memory(pid):
                    for shape in shapes:
                        at = m.find(shape)
                        assert at < 0, (pid, shape, m[max(0, at - 60):at + 60])
