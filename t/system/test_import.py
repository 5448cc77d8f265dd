"""posta import: from a real Dovecot, from mailbox files, from servers that mean
harm."""
import imaplib
import os
import random
import re
import shutil
import signal
import socket
import subprocess
import ssl
import threading
import time

import pytest

from harness import BIN, Dovecot, Posta, process, wait_until
from harness.raw_imap import RawImap

MORE = '''
namespace inbox {
  inbox = yes
  separator = /
  mailbox Sent {
    special_use = \\Sent
  }
}
'''
FOLDERS = ('INBOX', 'Sent', 'Archive/2024/June', 'Entw&APw-rfe', 'empty')


def message(n, size):
    return (f'From: a{n}@x.test\r\nSubject: message {n}\r\nMessage-ID: '
            f'<{n}@x.test>\r\n\r\n' + f'line {n}\r\n' * size).encode()


def fill(port, user='anna', password='secret', count=250):
    """Messages with all kinds of flags in a server's folders."""
    rnd = random.Random(7)
    with imaplib.IMAP4('127.0.0.1', port) as c:
        c.login(user, password)
        for f in FOLDERS[1:]:
            assert c.create(f'"{f}"')[0] == 'OK'
        c.subscribe('"Archive/2024/June"')
        for n in range(count):
            flags = ' '.join(rnd.sample(['\\Seen', '\\Answered', '\\Flagged',
                                         '\\Draft', '\\Deleted', 'work',
                                         '$Forwarded', 'NonJunk'],
                                        rnd.randrange(4)))
            date = imaplib.Time2Internaldate(1600000000 + n * 86400)
            folder = FOLDERS[rnd.randrange(4)]
            assert c.append(f'"{folder}"', f'({flags})', date,
                            message(n, rnd.randrange(1, 400)))[0] == 'OK'


def listing(c, folders):
    """{folder: sorted messages: flags, date, size, subject}."""
    found = {}
    for f in folders:
        kind, data = c.select(f'"{f}"', readonly=True)
        assert kind == 'OK', (f, data)
        found[f] = []
        if data == [b'0']:
            continue
        kind, data = c.fetch('1:*', '(FLAGS INTERNALDATE RFC822.SIZE '
                             'BODY.PEEK[HEADER.FIELDS (SUBJECT)])')
        for head, text in (d for d in data if isinstance(d, tuple)):
            flags = re.search(rb'FLAGS \(([^)]*)\)', head)[1].split()
            date = time.mktime(imaplib.Internaldate2tuple(head))
            size = int(re.search(rb'SIZE (\d+)', head)[1])
            found[f].append((frozenset(flags) - {b'\\Recent'}, date, size,
                             text.strip()))
        found[f].sort(key=lambda m: (m[3], m[1]))
    return found


def mailboxes(posta, user='anna'):
    c = imaplib.IMAP4_SSL('127.0.0.1', posta.base + 993,
                          ssl_context=ssl._create_unverified_context())
    c.login(f'{user}@{posta.domain}', 'secret')
    return c


def assert_same(dovecot, posta):
    """anna has the same in both."""
    with imaplib.IMAP4('127.0.0.1', dovecot.imap) as there, \
            mailboxes(posta) as here:
        there.login('anna', 'secret')
        want, got = listing(there, FOLDERS), listing(here, FOLDERS)
        assert sum(map(len, want.values())) >= 250
        for f in FOLDERS:
            assert got[f] == want[f], f


class Import:
    def __init__(self, posta, user='anna'):
        self.posta, self.user = posta, user
        self.password = posta.write('password', 'secret\n')

    def args(self, source, *more):
        return [self.posta.bin / 'posta', '-c', self.posta.dir, 'import', '-u',
                f'{self.user}@{self.posta.domain}', source,
                *(['--user', 'anna', '--password-file', self.password]
                  if source.startswith('imap') else []), *more]

    def __call__(self, source, *more, status=0):
        done = subprocess.run([str(a) for a in self.args(source, *more)],
                              capture_output=True, text=True, timeout=120)
        assert done.returncode == status, done
        return done.stdout + done.stderr


