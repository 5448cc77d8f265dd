"""authd as a client of its socket sees it."""
import base64
import hmac
import os
import re
import shutil
import signal
import time

import pytest

from harness import Posta, wait_until
from harness.auth_client import AuthClient, Scram, b64, parse
from harness.connection import Closed

USER = 'alice@example.test'


def sock(posta, name='authd'):
    return posta.dir / 'queue/private' / name


def client(posta, **kw):
    return AuthClient(sock(posta), **kw)


def users(posta, *lines):
    """Other users; the old file is replaced, as an editor does."""
    path = posta.dir / 'users'
    new = path.with_suffix('.new')
    new.write_text(''.join(line + '\n' for line in lines))
    shutil.copystat(path, new)
    st = path.stat()
    os.chown(new, st.st_uid, st.st_gid)
    new.chmod(0o640)
    os.utime(new)
    new.rename(path)


@pytest.fixture(scope='module')
def posta():
    with Posta() as p:
        yield p


def test_plain(posta):
    with client(posta) as c:
        assert c.greeting[0] == 'VERSION\t1\t2'
        assert any(re.fullmatch(r'COOKIE\t[0-9a-f]{32}', g) for g in c.greeting)
        assert c.plain(USER, 'secret') == ('OK', {'user': USER})
        assert c.plain(USER, 'wrong') == ('FAIL', {'user': USER})
        # Nobody can see who exists.
        assert c.plain('nobody@example.test', 'wrong') == (
            'FAIL', {'user': 'nobody@example.test'})
        assert c.plain('ALICE@Example.TEST', 'secret')[1]['user'] == USER


def test_authorization_identity(posta):
    with client(posta) as c:
        assert c.plain(USER, 'secret', authzid=USER)[0] == 'OK'
        verb, fields = c.plain(USER, 'secret', authzid='bob@example.test')
        assert verb == 'FAIL' and fields['code'] == 'authz_fail'


def test_login(posta):
    with client(posta) as c:
        n = c.auth('LOGIN')
        assert c.line() == f'CONT\t{n}\t{b64("Username:")}'
        c.cont(n, USER)
        assert c.line() == f'CONT\t{n}\t{b64("Password:")}'
        c.cont(n, 'secret')
        assert parse(c.line())[0] == 'OK'


def test_user_data(posta):
    with client(posta) as c:
        verb, fields = c.plain(USER, 'secret', more=('secured',))
    assert verb == 'OK' and fields['user'] == USER
    assert fields['home'].endswith('/example.test/alice')
    assert fields['uid'].isdigit() and fields['gid'].isdigit()


def test_cleartext_is_refused(posta):
    with client(posta) as c:
        verb, fields = c.plain(USER, 'secret', more=('nologin',))
    assert verb == 'FAIL' and 'non-secure' in fields['reason']


def test_many_at_once_on_one_connection(posta):
    with client(posta) as c:
        c.send(*(f'AUTH\t{n}\tPLAIN\tservice=smtp\tsecured\tnologin\tresp='
                 + b64(f'\0{USER}\0' + ('secret' if n % 2 else 'wrong'))
                 for n in range(1, 201)))
        answers = {}
        for _ in range(200):
            line = c.line()
            answers[int(line.split('\t')[1])] = line.split('\t')[0]
        assert answers == {n: 'OK' if n % 2 else 'FAIL'
                           for n in range(1, 201)}


def test_cancel(posta):
    with client(posta) as c:
        n = c.auth('LOGIN')
        c.line()
        c.send(f'CANCEL\t{n}')
        # The number is free, and nothing was answered.
        c.number -= 1
        assert c.plain(USER, 'secret')[0] == 'OK'
        # A failure that waits is dropped too.
        n = c.auth('PLAIN', f'\0{USER}\0wrong again')
        c.send(f'CANCEL\t{n}')
        assert c.plain(USER, 'secret')[0] == 'OK'


