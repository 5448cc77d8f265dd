"""The SMTP server: sessions, their limits, what it says and logs."""
import contextlib
import re
import smtplib
import subprocess
import threading
import time

import pytest

from harness import Posta, wait_until
from harness.fake_smtp import FakeSmtp
from harness.raw_smtp import Closed, RawSmtp

# Tests come from 127.0.0.1, which is no friend here.
STRANGER = {'mynetworks': '192.0.2.0/24',
            'local_header_rewrite_clients': '',
            'smtpd_peername_lookup': 'no',
            'smtpd_error_sleep_time': '0s',
            'smtpd_client_connection_count_limit': '0'}


@pytest.fixture(scope='module')
def posta():
    with Posta(settings=STRANGER, may_die=True) as instance:
        yield instance


@pytest.fixture
def client(posta):
    with RawSmtp(posta.port) as c:
        yield c


def test_greeting(posta, client):
    host = client.greeting[0].split()[1]
    assert client.greeting == [f'220 {host} ESMTP Posta']
    assert client.say('HELO client.test') == f'250 {host}'


def test_plain_helo_session(posta, client):
    assert client.talk('HELO client.test', 'MAIL FROM: <a@client.test>',
                       'RCPT TO: <alice@example.test>') == [
        client.greeting[0].split()[1].join(['250 ', '']),
        '250 2.1.0 Ok', '250 2.1.5 Ok']
    assert client.say('DATA') == '354 End data with <CR><LF>.<CR><LF>'
    stored = client.say('Subject: plain\r\n\r\n..dot\r\n.')
    queue_id = re.fullmatch(r'250 2\.0\.0 Ok: queued as (\w+)', stored)[1]
    assert client.say('QUIT') == '221 2.0.0 Bye'
    posta.wait_log(f'{queue_id}: client=unknown\\[127.0.0.1\\]$')
    posta.wait_log(f'{queue_id}: message-id=<>$')
    posta.wait_log(r'disconnect from unknown\[127.0.0.1\] helo=1 mail=1 '
                   r'rcpt=1 data=1 quit=1 commands=5$')
    message = wait_until(lambda: [m for m in posta.maildir('alice')
                                  if b'Subject: plain' in m], 'the message')[0]
    assert message.startswith(b'Return-Path: <a@client.test>\n')
    assert message.endswith(b'\n\n.dot\n')
    received = re.search(rb'Received: from client\.test \(unknown \[127\.0\.0\.'
                         rb'1\]\)\n\tby \S+ \(Posta\) with SMTP id (\w+)\n\tfor '
                         rb'<alice@example\.test>; \w{3}, \d+ \w{3} \d{4} '
                         rb'\d\d:\d\d:\d\d [-+]\d{4} \(\w+\)\n', message)
    assert received[1].decode() == queue_id
    assert b'Date:' not in message    # a stranger's mail is left as it is


def test_ehlo_words(client):
    client.send('EHLO client.test\r\n')
    words = [line[4:] for line in client.reply()[1:]]
    assert words == ['PIPELINING', 'SIZE 52428800', 'VRFY', 'ETRN',
                     'STARTTLS', 'ENHANCEDSTATUSCODES', '8BITMIME', 'DSN', 'SMTPUTF8',
                     'LIMITS RCPTMAX=1000', 'CHUNKING']


