"""IMAP: mail of others (RFC 2342), and who may do what with it (RFC 4314, LIST
RETURN (MYRIGHTS) of RFC 8440)."""
import os
import pathlib
import re
import signal
import subprocess

import pytest

from harness import Posta, process, wait_until
from harness.accounts import Accounts
from harness.dovecot import Dovecot
from harness.raw_imap import Closed, RawImap, in_spite_of_a_kill, names

ALL = b'lrswipkxteacd'
MESSAGE = b'Subject: hello\r\n\r\nText.\r\n'


def owned(path, like, mode=0o755):
    """A folder of the same owner as another."""
    path.mkdir(parents=True, exist_ok=True)
    path.chmod(mode)
    st = os.stat(like)
    os.chown(path, st.st_uid, st.st_gid)
    return path


@pytest.fixture(scope='module')
def posta():
    users = {f'u{i}': 'secret' for i in range(80)}
    with Posta(users={**users, 'grouped': 'secret'}, start=False) as p:
        mail = p.dir / 'mail'
        p.public = owned(p.top / 'public', mail / p.domain)
        p.shares = owned(p.top / 'shares', mail / p.domain)
        p.set(imap_public_namespaces=f'Public/ maildir:{p.public}',
              imap_shared_namespace='shared/ maildir:$virtual_mailbox_base'
                                    '/%d/%n/Maildir',
              imap_shared_list=p.shares)
        p.fresh = iter([*users][1:])  # u0 is master of what is public
        path = p.dir / 'users'
        path.write_text(re.sub('(?m)^(grouped@.*)$',
                               r'\1 userdb_acl_groups=staff,big',
                               path.read_text()))
        acl(p.public, '.', 'user=u0@example.test lrswipkxtea', 'anyone l')
        p.start()
        yield p


def acl(root, folder, *lines):
    """Write a dovecot-acl file as another program would."""
    path = root / folder
    for part in ('', 'cur', 'new', 'tmp'):
        if not (path / part).exists():
            owned(path / part, root, root.stat().st_mode & 0o7777)
    (path / 'dovecot-acl').write_text(''.join(f'{x}\n' for x in lines))


class Client(RawImap):
    def __init__(self, posta, name, **kw):
        super().__init__(posta.base + 993, f'{name}@{posta.domain}', **kw)
        self.posta, self.name = posta, name
        self.full = f'{name}@{posta.domain}'
        self.shared = f'shared/{self.full}'

    def again(self):
        """Another connection, as what is shared since the first one is seen
        by who logs in after it."""
        return Client(self.posta, self.name)

    def append(self, box, message=MESSAGE, flags=''):
        untagged, done = self.literals(f'APPEND {box} ({flags}) ', message)
        return done

    def rights(self, box):
        (line,) = self.ok(f'MYRIGHTS {box}')
        return line.split(b' ')[-1]

    def flags(self, numbers):
        return [set(re.search(rb'FLAGS \(([^)]*)\)', x)[1].split()) - {b'\\Recent'}
                for x in self.ok(f'FETCH {numbers} (FLAGS)')]


@pytest.fixture
def anna(posta):
    with Client(posta, next(posta.fresh)) as c:
        yield c


@pytest.fixture
def ben(posta):
    """Not logged in yet: what is shared with him before is there."""
    yield Later(posta, next(posta.fresh))


class Later:
    def __init__(self, posta, name):
        self.posta, self.name = posta, name
        self.full = f'{name}@{posta.domain}'

    def login(self):
        return Client(self.posta, self.name)


def share(a, ben, box, rights):
    """She makes a mailbox for both; its name for him."""
    a.ok(f'CREATE {box}')
    a.ok(f'SETACL {box} {ben.full} {rights}')
    return f'{a.shared}/{box}'


def test_namespaces_and_capabilities(anna):
    assert anna.ok('NAMESPACE') == [
        b'* NAMESPACE (("" "/")) (("shared/" "/")) (("Public/" "/"))']
    (words,) = anna.ok('CAPABILITY')
    assert {b'ACL', b'RIGHTS=texk', b'LIST-MYRIGHTS', b'NAMESPACE'} <= \
        set(words.split())


def test_own_mailbox(anna):
    """Examples of RFC 4314 2.1.1 and 3, in a mailbox of one's own."""
    c, me = anna, anna.full.encode()
    c.ok('CREATE Drafts')
    assert c.rights('Drafts') == ALL
    assert c.ok('GETACL Drafts') == [b'* ACL Drafts ' + me + b' ' + ALL]
    c.ok('SeTacl Drafts David lrswida')
    assert c.ok('getacl Drafts') == [
        b'* ACL Drafts ' + me + b' ' + ALL + b' David lrswitead']
    c.ok('Setacl Drafts Byron lrswikda')
    assert c.ok('getAcl Drafts') == [
        b'* ACL Drafts ' + me + b' ' + ALL +
        b' Byron lrswikteacd David lrswitead']
    c.ok('SETACL Drafts Chris lrswi')
    c.ok('SETACL Drafts Chris +cda')
    assert b' Chris lrswikxteacd' in c.ok('GETACL Drafts')[0]
    c.ok('SETACL Drafts Chris -ted')
    assert b' Chris lrswikxac' in c.ok('GETACL Drafts')[0]
    assert c.no('SETACL Drafts John lrQswicda').startswith(b'BAD')
    assert c.no('SETACL Drafts John lrqswicda').startswith(b'BAD')
    assert b'John' not in c.ok('GETACL Drafts')[0]
    c.ok('SETACL Drafts -Fred wetd')
    c.ok('SETACL Drafts $team w')
    assert c.ok('GETACL Drafts')[0].endswith(b' $team w' + b' Byron lrswikteacd'
                                             b' Chris lrswikxac'
                                             b' David lrswitead -Fred wted')
    for who in 'Byron', 'Chris', 'David', '-Fred', '$team', 'nobody':
        c.ok(f'DELETEACL Drafts {who}')
    assert c.ok('GETACL Drafts') == [b'* ACL Drafts ' + me + b' ' + ALL]
    c.ok('SETACL Drafts "two words" lr')
    assert c.ok('GETACL Drafts')[0].endswith(b' "two words" lr')
    c.ok('SETACL Drafts "two words" ""')
    assert c.ok('GETACL Drafts')[0].endswith(b' "two words" ""')


