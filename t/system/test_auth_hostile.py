"""authd under clients that mean harm: limits hold, nothing grows."""
import os
import re
import select
import socket

from harness import Posta, wait_until
from harness.auth_client import AuthClient, b64
from harness.process import resident

USER = 'alice@example.test'
MORE = 4 << 20
HELLO = b'VERSION\t1\t2\nCPID\t1\n'


def path(p):
    return str(p.dir / 'queue/private/authd')


def worker(p):
    """Process id of the one that serves clients."""
    with AuthClient(path(p)) as c:
        return int(re.search(r'SPID\t(\d+)', '\n'.join(c.greeting))[1])


def flood(p, connections, each, line):
    """So many logins at once on so many connections; verbs of the answers."""
    sockets = []
    for n in range(connections):
        s = socket.socket(socket.AF_UNIX)
        s.connect(path(p))
        sockets.append(s)
    out = {s: HELLO + b''.join(line(n * each + i, i + 1) for i in range(each))
           for n, s in enumerate(sockets)}
    got = {s: b'' for s in sockets}
    done = 0
    for s in sockets:
        s.setblocking(False)
    while done < len(sockets):
        r, w, _ = select.select(sockets, [s for s in sockets if out[s]], [],
                                60)
        assert r or w, 'no answers any more'
        for s in w:
            out[s] = out[s][s.send(out[s][:65536]):]
        for s in r:
            data = s.recv(65536)
            assert data, 'cut off'
            got[s] += data
        done = sum(len(re.findall(rb'^(?:OK|FAIL)\t', got[s], re.M)) == each
                   for s in sockets)
    for s in sockets:
        s.close()
    return [verb for s in sockets
            for verb in re.findall(r'^(OK|FAIL)\t', got[s].decode(), re.M)]


def wrong(n, number):
    return (f'AUTH\t{number}\tPLAIN\tservice=smtp\tnologin\tsecured\t'
            f'rip=198.51.{n // 250 % 250}.{n % 250}\tresp='
            + b64(f'\0user{n}@example.test\0wrong{n}') + '\n').encode()


def right(n, number):
    return (f'AUTH\t{number}\tPLAIN\tservice=smtp\tnologin\tsecured\tresp='
            + b64(f'\0{USER}\0secret') + '\n').encode()


def test_ten_thousand_logins():
    """At once: all are answered, and memory does not grow with each round."""
    with Posta(start=False, settings={'auth_failure_delay': '1s',
                                      'auth_check_timeout': '3s'}) as p:
        # A check that is no work is in time on a machine that is busy.
        users = p.dir / 'users'
        users.write_text(re.sub(rf'(?m)^({USER}):[^:]*', r'\1:{PLAIN}secret',
                                users.read_text()))
        p.start()
        pid = worker(p)
        sizes = []
        for _ in range(4):
            assert flood(p, 20, 500, wrong) == ['FAIL'] * 10000
            sizes.append(resident(pid))
        # What a sanitizer keeps of freed memory is its own.
        assert sizes[-1] < sizes[0] * 1.5 + MORE or 'asan' in str(p.bin), sizes
        assert worker(p) == pid
        wait_until(lambda: AuthClient(path(p)).plain(USER, 'secret')[0] == 'OK',
                   'a login')
        # With what is known it does not matter how many come.
        assert flood(p, 20, 500, right) == ['OK'] * 10000


def test_one_connection_has_a_limit():
    with Posta(settings={'auth_failure_delay': '3s'}) as p:
        with AuthClient(path(p)) as c:
            c.send(*(f'AUTH\t{n}\tLOGIN\tservice=smtp\tsecured'
                     for n in range(1, 1502)))
            verbs = [c.line().split('\t')[0] for n in range(1501)]
            assert verbs.count('CONT') == 1000 and verbs.count('FAIL') == 501
        with AuthClient(path(p)) as c:
            assert c.plain(USER, 'secret')[0] == 'OK'


def test_who_does_not_read_is_cut_off():
    with Posta() as p:
        s = socket.socket(socket.AF_UNIX)
        s.connect(path(p))
        s.settimeout(60)
        line = b'AUTH\t1\tNONSENSE\tservice=smtp\n' * 1000
        try:
            s.sendall(HELLO)
            for _ in range(2000):
                s.sendall(line)
        except (BrokenPipeError, ConnectionResetError):
            pass
        else:
            raise AssertionError('it read on')
        s.close()
        p.wait_log('does not read its answers')
        with AuthClient(path(p)) as c:
            assert c.plain(USER, 'secret')[0] == 'OK'


def test_garbage_costs_nothing():
    with Posta() as p:
        pid = worker(p)
        sizes = []
        for turn in range(3):
            for n in range(300):
                s = socket.socket(socket.AF_UNIX)
                s.connect(path(p))
                try:
                    s.sendall(os.urandom(n * 100) + (b'' if n % 2 else b'\n'))
                except (BrokenPipeError, ConnectionResetError):
                    pass
                s.close()
            sizes.append(resident(pid))
        assert worker(p) == pid
        assert sizes[-1] < sizes[0] + MORE or 'asan' in str(p.bin), sizes


def test_slow_clients_hold_nobody_up():
    with Posta() as p:
        slow = []
        for n in range(500):
            s = socket.socket(socket.AF_UNIX)
            s.connect(path(p))
            s.sendall(HELLO + b'AUTH\t1\tPLAIN\tservice=smtp\tresp=AAAA')
            slow.append(s)
        with AuthClient(path(p)) as c:
            assert c.plain(USER, 'secret')[0] == 'OK'
        for s in slow:
            s.close()
