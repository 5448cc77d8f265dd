"""SEARCH, SORT and THREAD: what they find, beside Dovecot on the same mail."""
import imaplib
import os
import random
import re
import shutil
import time

import pytest

from harness import Dovecot, Posta
from harness.mail_client import trusting
from harness.raw_imap import RawImap, home

DAY = 86400
T0 = 1700000000  # 14 Nov 2023 22:13:20 UTC


def message(subject, sender='Anna <anna@one.test>', to='ben@two.test',
            date='Tue, 14 Nov 2023 10:00:00 +0000', body='Hello.', more='',
            mid=None):
    head = f'From: {sender}\nTo: {to}\nSubject: {subject}\n'
    if date:
        head += f'Date: {date}\n'
    if mid:
        head += f'Message-ID: <{mid}>\n'
    return f'{head}{more}\n{body}\n'.encode()


# content, flags in the file's name, age in days before T0
MAILS = [
    (message('First', mid='1@x'), 'S', 0),
    (message('Re: First', sender='Zoe <zoe@one.test>', mid='2@x',
             more='In-Reply-To: <1@x>\nReferences: <1@x>\n'), '', 1),
    (message('=?utf-8?q?Gr=C3=BC=C3=9Fe?= aus K=?iso-8859-1?q?=F6ln?=',
             sender='=?utf-8?b?SsO8cmdlbg==?= <j@two.test>', mid='3@x',
             date='Mon, 13 Nov 2023 23:30:00 -0500'), 'FS', 2),
    (message('coded', more='MIME-Version: 1.0\n'
             'Content-Type: text/plain; charset=utf-8\n'
             'Content-Transfer-Encoding: base64\n',
             body='w5xiZXJyYXNjaHVuZyBpc3QgZ3V0Cg=='), 'RS', 3),
    (message('no date', date=None, more='Cc: Carl <carl@three.test>\n'
             'X-Tag: blue moon\n'), 'T', 4),
    (message('parts', date='Wed, 1 Nov 2023 00:30:00 +0200', more=(
        'MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=b\n'
        'Bcc: hidden@four.test\n'), body=(
        'preamble word\n--b\nContent-Type: text/plain\n\ninner needle\n--b\n'
        'Content-Type: application/octet-stream\nX-Part: partheader\n\n'
        'binaryneedle\n--b--')), 'D', 5),
    (message('big', body='x' * 70 + '\n' + ('line of text\n' * 5000)), '', 6),
    (message('Fwd: [list] First', mid='8@x', more='References: <1@x> <2@x>\n',
             date='Thu, 16 Nov 2023 10:00:00 +0000'), 'FRST', 7),
]


def give(path, like):
    """To the owner of another."""
    st = os.stat(like)
    os.chown(path, st.st_uid, st.st_gid)


def fill(mail, mails):
    for name in 'cur', 'new', 'tmp':
        (mail / name).mkdir(parents=True, exist_ok=True)
    for i, (data, flags, days) in enumerate(mails):
        name = f'{T0 + i}.M{i}P1.host'
        path = mail / 'tmp' / name
        path.write_bytes(data)
        os.utime(path, (T0 - days * DAY,) * 2)
        give(path, mail)
        path.rename(mail / f'cur/{name}:2,{flags}')


@pytest.fixture(scope='module')
def posta():
    with Posta(users={n: 'secret' for n in ('alice', 'bob', 'carl', 'dora', 'erin')},
               settings={'login_tls_auth_only': 'no'}) as p:
        fill(home(p, 'alice'), MAILS)
        yield p


@pytest.fixture(scope='module')
def unindexed():
    """Nothing is made of mail before somebody asks for it."""
    with Posta(users={'bob': 'secret'},
               settings={'login_tls_auth_only': 'no',
                         'imap_search_index': 'no'}) as p:
        yield p


@pytest.fixture
def alice(posta):
    with RawImap(posta.base + 993, 'alice@example.test') as c:
        c.ok('SELECT INBOX')
        yield c


