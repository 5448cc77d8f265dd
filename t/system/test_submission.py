"""What a login gives: ownership of addresses, limits, mail sent later.

Who has logged in is said with XCLIENT here, so that nothing depends on how.
"""
import calendar
import re
import time

import pytest

from harness import Posta, wait_until
from harness.fake_smtp import FakeSmtp
from harness.raw_smtp import RawSmtp

BASE = {
    'smtpd_sasl_auth_enable': 'yes',
    'mynetworks': '198.51.100.0/24', 'local_header_rewrite_clients': '',
    'smtpd_authorized_xclient_hosts': '127.0.0.1',
    'smtpd_error_sleep_time': '0s', 'smtpd_hard_error_limit': '1000',
    'smtpd_client_connection_count_limit': '0',
    'smtpd_relay_restrictions':
        'permit_sasl_authenticated, reject_unauth_destination',
}
OWNERS = ('alice@example.test alice\n'
          'office@example.test bob, alice\n'
          '@wide.test bob\n'
          'other@example.test carol\n')


def session(posta, login='alice', helo='c.test'):
    c = RawSmtp(posta.port)
    attributes = 'ADDR=192.0.2.9 NAME=[UNAVAILABLE]'
    if login:
        attributes += f' LOGIN={login}'
    assert c.say(f'XCLIENT {attributes}')[:3] == '220'
    assert c.say(f'EHLO {helo}').startswith('250')
    return c


def submit(posta, header, login='alice', sender='alice@example.test',
           rcpt='bob@example.test'):
    """The reply to the final dot."""
    with session(posta, login) as c:
        for line in (f'MAIL FROM:<{sender}>', f'RCPT TO:<{rcpt}>', 'DATA'):
            reply = c.say(line)
            assert reply[0] in '23', reply
        return c.say(header.replace('\n', '\r\n') + '\r\n\r\nhello\r\n.')


@pytest.fixture(scope='module')
def owners():
    with Posta(start=False, settings=BASE) as posta:
        table = posta.write('owners', OWNERS)
        posta.set(smtpd_sender_login_maps=f'texthash:{table}',
                  smtpd_reject_header_from_login_mismatch='yes',
                  recipient_delimiter='+')
        posta.start()
        yield posta


OWNED = '250'
NOT_LOGGED_IN = '553 5.7.1 <{}>: Sender address rejected: not logged in'
NOT_OWNED = '553 5.7.1 <{}>: Sender address rejected: not owned by user {}'
ENVELOPES = [
    # restriction, login, sender, reply
    ('reject_sender_login_mismatch', 'alice', 'alice@example.test', OWNED),
    ('reject_sender_login_mismatch', 'ALICE', 'Alice@EXAMPLE.test', OWNED),
    ('reject_sender_login_mismatch', 'alice', 'alice+x@example.test', OWNED),
    ('reject_sender_login_mismatch', 'bob', 'any@wide.test', OWNED),
    ('reject_sender_login_mismatch', 'alice', 'office@example.test', OWNED),
    ('reject_sender_login_mismatch', 'alice', 'any@wide.test', NOT_OWNED),
    ('reject_sender_login_mismatch', 'alice', 'other@example.test', NOT_OWNED),
    ('reject_sender_login_mismatch', 'alice', 'nobody@x.test', NOT_OWNED),
    ('reject_sender_login_mismatch', 'alice', '', OWNED),
    ('reject_sender_login_mismatch', '', 'alice@example.test', NOT_LOGGED_IN),
    ('reject_sender_login_mismatch', '', 'nobody@x.test', OWNED),
    ('reject_known_sender_login_mismatch', 'alice', 'nobody@x.test', OWNED),
    ('reject_known_sender_login_mismatch', 'alice', 'other@example.test',
     NOT_OWNED),
    ('reject_known_sender_login_mismatch', '', 'other@example.test',
     NOT_LOGGED_IN),
    ('reject_authenticated_sender_login_mismatch', '', 'other@example.test',
     OWNED),
    ('reject_authenticated_sender_login_mismatch', 'alice', 'nobody@x.test',
     NOT_OWNED),
    ('reject_unauthenticated_sender_login_mismatch', 'alice',
     'other@example.test', OWNED),
    ('reject_unauthenticated_sender_login_mismatch', '', 'other@example.test',
     NOT_LOGGED_IN),
]


