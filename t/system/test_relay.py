"""Mail out through the whole suite, to Exim found by MX look-up."""
import re

import pytest

from harness import Exim, NameServer, Posta, wait_until

ZONE = '@ IN MX 10 mx\nmx IN A 127.0.0.1\nnull IN MX 0 .\n'


@pytest.fixture(scope='module')
def peer():
    with Exim() as exim:
        yield exim


@pytest.fixture(scope='module')
def posta(peer):
    with NameServer({'remote.test': ZONE}) as dns, \
            Posta(settings={'dns_servers': dns.address,
                            'smtp_tcp_port': peer.port}) as instance:
        yield instance


def send(posta, sender, rcpts, text='Subject: test\n\nHello.\n', **kw):
    return posta.send(sender, rcpts, text.replace('\n', '\r\n').encode(), **kw)


def test_a_message_is_relayed(posta, peer):
    reply = send(posta, 'x@example.test', ['one@remote.test'],
                       'Subject: first\n\n.\n..\nHello.\n')
    queue_id = re.search(r'queued as (\w+)', reply)[1]
    [message] = peer.wait_mail('one')
    assert message['subject'] == 'first'
    assert message.get_payload() == '.\n..\nHello.\n'
    assert message['return-path'] == '<x@example.test>'
    assert f'id {queue_id}' in message.get_all('received')[1]
    posta.wait_log(rf'{queue_id}: to=<one@remote\.test>, relay=mx\.remote\.test'
                   rf'\[127\.0\.0\.1\]:{peer.port}, .*dsn=2\.0\.0, '
                   rf'status=sent \(250 OK id=')
    posta.wait_log(rf'{queue_id}: removed')


def test_8bit_and_long_lines(posta, peer):
    text = 'Subject: eight\nContent-Type: text/plain; charset=utf-8\n\n' \
        'Grüße\n' + 'x' * 2000 + '\n'
    send(posta, 'x@example.test', ['eight@remote.test'], text,
               options=['body=8bitmime'])
    [message] = peer.wait_mail('eight')
    assert 'Grüße' in message.get_payload(decode=True).decode()


def test_a_large_message(posta, peer):
    body = ''.join(f'{i} {"y" * (i % 70)}\n' for i in range(100000))
    send(posta, 'x@example.test', ['big@remote.test'], 'Subject: b\n\n' + body)
    [message] = peer.wait_mail('big')
    assert message.get_payload() == body


def test_what_the_server_says_comes_back(posta, peer):
    send(posta, 'alice@example.test', ['nobody@remote.test', 'two@remote.test'])
    peer.wait_mail('two')
    [report] = posta.wait_maildir('alice', 1)
    report = report.decode() if isinstance(report, bytes) else str(report)
    assert '550 no such user' in report
    assert 'Final-Recipient: rfc822; nobody@remote.test' in report
    assert 'Remote-MTA: dns; mx.remote.test' in report
    assert 'two@remote.test' not in report.split('Reporting-MTA')[1].split(
        '\n--')[0]


def test_what_is_put_off_stays_in_the_queue(posta, peer):
    send(posta, 'x@example.test', ['later@remote.test'])
    posta.wait_log(r'to=<later@remote\.test>, .*status=deferred \(host '
                   r'mx\.remote\.test\[127\.0\.0\.1\] said: 451 come back '
                   r'later \(in reply to RCPT TO command\)\)')
    wait_until(lambda: 'come back later' in posta.command('mailq').stdout,
               'the reason')


def test_many_messages_share_sessions(posta, peer):
    for i in range(30):
        send(posta, 'x@example.test', ['many@remote.test'], f'Subject: {i}\n\n')
    messages = peer.wait_mail('many', 30)
    assert sorted(int(m['subject']) for m in messages) == list(range(30))


def test_the_relayhost(peer):
    with Posta(settings={'relayhost': f'[127.0.0.1]:{peer.port}'}) as posta:
        send(posta, 'x@example.test', ['host@anywhere.test'])
        assert peer.wait_mail('host')[0]['envelope-to'] == 'host@anywhere.test'


def test_agents_that_retire_keep_no_session(peer):
    """max_use ends agents that have a session open."""
    with Posta(settings={'relayhost': f'[127.0.0.1]:{peer.port}',
                         'max_use': 2}) as posta:
        for i in range(9):
            send(posta, 'x@example.test', ['retire@anywhere.test'])
        assert len(peer.wait_mail('retire', 9)) == 9
        posta.wait_empty()
