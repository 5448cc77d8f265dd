"""The index of words: SEARCH says the same with it, without it, while it is
made, and whatever becomes of it."""
import base64
import os
import random
import shutil
import signal
import subprocess
import time

import pytest

from harness import Posta, process
from harness.maildir import in_order
from harness.raw_imap import RawImap, home, in_spite_of_a_kill
from harness.wait import wait_until

T0 = 1700000000
WORDS = ('invoice meeting Straße grün naïve ﬁle ΣΊΣΥΦΟΣ привет 漢字 ひらがな 検索語 '
         'สวัสดี한국어 x y1 2024 foo_bar a.b@c.test http://h.test/p?q=1 '
         'İstanbul don’t co-operate 😀 end.').split()
NEEDLES = ['zephyrine', 'quartzite', 'vinegaroon']


def text(rng, n):
    words = rng.choices(WORDS, k=n)
    if rng.random() < .1:
        words.append(rng.choice(NEEDLES))
    if rng.random() < .2:
        words.append(base64.b64encode(rng.randbytes(90)).decode())
    return ' '.join(words)


def message(i):
    """Number i; all kinds of encodings."""
    rng = random.Random(i)
    subject = text(rng, 3)
    coded = base64.b64encode(subject.encode()).decode()
    head = (f'From: P{i} <p{i % 7}@one.test>\nTo: list@two.test\n'
            f'Message-ID: <{i}.{rng.getrandbits(60):x}@host.test>\n'
            f'Subject: =?UTF-8?B?{coded}?=\nX-Label: {rng.choice(NEEDLES)}\n'
            f'MIME-Version: 1.0\n')
    body = '\n'.join(text(rng, 8) for _ in range(5)) + f'\nnumber{i}.\n'
    kind = i % 5
    if kind == 0:
        return (head + 'Content-Type: text/plain; charset=utf-8\n'
                'Content-Transfer-Encoding: base64\n\n' +
                base64.encodebytes(body.encode()).decode()).encode()
    if kind == 1:
        return (head + 'Content-Type: text/plain; charset=koi8-r\n'
                'Content-Transfer-Encoding: 8bit\n\n').encode() + \
            body.encode('koi8-r', 'replace')
    if kind == 2:
        return (head + 'Content-Type: multipart/mixed; boundary=b\n\n'
                f'--b\nContent-Type: text/html\n\n<p>{body}</p>\n--b\n'
                'Content-Type: message/rfc822\n\n'
                f'Subject: inner{i}\nX-In: {text(rng, 2)}\n\n{body}\n--b--\n'
                ).encode()
    if kind == 3:
        return (head + f'\n{body}').encode() + b'nul \0 \xff\xfe byte\n'
    return (head + f'Content-Type: text/plain\n\n{body}').encode()


def fill(folder, numbers):
    """Deliver messages, as their owner."""
    st = os.stat(folder)
    with in_order(folder):
        for i in numbers:
            name = f'{T0 + i}.M{i}P1.host'
            path = folder / 'tmp' / name
            path.write_bytes(message(i))
            os.chown(path, st.st_uid, st.st_gid)
            path.rename(folder / 'new' / name)


def connect(posta, user):
    """Also when his process has just been killed."""
    def log_in():
        c = RawImap(posta.base + 993, f'{user}@example.test')
        c.ok('SELECT INBOX')
        return c
    return in_spite_of_a_kill(log_in)


def segments(mail):
    return sorted((mail / 'posta-index/search').glob('*/*.words'))


def find(c, command):
    lines = c.ok(command)
    return [line for line in lines if b'ESEARCH' in line][0].split(b')')[1]


def literal(s):
    data = s.encode()
    return b'{%d+}\r\n%s' % (len(data), data)


