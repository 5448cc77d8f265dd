"""sendmail: what programs call, and what arrives."""
import os
import re
import subprocess

import pytest

from harness import BIN, Posta, wait_until

BODY = 'From: someone@example.test\nTo: alice@example.test\nSubject: hi\n\ntext\n'


@pytest.fixture(scope='module')
def posta():
    with Posta(users={'alice': 'x', 'bob': 'x'},
               settings={'myorigin': 'example.test'}) as p:
        yield p


def send(posta, *args, text=BODY, check=True):
    return posta.command('sendmail', *args, input=text, check=check)


def got(posta, tag, user='alice'):
    """The message with that subject, once it is there."""
    def look():
        for mail in posta.maildir(user):
            if f'Subject: {tag}\n'.encode() in mail:
                return mail
        return None
    return wait_until(look, f'{tag} for {user}').decode()


# How programs call it, as recorded on Debian 12 (arguments behind the path).
CALLERS = {
    'cron': '-FCronDaemon -i -B8BITMIME -oem {to}',
    'at': '-i {to}',
    'bsd-mailx': '-i -t -f {from}',
    'mailutils': '-oi -f {from} -t',
    's-nail': '-i -f {from} -- {to}',
    'mutt': '-oem -oi -f {from} -N failure,delay -R hdrs -- {to}',
    'git-send-email': '-f {from} -i {to}',
    'php': '-t -i -f{from}',
    'sudo': '-t',
    'unattended-upgrades': '-oi -t',
    'mime-construct': '-oi {to}',
    'reportbug': '-f {from} -oi -oem {to}',
}


@pytest.mark.parametrize('caller', CALLERS)
def test_as_called_by(posta, caller):
    args = CALLERS[caller].format(**{'from': 'bob@example.test',
                                     'to': 'alice@example.test'}).split()
    text = (f'From: bob@example.test\nTo: alice@example.test\n'
            f'Subject: call-{caller}\n\nbody of {caller}\n')
    assert send(posta, *args, text=text).returncode == 0
    mail = got(posta, f'call-{caller}')
    assert f'\n\nbody of {caller}\n' in mail
    if '{from}' in CALLERS[caller]:
        assert mail.startswith('Return-Path: <bob@example.test>\n')


def test_extracts_recipients_and_takes_bcc_out(posta):
    send(posta, '-t', '-i', text='To: "A. L." <alice@example.test>\n'
         'Cc: undisclosed: ;\nBcc:\n bob@example.test\nSubject: bcc\n\nx\n')
    for user in ('alice', 'bob'):
        mail = got(posta, 'bcc', user)
        assert 'bcc:' not in mail.lower().replace('subject: bcc', '')


def test_missing_fields_are_added(posta):
    send(posta, '-F', 'Full Name', '-f', 'bob@example.test',
         'alice@example.test', text='Subject: fields\n\nx\n')
    mail = got(posta, 'fields')
    for name in ('Date', 'Message-Id', 'From'):
        assert re.search(rf'^{name}: .+', mail, re.M | re.I), name
    assert re.search(r'^From: .*Full Name', mail, re.M)
    assert re.search(r'^Received: by \S+ \(\S+, from userid \d+\)', mail, re.M)


def test_line_ends_and_from_line(posta):
    send(posta, 'alice@example.test',
         text='From bob Mon Jan  1 00:00:00 2024\r\nSubject: crlf\r\n\r\n'
              'one\r\ntwo\r\n.\r\nnot this\r\n')
    mail = got(posta, 'crlf')
    assert mail.endswith('\n\none\ntwo\n')


def test_dot_is_text_with_i(posta):
    send(posta, '-i', 'alice@example.test',
         text='Subject: dot\n\none\n.\n..\ntwo')
    assert got(posta, 'dot').endswith('\n\none\n.\n..\ntwo\n')


def test_long_lines_and_eight_bits_survive(posta):
    line = 'x' * 5000
    posta.command('sendmail', '-B8BITMIME', 'alice@example.test',
                  input=f'Subject: long\n\n{line}\ncafé\n')
    assert got(posta, 'long').endswith(f'\n\n{line}\ncafé\n')


def test_null_sender(posta):
    send(posta, '-f', '<>', 'alice@example.test', text='Subject: null\n\nx\n')
    assert got(posta, 'null').startswith('Return-Path: <>\n')


def test_speaks_smtp(posta):
    done = send(posta, '-bs', text=(
        'EHLO me\r\nMAIL FROM:<bob@example.test>\r\n'
        'RCPT TO:<alice@example.test>\r\nDATA\r\nSubject: bs\r\n\r\n'
        '..dot\r\n.\r\nNOOP\r\nQUIT\r\n'))
    assert [line[:3] for line in done.stdout.splitlines()
            if line[3:4] == ' '] == ['220', '250', '250', '250', '354', '250',
                                     '250', '221']
    assert got(posta, 'bs').endswith('\n\n.dot\n')


