"""NOTIFY (RFC 5465): what happens is told when it happens."""
import ctypes
import os
import re
import socket
import time

import pytest

from harness import Dovecot, Posta, maildir, wait_until
from harness.raw_imap import RawImap

MESSAGES = 'MessageNew MessageExpunge'
ALL = MESSAGES + ' FlagChange'


@pytest.fixture(scope='module')
def posta():
    with Posta(users={f'u{i}': 'secret' for i in range(20)}) as p:
        p.next_user = iter(range(20))
        yield p


class User:
    """Somebody nobody else is: `a` listens, `b` is his other client."""

    def __init__(self, posta, folders=()):
        self.posta = posta
        self.name = f'u{next(posta.next_user)}'
        self.number = 0
        self.a, self.b = self.client(), self.client()
        self.mail = posta.dir / 'mail/example.test' / self.name / 'Maildir'
        for name in folders:
            self.b.ok(f'CREATE "{name}"')

    def client(self):
        return RawImap(self.posta.base + 993, f'{self.name}@example.test')

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.a.close()
        self.b.close()

    def drop_in(self, folder='', text='Subject: x\n\nx\n', where='new'):
        """As another program delivers; the path."""
        self.number += 1
        name = f'{1700000000 + self.number}.P1.host'
        top = self.mail / ('.' + folder if folder else '.')
        path = top / 'tmp' / name
        path.write_text(text)
        st = os.stat(self.mail)
        os.chown(path, st.st_uid, st.st_gid)
        os.rename(path, top / where / name)
        return top / where / name


def make_folder(mail, name):
    """As another program does, but in one step: nobody sees it half made."""
    new, st = mail.parent / 'made', os.stat(mail)
    for part in '', 'cur', 'new', 'tmp':
        path = new / part
        path.mkdir()
        os.chown(path, st.st_uid, st.st_gid)
    os.rename(new, mail / name)


def quiet(c, seconds=0.4):
    """Nothing is said, unasked."""
    c.socket.settimeout(seconds)
    try:
        line = c.file.readline()
        assert False, line
    except (TimeoutError, socket.timeout):
        pass
    finally:
        c.socket.settimeout(60)
        # the file refuses to go on after a timeout
        c.file.close()
        c.file = c.socket.makefile('rb')


def told(c, count):
    """The next unasked responses, without what differs from run to run."""
    return [plain(c.response().decode()) for _ in range(count)]


def plain(line):
    for pattern, instead in ((r'(UIDVALIDITY|HIGHESTMODSEQ) \d+', r'\1 N'),
                             (r'MODSEQ \(\d+\)', 'MODSEQ (N)'),
                             (r'(?<=\w) \\Recent|\\Recent ?', '')):
        line = re.sub(pattern, instead, line)
    return line


def test_example(posta):
    """RFC 5465 3.1, with the parentheses that its grammar wants."""
    with User(posta, ['Lists', 'Lists/Lemonade', 'Lists/Im2000', 'misc']) as u:
        a = u.a
        assert b' NOTIFY' in a.ok('CAPABILITY')[0]
        for _ in range(2):
            u.drop_in('Lists.Lemonade')
        lines = a.ok('notify set status (selected (MessageNew (uid '
                     'body.peek[header.fields (from to subject)]) '
                     'MessageExpunge)) (subtree Lists (MessageNew '
                     'MessageExpunge))')
        assert [plain(x.decode()) for x in lines] == [
            f'* STATUS {n} (MESSAGES {i} UIDNEXT {i + 1} UIDVALIDITY N)'
            for n, i in (('Lists', 0), ('Lists/Im2000', 0),
                         ('Lists/Lemonade', 2))]
        a.ok('select inbox')
        u.drop_in('Lists.Lemonade')
        assert told(a, 1) == [
            '* STATUS Lists/Lemonade (MESSAGES 3 UIDNEXT 4 UIDVALIDITY N)']
        u.drop_in(text='Subject: Re: good morning\nFrom: alice@example.org\n'
                       'To: bob@example.org\n\nx\n')
        assert told(a, 3) == [
            '* 1 EXISTS', '* 1 RECENT',
            '* 1 FETCH (UID 1 BODY[HEADER.FIELDS (from to subject)] {75}\r\n'
            'Subject: Re: good morning\r\nFrom: alice@example.org\r\n'
            'To: bob@example.org\r\n\r\n)']
        a.ok('STATUS misc (UIDVALIDITY UIDNEXT MESSAGES)')
        assert a.ok('notify set (selected (MessageNew (uid '
                    'body.peek[header.fields (from to subject)]) '
                    'MessageExpunge)) (subtree Lists (MessageNew '
                    'MessageExpunge)) (mailboxes misc (MessageNew '
                    'MessageExpunge))') == []
        u.drop_in('misc')
        assert told(a, 1) == [
            '* STATUS misc (MESSAGES 1 UIDNEXT 2 UIDVALIDITY N)']
        quiet(a)


