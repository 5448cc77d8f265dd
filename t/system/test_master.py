"""The supervisor: starts, watches, reloads and stops what serves."""
import os
import pathlib
import re
import shutil
import signal
import socket
import stat
import subprocess
import threading
import time

from harness import BIN, Posta, free_port, process, wait_until

ROOT = os.geteuid() == 0


class Client:
    """One SMTP connection, line by line."""

    def __init__(self, posta, port=None, path=None):
        if path:
            self.socket = socket.socket(socket.AF_UNIX)
            self.socket.settimeout(60)
            self.socket.connect(str(path))
        else:
            self.socket = socket.create_connection(
                ('127.0.0.1', port or posta.port), 60)
        self.file = self.socket.makefile('rb')

    def line(self, command=None):
        if command:
            self.socket.sendall(command.encode() + b'\r\n')
        return self.file.readline().decode().rstrip()

    def close(self):
        self.file.close()
        self.socket.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def greeted(posta, **kw):
    c = Client(posta, **kw)
    assert c.line().startswith('220 ')
    return c


def processes(posta, program=None, kind=None):
    """Rows of posta status, but for those that are told to end; of smtpd,
    those that serve the SMTP port."""
    return [p for p in posta.status()['processes']
            if program in (None, p['program']) and kind in (None, p['kind'])
            and not p['retired'] and p['service'] != 'pickup']


def pid_of(posta, program, kind):
    return processes(posta, program, kind)[0]['pid']


def proc(pid, name):
    return pathlib.Path(f'/proc/{pid}/{name}').read_text()


def proc_status(pid):
    return dict(line.split(':\t', 1) for line in
                proc(pid, 'status').splitlines() if ':\t' in line)


def gone(pid):
    try:
        return proc_status(pid)['State'].startswith('Z')
    except (FileNotFoundError, ProcessLookupError):
        return True


def setting(posta, name):
    return posta.command('postconf', '-xh', name).stdout.strip()


def refused(port):
    try:
        socket.create_connection(('127.0.0.1', port), 60).close()
        return False
    except ConnectionRefusedError:
        return True


# ---- start, status, stop

def test_start_status_stop():
    with Posta() as posta:
        status = posta.status()
        assert status['pid'] == posta.master_pid()
        assert status['state'] == 'running'
        inet = [x for x in status['listeners'] if x['type'] == 'inet']
        assert {(x['role'], x['port']) for x in inet} == {
            (role, posta.base + port)
            for role, ports in (('smtpd', (25, 465, 587)), ('imapd', (143, 993)),
                                ('pop3d', (110, 995)))
            for port in ports}
        assert '127.0.0.1' in {x['address'] for x in inet}
        assert status['pids']['qmgr'] == posta.pids('qmgr')
        everyone = posta.pids()
        posta.stop()
        wait_until(lambda: all(gone(pid) for pid in everyone), 'the end')
        assert refused(posta.port)
        assert not (posta.dir / 'queue/pid/master.pid').exists()
        assert posta.posta('status', check=False).returncode == 1
        assert posta.posta('stop', check=False).returncode == 1
        posta.start()


def test_log_lines():
    with Posta() as posta:
        pid = posta.master_pid()
        posta.reload()
        posta.kill(pid, signal.SIGTERM)
        wait_until(lambda: gone(pid), 'the end of master')
        d = re.escape(str(posta.dir))
        for text in (rf'daemon started -- version \S+, configuration {d}$',
                     rf'reload -- version \S+, configuration {d}$',
                     r'terminating on signal 15$'):
            posta.wait_log(rf'postfix/master\[{pid}\]: {text}')


def test_all_problems_at_once():
    with Posta(start=False, settings={
            'default_process_limit': 'many', 'max_idle': 'x',
            'maillog_file_permissions': '9'}) as posta:
        with open(posta.dir / 'master.cf', 'a') as f:
            f.write('nowhere:12x inet n - n - - smtpd\n'
                    'strange unix - - n - - nosuchcommand\n')
        done = posta.posta('start', check=False)
        assert done.returncode == 1
        for word in ('default_process_limit', 'max_idle'):
            assert word in done.stderr, done.stderr
        assert not posta.pids()
        posta.set(default_process_limit=100, max_idle='100s')
        done = posta.posta('start', check=False)
        for word in ('nowhere:12x', 'nosuchcommand'):
            assert word in done.stderr, done.stderr
        assert not posta.pids()


