"""Own folders below a prefix, and another separator: what clients that were
told so by hand know from Dovecot and Courier."""
import os
import re

import pytest

from harness import Dovecot, Posta, process, wait_until
from harness.raw_imap import RawImap

COURIER = {'imap_private_prefix': 'INBOX.', 'imap_hierarchy_separator': '.'}
OUTSIDE = (b'Client tried to access nonexistent namespace. (Mailbox name should '
           b'probably be prefixed with: INBOX.)')

# ---- beside Dovecot, in one Maildir

# What both are asked; {p} is the prefix, {s} the separator, and {never}
# can be in no name.
ASKED = '''
NAMESPACE
LIST "" ""
LIST "{p}" ""
LIST x ""
LIST "" *
LIST "" %
LIST "" {p}%
LIST "{p}" *
LIST "" "{p}"
LIST "" {p}A{s}%
LIST "" inbox
LIST "" inbox{s}sent
LIST "" INBOX{s}*
LSUB "" *
LSUB "" %
LSUB "" {p}%
LSUB "{p}" %
LIST (SUBSCRIBED) "" *
LIST "" % RETURN (CHILDREN SUBSCRIBED)
LIST "" {p}% RETURN (CHILDREN SUBSCRIBED)
LIST "" * RETURN (STATUS (MESSAGES))
STATUS {p}Sent (MESSAGES UNSEEN)
STATUS INBOX (MESSAGES)
STATUS Sent (MESSAGES)
SELECT {p}none
SELECT none
SELECT "{p}"
'''

# Who does it, and how it goes.
DONE = '''
ours   OK CREATE {p}Sent
theirs OK CREATE {p}A{s}B{s}C
ours   OK SUBSCRIBE {p}Sent
theirs OK SUBSCRIBE {p}A{s}B{s}C
theirs OK SUBSCRIBE INBOX
theirs OK APPEND {p}Sent {{3+}}|abc
ours   OK APPEND {p}A{s}B{s}C (\\Seen) {{3+}}|abc
ours   OK RENAME {p}A{s}B{s}C {p}Old
theirs OK RENAME {p}Sent {p}A{s}Gone
both   NO CREATE {p}x{never}y
both   NO CREATE {p}x{s}{s}y
both   NO CREATE {p}{s}x
both   NO CREATE inbox
both   NO DELETE INBOX
ours   OK CREATE {p}Old{s}er
theirs OK CREATE {p}New{s}er{s}
ours   OK DELETE {p}New{s}er
theirs OK UNSUBSCRIBE {p}A{s}B{s}C
ours   OK UNSUBSCRIBE {p}Sent
ours   OK SUBSCRIBE {p}Old{s}er
theirs OK SUBSCRIBE {p}Old
ours   OK CREATE {p}INBOX{s}below
'''

# Where there is a prefix.
OUTSIDE_DONE = '''
both   NO CREATE Work
both   NO SUBSCRIBE Work
both   NO UNSUBSCRIBE Work
both   NO DELETE Work
both   NO RENAME Work Play
both   NO RENAME {p}Old Work
both   OK SELECT {p}Old
both   NO COPY 1 Work
both   NO APPEND Work {{3+}}|abc
both   NO CREATE {p}INBOX
both   NO CREATE "{p}"
both   NO STATUS INBOX{s}none{s}INBOX (MESSAGES)
both   OK EXAMINE {p}INBOX
'''


class Both:
    """One Maildir, and a session of either server there."""

    def __init__(self, posta, dovecot, prefix, separator, never):
        self.names = {'p': prefix, 's': separator, 'never': never}
        self.dovecot = dovecot
        self.sessions = {
            'ours': RawImap(posta.base + 993, f'anna@{posta.domain}'),
            'theirs': RawImap(dovecot.imaps, 'anna')}

    def look_again(self):
        """Dovecot's list of folders is of some time before."""
        self.sessions['theirs'].close()
        # It writes that list when it ends.
        wait_until(lambda: 'imap' not in process.children(
            self.dovecot.process.pid).values(), 'the end of its session')
        for path in (self.dovecot.top / 'mail/anna').glob('dovecot.list.*'):
            path.unlink()
        self.sessions['theirs'] = RawImap(self.dovecot.imaps, 'anna')

    def say(self, who, command):
        """Untagged responses in order, the tagged one as far as it must be the
        same."""
        command = command.format(**self.names).replace('|', '\r\n')
        lines, done = self.sessions[who].say(command)
        found = re.search(rb'Client tried.*: \S+\)', done)
        lines = [re.sub(rb'\(([^()]*)\)', lambda m: b' '.join(
            sorted(m[1].split())), line) for line in lines]
        return sorted(x for x in lines if b'posta-' not in x), \
            found[0] if found else done[:2]

    def ask(self, why):
        self.look_again()
        for command in ASKED.strip().split('\n'):
            assert self.say('ours', command) == self.say('theirs', command), \
                (why, command)

    def do(self, line):
        who, wanted, command = line.split(None, 2)
        for one in ('ours', 'theirs') if who == 'both' else (who,):
            done = self.say(one, command)
            assert done[1] == wanted.encode() or wanted == 'NO' and \
                done[1].startswith(b'Client'), (one, command, done)
        if who == 'both' and b'Client' in done[1]:
            assert done == self.say('ours', command), command


