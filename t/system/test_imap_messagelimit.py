"""MESSAGELIMIT (RFC 9738): what one command may work on."""
import re

import pytest

from harness import Posta, examples
from harness.raw_imap import RawImap

CUT = b'[MESSAGELIMIT 1000 501] '


@pytest.fixture(scope='module')
def posta():
    users = {f'u{i}': 'secret' for i in range(40)}
    with Posta(users=users, settings={'imap_message_limit': '1000'}) as p:
        p.fresh = iter(users)
        yield p


def fill(posta, uids):
    """How to connect as a user with these messages in INBOX, and Other."""
    name = next(posta.fresh)
    path, owner = examples.home(posta, name)
    examples.prepare(path, owner, [('mailbox', f'INBOX : {uids}'),
                                   ('mailbox', 'Other : 1')])

    def connect(*first):
        c = RawImap(posta.base + 993, f'{name}@example.test')
        for command in first:
            c.ok(command)
        return c
    return connect


@pytest.fixture
def user(posta):
    return fill(posta, '1:1500')


def part(c, command):
    """The untagged responses of a command that is done in part."""
    untagged, done = c.say(command)
    assert done.startswith(b'OK ' + CUT), (command, done)
    return untagged


def numbers(lines, word):
    return [int(m[1]) for x in lines
            if (m := re.match(rb'\* (\d+) %s\b' % word, x))]


def uids(lines):
    return [int(re.search(rb'UID (\d+)', x)[1]) for x in lines
            if b'FETCH (' in x]


def status(c, box, item):
    return int(re.search(rb'(\d+)\)$', c.ok(f'STATUS {box} ({item})')[0])[1])


DOWN = list(range(1500, 500, -1))


def test_announced(user):
    with user() as c:
        words = c.ok('CAPABILITY')[0].split()
        assert b'MESSAGELIMIT=1000' in words
        assert not [w for w in words if w.startswith(b'SAVELIMIT')]


def test_off():
    with Posta(users={'u': 'secret'}) as posta:
        posta.fresh = iter('u')
        with fill(posta, '1:1500')('SELECT INBOX') as c:
            assert b'LIMIT=1' not in c.ok('CAPABILITY')[0].replace(
                b'APPENDLIMIT', b'')
            lines, done = c.say('FETCH 1:* UID')
            assert uids(lines) == list(range(1, 1501))
            assert done == b'OK Fetched'


def test_fetch(user):
    with user('SELECT INBOX') as c:
        assert uids(part(c, 'FETCH 1:* UID')) == DOWN
        assert uids(part(c, 'UID FETCH 1:* FLAGS')) == DOWN
        assert uids(c.ok('UID FETCH 1:500 FLAGS')) == list(range(1, 501))
        assert uids(c.ok('FETCH 501:* UID')) == DOWN[::-1]
        # Ranges with nothing in them, and messages that are named twice.
        lines, done = c.say('UID FETCH 1:200,300:301,700:1600,800,2000:* UID')
        assert done.startswith(b'OK [MESSAGELIMIT 1000 4] '), done
        assert uids(lines) == [*range(1500, 699, -1), 301, 300,
                               *range(200, 3, -1)]
        # Bodies, which take many turns; and nothing is left of the limit.
        lines = part(c, 'FETCH 1:* (UID BODY[])')
        assert [int(x) for x in re.findall(
            rb'Subject: (\d+)', b''.join(lines))] == DOWN
        assert c.say('NOOP') == ([], b'OK Nothing done')


def test_fetch_partial(user):
    with user('SELECT INBOX') as c:
        done = c.no('UID FETCH 1:* FLAGS (PARTIAL 1:1001)')
        assert done.startswith(b'NO [MESSAGELIMIT 1000] ')
        assert uids(c.ok('UID FETCH 1:* FLAGS (PARTIAL 1:1000)')) == \
            list(range(1, 1001))
        assert uids(c.ok('UID FETCH 1:300 FLAGS (PARTIAL -1:-1500)')) == \
            list(range(1, 301))


def test_fetch_expunged(user):
    with user('SELECT INBOX') as c, user('SELECT INBOX') as other:
        other.ok('STORE 900 +FLAGS.SILENT (\\Deleted)')
        other.ok('EXPUNGE')
        lines, done = c.say('FETCH 1:* UID')
        assert done.startswith(b'OK [EXPUNGEISSUED] ')
        assert lines[-1].startswith(b'* NO ' + CUT)
        assert uids(lines) == [x for x in DOWN if x != 900]


def test_changed_since(user):
    with user('SELECT INBOX (CONDSTORE)') as c:
        since = re.search(rb'HIGHESTMODSEQ (\d+)',
                          b''.join(c.ok('STATUS INBOX (HIGHESTMODSEQ)')))[1]
        c.ok('UID STORE 200:210 +FLAGS.SILENT (\\Flagged)')
        # What has changed counts.
        changed = f'UID FETCH 1:* FLAGS (CHANGEDSINCE {since.decode()})'
        assert uids(c.ok(changed)) == list(range(200, 211))
        c.ok('UID STORE 1:750 +FLAGS.SILENT (\\Answered)')
        c.ok('UID STORE 751:1500 +FLAGS.SILENT (\\Answered)')
        assert uids(part(c, changed)) == DOWN
    # SELECT tells everything.
    with user('ENABLE QRESYNC') as c:
        validity = status(c, 'INBOX', 'UIDVALIDITY')
        lines = c.ok(f'SELECT INBOX (QRESYNC ({validity} {since.decode()}))')
        assert uids(lines) == list(range(1, 1501))


