"""IMAP: folders, their listing and status, and messages put into them."""
import imaplib
import os
import re
import ssl

import pytest

from harness import Posta, wait_until
from harness.dovecot import Dovecot
from harness.raw_imap import RawImap, names


@pytest.fixture(scope='module')
def posta():
    users = {f'u{i}': 'secret' for i in range(60)}
    with Posta(users={**users, 'limited': 'secret'}, start=False,
               settings={'quota_rule': '*:storage=0'}) as p:
        p.fresh = iter(users)
        path = p.dir / 'users'
        path.write_text(re.sub(
            '(?m)^(limited@.*)$',
            r'\1 userdb_quota_rule=*:bytes=9500 '
            'userdb_quota_rule2=*:messages=4', path.read_text()))
        p.start()
        yield p


def imap(posta, user):
    return RawImap(posta.base + 993, f'{user}@{posta.domain}')


@pytest.fixture
def client(posta):
    """A client of a user of his own, with nothing but an INBOX."""
    name = next(posta.fresh)
    with imap(posta, name) as c:
        c.user = name
        yield c


def tree(c, *folders):
    for name in folders:
        c.ok(f'CREATE {name}')


def test_create_and_list(client):
    c = client
    assert c.ok('LIST "" ""') == [b'* LIST (\\Noselect) "/" ""']
    assert c.ok('LIST "" "*"') == [b'* LIST (\\HasNoChildren) "/" INBOX']
    tree(c, 'Sent', 'a/b/c', 'a/d', '"two words"', 'INBOX/in', 'z/')
    assert names(c.ok('LIST "" *')) == {
        'INBOX': {'\\HasChildren'}, 'INBOX/in': {'\\HasNoChildren'},
        'Sent': {'\\HasNoChildren'}, 'a': {'\\Noselect', '\\HasChildren'},
        'a/b': {'\\Noselect', '\\HasChildren'}, 'a/b/c': {'\\HasNoChildren'},
        'a/d': {'\\HasNoChildren'}, 'two words': {'\\HasNoChildren'},
        'z': {'\\HasNoChildren'}}
    assert names(c.ok('LIST "" %')).keys() == {
        'INBOX', 'Sent', 'a', 'two words', 'z'}
    assert names(c.ok('LIST "" a/%')).keys() == {'a/b', 'a/d'}
    assert names(c.ok('LIST a/ %')).keys() == {'a/b', 'a/d'}
    assert names(c.ok('LIST "" %/%')).keys() == {'INBOX/in', 'a/b', 'a/d'}
    assert names(c.ok('LIST "" inBOX')).keys() == {'INBOX'}
    assert names(c.ok('LIST "" inbox/%')).keys() == {'INBOX/in'}
    assert names(c.ok('LIST "" sent')) == {}
    assert names(c.ok('LIST "" "*wo*"')).keys() == {'two words'}
    assert c.no('CREATE Sent').startswith(b'NO [ALREADYEXISTS]')
    assert c.no('CREATE inbox').startswith(b'NO [ALREADYEXISTS]')
    assert re.match(rb'OK \[MAILBOXID \(F[0-9a-f]{32}\)\]',
                    c.say('CREATE new')[1])


def test_list_extended(client):
    """RFC 5258, its examples among them."""
    c = client
    tree(c, 'Fruit/Apple', 'Fruit/Banana', 'Tofu', 'Vegetable/Broccoli',
         'Vegetable/Corn')
    for name in 'INBOX', 'Fruit/Banana', 'Fruit/Peach', 'Vegetable', \
            'Vegetable/Broccoli':
        c.ok(f'SUBSCRIBE {name}')
    assert names(c.ok('LIST (SUBSCRIBED) "" "*"')) == {
        'INBOX': {'\\Subscribed'}, 'Fruit/Banana': {'\\Subscribed'},
        'Fruit/Peach': {'\\Subscribed', '\\NonExistent'},
        'Vegetable': {'\\Subscribed', '\\NonExistent'},
        'Vegetable/Broccoli': {'\\Subscribed'}}
    assert names(c.ok('LIST () "" "%" RETURN (CHILDREN)')) == {
        'INBOX': {'\\HasNoChildren'},
        'Fruit': {'\\NonExistent', '\\HasChildren'},
        'Tofu': {'\\HasNoChildren'},
        'Vegetable': {'\\NonExistent', '\\HasChildren'}}
    assert names(c.ok('LIST "" "%" RETURN (SUBSCRIBED)')) == {
        'INBOX': {'\\Subscribed'}, 'Fruit': {'\\NonExistent'}, 'Tofu': set(),
        'Vegetable': {'\\NonExistent', '\\Subscribed'}}
    assert names(c.ok('LIST "" ("INBOX" "Fruit/%" "")')) == {
        'INBOX': set(), 'Fruit/Apple': set(), 'Fruit/Banana': set()}
    assert sorted(c.ok('LIST (SUBSCRIBED RECURSIVEMATCH) "" "%"')) == [
        b'* LIST (\\NonExistent \\Subscribed) "/" Vegetable '
        b'("CHILDINFO" ("SUBSCRIBED"))',
        b'* LIST (\\NonExistent) "/" Fruit ("CHILDINFO" ("SUBSCRIBED"))',
        b'* LIST (\\Subscribed) "/" INBOX']
    assert c.no('LIST (RECURSIVEMATCH) "" "%"').startswith(b'BAD')
    assert c.ok('LIST () "" ""') == []