WRONG = [
    (['MAIL'], '501 5.5.4 Syntax: MAIL FROM:<address>'),
    (['MAIL FROM:<a@client.test'], '501 5.1.7 Bad sender address syntax'),
    (['MAIL FROM:<a@client.test> SIZE=x'], '501 5.5.4 Bad message size syntax'),
    (['MAIL FROM:<a@client.test> SIZE=52428801'],
     '552 5.3.4 Message size exceeds fixed limit'),
    (['MAIL FROM:<a@client.test> FROB=1'],
     '555 5.5.4 Unsupported option: FROB'),
    (['MAIL FROM:<é@client.test>'],
     '553 5.6.7 Must declare SMTPUTF8 to send unicode address'),
    (['MAIL FROM:<a@client.test>', 'MAIL FROM:<b@client.test>'],
     '503 5.5.1 Error: nested MAIL command'),
    (['RCPT TO:<alice@example.test>'], '503 5.5.1 Error: need MAIL command'),
    (['MAIL FROM:<>', 'RCPT TO:<>'], '501 5.1.3 Bad recipient address syntax'),
    (['MAIL FROM:<>', 'RCPT'], '501 5.5.4 Syntax: RCPT TO:<address>'),
    (['MAIL FROM:<>', 'RCPT TO:<alice@example.test> NOTIFY=NEVER,DELAY'],
     '501 5.5.4 Bad NOTIFY parameter syntax'),
    (['DATA'], '503 5.5.1 Error: need RCPT command'),
    (['MAIL FROM:<>', 'DATA'], '503 5.5.1 Error: need RCPT command'),
    (['MAIL FROM:<>', 'RCPT TO:<x@elsewhere.test>', 'DATA'],
     '554 5.5.1 Error: no valid recipients'),
    (['MAIL FROM:<>', 'RCPT TO:<alice@example.test>', 'DATA now'],
     '501 5.5.4 Syntax: DATA'),
    (['RSET x'], '501 5.5.4 Syntax: RSET'),
    (['VRFY'], '501 5.5.4 Syntax: VRFY address'),
    (['VRFY alice@example.test'], '252 2.0.0 alice@example.test'),
    (['VRFY nobody@example.test'],
     '550 5.1.1 <nobody@example.test>: Recipient address rejected: '
     'User unknown in virtual mailbox table'),
    (['EXPN list'], '502 5.5.2 Error: command not recognized'),
    (['HELO'], '501 Syntax: HELO hostname'),
    (['EHLO'], '501 Syntax: EHLO hostname'),
    (['ETRN'], '500 Syntax: ETRN domain'),
    (['ETRN a b'], '501 Error: invalid parameter syntax'),
    (['ETRN elsewhere.test'], '459 <elsewhere.test>: service unavailable'),
    (['LHLO client.test'], '502 5.5.2 Error: command not recognized'),
    (['XCLIENT ADDR=192.0.2.1'],
     '550 5.7.0 Error: insufficient authorization'),
    (['XFORWARD ADDR=192.0.2.1'],
     '550 5.7.0 Error: insufficient authorization'),
    ([''], '500 5.5.2 Error: bad syntax'),
    (['EHLO ' + 'x' * 3000], '500 5.5.2 Error: line too long'),
    (['NOOP'], '250 2.0.0 Ok'),
]


@pytest.mark.parametrize('commands, reply', WRONG,
                         ids=[c[-1][:40] for c, _ in WRONG])
def test_wrong_commands(client, commands, reply):
    client.say('EHLO client.test')
    assert client.talk(*commands)[-1] == reply


def test_bad_bytes(client):
    client.send(b'EHLO \xff\r\n')
    assert client.reply() == ['500 5.5.2 Error: bad UTF-8 syntax']
    client.send(b'MAIL FROM:<a\0b@client.test>\r\n')
    assert client.reply()[0].startswith('501 5.1.7')


def test_reset_keeps_helo(client):
    client.say('EHLO client.test')
    client.talk('MAIL FROM:<a@client.test>', 'RCPT TO:<alice@example.test>')
    assert client.say('RSET') == '250 2.0.0 Ok'
    assert client.start(hello='NOOP').startswith('354')


def test_reject_is_logged(posta, client):
    client.talk('EHLO client.test', 'MAIL FROM:<f@client.test>',
                'RCPT TO:<nobody@example.test>', 'QUIT')
    posta.wait_log(
        r'smtpd\[\d+\]: NOQUEUE: reject: RCPT from unknown\[127\.0\.0\.1\]: '
        r'550 5\.1\.1 <nobody@example\.test>: Recipient address rejected: User '
        r'unknown in virtual mailbox table; from=<f@client\.test> '
        r'to=<nobody@example\.test> proto=ESMTP helo=<client\.test>$')


