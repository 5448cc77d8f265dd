"""The login stage of IMAP and POP3: what strangers may do, and what they get."""
import contextlib
import re
import select
import signal
import socket
import ssl
import time

import pytest

from harness import Posta, packets, process, wait_until
from harness.mail_client import PORTS, MailClient, b64, plain, trusting
from harness.raw_imap import RawImap
from test_auth_log import banned
from test_many_logins import Quick, allow_files

ALICE = 'alice@example.test'
FAST = {'auth_failure_delay': '0s'}


@pytest.fixture(scope='module')
def posta():
    with Posta(settings=FAST) as p:
        yield p


def good(answer):
    return bool(re.match(r'(\+OK|t1 OK) ?', answer))


def bad(answer):
    return bool(re.match(r'(-ERR|t1 NO|t1 BAD)', answer))


def auth(c, mech, *answers):
    """An exchange of AUTH; the last line."""
    got = c.say(f'AUTH {mech}' if c.name.startswith('pop3')
                else f't1 AUTHENTICATE {mech}')
    for answer in answers:
        assert got.startswith('+ '), got
        got = c.say(answer)
    while got.startswith('* '):
        got = c.line()
    return got


@pytest.mark.parametrize('name', ['imap', 'pop3'])
def test_no_password_in_the_clear(posta, name):
    with MailClient(posta, name) as c:
        for command in (['t1 LOGIN alice@example.test secret',
                         f't1 AUTHENTICATE PLAIN {plain(ALICE, "secret")}',
                         't1 AUTHENTICATE LOGIN'] if name == 'imap' else
                        ['USER alice@example.test', 'PASS secret',
                         f'AUTH PLAIN {plain(ALICE, "secret")}']):
            assert re.match(r't1 NO \[PRIVACYREQUIRED\]|-ERR \[AUTH\]',
                            c.say(command)), command
        if name == 'imap':
            assert 'LOGINDISABLED' in c.greeting
            assert 'STARTTLS' in c.greeting and 'AUTH=PLAIN' not in c.greeting
        c.start_tls()
        assert good(c.log_in(ALICE))


def test_passwords_in_the_clear_where_allowed():
    """login_tls_auth_only = no, for a webmail on this machine."""
    with Posta(settings=FAST | {'login_tls_auth_only': 'no'}) as p:
        for name in 'imap', 'pop3':
            with MailClient(p, name) as c:
                assert 'LOGINDISABLED' not in c.greeting
                assert good(c.log_in(ALICE))
        with MailClient(p, 'imap') as c:
            assert good(auth(c, 'PLAIN', plain(ALICE, 'secret')))


@pytest.mark.parametrize('name', ['imaps', 'pop3s'])
def test_mechanisms(posta, name):
    with MailClient(posta, name) as c:
        words = c.greeting.split() if name == 'imaps' else \
            next(w for w in c.ask('CAPA') if w.startswith('SASL')).split()
        assert any('PLAIN' in w for w in words)
    with MailClient(posta, name) as c:
        assert good(auth(c, 'PLAIN', plain(ALICE, 'secret')))
    with MailClient(posta, name) as c:
        assert good(auth(c, f'PLAIN {plain(ALICE, "secret")}'))
    with MailClient(posta, name) as c:
        assert good(auth(c, 'LOGIN', b64(ALICE), b64('secret')))
    with MailClient(posta, name) as c:  # refused, given up, and then right
        assert bad(auth(c, 'LOGIN', b64(ALICE), '*'))
        assert bad(auth(c, 'LOGIN', '*'))
        assert bad(auth(c, 'PLAIN', '???'))
        assert bad(auth(c, 'PLAIN ???'))
        assert bad(auth(c, 'NONSENSE'))
        assert bad(auth(c, 'LOGIN', b64(ALICE), b64('wrong')))
        assert good(auth(c, 'LOGIN', b64(ALICE), b64('secret')))