def random_keys(rng, count):
    """Pieces of what is there, alone and in combination."""
    keys = []
    for _ in range(count):
        words = ' '.join(rng.choices(WORDS + NEEDLES + ['number7', 'none'],
                                     k=2))
        at = rng.randrange(len(words))
        piece = words[at:at + rng.randint(1, 12)]
        kind = rng.choice([b'BODY', b'TEXT', b'SUBJECT', b'HEADER X-Label',
                           b'HEADER X-In', b'FROM'])
        keys.append(kind + b' ' + literal(piece))
    for _ in range(count // 4):
        a, b, c = rng.choices(keys, k=3)
        keys.append(rng.choice([b'OR %s (%s NOT %s)', b'NOT OR %s OR %s %s',
                                b'%s NOT %s UNSEEN OR 1:20 %s']) % (a, b, c))
    return [b'UID SEARCH RETURN (ALL) CHARSET UTF-8 ' + k for k in keys]


KEYS = random_keys(random.Random(1), 60) + [
    b'UID SEARCH RETURN (ALL) ' + k for k in (
        b'BODY zephyrine', b'TEXT vinegaroon', b'BODY ""', b'TEXT ""',
        b'SUBJECT ""', b'HEADER X-None ""', b'BODY "number77."',
        b'BODY number7', b'BODY "end. invoice"', b'TEXT host.test',
        b'TEXT "X-Label: quartzite"', b'TEXT inner12', b'BODY inner12',
        b'BODY "\r\nnumber"', b'BODY =', b'BODY "  "', b'TEXT "p3@one"',
        b'BODY nul', b'NOT BODY invoice',
    ) if b'\r' not in k]


@pytest.fixture(scope='module')
def posta():
    users = {n: 'secret' for n in ('anna', 'ben', 'carl', 'dora', 'emil',
                                    'fred')}
    with Posta(users=users) as p:
        yield p


@pytest.fixture(scope='module')
def truth():
    """What is found by reading all of it: by the number of messages. Each
    number is asked for on the way to the next, whichever test comes first."""
    known, counts = {}, [700, 760, 2500]
    with Posta(users={'anna': 'secret'},
               settings={'imap_search_index': 'no'}) as p:
        mail = home(p, 'anna')

        def found(count):
            while count not in known:
                fill(mail, range(max(known, default=0), counts[0]))
                with connect(p, 'anna') as c:
                    known[counts.pop(0)] = [find(c, k) for k in KEYS]
                assert not segments(mail)
            return known[count]
        yield found


def check(c, want):
    for key, found in zip(KEYS, want):
        assert find(c, key) == found, key


def test_says_the_same(posta, truth):
    mail = home(posta, 'anna')
    fill(mail, range(700))
    with connect(posta, 'anna') as c:
        wait_until(lambda: segments(mail), 'the index')
        check(c, truth(700))
        # These are not in it yet.
        fill(mail, range(700, 760))
        c.ok('NOOP')
        check(c, truth(760))


def kill_imapd(posta, mail):
    """The process of that user."""
    for pid in posta.pids('imapd'):
        if f'{mail}/posta-index' in process.text(pid, 'maps'):
            posta.kill(pid, signal.SIGKILL)


def test_killed_while_it_is_made(posta, truth):
    """Again and again, at some point; then it is made after all."""
    mail, rng = home(posta, 'ben'), random.Random(5)
    fill(mail, range(2500))
    want = truth(2500)
    for _ in range(6):
        with connect(posta, 'ben') as c:
            end = time.monotonic() + .3 + rng.random() * 1.5
            i = rng.randrange(len(KEYS))
            while time.monotonic() < end:
                i = (i + 1) % len(KEYS)
                assert find(c, KEYS[i]) == want[i], KEYS[i]
            kill_imapd(posta, mail)
    with connect(posta, 'ben') as c:
        wait_until(lambda: covered(mail) >= 2500, 'the index')
        check(c, want)


def covered(mail):
    """How many messages are in segments: the third number of a head."""
    while True:
        try:
            return sum(int.from_bytes(f.read_bytes()[12:16], 'little')
                       for f in segments(mail))
        except FileNotFoundError:  # another one has it by now
            pass


def test_deleted_and_damaged(posta, truth):
    mail, rng = home(posta, 'carl'), random.Random(7)
    fill(mail, range(700))
    want = truth(700)
    with connect(posta, 'carl') as c:
        wait_until(lambda: segments(mail), 'the index')
        check(c, want)
        shutil.rmtree(mail / 'posta-index/search', ignore_errors=True)
        check(c, want)
        wait_until(lambda: segments(mail), 'the index')
    for _ in range(4):
        # The process that has it mapped must not be cut off from it: a new
        # file takes the place of the old one.
        file = segments(mail)[0]
        data = bytearray(file.read_bytes())
        for _ in range(20):
            data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
        other = file.with_suffix('.tmp')
        other.write_bytes(data)
        st = os.stat(file)
        os.chown(other, st.st_uid, st.st_gid)
        kill_imapd(posta, mail)
        other.rename(file)
        with connect(posta, 'carl') as c:
            check(c, want)
            wait_until(lambda: segments(mail) and file not in segments(mail),
                       'the index')
            check(c, want)


def test_folders_are_moved_and_copied(posta, truth):
    mail = home(posta, 'dora')
    fill(mail, range(700))
    want = truth(700)
    with connect(posta, 'dora') as c:
        wait_until(lambda: covered(mail) == 700, 'the index')
        made = segments(mail)
        c.ok('CREATE Copy')
        c.ok('COPY 1:* Copy')
        c.ok('SELECT Copy')
        wait_until(lambda: covered(mail) == 1400, 'the index')
        both = segments(mail)
        check(c, want)
        c.ok('UNSELECT')
        c.ok('RENAME Copy Elsewhere')
        c.ok('CREATE Copy')
        c.ok('SELECT Elsewhere')
        check(c, want)
        assert segments(mail) == both
        c.ok('SELECT Copy')
        assert find(c, 'UID SEARCH RETURN (ALL) BODY number').strip() == \
            b'UID'
        c.ok('UNSELECT')
        c.ok('DELETE Elsewhere')
    # It is forgotten when somebody looks again who knows all folders; of a
    # process that was killed while it wrote, the next one knows none.
    kill_imapd(posta, mail)
    with in_spite_of_a_kill(
            lambda: RawImap(posta.base + 993, 'dora@example.test')) as c:
        c.ok('STATUS Copy (MESSAGES)')
        c.ok('SELECT INBOX')
        wait_until(lambda: segments(mail) == made, 'the index')
        check(c, want)


def test_expunged_and_new_ones(posta):
    """Small segments become one; those of messages that are gone go."""
    mail = home(posta, 'emil')
    with connect(posta, 'emil') as c:
        for part in range(9):
            fill(mail, range(part * 200, part * 200 + 200))
            c.ok('NOOP')
            wait_until(lambda: covered(mail) == part * 200 + 200,
                       'the index')
        wait_until(lambda: len(segments(mail)) <= 2, 'the index')
        c.ok(r'STORE 1:1400 +FLAGS.SILENT (\Deleted)')
        c.ok('EXPUNGE')
        assert find(c, 'SEARCH RETURN (COUNT) BODY number').split()[-1] == \
            b'400'
        c.ok('UNSELECT')
        c.ok('SELECT INBOX')
        wait_until(lambda: covered(mail) == 400, 'the index')
        assert find(c, 'SEARCH RETURN (COUNT) BODY number').split()[-1] == \
            b'400'
        assert find(c, 'SEARCH RETURN (COUNT) BODY number1399.').split()[-1] \
            == b'0'
        assert find(c, 'SEARCH RETURN (COUNT) BODY number1400.').split()[-1] \
            == b'1'


def index(posta, *args):
    return subprocess.run([posta.bin / 'posta', '-c', posta.dir, 'index',
                           *args], capture_output=True, text=True)


def test_made_by_the_administrator(posta, truth):
    """As that user, for all mailboxes or some, whether he is there or not."""
    mail = home(posta, 'fred')
    with connect(posta, 'fred') as c:
        c.ok('CREATE Few')
        c.ok('CREATE Many')
    kill_imapd(posta, mail)
    fill(mail, range(700))
    fill(mail / '.Many', range(700))
    fill(mail / '.Few', range(10))
    done = index(posta, 'fred@example.test', 'Many')
    assert (done.returncode, done.stdout) == \
        (0, 'Many: 700 of 700 messages read\n'), done.stderr
    done = index(posta, 'fred@example.test')
    assert (done.returncode, sorted(done.stdout.splitlines())) == \
        (0, ['Few: nothing to do', 'INBOX: 700 of 700 messages read',
             'Many: nothing to do']), done.stderr
    assert covered(mail) == 1400
    owner = mail.stat().st_uid
    assert {f.stat().st_uid for f in mail.rglob('*')} == {owner}
    with connect(posta, 'fred') as c:
        check(c, truth(700))
        made = segments(mail)
        done = index(posta, '--rebuild', '--quiet', 'fred@example.test',
                     'INBOX')
        assert (done.returncode, done.stdout, done.stderr) == (0, '', '')
        assert covered(mail) == 1400
        assert len(set(made) & set(segments(mail))) == 1
        check(c, truth(700))
    done = index(posta, 'fred@example.test', 'None', 'Many')
    assert done.returncode == 1 and 'None: ' in done.stderr
    assert done.stdout == 'Many: nothing to do\n'
    assert index(posta, 'nobody@example.test').returncode == 67
    assert index(posta, '--drop', '--rebuild', 'x').returncode == 64
    kill_imapd(posta, mail)
    assert index(posta, '--drop', 'fred@example.test').returncode == 0
    assert not segments(mail)