def test_log_does_not_wait_for_the_client(posta):
    """A client that holds its connection open keeps no line from the log."""
    with RawSmtp(posta.port) as client:
        client.talk('EHLO slow.test', 'MAIL FROM:<slow@client.test>',
                    'RCPT TO:<nobody@example.test>')
        posta.wait_log('reject: RCPT from .*from=<slow@client.test>')
        assert client.say('NOOP')[:3] == '250'


# ---- never an open relay

RELAY = ['x@elsewhere.test', 'x%elsewhere.test@example.test',
         'x%elsewhere.test', 'elsewhere.test!x',
         'elsewhere.test!x@example.test', '@example.test:x@elsewhere.test',
         '"x@elsewhere.test"', '"x@elsewhere.test"@example.test',
         '"x%elsewhere.test"@example.test', 'x%elsewhere.test@localhost',
         'x@[192.0.2.1]', 'x%[192.0.2.1]@example.test',
         '"elsewhere.test!x"@example.test']


@pytest.mark.parametrize('rcpt', RELAY)
def test_no_relay(client, rcpt):
    client.talk('EHLO client.test', 'MAIL FROM:<a@client.test>')
    assert client.say(f'RCPT TO:<{rcpt}>')[0] == '5'


@pytest.mark.parametrize('settings', [
    {'smtpd_relay_restrictions': 'permit_mynetworks'},
    {'smtpd_relay_restrictions': '',
     'smtpd_recipient_restrictions': 'warn_if_reject reject'},
    {'smtpd_relay_restrictions': 'own_class', 'own_class': 'permit_mynetworks',
     'smtpd_restriction_classes': 'own_class'},
])
def test_refuses_to_be_open(settings):
    """master refuses; were it not there, smtpd itself would."""
    with Posta(settings=settings, start=False, may_die=True) as posta:
        done = posta.posta('start', check=False)
        with contextlib.suppress(OSError, Closed):
            with RawSmtp(posta.port, timeout=2) as client:
                client.talk('HELO client.test', 'MAIL FROM:<>')
                assert client.say('RCPT TO:<x@elsewhere.test>')[0] != '2'
        assert re.search('would relay mail of strangers|specify at least one',
                         done.stderr + posta.log_text())


def test_unknown_restriction():
    with Posta(settings={'smtpd_helo_restrictions': 'reject_invalid_helo'},
               may_die=True,
               start=False) as posta:
        posta.posta('start', check=False)
        with contextlib.suppress(OSError, Closed):
            RawSmtp(posta.port, timeout=1)
        posta.wait_log('fatal: smtpd_helo_restrictions: unknown smtpd '
                       'restriction: "reject_invalid_helo"; look for')


# ---- the end of the data

ENDS = [b'\n.\n', b'\n.\r\n', b'\r\n.\n', b'\r.\r\n', b'\r\n.\r', b'\r.\r',
        b'\n.\r', b'\r\n\0.\r\n', b'\r\r\n.\r\r\n', b'\r\n.\r\r\n']


@pytest.mark.parametrize('end', ENDS, ids=[repr(e)[2:-1] for e in ENDS])
def test_no_smuggling(posta, end):
    mark = f'smuggle-{ENDS.index(end)}'
    content = (f'Subject: {mark}\r\n\r\nhello'.encode() + end +
               b'MAIL FROM:<evil@client.test>\r\nRCPT TO:<bob@example.test>'
               b'\r\nDATA\r\nSubject: evil\r\n\r\nevil\r\n.\r\n')
    first = content.index(end)
    with RawSmtp(posta.port) as client:
        for cut in range(first - 1, first + len(end) + 2):
            client.start()
            client.send(content[:cut])
            time.sleep(0.002)
            client.send(content[cut:])
            assert client.reply()[0].startswith('250 2.0.0'), cut
        assert client.say('QUIT') == '221 2.0.0 Bye'
    count = len(end) + 3
    stored = wait_until(
        lambda: len(m := [m for m in posta.maildir('alice')
                          if mark.encode() in m]) == count and m, 'messages')
    for message in stored:
        assert b'MAIL FROM:<evil@client.test>\n' in message
        assert b'\r' not in message
    assert posta.maildir('bob') == []