@pytest.fixture(scope='module')
def dovecot():
    with Dovecot(more=MORE) as peer:
        fill(peer.imap)
        yield peer


def url(peer):
    return f'imaps://127.0.0.1:{peer.imaps}'


def test_all_of_a_server(dovecot):
    with Posta(users={'anna': 'secret', 'ben': 'secret'}) as posta:
        run = Import(posta)
        out = run(url(dovecot), '--insecure', '--dry-run')
        assert 'Sent: ' in out and ' to copy, 0 copied before' in out, out
        with mailboxes(posta) as c:
            assert b'Sent' not in b''.join(c.list()[1])
            # Sessions that run see what comes.
            c.select('INBOX')
            run(url(dovecot), '--insecure')
            wait_until(lambda: c.noop()[1] and
                       int(c.response('EXISTS')[1][-1] or 0) > 0, 'news')
        assert_same(dovecot, posta)
        with mailboxes(posta) as here:
            subscribed = b''.join(here.lsub()[1])
            assert b'2024/June' in subscribed and b'Sent' not in subscribed
            sent = [x for x in here.list('""', '"*"')[1] if b'Sent' in x]
            assert b'\\Sent' in sent[0], sent
        # Again: nothing is new. Then one message is.
        out = run(url(dovecot), '--insecure')
        assert re.findall(r': (\d+) copied', out) == ['0'] * 5, out
        with imaplib.IMAP4('127.0.0.1', dovecot.imap) as c:
            c.login('anna', 'secret')
            c.append('Sent', '', None, message(1000, 3))
        out = run(url(dovecot), '--insecure', '--folder', 'Sent')
        assert re.findall(r'(\S+): (\d+) copied', out) == [('Sent', '1')], out
        # Another user gets all of it.
        other = Import(posta, 'ben')
        assert sum(map(int, re.findall(r': (\d+) copied', other(
            url(dovecot), '--insecure')))) == 251


def test_killed_and_run_again(dovecot):
    with Posta(users={'anna': 'secret'}) as posta:
        run = Import(posta)
        rnd = random.Random(1)
        for _ in range(25):
            p = subprocess.Popen([str(a) for a in
                                  run.args(url(dovecot), '--insecure')],
                                 stdout=subprocess.DEVNULL,
                                 stderr=subprocess.DEVNULL)
            time.sleep(rnd.uniform(0.02, 0.25))
            p.send_signal(signal.SIGKILL)
            p.wait()
        run(url(dovecot), '--insecure')
        assert_same(dovecot, posta)


def test_two_at_once(dovecot):
    with Posta(users={'anna': 'secret'}) as posta:
        run = Import(posta)
        many = [subprocess.Popen([str(a) for a in
                                  run.args(url(dovecot), '--insecure')],
                                 stdout=subprocess.DEVNULL,
                                 stderr=subprocess.PIPE, text=True)
                for _ in range(4)]
        ends = [(p.communicate()[1], p.returncode) for p in many]
        assert any(code == 0 for _, code in ends), ends
        assert all(code == 0 or (code == 75 and 'is at work' in err)
                   for err, code in ends), ends
        assert_same(dovecot, posta)


def test_certificate_and_login(dovecot):
    with Posta(users={'anna': 'secret'}) as posta:
        run = Import(posta)
        out = run(url(dovecot), status=77)
        assert '--insecure' in out, out
        run.password.write_text('wrong\n')
        out = run(url(dovecot), '--insecure', status=77)
        assert 'the login of anna' in out, out
        run.password.write_text('secret\n')
        out = run(url(dovecot), '--folder', 'nowhere', '--insecure', status=1)
        assert 'no folder nowhere' in out, out
        # STARTTLS.
        out = run(f'imap://127.0.0.1:{dovecot.imap}', '--insecure',
                  '--folder', 'empty')
        assert 'empty: 0 copied' in out
        out = run('imaps://127.0.0.1:1', '--insecure', status=69)
        assert 'cannot connect' in out, out
        assert 'no user' in Import(posta, 'nobody')(
            url(dovecot), '--insecure', status=67)
        assert 'write imaps://HOST' in run('what', status=64)
        assert run('mbox:/nowhere', status=66)


