"""The SMTP client against servers that say what we want: the test is qmgr."""
import email
import email.policy
import re
import socket
import time

import pytest

from harness import NameServer, free_port, wait_until
from harness.fake_smtp import EHLO, HANG, FakeSmtp
from harness.smtp_agent import (DELAY, EIGHT_BIT, FAILURE, MESSAGE, NEVER,
                                RET_FULL, RET_HDRS, SUCCESS, UTF8, VERIFY,
                                SmtpAgent)

OK, TEMP, PERM = 0, 4, 5
RELAYED, FORWARDED = 1, 3


def ehlo(*words):
    lines = ['fake.test', *words]
    return '\n'.join([*(f'250-{w}' for w in lines[:-1]), f'250 {lines[-1]}'])


# ---- a message goes through

def test_a_message_arrives():
    with FakeSmtp() as server, SmtpAgent() as agent:
        delivered, [r] = agent.deliver(server.nexthop, 'b@remote.test')
        assert (r.rc, r.dsn) == (OK, '2.0.0')
        assert r.text == '250 2.0.0 Ok: queued as F00'
        assert r.relay == f'127.0.0.1[127.0.0.1]:{server.port}'
        assert r.remote == '127.0.0.1'
        assert delivered['open_nexthop'].decode() == server.nexthop
        assert server.messages == [MESSAGE.replace(b'\n', b'\r\n')]
        agent.close()
        server.wait_ended()
        assert server.commands == [
            'EHLO client.test',
            f'MAIL FROM:<a@example.test> SIZE={len(MESSAGE) + 4}',
            'RCPT TO:<b@remote.test> ORCPT=rfc822;b@remote.test',
            'DATA', 'QUIT']
        assert re.search(r'ID1: to=<b@remote\.test>, relay=127\.0\.0\.1'
                         r'\[127\.0\.0\.1\]:\d+, delay=[\d.]+, '
                         r'delays=[\d.]+/[\d.]+/[\d.]+/[\d.]+, dsn=2\.0\.0, '
                         r'status=sent \(250 2\.0\.0 Ok: queued as F00\)',
                         agent.log())


def test_the_delivery_block_is_skipped():
    with FakeSmtp() as server, SmtpAgent() as agent:
        agent.deliver(server.nexthop, 'b@remote.test', b'Subject: x\n\nx\n',
                      skip=37)
        assert server.messages == [b'Subject: x\r\n\r\nx\r\n']


@pytest.mark.parametrize('content', [
    b'.\n', b'..\n', b'a\n.\nb\n', b'no end', b'', b'\n', b'a\r\nb\r\n',
    b'x\r\n.\r\nMAIL FROM:<evil@x>\n', b'x\n.\r\n', b'x\r.\r\n.', b'x\r',
    b'a\n\r.\r\nb\n', b'\0\x01\n', b'a\r.\n', b'end\r\n.\r'])
def test_content_cannot_end_early(content):
    """Whatever it holds, there is one message and no other command."""
    with FakeSmtp() as server, SmtpAgent() as agent:
        assert agent.one(server.nexthop, message=content).rc == OK
        agent.close()
        server.wait_ended()
        assert len(server.messages) == 1
        sent = server.messages[0]
        assert b'\r' not in sent.replace(b'\r\n', b'')
        assert b'\n' not in sent.replace(b'\r\n', b'')
        assert not re.search(rb'(^|\n)\.(\r|$)', sent)
        assert [c.split()[0] for c in server.commands] == \
            ['EHLO', 'MAIL', 'RCPT', 'DATA', 'QUIT']
        lines = re.sub(rb'\r(\n|$)', rb'\1', content).replace(b'\r', b' ')
        if lines and not lines.endswith(b'\n'):
            lines += b'\n'
        assert re.sub(rb'(?m)^\.', b'', sent).replace(b'\r\n', b'\n') == lines


def test_large_content_is_exact():
    lines = [b'%d:' % i + b'.' * (i % 200) for i in range(40000)]
    content = b'Subject: big\n\n' + b'\n'.join(lines) + b'\n'
    with FakeSmtp() as server, SmtpAgent() as agent:
        assert agent.one(server.nexthop, message=content).rc == OK
        agent.one(server.nexthop)
        assert server.messages[0].replace(b'\r\n', b'\n') == content
        assert len(server.sessions) == 1


def test_long_lines_are_broken():
    content = b'Subject: x\n\n' + b'a' * 3000 + b'\n' + b'.' * 999 + b'\n'
    with FakeSmtp() as server, SmtpAgent() as agent:
        assert agent.one(server.nexthop, message=content).rc == OK
        sent = server.messages[0].split(b'\r\n')
        assert max(map(len, sent)) <= 999
        assert b''.join(l.removeprefix(b' ') for l in sent[2:5]) == b'a' * 2992


def test_dsn_parameters_go_along():
    with FakeSmtp() as server, SmtpAgent() as agent:
        _, results = agent.deliver(
            server.nexthop,
            [{'addr': 'b@remote.test', 'notify': SUCCESS | DELAY,
              'orcpt': 'rfc822;b+c@first.test'},
             {'addr': 'c@remote.test', 'orig': 'orig=x@first.test',
              'notify': NEVER}],
            envid='id with blank+', flags=RET_HDRS)
        assert [r.action for r in results] == [FORWARDED, FORWARDED]
        mail, rcpt1, rcpt2 = server.commands[1:4]
        assert ' ENVID=id+20with+20blank+2B RET=HDRS' in mail
        assert rcpt1 == 'RCPT TO:<b@remote.test> ' \
            'ORCPT=rfc822;b+2Bc@first.test NOTIFY=SUCCESS,DELAY'
        assert rcpt2 == 'RCPT TO:<c@remote.test> ' \
            'ORCPT=rfc822;orig+3Dx@first.test NOTIFY=NEVER'


def test_nothing_is_said_that_the_server_does_not_know():
    with FakeSmtp(EHLO=ehlo()) as server, SmtpAgent() as agent:
        [r] = agent.deliver(server.nexthop,
                            [{'addr': 'b@remote.test', 'notify': FAILURE}],
                            flags=EIGHT_BIT | RET_FULL, envid='x')[1]
        assert (r.rc, r.action) == (OK, RELAYED)
        assert server.commands[1:3] == ['MAIL FROM:<a@example.test>',
                                        'RCPT TO:<b@remote.test>']