def test_names_a_missing_user():
    if not ROOT:
        return  # an ordinary user runs it all alone
    with Posta(start=False,
               settings={'network_owner': 'nosuchuser'}) as posta:
        done = posta.posta('start', check=False)
        assert done.returncode == 1
        line = next(x for x in done.stderr.splitlines() if 'no such user' in x)
        assert 'network_owner' in line and 'useradd' in line


def test_one_master_a_queue():
    with Posta() as posta:
        done = posta.posta('start', check=False)
        assert done.returncode == 1
        assert f'already running, as process {posta.master_pid()}' in done.stderr
        test = [posta.bin / 'master', '-c', posta.dir, '-t']
        assert subprocess.run(test).returncode == 1
        posta.stop()
        assert subprocess.run(test).returncode == 0


# ---- rights

def test_rights():
    with Posta() as posta, greeted(posta):
        me = str(os.geteuid())
        smtpd = proc_status(pid_of(posta, 'smtpd', 'worker'))
        qmgr = proc_status(pid_of(posta, 'qmgr', 'single'))
        for s in smtpd, qmgr:
            assert s['NoNewPrivs'] == '1'
            assert s['Seccomp'] == '2' or 'asan' in str(posta.bin)
            assert int(s['CapEff'], 16) == int(s['CapPrm'], 16) == 0
        uids = [s['Uid'].split() for s in (smtpd, qmgr)]
        if ROOT:
            assert uids[0] == [setting(posta, 'network_owner')] * 4
            assert uids[1] == [setting(posta, 'mail_owner')] * 4
            assert int(smtpd['CapBnd'], 16) == int(qmgr['CapBnd'], 16) == 0
            assert int(proc_status(posta.master_pid())['CapBnd'], 16) & (
                1 << 21) == 0  # CAP_SYS_ADMIN
        else:
            assert uids == [[me] * 4] * 2


def test_deliverers_keep_little():
    with Posta() as posta:
        posta.send('x@client.test', 'alice@example.test')
        posta.wait_maildir('alice', 1)
        worker = proc_status(pid_of(posta, 'local', 'worker'))
        # CAP_CHOWN, CAP_KILL, CAP_SETGID, CAP_SETUID
        want = 1 << 0 | 1 << 5 | 1 << 6 | 1 << 7 if ROOT else 0
        assert int(worker['CapPrm'], 16) == want


def test_folders():
    with Posta() as posta:
        queue = posta.dir / 'queue'
        modes = {name: stat.S_IMODE(os.stat(queue / name).st_mode)
                 for name in ('incoming', 'public', 'private', 'maildrop')}
        assert modes == {'incoming': 0o700, 'public': 0o2710,
                         'private': 0o710, 'maildrop': 0o1730}
        if ROOT:
            owner = int(setting(posta, 'mail_owner'))
            assert all(os.stat(queue / n).st_uid == owner for n in modes)


def test_environment_is_clean():
    os.environ['POSTA_TEST_SECRET'] = 'x'
    try:
        with Posta(settings={'import_environment': 'TZ WORD=blue'}) as posta:
            with greeted(posta):
                env = proc(pid_of(posta, 'smtpd', 'worker'), 'environ')
            names = {x.split('=')[0] for x in env.split('\0') if x}
            assert names <= {'PATH', 'MAIL_CONFIG', 'TZ', 'WORD'}
            assert 'WORD=blue' in env
    finally:
        del os.environ['POSTA_TEST_SECRET']


# ---- demand

def test_no_descriptor_of_the_caller_comes_along(tmp_path):
    """They would reach programs that may open nothing themselves."""
    with open(tmp_path / 'secret', 'w') as f, Posta(start=False) as posta:
        subprocess.run([posta.bin / 'posta', '-c', posta.dir, 'start'],
                       check=True, pass_fds=[f.fileno()])
        wait_until(posta.answers, 'the SMTP port to answer')
        for p in processes(posta) + [{'pid': posta.master_pid()}]:
            # Of some only root sees them.
            if os.access(f'/proc/{p["pid"]}/fd', os.R_OK):
                assert f.name not in process.open_files(p['pid'])


