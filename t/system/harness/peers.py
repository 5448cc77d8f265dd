"""Real mail servers to talk with: Debian's, unpacked by mk/peers into
build/peers, not installed. They run as an ordinary user, too."""
from .dovecot import Dovecot
from .exim import Exim
from .postfix import Postfix
from .slapd import Slapd

__all__ = ['Dovecot', 'Exim', 'Postfix', 'Slapd']
