"""Every limit of tidy.py fires, and its outline of a source is right where braces are tricky."""

import tempfile
import textwrap
import unittest
from pathlib import Path

import tidy


def functions(text: str) -> list[tuple[str, int, int]]:
    """Name, parameters and length of every function in the text."""
    return [
        (f.name, f.parameters, f.last_line - f.first_line + 1)
        for f in tidy.outline(textwrap.dedent(text)).functions
    ]


def findings(path: str, text: str) -> list[tuple[int, str, bool]]:
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        (root / path).parent.mkdir(parents=True)
        (root / path).write_text(text)
        return [(f.line, f.rule, f.fails) for f in tidy.check(root)]


class Limits(unittest.TestCase):
    def test_a_line_of_101_columns_fails(self):
        for path in ("walrus/wal/a.cc", "scripts/a.py", "walrus/wal/CMakeLists.txt"):
            self.assertEqual(findings(path, "x" * 100 + "\n"), [])
            self.assertEqual(findings(path, "\n" + "x" * 101 + "\n"), [(2, "line", True)])

    def test_a_line_is_measured_in_characters(self):
        self.assertEqual(findings("walrus/wal/a.cc", "\u00e9" * 100 + "\n"), [])

    def test_a_long_file_fails(self):
        for path, limit in (("a.h", 300), ("a.cc", 600), ("a_test.cc", 1000)):
            self.assertEqual(findings(f"walrus/wal/{path}", "\n" * limit), [])
            self.assertEqual(
                findings(f"walrus/wal/{path}", "\n" * (limit + 1)), [(limit + 1, "file", True)]
            )

    def test_a_long_function_fails(self):
        body = "    work();\n"
        self.assertEqual(findings("walrus/wal/a.cc", "void f() {\n" + body * 68 + "}\n"), [])
        self.assertEqual(
            findings("walrus/wal/a.cc", "\nvoid f() {\n" + body * 69 + "}\n"),
            [(2, "function", True)],
        )

    def test_many_parameters_warn(self):
        self.assertEqual(findings("walrus/wal/a.h", "void f(int, int, int, int, int);\n"), [])
        self.assertEqual(
            findings("walrus/wal/a.h", "\nvoid f(int a, int, int, int, int, int);\n"),
            [(2, "parameters", False)],
        )

    def test_a_link_to_nowhere_fails(self):
        text = "[here](a.md#part) [there](https://example.org/x) `[no](link`\n\n[gone](../b.md)\n"
        self.assertEqual(findings("walrus/wal/a.md", text), [(3, "link", True)])

    def test_a_wide_interface_warns_unless_it_is_on_the_list(self):
        def interface(name: str, methods: int) -> str:
            return f"class {name} {{\n" + "    virtual int f(int a) const = 0;\n" * methods + "};\n"

        self.assertEqual(findings("walrus/wal/a.h", interface("A", 8)), [])
        self.assertEqual(
            findings("walrus/wal/a.h", interface("A", 9)), [(1, "interface", False)]
        )
        self.assertEqual(findings("walrus/wal/wal.h", interface("Wal", 20)), [])


class TheOutline(unittest.TestCase):
    def test_knows_functions_methods_and_tests(self):
        self.assertEqual(
            functions(
                """
                namespace walrus::wal { namespace {
                // A comment with a { brace and "quote".
                template <class T, class U = std::map<int, int>>
                Result<T> load(const std::map<int, T>& from, U u) {
                    return [&] { return from.at(u); }();
                }
                }  // namespace
                class [[nodiscard]] A final : public B<int, 3> {
                public:
                    A(int a, int b) : a_(a), b_{b}, c_{} {}
                    ~A() override;
                    bool operator==(const A&) const = default;
                    bool operator()(int x, int y) const noexcept {
                        return x < y;
                    }
                private:
                    std::array<int, 2> c_ = {1, 2};
                    int d_{3};
                };
                std::uint64_t A::count() const {
                    return 0;
                }
                TEST_F(ATest, CountsNothing) {
                    EXPECT_EQ(a.count(), 0);
                }
                }  // namespace walrus::wal
                extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t n) {
                    return 0;
                }
                """
            ),
            [
                ("load", 2, 4),
                ("A", 2, 1),
                ("~A", 0, 1),
                ("operator", 1, 1),
                ("operator", 2, 3),
                ("A::count", 0, 3),
                ("TEST_F", 2, 3),
                ("LLVMFuzzerTestOneInput", 2, 3),
            ],
        )

    def test_is_not_confused_by_types_initialisers_and_macros(self):
        self.assertEqual(
            functions(
                """
                #define LOOP(x) do { \\
                    f(x); \\
                } while (false
                enum class Kind : std::uint8_t { kA = 1, kB };
                struct Empty {};
                class [[nodiscard]] Wrapped {
                    using Map = std::map<int, void (*)(int)>;
                    struct Inner { int a = f(1); int b{}; } inner_;
                };
                constexpr std::array<Kind, 2> kKinds = {Kind::kA, Kind::kB};
                const std::string_view kText = R"(void f(int a) { )";
                const auto kLambda = [](int a, int b) { return a + b; };
                const char kBrace = '{'; const long kMany = 1'000'000;
                static_assert(sizeof(int) == 4, "{");
                template <> struct std::hash<A> {
                    std::size_t operator()(A a) const noexcept { return a.b; }
                };
                """
            ),
            [("operator", 1, 1)],
        )

    def test_knows_operators_by_any_name(self):
        names = ("bool", "std::string_view", "new", "delete[]", "()", "[]", "<=>", "=")
        for name in names:
            with self.subTest(name=name):
                text = f"void* operator {name}(A a, B b) {{\n}}\nvoid f() {{}}\n"
                self.assertEqual(functions(text), [("operator", 2, 2), ("f", 0, 1)])

    def test_reads_signatures_that_span_lines(self):
        self.assertEqual(
            functions(
                """
                Result<std::unique_ptr<File>>
                PosixEnv::open(const std::string& path,
                               std::function<bool(int, int)> visit = {},
                               std::pair<int, int> range = {0, 1}) const& noexcept(false)
                {
                    return work();
                }
                auto later(int a) -> std::pair<int, int> {
                    return {a, a};
                }
                """
            ),
            [("PosixEnv::open", 3, 7), ("later", 1, 3)],
        )

    def test_keeps_its_balance_over_initialiser_lists(self):
        self.assertEqual(
            functions(
                """
                Reader::Reader(File& file, Options options)
                    : file_(file), options_{std::move(options)}, buffer_{64, std::byte{0}} {
                    fill();
                }
                void next() {}
                """
            ),
            [("Reader::Reader", 2, 4), ("next", 0, 1)],
        )

    def test_the_class_of_pure_virtuals_is_named(self):
        found = tidy.outline(
            "namespace a {\nclass A {\n  struct B { int x; };\n"
            "  virtual void f(int a = 0) = 0;\n  virtual void g() { int x = 0; }\n};\n}\n"
        )
        self.assertEqual(found.interfaces, [tidy.Interface("A", 1, 2)])


if __name__ == "__main__":
    unittest.main()