MBOX = '''From anna@x.test Thu Jan  1 12:00:00 2015
From: one@x.test
Status: RO
X-Status: F
Content-Length: 3
Subject: one
X-Keywords: work  other

text
>From here
From nobody said: this is no line of a mailbox

From "odd sender"@x.test  Sat Jan  3 12:00:00 2015
Subject: two

From anna@x.test Thu Jan  1 12:00:00 2015
Subject: two

From anna@x.test Thu Jan  8 12:00:00 2015 +0100
Subject: three
Status: O

no newline at the end'''


def bodies(posta, folder):
    with mailboxes(posta) as c:
        c.select(f'"{folder}"', readonly=True)
        kind, data = c.fetch('1:*', '(FLAGS INTERNALDATE BODY.PEEK[])')
        return [(set(re.search(rb'FLAGS \(([^)]*)\)', d[0])[1].split()) -
                 {b'\\Recent'}, time.mktime(imaplib.Internaldate2tuple(d[0])),
                 d[1]) for d in data if isinstance(d, tuple)]


def test_mailbox_file():
    with Posta(users={'anna': 'secret'}) as posta:
        run = Import(posta)
        box = posta.top / 'box'
        box.write_text(MBOX)
        box.chmod(0o644)
        assert '4 to copy' in run(f'mbox:{box}', '--dry-run')
        assert 'Old/mail: 4 copied' in run(f'mbox:{box}', '--folder',
                                           'Old/mail')
        got = bodies(posta, 'Old/mail')
        first = time.mktime((2015, 1, 1, 12, 0, 0, 0, 0, -1))
        assert got[0] == (
            {b'\\Seen', b'\\Flagged', b'work', b'other'}, first,
            b'From: one@x.test\r\nSubject: one\r\n\r\ntext\r\nFrom here\r\n'
            b'From nobody said: this is no line of a mailbox\r\n')
        assert got[1] == (set(), first + 2 * 86400,
                          b'Subject: two\r\n')
        assert got[3][1] == 1420714800
        assert got[3][2] == b'Subject: three\r\n\r\nno newline at the end'
        assert 'Old/mail: 0 copied, 4 copied before' in run(
            f'mbox:{box}', '--folder', 'Old/mail')
        box.write_text('\nFrom b Thu Jan  1 12:00:00 2015\nSubject: new\n\n'
                       'x\n\n' + MBOX)
        assert '1 copied, 4 copied before' in run(f'mbox:{box}', '--folder',
                                                  'Old/mail')
        box.write_text('Subject: no mailbox\n\nx\n')
        assert 'no mailbox file' in run(f'mbox:{box}', status=66)
        if os.getuid() == 0:
            # The user must be able to read it: root is not asked.
            box.chmod(0o600)
            assert 'cannot read' in run(f'mbox:{box}', status=77)
        posta.stop()
        assert 'is Posta running?' in run(f'mbox:{box}', status=75)


THUNDERBIRD = '''From \r
X-Mozilla-Status: 1003\r
X-Mozilla-Status2: 00000000\r
X-Mozilla-Keys: $label1 work                                              \r
Received: from a.test by b.test\r
 with ESMTP; Thu,\r
 1 Jan 2015 10:00:00 +0000 (UTC)\r
Received: from c.test by a.test; Thu, 1 Jan 2015 09:59:00 +0000\r
Date: Thu, 1 Jan 2015 09:58:00 +0000\r
Subject: one\r
\r
>From here\r
>>From there\r
> From nowhere\r
\r
From \r
X-Mozilla-Status: 0009\r
Subject: removed, but not compacted\r
\r
x\r
\r
From \r
Date: Thu, 1 Jan 2015 11:00:00 +0000\r
Subject: two\r
\r
From \r
Subject: three\r
\r
'''