@pytest.fixture(scope='module')
def dovecot():
    with Dovecot(users={'anna': 'secret'}) as peer:
        mail = peer.top / 'mail/anna'
        fill(mail, MAILS)
        if os.getuid() == 0:
            for path in [mail, *mail.rglob('*')]:
                os.chown(path, peer.user.pw_uid, peer.user.pw_gid)
        with RawImap(peer.imaps, 'anna') as c:
            c.ok('SELECT INBOX')
            yield c


def one(lines, word):
    """The response that begins with that word, what follows it."""
    found = [x for x in lines if x.upper().startswith(b'* ' + word.encode())]
    assert len(found) == 1, lines
    return found[0][len(word) + 2:].strip().decode()


def search(c, keys, command='SEARCH'):
    return [int(n) for n in
            one(c.ok(f'{command} {keys}'), command.split()[-1]).split()]


KEYS = [
    'ALL', 'SEEN', 'UNSEEN', 'FLAGGED', 'UNFLAGGED', 'ANSWERED', 'UNANSWERED',
    'DELETED', 'UNDELETED', 'DRAFT', 'UNDRAFT', 'KEYWORD nosuch',
    'UNKEYWORD nosuch', '2:4', '*', '2,4,6:*', 'UID 3:5', 'UID 100:*',
    'NOT 2:4', 'OR SEEN FLAGGED',
    'OR (SEEN 1:3) (NOT SEEN 5:*)', 'NOT NOT NOT SEEN',
    'BEFORE 12-Nov-2023', 'ON 12-Nov-2023', 'SINCE 12-Nov-2023',
    'SENTON 13-Nov-2023', 'SENTSINCE 13-Nov-2023',
    'SENTON 1-Nov-2023', 'NOT SENTSINCE 1-Jan-1990',
    'SENTON 14-Nov-2023', 'LARGER 1000', 'SMALLER 1000', 'LARGER 0',
    'SMALLER 150', 'LARGER 65000',
    'FROM anna', 'FROM ANNA@ONE', 'FROM zoe', 'TO two.test', 'CC carl',
    'BCC hidden', 'SUBJECT first', 'SUBJECT "re: F"',
    'HEADER X-Tag ""', 'HEADER X-Tag moon', 'HEADER Cc ""',
    'HEADER Message-ID 2@x', 'HEADER Date Nov', 'HEADER X-None ""',
    'NOT HEADER X-Tag blue', 'BODY needle', 'BODY "inner needle"',
    'BODY hello', 'TEXT anna', 'TEXT partheader', 'TEXT "blue moon"',
    'NOT BODY hello', 'BODY "line of text"',
    'CHARSET UTF-8 BODY gut', 'OR BODY needle SUBJECT first',
    'SEEN NOT FLAGGED OR FROM anna FROM zoe', '(((ALL)))',
    'SUBJECT list NOT DELETED', 'NEW', 'RECENT', 'OLD',
]


@pytest.mark.parametrize('keys', KEYS)
def test_like_dovecot(alice, dovecot, keys):
    if keys in ('NEW', 'RECENT', 'OLD'):  # who came first has had them
        assert sorted(search(alice, 'NEW') + search(alice, 'NOT NEW')) == \
            search(alice, 'ALL')
        return
    assert search(alice, keys) == search(dovecot, keys)
    assert search(alice, keys, 'UID SEARCH') == search(alice, keys)
    # again, now that the index has what was asked for
    assert search(alice, keys) == search(dovecot, keys)


def random_keys(rng, leaves, depth):
    """A search program, and the messages that it must find."""
    every = set(range(1, len(MAILS) + 1))
    if depth == 0:
        keys = rng.choice(sorted(leaves))
        return f'({keys})', leaves[keys]
    sub = [random_keys(rng, leaves, depth - 1)
           for _ in range(rng.randint(1, 3))]
    found = set.intersection(*(f for _, f in sub))
    text = ' '.join(k for k, _ in sub)
    how = rng.choice(['NOT', 'OR', 'AND'])
    if how == 'NOT':
        return f'NOT ({text})', every - found
    if how == 'OR':
        other, more = random_keys(rng, leaves, depth - 1)
        return f'OR ({text}) {other}', found | more
    return f'({text})', found