@pytest.mark.parametrize('name', ['imaps', 'pop3s'])
def test_three_strikes(posta, name):
    with MailClient(posta, name) as c:
        for n in range(3):
            assert re.match(r't1 NO \[AUTHENTICATIONFAILED\]|-ERR \[AUTH\]',
                            c.log_in(ALICE, f'strike{n}'))
        c.ends()
    posta.wait_log(r'(imap|pop3)-login: Disconnected: Too many failed logins '
                   r'\(auth failed, 3 attempts in \d+ secs\): '
                   r'user=<alice@example.test>, method=PLAIN, rip=127.0.0.1, '
                   r'lip=127.0.0.1, TLS, session=<\S+>')
    assert 'strike' not in posta.log_text()


def test_disabled():
    with Posta(settings=FAST) as p:
        p.posta('user', 'disable', ALICE)
        for name in 'imaps', 'pop3s':
            with MailClient(p, name) as c:
                assert bad(c.log_in(ALICE))
        p.posta('user', 'enable', ALICE)

        def works():
            with MailClient(p, 'imaps') as c:
                return good(c.log_in(ALICE))
        wait_until(works, 'a login')


def test_imap_literals_and_odd_passwords():
    with Posta(users={'alice': 'a b"c\\d'}, settings=FAST) as p:
        with MailClient(p, 'imaps') as c:
            assert c.say('t1 LOGIN {18}').startswith('+ ')
            assert c.say('alice@example.test {7}').startswith('+ ')
            assert good(c.say('a b"c\\d'))
        with MailClient(p, 'imaps') as c:
            c.send('t1 LOGIN {18+}\r\nalice@example.test {7+}\r\na b"c\\d\r\n')
            assert good(c.line())
        with MailClient(p, 'imaps') as c:
            assert good(c.say('t1 LOGIN "alice@example.test" "a b\\"c\\\\d"'))
        with MailClient(p, 'pop3s') as c:
            assert good(c.log_in(ALICE, 'a b"c\\d'))


@pytest.mark.parametrize('name,line', [
    ('imap', 'tls STARTTLS\r\nt1 LOGOUT\r\n'),
    ('pop3', 'STLS\r\nQUIT\r\n')])
def test_nothing_is_smuggled_past_starttls(posta, name, line):
    """What came in the clear behind STARTTLS is never answered."""
    with MailClient(posta, name) as c:
        c.send(line)
        assert re.match(r'\+OK|tls OK', c.line())
        c.encrypt()
        assert good(c.say('t1 NOOP' if name == 'imap' else 'CAPA'))


@pytest.mark.parametrize('name', ['imaps', 'pop3s'])
def test_pipelined_with_the_login(posta, name):
    with MailClient(posta, name) as c:
        if name == 'imaps':
            c.send(f't0 CAPABILITY\r\nt1 LOGIN {ALICE} secret\r\n'
                   't2 NOOP\r\nt3 SELECT INBOX\r\nt4 LOGOUT\r\n')
        else:
            c.send(f'CAPA\r\nUSER {ALICE}\r\nPASS secret\r\n'
                   'STAT\r\nNOOP\r\nQUIT\r\n')
        text = c.ends()
        assert re.search(r't4 OK|\+OK Bye', text), text


def garbage():
    yield b'\0' * 5000
    yield b'A' * 100000
    yield b'\r\n' * 5000
    yield bytes(range(256)) * 100
    yield b't1 LOGIN {99999999}\r\n'
    yield b't1 LOGIN {99999999999999999999999+}\r\n'
    yield b't1 LOGIN {4000+}\r\n' + b'x' * 4000 + b' {4000+}\r\n' * 30
    yield b'AUTH PLAIN ' + b'A' * 30000 + b'\r\n'
    yield b't1 AUTHENTICATE PLAIN ' + b'A' * 32000 + b'\r\n'
    yield b'AUTH PLAIN\r\n' + b'A' * 32000 + b'\r\n'
    yield b't1 AUTHENTICATE PLAIN\r\n' + b'A' * 32000 + b'\r\n'
    yield b'USER ' + b'x' * 600 + b'\r\nPASS ' + b'y' * 600 + b'\r\n'
    yield b'((((((((((((' * 500 + b'\r\n'


@pytest.mark.parametrize('name', ['imap', 'imaps', 'pop3', 'pop3s'])
def test_garbage(posta, name):
    with MailClient(posta, name) as other:
        for junk in garbage():
            with MailClient(posta, name) as c:
                try:
                    c.send(junk)
                    c.socket.settimeout(0.3)
                    c.ends()
                except OSError:
                    pass
        for junk in garbage():  # in place of a handshake, too
            with socket.create_connection(
                    ('127.0.0.1', posta.base + PORTS[name]), 60) as s:
                try:
                    s.sendall(junk)
                except OSError:
                    pass
        if name in ('imap', 'pop3'):
            other.start_tls()
        assert good(other.log_in(ALICE))