# c-client's first message, and what programs that append carelessly leave.
PINE = '''From MAILER-DAEMON Thu Jan  1 12:00:00 2015
Subject: DON'T DELETE THIS MESSAGE -- FOLDER INTERNAL DATA
X-IMAP: 1420110000 0000000002 work
Status: RO

This text is part of the internal format of your mail folder.

From a@x.test  Thu Jan  1 12:00:00 2015
X-Keywords: work
 home
\tgarden
Subject: one

Look:
From a@x.test Thu Jan  1 12:00:00 2015 is what a From_ line begins with.
>>From there
From b@x.test Thu Jan  1 12:00:00 2015 remote from vax
Subject: two

From 14984637@xxx Thu Jan  1 12:00:00 +0000 2015
X-GM-THRID: 1
Subject: three

From c@x.test Thu Jan  1 12:00:00 2015
'''


def test_mailbox_files_of_others():
    """Each writes what it means by it."""
    with Posta(users={'anna': 'secret'}) as posta:
        run = Import(posta)

        def copied(name, text, count):
            box = posta.top / name
            box.write_bytes(text.encode())
            os.utime(box, (1420200000, 1420200000))
            for said in f'{count} copied, 0', f'0 copied, {count}':
                assert said in run(f'mbox:{box}', '--folder', name)
            return bodies(posta, name)

        noon = 1420110000
        assert copied('thunderbird', THUNDERBIRD, 3) == [
            ({b'\\Seen', b'\\Answered', b'$Forwarded', b'$label1', b'work'},
             noon - 3600, THUNDERBIRD[THUNDERBIRD.index('Received'):]
             .partition('\r\n\r\nFrom ')[0].replace('>From', 'From')
             .encode() + b'\r\n'),
            (set(), noon, b'Date: Thu, 1 Jan 2015 11:00:00 +0000\r\n'
             b'Subject: two\r\n'),
            (set(), 1420200000, b'Subject: three\r\n')]
        one, two, three, four = copied('pine', PINE, 4)
        assert one[0] == {b'work', b'home', b'garden'}
        assert one[2] == (b'Subject: one\r\n\r\nLook:\r\n'
                          b'From a@x.test Thu Jan  1 '
                          b'12:00:00 2015 is what a From_ line begins with.\r\n'
                          b'>>From there\r\n')
        assert two[2] == b'Subject: two\r\n'
        assert three[1:] == (noon + 3600,
                             b'X-GM-THRID: 1\r\nSubject: three\r\n')
        assert four[2] == b''


def test_a_name_without_its_domain():
    """As with posta user."""
    with Posta(users={'anna': 'secret'}) as posta:
        box = posta.top / 'box'
        box.write_text(MBOX)
        box.chmod(0o644)
        for status, user in (0, 'anna'), (67, 'ben'):
            done = posta.posta('import', '-u', user, f'mbox:{box}',
                               '--dry-run', check=False)
            assert done.returncode == status, done
        assert 'no user ben (' in done.stderr


