"""TLS of the SMTP client: levels, certificates, policies; the test is qmgr."""
import contextlib
import hashlib
import re
import smtplib
import ssl
import time

import pytest

from harness import Exim, NameServer, Posta, Postfix, wait_until
from harness.certificates import Authority, fingerprint, public_key
from harness.fake_smtp import EHLO, HANG, FakeSmtp
from harness.smtp_agent import SmtpAgent

OK, TEMP, PERM = 0, 4, 5


@pytest.fixture(scope='module')
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp('ca'))


@pytest.fixture(scope='module')
def localhost(authority):
    return authority.sign('localhost')


def context(pair, least=ssl.TLSVersion.TLSv1_2, most=None, ciphers=None,
            clients=None):
    """A server's, with that certificate; clients: it asks for theirs."""
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(*pair)
    tls.minimum_version = least
    if most:
        tls.maximum_version = most
    if ciphers:
        tls.set_ciphers(ciphers)
    if clients:
        tls.load_verify_locations(clients)
        tls.verify_mode = ssl.CERT_OPTIONAL

    def named(sock, name, _):
        sock.asked_for = name
    tls.sni_callback = named
    return tls


def agent(level, **settings):
    """A client; names of hosts are those of /etc/hosts."""
    return SmtpAgent(smtp_tls_security_level=level, smtp_tls_loglevel='1',
                     **{'smtp_host_lookup': 'native', **settings})


def verbs(session):
    return [c.split()[0] for c in session.commands]


# ---- STARTTLS

def test_may_encrypts_where_it_can(localhost):
    with FakeSmtp(tls=context(localhost)) as server, agent('may') as client:
        r = client.one(server.nexthop)
        assert (r.rc, r.dsn) == (OK, '2.0.0')
        client.close()
        server.wait_ended()
        [s] = server.sessions
        assert s.clear == ['EHLO client.test', 'STARTTLS']
        assert verbs(s) == ['EHLO', 'MAIL', 'RCPT', 'DATA', 'QUIT']
        assert s.servername is None
        assert re.search(
            r'Untrusted TLS connection established to 127\.0\.0\.1'
            rf'\[127\.0\.0\.1\]:{server.port}: TLSv1\.3 with cipher '
            r'TLS_AES_256_GCM_SHA384 \(256/256 bits\) key-exchange X25519 '
            r'server-signature ECDSA \(prime256v1\) '
            r'server-digest SHA256\n', client.log())


@pytest.mark.parametrize('level', ['none', 'may'])
def test_without_an_offer_mail_goes_in_the_clear(level):
    with FakeSmtp() as server, agent(level) as client:
        assert client.one(server.nexthop).rc == OK
        assert 'STARTTLS' not in server.commands


def test_none_does_not_ask(localhost):
    with FakeSmtp(tls=context(localhost)) as server, \
            agent('none', smtp_tls_note_starttls_offer='yes') as client:
        assert client.one(server.nexthop).rc == OK
        assert not server.sessions[0].tls
        assert 'Host offered STARTTLS: [127.0.0.1]' in client.log()


@pytest.mark.parametrize('level', ['encrypt', 'verify', 'secure'])
def test_a_stripped_offer_is_noticed(level):
    """As somebody on the way would do it."""
    with FakeSmtp() as server, agent(level) as client:
        r = client.one(server.nexthop)
        assert (r.rc, r.dsn) == (TEMP, '4.7.4')
        assert r.text == ('TLS is required, but was not offered by host '
                          '127.0.0.1[127.0.0.1]')
        client.close()
        server.wait_ended()
        assert server.commands == ['EHLO client.test', 'QUIT']


def test_an_old_server_cannot_have_tls():
    with FakeSmtp(EHLO='500 what?') as server, agent('encrypt') as client:
        assert client.one(server.nexthop).dsn == '4.7.4'


def test_the_offer_may_be_ignored(localhost):
    with FakeSmtp(tls=context(localhost)) as server, \
            agent('may', smtp_discard_ehlo_keywords='starttls') as client:
        assert client.one(server.nexthop).rc == OK
        assert not server.sessions[0].tls
    with FakeSmtp(tls=context(localhost)) as server, \
            agent('encrypt', smtp_discard_ehlo_keywords='starttls') as client:
        assert client.one(server.nexthop).dsn == '4.7.4'


def test_an_offer_that_is_taken_back(localhost):
    replies = {'STARTTLS': '454 4.7.0 TLS not available'}
    with FakeSmtp(tls=context(localhost), **replies) as server, \
            agent('may') as client:
        assert client.one(server.nexthop).rc == OK
        assert verbs(server.sessions[0])[1:3] == ['STARTTLS', 'MAIL']
    with FakeSmtp(tls=context(localhost), **replies) as server, \
            agent('encrypt') as client:
        r = client.one(server.nexthop)
        assert (r.rc, r.dsn) == (TEMP, '4.7.0')
        assert r.text == (
            'TLS is required, but host 127.0.0.1[127.0.0.1] refused to start '
            'TLS: 454 4.7.0 TLS not available')


