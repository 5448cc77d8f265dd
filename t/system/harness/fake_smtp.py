"""A server that says what a test wants it to say, and goes wrong on demand.

`replies` by verb: text (lines without CRLF), or None to close the
connection, HANG to say nothing, or a function of the command line that gives
one of these; a list is used up in turn, its last entry stays. The verbs:
GREETING EHLO HELO LHLO STARTTLS XFORWARD MAIL RCPT DATA DOT RSET NOOP QUIT
BDAT. With `tls`, an ssl.SSLContext, STARTTLS is offered, or TLS begins at once
where it is `wrapped`; a function of the connection's number gives the context
of each, or None for one where the handshake fails.
"""
import socket
import ssl
import threading

HANG = object()
EHLO = '250-fake.test\n250-PIPELINING\n250-SIZE 0\n250-8BITMIME\n' \
       '250-ENHANCEDSTATUSCODES\n250-SMTPUTF8\n250-CHUNKING\n250 DSN'
DEFAULTS = {'GREETING': '220 fake.test ESMTP', 'EHLO': EHLO, 'LHLO': EHLO,
            'HELO': '250 fake.test', 'XFORWARD': '250 2.0.0 Ok',
            'STARTTLS': '220 2.0.0 go ahead',
            'MAIL': '250 2.1.0 Ok', 'RCPT': '250 2.1.5 Ok',
            'DATA': '354 go on', 'DOT': '250 2.0.0 Ok: queued as F00',
            'RSET': '250 2.0.0 Ok', 'NOOP': '250 2.0.0 Ok',
            'QUIT': '221 2.0.0 Bye', 'BDAT': '250 2.0.0 Ok'}


class Closed(Exception):
    pass


def _end(s):
    """Who accepts, reads or writes there is done. Not with a TLS socket's own
    shutdown: that one goes on in the clear."""
    try:
        socket.socket.shutdown(s, socket.SHUT_RDWR)
    except OSError:  # closed, or a TLS socket has taken its place
        pass


def hang_up(server):
    """The end of a server's listener, sockets and threads, of which the first
    accepts. Each thread closes what it reads from: while one waits for a
    number that another has closed, that may become another file's."""
    _end(server.listener)
    for t in server.threads[:1]:
        t.join()
    server.listener.close()
    for s in server.sockets:
        _end(s)
    for t in server.threads[1:]:
        t.join(10)


class Session:
    """One connection: the commands it saw, the content it was sent."""

    def __init__(self):
        self.commands = []
        self.content = []   # raw, of each message, without the final dot
        self.rcpts = []     # of the current transaction
        self.tls = None     # "TLSv1.3", once it is one
        self.cipher = None
        self.certificate = None  # the client's, as getpeercert has it
        self.clear = []     # the commands before that
        self.accepted = False  # the last command was STARTTLS, and taken
        self.resumed = False
        self.servername = None


