"""The SMTP client alone: the test is its qmgr."""
import pathlib
import shutil
import socket
import subprocess
import tempfile
import time

from . import packets
from .instance import BUILD

EIGHT_BIT, UTF8, RET_HDRS, RET_FULL, VERIFY = 1, 2, 4, 8, 1 << 17
NEVER, SUCCESS, FAILURE, DELAY = 1, 2, 4, 8
MESSAGE = b'From: a@example.test\nSubject: test\n\nHello.\n'


class Result(dict):
    """One recipient's result; texts as str, attributes for short."""

    def __init__(self, record):
        super().__init__({k: v.decode() if isinstance(v, bytes) else v
                          for k, v in record.items()})
        self.__dict__ = self


class SmtpAgent:
    """A worker of smtp or lmtp, with settings of main.cf."""

    def __init__(self, role='smtp', args=(), **settings):
        self.top = pathlib.Path(tempfile.mkdtemp(prefix='posta-test-smtp-'))
        settings = {'myhostname': 'client.test', 'dns_servers': '127.0.0.1:1',
                    'queue_directory': self.top,
                    'inet_protocols': 'ipv4',
                    # as long as a test may take to the next message
                    'smtp_connection_cache_time_limit': '1000s',
                    'lmtp_connection_cache_time_limit': '1000s', **settings}
        conf = self.top / 'main.cf'
        conf.write_text(''.join(f'{k} = {v}\n' for k, v in settings.items()))
        self.link, theirs = socket.socketpair(socket.AF_UNIX,
                                              socket.SOCK_SEQPACKET)
        self.link.settimeout(120)
        self.errors = open(self.top / 'log', 'wb')
        self.process = subprocess.Popen(
            [BUILD / 't/tools/smtp_agent', role, conf, str(theirs.fileno()),
             *args],
            pass_fds=[theirs.fileno()], stderr=self.errors,
            stdin=subprocess.DEVNULL)
        theirs.close()
        self.count = 0

    def __enter__(self):
        return self

    def __exit__(self, kind, *rest):
        self.close()
        if kind:
            print(self.log())
        shutil.rmtree(self.top, ignore_errors=True)

    def close(self):
        self.link.close()
        try:
            self.process.wait(120)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.errors.close()

    def log(self):
        return (self.top / 'log').read_text(errors='replace')

    def deliver(self, nexthop, rcpts, message=MESSAGE, sender='a@example.test',
                flags=0, skip=0, **more):
        """Deliver; (delivered, [Result of each recipient in order])."""
        self.start(nexthop, rcpts, message, sender, flags, skip, **more)
        return self.wait()

    def start(self, nexthop, rcpts, message=MESSAGE, sender='a@example.test',
              flags=0, skip=0, **more):
        self.count += 1
        rows = [r if isinstance(r, dict) else {'addr': r} for r in
                ([rcpts] if isinstance(rcpts, str) else rcpts)]
        with tempfile.TemporaryFile() as f:
            f.write(b'x' * skip + message + b'not content')
            f.flush()
            now = int(time.time() * 1000000)
            data, files = packets.pack(
                'deliver', **{
                    'id': f'ID{self.count}', 'sender': sender,
                    'nexthop': nexthop, 'flags': flags, 'arrived': now,
                    'active': now, 'skip': skip, 'end': skip + len(message),
                    'rcpts': b''.join(packets.record('rcpt', index=i, **r)
                                      for i, r in enumerate(rows)),
                    'fd': f.fileno(), **more})
            socket.send_fds(self.link, [data], files)

    def wait(self):
        name, fields = packets.unpack(self.link.recv(1 << 17))
        assert name == 'delivered'
        assert fields['id'].decode() == f'ID{self.count}'
        results = [Result(r) for r in
                   packets.records('result', fields['results'])]
        return fields, sorted(results, key=lambda r: r.index)

    def one(self, nexthop, rcpt='b@remote.test', *args, **kw):
        """The result of one recipient."""
        return self.deliver(nexthop, rcpt, *args, **kw)[1][0]
