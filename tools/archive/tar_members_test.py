"""Members of archives that are whole, cut, and not what their headers say."""

import io
import shutil
import tarfile
import unittest

import tar_members

HUGE = 1 << 60


def archive(*files, pax_headers=None):
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:", format=tarfile.PAX_FORMAT) as tar:
        for name, content in files:
            member = tarfile.TarInfo(name)
            member.size, member.pax_headers = len(content), pax_headers or {}
            tar.addfile(member, io.BytesIO(content))
    return buffer.getvalue()


def header(size, kind=tarfile.REGTYPE):
    member = tarfile.TarInfo("a")
    member.size, member.type = size, kind
    return member.tobuf(tarfile.GNU_FORMAT) + bytes(4096)


def content_of(file):
    buffer = io.BytesIO()
    shutil.copyfileobj(file, buffer)
    return buffer.getvalue()


class TarMembersTest(unittest.TestCase):
    def read(self, content):
        return [(member.name, file and content_of(file))
                for member, file in tar_members.read(io.BytesIO(content))]

    def check_refused(self, expected, content):
        with self.assertRaisesRegex(tarfile.TarError, expected):
            self.read(content)

    def test_what_is_in_it_in_its_order(self):
        large, long_name = bytes(range(256)) * 20_000, "folder/" * 40 + "file"
        files = [("a", b"one"), ("empty", b""), (long_name, large), ("a", b"once more")]
        self.assertEqual(self.read(archive(*files)), files)

    def test_what_is_not_read_is_passed_over(self):
        content = archive(("a", bytes(3_000_000)), ("b", b"two"))
        self.assertEqual([member.name for member, _ in tar_members.read(io.BytesIO(content))],
                         ["a", "b"])

    def test_folders_and_links_have_no_content(self):
        for kind in (tarfile.DIRTYPE, tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE):
            self.assertEqual(self.read(header(0, kind)), [("a", None)])

    def test_a_cut_archive(self):
        whole = archive(("a", bytes(1000)), ("b", bytes(1000)))
        self.check_refused("unexpected end", whole[:2500])

    def test_a_file_that_is_shorter_than_its_header_says(self):
        [(member, file)] = [next(tar_members.read(io.BytesIO(header(HUGE))))]
        self.assertEqual(member.size, HUGE)
        with self.assertRaises(tarfile.TarError):
            while file.read(1 << 20):
                pass

    def test_a_header_of_any_size(self):
        for kind in (tarfile.XHDTYPE, tarfile.XGLTYPE, tarfile.GNUTYPE_LONGNAME):
            for size in (HUGE, -1024):
                self.check_refused("a header that says it is of -?[0-9]+ bytes, 1048576 expected",
                                   header(size, kind))

    def test_numbers_that_are_none(self):
        self.check_refused("", archive(("a", b""), pax_headers={
            "GNU.sparse.major": "1", "GNU.sparse.minor": "0", "GNU.sparse.name": "a"}))


if __name__ == "__main__":
    unittest.main()
