"""IMAP clients that mean harm, behind a login: clear answers and limits, no
growth, and other sessions of the same user go on."""
import contextlib
import os
import re
import socket
import time

import pytest

from harness import BUILD, Posta, wait_until
from harness.process import resident
from harness.raw_imap import Closed, RawImap, home

ALICE = 'alice@example.test'
# What a process may have grown by; the address sanitizer keeps what was freed.
SMALL = 64 << 20 if BUILD.name == 'release' else 1 << 30


@pytest.fixture(scope='module')
def posta():
    with Posta(settings={'auth_failure_delay': '0s'}) as p:
        with RawImap(p.base + 993, ALICE) as c:
            for n in range(20):
                text = f'Subject: {n}\r\n\r\nHello there.\r\n'
                c.ok(f'APPEND INBOX {{{len(text)}+}}\r\n{text}')
        yield p


@pytest.fixture
def alice(posta):
    with RawImap(posta.base + 993, ALICE) as c:
        yield c


@pytest.fixture
def beside(posta):
    """Another session of hers; afterwards it works as before."""
    with RawImap(posta.base + 993, ALICE) as c:
        c.ok('SELECT INBOX')
        yield c
        assert b'* SEARCH 1' in c.ok('SEARCH 1')
        assert len(c.ok('FETCH 1:20 FLAGS')) >= 20


def memory(posta):
    """Bytes of the largest process of imapd."""
    return max(map(resident, posta.pids('imapd')))


@pytest.fixture(autouse=True)
def no_growth(posta):
    before = memory(posta)
    yield
    assert memory(posta) < before + SMALL
    assert not posta.died()


@pytest.mark.parametrize('literal', [
    '{99999999999999999999999}', '{18446744073709551616}',
    '{9223372036854775808+}', '{-1}', '{+}', '{1', '{0x10}', '{4294967296}',
    '{99999999999}'])
@pytest.mark.parametrize('command', ['LOGIN', 'APPEND INBOX', 'SELECT',
                                     'SEARCH SUBJECT'])
def test_literal_bombs(alice, command, literal):
    """Refused before a byte of them comes."""
    done = alice.say(f'{command} {literal}')[1]
    assert re.match(rb'(BAD|NO) ', done), done
    if not literal.endswith('+}') or literal == '{+}':  # else it has to come
        alice.ok('NOOP')


def test_a_literal_that_is_sent_all_the_same(alice, beside):
    """Without waiting: it is thrown away, and the next command is read."""
    size = 300 << 20
    tag = alice.begin(f'APPEND INBOX {{{size}+}}')
    piece = b'x' * (1 << 20)
    for _ in range(300):
        alice.send(piece)
    alice.send('\r\n')
    assert re.match(rb'NO \[TOOBIG\]', alice.until(tag)[1])
    alice.ok('NOOP')


def test_a_hundred_literals(alice):
    """Each small, all of them too much."""
    one = b' SUBJECT {4096+}\r\n' + b'x' * 4096
    with contextlib.suppress(OSError):
        alice.send(b'a SEARCH' + one * 3000 + b'\r\n')
    with contextlib.suppress(Closed, OSError):
        assert re.match(rb'(a|\*) (BAD|NO|BYE) ', alice.response())


def test_a_line_without_end(alice, beside):
    with contextlib.suppress(OSError):  # it is cut off
        for _ in range(200):
            alice.send(b'x' * (1 << 20))
    with contextlib.suppress(Closed, OSError):
        assert alice.response() == b'* BYE Command is too long'
        assert alice.closed()


def test_nothing_but_nonsense(alice):
    alice.send(b'\x00\xff\x80 \r\n' * 1000)
    got = []
    with contextlib.suppress(Closed, OSError):
        while True:
            got.append(alice.response())
    assert len(got) < 100 and got[-1].startswith(b'* BYE'), got[-1:]


def nested(depth, key='SEEN'):
    return '(' * depth + key + ')' * depth


@pytest.mark.parametrize('query', [
    nested(20000), 'NOT ' * 20000 + 'SEEN', 'OR ' * 20000 + 'SEEN ' * 20001,
    ' '.join(['SUBJECT x'] * 20000), ','.join(['1:20'] * 20000),
    'UID ' + ','.join(['1:4294967295'] * 20000),
    'OR (' * 5000 + 'SEEN'], ids=['lists', 'not', 'or', 'keys', 'set', 'uids',
                                  'open'])
def test_search_pathologies(alice, beside, query):
    """Done, or BAD; never silence."""
    alice.ok('SELECT INBOX')
    done = alice.say(f'SEARCH {query}')[1]
    assert re.match(rb'OK|BAD|NO', done), done
    alice.ok('NOOP')


