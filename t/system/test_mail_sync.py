"""Programs that mirror mailboxes: both sides are equal afterwards, and a second
run finds nothing to do."""
import imaplib
import os
import random
import re

import pytest

from harness import Posta, run
from harness.mail_client import trusting
from harness.mail_program import client, config

ALICE = 'alice@example.test'


@pytest.fixture
def posta():
    with Posta() as p:
        yield p


@pytest.fixture
def courier():
    """Folders below INBOX., which programs are told or find out."""
    with Posta(settings={'imap_private_prefix': 'INBOX.',
                         'imap_hierarchy_separator': '.'}) as p:
        yield p


def login(posta):
    c = imaplib.IMAP4_SSL('127.0.0.1', posta.base + 993, ssl_context=trusting())
    c.login(ALICE, 'secret')
    return c


def message(number):
    return (f'From: a@x.test\nTo: {ALICE}\nSubject: number {number}\n'
            f'Message-ID: <{number}@x.test>\nDate: Fri, 6 Feb 2026 10:00:00 '
            f'+0100\n\nThis is number {number}.\n' + 'text äöü\n' * 20).encode()


def fill(box, numbers):
    """Files as a mail program of the same user would leave them."""
    for part in ('tmp', 'new', 'cur'):
        (box / part).mkdir(parents=True, exist_ok=True)
    owner = box.stat()
    for n in numbers:
        file = box / 'cur' / f'{1770000000 + n}.M{n}.test:2,'
        file.write_bytes(message(n))
        os.chown(file, owner.st_uid, owner.st_gid)


LETTERS = {r'\Answered': 'R', r'\Deleted': 'T', r'\Draft': 'D',
           r'\Flagged': 'F', r'\Seen': 'S'}


def there(posta, folder):
    """What the server has: {number: flags as letters}, each message whole."""
    found = {}
    with login(posta) as c:
        assert c.select(f'"{folder}"', readonly=True)[0] == 'OK'
        if int(c.response('EXISTS')[1][-1] or 0) == 0:
            return found
        got = c.fetch('1:*', '(FLAGS BODY.PEEK[])')[1]
        for head, text in (g for g in got if isinstance(g, tuple)):
            flags = re.search(rb'FLAGS \(([^)]*)\)', head)[1].decode().split()
            number = int(re.search(rb'^Subject: number (\d+)', text, re.M)[1])
            assert number not in found
            assert text.replace(b'\r\n', b'\n').endswith(
                message(number).split(b'\n\n', 1)[1])
            found[number] = ''.join(sorted(LETTERS.get(f, '') for f in flags))
    return found


def here(box):
    """The same of a Maildir."""
    found = {}
    for file in (f for d in ('new', 'cur') for f in (box / d).iterdir()):
        text = file.read_bytes()
        number = int(re.search(rb'^Subject: number (\d+)', text, re.M)[1])
        assert number not in found
        found[number] = ''.join(sorted(file.name.partition(':2,')[2]))
    return found