def test_many_clients_at_once():
    with Posta() as posta:
        greetings = []

        def connect():
            with greeted(posta) as c:
                greetings.append(c.line('NOOP'))
                barrier.wait(60)

        barrier = threading.Barrier(40)
        threads = [threading.Thread(target=connect) for _ in range(40)]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
        assert len(greetings) == 40
        assert all(g.startswith('250') for g in greetings)


def row(posta, limit):
    """The SMTP row of master.cf with another process limit."""
    path = posta.dir / 'master.cf'
    text = re.sub(rf'^({posta.port} +inet .*)-( +smtpd)$', rf'\g<1>{limit}\2',
                  path.read_text(), flags=re.M)
    path.write_text(text)


def test_process_limit():
    with Posta(start=False) as posta:
        row(posta, 2)
        posta.start()
        first, second = greeted(posta), greeted(posta)
        third = Client(posta)
        posta.wait_log(rf'warning: service "{posta.port}" has reached its '
                       'process limit "2"')
        assert len(processes(posta, 'smtpd', 'worker')) == 2
        first.close()
        assert third.line().startswith('220 ')
        second.close()
        third.close()


def test_a_full_port_gets_settings_for_overload():
    with Posta(start=False, settings={
            'max_use': '1', 'smtpd_banner':
            '$myhostname ESMTP ${stress?{crowded}:{quiet}}'}) as posta:
        row(posta, 2)
        posta.start()

        def word(c):
            return c.line().split()[-1]

        wait_until(lambda: len(processes(posta, 'smtpd', 'worker')) == 1,
                   'the worker of start() to be gone')
        first, second, third = (Client(posta) for _ in range(3))
        assert word(first) == word(second) == 'quiet'
        posta.wait_log('has reached its process limit "2"')
        first.close()
        assert word(third) == 'crowded'
        second.close()
        third.close()


def test_idle_workers_end_and_come_back():
    with Posta(settings={'max_idle': '1s'}) as posta:
        with greeted(posta):
            pass
        wait_until(lambda: not processes(posta, 'smtpd', 'worker'),
                   'the end of idle workers')
        with greeted(posta) as c:
            assert c.line('NOOP').startswith('250')


def test_workers_end_after_max_use():
    with Posta(settings={'max_use': '3'}) as posta:
        seen = set()
        for _ in range(12):
            with greeted(posta) as c:
                seen |= {p['pid'] for p in processes(posta, 'smtpd', 'worker')}
                assert c.line('NOOP').startswith('250')
        assert len(seen) >= 4


# ---- failures

def test_killed_processes_are_replaced():
    with Posta(may_die=True) as posta:
        for program, kind in (('smtpd', 'template'), ('smtpd', 'worker'),
                              ('qmgr', 'single')):
            with greeted(posta):
                pid = pid_of(posta, program, kind)
            posta.kill(pid)
            wait_until(lambda p=pid: gone(p), f'the end of {program}')
            posta.wait_log(rf'warning: process \S+/{program} pid {pid} killed '
                           'by signal 9')
            with greeted(posta) as c:
                assert c.line('NOOP').startswith('250')
        posta.send('x@client.test', 'alice@example.test')
        posta.wait_maildir('alice', 1)


def test_nobody_outlives_master():
    with Posta() as posta, greeted(posta):
        everyone = posta.pids()
        assert len(everyone) >= 4
        posta.kill(posta.master_pid())
        wait_until(lambda: all(gone(p) for p in everyone), 'the end of all')
        # Also of a worker that had just been asked for.
        wait_until(lambda: refused(posta.port), 'the port to be closed')
        posta.start()


def another(posta, name, script):
    """A copy of the programs, in which one is a script; its path."""
    programs = posta.top / 'bin'
    programs.mkdir(mode=0o755)
    for file in posta.bin.iterdir():
        if file.name != name:
            os.symlink(file, programs / file.name)
    (programs / 'master').unlink()
    shutil.copy(BIN / 'master', programs)  # where it is counts
    path = programs / name
    path.write_text(f'#!/bin/sh\n{script}\n')
    path.chmod(0o755)
    posta.bin = programs
    posta.set(daemon_directory=programs)
    return path


