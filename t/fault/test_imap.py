"""Who hears NO sends a message again, so it is not there then; what is there
was answered with OK, if without its UID.

The user's process is stopped at a disk call of a command, and meanwhile the
index is taken away, with something else in its place, or the folder gets
another name.
"""
import os
import pathlib
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / 't/system'))

from harness import Posta, process, wait_until  # noqa: E402
from harness.raw_imap import RawImap  # noqa: E402

NEVER = 1 << 40
TOOL = ROOT / 'build/fault/t/tools/store_tool'
APPEND = b'APPEND Box {14+}\r\nSubject: x\r\n\r\n'
COMMANDS = pytest.mark.parametrize('command', [
    APPEND, b'COPY 1 Box', b'MOVE 1 Box'], ids=['append', 'copy', 'move'])


class Server(Posta):
    def __init__(self, counter, monkeypatch):
        counter.write_bytes(bytes(8))
        counter.chmod(0o666)
        for path in (counter, *counter.parents[:3]):
            path.chmod(path.stat().st_mode | 0o011)
        self.counter = counter
        monkeypatch.setenv('POSTA_DISK_FAULT',
                           f'{NEVER}:stop:imap-users:{counter}')
        super().__init__(build=ROOT / 'build/fault', settings={
            'imap_search_index': 'no',  # nothing but commands at work
            'import_environment': 'MAIL_CONFIG, POSTA_DISK_FAULT'})

    @property
    def box(self):
        return self.dir / 'mail' / self.domain / 'alice/Maildir'

    def client(self):
        return RawImap(self.base + 993, f'alice@{self.domain}')

    def calls(self):
        return int.from_bytes(self.counter.read_bytes(), 'little')

    def stop_at(self, number):
        """At which of the disk calls from now on."""
        with open(self.counter, 'r+b', 0) as counter:  # others have mapped it
            counter.write((NEVER - number).to_bytes(8, 'little'))

    def standing(self):
        return [pid for pid in self.pids('imapd')
                if ') T ' in process.text(pid, 'stat')]

    def go_on(self):
        for pid in self.standing():
            self.kill(pid, signal.SIGCONT)

    def files(self, box):
        return sum(len(list((self.box / box / part).iterdir()))
                   for part in ('cur', 'new'))


def answer(server, client, command, number, meanwhile):
    """The tagged response, and whether the process was stopped before it."""
    with ThreadPoolExecutor() as aside:
        server.stop_at(number)
        asked = aside.submit(client.say, command)
        wait_until(lambda: server.standing() or asked.done(), 'end or stop')
        stopped = bool(server.standing())
        if stopped:
            with meanwhile(server):
                server.go_on()
                asked.result()
        server.stop_at(NEVER)
        wait_until(lambda: server.go_on() or asked.done(), 'an answer')
        return asked.result()[1], stopped


@contextmanager
def no_index(server):
    index = server.box / 'posta-index'
    away = server.box / 'away'
    index.rename(away)
    index.write_text('not an index')
    yield
    index.unlink()
    away.rename(index)


@COMMANDS
def test_no_means_not_there(command, monkeypatch, tmp_path):
    with Server(tmp_path / 'counter', monkeypatch) as server:
        with server.client() as c:
            c.ok('CREATE Box')
        for number in range(1, 100):
            with server.client() as c:
                c.ok(APPEND.replace(b'Box', b'INBOX'))
                c.ok('SELECT INBOX')
                there, here = server.files('.Box'), server.files('.')
                done, stopped = answer(server, c, command, number, no_index)
                good = done.startswith(b'OK')
                assert server.files('.Box') - there == good, (number, done)
                if command.startswith(b'MOVE'):
                    assert here - server.files('.') == good, (number, done)
            if not stopped:
                break
        assert good and number > 5


@contextmanager
def renamed(server):
    """By another process, where somebody waits to give up the lock."""
    lock = server.box / '.Box/dovecot-uidlist.lock'
    st = server.box.stat()
    owner = {'user': st.st_uid, 'group': st.st_gid, 'extra_groups': []} \
        if os.getuid() == 0 else {}
    if lock.exists():
        lock.unlink()
        told = subprocess.run([TOOL, server.box], input='rename Box New\n',
                              capture_output=True, text=True, timeout=60,
                              **owner)
        assert told.stdout == 'ok\n', told
    yield


@COMMANDS
def test_stored_and_then_renamed(command, monkeypatch, tmp_path):
    """Of the last disk calls, that which gives up the lock of Box."""
    with Server(tmp_path / 'counter', monkeypatch) as server:
        with server.client() as c:
            c.ok('CREATE Box')
            for _ in range(9):
                c.ok(APPEND.replace(b'Box', b'INBOX'))
            c.ok('SELECT INBOX')
            c.ok(command)
            before = server.calls()
            c.ok(command)
            last = server.calls() - before
            stored = 2
            while not (server.box / '.New').exists():
                done, stopped = answer(server, c, command, last, renamed)
                assert done.startswith(b'OK '), done
                stored += 1
                last -= stopped
            assert b'UID' not in done
            assert server.files('.New') == stored