def test_own_rights_stay(anna):
    c, me = anna, anna.full
    c.ok('CREATE box')
    (line,) = c.ok(f'LISTRIGHTS box {me}')
    assert line == f'* LISTRIGHTS box {me} la r s w i p k x t e c d'.encode()
    assert c.ok('LISTRIGHTS box smith') == [
        b'* LISTRIGHTS box smith "" l r s w i p k x t e a c d']
    c.ok(f'SETACL box {me} r')
    assert c.rights('box') == b'lra'
    c.ok(f'SETACL box -{me} lra')
    assert c.rights('box') == b'la'
    c.no('SELECT box', b'[NOPERM]')
    c.ok(f'DELETEACL box {me}')
    c.ok(f'DELETEACL box -{me}')
    c.ok('SETACL box anyone lr')
    assert c.rights('box') == ALL
    c.ok(f'SETACL box {me} -x')
    assert c.rights('box') == b'lrswipkteacd'
    c.no('DELETE box', b'[NOPERM]')
    c.ok('SETACL box owner lrx')
    assert c.rights('box') == b'lrswipkteacd'  # the name counts, not that
    c.ok(f'DELETEACL box {me}')
    assert c.rights('box') == b'lrxac'
    c.ok('DELETE box')


def test_bad_arguments(anna):
    c = anna
    c.ok('CREATE box')
    assert c.no('SETACL box "" lr').startswith(b'BAD')
    assert c.no('SETACL box "-" lr').startswith(b'BAD')
    assert c.no('SETACL box $ lr').startswith(b'BAD')
    assert c.literals('SETACL box ', b'a\r\nuser=b', ' lr')[1].startswith(b'BAD')
    for command in 'GETACL {}', 'MYRIGHTS {}', 'SETACL {} a lr', \
            'DELETEACL {} a', 'LISTRIGHTS {} a':
        c.no(command.format('none'), b'[NONEXISTENT]')
        c.no(command.format('shared/x/y'), b'[NONEXISTENT]')
        c.no(command.format('Public/none'), b'[NONEXISTENT]')


def test_shared(anna, ben):
    """A mailbox from its being shared to its not being shared any more."""
    a, box = anna, f'{anna.shared}/Work'
    for name in 'Work', 'Work/deep', 'Secret':
        a.ok(f'CREATE {name}')
    assert a.append('Work').startswith(b'OK [APPENDUID')
    a.ok(f'SETACL Work {ben.full} lrs')
    with ben.login() as b:
        assert names(b.ok('LIST "" shared*')) == {
            'shared': {'\\Noselect', '\\HasChildren'},
            a.shared: {'\\Noselect', '\\HasChildren'},
            box: {'\\HasNoChildren'}}
        assert names(b.ok('LIST "" %')).keys() >= {'INBOX', 'shared'}
        assert names(b.ok('LIST "" shared/%')).keys() == {a.shared}
        assert names(b.ok('LIST "" shared')).keys() == {'shared'}
        assert names(b.ok(f'LIST "" {box}')).keys() == {box}
        assert names(b.ok('LIST shared/ "*/W%"')).keys() == {box}
        assert names(b.ok('LIST "" "*/Work"')).keys() == {box}
        assert names(b.ok('LIST "" sh%')).keys() == {'shared'}
        assert names(b.ok('LIST "" sha')) == {}
        assert b.rights(box) == b'lrs'
        assert b.ok(f'STATUS {box} (MESSAGES UNSEEN)') == [
            f'* STATUS {box} (MESSAGES 1 UNSEEN 1)'.encode()]
        for name in 'Secret', 'Work/deep', 'INBOX', 'none':
            hidden = f'{a.shared}/{name}'
            for command in f'SELECT {hidden}', f'STATUS {hidden} (MESSAGES)', \
                    f'MYRIGHTS {hidden}', f'GETACL {hidden}', \
                    f'DELETE {hidden}', f'RENAME {hidden} {a.shared}/x', \
                    f'GETMETADATA {hidden} /shared/comment', \
                    f'SETMETADATA {hidden} (/shared/comment "x")', \
                    f'GETQUOTAROOT {hidden}':
                b.no(command, b'[NONEXISTENT]')
            assert b.append(hidden).startswith(b'NO [TRYCREATE]')
        for command in f'GETACL {box}', f'SETACL {box} eve lr', \
                f'DELETEACL {box} eve', f'LISTRIGHTS {box} eve', \
                f'DELETE {box}', f'RENAME {box} {a.shared}/New', \
                f'CREATE {box}/sub', f'CREATE {a.shared}/New':
            b.no(command, b'[NOPERM]')
        assert b.append(box).startswith(b'NO [NOPERM]')
        lines, done = b.say(f'SELECT {box}')
        assert done.startswith(b'OK [READ-WRITE]')
        assert b'* OK [PERMANENTFLAGS (\\Seen)] Flags permitted' in lines
        b.ok('STORE 1 +FLAGS (\\Flagged \\Seen)')
        assert b.flags(1) == [{b'\\Seen'}]
        b.no('STORE 1 +FLAGS (\\Deleted work)', b'[NOPERM]')
        b.no('EXPUNGE', b'[NOPERM]')
        b.no('MOVE 1 INBOX', b'[NOPERM]')
        assert b.ok('COPY 1 INBOX') == []
        # what she takes from him, he has no longer
        a.ok(f'SETACL Work {ben.full} -s')
        lines = b.ok('NOOP')
        assert b'* OK [PERMANENTFLAGS ()] Flags permitted' in lines
        b.no('STORE 1 -FLAGS (\\Seen)', b'[NOPERM]')
        a.ok(f'DELETEACL Work {ben.full}')
        assert b.begin('NOOP')
        assert b.response().startswith(b'* BYE')
    with ben.login() as b:
        assert names(b.ok('LIST "" shared*')) == {}
        b.no(f'SELECT {box}', b'[NONEXISTENT]')
        b.ok('SELECT INBOX')
        assert b.flags(1) == [{b'\\Seen'}]


def test_shared_to_who_is_there(anna, ben):
    """What was shared after he had logged in is in his list at once, as NOTIFY
    tells; he can open it from his next login on, though he stays connected."""
    a, box = anna, f'{anna.shared}/Late'
    with ben.login() as b:
        b.ok('LIST "" *')
        b.ok('NOTIFY SET (personal (MailboxName)) (subtree shared '
             '(MailboxName MessageNew MessageExpunge))')
        a.ok('CREATE Late')
        a.ok('CREATE Hidden')
        a.ok(f'SETACL Late {ben.full} lri')
        while f'{box}'.encode() not in b.response():
            pass
        assert box in names(b.ok('LIST "" *'))
        assert b.ok(f'LIST "" {a.shared}/* RETURN (MYRIGHTS)') == [
            f'* LIST () "/" {box}'.encode(),
            f'* MYRIGHTS {box} lri'.encode()]
        lines, done = b.say(f'SELECT {box}')
        assert done.startswith(b'NO [UNAVAILABLE]') and b'log in again' in done
        with b.again() as second:
            assert box in names(second.ok('LIST "" *'))
            second.ok(f'SELECT {box}')
            b.ok('SELECT INBOX')
            with b.again() as third:
                third.ok(f'SELECT {box}')


