"""AUTH in smtpd: the exchange, its limits, and what the log may say of it."""
import base64
import time

import pytest

from harness import Dovecot, Posta, run, wait_until
from harness.auth_server import CLOSE, HANG, AuthServer, b64
from harness.raw_smtp import RawSmtp

PASSWORD = 'corRect-h0rse'
USERS = {'alice': PASSWORD}
BASE = {
    'smtpd_sasl_auth_enable': 'yes', 'smtpd_sasl_type': 'dovecot',
    'smtpd_error_sleep_time': '0s', 'smtpd_hard_error_limit': '1000',
    'smtpd_client_connection_count_limit': '0', 'mynetworks': '192.0.2.0/24',
    'smtpd_relay_restrictions':
        'permit_sasl_authenticated, reject_unauth_destination',
    'default_transport': 'discard',
}


def plain(user='alice', password=PASSWORD, authzid=''):
    return b64(f'{authzid}\0{user}\0{password}')


@pytest.fixture(scope='module')
def server():
    with AuthServer(USERS) as server:
        yield server


@pytest.fixture(scope='module')
def posta(server):
    with Posta(settings={**BASE, 'smtpd_sasl_path': server.path}) as posta:
        yield posta
        check_log(posta)


def check_log(posta):
    """No password in any shape it was sent in."""
    text = posta.log_text()
    for secret in (PASSWORD, plain(), b64(PASSWORD), plain()[:12],
                   b64(PASSWORD)[:10]):
        assert secret not in text, secret


def client(posta):
    c = RawSmtp(posta.port)
    c.say('EHLO [127.0.0.1]')
    return c


def words_of(posta, hello='EHLO c.test'):
    with RawSmtp(posta.port) as c:
        c.send(hello + '\r\n')
        return [line[4:] for line in c.reply()]


OK = '235 2.7.0 Authentication successful'
WRONG = '535 5.7.8 Error: authentication failed: (reason unavailable)'


def test_is_announced(posta):
    words = words_of(posta)
    assert 'AUTH PLAIN LOGIN' in words
    assert not [w for w in words if w.startswith('AUTH=')]