def test_maildir(dovecot):
    """Dovecot's own, with its keywords and subscriptions."""
    with Posta(users={'anna': 'secret'}) as posta:
        run = Import(posta)
        source = posta.top / 'source'
        shutil.copytree(dovecot.top / 'mail/anna', source)
        for p in [source, *source.rglob('*')]:
            p.chmod(0o755)
        out = run(f'maildir:{source}', '--dry-run')
        assert sum(map(int, re.findall(r'(\d+) to copy', out))) >= 250
        run(f'maildir:{source}')
        out = run(f'maildir:{source}')
        assert set(re.findall(r': (\d+) copied', out)) == {'0'}, out
        assert_same(dovecot, posta)
        with mailboxes(posta) as here:
            assert b'2024/June' in b''.join(here.lsub()[1])
        assert not (source / 'posta-index').exists()
        if os.getuid() == 0:  # what cannot be read is not passed over
            (source / '.Sent').chmod(0)
            out = run(f'maildir:{source}', status=1)
            assert 'cannot read folder .Sent' in out, out
        target = posta.dir / 'mail' / posta.domain / 'anna/Maildir'
        assert 'where it would go' in run(f'maildir:{target}', status=66)


def states(posta):
    """What is noted of each source."""
    mail = posta.dir / 'mail' / posta.domain / 'anna/Maildir'
    return sorted(mail.glob('posta-import-*'))


def test_killed_before_it_was_crossed_off(dovecot):
    """A batch was stored; the run ended before it could say so. What the user
    has removed since, and what comes before it the next time, makes no
    difference."""
    with Posta(users={'anna': 'secret'}) as posta:
        run = Import(posta)
        run(url(dovecot), '--insecure', '--folder', 'Sent')
        (state,) = states(posta)
        text = state.read_text()
        assert text.startswith('posta-import 1 imap 127.0.0.1:'), text
        assert text.endswith('E\nC\n') and 'Sent\nM ' in text, text
        with mailboxes(posta) as c:
            c.select('Sent')
            count = int(c.search(None, 'ALL')[1][0].split()[-1])
            c.store('1:3,7', '+FLAGS', '\\Deleted')
            c.expunge()
        for torn in 'E\n', 'E\nF 12 Se':
            state.write_text(text.removesuffix('E\nC\n') + torn)
            run(url(dovecot), '--insecure', '--folder', 'INBOX')
            out = run(url(dovecot), '--insecure', '--folder', 'Sent')
            assert f'Sent: 0 copied, {count} copied before' in out, out
        # It was not stored: the messages behind these are others.
        state.write_text(re.sub(r'(?m)^(M \d+ )(\w{8})', r'\g<1>ffffffff', text)
                         .removesuffix('C\n'))
        out = run(url(dovecot), '--insecure', '--folder', 'Sent')
        assert f'Sent: {count} copied, 0 copied before' in out, out


def test_one_source_has_many_names(dovecot):
    """Nothing is copied twice because it was called another way."""
    with Posta(users={'anna': 'secret'}) as posta:
        run = Import(posta)
        first = f'imaps://LocalHost:{dovecot.imaps}'
        for source in first, first.lower() + '/':
            out = run(source, '--insecure', '--folder', 'empty')
        assert len(states(posta)) == 1
        box = posta.top / 'box'
        box.write_text(MBOX)
        box.chmod(0o644)
        (posta.top / 'link').symlink_to(box)
        for n, name in enumerate(('box', 'link', '../' + posta.top.name + '/box')):
            done = subprocess.run([str(a) for a in run.args(f'mbox:{name}')],
                                  cwd=posta.top, capture_output=True, text=True)
            assert f'INBOX: {0 if n else 4} copied' in done.stdout, done
        assert len(states(posta)) == 2


@pytest.mark.parametrize('words, said', [
    (['mbox:x', '--folder', 'a', '--folder', 'b'], 'only once'),
    (['mbox:x', '--user', 'anna'], '-u USER says'),
    (['maildir:x', '--insecure'], 'are for a server'),
    (['imaps://x.test'], '--user NAME is missing'),
    (['x.test'], 'write imaps://HOST'),
])
def test_usage(words, said):
    done = subprocess.run([BIN / 'posta', 'import', *words],
                          capture_output=True, text=True, timeout=60)
    assert done.returncode == 64 and said in done.stderr, done


