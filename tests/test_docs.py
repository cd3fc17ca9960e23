# SPDX-License-Identifier: Apache-2.0
"""What the documents promise: figures from data files, links that lead somewhere, paths that exist."""

import json
import re

import pytest
from links import CODE, FENCE, anchors, relative_links
from make_tables import pages, read_runs, rewritten

# Names of files in the text that a reader can open: a top folder, then a path with a suffix.
NAMED = re.compile(
    r"(?<![\w/.-])(?<!\]\()(?:docs|export|launch|models|ros2_ws|samples|tests|training)/[\w./-]+\.(?:md|py|toml|sh|yaml|xml|json|mcap|onnx)\b"
)


@pytest.fixture(scope="module")
def texts(repository, checkout_files):
    """Every text file of the checkout."""
    kinds = (".md", ".py", ".toml", ".sh", ".xml", ".yaml", ".yml", "Makefile")
    return [repository / name for name in checkout_files if name.endswith(kinds)]


def prose(text: str) -> list[str]:
    """Lines of a markdown file that are neither code, table, heading nor picture, nor indented code."""
    lines = FENCE.sub("", text).splitlines()
    return [line for line in lines if not line.startswith(("|", "#", "![", "    ", ":::"))]


def test_every_table_is_current():
    runs = read_runs()
    assert len(runs) > 20
    stale = [page.name for page in pages() if rewritten(page.read_text(), runs) != page.read_text()]
    assert not stale, f"{stale}: run python docs/tools/make_tables.py"


def test_every_table_is_shown_once_at_least():
    shown = set(re.findall(r"<!-- table: ([\w.]+) -->", CODE.sub("", "".join(page.read_text() for page in pages()))))
    assert shown == {f"{name}.{table}" for name, run in read_runs().items() for table in run["tables"]}


def test_rows_and_columns_of_a_data_file_have_names_of_their_own():
    for name, run in read_runs().items():
        assert re.fullmatch(r"20\d\d-\d\d-\d\d", run["date"]), name
        for table, content in run["tables"].items():
            rows = ["/".join(map(str, row[: content.get("keys", 1)])) for row in content["rows"]]
            columns = [column.get("name", column["title"]) for column in content["columns"]]
            for names in (rows, columns):
                assert len(set(names)) == len(names), f"{name}.{table}: {names}"


@pytest.mark.parametrize("key", ["date", "hardware", "command", "seed"])
def test_a_data_file_without_its_origin_is_refused(tmp_path, key):
    run = {"date": "2026-11-20", "hardware": "a machine", "command": ["make demo"], "seed": None, "tables": {}}
    (tmp_path / "speed.json").write_text(json.dumps(run))
    assert read_runs(tmp_path) == {"speed": run}
    del run[key]
    (tmp_path / "speed.json").write_text(json.dumps(run))
    with pytest.raises(ValueError, match=rf"speed\.json, but \['{key}'\] is missing"):
        read_runs(tmp_path)


def test_a_table_is_written_from_its_data():
    columns = [{"title": "set", "align": "left"}, {"title": "EPE px", "digits": 2}, {"title": "note"}]
    rows = [["a", 0.5, None], ["b", 1.25, "half of it: {run[t][b][EPE px]:.1f}"]]
    run = {
        "date": "d",
        "hardware": "h",
        "command": ["c"],
        "seed": 3,
        "tables": {"t": {"columns": columns, "rows": rows}},
    }
    page = "before\n<!-- table: run.t -->\nold\n<!-- /table -->\n<!-- run: run -->\n<!-- /run -->\n"
    assert rewritten(page, {"run": run}) == (
        "before\n<!-- table: run.t -->\n| set | EPE px | note |\n| --- | --: | --: |\n| a | 0.50 | |\n"
        "| b | 1.25 | half of it: 1.2 |\n<!-- /table -->\n"
        "<!-- run: run -->\n```\nc\n```\n\nd; h; seed 3.\n<!-- /run -->\n"
    )


def test_every_relative_link_and_anchor_leads_somewhere(texts):
    broken = []
    for page in (path for path in texts if path.suffix == ".md"):
        for link in relative_links(page):
            if not link.target.exists():
                broken.append(f"{page.name}: {link.target} does not exist")
            elif link.anchor and link.anchor not in anchors(link.target):
                broken.append(f"{page.name}: {link.target.name} has no heading #{link.anchor}")
    assert not broken, "\n".join(broken)


def test_links_and_anchors_are_read_as_github_reads_them(tmp_path):
    page = tmp_path / "page.md"
    page.write_text(
        "# The zoo's `usam_net`: 1, 2\n[a](other.md#x) `[b](c.md)` [d](https://e.f/g) [h](#x)\n```\n# no\n```\n"
    )
    assert anchors(page) == {"the-zoos-usam_net-1-2"}
    assert relative_links(page) == [((tmp_path / "other.md").resolve(), "x"), (page.resolve(), "x")]


def test_files_named_in_text_exist(repository, texts):
    missing = set()
    for path in (path for path in texts if not {"test", "tests"} & set(path.relative_to(repository).parts)):
        for name in NAMED.findall(path.read_text(encoding="utf-8")):
            if not (repository / name).exists():
                missing.add(f"{path.relative_to(repository)}: {name}")
    assert not missing, "\n".join(sorted(missing))


def test_no_command_names_a_folder_beside_the_repository(texts):
    for path in (path for path in texts if path.suffix == ".md"):
        assert "../shared" not in path.read_text(encoding="utf-8"), path


def test_prose_is_wrapped_at_120_columns(repository):
    cards = repository.glob("models/zoo/*/README.md")
    for page in [*pages(), *cards, repository / "samples" / "README.md"]:
        long = [line for line in prose(page.read_text()) if len(line) > 120]
        assert not long, f"{page}: {long[0]}"


def test_the_first_screen_of_the_readme_shows_how_to_start(repository):
    lines = (repository / "README.md").read_text().splitlines()
    assert len(lines) <= 140
    first = "\n".join(lines[:40])
    for needed in (
        "make demo",
        "make test",
        "import depth_runtime as ds",
        'ds.load("stereo_s")',
        "ros2 launch depth_bringup",
    ):
        assert needed in first, needed
    assert CODE.search(first)