def test_other_mailboxes(posta):
    """5.1 to 5.3: flags, new and expunged messages elsewhere."""
    with User(posta, ['one', 'two', 'three']) as u:
        a, b = u.a, u.b
        # the second example of 6
        a.ok(f'notify set (selected (MessageNew (uid flags) MessageExpunge)) '
             f'(personal ({ALL}))')
        paths = []
        for n in 1, 2, 3:
            # One by one: a later file may be seen before an earlier one.
            paths.append(u.drop_in('one'))
            line, = told(a, 1)
            while f'MESSAGES {n} ' not in line:
                line, = told(a, 1)
        assert line == ('* STATUS one (MESSAGES 3 UIDNEXT 4 UIDVALIDITY N '
                        'UNSEEN 3)')
        # by another session: flags are true at once
        b.ok('SELECT one')
        b.ok('STORE 1 +FLAGS (\\Seen)')
        assert told(a, 1) == ['* STATUS one (UIDVALIDITY N UNSEEN 2)']
        b.ok('STORE 1 +FLAGS (\\Flagged)')
        quiet(a)  # without CONDSTORE there is nothing to say of it
        a.ok('ENABLE CONDSTORE')
        b.ok('STORE 1 -FLAGS (\\Flagged)')
        assert told(a, 1) == ['* STATUS one (UIDVALIDITY N HIGHESTMODSEQ N)']
        b.ok('STORE 2 +FLAGS.SILENT (\\Deleted)')
        assert told(a, 1) == ['* STATUS one (UIDVALIDITY N HIGHESTMODSEQ N)']
        b.ok('EXPUNGE')
        assert told(a, 1) == ['* STATUS one (MESSAGES 2 UIDNEXT 4 UIDVALIDITY '
                              'N UNSEEN 1 HIGHESTMODSEQ N)']
        b.ok('COPY 1:* two')
        assert told(a, 1) == ['* STATUS two (MESSAGES 2 UIDNEXT 3 UIDVALIDITY '
                              'N UNSEEN 1 HIGHESTMODSEQ N)']
        b.ok('UNSELECT')
        # by other programs
        one = u.mail / '.one'
        maildir.change(one, paths[2].name, lambda path: os.rename(
            path, one / f'cur/{paths[2].name}:2,S'))
        assert told(a, 1) == ['* STATUS one (UIDVALIDITY N UNSEEN 0 '
                              'HIGHESTMODSEQ N)']
        for name in maildir.files(one):
            maildir.change(one, name, os.unlink)
        line, = told(a, 1)
        while 'MESSAGES 0' not in line:
            line, = told(a, 1)
        # what the client does itself is no news
        a.literals('APPEND three ', b'Subject: mine\r\n\r\nx\r\n')
        a.ok('SELECT two')
        a.ok('COPY 1:* three')
        quiet(a)
        a.ok('UID MOVE 1 three')
        quiet(a)
        # the selected mailbox is told of as such
        u.drop_in('two')
        assert told(a, 3)[2] == '* 2 FETCH (UID 3 FLAGS () MODSEQ (N))'
        a.ok('UNSELECT')
        u.drop_in('two')
        assert told(a, 1) == ['* STATUS two (MESSAGES 3 UIDNEXT 5 UIDVALIDITY '
                              'N UNSEEN 3 HIGHESTMODSEQ N)']
        # CLOSE expunges without a word
        a.ok('SELECT two')
        a.ok('STORE 1 +FLAGS.SILENT (\\Deleted)')
        a.ok('CLOSE')
        quiet(a)
        # a mailbox made anew
        b.ok('DELETE one')
        b.ok('CREATE one')
        b.literals('APPEND one ', b'Subject: x\r\n\r\nx\r\n')
        line, = told(a, 1)
        while 'MESSAGES 1' not in line:
            line, = told(a, 1)
        assert 'UIDVALIDITY N' in line


def test_delivered(posta):
    """By our own delivery, with and without IDLE."""
    with User(posta) as u:
        u.a.ok(f'NOTIFY SET (selected ({ALL})) (personal ({ALL}))')
        u.posta.send('x@remote.test', f'{u.name}@example.test')
        assert told(u.a, 1) == ['* STATUS INBOX (MESSAGES 1 UIDNEXT 2 '
                                'UIDVALIDITY N UNSEEN 1)']
        tag = u.a.begin('IDLE')
        assert u.a.response().startswith(b'+')
        u.posta.send('x@remote.test', f'{u.name}@example.test')
        assert told(u.a, 1) == ['* STATUS INBOX (MESSAGES 2 UIDNEXT 3 '
                                'UIDVALIDITY N UNSEEN 2)']
        u.a.send('DONE\r\n')
        assert u.a.until(tag)[0] == []
        u.a.ok('SELECT INBOX')
        u.posta.send('x@remote.test', f'{u.name}@example.test')
        assert told(u.a, 2) == ['* 3 EXISTS', '* 3 RECENT']


