#!/usr/bin/env python3
"""Limits on size: lines, files, functions (which fail), parameters and interfaces (which warn).

Functions are found by their braces, without a compiler; a lambda counts as part of the function
around it.  Links between our documents must lead somewhere.  Each finding is one line,
`file:line: rule: hint`; tidy_test.py has a test per rule.
"""

import argparse
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from cxx_text import SOURCE_ROOTS, source_files, without_comments_and_literals

LINE_COLUMNS = 100
FILE_LINES = 600
TEST_LINES = 1000
HEADER_LINES = 300
FUNCTION_LINES = 70
PARAMETERS = 5
INTERFACE_METHODS = 8

# Interfaces that may be wider, and why.
WIDE_INTERFACES = {
    "walrus/wal/wal.h:Wal": "the facade: every feature of the engine under one name",
}

SCRIPT_GLOBS = ("scripts/**/*.py", "scripts/**/*.sh", "scripts/**/*.cmake")
DOCUMENT_GLOBS = ("*.md", *(f"{top}/**/*.md" for top in (*SOURCE_ROOTS, "results")))
MARKDOWN_LINK = re.compile(r"\]\((?!\w+:|#)([^)#\s]+)[^)\n]*\)")  # Not to other sites.
SCOPE = re.compile(r"\b(?:namespace|class|struct|union|extern)\b")
CLASS = re.compile(r"\b(?:class|struct|union)\s+(?:\[\[[^\]]*\]\]\s*|alignas\([^)]*\)\s*)*(\w+)")
OPERATOR = re.compile(
    r"\boperator\s*(?:\(\s*\)|\[\s*\]|(?:new|delete)\s*(?:\[\s*\])?|[^\w\s(]+|[\w:<>,\s*&]+)"
    r"(?=\s*\()"
)
NAME_BEFORE_PARENTHESIS = re.compile(r"([~\w:<>*&\s,]*?[~\w]+)\s*\($")
PURE_VIRTUAL = re.compile(r"\bvirtual\b.*=\s*0\s*$", re.DOTALL)


class Finding(NamedTuple):
    path: str
    line: int
    rule: str
    hint: str
    fails: bool = True

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.rule}: {self.hint}"


class Function(NamedTuple):
    name: str
    parameters: int
    first_line: int
    last_line: int  # Same as first_line for a declaration.


class Interface(NamedTuple):
    name: str
    pure_virtual: int
    line: int


@dataclass
class Scope:
    name: str  # Of a class; "" for a namespace.
    line: int
    pure_virtual: int = 0


@dataclass
class Outline:
    functions: list[Function] = field(default_factory=list)
    interfaces: list[Interface] = field(default_factory=list)


def without_preprocessor(code: str) -> str:
    """Blanks directives with their continuation lines: macros have braces of their own."""
    directive = re.compile(r"^[ \t]*#(?:[^\n\\]|\\.|\\\n)*", re.MULTILINE | re.DOTALL)
    return directive.sub(lambda m: re.sub(r"[^\n]", " ", m.group()), code)


def closing(code: str, at: int) -> int:
    """Position of the bracket that closes the one at `at`; the end of `code` when there is none."""
    opening, depth = code[at], 0
    partner = {"(": ")", "{": "}", "[": "]"}[opening]
    for match in re.compile(re.escape(opening) + "|" + re.escape(partner)).finditer(code, at):
        depth += 1 if match.group() == opening else -1
        if depth == 0:
            return match.start()
    return len(code)


def signature(head: str) -> tuple[str, int] | None:
    """Name and number of parameters when `head` declares a function, or None.

    `head` is what stands between the last ; or brace of a class or namespace and a { or ;.
    """
    head = re.sub(r"\[\[.*?\]\]", " ", head)
    head = re.sub(r"\b(?:alignas|decltype|requires|explicit|noexcept)\s*\(", " (", head)
    operator = OPERATOR.search(head)
    start = head.find("(", operator.end() if operator else 0)
    while start >= 0:
        before = head[: start + 1]
        if operator:
            return "operator", count_parameters(head[start + 1 : closing(head, start)])
        if "=" in before:
            return None  # A variable with an initialiser.
        name = NAME_BEFORE_PARENTHESIS.search(before)
        if name and name[1].split():
            return name[1].split()[-1], count_parameters(head[start + 1 : closing(head, start)])
        start = head.find("(", closing(head, start))
    return None


def count_parameters(text: str) -> int:
    if text.strip() in ("", "void"):
        return 0
    count, depth = 1, 0
    for char in text.replace("->", "  ").replace("<=", "  ").replace(">=", "  "):
        if char in "(<[{":
            depth += 1
        elif char in ")>]}":
            depth -= 1
        elif char == "," and depth == 0:
            count += 1
    return count


def in_initialiser_list(head: str) -> bool:
    """True when a { after `head` initialises a member: `A(int b) : b_` but not `... : b_(b)`."""
    end = head.find(")")
    has_list = end >= 0 and re.search(r"\)[\s\w()]*(?<!:):(?!:)", head) is not None
    return has_list and re.search(r"[\w>]\s*$", head) is not None