def test_list_recursivematch(client):
    """RFC 5258 3.3 and 3.5: a name that does not meet the selection is told of
    for one below it that is not told itself."""
    c = client
    tree(c, 'foo2', 'foo2/bar1', 'foo2/bar2', 'baz2', 'baz2/bar2', 'eps2',
         'eps2/mamba', 'qux2/bar2', 'deep/er/one2', 'deep/er/two')
    for name in 'foo2/bar1', 'foo2/bar2', 'baz2/bar2', 'eps2', 'eps2/mamba', \
            'qux2/bar2', 'deep/er/one2':
        c.ok(f'SUBSCRIBE {name}')
    below = b' ("CHILDINFO" ("SUBSCRIBED"))'
    assert sorted(c.ok('LIST (RECURSIVEMATCH SUBSCRIBED) "" "*2"')) == [
        b'* LIST () "/" foo2' + below,
        b'* LIST (\\Subscribed) "/" baz2/bar2',
        b'* LIST (\\Subscribed) "/" deep/er/one2',
        b'* LIST (\\Subscribed) "/" eps2' + below,
        b'* LIST (\\Subscribed) "/" foo2/bar2',
        b'* LIST (\\Subscribed) "/" qux2/bar2']
    told = c.ok('LIST (RECURSIVEMATCH SUBSCRIBED) "" *')
    assert names(told) == names(c.ok('LIST (SUBSCRIBED) "" *'))
    assert [x for x in told if x.endswith(below)] == [
        b'* LIST (\\Subscribed) "/" eps2' + below]
    assert names(c.ok('LIST (RECURSIVEMATCH SUBSCRIBED) "" (% deep/%)')) == {
        'foo2': set(), 'baz2': set(), 'eps2': {'\\Subscribed'},
        'qux2': {'\\NonExistent'}, 'deep': {'\\NonExistent'},
        'deep/er': {'\\NonExistent'}}
    assert names(c.ok('LSUB "" q*%')) == {'qux2/bar2': set()}
    assert names(c.ok('LSUB "" deep%')) == {'deep': {'\\Noselect'}}


def test_folders_that_everybody_has():
    """Made at a login, with Dovecot's names, which need not say so on disk."""
    settings = {'imap_default_folders': r'Drafts=\Drafts, Sent=\Sent, Archive, '
                                        r'{Deleted Items=\Trash}, x.y=\Junk'}
    with Posta(settings=settings, start=False) as posta:
        mail = posta.dir / 'mail' / posta.domain / 'alice' / 'Maildir'
        for folder in '.Gesendet', '.Drafts':
            for part in 'cur', 'new', 'tmp':
                (mail / folder / part).mkdir(parents=True)
        (mail / 'posta-special-use').write_text('\\Sent\t.Gesendet\n')
        st = os.stat(posta.dir / 'mail')
        for path in mail.parent.parent, mail.parent, mail, *mail.rglob('*'):
            os.chown(path, st.st_uid, st.st_gid)
        posta.start()
        want = {'INBOX': set(), 'Gesendet': {'\\Sent'}, 'Archive': set(),
                'Deleted Items': {'\\Trash'}, 'Drafts': {'\\Drafts'}}
        with imap(posta, 'alice') as c:
            got = names(c.ok('LIST "" * RETURN (SPECIAL-USE)'))
            assert got == want
            assert names(c.ok('LSUB "" *')).keys() == {
                'Archive', 'Deleted Items'}
            c.ok('DELETE Archive')
            c.ok('UNSUBSCRIBE "Deleted Items"')
        posta.wait_log(r'imap_default_folders: x\.y: ')
        posta.reload()
        wait_until(lambda: 'alice' not in posta.posta('who').stdout, 'the end')
        with imap(posta, 'alice') as c:
            assert names(c.ok('LIST "" * RETURN (SPECIAL-USE)')) == want
            assert names(c.ok('LSUB "" *')).keys() == {'Archive'}


def test_list_status_and_uses(client):
    c = client
    c.ok('CREATE Out (USE (\\Sent))')
    c.ok('CREATE Old (USE (\\Archive \\Trash))')
    c.no('CREATE All (USE (\\All))', b'[USEATTR]')
    c.no('CREATE Odd (USE (\\Whatever))', b'[USEATTR]')
    found = names(c.ok('LIST "" "*"'))
    assert '\\Sent' in found['Out'] and {'\\Archive', '\\Trash'} <= found['Old']
    assert found.keys() == {'INBOX', 'Out', 'Old'}
    assert names(c.ok('LIST (SPECIAL-USE) "" "*"')).keys() == {'Out', 'Old'}
    c.ok('RENAME Out Gone')
    assert '\\Sent' in names(c.ok('LIST "" "*"'))['Gone']
    lines = c.ok('LIST "" % RETURN (STATUS (MESSAGES UNSEEN))')
    assert lines == [
        b'* LIST () "/" INBOX', b'* STATUS INBOX (MESSAGES 0 UNSEEN 0)',
        b'* LIST (\\Sent) "/" Gone', b'* STATUS Gone (MESSAGES 0 UNSEEN 0)',
        b'* LIST (\\Archive \\Trash) "/" Old',
        b'* STATUS Old (MESSAGES 0 UNSEEN 0)']


