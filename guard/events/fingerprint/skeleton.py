"""A prompt's skeleton: its first and last words in lower case, with names, numbers and quoted text masked.

Two prompts made from one template have one skeleton, whatever was filled in. Only a window at either end is read, so that the cost
does not grow with the prompt. Scripts that put no spaces between words count each character as a word. Names are known by their
capitals: in scripts without capitals only numbers, quoted text and Latin words are masked, and in German every noun is.
"""

import re
from typing import Final

WINDOW_CHARS: Final = 512
"""Characters read at either end: 64 words of English with their spaces take about 380."""
WORDS_EACH_END: Final = 64
"""Words kept of either end (contract)."""
_WORDS_READ: Final = 2 * WORDS_EACH_END
"""Words of a window that are looked at: of these up to half may be further literals of a row."""
MASK: Final = "*"
"""Stands for one or more literals in a row."""

_UNSPACED: Final = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u2e80-\u2fff\u3005-\u3007\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\uff66-\uff9f\U00020000-\U0003ffff"
"""Thai, Lao, Burmese, Khmer, kana and Han."""
_QUOTED: Final = re.compile(
    # The set of all openers stands first: where none is, nothing else is tried.
    "(?=[`\"'\u201c\u201e\u201d\u00ab\u300c\u300e\u300a\u2018])(?:"
    r"```.*?(?:```|\Z)|`[^`\n]*(?:`|\Z)|"
    r'(?<!\d)"[^"]*(?:"|\Z)|'
    r"(?<!\w)'[^'\n]{1,200}'(?!\w)|"
    "[\u201c\u201e\u201d][^\u201c\u201d]*(?:[\u201c\u201d]|\\Z)|(?<!\\w)\u2018[^\u2018\u2019]*(?:\u2019|\\Z)|"
    "\u00ab[^\u00bb]*(?:\u00bb|\\Z)|\u300c[^\u300d]*(?:\u300d|\\Z)|\u300e[^\u300f]*(?:\u300f|\\Z)|\u300a[^\u300b]*(?:\u300b|\\Z))",
    re.DOTALL,
)
"""Text between quotation marks or backticks; a quotation that does not end within the window is masked up to its end."""
_CLOSERS: Final = dict(
    zip("\u201c\u201e\u201d\u00ab\u300c\u300e\u300a\u2018", "\u201d\u201c\u201d\u00bb\u300d\u300f\u300b\u2019", strict=True)
)
"""What ends a quotation that begins with another character than it ends with."""
_WORD: Final = re.compile(f"\0|[{_UNSPACED}]|[^\\W_{_UNSPACED}]+(?:[-'\u2019.,:/@_+#&=?%~]+[^\\W_{_UNSPACED}]+)*")
"""A mask, a character of an unspaced script, or a run of letters and digits with what may stand inside one: don't, 1,200.50, a@b.c."""
_DIGIT_OR_ADDRESS: Final = re.compile(r"[\d@/_=]")
_OPENERS: Final = (
    "a an the i you we they he she it this that these those there here my your our their his her its in on at of for from to",
    "with without by as and or but if when while after before since because although given then so not no yes please let",
    "let's imagine suppose assume consider act write rewrite explain describe summarize summarise translate list give make",
    "create generate build design implement compare classify extract find solve compute calculate answer evaluate rate grade",
    "score tell show provide identify complete fix convert return use using think first second next finally how what why who",
    "which where whose is are was were do does did can could would should must have has had be been each every all",
    "any some one both question problem task input output instruction instructions context example examples note step user",
    "assistant system",
)
OPENERS: Final = frozenset(word for line in _OPENERS for word in line.split())
"""Words that open sentences and are no names: kept although capitalised, since they tell templates apart."""


def skeleton_of(prompt: str) -> list[str]:
    """The masked words of the first and the last `WORDS_EACH_END` words; all of them when there are no more."""
    if len(prompt) <= 2 * WINDOW_CHARS:
        words = _masked(_words(prompt))
        return words if len(words) <= 2 * WORDS_EACH_END else words[:WORDS_EACH_END] + words[-WORDS_EACH_END:]
    tail_start = max(len(prompt) - WINDOW_CHARS, _end_of_quotation(prompt))
    head, tail = _words(prompt[:WINDOW_CHARS])[:_WORDS_READ], _words(prompt[tail_start:])[-_WORDS_READ:]
    return _masked(head)[:WORDS_EACH_END] + _masked(tail)[-WORDS_EACH_END:]


def _end_of_quotation(prompt: str) -> int:
    """Where the quotation ends that the first window's end cuts through; 0 if it cuts none."""
    cut = None
    for quotation in _QUOTED.finditer(prompt, 0, WINDOW_CHARS):
        cut = quotation
    if cut is None or cut.end() < WINDOW_CHARS:
        return 0
    opener = "```" if cut.group().startswith("```") else cut.group()[0]
    closer = _CLOSERS.get(opener, opener)
    closed = prompt.find(closer, cut.start() + len(opener))
    return closed + len(closer) if closed >= 0 else len(prompt)


def _words(text: str) -> list[str]:
    return _WORD.findall(_QUOTED.sub(" \0 ", text))


def _masked(found: list[str]) -> list[str]:
    words: list[str] = []
    after_literal = False
    for word in found:
        if _is_literal(word):
            if not after_literal:
                words.append(MASK)
            after_literal = True
        else:
            words.append(word.lower())
            after_literal = False
    return words


def _is_literal(word: str) -> bool:
    if word[0].isupper():
        return word.lower() not in OPENERS
    return not word.isalpha() and (word == "\0" or _DIGIT_OR_ADDRESS.search(word) is not None)
