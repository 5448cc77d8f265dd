"""The peers themselves: what other tests rely on them for."""
import poplib
import imaplib
import smtplib
import ssl

import pytest

from harness import Dovecot, Exim, Postfix

TEXT = 'Subject: hello\n\nHello.\n'


@pytest.fixture(scope='module')
def dovecot():
    with Dovecot(users={'anna': 'secret', 'ben@b.test': 'word'}) as peer:
        yield peer


def trust(peer):
    return ssl.create_default_context(cafile=peer.ca)


def test_dovecot_imap_pop3_lmtp(dovecot):
    with smtplib.LMTP('127.0.0.1', dovecot.lmtp) as lmtp:
        lmtp.sendmail('a@a.test', ['anna@a.test'], TEXT)
    with imaplib.IMAP4_SSL('localhost', dovecot.imaps,
                           ssl_context=trust(dovecot)) as imap:
        imap.login('anna', 'secret')
        assert imap.select()[1] == [b'1']
    pop3 = poplib.POP3('localhost', dovecot.pop3)
    pop3.stls(trust(dovecot))
    pop3.user('anna')
    pop3.pass_('secret')
    assert pop3.stat()[0] == 1
    pop3.quit()


@pytest.mark.parametrize('kind', ['ec', 'rsa'])
def test_postfix_submission(dovecot, kind):
    with Postfix(auth=dovecot.socket, kind=kind) as peer:
        with smtplib.SMTP('localhost', peer.submission) as smtp:
            smtp.starttls(context=trust(peer))
            smtp.login('ben@b.test', 'word')
            smtp.sendmail('a@a.test', 'anna@a.test', TEXT)
        [mail] = peer.wait_mail('anna')
        assert 'Authenticated sender: ben@b.test' in mail['received']
        with smtplib.SMTP_SSL('localhost', peer.smtps,
                              context=trust(peer)) as smtp:
            with pytest.raises(smtplib.SMTPAuthenticationError):
                smtp.login('anna', 'wrong')


def test_postfix_demands_tls():
    with Postfix(settings={'smtpd_tls_security_level': 'encrypt'}) as peer:
        with smtplib.SMTP('localhost', peer.port) as smtp:
            with pytest.raises(smtplib.SMTPSenderRefused):
                smtp.sendmail('a@a.test', 'anna@a.test', TEXT)
            smtp.starttls(context=trust(peer))
            smtp.sendmail('a@a.test', 'anna@a.test', TEXT)
        peer.wait_mail('anna')


def test_exim_asks_dovecot(dovecot):
    with Exim(tls=True, auth=dovecot.socket) as peer:
        with smtplib.SMTP_SSL('localhost', peer.smtps,
                              context=trust(peer)) as smtp:
            with pytest.raises(smtplib.SMTPAuthenticationError):
                smtp.login('anna', 'wrong')
            smtp.login('anna', 'secret')
            smtp.sendmail('a@a.test', 'anna@a.test', TEXT)
        peer.wait_mail('anna')


def test_exim_own_logins():
    with Exim(tls=True, login=('anna', 'secret')) as peer:
        for mechanism in 'plain', 'login', 'cram_md5':
            with smtplib.SMTP('localhost', peer.port) as smtp:
                smtp.starttls(context=trust(peer))
                smtp.ehlo()
                smtp.user, smtp.password = 'anna', 'secret'
                method = mechanism.upper().replace('_', '-')
                smtp.auth(method, getattr(smtp, f'auth_{mechanism}'))
