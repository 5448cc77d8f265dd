"""What administrators do with the queue: mailq, postqueue, postsuper, postcat.

The shapes are Postfix's, as scripts and monitors parse them.
"""
import json
import os
import re
import time

import pytest

from harness import Posta, wait_until

WHY = r'connect to 127\.0\.0\.1\[127\.0\.0\.1\]:1: Connection refused'


def waiting(**kw):
    """An instance whose mail to waits.test cannot be delivered."""
    return Posta(settings={'transport_maps':
                           'inline:{{waits.test=smtp:[127.0.0.1]:1}}'}, **kw)


def fill(posta, count, first=0):
    """So many deferred messages; their ids in order of arrival."""
    for i in range(count):
        posta.send(f's{first + i}@example.test', f'r{first + i}@waits.test')
    entries = wait_until(
        lambda: len(q := posta.queue()) == first + count and
        all(e['queue_name'] == 'deferred' for e in q) and q,
        'all to be deferred')
    return [e['queue_id'] for e in
            sorted(entries, key=lambda e: int(e['sender'][1:].split('@')[0]))]


@pytest.fixture
def posta():
    with waiting() as instance:
        yield instance


def names(posta):
    return {e['queue_id']: e['queue_name'] for e in posta.queue()}


def test_empty(posta):
    assert posta.command('mailq').stdout == 'Mail queue is empty\n'
    assert posta.command('postqueue', '-p').stdout == 'Mail queue is empty\n'
    assert posta.command('postqueue', '-j').stdout == ''


def test_mailq_text(posta):
    posta.send('', ['x@waits.test', 'y@waits.test'])
    posta.send('a@example.test', 'z@waits.test')
    wait_until(lambda: set(names(posta).values()) == {'deferred'}, 'deferred')
    text = posta.command('mailq').stdout
    head, *entries = text.split('\n\n')
    when = r'[A-Z][a-z]{2} [A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d'
    assert re.fullmatch(
        '-Queue ID-  --Size-- ----Arrival Time---- -Sender/Recipient-------\n'
        rf'[0-9A-F]{{6,10}} {{1,5}} +\d+ {when}  MAILER-DAEMON\n'
        rf' *\({WHY}\)\n {{41}}x@waits\.test\n {{41}}y@waits\.test', head)
    assert len(head.split('\n')[1].split(' MAILER')[0]) == 11 + 8 + 21
    assert re.fullmatch(rf'[0-9A-F]+ +\d+ {when}  a@example\.test\n'
                        r' *\((delivery temporarily suspended: )?'
                        rf'{WHY}\)\n {{41}}z@waits\.test', entries[0])
    assert re.fullmatch(r'-- \d+ Kbytes in 2 Requests\.\n', entries[1])
    posta.command('postsuper', '-d', list(names(posta))[0])
    assert posta.command('mailq').stdout.endswith(' in 1 Request.\n')


def test_queue_as_json(posta):
    (queue_id,) = fill(posta, 1)
    entry = json.loads(posta.command('postqueue', '-j').stdout)
    assert abs(entry.pop('arrival_time') - time.time()) < 120
    assert entry.pop('message_size') > 100
    assert re.fullmatch(WHY, entry['recipients'][0].pop('delay_reason'))
    assert entry == {'queue_name': 'deferred', 'queue_id': queue_id,
                     'forced_expire': False, 'sender': 's0@example.test',
                     'recipients': [{'address': 'r0@waits.test'}]}


def test_marks(posta):
    held, expired, plain = fill(posta, 3)
    posta.command('postsuper', '-h', held, '-e', expired)
    text = posta.command('mailq').stdout
    assert f'\n{held}! ' in text
    assert f'\n{expired}# ' in text
    assert f'\n{plain}  ' in text


def said(posta, *args, **kw):
    done = posta.command('postsuper', *args, **kw)
    assert done.stdout == ''
    return done.stderr.splitlines()


@pytest.mark.parametrize('up', [True, False], ids=['up', 'down'])
def test_verbs(posta, up):
    ids = fill(posta, 6)
    if not up:
        posta.stop()
    assert said(posta, '-h', ids[0]) == [
        f'postsuper: {ids[0]}: placed on hold',
        'postsuper: Placed on hold: 1 message']
    assert sorted(said(posta, '-h', '-', input=f'{ids[1]}\n{ids[2]}!\n')) == \
        sorted([f'postsuper: {ids[1]}: placed on hold',
                f'postsuper: {ids[2]}: placed on hold',
                'postsuper: Placed on hold: 2 messages'])
    assert [names(posta)[i] for i in ids[:4]] == ['hold'] * 3 + ['deferred']
    assert said(posta, '-H', 'ALL', 'deferred') == [
        'postsuper: Released from hold: 0 messages']
    assert said(posta, '-H', ids[0])[-1] == \
        'postsuper: Released from hold: 1 message'
    assert names(posta)[ids[0]] != 'hold'
    assert said(posta, '-e', ids[3]) == [
        f'postsuper: {ids[3]}: expired', 'postsuper: Force-expired: 1 message']
    assert said(posta, '-f', ids[1])[-2:] == [
        'postsuper: Force-expired: 1 message',
        'postsuper: Released from hold: 1 message']
    assert said(posta, '-d', ids[4], '-d', ids[5])[-1] == \
        'postsuper: Deleted: 2 messages'
    assert said(posta, '-d', 'ALL', 'hold') == [
        f'postsuper: {ids[2]}: removed', 'postsuper: Deleted: 1 message']
    assert said(posta, '-d', 'ABCDEF') == ['postsuper: Deleted: 0 messages']
    assert said(posta, '-d', 'all') == ['postsuper: Deleted: 0 messages']
    assert said(posta, '-d', 'ALL')[-1].startswith('postsuper: Deleted: ')
    posta.wait_empty()  # a report of what has expired may have come since