def test_selected(posta):
    """Immediate: expunges at any time. Delayed: when a command allows it."""
    with User(posta) as u:
        for _ in range(6):
            u.drop_in()
        b = u.b
        with u.client() as d:
            for c in u.a, d, b:
                c.ok('SELECT INBOX')
            u.a.ok(f'NOTIFY SET (Selected ({ALL}))')
            d.ok(f'NOTIFY SET (SELECTED-DELAYED ({ALL}))')
            b.ok('STORE 2,4 +FLAGS.SILENT (\\Deleted $Junk)')
            for c in u.a, d:
                assert sorted(told(c, 2)) == [
                    f'* {n} FETCH (FLAGS (\\Deleted $Junk) UID {n})'
                    for n in (2, 4)]
            b.ok('EXPUNGE')
            assert told(u.a, 2) == ['* 2 EXPUNGE', '* 3 EXPUNGE']
            quiet(d)
            # its numbers are what they were
            assert [x.split()[1] for x in d.ok('FETCH 5:6 UID')] == \
                [b'5', b'6']
            assert d.ok('UID SEARCH 5') == [b'* SEARCH 5',
                                            b'* 2 EXPUNGE', b'* 3 EXPUNGE']
            assert u.a.ok('FETCH 3 UID') == [b'* 3 FETCH (UID 5)']
            u.drop_in()
            for c in u.a, d:
                assert told(c, 1) == ['* 5 EXISTS']
                c.response()  # RECENT
            b.ok('UID STORE 1 +FLAGS.SILENT (\\Deleted)')
            for c in u.a, d:
                assert 'Deleted' in told(c, 1)[0]
            b.ok('EXPUNGE')
            assert told(u.a, 1) == ['* 1 EXPUNGE']
            tag = d.begin('IDLE')
            assert sorted([d.response(), d.response()]) == \
                [b'* 1 EXPUNGE', b'+ idling']
            b.ok('UID STORE 3 +FLAGS.SILENT (\\Deleted)')
            b.ok('EXPUNGE')
            assert [x.split()[2] for x in told(d, 2)] == ['FETCH', 'EXPUNGE']
            assert [x.split()[2] for x in told(u.a, 2)] == ['FETCH', 'EXPUNGE']
            d.send('DONE\r\n')
            d.until(tag)
            # without FlagChange nothing is said of flags
            d.ok(f'NOTIFY SET (selected ({MESSAGES}))')
            b.ok('STORE 1 +FLAGS.SILENT (\\Answered)')
            assert 'Answered' in told(u.a, 1)[0]
            quiet(d)
            assert d.ok('NOOP') == []
            lines = d.ok('STORE 1 +FLAGS (\\Flagged)')
            assert len(lines) == 1 and b'\\Answered \\Flagged' in lines[0]


def test_snapshot(posta):
    """5: who wants to hear of nothing sees the mailbox stand still."""
    for command in ('NOTIFY NONE', 'NOTIFY SET (selected NONE)',
                    f'NOTIFY SET (mailboxes other ({MESSAGES}))'):
        with User(posta) as u:
            for _ in range(4):
                u.drop_in()
            u.a.ok('SELECT INBOX')
            u.b.ok('SELECT INBOX')
            u.b.ok('STORE 1 +FLAGS.SILENT (\\Seen)')
            # what has piled up is told at once
            lines = u.a.ok(command)
            if 'SET' in command:
                assert len(lines) == 1 and b'1 FETCH (FLAGS (\\Seen' in lines[0]
            u.b.ok('STORE 2 +FLAGS.SILENT (\\Deleted)')
            u.b.ok('EXPUNGE')
            u.drop_in()
            assert b'* 4 EXISTS' in u.b.ok('NOOP')
            quiet(u.a)
            assert u.a.ok('NOOP') == []
            tag = u.a.begin('IDLE')
            u.a.response()
            u.b.ok('STORE 1 +FLAGS.SILENT (\\Flagged)')
            quiet(u.a)
            u.a.send('DONE\r\n')
            assert u.a.until(tag)[0] == []
            assert u.a.ok('SEARCH ALL') in ([b'* SEARCH 1 2 3 4'],
                                            [b'* SEARCH 1 3 4'])
            assert u.a.ok('FETCH 3 UID') == [b'* 3 FETCH (UID 3)']
            # but for what it expunges itself
            assert u.a.ok('STORE 4 +FLAGS (\\Deleted)') == [
                b'* 4 FETCH (FLAGS (\\Deleted \\Recent) UID 4)']
            assert u.a.ok('EXPUNGE') == [b'* 2 EXPUNGE', b'* 3 EXPUNGE']
            assert u.a.ok('FETCH 1:* UID') == [b'* 1 FETCH (UID 1)',
                                               b'* 2 FETCH (UID 3)']
            # and all is told when it wants to hear again
            lines = u.a.ok(f'NOTIFY SET (selected ({ALL}))')
            assert b'* 3 EXISTS' in lines


