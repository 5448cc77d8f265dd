"""Restrictions, access tables, lists in the DNS, policy servers, XCLIENT."""
import re
import socketserver
import threading

import pytest

from harness import NameServer, Posta, wait_until
from harness.raw_smtp import RawSmtp

ZONES = {
    'here.test': '@ IN A 127.0.0.9\nbackup IN MX 10 primary.here.test.\n'
                 'backup IN MX 20 us.here.test.\nprimary IN A 192.0.2.77\n'
                 'us IN A 127.0.0.1\n'
                 'nullmx IN MX 0 .\nonlymx IN MX 10 primary\n'
                 'good IN A 192.0.2.50\n',
    'evil.here.test': '@ IN MX 10 mx.bad.test.\n@ IN NS ns.bad.test.\n',
    'bad.test': 'mx IN A 192.0.2.66\nns IN A 192.0.2.67\n',
    'bl.test': '7.2.0.192 IN A 127.0.0.2\n7.2.0.192 IN TXT "seen spamming"\n'
               '8.2.0.192 IN A 127.0.0.9\nspam.here.test IN A 127.0.0.4\n'
               '9.2.0.192 IN A 127.0.0.3\n',
    '2.0.127.in-addr.arpa': '',
    '0.0.127.in-addr.arpa': '9 IN PTR here.test.\n8 IN PTR liar.here.test.\n',
}
BASE = {'local_header_rewrite_clients': '',
        'mynetworks': '198.51.100.0/24', 'smtpd_error_sleep_time': '0s',
        'smtpd_authorized_xclient_hosts': '127.0.0.1',
        'smtpd_client_connection_count_limit': '0',
        'relay_domains': 'relay.test', 'smtpd_hard_error_limit': '1000',
        'smtpd_relay_restrictions': 'permit_mynetworks, '
                                    'reject_unauth_destination'}


@pytest.fixture(scope='module')
def dns():
    with NameServer(ZONES) as server:
        yield server


class Judge:
    """A server with one list of restrictions; asks it about one recipient."""

    def __init__(self, posta):
        self.posta = posta

    def ask(self, client='192.0.2.1', name='[UNAVAILABLE]', helo='c.here.test',
            sender='a@good.here.test', rcpt='alice@example.test',
            until='RCPT'):
        with RawSmtp(self.posta.port) as c:
            assert c.say(f'XCLIENT ADDR={client} NAME={name} REVERSE_NAME='
                         f'{name}')[:3] == '220'
            commands = [f'EHLO {helo}', f'MAIL FROM:<{sender}>',
                        f'RCPT TO:<{rcpt}>']
            if until == 'DATA':
                commands += ['DATA']
            if until == 'DOT':
                commands += ['DATA', 'Subject: x\r\n\r\n.']
            for command in commands:
                reply = c.say(command)
                if reply[0] in '45':
                    break
            return reply


def judge(dns, **settings):
    return Posta(settings={**BASE, 'dns_servers': dns.address, **settings})


