"""Every relative link of every Markdown file leads somewhere, to its heading."""

import re
import subprocess
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote

import pytest

ROOT = Path(__file__).parents[2]
FENCE = re.compile(r"^```.*?^```$", re.S | re.M)
LINK = re.compile(r"\]\((?![a-z]+:)<?([^)\s>]+)>?\)")
HEADING = re.compile(r"^#{1,6} +(.*?)[ #]*$", re.M)


def documents() -> list[Path]:
    """Those in git, or about to be."""
    known = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", "*.md"]
    listed = subprocess.run(known, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    return [ROOT / name for name in listed.split("\0") if name and (ROOT / name).exists()]


def prose(document: Path) -> str:
    return FENCE.sub("", document.read_text(encoding="utf-8"))


def anchors(text: str) -> Iterator[str]:
    """Of its headings, as GitHub makes them."""
    seen: Counter[str] = Counter()
    for heading in HEADING.findall(text):
        said = re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", heading)
        slug = re.sub(r"[^\w\- ]", "", said.lower()).replace(" ", "-")
        yield f"{slug}-{seen[slug]}" if seen[slug] else slug
        seen[slug] += 1


def dead(document: Path) -> list[str]:
    """The links that lead nowhere."""
    found = []
    for link in LINK.findall(prose(document)):
        path, _, anchor = unquote(link).partition("#")
        target = (document.parent / path).resolve() if path else document
        if not target.exists() or (anchor and anchor not in anchors(prose(target))):
            found.append(link)
    return found


@pytest.mark.parametrize("document", documents(), ids=lambda path: str(path.relative_to(ROOT)))
def test_every_link_leads_somewhere(document: Path) -> None:
    """To a file, and to a heading in it."""
    assert [] == dead(document)


def test_a_dead_link_is_found(tmp_path: Path) -> None:
    """A file that is not there, a heading that is not, here or there; not what code shows."""
    (tmp_path / "there.md").write_text("# What `it` is, and why\n\n## Twice\n\n## Twice\n")
    page = tmp_path / "page.md"
    good = [
        "there.md",
        "there.md#what-it-is-and-why",
        "there.md#twice-1",
        "#here",
        "https://x.test",
    ]
    bad = ["gone.md", "there.md#nowhere", "#nowhere", "there.md#twice-2"]
    links = "".join(f"[a]({link})\n" for link in good + bad)
    page.write_text(f"# Here\n\n{links}\n```\n[code](gone.md)\n```\n")
    assert bad == dead(page)
