"""All connections of a user send several commands at once; now and then what
serves them is killed meanwhile."""
import signal
import threading
import time

from .beside import Beside
from .pending import Pending
from .rights import allowed
from .wire import Closed, Differs, as_set, numbers
from .world import FLAGS


class Op:
    """A command of a burst. finish(reply, fetched) tells `pending` what may
    have come of it; reply is None where there was no answer."""

    def __init__(self, pieces, still, finish):
        self.pieces, self.still, self.finish = pieces, still, finish


class Bursts(Beside):
    KINDS = (('store', 30), ('fetch', 14), ('append', 12), ('copy', 12),
             ('expunge', 8), ('replace', 3), ('search', 6), ('noop', 8),
             ('status', 3))

    def burst(self, kill=None, barrier=None):
        """kill: what to kill among what all users have in common, while all of
        them are in a burst (barrier)."""
        for c in self.clients:
            if c.idling:
                self.done(c)
            if c.barred:
                self.see_barred(c)
            if c.view is None and self.rng.random() < .8:
                self.select(c)
        self.did['bursts'] += 1
        pid = None
        if barrier:
            barrier.wait()
        elif self.shared.kills and self.rng.random() < .3:
            pid = self.pid(self.rng.choice(self.people))
        pending = Pending(self.world)
        killed = barrier is not None or pid is not None
        self.noted = self.noted and not killed
        sent = [(c, self._send(c, pending)) for c in self.clients]
        killer = threading.Thread(target=self._kill, args=(
            kill, pid, self.rng.uniform(0, .03)))
        killer.start()
        beside = [] if barrier else self.begin_beside()
        lost = None
        if not killed and self.rng.random() < .1:
            lost = self.rng.choice(self.people)
            time.sleep(self.rng.uniform(0, .03))
            self.take_index_away(lost, self.rng)
        # What only a removed index knows finds files by their names.
        while not lost and self.rng.random() < .3:
            self.change_file(pending)
        for c, ops in sent:
            self._collect(c, ops, pending, killed, lost)
        killer.join()
        if barrier:
            barrier.wait()
        self.end_beside(beside, pending)
        if killed:
            self.recover()
        if lost:
            self.see_index_gone(lost, pending)
        pending.close()
        self.adopt(pending, 60)

    def _kill(self, kill, pid, after):
        time.sleep(after)
        if kill:
            kill()
        elif pid:
            self.posta.kill(pid, signal.SIGKILL)
            self.did['kills'] += 1

    def _send(self, client, pending):
        """Send some commands; those, with their tags."""
        ops, data, moved = [], b'', False
        for _ in range(self.rng.choice((1, 1, 2, 3, 6))):
            name, = self.rng.choices([k for k, _ in self.KINDS],
                                     [w for _, w in self.KINDS])
            op = getattr(self, 'burst_' + name)(
                client, pending, moved or self.by_uid(client))
            if op is None:
                continue
            tag, more = client.pack(*op.pieces)
            self.transcript.commands += 1
            ops.append((tag, op))
            data += more
            moved = moved or not op.still
        try:
            client.wire.send(data)
        except Closed:
            pass  # it is seen when the answers are read
        return ops

    def _collect(self, client, ops, pending, killed, lost):
        """lost: whose index was taken away; what was at work then may fail."""
        for tag, op in ops:
            reply, fetched = None, []
            try:
                if client.wire:
                    reply = client.collect(tag)
                    fetched = client.feed(reply.lines, op.still, False)[0]
            except Closed:
                if not killed:
                    raise
                client.drop()
            if lost and reply and reply.status == 'NO' and \
                    reply.code('UNAVAILABLE') is not None:
                reply = None
            if not (self.limit and reply and reply.status == 'NO' and
                    reply.code('OVERQUOTA') is not None):
                op.finish(reply, fetched)

    def answered(self, client, reply):
        """Was it done for sure?"""
        if reply is not None and reply.status != 'OK':
            raise Differs(f'{client.session}: {reply.status} {reply.text}')
        return reply is not None

    def chosen(self, client, uid):
        """The text of a set and the UIDs that it means."""
        view = client.view
        if view is None or not view.uids:
            return None, []
        first = self.rng.randrange(len(view.uids))
        places = range(first, min(first + self.rng.choice((1, 1, 2, 4, 30)),
                                  len(view.uids)))
        uids = [view.uids[i] for i in places]
        text = as_set(uids if uid else [i + 1 for i in places])
        return ('UID ' if uid else '', text), \
            [u for u in uids if u in view.box.messages]

    # ---- commands

    def burst_store(self, client, pending, uid):
        text, uids = self.chosen(client, uid)
        view, flags = client.view, self.some_flags()
        if text is None or not view.writable or \
                not allowed(flags, view.rights):
            return None
        before, how = list(view.uids), self.rng.choice(('+', '-', ''))
        silent = self.rng.choice(('', '.SILENT'))
        condition = ''
        if client.kind.condstore and view.box.highest and \
                self.rng.random() < .3:
            condition = f'(UNCHANGEDSINCE {view.box.highest}) '
        values = {f: how != '-' if how else f in flags for f in
                  allowed(flags if how else FLAGS, view.rights)}

        def finish(reply, fetched):
            sure = self.answered(client, reply)
            failed = numbers((reply and reply.code('MODIFIED') or '').encode())
            if not uid:
                failed = [before[n - 1] for n in failed]
            for u in set(uids) - set(failed):
                pending.write(client.name, view.box.name, u, values, sure)
                if silent:  # others may have changed it, too
                    view.flags.pop(u, None)
        return Op([f'{text[0]}STORE {text[1]} {condition}{how}FLAGS{silent} '
                   f"({' '.join(flags)})"], not uid, finish)

    def burst_fetch(self, client, pending, uid):
        text, uids = self.chosen(client, uid)
        if text is None:
            return None
        view = client.view
        item = self.rng.choice(('BODY[]', 'BODY.PEEK[]', 'FLAGS'))

        def finish(reply, fetched):
            self.answered(client, reply)
            told = set()
            for u, items in fetched:
                m = view.box.messages.get(u)
                if b'BODY[]' in items and m:
                    told.add(u)
                    if items[b'BODY[]'] != m.letter.raw:
                        view.fail(f'UID {u} is another message')
            for u in uids if view.may('s') and item == 'BODY[]' else ():
                pending.write(client.name, view.box.name, u, {'\\Seen': True},
                              u in told)
        return Op([f'{text[0]}FETCH {text[1]} (UID {item})'
                   if not client.kind.uidonly else
                   f'{text[0]}FETCH {text[1]} ({item})'], not uid, finish)

    def burst_append(self, client, pending, uid):
        box, new = self.some_box(client, 'ir'), []
        pieces = [f'APPEND {client.box_name(box.name)}']
        for _ in range(self.rng.choice((1, 1, 2, 4))):
            more, what = self.new_message()
            pieces += more
            new.append(what)

        rights = box.rights(client.person)

        def finish(reply, fetched):
            sure = self.answered(client, reply)
            uids = numbers(reply.code('APPENDUID').split()[1].encode()) \
                if sure else [None] * len(new)
            if len(uids) != len(new):
                raise Differs(f'{client.session}: APPENDUID {uids}')
            for u, (letter, flags, date) in zip(uids, new):
                pending.add(box.name, letter, allowed(flags, rights), sure,
                            uid=u, date=date,
                            group=new[0][0].id if len(new) > 1 else None)
        return Op(pieces, False, finish)

    def burst_copy(self, client, pending, uid):
        text, uids = self.chosen(client, uid)
        if text is None:
            return None
        view, box = client.view, self.some_box(client, 'ir')
        move = view.may('te') and self.rng.random() < .5
        kept = allowed(FLAGS, box.rights(client.person))

        def finish(reply, fetched):
            name = view.box.name
            if self.answered(client, reply):
                code = reply.code('COPYUID')
                _, old, new = code.split() if code else ('', '', '')
                pairs = list(zip(numbers(old.encode()), numbers(new.encode())))
                if set(u for u, _ in pairs) - set(uids):
                    view.fail(f'COPYUID {code} of others than {uids}')
            else:
                pairs = [(u, None) for u in uids]
            for u, to in pairs:
                pending.copy(name, u, box.name, kept, reply is not None,
                             to, (name, u) if move else None)
                if move:
                    (pending.must_go if reply else pending.may_go).add(
                        (name, u))
        return Op([f"{text[0]}{'MOVE' if move else 'COPY'} {text[1]} "
                   f'{client.box_name(box.name)}'], False, finish)

    def burst_expunge(self, client, pending, uid):
        if client.view is None or not client.view.may('e'):
            return None
        name = client.view.box.name
        if self.rng.random() < .5:
            text, uids = self.chosen(client, True)
            if text is None:
                return None

            def finish(reply, fetched):
                self.answered(client, reply)
                pending.expunge(name, uids)
            return Op([f'UID EXPUNGE {text[1]}'], False, finish)

        def finish_all(reply, fetched):
            pending.expunge_all(name, self.answered(client, reply))
        return Op(['EXPUNGE'], False, finish_all)

    def burst_replace(self, client, pending, uid):
        text, uids = self.chosen(client, True)
        if not uids or not client.view.may('te'):
            return None
        box, name, old = self.some_box(client, 'ir'), client.view.box.name, \
            uids[0]
        pieces, (letter, flags, date) = self.new_message()
        flags = allowed(flags, box.rights(client.person))

        def finish(reply, fetched):
            if reply is not None and reply.status == 'NO' and \
                    reply.text.startswith(('[NONEXISTENT]',
                                           '[EXPUNGEISSUED]')):
                return
            sure = self.answered(client, reply)
            new = int(reply.code('APPENDUID').split()[1]) if sure else None
            pending.add(box.name, letter, flags, sure, uid=new, date=date)
            pending.for_good.add((name, old))
            (pending.must_go if sure else pending.may_go).add((name, old))
        return Op([f'UID REPLACE {old} {client.box_name(box.name)}', *pieces],
                  False, finish)

    def burst_search(self, client, pending, uid):
        view = client.view
        if view is None or uid is False and client.kind.uidonly:
            return None

        def finish(reply, fetched):
            self.answered(client, reply)
        return Op([f"{'UID ' if uid else ''}SEARCH NOT DELETED"], not uid,
                  finish)

    def burst_noop(self, client, pending, uid):
        return Op(['NOOP'], False,
                  lambda reply, fetched: self.answered(client, reply))

    def burst_status(self, client, pending, uid):
        name = client.box_name(self.some_box(client, 'r').name)
        return Op([f'STATUS {name} (MESSAGES SIZE)'], False,
                  lambda reply, fetched: self.answered(client, reply))
