"""Types that two files define, and what only looks like it."""

import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

PROGRAM = None


class OneDefinitionTest(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(dir=os.environ.get("TEST_TMPDIR")))

    def run_on(self, *texts):
        """Of files a.h, b.h, ... with these texts."""
        paths = [self.folder / f"{letter}.h" for letter, _ in zip("abcdef", texts)]
        for path, text in zip(paths, texts):
            path.write_text(text)
        return subprocess.run([sys.executable, PROGRAM, *map(str, paths)], capture_output=True,
                              text=True, check=False)

    def check_alone(self, *texts):
        result = self.run_on(*texts)
        self.assertEqual((result.returncode, result.stderr), (0, ""), texts)

    def check_twins(self, name, *texts):
        result = self.run_on(*texts)
        self.assertEqual(result.returncode, 1, texts)
        self.assertEqual(result.stderr.splitlines(),
                         [f"{name} is a type of its own in each of {self.folder}/a.h, "
                          f"{self.folder}/b.h; give them two names"])

    def test_two_types_of_one_name(self):
        self.check_twins("spion::Precision",
                         "namespace spion {\nenum class Precision {\n  kHalf,  // fp16\n};\n}\n",
                         "namespace spion {\nenum class Precision { kFloat32 };\n}\n")
        self.check_twins("a::b::Shape", "namespace a::b { struct Shape { int side; }; }",
                         "namespace a { namespace b { class Shape final : public Base {}; } }")
        self.check_twins("n::Of<int>", "namespace n { template <> struct Of<int> {}; }",
                         "namespace n { template <> struct Of< int > {}; }")

    def test_behind_code_that_holds_braces(self):
        twin = "namespace n { struct T {}; }"
        for before in ("// {\n", "/* namespace { */", "#define OPEN {\n", 'char c[] = "{";',
                       "char c = '{';", "int n = 1'000;", 'auto t = R"x({ " )x";',
                       "namespace {\nstruct Other {};\n}  // namespace\n",
                       "int F() { struct Local {}; return 0; }\n"):
            self.check_twins("n::T", before + twin, twin)

    def test_names_that_are_ones_own(self):
        for scopes in (("namespace a { struct T {}; }", "namespace b { struct T {}; }"),
                       ("namespace n { namespace { struct T {}; } }", "namespace n { struct T {}; }"),
                       ("namespace n { struct A { struct T {}; }; }",
                        "namespace n { struct B { struct T {}; }; struct T {}; }"),
                       ("namespace n { void F() { struct T {}; } }", "namespace n { struct T {}; }"),
                       ("namespace n { struct T; enum class E : int; }",
                        "namespace n { struct T {}; enum class E : int { kA }; }"),
                       ("namespace n { struct T F() { return {}; } T t{}; }",
                        "namespace n { struct T {}; }"),
                       ("namespace n { template <class V> struct Of {}; }",
                        "namespace n { template <> struct Of<int> {}; }"),
                       ("// namespace n { struct T {}; }", "namespace n { struct T {}; }")):
            self.check_alone(*scopes)


if __name__ == "__main__":
    PROGRAM = os.path.abspath(sys.argv.pop(1))
    unittest.main()