def test_store(user):
    with user('SELECT INBOX') as c:
        lines = part(c, 'STORE 1:* +FLAGS (\\Seen)')
        assert numbers(lines, b'FETCH') == DOWN
        assert status(c, 'INBOX', 'UNSEEN') == 500
        assert part(c, 'STORE 1:* +FLAGS.SILENT (\\Flagged)') == []
        assert c.ok('SEARCH 501:* UNFLAGGED') == [b'* SEARCH']
        assert len(c.ok('SEARCH 1:500 UNFLAGGED')[0].split()) == 502
        lines = c.ok('UID STORE 1:500 +FLAGS (\\Seen)')
        assert numbers(lines, b'FETCH') == list(range(1, 501))
        assert status(c, 'INBOX', 'UNSEEN') == 0


def test_store_unchanged_since(user):
    with user('SELECT INBOX (CONDSTORE)') as c:
        since = status(c, 'INBOX', 'HIGHESTMODSEQ')
        c.ok('UID STORE 300,900 +FLAGS.SILENT (\\Seen)')
        lines, done = c.say(
            f'UID STORE 1:* (UNCHANGEDSINCE {since}) +FLAGS.SILENT (\\Draft)')
        assert done.startswith(b'OK [MODIFIED 900] ')
        assert lines[-1].startswith(b'* NO ' + CUT)
        assert uids(lines) == [x for x in DOWN if x != 900]


def test_copy(user):
    with user('SELECT INBOX') as c:
        for command in 'COPY 1:*', 'UID COPY 1:*':
            assert c.no(command + ' Other').startswith(b'NO ' + CUT)
        assert c.no('COPY 1:1001 Other').startswith(b'NO [MESSAGELIMIT 1000 2]')
        assert status(c, 'Other', 'MESSAGES') == 1
        c.ok('COPY 1:1000 Other')
        assert status(c, 'Other', 'MESSAGES') == 1001


def test_move(user):
    with user('SELECT INBOX') as c:
        lines = part(c, 'UID MOVE 1:* Other')
        assert re.match(rb'\* OK \[COPYUID \d+ 501:1500 2:1001\]', lines[0])
        assert numbers(lines, b'EXPUNGE') == DOWN
        lines = c.ok('UID MOVE 1:* Other')
        assert numbers(lines, b'EXPUNGE') == [1] * 500
        assert status(c, 'Other', 'MESSAGES') == 1501
        assert status(c, 'INBOX', 'MESSAGES') == 0


def test_uid_expunge(posta):
    """The \\Deleted ones count, and both go from the highest down."""
    connect = fill(posta, '1:200/T 201:300 301:1400/T 1401:1410')
    with connect('SELECT INBOX') as c:
        c.ok('UID EXPUNGE 1:450')
        lines, done = c.say('UID EXPUNGE 1:*')
        assert done == b'OK Expunged'
        assert status(c, 'INBOX', 'MESSAGES') == 110
    connect = fill(posta, '1:700/T 701:710 711:1510/T 1511')
    with connect('SELECT INBOX') as c:
        lines, done = c.say('UID EXPUNGE 1:*')
        assert done.startswith(b'OK [MESSAGELIMIT 1000 501] ')
        assert numbers(lines, b'EXPUNGE') == \
            [*range(1510, 710, -1), *range(700, 500, -1)]
        lines, done = c.say('UID EXPUNGE 1:*')
        assert done == b'OK Expunged'
        assert numbers(lines, b'EXPUNGE') == [1] * 500


def test_uid_expunge_qresync(posta):
    with fill(posta, '1:1500/T')('ENABLE QRESYNC', 'SELECT INBOX') as c:
        lines, done = c.say('UID EXPUNGE 1:*')
        assert done.startswith(b'OK [HIGHESTMODSEQ ')
        assert lines == [b'* VANISHED 501:1500',
                         b'* NO ' + CUT + b'There is more to do']


@pytest.mark.parametrize('command', ['EXPUNGE', 'CLOSE'])
def test_not_limited(posta, command):
    with fill(posta, '1:1500/T 1501')('SELECT INBOX') as c:
        assert status(c, 'INBOX', 'UNSEEN') == 1501
        c.ok(command)
        assert status(c, 'INBOX', 'MESSAGES') == 1


