"""The queue and the tools for it: mailq, postqueue, postsuper, postcat."""
import json
import os
import re
import subprocess
import time

from harness import Posta, free_port, wait_until
from harness.fake_smtp import FakeSmtp

MAP = 'inline:{{ {{down.test = smtp:[127.0.0.1]:{port}}} ' \
      '{{other.test = smtp:[127.0.0.1]:{port}}} }}'
REFUSED = r'connect to 127\.0\.0\.1\[127\.0\.0\.1\]:\d+: Connection refused'


def settings(**more):
    return {'transport_maps': MAP.format(port=free_port()), **more}


def wait_deferred(posta, count):
    return wait_until(
        lambda: len(q := [m for m in posta.queue()
                          if m['queue_name'] == 'deferred']) >= count and q,
        lambda: f'{count} deferred messages: {posta.queue()}')


def defer(posta, rcpts='x@down.test', sender='alice@example.test'):
    """A message that cannot be delivered now; its queue id."""
    text = posta.send(sender, rcpts)
    queue_id = re.search(r'queued as (\w+)', text).group(1)
    wait_until(lambda: any(m['queue_id'] == queue_id and
                           m['queue_name'] == 'deferred'
                           for m in posta.queue()),
               f'{queue_id} to be deferred')
    return queue_id


def states(posta):
    return {m['queue_id']: m['queue_name'] for m in posta.queue()}


def test_empty_queue():
    with Posta() as posta:
        assert posta.command('mailq').stdout == 'Mail queue is empty\n'
        assert posta.command('postqueue', '-p').stdout == \
            'Mail queue is empty\n'
        assert posta.command('postqueue', '-j').stdout == ''
        done = posta.command('postsuper', '-d', 'ALL')
        assert done.stderr == 'postsuper: Deleted: 0 messages\n'


def test_mailq_text():
    with Posta(settings=settings()) as posta:
        one = defer(posta, ['x@down.test', 'y@down.test'])
        text = posta.command('mailq').stdout
        lines = text.splitlines()
        assert lines[0] == ('-Queue ID-  --Size-- ----Arrival Time---- '
                            '-Sender/Recipient-------')
        assert re.fullmatch(
            one + r'  +\d+ \w{3} \w{3} [ \d]\d \d\d:\d\d:\d\d  '
            r'alice@example\.test', lines[1])
        assert len(lines[1].split(' alice')[0]) == 41 - 1
        assert re.fullmatch(r' *\(' + REFUSED + r'\)', lines[2])
        assert len(lines[2]) == 78
        assert lines[3] == ' ' * 41 + 'x@down.test'
        assert lines[4] == ' ' * 41 + 'y@down.test'
        assert lines[5] == ''
        assert re.fullmatch(r'-- \d+ Kbytes in 1 Request\.', lines[6])

        two = defer(posta, 'z@other.test', sender='')
        posta.command('postsuper', '-h', two)
        text = posta.command('mailq').stdout
        assert re.search(rf'^{two}! .* MAILER-DAEMON$', text, re.M)
        assert text.endswith('in 2 Requests.\n')


def test_long_ids():
    with Posta(settings=settings(enable_long_queue_ids='yes')) as posta:
        one = defer(posta)
        assert re.fullmatch(r'[0-9B-DF-HJ-NP-TV-Zb-df-hj-np-tv-z]{12,}', one)
        lines = posta.command('mailq').stdout.splitlines()
        assert lines[0] == ('----Queue ID----- --Size-- ---Arrival Time---- '
                            '--Sender/Recipient------')
        assert lines[1].startswith(one.ljust(17) + ' ')
        posta.command('postsuper', '-d', one)
        assert posta.queue() == []


def test_json():
    with Posta(settings=settings()) as posta:
        before = int(time.time())
        one = defer(posta, ['x@down.test', '"j doe"@down.test'])
        line = posta.command('postqueue', '-j').stdout
        assert line.count('\n') == 1
        m = json.loads(line)
        assert list(m) == ['queue_name', 'queue_id', 'arrival_time',
                           'message_size', 'forced_expire', 'sender',
                           'recipients']
        assert m['queue_name'] == 'deferred' and m['queue_id'] == one
        assert before - 2 <= m['arrival_time'] <= time.time() + 2
        assert m['message_size'] > 20 and m['forced_expire'] is False
        assert m['sender'] == 'alice@example.test'
        assert [r['address'] for r in m['recipients']] == \
            ['x@down.test', '"j doe"@down.test']
        assert re.fullmatch(REFUSED, m['recipients'][0]['delay_reason'])