def test_new_messages(posta):
    """5.2: what is wanted of new messages, but for the client's own."""
    with User(posta) as u:
        a = u.a
        a.ok('SELECT INBOX')
        a.ok('NOTIFY SET (selected (MessageNew (UID FLAGS ENVELOPE '
             'BODY.PEEK[TEXT]) MessageExpunge))')
        u.drop_in(text='Subject: one\n\nbody\n')
        lines = told(a, 3)
        assert lines[2].startswith('* 1 FETCH (UID 1 FLAGS () ENVELOPE '
                                   '(NIL "one"')
        assert lines[2].endswith(' BODY[TEXT] {6}\r\nbody\r\n)')
        untagged, end = a.literals('APPEND INBOX ', b'Subject: y\r\n\r\ny\r\n')
        assert end.startswith(b'OK [APPENDUID')
        assert [x for x in untagged if b'FETCH' in x] == []
        assert [x for x in a.ok('COPY 1 INBOX') if b'FETCH' in x] == []
        quiet(a)
        # many: all are fetched, while others go on
        for i in range(300):
            u.drop_in(text=f'Subject: {i}\n\n' + 'x' * 70 + '\n')
        seen = set()
        while len(seen) < 300:
            line = told(a, 1)[0]
            if 'FETCH' in line:
                seen.add(int(re.search(r'UID (\d+)', line)[1]))
        assert seen == set(range(4, 304))
        # one that comes during a command is told of behind it, or before
        u.drop_in()
        lines = [plain(x.decode()) for x in a.ok('NOOP')]
        while not any('FETCH' in x for x in lines):
            lines = told(a, 1)
        # \Seen is set where that was asked for
        a.ok('NOTIFY SET (selected (MessageNew (BODY[]) MessageExpunge))')
        u.drop_in()
        line = ''
        while 'FETCH' not in line:
            line, = told(a, 1)
        assert 'FLAGS (\\Seen' in line


def test_modes(posta):
    """VANISHED, UIDFETCH, names in UTF-8."""
    with User(posta, ['&AOk-t&AOk-']) as u:
        for _ in range(4):
            u.drop_in()
        a, b = u.a, u.b
        b.ok('SELECT INBOX')
        a.ok('ENABLE QRESYNC IMAP4rev2')
        a.ok('SELECT INBOX')
        a.ok('NOTIFY SET (selected (MessageNew (FLAGS) MessageExpunge '
             f'FlagChange)) (personal ({MESSAGES} MailboxName))')
        b.ok('STORE 2:3 +FLAGS.SILENT (\\Deleted)')
        assert sorted(told(a, 2)) == [
            f'* {n} FETCH (FLAGS (\\Deleted) MODSEQ (N) UID {n})'
            for n in (2, 3)]
        b.ok('EXPUNGE')
        assert told(a, 1) == ['* VANISHED 2:3']
        u.drop_in()
        assert told(a, 2) == ['* 3 EXISTS',
                              '* 3 FETCH (UID 5 FLAGS () MODSEQ (N))']
        u.drop_in('&AOk-t&AOk-')
        assert told(a, 1) == ['* STATUS "été" (MESSAGES 1 UIDNEXT 2 '
                              'UIDVALIDITY N HIGHESTMODSEQ N)']
        a.ok('ENABLE UIDONLY')
        u.drop_in()
        assert told(a, 2)[1] == '* 6 UIDFETCH (FLAGS () MODSEQ (N))'
        b.ok('RENAME "&AOk-t&AOk-" "&AOk-"')
        assert told(a, 1) == [
            '* LIST (\\HasNoChildren) "/" "é" ("OLDNAME" ("été"))']


