"""The LMTP client (RFC 2033): one reply per recipient, UNIX sockets."""
import re

import pytest

from harness.fake_smtp import HANG, FakeSmtp
from harness.smtp_agent import MESSAGE, SmtpAgent

OK, TEMP, PERM = 0, 4, 5
NONE, RELAYED, FORWARDED = 0, 1, 3
PLAIN = '250-fake.test\n250-PIPELINING\n250 ENHANCEDSTATUSCODES'


def each(replies):
    """A reply by the recipient's first letter."""
    return lambda line: replies[re.search('<(.)', line)[1]]


def test_over_tcp():
    with FakeSmtp(lmtp=True) as server, SmtpAgent('lmtp') as agent:
        r = agent.one(f'inet:{server.nexthop}')
        assert (r.rc, r.text) == (OK, '250 2.0.0 Ok: queued as F00')
        assert r.relay == f'127.0.0.1[127.0.0.1]:{server.port}'
        assert server.commands[0] == 'LHLO client.test'
        assert agent.one(server.nexthop).rc == OK


def test_over_a_unix_socket(tmp_path):
    path = tmp_path / 'socket'
    with FakeSmtp(lmtp=True, path=path) as server, \
            SmtpAgent('lmtp') as agent:
        r = agent.one(f'unix:{path}')
        assert (r.rc, r.relay) == (OK, f'client.test[{path}]')
        assert server.messages == [MESSAGE.replace(b'\n', b'\r\n')]


def test_a_path_is_relative_to_the_queue(tmp_path):
    with FakeSmtp(lmtp=True, path=tmp_path / 'socket') as server, \
            SmtpAgent('lmtp', queue_directory=tmp_path) as agent:
        assert agent.one('unix:socket').relay == 'client.test[socket]'
        assert agent.one('unix:socket').rc == OK
        assert len(server.sessions) == 1


def test_no_socket_there():
    with SmtpAgent('lmtp') as agent:
        delivered, [r] = agent.deliver('unix:/nonexistent/x', 'b@remote.test')
        assert (r.rc, r.dsn) == (TEMP, '4.4.1')
        assert r.text == 'connect to client.test[/nonexistent/x]: ' \
            'No such file or directory'
        assert delivered['site_down'] == 1


def test_each_recipient_has_his_own_end():
    rcpt = each({'a': '250 Ok', 'b': '550 5.1.1 no', 'c': '250 Ok',
                 'd': '250 Ok', 'e': '451 4.2.0 x'})
    end = each({'a': '250 2.0.0 saved', 'c': '452 4.2.2 full',
                'd': '552 5.2.2 over quota'})
    with FakeSmtp(lmtp=True, RCPT=rcpt, DOT=end) as server, \
            SmtpAgent('lmtp') as agent:
        _, results = agent.deliver(
            server.nexthop, [f'{c}@remote.test' for c in 'abcde'])
        assert [(r.rc, r.dsn) for r in results] == [
            (OK, '2.0.0'), (PERM, '5.1.1'), (TEMP, '4.2.2'), (PERM, '5.2.2'),
            (TEMP, '4.2.0')]
        assert results[3].text == 'host 127.0.0.1[127.0.0.1] said: ' \
            '552 5.2.2 over quota (in reply to end of DATA command)'
        assert agent.deliver(server.nexthop, 'a@remote.test')[1][0].rc == OK
        assert len(server.sessions) == 1


@pytest.mark.parametrize('trouble', [None, HANG])
def test_lost_between_the_ends(trouble):
    end = each({'a': '250 2.0.0 saved', 'b': '250 2.0.0 saved', 'c': trouble})
    with FakeSmtp(lmtp=True, DOT=end) as server, \
            SmtpAgent('lmtp', lmtp_data_done_timeout='5s') as agent:
        _, results = agent.deliver(
            server.nexthop, [f'{c}@remote.test' for c in 'abca'])
        assert [r.rc for r in results] == [OK, OK, TEMP, TEMP]
        assert 'while sending end of data -- message may be sent more than ' \
            'once' in results[2].text