@pytest.mark.parametrize('prefix, separator, layout', [
    ('INBOX.', '.', ''), ('INBOX/', '/', ''), ('', '.', ''),
    ('INBOX.', '.', ':LAYOUT=fs'), ('INBOX/', '/', ':LAYOUT=fs')])
def test_as_dovecot_has_it(prefix, separator, layout):
    with Dovecot(protocols='imap', more=f'''
mail_location = maildir:~/../../mail/%Ln{layout}
namespace inbox {{
  inbox = yes
  prefix = {prefix}
  separator = {separator}
}}
''') as dovecot, Posta(users={'anna': 'secret'}, start=False, settings={
            'imap_private_prefix': prefix,
            'imap_hierarchy_separator': separator,
            'mail_location': f'maildir:{dovecot.top}/mail/%n{layout}',
            'auth_cache_size': '0'}) as posta:
        users = posta.dir / 'users'
        users.write_text(re.sub(r':\d+:\d+::', f':{dovecot.ids}::',
                                users.read_text()))
        posta.start()
        both = Both(posta, dovecot, prefix, separator,
                    {'/': '//' if layout else '.', '.': '/'}[separator])
        for line in DONE.strip().split('\n'):
            both.do(line)
            if 'both' not in line:
                both.ask(line)
        for line in OUTSIDE_DONE.strip().split('\n') if prefix else ():
            both.do(line)
        # Without the prefix, and with Dovecot's header.
        assert (dovecot.top / 'mail/anna/subscriptions').read_text() == \
            'V\t2\n\nINBOX\nOld\ter\nOld\n'


# ---- every answer has the client's names

@pytest.fixture(scope='module')
def posta():
    users = {f'u{i}': 'secret' for i in range(20)}
    with Posta(users=users, start=False, settings={
            **COURIER, 'imap_default_folders': r'Sent=\Sent, Lists.a'}) as p:
        (p.dir / 'shares').mkdir()
        owner = os.stat(p.dir / 'mail')
        for path in p.dir / 'shares', p.dir / 'public':
            path.mkdir(exist_ok=True)
            os.chown(path, owner.st_uid, owner.st_gid)
        acl = p.dir / 'public/dovecot-acl'
        acl.write_text('anyone lrswipkxtea\n')
        p.set(imap_public_namespaces=f'Public. maildir:{p.dir}/public',
              imap_shared_namespace='shared. maildir:$virtual_mailbox_base'
                                    '/%d/%n/Maildir',
              imap_shared_list=f'{p.dir}/shares', quota_rule='*:storage=1G')
        p.fresh = iter(users)
        p.start()
        yield p


class Client(RawImap):
    def __init__(self, posta, name=None):
        self.user = name or next(posta.fresh)
        self.full = f'{self.user}@{posta.domain}'
        super().__init__(posta.base + 993, self.full)


@pytest.fixture
def c(posta):
    with Client(posta) as client:
        yield client


def listed(lines):
    """Names of LIST and LSUB."""
    return {line.split(b' "." ')[1].split(b' (')[0].decode() for line in lines}


def heard(c, *wanted):
    """These responses come, in whatever order."""
    wanted = set(wanted)
    while wanted:
        line = c.response()
        assert line in wanted, (line, wanted)
        wanted.remove(line)


