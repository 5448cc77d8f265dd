#!/usr/bin/env python3
"""make demo: a mail server takes a message from a user who logs in, shows it to
the one it is for, relays one and bounces one.

Two instances and a name server start on loopback. Each step shows the
protocol as it went over the wire. On a terminal everything goes on running
until Ctrl-C; without one it stops by itself. The exit status is 0 only if
every step did what it says.
"""
import base64
import os
import pathlib
import re
import socket
import ssl
import sys
import time

os.environ.setdefault('POSTA_BUILD',
                      str(pathlib.Path(sys.argv[1]).parent
                          if len(sys.argv) > 1 else ''))
sys.path.insert(0, str(pathlib.Path(__file__).parent / 'system'))

from harness import NameServer, Posta, wait_until  # noqa: E402

PASSWORDS = {'alice': 'wonderland-7', 'bob': 'builder-42'}
COLOUR = sys.stdout.isatty()


def paint(code, text):
    return f'\033[{code}m{text}\033[0m' if COLOUR else text


def heading(text):
    print('\n' + paint('1', f'== {text}'))


def show(text, indent='    '):
    for line in text.splitlines():
        print(indent + paint('2', line))


class Client:
    """An SMTP client that prints what goes over the wire, but no password."""

    def __init__(self, port, tls=False):
        self.socket = socket.create_connection(('127.0.0.1', port), 60)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if tls:
            self.encrypt()
        self.file = self.socket.makefile('rb')
        self.reply()

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.file.close()
        self.socket.close()

    def encrypt(self):
        """Whose certificate it is nobody can tell: it was made a moment ago."""
        context = ssl.create_default_context()
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        self.socket = context.wrap_socket(self.socket)
        self.file = self.socket.makefile('rb')
        print('    ' + paint('35', f'-- {self.socket.version()}, '
                             f'{self.socket.cipher()[0]}'))

    def reply(self):
        while True:
            line = self.file.readline().decode().rstrip('\r\n')
            print('    ' + paint('32', f'S: {line}'))
            if line[3:4] != '-':
                return line

    def say(self, line, shown=None):
        print('    ' + paint('36', f'C: {shown or line}'))
        self.socket.sendall(line.encode() + b'\r\n')
        return self.reply()

    def expect(self, want, line, shown=None):
        got = self.say(line, shown)
        if not got.startswith(want):
            raise AssertionError(f'{shown or line}: {got}')
        return got

    def starttls(self):
        self.expect('220', 'STARTTLS')
        self.file.close()
        self.encrypt()

    def log_in(self, user, password, want='235'):
        secret = base64.b64encode(f'\0{user}\0{password}'.encode()).decode()
        return self.expect(want, f'AUTH PLAIN {secret}',
                           f'AUTH PLAIN (as {user}, the password is not shown)')

    def send(self, lines, message):
        """The queue id."""
        for line in lines + ['DATA']:
            self.expect('3' if line == 'DATA' else '2', line)
        for line in message.splitlines():
            print('    ' + paint('36', f'C: {line}'))
            self.socket.sendall(line.encode() + b'\r\n')
        last = self.expect('250 2.0.0 Ok: queued as ', '.')
        self.expect('221', 'QUIT')
        return last.rsplit(' ', 1)[1]


class Reader(Client):
    """The same for IMAP and POP3, whose answers end otherwise."""

    def reply(self, ends=r'\* OK|\+OK'):
        """Up to the line that begins so; all of them."""
        lines = []
        while not lines or not re.match(ends, lines[-1]):
            line = self.file.readline().decode()
            if not line:
                raise AssertionError(f'the connection has ended: {lines}')
            lines.append(line.rstrip('\r\n'))
            print('    ' + paint('32', f'S: {lines[-1]}'))
        return lines

    def ask(self, line, ends, shown=None):
        print('    ' + paint('36', f'C: {shown or line}'))
        self.socket.sendall(line.encode() + b'\r\n')
        return self.reply(ends)

    def imap(self, tag, command, shown=None):
        got = self.ask(f'{tag} {command}', f'{tag} ',
                       shown and f'{tag} {shown}')
        if not got[-1].startswith(f'{tag} OK'):
            raise AssertionError(f'{shown or command}: {got[-1]}')
        return got

    def pop(self, command, shown=None, many=False):
        got = self.ask(command, r'\.$|-ERR' if many else r'\+OK|-ERR', shown)
        if not got[0].startswith('+OK'):
            raise AssertionError(f'{shown or command}: {got[0]}')
        return got


def message(sender, to, subject, body):
    return (f'From: {sender}\nTo: {to}\nSubject: {subject}\n'
            f'Date: {time.strftime("%a, %d %b %Y %H:%M:%S +0000", time.gmtime())}\n'
            f'Message-ID: <{time.time()}@client.test>\n\n{body}\n')


def session(sender, rcpt):
    return [f'MAIL FROM:<{sender}>', f'RCPT TO:<{rcpt}>']


