"""TLS of the SMTP server: handshakes, certificates, tickets, who holds keys."""
import contextlib
import os
import pathlib
import re
import shutil
import socket
import ssl
import subprocess
import time

import pytest

from harness import Posta, Postfix
from harness.certificates import Authority, fingerprint, public_key
from harness.fake_smtp import FakeSmtp
from harness.raw_smtp import RawSmtp
from harness.wait import wait_until

NAME = 'mail.example.test'


@pytest.fixture(scope='module')
def authority(tmp_path_factory):
    folder = tmp_path_factory.mktemp('ca')
    for part in (folder, *folder.parents[:3]):
        part.chmod(0o755)
    return Authority(folder)


@pytest.fixture(scope='module')
def chain(authority):
    """RSA and ECDSA, in one file."""
    path = authority.folder / 'chain.pem'
    text = ''
    for kind in ('rsa', 'ec'):
        cert, key = authority.sign(NAME, kind=kind)
        text += key.read_text() + cert.read_text()
    path.write_text(text)
    return path


def posta(chain, level='may', services='', **settings):
    return Posta(services=services, settings={
        'smtpd_tls_chain_files': chain, 'smtpd_tls_security_level': level,
        'smtpd_tls_loglevel': '1', 'smtpd_tls_received_header': 'yes',
        **settings})


def wrapped(p, chain, **settings):
    """A row for implicit TLS."""
    return f'{p} inet n - n - - smtpd\n  -o smtpd_tls_wrappermode=yes\n'


def context(authority, least=None, most=None, pair=None):
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    tls.load_verify_locations(authority.ca)
    tls.check_hostname = True
    if least:
        tls.minimum_version = least
    if most:
        tls.maximum_version = most
    if pair:
        tls.load_cert_chain(*pair)
    return tls


class Client(RawSmtp):
    """With TLS after STARTTLS."""

    def starttls(self, tls, name=NAME, session=None):
        assert self.say('STARTTLS') == '220 2.0.0 Ready to start TLS'
        return self.encrypt(tls, name, session)

    def encrypt(self, tls, name=NAME, session=None):
        self.file.close()
        self.socket = tls.wrap_socket(self.socket, server_hostname=name,
                                      session=session)
        self.file = self.socket.makefile('rb')
        return self

    def hello(self):
        self.send('EHLO client.test\r\n')
        return [line[4:] for line in self.reply()]

    @property
    def serial(self):
        return fingerprint_of(self.socket.getpeercert(True))


def fingerprint_of(der):
    import hashlib
    return hashlib.sha256(der).hexdigest()


def s_client(port, *args, text='QUIT\r\n'):
    done = subprocess.run(
        ['openssl', 's_client', '-connect', f'127.0.0.1:{port}', *args],
        input=text, text=True, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, timeout=60)
    return done.stdout


def process(p, service):
    """Process ids of a service: template and workers."""
    def named(pid):
        try:
            words = pathlib.Path(f'/proc/{pid}/cmdline').read_bytes()
        except OSError:
            return False
        return b'-n\0' + service.encode() + b'\0' in words
    return [pid for pid in p.pids() if named(pid)]


# ---- the handshake

def test_session(authority, chain):
    with posta(chain) as p, Client(p.port) as c:
        assert 'STARTTLS' in c.hello()
        c.starttls(context(authority))
        assert 'STARTTLS' not in c.hello()
        assert c.say('STARTTLS') == '554 5.5.1 Error: TLS already active'
        c.start(hello='EHLO again.test')
        assert c.say('Subject: x\r\n\r\ntext\r\n.').startswith('250 ')
        assert c.say('QUIT') == '221 2.0.0 Bye'
        text = p.wait_maildir('alice', 1)[0].decode()
        assert re.search(
            r'^Received: from again\.test \(localhost \[127\.0\.0\.1\]\)\n'
            r'\t\(using TLSv1\.3 with cipher TLS_AES_256_GCM_SHA384 '
            r'\(256/256 bits\)\n'
            r'\t key-exchange X25519 server-signature \S+ \([^)]*\) '
            r'server-digest SHA256\)\n'
            r'\t\(No client certificate requested\)\n'
            r'\tby \S+ \(Posta\) with ESMTPS id \w+\n', text, re.M), text
        p.wait_log(r'smtpd\[\d+\]: Anonymous TLS connection established from '
                   r'localhost\[127\.0\.0\.1\]: TLSv1\.3 with cipher '
                   r'TLS_AES_256_GCM_SHA384 \(256/256 bits\) key-exchange '
                   r'X25519 server-signature (ECDSA \(prime256v1\)|RSA-PSS '
                   r'\(2048 bits\)) server-digest SHA256$')
        p.wait_log(r'disconnect from \S+ ehlo=3 starttls=1/2 mail=1 rcpt=1 '
                   r'data=1 quit=1 commands=8/9$')


