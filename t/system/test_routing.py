"""Addresses on their way: rewriting, aliases, classes, next hops, end to end.

One instance whose tables send mail to two servers that remember what they
were given.
"""
import re

import pytest

from harness import Posta, wait_until
from harness.fake_smtp import FakeSmtp

CANONICAL = '''
jim@example.test       james.bond@example.test
@old.test              @new.test
'''
VIRTUAL = '''
sales@example.test     alice, bob@example.test
alice.b@example.test   alice
ring@example.test      ring2@example.test
ring2@example.test     ring@example.test
team@aliases.test      alice, team2@aliases.test
team2@aliases.test     bob, alice
@catch.test            @remote.test
'''
TRANSPORT = '''
remote.test            smtp:{a}
.remote.test           smtp:{b}
joe@remote.test        smtp:{b}
new.test               :{b}
closed.test            error:5.7.1 closed for good
later.test             retry:4.3.2 closed for now
nothing.test           discard:
'''


@pytest.fixture(scope='module')
def site():
    with FakeSmtp() as a, FakeSmtp() as b:
        posta = Posta(start=False)
        folder = posta.dir
        hops = {'a': a.nexthop, 'b': b.nexthop}
        for name, text in (
                ('canonical', CANONICAL), ('aliases.v', VIRTUAL),
                ('transport', TRANSPORT.format(**hops)),
                ('relayhosts', f'boss@example.test {b.nexthop}\n'),
                ('moved', 'gone@example.test gone@elsewhere.test\n'),
                ('copies', 'audit@remote.test bob@example.test\n')):
            posta.write(name, text)
        posta.set(
            canonical_maps=f'texthash:{folder}/canonical',
            virtual_alias_maps=f'texthash:{folder}/aliases.v',
            virtual_alias_domains='aliases.test, catch.test',
            transport_maps=f'texthash:{folder}/transport',
            sender_dependent_relayhost_maps=f'texthash:{folder}/relayhosts',
            relocated_maps=f'texthash:{folder}/moved',
            recipient_bcc_maps=f'texthash:{folder}/copies',
            masquerade_domains='example.test',
            relayhost=a.nexthop,
            append_dot_mydomain='yes', mydomain='example.test',
            relay_domains='relay.test',
            relay_recipient_maps='inline:{ok@relay.test=x}',
            smtpd_recipient_restrictions='',
            smtpd_relay_restrictions='reject_unauth_destination',
            smtpd_authorized_xclient_hosts='')
        posta.set(mynetworks='127.0.0.0/8')
        with posta:
            posta.a, posta.b = a, b
            posta.start()
            yield posta


def rcpts(server):
    return [c[9:-1] for c in server.commands if c.startswith('RCPT TO:')
            for c in [c.split(' ORCPT=')[0].split(' NOTIFY=')[0]]]


def relay(site):
    """Let this machine's clients relay, for one test."""
    site.set(smtpd_relay_restrictions='permit_mynetworks, '
                                      'reject_unauth_destination')


def ask(site, rcpt, sender='x@client.test'):
    with site.smtp() as s:
        s.ehlo('client.test')
        assert s.mail(sender)[0] == 250
        code, text = s.rcpt(rcpt)
        return f'{code} {text.decode()}'


@pytest.mark.parametrize('rcpt, reply', [
    ('alice@example.test', '250 2.1.5'),
    ('alice+box@example.test', '250 2.1.5'),
    ('nobody@example.test', '550 5.1.1 <nobody@example.test>: Recipient '
     'address rejected: User unknown in virtual mailbox table'),
    ('no-user@localhost', '550 5.1.1 <no-user@localhost>: Recipient address '
     'rejected: User unknown in local recipient table'),
    ('nobody@aliases.test', '550 5.1.1 <nobody@aliases.test>: Recipient '
     'address rejected: User unknown in virtual alias table'),
    ('any@catch.test', '250 2.1.5'),
    ('ok@relay.test', '250 2.1.5'),
    ('no@relay.test', '550 5.1.1 <no@relay.test>: Recipient address rejected: '
     'User unknown in relay recipient table'),
    ('gone@example.test', '550 5.1.6 <gone@example.test>: Recipient address '
     'rejected: User has moved to gone@elsewhere.test'),
    ('postmaster', '250 2.1.5'),
])
def test_who_is_known(site, rcpt, reply):
    assert ask(site, rcpt).startswith(reply)


@pytest.mark.parametrize('rcpt', [
    'x@remote.test', 'x%remote.test@example.test', 'remote.test!x@localhost',
    '"x@remote.test"@example.test', 'x@remote.test@relay.test',
    '@example.test:x@remote.test', 'x%remote.test@relay.test',
    '"x%remote.test"@[127.0.0.1]',
])
def test_nobody_relays_through_us(site, rcpt):
    assert ask(site, rcpt).startswith('5'), rcpt


@pytest.fixture(scope='module')
def open_site(site):
    relay(site)
    site.reload()
    wait_until(lambda: ask(site, 'x@remote.test').startswith('250'),
               'the reload')
    return site


def test_aliases_are_expanded(open_site):
    site = open_site
    site.send('x@client.test', 'sales@example.test')
    site.send('x@client.test', 'team@aliases.test')
    site.wait_log(r'to=<alice@example.test>, orig_to=<sales@example.test>')
    site.wait_log(r'to=<bob@example.test>, orig_to=<team@aliases.test>')
    assert len(site.wait_maildir('alice', 2)) == 2
    assert len(site.wait_maildir('bob', 2)) == 2