def test_own_folders(c):
    assert c.ok('NAMESPACE') == [
        b'* NAMESPACE (("INBOX." ".")) (("shared." ".")) (("Public." "."))']
    assert listed(c.ok('LIST "" *')) == {
        'INBOX', 'INBOX.Sent', 'INBOX.Lists', 'INBOX.Lists.a'}
    assert c.ok('LIST (SPECIAL-USE) "" *') == [
        b'* LIST (\\Sent) "." INBOX.Sent']
    assert listed(c.ok('LSUB "" *')) == {'INBOX.Sent', 'INBOX.Lists.a'}
    assert c.ok('CREATE INBOX.Old (USE (\\Archive))') == []
    c.ok('APPEND INBOX.Old {4+}\r\na\r\n\r\n'[:-2])
    assert c.ok('STATUS INBOX.Old (MESSAGES)') == [
        b'* STATUS INBOX.Old (MESSAGES 1)']
    c.ok('SELECT inbox.Old')
    assert c.no('COPY 1 INBOX.None').startswith(b'NO [TRYCREATE]')
    for command in 'COPY 1 None', 'APPEND None {1+}\r\na', 'CREATE None', \
            'GETACL None', 'GETQUOTAROOT None', 'MYRIGHTS None', \
            'GETMETADATA None /private/comment', 'LISTRIGHTS None x', \
            'RENAME INBOX.Old None':
        assert c.no(command) == b'NO [CANNOT] ' + OUTSIDE, command
    c.ok('APPEND INBOX.Old CATENATE (URL "/inbox.Old/;UID=1" TEXT {1+}\r\nx)')
    c.ok('RENAME INBOX INBOX.Kept')
    c.ok('RENAME INBOX.Old INBOX.Kept.Old')
    assert c.ok('LIST (SPECIAL-USE) "" % RETURN (CHILDREN)') == []
    assert listed(c.ok('LIST "" INBOX.K*')) == {'INBOX.Kept', 'INBOX.Kept.Old'}


def test_answers(c):
    c.ok('CREATE INBOX.a.b')
    c.ok('CREATE "INBOX.Entw&APw-rfe"')
    assert c.ok('GETQUOTAROOT INBOX.a.b')[0] == \
        b'* QUOTAROOT INBOX.a.b "User quota"'
    c.ok('SETACL INBOX.a.b nobody@x.test lr')
    assert b'* ACL INBOX.a.b ' in c.ok('GETACL INBOX.a.b')[0]
    assert c.ok('MYRIGHTS INBOX.a.b')[0].startswith(b'* MYRIGHTS INBOX.a.b ')
    assert c.ok('LISTRIGHTS INBOX.a.b x')[0].startswith(
        b'* LISTRIGHTS INBOX.a.b x ')
    c.ok('SETMETADATA INBOX.a.b (/private/comment "x")')
    assert c.ok('GETMETADATA INBOX.a.b /private/comment') == [
        b'* METADATA INBOX.a.b (/private/comment "x")']
    assert c.ok('LIST "" INBOX.a.% RETURN (MYRIGHTS METADATA '
                '(/private/comment) STATUS (MESSAGES))')[1:] == [
        b'* STATUS INBOX.a.b (MESSAGES 0)',
        b'* MYRIGHTS INBOX.a.b lrswipkxteacd',
        b'* METADATA INBOX.a.b (/private/comment "x")']
    c.ok('APPEND INBOX.a.b {4+}\r\na: b')
    c.ok('APPEND "INBOX.Entw&APw-rfe" {4+}\r\na: b')
    found = c.ok('ESEARCH IN (subtree INBOX.a) ALL')
    assert len(found) == 1 and b'MAILBOX INBOX.a.b ' in found[0]
    assert len(c.ok('ESEARCH IN (subtree INBOX) ALL')) == 2
    c.ok('ENABLE UTF8=ACCEPT')
    assert 'INBOX.Entwürfe'.encode() in \
        b'\n'.join(c.ok('ESEARCH IN (personal) ALL'))


def test_told(posta, c):
    c.ok('CREATE INBOX.a')
    c.ok('NOTIFY SET (subtree INBOX (MailboxName SubscriptionChange '
         'MessageNew MessageExpunge MailboxMetadataChange))')
    with Client(posta, c.user) as other:
        other.ok('CREATE INBOX.x')
        heard(c, b'* LIST (\\HasNoChildren) "." INBOX.x',
              b'* LIST (\\HasChildren) "." INBOX')
        other.ok('RENAME INBOX.x INBOX.y')
        heard(c, b'* LIST (\\HasNoChildren) "." INBOX.y '
                 b'("OLDNAME" (INBOX.x))')
        other.ok('SUBSCRIBE INBOX.y')
        heard(c, b'* LIST (\\Subscribed \\HasNoChildren) "." INBOX.y')
        other.ok('SETMETADATA INBOX.y (/private/comment "x")')
        heard(c, b'* METADATA INBOX.y /private/comment')
        other.ok('APPEND INBOX.a {4+}\r\na: b')
        assert c.response().startswith(b'* STATUS INBOX.a (MESSAGES 1 ')


