"""CONDSTORE, QRESYNC (RFC 7162), PARTIAL of FETCH, as raw dialogues."""
import os
import re

import pytest

from harness import Posta
from harness.raw_imap import RawImap, home


@pytest.fixture(scope='module')
def posta():
    users = {f'u{i}': 'secret' for i in range(40)}
    with Posta(users=users) as p:
        p.fresh = iter(users)
        yield p


class User:
    def __init__(self, posta, count):
        self.posta = posta
        self.name = next(posta.fresh)
        self.mail = home(posta, self.name)
        like = self.mail.stat()
        for i in range(count):
            path = self.mail / 'cur' / f'{1700000000 + i}.M{i}P1.host:2,'
            path.write_text(f'Subject: {i + 1}\n\nx\n')
            os.chown(path, like.st_uid, like.st_gid)

    def client(self, enable=''):
        c = RawImap(self.posta.base + 993, f'{self.name}@example.test')
        if enable:
            c.ok(f'ENABLE {enable}')
        return c


@pytest.fixture
def user(posta):
    return User(posta, 10)


def highest(lines):
    found = [m[1] for x in lines
             if (m := re.search(rb'\[HIGHESTMODSEQ (\d+)\]', x))]
    assert len(found) == 1, lines
    return int(found[0])


def code(lines, word):
    return [m[1].decode() for x in lines
            if (m := re.search(rb'\[' + word.encode() + rb' ([^\]]*)\]', x))]


def modseq(line):
    return int(re.search(rb'MODSEQ \((\d+)\)', line)[1])


def parts(line):
    """What a FETCH response has, in any order."""
    body = re.fullmatch(rb'\* (\d+) FETCH \((.*)\)', line)
    return int(body[1]), set(re.findall(
        rb'(\w+ (?:\([^)]*\)|\S+))(?: |$)', body[2]))


def test_select(user):
    with user.client() as c:
        lines = c.ok('SELECT INBOX (CONDSTORE)')
        assert highest(lines) > 0 and code(lines, 'MAILBOXID')
        again = c.ok('EXAMINE INBOX')
        assert highest(again) == highest(lines)
        # it has been announced now: FETCH has mod-sequences
        assert b'MODSEQ' in c.ok('FETCH 1 FLAGS')[0]
    with user.client() as c:
        c.ok('SELECT INBOX')
        assert b'MODSEQ' not in c.ok('FETCH 1 FLAGS')[0]
        c.no('SELECT INBOX (QRESYNC (1 1))', b'BAD')
        c.no('SELECT INBOX (QRESYNC (0 1))', b'BAD')
        c.no('SELECT INBOX (NONSENSE)', b'BAD')
        c.no('UID FETCH 1:* FLAGS (CHANGEDSINCE 1 VANISHED)', b'BAD')


@pytest.mark.parametrize('command', [
    'FETCH 1 MODSEQ', 'FETCH 1 FLAGS (CHANGEDSINCE 1)', 'ENABLE CONDSTORE',
    'ENABLE QRESYNC', 'SEARCH MODSEQ 1', 'STATUS INBOX (HIGHESTMODSEQ)',
    'STORE 1 (UNCHANGEDSINCE 1) +FLAGS.SILENT (x)'])
def test_enabling_commands(user, command):
    with user.client() as c:
        want = highest(c.ok('SELECT INBOX'))
        assert highest(c.ok(command)) == want
        assert b'MODSEQ' in c.ok('FETCH 1 FLAGS')[0]
        assert not code(c.ok(command), 'HIGHESTMODSEQ')


