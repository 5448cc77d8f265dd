"""Passwords and users from elsewhere: PAM, shadow, LDAP, token servers."""
import http.server
import json
import os
import pathlib
import ssl
import subprocess
import threading
import urllib.parse

import pytest

from harness import Authority, Posta, Slapd
from harness.accounts import Accounts
from harness.auth_client import AuthClient, b64, parse
from harness.ports import free_port, give_back


def client(posta, **kw):
    return AuthClient(posta.dir / 'queue/private/authd', **kw)


def crypted(password):
    return subprocess.run(['openssl', 'passwd', '-6', '-stdin'], text=True,
                          input=password, stdout=subprocess.PIPE,
                          check=True).stdout.strip()


UNIX = 'auth required pam_unix.so\naccount required pam_unix.so\n'
STRICT = '''
auth required pam_unix.so
account required pam_access.so accessfile=%s
account required pam_unix.so
'''


if os.getuid() == 0:  # accounts of the system

    def test_pam():
        """Real accounts of the system, with master's and auth-pam's rights."""
        hashed = crypted('pw of anna')
        shadow = {'anna': hashed, 'ben': '!' + hashed, 'carl': hashed + ':1:0:9:7::2:'}
        with Accounts(settings={'auth_password_sources': 'pam',
                                'auth_user_sources': 'passwd'},
                      shadow=shadow, pam={'posta': UNIX}) as p, client(p) as c:
            verb, fields = c.plain('anna', 'pw of anna', more=('secured',))
            assert verb == 'OK' and fields == {
                'user': 'anna', 'uid': str(p.uid('anna')),
                'gid': str(p.uid('anna')), 'home': str(p.home / 'anna')}
            assert c.plain('anna', 'wrong') == ('FAIL', {'user': 'anna'})
            assert c.plain('nobody-here', 'wrong') == ('FAIL',
                                                       {'user': 'nobody-here'})
            assert c.plain('ben', 'pw of anna') == ('FAIL', {'user': 'ben'})
            assert c.plain('carl', 'pw of anna')[1]['code'] in (
                'user_disabled', 'pass_expired')
            # From the cache, and after shadow has changed not from there.
            assert c.plain('anna', 'pw of anna')[0] == 'OK'
            p.wait_log(r'auth: pam\(anna,192.0.2.1\): Password mismatch')
            p.wait_log(r'auth: pam\(nobody-here,192.0.2.1\): unknown user')
            # A few capabilities, and not more.
            worker, = [e['pid'] for e in p.status()['processes']
                       if e['role'] == 'auth-pam' and e['kind'] == 'worker'][:1]
            status = open(f'/proc/{worker}/status').read()
            caps = int(status.split('CapEff:')[1].split()[0], 16)
            assert caps & ~(1 << 6 | 1 << 7 | 1 << 29) == 0, hex(caps)

    def test_pam_service_and_account_rules(tmp_path):
        rules = tmp_path / 'access'
        rules.write_text('- : ben : ALL\n')
        hashed = crypted('secret')
        with Accounts(settings={'auth_password_sources': 'pam:mail',
                                'auth_user_sources': 'passwd'},
                      shadow={'anna': hashed, 'ben': hashed},
                      pam={'mail': STRICT % rules}) as p, client(p) as c:
            assert c.plain('anna', 'secret')[0] == 'OK'
            assert c.plain('ben', 'secret')[0] == 'FAIL'

    def test_shadow():
        hashed = crypted('secret')
        shadow = {'anna': hashed, 'ben': '*', 'carl': hashed + ':1:0:9:7:::'}
        with Accounts(settings={'auth_password_sources': 'shadow',
                                'auth_user_sources': 'passwd'},
                      shadow=shadow) as p, client(p) as c:
            assert c.plain('anna', 'secret')[0] == 'OK'
            assert c.plain('anna', 'wrong')[0] == 'FAIL'
            assert c.plain('ben', 'secret') == ('FAIL', {'user': 'ben'})
            assert c.plain('carl', 'secret')[1]['code'] == 'pass_expired'
            assert c.plain('nobody-here', 'secret')[0] == 'FAIL'


def secret(posta, name, text):
    """A file beside main.cf, for auth_owner's eyes."""
    path = posta.write(name, text)
    path.chmod(0o640)
    os.chown(path, 0 if os.getuid() == 0 else -1,
             (posta.dir / 'users').stat().st_gid)
    return path


def public(posta, name, file):
    """A copy that auth_owner can read."""
    path = posta.write(name, pathlib.Path(file).read_text())
    path.chmod(0o644)
    return path


# ---- LDAP