def test_who_does_not_read_costs_nothing(posta):
    """A million commands whose answers nobody reads: no memory grows."""
    with MailClient(posta, 'imap', small=True) as c:
        c.socket.setblocking(False)
        end, data, sent = time.monotonic() + 3, b't1 CAPABILITY\r\n' * 4000, 0
        while time.monotonic() < end and sent < 15_000_000:
            if not select.select([], [c.socket], [], 0.3)[1]:
                break
            try:
                sent += c.socket.send(data)
            except BlockingIOError:
                pass
        for pid in posta.pids('imapd'):
            assert process.resident(pid) < 200_000_000
        assert sent < 15_000_000


def test_handshakes_that_fail_or_never_end(posta):
    half = [socket.create_connection(('127.0.0.1', posta.base + 993), 60)
            for _ in range(20)]
    for i, s in enumerate(half):
        s.sendall(b'\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03'[:i])
    old = trusting()
    old.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
    old.maximum_version = ssl.TLSVersion.TLSv1
    old.set_ciphers('ALL:@SECLEVEL=0')
    with pytest.raises((ssl.SSLError, OSError)):
        old.wrap_socket(socket.create_connection(
            ('127.0.0.1', posta.base + 993), 10))
    posta.wait_log(r'imap-login: Disconnected: Connection closed: SSL_accept\(\) '
                   r'failed: .* \(no auth attempts in \d+ secs\): user=<>, rip=127.0.0.1')
    with MailClient(posta, 'imaps') as c:
        assert good(c.log_in(ALICE))
    for s in half:
        s.close()


def test_who_says_nothing_keeps_nobody_out():
    """All places of all processes are taken by such clients, and more wait;
    who has logged in stays."""
    settings = FAST | {'login_process_client_limit': '5'}
    with Posta(settings=settings) as p, contextlib.ExitStack() as stack:
        for name in PORTS:
            here = stack.enter_context(MailClient(p, name))
            if name in ('imaps', 'pop3s'):
                assert good(here.log_in(ALICE))
            for _ in range(60):
                stack.enter_context(socket.create_connection(
                    ('127.0.0.1', p.base + PORTS[name]), 10))
            for _ in range(3):
                with MailClient(p, name) as c:
                    if name in ('imaps', 'pop3s'):
                        assert good(c.log_in(ALICE))
            if name in ('imaps', 'pop3s'):
                assert good(here.say(
                    't1 NOOP' if name == 'imaps' else 'NOOP'))
        p.wait_log(r'imap-login: Disconnected: Too many connections \(no auth '
                   r'attempts in \d+ secs\): user=<>, rip=127.0.0.1')


def test_not_too_many_of_one_user_from_one_place():
    """As Dovecot words it; other users and other protocols go on."""
    words = 'Maximum number of connections from user+IP exceeded'
    settings = FAST | {'mail_max_userip_connections': '3'}
    with Posta(settings=settings) as p, contextlib.ExitStack() as stack:
        for name, refused in (('imaps', r't1 NO \[UNAVAILABLE\] '),
                              ('pop3s', r'-ERR \[SYS/TEMP\] ')):
            held = [stack.enter_context(MailClient(p, name))
                    for _ in range(3)]
            assert all(good(c.log_in(ALICE)) for c in held)
            with MailClient(p, name) as c:
                assert re.match(refused + re.escape(words), c.log_in(ALICE))
                c.ends()
            p.wait_log(rf'{name[:4]}-login: {re.escape(words)} \(mail_max_userip'
                       rf'_connections=3\): user=<{ALICE}>, rip=127.0.0.1, ')
            with MailClient(p, name) as c:
                assert good(c.log_in('bob@example.test'))
            held[0].close()
            wait_until(lambda: again(p, name), 'room for one more')


def again(posta, name):
    with MailClient(posta, name) as c:
        return good(c.log_in(ALICE))