@pytest.mark.parametrize('text', ['a' * 30000, 'ab' * 15000, '\\"' * 10000])
def test_a_text_that_matches_nearly(alice, beside, text):
    """Searching costs the same whatever is sought."""
    body = b'Subject: a\r\n\r\n' + (b'a' * 997 + b'\r\n') * 2000
    alice.ok(b'APPEND INBOX {%d+}\r\n%s' % (len(body), body))
    alice.ok('SELECT INBOX')
    assert alice.ok(f'SEARCH BODY "{text}"')[-1] in (b'* SEARCH', b'* ESEARCH')
    alice.ok(r'STORE * +FLAGS.SILENT (\Deleted)')
    alice.ok('EXPUNGE')


def test_list_pathologies(alice, beside):
    names = ['a' * 60 + f'/{n}' for n in range(50)]
    for name in names:
        alice.ok(f'CREATE {name}')
    for pattern in ('*a' * 100 + 'b', '%a' * 100 + 'b', '*%' * 200,
                    '*' * 1000, '%/' * 500):
        assert re.match(rb'OK|BAD|NO', alice.say(f'LIST "" "{pattern}"')[1])
    many = ' '.join(['*'] * 2000)
    assert re.match(rb'OK|BAD|NO', alice.say(f'LIST "" ({many})')[1])
    for name in names:
        alice.ok(f'DELETE {name}')


def test_many_patterns_with_a_long_reference(alice, beside):
    """It stands in front of each."""
    for size, answer in (1, b'OK'), (900000, b'NO [LIMIT]'):
        done = alice.literals('LIST ', b'r' * size,
                              f' ({" ".join(["x"] * 4000)})')
        assert done[0] == [] and done[1].startswith(answer), done


@pytest.mark.parametrize('key', ['SUBJECT', 'TEXT', 'HEADER X-A'])
def test_a_text_that_grows(alice, beside, key):
    """What is one ligature is many letters where case does not matter."""
    alice.ok('SELECT INBOX')
    for count, answer in (1000, b'OK'), (349000, b'NO [LIMIT]'):
        done = alice.literals(f'SEARCH {key} ', '\ufdfa'.encode() * count)
        assert done[1].startswith(answer), done


def test_notes_on_many_folders(alice, beside):
    """All that there are, told of each folder again and again."""
    count = 300
    for n in range(10):
        done = alice.literals(f'SETMETADATA INBOX (/private/n{n} ',
                              b'x' * 60000, ')')
        assert done[1].startswith(b'OK'), done
    for n in range(count):
        alice.ok(f'CREATE notes/{n}')
    told = alice.ok('LIST "" * RETURN (METADATA ('
                    + '/private/n1 ' * 99 + '/private/n2))')
    assert len([x for x in told if x.startswith(b'* METADATA ')]) > count
    for n in range(count):
        alice.ok(f'DELETE notes/{n}')
    alice.ok('SETMETADATA INBOX ('
             + ' '.join(f'/private/n{n} NIL' for n in range(10)) + ')')


def test_a_note_asked_for_again_and_again(alice, beside):
    done = alice.literals('SETMETADATA INBOX (/private/a ', b'x' * 60000, ')')
    assert done[1].startswith(b'OK'), done
    told = alice.ok('GETMETADATA (DEPTH infinity) INBOX ('
                    + '/private ' * 2000 + '/private/a ' * 2000 + '/shared)')
    assert sum(map(len, told)) < 100000
    told = alice.ok('GETMETADATA INBOX (/private/a ' + '/private/b ' * 4000
                    + '/private/a)')
    assert b''.join(told).count(b'/private/b NIL') == 4000
    assert b''.join(told).count(b'x' * 60000) == 1
    alice.ok('SETMETADATA INBOX (/private/a NIL)')


def test_many_sources_among_many_folders(posta, alice, beside):
    """ESEARCH, where each source names one that there is not."""
    path = home(posta, 'alice') / 'subscriptions'
    before = path.read_bytes() if path.exists() else b''
    path.write_text(''.join(f'gone{n}\n' for n in range(8000)))
    assert len(alice.ok('LSUB "" gone*')) == 8000
    sources = ' '.join(f'mailboxes a{n}' for n in range(499))
    alice.ok(f'ESEARCH IN ({sources} mailboxes INBOX) ALL')
    path.write_bytes(before)


