"""smtp logs in: to servers that say odd things, and to real ones."""
import base64
import re
import time

import pytest

from harness import Dovecot, Exim, Postfix, Posta, wait_until
from harness.fake_smtp import FakeSmtp
from harness.smtp_agent import SmtpAgent

OK, TEMP, PERM = 0, 4, 5
PLAIN = 'AUTH PLAIN ' + base64.b64encode(b'\0anna\0secret').decode()
SERVER = '127.0.0.1[127.0.0.1]'


def b64(text):
    return base64.b64encode(text.encode()).decode()


def ehlo(*extensions):
    return '\n'.join(['250-fake.test', *(f'250-{e}' for e in extensions),
                      '250 8BITMIME'])


def settings(**more):
    return {'smtp_sasl_auth_enable': 'yes',
            'smtp_sasl_password_maps': 'static:anna:secret',
            'smtp_sasl_security_options': 'noanonymous', **more}


def deliver(server, sender='a@example.test', **more):
    """(result, log) of one message."""
    with SmtpAgent(**settings(**more)) as agent:
        result = agent.one(server.nexthop, sender=sender)
    server.wait_ended()
    assert 'secret' not in result.text
    return result


# ---- when

def test_a_login_comes_before_mail():
    with FakeSmtp(EHLO=ehlo('AUTH PLAIN LOGIN'), AUTH='235 2.7.0 ok') as server:
        assert deliver(server).rc == OK
    assert server.commands[1:3] == [PLAIN, 'MAIL FROM:<a@example.test>']


@pytest.mark.parametrize('more', [
    {'smtp_sasl_password_maps': 'inline:{other.test=anna:secret}'},
    {'smtp_sasl_auth_enable': 'no'},
    {'smtp_discard_ehlo_keywords': 'auth'}])
def test_without_a_password_we_are_strangers(more):
    with FakeSmtp(EHLO=ehlo('AUTH PLAIN')) as server:
        assert deliver(server, **more).rc == OK
    assert not [c for c in server.commands if c.startswith('AUTH')]


def test_a_server_without_auth_needs_none():
    with FakeSmtp(EHLO=ehlo()) as server:
        assert deliver(server).rc == OK


def test_the_old_syntax_is_known():
    with FakeSmtp(EHLO=ehlo('AUTH=PLAIN'), AUTH='235 ok') as server:
        assert deliver(server).rc == OK
    assert PLAIN in server.commands


@pytest.mark.parametrize('value,sent', [('no', ''), ('yes', ' AUTH=<>')])
def test_dummy_auth_of_mail(value, sent):
    with FakeSmtp(EHLO=ehlo('AUTH PLAIN'), AUTH='235 ok') as server:
        deliver(server, smtp_send_dummy_mail_auth=value)
    assert f'MAIL FROM:<a@example.test>{sent}' in server.commands


# ---- which password

@pytest.mark.parametrize('table,sender,user', [
    ('127.0.0.1=host:x, {hop}=hop:x', 'a@a.test', 'host'),
    ('{hop}=hop:x', 'a@a.test', 'hop'),
    ('a@a.test=sender:x, 127.0.0.1=host:x', 'a@a.test', 'sender'),
    ('a@a.test=sender:x, 127.0.0.1=host:x', 'a+b@a.test', 'sender'),
    ('@a.test=domain:x, 127.0.0.1=host:x', 'a@a.test', 'domain'),
    ('a=local:x, 127.0.0.1=host:x', 'a@own.test', 'local'),
    ('a=local:x, 127.0.0.1=host:x', 'a@a.test', 'host'),
    ('@a.test=domain:x, 127.0.0.1=host:x', '', 'host'),
])
def test_whose_password(table, sender, user):
    with FakeSmtp(EHLO=ehlo('AUTH LOGIN'),
                  AUTH='334 ' + b64('Username:')) as server:
        server.replies[b64(user).upper()] = '334 ' + b64('Password:')
        server.replies[b64('x').upper()] = '235 2.7.0 ok'
        table = table.replace('{hop}', server.nexthop)
        result = deliver(server, sender, recipient_delimiter='+',
                         mydestination='own.test',
                         smtp_sender_dependent_authentication='yes',
                         smtp_sasl_password_maps=f'inline:{{{table}}}')
    assert result.rc == OK, (result.text, server.commands)


def test_the_sender_counts_only_where_he_shall():
    with FakeSmtp(EHLO=ehlo('AUTH PLAIN'), AUTH='235 ok') as server:
        deliver(server, 'a@a.test', smtp_sasl_password_maps=
                'inline:{a@a.test=sender:x, 127.0.0.1=anna:secret}')
    assert PLAIN in server.commands