def renumber(mail):
    """UIDVALIDITY of all folders is another one."""
    for path in mail.rglob('dovecot-uidlist'):
        path.write_text(re.sub(r'V(\d+)', lambda m: f'V{int(m[1]) + 1}',
                               path.read_text(), count=1))
    for path in [*mail.rglob('dovecot.index*'), *mail.rglob('dovecot-uidval*')]:
        path.unlink()


def test_renumbered():
    """What has been copied is known by its content; a message that is there
    twice is copied twice."""
    with Dovecot(more=MORE) as peer, Posta(users={'anna': 'secret'}) as posta:
        fill(peer.imap, count=40)
        with imaplib.IMAP4('127.0.0.1', peer.imap) as c:
            c.login('anna', 'secret')
            for _ in range(2):
                c.append('Sent', '', None, message(500, 2))
        run = Import(posta)
        assert sum(map(int, re.findall(r': (\d+) copied', run(
            url(peer), '--insecure')))) == 42
        # A session writes what it knows when it ends.
        wait_until(lambda: 'imap' not in process.children(
            peer.process.pid).values(), 'no session of Dovecot')
        renumber(peer.top / 'mail/anna')
        with imaplib.IMAP4('127.0.0.1', peer.imap) as c:
            c.login('anna', 'secret')
            c.append('Sent', '', None, message(501, 2))
        for copied in 1, 0:
            out = run(url(peer), '--insecure')
            assert sum(map(int, re.findall(r': (\d+) copied', out))) == copied


def test_lost_connection(dovecot):
    """A server that hangs up now and then."""
    class Proxy(threading.Thread):
        def __init__(self):
            super().__init__(daemon=True)
            self.listener = socket.create_server(('127.0.0.1', 0))
            self.port = self.listener.getsockname()[1]
            self.room = 60000

        def run(self):
            while True:
                try:
                    s, _ = self.listener.accept()
                except OSError:
                    return
                self.serve(s)
                self.room *= 2

        def serve(self, s):
            with s, socket.create_connection(('127.0.0.1',
                                              dovecot.imaps)) as t:
                threading.Thread(target=self.up, args=(s, t),
                                 daemon=True).start()
                left = self.room
                try:
                    while left > 0 and (data := t.recv(4096)):
                        s.sendall(data)
                        left -= len(data)
                    for x in s, t:
                        x.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass

        def up(self, s, t):
            try:
                while data := s.recv(4096):
                    t.sendall(data)
            except OSError:
                pass

    with Posta(users={'anna': 'secret'}) as posta:
        proxy = Proxy()
        proxy.start()
        out = Import(posta)(f'imaps://127.0.0.1:{proxy.port}', '--insecure')
        assert 'trying again' in out, out
        proxy.listener.close()
        assert_same(dovecot, posta)


# ---- servers that mean harm

GREETING = b'* OK [CAPABILITY IMAP4rev1 SASL-IR AUTH=PLAIN] hi\r\n'


class Hostile:
    """Each connection gets a script: bytes, or a function of what was read."""

    def __init__(self, *script):
        self.script, self.greeting, self.heard = script, GREETING, b''
        self.listener = socket.create_server(('127.0.0.1', 0))
        self.port = self.listener.getsockname()[1]
        self.thread = threading.Thread(target=self.run, daemon=True)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *exc):
        self.listener.close()

    def run(self):
        while True:
            try:
                s, _ = self.listener.accept()
            except OSError:
                return
            with s:
                try:
                    self.talk(s)
                except OSError:
                    pass

    def talk(self, s):
        file = s.makefile('rb')
        s.sendall(self.greeting)
        answers = {'AUTHENTICATE': b'', 'CAPABILITY':
                   b'* CAPABILITY IMAP4rev1\r\n',
                   'LIST': b'* LIST () "/" INBOX\r\n',
                   'EXAMINE': b'* OK [UIDVALIDITY 5] x\r\n', **dict(self.script)}
        while line := file.readline():
            self.heard += line
            tag, verb, *rest = line.decode().split()
            if verb == 'UID':
                verb = 'BODY' if 'BODY.PEEK[]' in line.decode() else 'META'
            s.sendall(answers.get(verb, b''))
            s.sendall(f'{tag} OK x\r\n'.encode())


