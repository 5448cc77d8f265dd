"""DANE for SMTP (RFC 7672): signed zones, a validating resolver, servers with
the right certificates and with others."""
import hashlib
import re
import ssl

import pytest

from harness.certificates import Authority, public_key
from harness.dnssec import SignedNames
from harness.fake_smtp import FakeSmtp
from harness.smtp_agent import SmtpAgent

OK, TEMP, PERM = 0, 4, 5
GOOD = '250 2.0.0 Ok: queued as F00'
NOT_VERIFIED = 'Server certificate not verified'
NOT_KNOWN = 'TLSA lookup error for {}:{}'


def der(cert):
    return ssl.PEM_cert_to_DER_cert(cert.read_text())


def sha256(data):
    return hashlib.sha256(data).hexdigest()


def sha512(data):
    return hashlib.sha512(data).hexdigest()


WRONG = sha256(b'another key')


class World:
    """A server whose certificate is for the names `ca...`, another whose
    certificate has expired, and all the zones."""

    def __init__(self, folder):
        ca = Authority(folder)
        cert, key = ca.sign('ca.signed.test', 'caspki.signed.test',
                            'cadomain.signed.test', 'out.signed.test')
        chain = folder / 'chain.pem'
        chain.write_text(cert.read_text() + ca.ca.read_text())
        self.old = ca.expired('old.signed.test')
        self.server = FakeSmtp(tls=self._context((chain, key)))
        self.other = FakeSmtp(tls=self._context(self.old))
        spki, ca_der = public_key(cert), der(ca.ca)
        self.records = {
            'ee': [f'3 1 1 {sha256(spki)}'],
            'eecert': [f'3 0 2 {sha512(der(cert))}'],
            'full': [f'3 1 0 {spki.hex()}'],
            'ca': [f'2 0 1 {sha256(ca_der)}'],
            'caspki': [f'2 1 1 {sha256(public_key(ca.ca))}'],
            'caname': [f'2 0 1 {sha256(ca_der)}'],
            'capin': [f'2 0 1 {sha256(ca_der)}', f'3 1 1 {sha256(spki)}'],
            'wrong': [f'3 1 1 {WRONG}'],
            'wrongca': [f'2 0 1 {WRONG}'],
            'rollover': [f'3 1 1 {WRONG}', f'3 1 1 {sha256(spki)}'],
            'agile': [f'3 1 2 {sha512(b"x")}', f'3 1 1 {sha256(spki)}'],
            'mixed': [f'1 1 1 {WRONG}', f'3 1 1 {sha256(spki)}'],
            'pkix': [f'1 1 1 {sha256(spki)}', f'0 0 1 {sha256(ca_der)}'],
            'strange': [f'3 1 9 {WRONG}', f'3 2 1 {WRONG}', f'4 1 1 {WRONG}',
                        f'3 1 1 {WRONG[2:]}', '3 0 0 3082', '3 1 0 3082'],
            'old': [], 'none': [], 'badmx': [],
            'bogus': [f'3 1 1 {sha256(spki)}'],
            'badhost': [f'3 1 1 {sha256(spki)}'],
        }
        self.names = SignedNames(
            {'signed.test': self._signed(), 'plain.test': self._plain()},
            signed=['signed.test'], tamper=self._tamper)

    @staticmethod
    def _context(pair):
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.load_cert_chain(*pair)

        def named(sock, name, _):
            sock.asked_for = name
        tls.sni_callback = named
        return tls

    def _signed(self):
        port = self.server.port
        lines = []
        for name, records in self.records.items():
            lines += [f'{name}.d IN MX 10 {name}', f'{name} IN A 127.0.0.1']
            lines += [f'_{port}._tcp.{name} IN TLSA {r}' for r in records]
        good = self.records['ee'][0]
        lines += [
            f'_{self.other.port}._tcp.old IN TLSA 3 1 1 '
            f'{sha256(public_key(self.old[0]))}',
            # The name of the domain is in the certificate, the host's not.
            'cadomain IN MX 10 caname',
            # Aliases: of the host, of the domain, to an unsigned zone.
            'tohost.d IN MX 10 alias', 'alias IN CNAME ee',
            'todomain IN CNAME ee.d',
            'out.d IN MX 10 out', 'out IN CNAME host.plain.test.',
            f'_{port}._tcp.out IN TLSA {good}',
            'away.d IN MX 10 away', 'away IN CNAME host.plain.test.',
            # Records that are aliases (RFC 7671, 7).
            'shared.d IN MX 10 shared', 'shared IN A 127.0.0.1',
            f'_{port}._tcp.shared IN CNAME all', f'all IN TLSA {good}',
            'toplain.d IN MX 10 host.plain.test.']
        return '\n'.join(lines)

    def _plain(self):
        good = self.records['ee'][0]
        return '\n'.join([
            'ee IN MX 10 ee.signed.test.', 'wrong IN MX 10 wrong.signed.test.',
            'pkix IN MX 10 pkix.signed.test.', 'host IN A 127.0.0.1',
            'own IN MX 10 host',
            f'_{self.server.port}._tcp.host IN TLSA {good}'])

    def _tamper(self, zone, text):
        """What was signed is changed a little."""
        port = self.server.port
        for name in 'TLSA', 'MX', 'A':
            pattern = {'TLSA': rf'(_{port}\._tcp\.bogus\.signed\.test\.\s.*IN\s+'
                               r'TLSA\s+3 1 1 )..',
                       'MX': r'(badmx\.d\.signed\.test\.\s.*IN\s+MX\s+)1',
                       'A': r'(\nbadhost\.signed\.test\.\s.*IN\s+A\s+127\.0\.0\.)1'
                       }[name]
            text, count = re.subn(pattern, r'\g<1>33', text)
            assert count == 1, name
        return text

    def __enter__(self):
        self.server.__enter__()
        self.other.__enter__()
        self.names.__enter__()
        return self

    def __exit__(self, *exc):
        for part in self.names, self.server, self.other:
            part.__exit__(*exc)

    def deliver(self, nexthop, level='dane', server=None, **settings):
        """(result, log, server's session or None)."""
        server = server or self.server
        before = len(server.sessions)
        with SmtpAgent(**{'smtp_tls_security_level': level,
                          'smtp_dns_support_level': 'dnssec',
                          'smtp_tls_loglevel': '2',
                          'dns_servers': self.names.address,
                          'smtp_tcp_port': server.port, **settings}) as client:
            r = client.one(nexthop)
            client.close()
            new = server.sessions[before:]
            return r, client.log(), new[0] if new else None


