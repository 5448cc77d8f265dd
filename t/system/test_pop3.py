"""POP3 after login: RFC 1939, 2449, 3206, with poplib and line by line."""
import os
import pathlib
import poplib
import re
import time

import pytest

from harness import Posta, maildir, wait_until
from harness.mail_client import MailClient, trusting
from harness.raw_imap import RawImap

ALICE = 'alice@example.test'


@pytest.fixture
def posta():
    with Posta() as p:
        yield p


def mailbox(posta, user='alice'):
    return posta.dir / 'mail/example.test' / user / 'Maildir'


def owned(posta, *paths):
    """Ours or, as root, the user's: as his folder is."""
    info = (posta.dir / 'mail/example.test').stat()
    for path in paths:
        os.chown(path, info.st_uid, info.st_gid)


def fill(posta, messages, user='alice'):
    """Messages that another program has put there, in this order."""
    box = mailbox(posta, user)
    for folder in [box.parent, box, *(box / f for f in ('cur', 'new', 'tmp'))]:
        folder.mkdir(exist_ok=True)
        folder.chmod(0o700)
        owned(posta, folder)
    for i, data in enumerate(messages):
        file = box / 'new' / f'17000{i:05}.M{i}.host'
        file.write_bytes(data)
        owned(posta, file)
    return box


def letter(i, body=b'Hello.\n'):
    return b'Subject: number %d\nFrom: a@x.test\n\n' % i + body


def pop(posta, user=ALICE, **kw):
    client = MailClient(posta, 'pop3s', **kw)
    assert client.log_in(user) == '+OK Logged in'
    return client


def crlf(data):
    return data.replace(b'\n', b'\r\n')


def files(box):
    return list(maildir.files(box).values())


def test_poplib(posta):
    fill(posta, [letter(i) for i in range(3)])
    c = poplib.POP3_SSL('127.0.0.1', posta.base + 995, context=trusting())
    c.user(ALICE)
    c.pass_('secret')
    size = len(crlf(letter(0)))
    assert c.stat() == (3, 3 * size)
    assert c.list()[1] == [b'%d %d' % (i + 1, size) for i in range(3)]
    assert c.retr(2)[1] == letter(1).split(b'\n')[:-1]
    assert c.top(3, 0)[1] == letter(2).split(b'\n')[:3]
    uidls = [line.split()[1] for line in c.uidl()[1]]
    assert len(set(uidls)) == 3 and c.uidl(2).split()[2] == uidls[1]
    c.dele(2)
    assert c.stat() == (2, 2 * size)
    assert [line.split()[0] for line in c.list()[1]] == [b'1', b'3']
    assert c.quit() == b'+OK Bye'
    c = poplib.POP3_SSL('127.0.0.1', posta.base + 995, context=trusting())
    c.user(ALICE)
    c.pass_('secret')
    assert [line.split()[1] for line in c.uidl()[1]] == [uidls[0], uidls[2]]
    c.quit()


def test_capa_before_and_after(posta):
    with MailClient(posta, 'pop3') as c:
        words = c.ask('CAPA')
        assert 'STLS' in words and 'USER' not in words
        assert not [w for w in words if w.startswith('SASL')
                    and 'PLAIN' in w.split()]
        c.start_tls()
        before = c.ask('CAPA')
        assert 'USER' in before and 'STLS' not in before
        assert {'PLAIN', 'LOGIN'} <= set(
            next(w for w in before if w.startswith('SASL ')).split())
        c.log_in(ALICE)
        words = c.ask('capa')
        assert words == before  # RFC 2449 5
        assert {'TOP', 'UIDL', 'RESP-CODES', 'AUTH-RESP-CODE', 'PIPELINING',
                'EXPIRE NEVER'} <= set(words)
        assert [w for w in words if w.startswith('IMPLEMENTATION ')]


def test_languages(posta):
    """RFC 6856 3, before and after login."""
    with MailClient(posta, 'pop3s') as c:
        for log_in in False, True:
            if log_in:
                c.log_in(ALICE)
            assert 'LANG' in c.ask('CAPA')
            assert c.ask('LANG') == ['en English']
            for range_ in 'en', 'EN', '*':
                assert c.say(f'LANG {range_}').startswith('+OK en ')
            for range_ in 'uga', 'en-GB', '* *', 'x' * 500:
                assert c.say(f'LANG {range_}').startswith('-ERR ')
            assert c.say('NOOP') == '+OK'