def test_names(posta):
    """5.4: mailboxes made, deleted and renamed."""
    with User(posta, ['a', 'a/b', 'a/b/c']) as u:
        a, b = u.a, u.b
        a.ok('NOTIFY SET (personal (MailboxName))')
        b.ok('CREATE NewMailbox')
        assert told(a, 1) == ['* LIST (\\HasNoChildren) "/" NewMailbox']
        b.ok('RENAME NewMailbox Other')
        assert told(a, 1) == [
            '* LIST (\\HasNoChildren) "/" Other ("OLDNAME" (NewMailbox))']
        b.ok('CREATE Other/below')
        assert told(a, 2) == ['* LIST (\\HasNoChildren) "/" Other/below',
                              '* LIST (\\HasChildren) "/" Other']
        b.ok('DELETE Other/below')
        assert told(a, 2) == [
            '* LIST (\\NonExistent \\HasNoChildren) "/" Other/below',
            '* LIST (\\HasNoChildren) "/" Other']
        # those below go with it, unsaid
        b.ok('RENAME a d')
        assert told(a, 1) == ['* LIST (\\HasChildren) "/" d ("OLDNAME" (a))']
        b.ok('DELETE d/b')  # its child stays
        assert told(a, 2) == ['* LIST (\\NonExistent \\HasChildren) "/" d/b',
                              '* LIST (\\HasChildren) "/" d']
        b.ok('SUBSCRIBE Other')
        quiet(a)
        # the client's own doings are no news
        a.ok('CREATE mine')
        a.ok('RENAME mine yours')
        a.ok('DELETE yours')
        quiet(a)
        # others' programs
        make_folder(u.mail, '.made')
        assert told(a, 1) == ['* LIST (\\HasNoChildren) "/" made']
        os.rename(u.mail / '.made', u.mail / '.made.up')
        assert told(a, 1) == [
            '* LIST (\\HasNoChildren) "/" made/up ("OLDNAME" (made))']
        # a new one is listened to
        a.ok(f'NOTIFY SET (personal ({ALL} MailboxName))')
        b.ok('CREATE fresh')
        assert told(a, 1) == ['* LIST (\\HasNoChildren) "/" fresh']
        b.literals('APPEND fresh ', b'Subject: x\r\n\r\nx\r\n')
        assert told(a, 1) == ['* STATUS fresh (MESSAGES 1 UIDNEXT 2 '
                              'UIDVALIDITY N UNSEEN 1)']
        b.ok('RENAME fresh stale')
        assert told(a, 1) == [
            '* LIST (\\HasNoChildren) "/" stale ("OLDNAME" (fresh))']
        u.drop_in('stale')
        assert told(a, 1) == ['* STATUS stale (MESSAGES 2 UIDNEXT 3 '
                              'UIDVALIDITY N UNSEEN 2)']
        # INBOX gives its messages away, and is there as before
        u.drop_in()
        assert 'STATUS INBOX (MESSAGES 1' in told(a, 1)[0]
        b.ok('RENAME INBOX old-inbox')
        lines = told(a, 3)
        assert '* LIST (\\HasNoChildren) "/" old-inbox' in lines
        assert sum('STATUS' in x for x in lines) == 2


def test_unseen_goes_back_to_what_it_was(posta):
    """A STATUS that the listener asked for counts as told: when what it said
    is over before the server looks, that is news."""
    with User(posta, ['box']) as u:
        a, b = u.a, u.b
        u.drop_in('box')
        a.ok(f'NOTIFY SET (MAILBOXES box ({ALL}))')
        b.ok('SELECT box')
        b.ok('STORE 1 +FLAGS (\\Seen)')
        believed = [None]

        def hear(lines):
            for line in lines:
                believed.extend(int(n) for n in re.findall(
                    rb'^\* STATUS "?box"? .*UNSEEN (\d+)', line))
            return believed[-1]
        wait_until(lambda: hear(a.ok('NOOP')) == 0, 'that all is seen')
        for _ in range(30):
            b.ok('STORE 1 -FLAGS (\\Seen)')
            assert hear(a.ok('STATUS box (UNSEEN)')) == 1
            b.ok('STORE 1 +FLAGS (\\Seen)')
            wait_until(lambda: hear(a.ok('NOOP')) == 0, 'that all is seen')


def test_made_anew(posta):
    """A folder that gives way to another of its name is listened to."""
    with User(posta, ['one']) as u:
        a = u.a
        a.ok(f'notify set (personal ({MESSAGES}))')
        u.drop_in('one')
        assert told(a, 1) == [
            '* STATUS one (MESSAGES 1 UIDNEXT 2 UIDVALIDITY N)']
        make_folder(u.mail, 'other')
        # RENAME_EXCHANGE, so that nobody sees it without either
        assert ctypes.CDLL(None).renameat2(
            -100, bytes(u.mail / 'other'), -100, bytes(u.mail / '.one'), 2) == 0
        for n in 0, 1:
            assert f'* STATUS one (MESSAGES {n} ' in told(a, 1)[0]
            if n == 0:
                u.drop_in('one')