@pytest.fixture(scope='module')
def world(tmp_path_factory):
    with World(tmp_path_factory.mktemp('world')) as w:
        yield w


def trust(log):
    return re.findall(r'(\w+) TLS connection established', log)


@pytest.mark.parametrize('level', ['dane', 'dane-only'])
@pytest.mark.parametrize('nexthop', [
    'ee.d', 'eecert.d', 'full.d', 'ca.d', 'caspki.d', 'capin.d', 'rollover.d',
    'mixed.d', 'cadomain', 'tohost.d', 'todomain', 'out.d', 'shared.d'])
def test_verified(world, nexthop, level):
    r, log, session = world.deliver(f'{nexthop}.signed.test', level)
    assert r.text == GOOD
    assert trust(log) == ['Verified']
    assert session.tls
    base = {'tohost.d': 'ee', 'todomain': 'ee', 'cadomain': 'caname'}.get(
        nexthop, nexthop.removesuffix('.d'))
    assert session.servername == f'{base}.signed.test'


def test_without_mx(world):
    for nexthop in '[ee.signed.test]', 'ee.signed.test', '[alias.signed.test]':
        r, log, _ = world.deliver(nexthop, 'dane-only')
        assert (r.text, trust(log)) == (GOOD, ['Verified'])
    r, _, _ = world.deliver('[wrong.signed.test]')
    assert r.text == NOT_VERIFIED