@pytest.mark.parametrize('args, kind', [
    (['-sigalgs', 'ECDSA+SHA256:RSA-PSS+SHA256'], 'ECDSA'),
    (['-sigalgs', 'RSA-PSS+SHA256'], 'RSA-PSS'),
    (['-tls1_2', '-cipher', 'ECDHE-RSA-AES128-GCM-SHA256'], 'RSA-PSS'),
    (['-tls1_2', '-cipher', 'ECDHE-ECDSA-AES128-GCM-SHA256'], 'ECDSA'),
    (['-tls1_2', '-sigalgs', 'RSA+SHA384'], 'RSA'),
    (['-curves', 'P-384'], ''),
    (['-ciphersuites', 'TLS_CHACHA20_POLY1305_SHA256'], '')])
def test_both_certificates_are_had(chain, args, kind):
    with posta(chain) as p:
        said = s_client(p.port, '-starttls', 'smtp', '-brief', *args)
        assert 'CONNECTION ESTABLISHED' in said, said
        if kind:
            assert f'Signature type: {kind}\n' in said, said


@pytest.mark.parametrize('args', [
    ['-tls1'], ['-tls1_1'], ['-tls1_2', '-cipher', 'AES256-SHA'],
    ['-tls1_2', '-cipher', 'ADH@SECLEVEL=0'], ['-alpn', 'http/1.1'],
    ['-alpn', 'h2,http/1.1']])
def test_what_is_not_had(chain, args):
    with posta(chain) as p:
        said = s_client(p.port, '-starttls', 'smtp', '-brief', *args)
        assert 'ESTABLISHED' not in said
        p.wait_log(r'SSL_accept error from localhost\[127\.0\.0\.1\]: -1')
        p.wait_log('warning: TLS library problem: error:')
        p.wait_log(r'lost connection after STARTTLS from localhost')
        p.wait_log(r'starttls=0/1 ')


def test_old_versions_where_the_site_wants_them(chain):
    with posta(chain, smtpd_tls_protocols='>=TLSv1') as p:
        for version in ('-tls1', '-tls1_1'):
            said = s_client(p.port, '-starttls', 'smtp', '-brief', version,
                            '-cipher', 'DEFAULT@SECLEVEL=0')
            assert 'CONNECTION ESTABLISHED' in said, said


def test_alpn_of_mail(chain):
    with posta(chain) as p:
        said = s_client(p.port, '-starttls', 'smtp', '-alpn', 'smtp')
        assert 'ALPN protocol: smtp' in said, said


def test_ciphers_and_curves_as_main_cf_says(chain):
    with posta(chain, tls_preempt_cipherlist='yes', tls_eecdh_auto_curves=
               'secp384r1 no-such-curve', smtpd_tls_exclude_ciphers=
               'AES256, CHACHA20') as p:
        said = s_client(p.port, '-starttls', 'smtp', '-brief', '-tls1_2')
        assert 'Ciphersuite: ECDHE-ECDSA-AES128-GCM-SHA256' in said, said
        assert 'ECDH, secp384r1' in said, said


def test_nothing_before_tls_where_it_is_demanded(authority, chain):
    with posta(chain, 'encrypt') as p, Client(p.port) as c:
        assert 'STARTTLS' in c.hello()
        for command in ('MAIL FROM:<a@b.test>', 'VRFY alice', 'RSET',
                        'ETRN x.test'):
            assert c.say(command) == \
                '530 5.7.0 Must issue a STARTTLS command first'
        assert c.say('NOOP') == '250 2.0.0 Ok'
        c.starttls(context(authority))
        c.start()


def test_no_starttls_without_level_or_certificate(chain):
    with posta(chain, 'none') as p, Client(p.port) as c:
        assert 'STARTTLS' not in c.hello()
        assert c.say('STARTTLS') == \
            '502 5.5.1 Error: command not implemented'
    with posta('/nowhere/chain.pem') as p, Client(p.port) as c:
        assert 'STARTTLS' not in c.hello()
        assert c.say('STARTTLS') == \
            '454 4.7.0 TLS not available due to local problem'
        assert c.say('STARTTLS now') == '501 5.5.4 Syntax: STARTTLS'
        p.wait_log('no TLS with chain /nowhere/chain.pem: '
                   'cannot read /nowhere/chain.pem: No such file')
        c.start()


# ---- from the first byte

