"""Kills what serves all users, and sees to it that it runs again."""
import collections
import os
import re
import signal
import time

from harness import wait_until


class Killer:
    NAMES = tuple(os.environ.get('MODEL_KILL', '').split()) or (
        'imapd', 'imap-users', 'authd', 'auth-worker', 'keys',
        'master')

    def __init__(self, posta, rng):
        self.posta, self.rng = posta, rng
        self.killed = collections.Counter()

    def services(self):
        """{service: pids}: processes go by the names of their services."""
        out = collections.defaultdict(list)
        for pid in self.posta.pids():
            try:
                with open(f'/proc/{pid}/cmdline') as f:
                    name = re.split('[ \0]', f.read())[0]
            except OSError:
                continue
            out[name].append(pid)
        return out

    def kill(self):
        name = self.rng.choice(self.NAMES)
        time.sleep(self.rng.uniform(0, .05))
        pids = self.services()[name]
        if not pids:
            return
        pid = self.rng.choice(pids)
        self.posta.kill(pid, signal.SIGKILL)
        self.killed[name] += 1
        if name == 'master':
            self.start_again(pid)

    def start_again(self, pid):
        """Once the killed master and his children are gone."""
        wait_until(lambda: pid not in self.posta.pids('master'), 'its end')
        wait_until(lambda: self.posta.posta('start', check=False).returncode
                   == 0, 'a new start')

    def crashes(self):
        """What died of anything but our kills; users' processes are told of by
        who started them."""
        users = re.findall(r'.*warning: .* process \d+ of a user .*',
                           self.posta.log_text())
        return [line for line in self.posta.died() + users
                if not re.search(r'signal 9\b', line)]
