# SPDX-License-Identifier: Apache-2.0
"""The site has the repository's own folders, so that one relative link works on GitHub and on the site.

mkdocs calls `on_files` (mkdocs.yml, hooks). Pages are README.md, docs/ and the README files of zoo and sample; other
files of the repository that a page links to are copied beside them.
"""

from __future__ import annotations

from pathlib import Path

from links import relative_links
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

ROOT = Path(__file__).resolve().parents[2]
PAGES = ("README.md", "docs/**/*.md", "models/zoo/*/README.md", "samples/README.md")


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Replace the content of docs_dir by the pages above; what the theme and plugins bring stays."""
    kept = [file for file in files if not Path(file.abs_src_path or "").is_relative_to(config.docs_dir)]
    pages = {path for pattern in PAGES for path in ROOT.glob(pattern)}
    linked = {link.target for page in pages for link in relative_links(page) if link.target.is_file()}
    return Files(
        [
            *kept,
            *(
                File.generated(config, path.relative_to(ROOT).as_posix(), abs_src_path=str(path))
                for path in sorted(pages | linked)
                if path.is_relative_to(ROOT)
            ),
        ]
    )