def test_mail_of_others(posta, c):
    with Client(posta) as other:
        c.ok('CREATE INBOX.Plans.2026')
        c.ok(f'SETACL INBOX.Plans.2026 {other.full} lrs')
    c.ok('CREATE Public.News.today')
    c.ok('SUBSCRIBE Public.News.today')
    c.ok('CREATE INBOX.Public')
    assert listed(c.ok('LSUB "" *')) == {
        'INBOX.Sent', 'INBOX.Lists.a', 'Public.News.today'}
    assert c.ok('LIST Public.x ""') == [b'* LIST (\\Noselect) "." Public.']
    assert listed(c.ok('LIST "" %')) == {'INBOX', 'Public'}
    assert listed(c.ok('LIST "" *')) == {
        'INBOX', 'INBOX.Sent', 'INBOX.Lists', 'INBOX.Lists.a', 'INBOX.Plans',
        'INBOX.Plans.2026', 'INBOX.Public', 'Public', 'Public.News',
        'Public.News.today'}
    c.no('CREATE Public', b'NO [CANNOT] that is the name of a namespace')
    c.no('CREATE Public/x', OUTSIDE)
    c.no('RENAME INBOX.Plans Public.Plans', b'stay in their namespace')
    path = posta.dir / 'mail' / posta.domain / c.user / 'Maildir'
    assert (path / 'subscriptions').read_text() == \
        'V\t2\n\nSent\nLists\ta\nPublic\tNews\ttoday\n'
    with Client(posta, other.user) as guest:
        shared = f'shared.{c.full}.Plans.2026'  # a name with a dot in it
        assert shared in listed(guest.ok('LIST "" *'))
        assert guest.ok(f'STATUS {shared} (MESSAGES)') == [
            f'* STATUS {shared} (MESSAGES 0)'.encode()]
        assert guest.ok(f'MYRIGHTS {shared}') == [
            f'* MYRIGHTS {shared} lrs'.encode()]
        assert guest.ok(f'GETQUOTAROOT {shared}')[0].startswith(
            f'* QUOTAROOT {shared}'.encode())
        guest.no(f'STATUS shared.{c.full} (MESSAGES)')
        guest.no(f'STATUS shared.{c.full}. (MESSAGES)')


def test_notes_stay_when_the_separator_changes():
    with Posta(start=False) as posta:
        public = posta.dir / 'public'
        public.mkdir()
        owner = os.stat(posta.dir / 'mail')
        (public / 'dovecot-acl').write_text('anyone lrswipkxtea\n')
        os.chown(public, owner.st_uid, owner.st_gid)
        posta.set(imap_public_namespaces=f'Public/ maildir:{public}')
        posta.start()
        with Client(posta, 'alice') as c:
            for command in 'CREATE Work/a', 'SUBSCRIBE Work/a', \
                    'CREATE Public/a/b', 'SUBSCRIBE Public/a/b', \
                    'SETMETADATA Public/a/b (/private/comment "mine")':
                c.ok(command)
        posta.set(imap_public_namespaces=f'Public. maildir:{public}', **COURIER)
        posta.reload()
        wait_until(lambda: 'alice' not in posta.posta('who').stdout, 'the end')
        with Client(posta, 'alice') as c:
            assert listed(c.ok('LSUB "" *')) == {'INBOX.Work.a', 'Public.a.b'}
            assert c.ok('GETMETADATA Public.a.b /private/comment') == [
                b'* METADATA Public.a.b (/private/comment "mine")']


def test_what_is_wrong_is_said():
    with Posta(start=False, settings={'imap_private_prefix': 'INBOX.'}) as p:
        done = p.posta('check', check=False)
        said = done.stdout + done.stderr
        assert re.search(r'main\.cf, line \d+: imap_private_prefix = INBOX\.: '
                         r'does not end with imap_hierarchy_separator, which '
                         r'is "/"; write INBOX/, or change the separator', said)
