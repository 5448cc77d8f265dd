"""A randomised test of mailboxes: clients that do random things, and a model
that says what every response must be.

Each user has connections of several kinds (KINDS in client.py), some of them a
guest's, who sees what is shared with him (rights.py, sharing.py); one thread
drives them all from a seed (user.py). Most rounds are *exact* (steps.py): one
command at a time, and what comes back, to it and to the others that are told of
it, must be what the model (world.py) says; one more connection listens to all of
the user's mailboxes (listen.py). In a *burst* (burst.py) all connections send
several commands at once, while mail arrives, POP3 sessions delete some
(beside.py) and processes are killed now and then; what may have come of it is
worked out from what was acknowledged (pending.py), compared with a fresh look
at everything, and taken over into the model. What other programs do at the
files, and to the index while it is used (outside.py), and what LMTP lets into a
mailbox with a quota (quota.py), is compared in the same way. What each client
knows of its mailbox, by the responses it had, is checked at each response
(view.py).
"""
