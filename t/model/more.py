"""Searches in several mailboxes, and notes about mailboxes."""
from .keys import Keys
from .wire import Differs, numbers

NOTE = '/shared/comment'


class More:
    """Each a method that takes a client; what they use is in Steps."""

    # ---- ESEARCH (RFC 7377)

    def multisearch(self, client):
        """What the user may not read is passed over (2.2: `l` is not asked of
        what is named), what has nothing that fits is not told of. In the
        selected mailbox there is what the client has been told of."""
        pieces, fits = Keys(self.rng, None, []).anywhere()
        boxes = [b for b in self.world.boxes.values()
                 if b.owner is client.person]
        where = 'personal'
        if self.rng.random() < .6:
            boxes = self.rng.sample(list(self.world.boxes.values()),
                                    self.rng.randrange(1, 5))
            names = ' '.join(client.box_name(b.name) for b in boxes)
            where = f'mailboxes ({names})'
        known = {b: b.uids() for b in boxes}
        if client.view:
            known[client.view.box] = list(client.view.uids)
        charset = 'CHARSET UTF-8 ' if any(
            isinstance(p, bytes) for p in pieces) else ''
        _, _, others = self.run(
            client, f'ESEARCH IN ({where}) RETURN (ALL COUNT) {charset}',
            *pieces, still=None)
        want = {}
        for b in boxes:
            hits = [u for u in known[b]
                    if u in b.messages and fits(0, b.messages[u])]
            if hits and 'r' in b.rights(client.person):
                shown = client.shown(client.person.sees(b.name))
                want[shown, b.validity] = hits
        told = dict(self._found(client, o) for o in others
                    if o[0] == b'ESEARCH')
        if {k: v for k, v in told.items() if v} != want:
            raise Differs(f'{client.session}: ESEARCH found {told}, not {want}')

    def _found(self, client, response):
        """((name, UIDVALIDITY), UIDs)"""
        about = dict(zip(response[1][::2], response[1][1::2]))
        told = dict(zip(response[3::2], response[4::2]))
        uids = numbers(told.get(b'ALL', b''))
        if response[2] != b'UID' or int(told[b'COUNT']) != len(uids):
            raise Differs(f'{client.session}: {response}')
        return ((about[b'MAILBOX'].decode(), int(about[b'UIDVALIDITY'])), uids)

    # ---- METADATA (RFC 5464), of which all know

    def note(self, client):
        box = self.any_box()
        name, has = client.box_name(box.name), box.rights(client.person)
        value = self.rng.choice((None, 'x', 'Größe', 'two\r\nlines'))
        change = self.rng.random() < .5
        pieces = [f'GETMETADATA {name} {NOTE}']
        if change:
            pieces = [f'SETMETADATA {name} ({NOTE} ',
                      'NIL' if value is None else value.encode(), ')']
        if not self.may(client, box, 'l', *pieces):
            return
        if not has & set('rswip'):
            self.run(client, *pieces, status='NO')
            return

        def then(reply):
            if change:
                box.note = value and value.encode()
        _, _, others = self.run(client, *pieces, then=then)
        told = [o for o in others if o[0] == b'METADATA']
        if not change and [o[2] for o in told] != [
                [NOTE.encode(), box.note]]:
            raise Differs(f'{client.session}: {told}, not {box.note}')
