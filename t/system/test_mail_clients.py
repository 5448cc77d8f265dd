"""Mail programs that people use, against a private instance."""
import imaplib
import os

import pytest

from harness import Posta, run, wait_until
from harness.mail_client import trusting

ALICE = 'alice@example.test'
COUNT = 25


def body(i):
    return f'This is number {i}.\n.leading dot\n' + f'{i} äöü\n' * (i * 40)


@pytest.fixture
def posta():
    with Posta() as p:
        for i in range(COUNT):
            text = (f'From: a@x.test\nTo: {ALICE}\nMIME-Version: 1.0\n'
                    'Content-Type: text/plain; charset=utf-8\n'
                    'Content-Transfer-Encoding: 8bit\n'
                    f'Subject: number {i}\n\n{body(i)}')
            p.send('a@x.test', ALICE, text.replace('\n', '\r\n'),
                   options=('BODY=8BITMIME',))
            p.wait_maildir('alice', i + 1)  # in this order
        p.wait_empty()
        yield p


@pytest.fixture
def home(tmp_path):
    """Where a client keeps its files; nothing of this machine's users."""
    path = tmp_path / 'home'
    path.mkdir(mode=0o700)
    return path


def client(home, *args, **kw):
    env = {'HOME': str(home), 'PATH': os.environ['PATH'], 'LANG': 'C.UTF-8',
           'USER': 'tester', 'LOGNAME': 'tester'}
    return run(*args, env=env, cwd=home, **kw)


def config(home, name, text):
    path = home / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(0o600)
    return path


def texts(box):
    return sorted(f.read_bytes() for d in ('new', 'cur')
                  for f in (box / d).iterdir())


def has_all(found):
    """Every message, byte for byte behind its header."""
    def bodies(files):
        return sorted(f.replace(b'\r\n', b'\n').split(b'\n\n', 1)[1]
                      for f in files)
    assert len(found) == COUNT
    assert bodies(found) == sorted(body(i).encode() for i in range(COUNT))


def keeper(home):
    """A program that keeps each message it is given; where."""
    got = home / 'got'
    got.mkdir(exist_ok=True)
    program = config(home, 'keep', '#!/bin/sh\n'
                     f'exec cat > "$(mktemp {got}/XXXXXXXXXX)"\n')
    program.chmod(0o700)
    return program, got


def fetchmail(posta, home, protocol, port, more='', keep=''):
    program, got = keeper(home)
    rc = config(home, '.fetchmailrc', f'''
poll 127.0.0.1 protocol {protocol} port {port} {more}
    user "{ALICE}" password "secret" ssl no sslcertck {keep}
    mda "{program}"
''')
    return client(home, 'fetchmail', '-f', rc, '--nodetach', '--pidfile',
                  home / 'pid', '--idfile', home / 'ids', check=False), got


@pytest.mark.parametrize('protocol,port', [('pop3', 995), ('imap', 993)])
def test_fetchmail(posta, home, protocol, port):
    done, got = fetchmail(posta, home, protocol, posta.base + port)
    assert done.returncode == 0, done.stdout + done.stderr
    has_all([f.read_bytes() for f in got.iterdir()])
    if protocol == 'pop3':
        wait_until(lambda: posta.maildir('alice') == [], 'an empty mailbox')


def test_fetchmail_that_keeps(posta, home):
    """UIDLs tell what it has seen."""
    more = 'uidl'
    done, got = fetchmail(posta, home, 'pop3', posta.base + 995, more, 'keep')
    assert done.returncode == 0, done.stdout + done.stderr
    again, got = fetchmail(posta, home, 'pop3', posta.base + 995, more, 'keep')
    assert again.returncode == 1, again.stdout + again.stderr  # nothing new
    assert len(list(got.iterdir())) == COUNT


@pytest.mark.parametrize('kind,port', [('POP3SSL', 995), ('IMAPSSL', 993)])
def test_getmail(posta, home, kind, port):
    program, got = keeper(home)
    folder = home / '.getmail'
    config(home, '.getmail/getmailrc', f'''
[retriever]
type = Simple{kind}Retriever
server = 127.0.0.1
port = {posta.base + port}
username = {ALICE}
password = secret
[destination]
type = MDA_external
path = {program}
unixfrom = false
allow_root_commands = true
[options]
read_all = false
delete = false
delivered_to = false
received = false
''')
    for _ in range(2):  # the second time it has all
        client(home, 'getmail', '--getmaildir', folder)
        has_all([f.read_bytes() for f in got.iterdir()])


def test_curl(posta, home):
    def curl(url, *more):
        return client(home, 'curl', '-sS', '-k', '-u', f'{ALICE}:secret',
                      url, *more).stdout

    pop = f'pop3s://127.0.0.1:{posta.base + 995}/'
    assert len(curl(pop).split('\n')) == COUNT + 1
    assert body(3) in curl(pop + '4')
    assert 'number 3' in curl(pop, '-X', 'TOP 4 0')
    imap = f'imaps://127.0.0.1:{posta.base + 993}/INBOX'
    assert body(3) in curl(imap + ';MAILINDEX=4')
    assert 'INBOX' in curl(f'imaps://127.0.0.1:{posta.base + 993}/')
    starttls = f'imap://127.0.0.1:{posta.base + 143}/INBOX;MAILINDEX=1'
    assert body(0) in curl(starttls, '--ssl-reqd')
    assert body(0) in curl(f'pop3://127.0.0.1:{posta.base + 110}/1',
                           '--ssl-reqd')


def test_imaplib(posta):
    with imaplib.IMAP4('127.0.0.1', posta.base + 143) as c:
        c.starttls(trusting())
        c.login(ALICE, 'secret')
        assert c.select() == ('OK', [b'%d' % COUNT])
        assert c.fetch('7', '(UID RFC822)')[1][0][1].replace(
            b'\r\n', b'\n').endswith(body(6).encode())
        assert c.store('1:5', '+FLAGS', r'\Deleted')[0] == 'OK'
        assert c.expunge()[1] == [b'1'] * 5
        c.close()
    assert len(posta.maildir('alice')) == COUNT - 5


def mbsync(posta, home):
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
    done = client(home, 'mbsync', '-c', rc, '-a', check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return box


def test_mbsync_both_ways(posta, home):
    box = mbsync(posta, home)
    has_all(texts(box / 'INBOX'))
    # Flags and deletions here, a folder and a message there.
    files = sorted((box / 'INBOX').glob('*/*'))
    for f in files[:3]:
        f.rename(box / 'INBOX/cur' / (f.name.split(':')[0] + ':2,FS'))
    for f in files[3:5]:
        f.unlink()
    with imaplib.IMAP4_SSL('127.0.0.1', posta.base + 993,
                           ssl_context=trusting()) as c:
        c.login(ALICE, 'secret')
        assert c.create('Work')[0] == 'OK'
        assert c.append('Work', r'(\Seen)', None,
                        b'Subject: w\r\n\r\nAt work.\r\n')[0] == 'OK'
    mbsync(posta, home)
    assert len(texts(box / 'Work')) == 1
    with imaplib.IMAP4_SSL('127.0.0.1', posta.base + 993,
                           ssl_context=trusting()) as c:
        c.login(ALICE, 'secret')
        assert c.select() == ('OK', [b'%d' % (COUNT - 2)])
        assert len(c.search(None, 'FLAGGED')[1][0].split()) == 3
    before = sorted(p.name for p in box.glob('*/cur/*'))
    mbsync(posta, home)
    assert sorted(p.name for p in box.glob('*/cur/*')) == before