@pytest.mark.parametrize('up', [True, False], ids=['up', 'down'])
def test_requeue_once_each(posta, up):
    ids = fill(posta, 4)
    posta.command('postsuper', '-h', ids[0])
    if not up:
        posta.stop()
    lines = said(posta, '-r', 'ALL')
    assert sorted(lines[:-1]) == [f'postsuper: {i}: requeued' for i in ids]
    assert lines[-1] == 'postsuper: Requeued: 4 messages'


def test_expired_goes_back(posta):
    (queue_id,) = fill(posta, 1)
    posta.command('postsuper', '-f', queue_id)
    posta.command('postqueue', '-i', queue_id)
    posta.wait_log(f'{queue_id}: from=<s0@example.test>, status=force-expired, '
                   'returned to sender')


def test_requeue_routes_anew(posta):
    ids = fill(posta, 2)
    posta.set(transport_maps='inline:{{waits.test=discard:gone}}')
    posta.reload()
    posta.command('postsuper', '-r', 'ALL')
    for queue_id in ids:
        posta.wait_log(f'{queue_id}: to=<.*, relay=none, .*status=sent '
                       r'\(gone\)')
    posta.wait_empty()


@pytest.mark.parametrize('args', [('-f',), ('-i', 0), ('-s', 'waits.test')])
def test_flush(posta, args):
    ids = fill(posta, 1)
    before = len(re.findall('status=deferred', posta.log_text()))
    posta.command('postqueue', *[ids[a] if a == 0 else a for a in args])
    posta.wait_log('status=deferred', before + 1)


def test_wrong_use(posta):
    def status(*args):
        return posta.command(*args, check=False).returncode
    assert status('postqueue') == 69
    assert status('postqueue', '-z') == 69
    assert status('postsuper', '-d') == 1
    assert status('postsuper', '-d', 'ALL', 'nonsense') == 1
    assert status('postcat', '-q', 'NOSUCH') == 1
    assert status('postcat', '-z') == 1
    assert status('posta', 'nonsense') == 64


def test_while_down(posta):
    fill(posta, 1)
    posta.stop()
    done = posta.command('postqueue', '-p')
    assert done.stdout.endswith('in 1 Request.\n')
    assert 'Mail system is down -- accessing queue directly' in done.stderr
    for args in ('-f',), ('-s', 'waits.test'):
        done = posta.command('postqueue', *args, check=False)
        assert done.returncode == 69
        assert 'Cannot flush mail queue - mail system is down' in done.stderr
    for verb in 'status', 'reload', 'stop', 'abort':
        done = posta.posta(verb, check=False)
        assert done.returncode == 1
        assert done.stderr == 'posta: the mail system is not running\n'


def test_postcat(posta):
    (queue_id,) = fill(posta, 1)
    text = posta.command('postcat', '-q', queue_id).stdout
    frames = re.findall(r'^\*\*\* (.*?) (\S+) \*\*\*$', text, re.M)
    assert [f[0] for f in frames] == ['ENVELOPE RECORDS', 'MESSAGE CONTENTS',
                                      'HEADER EXTRACTED', 'MESSAGE FILE END']
    assert re.search('^sender: s0@example.test$', text, re.M)
    assert re.search('^recipient: r0@waits.test$', text, re.M)
    assert re.search('^original_recipient: r0@waits.test$', text, re.M)
    assert re.search(r'^message_arrival_time: \w{3} \w{3} ', text, re.M)
    assert posta.command('postcat', '-bq', queue_id).stdout.strip() == 'Hello.'
    head = posta.command('postcat', '-hq', queue_id).stdout
    assert 'Subject: test\n' in head and 'Hello.' not in head
    assert 'Subject' not in posta.command('postcat', '-eq', queue_id).stdout


def test_verp(posta):
    """One sender for each recipient, for clients that may ask for it."""
    with posta.smtp() as s:
        s.ehlo('client.test')
        assert s.has_extn('xverp')
        code, text = s.docmd('MAIL FROM:<list@example.test> XVERP=-=')
        assert code == 250, text
        for rcpt in 'alice@example.test', 'bob@example.test':
            assert s.rcpt(rcpt)[0] == 250
        assert s.data(b'Subject: list\r\n\r\nAll.\r\n')[0] == 250
    for user in 'alice', 'bob':
        (message,) = posta.wait_maildir(user, 1)
        assert message.startswith(
            f'Return-Path: <list-{user}=example.test@example.test>\n'.encode())


def test_check_names_what_start_would(posta):
    posta.stop()
    posta.set(mail_owner='no-such-user')
    done = posta.posta('check', check=False)
    if os.geteuid() == 0:
        assert done.returncode == 1
        assert 'mail_owner = no-such-user: no such user' \
            in done.stderr


def test_all_means_all_at_once_after_a_start(posta):
    """The queue is read in slices; who asks meanwhile waits for the last."""
    with posta.smtp() as s:
        s.ehlo('client.test')
        for i in range(1600):
            s.sendmail('a@example.test', [f'r{i}@waits.test'], b'\r\n')
    wait_until(lambda: posta.status()['queue']['deferred'] == 1600, 'deferred')
    posta.stop()
    posta.posta('start')
    assert said(posta, '-d', 'ALL')[-1] == 'postsuper: Deleted: 1600 messages'
    assert posta.queue() == []
