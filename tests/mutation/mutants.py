# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The echod developers

"""The mutants of a C source: one operator, number, condition or statement changed in each."""

import re
from dataclasses import dataclass

TOKEN = re.compile(
    r"(?P<space>\s+|/\*.*?\*/|//[^\n]*|^[ \t]*#(?:\\\n|[^\n])*)"
    r'|(?P<text>"(?:\\.|[^"\\])*"|\'(?:\\.|[^\'\\])*\')'
    r"|(?P<word>[A-Za-z_]\w*)"
    r"|(?P<number>0[xX][0-9a-fA-F]+|\d+(?:\.\d+)?)(?P<suffix>[uUlL]*)"
    r"|(?P<sign><<=|>>=|\.\.\.|->|\+\+|--|<<|>>|<=|>=|==|!=|&&|\|\||[-+*/%&|^]=|.)",
    re.DOTALL | re.MULTILINE)

SWAPS = {"==": "!=", "!=": "==", "<": "<=", "<=": "<", ">": ">=", ">=": ">", "&&": "||",
         "||": "&&", "+=": "-=", "-=": "+=", "++": "--", "--": "++", "/": "*", "%": "/"}
BINARY = {"+": "-", "-": "+", "&": "|", "|": "&"}
WORDS = {"true": "false", "false": "true", "continue": ""}

# Not noticed by a test that looks at what a program does, or not in a reasonable time.
SPARED_CALLS = re.compile(r"(free|close|assert|log_debug|static_assert|_Static_assert)$|.*_free$")


@dataclass(frozen=True)
class Mutant:
    path: str  # below the top of the tree
    start: int
    end: int
    text: str
    name: str


@dataclass(frozen=True)
class Token:
    kind: str
    text: str
    start: int
    end: int


def tokens(source):
    found = []
    for match in TOKEN.finditer(source):
        kind = match.lastgroup if match.lastgroup != "suffix" else "number"
        if kind != "space":
            found.append(Token(kind, match[0], match.start(), match.end()))
    return found


def is_operand(token):
    return token.kind in ("word", "number") and token.text != "return" or token.text in (")", "]")


def closing(found, index):
    """The place of the bracket that closes the one at INDEX."""
    depth = 0
    for place in range(index, len(found)):
        depth += {"(": 1, ")": -1}.get(found[place].text, 0)
        if depth == 0:
            return place
    return len(found) - 1


def turned(found, index):
    """Failure into success or the reverse: any negative is a failure, or no descriptor."""
    around = [token.text for token in found[index - 2:index + 2]]
    if around[1:] == ["return", "0", ";"]:
        return "-1"
    if around[1:3] == ["-", "1"] and not is_operand(found[index - 2]):
        return "0"
    return None


def changes(found, index):
    """What can become of the token at INDEX: (first token, last token, text)."""
    token = found[index]
    before = found[index - 1] if index else token
    if token.text in SWAPS and token.kind == "sign":
        yield index, index, SWAPS[token.text]
    elif token.text in BINARY and token.kind == "sign" and is_operand(before):
        yield index, index, BINARY[token.text]
    elif token.text == "!":
        yield index, index, ""
    elif token.kind == "number" and "." not in token.text and before.text != "[":
        digits = re.match(r"0[xX][0-9a-fA-F]+|\d+", token.text)[0]
        octal = re.fullmatch(r"0[0-7]+", digits)
        number = int(digits, 8 if octal else 0)
        changed = turned(found, index) or f"{number + 1}{token.text[len(digits):]}"
        yield index, index, changed
    elif token.text in WORDS:
        yield index, index, WORDS[token.text]
    elif token.text in ("if", "while") and found[index + 1].text == "(":
        end = closing(found, index + 1)
        inside = [part.text for part in found[index + 2:end]]
        if not any(text in SWAPS or text == "!" for text in inside):
            yield index + 1, end, None
    if before.text in (";", "{", "}", ")", "else") and token.kind == "word":
        yield from dropped(found, index, before)


def dropped(found, index, before):
    """The statement that begins at INDEX, if it is a call or an assignment."""
    end = next(place for place in range(index, len(found)) if found[place].text in ";{")
    words = found[index:end]
    if found[end].text != ";" or len(words) < 3 or SPARED_CALLS.match(words[0].text):
        return
    called = words[1].text == "(" and closing(found, index + 1) == end - 1
    level = 0
    assigned = False
    for place, word in enumerate(words):
        level += {"(": 1, ")": -1, "[": 1, "]": -1}.get(word.text, 0)
        if level == 0 and place and word.kind == "word" and words[place - 1].kind == "word":
            return  # a declaration, or return VALUE
        if level == 0 and word.text == "*" and place == 1:
            return
        assigned = assigned or level == 0 and word.text in ("=", "|=", "&=")
    if before.text == ")" and not in_statement(found, index - 1):
        return
    if called or assigned:
        yield index, end - 1, ""


def in_statement(found, index):
    """Whether the bracket that closes at INDEX belongs to an if, a while or a for."""
    depth = 0
    for place in range(index, -1, -1):
        depth += {")": 1, "(": -1}.get(found[place].text, 0)
        if depth == 0:
            return place > 0 and found[place - 1].text in ("if", "while", "for", "switch")
    return False


def mutants_of(path, top):
    """All mutants of the file PATH; those in one function that read alike are numbered."""
    source = path.read_text()
    found = tokens(source)
    depth = 0
    function = ""
    seen = {}
    place = str(path.relative_to(top))
    spared = 0  # up to the end of an assertion, which nothing reaches that fails it
    for index, token in enumerate(found):
        if depth == 0 and token.text == "(" and found[index - 1].kind == "word":
            function = found[index - 1].text
        depth += {"{": 1, "}": -1}.get(token.text, 0)
        if token.text == "assert":
            spared = closing(found, index + 1)
        if depth == 0 or index < spared:
            continue
        for first, last, text in changes(found, index):
            start, end = found[first].start, found[last].end
            old = source[start:end]
            new = f"(!{old})" if text is None else text
            line = " ".join(source[source.rfind("\n", 0, start) + 1:
                                   source.find("\n", end)].split())
            what = f"{' '.join(old.split())} -> {new and ' '.join(new.split()) or 'nothing'}"
            name = f"{place}: {function}: {line}: {what}"
            seen[name] = seen.get(name, 0) + 1
            if seen[name] > 1:
                name += f" #{seen[name]}"
            yield Mutant(place, start, end, new, name)