def test_bare_newline_is_refused():
    with Posta(settings={**STRANGER,
                         'smtpd_forbid_bare_newline': 'reject'}) as posta:
        with RawSmtp(posta.port) as client:
            client.start()
            client.send(b'Subject: x\r\n\r\na\nb\r\n.\r\n')
            assert re.fullmatch(r'550 5\.5\.2 \S+ Error: bare <LF> received',
                                client.reply()[0])
            client.start(hello='NOOP')
            assert client.say('Subject: y\r\n\r\nfine\r\n.')[:3] == '250'
        posta.wait_log('reject: bare <LF> received after END-OF-MESSAGE from')
        assert len(posta.wait_maildir('alice', 1)) == 1


# ---- pipelining

def test_pipelined_commands(posta, client):
    client.say('EHLO client.test')
    client.send('MAIL FROM:<a@client.test>\r\nRCPT TO:<alice@example.test>\r\n'
                'RCPT TO:<nobody@example.test>\r\nRCPT TO:<bob@example.test>'
                '\r\nDATA\r\n')
    codes = [client.reply()[0][:3] for _ in range(5)]
    assert codes == ['250', '250', '550', '250', '354']
    client.send('Subject: p\r\n\r\n.\r\nMAIL FROM:<>\r\nRSET\r\nQUIT\r\n')
    assert [client.reply()[0][:3] for _ in range(4)] == [
        '250', '250', '250', '221']


def test_impatient_client(posta, client):
    client.send('EHLO client.test\r\nMAIL FROM:<a@client.test>\r\n')
    assert client.reply() == ['554 5.5.0 Error: SMTP protocol synchronization']
    assert client.closed()
    posta.wait_log(r'improper command pipelining after EHLO from '
                   r'unknown\[127.0.0.1\]: MAIL FROM:')


def test_other_protocols(posta, client):
    client.send('GET / HTTP/1.0\r\nHost: x\r\n\r\n')
    assert client.reply() == [
        '221 2.7.0 Error: I can break rules, too. Goodbye.']
    assert client.closed()
    posta.wait_log(r'warning: non-SMTP command from unknown\[127.0.0.1\]: GET /')


# ---- limits

def test_too_many_errors(posta, client):
    client.say('EHLO client.test')
    assert client.talk(*['FROB'] * 20)[-1][:3] == '502'
    assert re.fullmatch(r'421 4\.7\.0 \S+ Error: too many errors',
                        client.reply()[0])
    assert client.closed()
    posta.wait_log(r'too many errors after UNKNOWN from unknown\[127.0.0.1\]')


def test_command_filter():
    with Posta(settings={**STRANGER, 'smtpd_command_filter': r'''regexp:{
            {/^RCPT\s+TO:<'(.*)'>(.*)/ RCPT TO:<$$1>$$2} }'''.replace(
                '\n', ' '), 'smtpd_noop_commands': 'frob'}) as posta:
        with RawSmtp(posta.port) as client:
            client.talk('EHLO client.test', 'MAIL FROM:<>')
            assert client.say("RCPT TO:<'alice@example.test'>")[:3] == '250'
            assert client.say('FROB') == '250 2.0.0 Ok'
        posta.wait_log('replacing command "RCPT TO')


def test_junk_commands(client):
    client.say('EHLO client.test')
    replies = []
    with pytest.raises((Closed, OSError)):
        for _ in range(300):
            replies.append(client.say('NOOP'))
    assert 100 < len(replies) < 130


def test_recipient_limit():
    with Posta(settings={**STRANGER, 'smtpd_recipient_limit': '2'}) as posta:
        with RawSmtp(posta.port) as client:
            client.talk('EHLO client.test', 'MAIL FROM:<>')
            rcpt = 'RCPT TO:<alice@example.test>'
            assert client.talk(rcpt, rcpt, rcpt) == [
                '250 2.1.5 Ok', '250 2.1.5 Ok',
                '452 4.5.3 Error: too many recipients']
            assert client.say('DATA')[:3] == '354'
            assert client.say('Subject: twice\r\n\r\n.')[:3] == '250'
        # The same recipient twice gets it once.
        posta.wait_log('status=sent')
        posta.wait_empty()
        assert len(posta.maildir('alice')) == 1