class FakeSmtp:
    def __init__(self, lmtp=False, address=('127.0.0.1', 0), path=None,
                 tls=None, wrapped=False, **replies):
        family = socket.AF_UNIX if path else \
            socket.AF_INET6 if ':' in address[0] else socket.AF_INET
        self.lmtp = lmtp
        self.tls, self.wrapped = tls, wrapped
        self.replies = {**DEFAULTS, **replies}
        self.sessions = []
        self.stopping = threading.Event()
        self.listener = socket.socket(family, socket.SOCK_STREAM)
        self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.listener.bind(str(path) if path else address)
        self.listener.listen(20)
        self.port = None if path else self.listener.getsockname()[1]
        self.host = address[0]
        self.sockets = []
        self.threads = []

    def __enter__(self):
        self._spawn(self._accept)
        return self

    def __exit__(self, *exc):
        self.stopping.set()
        hang_up(self)

    def wait_ended(self):
        """Until all sessions are over."""
        for t in self.threads[1:]:
            t.join(120)

    @property
    def nexthop(self):
        return f'[{self.host}]:{self.port}'

    @property
    def messages(self):
        return [m for s in self.sessions for m in s.content]

    @property
    def commands(self):
        return [c for s in self.sessions for c in s.commands]

    def _spawn(self, target, *args):
        t = threading.Thread(target=target, args=args, daemon=True)
        self.threads.append(t)
        t.start()

    def _accept(self):
        while not self.stopping.is_set():
            try:
                sock, _ = self.listener.accept()
            except OSError:
                return
            self.sockets.append(sock)
            session = Session()
            self.sessions.append(session)
            self._spawn(self._serve, sock, session)

    def _serve(self, sock, session):
        try:
            if self.wrapped:
                sock = self._secure(sock, session)
            stream = sock.makefile('rb')
            self._say(sock, 'GREETING', '')
            while True:
                line = stream.readline()
                if not line:
                    return
                assert line.endswith(b'\r\n'), line
                line = line[:-2].decode('utf-8', 'replace')
                self._command(sock, stream, session, line)
                if line.upper() == 'STARTTLS' and session.accepted:
                    session.clear, session.commands = session.commands, []
                    sock = self._secure(sock, session)
                    stream = sock.makefile('rb')
        except (OSError, Closed, ValueError):
            pass
        finally:
            sock.close()

    def _secure(self, sock, session):
        """The same connection in TLS."""
        tls = self.tls
        if not isinstance(tls, ssl.SSLContext):
            tls = tls(self.sessions.index(session) + 1)
        if tls is None:
            sock.sendall(b'this is not TLS\r\n')
            raise Closed
        sock = tls.wrap_socket(sock, server_side=True)
        session.tls, session.resumed = sock.version(), sock.session_reused
        session.cipher = sock.cipher()[0]
        session.certificate = sock.getpeercert()
        session.servername = getattr(sock, 'asked_for', None)
        self.sockets.append(sock)
        return sock

    def _say(self, sock, verb, line):
        reply = self.replies.get(verb, '500 5.5.2 what?')
        secured = isinstance(sock, ssl.SSLSocket)
        if verb in ('EHLO', 'LHLO') and reply is EHLO and self.tls and \
                not secured:
            reply = EHLO.replace('250 DSN', '250-STARTTLS\n250 DSN')
        if isinstance(reply, list):
            reply = reply.pop(0) if len(reply) > 1 else reply[0]
        if callable(reply):
            reply = reply(line)
        if reply is HANG:
            self.stopping.wait()
        if reply is None or reply is HANG:
            raise Closed
        if isinstance(reply, str):
            reply = reply.encode().replace(b'\n', b'\r\n') + b'\r\n'
        if reply:
            sock.sendall(reply)
        return reply

    def _command(self, sock, stream, session, line):
        verb = line.split(' ')[0].upper()
        session.commands.append(line)
        if verb == 'BDAT':
            return self._bdat(sock, stream, session, line)
        reply = self._say(sock, verb, line)
        session.accepted = verb == 'STARTTLS' and self.tls and \
            reply.startswith(b'220')
        if verb in ('EHLO', 'LHLO', 'HELO', 'RSET'):
            session.rcpts = []
        if verb == 'RCPT' and reply.startswith(b'2'):
            session.rcpts.append(line)
        if verb == 'QUIT':
            raise Closed
        if verb == 'DATA' and reply.startswith(b'354'):
            self._data(sock, stream, session)

    def _data(self, sock, stream, session):
        content = b''
        while True:
            line = stream.readline()
            if not line:
                raise Closed
            if line == b'.\r\n':
                break
            content += line
        session.content.append(content)
        self._end(sock, session, 'DOT')

    def _end(self, sock, session, verb):
        rcpts, session.rcpts = session.rcpts, []
        for rcpt in rcpts if self.lmtp else rcpts[:1] or ['']:
            self._say(sock, verb, rcpt)

    def _bdat(self, sock, stream, session, line):
        words = line.split()
        data = stream.read(int(words[1]))
        session.chunks = getattr(session, 'chunks', b'') + data
        if len(words) < 3:
            self._say(sock, 'BDAT', line)
            return
        session.content.append(session.chunks)
        session.chunks = b''
        self._end(sock, session, 'BDAT')
