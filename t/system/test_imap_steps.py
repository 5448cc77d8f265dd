"""A long command goes in steps: other sessions of the same user have their turn
while it is at work, and see how far it has come."""
import os
import re
import threading

import pytest

from harness import Posta, wait_until
from harness.raw_imap import RawImap

COUNT = 8000
ALICE = 'alice@example.test'


def fill(folder, count):
    """Messages as Dovecot names them."""
    st = folder.stat()
    for part in ('cur', 'new', 'tmp'):
        (folder / part).mkdir(mode=0o700)
        os.chown(folder / part, st.st_uid, st.st_gid)
    for i in range(count):
        path = folder / f'cur/{1700000000 + i}.M1P1.host,S=14,W=17:2,'
        path.write_text('Subject: x\n\ny\n')
        os.chown(path, st.st_uid, st.st_gid)


@pytest.fixture(scope='module')
def posta():
    with Posta(start=False, settings={'mail_max_userip_connections': 0}) as p:
        maildir = p.dir / 'mail' / p.domain / 'alice/Maildir'
        st = maildir.parent.stat()
        maildir.mkdir(mode=0o700)
        os.chown(maildir, st.st_uid, st.st_gid)
        fill(maildir, COUNT)
        p.start()
        yield p


@pytest.fixture
def alice(posta):
    with RawImap(posta.base + 993, ALICE) as c:
        c.ok('SELECT INBOX')
        yield c


def states_seen(posta, ask, run):
    """What another session was told while a command was at work: it asks again
    and again until that is done."""
    seen, done = set(), threading.Event()

    def asking():
        with RawImap(posta.base + 993, ALICE) as c:
            while not done.is_set():
                line, = c.ok(f'STATUS {ask}')
                seen.add(int(re.search(rb'(\d+)\)$', line)[1]))

    asker = threading.Thread(target=asking)
    asker.start()
    try:
        wait_until(lambda: seen, 'a first answer')
        run()
    finally:
        done.set()
        asker.join()
    return seen


def is_seen_at_work(posta, ask, run, undo):
    """A command that holds others up is never seen half done. One that does not
    is seen as soon as the one who asks is fast enough: that may take some
    tries."""
    for _ in range(30):
        seen = states_seen(posta, ask, run)
        if any(0 < n < COUNT for n in seen):
            return True
        undo()
    return False


def test_copy(posta, alice):
    def undo():
        alice.ok('DELETE Copies')
        alice.ok('CREATE Copies')

    alice.ok('CREATE Copies')
    assert is_seen_at_work(posta, 'Copies (MESSAGES)',
                           lambda: alice.ok('COPY 1:* Copies'), undo)


def test_move(posta, alice):
    """COPYUID has all of it, once, and the other way round all come back."""
    def move():
        untagged, done = alice.say('MOVE 1:* Moved')
        assert done.startswith(b'OK')
        code, = (x for x in untagged if b'COPYUID' in x)
        assert re.search(rb'COPYUID \d+ \d+:\d+ \d+:\d+\]', code), code
        assert sum(x.endswith(b' EXPUNGE') for x in untagged) == COUNT

    def back():
        alice.ok('SELECT Moved')
        alice.ok('MOVE 1:* INBOX')
        alice.ok('SELECT INBOX')

    alice.ok('CREATE Moved')
    assert is_seen_at_work(posta, 'Moved (MESSAGES)', move, back)
    back()


def test_expunge(posta, alice):
    def expunge():
        alice.ok('SELECT Doomed')
        alice.ok('STORE 1:* +FLAGS.SILENT (\\Deleted)')
        gone = alice.ok('EXPUNGE')
        assert sum(x.endswith(b' EXPUNGE') for x in gone) == COUNT
        alice.ok('SELECT INBOX')

    alice.ok('CREATE Doomed')
    alice.ok('COPY 1:* Doomed')
    assert is_seen_at_work(posta, 'Doomed (MESSAGES)', expunge,
                           lambda: alice.ok('COPY 1:* Doomed'))


def test_keywords_that_have_no_room(alice):
    """A refused STORE or APPEND leaves no keyword in the folder."""
    def flags():
        return [x for x in alice.ok('SELECT Words') if b'FLAGS' in x]

    alice.ok('CREATE Words')
    alice.ok('APPEND Words {2+}\r\nx\n')
    words = ' '.join(f'word{i}' for i in range(65))
    before = flags()
    alice.no(f'STORE 1 FLAGS ({words})', b'64 keywords')
    alice.no(f'STORE 1 FLAGS (word0 {"w" * 256})')
    alice.no(f'APPEND Words ({words}) {{2+}}\r\nx\n', b'64 keywords')
    assert flags() == before
    alice.ok(f'STORE 1 FLAGS ({words.rsplit(" ", 1)[0]} WORD3)')
    assert flags() != before


