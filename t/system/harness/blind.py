"""A program without inotify: in a user namespace of its own, where the limit of
instances is none, while the machine's stays as it is."""
import ctypes
import os

CLONE_NEWUSER = 0x10000000


def map_ids(pid, uid, gid):
    """The ids of this process's own namespace; as root all, else one."""
    everybody = uid == 0
    if not everybody:
        with open(f'/proc/{pid}/setgroups', 'w') as f:
            f.write('deny')
    for name, own in (('uid_map', uid), ('gid_map', gid)):
        with open(f'/proc/{pid}/{name}', 'w') as f:
            f.write('0 0 65536' if everybody else f'{own} {own} 1')


def no_inotify():
    """To be called in the child, before the program: preexec_fn."""
    uid, gid, child = os.geteuid(), os.getegid(), os.getpid()
    libc = ctypes.CDLL(None, use_errno=True)
    ready, go = os.pipe()
    helper = os.fork()
    if helper == 0:  # stays outside, from where the map is made
        status = 1
        try:
            os.close(go)
            os.read(ready, 1)
            map_ids(child, uid, gid)
            status = 0
        finally:
            os._exit(status)
    if libc.unshare(CLONE_NEWUSER) < 0:
        raise OSError(ctypes.get_errno(), 'unshare')
    os.close(go)
    if os.waitpid(helper, 0)[1] != 0:
        raise OSError('the ids of the namespace cannot be set')
    os.close(ready)
    with open('/proc/sys/user/max_inotify_instances', 'w') as f:
        f.write('0')