def test_list_what_stands_above(client):
    """RFC 9590 4, 5819 3: nothing but LIST of what only stands above a match."""
    c = client
    c.ok('CREATE top/below')
    c.ok('CREATE top')
    c.ok('SUBSCRIBE top/below')
    assert c.ok('LIST (SUBSCRIBED RECURSIVEMATCH) "" % RETURN (STATUS (MESSAGES) '
                'METADATA (/private/comment) MYRIGHTS)') == [
        b'* LIST () "/" top ("CHILDINFO" ("SUBSCRIBED"))']
    c.no('LIST "" % RETURN (METADATA (comment))', b'BAD')


def test_lsub(client):
    c = client
    tree(c, 'foo/bar', 'x')
    for name in 'foo/bar', 'x', 'gone', 'inbox':
        c.ok(f'SUBSCRIBE {name}')
    assert names(c.ok('LSUB "" *')) == {
        'INBOX': set(), 'foo/bar': set(), 'gone': set(), 'x': set()}
    assert names(c.ok('LSUB "" %')) == {
        'INBOX': set(), 'foo': {'\\Noselect'}, 'gone': set(),
        'x': set()}
    c.ok('UNSUBSCRIBE gone')
    c.ok('UNSUBSCRIBE never')
    assert 'gone' not in names(c.ok('LSUB "" *'))
    assert c.ok('LSUB "" ""') == [b'* LSUB (\\Noselect) "/" ""']


def test_delete_and_rename(client, posta):
    c = client
    tree(c, 'a', 'a/b', 'top/below', 'other')
    c.no('DELETE INBOX', b'[CANNOT]')
    c.no('DELETE none', b'[NONEXISTENT]')
    c.no('DELETE top', b'[NONEXISTENT]')
    c.ok('DELETE a')
    assert names(c.ok('LIST "" a*')) == {
        'a': {'\\Noselect', '\\HasChildren'}, 'a/b': {'\\HasNoChildren'}}
    c.no('SELECT a', b'[NONEXISTENT]')
    c.ok('RENAME a/b b')
    c.no('RENAME b other', b'[ALREADYEXISTS]')
    c.no('RENAME none b2', b'[NONEXISTENT]')
    c.no('RENAME top top/below/x', b'[CANNOT]')
    c.ok('RENAME top new/name')
    assert names(c.ok('LIST "" *')).keys() == {
        'INBOX', 'b', 'new', 'new/name', 'new/name/below', 'other'}
    # Whoever has it selected leaves.
    with imap(posta, c.user) as second:
        second.ok('SELECT b')
        c.ok('SELECT b')
        c.ok('DELETE b')
        assert second.response().startswith(b'* BYE')
        assert second.closed()
    c.no('FETCH 1 FLAGS', b'BAD')
    c.ok('NOOP')


def test_names(client):
    c = client
    for name in '"a.b"', '".."', '"../x"', '"a//b"', '"/a"', '""', '"a/../b"', \
            '"&AGE-"', '"&"', '"' + 'x' * 100000 + '"', \
            '"' + 'x/' * 300 + '"', '"a\x01b"':
        c.no(f'CREATE {name}')
        c.no(f'SUBSCRIBE {name}')
        c.no(f'RENAME INBOX {name}')
        c.no(f'STATUS {name} (MESSAGES)')
        c.no(f'DELETE {name}')
        assert c.ok(f'LIST "" {name}') == [] or name == '""'
    assert c.literals('CREATE ', b'a\0b')[1].startswith(b'BAD')
    assert c.literals('CREATE ', b'a\r\nb')[1].startswith(b'NO')
    assert c.literals('CREATE ', b'lit eral')[1].startswith(b'OK')
    c.ok('CREATE "Entw&APw-rfe"')
    assert set(names(c.ok('LIST "" "*"'))) == {'INBOX', 'lit eral',
                                              'Entw&APw-rfe'}
    assert names(c.ok('LIST "" "Entw&APw-%"')).keys() == {'Entw&APw-rfe'}
    c.ok('SELECT "Entw&APw-rfe"')
    assert c.no('SELECT "&APw-"').endswith(b' there is no folder of that name')
    assert c.no('COPY 1 "&APw-"')


def test_patterns_cost_little(client):
    c = client
    tree(c, *('x' * 200 + f'{i}' for i in range(20)))
    for pattern in '*' * 1000, '%' * 100000, '*x' * 500, '%x*' * 5000, \
            '*' * 1000 + 'y':
        c.ok(f'LIST "" "{pattern}"')
    assert len(c.ok(f'LIST "" "{"*x%" * 100}*"')) == 20
    c.no('LIST "" (' + ' '.join(['"' + '*x' * 400 + '"'] * 100) + ')',
         b'[LIMIT]')
    c.no('LIST "" (' + ' '.join(['*'] * 5000) + ')', b'BAD')