def test_rights_one_by_one(anna, ben):
    """RFC 4314 4, row by row of its table."""
    a = anna
    box = share(a, ben, 'Team', 'l')
    with ben.login() as b:
        def let(rights):
            a.ok(f'SETACL Team {ben.full} {rights}')
        a.append('Team')
        assert box in names(b.ok('LIST "" *'))
        b.no(f'SELECT {box}', b'[NOPERM]')
        b.no(f'STATUS {box} (MESSAGES)', b'[NOPERM]')
        let('r')
        assert box not in names(b.ok('LIST "" *'))
        assert b.rights(box) == b'r'
        lines, done = b.say(f'SELECT {box}')
        assert done.startswith(b'OK [READ-ONLY]')
        b.no('STORE 1 +FLAGS (\\Seen)', b'[READ-ONLY]')
        b.ok('FETCH 1 BODY[]')
        assert b.flags(1) == [set()]
        b.ok('CLOSE')
        let('i')
        assert b.append(box) == b'OK Stored'  # may not look at it
        b.ok('SELECT INBOX')
        let('p')
        b.no(f'MYRIGHTS {box}', b'[NONEXISTENT]')
        let('lk')
        b.ok(f'CREATE {box}/sub')
        assert b.rights(f'{box}/sub') == b'lkc'  # inherited
        b.no(f'DELETE {box}/sub', b'[NOPERM]')
        b.no(f'RENAME {box}/sub {box}/other', b'[NOPERM]')
        a.ok(f'SETACL Team/sub {ben.full} lx')
        b.ok(f'RENAME {box}/sub {box}/other')
        let('l')
        b.no(f'RENAME {box}/other {box}/third', b'[NOPERM]')
        b.no(f'RENAME {box}/other mine', b'[CANNOT]')
        b.ok(f'DELETE {box}/other')
        let('re')
        assert b.say(f'SELECT {box}')[1].startswith(b'OK [READ-WRITE]')
        b.no('STORE 1 +FLAGS (\\Deleted)', b'[NOPERM]')
        a.ok('SELECT Team')
        a.ok('STORE 1 +FLAGS (\\Deleted)')
        assert b'* 1 EXPUNGE' in b.ok('EXPUNGE')
        let('rt')
        a.append('Team')
        b.ok('NOOP')
        b.ok('STORE 2 +FLAGS (\\Deleted \\Seen)')
        assert b.flags(2) == [{b'\\Deleted'}]
        b.ok('CLOSE')
        assert b.ok(f'STATUS {box} (MESSAGES)')[0].endswith(b'(MESSAGES 2)')
        let('a')
        b.ok(f'SETACL {box} carl lr')
        assert b' carl lr' in b.ok(f'GETACL {box}')[0]
        assert b.ok(f'LISTRIGHTS {box} {ben.full}')[0].endswith(
            b' "" l r s w i p k x t e a c d')


def test_flags_of_copies(anna, ben):
    """The example of RFC 4314 4: flags that may not be set are left out."""
    a = anna
    target = share(a, ben, 'TargetMailbox', 'rwis')
    with ben.login() as b:
        b.append('INBOX', flags='\\Draft \\Deleted')
        b.append('INBOX', flags='\\Answered')
        b.append('INBOX', flags='$Forwarded \\Seen')
        b.ok('SELECT INBOX')
        b.ok(f'COPY 1:3 {target}')
        b.ok(f'SELECT {target}')
        assert b.flags('1:3') == [{b'\\Draft'}, {b'\\Answered'},
                                  {b'$Forwarded', b'\\Seen'}]
        a.ok(f'SETACL TargetMailbox {ben.full} rsti')
        b.ok('SELECT INBOX')
        b.ok(f'COPY 1:3 {target}')
        b.append(target, flags='\\Flagged \\Seen $Label1')
        b.ok('MOVE 2 ' + target)
        b.ok(f'SELECT {target}')
        assert b.flags('4:8') == [{b'\\Deleted'}, set(), {b'\\Seen'},
                                  {b'\\Seen'}, set()]
        # replacing flags leaves those alone that are not his
        b.ok('STORE 1 FLAGS (\\Seen)')
        assert b.flags(1) == [{b'\\Draft', b'\\Seen'}]
        assert b.ok('SEARCH DRAFT') == [b'* SEARCH 1']


def test_list_myrights(anna, ben):
    """RFC 8440 4."""
    a = anna
    # Before his process begins, which may go on for his next login.
    a.ok('CREATE Open')
    a.ok(f'SETACL Open {ben.full} lr')
    with ben.login() as b:
        b.ok('CREATE foo/sub')
        b.ok('CREATE plain')
        b.ok(f'SETACL plain {ben.full} lrs')
        b.ok('SUBSCRIBE bar')
        b.ok('SUBSCRIBE foo/sub')
        b.ok('SUBSCRIBE INBOX')
        lines = b.ok('LIST (SUBSCRIBED) "" % RETURN (MYRIGHTS)')
        assert lines == [
            b'* LIST (\\Subscribed) "/" INBOX', b'* MYRIGHTS INBOX ' + ALL,
            b'* LIST (\\NonExistent \\Subscribed) "/" bar']
        lines = b.ok('LIST (SUBSCRIBED RECURSIVEMATCH) "" % RETURN (MYRIGHTS)')
        assert lines == [
            b'* LIST (\\Subscribed) "/" INBOX', b'* MYRIGHTS INBOX ' + ALL,
            b'* LIST (\\NonExistent \\Subscribed) "/" bar',
            b'* LIST (\\NonExistent) "/" foo ("CHILDINFO" ("SUBSCRIBED"))']
        assert b.ok('LIST "" plain RETURN (MYRIGHTS)') == [
            b'* LIST () "/" plain', b'* MYRIGHTS plain lrsa']
        box = f'{a.shared}/Open'.encode()
        assert b.ok(f'LIST "" {a.shared}/% RETURN (MYRIGHTS STATUS (MESSAGES))') == [
            b'* LIST () "/" ' + box, b'* STATUS ' + box + b' (MESSAGES 0)',
            b'* MYRIGHTS ' + box + b' lr']


@pytest.fixture(params=['l', 'lr', 'lrswi'])
def hidden(posta, request):
    """All may do that in Public but with the mailbox Hidden."""
    boss = 'user=u0@example.test lrswipkxtea'
    acl(posta.public, '.Hidden', boss, 'anyone')
    acl(posta.public, '.', boss, f'anyone {request.param}')
    yield 'Public/Hidden'
    acl(posta.public, '.', boss, 'anyone l')