def test_a_pinned_key_needs_no_valid_certificate(world):
    """It has expired; RFC 7672, 3.1.1."""
    r, log, _ = world.deliver('old.d.signed.test', server=world.other)
    assert (r.text, trust(log)) == (GOOD, ['Verified'])


@pytest.mark.parametrize('level', ['dane', 'dane-only'])
@pytest.mark.parametrize('nexthop,text', [
    ('wrong.d', NOT_VERIFIED), ('wrongca.d', NOT_VERIFIED),
    ('agile.d', NOT_VERIFIED), ('caname.d', NOT_VERIFIED)])
def test_mismatch(world, nexthop, text, level):
    before = len(world.server.messages)
    r, log, _ = world.deliver(f'{nexthop}.signed.test', level)
    assert (r.rc, r.dsn, r.text) == (TEMP, '4.7.5', text)
    assert len(world.server.messages) == before
    assert 'certificate verification failed for' in log


def test_digests_that_count(world):
    r, _, _ = world.deliver('agile.d.signed.test', tls_dane_digests='sha256')
    assert r.text == GOOD
    r, _, _ = world.deliver('agile.d.signed.test',
                            tls_dane_digests='sha256 sha512')
    assert r.text == GOOD


def test_no_records(world):
    r, log, _ = world.deliver('none.d.signed.test')
    assert (r.text, trust(log)) == (GOOD, ['Untrusted'])
    r, _, session = world.deliver('none.d.signed.test', 'dane-only')
    assert (r.dsn, r.text) == ('4.7.5', 'no TLSA records found')
    assert session is None


@pytest.mark.parametrize('name', ['pkix', 'strange'])
def test_unusable_records(world, name):
    """There is TLS, so it must be used."""
    r, log, _ = world.deliver(f'{name}.d.signed.test')
    assert (r.text, trust(log)) == (GOOD, ['Untrusted'])
    r, _, _ = world.deliver(f'{name}.d.signed.test',
                            smtp_discard_ehlo_keywords='starttls')
    assert r.dsn == '4.7.4'
    r, _, session = world.deliver(f'{name}.d.signed.test', 'dane-only')
    assert r.text == 'TLSA records unusable'
    assert session is None


@pytest.mark.parametrize('level', ['dane', 'dane-only'])
def test_records_mean_that_tls_is_needed(world, level):
    r, _, _ = world.deliver('ee.d.signed.test', level,
                            smtp_discard_ehlo_keywords='starttls')
    assert (r.rc, r.dsn) == (TEMP, '4.7.4')
    r, _, _ = world.deliver('none.d.signed.test', 'dane',
                            smtp_discard_ehlo_keywords='starttls')
    assert r.text == GOOD


@pytest.mark.parametrize('level', ['dane', 'dane-only'])
def test_bogus(world, level):
    """What is wrong is never taken for what is not there."""
    r, log, session = world.deliver('bogus.d.signed.test', level)
    assert (r.rc, r.dsn) == (TEMP, '4.7.5')
    assert r.text == NOT_KNOWN.format('bogus.signed.test', world.server.port)
    assert session is None
    for name, kind in ('badmx', 'MX'), ('badhost', 'A'):
        r, _, session = world.deliver(f'{name}.d.signed.test', level)
        assert (r.rc, r.dsn) == (TEMP, '4.4.3')
        assert f'type={kind}: Host not found, try again' in r.text
        assert session is None


