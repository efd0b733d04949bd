"""Downloads one file over HTTP: resumed where it stopped, checked, under its name only when whole.

    download("https://host/a.tar.gz", pathlib.Path("/data/a.tar.gz"), md5="...")

What has come is in a.tar.gz.part. Beside it, a.tar.gz.part.json says what it is a part of: the
address, the length, and the server's mark of the version (ETag or Last-Modified), so that a file
which changed on the server is begun again rather than continued. A connection that breaks is taken
up again by itself. A redirection from https to http, where anybody on the way could give another
file, is not followed. curl's `-C -` goes on with whatever the server has now; so
this is by hand. The caller sees to it that nobody else downloads the same file (lock.py).
"""

import errno
import hashlib
import http.client
import json
import os
import re
import shutil
import socket
import ssl
import sys
import time
import urllib.error
import urllib.parse
import urllib.request

from errors import FetchError, reason
from progress import Progress

ATTEMPTS = 5  # In a row that bring no byte further.
WAIT_S = 2.0  # Before the second attempt; doubled for each further one.
TIMEOUT_S = 60.0  # Of a silent connection.

_PIECE_BYTES = 1 << 18
_LENGTH = r"[0-9]{1,15}"  # In bytes: a petabyte.
_RETRIED_STATUS = {408, 429, 500, 502, 503, 504}


class _Broken(Exception):
    """Worth another attempt."""


def md5_of(path):
    return digests_of(path, "md5")[0]


def digests_of(path, *names):
    """The file's digests by these of hashlib's functions, in hexadecimal."""
    digests = [hashlib.new(name) for name in names]
    show = Progress(f"checking {path.name}")
    total = path.stat().st_size
    with open(path, "rb") as file:
        while piece := file.read(1 << 20):
            for digest in digests:
                digest.update(piece)
            show(file.tell(), total)
    show.end()
    return [digest.hexdigest() for digest in digests]


def download(url, target, md5=None, attempts=ATTEMPTS, wait_s=WAIT_S, timeout_s=TIMEOUT_S):
    """Raises FetchError; what came is kept for the next call, unless its md5 is wrong."""
    if _scheme(url) not in ("http", "https"):
        raise FetchError(f"{url}: an address that begins with http:// or https:// was expected")
    part = _Part(url, target)
    _complete(part, attempts, wait_s, timeout_s)
    if md5 is not None:
        found = md5_of(part.path)
        if found != md5:
            part.forget()
            raise FetchError(f"{url}: md5 {found} came, {md5} was expected; what came is deleted: "
                             "run again, or ask the owner if it comes again")
    part.keep_as(target)


def _complete(part, attempts, wait_s, timeout_s):
    had = furthest = part.size()
    failures = 0
    while True:
        try:
            if part.is_whole():
                return
            _Transfer(part, timeout_s, connected_before=furthest > had).run()
            return
        except _Broken as error:
            came = part.size()
            failures = 0 if came > furthest else failures + 1
            furthest = max(furthest, came)
            if failures >= attempts:
                raise FetchError(f"{part.url}: {error}; given up after {attempts} attempts that "
                                 "brought nothing more. Run again to go on from there") from error
            print(f"{error}; trying again", file=sys.stderr)
            time.sleep(wait_s * 2**max(failures - 1, 0))


class _Part:
    """What has come so far, on the disk."""

    def __init__(self, url, target):
        self.url = url
        self.path = target.with_name(target.name + ".part")
        self._note = target.with_name(target.name + ".part.json")
        self.total, self.version = None, None
        if self.path.exists() and not self._read_note():
            self.forget()

    def _read_note(self):
        """False if the part is not known to be one of this address."""
        try:
            note = json.loads(self._note.read_text(encoding="utf-8"))
            self.total, self.version = note["total"], note["version"]
            return (note["url"] == self.url and isinstance(self.total, (int, type(None)))
                    and isinstance(self.version, (str, type(None))))
        except (OSError, ValueError, KeyError, TypeError):
            return False

    def size(self):
        return self.path.stat().st_size if self.path.exists() else 0

    def is_whole(self):
        return self.total is not None and self.size() == self.total

    def begin(self, total, version):
        """A file of `total` bytes (None: unknown) begins to come."""
        self.forget()
        self.total, self.version = total, version
        note = {"url": self.url, "total": total, "version": version}
        with _disk(self._note):
            self._note.write_text(json.dumps(note) + "\n", encoding="utf-8")

    def forget(self):
        with _disk(self.path):
            self.path.unlink(missing_ok=True)
            self._note.unlink(missing_ok=True)
        self.total, self.version = None, None

    def keep_as(self, target):
        with _disk(target):
            with open(self.path, "rb") as file:
                os.fsync(file.fileno())
            self.path.rename(target)
            self._note.unlink(missing_ok=True)


class _disk:
    """Turns what the disk refuses into a FetchError that names the file."""

    def __init__(self, path):
        self._path = path

    def __enter__(self):
        return self

    def __exit__(self, kind, error, trace):
        if isinstance(error, OSError):
            raise FetchError(f"{self._path} cannot be written: {reason(error)}") from error


class _Redirections(urllib.request.HTTPRedirectHandler):
    """Only to where the file is as safe on its way as at the address that was asked for."""

    def redirect_request(self, req, fp, code, msg, headers, newurl):
        if _scheme(req.full_url) == "https" and _scheme(newurl) != "https":
            fp.close()
            raise FetchError(f"{req.full_url}: the server redirects to {newurl}, which is not "
                             "https; --url takes another address")
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def _scheme(url):
    """Of a legible address; else None."""
    try:
        return urllib.parse.urlsplit(url).scheme
    except ValueError:
        return None


