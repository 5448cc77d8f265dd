"""What one client knows of the mailbox it has selected, by what it was told."""
from .wire import Differs, numbers


class View:
    """uids: by sequence number, None where it has not been told. flags, modseq:
    by UID, as told last. uidonly, qresync, condstore: what was enabled."""

    def __init__(self, box, kind, person, writable, session):
        self.box, self.kind, self.person = box, kind, person
        self.writable, self.session = writable, session
        self.uids = []
        self.flags, self.modseq = {}, {}
        self.recent = None
        self.started = False  # EXISTS of SELECT has come
        self.highest = None   # up to which it has been told of everything
        self.told = None      # box.changes when it knew all

    @property
    def rights(self):
        return self.box.rights(self.person)

    def may(self, rights):
        """To change something takes these."""
        return self.writable and self.rights >= set(rights)

    def fail(self, text):
        raise Differs(f'{self.session} in {self.box.name}: {text}')

    # ---- untagged responses; `still`: numbers must not move now

    def exists(self, count):
        if self.started and count < len(self.uids):
            self.fail(f'EXISTS went down from {len(self.uids)} to {count}')
        self.started = True
        self.uids += [None] * (count - len(self.uids))

    def expunge(self, seq, still):
        if still:
            self.fail(f'EXPUNGE {seq} while numbers must stand still')
        if self.kind.qresync or self.kind.uidonly:
            self.fail('EXPUNGE where VANISHED was enabled')
        if not 0 < seq <= len(self.uids):
            self.fail(f'EXPUNGE of {seq}, there are {len(self.uids)}')
        self._forget(self.uids.pop(seq - 1))

    def vanished(self, uids, still):
        if still and not self.kind.uidonly:
            self.fail(f'VANISHED {uids} while numbers must stand still')
        if not self.kind.qresync and not self.kind.uidonly:
            self.fail('VANISHED where it was not enabled')
        for uid in uids:
            if uid in self.uids:
                self.uids.remove(uid)
            elif self.uids and self.uids[-1] is None and \
                    uid > max([u for u in self.uids if u] or [0]):
                self.uids.pop()
            else:
                self.fail(f'VANISHED of {uid}, which it does not have')
            self._forget(uid)

    def earlier(self, uids):
        """VANISHED (EARLIER): numbers do not change."""
        for uid in uids:
            if uid in self.uids or uid in self.box.messages:
                self.fail(f'VANISHED (EARLIER) of {uid}, which is there')

    def _forget(self, uid):
        self.flags.pop(uid, None)
        self.modseq.pop(uid, None)

    def fetch(self, number, items, by_uid, exact):
        """One FETCH or UIDFETCH response; its UID. exact: nobody else works, so
        it must be as the model has it."""
        uid = self._uid_of(number, items, by_uid)
        message = self.box.messages.get(uid)
        if exact and uid is not None and message is None:
            self.fail(f'FETCH of UID {uid}, which is gone')
        if b'FLAGS' in items:
            self._flags(uid, items[b'FLAGS'], b'MODSEQ' in items,
                        message if exact else None)
        if b'MODSEQ' in items:
            self._modseq(uid, int(items[b'MODSEQ'][0]), exact)
        return uid

    def _uid_of(self, number, items, by_uid):
        if by_uid != self.kind.uidonly:
            self.fail('UIDFETCH and FETCH are mixed up')
        if by_uid:
            if b'UID' in items:
                self.fail('UIDFETCH has an item UID')
            if number not in self.uids and (
                    None not in self.uids or number in self.box.gone):
                self.fail(f'UIDFETCH of {number}, which it does not have')
            return number
        if not 0 < number <= len(self.uids):
            self.fail(f'FETCH of {number}, there are {len(self.uids)}')
        known = self.uids[number - 1]
        if b'UID' in items:
            uid = int(items[b'UID'])
            if known not in (None, uid):
                self.fail(f'{number} is UID {uid}, it was {known}')
            self.uids[number - 1] = uid
            order = [u for u in self.uids if u]
            if order != sorted(set(order)):
                self.fail(f'UIDs do not ascend: {self.uids}')
            return uid
        return known

    def _flags(self, uid, flags, with_modseq, message):
        flags = {f.decode() for f in flags}
        if '\\Recent' in flags:
            if self.kind.rev2:
                self.fail('\\Recent in IMAP4rev2')
            if uid and self.writable:
                self.box.recent(uid, self.session)
            flags.discard('\\Recent')
        if self.kind.condstore and not with_modseq:
            self.fail(f'FLAGS of UID {uid} without MODSEQ')
        if message and message.flags != flags:
            self.fail(f'UID {uid} has {sorted(flags)}, not '
                      f'{sorted(message.flags)}')
        if uid:
            self.flags[uid] = frozenset(flags)

    def _modseq(self, uid, modseq, exact):
        if not self.kind.condstore:
            self.fail('MODSEQ where it was not enabled')
        if uid is None:
            return
        if modseq < self.modseq.get(uid, 0):
            self.fail(f'the mod-sequence of UID {uid} went from '
                      f'{self.modseq[uid]} to {modseq}')
        self.modseq[uid] = modseq
        if exact:
            self.box.modseq_is(uid, modseq)

    def response(self, items, still, exact):
        """An untagged response, parsed, if it speaks of the mailbox; what FETCH
        said, as UID and items."""
        name = items[1] if len(items) > 1 else None
        if items[0] == b'VANISHED':
            if items[1] == [b'EARLIER']:
                self.earlier(numbers(items[2]))
            else:
                self.vanished(numbers(items[1]), still)
        elif name == b'EXISTS':
            self.exists(int(items[0]))
        elif name == b'RECENT':
            if self.kind.rev2:
                self.fail('RECENT in IMAP4rev2')
            if int(items[0]) > len(self.uids):
                self.fail(f'RECENT {items[0]} of {len(self.uids)}')
        elif name == b'EXPUNGE':
            self.expunge(int(items[0]), still)
        elif name in (b'FETCH', b'UIDFETCH'):
            pairs = dict(zip(items[2][::2], items[2][1::2]))
            uid = self.fetch(int(items[0]), pairs, name == b'UIDFETCH', exact)
            return uid, pairs
        return None

    # ---- at rest

    def behind(self):
        """Is there anything that it has not been told?"""
        return self.told != self.box.changes

    def expected(self, still):
        """The UIDs it must have when all was told it may be told."""
        known = [u for u in self.uids if u]
        now = self.box.uids()
        if still and not self.kind.uidonly:
            return sorted(set(now) | set(known) & self.box.gone)
        return now

    def compare(self, still):
        """Nobody works, and the command was answered: it knows all."""
        if still is None:
            still = any(u in self.box.gone for u in self.uids)
        want = self.expected(still)
        if len(want) != len(self.uids) or \
                any(u not in (None, w) for u, w in zip(self.uids, want)):
            self.fail(f'it has {self.uids}, not {want}')
        self.uids = want
        if not still or self.uids == self.box.uids():
            self.told = self.box.changes
        for uid, flags in self.flags.items():
            m = self.box.messages.get(uid)
            if m and flags != m.flags:
                self.fail(f'it was not told that UID {uid} has '
                          f'{sorted(m.flags)} instead of {sorted(flags)}')
            if m and m.modseq and self.modseq.get(uid, m.modseq) != m.modseq:
                self.fail(f'it was not told that UID {uid} has mod-sequence '
                          f'{m.modseq}, not {self.modseq[uid]}')