def test_stopped_before_it_has_begun():
    """A program that is told to end and cannot hear it yet is no trouble."""
    with Posta(start=False) as posta:
        another(posta, 'qmgr', 'exec sleep 1000')
        posta.posta('start')
        posta.stop()
        assert 'killed by signal' not in posta.log_text()


def test_a_program_that_cannot_start():
    with Posta(may_die=True, start=False) as posta:
        smtpd = another(posta, 'smtpd', 'exit 7')
        posta.set(service_throttle_time='100s')
        posta.posta('start')
        with Client(posta) as c:
            assert c.line().startswith('421 4.3.0 ')
        with Client(posta) as c:
            assert c.line().startswith('421 4.3.0 ')
        posta.wait_log(r'warning: process \S+/smtpd pid \d+ exit status 7')
        posta.wait_log(r'warning: \S+/smtpd: bad command startup -- throttling')
        smtpd.unlink()
        smtpd.symlink_to(BIN / 'smtpd')
        posta.reload()  # does not wait for the rest of the pause
        with greeted(posta) as c:
            assert c.line('NOOP').startswith('250')


# ---- reload and stop

def test_reload_keeps_sessions_and_changes_ports():
    with Posta() as posta:
        with greeted(posta) as old:
            qmgr = pid_of(posta, 'qmgr', 'single')
            other = free_port()
            text = (posta.dir / 'master.cf').read_text()
            (posta.dir / 'master.cf').write_text(
                text + f'{other} inet n - n - - smtpd\n')
            posta.reload()
            assert old.line('NOOP').startswith('250')
            with greeted(posta, port=other) as there, greeted(posta):
                (posta.dir / 'master.cf').write_text(text)
                posta.reload()
                assert refused(other)
                assert there.line('NOOP').startswith('250')
            assert old.line('NOOP').startswith('250')
            assert pid_of(posta, 'qmgr', 'single') == qmgr
            assert old.line('QUIT').startswith('221')


def test_no_connection_is_lost_by_reloads():
    with Posta() as posta:
        end, errors, count = time.monotonic() + 3, [], [0]

        def goes_on():
            return not errors and (time.monotonic() < end or count[0] <= 20)

        def connect():
            while goes_on():
                try:
                    with greeted(posta) as c:
                        assert c.line('NOOP').startswith('250')
                        assert c.line('QUIT').startswith('221')
                    count[0] += 1
                except (OSError, AssertionError) as e:
                    errors.append(repr(e))

        threads = [threading.Thread(target=connect) for _ in range(5)]
        for t in threads:
            t.start()
        while goes_on():
            posta.reload()
        for t in threads:
            t.join()
        assert not errors, errors[:5]


def test_reload_with_mistakes():
    with Posta() as posta:
        with greeted(posta) as c:
            posta.set(max_use='some', max_idle='never')
            done = posta.posta('reload', check=False)
            assert done.returncode == 1
            assert 'max_use' in done.stderr and 'max_idle' in done.stderr
            posta.wait_log('old settings go on')
            assert c.line('NOOP').startswith('250')
        with greeted(posta):
            pass


def test_reload_with_a_port_in_use():
    with Posta() as posta, socket.socket() as s:
        other = free_port()
        s.bind(('127.0.0.1', other))
        s.listen()
        with open(posta.dir / 'master.cf', 'a') as f:
            f.write(f'127.0.0.1:{other} inet n - n - - smtpd\n')
        done = posta.posta('reload', check=False)
        assert done.returncode == 1
        assert 'master.cf' in done.stderr and 'in use' in done.stderr
        with greeted(posta):
            pass


def test_stop_lets_sessions_say_goodbye():
    with Posta() as posta:
        with greeted(posta) as c, greeted(posta) as d:
            assert c.line('NOOP').startswith('250')
            posta.stop()
            assert c.line().startswith('421 ')
            assert d.line().startswith('421 ')


def test_stop_cuts_off_what_never_ends():
    with Posta(may_die=True, settings={'stop_time_limit': '1s'}) as posta:
        with greeted(posta):
            pid = pid_of(posta, 'smtpd', 'worker')
            posta.kill(pid, signal.SIGSTOP)
            posta.stop()
            wait_until(lambda: gone(pid), 'its end')