META = b'* 1 FETCH (UID 7 FLAGS (\\Seen) INTERNALDATE "17-Jul-1996 02:44:25 ' \
       b'-0700")\r\n'


@pytest.mark.parametrize('script, status', [
    ((('LIST', b'* LIST () "/" ' + b'x' * 100000 + b'\r\n'),), 76),
    ((('LIST', b'* LIST () "/" {99999999999}\r\n'),), 76),
    ((('LIST', b'* LIST () "/" "../../etc/x"\r\n* LIST () "/" ' +
       b'"INBOX/new"\r\n* LIST () "." "a/../b"\r\n'),), 0),
    ((('META', META), ('BODY', b'* 1 FETCH (UID 8 BODY[] {3}\r\nabc)\r\n')),
     76),
    ((('META', META), ('BODY', b'* 1 FETCH (UID 7 BODY[] {3}\r\nabc)\r\n' * 2)),
     76),
    ((('META', META), ('BODY', b'* 1 FETCH (BODY[] {9999999999}\r\n')), 76),
    ((('META', META), ('BODY', b'* 1 FETCH (UID 7 BODY[] NIL)\r\n')), 1),
    ((('META', META), ('BODY', b'')), 0),
    ((('META', META * 3 + b'* 1 FETCH (UID 9 FLAGS (' + b'k ' * 20000 +
       b') INTERNALDATE "x")\r\n'),
      ('BODY', b'* 1 FETCH (BODY[] "x\\"y")\r\n')), 0),
    ((('META', b'* 1 FETCH (' + b'(' * 500 + b'\r\n'),), 76),
    ((('LIST', b'+ go on\r\n'),), 76),
    ((('EXAMINE', b''),), 1),
    ((('AUTHENTICATE', b'a1 NO [AUTHENTICATIONFAILED] no\x1b[2J\r\n'),), 77),
])
def test_hostile(script, status):
    with Posta(users={'anna': 'secret'}) as posta, Hostile(*script) as server:
        out = Import(posta)(f'imap://127.0.0.1:{server.port}', '--insecure',
                            status=status)
        assert '\x1b' not in out


class Refusing(Hostile):
    """Message 8 cannot be had, nor what namespaces there are."""

    def talk(self, s):
        file = s.makefile('rb')
        s.sendall(self.greeting)
        while line := file.readline():
            tag, verb, *rest = line.decode().split()
            answer, done = b'', 'OK x'
            if verb == 'CAPABILITY':
                answer = b'* CAPABILITY IMAP4rev1 NAMESPACE\r\n'
            elif verb == 'NAMESPACE' or rest[:2] == ['FETCH', '8']:
                done = 'NO [SERVERBUG] lost it'
            elif verb == 'LIST' and rest[-1] == '"*"':
                answer = b'* LIST () "/" "v1.0"\r\n'
            elif verb == 'EXAMINE':
                answer = b'* OK [UIDVALIDITY 5] x\r\n'
            elif rest[:2] == ['FETCH', '1:*']:
                answer = b''.join(META.replace(b'7 FL', b'%d FL' % n)
                                  for n in (7, 8, 9))
            elif rest[:1] == ['FETCH']:
                answer = b'* 1 FETCH (UID %s BODY[] {3}\r\nabc)\r\n' % (
                    rest[1].encode())
            s.sendall(answer + f'{tag} {done}\r\n'.encode())


