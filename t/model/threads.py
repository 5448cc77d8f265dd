"""Threads as RFC 5256 and draft-ietf-morg-inthread make them, the slow way:
what THREAD says must be the same. Messages are pairs (number, message)."""
from .keys import SORT_KEYS, base_subject, casemap


class Node:
    """A message, or (message None) an id that somebody refers to."""

    def __init__(self, found=None):
        self.number, self.message = found or (0, None)
        self.parent, self.children = None, []

    def adopt(self, child):
        """Unless it has a parent or is one of our own ancestors."""
        above = self
        while above is not None and above is not child:
            above = above.parent
        if child.parent is None and above is None:
            child.parent = self
            self.children.append(child)

    @property
    def speaker(self):
        return self if self.message else self.children[0]

    @property
    def when(self):
        """By which siblings are in order."""
        n = self.speaker
        return SORT_KEYS['DATE'](n.number, n.message), n.number

    @property
    def subject(self):
        return casemap(base_subject(self.speaker.message.letter.subject))

    @property
    def is_reply(self):
        return base_subject(self.speaker.message.letter.subject) != \
            self.speaker.message.letter.subject

    def all(self):
        out = [self] if self.message else []
        for c in self.children:
            out += c.all()
        return out

    def shown(self):
        """As in the response: an only child follows its parent."""
        out = [self.number] if self.message else []
        if self.message and len(self.children) == 1:
            return out + self.children[0].shown()
        return out + [c.shown() for c in self.children]


def _linked(found):
    """Step 1: all nodes, linked by what the messages refer to."""
    ids, nodes = {}, []
    for f in found:
        node, name = Node(f), f[1].letter.message_id
        nodes.append(node)
        if name:
            ids.setdefault(name, node)
    for node in list(nodes):
        chain = []
        for name in node.message.letter.references:
            if name not in ids:
                ids[name] = Node()
                nodes.append(ids[name])
            chain.append(ids[name])
        for above, below in zip(chain, chain[1:]):
            above.adopt(below)
        if chain:
            chain[-1].adopt(node)
    return [n for n in nodes if n.parent is None]


def _pruned(node, top):
    """Step 3: what is in a node's place."""
    node.children = [x for c in node.children for x in _pruned(c, False)]
    if node.message or (top and len(node.children) > 1):
        return [node]
    return node.children


def _sorted(nodes):
    for n in nodes:
        n.children = _sorted(n.children)
    return sorted(nodes, key=lambda n: n.when)


def _by_subject(tops):
    """Step 5."""
    table = {}
    for n in tops:
        old = table.get(n.subject)
        if old is None or (old.message and (
                not n.message or (old.is_reply and not n.is_reply))):
            table[n.subject] = n
    for n in tops:
        old = table[n.subject]
        if old is n:
            continue
        if not old.message:
            old.children += n.children if not n.message else [n]
        elif n.is_reply and not old.is_reply:
            old.children.append(n)
        else:
            both = Node()
            both.children = [old, n]
            table[n.subject] = both
    return list(table.values())


def references(found):
    tops = _sorted([x for n in _linked(found) for x in _pruned(n, True)])
    return _sorted(_by_subject(tops))


def refs(found):
    """No subjects; the thread with the newest message comes last."""
    tops = _sorted([x for n in _linked(found) for x in _pruned(n, True)])
    return sorted(tops, key=lambda n: (
        max(m.when for m in n.all())[0], n.speaker.number))


def ordered_subject(found):
    groups = {}
    for node in _sorted([Node(f) for f in found]):
        groups.setdefault(node.subject, []).append(node)
    for first, *others in groups.values():
        first.children = others
    return [first for first, *_ in groups.values()]


METHODS = {'REFERENCES': references, 'REFS': refs,
           'ORDEREDSUBJECT': ordered_subject}