R = 'smtpd_recipient_restrictions'
OK = '250 2.1.5 Ok'
CASES = [
    ('reject', {}, '554 5.7.1 <alice@example.test>: Recipient address rejected: Access denied'),
    ('defer', {}, '450 4.3.2 <alice@example.test>: Recipient address rejected: Try again later'),
    ('permit, reject', {}, OK),
    ('warn_if_reject reject', {}, OK),
    ('defer_if_permit, permit', {}, '450 4.7.0 <alice@example.test>: Recipient address rejected: defer_if_permit requested'),
    ('defer_if_permit, reject', {}, '554 5.7.1 *'),
    ('defer_if_reject, reject', {}, '450 4.7.0 *defer_if_reject requested'),
    ('defer_if_reject, permit', {}, OK),
    ('permit_mynetworks, reject', {'client': '198.51.100.1'}, OK),
    ('permit_mynetworks, reject', {}, '554 *'),
    ('permit_inet_interfaces, reject', {'client': '127.0.0.1'}, OK),
    ('permit_sasl_authenticated, reject', {}, '554 *'),
    ('permit_auth_destination, reject', {}, OK),
    ('permit_auth_destination, reject', {'rcpt': 'x@relay.test'}, OK),
    ('reject_unauth_destination', {'rcpt': 'x@relay.test'}, OK),
    ('reject_unknown_client_hostname', {}, '450 4.7.25 Client host rejected: cannot find your hostname, [[]192.0.2.1]'),
    ('reject_unknown_client_hostname', {'name': 'good.here.test'}, OK),
    ('reject_unknown_reverse_client_hostname', {}, '450 4.7.25 Client host rejected: cannot find your reverse hostname, [[]192.0.2.1]'),
    ('reject_invalid_helo_hostname', {'helo': 'a..b'}, '501 5.5.2 <a..b>: Helo command rejected: Invalid name'),
    ('reject_invalid_hostname', {'helo': '[192.0.2.1]'}, OK),
    ('reject_non_fqdn_helo_hostname', {'helo': 'host'}, '504 5.5.2 <host>: Helo command rejected: need fully-qualified hostname'),
    ('reject_non_fqdn_helo_hostname', {}, OK),
    ('reject_unknown_helo_hostname', {'helo': 'no.here.test'}, '450 4.7.1 <no.here.test>: Helo command rejected: Host not found'),
    ('reject_unknown_helo_hostname', {'helo': 'onlymx.here.test'}, OK),
    ('reject_non_fqdn_sender', {'sender': 'a@host'}, '504 5.5.2 <a@host>: Sender address rejected: need fully-qualified address'),
    ('reject_non_fqdn_sender', {'sender': ''}, OK),
    ('reject_non_fqdn_recipient', {'rcpt': 'alice'}, '504 5.5.2 <alice>: Recipient address rejected: need fully-qualified address'),
    ('reject_non_fqdn_recipient', {'rcpt': 'postmaster'}, OK),
    ('reject_unknown_sender_domain', {'sender': 'a@no.here.test'}, '450 4.1.8 <a@no.here.test>: Sender address rejected: Domain not found'),
    ('reject_unknown_sender_domain', {'sender': 'a@nullmx.here.test'}, '550 5.7.27 <a@nullmx.here.test>: Sender address rejected: Domain nullmx.here.test does not accept mail (nullMX)'),
    ('reject_unknown_sender_domain', {}, OK),
    ('reject_unknown_sender_domain', {'sender': ''}, OK),
    ('reject_unknown_recipient_domain', {'rcpt': 'x@no.here.test', 'client': '198.51.100.1'}, '450 4.1.2 <x@no.here.test>: Recipient address rejected: Domain not found'),
    ('reject_unknown_recipient_domain', {'rcpt': 'x@nullmx.here.test', 'client': '198.51.100.1'}, '556 5.1.10 *nullMX)'),
    ('reject_unlisted_recipient', {'rcpt': 'no@example.test'}, '550 5.1.1 *User unknown in virtual mailbox table'),
    ('reject_unlisted_sender', {'sender': 'no@example.test'}, '550 5.1.0 <no@example.test>: Sender address rejected: User unknown in virtual mailbox table'),
    ('reject_plaintext_session', {}, '450 4.7.1 Session encryption is required'),
    ('reject_rbl_client bl.test', {'client': '192.0.2.7'}, '554 5.7.1 Service unavailable; Client host [[]192.0.2.7] blocked using bl.test; seen spamming'),
    ('reject_rbl_client bl.test', {}, OK),
    ('reject_rbl_client bl.test=127.0.0.[2..4;7]', {'client': '192.0.2.7'}, '554 *'),
    ('reject_rbl_client bl.test=127.0.0.[2..4;7]', {'client': '192.0.2.8'}, OK),
    ('reject_rbl_client bl.test=127.0.0.9', {'client': '192.0.2.8'}, '554 *'),
    ('reject_rhsbl_sender bl.test', {'sender': 'a@spam.here.test'}, '554 5.7.1 Service unavailable; Sender address [[]a@spam.here.test] blocked using bl.test'),
    ('reject_rhsbl_helo bl.test', {'helo': 'spam.here.test'}, '554 *'),
    ('reject_rhsbl_client bl.test', {'name': 'spam.here.test'}, '554 *'),
    ('permit_dnswl_client bl.test=127.0.0.3, reject', {'client': '192.0.2.9'}, OK),
    ('permit_dnswl_client bl.test=127.0.0.3, reject', {}, '554 *'),
    ('check_client_access inline:{192.0.2=REJECT}', {}, '554 5.7.1 <unknown[[]192.0.2.1]>: Client host rejected: Access denied'),
    ('check_client_access inline:{here.test=REJECT}', {'name': 'good.here.test'}, '554 5.7.1 <good.here.test[[]192.0.2.1]>: *'),
    ('check_client_access cidr:{{192.0.2.0/24 450 later}}', {}, '450 4.7.1 <unknown[[]192.0.2.1]>: Client host rejected: later'),
    ('check_helo_access inline:{{c.here.test=521 go away}}', {}, '521 5.7.1 <c.here.test>: Helo command rejected: go away'),
    ('check_sender_access inline:{{a@=550 5.7.77 no a}}', {}, '550 5.7.77 <a@good.here.test>: Sender address rejected: no a'),
    ('check_sender_access inline:{{<>=REJECT no reports}}', {'sender': ''}, '554 5.7.1 <>: Sender address rejected: no reports'),
    ('check_recipient_access inline:{example.test=DEFER}', {}, '450 4.7.1 *'),
    ('check_recipient_access inline:{{alice@example.test=DUNNO}}, reject', {}, '554 *'),
    ('check_recipient_access inline:{{alice@example.test=OK}}, reject', {'rcpt': 'alice+x@example.test'}, OK),
    ('check_recipient_access inline:{example.test=12345}, reject', {}, OK),
    ('check_recipient_access inline:{{example.test=permit_mynetworks, reject}}', {}, '554 *'),
    ('inline:{{example.test=REJECT by a bare table}}', {}, '554 5.7.1 <alice@example.test>: Recipient address rejected: by a bare table'),
    ('check_recipient_access inline:{example.test=nonsense}', {}, '451 4.3.5 Server configuration error'),
    ('check_sender_mx_access inline:{192.0.2.66=REJECT}', {'sender': 'a@evil.here.test'}, '554 5.7.1 <a@evil.here.test>: Sender address rejected: Access denied'),
    ('check_sender_mx_access inline:{mx.bad.test=REJECT}', {'sender': 'a@evil.here.test'}, '554 *'),
    ('check_sender_ns_access inline:{ns.bad.test=REJECT}', {'sender': 'a@evil.here.test'}, '554 *'),
    ('check_sender_a_access inline:{192.0.2.50=REJECT}', {}, '554 *'),
    ('check_sender_mx_access inline:{mx.bad.test=OK}', {'sender': 'a@evil.here.test'}, '451 4.3.5 *'),
    ('check_helo_mx_access inline:{192.0.2.66=REJECT}', {'helo': 'evil.here.test'}, '554 *'),
    ('check_client_access fail:x', {}, '451 4.3.0 *Temporary lookup failure'),
    ('my_class, reject', {'sender': 'friend@good.here.test'}, OK),
    ('my_class', {}, OK),
]


