# SPDX-License-Identifier: Apache-2.0
"""The field's words throughout, and one name for one thing (docs/glossary.md)."""

import ast
import re
from collections import defaultdict
from dataclasses import dataclass

import pytest

KINDS = (".md", ".py", ".toml", ".sh", ".xml", ".yaml", ".yml", ".json", ".rst", ".cff", "Makefile")
HERE = "tests/test_words.py"


@dataclass(frozen=True)
class Word:
    """old: what must not stand in a line; wording: what stands there instead; kept: phrases that may stand, by why."""

    old: str
    wording: str
    kept: tuple[str, ...] = ()

    def found_in(self, line: str) -> bool:
        """Whether the line holds the old word outside of what is kept."""
        for phrase in self.kept:
            line = re.sub(phrase, "", line)
        return re.search(self.old, line) is not None


WORDS = (
    Word(
        r"(?i)(?<![a-z])answers?(?![a-z])",
        "prediction, predict (networks, methods); response (services)",
        kept=(r"answers_(a_pair|every_frame)_?",),  # a node answers frames
    ),
    Word(r"(?i)(?<![a-z/])shares? of\b|\b(an?|equal|larger) shares?\b|_shares?\b", "fraction"),
    Word(r"(?<![a-z])facts(?![a-z])", "metadata", kept=(r'_METADATA = "facts"',)),  # a key of stored files
    Word(r"(?<![a-z])[pP]eers?(?![a-z])|[a-z]Peers?\b", "third-party"),
    Word(r"(?i)surpris", "cross entropy"),
    Word(r"(?i)contender|\bsurest\b", "network, backend; most confident"),
    # Data are held out (quantize --held-out); what is measured on them, and a recipe's section, is validation.
    Word(r"^\s*\[?held_out(\]| = \{)|held_out_(batches|epe|every|loss|measure|score)", "validation"),
    Word(r"(?i)segmentation_\w|\w_segmentation|SegmentationMethod", "regions, or classes"),
)


@pytest.fixture(scope="module")
def lines(repository, checkout_files):
    """(file, number, line) of every text of the checkout that is held to the words."""
    return [
        (name, number, line)
        for name in checkout_files
        if name.endswith(KINDS) and name != HERE
        for number, line in enumerate((repository / name).read_text().splitlines(), 1)
    ]


@pytest.mark.parametrize("word", WORDS, ids=lambda word: word.wording)
def test_an_old_word_is_not_written_again(lines, word):
    found = [f"{name}:{number}: {line.strip()}" for name, number, line in lines if word.found_in(line)]
    assert not found, f"write {word.wording}, see docs/glossary.md:\n" + "\n".join(found)


@pytest.mark.parametrize(
    ("old", "line"),
    [
        (0, "    answers = network(left, right)"),
        (0, '"""The network answers the disparity."""'),
        (1, "share of the pixels"),
        (1, "tolerance_share: float = 0.5"),
        (2, "def _set(path, facts):"),
        (3, "class OnnxPeer:"),
        (6, "[held_out]"),
        (6, "held_out_loss = 3"),
        (7, "if network.needs_segmentation:"),
    ],
)
def test_an_old_word_is_found(old, line):
    assert WORDS[old].found_in(line)


def test_a_class_name_means_one_thing(repository, checkout_files):
    """Classes of the packages at the top of their modules, and those within functions; tests may repeat each other."""
    places = defaultdict(list)
    for name in checkout_files:
        if name.endswith(".py") and not {"test", "tests"} & set(name.split("/")):
            for node in ast.walk(ast.parse((repository / name).read_text())):
                if isinstance(node, ast.ClassDef):
                    places[node.name].append(f"{name}:{node.lineno}")
    twice = {name: where for name, where in places.items() if len(where) > 1}
    assert not twice, f"each needs a name of its own: {twice}"


def test_the_glossary_explains_a_term_once(repository):
    terms = re.findall(r"^\| (.+?) \|", (repository / "docs/glossary.md").read_text(), re.MULTILINE)
    terms = [term for term in terms if term not in ("term", "---")]
    assert len(terms) > 150
    assert sorted(terms) == sorted(set(terms))
