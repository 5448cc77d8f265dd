"""posta user: users, passwords and mailboxes, and that Dovecot reads the file
as we do."""
import concurrent.futures
import imaplib
import json
import os
import pty
import re
import smtplib
import ssl
import stat

import pytest

from harness import Posta, run, wait_until
from harness.dovecot import Dovecot
from harness.raw_imap import RawImap
from harness.raw_smtp import RawSmtp


@pytest.fixture
def posta():
    with Posta(start=False) as p:
        yield p


def user(posta, *args, password=None, status=0):
    """Run posta user; its CompletedProcess."""
    args = [*args, '--stdin'] if password is not None else args
    done = posta.posta('user', *args, check=False,
                       input='' if password is None else password + '\n')
    assert done.returncode == status, (args, done.stdout, done.stderr)
    return done


def listed(posta):
    return {u['user']: u for u in
            json.loads(user(posta, 'list', '--json').stdout)}


def check(posta, name, password, *args):
    return user_status(posta, 'check', name, '--stdin', *args,
                       password=password)


def user_status(posta, *args, password):
    return posta.posta('user', *args, check=False,
                       input=password + '\n').returncode


def test_add(posta):
    done = user(posta, 'add', 'Carol@Example.Test', password='grün und blau')
    assert 'carol@example.test is added' in done.stdout
    assert listed(posta)['carol@example.test']['scheme'] == 'ARGON2ID'
    lines = (posta.dir / 'users').read_text().splitlines()
    alice, carol = lines[1].split(':'), lines[-1].split(':')
    assert carol[2:5] == alice[2:5]
    assert carol[5] == alice[5].replace('alice', 'carol')
    assert 'carol@example.test example.test/carol/Maildir/' in \
        (posta.dir / 'mailboxes').read_text()
    home = os.stat(carol[5])
    assert stat.S_IMODE(home.st_mode) == 0o700
    assert home.st_uid == os.stat(alice[5]).st_uid
    assert check(posta, 'carol', 'grün und blau') == 0
    assert check(posta, 'carol', 'gru\u0308n und blau') == 0
    assert check(posta, 'carol', 'grun und blau') == 2
    done = user(posta, 'add', 'carol', password='other', status=1)
    assert 'is there already' in done.stderr
    assert check(posta, 'carol', 'grün und blau') == 0


def test_known_at_once(posta):
    """To workers that have just asked the tables, too."""
    posta.start()
    for name in 'carol', 'dave', 'erin':
        address = f'{name}@example.test'
        with RawSmtp(posta.port) as smtp, RawImap(posta.base + 993) as imap:
            smtp.talk('EHLO client.test', 'MAIL FROM:<a@client.test>')
            assert smtp.say(f'RCPT TO:<{address}>').startswith('550')
            imap.no(f'LOGIN {address} secret')
            user(posta, 'add', address, password='secret')
            assert smtp.say(f'RCPT TO:<{address}>').startswith('250')
            imap.ok(f'LOGIN {address} secret')


def test_the_file_keeps_what_it_was(posta):
    path = posta.dir / 'users'
    path.write_text('# mine\n\n' + path.read_text() + '# end')
    os.chmod(path, 0o600)
    before = os.stat(path)
    user(posta, 'password', 'alice', password='new')
    text = path.read_text()
    assert text.startswith('# mine\n\n# user:') and text.endswith('# end\n')
    after = os.stat(path)
    assert (after.st_mode, after.st_uid, after.st_gid) == \
        (before.st_mode, before.st_uid, before.st_gid)
    assert check(posta, 'alice', 'new') == 0
    assert check(posta, 'alice', 'secret') == 2
    assert check(posta, 'bob', 'secret') == 0


@pytest.mark.parametrize('scheme', [
    'SCRAM-SHA-256', 'BLF-CRYPT', 'SHA512-CRYPT', 'PLAIN.b64', 'CRYPT',
    'SSHA256', 'PBKDF2', 'CRAM-MD5'])
def test_schemes(posta, scheme):
    user(posta, 'password', 'alice', '--scheme', scheme, password='pa:ss')
    assert listed(posta)['alice@example.test']['scheme'] == scheme
    assert check(posta, 'alice', 'pa:ss') == 0
    assert check(posta, 'alice', 'pa:s') == 2