def matches(got, want):
    import fnmatch
    return fnmatch.fnmatchcase(got, want)


def test_restrictions(dns):
    """Each list in one server of its own would take minutes: the services of
    one instance have one list each."""
    lists = list(dict.fromkeys(c[0] for c in CASES))
    services = ''
    with judge(dns, smtpd_restriction_classes='my_class',
               my_class='check_sender_access inline:{{friend@=OK}}') as posta:
        ports = {}
        from harness import free_port
        for text in lists:
            ports[text] = free_port()
            services += (f'127.0.0.1:{ports[text]} inet n - n - - smtpd\n'
                         f'    -o {{ {R} = {text} }}\n')
        with open(posta.dir / 'master.cf', 'a') as f:
            f.write(services)
        posta.reload()
        failures = []
        for text, how, want in CASES:
            posta.port = ports[text]
            wait_until(posta.answers, f'the service of {text}')
            got = Judge(posta).ask(**how)
            if not matches(got, want):
                failures.append(f'{text} {how}:\n    {got}\n    {want}')
        assert not failures, '\n'.join(failures)
        posta.wait_log('reject_warning: RCPT from unknown')


def test_actions_on_the_message(dns):
    table = ('inline:{{hold@=HOLD for a look}, {gone@=DISCARD}, '
             '{to@=REDIRECT bob@example.test}, {cc@=BCC bob@example.test}, '
             '{pre@=PREPEND X-Seen: yes}, {warn@=WARN hm}, {info@=INFO so}}')
    with judge(dns, smtpd_sender_restrictions='check_sender_access ' +
               table) as posta:
        def send(sender):
            return Judge(posta).ask(sender=f'{sender}@good.here.test',
                                    until='DOT')
        assert send('gone')[:3] == send('hold')[:3] == '250'
        assert send('to')[:3] == send('cc')[:3] == send('pre')[:3] == '250'
        assert send('warn')[:3] == send('info')[:3] == '250'
        posta.wait_log('NOQUEUE: hold: RCPT from .*: <hold@good.here.test>: '
                       'Sender address for a look; from=')
        for verb in ('discard', 'redirect', 'bcc', 'prepend', 'warn', 'info'):
            posta.wait_log(f'NOQUEUE: {verb}: RCPT from ')
        posta.wait_maildir('bob', 2)
        mine = posta.wait_maildir('alice', 4)
        assert sum(b'\nX-Seen: yes\nReceived:' in m for m in mine) == 1
        assert [m['sender'] for m in posta.queue()
                if m['queue_name'] == 'hold'] == ['hold@good.here.test']
        assert len(posta.maildir('alice')) == 4


