"""Quotas: limits asked at RCPT, by LMTP and at delivery; maildirsize, kept by
all who change mail."""
import imaplib
import os
import pathlib
import poplib
import random
import re
import smtplib
import ssl
import subprocess
import threading
import time

import pytest

from harness import Dovecot, Posta, wait_until
from harness.accounts import Accounts
from harness.maildir import files
from harness.raw_imap import RawImap, in_spite_of_a_kill
from harness.raw_smtp import RawSmtp

ROOT = pathlib.Path(__file__).resolve().parents[2]
TOOL = pathlib.Path(os.environ.get('POSTA_BUILD', ROOT / 'build/release')) / \
    't/tools/store_tool'
FULL = '552 5.2.2 <anna@example.test>: Recipient address rejected: ' \
       'Mailbox is full'


def limited(rule, users=('anna', 'ben'), **kw):
    """An instance where all may have so much."""
    return Posta(users={u: 'secret' for u in users},
                 settings={'quota_rule': rule, **kw.pop('settings', {})}, **kw)


def set_field(posta, user, field):
    path = posta.dir / 'users'
    path.write_text(re.sub(f'(?m)^({user}@.*)$', rf'\1 {field}',
                           path.read_text()))


def text(size):
    return 'Subject: test\n\n' + 'x' * 70 + '\n' + ('y' * 79 + '\n') * (
        (size - 87) // 80)


def box(posta, user):
    return posta.dir / 'mail' / posta.domain / user / 'Maildir'


def noted(maildir):
    """What maildirsize says: bytes, messages."""
    lines = (maildir / 'maildirsize').read_text().split('\n')[1:-1]
    pairs = [[int(n) for n in line.split()] for line in lines]
    return sum(p[0] for p in pairs), sum(p[1] for p in pairs)


def there(maildir):
    """What there is; files are renamed while we look."""
    while True:
        found = [path for folder in (maildir, *maildir.glob('.[!.]*/'))
                 for path in files(folder).values()]
        try:
            return sum(f.stat().st_size for f in found), len(found)
        except FileNotFoundError:
            pass


def rcpt(posta, to, size=None, **kw):
    with RawSmtp(posta.port, **kw) as c:
        c.talk('EHLO client.test',
               'MAIL FROM:<a@client.test>' + (f' SIZE={size}' if size else ''))
        return c.say(f'RCPT TO:<{to}>')


def test_refused_at_rcpt():
    with limited('*:bytes=20000') as posta:
        posta.send('a@client.test', 'anna@example.test', text(8000))
        posta.wait_maildir('anna', 1)
        assert rcpt(posta, 'anna@example.test', 9000).startswith('250')
        assert noted(box(posta, 'anna')) == there(box(posta, 'anna'))
        assert rcpt(posta, 'anna@example.test', 19000) == FULL
        posta.wait_log(r'NOQUEUE: reject: RCPT from \S+: 552 5\.2\.2 '
                       r'<anna@example\.test>: Recipient address rejected: '
                       r'Mailbox is full; from=<a@client\.test> '
                       r'to=<anna@example\.test> proto=ESMTP')
        assert rcpt(posta, 'ben@example.test', 19000).startswith('250')
        assert rcpt(posta, 'anna+x@example.test', 19000).startswith('552 5.2.2')
        # One recipient of several goes on.
        with RawSmtp(posta.port) as c:
            assert [a[:3] for a in c.talk(
                'EHLO client.test', 'MAIL FROM:<a@client.test> SIZE=15000',
                'RCPT TO:<anna@example.test>', 'RCPT TO:<ben@example.test>',
                'DATA')] == ['250', '250', '552', '250', '354']
            c.send(text(15000).replace('\n', '\r\n') + '.\r\n')
            assert c.reply()[0].startswith('250')
        posta.wait_maildir('ben', 1)
        # Two messages that came at once.
        posta.send('a@client.test', 'anna@example.test', text(14000))
        m = posta.wait_log(r'to=<anna@example\.test>.* dsn=5\.2\.2, '
                           r'status=bounced \((.*)\)$')
        assert m[0][1] == 'Quota exceeded (mailbox for user is full)'
        assert len(posta.maildir('anna')) == 1
        # Room again.
        pop = poplib.POP3_SSL('127.0.0.1', posta.base + 995,
                              context=ssl._create_unverified_context())
        pop.user('anna@example.test')
        pop.pass_('secret')
        pop.dele(1)
        pop.quit()
        wait_until(lambda: noted(box(posta, 'anna')) == (0, 0), 'less')
        assert rcpt(posta, 'anna@example.test', 19000).startswith('250')


def test_users_own_rule_and_messages():
    with limited('*:storage=0', start=False) as posta:
        set_field(posta, 'anna', 'userdb_quota_rule=*:messages=2 '
                  'userdb_quota_rule2=*:bytes=5000')
        posta.start()
        for n in 1, 2:
            posta.send('a@client.test', 'anna@example.test')
            posta.wait_maildir('anna', n)
        assert rcpt(posta, 'anna@example.test') == FULL
        assert rcpt(posta, 'ben@example.test', 5000000).startswith('250')
        posta.send('a@client.test', 'ben@example.test', text(9000))
        posta.wait_maildir('ben', 1)
        # Of a virtual alias it counts where it leads to.
        posta.write('virtual', 'info@example.test anna@example.test\n'
                    'all@example.test anna@example.test ben@example.test\n')
        wait_until(lambda: rcpt(posta, 'info@example.test') ==
                   FULL.replace('anna', 'info'), 'the alias')
        assert rcpt(posta, 'all@example.test').startswith('250')


def test_folders_in_folders():
    """LAYOUT=fs: what is delivered into a folder counts for the whole."""
    with limited('*:messages=3', users=['anna'], start=False) as posta:
        posta.set(mail_location=f'maildir:{posta.dir}/mail/%d/%n/Maildir'
                                ':LAYOUT=fs')
        path = posta.dir / 'mailboxes'
        path.write_text(path.read_text() + 'anna+list@example.test '
                        'example.test/anna/Maildir/Lists/linux/\n')
        posta.start()
        for n, to in enumerate(['anna', 'anna+list', 'anna+list'], 1):
            posta.send('a@client.test', f'{to}@example.test')
            wait_until(lambda: len([*box(posta, 'anna').rglob('new/*')]) == n,
                       'the message')
        assert noted(box(posta, 'anna'))[1] == 3
        assert not (box(posta, 'anna') / 'Lists/linux/maildirsize').exists()
        for to in 'anna', 'anna+list':
            assert rcpt(posta, f'{to}@example.test') == FULL.replace('anna', to)


def test_a_field_is_enough():
    """Where main.cf does not say quota_rule: from the next reload on."""
    with Posta(users={'anna': 'secret', 'ben': 'secret'}) as posta:
        assert posta.command('postconf', '-h', 'quota_rule').stdout == '\n'
        assert rcpt(posta, 'anna@example.test', 9000).startswith('250')
        set_field(posta, 'anna', 'userdb_quota_rule=*:bytes=5000')
        posta.reload()
        assert posta.command('postconf', '-h',
                             'quota_rule').stdout == '*:storage=0\n'
        wait_until(lambda: rcpt(posta, 'anna@example.test', 9000) == FULL,
                   'the limit')
        assert rcpt(posta, 'ben@example.test', 9000).startswith('250')
        out = posta.posta('check')
        assert 'quota' not in out.stdout + out.stderr


def test_tried_again():
    with limited('*:bytes=3000', settings={'quota_full_tempfail': 'yes',
                                           'minimal_backoff_time': '300s'}
                 ) as posta:
        posta.send('a@client.test', 'anna@example.test', text(4000))
        posta.wait_log(r'to=<anna@example\.test>.* dsn=4\.2\.2, '
                       r'status=deferred \(Quota exceeded')
        assert rcpt(posta, 'anna@example.test', 4000).startswith('452 4.2.2 ')
        posta.set(quota_rule='')
        posta.reload()
        wait_until(lambda: rcpt(posta, 'anna@example.test', 4000)[:3] == '250',
                   'no limits')
        posta.command('postqueue', '-f')
        posta.wait_maildir('anna', 1)
        posta.wait_empty()


def test_lmtp():
    with limited('*:bytes=20000', services='lmtp-in unix n - n - - lmtpd\n'
                 ) as posta:
        posta.send('a@client.test', 'anna@example.test', text(10000))
        posta.wait_maildir('anna', 1)
        path = posta.dir / 'queue/public/lmtp-in'
        with RawSmtp(0, path=path) as c:
            assert [a[:9] for a in c.talk(
                'LHLO client.test', 'MAIL FROM:<a@client.test> SIZE=15000',
                'RCPT TO:<anna@example.test>', 'RCPT TO:<ben@example.test>',
                'RSET')][2:4] == ['552 5.2.2', '250 2.1.5']
            # What it really is shows only behind DATA.
            for to, codes in ((('anna', 'ben'), ['552 5.2.2', '250 2.0.0']),
                              (('anna',), ['552 5.2.2'])):
                c.talk('MAIL FROM:<a@client.test>',
                       *(f'RCPT TO:<{t}@example.test>' for t in to), 'DATA')
                c.send(text(15000).replace('\n', '\r\n') + '.\r\n')
                assert [c.reply()[0][:9] for _ in to] == codes
        posta.wait_maildir('ben', 1)
        posta.wait_empty()
        assert len(posta.maildir('anna')) == 1


def test_nobody_answers():
    """Mail comes in all the same, and local finds out."""
    with limited('*:bytes=3000', start=False) as posta:
        with open(posta.dir / 'master.cf', 'a') as f:
            f.write('quota unix - - n - 1 discard\n')
        posta.start()
        assert rcpt(posta, 'anna@example.test', 4000).startswith('250')
        posta.wait_log('the service quota does not answer')


def test_check_names_rules():
    with limited('*:storage=lots', start=False) as posta:
        done = posta.posta('check', check=False)
        assert 'quota_rule' in done.stdout + done.stderr, done
        posta.set(quota_rule='')
        set_field(posta, 'anna', 'userdb_quota_rule=*:storage=1G')
        done = posta.posta('check', check=False)
        assert 'main.cf says quota_rule =' in done.stdout + done.stderr, done
        posta.set(quota_rule='*:storage=0')
        done = posta.posta('check')
        assert 'quota' not in done.stdout + done.stderr, done
        set_field(posta, 'ben', 'userdb_quota_rule3=Trash:storage=1G')
        done = posta.posta('check', check=False)
        out = done.stdout + done.stderr
        assert 'Trash:storage=1G' in out and 'ben@' not in out, out


if os.getuid() == 0:
    def test_accounts_and_aliases():
        with Accounts(aliases='boss anna\nteam anna, ben\n', settings={
                'quota_rule': '*:bytes=5000'}) as posta:
            posta.send('a@client.test', 'anna@example.test', text(4500))
            posta.wait_maildir('anna', 1)
            posta.wait_empty()
            maildir = posta.home / 'anna/Maildir'
            assert rcpt(posta, 'anna@example.test', 4000) == FULL
            assert noted(maildir) == there(maildir)
            st = (maildir / 'maildirsize').stat()
            assert st.st_uid == 61000 and st.st_mode & 0o777 == 0o600
            assert rcpt(posta, 'boss@example.test', 4000) == \
                FULL.replace('anna', 'boss')
            assert rcpt(posta, 'team@example.test', 4000)[:3] == '250'
            assert rcpt(posta, 'ben@example.test', 4000)[:3] == '250'
            assert rcpt(posta, 'postmaster', 4000)[:3] == '250'
            # A file there that is none stops nobody.
            (maildir / 'maildirsize').unlink()
            os.mkfifo(maildir / 'maildirsize')
            os.chown(maildir / 'maildirsize', 61000, 61000)
            assert rcpt(posta, 'anna@example.test', 4000) == FULL


# ---- warnings

LINES = 'storage=95%, storage=80%%, -storage=60%, messages=12'


def put(imap, folder, size):
    """APPEND of a message of exactly so many bytes."""
    head = b'Subject: test\r\n\r\n'
    untagged, done = imap.literals(
        f'APPEND {folder} ', head + b'x' * (size - len(head)))
    assert done.startswith(b'OK'), (untagged, done)


def inbox(posta):
    """The texts of all messages, in the order that they came in."""
    return [text.decode() for text in posta.maildir('anna')]


def warnings(posta):
    """The messages about the quota: their subjects."""
    return re.findall(r'(?m)^Subject: (Your mailbox is .*)$',
                      '\n'.join(inbox(posta)))


def percents(posta):
    return [int(re.search(r'(\d+)%', s)[1]) for s in warnings(posta)]


def test_warnings():
    """Each way that mail comes and goes; whoever changes it, says it."""
    with limited('*:bytes=100000', settings={'quota_warning': LINES}) as posta:
        maildir = box(posta, 'anna')
        # By mail that comes in.
        posta.send('a@client.test', 'anna@example.test', text(70000))
        posta.wait_maildir('anna', 1)
        posta.send('a@client.test', 'anna@example.test', text(12000))
        posta.wait_maildir('anna', 3)
        posta.wait_log(r'quota warning: user=<anna@example\.test>, '
                       r'used=8\d+, limit=100000$')
        assert noted(maildir) == there(maildir)
        percent, = percents(posta)
        assert 80 < percent < 85
        said, = [m for m in inbox(posta) if 'Your mailbox' in m]
        head, body = said.split('\n\n', 1)
        assert re.fullmatch(
            r'Return-Path: <>\nDate: .*\n'
            r'From: Mail Delivery System <MAILER-DAEMON@\S+>\n'
            r'To: anna@example\.test\nSubject: Your mailbox is \d+% full\n'
            r'Message-ID: <\S+@\S+>\nAuto-Submitted: auto-generated\n'
            r'MIME-Version: 1\.0\n'
            r'Content-Type: text/plain; charset=us-ascii\n'
            r'Content-Transfer-Encoding: 7bit', head), head
        assert re.search('You have 8[0-9] KB, and there is room for 98 KB', body)
        with RawImap(posta.base + 993, 'anna@example.test') as c:
            c.ok('SELECT INBOX')
            # By APPEND; who has the mailbox open hears of it.
            put(c, 'INBOX', 96000 - there(maildir)[0])
            assert percents(posta) == [percent, 96]
            wait_until(lambda: len(c.ok('SEARCH ALL')[-1].split()) == 7,
                       'all in the session')
            # Down, ...
            c.ok('STORE 1 +FLAGS.SILENT (\\Deleted)')
            c.ok('EXPUNGE')
            assert len(percents(posta)) == 3 and percents(posta)[2] < 60
            # ... up again by COPY, and across a number of messages.
            c.ok('CREATE Other')
            put(c, 'Other', 30000)
            c.ok('SELECT Other')
            assert len(percents(posta)) == 3
            c.ok('COPY 1 Other')
            assert len(percents(posta)) == 4
            while there(maildir)[1] < 11:
                put(c, 'Other', 50)
            assert len(percents(posta)) == 4
            put(c, 'Other', 50)
            assert len(percents(posta)) == 5
            assert 'for 12 messages' in inbox(posta)[-1]
        assert noted(maildir) == there(maildir)


def test_warnings_of_pop3_and_own_words(tmp_path):
    words = tmp_path / 'words'
    words.write_text('quota_below_template = <<END\nCharset: utf-8\n'
                     'From: Post <post@example.test>\n'
                     'Subject: Your mailbox is usable, $user\n\n'
                     'Grüße: $used/$limit $$\nEND\n')
    with limited('*:messages=4', settings={
            'quota_warning': '-messages=100%',
            'quota_warning_template_file': words}) as posta:
        for n in range(4):
            posta.send('a@client.test', 'anna@example.test')
            posta.wait_maildir('anna', n + 1)
        assert rcpt(posta, 'anna@example.test') == FULL
        pop = poplib.POP3_SSL('127.0.0.1', posta.base + 995,
                              context=ssl._create_unverified_context())
        pop.user('anna@example.test')
        pop.pass_('secret')
        pop.dele(1)
        pop.dele(2)
        pop.quit()
        wait_until(lambda: warnings(posta) ==
                   ['Your mailbox is usable, anna@example.test'], 'a message')
        said, = [m for m in inbox(posta) if 'usable' in m]
        assert 'From: Post <post@example.test>\n' in said
        assert 'charset=utf-8\nContent-Transfer-Encoding: 8bit\n' in said
        assert said.endswith('\n\nGrüße: 2 messages/4 messages $\n'), said


def test_warned_once():
    """Several processes at once."""
    with limited('*:messages=100',
                 settings={'quota_warning': 'messages=95%, messages=50%'}
                 ) as posta:
        posta.send('a@client.test', 'anna@example.test')
        posta.wait_maildir('anna', 1)

        def deliver():
            for _ in range(10):
                posta.send('a@client.test', 'anna@example.test')

        def append():
            with RawImap(posta.base + 993, 'anna@example.test') as c:
                for _ in range(10):
                    put(c, 'INBOX', 50)

        threads = [threading.Thread(target=f)
                   for f in (deliver, append) * 4]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
        wait_until(lambda: there(box(posta, 'anna'))[1] == 82, 'all of them')
        assert percents(posta) == [50]


def test_warnings_checked():
    with limited('*:bytes=100000', start=False) as posta:
        posta.set(quota_warning='storage=95%% quota-warning 95 %u')
        done = posta.posta('check', check=False)
        assert done.returncode != 0
        assert 'no command is run' in done.stdout + done.stderr, done
        posta.set(quota_warning='storage=95%', quota_rule='')
        done = posta.posta('check', check=False)
        assert 'nobody is warned' in done.stdout + done.stderr, done


# ---- many at once

class Storm:
    """Deliveries, IMAP sessions that append, copy and expunge, for a while,
    and until it was enough."""

    def __init__(self, posta, seconds, enough=lambda: True):
        self.posta, self.end = posta, time.monotonic() + seconds
        self.enough, self.over = enough, threading.Event()
        self.errors = []
        self.threads = [threading.Thread(target=self.run, args=(f,))
                        for f in (self.deliver, self.deliver, self.change,
                                  self.change)]

    def run(self, work):
        while not self.over.is_set():
            try:
                work()
            except (OSError, EOFError, smtplib.SMTPException) as e:
                self.errors.append(e)
            except Exception as e:  # of a connection that was cut off
                self.errors.append(e)
                time.sleep(0.05)

    def deliver(self):
        self.posta.send('a@client.test', 'anna@example.test',
                        text(random.randrange(100, 3000)))

    def change(self):
        with RawImap(self.posta.base + 993, 'anna@example.test') as c:
            c.say('CREATE other')
            c.ok('SELECT INBOX')
            for _ in range(10):
                message = text(random.randrange(100, 3000)).replace('\n',
                                                                    '\r\n')
                c.ok(f'APPEND other {{{len(message)}+}}\r\n{message}')
                c.ok('NOOP')
                c.say(f'COPY {random.randrange(1, 9)} other')
                c.say(f'MOVE {random.randrange(1, 9)} other')
                c.say(f'STORE {random.randrange(1, 9)} +FLAGS (\\Deleted)')
                c.say('EXPUNGE')

    def go(self, meanwhile=lambda: time.sleep(0.3)):
        for t in self.threads:
            t.start()
        while time.monotonic() < self.end or not self.enough():
            meanwhile()
        self.over.set()
        for t in self.threads:
            t.join()


def settle(posta):
    posta.wait_empty()
    with in_spite_of_a_kill(lambda: RawImap(posta.base + 993,
                                            'anna@example.test')) as c:
        c.ok('SELECT INBOX')


def test_races():
    with limited('*:bytes=500M') as posta:
        posta.send('a@client.test', 'anna@example.test')
        posta.wait_maildir('anna', 1)
        maildir = box(posta, 'anna')
        storm = Storm(posta, 6, lambda: there(maildir)[1] > 100)
        storm.go()
        settle(posta)
        wait_until(lambda: noted(maildir) == there(maildir), lambda:
                   f'{noted(maildir)} == {there(maildir)}: {storm.errors[:3]}')


def test_kills():
    """Whoever is killed leaves a count that is a little too high, and that is
    put right once it says that there is too much."""
    with limited('*:bytes=500M', may_die=True) as posta:
        posta.send('a@client.test', 'anna@example.test')
        posta.wait_maildir('anna', 1)
        kills = 0

        def kill():
            nonlocal kills
            time.sleep(0.3)
            victims = posta.pids('virtual') + posta.pids('local') + \
                posta.pids('imapd')
            if victims:
                posta.kill(random.choice(victims))
                kills += 1

        Storm(posta, 6).go(kill)
        settle(posta)
        maildir = box(posta, 'anna')
        have, says = there(maildir), noted(maildir)
        assert have[1] <= says[1] <= have[1] + 4 * kills, (have, says, kills)
        posta.set(quota_rule=f'*:messages={have[1]}')
        posta.reload()
        # Other limits are counted anew.
        wait_until(lambda: rcpt(posta, 'anna@example.test') == FULL, 'full')
        assert noted(maildir) == there(maildir)
        assert (maildir / 'maildirsize').read_text().startswith(
            f'{have[1]}C\n')


# ---- Dovecot

MORE = '''
mail_plugins = quota
protocol imap {
  mail_plugins = quota imap_quota
}
plugin {
  quota = maildir:User quota
  quota_rule = *:storage=100K
}
'''


def test_dovecot_counts_with_us():
    with Dovecot(more=MORE) as peer:
        path = peer.top / 'mail/anna'
        ids = {} if os.getuid() else {'user': peer.user.pw_uid,
                                      'group': peer.user.pw_gid,
                                      'extra_groups': []}

        def store(*commands):
            done = subprocess.run([TOOL, path], input='\n'.join(commands),
                                  capture_output=True, text=True, cwd='/',
                                  timeout=60, **ids)
            assert done.returncode == 0, done
            assert all(line.startswith('ok')
                       for line in done.stdout.split('\n')[:-1]), done

        def dovecot(*commands):
            with imaplib.IMAP4('127.0.0.1', peer.imap) as imap:
                imap.login('anna', 'secret')
                for c in commands:
                    c(imap)
                kind, data = imap.getquota('"User quota"')
                assert kind == 'OK'
                return int(re.search(rb'STORAGE (\d+) 100', data[0])[1])

        mail = text(20000).replace('\n', '\r\n').encode()
        assert dovecot(lambda i: i.append('INBOX', None, None, mail)) == 20
        inode = (path / 'maildirsize').stat().st_ino
        store('open INBOX', 'append 0 one two three', 'append 0 four')
        assert dovecot() == -(-there(path)[0] // 1024)
        store('open INBOX', 'expunge 2')
        assert dovecot(lambda i: i.append('INBOX', None, None, mail)) == \
            -(-there(path)[0] // 1024)
        assert noted(path) == there(path)
        # It was never counted anew.
        assert (path / 'maildirsize').stat().st_ino == inode
        assert (path / 'maildirsize').read_text().startswith('102400S')
