"""A connection that has logged in: what it enabled, what it has selected."""
import base64
import re
import time

from .rights import CHANGING
from .view import View
from .wire import Closed, Differs, Wire, parse


class Kind:
    """A way to use the server. condstore may become true later. notify: what
    NOTIFY is told of, SELECTED or SELECTED-DELAYED."""

    def __init__(self, name, enable='', compress=False, condstore=False,
                 notify=''):
        self.name, self.enable, self.compress = name, enable, compress
        self.notify = notify
        self.qresync = 'QRESYNC' in enable
        self.condstore = condstore or self.qresync or 'CONDSTORE' in enable
        self.rev2 = 'IMAP4rev2' in enable
        self.uidonly = 'UIDONLY' in enable
        self.wide = self.rev2

    def fresh(self):
        return Kind(self.name, self.enable, self.compress,
                    notify=self.notify)


KINDS = (
    Kind('plain'),
    Kind('condstore', 'CONDSTORE'),
    Kind('qresync', 'QRESYNC'),
    Kind('rev2', 'IMAP4rev2'),
    Kind('rev2 qresync', 'IMAP4rev2 QRESYNC'),
    Kind('uidonly', 'UIDONLY'),
    Kind('uidonly qresync', 'UIDONLY QRESYNC'),
    Kind('deflate', '', True),
    Kind('notify', notify='SELECTED'),
    Kind('notify qresync', 'QRESYNC', notify='SELECTED'),
    Kind('notify delayed', notify='SELECTED-DELAYED'),
    Kind('notify uidonly', 'UIDONLY', notify='SELECTED'),
)


def mutf7(name):
    """The name of a mailbox as IMAP4rev1 has it (RFC 3501 5.1.3)."""
    def run(match):
        text = match[0].encode('utf-16-be')
        return '&' + base64.b64encode(text).decode().rstrip('=').replace(
            '/', ',') + '-'
    return re.sub(r'[^ -~]+', run, name.replace('&', '&-'))


class Reply:
    """lines: untagged responses without "* "; status: OK, NO, BAD."""

    def __init__(self, lines, done):
        self.lines = lines
        self.status, _, self.text = done.decode('utf-8', 'replace') \
            .partition(' ')

    def code(self, name):
        """What stands behind a response code's name, '' where nothing does;
        None where it is not there, tagged or untagged."""
        texts = [self.text] + [x.decode('latin-1').partition(' ')[2]
                               for x in self.lines if x.startswith(b'OK ')]
        for text in texts:
            found = re.match(rf'\[{name}(?: ([^\]]*))?\]', text)
            if found:
                return found[1] or ''
        return None


