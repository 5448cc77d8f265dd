"""Ten thousand logins at once: each gets its answer, and nothing breaks."""
import asyncio
import re
import resource

from harness import Posta
from harness.auth_client import AuthClient
from harness.auth_server import b64

USER = 'alice@example.test'
RIGHT = b64(f'\0{USER}\0secret')
SETTINGS = {'auth_failure_delay': '0s', 'auth_allow_cleartext': 'yes',
            'auth_check_timeout': '1000s',  # a busy machine loses none
            'smtpd_error_sleep_time': '0s', 'smtpd_hard_error_limit': '1000',
            'smtpd_client_connection_count_limit': '0',
            'smtpd_sasl_auth_enable': 'yes', 'smtpd_peername_lookup': 'no'}


def wrong(k, n):
    """Of another user each time: who fails again and again is not asked."""
    return b64(f'\0u{k}-{n}@example.test\0guessed')


class Quick(Posta):
    """With many users, whose passwords cost nothing to check."""

    def _init(self):
        super()._init()
        path = self.dir / 'users'
        line = re.search(rf'^{USER}:[^:]*(:.*)$', path.read_text(), re.M)
        names = [USER, *(f'u{k}-{n}@example.test' for k in range(1000)
                         for n in range(101 if k < 100 else 10))]
        path.write_text(''.join(f'{name}:{{PLAIN}}secret{line.group(1)}\n'
                                for name in names))


def test_ten_thousand_under_way_at_authd():
    """100 connections with 100 logins each, asked before any is answered. Who
    comes when the line is full is told to come again."""
    served = 0
    with Quick(settings=SETTINGS) as posta:
        clients = [AuthClient(posta.dir / 'queue/private/authd')
                   for _ in range(100)]
        for k, c in enumerate(clients):
            c.send(*(f'AUTH\t{n}\tPLAIN\tservice=smtp\tsecured=tls\tnologin'
                     f'\tresp={RIGHT if n % 4 else wrong(k, n)}'
                     for n in range(1, 101)))
        for c in clients:
            for _ in range(100):
                verb, n, *fields = c.line().split('\t')
                served += 'temp' not in fields
                assert 'temp' in fields or \
                    verb == ('OK' if int(n) % 4 else 'FAIL'), (n, fields)
            c.close()
        assert served >= 8192


class Slow(Posta):
    """With one user, whose password ("secret") costs some 0.3 s to check."""

    STORED = ('{SHA512-CRYPT}$6$rounds=500000$saltsalt$'
              'fsEPmTrMK7txVikOqTfbB3C1gpKgPk/JZMljxrwVK0Q'
              'xxjYgDQ8DmbZNOM9vsK/48G3J10yOuwZUi1487qkwH/')

    def _init(self):
        super()._init()
        path = self.dir / 'users'
        path.write_text(re.sub(r'(?m)^([^:]+):[^:]*', r'\1:' + self.STORED,
                               path.read_text()))


def test_one_user_opens_many_at_once():
    """The same check under way 500 times is made once: nobody waits in vain."""
    with Slow(settings=SETTINGS) as posta:
        clients = [AuthClient(posta.dir / 'queue/private/authd')
                   for _ in range(5)]
        for c in clients:
            c.send(*(f'AUTH\t{n}\tPLAIN\tservice=smtp\tsecured=tls\tnologin'
                     f'\tresp={RIGHT}' for n in range(1, 101)))
        answers = [c.line() for c in clients for _ in range(100)]
        assert [a for a in answers if not a.startswith('OK\t')] == []
        for c in clients:
            c.close()


async def one(port, k, results):
    """Ten tries on one connection; the first nine with a wrong password."""
    reader, writer = await asyncio.open_connection('127.0.0.1', port)

    async def reply():
        while True:
            line = (await reader.readline()).decode()
            if line[3:4] != '-':
                return line[:3]

    await reply()
    writer.write(b'EHLO c.test\r\n')
    await reply()
    for n in range(10):
        writer.write(f'AUTH PLAIN {RIGHT if n == 9 else wrong(k, n)}\r\n'.encode())
        results.append((n, await reply()))
    writer.close()


def allow_files(count):
    """This process may have so many open."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE,
                       (max(soft, min(hard, count)), hard))


def test_ten_thousand_at_smtpd():
    """1000 clients at once, of whom 100 are served at a time."""
    allow_files(4096)

    async def everybody(port):
        results = []
        await asyncio.gather(*(one(port, k, results) for k in range(1000)))
        return results

    with Quick(settings=SETTINGS) as posta:
        results = asyncio.run(everybody(posta.port))
        assert len(results) == 10000
        bad = [(n, code) for n, code in results
                 if code != ('235' if n == 9 else '535')]
        assert not bad, bad[:10]
        text = posta.log_text()
        assert 'guessed' not in text and RIGHT not in text
        assert wrong(7, 7) not in text