def test_status(client):
    c = client
    c.ok('CREATE box')
    line, = c.ok('STATUS box (MESSAGES RECENT UIDNEXT UIDVALIDITY UNSEEN '
                 'DELETED SIZE HIGHESTMODSEQ APPENDLIMIT MAILBOXID '
                 'DELETED-STORAGE)')
    assert re.fullmatch(
        rb'\* STATUS box \(MESSAGES 0 RECENT 0 UIDNEXT 1 UIDVALIDITY \d+ '
        rb'UNSEEN 0 DELETED 0 SIZE 0 HIGHESTMODSEQ \d+ DELETED-STORAGE 0 '
        rb'APPENDLIMIT 104857600 MAILBOXID \(F[0-9a-f]{32}\)\)', line), line
    c.no('STATUS none (MESSAGES)', b'[NONEXISTENT]')
    c.no('STATUS box ()')


# ---- APPEND

MESSAGE = b'Subject: one\r\nFrom: a@example.test\r\n\r\nHello.\r\n'


def append(c, box, *messages):
    """The UIDs that APPENDUID tells."""
    pieces = [f'APPEND {box} ']
    for m in messages:
        pieces += [m, ' ']
    untagged, done = c.literals(*pieces[:-1])
    found = re.match(rb'OK \[APPENDUID \d+ ([\d:]+)\]', done)
    assert found, done
    return found[1].decode()


def bodies(c, *boxes):
    found = []
    for box in boxes or ['INBOX']:
        c.ok(f'EXAMINE {box}')
        lines = c.ok('UID FETCH 1:* BODY.PEEK[]')
        found += [re.search(rb'\}\r\n(.*)\)$', line, re.S)[1] for line in lines
                  if b' FETCH ' in line]
        c.ok('UNSELECT')
    return found


def test_append(client):
    c = client
    untagged, done = c.literals(
        'APPEND INBOX (\\Seen $Label \\Flagged) " 1-Feb-2020 10:00:00 +0100" ',
        MESSAGE)
    assert re.match(rb'OK \[APPENDUID \d+ 1\]', done), done
    assert append(c, 'INBOX', MESSAGE + b'2\n', b'\n', b'a\rb') == '2:4'
    c.ok('SELECT INBOX')
    line, = c.ok('FETCH 1 (FLAGS INTERNALDATE RFC822.SIZE)')
    assert b'\\Flagged \\Seen \\Recent $Label' in line
    assert b'"01-Feb-2020 09:00:00 +0000"' in line
    assert b'RFC822.SIZE %d)' % len(MESSAGE) in line
    # A new message shows at once in the selected mailbox.
    untagged, done = c.literals('APPEND INBOX () ', MESSAGE)
    assert b'* 5 EXISTS' in untagged
    assert bodies(c) == [MESSAGE, MESSAGE + b'2\r\n', b'\r\n', b'a\rb', MESSAGE]


def test_the_log_says_what_was_done(client, posta):
    c = client
    append(c, 'INBOX', MESSAGE, MESSAGE, MESSAGE)
    c.ok('SELECT INBOX')
    c.ok('FETCH 1:2 (BODY.PEEK[HEADER.FIELDS (SUBJECT)] BODY.PEEK[TEXT])')
    c.ok('FETCH 3 BODY[]')
    c.ok('STORE 1:2 +FLAGS.SILENT (\\Deleted)')
    c.ok('UID EXPUNGE 1')
    c.ok('LOGOUT')
    posta.wait_log(
        rf'imap\({c.user}@{posta.domain}\)<\d+><\S+>: Disconnected: Logged out '
        rf'in=\d+ out=\d+ deleted=2 expunged=1 trashed=0 hdr_count=2 hdr_bytes=32 '
        rf'body_count=3 body_bytes={2 * 8 + len(MESSAGE)}')
    with imap(posta, c.user) as other:
        other.ok('NOOP')
    posta.wait_log(rf'\({c.user}@\S+: Disconnected: Connection closed in=')


def test_append_refused(client, posta):
    c = client
    c.ok('CREATE box')
    # Before the client sends it.
    for command, answer in (
            ('APPEND none {10}', b'NO [TRYCREATE]'),
            ('APPEND "a.b" {10}', b'NO [CANNOT]'),
            ('APPEND box {104857601}', b'NO [TOOBIG]'),
            ('APPEND box {99999999999999999999}', b'NO [TOOBIG]'),
            ('APPEND box {0}', b'NO '),
            ('APPEND box (\\Recent) {10}', b'BAD '),
            ('APPEND box "1-Feb-2020" {10}', b'BAD '),
            ('APPEND box CATENATE (TEXT ~{10}', b'NO [UNKNOWN-CTE]'),
            ('APPEND box UTF8 (~{10}', b'NO '),
            ('REPLACE 1 box {10}', b'BAD '),
            ('CREATE {99999999}', b'BAD '),
            ('NOOP {10}', b'BAD ')):
        done = c.no(command)
        assert done.startswith(answer), (command, done)
    # After it, where he did not ask.
    assert c.no('APPEND none {3+}\r\nabc').startswith(b'NO [TRYCREATE]')
    assert c.no('APPEND box {0+}\r\n').startswith(b'NO ')
    assert c.no('APPEND box {3+}\r\na\0c').startswith(b'BAD ')
    assert c.no('APPEND box {3+}\r\nabc {0+}\r\n').startswith(b'NO ')
    assert c.no('APPEND box {3+}\r\nabc x').startswith(b'BAD ')
    # A client that goes away in the middle.
    with imap(posta, c.user) as second:
        second.send('x APPEND box {1000}\r\n')
        assert second.response().startswith(b'+')
        second.send('x' * 500)
    assert c.ok('STATUS box (MESSAGES)') == [b'* STATUS box (MESSAGES 0)']
    box = posta.dir / 'mail' / posta.domain / c.user / 'Maildir' / '.box'
    wait_until(lambda: not list((box / 'tmp').iterdir()), 'nothing is left')