def test_nested(alice):
    """NOT, OR and AND of keys find what sets say. (Dovecot 2.3 is wrong about
    a NOT of several keys.)"""
    rng = random.Random(9051)
    leaves = {k: set(search(alice, k)) for k in KEYS
              if k not in ('NEW', 'RECENT', 'OLD') and 'CHARSET' not in k}
    for _ in range(400):
        keys, want = random_keys(rng, leaves, rng.randint(1, 5))
        assert set(search(alice, keys)) == want, keys


def test_unlike_dovecot(alice):
    """Dovecot 2.3 passes over message 1, which is seen and not flagged, and
    has messages without a Date sent before any day."""
    assert search(alice, 'NOT (SEEN FLAGGED)') == [1, 2, 4, 5, 6, 7]
    assert search(alice, 'SENTBEFORE 13-Nov-2023') == [6]
    assert search(alice, 'SENTBEFORE 1-Nov-2023') == []


def literal(c, before, text, after=b''):
    data = text.encode()
    return c.ok(before.encode() + b'{%d+}\r\n' % len(data) + data + after)


@pytest.mark.parametrize('key, text, want', [
    ('SUBJECT', 'grüße', '3'), ('SUBJECT', 'GRÜSSE', ''),
    ('SUBJECT', 'KÖLN', '3'), ('FROM', 'jürgen', '3'),
    ('BODY', 'ÜBERRASCHUNG', '4'), ('TEXT', 'überraschung', '4'),
])
def test_utf8(alice, key, text, want):
    lines = literal(alice, f'SEARCH CHARSET UTF-8 {key} ', text)
    assert one(lines, 'SEARCH') == want


def test_charsets(alice):
    assert b'[BADCHARSET (US-ASCII UTF-8)]' in \
        alice.no('SEARCH CHARSET KOI8-R BODY x')
    assert search(alice, 'CHARSET us-ascii 1') == [1]


def test_text_in_no_charset(posta):
    """Bytes that are no UTF-8 are not found where others of that kind are."""
    with RawImap(posta.base + 993, 'dora@example.test') as c:
        c.ok('CREATE Broken')
        data = b'Subject: =?utf-8?q?=FF?=\r\n\r\nHello.\r\n'
        assert c.literals('APPEND Broken ', data)[1].startswith(b'OK')
        c.ok('SELECT Broken')
        for key in 'SUBJECT ', 'TEXT ', 'CHARSET UTF-8 HEADER Subject ':
            done = c.literals(f'SEARCH {key}', b'\xfe')
            assert done[0] == [] and done[1].startswith(b'BAD '), done
        assert b'[BADCHARSET ' in \
            c.literals('SEARCH CHARSET KOI8-R TEXT ', b'\xfe')[1]
        assert c.literals('SEARCH SUBJECT ', '\ufffd'.encode())[0] == [
            b'* SEARCH 1']
        c.ok('UNSELECT')
        c.ok('DELETE Broken')


def test_dates_with_a_broken_end(posta):
    """RFC 5256 2.2: a zone that is none is UTC, a time that is none midnight;
    SENTON asks for neither. A day that is none has the date of arrival."""
    times = ['10:00:00 +0000', '09:00:00 +12345', '25:00:00 +0000',
             '08:00:00 0100', '10:61:00', '11:00:00 +0000']
    maildir = home(posta, 'bob')
    mail = maildir / '.Dates'
    for path in mail, mail / 'cur', mail / 'new', mail / 'tmp':
        path.mkdir()
        give(path, maildir)
    fill(mail, [(message('x', date=f'Mon, 1 Jan 2024 {t}'), 'S', 0)
                for t in times] +
         [(message('x', date='Mon, 32 Jan 2024 10:00:00'), 'S', 0)])
    with RawImap(posta.base + 993, 'bob@example.test') as c:
        c.ok('SELECT Dates')
        assert search(c, 'SENTON 1-Jan-2024') == [1, 2, 3, 4, 5, 6]
        assert search(c, '(DATE) UTF-8 ALL', 'SORT') == [7, 3, 5, 4, 2, 1, 6]
        c.ok('UNSELECT')
        c.ok('DELETE Dates')