def test_wrapped(authority, chain, tmp_path):
    with posta(chain, 'none') as p:
        port = p.base + 465
        with open(p.dir / 'master.cf', 'a') as f:
            f.write(f'{port} inet n - n - - smtpd\n'
                    '  -o smtpd_tls_wrappermode=yes\n')
        p.reload()
        with Client(port, greeting=False) as c:
            c.encrypt(context(authority))
            assert c.reply()[-1].startswith('220 ')
            assert 'STARTTLS' not in c.hello()
            c.start()
            c.say('Subject: x\r\n\r\n.')
        mail = tmp_path / 'mail'
        mail.write_text('Subject: x\n\ntext\n')
        subprocess.run(
            ['curl', '-sS', '--cacert', authority.ca, '--resolve',
             f'{NAME}:{port}:127.0.0.1', f'smtps://{NAME}:{port}',
             '--mail-from', 'a@b.test', '--mail-rcpt', 'alice@example.test',
             '-T', mail], check=True, timeout=60)
        subprocess.run(
            ['swaks', '--tls-on-connect', '--server', f'127.0.0.1:{port}',
             '--from', 'a@b.test', '--to', 'alice@example.test'], check=True,
            timeout=60, stdout=subprocess.DEVNULL)
        assert len(p.wait_maildir('alice', 3)) == 3
        with socket.create_connection(('127.0.0.1', port)) as c:
            c.sendall(b'EHLO client.test\r\n')
            while c.recv(1000):
                pass
        p.wait_log('lost connection after CONNECT from localhost')


def test_swaks_and_curl_with_starttls(authority, chain, tmp_path):
    with posta(chain) as p:
        mail = tmp_path / 'mail'
        mail.write_text('Subject: x\n\ntext\n')
        subprocess.run(
            ['curl', '-sS', '--ssl-reqd', '--cacert', authority.ca,
             '--resolve', f'{NAME}:{p.port}:127.0.0.1',
             f'smtp://{NAME}:{p.port}', '--mail-from', 'a@b.test',
             '--mail-rcpt', 'alice@example.test', '-T', mail], check=True,
            timeout=60)
        for protocol in ('tlsv1_2', 'tlsv1_3'):
            subprocess.run(
                ['swaks', '--tls', '--tls-protocol', protocol, '--server',
                 f'127.0.0.1:{p.port}', '--from', 'a@b.test', '--to',
                 'alice@example.test'], check=True, timeout=60,
                stdout=subprocess.DEVNULL)
        p.wait_maildir('alice', 3)


# ---- what comes before, or instead of, a handshake

def test_injection_is_cut_off(chain):
    with posta(chain) as p, Client(p.port) as c:
        c.hello()
        c.send('STARTTLS\r\nMAIL FROM:<evil@client.test>\r\n')
        assert c.reply() == ['554 5.5.0 Error: SMTP protocol synchronization']
        assert c.closed()


def test_injected_commands_are_never_done(authority, chain):
    with posta(chain, smtpd_forbid_unauth_pipelining='no') as p, \
            Client(p.port) as c:
        c.hello()
        c.send('STARTTLS\r\nEHLO evil.test\r\nMAIL FROM:<evil@client.test>\r\n'
               'RCPT TO:<alice@example.test>\r\n')
        assert c.reply() == ['220 2.0.0 Ready to start TLS']
        c.encrypt(context(authority))
        # Nothing of it was answered, and nothing counts.
        assert c.say('DATA') == '503 5.5.1 Error: need RCPT command'
        assert c.say('RCPT TO:<alice@example.test>') == \
            '503 5.5.1 Error: need MAIL command'
        assert c.say('EHLO client.test').startswith('250 ')
        c.say('QUIT')
        p.wait_log(r'disconnect from \S+ ehlo=2 starttls=1 ')
        assert 'evil' not in re.sub(r'.*improper command pipelining.*\n', '',
                                    p.log_text())


def test_transaction_and_name_are_forgotten(authority, chain):
    with posta(chain, smtpd_helo_required='yes') as p, Client(p.port) as c:
        c.talk('EHLO client.test', 'MAIL FROM:<a@client.test>',
               'RCPT TO:<alice@example.test>')
        c.starttls(context(authority))
        assert c.say('DATA') == '503 5.5.1 Error: need RCPT command'
        assert c.say('MAIL FROM:<a@client.test>').startswith('503 5.5.1')


@pytest.mark.parametrize('rubbish', [
    b'EHLO client.test\r\n', b'\0' * 1000, b'\x16\x03\x01\xff\xff',
    b'\x80\x2e\x01\x00\x02', b'GET / HTTP/1.0\r\n\r\n',
    b'\x16\x03\x01\x00\x05\x01\x00\x00\x01\x00'])