def test_hidden_is_like_none(posta, hidden):
    """Nobody can tell what he may not see from what is not there."""
    def ask(c, command, name):
        lines, done = c.say(command.format(name))
        return [x.replace(name.encode(), b'X') for x in
                [*lines, done.replace(name[7:].encode(), b'X')]]

    with Client(posta, next(posta.fresh)) as c:
        c.append('INBOX')
        c.ok('SELECT INBOX')
        for command in 'STATUS {} (MESSAGES)', 'MYRIGHTS {}', 'GETACL {}', \
                'SETACL {} eve l', 'LISTRIGHTS {} eve', 'DELETE {}', \
                'RENAME {} Public/x', 'GETQUOTAROOT {}', \
                'GETMETADATA {} /shared/comment', 'CREATE {}/below', \
                'SETMETADATA {} (/shared/comment "x")', 'COPY 1 {}', \
                'LIST "" {} RETURN (STATUS (MESSAGES) MYRIGHTS)', \
                'APPEND {} {{6+}}\r\nX: 1\r\n', 'SELECT {}':
            assert ask(c, command, hidden) == \
                ask(c, command, 'Public/Absent'), command


def test_list_status_without_r(anna, ben):
    """RFC 5819 2: of what cannot be looked at there is no status, and LIST says
    so."""
    a = anna
    for name, rights in ('Seen', 'l'), ('Read', 'lr'):
        a.ok(f'CREATE {name}')
        a.ok(f'SETACL {name} {ben.full} {rights}')
    with ben.login() as b:
        plain = names(b.ok(f'LIST "" {a.shared}/%'))
        assert plain[f'{a.shared}/Seen'] == {'\\HasNoChildren'}
        lines = b.ok(f'LIST "" {a.shared}/% RETURN (STATUS (MESSAGES))')
        assert names(lines) == {f'{a.shared}/Seen': {'\\Noselect'},
                                f'{a.shared}/Read': set()}
        assert [x for x in lines if b'STATUS' in x] == [
            f'* STATUS {a.shared}/Read (MESSAGES 0)'.encode()]


def test_notify_metadata(anna, ben):
    """MailboxMetadataChange of what others share, and of one's own notes there:
    what somebody else notes for himself is not told."""
    a = anna
    for name, rights in ('Notes', 'lr'), ('Seen', 'l'):
        a.ok(f'CREATE {name}')
        a.ok(f'SETACL {name} {ben.full} {rights}')
    box = f'{a.shared}/Notes'
    with ben.login() as b, ben.login() as second:
        b.ok('NOTIFY SET (subtree shared (MailboxMetadataChange))')
        a.ok('SETMETADATA Notes (/private/comment "hers")')
        a.ok('SETMETADATA Seen (/shared/comment "not his")')
        a.ok('SETMETADATA Notes (/shared/comment "all")')
        assert b.response() == f'* METADATA {box} /shared/comment'.encode()
        second.ok(f'SETMETADATA {box} (/private/comment "his")')
        assert b.response() == f'* METADATA {box} /private/comment'.encode()
        assert b.ok('NOOP') == []


def test_public(posta):
    """u0 has every right at the top of Public, others may see what is there."""
    boss = Client(posta, 'u0')
    other = Client(posta, next(posta.fresh))
    with boss, other:
        boss.ok('CREATE Public/News')
        boss.ok('CREATE Public/News/Old')
        boss.no('CREATE Public/INBOX', b'[CANNOT]')
        boss.no('CREATE Public', b'[CANNOT]')
        boss.no('CREATE Public/X (USE (\\Sent))', b'[USEATTR]')
        assert boss.rights('Public/News') == ALL
        assert (posta.public / '.News/dovecot-acl').read_text() == \
            'anyone l\nuser=u0@example.test lrswipkxtea\n'
        assert names(other.ok('LIST "" Public*')) == {
            'Public': {'\\Noselect', '\\HasChildren'},
            'Public/News': {'\\HasChildren'},
            'Public/News/Old': {'\\HasNoChildren'}}
        other.no('SELECT Public/News', b'[NOPERM]')
        other.no('CREATE Public/Mine', b'[NOPERM]')
        boss.ok('SETACL Public/News anyone lrs')
        boss.append('Public/News')
        other.ok('SELECT Public/News')
        boss.ok('SETACL Public/News anyone -l')
        assert names(other.ok('LIST "" Public*')) == {
            'Public': {'\\Noselect', '\\HasChildren'},
            'Public/News': {'\\Noselect', '\\HasChildren'},
            'Public/News/Old': {'\\HasNoChildren'}}
        boss.ok('RENAME Public/News Public/Olds')
        boss.ok('DELETE Public/Olds/Old')
        boss.ok('DELETE Public/Olds')
        assert not (posta.public / '.Olds').exists()


def test_subscriptions_are_ones_own(anna, ben):
    a = anna
    a.ok('CREATE Sub')
    a.ok('SUBSCRIBE Sub')
    a.ok(f'SETACL Sub {ben.full} lr')
    box = f'{a.shared}/Sub'
    with ben.login() as b:
        assert names(b.ok('LSUB "" *')) == {}
        b.ok(f'SUBSCRIBE {box}')
        b.ok('SUBSCRIBE Public/none')
        assert names(b.ok('LSUB "" *')) == {box: set(),
                                            'Public/none': set()}
        assert names(b.ok('LIST (SUBSCRIBED) "" *')) == {
            box: {'\\Subscribed'}, 'Public/none': {'\\NonExistent',
                                                   '\\Subscribed'}}
        assert '\\Subscribed' in names(
            b.ok('LIST "" * RETURN (SUBSCRIBED)'))[box]
        b.ok(f'UNSUBSCRIBE {box}')
        assert names(b.ok('LSUB "" shared*')) == {}
    assert names(a.ok('LSUB "" *')) == {'Sub': set()}


def test_metadata(anna, ben):
    """Private notes on a shared mailbox are one's own, shared ones are not."""
    a = anna
    box = share(a, ben, 'Notes', 'lr')
    a.ok('SETMETADATA Notes (/private/comment "hers" /shared/comment "all")')
    with ben.login() as b:
        get = f'GETMETADATA {box} (/private/comment /shared/comment)'
        assert b.ok(get) == [
            f'* METADATA {box} (/private/comment NIL '
            '/shared/comment "all")'.encode()]
        b.ok(f'SETMETADATA {box} (/shared/comment "new" /private/comment "his")')
        assert b.ok(get) == [
            f'* METADATA {box} (/private/comment "his" '
            '/shared/comment "new")'.encode()]
        assert b.ok(f'LIST "" {box} RETURN (METADATA (/private/comment))')[1] == \
            f'* METADATA {box} (/private/comment "his")'.encode()
        a.ok(f'SETACL Notes {ben.full} l')
        b.no(get, b'[NOPERM]')
    assert a.ok('GETMETADATA Notes (/private/comment /shared/comment)') == [
        b'* METADATA Notes (/private/comment "hers" /shared/comment "new")']