@pytest.mark.parametrize('command, want', [
    ('SEARCH BEFORE 15-Oct-2023', range(32, 601)),
    ('SEARCH SAVEDSINCE 1-Jan-2000', range(1, 601)),
    ('SEARCH OR UNSEEN NOT SINCE 15-Oct-2023', range(32, 601)),
    ('SEARCH YOUNGER 1', []),
    ('SORT (ARRIVAL) UTF-8 ALL', range(600, 0, -1)),
    ('SORT (DATE) UTF-8 ALL', range(600, 0, -1)),
])
def test_dates_of_a_new_index(posta, command, want):
    """Names tell sizes, so nobody has looked at the files when a folder is
    opened for the first time; their dates are found when they are wanted."""
    mail = home(posta, 'erin')
    folder = 'f%d' % len(list(mail.glob('.f*')))
    fill_dated(mail / f'.{folder}', mail)
    with RawImap(posta.base + 993, 'erin@example.test') as c:
        c.ok(f'SELECT {folder}')
        for _ in 'ab':  # the second time the index has them
            found = one(c.ok(command), command.split()[0])
            assert [int(n) for n in found.split()] == list(want)
        lines = b''.join(c.ok('FETCH 1:* (INTERNALDATE)'))
        assert re.findall(rb'INTERNALDATE "([ \d]+)-', lines) == [
            time.strftime('%d', time.gmtime(T0 - i * DAY)).encode()
            for i in range(600)]


def fill_dated(mail, like):
    for name in 'cur', 'new', 'tmp':
        (mail / name).mkdir(parents=True)
        give(mail / name, like)
    give(mail, like)
    for i in range(600):
        path = mail / f'cur/{T0 + i}.M{i}P1.host,S=12,W=14:2,S'
        path.write_bytes(b'X: 1\n\nbody\n')
        os.utime(path, (T0 - i * DAY,) * 2)
        give(path, like)


def test_esearch(alice):
    def ask(text):
        return one(alice.ok(text), 'ESEARCH')
    tag = f'(TAG "a{alice.number + 1}")'
    assert ask('SEARCH RETURN () SEEN') == f'{tag} ALL 1,3:4,8'
    assert ask('UID SEARCH RETURN (MIN MAX COUNT) SEEN').endswith(
        ' UID MIN 1 MAX 8 COUNT 4')
    assert ask('SEARCH RETURN (MIN) KEYWORD none').endswith('")')
    assert ask('SEARCH RETURN (COUNT) KEYWORD none').endswith(' COUNT 0')
    assert ask('SEARCH RETURN (ALL COUNT) 2:5').endswith(' COUNT 4 ALL 2:5')
    assert ask('SEARCH RETURN (PARTIAL 1:2) SEEN').endswith(
        ' PARTIAL (1:2 1,3)')
    assert ask('SEARCH RETURN (PARTIAL -1:-2) SEEN').endswith(
        ' PARTIAL (-1:-2 4,8)')
    assert ask('SEARCH RETURN (PARTIAL 10:20) SEEN').endswith(
        ' PARTIAL (10:20 NIL)')
    assert b'BAD' in alice.no('SEARCH RETURN (ALL PARTIAL 1:2) SEEN')


def test_searchres(alice):
    """RFC 5182's rules for $."""
    assert alice.ok('SEARCH RETURN (SAVE) SEEN') == []
    assert search(alice, '$') == [1, 3, 4, 8]
    assert search(alice, 'UID $') == [1, 3, 4, 8]
    assert search(alice, 'NOT $') == [2, 5, 6, 7]
    assert search(alice, '$ FLAGGED') == [3, 8]
    got = alice.ok('FETCH $ (UID)')
    assert [int(x.split()[1]) for x in got] == [1, 3, 4, 8]
    one(alice.ok('SEARCH RETURN (SAVE MIN) SEEN'), 'ESEARCH')
    assert search(alice, '$') == [1]
    one(alice.ok('SEARCH RETURN (SAVE MIN MAX) SEEN'), 'ESEARCH')
    assert search(alice, '$') == [1, 8]
    one(alice.ok('SEARCH RETURN (SAVE MIN COUNT) SEEN'), 'ESEARCH')
    assert search(alice, '$') == [1, 3, 4, 8]
    one(alice.ok('SEARCH RETURN (SAVE PARTIAL 2:3) SEEN'), 'ESEARCH')
    assert search(alice, '$') == [3, 4]
    one(alice.ok('SEARCH RETURN (SAVE PARTIAL 2:3 MAX) SEEN'), 'ESEARCH')
    assert search(alice, '$') == [3, 4, 8]
    # BAD leaves it as it was, NO empties it
    alice.no('SEARCH RETURN (SAVE) 0', b'BAD')
    assert search(alice, '$') == [3, 4, 8]
    alice.no('SEARCH RETURN (SAVE) CHARSET X-NONE BODY x')
    assert search(alice, '$') == []
    assert alice.ok('FETCH $ UID') == []
    alice.ok('SEARCH RETURN (SAVE) ALL')
    alice.ok('SELECT INBOX')
    assert search(alice, '$') == []