def test_rubbish_instead_of_a_handshake(chain, rubbish):
    with posta(chain, smtpd_starttls_timeout='2s') as p, Client(p.port) as c:
        assert c.say('STARTTLS').startswith('220 ')
        c.send(rubbish)
        assert c.closed()
        p.wait_log(r'SSL_accept error from localhost')
        p.wait_log(r'lost connection after STARTTLS from localhost')
        with Client(p.port) as other:
            assert 'STARTTLS' in other.hello()


def test_half_open_handshakes_end(authority, chain):
    """Also of a client that sends a byte now and then."""
    tls = context(authority)
    hello, out = ssl.MemoryBIO(), ssl.MemoryBIO()
    session = tls.wrap_bio(hello, out, server_hostname=NAME)
    with pytest.raises(ssl.SSLWantReadError):
        session.do_handshake()
    first = out.read()
    with posta(chain, smtpd_starttls_timeout='2s') as p:
        with Client(p.port) as silent, Client(p.port) as slow, \
                Client(p.port) as half:
            for c in (silent, slow, half):
                assert c.say('STARTTLS').startswith('220 ')
            half.send(first)
            try:
                for byte in first[:100]:
                    slow.send(bytes([byte]))
                    time.sleep(0.1)
            except OSError:
                pass
            assert silent.closed() and half.closed()
        p.wait_log('SSL_accept error from localhost.*: Connection timed out',
                   3)
        p.wait_log('lost connection after STARTTLS from localhost', 3)


def test_peer_that_leaves(chain):
    with posta(chain) as p:
        with Client(p.port) as c:
            c.say('STARTTLS')
        p.wait_log('SSL_accept error from localhost.*: lost connection')


def test_rate_of_new_sessions(authority, chain):
    with posta(chain, smtpd_client_new_tls_session_rate_limit='2',
               smtpd_client_event_limit_exceptions='',
               anvil_rate_time_unit='1000s') as p:
        tls = context(authority)
        for _ in range(2):
            with Client(p.port) as c:
                c.starttls(tls)
                c.hello()
        with Client(p.port) as c:
            c.starttls(tls)
            assert c.say('NOOP').startswith('421 4.7.0 ')
            assert c.closed()
        with Client(p.port) as c:
            assert c.say('STARTTLS') == ('454 4.7.0 Error: too many new TLS '
                                         'sessions from localhost[127.0.0.1]')
        p.wait_log('New TLS session rate limit exceeded: 3 from localhost')


# ---- sessions that are gone on with

def resume(p, tls, session, name=NAME):
    """(was it resumed, its own ticket, the worker's pid)"""
    with Client(p.port) as c:
        c.starttls(tls, session=session, name=name)
        c.hello()
        reused, ticket = c.socket.session_reused, c.socket.session
        c.say('QUIT')
    p.handshakes = getattr(p, 'handshakes', 0) + 1
    line = p.wait_log(r'smtpd\[(\d+)\]: .* TLS connection established',
                      p.handshakes)[-1]
    return reused, ticket, line[1]


@pytest.mark.parametrize('version', [ssl.TLSVersion.TLSv1_2,
                                     ssl.TLSVersion.TLSv1_3])
def test_resumption_in_another_worker(authority, chain, version):
    tls = context(authority, version, version)
    with posta(chain) as p:
        reused, ticket, pid = resume(p, tls, None)
        assert not reused
        with contextlib.ExitStack() as busy:
            other = pid
            while other == pid:
                busy.enter_context(Client(p.port))  # keeps a worker busy
                reused, _, other = resume(p, tls, ticket)
                assert reused


def test_tickets_after_rotation(authority, chain):
    tls = context(authority, most=ssl.TLSVersion.TLSv1_2)
    with posta(chain, smtpd_tls_session_cache_timeout='1000s') as p:
        _, ticket, _ = resume(p, tls, None)
        p.reload()  # the key is another, the one before opens
        assert resume(p, tls, ticket)[0]
        p.reload()
        assert not resume(p, tls, ticket)[0]


def test_tickets_have_their_time(authority, chain):
    tls = context(authority, most=ssl.TLSVersion.TLSv1_2)
    with posta(chain, smtpd_tls_session_cache_timeout='2s') as p:
        _, ticket, _ = resume(p, tls, None)
        wait_until(lambda: not resume(p, tls, ticket)[0], 'its end')