@pytest.mark.parametrize('sync', ('', '+'))
def test_append_refused_with_much_to_tell(client, posta, sync):
    """The answer comes behind all that is told first, in steps."""
    cur = posta.dir / 'mail' / posta.domain / client.user / 'Maildir/cur'
    owner = cur.stat()
    for i in range(8000):
        path = cur / f'{1700000000 + i}.M{i}P1.host:2,'
        path.touch()
        os.chown(path, owner.st_uid, owner.st_gid)
    client.ok('SELECT INBOX')
    with imap(posta, client.user) as other:
        other.ok('SELECT INBOX')
        other.ok('STORE 1:* +FLAGS.SILENT (\\Seen)')
    client.send(b'x APPEND nowhere {5%s}\r\n' % sync.encode())
    if sync:
        client.send(b'12345\r\n')
    told, done = client.until('x')
    assert done.startswith(b'NO [TRYCREATE]')
    assert len([x for x in told if b'FETCH' in x]) == 8000


def test_append_large(client):
    c = client
    line = b'x' * 98 + b'\r\n'
    large = b'Subject: large\r\n\r\n' + line * 100000
    assert append(c, 'INBOX', large) == '1'
    assert bodies(c) == [large]


def test_multiappend(client):
    c = client
    assert append(c, 'INBOX', *[b'Subject: %d\r\n\r\n' % i
                               for i in range(200)]) == '1:200'
    got = bodies(c)
    assert got[0] == b'Subject: 0\r\n\r\n' and len(got) == 200
    # All or none.
    c.ok('CREATE b')
    assert c.no('APPEND b {1+}\r\na (\\Seen) {1+}\r\nb {0+}\r\n')
    assert c.no('APPEND b' + ' {1+}\r\na' * 1025)
    c.close()


def test_catenate(client):
    """RFC 4469, its examples among them."""
    c = client
    whole = (b'Subject: s\r\nMIME-Version: 1.0\r\n'
             b'Content-Type: multipart/mixed; boundary=B\r\n\r\n'
             b'--B\r\n\r\none\r\n--B\r\nContent-Type: text/html\r\n\r\n'
             b'two\r\n--B--\r\n')
    c.ok('CREATE Drafts')
    append(c, 'Drafts', whole)
    validity = re.search(rb'UIDVALIDITY (\d+)',
                         c.ok('STATUS Drafts (UIDVALIDITY)')[0])[1].decode()
    url = f'/Drafts;UIDVALIDITY={validity}/;UID=1'
    assert c.literals(
        f'APPEND INBOX (\\Seen) CATENATE (URL "{url}/;section=HEADER" TEXT ',
        b'--B\r\n', f' URL "{url}/;section=2.MIME" URL "{url}/;section=2" '
        'TEXT ', b'\r\n--B--\r\n', ')')[1].startswith(b'OK [APPENDUID')
    c.ok('APPEND INBOX CATENATE (URL "/Drafts/;UID=1/;SECTION=TEXT/;PARTIAL=2.5'
         '" URL "%44rafts/;UID=1/;SECTION=HEADER.FIELDS%20%28subject%29")')
    assert bodies(c) == [
        whole[:whole.index(b'--B')] + b'--B\r\nContent-Type: text/html\r\n\r\n'
        b'two\r\n--B--\r\n', b'B\r\n\r\nSubject: s\r\n\r\n']
    for bad in ('/Drafts/;UID=2', '/Drafts/;UID=0', '/none/;UID=1', 'Drafts',
                '/Drafts/;UID=1/;SECTION=9', '/Drafts/;UID=1/;SECTION=bogus',
                '/Drafts;UIDVALIDITY=1/;UID=1', '//host/Drafts/;UID=1',
                'imap://other.example/INBOX/;UID=1', '/Dr%/;UID=1',
                '/%00/;UID=1', '/Drafts/;UID=1/;SECTION=1]x',
                '/Drafts/;UID=1/;PARTIAL=x', '/../x/;UID=1'):
        done = c.no(f'APPEND INBOX CATENATE (URL "{bad}")')
        shown = bad.replace(']', '?').encode()
        assert done.startswith(b'NO [BADURL "' + shown + b'"]'), done
    c.no('APPEND INBOX CATENATE (URL "/Drafts/;UID=9" TEXT {3}', b'BADURL')
    c.no('APPEND INBOX CATENATE (TEXT {60000000+}\r\n' + 'x' * 60000000 +
         ' TEXT {60000000}', b'TOOBIG')
    assert len(bodies(c)) == 2