def test_search(user):
    with user('SELECT INBOX') as c:
        assert part(c, 'SEARCH ALL') == \
            [b'* SEARCH ' + b' '.join(b'%d' % x for x in DOWN[::-1])]
        assert part(c, 'UID SEARCH SUBJECT 600') == [b'* SEARCH 600']
        assert part(c, 'SEARCH SUBJECT 400') == [b'* SEARCH 1400']
        for command in 'SEARCH UIDBEFORE 501 SUBJECT 400', \
                'UID SEARCH UID 1:2000 SUBJECT 400 UIDBEFORE 501', \
                'UID SEARCH (UIDAFTER 300 UIDBEFORE 1301) SUBJECT 400':
            untagged, done = c.say(command)
            assert untagged == [b'* SEARCH 400'] and b'LIMIT' not in done
        assert c.ok('SEARCH UIDBEFORE 1') == [b'* SEARCH']
        assert c.ok('SEARCH UIDAFTER 1500') == [b'* SEARCH']
        assert c.ok('SEARCH UIDAFTER 4294967295') == [b'* SEARCH']
        assert c.ok('SEARCH UIDAFTER 600 UIDBEFORE 602') == [b'* SEARCH 601']
        c.no('SEARCH UIDAFTER 0', b'BAD')
        c.no('SEARCH UIDBEFORE *', b'BAD')
        assert part(c, 'SEARCH RETURN (MIN MAX COUNT) ALL')[0].endswith(
            b' MIN 501 MAX 1500 COUNT 1000')
        assert part(c, 'UID SEARCH RETURN (PARTIAL -1:-2) ALL')[0].endswith(
            b'PARTIAL (-1:-2 1499:1500)')


def test_saved(user):
    with user('SELECT INBOX') as c:
        assert part(c, 'SEARCH RETURN (SAVE) ALL') == []
        assert c.ok('SEARCH RETURN (COUNT MIN) $')[0].endswith(
            b' MIN 501 COUNT 1000')
        c.ok('SEARCH RETURN (SAVE) UIDBEFORE 501')
        assert uids(c.ok('FETCH $ UID')) == list(range(1, 501))


def test_sort_thread(user):
    with user('SELECT INBOX') as c:
        assert c.ok('SORT (REVERSE ARRIVAL) UTF-8 1:1500')[0].count(b' ') == \
            1501
        done = c.no('THREAD REFERENCES UTF-8 ALL')
        assert done.startswith(b'NO [MESSAGELIMIT 1000] ')
        c.ok('UID THREAD REFERENCES UTF-8 UIDAFTER 500')


def test_esearch(user):
    """It is none of the commands that are limited."""
    with user('SELECT INBOX') as c:
        assert c.ok('ESEARCH IN (personal) RETURN (COUNT) SUBJECT 1')


def test_uidonly(user):
    with user('ENABLE UIDONLY', 'SELECT INBOX') as c:
        lines = part(c, 'UID FETCH 1:* FLAGS')
        assert numbers(lines, b'UIDFETCH') == DOWN
        lines = part(c, 'UID STORE 1:* +FLAGS (\\Deleted)')
        assert numbers(lines, b'UIDFETCH') == DOWN
        assert c.ok('UIDBATCHES 1500')[0].endswith(b' 1500:1')


def test_uidbatches_too_often(user):
    """RFC 10022 3.1.1"""
    with user('SELECT INBOX') as c:
        first = c.ok('UIDBATCHES 1000')
        assert first[0].endswith(b' 1500:501,500:1')
        c.no('UIDBATCHES 1000', b'[LIMIT]')
        c.ok('UIDBATCHES 1000 2:2')  # other ones
        c.ok('UIDBATCHES 1000')
        c.ok('STORE 1:500 +FLAGS.SILENT (\\Deleted)')
        c.ok('EXPUNGE')
        c.no('UIDBATCHES 1000', b'[LIMIT]')
        c.ok('STORE 1 +FLAGS.SILENT (\\Deleted)')
        c.ok('EXPUNGE')
        c.ok('UIDBATCHES 1000')
        c.no('UIDBATCHES 1000', b'[LIMIT]')
        c.ok('SELECT INBOX')
        c.ok('UIDBATCHES 1000')


def append(c, count):
    pieces = b''.join(b' {6+}\r\nX: 1\r\n' for _ in range(count))
    return c.say(b'APPEND Other' + pieces)


def test_append(user):
    with user() as c:
        untagged, done = append(c, 1001)
        assert done.startswith(b'NO [MESSAGELIMIT 1000] '), done
        assert status(c, 'Other', 'MESSAGES') == 1
        untagged, done = append(c, 1000)
        assert done.startswith(b'OK [APPENDUID '), done
        assert status(c, 'Other', 'MESSAGES') == 1001


def test_larger_limit():
    """More messages than an APPEND may bring otherwise."""
    with Posta(users={'u': 'secret'},
               settings={'imap_message_limit': '1200'}) as posta:
        posta.fresh = iter('u')
        with fill(posta, '1')() as c:
            untagged, done = append(c, 1201)
            assert done.startswith(b'NO [MESSAGELIMIT 1200] '), done
            untagged, done = append(c, 1200)
            assert done.startswith(b'OK [APPENDUID '), done
        posta.set(imap_message_limit='999')
        done = posta.posta('check', check=False)
        assert done.returncode and \
            '999 is not from 1000 to 10000' in done.stdout + done.stderr