@pytest.mark.parametrize('reply', [None, HANG])
def test_no_reply_to_starttls(localhost, reply):
    with FakeSmtp(tls=context(localhost), STARTTLS=reply) as server, \
            agent('may', smtp_starttls_timeout='1s') as client:
        r = client.one(server.nexthop)
        assert (r.rc, r.dsn) == (TEMP, '4.4.2')
        assert 'while receiving the STARTTLS response' in r.text


INJECTED = [b'250-PIPELINING\r\n250 AUTH PLAIN\r\n', b'250 ok\r\n' * 100,
            b'554 5.7.1 go away\r\n', b'\0' * 2000]


@pytest.mark.parametrize('level', ['may', 'encrypt'])
@pytest.mark.parametrize('more', INJECTED)
def test_what_is_injected_before_the_switch_is_dropped(localhost, level, more):
    """Replies that come with the one to STARTTLS are not taken for ones that
    came encrypted."""
    with FakeSmtp(tls=context(localhost),
                  STARTTLS=b'220 2.0.0 go ahead\r\n' + more) as server, \
            agent(level) as client:
        r = client.one(server.nexthop)
        assert (r.rc, r.text) == (OK, '250 2.0.0 Ok: queued as F00')
        assert server.sessions[0].tls
        assert 'AUTH' not in client.log()


def test_a_reply_that_comes_before_the_command(localhost):
    """It is dropped with all else, but the real one follows."""
    early = EHLO.replace('250 DSN', '250-STARTTLS\n250 DSN') + '\n220 go'
    with FakeSmtp(tls=context(localhost), EHLO=early) as server, \
            agent('may') as client:
        r = client.one(server.nexthop)
        assert r.rc == TEMP
        assert not server.messages
        assert client.one(server.nexthop).rc == TEMP


def test_what_was_offered_in_the_clear_counts_no_more(localhost):
    """RFC 3207, 4.2: SIZE and DSN stood only in the first reply."""
    replies = [EHLO.replace('250 DSN', '250-STARTTLS\n250 DSN'),
               '250 fake.test']
    with FakeSmtp(tls=context(localhost), EHLO=replies) as server, \
            agent('may') as client:
        assert client.one(server.nexthop).rc == OK
        assert server.sessions[0].commands[1:3] == [
            'MAIL FROM:<a@example.test>', 'RCPT TO:<b@remote.test>']


def test_early_replies_in_tls(localhost):
    replies = [EHLO.replace('250 DSN', '250-STARTTLS\n250 DSN'),
               '250 fake.test\n250 2.1.0 Ok']
    for setting, rc in ('no', OK), ('yes', TEMP):
        with FakeSmtp(tls=context(localhost), EHLO=list(replies)) as server, \
                agent('may', smtp_tls_block_early_mail_reply=setting) \
                as client:
            r = client.one(server.nexthop)
            if rc == TEMP:
                assert (r.dsn, r.text) == ('4.7.0', 'unexpected server message')
                assert not server.messages


def test_large_content_in_tls(localhost):
    lines = [b'%d:' % i + b'.' * (i % 200) for i in range(40000)]
    content = b'Subject: big\n\n' + b'\n'.join(lines) + b'\n'
    for most in ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3:
        with FakeSmtp(tls=context(localhost, most=most)) as server, \
                agent('encrypt') as client:
            assert client.one(server.nexthop, message=content).rc == OK
            assert client.one(server.nexthop).rc == OK
            assert server.messages[0].replace(b'\r\n', b'\n') == content
            assert len(server.sessions) == 1


def test_a_real_server():
    with Exim(tls=True) as exim, \
            agent('verify', smtp_tls_CAfile=exim.ca,
                  smtp_tls_verify_cert_match='hostname') as client:
        assert client.one(f'[localhost]:{exim.port}').rc == OK
        [m] = exim.wait_mail('b')
        assert 'esmtps' in m['received']
        assert 'Verified TLS connection' in client.log()


def test_a_real_server_wrapped():
    with Exim(tls=True) as exim, \
            agent('encrypt', smtp_tls_wrappermode='yes') as client:
        assert client.one(f'[127.0.0.1]:{exim.smtps}').rc == OK
        assert 'esmtps' in exim.wait_mail('b')[0]['received']


def test_postfix():
    with Postfix(settings={'smtpd_tls_security_level': 'encrypt'}) as postfix, \
            agent('verify', smtp_tls_CAfile=postfix.ca) as client:
        for _ in range(2):
            assert client.one(f'[localhost]:{postfix.port}').rc == OK
        assert 'Verified TLS connection' in client.log()
        assert 'conn_use=2' in client.log()


# ---- wrapper mode

def test_wrapped(localhost):
    with FakeSmtp(tls=context(localhost), wrapped=True) as server, \
            agent('encrypt', smtp_tls_wrappermode='yes') as client:
        assert client.one(server.nexthop).rc == OK
        assert verbs(server.sessions[0])[:2] == ['EHLO', 'MAIL']


def test_wrapped_needs_a_level(localhost):
    with FakeSmtp(tls=context(localhost), wrapped=True) as server, \
            agent('may', smtp_tls_wrappermode='yes') as client:
        assert client.one(server.nexthop).dsn == '4.7.5'
        assert not server.sessions
        assert 'smtp_tls_wrappermode requires "smtp_tls_security_level = ' \
            'encrypt" (or stronger)' in client.log()


