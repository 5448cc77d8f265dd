"""A connection that only listens (NOTIFY, RFC 5465): of all its user's
mailboxes it is told names, and numbers as STATUS has them."""
import time

from .client import Client, Kind
from .wire import Differs, parse

EVENTS = 'MessageNew MessageExpunge FlagChange MailboxName'
ITEMS = 'MESSAGES UIDNEXT UIDVALIDITY UNSEEN'
NO_MAILBOX = {b'\\NonExistent', b'\\Noselect'}


class Listener(Client):
    """names: those that can be selected; status: {name: {item: number}}. Both
    are what it was told, by names as it is shown them."""

    def __init__(self, name, port, person, transcript):
        super().__init__(name, Kind('listener', 'CONDSTORE'), port, person,
                         transcript)
        self.names, self.status = set(), {}

    def _connect(self):
        self.names, self.status = set(), {}
        super()._connect()
        self._must(f'NOTIFY SET (personal ({EVENTS}))')
        self.take(self.say(f'LIST "" * RETURN (STATUS ({ITEMS} '
                           'HIGHESTMODSEQ))').lines)

    def feed(self, lines, still, exact):
        self.take(lines)
        return [], []

    def take(self, lines):
        for line in lines:
            items = parse(line)
            if items[0] == b'STATUS':
                self._status(items[1].decode(), items[2])
            elif items[0] == b'LIST':
                self._list(items)
            else:
                raise Differs(f'{self.session} is told {line!r}')

    def _status(self, name, pairs):
        self.status.setdefault(name, {}).update(
            (k.decode(), int(v)) for k, v in zip(pairs[::2], pairs[1::2]))

    def _list(self, items):
        name, rest = items[3].decode(), sum(items[4:], [])
        more = dict(zip(rest[::2], rest[1::2]))
        if b'OLDNAME' in more:
            self._rename(more[b'OLDNAME'][0].decode(), name)
        if NO_MAILBOX & set(items[1]):
            self.names.discard(name)
            self.status.pop(name, None)
        else:
            self.names.add(name)

    def _rename(self, old, new):
        """With those below it (5.4)."""
        def now(name):
            return new + name[len(old):] \
                if name == old or name.startswith(old + '/') else name
        self.names = {now(n) for n in self.names}
        self.status = {now(n): s for n, s in self.status.items()}

    # ---- what it must have been told

    def wrong(self, world):
        """What it has not been told, or None."""
        boxes = {self.shown(self.person.sees(name)): box
                 for name, box in world.boxes.items()
                 if box.owner is self.person}
        names = {n for n in self.names if self.person.owns(n)}
        if names != set(boxes):
            return f'names {sorted(names)}, not {sorted(boxes)}'
        for name, box in boxes.items():
            if wrong := self._wrong_of(box, self.status.get(name, {})):
                return wrong
        return None

    def _wrong_of(self, box, told):
        flags = [m.flags for m in box.messages.values()]
        want = {'MESSAGES': len(flags), 'UIDNEXT': box.next,
                'UIDVALIDITY': box.validity,
                'UNSEEN': sum('\\Seen' not in f for f in flags)}
        for item, value in want.items():
            if told.get(item) != value:
                return f'{box.name}: {item} {told.get(item)}, not {value}'
        least = max([m.modseq or m.over + 1 for m in box.messages.values()])\
            if box.messages else 0
        if least <= box.renewed:
            return None  # other numbers alone are no news
        if told['HIGHESTMODSEQ'] < least:
            return (f'{box.name}: HIGHESTMODSEQ {told["HIGHESTMODSEQ"]}, it '
                    f'is at least {least}')
        return None

    def compare(self, world, seconds=120):
        """It comes in its own time."""
        end = time.monotonic() + seconds
        self.ask()
        while wrong := self.wrong(world):
            line = self.wire.response(max(0, end - time.monotonic()))
            if line is None:
                raise Differs(f'{self.session} has not been told: {wrong}')
            self.take([line[2:]])
            self.ask()

    def ask(self):
        """What there is in new mailboxes, of which only the names come."""
        while new := [n for n in sorted(self.names) if self.person.owns(n) and
                      'UNSEEN' not in self.status.get(n, {})]:
            reply = self.say(f'STATUS "{new[0]}" ({ITEMS} HIGHESTMODSEQ)')
            self.take(reply.lines)
            if reply.status != 'OK' and new[0] in self.names:
                return  # it has gone, which is still to be told