def test_deleted_at_quit_only(posta):
    box = fill(posta, [letter(i) for i in range(4)])
    with pop(posta) as c:
        assert c.say('DELE 1').startswith('+OK')
        assert c.say('DELE 1').startswith('-ERR')
        assert c.say('RETR 1').startswith('-ERR')
        assert c.say('LIST 1').startswith('-ERR')
        assert c.say('UIDL 1').startswith('-ERR')
        assert c.say('TOP 1 0').startswith('-ERR')
    posta.wait_log(r'pop3\(alice@example.test\)<\d+><\S+>: Disconnected: '
                   r'Connection closed top=0/0, retr=0/0, del=0/4, size=0')
    assert len(files(box)) == 4
    with pop(posta) as c:
        c.say('DELE 1')
        assert c.say('RSET').startswith('+OK')
        assert c.say('STAT').startswith('+OK 4 ')
        c.say('DELE 3')
        assert c.say('QUIT') == '+OK Bye'
        assert c.ends() == ''
    assert len(files(box)) == 3
    posta.wait_log(r'Disconnected: Logged out top=0/0, retr=0/0, del=1/4, '
                   r'size=\d\d+')


@pytest.mark.parametrize('line', [
    'RETR', 'RETR 0', 'RETR 2', 'RETR -1', 'RETR x', 'RETR 1 1',
    'RETR 99999999999999999999999', 'DELE', 'LIST 2', 'LIST x', 'UIDL 0',
    'TOP', 'TOP 1', 'TOP 1 x', 'TOP 1 -1', 'TOP 2 1', 'XYZ', '', ' STAT',
    'USER alice', 'PASS secret', 'AUTH PLAIN', 'STLS', 'LAST', 'DELE 1x'])
def test_what_is_wrong(posta, line):
    fill(posta, [letter(0)])
    with pop(posta) as c:
        assert c.say(line).startswith('-ERR')
        assert c.say('NOOP') == '+OK'


@pytest.mark.parametrize('stored,sent', [
    (b'A: b\n\n.\n..\n.x\n', b'A: b\r\n\r\n..\r\n...\r\n..x\r\n'),
    (b'A: b\n\nno end', b'A: b\r\n\r\nno end\r\n'),
    (b'A: b\r\n\r\nx\r\n', b'A: b\r\n\r\nx\r\n'),
    (b'A: b\n\n' + b'x' * 70000 + b'\n', b'A: b\r\n\r\n' + b'x' * 70000
     + b'\r\n'),
    (b'A: b\n', b'A: b\r\n'),
    (b'A: b\n\n' + b'.\n' * 40000, b'A: b\r\n\r\n' + b'..\r\n' * 40000),
    (b'A: \xc3\xa4\n\n\xff\x80\n', b'A: \xc3\xa4\r\n\r\n\xff\x80\r\n')],
    ids=['dots', 'no end', 'crlf', 'long line', 'header', 'many dots', '8bit'])
def test_bytes(posta, stored, sent):
    fill(posta, [stored])
    with MailClient(posta, 'pop3s') as c:
        c.say('UTF8')
        assert c.log_in(ALICE) == '+OK Logged in'
        assert c.say('RETR 1').startswith('+OK')
        assert c.file.read(len(sent) + 3) == sent + b'.\r\n'
        size = int(c.say('LIST 1').split()[2])
    plain = re.sub(rb'^\.', b'', sent, flags=re.M)
    assert size == len(plain) - (0 if stored.endswith(b'\n') else 2)


@pytest.mark.parametrize('lines', [0, 1, 2, 5, 100000, 2**32])
def test_top(posta, lines):
    body = b''.join(b'line %d\n' % i for i in range(5000))
    fill(posta, [letter(7, body)])
    with pop(posta) as c:
        want = letter(7).split(b'\n')[:3] + body.splitlines()[:lines]
        assert c.ask(f'TOP 1 {lines}') == [w.decode() for w in want]