def test_what_cannot_be(posta):
    before = (posta.dir / 'users').read_text()
    for args, password, status, text in (
            (['add', 'x'], '', 1, '1 to 1024'),
            (['add', 'x'], 'y' * 2000, 1, '1 to 1024'),
            (['add', 'x'], 'a\tb', 1, 'control'),
            (['add', 'a:b@example.test'], 'y', 1, 'letters'),
            (['add', '../x'], 'y', 1, 'letters'),
            (['add', 'a/b'], 'y', 1, 'letters'),
            (['add', 'x@../etc'], 'y', 1, 'letters'),
            (['add', 'x@'], 'y', 1, 'NAME@DOMAIN'),
            (['add', 'x', '--scheme', 'ROT13'], 'y', 64, 'no such'),
            (['add', 'x', '--rounds', '0'], 'y', 64, 'number'),
            (['add', 'x', '--scheme', 'PLAIN'], 'a:b', 1, 'colon'),
            (['password', 'nobody'], 'y', 1, 'no user'),
            (['check', 'nobody'], 'y', 1, 'no user'),
            (['check', 'alice', '--service', 'ftp'], 'y', 64, 'services')):
        done = user(posta, *args, password=password, status=status)
        assert text in done.stderr, (args, done.stderr)
    for args, status in ((['disable', 'nobody'], 1), (['remove', 'nobody'], 1),
                         ([], 64), (['frob'], 64), (['add'], 64),
                         (['list', 'x'], 64), (['app-password'], 64),
                         (['app-password', 'add', 'alice'], 64),
                         (['app-password', 'add', 'alice', '--name', 'x',
                           '--scope', 'ftp'], 64)):
        assert user(posta, *args, status=status).stderr
    assert (posta.dir / 'users').read_text() == before
    assert 'app-password' in user(posta, '--help').stdout


def test_disable(posta):
    user(posta, 'disable', 'alice')
    assert listed(posta)['alice@example.test']['disabled']
    user(posta, 'disable', 'alice')
    user(posta, 'enable', 'alice')
    assert not listed(posta)['alice@example.test']['disabled']
    assert 'nologin' not in (posta.dir / 'users').read_text()


def test_remove(posta):
    done = user(posta, 'remove', 'alice')
    assert 'postmaster@example.test' in done.stderr
    assert list(listed(posta)) == ['bob@example.test']
    assert 'alice' not in (posta.dir / 'mailboxes').read_text()
    assert (posta.dir / 'mail/example.test/alice').is_dir()
    user(posta, 'add', 'alice', password='again')
    assert check(posta, 'alice', 'again') == 0


def test_app_passwords(posta):
    done = user(posta, 'app-password', 'add', 'alice', '--name',
                "Tim's phone, 50%", '--scope', 'imap,smtp')
    first = done.stdout.strip()
    assert re.fullmatch(r'[a-z2-9]{5}(-[a-z2-9]{5}){3}', first)
    second = user(posta, 'app-password', 'add', 'alice', '--name',
                  'pc').stdout.strip()
    assert first not in (posta.dir / 'users').read_text()
    apps = json.loads(user(posta, 'app-password', 'list', 'alice',
                           '--json').stdout)
    assert [(a['number'], a['name'], a['scope'], a['last_use'])
            for a in apps] == [(1, "Tim's phone, 50%", 'smtp,imap', None),
                               (2, 'pc', 'smtp,imap,pop3', None)]
    assert check(posta, 'alice', first) == 0
    assert check(posta, 'alice', first, '--service', 'pop3') == 2
    assert check(posta, 'alice', second, '--service', 'pop3') == 0
    assert check(posta, 'alice', 'secret') == 0
    assert check(posta, 'bob', first) == 2
    user(posta, 'password', 'alice', password='new')
    assert check(posta, 'alice', second) == 0
    user(posta, 'app-password', 'remove', 'alice', 'pc')
    user(posta, 'app-password', 'remove', 'alice', '1')
    assert check(posta, 'alice', first) == 2
    user(posta, 'app-password', 'remove', 'alice', '1', status=1)
    # A number is never used again.
    user(posta, 'app-password', 'add', 'alice', '--name', 'pc')
    apps = json.loads(user(posta, 'app-password', 'list', 'alice',
                           '--json').stdout)
    assert [a['number'] for a in apps] == [3]


def test_another_file_and_domains(posta):
    """The file of auth_password_sources; a table that postmap makes; a domain
    that has no mailboxes here."""
    users = posta.write('people', '')
    posta.set(auth_password_sources=f'pam, passwd-file:{users}',
              virtual_mailbox_domains='example.test, two.test',
              virtual_mailbox_maps=f'lmdb:{posta.dir}/boxes')
    boxes = posta.write('boxes', '# none')
    done = user(posta, 'add', 'carol', password='x', status=1)
    assert 'NAME@DOMAIN' in done.stderr
    user(posta, 'add', 'carol@two.test', password='x')
    assert 'carol@two.test:' in users.read_text()
    assert boxes.read_text() == \
        '# none\ncarol@two.test two.test/carol/Maildir/\n'
    found = posta.command('postmap', '-q', 'carol@two.test', f'lmdb:{boxes}')
    assert found.stdout.strip() == 'two.test/carol/Maildir/'
    done = user(posta, 'add', 'dave@three.test', password='x')
    assert 'virtual_mailbox_domains' in done.stderr
    user(posta, 'remove', 'carol@two.test')
    assert posta.command('postmap', '-q', 'carol@two.test', f'lmdb:{boxes}',
                         check=False).returncode == 1


def test_many_at_once(posta):
    """Nobody's change is lost."""
    names = [f'u{i}' for i in range(12)]
    with concurrent.futures.ThreadPoolExecutor(6) as pool:
        for done in [pool.submit(user, posta, 'add', n, password=n)
                     for n in names]:
            done.result()
    assert set(listed(posta)) >= {f'{n}@example.test' for n in names}
    boxes = (posta.dir / 'mailboxes').read_text()
    assert all(f'\n{n}@example.test ' in boxes for n in names)