def test_8bitmime_is_declared():
    with FakeSmtp() as server, SmtpAgent() as agent:
        agent.one(server.nexthop, flags=EIGHT_BIT)
        assert server.commands[1].endswith(' BODY=8BITMIME')


def test_the_null_sender_and_odd_addresses():
    with FakeSmtp() as server, SmtpAgent() as agent:
        agent.deliver(server.nexthop, ['a b@remote.test', 'x"y@remote.test'],
                      sender='')
        assert server.commands[1].startswith('MAIL FROM:<> ')
        assert server.commands[2].startswith('RCPT TO:<"a b"@remote.test>')
        assert server.commands[3].startswith(
            r'RCPT TO:<"x\"y"@remote.test>')


def test_an_address_with_a_line_end_is_refused():
    with FakeSmtp() as server, SmtpAgent() as agent:
        _, [bad, good] = agent.deliver(
            server.nexthop, ['x\r\nDATA\r\n@remote.test', 'b@remote.test'])
        assert (bad.rc, bad.dsn) == (PERM, '5.1.3')
        assert good.rc == OK
        assert len(server.commands) == 4
        r = agent.one(server.nexthop, sender='a@x\r\nRSET')
        assert (r.rc, r.dsn) == (PERM, '5.1.7')


# ---- SMTPUTF8

def test_smtputf8():
    with FakeSmtp() as server, SmtpAgent() as agent:
        r = agent.one(server.nexthop, 'ü@remote.test', sender='ä@example.test',
                      flags=UTF8)
        assert r.rc == OK
        assert server.commands[1].startswith('MAIL FROM:<ä@example.test> ')
        assert server.commands[1].endswith(' SMTPUTF8')
        assert 'ORCPT=utf-8;ü@remote.test' in server.commands[2]


@pytest.mark.parametrize('case', ['sender', 'rcpt', 'header'])
def test_smtputf8_is_needed_and_missing(case):
    more = {'sender': {'sender': 'ä@x.test'}, 'rcpt': {},
            'header': {'message': 'Subject: ä\n\nx\n'.encode()}}[case]
    rcpt = 'ü@remote.test' if case == 'rcpt' else 'b@remote.test'
    with FakeSmtp(EHLO=ehlo('8BITMIME')) as server, SmtpAgent() as agent:
        r = agent.one(server.nexthop, rcpt, flags=UTF8, **more)
        assert (r.rc, r.dsn) == (PERM, '5.6.7')
        assert 'requires SMTPUTF8' in r.text
        assert agent.one(server.nexthop, flags=UTF8).rc == OK


# ---- refusals

REFUSALS = [
    ('GREETING', '421 4.3.2 busy', TEMP, '4.3.2',
     'host {n} refused to talk to me: 421 4.3.2 busy'),
    ('GREETING', '554 no', TEMP, '4.0.0',
     'host {n} refused to talk to me: 554 no'),
    ('EHLO', '421 4.3.2 busy', TEMP, '4.3.2',
     'host {n} refused to talk to me: 421 4.3.2 busy'),
    ('MAIL', '451 4.7.1 grey', TEMP, '4.7.1',
     'host {n} said: 451 4.7.1 grey (in reply to MAIL FROM command)'),
    ('MAIL', '550-5.7.1 no\n550 5.7.1 way', PERM, '5.7.1',
     'host {n} said: 550-5.7.1 no 550 5.7.1 way '
     '(in reply to MAIL FROM command)'),
    ('RCPT', '450 4.2.0 later', TEMP, '4.2.0',
     'host {n} said: 450 4.2.0 later (in reply to RCPT TO command)'),
    ('RCPT', '550 5.1.1 unknown', PERM, '5.1.1',
     'host {n} said: 550 5.1.1 unknown (in reply to RCPT TO command)'),
    ('RCPT', '550 no code', PERM, '5.0.0',
     'host {n} said: 550 no code (in reply to RCPT TO command)'),
    ('DATA', '451 4.3.0 no', TEMP, '4.3.0',
     'host {n} said: 451 4.3.0 no (in reply to DATA command)'),
    ('DATA', '554 5.5.1 no', PERM, '5.5.1',
     'host {n} said: 554 5.5.1 no (in reply to DATA command)'),
    ('DOT', '452 4.3.1 full', TEMP, '4.3.1',
     'host {n} said: 452 4.3.1 full (in reply to end of DATA command)'),
    ('DOT', '554 5.7.1 spam', PERM, '5.7.1',
     'host {n} said: 554 5.7.1 spam (in reply to end of DATA command)'),
    ('MAIL', '354 what', PERM, '5.5.0',
     'Protocol error: host {n} said: 354 what '
     '(in reply to MAIL FROM command)'),
    ('DATA', '250 what', PERM, '5.5.0',
     'Protocol error: host {n} said: 250 what (in reply to DATA command)'),
]


@pytest.mark.parametrize('pipelining', [True, False])
@pytest.mark.parametrize('verb,reply,rc,dsn,text', REFUSALS)
def test_refusals(verb, reply, rc, dsn, text, pipelining):
    more = {} if pipelining else {'EHLO': ehlo('SIZE')}
    with FakeSmtp(**{**more, verb: reply}) as server, SmtpAgent() as agent:
        delivered, [r] = agent.deliver(server.nexthop, 'b@remote.test')
        assert (r.rc, r.dsn) == (rc, dsn)
        assert r.text == text.format(n='127.0.0.1[127.0.0.1]')
        assert r.reply == reply.replace('\n', ' ')
        assert r.remote == '127.0.0.1'
        early = verb in ('GREETING', 'EHLO')
        assert delivered['site_down'] == early
        status = 'bounced' if rc == PERM else 'deferred'
        assert f'dsn={dsn}, status={status} ({r.text})' in agent.log()
        if not early:
            assert delivered['open_nexthop']
            assert agent.one(server.nexthop).dsn == dsn
            assert len(server.sessions) == 1


def test_each_recipient_has_his_own_result():
    replies = {'b': '250 2.1.5 Ok', 'c': '550 5.1.1 no', 'd': '450 4.2.0 wait'}
    with FakeSmtp(RCPT=lambda line: replies[line[9]]) as server, \
            SmtpAgent() as agent:
        _, results = agent.deliver(server.nexthop,
                                   [f'{c}@remote.test' for c in 'dbcbd'])
        assert [r.rc for r in results] == [TEMP, OK, PERM, OK, TEMP]
        assert len(server.messages) == 1


