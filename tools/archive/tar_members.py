"""The members of a tar archive that may be damaged or malicious, in little memory.

    for member, file in tar_members.read(stream):    # file: its content; None: it is no file
        check(member.name, member.size)              # it may say anything
        shutil.copyfileobj(file, target)             # before the next member is asked for

The archive is read once, forward; `file` gives at most a MiB at once. Raises tarfile.TarError for
what is no archive, also where content is shorter than its header says.
"""

import tarfile

# Of a header that tells about the next file, such as a long name, which tarfile reads whole.
_HEADER_BYTES = 1 << 20
_PIECE_BYTES = 1 << 20


class _InSmallReads:
    """What tarfile needs of a file that is read once, forward. It asks for as much at once as a
    header says: what is too much is refused."""

    def __init__(self, stream):
        self._stream = stream
        self._at = 0

    def tell(self):
        return self._at

    def read(self, size):
        if not 0 <= size <= _HEADER_BYTES:
            raise tarfile.ReadError(f"a header that says it is of {size} bytes, {_HEADER_BYTES} "
                                    "expected at most")
        piece = self._stream.read(size)
        self._at += len(piece)
        return piece

    def seek(self, position):
        while self._at < position and self.read(min(position - self._at, _PIECE_BYTES)):
            pass


def read(stream):
    """(member, file) of each."""
    try:
        with tarfile.open(fileobj=_InSmallReads(stream), mode="r:") as tar:
            for member in tar:
                tar.members = []  # Else it remembers all of them: hundreds of thousands.
                yield member, tar.extractfile(member) if member.isfile() else None
    except (ValueError, OverflowError) as error:  # tarfile's, of a header's numbers
        raise tarfile.ReadError(str(error)) from error