def test_a_session_belongs_to_its_sender():
    table = 'inline:{a@a.test=anna:secret, b@a.test=ben:word}'
    with FakeSmtp(EHLO=ehlo('AUTH PLAIN'), AUTH='235 ok') as server, \
            SmtpAgent(smtp_sender_dependent_authentication='yes', **settings(
                smtp_sasl_password_maps=table)) as agent:
        for sender in 'a@a.test', 'a@a.test', 'b@a.test', 'c@a.test':
            assert agent.one(server.nexthop, sender=sender).rc == OK
    logins = [[c for c in s.commands if c.startswith('AUTH')]
              for s in server.sessions]
    assert logins == [[PLAIN],
                      ['AUTH PLAIN ' + b64('\0ben\0word')], []]
    assert [len(s.content) for s in server.sessions] == [2, 1, 1]


def test_a_session_serves_all_senders_else():
    with FakeSmtp(EHLO=ehlo('AUTH PLAIN'), AUTH='235 ok') as server, \
            SmtpAgent(**settings()) as agent:
        for sender in 'a@a.test', 'b@a.test':
            assert agent.one(server.nexthop, sender=sender).rc == OK
    assert server.commands.count(PLAIN) == 1


def test_a_delimiter_of_the_sites_choice():
    with FakeSmtp(EHLO=ehlo('AUTH PLAIN'), AUTH='235 ok') as server:
        deliver(server, smtp_sasl_password_maps='static:anna|secret',
                smtp_sasl_password_result_delimiter='|')
    assert PLAIN in server.commands


def test_a_table_that_fails_stops_the_mail():
    with FakeSmtp(EHLO=ehlo('AUTH PLAIN')) as server:
        r = deliver(server, smtp_sasl_password_maps='texthash:/nonexistent')
    assert (r.rc, r.dsn) == (TEMP, '4.3.0')
    assert r.text == f'local data error while talking to {SERVER}'
    assert server.commands == ['EHLO client.test', 'QUIT']


# ---- which mechanism

@pytest.mark.parametrize('offered,more,used', [
    ('PLAIN LOGIN CRAM-MD5', {}, 'CRAM-MD5'),
    ('PLAIN LOGIN', {}, 'PLAIN'),
    ('plain', {}, 'PLAIN'),
    ('LOGIN GSSAPI', {}, 'LOGIN'),
    ('PLAIN CRAM-MD5', {'smtp_sasl_mechanism_filter': 'plain'}, 'PLAIN'),
    ('PLAIN CRAM-MD5', {'smtp_sasl_mechanism_filter': '!cram-md5, static:all'},
     'PLAIN'),
    ('PLAIN CRAM-MD5', {'smtp_sasl_security_options': 'noplaintext'},
     'CRAM-MD5'),
    ('PLAIN SCRAM-SHA-1', {'smtp_sasl_security_options': 'noactive'},
     'SCRAM-SHA-1'),
    ('SCRAM-SHA-256-PLUS SCRAM-SHA-256 PLAIN', {}, 'SCRAM-SHA-256'),
])
def test_the_mechanism(offered, more, used):
    with FakeSmtp(EHLO=ehlo(f'AUTH {offered}'), AUTH='454 later') as server:
        deliver(server, **more)
    assert server.commands[1].split()[1] == used


@pytest.mark.parametrize('offered,more', [
    ('PLAIN LOGIN', {'smtp_sasl_security_options': 'noplaintext'}),
    ('PLAIN', {'smtp_sasl_security_options': 'nodictionary'}),
    ('SCRAM-SHA-1', {'smtp_sasl_security_options': 'forward_secrecy'}),
    ('GSSAPI NTLM', {})])
def test_no_mechanism_will_do(offered, more):
    with FakeSmtp(EHLO=ehlo(f'AUTH {offered}')) as server:
        r = deliver(server, **more)
    assert (r.rc, r.dsn) == (TEMP, '4.7.0')
    assert r.text == ('SASL authentication failed; cannot authenticate to '
                      f'server {SERVER}: no mechanism available')
    assert server.commands == ['EHLO client.test', 'QUIT']


@pytest.mark.parametrize('words,more,warning', [
    ('AUTH', {}, 'offered null AUTH mechanism list'),
    ('AUTH PLAIN', {'smtp_sasl_mechanism_filter': 'cram-md5'},
     "offered no supported AUTH mechanisms: 'PLAIN'")])