DIALOGUES = {
    'plain, initial response': [(f'AUTH PLAIN {plain()}', OK)],
    'plain, lower case': [(f'auth plain {plain()}', OK)],
    'plain, none': [('AUTH PLAIN', '334 '), (plain(), OK)],
    'plain, an empty response': [('AUTH PLAIN =', '535'),
                                   (f'AUTH PLAIN {plain()}', OK)],
    'login': [('AUTH LOGIN', '334 VXNlcm5hbWU6'), (b64('alice'),
              '334 UGFzc3dvcmQ6'), (b64(PASSWORD), OK)],
    'login, initial response': [('AUTH LOGIN ' + b64('alice'),
                                 '334 UGFzc3dvcmQ6'), (b64(PASSWORD), OK)],
    'wrong, then right': [(f'AUTH PLAIN {plain(password="no")}', WRONG),
                          (f'AUTH PLAIN {plain()}', OK)],
    'aborted, then right': [('AUTH LOGIN', '334 VXNlcm5hbWU6'),
                            ('*', '501 5.7.0 Authentication aborted'),
                            (f'AUTH PLAIN {plain()}', OK)],
    'bad base64': [('AUTH PLAIN AGE', '501 5.5.2 '),
                   ('AUTH PLAIN AGFsaWNl!', '501 5.5.2 '),
                   ('AUTH LOGIN', '334 VXNlcm5hbWU6'),
                   ('not base64 at all', '501 5.5.2 '),
                   ('NOOP', '250 2.0.0 Ok')],
    'syntax': [('AUTH', '501 5.5.4 Syntax: AUTH mechanism'),
               ('AUTH PLAIN a b', '501 5.5.4 Syntax: AUTH mechanism'),
               (f'AUTH {plain()}', '501 5.5.4 Syntax: AUTH mechanism'),
               ('AUTH X-' + 'Y' * 30, '501 5.5.4 Syntax: AUTH mechanism')],
    'unknown mechanism': [('AUTH CRAM-MD5', '535 5.7.8 Error: authentication '
                           'failed: Invalid authentication mechanism'),
                          ('AUTH DIGEST-MD5', '535 5.7.8 '),
                          ('AUTH ANONYMOUS', '535 5.7.8 ')],
    'twice': [(f'AUTH PLAIN {plain()}', OK),
              (f'AUTH PLAIN {plain()}',
               '503 5.5.1 Error: already authenticated'),
              ('RSET', '250 2.0.0 Ok'),
              ('AUTH LOGIN', '503 5.5.1 Error: already authenticated'),
              ('EHLO again.test', '250 '),
              ('AUTH LOGIN', '503 5.5.1 Error: already authenticated'),
              ('MAIL FROM:<a@b.test>', '250 2.1.0 Ok'),
              ('RCPT TO:<x@elsewhere.test>', '250 2.1.5 Ok')],
    'in a transaction': [('MAIL FROM:<a@b.test>', '250 2.1.0 Ok'),
                         (f'AUTH PLAIN {plain()}',
                          '503 5.5.1 Error: MAIL transaction in progress'),
                         ('RCPT TO:<x@elsewhere.test>', '554 5.7.1 '),
                         ('RCPT TO:<alice@example.test>', '250 2.1.5 Ok'),
                         (f'AUTH PLAIN {plain()}',
                          '503 5.5.1 Error: MAIL transaction in progress')],
    'NULs and what is no text': [
        ('AUTH PLAIN ' + b64('\0' * 3000), '535 5.7.8 '),
        ('AUTH PLAIN ' + base64.b64encode(bytes(range(256))).decode(),
         '535 5.7.8 '),
        (f'AUTH PLAIN {plain()}', OK)],
    'tabs and line ends in names': [
        ('AUTH LOGIN', '334 VXNlcm5hbWU6'),
        (b64('alice\tsecured=tls\nOK\t1\tuser=root'), '334 UGFzc3dvcmQ6'),
        (b64(PASSWORD), WRONG)],
    'the longest': [
        ('AUTH PLAIN ' + 'A' * 12000, '535 5.7.8 '),
        ('AUTH PLAIN ' + 'A' * 20000, '500 5.5.2 Error: line too long'),
        ('MAIL FROM:<' + 'a' * 3000 + '@b.test>',
         '500 5.5.2 Error: line too long'),
        ('AUTH PLAIN', '334 '), ('A' * 12288, '535 5.7.8 '),
        ('AUTH PLAIN', '334 '),
        ('A' * 12292, '500 5.5.6 SASL response limit exceeded'),
        ('AUTH PLAIN', '334 '),
        ('A' * 60000, '500 5.5.6 SASL response limit exceeded'),
        (f'AUTH PLAIN {plain()}', OK)],
}


@pytest.mark.parametrize('name', DIALOGUES)
def test_dialogue(name):
    def check(request):
        if len(request.get('resp') or b'') > 2000 or \
                b'\xff' in (request.get('resp') or b''):
            return 'FAIL\t{id}'
        return server.check(request)

    with AuthServer(USERS) as server:
        server.answer = check
        with Posta(settings={**BASE, 'smtpd_sasl_path': server.path}) as posta:
            with RawSmtp(posta.port) as c:
                c.say('EHLO [127.0.0.1]')
                for command, want in DIALOGUES[name]:
                    got = c.say(command)
                    assert got.startswith(want), (command[:60], got)
            check_log(posta)


def test_before_hello(posta):
    with RawSmtp(posta.port) as c:
        assert c.say(f'AUTH PLAIN {plain()}') == \
            '503 5.5.1 Error: send HELO/EHLO first'


