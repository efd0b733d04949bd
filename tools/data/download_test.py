"""Downloads from a server on this machine that breaks, lies and refuses."""

import contextlib
import email
import hashlib
import io
import json
import resource
import shutil
import unittest
import unittest.mock
import urllib.response

import download
import test_case
from errors import FetchError
from range_server import RangeServer

CONTENT = test_case.noise(100_000)
MD5 = hashlib.md5(CONTENT).hexdigest()


class DownloadTest(test_case.FolderTestCase):
    def setUp(self):
        super().setUp()
        self.target = self.folder / "a.tar.gz"
        self.part = self.folder / "a.tar.gz.part"
        self.note = self.folder / "a.tar.gz.part.json"
        self.server = self.enterContext(RangeServer(CONTENT))
        self.log = io.StringIO()

    def download(self, md5=MD5, url=None, attempts=3, timeout_s=5):
        with contextlib.redirect_stderr(self.log):
            download.download(url or self.server.url, self.target, md5, attempts=attempts,
                              wait_s=0.0, timeout_s=timeout_s)

    def check_refused(self, expected, **arguments):
        with self.assertRaisesRegex(FetchError, expected) as caught:
            self.download(**arguments)
        self.assertNotIn("\n", str(caught.exception))
        self.assertFalse(self.target.exists(), "a file that is not whole got its final name")

    def check_came(self):
        self.assertEqual(self.target.read_bytes(), CONTENT)
        self.assertEqual(self.names(), ["a.tar.gz"], "something is left beside the file")

    def break_off(self, at=40_000):
        """Leaves a part of `at` bytes, as an interrupted run does."""
        self.server.break_after = [at]
        self.server.statuses = [200, 503, 503, 503]
        self.check_refused("503")
        self.assertEqual(self.part.read_bytes(), self.server.content[:at])
        self.server.requests.clear()

    def test_a_whole_file(self):
        self.download()
        self.check_came()
        self.assertEqual(len(self.server.requests), 1)
        self.assertNotIn("Range", self.server.requests[0])

    def test_a_whole_file_of_unknown_checksum(self):
        self.download(md5=None)
        self.check_came()

    def test_a_broken_connection_is_taken_up_where_it_broke(self):
        self.server.break_after = [30_000, 50_001]
        self.download()
        self.check_came()
        self.assertEqual([request.get("Range") for request in self.server.requests],
                         [None, "bytes=30000-", "bytes=80001-"])
        self.assertEqual(self.server.requests[1]["If-Range"], '"1"')
        self.assertIn("the connection broke at 30000 of 100000 bytes; trying again",
                      self.log.getvalue())

    def test_more_breaks_than_attempts_while_bytes_come(self):
        self.server.break_after = [10_000] * 9
        self.download(attempts=2)
        self.check_came()
        self.assertEqual(len(self.server.requests), 10)

    def test_a_connection_that_breaks_at_once_is_given_up(self):
        self.server.break_after = [0] * 5
        self.check_refused("broke at 0 of 100000 bytes; given up after 3 attempts")
        self.assertEqual(len(self.server.requests), 3)

    def test_the_next_run_goes_on(self):
        self.break_off(40_000)
        self.download()
        self.check_came()
        self.assertEqual([request["Range"] for request in self.server.requests], ["bytes=40000-"])

    def test_a_file_that_changed_begins_again(self):
        self.break_off()
        self.server.content, self.server.etag = test_case.noise(90_000, seed=2), '"2"'
        self.download(md5=None)
        self.assertEqual(self.target.read_bytes(), self.server.content)
        self.assertEqual(self.server.requests[0]["If-Range"], '"1"')

    def test_a_file_of_another_length_and_no_version_begins_again(self):
        self.server.etag = None
        self.break_off()
        self.server.content = test_case.noise(90_000, seed=2)
        self.download(md5=None)
        self.assertEqual(self.target.read_bytes(), self.server.content)
        self.assertNotIn("If-Range", self.server.requests[0])

    def test_a_part_of_another_address_begins_again(self):
        self.break_off()
        note = json.loads(self.note.read_text())
        self.assertEqual(note, {"url": self.server.url, "total": 100_000, "version": '"1"'})
        self.note.write_text(json.dumps({**note, "url": "http://other/a.tar.gz"}))
        self.download()
        self.check_came()
        self.assertNotIn("Range", self.server.requests[0])

    def test_a_part_without_a_legible_note_begins_again(self):
        for note in (None, "", "[]", "{}"):
            self.part.write_bytes(b"mine")
            if note is not None:
                self.note.write_text(note)
            self.download()
            self.check_came()
            self.target.unlink()

    def test_a_part_that_is_whole_already_asks_for_nothing(self):
        self.break_off()
        self.part.write_bytes(CONTENT)
        self.download()
        self.check_came()
        self.assertEqual(self.server.requests, [])

    def test_a_part_that_is_too_long_begins_again(self):
        self.break_off()
        self.part.write_bytes(CONTENT + b"x")
        self.download()
        self.check_came()

    def test_a_server_that_goes_on_with_another_version_begins_again(self):
        self.break_off()
        self.server.content, self.server.etag = test_case.noise(100_000, seed=2), '"2"'
        self.server.heeds_if_range = False
        self.download(md5=None)
        self.assertEqual(self.target.read_bytes(), self.server.content)
        self.assertEqual([request.get("Range") for request in self.server.requests],
                         ["bytes=40000-", None])
        self.assertIn("the file has changed on the server", self.log.getvalue())

    def test_a_note_of_other_types_begins_again(self):
        for total, version in (("100000", '"1"'), (1e5, '"1"'), (100_000, 1), ([], {})):
            self.part.write_bytes(b"mine")
            self.note.write_text(json.dumps({"url": self.server.url, "total": total,
                                             "version": version}))
            self.download()
            self.check_came()
            self.target.unlink()

    def test_a_server_without_ranges_begins_again(self):
        self.server.ranges = False
        self.server.break_after = [30_000]
        self.download()
        self.check_came()
        self.assertEqual(len(self.server.requests), 2)

    def test_a_server_that_goes_on_elsewhere_begins_again(self):
        self.break_off()
        self.server.shift = 7
        self.download()
        self.check_came()

    def test_pieces_of_unknown_total(self):
        self.server.length = "chunked"
        self.server.break_after = [30_000]
        self.download(md5=None)
        self.check_came()
        self.assertEqual(len(self.server.requests), 2)

    def test_a_length_that_nobody_says_is_refused(self):
        self.server.length = "none"
        self.check_refused("does not say how long the file is")
        self.assertEqual(self.names(), [])

    def test_a_length_that_is_none_is_refused(self):
        for length in ("\xb2", "9" * 5000, "-1", "1e5", "+100000", ""):
            with self.subTest(length[:8]):
                self.server.length = length
                self.check_refused("does not say how long the file is")

    def test_a_range_that_is_none_begins_again(self):
        for content_range in ("bytes 40000-99999/" + "9" * 5000, "bytes x-y/z", "bytes */100000",
                              "bytes 4\xb20000-99999/100000"):
            with self.subTest(content_range[:30]):
                self.break_off()
                self.server.content_range = content_range
                self.download()
                self.check_came()
                self.target.unlink()

    def test_a_redirection(self):
        self.server.redirects = [f"{self.server.url}/elsewhere"]
        self.download()
        self.check_came()

    def test_a_redirection_from_https_to_http_is_refused(self):
        def answer(_, request):
            headers = email.message_from_string(f"Location: {self.server.url}\n\n")
            response = urllib.response.addinfourl(io.BytesIO(), headers, request.full_url, 302)
            response.msg = "Found"
            return response

        with unittest.mock.patch("urllib.request.HTTPSHandler.https_open", answer):
            self.check_refused(r"^https://a\.example/a: the server redirects to http://127.*, "
                               "which is not https; --url takes another",
                               url="https://a.example/a")
        self.assertEqual(self.server.requests, [])

    def test_addresses_that_are_none(self):
        for url in ("http://[a/b", "http://host:port/", "http://a b/"):
            with self.subTest(url):
                self.check_refused("address", url=url)
                self.server.redirects = [url]
                self.check_refused("address")
        self.assertNotIn("trying again", self.log.getvalue())

    def test_a_wrong_checksum(self):
        wrong = hashlib.md5(b"").hexdigest()
        self.check_refused(f"md5 {MD5} came, {wrong} was expected", md5=wrong)
        self.assertEqual(self.names(), [], "a part that can never become right was kept")

    def test_a_file_that_is_not_there(self):
        self.server.statuses = [404] * 5
        self.check_refused("answers 404 Not Found.*--url takes another address")
        self.assertEqual(len(self.server.requests), 1, "a 404 was asked for again")

    def test_a_busy_server_is_asked_again(self):
        self.server.statuses = [503, 429]
        self.download()
        self.check_came()

    def test_a_refused_connection(self):
        self.check_refused(r"127\.0\.0\.1:\d+ refuses the connection", url=test_case.refusing_url())
        self.assertEqual(self.log.getvalue(), "", "tried again without hope")

    def test_no_network(self):
        with unittest.mock.patch("socket.getaddrinfo",
                                 side_effect=download.socket.gaierror(-3, "Temporary failure")):
            self.check_refused(r"no network: the name a\.example cannot be looked up "
                               r"\(Temporary failure\)", url="https://a.example/a.tar.gz")
        with unittest.mock.patch("socket.create_connection",
                                 side_effect=OSError(download.errno.ENETUNREACH, "unreachable")):
            self.check_refused(r"no network: a\.example cannot be reached",
                               url="https://a.example/a.tar.gz")

    def test_a_silent_server(self):
        self.server.ranges = False
        self.server.pause_s = 1.0
        self.check_refused("the connection broke: timed out", attempts=1, timeout_s=0.1)

    def test_another_kind_of_address(self):
        self.check_refused("begins with http:// or https:// was expected", url="file:///etc/passwd")

    def test_a_disk_with_too_little_room(self):
        usage = shutil.disk_usage(self.folder)._replace(free=99_999)
        with unittest.mock.patch("shutil.disk_usage", return_value=usage):
            self.check_refused("0 MB free, the download needs 0 MB more")

    def test_a_disk_that_fills_up(self):
        before = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, before[1]))
        try:
            self.check_refused(r"a\.tar\.gz\.part cannot be written: File too large")
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, before)
        self.download()
        self.check_came()

    def test_a_folder_that_may_not_be_written(self):
        self.folder.chmod(0o555)
        with test_case.without_rights():
            self.check_refused("cannot be written: Permission denied")
        self.folder.chmod(0o755)


if __name__ == "__main__":
    unittest.main()
