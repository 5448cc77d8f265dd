"""Commands that read and change messages: each must do as the model says."""
import re

from . import audit, letters
from .rights import allowed
from .wire import Differs, as_set, numbers
from .world import FLAGS


class Messages:
    """Each a method that takes a client; what they use is in Steps."""

    # ---- STORE

    def store(self, client):
        view, uid = client.view, self.by_uid(client)
        text, uids = self.some(client, uid)
        if text is None:
            return
        how = self.rng.choice(('+', '-', ''))
        flags = self.some_flags()
        silent = self.rng.random() < .4
        since = self._unchanged_since(client, uids)
        condition = '' if since is None else f'(UNCHANGEDSINCE {since}) '
        command = (f"{'UID ' if uid else ''}STORE {text} {condition}{how}FLAGS"
                   f"{'.SILENT' if silent else ''} ({' '.join(flags)})")
        his = allowed(flags, view.rights)
        if not view.writable or (flags and not his) or \
                not allowed(FLAGS, view.rights):
            self.run(client, command, still=not uid, status='NO')
            return
        box, behind = view.box, view.behind()
        failed = [] if since is None else \
            [u for u in uids if box.messages[u].modseq > since]
        changed = []

        def then(reply):
            for u in uids:
                if u not in failed:
                    new = self.applied(box.messages[u].flags, how, his,
                                       view.rights)
                    if box.store(u, new):
                        changed.append(u)
                    if silent and u in view.flags:
                        view.flags[u] = frozenset(new)
            wanted = as_set(failed if uid else
                            [view.uids.index(u) + 1 for u in failed])
            if as_set(numbers((reply.code('MODIFIED') or '').encode())) != \
                    wanted:
                view.fail(f'[MODIFIED {wanted}] was due: {reply.text}')
        _, fetched, _ = self.run(client, command, still=not uid, then=then)
        told = {u for u, items in fetched if b'FLAGS' in items}
        if not behind and not client.kind.notify and told and silent:
            view.fail(f'a silent STORE was told of: {told}')
        if not silent and set(changed) - told:
            view.fail(f'STORE was not told of: {set(changed) - told}')
        if client.kind.condstore and set(changed) - {
                u for u, items in fetched if b'MODSEQ' in items}:
            view.fail(f'no mod-sequence of {changed}')

    @staticmethod
    def applied(flags, how, given, rights):
        """What the user may not change stays (RFC 4314 4)."""
        return {'+': flags | given, '-': flags - given,
                '': given | flags - allowed(flags, rights)}[how]

    def _unchanged_since(self, client, uids):
        known = [client.view.box.messages[u].modseq for u in uids]
        if not known or None in known or not client.kind.condstore or \
                self.rng.random() < .6:
            return None
        return max(0, self.rng.choice(known) + self.rng.randrange(-1, 2))

    # ---- FETCH

    def fetch(self, client):
        view, uid = client.view, self.by_uid(client)
        text, uids = self.some(client, uid)
        if text is None:
            return
        items = self.rng.sample(
            ['FLAGS', 'UID', 'INTERNALDATE', 'RFC822.SIZE', 'EMAILID',
             'BODY.PEEK[]', 'BODY[]', 'BODY.PEEK[HEADER]', 'BODY[TEXT]',
             'ENVELOPE', 'BODYSTRUCTURE'], self.rng.randrange(1, 5))
        if client.kind.uidonly and 'UID' in items:
            items[items.index('UID')] = 'FLAGS'
        if client.kind.condstore and self.rng.random() < .3:
            items.append('MODSEQ')
        if self.rng.random() < .2:
            items.append(f'BODY.PEEK[]<{self.rng.randrange(500)}.'
                         f'{self.rng.randrange(1, 500)}>')
        since, only = '', uids
        known = [view.box.messages[u].modseq for u in uids]
        if client.kind.condstore and known and None not in known and \
                self.rng.random() < .3:
            at = max(1, self.rng.choice(known) + self.rng.randrange(-1, 2))
            only = [u for u, m in zip(uids, known) if m > at]
            since = f' (CHANGEDSINCE {at})'
            if client.kind.qresync and uid and self.rng.random() < .5:
                since = f' (CHANGEDSINCE {at} VANISHED)'
        seen = view.may('s') and any(
            i in ('BODY[]', 'BODY[TEXT]') for i in items)
        if seen and 'VANISHED' in since:
            # Its news come first, with flags that have no \Seen yet.
            self.run(client, 'NOOP')

        def then(reply):
            for u in only if seen else ():
                view.box.store(u, view.box.messages[u].flags | {'\\Seen'})
        _, fetched, _ = self.run(
            client, f"{'UID ' if uid else ''}FETCH {text} "
            f"({' '.join(items)}){since}", still=not uid, then=then)
        self._check_fetched(client, only, items, fetched)

    def _check_fetched(self, client, uids, items, fetched):
        box = client.view.box
        for uid in uids:
            got = {}
            for u, pairs in fetched:
                if u == uid:
                    got |= pairs
            for item in items:
                self._check_item(client, box.messages[uid], item, got)

    def _check_item(self, client, m, item, got):
        name = item.replace('.PEEK', '').encode()
        if b'>' in name:
            name = re.sub(rb'\.\d+>', b'>', name)
        if name not in got:
            client.view.fail(f'FETCH of UID {m.uid} has no {item}')
        value, raw = got[name], m.letter.raw
        head, _, body = raw.partition(b'\r\n\r\n')
        want = {b'UID': str(m.uid).encode(), b'BODY[]': raw,
                b'RFC822.SIZE': str(len(raw)).encode(),
                b'BODY[HEADER]': head + b'\r\n\r\n',
                b'BODY[TEXT]': body}.get(name, value)
        if '<' in item:
            offset, size = map(int, re.findall(r'<(\d+)\.(\d+)>', item)[0])
            want = raw[offset:offset + size]
        if name == b'INTERNALDATE':
            value, want = audit.internal_date(value), m.date
        if name == b'EMAILID':
            m.emailid = want = m.emailid or value
        if value != want and (value or want):
            client.view.fail(f'UID {m.uid}: {item} is {value!r}, not {want!r}')

    # ---- APPEND, REPLACE

    def letter(self, plain=False):
        name = self.world.new_name(self.name)
        made = letters.Letter(letters.make(
            self.rng, name, list(self.world.letters.values())[-30:], plain))
        self.world.letters[name] = made
        return made

    def new_message(self):
        """Pieces of APPEND, and what will be there."""
        letter, flags = self.letter(), self.some_flags()
        date = letters.FIRST_DAY + self.rng.randrange(400 * letters.DAY)
        return ([f" ({' '.join(flags)}) {audit.date_text(date)} ", letter.raw],
                (letter, flags, date))

    def any_box(self):
        return self.world.boxes[self.rng.choice(sorted(self.world.boxes))]

    def some_box(self, client, rights):
        """One in which the client has these rights: there is always INBOX or
        what the guest has himself."""
        return self.world.boxes[self.rng.choice(sorted(
            name for name, box in self.world.boxes.items()
            if box.rights(client.person) >= set(rights)))]

    def append(self, client):
        box = self.any_box()
        pieces, new = [f'APPEND {client.box_name(box.name)}'], []
        for _ in range(self.rng.choice((1, 1, 1, 2, 5))):
            more, what = self.new_message()
            pieces += more
            new.append(what)
        if self.may(client, box, 'i', *pieces) and \
                self.fits(client, box, len(new), *pieces):
            self.run(client, *pieces,
                     then=lambda r: self.take_new(client, box, new, r))

    def take_new(self, client, box, new, reply):
        """Without flags that he may not set (RFC 4314 4); and who may not read
        there is not told their numbers (RFC 4315 3)."""
        rights = box.rights(client.person)
        uids = [box.add(letter, allowed(flags, rights), date)
                for letter, flags, date in new]
        want = f'{box.validity} {as_set(uids)}' if 'r' in rights else None
        if reply.code('APPENDUID') != want:
            raise Differs(f"{box.name}: APPENDUID {reply.code('APPENDUID')}, "
                          f'not {want}')

    def replace(self, client):
        view, uid = client.view, self.by_uid(client)
        if not view.uids or not view.writable:
            return
        place = self.rng.randrange(len(view.uids))
        old = view.uids[place]
        if old not in view.box.messages:
            return
        box = self.any_box()
        pieces, new = self.new_message()
        pieces[0] = (f"{'UID ' if uid else ''}REPLACE "
                     f'{old if uid else place + 1} '
                     f'{client.box_name(box.name)}{pieces[0]}')
        if not view.may('te'):
            self.run(client, *pieces, status='NO')
            return

        def then(reply):
            self.take_new(client, box, [new], reply)
            view.box.remove(old)
        more = 0 if box.owner is view.box.owner else 1
        if self.may(client, box, 'i', *pieces) and \
                self.fits(client, box, more, *pieces):
            self.run(client, *pieces, then=then)

    def catenate(self, client):
        """A header that is new with the text of a message that is there."""
        view, box = client.view, self.some_box(client, 'i')
        if not view.box.messages or not view.box.name.isascii():
            return
        m = view.box.messages[self.rng.choice(view.box.uids())]
        if self.is_limited(box) and self.left() <= 0:
            return
        first = self.letter(plain=True)
        head = first.raw.partition(b'\r\n\r\n')[0] + b'\r\n\r\n'
        whole = letters.Letter(
            head + m.letter.raw.partition(b'\r\n\r\n')[2])
        self.world.letters[first.id] = whole
        date = whole.sent or letters.FIRST_DAY
        self.run(client, f'APPEND {client.box_name(box.name)} (\\Seen) '
                 f'{audit.date_text(date)} CATENATE (TEXT ', head,
                 f' URL "/{client.person.sees(view.box.name)};UIDVALIDITY={view.box.validity}'
                 f'/;UID={m.uid}/;SECTION=TEXT")',
                 then=lambda r: self.take_new(
                     client, box, [(whole, ['\\Seen'], date)], r))

    # ---- COPY, MOVE, EXPUNGE

    def copy(self, client):
        view, uid = client.view, self.by_uid(client)
        text, uids = self.some(client, uid)
        if text is None:
            return
        move = self.rng.random() < .4
        verb = f"{'UID ' if uid else ''}{'MOVE' if move else 'COPY'} {text} "
        if move and not view.may('te'):
            self.run(client, verb + 'INBOX', status='NO')
            return
        if self.rng.random() < .05:
            reply, _, _ = self.run(client, verb + 'nowhere', status='NO')
            if reply.code('TRYCREATE') is None:
                view.fail(f'no [TRYCREATE]: {reply.text}')
            return
        box = self.any_box()
        inside = move and box.owner is view.box.owner
        command = verb + client.box_name(box.name)
        if not self.may(client, box, 'i', command) or not (
                inside or self.fits(client, box, len(uids), command)):
            return

        def then(reply):
            rights = box.rights(client.person)
            old = [view.box.messages[u] for u in uids]
            new = [box.add(m.letter, allowed(m.flags, rights), m.date,
                           m.emailid) for m in old]
            want = f'{box.validity} {as_set(uids)} {as_set(new)}' \
                if uids and 'r' in rights else None
            if reply.code('COPYUID') != want:
                view.fail(f"COPYUID {reply.code('COPYUID')}, not {want}")
            for u in uids if move else ():
                view.box.remove(u)
        self.run(client, command, then=then)

    def expunge(self, client):
        view = client.view
        command, text, uids = 'EXPUNGE', None, view.box.uids()
        if self.rng.random() < .5:
            text, uids = self.some(client, True)
            if text is None:
                return
            command = f'UID EXPUNGE {text}'
        if not view.may('e'):
            self.run(client, command, status='NO')
            return

        gone = [u for u in uids
                if '\\Deleted' in view.box.messages[u].flags]

        def then(reply):
            for u in gone:
                view.box.remove(u)
            highest = reply.code('HIGHESTMODSEQ')
            if highest:
                view.box.highest_is(int(highest))
            elif gone and client.kind.qresync:
                view.fail(f'EXPUNGE without HIGHESTMODSEQ: {reply.text}')
        self.run(client, command, then=then)
