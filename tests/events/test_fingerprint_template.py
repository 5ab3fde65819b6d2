"""One template gives one shape, a paraphrase a near SimHash, another prompt a far one."""

import json
from itertools import combinations

import pytest

from guard.events.fingerprint import HashKey, KeyRing, fingerprint
from tests.support.shared import SHARED

KEYS = KeyRing(HashKey("k1", b"s" * 32))
REAL_PROMPTS = SHARED / "data/benign/arena_hard_500.jsonl"
LONG = (
    "please read the following report from the harbour office with care and tell me in plain words which ships came in late last month, "
    "what they carried, who had to wait for them, and what it cost the port; then list the three most frequent causes of delay, the most "
    "costly first, and close with one short piece of advice for the people who plan the berths next year and cannot build any new ones"
)


def _fields(prompt):
    return fingerprint({"messages": [{"role": "user", "content": prompt}]}, None, KEYS)


def _distance(one, other):
    return (int(_fields(one).simhash, 16) ^ int(_fields(other).simhash, 16)).bit_count()


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Write a letter to Anna about her plan for tomorrow.", "Write a letter to Juan Pablo about her plan for tomorrow."),
        ("Natalia sold clips to 48 of her friends in May.", "Bob sold clips to 7 of her friends in June."),
        ("How many are left if you take 3 from a basket?", "How many are left if you take 1,250.5 from a basket?"),
        ('Say in one word how this review "Great film!" feels.', 'Say in one word how this review "I slept, and so did Tom" feels.'),
        ("Explain what the function `add` does in this file.", "Explain what the function `remove_all(x)` does in this file."),
        ("summarise the page https://a.example/1 in two lines", "summarise the page http://b.example/x?y=2 in two lines"),
        ("Напиши письмо для Анны про её 3 заказа и скидку.", "Напиши письмо для Ивана про её 25 заказа и скидку."),
        ("请把下面的句子「今天天气很好」翻译成英文并解释3个词", "请把下面的句子「我喜欢喝茶」翻译成英文并解释15个词"),
        ("次の文『猫が好き』を英語に直して2行で説明して", "次の文『雨が降る日は家にいる』を英語に直して10行で説明して"),
    ],
)
def test_what_is_filled_into_a_template_does_not_change_its_shape(one, other):
    """Fleets vary names, numbers and quoted text; that must not hide the template, in any script."""
    assert _fields(one).shape is not None
    assert _fields(one).shape == _fields(other).shape
    assert _fields(one).simhash == _fields(other).simhash


def test_a_long_quotation_of_any_length_does_not_change_the_shape():
    """The text to be worked on is the payload; the template stands around it."""
    short, long = (f'Sum up in two lines: "{"word and more " * times}" and name the main idea of it.' for times in (60, 5_000))

    assert _fields(short).shape == _fields(long).shape is not None


@pytest.mark.parametrize(
    "other", ["Explain the letter to Anna about her plan for tomorrow.", "Write a poem to Anna about her plan for tomorrow."]
)
def test_another_instruction_is_another_shape(other):
    """Else all prompts of a kind would be one template."""
    assert _fields("Write a letter to Anna about her plan for tomorrow.").shape != _fields(other).shape


@pytest.mark.parametrize("prompt", ["hi", "Yes, go on.", "42", '"all of it quoted, every word"', "Anna Maria Lopez", "", "🙂🙂🙂"])
def test_too_few_words_are_no_template(prompt):
    """Strangers who say yes have nothing in common."""
    assert (_fields(prompt).shape, _fields(prompt).simhash) == (None, None)


def test_a_paraphrase_of_a_few_words_moves_few_bits():
    """Near SimHashes are how a reworded template is found again."""
    assert _distance(LONG, LONG.replace("frequent", "common")) <= 8
    assert _distance(LONG, LONG.replace("frequent", "common").replace("advice", "counsel")) <= 12


def test_another_prompt_moves_about_half_of_the_bits():
    """Unrelated prompts must be as far apart as chance."""
    other = "why does bread dough rise better in a warm kitchen than in a cold one, and how would a baker notice that it has stood too long"

    assert 20 <= _distance(LONG, other) <= 44


def test_words_are_counted_in_scripts_without_spaces():
    """A Chinese prompt of many characters is not one word: a small change moves few bits, another prompt many."""
    prompt = "请根据下面的报告用简单的话告诉我上个月哪些船晚到了运了什么货物谁因此等待港口损失了多少钱然后列出最常见的延误原因"

    assert _distance(prompt, prompt.replace("简单", "明白")) <= 14
    assert 18 <= _distance(prompt, "为什么面团在温暖的厨房里发得更好面包师怎样才能看出它放得太久了应该如何补救才不会浪费") <= 46


def test_only_the_ends_of_a_long_prompt_count():
    """The cost must not grow with the prompt: what lies in the middle is neither read nor hashed."""
    one, other = (LONG + " " + filler * 3_000 + LONG for filler in ("left out ", "passed by "))

    assert (_fields(one).shape, _fields(one).simhash) == (_fields(other).shape, _fields(other).simhash)


def test_real_prompts_of_strangers_are_far_apart():
    """Measured on real users' prompts: pairs lie around 32 bits, hardly any are as near as a paraphrase."""
    if not REAL_PROMPTS.exists():
        pytest.skip("no shared prompts: set GUARD_SHARED to the folder that has data/benign")
    lines = REAL_PROMPTS.read_text(encoding="utf-8").splitlines()[:200]
    found = [_fields(json.loads(line)["turns"][0]["content"]).simhash for line in lines]
    distances = [(int(one, 16) ^ int(other, 16)).bit_count() for one, other in combinations([simhash for simhash in found if simhash], 2)]

    assert 28 <= sum(distances) / len(distances) <= 33
    assert sum(distance <= 3 for distance in distances) <= len(distances) / 1_000