def test_wrapped_but_the_server_is_not():
    with FakeSmtp(GREETING=HANG) as server, \
            agent('encrypt', smtp_tls_wrappermode='yes',
                  smtp_starttls_timeout='1s') as client:
        r = client.one(server.nexthop)
        assert r.text == 'Cannot start TLS: handshake failure'


# ---- a handshake that fails

def test_a_failed_handshake_puts_off_a_fresh_message(localhost):
    with FakeSmtp(tls=lambda n: None) as server, agent('may') as client:
        delivered, [r] = client.deliver(server.nexthop, 'b@remote.test')
        assert (r.rc, r.dsn) == (TEMP, '4.7.5')
        assert r.text == 'Cannot start TLS: handshake failure'
        assert len(server.sessions) == 1
        assert not delivered['site_down']
        assert 'SSL_connect error to 127.0.0.1[127.0.0.1]:' in client.log()


OLD = {'arrived': int((time.time() - 3600) * 1e6)}


def test_then_it_goes_in_the_clear(localhost):
    with FakeSmtp(tls=lambda n: None) as server, agent('may') as client:
        assert client.one(server.nexthop, **OLD).rc == OK
        first, second = server.sessions
        assert first.clear == ['EHLO client.test', 'STARTTLS']
        assert 'STARTTLS' not in second.commands
        assert len(second.content) == 1
        # The session in the clear is not for the next message.
        client.one(server.nexthop)
        assert len(server.sessions) == 3


@pytest.mark.parametrize('level', ['encrypt', 'secure'])
def test_but_never_where_tls_is_needed(level):
    with FakeSmtp(tls=lambda n: None) as server, agent(level) as client:
        r = client.one(server.nexthop, **OLD)
        assert (r.dsn, r.text) == ('4.7.5',
                                   'Cannot start TLS: handshake failure')
        assert len(server.sessions) == 1
        assert not server.messages


def test_a_tls_session_that_breaks(localhost):
    """Once TLS works and the session is then lost, the same holds."""
    tls = context(localhost)
    with FakeSmtp(tls=tls, MAIL=[None, '250 Ok']) as server, \
            agent('may') as client:
        assert client.one(server.nexthop, **OLD).rc == OK
        assert server.sessions[0].tls and not server.sessions[1].tls
    with FakeSmtp(tls=tls, MAIL=[None, '250 Ok']) as server, \
            agent('may') as client:
        r = client.one(server.nexthop)
        assert (r.rc, r.dsn) == (TEMP, '4.4.2')
        assert len(server.sessions) == 1


def test_a_handshake_that_hangs():
    with FakeSmtp(tls=lambda _: server.stopping.wait() and None) as server, \
            agent('encrypt', smtp_starttls_timeout='4s') as client:
        assert client.one(server.nexthop).text == \
            'Cannot start TLS: handshake failure'
        assert 'Connection timed out' in client.log()


# ---- certificates

def deliver(pair, level='secure', nexthop='[localhost]', **settings):
    """One message to a server with that certificate, and the log."""
    with FakeSmtp(tls=context(pair)) as server, \
            agent(level, **settings) as client:
        r = client.one(f'{nexthop}:{server.port}')
        client.close()
        server.wait_ended()
        assert bool(server.messages) == (r.rc == OK)
        if r.rc != OK:
            assert verbs(server.sessions[0]) == ['QUIT']
        return r, client.log()


NOT_VERIFIED = 'Server certificate not verified'


@pytest.mark.parametrize('level', ['verify', 'secure'])
def test_a_good_certificate(authority, localhost, level):
    r, log = deliver(localhost, level, smtp_tls_CAfile=authority.ca)
    assert r.rc == OK
    assert 'Verified TLS connection established' in log


def test_a_folder_of_authorities(authority, localhost, tmp_path):
    (tmp_path / 'ca.pem').write_bytes(authority.ca.read_bytes())
    import subprocess
    subprocess.run(['openssl', 'rehash', tmp_path], check=True)
    assert deliver(localhost, smtp_tls_CApath=tmp_path)[0].rc == OK


def test_nobody_is_trusted_unless_named(localhost):
    for settings in {}, {'tls_append_default_CA': 'yes'}:
        r, log = deliver(localhost, **settings)
        assert (r.rc, r.dsn, r.text) == (TEMP, '4.7.5', NOT_VERIFIED)
        assert 'certificate verification failed for localhost[' in log
        assert 'Untrusted TLS connection established' in log


def test_trusted_where_it_does_not_matter(authority, localhost):
    for level in 'may', 'encrypt':
        r, log = deliver(localhost, level, smtp_tls_CAfile=authority.ca)
        assert r.rc == OK
        assert 'Trusted TLS connection established' in log


def test_self_signed(authority):
    r, log = deliver(authority.self_signed('localhost'),
                     smtp_tls_CAfile=authority.ca)
    assert r.text == NOT_VERIFIED
    assert 'self-signed certificate' in log
    r, _ = deliver(authority.self_signed('localhost'), 'encrypt',
                   smtp_tls_CAfile=authority.ca)
    assert r.rc == OK


