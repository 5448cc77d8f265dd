"""A fresh look at all of a user's mailboxes, by a connection that knows
nothing, and at his files."""
import email.utils
import os
import re
import time

from .client import mutf7
from .letters import Letter
from .wire import Differs

LETTERS = {'D': '\\Draft', 'F': '\\Flagged', 'R': '\\Answered', 'S': '\\Seen',
           'T': '\\Deleted'}


class Seen:
    def __init__(self, letter, flags, modseq, date):
        self.letter, self.flags, self.modseq = letter, flags, modseq
        self.date = date


class Found:
    """A mailbox: {UID: Seen}, UIDNEXT, HIGHESTMODSEQ."""

    def __init__(self, messages, next_uid, highest):
        self.messages, self.next, self.highest = messages, next_uid, highest


def internal_date(text):
    return email.utils.mktime_tz(
        email.utils.parsedate_tz(text.decode().replace('-', ' ', 2)))


def date_text(seconds):
    return time.strftime('"%d-%b-%Y %H:%M:%S +0000"', time.gmtime(seconds))


def look(client, world, name):
    """What is in a mailbox."""
    box = world.boxes[name]
    reply, _, _ = client.select(box, 'EXAMINE', exact=False)
    lines = client.ok('UID FETCH 1:* (FLAGS MODSEQ INTERNALDATE RFC822.SIZE '
                      'BODY.PEEK[HEADER.FIELDS (X-Model)])').lines
    out, fetched = {}, client.feed(lines, False, False)[0]
    for uid, items in fetched:
        head = next((v for k, v in items.items()
                     if k.startswith(b'BODY[HEADER')), None)
        if head is None:  # there are news, or the file goes
            raise Differs(f'{name}: UID {uid} changes while we look')
        out[uid] = Seen(
            _letter(client, world, uid, head),
            frozenset(f.decode() for f in items[b'FLAGS']
                      if f != b'\\Recent'),
            int(items[b'MODSEQ'][0]), internal_date(items[b'INTERNALDATE']))
        if int(items[b'RFC822.SIZE']) != out[uid].letter.size:
            raise Differs(f'{name}: UID {uid}: RFC822.SIZE '
                          f"{items[b'RFC822.SIZE']}, not "
                          f'{out[uid].letter.size}')
    if sorted(out) != [u for u in client.view.uids if u]:
        raise Differs(f'{name}: FETCH told of {sorted(out)}, the numbers are '
                      f'{client.view.uids}')
    highest = int(reply.code('HIGHESTMODSEQ'))
    if highest < max([s.modseq for s in out.values()] + [box.highest]):
        raise Differs(f'{name}: HIGHESTMODSEQ {highest} is too low')
    next_uid = int(reply.code('UIDNEXT'))
    if next_uid < max([box.next] + [u + 1 for u in out]):
        raise Differs(f'{name}: UIDNEXT {next_uid} is too low')
    client.ok('UNSELECT')
    client.view = None
    return Found(out, next_uid, highest)


def _letter(client, world, uid, head):
    """The letter of a message; one that came by SMTP is read."""
    found = re.search(rb'X-Model: (\S+)', head)
    if not found:
        raise Differs(f'UID {uid} is none of our messages: {head!r}')
    name = found[1].decode()
    letter = world.letters.get(name)
    if letter is None or letter.raw is None:
        got = client.feed(client.ok(f'UID FETCH {uid} BODY.PEEK[]').lines,
                          False, False)[0]
        letter = letter or Letter(b'')
        letter.__init__(dict(got)[uid][b'BODY[]'])
        world.letters[name] = letter
    return letter


# ---- files

def folder(box):
    """The Maildir of a mailbox."""
    root, name = box.owner.root, box.owner.inside(box.name)
    if name == 'INBOX':
        return root
    return root / ('.' + mutf7(name).replace('/', '.'))


def is_locked(world):
    """Does a living process hold the lock of a mailbox? It is that of a dead
    one for all who want it next."""
    for box in world.boxes.values():
        try:
            text = (folder(box) / 'dovecot-uidlist.lock').read_text()
            os.kill(int(text.partition(':')[0]), 0)
            return True
        except (FileNotFoundError, ProcessLookupError, ValueError):
            pass
    return False


def base(name):
    return name.partition(':')[0]


def uids_of_files(path):
    """{base name: UID} from dovecot-uidlist."""
    out = {}
    for line in (path / 'dovecot-uidlist').read_text().splitlines()[1:]:
        head, _, name = line.partition(' :')
        out[base(name)] = int(head.split()[0])
    return out


def files(path):
    return [f for d in ('new', 'cur') for f in (path / d).iterdir()]


def keywords(path):
    """What letters mean in file names, and {UID: keywords} of those that have
    none (lib/store/state.h)."""
    letters, bits, values = {}, {}, {}
    if (path / 'dovecot-keywords').exists():
        for line in (path / 'dovecot-keywords').read_text().splitlines():
            number, word = line.split()
            letters[chr(ord('a') + int(number))] = word
    for line in (path / 'posta-state').read_text().splitlines()[1:]:
        kind, number, *rest = line.split()
        if kind == 'K':
            bits[int(number)] = rest[0]
        elif kind == 'U':
            values[int(number)] = int(rest[0], 16)
    return letters, {uid: {word for bit, word in bits.items()
                           if value >> bit & 1}
                     for uid, value in values.items()}


def compare_files(box):
    """Names of files say what the model says; the difference, or None."""
    path = folder(box)
    uids = uids_of_files(path)
    letters, others = keywords(path)
    there = {}
    for f in files(path):
        uid = uids.get(base(f.name), f.name)
        there[uid] = frozenset(
            {LETTERS.get(c) or letters.get(c, c)
             for c in f.name.partition(':2,')[2]} | others.get(uid, set()))
    want = {uid: m.flags for uid, m in box.messages.items()}
    if there == want:
        return None
    return (f'{box.name}: files and model differ: ' + ', '.join(
        f'{u}: {sorted(there.get(u, ["no file"]))} '
        f'{sorted(want.get(u, ["no message"]))}'
        for u in sorted(set(there) | set(want), key=str)
        if there.get(u) != want.get(u)))