PEOPLE = '''
dn: ou=people,dc=x,dc=test
objectClass: organizationalUnit
ou: people

dn: uid=alice,ou=people,dc=x,dc=test
objectClass: account
objectClass: posixAccount
uid: alice
cn: Alice
uidNumber: 1234
gidNumber: 1235
homeDirectory: /home/alice
userPassword: secret

dn: uid=bob,ou=people,dc=x,dc=test
objectClass: account
objectClass: posixAccount
uid: bob
cn: Bob
uidNumber: 1236
gidNumber: 1235
homeDirectory: /home/bob
userPassword: secret2
'''

SEARCH = '''
base = ou=people,dc=x,dc=test
filter = (&(objectClass=posixAccount)(uid=%n))
'''


def ldap_posta(text, more=None, ca=None):
    """An instance with one directory; the file is made before it starts."""
    p = Posta(start=False)
    if ca:
        text += f'tls_ca_file = {public(p, "ca", ca)}\n'
    path = secret(p, 'ldap', text)
    p.set(auth_password_sources=f'ldap:{path}',
          auth_user_sources=f'ldap:{path}', **(more or {}))
    p.autostart = True
    return p


def try_directory(p):
    with p, client(p) as c:
        verb, fields = c.plain('alice', 'secret', more=('secured',))
        assert verb == 'OK', p.log_text()
        assert fields == {'user': 'alice', 'uid': '1234', 'gid': '1235',
                          'home': '/home/alice'}
        assert c.plain('alice', 'wrong') == ('FAIL', {'user': 'alice'})
        assert c.plain('carol', 'secret') == ('FAIL', {'user': 'carol'})
        for trick in '*', 'alice)(uid=*', 'alice,ou=people', 'a*':
            assert c.plain(trick, 'secret')[0] == 'FAIL'
        assert c.plain('bob', 'secret2')[0] == 'OK'
        assert c.plain('bob', 'secret')[0] == 'FAIL'
        assert 'temp_fail' not in p.log_text()


def test_ldap_search_and_bind():
    with Slapd(PEOPLE) as directory:
        try_directory(ldap_posta(
            f'uris = {directory.uri}\n{SEARCH}'
            f'bind_dn = {directory.admin}\nbind_password = secret\n',
            {'auth_username_chars': ''}))


def test_ldap_template_and_starttls():
    with Slapd(PEOPLE) as directory:
        try_directory(ldap_posta(
            f'uris = {directory.uri}\ntls = starttls\n{SEARCH}'
            'bind_template = uid=%n,ou=people,dc=x,dc=test\n',
            {'auth_username_chars': ''}, directory.ca))


def test_ldaps_and_a_certificate_of_somebody_else(tmp_path):
    other = Authority(tmp_path)
    with Slapd(PEOPLE) as directory:
        try_directory(ldap_posta(
            f'uris = {directory.uris}\n{SEARCH}',
            {'auth_username_chars': ''}, directory.ca))
        for uri, more in ((directory.uris, ''),
                          (directory.uri, 'tls = starttls\n')):
            with ldap_posta(f'uris = {uri}\n{more}{SEARCH}',
                            ca=other.ca) as p, client(p) as c:
                assert c.plain('alice', 'secret')[1]['code'] == 'temp_fail'


def test_ldap_long_values():
    """What his entry has too much of keeps nobody from logging in."""
    long = 'x' * 70000
    people = PEOPLE.replace('cn: Alice\n', f'cn: Alice\ndescription: {long}\n')
    fields = ('fields = description=about uidNumber=uid gidNumber=gid '
              'homeDirectory=home\n')
    assert long in people
    with Slapd(people) as directory:
        try_directory(ldap_posta(f'uris = {directory.uri}\n{SEARCH}{fields}',
                                 {'auth_username_chars': ''}))


def test_ldap_goes_and_comes_back():
    with Slapd(PEOPLE) as directory:
        with ldap_posta(f'uris = {directory.uri}\n{SEARCH}',
                        {'auth_cache_size': '0'}) as p, client(p) as c:
            assert c.plain('alice', 'secret')[0] == 'OK'
            directory.stop()
            assert c.plain('alice', 'secret')[1]['code'] == 'temp_fail'
            assert c.plain('alice', 'wrong')[1]['code'] == 'temp_fail'
            directory.start()
            assert c.plain('alice', 'secret')[0] == 'OK'


# ---- tokens