def test_subscriptions(posta):
    """5.5, and "subscribed" (6.4)."""
    with User(posta, ['one', 'two']) as u:
        a, b = u.a, u.b
        b.ok('SUBSCRIBE one')
        a.ok(f'NOTIFY SET (personal (SubscriptionChange)) '
             f'(subscribed ({MESSAGES}))')
        u.drop_in('two')
        quiet(a)
        b.ok('SUBSCRIBE two')
        assert told(a, 2) == [
            '* LIST (\\Subscribed \\HasNoChildren) "/" two',
            '* STATUS two (MESSAGES 1 UIDNEXT 2 UIDVALIDITY N)']
        u.drop_in('two')
        assert 'STATUS two (MESSAGES 2' in told(a, 1)[0]
        b.ok('UNSUBSCRIBE one')
        assert told(a, 1) == ['* LIST (\\HasNoChildren) "/" one']
        u.drop_in('one')
        quiet(a)
        b.ok('SUBSCRIBE nowhere')
        assert told(a, 1) == [
            '* LIST (\\NonExistent \\Subscribed \\HasNoChildren) "/" nowhere']
        b.ok('UNSUBSCRIBE nowhere')
        assert told(a, 1) == [
            '* LIST (\\NonExistent \\HasNoChildren) "/" nowhere']
        # of what it is to hear of from now on it knows nothing yet
        a.ok('SUBSCRIBE one')
        assert told(a, 1) == [
            '* STATUS one (MESSAGES 1 UIDNEXT 2 UIDVALIDITY N)']
        quiet(a)


def test_metadata(posta):
    """5.6 and 5.7."""
    with User(posta, ['one']) as u:
        a, b = u.a, u.b
        a.ok('NOTIFY SET (mailboxes (INBOX one) (MailboxMetadataChange '
             'ServerMetadataChange))')
        b.ok('SETMETADATA INBOX (/shared/comment "x")')
        assert told(a, 1) == ['* METADATA INBOX /shared/comment']
        b.ok('SETMETADATA "" (/shared/comment "y" /private/comment "z")')
        assert sorted(told(a, 2)) == ['* METADATA "" /private/comment',
                                      '* METADATA "" /shared/comment']
        b.ok('SETMETADATA one (/private/comment "z")')
        assert told(a, 1) == ['* METADATA one /private/comment']
        b.ok('SETMETADATA one (/private/comment NIL)')
        assert told(a, 1) == ['* METADATA one /private/comment']
        b.ok('SETMETADATA INBOX (/shared/comment "x")')
        a.ok('SETMETADATA INBOX (/shared/comment "own")')
        quiet(a)


def test_groups(posta):
    """6: groups add to each other; NONE outdoes them."""
    with User(posta, ['one', 'two', 'two/three']) as u:
        a, b = u.a, u.b
        # the first example
        a.ok(f'notify set (mailboxes INBOX ({MESSAGES})) '
             '(personal (SubscriptionChange))')
        b.ok('SUBSCRIBE INBOX')
        assert told(a, 1) == ['* LIST (\\Subscribed \\HasNoChildren) "/" INBOX']
        u.drop_in()
        assert 'STATUS INBOX' in told(a, 1)[0]
        u.drop_in('one')
        quiet(a)
        a.ok(f'NOTIFY SET (inboxes ({ALL})) (subtree two NONE)')
        u.drop_in('two.three')
        u.drop_in('two')
        u.drop_in('one')
        assert 'STATUS one (MESSAGES 2' in told(a, 1)[0]
        quiet(a)
        a.ok(f'NOTIFY SET (subtree-one two ({ALL})) (mailboxes ("o%" "*" '
             f'nowhere "x//y") ({ALL}))')
        u.drop_in('one')
        u.drop_in('two.three')
        assert 'STATUS two/three (MESSAGES 2' in told(a, 1)[0]
        quiet(a)
        # one that comes later is meant as well
        b.ok('CREATE nowhere')
        u.drop_in('nowhere')
        assert 'STATUS nowhere (MESSAGES 1' in told(a, 1)[0]
        # what was not told yet is told by the next one
        u.drop_in('nowhere')
        a.ok(f'NOTIFY SET (personal ({ALL}))')
        assert 'STATUS nowhere (MESSAGES 2' in told(a, 1)[0]
        a.ok('NOTIFY NONE')
        u.drop_in('nowhere')
        b.ok('CREATE more')
        quiet(a)


