"""An SMTP client that sends what a test wants, byte for byte."""
from .connection import (Closed, Connection, connected, connected_to,
                         trusting)

__all__ = ['Closed', 'RawSmtp']


class RawSmtp(Connection):
    """One connection; replies are lists of lines, without CRLF."""

    def __init__(self, port, host='127.0.0.1', greeting=True, source=None,
                 path=None, timeout=120, tls=False):
        super().__init__(connected_to(path, timeout) if path else
                         connected(port, timeout, host, source))
        if tls:
            self.encrypt()
        self.greeting = self.reply() if greeting else None

    def encrypt(self, cert=None, key=None):
        """TLS, with a certificate of the client's own."""
        context = trusting()
        if cert:
            context.load_cert_chain(cert, key)
        super().encrypt(context)

    def line(self):
        line = self.readline()
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
