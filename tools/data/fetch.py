"""Downloads a task's files and unpacks them as its loader reads them."""

import shlex
import sys

import download
import lock
import sources
import unpack
from errors import FetchError, reason


def fetch(task, out, url, md5, attempts=download.ATTEMPTS, wait_s=download.WAIT_S,
          timeout_s=download.TIMEOUT_S):
    """Returns what to tell the user; raises FetchError. `url` and `md5` of the archive, None: those of
    its owner.

    An archive that lies in `out`, under one of the source's names, is taken instead of downloaded,
    and stays there, as does one that was downloaded: two tasks share one of 7.7 GB.
    """
    if task in sources.GENERATED:
        command = sources.GENERATED[task].format(out=shlex.quote(str(out)))
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
        archive = _at_hand(source, out)
        if archive is not None:
            _check(archive, md5, source.md5)
        else:
            archive = out / source.archive
            expected = (md5 or source.md5 or "").lower() or None
            try:
                download.download(url or source.url, archive, expected, attempts, wait_s, timeout_s)
            except FetchError as error:
                raise FetchError(f"{error}. {_other_ways(source, out)}") from error
            if expected is None:
                _tell_digests(archive)
        unpack.unpack(archive, source.folder, out)
    return f"{task} is in {target}. {archive} is no longer needed for it"


def _at_hand(source, out):
    """The archive that lies in `out`, or None."""
    # A folder of the name is what somebody unpacked.
    found = [out / name for name in source.names if (out / name).is_file()]
    if len(found) > 1:
        others = ", ".join(path.name for path in found[1:])
        print(f"{found[0]} is taken; {others} beside it is not looked at", file=sys.stderr)
    return found[0] if found else None


def _check(archive, asked, published):
    """The md5 that the user asks for, else the published one, which is of a gzipped archive."""
    expected = asked or published
    if expected is None:
        return
    if asked is None and not unpack.is_gzip(archive):
        print(f"{archive} is not gzipped, so that the published md5 does not tell whether it is "
              "whole", file=sys.stderr)
        return
    found = download.md5_of(archive)
    if found != expected.lower():
        raise FetchError(f"{archive} has md5 {found}, {expected.lower()} was expected: delete it "
                         "to download it again")


def _tell_digests(archive):
    """Of a download that nothing checked."""
    sha256, md5 = download.digests_of(archive, "sha256", "md5")
    print(f"{archive} is NOT checked, as its owner publishes no checksum: {archive.stat().st_size} "
          f"bytes came, of sha256 {sha256}. Compare it with that of others; --md5={md5} takes the "
          "same file alone", file=sys.stderr)


def _other_ways(source, out):
    names = f"{', '.join(source.names[:-1])} or {source.names[-1]}"
    by_hand = (f"By hand: get {source.archive} ({source.page}), put it into {out} as {names}, and "
               "run again to unpack it")
    return "\n".join([by_hand, *(f"- {way.format(out=out)}" for way in source.ways)])