def test_lhlo_is_not_followed_by_helo():
    with FakeSmtp(lmtp=True, LHLO='500 5.5.1 what?') as server, \
            SmtpAgent('lmtp') as agent:
        r = agent.one(server.nexthop)
        assert (r.rc, r.dsn) == (PERM, '5.5.1')
        assert 'HELO client.test' not in server.commands


def test_settings_of_lmtp_count():
    with FakeSmtp(lmtp=True) as server, \
            SmtpAgent('lmtp', lmtp_lhlo_name='me.test',
                      smtp_helo_name='not.me', lmtp_discard_lhlo_keywords='DSN,'
                      'size') as agent:
        agent.one(server.nexthop)
        assert server.commands[:3] == ['LHLO me.test',
                                       'MAIL FROM:<a@example.test>',
                                       'RCPT TO:<b@remote.test>']


@pytest.mark.parametrize('lhlo,final,action', [
    (None, 'no', FORWARDED), (PLAIN, 'no', RELAYED), (PLAIN, 'yes', NONE)])
def test_is_it_delivered_or_relayed(lhlo, final, action):
    more = {'LHLO': lhlo} if lhlo else {}
    with FakeSmtp(lmtp=True, **more) as server, \
            SmtpAgent('lmtp', lmtp_assume_final=final) as agent:
        assert agent.one(server.nexthop).action == action


def test_the_default_port():
    with SmtpAgent('lmtp') as agent:
        assert 'connect to 127.0.0.1[127.0.0.1]:24:' in \
            agent.one('inet:127.0.0.1').text


@pytest.mark.parametrize('data', ['503 5.5.1 nobody', '354 go on'])
def test_nobody_is_accepted(data):
    with FakeSmtp(lmtp=True, RCPT='550 5.1.1 no', DATA=data) as server, \
            SmtpAgent('lmtp') as agent:
        _, results = agent.deliver(server.nexthop,
                                   ['a@remote.test', 'b@remote.test'])
        assert {r.dsn for r in results} == {'5.1.1'}
        assert not server.messages


# ---- flags of master.cf

def test_fields_in_front_of_the_message():
    with FakeSmtp(lmtp=True) as server, \
            SmtpAgent('lmtp', args=['flags=DOR']) as agent:
        _, results = agent.deliver(
            server.nexthop, [{'addr': 'b@remote.test', 'orig': 'B@alias.test'},
                             {'addr': 'c d@remote.test'}])
        assert [r.rc for r in results] == [OK, OK]
        wire = MESSAGE.replace(b'\n', b'\r\n')
        assert server.messages == [
            b'Return-Path: <a@example.test>\r\nX-Original-To: B@alias.test'
            b'\r\nDelivered-To: b@remote.test\r\n' + wire,
            b'Return-Path: <a@example.test>\r\nX-Original-To: "c d"@'
            b'remote.test\r\nDelivered-To: "c d"@remote.test\r\n' + wire]


def test_return_path_alone_needs_no_splitting():
    with FakeSmtp(lmtp=True) as server, \
            SmtpAgent('lmtp', args=['flags=RX'],) as agent:
        _, results = agent.deliver(server.nexthop,
                                   ['b@remote.test', 'c@remote.test'],
                                   sender='')
        assert [r.rc for r in results] == [OK, OK]
        assert len(server.messages) == 1
        assert server.messages[0].startswith(b'Return-Path: <>\r\nFrom:')


def test_a_forwarding_loop_ends():
    message = b'Delivered-To: B@remote.TEST\n' + MESSAGE
    with FakeSmtp(lmtp=True) as server, \
            SmtpAgent('lmtp', args=['flags=D']) as agent:
        _, [b, c] = agent.deliver(server.nexthop,
                                  ['b@remote.test', 'c@remote.test'], message)
        assert (b.rc, b.dsn) == (PERM, '5.4.6')
        assert b.text == 'mail forwarding loop for b@remote.test'
        assert c.rc == OK


def test_an_unknown_argument_is_refused():
    with SmtpAgent('lmtp', args=['flags=Q']) as agent:
        assert agent.process.wait(120) == 1
        assert 'unknown argument "flags=Q"' in agent.log()
