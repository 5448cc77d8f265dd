"""Others ask authd: Postfix, Exim, and Posta's own smtpd."""
import base64
import os
import smtplib

import pytest

from harness import Exim, Postfix, Posta, wait_until
from harness.auth_client import Scram, b64

USER = 'alice@example.test'


def public_auth():
    """authd with one more socket, that an ordinary user's peer can open, and
    users for whom every mechanism would work."""
    p = Posta(services='auth unix n - n - - authd\n', start=False)
    path = p.dir / 'users'
    path.write_text(f'{USER}:{{PLAIN}}secret::::\n')
    p.start()
    # As an administrator does for software in no group of ours.
    os.chmod(p.dir / 'queue/public', 0o755)
    return p


@pytest.fixture(scope='module')
def posta():
    p = public_auth()
    try:
        yield p
    finally:
        p.__exit__(None, None, None)


def try_logins(s, ehlo=True):
    """Of an SMTP client that has seen EHLO: one wrong, then right."""
    with pytest.raises(smtplib.SMTPAuthenticationError) as wrong:
        s.login(USER, 'wrong')
    assert wrong.value.smtp_code == 535
    assert s.login(USER, 'secret')[0] == 235
    s.sendmail('alice@example.test', 'bob@remote.test',
               'Subject: hello\n\nHello.\n')


def test_postfix(posta):
    path = posta.dir / 'queue/public/auth'
    with Postfix(auth=path) as postfix:
        for mech in 'PLAIN', 'LOGIN':
            with smtplib.SMTP('localhost', postfix.submission,
                              timeout=60) as s:
                s.starttls()
                s.ehlo()
                offered = s.esmtp_features['auth'].split()
                assert {'PLAIN', 'LOGIN', 'SCRAM-SHA-256'} <= set(offered)
                assert not [m for m in offered if m.endswith('-PLUS')]
                s.esmtp_features['auth'] = mech
                try_logins(s)
        with smtplib.SMTP_SSL('localhost', postfix.smtps, timeout=60) as s:
            s.ehlo()
            try_logins(s)
        postfix.wait_mail('bob', 3)
        # Another process of Postfix writes its log.
        for text in f'sasl_username={USER}', 'SASL PLAIN authentication failed':
            wait_until(lambda: text in postfix.log(), f'{text} in the log')
    posta.wait_log(rf'dovecot\[\d+\]: auth: passwd-file\({USER},127.0.0.1\): '
                   'Password mismatch', count=3)


def test_scram_through_postfix(posta):
    """Several lines each way, and final data that Postfix cannot send along
    with its success."""
    path = posta.dir / 'queue/public/auth'
    with Postfix(auth=path) as postfix:
        with smtplib.SMTP_SSL('localhost', postfix.smtps, timeout=60) as s:
            s.ehlo()
            for password, code in ('wrong', 535), ('secret', 235):
                scram = Scram(USER, password)
                said, text = s.docmd('AUTH', 'SCRAM-SHA-256 '
                                     + b64(scram.first))
                assert said == 334
                said, text = s.docmd(b64(scram.final(
                    base64.b64decode(text).decode())))
                if said == 334:
                    assert base64.b64decode(text).decode() == \
                        f'v={scram.verifier}'
                    said, text = s.docmd('')
                assert said == code, text


def test_exim(posta):
    path = posta.dir / 'queue/public/auth'
    with Exim(auth=path, tls=True, mechanisms=('PLAIN', 'LOGIN')) as exim:
        for mech in 'PLAIN', 'LOGIN':
            with smtplib.SMTP('localhost', exim.port, timeout=60) as s:
                s.starttls()
                s.ehlo()
                assert 'PLAIN' in s.esmtp_features['auth']
                s.esmtp_features['auth'] = mech
                try_logins(s)
        exim.wait_mail('bob', 2)
        assert f'A=a0:{USER}' in exim.log() or USER in exim.log()


def test_postfix_without_tls(posta):
    """authd does not take passwords that went in the clear."""
    path = posta.dir / 'queue/public/auth'
    with Postfix(auth=path,
                 settings={'smtpd_sasl_auth_enable': 'yes'}) as postfix:
        with smtplib.SMTP('localhost', postfix.port, timeout=60) as s:
            with pytest.raises(smtplib.SMTPAuthenticationError):
                s.login(USER, 'secret')
