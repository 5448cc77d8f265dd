"""An auth service that says what a test wants it to say: the server's side of
Dovecot's auth-client protocol, for what real ones do not do on demand.

`answer(request)` gets the parameters of AUTH (name to value, `mech`, `resp`
decoded) and returns lines to send, with {id} in them; CLOSE ends the
connection, HANG says nothing. Passwords of PLAIN and LOGIN are checked against
`users` where it is None.
"""
import base64
import os
import pathlib
import socket
import tempfile
import threading

from .fake_smtp import hang_up

CLOSE, HANG = object(), object()
GREETING = ['VERSION\t1\t2', 'MECH\tPLAIN\tplaintext', 'MECH\tLOGIN\tplaintext',
            'SPID\t1', 'CUID\t1', 'COOKIE\t0123456789abcdef0123456789abcdef',
            'DONE']


def b64(data):
    return base64.b64encode(data.encode() if isinstance(data, str)
                            else data).decode()


class AuthServer:
    def __init__(self, users=None, answer=None, greeting=None):
        self.users = users or {'alice': 'secret'}
        self.answer = answer
        self.greeting = GREETING if greeting is None else greeting
        self.top = pathlib.Path(tempfile.mkdtemp(prefix='posta-test-auth-'))
        self.top.chmod(0o755)
        self.path = self.top / 'socket'
        self.listener = None
        self.sockets, self.threads = [], []
        self.requests = []    # of all connections, in order
        self.connections = 0

    def __enter__(self):
        self.start()
        return self

    def start(self):
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(str(self.path))
        os.chmod(self.path, 0o666)
        self.listener.listen(50)
        self._spawn(self._accept, self.listener)

    def stop(self):
        """Gone, with all connections; start() brings it back."""
        hang_up(self)
        self.sockets, self.threads = [], []
        self.path.unlink(missing_ok=True)

    def __exit__(self, *exc):
        self.stop()
        self.top.rmdir()

    def _spawn(self, target, *args):
        t = threading.Thread(target=target, args=args, daemon=True)
        self.threads.append(t)
        t.start()

    def _accept(self, listener):
        while True:
            try:
                s, _ = listener.accept()
            except OSError:
                return
            self.connections += 1
            self.sockets.append(s)
            self._spawn(self._serve, s)

    def _serve(self, s):
        try:
            with s, s.makefile('rwb', buffering=0) as f:
                f.write('\n'.join([*self.greeting, '']).encode())
                pending = {}
                while line := f.readline():
                    words = line.decode().rstrip('\n').split('\t')
                    if words[0] in ('AUTH', 'CONT'):
                        if not self._answer(f, words, pending):
                            return
        except (OSError, ValueError):
            pass

    def _answer(self, f, words, pending):
        if words[0] == 'AUTH':
            request = dict(w.partition('=')[::2] for w in words[3:])
            request['mech'] = words[2]
            pending[words[1]] = request
            self.requests.append(request)
        else:
            request = pending[words[1]]
            request['resp'] = words[2] if len(words) > 2 else ''
        if 'resp' in request:
            request['resp'] = base64.b64decode(request['resp'])
        said = (self.answer or self.check)(request)
        if said is CLOSE:
            return False
        if said is not HANG:
            for line in [said] if isinstance(said, str) else said:
                f.write(line.replace('{id}', words[1]).encode() + b'\n')
        return True

    def check(self, request):
        """PLAIN and LOGIN, against users."""
        resp = request.pop('resp', None)
        if request['mech'].upper() == 'PLAIN':
            if resp is None:
                return 'CONT\t{id}\t'
            _, user, password = (resp.decode().split('\0') + ['', ''])[:3]
        elif 'user' not in request:
            if resp is None:
                return 'CONT\t{id}\t' + b64('Username:')
            request['user'] = resp.decode()
            return 'CONT\t{id}\t' + b64('Password:')
        else:
            user, password = request['user'], resp.decode()
        if self.users.get(user) == password:
            return 'OK\t{id}\tuser=' + user
        return 'FAIL\t{id}\tuser=' + user


__all__ = ['AuthServer', 'CLOSE', 'HANG', 'b64']