def test_what_is_logged_and_what_the_service_is_told(server, posta):
    with client(posta) as c:
        assert c.say(f'AUTH PLAIN {plain(password="wrong")}') == WRONG
        assert c.say(f'AUTH PLAIN {plain()}') == OK
        for line in ('MAIL FROM:<a@b.test> AUTH=e+3Dmc2', 'RCPT TO:<x@y.test>',
                     'DATA'):
            assert c.say(line)[0] in '23'
        assert c.say('Subject: x\r\n\r\n.')[:3] == '250'
        port = c.socket.getsockname()[1]
    request = server.requests[-1]
    assert request['service'] == 'smtp'
    assert (request['rip'], request['rport']) == ('127.0.0.1', str(port))
    assert (request['lip'], request['lport']) == ('127.0.0.1', str(posta.port))
    assert 'nologin' in request and 'secured' not in request
    posta.wait_log(r'smtpd\[\d+\]: warning: localhost\[127.0.0.1\]: SASL PLAIN '
                   r'authentication failed: \(reason unavailable\), '
                   r'sasl_username=alice$')
    posta.wait_log(r': client=localhost\[127.0.0.1\], sasl_method=PLAIN, '
                   r'sasl_username=alice, sasl_sender=e=mc2$')
    posta.wait_log(r'disconnect from localhost\[127.0.0.1\] ehlo=1 auth=1/2 '
                   'mail=1 rcpt=1 data=1 commands=5/6$')


def test_a_password_where_a_command_should_be_is_not_logged(posta):
    with RawSmtp(posta.port) as c:
        c.say('HELO c.test')
        c.say('MAIL FROM:<a@b.test>')
        c.send(f'AUTH LOGIN\r\n{b64("alice")}\r\n{b64(PASSWORD)}\r\n')
        c.reply(), c.reply()
    with RawSmtp(posta.port) as c:   # ahead of the answer to EHLO
        c.send(f'EHLO c.test\r\nAUTH PLAIN {plain()}\r\n')
        c.closed()
    posta.wait_log('improper command pipelining after EHLO')
    check_log(posta)


def test_the_service_is_asked_over_one_connection(server, posta):
    with client(posta) as c:
        assert c.say(f'AUTH PLAIN {plain()}') == OK
    before = server.connections
    for _ in range(10):
        with client(posta) as c:
            assert c.say(f'AUTH PLAIN {plain()}') == OK
    assert server.connections - before <= max(len(posta.pids('smtpd')), 3)


def test_service_down_is_a_passing_trouble(server):
    with AuthServer(USERS) as own:
        with Posta(settings={**BASE, 'smtpd_sasl_path': own.path}) as posta:
            own.stop()
            text = '454 4.7.0 Temporary authentication failure: Connection ' \
                   'lost to authentication server'
            with client(posta) as c:
                assert 'AUTH PLAIN LOGIN' in words_of(posta)
                assert c.say(f'AUTH PLAIN {plain()}') == text
                assert c.say('NOOP')[:3] == '250'
                own.start()
                assert c.say(f'AUTH PLAIN {plain()}') == OK
            own.stop()
            own.start()
            with client(posta) as c:      # a kept connection that has ended
                assert c.say(f'AUTH PLAIN {plain()}') == OK
            posta.wait_log('SASL: Connect to .* failed: ')
            posta.wait_log('SASL PLAIN authentication failed: Connection lost '
                           'to authentication server, sasl_username='
                           r'\(unavailable\)')


ANSWERS = [
    ('FAIL\t{id}\tuser=alice\treason=Come again', '535 5.7.8 Error: '
     'authentication failed: Come again'),
    ('FAIL\t{id}\tuser=alice\ttemp', '454 4.7.0 Temporary authentication '
     'failure: '),
    ('FAIL\t{id}', WRONG),
    ('OK\t{id}\tuser=alice', OK),
    ('OK\t{id}\tuser=al\tnologin', '535 5.7.8 '),
    ('OK\t{id}', '454 4.7.0 '),
    (['FAIL\t4711\tuser=bob', 'OK\t4711\tuser=root', 'OK\t{id}\tuser=alice'],
     OK),
    ('OK\t{id}\tuser=al\x01nice\x01t', OK),
    ('OK\t', '454 4.7.0 '),
    ('garbage ' * 5000, '454 4.7.0 '),
    (CLOSE, '454 4.7.0 '),
    ('FAIL\t{id}\treason=' + 'long ' * 1000, '535 5.7.8 '),
]


@pytest.mark.parametrize('answer,want', ANSWERS)
def test_answers_of_the_service(answer, want):
    with AuthServer(USERS, answer=lambda r: answer) as own, \
            Posta(settings={**BASE, 'smtpd_sasl_path': own.path}) as posta:
        with client(posta) as c:
            assert c.say(f'AUTH PLAIN {plain()}').startswith(want)
            assert c.say('NOOP')[:3] == '250'
        check_log(posta)