def test_postsuper_by_id():
    with Posta(settings=settings()) as posta:
        ids = [defer(posta) for _ in range(3)]
        done = posta.command('postsuper', '-h', ids[0], '-h', ids[1])
        assert done.stderr == (
            f'postsuper: {ids[0]}: placed on hold\n'
            f'postsuper: {ids[1]}: placed on hold\n'
            'postsuper: Placed on hold: 2 messages\n')
        assert states(posta) == {ids[0]: 'hold', ids[1]: 'hold',
                                 ids[2]: 'deferred'}
        done = posta.command('postsuper', '-H', ids[0])
        assert done.stderr == (
            f'postsuper: {ids[0]}: released from hold\n'
            'postsuper: Released from hold: 1 message\n')
        done = posta.command('postsuper', '-d', '-',
                             input=f'{ids[1]}!\n{ids[2]} 5 x\n0000000000\n')
        assert done.stderr == (
            f'postsuper: {ids[1]}: removed\n'
            f'postsuper: {ids[2]}: removed\n'
            'postsuper: Deleted: 2 messages\n')
        assert set(states(posta)) == {ids[0]}
        posta.wait_log(rf'qmgr\[\d+\]: {ids[1]}: removed')
        done = posta.command('postsuper', '-d', '!!', check=False)
        assert done.returncode == 0
        assert 'invalid mail queue id: !!' in done.stderr


def test_postsuper_all_and_folders():
    with Posta(settings=settings()) as posta:
        ids = [defer(posta) for _ in range(4)]
        posta.command('postsuper', '-h', ids[0])
        done = posta.command('postsuper', '-d', 'ALL', 'hold')
        assert 'Deleted: 1 message\n' in done.stderr
        assert ids[0] not in states(posta)
        done = posta.command('postsuper', '-d', 'all')
        assert done.stderr == 'postsuper: Deleted: 0 messages\n'
        done = posta.command('postsuper', '-h', 'ALL')
        assert done.stderr.endswith('Placed on hold: 3 messages\n')
        assert set(states(posta).values()) == {'hold'}
        done = posta.command('postsuper', '-H', 'ALL', 'deferred')
        assert done.stderr == 'postsuper: Released from hold: 0 messages\n'
        done = posta.command('postsuper', '-d', 'ALL', 'maildrop')
        assert done.stderr == 'postsuper: Deleted: 0 messages\n'
        done = posta.command('postsuper', '-d', 'ALL', 'nowhere', check=False)
        assert done.returncode == 1
        assert done.stderr == ('postsuper: fatal: invalid directory name: '
                               'nowhere\n')
        posta.command('postsuper', '-d', 'ALL')
        assert posta.queue() == []


def test_held_mail_stays():
    """Hold survives a restart and a flush; released mail is delivered."""
    with Posta(settings=settings()) as posta:
        one = defer(posta)
        posta.command('postsuper', '-h', one)
        posta.command('postqueue', '-f')
        posta.stop()
        posta.start()
        wait_until(lambda: states(posta) == {one: 'hold'},
                   lambda: f'it to be held: {states(posta)}')
        posta.set(transport_maps='inline:{ {down.test = local:} }')
        posta.set(mydestination='down.test', local_recipient_maps='',
                  luser_relay='bob@example.test')
        posta.reload()
        posta.command('postsuper', '-r', one)
        posta.wait_maildir('bob', 1)
        posta.wait_empty()


def test_expire():
    with Posta(settings=settings()) as posta:
        one = defer(posta)
        done = posta.command('postsuper', '-e', one)
        assert done.stderr == (f'postsuper: {one}: expired\n'
                               'postsuper: Force-expired: 1 message\n')
        assert posta.queue()[0]['forced_expire'] is True
        assert re.search(rf'^{one}# ', posta.command('mailq').stdout, re.M)
        posta.command('postqueue', '-f')
        text = posta.wait_maildir('alice', 1)[0].decode()
        assert 'Connection refused' in text and 'multipart/report' in text
        posta.wait_log(rf'{one}: from=<alice@example\.test>, '
                       r'status=force-expired, returned to sender')
        posta.wait_empty()

        two = defer(posta)
        posta.command('postsuper', '-h', two)
        done = posta.command('postsuper', '-f', two)
        assert 'Force-expired: 1 message\n' in done.stderr
        assert 'Released from hold: 1 message\n' in done.stderr
        posta.wait_maildir('alice', 2)
        posta.wait_empty()


def attempts(posta, queue_id):
    return len(re.findall(rf'{queue_id}: to=<', posta.log_text()))


