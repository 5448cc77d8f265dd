"""ESEARCH: one search in many mailboxes (RFC 7377)."""
import re

import pytest

from harness import Posta
from harness.raw_imap import RawImap


@pytest.fixture(scope='module')
def posta():
    with Posta(users={n: 'secret' for n in ('anna', 'ben', 'carl')}) as p:
        yield p


def client(posta, user):
    return RawImap(posta.base + 993, f'{user}@example.test')


def put(c, mailbox, subject, flags='', body='text'):
    data = f'From: x@y.test\r\nSubject: {subject}\r\n\r\n{body}\r\n'.encode()
    _, end = c.literals(f'APPEND "{mailbox}" ({flags}) ', data)
    assert end.startswith(b'OK'), end


def found(c, command):
    """What is found, by mailbox."""
    tag = c.begin(command)
    untagged, end = c.until(tag)
    assert end.startswith(b'OK'), (command, untagged, end)
    out = {}
    for line in untagged:
        m = re.fullmatch(rb'\* ESEARCH \(TAG "(\w+)" MAILBOX ("[^"]*"|\S+) '
                         rb'UIDVALIDITY ([1-9]\d*)\) UID( .*)?', line)
        if m is None and re.match(rb'\* (\d+ |OK \[HIGHESTMODSEQ)', line):
            continue
        assert m and m[1].decode() == tag, line
        name = m[2].strip(b'"').decode()
        assert name not in out
        out[name] = (m[4] or b'').strip().decode()
    return out


@pytest.fixture(scope='module')
def anna(posta):
    """Some folders: "folder2" has two levels below it."""
    with client(posta, 'anna') as c:
        for name in ('folder1', 'folder2', 'folder2/banana', 'folder2/peach',
                     'folder2/banana/skin', 'folder20', 'empty'):
            c.ok(f'CREATE {name}')
        for name, count in (('INBOX', 2), ('folder1', 5),
                            ('folder2/banana', 3), ('folder2/peach', 1),
                            ('folder2/banana/skin', 1), ('folder20', 1)):
            for i in range(count):
                put(c, name, 'chad' if i % 2 else 'other',
                    flags='\\Seen' if i == 2 else '')
        c.ok('SUBSCRIBE folder1')
        c.ok('SUBSCRIBE folder2/peach')
        c.ok('SUBSCRIBE nowhere')
        assert b' MULTISEARCH' in c.ok('CAPABILITY')[0]
        yield c


def test_examples(anna):
    """RFC 7377 3: two at once, told apart by their tags."""
    one = anna.begin('ESEARCH IN (mailboxes "folder1" subtree "folder2") '
                     'unseen')
    two = anna.begin('ESEARCH IN (mailboxes "folder1" subtree-one "folder2") '
                     'subject "chad"')
    lines, end = anna.until(one)
    assert end.startswith(b'OK')
    assert [re.sub(rb'UIDVALIDITY \d+', b'UIDVALIDITY', x) for x in lines] == [
        b'* ESEARCH (TAG "%s" MAILBOX %s UIDVALIDITY) UID ALL %s' % (
            one.encode(), name, ids) for name, ids in (
                (b'folder1', b'1:2,4:5'), (b'folder2/banana', b'1:2'),
                (b'folder2/banana/skin', b'1'), (b'folder2/peach', b'1'))]
    lines, end = anna.until(two)
    assert end.startswith(b'OK')
    assert [re.sub(rb'UIDVALIDITY \d+', b'UIDVALIDITY', x) for x in lines] == [
        b'* ESEARCH (TAG "%s" MAILBOX %s UIDVALIDITY) UID ALL %s' % (
            two.encode(), name, ids) for name, ids in (
                (b'folder1', b'2,4'), (b'folder2/banana', b'2'))]


@pytest.mark.parametrize('source, names', [
    ('personal', 'INBOX folder1 folder2/banana folder2/banana/skin '
                 'folder2/peach folder20'),
    ('inboxes', 'INBOX folder1 folder2/banana folder2/banana/skin '
                'folder2/peach folder20'),
    ('subscribed', 'folder1 folder2/peach'),
    ('subtree folder2', 'folder2/banana folder2/banana/skin folder2/peach'),
    ('subtree-one folder2', 'folder2/banana folder2/peach'),
    ('subtree (folder1 folder2/banana)',
     'folder1 folder2/banana folder2/banana/skin'),
    ('mailboxes inbox', 'INBOX'),
    ('mailboxes (folder1 folder1 "INBOX")', 'INBOX folder1'),
    ('mailboxes folder1 subtree folder2 personal',
     'INBOX folder1 folder2/banana folder2/banana/skin folder2/peach '
     'folder20'),
    # no wildcards, and what is not there or no name at all is passed over
    ('mailboxes ("folder%" "*" nowhere "folder1" "a//b" "&&&")', 'folder1'),
    ('subtree nowhere', ''),
])
def test_sources(anna, source, names):
    assert sorted(found(anna, f'ESEARCH IN ({source}) ALL')) == names.split()