def test_nobody_is_accepted_but_data_was():
    with FakeSmtp(RCPT='550 5.1.1 no', DOT='554 5.5.1 no valid recipients') \
            as server, SmtpAgent() as agent:
        r = agent.one(server.nexthop)
        assert (r.rc, r.dsn) == (PERM, '5.1.1')
        assert server.messages == [b'']
        server.replies.update(RCPT='250 2.1.5 Ok', DOT='250 2.0.0 Ok')
        assert agent.one(server.nexthop).rc == OK
        assert len(server.sessions) == 1


def test_without_pipelining_nothing_is_sent_in_vain():
    with FakeSmtp(EHLO=ehlo(), MAIL='550 5.7.1 no') as server, \
            SmtpAgent() as agent:
        agent.one(server.nexthop)
        assert [c.split()[0] for c in server.commands] == ['EHLO', 'MAIL']
    with FakeSmtp(EHLO=ehlo(), RCPT='550 5.7.1 no') as server, \
            SmtpAgent() as agent:
        agent.one(server.nexthop)
        assert [c.split()[0] for c in server.commands] == \
            ['EHLO', 'MAIL', 'RCPT']


def test_soft_bounce():
    with FakeSmtp(RCPT='550 5.1.1 no') as server, \
            SmtpAgent(soft_bounce='yes') as agent:
        r = agent.one(server.nexthop)
        assert (r.rc, r.dsn) == (TEMP, '4.1.1')
        assert 'status=SOFTBOUNCE' in agent.log()


def test_a_message_over_the_server_s_size():
    with FakeSmtp(EHLO=ehlo('SIZE 40')) as server, SmtpAgent() as agent:
        r = agent.one(server.nexthop)
        assert (r.rc, r.dsn) == (PERM, '5.3.4')
        assert re.fullmatch(r'message size 47 exceeds size limit 40 of server '
                            r'127\.0\.0\.1\[127\.0\.0\.1\]', r.text)
        assert not server.messages


# ---- servers that go away, hang, talk nonsense

WHILE = {
    'GREETING': 'receiving the initial server greeting',
    'EHLO': 'performing the EHLO handshake',
    'MAIL': 'sending MAIL FROM',
    'RCPT': 'sending RCPT TO',
    'DATA': 'sending DATA command',
    'DOT': 'sending end of data -- message may be sent more than once',
}
LIMITS = {'GREETING': 'helo', 'EHLO': 'helo', 'MAIL': 'mail', 'RCPT': 'rcpt',
          'DATA': 'data_init', 'DOT': 'data_done'}


@pytest.mark.parametrize('pipelining', [True, False])
@pytest.mark.parametrize('verb', WHILE)
def test_the_server_closes(verb, pipelining):
    more = {} if pipelining else {'EHLO': ehlo('SIZE')}
    with FakeSmtp(**{**more, verb: None}) as server, SmtpAgent() as agent:
        delivered, [r] = agent.deliver(server.nexthop, 'b@remote.test')
        assert (r.rc, r.dsn) == (TEMP, '4.4.2')
        assert r.text == 'lost connection with 127.0.0.1[127.0.0.1] while ' \
            + WHILE[verb]
        assert (r.remote, r.reply) == ('', '')
        assert delivered['site_down'] == 1
        assert not delivered['open_nexthop']


@pytest.mark.parametrize('verb', WHILE)
def test_the_server_says_nothing(verb):
    with FakeSmtp(**{verb: HANG}) as server, \
            SmtpAgent(**{f'smtp_{LIMITS[verb]}_timeout': '4s'}) as agent:
        r = agent.one(server.nexthop)
        assert (r.rc, r.dsn) == (TEMP, '4.4.2')
        assert r.text == 'conversation with 127.0.0.1[127.0.0.1] timed out ' \
            'while ' + WHILE[verb]


@pytest.mark.parametrize('verb', WHILE)
@pytest.mark.parametrize('reply', [
    'hello there', '25', '99 x', '2500 x', '250_x', b'\0\xff\r\n',
    b'250 ' + b'x' * 9000 + b'\r\n', b'250-x\r\n' * 1100])
def test_nonsense(verb, reply):
    with FakeSmtp(**{verb: reply}) as server, SmtpAgent() as agent:
        r = agent.one(server.nexthop)
        assert r.rc == TEMP
        assert r.dsn in ('4.5.0', '4.4.2')


def test_a_reply_in_pieces():
    def slow(line):
        session = server.sessions[-1]
        sock = server.sockets[-1]
        for piece in (b'2', b'50-', b'2.1.0 a\r', b'\n250 2.1', b'.0 b\r'):
            sock.sendall(piece)
            time.sleep(0.02)
        assert session
        return b'\n'
    with FakeSmtp(MAIL=slow) as server, SmtpAgent() as agent:
        assert agent.one(server.nexthop).rc == OK


def test_a_long_reply_keeps_its_end():
    with FakeSmtp(RCPT='550 5.1.1 ' + 'x' * 3000) as server, \
            SmtpAgent() as agent:
        r = agent.one(server.nexthop)
        assert r.rc == PERM
        assert r.text.endswith('(in reply to RCPT TO command)')
        assert len(r.reply) > 3000


def test_control_bytes_of_replies_do_not_get_far():
    with FakeSmtp(RCPT=b'550 5.1.1 a\x1b[2J\0b\r\n') as server, \
            SmtpAgent() as agent:
        assert '5.1.1 a?[2J?b' in agent.one(server.nexthop).text


def test_the_server_refuses_in_the_middle_of_the_content():
    class Rude(FakeSmtp):
        def _data(self, sock, stream, session):
            stream.read(100000)
            sock.sendall(b'552 5.3.4 too big\r\n')
            raise OSError
    with Rude(EHLO=ehlo('SIZE')) as server, SmtpAgent() as agent:
        r = agent.one(server.nexthop, message=b'x' * 70 + b'\n' * 30000000)
        assert r.rc in (TEMP, PERM)
        assert 'said: 552 5.3.4 too big (in reply to end of DATA' in r.text \
            or r.text.endswith('while sending message body')