def test_pipelining_and_a_slow_reader(posta):
    """Everything in one packet, and megabytes of answers that nobody reads for
    a while, QUIT at the end: nothing is lost, all that was deleted is gone."""
    body = (b'x' * 70 + b'\n') * 15000
    box = fill(posta, [letter(i, body) for i in range(6)])
    with pop(posta, small=True) as c:
        c.send(''.join(f'RETR {i + 1}\r\nDELE {i + 1}\r\n' for i in range(6))
               + 'STAT\r\nQUIT\r\n')
        wait_until(lambda: posta.pids('pop3d'), 'it runs')
        time.sleep(1)
        for i in range(6):
            assert c.line().startswith('+OK')
            assert c.many() == crlf(letter(i, body)).decode().split('\r\n')[:-1]
            assert c.line().startswith('+OK')
        assert c.line() == '+OK 0 0'
        assert c.line() == '+OK Bye'
        assert c.ends() == ''
    assert files(box) == []


@pytest.mark.parametrize('count', [1, 2500])
def test_a_client_that_does_not_wait_for_the_answer_to_quit(posta, count):
    """What was deleted goes, and so it does where that takes several turns."""
    box = fill(posta, [letter(i) for i in range(count + 1)])
    with pop(posta) as c:
        c.send(''.join(f'DELE {i + 1}\r\n' for i in range(count)))
        for _ in range(count):
            assert c.line().startswith('+OK')
        c.send('QUIT\r\n')
        if hasattr(c.socket, 'unwrap'):
            c.socket.close()
    wait_until(lambda: len(files(box)) == 1, 'the messages to be gone')


def test_beside_imap(posta):
    """Each sees what the other does, when its protocol allows."""
    fill(posta, [letter(i) for i in range(3)])
    with pop(posta) as c, MailClient(posta, 'imaps') as i:
        assert i.log_in(ALICE).startswith('t1 OK')
        assert i.tagged('SELECT INBOX').startswith('t1 OK')
        c.say('DELE 2')
        assert not [x for x in i.answers('NOOP') if 'EXPUNGE' in x]
        assert c.say('QUIT') == '+OK Bye'
        told = []
        wait_until(lambda: told.extend(i.answers('NOOP')) or
                   '* 2 EXPUNGE' in told, lambda: f'an expunge: {told}')
        with pop(posta) as d:
            assert d.say('STAT').startswith('+OK 2 ')
            assert i.tagged('STORE 1 +FLAGS (\\Deleted)').startswith('t1 OK')
            assert i.tagged('EXPUNGE').startswith('t1 OK')
            assert d.say('STAT').startswith('+OK 2 ')
            assert d.say('RETR 1').startswith('-ERR')
            assert d.say('RETR 2').startswith('+OK')
            d.many()
            assert d.say('QUIT') == '+OK Bye'


def test_what_was_fetched_is_seen(posta):
    fill(posta, [letter(i) for i in range(3)])
    with MailClient(posta, 'imaps') as i:
        assert i.log_in(ALICE).startswith('t1 OK')
        i.tagged('SELECT INBOX')
        with pop(posta) as c:
            c.ask('RETR 2')
            c.ask('TOP 3 1')
            assert c.say('QUIT') == '+OK Bye'
        wait_until(lambda: i.answers('NOOP') and '* SEARCH 2' in
                   i.answers('SEARCH SEEN'), 'one message that was seen')


def test_ten_thousand(posta):
    box = fill(posta, [letter(i) for i in range(10000)])
    with pop(posta) as c:
        total = sum(len(crlf(letter(i))) for i in range(10000))
        assert c.say('STAT') == f'+OK 10000 {total}'
        assert len(c.ask('LIST')) == 10000
        assert len({x.split()[1] for x in c.ask('UIDL')}) == 10000
        c.send(''.join(f'TOP {i} 0\r\n' for i in range(1, 10001)))
        for i in range(10000):
            assert c.line() == '+OK'
            assert c.many()[0] == f'Subject: number {i}'
        c.send(''.join(f'DELE {i}\r\n' for i in range(1, 9901)))
        for i in range(9900):
            assert c.line().startswith('+OK')
        assert c.say('QUIT') == '+OK Bye'
    assert len(files(box)) == 100


