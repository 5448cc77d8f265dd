"""A configuration as Debian's postfix package writes it, taken over as it is."""
import os
import socket

import pytest

from harness import Posta
from harness.fake_smtp import FakeSmtp
from harness.raw_smtp import RawSmtp
from test_master import DEBIAN

# What the package writes for an "Internet Site"; the paths are the test's.
MAIN = """\
# See /usr/share/postfix/main.cf.dist for a commented, more complete version

smtpd_banner = $myhostname ESMTP $mail_name (Debian/GNU)
biff = no

# appending .domain is the MUA's job.
append_dot_mydomain = no

readme_directory = no

# See http://www.postfix.org/COMPATIBILITY_README.html -- default to 3.6 on
# fresh installs.
compatibility_level = 3.6



# TLS parameters
smtpd_tls_cert_file={dir}/ssl-cert-snakeoil.pem
smtpd_tls_key_file={dir}/ssl-cert-snakeoil.key
smtpd_tls_security_level=may

smtp_tls_CApath=/etc/ssl/certs
smtp_tls_security_level=may
smtp_tls_session_cache_database = btree:${{data_directory}}/smtp_scache


smtpd_relay_restrictions = permit_mynetworks permit_sasl_authenticated \
defer_unauth_destination
myhostname = host.lab.test
alias_maps = hash:{dir}/aliases
alias_database = hash:{dir}/aliases
myorigin = {dir}/mailname
mydestination = $myhostname, lab.test, host.lab.test, localhost.lab.test, \
localhost
relayhost = {relayhost}
mynetworks = 127.0.0.0/8 [::ffff:127.0.0.0]/104 [::1]/128
mailbox_size_limit = 0
recipient_delimiter = +
inet_interfaces = all
inet_protocols = all
"""

# Of posta init: where this instance keeps its things and who runs them.
OURS = ('queue_directory', 'data_directory', 'daemon_directory',
        'command_directory', 'mail_owner', 'network_owner', 'auth_owner', 'setgid_group',
        'default_privs', 'maillog_file', 'maillog_file_prefixes')


def debian(relayhost='', inet='loopback-only', **settings):
    posta = Posta(domain='lab.test', start=False)
    values = [f'{name} = {posta.command("postconf", "-h", name).stdout}'
              for name in OURS]
    text = MAIN.format(dir=posta.dir, relayhost=relayhost)
    (posta.dir / 'main.cf').write_text(
        text.replace('inet_interfaces = all', f'inet_interfaces = {inet}') +
        ''.join(values) + f'mail_spool_directory = {posta.top}/spool\n')
    (posta.dir / 'master.cf').write_text(DEBIAN.format(port=posta.port))
    (posta.dir / 'mailname').write_text('lab.test\n')
    (posta.dir / 'aliases').write_text(
        '# See man 5 aliases for format\n'
        f'postmaster:    root\nroot: {posta.top}/root\n')
    (posta.top / 'root').touch(0o666)
    if os.geteuid() == 0:  # files of aliases are written as their owner
        os.chown(posta.top / 'root', 65534, 65534)
    os.mkdir(posta.top / 'spool', 0o777)
    posta.set(**settings)
    return posta


def test_checks_starts_delivers_and_relays():
    with FakeSmtp() as peer, debian(f'[127.0.0.1]:{peer.port}') as posta:
        posta.command('newaliases')
        done = posta.posta('check')
        assert all('cannot read ' in line
                   for line in done.stderr.splitlines())
        assert ' smtpd_tls_cert_file = ' in done.stderr
        posta.start()
        with RawSmtp(posta.port) as c:
            assert c.greeting == ['220 host.lab.test ESMTP Posta (Debian/GNU)']
            c.send('EHLO client.test\r\n')
            assert not any('STARTTLS' in line for line in c.reply())
        posta.send('a@client.test', 'postmaster@lab.test')
        posta.wait_log(r'to=<postmaster@lab\.test>|orig_to=<postmaster@lab')
        posta.send('a@client.test', 'x@elsewhere.test')
        posta.wait_log(r'to=<x@elsewhere\.test>, relay=127\.0\.0\.1'
                       r'\[127\.0\.0\.1\]:\d+, .*status=sent')
        posta.wait_empty()


def test_relay_denied_is_454():
    with debian(mynetworks='192.0.2.1') as posta:
        posta.start()
        with RawSmtp(posta.port) as c:
            c.talk('EHLO client.test', 'MAIL FROM:<a@client.test>')
            assert c.say('RCPT TO:<x@elsewhere.test>') == (
                '454 4.7.1 <x@elsewhere.test>: Relay access denied')


@pytest.mark.parametrize('name, value', [
    ('smtpd_tls_security_level', 'encrypt'), ('smtpd_enforce_tls', 'yes')])
def test_no_mail_in_the_clear(name, value):
    settings = {'smtpd_tls_security_level': '', name: value}
    with debian(**settings) as posta:
        posta.start()
        with RawSmtp(posta.port) as c:
            assert c.say('EHLO client.test').startswith('250')
            assert c.say('MAIL FROM:<a@client.test>') == (
                '530 5.7.0 Must issue a STARTTLS command first')
            assert c.say('STARTTLS') == (
                '454 4.7.0 TLS not available due to local problem')
            assert c.say('NOOP') == '250 2.0.0 Ok'
            assert c.say('QUIT') == '221 2.0.0 Bye'


def test_wrapped_port_is_not_served_in_the_clear():
    with debian() as posta:
        with open(posta.dir / 'master.cf', 'a') as f:
            f.write(f'{posta.base + 465} inet n - y - - smtpd\n'
                    '  -o syslog_name=postfix/submissions\n'
                    '  -o smtpd_tls_wrappermode=yes\n')
        posta.start()
        with socket.create_connection(('127.0.0.1', posta.base + 465)) as c:
            assert c.recv(100) == b''
        posta.wait_log('wrapper-mode request dropped from ')


@pytest.mark.parametrize('settings', [
    {'smtp_tls_security_level': 'encrypt'},
    {'smtp_tls_security_level': '', 'smtp_enforce_tls': 'yes'},
    {'smtp_tls_policy_maps': 'inline:{ { [127.0.0.1]:%d = encrypt } }'}])
def test_nothing_is_relayed_in_the_clear(settings):
    with FakeSmtp() as peer:
        settings = {k: v % peer.port if '%d' in v else v
                    for k, v in settings.items()}
        with debian(f'[127.0.0.1]:{peer.port}', **settings) as posta:
            posta.start()
            posta.send('a@client.test', 'x@elsewhere.test')
            posta.wait_log(r'to=<x@elsewhere\.test>.*dsn=4\.7\.4, '
                           r'status=deferred \(TLS is required')
            assert peer.messages == []
