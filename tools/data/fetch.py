"""Downloads a task's files and unpacks them as its loader reads them."""

import download
import lock
import sources
import unpack
from errors import FetchError, reason


def fetch(task, out, url=None, md5=None, attempts=download.ATTEMPTS, wait_s=download.WAIT_S,
          timeout_s=download.TIMEOUT_S):
    """Returns what to tell the user; raises FetchError.

    An archive that lies in `out` is taken instead of downloaded, and stays there, as does one that
    was downloaded: two tasks share one of 7.7 GB.
    """
    if task in sources.GENERATED:
        command = sources.GENERATED[task].format(out=out)
        raise FetchError(f"{task} needs no download, its generator is the data set: {command}")
    source = sources.SOURCES[task]
    target = out / source.folder
    if target.exists():
        return f"{target} is there already, nothing is done; delete it to fetch it again"
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise FetchError(f"cannot make the folder {out}: {reason(error)}") from error
    with lock.folder_lock(out):
        archive = out / source.archive
        expected = (md5 or source.md5 or "").lower() or None
        if archive.exists():
            _check(archive, expected)
        else:
            try:
                download.download(url or source.url, archive, expected, attempts, wait_s, timeout_s)
            except FetchError as error:
                raise FetchError(
                    f"{error}. By hand: get {source.archive} ({source.page}), put it into {out}, "
                    "and run again to unpack it") from error
        unpack.unpack(archive, source.folder, out)
    return f"{task} is in {target}. {archive} is no longer needed for it"


def _check(archive, md5):
    if md5 is None:
        return
    found = download.md5_of(archive)
    if found != md5:
        raise FetchError(f"{archive} has md5 {found}, {md5} was expected: delete it to download it "
                         "again")