def test_store(user):
    with user.client('CONDSTORE') as c, user.client() as d:
        before = highest(c.ok('SELECT INBOX'))
        d.ok('SELECT INBOX')
        lines = c.ok('STORE 1,3 +FLAGS (\\Flagged)')
        assert [parts(x)[0] for x in lines] == [1, 3]
        assert modseq(lines[0]) == modseq(lines[1]) > before
        first = modseq(lines[0])
        # silent: the mod-sequence alone is told
        lines = c.ok('UID STORE 4 +FLAGS.SILENT (\\Seen)')
        assert len(lines) == 1 and b'FLAGS' not in lines[0]
        second = modseq(lines[0])
        assert second > first
        # no flag changes: no new mod-sequence
        c.ok('STORE 4 +FLAGS.SILENT (\\Seen)')
        assert modseq(c.ok('FETCH 4 MODSEQ')[0]) == second
        # the condition
        untagged, done = c.say(
            f'STORE 1:4 (UNCHANGEDSINCE {first}) +FLAGS.SILENT (\\Draft)')
        assert done.startswith(b'OK [MODIFIED 4]'), done
        assert [parts(x)[0] for x in untagged] == [1, 2, 3]
        untagged, done = c.say(
            f'UID STORE 1:4 (UNCHANGEDSINCE {first}) -FLAGS.SILENT (\\Draft)')
        assert done.startswith(b'OK [MODIFIED 1:4]') or \
            done.startswith(b'OK [MODIFIED 1,2,3,4]'), done
        _, done = c.say('STORE 10 (UNCHANGEDSINCE 0) +FLAGS.SILENT (\\Seen)')
        assert done.startswith(b'OK [MODIFIED 10]'), done
        # the other one, who knows of no mod-sequences, is told of flags
        lines = d.ok('NOOP')
        assert lines and not [x for x in lines if b'MODSEQ' in x]


def test_seen_by_fetch(user):
    with user.client('CONDSTORE') as c:
        before = highest(c.ok('SELECT INBOX'))
        lines = c.ok('FETCH 2 BODY[TEXT]')
        assert len(lines) == 1 and b'\\Seen' in lines[0]
        assert modseq(lines[0]) > before


def test_seen_by_a_fetch_that_fails(user):
    """What is told of flags has its mod-sequence, whatever else fails."""
    with user.client('CONDSTORE') as c:
        c.ok('SELECT INBOX')
        c.literals('APPEND INBOX ', b'Content-Transfer-Encoding: x-own\r\n'
                   b'MIME-Version: 1.0\r\n\r\nx\r\n')
        lines, done = c.say('FETCH 11 BINARY[1]')
        assert done.startswith(b'NO [UNKNOWN-CTE]'), done
        told = [x for x in lines if b'FETCH' in x]
        assert len(told) == 1 and b'\\Seen' in told[0]
        assert b'MODSEQ (' in told[0]


def test_changed_since(user):
    with user.client() as c:
        start = highest(c.ok('SELECT INBOX'))
        c.ok('STORE 2,7:8 +FLAGS.SILENT (\\Flagged)')
        lines = c.ok(f'FETCH 1:* (FLAGS) (CHANGEDSINCE {start})')
        lines = [x for x in lines if b'FETCH' in x]
        assert [parts(x)[0] for x in lines] == [2, 7, 8]
        assert all(b'MODSEQ (' in x for x in lines)
        lines = c.ok(f'UID FETCH 3:7 (FLAGS) (CHANGEDSINCE {start})')
        assert [parts(x)[0] for x in lines] == [7]
        assert c.ok(f'FETCH 1:* UID (CHANGEDSINCE {modseq(lines[0])})') == []
        c.no('FETCH 1 FLAGS (CHANGEDSINCE 0)', b'BAD')


def test_news(user):
    with user.client('QRESYNC') as q, user.client() as c:
        q.ok('SELECT INBOX')
        c.ok('SELECT INBOX')
        c.ok('STORE 5 +FLAGS.SILENT (\\Deleted)')
        line, = q.ok('NOOP')
        assert parts(line)[0] == 5 and b'UID 5' in line and modseq(line)
        c.ok('STORE 6 +FLAGS.SILENT (\\Deleted)')
        c.ok('EXPUNGE')
        # numbers stand still in FETCH, STORE and SEARCH
        assert not [x for x in q.ok('FETCH 1 UID') if b'VANISHED' in x]
        lines = q.ok('NOOP')
        assert lines[0] == b'* VANISHED 5:6' and highest(lines)
        # the tagged reply has the mod-sequence, where it was enabled
        q.ok('STORE 1 +FLAGS.SILENT (\\Deleted)')
        lines, done = q.say('EXPUNGE')
        assert lines == [b'* VANISHED 1'] and highest([done])
        lines, done = q.say('EXPUNGE')
        assert lines == [] and b'HIGHESTMODSEQ' not in done
        assert set(c.ok('NOOP')) >= {b'* 1 EXPUNGE'}
        c.ok('STORE 1 +FLAGS.SILENT (\\Deleted)')
        lines, done = c.say('UID EXPUNGE 2')
        assert lines == [b'* 1 EXPUNGE'] and b'HIGHESTMODSEQ' not in done
        _, done = q.say('CLOSE')
        assert b'HIGHESTMODSEQ' not in done