def test_metadata_all_or_none(posta, anna, ben):
    """RFC 5464 4.3: where one cannot be set, none is, wherever they are kept."""
    a = anna
    box = share(a, ben, 'Notes', 'lr')
    get = f'GETMETADATA {box} (/private/mine /shared/all)'
    full = ' '.join(f'/{{0}}/n{n} "x"' for n in range(99))
    with ben.login() as b:
        b.ok(f'SETMETADATA {box} (/private/mine "1" /shared/all "2")')
        before = b.ok(get)
        for kind in 'shared', 'private':
            b.ok(f'SETMETADATA {box} ({full.format(kind)})')
            b.no(f'SETMETADATA {box} (/private/mine "3" /shared/all "5" '
                 f'/{kind}/more "4")', b'[METADATA TOOMANY]')
            assert b.ok(get) == before
            other = 'private' if kind == 'shared' else 'shared'
            b.no(f'SETMETADATA {box} (/{other}/new "3" /{kind}/more "4")',
                 b'[METADATA TOOMANY]')
            assert b.ok(f'GETMETADATA {box} (/{other}/new)') == [
                f'* METADATA {box} (/{other}/new NIL)'.encode()]
            b.ok(f'SETMETADATA {box} (/{kind}/n1 NIL)')


def test_names_of_users(posta, anna, ben):
    """Identifiers and quota roots in UTF-8 are literals, but for clients that
    read it in quoted strings; one that no ACL can hold shuts nobody out."""
    a = anna
    a.ok('CREATE box')
    assert a.literals('SETACL box ', 'jürgen'.encode(), ' lr')[1] == \
        b'OK ACL set'
    assert a.ok('GETACL box')[0].endswith(' {7}\r\njürgen lr'.encode())
    assert ' {7}\r\njürgen "" l '.encode() in a.literals(
        'LISTRIGHTS box ', 'jürgen'.encode(), '')[0][0]
    a.ok('ENABLE IMAP4rev2')
    assert a.ok('GETACL box')[0].endswith(' "jürgen" lr'.encode())
    for size in 2000, 2100, 4096:
        _, done = a.literals('SETACL box ', b'x' * size, ' lr')
        assert done == b'OK ACL set' if size == 2000 else \
            done.startswith(b'NO [LIMIT]'), done
        a.ok('GETACL box')
        a.ok('SELECT box')


def test_copy_between_homes(posta, anna, ben):
    a = anna
    box = share(a, ben, 'In', 'lrswite')
    with ben.login() as b:
        b.append('INBOX', b'Subject: one\r\n\r\n1\r\n', '\\Flagged word')
        b.append('INBOX', b'Subject: two\r\n\r\n2\r\n')
        b.ok('SELECT INBOX')
        _, done = b.say(f'COPY 1:2 {box}')
        assert re.match(rb'OK \[COPYUID \d+ 1:2 1:2\]', done)
        lines = b.ok(f'MOVE 1 {box}')
        assert b'* 1 EXPUNGE' in lines and b'[COPYUID' in lines[0]
        b.ok(f'SELECT {box}')
        assert b.flags('1:3') == [{b'\\Flagged', b'word'}, set(),
                                  {b'\\Flagged', b'word'}]
        b.ok('MOVE 1:3 INBOX')
        b.ok('SELECT INBOX')
        got = b.ok('FETCH 1:* (BODY.PEEK[TEXT] FLAGS)')
        assert len(got) == 4 and all(b'word' in got[n] for n in (1, 3))
        # one account has both: no byte of them was copied
        files = (posta.dir / 'mail' / posta.domain / b.name).rglob('*,S=*')
        assert len({f.stat().st_ino for f in files}) == 2
    assert a.ok('STATUS In (MESSAGES)') == [b'* STATUS In (MESSAGES 0)']


def test_groups(posta, anna):
    """Groups of virtual users come from their field acl_groups."""
    a = anna
    a.ok('CREATE G')
    a.ok('SETACL G $staff lr')
    a.ok('SETACL G $big w')
    a.ok('SETACL G $none x')
    with Client(posta, 'grouped') as c:
        assert c.rights(f'{a.shared}/G') == b'lrw'
        a.ok('SETACL G "!$big" l')
        assert c.rights(f'{a.shared}/G') == b'l'


def test_quota_roots(posta, anna, ben):
    a = anna
    a.ok('CREATE Q')
    a.ok(f'SETACL Q {ben.full} lri')
    home = posta.dir / 'mail' / posta.domain / a.name / 'Maildir'
    (home / 'maildirsize').write_text('1000S,3C\n           0            0\n')
    st = home.stat()
    os.chown(home / 'maildirsize', st.st_uid, st.st_gid)
    box = f'{a.shared}/Q'
    with ben.login() as b:
        assert b.ok(f'GETQUOTAROOT {box}') == [
            f'* QUOTAROOT {box} "{a.shared}"'.encode(),
            f'* QUOTA "{a.shared}" (STORAGE 0 0 MESSAGE 0 3)'.encode()]
        assert b.ok(f'GETQUOTA "{a.shared}"')
        b.no('GETQUOTA shared/nobody', b'[NONEXISTENT]')
        for _ in range(3):
            assert b.append(box).startswith(b'OK')
        assert b.append(box).startswith(b'NO [OVERQUOTA]')
        b.append('INBOX')
        b.ok('SELECT INBOX')
        b.no(f'COPY 1 {box}', b'[OVERQUOTA]')
        # what is replaced makes room where it was
        _, done = b.literals(f'REPLACE 1 {box} ', MESSAGE)
        assert done.startswith(b'NO [OVERQUOTA]')
        assert b.ok('GETQUOTAROOT INBOX') == [b'* QUOTAROOT INBOX']


def test_search_in_many(anna, ben):
    """MULTISEARCH goes into mail of others where one may read."""
    a = anna
    for name in 'One', 'Two':
        a.ok(f'CREATE {name}')
        a.append(name)
    a.ok(f'SETACL One {ben.full} lr')
    a.ok(f'SETACL Two {ben.full} l')
    with ben.login() as b:
        b.append('INBOX')
        lines = b.ok(f'ESEARCH IN (subtree {a.shared}) SUBJECT hello')
        assert len(lines) == 1 and f'MAILBOX {a.shared}/One'.encode() in lines[0]
        (line,) = b.ok('ESEARCH IN (personal) SUBJECT hello')
        assert b'MAILBOX INBOX' in line


