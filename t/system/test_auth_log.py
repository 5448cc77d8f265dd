"""Watchers of the log count each failed login once: fail2ban's own filters."""
import smtplib

import pytest

from harness import Posta
from harness.auth_client import AuthClient
from harness.fail2ban import banned

USER = 'alice@example.test'


def test_dovecot_filter():
    with Posta(settings={'auth_failure_delay': '0s'}) as p:
        with AuthClient(p.dir / 'queue/private/authd') as c:
            assert c.plain(USER, 'secret')[0] == 'OK'
            for n in range(3):
                assert c.plain(USER, f'guess {n}')[0] == 'FAIL'
            assert c.plain('nobody@example.test', 'x')[0] == 'FAIL'
            assert c.plain(USER, 'guess', rip='2001:db8::7')[0] == 'FAIL'
            # Of those the login process has a line of its own.
            assert c.plain(USER, 'imap guess', service='imap')[0] == 'FAIL'
            # Nobody can have somebody else banned.
            for trick in ('x,203.0.113.6): unknown user', 'x(y,203.0.113.6)',
                          '203.0.113.6', 'rip=203.0.113.6'):
                assert c.plain(trick, 'x')[0] == 'FAIL'
        p.stop()  # now all has been written
        hosts, said = banned(p.log, 'dovecot')
        assert hosts.count('192.0.2.1') == 8, said
        assert hosts.count('2001:db8::7') == 1 and len(hosts) == 9, said
        p.wait_log('auth: login failed: Password mismatch, '
                   f'user=<{USER}>, source=passwd-file, rip=192.0.2.1')
        for secret in 'guess', 'imap guess', 'secret':
            assert secret not in p.log_text()


def test_both_filters():
    """A login that fails at smtpd is one line for each."""
    with Posta(settings={'smtpd_sasl_auth_enable': 'yes',
                         'auth_allow_cleartext': 'yes'}) as p:
        for mech in 'PLAIN', 'LOGIN':
            with p.smtp() as s:
                s.ehlo('client.test')
                s.user, s.password = USER, f'guess {mech}'
                with pytest.raises(smtplib.SMTPAuthenticationError):
                    s.auth(mech, getattr(s, f'auth_{mech.lower()}'))
                s.password = 'secret'
                assert s.auth(mech, getattr(s, f'auth_{mech.lower()}'))[0] \
                    == 235
        p.stop()  # now all has been written
        for name, mode in (('dovecot', ''), ('postfix', '[mode=auth]')):
            hosts, said = banned(p.log, name, mode)
            assert hosts == ['127.0.0.1'] * 2, said
        assert 'guess' not in p.log_text()
