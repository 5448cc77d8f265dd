"""Who sees a mailbox by which name, and what he may do there (RFC 4314)."""

ALL = frozenset('lrswipkxtea')
CHANGING = frozenset('iestw')  # without any of these it is READ-ONLY (5.2)
NAMESPACE = 'shared'


class Person:
    """Someone with a home. Everywhere in the model a mailbox has the name by
    which `first`, whose mail this mostly is, knows it; he himself has None."""

    def __init__(self, posta, name, first=None):
        self.name, self.first = name, first
        self.address = f'{name}@{posta.domain}'
        self.root = posta.dir / 'mail' / posta.domain / name / 'Maildir'
        self.prefix = f'{NAMESPACE}/{self.address}/' if first else ''
        self.subscribed = set()

    def owns(self, name):
        return name.startswith(self.prefix) if self.first else \
            not name.startswith(NAMESPACE + '/')

    def inside(self, name):
        """What it is called in this home."""
        return name[len(self.prefix):]

    def sees(self, name):
        """What a client of this person calls it."""
        if self.first is None or self.owns(name):
            return self.inside(name)
        return f'{NAMESPACE}/{self.first.address}/{name}'

    def knows(self, shown):
        """The other way round."""
        others = f'{NAMESPACE}/{self.first.address}/' if self.first else None
        if others is None:
            return shown
        if shown.startswith(others):
            return shown[len(others):]
        return self.prefix + shown


def allowed(given, rights):
    """Of some flags, those that these rights let change (4, STORE)."""
    return frozenset(f for f in given if {
        '\\Seen': 's', '\\Deleted': 't'}.get(f, 'w') in rights)
