"""An SMTP client that sends what a test wants, byte for byte."""
import socket
import ssl


class Closed(Exception):
    pass


class RawSmtp:
    """One connection; replies are lists of lines, without CRLF."""

    def __init__(self, port, host='127.0.0.1', greeting=True, source=None,
                 path=None, timeout=60, tls=False):
        if path:
            self.socket = socket.socket(socket.AF_UNIX)
            self.socket.settimeout(timeout)
            self.socket.connect(str(path))
        else:
            bind = (source, 0) if source else None
            self.socket = socket.create_connection((host, port), timeout, bind)
            self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.file = self.socket.makefile('rb')
        if tls:
            self.encrypt()
        self.greeting = self.reply() if greeting else None

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.close()

    def close(self):
        self.file.close()
        self.socket.close()

    def encrypt(self, cert=None, key=None):
        """TLS from here on; nobody asks whose certificate it is."""
        context = ssl.create_default_context()
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        if cert:
            context.load_cert_chain(cert, key)
        self.file.close()
        self.socket = context.wrap_socket(self.socket)
        self.file = self.socket.makefile('rb')

    def send(self, data):
        self.socket.sendall(data.encode() if isinstance(data, str) else data)

    def line(self):
        line = self.file.readline()
        if not line:
            raise Closed
        assert line.endswith(b'\r\n'), line
        return line[:-2].decode('utf-8', 'surrogateescape')

    def reply(self):
        lines = [self.line()]
        while lines[-1][3:4] == '-':
            lines.append(self.line())
        return lines

    def say(self, command):
        """Send a command; the last line of its reply."""
        self.send(command + '\r\n')
        return self.reply()[-1]

    def talk(self, *commands):
        """The replies to some commands."""
        return [self.say(c) for c in commands]

    def start(self, sender='a@client.test', rcpt='alice@example.test',
              hello='EHLO client.test'):
        """Up to and with DATA."""
        for command in (hello, f'MAIL FROM:<{sender}>', f'RCPT TO:<{rcpt}>',
                        'DATA'):
            last = self.say(command)
            assert last[0] in '23', (command, last)
        return last

    def closed(self):
        """The server has closed the connection (what it still says is lost)."""
        try:
            while self.file.readline():
                pass
        except ConnectionResetError:
            pass
        return True