def test_nothing_left_of_what_is_offered(words, more, warning):
    with FakeSmtp(EHLO=ehlo(words)) as server, \
            SmtpAgent(**settings(**more)) as agent:
        r = agent.one(server.nexthop)
        agent.close()
        assert f'{SERVER}:{server.port} {warning}' in agent.log()
    assert (r.rc, r.dsn) == (TEMP, '4.7.0')
    assert r.text == (f'SASL authentication failed: server {SERVER} offered '
                      'no compatible authentication mechanisms for this type '
                      'of connection security')


# ---- what goes wrong

@pytest.mark.parametrize('reply,more,rc,dsn', [
    ('535 5.7.8 bad', {}, TEMP, '4.7.8'),
    ('535 bad', {}, TEMP, '4.0.0'),
    ('535 5.7.8 bad', {'smtp_sasl_auth_soft_bounce': 'no'}, PERM, '5.7.8'),
    ('454 4.7.0 later', {'smtp_sasl_auth_soft_bounce': 'no'}, TEMP, '4.7.0'),
    ('504 5.5.4 unknown', {}, TEMP, '4.5.4'),
])
def test_refused(reply, more, rc, dsn):
    with FakeSmtp(EHLO=ehlo('AUTH PLAIN'), AUTH=reply) as server:
        r = deliver(server, **more)
    assert (r.rc, r.dsn) == (rc, dsn)
    assert r.text == f'SASL authentication failed; server {SERVER} said: {reply}'
    assert server.commands == ['EHLO client.test', PLAIN, 'QUIT']


def test_lost_in_the_middle():
    with FakeSmtp(EHLO=ehlo('AUTH PLAIN'), AUTH=None) as server:
        r = deliver(server)
    assert (r.rc, r.dsn) == (TEMP, '4.4.2')
    assert r.text == (f'lost connection with {SERVER} while performing the '
                      'EHLO handshake')


@pytest.mark.parametrize('mechanism,challenge', [
    ('CRAM-MD5', '334 !!!!'),
    ('CRAM-MD5', '334 YQ'),
    ('CRAM-MD5', '334'),
    ('CRAM-MD5', '334-YQ==\n334 YQ=='),
    ('PLAIN', '334 '),
    ('PLAIN', '334 ' + b64('Username:')),
    ('SCRAM-SHA-1', '334 ' + b64('r=abc,s=QUJD,i=4096')),
    ('SCRAM-SHA-1', '334 ' + b64('\0\xff')),
    pytest.param('SCRAM-SHA-256', '334 ' + 'A' * 4000, id='long')])
def test_a_challenge_that_makes_no_sense(mechanism, challenge):
    with FakeSmtp(EHLO=ehlo(f'AUTH {mechanism}'), AUTH=challenge,
                  **{'*': '501 5.7.0 cancelled'}) as server:
        r = deliver(server)
    assert (r.rc, r.dsn) == (TEMP, '4.7.0')
    assert r.text.startswith('SASL authentication failed; cannot authenticate '
                             f'to server {SERVER}: ')
    assert server.commands[2:] == ['*', 'QUIT']


def test_a_server_that_asks_for_ever():
    with FakeSmtp(EHLO=ehlo('AUTH LOGIN'), AUTH='334 ' + b64('Username:'),
                  **{b64('anna').upper(): '334 ' + b64('Password:'),
                     b64('secret').upper(): '334 ' + b64('Again:'),
                     '*': '501 5.7.0 cancelled'}) as server:
        r = deliver(server)
    assert (r.rc, r.dsn) == (TEMP, '4.7.0')
    assert len(server.commands) < 10


def test_a_server_that_does_not_prove_itself():
    """A SCRAM server that says yes without its signature."""
    with FakeSmtp(EHLO=ehlo('AUTH SCRAM-SHA-256'), AUTH='235 ok') as server:
        r = deliver(server)
    assert (r.rc, r.dsn) == (TEMP, '4.7.0')
    assert server.commands[2:] == ['QUIT']


def test_the_next_server_is_asked():
    with FakeSmtp(EHLO=ehlo('AUTH PLAIN'), AUTH='535 5.7.8 bad') as first, \
            FakeSmtp(EHLO=ehlo('AUTH PLAIN'), AUTH='235 ok') as second:
        r = deliver(first, smtp_fallback_relay=second.nexthop)
    assert r.rc == OK
    assert second.messages


def test_long_credentials_wait_for_an_empty_challenge():
    long = 'x' * 600
    with FakeSmtp(EHLO=ehlo('AUTH PLAIN'), AUTH='334 ') as server:
        server.replies[b64(f'\0anna\0{long}').upper()] = '235 ok'
        r = deliver(server, smtp_sasl_password_maps=f'static:anna:{long}')
    assert r.rc == OK, r.text
    assert server.commands[1] == 'AUTH PLAIN'