@pytest.mark.parametrize('args', [
    ['-n', 'alice@example.test'], ['-bt'], ['-ba'], ['-y'], ['-qS'], [],
    ['-B', '9BIT', 'alice@example.test']])
def test_every_error_is_75(posta, args):
    done = send(posta, *args, check=False)
    assert done.returncode == 75
    assert done.stderr.startswith('sendmail: fatal: ')


@pytest.mark.parametrize('args', [
    '-Am', '-Ac', '-G', '-h5', '-Lx', '-m', '-U', '-o7', '-o8', '-om', '-oem',
    '-odb', '-Ofoo=bar', '-e m', '-p x', '-x'])
def test_flags_without_effect(posta, args):
    tag = 'flag' + re.sub(r'\W', '_', args)
    send(posta, *args.split(), 'alice@example.test',
         text=f'Subject: {tag}\n\nx\n')
    got(posta, tag)


def test_works_while_nothing_runs():
    with Posta(start=False) as posta:
        posta.posta('start')
        posta.posta('stop')
        done = send(posta, 'alice@example.test', text='Subject: later\n\nx\n')
        assert done.returncode == 0
        assert len(os.listdir(posta.dir / 'queue/maildrop')) == 1
        posta.start()
        posta.wait_maildir('alice', 1)
        wait_until(lambda: not os.listdir(posta.dir / 'queue/maildrop'),
                   'it to be taken out')


def test_too_large_is_refused(posta):
    with Posta(settings={'message_size_limit': 100000,
                         'mailbox_size_limit': 0}, start=False) as small:
        small.posta('start')
        done = send(small, 'alice@example.test', check=False,
                    text='Subject: big\n\n' + 'x' * 70 * 30000)
        assert done.returncode == 75
        assert 'too big' in done.stderr
        assert not os.listdir(small.dir / 'queue/maildrop')


def test_a_long_message_id(posta):
    """It is only for the log: no reason to refuse, or to wait."""
    text = f'Message-Id: <{"x" * 5000}@a.test>\nSubject: {{}}\n\nx\n'
    send(posta, 'alice@example.test', text=text.format('id-dropped'))
    send(posta, '-bs', text=(
        'EHLO me\r\nMAIL FROM:<>\r\nRCPT TO:<alice@example.test>\r\nDATA\r\n'
        + text.format('id-said').replace('\n', '\r\n') + '.\r\nQUIT\r\n'))
    for tag in 'id-dropped', 'id-said':
        assert 'x' * 5000 in got(posta, tag)


def test_a_long_list(posta):
    count = 30000
    send(posta, '-t', '-f', 'bob@example.test', text='Bcc: ' + ',\n '.join(
        f'nobody{n}@example.test' for n in range(count)) + '\n\nx\n')
    posta.wait_log(f'nrcpt={count} ')
    posta.wait_empty()


def dropped(sender, rcpt):
    """A file that may stand in maildrop (lib/queue/drop.h)."""
    def number(n):
        return bytes([n << 1 & 127 | 128, n >> 6]) if n > 63 else bytes([n << 1])

    records = ((1, sender), (2, rcpt), (0, ''))
    return b'posta drop 1\n' + b''.join(
        number(kind) + number(len(text)) + text.encode()
        for kind, text in records) + b'Subject: x\n\nx\n'


@pytest.mark.parametrize('bad', [('a' * 5000, 'bob'), ('bob', 'a' * 5000),
                                 ('bob', 'all@example.test')],
                         ids=['sender', 'recipient', 'expansion'])
def test_no_message_keeps_others_waiting(bad):
    """What postdrop would not take, and what cannot be expanded."""
    with Posta(settings={'virtual_alias_expansion_limit': '1'}) as posta:
        table = posta.dir / 'virtual'
        table.write_text('all@example.test alice@example.test b@example.test\n')
        posta.set(virtual_alias_maps=f'texthash:{table}')
        posta.posta('reload')
        data = dropped(*bad)
        refused = len(data) > 5000
        assert (subprocess.run(
            [BIN / 'postdrop', '-c', posta.dir], input=data,
            stderr=subprocess.PIPE, check=False).returncode == 75) == refused
        for n in range(10):
            file = posta.dir / f'queue/maildrop/bad{n}'
            file.write_bytes(data)
            file.chmod(0o744)
        send(posta, 'alice@example.test', text='Subject: next\n\nx\n')
        got(posta, 'next')
        wait_until(lambda: len(list((posta.dir / 'queue/corrupt').iterdir()))
                   == 10 * refused, 'them to be put aside')


def test_mailq_of_an_empty_queue(posta):
    posta.wait_empty()
    for name, args in (('mailq', ()), ('sendmail', ('-bp',))):
        done = posta.command(name, *args)
        assert done.stdout == 'Mail queue is empty\n'
