"""Every disk call of the mailbox store in turn fails, or the process dies.

A script of commands runs against a Maildir into which mail is also delivered
from outside. What was answered with "ok" must hold afterwards, with and
without the index; what was not may have happened or not.
"""
import pathlib
import shutil
import subprocess
import tempfile

import pytest

TOOL = pathlib.Path(__file__).resolve().parents[2] / \
    'build/fault/t/tools/store_tool'

SCRIPT = '''
open INBOX
append 0 one two three
append 8 four
store 1 2 add 8
store 3 3 add 1 work
flush
create Box
copy 1 1 Box
move 2 3 Box
select
append 0 five
expunge 1 1
flush
open Box
expunge 2 2
append 2 six
rename Box New
subscribe New
open New
store 1 9 replace 2 home
'''.split('\n')[1:-1]


NAMES = 'INBOX', 'Box', 'New'


class Box:
    """A Maildir, and what has been promised of it."""

    def __init__(self, path, mode):
        self.path = path / 'mail'
        self.texts = {}      # folder, uid: text, of all UIDs ever told
        self.folders = {'INBOX': {}}
        self.doubtful = set()
        for name in 'new', 'cur', 'tmp':
            (self.path / name).mkdir(parents=True)
            (self.path / name).chmod(mode)
        for name in 'x', 'y':
            (self.path / 'new' / f'1000.{name}.h').write_text(
                f'Subject: t\n\n{name}\n')

    def run(self, commands, fault=None):
        env = {'POSTA_DISK_FAULT': fault} if fault else {}
        done = subprocess.run([TOOL, self.path], input='\n'.join(commands),
                              capture_output=True, text=True, env=env,
                              timeout=60)
        assert done.returncode in (0, 1, -9), (done.returncode, done.stderr)
        return done.stdout.split('\n')[:-1]

    def dump(self):
        """What each folder has: uid to what is said of the message."""
        found = {}
        answers = self.run([f'{verb} {name}'.strip() for name in NAMES
                            for verb, name in (('open', name), ('dump', ''))])
        for name, opened, dumped in zip(NAMES, answers[::2], answers[1::2]):
            if opened.startswith('no 5.2.0'):
                found[name] = None
                continue
            assert dumped.startswith('ok'), (opened, dumped)
            found[name] = dict((int(uid), rest) for uid, rest in (
                word.split(':', 1) for word in dumped.split()[1:]))
        return found


def texts(found):
    return sorted(m.rsplit(':', 1)[1] for m in (found or {}).values())


def names(command):
    return command.split()