class Reader:
    """Walks the braces of namespaces and classes; what is inside a function is skipped."""

    def __init__(self, text: str):
        self.code = without_preprocessor(without_comments_and_literals(text))
        self.outline = Outline()
        self.scopes: list[Scope] = []
        self.head_start = 0  # Of the declaration being read.

    def line(self, at: int) -> int:
        return self.code.count("\n", 0, at) + 1

    def head_line(self) -> int:
        head = self.code[self.head_start :]
        return self.line(self.head_start + len(head) - len(head.lstrip()))

    def read(self) -> Outline:
        at = 0
        while match := re.compile(r"[;{}(]|\b(?:public|private|protected)\s*:").search(
            self.code, at
        ):
            at = match.start()
            if match.group() == "(":
                at = closing(self.code, at) + 1
            elif match.group() == "{":
                at = self.brace(at)
            elif match.group() == "}":
                self.leave()
                at = self.head_start = at + 1
            else:  # ; or an access specifier: a declaration ends here.
                if match.group() == ";":
                    self.declaration(self.code[self.head_start : at])
                at = self.head_start = match.end()
        return self.outline

    def brace(self, at: int) -> int:
        """Handles the { at `at`; returns where to go on."""
        head = self.code[self.head_start : at]
        plain = re.sub(r"\btemplate\s*<[^{};]*?>(?=\s*[\w\[])", "", head)
        declared = signature(plain)
        if re.search(r"\benum\b", plain) and not declared:
            return closing(self.code, at) + 1
        if SCOPE.search(plain) and not declared:
            class_name = CLASS.search(plain)
            self.scopes.append(Scope(class_name[1] if class_name else "", self.head_line()))
            self.head_start = at + 1
            return at + 1
        end = closing(self.code, at)
        if declared is None or in_initialiser_list(head):
            return end + 1  # An initialiser; the declaration goes on after it.
        self.outline.functions.append(Function(*declared, self.head_line(), self.line(end)))
        self.head_start = end + 1
        return end + 1

    def declaration(self, head: str) -> None:
        if self.scopes and PURE_VIRTUAL.search(head):
            self.scopes[-1].pure_virtual += 1
        declared = signature(re.sub(r"=\s*(?:0|default|delete)\s*$", "", head))
        if declared and not re.match(r"\s*(?:using|typedef|friend|static_assert)\b", head):
            line = self.head_line()
            self.outline.functions.append(Function(*declared, line, line))

    def leave(self) -> None:
        if not self.scopes:
            return
        scope = self.scopes.pop()
        if scope.pure_virtual:
            interface = Interface(scope.name, scope.pure_virtual, scope.line)
            self.outline.interfaces.append(interface)


def outline(text: str) -> Outline:
    return Reader(text).read()


# --- rules ---


def check_lines(path: str, text: str) -> Iterator[Finding]:
    for number, line in enumerate(text.split("\n"), 1):
        if len(line) > LINE_COLUMNS:
            yield Finding(path, number, "line", f"{len(line)} columns, at most {LINE_COLUMNS}")


def check_length(path: str, text: str) -> Iterator[Finding]:
    limit = FILE_LINES
    if path.endswith(".h"):
        limit = HEADER_LINES
    elif path.endswith("_test.cc"):
        limit = TEST_LINES
    lines = text.count("\n")
    if lines > limit:
        yield Finding(path, limit + 1, "file", f"{lines} lines, at most {limit}: split by idea")


def check_outline(path: str, text: str) -> Iterator[Finding]:
    found = outline(text)
    for function in found.functions:
        lines = function.last_line - function.first_line + 1
        if lines > FUNCTION_LINES:
            hint = f"{function.name}: {lines} lines, at most {FUNCTION_LINES}"
            yield Finding(path, function.first_line, "function", hint)
        if function.parameters > PARAMETERS:
            hint = f"{function.name}: {function.parameters}, above {PARAMETERS} take a struct"
            yield Finding(path, function.first_line, "parameters", hint, fails=False)
    for interface in found.interfaces:
        wide = f"{path}:{interface.name}" in WIDE_INTERFACES
        if interface.pure_virtual > INTERFACE_METHODS and not wide:
            hint = f"{interface.name}: {interface.pure_virtual}, at most {INTERFACE_METHODS}"
            yield Finding(path, interface.line, "interface", hint, fails=False)


def check_markdown(path: Path, root: Path) -> Iterator[Finding]:
    text = path.read_text()
    for match in MARKDOWN_LINK.finditer(text):
        if not (path.parent / match[1]).exists():
            line = text.count("\n", 0, match.start()) + 1
            hint = f"{match[1]} does not exist"
            yield Finding(path.relative_to(root).as_posix(), line, "link", hint)


def check(root: Path) -> list[Finding]:
    findings = []
    for path in source_files(root):
        text = (root / path).read_text()
        name = path.as_posix()
        findings += [*check_lines(name, text), *check_length(name, text)]
        findings += check_outline(name, text)

    others = [path for glob in SCRIPT_GLOBS for path in root.glob(glob)]
    others += [path for top in SOURCE_ROOTS for path in (root / top).rglob("CMakeLists.txt")]
    for path in others:
        findings += check_lines(path.relative_to(root).as_posix(), path.read_text())
    for path in (path for glob in DOCUMENT_GLOBS for path in root.glob(glob)):
        findings += check_markdown(path, root)
    return sorted(findings)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--root", type=Path, default=Path(__file__).resolve().parent.parent)
    findings = check(parser.parse_args().root)
    for finding in findings:
        print(finding if finding.fails else f"{finding} (warning)")
    return 1 if any(finding.fails for finding in findings) else 0


if __name__ == "__main__":
    sys.exit(main())
