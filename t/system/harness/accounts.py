"""An instance whose local users are accounts that exist nowhere else.

A process holds a mount namespace in which /etc/passwd is a file of ours; the
suite runs in there, so that it meets real users without any being made on this
machine. Folders of this machine are shared; what is mounted inside (`tmpfs`)
is seen through `inside`.
"""
import grp
import os
import pathlib
import shutil
import subprocess

from .instance import Posta, run
from .maildir import messages
from .wait import wait_until

FIRST_UID = 61000


class Accounts(Posta):
    """As root. `names`: users, their homes are home/NAME in the instance's
    top folder; aliases: text of the alias table, "name value" lines.
    shadow: their hashed passwords, or whole ends of lines of /etc/shadow;
    pam: texts of services in /etc/pam.d."""

    def __init__(self, names=('anna', 'ben', 'carl'), aliases='', files=None,
                 settings=None, tmpfs=None, shadow=None, pam=None, **kw):
        self.names = names
        self.shadow, self.pam = shadow, pam
        self.holder = None
        self.alias_text = aliases
        self.mounts = dict(tmpfs or {})
        base = {
            'mydestination': 'example.test, localhost',
            'virtual_mailbox_domains': '',
            'virtual_alias_maps': '',
            'local_recipient_maps': '',
            'notify_classes': '',
            'minimal_backoff_time': '300s',
        }
        base.update(settings or {})
        super().__init__(users={}, settings=base, **kw)

    def _init(self):
        super()._init()
        self.home = self.top / 'home'
        self.spool = self.top / 'spool'
        self.home.mkdir()
        self.spool.mkdir()
        os.chown(self.spool, 0, 8)
        os.chmod(self.spool, 0o2775)
        lines = []
        for n, name in enumerate(self.names):
            home = self.home / name
            home.mkdir(mode=0o755)
            os.chown(home, self.uid(name), self.uid(name))
            lines.append(f'{name}:x:{self.uid(name)}:{self.uid(name)}::'
                         f'{home}:/bin/sh\n')
        passwd = self.write('passwd', pathlib.Path('/etc/passwd').read_text()
                            + ''.join(lines))
        passwd.chmod(0o644)
        self.set_aliases(self.alias_text)
        self.set(alias_maps=f'texthash:{self.dir}/aliases.local',
                 mail_spool_directory=self.spool)
        self.set(**{k: v for k, v in self.settings.items()
                    if k in ('alias_maps', 'mail_spool_directory')})
        self._hold(passwd)

    def _hold(self, passwd):
        steps = [f'mount --bind {passwd} /etc/passwd', *self._secrets()]
        for path, size in self.mounts.items():
            (self.top / path).mkdir(parents=True, exist_ok=True)
            steps.append(f'mount -t tmpfs -o size={size},mode=0755 none '
                         f'{self.top / path}')
        script = ' && '.join(steps) + ' && echo ready && exec setpriv --pdeathsig KILL sleep 3600'
        self.holder = subprocess.Popen(
            ['unshare', '-m', '--propagation', 'private', 'sh', '-c', script],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)
        assert self.holder.stdout.readline() == 'ready\n', script

    def _secrets(self):
        """Commands that show them a shadow and services of PAM of ours."""
        if self.shadow is not None:
            lines = [f'{n}:{s}' if ':' in s else f'{n}:{s}:19000:0:99999:7:::'
                     for n, s in self.shadow.items()]
            path = self.write('shadow', '\n'.join([*lines, '']))
            os.chown(path, 0, grp.getgrnam('shadow').gr_gid)
            path.chmod(0o640)
            yield f'mount --bind {path} /etc/shadow'
        if self.pam is not None:
            folder = self.top / 'pam.d'
            shutil.copytree('/etc/pam.d', folder)
            for name, text in self.pam.items():
                (folder / name).write_text(text)
            yield f'mount --bind {folder} /etc/pam.d'

    def uid(self, name):
        return FIRST_UID + self.names.index(name)

    def set_aliases(self, text, uid=0):
        path = self.write('aliases.local', text)
        os.chown(path, uid, uid)
        path.chmod(0o644)

    def inside(self, path):
        """A path as the suite sees it, where something is mounted on it."""
        return pathlib.Path(f'/proc/{self.holder.pid}/root{path}')

    def enter(self, *args, **kw):
        """Run a command where the suite runs."""
        return run('nsenter', f'--mount=/proc/{self.holder.pid}/ns/mnt',
                   f'--wd={os.getcwd()}', *args, **kw)

    def posta(self, *args, **kw):
        return self.enter(self.bin / 'posta', '-c', self.dir, *args, **kw)

    def close(self):
        try:
            super().close()
        finally:
            if self.holder:
                self.holder.kill()
                self.holder.wait()
                self.holder.stdout.close()

    # ---- users' files

    def put(self, name, file, text, mode=0o644, uid=None):
        """A file in a user's home, his own unless uid says else."""
        path = self.home / name / file
        path.write_text(text)
        path.chmod(mode)
        uid = self.uid(name) if uid is None else uid
        os.chown(path, uid, uid)
        return path

    def maildir(self, user):
        return messages(self.home / user / 'Maildir')

    def wait_file(self, path, text=None):
        """Wait for a file that is not empty, or has some text; its text."""
        def there():
            try:
                got = path.read_text(errors='replace')
            except OSError:
                return None
            return got if (text in got if text else got) else None
        return wait_until(there, f'{path} with {text or "something"}')

    def shared(self, name, mode=0o777):
        """A folder that everybody may write to."""
        path = self.top / name
        path.mkdir()
        path.chmod(mode)
        return path

    def remove_home(self, name):
        shutil.rmtree(self.home / name)
