"""Waiting for children to end and for signals that ask to stop, in one place.

    with signals.Watch() as watch:
        child.start(...)
        while watch.stop_requests == 0:
            watch.wait(seconds=1.0)      # until a child ends, a signal comes, or the time is over

Ctrl-C, SIGTERM, SIGHUP, SIGUSR1, SIGUSR2 and SIGXCPU ask to stop, as they ask the experiment
program.
"""

import select
import signal
import socket

STOP = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2,
        signal.SIGXCPU)
_CHUNK = 4096


def raise_keyboard_interrupt():
    """From here on each of STOP raises KeyboardInterrupt, as Ctrl-C does; what is ignored, as under
    nohup, stays so."""
    for number in STOP:
        if signal.getsignal(number) != signal.SIG_IGN:
            signal.signal(number, signal.default_int_handler)


def _nothing(number, frame):
    """That there is a handler has the number written to the wake-up socket."""
    del number, frame


class Watch:
    """In the main thread, one at a time. Outside of `with` signals do what they did before."""

    def __init__(self):
        self.stop_requests = 0  # so far

    def __enter__(self):
        self._reader, self._writer = socket.socketpair()
        self._reader.setblocking(False)
        self._writer.setblocking(False)
        self._wakeup_before = signal.set_wakeup_fd(self._writer.fileno(), warn_on_full_buffer=False)
        # What is ignored, as under nohup, stays so.
        self._before = {number: signal.signal(number, _nothing)
                        for number in (signal.SIGCHLD, *STOP)
                        if signal.getsignal(number) != signal.SIG_IGN}
        return self

    def __exit__(self, *error):
        for number, handler in self._before.items():
            signal.signal(number, handler)
        signal.set_wakeup_fd(self._wakeup_before)
        self._reader.close()
        self._writer.close()

    def wait(self, seconds):
        """None: as long as it takes."""
        if select.select([self._reader], [], [], seconds)[0]:
            for number in self._reader.recv(_CHUNK):
                # The system sends SIGXCPU each second from the limit on: no second request.
                if number in STOP and not (number == signal.SIGXCPU and self.stop_requests > 0):
                    self.stop_requests += 1