def test_who_may_use_which_envelope_sender():
    with Posta(start=False, settings=BASE) as posta:
        table = posta.write('owners', OWNERS)
        access = posta.write('access', ''.join(
            f'r{n}@example.test {name}\n' for n, name in
            enumerate(sorted({row[0] for row in ENVELOPES}))))
        names = sorted({row[0] for row in ENVELOPES})
        posta.set(smtpd_sender_login_maps=f'texthash:{table}',
                  smtpd_reject_unlisted_recipient='no',
                  smtpd_recipient_restrictions=
                  f'check_recipient_access texthash:{access}')
        posta.start()
        for name, login, sender, want in ENVELOPES:
            with session(posta, login) as c:
                assert c.say(f'MAIL FROM:<{sender}>')[0] == '2'
                reply = c.say(f'RCPT TO:<r{names.index(name)}@example.test>')
            assert reply.startswith(want.format(sender, login)), \
                (name, login, sender, reply)
        posta.wait_log('reject: RCPT .*not owned by user alice; .*'
                       'sasl_username=<alice>$')


HEADERS = [
    ('From: alice@example.test', '250'),
    ('From: Alice <ALICE@example.test>', '250'),
    ('From: "other@example.test" <alice+tag@example.test>', '250'),
    ('From: alice', '250'),                     # completed with $myorigin
    ('From: alice@example.test, office@example.test', '250'),
    ('From: alice@example.test, office@example.test\n'
     'Sender: alice@example.test', '250'),
    ('Sender: x@elsewhere.test\nFrom: alice@example.test', '250'),
    ('Subject: no From at all', '250'),
    ('From: carol@elsewhere.test',
     '550 5.7.1 <carol@elsewhere.test>: From address rejected: not owned by '
     'user alice'),
    ('From: alice@example.test <carol@elsewhere.test>', '550 5.7.1 <carol'),
    ('From: carol@elsewhere.test, alice@example.test', '550 5.7.1 <carol'),
    ('From: alice@example.test,\n carol@elsewhere.test', '550 5.7.1 <carol'),
    ('From: alice@example.test\nFrom: carol@elsewhere.test',
     '550 5.7.1 <carol'),
    ('fRoM : carol@elsewhere.test', '550 5.7.1 <carol'),
    ('From: friends: carol@elsewhere.test;', '550 5.7.1 <carol'),
    ('From: (alice@example.test)', '550 5.7.1 <>'),
    ('From:', '550 5.7.1 <>'),
    ('From: undisclosed:;', '550 5.7.1 <>'),
    ('Resent-From: alice@example.test\nFrom: carol@elsewhere.test',
     '550 5.7.1 <carol'),
    ('From: alice@example.test, office@example.test\n'
     'Sender: carol@elsewhere.test',
     '550 5.7.1 <carol@elsewhere.test>: Sender address rejected'),
]


@pytest.mark.parametrize('header,want', HEADERS)
def test_who_may_be_the_author(owners, header, want):
    if 'From: alice\n' in header + '\n':
        want = want if owners.domain == 'example.test' else '550'
    assert submit(owners, header).startswith(want)


def test_a_refused_author_is_logged_and_nothing_is_queued(owners):
    reply = submit(owners, 'From: boss@example.test\nSubject: pay')
    assert reply.startswith('550 5.7.1 <boss@example.test>')
    owners.wait_log(r'reject: \S+ from unknown\[192.0.2.9\]: 550 5.7.1 '
                    r'<boss@example.test>: From address rejected: .*'
                    r'sasl_username=<alice>')
    owners.wait_empty()