def test_other_keys(alice):
    assert search(alice, 'SAVEDATESUPPORTED') == list(range(1, 9))
    assert search(alice, 'SAVEDBEFORE 1-Jan-2500') == list(range(1, 9))
    assert search(alice, f'YOUNGER {int(time.time()) - T0 + int(1.5 * DAY)}') \
        == [1, 2]
    assert search(alice, f'OLDER {int(time.time()) - T0 + int(5.5 * DAY)}') \
        == [7, 8]
    got = alice.ok('FETCH 3 EMAILID')[0]
    ident = re.search(rb'EMAILID \((\w+)\)', got)[1].decode()
    assert search(alice, f'EMAILID {ident}') == [3]
    assert search(alice, 'EMAILID M00') == []
    assert search(alice, 'THREADID T1') == []
    assert alice.ok('SEARCH 2 THREADID T1') == [b'* SEARCH']


def test_modseq(alice):
    """RFC 7162 3.1.5: the highest one of what was found is told."""
    def modseq(lines):
        return int(re.search(rb'MODSEQ (\d+)', lines[0])[1])
    alice.ok('UID STORE 2 +FLAGS.SILENT (red)')
    first = modseq(alice.ok('SEARCH MODSEQ 1'))
    alice.ok('UID STORE 6 +FLAGS.SILENT (red)')
    got = alice.ok(f'SEARCH MODSEQ {first + 1}')
    assert re.fullmatch(rb'\* SEARCH 6 \(MODSEQ \d+\)', got[0]), got
    second = modseq(got)
    assert second > first
    got = alice.ok('SEARCH RETURN (MIN MAX) MODSEQ "/flags/\\\\Draft" all 1')
    assert got[0].endswith(b'MIN 1 MAX 8 MODSEQ ' + got[0].split()[-1])
    assert alice.ok(f'SEARCH MODSEQ {second + 1}') == [b'* SEARCH']
    assert search(alice, 'KEYWORD red') == [2, 6]
    assert search(alice, 'UNKEYWORD RED') == [1, 3, 4, 5, 7, 8]
    alice.ok('UID STORE 2,6 -FLAGS.SILENT (red)')


@pytest.mark.parametrize('order', [
    'ARRIVAL', 'REVERSE ARRIVAL', 'DATE', 'SUBJECT', 'SUBJECT REVERSE DATE',
    'SIZE', 'REVERSE SIZE', 'FROM', 'TO', 'CC', 'REVERSE SUBJECT FROM'])
def test_sort_like_dovecot(alice, dovecot, order):
    for keys in 'ALL', 'SEEN', 'NOT 2':
        assert search(alice, f'({order}) UTF-8 {keys}', 'SORT') == \
            search(dovecot, f'({order}) UTF-8 {keys}', 'SORT')


def test_sort_more(alice):
    assert search(alice, '(DISPLAYFROM) UTF-8 1:3', 'SORT') == [1, 3, 2]
    assert search(alice, '(DISPLAYTO) UTF-8 1:3', 'UID SORT') == [1, 2, 3]
    got = alice.ok('SORT RETURN (MIN MAX COUNT) (ARRIVAL) UTF-8 1:3')
    assert one(got, 'ESEARCH').endswith('MIN 3 MAX 1 COUNT 3')
    assert search(alice, '(SIZE) UTF-8 KEYWORD none', 'SORT') == []
    alice.no('SORT (SIZE) KOI8-R ALL', b'BADCHARSET')