def test_refused(posta):
    with User(posta, ['one']) as u:
        a = u.a
        events = (b'NO [BADEVENT (MessageNew MessageExpunge FlagChange '
                  b'MailboxName SubscriptionChange MailboxMetadataChange '
                  b'ServerMetadataChange)]')
        assert a.no('NOTIFY SET (personal (Nonsense))').startswith(events)
        assert a.no(f'NOTIFY SET (selected ({ALL} AnnotationChange))'
                    ).startswith(events)
        for bad in ('', 'SET', 'NONE x', 'SET ()', 'SET (selected)',
                    'SET (personal ())', 'SET (selected (MessageNew))',
                    'SET (personal (MessageExpunge))',
                    'SET (personal (FlagChange))',
                    'SET (selected (MailboxName))',
                    f'SET (personal (MessageNew (UID) MessageExpunge))',
                    f'SET (selected ({ALL})) (selected-delayed ({ALL}))',
                    f'SET (selected ({ALL})) (selected NONE)',
                    f'SET (mailboxes ({ALL}))', f'SET (nowhere ({ALL}))',
                    f'SET STATUS', f'SET STATUS(personal ({ALL}))'):
            assert a.no('NOTIFY ' + bad).startswith(b'BAD'), bad
        a.no('NOTIFY SET (mailboxes (' + 'x ' * 1001 + f'y) ({ALL}))',
             b'NO [NOTIFICATIONOVERFLOW]')
        a.no('NOTIFY SET (mailboxes ' + 'x' * 300000 + f' ({ALL}))',
             b'NO [NOTIFICATIONOVERFLOW]')
        # what was wanted before still is
        a.ok(f'NOTIFY SET (personal ({ALL}))')
        a.no('NOTIFY SET (personal (Nonsense))')
        u.drop_in('one')
        assert 'STATUS one' in told(a, 1)[0]


def test_literals(posta):
    """Names in literals, and a command that comes in pieces."""
    with User(posta, ['one two']) as u:
        _, end = u.a.literals('NOTIFY SET (mailboxes ', b'one two',
                              f' ({ALL}))')
        assert end.startswith(b'OK')
        u.a.send('p1 APPEND "one two" {22+}\r\nSubject')
        u.drop_in('one two')
        assert 'STATUS "one two" (MESSAGES 1' in told(u.a, 1)[0]
        u.a.send(': x\r\n\r\nxxxxxxx\r\n')
        assert u.a.until('p1')[1].startswith(b'OK')
        quiet(u.a)


def essence(line):
    """What a client learns, without what may be told as well."""
    line = line.decode()
    if line.startswith('* STATUS'):
        numbers = re.findall(r'(MESSAGES|UIDNEXT) (\d+)', line)
        return line.split()[2], dict(numbers)
    name, *more = re.findall(r'"/" (.*)', line)
    return name, sorted({'\\NonExistent', '\\Subscribed'} &
                        set(re.findall(r'\\\w+', line)))


def dialogue(port, user):
    """What is told of some events, until the last one is."""
    with RawImap(port, user) as a, RawImap(port, user) as b:
        for name in 'one', 'two':
            b.ok(f'CREATE {name}')
        a.ok(f'NOTIFY SET (personal ({ALL} MailboxName SubscriptionChange))')
        b.literals('APPEND one ', b'Subject: x\r\n\r\nx\r\n')
        heard = [essence(a.response())]
        for command, name in (('CREATE new', 'new'),
                              ('SUBSCRIBE two', 'two'),
                              ('UNSUBSCRIBE two', 'two'),
                              ('DELETE new', 'new'),
                              ('SELECT one', None),
                              ('STORE 1 +FLAGS.SILENT (\\Deleted)', None),
                              ('EXPUNGE', 'one'),
                              ('RENAME two three', None),
                              ('CREATE last', 'last')):
            b.ok(command)
            while name:
                heard.append(essence(a.response()))
                if heard[-1][0] == name and heard[-1][1] != {}:
                    break
        return sorted((x for x in heard if x[1] != {}
                       and (x[0] != 'two' or type(x[1]) is list)
                       and (x[0] != 'INBOX')), key=str)


def test_like_dovecot(posta):
    with User(posta) as u, \
            Dovecot(users={'anna': 'secret'}, protocols='imap', more='''
                    namespace inbox {
                      inbox = yes
                      separator = /
                    }''') as d:
        ours = dialogue(posta.base + 993, f'{u.name}@example.test')
        assert ours == dialogue(d.imaps, 'anna')
        assert ('three ("OLDNAME" (two))', []) in ours


def test_burst(posta):
    """Many messages are few responses; many sessions hear them."""
    with User(posta, ['one']) as u:
        others = [u.client() for _ in range(5)]
        for c in (u.a, *others):
            c.ok(f'NOTIFY SET (personal ({ALL}))')
        for _ in range(250):
            u.drop_in('one')
        for c in (u.a, *others):
            while 'MESSAGES 250 ' not in told(c, 1)[0]:
                pass
        with posta.stopped('imapd'):
            for _ in range(250):
                u.drop_in('one')
        for c in (u.a, *others):
            count = 1
            while 'MESSAGES 500 ' not in told(c, 1)[0]:
                count += 1
            assert count < 25
            c.close()