def test_replace_by_the_rights_of_now(anna, ben):
    """Also where no command has come since they were taken away."""
    a = anna
    a.ok('CREATE R')
    assert a.append('R').startswith(b'OK')
    a.ok(f'SETACL R {ben.full} lrite')
    box = f'{a.shared}/R'
    with ben.login() as b:
        b.ok(f'SELECT {box}')
        a.ok(f'SETACL R {ben.full} -te')
        _, done = b.literals(f'REPLACE 1 {box} ', MESSAGE)
        assert done.startswith(b'NO [NOPERM]'), done
        assert b'* 1 FETCH (UID 1)' in b.ok('UID FETCH 1 (UID)')


def test_search_in_one_that_is_not_shown(anna, ben):
    """RFC 7377 2.2: `l` is not asked of mailboxes that are named."""
    a = anna
    for name in 'shown', 'hidden', 'hidden/sub', 'shut':
        a.ok(f'CREATE {name}')
        assert a.append(name).startswith(b'OK')
    for name, rights in (('shown', 'lr'), ('hidden', 'r'),
                         ('hidden/sub', 'l'), ('shut', 'l')):
        a.ok(f'SETACL {name} {ben.full} {rights}')
    with ben.login() as b:
        found = b.ok(
            f'ESEARCH IN (mailboxes ({a.shared}/hidden {a.shared}/none '
            f'{a.shared}/shut {a.shared}/shown {a.shared}/hidden) '
            f'subtree {a.shared}/shown) ALL')
        assert sorted(re.search(rb'MAILBOX \S+/(\S+)', x)[1]
                      for x in found) == [b'hidden', b'shown']
        found, = b.ok(f'ESEARCH IN (subtree {a.shared}) ALL')
        assert b'/shown ' in found


def test_two_processes(posta, anna, ben):
    """Both have the same index open; what the one does the other is told."""
    a = anna
    box = share(a, ben, 'Both', 'lrswite')
    with ben.login() as b:
        a.ok('SELECT Both')
        b.ok(f'SELECT {box}')
        a.append('Both')
        assert b'* 1 EXISTS' in b.ok('NOOP')
        b.append(box)
        assert b'* 2 EXISTS' in a.ok('NOOP')
        b.ok('STORE 1 +FLAGS (\\Answered both)')
        told = b''.join(a.ok('NOOP'))
        assert b'\\Answered' in told and b'both' in told
        tag = a.begin('IDLE')
        assert a.response().startswith(b'+')
        b.append(box)
        assert a.response() == b'* 3 EXISTS'
        b.ok('STORE 2 +FLAGS (\\Deleted)')
        while b'\\Deleted' not in a.response():
            pass
        b.ok('EXPUNGE')
        while b'2 EXPUNGE' not in a.response():
            pass
        a.send(b'DONE\r\n')
        a.until(tag)
        assert a.flags('1:2') == b.flags('1:2')


def test_one_of_them_is_killed(posta, anna, ben):
    a = anna
    box = share(a, ben, 'Kill', 'lrswite')
    b = ben.login()
    for _ in range(5):
        a.append('Kill')
    a.ok('SELECT Kill')
    b.ok(f'SELECT {box}')
    b.ok('STORE 1:3 +FLAGS (\\Seen mine)')
    b.append(box)
    for pid in posta.pids('imapd'):
        status = process.text(pid, 'maps')
        if f'/{a.name}/Maildir/posta-index' in status and \
                f'/{b.name}/Maildir/posta-index' in status:
            os.kill(pid, signal.SIGKILL)
            break
    else:
        raise AssertionError('no process of ben has the index open')
    with pytest.raises((Closed, OSError)):
        while True:
            b.ok('NOOP')
    assert b'* 6 EXISTS' in a.ok('NOOP')
    assert [b'\\Seen' in f and b'mine' in f for f in a.flags('1:6')] == \
        [True] * 3 + [False] * 3
    a.ok('STORE 6 +FLAGS (\\Flagged)')

    with in_spite_of_a_kill(ben.login) as b:
        b.ok(f'SELECT {box}')
        assert b.flags(6) == [{b'\\Flagged'}]
        assert b.append(box).startswith(b'OK')
    assert b'* 7 EXISTS' in a.ok('NOOP')


def test_deleted_meanwhile(anna, ben):
    """Somebody else's process deletes the mailbox, and makes one of that name
    again."""
    a = anna
    box = f'{a.shared}/Gone'
    for again in False, True:
        a.ok('CREATE Gone')
        a.ok(f'SETACL Gone {ben.full} lrswite')
        a.append('Gone')
        with ben.login() as b:
            b.ok(f'SELECT {box}')
            a.ok('DELETE Gone')
            if again:
                a.ok('CREATE Gone')
                a.ok(f'SETACL Gone {ben.full} lrswite')
                with ben.login() as c:
                    assert c.ok(f'STATUS {box} (MESSAGES)') == [
                        f'* STATUS {box} (MESSAGES 0)'.encode()]
                    c.append(box)
                    lines = c.ok(f'SELECT {box}')
                    assert b'* 1 EXISTS' in lines
            else:
                with ben.login() as c:
                    c.no(f'STATUS {box} (MESSAGES)', b'[NONEXISTENT]')
            tag = b.begin('NOOP')
            lines = []
            with pytest.raises(Closed):
                while True:
                    lines.append(b.response())
            assert any(x.startswith(b'* BYE') for x in lines), (tag, lines)
    a.ok('DELETE Gone')


def test_renamed_meanwhile(anna, ben):
    a = anna
    box = share(a, ben, 'Name', 'lrswite')
    a.append('Name')
    with ben.login() as b:
        b.ok(f'SELECT {box}')
        a.ok('RENAME Name Other')
        a.ok('CREATE Name')
        a.ok(f'SETACL Name {ben.full} lr')
        with ben.login() as c:
            lines = c.ok(f'SELECT {box}')
            assert b'* 0 EXISTS' in lines
            lines = c.ok(f'SELECT {a.shared}/Other')
            assert b'* 1 EXISTS' in lines
            assert len(c.ok('FETCH 1 (BODY.PEEK[])')) == 1


def crypted(password):
    return subprocess.run(['openssl', 'passwd', '-6', '-stdin'], text=True,
                          input=password, stdout=subprocess.PIPE,
                          check=True).stdout.strip()


class Team(Accounts):
    """Accounts of the system, some of whom are in a group."""
    group, members = 61500, ('anna', 'ben')

    def _hold(self, passwd):
        path = self.write('group', pathlib.Path('/etc/group').read_text() +
                          f'team:x:{self.group}:{",".join(self.members)}\n')
        path.chmod(0o644)
        self.group_file = path
        super()._hold(passwd)

    def _secrets(self):
        yield from super()._secrets()
        yield f'mount --bind {self.group_file} /etc/group'


def letters(i):
    """A number as a word: digits make none in the index."""
    return ''.join(chr(ord('a') + int(x)) for x in str(i))