@pytest.mark.parametrize('how', ['REFERENCES', 'REFS', 'ORDEREDSUBJECT'])
def test_thread(alice, dovecot, how):
    def ask(c, command):
        return one(c.ok(f'{command} {how} UTF-8 ALL'), 'THREAD')
    assert ask(alice, 'UID THREAD') == ask(alice, 'THREAD')
    if how == 'ORDEREDSUBJECT':
        return  # Dovecot has it not
    assert ask(alice, 'THREAD') == ask(dovecot, 'THREAD')


def test_hostile(alice):
    assert b'BAD' in alice.no('SEARCH ' + 'ALL ' * 9999 + 'ALL')
    alice.no('SEARCH ' + 'NOT ' * 5000 + 'SEEN', b'deep')
    alice.no('SEARCH ' + 'OR ' * 5000 + 'SEEN', b'BAD')
    alice.no('SEARCH ' + '(' * 5000 + 'SEEN', b'BAD')
    assert search(alice, 'NOT ' * 40 + 'SEEN') == [1, 3, 4, 8]
    many = [f'NOT BODY nosuchword{i}' for i in range(250)]
    assert search(alice, ' '.join(many)) == list(range(1, 9))
    alice.no('SEARCH ' + ' '.join([*many, 'SUBJECT x']), b'NO [LIMIT]')
    either = 'OR SEEN ' * 45 + 'FLAGGED'
    assert search(alice, either) == [1, 3, 4, 8]
    text = 'x' * 1100000
    lines = alice.say(b'SEARCH BODY {%d+}\r\n' % len(text) + text.encode())
    assert b'NO [LIMIT]' in lines[1] or b'BAD' in lines[1]
    assert search(alice, '1') == [1]
    assert alice.ok('SEARCH 9') == [b'* SEARCH']  # RFC 7377 2
    for broken in ('', 'ON', 'ON 31-Foo-2020', 'LARGER x', 'HEADER a',
                   'RETURN (', 'RETURN (SAVE', 'CHARSET', 'OR SEEN', '(SEEN',
                   'UID', 'UID 0', 'MODSEQ', 'YOUNGER 0', '1,,2'):
        assert b'BAD' in alice.no(f'SEARCH {broken}')


def test_empty_mailbox(posta):
    with RawImap(posta.base + 993, 'bob@example.test') as c:
        c.ok('SELECT INBOX')
        assert search(c, 'ALL') == []
        assert search(c, 'UID 1:*') == []
        assert one(c.ok('SEARCH RETURN (ALL COUNT) ALL'),
                   'ESEARCH').endswith('") COUNT 0')
        assert c.ok('THREAD REFERENCES UTF-8 ALL') == [b'* THREAD']
        assert c.ok('SORT (DATE) UTF-8 ALL') == [b'* SORT']


def test_expunged_meanwhile(posta):
    """Numbers stand still in SEARCH; what is gone is not found, and "$" names
    the messages that it named before."""
    fill(home(posta, 'carl'), MAILS)
    with RawImap(posta.base + 993, 'carl@example.test') as a, \
            RawImap(posta.base + 993, 'carl@example.test') as b:
        a.ok('SELECT INBOX')
        b.ok('SELECT INBOX')
        a.ok('SEARCH RETURN (SAVE) BODY hello')  # 1 2 3 5 8
        b.ok('UID STORE 2,3 +FLAGS.SILENT (\\Deleted)')
        b.ok('UID EXPUNGE 2,3')
        got = a.ok('SEARCH BODY hello')
        assert not [x for x in got if b'EXPUNGE' in x]
        assert got[0] == b'* SEARCH 1 5 8'
        got = a.ok('UID SEARCH $')
        assert got[0] == b'* SEARCH 1 5 8'
        assert got[1:] == [b'* 2 EXPUNGE', b'* 2 EXPUNGE']
        assert a.ok('SEARCH $') == [b'* SEARCH 1 3 6']
        assert [x.split()[1] for x in a.ok('FETCH $ UID')] == \
            [b'1', b'3', b'6']