def test_flush():
    with Posta(settings=settings()) as posta:
        one, two = defer(posta), defer(posta, 'x@other.test')
        assert posta.command('postqueue', '-i', one).stdout == ''
        wait_until(lambda: attempts(posta, one) == 2, 'a second attempt')
        assert attempts(posta, two) == 1
        wait_deferred(posta, 2)
        posta.command('postqueue', '-s', 'other.test')
        wait_until(lambda: attempts(posta, two) == 2, 'a second attempt')
        assert attempts(posta, one) == 2
        wait_deferred(posta, 2)
        posta.command('postqueue', '-f')
        wait_until(lambda: attempts(posta, two) == 3, 'a third attempt')
        wait_until(lambda: attempts(posta, one) == 3, 'a third attempt')
        for args in (['-i', '!!'], ['-s', 'a b'], [], ['-f', '-p'], ['-x'],
                     ['-p', 'more']):
            assert posta.command('postqueue', *args,
                                 check=False).returncode == 69


def test_postcat():
    with Posta(settings=settings()) as posta:
        one = defer(posta)
        text = posta.command('postcat', '-q', one).stdout
        frames = re.findall(r'^\*\*\* (.*) (\S+) \*\*\*$', text, re.M)
        assert [f[0] for f in frames] == ['ENVELOPE RECORDS',
                                          'MESSAGE CONTENTS',
                                          'HEADER EXTRACTED',
                                          'MESSAGE FILE END']
        assert re.search(r'^sender: alice@example\.test$', text, re.M)
        assert re.search(r'^original_recipient: x@down\.test$', text, re.M)
        assert re.search(r'^recipient: x@down\.test$', text, re.M)
        assert re.search(r'^message_arrival_time: \w{3} \w{3} ', text, re.M)
        body = posta.command('postcat', '-qb', one).stdout
        assert body == '\nHello.\n\n'
        header = posta.command('postcat', '-qh', one).stdout
        assert header.startswith('Received: from ')
        assert 'Subject: test\n' in header and 'Hello' not in header
        both = posta.command('postcat', '-qbh', one).stdout
        assert both == header + body
        path = posta.dir / 'queue' / frames[0][1]
        assert posta.command('postcat', path).stdout.replace(
            str(path), frames[0][1]) == text
        with open(path, 'rb') as f:
            data = f.read()
        done = subprocess.run([posta.bin / 'postcat', '-b'], input=data,
                              stdout=subprocess.PIPE, check=True)
        assert done.stdout.decode() == body
        done = posta.command('postcat', '-q', '0000000000', check=False)
        assert done.returncode == 1
        assert done.stderr == ('postcat: fatal: open queue file 0000000000: '
                               'No such file or directory\n') or os.getuid()
        done = posta.command('postcat', '/dev/null')
        assert 'input is not a valid queue file' in done.stderr


def test_tools_without_qmgr():
    with Posta(settings=settings()) as posta:
        ids = sorted(defer(posta) for _ in range(4))
        online = posta.queue()
        posta.stop()
        done = posta.command('postqueue', '-j', check=False)
        assert 'Mail system is down -- accessing queue directly' in done.stderr
        offline = [json.loads(line) for line in done.stdout.splitlines()]
        key = lambda m: m['queue_id']  # noqa: E731
        assert sorted(offline, key=key) == sorted(online, key=key)
        assert posta.command('postqueue', '-f', check=False).returncode == 69
        assert 'x@down.test' in posta.command('postcat', '-q', ids[0]).stdout
        done = posta.command('postsuper', '-h', ids[0], '-d', ids[1])
        assert done.stderr == (f'postsuper: {ids[0]}: placed on hold\n'
                               f'postsuper: {ids[1]}: removed\n'
                               'postsuper: Deleted: 1 message\n'
                               'postsuper: Placed on hold: 1 message\n')
        posta.command('postsuper', '-s')
        posta.command('postsuper', '-p')
        posta.start()
        wait_until(lambda: set(states(posta)) == {ids[0], ids[2], ids[3]},
                   lambda: f'three messages: {states(posta)}')
        assert states(posta)[ids[0]] == 'hold'


def test_who_may():
    """Ordinary users may look and flush, unless they are told otherwise."""
    if os.getuid() != 0:
        return  # it takes a second user

    def as_nobody(*args):
        command = ' '.join(str(a) for a in args)
        # The way that set-gid opens; a start or a reload closes it.
        os.chmod(posta.dir / 'queue/public', 0o755)
        os.chmod(posta.dir / 'queue', 0o755)
        return subprocess.run(
            ['su', 'nobody', '-s', '/bin/sh', '-c', command], text=True,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            env=dict(os.environ, MAIL_CONFIG=str(posta.dir)))

    with Posta(settings=settings()) as posta:
        one = defer(posta)
        assert one in as_nobody(posta.bin / 'postqueue', '-p').stdout
        assert as_nobody(posta.bin / 'postqueue', '-f').returncode == 0
        done = as_nobody(posta.bin / 'postsuper', '-d', 'ALL')
        assert done.returncode == 1
        assert done.stderr == ('postsuper: fatal: use of this command is '
                               'reserved for the superuser\n')
        assert as_nobody(posta.bin / 'postcat', '-q', one).returncode == 1
        posta.set(authorized_mailq_users='!nobody, static:all',
                  authorized_flush_users='root')
        posta.reload()
        wait_until(lambda: as_nobody(posta.bin / 'postqueue',
                                     '-p').returncode == 77, 'a refusal')
        done = as_nobody(posta.bin / 'postqueue', '-f')
        assert re.fullmatch(r'postqueue: fatal: User nobody\(\d+\) is not '
                            r'allowed to flush the mail queue\n', done.stderr)
        assert one in states(posta)


