"""Deliveries and other users' processes tell where something has changed, also
those whose processes get no inotify instance."""
import os
import re
import stat
import time

import pytest

from harness import Posta, wait_until
from harness.blind import no_inotify
from harness.raw_imap import RawImap, in_spite_of_a_kill

USERS = [f'v{i}' for i in range(200)]


def settled(posta):
    """Virtual users with one uid, whose hashes cost nothing."""
    for name in ('users', 'mailboxes'):
        path = posta.dir / name
        line, = re.findall('(?m)^alice@.*$', path.read_text())
        line = re.sub(r'\{ARGON2ID\}[^:]*', '{PLAIN}secret', line)
        path.write_text(''.join(line.replace('alice', u) + '\n' for u in USERS))
    mail = posta.dir / 'mail' / posta.domain
    owner = os.stat(mail / 'alice')
    for user in USERS:
        (mail / user).mkdir(mode=0o700)
        os.chown(mail / user, owner.st_uid, owner.st_gid)


@pytest.fixture(scope='module')
def posta():
    with Posta(users={'alice': 'secret'}, start=False) as p:
        settled(p)
        mail = p.dir / 'mail' / p.domain
        for name in 'public', 'shares':
            (p.top / name).mkdir()
            st = os.stat(mail)
            os.chown(p.top / name, st.st_uid, st.st_gid)
        p.set(imap_public_namespaces=f'Public/ maildir:{p.top}/public',
              imap_shared_namespace='shared/ maildir:$virtual_mailbox_base'
                                    '/%d/%n/Maildir',
              imap_shared_list=p.top / 'shares',
              mail_max_userip_connections=0)
        (p.top / 'public/dovecot-acl').write_text('anyone lrswipkxtea\n')
        p.posta('start', preexec_fn=no_inotify)
        wait_until(p.answers, 'the SMTP port to answer')
        yield p


def client(posta, user):
    return RawImap(posta.base + 993, f'{user}@{posta.domain}')


def idle(c):
    c.begin('IDLE')
    while not (line := c.response()).startswith(b'+'):
        assert line.startswith(b'* ')


def deliver(posta, *rcpts):
    """The message is there when this returns."""
    posta.send('x@remote.test', rcpts)
    posta.wait_empty()


def soon(c, what, seconds=8):
    """A response that comes well before the next look at the files (10 s)."""
    began = time.monotonic()
    c.socket.settimeout(seconds)
    while what not in (line := c.response()):
        assert line.startswith(b'* ')
    assert time.monotonic() - began < seconds
    return line


def listeners(posta, user='v0', box=''):
    folder = posta.dir / 'mail' / posta.domain / user / 'Maildir'
    return list((folder / box / 'posta-listeners').iterdir())


def test_nobody_has_inotify(posta):
    with client(posta, 'v0') as c:
        c.ok('SELECT INBOX')
        posta.wait_log(r'imap\(v0@.*all inotify instances')


def test_two_hundred_users(posta):
    """One message to 200 users of one account, each of whom idles."""
    clients = [client(posta, u) for u in USERS]
    for c in clients:
        c.ok('SELECT INBOX')
        idle(c)
    for part in range(0, len(USERS), 50):
        posta.send('x@remote.test',
                   [f'{u}@{posta.domain}' for u in USERS[part:part + 50]])
    posta.wait_empty()
    for c in clients:
        soon(c, b' EXISTS')
        c.close()


def test_folder_of_a_delivery(posta):
    """Into a folder of Maildir++, of which NOTIFY tells."""
    with client(posta, 'v1') as c, client(posta, 'v1') as other:
        c.ok('CREATE Work')
        c.ok('NOTIFY SET (personal (MessageNew MessageExpunge))')
        path = posta.dir / 'mailboxes'
        path.write_text(path.read_text() + 'work@example.test '
                        'example.test/v1/Maildir/.Work/\n')
        posta.reload()
        wait_until(posta.answers, 'the SMTP port to answer')
        deliver(posta, 'work@example.test')
        assert b'Work' in soon(c, b'STATUS')
        other.ok('SELECT Work')
        idle(other)
        deliver(posta, 'work@example.test')
        soon(other, b'EXISTS')