def test_size_limit():
    with Posta(settings={**STRANGER, 'message_size_limit': '10000'}) as posta:
        with RawSmtp(posta.port) as client:
            client.start()
            client.send('x' * 79 + '\r\n' + ('y' * 78 + '\r\n') * 200 + '.\r\n')
            assert client.reply() == ['552 5.3.4 Error: message file too big']
            head = 'Subject: fits\r\n\r\n'
            body = 'z' * (10000 - len(head) - 2) + '\r\n'
            client.start(hello='NOOP')
            client.send(head + body + '.\r\n')
            assert client.reply()[0][:3] == '250'
        posta.wait_maildir('alice', 1)
        posta.wait_log('warning: .* queue file size limit exceeded')


def test_timeout():
    with Posta(settings={**STRANGER, 'smtpd_timeout': '4s'}) as posta:
        with RawSmtp(posta.port) as client:
            assert re.fullmatch(r'421 4\.4\.2 \S+ Error: timeout exceeded',
                                client.reply()[0])
            assert client.closed()
        posta.wait_log(r'timeout after CONNECT from unknown\[127.0.0.1\]')
        # A byte now and then buys no time for a command line.
        with RawSmtp(posta.port) as client:
            stop = threading.Event()

            def drip():
                while not stop.wait(0.2):
                    try:
                        client.send('N')
                    except OSError:
                        return
            thread = threading.Thread(target=drip)
            thread.start()
            try:
                assert client.reply()[0].startswith('421 4.4.2')
            finally:
                stop.set()
                thread.join()
        with RawSmtp(posta.port) as client:
            client.start()
            client.send('Subject: never ends\r\n')
            assert client.reply()[0].startswith('421 4.4.2')
        posta.wait_log(r'timeout after DATA \(\d+ bytes\) from unknown')


def welcome(posta):
    """A client, or None where it has been sent away."""
    c = RawSmtp(posta.port)
    if c.greeting[0].startswith('220'):
        return c
    c.close()
    return None


def test_connection_limit():
    with Posta(settings={**STRANGER,
                         'smtpd_client_connection_count_limit': '2'}) as posta:
        # Whoever asked whether it runs counts until his worker is free again.
        one = RawSmtp(posta.port)
        two = wait_until(lambda: welcome(posta), 'a second place')
        with one, two:
            with RawSmtp(posta.port) as three:
                assert re.fullmatch(
                    r'421 4\.7\.0 \S+ Error: too many connections from '
                    r'127\.0\.0\.1', three.greeting[0])
                assert three.closed()
            assert one.say('NOOP')[:3] == two.say('NOOP')[:3] == '250'
        posta.wait_log('warning: Connection concurrency limit exceeded: 3 from '
                       r'unknown\[127.0.0.1\] for service')


def test_rates():
    with Posta(settings={**STRANGER, 'anvil_rate_time_unit': '600s',
                         'smtpd_client_message_rate_limit': '2',
                         'smtpd_client_recipient_rate_limit': '1'}) as posta:
        with RawSmtp(posta.port) as client:
            client.say('EHLO client.test')
            rcpt = 'RCPT TO:<alice@example.test>'
            assert client.talk('MAIL FROM:<>', rcpt, rcpt)[-1] == \
                '450 4.7.1 Error: too many recipients from 127.0.0.1'
            client.talk('RSET', 'MAIL FROM:<>', 'RSET')
            assert client.say('MAIL FROM:<>') == \
                '450 4.7.1 Error: too much mail from 127.0.0.1'
        posta.wait_log('warning: Message delivery request rate limit exceeded: '
                       r'3 from unknown\[127.0.0.1\]')