@pytest.mark.parametrize('command', ('EXPUNGE', 'UID EXPUNGE 2:4', 'CLOSE'))
def test_expunge_what_has_just_come(client, posta, command):
    """The client has not been told of it, and it is no less in the mailbox."""
    message = '(\\Deleted) {12+}\r\nSubject: x\r\n'
    client.ok(f'APPEND INBOX {message}')
    client.ok('SELECT INBOX')
    with imap(posta, client.user) as other:
        other.ok(f'APPEND INBOX {message}')
        other.ok('APPEND INBOX {12+}\r\nSubject: x\r\n')
    client.ok(command)
    left = 2 if command.startswith('UID') else 1
    assert client.ok('STATUS INBOX (MESSAGES)') == [
        b'* STATUS INBOX (MESSAGES %d)' % left]


def test_replace(client, posta):
    c = client
    append(c, 'INBOX', b'Subject: 1\r\n\r\n', b'Subject: 2\r\n\r\n',
           b'Subject: 3\r\n\r\n')
    c.ok('CREATE Sent')
    c.ok('SELECT INBOX')
    untagged, done = c.literals('REPLACE 2 INBOX (\\Seen) ', b'Subject: 4\r\n\r\n')
    assert done.startswith(b'OK')
    assert re.match(rb'\* OK \[APPENDUID \d+ 4\]', untagged[0])
    assert b'* 2 EXPUNGE' in untagged and b'* 3 EXISTS' in untagged
    untagged, done = c.literals('UID REPLACE 4 Sent ', b'Subject: 5\r\n\r\n')
    assert done.startswith(b'OK') and b'* 3 EXPUNGE' in untagged
    c.no('REPLACE 9 INBOX {5}', b'BAD')
    c.no('UID REPLACE 2 INBOX {5}', b'NO [NONEXISTENT]')
    c.no('REPLACE 1 none {5}', b'[TRYCREATE]')
    c.ok('EXAMINE INBOX')
    c.no('REPLACE 1 INBOX {5}', b'[READ-ONLY]')
    c.ok('UNSELECT')
    assert bodies(c, 'INBOX', 'Sent') == [
        b'Subject: 1\r\n\r\n', b'Subject: 3\r\n\r\n', b'Subject: 5\r\n\r\n']


def test_a_literal_before_login(posta):
    with RawImap(posta.base + 993) as c:
        c.no('LOGIN {99999}')
        c.no('NOOP {5}')
        c.ok('NOOP')


def test_python_imaplib(client, posta):
    c = imaplib.IMAP4_SSL('127.0.0.1', posta.base + 993,
                          ssl_context=ssl._create_unverified_context())
    c.login(f'{client.user}@{posta.domain}', 'secret')
    assert c.create('"Sent Mail"')[0] == 'OK'
    assert c.append('"Sent Mail"', '\\Seen', imaplib.Time2Internaldate(1e9),
                    MESSAGE)[0] == 'OK'
    assert c.append('nowhere', None, None, MESSAGE)[0] == 'NO'
    assert c.status('"Sent Mail"', '(MESSAGES UNSEEN)')[1] == [
        b'"Sent Mail" (MESSAGES 1 UNSEEN 0)']
    assert c.list('""', 'S%')[1] == [b'(\\HasNoChildren) "/" "Sent Mail"']
    assert c.rename('"Sent Mail"', 'Sent')[0] == 'OK'
    assert c.select('Sent')[1] == [b'1']
    assert c.fetch('1', '(INTERNALDATE)')[1][0].find(b'09-Sep-2001') > 0
    c.logout()


def test_quota(posta):
    c = imap(posta, 'limited')
    assert c.ok('GETQUOTAROOT INBOX') == [
        b'* QUOTAROOT INBOX "User quota"',
        b'* QUOTA "User quota" (STORAGE 0 9 MESSAGE 0 4)']
    big = b'x' * 2998 + b'\r\n'
    c.ok('CREATE b')
    assert append(c, 'INBOX', big) == '1'
    assert append(c, 'b', big) == '1'
    assert c.ok('GETQUOTA "User quota"') == [
        b'* QUOTA "User quota" (STORAGE 6 9 MESSAGE 2 4)']
    c.no('APPEND INBOX {4000}', b'[OVERQUOTA]')
    c.no('APPEND INBOX {3600+}\r\n' + 'x' * 3600, b'[OVERQUOTA]')
    c.no('APPEND INBOX {2000+}\r\n' + 'x' * 2000 + ' {2000}', b'[OVERQUOTA]')
    c.no('APPEND b CATENATE (URL "/b/;UID=1" URL "/b/;UID=1")', b'[OVERQUOTA]')
    c.ok('SELECT INBOX')
    assert c.say('COPY 1 b')[1].startswith(b'OK [COPYUID')
    c.no('COPY 1 b', b'[OVERQUOTA]')
    assert c.say('MOVE 1 b')[1].startswith(b'OK')
    c.ok('SELECT b')
    assert c.literals('REPLACE 1 b ', big)[1].startswith(b'OK')
    c.no('SETQUOTA "User quota" (STORAGE 100000)', b'[NOPERM]')
    c.no('GETQUOTA other', b'[NONEXISTENT]')
    c.ok('STORE 1 FLAGS (\\Deleted)')
    assert c.ok('STATUS b (DELETED DELETED-STORAGE)') == [
        b'* STATUS b (DELETED 1 DELETED-STORAGE 3)']
    c.ok('EXPUNGE')
    append(c, 'INBOX', b'a', b'b')
    c.no('APPEND INBOX {1}', b'[OVERQUOTA]')
    c.close()