def test_a_host_without_signatures(world):
    """Its records cannot be believed, so they are not even asked for."""
    for nexthop in 'own.plain.test', 'toplain.d.signed.test', \
            'away.d.signed.test', '[host.plain.test]':
        r, log, _ = world.deliver(nexthop)
        assert (r.text, trust(log)) == (GOOD, ['Untrusted'])
        r, _, _ = world.deliver(nexthop, 'dane-only')
        assert r.text == ('non DNSSEC destination' if 'own' in nexthop
                          else 'no TLSA records found')
    r, log, _ = world.deliver('toplain.d.signed.test',
                              smtp_tls_force_insecure_host_tlsa_lookup='yes')
    assert (r.text, trust(log)) == (GOOD, ['Untrusted'])


def test_a_domain_without_signatures(world):
    """Its exchanger has some: smtp_tls_dane_insecure_mx_policy."""
    for setting, name, text, trusted in (
            (None, 'ee', GOOD, 'Trusted'),
            (None, 'wrong', NOT_VERIFIED, 'Untrusted'),
            (None, 'pkix', GOOD, 'Untrusted'),
            ('dane', 'ee', GOOD, 'Trusted'),
            ('encrypt', 'ee', GOOD, 'Untrusted'),
            ('encrypt', 'wrong', GOOD, 'Untrusted'),
            ('may', 'wrong', GOOD, 'Untrusted')):
        more = {'smtp_tls_dane_insecure_mx_policy': setting} if setting else {}
        r, log, _ = world.deliver(f'{name}.plain.test', **more)
        assert (r.text, trust(log)) == (text, [trusted]), (setting, name)
    for setting, dsn in ('encrypt', '4.7.4'), ('may', '2.0.0'):
        r, _, _ = world.deliver('ee.plain.test',
                                smtp_tls_dane_insecure_mx_policy=setting,
                                smtp_discard_ehlo_keywords='starttls')
        assert r.dsn == dsn
    r, _, _ = world.deliver('ee.plain.test', 'dane-only')
    assert r.text == 'non DNSSEC destination'


def test_a_resolver_that_does_not_validate(world):
    """nsd itself never says AD."""
    r, log, _ = world.deliver(
        'wrong.d.signed.test', dns_servers=f'127.0.0.1:{world.names.port}')
    assert (r.text, trust(log)) == (GOOD, ['Untrusted'])


@pytest.mark.parametrize('settings,what', [
    ({'smtp_dns_support_level': 'enabled'}, 'dnssec lookups disabled'),
    ({'smtp_dns_support_level': ''}, 'dnssec lookups disabled'),
    ({'ignore_mx_lookup_error': 'yes'}, 'MX lookup errors ignored')])
def test_settings_that_leave_nothing_of_it(world, settings, what):
    r, log, _ = world.deliver('wrong.d.signed.test', **settings)
    assert r.text == GOOD
    assert f'warning: wrong.d.signed.test: dane configured with {what}' in log
    r, _, session = world.deliver('ee.d.signed.test', 'dane-only', **settings)
    assert r.text == 'client TLS configuration problem'
    assert session is None


def test_by_policy(world):
    rows = 'inline:{ { wrong.d.signed.test = may }, ' \
        '{ .signed.test = dane-only } }'
    for name, text in (('wrong', GOOD), ('ee', GOOD),
                       ('none', 'no TLSA records found')):
        r, _, _ = world.deliver(f'{name}.d.signed.test', 'none',
                                smtp_tls_policy_maps=rows)
        assert r.text == text


def test_sessions_are_gone_on_with(world):
    with SmtpAgent(smtp_tls_security_level='dane-only',
                   smtp_dns_support_level='dnssec', smtp_tls_loglevel='1',
                   dns_servers=world.names.address,
                   smtp_tcp_port=world.server.port,
                   smtp_connection_cache_on_demand='no',
                   smtp_tls_session_cache_database='btree:/x') as client:
        before = len(world.server.sessions)
        for name in 'ca', 'ca', 'ee', 'ee':
            assert client.one(f'{name}.d.signed.test').text == GOOD
        assert [s.resumed for s in world.server.sessions[before:]] == \
            [False, True, False, True]
        assert trust(client.log()) == ['Verified'] * 4