def test_a_server_that_does_not_read():
    class Deaf(FakeSmtp):
        def _data(self, sock, stream, session):
            self.stopping.wait()
    with Deaf(EHLO=ehlo('SIZE')) as server, SmtpAgent(smtp_data_xfer_timeout='1s') as agent:
        r = agent.one(server.nexthop, message=b'x' * 30000000)
        assert r.text == 'conversation with 127.0.0.1[127.0.0.1] timed out ' \
            'while sending message body'


def test_a_message_file_cut_short_is_not_sent_as_a_whole():
    with FakeSmtp() as server, SmtpAgent() as agent:
        _, [r] = agent.deliver(server.nexthop, 'b@remote.test', end=100000)
        assert (r.rc, r.dsn) == (TEMP, '4.3.0')
        big = b'x' * 79 + b'\n'
        _, [r] = agent.deliver(server.nexthop, 'b@remote.test', big * 2000,
                               end=80 * 3000)
        assert (r.rc, r.dsn) == (TEMP, '4.3.0')
        assert not server.messages


# ---- many recipients

def test_a_window_of_commands():
    """More recipients than fit any buffer, to a server that answers each."""
    rcpts = [f'user-{"x" * 50}-{i}@remote.test' for i in range(500)]
    with FakeSmtp(RCPT=lambda l: '250 ok' if '7@' not in l else
                  '550 5.1.1 ' + 'no ' * 200) as server, SmtpAgent() as agent:
        _, results = agent.deliver(server.nexthop, rcpts)
        assert len(results) == 500
        assert [r.rc for r in results] == \
            [PERM if i % 10 == 7 else OK for i in range(500)]


# ---- EHLO, HELO

def test_helo_after_ehlo_was_refused():
    with FakeSmtp(EHLO='502 5.5.1 what?') as server, SmtpAgent() as agent:
        assert agent.one(server.nexthop).rc == OK
        assert server.commands[:3] == ['EHLO client.test', 'HELO client.test',
                                       'MAIL FROM:<a@example.test>']


def test_helo_refused_too():
    with FakeSmtp(EHLO='500 x', HELO='550 5.7.1 go') as server, \
            SmtpAgent() as agent:
        r = agent.one(server.nexthop)
        assert (r.rc, r.dsn) == (PERM, '5.7.1')
        assert 'refused to talk to me: 550 5.7.1 go' in r.text


def test_never_send_ehlo():
    with FakeSmtp() as server, SmtpAgent(smtp_never_send_ehlo='yes') as agent:
        agent.one(server.nexthop)
        assert server.commands[0] == 'HELO client.test'


def test_ehlo_only_where_the_greeting_says_so():
    with SmtpAgent(smtp_always_send_ehlo='no', smtp_helo_name='me.test') as a:
        for greeting, verb in ('220 x ready', 'HELO'), ('220 x ESMTP', 'EHLO'):
            with FakeSmtp(GREETING=greeting) as server:
                a.one(server.nexthop)
                assert server.commands[0] == f'{verb} me.test'


def test_5xx_greeting_may_be_final():
    with FakeSmtp(GREETING='554 5.7.1 no') as server, \
            SmtpAgent(smtp_skip_5xx_greeting='no') as agent:
        r = agent.one(server.nexthop)
        assert (r.rc, r.dsn) == (PERM, '5.7.1')


def test_discarded_keywords():
    with FakeSmtp() as server, \
            SmtpAgent(smtp_discard_ehlo_keywords='dsn, size') as agent:
        agent.one(server.nexthop)
        assert server.commands[1:3] == ['MAIL FROM:<a@example.test>',
                                        'RCPT TO:<b@remote.test>']


# ---- sessions that stay open

def test_a_session_is_used_again():
    with FakeSmtp() as server, SmtpAgent() as agent:
        for _ in range(3):
            assert agent.one(server.nexthop).rc == OK
        assert len(server.sessions) == 1
        assert [c.split()[0] for c in server.commands] == \
            ['EHLO', 'MAIL', 'RCPT', 'DATA'] + \
            ['RSET', 'MAIL', 'RCPT', 'DATA'] * 2
        assert 'conn_use=3, ' in agent.log()


def test_an_open_session_is_closed_in_time():
    with FakeSmtp() as server, \
            SmtpAgent(smtp_connection_cache_time_limit='1s') as agent:
        agent.one(server.nexthop)
        wait_until(lambda: server.commands[-1] == 'QUIT', 'its end')


def test_another_next_hop_closes_it():
    with FakeSmtp() as one, FakeSmtp() as other, SmtpAgent() as agent:
        agent.one(one.nexthop)
        agent.one(other.nexthop)
        one.wait_ended()
        assert one.commands[-1] == 'QUIT'


@pytest.mark.parametrize('reply', [None, '421 4.4.2 too late', '500 what'])
@pytest.mark.parametrize('verb', ['RSET', 'MAIL'])
def test_a_session_that_has_ended_costs_nothing(reply, verb):
    if verb == 'MAIL' and reply == '500 what':
        reply = '421 x'
    first = ['250 2.1.0 Ok'] if verb == 'MAIL' else []
    with FakeSmtp(**{verb: [*first, reply, '250 2.0.0 Ok']}) as server, \
            SmtpAgent() as agent:
        agent.one(server.nexthop)
        assert agent.one(server.nexthop).rc == OK
        assert len(server.messages) == 2
        assert len(server.sessions) == 2


def test_no_session_is_kept_where_it_is_not_wanted():
    with FakeSmtp() as server, \
            SmtpAgent(smtp_connection_cache_on_demand='no') as agent:
        delivered, _ = agent.deliver(server.nexthop, 'b@remote.test')
        assert not delivered['open_nexthop']
        agent.one(server.nexthop)
        assert len(server.sessions) == 2
        server.wait_ended()
        assert server.sessions[0].commands[-1] == 'QUIT'


def test_reuse_limits():
    with FakeSmtp() as server, \
            SmtpAgent(smtp_connection_reuse_count_limit='2') as agent:
        for _ in range(4):
            agent.one(server.nexthop)
        assert len(server.sessions) == 2


@pytest.mark.parametrize('limit, another', [('1s', True), ('1000s', False)])
def test_reuse_time_limit(limit, another):
    def slow(_):
        time.sleep(1.2)
        return '250 2.1.0 Ok'
    with FakeSmtp(MAIL=slow) as server, \
            SmtpAgent(smtp_connection_reuse_time_limit=limit) as agent:
        for _ in range(3):  # the second is the last where there is a limit
            assert agent.one(server.nexthop).rc == OK
        assert (len(server.sessions) > 1) == another