def test_few_of_many(posta, alice):
    """EXPUNGE and CLOSE find the first and the last, and look no further than
    they must where there is none."""
    count = 17000
    folder = posta.dir / 'mail' / posta.domain / 'alice/Maildir/.Wide'
    st = folder.parent.stat()
    folder.mkdir(mode=0o700)
    os.chown(folder, st.st_uid, st.st_gid)
    fill(folder, count)
    alice.ok('SELECT Wide')
    alice.ok(f'STORE 1,{count} +FLAGS.SILENT (\\Deleted)')
    assert alice.ok('EXPUNGE') == [b'* 1 EXPUNGE', b'* %d EXPUNGE' % (count - 1)]
    assert alice.ok('EXPUNGE') == []
    alice.ok(f'UID STORE 2:3,{count - 1} +FLAGS.SILENT (\\Deleted)')
    assert alice.ok(f'UID EXPUNGE 3:{count}') == [
        b'* 2 EXPUNGE', b'* %d EXPUNGE' % (count - 3)]
    alice.ok('CLOSE')
    alice.ok('SELECT Wide')
    alice.ok('CLOSE')
    line, = alice.ok('STATUS Wide (MESSAGES DELETED RECENT)')
    assert line.endswith(b'(MESSAGES %d RECENT 0 DELETED 0)' % (count - 5))


def test_copy_of_one_who_hangs_up(posta, alice):
    """What has begun is done whole."""
    def copied():
        line, = alice.ok('STATUS Whole (MESSAGES)')
        return int(re.search(rb'(\d+)\)$', line)[1])

    alice.ok('CREATE Whole')
    with RawImap(posta.base + 993, ALICE) as c:
        c.ok('SELECT INBOX')
        c.begin('COPY 1:* Whole')
        wait_until(copied, 'its beginning')
    wait_until(lambda: copied() == COUNT, 'all of it')


def test_copy_that_fails(posta, alice):
    """What was copied before goes again."""
    ask = 'STATUS Half (MESSAGES)'
    nothing = [b'* STATUS Half (MESSAGES 0)']
    uids = posta.dir / 'mail' / posta.domain / 'alice/Maildir/.Half' \
        '/dovecot-uidlist'
    done = b'OK'
    with RawImap(posta.base + 993, ALICE) as other:
        while done.startswith(b'OK'):  # all was copied before we came
            alice.say('DELETE Half')
            alice.ok('CREATE Half')
            tag = alice.begin('COPY 1:* Half')
            wait_until(lambda: other.ok(ask) != nothing, 'its beginning')
            uids.chmod(0o400)
            done = alice.until(tag)[1]
            uids.chmod(0o600)
        assert done.startswith(b'NO [UNAVAILABLE]')
        assert other.ok(ask) == nothing
    assert alice.ok('COPY 1:3 Half') == []
    assert alice.ok(ask) == [b'* STATUS Half (MESSAGES 3)']


def test_copy_that_fails_when_it_looks_again(posta, alice):
    """A file gets another name in the tick of a change of ours, so it is found
    when all others have been copied, and then there is no UID left."""
    maildir = posta.dir / 'mail' / posta.domain / 'alice/Maildir'
    st = maildir.stat()
    for name, count in ('Large', 2000), ('Full', 0):
        folder = maildir / f'.{name}'
        folder.mkdir(mode=0o700)
        os.chown(folder, st.st_uid, st.st_gid)
        fill(folder, count)
    uids = maildir / '.Full/dovecot-uidlist'
    uids.write_text(f'3 V7 N{2 ** 32 - 65538} G{1:032x}\n')
    os.chown(uids, st.st_uid, st.st_gid)

    alice.ok('SELECT Large')
    alice.ok('STORE 9 FLAGS.SILENT (\\Flagged)')
    cur = maildir / '.Large/cur'
    wait_until(lambda: list(cur.glob('1700000008.*:2,F')), 'its name')
    mtime = cur.stat().st_mtime_ns
    file, = cur.glob('1700000001.*')
    file.rename(file.with_name(f'{file.name}S'))
    os.utime(cur, ns=(mtime, mtime))
    assert alice.say('COPY 1:3 Full')[1].startswith(b'NO')
    assert alice.ok('STATUS Full (MESSAGES)') == [b'* STATUS Full (MESSAGES 0)']


def test_names_after_the_last_session(posta, alice):
    """Files get the names that say their flags, also when nobody has the
    mailbox open any more."""
    alice.ok('CREATE Named')
    alice.ok('COPY 1:* Named')
    alice.ok('SELECT Named')
    alice.ok('STORE 1:* +FLAGS.SILENT (\\Flagged)')
    alice.ok('UNSELECT')
    cur = posta.dir / 'mail' / posta.domain / 'alice/Maildir/.Named/cur'
    wait_until(lambda: all(f.name.endswith(':2,F') for f in cur.iterdir()),
               'all names')
    assert len(list(cur.iterdir())) == COUNT