@pytest.mark.parametrize('greeting', [
    ['VERSION\t2\t0', 'DONE'], ['HELLO', '', '\0\0', 'DON'],
    ['MECH\t' + 'X' * 40000, 'DONE'], ['x'] * 2000, ['DONE']])
def test_a_strange_service_is_no_service(greeting):
    with AuthServer(USERS, greeting=greeting) as own, \
            Posta(settings={**BASE, 'smtpd_sasl_path': own.path}) as posta:
        with client(posta) as c:
            assert c.say(f'AUTH PLAIN {plain()}')[:3] in ('454', '535')


def test_mechanisms_that_may_be_used():
    greeting = ['VERSION\t1\t2', 'MECH\tPLAIN\tplaintext',
                'MECH\tCRAM-MD5\tdictionary\tactive',
                'MECH\tSCRAM-SHA-256\tmutual-auth',
                'MECH\tSCRAM-SHA-256-PLUS\tmutual-auth\tchannel-binding',
                'MECH\tEXTERNAL', 'MECH\tANONYMOUS\tanonymous',
                'MECH\tDOVECOT-TOKEN\tprivate', 'SPID\t1', 'CUID\t1', 'DONE']
    cases = [
        ({}, 'PLAIN CRAM-MD5 SCRAM-SHA-256'),
        ({'smtpd_sasl_security_options': 'noanonymous, noplaintext'},
         'CRAM-MD5 SCRAM-SHA-256'),
        ({'smtpd_sasl_security_options': 'noanonymous, nodictionary'},
         'SCRAM-SHA-256'),
        ({'smtpd_sasl_mechanism_filter': '!cram-md5, static:rest'},
         'PLAIN SCRAM-SHA-256'),
        ({'smtpd_sasl_mechanism_filter': 'plain'}, 'PLAIN'),
        ({'broken_sasl_auth_clients': 'yes',
          'smtpd_sasl_mechanism_filter': 'plain'}, 'PLAIN'),
    ]
    with AuthServer(USERS, greeting=greeting) as own:
        for settings, want in cases:
            with Posta(settings={**BASE, 'smtpd_sasl_path': own.path,
                                 **settings}) as posta:
                words = words_of(posta)
                assert f'AUTH {want}' in words, (settings, words)
                assert ('AUTH=PLAIN' in words) == (
                    'broken_sasl_auth_clients' in settings)


def test_who_is_not_told(server):
    with Posta(settings={**BASE, 'smtpd_sasl_path': server.path,
                         'smtpd_sasl_exceptions_networks':
                         '127.0.0.0/8'}) as posta:
        assert not [w for w in words_of(posta) if w.startswith('AUTH')]
        with client(posta) as c:
            assert c.say(f'AUTH PLAIN {plain()}') == OK
    with Posta(settings={**BASE, 'smtpd_sasl_path': server.path,
                         'smtpd_discard_ehlo_keywords': 'auth'}) as posta:
        assert not [w for w in words_of(posta) if w.startswith('AUTH')]
        with client(posta) as c:
            assert c.say(f'AUTH PLAIN {plain()}') == \
                '503 5.5.1 Error: authentication not enabled'
    with Posta(settings={**BASE, 'smtpd_sasl_path': server.path,
                         'smtpd_tls_auth_only': 'yes'}) as posta:
        assert not [w for w in words_of(posta) if w.startswith('AUTH')]
        with client(posta) as c:
            assert c.say(f'AUTH PLAIN {plain()}').startswith('538 5.7.11 ')
        check_log(posta)