def test_no_quota(client):
    assert client.ok('GETQUOTAROOT INBOX') == [b'* QUOTAROOT INBOX']
    client.no('GETQUOTA "User quota"', b'[NONEXISTENT]')


def test_metadata(client):
    """RFC 5464, its examples among them."""
    c = client
    c.ok('CREATE box')
    c.ok('CREATE box/below')
    assert c.ok('GETMETADATA "" /shared/comment') == [
        b'* METADATA "" (/shared/comment NIL)']
    c.ok('SETMETADATA INBOX (/private/comment {33+}\r\nMy new comment across\r\n'
         'two lines.)')
    assert c.ok('GETMETADATA "INBOX" /private/comment') == [
        b'* METADATA INBOX (/private/comment {33}\r\nMy new comment across\r\n'
        b'two lines.)']
    c.ok('SETMETADATA INBOX (/private/comment NIL)')
    c.ok('SETMETADATA "" (/private/comment "x" /shared/comment "y")')
    assert c.ok('GETMETADATA "" (/private/COMMENT /shared/comment)') == [
        b'* METADATA "" (/private/comment x /shared/comment y)'.replace(
            b' x', b' "x"').replace(b' y', b' "y"')]
    c.ok('SETMETADATA box (/private/filters/values/small "SMALLER 5000" '
         '/private/filters/values/boss "FROM \\"boss\\"" /private/filters "" '
         '/private/binary ~{3+}\r\na\0b)')
    assert c.ok('GETMETADATA (DEPTH 1) box /private/filters/values') == [
        b'* METADATA box (/private/filters/values/small "SMALLER 5000" '
        b'/private/filters/values/boss "FROM \\"boss\\"")']
    assert c.ok('GETMETADATA box (DEPTH 1) /private/filters') == [
        b'* METADATA box (/private/filters "")']
    assert c.ok('GETMETADATA box /private/binary') == [
        b'* METADATA box (/private/binary ~{3}\r\na\0b)']
    untagged, done = c.say('GETMETADATA (MAXSIZE 5 DEPTH infinity) box '
                           '/private')
    assert done.startswith(b'OK [METADATA LONGENTRIES 12]')
    assert untagged == [
        b'* METADATA box (/private/filters "" /private/binary ~{3}\r\na\0b)']
    lines = c.ok('LIST "" b% RETURN (METADATA (/private/filters/values/small '
                 '/shared/comment))')
    assert lines == [
        b'* LIST () "/" box', b'* METADATA box (/private/filters/values/small '
        b'"SMALLER 5000" /shared/comment NIL)']
    # They go where the mailbox goes.
    c.ok('SETMETADATA box/below (/shared/comment "b")')
    c.ok('RENAME box new')
    assert c.ok('GETMETADATA new /private/filters') == [
        b'* METADATA new (/private/filters "")']
    assert b'"b"' in c.ok('GETMETADATA new/below /shared/comment')[0]
    c.ok('DELETE new')
    c.ok('CREATE new')
    assert c.ok('GETMETADATA new /private/filters') == [
        b'* METADATA new (/private/filters NIL)']
    assert b'"b"' in c.ok('GETMETADATA new/below /shared/comment')[0]


def test_use_as_metadata(client):
    """RFC 6154 4: /private/specialuse is what LIST tells, and changes it."""
    c = client
    c.ok('CREATE Drafts (USE (\\drafts))')
    c.ok('CREATE Plain')
    get = 'GETMETADATA Drafts (/private/SpecialUse /shared/specialuse)'
    assert c.ok(get) == [b'* METADATA Drafts (/private/specialuse "\\\\Drafts" '
                         b'/shared/specialuse NIL)']
    assert b'"\\\\Drafts"' in \
        c.ok('GETMETADATA (DEPTH infinity) Drafts /private')[0]
    assert b'"\\\\Drafts"' in c.ok(
        'LIST "" Drafts RETURN (METADATA (/private/specialuse))')[1]
    c.ok('SETMETADATA Plain (/private/specialuse "\\\\sent \\\\Junk" '
         '/private/comment "c")')
    assert names(c.ok('LIST (SPECIAL-USE) "" *')) == {
        'Drafts': {'\\Drafts'}, 'Plain': {'\\Sent', '\\Junk'}}
    for bad in ('"\\\\All"', '"\\\\Drafts \\\\Nonsense"', '"Drafts"'):
        c.no('SETMETADATA Plain (/private/comment "d" /private/specialuse '
             f'{bad})', b'[USEATTR]')
    for box in '""', 'INBOX':
        c.no(f'SETMETADATA {box} (/private/specialuse "\\\\Sent")', b'[USEATTR]')
    assert c.ok('GETMETADATA Plain (/private/comment /private/specialuse)') == [
        b'* METADATA Plain (/private/comment "c" '
        b'/private/specialuse "\\\\Sent \\\\Junk")']
    c.ok('SETMETADATA Drafts (/private/specialuse NIL)')
    c.ok('SETMETADATA Plain (/private/specialuse "")')
    assert names(c.ok('LIST (SPECIAL-USE) "" *')) == {}