def test_many_mailboxes(posta):
    """1,000 of them; a client that goes in the middle, and others."""
    with User(posta) as u:
        for i in range(1000):
            u.b.ok(f'CREATE box{i}')
        u.a.begin(f'NOTIFY SET STATUS (personal ({ALL}))')
        u.a.response()
        u.a.close()
        u.a = u.client()
        lines = u.a.ok(f'NOTIFY SET STATUS (personal ({ALL} MailboxName))')
        assert len(lines) == 1001
        for i in 0, 500, 999:
            u.drop_in(f'box{i}')
            assert told(u.a, 1) == [f'* STATUS box{i} (MESSAGES 1 UIDNEXT 2 '
                                    'UIDVALIDITY N UNSEEN 1)']
        for i in range(1000):
            u.drop_in(f'box{i}')
        seen = set()
        while len(seen) < 1000:
            seen.add(told(u.a, 1)[0].split()[2])
        u.b.ok('RENAME box7 box7000')
        assert 'OLDNAME' in told(u.a, 1)[0]
        u.a.ok('NOTIFY NONE')
        quiet(u.a)


def test_unread(posta):
    """A client that does not read costs nothing, and hears of it all."""
    with User(posta, ['one']) as u:
        u.a.ok(f'NOTIFY SET (selected ({ALL})) (personal ({ALL} MailboxName))')
        u.a.ok('SELECT INBOX')
        for i in range(2500):
            name = 'x' * 60 + str(i)
            u.b.ok(f'CREATE {name}')
        for _ in range(30):
            u.drop_in('one')
        lines = []
        while 'MESSAGES 30' not in (lines or [''])[-1]:
            lines += told(u.a, 1)
            if 'NOTIFICATIONOVERFLOW' in lines[-1]:
                break
        assert len(lines) <= 2600


def test_folders_in_folders():
    """The layout in which folders are in folders, of which any may get more."""
    with Posta(users={'anna': 'secret'}, start=False) as p:
        p.set(mail_location=f'maildir:{p.dir}/mail/%d/%n/Maildir:LAYOUT=fs')
        p.start()
        mail = p.dir / 'mail/example.test/anna/Maildir'

        def drop_in(folder):
            path = mail.parent / f'1700000000.{time.time_ns()}.host'
            path.write_text('Subject: x\n\nx\n')
            path.rename(mail / folder / 'new' / path.name)

        with RawImap(p.base + 993, 'anna@example.test') as a, \
                RawImap(p.base + 993, 'anna@example.test') as b:
            b.ok('CREATE one')
            b.ok('CREATE one/two')
            a.ok(f'NOTIFY SET (personal ({MESSAGES} MailboxName))')
            drop_in('one/two')
            assert 'STATUS one/two (MESSAGES 1' in told(a, 1)[0]
            make_folder(mail, 'one/two/four')
            assert told(a, 2) == [
                '* LIST (\\HasNoChildren) "/" one/two/four',
                '* LIST (\\HasChildren) "/" one/two']
            os.rename(mail / 'one/two/four', mail / 'one/two/five')
            assert told(a, 1) == ['* LIST (\\HasNoChildren) "/" one/two/five '
                                  '("OLDNAME" (one/two/four))']
            b.ok('RENAME one uno')
            assert told(a, 1) == [
                '* LIST (\\HasChildren) "/" uno ("OLDNAME" (one))']
            drop_in('uno/two/five')
            assert 'STATUS uno/two/five (MESSAGES 1' in told(a, 1)[0]
            make_folder(mail, 'uno/two/six')
            assert told(a, 2)[0] == '* LIST (\\HasNoChildren) "/" uno/two/six'


def test_still_here(posta):
    """IDLE: a word now and then."""
    with Posta(users={'anna': 'secret'},
               settings={'imap_idle_notify_interval': '1s'}) as p, \
            RawImap(p.base + 993, 'anna@example.test') as a, \
            RawImap(p.base + 993, 'anna@example.test') as b:
        began = time.monotonic()
        tags = [c.begin('IDLE') for c in (a, b)]
        for c in a, b:
            assert c.response().startswith(b'+')
        for _ in range(2):
            for c in a, b:
                assert c.response() == b'* OK Still here'
        assert time.monotonic() - began >= 1
        for c, tag in zip((a, b), tags):
            c.send('DONE\r\n')
            assert c.until(tag)[1].startswith(b'OK')
        quiet(a, 1.5)