@pytest.mark.parametrize('what', [
    ' '.join(['BODY.PEEK[]'] * 1000), ' '.join(['BODY.PEEK[1.1.1]'] * 3000),
    'BODY.PEEK[' + '1.' * 5000 + '1]', 'BODY.PEEK[]<4294967295.4294967295>',
    'BODY.PEEK[HEADER.FIELDS (' + ' '.join(['a'] * 9000) + ')]'],
    ids=['bodies', 'parts', 'deep', 'far', 'fields'])
def test_fetch_pathologies(alice, beside, what):
    alice.ok('SELECT INBOX')
    assert re.match(rb'OK|BAD|NO', alice.say(f'FETCH 1:* ({what})')[1])
    alice.ok('NOOP')


@pytest.fixture(scope='module')
def large(posta):
    """A folder with one message of which everything is long."""
    names = ', '.join(f'"Person {n}" <p{n}@one.test>' for n in range(5000))
    parts = ''.join(f'--b\r\nContent-Type: text/plain; name=p{n}\r\n\r\n'
                    f'part {n}\r\n' for n in range(900))
    text = (f'From: a@b.test\r\nTo: {names}\r\nSubject: {"long " * 9000}\r\n'
            f'X-Long: {"y" * 300000}\r\nMIME-Version: 1.0\r\n'
            f'Content-Type: multipart/mixed; boundary=b\r\n\r\n{parts}--b--\r\n')
    with RawImap(posta.base + 993, ALICE) as c:
        c.ok('CREATE Large')
        c.ok(f'APPEND Large {{{len(text)}+}}\r\n{text}')
    return 'Large'


@pytest.mark.parametrize('item', [
    'BODYSTRUCTURE', 'ENVELOPE', 'RFC822.SIZE', 'BODY.PEEK[HEADER.FIELDS (TO)]',
    'BODY.PEEK[HEADER.FIELDS (X-LONG)]', 'BODY.PEEK[HEADER.FIELDS.NOT (A)]',
    'BODY.PEEK[7.MIME]', 'BINARY.PEEK[9]', 'BINARY.SIZE[9]', 'PREVIEW'])
def test_the_same_again_and_again(alice, beside, large, item):
    """Of one message: what an item takes is free again after it."""
    alice.ok(f'SELECT {large}')
    alice.send(f'a FETCH 1 ({" ".join([item] * 1500)})\r\n'.encode())
    beside.ok('NOOP')
    while not (line := alice.file.readline()).startswith(b'a '):
        assert line
    assert line.startswith(b'a OK'), line


@pytest.mark.parametrize('field', [
    b'Subject:a', b'Message-ID:<a@b>', b'To:"', b'From:,', b'Cc: a:;', b'To:a'])