def test_stages(dns):
    """Where a list is judged: at RCPT, or with smtpd_delay_reject at once."""
    lists = {'smtpd_client_restrictions': 'check_client_access '
                                          'inline:{{192.0.2.1=REJECT client}}',
             'smtpd_helo_restrictions': 'check_helo_access '
                                        'inline:{bad.here.test=REJECT}',
             'smtpd_sender_restrictions': 'check_sender_access '
                                          'inline:{{bad@=REJECT}}',
             'smtpd_data_restrictions': 'check_recipient_access '
                                        'inline:{{bob@=REJECT}}, '
                                        'reject_multi_recipient_bounce',
             'smtpd_end_of_data_restrictions': 'check_sender_access '
                                               'inline:{{end@=REJECT at end}}'}
    with judge(dns, **lists) as posta:
        ask = Judge(posta).ask
        other = '192.0.2.2'
        assert 'Client host rejected: client' in ask()
        assert 'Helo command rejected' in ask(other, helo='bad.here.test')
        assert 'Sender address rejected' in ask(other, sender='bad@x.test')
        assert ask(other, until='DATA')[:3] == '354'
        assert ask(other, rcpt='bob@example.test', until='DATA') == \
            '554 5.7.1 <bob@example.test>: Recipient address rejected: ' \
            'Access denied'
        assert ask(other, sender='end@x.test', until='DOT').endswith('at end')
        with RawSmtp(posta.port) as c:
            c.talk('EHLO c', 'MAIL FROM:<>', 'RCPT TO:<alice@example.test>',
                   'RCPT TO:<carol@example.test>',
                   'RCPT TO:<bob@example.test>')
            assert c.say('DATA') == '550 5.5.3 <DATA>: Data command ' \
                'rejected: Multi-recipient bounce'
        posta.wait_log('reject: END-OF-MESSAGE from')
        posta.wait_log('reject: DATA from')
    with judge(dns, smtpd_delay_reject='no', **lists) as posta:
        with RawSmtp(posta.port) as c:
            assert c.say('EHLO bad.here.test').startswith('554 5.7.1 <bad')
            assert c.say('EHLO good.here.test')[:3] == '250'
            assert c.say('MAIL FROM:<bad@x.test>').startswith('554 5.7.1 ')
            assert c.say('MAIL FROM:<ok@x.test>') == '250 2.1.0 Ok'
        posta.wait_log('reject: EHLO from')
        posta.wait_log('reject: MAIL from')
    lists['smtpd_client_restrictions'] = 'reject'
    posta = judge(dns, smtpd_delay_reject='no', **lists)
    posta.answers = lambda: True
    with posta:
        with RawSmtp(posta.port) as c:
            assert c.greeting[0].startswith('554 ')
            assert c.say('EHLO x').startswith('503 5.7.0 Error: access denied')
            assert c.say('QUIT')[:3] == '221'