def test_expunges_that_wait(user):
    """RFC 7162 3.2: what a client may take for all it knows of stays below an
    expunge that it has not been told of, whatever FETCH responses tell."""
    with user.client('QRESYNC') as q, user.client() as c:
        validity = code(q.ok('SELECT INBOX'), 'UIDVALIDITY')[0]
        c.ok('SELECT INBOX')
        c.ok('STORE 5 +FLAGS.SILENT (\\Deleted)')
        c.ok('EXPUNGE')
        c.ok('STORE 1 +FLAGS.SILENT (\\Flagged)')
        for command in ('FETCH 1:2 FLAGS', 'STORE 2 +FLAGS (\\Seen)',
                        'SEARCH ALL', 'STORE 3 +FLAGS.SILENT (\\Seen)'):
            lines = q.ok(command)
            known = highest(lines)
            assert all(modseq(x) > known for x in lines if b'* 1 FETCH' in x)
            with user.client('QRESYNC') as again:
                assert b'* VANISHED (EARLIER) 5' in again.ok(
                    f'SELECT INBOX (QRESYNC ({validity} {known}))')
        lines = q.ok('NOOP')
        assert lines[0] == b'* VANISHED 5'
        known = highest(lines)
        with user.client('QRESYNC') as again:
            lines = again.ok(f'SELECT INBOX (QRESYNC ({validity} {known}))')
            assert not [x for x in lines if b'VANISHED' in x or b'FETCH' in x]
        # what one has expunged oneself never waits, nor do others' flags
        c.ok('STORE 1 +FLAGS.SILENT (\\Seen)')
        assert not code(q.ok('FETCH 1 FLAGS'), 'HIGHESTMODSEQ')
        assert not code(c.ok('FETCH 1 FLAGS'), 'HIGHESTMODSEQ')


def test_resync(user):
    """RFC 7162 3.2.5: a client that was away."""
    with user.client('QRESYNC') as c:
        lines = c.ok('SELECT INBOX')
        validity, since = code(lines, 'UIDVALIDITY')[0], highest(lines)
        c.ok('STORE 2,9 +FLAGS.SILENT (\\Flagged)')
        c.ok('STORE 3,4,8 +FLAGS.SILENT (\\Deleted)')
        c.ok('EXPUNGE')
        lines = c.ok(f'SELECT INBOX (QRESYNC ({validity} {since}))')
        assert b'* OK [CLOSED] Previous mailbox closed' == lines[0]
        assert [x for x in lines if b'VANISHED' in x] == \
            [b'* VANISHED (EARLIER) 3:4,8']
        got = [x for x in lines if b'FETCH' in x]
        assert [parts(x)[0] for x in got] == [2, 6]
        assert all(b'MODSEQ' in x and b'UID' in x and b'\\Flagged' in x
                   for x in got)
        # VANISHED comes before FETCH
        assert lines.index(b'* VANISHED (EARLIER) 3:4,8') < \
            lines.index(got[0])
        # only what it has
        lines = c.ok(f'SELECT INBOX (QRESYNC ({validity} {since} 1:3,8))')
        assert [x for x in lines if b'VANISHED' in x] == \
            [b'* VANISHED (EARLIER) 3,8']
        assert [parts(x)[0] for x in lines if b'FETCH' in x] == [2]
        # with numbers and UIDs that match
        lines = c.ok(f'SELECT INBOX (QRESYNC ({validity} {since} 1:10 '
                     '(1:2,6 1:2,9)))')
        assert b'* VANISHED (EARLIER) 3:4,8' in lines
        # another UIDVALIDITY: nothing of it
        lines = c.ok(f'SELECT INBOX (QRESYNC ({int(validity) + 1} {since}))')
        assert not [x for x in lines if b'VANISHED' in x or b'FETCH' in x]
        # nothing has happened
        now = highest(lines)
        lines = c.ok(f'SELECT INBOX (QRESYNC ({validity} {now}))')
        assert not [x for x in lines if b'VANISHED' in x or b'FETCH' in x]
        # before all history: all UIDs that no message has
        lines = c.ok(f'SELECT INBOX (QRESYNC ({validity} 1))')
        assert [x for x in lines if b'VANISHED' in x] == \
            [b'* VANISHED (EARLIER) 3:4,8']
        assert len([x for x in lines if b'FETCH' in x]) == 7
        # ... but not those below the last match
        lines = c.ok(f'SELECT INBOX (QRESYNC ({validity} 1 1:10 (1,5 1,7)))')
        assert [x for x in lines if b'VANISHED' in x] == \
            [b'* VANISHED (EARLIER) 8']


