"""The client's side of Dovecot's auth-client protocol, line by line."""
import base64
import hashlib
import hmac
import os

from .connection import Closed, Connection, connected_to


def b64(data):
    return base64.b64encode(data.encode() if isinstance(data, str)
                            else data).decode()


class AuthClient(Connection):
    """A connection to an auth socket; `mechs`: names to properties."""

    def __init__(self, path, greet=True, timeout=120):
        super().__init__(connected_to(path, timeout))
        self.number = 0
        self.mechs, self.greeting = {}, []
        if greet:
            self.send('VERSION\t1\t2', f'CPID\t{os.getpid()}')
            while (line := self.line()) != 'DONE':
                if line is None:
                    raise Closed
                self.greeting.append(line)
                words = line.split('\t')
                if words[0] == 'MECH':
                    self.mechs[words[1]] = words[2:]

    def send(self, *lines):
        super().send(''.join(line + '\n' for line in lines))

    def line(self):
        """The next line; None at the end."""
        line = self.readline()
        return line.decode()[:-1] if line.endswith(b'\n') else None

    def auth(self, mech, resp=None, service='smtp', more=('secured', 'nologin'),
             rip='192.0.2.1'):
        """Send AUTH; its number."""
        self.number += 1
        words = ['AUTH', str(self.number), mech, f'service={service}', *more]
        if rip:
            words.append(f'rip={rip}')
        if resp is not None:
            words.append('resp=' + b64(resp))
        self.send('\t'.join(words))
        return self.number

    def plain(self, user, password, authzid='', **kw):
        """One login; (OK or FAIL, fields)."""
        self.auth('PLAIN', f'{authzid}\0{user}\0{password}', **kw)
        return parse(self.line())

    def cont(self, number, data):
        self.send(f'CONT\t{number}\t{b64(data)}')


def parse(line):
    """(verb, fields) of an answer; a field without a value is True."""
    words = line.split('\t')
    fields = {}
    for word in words[2:]:
        name, is_pair, value = word.partition('=')
        fields[name] = value if is_pair else True
    return words[0], fields


class Scram:
    """A client of SCRAM (RFC 5802); binding: (type, data)."""

    def __init__(self, user, password, digest='sha256', binding=None):
        self.digest, self.password = digest, password
        self.gs2 = f'p={binding[0]},,' if binding else 'n,,'
        self.bound = self.gs2.encode() + (binding[1] if binding else b'')
        self.bare = f'n={user},r={b64(os.urandom(12))}'
        self.first = self.gs2 + self.bare

    def mac(self, key, text):
        return hmac.new(key, text.encode(), self.digest).digest()

    def final(self, server_first):
        given = dict(p.split('=', 1) for p in server_first.split(','))
        salted = hashlib.pbkdf2_hmac(self.digest, self.password.encode(),
                                     base64.b64decode(given['s']),
                                     int(given['i']))
        without = f'c={b64(self.bound)},r={given["r"]}'
        text = f'{self.bare},{server_first},{without}'
        key = self.mac(salted, 'Client Key')
        sign = self.mac(hashlib.new(self.digest, key).digest(), text)
        proof = bytes(a ^ b for a, b in zip(key, sign))
        self.verifier = b64(self.mac(self.mac(salted, 'Server Key'), text))
        return f'{without},p={b64(proof)}'