def test_a_header_of_a_million_fields(alice, beside, field):
    """As long as a message that anybody may send."""
    data = (field + b'\r\n') * (10000000 // (len(field) + 2)) + b'\r\nHello.\r\n'
    alice.ok('CREATE Fields')
    assert alice.literals('APPEND Fields ', data)[1].startswith(b'OK')
    alice.ok('SELECT Fields')
    lines = alice.ok('FETCH 1 (BODYSTRUCTURE ENVELOPE)')
    assert lines[0].startswith(b'* 1 FETCH (BODYSTRUCTURE ("text" "plain" ')
    for order in 'SUBJECT FROM TO CC', 'DISPLAYFROM DISPLAYTO DATE':
        assert alice.ok(f'SORT ({order}) UTF-8 ALL') == [b'* SORT 1']
    assert alice.ok('THREAD REFERENCES UTF-8 ALL') == [b'* THREAD (1)']
    assert alice.ok('SEARCH TEXT hello OR SUBJECT z FROM z') == [b'* SEARCH']
    alice.ok('UNSELECT')
    alice.ok('DELETE Fields')


def test_fields_of_a_long_header(alice, beside):
    """Those of 30 MB, all of which are asked for."""
    data = b'Subject:a\r\n' * 3000000 + b'\r\nHello.\r\n'
    alice.ok('CREATE Fields')
    assert alice.literals('APPEND Fields ', data)[1].startswith(b'OK')
    alice.ok('SELECT Fields')
    for fields in 'HEADER.FIELDS (Subject To)', 'HEADER.FIELDS.NOT (To)':
        line, = alice.ok(f'FETCH 1 BODY.PEEK[{fields}]')
        assert line.endswith(b'Subject:a\r\n\r\n)') and len(line) > 33000000
    alice.ok('UNSELECT')
    alice.ok('DELETE Fields')


@pytest.mark.parametrize('key', ['HEADER X-LONG z', 'TO nobody', 'BODY part8z',
                                 'TEXT zz', 'SUBJECT lang'])
def test_many_keys_of_a_large_message(alice, beside, large, key):
    alice.ok(f'SELECT {large}')
    query = 'NOT ' + ' NOT '.join(f'{key}{n}' for n in range(150))
    lines = alice.ok(f'SEARCH {query}')
    assert b'* SEARCH 1' in lines, lines


def test_a_million_commands(alice, beside):
    """Pipelined, and read only at the end: they wait in the network, not in
    our memory; then each has its answer, in order."""
    count = 1000000
    rest = alice.push(b''.join(b'%d NOOP\r\n' % n for n in range(count)))
    assert rest
    beside.ok('NOOP')
    for n, line in zip(range(count), alice.exchange(rest)):
        assert line.startswith(b'%d OK' % n), line


def test_answers_that_nobody_reads(posta, beside):
    """A client asks for everything again and again, and reads nothing."""
    before = memory(posta)
    with RawImap(posta.base + 993, ALICE) as c:
        c.ok('SELECT INBOX')
        c.socket.settimeout(5)
        with pytest.raises(OSError):
            while True:
                c.send(b'x FETCH 1:* (BODY.PEEK[] ENVELOPE BODYSTRUCTURE)\r\n'
                       * 1000)
                beside.ok('NOOP')
        assert memory(posta) < before + SMALL


def test_half_open_tls(posta, beside):
    """Hundreds who connect and say nothing, or half a handshake."""
    held = []
    for n in range(500):
        s = socket.create_connection(('127.0.0.1', posta.base + 993))
        s.sendall(b'\x16\x03\x01\x02\x00\x01\x00' if n % 2 else b'')
        held.append(s)
    with RawImap(posta.base + 993, ALICE) as c:
        c.ok('NOOP')
    for s in held:
        s.close()
    wait_until(lambda: len(posta.pids('imapd')) < 20, 'few processes')


@pytest.mark.parametrize('end', ['', ' {1}', ' {1+}'])
@pytest.mark.parametrize('head, unit', [
    ('SEARCH', ' 1'), ('SEARCH', ' NOT ALL'), ('FETCH 1', ' FLAGS'),
    ('SEARCH 1', ',1'), ('SEARCH ', '('), ('STORE 1 FLAGS', ' a'),
    ('NOTIFY SET', ' (PERSONAL (MessageNew))'), ('ENABLE', ' a'),
    ('ID (NIL', ' "" NIL'), ('LOGIN', ' a'), ('AUTHENTICATE PLAIN ', 'a'),
    ('CAPABILITY', ' a'), ('', 'a'), ('x', ' ')])
def test_long_commands_of_strangers(posta, beside, head, unit, end):
    """Before the login, and of any command, there is one answer or the end."""
    for size in 8000, 32000:
        with RawImap(posta.base + 993) as c:
            c.send('a ' + head + unit * (size // len(unit)) + end + '\r\n')
            with contextlib.suppress(Closed):
                assert re.match(rb'(a|\*) (BAD|NO|BYE) |\+ ', c.response())


@pytest.mark.parametrize('port', [143, 993, 110, 995])
def test_clients_who_only_knock(posta, beside, port):
    """Thousands come and go without a word, while nobody else does."""
    before = posta.log_text().count('no auth attempts')
    for n in range(6000):
        socket.create_connection(('127.0.0.1', posta.base + port)).close()
    wait_until(lambda: posta.log_text().count('no auth attempts')
               == before + 6000, 'a line for each')


def test_a_message_that_is_cut_off_while_it_is_read(posta, beside):
    """By another program of hers: what was announced comes, the session goes
    on, and so do others."""
    size = 30 << 20
    text = b'Subject: long\r\n\r\n' + (b'x' * 998 + b'\r\n') * (size // 1000)
    with RawImap(posta.base + 993, ALICE) as c:
        c.ok('CREATE Cut')
        c.ok(b'APPEND Cut {%d+}\r\n%s' % (len(text), text))
        c.ok('SELECT Cut')
        tag = c.begin('FETCH 1 BODY.PEEK[]')
        assert b'{%d}' % len(text) in (line := c.file.readline()), line
        folder = posta.dir / 'mail/example.test/alice/Maildir/.Cut'
        file, = (f for d in ('new', 'cur') for f in (folder / d).iterdir())
        os.truncate(file, 4096)
        got = c.file.read(len(text))
        assert got.startswith(b'Subject: long') and bytes(5000) in got
        assert c.until(tag)[1].startswith(b'OK')
        c.ok('NOOP')
        c.ok('CLOSE')
        c.ok('DELETE Cut')