def test_tries_are_limited(server):
    with Posta(settings={**BASE, 'smtpd_sasl_path': server.path,
                         'smtpd_client_auth_rate_limit': '2',
                         'smtpd_client_event_limit_exceptions': '',
                         'anvil_rate_time_unit': '1000s'}) as posta:
        for want in ('535', '535', '450'):
            with client(posta) as c:
                got = c.say(f'AUTH PLAIN {plain(password="x")}')
                assert got.startswith(want)
        assert got == '450 4.7.1 Error: too many AUTH commands from 127.0.0.1'
        posta.wait_log('AUTH command rate limit exceeded: 3 from localhost')
    with Posta(settings={**BASE, 'smtpd_sasl_path': server.path,
                         'smtpd_hard_error_limit': '3'}) as posta:
        with client(posta) as c:
            for _ in range(3):
                c.say(f'AUTH PLAIN {plain(password="x")}')
            assert c.closed()
        posta.wait_log('too many errors after AUTH from localhost')


def test_a_client_that_goes_away_in_between(server, posta):
    with client(posta) as c:
        assert c.say('AUTH LOGIN')[:3] == '334'
    posta.wait_log('lost connection after AUTH from localhost')
    with client(posta) as c:
        assert c.say(f'AUTH PLAIN {plain()}') == OK


def test_a_silent_service_does_not_outlast_the_client():
    with AuthServer(USERS, answer=lambda r: HANG) as own, \
            Posta(settings={**BASE, 'smtpd_sasl_path': own.path}) as posta:
        with client(posta) as c:
            c.send(f'AUTH PLAIN {plain()}\r\n')
            wait_until(lambda: own.requests, 'a request')
            began = time.monotonic()
            posta.stop()
            assert time.monotonic() - began < 100


# ---- Debian's Dovecot

@pytest.fixture(scope='module')
def dovecot():
    with Dovecot({'alice': PASSWORD}) as dovecot:
        yield dovecot


@pytest.mark.parametrize('mechanism', ['PLAIN', 'LOGIN', 'CRAM-MD5',
                                       'SCRAM-SHA-1', 'SCRAM-SHA-256'])
def test_dovecot(dovecot, mechanism):
    """A site's Dovecot, over its socket, with swaks where it can."""
    with Posta(settings={**BASE, 'smtpd_sasl_path': dovecot.socket}) as posta:
        words = words_of(posta)
        assert [w for w in words if w.startswith('AUTH ')
                and mechanism in w.split()]
        for password, want in ((PASSWORD, 0), ('wrong', 28)):
            if mechanism.startswith('SCRAM'):
                assert scram(posta, mechanism, password) == (want == 0)
                continue
            done = run('swaks', '--server', f'127.0.0.1:{posta.port}', '--to',
                       'x@elsewhere.test', '--from', 'a@b.test', '--auth',
                       mechanism, '--auth-user', 'alice', '--auth-password',
                       password, check=False)
            assert done.returncode == want, done.stdout
        if not mechanism.startswith('SCRAM'):
            posta.wait_log(f'sasl_method={mechanism}, sasl_username=alice$')
        posta.wait_log(f'SASL {mechanism} authentication failed')
        check_log(posta)


def scram(posta, mechanism, password):
    """RFC 5802, by hand; whether it succeeded."""
    import hashlib
    import hmac
    name = {'SCRAM-SHA-1': 'sha1', 'SCRAM-SHA-256': 'sha256'}[mechanism]
    bare = 'n=alice,r=fyko+d2lbbFgONRv9qkxdawL'
    with client(posta) as c:
        got = c.say(f'AUTH {mechanism} ' + b64('n,,' + bare))
        first = base64.b64decode(got[4:]).decode()
        fields = dict(f.split('=', 1) for f in first.split(','))
        key = hashlib.pbkdf2_hmac(name, password.encode(),
                                  base64.b64decode(fields['s']),
                                  int(fields['i']))
        client_key = hmac.digest(key, b'Client Key', name)
        final = f'c=biws,r={fields["r"]}'
        text = f'{bare},{first},{final}'.encode()
        signature = hmac.digest(hashlib.new(name, client_key).digest(), text,
                                name)
        proof = bytes(a ^ b for a, b in zip(client_key, signature))
        got = c.say(b64(final + ',p=' + base64.b64encode(proof).decode()))
        if got.startswith('334 '):   # the server's proof
            server_key = hmac.digest(key, b'Server Key', name)
            want = hmac.digest(server_key, text, name)
            assert base64.b64decode(base64.b64decode(got[4:])[2:]) == want
            got = c.say('')
        return got.startswith('235')