def on_terminal(posta, args, *answers):
    """Run posta user with a terminal of its own; status and what it shows."""
    pid, fd = pty.fork()
    if pid == 0:
        os.execv(posta.bin / 'posta',
                 ['posta', '-c', str(posta.dir), 'user', *args])
    shown = b''
    for prompt, answer in answers:
        while not shown.rstrip().endswith(prompt):
            shown += os.read(fd, 1000)
        os.write(fd, answer)
    while True:
        try:
            more = os.read(fd, 1000)
        except OSError:
            more = b''
        if not more:
            break
        shown += more
    os.close(fd)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), shown


def test_on_a_terminal(posta):
    status, shown = on_terminal(
        posta, ['password', 'alice'],
        (b'New password for alice@example.test:', b'tangerine\n'),
        (b'The same again:', b'tangerine\n'))
    assert status == 0 and b'tangerine' not in shown
    assert check(posta, 'alice', 'tangerine') == 0
    status, shown = on_terminal(
        posta, ['password', 'alice'],
        (b'New password for alice@example.test:', b'one\n'),
        (b'The same again:', b'two\n'))
    assert status == 1 and b'not the same' in shown
    status, shown = on_terminal(
        posta, ['password', 'alice'],
        (b'New password for alice@example.test:', b'one\x03\n'))
    assert status == 1 and b'stopped' in shown
    assert check(posta, 'alice', 'tangerine') == 0


def test_without_a_terminal(posta):
    done = run('setsid', posta.bin / 'posta', '-c', posta.dir, 'user',
               'password', 'alice', check=False)
    assert done.returncode == 1 and '--stdin' in done.stderr


def test_dovecot_reads_the_file(posta):
    user(posta, 'password', 'alice', '--scheme', 'SCRAM-SHA-256',
         password='scram')
    user(posta, 'add', 'carol', password='argon')
    user(posta, 'app-password', 'add', 'carol', '--name', 'at 50% +x')
    user(posta, 'password', 'bob', '--scheme', 'BLF-CRYPT', password='blf')
    lines = [line.split(':', 1) for line in
             (posta.dir / 'users').read_text().splitlines()
             if not line.startswith('#')]
    with Dovecot(users=dict(lines), protocols='imap') as dovecot:
        for name, password in (('alice', 'scram'), ('bob', 'blf'),
                               ('carol', 'argon')):
            with imaplib.IMAP4_SSL('127.0.0.1', dovecot.imaps,
                                   ssl_context=ssl._create_unverified_context()
                                   ) as imap:
                assert imap.login(f'{name}@example.test',
                                  password)[0] == 'OK'


def log_in(posta, name, password):
    """The reply's code to AUTH PLAIN."""
    with smtplib.SMTP('127.0.0.1', posta.port) as smtp:
        smtp.ehlo('client.test')
        smtp.user, smtp.password = f'{name}@example.test', password
        try:
            return smtp.auth('PLAIN', smtp.auth_plain)[0]
        except smtplib.SMTPAuthenticationError as e:
            return e.smtp_code


def test_changes_reach_who_runs(posta):
    """Nothing is reloaded: a new user, password or application password works
    at once, what was taken away does not, and the last use is told."""
    posta.set(smtpd_sasl_auth_enable='yes', auth_allow_cleartext='yes',
              smtpd_tls_auth_only='no', auth_failure_delay='0s',
              auth_throttle_exceptions='127.0.0.0/8')
    posta.start()
    assert log_in(posta, 'alice', 'secret') == 235
    assert listed(posta)['alice@example.test']['last_use']
    assert listed(posta)['bob@example.test']['last_use'] is None
    user(posta, 'add', 'carol', password='tangerine')
    wait_until(lambda: log_in(posta, 'carol', 'tangerine') == 235,
               'the new user to log in')
    smtp = user(posta, 'app-password', 'add', 'alice', '--name', 'phone',
                '--scope', 'smtp').stdout.strip()
    pop = user(posta, 'app-password', 'add', 'alice', '--name', 'old pc',
               '--scope', 'pop3').stdout.strip()
    wait_until(lambda: log_in(posta, 'alice', smtp) == 235,
               'the application password to work')
    assert log_in(posta, 'alice', pop) == 535
    used = [a['last_use'] for a in json.loads(
        user(posta, 'app-password', 'list', 'alice', '--json').stdout)]
    assert used[0] and used[1] is None
    user(posta, 'app-password', 'remove', 'alice', 'phone')
    wait_until(lambda: log_in(posta, 'alice', smtp) == 535,
               'the application password to be gone')
    user(posta, 'password', 'alice', password='new')
    wait_until(lambda: log_in(posta, 'alice', 'secret') == 535,
               'the old password to be gone')
    assert log_in(posta, 'alice', 'new') == 235
    user(posta, 'disable', 'carol')
    wait_until(lambda: log_in(posta, 'carol', 'tangerine') == 535,
               'the disabled user to be refused')
    assert log_in(posta, 'alice', 'new') == 235