def test_tables_only_root_can_read_are_read_again():
    with Posta(start=False) as posta:
        table = posta.write('secret', 'old@example.test alice@example.test\n')
        table.chmod(0o600)
        posta.set(virtual_alias_maps=f'texthash:{table}')
        posta.start()

        def known(name):
            with greeted(posta) as c:
                c.line('HELO client.test')
                c.line('MAIL FROM:<x@client.test>')
                return c.line(f'RCPT TO:<{name}@example.test>')[:3] == '250'

        assert known('old') and not known('new')
        table.write_text('new@example.test alice@example.test\n')
        wait_until(lambda: known('new') and not known('old'),
                   'the new contents')


# ---- sockets, log, service manager

def test_sockets_of_all_types():
    with Posta(services='localsmtp unix n - n - - smtpd\n'
                        'passed pass - - n - - smtpd\n'
                        'nothing unix n - n - 0 cleanup\n'
                        'log unix-dgram n - n - 1 postlogd\n'
                        '127.0.0.1:0 inet n - n - - smtpd\n') as posta:
        queue = posta.dir / 'queue'
        with greeted(posta, path=queue / 'public/localsmtp') as c:
            assert c.line('NOOP').startswith('250')
        assert (queue / 'private/passed').is_socket()
        assert not (queue / 'public/nothing').exists()
        assert not (queue / 'public/log').exists()
        port = next(x['port'] for x in posta.status()['listeners']
                    if x['service'] == '127.0.0.1:0')
        with greeted(posta, port=port):
            pass
        posta.stop()
        assert not (queue / 'public/localsmtp').exists()


def test_pickup_behind_a_fifo():
    with Posta(start=False) as posta:
        path = posta.dir / 'master.cf'
        path.write_text(re.sub(r'^pickup +unix', 'pickup fifo',
                               path.read_text(), flags=re.M))
        posta.start()
        assert (posta.dir / 'queue/public/pickup').is_fifo()
        posta.command('sendmail', '-f', 'x@client.test', 'alice@example.test',
                      input='Subject: x\n\nx\n')
        posta.wait_maildir('alice', 1)


def test_spawn_runs_a_command_for_each_connection():
    user = 61300 if ROOT else os.geteuid()
    with Posta(services='echo unix n n n - 0 spawn\n'
                        f'    user={user} argv=/bin/sh -c\n'
                        '    { read x; id -u; echo "$x" two  blanks }\n'
               ) as posta:
        for word in 'one', 'another':
            with Client(posta, path=posta.dir / 'queue/public/echo') as c:
                assert c.line(word) == str(user)
                assert c.line() == f'{word}\r two blanks'
                assert c.line() == ''


def test_overrides():
    with Posta(start=False) as posta:
        other = free_port()
        with open(posta.dir / 'master.cf', 'a') as f:
            f.write(f'{other} inet n - n - - smtpd\n'
                    '    -o syslog_name=postfix/submission\n'
                    '    -o { max_use = 1 }\n')
        posta.start()
        with greeted(posta, port=other):
            pass
        posta.wait_log(r'postfix/submission/smtpd\[')


def test_log_file_is_opened_again():
    """A process that is at work meanwhile has the new one later."""
    with Posta() as posta:
        os.rename(posta.log, posta.dir / 'log.1')
        posta.posta('logrotate')

        def all_logged():
            posta.send('x@client.test', 'alice@example.test')
            posta.wait_empty()
            return all(f'postfix/{program}[' in posta.log_text()
                       for program in ('smtpd', 'qmgr', 'virtual'))
        wait_until(all_logged, 'a line of each')
        os.rename(posta.log, posta.dir / 'log.2')
        posta.kill(posta.master_pid(), signal.SIGHUP)
        posta.wait_log(r'reload -- version')

        def logged():
            with greeted(posta):
                pass
            return re.search(r'postfix/smtpd\[', posta.log_text())
        wait_until(logged, 'a line of smtpd')


def test_foreground_log_on_standard_output():
    with Posta(start=False, settings={
            'maillog_file': '/dev/stdout',
            'maillog_file_prefixes': '/dev/stdout'}) as posta:
        child = subprocess.Popen(
            [posta.bin / 'posta', '-c', posta.dir, 'start-fg'],
            stdout=subprocess.PIPE, text=True)
        try:
            wait_until(lambda: 'daemon started' in child.stdout.readline(),
                       'the first line of the log')
            wait_until(posta.answers, 'the SMTP port to answer')
            child.send_signal(signal.SIGINT)
            rest = child.stdout.read()
            assert child.wait(60) == 0
            assert re.search(r'postfix/smtpd\[\d+\]: connect', rest)
            assert 'terminating on signal 2' in rest
        finally:
            child.kill()
            child.wait()


