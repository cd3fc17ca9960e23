# SPDX-License-Identifier: Apache-2.0
"""The site has the repository's own folders, so that one relative link works on GitHub and on the site.

mkdocs calls `on_files` (mkdocs.yml, hooks). Pages are README.md, docs/ and the README files of zoo and sample; other files
of the repository that a page links to are copied beside them.
"""

from __future__ import annotations

import re
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

ROOT = Path(__file__).resolve().parents[1]
PAGES = ("README.md", "docs/**/*.md", "models/zoo/*/README.md", "samples/README.md")
LINK = re.compile(r"\]\((?!https?:|mailto:|#)([^)#\s]+)(?:#[^)]*)?\)")
CODE = re.compile(r"^```.*?^```|`[^`\n]*`", re.DOTALL | re.MULTILINE)


def repository_pages(root: Path = ROOT) -> list[Path]:
    """The markdown files that make the site."""
    return sorted({path for pattern in PAGES for path in root.glob(pattern)})


def link_targets(page: Path) -> list[Path]:
    """Files and folders that the relative links of a markdown file name, without their anchors; they need not exist."""
    return [(page.parent / target).resolve() for target in LINK.findall(CODE.sub("", page.read_text()))]


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Replace the content of docs_dir by the pages above; what the theme and plugins bring stays."""
    kept = [file for file in files if not Path(file.abs_src_path or "").is_relative_to(config.docs_dir)]
    pages = repository_pages()
    linked = {target for page in pages for target in link_targets(page) if target.is_file()} - set(pages)
    ours = [
        File.generated(config, path.relative_to(ROOT).as_posix(), abs_src_path=str(path))
        for path in [*pages, *sorted(linked)]
        if path.is_relative_to(ROOT)
    ]
    return Files([*kept, *ours])