class TokenServer:
    """Introspection (RFC 7662) by HTTPS: what `tokens` says, after the client's
    own name and password."""

    def __init__(self, tokens, folder):
        self.tokens, self.seen = tokens, []
        self.port = free_port()
        self.authority = Authority(folder)
        cert, key = self.authority.sign('localhost')
        self.url = f'https://localhost:{self.port}/introspect'
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers['Content-Length']))
                form = urllib.parse.parse_qs(body.decode())
                outer.seen.append(form)
                good = self.headers['Authorization'] == \
                    'Basic ' + b64('posta:shh')
                answer = outer.tokens.get(form['token'][0],
                                          {'active': False})
                data = json.dumps(answer).encode() \
                    if isinstance(answer, dict) else answer
                self.send_response(200 if good else 401)
                self.send_header('Content-Length', str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, *args):
                pass

        self.server = http.server.ThreadingHTTPServer(
            ('127.0.0.1', self.port), Handler)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(cert, key)
        self.server.socket = context.wrap_socket(self.server.socket,
                                                 server_side=True)

    def __enter__(self):
        self.thread = threading.Thread(target=self.server.serve_forever)
        self.thread.start()
        return self

    def __exit__(self, *exc):
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()
        give_back([self.port])


USER = 'alice@example.test'
TOKENS = {
    'good+/=': {'active': True, 'username': USER, 'scope': 'mail profile'},
    'old': {'active': True, 'username': USER, 'scope': 'mail', 'exp': 5},
    'other': {'active': True, 'username': USER, 'scope': 'calendar'},
    'nameless': {'active': True, 'scope': 'mail'},
    'junk': b'<html>',
    'huge': b'{"active":true,"x":"' + b'y' * 200000 + b'"}',
}


def bearer(user, token):
    return f'n,a={user},\x01auth=Bearer {token}\x01\x01'


def xoauth(user, token):
    return f'user={user}\x01auth=Bearer {token}\x01\x01'


def oauth_login(c, mech, resp, more=('secured', 'nologin')):
    n = c.auth(mech, resp, more=more)
    line = c.line()
    if line.startswith('CONT'):
        c.cont(n, '\x01')
        line = c.line()
    return parse(line)


@pytest.fixture(scope='module')
def tokens(tmp_path_factory):
    with TokenServer(TOKENS, tmp_path_factory.mktemp('tokens')) as s:
        yield s


def oauth_posta(server, ca):
    p = Posta(start=False)
    path = secret(p, 'oauth', f'introspection_url = {server.url}\n'
                  'client_id = posta\nclient_secret = shh\nscope = mail\n'
                  f'tls_ca_file = {public(p, "ca", ca)}\n')
    p.set(auth_password_sources=f'$default_users oauth:{path}',
          default_users=f'passwd-file:{p.dir}/users',
          auth_user_sources='$default_users')
    p.autostart = True
    return p


def test_tokens(tokens):
    with oauth_posta(tokens, tokens.authority.ca) as p, client(p) as c:
        assert {'PLAIN', 'OAUTHBEARER', 'XOAUTH2'} <= set(c.mechs)
        assert oauth_login(c, 'OAUTHBEARER', bearer(USER, 'good+/=')) == (
            'OK', {'user': USER}), p.log_text()
        verb, fields = oauth_login(c, 'XOAUTH2', xoauth(USER, 'good+/='),
                                   more=('secured',))
        assert verb == 'OK' and 'uid' in fields
        for token in 'old', 'other', 'unknown':
            verb, fields = oauth_login(c, 'XOAUTH2', xoauth(USER, token))
            assert (verb, fields.get('code')) == ('FAIL', None)
        for token in 'nameless', 'junk', 'huge':
            assert oauth_login(c, 'XOAUTH2', xoauth(USER, token))[1]['code'] \
                == 'temp_fail'
        # A token of somebody else.
        verb, fields = oauth_login(c, 'OAUTHBEARER',
                                   bearer('bob@example.test', 'good+/='))
        assert (verb, fields.get('code')) == ('FAIL', None)
        # It is no password, and a password no token.
        assert c.plain(USER, 'good+/=')[0] == 'FAIL'
        assert oauth_login(c, 'OAUTHBEARER',
                           bearer(USER, 'good+/='), more=('nologin',))[0] == \
            'FAIL'
        assert c.plain(USER, 'secret')[0] == 'OK'
        assert 'good+/=' not in p.log_text()


def test_token_server_of_somebody_else(tokens, tmp_path):
    other = Authority(tmp_path)
    seen = len(tokens.seen)
    with oauth_posta(tokens, other.ca) as p, client(p) as c:
        assert oauth_login(c, 'XOAUTH2', xoauth(USER, 'good+/='))[1]['code'] \
            == 'temp_fail'
        p.wait_log('certificate')
    assert len(tokens.seen) == seen  # the token was not shown to it


def test_a_source_that_cannot_be_is_said():
    with Posta(start=False) as p:
        path = p.write('oauth', 'introspection_url = http://x.test/\n')
        p.set(auth_password_sources=f'oauth:{path} nonsense:x')
        done = p.posta('check', check=False)
        assert done.returncode != 0
        assert 'nonsense:x: there is no source of that type' in \
            done.stdout + done.stderr