# ---- several servers

def test_the_next_server_after_a_temporary_refusal():
    with FakeSmtp(RCPT=lambda l: '450 4.2.0 x' if '<c' in l else '250 Ok') as \
            first, FakeSmtp() as second, SmtpAgent() as agent:
        _, results = agent.deliver(
            f'{first.nexthop}, {second.nexthop}',
            ['b@remote.test', 'c@remote.test'])
        assert [r.rc for r in results] == [OK, OK]
        assert len(first.messages) == len(second.messages) == 1
        assert [c for c in second.commands if 'RCPT' in c] == \
            ['RCPT TO:<c@remote.test> ORCPT=rfc822;c@remote.test']
        assert 'ID1: host 127.0.0.1[127.0.0.1] said: 450 4.2.0 x' in \
            agent.log()


def test_not_after_a_final_one():
    with FakeSmtp(RCPT='550 5.1.1 no') as first, FakeSmtp() as second, \
            SmtpAgent() as agent:
        r = agent.one(f'{first.nexthop},{second.nexthop}')
        assert r.rc == PERM
        assert not second.sessions


def test_the_fallback_relay():
    with FakeSmtp() as server, \
            SmtpAgent(smtp_fallback_relay=server.nexthop) as agent:
        assert agent.one(f'[127.0.0.1]:{free_port()}').rc == OK
        assert len(server.messages) == 1


def test_connection_refused():
    port = free_port()
    with SmtpAgent() as agent:
        delivered, [r] = agent.deliver(f'[127.0.0.1]:{port}', 'b@remote.test')
        assert (r.rc, r.dsn, r.relay) == (TEMP, '4.4.1', 'none')
        assert r.text == f'connect to 127.0.0.1[127.0.0.1]:{port}: ' \
            'Connection refused'
        assert delivered['site_down'] == 1
        assert f'relay=none, ' in agent.log()
        assert 'status=deferred (connect to ' in agent.log()


def test_a_mistyped_next_hop():
    with SmtpAgent() as agent:
        r = agent.one('[127.0.0.1:25')
        assert (r.rc, r.dsn) == (TEMP, '4.3.5')
        assert agent.one(' , ').rc == TEMP


def test_ipv6():
    """Where this machine has it: not every container does."""
    try:
        socket.create_server(('::1', 0), family=socket.AF_INET6).close()
    except OSError:
        return
    with FakeSmtp(address=('::1', 0)) as server, \
            SmtpAgent(inet_protocols='all') as agent:
        r = agent.one(server.nexthop)
        assert r.rc == OK
        assert r.relay == f'::1[::1]:{server.port}'


def test_bind_address():
    with FakeSmtp() as server:
        with SmtpAgent(smtp_bind_address='127.0.0.9') as agent:
            assert agent.one(server.nexthop).rc == OK
            assert server.sockets[0].getpeername()[0] == '127.0.0.9'
        with SmtpAgent(smtp_bind_address='192.0.2.1') as agent:
            assert agent.one(server.nexthop).rc == OK
        with SmtpAgent(smtp_bind_address='192.0.2.1',
                       smtp_bind_address_enforce='yes') as agent:
            assert agent.one(server.nexthop).rc == TEMP


# ---- probes, logins

def test_a_probe_sends_nothing():
    with FakeSmtp(RCPT=['250 2.1.5 Ok', '550 5.1.1 no']) as server, \
            SmtpAgent() as agent:
        _, results = agent.deliver(
            server.nexthop, ['b@remote.test', 'c@remote.test'], flags=VERIFY)
        assert [r.rc for r in results] == [OK, PERM]
        wait_until(lambda: server.commands[-1] == 'RSET', 'its end')
        assert not server.messages
        assert 'status=deliverable' in agent.log()
        assert 'status=undeliverable' in agent.log()


# ---- MX

ZONE = '''
@ IN MX 20 second
@ IN MX 10 first
first IN A 127.0.0.1
second IN A 127.0.0.2
equal IN MX 10 e1
equal IN MX 10 e2
equal IN MX 10 e3
e1 IN A 127.0.0.11
e2 IN A 127.0.0.12
e3 IN A 127.0.0.13
nomx IN A 127.0.0.1
null IN MX 0 .
void IN MX 10 nothing
lost IN MX 10 first.missing.
alias IN CNAME remote.test.
mxalias IN MX 10 toalias
toalias IN CNAME first
loop1 IN CNAME loop2
loop2 IN CNAME loop1
bad IN MX 10 bad_-.-x
many IN MX 1 m1
many IN MX 2 m2
many IN MX 3 m3
many IN MX 4 m4
many IN MX 5 m5
many IN MX 6 m6
m1 IN A 127.0.0.21
m2 IN A 127.0.0.22
m3 IN A 127.0.0.23
m4 IN A 127.0.0.24
m5 IN A 127.0.0.25
m6 IN A 127.0.0.26
dual IN MX 10 d
d IN A 127.0.0.1
d IN AAAA ::1
text IN TXT "x"
me IN MX 10 self
self IN A 127.0.0.99
backup IN MX 10 first
backup IN MX 20 self
backup IN MX 30 second
backup2 IN MX 10 unknown
backup2 IN MX 20 self
meaddr IN A 127.0.0.99
'''


@pytest.fixture(scope='module')
def dns():
    with NameServer({'remote.test': ZONE}) as server:
        yield server


def agent_for(dns, port=25, **settings):
    return SmtpAgent(dns_servers=dns.address, smtp_tcp_port=port, **settings)


def relay_of(result):
    return result.relay.rsplit(':', 1)[0]


def test_the_best_exchanger_is_used(dns):
    with FakeSmtp() as server, agent_for(dns, server.port) as agent:
        assert relay_of(agent.one('remote.test')) == \
            'first.remote.test[127.0.0.1]'


def test_then_the_second(dns):
    # A port at which nobody listens on 127.0.0.1.
    with FakeSmtp(address=('127.0.0.2', free_port())) as server, \
            agent_for(dns, server.port) as agent:
        assert relay_of(agent.one('remote.test')) == \
            'second.remote.test[127.0.0.2]'
        assert 'connect to first.remote.test[127.0.0.1]:' in agent.log()