def test_expired(authority):
    r, log = deliver(authority.expired('localhost'),
                     smtp_tls_CAfile=authority.ca)
    assert r.text == NOT_VERIFIED
    assert 'certificate has expired' in log


def test_the_wrong_name(authority):
    r, log = deliver(authority.sign('other.test'),
                     smtp_tls_CAfile=authority.ca)
    assert (r.rc, r.dsn, r.text) == (TEMP, '4.7.5', NOT_VERIFIED)
    assert 'Untrusted TLS connection established' in log
    assert 'num=62:hostname mismatch' in log


@pytest.mark.parametrize('match,rc', [
    ('other.test', OK), ('nexthop:other.test', OK), ('x.test', TEMP),
    ('.test', OK), ('.other.test', TEMP), ('hostname', TEMP)])
def test_names_to_match(authority, match, rc):
    r, _ = deliver(authority.sign('other.test'),
                   smtp_tls_CAfile=authority.ca,
                   smtp_tls_secure_cert_match=match)
    assert r.rc == rc


@pytest.mark.parametrize('deep,rc', [('yes', OK), ('no', TEMP)])
def test_wildcards(authority, deep, rc):
    pair = authority.sign('*.wild.test')
    for name, expected in (('a.wild.test', OK), ('a.b.wild.test', rc),
                           ('wild.test', TEMP)):
        r, _ = deliver(pair, smtp_tls_CAfile=authority.ca,
                       smtp_tls_secure_cert_match=name,
                       tls_wildcard_matches_multiple_labels=deep)
        assert r.rc == expected


def test_trust_anchors_of_their_own(authority, localhost, tmp_path):
    other = Authority(tmp_path)
    for anchor, rc in (authority.ca, OK), (other.ca, TEMP):
        r, _ = deliver(localhost, smtp_tls_trust_anchor_file=anchor,
                       smtp_tls_CAfile=authority.ca)
        assert r.rc == rc
    r, log = deliver_nothing(smtp_tls_trust_anchor_file='/nonexistent')
    assert (r.dsn, r.text) == ('4.7.5', 'client TLS configuration problem')


def deliver_nothing(level='secure', **settings):
    with FakeSmtp() as server, agent(level, **settings) as client:
        r = client.one(f'[localhost]:{server.port}')
        assert not server.sessions
        return r, client.log()


def test_fingerprints(authority, localhost):
    cert = localhost[0]
    key = hashlib.sha256(public_key(cert)).hexdigest()
    for print_, rc in ((fingerprint(cert), OK), (fingerprint(cert).lower(), OK),
                       (fingerprint(cert).replace(':', ''), OK), (key, OK),
                       (fingerprint(authority.ca), TEMP),
                       (f'{fingerprint(authority.ca)}, {key}', OK)):
        r, log = deliver(localhost, 'fingerprint',
                         smtp_tls_fingerprint_digest='sha256',
                         smtp_tls_fingerprint_cert_match=print_)
        assert r.rc == rc
        if rc == OK:
            assert 'Verified TLS connection' in log
        else:
            assert r.text == NOT_VERIFIED
    sha1 = fingerprint(cert, 'sha1')
    assert deliver(localhost, 'fingerprint', smtp_tls_fingerprint_digest='sha1',
                   smtp_tls_fingerprint_cert_match=sha1)[0].rc == OK


@pytest.mark.parametrize('prints', ['', 'AB:CD', 'wombat'])
def test_fingerprints_that_are_none(prints):
    r, log = deliver_nothing('fingerprint',
                             smtp_tls_fingerprint_cert_match=prints)
    assert r.text == 'client TLS configuration problem'
    assert 'fingerprint' in log


def test_server_name(localhost):
    for setting, name in (('', None), ('hostname', 'localhost'),
                          ('nexthop', 'localhost'), ('x.test', 'x.test')):
        with FakeSmtp(tls=context(localhost)) as server, \
                agent('may', smtp_tls_servername=setting) as client:
            assert client.one(f'[localhost]:{server.port}').rc == OK
            assert server.sessions[0].servername == name


# ---- versions and ciphers

@pytest.mark.parametrize('level,settings,version', [
    ('may', {'smtp_tls_protocols': '<=TLSv1.2'}, 'TLSv1.2'),
    ('may', {'smtp_tls_mandatory_protocols': '<=TLSv1.2'}, 'TLSv1.3'),
    ('encrypt', {'smtp_tls_mandatory_protocols': '!TLSv1.3'}, 'TLSv1.2'),
    ('encrypt', {'smtp_tls_protocols': '!TLSv1.3'}, 'TLSv1.3')])
def test_versions(localhost, level, settings, version):
    with FakeSmtp(tls=context(localhost)) as server, \
            agent(level, **settings) as client:
        assert client.one(server.nexthop).rc == OK
        assert server.sessions[0].tls == version


def test_no_version_in_common(localhost):
    tls = context(localhost, most=ssl.TLSVersion.TLSv1_2)
    with FakeSmtp(tls=tls) as server, \
            agent('encrypt', smtp_tls_mandatory_protocols='>=TLSv1.3') as c:
        assert c.one(server.nexthop).text == \
            'Cannot start TLS: handshake failure'