def known(posta, size, *fields):
    """Messages of an INBOX that Dovecot has had, with what dovecot-uidlist
    says of each."""
    box = fill(posta, [])
    names = [f'17000000{n}.M{n}.host{size}' for n in range(len(fields))]
    for n, name in enumerate(names):
        file = box / 'cur' / f'{name}:2,S'
        file.write_bytes(letter(n))
        owned(posta, file)
    lines = [f'{5 + 2 * n} {f}:{name}\n'
             for n, (f, name) in enumerate(zip(fields, names))]
    (box / 'dovecot-uidlist').write_text(
        '3 V1234567890 N20 G0123456789abcdef0123456789abcdef\n'
        + ''.join(lines))
    owned(posta, box / 'dovecot-uidlist')


def test_old_uidls_are_kept(posta):
    """dovecot-uidlist has the UIDLs of the server before, as P fields."""
    known(posta, '', 'POLD-one ', '', 'PUIDL3 W80 ')
    with pop(posta) as c:
        assert c.ask('UIDL') == ['1 OLD-one', f'2 {7:08x}{1234567890:08x}',
                                 '3 UIDL3']


def test_names_with_wrong_sizes(posta):
    """They are believed until the file is read, by POP3 or by IMAP."""
    known(posta, ',S=1500,W=1600', *[''] * 4)
    size = len(crlf(letter(0)))
    with pop(posta) as c:
        assert c.ask('LIST') == [f'{n} 1600' for n in range(1, 5)]
        assert c.ask('TOP 1 0')[0] == 'Subject: number 0'
        c.send('RETR 1\r\n')
        assert c.line() == f'+OK {size} octets'
        assert '\r\n'.join(c.many()) + '\r\n' == crlf(letter(0)).decode()
        assert c.ask('LIST') == [
            f'1 {size}', '2 1600', '3 1600', '4 1600']
    with RawImap(posta.base + 993, ALICE) as c:
        assert c.ok('STATUS INBOX (SIZE)') == [
            b'* STATUS INBOX (SIZE %d)' % (size + 4800)]
        c.ok('SELECT INBOX')
        assert c.ok('FETCH 1:2 RFC822.SIZE') == [
            b'* 1 FETCH (RFC822.SIZE %d)' % size,
            b'* 2 FETCH (RFC822.SIZE 1600)']
        for items in 'RFC822.SIZE BODY.PEEK[]', 'RFC822.SIZE':
            line, = c.ok(f'FETCH 2 ({items})')
            assert line.startswith(b'* 2 FETCH (RFC822.SIZE %d' % size)
        line, = c.ok('FETCH 3 (RFC822.SIZE ENVELOPE)')
        assert line.startswith(b'* 3 FETCH (RFC822.SIZE %d ' % size)
        line, = c.ok('FETCH 4 FAST')
        assert b'RFC822.SIZE %d' % size in line
        assert c.ok('STATUS INBOX (SIZE)') == [
            b'* STATUS INBOX (SIZE %d)' % (4 * size)]
    with pop(posta) as c:
        assert c.ask('LIST') == [f'{n} {size}' for n in range(1, 5)]
    posta.wait_log('UID [57] has 41 bytes, not what its file', 2)


@pytest.mark.parametrize('uidl,shown', [
    ('%u.%v', r'1\.\d+'), ('UID%Xu-%08Xv', r'UID1-[0-9a-f]{8}'),
    ('%v.%010u', r'\d+\.0000000001'), ('%%%u', '%1'),
    ('%f', r'1700000000\.M0\.host'), ('%g', r'1700000000\.M0\.host')])
def test_formats_of_uidls(uidl, shown):
    with Posta(settings={'pop3_uidl_format': uidl}) as p:
        fill(p, [letter(0)])
        with pop(p) as c:
            assert re.fullmatch(f'1 {shown}', c.ask('UIDL')[0])


