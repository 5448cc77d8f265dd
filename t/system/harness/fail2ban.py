"""Debian's fail2ban, as a reader of logs."""
import os
import re
import subprocess

from .peer import PEERS


def banned(log, name, mode=''):
    """The addresses that a filter of fail2ban counts, one for each failure;
    and all it says."""
    env = dict(os.environ,
               PYTHONPATH=str(PEERS / 'usr/lib/python3/dist-packages'))
    done = subprocess.run(
        ['/usr/bin/python3', PEERS / 'usr/bin/fail2ban-regex', '-v', '-c',
         PEERS / 'etc/fail2ban', str(log),
         str(PEERS / f'etc/fail2ban/filter.d/{name}.conf') + mode],
        env=env, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    assert done.returncode == 0, done.stdout
    return re.findall(r'^\| +(\S+)  \w{3} \w{3} \d', done.stdout, re.M), \
        done.stdout