class Model:
    """Follows the script by its answers."""

    def __init__(self):
        self.uids = {}       # folder: {uid: [flags, keyword, text]}
        self.told = {}       # (folder, uid): text
        self.maybe = set()   # texts whose fate is open
        self.now = 'INBOX'
        self.asked = []

    def box(self, name=None):
        return self.uids.setdefault(name or self.now, {})

    def put(self, folder, uid, message):
        assert (folder, uid) not in self.told, 'a UID is used twice'
        self.told[folder, uid] = message[2]
        self.box(folder)[uid] = message

    def take(self, command, answer):
        word = names(command)
        if answer is None or answer.startswith('no'):
            return self.doubt(word)
        given = [int(n) for n in answer.split()[1:] if n.isdigit()]
        if word[0] == 'open':
            self.now = word[1]
            if word[1] == 'New' and 'Box' in self.uids:
                self.renamed()  # although a later step of it failed
            if not self.told:
                self.put('INBOX', 1, [0, '', 'x'])
                self.put('INBOX', 2, [0, '', 'y'])
        elif word[0] == 'append':
            for uid, text in zip(given, word[2:]):
                self.put(self.now, uid, [int(word[1]), '', text])
        elif word[0] == 'store':
            for uid in given:
                if uid in self.box():
                    message = self.box()[uid]
                    message[0] = int(word[4]) if word[3] == 'replace' \
                        else message[0] | int(word[4])
                    if len(word) > 5:
                        message[1] = word[5] + ','
        elif word[0] == 'expunge':
            for uid in given:
                self.box().pop(uid, None)
        elif word[0] in ('copy', 'move'):
            for old, new in zip(given[:len(given) // 2],
                                given[len(given) // 2:]):
                if old in self.box():
                    self.put(word[3], new, list(self.box()[old]))
                    if word[0] == 'move':
                        del self.box()[old]
        elif word[0] == 'rename':
            self.renamed()

    def renamed(self):
        self.uids['New'] = self.uids.pop('Box', {})
        for (folder, uid), text in list(self.told.items()):
            if folder == 'Box':
                self.told['New', uid] = text

    def doubt(self, word):
        """It may have happened."""
        if word[0] in ('store', 'expunge', 'copy', 'move'):
            low, high = int(word[1]), int(word[2])
            for uid in list(self.box()):
                if low <= uid <= high:
                    self.maybe.add(self.box()[uid][2])
        if word[0] == 'append':
            self.maybe.update(word[2:])


def check(box, model, renamed):
    found = box.dump()
    everywhere = [t for f in found.values() for t in texts(f)]
    for word in model.asked:
        if word.startswith('append'):
            there = [text in everywhere for text in word.split()[2:]]
            assert all(there) or not any(there), (word, everywhere)
    for name, messages in model.uids.items():
        place = found[name]
        if name in ('Box', 'New') and renamed is None:
            place = found['Box'] or found['New']  # one or the other
        for uid, (flags, keyword, text) in messages.items():
            if text in model.maybe:
                assert text in everywhere or uid not in (place or {}), text
                continue
            assert place and uid in place, (name, uid, text, found)
            fields = place[uid].split(':')
            assert fields[-1] == text
            assert int(fields[0]) == flags and fields[1] == keyword, \
                (place[uid], flags, keyword)
        for uid, message in (place or {}).items():
            told = model.told.get((name, uid))
            assert told in (None, message.rsplit(':', 1)[1]), 'UID reused'
            if told and uid not in messages:
                assert told in model.maybe, (uid, told, 'is back')
    return found


def once(path, fault, mode):
    """False when the script ended before that fault came."""
    box = Box(path, mode)
    model = Model()
    answers = box.run(SCRIPT, fault)
    if 'kill' not in fault:
        assert not list(box.path.rglob('tmp/*'))
    struck = len(answers) < len(SCRIPT) or \
        any(a.startswith('no') for a in answers)
    # A fault may strike where it does no harm, so look further than that.
    answers += [None] * (len(SCRIPT) - len(answers))
    renamed = True
    died = False
    for command, answer in zip(SCRIPT, answers):
        if command.startswith('rename') and not (answer or '').startswith(
                'ok'):
            renamed = None
        if answer is None and died:
            continue  # after the one it died in, nothing was asked
        if not (answer or '').startswith('ok'):
            model.asked.append(command)
        died |= answer is None
        model.take(command, answer)
    found = check(box, model, renamed)
    assert box.dump() == found
    shutil.rmtree(box.path / 'posta-index', ignore_errors=True)
    assert box.dump() == found
    high = max(u for f, u in [('', 0)] + [
        (f, u) for f, u in model.told if f == 'INBOX'])
    answer = box.run(['open INBOX', 'append 0 last'])[1]
    assert int(answer.split()[1]) > high
    return struck


@pytest.mark.parametrize('what,mode', [('eio', 0o700), ('eio', 0o770),
                                       ('enospc', 0o700), ('kill', 0o700)])
def test_every_call(what, mode):
    """Also where files are shared with a group."""
    # In memory, where a sync costs nothing.
    with tempfile.TemporaryDirectory(dir='/dev/shm') as folder:
        every_call(pathlib.Path(folder), what, mode)


def every_call(tmp_path, what, mode):
    quiet = 0
    for n in range(1, 1000):
        folder = tmp_path / str(n)
        folder.mkdir()
        try:
            struck = once(folder, f'{n}:{what}', mode)
        except AssertionError as error:
            raise AssertionError(f'call {n}: {error}') from error
        shutil.rmtree(folder)
        quiet = 0 if struck else quiet + 1
        if quiet > 25:
            break
    assert 60 < n < 999
