"""IDLE: what happens in the mailbox is told at once, whoever did it."""
import os
import re
import shutil
import socket
import subprocess

import pytest

from harness import Posta, maildir, wait_until
from harness.raw_imap import RawImap, in_spite_of_a_kill


@pytest.fixture(scope='module')
def posta():
    with Posta(users={n: 'secret' for n in ('alice', 'bob', 'carl', 'dora',
                                              'erik', 'fred', 'gina', 'jan',
                                              'hans', 'ida')}) as p:
        yield p


def client(posta, user):
    return RawImap(posta.base + 993, f'{user}@example.test')


def mail_of(posta, user):
    return posta.dir / 'mail/example.test' / user / 'Maildir'


def drop_in(mail, name, text='Subject: x\n\nx\n', where='new'):
    """As another program delivers."""
    path = mail / 'tmp' / name
    path.write_text(text)
    st = os.stat(mail)
    os.chown(path, st.st_uid, st.st_gid)
    os.rename(path, mail / where / name)


def idle(c):
    tag = c.begin('IDLE')
    while not (line := c.response()).startswith(b'+'):
        assert line.startswith(b'* ')
    return tag


def done(c, tag):
    c.send('DONE\r\n')
    untagged, end = c.until(tag)
    assert end.startswith(b'OK')
    return untagged


def test_deliveries(posta):
    with client(posta, 'alice') as c:
        c.ok('SELECT INBOX')
        tag = idle(c)
        for n in 1, 2, 3:
            posta.send('x@remote.test', 'alice@example.test')
            assert c.response() == b'* %d EXISTS' % n
            assert c.response().endswith(b' RECENT')
        assert done(c, tag) == []
        assert len(c.ok('FETCH 1:* ENVELOPE')) == 3


def test_other_programs(posta):
    """mutt, procmail and rm: files that come, get other names, and go."""
    with client(posta, 'bob') as c:
        c.ok('ENABLE QRESYNC')
        c.ok('SELECT INBOX')
        mail = mail_of(posta, 'bob')
        tag = idle(c)
        for i in range(3):
            drop_in(mail, f'170000000{i}.P1.host')
            assert c.response() == b'* %d EXISTS' % (i + 1)
            c.response()  # RECENT
        assert done(c, tag) == []
        c.ok('FETCH 1:* BODY.PEEK[]')
        tag = idle(c)
        maildir.change(mail, '1700000001.P1.host', lambda path: os.rename(
            path, mail / 'cur' / '1700000001.P1.host:2,F'))
        line = c.response()
        assert b'* 2 FETCH' in line and b'\\Flagged' in line, line
        os.unlink(mail / 'cur' / '1700000001.P1.host:2,F')
        assert c.response() == b'* VANISHED 2'
        assert done(c, tag) == []


def select_one(c, mail, name, where='new'):
    """INBOX, with one message."""
    c.ok('SELECT INBOX')
    drop_in(mail, name, where=where)
    c.ok('NOOP')


def wait_for_file(mail, name):
    wait_until(lambda: (mail / 'cur' / name).exists(),
               lambda: f'{name} in {[*(mail / "cur").iterdir()]}')


def test_seen_reaches_the_files(posta):
    """What FETCH has marked so, too, while the mailbox stays selected."""
    mail = mail_of(posta, 'erik')
    with client(posta, 'erik') as c:
        select_one(c, mail, '1700000000.P1.host')
        c.ok('FETCH 1 BODY[]')
        wait_for_file(mail, '1700000000.P1.host:2,S')


def test_flags_of_a_killed_process_reach_the_files(posta):
    """Whoever selects the mailbox next has them written."""
    mail = mail_of(posta, 'ida')
    with client(posta, 'ida') as c:
        select_one(c, mail, '1700000000.P1.host:2,', where='cur')
        pid = re.search(r'^ida@\S+ +imap .* (\d+)$',
                        posta.posta('who').stdout, re.M)[1]
        c.ok('STORE 1 +FLAGS.SILENT (\\Flagged)')
        posta.kill(int(pid))
        c.closed()

    with in_spite_of_a_kill(lambda: client(posta, 'ida')) as c:
        c.ok('SELECT INBOX')
        wait_for_file(mail, '1700000000.P1.host:2,F')


def test_lock_of_the_dead(posta):
    """Who was killed with dovecot-uidlist.lock holds up nobody."""
    mail = mail_of(posta, 'fred')
    with client(posta, 'fred') as c:
        c.ok('SELECT INBOX')
        dead = subprocess.Popen(['true'])
        dead.wait()
        lock = mail / 'dovecot-uidlist.lock'
        lock.write_text(f'{dead.pid}:{socket.gethostname()}')
        drop_in(mail, '1700000000.P1.host')
        wait_until(lambda: b'* 1 EXISTS' in c.ok('NOOP'), 'the message')
        assert not lock.exists()