def test_equals_are_shuffled(dns):
    port = free_port()
    with agent_for(dns, port, smtp_mx_address_limit='1') as agent:
        seen = {re.search(r'to (e\d)', agent.one('equal.remote.test').text)[1]
                for _ in range(60)}
    assert seen == {'e1', 'e2', 'e3'}


def test_without_mx_the_address_counts(dns):
    with FakeSmtp() as server, agent_for(dns, server.port) as agent:
        assert relay_of(agent.one('nomx.remote.test')) == \
            'nomx.remote.test[127.0.0.1]'


def test_a_domain_that_is_an_alias(dns):
    with FakeSmtp() as server, agent_for(dns, server.port) as agent:
        assert relay_of(agent.one('alias.remote.test')) == \
            'first.remote.test[127.0.0.1]'
        assert relay_of(agent.one('mxalias.remote.test')) == \
            'toalias.remote.test[127.0.0.1]'


@pytest.mark.parametrize('domain,rc,dsn,text', [
    ('null.remote.test', PERM, '5.1.10',
     'Domain null.remote.test does not accept mail (nullMX)'),
    ('nothere.remote.test', PERM, '5.4.4',
     'Host or domain name not found. Name service error for '
     'name=nothere.remote.test type=MX: Host not found'),
    ('text.remote.test', PERM, '5.4.4',
     'Host or domain name not found. Name service error for '
     'name=text.remote.test type=A: Host found but no data record of '
     'requested type'),
    ('void.remote.test', PERM, '5.4.4',
     'Host or domain name not found. Name service error for '
     'name=nothing.remote.test type=A: Host not found'),
    ('loop1.remote.test', PERM, '5.4.3',
     'Host or domain name not found. Name service error for '
     'name=loop1.remote.test type=MX: Too many aliases'),
    ('bad.remote.test', PERM, '5.4.4',
     'Host or domain name not found. Name service error for '
     'name=bad.remote.test type=MX: Invalid host or mail exchanger name'),
])
def test_domains_that_take_no_mail(dns, domain, rc, dsn, text):
    with agent_for(dns) as agent:
        r = agent.one(domain)
        assert (r.rc, r.dsn, r.text) == (rc, dsn, text)


def test_no_name_server_answers():
    with SmtpAgent(dns_servers=f'127.0.0.1:{free_port()}') as agent:
        delivered, [r] = agent.deliver('remote.test', 'b@remote.test')
        assert (r.rc, r.dsn) == (TEMP, '4.4.3')
        assert r.text == 'Host or domain name not found. Name service error ' \
            'for name=remote.test type=MX: Host not found, try again'
        assert delivered['site_down'] == 1


def test_address_limit(dns):
    port = free_port()
    with agent_for(dns, port) as agent:
        agent.one('many.remote.test')
        assert re.findall(r'connect to (m\d)[^ ]*: Conn', agent.log())[:5] == \
            ['m1', 'm2', 'm3', 'm4', 'm5']
        assert 'm6.' not in agent.log()


def test_session_limit(dns):
    with FakeSmtp(address=('0.0.0.0', 0), MAIL='451 4.0.0 x') as server, \
            agent_for(dns, server.port) as agent:
        assert agent.one('many.remote.test').rc == TEMP
        assert len(server.sessions) == 2


def test_both_families(dns):
    port = free_port()
    with agent_for(dns, port, inet_protocols='all',
                   smtp_address_preference='ipv6') as agent:
        agent.one('dual.remote.test')
        assert re.findall(r'connect to d\.remote\.test\[(.*?)\]',
                          agent.log())[:2] == ['::1', '127.0.0.1']
    with agent_for(dns, port, inet_protocols='all',
                   smtp_address_preference='ipv4') as agent:
        agent.one('dual.remote.test')
        assert re.findall(r'connect to d\.remote\.test\[(.*?)\]',
                          agent.log())[:2] == ['127.0.0.1', '::1']


ME = {'inet_interfaces': '127.0.0.99'}


@pytest.mark.parametrize('domain', ['me.remote.test', '[self.remote.test]',
                                    'meaddr.remote.test', '[127.0.0.99]'])
def test_mail_for_ourselves_would_loop(dns, domain):
    with agent_for(dns, **ME) as agent:
        delivered, [r] = agent.deliver(domain, 'b@remote.test')
        assert (r.rc, r.dsn) == (PERM, '5.4.6')
        assert r.text == f'mail for {domain.strip("[]")} loops back to myself'


def test_a_proxy_is_ourselves(dns):
    with agent_for(dns, inet_interfaces='127.0.0.98',
                   proxy_interfaces='127.0.0.99') as agent:
        assert agent.one('me.remote.test').dsn == '5.4.6'


def test_a_backup_exchanger_tries_only_better_ones(dns):
    with agent_for(dns, smtp_fallback_relay='[127.0.0.50]', **ME) as agent:
        r = agent.one('backup.remote.test')
        assert r.rc == TEMP
        assert 'first.remote.test[127.0.0.1]' in r.text
        assert 'second' not in agent.log()
        assert '127.0.0.50' not in agent.log()
        r = agent.one('backup2.remote.test')
        assert (r.rc, r.dsn) == (TEMP, '4.4.4')
        assert r.text == \
            'unable to find primary relay for backup2.remote.test'


def test_the_relayhost_is_not_the_sender_s_mistake(dns):
    with agent_for(dns, relayhost='[nothere.remote.test]') as agent:
        r = agent.one('[nothere.remote.test]')
        assert (r.rc, r.dsn) == (TEMP, '4.3.5')
        assert 'relayhost configuration problem' in agent.log()


def test_dns_may_be_switched_off():
    with FakeSmtp() as server, \
            SmtpAgent(smtp_dns_support_level='disabled') as agent:
        assert agent.one(f'localhost:{server.port}').rc == OK
        # A name that the C library refuses: it asks no name server for it.
        r = agent.one('-x.remote.test')
        assert (r.rc, r.dsn) == (PERM, '5.4.4')
        assert r.text == 'unable to look up host -x.remote.test: ' \
            'Name or service not known'


# ---- 8-bit content for a server of 7 bits

EIGHT = ('MIME-Version: 1.0\nContent-Type: text/plain; charset=utf-8\n'
         'Content-Transfer-Encoding: 8bit\nSubject: x\n\n'
         'Grüße = 1\n.\n' + 'ä' * 600 + '\n').encode()