def test_ciphers(localhost):
    tls = context(localhost, most=ssl.TLSVersion.TLSv1_2,
                  ciphers='ECDHE-ECDSA-AES256-GCM-SHA384:'
                  'ECDHE-ECDSA-AES128-GCM-SHA256')
    for settings, cipher in (
            ({}, 'AES256'),
            ({'smtp_tls_exclude_ciphers': 'AES256'}, 'AES128'),
            ({'smtp_tls_mandatory_exclude_ciphers': 'AES256'}, 'AES128'),
            ({'tls_medium_cipherlist': 'AES128'}, 'AES128')):
        with FakeSmtp(tls=tls) as server, \
                agent('encrypt', **settings) as client:
            assert client.one(server.nexthop).rc == OK
            assert cipher in server.sessions[0].cipher


def test_anonymous(localhost):
    tls = context(localhost, most=ssl.TLSVersion.TLSv1_2,
                  ciphers='AECDH-AES256-SHA:@SECLEVEL=0')
    for level, rc in ('may', OK), ('encrypt', OK), ('secure', TEMP):
        with FakeSmtp(tls=tls) as server, agent(level) as client:
            assert client.one(server.nexthop).rc == rc
            if rc == OK:
                assert 'Anonymous TLS connection established' in client.log()


# ---- policies

def policy(**rows):
    """An inline table; the names of its keywords are of no meaning."""
    return 'inline:{' + ', '.join(
        '{ %s = %s }' % pair for pair in rows.values()) + '}'


def result(table, level='may', nexthop='[localhost]:{port}', pair=None, **more):
    with FakeSmtp(tls=context(pair) if pair else None) as server, \
            agent(level, smtp_tls_policy_maps=table.replace(
                '{port}', str(server.port)), **more) as client:
        r = client.one(nexthop.format(port=server.port))
        return r, client.log(), server


def test_next_hops_are_looked_for_as_they_are(localhost):
    for key, rc in (('[localhost]:{port}', TEMP), ('[localhost]', OK),
                    ('localhost', OK), ('LOCALHOST', OK)):
        r, _, _ = result(policy(a=(key, 'encrypt')))
        assert (r.rc, key) == (rc, key)


ZONE = '''
remote IN MX 10 mail.remote
mail.remote IN A 127.0.0.1
sub.remote IN MX 10 mail.remote
'''


def test_parents_and_exchangers(authority):
    """Rows for domains, their parents, and names that may be matched."""
    mail = authority.sign('mail.remote.test')
    domain = authority.sign('remote.test')
    with NameServer({'test': ZONE}) as ns, \
            FakeSmtp(tls=context(mail)) as server, \
            FakeSmtp(tls=context(domain)) as other:
        def run(port, nexthop, key, value):
            with agent('none', smtp_host_lookup='dns', dns_servers=ns.address,
                       smtp_tcp_port=port, smtp_tls_CAfile=authority.ca,
                       smtp_tls_policy_maps=policy(a=(key, value))) as client:
                return client.one(nexthop).text
        good = '250 2.0.0 Ok: queued as F00'
        for nexthop, key in (('remote.test', 'remote.test'),
                             ('remote.test', '.test'),
                             ('sub.remote.test', '.remote.test')):
            # The exchanger's name is not to be trusted: DNS said so.
            assert run(server.port, nexthop, key, 'secure') == (
                good if nexthop == 'remote.test' else NOT_VERIFIED)
            assert run(server.port, nexthop, key, 'verify') == good
            assert run(server.port, nexthop, key,
                       'secure match=hostname') == good
            assert run(other.port, nexthop, key, 'verify') == NOT_VERIFIED
        assert run(other.port, 'remote.test', 'remote.test', 'secure') == good
        assert run(other.port, 'remote.test', '.remote.test',
                   'fingerprint') == good  # no such row: none


def test_attributes(authority, localhost):
    ca, print_ = authority.ca, fingerprint(localhost[0])
    for value, rc in (('secure', TEMP), (f'secure tafile={ca}', OK),
                      (f'secure tafile={ca} match=x.test', TEMP),
                      (f'secure tafile={ca} match=x.test:nexthop', OK),
                      (f'secure tafile={ca} match=x.test match=nexthop', OK),
                      (f'fingerprint match={print_}', OK),
                      (f'fingerprint match={fingerprint(ca)}|{print_}', OK),
                      (f'fingerprint match={fingerprint(ca)}', TEMP),
                      ('none', OK)):
        r, _, server = result(policy(a=('[localhost]:{port}', value)),
                              pair=localhost,
                              smtp_tls_fingerprint_digest='sha256')
        assert (r.rc, value) == (rc, value)
        assert bool(server.sessions[0].tls) == (value != 'none')


def test_attributes_of_the_handshake(localhost):
    _, _, server = result(policy(a=(
        '[localhost]:{port}', 'may protocols=TLSv1.2 exclude=AES256 '
        'servername=asked.test, ciphers=high connection_reuse=yes')),
        pair=localhost)
    [s] = server.sessions
    assert s.tls == 'TLSv1.2'
    assert s.servername == 'asked.test'
    assert 'AES256' not in s.cipher