def test_locked_by_another(posta):
    """What could not be seen when the mailbox was selected is told in IDLE."""
    mail = mail_of(posta, 'hans')
    with client(posta, 'hans') as c:
        c.ok('SELECT INBOX')
        c.ok('UNSELECT')
        lock = mail / 'dovecot-uidlist.lock'
        lock.write_text(f'{os.getpid()}:{socket.gethostname()}')
        drop_in(mail, '1700000000.P1.host')
        assert b'* 0 EXISTS' in c.ok('SELECT INBOX')
        tag = idle(c)
        lock.unlink()
        assert c.response() == b'* 1 EXISTS'
        assert c.response().endswith(b' RECENT')
        assert done(c, tag) == []


def test_files_that_go_while_they_are_fetched(posta):
    mail = mail_of(posta, 'gina')
    with client(posta, 'gina') as c:
        c.ok('SELECT INBOX')
        for i in range(100):
            drop_in(mail, f'1700000{i:03}.P1.host:2,', where='cur')
        c.ok('NOOP')
        for i in range(100):
            tag = c.begin(f'UID FETCH {i + 1}:100 BODY.PEEK[]')
            os.unlink(mail / 'cur' / f'1700000{i:03}.P1.host:2,')
            assert c.until(tag)[1].startswith(b'OK')


def test_sessions(posta):
    """Those of the same user see each other's changes."""
    with client(posta, 'carl') as a, client(posta, 'carl') as b:
        a.ok('SELECT INBOX')
        b.ok('SELECT INBOX')
        mail = mail_of(posta, 'carl')
        drop_in(mail, '1700000000.P1.host')
        drop_in(mail, '1700000001.P1.host')
        b.ok('NOOP')
        tag = idle(a)
        b.ok('STORE 1 +FLAGS (\\Seen)')
        line = a.response()
        while b'FETCH' not in line:
            line = a.response()
        assert re.match(rb'\* 1 FETCH \(FLAGS \(\\Seen', line)
        b.ok('STORE 1 +FLAGS.SILENT (\\Deleted)')
        assert b'\\Deleted' in a.response()
        b.ok('EXPUNGE')
        assert a.response() == b'* 1 EXPUNGE'
        b.ok('FETCH 1 BODY[]')
        assert b'\\Seen' in a.response()
        # and in IDLE of the other one
        a_done = done(a, tag)
        assert a_done == []
        tag = idle(b)
        a.ok('STORE 1 +FLAGS.SILENT (green)')
        assert b'green' in b.response()
        done(b, tag)
        # a mailbox that was let go of is quiet
        b.ok('UNSELECT')
        tag = idle(b)
        a.ok('STORE 1 -FLAGS.SILENT (green)')
        drop_in(mail, '1700000005.P1.host')
        assert b' EXISTS' in b''.join(a.ok('NOOP'))
        assert done(b, tag) == []
        a.no('IDLE x', b'BAD')
        tag = idle(a)
        a.send('NONSENSE\r\n')
        assert a.until(tag)[1].startswith(b'BAD')


def test_many_at_once(posta):
    """2,000 files: all are told of, and those that come at once in few
    responses."""
    with client(posta, 'dora') as c:
        c.ok('SELECT INBOX')
        mail = mail_of(posta, 'dora')
        tag = idle(c)
        for i in range(1000):
            drop_in(mail, f'170000{i:04}.P1.host')
        while c.response() != b'* 1000 EXISTS':
            pass
        with posta.stopped('imapd'):
            for i in range(1000, 2000):
                drop_in(mail, f'170000{i:04}.P1.host')
        lines = []
        while b'* 2000 EXISTS' not in lines:
            lines.append(c.response())
        done(c, tag)
        assert len(lines) < 100
        for name in maildir.files(mail):
            maildir.change(mail, name, os.unlink)
        gone = []
        wait_until(lambda: gone.extend(x for x in c.ok('NOOP')
                                       if b'EXPUNGE' in x) or
                   len(gone) == 2000, lambda: f'all to be gone: {len(gone)}')


def test_index_scribbled_over(posta):
    """Whatever happens to its files, the next session sees all that is."""
    with client(posta, 'jan') as c:
        mail = mail_of(posta, 'jan')
        select_one(c, mail, '1700000001.P1.host')
        c.ok('STORE 1 +FLAGS (\\Flagged kept)')
    told = [b'* 1 FETCH (UID 1 FLAGS (\\Flagged kept))']
    for name in 'lock.mdb', 'state':
        with client(posta, 'jan') as c, client(posta, 'jan') as d:
            c.ok('SELECT INBOX')
            with open(mail / 'posta-index' / name, 'r+b') as f:
                f.write(os.urandom(os.fstat(f.fileno()).st_size))
            d.say('SELECT INBOX')
        with client(posta, 'jan') as c:
            c.ok('SELECT INBOX')
            assert c.ok('FETCH 1 (UID FLAGS)') == told, name


def test_index_removed(posta):
    """It is only a cache: whoever has it open goes on without a word."""
    with client(posta, 'dora') as c:
        mail = mail_of(posta, 'dora')
        select_one(c, mail, '1700000001.P1.host')
        shutil.rmtree(mail / 'posta-index')
        assert b'ENVELOPE' in c.ok('FETCH 1 ENVELOPE')[0]
        c.ok('STORE 1 +FLAGS (\\Flagged)')
        assert b'\\Flagged' in c.ok('FETCH 1 FLAGS')[0]
