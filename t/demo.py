#!/usr/bin/env python3
"""make demo: a mail server takes a message, relays one and bounces one.

Two instances and a name server start on loopback. Each step shows the
protocol as it went over the wire. On a terminal everything goes on running
until Ctrl-C; without one it stops by itself. The exit status is 0 only if
every step did what it says.
"""
import os
import pathlib
import re
import socket
import sys
import time

os.environ.setdefault('POSTA_BUILD',
                      str(pathlib.Path(sys.argv[1]).parent
                          if len(sys.argv) > 1 else ''))
sys.path.insert(0, str(pathlib.Path(__file__).parent / 'system'))

from harness import NameServer, Posta, wait_until  # noqa: E402

COLOUR = sys.stdout.isatty()


def paint(code, text):
    return f'\033[{code}m{text}\033[0m' if COLOUR else text


def heading(text):
    print('\n' + paint('1', f'== {text}'))


def show(text, indent='    '):
    for line in text.splitlines():
        print(indent + paint('2', line))


def talk(posta, lines, message):
    """One SMTP session by hand, printed; the reply to the final dot."""
    with socket.create_connection(('127.0.0.1', posta.port), 60) as s:
        s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        f = s.makefile('rb')

        def reply():
            while True:
                line = f.readline().decode().rstrip('\r\n')
                print('    ' + paint('32', f'S: {line}'))
                if line[3:4] != '-':
                    return line

        def say(line):
            print('    ' + paint('36', f'C: {line}'))
            s.sendall(line.encode() + b'\r\n')

        reply()
        for line in lines + ['DATA']:
            say(line)
            last = reply()
            if last[0] not in '23':
                raise AssertionError(f'refused: {last}')
        for line in message.splitlines() + ['.']:
            say(line)
        last = reply()
        say('QUIT')
        reply()
        if not last.startswith('250 2.0.0 Ok: queued as '):
            raise AssertionError(f'not accepted: {last}')
        return last.rsplit(' ', 1)[1]


def message(sender, to, subject, body):
    return (f'From: {sender}\nTo: {to}\nSubject: {subject}\n'
            f'Date: {time.strftime("%a, %d %b %Y %H:%M:%S +0000", time.gmtime())}\n'
            f'Message-ID: <{time.time()}@client.test>\n\n{body}\n')


def session(sender, rcpt):
    return ['EHLO client.test', f'MAIL FROM:<{sender}>', f'RCPT TO:<{rcpt}>']


def log_of(posta, queue_id):
    heading_line = f'The log says of {queue_id}:'
    print(f'  {heading_line}')
    for line in posta.log_text().splitlines():
        if f' {queue_id}: ' in line:
            show(line)


def deliver_here(home):
    heading('1. A message comes in over SMTP and goes into a Maildir')
    queue_id = talk(home, session('bob@elsewhere.test', 'alice@home.test'),
                    message('bob@elsewhere.test', 'alice@home.test',
                            'Hello Alice', 'This came in over SMTP.'))
    got = home.wait_maildir('alice', 1)[0].decode()
    home.wait_log(rf' {queue_id}: removed')
    log_of(home, queue_id)
    print(f'  In {home.dir}/mail/home.test/alice/Maildir/new:')
    show(got)
    assert 'This came in over SMTP.' in got and 'Delivered-To:' in got


def relay(home, away):
    heading('2. A message is relayed to another server, found by its MX record')
    queue_id = talk(home, session('alice@home.test', 'carol@away.test'),
                    message('alice@home.test', 'carol@away.test', 'Hello Carol',
                            'This was relayed.'))
    got = away.wait_maildir('carol', 1)[0].decode()
    home.wait_log(rf' {queue_id}: removed')
    log_of(home, queue_id)
    print('  Carol has got, on the other server:')
    show(got)
    assert 'This was relayed.' in got


def bounce(home):
    heading('3. A message to an unknown user over there comes back')
    before = len(home.maildir('alice'))
    queue_id = talk(home, session('alice@home.test', 'nobody@away.test'),
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
    heading('4. Nothing is left in the queues')
    for posta in (home, away):
        wait_until(lambda: not posta.queue(), 'an empty queue')
        done = posta.command('mailq')
        print(f'  $ MAIL_CONFIG={posta.dir} mailq')
        show(done.stdout)
        assert done.stdout.strip() == 'Mail queue is empty'


def how_to_go_on(home):
    heading('Try it yourself')
    bin_dir = home.bin
    print(f'  SMTP server   127.0.0.1 port {home.port}, domain home.test, '
          'mailboxes alice and bob\n'
          f'  send          swaks --server 127.0.0.1:{home.port} '
          '--to alice@home.test\n'
          f'  read          ls {home.dir}/mail/home.test/alice/Maildir/new\n'
          f'  watch         tail -f {home.log}\n'
          f'  administer    {bin_dir}/posta -c {home.dir} status\n'
          f'                MAIL_CONFIG={home.dir} {bin_dir}/mailq')


def run(home, away):
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
                Posta('home.test', {'alice': 'demo', 'bob': 'demo'},
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
