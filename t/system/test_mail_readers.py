"""Programs in which people read their mail: mutt and NeoMutt on a terminal."""
import imaplib
import os
import pty
import re
import select
import signal
import time

import pytest

from harness import Posta, run, wait_until
from harness.mail_client import trusting
from harness.mail_program import config, environment

ALICE = 'alice@example.test'


@pytest.fixture
def posta():
    with Posta() as p:
        for i in range(5):
            p.send('a@x.test', ALICE,
                   f'From: A <a@x.test>\r\nTo: {ALICE}\r\nSubject: number {i}\r\n'
                   f'Date: Fri, 6 Feb 2026 10:00:0{i} +0100\r\n\r\nThis is number {i}.\r\n')
            p.wait_maildir('alice', i + 1)
        yield p


def on_terminal(home, *args, seconds=300):
    """Run it on a terminal until it ends; its exit status and its screen."""
    pid, terminal = pty.fork()
    if pid == 0:
        os.chdir(home)
        os.execvpe(args[0], [str(a) for a in args],
                   dict(environment(home), LINES='24', COLUMNS='80'))
    screen, end = b'', time.monotonic() + seconds
    while time.monotonic() < end:
        if select.select([terminal], [], [], 1)[0]:
            try:
                screen += os.read(terminal, 65536)
            except OSError:  # it has ended
                break
    else:
        os.kill(pid, signal.SIGKILL)
    os.close(terminal)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), screen


def mutt(program, posta, home, keys):
    text = f'''
set imap_user = "{ALICE}"
set imap_pass = "secret"
set folder = "imaps://127.0.0.1:{posta.base + 993}/"
set spoolfile = "+INBOX"
set certificate_file = "{posta.dir}/tls/cert.pem"
set ssl_verify_host = no
set header_cache = "{home}/cache"
set imap_check_subscribed = no
set confirmappend = no
set confirmcreate = no
set delete = yes
set quit = yes
set wait_key = no
set pager_stop = yes
push '{keys}'
'''
    return on_terminal(home, program, '-n', '-F', config(home, '.rc', text))


@pytest.mark.parametrize('program', ['mutt', 'neomutt'])
def test_reads_flags_saves_and_deletes(posta, home, program):
    """The second message is read and flagged, the third goes to a new folder,
    the fourth is deleted."""
    status, screen = mutt(program, posta, home,
                          '2<enter><display-message><exit>'
                          '<pipe-message>cat >read<enter><flag-message>'
                          '3<enter><save-message>=Work<enter>'
                          '4<enter><delete-message><quit>')
    assert status == 0, screen
    assert 'This is number 1.' in (home / 'read').read_text()
    with imaplib.IMAP4_SSL('127.0.0.1', posta.base + 993,
                           ssl_context=trusting()) as c:
        c.login(ALICE, 'secret')
        assert c.select() == ('OK', [b'3'])
        got = c.fetch('1:*', '(FLAGS BODY.PEEK[HEADER.FIELDS (SUBJECT)])')[1]
        flags = {int(re.search(rb'number (\d)', text)[1]):
                 set(re.search(rb'FLAGS \(([^)]*)', head)[1].split())
                 - {rb'\Recent', b'Old'}
                 for head, text in (g for g in got if isinstance(g, tuple))}
        assert set(flags) == {0, 1, 4}
        assert flags[1] == {rb'\Seen', rb'\Flagged'}
        assert rb'\Seen' not in flags[0] | flags[4]
        assert c.select('Work') == ('OK', [b'1'])
        assert b'number 2' in c.fetch('1', 'BODY.PEEK[HEADER]')[1][0][1]


def test_mutt_in_the_maildir_itself(posta, home):
    """Beside an IMAP session: what it does there is seen here."""
    box = posta.dir / 'mail/example.test/alice/Maildir'
    with imaplib.IMAP4_SSL('127.0.0.1', posta.base + 993,
                           ssl_context=trusting()) as c:
        c.login(ALICE, 'secret')
        assert c.select() == ('OK', [b'5'])
        before = c.uid('FETCH', '1:*', '(BODY.PEEK[])')[1]
        rc = config(home, '.rc', f'set folder = {home}\nset delete = yes\n'
                    "set quit = yes\npush '2<enter><flag-message>3<enter>"
                    "<delete-message><quit>'\n")
        # Files come and go meanwhile.
        wait_until(lambda: run('chmod', '-R', 'a+rwX', box,
                               check=False).returncode == 0, 'the rights')
        status, screen = on_terminal(home, 'mutt', '-n', '-F', rc, '-f', box)
        assert status == 0, screen
        c.noop()
        uids = [int(u) for u in c.uid('SEARCH', 'ALL')[1][0].split()]
        assert uids == [1, 2, 4, 5]
        assert c.uid('SEARCH', 'FLAGGED')[1] == [b'2']
        after = c.uid('FETCH', '1:*', '(BODY.PEEK[])')[1]
    gone = {t for _, t in (g for g in before if isinstance(g, tuple))} - {
        t for _, t in (g for g in after if isinstance(g, tuple))}
    assert len(gone) == 1 and b'number 2' in gone.pop()
