"""What may have come of commands whose order nobody knows, or whose answer
never came, and whether what is there now can be that."""
import collections

from .world import FLAGS, KEYWORDS, Message
from .wire import Differs


class Add:
    """A message that must (sure) or may be new. options: flag -> values it may
    have; uid: where it was told; source: (box, UID) it was moved from; group:
    those that come together."""

    def __init__(self, box, letter, options, sure, uid=None, source=None,
                 group=None, date=None):
        self.box, self.letter, self.options = box, letter, options
        self.sure, self.uid, self.source = sure, uid, source
        self.group, self.date = group, date
        self.emailid = None
        self.found = None  # its UID

    def __repr__(self):
        return (f'<{self.letter.id} in {self.box} uid {self.uid} '
                f"{'sure' if self.sure else 'perhaps'}>")


class Pending:
    def __init__(self, world):
        self.world = world
        self.adds = []
        self.writes = collections.defaultdict(
            lambda: collections.defaultdict(list))
        self.may_go, self.must_go = set(), set()
        self.for_good = set()  # of those: not moved, but removed
        self.copies, self.expunges = [], []
        self.expunged_boxes = set()  # all that was \\Deleted was to go
        self.sure_boxes = set()      # and went
        self.lost = set()  # whose index went

    # ---- what was tried

    def write(self, who, box, uid, values, sure):
        """values: flag -> whether it is set."""
        self.writes[box, uid][who].append((values, sure))

    def add(self, box, letter, flags, sure, **kw):
        """flags: those it is stored with."""
        self.adds.append(Add(box, letter, {f: {f in flags} for f in FLAGS},
                             sure, **kw))

    def copy(self, box, uid, to, kept, sure, new=None, source=None):
        """A message that was there before: its flags were any of those that it
        may have had meanwhile; only some are `kept`."""
        m = self.world.boxes[box].messages[uid]
        a = Add(to, m.letter, None, sure, new, source, date=m.date)
        if sure:  # one that was cut short may be a message of its own
            a.emailid = m.emailid
        self.adds.append(a)
        self.copies.append((a, box, uid, kept))

    def expunge(self, box, uids):
        """Of those, what is \\Deleted."""
        self.expunges += [(box, uid) for uid in uids]

    def expunge_all(self, box, sure):
        self.expunged_boxes.add(box)
        if sure:
            self.sure_boxes.add(box)

    def close(self):
        """All has been said: what follows from several of them."""
        for a, box, uid, kept in self.copies:
            a.options = {f: self.ever(box, uid, f) if f in kept else {False}
                         for f in FLAGS}
        for box, uid in self.expunges:
            if True in self.ever(box, uid, '\\Deleted'):
                self.may_go.add((box, uid))
                self.for_good.add((box, uid))
        for box in self.sure_boxes:
            self.must_go |= {
                (box, uid) for uid in self.world.boxes[box].messages
                if self.ever(box, uid, '\\Deleted') == {True}}

    # ---- what may be now

    def options(self, box, uid, flag):
        """The values that a flag of an old message may have."""
        out, sure = set(), False
        for writes in self.writes[box, uid].values():
            mine = set()
            for values, certain in writes:
                if flag in values:
                    mine = {values[flag]} if certain else \
                        mine | {values[flag]}
                    sure |= certain
            out |= mine
        if not sure:
            out.add(flag in self.world.boxes[box].messages[uid].flags)
        return out

    def ever(self, box, uid, flag):
        """The values that it may have had at any time."""
        return {flag in self.world.boxes[box].messages[uid].flags} | {
            v[flag] for w in self.writes[box, uid].values() for v, _ in w
            if flag in v}

    def may_be_expunged(self, box, uid):
        return (box, uid) in self.may_go or (
            box in self.expunged_boxes and
            True in self.ever(box, uid, '\\Deleted'))

    # ---- comparing: found is {box: audit.Found}

    def settle(self, found):
        """Differs where it cannot be; else the model takes it over."""
        new = {name: self._box(name, there.messages)
               for name, there in found.items()}
        self._check_adds()
        self._check_moves(found)
        for name, messages in new.items():
            box = self.world.boxes[name]
            for uid in set(box.messages) - set(messages):
                box.remove(uid)
            box.messages = messages
            box.changes += 1
            box.next, box.highest = found[name].next, found[name].highest
            if box.owner in self.lost:
                box.recent_from = box.next
                box.renewed = box.highest

    def _box(self, name, there):
        box, messages = self.world.boxes[name], {}
        for uid, m in box.messages.items():
            if uid in there:
                messages[uid] = self._old(name, m, there[uid])
            elif (name, uid) not in self.must_go and \
                    not self.may_be_expunged(name, uid):
                raise Differs(f'{name}: UID {uid} ({m.letter.id}) is gone, and '
                              'nobody removed it')
        for a in self.adds:
            a.found = None if a.box == name else a.found
        for uid in sorted(set(there) - set(box.messages)):
            if uid in box.gone:
                raise Differs(f'{name}: UID {uid} was expunged and is there')
            if uid < box.next:
                raise Differs(f'{name}: UID {uid} is new and under UIDNEXT '
                              f'{box.next}')
            messages[uid] = self._new(name, uid, there[uid])
        return dict(sorted(messages.items()))

    def _old(self, name, m, seen):
        who = f'{name}: UID {m.uid}'
        if (name, m.uid) in self.must_go:
            raise Differs(f'{who} was removed and is there')
        if seen.letter is not m.letter:
            raise Differs(f'{who} was {m.letter.id} and is {seen.letter.id}')
        if seen.date != m.date:
            raise Differs(f'{who}: INTERNALDATE {seen.date}, it was {m.date}')
        for f in FLAGS:
            if (f in seen.flags) not in self.options(name, m.uid, f):
                raise Differs(
                    f'{who} has {sorted(seen.flags)}, it had '
                    f'{sorted(m.flags)}; {f} must be '
                    f'{self.options(name, m.uid, f)} after '
                    f'{dict(self.writes[name, m.uid])}')
        if m.modseq == seen.modseq and seen.flags == m.flags:
            return m
        touched = self.writes[name, m.uid] or \
            self.world.boxes[name].owner in self.lost
        if m.modseq and not touched:
            raise Differs(f'{who}: mod-sequence {seen.modseq}, it was '
                          f'{m.modseq} and nobody changed it')
        if seen.modseq <= (m.modseq or m.over):
            raise Differs(f'{who} has changed, its mod-sequence is '
                          f'{seen.modseq}, not over {m.modseq or m.over}')
        return self._message(m.uid, seen, m.emailid)

    def _message(self, uid, seen, emailid):
        m = Message(uid, seen.letter, seen.flags, seen.date, 0, emailid)
        m.modseq = seen.modseq
        return m

    def _new(self, name, uid, seen):
        box = self.world.boxes[name]
        fits = [a for a in self.adds
                if a.box == name and a.found is None and
                a.letter is seen.letter and a.uid in (uid, None) and
                all((f in seen.flags) in self._new_options(name, uid, a, f)
                    for f in FLAGS)]
        if not fits:
            raise Differs(f'{name}: where does UID {uid} come from, '
                          f'{seen.letter.id} {sorted(seen.flags)}? There were '
                          f'{[a for a in self.adds if a.box == name]}')
        best = min(fits, key=lambda a: (a.uid is None, not a.sure))
        best.found = uid
        if best.date is not None and best.date != seen.date:
            raise Differs(f'{name}: UID {uid}: INTERNALDATE {seen.date}, not '
                          f'{best.date}')
        if seen.modseq <= box.highest:
            raise Differs(f'{name}: UID {uid} is new, its mod-sequence '
                          f'{seen.modseq} is not over {box.highest}')
        return self._message(uid, seen, best.emailid)

    def _new_options(self, name, uid, a, flag):
        """Also new ones may have been changed already. A keyword that file
        names cannot say is written behind them."""
        cut = {False} if flag in KEYWORDS and not a.sure else set()
        return a.options[flag] | cut | {
            v[flag] for w in self.writes[name, uid].values() for v, _ in w
            if flag in v}

    def _check_adds(self):
        groups = collections.defaultdict(set)
        for a in self.adds:
            expunged = a.box in self.expunged_boxes and \
                True in a.options['\\Deleted']
            if a.sure and a.found is None and not expunged:
                raise Differs(f'{a} was acknowledged and is not there')
            if a.group and not expunged:
                groups[a.group].add(a.found is None)
        for group, states in groups.items():
            if len(states) > 1:
                raise Differs(f'of messages appended together, {group}, some '
                              'are there and some are not')

    def _check_moves(self, found):
        """What was moved is in one place: neither lost nor twice. Between two
        homes, which have no lock in common, it may be in several after a kill,
        or when two moved it at once (RFC 6851 3.3: it must be in one, should
        not be in two)."""
        sources = {a.source for a in self.adds if a.source}
        for box, uid in sources:
            adds = [a for a in self.adds if a.source == (box, uid)]
            there = [a for a in adds if a.found]
            homes = {self.world.boxes[x].owner
                     for x in [box] + [a.box for a in adds]}
            one, sure = len(homes) == 1, all(a.sure for a in adds)
            if uid in found[box].messages and there and (one or sure):
                raise Differs(f'{box}: UID {uid} was moved and is there: '
                              f'{there}')
            if len(there) > 1 and one:
                raise Differs(f'{box}: UID {uid} was moved twice: {there}')
            may_go = any(True in a.options['\\Deleted'] and
                         a.box in self.expunged_boxes | {box}
                         for a in adds) or (box, uid) in self.removable
            if uid not in found[box].messages and not there and not may_go:
                raise Differs(f'{box}: UID {uid} was moved and is nowhere')

    @property
    def removable(self):
        """Those that a command could have removed for good."""
        return self.for_good | {
            (b, u) for b, u in self.must_go | self.may_go
            if b in self.expunged_boxes and
            True in self.ever(b, u, '\\Deleted')}