def words(one, other, folder, name, group, others_name=None):
    """The index of words that one's process makes serves the other's. Nobody
    listens while messages come."""
    for i in range(250):
        path = folder / f'new/{1700000000 + i}.M{i}P1.host'
        path.write_text(f'Subject: s\n\nseldom{letters(i)}\n')
        os.chown(path, folder.stat().st_uid, group)
        path.chmod(0o660)
    home = folder if folder.name == 'Maildir' else folder.parent
    one.ok(f'SELECT {name}')
    wait_until(lambda: list(home.rglob('*.words')), 'the index')
    wait_until(lambda: not list(folder.glob('new/*')), 'names in cur')
    # What is in it is found without a look at the message, which is gone.
    for path in folder.glob('*/17000002*'):
        path.write_bytes(b'Subject: s\n\nnothing\n')
    one.ok('UNSELECT')
    for c, mailbox in (one, name), (other, others_name or name):
        c.ok('NOOP')
        lines = c.ok(f'ESEARCH IN (mailboxes "{mailbox}") RETURN (COUNT) '
                     f'BODY seldom{letters(24)}')
        assert [x for x in lines if x.endswith(b' COUNT 11')], lines


def test_accounts():
    """System users: what is made in a tree of a group belongs to that group,
    whoever makes it, and who is not let in is told so, with a line in the
    log."""
    if os.getuid() != 0:
        return
    group = Team.group
    shadow = {n: crypted('secret') for n in ('anna', 'ben', 'carl')}
    with Team(start=False, shadow=shadow, settings={
            'auth_password_sources': 'shadow',
            'auth_user_sources': 'passwd'}) as p:
        public = p.top / 'public'
        public.mkdir()
        os.chown(public, 0, group)
        public.chmod(0o2770)
        (public / 'dovecot-acl').write_text('group=team lrswipkxtea\n'
                                            'user=carl lrs\n')
        shares = p.top / 'shares'
        shares.mkdir()
        shares.chmod(0o1777)
        p.set(imap_public_namespaces=f'Public/ maildir:{public}',
              imap_shared_namespace=f'shared/ maildir:{p.home}/%u/Maildir',
              imap_shared_list=shares, mail_location='maildir:~/Maildir',
              home_mailbox='Maildir/')
        mail = p.home / 'anna/Maildir'
        mail.mkdir()
        os.chown(mail, p.uid('anna'), group)
        mail.chmod(0o2770)
        p.start()
        with RawImap(p.base + 993, 'anna') as a, \
                RawImap(p.base + 993, 'ben') as b:
            a.ok('CREATE Public/News')
            a.literals('APPEND Public/News ', MESSAGE)
            b.ok('SELECT Public/News')
            b.ok('STORE 1 +FLAGS (\\Flagged work)')
            b.literals('APPEND Public/News ', MESSAGE)
            a.ok('SELECT Public/News')
            a.literals('APPEND Public/News ', MESSAGE)
            assert b'* 3 EXISTS' in b.ok('NOOP')
            a.ok('STORE 2 +FLAGS (\\Deleted)')
            a.ok('CLOSE')
            b.ok('COPY 1 INBOX')
            b.ok('CREATE Public/News/ben')
            b.ok('SETACL Public/News/ben anna lr')
            assert a.ok('MYRIGHTS Public/News/ben')[0].endswith(b' lr')
            b.ok('UNSELECT')
            words(a, b, public / '.News', 'Public/News', group)
            for path in [public, *public.rglob('*')]:
                st = path.stat()
                want = 0o770 if path.is_dir() else 0o660
                assert st.st_gid == group and st.st_mode & 0o777 == want or \
                    path.name == 'dovecot-acl' and st.st_uid == 0, path
            # her own mail, which is of that group: what is delivered, too
            a.ok('SETACL INBOX $team lrs')
            p.send('eve@example.test', 'anna@example.test')
            wait_until(lambda: a.ok('STATUS INBOX (MESSAGES)') == [
                b'* STATUS INBOX (MESSAGES 1)'], 'the message to be there')
        with RawImap(p.base + 993, 'ben') as b, \
                RawImap(p.base + 993, 'anna') as a:
            assert b'* 1 EXISTS' in b.ok('SELECT shared/anna/INBOX')
            assert b'Hello.' in b.ok('FETCH 1 BODY[]')[0]
            b.ok('STORE 1 -FLAGS (\\Seen)')
            b.ok('UNSELECT')
            words(b, a, mail, 'shared/anna/INBOX', group, 'INBOX')
            b.no('SELECT shared/carl/INBOX', b'[NONEXISTENT]')
        with RawImap(p.base + 993, 'carl') as c:
            c.no('SELECT Public/News', b'[NOPERM]')
        p.wait_log(re.escape(f'imap(carl): {public}: Permission denied; all '
                             'who may'))


# What Dovecot answers for them is not written down here: it is asked.
LISTS = [
    ['user={me} lr'],
    ['anyone lr', 'user={me} w'],
    ['anyone lrws', 'authenticated lr', 'user={other} lrswipkxtea'],
    ['group=staff lr', 'group=big wi', 'anyone k'],
    ['group=staff lr', 'user={me} ls'],
    ['group-override=big lr', 'user={me} lrswipkxtea'],
    ['anyone lrsw', '-user={me} w'],
    ['-anyone w', 'user={me} lrw'],
    ['-anyone w', 'user={me} lrw', '-user={me} r'],
    ['-group=big sr', 'group=staff lrswt'],
    ['-group=staff sr', 'group=big lrswt'],
    ['-anyone w', '"-group=staff" s', 'group=big lrwst'],
    ['owner lr'],
    ['user={me} l :read write-seen,insert odd'],
    ['anonymous lr', 'user={me} lr', 'user={me} x'],
    ['# nobody', ''],
    ['user={me}'],
    ['user={other} lrw'],
]


WITH_ACLS = '''
mail_plugins = acl
protocol imap {{
  mail_plugins = acl imap_acl
}}
plugin {{
  acl = vfile
  acl_groups = big,staff
}}
namespace own {{
  inbox = yes
  separator = /
}}
namespace pub {{
  type = public
  separator = /
  prefix = Public/
  location = maildir:{public}
  subscriptions = no
}}
'''