@pytest.mark.parametrize('more,said', [
    ({'smtp_sasl_password_maps': ''}, 'smtp_sasl_password_maps: name a table'),
    ({'smtp_sasl_type': 'dovecot'}, 'smtp_sasl_type: only cyrus'),
    ({'smtp_sasl_security_options': 'noplain'}, '"noplain" is no such option'),
    ({'smtp_sasl_password_result_delimiter': '::'}, 'must be one character')])
def test_settings_that_make_no_sense(more, said):
    with SmtpAgent(**settings(**more)) as agent:
        agent.process.wait(120)
        assert said in agent.log()


def test_lmtp_has_its_own_settings():
    with FakeSmtp(lmtp=True, LHLO=ehlo('AUTH PLAIN'), AUTH='235 ok') as server, \
            SmtpAgent('lmtp', **{k.replace('smtp_', 'lmtp_'): v for k, v in
                                 settings().items()}) as agent:
        assert agent.one(f'inet:{server.nexthop}').rc == OK
    assert PLAIN in server.commands


# ---- real servers

@pytest.fixture(scope='module')
def dovecot():
    with Dovecot(users={'anna': 'secret', 'ben': 'word'}) as peer:
        yield peer


@pytest.fixture(scope='module')
def postfix(dovecot):
    """Takes mail only after a login, with or without TLS."""
    with Postfix(auth=dovecot.socket, settings={
            'smtpd_sasl_auth_enable': 'yes', 'mynetworks': '',
            'smtpd_recipient_restrictions':
            'permit_sasl_authenticated, reject'}) as peer:
        yield peer


@pytest.mark.parametrize('mechanism', [
    'plain', 'login', 'cram-md5', 'scram-sha-1', 'scram-sha-256'])
def test_postfix_with_dovecot(postfix, mechanism):
    with SmtpAgent(**settings(smtp_sasl_mechanism_filter=mechanism)) as agent:
        r = agent.one(f'[127.0.0.1]:{postfix.port}', f'{mechanism}@a.test')
    assert r.rc == OK, r.text
    [mail] = postfix.wait_mail(mechanism)
    assert 'Authenticated sender: anna' in mail['received']


@pytest.mark.parametrize('mechanism', ['plain', 'cram-md5', 'scram-sha-256'])
def test_postfix_refuses_a_wrong_password(postfix, mechanism):
    with SmtpAgent(**settings(
            smtp_sasl_mechanism_filter=mechanism,
            smtp_sasl_password_maps='static:anna:wrong')) as agent:
        r = agent.one(f'[127.0.0.1]:{postfix.port}')
    assert (r.rc, r.dsn) == (TEMP, '4.7.8')
    assert f'server {SERVER} said: 535 5.7.8 Error: authentication failed' \
        in r.text


# ---- with TLS

def test_options_of_a_connection(dovecot):
    """Plaintext only under TLS, the strict mechanism for who proved nothing."""
    with Postfix(auth=dovecot.socket) as peer:
        tls = settings(smtp_tls_security_level='encrypt',
                       smtp_host_lookup='native',
                       smtp_sasl_security_options='noplaintext, noanonymous',
                       smtp_sasl_mechanism_filter='plain, scram-sha-256')
        cases = [({'smtp_sasl_tls_security_options': 'noanonymous',
                   'smtp_sasl_mechanism_filter': 'plain'}, 'PLAIN'),
                 ({'smtp_sasl_tls_security_options': 'noplaintext',
                   'smtp_sasl_tls_verified_security_options': 'noanonymous',
                   'smtp_tls_security_level': 'verify',
                   'smtp_tls_CAfile': peer.ca,
                   'smtp_sasl_mechanism_filter': 'plain'}, 'PLAIN'),
                 ({}, 'SCRAM-SHA-256')]
        for n, (more, mechanism) in enumerate(cases):
            with SmtpAgent(**{**tls, **more}) as agent:
                r = agent.one(f'[localhost]:{peer.submission}', f'c{n}@a.test')
            assert r.rc == OK, r.text
            peer.wait_mail(f'c{n}')

        def used():
            return re.findall(r'sasl_method=([\w-]+)', peer.log())
        # Another process of Postfix writes its log.
        wait_until(lambda: len(used()) >= len(cases), 'all in the log')
        assert used() == [mechanism for _, mechanism in cases]
        for more in ({}, {'smtp_sasl_tls_verified_security_options':
                          'noanonymous'}):
            with SmtpAgent(**{**tls, 'smtp_sasl_mechanism_filter': 'plain',
                              **more}) as agent:
                r = agent.one(f'[localhost]:{peer.submission}')
            assert r.dsn == '4.7.0' and r.text.endswith('no mechanism available')