def test_shutdown():
    with Posta(settings=STRANGER) as posta:
        with RawSmtp(posta.port) as idle, RawSmtp(posta.port) as busy:
            idle.say('EHLO client.test')
            busy.start()
            busy.send('Subject: in flight\r\n')
            stop = threading.Thread(target=posta.stop)
            stop.start()
            assert idle.reply()[0].startswith('421 4.3.2 ')
            assert idle.closed()
            busy.send('\r\nstill taken\r\n.\r\n')
            assert busy.reply()[0].startswith('250 2.0.0 Ok: queued as')
            stop.join()
        posta.start()
        assert b'in flight' in posta.wait_maildir('alice', 1)[0]


# ---- content

def test_pieces_of_any_size(posta):
    body = b''.join(b'%06d ' % i + b'x' * (i % 3000) + b'\r\n'
                    for i in range(500))
    posta.send('a@client.test', 'alice@example.test',
               b'Subject: long lines\r\n\r\n' + body)
    message = wait_until(lambda: [m for m in posta.maildir('alice')
                                  if b'long lines' in m], 'the message')[0]
    assert message.endswith(body.replace(b'\r\n', b'\n'))


def test_hidden_fields(posta):
    posta.send('a@client.test', 'alice@example.test',
               'Return-Path: <forged@client.test>\nBcc: secret@client.test\n'
               'Subject: hidden\nContent-Length: 7\nX-Kept: yes\n\n.\n')
    message = wait_until(lambda: [m for m in posta.maildir('alice')
                                  if b'Subject: hidden' in m], 'it')[0]
    assert b'secret' not in message and b'forged' not in message
    assert b'Content-Length' not in message and b'X-Kept: yes' in message


def test_hops(posta):
    fields = ''.join(f'Received: from h{i} by h{i + 1}; today\r\n'
                     for i in range(50))
    with RawSmtp(posta.port) as client:
        client.start()
        client.send(fields + 'Subject: loop\r\n\r\n.\r\n')
        assert client.reply() == ['554 5.4.0 Error: too many hops']


def test_mbox_line_and_no_header(posta):
    for first, want in ((b'From x@y Mon Jan 1 00:00:00 2024',
                         b'X-Mailbox-Line: From x@y Mon'),
                        (b' starts with a blank', b'\n\n starts with a'),
                        (b'no header at all', b'\n\nno header at all')):
        with RawSmtp(posta.port) as client:
            client.start()
            client.send(first + b'\r\nx-mark: 77\r\n.\r\n')
            assert client.reply()[0][:3] == '250'
        wait_until(lambda: [m for m in posta.maildir('alice') if want in m],
                   f'{want!r}')