def test_guids_are_uidls(posta):
    """%g is the GUID of dovecot-uidlist, or the name of the file."""
    posta.set(pop3_uidl_format='%g')
    posta.posta('reload')
    known(posta, ',S=37', 'Gabcdef ', '')
    with pop(posta) as c:
        assert c.ask('UIDL') == ['1 abcdef', '2 170000001.M1.host,S=37']


GLOBAL = ('From: "Jürgen" <jürgen@x.test>\nSubject: Grüße an\nX-Old: '
          ).encode() + b'j\xfcrg\n\nGr\xc3\xbcn\n'


@pytest.mark.parametrize('name', ['pop3', 'pop3s'])
def test_utf8(posta, name):
    """RFC 6856: in UTF-8 mode the message as it is, else a header in ASCII."""
    fill(posta, [letter(0), GLOBAL])
    sent = [line.decode('latin-1') for line in GLOBAL.split(b'\n')[:-1]]
    with MailClient(posta, name) as c:
        if name == 'pop3':
            c.start_tls()
        assert 'UTF8 USER' in c.ask('CAPA')
        assert c.log_in(ALICE).startswith('+OK')
        assert c.say('UTF8').startswith('-ERR')
        text = c.ask('RETR 2')
        assert text[:6] == [
            'From: =?utf-8?B?SsO8cmdlbg==?= '
            '<invalid@internationalized-address.invalid>',
            'Subject: =?utf-8?B?R3LDvMOfZQ==?= an',
            'X-Old: =?unknown-8bit?B?avxyZw==?=', '', sent[-1]]
        assert c.ask('TOP 2 0') == text[:4]
        assert c.ask('RETR 1')[0] == 'Subject: number 0'
    with MailClient(posta, name) as c:
        if name == 'pop3':
            c.start_tls()
        assert c.say('UTF8 x').startswith('-ERR')
        assert c.say('UTF8').startswith('+OK')
        assert c.say('STLS').startswith('-ERR')
        assert c.log_in(ALICE).startswith('+OK')
        assert c.ask('RETR 2') == sent


def test_utf8_in_names_and_passwords():
    with Posta(start=False, settings={'auth_failure_delay': '0s'}) as p:
        users = p.dir / 'users'
        users.write_text(re.sub(rf'^{ALICE}:[^:]*', f'{ALICE}:{{PLAIN}}pässword',
                                users.read_text(), flags=re.M))
        p.start()
        with MailClient(p, 'pop3s') as c:
            assert c.say('USER älice@example.test').startswith('+OK')
            assert c.say('PASS pässword').startswith('-ERR [AUTH]')
            assert c.say(f'USER {ALICE}').startswith('+OK')
            c.send(b'PASS p\xffssword\r\n')
            assert c.line().startswith('-ERR [AUTH]')
            assert c.say(f'USER {ALICE}').startswith('+OK')
            # as some keyboards write it: SASLprep makes it the same
            assert c.say('PASS pa\u0308ssword').startswith('+OK')


@pytest.mark.parametrize('junk', [
    b'\0' * 3000, b'A' * 100000, b'\r\n' * 100, b'\xff\xfe\r\n' * 100,
    b'RETR ' + b'9' * 5000 + b'\r\n', b'XXXX\r\n' * 5000],
    ids=['nul', 'endless', 'empty', '8bit', 'number', 'junk'])
def test_hostile_input(posta, junk):
    fill(posta, [letter(0)])
    with pop(posta) as other, pop(posta) as c:
        try:
            c.send(junk)
            assert '-ERR' in c.line()
            c.ends()
        except OSError:
            pass
        assert other.say('NOOP') == '+OK'


def test_a_mailbox_that_cannot_be_opened(posta):
    box = mailbox(posta)
    box.parent.mkdir(exist_ok=True)
    owned(posta, box.parent)
    pathlib.Path(box).write_text('not a folder')
    for port in 'pop3s', 'imaps':
        with MailClient(posta, port) as c:
            assert re.match(r'-ERR \[SYS/TEMP\] |t1 NO \[UNAVAILABLE\] ',
                            c.log_in(ALICE))
            c.ends()
    box.unlink()
    fill(posta, [letter(0)])
    with pop(posta) as c:  # at once
        assert c.say('STAT').startswith('+OK 1 ')