def test_tls_from_the_start(dovecot):
    with Postfix(auth=dovecot.socket, kind='rsa') as peer:
        with SmtpAgent(**settings(smtp_tls_security_level='encrypt',
                                  smtp_tls_wrappermode='yes')) as agent:
            r = agent.one(f'[127.0.0.1]:{peer.smtps}', 'w@a.test')
        assert r.rc == OK, r.text
        [mail] = peer.wait_mail('w')
        assert 'Authenticated sender: anna' in mail['received']


def test_a_relay_that_demands_tls(dovecot):
    with Postfix(auth=dovecot.socket) as peer:
        with SmtpAgent(**settings()) as agent:
            r = agent.one(f'[127.0.0.1]:{peer.submission}')
            assert (r.rc, r.dsn) == (PERM, '5.7.0')
            assert 'Must issue a STARTTLS command first' in r.text
        with SmtpAgent(**settings(smtp_tls_security_level='may')) as agent:
            assert agent.one(f'[127.0.0.1]:{peer.submission}').rc == OK


def test_a_password_does_not_follow_mail_into_the_clear():
    """An old message at level may, TLS fails, and a password waits."""
    old = {'arrived': int((time.time() - 3600) * 1e6)}
    for table, sessions in ('static:anna:secret', 1), \
            ('inline:{other.test=a:b}', 2):
        with FakeSmtp(EHLO=ehlo('STARTTLS', 'AUTH PLAIN'),
                      AUTH='235 ok', tls=lambda n: None) as server, \
                SmtpAgent(**settings(smtp_tls_security_level='may',
                                     smtp_sasl_password_maps=table)) as agent:
            agent.deliver(server.nexthop, 'b@remote.test', **old)
            assert len(server.sessions) == sessions
            assert PLAIN not in server.commands


def test_what_was_offered_before_tls_counts_no_more(dovecot):
    """A server with AUTH only in the clear."""
    with Postfix(settings={'smtpd_tls_security_level': 'may'}) as peer:
        with SmtpAgent(**settings(smtp_tls_security_level='encrypt')) as agent:
            assert agent.one(f'[127.0.0.1]:{peer.port}').rc == OK


@pytest.mark.parametrize('mechanism', [
    'scram-sha-256-plus', 'scram-sha-256', 'plain', 'login'])
def test_posta_to_posta(mechanism):
    """-PLUS binds the login to the TLS connection."""
    with Posta(start=False) as posta, SmtpAgent(**settings(
            smtp_tls_security_level='encrypt',
            smtp_sasl_mechanism_filter=mechanism,
            smtp_sasl_password_maps='static:alice@example.test:secret')) \
            as agent:
        posta.write('users', 'alice@example.test:{PLAIN}secret\n')
        posta.start()
        r = agent.one(f'[127.0.0.1]:{posta.base + 587}', 'bob@example.test',
                      b'From: alice@example.test\n\nHello.\n',
                      sender='alice@example.test')
        assert r.rc == OK, r.text
        posta.wait_log(f'sasl_method={mechanism.upper()}, '
                       'sasl_username=alice@example.test')
        posta.wait_maildir('bob', 1)


def test_exim_in_all_its_ways():
    with Exim(login=('anna', 'secret')) as peer:
        for mechanism in 'plain', 'login', 'cram-md5':
            with SmtpAgent(**settings(
                    smtp_sasl_mechanism_filter=mechanism)) as agent:
                r = agent.one(f'[127.0.0.1]:{peer.port}',
                              f'{mechanism}@a.test')
            assert r.rc == OK, r.text
            [mail] = peer.wait_mail(mechanism)
            assert 'esmtpa' in mail['received']
        with SmtpAgent(**settings(
                smtp_sasl_password_maps='static:anna:wrong')) as agent:
            r = agent.one(f'[127.0.0.1]:{peer.port}')
            assert (r.rc, r.dsn[:2]) == (TEMP, '4.')


def test_a_table_that_only_root_can_read(tmp_path):
    """It is opened before rights are dropped."""
    table = tmp_path / 'passwords'
    table.write_text('127.0.0.1 anna:secret\n')
    table.chmod(0o600)
    with Exim(login=('anna', 'secret')) as peer, Posta(settings=settings(
            relayhost=f'[127.0.0.1]:{peer.port}',
            smtp_sasl_password_maps=f'texthash:{table}')) as posta:
        posta.send('alice@example.test', 'rita@remote.test')
        peer.wait_mail('rita')
        assert 'secret' not in posta.log_text()
