"""SEARCH, SORT and THREAD: what they find must be what the model finds."""
from .keys import SORT_KEYS, Keys, in_order
from .threads import METHODS
from .wire import numbers


class Searches:
    """Each a method that takes a client; what they use is in Steps."""

    def found(self, client, fits):
        """(number, message) of those that a key means."""
        box = client.view.box
        return [(n, box.messages[u])
                for n, u in enumerate(client.view.uids, 1)
                if u in box.messages and fits(n, box.messages[u])]

    def search(self, client):
        view, uid = client.view, self.by_uid(client)
        pieces, fits = Keys(self.rng, view, client.saved).key()
        if uid is False and client.kind.uidonly:
            return
        options = self.rng.choice((None, None, '', 'ALL', 'COUNT', 'MIN MAX',
                                   'MIN', 'SAVE', 'ALL SAVE COUNT',
                                   'MIN MAX ALL COUNT', 'PARTIAL 1:3',
                                   'PARTIAL -1:-2 COUNT'))
        returns = '' if options is None else f'RETURN ({options}) '
        charset = 'CHARSET UTF-8 ' if any(
            isinstance(p, bytes) for p in pieces) else ''
        found = self.found(client, fits)
        reply, _, others = self.run(
            client, f"{'UID ' if uid else ''}SEARCH {returns}{charset}",
            *pieces, still=not uid)
        got = [o for o in others if o[0] in (b'SEARCH', b'ESEARCH')]
        hits = [m.uid if uid else n for n, m in found]
        if options and 'SAVE' in options:
            client.saved = [m.uid for _, m in found]
        if options == 'SAVE':
            if got:
                view.fail(f'SAVE alone was answered: {got}')
            return
        if len(got) != 1:
            view.fail(f'SEARCH was answered {others}')
        extended = options is not None or client.kind.rev2
        self._check_found(client, got[0], hits, extended,
                          (options or 'ALL').split(), uid)

    def _check_found(self, client, got, hits, extended, options, uid):
        view = client.view
        if not extended:
            told = [int(x) for x in got[1:] if isinstance(x, bytes)]
            if got[0] != b'SEARCH' or told != hits:
                view.fail(f'SEARCH found {told}, not {hits}')
            return
        if got[0] != b'ESEARCH' or (b'UID' in got) != uid:
            view.fail(f'not the ESEARCH that was due: {got}')
        rest = got[3 if uid else 2:]
        told = dict(zip(rest[::2], rest[1::2]))
        want = {}
        if 'MIN' in options and hits:
            want[b'MIN'] = hits[0]
        if 'MAX' in options and hits:
            want[b'MAX'] = hits[-1]
        if 'COUNT' in options:
            want[b'COUNT'] = len(hits)
        if 'ALL' in options and hits:
            want[b'ALL'] = hits
        if 'PARTIAL' in options:
            want[b'PARTIAL'] = hits[:3] if '1:3' in options else hits[-2:]
        for key, value in want.items():
            if key == b'PARTIAL':
                mine = numbers(told[key][1] or b'') if key in told else None
            elif key == b'ALL':
                mine = numbers(told.get(key, b''))
            else:
                mine = int(told.get(key, b'-1'))
            if mine != value:
                view.fail(f'SEARCH: {key} is {mine}, not {value}')
        if set(told) - {b'MODSEQ'} != set(want):
            view.fail(f'SEARCH told {told}, not {want}')

    def sort(self, client):
        view, uid = client.view, self.by_uid(client)
        pieces, fits = Keys(self.rng, view, client.saved).key(1)
        keys = [(self.rng.random() < .3, k)
                for k in self.rng.sample(sorted(SORT_KEYS), 2)]
        text = ' '.join(('REVERSE ' if r else '') + k for r, k in keys)
        hits = in_order(self.found(client, fits), keys)
        _, _, others = self.run(
            client, f"{'UID ' if uid else ''}SORT ({text}) UTF-8 ", *pieces,
            still=not uid)
        sort, = (o for o in others if o[0] == b'SORT')
        told = [int(x) for x in sort[1:] if isinstance(x, bytes)]
        want = [m.uid if uid else n for n, m in hits]
        if told != want:
            view.fail(f'SORT: {told}, not {want}')

    def thread(self, client):
        view, uid = client.view, self.by_uid(client)
        pieces, fits = Keys(self.rng, view, client.saved).key(1)
        how = self.rng.choice(sorted(METHODS))
        found = self.found(client, fits)
        _, _, others = self.run(
            client, f"{'UID ' if uid else ''}THREAD {how} UTF-8 ", *pieces,
            still=not uid)

        def tree(items):
            return [tree(x) if isinstance(x, list) else int(x) for x in items]
        thread, = (o for o in others if o[0] == b'THREAD')
        want = [n.shown() for n in METHODS[how](
            [(m.uid if uid else n, m) for n, m in found])]
        if tree(thread[1:]) != want:
            view.fail(f'THREAD {how}: {tree(thread[1:])}, not {want}')