def test_client_names(dns):
    with judge(dns) as posta:
        def name(source):
            with RawSmtp(posta.port, source=source) as c:
                c.say('QUIT')
        name('127.0.0.9')
        posta.wait_log(r'connect from here\.test\[127\.0\.0\.9\]')
        name('127.0.0.8')
        posta.wait_log(r'warning: hostname liar\.here\.test does not resolve '
                       r'to address 127\.0\.0\.8')
        posta.wait_log(r'connect from unknown\[127\.0\.0\.8\]')
        name('127.0.0.7')
        posta.wait_log(r'connect from unknown\[127\.0\.0\.7\]')


def test_mx_backup(dns):
    with judge(dns, smtpd_relay_restrictions='permit_mx_backup, '
               'reject_unauth_destination') as posta:
        ask = Judge(posta).ask
        assert ask(rcpt='x@backup.here.test') == OK
        assert ask(rcpt='x@onlymx.here.test')[:3] == '554'
        assert ask(rcpt='"x@y.test"@backup.here.test')[:3] == '554'


# ---- policy servers

class Policy(socketserver.ThreadingMixIn, socketserver.TCPServer):
    daemon_threads = True
    allow_reuse_address = True

    class Handler(socketserver.StreamRequestHandler):
        def handle(self):
            self.server.connections += 1
            request = {}
            for line in self.rfile:
                line = line.decode().rstrip('\n')
                if line:
                    name, _, value = line.partition('=')
                    request[name] = value
                    continue
                self.server.requests.append(request)
                action = self.server.answer(request)
                if action is None:
                    return
                self.wfile.write(f'action={action}\n\n'.encode())
                request = {}

    def __init__(self, answer):
        super().__init__(('127.0.0.1', 0), self.Handler)
        self.answer, self.requests, self.connections = answer, [], 0
        threading.Thread(target=self.serve_forever, daemon=True).start()


ATTRIBUTES = '''request protocol_state protocol_name client_address client_name
client_port reverse_client_name server_address server_port helo_name sender
recipient recipient_count queue_id instance size etrn_domain stress sasl_method
sasl_username sasl_sender ccert_subject ccert_issuer ccert_fingerprint
ccert_pubkey_fingerprint encryption_protocol encryption_cipher
encryption_keysize policy_context'''.split()


def test_policy_server(dns):
    answers = {'no@x.test': '550 5.7.9 not you', 'yes@x.test': 'DUNNO',
               'later@x.test': 'defer_if_permit greylisted',
               'dead@x.test': None}
    with Policy(lambda r: answers[r['sender']]) as server:
        port = server.server_address[1]
        with judge(dns, **{
                R: f'check_policy_service {{ inet:127.0.0.1:{port}, '
                   'timeout = 5s, retry_delay = 0s, policy_context = tested }',
                'smtpd_end_of_data_restrictions':
                f'check_policy_service inet:127.0.0.1:{port}'}) as posta:
            ask = Judge(posta).ask
            assert ask(sender='no@x.test') == '550 5.7.9 ' \
                '<alice@example.test>: Recipient address rejected: not you'
            request = server.requests[0]
            assert list(request) == ATTRIBUTES
            assert request['request'] == 'smtpd_access_policy'
            assert request['protocol_state'] == 'RCPT'
            assert request['protocol_name'] == 'ESMTP'
            assert request['client_address'] == '192.0.2.1'
            assert request['recipient'] == 'alice@example.test'
            assert request['server_port'] == str(posta.port)
            assert request['policy_context'] == 'tested'
            assert ask(sender='later@x.test') == '450 4.7.1 ' \
                '<alice@example.test>: Recipient address rejected: greylisted'
            assert ask(sender='yes@x.test', until='DOT')[:3] == '250'
            last = server.requests[-1]
            assert last['protocol_state'] == 'END-OF-MESSAGE'
            assert last['recipient_count'] == '1' and int(last['size']) > 5
            assert last['queue_id'] and last['policy_context'] == ''
            assert last['instance'] == server.requests[-2]['instance']
            assert ask(sender='dead@x.test') == '451 4.3.5 ' \
                '<alice@example.test>: Recipient address rejected: ' \
                'Server configuration problem'
            posta.wait_log('warning: problem talking to server inet:127')
        server.shutdown()