class Client:
    """The connection of a person is made anew by connect(). What it has in mind
    of mailboxes (caches) stays. barred: it may no longer read the mailbox that
    it has selected, and has not been told."""

    def __init__(self, name, kind, port, person, transcript):
        self.name, self.first_kind, self.port = name, kind, port
        self.person, self.transcript = person, transcript
        self.times = 0
        self.caches = {}
        self.saved = []  # "$"
        self.wire = self.view = self.idling = None
        self.barred = False

    # ---- the connection

    def connect(self, seconds=120):
        """Log in; what is not there now may be in a moment."""
        end = time.monotonic() + seconds
        while True:
            try:
                self._connect()
                return
            except Closed as e:
                if time.monotonic() > end:
                    raise Differs(f'{self.name} cannot log in: {e}') from e
                time.sleep(.05)

    def _connect(self):
        self.drop()
        self.kind = self.first_kind.fresh()
        self.times += 1
        self.wire = Wire(self.port, self.name, self.transcript)
        if not (self.wire.response() or b'').startswith(b'* OK'):
            raise Closed('no greeting')
        self._must(f'LOGIN {self.person.address} secret')
        if self.kind.enable:
            self._must(f'ENABLE {self.kind.enable}')
        if self.kind.notify:
            self._must(f'NOTIFY SET ({self.kind.notify} (MessageNew '
                       'MessageExpunge FlagChange))')
        if self.kind.compress:
            self._must('COMPRESS DEFLATE')
            self.wire.compress()

    def _must(self, command):
        reply = self.say(command)
        if reply.status != 'OK':
            raise Closed(f'{command}: {reply.text}')

    def drop(self):
        """As if the network had gone."""
        if self.wire:
            self.wire.close()
        self.wire = self.view = self.idling = None
        self.barred = False

    @property
    def hears(self):
        """Is it told at once of what happens?"""
        return self.idling or (self.view and self.kind.notify)

    @property
    def hears_expunges(self):
        return self.idling or self.kind.notify == 'SELECTED'

    @property
    def session(self):
        return f'{self.name}/{self.times}'

    # ---- commands

    def shown(self, name):
        """A name of this user's mailboxes, as this client is shown it."""
        return name if self.kind.wide else mutf7(name)

    def box_name(self, name):
        """As this client writes it, quoted."""
        text = self.shown(self.person.sees(name))
        return '"' + text.replace('\\', '\\\\').replace('"', '\\"') + '"'

    def pack(self, *pieces):
        """A command: its tag and its bytes. Pieces of bytes are literals."""
        tag = self.wire.next_tag()
        out = tag.encode() + b' '
        for piece in pieces:
            out += b'{%d+}\r\n' % len(piece) + piece \
                if isinstance(piece, bytes) else piece.encode()
        return tag, out + b'\r\n'

    def begin(self, *pieces):
        tag, data = self.pack(*pieces)
        self.transcript.commands += 1
        self.wire.send(data)
        return tag

    def collect(self, tag, seconds=120):
        """Everything up to the tagged response."""
        lines = []
        while True:
            line = self.wire.response(seconds)
            if line is None:
                raise Differs(f'{self.session}: no answer to {tag} in '
                              f'{seconds} s')
            if line.startswith(tag.encode() + b' '):
                return Reply(lines, line[len(tag) + 1:])
            if line.startswith(b'* BYE'):
                raise Closed(line)
            if not line.startswith(b'* '):
                raise Differs(f'{self.session}: {line!r} instead of {tag}')
            lines.append(line[2:])

    def say(self, *pieces):
        return self.collect(self.begin(*pieces))

    def ok(self, *pieces):
        reply = self.say(*pieces)
        if reply.status != 'OK':
            raise Differs(f'{self.session}: {pieces}: {reply.status} '
                          f'{reply.text}')
        return reply

    def feed(self, lines, still, exact):
        """Take up untagged responses. What FETCH said (UID, items), and all
        others that are not of the mailbox, parsed. With NOTIFY some may be of
        before the command."""
        still = still and self.kind.notify != 'SELECTED'
        exact = exact and not self.kind.notify
        fetched, others = [], []
        for line in lines:
            if line.startswith((b'OK ', b'NO ', b'BAD ')):
                continue
            items = parse(line)
            if items[0] in (b'SEARCH', b'ESEARCH', b'SORT', b'THREAD', b'LIST',
                            b'LSUB', b'STATUS', b'FLAGS', b'ENABLED',
                            b'MYRIGHTS', b'METADATA', b'QUOTA'):
                others.append(items)
                continue
            if self.view is None and self.kind.notify:
                continue  # of the mailbox that it was in
            if self.view is None:
                raise Differs(f'{self.session}: {line!r} and no mailbox')
            got = self.view.response(items, still, exact)
            if got:
                fetched.append(got)
        return fetched, others

    # ---- SELECT

    def select(self, box, verb='SELECT', parameters='', exact=True):
        """Answered OK, and the view begins; the reply, what FETCH said and the
        others."""
        self.view = None
        reply = self.ok(f'{verb} {self.box_name(box.name)}{parameters}')
        if parameters:
            self.kind.condstore = True
        writable = verb == 'SELECT' and box.rights(self.person) & CHANGING
        if (' [READ-WRITE]' in ' ' + reply.text) != bool(writable):
            raise Differs(f'{self.session}: {verb} {box.name}: {reply.text}')
        self.view = View(box, self.kind, self.person, writable, self.session)
        if self.kind.notify:  # what comes before is of the last mailbox
            while not reply.lines[0].startswith(b'FLAGS '):
                del reply.lines[0]
        fetched, others = self.feed(reply.lines, True, exact)
        if reply.code('UIDVALIDITY') != str(box.validity):
            self.view.fail(f"UIDVALIDITY {reply.code('UIDVALIDITY')}, it was "
                           f'{box.validity}')
        if exact and reply.code('UIDNEXT') != str(box.next):
            self.view.fail(f"UIDNEXT {reply.code('UIDNEXT')}, it is "
                           f'{box.next}')
        self.view.highest = int(reply.code('HIGHESTMODSEQ'))
        if exact:
            box.highest_is(self.view.highest)
        return reply, fetched, others
