"""What the system tests stand on: private instances, peers, name servers.

    with Posta(domain='example.test', users={'alice': 'secret'}) as posta:
        posta.send('bob@remote.test', ['alice@example.test'], message)
        posta.wait_maildir('alice', 1)

Everything lives in a temporary folder and on free ports of loopback, and is
gone afterwards: processes, files, ports.
"""
from .certificates import Authority
from .instance import Posta, BIN, BUILD, ROOT, run
from .nameserver import NameServer
from .peers import Dovecot, Exim, Postfix, Slapd
from .ports import free_port, free_port_base
from .wait import wait_until

__all__ = ['Posta', 'NameServer', 'Authority', 'Dovecot', 'Exim', 'Postfix',
           'Slapd',
           'BIN', 'BUILD', 'ROOT', 'run', 'free_port', 'free_port_base',
           'wait_until']