def test_service_manager_is_told():
    with Posta(start=False) as posta, \
            socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as s:
        path = posta.top / 'notify'
        s.bind(str(path))
        os.chmod(path, 0o777)
        s.settimeout(60)
        child = subprocess.Popen(
            [posta.bin / 'posta', '-c', posta.dir, 'start-fg'],
            env=dict(os.environ, NOTIFY_SOCKET=str(path)))
        try:
            assert 'READY=1' in s.recv(4096).decode().splitlines()
            posta.reload()
            assert s.recv(4096).decode().startswith('RELOADING=1\nMONOTONIC')
            assert s.recv(4096).decode().startswith('READY=1')
            child.send_signal(signal.SIGTERM)
            assert s.recv(4096).decode().startswith('STOPPING=1')
            assert child.wait(60) == 0
        finally:
            child.kill()
            child.wait()


def test_postscreen_rows_are_served_by_smtpd():
    with Posta(start=False) as posta:
        path = posta.dir / 'master.cf'
        text = re.sub(rf'^{posta.port} +inet .*$',
                      f'{posta.port} inet n - n - 1 postscreen\n'
                      'smtpd pass - - n - - smtpd -o max_use=50',
                      path.read_text(), flags=re.M)
        path.write_text(text)
        posta.start()
        with greeted(posta), greeted(posta):  # not one at a time
            pass
        posta.wait_log('no postscreen yet')


DEBIAN = """\
{port}      inet  n       -       y       -       -       smtpd
#{port}      inet  n       -       y       -       1       postscreen
pickup    unix  n       -       y       60      1       pickup
cleanup   unix  n       -       y       -       0       cleanup
qmgr      unix  n       -       n       300     1       qmgr
tlsmgr    unix  -       -       y       1000?   1       tlsmgr
rewrite   unix  -       -       y       -       -       trivial-rewrite
bounce    unix  -       -       y       -       0       bounce
defer     unix  -       -       y       -       0       bounce
trace     unix  -       -       y       -       0       bounce
verify    unix  -       -       y       -       1       verify
flush     unix  n       -       y       1000?   0       flush
proxymap  unix  -       -       n       -       -       proxymap
proxywrite unix -       -       n       -       1       proxymap
smtp      unix  -       -       y       -       -       smtp
relay     unix  -       -       y       -       -       smtp
        -o syslog_name=postfix/$service_name
#       -o smtp_helo_timeout=5 -o smtp_connect_timeout=5
showq     unix  n       -       y       -       -       showq
error     unix  -       -       y       -       -       error
retry     unix  -       -       y       -       -       error
discard   unix  -       -       y       -       -       discard
local     unix  -       n       n       -       -       local
virtual   unix  -       n       n       -       -       virtual
lmtp      unix  -       -       y       -       -       lmtp
anvil     unix  -       -       y       -       1       anvil
scache    unix  -       -       y       -       1       scache
postlog   unix-dgram n  -       n       -       1       postlogd
maildrop  unix  -       n       n       -       -       pipe
  flags=DRXhu user=vmail argv=/usr/bin/maildrop -d ${{recipient}}
uucp      unix  -       n       n       -       -       pipe
  flags=Fqhu user=uucp argv=uux -r -n -z -a$sender - $nexthop!rmail ($recipient)
scalemail-backend unix -       n       n       -       2       pipe
  flags=R user=scalemail argv=/usr/lib/scalemail/bin/scalemail-store
  ${{nexthop}} ${{user}} ${{extension}}
"""


def test_debians_master_cf_starts_and_delivers():
    with Posta(start=False) as posta:
        (posta.dir / 'master.cf').write_text(DEBIAN.format(port=posta.port))
        posta.start()
        posta.send('x@client.test', 'alice@example.test')
        posta.wait_maildir('alice', 1)
        kinds = {p['role'] for p in posta.status()['processes']}
        assert kinds >= {'smtpd', 'qmgr', 'virtual', 'pickup'}