class _Transfer:
    """One request, and what comes of it."""

    def __init__(self, part, timeout_s, connected_before):
        self._part = part
        self._connected_before = connected_before
        self._timeout_s = timeout_s

    def run(self):
        with self._open() as response:
            total = self._prepare(response)
            self._check_room(total)
            self._receive(response, total)

    def _open(self):
        # Without "identity" a server may compress, and then has no ranges.
        headers = {"Accept-Encoding": "identity", "User-Agent": "SPION-data"}
        have = self._part.size()
        if have > 0:
            headers["Range"] = f"bytes={have}-"
            if self._part.version:
                headers["If-Range"] = self._part.version
        request = urllib.request.Request(self._part.url, headers=headers)
        try:
            opener = urllib.request.build_opener(_Redirections)
            return opener.open(request, timeout=self._timeout_s)
        except urllib.error.HTTPError as error:
            error.close()
            said = f"the server answers {error.code} {error.reason}"
            if error.code == 416:
                self._part.forget()
                raise _Broken(f"{said}, so the download begins again") from error
            if error.code in _RETRIED_STATUS:
                raise _Broken(said) from error
            raise FetchError(f"{self._part.url}: {said}. The owner may have moved it; --url takes "
                             "another address") from error
        except urllib.error.URLError as error:
            self._not_connected(error.reason)
        except (ValueError, http.client.InvalidURL) as error:
            raise FetchError(f"{self._part.url}: this address, or one that the server redirects "
                             f"to, is none ({error}); --url takes another") from error
        except (OSError, http.client.HTTPException) as error:
            raise _Broken(f"no answer came: {reason(error)}") from error

    def _not_connected(self, error):
        """Where no byte has come yet, a second attempt has little hope: better said at once."""
        said = _no_connection(self._part.url, error, self._timeout_s)
        raise _Broken(said) if self._connected_before else FetchError(said)

    def _prepare(self, response):
        """Makes the part ready for what comes; returns the length of the whole, if known."""
        version = _version(response)
        if response.status == 206:
            start, total = _content_range(response)
            if start != self._part.size() or (self._part.total or total) != total:
                self._part.forget()
                raise _Broken("the server goes on elsewhere than asked, so the download begins "
                              "again")
            if version and self._part.version and version != self._part.version:
                self._part.forget()
                raise _Broken("the file has changed on the server, so the download begins again")
            return total
        length = response.headers.get("Content-Length", "")
        has_length = re.fullmatch(_LENGTH, length) is not None
        if not has_length and not response.chunked:
            raise FetchError(f"{self._part.url}: the server does not say how long the file is, so "
                             "a broken connection would look like its end; --url takes another "
                             "address")
        self._part.begin(int(length) if has_length else None, version)
        return self._part.total

    def _check_room(self, total):
        if total is None:
            return
        needed = total - self._part.size()
        free = shutil.disk_usage(self._part.path.parent).free
        if needed > free:
            raise FetchError(f"{self._part.path.parent} has {free / 1e6:.0f} MB free, the download "
                             f"needs {needed / 1e6:.0f} MB more; give another folder as --out")

    def _receive(self, response, total):
        show = Progress(self._part.path.name.removesuffix(".part"))
        with _disk(self._part.path):
            # No buffer: what the disk refuses is said by the write, not once more by closing.
            file = open(self._part.path, "ab", buffering=0)
        with file:
            try:
                while piece := _read(response):
                    with _disk(self._part.path):
                        while piece:
                            piece = piece[file.write(piece):]
                    show(file.tell(), total)
            finally:
                show.end()
            if total is not None and file.tell() != total:
                raise _Broken(f"the connection broke at {file.tell()} of {total} bytes")


def _read(response):
    try:
        return response.read1(_PIECE_BYTES)
    except (OSError, http.client.HTTPException) as error:
        raise _Broken(f"the connection broke: {reason(error)}") from error


def _version(response):
    """What If-Range takes: a strong ETag, else the date, else nothing."""
    etag = response.headers.get("ETag", "")
    return etag if etag.startswith('"') else response.headers.get("Last-Modified")


def _content_range(response):
    """(first byte, length of the whole) of a partial answer; (None, None) if it does not say."""
    match = re.fullmatch(rf"bytes ({_LENGTH})-{_LENGTH}/({_LENGTH})",
                         response.headers.get("Content-Range", ""))
    return (int(match[1]), int(match[2])) if match else (None, None)


def _no_connection(url, error, timeout_s):
    host = urllib.parse.urlsplit(url).netloc
    if isinstance(error, socket.gaierror):
        said = f"no network: the name {host} cannot be looked up"
    elif isinstance(error, ConnectionRefusedError):
        said = f"{host} refuses the connection"
    elif isinstance(error, TimeoutError):
        said = f"no network, or none to {host}: no answer within {timeout_s:g} s"
    elif isinstance(error, ssl.SSLError):
        said = f"the connection to {host} is not safe"
    elif getattr(error, "errno", None) in (errno.ENETUNREACH, errno.EHOSTUNREACH):
        said = f"no network: {host} cannot be reached"
    else:
        said = f"no connection to {host}"
    text = error if isinstance(error, str) else reason(error)
    proxy = " through the proxy of the environment" if urllib.request.getproxies().get(
        urllib.parse.urlsplit(url).scheme) else ""
    return f"{said}{proxy} ({text})"