def test_what_a_server_refuses():
    """The others are copied; a name that cannot be here is told."""
    with Posta(users={'anna': 'secret'}) as posta, Refusing() as server:
        for said in '2 copied, 0 copied before', '0 copied, 2 copied before':
            out = Import(posta)(f'imap://127.0.0.1:{server.port}', '--insecure',
                                status=1)
            assert 'v1_0: message 8: the server says: lost it' in out, out
            assert 'v1.0 goes to v1_0' in out and said in out, out


def test_inbox_below_inbox():
    """A server that has all folders below INBOX may have one of that name."""
    script = (('NAMESPACE', b'* NAMESPACE (("INBOX." ".")) NIL NIL\r\n'),
              ('CAPABILITY', b'* CAPABILITY IMAP4rev1 NAMESPACE\r\n'),
              ('LIST', b'* LIST () "." INBOX\r\n* LIST () "." INBOX.inbox\r\n'
               b'* LIST () "." INBOX.Sent.2024\r\n'))
    with Posta(users={'anna': 'secret'}) as posta, Hostile(*script) as server:
        out = Import(posta)(f'imap://127.0.0.1:{server.port}', '--insecure')
        assert 'INBOX.inbox goes to INBOX_' in out, out
        assert re.findall('(.+): 0 copied', out) == ['INBOX', 'INBOX_',
                                                     'Sent/2024'], out


def test_not_now():
    """A login that is refused for the moment is tried again, and another time
    by who runs it."""
    no = b'a1 NO [UNAVAILABLE] the directory is down\r\n'
    with Posta(users={'anna': 'secret'}) as posta, \
            Hostile(('AUTHENTICATE', no)) as server:
        wanted = [str(a) for a in Import(posta).args(
            f'imap://127.0.0.1:{server.port}', '--insecure')]
        with subprocess.Popen(wanted, stderr=subprocess.PIPE, text=True) as p:
            assert 'the directory is down; trying again' in p.stderr.readline()
            p.kill()


def test_refused_before_the_password():
    """Who does not ask for it does not get it."""
    no = b'a1 NO [AUTHENTICATIONFAILED] not you\r\n'
    with Posta(users={'anna': 'secret'}) as posta, \
            Hostile(('AUTHENTICATE', no)) as server:
        server.greeting = GREETING.replace(b'SASL-IR ', b'')
        Import(posta)(f'imap://127.0.0.1:{server.port}', '--insecure',
                      status=77)
        assert server.heard == b'a1 AUTHENTICATE PLAIN\r\n'


@pytest.mark.parametrize('layout', ['', ':LAYOUT=fs'], ids=['maildir++', 'fs'])
def test_below_a_prefix(dovecot, layout):
    """Folders go where clients find them; they may be named either way."""
    with Posta(users={'anna': 'secret'}, settings={
            'imap_private_prefix': 'INBOX.', 'imap_hierarchy_separator': '.',
            'mail_location': f'maildir:~/Maildir{layout}'}) as posta:
        with imaplib.IMAP4('127.0.0.1', dovecot.imap) as c:
            c.login('anna', 'secret')
            assert c.append('Sent', None, None, message(1, 1))[0] == 'OK'
        run = Import(posta)
        for folder in 'INBOX.Archive.2024.June', 'Sent':
            out = run(url(dovecot), '--insecure', '--folder', folder)
            assert out.count(': ') == 1 and ' copied, 0' in out, out
        box = posta.dir / 'mbox'
        box.write_bytes(b'From x@x.test Mon Mar  2 10:00:00 2020\n'
                        b'Subject: 1\n\n1\n')
        run(f'mbox:{box}', '--folder', 'INBOX.Old.mail')
        with RawImap(posta.base + 993, f'anna@{posta.domain}') as c:
            there = {line.split(b' "." ')[1] for line in c.ok('LIST "" *')}
            assert {b'INBOX.Archive.2024.June', b'INBOX.Sent',
                    b'INBOX.Old.mail'} <= there
            assert c.ok('LSUB "" *') == [
                b'* LSUB () "." INBOX.Archive.2024.June']