@pytest.mark.parametrize('value,what', [
    ('wombat', 'invalid security level "wombat"'),
    ('half-dane', 'invalid security level "half-dane"'),
    ('may match=x', 'attribute "match" invalid at security level "may"'),
    ('encrypt tafile=/x', 'invalid at security level "encrypt"'),
    ('secure match=', 'attribute "match" has empty value'),
    ('secure match', 'malformed attribute/value pair "match"'),
    ('may ciphers=high ciphers=low', 'is specified multiple times'),
    ('may ciphers=best', 'unknown TLS cipher grade "best"'),
    ('may protocols=TLSv9', 'bad TLS protocol "TLSv9"'),
    ('may exclude=-RC4', 'bad name of TLS ciphers to exclude'),
    ('may colour=blue', 'invalid attribute name: "colour"'),
    ('may servername=a_b..c', 'specifies an invalid hostname'),
    ('may connection_reuse=2', 'attribute "connection_reuse" has bad value')])
def test_bad_rows_stop_mail(value, what):
    r, log, server = result(policy(a=('[localhost]:{port}', value)))
    assert (r.rc, r.dsn) == (TEMP, '4.7.5')
    assert r.text == 'client TLS configuration problem'
    assert what in log
    assert f'"[localhost]:{server.port}"' in log
    assert not server.sessions


def test_a_table_that_fails():
    r, log, _ = result('texthash:/nonexistent')
    assert r.text == 'client TLS configuration problem'


def test_attributes_at_level_none():
    r, log, _ = result(policy(a=('[localhost]:{port}', 'none ciphers=high')))
    assert r.rc == OK
    assert 'ignoring attribute "ciphers=high" with TLS disabled' in log


def test_old_parameters(authority, localhost):
    for settings, secured in (({}, False), ({'smtp_use_tls': 'yes'}, True),
                              ({'smtp_enforce_tls': 'yes',
                                'smtp_tls_enforce_peername': 'no'}, True)):
        with FakeSmtp(tls=context(localhost)) as server, \
                agent('', **settings) as client:
            assert client.one(server.nexthop).rc == OK
            assert bool(server.sessions[0].tls) == secured
    with FakeSmtp(tls=context(localhost)) as server, \
            agent('', smtp_enforce_tls='yes') as client:
        assert client.one(server.nexthop).text == NOT_VERIFIED


def test_no_authorities_to_be_had(localhost):
    """What need not be encrypted still goes."""
    for level, text in (
            ('may', '250 2.0.0 Ok: queued as F00'),
            ('encrypt', 'TLS is required, but our TLS engine is unavailable')):
        with FakeSmtp(tls=context(localhost)) as server, \
                agent(level, smtp_tls_CAfile='/nonexistent') as client:
            assert client.one(server.nexthop).text == text
            assert 'warning: TLS is disabled: cannot load CAfile' in \
                client.log()


# ---- sessions

@pytest.mark.parametrize('most', [ssl.TLSVersion.TLSv1_2,
                                  ssl.TLSVersion.TLSv1_3])
def test_sessions_are_gone_on_with(authority, localhost, most):
    for level, name in ('may', 'Trusted'), ('secure', 'Verified'):
        with FakeSmtp(tls=context(localhost, most=most)) as server, \
                agent(level, smtp_tls_CAfile=authority.ca,
                      smtp_tls_session_cache_database='btree:/x',
                      smtp_connection_cache_on_demand='no') as client:
            for _ in range(3):
                assert client.one(f'[localhost]:{server.port}').rc == OK
            client.close()
            server.wait_ended()
            assert [s.resumed for s in server.sessions] == [False, True, True]
            assert client.log().count(f'{name} TLS connection est') == 3


def test_but_only_where_asked_to(localhost):
    with FakeSmtp(tls=context(localhost)) as server, \
            agent('may', smtp_connection_cache_on_demand='no') as client:
        for _ in range(2):
            assert client.one(server.nexthop).rc == OK
        assert [s.resumed for s in server.sessions] == [False, False]


def test_a_session_that_was_not_believed_is_not_gone_on_with(localhost):
    with FakeSmtp(tls=context(localhost)) as server, \
            agent('secure', smtp_tls_session_cache_database='btree:/x') as c:
        for _ in range(2):
            assert c.one(f'[localhost]:{server.port}').text == NOT_VERIFIED
        assert [s.resumed for s in server.sessions] == [False, False]


def test_an_open_session_is_not_for_other_demands(localhost, tmp_path):
    table = tmp_path / 'policy'
    table.write_text('# none\n')
    with FakeSmtp(tls=context(localhost)) as server, \
            agent('may', smtp_tls_policy_maps=f'texthash:{table}',
                  smtp_connection_cache_time_limit='30s') as client:
        def send():
            assert client.one(server.nexthop).rc == OK
            return len(server.sessions)
        assert [send(), send()] == [1, 1]
        new = tmp_path / 'new'
        new.write_text(f'{server.nexthop} encrypt\n')
        new.rename(table)
        wait_until(lambda: send() == 2, 'a look at the table')
        assert send() == 2


# ---- LMTP

