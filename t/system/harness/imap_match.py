"""Is an IMAP response what an RFC's example shows?

Compared is what means something: no text for humans, no case, no quotes that
are not needed, and no order where an order means nothing (flags, items of FETCH
and STATUS, capabilities). See examples.py for <n>, <id>, <*>.
"""
import re

STATUS = re.compile(r'(\S+) (OK|NO|BAD|BYE|PREAUTH)(?: (.*))?$', re.S | re.I)
HOLES = {'<n>': r'\d+', '<any>': r'.*', '<id>': r'[\w-]+', '<*>': r'.*'}
# Said by us where an RFC that is older does not say it.
MORE = {'\\hasnochildren', '\\haschildren', '\\recent'}


class End(Exception):
    pass


def _atom(text, at):
    """An atom; brackets in it hold anything."""
    depth, start = 0, at
    while at < len(text):
        c = text[at]
        if c == '[':
            depth += 1
        elif c == ']':
            depth -= 1
        elif depth <= 0 and c in ' ()\r\n':
            break
        at += 1
    return text[start:at], at


def _string(text, at):
    out = []
    while (c := text[at]) != '"':
        at += c == '\\'
        out.append(text[at])
        at += 1
    return ''.join(out), at + 1


def _list(text, at, close):
    """The values up to a parenthesis, or the end: texts and lists."""
    values = []
    while at < len(text):
        c = text[at]
        literal = re.match(r'~?\{(\d+|<n>)\}\r\n', text[at:])
        if c == ')' and close:
            return values, at + 1
        if c in ' \r\n)':
            at += 1
        elif c == '(':
            inner, at = _list(text, at + 1, True)
            values.append(inner)
        elif c == '"':
            value, at = _string(text, at + 1)
            values.append(value)
        elif literal:
            at += literal.end()
            if literal[1] == '<n>':
                raise End(text[at:])
            values.append(text[at:at + int(literal[1])])
            at += int(literal[1])
        else:
            value, at = _atom(text, at)
            values.append(value)
    return values, at


def parse(text):
    return _list(text, 0, False)[0]


def _text(value):
    if isinstance(value, list):
        return '(' + ' '.join(map(_text, value)) + ')'
    return value


def _hole(want, got):
    parts = re.split(r'(<n>|<id>|<any>|<\*>)', want)
    pattern = ''.join(HOLES.get(p) or re.escape(p.lower()) for p in parts)
    return re.fullmatch(pattern, got.lower(), re.S)


def _same(want, got):
    if isinstance(want, str):
        return _hole(want, _text(got))
    if not isinstance(got, list):
        return False
    if want and want[-1] == '<*>':
        want, got = want[:-1], got[:len(want) - 1]
    return len(want) == len(got) and all(map(_same, want, got))


def _set(want, got, more=frozenset()):
    """In any order; ours may have `more`."""
    if not isinstance(got, list):
        return False
    if want == ['<*>']:
        return True
    wanted = {_text(w).lower() for w in want}
    have = {_text(g).lower() for g in got}
    return wanted - {'<*>'} <= have and \
        ('<*>' in wanted or have - wanted <= more)


def _pairs(want, got):
    """NAME value NAME value."""
    if not isinstance(got, list) or len(got) % 2:
        return False
    more = want[-1:] == ['<*>']
    want = want[:-1] if more else want
    have = {_text(k).lower(): v for k, v in zip(got[::2], got[1::2])}
    names = {_text(k).lower() for k in want[::2]}
    return len(want) % 2 == 0 and names <= have.keys() and \
        (more or names == have.keys()) and all(
            _set(v, have[k.lower()], MORE) if k.lower() == 'flags'
            else _same(v, have[k.lower()]) for k, v in zip(want[::2], want[1::2]))


def _search(want, got):
    """ESEARCH: the correlator, UID, then pairs."""
    def split(values):
        head = [v for v in values[:2] if isinstance(v, list) or
                v.lower() == 'uid']
        return head, values[len(head):]
    (a, b), (c, d) = split(want), split(got)
    return _same(a, c) and _pairs(b, d)


def _data(want, got):
    want, got = parse(want), parse(got)
    names = [str(w).lower() for w in want[1:3]]
    if len(got) < 2 or not _hole(_text(want[1]), _text(got[1])):
        return False
    if names[0] == 'capability':
        return _set(want[2:] + ['<*>'], got[2:])
    if names[0] == 'flags':
        return _set(want[2], got[2], MORE)
    if names[0] == 'enabled':
        return _set(want[2:], got[2:])
    if names[0] in ('list', 'lsub') and len(want) >= 5:
        return len(got) >= 5 and _set(want[2], got[2], MORE) and \
            _same(want[3:], got[3:])
    if names[0] == 'status':
        return _same(want[2], got[2]) and _pairs(want[3], got[3])
    if names[0] == 'metadata' and isinstance(want[3], list):
        return _same(want[2], got[2]) and _pairs(want[3], got[3])
    if names[0] == 'esearch':
        return _search(want[2:], got[2:])
    if names[-1] in ('fetch', 'uidfetch'):
        return len(got) == 4 and _same(want[1:3], got[1:3]) and \
            _pairs(want[3], got[3])
    return _same(want, got)


def _code(text):
    """[CODE ...] at the beginning of a text, or nothing."""
    return re.match(r'\[(.*?\)?)\](?: |$)', text or '', re.S)


def _status(want, got):
    if (want[1].lower(), want[2].upper()) != (got[1].lower(), got[2].upper()):
        return False
    code, ours = _code(want[3]), _code(got[3])
    if not code:
        return True
    if not ours:
        return False
    code, ours = parse(code[1]), parse(ours[1])
    if code[0].lower() in ('capability', 'permanentflags', 'badcharset'):
        return _set(code[1:] + ['<*>'], ours[1:]) if code[0].lower() == \
            'capability' else _set(code[1], ours[1], MORE)
    return _same(code, ours)


def matches_pop3(want, got):
    """A line of POP3: of +OK and -ERR what is no text for humans."""
    word, _, rest = want.partition(' ')
    if word not in ('+OK', '-ERR'):
        return bool(_hole(want, got))
    if not rest or not all(re.fullmatch(r'\d+|<\w+>|\[.*\]', w)
                           for w in rest.split()):
        return got.split(' ')[0] == word
    return bool(_hole(want, got)) or bool(_hole(want + ' <*>', got))


def matches(want, got):
    """Both are whole responses, as text without the last CRLF."""
    if want[0] == '+' or got[0] == '+':
        return want[0] == got[0]
    a, b = STATUS.match(want), STATUS.match(got)
    if a or b:
        return bool(a and b and _status(a, b))
    try:
        return bool(_data(want, got))
    except End as rest:
        head = want[:want.index('{<n>}')]
        return got.lower().startswith(head.lower()) and \
            bool(_hole(str(rest), re.sub(r'^.*?\{\d+\}\r\n', '', got, 1, re.S)))
