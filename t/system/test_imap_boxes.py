"""IMAP: folders, their listing and status, and messages put into them."""
import re

import pytest

from harness import Posta
from harness.raw_imap import RawImap


@pytest.fixture(scope='module')
def posta():
    users = {f'u{i}': 'secret' for i in range(60)}
    with Posta(users=users) as p:
        p.fresh = iter(users)
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


def names(lines):
    """{name: attributes} of LIST or LSUB responses."""
    found = {}
    for line in lines:
        m = re.fullmatch(rb'\* (?:LIST|LSUB) \(([^)]*)\) "/" (".*?"|\S+)( .*)?',
                         line)
        if m:
            found[m[2].strip(b'"').decode()] = set(m[1].decode().split())
    return found


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


def test_lsub(client):
    c = client
    tree(c, 'foo/bar', 'x')
    for name in 'foo/bar', 'x', 'gone', 'inbox':
        c.ok(f'SUBSCRIBE {name}')
    assert names(c.ok('LSUB "" *')) == {
        'INBOX': set(), 'foo/bar': set(), 'gone': {'\\Noselect'}, 'x': set()}
    assert names(c.ok('LSUB "" %')) == {
        'INBOX': set(), 'foo': {'\\Noselect'}, 'gone': {'\\Noselect'},
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
        rb'UNSEEN 0 DELETED 0 SIZE 0 HIGHESTMODSEQ \d+ APPENDLIMIT 104857600 '
        rb'DELETED-STORAGE 0 MAILBOXID \(F[0-9a-f]{32}\)\)', line), line
    c.no('STATUS none (MESSAGES)', b'[NONEXISTENT]')
    c.no('STATUS box ()')
