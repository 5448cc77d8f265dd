"""What a user has, as it must be: folders, messages, flags, mod-sequences."""
from .rights import ALL
from .wire import Differs

SYSTEM = ('\\Answered', '\\Flagged', '\\Deleted', '\\Seen', '\\Draft')
KEYWORDS = ('$Forwarded', 'Junk', 'green', 'todo', 'Work')
FLAGS = SYSTEM + KEYWORDS


class Message:
    """modseq: None until somebody was told; then it is over `over`. emailid:
    None until then."""

    def __init__(self, uid, letter, flags, date, over, emailid=None):
        self.uid, self.letter, self.date = uid, letter, date
        self.flags = frozenset(flags)
        self.modseq, self.over = None, over
        self.emailid = emailid

    def __repr__(self):
        return f'{self.uid}{sorted(self.flags)}@{self.modseq}>{self.over}'


class Box:
    """One folder. `highest`: no mod-sequence that is known is over it. acl:
    {Person: rights} of others than its owner."""

    def __init__(self, name, owner, validity, next_uid, guid):
        self.owner, self.acl, self.note = owner, {}, None
        self.name, self.validity, self.next = name, validity, next_uid
        self.guid = guid
        self.messages = {}
        self.highest = 0
        self.renewed = 0  # mod-sequences up to this came with a new index
        self.gone = set()
        self.changes = 0  # counts them
        self.recent_of = {}  # UID: the session that was told it is \Recent
        self.recent_from = 0  # from this UID on

    def rights(self, person):
        return ALL if person is self.owner else \
            self.acl.get(person, frozenset())

    def uids(self):
        return sorted(self.messages)

    def add(self, letter, flags, date, emailid=None):
        uid = self.next
        self.next = uid + 1
        self.changes += 1
        self.messages[uid] = Message(uid, letter, flags, date, self.highest,
                                     emailid)
        return uid

    def remove(self, uid):
        del self.messages[uid]
        self.changes += 1
        self.gone.add(uid)

    def store(self, uid, flags):
        """Other flags: that takes a new mod-sequence. Were they others?"""
        m, flags = self.messages[uid], frozenset(flags)
        if m.flags == flags:
            return False
        m.flags, m.modseq, m.over = flags, None, self.highest
        self.changes += 1
        return True

    def modseq_is(self, uid, modseq):
        """Somebody was told."""
        m = self.messages[uid]
        if m.modseq is None:
            if modseq <= m.over:
                raise Differs(f'{self.name}: UID {uid} has changed and has '
                              f'mod-sequence {modseq}, not over {m.over}')
            m.modseq = modseq
        elif m.modseq != modseq:
            raise Differs(f'{self.name}: UID {uid} has mod-sequence {modseq}, '
                          f'it was {m.modseq} and nobody changed it')
        self.highest = max(self.highest, modseq)

    def highest_is(self, modseq):
        if modseq < self.highest:
            raise Differs(f'{self.name}: HIGHESTMODSEQ {modseq}, it was '
                          f'{self.highest}')
        self.highest = modseq

    def forget_modseqs(self):
        """The index is lost: all messages get new ones."""
        for m in self.messages.values():
            m.modseq, m.over = None, self.highest
        self.changes += 1

    def recent(self, uid, session):
        """Only one session is told so of a message (RFC 3501 2.3.2), if the
        index was not lost meanwhile."""
        if uid < self.recent_from:
            return
        first = self.recent_of.setdefault(uid, session)
        if first != session:
            raise Differs(f'{self.name}: UID {uid} is \\Recent for {session}, '
                          f'and was for {first}')


class World:
    """All that a user may see: his boxes and what others let him have."""

    def __init__(self):
        self.boxes = {}
        self.letters = {}  # by X-Model
        self.made = 0

    def parent(self, name):
        """The nearest folder above that there is, or None."""
        while '/' in name:
            name = name.rpartition('/')[0]
            if name in self.boxes:
                return self.boxes[name]
        return None

    def new_name(self, user):
        self.made += 1
        return f'{user}.{self.made}'

    def folders(self, person, with_status=False):
        """What LIST shows this one: name, and whether it can be selected, which
        with STATUS means that it may be (RFC 5819 2)."""
        out = {person.sees(name):
               not with_status or 'r' in box.rights(person)
               for name, box in self.boxes.items()
               if 'l' in box.rights(person)}
        for name in list(out):
            while '/' in name:
                name = name.rpartition('/')[0]
                out.setdefault(name, False)
        return out