def change(posta, folder, box, dice):
    """Flags and deletions on both sides, of different messages."""
    names = sorted((box / 'cur').iterdir())
    dice.shuffle(names)
    touched = set()
    for file in names[:len(names) // 10]:
        touched.add(int(re.search(rb'^Subject: number (\d+)',
                                  file.read_bytes(), re.M)[1]))
        if dice.random() < 0.3:
            file.unlink()
        else:
            flags = ''.join(sorted(dice.sample('FRS', 2)))
            file.rename(file.parent
                        / (file.name.partition(':2,')[0] + ':2,' + flags))
    with login(posta) as c:
        c.select(f'"{folder}"')
        got = c.fetch('1:*', '(UID BODY.PEEK[HEADER.FIELDS (SUBJECT)])')[1]
        uids = [(int(re.search(rb'UID (\d+)', h)[1]),
                 int(re.search(rb'number (\d+)', t)[1]))
                for h, t in (g for g in got if isinstance(g, tuple))]
        free = [u for u, n in uids if n not in touched]
        chosen = dice.sample(free, len(free) // 10)
        for flag in (r'\Flagged', r'\Answered', r'\Seen', r'\Deleted'):
            some = dice.sample(chosen, len(chosen) // 3)
            c.uid('STORE', ','.join(map(str, some)), '+FLAGS.SILENT',
                  f'({flag})')
        c.expunge()


def mbsync(posta, home):
    """One run; the folder with its Maildirs."""
    box = home / 'mail'
    box.mkdir(exist_ok=True)
    rc = config(home, '.mbsyncrc', f'''
IMAPAccount posta
Host 127.0.0.1
Port {posta.base + 993}
User {ALICE}
Pass secret
SSLType IMAPS
CertificateFile {posta.dir}/tls/cert.pem

IMAPStore far
Account posta

MaildirStore near
Path {box}/
Inbox {box}/INBOX
SubFolders Verbatim

Channel all
Far :far:
Near :near:
Patterns *
Create Both
Remove Both
Expunge Both
SyncState *
CopyArrivalDate yes
''')
    client(home, 'mbsync', '-c', rc, '-a', timeout=1800)
    return box


def test_mbsync_with_ten_thousand(posta, home):
    """Half of them come from either side; then changes on both."""
    dice = random.Random(8)
    inbox = posta.dir / 'mail/example.test/alice/Maildir'
    with login(posta):
        pass  # which makes the Maildir
    fill(inbox, range(5000))
    fill(home / 'mail/Work', range(5000, 10000))
    box = mbsync(posta, home)
    for folder, numbers in (('INBOX', range(5000)),
                            ('Work', range(5000, 10000))):
        assert sorted(there(posta, folder)) == list(numbers)
        assert there(posta, folder) == here(box / folder)
        change(posta, folder, box / folder, dice)
    fill(box / 'INBOX', range(10000, 10200))
    fill(inbox, range(10200, 10400))
    mbsync(posta, home)
    total = 0
    for folder in ('INBOX', 'Work'):
        assert there(posta, folder) == here(box / folder)
        total += len(here(box / folder))
    assert 9000 < total < 10400
    before = sorted(p.name for p in box.glob('*/cur/*'))
    mbsync(posta, home)
    assert sorted(p.name for p in box.glob('*/cur/*')) == before


def test_mbsync_makes_and_removes_folders(posta, home):
    with login(posta) as c:
        assert c.create('Work/2026')[0] == 'OK'
        assert c.append('Work/2026', r'(\Seen)', None, message(1))[0] == 'OK'
    box = mbsync(posta, home)
    assert here(box / 'Work/2026') == {1: 'S'}
    fill(box / 'Private', [2, 3])
    mbsync(posta, home)
    assert sorted(there(posta, 'Private')) == [2, 3]


def test_mbsync_below_inbox(courier, home):
    """It asks for the namespace: what is here has no prefix."""
    with login(courier) as c:
        assert c.create('INBOX.Work.2026')[0] == 'OK'
        assert c.append('INBOX.Work.2026', r'(\Seen)', None,
                        message(1))[0] == 'OK'
    box = mbsync(courier, home)
    assert here(box / 'Work/2026') == {1: 'S'}
    fill(box / 'Private', [2, 3])
    mbsync(courier, home)
    assert sorted(there(courier, 'INBOX.Private')) == [2, 3]
    with login(courier) as c:
        assert c.rename('INBOX.Private', 'INBOX.Work.Old')[0] == 'OK'
    mbsync(courier, home)
    assert sorted(here(box / 'Work/Old')) == [2, 3]
    before = sorted(p.name for p in box.rglob('*'))
    mbsync(courier, home)
    assert sorted(p.name for p in box.rglob('*')) == before


def offlineimap(posta, home):
    box = home / 'mail'
    print_of = run('openssl', 'x509', '-in', posta.dir / 'tls/cert.pem',
                   '-noout', '-fingerprint', '-sha256').stdout
    rc = config(home, '.offlineimaprc', f'''
[general]
accounts = posta
metadata = {home}/meta
maxsyncaccounts = 1
[Account posta]
localrepository = near
remoterepository = far
[Repository near]
type = Maildir
localfolders = {box}
[Repository far]
type = IMAP
remotehost = 127.0.0.1
remoteport = {posta.base + 993}
ssl = yes
ssl_version = tls1_2
cert_fingerprint = {print_of.strip().split('=')[1].replace(':', '').lower()}
remoteuser = {ALICE}
remotepass = secret
''')
    client(home, 'offlineimap', '-o', '-u', 'basic', '-c', rc, timeout=600)
    return box


def test_offlineimap(posta, home):
    dice = random.Random(3)
    with login(posta) as c:
        for n in range(60):
            c.append('INBOX', r'(\Flagged)' if n % 7 == 0 else '', None,
                     message(n))
        assert c.create('Work/2026')[0] == 'OK'
        assert c.append('Work/2026', r'(\Seen)', None, message(99))[0] == 'OK'
    box = offlineimap(posta, home)
    assert here(box / 'INBOX') == there(posta, 'INBOX')
    assert len(here(box / 'INBOX')) == 60
    assert here(box / 'Work.2026') == {99: 'S'}
    change(posta, 'INBOX', box / 'INBOX', dice)
    fill(box / 'INBOX', range(100, 120))
    offlineimap(posta, home)
    assert here(box / 'INBOX') == there(posta, 'INBOX')
    assert set(range(100, 120)) <= set(here(box / 'INBOX'))
    before = sorted(p.name for p in box.glob('*/cur/*'))
    offlineimap(posta, home)
    assert sorted(p.name for p in box.glob('*/cur/*')) == before


def test_offlineimap_below_inbox(courier, home):
    with login(courier) as c:
        c.append('INBOX', '', None, message(1))
        assert c.create('INBOX.Work.2026')[0] == 'OK'
        assert c.append('INBOX.Work.2026', r'(\Seen)', None,
                        message(99))[0] == 'OK'
    box = offlineimap(courier, home)
    assert here(box / 'INBOX') == {1: ''}
    assert here(box / 'INBOX.Work.2026') == {99: 'S'}
    fill(box / 'INBOX.Work.2026', [2])
    fill(box / 'INBOX.Other', [3])
    offlineimap(courier, home)
    assert there(courier, 'INBOX.Work.2026') == {2: '', 99: 'S'}
    assert there(courier, 'INBOX.Other') == {3: ''}