def test_policy_server_down(dns):
    with judge(dns, **{R: 'check_policy_service unix:private/none',
                       'smtpd_policy_service_default_action': 'DUNNO',
                       'smtpd_policy_service_retry_delay': '0s'}) as posta:
        assert Judge(posta).ask() == OK
        posta.wait_log('warning: problem talking to server unix:private/none: '
                       'No such file')


# ---- who else may speak

def test_xclient_and_xforward(dns):
    with judge(dns, smtpd_authorized_xforward_hosts='127.0.0.1') as posta:
        with RawSmtp(posta.port) as c:
            c.send('EHLO proxy.test\r\n')
            words = [line[4:] for line in c.reply()]
            assert 'XCLIENT NAME ADDR PORT PROTO HELO LOGIN REVERSE_NAME DESTADDR ' \
                'DESTPORT' in words
            assert 'XFORWARD NAME ADDR PORT PROTO HELO IDENT SOURCE' in words
            assert c.say('XCLIENT NAME=good.here.test ADDR=IPv6:2001:db8::1 '
                         'PORT=99')[:3] == '220'
            assert c.say('XCLIENT FROB=1') == \
                '501 5.5.4 Bad XCLIENT attribute name: FROB'
            assert c.say('XCLIENT ADDR=nonsense') == \
                '501 5.5.4 Bad ADDR syntax: nonsense'
            c.say('EHLO real.test')
            assert c.say('XFORWARD NAME=first.test ADDR=192.0.2.99 '
                         'HELO=first.helo IDENT=ABC') == '250 2.0.0 Ok'
            c.start(hello='NOOP')
            assert c.say('Subject: forwarded\r\n\r\n.')[:3] == '250'
        posta.wait_log(r'client=good\.here\.test\[2001:db8::1\], .*orig_client='
                       r'first\.test\[192\.0\.2\.99\]')
        message = posta.wait_maildir('alice', 1)[0]
        assert b'from real.test (good.here.test [IPv6:2001:db8::1])' in message
        posta.wait_log(r'disconnect from good\.here\.test\[2001:db8::1\]')


@pytest.mark.parametrize('header, client', [
    (b'PROXY TCP4 192.0.2.5 127.0.0.1 4000 25\r\n', '192.0.2.5'),
    (b'PROXY TCP6 2001:db8::5 ::1 4000 25\r\n', '2001:db8::5'),
    (b'PROXY UNKNOWN\r\n', '127.0.0.1'),
    (b'\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c\xc0\0\2\6\x7f\0\0\1\x10\0\0\x19',
     '192.0.2.6'),
    (b'\r\n\r\n\0\r\nQUIT\n\x20\0\0\0', '127.0.0.1'),
    (b'EHLO no.proxy\r\n', None),
    (b'PROXY TCP4 192.0.2.5 x y z\r\n', None),
    (b'\r\n\r\n\0\r\nQUIT\n\x21\x11\0\2ab', None),
])
def test_proxy_protocol(header, client, proxied):
    with RawSmtp(proxied.port, greeting=False) as c:
        c.send(header)
        if client is None:
            assert c.closed()
            return
        assert c.reply()[0].startswith('220 ')
        c.say('QUIT')
    proxied.wait_log(r'connect from .*\[' + re.escape(client) + r'\]')


@pytest.fixture(scope='module')
def proxied():
    posta = Posta(settings={**BASE, 'smtpd_peername_lookup': 'no',
                            'smtpd_upstream_proxy_timeout': '5s',
                            'smtpd_upstream_proxy_protocol': 'haproxy'})
    posta.answers = lambda: True
    with posta:
        wait_until(lambda: posta.status()['listeners'], 'it to listen')
        yield posta


# ---- content checks