def test_who_of_thousands():
    """Of a user with a long name, so that what is told is more than what a
    process has for one command."""
    name, count = 'u' * 200, 3000
    user = f'{name}@example.test'
    allow_files(count + 1000)
    with Posta(users={name: 'secret'}, settings=FAST | {
            'login_tls_auth_only': 'no',
            'mail_max_userip_connections': '0'}) as p, \
            contextlib.ExitStack() as clients:
        before = clients.enter_context(RawImap(p.base + 143, user, clear=True))
        for _ in range(count - 1):
            c = clients.enter_context(RawImap(p.base + 143, clear=True))
            c.send(f'a LOGIN {user} secret\r\n')
            assert c.until('a')[1].startswith(b'OK')
        who = p.posta('who').stdout
        assert who.count(f'\n{user} imap ') == count
        before.ok('NOOP')


def test_five_hundred_at_once():
    clients = []
    with Quick(settings=FAST | {'mail_max_userip_connections': '0'}) as p:
        for i in range(500):
            clients.append(MailClient(p, 'imaps' if i % 2 else 'pop3s'))
        for c in clients:
            c.send(f't1 LOGIN {ALICE} secret\r\n' if c.name == 'imaps' else
                   f'USER {ALICE}\r\nPASS secret\r\n')
        for c in clients:
            if c.name == 'pop3s':
                assert good(c.line())
            assert good(c.line())
        who = p.posta('who').stdout
        assert len(re.findall(r'^alice@example.test .* 127.0.0.1 ', who,
                              re.M)) == 500
        assert '500 sessions' in p.posta('kick', ALICE).stdout
        for c in clients:
            assert re.search(r'BYE|-ERR', c.ends())
            c.close()
        wait_until(lambda: ALICE not in p.posta('who').stdout, 'nobody')
        done = p.posta('kick', ALICE, check=False)
        assert (done.returncode, done.stderr) == (
            1, f'posta: {ALICE} has no session\n')


def test_who_says_nothing_is_sent_away():
    """Slow or silent, before and in the handshake, all have the same time."""
    with Posta(settings={'login_timeout': '10s'}) as p:
        silent = socket.create_connection(('127.0.0.1', p.base + 993), 120)
        with MailClient(p, 'imap') as c, MailClient(p, 'pop3s') as d:
            try:
                for _ in range(600):
                    c.send('t')
                    time.sleep(0.1)
            except OSError:
                pass
            c.ends()
            assert d.ends().startswith('-ERR')
        assert silent.recv(10) == b''
        silent.close()
        p.wait_log(r'-login: Disconnected: Inactivity \(no auth attempts in '
                   r'\d+ secs\): user=<>, rip=127.0.0.1, lip=127.0.0.1', 3)
        with MailClient(p, 'imaps') as c:  # who has logged in may be silent
            assert good(c.log_in(ALICE))
            time.sleep(11)
            assert good(c.say('t1 NOOP'))


def test_the_log_bans_whom_it_should():
    with Posta(settings=FAST) as p:
        for name in 'imaps', 'pop3s':
            with MailClient(p, name) as c:
                c.log_in(ALICE, 'guess1')
            with MailClient(p, name) as c:
                assert good(c.log_in(ALICE))
            with MailClient(p, name) as c:
                auth(c, 'PLAIN ' + plain('x>, rip=203.0.113.6, lip=1.2.3.4',
                                         'guess2'))
        p.wait_log(r'-login: Aborted|-login: Disconnected', 4)
        p.stop()  # now all has been written
        hosts, said = banned(p.log, 'dovecot')
        assert set(hosts) == {'127.0.0.1'} and len(hosts) >= 4, said
        assert 'guess' not in p.log_text()
        p.wait_log(r'imap-login: Login: user=<alice@example.test>, '
                   r'method=PLAIN, rip=127.0.0.1, lip=127.0.0.1, '
                   r'mpid=\d+, TLS, session=<\S+>')


def test_sessions_outlive_a_reload(posta):
    with MailClient(posta, 'imaps') as c, MailClient(posta, 'pop3s') as d, \
            MailClient(posta, 'imap') as stranger:
        assert good(c.log_in(ALICE)) and good(d.log_in(ALICE))
        posta.reload()
        assert 'BYE' in stranger.ends()
        for _ in range(3):
            assert good(c.say('t1 NOOP')) and good(d.say('NOOP'))
            with MailClient(posta, 'imaps') as e:
                assert good(e.log_in(ALICE))
        assert d.say('QUIT') == '+OK Bye'
        assert good(c.say('t1 NOOP'))