def test_like_dovecot(posta):
    """Both have the same dovecot-acl files, and give the same answers: in a
    public tree, and for the owner in his own."""
    me, other = f'grouped@{posta.domain}', 'eve@example.test'
    users = {me: 'secret'}
    with Client(posta, 'grouped') as c:
        own = posta.dir / 'mail' / posta.domain / 'grouped/Maildir'
        asked, own_asked = {}, {}
        for n, lines in enumerate(LISTS):
            lines = [x.format(me=me, other=other) for x in lines]
            acl(posta.public, f'.cmp{n}', *lines)
            acl(own, f'.cmp{n}', *lines)
            for name, found in (f'Public/cmp{n}', asked), (f'cmp{n}', own_asked):
                done = c.say(f'MYRIGHTS {name}')
                found[n] = set(done[0][0].split(b' ')[-1]) if done[0] else done[1]
    dovecot = Dovecot(users=users, protocols='imap')
    public = dovecot.top / 'public'
    dovecot.more = WITH_ACLS.format(public=public)
    with dovecot:
        mail = dovecot.top / 'mail/grouped'
        for n, lines in enumerate(LISTS):
            lines = [x.format(me=me, other=other) for x in lines]
            for root in public, mail:
                root.mkdir(parents=True, exist_ok=True)
                os.chown(root, dovecot.user.pw_uid, dovecot.user.pw_gid)
                acl(root, f'.cmp{n}', *lines)
        acl(public, '.', 'anyone l')
        with RawImap(dovecot.imaps, me) as d:
            for n, lines in enumerate(LISTS):
                for name, found in (f'Public/cmp{n}', asked), \
                        (f'cmp{n}', own_asked):
                    lines_, done = d.say(f'MYRIGHTS {name}')
                    theirs = set(lines_[0].split(b' ')[-1]) if lines_ else set()
                    if found is own_asked:  # ours keeps these (RFC 4314 3.7)
                        theirs |= set(b'la')
                    if not theirs & set(b'lrikxa'):  # RFC 4314 4
                        theirs = b'NO [NONEXISTENT]'
                        assert found[n].startswith(theirs), (name, lines)
                    else:
                        assert found[n] == theirs, (name, lines, done)


# For two users, none of whom owns it.
MATRIX = [
    ['user={me} l', 'user={other} lrwstipekxa'],
    ['user={me} lrk', 'anyone lr'],
    ['user={me} lra', 'user={other} i'],
    ['anyone lrwstipekxa', '-user={me} wstipekxa'],
    ['authenticated lrsa', 'user={other} a', '-user={other} l'],
    ['group=staff lrka', 'user={me} lrsk', 'group-override=none lr'],
    ['anyone lrk', '-anyone k', 'user={me} lk'],
    ['user={me} lrkxa', 'user=somebody@else.test lrw', '-anyone p'],
    ['user={me} kx', 'user={other} x'],
]


def entries(words):
    """Identifiers, and the rights of each, in whatever order."""
    return {k: frozenset(v) for k, v in zip(words[::2], words[1::2])}


def told(client, box):
    """What a server lets somebody know of a mailbox."""
    (lines, done), found = client.say(f'MYRIGHTS {box}'), {}
    found['rights'] = {frozenset(x.split(b' ')[-1]) for x in lines}
    lines, done = client.say(f'GETACL {box}')
    found['acl'] = [entries(x.split(b' ')[3:]) for x in lines] or done[:2]
    found['listed'] = [x.split(b' ')[-1].strip(b'"')
                       for x in client.ok(f'LIST "" {box}*')]
    for command in f'STATUS {box} (MESSAGES)', f'EXAMINE {box}':
        found[command] = client.say(command)[1][:2]
    return found


def test_matrix_like_dovecot(posta):
    """Who may know what, and what is made below a mailbox: its rights, and the
    file that says so."""
    me, other = (f'{next(posta.fresh)}@{posta.domain}' for _ in range(2))
    dovecot = Dovecot(users={me: 'secret', other: 'secret'}, protocols='imap')
    public = dovecot.top / 'public'
    dovecot.more = WITH_ACLS.format(public=public).replace('big,staff', 'no')
    with dovecot:
        public.mkdir()
        os.chown(public, dovecot.user.pw_uid, dovecot.user.pw_gid)
        for root in posta.public, public:
            acl(root, '.', 'user=u0@example.test lrswipkxtea', 'anyone l')
            for n, lines in enumerate(MATRIX):
                acl(root, f'.matrix{n}',
                    *(x.format(me=me, other=other) for x in lines))
        for name in me, other:
            kid = name.partition('@')[0]
            with RawImap(posta.base + 993, name) as ours, \
                    RawImap(dovecot.imaps, name) as theirs:
                for n, lines in enumerate(MATRIX):
                    box = f'Public/matrix{n}'
                    done = [c.say(f'CREATE {box}/{kid}')[1][:2]
                            for c in (ours, theirs)]
                    assert done[0] == done[1], (name, lines)
                    if done[0] == b'OK':
                        box += f'/{kid}'
                    assert told(ours, box) == told(theirs, box), (name, lines)
        texts = [{p.parent.name: entries(p.read_text().split())
                  for p in root.glob('.matrix*.*/dovecot-acl')}
                 for root in (posta.public, public)]
        assert texts[0] == texts[1] and len(texts[0]) > 3


def test_notify_and_search(anna, ben):
    """NOTIFY and ESEARCH in others' mail: as far as it may be read."""
    a = anna
    for name, rights in ('Read', 'lr'), ('Seen', 'l'), ('Mine', ''):
        a.ok(f'CREATE {name}')
        if rights:
            a.ok(f'SETACL {name} {ben.full} {rights}')
        assert a.append(name).startswith(b'OK')
    read, seen = f'{a.shared}/Read'.encode(), f'{a.shared}/Seen'.encode()
    with ben.login() as b:
        lines = b.ok('ESEARCH IN (subtree shared personal) ALL')
        assert [x.split()[5] for x in lines] == [read]
        assert b.ok(f'ESEARCH IN (mailboxes ({a.shared}/Seen {a.shared}/Mine))'
                    ' ALL') == []
        lines = b.ok('NOTIFY SET STATUS (subtree shared (MessageNew '
                     'MessageExpunge MailboxName))')
        assert sorted(x.split(b' (MESS')[0] for x in lines) == [
            b'* LIST (\\NoAccess) "/" ' + seen, b'* STATUS ' + read]
        assert a.append('Seen').startswith(b'OK')
        assert a.append('Read').startswith(b'OK')
        assert b.response().startswith(b'* STATUS ' + read + b' (MESSAGES 2 ')
        # no right to look it up: for him it is gone (5.4)
        a.ok(f'DELETEACL Read {ben.full}')
        line = b.response()
        assert line.startswith(b'* LIST (\\NonExistent') and line.endswith(read)
        assert a.append('Read').startswith(b'OK')
        a.ok(f'SETACL Read {ben.full} lr')
        line = b.response()
        while b'Read' not in line:
            line = b.response()  # of what is above it
        assert line == b'* LIST (\\HasNoChildren) "/" ' + read
        line = b.response()
        while not line.startswith(b'* STATUS'):
            line = b.response()
        assert line.startswith(b'* STATUS ' + read + b' (MESSAGES 3 ')