def test_results(anna):
    assert found(anna, 'ESEARCH IN (mailboxes (folder1 folder2)) '
                 'RETURN (MIN MAX COUNT ALL) SUBJECT chad') == {
        'folder1': 'MIN 2 MAX 4 COUNT 2 ALL 2,4'}
    # nothing is said of a mailbox without messages that fit
    assert found(anna, 'ESEARCH IN (personal) RETURN (COUNT) SUBJECT '
                 'nothing') == {}
    assert found(anna, 'ESEARCH IN (personal) RETURN (COUNT) SEEN') == {
        'folder1': 'COUNT 1', 'folder2/banana': 'COUNT 1'}
    # PARTIAL is of each mailbox
    assert found(anna, 'ESEARCH IN (subtree "") RETURN (PARTIAL 1:2) ALL'
                 ) == {}
    assert found(anna, 'ESEARCH IN (mailboxes (INBOX folder1)) RETURN '
                 '(PARTIAL -1:-2 COUNT) ALL') == {
        'INBOX': 'COUNT 2 PARTIAL (-1:-2 1:2)',
        'folder1': 'COUNT 5 PARTIAL (-1:-2 4:5)'}
    # numbers are those of each mailbox; those that are too high are none
    assert found(anna, 'ESEARCH IN (personal) 2:3') == {
        'INBOX': 'ALL 2', 'folder1': 'ALL 2:3', 'folder2/banana': 'ALL 2:3'}
    assert found(anna, 'UID ESEARCH IN (mailboxes folder1) 4:200') == {
        'folder1': 'ALL 4:5'}
    assert found(anna, 'ESEARCH IN (mailboxes (folder1 empty)) *') == {
        'folder1': 'ALL 5'}
    # what must be looked for in messages
    put(anna, 'folder2', 'a needle', body='in a haystack')
    assert found(anna, 'ESEARCH IN (personal) BODY haystack') == {
        'folder2': 'ALL 1'}
    assert found(anna, 'ESEARCH IN (personal) TEXT needle') == {
        'folder2': 'ALL 1'}
    assert found(anna, 'ESEARCH IN (personal) CHARSET UTF-8 LARGER 1 HEADER '
                 'SUBJECT needle') == {'folder2': 'ALL 1'}
    anna.no('ESEARCH IN (personal) CHARSET KOI8-R ALL', b'BADCHARSET')


def test_states(posta, anna):
    """Selected or not; and "$"."""
    anna.no('ESEARCH ALL', b'BAD')
    anna.no('ESEARCH IN (selected) ALL', b'BAD')
    anna.no('ESEARCH IN (personal selected) ALL', b'BAD')
    anna.no('ESEARCH IN (selected-delayed) ALL', b'BAD')
    anna.no('ESEARCH IN () ALL', b'BAD')
    anna.no('ESEARCH IN (personal (x 1)) ALL', b'BAD')
    anna.no('ESEARCH IN (nonsense) ALL', b'BAD')
    anna.no('ESEARCH IN (personal)', b'BAD')
    anna.ok('SELECT folder1')
    assert found(anna, 'ESEARCH SUBJECT chad') == {'folder1': 'ALL 2,4'}
    assert found(anna, 'UID ESEARCH SUBJECT "chad" 1:3') == {
        'folder1': 'ALL 2'}
    assert found(anna, 'ESEARCH FROM "frobozz" 101:200') == {}
    assert found(anna, 'ESEARCH IN (selected) ALL') == {'folder1': 'ALL 1:5'}
    # the selected one once, whoever means it
    assert found(anna, 'ESEARCH IN (selected mailboxes (folder1 INBOX)) '
                 'RETURN (COUNT) ALL') == {
        'folder1': 'COUNT 5', 'INBOX': 'COUNT 2'}
    # nothing happens to what is selected
    assert anna.ok('FETCH 5 UID') == [b'* 5 FETCH (UID 5)']
    assert found(anna, 'ESEARCH RETURN (SAVE COUNT) SUBJECT other') == {
        'folder1': 'COUNT 3'}
    assert found(anna, 'ESEARCH IN (selected) RETURN (SAVE) UID $ 3:4') == {}
    assert anna.ok('FETCH $ UID') == [b'* 3 FETCH (UID 3)']
    anna.no('ESEARCH IN (personal) RETURN (SAVE) ALL', b'BAD')
    anna.no('ESEARCH IN (selected personal) RETURN (SAVE) ALL', b'BAD')
    anna.no('ESEARCH IN (personal) OR SEEN NOT UID $', b'BAD')
    assert anna.ok('FETCH $ UID') == [b'* 3 FETCH (UID 3)']
    assert anna.ok('SEARCH 4:99') == [b'* SEARCH 4 5']
    with client(posta, 'anna') as other:
        other.ok('SELECT folder1')
        other.ok('STORE 1 +FLAGS.SILENT (\\Deleted)')
        other.ok('EXPUNGE')
    # until it is told, the view has its numbers
    assert found(anna, 'ESEARCH 2') == {'folder1': 'ALL 2'}
    anna.ok('UNSELECT')