def test_no_tickets(authority, chain):
    tls = context(authority)
    with posta(chain, smtpd_tls_session_cache_timeout='0') as p:
        _, ticket, _ = resume(p, tls, None)
        assert ticket is None or not resume(p, tls, ticket)[0]


# ---- certificates of clients

def test_client_certificates(authority, chain):
    pair = authority.sign('client.example.test')
    stranger = authority.self_signed('stranger.test')
    known = fingerprint(stranger[0], 'sha256')
    restrictions = ('permit_tls_clientcerts, check_ccert_access '
                    'inline:{{%s = reject known}}, reject_plaintext_session, '
                    'reject_unauth_destination' % known)
    with FakeSmtp() as peer, posta(
            chain, smtpd_tls_ask_ccert='yes', smtpd_tls_CAfile=authority.ca,
            mynetworks='192.0.2.1', relayhost=f'[127.0.0.1]:{peer.port}',
            smtpd_relay_restrictions=restrictions,
            relay_clientcerts='inline:{{%s = x}}' % fingerprint(
                pair[0], 'sha256')) as p:
        with Client(p.port) as c:
            c.starttls(context(authority, pair=pair))
            c.start(rcpt='x@elsewhere.test')
            assert c.say('Subject: x\r\n\r\n.').startswith('250 ')
        p.wait_log(r'Trusted TLS connection established from .* '
                   r'client-signature ECDSA \(prime256v1\) client-digest SHA256$')
        p.wait_empty()
        assert b'(Client CN "client.example.test", Issuer "Test authority" ' \
               b'(verified OK))' in peer.messages[0]
        with Client(p.port) as c:
            c.starttls(context(authority, pair=stranger))
            c.talk('EHLO x', 'MAIL FROM:<a@b.test>')
            assert c.say('RCPT TO:<x@elsewhere.test>') == (
                '554 5.7.1 <localhost[127.0.0.1]>: Client certificate '
                'rejected: known')
        p.wait_log('Untrusted TLS connection established from ')
        with Client(p.port) as c:
            c.starttls(context(authority))
            c.talk('EHLO x', 'MAIL FROM:<a@b.test>')
            assert c.say('RCPT TO:<x@elsewhere.test>').startswith('554 5.7.1')
        with Client(p.port) as c:
            c.talk('EHLO x', 'MAIL FROM:<a@b.test>')
            assert c.say('RCPT TO:<x@elsewhere.test>').startswith(
                '450 4.7.1 Session encryption is required')


def test_client_certificate_is_required(authority, chain):
    with posta(chain, 'encrypt', smtpd_tls_req_ccert='yes',
               smtpd_tls_CAfile=authority.ca) as p:
        with Client(p.port) as c:
            c.starttls(context(authority,
                               pair=authority.sign('client.example.test')))
            c.start()
        for pair, text in ((None, 'No client certificate presented'),
                           (authority.self_signed('stranger.test'),
                            'Client certificate not trusted')):
            with Client(p.port) as c:
                c.starttls(context(authority, pair=pair))
                assert re.fullmatch(rf'421 4\.7\.1 \S+ Error: {text}',
                                    c.say('EHLO x'))
                assert c.closed()
            p.wait_log(f'NOQUEUE: abort: TLS from localhost.*: {text}')


# ---- names

def test_names(authority, chain, tmp_path):
    other = authority.sign('other.test', kind='rsa')
    wild = authority.sign('a.wild.test')
    files = tmp_path / 'sni'
    files.write_text(f'other.test {other[1]}, {other[0]}\n'
                     f'.wild.test {wild[1]}, {wild[0]}\n'
                     f'broken.test {wild[1]}, {other[0]}\n')
    with posta(chain) as p:
        shutil.copy(files, p.dir / 'sni')
        p.command('postmap', '-F', f'lmdb:{p.dir}/sni')
        p.set(tls_server_sni_maps=f'lmdb:{p.dir}/sni')
        p.reload()
        for name in ('other.test', 'OTHER.test', 'a.wild.test', NAME):
            with Client(p.port) as c:
                c.starttls(context(authority), name=name)
                c.hello()
        p.wait_log(r'established from \S+\] to other\.test: TLSv1', 1)
        p.wait_log(r'established from \S+\]: TLSv1')
        tls = context(authority)
        tls.check_hostname = False
        with Client(p.port) as c:
            c.starttls(tls, name='unknown.test')
            assert NAME in str(c.socket.getpeercert())
        with Client(p.port) as c:
            assert c.say('STARTTLS').startswith('220 ')
            with pytest.raises((ssl.SSLError, OSError)):
                c.encrypt(tls, 'broken.test')
        p.wait_log('certificate for broken.test: the private key is not that '
                   'of the certificate')
        # Whoever holds keys now does not know those of names yet.
        for pid in process(p, 'keys'):
            p.may_die = True
            p.kill(pid)
        with Client(p.port) as c:
            c.starttls(context(authority), name='other.test')
            c.hello()