def test_strangers_may_write_what_they_like_in_from(owners):
    assert submit(owners, 'From: boss@example.test', login='',
                  sender='x@elsewhere.test').startswith('250')


def test_without_a_table_nobody_owns_anything():
    with Posta(settings={**BASE, 'smtpd_sender_login_maps': '',
                         'smtpd_sender_restrictions':
                         'reject_sender_login_mismatch',
                         'smtpd_reject_header_from_login_mismatch':
                         'yes'}) as posta:
        assert submit(posta, 'From: x@y.test', sender='z@y.test')[:3] == '250'


def test_a_login_may_relay_and_is_told_of_in_the_log_and_header():
    with Posta(settings={**BASE, 'smtpd_sasl_authenticated_header': 'yes',
                         'default_transport': 'discard'}) as posta:
        assert submit(posta, 'From: a@b.test', rcpt='x@elsewhere.test')[:3] \
            == '250'
        posta.wait_log(r': client=unknown\[192.0.2.9\], sasl_method=XCLIENT, '
                       r'sasl_username=alice$')
        submit(posta, 'From: a@b.test', login='al(i)ce\\')
        text = posta.wait_maildir('bob', 1)[0].decode()
        assert '\n\t(Authenticated sender: al?i?ce?)\n\tby ' in text
        assert ' with ESMTPA id ' in text
        with session(posta, '') as c:
            c.say('MAIL FROM:<a@b.test>')
            assert c.say('RCPT TO:<x@elsewhere.test>')[:3] == '554'


def test_logins_in_tables():
    with Posta(start=False, settings=BASE) as posta:
        table = posta.write('logins', 'eve REJECT no more\n')
        posta.set(smtpd_recipient_restrictions=
                  f'check_sasl_access texthash:{table}')
        posta.start()
        with session(posta, 'eve') as c:
            c.say('MAIL FROM:<a@b.test>')
            assert c.say('RCPT TO:<bob@example.test>').startswith(
                '554 5.7.1 <eve>: SASL login name rejected: no more')
        with session(posta, '') as c:
            c.say('MAIL FROM:<a@b.test>')
            assert c.say('RCPT TO:<bob@example.test>')[:3] == '250'


def test_limits_are_the_logins_wherever_it_comes_from():
    with Posta(settings={**BASE, 'smtpd_login_message_rate_limit': '3',
                         'smtpd_login_recipient_rate_limit': '4',
                         'smtpd_client_event_limit_exceptions': '0.0.0.0/0',
                         'anvil_rate_time_unit': '1000s'}) as posta:
        for n in range(3):
            with session(posta, 'alice') as c:
                assert c.say('MAIL FROM:<a@b.test>')[:3] == '250'
        with session(posta, 'Alice') as c:
            assert c.say('MAIL FROM:<a@b.test>') == \
                '450 4.7.1 Error: too much mail from user Alice'
        with session(posta, 'bob') as c:
            c.say('MAIL FROM:<a@b.test>')
            replies = [c.say('RCPT TO:<bob@example.test>') for _ in range(5)]
        assert [r[:3] for r in replies] == ['250'] * 4 + ['450']
        assert 'too many recipients from user bob' in replies[4]
        posta.wait_log('Message delivery request rate limit exceeded: 4 from '
                       r'unknown\[192.0.2.9\] for user Alice')


# ---- FUTURERELEASE (RFC 4865)

LATER = {**BASE, 'smtpd_future_release_limit': '1h'}


@pytest.fixture(scope='module')
def later():
    with Posta(settings=LATER) as posta:
        yield posta


def internet(seconds):
    return time.strftime('%Y-%m-%dT%H:%M:%SZ', time.gmtime(seconds))


