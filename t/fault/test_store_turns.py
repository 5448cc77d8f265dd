"""Dovecot's turn at every point of our own work.

A script of commands runs against a Maildir; at each disk call in turn the
process is stopped, and meanwhile the folder is used as Dovecot uses it: a
message gets its name and then its line in dovecot-uidlist, and another file is
renamed, all under dovecot-uidlist.lock; or only a delivery, where we have the
lock. No UID may mean two messages, and no message have two.
"""
import collections
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import tempfile

TOOL = pathlib.Path(__file__).resolve().parents[2] / \
    'build/fault/t/tools/store_tool'

SCRIPT = '''
open INBOX
append 0 one
sync
store 1 9 add 1 work
flush
append 8 two three
open INBOX
expunge 3 3
copy 1 1 INBOX
sync
flush
'''.split('\n')[1:-1]


class Maildir:
    def __init__(self, path):
        self.path = path
        self.list = path / 'dovecot-uidlist'
        self.lock = path / 'dovecot-uidlist.lock'
        self.told = {}  # UID: text
        for name in 'new', 'cur', 'tmp':
            (path / name).mkdir(parents=True)
        for name in 'x', 'y':
            self.write('cur', name, ':2,S')

    def write(self, folder, text, info=''):
        base = f'1000.{text}.h'
        (self.path / folder / (base + info)).write_text(
            f'Subject: t\n\n{text}\n')
        return base

    def lines(self):
        """Next UID, and the UID and base of each line."""
        head, *lines = self.list.read_text().split('\n')[:-1]
        found = [(int(line.split(' ', 1)[0]), line.split(':', 1)[1])
                 for line in lines]
        following = [int(re.search(r' N(\d+)', head)[1])]
        following += [uid + 1 for uid, _ in found]
        return max(following), found

    def turn(self, number):
        """Of Dovecot."""
        try:
            fd = os.open(self.lock, os.O_WRONLY | os.O_CREAT | os.O_EXCL)
        except FileExistsError:
            self.write('new', f'mda{number}')
            return
        os.write(fd, f'{os.getpid()}:{socket.gethostname()}'.encode())
        os.close(fd)
        for file in list((self.path / 'cur').iterdir())[:1]:
            base, flags = file.name.split(':2,')
            flags = flags.replace('F', '') if 'F' in flags else 'F' + flags
            file.rename(self.path / 'cur' / f'{base}:2,{flags}')
        if self.list.exists():
            text = f'dovecot{number}'
            uid = self.lines()[0]
            base = self.write('cur', text, ':2,')
            with open(self.list, 'a', encoding='ascii') as lines:
                lines.write(f'{uid} :{base}\n')
            self.tell(uid, text)
        self.lock.unlink()

    def tell(self, uid, text):
        assert uid not in self.told, f'UID {uid} is given twice'
        self.told[uid] = text

    def run(self, commands, fault):
        """The answers; a turn at each stop."""
        with subprocess.Popen([TOOL, self.path], text=True,
                              stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                              env={'POSTA_DISK_FAULT': fault}) as tool:
            # All that it is told, and answers, fits into the pipes.
            tool.stdin.write('\n'.join(commands))
            tool.stdin.close()
            turns = 0
            while os.WIFSTOPPED(
                    status := os.waitpid(tool.pid, os.WUNTRACED)[1]):
                turns += 1
                self.turn(turns)
                os.kill(tool.pid, signal.SIGCONT)
            tool.returncode = os.waitstatus_to_exitcode(status)
            assert tool.returncode == 0, status
            return tool.stdout.read().split('\n')[:-1], turns

    def check(self):
        dump = self.run(['open INBOX', 'dump'], '')[0][1]
        found = {int(uid): text for uid, text in
                 re.findall(r' (\d+):\S*:(\w+)', dump)}
        assert {u: found.get(u) for u in self.told} == self.told
        lines = self.lines()[1]
        uids = [uid for uid, _ in lines]
        assert uids == sorted(set(uids)), lines
        bases = collections.Counter(base for _, base in lines)
        assert bases.most_common(1)[0][1] == 1, bases
        texts = collections.Counter(found.values())
        assert {t for t in texts if texts[t] > 1} <= {'x'}, found
        assert len(found) == sum(
            len(list((self.path / f).iterdir())) for f in ('new', 'cur'))
        return found


def once(path, fault):
    """False when the script ended before that stop came."""
    box = Maildir(path)
    answers, turns = box.run(SCRIPT, fault)
    for command, answer in zip(SCRIPT, answers, strict=True):
        assert answer.startswith('ok'), (command, answer)
        words = [int(w) for w in answer.split()[1:] if w.isdigit()]
        if command.startswith('append'):
            for uid, text in zip(words, command.split()[2:]):
                box.tell(uid, text)
    for command, answer in zip(SCRIPT, answers):
        if command.startswith('expunge'):
            for uid in answer.split()[1:]:
                box.told.pop(int(uid), None)
    found = box.check()
    shutil.rmtree(box.path / 'posta-index')
    assert box.check() == found
    return turns > 0


def test_every_call():
    # In memory, where a sync costs nothing.
    with tempfile.TemporaryDirectory(dir='/dev/shm') as folder:
        for each in '', '/2', '/5':
            every_call(pathlib.Path(folder), each)


def every_call(folder, each):
    for n in range(1, 1000):
        path = folder / str(n)
        try:
            stopped = once(path, f'{n}{each}:stop')
        except AssertionError as error:
            raise AssertionError(f'call {n}{each}: {error}') from error
        shutil.rmtree(path)
        if not stopped:
            break
    assert 60 < n < 999


def ask(path, *commands):
    done = subprocess.run([TOOL, path], input='\n'.join(('open INBOX', *commands)),
                          capture_output=True, text=True, cwd=path.parent,
                          check=True)
    return done.stdout


def two_who_move(top, n):
    """The second at the nth call of the first; false when there is none."""
    first = Maildir(top / 'first')
    for name in 'a', 'b':
        for part in 'new', 'cur', 'tmp':
            (top / name / part).mkdir(parents=True)
    for path in first.path, top / 'a', top / 'b':
        ask(path)
    with subprocess.Popen([TOOL, first.path], text=True, cwd=top,
                          stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                          env={'POSTA_DISK_FAULT': f'{n}:stop'}) as tool:
        tool.stdin.write('open INBOX\naway 1 2 a')
        tool.stdin.close()
        status = os.waitpid(tool.pid, os.WUNTRACED)[1]
        stopped = os.WIFSTOPPED(status)
        if stopped:
            ask(first.path, 'away 1 2 b')
            os.kill(tool.pid, signal.SIGCONT)
            status = os.waitpid(tool.pid, 0)[1]
        tool.returncode = os.waitstatus_to_exitcode(status)
        assert tool.returncode == 0, status
    found = [re.findall(r':(x|y)(?= |$)', ask(path, 'dump').split('\n')[1])
             for path in (first.path, top / 'a', top / 'b')]
    assert found[0] == [] and sorted(found[1] + found[2]) == ['x', 'y'], found
    return stopped


def test_two_who_move():
    """Each to a home of his own: one of the two has the message."""
    with tempfile.TemporaryDirectory(dir='/dev/shm') as folder:
        for n in range(1, 100):
            if not two_who_move(pathlib.Path(folder) / str(n), n):
                break
