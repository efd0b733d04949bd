"""Programs that end when this one ends, even when it is killed.

    process = child.start(["lra", ...], stdout=log)

The kernel kills the child (Linux: PR_SET_PDEATHSIG), and whatever it becomes by exec. It goes by
the thread that started it, so start children in a thread that stays.
"""

import ctypes
import os
import signal
import subprocess

_PR_SET_PDEATHSIG = 1
_LIBC = ctypes.CDLL(None, use_errno=True)


def start(command, **options):
    """A subprocess.Popen with these options."""
    parent = os.getpid()

    def end_with_parent():
        if _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0) != 0:
            error = ctypes.get_errno()
            raise OSError(error, os.strerror(error))
        if os.getppid() != parent:  # It ended before it could be asked for.
            os.kill(os.getpid(), signal.SIGKILL)
    # Without other threads here, code may run between fork and exec.
    return subprocess.Popen(command, preexec_fn=end_with_parent, **options)
