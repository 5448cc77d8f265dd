"""The same dialogues with Debian's Postfix and with us, both asking the same
Dovecot: the same replies and the same log lines, but for what is listed."""
import re

import pytest

from harness import Dovecot, Postfix, Posta, wait_until
from harness.auth_server import b64
from harness.raw_smtp import Closed, RawSmtp

PASSWORD = 'corRect-h0rse'


def plain(password=PASSWORD, user='alice'):
    return b64(f'\0{user}\0{password}')


RIGHT = f'AUTH PLAIN {plain()}'
DIALOGUES = [
    ['EHLO x', RIGHT, RIGHT, 'MAIL FROM:<a@b.test> AUTH=<>',
     'RCPT TO:<x@y.test>', 'RSET', 'EHLO x', 'AUTH LOGIN'],
    ['HELO x', RIGHT],
    ['EHLO x', 'AUTH', 'AUTH PLAIN a b', 'AUTH X-Y', 'AUTH FOO bar'],
    ['EHLO x', 'AUTH PLAIN', '*', 'AUTH LOGIN', '*', 'AUTH LOGIN', b64('alice'),
     b64('wrong')],
    ['EHLO x', 'AUTH LOGIN ' + b64('alice'), b64(PASSWORD)],
    ['EHLO x', 'AUTH PLAIN =', 'AUTH PLAIN', '', 'NOOP'],
    ['EHLO x', 'MAIL FROM:<a@b.test>', RIGHT],
    ['EHLO x', f'AUTH PLAIN {plain("no")}',
     f'AUTH PLAIN {plain("no", "nobody")}', RIGHT],
    ['EHLO x', 'AUTH ANONYMOUS', 'AUTH PLAIN', 'A' * 20000, 'NOOP'],
    # RFC 4954 4 wants 501 for what is no base64; Postfix says 535.
    ['EHLO x', 'AUTH PLAIN AGE', 'AUTH LOGIN', '!!!', 'AUTH LOGIN =', 'x'],
]
OURS = {'535 5.7.8 Error: authentication failed: Invalid base64 data in '
        'initial response': '501 5.5.2 Error: response is no base64',
        '535 5.7.8 Error: authentication failed: Invalid base64 data in '
        'continued response': '501 5.5.2 Error: response is no base64',
        '250 postfix.test': '250 mail.example.test'}


def replies(port, dialogue):
    out = []
    with RawSmtp(port) as c:
        for line in dialogue:
            try:
                c.send(line + '\r\n')
                got = c.reply()
            except (Closed, OSError):
                return out + ['closed']
            out.append([w[4:] for w in got if 'AUTH' in w]
                       if line == 'EHLO x' else got[-1])
    return out


def failures(log):
    return re.findall(r'warning: \S+?(\[127.0.0.1\]: SASL .*)$', log, re.M)


def test_same_as_postfix():
    settings = {'smtpd_sasl_auth_enable': 'yes', 'smtpd_error_sleep_time': '0s',
                'smtpd_hard_error_limit': '100'}
    with Dovecot({'alice': PASSWORD}) as dovecot, \
            Postfix(auth=dovecot.socket, settings=settings) as postfix, \
            Posta(settings={**settings, 'smtpd_sasl_type': 'dovecot',
                            'smtpd_sasl_path': dovecot.socket,
                            'default_transport': 'discard',
                            'smtpd_relay_restrictions':
                            'permit_sasl_authenticated, '
                            'reject_unauth_destination'}) as posta:
        for dialogue in DIALOGUES:
            theirs = [OURS.get(r, r) if isinstance(r, str) else r
                      for r in replies(postfix.port, dialogue)]
            assert replies(posta.port, dialogue) == theirs, dialogue

        def both():
            """What both have said by now, in an order: each dialogue has
            another process."""
            # Postfix says nothing of responses over the limit.
            return (sorted(f for f in failures(posta.log_text())
                           if 'limit exceeded' not in f),
                    sorted(failures(postfix.log())))
        wait_until(lambda: both()[0] == both()[1],
                   lambda: 'the same lines: %s\n%s' % both())
        assert len(both()[0]) > 10


OWNERS = ('inline:{ {alice@example.test=alice}, '
          '{office@example.test=bob, alice}, {@wide.test=bob}, '
          '{other@example.test=carol}, {user@=dave}, {case.test=eve} }')
SENDERS = ['alice@example.test', 'Alice@EXAMPLE.test', 'alice+x@example.test',
           'any@wide.test', 'office@example.test', 'other@example.test',
           'nobody@x.test', '', 'alice', 'sub@sub.wide.test', 'user@case.test']
LOGINS = ['', 'alice', 'ALICE', 'bob', 'dave', 'eve']


def ask(port, login, sender):
    """As that user, whom XCLIENT vouches for."""
    with RawSmtp(port) as c:
        c.say(f'XCLIENT LOGIN={login}' if login else 'XCLIENT HELO=x')
        return c.talk('EHLO x', f'MAIL FROM:<{sender}>',
                      'RCPT TO:<x@y.test>')[1:]


@pytest.mark.parametrize('restriction', [
    'reject_sender_login_mismatch', 'reject_known_sender_login_mismatch',
    'reject_authenticated_sender_login_mismatch',
    'reject_unauthenticated_sender_login_mismatch'])
@pytest.mark.parametrize('enabled', ['yes', 'no'])
def test_addresses_have_the_same_owners(restriction, enabled):
    settings = {'smtpd_sender_login_maps': OWNERS,
                'smtpd_sender_restrictions': restriction,
                'smtpd_sasl_auth_enable': enabled,
                'smtpd_authorized_xclient_hosts': '127.0.0.1',
                'recipient_delimiter': '+', 'myorigin': 'postfix.test',
                'smtpd_error_sleep_time': '0s'}
    with Dovecot({'alice': PASSWORD}) as dovecot, \
            Postfix(auth=dovecot.socket, settings=settings) as postfix, \
            Posta(settings={**settings, 'default_transport': 'discard',
                            'mynetworks': '127.0.0.0/8'}) as posta:
        for login in LOGINS:
            for sender in SENDERS:
                assert ask(posta.port, login, sender) == \
                    ask(postfix.port, login, sender), (login, sender)
