"""C++ source as the checks need it: which files there are, and their text without comments."""

import re
from pathlib import Path

SOURCE_ROOTS = ("walrus", "harness", "compare")

_COMMENT_OR_LITERAL = re.compile(
    r"//[^\n]*"
    r"|/\*.*?\*/"
    r'|R"(?P<delimiter>[^()\\\s]{0,16})\(.*?\)(?P=delimiter)"'
    r'|"(?:\\.|[^"\\\n])*"'
    r"|(?<![0-9A-Za-z_])'(?:\\.|[^'\\\n])+'",  # Not the ' of 1'000.
    re.DOTALL,
)


def source_files(root: Path) -> list[Path]:
    """Every .h and .cc of the project, relative to `root`, sorted."""
    return sorted(
        path.relative_to(root)
        for top in SOURCE_ROOTS
        for path in (root / top).rglob("*.*")
        if path.suffix in (".h", ".cc")
    )


def without_comments_and_literals(text: str) -> str:
    """The same text, line for line, with comments and the insides of literals blanked."""

    def blank(match: re.Match) -> str:
        token = match.group()
        if token.startswith("/"):
            return re.sub(r"[^\n]", " ", token)
        quote = token[-1]
        return quote + re.sub(r"[^\n]", " ", token[1:-1]) + quote

    return _COMMENT_OR_LITERAL.sub(blank, text)