def test_swaks(posta):
    done = subprocess.run(
        ['swaks', '--server', f'127.0.0.1:{posta.port}', '--helo',
         'client.test', '--from', 'a@client.test', '--to',
         'alice@example.test,bob@example.test', '--pipeline', '--header',
         'Subject: swaks'], text=True, capture_output=True, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr
    wait_until(lambda: any(b'Subject: swaks' in m
                           for m in posta.maildir('bob')), 'bob')


def test_chunks(posta, client):
    client.say('EHLO client.test')
    client.talk('MAIL FROM:<a@client.test> BODY=8BITMIME',
                'RCPT TO:<alice@example.test>')
    one = b'Subject: chunks\r\n\r\nba\xc3\xa9\r'
    client.send(b'BDAT %d\r\n' % len(one) + one)
    assert client.reply() == [f'250 2.0.0 Ok: {len(one)} bytes']
    two = b'\n.\r\nQUIT\r\n.\r\nno end'
    client.send(b'BDAT %d LAST\r\n' % len(two) + two)
    assert re.fullmatch(rf'250 2\.0\.0 Ok: {len(one) + len(two)} bytes queued '
                        r'as \w+', client.reply()[0])
    message = wait_until(lambda: [m for m in posta.maildir('alice')
                                  if b'Subject: chunks' in m], 'it')[0]
    assert message.endswith(b'\n\nba\xc3\xa9\n.\nQUIT\n.\nno end\n')
    # Errors take the chunk and wait for RSET.
    client.talk('MAIL FROM:<>', 'RCPT TO:<alice@example.test>')
    client.send(b'BDAT 4\r\nA\r\n.')
    assert client.reply()[0][:3] == '250'
    assert client.say('DATA') == '503 5.5.1 Error: DATA after BDAT'
    assert client.say('MAIL FROM:<>') == '503 5.5.1 Error: MAIL after BDAT'
    assert client.say('BDAT 0') == '551 5.7.1 Null BDAT request'
    client.send(b'BDAT 3 LAST\r\nxyz')
    assert client.reply()[0].startswith('551 5.0.0 Discarded 3 bytes')
    assert client.say('RSET') == '250 2.0.0 Ok'
    client.send(b'BDAT 3\r\nxyz')
    assert client.reply() == ['503 5.5.1 Error: need RCPT command']
    assert client.say('BDAT x').startswith('521 5.5.4 ')
    assert client.closed()


def test_utf8(posta):
    with posta.smtp() as s:
        s.ehlo('client.test')
        s.mail('é@client.test', ('SMTPUTF8',))
        assert s.rcpt('alice@example.test')[0] == 250
        assert s.data('Subject: ünicode\n\n.\n'.encode())[0] == 250
    message = wait_until(lambda: [m for m in posta.maildir('alice')
                                  if 'ünicode'.encode() in m], 'it')[0]
    assert b'with UTF8SMTP id' in message


def test_local_mail_is_completed():
    with Posta(settings={'smtpd_peername_lookup': 'no',
                         'recipient_canonical_maps': 'inline:{ {'
                         'al@example.test = alice@example.test} }'}) as posta:
        posta.send('bob@example.test', 'alice@example.test',
                   'To: al@example.test, x <y>,\n someone@else.test\n\n.\n')
        message = posta.wait_maildir('alice', 1)[0]
        assert re.search(rb'\nMessage-Id: <\d{14}\.\w+@\S+>\n', message)
        assert re.search(rb'\nDate: \w{3}, ', message)
        assert b'\nFrom: bob@example.test\n' in message
        assert b'\nTo: alice@example.test, x <y@example.test>,\n ' \
               b'someone@else.test\n' in message


def test_killed_worker_loses_nothing(posta, client):
    client.start()
    client.send('Subject: lost\r\n')
    for pid in posta.pids('smtpd'):
        posta.kill(pid)
    assert client.closed()
    wait_until(posta.answers, 'new workers')
    posta.send('a@client.test', 'alice@example.test', 'Subject: after\n\n.\n')
    wait_until(lambda: any(b'Subject: after' in m
                           for m in posta.maildir('alice')), 'mail')
    assert not any(b'Subject: lost' in m for m in posta.maildir('alice'))


# ---- parameters of MAIL and RCPT reach the queue

def test_notify_reaches_the_queue():
    with FakeSmtp(RCPT='550 5.1.1 no such user') as peer, Posta(
            settings={'transport_maps': 'inline:{ {bounces.test = '
                      f'smtp:{peer.nexthop}' + '} }'}) as posta:
        with posta.smtp() as s:
            s.ehlo('client.test')
            s.mail('bob@example.test', ('RET=HDRS', 'ENVID=my+2Bid'))
            s.rcpt('x@bounces.test', ('NOTIFY=FAILURE',
                                      'ORCPT=rfc822;orig+40bounces.test'))
            s.rcpt('y@bounces.test', ('NOTIFY=NEVER',))
            assert s.data(b'Subject: d\n\nsecret body\n')[0] == 250
        report = posta.wait_maildir('bob', 1)[0]
        assert b'Original-Envelope-Id: my+id' in report
        assert b'rfc822;orig@bounces.test' in report.replace(b'; ', b';')
        assert b'secret body' not in report
        assert b'y@bounces.test' not in report


def test_smtplib_login_is_not_offered(posta):
    with posta.smtp() as s:
        s.ehlo('client.test')
        assert not s.has_extn('auth') and s.has_extn('starttls')
        with pytest.raises(smtplib.SMTPNotSupportedError):
            s.login('alice', 'secret')