@pytest.mark.parametrize('lines', [
    ['AUTH\t1\tPLAIN\tservice=smtp'],
    ['VERSION\t2\t0', 'CPID\t1'],
    ['VERSION\t1\t1', 'AUTH\tx\tPLAIN\tservice=smtp'],
    ['VERSION\t1\t1', 'AUTH'],
    ['VERSION\t1\t1', 'AUTH\t1'],
    ['VERSION\t1\t1', 'AUTH\t1\tLOGIN\tservice=smtp\tsecured',
     'AUTH\t1\tLOGIN\tservice=smtp\tsecured'],
    ['x' * 40000],
    ['\0\xff\x01'],
    ['GET / HTTP/1.0', '', ''],
], ids=lambda lines: lines[-1][:20].encode('unicode_escape').decode() or 'empty')
def test_what_is_no_protocol_is_cut_off(posta, lines):
    with client(posta, greet=False) as c:
        try:
            c.send(*lines)
        except (BrokenPipeError, ConnectionResetError):
            return
        while c.line() is not None:
            pass
    with client(posta) as c:
        assert c.plain(USER, 'secret')[0] == 'OK'


def test_base64_that_is_none(posta):
    """It is the mail client's, not the auth client's."""
    with client(posta) as c:
        c.send('AUTH\t7\tPLAIN\tservice=smtp\tsecured\tresp=%%%')
        verb, fields = parse(c.line())
        assert verb == 'FAIL' and 'base64' in fields['reason']
        n = c.auth('LOGIN')
        c.line()
        c.send(f'CONT\t{n}\t%%%')
        assert parse(c.line())[0] == 'FAIL'
        c.send(f'CONT\t{n}\t')
        assert parse(c.line())[0] == 'FAIL'
        assert c.plain(USER, 'secret')[0] == 'OK'


def test_unknown_words_are_ignored(posta):
    with client(posta, greet=False) as c:
        c.send('VERSION\t1\t9\tmore', 'SERVICE\tSMTP', 'CPID\t7', 'HELLO\tx')
        assert c.plain(USER, 'secret',
                       more=('secured', 'nologin', 'new=thing', 'flag'))
        while (line := c.line()) and not line.startswith('OK'):
            pass
        assert line


def test_files_are_read_again(posta):
    with Posta() as p, client(p) as c:
        assert list(c.mechs) == ['PLAIN', 'LOGIN']
        assert c.plain(USER, 'secret')[0] == 'OK'
        users(p, f'{USER}:{{PLAIN}}new secret::::')
        wait_until(lambda: c.plain(USER, 'new secret')[0] == 'OK',
                   'the new password')
        assert c.plain(USER, 'secret')[0] == 'FAIL'
        # And now there are credentials for it.
        with client(p) as again:
            assert 'SCRAM-SHA-256' in again.mechs
            assert 'CRAM-MD5' not in again.mechs


def scram_login(c, mech, scram, more=('secured', 'nologin')):
    n = c.auth(mech, scram.first, more=more)
    verb, _, data = c.line().split('\t')
    assert verb == 'CONT'
    c.cont(n, scram.final(base64.b64decode(data).decode()))
    line = c.line()
    if line.startswith('CONT'):
        assert base64.b64decode(line.split('\t')[2]).decode() == \
            f'v={scram.verifier}'
        c.cont(n, '')
        line = c.line()
    return parse(line)