def test_metadata_limits(client):
    c = client
    c.no('SETMETADATA none (/private/comment "x")', b'[NONEXISTENT]')
    c.no('GETMETADATA none /private/comment', b'[NONEXISTENT]')
    for entry in '/comment', '/private', '/private/a//b', '/private/*', \
            '/private/a/', 'private/a', '"/private/a b"', \
            '/private/' + 'x' * 300:
        c.no(f'SETMETADATA INBOX ({entry} "x")', b'BAD')
    c.no('SETMETADATA INBOX (/private/a {65537+}\r\n' + 'x' * 65537 + ')',
         b'[METADATA MAXSIZE 65536]')
    c.no('SETMETADATA INBOX (' + ' '.join(f'/private/{i} ""' for i in
                                          range(101)) + ')',
         b'[METADATA TOOMANY]')
    for i in range(100):
        c.ok(f'SETMETADATA INBOX (/private/{i} "")')
    c.no('SETMETADATA INBOX (/private/x "")', b'[METADATA TOOMANY]')
    c.ok('SETMETADATA INBOX (/private/0 NIL /private/x "")')
    value = 'x' * 65000
    for i in range(10):
        c.ok(f'SETMETADATA "" (/private/{i} "{value}")')
    c.no(' '.join(['SETMETADATA "" (/private/a', f'"{value}"', '/private/b',
                   f'"{value}"', '/private/c', f'"{value}")']), b'[OVERQUOTA]')
    assert c.ok('GETMETADATA "" /private/a') == [
        b'* METADATA "" (/private/a NIL)']


SAME_AS_DOVECOT = r'''
CREATE a/b/c
CREATE foo
CREATE foo/
CREATE Sent
CREATE inbox
CREATE INBOX/x
LIST "" *
LIST "" %
LIST "" foo/%
LIST "" "%/%"
LIST "" ""
LIST "" (INBOX "a/%")
SUBSCRIBE a/b/c
SUBSCRIBE INBOX
LSUB "" *
LSUB "" %
LSUB "" a/%
LSUB "" "%/c"
LIST (SUBSCRIBED) "" *
LIST "" * RETURN (SUBSCRIBED CHILDREN)
LIST "" INBOX RETURN (STATUS (MESSAGES))
STATUS INBOX (MESSAGES RECENT UIDNEXT UNSEEN)
STATUS a (MESSAGES)
SELECT a
DELETE a
DELETE none
DELETE INBOX
RENAME a z
RENAME none q
RENAME Sent foo
LIST "" *
APPEND none {3+}|abc
APPEND INBOX {3+}|abc
APPEND INBOX CATENATE (URL "/INBOX/;UID=1" TEXT {3+}|xyz)
APPEND INBOX CATENATE (URL "/INBOX/;UID=77")
STATUS INBOX (MESSAGES UIDNEXT)
DELETE foo
UNSUBSCRIBE never
CREATE ".."
CREATE "a//b"
CREATE "no&bad"
NAMESPACE
'''


def test_like_dovecot(client):
    """The same untagged responses, OK where it says OK."""
    layout = 'namespace inbox {\n inbox = yes\n separator = /\n}\n'
    with Dovecot(more=layout) as d, RawImap(d.imaps, 'anna') as theirs:
        for command in SAME_AS_DOVECOT.strip().split('\n'):
            command = command.replace('|', '\r\n')
            ours, done = client.say(command)
            wanted, there = theirs.say(command)
            assert sorted(ours) == sorted(wanted), command
            assert (done[:2] == b'OK') == (there[:2] == b'OK'), \
                (command, done, there)


def test_append_utf8(client):
    c = client
    text = 'Subject: Grüße\r\n\r\nü\r\n'.encode()
    command = b'APPEND INBOX UTF8 (~{%d+}\r\n' % len(text) + text + b')'
    c.no(command, b'NO [CANNOT] UTF8=ACCEPT')
    c.no('APPEND INBOX CATENATE (TEXT {1+}\r\na UTF8 (~{1}', b'NO [CANNOT] UTF8=ACCEPT')
    c.ok('ENABLE UTF8=ACCEPT')
    c.ok(command)
    c.ok(b'APPEND INBOX CATENATE (TEXT {6+}\r\nA: b\r\n UTF8 (~{%d+}\r\n' %
         len(text) + text + b'))')
    c.no('APPEND INBOX UTF8 ({5}', b'BAD')
    c.ok('CREATE "Entwürfe"'.encode())
    assert c.ok('LIST "" Entw%') == [
        '* LIST (\\HasNoChildren) "/" "Entwürfe"'.encode()]
    c.no(b'CREATE "\xff"', b'BAD')
    c.no('CREATE "a\u0085b\x01"'.encode())
    assert bodies(c) == [text, b'A: b\r\n' + text]