def talk(posta, lines, message):
    """As another server, in the clear; the queue id."""
    with Client(posta.port) as c:
        c.expect('250', 'EHLO client.test')
        return c.send(lines, message)


def submit(posta, user, password, lines, message):
    """As a user: STARTTLS on port 587, then a login."""
    with Client(posta.base + 587) as c:
        c.expect('250', 'EHLO laptop.test')
        c.starttls()
        c.expect('250', 'EHLO laptop.test')
        c.log_in(user, password)
        return c.send(lines, message)


def log_of(posta, queue_id):
    heading_line = f'The log says of {queue_id}:'
    print(f'  {heading_line}')
    for line in posta.log_text().splitlines():
        if f' {queue_id}: ' in line:
            show(line)


def log_in_and_send(home):
    heading('1. Alice logs in, encrypted, and writes to Bob')
    text = ('From: Alice <alice@home.test>\nTo: bob@home.test\n'
            'Bcc: carol@away.test\nSubject: Hello Bob\n\n'
            'This was sent after a login.\n')
    queue_id = submit(home, 'alice@home.test', PASSWORDS['alice'],
                      session('alice@home.test', 'bob@home.test'), text)
    got = home.wait_maildir('bob', 1)[0].decode()
    home.wait_log(rf' {queue_id}: removed')
    log_of(home, queue_id)
    print(f'  In {home.dir}/mail/home.test/bob/Maildir/new, with the Date and '
          'Message-Id that were missing, and without Bcc:')
    show(got)
    assert 'This was sent after a login.' in got and 'Bcc:' not in got
    assert re.search(r'^Date: ', got, re.M)
    assert re.search(r'^Message-Id: ', got, re.M)
    assert 'with ESMTPSA id' in got


def read_it(home):
    heading('2. Bob reads it with POP3 and with IMAP, both encrypted, and moves it')
    with Reader(home.base + 995, tls=True) as c:
        c.pop('USER bob@home.test')
        c.pop(f'PASS {PASSWORDS["bob"]}', 'PASS (not shown)')
        assert c.pop('STAT')[0].startswith('+OK 1 ')
        c.pop('UIDL', many=True)
        got = c.pop('RETR 1', many=True)
        assert 'This was sent after a login.' in got, got
        c.pop('QUIT')
    with Reader(home.base + 993, tls=True) as c:
        c.imap('a1', f'LOGIN bob@home.test {PASSWORDS["bob"]}',
               'LOGIN bob@home.test (the password is not shown)')
        c.imap('a2', 'SELECT INBOX')
        got = c.imap('a3', 'FETCH 1 (FLAGS ENVELOPE BODY[TEXT])')
        assert 'This was sent after a login.' in got, got
        print('  posta who:')
        who = home.posta('who').stdout
        show(who)
        assert re.search(r'^bob@home.test .*imap', who, re.M), who
        c.imap('a4', 'CREATE Read')
        c.imap('a5', 'MOVE 1 Read')
        got = c.imap('a6', 'STATUS Read (MESSAGES)')
        assert '* STATUS Read (MESSAGES 1)' in got, got
        c.imap('a7', 'LOGOUT')
    home.wait_log(r'imap-login: Login: user=<bob@home.test>')
    home.wait_log(r'pop3-login: Login: user=<bob@home.test>')
    print('  The log says:')
    for line in home.log_text().splitlines():
        if 'dovecot[' in line:
            show(line)


def refuse_logins(home):
    heading('3. What is refused: a login in the clear, a wrong password, '
            "someone else's address")
    with Client(home.base + 587) as c:
        c.expect('250', 'EHLO laptop.test')
        c.log_in('alice@home.test', PASSWORDS['alice'], '530')
    with Client(home.base + 465, tls=True) as c:
        c.expect('250', 'EHLO laptop.test')
        c.log_in('alice@home.test', 'guess', '535')
        c.log_in('alice@home.test', PASSWORDS['alice'])
        c.expect('250', 'MAIL FROM:<bob@home.test>')
        c.expect('553', 'RCPT TO:<carol@away.test>')
    with Client(home.port) as c:
        c.expect('250', 'EHLO laptop.test')
        c.log_in('alice@home.test', PASSWORDS['alice'], '503')
    with Reader(home.base + 143) as c:
        got = c.ask('a1 LOGIN bob@home.test whatever', 'a1 ')
        assert got[-1].startswith('a1 NO [PRIVACYREQUIRED]'), got
    home.wait_log('SASL PLAIN authentication failed')
    for secret in PASSWORDS.values():
        assert secret not in home.log_text()


def deliver_here(home):
    heading('4. Another server brings a message, which goes into a Maildir')
    queue_id = talk(home, session('dave@elsewhere.test', 'alice@home.test'),
                    message('dave@elsewhere.test', 'alice@home.test',
                            'Hello Alice', 'This came in over SMTP.'))
    got = home.wait_maildir('alice', 1)[0].decode()
    home.wait_log(rf' {queue_id}: removed')
    log_of(home, queue_id)
    print(f'  In {home.dir}/mail/home.test/alice/Maildir/new:')
    show(got)
    assert 'This came in over SMTP.' in got and 'Delivered-To:' in got