def test_lifetime():
    """Retried until it is too old, with a warning in between."""
    with Posta(settings=settings(
            minimal_backoff_time='1s', maximal_backoff_time='1s',
            maximal_queue_lifetime='20s', delay_warning_time='1s')) as posta:
        posta.send('alice@example.test', 'x@down.test')
        warning, failure = (t.decode() for t in posta.wait_maildir('alice', 2))
        assert 'Action: delayed' in warning
        assert 'Action: failed' in failure
        posta.wait_empty()
        text = posta.log_text()
        assert 'status=expired, returned to sender' in text
        assert len(re.findall(r'to=<x@down.test>.*status=deferred', text)) > 1
        assert len(posta.maildir('alice')) == 2


def test_dead_site_is_left_alone():
    with Posta(settings=settings(
            smtp_destination_concurrency_failed_cohort_limit='1',
            smtp_initial_destination_concurrency='1')) as posta:
        defer(posta)
        defer(posta, 'y@down.test')
        posta.wait_log(r'to=<y@down\.test>, relay=none, .*status=deferred '
                       r'\(delivery temporarily suspended: ' + REFUSED + r'\)')


def test_full_disk_is_told_to_clients():
    with Posta(settings={'queue_minfree': '1000000000000000'}) as posta:
        with posta.smtp() as s:
            s.ehlo('client.test')
            s.mail('s@client.test')
            s.rcpt('alice@example.test')
            code, text = s.docmd('DATA')
        assert code == 452 and text.startswith(b'4.3.1 ')
        posta.wait_log(r'warning: .*not enough free space')


def test_files_that_are_not_ours_stay():
    """The queue folders may hold what another mail system left there."""
    with Posta(start=False) as posta:
        posta.start()
        posta.stop()
        other = posta.dir / 'queue/incoming/4F2A31B7C0'
        other.write_bytes(b'not ours')
        broken = posta.dir / 'queue/hold/00000000AB-00000000000000ff'
        broken.write_bytes(b'garbage')
        if os.getuid() == 0:
            stat = (posta.dir / 'queue/incoming').stat()
            for path in (other, broken):
                os.chown(path, stat.st_uid, stat.st_gid)
        posta.start()
        posta.wait_log(r'warning: 1 files in the queue folder incoming are '
                       r'none of ours')
        assert other.read_bytes() == b'not ours'
        posta.command('postsuper', '-r', 'ALL')
        posta.wait_log(r'error: 00000000AB: .*set aside in corrupt')
        assert (posta.dir / 'queue/corrupt' / broken.name).exists()


def test_thousands_at_a_time():
    """What becomes of each is heard, however many one agent has at once."""
    count, at_once = 3000, 'default_destination_recipient_limit'
    with FakeSmtp(DOT='250 2.0.0 ' + 'Ok' * 200) as site, Posta(settings={
            at_once: '5000', at_once.replace('default', 'virtual'): '5000',
            'default_transport': f'smtp:{site.nexthop}'}) as posta:
        for domain, status in (('a.test', 'sent'), ('example.test', 'bounced')):
            posta.command('sendmail', '-t', '-f', '<>', input='Bcc: ' + ',\n '.join(
                f'{n}@{domain}' for n in range(count)) + '\n\nx\n')
            posta.wait_log(rf' to=<\d+@{domain}>.* status={status}', count)
        posta.wait_empty()
        assert len(posta.wait_log(r' to=<\d+@')) == 2 * count


def test_a_list_in_many_portions():
    """All at once through with each of 150."""
    count = 30000
    with Posta(settings={'default_transport': 'discard:',
                         'qmgr_message_recipient_limit': '400'}) as posta:
        posta.command('sendmail', '-t', '-f', '<>', input='Bcc: ' + ',\n '.join(
            f'user{n}@some.where.test' for n in range(count)) + '\n\nx\n')
        posta.wait_log(r' to=<user\d+@.* status=sent', count)
        posta.wait_empty()
        assert len(posta.wait_log(r' to=<user\d+@')) == count
