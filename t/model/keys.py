"""Random keys of SEARCH, and which messages they mean."""
import re
import time

from .letters import DAY, FIRST_DAY, PEOPLE, WORDS
from .wire import as_set
from .world import KEYWORDS, SYSTEM


def day(number):
    return time.strftime('%-d-%b-%Y', time.gmtime(number * DAY))


def string(text):
    """For a command: quoted where it is ASCII, else a literal."""
    return f'"{text}"' if text.isascii() else text.encode()


class Keys:
    """Makes keys for one client; each is a list of pieces of a command, and a
    function of (number, message)."""

    def __init__(self, rng, view, saved):
        self.rng, self.view, self.saved = rng, view, saved

    def key(self, depth=2):
        if depth and self.rng.random() < .3:
            return self._nested(depth)
        return self.rng.choice((
            self._flag, self._keyword, self._uid, self._sequence, self._all,
            self._date, self._sent, self._size, self._text, self._text,
            self._modseq, self._age, self._saved))()

    def anywhere(self):
        """One that means the same in every mailbox."""
        return self.rng.choice((
            self._flag, self._keyword, self._all, self._date, self._sent,
            self._size, self._text))()

    def _nested(self, depth):
        one, fits = self.key(depth - 1)
        other, fits_too = self.key(depth - 1)
        how = self.rng.randrange(3)
        if how == 0:
            return ['NOT ', *one], lambda n, m: not fits(n, m)
        if how == 1:
            return (['OR ', *one, ' ', *other],
                    lambda n, m: fits(n, m) or fits_too(n, m))
        return (['(', *one, ' ', *other, ')'],
                lambda n, m: fits(n, m) and fits_too(n, m))

    def _all(self):
        return ['ALL'], lambda n, m: True

    def _flag(self):
        flag = self.rng.choice(SYSTEM)
        name = flag[1:].upper()
        if self.rng.random() < .5:
            return [name], lambda n, m: flag in m.flags
        return ['UN' + name], lambda n, m: flag not in m.flags

    def _keyword(self):
        flag = self.rng.choice(KEYWORDS)
        if self.rng.random() < .5:
            return [f'KEYWORD {flag}'], lambda n, m: flag in m.flags
        return [f'UNKEYWORD {flag.upper()}'], lambda n, m: flag not in m.flags

    def some(self, values):
        values = list(values)
        if not values:
            return []
        first = self.rng.randrange(len(values))
        out = values[first:first + self.rng.randrange(1, 6)]
        return out + [v for v in values if self.rng.random() < .1]

    def _uid(self):
        uids = set(self.some(self.view.uids) +
                   [self.rng.randrange(1, self.view.box.next + 3)])
        return [f'UID {as_set(uids)}'], lambda n, m: m.uid in uids

    def _sequence(self):
        chosen = set(self.some(range(1, len(self.view.uids) + 1)))
        if not chosen or self.view.kind.uidonly:
            return self._all()
        return [as_set(chosen)], lambda n, m: n in chosen

    def _saved(self):
        if self.saved is None or self.view.kind.uidonly:
            return self._all()
        saved = set(self.saved)
        return ['$'], lambda n, m: m.uid in saved

    def _date(self):
        at = FIRST_DAY // DAY + self.rng.randrange(400)
        word, fits = self.rng.choice((
            ('BEFORE', lambda d: d < at), ('ON', lambda d: d == at),
            ('SINCE', lambda d: d >= at)))
        return [f'{word} {day(at)}'], lambda n, m: fits(m.date // DAY)

    def _sent(self):
        at = FIRST_DAY // DAY + self.rng.randrange(400)
        word, fits = self.rng.choice((
            ('SENTBEFORE', lambda d: d < at), ('SENTON', lambda d: d == at),
            ('SENTSINCE', lambda d: d >= at)))
        return ([f'{word} {day(at)}'], lambda n, m:
                m.letter.sent_day is not None and fits(m.letter.sent_day))

    def _size(self):
        size = self.rng.choice((100, 300, 500, 1000, 3000, 20000))
        if self.rng.random() < .5:
            return [f'LARGER {size}'], lambda n, m: m.letter.size > size
        return [f'SMALLER {size}'], lambda n, m: m.letter.size < size

    def _age(self):
        seconds, now = self.rng.randrange(1, 300) * DAY, time.time()
        if self.rng.random() < .5:
            return [f'OLDER {seconds}'], lambda n, m: now - m.date >= seconds
        return [f'YOUNGER {seconds}'], lambda n, m: now - m.date <= seconds

    def _modseq(self):
        """Where all are known."""
        known = [m.modseq for m in self.view.box.messages.values()]
        if not known or None in known or not self.view.kind.condstore:
            return self._flag()
        least = self.rng.choice(known) + self.rng.randrange(-1, 2)
        if least < 1:
            return self._flag()
        return [f'MODSEQ {least}'], lambda n, m: m.modseq >= least

    def _text(self):
        word, name = self.rng.choice(WORDS), self.rng.choice(PEOPLE)
        shown = self.rng.choice((str, str.lower, str.upper))(word) \
            if word.isascii() else word
        low = word.lower()
        how = self.rng.randrange(6)
        if how == 0:
            return (['SUBJECT ', string(shown)],
                    lambda n, m: low in m.letter.subject.lower())
        if how == 1:
            return ([f'FROM {name}'],
                    lambda n, m: name.lower() in m.letter.sender.lower())
        if how == 2:
            return (['BODY ', string(shown)],
                    lambda n, m: low in m.letter.body.lower())
        if how == 3:
            return (['HEADER SUBJECT ', string(shown)],
                    lambda n, m: m.letter.has_field('Subject', low))
        if how == 4:
            return (['HEADER In-Reply-To ""'],
                    lambda n, m: m.letter.has_field('In-Reply-To', ''))
        return (['TEXT ', string(shown)],
                lambda n, m: low in m.letter.text().lower())


# ---- SORT

def casemap(text):
    """RFC 5051, near enough for our words."""
    return ''.join(t if len(t := c.title()) == 1 else c
                   for c in text).encode()


def base_subject(text):
    while (cut := re.sub(r'^\s*(re|fwd?):\s*', '', text, flags=re.I)) != text:
        text = cut
    return text.strip()


def _address(letter):
    found = re.search(r'<([^@>]*)@', letter.sender)
    return casemap(found[1] if found else letter.sender.partition('@')[0])


SORT_KEYS = {
    'ARRIVAL': lambda n, m: m.date,
    'SIZE': lambda n, m: m.letter.size,
    'DATE': lambda n, m: m.letter.sent if m.letter.sent is not None
    else m.date,
    'SUBJECT': lambda n, m: casemap(base_subject(m.letter.subject)),
    'FROM': lambda n, m: _address(m.letter),
}


def in_order(found, keys):
    """(number, message) pairs by keys, (reverse, name) each."""
    out = sorted(found, key=lambda f: f[0])
    for reverse, name in reversed(keys):
        out.sort(key=lambda f: SORT_KEYS[name](*f), reverse=False)
        if reverse:  # those that are equal stay in order
            out = _reversed(out, SORT_KEYS[name])
    return out


def _reversed(out, key):
    groups = []
    for f in out:
        if groups and key(*groups[-1][0]) == key(*f):
            groups[-1].append(f)
        else:
            groups.append([f])
    return [f for g in reversed(groups) for f in g]