def test_8bit_content_is_converted():
    with FakeSmtp(EHLO=ehlo('SIZE')) as server, SmtpAgent() as agent:
        assert agent.one(server.nexthop, message=EIGHT, flags=EIGHT_BIT).rc \
            == OK
        sent = server.messages[0]
        assert max(sent) < 128
        assert b'Content-Transfer-Encoding: quoted-printable' in sent
        text = email.message_from_bytes(sent, policy=email.policy.default)
        assert text.get_content().replace('\r\n', '\n').encode() == \
            EIGHT.split(b'\n\n', 1)[1].replace(b'\n.\n', b'\n..\n')
        assert ' SIZE=' not in server.commands[1]


def test_or_sent_as_it_is():
    with FakeSmtp(EHLO=ehlo()) as server, \
            SmtpAgent(disable_mime_output_conversion='yes') as agent:
        agent.one(server.nexthop, message=EIGHT, flags=EIGHT_BIT)
        assert 'Grüße = 1'.encode() in server.messages[0]


# ---- BDAT

BIG = b'Subject: big\n\n' + b''.join(
    b'%d .%s\n' % (i, b'y' * (i % 90)) for i in range(40000)) + b'.\n.'


@pytest.mark.parametrize('pipelining', [True, False])
def test_large_content_goes_in_chunks(pipelining):
    more = {} if pipelining else {'EHLO': ehlo('CHUNKING')}
    with FakeSmtp(**more) as server, SmtpAgent() as agent:
        assert agent.one(server.nexthop, message=BIG).rc == OK
        assert server.messages[0].replace(b'\r\n', b'\n') == BIG + b'\n'
        chunks = [c for c in server.commands if c.startswith('BDAT')]
        assert len(chunks) > 5
        assert [c.endswith(' LAST') for c in chunks] == \
            [False] * (len(chunks) - 1) + [True]
        assert 'DATA' not in server.commands
        assert agent.one(server.nexthop).rc == OK
        assert len(server.sessions) == 1


@pytest.mark.parametrize('pipelining', [True, False])
@pytest.mark.parametrize('nth', [0, 1, 3])
def test_a_chunk_is_refused(nth, pipelining):
    words = ['CHUNKING', 'PIPELINING'] if pipelining else ['CHUNKING']
    replies = ['250 Ok'] * nth + ['552 5.3.4 enough', '503 5.5.1 no']
    with FakeSmtp(EHLO=ehlo(*words), BDAT=replies) as server, \
            SmtpAgent() as agent:
        r = agent.one(server.nexthop, message=BIG)
        assert (r.rc, r.dsn) == (PERM, '5.3.4')
        assert r.text.endswith('enough (in reply to BDAT command)')
        assert agent.one(server.nexthop).rc == OK
        assert len(server.sessions) == 1


def test_the_last_chunk_is_refused():
    with FakeSmtp(BDAT=lambda l: '554 5.7.1 spam' if l.startswith('RCPT')
                  else '250 Ok') as server, SmtpAgent() as agent:
        r = agent.one(server.nexthop, message=BIG)
        assert r.text.endswith('554 5.7.1 spam (in reply to end of DATA '
                               'command)')


@pytest.mark.parametrize('trouble', [None, HANG])
@pytest.mark.parametrize('nth', [0, 2])
def test_the_server_goes_away_between_chunks(nth, trouble):
    with FakeSmtp(BDAT=['250 Ok'] * nth + [trouble]) as server, \
            SmtpAgent(smtp_data_done_timeout='1s') as agent:
        r = agent.one(server.nexthop, message=BIG)
        assert (r.rc, r.dsn) == (TEMP, '4.4.2')
        assert r.text.endswith('while sending message body')


def test_nobody_wants_the_chunks():
    with FakeSmtp(RCPT='550 5.1.1 no') as server, SmtpAgent() as agent:
        assert agent.one(server.nexthop, message=BIG).dsn == '5.1.1'
        assert not [c for c in server.commands if c.startswith('BDAT')]


# ---- tables

def test_generic_addresses():
    content = (b'From: Al <al@in.test>\nTo: bob@in.test,\n\tx@out.test\n'
               b'X-Other: al@in.test\nSubject: al@in.test\n\nal@in.test\n')
    tables = 'inline:{ { al@in.test = al.long@example.org }, ' \
             '{ @in.test = @example.net }, { me = my.self@example.org } }'
    with FakeSmtp() as server, \
            SmtpAgent(smtp_generic_maps=tables, myorigin='home.test') as agent:
        _, results = agent.deliver(
            server.nexthop, ['bob@in.test', 'me@home.test'], content,
            sender='al@in.test')
        assert [r.rc for r in results] == [OK, OK]
        assert server.commands[1].startswith(
            'MAIL FROM:<al.long@example.org>')
        assert server.commands[2].startswith('RCPT TO:<bob@example.net>')
        assert server.commands[3].startswith('RCPT TO:<my.self@example.org>')
        assert server.messages == [
            content.replace(b'<al@in.test>', b'<al.long@example.org>')
            .replace(b'bob@in.test', b'bob@example.net')
            .replace(b'\n', b'\r\n')]
        assert 'to=<bob@in.test>' in agent.log()


def test_a_generic_table_that_fails():
    with FakeSmtp() as server, \
            SmtpAgent(smtp_generic_maps='hash:/nonexistent/x') as agent:
        delivered, [r] = agent.deliver(server.nexthop, 'b@remote.test')
        assert (r.rc, r.dsn) == (TEMP, '4.3.0')
        assert delivered['site_down'] == 0
        assert not server.messages


def test_header_checks(tmp_path):
    table = tmp_path / 'checks'
    table.write_text('/^X-Secret:/ IGNORE\n/^Subject: (.*)/ REPLACE '
                     'Subject: [$1]\n/^From:/ PREPEND X-Was: here\n'
                     '/^To:/ WARN look\n/^Cc:/ REJECT no\n')
    content = b'X-Secret: a\n\tb\nSubject: s\nFrom: x@y\nTo: z@y\nCc: q@y\n' \
              b'\nSubject: body\n'
    with FakeSmtp() as server, \
            SmtpAgent(smtp_header_checks=f'pcre:{table}') as agent:
        assert agent.one(server.nexthop, message=content).rc == OK
        assert server.messages == [
            b'Subject: [s]\r\nX-Was: here\r\nFrom: x@y\r\nTo: z@y\r\n'
            b'Cc: q@y\r\n\r\nSubject: body\r\n']
        log = agent.log()
        assert 'ID1: warning: header To: z@y: look' in log
        assert 'unsupported action in smtp_header_checks: REJECT' in log


