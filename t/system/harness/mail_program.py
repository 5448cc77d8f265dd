"""Mail programs that people use, run with a home of their own."""
import os

from .instance import ROOT, run


def environment(home):
    """Nothing of this machine's users."""
    return {'HOME': str(home), 'PATH': os.environ['PATH'], 'LANG': 'C.UTF-8',
            'USER': 'tester', 'LOGNAME': 'tester', 'TERM': 'xterm'}


def client(home, *args, **kw):
    """Run it to its end."""
    return run(*args, env=environment(home), cwd=home, **kw)


def node(home, script, *args):
    """Run a script for Node.js with the packages of t/system/node."""
    env = environment(home) | {
        'NODE_PATH': str(ROOT / 'build/peers/node/node_modules')}
    return run('node', script, *args, env=env, cwd=home)


def config(home, name, text):
    """A file of the program's settings, for nobody else; its path."""
    path = home / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(0o600)
    return path