# ---- renewal

def install(live, archive, pair, number):
    """As certbot does: new files, then links to them are switched."""
    for name, source in zip(('fullchain', 'privkey'), pair):
        target = archive / f'{name}{number}.pem'
        shutil.copy(source, target)
        link = live / f'{name}.pem'
        new = live / f'{name}.new'
        new.symlink_to(target)
        new.rename(link)


@pytest.fixture
def certbot(tmp_path):
    for part in (tmp_path, *tmp_path.parents[:3]):
        part.chmod(0o755)
    live, archive = tmp_path / 'live', tmp_path / 'archive'
    live.mkdir(), archive.mkdir()
    return live, archive


def pair_settings(live):
    return {'smtpd_tls_chain_files': '',
            'smtpd_tls_cert_file': live / 'fullchain.pem',
            'smtpd_tls_key_file': live / 'privkey.pem'}


def served(p, tls):
    with Client(p.port) as c:
        c.starttls(tls)
        return c.serial


def test_renewal_while_sessions_go_on(authority, certbot):
    live, archive = certbot
    tls = context(authority)
    old = authority.sign(NAME, kind='rsa')
    install(live, archive, old, 1)
    first = fingerprint_of(ssl.PEM_cert_to_DER_cert(old[0].read_text()))
    with posta('', smtpd_client_connection_count_limit='0',
               **pair_settings(live)) as p:
        sessions = [Client(p.port).starttls(tls) for _ in range(50)]
        assert {c.serial for c in sessions} == {first}
        new = authority.sign(NAME, kind='rsa')
        install(live, archive, new, 2)
        second = fingerprint_of(ssl.PEM_cert_to_DER_cert(new[0].read_text()))
        wait_until(lambda: served(p, tls) == second, 'the new certificate')
        p.wait_log('certificates or their keys have changed: read again')
        for c in sessions:
            c.start()
            assert c.say('Subject: x\r\n\r\n.').startswith('250 ')
            assert c.say('QUIT') == '221 2.0.0 Bye'
            c.close()
        assert 'no signature' not in p.log_text()


def test_broken_renewal_changes_nothing(authority, certbot):
    live, archive = certbot
    tls = context(authority)
    old = authority.sign(NAME)
    install(live, archive, old, 1)
    with posta('', **pair_settings(live)) as p:
        p.may_die = True  # a template that gives up says so with its status
        first = served(p, tls)
        other = authority.sign('other.test')
        install(live, archive, (old[0], other[1]), 2)
        p.wait_log('no TLS with pair .*: the private key is '
                   'not that of the certificate')
        p.wait_log('the ones from before stay in use')
        assert served(p, tls) == first
        install(live, archive, authority.sign(NAME), 3)
        wait_until(lambda: served(p, tls) != first, 'the newest one')


def test_keys_are_killed(authority, chain):
    tls = context(authority)
    with posta(chain) as p:
        p.may_die = True
        with Client(p.port) as before, Client(p.port) as between:
            before.starttls(tls)
            for pid in process(p, 'keys'):
                p.kill(pid)
            before.start()
            between.starttls(tls)
            between.start()
        assert served(p, tls)


def test_nobody_else_may_ask(chain):
    """keys answers users of the suite only."""
    if os.getuid() != 0:
        return
    with posta(chain) as p:
        with Client(p.port) as c:
            c.hello()
        path = p.dir / 'queue/private/keys'
        program = (f'import socket,os\nos.setgid(65534)\nos.setuid(65534)\n'
                   f's=socket.socket(socket.AF_UNIX,socket.SOCK_SEQPACKET)\n'
                   f's.connect("{path}")\ns.recv(10)')
        done = subprocess.run(['/usr/bin/python3', '-c', program], text=True,
                              capture_output=True)
        assert done.returncode != 0 and 'Permission' in done.stderr


# ---- where the private keys are

def numbers(path):
    """The secret numbers of all keys in a file, as bytes, big-endian."""
    found = []
    for block in re.findall(r'-----BEGIN PRIVATE KEY-----.*?-----END PRIVATE '
                            r'KEY-----\n', pathlib.Path(path).read_text(),
                            re.S):
        text = subprocess.run(['openssl', 'pkey', '-text', '-noout'],
                              input=block, text=True, check=True,
                              capture_output=True).stdout
        for name in ('privateExponent', 'prime1', 'prime2', 'priv'):
            m = re.search(rf'^{name}:\n((?:    [0-9a-f:]+\n)+)', text, re.M)
            if m:
                found.append(bytes.fromhex(
                    re.sub(r'[\s:]', '', m[1])).lstrip(b'\0'))
    return found