def test_aliases_in_a_ring_are_refused_for_now(open_site):
    with open_site.smtp() as s:
        s.ehlo('client.test')
        s.mail('x@client.test')
        code, text = s.rcpt('ring@example.test')
        if code == 250:
            code, text = s.data('Subject: x\n\nx\n')
    assert code == 451, text
    open_site.wait_log('unreasonable virtual_alias_maps map nesting for '
                       'ring@example.test')


@pytest.mark.parametrize('rcpt, server, seen', [
    ('jack@remote.test', 'a', 'jack@remote.test'),
    ('joe+x@remote.test', 'b', 'joe+x@remote.test'),
    ('x@deep.remote.test', 'b', 'x@deep.remote.test'),
    ('u+e@old.test', 'b', 'u+e@new.test'),
    ('any@catch.test', 'a', 'any@remote.test'),
    ('other@unlisted.test', 'a', 'other@unlisted.test'),
])
def test_next_hops(open_site, rcpt, server, seen):
    hop = getattr(open_site, server)
    open_site.send('x@client.test', rcpt)
    wait_until(lambda: seen in rcpts(hop), f'{seen} at {server}: '
               f'{open_site.a.commands} {open_site.b.commands}')


def test_relayhost_by_sender(open_site):
    open_site.send('boss@example.test', 'by-sender@unlisted.test')
    wait_until(lambda: 'by-sender@unlisted.test' in rcpts(open_site.b),
               'mail at the sender\'s relay')
    assert 'by-sender@unlisted.test' not in rcpts(open_site.a)


def test_copies(open_site):
    before = len(open_site.maildir('bob'))
    open_site.send('x@client.test', 'audit@remote.test',
                   'Subject: watched\n\nx\n')
    assert b'Subject: watched' in open_site.wait_maildir(
        'bob', before + 1)[-1]
    wait_until(lambda: 'audit@remote.test' in rcpts(open_site.a), 'the mail')


def test_error_and_discard_transports(open_site):
    assert ask(open_site, 'x@closed.test') == (
        '550 5.7.1 <x@closed.test>: Recipient address rejected: closed for '
        'good')
    assert ask(open_site, 'x@later.test').startswith(
        '450 4.3.2 <x@later.test>: Recipient address rejected: closed for now')
    open_site.send('x@client.test', 'x@nothing.test')
    open_site.wait_log(r'to=<x@nothing.test>, .*relay=none.*status=sent')


def test_headers_of_local_clients_are_rewritten(open_site):
    open_site.send('jim@example.test', 'headers@remote.test',
                   'From: Jim <jim>\n'
                   'To: jim@example.test, "A, b" <x@host.example.test>,\n'
                   '\tother@host\n'
                   'X-Other: jim@example.test\n\nx\n')
    message = wait_until(lambda: [m for m in open_site.a.messages
                                  if b'X-Other' in m], 'the mail')[0]
    text = re.sub(r'\r\n(?=[ \t])', '', message.decode())
    assert 'From: Jim <james.bond@example.test>\r\n' in text
    assert ('To: james.bond@example.test, "A, b" <x@example.test>,'
            '\tother@example.test\r\n') in text
    assert 'X-Other: jim@example.test\r\n' in text
    assert any(c.startswith('MAIL FROM:<james.bond@example.test>')
               for c in open_site.a.commands)


def test_a_table_can_be_mended_while_mail_waits():
    """No table: 451, with what to do; after postmap mail flows, at once."""
    with Posta(start=False) as posta:
        table = posta.write('late', 'info@example.test alice\n')
        posta.set(virtual_alias_maps=f'hash:{table}')
        posta.start()
        assert ask(posta, 'info@example.test').startswith(
            '451 4.3.0 <info@example.test>: ')
        posta.wait_log(f'late.lmdb: No such file or directory; run: postmap '
                       f'hash:{table}')
        posta.command('postmap', f'hash:{table}')
        wait_until(lambda: ask(posta, 'info@example.test').startswith('250'),
                   'the table to be seen')
        posta.send('x@client.test', 'info@example.test')
        posta.wait_maildir('alice', 1)
        table.write_text('other@example.test alice\n')
        posta.command('postmap', f'hash:{table}')
        wait_until(lambda: ask(posta, 'other@example.test').startswith('250'),
                   'the new table to be seen')
        # Another worker looks at the file when its own second is over.
        wait_until(lambda: ask(posta, 'info@example.test').startswith('550'),
                   'the old entry to be gone')


def test_a_changed_route_counts_for_waiting_mail():
    """Retried mail is routed again."""
    with FakeSmtp(RCPT='450 4.2.0 not now') as first, FakeSmtp() as second:
        posta = Posta(settings={'relayhost': first.nexthop}, start=False)
        posta.write('transport', '')
        posta.set(transport_maps=f'texthash:{posta.dir}/transport')
        with posta:
            posta.start()
            posta.send('alice@example.test', 'x@remote.test')
            posta.wait_log(r'to=<x@remote.test>.*status=deferred')
            posta.write('transport', f'remote.test smtp:{second.nexthop}\n')

            def flushed():
                posta.command('postqueue', '-f')
                return 'x@remote.test' in rcpts(second)
            wait_until(flushed, 'mail at the new next hop')
            posta.wait_empty()