def test_scram():
    with Posta() as p:
        users(p, f'{USER}:{{PLAIN}}secret::::')
        wait_until(lambda: 'SCRAM-SHA-1' in client(p).mechs, 'SCRAM')
        with client(p) as c:
            for mech, digest in (('SCRAM-SHA-256', 'sha256'),
                                 ('SCRAM-SHA-1', 'sha1')):
                assert scram_login(c, mech, Scram(USER, 'secret', digest)) == (
                    'OK', {'user': USER})
                # It needs no TLS, and its final data can come with the OK.
                verb, fields = scram_login(
                    c, mech, s := Scram(USER, 'secret', digest),
                    more=('nologin', 'final-resp-ok'))
                assert verb == 'OK'
                assert base64.b64decode(fields['resp']).decode() == \
                    f'v={s.verifier}'
            assert scram_login(c, 'SCRAM-SHA-256', Scram(USER, 'wrong')) == (
                'FAIL', {'user': USER})
            # Who does not exist is asked like anybody.
            assert scram_login(c, 'SCRAM-SHA-256',
                               Scram('nobody@x.test', 'x'))[0] == 'FAIL'
            # Bound to the connection.
            binding = ('tls-exporter', os.urandom(32))
            more = ('secured=tls', 'nologin',
                    f'binding={binding[0]}:{b64(binding[1])}')
            assert scram_login(c, 'SCRAM-SHA-256-PLUS',
                               Scram(USER, 'secret', binding=binding),
                               more=more)[0] == 'OK'
            assert scram_login(c, 'SCRAM-SHA-256-PLUS',
                               Scram(USER, 'secret', binding=(
                                   'tls-exporter', b'x' * 32)),
                               more=more)[0] == 'FAIL'
        p.wait_log(rf'passwd-file\({USER},192.0.2.1\): Password mismatch')


def test_cram_and_external():
    with Posta(settings={'auth_mechanisms': 'CRAM-MD5 EXTERNAL PLAIN'}) as p:
        users(p, f'{USER}:{{PLAIN}}secret::::',
              'off@x.test:{PLAIN}secret::::::nologin')
        wait_until(lambda: 'CRAM-MD5' in client(p).mechs, 'CRAM-MD5')
        with client(p) as c:
            for password, verb in ('secret', 'OK'), ('wrong', 'FAIL'):
                n = c.auth('CRAM-MD5', more=('nologin',))
                challenge = base64.b64decode(c.line().split('\t')[2])
                mac = hmac.new(password.encode(), challenge, 'md5').hexdigest()
                c.cont(n, f'{USER} {mac}')
                assert parse(c.line())[0] == verb
            cert = ('secured=tls', 'nologin', 'valid-client-cert')
            for name, more, verb in (
                    (USER, cert, 'OK'), ('nobody@x.test', cert, 'FAIL'),
                    ('off@x.test', cert, 'FAIL'), (USER, cert[:2], 'FAIL')):
                c.auth('EXTERNAL', '', more=(*more, f'cert_username={name}'))
                assert parse(c.line())[0] == verb, name
            c.auth('EXTERNAL', 'bob@example.test',
                   more=(*cert, f'cert_username={USER}'))
            assert parse(c.line())[1]['code'] == 'authz_fail'
            # What is not in the list is not there.
            n = c.auth('SCRAM-SHA-256', 'n,,n=x,r=y')
            assert 'Unsupported' in parse(c.line())[1]['reason']


def test_a_file_that_only_root_can_read():
    """A change takes new processes, which take over by themselves."""
    with Posta(start=False) as p:
        os.chmod(p.dir / 'users', 0o600)
        if os.getuid() == 0:
            os.chown(p.dir / 'users', 0, 0)
            checked = p.posta('check').stderr
            assert 'cannot read' in checked and 'chmod 640' in checked
        p.start()
        with client(p) as c:
            assert c.plain(USER, 'secret')[0] == 'OK'
        path = p.dir / 'users'
        path.write_text(f'{USER}:{{PLAIN}}other::::\n')
        os.chmod(path, 0o600)

        def other():
            with client(p) as c:
                return c.plain(USER, 'other')[0] == 'OK'
        wait_until(other, 'the new password')


