"""The RFCs' own examples, run: t/rfc/*.example, one file an RFC.

    rfc 3501
    example 6.3.10 STATUS Command
    mailbox blurdybloop next 44292 : 1:231
    C: A042 STATUS blurdybloop (UIDNEXT MESSAGES)
    S: * STATUS blurdybloop (MESSAGES 231 UIDNEXT 44292)
    S: A042 OK STATUS completed

Above the examples may stand what the server has in main.cf:

    settings NAME VALUE

Each example has a user of its own, who has logged in with TLS. Before the
dialogue stands what there is:

    mailbox NAME [validity N] [next N] : UIDS   made as files; 5, 1:9, 7/ST (with
                            flags as in a Maildir's names; small letters are the
                            keywords of the line `keywords`)
    keywords NAME : A B     of that mailbox
    message NAME UID        the same, with what stands in the next lines at "| "
    pop3                    the example is of POP3
    greeted                 not logged in yet; `clear`: no TLS either
    - COMMAND               said before, and must succeed
    + COMMAND               the same by another client of the user; APPEND
                            brings a small message

    C: what the client says; {#} is the size of the C| lines behind it, a
       literal, which is sent when the server asks for it
    S: the answers. Responses are wanted in any order, and no others, but where
       "S: <rest>" stands. Text for humans may differ, as may case and quotes
       that are not needed. <n> is a number, <id> a word, <any> a value, and
       <*> at the end of a list anything more.
    S|  a further line of the response (a literal)
    C)  the rest of a command behind C|
    let NAME REGEX          from here on <NAME> is what the last answer that
                            fits says in the parentheses of REGEX
    tls                     the handshake

    same FILE TITLE         the steps of an example of another RFC
    not: REASON             this one cannot be run
    differs: HOW            the answer is not the RFC's, and that is right
"""
import os
import pathlib

FOLDER = pathlib.Path(__file__).resolve().parents[2] / 'rfc'
PLAIN = b'From: fred@example.test\r\nSubject: %d\r\n\r\ntext\r\n'


class Example:
    def __init__(self, rfc, title, settings):
        self.rfc, self.title, self.settings = rfc, title, settings
        self.steps, self.reason, self.differs = [], None, []


def read(path):
    """The examples of a file."""
    found, rfc, settings = [], path.stem, {}
    for line in path.read_text().splitlines():
        if not line.strip() or line.startswith('#'):
            continue
        word, _, rest = line.partition(' ')
        if word == 'rfc':
            rfc = rest
        elif word == 'settings':
            name, _, settings[name] = rest.partition(' ')
        elif word == 'example':
            found.append(Example(rfc, rest, settings))
        elif word == 'not:':
            found[-1].reason = rest
        elif word == 'differs:':
            found[-1].differs.append(rest)
        elif word == 'same':
            stem, _, title = rest.partition(' ')
            other = next(e for e in read(path.with_stem(stem))
                         if e.title == title)
            found[-1].steps += other.steps
        else:
            found[-1].steps.append((word, rest))
    return found


# ---- what there is before

def home(posta, name):
    """Where the user's mail is, and whose it is."""
    line = next(x for x in (posta.dir / 'users').read_text().splitlines()
                if x.startswith(f'{name}@'))
    owner = tuple(int(x) for x in line.split(':')[2:4])
    if os.getuid() != 0:
        owner = os.getuid(), os.getgid()
    return posta.dir / 'mail' / posta.domain / name / 'Maildir', owner


class Box:
    """A Maildir folder with the UIDs that an example wants."""

    def __init__(self, home, name, owner):
        self.home, self.owner = home, owner
        self.path = home if name.upper() == 'INBOX' else \
            home / ('.' + name.replace('/', '.'))
        self.lines, self.validity, self.next = [], 3857529045, None
        for name in 'cur', 'new', 'tmp':
            self.folder(self.path / name)
        if self.path != home:
            self.write('maildirfolder', b'')

    def folder(self, path):
        if not path.exists():
            self.folder(path.parent)
            path.mkdir(mode=0o700)
            os.chown(path, *self.owner)

    def write(self, name, data):
        path = self.path / name
        path.write_bytes(data)
        os.chown(path, *self.owner)

    def add(self, uid, flags, data=None):
        base = f'1700000000.M{uid}P1.host'
        self.write(f'cur/{base}:2,{"".join(sorted(flags))}',
                   (data or PLAIN % uid).replace(b'\r\n', b'\n'))
        self.lines.append((uid, base))

    def finish(self):
        if not self.lines and not self.next:
            return
        self.lines.sort()
        after = self.next or self.lines[-1][0] + 1
        head = f'3 V{self.validity} N{after} G{os.urandom(16).hex()}\n'
        self.write('dovecot-uidlist', (head + ''.join(
            f'{uid} :{base}\n' for uid, base in self.lines)).encode())


def _add_range(box, word):
    word, _, flags = word.partition('/')
    first, _, last = word.partition(':')
    for uid in range(int(first), int(last or first) + 1):
        box.add(uid, flags)


def prepare(home, owner, steps):
    """Make the mailboxes that the steps tell of; the steps that are left."""
    boxes, left, text = {}, [], []

    def box(name):
        if name not in boxes:
            boxes[name] = Box(home, name, owner)
        return boxes[name]

    messages = []
    box('INBOX')
    for word, rest in steps:
        head, _, spec = rest.partition(' : ')
        name, *more = head.split() or ['']
        if word == 'mailbox':
            options = dict(zip(more[::2], more[1::2]))
            box(name).validity = int(options.get('validity', 3857529045))
            box(name).next = int(options.get('next', 0)) or None
            for part in spec.split():
                _add_range(box(name), part)
        elif word == 'keywords':
            box(name).write('dovecot-keywords', ''.join(
                f'{i} {k}\n' for i, k in enumerate(spec.split())).encode())
        elif word == 'message':
            text = []
            messages.append((name, more[0], text))
        elif word == '|':
            text.append(rest)
        else:
            left.append((word, rest))
    for name, uid, text in messages:
        uid, _, flags = uid.partition('/')
        box(name).add(int(uid), flags,
                      ''.join(line + '\r\n' for line in text).encode())
    for one in boxes.values():
        one.finish()
    return left