MAPPING_MAX = 256 << 20  # larger ones are a sanitizer's shadow


def memory_of(pid):
    """All of its memory that can be written: also what is in no core."""
    data = b''
    with open(f'/proc/{pid}/maps') as maps, open(f'/proc/{pid}/mem', 'rb') as m:
        for line in maps:
            where, rights = line.split()[:2]
            start, end = (int(n, 16) for n in where.split('-'))
            if not rights.startswith('rw') or end - start > MAPPING_MAX:
                continue
            m.seek(start)
            data += m.read(end - start)
    return data


def memories(pids):
    """Of those that are still there."""
    for pid in pids:
        try:
            yield memory_of(pid)
        except (FileNotFoundError, ProcessLookupError):
            pass


def core_of(pid, folder):
    """Its memory as gcore(1) writes it; not with a sanitizer's terabytes."""
    with open(f'/proc/{pid}/maps') as maps:
        for line in maps:
            start, end = (int(n, 16) for n in line.split()[0].split('-'))
            if end - start > MAPPING_MAX:
                return memory_of(pid)
    done = subprocess.run(['gcore', '-o', folder / 'core', str(pid)],
                          text=True, capture_output=True, timeout=120,
                          stdin=subprocess.DEVNULL)
    path = folder / f'core.{pid}'
    assert path.exists(), done.stdout + done.stderr
    data = path.read_bytes()
    path.unlink()
    return data


def holds(data, secret):
    """Big-endian as in files, or as OpenSSL's words stand in memory."""
    return secret in data or secret[::-1] in data


def test_no_private_key_in_smtpd(authority, chain, tmp_path):
    secrets = numbers(chain)
    assert len(secrets) == 4
    with posta(chain) as p, Client(p.port) as c:
        c.starttls(context(authority))
        c.start()
        looked = 0
        for pid in p.pids('smtpd'):
            try:
                data = core_of(pid, tmp_path)
            except (FileNotFoundError, ProcessLookupError):  # ended since
                continue
            looked += 1
            assert b'mail.example.test' in data
            assert not any(holds(data, s) for s in secrets)
        assert looked >= 2  # a template and a worker
        # The same search finds them where they are; only root can look there.
        if os.getuid() == 0:
            found = list(memories(process(p, 'keys')))
        else:
            for pid in process(p, 'keys'):
                with pytest.raises(PermissionError):
                    memory_of(pid)
            found = [memory_of(os.getpid())]
        for secret in secrets:
            assert any(holds(data, secret) for data in found)
        # And they are in no core of that.
        p.may_die = True
        for pid in process(p, 'keys'):
            limits = pathlib.Path(f'/proc/{pid}/limits').read_text()
            assert re.search(r'Max core file size +0 +0 ', limits)


# ---- posta check

@pytest.fixture
def checked(chain):
    """What `posta check` says with these files."""
    def check(*files, **settings):
        with Posta(start=False, settings={
                'smtpd_tls_security_level': 'may', 'smtpd_tls_chain_files':
                ' '.join(map(str, files)), **settings}) as p:
            return p.posta('check', check=False).stderr
    return check


def test_check_looks_certificates_over(checked, tmp_path):
    def remarks(text):
        return [line for line in text.splitlines() if str(tmp_path) in line]

    def file(name, *parts):
        path = tmp_path / name
        path.write_text(''.join(part.read_text() for part in parts))
        path.chmod(0o600)
        return path
    authority = Authority(tmp_path / 'ca', days=90)
    good = authority.sign(NAME, days=90)
    assert remarks(checked(file('good', *good[::-1], authority.ca))) == []
    old = authority.expired(NAME)
    assert 'has expired on 20' in checked(file('old', *old[::-1],
                                               authority.ca))
    soon = authority.sign(NAME, days=10)
    assert 'expires on 20' in checked(file('soon', *soon[::-1], authority.ca))
    other = authority.sign('other.test', days=90)
    assert ('the certificate of other.test is not for myhostname = '
            'mail.example.test' in checked(file('other', *other[::-1],
                                                authority.ca)))
    mine = authority.self_signed(NAME)
    assert ('certificates are out of order: behind that of mail.example.test '
            'must stand that of Test authority' in
            checked(file('order', *good[::-1], mine[0], authority.ca)))
    assert ('the private key is not that of the certificate' in
            checked(file('match', good[1], other[0])))
    assert ('the private key has no certificate' in
            checked(file('alone', good[1])).replace('a private', 'the private'))
    assert ('a certificate comes before the first private key' in
            checked(file('first', *good)))
    open_to_all = file('open', *good[::-1], authority.ca)
    open_to_all.chmod(0o644)
    assert f'{open_to_all}: everybody can read this private key' in \
        checked(open_to_all)
    if os.getuid() == 0:
        shared = file('shared', *good[::-1], authority.ca)
        os.chown(shared, 65534, 65534)
        assert 'network_owner = nobody can read this private key' in \
            checked(shared, network_owner='nobody')
    locked = tmp_path / 'locked.key'
    subprocess.run(['openssl', 'pkey', '-in', good[1], '-out', locked,
                    '-aes256', '-passout', 'pass:x'], check=True)
    assert 'the private key is encrypted' in checked(
        file('locked', locked, good[0]))


