"""The files of a Maildir while others work in it: a server brings them from
new/ to cur/ and gives them other flags when it comes to it."""
import contextlib
import os
import time

from .wait import wait_until


def _listed(folder):
    return {path.name.partition(':')[0]: path for part in ('new', 'cur')
            if (folder / part).is_dir() for path in (folder / part).iterdir()}


def files(folder):
    """{name without flags: path} of the messages."""
    found = _listed(folder)
    while True:
        # What gets another name while a folder is read may be left out.
        again = _listed(folder)
        if again.keys() >= found.keys():
            return again
        found = again


def messages(folder):
    """Their contents, as bytes, in order of arrival."""
    while True:
        try:
            paths = sorted(files(folder).values(),
                           key=lambda path: path.stat().st_mtime_ns)
            return [path.read_bytes() for path in paths]
        except FileNotFoundError:  # another name since then
            pass


def change(folder, name, act):
    """Do something with the path of the message of that name."""
    while True:
        try:
            return act(files(folder)[name])
        except FileNotFoundError:
            pass


@contextlib.contextmanager
def in_order(folder):
    """What is added here gets its UIDs in the order of the names. Who lists a
    folder while files are added may see a later one before an earlier one, and
    a server lists for as long as it has files to bring to cur/, also after
    UNSELECT; but none gives UIDs while another has this lock."""
    lock = folder / 'dovecot-uidlist.lock'

    def take():
        try:
            os.close(os.open(lock, os.O_CREAT | os.O_EXCL))
        except FileExistsError:
            with contextlib.suppress(FileNotFoundError):
                owner = lock.read_text().partition(':')[0]
                if owner and not os.path.exists(f'/proc/{owner}'):
                    lock.unlink()  # he was killed
            return False
        return True

    wait_until(take, 'the lock')
    try:
        yield
        time.sleep(.05)  # whoever lists now finds the lock taken
    finally:
        lock.unlink()