def relay(home, away):
    heading('5. A message is relayed to another server, found by its MX record')
    queue_id = submit(home, 'alice@home.test', PASSWORDS['alice'],
                      session('alice@home.test', 'carol@away.test'),
                    message('alice@home.test', 'carol@away.test', 'Hello Carol',
                            'This was relayed.'))
    got = away.wait_maildir('carol', 1)[0].decode()
    home.wait_log(rf' {queue_id}: removed')
    log_of(home, queue_id)
    print('  Carol has got, on the other server:')
    show(got)
    assert 'This was relayed.' in got


def bounce(home):
    heading('6. A message to an unknown user over there comes back')
    before = len(home.maildir('alice'))
    queue_id = submit(home, 'alice@home.test', PASSWORDS['alice'],
                      session('alice@home.test', 'nobody@away.test'),
                      message('alice@home.test', 'nobody@away.test', 'Anyone?',
                            'This will come back.'))
    got = home.wait_maildir('alice', before + 1)[-1].decode()
    home.wait_log(rf' {queue_id}: removed')
    log_of(home, queue_id)
    print('  Alice has got:')
    show(got)
    assert 'multipart/report' in got and 'This will come back.' in got
    assert re.search(r'^Status: 5\.1\.1', got, re.M)


def queue_is_empty(home, away):
    heading('7. Nothing is left in the queues')
    for posta in (home, away):
        wait_until(lambda: not posta.queue(), 'an empty queue')
        done = posta.command('mailq')
        print(f'  $ MAIL_CONFIG={posta.dir} mailq')
        show(done.stdout)
        assert done.stdout.strip() == 'Mail queue is empty'


def how_to_go_on(home):
    heading('Try it yourself')
    bin_dir = home.bin
    print(f'  mail client   IMAP           127.0.0.1, port {home.base + 993} '
          f'with TLS (or {home.base + 143} with STARTTLS)\n'
          f'                or POP3        127.0.0.1, port {home.base + 995} '
          f'with TLS (or {home.base + 110} with STARTTLS)\n'
          f'                outgoing SMTP  127.0.0.1, port {home.base + 465} '
          f'with TLS (or {home.base + 587} with STARTTLS)\n'
          '                user name alice@home.test, password '
          f'{PASSWORDS["alice"]}, "normal password";\n'
          '                user name bob@home.test, password '
          f'{PASSWORDS["bob"]}; the certificate is self-signed\n'
          f'  read          curl -k -u bob@home.test:{PASSWORDS["bob"]} '
          f'"imaps://127.0.0.1:{home.base + 993}/INBOX;MAILINDEX=1"\n'
          f'                {bin_dir}/posta -c {home.dir} who\n'
          f'  send          swaks --server 127.0.0.1:{home.base + 587} -tls '
          '--auth PLAIN --auth-user alice@home.test \\\n'
          f'                    --auth-password {PASSWORDS["alice"]} --from '
          'alice@home.test --to bob@home.test\n'
          f'  SMTP server   127.0.0.1 port {home.port}, domain home.test, '
          'mailboxes alice and bob\n'
          f'  files         ls {home.dir}/mail/home.test/alice/Maildir/new\n'
          f'  watch         tail -f {home.log}\n'
          f'  administer    {bin_dir}/posta -c {home.dir} status\n'
          f'                MAIL_CONFIG={home.dir} {bin_dir}/mailq')


def run(home, away):
    log_in_and_send(home)
    read_it(home)
    refuse_logins(home)
    deliver_here(home)
    relay(home, away)
    bounce(home)
    queue_is_empty(home, away)
    how_to_go_on(home)


def wait_for_interrupt():
    print('\nRunning until Ctrl-C.')
    try:
        while True:
            time.sleep(3600)
    except KeyboardInterrupt:
        print()


def main():
    zones = {'away.test': '@ IN MX 10 mx\nmx IN A 127.0.0.1'}
    print('Setting up two mail servers and a name server on loopback.')
    try:
        with NameServer(zones) as dns, \
                Posta('away.test', {'carol': 'demo'}) as away, \
                Posta('home.test', PASSWORDS,
                      settings={'dns_servers': dns.address},
                      start=False) as home:
            table = home.write('transport',
                               f'away.test smtp:away.test:{away.port}\n')
            home.set(transport_maps=f'texthash:{table}')
            home.start()
            run(home, away)
            print('\n' + paint('1;32', 'All steps worked.'))
            if sys.stdin.isatty() and sys.stdout.isatty():
                wait_for_interrupt()
    except AssertionError as e:
        print(paint('1;31', f'\nThis did not work: {e}'), file=sys.stderr)
        return 1
    return 0


if __name__ == '__main__':
    sys.exit(main())