def test_fetch_vanished(user):
    with user.client('QRESYNC') as c, user.client() as d:
        since = highest(c.ok('SELECT INBOX'))
        d.ok('SELECT INBOX')
        d.ok('STORE 2,5 +FLAGS.SILENT (\\Deleted)')
        d.ok('EXPUNGE')
        d.ok('STORE 1 +FLAGS.SILENT (\\Seen)')
        lines = c.ok(f'UID FETCH 1:4 (FLAGS) (CHANGEDSINCE {since} VANISHED)')
        assert lines[0] == b'* VANISHED 2,5'
        assert b'* VANISHED (EARLIER) 2' in lines
        assert b'* VANISHED (EARLIER) 2,5' in c.ok(
            f'UID FETCH 1:* (FLAGS) (CHANGEDSINCE {since} VANISHED)')


def test_move(user):
    with user.client('QRESYNC') as c:
        c.ok('CREATE Other')
        c.ok('SELECT INBOX')
        lines, done = c.say('UID MOVE 2:3 Other')
        assert b'* VANISHED 2:3' in lines and highest([done])
        assert code(lines, 'COPYUID')


def test_silent_store_that_changes_nothing(user):
    """It is told of to nobody, and nothing else is told again."""
    with user.client() as c:
        c.ok('SELECT INBOX')
        c.ok('STORE 1:3 +FLAGS.SILENT (\\Flagged)')
        assert c.ok('STORE 2 +FLAGS.SILENT (\\Flagged)') == []
        assert c.ok('NOOP') == []


def test_partial(user):
    with user.client() as c:
        c.ok('SELECT INBOX')
        c.ok('STORE 4 +FLAGS.SILENT (\\Deleted)')
        c.ok('EXPUNGE')

        def uids(text):
            return [int(re.search(rb'UID (\d+)', x)[1])
                    for x in c.ok(text) if b'FETCH' in x]
        assert uids('UID FETCH 1:* (UID) (PARTIAL 1:3)') == [1, 2, 3]
        assert uids('UID FETCH 1:* (UID) (PARTIAL 3:5)') == [3, 5, 6]
        assert uids('UID FETCH 1:* (UID) (PARTIAL -1:-2)') == [9, 10]
        assert uids('UID FETCH 2:3,8:4294967295 (UID) (PARTIAL -4:-2)') == \
            [3, 8, 9]
        assert uids('UID FETCH 1:* (UID) (PARTIAL 50:60)') == []
        assert uids('UID FETCH 1:* (UID) (PARTIAL 1:4000000000)') == \
            [1, 2, 3, 5, 6, 7, 8, 9, 10]
        since = highest(c.ok('SELECT INBOX'))
        c.ok('UID STORE 1,9 +FLAGS.SILENT (\\Seen)')
        assert uids(f'UID FETCH 1:* (FLAGS) (PARTIAL -1:-3 '
                    f'CHANGEDSINCE {since})') == [9]
        c.no('FETCH 1:* (UID) (PARTIAL 1:3)', b'BAD')
        c.no('UID FETCH 1:* (UID) (PARTIAL 0:3)', b'BAD')
        c.no('UID FETCH 1:* (UID) (PARTIAL 1:-3)', b'BAD')