def killed(p, name, what):
    pids = [pid for pid in p.pids(name) if what(pid)]
    for pid in pids:
        p.kill(pid, signal.SIGKILL)
    return pids


def test_others_are_killed():
    """authd, keys, brokers and users' processes: who was there is told or cut
    off, and the next one is served."""
    with Posta(settings=FAST, may_die=True) as p:
        def works(name):
            try:
                with MailClient(p, name, timeout=60) as c:
                    return good(c.log_in(ALICE))
            except (OSError, AssertionError):
                return False  # cut off, at whichever point

        for name in 'imaps', 'pop3s':
            wait_until(lambda: works(name), 'a login')
            with MailClient(p, name) as c:
                first = c.say('t1 AUTHENTICATE LOGIN' if name == 'imaps'
                              else 'AUTH LOGIN')
                assert first.startswith('+ ')
                assert killed(p, 'authd', lambda pid: True)
                assert bad(c.line())  # a temporary failure
            wait_until(lambda: works(name), 'a login')
            program = name[:-1] + 'd'
            with MailClient(p, name) as c, MailClient(p, name) as stranger:
                assert good(c.log_in(ALICE))
                pid = user_pid(p, name)
                p.kill(pid)
                c.ends()
                p.wait_log(rf'process {pid} of a user was killed')
                assert good(stranger.log_in(ALICE))
            with MailClient(p, name) as c:
                assert good(c.log_in(ALICE))
                killed(p, program, lambda pid: True)
                c.ends()
            wait_until(lambda: works(name), 'a login')


@pytest.mark.parametrize('name', ['imaps', 'pop3s'])
def test_authd_goes_while_a_challenge_is_open(name):
    """What was to be its answer is a command then."""
    with Posta(settings=FAST, may_die=True) as p:
        with MailClient(p, name) as c, MailClient(p, name) as other:
            pids = p.pids(name[:-1] + 'd')
            first = c.say('t1 AUTHENTICATE LOGIN' if name == 'imaps'
                          else 'AUTH LOGIN')
            assert first.startswith('+ ')
            assert killed(p, 'authd', lambda pid: True)
            assert bad(c.line())
            for i in range(2):
                assert good(c.say('t1 NOOP' if name == 'imaps' else 'NOOP'))
            assert good(other.say('t1 NOOP' if name == 'imaps' else 'NOOP'))
            wait_until(lambda: good(c.log_in(ALICE)), 'a login')
            assert set(pids) <= set(p.pids(name[:-1] + 'd'))


def log_in_unheard(c):
    """The answer is not waited for."""
    if c.name.startswith('pop3'):
        assert good(c.say(f'USER {ALICE}'))
        c.send('PASS secret\r\n')
    else:
        c.send(f't1 LOGIN {ALICE} secret\r\n')


def sessions(p):
    """The pids of the processes of those who are logged in."""
    return [int(x) for x in re.findall(rf'{ALICE}.* (\d+)$',
                                       p.posta('who').stdout, re.M)]


@pytest.mark.parametrize('name', PORTS)
@pytest.mark.parametrize('end', [signal.SIGKILL, signal.SIGCONT])
def test_who_meets_a_process_that_sleeps(name, end):
    """He waits for it; if it dies he gets another one, and one answer."""
    with Posta(settings=FAST | {'login_tls_auth_only': 'no'},
               may_die=True) as p, \
            MailClient(p, name) as c, MailClient(p, name) as d:
        assert good(c.log_in(ALICE))
        pid, = sessions(p)
        p.kill(pid, signal.SIGSTOP)
        log_in_unheard(d)
        wait_until(lambda: sessions(p) == [pid, pid], 'it is handed over')
        p.kill(pid, end)
        assert good(d.line())
        assert good(d.say('t1 NOOP' if name.startswith('imap') else 'NOOP'))
        if end == signal.SIGKILL:
            assert c.ends() == ''
            assert pid not in sessions(p)
        else:
            assert sessions(p) == [pid, pid]


