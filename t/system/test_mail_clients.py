"""Mail programs that people use, against a private instance."""
import imaplib
import poplib
import subprocess

import pytest

from harness import Posta, wait_until
from harness.mail_client import trusting
from harness.mail_program import client, config

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


def getmail(home, kind, port):
    """What it has fetched in two runs, the second of which has it all; None
    where it hangs: sometimes it waits for ever for a child that has ended."""
    home.mkdir()
    program, got = keeper(home)
    folder = home / '.getmail'
    config(home, '.getmail/getmailrc', f'''
[retriever]
type = Simple{kind}Retriever
server = 127.0.0.1
port = {port}
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
    try:
        for _ in range(2):
            client(home, 'getmail', '--getmaildir', folder)
    except subprocess.TimeoutExpired:
        return None
    return [f.read_bytes() for f in got.iterdir()]


@pytest.mark.parametrize('kind,port', [('POP3SSL', 995), ('IMAPSSL', 993)])
def test_getmail(posta, home, kind, port):
    tries = (getmail(home / str(n), kind, posta.base + port)
             for n in range(3))
    has_all(next(got for got in tries if got is not None))


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


def test_poplib(posta):
    c = poplib.POP3('127.0.0.1', posta.base + 110)
    c.stls(trusting())
    c.user(ALICE)
    c.pass_('secret')
    assert c.stat()[0] == COUNT
    assert len(c.uidl()[1]) == COUNT
    assert '\n'.join(x.decode() for x in c.retr(4)[1]).endswith(body(3)[:-1])
    assert b'Subject: number 3' in c.top(4, 0)[1]
    c.dele(4)
    c.quit()
    assert len(posta.maildir('alice')) == COUNT - 1


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