CHECKS = r'''
/^Subject: reject/      REJECT 5.7.8 no such subject
/^Subject: plain/       REJECT
/^Subject: hold/        HOLD
/^Subject: discard/     DISCARD
/^Subject: replace/     REPLACE Subject: replaced
/^Subject: prepend/     PREPEND X-Before: it
/^X-Ignore:/            IGNORE
/^Subject: redirect/    REDIRECT bob@example.test
/^Subject: bcc/         BCC bob@example.test
/^Subject: warn/        WARN about it
/^Content-Type: .*name="?x\.exe/ REJECT no programs
'''
PART = ('MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=b\n\n'
        '--b\nContent-Type: application/octet-stream; name="x.exe"\n\nMZ\n'
        '--b--\n')


def test_header_and_body_checks(dns):
    with Posta(settings={**BASE, 'dns_servers': dns.address},
               start=False) as posta:
        posta.set(header_checks=f'regexp:{posta.write("hc", CHECKS)}',
                  body_checks='regexp:' + str(posta.write(
                      'bc', '/^forbidden word/ REJECT watch your words\n'
                            '/^drop this/ IGNORE\n')))
        posta.start()

        def send(text, rcpt='alice@example.test'):
            with RawSmtp(posta.port) as c:
                c.start(rcpt=rcpt)
                return c.say(text.replace('\n', '\r\n') + '.')
        assert send('Subject: reject\n\n') == '550 5.7.8 no such subject'
        assert send('Subject: plain\n\n') == \
            '550 5.7.1 Error: message content rejected'
        posta.wait_log(r'reject: header Subject: plain from \S+\[127\.0\.0\.1\];'
                       r' from=<a@client\.test> to=<alice@example\.test> '
                       r'proto=ESMTP helo=<client\.test>')
        assert send('Subject: x\n' + PART) == '550 5.7.1 no programs'
        assert send('Subject: x\n\nfine\nforbidden words\n') == \
            '550 5.7.1 watch your words'
        assert not posta.maildir('alice')
        assert send('Subject: discard\n\n')[:3] == '250'
        assert send('Subject: hold\n\n')[:3] == '250'
        assert send('Subject: redirect\n\n')[:3] == '250'
        assert send('Subject: bcc\n\n')[:3] == '250'
        assert send('Subject: replace\nX-Ignore: a\n b\n\nkeep\ndrop this\n'
                    'last\n')[:3] == '250'
        assert send('Subject: prepend\n\nx\n')[:3] == '250'
        assert send('Subject: warn\n\nx\n')[:3] == '250'
        posta.wait_maildir('bob', 2)
        mine = posta.wait_maildir('alice', 4)
        replaced = [m for m in mine if b'Subject: replaced' in m][0]
        assert replaced.endswith(b'Subject: replaced\n\nkeep\nlast\n')
        assert any(b'\nX-Before: it\nSubject: prepend\n' in m for m in mine)
        posta.wait_log('warning: header Subject: warn from .*: about it')
        assert len(posta.maildir('alice')) == 4


# ---- LMTP

def test_lmtp(dns):
    services = 'lmtp-in unix n - n - - lmtpd\n'
    with Posta(settings={**BASE, 'dns_servers': dns.address},
               services=services) as posta:
        path = posta.dir / 'queue/public/lmtp-in'
        wait_until(path.exists, 'the socket')
        with RawSmtp(0, path=path) as c:
            assert c.say('EHLO x') == '502 5.5.2 Error: command not recognized'
            assert c.say('MAIL FROM:<>') == '503 5.5.1 Error: send LHLO first'
            c.send('LHLO x\r\n')
            words = [line[4:] for line in c.reply()]
            assert 'PIPELINING' in words and 'VRFY' not in words
            assert c.talk('MAIL FROM:<a@x.test>', 'RCPT TO:<bob@example.test>',
                          'RCPT TO:<no@example.test>',
                          'RCPT TO:<alice@example.test>', 'DATA')[-1][:3] == \
                '354'
            c.send('Subject: lmtp\r\n\r\n.\r\n')
            one, two = c.reply()[0], c.reply()[0]
            assert re.fullmatch(r'250 2\.0\.0 <bob@example\.test> Ok: queued '
                                r'as \w+', one)
            assert two.startswith('250 2.0.0 <alice@example.test> Ok: ')
            assert c.say('QUIT')[:3] == '221'
        assert b'with LMTP id' in posta.wait_maildir('alice', 1)[0]
        posta.wait_maildir('bob', 1)