def test_daemon_says_the_same(authority, certbot):
    live, archive = certbot
    install(live, archive, authority.expired(NAME), 1)
    with posta('', **pair_settings(live)) as p:
        with Client(p.port) as c:
            assert 'STARTTLS' in c.hello()
        p.wait_log(rf'keys\[\d+\]: warning: {live}/fullchain.pem: the '
                   r'certificate of mail\.example\.test has expired on 20')


# ---- as Postfix says it

def said_of(server, tls, log, mail):
    """The lines of Received about TLS, and what the log says of the session."""
    with Client(server.port) as c:
        c.starttls(tls, name=None)
        c.start(rcpt='alice@example.test')
        assert c.say('Subject: x\r\n\r\n.').startswith('250 ')
        c.say('QUIT')
    field = re.search(r'\nReceived: .*?;', '\n' + mail(), re.S)[0]
    line = wait_until(
        lambda: re.search(r'(\w+ TLS connection established from ).*?: (.*)\n',
                          log()), 'it in the log')
    return (re.search(r'\t\(using .*(?=\tby )', field, re.S)[0],
            re.search(r' with (E?SMTP\w*) id ', field)[1],
            line[1], line[2])


@pytest.mark.parametrize('kind', ['rsa', 'ec'])
@pytest.mark.parametrize('version', [ssl.TLSVersion.TLSv1_2,
                                     ssl.TLSVersion.TLSv1_3])
@pytest.mark.parametrize('client', [None, 'ec', 'rsa'])
def test_words_are_postfixs(authority, kind, version, client):
    pair = client and authority.sign('client.example.test', kind=client)
    with Postfix(kind=kind, settings={
            'smtpd_tls_security_level': ' may', 'smtpd_tls_ask_ccert': ' yes',
            'smtpd_tls_CAfile': f' {authority.ca}'}) as postfix:
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        tls.check_hostname, tls.verify_mode = False, ssl.CERT_NONE
        tls.minimum_version = tls.maximum_version = version
        if pair:
            tls.load_cert_chain(*pair)
        theirs = said_of(postfix, tls, postfix.log,
                         lambda: postfix.wait_mail('alice')[0].as_string())
        cert, key = authority.sign(NAME, kind=kind)
        chain = authority.folder / f'like-{kind}-{version}-{client}.pem'
        chain.write_text(key.read_text() + cert.read_text())
        with posta(chain, smtpd_tls_ask_ccert='yes',
                   smtpd_tls_CAfile=authority.ca) as p:
            assert said_of(p, tls, p.log_text, lambda: p.wait_maildir(
                'alice', 1)[0].decode()) == theirs


def test_new_names_are_served(authority, chain):
    """The table of names is made anew; nobody reloads."""
    tls = context(authority)
    pairs = [authority.sign('other.test', kind=kind) for kind in ('rsa', 'ec')]

    def make(p, pair):
        (p.dir / 'sni').write_text(f'other.test {pair[1]}, {pair[0]}\n')
        p.command('postmap', '-F', f'lmdb:{p.dir}/sni')

    def kind(p):
        with Client(p.port) as c:
            c.starttls(tls, name='other.test')
            return c.serial
    want = [fingerprint_of(ssl.PEM_cert_to_DER_cert(c.read_text()))
            for c, _ in pairs]
    with posta(chain, smtpd_tls_loglevel='0') as p:
        make(p, pairs[0])
        p.set(tls_server_sni_maps=f'lmdb:{p.dir}/sni')
        p.reload()
        assert kind(p) == want[0]
        make(p, pairs[1])
        wait_until(lambda: kind(p) == want[1], 'the new certificate')
        assert served(p, tls) != want[1]
