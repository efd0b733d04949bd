"""Unpacks archives that are good, damaged and malicious."""

import gzip
import io
import shutil
import tarfile
import unittest
import unittest.mock

import test_case
import unpack
from errors import FetchError

FILES = {
    "release/README": b"not wanted",
    "release/release/paths/curves/a/1.txt": b"one",
    "release/release/paths/straight/a/1.txt": b"not wanted",
    "release/release/paths/curves/2.txt": test_case.noise(3_000_000),
    "elsewhere/paths/curves/3.txt": b"of another folder of that name",
}


class UnpackTest(test_case.FolderTestCase):
    def unpack(self, content):
        archive = self.folder / "a.tar.gz"
        archive.write_bytes(content)
        unpack.unpack(archive, "paths/curves", self.folder)

    def files(self):
        root = self.folder / "paths" / "curves"
        return {str(path.relative_to(root)): path.read_bytes()
                for path in root.rglob("*") if path.is_file()}

    def check_refused(self, expected, content):
        with self.assertRaisesRegex(FetchError, expected):
            self.unpack(content)
        self.assertEqual(self.names(), ["a.tar.gz"], "something is left of a failed unpacking")

    def test_only_the_folder(self):
        for mode in ("w:gz", "w"):
            self.unpack(test_case.tar_bytes(FILES, mode))
            self.assertEqual(self.names(), ["a.tar.gz", "paths"])
            self.assertEqual([path.name for path in (self.folder / "paths").iterdir()], ["curves"])
            self.assertEqual(self.files(), {
                "a/1.txt": b"one", "2.txt": FILES["release/release/paths/curves/2.txt"]})
            (self.folder / "paths").rename(self.folder.with_suffix("." + mode.replace(":", "")))

    def test_folders_may_be_listed_and_other_folders_may_be_beside(self):
        (self.folder / "paths" / "kept").mkdir(parents=True)
        buffer = io.BytesIO()
        with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
            for name in ("./paths", "./paths/curves", "./paths/curves/empty"):
                folder = tarfile.TarInfo(name)
                folder.type = tarfile.DIRTYPE
                tar.addfile(folder)
        self.unpack(buffer.getvalue())
        self.assertTrue((self.folder / "paths" / "curves" / "empty").is_dir())
        self.assertTrue((self.folder / "paths" / "kept").is_dir())

    def test_what_a_killed_run_left_is_taken_away(self):
        (self.folder / "curves.part").mkdir()
        (self.folder / "curves.part" / "half.txt").write_text("half")
        self.unpack(test_case.tar_bytes({"paths/curves/1.txt": b"one"}))
        self.assertEqual(self.files(), {"1.txt": b"one"})
        self.assertEqual(self.names(), ["a.tar.gz", "paths"])

    def test_damage(self):
        good = test_case.tar_bytes(FILES)
        self.check_refused("no whole tar archive", good[:len(good) // 2])
        self.check_refused("no whole tar archive", good[:-1])
        self.check_refused("no whole tar archive", b"<html>moved</html>")
        self.check_refused("no whole tar archive", b"")
        self.check_refused("no whole tar archive", gzip.compress(b"<html>moved</html>" * 100))

    def test_damage_that_only_the_checksum_shows(self):
        damaged = bytearray(test_case.tar_bytes(FILES))
        damaged[len(damaged) // 2] ^= 1  # Noise is stored as it is, so it still decompresses.
        self.check_refused("no whole tar archive.*CRC", bytes(damaged))

    def test_another_archive(self):
        self.check_refused("holds no folder paths/curves",
                           test_case.tar_bytes({"paths/curvesx/1.txt": b"one"}))

    def test_nothing_is_written_outside(self):
        for name in ("paths/curves/../../../evil.txt", "paths/curves/a/../../evil.txt"):
            self.check_refused("holds .*evil.txt, which is no file or folder below its own",
                               test_case.tar_bytes({"paths/curves/1.txt": b"one", name: b"evil"}))
        self.assertFalse((self.folder.parent / "evil.txt").exists())

    def test_links_are_refused(self):
        buffer = io.BytesIO()
        with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
            link = tarfile.TarInfo("paths/curves/link")
            link.type, link.linkname = tarfile.SYMTYPE, "/etc"
            tar.addfile(link)
        self.check_refused("link, which is no file or folder", buffer.getvalue())

    def test_a_size_that_the_archive_cannot_hold(self):
        member = tarfile.TarInfo("paths/curves/huge.bin")
        member.size = 8_000_000_000
        whole = member.tobuf(tarfile.GNU_FORMAT)
        # As a file of holes it has no byte in the archive.
        member.type, member.size = tarfile.GNUTYPE_SPARSE, 0
        sparse = bytearray(member.tobuf(tarfile.GNU_FORMAT))
        sparse[483:495] = b"%011o\0" % 8_000_000_000
        sparse[148:156] = b" " * 8
        sparse[148:156] = b"%06o\0 " % sum(sparse)
        for header in (whole, bytes(sparse)):
            self.check_refused(r"says that paths/curves/huge\.bin has 8000000000 bytes, but can "
                               r"hold \d{5,6} at most", gzip.compress(header))
            self.check_refused("but can hold 1024 at most", header + bytes(512))

    def test_a_size_that_the_disk_cannot_hold(self):
        usage = shutil.disk_usage(self.folder)._replace(free=2_999_999)
        with unittest.mock.patch("shutil.disk_usage", return_value=usage):
            self.check_refused("has 3 MB free, .*curves/2.txt needs 3 MB; give another folder",
                               test_case.tar_bytes(FILES))

    def test_a_long_name_of_gigabytes(self):
        for kind in (tarfile.GNUTYPE_LONGNAME, tarfile.XHDTYPE):
            member = tarfile.TarInfo("././@LongLink")
            member.type, member.size = kind, 8_000_000_000
            self.check_refused("a header that says it is of 8000000[0-9]+ bytes, 1048576 expected",
                               gzip.compress(member.tobuf(tarfile.GNU_FORMAT) + bytes(10_000)))

    def test_a_folder_that_may_not_be_written(self):
        archive = self.folder / "a.tar.gz"
        archive.write_bytes(test_case.tar_bytes(FILES))
        self.folder.chmod(0o555)
        with test_case.without_rights():
            with self.assertRaisesRegex(FetchError, "cannot be unpacked into .*Permission denied"):
                unpack.unpack(archive, "paths/curves", self.folder)
        self.folder.chmod(0o755)


if __name__ == "__main__":
    unittest.main()