def test_lmtp(authority, localhost, tmp_path):
    path = tmp_path / 'lmtp'
    with FakeSmtp(tls=context(localhost), lmtp=True, path=path) as server, \
            SmtpAgent('lmtp', lmtp_tls_security_level='encrypt',
                      lmtp_tls_loglevel='1') as client:
        assert client.one(f'unix:{path}').rc == OK
        assert server.sessions[0].clear == ['LHLO client.test', 'STARTTLS']
        assert verbs(server.sessions[0])[0] == 'LHLO'
    with FakeSmtp(tls=context(localhost), lmtp=True) as server, \
            SmtpAgent('lmtp', lmtp_tls_security_level='secure',
                      lmtp_host_lookup='native',
                      lmtp_tls_CAfile=authority.ca) as client:
        assert client.one(f'inet:[localhost]:{server.port}').rc == OK
    with FakeSmtp(lmtp=True, path=path.with_name('x')) as server, \
            SmtpAgent('lmtp', lmtp_tls_policy_maps=policy(
                a=(path.with_name('x'), 'encrypt'))) as client:
        assert client.one(f'unix:{path.with_name("x")}').dsn == '4.7.4'


def test_dane_has_no_meaning_on_a_socket(tmp_path):
    path = tmp_path / 'lmtp'
    with FakeSmtp(lmtp=True, path=path), \
            SmtpAgent('lmtp', lmtp_tls_security_level='dane') as client:
        assert client.one(f'unix:{path}').dsn == '4.7.5'


# ---- settings

@pytest.mark.parametrize('settings', [
    {'smtp_tls_security_level': 'wombat'}, {'smtp_tls_loglevel': 'many'},
    {'smtp_tls_dane_insecure_mx_policy': 'secure'}])
def test_wrong_settings_are_fatal(settings):
    with contextlib.suppress(OSError), SmtpAgent(**settings) as client:
        client.process.wait(120)
        assert client.process.returncode == 1
        assert 'unknown value' in client.log()


# ---- the whole suite

def send(posta, rcpt):
    posta.send('x@example.test', [rcpt], b'Subject: x\r\n\r\nHello.\r\n')


def test_through_the_suite():
    """Authorities that only root may read are read before rights are given
    up; sandboxed processes verify, resume and log."""
    with Exim(tls=True) as exim, NameServer({'remote.test': '@ IN MX 10 mx\n'
                                             'mx IN A 127.0.0.1\n'}) as names, \
            Posta(settings={
                'dns_servers': names.address, 'smtp_tcp_port': exim.port,
                'smtp_tls_security_level': 'secure',
                'smtp_tls_secure_cert_match': 'nexthop:localhost',
                'smtp_tls_session_cache_database':
                    'btree:${data_directory}/smtp_scache',
                'smtp_connection_cache_on_demand': 'no',
                'smtp_tls_loglevel': '1'}, start=False) as posta:
        ca = posta.top / 'ca.pem'
        ca.write_bytes(exim.ca.read_bytes())
        ca.chmod(0o600)
        posta.set(smtp_tls_CAfile=ca)
        posta.start()
        for n in range(3):
            send(posta, f'u{n}@remote.test')
            exim.wait_mail(f'u{n}')
        posta.wait_log(r'Verified TLS connection established to '
                       rf'mx\.remote\.test\[127\.0\.0\.1\]:{exim.port}: TLSv1',
                       3)
        posta.wait_empty()


def test_a_broken_server_gets_it_in_the_clear_later():
    with FakeSmtp(tls=lambda n: None) as server, \
            Posta(settings={'relayhost': server.nexthop,
                            'smtp_tls_security_level': 'may',
                            'minimal_backoff_time': '2s',
                            'queue_run_delay': '1s'}) as posta:
        send(posta, 'u@remote.test')
        posta.wait_log(r'dsn=4\.7\.5, status=deferred \(Cannot start TLS: '
                       r'handshake failure\)')
        posta.wait_log(r'to=<u@remote\.test>.*status=sent')
        posta.wait_empty()
        assert len(server.messages) == 1


# ---- our own certificate

def common_name(certificate):
    """Of what ssl's getpeercert says; None where there was none."""
    return certificate and dict(
        pair for rdn in certificate['subject'] for pair in rdn)['commonName']


@pytest.mark.parametrize('most', [ssl.TLSVersion.TLSv1_2,
                                  ssl.TLSVersion.TLSv1_3])
def test_the_server_sees_our_certificate(authority, localhost, tmp_path, most):
    """Its key is with the role keys; a new one is used soon."""
    pem = tmp_path / 'client.pem'

    def give(name, kind):
        cert, key = authority.sign(name, kind=kind)
        new = tmp_path / 'new'
        new.touch(0o600)
        new.write_text(key.read_text() + cert.read_text())
        new.rename(pem)
    give('one.test', 'ec')
    tls = context(localhost, most=most, clients=authority.ca)
    with FakeSmtp(tls=tls) as server, \
            Posta(settings={'relayhost': server.nexthop,
                            'smtp_tls_security_level': 'encrypt',
                            'smtp_tls_loglevel': '1',
                            'smtp_tls_chain_files': pem,
                            'smtp_connection_cache_on_demand': 'no'}) as posta:
        def seen():
            count = len(server.messages)
            send(posta, 'u@remote.test')
            wait_until(lambda: len(server.messages) > count, 'the message')
            return common_name(server.sessions[-1].certificate)
        assert seen() == 'one.test'
        give('two.test', 'rsa')
        wait_until(lambda: seen() == 'two.test', 'the new certificate')
        if most == ssl.TLSVersion.TLSv1_3:
            posta.wait_log(r'client-signature ECDSA \(prime256v1\) '
                           r'client-digest SHA256')
            posta.wait_log(r'client-signature RSA-PSS \(2048 bits\)')