def test_lines_of_users():
    """Disabled, allow_nets, application passwords, extra fields."""
    with Posta() as p:
        users(p,
              'off@x.test:{PLAIN}secret::::::nologin',
              'net@x.test:{PLAIN}secret::::::allow_nets=192.0.2.0/24',
              'app@x.test:{PLAIN}secret:5:6::/h/%n::userdb_quota=9 note=hi '
              'posta_app_3=smtp|1|phone|{PLAIN}for+smtp '
              'posta_app_4=imap|1|tablet|{PLAIN}forimap')
        with client(p) as c:
            wait_until(lambda: c.plain('app@x.test', 'secret')[0] == 'OK',
                       'the users')
            assert c.plain('off@x.test', 'secret')[1]['code'] == \
                'user_disabled'
            assert 'code' not in c.plain('off@x.test', 'wrong')[1]
            assert c.plain('net@x.test', 'secret')[0] == 'OK'
            assert c.plain('net@x.test', 'secret', rip='198.51.100.1') == (
                'FAIL', {'user': 'net@x.test'})
            verb, fields = c.plain('app@x.test', 'for+smtp', more=('secured',))
            assert verb == 'OK'
            assert fields == {'user': 'app@x.test', 'uid': '5', 'gid': '6',
                              'home': '/h/app', 'quota': '9', 'note': 'hi'}
            assert c.plain('app@x.test', 'forimap')[0] == 'FAIL'
            assert c.plain('app@x.test', 'forimap', service='imap')[0] == 'OK'
            assert c.plain('app@x.test', 'for+smtp', service='imap')[0] == \
                'FAIL'
            # What is known of a user, for who delivers his mail.
            c.send('USER\t90\tapp@x.test\tservice=lda', 'USER\t91\tno@x.test')
            answer = c.line().split('\t')
            assert answer[:3] == ['USER', '90', 'app@x.test']
            assert set(answer[3:]) == {'uid=5', 'gid=6', 'home=/h/app',
                                       'quota=9'}
            assert c.line() == 'NOTFOUND\t91'
        # When it was used is written down.
        data = (p.dir / 'queue/auth/last-use').read_bytes()
        assert data.count(b'imap\0') == 1


def test_names(posta):
    with Posta(settings={'auth_default_realm': 'example.test'}) as p, \
            client(p) as c:
        assert c.plain('Alice', 'secret') == ('OK', {'user': USER})
        verb, fields = c.plain('a b', 'secret')
        assert (verb, fields) == ('FAIL', {})
        c.plain('x,6.6.6.6): unknown user', 'secret')
        p.wait_log(r'passwd-file\(x\?6\.6\.6\.6\?\?\?unknown\?user,192')
        c.auth('PLAIN', '\0' + 'a' * 300 + '\0secret')
        assert parse(c.line())[0] == 'FAIL'


def test_static_and_order():
    with Posta(settings={
            'auth_password_sources':
                'passwd-file:/nowhere/users { static:nopassword note=x }',
            'auth_user_sources': '{ static:uid=7 gid=8 home=/h/%d/%n }'}) as p, \
            client(p) as c:
        assert c.plain('any@x.test', 'thing', more=('secured',)) == (
            'OK', {'user': 'any@x.test', 'uid': '7', 'gid': '8',
                   'home': '/h/x.test/any', 'note': 'x'})
        p.wait_log('warning: .*/nowhere/users')


def test_a_source_that_fails_is_no_wrong_password():
    with Posta(settings={'auth_password_sources':
                         'passwd-file:/nowhere/users'}) as p, client(p) as c:
        assert c.plain(USER, 'secret')[1]['code'] == 'temp_fail'


def test_throttle_and_its_file():
    with Posta(settings={'auth_failure_delay': '0s'}) as p:
        with client(p) as c:
            assert c.plain(USER, 'secret', rip='198.51.100.9')[0] == 'OK'
            for n in range(30):
                assert c.plain(USER, f'wrong{n}')[0] == 'FAIL'
            # By now even the right one is not looked at.
            assert c.plain(USER, 'secret') == ('FAIL', {'user': USER})
            # From elsewhere it is; and from where he has been before.
            assert c.plain(USER, 'secret', rip='203.0.113.5')[0] == 'OK'
            assert c.plain(USER, 'secret', rip='198.51.100.9')[0] == 'OK'
            # The same wrong password over and over is no guessing.
            for _ in range(30):
                c.plain('bob@example.test', 'old one', rip='203.0.113.77')
            assert c.plain('bob@example.test', 'secret',
                           rip='203.0.113.77')[0] == 'OK'
        p.wait_log('not checked: too many failures')
        p.stop()
        p.start()
        with client(p) as c:
            assert c.plain(USER, 'secret') == ('FAIL', {'user': USER})


