"""The files of a Maildir while others work in it: a server brings them from
new/ to cur/ and gives them other flags when it comes to it."""


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