def test_a_certificate_that_cannot_be_had(authority, localhost):
    tls = context(localhost, clients=authority.ca)
    with FakeSmtp(tls=tls) as server, \
            agent('encrypt', smtp_tls_cert_file='/nonexistent') as client:
        assert client.one(server.nexthop).rc == OK
        assert server.sessions[0].certificate in ({}, None)
        assert 'warning: client certificate: cannot reach the service keys' \
            in client.log()


# ---- Postfix's own client says the same

def cases(authority, localhost):
    """By name: the server's arguments, settings."""
    good, ca = context(localhost), {'smtp_tls_CAfile': authority.ca}
    old = context(localhost, most=ssl.TLSVersion.TLSv1_2)
    level = 'smtp_tls_security_level'
    curve = context(localhost)
    curve.set_ecdh_curve('prime256v1')
    prints = {'smtp_tls_fingerprint_digest': 'sha256'}
    return {
        'none': ({'tls': good}, {level: 'none'}),
        'may': ({'tls': good}, {level: 'may'}),
        'trusted': ({'tls': good}, {level: 'may', **ca}),
        'twelve': ({'tls': old}, {level: 'may'}),
        'rsa': ({'tls': context(authority.sign('localhost', kind='rsa'))},
                {level: 'may'}),
        'curve': ({'tls': curve}, {level: 'may'}),
        'stripped': ({}, {level: 'encrypt'}),
        'refused': ({'tls': good, 'STARTTLS': '454 4.7.0 not now'},
                    {level: 'encrypt'}),
        'garbage': ({'tls': lambda n: None}, {level: 'encrypt'}),
        'optional': ({'tls': lambda n: None}, {level: 'may'}),
        'hangup': ({'tls': good, 'STARTTLS': None}, {level: 'may'}),
        'secure': ({'tls': good}, {level: 'secure', **ca}),
        'unknown': ({'tls': good}, {level: 'secure'}),
        'selfmade': ({'tls': context(authority.self_signed('localhost'))},
                     {level: 'verify', **ca}),
        'expired': ({'tls': context(authority.expired('localhost'))},
                    {level: 'verify', **ca}),
        'other': ({'tls': context(authority.sign('other.test'))},
                  {level: 'verify', **ca}),
        'print': ({'tls': good}, {
            level: 'fingerprint', **prints,
            'smtp_tls_fingerprint_cert_match': fingerprint(localhost[0])}),
        'noprint': ({'tls': good}, {
            level: 'fingerprint', **prints,
            'smtp_tls_fingerprint_cert_match': fingerprint(authority.ca)}),
        'wrapped': ({'tls': good, 'wrapped': True},
                    {level: 'encrypt', 'smtp_tls_wrappermode': 'yes'}),
    }


def words(log, case):
    """What is said of TLS, and of the recipient."""
    said = re.findall(r'(?:server )?certificate verification failed for .*',
                      log)
    said += re.findall(r'\w+ TLS connection established to .*', log)
    said += re.findall(rf'to=<b@{case}\.test>,.* (dsn=.* status=.*)', log)
    return said


def test_the_same_words_as_postfix(authority, localhost):
    with contextlib.ExitStack() as stack:
        all_, rows, routes = {}, '', []
        for name, (kw, settings) in cases(authority, localhost).items():
            server = stack.enter_context(FakeSmtp(**kw))
            settings = {'smtp_tls_loglevel': '1', **settings}
            all_[name] = server, settings
            rows += f'{name} unix - - n - - smtp' + ''.join(
                f'\n    -o {k}={v}' for k, v in settings.items()) + '\n'
            routes.append(f'{{ {name}.test = {name}:[localhost]:'
                          f'{server.port} }}')
        postfix = stack.enter_context(Postfix(master=rows, settings={
            'virtual_mailbox_domains': '', 'smtp_host_lookup': 'native',
            'transport_maps': 'inline:{' + ', '.join(routes) + '}'}))
        with smtplib.SMTP('127.0.0.1', postfix.port) as smtp:
            for name in all_:
                smtp.sendmail('a@example.test', f'b@{name}.test', 'x\r\n')
        differ = []
        for name, (server, settings) in all_.items():
            wait_until(lambda: f'to=<b@{name}.test>' in postfix.log(),
                       f'Postfix to try {name}')
            with SmtpAgent(smtp_host_lookup='native', **settings) as client:
                client.one(f'[localhost]:{server.port}', f'b@{name}.test')
                ours = words(client.log(), name)
            # One log, several processes: lines of that server's port.
            theirs = words('\n'.join(
                line for line in postfix.log().split('\n')
                if f']:{server.port}: ' in line or f'<b@{name}.test>' in line),
                name)
            differ += [(name, ours, theirs)] if ours != theirs else []
        assert not differ