def test_large(posta):
    """A search through 10,000 messages lets others work meanwhile."""
    rng = random.Random(1)
    mail = home(posta, 'dora')
    words = [f'word{i}' for i in range(200)]
    fill(mail, [(message(f'Number {i}', sender=f'u{i % 50}@one.test',
                         body=' '.join(rng.choices(words, k=300))),
                 'S' if i % 3 else '', i % 400) for i in range(10000)])
    with RawImap(posta.base + 993, 'dora@example.test') as a, \
            RawImap(posta.base + 993, 'dora@example.test') as b:
        a.ok('SELECT INBOX')
        b.ok('SELECT INBOX')
        tag = a.begin('SEARCH RETURN (COUNT) BODY nosuchwordatall')
        for i in range(20):
            b.ok(f'FETCH {i + 1} (FLAGS)')
        b.ok('STORE 1 +FLAGS.SILENT (\\Flagged)')
        lines, done = a.until(tag)
        assert done.startswith(b'OK') and \
            one(lines, 'ESEARCH').endswith('COUNT 0')
        assert search(a, 'FLAGGED') == [1]
        assert search(a, 'FROM u7@one') == list(range(8, 10001, 50))
        assert search(a, 'SUBJECT "Number 9999"') == [10000]
        assert len(search(a, 'UNSEEN')) == 3334
        order = search(a, '(REVERSE SUBJECT) UTF-8 UNSEEN', 'SORT')
        assert len(order) == 3334 and order[0] == 10000
        assert one(a.ok('THREAD REFERENCES UTF-8 ALL'), 'THREAD').count('(') \
            >= 10000
        # a client that goes away in the middle
        a.begin('SEARCH BODY nosuchwordatall')
    with RawImap(posta.base + 993, 'dora@example.test') as a:
        a.ok('SELECT INBOX')
        assert search(a, '5') == [5]
    shutil.rmtree(mail, ignore_errors=True)


@pytest.mark.parametrize('command', [
    'THREAD REFERENCES UTF-8 ALL', 'SORT (SUBJECT) UTF-8 ALL',
    'STATUS {} (SIZE)', 'LIST "" {} RETURN (STATUS (SIZE))',
    'SEARCH' + ''.join(f' NOT TO nobody{i}' for i in range(200))])
def test_others_have_their_turn(unindexed, command):
    """Two commands wait for the user's process, a long one and one of another
    session: what that one did is news in the answer of the first."""
    posta = unindexed
    box = re.sub(r'\W', '', command)[:30]
    mail = home(posta, 'bob') / f'.{box}'
    many = 'To: ' + ',\n '.join(f'u{i}@two.test' for i in range(1000)) + '\n'
    fill(mail, [(message(f'{i}', body='text\n' * 20000), 'S', i)
                for i in range(400)] + [(message('all', more=many * 200),
                                         'S', 0)])
    give(mail, mail.parent)

    def session():
        c = RawImap(posta.base + 143, 'bob@example.test', clear=True)
        c.ok(f'SELECT {box}')
        return c

    with session() as a, session() as b:
        with posta.stopped('imapd'):
            long = a.begin(command.format(box))
            short = b.begin('STORE 1 +FLAGS (\\Flagged)')
        lines, done = a.until(long)
        assert b.until(short)[1].startswith(b'OK')
        assert done.startswith(b'OK')
        assert b'* 1 FETCH (FLAGS (\\Flagged \\Seen))' in lines
    shutil.rmtree(mail, ignore_errors=True)


def test_imaplib(posta):
    """A client that others have written."""
    with imaplib.IMAP4_SSL('127.0.0.1', posta.base + 993,
                           ssl_context=trusting()) as c:
        c.login('alice@example.test', 'secret')
        assert {'SORT', 'CONDSTORE', 'ESEARCH'} <= \
            set(c.capability()[1][0].decode().split())
        c.select(readonly=True)
        assert c.search(None, 'SEEN', 'FROM', '"anna"') == \
            ('OK', [b'1 4 8'])
        assert c.uid('SEARCH', 'CHARSET', 'UTF-8', 'SUBJECT', 'list') == \
            ('OK', [b'8'])
        assert c.sort('REVERSE SIZE', 'UTF-8', 'ALL')[1][0].startswith(b'7 ')
        assert c.thread('REFERENCES', 'UTF-8', '1:2') == ('OK', [b'(1 2)'])