def test_folder_in_a_folder():
    """LAYOUT=fs: a delivery says which folder of the tree it was."""
    with Posta(users={'alice': 'secret'}, start=False) as p:
        p.set(mail_location=f'maildir:{p.dir}/mail/%d/%n/Maildir:LAYOUT=fs')
        path = p.dir / 'mailboxes'
        path.write_text(path.read_text() + 'linux@example.test '
                        'example.test/alice/Maildir/Lists/linux/\n')
        p.posta('start', preexec_fn=no_inotify)
        wait_until(p.answers, 'the SMTP port to answer')
        with client(p, 'alice') as c:
            c.ok('CREATE Lists/linux')
            c.ok('SELECT Lists/linux')
            idle(c)
            deliver(p, f'linux@{p.domain}')
            soon(c, b' EXISTS')


def test_mailbox_of_several_users(posta):
    """What one does in a public folder another one hears at once: APPEND,
    flags, EXPUNGE, and its end."""
    with client(posta, 'v2') as a, client(posta, 'v3') as b:
        a.ok('CREATE Public/News')
        b.ok('SELECT Public/News')
        idle(b)
        a.literals('APPEND Public/News ', b'Subject: x\r\n\r\nx\r\n')
        soon(b, b' EXISTS')
        a.ok('SELECT Public/News')
        a.ok('STORE 1 +FLAGS (\\Flagged)')
        assert b'\\Flagged' in soon(b, b'FETCH')
        a.ok('STORE 1 +FLAGS (\\Deleted)')
        assert b'\\Deleted' in soon(b, b'FETCH')
        a.ok('EXPUNGE')
        soon(b, b'EXPUNGE')
        a.ok('CLOSE')
        a.ok('DELETE Public/News')
        soon(b, b'BYE')


def test_folders_of_others(posta):
    """NOTIFY MailboxName: a public folder that somebody else makes."""
    with client(posta, 'v4') as a, client(posta, 'v5') as b:
        b.ok('NOTIFY SET (subtree Public (MailboxName MessageNew '
             'MessageExpunge))')
        a.ok('CREATE Public/Fresh')
        assert b'Public/Fresh' in soon(b, b'LIST')
        a.literals('APPEND Public/Fresh ', b'Subject: x\r\n\r\nx\r\n')
        assert b'Public/Fresh' in soon(b, b'STATUS')
        a.ok('RENAME Public/Fresh Public/Stale')
        assert b'OLDNAME' in soon(b, b'LIST')


def test_only_fifos_of_the_home(posta):
    """Mode 0600; one that a killed process has left is removed; what is none
    is left alone, by deliveries too."""
    with client(posta, 'v6') as c:
        c.ok('SELECT INBOX')
        fifo, = listeners(posta, 'v6')
        st = fifo.stat()
        assert stat.S_ISFIFO(st.st_mode) and stat.S_IMODE(st.st_mode) == 0o600
        folder = fifo.parent
        precious = folder / 'precious'
        precious.write_text('do not touch')
        (folder / 'link').symlink_to(precious)
        os.mkfifo(folder / 'dead')
        for f in precious, folder / 'dead':
            os.chown(f, st.st_uid, st.st_gid)
        idle(c)
        deliver(posta, f'v6@{posta.domain}')
        soon(c, b' EXISTS')
        pid, = (int(x.split()[-1]) for x in who(posta, 'v6'))
        posta.kill(pid)
        wait_until(lambda: not os.path.exists(f'/proc/{pid}'), 'its end')
    assert fifo.exists()
    with in_spite_of_a_kill(lambda: client(posta, 'v6')) as c:
        c.ok('SELECT INBOX')
        mine = {f.name for f in listeners(posta, 'v6')}
        assert fifo.name not in mine and 'dead' not in mine
        assert {'precious', 'link'} < mine and len(mine) == 3
    assert precious.read_text() == 'do not touch'


def test_what_is_told_is_not_believed(posta):
    """Whatever is written there, and however much of it."""
    with client(posta, 'v7') as c:
        c.ok('SELECT INBOX')
        fifo, = listeners(posta, 'v7')
        fd = os.open(fifo, os.O_WRONLY | os.O_NONBLOCK)
        for junk in (b'\n' * 4000, b'\0\xff' * 2000, b'../../etc\n' * 400,
                     b'.' * 4095, b'.\n' * 2000):
            for _ in range(20):
                try:
                    os.write(fd, junk)
                except BlockingIOError:
                    pass
            c.ok('NOOP')
        idle(c)
        deliver(posta, f'v7@{posta.domain}')
        soon(c, b' EXISTS')
        # so full that the delivery cannot tell: then all is looked at
        try:
            while True:
                os.write(fd, b'.Other\n' * 100)
        except BlockingIOError:
            pass
        deliver(posta, f'v7@{posta.domain}')
        soon(c, b' EXISTS')
        os.close(fd)


def who(posta, user):
    return [x for x in posta.posta('who').stdout.splitlines() if user in x]