def test_modes(posta, anna):
    """Names and numbers as the client reads them."""
    with client(posta, 'ben') as c:
        c.ok('CREATE "&AOk-t&AOk-"')
        put(c, '&AOk-t&AOk-', 'summer')
        assert found(c, 'ESEARCH IN (mailboxes "&AOk-t&AOk-") ALL') == {
            '&AOk-t&AOk-': 'ALL 1'}
        lines = c.ok('ESEARCH IN (personal) MODSEQ 1')
        assert lines[0].endswith(b' UID ALL 1 MODSEQ 2') or \
            re.search(rb'ALL 1 MODSEQ \d+$', lines[0])
        c.ok('ENABLE IMAP4rev2 UTF8=ACCEPT UIDONLY')
        lines = c.ok('ESEARCH IN (subtree "\u00e9t\u00e9") ALL'.encode())
        assert 'MAILBOX "été" UIDVALIDITY'.encode() in lines[0]
        c.no('ESEARCH IN (personal) 1:2', b'UIDREQUIRED')


def test_many(posta):
    """300 mailboxes and 30 messages in each; others go on meanwhile."""
    with client(posta, 'carl') as c, client(posta, 'carl') as other:
        c.ok('CREATE first')
        for i in range(30):
            put(c, 'first', f'message {i}', body=f'word{i} ' * 2000)
        c.ok('SELECT first')
        for i in range(300):
            c.ok(f'CREATE box{i}')
            c.ok(f'COPY 1:* box{i}')
        tag = c.begin('ESEARCH IN (personal) RETURN (COUNT) BODY word7')
        while c.response().startswith(b'* ESEARCH'):
            other.ok('NOOP')
            break
        untagged, end = c.until(tag)
        assert end.startswith(b'OK')
        assert len(untagged) == 300
        assert all(x.endswith(b'UID COUNT 1') for x in untagged)
        # the client goes in the middle of it
        c.begin('ESEARCH IN (personal) BODY word8')
        c.response()
    with client(posta, 'carl') as c:
        c.no('ESEARCH IN (mailboxes (' + 'x ' * 1001 + 'y)) ALL', b'[LIMIT]')
        assert len(found(c, 'ESEARCH IN (mailboxes (box1 box2)) 1')) == 2


def test_flags_are_told_behind_it(posta):
    """More than is told at once: what is left is told when the search is over,
    before its reply."""
    count = 6000
    with client(posta, 'ben') as c, client(posta, 'ben') as other:
        c.ok('CREATE beside')
        for name, n in ('beside', 1), ('INBOX', count):
            c.ok(f'APPEND {name}'
                 + ' {14+}\r\nSubject: a\r\n\r\n' * min(n, 1000))
            for _ in range(n // 1000 - 1):
                c.ok(f'APPEND {name}' + ' {14+}\r\nSubject: a\r\n\r\n' * 1000)
        c.ok('SELECT INBOX')
        other.ok('SELECT INBOX')
        other.ok('STORE 1:* +FLAGS.SILENT (\\Flagged $Work)')
        lines = c.ok('ESEARCH IN (mailboxes beside) RETURN (COUNT) ALL')
        assert lines[0].startswith(b'* ESEARCH (TAG ')
        assert lines[0].endswith(b' UID COUNT 1')
        assert len([x for x in lines[1:] if re.fullmatch(
            rb'\* \d+ FETCH \(FLAGS \(\\Flagged .*\$Work\)\)', x)]) == count, \
            lines[:5]