def test_release_is_announced_with_its_limits(later):
    with session(later) as c:
        words = re.search(r'FUTURERELEASE (\d+) (\S+)', c.say('EHLO c.test'))
        assert words.group(1) == '3600'
        limit = calendar.timegm(time.strptime(words.group(2),
                                              '%Y-%m-%dT%H:%M:%SZ'))
        assert abs(limit - time.time() - 3600) < 60
    with session(later, '') as c:
        assert c.say('MAIL FROM:<a@b.test> HOLDFOR=10') == \
            '530 5.7.0 Authentication required'
    with Posta(settings={**LATER, 'smtpd_sasl_auth_enable': 'no'}) as posta:
        with session(posta, '') as c:
            assert 'FUTURERELEASE' not in c.say('EHLO c.test')
            assert c.say('MAIL FROM:<a@b.test> HOLDFOR=10')[:9] == '555 5.5.4'


@pytest.mark.parametrize('parameter', [
    'HOLDFOR=3700', 'HOLDFOR=0', 'HOLDFOR=x', 'HOLDFOR=1 HOLDFOR=1',
    'HOLDUNTIL=2099-01-01T00:00:00Z', 'HOLDUNTIL=now',
    'HOLDFOR=1 HOLDUNTIL=2026-01-01T00:00:00Z'])
def test_release_out_of_range_is_refused(later, parameter):
    with session(later) as c:
        assert c.say(f'MAIL FROM:<a@b.test> {parameter}')[:9] == '501 5.5.4'


def test_release_in_the_past_is_now(later):
    before = len(later.maildir('bob'))
    with session(later) as c:
        for line in ('MAIL FROM:<a@b.test> HOLDUNTIL=2020-01-01T00:00:00Z',
                     'RCPT TO:<bob@example.test>', 'DATA'):
            assert c.say(line)[0] in '23'
        assert c.say('\r\nhello\r\n.')[:3] == '250'
    later.wait_maildir('bob', before + 1)


def test_mail_waits_for_its_release_through_restart_and_flush():
    with Posta(settings=LATER) as posta:
        with session(posta) as c:
            until = int(time.time()) + 24
            for line in (f'MAIL FROM:<alice@example.test> '
                         f'HOLDUNTIL={internet(until)}',
                         'RCPT TO:<bob@example.test>', 'DATA'):
                assert c.say(line)[0] in '23'
            queue_id = c.say('Subject: later\r\n\r\nx\r\n.').split()[-1]
        posta.wait_log(f'{queue_id}: to be sent after ')
        [entry] = posta.queue()
        assert entry['release_time'] == until
        assert entry['queue_name'] == 'deferred'
        assert '(to be sent after ' in posta.command('mailq').stdout
        posta.stop()
        posta.start()
        posta.command('postqueue', '-f')
        posta.command('postqueue', '-i', queue_id)
        wait_until(lambda: posta.queue() or time.time() >= until - 1,
                   'the queue to be read')
        assert posta.maildir('bob') == [] or time.time() >= until
        [message] = posta.wait_maildir('bob', 1)
        assert time.time() >= until
        assert b'Subject: later' in message
        posta.wait_empty()


def test_time_in_the_queue_begins_with_the_release():
    """No word of a delay while it waits as asked; a report tells of it."""
    with FakeSmtp(RCPT='550 5.1.1 no such user') as peer, \
            Posta(settings={**LATER, 'delay_warning_time': '1s',
                            'transport_maps': 'inline:{elsewhere.test=smtp:'
                            f'[127.0.0.1]:{peer.port}}}'}) as posta:
        with session(posta) as c:
            until = int(time.time()) + 5
            for line in ('MAIL FROM:<alice@example.test> '
                         f'HOLDUNTIL={internet(until)}',
                         'RCPT TO:<x@elsewhere.test>', 'DATA'):
                assert c.say(line)[0] in '23'
            queue_id = c.say('Subject: later\r\n\r\nx\r\n.').split()[-1]
        [report] = posta.wait_maildir('alice', 1)
        assert time.time() >= until
        assert f'Future-Release-Request: until; {internet(until)}'.encode() \
            in report
        posta.wait_log(rf'{queue_id}: removed')
        assert 'sender delay notification' not in posta.log_text()
