"""Free ports of loopback, also when several test runs go side by side."""
import os
import socket

# Held for the life of the process, so that two runs never choose the same port
# between looking and listening: abstract UNIX sockets, of which nothing
# remains when the process has ended.
_held = {}


def _claim(port):
    lock = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    try:
        lock.bind(f'\0posta-test-port-{port}')
    except OSError:
        lock.close()
        return False
    _held[port] = lock
    return True


def give_back(ports):
    """Forget these: what used them is gone."""
    for port in ports:
        if port in _held:
            _held.pop(port).close()


def _free(port, kinds=(socket.SOCK_STREAM, socket.SOCK_DGRAM)):
    for family, host in ((socket.AF_INET, '127.0.0.1'), (socket.AF_INET6, '::1')):
        for kind in kinds:
            with socket.socket(family, kind) as s:
                s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                try:
                    s.bind((host, port))
                except OSError as e:
                    if family == socket.AF_INET6 and e.errno == 99:
                        continue
                    return False
    return True


def _claim_free(ports):
    """All of them, or none. Who has claimed one may be about to listen there,
    so nobody else tries whether it is free."""
    claimed = [p for p in ports if _claim(p)]
    if claimed == ports and all(_free(p) for p in ports):
        return True
    give_back(claimed)
    return False


def _candidates(step, first=10000, last=32000):
    """Below the ephemeral range; each process starts elsewhere."""
    count = (last - first) // step
    start = (os.getpid() * 7919 + len(_held) * 13) % count
    for i in range(count):
        yield first + (start + i) % count * step


def free_port():
    for port in _candidates(1):
        if _claim_free([port]):
            return port
    raise RuntimeError('no free port')


MAIL_PORTS = (25, 587, 465, 143, 993, 110, 995)


def free_port_base():
    """N such that N+25, N+587 ... are free."""
    for base in _candidates(7):
        if _claim_free([base + p for p in MAIL_PORTS]):
            return base
    raise RuntimeError('no free block of ports')


def give_back_base(base):
    give_back([base + p for p in MAIL_PORTS])
