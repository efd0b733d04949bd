"""What the tests of this folder share."""

import contextlib
import ctypes
import io
import os
import pathlib
import random
import socket
import tarfile
import tempfile
import unittest


class FolderTestCase(unittest.TestCase):
    """A test with an empty folder of its own, without a proxy between it and its server."""

    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(dir=os.environ.get("TEST_TMPDIR")))
        for name in [name for name in os.environ if name.lower().endswith("_proxy")]:
            del os.environ[name]

    def names(self):
        return sorted(path.name for path in self.folder.iterdir())


def noise(size, seed=1):
    """Bytes that do not compress and differ everywhere."""
    return random.Random(seed).randbytes(size)


def tar_bytes(files, mode="w:gz"):
    """An archive of {name: bytes}, in that order."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode=mode) as tar:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return buffer.getvalue()


def refusing_url():
    """An address on this machine where nobody listens."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{unused.getsockname()[1]}/a.tar.gz"


class _Capabilities(ctypes.Structure):
    """Linux's struct __user_cap_data_struct, of the lower 32 capabilities and of the upper ones."""

    _fields_ = [(name + half, ctypes.c_uint32) for half in ("_low", "_high")
                for name in ("effective", "permitted", "inheritable")]


@contextlib.contextmanager
def without_rights():
    """Root may write everywhere; in here it may not. This works in a sandbox of one user too."""
    libc = ctypes.CDLL(None, use_errno=True)
    header = (ctypes.c_uint32 * 2)(0x20080522, 0)  # _LINUX_CAPABILITY_VERSION_3, this thread.
    capabilities = _Capabilities()

    def call(name):
        if getattr(libc, name)(header, ctypes.byref(capabilities)) != 0:
            raise OSError(ctypes.get_errno(), name)

    call("capget")
    before = capabilities.effective_low
    capabilities.effective_low &= ~(1 << 1)  # CAP_DAC_OVERRIDE
    call("capset")
    try:
        yield
    finally:
        capabilities.effective_low = before
        call("capset")