def test_reply_filter(tmp_path):
    table = tmp_path / 'replies'
    table.write_text(r'/^5(\d\d )5(.*greylist.*)/ 4${1}4$2' '\n')
    with FakeSmtp(RCPT='550 5.7.1 greylisted') as server, \
            SmtpAgent(smtp_reply_filter=f'pcre:{table}') as agent:
        r = agent.one(server.nexthop)
        assert (r.rc, r.dsn) == (TEMP, '4.7.1')
        assert '450 4.7.1 greylisted' in r.text


def test_delivery_status_filter(tmp_path):
    table = tmp_path / 'status'
    table.write_text('/^5(\\S+.*quota.*)/ 4$1\n/^4\\S+ (.*never.*)/ 5.0.0 $1\n'
                     '/^2\\S+ (.*)/ 2.6.0 fine, $1\n/^5.1.1/ 2.0.0 no\n')
    with FakeSmtp(RCPT=['552 5.2.2 quota', '450 4.0.0 never', '250 Ok',
                        '550 5.1.1 no']) as server, \
            SmtpAgent(smtp_delivery_status_filter=f'pcre:{table}') as agent:
        results = [agent.one(server.nexthop) for _ in range(4)]
        assert [(r.rc, r.dsn) for r in results] == [
            (TEMP, '4.2.2'), (PERM, '5.0.0'), (OK, '2.6.0'), (PERM, '5.1.1')]
        assert results[2].text.startswith('fine, 250 ')
        assert 'dsn=4.2.2, status=deferred (host' in agent.log()


def test_dns_reply_filter(dns, tmp_path):
    table = tmp_path / 'records'
    table.write_text('/ MX 10 first/ IGNORE\n/127.0.0.13/ IGNORE\n'
                     '/^void/ IGNORE\n')
    with agent_for(dns, free_port(),
                   smtp_dns_reply_filter=f'pcre:{table}') as agent:
        assert 'connect to second.remote.test' in agent.one('remote.test').text
        agent.one('equal.remote.test')
        assert '127.0.0.13]' not in agent.log()
        r = agent.one('void.remote.test')
        assert (r.rc, r.dsn) == (TEMP, '4.7.0')


def test_keywords_discarded_by_address():
    tables = 'inline:{127.0.0.1=dsn}'
    with FakeSmtp() as server, \
            SmtpAgent(smtp_discard_ehlo_keyword_address_maps=tables,
                      smtp_discard_ehlo_keywords='size') as agent:
        agent.one(server.nexthop)
        assert 'SIZE=' in server.commands[1]
        assert 'ORCPT' not in server.commands[2]


# ---- more recipients than a transaction may have

def rcpt_limit(most, reply):
    """A server that takes so many recipients at once."""
    def say(line):
        return '250 Ok' if len(server.sessions[-1].rcpts) < most else reply
    server = FakeSmtp(RCPT=say)
    return server


FIVE = [f'{c}@remote.test' for c in 'abcde']


@pytest.mark.parametrize('reply', ['452 4.5.3 too many', '452 too many'])
def test_too_many_recipients_go_in_several_transactions(reply):
    with rcpt_limit(2, reply) as server, SmtpAgent() as agent:
        _, results = agent.deliver(server.nexthop, FIVE)
        assert [r.rc for r in results] == [OK] * 5
        assert len(server.messages) == 3
        assert len(server.sessions) == 1


def test_other_temporary_refusals_wait():
    with rcpt_limit(2, '452 4.2.2 mailbox full') as server, \
            SmtpAgent() as agent:
        _, results = agent.deliver(server.nexthop, FIVE)
        assert [r.rc for r in results] == [OK, OK, TEMP, TEMP, TEMP]
        assert len(server.messages) == 1


def test_too_many_even_for_one():
    with rcpt_limit(0, '452 4.5.3 too many') as server, SmtpAgent() as agent:
        _, results = agent.deliver(server.nexthop, FIVE)
        assert {r.rc for r in results} == {TEMP}


@pytest.mark.parametrize('keep', ['yes', 'no'])
def test_an_announced_limit_is_kept(keep):
    words = EHLO.replace('250-', '').replace('250 ', '').split('\n')[1:]
    with FakeSmtp(EHLO=ehlo(*words, 'LIMITS RCPTMAX=2')) as server, \
            SmtpAgent(smtp_connection_cache_on_demand=keep) as agent:
        _, results = agent.deliver(server.nexthop, FIVE)
        assert [r.rc for r in results] == [OK] * 5
        assert [c[0] for c in server.commands if c[0] in 'RD'] == \
            list('RRDRRRDRRD')
        assert len(server.sessions) == 1


def test_an_end_is_only_of_its_own_transaction():
    replies = ['250 2.0.0 Ok', '554 5.7.1 spam', '250 2.0.0 Ok']
    with FakeSmtp(EHLO=ehlo('PIPELINING', 'LIMITS RCPTMAX=2'), DOT=replies) \
            as server, SmtpAgent() as agent:
        _, results = agent.deliver(server.nexthop, FIVE)
        assert [r.rc for r in results] == [OK, OK, PERM, PERM, OK]


def test_lost_in_the_second_transaction():
    with FakeSmtp(EHLO=ehlo('PIPELINING', 'LIMITS RCPTMAX=2'),
                  MAIL=['250 Ok', None]) as server, SmtpAgent() as agent:
        _, results = agent.deliver(server.nexthop, FIVE)
        assert [r.rc for r in results] == [OK, OK, TEMP, TEMP, TEMP]
        assert {r.dsn for r in results[2:]} == {'4.4.2'}
        assert len(server.sessions) == 1


# ---- mail for ourselves

def test_best_mx_transport(dns):
    with agent_for(dns, best_mx_transport='local', **ME) as agent:
        r = agent.one('me.remote.test')
        assert (r.rc, r.action, r.relay) == (OK, 4, 'local')
        assert 'status=' not in agent.log()
        assert agent.one('backup2.remote.test').rc == TEMP