@pytest.mark.parametrize('name', PORTS)
def test_who_is_sent_away_meanwhile_is_not_served_later(name):
    with Posta(settings=FAST | {'login_tls_auth_only': 'no',
                                'login_timeout': '10s'}) as p, \
            MailClient(p, name) as c, MailClient(p, name) as d:
        assert good(c.log_in(ALICE))
        pid, = sessions(p)
        p.kill(pid, signal.SIGSTOP)
        log_in_unheard(d)
        said = d.ends()
        p.kill(pid, signal.SIGCONT)
        assert said.count('\n') == 1 and re.match(r'\* BYE|-ERR', said)
        wait_until(lambda: sessions(p) == [pid], 'he is forgotten')


def user_pid(p, name):
    """Of the process of whoever is logged in by that protocol."""
    return int(re.search(rf' {name[:4]} .* TLS .* (\d+)$',
                         p.posta('who').stdout, re.M)[1])


def test_users_processes_have_nothing_of_ours(posta):
    """No memory that daemons write to, and no descriptor but the log's, the
    broker's and the connections'."""
    for name in 'imaps', 'pop3s':
        with MailClient(posta, name) as c:
            assert good(c.log_in(ALICE))
            pid = user_pid(posta, name)
            shared = [x for x in process.text(pid, 'maps').splitlines()
                      if re.match(r'\S+ \S\S\Ss', x)]
            assert not [x for x in shared if 'board' in x or
                        ('posta-index' not in x and ' rw' in x)], shared
            open_files = process.open_files(pid)
            assert open_files
            assert not [f for f in open_files
                        if 'memfd:' in f or '/queue/' in f], open_files


def test_stop_says_goodbye():
    with Posta(settings=FAST) as p:
        with MailClient(p, 'imaps') as c, MailClient(p, 'pop3s') as d, \
                MailClient(p, 'imap') as e:
            assert good(c.log_in(ALICE)) and good(d.log_in(ALICE))
            p.stop()
            assert 'BYE' in c.ends() and '-ERR' in d.ends()
            assert 'BYE' in e.ends()


def test_no_password_stays_in_memory():
    secret = 'Unforgettable-4711'
    with Posta(users={'alice': secret}, settings=FAST) as p:
        for name in 'imaps', 'pop3s':
            held = []
            with MailClient(p, name) as c:
                assert good(auth(c, 'PLAIN ' + plain(ALICE, secret)))
            for wrong in (secret, secret + 'x'):
                c = MailClient(p, name)
                c.log_in(ALICE, wrong)
                held.append(c)
            for program in 'imapd', 'pop3d':
                for pid in p.pids(program):
                    assert not holds(pid, secret.encode()), (name, pid)
                    assert not holds(pid, plain(ALICE, secret)[-16:].encode())
            for c in held:
                c.close()
        assert secret not in p.log_text()


def holds(pid, what):
    """Is that in the memory of a process?"""
    return any(what in part for part in process.memory(pid))


def enter(posta, service, ticket):
    """What the broker answers who hands it a connection with that ticket."""
    with contextlib.ExitStack() as stack:
        s = stack.enter_context(
            socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET))
        mine, theirs = map(stack.enter_context, socket.socketpair())
        s.settimeout(60)
        mine.settimeout(60)
        s.connect(str(posta.dir / f'queue/private/{service}-users'))
        data, files = packets.pack('enter', tag=7, ticket=ticket, session='x',
                                   client='127.0.0.1', fd=theirs.fileno())
        socket.send_fds(s, [data], files)
        answer = packets.unpack(s.recv(4096))
        theirs.close()
        assert mine.recv(10) == b''
        return answer


@pytest.mark.parametrize('service', ['imap', 'pop3'])
def test_a_forged_ticket(posta, service):
    """The login stage is believed nothing: without authd's seal nobody comes
    in, and the log tells of each who tried."""
    tickets = '', '00', 'a1' * 200, 'z' * 8192
    for ticket in tickets:
        name, got = enter(posta, service, ticket)
        assert name == 'entered' and got['tag'] == 7 and got['pid'] == 0
        assert got['rc'] != 0 and got['text'].startswith(b'the ticket ')
    posta.wait_log(f'{service}: login refused: the ticket', count=len(tickets))