def test_failures_take_the_same_time():
    """Unknown user, wrong password, not looked at: by the clock of the
    answers' order, as all began at once."""
    with Posta(settings={'auth_failure_delay': '1s'}) as p, client(p) as c:
        start = time.monotonic()
        names = [USER, 'nobody@example.test', 'a b', 'bob@example.test']
        for name in names:
            c.auth('PLAIN', f'\0{name}\0wrong')
        ends = []
        for _ in names:
            assert parse(c.line())[0] == 'FAIL'
            ends.append(time.monotonic() - start)
        assert min(ends) >= 0.99


def workers(p, role, kind='worker'):
    return [e['pid'] for e in p.status()['processes']
            if e['role'] == role and e['kind'] == kind]


def test_results_are_cached():
    """With nobody to ask: what was found out before is known."""
    with Posta(may_die=True) as p, client(p) as c:
        assert c.plain(USER, 'secret')[0] == 'OK'
        assert c.plain(USER, 'wrong')[0] == 'FAIL'
        sock(p, 'auth-worker').unlink()
        for pid in workers(p, 'auth-worker'):
            p.kill(pid)
        assert c.plain(USER, 'secret')[0] == 'OK'
        assert c.plain(USER, 'wrong') == ('FAIL', {'user': USER})
        assert c.plain(USER, 'new')[1]['code'] == 'temp_fail'


def test_reload_under_way():
    """No login fails while templates and workers are replaced."""
    with Posta(settings={'auth_cache_size': '0'}) as p:
        connections = [client(p)]

        def asked():
            """A closed connection is made again."""
            try:
                return connections[0].plain(USER, 'secret')
            except (AttributeError, OSError):
                connections[0].close()
            try:
                connections[0] = client(p)
            except (Closed, OSError):
                pass
            return None
        for turn in range(60):
            if turn % 20 == 10:
                p.reload()
            verb, fields = wait_until(asked, 'an answer')
            assert verb == 'OK', fields
        connections[0].close()


def test_a_worker_that_dies():
    """Idle, and with a question: at worst that one fails for now."""
    with Posta(settings={'auth_cache_size': '0'}, may_die=True) as p, \
            client(p) as c:
        assert c.plain(USER, 'secret')[0] == 'OK'
        for pid in workers(p, 'auth-worker'):
            p.kill(pid)
        assert c.plain(USER, 'secret')[0] == 'OK'
        stopped = workers(p, 'auth-worker')
        for pid in stopped:
            p.kill(pid, signal.SIGSTOP)
        c.auth('PLAIN', f'\0{USER}\0secret')
        for pid in stopped:
            p.kill(pid)
        verb, fields = parse(c.line())
        assert verb == 'OK' or fields['code'] == 'temp_fail'
        wait_until(lambda: c.plain(USER, 'secret')[0] == 'OK', 'a new worker')


def test_a_check_that_takes_too_long():
    with Posta(settings={'auth_cache_size': '0',
                         'auth_check_timeout': '5s'}) as p, client(p) as c:
        assert c.plain(USER, 'secret')[0] == 'OK'
        stopped = workers(p, 'auth-worker')
        for pid in stopped:
            p.kill(pid, signal.SIGSTOP)
        verb, fields = c.plain(USER, 'secret')
        assert verb == 'OK' or fields['code'] == 'temp_fail'
        for pid in stopped:
            p.kill(pid, signal.SIGCONT)
        wait_until(lambda: c.plain(USER, 'secret')[0] == 'OK', 'the worker')


def test_another_row_serves_others():
    row = 'auth unix n - n - - authd\n'
    with Posta(services=row) as p:
        with AuthClient(p.dir / 'queue/public/auth') as c:
            assert c.plain(USER, 'secret')[0] == 'OK'


def test_nobody_else_may_ask_the_checkers(posta):
    """As root the checkers' sockets answer auth_owner alone."""
    import socket
    if os.getuid() != 0:
        return
    for name in 'auth-worker', 'auth-pam':
        s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        s.settimeout(120)
        s.connect(str(sock(posta, name)))
        assert s.recv(100) == b''
        s.close()
    posta.wait_log('of user 0 may not ask here', count=2)
